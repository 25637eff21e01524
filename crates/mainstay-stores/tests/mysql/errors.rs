//! Errors of real servers in the words of every store.

use mainstay_store::StoreError;

use crate::support::{on_each, run, session};

#[tokio::test]
async fn numbers_of_errors_become_what_every_store_says() {
    on_each(async |pool| {
        run(&pool, "CREATE TABLE t (id int PRIMARY KEY, small tinyint, name varchar(3), d date, n int NOT NULL)").await;
        for (sql, expected) in [
            ("SELECT * FROM nobody", "SchemaChanged"),
            ("SELECT nothing FROM t", "SchemaChanged"),
            ("INSERT INTO t VALUES (1, 1000, 'a', NULL, 1)", "22003"),
            ("INSERT INTO t VALUES (1, 1, 'abcd', NULL, 1)", "22001"),
            ("INSERT INTO t VALUES (1, 1, 'abc', '2026-02-30', 1)", "22007"),
            ("INSERT INTO t VALUES (1, 'x', 'abc', NULL, 1)", "22P02"),
            ("INSERT INTO t VALUES (1, 1, 'abc', NULL, NULL)", "23502"),
            ("SELECT FROM", "42601"),
        ] {
            let failure = session(&pool).await.execute(sql, &[]).await.expect_err(sql);
            let found = match StoreError::from(failure) {
                StoreError::Database(words) => words.code.to_string(),
                other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
            };
            assert_eq!(found, expected, "{sql}");
        }
    })
    .await;
}

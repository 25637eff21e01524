//! Errors of real servers in the words of every store.

use mainstay_store::StoreError;

use crate::support::{on_each, run, session};

#[tokio::test]
async fn numbers_of_errors_become_what_every_store_says() {
    on_each(async |pool| {
        run(&pool, "CREATE TABLE t (id int PRIMARY KEY, small tinyint, name varchar(3), d date, n int NOT NULL)").await;
        run(
            &pool,
            "CREATE TABLE words (w set('a'), latin varchar(9) CHARACTER SET latin1);
             CREATE TABLE parts (n int) PARTITION BY RANGE (n) (PARTITION p VALUES LESS THAN (9));
             CREATE VIEW few AS SELECT n FROM parts WHERE n < 5 WITH CHECK OPTION;
             CREATE VIEW both_of_them AS SELECT t.id, parts.n FROM t JOIN parts ON parts.n = t.id",
        )
        .await;
        for (sql, expected) in [
            ("SELECT * FROM nobody", "SchemaChanged"),
            ("SELECT nothing FROM t", "SchemaChanged"),
            ("INSERT INTO t VALUES (1, 1000, 'a', NULL, 1)", "22003"),
            ("INSERT INTO t VALUES (1, 1, 'abcd', NULL, 1)", "22001"),
            ("INSERT INTO t VALUES (1, 1, 'abc', '2026-02-30', 1)", "22007"),
            ("INSERT INTO t VALUES (1, 'x', 'abc', NULL, 1)", "22P02"),
            ("INSERT INTO t VALUES (1, 1, 'abc', NULL, NULL)", "23502"),
            ("SELECT FROM", "42601"),
            ("INSERT INTO words VALUES ('x', NULL)", "22P02"),
            ("SELECT * FROM words WHERE latin = '日'", "22P05"),
            ("INSERT INTO parts VALUES (99)", "23514"),
            ("INSERT INTO few VALUES (8)", "44000"),
            ("INSERT INTO both_of_them (id, n) VALUES (1, 2)", "0A000"),
        ] {
            let failure = session(&pool).await.batch_execute(sql).await.expect_err(sql);
            let found = match StoreError::from(failure) {
                StoreError::Database(words) => words.code.to_string(),
                other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
            };
            assert_eq!(found, expected, "{sql}");
        }
    })
    .await;
}

#[tokio::test]
async fn letter_case_counts_for_like_whatever_the_column_says() {
    use mainstay_query::plan::{Expr, Filter, Read, Test};
    use mainstay_query::{Actor, authorize};
    use mainstay_store::collect::Collected;
    use mainstay_store::{Call, Store};
    use mainstay_stores::MysqlStore;

    on_each(async |pool| {
        let table =
            "CREATE TABLE people (id int PRIMARY KEY, name varchar(20)) CHARACTER SET latin1 COLLATE latin1_swedish_ci";
        run(&pool, &format!("{table}; INSERT INTO people VALUES (1, 'Ann'), (2, 'ann'), (3, 'bob')")).await;
        let store = MysqlStore::new(pool.options().clone()).expect("a store");
        let schema = std::sync::Arc::new(store.find(crate::support::late()).await.expect("the tables are found"));
        let people = schema.find("people").expect("it is there");
        let name = people.find_column("name").expect("it is there").id;
        for (pattern, case_sensitive, expected) in
            [("an%", true, 1), ("an%", false, 2), ("A__", true, 1), ("%", true, 3)]
        {
            let test = Test::Like { pattern: pattern.to_owned(), case_sensitive };
            let filter = Filter::Test { expr: Expr::column(name), test };
            let plan = Read { filter, ..Read::new(people.id) };
            let sink = Box::new(Collected::of(&schema, plan.shape(&schema)));
            let plan = authorize::read(&schema, &Actor::System, plan).expect("the system may read");
            let call = Call { schema: schema.clone(), deadline: crate::support::late() };
            let done = store.read(call, std::sync::Arc::new(plan), sink).await.expect("the read is possible");
            assert_eq!(done.rows, expected, "{pattern} {case_sensitive}");
        }
        store.close().await;
    })
    .await;
}

//! Errors of a real server in the words of every store.

use mainstay_schema::Schema;
use mainstay_schema::load::{self, SourceFile};
use mainstay_store::StoreError;
use mainstay_stores::postgres::{Access, Isolation, Session};

use crate::support::{pool, session};

const TABLES: &str = "
CREATE SCHEMA told;
SET LOCAL search_path = told;
CREATE TABLE customers (id bigint PRIMARY KEY, email text UNIQUE);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL CONSTRAINT orders_customer_id_fkey REFERENCES customers,
    total numeric(12, 2) CONSTRAINT dear CHECK (total > 1),
    parent_id bigint CONSTRAINT orders_parent_id_fkey REFERENCES orders
);
CREATE UNIQUE INDEX by_half ON customers ((id / 2), lower(email));
INSERT INTO customers VALUES (1, 'a, (b)'), (2, 'c');
INSERT INTO orders VALUES (1, 1, 5, NULL), (2, 1, 5, 1);
";

fn schema() -> Schema {
    let toml = r#"
[customers.fields]
id = { type = "bigint", primary = true }
email = { type = "text", optional = true, unique = true }

[orders.fields]
id = { type = "bigint", primary = true }
customer_id = { ref = "customers" }
total = { type = "decimal(12,2)", optional = true }
parent_id = { ref = "orders", optional = true }
"#;
    let files = [SourceFile { path: "schema/shop.toml".into(), text: toml.into() }];
    load::load(&files).expect("the schema is right")
}

async fn met(session: &mut Session, schema: &Schema, sql: &str) -> StoreError {
    session.savepoint().await.expect("a place");
    let failure = session.execute(sql, &[]).await.expect_err(sql);
    session.rollback_to().await.expect("back there");
    let written = sql.split(' ').find_map(|word| schema.find(word));
    failure.translate(schema, written)
}

#[tokio::test]
async fn constraints_are_told_by_their_fields() {
    let schema = schema();
    let mut session = session(&pool()).await;
    session.begin(Access::Write, Isolation::ReadCommitted);
    session.batch_execute(TABLES).await.expect("tables");
    for (sql, expected) in [
        (
            "INSERT INTO customers VALUES (1)",
            "Duplicate { table: \"customers\", key: \"customers_pkey\", columns: [\"id\"], values: Some([\"1\"]) }",
        ),
        (
            "INSERT INTO customers VALUES (9, 'a, (b)')",
            "Duplicate { table: \"customers\", key: \"customers_email_key\", columns: [\"email\"], values: Some([\"a, (b)\"]) }",
        ),
        (
            "INSERT INTO customers VALUES (3, 'C')",
            "Database(DatabaseError { code: \"23505\", message: \"duplicate key value violates unique constraint \\\"by_half\\\"\", \
             details: Some(\"Key ((id / 2), lower(email))=(1, c) already exists.\"), hint: None })",
        ),
        ("INSERT INTO orders VALUES (9)", "NotNull { table: \"orders\", column: \"customer_id\" }"),
        ("INSERT INTO orders VALUES (9, 1, 0)", "Check { table: \"orders\", check: \"dear\" }"),
        (
            "INSERT INTO orders VALUES (9, 7)",
            "Reference { table: \"orders\", broken: Some(BrokenReference { end: Pointing, constraint: \
             Some(\"orders_customer_id_fkey\"), table: \"orders\", columns: [\"customer_id\"], values: Some([\"7\"]), \
             other: Some(\"customers\"), row: None }) }",
        ),
        (
            "DELETE FROM customers WHERE id = 1",
            "Reference { table: \"customers\", broken: Some(BrokenReference { end: Target, constraint: \
             Some(\"orders_customer_id_fkey\"), table: \"customers\", columns: [\"id\"], values: Some([\"1\"]), \
             other: Some(\"orders\"), row: None }) }",
        ),
        (
            "DELETE FROM orders WHERE id = 1",
            "Reference { table: \"orders\", broken: Some(BrokenReference { end: Target, constraint: \
             Some(\"orders_parent_id_fkey\"), table: \"orders\", columns: [\"id\"], values: Some([\"1\"]), \
             other: Some(\"orders\"), row: None }) }",
        ),
        (
            "UPDATE orders SET parent_id = 8 WHERE id = 2",
            "Reference { table: \"orders\", broken: Some(BrokenReference { end: Pointing, constraint: \
             Some(\"orders_parent_id_fkey\"), table: \"orders\", columns: [\"parent_id\"], values: Some([\"8\"]), \
             other: Some(\"orders\"), row: None }) }",
        ),
        (
            "SELECT 'x'::int",
            "Database(DatabaseError { code: \"22P02\", message: \"invalid input syntax for type integer: \\\"x\\\"\", details: None, hint: None })",
        ),
        ("SELECT * FROM nobody", "SchemaChanged(\"42P01: relation \\\"nobody\\\" does not exist\")"),
        ("SELECT nothing FROM orders", "SchemaChanged(\"42703: column \\\"nothing\\\" does not exist\")"),
        ("DO $$ BEGIN RAISE 'not today'; END $$", "Raised { message: \"not today\" }"),
        (
            "DO $$ BEGIN RAISE 'not today' USING hint = 'tomorrow'; END $$",
            "Database(DatabaseError { code: \"P0001\", message: \"not today\", details: None, hint: Some(\"tomorrow\") })",
        ),
        (
            "DO $$ BEGIN RAISE SQLSTATE 'PT402' USING message = 'Pay', detail = 'd'; END $$",
            "Database(DatabaseError { code: \"PT402\", message: \"Pay\", details: Some(\"d\"), hint: None })",
        ),
    ] {
        assert_eq!(format!("{:?}", met(&mut session, &schema, sql).await), expected, "{sql}");
    }
    session.rollback().await.expect("it can be undone");
}

#[tokio::test]
async fn the_databases_own_words_are_kept_for_who_wants_them() {
    let mut session = session(&pool()).await;
    session.begin(Access::Write, Isolation::ReadCommitted);
    session.batch_execute(TABLES).await.expect("tables");
    let failure = session.execute("INSERT INTO orders VALUES (9, NULL, 5)", &[]).await.expect_err("a null");
    let StoreError::Database(words) = failure.verbatim() else { panic!("these are the database's words") };
    assert_eq!(
        (&*words.code, words.details.as_deref()),
        ("23502", Some("Failing row contains (9, null, 5.00, null)."))
    );
    assert_eq!(
        words.message,
        "null value in column \"customer_id\" of relation \"orders\" violates not-null constraint"
    );
}

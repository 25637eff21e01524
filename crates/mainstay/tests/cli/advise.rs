//! `mainstay advise` on files; on servers it is tested with them.

use rusqlite::Connection;

use crate::support::Folder;

const SHOP: &str = "[customers.fields]\nid = { type = \"int\", primary = true }\n\n[orders.fields]\nid = { type = \"int\", primary = true }\n\
                    customer = { ref = \"customers\" } # who pays\nat = \"timestamp\"\n\n[orders.indexes]\nby_at = [\"at\"]\nby_at_and_more = [\"at\", \"id\"]\n";

#[test]
fn declared_tables_are_changed_in_their_files_and_by_a_migration() {
    let folder = Folder::project("", SHOP);
    folder.run(&["migrate", "new", "--name", "first"]).succeeds();
    folder.run(&["migrate", "apply"]).succeeds();
    let told = folder.run(&["advise"]).succeeds();
    assert_eq!(
        told.stdout,
        "orders: no index leads to the rows that refer to customers by customer (orders_customer_fkey); add an index on (customer)\n\
         orders: the index orders_by_at does nothing that the index orders_by_at_and_more does not; drop the index orders_by_at\n"
    );
    assert_eq!(folder.read("schema/shop.toml"), SHOP, "advice alone changes nothing");
    let json = folder.run(&["advise", "--json"]).succeeds().json();
    assert_eq!(
        (&json["advice"][0]["kind"], &json["advice"][1]["kind"]),
        (&"missing_index".into(), &"redundant_index".into())
    );

    let written = folder.run(&["advise", "--write"]).succeeds().stdout;
    assert_eq!(written.matches("wrote ").count(), 2, "{written}");
    let text = folder.read("schema/shop.toml");
    assert!(
        text.contains("by_customer = [\"customer\"]") && text.contains("# who pays") && !text.contains("by_at = "),
        "{text}"
    );
    let planned = folder.run(&["migrate", "plan"]).succeeds().stdout;
    assert!(planned.contains("orders_by_customer"), "{planned}");
    folder.run(&["migrate", "apply"]).succeeds();
    assert_eq!(folder.run(&["advise"]).succeeds().stdout, "nothing to advise\n");
    // What is not in a migration yet would come along unseen.
    folder.write(
        "schema/shop.toml",
        &format!("{text}\n[more.fields]\nid = {{ type = \"int\", primary = true }}\norder = {{ ref = \"orders\" }}\n"),
    );
    let before = folder.read("schema/shop.toml");
    let refused = folder.run(&["advise", "--write"]).exits(2).stderr;
    assert!(refused.contains("no migration has"), "{refused}");
    assert_eq!(folder.read("schema/shop.toml"), before);
}

#[test]
fn for_found_tables_the_statements_are_written() {
    let folder = Folder::new();
    let connection = Connection::open(folder.file("shop.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY); CREATE TABLE log (line TEXT);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, \"odd name\" INT REFERENCES customers, at TEXT);
             CREATE INDEX by_at ON orders (at); CREATE INDEX by_at_again ON orders (at);
             INSERT INTO customers VALUES (1), (2); INSERT INTO orders (\"odd name\") VALUES (1), (1), (2);
             ANALYZE",
        )
        .unwrap();
    let store = ["--store", "sqlite:shop.db"];
    let told = folder.run(&[&["advise"], &store[..]].concat()).succeeds().stdout;
    assert!(told.starts_with("log: rows have no primary key; give it a primary key"), "{told}");
    assert!(
        told.contains("orders (about 3 rows): no index leads to the rows that refer to customers by odd name"),
        "{told}"
    );
    let written = folder.run(&[&["advise", "--write", "--json"], &store[..]].concat()).succeeds().json();
    let file = written["written"][0].as_str().unwrap();
    let sql = folder.read(file);
    connection.execute_batch(&sql).unwrap();
    let left = folder.run(&[&["advise"], &store[..]].concat()).succeeds().stdout;
    assert_eq!(left.lines().count(), 1, "{sql}\n{left}");
}

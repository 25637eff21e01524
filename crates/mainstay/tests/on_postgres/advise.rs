//! `mainstay advise` on a server, which counts how often indexes are used.

use crate::app::Database;
use crate::support::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_counted_is_heeded() {
    let made = "CREATE TABLE a (id int PRIMARY KEY, b int, c text UNIQUE);
                CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES a);
                CREATE INDEX a_b ON a (b); CREATE INDEX a_c ON a (c);
                INSERT INTO a SELECT i, i, i FROM generate_series(1, 5000) AS i;
                ANALYZE a";
    let (database, folder) = (Database::new(made).await, Folder::new());
    let url = database.url();
    let told = folder.run(&["advise", "--store", &url]).succeeds().stdout;
    for expected in [
        "d: no index leads to the rows that refer to a by a (d_a_fkey); add an index on (a)",
        "a (about 5000 rows): the index a_c does nothing that the unique key a_c_key does not; drop the index a_c",
        "a (about 5000 rows): the index a_b (",
        "look again when uses were counted for 7 days",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let written = folder.run(&["advise", "--store", &url, "--write", "--json"]).succeeds().json();
    let sql = folder.read(written["written"][0].as_str().unwrap());
    assert!(sql.contains("DROP INDEX \"a_c\"") && sql.contains("ON \"d\" (\"a\")") && !sql.contains("a_b"), "{sql}");
    database.run(&sql).await;
    let left = folder.run(&["advise", "--store", &url]).succeeds().stdout;
    // Nobody has used them yet, and nobody could have.
    assert_eq!(left.matches("look again").count(), left.lines().count(), "{left}");
}

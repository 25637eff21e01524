//! `mainstay advise` on servers that count how often indexes are used, or do not.

use crate::app::on_each;
use crate::support::Folder;

const MADE: &str = "CREATE TABLE a (id int PRIMARY KEY, b int, c varchar(20) UNIQUE, d varchar(50), e text);
    CREATE TABLE d (id int PRIMARY KEY, a int, CONSTRAINT d_a FOREIGN KEY (a) REFERENCES a (id));
    CREATE TABLE log (line text);
    CREATE TABLE old (id int PRIMARY KEY, a int, d varchar(50)) ENGINE=MyISAM;
    CREATE INDEX a_b ON a (b); CREATE INDEX a_c ON a (c); CREATE INDEX a_d ON a (d);
    CREATE INDEX a_d_more ON a (d, b); CREATE INDEX a_b ON old (a);
    INSERT INTO a VALUES (1, 1, 'x', 'y', 'z'), (2, 2, 'y', 'y', 'z'); INSERT INTO d VALUES (1, 1);
    ANALYZE TABLE a, d, old";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tables_tell_is_written_in_the_words_of_the_server() {
    on_each(MADE, |database| async move {
        let (url, folder) = (database.url(), Folder::new());
        let told = folder.run(&["advise", "--store", &url]).succeeds().stdout;
        for expected in [
            "log (about 0 rows): rows have no primary key; give it a primary key",
            "a (about 2 rows): the index a_c does nothing that the unique key c does not; drop the index a_c",
            "a (about 2 rows): the index a_d does nothing that the index a_d_more does not; drop the index a_d",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
        assert!(!told.contains("\nd (about") && !told.contains("drop the index d_a"), "references have theirs: {told}");
        let written = folder.run(&["advise", "--store", &url, "--write", "--json"]).succeeds().json();
        let sql = folder.read(written["written"][0].as_str().unwrap());
        assert!(sql.contains("`a_c`") && sql.contains("`a_d`") && !sql.contains("a_d_more"), "{sql}");
        database.run(&sql).await;
        let left = folder.run(&["advise", "--store", &url]).succeeds().stdout;
        assert!(left.starts_with("log") && !left.contains("does nothing that"), "{sql}\n{left}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_are_told_where_the_server_counts_them() {
    on_each(MADE, |database| async move {
        let (url, folder) = (database.url(), Folder::new());
        if database.product() == "MariaDB" {
            let told = folder.run(&["advise", "--store", &url]).succeeds();
            assert!(
                told.stderr.contains("whether indexes are used is not known: ") && told.stderr.contains("userstat"),
                "{}",
                told.stderr
            );
            assert!(!told.stdout.contains("was not used"), "{}", told.stdout);
            let json = folder.run(&["advise", "--store", &url, "--json"]).succeeds().json();
            assert!(json["uncounted"].as_str().unwrap().contains("SET GLOBAL userstat = 1"), "{json}");
            database.run("SET GLOBAL userstat = 1").await;
        }
        database.run("SELECT id FROM a FORCE INDEX (a_d_more) WHERE d = 'y' AND b = 1").await;
        let told = folder.run(&["advise", "--store", &url]).succeeds();
        assert!(!told.stderr.contains("not known"), "{}", told.stderr);
        assert!(told.stdout.contains("a (about 2 rows): the index a_b ("), "{}", told.stdout);
        assert!(told.stdout.contains("KiB) was not used in 0 days of counting; look again"), "{}", told.stdout);
        for used in ["the index a_d_more was", "the index a_d_more (", "the index d_a "] {
            assert!(!told.stdout.contains(used), "{used}: {}", told.stdout);
        }
        if database.product() == "MariaDB" {
            database.run("SET GLOBAL userstat = 0").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_index_on_text_is_one_that_the_server_makes() {
    on_each(MADE, |database| async move {
        let (url, folder) = (database.url(), Folder::new());
        let wanted = |outline: &str, columns: &str| {
            format!(
                r#"{{"outline":"{outline}","count":3,"total_ms":3000,"p99_ms":1000,"worst_ms":1200,"plan":[],
                     "indexes":[{{"table":"a","columns":[{columns}]}}]}}"#
            )
        };
        // Text of any length beside a number in descending order, and short text.
        let (one, other) = (r#"["e",false],["b",true]"#, r#"["b",false],["d",false]"#);
        let slow =
            format!("[{},{}]", wanted("a where e = ? order b desc", one), wanted("a where b = ? and d = ?", other));
        folder.write(".mainstay/slow.json", &slow);
        let written = folder.run(&["advise", "--store", &url, "--write", "--json"]).succeeds().json();
        let sql = folder.read(written["written"][0].as_str().unwrap());
        database.run(&sql).await;
        let left = folder.run(&["advise", "--store", &url]).succeeds().stdout;
        assert!(!left.contains("add an index"), "{sql}\n{left}");
    })
    .await;
}

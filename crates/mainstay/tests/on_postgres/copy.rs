//! `mainstay copy` from files to a server and back.

use serde_json::Value;

use crate::app::Database;
use crate::copies::{
    a_copy_that_was_killed_goes_on, chinook_goes_and_comes_back, retail_goes_and_comes_back,
    the_shop_goes_and_comes_back,
};
use crate::found_again::is_the_same_as_found;
use crate::support::Folder;

/// The rows of a table as JSON.
fn rows(folder: &Folder, store: &str, table: &str, order: &str) -> Value {
    let query = format!("order={order}");
    let arguments = ["export", table, "--format", "json", "--query", &query, "--store", store];
    serde_json::from_str(&folder.run(&arguments).succeeds().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_to_a_server_and_back() {
    let database = Database::new("").await;
    chinook_goes_and_comes_back(&database.url()).await;
    let is_copied = "DO $$ BEGIN IF to_regclass('\"Artist\"') IS NOT NULL THEN INSERT INTO \"Artist\" (\"Name\") VALUES ('Next'); END IF; END $$";
    database.run(is_copied).await;
    let folder = Folder::new();
    if std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook").exists() {
        let last = rows(&folder, &database.url(), "Artist", "ArtistId.desc&limit=1");
        assert_eq!(last[0]["ArtistId"], 276, "numbers go on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retail_data_goes_to_a_server_and_back() {
    retail_goes_and_comes_back(&Database::new("").await.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_ours_are_the_same_where_they_are_served_as_found() {
    is_the_same_as_found(&Database::new("").await.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_goes_to_a_server_and_back() {
    the_shop_goes_and_comes_back(&Database::new("").await.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_a_server_that_was_killed_goes_on() {
    a_copy_that_was_killed_goes_on(&Database::new("").await.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_has_that_a_file_does_not_is_told() {
    let made = "CREATE TABLE kinds (id serial PRIMARY KEY, net inet, size numeric, at timestamp, f float8, \
                  day date DEFAULT current_date);
                CREATE VIEW few AS SELECT id, net FROM kinds;
                INSERT INTO kinds (net, size, at, f) VALUES ('10.0.0.1', 1.5, '2026-01-02 03:04:05', 0.5)";
    let (database, folder) = (Database::new(made).await, Folder::new());
    let url = database.url();
    let arguments = ["copy", "--from", &url, "--to", "sqlite:kinds.db"];
    let copied = folder.run(&arguments).succeeds();
    for expected in [
        "kinds.net (inet) becomes text, as it is shown",
        "kinds.size (numeric) becomes text",
        "kinds.at (timestamp without time zone) becomes text",
        "the default of kinds.day is not carried over",
        "the view few is not carried over",
    ] {
        assert!(copied.stderr.contains(expected), "{expected}: {}", copied.stderr);
    }
    assert_eq!(rows(&folder, "sqlite:kinds.db", "kinds", "id")[0]["at"], "2026-01-02T03:04:05");
    let file = rusqlite::Connection::open(folder.file("kinds.db")).unwrap();
    file.execute_batch("INSERT INTO kinds (net) VALUES ('x')").unwrap();
    assert_eq!(file.last_insert_rowid(), 2, "numbers go on");
    drop(file);
    std::fs::remove_file(folder.file("kinds.db")).unwrap();
    database.run("INSERT INTO kinds (f, day) VALUES ('NaN', 'infinity')").await;
    let refused = folder.run(&arguments).exits(2).stderr;
    assert!(refused.contains("kinds.f holds float, and 1 values are not"), "{refused}");
    assert!(refused.contains("kinds.day holds date, and 1 values are not"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_knows_the_tables_once_they_are_copied() {
    let (database, folder) = (Database::new("").await, Folder::new());
    let made = "CREATE TABLE one (id INTEGER PRIMARY KEY); INSERT INTO one VALUES (1), (2); CREATE TABLE none (id INTEGER PRIMARY KEY)";
    rusqlite::Connection::open(folder.file("few.db")).unwrap().execute_batch(made).unwrap();
    let url = database.url();
    let told = folder.run(&["copy", "--from", "sqlite:few.db", "--to", &url, "--json"]).succeeds().json();
    assert_eq!(told["equal"], true, "{told}");
    let are_counted = "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_class WHERE relname IN ('one', 'none')
                         AND relkind = 'r' AND reltuples >= 0) = 2; END $$";
    database.run(are_counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_can_be_written_to_is_a_view() {
    let made = "CREATE TABLE makers (id int PRIMARY KEY, name text);
                CREATE TABLE toys (id int PRIMARY KEY, maker int REFERENCES makers);
                CREATE VIEW names AS SELECT id, name FROM makers";
    let (database, folder) = (Database::new(made).await, Folder::new());
    let url = database.url();
    let told = folder.run(&["init", "shop", "--from", &url]).succeeds().stdout;
    assert!(told.contains("Found 2 tables and 1 views."), "{told}");
    let doctor = folder.run(&["doctor", "shop"]).env("DATABASE_URL", &url).succeeds().stdout;
    assert!(doctor.contains("2 tables, 1 views"), "{doctor}");
    // The view alone stays behind; what it shows goes along with all that refers to it.
    let notes = folder.run(&["copy", "--from", &url, "--to", "sqlite:toys.db"]).succeeds().stderr;
    assert!(notes.contains("the view names is not carried over"), "{notes}");
    assert!(!notes.contains("the reference"), "{notes}");
}

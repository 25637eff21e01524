//! `mainstay copy` from files to a server and back.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::app::Database;
use crate::shop;
use crate::support::Folder;

/// The script of Chinook for SQLite; `None` where the data set is not beside the workspace.
fn chinook() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook_sqlite.sql.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut text).unwrap();
    Some(text.trim_start_matches('\u{feff}').to_owned())
}

/// The rows of a table as JSON.
fn rows(folder: &Folder, store: &str, table: &str, order: &str) -> Value {
    let query = format!("order={order}");
    let arguments = ["export", table, "--format", "json", "--query", &query, "--store", store];
    serde_json::from_str(&folder.run(&arguments).succeeds().stdout).unwrap()
}

/// Files of SQLite have no decimals: those that we make keep them as text, digit by digit, and tell who declares them.
fn as_found(mut rows: Value) -> Value {
    for row in rows.as_array_mut().unwrap() {
        for column in ["UnitPrice", "Total"] {
            let number = row.get(column).and_then(Value::as_str).map(|text| serde_json::from_str(text).unwrap());
            row.as_object_mut().unwrap().extend(number.map(|number: Value| (column.to_owned(), number)));
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_to_a_server_and_back() {
    let Some(script) = chinook() else {
        return eprintln!("not run: the Chinook database is not beside the workspace");
    };
    let (database, folder) = (Database::new("").await, Folder::new());
    let file = rusqlite::Connection::open(folder.file("chinook.db")).unwrap();
    file.execute_batch(&format!("PRAGMA synchronous = off; BEGIN; {script}; COMMIT;")).unwrap();
    let url = database.url();
    let there = folder.run(&["copy", "--from", "sqlite:chinook.db", "--to", &url]).succeeds();
    assert_eq!(there.stdout.matches("equal\n").count(), 11, "{}", there.stdout);
    assert!(there.stderr.contains("Invoice.InvoiceDate (DATETIME) becomes text"), "{}", there.stderr);
    assert!(!(there.stdout + &there.stderr).contains(":mainstay@"), "the password is nobody's business");
    let back = folder.run(&["copy", "--from", "env:SERVER", "--to", "sqlite:back.db"]).env("SERVER", &url).succeeds();
    assert_eq!(back.stdout.matches("equal\n").count(), 11, "{}", back.stdout);
    for (table, order) in [
        ("Track", "TrackId"),
        ("Invoice", "InvoiceId"),
        ("InvoiceLine", "InvoiceLineId"),
        ("Employee", "EmployeeId"),
        ("PlaylistTrack", "PlaylistId,TrackId"),
    ] {
        let first = rows(&folder, "sqlite:chinook.db", table, order);
        assert!(first.as_array().unwrap().len() >= 8);
        assert_eq!(rows(&folder, &url, table, order), first, "{table} on the server");
        assert_eq!(as_found(rows(&folder, "sqlite:back.db", table, order)), first, "{table} back in a file");
    }
    // References, indexes and numbers came along.
    let found = folder.run(&["doctor", "--json", "--store", &url]).succeeds().stdout;
    assert!(found.contains("ok"), "{found}");
    database.run("INSERT INTO \"Artist\" (\"Name\") VALUES ('Next')").await;
    assert_eq!(rows(&folder, &url, "Artist", "ArtistId.desc&limit=1")[0]["ArtistId"], 276);
    let file = rusqlite::Connection::open(folder.file("back.db")).unwrap();
    let references =
        "SELECT count(*) FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f WHERE s.type = 'table'";
    assert_eq!(file.query_row(references, [], |row| row.get::<_, i64>(0)).unwrap(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_goes_to_a_server_and_back() {
    let (database, shop) = (Database::new("").await, shop::folder());
    let path = shop.path().display().to_string();
    let folder = Folder::new();
    let run = |arguments: &[&str]| folder.run(arguments);
    run(&["migrate", "apply", &path]).succeeds();
    run(&["seed", &path]).succeeds();
    let url = database.url();
    run(&["copy", &path, "--to", &url]).succeeds();
    // The project goes on there as if it had been there always.
    let plan = run(&["migrate", "plan", &path]).env("DATABASE_URL", &url).succeeds().stdout;
    assert!(plan.starts_with("the database is as the schema says"), "{plan}");
    let other = folder.file("back.db").display().to_string();
    let here = format!("stores.main.url=sqlite:{other}");
    let back = run(&["copy", &path, "--from", &url, "--set", &here]).succeeds().stdout;
    assert!(back.contains("hold the same rows"), "{back}");
    for table in ["products", "orders", "order_lines", "reviews", "customers", "categories"] {
        let export = ["export", table, &path, "--format", "ndjson"];
        let first = run(&export).succeeds().stdout;
        assert!(first.lines().count() > 2);
        assert_eq!(run(&export).env("DATABASE_URL", &url).succeeds().stdout, first, "{table}");
        assert_eq!(run(&[&export[..], &["--set", &here]].concat()).succeeds().stdout, first, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_a_server_that_was_killed_goes_on() {
    const ROWS: u64 = 40_000;
    let (database, folder) = (Database::new("").await, Folder::new());
    let file = rusqlite::Connection::open(folder.file("big.db")).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE big (a TEXT, b INTEGER, c REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO big SELECT 'Größe ' || (i % 100), i, i * 0.5 FROM n"
    ))
    .unwrap();
    let url = database.url();
    let arguments = ["copy", "--from", "sqlite:big.db", "--to", &url, "--batch", "300"];
    let started = Instant::now();
    let mut kills = 0;
    for wait_ms in (150..).step_by(250) {
        let mut command = folder.run(&arguments).command;
        let mut process =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_millis(wait_ms);
        let mut status = None;
        while status.is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            status = process.try_wait().unwrap();
        }
        if let Some(status) = status {
            assert!(status.success() || status.code() == Some(2), "{status:?}");
            break;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        kills += 1;
        assert!(started.elapsed() < Duration::from_secs(300), "it comes to no end");
    }
    assert!(kills > 1, "at least two runs were cut off");
    let same = folder.run(&["copy", "--from", "sqlite:big.db", "--to", &url, "--verify", "--json"]).succeeds().json();
    assert_eq!(same["tables"][0]["target_rows"], ROWS);
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

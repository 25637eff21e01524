//! `mainstay copy` from a file to a server and back, and what both then answer.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::Api;
use crate::shop;
use crate::support::Folder;

/// The tables of Chinook, each with its key.
pub(crate) const TABLES: [(&str, &str); 11] = [
    ("Album", "AlbumId"),
    ("Artist", "ArtistId"),
    ("Customer", "CustomerId"),
    ("Employee", "EmployeeId"),
    ("Genre", "GenreId"),
    ("Invoice", "InvoiceId"),
    ("InvoiceLine", "InvoiceLineId"),
    ("MediaType", "MediaTypeId"),
    ("Playlist", "PlaylistId"),
    ("PlaylistTrack", "PlaylistId,TrackId"),
    ("Track", "TrackId"),
];

/// A file with the Chinook database; `None` where the data set is not beside the workspace.
pub(crate) fn chinook(folder: &Folder) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/chinook/chinook_sqlite.sql.gz");
    let mut script = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut script).unwrap();
    let script = script.trim_start_matches('\u{feff}');
    let file = rusqlite::Connection::open(folder.file("chinook.db")).unwrap();
    file.execute_batch(&format!("PRAGMA synchronous = off; BEGIN; {script}; COMMIT;")).unwrap();
    Some(format!("sqlite:{}", folder.file("chinook.db").display()))
}

/// Copies, and sees that every table is proved.
pub(crate) fn copy(folder: &Folder, from: &str, to: &str) -> String {
    let done = folder.run(&["copy", "--from", from, "--to", to]).succeeds();
    assert_eq!(done.stdout.matches("equal\n").count(), TABLES.len(), "{}", done.stdout);
    assert!(!(done.stdout + &done.stderr).contains(":mainstay@"), "the password is nobody's business");
    done.stderr
}

/// What the API of a database that was found answers for every table of Chinook.
pub(crate) async fn answers(url: &str) -> Vec<(&'static str, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::with(folder.path(), url, &[("limits", "page_rows_max", "100000")]).await;
    let mut answers = Vec::new();
    for (table, key) in TABLES {
        answers.push((table, api.json(&format!("{table}?order={key}")).await));
    }
    let rows: usize = answers.iter().map(|(_, rows)| rows.as_array().unwrap().len()).sum();
    assert_eq!(rows, 15_607, "{url}");
    answers
}

/// The first table whose rows are not the same.
#[track_caller]
pub(crate) fn are_equal(one: &[(&str, Value)], other: &[(&str, Value)], place: &str) {
    for ((table, here), (_, there)) in one.iter().zip(other) {
        let differs = here.as_array().unwrap().iter().zip(there.as_array().unwrap()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{table} {place}");
        assert!(here == there, "{table} {place}: not as many rows");
    }
}

/// Chinook from a file to an empty database and back, the same in every answer.
pub(crate) async fn chinook_goes_and_comes_back(url: &str) {
    let folder = Folder::new();
    let Some(file) = chinook(&folder) else {
        return eprintln!("not run: the Chinook database is not beside the workspace");
    };
    let told = copy(&folder, &file, url);
    assert!(told.contains("Invoice.InvoiceDate (DATETIME) becomes text"), "{told}");
    let first = answers(&file).await;
    are_equal(&first, &answers(url).await, "on the server");
    let back = format!("sqlite:{}", folder.file("back.db").display());
    copy(&folder, url, &back);
    are_equal(&first, &answers(&back).await, "back in a file");
    // References came along.
    let file = rusqlite::Connection::open(folder.file("back.db")).unwrap();
    let references =
        "SELECT count(*) FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f WHERE s.type = 'table'";
    assert_eq!(file.query_row(references, [], |row| row.get::<_, i64>(0)).unwrap(), 11);
}

/// The example shop from a file to an empty database and back, with all that its project declares.
pub(crate) async fn the_shop_goes_and_comes_back(url: &str) {
    let shop = shop::folder();
    let path = shop.path().display().to_string();
    let folder = Folder::new();
    let run = |arguments: &[&str]| folder.run(arguments);
    run(&["migrate", "apply", &path]).succeeds();
    run(&["seed", &path]).succeeds();
    run(&["copy", &path, "--to", url]).succeeds();
    // The project goes on there as if it had been there always.
    let plan = run(&["migrate", "plan", &path]).env("DATABASE_URL", url).succeeds().stdout;
    assert!(plan.starts_with("the database is as the schema says"), "{plan}");
    let other = folder.file("back.db").display().to_string();
    let here = format!("stores.main.url=sqlite:{other}");
    let back = run(&["copy", &path, "--from", url, "--set", &here]).succeeds().stdout;
    assert!(back.contains("hold the same rows"), "{back}");
    for table in ["products", "orders", "order_lines", "reviews", "customers", "categories"] {
        let export = ["export", table, &path, "--format", "ndjson"];
        let first = run(&export).succeeds().stdout;
        assert!(first.lines().count() > 2);
        assert_eq!(run(&export).env("DATABASE_URL", url).succeeds().stdout, first, "{table}");
        assert_eq!(run(&[&export[..], &["--set", &here]].concat()).succeeds().stdout, first, "{table}");
    }
}

/// The same copy again and again, killed a little later each time, until it comes to its end; gives how often it was killed.
pub(crate) fn killed_until_done(folder: &Folder, arguments: &[&str]) -> u32 {
    let started = Instant::now();
    let mut kills = 0;
    for wait_ms in (150..).step_by(250) {
        let mut command = folder.run(arguments).command;
        let mut process =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_millis(wait_ms);
        let mut status = None;
        while status.is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            status = process.try_wait().unwrap();
        }
        if let Some(status) = status {
            // It may have been killed between the last step and the proof before.
            assert!(status.success() || status.code() == Some(2), "{status:?}");
            break;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        kills += 1;
        assert!(started.elapsed() < Duration::from_secs(300), "it comes to no end");
    }
    kills
}

/// A large table from a file to an empty database, killed in between.
pub(crate) fn a_copy_that_was_killed_goes_on(url: &str) {
    const ROWS: u64 = 40_000;
    let folder = Folder::new();
    let file = rusqlite::Connection::open(folder.file("big.db")).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE big (a TEXT, b INTEGER, c REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO big SELECT 'Größe ' || (i % 100), i, i * 0.5 FROM n"
    ))
    .unwrap();
    let both = ["copy", "--from", "sqlite:big.db", "--to", url];
    let kills = killed_until_done(&folder, &[&both[..], &["--batch", "300"]].concat());
    assert!(kills > 1, "at least two runs were cut off");
    let same = folder.run(&[&both[..], &["--verify", "--json"]].concat()).succeeds().json();
    assert_eq!(same["tables"][0]["target_rows"], ROWS);
}

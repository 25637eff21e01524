//! `mainstay copy` from a file to a server and back, and what both then answer.

use std::io::Read;
use std::path::Path;

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

/// Rows of all of them.
pub(crate) const ROWS: usize = 15_607;
/// Tables of the retail data.
const RETAIL: [(&str, &str); 2] = [("events", "id"), ("items", "item_id")];
/// Events that are taken of it.
const EVENTS: usize = 5000;

/// The first events of the retail data from a file to an empty database and back, the same in every answer.
pub(crate) async fn retail_goes_and_comes_back(url: &str) {
    let folder = Folder::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/recommend/events.csv.gz");
    let Ok(file) = std::fs::File::open(path) else {
        return eprintln!("not run: the retail data is not beside the workspace");
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut connection = rusqlite::Connection::open(folder.file("retail.db")).unwrap();
    let made = "CREATE TABLE items (item_id TEXT PRIMARY KEY);
                CREATE TABLE events (id INTEGER PRIMARY KEY, ts DATETIME NOT NULL, invoice TEXT NOT NULL, user_id INT NOT NULL,
                  item_id TEXT NOT NULL REFERENCES items, quantity INT NOT NULL, unit_price NUMERIC(10,3) NOT NULL);
                CREATE INDEX by_user ON events (user_id, ts)";
    connection.execute_batch(made).unwrap();
    let transaction = connection.transaction().unwrap();
    for line in text.lines().skip(1).take(EVENTS) {
        let cells: Vec<&str> = line.split(',').collect();
        transaction.execute("INSERT OR IGNORE INTO items VALUES (?)", [cells[3]]).unwrap();
        let event =
            "INSERT INTO events (ts, invoice, user_id, item_id, quantity, unit_price) VALUES (?, ?, ?, ?, ?, ?)";
        transaction.execute(event, rusqlite::params_from_iter(cells)).unwrap();
    }
    let items: i64 = transaction.query_row("SELECT count(*) FROM items", [], |row| row.get(0)).unwrap();
    transaction.commit().unwrap();
    let rows = EVENTS + items.unsigned_abs() as usize;
    let [file, back] = ["retail.db", "back.db"].map(|name| format!("sqlite:{}", folder.file(name).display()));
    copy(&folder, &file, url, &RETAIL);
    copy(&folder, url, &back, &RETAIL);
    let first = answers(&file, &RETAIL, rows).await;
    are_equal(&first, &answers(url, &RETAIL, rows).await, "on the server");
    are_equal(&first, &answers(&back, &RETAIL, rows).await, "back in a file");
}

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

/// Tables, each with its key.
pub(crate) type Tables = [(&'static str, &'static str)];

/// Copies, and sees that every table is proved.
pub(crate) fn copy(folder: &Folder, from: &str, to: &str, tables: &Tables) -> String {
    let done = folder.run(&["copy", "--from", from, "--to", to]).succeeds();
    assert_eq!(done.stdout.matches("equal\n").count(), tables.len(), "{}", done.stdout);
    assert!(!(done.stdout + &done.stderr).contains(":mainstay@"), "the password is nobody's business");
    done.stderr
}

/// What the API of a database that was found answers for every table; so many rows in all.
pub(crate) async fn answers(url: &str, tables: &Tables, expected: usize) -> Vec<(&'static str, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::with(folder.path(), url, &[("limits", "page_rows_max", "100000")]).await;
    let mut answers = Vec::new();
    for (table, key) in tables {
        let mut rows = api.json(&format!("{table}?order={key}")).await;
        // 165 and 165.0 are one number to JSON, and two to those who read it here.
        for value in rows.as_array_mut().unwrap().iter_mut().flat_map(|row| row.as_object_mut().unwrap().values_mut()) {
            if let Some(number) = value.as_f64() {
                *value = number.into();
            }
        }
        answers.push((*table, rows));
    }
    let rows: usize = answers.iter().map(|(_, rows)| rows.as_array().unwrap().len()).sum();
    assert_eq!(rows, expected, "{url}");
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
    let told = copy(&folder, &file, url, &TABLES);
    assert!(told.contains("Invoice.InvoiceDate (DATETIME) becomes text"), "{told}");
    let first = answers(&file, &TABLES, ROWS).await;
    are_equal(&first, &answers(url, &TABLES, ROWS).await, "on the server");
    let back = format!("sqlite:{}", folder.file("back.db").display());
    copy(&folder, url, &back, &TABLES);
    are_equal(&first, &answers(&back, &TABLES, ROWS).await, "back in a file");
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

/// A large table from a file to an empty database, killed in between.
pub(crate) fn a_copy_that_was_killed_goes_on(url: &str) {
    const BIG_ROWS: u64 = 40_000;
    let folder = Folder::new();
    let file = rusqlite::Connection::open(folder.file("big.db")).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE big (a TEXT, b INTEGER, c REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {BIG_ROWS})
         INSERT INTO big SELECT 'Größe ' || (i % 100), i, i * 0.5 FROM n"
    ))
    .unwrap();
    let both = ["copy", "--from", "sqlite:big.db", "--to", url];
    let kills = folder.killed_until_done(&[&both[..], &["--batch", "300"]].concat());
    assert!(kills > 1, "at least two runs were cut off");
    let same = folder.run(&[&both[..], &["--verify", "--json"]].concat()).succeeds().json();
    assert_eq!(same["tables"][0]["target_rows"], BIG_ROWS);
}

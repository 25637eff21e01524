//! `mainstay copy` between files; on servers it is tested with them.

use rusqlite::Connection;

use crate::found_again::is_the_same_as_found;
use crate::support::Folder;

/// Tables that refer to each other in a circle and to themselves, and values of every type.
const STAFF: &str = r#"
[shops.fields]
id      = { type = "int", primary = true, default = "sequence" }
name    = { type = "text", unique = true }
manager = { ref = "staff", optional = true }

[staff.fields]
id    = { type = "int", primary = true, default = "sequence" }
shop  = { ref = "shops" }
boss  = { ref = "staff", optional = true }
about = { type = "json", optional = true }
face  = { type = "bytes", optional = true }
pay   = { type = "decimal(10,2)", optional = true }
since = { type = "timestamp", default = "now" }
tags  = { type = "text[]", optional = true }
[staff.indexes]
by_shop = ["shop", "since desc"]
words = { fulltext = ["note"] }
[staff.fields.note]
type = "text"
optional = true

[shifts]
primary = ["staff", "day"]
[shifts.fields]
staff = { ref = "staff", on_delete = "cascade" }
day   = { type = "date" }
hours = { type = "float" }
"#;

fn staff() -> Folder {
    let folder = Folder::project("", STAFF);
    folder.run(&["migrate", "apply"]).succeeds();
    let rows = r#"
        PRAGMA foreign_keys = off;
        INSERT INTO shops VALUES (1, 'North "A"', 20), (2, 'Süd', NULL);
        INSERT INTO staff (id, shop, boss, about, face, pay, since, tags, note) VALUES
          (10, 1, 20, '{"b":1.50,"a":[null]}', x'00ff', '12.50', '2026-01-02T03:04:05.5+00:00', '["a","b c"]', 'keys'),
          (20, 2, NULL, NULL, NULL, NULL, '2026-01-02T03:04:05+00:00', NULL, '');
        INSERT INTO shifts VALUES (10, '2026-01-02', 7.25), (20, '2026-01-02', 8.0);
    "#;
    Connection::open(folder.file(".mainstay/main.db")).unwrap().execute_batch(rows).unwrap();
    folder
}

#[test]
fn a_project_goes_into_another_database_and_is_served_from_there() {
    let folder = staff();
    let dry = folder.run(&["copy", "--to", "sqlite:other.db", "--dry-run"]).succeeds().stdout;
    assert!(dry.contains("staff: 2 rows") && dry.contains("nothing was written"), "{dry}");
    assert!(!folder.file("other.db").exists(), "a dry run makes nothing");

    let copied = folder.run(&["copy", "--to", "sqlite:other.db", "--json"]).succeeds().json();
    assert_eq!((copied["equal"].as_bool(), copied["tables"].as_array().unwrap().len()), (Some(true), 3));
    assert_eq!(copied["tables"][0]["hash"].as_str().unwrap().len(), 64);
    let other = ["--set", "stores.main.url=sqlite:other.db"];
    let status = folder.run(&[&["migrate", "plan"], &other[..]].concat()).succeeds().stdout;
    assert_eq!(status, "the database is as the schema says\n");
    for table in ["shops", "staff", "shifts"] {
        let export = ["export", table, "--format", "ndjson"];
        let (here, there) = (folder.run(&export), folder.run(&[&export, &other[..]].concat()));
        // Whoever wrote the rows may have written JSON in a form of its own; it stands for the same.
        let rows = |text: &str| -> Vec<serde_json::Value> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let here = rows(&here.succeeds().stdout);
        assert_eq!(rows(&there.succeeds().stdout), here);
        assert_eq!(here.len(), 2);
    }
    let connection = Connection::open(folder.file("other.db")).unwrap();
    let broken: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(broken, 0);
    let names = "SELECT group_concat(name) FROM sqlite_schema WHERE name LIKE '%copy%'";
    assert_eq!(
        connection.query_row(names, [], |row| row.get::<_, Option<String>>(0)).unwrap(),
        None,
        "nothing is left"
    );
    let counted = "SELECT count(DISTINCT tbl) FROM sqlite_stat1 WHERE tbl IN ('shops', 'staff', 'shifts')";
    let counted: i64 = connection.query_row(counted, [], |row| row.get(0)).unwrap();
    assert_eq!(counted, 3, "the planner knows the tables");
    // The next number goes on after those that came along, and the words of rows are found.
    connection.execute_batch("INSERT INTO shops (name) VALUES ('East')").unwrap();
    assert_eq!(connection.last_insert_rowid(), 3);
}

#[test]
fn a_target_with_rows_is_refused_and_can_be_compared() {
    let folder = staff();
    folder.run(&["copy", "--to", "sqlite:other.db"]).succeeds();
    let refused = folder.run(&["copy", "--to", "sqlite:other.db"]).exits(2).stderr;
    assert!(refused.contains("other.db is not empty: ") && refused.contains("--verify"), "{refused}");
    let same = folder.run(&["copy", "--to", "sqlite:other.db", "--verify"]).succeeds().stdout;
    assert!(same.contains("hold the same rows"), "{same}");
    let connection = Connection::open(folder.file("other.db")).unwrap();
    connection.execute_batch("UPDATE shifts SET hours = 9 WHERE staff = 20").unwrap();
    let differs = folder.run(&["copy", "--to", "sqlite:other.db", "--verify"]).exits(1);
    assert!(differs.stdout.contains("NOT EQUAL to 2 rows"), "{}", differs.stdout);
    assert_eq!(differs.stdout.matches("equal\n").count(), 2, "{}", differs.stdout);
    let json = folder.run(&["copy", "--to", "sqlite:other.db", "--verify", "--json"]).exits(1).json();
    assert_eq!(json["equal"], false);

    Connection::open(folder.file("theirs.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let refused = folder.run(&["copy", "--to", "sqlite:theirs.db"]).exits(2).stderr;
    assert!(refused.contains("tables of another program (t)"), "{refused}");
    for (arguments, expected) in [
        (&["copy"][..], "give --from, --to or both"),
        (&["copy", "--to", "sqlite:.mainstay/../.mainstay/main.db"], "both ends are"),
        (&["copy", "--to", "other.db"], "--to has no scheme"),
        (&["copy", "--to", "env:NOWHERE"], "--to: the environment variable NOWHERE is not set"),
        (&["copy", "--to", "sqlite:new.db", "--only", "staf"], "did you mean \"staff\"?"),
        (&["copy", "--to", "sqlite:new.db", "--except", "shops,staff,shifts"], "there is no table to copy"),
    ] {
        let refused = folder.run(arguments).exits(2).stderr;
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
        assert!(!folder.file("new.db").exists());
    }
}

#[test]
fn tables_are_chosen_and_come_one_after_the_other() {
    let folder = staff();
    let first = folder.run(&["copy", "--to", "sqlite:other.db", "--only", "shops"]).succeeds();
    assert!(first.stderr.contains("the reference shops_manager_fkey of shops is not carried over"), "{}", first.stderr);
    let rest = folder.run(&["copy", "--to", "sqlite:other.db", "--except", "shops"]).succeeds();
    assert!(rest.stdout.contains("shifts") && !rest.stdout.contains("shops "), "{}", rest.stdout);
    let connection = Connection::open(folder.file("other.db")).unwrap();
    let parents = "SELECT group_concat(\"table\") FROM pragma_foreign_key_list('staff')";
    let parents: String = connection.query_row(parents, [], |row| row.get(0)).unwrap();
    assert!(parents.contains("shops") && parents.contains("staff"), "{parents}");
}

#[test]
fn rows_come_into_the_tables_that_a_project_declares() {
    let folder = Folder::project(
        "",
        "[t.fields]\nid = { type = \"int\", primary = true }\nday = \"date\"\nok = \"bool\"\nmore = { type = \"text\", default = \"x\" }\n",
    );
    let theirs = Connection::open(folder.file("theirs.db")).unwrap();
    theirs
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE, ok INTEGER); INSERT INTO t VALUES (1, '2026-01-02', 1), (2, 'never', 5)")
        .unwrap();
    let refused = folder.run(&["copy", "--from", "sqlite:theirs.db"]).exits(2).stderr;
    assert!(refused.contains("t.day holds date, and 1 values are not: the first is text"), "{refused}");
    assert!(refused.contains("t.ok holds bool, and 1 values are not: the first is a whole number"), "{refused}");
    assert!(!refused.contains("never"), "values are nobody's business: {refused}");
    theirs.execute_batch("UPDATE t SET day = '2026-01-03', ok = 0 WHERE id = 2").unwrap();
    folder.run(&["copy", "--from", "sqlite:theirs.db"]).succeeds();
    assert_eq!(
        folder.run(&["export", "t"]).succeeds().stdout,
        "id,day,ok,more\n1,2026-01-02,true,x\n2,2026-01-03,false,x\n"
    );
    theirs.execute_batch("CREATE TABLE u (id INTEGER PRIMARY KEY)").unwrap();
    let refused = folder.run(&["copy", "--from", "sqlite:theirs.db", "--verify"]).exits(2).stderr;
    assert!(refused.contains("schema/ declares no table u"), "{refused}");
    folder.run(&["copy", "--from", "sqlite:theirs.db", "--verify", "--only", "t"]).succeeds();
}

#[test]
fn what_a_found_table_loses_is_told_before_anything_is_written() {
    let folder = Folder::new();
    let theirs = Connection::open(folder.file("theirs.db")).unwrap();
    theirs
        .execute_batch(
            "CREATE TABLE \"Odd name\" (\"Id\" INTEGER PRIMARY KEY, made DATETIME DEFAULT (datetime('now')), size INT,
               double INT AS (size * 2));
             CREATE TABLE bare (a TEXT, b REAL);
             CREATE VIEW v AS SELECT 1 AS x;
             CREATE TRIGGER tr AFTER INSERT ON bare BEGIN SELECT 1; END;
             INSERT INTO \"Odd name\" (\"Id\", made, size) VALUES (7, '2026-01-01 10:00:00', 3);
             INSERT INTO bare VALUES ('x', 1.5), ('x', 1.5), (NULL, NULL);",
        )
        .unwrap();
    let both = ["copy", "--from", "sqlite:theirs.db", "--to", "sqlite:ours.db"];
    let dry = folder.run(&[&both[..], &["--dry-run"]].concat()).succeeds().stderr;
    for expected in [
        "Odd name.made (DATETIME) becomes text",
        "the default of Odd name.made is not carried over",
        "Odd name.double is computed there",
        "the triggers of bare are not carried over",
        "the view v is not carried over",
    ] {
        assert!(dry.contains(expected), "{expected}: {dry}");
    }
    // Rows without a key come along, equal ones as often as they are there.
    let copied = folder.run(&[&both[..], &["--json"]].concat()).succeeds().json();
    let bare = copied["tables"].as_array().unwrap().iter().find(|table| table["table"] == "bare").unwrap();
    assert_eq!((&bare["rows"], &bare["target_rows"]), (&3.into(), &3.into()));
    let export = ["export", "Odd name", "--store", "sqlite:ours.db"];
    assert_eq!(folder.run(&export).succeeds().stdout, "Id,made,size,double\n7,2026-01-01 10:00:00,3,6\n");

    theirs.execute_batch("INSERT INTO bare VALUES (x'00', 'words')").unwrap();
    std::fs::remove_file(folder.file("ours.db")).unwrap();
    let refused = folder.run(&both).exits(2).stderr;
    assert!(refused.contains("bare.a holds text, and 1 values are not: the first is octets"), "{refused}");
    assert!(refused.contains("bare.b holds float, and 1 values are not: the first is text"), "{refused}");
    assert!(!folder.file("ours.db").exists());
}

#[test]
fn a_copy_that_was_killed_goes_on_where_it_stopped() {
    const ROWS: u64 = 60_000;
    let folder = Folder::project(
        "",
        "[a.fields]\nid = { type = \"int\", primary = true, default = \"sequence\" }\nwords = \"text\"\nnext = { ref = \"a\", optional = true }\n\
         [a.indexes]\nby_words = [\"words\"]\n[b.fields]\nid = { type = \"int\", primary = true }\na = { ref = \"a\" }\n",
    );
    folder.run(&["migrate", "apply"]).succeeds();
    let rows = format!(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO a SELECT i, 'words of row ' || i, {ROWS} + 1 - i FROM n;
         INSERT INTO b SELECT id, id FROM a"
    );
    let source = Connection::open(folder.file(".mainstay/main.db")).unwrap();
    source.execute_batch(&format!("PRAGMA foreign_keys = off; {rows}")).unwrap();
    let kills = folder.killed_until_done(&["copy", "--to", "sqlite:other.db", "--batch", "500"]);
    assert!(kills > 1, "at least two runs were cut off");
    let same = folder.run(&["copy", "--to", "sqlite:other.db", "--verify", "--json"]).succeeds().json();
    assert_eq!(same["tables"][0]["target_rows"], ROWS);
    let other = Connection::open(folder.file("other.db")).unwrap();
    let count = |sql: &str| other.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_list('a')"), 1, "the circle is closed in the end");
    assert_eq!(count("SELECT count(*) FROM pragma_index_list('a')"), 1);
}

#[test]
fn an_unfinished_copy_is_told_from_others_and_can_be_undone() {
    let folder = staff();
    let theirs = Connection::open(folder.file("theirs.db")).unwrap();
    // The second row is refused once rows are written: it refers to nothing.
    theirs
        .execute_batch(
            "PRAGMA foreign_keys = off;
             CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INT REFERENCES p);
             INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 9)",
        )
        .unwrap();
    let both = ["copy", "--from", "sqlite:theirs.db", "--to", "sqlite:ours.db"];
    let failed = folder.run(&both).exits(1).stderr;
    assert!(failed.contains("c: the row that it refers to is not there"), "{failed}");
    let other = folder.run(&["copy", "--to", "sqlite:ours.db"]).exits(2).stderr;
    assert!(other.contains("holds the beginning of another copy"), "{other}");
    let from = folder.run(&["copy", "--from", "sqlite:ours.db", "--to", "sqlite:x.db"]).exits(2).stderr;
    assert!(from.contains("holds a copy that is not finished"), "{from}");
    let verify = folder.run(&[&both[..], &["--verify"]].concat()).exits(2).stderr;
    assert!(verify.contains("a copy that is not finished"), "{verify}");
    theirs.execute_batch("INSERT INTO p VALUES (9)").unwrap();
    // What is done is not done again: the new row has a key before those that are there.
    theirs.execute_batch("INSERT INTO p VALUES (0)").unwrap();
    let differs = folder.run(&both).exits(1);
    assert!(
        differs.stderr.contains("c: ") || differs.stdout.contains("NOT EQUAL"),
        "{} {}",
        differs.stdout,
        differs.stderr
    );
    folder.run(&[&both[..], &["--restart"]].concat()).succeeds();
}

#[test]
fn a_file_of_ours_is_the_same_where_it_is_served_as_found() {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.file("other.db").display());
    is_the_same_as_found(&url);
    // What others added is as they declared it.
    let other = Connection::open(folder.file("other.db")).unwrap();
    other
        .execute_batch("CREATE TABLE theirs (id INTEGER PRIMARY KEY, n DECIMAL(10,2), t TEXT); INSERT INTO theirs VALUES (1, 1.5, '1.5')")
        .unwrap();
    for (query, expected) in [("n=eq.1.50", 1), ("n=gt.1.5", 0), ("t=eq.1.50", 0)] {
        let rows = folder.run(&["export", "theirs", "--format", "json", "--query", query, "--store", &url]);
        let rows = rows.succeeds().json();
        assert_eq!(rows.as_array().unwrap().len(), expected, "{query}");
        assert!(rows.as_array().unwrap().iter().all(|row| row["n"] == 1.5 && row["t"] == "1.5"), "{rows}");
    }
}

//! A database of another program, served by one command in an empty folder.

use rusqlite::Connection;

use crate::support::Folder;

fn database(folder: &Folder) {
    let connection = Connection::open(folder.file("shop.db")).unwrap();
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')").unwrap();
}

#[test]
fn an_empty_folder_and_the_url_of_a_database_are_enough() {
    for (arguments, url) in [
        (&["serve", "--set", "server.port=0"][..], Some("sqlite:shop.db")),
        (&["serve", "--set", "server.port=0", "--store", "sqlite:shop.db"][..], None),
    ] {
        let folder = Folder::new();
        database(&folder);
        let mut command = folder.run(arguments);
        if let Some(url) = url {
            command = command.env("DATABASE_URL", url);
        } else {
            // For the keys, which are asked for without the option.
            folder.write("mainstay.toml", "");
        }
        folder.write(".env", url.map_or("", |_| "DATABASE_URL=sqlite:shop.db\n"));
        let server = command.serves(&folder, "listening on");
        assert_eq!(server.get("/rest/v1/t").body, r#"[{"id":1,"a":"x"}]"#);
        assert_eq!(server.request("POST", "/rest/v1/t", r#"{"a":"y"}"#).status, 201);
        Connection::open(folder.file("shop.db")).unwrap().execute_batch("ALTER TABLE t RENAME COLUMN a TO b").unwrap();
        assert_eq!(server.get("/rest/v1/t").body, r#"[{"id":1,"b":"x"},{"id":2,"b":"y"}]"#);
        assert_eq!(server.terminate(), Some(0));
        let tables = "SELECT group_concat(name) FROM sqlite_schema";
        let names: String =
            Connection::open(folder.file("shop.db")).unwrap().query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(names, "t");
    }
}

#[test]
fn a_wrong_setting_is_told_of_where_there_is_nothing_but_a_database() {
    let folder = Folder::new();
    database(&folder);
    let serve = ["serve", "--store", "sqlite:shop.db", "--set", "limits.handler_time=60s"];
    let told = folder.run(&serve).exits(2).stderr;
    assert!(told.contains("limits.handler_time") && !told.contains("no project"), "{told}");
}

#[test]
fn a_project_is_made_over_a_database_that_is_there() {
    let folder = Folder::new();
    for missing in [&["init", "music", "--from", "shop.db"][..], &["init", "music", "--from", "."]] {
        let refused = folder.run(missing).exits(2);
        assert!(refused.stderr.contains("there is no such file"), "{}", refused.stderr);
    }
    folder.write(
        "text.db",
        "no database, and longer than the head of one would be: a hundred octets and some more of it",
    );
    let refused = folder.run(&["init", "music", "--from", "text.db"]).exits(2);
    assert!(refused.stderr.contains("text.db: this is no SQLite database"), "{}", refused.stderr);
    assert!(!folder.file("music").exists(), "a refusal makes nothing");

    let connection = Connection::open(folder.file("shop.db")).unwrap();
    let hostile =
        "CREATE TABLE \"a.b \"\"c\nd\" (x); INSERT INTO \"a.b \"\"c\nd\" VALUES (1); CREATE VIEW v AS SELECT 2 AS y";
    connection.execute_batch(hostile).unwrap();
    drop(connection);
    let made = folder.run(&["init", "music", "--from", "shop.db"]).succeeds().stdout;
    assert!(made.contains("Found 1 tables and 1 views."), "{made}");
    let export = folder.run(&["export", "a.b \"c\nd", "music"]).succeeds();
    assert_eq!(export.stdout, "x\n1\n");
    // The remarks of the schema file are names that the schema takes.
    let tables = folder.read("music/schema/music.toml");
    let (_, uncovered) = tables.split_once("was made:\n").unwrap();
    let uncovered = uncovered.replace("# [", "[").replace("# read", "read");
    folder.write("music/schema/music.toml", &uncovered);
    let described = folder.run(&["openapi", "music", "--role", "anon"]).succeeds().stdout;
    assert!(described.contains(r#""a.b \"c\nd""#) && described.contains("list_v"), "{described}");
    // A database inside the project is named so that both can be moved.
    folder.run(&["init", "--from", "shop.db"]).succeeds();
    assert!(folder.read("mainstay.toml").contains("\nurl = \"sqlite:shop.db\"\n"));
}

#[test]
fn every_command_takes_the_database_by_its_url() {
    let folder = Folder::new();
    database(&folder);
    let store = ["--store", "sqlite:shop.db"];
    assert_eq!(folder.run(&[&["export", "t"], &store[..]].concat()).succeeds().stdout, "id,a\n1,x\n");
    let keys = folder.run(&[&["keys"], &store[..]].concat()).succeeds().stdout;
    assert!(keys.starts_with("MAINSTAY_PUBLISHABLE_KEY="), "{keys}");
    let types = folder.run(&[&["types", "--lang", "go"], &store[..]].concat()).succeeds().stdout;
    assert!(types.contains("type T struct"), "{types}");
    let wrong = folder.run(&["keys", "--store", "shop.db"]).exits(2);
    assert!(wrong.stderr.contains("has no scheme; write sqlite:FILE"), "{}", wrong.stderr);
    let missing = folder.run(&["keys", "--store", "sqlite:none.db"]).exits(2);
    assert!(missing.stderr.contains("none.db:1:1: there is no such database"), "{}", missing.stderr);
    let refused = folder.run(&["init", "x", "--store", "sqlite:shop.db"]).exits(2);
    assert!(refused.stderr.contains("--from FILE"), "{}", refused.stderr);
}

#[test]
fn commands_that_would_change_its_tables_are_refused() {
    let folder = Folder::project("[stores.main]\nurl = \"sqlite:shop.db\"\nintrospect = true\n", "");
    let missing = folder.run(&["doctor"]).exits(2);
    assert!(missing.stderr.contains("there is no such database"), "{}", missing.stderr);
    database(&folder);
    for arguments in [&["migrate", "plan"][..], &["migrate", "apply"], &["migrate", "status"], &["migrate", "new"]] {
        let refused = folder.run(arguments).exits(2);
        assert!(refused.stderr.contains("another program"), "{}", refused.stderr);
    }
    assert_eq!(folder.run(&["export", "t"]).succeeds().stdout, "id,a\n1,x\n");
    let doctor = folder.run(&["doctor", "--set", "server.port=0"]).succeeds().stdout;
    assert!(doctor.contains("tables: all are served") && doctor.contains("journal: rollback"), "{doctor}");
    folder.run(&["backup", "copy.db"]).succeeds();
    Connection::open(folder.file("shop.db")).unwrap().execute_batch("DELETE FROM t").unwrap();
    folder.run(&["restore", "copy.db"]).succeeds();
    assert_eq!(folder.run(&["export", "t"]).succeeds().stdout, "id,a\n1,x\n");
    // Access of found tables makes no sense for declared ones.
    folder.write("mainstay.toml", "[stores.main.access]\nread = true\n");
    let wrong = folder.run(&["doctor"]).exits(2);
    assert!(wrong.stderr.contains("[stores.main.access]"), "{}", wrong.stderr);
}

#[test]
fn an_import_into_its_tables_is_refused_with_another_way() {
    let folder = Folder::new();
    database(&folder);
    folder.write("t.csv", "id,a\n7,z\n");
    let run = |more: &[&str]| {
        let arguments = [&["import", "t", "t.csv", "--store", "sqlite:shop.db"], more].concat();
        folder.run(&arguments)
    };
    let refused = run(&[]).exits(2).stderr;
    assert!(refused.contains("…/rest/v1/t") && !refused.contains("panicked"), "{refused}");
    // What would be imported can still be looked at.
    assert!(run(&["--dry-run"]).succeeds().stdout.contains("1 of 1 records are right"));
}

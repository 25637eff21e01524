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

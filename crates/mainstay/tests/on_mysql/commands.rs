//! The real executable over a server: `dev`, migrations, and what is refused there.

use crate::app::{Database, on_each};
use crate::support::{Folder, Run};

const NOTES: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\ntext = { type = \"text\", optional = true }\n\
                     [notes.access]\nread = true\n";

fn with(run: Run, database: &Database) -> Run {
    run.env("DATABASE_URL", &database.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_changes_the_tables_and_is_written_down_as_a_migration() {
    on_each("", |database| async move {
        let folder = Folder::project("", NOTES);
        let run = |arguments: &[&str]| with(folder.run(arguments), &database);
        // Rows are put in at the first start.
        folder.write("seed/notes.csv", "id,text\n1,first\n");
        let mut dev = run(&["dev", "--listen", "127.0.0.1:0"]);
        dev.command.env("MAINSTAY_LOG_LEVEL", "warn");
        // The keys are asked for by a command without the database.
        let server = dev.serves(&folder, "API");
        assert_eq!(server.get("/rest/v1/notes").body, r#"[{"id":1,"text":"first"}]"#);
        folder.write(
            "schema/shop.toml",
            &NOTES.replace("[notes.access]", "stars = { type = \"int\", default = 3 }\n[notes.access]"),
        );
        server.comes_to("/rest/v1/notes", (200, r#"[{"id":1,"text":"first","stars":3}]"#));
        // What loses rows waits.
        folder.write("schema/shop.toml", &NOTES.replace("text = { type = \"text\", optional = true }\n", ""));
        server.waits_for("the tables stay as they are");
        assert_eq!(server.get("/rest/v1/notes?select=stars").body, r#"[{"stars":3}]"#);
        assert_eq!(server.terminate(), Some(0));

        let written = run(&["migrate", "new", "--name", "all"]).succeeds().stdout;
        assert!(written.contains("proven:"), "{written}");
        let refused = run(&["serve", "--listen", "127.0.0.1:0"]).exits(1).stderr;
        assert!(refused.contains("does not start from the tables that are there"), "{refused}");
        // From nothing it leads to the same tables, on the other kind of server as well.
        let other = database.other("").await;
        let apply = with(folder.run(&["migrate", "apply", "--yes"]), &other).succeeds().stdout;
        assert!(apply.contains("_all: applied"), "{apply}");
        let doctor = with(folder.run(&["doctor"]), &other).succeeds().stdout;
        assert!(doctor.contains("ok    tables: as the last migration left them"), "{doctor}");
        assert!(
            doctor.contains(if database.is_mariadb() { "answers (MariaDB 1" } else { "answers (MySQL " }),
            "{doctor}"
        );
        other.run("ALTER TABLE notes ADD COLUMN stolen text").await;
        let doctor = with(folder.run(&["doctor"]), &other).exits(1).stdout;
        assert!(doctor.contains("notes: column stolen is there and not in the schema"), "{doctor}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_on_files_only_says_so_and_what_else_there_is() {
    on_each("", |database| async move {
        let folder = Folder::project("", NOTES);
        let run = |arguments: &[&str]| with(folder.run(arguments), &database);
        for arguments in [["backup", "x.db"], ["restore", "x.db"]] {
            let refused = run(&arguments).exits(2).stderr;
            assert!(refused.contains("is MySQL or MariaDB") && refused.contains("mysql"), "{refused}");
        }
        let refused = run(&["serve", "--set", "backup.every=3600"]).exits(2).stderr;
        assert!(refused.contains("[backup] is for SQLite") && refused.contains("mariadb-dump"), "{refused}");

        // Rows in and out.
        folder.write("notes.csv", "id,text\n1,first\n2,\n");
        run(&["import", "notes", "notes.csv"]).succeeds();
        assert_eq!(run(&["export", "notes"]).succeeds().stdout, "id,text\n1,first\n2,\n");
        let explained = run(&["explain", "GET", "/rest/v1/notes?id=eq.1"]).succeeds().stdout;
        assert!(explained.contains("FROM `notes`"), "{explained}");
        let described = run(&["openapi"]).succeeds().stdout;
        assert!(described.contains("\"/notes\""), "{described}");
        // A project over what is there keeps the URL out of its files.
        let music = Folder::new();
        let made = music.run(&["init", "--from", &database.url()]).succeeds().stdout;
        assert!(made.contains("set DATABASE_URL"), "{made}");
        assert!(music.read("mainstay.toml").contains("url = \"env:DATABASE_URL\""));
        let types = with(music.run(&["types", "--lang", "typescript"]), &database).succeeds().stdout;
        assert!(types.contains("notes: {"), "{types}");
        let exported = Folder::new();
        let rows = exported.run(&["export", "notes", "--store", &database.url()]).succeeds().stdout;
        assert_eq!(rows, "id,text\n1,first\n2,\n");
    })
    .await;
}

#[test]
fn a_password_is_never_printed() {
    let folder = Folder::project("", NOTES);
    let url = "mysql://somebody:hunter2@127.0.0.1:1/shop?ssl-mode=disabled";
    let run = |arguments: &[&str]| folder.run(arguments).env("DATABASE_URL", url);
    for (arguments, code) in [
        (vec!["doctor"], 1),
        (vec!["doctor", "--json"], 1),
        (vec!["serve", "--listen", "127.0.0.1:0"], 1),
        (vec!["migrate", "apply"], 1),
        (vec!["export", "notes"], 1),
        (vec!["serve", "--set", "stores.main.introspect=true", "--listen", "127.0.0.1:0"], 2),
        (vec!["backup", "x.db"], 2),
    ] {
        let printed = run(&arguments).exits(code);
        let all = printed.stdout + &printed.stderr;
        assert!(!all.contains("hunter2") && !all.contains("somebody"), "{arguments:?}: {all}");
        assert!(all.contains("127.0.0.1:1/shop") || all.contains("onnect"), "{arguments:?}: {all}");
    }
    let wrong = folder.run(&["doctor"]).env("DATABASE_URL", &url.replace("disabled", "hunter3")).exits(2);
    assert!(wrong.stderr.contains("ssl-mode must be") && !wrong.stderr.contains("hunter"), "{}", wrong.stderr);
}

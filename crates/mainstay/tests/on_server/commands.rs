//! The real executable over a server: `dev`, migrations, and what is refused there.

use crate::app::{Database, on_each};
use crate::support::{Folder, Run};
use crate::words::WORDS;

/// What the program says of a kind of server.
pub(crate) struct Words {
    /// What it is called.
    pub(crate) product: &'static str,
    /// The program that backs it up, and the one that restores it.
    pub(crate) back_up: &'static str,
    pub(crate) restore: &'static str,
    /// A part of a statement that reads a note by its key.
    pub(crate) statement: &'static str,
    /// A URL at which nobody answers, with a login that nobody may see.
    pub(crate) url: &'static str,
    /// A part of it, what it is replaced by to make it wrong, and what is said then.
    pub(crate) wrong_mode: (&'static str, &'static str, &'static str),
}

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
        // From nothing it leads to the same tables.
        let other = database.other("").await;
        let apply = with(folder.run(&["migrate", "apply", "--yes"]), &other).succeeds().stdout;
        assert!(apply.contains("_all: applied"), "{apply}");
        let doctor = with(folder.run(&["doctor"]), &other).succeeds().stdout;
        assert!(doctor.contains("ok    tables: as the last migration left them"), "{doctor}");
        assert!(doctor.contains(&format!("answers ({} ", database.product())), "{doctor}");
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
        for (command, remedy) in [("backup", WORDS.back_up), ("restore", WORDS.restore)] {
            let refused = run(&[command, "x.db"]).exits(2).stderr;
            assert!(refused.contains(&format!("is {}", WORDS.product)) && refused.contains(remedy), "{refused}");
        }
        let refused = run(&["serve", "--set", "backup.every=3600"]).exits(2).stderr;
        assert!(refused.contains("[backup] is for SQLite") && refused.contains(WORDS.back_up), "{refused}");

        // Rows in and out.
        folder.write("notes.csv", "id,text\n1,first\n2,\n");
        run(&["import", "notes", "notes.csv"]).succeeds();
        assert_eq!(run(&["export", "notes"]).succeeds().stdout, "id,text\n1,first\n2,\n");
        let explained = run(&["explain", "GET", "/rest/v1/notes?id=eq.1"]).succeeds().stdout;
        assert!(explained.contains(WORDS.statement), "{explained}");
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
    let run = |arguments: &[&str]| folder.run(arguments).env("DATABASE_URL", WORDS.url);
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
    let (mode, wrong_mode, said) = WORDS.wrong_mode;
    let wrong = folder.run(&["doctor"]).env("DATABASE_URL", &WORDS.url.replace(mode, wrong_mode)).exits(2).stderr;
    assert!(wrong.contains("DATABASE_URL cannot be used") && wrong.contains(said), "{wrong}");
    assert!(!wrong.contains("hunter"), "{wrong}");
}

//! What the commands write, say and refuse.

use std::time::Duration;

use crate::support::Folder;

const OLD: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\ntext = \"text\"\nextra = { type = \"text\", optional = true }\n";
const RENAMED: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\nbody = { type = \"text\", was = \"text\" }\nextra = { type = \"text\", optional = true }\n";
const SMALLER: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\nbody = \"text\"\n";

/// Names of migrations have seconds.
fn next_second() {
    std::thread::sleep(Duration::from_millis(1100));
}

#[test]
fn a_schema_becomes_files_and_the_files_become_tables() {
    let folder = Folder::new(OLD);
    assert!(folder.ok(&["migrate", "plan"]).contains("CREATE TABLE \"notes\""));
    let said = folder.ok(&["migrate", "new"]);
    assert!(said.contains("proven:") && said.contains("create table notes"), "{said}");
    assert_eq!((folder.migrations("sql").len(), folder.migrations("json").len()), (1, 1));
    assert!(folder.fails(&["migrate", "new"]).contains("nothing changed"));
    assert!(folder.ok(&["migrate", "status"]).starts_with("pending"));
    assert!(folder.ok(&["migrate", "apply", "--dry-run"]).contains("create table notes"));
    assert!(folder.ok(&["migrate", "status"]).starts_with("pending"), "a dry run does nothing");
    assert!(folder.ok(&["migrate", "apply"]).contains("applied"));
    assert!(folder.ok(&["migrate", "status"]).starts_with("applied"));
    assert_eq!(folder.ok(&["migrate", "apply"]), "nothing is pending\n");
    assert_eq!(folder.ok(&["migrate", "plan"]), "the database is as the schema says\n");

    folder.write("notes.csv", "id,text,extra\n1,one,x\n");
    let file = folder.path("notes.csv");
    folder.ok(&["import", "notes", file.to_str().unwrap()]);
    next_second();
    folder.schema(RENAMED);
    assert!(folder.fails(&["export", "notes"]).contains("migrate apply"));
    folder.ok(&["migrate", "new", "--name", "Say body"]);
    assert!(folder.migrations("sql")[1].to_string_lossy().ends_with("_say_body.sql"));
    folder.ok(&["migrate", "apply"]);
    assert_eq!(folder.ok(&["export", "notes"]), "id,body,extra\n1,one,x\n", "a rename keeps the rows");
}

#[test]
fn each_store_tells_its_own_and_a_program_is_told_whose_it_is() {
    let folder = Folder::new(&format!("{OLD}\n[logs]\nstore = \"other\"\n\n[logs.fields]\ntext = \"text\"\n"));
    folder.write("mainstay.toml", "[stores.other]\nurl = \"sqlite:.mainstay/other.db\"\n");
    let told = |args: &[&str]| -> Vec<(String, String)> {
        let said = folder.ok(args);
        let values = serde_json::Deserializer::from_str(&said).into_iter::<serde_json::Value>();
        let objects = values.flat_map(|value| match value.unwrap() {
            serde_json::Value::Array(objects) => objects,
            object => vec![object],
        });
        objects.map(|object| (object["store"].as_str().unwrap().to_owned(), object.to_string())).collect()
    };
    for args in [
        ["--json", "migrate", "plan"].as_slice(),
        &["--json", "migrate", "new"],
        &["--json", "migrate", "status"],
        &["--json", "migrate", "apply", "--dry-run"],
        &["--json", "migrate", "apply"],
    ] {
        let told = told(args);
        let stores: Vec<&str> = told.iter().map(|(store, _)| store.as_str()).collect();
        assert_eq!(stores, ["main", "other"], "{args:?}: {told:?}");
    }
    let said = folder.ok(&["migrate", "status"]);
    assert!(said.contains("store main:\napplied") && said.contains("store other:\napplied"), "{said}");
}

#[test]
fn what_loses_data_says_so_and_wants_a_yes() {
    let folder = Folder::new(&RENAMED.replace(", was = \"text\"", ""));
    folder.ok(&["migrate", "new"]);
    folder.ok(&["migrate", "apply"]);
    folder.write("notes.csv", "id,body,extra\n1,one,x\n");
    folder.ok(&["import", "notes", folder.path("notes.csv").to_str().unwrap()]);
    next_second();
    folder.schema(SMALLER);
    let said = folder.ok(&["migrate", "new"]);
    assert!(said.contains("LOSS: ") && said.contains("extra"), "{said}");
    let text = std::fs::read_to_string(&folder.migrations("sql")[1]).unwrap();
    assert!(text.contains("-- What this DESTROYS:\n--   "), "{text}");
    let said = folder.fails(&["migrate", "apply"]);
    assert!(said.contains("LOSS: ") && said.contains("give --yes"), "{said}");
    assert!(folder.ok(&["migrate", "status"]).contains("pending"));
    folder.ok(&["migrate", "apply", "--yes"]);
    assert_eq!(folder.ok(&["export", "notes"]), "id,body\n1,one\n");
}

#[test]
fn a_file_that_was_edited_after_it_was_applied_is_told() {
    let folder = Folder::new(OLD);
    folder.ok(&["migrate", "new"]);
    folder.ok(&["migrate", "apply"]);
    let path = &folder.migrations("sql")[0];
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.clone() + "-- later\n").unwrap();
    let run = folder.run(&["migrate", "status"]);
    assert!(run.code == 1 && run.stdout.starts_with("EDITED"), "{run:?}");
    assert!(folder.fails(&["migrate", "apply"]).contains("was edited after it was applied"));
    std::fs::write(path, text).unwrap();
    folder.ok(&["migrate", "status"]);
    std::fs::remove_file(path.with_extension("json")).unwrap();
    assert!(folder.fails(&["migrate", "status"]).contains("is missing"));
}

#[test]
fn a_database_that_went_ahead_only_notes_the_files() {
    let folder = Folder::new(OLD);
    assert!(folder.ok(&["migrate", "apply"]).contains("create table notes"), "without files, directly");
    folder.ok(&["migrate", "new"]);
    assert!(folder.ok(&["migrate", "apply"]).contains("noted"));
    let states: serde_json::Value = serde_json::from_str(&folder.ok(&["migrate", "status", "--json"])).unwrap();
    let states: Vec<_> = states.as_array().unwrap().iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["applied", "without_file"]);
}

#[test]
fn a_file_for_other_tables_is_refused() {
    let folder = Folder::new(OLD);
    folder.ok(&["migrate", "apply"]);
    folder.schema(&OLD.replace("notes", "letters"));
    folder.ok(&["migrate", "new"]);
    let said = folder.fails(&["migrate", "apply", "--yes"]);
    assert!(said.contains("does not start from the tables that are there"), "{said}");
    assert!(folder.ok(&["migrate", "plan", "--json"]).contains("letters"));
}

#[test]
fn a_migration_that_fails_leaves_everything_as_it_was() {
    let folder = Folder::new(OLD);
    folder.ok(&["migrate", "new"]);
    folder.ok(&["migrate", "apply"]);
    folder.write("notes.csv", "id,text,extra\n1,one,x\n2,one,x\n");
    folder.ok(&["import", "notes", folder.path("notes.csv").to_str().unwrap()]);
    next_second();
    folder.schema(&OLD.replace("text = \"text\"", "text = { type = \"text\", unique = true }"));
    folder.ok(&["migrate", "new"]);
    let said = folder.fails(&["migrate", "apply", "--yes"]);
    assert!(said.contains("UNIQUE"), "{said}");
    assert!(folder.ok(&["migrate", "status"]).contains("pending"));
    folder.schema(OLD);
    assert_eq!(folder.ok(&["export", "notes", "--query", "order=id"]), "id,text,extra\n1,one,x\n2,one,x\n");
}

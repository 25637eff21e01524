//! Commands that look at a project and change nothing: `explain` and `doctor`.

use std::fs;

use crate::serve::{NOTES, serve};
use crate::support::Folder;

/// A project whose database was made, and is not being served.
fn made() -> Folder {
    let folder = Folder::project("", NOTES);
    serve(&folder).terminate();
    folder
}

/// What `doctor` says of one thing: its state and its remedy.
fn finding(folder: &Folder, what: &str, code: i32) -> (String, String) {
    let findings = folder.run(&["doctor", "--json", "--set", "server.port=0"]).exits(code).json();
    let findings = findings.as_array().unwrap().clone();
    let found = findings.iter().find(|finding| finding["what"] == what);
    let found = found.unwrap_or_else(|| panic!("nothing about {what} in {findings:?}"));
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("remedy"))
}

#[test]
fn a_request_is_explained_down_to_the_statement() {
    let folder = made();
    let path = "/rest/v1/notes?select=text&id=eq.1";
    let shown = folder.run(&["explain", "GET", path]).succeeds().stdout;
    for part in ["request", "authorized plan", "store", "SELECT", "notes"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let json = folder.run(&["explain", "GET", path, "--json"]).succeeds().json();
    assert!(json["statements"][0].as_str().unwrap().contains("SELECT"), "{json}");
    assert!(json["details"].as_array().is_some_and(|lines| !lines.is_empty()), "{json}");
}

#[test]
fn explaining_a_write_writes_nothing() {
    let folder = made();
    folder.write("row.json", r#"{"id":7,"text":"x"}"#);
    let shown = folder.run(&["explain", "post", "/rest/v1/notes", "--body", "row.json"]).succeeds().stdout;
    assert!(shown.contains("INSERT"), "{shown}");
    let put = folder.run(&["explain", "PUT", "/rest/v1/notes?id=eq.7", "--body", "row.json"]).succeeds().stdout;
    assert!(put.contains("ON CONFLICT"), "{put}");
    let server = serve(&folder);
    assert_eq!(server.get("/rest/v1/notes").body, "[]");
}

#[test]
fn a_request_that_would_be_refused_says_why() {
    let folder = made();
    let refused = |arguments: &[&str]| folder.run(&[&["explain"], arguments].concat()).exits(1).stderr;
    let unknown = refused(&["GET", "/rest/v1/notes?colour=eq.1"]);
    assert!(unknown.contains("column notes.colour does not exist"), "{unknown}");
    let denied = refused(&["DELETE", "/rest/v1/notes?id=eq.1", "--role", "anon"]);
    assert!(denied.contains("permission denied for table notes"), "{denied}");
    let elsewhere = refused(&["GET", "/nowhere"]);
    assert!(elsewhere.contains("Invalid path") && elsewhere.contains("Tables are at /rest/v1/"), "{elsewhere}");
    let near = refused(&["GET", "/rest/v1/notes?tex=eq.1"]);
    assert!(near.ends_with("; Perhaps you meant to reference the column \"notes.text\"\n"), "{near}");
    let near = folder.run(&["schema", "--xsd", "note"]).exits(2).stderr;
    assert!(near.contains("Perhaps you meant the table 'public.notes'"), "{near}");
    let near = folder.run(&["export", "notes", "--query", "tex=eq.1"]).exits(2).stderr;
    assert!(near.contains("Perhaps you meant to reference"), "{near}");
}

#[test]
fn without_a_database_there_is_nothing_to_explain() {
    let folder = Folder::project("", NOTES);
    let printed = folder.run(&["explain", "GET", "/rest/v1/notes"]).exits(1);
    assert!(printed.stderr.contains("there is no database"), "{}", printed.stderr);
    assert!(!folder.file(".mainstay").exists());
}

#[test]
fn a_sound_project_passes() {
    let folder = made();
    let printed = folder.run(&["doctor", "--set", "server.port=0"]).succeeds();
    assert!(printed.stdout.lines().all(|line| line.starts_with("ok ")), "{}", printed.stdout);
    let fresh = Folder::project("", NOTES);
    fresh.run(&["doctor", "--set", "server.port=0"]).succeeds();
    assert!(!fresh.file(".mainstay").exists(), "looking makes nothing");
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = made();
    let secrets = folder.file(".mainstay/secrets.toml");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    let (state, remedy) = finding(&folder, "secrets", 1);
    assert_eq!(state, "fail");
    assert!(remedy.starts_with("chmod 600 "), "{remedy}");
}

#[test]
fn state_that_git_would_take_along_is_found() {
    let folder = made();
    fs::create_dir(folder.file(".git")).unwrap();
    assert_eq!(finding(&folder, "version control", 1).0, "fail");
    folder.write(".gitignore", "/.mainstay/\n");
    assert_eq!(finding(&folder, "version control", 0).0, "ok");
}

#[test]
fn a_schema_that_went_ahead_is_found() {
    let folder = made();
    folder.write(
        "schema/shop.toml",
        &NOTES.replace("text = \"text\"", "text = \"text\"\nmore = { type = \"text\", optional = true }"),
    );
    let (state, remedy) = finding(&folder, "schema", 1);
    assert_eq!((state.as_str(), remedy.as_str()), ("fail", "look at them with `mainstay migrate plan`"));
}

#[test]
fn a_file_that_is_no_database_is_found() {
    let folder = made();
    fs::remove_file(folder.file(".mainstay/main.db-wal")).ok();
    folder.write(".mainstay/main.db", "rubbish, and enough of it to be no empty file\n");
    assert_eq!(finding(&folder, "database", 1).0, "fail");
}

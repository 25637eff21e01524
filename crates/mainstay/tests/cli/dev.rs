//! `mainstay dev`: the first start, and what happens when files are saved.

use std::fs;

use crate::serve::NOTES;
use crate::support::{Folder, Server};

fn dev(folder: &Folder) -> Server {
    folder.run(&["dev", "--listen", "127.0.0.1:0"]).serves(folder, "API")
}

#[test]
fn a_new_project_runs_with_its_first_rows() {
    let folder = Folder::new();
    folder.run(&["init"]).succeeds();
    let server = dev(&folder);
    let keys = server.waits_for("keys");
    assert_eq!(server.get("/_/api").status, 200, "the reference needs no key here");
    assert!(keys.contains("publishable ms_publishable_") && keys.contains("secret ms_secret_"), "{keys}");
    assert_eq!(
        server.get("/rest/v1/tasks?select=title,lists(name)&id=eq.3").body,
        r#"[{"title":"Buy milk","lists":{"name":"Groceries"}}]"#
    );
    server.request("DELETE", "/rest/v1/tasks?id=eq.3", "");
    assert_eq!(server.terminate(), Some(0));

    let server = dev(&folder);
    assert_eq!(server.get("/rest/v1/tasks?id=eq.3").body, "[]", "rows are put in on the first start only");
}

#[test]
fn a_saved_schema_is_served_at_once_and_a_bad_one_changes_nothing() {
    let folder = Folder::project("", NOTES);
    let server = dev(&folder);
    server.request("POST", "/rest/v1/notes", r#"{"id":1,"text":"bread"}"#);

    folder.write("schema/shop.toml", &NOTES.replace("text = \"text\"", "text = \"txt\""));
    server.waits_for("schema/shop.toml:3:");
    assert_eq!(server.get("/rest/v1/notes").body, r#"[{"id":1,"text":"bread"}]"#);

    folder.write("schema/shop.toml", &NOTES.replace("text = \"text\"", "text = \"text\"\nmore = \"text\""));
    let refused = server.waits_for("migration failed");
    assert_eq!(refused.matches("give it a default").count(), 1, "{refused}");
    server.waits_for("goes on with the tables as they are");

    let wider = NOTES.replace("text = \"text\"", "text = \"text\"\ndone = { type = \"bool\", default = false }");
    folder.write("schema/shop.toml", &wider);
    server.comes_to("/rest/v1/notes", (200, r#"[{"id":1,"text":"bread","done":false}]"#));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn what_would_lose_data_waits_for_a_yes() {
    let folder = Folder::project("", NOTES);
    let server = dev(&folder);
    server.request("POST", "/rest/v1/notes", r#"{"id":1,"text":"bread"}"#);
    folder.write("schema/shop.toml", &NOTES.replace("text = \"text\"\n", ""));
    server.waits_for("mainstay migrate");
    assert_eq!(server.get("/rest/v1/notes").body, r#"[{"id":1,"text":"bread"}]"#);
    // Taken back, so there is nothing to wait for any more.
    folder.write("schema/shop.toml", NOTES);
    server.waits_for("as the schema says");
    fs::remove_file(folder.file("schema/shop.toml")).unwrap();
    server.waits_for("mainstay migrate");
    assert_eq!(server.get("/rest/v1/notes").status, 200);
}

/// Functions follow their files as tables do.
#[test]
fn saved_functions_are_served_at_once_and_bad_ones_change_nothing() {
    let folder = Folder::project("", NOTES);
    let server = dev(&folder);
    assert_eq!(server.get("/rest/v1/rpc/longest").status, 404);
    let good = "--- returns = \"text\"\nSELECT text FROM notes ORDER BY length(text) DESC";
    fs::create_dir(folder.file("queries")).unwrap();
    folder.write("queries/longest.sql", good);
    server.comes_to("/rest/v1/rpc/longest", (200, "null"));
    server.request("POST", "/rest/v1/notes", r#"{"id":1,"text":"bread"}"#);

    folder.write("queries/longest.sql", &good.replace("FROM notes", "FROM nots"));
    server.waits_for("queries/longest.sql:2:18: no such table: nots");
    assert_eq!(server.get("/rest/v1/rpc/longest").body, r#""bread""#);

    // Neither does a table that the function needs go without a word.
    folder.write("queries/longest.sql", good);
    folder.write("schema/shop.toml", &NOTES.replace("text = \"text\"", "words = \"text\""));
    server.waits_for("no such column: text");
    assert_eq!(server.get("/rest/v1/rpc/longest").body, r#""bread""#);
    assert_eq!(server.terminate(), Some(0));
}

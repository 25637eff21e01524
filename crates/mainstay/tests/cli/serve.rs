//! Serving: what it says, what it answers, how it stops, and what it refuses to touch.

use std::net::TcpListener;

use crate::support::{Folder, Server};

pub(crate) const NOTES: &str =
    "[notes.fields]\nid = { type = \"int\", primary = true }\ntext = \"text\"\n\n[notes.access]\nread = true\n";

pub(crate) fn serve(folder: &Folder) -> Server {
    folder.run(&["serve", "--listen", "127.0.0.1:0"]).serves(folder, "listening on http://127.0.0.1:")
}

#[test]
fn it_answers_once_it_says_so_and_keeps_what_it_was_given() {
    let folder = Folder::project("", NOTES);
    let server = serve(&folder);
    assert_eq!(server.get("/health/ready").status, 200);
    let answer = server.request("POST", "/rest/v1/notes", r#"{"id":1,"text":"bread"}"#);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(server.get("/rest/v1/notes").body, r#"[{"id":1,"text":"bread"}]"#);
    assert_eq!(server.terminate(), Some(0));

    let server = serve(&folder);
    assert_eq!(server.get("/rest/v1/notes").body, r#"[{"id":1,"text":"bread"}]"#);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_schema_that_the_database_does_not_have_is_not_served() {
    let folder = Folder::project("", NOTES);
    serve(&folder).terminate();
    folder.write(
        "schema/shop.toml",
        &NOTES.replace("text = \"text\"", "text = \"text\"\ndone = { type = \"bool\", default = false }"),
    );
    let printed = folder.run(&["serve", "--listen", "127.0.0.1:0"]).exits(2);
    assert!(printed.stderr.contains("mainstay migrate plan"), "{}", printed.stderr);
    assert!(!printed.stdout.contains("listening"), "{}", printed.stdout);
}

#[test]
fn a_taken_port_is_a_failure() {
    let folder = Folder::project("", NOTES);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let printed = folder.run(&["serve", "--listen", &address]).exits(1);
    assert!(printed.stderr.contains(&format!("cannot listen on {address}")), "{}", printed.stderr);
    folder.run(&["serve", "--listen", "8080"]).exits(2);
}

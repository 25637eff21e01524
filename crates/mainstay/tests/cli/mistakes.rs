//! Mistakes made on purpose: each one says where it is, what is wrong, and what would be right.

use crate::support::Folder;

#[track_caller]
fn check(settings: &str, schema: &str, expected: &[&str]) {
    let folder = Folder::project(settings, schema);
    let printed = folder.run(&["serve", "--listen", "127.0.0.1:0"]).exits(2);
    assert_eq!(printed.stderr.lines().collect::<Vec<_>>(), expected);
    assert_eq!(printed.stdout, "");
    assert!(!folder.file(".mainstay").exists(), "a bad project leaves no state");
}

#[test]
fn settings() {
    check(
        "[server]\nprot = 80\nhost = 1\n",
        "",
        &[
            "mainstay.toml:2:1: there is no setting server.prot; did you mean port?",
            "mainstay.toml:3:8: server.host is a number; write a text",
        ],
    );
}

#[test]
fn settings_that_are_not_toml() {
    check(
        "[server\n",
        "",
        &["mainstay.toml:1:8: this is not TOML (unclosed table, expected `]`); see https://toml.io for its form"],
    );
}

#[test]
fn environment_file() {
    let folder = Folder::project("", "");
    folder.write(".env", "PORT 80\n");
    let printed = folder.run(&["keys"]).exits(2);
    assert_eq!(printed.stderr, ".env:1:1: this line assigns nothing; write NAME=value\n");
}

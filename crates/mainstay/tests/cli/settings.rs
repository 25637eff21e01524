//! Where settings come from, seen through the keys that a project has.

use crate::support::Folder;

const SECRET: &str = "MAINSTAY_SECRET_KEY";

fn secret(folder: &Folder, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut run = folder.run(&[&["keys", "--json"], arguments].concat());
    for (name, value) in environment {
        run = run.env(name, value);
    }
    run.succeeds().json()[SECRET].as_str().unwrap().to_owned()
}

#[test]
fn the_nearest_source_counts() {
    let folder = Folder::project("[keys]\nsecret = \"file:key.txt\"\n", "");
    folder.write("key.txt", "from-the-project-file\n");
    assert_eq!(secret(&folder, &[], &[]), "from-the-project-file");
    folder.write(".env", "MAINSTAY_SECRET_KEY='from-the-env-file'\n");
    assert_eq!(secret(&folder, &[], &[]), "from-the-env-file");
    let environment = [(SECRET, "from-the-environment")];
    assert_eq!(secret(&folder, &[], &environment), "from-the-environment");
    let environment = [environment[0], ("MAINSTAY_KEYS_SECRET", "from-the-longer-name")];
    assert_eq!(secret(&folder, &[], &environment), "from-the-longer-name");
    let arguments = ["--set", "keys.secret=from-the-command-line"];
    assert_eq!(secret(&folder, &arguments, &environment), "from-the-command-line");
}

#[test]
fn keys_that_are_given_are_not_made() {
    let folder = Folder::project("", "");
    let run = folder.run(&["keys"]).env("MAINSTAY_PUBLISHABLE_KEY", "publishable-key-of-mine");
    let run = run.env(SECRET, "secret-key-of-mine").env("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    assert_eq!(
        run.succeeds().stdout,
        "MAINSTAY_PUBLISHABLE_KEY=publishable-key-of-mine\n\
         MAINSTAY_SECRET_KEY=secret-key-of-mine\n\
         MAINSTAY_JWT_SECRET=0123456789abcdef0123456789abcdef\n"
    );
    assert!(!folder.file(".mainstay").exists());
}

#[test]
fn a_database_that_this_build_does_not_serve_is_said_to_be_one() {
    let folder = Folder::project("", "");
    let printed = folder.run(&["keys"]).env("DATABASE_URL", "redis://u:hunter2@h/d").exits(2);
    assert_eq!(
        printed.stderr,
        "$DATABASE_URL:1:1: DATABASE_URL names a redis database, but this build serves sqlite, postgres, mysql, mariadb \
         and mongodb; set it to sqlite: and the path of the file, as in sqlite:.mainstay/main.db, or \
         postgres://USER@HOST/DATABASE, or mysql://…, mongodb://…\n"
    );
}

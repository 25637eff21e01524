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

/// A settings file and a schema with a dozen mistakes, of which one run tells all.
#[test]
fn every_mistake_is_told_at_once() {
    check(
        r#"[server]
prot = 80

[stores.main]
url = "redis://root:hunter2@localhost/shop"
"#,
        r#"[customers.fields]
email = { type = "txt", unique = true }
name = { type = "text", min = 10, max = 5 }

[orders.fields]
customer_id = { ref = "customer" }
status = { enum = ["new", "paid"], default = "nwe" }
total = { type = "decimal(12,2)", mim = 0 }
placed_at = { type = "timestamp", default = "yesterday" }

[orders.indexes]
by_customer = ["customerid"]

[orders.access]
read = "row.customer_id == auth.uid"

[Orders.fields]
id = "int"
"#,
        &[
            "mainstay.toml:2:1: there is no setting server.prot; did you mean port?",
            "mainstay.toml:5:7: stores.main.url names a redis database, but this build serves sqlite, postgres, mysql, \
             mariadb and mongodb; write sqlite: and the path of the file, as in sqlite:.mainstay/main.db, or \
             postgres://USER@HOST/DATABASE, or mysql://…, mongodb://…",
            "schema/shop.toml:2:18: unknown type `txt`; did you mean `text`?",
            "schema/shop.toml:3:41: `min` 10 is greater than `max` 5; \
             no value would be accepted: raise `max` or lower `min`",
            "schema/shop.toml:6:23: there is no table `customer`; did you mean `customers`?",
            "schema/shop.toml:7:46: the default of `status` breaks its own rule: it must be one of new, paid; \
             change the default or the rule",
            "schema/shop.toml:8:35: unknown key `mim` in a field; did you mean `min`?",
            "schema/shop.toml:9:45: the default of `placed_at` is not of type timestamp; \
             write an instant, as in 2026-11-23T10:00:00Z",
            "schema/shop.toml:12:16: the table `orders` has no field `customerid`; did you mean `customer_id`?",
            "schema/shop.toml:15:8: the rule language is not there yet; write true or false",
            "schema/shop.toml:17:2: the table `Orders` differs from `orders` in case only; \
             remove one, or give it another name",
            "schema/shop.toml:18:1: no primary key is declared, and `id` stands where one would be made; \
             add primary = true to `id`, or to another field",
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

/// Files of functions: every mistake of every file, before anything is served.
#[test]
fn functions() {
    let folder = Folder::project("", "[notes.fields]\nid = { type = \"int\", primary = true }\ntext = \"text\"\n");
    std::fs::create_dir(folder.file("queries")).unwrap();
    folder.write("queries/a.sql", "--- acess = true\n--- params.most = \"it\"\nSELECT * FROM notes LIMIT :mst\n");
    folder.write("queries/b.sql", "--- returns = \"notes\"\nSELECT id,\n  txt FROM notes\n");
    folder.write("queries/c.sql", "PRAGMA journal_mode = off\n");
    folder.write("queries/d.sql", "DELETE FROM notes\n");
    let printed = folder.run(&["serve", "--listen", "127.0.0.1:0"]).exits(2);
    let expected = [
        "queries/a.sql:1:5: unknown key `acess` in a function; did you mean `access`?",
        "queries/a.sql:2:12: the SQL does not use the parameter `most`; write :most in it, or remove it",
        "queries/a.sql:2:19: unknown type `it`; did you mean `int`?",
        "queries/a.sql:3:27: there is no parameter `mst`; did you mean `most`?",
        "queries/b.sql:3:3: no such column: txt; mend the SQL; it is SQLite's",
        "queries/c.sql:1:1: a function cannot run PRAGMA; begin the statement with one of `SELECT`, `WITH`, `VALUES`, \
         `INSERT`, `UPDATE`, `DELETE` and `REPLACE`",
        "queries/d.sql:1:1: the SQL changes rows, and the head does not say so; add writes = true to the head",
        "queries/d.sql:1:1: the function gives nothing back and changes nothing; say what comes back",
    ];
    assert_eq!(printed.stderr.lines().collect::<Vec<_>>(), expected);
    assert!(!folder.file(".mainstay").exists(), "a bad project leaves no state");
}

/// Of a store with a mistake nothing is known, so its tables are not called wrong as well.
#[test]
fn a_store_that_cannot_be_is_one_mistake() {
    check(
        "[stores.docs]\nurl = \"env:NOBODY_SET_THIS\"\n",
        "[notes]\nstore = \"docs\"\n\n[notes.fields]\ntext = \"text\"\n",
        &["mainstay.toml:2:7: the environment variable NOBODY_SET_THIS is not set; set NOBODY_SET_THIS in the \
             environment or in .env, or leave the setting out"],
    );
}

/// What somebody mistyped on the command line is told without the password in it.
#[test]
fn urls_of_the_command_line_are_not_printed() {
    let folder = Folder::new();
    for arguments in [
        &["serve", "--store", "mysql://ann:hunter2@h:99999/shop"][..],
        &["serve", "--set", "stores.main.ulr=mysql://ann:hunter2@h/shop"],
        &["serve", ".", "mysql://ann:hunter2@h/shop"],
        &["copy", "--from", "mysql://ann:hunter2@h/shop?nothing=1", "--to", "sqlite:a.db"],
    ] {
        let printed = folder.run(arguments).exits(2);
        let told = format!("{}{}", printed.stdout, printed.stderr);
        assert!(!told.contains("hunter2") && !told.contains("ann:") && !told.is_empty(), "{told}");
    }
}

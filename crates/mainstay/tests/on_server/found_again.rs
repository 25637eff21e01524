//! Tables that a copy made, served as found: the same answers as where they are declared.

use crate::support::Folder;

const THINGS: &str = r#"
[things.fields]
id    = { type = "int", primary = true, default = "sequence" }
ok    = { type = "bool", optional = true }
price = { type = "decimal(10,2)", optional = true }
about = { type = "json", optional = true }
tags  = { type = "text[]", optional = true }
code  = { type = "uuid", optional = true }
at    = { type = "timestamp", optional = true }
face  = { type = "bytes", optional = true }
name  = "text"
[things.indexes]
by_price = ["price"]
[things.access]
read = true
"#;
const ROWS: &str = r#"{"id":1,"ok":true,"price":1.50,"about":{"a":[1.50,null]},"tags":["a","b c"],"code":"0190a5b2-7e1c-7c3a-9b1d-000000000001","at":"2026-01-02T03:04:05.5Z","face":"\\x00ff","name":"one"}
{"id":2,"ok":false,"price":10,"about":"x","tags":[],"name":"1"}
{"id":3,"price":9.99,"name":"true"}
{"id":4,"ok":true,"price":-2,"name":"{}"}
"#;

/// Copies a project into an empty database, and asks both.
pub(crate) fn is_the_same_as_found(url: &str) {
    let folder = Folder::project("[rest]\naggregates = \"on\"\n", THINGS);
    folder.run(&["migrate", "apply"]).succeeds();
    folder.write("seed/things.ndjson", ROWS);
    folder.run(&["seed"]).succeeds();
    folder.run(&["copy", "--to", url]).succeeds();
    let elsewhere = Folder::new();
    let found = ["--store", url, "--set", "rest.aggregates=on"];
    for query in [
        "order=id",
        "order=price.desc",
        "price=eq.1.5",
        "price=gt.9.99",
        "price=in.(1.5,10)",
        "ok=is.true",
        "ok=is.null",
        "ok=eq.false",
        "about->a->0=eq.1.50",
        "about=eq.\"x\"",
        "tags=cs.{a}",
        "code=eq.0190A5B2-7E1C-7C3A-9B1D-000000000001",
        "at=lt.2026-01-02T04:04:06Z",
        "name=eq.1",
        "select=total:price.sum(),least:price.min(),most:price.max()",
    ] {
        let arguments = ["export", "things", "--format", "json", "--query", query];
        let declared = folder.run(&arguments).succeeds().json();
        assert!(!declared.as_array().unwrap().is_empty(), "{query} finds nothing");
        assert_eq!(elsewhere.run(&[&arguments[..], &found[..]].concat()).succeeds().json(), declared, "{query}");
    }
}

//! Slow statements: from the process that serves to `mainstay advise`.

use std::time::Duration;

use rusqlite::Connection;

use crate::support::Folder;

/// Longest wait for a line of the log.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn what_was_slow_is_counted_and_heeded_and_holds_no_values() {
    let folder = Folder::project(
        "",
        "[events.fields]\nid = { type = \"int\", primary = true }\nkind = \"text\"\nat = \"int\"\n[events.access]\nread = true\n",
    );
    folder.run(&["migrate", "apply"]).succeeds();
    let rows = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
                INSERT INTO events SELECT i, 'kind ' || (i % 5000), i FROM n";
    Connection::open(folder.file(".mainstay/main.db")).unwrap().execute_batch(rows).unwrap();
    assert!(folder.run(&["advise"]).succeeds().stdout.contains("nothing to advise"));

    let serve = ["serve", "--listen", "127.0.0.1:0", "--set", "log.slow_ms=1"];
    let server = folder.run(&serve).serves(&folder, "listening on http://127.0.0.1:");
    for kind in ["hunter2", "hunter3", "hunter4"] {
        assert_eq!(server.get(&format!("/rest/v1/events?kind=eq.{kind}&order=at.desc")).body, "[]");
    }
    assert_eq!(server.get("/rest/v1/events?id=eq.1&select=id").body, r#"[{"id":1}]"#);
    let asked: serde_json::Value = serde_json::from_str(&server.get("/admin/v1/slow").body).unwrap();
    let mut lines = std::iter::from_fn(|| server.errors.recv_timeout(PATIENCE).ok());
    let logged = lines.find(|line| line.contains("slow statement")).unwrap();
    assert_eq!(server.terminate(), Some(0));
    let kept = folder.read(".mainstay/slow.json");
    for text in [&kept, &logged] {
        assert!(text.contains("events where kind = ?") && !text.contains("hunter"), "{text}");
    }

    let told = folder.run(&["advise", "--json"]).succeeds().json();
    let slow = &told["slow"][0];
    assert_eq!(&asked[0], slow, "the process that serves tells the same");
    assert_eq!(folder.run(&["slow", "--json"]).succeeds().json()[0], *slow);
    let shown = folder.run(&["slow"]).succeeds().stdout;
    for expected in [
        "events where kind = ? order at desc, id limit ≤1000\n  3 times, ",
        "\n  an index on events (kind, at desc) would help\n    ",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(
        (&slow["count"], slow["outline"].as_str().unwrap()),
        (&3.into(), "events where kind = ? order at desc, id limit ≤1000")
    );
    assert!(slow["plan"][0].as_str().unwrap().contains("SCAN"), "{slow}");
    assert!(slow["worst_ms"].as_u64().unwrap() >= 1 && slow["p99_ms"].as_u64() <= slow["worst_ms"].as_u64(), "{slow}");
    assert_eq!(told["advice"][0]["remedy"], "add an index on (kind, at desc)");
    let shown = folder.run(&["advise", "--write"]).succeeds().stdout;
    assert!(shown.contains("slow: events where kind = ?") && shown.contains("was slow 3 times"), "{shown}");
    assert!(folder.read("schema/shop.toml").contains("by_kind_at = [\"kind\", \"at desc\"]"));
    let left = folder.run(&["advise"]).succeeds().stdout;
    assert!(!left.contains("add an index"), "{left}");
}

#[test]
fn functions_are_slow_as_well_and_nothing_is_where_it_is_not_kept() {
    let folder = Folder::project(
        "",
        "[events.fields]\nid = { type = \"int\", primary = true }\nkind = \"text\"\n[events.access]\nread = true\nupdate = true\n",
    );
    folder.write(
        "queries/of_kind.sql",
        "--- access = true\n--- params.kind = \"text\"\n--- returns = \"events\"\n\nSELECT * FROM events WHERE kind = :kind\n",
    );
    folder.run(&["migrate", "apply"]).succeeds();
    let rows = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
                INSERT INTO events SELECT i, 'kind ' || (i % 5000) FROM n";
    Connection::open(folder.file(".mainstay/main.db")).unwrap().execute_batch(rows).unwrap();
    assert!(folder.run(&["slow"]).succeeds().stdout.contains("no statement took 500 ms or more"));
    let off = folder.run(&["slow", "--set", "log.slow_ms=0"]).succeeds().stdout;
    assert!(off.contains("log.slow_ms is 0"), "{off}");

    let serve = ["serve", "--listen", "127.0.0.1:0", "--set", "log.slow_ms=1"];
    let server = folder.run(&serve).serves(&folder, "listening on http://127.0.0.1:");
    assert_eq!(server.get("/rest/v1/rpc/of_kind?kind=hunter2").body, "[]");
    assert_eq!(server.terminate(), Some(0));
    let shown = folder.run(&["slow"]).succeeds().stdout;
    assert!(shown.contains("call of_kind") && !shown.contains("hunter"), "{shown}");
}

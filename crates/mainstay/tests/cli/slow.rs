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
    let mut lines = std::iter::from_fn(|| server.errors.recv_timeout(PATIENCE).ok());
    let logged = lines.find(|line| line.contains("slow statement")).unwrap();
    assert_eq!(server.terminate(), Some(0));
    let kept = folder.read(".mainstay/slow.json");
    for text in [&kept, &logged] {
        assert!(text.contains("events where kind = ?") && !text.contains("hunter"), "{text}");
    }

    let told = folder.run(&["advise", "--json"]).succeeds().json();
    let slow = &told["slow"][0];
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

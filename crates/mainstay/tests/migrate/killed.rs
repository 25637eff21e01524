//! A process that is killed while it rebuilds a large table leaves the old or the new one.

use std::time::{Duration, Instant};

use crate::support::Folder;

const ROWS: u64 = 120_000;
const OLD: &str = "[big.fields]\nid = { type = \"int\", primary = true }\nnumber = \"int\"\nwords = \"text\"\n";

/// Times at which the process is killed, as parts of the time that a whole run takes.
const PARTS: [f64; 8] = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1];

#[test]
fn an_interrupted_migration_leaves_the_old_or_the_new_tables() {
    let template = Folder::new(OLD);
    template.ok(&["migrate", "apply"]);
    let rows = format!(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO big SELECT i, i * 7, 'words of row ' || i FROM n; PRAGMA wal_checkpoint(TRUNCATE)"
    );
    template.database().execute_batch(&rows).unwrap();
    let again = || {
        let folder = Folder::new(&OLD.replace("number = \"int\"", "number = \"text\""));
        std::fs::create_dir(folder.path(".mainstay")).unwrap();
        std::fs::copy(template.path(".mainstay/main.db"), folder.path(".mainstay/main.db")).unwrap();
        folder
    };
    let started = Instant::now();
    again().ok(&["migrate", "apply", "--yes"]);
    let whole = started.elapsed();
    let mut outcomes = Vec::new();
    for part in PARTS {
        let folder = again();
        let mut process = folder.command(&["migrate", "apply", "--yes"]).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * part));
        process.kill().unwrap();
        process.wait().unwrap();
        let database = folder.database();
        let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        assert_eq!(text("SELECT CAST(count(*) AS TEXT) FROM big"), ROWS.to_string());
        let kind = text("SELECT typeof(number) FROM big LIMIT 1");
        let tables = text("SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name LIKE '%big%'");
        assert_eq!(tables, "big", "nothing half-made is left");
        let said = folder.run(&["migrate", "plan"]).stdout;
        match kind.as_str() {
            "integer" => assert!(said.contains("number"), "the old tables, and the change is still to be done: {said}"),
            "text" => assert_eq!(said, "the database is as the schema says\n"),
            other => panic!("{other}"),
        }
        drop(database);
        folder.ok(&["migrate", "apply", "--yes"]);
        outcomes.push(kind);
    }
    assert!(outcomes.contains(&"integer".to_owned()), "at least one run was cut off: {outcomes:?}");
}

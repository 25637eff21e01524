//! Backups under load, restored; what is damaged, cut short, killed or in the way.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::Folder;

const SCHEMA: &str = "[moves.fields]\nid = { type = \"bigint\", primary = true, default = \"sequence\" }\nn = \"bigint\"\n\
                      [others.fields]\nid = { type = \"bigint\", primary = true, default = \"sequence\" }\nn = \"bigint\"\n";

fn project(settings: &str) -> Folder {
    let folder = Folder::project(&format!("[server]\nport = 0\n{settings}"), SCHEMA);
    folder.run(&["migrate", "apply"]).succeeds();
    folder
}

fn database(folder: &Folder) -> PathBuf {
    folder.file(".mainstay/main.db")
}

/// Adds to both tables in one transaction; they always add up to nothing.
fn move_one(connection: &Connection) {
    connection
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO moves (n) VALUES (1); INSERT INTO others (n) VALUES (-1); COMMIT")
        .unwrap();
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection
}

/// Rows of `moves`; that the two tables fit is checked.
fn rows(path: &Path) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM moves), (SELECT coalesce(sum(n), 0) FROM moves) + (SELECT coalesce(sum(n), 0) FROM others)";
    let (rows, sum): (i64, i64) = open(path).query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(sum, 0, "{}", path.display());
    rows
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_while_eight_write_is_of_one_moment_and_can_be_restored() {
    let folder = project("");
    let server = folder.run(&["serve"]).serves(&folder, "listening on");
    let stop = AtomicBool::new(false);
    let database = database(&folder);
    let mut made = Vec::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (stop, database, server) = (&stop, &database, server.client());
            scope.spawn(move || {
                let own = open(database);
                own.pragma_update(None, "synchronous", "off").unwrap();
                while !stop.load(Ordering::Relaxed) {
                    if writer % 2 == 0 {
                        move_one(&own);
                    } else {
                        let answer = server.request("POST", "/rest/v1/moves", r#"[{"n":1},{"n":-1}]"#);
                        assert_eq!(answer.status, 201, "{}", answer.body);
                    }
                }
            });
        }
        for number in 0..3 {
            let name = format!("b{number}.db");
            let before = rows(&database);
            let printed = folder.run(&["backup", &name, "--json"]).succeeds().json();
            let after = rows(&database);
            let kept = rows(&folder.file(&name));
            assert!((before..=after).contains(&kept), "{before} {kept} {after}");
            assert_eq!(printed["rows"]["moves"], kept);
            made.push((name, kept));
        }
        stop.store(true, Ordering::Relaxed);
    });
    // Nobody but the owner reads it, and nothing else is left beside it.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(folder.file("b0.db")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(
        !names(folder.path()).iter().any(|name| name.contains("part") || name.ends_with("-wal")),
        "{:?}",
        names(folder.path())
    );
    let secret = folder.read(".mainstay/secrets.toml");
    let secret = secret.split('"').nth(1).unwrap().as_bytes();
    let octets = std::fs::read(folder.file("b0.db")).unwrap();
    assert!(!octets.windows(secret.len()).any(|part| part == secret), "a key is in the backup");

    // While it is served, it cannot be replaced.
    let refused = folder.run(&["restore", "b0.db"]).exits(1);
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    let dry = folder.run(&["restore", "b0.db", "--dry-run"]).exits(1);
    assert!(dry.stderr.contains("in use"), "{}", dry.stderr);
    assert_eq!(server.terminate(), Some(0));

    let last = rows(&database);
    let said = folder.run(&["restore", "b1.db", "--dry-run"]).succeeds().stdout;
    assert!(said.contains("is whole") && rows(&database) == last, "{said}");
    let restored = folder.run(&["restore", "b1.db", "--json"]).succeeds().json();
    assert_eq!(rows(&database), made[1].1);
    // What was there is kept, whole, and can be put back in the same way as any database.
    assert_eq!(rows(&folder.path().join(restored["kept"].as_str().unwrap())), last);
    let server = folder.run(&["serve"]).serves(&folder, "listening on");
    let answer = server.get("/rest/v1/moves?select=id&limit=1");
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_folder_that_is_a_project_is_not_taken_for_the_backup() {
    let folder = Folder::new();
    folder.write("shop/mainstay.toml", "");
    let refused = folder.run(&["backup", "shop"]).exits(2);
    assert_eq!(
        refused.stderr,
        "shop is a project; write the name of the backup before it: mainstay backup FILE shop\n"
    );
}

#[test]
fn a_backup_of_another_project_is_restored_only_on_demand() {
    let (one, other) =
        (project(""), Folder::project("", "[letters.fields]\nid = { type = \"int\", primary = true }\n"));
    move_one(&open(&database(&one)));
    one.run(&["backup", "one.db"]).succeeds();
    let file = one.file("one.db").display().to_string();
    // Where there is no database yet, there is nothing to lose.
    other.run(&["restore", &file]).succeeds();
    std::fs::remove_file(database(&other)).unwrap();
    other.run(&["migrate", "apply"]).succeeds();
    open(&database(&other)).execute_batch("INSERT INTO letters VALUES (1)").unwrap();
    for more in [&[][..], &["--dry-run"]] {
        let refused = other.run(&[&["restore", &file], more].concat()).exits(1);
        assert!(
            refused.stderr.contains("of another project") && refused.stderr.contains("--other-project"),
            "{}",
            refused.stderr
        );
    }
    let kept: i64 = open(&database(&other)).query_row("SELECT count(*) FROM letters", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
    other.run(&["restore", &file, "--other-project"]).succeeds();
    assert_eq!(rows(&database(&other)), 1);
    // Its own backups go back without asking, whatever was migrated since.
    one.run(&["restore", &file]).succeeds();
}

#[test]
fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let folder = project("");
    (0..50).for_each(|_| move_one(&open(&database(&folder))));
    folder.run(&["backup", "a.db"]).succeeds();
    let refused = folder.run(&["backup", "a.db"]).exits(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    let refused = folder.run(&["backup", ".mainstay/main.db", "--force"]).exits(2);
    assert!(refused.stderr.contains("is the database itself"), "{}", refused.stderr);
    let said = folder.run(&["backup", "new.db", "--dry-run"]).succeeds().stdout;
    assert!(said.contains("nothing was done") && !folder.file("new.db").exists());
    move_one(&open(&database(&folder)));
    let whole = std::fs::read(folder.file("a.db")).unwrap();
    let damaged = |name: &str, octets: &[u8]| std::fs::write(folder.file(name), octets).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 4;
    damaged("flipped.db", &flipped);
    damaged("cut.db", &whole[..whole.len() - 1]);
    damaged("half.db", &whole[..whole.len() / 2]);
    damaged("empty.db", b"");
    std::fs::copy(database(&folder), folder.file("plain.db")).unwrap();
    for name in ["flipped.db", "cut.db", "half.db", "empty.db", "plain.db", "nothing.db", "mainstay.toml"] {
        let before = names(&folder.file(".mainstay"));
        let refused = folder.run(&["restore", name]).exits(1);
        assert!(!refused.stderr.is_empty());
        assert_eq!(rows(&database(&folder)), 51, "{name}");
        assert_eq!(names(&folder.file(".mainstay")), before, "{name}");
    }
    let refused = folder.run(&["restore", "a.db", "--at", "12:00"]).exits(2);
    assert!(refused.stderr.contains("moment when it was made"), "{}", refused.stderr);
    // A database that is lost or damaged is what restoring is for.
    std::fs::write(database(&folder), "no database").unwrap();
    folder.run(&["restore", "a.db"]).succeeds();
    assert_eq!(rows(&database(&folder)), 50);
    std::fs::remove_file(database(&folder)).unwrap();
    folder.run(&["restore", "a.db"]).succeeds();
    assert_eq!(rows(&database(&folder)), 50);
    folder.run(&["doctor"]).succeeds();
}

/// Runs a command and kills it after `pause`; whether it came to its end before.
fn killed(folder: &Folder, arguments: &[&str], pause: Duration) -> bool {
    let mut command = folder.run(arguments).command;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(pause);
    let is_done = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    let _ = child.wait();
    is_done
}

#[test]
fn killed_at_any_moment_a_restore_leaves_the_old_or_the_new() {
    let folder = project("");
    let connection = open(&database(&folder));
    connection.execute_batch("WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 60000) INSERT INTO moves (n) SELECT 0 FROM i").unwrap();
    drop(connection);
    folder.run(&["backup", "a.db"]).succeeds();
    let mut counts = [0, 0];
    for round in 0_u64..24 {
        let start = rows(&database(&folder));
        if start == 60_000 {
            move_one(&open(&database(&folder)));
        }
        let is_done = killed(&folder, &["restore", "a.db"], Duration::from_millis(5 + round * 9));
        match rows(&database(&folder)) {
            60_000 => counts[1] += 1,
            60_001 if !is_done => counts[0] += 1,
            other => panic!("round {round}: {other} rows"),
        }
        let sound: String = open(&database(&folder)).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }
    // What a killed one left is gone after the next that comes to its end.
    folder.run(&["restore", "a.db"]).succeeds();
    let left = names(&folder.file(".mainstay"));
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
    // A killed backup leaves nothing under its name, or all of it.
    for round in 0_u64..10 {
        let name = format!("k{round}.db");
        killed(&folder, &["backup", &name], Duration::from_millis(3 + round * 12));
        if folder.file(&name).exists() {
            folder.run(&["restore", &name, "--dry-run"]).succeeds();
        }
    }
    eprintln!("old {}, new {}", counts[0], counts[1]);
}

#[test]
fn a_full_disk_leaves_the_backups_that_are_there() {
    let folder = project("");
    let connection = open(&database(&folder));
    connection.execute_batch("WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 60000) INSERT INTO moves (n) SELECT 0 FROM i").unwrap();
    drop(connection);
    folder.run(&["backup", "a.db"]).succeeds();
    let before = std::fs::read(folder.file("a.db")).unwrap();
    // Files of more than 100 KiB cannot be written.
    let limited = r#"trap '' XFSZ; ulimit -f 200; exec "$0" "$@""#;
    for name in ["a.db", "b.db"] {
        let mut command = Command::new("sh");
        command.args(["-c", limited, env!("CARGO_BIN_EXE_mainstay"), "backup", name, "--force"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(std::fs::read(folder.file("a.db")).unwrap(), before);
    assert!(!folder.file("b.db").exists());
    assert!(!names(folder.path()).iter().any(|name| name.contains(".part")), "{:?}", names(folder.path()));
}

#[test]
fn scheduled_backups_are_made_kept_and_removed_by_the_settings() {
    let folder = project("[backup]\nevery = 1\nkeep_last = 2\nfolder = \"kept\"\n");
    // What we did not make stays, whatever it is called.
    std::fs::create_dir(folder.file("kept")).unwrap();
    folder.write("kept/auto-20200101T000000Z.db", "a file of somebody else");
    folder.run(&["backup", "kept/auto-20200102T000000Z.db"]).succeeds();
    let doctor = folder.run(&["doctor"]).succeeds().stdout;
    assert!(doctor.contains("backups: none in"), "{doctor}");
    let server = folder.run(&["serve"]).serves(&folder, "listening on");
    let made = || {
        let names = names(&folder.file("kept")).into_iter();
        names.filter(|name| name.starts_with("auto-") && !name.starts_with("auto-2020")).collect::<Vec<_>>()
    };
    let end = Instant::now() + Duration::from_secs(60);
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 4 {
        assert!(Instant::now() < end, "only {seen:?} were made");
        seen.extend(made());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.terminate(), Some(0));
    let left = made();
    assert!((1..=3).contains(&left.len()), "{left:?}");
    assert!(
        folder.file("kept/auto-20200101T000000Z.db").exists() && folder.file("kept/auto-20200102T000000Z.db").exists()
    );
    let doctor = folder.run(&["doctor"]).succeeds().stdout;
    assert!(doctor.contains("backups: the last is"), "{doctor}");
    folder.run(&["restore", &format!("kept/{}", left.last().unwrap())]).succeeds();
}

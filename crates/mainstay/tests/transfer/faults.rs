//! The executable is killed in the middle of an import, or may write no more.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

const SCHEMA: &str = "[rows.fields]\nid = { type = \"bigint\", primary = true, default = \"sequence\" }\ncode = { type = \"int\", unique = true }\nwords = \"text\"\n";
const RECORDS: u64 = 12_000;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("schema")).unwrap();
        std::fs::write(folder.path("mainstay.toml"), "").unwrap();
        std::fs::write(folder.path("schema/rows.toml"), SCHEMA).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The records, some of which are no numbers and some of which are there twice; gives the lines of those.
    fn write_records(&self) -> Vec<u64> {
        let mut text = String::from("code,words\n");
        let mut bad = Vec::new();
        for record in 0..RECORDS {
            let code = match record % 1000 {
                500 => "none".to_owned(),
                501 => (record - 10).to_string(),
                _ => record.to_string(),
            };
            if matches!(record % 1000, 500 | 501) {
                bad.push(record + 2);
            }
            writeln!(text, "{code},words of record {record}").unwrap();
        }
        std::fs::write(self.path("rows.csv"), text).unwrap();
        bad
    }

    fn import(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("import").arg("rows").arg(self.path("rows.csv")).arg(self.0.path());
        command.args(["--batch", "250"]).env_remove("DATABASE_URL");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn database(&self) -> Connection {
        Connection::open(self.path(".mainstay/main.db")).unwrap()
    }

    /// What the whole import must come to, however often it was interrupted.
    fn check(&self, bad: &[u64]) {
        let database = self.database();
        let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let mut statement = database.prepare("SELECT code, words FROM rows ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))).unwrap();
        let rows: Vec<(u64, String)> = rows.collect::<Result<_, _>>().unwrap();
        let expected = (0..RECORDS).filter(|record| !bad.contains(&(record + 2)));
        let expected: Vec<_> = expected.map(|record| (record, format!("words of record {record}"))).collect();
        assert!(rows == expected, "{} rows instead of {}", rows.len(), expected.len());
        let set_aside = std::fs::read_to_string(self.path("rows.csv.bad.csv")).unwrap();
        let lines = set_aside.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(lines.collect::<Vec<_>>(), bad);
    }
}

#[test]
fn an_import_that_is_killed_again_and_again_has_every_row_once() {
    let folder = Folder::new();
    let bad = folder.write_records();
    let mut kills = 0;
    loop {
        let mut process = folder.import().spawn().unwrap();
        // Uneven times, so that the process dies in all kinds of places; longer ones later, so that it comes to an end.
        std::thread::sleep(Duration::from_millis(60 + kills * 37 % 150 + kills * 10));
        if process.try_wait().unwrap().is_none() {
            kills += 1;
            process.kill().unwrap();
        }
        let Output { status, stdout, .. } = process.wait_with_output().unwrap();
        if let Some(code) = status.code() {
            let said = String::from_utf8(stdout).unwrap();
            // A process may die between the end of its work and its own; the next one finds nothing left to do.
            let is_done = (code == 1 && said.contains("set aside")) || (code == 0 && said.contains("imported already"));
            assert!(is_done, "{code}: {said}");
            break;
        }
    }
    assert!(kills > 0, "the import was never interrupted");
    folder.check(&bad);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_clearly_and_the_import_goes_on_when_there_is_room() {
    let folder = Folder::new();
    let bad = folder.write_records();
    // A limit on the size of files acts like a full disk, and a program that ignores the signal is told so in the write.
    let limited = r#"trap '' XFSZ; ulimit -f 300; exec "$0" "$@""#;
    let import = folder.import();
    let mut command = Command::new("sh");
    command.arg("-c").arg(limited).arg(import.get_program()).args(import.get_args()).stdin(Stdio::null());
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("the store cannot write"), "{said}");
    let check: String = folder.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let Output { status, .. } = folder.import().output().unwrap();
    assert_eq!(status.code(), Some(1), "done, with bad records");
    folder.check(&bad);
}

//! The project that is measured: three tables with known rows, made the same in every run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::figures::Settings;

/// A project folder for Mainstay, and a copy of its database for the yardstick.
pub(crate) struct Data {
    /// Keeps the folders until the run ends.
    _folder: TempDir,
    /// The project.
    pub(crate) project: PathBuf,
    /// The yardstick's own copy of the database.
    pub(crate) copy: PathBuf,
    /// The key both servers ask for.
    pub(crate) secret_key: String,
}

const SCHEMA: &str = r#"# Tables of the benchmark.

[customers.fields]
id = { type = "bigint", primary = true, default = "sequence" }
name = "text"
email = { type = "text", unique = true }
city = "text"
active = "bool"
created_at = "timestamp"

[orders.fields]
id = { type = "bigint", primary = true, default = "sequence" }
customer_id = { ref = "customers" }
status = { enum = ["new", "paid", "shipped"] }
total = { type = "decimal(12,2)", min = 0 }
note = { type = "text", max = 2000, optional = true }
placed_at = "timestamp"

[orders.indexes]
by_customer = ["customer_id"]

[visits.fields]
id = { type = "bigint", primary = true, default = "sequence" }
page = "text"
referrer = { type = "text", optional = true }
duration_ms = "int"
seen_at = "timestamp"
"#;

/// Makes the project, fills it by the program's own import, and copies the database.
///
/// # Errors
/// When a command of the program fails; its own words are in the error.
pub(crate) fn build(mainstay: &Path, settings: &Settings) -> anyhow::Result<Data> {
    let folder = tempfile::Builder::new().prefix("mainstay-bench").tempdir()?;
    let project = folder.path().join("project");
    std::fs::create_dir_all(project.join("schema"))?;
    std::fs::write(project.join("mainstay.toml"), "[project]\nname = \"bench\"\n")?;
    std::fs::write(project.join("schema/bench.toml"), SCHEMA)?;
    std::fs::write(folder.path().join("customers.csv"), customers(settings.customers))?;
    std::fs::write(folder.path().join("orders.csv"), orders(settings.orders, settings.customers))?;

    run(mainstay, &["migrate", "apply"], &project)?;
    for table in ["customers", "orders"] {
        let file = folder.path().join(format!("{table}.csv"));
        run(mainstay, &["import", table, &file.to_string_lossy()], &project)?;
    }
    let keys = run(mainstay, &["keys"], &project)?;
    let secret_key = keys
        .lines()
        .find_map(|line| line.strip_prefix("MAINSTAY_SECRET_KEY="))
        .context("`mainstay keys` printed no MAINSTAY_SECRET_KEY")?
        .to_owned();
    let copy = copy_database(&project.join(".mainstay/main.db"), folder.path())?;
    Ok(Data { _folder: folder, project, copy, secret_key })
}

/// Runs a command of the program on the project; its standard output.
fn run(mainstay: &Path, words: &[&str], project: &Path) -> anyhow::Result<String> {
    let output = Command::new(mainstay).args(words).arg(project).output().context("starting mainstay")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`mainstay {}` failed: {said}", words.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Copies the database with its log, while no program has it open.
fn copy_database(database: &Path, into: &Path) -> anyhow::Result<PathBuf> {
    let copy = into.join("yardstick.db");
    std::fs::copy(database, &copy).with_context(|| format!("copying {}", database.display()))?;
    let log = database.with_extension("db-wal");
    if log.exists() {
        std::fs::copy(&log, copy.with_extension("db-wal"))?;
    }
    Ok(copy)
}

fn customers(count: usize) -> String {
    let mut csv = String::from("id,name,email,city,active,created_at\n");
    for id in 1..=count {
        let city = ["Porto", "Łódź", "Aarhus", "Cork", "Graz"][id % 5];
        let active = id % 7 != 0;
        let (day, hour) = (id % 28 + 1, id % 24);
        // Writing to a String cannot fail.
        let _ = writeln!(
            csv,
            "{id},Customer {id},customer{id}@example.org,{city},{active},2025-03-{day:02}T{hour:02}:00:00+00:00"
        );
    }
    csv
}

fn orders(count: usize, customers: usize) -> String {
    let mut csv = String::from("id,customer_id,status,total,note,placed_at\n");
    for id in 1..=count {
        let customer = (id * 7919) % customers + 1;
        let status = ["new", "paid", "shipped"][id % 3];
        let (whole, cents) = ((id * 37) % 900 + 5, id % 100);
        let note = if id % 4 == 0 { "\"Leave it at the door, please.\"" } else { "" };
        let (month, day, minute) = (id % 12 + 1, id % 28 + 1, id % 60);
        let _ = writeln!(
            csv,
            "{id},{customer},{status},{whole}.{cents:02},{note},2026-{month:02}-{day:02}T10:{minute:02}:00+00:00"
        );
    }
    csv
}

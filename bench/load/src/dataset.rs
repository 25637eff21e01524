//! The project that is measured: four tables with known rows, made the same in every run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::engine::Engine;
use crate::figures::Settings;

/// A project folder for Mainstay, and what the yardstick serves: a copy of its file, or the same server.
pub(crate) struct Data {
    /// Keeps the folders until the run ends.
    _folder: TempDir,
    /// The project.
    pub(crate) project: PathBuf,
    /// The yardstick's own copy of the database, if that is a file.
    pub(crate) copy: Option<PathBuf>,
    /// The key both servers ask for.
    pub(crate) secret_key: String,
    /// How fast the rows with a full-text index came in.
    pub(crate) import: Import,
}

/// Rows a second of an import into a table with a full-text index, from the start of the program to its end.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Import {
    pub(crate) rows: usize,
    pub(crate) mainstay_per_second: f64,
    pub(crate) yardstick_per_second: f64,
}

/// SQLite's `synchronous` of both writers; Mainstay's default.
pub(crate) const SYNCHRONOUS: &str = "FULL";

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

[reviews.fields]
id = { type = "bigint", primary = true, default = "sequence" }
stars = { type = "int", min = 1, max = 5 }
body = "text"

[reviews.indexes]
search = { fulltext = ["body"], language = "english" }
"#;

const SETTINGS: &str = "[project]\nname = \"bench\"\n\n[rest]\naggregates = \"on\"\n";

/// The yardstick lets requests wait as long as it takes, and a refused one would end the run on a slow machine.
const PATIENT: &str = "\n[stores.main]\nconnection_wait = 60\n";

/// Makes the project, fills it by the program's own import, and copies the database if it is a file.
///
/// # Errors
/// When a command of the program fails; its own words are in the error.
pub(crate) fn build(mainstay: &Path, yardstick: &Path, settings: &Settings) -> anyhow::Result<Data> {
    let folder = tempfile::Builder::new().prefix("mainstay-bench").tempdir()?;
    let project = folder.path().join("project");
    std::fs::create_dir_all(project.join("schema"))?;
    let store = match settings.engine {
        Engine::Sqlite => "",
        Engine::Postgres | Engine::Mariadb | Engine::Mysql | Engine::Mongo => PATIENT,
    };
    std::fs::write(project.join("mainstay.toml"), format!("{SETTINGS}{store}"))?;
    std::fs::write(project.join("schema/bench.toml"), SCHEMA)?;
    std::fs::write(folder.path().join("customers.csv"), customers(settings.customers))?;
    std::fs::write(folder.path().join("orders.csv"), orders(settings.orders, settings.customers))?;
    std::fs::write(folder.path().join("reviews.csv"), reviews(settings.reviews))?;

    let engine = settings.engine;
    run(engine, mainstay, &["migrate", "apply"], Some(&project))?;
    for table in ["customers", "orders"] {
        let file = folder.path().join(format!("{table}.csv"));
        run(engine, mainstay, &["import", table, &file.to_string_lossy()], Some(&project))?;
    }
    let import = import(mainstay, yardstick, folder.path(), &project, settings)?;
    let keys = run(engine, mainstay, &["keys"], Some(&project))?;
    let secret_key = keys
        .lines()
        .find_map(|line| line.strip_prefix("MAINSTAY_SECRET_KEY="))
        .context("`mainstay keys` printed no MAINSTAY_SECRET_KEY")?
        .to_owned();
    let copy = match engine {
        Engine::Sqlite => Some(copy_database(&project.join(".mainstay/main.db"), folder.path())?),
        Engine::Postgres | Engine::Mariadb | Engine::Mysql | Engine::Mongo => None,
    };
    Ok(Data { _folder: folder, project, copy, secret_key, import })
}

/// Imports the reviews into the project, and by the yardstick into a file, schema or table of its own.
fn import(
    mainstay: &Path,
    yardstick: &Path,
    folder: &Path,
    project: &Path,
    settings: &Settings,
) -> anyhow::Result<Import> {
    let file = folder.join("reviews.csv");
    let per_second = |began: Instant| settings.reviews as f64 / began.elapsed().as_secs_f64();
    let began = Instant::now();
    run(settings.engine, mainstay, &["import", "reviews", &file.to_string_lossy()], Some(project))?;
    let mainstay_per_second = per_second(began);
    let began = Instant::now();
    let words = ["--synchronous", SYNCHRONOUS, "--import", &file.to_string_lossy()];
    let database = (settings.engine == Engine::Sqlite).then(|| folder.join("imported.db"));
    run(settings.engine, yardstick, &words, database.as_deref())?;
    Ok(Import { rows: settings.reviews, mainstay_per_second, yardstick_per_second: per_second(began) })
}

/// Runs a command of a program on a project or file, if there is one; its standard output.
fn run(engine: Engine, program: &Path, words: &[&str], on: Option<&Path>) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    engine.tell(&mut command);
    let output = command.args(words).args(on).output().context("starting a program")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{} {}` failed: {said}", program.display(), words.join(" "));
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

fn reviews(count: usize) -> String {
    let mut csv = String::from("id,stars,body\n");
    for id in 1..=count {
        let _ = write!(csv, "{id},{},\"", id % 5 + 1);
        for place in 0..REVIEW_WORDS {
            let plural = if (id + place).is_multiple_of(3) { "s" } else { "" };
            let gap = if place == 0 { "" } else { " " };
            let _ = write!(csv, "{gap}{}{plural}", word(id * REVIEW_WORDS + place));
        }
        csv.push_str(".\"\n");
    }
    csv
}

/// Words of one review.
const REVIEW_WORDS: usize = 24;

/// One of 343 words, scattered by a hash. They end so that every stemmer of English takes off the plural and nothing else.
pub(crate) fn word(seed: usize) -> String {
    const SYLLABLES: [&str; 7] = ["ba", "do", "fu", "ka", "mo", "pu", "ta"];
    let hash = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let syllable = |part: u64| SYLLABLES[usize::try_from(part % 7).unwrap_or_default()];
    format!("{}{}{}k", syllable(hash), syllable(hash / 7), syllable(hash / 49))
}

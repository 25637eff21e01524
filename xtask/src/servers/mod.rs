//! Real database servers for tests and benchmarks: started here, on free ports, with data that is gone afterwards.
//!
//! `cargo xtask test` runs the workspace's tests with them; `cargo xtask servers COMMAND…` runs any command with them,
//! and without a command prints what to export and waits until its input ends. An engine is one line of [`ENGINES`].

mod mariadb;
mod mongo;
mod mysql;
mod pgbouncer;
mod postgres;
mod tls;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::debian;
use crate::process::{self, is_there, output, program, target};

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// How long a server may take to stop before it is killed.
const STOP_MAX: Duration = Duration::from_secs(20);

/// A kind of server.
struct Engine {
    /// Name of its folder.
    name: &'static str,
    /// Programs that must be there, each with Debian's package of it.
    needs: &'static [(&'static str, &'static str)],
    /// The system's user that it runs as when we are root; such programs refuse to be root.
    user: &'static str,
    /// The signal that ends it in good order.
    stop: &'static str,
    /// Starts one whose files are all in this folder, beside those that were started before it.
    start: fn(&Place, &Servers) -> anyhow::Result<Running>,
}

impl Engine {
    fn run(&self, purpose: Purpose, before: &Servers) -> anyhow::Result<Running> {
        debian::need(self.needs)?;
        let place = Place::new(self, purpose)?;
        (self.start)(&place, before).with_context(|| format!("starting {}", self.name))
    }
}

/// Every kind of server.
const ENGINES: &[Engine] = &[postgres::ENGINE, pgbouncer::ENGINE, mariadb::ENGINE, mysql::ENGINE, mongo::ENGINE];

/// What a server is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Many small databases, soon; what is written need not be on the disk.
    Tests,
    /// As durable as the server is by default.
    Benchmark,
}

/// Arguments of `cargo xtask servers`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to run while the servers run; without it, waits for the end of its input
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs a command, or waits, while the servers run.
///
/// # Errors
/// When a server does not start, or the command fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let servers = Servers::start()?;
    match args.command.split_first() {
        Some((name, rest)) => process::run(servers.tell(program(name).args(rest))),
        None => {
            for (name, value) in servers.variables() {
                println!("export {name}='{value}'");
            }
            println!("# Running until this program's input ends.");
            std::io::stdin().read_to_end(&mut Vec::new())?;
            Ok(())
        }
    }
}

/// The servers, which stop when this is dropped.
pub(crate) struct Servers(Vec<Running>);

impl Servers {
    /// Starts one of each kind.
    ///
    /// # Errors
    /// When one does not start, or its programs are not there and cannot be installed.
    pub(crate) fn start() -> anyhow::Result<Servers> {
        let mut servers = Servers(Vec::new());
        for engine in ENGINES {
            let running = engine.run(Purpose::Tests, &servers)?;
            servers.0.push(running);
        }
        Ok(servers)
    }

    /// Starts one of the kind of this name.
    ///
    /// # Errors
    /// As [`Servers::start`]; and if there is no such kind.
    pub(crate) fn one(name: &str, purpose: Purpose) -> anyhow::Result<Servers> {
        let engine = ENGINES.iter().find(|engine| engine.name == name).with_context(|| format!("no server {name}"))?;
        Ok(Servers(vec![engine.run(purpose, &Servers(Vec::new()))?]))
    }

    /// Starts those of these names, for tests.
    ///
    /// # Errors
    /// As [`Servers::one`].
    pub(crate) fn some(names: &[&str]) -> anyhow::Result<Servers> {
        let mut servers = Servers(Vec::new());
        for name in names {
            servers.0.extend(Servers::one(name, Purpose::Tests)?.0);
        }
        Ok(servers)
    }

    /// The URL of the first.
    pub(crate) fn url(&self) -> Option<&str> {
        self.variables().next().map(|(_, url)| url)
    }

    /// The value of one of the variables, if its server was started.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// What tests find the servers by.
    fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().flat_map(|server| server.variables.iter().map(|(name, value)| (*name, &**value)))
    }

    /// Tells a command where the servers are.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.envs(self.variables())
    }
}

/// One server.
struct Running {
    process: Child,
    /// The signal that ends it in good order.
    stop: &'static str,
    folder: PathBuf,
    /// The URL, and what else tests are told.
    variables: Vec<(&'static str, String)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let told = program("kill").args(["-s", self.stop, &self.process.id().to_string()]).status();
        let until = Instant::now() + STOP_MAX;
        let mut is_over = false;
        while told.is_ok() && !is_over && Instant::now() < until {
            is_over = !matches!(self.process.try_wait(), Ok(None));
            std::thread::sleep(Duration::from_millis(20));
        }
        if !is_over {
            eprintln!("{} does not stop; it is killed", self.folder.display());
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder for one server, and who it runs as.
struct Place {
    folder: PathBuf,
    /// `None` for ourselves.
    user: Option<&'static str>,
    /// The signal that ends it in good order.
    stop: &'static str,
    purpose: Purpose,
}

impl Place {
    /// Makes the folder: under `target/`, or with the temporary files where the server's user cannot get to that.
    fn new(engine: &Engine, purpose: Purpose) -> anyhow::Result<Place> {
        let is_root = output(program("id").arg("-u"))?.trim() == "0";
        let user = is_root.then_some(engine.user);
        let name = format!("{}-{}", engine.name, std::process::id());
        for parent in [target().join("servers"), std::env::temp_dir().join("mainstay-servers")] {
            remove_left(&parent, engine.name);
            let place = Place { folder: parent.join(&name), user, stop: engine.stop, purpose };
            fs::create_dir_all(&place.folder)?;
            place.give()?;
            if place.command("test").arg("-w").arg(&place.folder).status().is_ok_and(|status| status.success()) {
                return Ok(place);
            }
            fs::remove_dir_all(&place.folder)?;
        }
        anyhow::bail!("the user {} can write to no folder that was tried", engine.user)
    }

    /// A folder beside this one that stays when the server stops, for what is fetched once.
    fn beside(&self, name: &str) -> PathBuf {
        self.folder.with_file_name(format!("programs-of-{name}"))
    }

    /// The database of the benchmark; tests make their own.
    fn database(&self) -> &'static str {
        if self.purpose == Purpose::Benchmark { "bench" } else { "" }
    }

    /// The statement that makes it.
    fn make_database(&self) -> String {
        if self.database().is_empty() { String::new() } else { format!("CREATE DATABASE {};\n", self.database()) }
    }

    /// Makes everything in the folder the server's own.
    fn give(&self) -> anyhow::Result<()> {
        match self.user {
            None => Ok(()),
            Some(user) => {
                let status = program("chown").arg("-R").arg(user).arg(&self.folder).status()?;
                ensure!(status.success(), "{} cannot be given to {user}", self.folder.display());
                Ok(())
            }
        }
    }

    /// A program that runs as the server's user, in the folder, and ends when we do.
    fn command(&self, name: &str) -> Command {
        let mut command = if is_there("setpriv") {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", self.stop]);
            if let Some(user) = self.user {
                command.args(["--reuid", user, "--regid", user, "--init-groups"]);
            }
            command.arg("--").arg(name);
            command
        } else {
            Command::new(name)
        };
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Runs a program to its end, without a word unless it fails.
    fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        let output = command.output().with_context(|| format!("starting {command:?}"))?;
        let words = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
        ensure!(output.status.success(), "{command:?} failed:\n{words}");
        Ok(())
    }
}

/// Removes what servers left whose starter was killed.
fn remove_left(parent: &Path, name: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let process = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('-'));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) && Path::new("/proc/self").exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A port that nobody uses at the moment.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits until `is_ready`, or the server has ended.
fn wait(process: &mut Child, log: &Path, is_ready: impl Fn() -> bool) -> anyhow::Result<()> {
    let until = Instant::now() + START_MAX;
    while !is_ready() {
        let ended = process.try_wait()?;
        if ended.is_some() || Instant::now() > until {
            let _ = process.kill();
            let _ = process.wait();
            anyhow::bail!("it did not start:\n{}", fs::read_to_string(log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

//! The two servers as processes: started on free ports, watched, ended with the run.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::dataset::{Data, SYNCHRONOUS};
use crate::exchange::{fetch, request};
use crate::figures::Settings;

/// A running server; it is ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Which database it serves, if it says so: the yardstick does.
    pub(crate) database: Option<String>,
}

impl Server {
    /// Starts Mainstay on the project.
    pub(crate) fn mainstay(program: &Path, data: &Data, settings: &Settings) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        settings.engine.tell(&mut command);
        command.args(["serve", "--listen", "127.0.0.1:0", "--set", "log.level=error"]).arg(&data.project);
        Self::start(command)
    }

    /// Starts the yardstick on its copy of the database, or on the same server.
    pub(crate) fn yardstick(program: &Path, data: &Data, settings: &Settings) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        settings.engine.tell(&mut command);
        command.args(&data.copy).args(["--key", &data.secret_key, "--synchronous", SYNCHRONOUS]);
        if let Some(readers) = settings.yardstick_readers {
            command.arg("--readers").arg(readers.to_string());
        }
        Self::start(command)
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let output = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(output);
        let mut database = None;
        let address = loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                let status = child.wait()?;
                anyhow::bail!("{:?} ended with {status} before it listened", command.get_program());
            }
            if let Some(said) = line.strip_prefix("on ") {
                database = Some(said.trim().to_owned());
            }
            if let Some((_, address)) = line.trim().split_once("listening on http://") {
                break address.parse().with_context(|| format!("no address: {line}"))?;
            }
        };
        // The rest of what it prints is taken and left, so that a full pipe never stops it.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(Self { child, address, database })
    }

    /// Memory that the process holds, in bytes, a moment after it was last asked anything.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        std::thread::sleep(Duration::from_millis(500));
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kibibytes: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
            .context("no VmRSS in /proc")?;
        Ok(kibibytes << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both may fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Milliseconds from starting the program to its first answer, the median of five starts on the full project.
pub(crate) fn measure_start(program: &Path, data: &Data, settings: &Settings) -> anyhow::Result<f64> {
    let ask = request("GET", "/rest/v1/orders?id=eq.1", &[("apikey", &data.secret_key)], b"");
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let server = Server::mainstay(program, data, settings)?;
        let (status, head, _) = fetch(server.address, &ask)?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(status == 200, "the first answer was {head}");
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Leaves both servers running for a profiler until a line comes on standard input.
#[expect(clippy::print_stdout, reason = "the lines are what a person asked for")]
pub(crate) fn hold(mainstay: &Server, yardstick: &Server, data: &Data) -> anyhow::Result<()> {
    println!("mainstay   http://{} pid {}", mainstay.address, mainstay.child.id());
    println!("yardstick  http://{} pid {}", yardstick.address, yardstick.child.id());
    println!("apikey     {}", data.secret_key);
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

//! Runs the executable, and talks to the one that serves.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// A fresh folder that goes when the test is over.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap() }
    }

    /// A project with these settings and this schema.
    pub(crate) fn project(settings: &str, schema: &str) -> Folder {
        let folder = Folder::new();
        folder.write("mainstay.toml", settings);
        folder.write("schema/shop.toml", schema);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// A command that runs in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        // Nothing of the machine's own settings; the rest is as a person's shell has it.
        command.env_clear().args(arguments).current_dir(self.path()).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Run { command }
    }

    /// The same copy again and again, killed a little later each time, until it comes to its end; gives how often it was
    /// killed.
    pub(crate) fn killed_until_done(&self, arguments: &[&str]) -> u32 {
        let started = Instant::now();
        let mut kills = 0;
        for wait_ms in (100..).step_by(150) {
            let mut command = self.run(arguments).command;
            let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let end = Instant::now() + Duration::from_millis(wait_ms);
            let mut status = None;
            while status.is_none() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
                status = process.try_wait().unwrap();
            }
            if let Some(status) = status {
                // It may have been killed between the last step and the proof before.
                assert!(status.success() || status.code() == Some(2), "{status:?}");
                break;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            kills += 1;
            assert!(started.elapsed() < Duration::from_secs(300), "it comes to no end");
        }
        kills
    }
}

/// A command about to run.
pub(crate) struct Run {
    pub(crate) command: Command,
}

/// What a command printed.
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Printed {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(mut self, code: i32) -> Printed {
        let output = self.command.output().unwrap();
        let printed = Printed {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let Printed { stdout, stderr } = &printed;
        assert_eq!(output.status.code(), Some(code), "{:?}\n{stdout}\n{stderr}", self.command);
        printed
    }
}

impl Printed {
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }
}

/// A process that serves, ended when the test is.
pub(crate) struct Server {
    child: Child,
    /// What it prints on stdout, line by line.
    pub(crate) lines: Receiver<String>,
    /// What it prints on stderr, line by line.
    pub(crate) errors: Receiver<String>,
    client: Client,
}

/// Whoever talks to a server; threads have one each.
#[derive(Clone, Default)]
pub(crate) struct Client {
    address: String,
    key: String,
}

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Longest wait for anything that a server should do at once: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

impl Run {
    /// Starts a command that serves the project in `folder`, and waits until it answers.
    #[track_caller]
    pub(crate) fn serves(mut self, folder: &Folder, says: &str) -> Server {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let errors = lines_of(child.stderr.take().unwrap());
        let mut server = Server { child, lines, errors, client: Client::default() };
        let line = server.waits_for(says);
        let url = &line[line.find("http://").unwrap() + "http://".len()..];
        server.client.address = url.split('/').next().unwrap().to_owned();
        server.client.key =
            folder.run(&["keys", "--json"]).succeeds().json()["MAINSTAY_SECRET_KEY"].as_str().unwrap().to_owned();
        server
    }
}

impl Server {
    /// The next line on stdout that contains `text`.
    #[track_caller]
    pub(crate) fn waits_for(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = String::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            seen = seen + &line + "\n";
        }
        let errors: Vec<String> = self.errors.try_iter().collect();
        panic!("no line with {text:?} in\n{seen}\n{}", errors.join("\n"));
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "")
    }

    /// One request with the secret key.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        self.client.request(method, path, body)
    }

    /// One who can ask from another thread.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> &str {
        &self.client.address
    }

    pub(crate) fn key(&self) -> &str {
        &self.client.key
    }

    /// Sends a `GET` with these header fields over HTTP/1.1, and leaves its answer to be read.
    #[track_caller]
    pub(crate) fn open(&self, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.client.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\napikey: {}\r\n{headers}\r\n",
            self.client.address, self.client.key
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Asks until the answer is `expected`: what the server does by itself takes a moment.
    #[track_caller]
    pub(crate) fn comes_to(&self, path: &str, expected: (u16, &str)) {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path);
            if (answer.status, answer.body.as_str()) == expected {
                return;
            }
            assert!(Instant::now() < end, "{path} still answers {answer:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the process to stop, as a service manager does, and gives its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Client {
    /// One request with the secret key.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // HTTP/1.0, so that the answer ends with the connection and has no chunks.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\napikey: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.key,
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but {answer:?}"));
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), body: body.to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

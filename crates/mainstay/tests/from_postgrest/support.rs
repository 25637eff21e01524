//! A database of one test, and a process that serves it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::Pool;
use sha2::Sha256;

/// Roles are the server's own, and made once.
const ROLES: &str = include_str!("roles.sql");
const FIXTURE: &str = include_str!("fixture.sql");
/// Signs the tokens of the tests.
pub(crate) const JWT_SECRET: &str = "reallyreallyreallyreallyverysafe";
/// Longest wait for anything that should be done at once: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn server() -> String {
    let name = "MAINSTAY_TEST_POSTGRES_URL";
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no PostgreSQL server; cargo xtask test starts one ({name} is not set)"))
}

fn run(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = Pool::new(PostgresOptions::parse(url).unwrap()).unwrap();
        let mut session = pool.session(Instant::now() + PATIENCE).await.unwrap();
        session.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{:?}", failure.server()));
        drop(session);
        pool.close().await;
    });
}

/// A database that goes when the test is over.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) fn new() -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("pgrst_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        static ROLES_ARE_MADE: Once = Once::new();
        ROLES_ARE_MADE.call_once(|| run(&server(), ROLES));
        run(&server(), &format!("CREATE DATABASE {name}"));
        let database = Database { name };
        database.run(FIXTURE);
        database
    }

    pub(crate) fn url(&self) -> String {
        let server = server();
        let (base, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (base, _) = base.rsplit_once('/').unwrap();
        format!("{base}/{}?{parameters}", self.name)
    }

    /// The same as the role that becomes others.
    pub(crate) fn door(&self) -> String {
        let url = self.url();
        let (_, rest) = url.split_once("://").unwrap();
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let separator = if rest.ends_with('?') { "" } else { "&" };
        format!("postgres://{rest}{separator}user=pgrst_test_door&password=sesame")
    }

    pub(crate) fn run(&self, sql: &str) {
        run(&self.url(), sql);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(&server(), &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A process that serves, ended when the test is.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
    pub(crate) admin: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header; several are joined by a bar.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join("|"))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

/// A command without anything of the machine's own settings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    command.env_clear().args(arguments).stdin(Stdio::null()).env("HOME", "/nonexistent");
    command
}

impl Service {
    /// Serves the database by `PGRST_…` of the environment.
    #[track_caller]
    pub(crate) fn over(database: &Database, settings: &[(&str, &str)]) -> Service {
        let mut command = command(&["serve", "--from-postgrest", "--listen", "127.0.0.1:0"]);
        command.env("PGRST_DB_URI", database.door());
        let usual = [
            ("DB_SCHEMAS", "api, other"),
            ("DB_ANON_ROLE", "pgrst_test_anon"),
            ("JWT_SECRET", JWT_SECRET),
            ("ADMIN_SERVER_HOST", "127.0.0.1"),
            ("ADMIN_SERVER_PORT", "0"),
        ];
        for (name, value) in usual.iter().chain(settings) {
            command.env(format!("PGRST_{name}"), value);
        }
        let service = Service::start(command, true);
        service.waits_until_ready("/films?limit=0");
        service
    }

    /// Starts a command that serves, and waits until it says where.
    #[track_caller]
    pub(crate) fn start(mut command: Command, has_admin: bool) -> Service {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut place = |says: &str| loop {
            let line = lines.next().expect("the process says where it listens").unwrap();
            if let Some((_, address)) = line.split_once(says) {
                return address.trim_start_matches("http://").to_owned();
            }
        };
        let address = place("listening on ");
        let admin = has_admin.then(|| place("admin server on "));
        thread::spawn(move || lines.for_each(drop)); // Nobody blocks it.
        Service { child, address, admin }
    }

    #[track_caller]
    pub(crate) fn waits_until_ready(&self, path: &str) {
        let end = Instant::now() + PATIENCE;
        while self.get(path).status == 503 {
            assert!(Instant::now() < end, "the catalog is not read");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends the process a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success(), "{name}");
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        ask(&self.address, method, path, headers, body)
    }

    pub(crate) fn admin(&self, path: &str) -> Reply {
        ask(self.admin.as_deref().unwrap(), "GET", path, &[], "")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    talk(stream, method, path, headers, body)
}

/// The same over anything that is connected.
pub(crate) fn talk(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    Reply { status: line.split(' ').nth(1).unwrap().parse().unwrap(), headers, body: body.to_owned() }
}

/// A token with these claims, which [`JWT_SECRET`] signs.
pub(crate) fn token(claims: &str) -> String {
    let signed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(JWT_SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The header of such a token.
pub(crate) fn bearer(claims: &str) -> String {
    format!("Bearer {}", token(claims))
}

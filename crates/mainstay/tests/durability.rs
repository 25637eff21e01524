//! The server is killed again and again while many clients write: what it acknowledged is there afterwards, what it did
//! not acknowledge has happened whole or not at all, and the file is sound.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KILLS: u64 = 50;
const WRITERS: u64 = 8;
/// Rows of one bulk insert.
const BULK: u64 = 20;

const SCHEMA: &str = "[entries.fields]\nid = { type = \"bigint\", primary = true }\nwriter = \"bigint\"\nvalue = \"bigint\"\n\n[entries.indexes]\nby_writer = [\"writer\"]\n";
const SETTINGS: &str = "[limits]\npage_rows_max = 1000000\n";

#[test]
fn acknowledged_writes_survive_fifty_kills_under_load() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    std::fs::write(folder.path().join("mainstay.toml"), SETTINGS).unwrap();
    std::fs::write(folder.path().join("schema/entries.toml"), SCHEMA).unwrap();
    let mut writers: Vec<_> = (0..WRITERS).map(Writer::new).collect();
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let mut server = Server::start(folder.path());
        for writer in &mut writers {
            writer.check(&server);
        }
        let pause = Duration::from_millis(40 + round * 53 % 160);
        acknowledged += write_until_killed(&mut server, &mut writers, pause);
    }
    let server = Server::start(folder.path());
    for writer in &mut writers {
        writer.check(&server);
    }
    let database = rusqlite::Connection::open(folder.path().join(".mainstay/main.db")).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let count: i64 = database.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
    assert_eq!(count.unsigned_abs(), writers.iter().map(|writer| writer.rows.len() as u64).sum::<u64>());
    assert!(acknowledged > KILLS * WRITERS, "the server was under load: {acknowledged} writes were acknowledged");
}

/// Lets all writers write, kills the server after `pause`, and gives the number of acknowledged writes.
fn write_until_killed(server: &mut Server, writers: &mut [Writer], pause: Duration) -> u64 {
    let (address, key) = (server.address.clone(), server.key.clone());
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            writers.iter_mut().map(|writer| scope.spawn(|| writer.write(&Client::new(&address, &key)))).collect();
        std::thread::sleep(pause);
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// One client, and what it knows of its rows.
struct Writer {
    number: u64,
    next: u64,
    /// Rows and their values, as acknowledged.
    rows: BTreeMap<u64, u64>,
    /// The write whose answer did not come.
    open: Vec<(u64, u64)>,
}

impl Writer {
    fn new(number: u64) -> Writer {
        Writer { number, next: 0, rows: BTreeMap::new(), open: Vec::new() }
    }

    /// Writes until the server is gone; gives the number of acknowledged writes.
    fn write(&mut self, client: &Client) -> u64 {
        let mut acknowledged = 0;
        loop {
            self.next += 1;
            let step = self.next;
            let id = |position: u64| (step * 100 + position) * WRITERS + self.number;
            let (method, path, rows) = match (step % 4, self.rows.keys().next_back()) {
                (3, Some(last)) => {
                    ("POST", "/rest/v1/batch".to_owned(), vec![(id(0), step), (*last, step), (id(1), step)])
                }
                (0, Some(last)) => ("PATCH", format!("/rest/v1/entries?id=eq.{last}"), vec![(*last, step)]),
                (1, _) => ("POST", "/rest/v1/entries".to_owned(), vec![(id(0), step)]),
                _ => ("POST", "/rest/v1/entries".to_owned(), (0..BULK).map(|at| (id(at), step)).collect()),
            };
            let body = match method {
                // One of each kind; the second changes a row that was there, the last one is put where none was.
                _ if path.ends_with("/batch") => {
                    let ([new, old, put], writer) = ([rows[0].0, rows[1].0, rows[2].0], self.number);
                    format!(
                        r#"{{"steps":[{{"id":"new","method":"POST","path":"/entries?select=value","prefer":"return=representation","body":[{{"id":{new},"writer":{writer},"value":{step}}}]}},
                        {{"method":"PATCH","path":"/entries?id=eq.{old}","body":{{"value":{{"$ref":"new[0].value"}}}}}},
                        {{"method":"PUT","path":"/entries?id=eq.{put}","body":{{"id":{put},"writer":{writer},"value":{step}}}}}]}}"#
                    )
                }
                "PATCH" => format!("{{\"value\":{step}}}"),
                _ => {
                    let row = |(id, value)| format!("{{\"id\":{id},\"writer\":{},\"value\":{value}}}", self.number);
                    format!("[{}]", rows.iter().copied().map(row).collect::<Vec<_>>().join(","))
                }
            };
            match client.send(method, &path, &body) {
                Some((200..=299, _)) => {
                    self.rows.extend(rows);
                    acknowledged += 1;
                }
                Some((status, answer)) => panic!("{method} {path}: {status} {answer}"),
                None => {
                    self.open = rows;
                    return acknowledged;
                }
            }
        }
    }

    /// Compares what the server has with what was acknowledged, and takes in the open write if it happened.
    fn check(&mut self, server: &Server) {
        let client = Client::new(&server.address, &server.key);
        let path = format!("/rest/v1/entries?select=id,value&writer=eq.{}", self.number);
        let (status, body) = client.send("GET", &path, "").unwrap();
        assert_eq!(status, 200, "{body}");
        let found: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
        let found: BTreeMap<u64, u64> =
            found.iter().map(|row| (row["id"].as_u64().unwrap(), row["value"].as_u64().unwrap())).collect();
        let mut with_open = self.rows.clone();
        with_open.extend(self.open.drain(..));
        assert!(found == self.rows || found == with_open, "writer {}: a row is lost, torn or too many", self.number);
        self.rows = found;
    }
}

/// A running server, killed when it is dropped.
struct Server {
    process: Child,
    address: String,
    key: String,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
        command.arg("serve").arg(folder).args(["--listen", "127.0.0.1:0"]).env_remove("DATABASE_URL");
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("listening on http://")?.1.trim().to_owned()));
        let address = address.expect("the server says where it listens");
        let keys = Command::new(env!("CARGO_BIN_EXE_mainstay")).arg("keys").arg(folder).output().unwrap();
        let keys = String::from_utf8(keys.stdout).unwrap();
        let key = keys.lines().find_map(|line| line.strip_prefix("MAINSTAY_SECRET_KEY=")).unwrap().to_owned();
        Server { process, address, key }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends requests, each on a connection of its own.
struct Client {
    address: String,
    key: String,
}

impl Client {
    fn new(address: &str, key: &str) -> Client {
        Client { address: address.to_owned(), key: key.to_owned() }
    }

    /// Status and body of the answer; `None` if no whole answer came.
    fn send(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\napikey: {}\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n",
            self.address,
            self.key,
            body.len()
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        let started = Instant::now();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        assert!(started.elapsed() < Duration::from_secs(20), "the server answers");
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        // A body that was cut off is no answer; one without a length ends with the connection.
        length.is_none_or(|length: usize| length == body.len()).then(|| (status, body.to_owned()))
    }
}

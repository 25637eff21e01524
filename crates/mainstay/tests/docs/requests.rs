//! `http` blocks: requests and their answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::blocks::{Page, matches};
use crate::console;

/// Sends the page's requests in order to one server over a fresh copy of `examples/shop`.
pub(crate) fn run(page: &mut Page) -> Vec<String> {
    if !page.blocks.iter().any(|block| block.language == "http") {
        return Vec::new();
    }
    let server = Server::start();
    let mut wrong = Vec::new();
    let mut answer: Option<Answer> = None;
    for block in page.blocks.iter_mut().filter(|block| block.language == "http") {
        if !block.text.starts_with("HTTP/1.1") {
            answer = Some(server.send(&block.text));
            continue;
        }
        let Some(answer) = &answer else {
            wrong.push(format!("{}: an answer without a request before it", block.place));
            continue;
        };
        let actual = answer.shown_like(&block.text);
        if !matches(&block.text, &actual) {
            wrong.push(format!("{}: expected\n{}\nbut got\n{actual}", block.place, block.text));
            block.text = actual.trim_end().to_owned();
        }
    }
    wrong
}

/// Copies a folder, leaving state behind.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_name() == ".mainstay" {
            continue;
        }
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copied file");
        }
    }
}

struct Server {
    process: Child,
    address: String,
    publishable: String,
    secret: String,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&crate::root().join("examples/shop"), folder.path());
        let keys = console::mainstay(folder.path()).arg("keys").output().expect("keys");
        let keys = String::from_utf8(keys.stdout).expect("text");
        let key = |name: &str| keys.lines().find_map(|line| line.strip_prefix(name)).expect("a key").to_owned();
        let mut command: Command = console::mainstay(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a server");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
            .expect("the address");
        let publishable = key("MAINSTAY_PUBLISHABLE_KEY=");
        let secret = key("MAINSTAY_SECRET_KEY=");
        Server { process, address, publishable, secret, _folder: folder }
    }

    /// Sends a request written as method and target, headers, blank line, body. Without an `apikey` header the secret
    /// key is sent; `$PUBLISHABLE_KEY` and `$SECRET_KEY` are replaced.
    fn send(&self, request: &str) -> Answer {
        let request = request.replace("$PUBLISHABLE_KEY", &self.publishable).replace("$SECRET_KEY", &self.secret);
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let (first, headers) = head.split_once('\n').unwrap_or((head, ""));
        let mut text = format!("{first} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for header in headers.lines() {
            text.push_str(&format!("{header}\r\n"));
        }
        if !headers.to_ascii_lowercase().contains("apikey:") {
            text.push_str(&format!("apikey: {}\r\n", self.secret));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
            if !headers.to_ascii_lowercase().contains("content-type:") {
                text.push_str("Content-Type: application/json\r\n");
            }
        }
        text.push_str(&format!("\r\n{body}"));
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(text.as_bytes()).expect("a request sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned())));
        Answer { status, headers: headers.collect(), body: body.to_owned() }
    }
}

struct Answer {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// The answer with those headers that `expected` lists.
    fn shown_like(&self, expected: &str) -> String {
        let (head, _) = expected.split_once("\n\n").unwrap_or((expected, ""));
        let mut text = self.status.clone();
        for (name, _) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
            let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
            match found {
                Some((_, value)) => text.push_str(&format!("\n{name}: {value}")),
                None => text.push_str(&format!("\n{name} is absent")),
            }
        }
        if !self.body.is_empty() {
            text.push_str(&format!("\n\n{}", pretty(&self.body)));
        }
        text
    }
}

/// Rows on lines of their own, otherwise as it came; long rows with a member a line.
fn pretty(body: &str) -> String {
    let parts: Result<Vec<&serde_json::value::RawValue>, _> = serde_json::from_str(body);
    match parts {
        Ok(rows) if !rows.is_empty() => {
            let rows: Vec<String> = rows.iter().map(|row| format!("  {}", row.get())).collect();
            format!("[\n{}\n]", rows.join(",\n"))
        }
        _ => body.to_owned(),
    }
}

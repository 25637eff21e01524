//! An export of many rows as NDJSON: all of them, in constant memory, and cut where it cannot be whole.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::serve::{NOTES, serve};
use crate::support::{Folder, Server};

/// Rows, of some 220 octets each: twenty-odd megabytes of answer.
const ROWS: u64 = 100_000;
/// What an export may add to the memory of the process. An answer that is kept whole adds ten times as much.
const GROWTH_MAX_KIB: u64 = 6 << 10;

/// A project with many notes.
fn filled() -> Folder {
    let folder = Folder::project("", NOTES);
    serve(&folder).terminate();
    let file = rusqlite::Connection::open(folder.file(".mainstay/main.db")).unwrap();
    let insert = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?1)
                  INSERT INTO notes (id, text) SELECT id, printf('note %d %s', id, hex(zeroblob(90))) FROM n";
    file.execute(insert, [ROWS.cast_signed()]).unwrap();
    folder
}

fn anonymous_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

const HEAD: &str = "Accept: application/x-ndjson\r\nConnection: close\r\n";

#[test]
fn an_export_of_any_size_takes_constant_memory() {
    let folder = filled();
    let server = serve(&folder);
    // What the first requests set up is not the export's.
    let few = format!("{HEAD}Accept-Encoding: identity\r\n");
    let mut warm = String::new();
    server.open("/rest/v1/notes?limit=20000", &few).read_to_string(&mut warm).unwrap();
    let before = anonymous_kib(&server);
    let mut stream = server.open("/rest/v1/notes?order=id", &few);
    let (mut rows, mut octets, mut most, mut end) = (0, 0, 0, Vec::new());
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = stream.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        octets += length;
        rows += buffer[..length].iter().filter(|octet| **octet == b'}').count() as u64;
        end.extend_from_slice(&buffer[..length]);
        end.drain(..end.len().saturating_sub(5));
        most = most.max(anonymous_kib(&server));
    }
    assert_eq!(end, b"0\r\n\r\n", "the answer has its end");
    assert_eq!(rows, ROWS);
    assert!(octets > 20_000_000, "{octets}");
    let growth = most.saturating_sub(before);
    assert!(growth < GROWTH_MAX_KIB, "an export of {octets} octets took {growth} KiB");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn an_export_that_nobody_takes_is_cut_and_pages_go_on() {
    let folder = filled();
    folder.write("mainstay.toml", "[server]\nwrite_time = 1\n");
    let server = serve(&folder);
    let mut silent: Vec<_> = (0..6).map(|_| server.open("/rest/v1/notes", HEAD)).collect();
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    assert_eq!(server.get("/rest/v1/notes?id=eq.1&select=id").body, r#"[{"id":1}]"#);
    assert!(begun.elapsed() < Duration::from_secs(5), "a page waited {:?} for exports", begun.elapsed());
    std::thread::sleep(Duration::from_secs(4));
    for stream in &mut silent {
        let mut answer = Vec::new();
        // The connection may be reset, which is an error here; what matters is that the end is not there.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.ends_with(b"0\r\n\r\n"), "an answer that was cut must not look whole");
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_client_without_chunks_gets_an_answer_with_a_length_or_an_error() {
    let folder = filled();
    folder.write("mainstay.toml", "[limits]\nresponse_bytes_max = 2000000\n");
    let server = serve(&folder);
    let answer = |path: &str| {
        let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nHost: x\r\napikey: {}\r\n{HEAD}\r\n", server.key());
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let few = answer("/rest/v1/notes?limit=5000&select=id,text");
    assert!(few.starts_with("HTTP/1.0 200") && few.contains("content-length: 1"), "{:.300}", few);
    // An end of the connection would be the end of the rows, whyever it came.
    let many = answer("/rest/v1/notes");
    assert!(many.starts_with("HTTP/1.0 400") && many.contains("limits.response_bytes_max"), "{:.300}", many);
}

#[test]
fn a_stop_does_not_wait_for_an_export_that_nobody_takes() {
    let folder = filled();
    folder.write("mainstay.toml", "[server]\ndrain_time = 1\n");
    let server = serve(&folder);
    let silent = server.open("/rest/v1/notes", HEAD);
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    assert_eq!(server.terminate(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
    drop(silent);
}

//! A server that stops and comes back: seen through a relay that the test opens and closes.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::api::Api;

/// What is in the database.
pub(crate) const NOTES: &str = "CREATE TABLE notes (id int PRIMARY KEY, text text); INSERT INTO notes VALUES (1, 'a')";

/// Hands connections on to the server while it is open.
struct Relay {
    port: u16,
    is_open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(target: String) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay {
            port: listener.local_addr().unwrap().port(),
            is_open: Arc::new(AtomicBool::new(true)),
            streams: Arc::default(),
        };
        let (is_open, streams) = (relay.is_open.clone(), relay.streams.clone());
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // A server that is down hangs up at once.
                if !is_open.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(&target).unwrap();
                streams.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    std::thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        relay
    }

    fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

/// Where a URL leads, and the URL that leads to a port of this machine instead.
fn parts(url: &str) -> (String, impl Fn(u16) -> String + use<>) {
    let start = url.find('@').unwrap() + 1;
    let end = start + url[start..].find('/').unwrap();
    let url = url.to_owned();
    (url[start..end].to_owned(), move |port| format!("{}127.0.0.1:{port}{}", &url[..start], &url[end..]))
}

/// Serves a database that has [`NOTES`] while its server stops and comes back.
pub(crate) async fn is_met_with_503_and_over_without_a_restart(url: &str) {
    let (target, url) = parts(url);
    let relay = Relay::to(target);
    let api = Api::over(&url(relay.port)).await;
    assert_eq!(api.get("notes").await, r#"[{"id":1,"text":"a"}]"#);
    assert_eq!(api.health().await.status, 200);

    relay.close();
    for _ in 0..3 {
        for (method, body) in [("GET", ""), ("POST", r#"{"id":2}"#)] {
            let reply = api.send(method, "notes", &[], body).await;
            assert_eq!(reply.status, 503, "{method}: {}", reply.body);
            assert!(reply.headers.contains_key("retry-after"), "{method}");
            assert!(!reply.body.contains("127.0.0.1"), "{}", reply.body);
        }
    }
    assert_eq!(api.health().await.status, 503);

    relay.open();
    let end = Instant::now() + Duration::from_secs(20);
    while api.health().await.status != 200 {
        assert!(Instant::now() < end, "it did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(api.get("notes").await, r#"[{"id":1,"text":"a"}]"#);
    assert_eq!(api.write("POST", "notes", "", r#"{"id":2,"text":"b"}"#).await, r#"[{"id":2,"text":"b"}]"#);
}

//! The real server on a loopback socket: what only a socket can show.

use std::time::Duration;

use mainstay_http::{ServerLimits, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::app::{SECRET, TestApp, small_limits};

struct Server {
    address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

async fn start(limits: ServerLimits) -> Server {
    let apps = TestApp::each_with(small_limits(), mainstay_http::Cors::Any).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = apps[0].app();
    let running = tokio::spawn(async move {
        serve(listener, app, limits, async move {
            let _ = stopped.await;
        })
        .await
    });
    Server { address, stop: Some(stop), running }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends octets and reads until the server closes the connection.
    async fn exchange(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut may give an error instead of an end.
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await.expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn request(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: test\r\napikey: {SECRET}\r\n{more}\r\n")
}

#[tokio::test]
async fn head_has_no_body_and_no_length() {
    let server = start(ServerLimits::default()).await;
    for path in ["/rest/v1/makers", "/rest/v1/nothing"] {
        let answer = server.exchange(&request("HEAD", path, "connection: close\r\n")).await;
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("content-length"), "{answer}");
    }
    let answer = server.exchange(&request("GET", "/rest/v1/makers?select=id&id=eq.1", "connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n[{\"id\":1}]"), "{answer}");
}

#[tokio::test]
async fn an_announced_length_above_the_limit_is_refused_before_the_body() {
    let server = start(ServerLimits::default()).await;
    let answer = server.exchange(&request("POST", "/rest/v1/makers", "content-length: 1000000000\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("limits.body_bytes_max"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let server = start(ServerLimits::default()).await;
    let answer = server.exchange(&(request("POST", "/rest/v1/makers", "content-length: 100\r\n") + "{")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let limits = ServerLimits {
        head_time: Duration::from_millis(150),
        idle_time: Duration::from_millis(300),
        ..ServerLimits::default()
    };
    let server = start(limits).await;
    for silent in ["", "G", "PRI * HT", "GET /rest/v1/makers HTTP/1.1\r\nhost: te"] {
        let begun = std::time::Instant::now();
        assert_eq!(server.exchange(silent).await, "", "{silent:?}");
        assert!(begun.elapsed() >= Duration::from_millis(140), "{silent:?} ended after {:?}", begun.elapsed());
    }
    // A connection that had its answer may be idle for longer than a head may take.
    let begun = std::time::Instant::now();
    let answer = server.exchange(&request("GET", "/health/live", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() >= Duration::from_millis(290), "closed after {:?}", begun.elapsed());
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = start(ServerLimits::default()).await;
    let mut stream = server.connect().await;
    let mut all = request("GET", "/rest/v1/makers?select=id&id=eq.1", "").repeat(20);
    all.push_str(&request("GET", "/health/live", "connection: close\r\n"));
    stream.write_all(all.as_bytes()).await.unwrap();
    let answers = rest(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 21, "{answers}");
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_and_the_place_is_free_again() {
    let server = start(ServerLimits { connections_max: 1, ..ServerLimits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(request("GET", "/health/live", "").as_bytes()).await.unwrap();
    let mut start = [0; 15];
    first.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    assert_eq!(server.exchange(&request("GET", "/health/live", "connection: close\r\n")).await, "");
    drop(first);
    for _ in 0..50 {
        let answer = server.exchange(&request("GET", "/health/live", "connection: close\r\n")).await;
        if answer.starts_with("HTTP/1.1 200") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place of a closed connection was not given to another");
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_runs_and_takes_nothing_new() {
    let mut server = start(ServerLimits::default()).await;
    let mut busy = server.connect().await;
    // Its body comes only after the server was told to stop.
    let body = r#"{"id":9,"name":"late"}"#;
    let head = request("POST", "/rest/v1/makers", &format!("content-length: {}\r\n", body.len()));
    busy.write_all(head.as_bytes()).await.unwrap();
    let mut idle = server.connect().await;
    idle.write_all(request("GET", "/health/live", "").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.take().unwrap().send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    busy.write_all(body.as_bytes()).await.unwrap();
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 201"));
    rest(&mut idle).await;
    timeout(Duration::from_secs(5), server.running).await.expect("it stops").unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn malformed_requests_get_no_answer_that_hides_another() {
    let server = start(ServerLimits::default()).await;
    let hidden = request("GET", "/health/live", "");
    for bad in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: -1\r\n",
        "content-length: 4, 5\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding : chunked\r\n",
        "host: second\r\n",
        "x: a\0b\r\n",
        " folded: x\r\n",
    ] {
        let text = request("POST", "/rest/v1/makers", bad) + "0\r\n\r\n" + &hidden;
        let answer = server.exchange(&text).await;
        let answers = answer.matches("HTTP/1.1").count();
        assert!(answers <= 1 && !answer.contains("HTTP/1.1 2"), "{bad:?}: {answer}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_why() {
    let server = start(ServerLimits::default()).await;
    let many = (0..300).map(|n| format!("x-{n}: v\r\n")).collect::<String>();
    let long = format!("/{}", "x".repeat(70_000));
    for (text, status, code) in [
        (request("GET", "/rest/v1/toys?select=a b", ""), "400", "MS401"),
        ("nonsense\r\n\r\n".to_owned(), "400", "MS401"),
        (request("GET", "/rest/v1/toys", &many), "431", "MS431"),
        (request("GET", &long, ""), "414", "MS414"),
    ] {
        let answer = server.exchange(&text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    }
}

#[tokio::test]
async fn urls_may_be_typed_as_they_are_read() {
    let server = start(ServerLimits::default()).await;
    let typed = "/rest/v1/toys?select=info->a->>c&info->a=eq.{\"c\":\"é\"}";
    let expected = r#"[{"c":"é"}]"#;
    let answer = server.exchange(&request("GET", typed, "connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(expected), "{answer}");
    // On a connection that is kept, too, as long as it is plain where a request begins.
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(request("GET", typed, "").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(expected), "{answer}");
        // The request ends with its answer, on the server's side a moment later.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_body_is_never_taken_for_a_url() {
    let server = start(ServerLimits::default()).await;
    // Were the body rewritten, it would be longer than announced, and its end another request.
    let body = "GET />>>>>>>>>>>>>>>>>>>>>>>>> HTTP/1.1\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let head = request("POST", "/rest/v1/makers", &format!("content-length: {}\r\n", body.len()));
    for pause in [0, 30] {
        let mut stream = server.connect().await;
        stream.write_all(request("GET", "/health/live", "").as_bytes()).await.unwrap();
        let mut first = vec![0; 4096];
        assert!(stream.read(&mut first).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        stream
            .write_all(request("GET", "/rest/v1/makers?select=id&id=eq.1", "connection: close\r\n").as_bytes())
            .await
            .unwrap();
        let answers = rest(&mut stream).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
        assert!(answers.starts_with("HTTP/1.1 400") && answers.ends_with(r#"[{"id":1}]"#), "{answers}");
    }
}

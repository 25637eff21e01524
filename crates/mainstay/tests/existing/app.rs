//! A project over a database that the test made by itself, in process.

use std::path::PathBuf;

use http::Request;
use http_body_util::BodyExt;
use mainstay::project::Project;
use mainstay::wire;
use mainstay_http::{App, router};
use serde_json::Value;
use tower::ServiceExt;

/// A served database.
pub(crate) struct Db {
    folder: tempfile::TempDir,
    app: App,
    secret: String,
    publishable: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) range: String,
}

impl Db {
    /// Serves what these statements make.
    pub(crate) fn of(sql: &str) -> Db {
        Db::with(sql, "", "")
    }

    /// The same with more settings and a schema file.
    pub(crate) fn with(sql: &str, settings: &str, schema: &str) -> Db {
        Db::with_queries(sql, settings, schema, &[])
    }

    /// The same with functions: the name of a file in `queries/` and its text.
    pub(crate) fn with_queries(sql: &str, settings: &str, schema: &str, queries: &[(&str, &str)]) -> Db {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("queries")).unwrap();
        for (name, text) in queries {
            std::fs::write(folder.path().join("queries").join(name), text).unwrap();
        }
        rusqlite::Connection::open(folder.path().join("app.db")).unwrap().execute_batch(sql).unwrap();
        let text = format!("[stores.main]\nurl = \"sqlite:app.db\"\nintrospect = true\n{settings}");
        std::fs::write(folder.path().join("mainstay.toml"), text).unwrap();
        std::fs::create_dir(folder.path().join("schema")).unwrap();
        std::fs::write(folder.path().join("schema/app.toml"), schema).unwrap();
        let project = Project::open(folder.path(), &[]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let secrets = project.secrets().unwrap();
        let app = wire::app(&project, wire::engine(&project).unwrap().0).unwrap();
        let (secret, publishable) = (secrets.secret.expose().to_owned(), secrets.publishable.expose().to_owned());
        Db { folder, app, secret, publishable }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    /// Another program's connection.
    pub(crate) fn other(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let url = format!("/rest/v1/{}", encoded(path));
        let mut request = Request::builder().method(method).uri(url).header("host", "test");
        if !headers.iter().any(|(name, _)| *name == "apikey") {
            request = request.header("apikey", &self.secret);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        let (head, body) = router(self.app.clone()).oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let range = head.headers.get("content-range").map_or("", |value| value.to_str().unwrap()).to_owned();
        Reply { status: head.status.as_u16(), body, range }
    }

    /// The rows of a read.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> impl Future<Output = String> {
        let place = std::panic::Location::caller();
        async move {
            let reply = self.send("GET", path, &[], "").await;
            assert_eq!(reply.status, 200, "{path} at {place}: {}", reply.body);
            reply.body
        }
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    /// Status and code of what is refused.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let reply = self.send(method, path, &[], body).await;
        let code = serde_json::from_str::<Value>(&reply.body).unwrap_or_default()["code"].as_str().map(str::to_owned);
        (reply.status, code.unwrap_or(reply.body))
    }

    /// A write that gives its rows back.
    pub(crate) async fn write(&self, method: &str, path: &str, body: &str) -> String {
        let reply = self.send(method, path, &[("prefer", "return=representation")], body).await;
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }

    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: &str) -> u16 {
        let publishable = self.publishable.clone();
        self.send(method, path, &[("apikey", &publishable)], body).await.status
    }

    /// A read with the publishable key.
    pub(crate) async fn send_anonymously(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let publishable = self.publishable.clone();
        self.send("GET", path, &[headers, &[("apikey", &publishable)]].concat(), "").await
    }
}

/// Escapes what cannot stand in a URL. `%` stays: tests that mean it write `%25`.
fn encoded(path: &str) -> String {
    let mut url = String::new();
    for byte in path.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'}' | b'|' | b'[' | b']' | b'#' | 0x80.. => {
                url.push_str(&format!("%{byte:02X}"));
            }
            byte => url.push(byte as char),
        }
    }
    url
}

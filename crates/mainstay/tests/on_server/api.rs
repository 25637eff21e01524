//! The API of a project over the database of a server, in process.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use mainstay::config::Override;
use mainstay::migrations::{self, Allow};
use mainstay::project::Project;
use mainstay::transfer::{SeedMode, seed};
use mainstay::wire;
use mainstay_http::{App, router};
use mainstay_store::Store;
use serde_json::Value;
use tower::ServiceExt;

/// The API of a project.
pub(crate) struct Api {
    app: App,
    store: Arc<dyn Store>,
    pub(crate) project: Project,
    secret: String,
    publishable: String,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Api {
    /// The project in a folder, over the database of a URL; its tables are made and filled where they are declared.
    pub(crate) async fn of(folder: &Path, url: &str) -> Api {
        Api::with(folder, url, &[]).await
    }

    /// The same with more settings: section, name and value.
    pub(crate) async fn with(folder: &Path, url: &str, settings: &[(&str, &str, &str)]) -> Api {
        Api::opened(folder, url, settings, true).await
    }

    /// The same without looking at the tables, as if the databases had been there when it started.
    pub(crate) async fn without_tables(folder: &Path, url: &str, settings: &[(&str, &str, &str)]) -> Api {
        Api::opened(folder, url, settings, false).await
    }

    async fn opened(folder: &Path, url: &str, settings: &[(&str, &str, &str)], makes_tables: bool) -> Api {
        let set = |section: &str, name: &str, text: &str| Override::new(section, name, text).unwrap();
        let given = settings.iter().map(|(section, name, text)| set(section, name, text));
        let overrides = [set("stores.main", "url", url), set("rest", "aggregates", "on")].into_iter().chain(given);
        let overrides: Vec<Override> = overrides.collect();
        let project = Project::open(folder, &overrides).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let (engine, stores) = wire::engine(&project).unwrap();
        let declared = || stores.parts().iter().filter(|part| makes_tables && !part.project.settings.store.introspect);
        for part in declared() {
            migrations::sync(&part.project, &*part.store, Allow::Safe).await.unwrap();
        }
        if declared().next().is_some() {
            seed(&**stores.whole(), &project.schema, &project.seed_folder(), SeedMode::Empty).await.unwrap();
        }
        let project = project.with_functions().unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        engine.replace_schema((*project.schema).clone());
        let secrets = project.secrets().unwrap();
        let store = engine.store().clone();
        let app = wire::app(&project, engine).unwrap();
        let (secret, publishable) = (secrets.secret.expose().to_owned(), secrets.publishable.expose().to_owned());
        Api { app, store, project, secret, publishable }
    }

    /// A database that was found, in a folder without files.
    pub(crate) async fn over(url: &str) -> Api {
        let folder = tempfile::tempdir().unwrap();
        Api::of(folder.path(), url).await
    }

    /// Waits for all that is under way, so that nothing is in the way of whoever drops the database.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }

    async fn ask(&self, method: &str, url: String, key: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        // As clients send it.
        let url = url.replace('>', "%3E").replace('{', "%7B").replace('}', "%7D");
        let mut request = Request::builder().method(method).uri(url).header("host", "test").header("apikey", key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        let (head, body) = router(self.app.clone()).oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.ask(method, format!("/rest/v1/{path}"), &self.secret, headers, body).await
    }

    /// What a function gives to somebody with the publishable key.
    pub(crate) async fn called(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let reply = self.ask(method, format!("/rest/v1/rpc/{path}"), &self.publishable, &[], body).await;
        (reply.status, reply.body)
    }

    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: &str) -> u16 {
        self.ask(method, format!("/rest/v1/{path}"), &self.publishable, &[], body).await.status
    }

    pub(crate) async fn health(&self) -> Reply {
        self.ask("GET", "/health/ready".to_owned(), "none", &[], "").await
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
    pub(crate) async fn write(&self, method: &str, path: &str, prefer: &str, body: &str) -> String {
        let prefer = format!("return=representation,{prefer}");
        let reply = self.send(method, path, &[("prefer", &prefer)], body).await;
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }
}

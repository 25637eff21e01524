//! `rest.md` section by section: what no other file says of it. Each test names its section.

mod codes;
mod embeds;
mod errors;
mod headers;
mod output;
mod pages;
mod routing;
mod tokens;
mod writes;

use crate::app::{Reply, TestApp, get};

/// Each URL with the rows it gives, on every store.
async fn rows(apps: &[TestApp], cases: &[(&str, &str)]) {
    for (url, body) in cases {
        crate::app::check(apps, get(url), 200, body).await;
    }
}

/// A member of an error; empty if it is null.
fn member(reply: &Reply, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    body[name].as_str().unwrap_or_default().to_owned()
}

//! Reads, from the query string to the body that a real PostgreSQL makes: `cases/*.txt`, one file for a chapter of
//! `rest.md`. `UPDATE_EXPECT=1` writes what came into the files.

#![expect(clippy::unwrap_used, reason = "a test ends by a panic")]

mod support;

use std::path::Path;

use support::Database;

async fn check(chapter: &str) {
    let database = Database::new().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reads/cases").join(format!("{chapter}.txt"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut came = String::new();
    for block in text.split("\n\n") {
        let comments = block.lines().take_while(|line| line.starts_with('#'));
        let request = block.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        if !came.is_empty() {
            came.push('\n');
        }
        for line in comments {
            came.push_str(line);
            came.push('\n');
        }
        if !request.is_empty() {
            came.push_str(request);
            came.push('\n');
            came.push_str(&database.answer(request).await);
            came.push('\n');
        }
    }
    database.close().await;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, came).unwrap();
        return;
    }
    for (came, expected) in came.split("\n\n").zip(text.split("\n\n")) {
        assert_eq!(came.trim_end(), expected.trim_end(), "{chapter}");
    }
    assert_eq!(came.trim_end(), text.trim_end());
}

#[tokio::test]
async fn filters() {
    check("filters").await;
}

#[tokio::test]
async fn members() {
    check("members").await;
}

#[tokio::test]
async fn aggregates() {
    check("aggregates").await;
}

#[tokio::test]
async fn embeds() {
    check("embeds").await;
}

#[tokio::test]
async fn relationships() {
    check("relationships").await;
}

#[tokio::test]
async fn spreads() {
    check("spreads").await;
}

#[tokio::test]
async fn orders_and_pages() {
    check("orders").await;
}

#[tokio::test]
async fn sources() {
    check("sources").await;
}

#[tokio::test]
async fn forms() {
    check("forms").await;
}

#[tokio::test]
async fn statements() {
    check("statements").await;
}

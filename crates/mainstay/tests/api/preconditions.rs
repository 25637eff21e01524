//! ETag, If-Match and If-None-Match: nobody overwrites what they have not seen.

use std::sync::Arc;

use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const ONE: &str = "application/vnd.pgrst.object+json";

fn patch(url: &str, body: &str) -> Ask {
    ask("PATCH", url).body(body.to_owned())
}

async fn tag(app: &TestApp, url: &str) -> String {
    let reply = app.send(get(url)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.header("etag").to_owned()
}

#[tokio::test]
async fn reads_carry_a_tag_that_changes_with_the_rows() {
    for app in TestApp::each().await {
        let list = tag(&app, "toys?id=eq.1").await;
        assert_eq!((list.len(), list.starts_with('"')), (34, true));
        let single = app.send(get("toys?id=eq.1").header("accept", ONE)).await;
        assert_eq!(single.header("etag"), list, "one row has one tag in a list and alone");
        let head = app.send(ask("HEAD", "toys?id=eq.1")).await;
        assert_eq!((head.header("etag"), head.body.as_str(), head.header("content-length")), (&*list, "", ""));
        assert_ne!(tag(&app, "toys?id=eq.2").await, list);
        assert_ne!(tag(&app, "toys?id=eq.1&select=name").await, list);
        let csv = app.send(get("toys?id=eq.1").header("accept", "text/csv")).await;
        assert_ne!(csv.header("etag"), list);
        assert_eq!(app.send(patch("toys?id=eq.1", r#"{"price":5}"#)).await.header("etag"), "");
        assert_ne!(tag(&app, "toys?id=eq.1").await, list);
        assert_eq!(app.send(get("nothing")).await.header("etag"), "");
    }
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    for app in TestApp::each().await {
        let seen = tag(&app, "toys?id=eq.1").await;
        for names in [seen.clone(), format!("W/{seen}"), format!("\"x\", {seen}"), "*".to_owned()] {
            let reply = app.send(get("toys?id=eq.1").header("if-none-match", &names)).await;
            assert_eq!((reply.status, reply.body.as_str(), reply.header("etag")), (304, "", &*seen), "{names}");
            assert_eq!(reply.header("content-location"), "/toys?id=eq.1");
            assert_eq!(reply.header("vary"), "Accept, Prefer, Range");
            assert_eq!((reply.header("content-type"), reply.header("content-length")), ("", ""));
        }
        assert_eq!(app.send(get("toys?id=eq.1").header("if-none-match", "\"x\"")).await.status, 200);
        assert_eq!(app.send(get("toys?id=eq.99").header("if-none-match", "*")).await.status, 200);
        assert_eq!(app.send(get("toys?id=eq.1").header("if-match", &seen)).await.status, 200);
        assert_eq!(app.send(get("toys?id=eq.1").header("if-match", "\"x\"")).await.code(), "MS412");
    }
}

#[tokio::test]
async fn a_write_happens_only_to_what_was_seen() {
    for app in TestApp::each().await {
        let seen = tag(&app, "toys?id=eq.1").await;
        let write =
            |tag: &str, price: u32| patch("toys?id=eq.1", &format!(r#"{{"price":{price}}}"#)).header("if-match", tag);
        assert_eq!(app.send(write(&seen, 20)).await.status, 204);
        let reply = app.send(write(&seen, 30)).await;
        assert_eq!((reply.status, reply.code().as_str()), (412, "MS412"));
        assert_eq!(reply.header("preference-applied"), "");
        for stale in ["\"x\"", "", "nonsense", &format!("W/{}", tag(&app, "toys?id=eq.1").await)] {
            assert_eq!(app.send(write(stale, 40)).await.status, 412, "{stale}");
        }
        assert_eq!(app.send(get("toys?id=eq.1&select=price")).await.body, r#"[{"price":20.00}]"#);
        let list = format!("\"x\", {}", tag(&app, "toys?id=eq.1").await);
        assert_eq!(app.send(write(&list, 50)).await.status, 204);
        assert_eq!(app.send(write("*", 60)).await.status, 204);
        assert_eq!(app.send(patch("toys?id=eq.99", r#"{"price":1}"#).header("if-match", "*")).await.status, 412);
        // The tag of the same URL: same select.
        let narrow = tag(&app, "toys?id=eq.1&select=id,price").await;
        let reply = app
            .send(
                patch("toys?id=eq.1&select=id,price", r#"{"price":70}"#)
                    .header("if-match", &narrow)
                    .header("accept", ONE)
                    .prefer("return=representation"),
            )
            .await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"id":1,"price":70.00}"#));
        assert_eq!(app.send(write(&narrow, 80)).await.status, 412);
        let seen = tag(&app, "parts?toy_id=eq.1").await;
        assert_eq!(app.send(ask("DELETE", "parts?toy_id=eq.1").header("if-match", "\"x\"")).await.status, 412);
        assert_eq!(app.send(ask("DELETE", "parts?toy_id=eq.1").header("if-none-match", &seen)).await.status, 412);
        assert_eq!(app.send(ask("DELETE", "parts?toy_id=eq.1").header("if-match", &seen)).await.status, 204);
    }
}

#[tokio::test]
async fn a_star_that_must_not_match_inserts_only() {
    for app in TestApp::each().await {
        let put = |id: u32| ask("PUT", &format!("makers?id=eq.{id}")).body(format!(r#"{{"id":{id},"name":"M{id}"}}"#));
        assert_eq!(app.send(put(7).header("if-none-match", "*")).await.status, 204);
        assert_eq!(app.send(put(7).header("if-none-match", "*")).await.code(), "MS412");
        let seen = tag(&app, "makers?id=eq.7").await;
        assert_eq!(app.send(put(7).header("if-match", &seen)).await.status, 204);
        assert_eq!(app.send(put(8).header("if-match", "*")).await.code(), "MS412");
        let upsert = |body: &'static str| {
            post("makers", body).prefer("resolution=merge-duplicates").header("if-none-match", "*")
        };
        assert_eq!(app.send(upsert(r#"{"id":9,"name":"M9"}"#)).await.status, 201);
        assert_eq!(app.send(upsert(r#"[{"id":10,"name":"M10"},{"id":9,"name":"new"}]"#)).await.code(), "MS412");
        assert_eq!(app.send(upsert(r#"{"id":11,"name":"M9"}"#)).await.code(), "23505");
        assert_eq!(app.send(get("makers?select=name&id=gt.8")).await.body, r#"[{"name":"M9"}]"#);
    }
    let apps = TestApp::each().await;
    check_error(&apps, post("makers", "{}").header("if-match", "*"), 400, "PGRST127").await;
    check_error(&apps, post("makers", "{}").header("if-none-match", "\"x\""), 400, "PGRST127").await;
}

#[tokio::test]
async fn the_rules_hold_for_what_is_compared() {
    let apps = TestApp::each().await;
    // Letters may be created, not read or changed.
    check_error(&apps, patch("letters?to_id=eq.1", r#"{"to_id":2}"#).anon().header("if-match", "*"), 401, "42501")
        .await;
    // Toys may be read, not changed.
    check_error(&apps, patch("toys?id=eq.1", r#"{"price":2}"#).anon().header("if-match", "*"), 401, "42501").await;
    check_error(&apps, patch("nothing?id=eq.1", "{}").header("if-match", "*"), 404, "PGRST205").await;
    check(&apps, patch("parts?toy_id=eq.1&number=eq.1", r#"{"label":"x"}"#).anon().header("if-match", "*"), 204, "")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_saw_the_same_one_wins() {
    for app in TestApp::each().await {
        let app = Arc::new(app);
        for round in 0..20 {
            let seen = tag(&app, "toys?id=eq.1").await;
            let write = |writer: u32| {
                let (app, seen) = (app.clone(), seen.clone());
                tokio::spawn(async move {
                    let body = format!(r#"{{"price":{}}}"#, 100 * writer + round);
                    app.send(patch("toys?id=eq.1", &body).header("if-match", &seen)).await.status
                })
            };
            let (a, b) = (write(1), write(2));
            let mut statuses = [a.await.unwrap(), b.await.unwrap()];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 412], "{}", app.store.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_increments_all_count() {
    for app in TestApp::each().await {
        let app = Arc::new(app);
        let add = || {
            let app = app.clone();
            let ask = patch("toys?id=eq.3", r#"{"pieces":{"add":1},"price":{"add":0.01}}"#)
                .header("content-type", "application/vnd.mainstay.patch+json");
            tokio::spawn(async move { app.send(ask).await.status })
        };
        let tasks: Vec<_> = (0..100).map(|_| add()).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 204);
        }
        assert_eq!(app.send(get("toys?id=eq.3&select=pieces,price")).await.body, r#"[{"pieces":103,"price":1.05}]"#);
    }
}

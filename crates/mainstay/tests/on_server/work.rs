//! Requests that would look at too many rows of a server, in process.

use serde_json::{Value, json};

use crate::api::Api;

/// Rows that a request may look at; the tables have ten times as many.
pub(crate) const MOST: &str = "2000";

/// Over tables `big (id, b, c)` of 20,000 rows, with an index on the key alone, and `small (id, big)` of 50.
pub(crate) async fn is_guarded(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::with(folder.path(), url, &[("limits", "examined_rows_service", MOST)]).await;
    let count = async || api.json("big?id=eq.9&select=id,b,c").await;
    let before = count().await;

    let told = api.send("PATCH", "big?b=eq.7", &[], r#"{"c":0}"#).await;
    let problem: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(
        (told.status, &problem["code"], &problem["hint"]),
        (400, &json!("MS402"), &json!("An index on big (b) would help."))
    );
    let message = problem["message"].as_str().unwrap();
    assert!(message.ends_with("rows, and limits.examined_rows_service is 2000"), "{message}");
    for (method, path, body) in [
        ("GET", "big?b=eq.7", ""),
        ("PATCH", "big?or=(b.eq.9,c.eq.2)", r#"{"c":0}"#),
        ("DELETE", "big?c=gt.5&b=eq.9", ""),
        // Another value is another row and the same request.
        ("DELETE", "big?c=gt.6&b=eq.9", ""),
    ] {
        assert_eq!(api.refused(method, path, body).await, (400, "MS402".to_owned()), "{method} {path}");
    }
    assert_eq!(count().await, before, "nothing was changed");
    for (method, path, body) in [
        ("PATCH", "big?id=eq.7", r#"{"c":0}"#),
        ("PATCH", "big?id=in.(1,2,3)&b=eq.1", r#"{"c":0}"#),
        ("PATCH", "small?big=gt.0", r#"{"big":1}"#),
        ("DELETE", "small?id=lt.10", ""),
        ("POST", "small", r#"{"id":1000,"big":1}"#),
    ] {
        let reply = api.send(method, path, &[], body).await;
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.body);
    }

    // In a batch nothing of the other steps stays.
    let batch = async |last: Value| {
        let first = json!({ "method": "POST", "path": "/small", "body": { "id": 2000, "big": 1 } });
        let steps = json!({ "steps": [first, last] }).to_string();
        let reply = api.send("POST", "batch", &[("content-type", "application/json")], &steps).await;
        (reply.status, reply.body.contains("MS402"), api.json("small?id=eq.2000&select=id").await)
    };
    for heavy in [
        json!({ "method": "PATCH", "path": "/big?c=eq.11", "body": { "b": 0 } }),
        json!({ "method": "DELETE", "path": "/big?b=gte.5" }),
        json!({ "method": "GET", "path": "/big?c=eq.12" }),
    ] {
        assert_eq!(batch(heavy.clone()).await, (400, true, json!([])), "{heavy}");
        assert_eq!(batch(heavy.clone()).await, (400, true, json!([])), "it is known by now: {heavy}");
    }
    let light = json!({ "method": "PATCH", "path": "/big?id=eq.11", "body": { "b": 0 } });
    assert_eq!(batch(light).await, (200, false, json!([{ "id": 2000 }])));
    assert_eq!(count().await, before);
}

//! Preferences (rest.md 10): which are known, which are relevant, and what is answered about them.

use mainstay_http::TxEnd;

use crate::app::{TestApp, ask, check, check_error, get, post};

/// rest.md 10: Preference-Applied.
#[tokio::test]
async fn what_is_applied_is_told_in_one_order() {
    let app = &TestApp::each().await[1];
    let all = "max-affected=5, timezone=UTC, handling=strict, tx=commit, count=exact, return=minimal, missing=default, \
               resolution=ignore-duplicates";
    for (method, url, body, expected) in [
        ("GET", "makers", "", "count=exact, tx=commit, handling=strict, timezone=UTC"),
        (
            "POST",
            "makers",
            "[]",
            "resolution=ignore-duplicates, missing=default, return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC",
        ),
        (
            "PUT",
            "makers?id=eq.9",
            r#"{"id":9,"name":"x"}"#,
            "return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC",
        ),
        (
            "PATCH",
            "makers?id=eq.9",
            "{}",
            "missing=default, return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC, max-affected=5",
        ),
        (
            "DELETE",
            "makers?id=eq.9",
            "",
            "return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC, max-affected=5",
        ),
    ] {
        let reply = app.send(ask(method, url).body(body).prefer(all)).await;
        assert!(reply.status < 300, "{method}: {}", reply.body);
        assert_eq!(reply.header("preference-applied"), expected, "{method}");
    }
    // The first of a repeated one counts; case matters; errors tell nothing.
    let reply = app.send(get("makers").prefer("count=exact, count=planned, Count=exact")).await;
    assert_eq!(reply.header("preference-applied"), "count=exact");
    let reply = app.send(get("nothing").prefer("count=exact")).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (404, ""));
    // Lenient as well as by default, what is not known is passed over; max-affected counts only when strict.
    let reply =
        app.send(ask("DELETE", "parts?number=gt.0").prefer("handling=lenient, max-affected=1, nonsense=1")).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (204, "handling=lenient"));
}

/// rest.md 10: handling=strict.
#[tokio::test]
async fn strict_callers_are_told_what_is_not_known() {
    let apps = TestApp::each().await;
    let body = r#"{"code":"PGRST122","details":"Invalid preferences: foo, return=all, max-affected=-1","hint":null,"message":"Invalid preferences given with handling=strict"}"#;
    let strict = "foo, return=all, handling=strict, max-affected=-1";
    check(&apps, get("toys").prefer(strict), 400, body).await;
    check(&apps, post("makers", r#"{"id":9,"name":"x"}"#).prefer(strict), 400, body).await;
    check(&apps, get("makers?id=eq.9"), 200, "[]").await;
}

/// rest.md 10: tx.
#[tokio::test]
async fn a_write_can_be_tried_and_undone() {
    for app in TestApp::each().await {
        let rolled_back = "tx=rollback, return=representation, count=exact";
        let reply = app.send(post("makers", r#"{"id":9,"name":"Ash"}"#).prefer(rolled_back)).await;
        assert_eq!((reply.status, reply.body.as_str()), (201, r#"[{"id":9,"name":"Ash"}]"#));
        assert_eq!(reply.header("preference-applied"), "return=representation, count=exact, tx=rollback");
        let reply = app.send(ask("DELETE", "parts?number=gt.0").prefer("tx=rollback, count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (204, "*/2"));
        let reply = app.send(post("makers", r#"{"id":9,"name":"Oak"}"#).prefer("tx=rollback")).await;
        assert_eq!(reply.status, 409);
        assert_eq!(app.send(get("makers?id=eq.9")).await.body, "[]");
        assert_eq!(app.send(get("parts").prefer("count=exact, tx=rollback")).await.header("content-range"), "0-1/2");
    }
}

#[tokio::test]
async fn how_writes_end_is_the_servers_choice() {
    for (end, prefer, stays, applied) in [
        (TxEnd::Commit, "tx=rollback, handling=strict", true, "handling=strict"),
        (TxEnd::CommitAllowOverride, "tx=rollback", false, "tx=rollback"),
        (TxEnd::CommitAllowOverride, "count=exact", true, "count=exact"),
        (TxEnd::Rollback, "tx=commit", false, ""),
        (TxEnd::RollbackAllowOverride, "tx=commit", true, "tx=commit"),
        (TxEnd::RollbackAllowOverride, "", false, ""),
    ] {
        for app in TestApp::each().await {
            let app = app.with_tx_end(end);
            let reply = app.send(post("makers", r#"{"id":9,"name":"Ash"}"#).prefer(prefer)).await;
            assert_eq!((reply.status, reply.header("preference-applied")), (201, applied), "{end:?} {prefer}");
            let expected = if stays { r#"[{"name":"Ash"}]"# } else { "[]" };
            assert_eq!(app.send(get("makers?id=eq.9&select=name")).await.body, expected, "{end:?} {prefer}");
        }
    }
}

/// rest.md 10: timezone.
#[tokio::test]
async fn timestamps_are_shown_in_the_zone_asked_for() {
    let apps = TestApp::each().await;
    for (zone, shown) in [
        ("UTC", "2026-01-02T02:04:05.6+00:00"),
        ("Asia/Kolkata", "2026-01-02T07:34:05.6+05:30"),
        ("america/new_york", "2026-01-01T21:04:05.6-05:00"),
        ("05:30", "2026-01-02T07:34:05.6+05:30"),
        ("+05:30", "2026-01-01T20:34:05.6-05:30"),
    ] {
        let prefer = format!("timezone={zone}");
        let list = format!(r#"[{{"seen_at":"{shown}"}}]"#);
        check(&apps, get("toys?id=eq.1&select=seen_at").prefer(&prefer), 200, &list).await;
        let nested = format!(r#"[{{"number":1,"toys":{{"seen_at":"{shown}","name":"train"}}}}]"#);
        let url = "parts?number=eq.1&select=number,toys(seen_at,name)";
        check(&apps, get(url).prefer(&prefer), 200, &nested).await;
        let write =
            ask("PATCH", "toys?id=eq.1&select=seen_at").body(r#"{"sold":true}"#).prefer("return=representation");
        check(&apps, write.prefer(&prefer), 200, &list).await;
        assert_eq!(apps[0].send(get("toys").prefer(&prefer)).await.header("preference-applied"), prefer);
    }
    let body = r#"{"code":"22023","details":null,"hint":null,"message":"invalid value for parameter \"TimeZone\": \"Jupiter/Red_Spot\""}"#;
    check(&apps, get("toys").prefer("timezone=Jupiter/Red_Spot"), 400, body).await;
    check_error(&apps, post("makers", "[]").prefer("timezone=+99:00"), 400, "22023").await;
}

/// rest.md 9: counts of writes.
#[tokio::test]
async fn counts_of_writes_are_of_the_rows_affected() {
    let app = &TestApp::each().await[1];
    for (prefer, expected) in
        [("count=exact", "0-2/3"), ("count=estimated", "0-2/3"), ("count=planned", "0-2/*"), ("", "0-2/*")]
    {
        let reply = app.send(ask("PATCH", "toys?id=gt.0").body(r#"{"sold":true}"#).prefer(prefer)).await;
        assert_eq!(reply.header("content-range"), expected, "{prefer}");
    }
}

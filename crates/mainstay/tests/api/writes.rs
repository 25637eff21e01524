//! Changing rows.

use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const REPRESENTATION: &str = "return=representation";

fn patch(url: &str, body: &'static str) -> Ask {
    ask("PATCH", url).body(body)
}

/// rest.md 11.3.
#[tokio::test]
async fn an_insert_answers_as_it_was_preferred() {
    for app in TestApp::each().await {
        let reply = app.send(post("makers", r#"{"id":3,"name":"Elm"}"#)).await;
        assert_eq!((reply.status, reply.body.as_str(), reply.header("content-range")), (201, "", "*/*"));
        assert_eq!((reply.header("content-type"), reply.header("location")), ("", ""));

        let reply =
            app.send(post("makers", r#"{"id":4,"name":"Fir"}"#).prefer("return=headers-only,count=exact")).await;
        assert_eq!((reply.status, reply.body.as_str(), reply.header("content-range")), (201, "", "*/1"));
        assert_eq!(reply.header("location"), "/makers?id=eq.4");
        assert_eq!(reply.header("preference-applied"), "return=headers-only, count=exact");

        let reply = app.send(post("makers?select=name", r#"{"id":5,"name":"Ash"}"#).prefer(REPRESENTATION)).await;
        assert_eq!((reply.status, reply.body.as_str(), reply.header("location")), (201, r#"[{"name":"Ash"}]"#, ""));

        let two = r#"[{"toy_id":3,"number":1},{"toy_id":3,"number":2}]"#;
        assert_eq!(app.send(post("parts", two).prefer("return=headers-only")).await.header("location"), "");
        let key = app.send(post("parts", r#"{"toy_id":3,"number":3}"#).prefer("return=headers-only")).await;
        assert_eq!(key.header("location"), "/parts?toy_id=eq.3&number=eq.3");
    }
}

/// rest.md 11.2, 11.3.
#[tokio::test]
async fn defaults_and_sequences_are_filled_in() {
    let apps = TestApp::each().await;
    let ask = post("toys?select=id,price,sold,tags", r#"{"name":"x"}"#).prefer(REPRESENTATION);
    check(&apps, ask, 201, r#"[{"id":4,"price":1.00,"sold":false,"tags":[]}]"#).await;
    check(&apps, post("toys", "[]").prefer(REPRESENTATION), 201, "[]").await;
    let columns = post("toys?columns=name&select=name,price", r#"{"name":"y","price":7}"#).prefer(REPRESENTATION);
    check(&apps, columns, 201, r#"[{"name":"y","price":1.00}]"#).await;
    let missing = post("toys?select=name,price&columns=name,price", r#"[{"name":"a","price":2},{"name":"b"}]"#);
    let missing = missing.prefer("return=representation,missing=default");
    check(&apps, missing, 201, r#"[{"name":"a","price":2.00},{"name":"b","price":1.00}]"#).await;
}

/// rest.md 11.1.
#[tokio::test]
async fn csv_and_forms_are_bodies_too() {
    let apps = TestApp::each().await;
    let csv = post("makers", "id,name\n7,\"Yew, old\"\n8,NULL_\n").header("content-type", "text/csv");
    check(&apps, csv.prefer(REPRESENTATION), 201, r#"[{"id":7,"name":"Yew, old"},{"id":8,"name":"NULL_"}]"#).await;
    let form = post("makers", "id=9&name=Box+tree").header("content-type", "application/x-www-form-urlencoded");
    check(&apps, form.prefer(REPRESENTATION), 201, r#"[{"id":9,"name":"Box tree"}]"#).await;
    let image = post("makers", "x").header("content-type", "image/png");
    check_error(&apps, image, 400, "PGRST102").await;
}

/// rest.md 11.4.
#[tokio::test]
async fn an_upsert_tells_whether_rows_are_new() {
    let apps = TestApp::each().await;
    let merge = |body: &'static str| post("makers", body).prefer("resolution=merge-duplicates,return=representation");
    check(&apps, merge(r#"{"id":1,"name":"Oak 2"}"#), 200, r#"[{"id":1,"name":"Oak 2"}]"#).await;
    let both = r#"[{"id":1,"name":"Oak 3"},{"id":6,"name":"Larch"}]"#;
    check(&apps, merge(both), 201, both).await;
    let by_name = post("makers?on_conflict=name&select=id", r#"{"id":6,"name":"Larch"}"#);
    let by_name = by_name.prefer("resolution=ignore-duplicates,return=representation");
    check(&apps, by_name, 201, "[]").await;
    check_error(&apps, merge(r#"[{"id":1,"name":"a"},{"id":1,"name":"b"}]"#), 500, "21000").await;
    let no_key = post("toys?on_conflict=price", r#"{"name":"x"}"#).prefer("resolution=merge-duplicates");
    check_error(&apps, no_key, 400, "42P10").await;
}

/// rest.md 11.6, 11.7.
#[tokio::test]
async fn changes_and_removals_answer_as_they_were_preferred() {
    for app in TestApp::each().await {
        let reply = app.send(patch("toys?id=lte.2", r#"{"price":5}"#).prefer("count=exact")).await;
        assert_eq!((reply.status, reply.body.as_str(), reply.header("content-range")), (204, "", "0-1/2"));
        let reply = app.send(patch("toys?id=eq.1&select=price", r#"{"price":6}"#).prefer(REPRESENTATION)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"price":6.00}]"#));
        let reply = app.send(patch("toys?id=eq.99", r#"{"price":6}"#)).await;
        assert_eq!((reply.status, reply.header("content-range")), (204, "*/*"));
        let reply = app.send(patch("toys?id=eq.1", "{}")).await;
        assert_eq!((reply.status, reply.header("content-range")), (204, "*/*"));

        let reply = app.send(ask("DELETE", "toys?id=eq.3&select=name").prefer(REPRESENTATION)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"name":"top"}]"#));
        let reply = app.send(ask("DELETE", "toys?id=eq.1").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.body.as_str(), reply.header("content-range")), (204, "", "*/1"));
        let reply = app.send(ask("DELETE", "toys?id=eq.1").header("content-type", "application/json")).await;
        assert_eq!(reply.status, 204);
        assert_eq!(app.send(get("parts")).await.body, "[]", "parts go with their toy");
    }
}

/// rest.md 11.6, 11.7: without a filter.
#[tokio::test]
async fn everything_is_not_changed_by_a_forgotten_filter() {
    let apps = TestApp::each().await;
    check_error(&apps, patch("toys", r#"{"price":5}"#), 400, "21000").await;
    check_error(&apps, ask("DELETE", "toys"), 400, "21000").await;
    check_error(&apps, ask("DELETE", "parts").prefer("max-affected=9"), 400, "21000").await;
    check(&apps, ask("DELETE", "parts").prefer("handling=strict,max-affected=2"), 204, "").await;
}

/// rest.md 10: max-affected; 11.8: singular writes.
#[tokio::test]
async fn what_affects_more_than_it_may_is_undone() {
    let apps = TestApp::each().await;
    let strict = "handling=strict,max-affected=1";
    let body = r#"{"code":"PGRST124","details":"The query affects 2 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}"#;
    check(&apps, ask("DELETE", "parts?toy_id=eq.1").prefer(strict), 400, body).await;
    let one = "application/vnd.pgrst.object+json";
    check_error(&apps, ask("DELETE", "parts?toy_id=eq.1").header("accept", one), 406, "PGRST116").await;
    check_error(&apps, patch("toys?id=eq.99", r#"{"price":1}"#).header("accept", one), 406, "PGRST116").await;
    check(&apps, get("parts?select=number&order=number"), 200, r#"[{"number":1},{"number":2}]"#).await;
    let single = post("makers?select=name", r#"{"id":3,"name":"Elm"}"#).header("accept", one).prefer(REPRESENTATION);
    check(&apps, single, 201, r#"{"name":"Elm"}"#).await;
}

/// rest.md 11.3: all or nothing.
#[tokio::test]
async fn a_bulk_insert_happens_whole_or_not_at_all() {
    let apps = TestApp::each().await;
    let rows = r#"[{"id":10,"name":"A"},{"id":11,"name":"Oak"}]"#;
    check_error(&apps, post("makers", rows), 409, "23505").await;
    check(&apps, get("makers?id=eq.10"), 200, "[]").await;
}

/// rest.md 16.3 by SQLSTATE: 23505.
#[tokio::test]
async fn a_duplicate_names_its_key_and_value() {
    let apps = TestApp::each().await;
    let body = r#"{"code":"23505","details":"Key (name)=(Oak) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"makers_name_key\""}"#;
    check(&apps, post("makers", r#"{"id":11,"name":"Oak"}"#), 409, body).await;
}

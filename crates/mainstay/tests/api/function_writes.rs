//! Functions that write: rest.md 10 and 13.

use crate::app::{ask, get};
use crate::functions::{app, call, check, check_error, rpc, same};

/// rest.md 13: functions that write, by POST only (25006), with the rows that they give back.
#[tokio::test]
async fn functions_that_write_do_so_once_and_give_their_rows_back() {
    let app = app().await;
    let mut heard = app.store.subscribe();
    let renamed = call("rename?select=id,name,makers(name)", r#"{"id":1,"name":"engine"}"#);
    check(&app, renamed, 200, r#"[{"id":1,"name":"engine","makers":{"name":"Oak"}}]"#).await;
    let commit = heard.next().await.unwrap();
    assert_eq!((commit.changes.len(), &*commit.changes[0].table), (1, "toys"));
    for method in ["GET", "HEAD"] {
        let reply = app.send(ask(method, "/rest/v1/rpc/rename?id=1&name=x").anon()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "OPTIONS,POST"), "{method}");
    }
    let reply = check_error(&app, rpc("rename?id=1&name=x"), 405, "25006").await;
    assert!(reply.body.contains("cannot execute function rename in a read-only transaction"), "{}", reply.body);
    check(&app, get("toys?select=name&id=eq.1"), 200, r#"[{"name":"engine"}]"#).await;
    // Filters, order and page are of the rows that come back; the change is made whole.
    let reply =
        app.send(call("reprice?select=id,price&price=gt.1&order=id.desc&limit=1", "").prefer("count=exact")).await;
    same(&reply, 200, r#"[{"id":2,"price":6.00}]"#);
    assert_eq!(reply.header("content-range"), "0-0/2");
    check(&app, get("toys?select=price&order=id"), 200, r#"[{"price":25.00},{"price":6.00},{"price":0.10}]"#).await;
    check(&app, call("rename", r#"{"id":99,"name":"x"}"#), 200, "[]").await;
    check_error(&app, call("rename", r#"{"id":1,"name":""}"#), 400, "23514").await;
    check_error(&app, call("twice", r#"{"id":1}"#), 409, "23505").await;
}

/// rest.md 10 and 16: max-affected (PGRST124, PGRST128) and the singular type undo what a function did.
#[tokio::test]
async fn what_must_hold_of_the_rows_undoes_the_change_otherwise() {
    let app = app().await;
    let strict = |max: u32| format!("handling=strict, max-affected={max}");
    let reply = check_error(&app, call("reprice", "").prefer(&strict(2)), 400, "PGRST124").await;
    assert!(reply.body.contains("The query affects 3 rows"), "{}", reply.body);
    let single = "application/vnd.pgrst.object+json";
    check_error(&app, call("reprice", "").header("accept", single), 406, "PGRST116").await;
    check(&app, get("toys?select=price&order=id"), 200, r#"[{"price":12.50},{"price":3.00},{"price":0.05}]"#).await;
    let reply = app.send(call("reprice?select=id", "").prefer(&strict(3))).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (200, "handling=strict, max-affected=3"));
    // Without handling=strict it counts for nothing.
    assert_eq!(app.send(call("reprice", "").prefer("max-affected=1")).await.status, 200);
    check_error(&app, rpc("cheap").prefer(&strict(1)), 400, "PGRST124").await;
    let reply = check_error(&app, rpc("add?a=1").prefer(&strict(1)), 400, "PGRST128").await;
    assert!(
        reply
            .body
            .contains("Function must return SETOF or TABLE when max-affected preference is used with handling=strict")
    );
    check_error(&app, rpc("dearest").prefer(&strict(1)), 400, "PGRST128").await;
}

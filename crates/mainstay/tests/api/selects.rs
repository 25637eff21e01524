//! What `select` and its neighbors can say: aggregates, spreads, distinct rows, pages by key, counts, legacy names.

use crate::app::{TestApp, ask, check, check_error, get};

/// rest.md 6.
#[tokio::test]
async fn aggregates_group_by_what_else_is_selected() {
    let apps = TestApp::each_speaking(|limits| limits.aggregates = true).await;
    for (url, body) in [
        ("toys?select=count()", r#"[{"count":3}]"#),
        (
            "toys?select=price.sum(),price.avg(),price.min(),price.max(),pieces.count()",
            r#"[{"sum":15.55,"avg":5.1833333333333333,"min":0.05,"max":12.50,"count":2}]"#,
        ),
        (
            "toys?select=pieces.sum(),n:id.sum()::text,mean:price::int.avg()::int",
            r#"[{"sum":9007199254740996,"n":"6","mean":5}]"#,
        ),
        ("toys?select=sold,count()", r#"[{"sold":false,"count":2},{"sold":true,"count":1}]"#),
        (
            "toys?select=count(),makers(name)&order=makers(name)",
            r#"[{"count":1,"makers":{"name":"Oak"}},{"count":1,"makers":{"name":"Pine"}},{"count":1,"makers":null}]"#,
        ),
        ("toys?select=count(),name.max()&id=gt.100", r#"[{"count":0,"max":null}]"#),
        (
            "makers?select=name,toys(count(),price.sum())&order=id",
            r#"[{"name":"Oak","toys":[{"count":1,"sum":12.50}]},{"name":"Pine","toys":[{"count":1,"sum":3.00}]}]"#,
        ),
        // Ordered by an aggregate, and only some groups.
        (
            "toys?select=sold,total:price.sum()&order=total.desc",
            r#"[{"sold":true,"total":12.50},{"sold":false,"total":3.05}]"#,
        ),
        ("toys?select=sold,total:price.sum()&having=(total.gt.5)", r#"[{"sold":true,"total":12.50}]"#),
        // An aggregate of a spread moves up.
        ("toys?select=sold,...makers(id.max())&order=sold", r#"[{"sold":false,"max":2},{"sold":true,"max":1}]"#),
        // The legacy word.
        (
            "makers?select=name,toys(count)&order=id",
            r#"[{"name":"Oak","toys":[{"count":1}]},{"name":"Pine","toys":[{"count":1}]}]"#,
        ),
    ] {
        check(&apps, get(url), 200, body).await;
    }
    check(
        &apps,
        get("makers?select=name,...toys(price.sum())"),
        400,
        r#"{"code":"PGRST127","details":"Aggregates are not implemented for one-to-many or many-to-many spreads.","hint":null,"message":"Feature not implemented"}"#,
    )
    .await;
    for (url, status, code) in [
        ("toys?select=name.sum()", 404, "42883"),
        ("toys?select=sold,count()&order=name", 400, "42803"),
        ("toys?select=sold,count()&having=(name.eq.x)", 400, "42703"),
        ("toys?select=sold&having=(sold.is.true)", 400, "PGRST100"),
        ("toys?select=name,count(),parts(number)", 400, "PGRST127"),
    ] {
        check_error(&apps, get(url), status, code).await;
    }
}

/// rest.md 6: off by default; the legacy `count` alone works all the same.
#[tokio::test]
async fn aggregates_are_off_unless_turned_on() {
    let apps = TestApp::each().await;
    check(
        &apps,
        get("toys?select=price.sum()"),
        400,
        r#"{"code":"PGRST123","details":null,"hint":null,"message":"Use of aggregate functions is not allowed"}"#,
    )
    .await;
    for url in [
        "toys?select=count()",
        "toys?select=name,count",
        "makers?select=...toys(count())",
        "makers?select=toys(count(),name)",
    ] {
        check_error(&apps, get(url), 400, "PGRST123").await;
    }
    check(&apps, get("toys?select=count"), 200, r#"[{"count":3}]"#).await;
    check(&apps, get("makers?select=id,toys(count)&id=eq.1"), 200, r#"[{"id":1,"toys":[{"count":1}]}]"#).await;
}

/// rest.md 7.9.
#[tokio::test]
async fn spreads_put_members_of_related_rows_into_the_row() {
    let apps = TestApp::each().await;
    for (url, body) in [
        (
            "toys?select=name,...makers(maker:name)&order=id",
            r#"[{"name":"train","maker":"Oak"},{"name":"kite","maker":"Pine"},{"name":"top","maker":null}]"#,
        ),
        // Names that clash stand twice.
        ("toys?select=name,...makers(name)&id=eq.1", r#"[{"name":"train","name":"Oak"}]"#),
        (
            "makers?select=id,...toys(name,price,since)&order=id",
            r#"[{"id":1,"name":["train"],"price":[12.50],"since":["2020-02-29"]},{"id":2,"name":["kite"],"price":[3.00],"since":[null]}]"#,
        ),
        ("makers?select=id,...toys(name)&toys.id=eq.1&order=id", r#"[{"id":1,"name":["train"]},{"id":2,"name":[]}]"#),
        ("toys?select=name,...makers!inner(maker:name)&makers.name=eq.Pine", r#"[{"name":"kite","maker":"Pine"}]"#),
        ("toys?select=id,...makers()&makers=is.null", r#"[{"id":3}]"#),
    ] {
        check(&apps, get(url), 200, body).await;
    }
    check_error(&apps, get("toys?select=x:...makers(name)"), 400, "PGRST100").await;
    check_error(&apps, get("toys?select=...letters(id)"), 400, "PGRST200").await;
}

/// rest.md 7.6, 7.8, 7.10.
#[tokio::test]
async fn embeds_decide_about_rows_and_their_order() {
    let apps = TestApp::each().await;
    for (url, body) in [
        ("toys?select=id,m:makers()&m.name=eq.Pine&order=m(name).desc.nullslast,id", r#"[{"id":2},{"id":1},{"id":3}]"#),
        ("toys?select=id,parts!inner()&parts.offset=1", r#"[{"id":1}]"#),
        ("toys?select=id,parts!inner()&parts.offset=2", "[]"),
        ("makers?select=id,toys()&toys.limit=0&toys=is.null&order=id", r#"[{"id":1},{"id":2}]"#),
    ] {
        check(&apps, get(url), 200, body).await;
    }
    check(
        &apps,
        get("makers?select=id,toys()&order=toys(name)"),
        400,
        r#"{"code":"PGRST118","details":"'makers' and 'toys' do not form a many-to-one or one-to-one relationship","hint":null,"message":"A related order on 'toys' is not possible"}"#,
    )
    .await;
    check(
        &apps,
        get("toys?makers.name=eq.x"),
        400,
        r#"{"code":"PGRST108","details":null,"hint":"Verify that 'makers' is included in the 'select' query parameter.","message":"'makers' is not an embedded resource in this request"}"#,
    )
    .await;
}

/// rest.md 7.4: an embed with an alias is called by its target.
#[tokio::test]
async fn target_names_of_aliased_embeds_are_warned_of_or_refused() {
    let legacy = "toys?select=id,m:makers(name)&makers.name=eq.Oak&order=id&limit=1";
    for app in TestApp::each().await {
        let reply = app.send(get(legacy)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"id":1,"m":{"name":"Oak"}}]"#));
        let warning = reply.header("warning").to_owned();
        let warning = warning.as_str();
        assert_eq!(warning, r#"299 - "'makers' has the alias 'm': name it so in filters, orders and limits.""#);
        let reply = app.send(get("toys?select=id,m:makers(name)&m.name=eq.Oak&limit=1")).await;
        assert_eq!((reply.status, reply.header("warning")), (200, ""));
        // What a write gives back is warned of, too.
        let write = |url: &str| ask("PATCH", url).body(r#"{"sold":true}"#).prefer("return=representation");
        let reply = app.send(write("toys?select=id,m:makers(name)&makers.name=eq.Oak&id=eq.1")).await;
        assert_eq!((reply.status, reply.header("warning")), (200, warning), "{reply:?}");
        let reply = app.send(write("toys?select=id,m:makers(name)&m.name=eq.Oak&id=eq.1")).await;
        assert_eq!((reply.status, reply.header("warning")), (200, ""));
    }
    let strict = TestApp::each_speaking(|limits| limits.legacy_target_names = false).await;
    check(
        &strict,
        get(legacy),
        400,
        r#"{"code":"PGRST108","details":"Target names are not allowed in filters if they have an alias","hint":"Change 'makers' to 'm' in filters, orders or limits.","message":"'makers' is not an embedded resource in this request"}"#,
    )
    .await;
    check(&strict, get("toys?select=id,m:makers(name)&m.name=eq.Oak&id=eq.1"), 200, r#"[{"id":1,"m":{"name":"Oak"}}]"#)
        .await;
}

/// Beyond rest.md 5.
#[tokio::test]
async fn distinct_rows_and_columns_left_out() {
    let apps = TestApp::each().await;
    check(&apps, get("toys?select=sold&distinct=true"), 200, r#"[{"sold":false},{"sold":true}]"#).await;
    check(&apps, get("toys?select=sold&distinct=true&order=sold.desc&limit=1"), 200, r#"[{"sold":true}]"#).await;
    check(&apps, get("makers?select=*,-name&order=id"), 200, r#"[{"id":1},{"id":2}]"#).await;
    check(&apps, get("toys?select=id,makers(*,-id)&id=eq.1"), 200, r#"[{"id":1,"makers":{"name":"Oak"}}]"#).await;
    for app in &apps {
        let reply = app.send(get("toys?select=sold&distinct=true&limit=1").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (206, "0-0/2"));
    }
    check_error(&apps, get("toys?distinct=eq.true"), 400, "42703").await;
    check_error(&apps, get("toys?select=sold&distinct=true&order=name"), 400, "42803").await;
    check_error(&apps, get("toys?select=-name"), 400, "PGRST100").await;
    check_error(&apps, get("toys?select=*,-nope"), 400, "42703").await;
}

/// Beyond rest.md 9.
#[tokio::test]
async fn pages_by_key_follow_one_another() {
    for app in TestApp::each().await {
        for order in ["id", "id.desc", "since", "since.desc", "sold,name.desc", "makers(name)", "price", "info-%3E%3Ea"]
        {
            let ask = |after: &str| format!("toys?select=id,makers()&order={order}&limit=1&after={after}");
            let whole = app.send(get(&format!("toys?select=id,makers()&order={order}"))).await.body;
            let (mut token, mut rows) = (String::new(), Vec::new());
            loop {
                let reply = app.send(get(&ask(&token))).await;
                assert_eq!(reply.status, 200, "{order}: {}", reply.body);
                token = reply.header("next-after").to_owned();
                if reply.body != "[]" {
                    rows.push(reply.body.trim_matches(|c| c == '[' || c == ']').to_owned());
                }
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(format!("[{}]", rows.join(",")), whole, "{order}");
        }
    }
}

/// `security.md` V7: a place is bound to the query and the role; what is selected may change.
#[tokio::test]
async fn places_are_good_for_their_query_alone() {
    for app in TestApp::each().await {
        let first = app.send(get("toys?select=id&order=name&limit=1&after=")).await;
        let token = first.header("next-after").to_owned();
        assert!(!token.is_empty());
        let ask = |query: &str| get(&format!("toys?{query}&after={token}"));
        let reply = app.send(ask("select=name&order=name&limit=5").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.body.as_str()), (206, r#"[{"name":"top"},{"name":"train"}]"#));
        assert_eq!((reply.header("content-range"), reply.header("next-after")), ("*/3", ""));
        for (query, why) in [
            ("order=name.desc", "another order"),
            ("order=name&id=gt.0", "another filter"),
            ("order=name&select=id,makers!inner()", "another join"),
            ("order=name&offset=1", "an offset as well"),
        ] {
            assert_eq!(app.send(ask(query)).await.status, 400, "{why}");
        }
        assert_eq!(app.send(get(&format!("makers?order=name&after={token}"))).await.status, 400, "another table");
        let mut forged = token.clone().into_bytes();
        forged[3] ^= 1;
        let forged = String::from_utf8(forged).unwrap();
        let reply = app.send(get(&format!("toys?order=name&after={forged}"))).await;
        assert_eq!((reply.status, reply.code()), (400, "PGRST100".to_owned()));
        assert_eq!(app.send(get("toys?select=count&after=")).await.status, 400, "groups");
        // Without after nothing is told.
        assert_eq!(app.send(get("toys?limit=1")).await.header("next-after"), "");
    }
}

/// rest.md 9.
#[tokio::test]
async fn counts_are_exact_where_nothing_better_is_known() {
    for app in TestApp::each().await {
        for count in ["exact", "planned", "estimated"] {
            for (url, status, range) in [
                ("toys?limit=1", 206, "0-0/3"),
                ("toys", 200, "0-2/3"),
                ("toys?id=gt.1&limit=1", 206, "0-0/2"),
                ("toys?id=gt.100", 200, "*/0"),
                ("toys?offset=3", 206, "*/3"),
            ] {
                let reply = app.send(get(url).prefer(&format!("count={count}"))).await;
                assert_eq!((reply.status, reply.header("content-range")), (status, range), "{url} {count}");
            }
        }
    }
}

//! Reading rows.

use crate::app::{TestApp, ask, check, check_error, get};

pub(crate) const TRAIN: &str = concat!(
    r#"[{"id":1,"name":"train","maker_id":1,"price":12.50,"pieces":9007199254740993,"weight":0.5,"sold":true,"#,
    r#""since":"2020-02-29","seen_at":"2026-01-02T02:04:05.6+00:00","tags":["wood","a,b"],"#,
    r#""info":{"a":{"c":"é"},"b":[1,null]},"color":"red"}]"#
);

/// rest.md 5.1.
#[tokio::test]
async fn every_type_has_its_form_in_json() {
    check(&TestApp::each().await, get("toys?id=eq.1"), 200, TRAIN).await;
}

/// rest.md 5.
#[tokio::test]
async fn select_shapes_rows() {
    let apps = TestApp::each().await;
    for (url, body) in [
        ("toys?select=name&order=id", r#"[{"name":"train"},{"name":"kite"},{"name":"top"}]"#),
        ("toys?select=n:name,price::text&id=eq.3", r#"[{"n":"top","price":"0.05"}]"#),
        ("toys?select=info-%3Ea-%3E%3Ec&id=eq.1", r#"[{"c":"é"}]"#),
        (
            "toys?select=name,makers(name)&id=lte.2&order=id.desc",
            r#"[{"name":"kite","makers":{"name":"Pine"}},{"name":"train","makers":{"name":"Oak"}}]"#,
        ),
        ("toys?select=name,makers(name)&id=eq.3", r#"[{"name":"top","makers":null}]"#),
        (
            "makers?select=name,toys(name)&order=id",
            r#"[{"name":"Oak","toys":[{"name":"train"}]},{"name":"Pine","toys":[{"name":"kite"}]}]"#,
        ),
        (
            "makers?select=name,toys!inner(parts(number))&toys.id=eq.1&toys.parts.order=number.desc",
            r#"[{"name":"Oak","toys":[{"parts":[{"number":2},{"number":1}]}]}]"#,
        ),
        ("toys?select=id&limit=0", "[]"),
        ("toys?select=id&order=id&limit=1&offset=1", r#"[{"id":2}]"#),
        ("toys?select=id&or=(id.eq.1,name.like.t*p)&order=id", r#"[{"id":1},{"id":3}]"#),
        ("toys?select=id&maker_id=is.null", r#"[{"id":3}]"#),
        ("toys?select=weight&weight=not.is.null&order=id", r#"[{"weight":0.5},{"weight":1e-7}]"#),
    ] {
        check(&apps, get(url), 200, body).await;
    }
}

/// rest.md 9: limit, offset, Range, Content-Range.
#[tokio::test]
async fn pages_and_counts_are_told_in_the_headers() {
    let exact = "count=exact";
    for app in TestApp::each().await {
        for (url, prefer, range, status, content_range) in [
            ("toys", "", "", 200, "0-2/*"),
            ("toys?limit=2", "", "", 200, "0-1/*"),
            ("toys?id=gt.100", "", "", 200, "*/*"),
            ("toys?limit=2", exact, "", 206, "0-1/3"),
            ("toys?limit=2&offset=1", exact, "", 206, "1-2/3"),
            ("toys", exact, "", 200, "0-2/3"),
            ("toys", "count=planned", "", 200, "0-2/3"),
            ("toys?offset=3", exact, "", 206, "*/3"),
            ("toys?offset=4", exact, "", 416, ""),
            ("toys", exact, "1-1", 206, "1-1/3"),
            ("toys", "", "1-", 200, "1-2/*"),
            ("toys", "", "2-1", 416, ""),
            ("toys", "", "nonsense", 200, "0-2/*"),
            ("toys?select=id,parts!inner()", exact, "", 200, "0-0/1"),
        ] {
            let mut request = get(url);
            if !prefer.is_empty() {
                request = request.prefer(prefer);
            }
            if !range.is_empty() {
                request = request.header("range", range);
            }
            let reply = app.send(request).await;
            let found = (reply.status, reply.header("content-range"));
            assert_eq!(found, (status, content_range), "{url} {prefer} {range}: {}", reply.body);
        }
    }
}

/// rest.md 9: PGRST103.
#[tokio::test]
async fn an_impossible_page_says_what_there_is() {
    let apps = TestApp::each().await;
    check(
        &apps,
        get("toys?offset=4").prefer("count=exact"),
        416,
        r#"{"code":"PGRST103","details":"An offset of 4 was requested, but there are only 3 rows.","hint":null,"message":"Requested range not satisfiable"}"#,
    )
    .await;
    check_error(&apps, get("toys?limit=-1"), 416, "PGRST103").await;
}

/// rest.md 17: HEAD.
#[tokio::test]
async fn head_gives_the_headers_of_get_without_the_rows() {
    for app in TestApp::each().await {
        let head = app.send(ask("HEAD", "toys?limit=2").prefer("count=exact").header("range", "1-1")).await;
        let get = app.send(get("toys?limit=2").prefer("count=exact")).await;
        assert_eq!((head.status, head.body.as_str()), (206, ""));
        for name in ["content-range", "content-type", "content-location", "preference-applied", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        let error = app.send(ask("HEAD", "nothing")).await;
        assert_eq!((error.status, error.body.as_str()), (404, ""));
        assert_eq!(error.header("proxy-status"), "PostgREST; error=PGRST205");
    }
}

/// rest.md 12: singular.
#[tokio::test]
async fn one_object_is_given_only_if_there_is_one_row() {
    let apps = TestApp::each().await;
    let one = |url| get(url).header("accept", "application/vnd.pgrst.object+json");
    check(&apps, one("toys?select=name&id=eq.2"), 200, r#"{"name":"kite"}"#).await;
    check(
        &apps,
        one("toys"),
        406,
        r#"{"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}"#,
    )
    .await;
    check_error(&apps, one("toys?id=eq.99"), 406, "PGRST116").await;
    let stripped = "application/vnd.pgrst.object+json;nulls=stripped";
    let ask = get("toys?select=id,pieces,info,maker_id&id=eq.2").header("accept", stripped);
    check(&apps, ask, 200, r#"{"id":2,"maker_id":2}"#).await;
}

/// rest.md 12: CSV.
#[tokio::test]
async fn csv_has_a_header_and_exact_fields() {
    let apps = TestApp::each().await;
    let csv = |url| get(url).header("accept", "text/csv");
    check(
        &apps,
        csv("toys?select=id,name,sold,tags,weight,makers(name)&order=id"),
        200,
        concat!(
            "id,name,sold,tags,weight,makers\n",
            r#"1,train,t,"[""wood"",""a,b""]",0.5,"{""name"":""Oak""}""#,
            "\n",
            r#"2,kite,f,[],,"{""name"":""Pine""}""#,
            "\n3,top,f,[],1e-7,"
        ),
    )
    .await;
    check(&apps, csv("toys?id=eq.99"), 200, "\n").await;
    for app in &apps {
        assert_eq!(app.send(csv("toys")).await.header("content-type"), "text/csv; charset=utf-8");
    }
}

/// rest.md 16.2: PGRST127 and PGRST107.
#[tokio::test]
async fn what_is_not_there_yet_says_so() {
    let apps = TestApp::each().await;
    for url in ["toys?tags=sl.[1,2)", "makers?name=fts.oak"] {
        check_error(&apps, get(url), 400, "PGRST127").await;
    }
    check_error(&apps, get("toys").header("accept", "application/geo+json"), 400, "PGRST127").await;
    check_error(&apps, get("toys").header("accept", "image/png"), 406, "PGRST107").await;
}

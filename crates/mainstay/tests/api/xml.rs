//! XML out and in: DESIGN 4 and 9, security.md I7.

use std::sync::Arc;
use std::time::Duration;

use mainstay_http::{Cors, RequestLimits};
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::MemoryStore;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const START: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";

fn xml(url: &str) -> Ask {
    get(url).header("accept", "application/xml")
}

fn send(url: &str, body: &str) -> Ask {
    post(url, body.to_owned()).header("content-type", "application/xml")
}

#[tokio::test]
async fn rows_and_what_is_embedded_in_them_are_elements() {
    let apps = TestApp::each().await;
    let body = format!(
        "{START}<row><id>1</id><tags><item>wood</item><item>a,b</item></tags>\
         <info>{{\"a\":{{\"c\":\"é\"}},\"b\":[1,null]}}</info><price>12.50</price><weight>0.5</weight><sold>true</sold>\
         <seen_at>2026-01-02T02:04:05.6+00:00</seen_at>\
         <maker><name>Oak</name></maker><parts><row><label>wheel</label></row><row><label xsi:nil=\"true\"/></row></parts></row></rows>"
    );
    let select = "id,maker:makers(name),tags,info,price,weight,sold,seen_at,parts(label)";
    check(&apps, xml(&format!("toys?id=eq.1&select={select}")), 200, &body).await;
    check(&apps, xml("toys?id=eq.9"), 200, &format!("{START}</rows>")).await;
    let body = format!("{START}<row><id>3</id><m xsi:nil=\"true\"/></row></rows>");
    check(&apps, xml("toys?id=eq.3&select=id,m:makers(id)"), 200, &body).await;
    let stripped = get("toys?id=eq.3&select=id,since").header("accept", "application/xml;nulls=stripped");
    check(&apps, stripped, 200, &format!("{START}<row><id>3</id></row></rows>")).await;
}

#[tokio::test]
async fn the_type_of_the_answer_is_told() {
    for app in TestApp::each().await {
        for (accept, told) in [
            ("application/xml", "application/xml; charset=utf-8"),
            ("text/xml", "text/xml; charset=utf-8"),
            ("application/xml;nulls=stripped", "application/xml;nulls=stripped; charset=utf-8"),
            ("application/vnd.pgrst.object+xml", "application/vnd.pgrst.object+xml; charset=utf-8"),
            ("application/json;q=0.5, application/xml", "application/xml; charset=utf-8"),
        ] {
            let reply = app.send(get("makers?id=eq.1").header("accept", accept)).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, told));
        }
        let error = app.send(xml("nothing")).await;
        assert_eq!(error.header("content-type"), "application/json; charset=utf-8");
    }
}

#[tokio::test]
async fn one_row_may_be_the_root_and_any_other_number_is_refused() {
    let apps = TestApp::each().await;
    let single = |url: &str| get(url).header("accept", "application/vnd.pgrst.object+xml");
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <row xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><id>1</id></row>";
    check(&apps, single("makers?id=eq.1&select=id"), 200, body).await;
    check_error(&apps, single("makers"), 406, "PGRST116").await;
    check_error(&apps, single("makers?id=eq.9"), 406, "PGRST116").await;
}

#[tokio::test]
async fn bodies_are_rows_of_elements() {
    let apps = TestApp::each().await;
    let body = "\u{feff}<?xml version='1.0' encoding='utf-8'?><!-- two --><rows>\n\
        <row><id>11</id><name>A &lt;&#x26;&gt; &quot;&apos;<![CDATA[<b>&]]></name></row>\n\
        <row><id>12</id><name>B\r\nC</name></row></rows>";
    check(&apps, send("makers", body), 201, "").await;
    let rows = r#"[{"id":11,"name":"A <&> \"'<b>&"},{"id":12,"name":"B\nC"}]"#;
    check(&apps, get("makers?id=gt.10&order=id"), 200, rows).await;

    let toy = "<row><id>21</id><name>a</name><tags><item>x</item><item null='1'/></tags><info>[1]</info>\
        <since xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'/><color null=\"true\"></color></row>";
    check(&apps, send("toys", toy), 201, "").await;
    let row = r#"[{"tags":["x",null],"info":[1],"since":null,"color":null}]"#;
    check(&apps, get("toys?id=eq.21&select=tags,info,since,color"), 200, row).await;
    let change = ask("PATCH", "toys?id=eq.21&select=tags,name")
        .header("content-type", "text/xml; charset=utf-8")
        .prefer("return=representation")
        .header("accept", "text/xml")
        .body("<row><tags/></row>");
    check(&apps, change, 200, &format!("{START}<row><tags></tags><name>a</name></row></rows>")).await;
    let named = "<row><first_x0020_word encoding='base64'>AQ==</first_x0020_word></row>";
    check(&apps, send("letters", named), 201, "").await;
    check(&apps, get("letters?select=%22first%20word%22"), 200, r#"[{"first word":"\u0001"}]"#).await;
    let chosen = "<row><id>13</id><name>c</name><other><deep>1</deep></other></row>";
    check(&apps, send("makers?columns=id,name", chosen), 201, "").await;
}

#[tokio::test]
async fn what_is_no_row_is_refused() {
    let apps = TestApp::each().await;
    for (body, code) in [
        ("", "PGRST102"),
        ("<rows>", "PGRST102"),
        ("<rows></row>", "PGRST102"),
        ("<table/>", "PGRST102"),
        ("<rows/><rows/>", "PGRST102"),
        ("text", "PGRST102"),
        ("<rows>text</rows>", "PGRST102"),
        ("<rows><row>text</row></rows>", "PGRST102"),
        ("<row><id>1</id><id>2</id></row>", "PGRST102"),
        ("<rows><row><id>31</id><name>a</name></row><row><id>32</id></row></rows>", "PGRST102"),
        ("<row><id>31</id><name><b>a</b></name></row>", "PGRST102"),
        ("<row><id>31</id><name><item>a</item></name></row>", "PGRST102"),
        ("<row><id>31</id><name lang='en'>a</name></row>", "PGRST102"),
        ("<row><id>31</id><name null='maybe'/></row>", "PGRST102"),
        ("<row><id>31</id><name null='true'>a</name></row>", "PGRST102"),
        ("<row><id>31</id><name encoding='base64'>?</name></row>", "PGRST102"),
        ("<row><id>31</id><name>\u{1}</name></row>", "PGRST102"),
        ("<row><id>31</id><name>&#1;</name></row>", "PGRST102"),
        ("<row><id>31</id><name>&nbsp;</name></row>", "PGRST102"),
        ("<row><id>31</id><name>& </name></row>", "PGRST102"),
        ("<?xml version='1.1'?><rows/>", "PGRST102"),
        ("<?xml version='1.0' encoding='latin1'?><rows/>", "PGRST102"),
        ("<!DOCTYPE rows><rows/>", "PGRST102"),
        ("<row><id>31</id><nothing>a</nothing></row>", "PGRST204"),
        ("<row><id>31</id><_x0041_>a</_x0041_></row>", "PGRST204"),
        ("<row><id>x</id><name>a</name></row>", "22P02"),
        ("<row><id null='true'/><name>a</name></row>", "23502"),
    ] {
        check_error(&apps, send("makers", body), 400, code).await;
    }
    check_error(&apps, post("makers", vec![b'<', 0xff]).header("content-type", "text/xml"), 400, "PGRST102").await;
    check(&apps, get("makers?select=id"), 200, r#"[{"id":1},{"id":2}]"#).await;
}

/// `security.md` I7.
#[tokio::test]
async fn documents_that_reach_out_or_blow_up_are_refused_at_once() {
    let laughs = (0..10).fold(String::from("<!ENTITY l0 \"ha\">"), |all, n| {
        format!("{all}<!ENTITY l{} \"{}\">", n + 1, format!("&l{n};").repeat(10))
    });
    let long = "a".repeat(500_000);
    let apps = TestApp::each().await;
    for body in [
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><row><name>&x;</name></row>".to_owned(),
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"http://127.0.0.1:9/\">]><row><name>&x;</name></row>".to_owned(),
        "<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/r.dtd\"><row><name>x</name></row>".to_owned(),
        "<!DOCTYPE r [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/p\">%p;]><row/>".to_owned(),
        format!("<!DOCTYPE r [{laughs}]><row><name>&l10;</name></row>"),
        format!("<!DOCTYPE r [<!ENTITY a \"{long}\">]><row><name>{}</name></row>", "&a;".repeat(100_000)),
        format!("<row><name>{}", "<a>".repeat(300_000)),
        format!("<row><tags>{}", "<item>".repeat(150_000)),
        format!("<row {}/>", (0..60_000).map(|n| format!(" xmlns:a{n}=''")).collect::<String>()),
        format!("<row><name {}/></row>", (0..60_000).map(|n| format!(" a{n}=''")).collect::<String>()),
        "<".repeat(1_000_000),
        format!("<row><name>{}</name></row>", "&lt".repeat(300_000)),
    ] {
        for app in &apps {
            // What grows with the square of its length, or with every entity, would take minutes and more.
            let answered = tokio::time::timeout(Duration::from_secs(20), app.send(send("toys", &body))).await;
            let reply = answered.unwrap_or_else(|_| panic!("{body:.80} goes on and on"));
            assert_eq!((reply.status, reply.code().as_str()), (400, "PGRST102"), "{body:.80}");
        }
    }
}

const ALL: &str = r#"
["all kinds".fields]
id         = { type = "int", primary = true }
"some text" = { type = "text", optional = true }
b          = { type = "bytes", optional = true }
big        = { type = "bigint", optional = true }
exact      = { type = "decimal(20,6)", optional = true }
float      = { type = "float", optional = true }
yes        = { type = "bool", optional = true }
day        = { type = "date", optional = true }
hour       = { type = "time", optional = true }
at         = { type = "timestamp", optional = true }
who        = { type = "uuid", optional = true }
doc        = { type = "json", optional = true }
texts      = { type = "text[]", optional = true }
numbers    = { type = "decimal(9,3)[]", optional = true }
docs       = { type = "json[]", optional = true }
"#;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\0]{0,12}",
        r#"(?s)[<>&"'\r\n\t \x01\x0b\x1f\x7f\u{85}\u{2028}\u{fffd}\u{fffe}\u{ffff}🦀\]]{0,8}"#,
        Just("]]>".to_owned()),
        Just("NULL".to_owned()),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn list(item: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let item = prop_oneof![1 => Just(Value::Null), 4 => item];
    prop_oneof![1 => Just(Value::Null), 4 => prop::collection::vec(item, 0..4).prop_map(Value::from)]
}

fn or_null(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 4 => value]
}

fn row() -> impl Strategy<Value = Vec<Value>> {
    let exact = || (any::<i32>(), 0..1_000_000u32);
    (
        or_null(text().prop_map(Value::from)),
        or_null("([0-9a-f]{2}){0,6}".prop_map(|hex| Value::from(format!("\\x{hex}")))),
        or_null(any::<i64>().prop_map(Value::from)),
        or_null(exact().prop_map(|(whole, part)| Value::from(format!("{whole}.{part:06}")))),
        or_null(any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from)),
        or_null(any::<bool>().prop_map(Value::from)),
        or_null("[0-9]{3}[1-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])".prop_map(Value::from)),
        or_null("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?".prop_map(Value::from)),
        (
            or_null("20[0-9]{2}-0[1-9]-1[0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z".prop_map(Value::from)),
            or_null(any::<u128>().prop_map(|n| {
                let hex = format!("{n:032x}");
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                Value::from(parts.join("-"))
            })),
            or_null(document().prop_filter("a document, not null", |doc| !doc.is_null())),
            list(text().prop_map(Value::from)),
            list((any::<i16>(), 0..1000u32).prop_map(|(a, b)| Value::from(format!("{a}.{b:03}")))),
            list(document().prop_filter("a document, not null", |doc| !doc.is_null())),
        ),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, (i, j, k, l, m, n))| vec![a, b, c, d, e, f, g, h, i, j, k, l, m, n])
}

const COLUMNS: [&str; 14] =
    ["some text", "b", "big", "exact", "float", "yes", "day", "hour", "at", "who", "doc", "texts", "numbers", "docs"];

/// What goes out as `media` comes in as the same rows, for every type and any text.
fn check_round_trip(media: &str) {
    let file = SourceFile { path: "schema/all.toml".into(), text: ALL.to_owned() };
    let schema = load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let store = Arc::new(MemoryStore::with_schema(Arc::new(schema.clone())));
    let app = TestApp::over(schema, store, RequestLimits::default(), Cors::Any);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = "all%20kinds?order=id";
    let mut runner = TestRunner::new(Config::default());
    let outcome = runner.run(&prop::collection::vec(row(), 1..4), |rows| {
        let body: Vec<Value> = (1..)
            .zip(rows)
            .map(|(id, row)| {
                let mut object = serde_json::Map::from_iter(COLUMNS.map(str::to_owned).into_iter().zip(row));
                object.insert("id".to_owned(), json!(id));
                Value::Object(object)
            })
            .collect();
        runtime.block_on(async {
            let reply = app.send(post("all%20kinds", Value::from(body).to_string())).await;
            prop_assert_eq!(reply.status, 201, "{}", reply.body);
            let before = app.send(get(url)).await.body;
            let out = app.send(get(url).header("accept", media)).await.body;
            prop_assert_eq!(app.send(ask("DELETE", "all%20kinds?id=gt.0")).await.status, 204);
            let reply = app.send(post("all%20kinds", out.clone()).header("content-type", media)).await;
            prop_assert_eq!(reply.status, 201, "{} of {}", reply.body, out);
            prop_assert_eq!(app.send(get(url)).await.body, before);
            prop_assert_eq!(app.send(get(url).header("accept", media)).await.body, out);
            prop_assert_eq!(app.send(ask("DELETE", "all%20kinds?id=gt.0")).await.status, 204);
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{media}: {failure}"));
}

#[test]
fn every_value_comes_back_from_xml() {
    check_round_trip("application/xml");
}

#[test]
fn every_value_comes_back_from_ndjson() {
    check_round_trip("application/x-ndjson");
}

#[tokio::test]
async fn the_schema_of_an_answer_is_told() {
    for app in TestApp::each().await {
        let reply = app
            .send(get("toys?select=id,tags,maker:makers(name)").header("accept", "application/xml;schema=xsd"))
            .await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/xml; charset=utf-8"));
        for part in ["<xs:element name=\"maker\"", "<xs:element name=\"item\"", "<xs:element name=\"rows\">"] {
            assert!(reply.body.contains(part), "{}", reply.body);
        }
    }
    let apps = TestApp::each().await;
    check_error(&apps, get("letters").anon().header("accept", "application/xml;schema=xsd"), 401, "42501").await;
}

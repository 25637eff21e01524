//! rest.md 5, 5.1, 8: what is selected, in which form and in which order.

use super::rows;
use crate::app::{TestApp, ask, check, check_error, get, post};

const KINDS: &str = r#"
[kinds.fields]
id     = { type = "int", primary = true }
big    = "bigint"
exact  = { type = "decimal(30,10)", optional = true }
ratio  = { type = "float", optional = true }
key    = { type = "uuid", optional = true }
octets = { type = "bytes", optional = true }
day    = { type = "date", optional = true }
clock  = { type = "time", optional = true }
moment = { type = "timestamp", optional = true }
numbers = { type = "bigint[]", default = [] }
days   = { type = "date[]", default = [] }
info   = { type = "json", optional = true }
"#;

/// rest.md 5.1: numbers of full precision, the rest as PostgreSQL writes it.
#[tokio::test]
async fn every_type_keeps_every_digit() {
    let apps = TestApp::each_over(KINDS).await;
    let written = concat!(
        r#"[{"id":1,"big":9223372036854775807,"exact":"12345678901234567890.0123456789","ratio":1e-7,"#,
        r#""key":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11","octets":"\\xDEADbeef","day":"0999-12-31","#,
        r#""clock":"04:05:06.789","moment":"2026-01-02 03:04:05.600+01","numbers":[9007199254740993,-1],"#,
        r#""days":["2026-01-02"],"info":{"b":9007199254740993,"a":[1.10,null,"é\n"]}},"#,
        r#"{"id":2,"big":-9223372036854775808,"exact":0.1,"ratio":100,"key":null,"octets":"\\x","day":null,"#,
        r#""clock":null,"moment":"2026-06-01T00:00:00Z","numbers":[],"days":[],"info":"text"}]"#
    );
    check(&apps, post("kinds", written), 201, "").await;
    let one = concat!(
        r#"[{"id":1,"big":9223372036854775807,"exact":12345678901234567890.0123456789,"ratio":1e-7,"#,
        r#""key":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","octets":"\\xdeadbeef","day":"0999-12-31","#,
        r#""clock":"04:05:06.789","moment":"2026-01-02T02:04:05.6+00:00","numbers":[9007199254740993,-1],"#,
        r#""days":["2026-01-02"],"info":{"a":[1.10,null,"é\n"],"b":9007199254740993}}]"#
    );
    let two = concat!(
        r#"[{"id":2,"big":-9223372036854775808,"exact":0.1000000000,"ratio":100,"key":null,"octets":"\\x","#,
        r#""day":null,"clock":null,"moment":"2026-06-01T00:00:00+00:00","numbers":[],"days":[],"info":"text"}]"#
    );
    rows(&apps, &[("kinds?id=eq.1", one), ("kinds?id=eq.2", two)]).await;
    // What comes out goes in, and finds the row.
    rows(
        &apps,
        &[
            ("kinds?select=id&key=eq.a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", r#"[{"id":1}]"#),
            ("kinds?select=id&octets=eq.%5Cxdeadbeef", r#"[{"id":1}]"#),
            ("kinds?select=id&exact=eq.12345678901234567890.0123456789", r#"[{"id":1}]"#),
            ("kinds?select=id&moment=eq.2026-01-02T02:04:05.6%2B00:00", r#"[{"id":1}]"#),
            ("kinds?select=id&clock=gt.04:05", r#"[{"id":1}]"#),
            ("kinds?select=id&big=eq.-9223372036854775808", r#"[{"id":2}]"#),
        ],
    )
    .await;
    for (column, value) in [("key", "a0eebc99"), ("octets", "\\xabc"), ("clock", "noon"), ("day", "yesterday")] {
        let body = format!(r#"{{"id":9,"big":1,"{column}":{}}}"#, serde_json::json!(value));
        check_error(&apps, post("kinds", body), 400, "22P02").await;
    }
}

/// rest.md 5: each form of an item, and what is none.
#[tokio::test]
async fn items_of_select() {
    let apps = TestApp::each().await;
    let maker = r#"[{"id":1,"name":"Oak"}]"#;
    rows(
        &apps,
        &[
            ("makers?id=eq.1", maker),
            ("makers?id=eq.1&select=", maker),
            ("makers?id=eq.1&select=*", maker),
            ("makers?id=eq.1&select=name,id", r#"[{"name":"Oak","id":1}]"#),
            ("makers?id=eq.1&select=*,n:name", r#"[{"id":1,"name":"Oak","n":"Oak"}]"#),
            ("makers?id=eq.1&select=+id+,+name+", maker),
            ("makers?id=eq.1&select=i:id::text", r#"[{"i":"1"}]"#),
            (
                "toys?id=eq.1&select=price::int,weight::text,since::timestamp",
                r#"[{"price":13,"weight":"0.5","since":"2020-02-29T00:00:00+00:00"}]"#,
            ),
            // A path is named by its last key; by the one before, or the column, when that is a number.
            ("toys?id=eq.1&select=info-%3Ea-%3E%3Ec,info-%3Eb-%3E1,tags-%3E0", r#"[{"c":"é","b":null,"tags":"wood"}]"#),
            ("toys?id=eq.1&select=x:info-%3Ea-%3E%3Ec::text", r#"[{"x":"é"}]"#),
            // Embeds stand after the columns.
            ("toys?id=eq.1&select=m:makers(name),id", r#"[{"id":1,"m":{"name":"Oak"}}]"#),
        ],
    )
    .await;
    for (select, code) in [
        ("nope", "42703"),
        ("name::nope", "42704"),
        ("since::int", "42846"),
        ("a:", "PGRST100"),
        ("name,,id", "PGRST100"),
        ("name(", "PGRST100"),
        ("makers(name", "PGRST100"),
        ("makers(nope)", "42703"),
    ] {
        check_error(&apps, get(&format!("toys?select={select}")), 400, code).await;
    }
}

/// rest.md 8: direction, where null goes, paths; what is no order.
#[tokio::test]
async fn orders_place_rows_and_null() {
    let apps = TestApp::each().await;
    let ids = |ids: [u32; 3]| format!(r#"[{{"id":{}}},{{"id":{}}},{{"id":{}}}]"#, ids[0], ids[1], ids[2]);
    for (order, expected) in [
        ("id", [1, 2, 3]),
        ("id.asc", [1, 2, 3]),
        ("id.desc", [3, 2, 1]),
        ("price", [3, 2, 1]),
        ("price.desc", [1, 2, 3]),
        ("pieces", [3, 1, 2]),
        ("pieces.desc", [2, 1, 3]),
        ("pieces.nullsfirst", [2, 3, 1]),
        ("pieces.nullslast", [3, 1, 2]),
        ("pieces.asc.nullsfirst", [2, 3, 1]),
        ("pieces.desc.nullslast", [1, 3, 2]),
        ("sold.desc,name", [1, 2, 3]),
        ("sold,name.desc", [3, 2, 1]),
        ("color.nullsfirst,id", [2, 3, 1]),
        ("info-%3Ea-%3E%3Ec,id.desc", [1, 3, 2]),
        ("makers(name).desc,id", [3, 2, 1]),
    ] {
        check(&apps, get(&format!("toys?select=id,makers()&order={order}")), 200, &ids(expected)).await;
    }
    for (order, code) in [
        ("id.up", "PGRST100"),
        ("id.nullsfirst.desc", "PGRST100"),
        ("id.desc.nulls", "PGRST100"),
        ("id,", "PGRST100"),
        (".desc", "PGRST100"),
        ("nope", "42703"),
        ("letters(to_id)", "PGRST108"),
    ] {
        check_error(&apps, get(&format!("toys?order={order}")), 400, code).await;
    }
    // Without an order rows come by their key.
    check(&apps, ask("DELETE", "makers?id=eq.1"), 204, "").await;
    check(&apps, post("makers", r#"{"id":1,"name":"Yew"}"#), 201, "").await;
    check(&apps, get("makers?select=id"), 200, r#"[{"id":1},{"id":2}]"#).await;
}

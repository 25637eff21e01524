//! Rows of one store with those of others.

use mainstay_engine::{Context, Request};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::request::ReadRequest;

use super::Shop;
use crate::app::get;

#[tokio::test]
async fn embeds_go_from_store_to_store_and_back() {
    let shop = Shop::open().await;
    shop.check(
        "customers?select=name,orders(id,events(kind,customers(name)))&order=id",
        r#"[{"name":"Ann","orders":[{"id":10,"events":[{"kind":"paid","customers":{"name":"Bob"}},{"kind":"sent","customers":{"name":"Cid"}}]},{"id":11,"events":[]}]},{"name":"Bob","orders":[{"id":12,"events":[{"kind":"paid","customers":null}]}]},{"name":"Cid","orders":[]}]"#,
    )
    .await;
    // Near inside far, and far inside near.
    shop.check(
        "customers?select=name,team:customers!boss(name,orders(id)),events(kind,notes(text))&order=id",
        r#"[{"name":"Ann","team":[{"name":"Bob","orders":[{"id":12}]},{"name":"Cid","orders":[]}],"events":[]},{"name":"Bob","team":[],"events":[{"kind":"paid","notes":[]}]},{"name":"Cid","team":[],"events":[{"kind":"sent","notes":[{"text":"late"}]}]}]"#,
    )
    .await;
    // What is written in another way than its key is linked to nothing, and so is null.
    shop.check(
        "orders?select=id,customers(name)&order=id",
        r#"[{"id":10,"customers":{"name":"Ann"}},{"id":11,"customers":{"name":"Ann"}},{"id":12,"customers":{"name":"Bob"}},{"id":13,"customers":null},{"id":14,"customers":null}]"#,
    )
    .await;
    shop.check("events?select=id,orders(id)&id=eq.103", r#"[{"id":103,"orders":null}]"#).await;
    shop.check(
        "labels?select=name,orders(id)&order=id",
        r#"[{"name":"new","orders":[{"id":10}]},{"name":"big","orders":[{"id":10},{"id":12}]}]"#,
    )
    .await;
}

#[tokio::test]
async fn pages_of_far_rows_are_of_each_parent() {
    let shop = Shop::open().await;
    shop.check(
        "customers?select=name,orders(id)&orders.order=id.desc&orders.limit=1&order=id",
        r#"[{"name":"Ann","orders":[{"id":11}]},{"name":"Bob","orders":[{"id":12}]},{"name":"Cid","orders":[]}]"#,
    )
    .await;
    shop.check(
        "customers?select=name,orders(id)&orders.order=id.desc&orders.limit=1&orders.offset=1&id=eq.1",
        r#"[{"name":"Ann","orders":[{"id":10}]}]"#,
    )
    .await;
    shop.check(
        "orders?select=id,labels(name)&labels.order=name&labels.limit=1&id=in.(10,11)&order=id",
        r#"[{"id":10,"labels":[{"name":"big"}]},{"id":11,"labels":[]}]"#,
    )
    .await;
}

#[tokio::test]
async fn far_rows_filter_near_ones() {
    let shop = Shop::open().await;
    let ids = |ids: &[u32]| {
        let rows: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
        format!("[{}]", rows.join(","))
    };
    for (url, expected) in [
        ("orders?select=id,customers!inner()&customers.name=eq.Ann&order=id", ids(&[10, 11])),
        ("orders?select=id,customers!inner()&order=id", ids(&[10, 11, 12])),
        ("orders?select=id,customers()&customers=is.null&order=id", ids(&[13, 14])),
        ("orders?select=id,customers()&customers=not.is.null&order=id.desc", ids(&[12, 11, 10])),
        ("orders?select=id,customers()&or=(customers.is.null,total.gt.6)&order=id", ids(&[11, 12, 13, 14])),
        ("orders?select=id,customers()&customers.name=neq.Ann&customers=is.null&order=id", ids(&[10, 11, 13, 14])),
        ("customers?select=id,orders!inner()&orders.total=gt.6&order=id", ids(&[1, 2])),
        (
            "customers?select=id,orders!inner(events!inner())&orders.events.kind=eq.sent",
            r#"[{"id":1,"orders":[{}]}]"#.into(),
        ),
        ("orders?select=id,labels!inner()&labels.name=eq.big&order=id", ids(&[10, 12])),
        ("labels?select=id,orders!inner()&orders.total=lt.6&order=id", ids(&[1, 2])),
        // More than one: those beyond the first.
        ("customers?select=id,orders!inner()&orders.offset=1", ids(&[1])),
        ("orders?select=id,labels!inner()&labels.offset=1", ids(&[10])),
        ("customers?select=id,team:customers!boss!inner(orders!inner())", r#"[{"id":1,"team":[{}]}]"#.into()),
        (
            "notes?select=id,events!inner(customers!inner())&events.customers.name=eq.Cid",
            r#"[{"id":1,"events":{}}]"#.into(),
        ),
    ] {
        shop.check(url, &expected).await;
    }
    let counted = shop.app.send(get("orders?select=id,customers!inner()&limit=1").prefer("count=exact")).await;
    assert_eq!((counted.status, counted.header("content-range")), (206, "0-0/3"));
}

#[tokio::test]
async fn far_columns_order_rows() {
    let shop = Shop::open().await;
    for (url, expected) in [
        ("order=customers(name).desc.nullslast,id", "12 10 11 13 14"),
        ("order=customers(name).desc.nullslast,id&limit=2&offset=1", "10 11"),
        ("order=customers(name),id.desc", "11 10 12 14 13"),
        ("order=customers(name).nullsfirst,total", "13 14 10 11 12"),
        ("customers.name=eq.Bob&order=customers(name),id", "12 10 11 13 14"),
        ("limit=0&order=customers(name)", ""),
    ] {
        let reply = shop.app.send(get(&format!("orders?select=id,customers()&{url}"))).await;
        let rows: Vec<serde_json::Value> = serde_json::from_str(&reply.body).unwrap();
        let ids: Vec<String> = rows.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.join(" "), expected, "{url}");
    }
    // In an embed, too, and page after page.
    shop.check(
        "labels?select=name,orders(id,customers())&orders.order=customers(name).desc&orders.limit=1&order=id",
        r#"[{"name":"new","orders":[{"id":10}]},{"name":"big","orders":[{"id":12}]}]"#,
    )
    .await;
    let (mut token, mut found) = (String::new(), String::new());
    loop {
        let url = format!("orders?select=id,customers()&order=customers(name).desc&limit=2&after={token}");
        let reply = shop.app.send(get(&url)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        found.push_str(&reply.body);
        token = reply.header("next-after").to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, r#"[{"id":13},{"id":14}][{"id":12},{"id":10}][{"id":11}]"#);
}

#[tokio::test]
async fn far_rows_are_spread_and_counted() {
    let shop = Shop::open().await;
    for (url, expected) in [
        (
            "orders?select=id,...customers(name)&order=id&id=gte.12",
            r#"[{"id":12,"name":"Bob"},{"id":13,"name":null},{"id":14,"name":null}]"#,
        ),
        (
            "customers?select=name,...orders(ids:id)&order=id",
            r#"[{"name":"Ann","ids":[10,11]},{"name":"Bob","ids":[12]},{"name":"Cid","ids":[]}]"#,
        ),
        (
            "customers?select=name,orders(count)&order=id",
            r#"[{"name":"Ann","orders":[{"count":2}]},{"name":"Bob","orders":[{"count":1}]},{"name":"Cid","orders":[{"count":0}]}]"#,
        ),
        ("customers?select=name,orders(count)&orders.total=gt.5&id=eq.1", r#"[{"name":"Ann","orders":[{"count":1}]}]"#),
        (
            "orders?select=id,labels(count)&id=lt.12&order=id",
            r#"[{"id":10,"labels":[{"count":2}]},{"id":11,"labels":[{"count":0}]}]"#,
        ),
        (
            "customers?select=name,team:customers!boss(...orders(id))&id=eq.1",
            r#"[{"name":"Ann","team":[{"id":[12]},{"id":[]}]}]"#,
        ),
        (
            "customers?select=name,...customers!boss(who:name,orders(id))&id=eq.1",
            r#"[{"name":"Ann","who":["Bob","Cid"],"orders":[[{"id":12}],[]]}]"#,
        ),
    ] {
        shop.check(url, expected).await;
    }
}

/// What was joined from several stores is no one snapshot, and says so.
#[tokio::test]
async fn an_answer_names_the_stores_that_it_was_joined_from() {
    let shop = Shop::open().await;
    for (url, expected) in [
        ("customers", ""),
        ("orders?id=eq.10", ""),
        ("customers?select=name,team:customers!boss(name)", ""),
        ("orders?select=id,customers(name)", "sales, main"),
        ("customers?select=id,orders!inner()", "main, sales"),
        ("orders?select=id,customers()&order=customers(name)&after=", "sales, main"),
        ("customers?select=name,orders(id,events(kind))", "main, sales, docs"),
    ] {
        let reply = shop.app.send(get(url).header("origin", "https://shop.example")).await;
        assert_eq!((reply.status, reply.header("mainstay-stores")), (200, expected), "{url}");
        assert!(reply.header("access-control-expose-headers").contains("Mainstay-Stores"));
    }
    let lines = get("orders?select=id,customers(name)&order=id&limit=2").header("accept", "application/x-ndjson");
    let reply = shop.app.send(lines).await;
    assert_eq!(reply.header("mainstay-stores"), "sales, main");
    assert_eq!(
        reply.body,
        "{\"id\":10,\"customers\":{\"name\":\"Ann\"}}\n{\"id\":11,\"customers\":{\"name\":\"Ann\"}}\n"
    );
}

#[tokio::test]
async fn explaining_shows_what_each_store_is_asked() {
    let shop = Shop::open().await;
    let engine = shop.app.app().engine().clone();
    let query = "select=id,customers!inner(name),events(kind)&customers.name=eq.Ann&order=customers(name)";
    let query = parse::query(Purpose::Read, query, engine.limits()).unwrap();
    let request = ReadRequest { table: "orders".to_owned(), query, ..ReadRequest::default() };
    let context = Context::system(std::time::Duration::from_secs(10));
    let explained = engine.explain(&context, &Request::Read(request)).await.unwrap();
    let stages: Vec<&str> =
        explained.statements.iter().filter(|line| line.starts_with("--")).map(String::as_str).collect();
    assert_eq!(
        stages,
        [
            "-- main: keys by which \"orders\" is filtered",
            "-- sales: rows",
            "-- main: values by which rows are ordered here",
            "-- main: rows for each 1000 keys",
            "-- docs: rows for each 1000 keys",
        ]
    );
    assert!(explained.statements.iter().any(|line| line.contains("\"customers\"") && line.starts_with("SELECT")));
}

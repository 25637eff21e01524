//! The shop whose customers are in SQLite, orders in PostgreSQL and events in MongoDB.

use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use crate::api::Api;
use crate::app::Database;
use crate::{postgres, shop};

struct Shop {
    api: Api,
    _folder: tempfile::TempDir,
    _sales: postgres::Database,
    _docs: Database,
}

/// The example. Its settings name variables of the environment, in whose place the tests give the URLs themselves.
fn folder() -> tempfile::TempDir {
    let folder = shop::folder_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop-stores"));
    std::fs::write(folder.path().join("mainstay.toml"), "").unwrap();
    folder
}

impl Shop {
    async fn new() -> Shop {
        let (sales, docs) = (postgres::Database::new("").await, Database::new());
        let folder = folder();
        let main = format!("sqlite:{}", folder.path().join("main.db").display());
        let urls = [("stores.sales", "url", sales.url()), ("stores.docs", "url", docs.url())];
        let urls: Vec<_> = urls.iter().map(|(section, name, url)| (*section, *name, url.as_str())).collect();
        let api = Api::with(folder.path(), &main, &urls).await;
        Shop { api, _folder: folder, _sales: sales, _docs: docs }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_answered_by_three_databases() {
    let shop = Shop::new().await;
    let api = &shop.api;
    let path = "orders?select=id,status,customer:customers!inner(name),events(kind,details->>method),\
                order_lines(quantity,products(name,reviews(stars)))&customers.name=like.A*&events.order=at&order=placed_at.desc";
    let reply = api.send("GET", path, &[("prefer", "count=exact")], "").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.headers["mainstay-stores"], "sales, main, docs");
    assert_eq!(reply.headers["content-range"], "0-1/2");
    let rows: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let expected = json!({
        "id": 2, "status": "paid", "customer": { "name": "Ana Souza" },
        "events": [{ "kind": "placed", "method": null }, { "kind": "paid", "method": "transfer" }],
        "order_lines": [{ "quantity": 1, "products": { "name": "Secateurs", "reviews": [{ "stars": 2 }] } }],
    });
    assert_eq!((&rows[0], rows.as_array().unwrap().len()), (&expected, 2));

    for (path, expected) in [
        (
            "customers?select=name,orders(id,events(count))&orders.status=in.(new,paid)&order=id&limit=2",
            r#"[{"name":"Ana Souza","orders":[{"id":2,"events":[{"count":2}]}]},{"name":"Béla Kiss","orders":[{"id":3,"events":[{"count":1}]}]}]"#,
        ),
        (
            "events?select=kind,orders!inner(customers!inner(name))&orders.customers.name=eq.B%C3%A9la%20Kiss",
            r#"[{"kind":"placed","orders":{"customers":{"name":"Béla Kiss"}}}]"#,
        ),
        (
            "orders?select=id,...customers(who:name)&order=customers(name).desc,id&limit=1",
            r#"[{"id":4,"who":"千恵 佐藤"}]"#,
        ),
        ("orders?select=id,events()&events=is.null", r#"[{"id":4}]"#),
        ("events?select=kind,count()&order=count.desc,kind&limit=1", r#"[{"kind":"placed","count":3}]"#),
        ("events?select=kind&details->installments->>count=eq.3", r#"[{"kind":"paid"}]"#),
        (
            "reviews?select=stars,products(name)&tags=cs.{sharp,heavy}",
            r#"[{"stars":4,"products":{"name":"Chef's knife"}}]"#,
        ),
    ] {
        assert_eq!(api.get(path).await, expected, "{path}");
    }
    // What needs one store names none.
    assert!(!api.send("GET", "events?limit=1", &[], "").await.headers.contains_key("mainstay-stores"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_of_one_store() {
    let shop = Shop::new().await;
    let api = &shop.api;
    assert_eq!(
        api.write("POST", "orders?select=status,customers(name)", "", r#"{"customer_id":3,"total":"1.50"}"#).await,
        r#"[{"status":"new","customers":{"name":"千恵 佐藤"}}]"#
    );
    let nested = r#"{"customer_id":1,"total":1,"events":[{"kind":"placed"}]}"#;
    let reply = api.send("POST", "orders", &[], nested).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(
        reply.body.contains("PGRST127") && reply.body.contains("sales") && reply.body.contains("docs"),
        "{}",
        reply.body
    );
    let batch = r#"{"steps":[
        {"method":"POST","path":"/orders","body":{"customer_id":1,"total":1}},
        {"method":"POST","path":"/events","body":{"order_id":1,"kind":"paid"}}]}"#;
    let reply = api.send("POST", "batch", &[], batch).await;
    assert!(reply.status >= 400 && reply.body.contains("docs"), "{} {}", reply.status, reply.body);
    assert_eq!(api.get("orders?select=count()").await, r#"[{"count":5}]"#, "nothing of either was written");
    let batch = r#"{"steps":[
        {"method":"POST","path":"/events","body":{"order_id":4,"kind":"placed"}},
        {"method":"POST","path":"/reviews","body":{"product_id":1,"author":"A","stars":1}}]}"#;
    assert_eq!(api.send("POST", "batch", &[], batch).await.status, 200, "two collections of one store");
    assert_eq!(
        api.write("PATCH", "events?order_id=eq.4&select=kind", "", r#"{"kind":"returned"}"#).await,
        r#"[{"kind":"returned"}]"#
    );
    let rolled_back = [("prefer", "tx=rollback,return=representation")];
    let gone = api.send("DELETE", "events?kind=eq.returned&select=kind", &rolled_back, "").await;
    assert_eq!((gone.status, gone.body.as_str()), (200, r#"[{"kind":"returned"}]"#));
    assert_eq!(api.get("events?kind=eq.returned&select=kind").await, r#"[{"kind":"returned"}]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_leaves_the_others_unharmed() {
    let (sales, docs) = (postgres::Database::new("").await, Database::new());
    let folder = folder();
    let main = format!("sqlite:{}", folder.path().join("main.db").display());
    let all = |docs: &str| vec![("stores.sales", "url", sales.url()), ("stores.docs", "url", docs.to_owned())];
    let borrowed =
        |urls: &[(&'static str, &'static str, String)]| -> Vec<(&'static str, &'static str, String)> { urls.to_vec() };
    let urls = borrowed(&all(&docs.url()));
    let given: Vec<_> = urls.iter().map(|(section, name, url)| (*section, *name, url.as_str())).collect();
    Api::with(folder.path(), &main, &given).await.close().await;

    // A port where nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let urls = borrowed(&all(&docs.url_at(port)));
    let given: Vec<_> = urls.iter().map(|(section, name, url)| (*section, *name, url.as_str())).collect();
    let api = Api::without_tables(folder.path(), &main, &given).await;
    assert_eq!(
        api.get("orders?select=id,customers(name)&id=eq.3").await,
        r#"[{"id":3,"customers":{"name":"Béla Kiss"}}]"#
    );
    for path in ["events?limit=1", "orders?select=id,events(kind)"] {
        let reply = api.send("GET", path, &[], "").await;
        assert_eq!(reply.status, 503, "{path}: {}", reply.body);
        assert!(reply.headers.contains_key("retry-after") && reply.body.contains("docs"), "{}", reply.body);
        assert!(!reply.body.contains(&port.to_string()), "{}", reply.body);
    }
    assert_eq!(api.health().await.status, 503);
    api.close().await;
}

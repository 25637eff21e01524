//! The example shop: the same project as on SQLite, the same answers.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::api::Api;

fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop")
}

/// A copy of the shop, whose secrets are made in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        match entry.file_type().unwrap().is_dir() {
            true if name == ".mainstay" => {}
            true => copy(&entry.path(), &to.join(name)),
            false => drop(std::fs::copy(entry.path(), to.join(name)).unwrap()),
        }
    }
}

pub(crate) fn folder() -> tempfile::TempDir {
    folder_of(&shop())
}

/// A copy of an example.
pub(crate) fn folder_of(example: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(example, folder.path());
    folder
}

/// Makes the shop in an empty database, and looks at it from all sides.
pub(crate) async fn is_served(url: &str) {
    let folder = folder();
    let api = Api::of(folder.path(), url).await;

    // Read, filter, embed.
    assert_eq!(
        api.get("products?select=id,name,price&price=lt.20&order=price&limit=2").await,
        r#"[{"id":1,"name":"Paring knife","price":12.90},{"id":6,"name":"Trowel","price":18.25}]"#
    );
    let rows = api
        .json("orders?select=id,customers!orders_customer_id_fkey(name),order_lines(quantity,products(name))&id=eq.1")
        .await;
    assert_eq!(rows[0]["order_lines"][0], json!({ "quantity": 1, "products": { "name": "Chef's knife" } }));
    let found = api.send("GET", "products?limit=1&available=is.true", &[("prefer", "count=exact")], "").await;
    assert!(found.headers["content-range"].to_str().unwrap().starts_with("0-0/"), "{:?}", found.headers);
    assert!(api.json("order_totals?order_id=eq.1").await[0]["pieces"].is_number());
    assert!(!api.json("reviews?or=(body.wfts(english).knife,stars.gt.0)&limit=1").await.as_array().unwrap().is_empty());

    // Write, by the rules and validation of the schema.
    let made = api.write("POST", "categories?select=id,name", "", r#"{"id":100,"name":"Yard"}"#).await;
    assert_eq!(made, r#"[{"id":100,"name":"Yard"}]"#);
    let merged = api
        .write(
            "POST",
            "categories?select=id,name&order=id",
            "resolution=merge-duplicates",
            r#"[{"id":100,"name":"Yards"},{"id":101,"name":"Pond"}]"#,
        )
        .await;
    assert_eq!(merged, r#"[{"id":100,"name":"Yards"},{"id":101,"name":"Pond"}]"#);
    assert_eq!(
        api.write("PATCH", "categories?id=eq.101&select=name", "", r#"{"name":"Ponds"}"#).await,
        r#"[{"name":"Ponds"}]"#
    );
    assert_eq!(api.write("DELETE", "categories?id=eq.101&select=id", "", "").await, r#"[{"id":101}]"#);
    for (method, path, body, expected) in [
        ("POST", "categories", r#"{"id":100,"name":"Other"}"#, (409, "23505")),
        ("POST", "categories", r#"{"id":102,"name":"x"}"#, (400, "23514")),
        ("POST", "categories", r#"{"id":102,"name":"Tools","parent_id":999}"#, (409, "23503")),
        ("POST", "categories", r#"{"id":102,"name":null}"#, (400, "23502")),
        ("GET", "categories?nothing=eq.1", "", (400, "42703")),
        ("GET", "nothing", "", (404, "PGRST205")),
        ("GET", "categories?id=eq.x", "", (400, "22P02")),
        ("POST", "rpc/best_selers", "{}", (404, "PGRST202")),
    ] {
        let (status, code) = api.refused(method, path, body).await;
        assert_eq!((status, code.as_str()), expected, "{method} {path} {body}");
    }
    assert_eq!(api.anonymous("POST", "categories", r#"{"id":103,"name":"Stolen"}"#).await, 401);

    // Several requests as one, and none of them when one fails.
    let batch = |name: &str| {
        json!({ "steps": [
            { "method": "POST", "path": "/categories", "body": { "id": 110, "name": "Books" } },
            { "method": "POST", "path": "/categories", "body": { "id": 111, "name": name, "parent_id": 110 } },
        ]})
        .to_string()
    };
    assert!(api.send("POST", "batch", &[], &batch("x")).await.status >= 400);
    assert_eq!(api.get("categories?id=gte.110").await, "[]");
    let done = api.send("POST", "batch", &[], &batch("Novels")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        api.get("categories?id=gte.110&select=parent_id&order=id").await,
        r#"[{"parent_id":null},{"parent_id":110}]"#
    );

    // Functions, as the guide shows them.
    assert_eq!(
        api.get("rpc/best_sellers?most=3&select=pieces,products(name)&pieces=gt.1").await,
        r#"[{"pieces":2,"products":{"name":"Linen apron"}},{"pieces":2,"products":{"name":"Paring knife"}}]"#
    );
    let path = "rpc/best_sellers?select=product_id,turnover&order=turnover.desc&limit=2";
    assert_eq!(
        api.send("POST", path, &[], r#"{"since":"2026-01-01"}"#).await.body,
        r#"[{"product_id":2,"turnover":85.00},{"product_id":8,"turnover":70.00}]"#
    );
    assert!(!api.json("rpc/similar_products?product_id=2&select=id").await.as_array().unwrap().is_empty());
    let path = "rpc/cancel_order?select=id,status,customers!orders_customer_id_fkey(name)";
    assert_eq!(
        api.send("POST", path, &[], r#"{"order_id":3}"#).await.body,
        r#"[{"id":3,"status":"cancelled","customers":{"name":"Béla Kiss"}}]"#
    );
    assert_eq!(api.get("orders?select=status&id=eq.3").await, r#"[{"status":"cancelled"}]"#);
}

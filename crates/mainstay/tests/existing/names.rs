//! Names that nobody should give, through every place of a request that takes one (rest.md 2).

use crate::app::Db;

/// Names of columns; each is asked for in quotes.
const NAMES: [&str; 22] = [
    "with space",
    "quo\"te",
    "apos'trophe",
    "back\\slash",
    "[brackets]",
    "select",
    "order",
    "and",
    "limit",
    "a.b",
    "a->b",
    "a->>b",
    "a,b",
    "a(b)",
    "100%",
    "a:b",
    "a;DROP TABLE t;--",
    "🦀",
    "שלום",
    "名前",
    "Ünïcode",
    "-",
];

fn sql(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name as a request quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")).replace('%', "%25")
}

#[tokio::test]
async fn every_name_of_a_column_can_be_used_in_every_place() {
    let columns: Vec<String> = NAMES.iter().map(|name| format!("{} TEXT", sql(name))).collect();
    let db = Db::of(&format!("CREATE TABLE t (id INTEGER PRIMARY KEY, {})", columns.join(", ")));
    for (position, name) in NAMES.iter().enumerate() {
        let id = position + 1;
        let asked = quoted(name);
        let row = serde_json::json!({ "id": id, *name: "x" }).to_string();
        let read = db.write("POST", &format!("t?select={asked}"), &row).await;
        assert_eq!(read, serde_json::json!([{ *name: "x" }]).to_string(), "{name}");
        let found = db.json(&format!("t?select=id,it:{asked}&and=({asked}.eq.x)&order={asked}.desc,id")).await;
        assert_eq!(found, serde_json::json!([{ "id": id, "it": "x" }]), "{name}");
        let set = serde_json::json!({ *name: "y" }).to_string();
        db.write("PATCH", &format!("t?id=eq.{id}"), &set).await;
        // As a key of its own, where the name is not one that means something else.
        if !["order", "and", "limit", "select"].contains(name) {
            let found = db.json(&format!("t?select=id&{asked}=eq.y")).await;
            assert_eq!(found, serde_json::json!([{ "id": id }]), "{name}");
        }
        db.write("DELETE", &format!("t?and=({asked}.eq.y)"), "").await;
    }
}

#[tokio::test]
async fn tables_with_such_names_are_embedded_both_ways() {
    for name in ["with space", "quo\"te", "select", "a.b", "a,b(c)", "🦀", "שלום", "名前", "a->b"] {
        let (table, path) = (sql(name), name.replace('%', "%25"));
        let db = Db::of(&format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, {table} TEXT);
             CREATE TABLE child (id INTEGER PRIMARY KEY, {fk} INTEGER REFERENCES {table});
             INSERT INTO {table} VALUES (1, 'one'); INSERT INTO child VALUES (7, 1);",
            fk = sql(&format!("{name} id")),
        ));
        let asked = quoted(name);
        let up = db.json(&format!("child?select=id,up:{asked}(v:{asked})")).await;
        assert_eq!(up, serde_json::json!([{ "id": 7, "up": { "v": "one" } }]), "{name}");
        let down = db.json(&format!("{path}?select=id,child(id)&child.id=eq.7")).await;
        assert_eq!(down, serde_json::json!([{ "id": 1, "child": [{ "id": 7 }] }]), "{name}");
    }
}

#[tokio::test]
async fn a_table_of_two_thousand_columns_is_served_and_embedded() {
    let columns: Vec<String> = (1..1999).map(|number| format!("c{number} INT")).collect();
    let db = Db::of(&format!(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE wide (id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent, {});
         INSERT INTO parent VALUES (1, 'p'); INSERT INTO wide (id, parent_id, c1998) VALUES (5, 1, 42);",
        columns.join(", ")
    ));
    let rows = db.json("wide?c1998=eq.42").await;
    assert_eq!((rows[0].as_object().unwrap().len(), &rows[0]["c1998"]), (2000, &serde_json::json!(42)));
    let rows = db.json("wide?select=*,parent(name)").await;
    assert_eq!(rows[0]["parent"]["name"], "p");
    let rows = db.json("parent?select=*,wide(*)").await;
    assert_eq!(rows[0]["wide"][0]["c1998"], 42);
    let body = serde_json::json!({ "parent_id": 1, "c7": 8 }).to_string();
    assert_eq!(db.write("POST", "wide?select=id,c7", &body).await, r#"[{"id":6,"c7":8}]"#);
}

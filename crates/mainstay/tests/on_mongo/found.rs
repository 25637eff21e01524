//! A database of another program: with rules for its documents, and without.

use mongodb::bson::{doc, oid::ObjectId};

use crate::api::Api;
use crate::app::Database;

async fn filled() -> Database {
    let database = Database::new();
    let id = |last: u8| ObjectId::from_bytes([101, 160, 177, 194, 211, 228, 245, 6, 23, 40, 57, last]);
    database
        .run([
            doc! { "create": "people", "validator": { "$jsonSchema": {
                "bsonType": "object", "required": ["name"], "properties": {
                    "name": { "bsonType": "string", "description": "What they are called." },
                    "born": { "bsonType": "date" },
                    "level": { "enum": ["new", "old"] },
                },
            } } },
            doc! { "insert": "people", "documents": [
                { "_id": id(1), "name": "Ana", "level": "new", "address": { "city": "Pécs", "lines": ["a", "b"] } },
                { "_id": id(2), "name": "Béla", "level": "old", "tags": ["x", "y"] },
                { "_id": id(3), "name": "Chie" },
            ] },
            doc! { "insert": "visits", "documents": [
                { "_id": 1, "person": id(1), "page": "/a", "seconds": 3 },
                { "_id": 2, "person": id(1), "page": "/b", "seconds": 4.5 },
                { "_id": 3, "person": id(2), "page": "/a", "seconds": null },
                { "_id": 4, "page": "/c" },
            ] },
        ])
        .await;
    database
}

#[tokio::test]
async fn documents_of_another_program_are_served_as_they_are() {
    let database = filled().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schema")).unwrap();
    let links = "[visits.fields]\nperson = { ref = \"people\" }\n";
    std::fs::write(folder.path().join("schema/links.toml"), links).unwrap();
    std::fs::write(folder.path().join("mainstay.toml"), "").unwrap();
    let api = Api::with(folder.path(), &database.url(), &[("stores.main", "introspect", "true")]).await;
    assert_eq!(
        api.get("people?select=_id,name,city:address->>city,address->lines->1&order=name&limit=1").await,
        r#"[{"_id":"65a0b1c2d3e4f50617283901","name":"Ana","city":"Pécs","lines":"b"}]"#
    );
    assert_eq!(api.get("people?select=name&address->>city=eq.P%C3%A9cs").await, r#"[{"name":"Ana"}]"#);
    assert_eq!(api.get("people?select=name&tags=cs.{x}").await, r#"[{"name":"Béla"}]"#);
    assert_eq!(api.get("people?select=name&level=is.null").await, r#"[{"name":"Chie"}]"#);
    assert_eq!(api.get("people?select=name&level=neq.new").await, r#"[{"name":"Béla"}]"#);
    assert_eq!(api.get("people?select=name&_id=eq.65a0b1c2d3e4f50617283902").await, r#"[{"name":"Béla"}]"#);
    // Collections know of no references; the schema files may.
    assert_eq!(
        api.get("people?select=name,visits(page)&order=name&visits.order=page").await,
        r#"[{"name":"Ana","visits":[{"page":"/a"},{"page":"/b"}]},{"name":"Béla","visits":[{"page":"/a"}]},{"name":"Chie","visits":[]}]"#
    );
    assert_eq!(
        api.get("visits?select=_id,people(name)&order=_id.desc&limit=2").await,
        r#"[{"_id":4,"people":null},{"_id":3,"people":{"name":"Béla"}}]"#
    );
    // Nothing of a value becomes an operator.
    for value in ["%7B%22$gt%22:%22%22%7D", "$where"] {
        assert_eq!(api.get(&format!("people?select=name&name=eq.{value}")).await, "[]");
    }
    for path in ["people?address->>$where=eq.1", "people?select=address->$expr"] {
        let status = api.send("GET", path, &[], "").await.status;
        assert!(status == 200 || status == 400, "{path}: {status}");
    }
    // Writes keep to the rules of the collection.
    let made = api.write("POST", "people?select=name,level", "", r#"{"name":"Dan","level":"new"}"#).await;
    assert_eq!(made, r#"[{"name":"Dan","level":"new"}]"#);
    assert_eq!(api.refused("POST", "people", r#"{"name":"Eve","level":"odd"}"#).await.0, 400);
    let changed =
        api.write("PATCH", "people?name=eq.Dan&select=address", "", r#"{"address":{"$set":1,"a.b":2}}"#).await;
    assert_eq!(changed, r#"[{"address":{"$set":1,"a.b":2}}]"#);
    assert!(
        database.document("people", doc! { "name": "Dan" }).await.get_document("address").unwrap().contains_key("$set")
    );
    assert_eq!(api.write("DELETE", "people?name=eq.Dan&select=name", "", "").await, r#"[{"name":"Dan"}]"#);
    api.close().await;
}

#[tokio::test]
async fn what_was_only_seen_is_called_inferred() {
    let database = filled().await;
    let api = Api::over(&database.url()).await;
    let described = api.project.schema.find("visits").unwrap();
    let words = described.find_column("page").unwrap().description.clone().unwrap_or_default();
    assert!(words.contains("inferred"), "{words}");
    let ruled = api.project.schema.find("people").unwrap().find_column("name").unwrap().description.clone();
    assert_eq!(ruled.as_deref(), Some("What they are called."));
    api.close().await;
}

//! Functions of a project, `queries/*.sql`: the same files as on SQLite, the same answers.

use std::path::Path;

use mainstay::config::Override;
use mainstay::project::Project;
use serde_json::{Value, json};

use crate::api::Api;

const SCHEMA: &str = r#"
[artists.fields]
id = { type = "int", primary = true }
name = "text"

[artists.access]
read = true

[albums.fields]
id = { type = "int", primary = true }
title = "text"
artist_id = { ref = "artists" }
price = "decimal(10,2)"
released = { type = "timestamp", optional = true }
tags = { type = "text[]", optional = true }
"#;

const QUERIES: [(&str, &str); 13] = [
    (
        "by_artist.sql",
        "--- access = true
--- params.artist = \"int\"
--- params.least = { type = \"decimal(10,2)\", default = \"0\" }
--- returns = \"albums\"
SELECT * FROM albums WHERE artist_id = :artist AND price >= :least -- :nothing
ORDER BY title DESC;",
    ),
    (
        "totals.sql",
        "--- returns.fields.artist_id = { ref = \"artists\", primary = true }
--- returns.fields.albums = \"bigint\"
--- returns.fields.turnover = \"decimal(12,2)\"
--- returns.fields.mean = \"decimal(8,3)\"
--- returns.fields.latest = \"timestamp\"
--- returns.fields.dear = \"bool\"
SELECT artist_id, count(*) AS albums, sum(price) AS turnover, avg(price) AS mean, max(released) AS latest,
  max(price) > 20 AS dear
FROM albums GROUP BY artist_id ORDER BY turnover DESC",
    ),
    (
        "titles.sql",
        "--- returns = \"text\"\n--- rows = \"many\"\nSELECT title || ' \"!\"' AS \"loud title\" FROM albums ORDER BY id DESC",
    ),
    ("count_albums.sql", "--- returns = \"bigint\"\nSELECT count(*) FROM albums"),
    ("plain.sql", "SELECT title, price AS cost FROM albums WHERE id < 3 ORDER BY id LIMIT 5"),
    (
        "every_type.sql",
        "--- params.a = \"bool\"
--- params.b = \"int\"
--- params.c = \"bigint\"
--- params.d = \"float\"
--- params.e = \"decimal(20,3)\"
--- params.f = \"text\"
--- params.g = \"uuid\"
--- params.h = \"bytes\"
--- params.i = \"date\"
--- params.j = \"time\"
--- params.k = \"timestamp\"
--- params.l = \"json\"
--- params.m = \"int[]\"
--- params.n = { type = \"text\", optional = true }
--- rows = \"one\"
--- returns.fields.a = \"bool\"
--- returns.fields.b = \"int\"
--- returns.fields.c = \"bigint\"
--- returns.fields.d = \"float\"
--- returns.fields.e = \"decimal(20,3)\"
--- returns.fields.f = \"text\"
--- returns.fields.g = \"uuid\"
--- returns.fields.h = \"bytes\"
--- returns.fields.i = \"date\"
--- returns.fields.j = \"time\"
--- returns.fields.k = \"timestamp\"
--- returns.fields.l = \"json\"
--- returns.fields.m = \"int[]\"
--- returns.fields.n = \"text\"
SELECT :a AS a, :b AS b, :c AS c, :d AS d, :e AS e, :f AS f, :g AS g, :h AS h, :i AS i, :j AS j, :k AS k, :l AS l,
  :m AS m, :n AS n",
    ),
    ("no_number.sql", "--- returns.fields.name = \"int\"\nSELECT name FROM artists"),
    (
        "raise_prices.sql",
        "--- writes = true
--- params.artist = \"int\"
--- params.by = \"decimal(10,2)\"
--- returns = \"albums\"
UPDATE albums SET price = price + :by WHERE artist_id = :artist RETURNING *",
    ),
    (
        "forget.sql",
        "--- writes = true\n--- params.id = \"int\"\n--- returns.fields.id = \"int\"\n--- returns.fields.title = \"text\"\n\
         DELETE FROM albums WHERE id = :id RETURNING id, title",
    ),
    (
        "add_artist.sql",
        "--- access = true\n--- writes = true\n--- params.id = \"int\"\n--- params.name = { type = \"text\", min = 2 }\n\
         INSERT INTO artists (id, name) VALUES (:id, :name)",
    ),
    (
        "pick.sql",
        "--- params.id = \"int\"\n--- rows = \"one\"\n--- returns = \"artists\"\nSELECT * FROM artists WHERE id = :id",
    ),
    (
        "pick.by_name.sql",
        "--- params.name = \"text\"\n--- returns = \"artists\"\nSELECT * FROM artists WHERE name = :name",
    ),
    ("note.sql", "--- params.doc = \"json\"\n--- body = \"doc\"\n--- returns = \"json\"\nSELECT :doc AS doc"),
];

fn project(queries: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["schema", "queries"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("mainstay.toml"), "").unwrap();
    std::fs::write(folder.path().join("schema/music.toml"), SCHEMA).unwrap();
    for (name, text) in queries {
        std::fs::write(folder.path().join("queries").join(name), text).unwrap();
    }
    folder
}

/// Calls functions that read.
pub(crate) async fn read_and_are_made_more_of(url: &str) {
    let folder = project(&QUERIES);
    let api = Api::of(folder.path(), url).await;
    fill(&api).await;

    // The order is that of the function, unless somebody asks for another one.
    assert_eq!(api.get("rpc/by_artist?artist=1&select=id").await, r#"[{"id":3},{"id":2},{"id":1}]"#);
    assert_eq!(
        api.get("rpc/by_artist?artist=1&least=10&select=title,tags,artists(name)&order=id&limit=1").await,
        r#"[{"title":"A","tags":["x","y"],"artists":{"name":"Ann"}}]"#
    );
    let reply = api.send("GET", "rpc/by_artist?artist=1&limit=1&offset=1&select=id", &[("prefer", "count=exact")], "");
    let reply = reply.await;
    assert_eq!((reply.body.as_str(), reply.headers["content-range"].to_str().unwrap()), (r#"[{"id":2}]"#, "1-1/3"));
    assert_eq!(api.get("rpc/by_artist?artist=1&title=eq.B&select=price").await, r#"[{"price":10.50}]"#);
    let whole = json!([{ "id": 4, "title": "D", "artist_id": 2, "price": 30, "released": null, "tags": null }]);
    assert_eq!(api.json("rpc/by_artist?artist=2").await, json_of(&whole));

    // What is computed is of the type that was declared, and is compared as that.
    let totals = r#"[{"artist_id":1,"albums":3,"turnover":35.50,"mean":11.833,"latest":"2026-01-02T03:04:05+00:00","dear":false},{"artist_id":2,"albums":1,"turnover":30.00,"mean":30.000,"latest":null,"dear":true}]"#;
    assert_eq!(api.get("rpc/totals").await, totals);
    for (filter, expected) in [
        ("albums=gt.1", &[1][..]),
        ("turnover=eq.35.5", &[1]),
        ("mean=eq.11.833", &[1]),
        ("latest=eq.2026-01-02T03:04:05Z", &[1]),
        ("latest=is.null", &[2]),
        ("dear=is.true", &[2]),
        ("artists.name=eq.Ann&artists=not.is.null&select=*,artists!inner()", &[1]),
        ("order=artist_id.desc", &[2, 1]),
    ] {
        let rows = api.json(&format!("rpc/totals?{filter}")).await;
        let found: Vec<i64> = rows.as_array().unwrap().iter().filter_map(|row| row["artist_id"].as_i64()).collect();
        assert_eq!(found, expected, "{filter}");
    }
    assert_eq!(
        api.get("rpc/totals?select=artists(name,albums(id))&artists.albums.order=id&albums=eq.1").await,
        r#"[{"artists":{"name":"Bob","albums":[{"id":4}]}}]"#
    );
    assert_eq!(api.get("rpc/titles?limit=2").await, r#"["D \"!\"","C \"!\""]"#);
    assert_eq!(api.get("rpc/count_albums").await, "4");
    assert_eq!(api.get("rpc/plain").await, r#"[{"title":"A","cost":10.00},{"title":"B","cost":10.50}]"#);
    assert_eq!(api.get("rpc/pick?id=2").await, r#"{"id":2,"name":"Bob"}"#);
    assert_eq!(api.get("rpc/pick?id=9").await, "null");
    assert_eq!(api.get("rpc/pick?name=Bob").await, r#"[{"id":2,"name":"Bob"}]"#);
    assert_eq!(api.send("POST", "rpc/note", &[], r#"[1,{"a":1.50}]"#).await.body, r#"[1,{"a":1.50}]"#);

    // Values go as what they are, and come back as that.
    let every = json!({
        "a": true, "b": -5, "c": 9007199254740993i64, "d": 0.1, "e": "12345678901234567.125", "f": "it's \"\\ é",
        "g": "0190a5b2-7e1c-7c3a-9b1d-000000000001", "h": "\\x00ff", "i": "2026-01-02", "j": "03:04:05.5",
        "k": "2026-01-02T05:04:05.000001+02:00", "l": { "b": 1, "a": [null] }, "m": [1, null, 3],
    });
    let reply = api.send("POST", "rpc/every_type", &[], &every.to_string()).await;
    let found: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    for (name, value) in every.as_object().unwrap() {
        match name.as_str() {
            "e" => assert!(reply.body.contains("\"e\":12345678901234567.125"), "{}", reply.body),
            "k" => assert_eq!(found["k"], "2026-01-02T03:04:05.000001+00:00"),
            _ => assert_eq!(&found[name], value, "{name}"),
        }
    }
    assert_eq!(found["n"], Value::Null);

    // Who may call what, and with what.
    assert_eq!(api.called("GET", "by_artist?artist=2&select=id", "").await, (200, r#"[{"id":4}]"#.to_owned()));
    assert_eq!(api.called("GET", "by_artist?artist=2&select=id,artists(name)", "").await.0, 200);
    assert_eq!(api.called("GET", "totals", "").await.0, 401);
    for (method, path, expected) in [
        ("GET", "rpc/by_artist?artist=x", (400, "22P02")),
        ("GET", "rpc/by_artist", (404, "PGRST202")),
        ("GET", "rpc/no_number", (400, "22P02")),
        ("GET", "rpc/add_artist?id=7&name=Eve", (405, "25006")),
        ("GET", "rpc/pick?id=9999999999", (400, "22003")),
        ("POST", "rpc/count_albums?select=x", (400, "PGRST100")),
    ] {
        let (status, code) = api.refused(method, path, "{}").await;
        assert_eq!((status, code.as_str()), expected, "{method} {path}");
    }
    api.close().await;
}

fn json_of(value: &Value) -> Value {
    let mut value = value.clone();
    value[0]["price"] = serde_json::from_str("30.00").unwrap();
    value
}

async fn fill(api: &Api) {
    api.write("POST", "artists", "", r#"[{"id":1,"name":"Ann"},{"id":2,"name":"Bob"}]"#).await;
    let albums = json!([
        { "id": 1, "title": "A", "artist_id": 1, "price": "10.00", "released": "2026-01-02T03:04:05Z", "tags": ["x", "y"] },
        { "id": 2, "title": "B", "artist_id": 1, "price": "10.50", "released": null, "tags": null },
        { "id": 3, "title": "C", "artist_id": 1, "price": "15.00", "released": null, "tags": null },
        { "id": 4, "title": "D", "artist_id": 2, "price": "30.00", "released": null, "tags": null },
    ]);
    api.write("POST", "albums", "", &albums.to_string()).await;
}

/// Calls functions that write.
pub(crate) async fn write_and_give_back(url: &str) {
    let folder = project(&QUERIES);
    let api = Api::of(folder.path(), url).await;
    fill(&api).await;
    let prices = "albums?select=price&artist_id=eq.1&order=id";
    let before = r#"[{"price":10.00},{"price":10.50},{"price":15.00}]"#;
    let raise = |prefer: &'static str, path: &'static str| {
        let api = &api;
        async move { api.send("POST", path, &[("prefer", prefer)], r#"{"artist":1,"by":"0.25"}"#).await }
    };
    // Undone by too many rows, or by its own will.
    let refused = raise("handling=strict,max-affected=2", "rpc/raise_prices").await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("PGRST124"), "{}", refused.body);
    assert_eq!(api.get(prices).await, before);
    let undone = raise("tx=rollback", "rpc/raise_prices?select=price&order=price.desc&limit=1").await;
    assert_eq!((undone.status, undone.body.as_str()), (200, r#"[{"price":15.25}]"#));
    assert_eq!(api.get(prices).await, before);
    // Rows come back as those of a table; what the request makes of them bounds nothing.
    let done = raise("count=exact", "rpc/raise_prices?select=id,price,artists(name)&price=gt.12&order=id").await;
    assert_eq!(done.body, r#"[{"id":3,"price":15.25,"artists":{"name":"Ann"}}]"#);
    assert_eq!(api.get(prices).await, r#"[{"price":10.25},{"price":10.75},{"price":15.25}]"#);
    let none = api.send("POST", "rpc/raise_prices", &[], r#"{"artist":9,"by":"1"}"#).await;
    assert_eq!((none.status, none.body.as_str()), (200, "[]"));
    let gone = api.send("POST", "rpc/forget", &[], r#"{"id":2}"#).await;
    assert_eq!((gone.status, gone.body.as_str()), (200, r#"[{"id":2,"title":"B"}]"#));
    assert_eq!(api.get("albums?id=eq.2").await, "[]");
    // Nothing comes back of what gives nothing.
    assert_eq!(api.called("POST", "add_artist", r#"{"id":7,"name":"Eve"}"#).await, (204, String::new()));
    assert_eq!(api.get("artists?id=eq.7&select=name").await, r#"[{"name":"Eve"}]"#);
    // The database's word holds, and the head's.
    assert_eq!(api.refused("POST", "rpc/add_artist", r#"{"id":7,"name":"Eve"}"#).await.0, 409);
    assert_eq!(api.refused("POST", "rpc/add_artist", r#"{"id":8,"name":"E"}"#).await, (400, "23514".to_owned()));
    assert_eq!(api.called("POST", "forget", r#"{"id":1}"#).await.0, 401);
    // As a step among others.
    let steps = json!({ "steps": [
        { "method": "POST", "path": "/rpc/add_artist", "body": { "id": 10, "name": "Fay" } },
        { "method": "GET", "path": "/rpc/pick?id=10" },
        { "method": "POST", "path": "/rpc/forget", "body": { "id": 1 } },
    ]});
    let done = api.send("POST", "batch", &[], &steps.to_string()).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body.contains("Fay") && done.body.contains(r#""title":"A""#), "{}", done.body);
    api.close().await;
}

/// Looks at files that are no good.
pub(crate) async fn that_do_not_fit_are_refused_at_their_place(url: &str) {
    let good = project(&QUERIES[..1]);
    Api::of(good.path(), url).await.close().await;
    let look = |text: &str| {
        let folder = project(&[("f.sql", text)]);
        mistakes(folder.path(), url)
    };
    for (text, expected) in [
        ("--- params.a = \"int\"\nSELECT id, :a AS b\nFROM artist WHERE id = :a", "queries/f.sql:3:6:"),
        ("SELECT nme FROM artists", "queries/f.sql:1:8:"),
        ("SELECT count(*) FROM artists", "and nothing says of which type"),
        ("DELETE FROM albums", "the SQL changes rows, and the head does not say so"),
        ("--- writes = true\n--- returns = \"int\"\nSELECT id FROM artists", "the SQL only reads"),
        ("--- returns = \"albums\"\nSELECT id FROM albums", "and the SQL lacks"),
        ("SELECT * FROM _mainstay_migrations", "must not touch what Mainstay keeps for itself"),
        ("SELECT 1 FROM", "queries/f.sql:1:"),
    ] {
        let found = look(text);
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{text}\n{found:#?}");
    }
    assert!(mistakes(good.path(), url).is_empty());
}

fn mistakes(folder: &Path, url: &str) -> Vec<String> {
    let project = Project::open(folder, &[Override::new("stores.main", "url", url).unwrap()]);
    let looked = project.and_then(Project::with_functions);
    looked.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

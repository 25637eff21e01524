//! What is kept is what is shown, whatever the column was declared as, and filters compare as SQLite does.

use crate::app::Db;

#[tokio::test]
async fn values_of_another_type_than_the_column_are_shown_as_kept() {
    let db = Db::of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, i INT, r REAL, d DECIMAL(10,2), b BOOLEAN, x BLOB, j JSON, at DATETIME);
         INSERT INTO t VALUES
           (1, 1, 1.5, 2.5, 1, x'00ff', '{\"a\": 1}', '2009-01-01 00:00:00'),
           (2, 'one', 'many', 'free', 'yes', 'text', 'no json', 1230768000),
           (3, 1.5, 2, 3, 2, 5, '[1,2]', 2454832.5),
           (4, 9223372036854775807, 9e999, 10.10, 0, NULL, 'null', NULL);",
    );
    assert_eq!(
        db.get("t?id=lt.3").await,
        r#"[{"id":1,"i":1,"r":1.5,"d":2.5,"b":true,"x":"\\x00ff","j":{"a": 1},"at":"2009-01-01 00:00:00"},"#.to_owned()
            + r#"{"id":2,"i":"one","r":"many","d":"free","b":"yes","x":"text","j":"no json","at":1230768000}]"#
    );
    assert_eq!(
        db.get("t?id=gt.2").await,
        r#"[{"id":3,"i":1.5,"r":2,"d":3,"b":2,"x":5,"j":[1,2],"at":2454832.5},"#.to_owned()
            + r#"{"id":4,"i":9223372036854775807,"r":"Infinity","d":10.1,"b":false,"x":null,"j":null,"at":null}]"#
    );
    // Numbers before text, each found by what is shown.
    for (filter, expected) in [
        ("i=eq.1", "1"),
        ("i=gt.1", "2,3,4"),
        ("i=eq.9223372036854775807", "4"),
        ("r=eq.2", "3"),
        ("d=eq.2.5", "1"),
        ("d=eq.2.50", "1"),
        ("d=gte.10.1", "2,4"),
        ("b=is.true", "1"),
        ("b=eq.false", "4"),
        ("at=eq.1230768000", "2"),
        ("at=eq.2009-01-01 00:00:00", "1"),
        ("at=like.2009*", "1"),
        ("at=in.(1230768000,2454832.5)", "2,3"),
        ("j=eq.{\"a\":1}", "1"),
        ("j->a=eq.1", "1"),
        ("x=eq.\\x00ff", "1"),
    ] {
        let rows = db.json(&format!("t?select=id&order=id&{filter}")).await;
        let ids: Vec<String> = rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.join(","), expected, "{filter}");
    }
    // What is no value of the column's type is refused before it gets there.
    assert_eq!(db.refused("GET", "t?i=eq.one", "").await, (400, "22P02".to_owned()));
    assert_eq!(db.refused("POST", "t", r#"{"i":"one"}"#).await, (400, "22P02".to_owned()));
}

#[tokio::test]
async fn columns_without_a_type_keep_and_compare_what_comes() {
    let db = Db::of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v);
         INSERT INTO t VALUES (1, 5), (2, '5'), (3, 5.5), (4, 'five'), (5, x'35'), (6, NULL);",
    );
    assert_eq!(db.get("t?select=v&id=lt.5").await, r#"[{"v":5},{"v":"5"},{"v":5.5},{"v":"five"}]"#);
    for (filter, expected) in [
        ("v=eq.5", "1,2"),
        ("v=neq.5", "3,4,5"),
        ("v=gt.5", "3,4,5"),
        ("v=in.(5,five)", "1,2,4"),
        ("v=isdistinct.5", "3,4,5,6"),
        ("v=is.null", "6"),
        ("v=like.*ive", "4"),
    ] {
        let rows = db.json(&format!("t?select=id&order=id&{filter}")).await;
        let ids: Vec<String> = rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.join(","), expected, "{filter}");
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error_and_not_another_text() {
    let db = Db::of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT)), (2, 'ok')",
    );
    assert_eq!(db.refused("GET", "t", "").await, (400, "22021".to_owned()));
    assert_eq!(db.get("t?select=id").await, r#"[{"id":1},{"id":2}]"#);
    assert_eq!(db.get("t?id=eq.2").await, r#"[{"id":2,"v":"ok"}]"#);
}

#[tokio::test]
async fn defaults_are_filled_in_by_whoever_knows_them() {
    let db = Db::of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL DEFAULT 5, b TEXT NOT NULL DEFAULT 'it''s',
           c TEXT NOT NULL DEFAULT (upper('x') || 'y'), d DEFAULT 7, e TEXT, g INT AS (a * 2), h INT AS (a + 1) STORED);",
    );
    assert_eq!(
        db.write("POST", "t", r#"{"e":"z"}"#).await,
        r#"[{"id":1,"a":5,"b":"it's","c":"Xy","d":7,"e":"z","g":10,"h":6}]"#
    );
    assert_eq!(db.write("POST", "t?select=a,c,g", r#"{"a":1,"c":"own"}"#).await, r#"[{"a":1,"c":"own","g":2}]"#);
    assert_eq!(db.write("POST", "t?select=id", "{}").await, r#"[{"id":3}]"#);
    // A computed column cannot be written.
    assert_eq!(db.refused("POST", "t", r#"{"g":1}"#).await, (400, "428C9".to_owned()));
    assert_eq!(db.refused("PATCH", "t?id=eq.1", r#"{"h":1}"#).await, (400, "428C9".to_owned()));
    assert_eq!(db.get("t?select=id&g=eq.10&order=id").await, r#"[{"id":1},{"id":3}]"#);
    // Of several rows, all or none bring a value that only the database can compute.
    let mixed = r#"[{"a":1,"c":"x"},{"a":2}]"#;
    let reply = db.send("POST", "t?columns=a,c", &[("prefer", "missing=default")], mixed).await;
    assert!(reply.status == 400 && reply.body.contains("PGRST127"), "{}", reply.body);
    let none = r#"[{"a":1},{"a":2}]"#;
    let reply =
        db.send("POST", "t?columns=a,c&select=c", &[("prefer", "missing=default,return=representation")], none).await;
    assert_eq!(reply.body, r#"[{"c":"Xy"},{"c":"Xy"}]"#);
}

/// rest.md 6 and 11.6, over numbers that SQLite keeps as its own.
#[tokio::test]
async fn decimals_that_are_kept_as_numbers_are_added_exactly() {
    let db = Db::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d DECIMAL(10,2));
         INSERT INTO t VALUES (1, 0.1), (2, 0.2), (3, 4), (4, 'free'), (5, NULL);",
        "[rest]\naggregates = \"on\"\n",
        "",
    );
    let all = r#"[{"sum":4.3,"avg":1.4333333333333333,"count":5}]"#;
    assert_eq!(db.get("t?select=d.sum(),d.avg(),count()").await, all);
    assert_eq!(db.get("t?select=d::numeric.sum()&id=lt.3").await, r#"[{"sum":0.3}]"#);
    let add = [("prefer", "return=representation"), ("content-type", "application/vnd.mainstay.patch+json")];
    let reply = db.send("PATCH", "t?id=lt.4&select=d&order=id", &add, r#"{"d":{"add":0.2}}"#).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"d":0.3},{"d":0.4},{"d":4.2}]"#));
}

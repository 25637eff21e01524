//! Tables with and without keys, checks, triggers, references of every kind, access, and tables that change.

use crate::app::Db;

#[tokio::test]
async fn rows_without_a_key_have_an_order_and_can_be_written() {
    let db = Db::of(
        "CREATE TABLE log (rowid TEXT, at INT, parent_id INT REFERENCES parent); CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE INDEX by_at ON log (at);
         INSERT INTO parent VALUES (1);
         INSERT INTO log VALUES ('a', 3, 1), ('b', 2, 1), ('c', 2, NULL), ('d', 1, NULL);",
    );
    assert_eq!(
        db.get("log?select=rowid&at=lt.9").await,
        r#"[{"rowid":"a"},{"rowid":"b"},{"rowid":"c"},{"rowid":"d"}]"#
    );
    assert_eq!(db.get("log?select=rowid&order=at&offset=1&limit=2").await, r#"[{"rowid":"b"},{"rowid":"c"}]"#);
    let made = db.write("POST", "log?select=rowid,parent(id)", r#"{"rowid":"e","parent_id":1}"#).await;
    assert_eq!(made, r#"[{"rowid":"e","parent":{"id":1}}]"#);
    let set = db.write("PATCH", "log?at=eq.2&select=rowid,at,parent(id)", r#"{"at":5}"#).await;
    assert_eq!(set, r#"[{"rowid":"b","at":5,"parent":{"id":1}},{"rowid":"c","at":5,"parent":null}]"#);
    assert_eq!(db.write("DELETE", "log?at=eq.5&select=rowid", "").await, r#"[{"rowid":"b"},{"rowid":"c"}]"#);
    // Without a key nothing is there already (rest.md 11.4), and there is no row to put in the place of another.
    let reply = db.send("POST", "log", &[("prefer", "resolution=merge-duplicates")], r#"{"rowid":"a"}"#).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(db.get("log?select=rowid&rowid=eq.a").await, r#"[{"rowid":"a"},{"rowid":"a"}]"#);
    assert_eq!(db.refused("PUT", "log?rowid=eq.a", r#"{"rowid":"a","at":1,"parent_id":null}"#).await.0, 405);
}

#[tokio::test]
async fn the_rules_of_the_file_hold_and_are_named() {
    let db = Db::of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT CONSTRAINT positive CHECK (n > 0), u TEXT UNIQUE, l TEXT) STRICT;
         CREATE UNIQUE INDEX by_lower ON t (lower(l));
         CREATE TABLE w (a TEXT, b INT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE seen (what TEXT);
         CREATE TRIGGER note AFTER INSERT ON w BEGIN INSERT INTO seen VALUES (new.a); UPDATE w SET v = 'set' WHERE a = new.a; END;
         CREATE TRIGGER guard BEFORE DELETE ON w WHEN old.v = 'keep' BEGIN SELECT raise(ABORT, 'this one stays'); END;",
    );
    db.write("POST", "t", r#"{"n":1,"u":"a","l":"X"}"#).await;
    let refused = db.send("POST", "t", &[], r#"{"n":0}"#).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("23514") && refused.body.contains("positive"), "{}", refused.body);
    assert_eq!(db.refused("POST", "t", r#"{"n":1,"u":"a"}"#).await, (409, "23505".to_owned()));
    assert_eq!(db.refused("POST", "t", r#"{"n":1,"l":"x"}"#).await, (409, "23505".to_owned()));
    // Triggers run; what comes back is the row as they left it, and only the rows of the request count.
    assert_eq!(db.write("POST", "w", r#"{"a":"k","b":1}"#).await, r#"[{"a":"k","b":1,"v":"set"}]"#);
    assert_eq!(db.get("seen").await, r#"[{"what":"k"}]"#);
    let reply = db.send("PATCH", "w?a=eq.k", &[("prefer", "count=exact")], r#"{"v":"keep"}"#).await;
    assert_eq!((reply.status, reply.range.as_str()), (204, "0-0/1"));
    let refused = db.send("DELETE", "w?a=eq.k", &[], "").await;
    assert!(refused.status == 400 && refused.body.contains("P0001") && refused.body.contains("this one stays"));
    // A trigger that ends the whole transaction ends its own request, and the next one is none the worse.
    db.other()
        .execute_batch(
            "CREATE TRIGGER back BEFORE UPDATE ON t WHEN new.n = 9 BEGIN SELECT raise(ROLLBACK, 'all of it'); END",
        )
        .unwrap();
    let refused = db.send("PATCH", "t?id=eq.1", &[], r#"{"n":9}"#).await;
    assert!(refused.status == 400 && refused.body.contains("all of it"), "{}", refused.body);
    assert_eq!(db.write("PATCH", "t?id=eq.1&select=n", r#"{"n":8}"#).await, r#"[{"n":8}]"#);
    // A merge by the composite key.
    let reply = db
        .send(
            "POST",
            "w",
            &[("prefer", "resolution=merge-duplicates")],
            r#"[{"a":"k","b":1,"v":"m"},{"a":"k","b":2,"v":"n"}]"#,
        )
        .await;
    assert!(reply.status < 300, "{}", reply.body);
}

#[tokio::test]
async fn references_of_every_kind_lead_where_they_should() {
    let db = Db::of(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INT REFERENCES B (ID), gone INT REFERENCES nowhere (id));
         CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INT CONSTRAINT back REFERENCES a DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE pair (x INT, y INT, PRIMARY KEY (x, y));
         CREATE TABLE of_pair (id INTEGER PRIMARY KEY, px INT, py INT, FOREIGN KEY (px, py) REFERENCES pair);
         CREATE TABLE one (a_id INTEGER PRIMARY KEY REFERENCES a (id));
         PRAGMA foreign_keys = off;
         INSERT INTO a VALUES (1, 2, 3); INSERT INTO b VALUES (2, 1); INSERT INTO one VALUES (1);
         INSERT INTO pair VALUES (1, 2); INSERT INTO of_pair VALUES (1, 1, 2), (2, 1, NULL);",
    );
    // A circle, each way with its own name.
    let rows = db.get("a?select=id,up:b!a_b_id_fkey(id),down:b!back(id)").await;
    assert_eq!(rows, r#"[{"id":1,"up":{"id":2},"down":[{"id":2}]}]"#);
    assert_eq!(
        db.get("of_pair?select=id,pair(x,y)&order=id").await,
        r#"[{"id":1,"pair":{"x":1,"y":2}},{"id":2,"pair":null}]"#
    );
    assert_eq!(db.get("pair?select=of_pair(id)").await, r#"[{"of_pair":[{"id":1}]}]"#);
    // A key that is also the primary key: one to one.
    assert_eq!(db.get("a?select=one(a_id)").await, r#"[{"one":{"a_id":1}}]"#);
    assert_eq!(db.refused("GET", "a?select=nowhere(id)", "").await, (400, "PGRST200".to_owned()));
}

#[tokio::test]
async fn virtual_tables_are_read_and_their_insides_are_not_shown() {
    let db = Db::of("CREATE VIRTUAL TABLE doc USING fts5 (title, body); INSERT INTO doc VALUES ('one', 'two three');");
    assert_eq!(db.get("doc?title=eq.one").await, r#"[{"title":"one","body":"two three"}]"#);
    assert_eq!(db.refused("POST", "doc", r#"{"title":"x"}"#).await, (400, "55000".to_owned()));
    for inside in ["doc_data", "doc_content", "sqlite_schema"] {
        assert_eq!(db.refused("GET", inside, "").await.0, 404, "{inside}");
    }
}

#[tokio::test]
async fn nobody_but_the_secret_key_sees_anything_unless_it_is_said() {
    let tables = "CREATE TABLE open (id INTEGER PRIMARY KEY, secret TEXT); CREATE TABLE shut (id INTEGER PRIMARY KEY);
                  CREATE TABLE hidden (id INTEGER PRIMARY KEY, open_id INT REFERENCES open);
                  CREATE VIEW v AS SELECT id FROM open; INSERT INTO open VALUES (1, 's');";
    let db = Db::of(tables);
    for table in ["open", "shut", "v"] {
        assert_eq!(db.anonymous("GET", table, "").await, 401, "{table}");
        assert_eq!(db.get(&format!("{table}?select=id&id=gt.9")).await, "[]");
    }
    let schema = "[shut.access]\nread = false\n[hidden]\nhide = true\n[open.access]\ncreate = true\n[open.fields]\nsecret = { hide = true }";
    let db = Db::with(tables, "[stores.main.access]\nread = true\n", schema);
    assert_eq!(db.anonymous("GET", "open", "").await, 200);
    assert_eq!(db.anonymous("GET", "v", "").await, 200);
    assert_eq!(db.anonymous("GET", "shut", "").await, 401);
    assert_eq!(db.anonymous("POST", "open", r#"{"id":5}"#).await, 201);
    assert_eq!(db.anonymous("PATCH", "open?id=eq.5", r#"{"id":6}"#).await, 401);
    // What is hidden is not there, for the secret key either.
    assert_eq!(db.get("open?id=eq.1").await, r#"[{"id":1}]"#);
    assert_eq!(db.refused("GET", "open?secret=eq.s", "").await, (400, "42703".to_owned()));
    assert_eq!(db.refused("GET", "open?select=id,hidden(id)", "").await, (400, "PGRST200".to_owned()));
    assert_eq!(db.refused("GET", "hidden", "").await.0, 404);
}

#[tokio::test]
async fn a_change_of_the_tables_is_seen_by_the_next_request() {
    let db = Db::of("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')");
    assert_eq!(db.get("t").await, r#"[{"id":1,"a":"x"}]"#);
    let other = db.other();
    other.execute_batch("ALTER TABLE t ADD COLUMN b INT DEFAULT 3").unwrap();
    assert_eq!(db.get("t").await, r#"[{"id":1,"a":"x","b":3}]"#);
    other.execute_batch("ALTER TABLE t DROP COLUMN a; CREATE TABLE u (id INTEGER PRIMARY KEY)").unwrap();
    assert_eq!(db.get("t").await, r#"[{"id":1,"b":3}]"#);
    assert_eq!(db.write("POST", "u", "{}").await, r#"[{"id":1}]"#);
    other.execute_batch("ALTER TABLE u ADD COLUMN c TEXT").unwrap();
    let steps = r#"{"steps":[{"method":"POST","path":"/u","body":{"c":"new"}}]}"#;
    let reply = db.send("POST", "batch", &[], steps).await;
    assert!(reply.status == 200, "{} {}", reply.status, reply.body);
    assert_eq!(db.get("u?select=c&c=eq.new").await, r#"[{"c":"new"}]"#);
    other.execute_batch("DROP TABLE t").unwrap();
    assert_eq!(db.refused("GET", "t", "").await, (404, "PGRST205".to_owned()));
}

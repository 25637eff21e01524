//! Reads that would look at too many rows are refused before they do.

use crate::app::Db;

/// Five thousand rows, without an index on what is asked for.
const BIG: &str = "CREATE TABLE big (id INTEGER PRIMARY KEY, b INT, c INT);
    CREATE TABLE small (id INTEGER PRIMARY KEY, big INT REFERENCES big);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO big SELECT i, i % 1000, i FROM n;
    INSERT INTO small SELECT id, id FROM big LIMIT 20;";
const SETTINGS: &str = "[limits]\nexamined_rows_anon = 1000\n[stores.main.access]\nread = true\n";

#[tokio::test]
async fn a_scan_is_refused_with_the_index_that_would_help() {
    let db = Db::with(BIG, SETTINGS, "");
    for passes in [
        "big?id=eq.7",
        "big?limit=10",
        "big?order=id.desc&limit=10",
        "big?id=in.(1,2,3)&b=eq.1",
        "small?select=id,big(b)",
        "small",
    ] {
        assert_eq!(db.anonymous("GET", passes, "").await, 200, "{passes}");
    }
    for refused in ["big?b=eq.7", "big?order=b&limit=10", "big?or=(b.eq.1,c.eq.2)", "big?select=id,small(id)&limit=500"]
    {
        assert_eq!(db.anonymous("GET", refused, "").await, 400, "{refused}");
        // The secret key may.
        assert_eq!(db.send("GET", refused, &[], "").await.status, 200, "{refused}");
    }
    let told = db.send_anonymously("big?b=eq.7&order=c.desc", &[]).await;
    assert_eq!(
        told.body,
        r#"{"code":"MS402","details":null,"hint":"An index on big (b, c desc) would help.","message":"this request would look at about 5000 rows, and limits.examined_rows_anon is 1000"}"#
    );
    // Another value is another row and the same request.
    assert_eq!(db.anonymous("GET", "big?b=eq.8&order=c.desc", "").await, 400);
    // With the index there is nothing to refuse; who changes tables is heard at once.
    db.other().execute_batch("CREATE INDEX by_b ON big (b, c)").unwrap();
    let told = db.send_anonymously("big?b=eq.7&order=c.desc", &[]).await;
    assert_eq!(told.status, 200, "{}", told.body);
}

#[tokio::test]
async fn writes_are_refused_before_they_change_anything() {
    let settings = format!("{SETTINGS}create = true\nupdate = true\ndelete = true\n");
    let db = Db::with(BIG, &settings, "");
    let count = |sql: &str| db.other().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let sum = "SELECT sum(b + c) FROM big";
    let before = count(sum);
    for (method, path, body) in [
        ("PATCH", "big?b=eq.7", r#"{"c":0}"#),
        ("PATCH", "big?b=eq.8", r#"{"c":0}"#),
        ("PATCH", "big?id=gt.0", r#"{"c":0}"#),
        ("DELETE", "big?or=(b.eq.1,c.eq.2)", ""),
    ] {
        assert_eq!(db.anonymous(method, path, body).await, 400, "{method} {path}");
    }
    assert_eq!(count(sum), before, "nothing was changed");
    for (method, path, body) in [
        ("PATCH", "big?id=eq.7", r#"{"c":0}"#),
        ("DELETE", "small?id=lt.5", ""),
        ("POST", "small", r#"{"id":1000,"big":1}"#),
        ("PATCH", "small?on_conflict=id", r#"[{"id":1000,"big":2}]"#),
    ] {
        let status = db.anonymous(method, path, body).await;
        assert!(status < 300, "{method} {path}: {status}");
    }
    // A batch is one transaction: nothing of it stays.
    for heavy in [r#""method":"DELETE","path":"/big?b=eq.99""#, r#""method":"GET","path":"/big?c=eq.9""#] {
        let steps =
            format!(r#"{{"steps":[{{"method":"POST","path":"/small","body":{{"id":2000,"big":1}}}},{{{heavy}}}]}}"#);
        for time in ["asked", "known"] {
            assert_eq!(db.anonymous("POST", "batch", &steps).await, 400, "{heavy} {time}");
            assert_eq!(count("SELECT count(*) FROM small WHERE id = 2000"), 0);
        }
        assert_eq!(db.send("POST", "batch", &[("content-type", "application/json")], &steps).await.status, 200);
        db.other().execute_batch("DELETE FROM small WHERE id = 2000").unwrap();
    }
}

#[tokio::test]
async fn counts_are_work_as_well() {
    let db = Db::with(BIG, SETTINGS, "");
    let publishable = [("prefer", "count=exact")];
    let counted = db.send_anonymously("big?limit=10", &publishable).await;
    assert_eq!(counted.status, 400, "{}", counted.body);
    let few = db.send_anonymously("small?limit=10", &publishable).await;
    assert!(few.status < 300, "{}", few.body);
}

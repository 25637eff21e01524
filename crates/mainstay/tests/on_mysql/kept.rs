//! Columns and keys of found databases that a server keeps otherwise than they look: what is compared, paged, merged and
//! given back is what is there.

use serde_json::{Value, json};

use crate::api::Api;
use crate::app::on_each;

/// The ids of some rows.
async fn ids(api: &Api, path: &str) -> Vec<i64> {
    let rows = api.json(path).await;
    rows.as_array().unwrap().iter().filter_map(|row| row["id"].as_i64()).collect()
}

const ODD: &str = r#"
CREATE TABLE odd (id int PRIMARY KEY, bits bit(12), single float, mood enum('small','medium','large'), extras set('b','a'),
  stars tinyint(1), doc json, latin varchar(9) CHARACTER SET latin1, hour time);
INSERT INTO odd VALUES (1, b'100000000001', 1.1, 'medium', 'a', 1, '{"b": 1, "aa": [1, 2]}', 'a', '-100:00:00'),
  (2, b'1', 0.1, 'large', 'b,a', 5, '[]', 'b', '100:00:00'), (3, b'0', 2.5, 'small', '', 0, 'null', 'c', '10:00'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"#;

#[tokio::test]
async fn what_looks_otherwise_is_compared_as_what_it_is() {
    on_each(ODD, |database| async move {
        let api = Api::over(&database.url()).await;
        for (filter, expected) in [
            // Octets, and not the numbers that a server takes bits for.
            ("bits=eq.%5Cx0801", &[1][..]),
            ("bits=eq.%5Cx0000", &[3]),
            ("bits=neq.%5Cx0001", &[1, 3]),
            ("bits=gt.%5Cx0001", &[1]),
            ("bits=in.(%5Cx0801,%5Cx0001)", &[1, 2]),
            ("bits=isdistinct.%5Cx0801", &[2, 3, 4]),
            // A single is found by what is shown of it.
            ("single=eq.1.1", &[1]),
            ("single=in.(0.1,2.5)", &[2, 3]),
            ("single=gt.0.1", &[1, 3]),
            ("single=lte.0.1", &[2]),
            ("single=isdistinct.1.1", &[2, 3, 4]),
            // Words of an enum or a set compare as they are ordered.
            ("mood=gt.small", &[1, 2]),
            ("mood=lte.medium", &[1, 3]),
            ("mood=eq.large", &[2]),
            ("extras=gte.a", &[1, 2]),
            ("extras=eq.b,a", &[2]),
            ("stars=is.true", &[1, 2]),
            ("stars=eq.true", &[1]),
            // Documents are equal whatever the order of their members and their blanks.
            (r#"doc=eq.{"aa":[1,2],"b":1}"#, &[1]),
            ("doc=eq.[]", &[2]),
            ("doc=neq.[]", &[1, 3]),
            ("doc=eq.null", &[3]),
            (r#"doc=in.("[]","null")"#, &[2, 3]),
            ("doc=isdistinct.[]", &[1, 3, 4]),
            ("doc->aa=eq.[1,2]", &[1]),
            ("doc->b=eq.1", &[1]),
            // In their own order, in which numbers come before lists and 1 before 10.
            ("doc->aa->1=lt.10", &[1]),
            ("doc->aa=gt.[1,1,5]", &[]),
            ("doc->aa=gt.[1,1]", &[1]),
        ] {
            let filter = filter.replace('"', "%22");
            assert_eq!(ids(&api, &format!("odd?select=id&order=id&{filter}")).await, expected, "{filter}");
        }
        // What is neither 0 nor 1 is not made a truth value.
        assert_eq!(
            api.get("odd?select=stars&order=id").await,
            r#"[{"stars":true},{"stars":5},{"stars":false},{"stars":null}]"#
        );
        // A character that the column cannot have.
        assert_eq!(api.refused("GET", "odd?latin=eq.%E6%97%A5", "").await, (400, "22P05".to_owned()));
        assert_eq!(
            api.write("PATCH", "odd?bits=eq.%5Cx0001&select=id", "", r#"{"stars":false}"#).await,
            r#"[{"id":2}]"#
        );
    })
    .await;
}

#[tokio::test]
async fn pages_by_key_lose_and_repeat_no_row() {
    on_each(ODD, |database| async move {
        let api = Api::over(&database.url()).await;
        for order in ["bits", "single", "mood", "mood.desc", "extras", "extras.desc", "stars", "stars.desc", "hour"] {
            let whole = ids(&api, &format!("odd?select=id&order={order}")).await;
            let (mut found, mut after) = (Vec::new(), String::new());
            for _ in 0..whole.len() {
                let reply =
                    api.send("GET", &format!("odd?select=id&order={order}&limit=1&after={after}"), &[], "").await;
                assert_eq!(reply.status, 200, "{order}: {}", reply.body);
                let rows: Value = serde_json::from_str(&reply.body).unwrap();
                found.extend(rows.as_array().unwrap().iter().filter_map(|row| row["id"].as_i64()));
                let Some(next) = reply.headers.get("next-after") else { break };
                after = next.to_str().unwrap().to_owned();
            }
            assert_eq!(found, whole, "{order} on {}", database.product());
        }
    })
    .await;
}

const KEYS: &str = "
CREATE TABLE moments (at datetime(3) PRIMARY KEY, v int);
CREATE TABLE instants (at timestamp PRIMARY KEY, v int);
CREATE TABLE hours (hour time PRIMARY KEY, v int);
INSERT INTO hours VALUES ('-100:00:00', 1), ('100:00:00', 2);
CREATE TABLE filled (octets binary(4) PRIMARY KEY, v int);
CREATE TABLE codes (code char(6) PRIMARY KEY, v int);
CREATE TABLE large (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, v int);
INSERT INTO large VALUES (18446744073709551000, 0);
CREATE TABLE grouped (part int, id int NOT NULL AUTO_INCREMENT, v int, PRIMARY KEY (part, id)) ENGINE = MyISAM;
CREATE TABLE computed (id char(36) PRIMARY KEY DEFAULT (uuid()), v int DEFAULT 5);
CREATE TABLE moved (id int PRIMARY KEY, v int);
CREATE TRIGGER moves BEFORE INSERT ON moved FOR EACH ROW SET NEW.id = NEW.id + 1000;
CREATE TABLE keyless (v int);
";

#[tokio::test]
async fn rows_are_given_back_whatever_the_server_makes_of_their_keys() {
    on_each(KEYS, |database| async move {
        let api = Api::over(&database.url()).await;
        for (method, path, prefer, body, expected) in [
            (
                "POST",
                "moments",
                "",
                r#"{"at":"2026-01-02T03:04:05.12345","v":1}"#,
                r#"[{"at":"2026-01-02T03:04:05.123","v":1}]"#,
            ),
            (
                "POST",
                "moments",
                "resolution=merge-duplicates",
                r#"{"at":"2026-01-02T03:04:05.1234","v":2}"#,
                r#"[{"at":"2026-01-02T03:04:05.123","v":2}]"#,
            ),
            (
                "PATCH",
                "moments?v=eq.2",
                "",
                r#"{"at":"2026-01-02T03:04:05.9991"}"#,
                r#"[{"at":"2026-01-02T03:04:05.999","v":2}]"#,
            ),
            (
                "POST",
                "instants",
                "",
                r#"{"at":"2026-01-02T03:04:05.4+02:00","v":1}"#,
                r#"[{"at":"2026-01-02T01:04:05+00:00","v":1}]"#,
            ),
            ("PATCH", "hours?v=eq.1", "", r#"{"v":10}"#, r#"[{"hour":"-100:00:00","v":10}]"#),
            ("DELETE", "hours?v=eq.10", "", "", r#"[{"hour":"-100:00:00","v":10}]"#),
            ("POST", "filled", "", r#"{"octets":"\\x01","v":1}"#, r#"[{"octets":"\\x01000000","v":1}]"#),
            (
                "POST",
                "filled",
                "resolution=merge-duplicates",
                r#"{"octets":"\\x01","v":2}"#,
                r#"[{"octets":"\\x01000000","v":2}]"#,
            ),
            ("POST", "codes", "", r#"{"code":"ab  ","v":1}"#, r#"[{"code":"ab","v":1}]"#),
            (
                "POST",
                "large?select=id",
                "",
                r#"[{"v":1},{"v":2}]"#,
                r#"[{"id":18446744073709551001},{"id":18446744073709551002}]"#,
            ),
            (
                "POST",
                "grouped?select=part,id",
                "",
                r#"[{"part":1,"v":1},{"part":2,"v":2},{"part":1,"v":3}]"#,
                r#"[{"part":1,"id":1},{"part":2,"id":1},{"part":1,"id":2}]"#,
            ),
            ("POST", "computed?select=v", "", r#"[{"v":1},{"v":2}]"#, r#"[{"v":1},{"v":2}]"#),
            ("POST", "computed?select=v", "missing=default", "{}", r#"[{"v":5}]"#),
        ] {
            let written = api.write(method, path, prefer, body).await;
            assert_eq!(written, expected, "{method} {path} {prefer} on {}", database.product());
        }
        // The place of a new row is that of its key.
        let reply = api.send("POST", "computed", &[("prefer", "return=headers-only")], r#"{"v":9}"#).await;
        let place = reply.headers["location"].to_str().unwrap().trim_start_matches('/').to_owned();
        assert_eq!(api.get(&format!("{place}&select=v")).await, r#"[{"v":9}]"#);
        // Nothing happens where a row cannot be found again.
        let prefer = [("prefer", "return=representation,handling=strict,max-affected=5,resolution=ignore-duplicates")];
        let lost = api.send("POST", "moved", &prefer, r#"{"id":1,"v":1}"#).await;
        assert!(lost.status == 400 && lost.body.contains("changes keys"), "{} {}", lost.status, lost.body);
        assert_eq!(api.get("moved").await, "[]");
        let keyless = api.send("PATCH", "keyless?v=eq.1", &[("prefer", "return=representation")], r#"{"v":2}"#).await;
        assert!(keyless.status == 400 && keyless.body.contains("no primary key"), "{}", keyless.body);
    })
    .await;
}

#[tokio::test]
async fn merges_meet_the_rows_that_are_equal_to_the_server() {
    let tables = "CREATE TABLE people (name varchar(20) PRIMARY KEY, v int); INSERT INTO people VALUES ('Ann', 1);
        CREATE TABLE codes (id int PRIMARY KEY AUTO_INCREMENT, code varchar(10) UNIQUE, price decimal(8,2) UNIQUE, v int);
        INSERT INTO codes VALUES (1, 'one', 1.50, 0)";
    on_each(tables, |database| async move {
        let api = Api::over(&database.url()).await;
        for (path, prefer, body, expected) in [
            ("people", "merge", r#"{"name":"ANN","v":2}"#, r#"[{"name":"Ann","v":2}]"#),
            ("people", "ignore", r#"[{"name":"ann","v":3},{"name":"Bob","v":4}]"#, r#"[{"name":"Bob","v":4}]"#),
            ("people", "ignore", r#"[{"name":"Eve","v":5},{"name":"EVE","v":6}]"#, r#"[{"name":"Eve","v":5}]"#),
            ("codes?on_conflict=code&select=id,v", "merge", r#"{"code":"ONE","v":1}"#, r#"[{"id":1,"v":1}]"#),
            ("codes?on_conflict=price&select=id,v", "merge", r#"{"price":1.5,"v":2}"#, r#"[{"id":1,"v":2}]"#),
        ] {
            for end in ["tx=rollback", "tx=commit"] {
                let prefer = format!("resolution={prefer}-duplicates,{end}");
                assert_eq!(api.write("POST", path, &prefer, body).await, expected, "{path} {prefer}");
            }
        }
        assert_eq!(
            api.write("PUT", "people?name=eq.BOB", "", r#"{"name":"BOB","v":7}"#).await,
            r#"[{"name":"Bob","v":7}]"#
        );
        // One row twice, though it looks like two.
        for body in [r#"[{"name":"ann","v":3},{"name":"ANN","v":4}]"#, r#"[{"name":"Zoe","v":3},{"name":"ZOE","v":4}]"#]
        {
            let prefer = [("prefer", "resolution=merge-duplicates")];
            let reply = api.send("POST", "people", &prefer, body).await;
            assert!(reply.body.contains("21000"), "{} {}", reply.status, reply.body);
        }
        let many: Vec<Value> = (0..600).map(|n| json!({ "name": format!("n{n}"), "v": n })).collect();
        let prefer = [("prefer", "resolution=merge-duplicates,count=exact,return=minimal")];
        let reply = api.send("POST", "people", &prefer, &json!(many).to_string()).await;
        assert_eq!((reply.status, reply.headers["content-range"].to_str().unwrap()), (201, "*/600"), "{}", reply.body);
    })
    .await;
}

#[tokio::test]
async fn views_compute_as_they_do_for_everybody_else() {
    let tables =
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); SET div_precision_increment = DEFAULT;
        CREATE VIEW thirds AS SELECT id, id / 3 AS third FROM t; CREATE VIEW means AS SELECT avg(id) AS mean FROM t";
    on_each(tables, |database| async move {
        let api = Api::over(&database.url()).await;
        assert_eq!(api.get("thirds?order=id").await, r#"[{"id":1,"third":0.3333},{"id":2,"third":0.6667}]"#);
        assert_eq!(api.get("means").await, r#"[{"mean":1.5000}]"#);
        // Means that we are asked for are ours.
        assert_eq!(api.get("t?select=id.avg()").await, r#"[{"avg":1.5000000000000000}]"#);
    })
    .await;
}

#[tokio::test]
async fn what_is_larger_than_the_server_takes_is_no_outage() {
    on_each("CREATE TABLE t (id int PRIMARY KEY, words longtext)", |database| async move {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("stores.main", "introspect", "true"), ("limits", "body_bytes_max", "134217728")];
        let api = Api::with(folder.path(), &database.url(), &settings).await;
        // MariaDB takes 16 MiB, MySQL 64.
        let row = |length: usize| json!({ "id": 1, "words": "x".repeat(length) }).to_string();
        assert_eq!(api.refused("POST", "t", &row(70 << 20)).await, (400, "22001".to_owned()));
        assert_eq!(api.get("t").await, "[]");
        assert_eq!(api.send("POST", "t", &[], &row(1 << 20)).await.status, 201);
        api.close().await;
    })
    .await;
}

//! Stored functions and procedures of found databases.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::app::on_each;

const MADE: &str = "
CREATE TABLE stock (id int PRIMARY KEY, name varchar(20), pieces int, price decimal(10,2), at datetime, raw varbinary(4),
  ok tinyint(1));
INSERT INTO stock VALUES (1, 'nail', 5, 0.50, '2026-01-02 03:04:05', x'01', 1), (2, 'saw', 2, 19.90, NULL, NULL, 0),
  (3, 'drill', 0, 80, NULL, NULL, NULL);
CREATE FUNCTION add_tax(amount decimal(10,2), rate decimal(4,2)) RETURNS decimal(10,2) DETERMINISTIC NO SQL COMMENT 'With tax.'
  RETURN amount * (1 + rate / 100);
CREATE FUNCTION sell(which int, many int) RETURNS int DETERMINISTIC MODIFIES SQL DATA
  BEGIN UPDATE stock SET pieces = pieces - many WHERE id = which; RETURN (SELECT pieces FROM stock WHERE id = which); END;
CREATE FUNCTION seen() RETURNS varchar(50) NO SQL RETURN CONCAT(COALESCE(@left_behind, 'nothing'), ' ', IF(@@autocommit, '1', '0'));
CREATE FUNCTION flag(bits binary(2), day date, doc json, mood enum('sad','merry')) RETURNS json NO SQL
  RETURN json_object('bits', hex(bits), 'day', day, 'n', json_extract(doc, '$.n'), 'mood', mood);
CREATE PROCEDURE cheap(IN most decimal(10,2)) READS SQL DATA
  SELECT name, price, ok, at, raw, price / 3 AS third FROM stock WHERE price <= most ORDER BY price DESC;
CREATE PROCEDURE both_ends() READS SQL DATA
  BEGIN SELECT min(price) AS least FROM stock; SELECT max(price) AS most, count(*) AS n FROM stock; END;
CREATE PROCEDURE count_stock(IN least int, OUT n int, INOUT total decimal(12,2), OUT latest datetime) READS SQL DATA
  SELECT count(*), total + coalesce(sum(price), 0), max(at) INTO n, total, latest FROM stock WHERE pieces >= least;
CREATE PROCEDURE listed(IN least int, OUT n int, OUT bits bit(9)) READS SQL DATA
  BEGIN SELECT name, pieces FROM stock WHERE pieces >= least ORDER BY id; SET n = least * 2, bits = b'100000001'; END;
CREATE PROCEDURE listed_twice(OUT n int) READS SQL DATA BEGIN SELECT 1 AS a; SELECT 2 AS b, 3 AS c; SET n = 2; END;
CREATE PROCEDURE restock(IN which int, IN many int) BEGIN
  IF many < 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no fewer than none'; END IF;
  UPDATE stock SET pieces = pieces + many WHERE id = which; END;
CREATE PROCEDURE restocked(IN which int)
  BEGIN UPDATE stock SET pieces = pieces + 1 WHERE id = which OR which = 0; SELECT id, pieces FROM stock WHERE id = which OR which = 0; END;
CREATE PROCEDURE pay() BEGIN SIGNAL SQLSTATE 'PT402' SET MESSAGE_TEXT = 'pay first'; END;
CREATE PROCEDURE liar() READS SQL DATA BEGIN UPDATE stock SET pieces = 0; SELECT 1 AS n; END;
CREATE PROCEDURE quiet() READS SQL DATA UPDATE stock SET ok = 1 WHERE id = 3;
CREATE PROCEDURE sleepy() READS SQL DATA SELECT sleep(30) AS slept;
CREATE PROCEDURE twice_named() READS SQL DATA SELECT 1 AS a, 2 AS a;
CREATE PROCEDURE stale() READS SQL DATA SELECT * FROM gone;
CREATE PROCEDURE stale_write() UPDATE stock SET gone = 1;
CREATE PROCEDURE spoil() BEGIN SET @left_behind = 'this'; SET autocommit = 0; CREATE TEMPORARY TABLE junk (a int); END;
";

/// A project over the database, in which anybody may call.
fn open(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[stores.main]\nintrospect = true\n[stores.main.access]\ncall = true\n{text}");
    std::fs::write(folder.path().join("mainstay.toml"), settings).unwrap();
    folder
}

#[tokio::test]
async fn functions_are_called_with_typed_arguments() {
    on_each(MADE, |database| async move {
        let api = Api::over(&database.url()).await;
        assert_eq!(api.get("rpc/add_tax?amount=100&rate=25").await, "125.00");
        assert_eq!(api.send("POST", "rpc/add_tax", &[], r#"{"amount":"0.50","rate":7}"#).await.body, "0.54");
        assert_eq!(api.send("POST", "rpc/add_tax", &[], r#"{"amount":null,"rate":7}"#).await.body, "null");
        assert_eq!(api.send("POST", "rpc/sell", &[], r#"{"which":1,"many":2}"#).await.body, "3");
        assert_eq!(api.get("stock?select=pieces&id=eq.1").await, r#"[{"pieces":3}]"#);
        let undone = api.send("POST", "rpc/sell", &[("prefer", "tx=rollback")], r#"{"which":1,"many":2}"#).await;
        assert_eq!(undone.body, "1");
        assert_eq!(api.get("stock?select=pieces&id=eq.1").await, r#"[{"pieces":3}]"#);
        let flags = json!({ "bits": "\\x0a0b", "day": "2026-01-02", "doc": { "n": [1] }, "mood": "merry" });
        let reply = api.send("POST", "rpc/flag", &[], &flags.to_string()).await;
        let found: Value = serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body));
        // MariaDB's documents are text.
        let found = found.as_str().map_or(found.clone(), |text| serde_json::from_str(text).unwrap());
        let expected = json!({ "bits": "0A0B", "day": "2026-01-02", "n": [1], "mood": "merry" });
        assert_eq!(found["bits"], expected["bits"], "{found}");
        assert_eq!((&found["day"], &found["mood"]), (&expected["day"], &expected["mood"]));
        for (method, path, body, expected) in [
            ("GET", "rpc/add_tax?amount=x&rate=1", "", (400, "22P02")),
            ("GET", "rpc/add_tax?amount=1", "", (404, "PGRST202")),
            ("GET", "rpc/add_taxes?amount=1&rate=1", "", (404, "PGRST202")),
            ("POST", "rpc/add_tax", r#"{"amount":1,"rate":1,"more":1}"#, (404, "PGRST202")),
            ("POST", "rpc/add_tax", r#"{"amount":999999999,"rate":1}"#, (400, "22003")),
            ("POST", "rpc/flag", r#"{"bits":null,"day":null,"doc":null,"mood":"angry"}"#, (400, "23514")),
            ("GET", "rpc/sell?which=1&many=1", "", (405, "25006")),
        ] {
            let (status, code) = api.refused(method, path, body).await;
            assert_eq!((status, code.as_str()), expected, "{method} {path} {body}");
        }
        // Nothing is allowed that is not written.
        assert_eq!(api.called("GET", "add_tax?amount=1&rate=1", "").await.0, 401);
        let told = api.get("").await;
        assert!(told.contains("/rpc/add_tax") && told.contains("With tax."), "{told:.300}");
        api.close().await;
        let folder = open("");
        let api = Api::of(folder.path(), &database.url()).await;
        assert_eq!(api.called("GET", "add_tax?amount=1&rate=1", "").await, (200, "1.01".to_owned()));
        assert_eq!(api.called("GET", "stock", "").await.0, 404);
        api.close().await;
    })
    .await;
}

#[tokio::test]
async fn procedures_give_rows_sets_and_parameters() {
    on_each(MADE, |database| async move {
        let api = Api::over(&database.url()).await;
        let rows = api.get("rpc/cheap?most=20").await;
        let saw = r#"{"at":null,"name":"saw","ok":false,"price":19.90,"raw":null,"third":6.633333}"#;
        let nail =
            r#"{"at":"2026-01-02T03:04:05","name":"nail","ok":true,"price":0.50,"raw":"\\x01","third":0.166667}"#;
        assert_eq!(rows, format!("[{saw},{nail}]"));
        let reply = api.send("GET", "rpc/cheap?most=20&limit=1&offset=1", &[("prefer", "count=exact")], "").await;
        assert_eq!(reply.body, format!("[{nail}]"));
        assert_eq!(reply.headers["content-range"], "1-1/2");
        assert_eq!(api.get("rpc/cheap?most=0").await, "[]");
        assert_eq!(api.get("rpc/cheap?most=20&cheap-%3E%3Ename=eq.nail").await, format!("[{nail}]"));
        assert_eq!(api.get("rpc/both_ends").await, r#"[[{"least":0.50}],[{"most":80.00,"n":3}]]"#);
        let given = api.send("POST", "rpc/count_stock", &[], r#"{"least":1,"total":"0.10"}"#).await;
        assert_eq!(given.body, r#"{"n":2,"total":20.50,"latest":"2026-01-02T03:04:05"}"#);
        assert_eq!(api.get("rpc/count_stock?least=9&total=1&select=n,total").await, r#"{"n":0,"total":1.00}"#);
        // Rows besides output parameters stand behind them.
        assert_eq!(
            api.get("rpc/listed?least=2").await,
            r#"{"n":4,"bits":"\\x0101","listed":[{"name":"nail","pieces":5},{"name":"saw","pieces":2}]}"#
        );
        assert_eq!(api.get("rpc/listed?least=99&select=n,listed").await, r#"{"n":198,"listed":[]}"#);
        assert_eq!(api.get("rpc/listed_twice").await, r#"{"n":2,"listed_twice":[[{"a":1}],[{"b":2,"c":3}]]}"#);

        // What writes is undone as a whole, or is there for all.
        assert_eq!(api.send("POST", "rpc/restock", &[], r#"{"which":3,"many":7}"#).await.status, 204);
        let pieces = || api.get("stock?select=pieces&order=id");
        let before = r#"[{"pieces":5},{"pieces":2},{"pieces":7}]"#;
        assert_eq!(pieces().await, before);
        let raised = api.send("POST", "rpc/restock", &[], r#"{"which":3,"many":-1}"#).await;
        let body: Value = serde_json::from_str(&raised.body).unwrap();
        assert_eq!(
            (raised.status, &body["code"], &body["message"]),
            (400, &json!("P0001"), &json!("no fewer than none"))
        );
        let chosen = api.send("POST", "rpc/pay", &[], "").await;
        assert_eq!(chosen.status, 402, "{}", chosen.body);
        let prefer = [("prefer", "handling=strict,max-affected=2")];
        let many = api.send("POST", "rpc/restocked", &prefer, r#"{"which":0}"#).await;
        assert!(many.status == 400 && many.body.contains("PGRST124"), "{}", many.body);
        let undone = api.send("POST", "rpc/restocked", &[("prefer", "tx=rollback")], r#"{"which":1}"#).await;
        assert_eq!(undone.body, r#"[{"id":1,"pieces":6}]"#);
        assert_eq!(pieces().await, before);
        // The server holds a procedure to its word.
        for (method, path, expected) in [
            ("GET", "rpc/liar", (405, "25006")),
            ("POST", "rpc/liar", (405, "25006")),
            ("GET", "rpc/quiet", (405, "25006")),
            ("GET", "rpc/restock?which=1&many=1", (405, "25006")),
            ("GET", "rpc/twice_named", (400, "22000")),
            ("GET", "rpc/cheap?most=1&select=name", (400, "PGRST100")),
            // What it names is gone, and that is not for the schema to know.
            ("GET", "rpc/stale", (400, "22000")),
            ("POST", "rpc/stale_write", (400, "22000")),
        ] {
            let (status, code) = api.refused(method, path, "{}").await;
            assert_eq!((status, code.as_str()), expected, "{method} {path}");
        }
        assert_eq!(pieces().await, before);
        assert_eq!(api.get("stock?select=ok&id=eq.3").await, r#"[{"ok":null}]"#);
        assert_eq!(api.send("POST", "rpc/quiet", &[], "").await.status, 204);
        // Nothing that one leaves behind meets the next.
        for _ in 0..3 {
            assert_eq!(api.send("POST", "rpc/spoil", &[], "{}").await.body, "[]");
            assert_eq!(api.get("rpc/seen").await, r#""nothing 1""#);
        }
        api.close().await;
    })
    .await;
}

#[tokio::test]
async fn procedures_end_in_time_and_are_seen_when_they_are_made() {
    on_each(MADE, |database| async move {
        let folder = open("[limits]\nhandler_time = 2\n");
        let queries = folder.path().join("queries");
        std::fs::create_dir(&queries).unwrap();
        let head = "--- access = true\n--- params.limit_of = \"decimal(10,2)\"\n--- returns.fields.name = \"text\"\n\
                    --- returns.fields.price = \"decimal(10,2)\"\n";
        std::fs::write(queries.join("cheap.sql"), format!("{head}CALL cheap(:limit_of)")).unwrap();
        let api = Api::of(folder.path(), &database.url()).await;
        // A file of its name says more about a procedure.
        assert_eq!(
            api.get("rpc/cheap?limit_of=50&order=name.desc&select=name").await,
            r#"[{"name":"saw"},{"name":"nail"}]"#
        );
        assert_eq!(api.get("rpc/cheap?limit_of=50&price=lt.1&select=price").await, r#"[{"price":0.50}]"#);
        let start = Instant::now();
        let reply = api.send("GET", "rpc/sleepy", &[], "").await;
        assert!(reply.status >= 500 && start.elapsed() < Duration::from_secs(15), "{} {}", reply.status, reply.body);
        database.run("CREATE PROCEDURE late() READS SQL DATA SELECT 'yes' AS made").await;
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let reply = api.send("GET", "rpc/late", &[], "").await;
            if reply.status == 200 {
                assert_eq!(reply.body, r#"[{"made":"yes"}]"#);
                break;
            }
            assert!(Instant::now() < end, "{}", reply.body);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        api.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_procedure_leaves_behind_is_gone_from_its_connection_before_the_next_request() {
    let made = "
        CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY);
        CREATE PROCEDURE spoil() BEGIN
          SET @left_behind = 'this'; SET autocommit = 0; SET time_zone = '+05:00'; SET lock_wait_timeout = 1;
          SET foreign_key_checks = 0; CREATE TEMPORARY TABLE junk (a int); DO GET_LOCK('spoiled', 0);
          INSERT INTO counted VALUES (41); INSERT INTO counted VALUES (); SELECT connection_id() AS id; END;
        CREATE PROCEDURE left_behind() READS SQL DATA SELECT connection_id() AS id, @left_behind AS variable,
          @@autocommit AS auto, @@time_zone AS zone, @@lock_wait_timeout AS wait, @@foreign_key_checks AS checks,
          IS_FREE_LOCK('spoiled') AS free, LAST_INSERT_ID() AS number, @@sql_mode LIKE '%STRICT_ALL_TABLES%' AS strict;
        CREATE PROCEDURE junk() READS SQL DATA SELECT * FROM junk;
        CREATE ROLE IF NOT EXISTS mainstay_test_taken; GRANT mainstay_test_taken TO CURRENT_USER();
        CREATE PROCEDURE take() SQL SECURITY INVOKER
          BEGIN SET ROLE mainstay_test_taken; SELECT connection_id() AS id, CURRENT_ROLE() AS role; END;
        CREATE PROCEDURE role() SQL SECURITY INVOKER READS SQL DATA
          SELECT connection_id() AS id, COALESCE(CURRENT_ROLE(), 'NONE') AS role;";
    on_each(made, |database| async move {
        let folder = tempfile::tempdir().unwrap();
        let settings = "[stores.main]\nintrospect = true\nconnections_max = 1\n[stores.main.access]\ncall = true\n";
        std::fs::write(folder.path().join("mainstay.toml"), settings).unwrap();
        let api = Api::of(folder.path(), &database.url()).await;
        let ask = async |path: &str| -> Value {
            let reply = api.send("POST", path, &[], "").await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
            serde_json::from_str::<Value>(&reply.body).unwrap()[0].clone()
        };
        let before = ask("rpc/left_behind").await;
        let spoiled = ask("rpc/spoil").await;
        assert_eq!(spoiled["id"], before["id"], "the connection was given back");
        let after = ask("rpc/left_behind").await;
        assert_eq!(after, before, "{}", database.product());
        assert_eq!((&after["variable"], &after["free"], &after["checks"]), (&Value::Null, &json!(1), &json!(1)));
        let (status, _) = api.refused("POST", "rpc/junk", "").await;
        assert_eq!(status, 400, "the temporary table is gone");
        assert_eq!(api.get("counted?order=id").await, r#"[{"id":41},{"id":42}]"#);
        // What the server keeps of a session that is reset, nobody else is given.
        let taken = ask("rpc/take").await;
        assert!(taken["role"].as_str().unwrap().contains("mainstay_test_taken"), "{taken}");
        let next = ask("rpc/role").await;
        assert!(next["id"] != taken["id"] && next["role"] == "NONE", "{next} after {taken}");
        api.close().await;
    })
    .await;
}

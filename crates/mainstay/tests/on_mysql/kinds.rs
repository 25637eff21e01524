//! Columns of every kind of type that a table can have.

use serde_json::{Value, json};

use crate::api::Api;
use crate::app::on_each;

const TABLES: &str = r#"
CREATE TABLE kinds (
  id int PRIMARY KEY, tiny tinyint, truth tinyint(1), flag bit(1), bits bit(10), small smallint unsigned, wide int unsigned,
  big bigint, huge bigint unsigned, price decimal(10,2), single float, number double, born year, day date, hour time,
  precise time(3), plain datetime(6), instant timestamp(3) NULL, code char(5), name varchar(50), words mediumtext, doc json,
  octets varbinary(9), id_128 binary(4), mood enum('sad','it''s ok'), toppings set('a','b','c'), place point,
  twice int GENERATED ALWAYS AS (tiny * 2) STORED, thrice int GENERATED ALWAYS AS (tiny * 3) VIRTUAL
);
INSERT INTO kinds (id, tiny, truth, flag, bits, small, wide, big, huge, price, single, number, born, day, hour, precise, plain,
  instant, code, name, words, doc, octets, id_128, mood, toppings)
VALUES (1, -5, 1, b'1', b'1000000101', 65535, 4294967295, 9007199254740993, 18446744073709551615, 1.50, 1.1, 0.1, 1999,
  '2026-01-02', '03:04:05', '03:04:05.678', '2026-01-02 03:04:05.000006', '2026-01-02 03:04:05.5', 'ab', 'Ann', 'many',
  '{"a": [1, null]}', x'00ff', x'01020304', 'it''s ok', 'a,c'), (2, NULL, 0, b'0', NULL, 0, 0, 0, 0, 0, 0, 0, 2000, NULL, '-100:00:00',
  NULL, NULL, NULL, '', 'ann', NULL, NULL, NULL, x'00000000', 'sad', '');
INSERT INTO kinds (id) VALUES (3);
"#;

#[tokio::test]
async fn every_kind_of_column_is_read_filtered_and_written() {
    on_each(TABLES, |database| async move {
        let api = Api::over(&database.url()).await;
        let rows = api.json("kinds?id=eq.1").await;
        let expected = json!({
            "id": 1, "tiny": -5, "truth": true, "flag": true, "bits": "\\x0205", "small": 65535, "wide": 4294967295i64,
            "big": 9007199254740993i64, "huge": 18446744073709551615u64, "price": 1.5, "single": 1.1, "number": 0.1, "born": 1999,
            "day": "2026-01-02", "hour": "03:04:05", "precise": "03:04:05.678", "plain": "2026-01-02T03:04:05.000006",
            "instant": "2026-01-02T03:04:05.5+00:00", "code": "ab", "name": "Ann", "words": "many", "doc": { "a": [1, null] },
            "octets": "\\x00ff", "id_128": "\\x01020304", "mood": "it's ok", "toppings": "a,c", "place": null, "twice": -10,
            "thrice": -15,
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(rows[0].get(name), Some(value), "{name}");
        }
        assert_eq!(rows[0].as_object().unwrap().len(), expected.as_object().unwrap().len());
        assert_eq!(api.get("kinds?id=eq.1&select=huge,price").await, r#"[{"huge":18446744073709551615,"price":1.50}]"#);
        assert_eq!(api.json("kinds?id=eq.2&select=hour,truth").await, json!([{ "hour": "-100:00:00", "truth": false }]));
        // Everything is null where there is nothing.
        let row = &api.json("kinds?id=eq.3").await[0];
        assert!(row.as_object().unwrap().iter().all(|(name, value)| name == "id" || value.is_null()), "{row}");

        // Compared as what they are, not as text; text by the rules of its own column.
        for (filter, expected) in [
            ("truth=is.true", &[1][..]),
            ("truth=is.false", &[2]),
            ("flag=eq.true", &[1]),
            ("huge=gt.18446744073709551614", &[1]),
            ("huge=eq.0", &[2]),
            ("big=eq.9007199254740993", &[1]),
            ("price=eq.1.5", &[1]),
            ("born=lt.2000", &[1]),
            ("day=gte.2026-01-02", &[1]),
            ("hour=lt.04:00", &[1, 2]),
            ("plain=gte.2026-01-02T03:04:05", &[1]),
            ("plain=gt.2026-01-02T03:04:06", &[]),
            ("instant=eq.2026-01-02T05:04:05.5%2B02:00", &[1]),
            ("mood=eq.sad", &[2]),
            ("octets=eq.%5Cx00ff", &[1]),
            ("name=in.(Ann)", &[1, 2]),
            ("name=like.A*", &[1]),
            ("name=ilike.A*", &[1, 2]),
            ("doc-%3Ea-%3E%3E0=eq.1", &[1]),
            ("twice=eq.-10", &[1]),
            ("tiny=is.null", &[2, 3]),
        ] {
            let rows = api.json(&format!("kinds?select=id&order=id&{filter}")).await;
            let ids: Vec<i64> = rows.as_array().unwrap().iter().filter_map(|row| row["id"].as_i64()).collect();
            assert_eq!(ids, expected, "{filter}");
        }
        // And back again as they were read; what the server computes cannot be written.
        let mut copy = rows[0].clone();
        copy["id"] = 4.into();
        let refused = api.refused("POST", "kinds", &copy.to_string()).await;
        assert_eq!(refused, (400, "428C9".to_owned()));
        for name in ["twice", "thrice"] {
            copy.as_object_mut().unwrap().remove(name);
        }
        let written = api.write("POST", "kinds", "", &copy.to_string()).await;
        let mut written: Value = serde_json::from_str(&written).unwrap();
        written[0]["id"] = 1.into();
        assert_eq!(written, rows);
        // What a type cannot hold is refused by the server.
        for (body, expected) in [
            (r#"{"id":5,"small":-1}"#, (400, "22003")),
            (r#"{"id":5,"code":"too long"}"#, (400, "22001")),
            (r#"{"id":5,"mood":"merry"}"#, (400, "23514")),
        ] {
            let (status, code) = api.refused("POST", "kinds", body).await;
            assert_eq!((status, code.as_str()), expected, "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn dates_of_nothing_are_null_and_documents_are_known_by_their_check() {
    let tables = "SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, day date, at datetime, doc longtext CHECK (json_valid(doc)), \
                  old longtext); INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '{\"a\": 1}', '{\"a\": 1}')";
    on_each(tables, |database| async move {
        let api = Api::over(&database.url()).await;
        let row = &api.json("t").await[0];
        assert_eq!((&row["day"], &row["at"]), (&Value::Null, &Value::Null));
        let expected = if database.product() == "MariaDB" { json!({ "a": 1 }) } else { json!("{\"a\": 1}") };
        assert_eq!((&row["doc"], &row["old"]), (&expected, &json!("{\"a\": 1}")));
    })
    .await;
}

//! Columns of every kind of type that a PostgreSQL table can have.

use serde_json::{Value, json};

use crate::api::Api;
use crate::app::Database;

const TABLES: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE hosts (address inet PRIMARY KEY, name text);
CREATE TABLE kinds (
  id int PRIMARY KEY, host inet REFERENCES hosts, network cidr, mac macaddr, span interval, cost money, range int4range,
  ranges int4multirange, pair pair, mood mood, moods mood[], plain timestamp, zoned timestamptz, hour time, hour_zoned timetz,
  day date, number numeric, bounded numeric(6,2), bits bit(3), place point, words tsvector, hosts inet[], pairs pair[],
  amount positive, doc jsonb, text_doc json, octets bytea, fixed char(3), letter "char", short varchar(9), id_128 uuid,
  ints int[], markup xml, object oid, single real, large bigint, truth boolean
);
INSERT INTO hosts VALUES ('10.0.0.1', 'one'), ('10.0.0.2', 'two');
INSERT INTO kinds VALUES (
  1, '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '1 day 02:03:04', '12.50', '[1,5)',
  '{[1,3),[5,9)}', '(1,x)', 'happy', '{sad,happy}', '2026-01-02 03:04:05', '2026-01-02 03:04:05+02', '03:04:05', '03:04:05+02',
  '2026-01-02', 123456789012345678901234567890.5, 1.50, '101', '(1,2)', 'a:1', '{10.0.0.1,10.0.0.2}', '{"(1,x)","(2,y)"}',
  7, '{"a": 1}', '{"a": 1}', '\x00ff', 'ab', 'z', 'short', '0190a5b2-7e1c-7c3a-9b1d-000000000001',
  '{1,2}', '<a/>', 42, 1.5, 9007199254740993, true
);
INSERT INTO kinds (id, host) VALUES (2, '10.0.0.2'), (3, NULL);
"#;

#[tokio::test]
async fn every_kind_of_column_is_read_filtered_embedded_and_written() {
    // A server that prints times in its own way does not change what is answered.
    let name = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Tokyo''', current_database()); \
                EXECUTE format('ALTER DATABASE %I SET IntervalStyle = ''sql_standard''', current_database()); \
                EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database()); END $$;";
    let database = Database::new(&format!("{TABLES}{name}")).await;
    for more in ["", "&pgbouncer=true"] {
        let api = Api::over(&(database.url() + more)).await;
        let rows = api.json("kinds?id=eq.1").await;
        let expected = json!({
            "id": 1, "host": "10.0.0.1", "network": "10.0.0.0/8", "mac": "08:00:2b:01:02:03", "span": "1 day 02:03:04",
            "cost": "$12.50", "range": "[1,5)", "ranges": "{[1,3),[5,9)}", "pair": { "a": 1, "b": "x" }, "mood": "happy",
            "moods": ["sad", "happy"], "plain": "2026-01-02T03:04:05", "zoned": "2026-01-02T01:04:05+00:00",
            "hour": "03:04:05", "hour_zoned": "03:04:05+02", "day": "2026-01-02", "bounded": 1.5, "bits": "101",
            "place": "(1,2)", "words": "'a':1", "hosts": ["10.0.0.1", "10.0.0.2"],
            "pairs": [{ "a": 1, "b": "x" }, { "a": 2, "b": "y" }], "amount": 7, "doc": { "a": 1 }, "text_doc": { "a": 1 },
            "octets": "\\x00ff", "fixed": "ab ", "letter": "z", "short": "short",
            "id_128": "0190a5b2-7e1c-7c3a-9b1d-000000000001", "ints": [1, 2], "markup": "<a/>", "object": 42, "single": 1.5,
            "large": 9007199254740993i64, "truth": true,
        });
        let mut row = rows[0].clone();
        let number = row.as_object_mut().unwrap().remove("number").unwrap();
        assert!(number.is_number(), "{number}");
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(row.get(name), Some(value), "{name}");
        }
        assert_eq!(row.as_object().unwrap().len(), expected.as_object().unwrap().len());
        assert_eq!(api.get("kinds?id=eq.1&select=number").await, r#"[{"number":123456789012345678901234567890.5}]"#);
        // Everything is null where there is nothing.
        let row = &api.json("kinds?id=eq.3").await[0];
        assert!(row.as_object().unwrap().iter().all(|(name, value)| name == "id" || value.is_null()), "{row}");

        // Compared as what they are, not as text.
        for (filter, expected) in [
            ("host=eq.10.0.0.1", 1),
            ("host=gt.9.255.255.255&order=host.desc&limit=1", 2),
            ("span=lt.25:00:00", 0),
            ("span=lt.27:00:00", 1),
            ("mood=eq.happy", 1),
            ("hosts=cs.{10.0.0.2}", 1),
            ("number=gt.1e29", 1),
            ("plain=gte.2026-01-02T00:00:00", 1),
            ("zoned=eq.2026-01-02T01:04:05Z", 1),
        ] {
            let rows = api.json(&format!("kinds?select=id&{filter}")).await;
            let ids: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["id"]).collect();
            let expected: Vec<Value> = Some(expected).filter(|id| *id > 0).map(Value::from).into_iter().collect();
            assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "{filter}");
        }
        // A key that is shown as text still leads somewhere, up and down.
        assert_eq!(
            api.get("kinds?select=id,host,hosts!kinds_host_fkey(name)&order=id&limit=2").await,
            r#"[{"id":1,"host":"10.0.0.1","hosts":{"name":"one"}},{"id":2,"host":"10.0.0.2","hosts":{"name":"two"}}]"#
        );
        assert_eq!(
            api.get("hosts?select=address,kinds(id)&order=address").await,
            r#"[{"address":"10.0.0.1","kinds":[{"id":1}]},{"address":"10.0.0.2","kinds":[{"id":2}]}]"#
        );
        let most = api.get("kinds?select=host.max(),span.min()").await;
        assert_eq!(most, r#"[{"max":"10.0.0.2","min":"1 day 02:03:04"}]"#);
        // And back again as they were read.
        let mut copy = rows[0].clone();
        copy["id"] = 4.into();
        let written = api.write("POST", "kinds", "resolution=merge-duplicates", &copy.to_string()).await;
        let mut written: Value = serde_json::from_str(&written).unwrap();
        written[0]["id"] = 1.into();
        assert_eq!(written, rows);
        let change = r#"{"pair":{"a":2,"b":null},"pairs":[{"a":3,"b":"z"}]}"#;
        let changed = api.write("PATCH", "kinds?id=eq.4&select=pair,pairs", "", change).await;
        assert_eq!(changed, format!("[{change}]"));
        let many = r#"[{"id":5,"pair":{"a":1,"b":"\"x, y\""},"pairs":null},{"id":6,"pair":null,"pairs":[]}]"#;
        assert_eq!(api.write("POST", "kinds?select=id,pair,pairs", "", many).await, many);
        assert_eq!(api.send("DELETE", "kinds?id=in.(5,6)", &[], "").await.status, 204);
        assert_eq!(api.write("DELETE", "kinds?id=eq.4&select=span", "", "").await, r#"[{"span":"1 day 02:03:04"}]"#);
    }
}

/// What is too long for its column is refused and not cut, whether it comes alone or with others.
#[tokio::test]
async fn many_rows_are_held_to_the_bounds_of_their_columns() {
    let table = "CREATE TABLE bounded (
        id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, short varchar(3), fixed char(3), bits bit(3), varying varbit(4),
        amount numeric(4,1), moment timestamp(0), box box, words varchar(3)[], note text NOT NULL DEFAULT 'none', number real,
        since date NOT NULL DEFAULT '2026-01-02')";
    let database = Database::new(table).await;
    let api = Api::over(&database.url()).await;
    let good = r#"{"short":"ab\"","fixed":"a","bits":"101","varying":"10","amount":123.4,"moment":"2026-01-02T03:04:05",
                   "box":"(1,1),(0,0)","words":["a,b","\\"],"note":"{}","number":1.5}"#;
    let other = r#"{"short":"NUL","fixed":null,"bits":null,"varying":null,"amount":-0.1,"moment":null,"box":null,"words":null,
                    "note":"a\nb","number":null}"#;
    let made = api.write("POST", "bounded?order=id", "return=representation", &format!("[{good},{other}]")).await;
    let expected = json!([
        { "id": 1, "short": "ab\"", "fixed": "a  ", "bits": "101", "varying": "10", "amount": 123.4,
          "moment": "2026-01-02T03:04:05", "box": "(1,1),(0,0)", "words": ["a,b", "\\"], "note": "{}", "number": 1.5,
          "since": "2026-01-02" },
        { "id": 2, "short": "NUL", "fixed": null, "bits": null, "varying": null, "amount": -0.1, "moment": null, "box": null,
          "words": null, "note": "a\nb", "number": null, "since": "2026-01-02" },
    ]);
    assert_eq!(serde_json::from_str::<Value>(&made).expect(&made), expected);
    // Without what only documents can hold.
    let plain = r#"[{"short":"x","note":"first","amount":1},{"short":null,"note":"second","amount":2}]"#;
    let made = api.write("POST", "bounded?select=id,short,note,amount", "return=representation", plain).await;
    assert_eq!(
        made,
        r#"[{"id":3,"short":"x","note":"first","amount":1.0},{"id":4,"short":null,"note":"second","amount":2.0}]"#
    );
    // A default for some, and for all.
    for (columns, body, expected) in [
        ("short,note", r#"[{"short":"x"},{"short":"y","note":"said"}]"#, r#"[{"note":"none"},{"note":"said"}]"#),
        ("short,note", r#"[{"short":"x"},{"short":"y"}]"#, r#"[{"note":"none"},{"note":"none"}]"#),
        ("short,note,since", r#"[{"short":"x"},{"short":"y"}]"#, r#"[{"note":"none"},{"note":"none"}]"#),
    ] {
        let path = format!("bounded?columns={columns}&select=note");
        assert_eq!(api.write("POST", &path, "missing=default,return=representation", body).await, expected);
    }
    for (bad, code) in [
        (r#"{"short":"abcd"}"#, "22001"),
        (r#"{"fixed":"abcd"}"#, "22001"),
        (r#"{"bits":"1010"}"#, "22026"),
        (r#"{"bits":"10"}"#, "22026"),
        (r#"{"varying":"10101"}"#, "22001"),
        (r#"{"amount":1234.5}"#, "22003"),
        (r#"{"words":["abcd"]}"#, "22001"),
    ] {
        for body in [bad.to_owned(), format!("[{bad},{bad}]")] {
            let (status, text) = api.refused("POST", "bounded", &body).await;
            assert_eq!(status, 400, "{body}: {text}");
            assert!(text.contains(code), "{body}: {text}");
        }
    }
    assert_eq!(api.json("bounded?select=count()&since=eq.2026-01-02").await[0]["count"], 10);
    api.close().await;
}

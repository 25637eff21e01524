//! Values of every type, there and back.

use mainstay_schema::{Type, Value};
use mainstay_store::Cell;
use mainstay_stores::postgres::{Access, CellKind, Isolation, Param, Pool, Raw};

use crate::support::{ask, one, pool, session};

/// A type of the server, a text of it, and the cell that it comes back as.
const CELLS: &[(&str, &str, &str)] = &[
    ("boolean", "true", "Bool(true)"),
    ("boolean", "false", "Bool(false)"),
    ("smallint", "-32768", "Int(-32768)"),
    ("integer", "2147483647", "Int(2147483647)"),
    ("bigint", "-9223372036854775808", "Int(-9223372036854775808)"),
    ("bigint", "9223372036854775807", "Int(9223372036854775807)"),
    ("oid", "4294967295", "Int(4294967295)"),
    ("real", "0.1", "Float(0.1)"),
    ("real", "3.4028235e38", "Float(3.4028234663852886e38)"),
    ("real", "1e-45", "Float(1e-45)"),
    ("real", "NaN", "Plain(\"NaN\")"),
    ("double precision", "0.1", "Float(0.1)"),
    ("double precision", "1.7976931348623157e308", "Float(1.7976931348623157e308)"),
    ("double precision", "5e-324", "Float(5e-324)"),
    ("double precision", "-0", "Float(0.0)"),
    ("double precision", "-Infinity", "Plain(\"-Infinity\")"),
    ("double precision", "Infinity", "Plain(\"Infinity\")"),
    ("numeric", "0", "Digits(\"0\")"),
    ("numeric", "0.00", "Digits(\"0.00\")"),
    ("numeric", "-1.50", "Digits(\"-1.50\")"),
    ("numeric", "10000", "Digits(\"10000\")"),
    ("numeric", "100000000.0001", "Digits(\"100000000.0001\")"),
    ("numeric", "0.000000000000000001", "Digits(\"0.000000000000000001\")"),
    (
        "numeric",
        "12345678901234567890123456789.0123456789000",
        "Digits(\"12345678901234567890123456789.0123456789000\")",
    ),
    ("numeric(38,4)", "9999999999999999999999999999999999.9999", "Digits(\"9999999999999999999999999999999999.9999\")"),
    ("numeric", "1e40", "Digits(\"10000000000000000000000000000000000000000\")"),
    (
        "numeric",
        "-1234567891234567891234567891234567891234567891234567891234567891234567.987654321000000",
        "Digits(\"-1234567891234567891234567891234567891234567891234567891234567891234567.987654321000000\")",
    ),
    ("numeric", "NaN", "Plain(\"NaN\")"),
    ("numeric", "Infinity", "Plain(\"Infinity\")"),
    ("numeric", "-Infinity", "Plain(\"-Infinity\")"),
    ("text", "", "Text(\"\")"),
    ("text", "a\"b\\ü🦀", "Text(\"a\\\"b\\\\ü🦀\")"),
    ("varchar(3)", "abc", "Text(\"abc\")"),
    ("char(3)", "a", "Text(\"a  \")"),
    ("name", "n", "Text(\"n\")"),
    ("uuid", "0190A5B2-7E1C-7C3A-9B1D-0000000000FF", "Plain(\"0190a5b2-7e1c-7c3a-9b1d-0000000000ff\")"),
    ("bytea", "\\x00ff", "Bytes([0, 255])"),
    ("bytea", "\\x", "Bytes([])"),
    ("date", "2026-11-23", "Plain(\"2026-11-23\")"),
    ("date", "2000-02-29", "Plain(\"2000-02-29\")"),
    ("date", "0001-01-01", "Plain(\"0001-01-01\")"),
    ("date", "9999-12-31", "Plain(\"9999-12-31\")"),
    ("date", "5874897-12-31", "Plain(\"5874897-12-31\")"),
    ("date", "4714-11-24 BC", "Plain(\"4714-11-24 BC\")"),
    ("date", "0001-12-31 BC", "Plain(\"0001-12-31 BC\")"),
    ("date", "infinity", "Plain(\"infinity\")"),
    ("date", "-infinity", "Plain(\"-infinity\")"),
    ("time", "00:00", "Plain(\"00:00:00\")"),
    ("time", "23:59:59.999999", "Plain(\"23:59:59.999999\")"),
    ("time", "10:00:00.050", "Plain(\"10:00:00.05\")"),
    ("time", "24:00", "Plain(\"24:00:00\")"),
    ("timetz", "10:00:00.5+02", "Plain(\"10:00:00.5+02\")"),
    ("timetz", "10:00:00-05:30", "Plain(\"10:00:00-05:30\")"),
    ("timetz", "10:00:00+00", "Plain(\"10:00:00+00\")"),
    ("timestamp", "2026-11-23 10:00:00.5", "Plain(\"2026-11-23T10:00:00.5\")"),
    ("timestamp", "1999-12-31 23:59:59.999999", "Plain(\"1999-12-31T23:59:59.999999\")"),
    ("timestamp", "4714-11-24 00:00:00 BC", "Plain(\"4714-11-24T00:00:00 BC\")"),
    ("timestamptz", "2026-11-23 10:00:00+05:30", "Plain(\"2026-11-23T04:30:00+00:00\")"),
    ("timestamptz", "0001-01-01 00:00:00+00", "Plain(\"0001-01-01T00:00:00+00:00\")"),
    ("timestamptz", "9999-12-31 23:59:59.999999+00", "Plain(\"9999-12-31T23:59:59.999999+00:00\")"),
    ("timestamptz", "294276-12-31 23:59:59.999999+00", "Plain(\"294276-12-31T23:59:59.999999+00:00\")"),
    ("timestamptz", "0044-03-15 12:00:00+00 BC", "Plain(\"0044-03-15T12:00:00+00:00 BC\")"),
    ("timestamptz", "infinity", "Plain(\"infinity\")"),
    ("timestamptz", "-infinity", "Plain(\"-infinity\")"),
    ("json", "{\"a\": 1.0}", "Json(\"{\\\"a\\\": 1.0}\")"),
    ("jsonb", "{\"a\": 1.0}", "Json(\"{\\\"a\\\": 1.0}\")"),
    ("jsonb", "null", "Json(\"null\")"),
    ("integer[]", "{}", "Json(\"[]\")"),
    ("integer[]", "{1,NULL,-3}", "Json(\"[1,null,-3]\")"),
    ("integer[]", "{{1,2},{3,4}}", "Json(\"[[1,2],[3,4]]\")"),
    ("integer[]", "[5:6]={1,2}", "Json(\"[1,2]\")"),
    ("smallint[]", "{1}", "Json(\"[1]\")"),
    ("bigint[]", "{9007199254740993}", "Json(\"[9007199254740993]\")"),
    ("boolean[]", "{t,f}", "Json(\"[true,false]\")"),
    ("real[]", "{0.1,3}", "Json(\"[0.1,3]\")"),
    ("double precision[]", "{0.1,NaN,1e300}", "Json(\"[0.1,\\\"NaN\\\",1e300]\")"),
    ("numeric[]", "{1.50,NaN,-0.1}", "Json(\"[1.50,\\\"NaN\\\",-0.1]\")"),
    (
        "text[]",
        "{a,\"b,\\\"c\\\\\",NULL,\"NULL\",\"\"}",
        "Json(\"[\\\"a\\\",\\\"b,\\\\\\\"c\\\\\\\\\\\",null,\\\"NULL\\\",\\\"\\\"]\")",
    ),
    ("varchar[]", "{é}", "Json(\"[\\\"é\\\"]\")"),
    ("uuid[]", "{0190A5B2-7E1C-7C3A-9B1D-0000000000FF}", "Json(\"[\\\"0190a5b2-7e1c-7c3a-9b1d-0000000000ff\\\"]\")"),
    ("bytea[]", "{\"\\\\x00ff\"}", "Json(\"[\\\"\\\\\\\\x00ff\\\"]\")"),
    ("date[]", "{2026-11-23,infinity}", "Json(\"[\\\"2026-11-23\\\",\\\"infinity\\\"]\")"),
    ("timestamptz[]", "{\"2026-11-23 10:00+00\"}", "Json(\"[\\\"2026-11-23T10:00:00+00:00\\\"]\")"),
    ("jsonb[]", "{\"{\\\"a\\\": 1}\",\"[]\"}", "Json(\"[{\\\"a\\\": 1},[]]\")"),
    ("json[]", "{\"{}\"}", "Json(\"[{}]\")"),
    ("int2vector", "1 2", "Json(\"[1,2]\")"),
];

#[tokio::test]
async fn every_type_comes_back_in_its_canonical_form() {
    let pool = pool();
    let mut session = session(&pool).await;
    for (ty, text, expected) in CELLS {
        let found = one(&mut session, &format!("SELECT $1::{ty}"), &[Param::Text(text)]).await;
        assert_eq!(found, *expected, "{ty} {text}");
        let null = one(&mut session, &format!("SELECT $1::{ty}"), &[Param::Value(&Value::Null)]).await;
        assert_eq!(null, "Null", "{ty}");
    }
}

/// What goes out as JSON text is what PostgreSQL makes of the same array itself, whatever is in its texts.
#[tokio::test]
async fn arrays_are_the_json_that_the_server_makes() {
    let pool = pool();
    let mut session = session(&pool).await;
    let text: String = (1..=0x2ff_u32).chain([0x2028, 0xffff, 0x1f980]).filter_map(char::from_u32).collect();
    let value = Value::Array(vec![Value::Text(text), Value::Null, Value::Text(String::new())]);
    let sql = "SELECT $1::text[], to_json($1::text[])";
    let rows = session.query_all(sql, &[Param::Value(&value)]).await.expect("it can be asked");
    let mut scratch = String::new();
    let kind = CellKind::Array(Box::new(CellKind::Text));
    let ours = kind.cell(rows[0].get::<_, Option<Raw<'_>>>(0).map(|raw| raw.0), &mut scratch).expect("an array");
    let theirs: Raw<'_> = rows[0].get(1);
    let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("it is JSON");
    let Cell::Json(ours) = ours else { panic!("{ours:?}") };
    assert_eq!(read(ours), read(std::str::from_utf8(theirs.0).expect("it is text")));
}

/// One value fits every type of the server that can hold it.
#[tokio::test]
async fn values_fit_the_types_that_can_hold_them() {
    let pool = pool();
    let mut session = session(&pool).await;
    session.begin(Access::Write, Isolation::ReadCommitted);
    session
        .batch_execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
        .await
        .expect("types can be made");
    let decimal = Type::Decimal { precision: 12, scale: 2 };
    for (ty, text, server, expected) in [
        (Type::BigInt, "7", "smallint", "Int(7)"),
        (Type::BigInt, "7", "numeric", "Digits(\"7\")"),
        (Type::BigInt, "7", "double precision", "Float(7.0)"),
        (Type::BigInt, "7", "text", "Text(\"7\")"),
        (decimal.clone(), "7.50", "numeric", "Digits(\"7.50\")"),
        (decimal.clone(), "7.50", "double precision", "Float(7.5)"),
        (Type::Text, "ok", "mood", "Text(\"ok\")"),
        (Type::Text, "{ok,sad}", "mood[]", "Json(\"[\\\"ok\\\",\\\"sad\\\"]\")"),
        (Type::Int, "5", "positive", "Int(5)"),
        (Type::Text, "{\"a\":[1]}", "jsonb", "Json(\"{\\\"a\\\": [1]}\")"),
        (Type::Json, "{\"a\":[1]}", "json", "Json(\"{\\\"a\\\":[1]}\")"),
        (Type::Bytes, "\\x00ff", "bytea", "Bytes([0, 255])"),
        (Type::Bool, "true", "boolean", "Bool(true)"),
        (Type::Float, "1e300", "double precision", "Float(1e300)"),
        (Type::Uuid, "0190a5b2-7e1c-7c3a-9b1d-0000000000ff", "uuid", "Plain(\"0190a5b2-7e1c-7c3a-9b1d-0000000000ff\")"),
        (Type::Timestamp, "2026-11-23T10:00:00.5Z", "timestamptz", "Plain(\"2026-11-23T10:00:00.5+00:00\")"),
        (Type::Timestamp, "2026-11-23T10:00:00.5Z", "timestamp", "Plain(\"2026-11-23T10:00:00.5\")"),
        (Type::Date, "2026-11-23", "date", "Plain(\"2026-11-23\")"),
        (Type::Time, "10:00:00.5", "time", "Plain(\"10:00:00.5\")"),
        (
            Type::Array(Box::new(Type::Bytes)),
            "{\"\\\\x00ff\",NULL}",
            "bytea[]",
            "Json(\"[\\\"\\\\\\\\x00ff\\\",null]\")",
        ),
        (Type::Array(Box::new(Type::Json)), "{\"[1,{}]\"}", "jsonb[]", "Json(\"[[1, {}]]\")"),
        (Type::Array(Box::new(decimal.clone())), "{1.50,NULL}", "numeric[]", "Json(\"[1.50,null]\")"),
    ] {
        let value = Value::parse(&ty, text).expect(text);
        let found = one(&mut session, &format!("SELECT $1::{server}"), &[Param::Value(&value)]).await;
        assert_eq!(found, expected, "{text} as {server}");
    }
    let list = [Value::Int(3), Value::Null, Value::Int(5)];
    let sql = "SELECT n FROM generate_series(1, 9) n WHERE n = ANY ($1) ORDER BY n";
    assert_eq!(ask(&mut session, sql, &[Param::List(&list)]).await.expect("it can be asked"), ["Int(3)", "Int(5)"]);
    assert_eq!(one(&mut session, "SELECT count(*) FROM (SELECT 1 LIMIT $1) t", &[Param::Int(0)]).await, "Int(0)");
    session.rollback().await.expect("it can be undone");
}

/// Keys of one answer go into the next statement as they came.
#[tokio::test]
async fn raw_cells_go_back() {
    let pool = pool();
    for is_named in [true, false] {
        let mut options = crate::support::options();
        options.named_statements = is_named;
        let pool = if is_named { pool.clone() } else { Pool::new(options).expect("a pool") };
        let mut session = session(&pool).await;
        for (ty, values) in [
            ("bigint", "{7,-1,NULL,9223372036854775807}"),
            ("text", "{a,\"b,c\",NULL,\"\"}"),
            ("uuid", "{0190a5b2-7e1c-7c3a-9b1d-0000000000ff}"),
            ("numeric", "{1.50,-0.00001}"),
            ("timestamptz", "{2026-11-23T10:00:00.5+00:00,infinity}"),
            ("bytea", "{\"\\\\x00ff\",\"\\\\x\"}"),
            ("jsonb", "{\"{\\\"a\\\": 1}\"}"),
        ] {
            let sql = format!("SELECT unnest($1::{ty}[])");
            let rows = session.query_all(&sql, &[Param::Text(values)]).await.expect(ty);
            let item = rows[0].columns()[0].type_().clone();
            let cells: Vec<Option<&[u8]>> =
                rows.iter().map(|row| row.get::<_, Option<Raw<'_>>>(0).map(|raw| raw.0)).collect();
            let again = format!(
                "SELECT coalesce(array_agg(v ORDER BY n), '{{}}') = $2::{ty}[] \
                                 FROM unnest($1::{ty}[]) WITH ORDINALITY AS t (v, n)"
            );
            let raw = Param::Raw { item: &item, items: &cells };
            assert_eq!(one(&mut session, &again, &[raw, Param::Text(values)]).await, "Bool(true)", "{ty}");
            let one_cell = format!("SELECT $1::{ty} IS NOT DISTINCT FROM ($2::{ty}[])[1]");
            let raw = Param::Cell(cells[0]);
            if is_named {
                assert_eq!(one(&mut session, &one_cell, &[raw, Param::Text(values)]).await, "Bool(true)", "{ty}");
            }
        }
        let none = Param::Raw { item: &tokio_postgres::types::Type::INT8, items: &[] };
        assert_eq!(one(&mut session, "SELECT count(*) FROM unnest($1::bigint[])", &[none]).await, "Int(0)");
    }
}

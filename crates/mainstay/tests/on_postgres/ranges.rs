//! Ranges and sets of ranges of found databases.

use crate::api::Api;
use crate::app::Database;

const MADE: &str = "
CREATE TYPE heat AS RANGE (subtype = float8);
CREATE DOMAIN weeks AS daterange CHECK (NOT isempty(VALUE));
CREATE TABLE stays (id int PRIMARY KEY, days daterange, seats int4range, prices numrange, times tsrange, instants tstzrange,
  big int8range, heat heat, free int4multirange, weeks weeks, name text, seats_before int4range);
INSERT INTO stays VALUES
  (1, '[2026-01-01,2026-01-05)', '[1,5)', '[1.5,2.5]', '[2026-01-01 10:00,2026-01-01 12:00)',
   '[2026-01-01 10:00+00,2026-01-01 12:00+00)', '[1,9007199254740993]', '[0.5,1.5)', '{[1,3),[7,9)}', '[2026-01-05,2026-01-12)', 'a', '[1,3)'),
  (2, '[2026-01-05,2026-01-09)', '[5,9)', '[2.5,)', '[2026-01-01 12:00,2026-01-01 13:00)',
   '[2026-01-01 12:00+00,)', '[5,9)', '[1.5,2.5)', '{[20,30)}', '[2026-01-12,2026-01-19)', 'b', '[5,6)'),
  (3, 'empty', 'empty', NULL, NULL, NULL, NULL, NULL, '{}', NULL, 'c', NULL);
CREATE TABLE rooms (id int PRIMARY KEY, stay int REFERENCES stays);
INSERT INTO rooms VALUES (10, 1), (20, 2);
CREATE FUNCTION later(than int) RETURNS SETOF stays STABLE LANGUAGE sql AS 'SELECT * FROM stays WHERE id > than';
CREATE FUNCTION spans() RETURNS TABLE (id int, span int4range) STABLE LANGUAGE sql AS 'SELECT id, seats FROM stays';
CREATE FUNCTION spans_apart() RETURNS TABLE (id int, span int4range) LANGUAGE sql AS 'SELECT id, seats FROM stays';
";

#[tokio::test]
async fn ranges_are_compared_as_ranges() {
    let database = Database::new(MADE).await;
    for more in ["", "&pgbouncer=true"] {
        let api = Api::over(&(database.url() + more)).await;
        for (filter, expected) in [
            ("seats=cs.[2,4)", "1"),
            ("seats=cd.[1,6)", "1 3"),
            ("seats=ov.[4,6]", "1 2"),
            ("seats=sl.[5,6)", "1"),
            ("seats=sl.[4,6)", ""),
            ("seats=sr.[1,5)", "2"),
            ("seats=nxr.[1,5)", "1"),
            ("seats=nxl.[5,6)", "2"),
            ("seats=adj.[9,10)", "2"),
            ("seats=adj.[5,6)", "1"),
            ("seats=not.sl.[5,6)", "2 3"),
            ("seats=eq.[1,4]", "1"),
            ("days=ov.[2026-01-04,2026-01-05]", "1 2"),
            ("days=adj.[2026-01-09,)", "2"),
            ("prices=cs.[2,2.5]", "1"),
            ("prices=sr.(,2]", "2"),
            ("times=sl.[2026-01-01T12:00:00,)", "1"),
            ("instants=nxl.[2026-01-01T13:00:00%2B01:00,)", "2"),
            ("big=cs.[9007199254740993,9007199254740993]", "1"),
            ("heat=adj.[1.5,2)", "1"),
            ("heat=sl.[1.5,2)", "1"),
            ("free=cs.{[7,8)}", "1"),
            ("free=sl.{[10,11)}", "1"),
            ("free=ov.{[2,3),[25,26)}", "1 2"),
            ("weeks=sl.[2026-01-12,)", "1"),
            // What the domain does not allow can still be compared with.
            ("weeks=cd.empty", ""),
            ("or=(seats.sl.%22[5,6)%22,seats.adj.%22[9,10)%22)", "1 2"),
            ("not.and=(seats.ov.%22[1,9)%22,days.ov.%22[2026-01-01,2026-01-02)%22)", "2 3"),
            ("rooms.id=eq.20&rooms=not.is.null&seats=sr.[1,2)", "2"),
        ] {
            let rows = api.json(&format!("stays?select=id,rooms(id)&order=id&{filter}")).await;
            let ids: Vec<String> = rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
            assert_eq!(ids.join(" "), expected, "{filter}");
        }
        for (path, expected) in [
            ("rooms?select=id,stays!inner(id)&stays.seats=sl.[5,6)", r#"[{"id":10,"stays":{"id":1}}]"#),
            ("rpc/later?than=1&seats=adj.[9,10)&select=id", r#"[{"id":2}]"#),
            ("rpc/spans?span=sl.[5,6)", r#"[{"id":1,"span":"[1,5)"}]"#),
        ] {
            assert_eq!(api.get(path).await, expected, "{path}");
        }
        let apart = api.send("POST", "rpc/spans_apart?span=sr.[1,5)", &[], "{}").await;
        assert_eq!(apart.body, r#"[{"id":2,"span":"[5,9)"}]"#);
        for (path, expected) in [
            ("stays?seats=sl.5", (400, "22P02")),
            ("stays?seats=cs.[5,1)", (400, "22000")),
            ("stays?seats=sl(any).{1}", (400, "PGRST100")),
            // Texts that are no ranges, and documents that one is made into.
            ("stays?name=sl.[1,2)", (400, "PGRST127")),
            ("stays?id=adj.[1,2)", (400, "PGRST127")),
            ("stays?name=cs.[1,2)", (404, "42883")),
            ("stays?seats-%3Ea=sl.[1,2)", (400, "PGRST127")),
        ] {
            let (status, code) = api.refused("GET", path, "").await;
            assert_eq!((status, code.as_str()), expected, "{path}");
        }
        let told = api.send("GET", "stays?name=sl.[1,2)", &[], "").await;
        assert!(told.body.contains("sl is about ranges, and stays.name is text"), "{}", told.body);
        assert_eq!(
            api.write("PATCH", "stays?seats=sr.[1,5)&select=id", "tx=rollback", r#"{"name":"x"}"#).await,
            r#"[{"id":2}]"#
        );
        assert_eq!(api.write("DELETE", "stays?days=cd.empty&select=id", "tx=rollback", "").await, r#"[{"id":3}]"#);
        api.close().await;
    }
}

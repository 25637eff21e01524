//! Stored functions and procedures of found databases, called under the rules of the project.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::app::Database;

const MADE: &str = "
CREATE SCHEMA other;
CREATE TYPE other.mood AS ENUM ('sad', 'merry');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE shelves (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE stock (id int PRIMARY KEY, name text, pieces int, price numeric(10,2), at timestamp, host inet,
  shelf int REFERENCES shelves, during int4range, dims pair, marks pair[], seen timestamptz);
INSERT INTO shelves VALUES (1, 'top'), (2, 'low');
INSERT INTO stock VALUES
  (1, 'nail', 5, 0.50, '2026-01-02 03:04:05', '10.0.0.1', 1, '[1,5)', '(1,x)', '{\"(2,y)\"}', 'infinity'),
  (2, 'saw', 2, 19.90, NULL, '10.0.0.20', 2, '[5,9)', NULL, NULL, NULL), (3, 'drill', 0, 80, NULL, NULL, 2, NULL, NULL, NULL, NULL);

CREATE FUNCTION add_tax(amount numeric, rate numeric DEFAULT 25.00) RETURNS numeric IMMUTABLE LANGUAGE sql
  AS 'SELECT amount * (1 + rate / 100)';
COMMENT ON FUNCTION add_tax IS 'With tax.';
CREATE FUNCTION sell(which int, many int) RETURNS int LANGUAGE sql
  AS 'UPDATE stock SET pieces = pieces - many WHERE id = which RETURNING pieces';
CREATE FUNCTION below(most numeric) RETURNS SETOF stock STABLE LANGUAGE sql AS 'SELECT * FROM stock WHERE price < most ORDER BY id';
CREATE FUNCTION restocked(fewest int) RETURNS SETOF stock LANGUAGE sql
  AS 'UPDATE stock SET pieces = pieces + 1 WHERE pieces >= fewest RETURNING *';
CREATE FUNCTION one(which int) RETURNS stock STABLE LANGUAGE sql AS 'SELECT * FROM stock WHERE id = which';
CREATE FUNCTION one_for_all(which int) RETURNS stock LANGUAGE sql AS 'SELECT * FROM stock WHERE id = which';
CREATE FUNCTION per_shelf() RETURNS TABLE (shelf int, total numeric, hosts inet[], span int4range) STABLE LANGUAGE sql
  AS 'SELECT shelf, sum(pieces * price), array_agg(host ORDER BY id), (array_agg(during ORDER BY id))[1] FROM stock GROUP BY 1';
CREATE FUNCTION ends(OUT lowest numeric, OUT most numeric) STABLE LANGUAGE sql AS 'SELECT min(price), max(price) FROM stock';
CREATE FUNCTION both_ways(INOUT n int) STABLE LANGUAGE sql AS 'SELECT n + 1';
CREATE FUNCTION names() RETURNS SETOF text STABLE LANGUAGE sql AS 'SELECT name FROM stock ORDER BY id';
CREATE FUNCTION hosts() RETURNS SETOF inet LANGUAGE sql AS 'SELECT host FROM stock ORDER BY id';
CREATE FUNCTION swap(p pair, by int DEFAULT 1, q pair DEFAULT '(7,z)') RETURNS pair IMMUTABLE LANGUAGE sql
  AS 'SELECT (p.a + by + q.a, p.b || q.b)::pair';
CREATE FUNCTION swap_apart(p pair) RETURNS pair LANGUAGE sql AS 'SELECT p';
CREATE FUNCTION sum_of(pairs pair[]) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT sum((p).a) FROM unnest(pairs) p';
CREATE FUNCTION feel(how other.mood, n positive DEFAULT 3, span int4range DEFAULT '[1,2)') RETURNS text IMMUTABLE LANGUAGE sql
  AS $$ SELECT how || ' ' || n || ' ' || span::text $$;
CREATE FUNCTION least_of(first int, VARIADIC more int[]) RETURNS int IMMUTABLE LANGUAGE sql
  AS 'SELECT least(first, (SELECT min(m) FROM unnest(more) m))';
CREATE FUNCTION nothing() RETURNS void STABLE LANGUAGE sql AS 'SELECT NULL';
CREATE FUNCTION empty_out(n int) RETURNS void LANGUAGE sql AS 'UPDATE stock SET pieces = n';
CREATE FUNCTION which_one(id int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'by id' $$;
CREATE FUNCTION which_one(name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'by name' $$;
CREATE FUNCTION which_one(id int, name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'by both' $$;
CREATE FUNCTION unclear(id int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'int' $$;
CREATE FUNCTION unclear(id text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'text' $$;
CREATE FUNCTION echo(jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION size(bytea) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT length($1)';
CREATE FUNCTION liar() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN UPDATE stock SET pieces = 0; RETURN 1; END';
CREATE FUNCTION cunning() RETURNS int STABLE LANGUAGE sql AS 'SELECT sell(1, 1)';
CREATE FUNCTION pay() RETURNS int LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'pay first' USING ERRCODE = 'PT402', HINT = 'with a card'; END $$;
CREATE FUNCTION refuse(why text) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', why; END $$;
CREATE FUNCTION stale() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT max(n) FROM gone); END';
CREATE FUNCTION stale_write() RETURNS int LANGUAGE plpgsql AS 'BEGIN UPDATE stock SET gone = 1; RETURN 1; END';
CREATE FUNCTION sleepy() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(30)';
CREATE FUNCTION bare() RETURNS SETOF record STABLE LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION any_kind(x anyelement) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION unnamed(int, int) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION secret() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE restock(which int, many int DEFAULT 10) LANGUAGE plpgsql AS $$ BEGIN
  IF many < 0 THEN RAISE EXCEPTION 'no fewer than none'; END IF;
  UPDATE stock SET pieces = pieces + many WHERE id = which; END $$;
CREATE PROCEDURE count_stock(fewest int, INOUT n bigint, INOUT total numeric DEFAULT 1) LANGUAGE sql
  AS 'SELECT count(*), total + coalesce(sum(price), 0) FROM stock WHERE pieces >= fewest';
CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN UPDATE stock SET pieces = 0; COMMIT; END';
CREATE EXTENSION pg_trgm;
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
    let database = Database::new(MADE).await;
    for more in ["", "&pgbouncer=true"] {
        let api = Api::over(&(database.url() + more)).await;
        for (path, expected) in [
            ("add_tax?amount=100", "125.00000000000000000000"),
            ("add_tax?amount=100&rate=10", "110.00000000000000000000"),
            ("names", r#"["nail","saw","drill"]"#),
            ("names?limit=1&offset=1", r#"["saw"]"#),
            ("ends", r#"{"lowest":0.50,"most":80.00}"#),
            ("both_ways?n=4", r#"{"n":5}"#),
            ("feel?how=merry", r#""merry 3 [1,2)""#),
            ("feel?how=sad&n=9&span=%5B2,4%5D", r#""sad 9 [2,5)""#),
            ("least_of?first=5&more=7&more=3", "3"),
            ("least_of?first=5&more=%7B4,9%7D", "4"),
            ("least_of?first=5", "5"),
            ("which_one?id=1", r#""by id""#),
            ("which_one?name=1", r#""by name""#),
            ("which_one?name=1&id=1", r#""by both""#),
            ("swap?p=%7B%22a%22:1,%22b%22:%22x%22%7D", r#"{"a":9,"b":"xz"}"#),
        ] {
            assert_eq!(api.get(&format!("rpc/{path}")).await, expected, "{path}");
        }
        for (path, body, expected) in [
            ("add_tax", json!({ "amount": "0.50", "rate": 7 }), "0.5350000000000000000000"),
            ("add_tax", json!({ "amount": null }), "null"),
            // Nothing given is not null given.
            ("add_tax", json!({ "amount": 1, "rate": null }), "null"),
            ("swap", json!({ "p": { "a": 1, "b": "x" }, "by": 2, "q": { "a": 0, "b": "!" } }), r#"{"a":3,"b":"x!"}"#),
            ("swap_apart", json!({ "p": { "a": 1, "b": "x, \"y\"" } }), r#"{"a":1,"b":"x, \"y\""}"#),
            ("sum_of", json!({ "pairs": [{ "a": 1 }, { "a": 41, "b": "y" }] }), "42"),
            ("least_of", json!({ "first": 5, "more": [8, 2] }), "2"),
            ("hosts", json!({}), r#"["10.0.0.1","10.0.0.20",null]"#),
            ("echo", json!([1, { "a": 2 }]), r#"[1, {"a": 2}]"#),
            ("echo", json!({ "a": 2 }), r#"{"a": 2}"#),
        ] {
            assert_eq!(api.send("POST", &format!("rpc/{path}"), &[], &body.to_string()).await.body, expected, "{path}");
        }
        let octets = [("content-type", "application/octet-stream")];
        assert_eq!(api.send("POST", "rpc/size", &octets, "four").await.body, "4");
        for (method, path, body, expected) in [
            ("GET", "add_tax?amount=x", "", (400, "22P02")),
            ("GET", "add_tax?rate=1", "", (404, "PGRST202")),
            ("GET", "add_taxes?amount=1", "", (404, "PGRST202")),
            ("POST", "add_tax", r#"{"amount":1,"more":1}"#, (404, "PGRST202")),
            ("GET", "feel?how=angry", "", (400, "23514")),
            ("GET", "feel?how=sad&n=-1", "", (400, "23514")),
            ("GET", "feel?how=sad&span=x", "", (400, "22P02")),
            ("GET", "unclear?id=1", "", (300, "PGRST203")),
            ("GET", "sell?which=1&many=1", "", (405, "25006")),
            ("GET", "nothing", "", (405, "25006")),
            // The server holds a function to its word.
            ("GET", "liar", "", (400, "0A000")),
            ("GET", "cunning", "", (405, "25006")),
            ("POST", "cunning", "{}", (405, "25006")),
            ("POST", "pay", "{}", (402, "PT402")),
            ("GET", "refuse?why=no", "", (400, "P0001")),
            // What it names is gone, and that is not for the schema to know.
            ("GET", "stale", "", (400, "22000")),
            ("POST", "stale_write", "{}", (400, "22000")),
            ("GET", "names?select=names", "", (400, "PGRST100")),
            ("GET", "bare", "", (404, "PGRST202")),
            ("GET", "any_kind?x=1", "", (404, "PGRST202")),
            ("POST", "unnamed", "[1,2]", (404, "PGRST202")),
            ("POST", "fired", "{}", (404, "PGRST202")),
            ("GET", "show_limit", "", (404, "PGRST202")),
        ] {
            let (status, code) = api.refused(method, &format!("rpc/{path}"), body).await;
            assert_eq!((status, code.as_str()), expected, "{method} {path} {body}");
        }
        assert_eq!(api.send("POST", "rpc/nothing", &[], "").await.status, 204);
        assert_eq!(api.get("stock?select=pieces&order=id").await, r#"[{"pieces":5},{"pieces":2},{"pieces":0}]"#);
        api.close().await;
    }
}

#[tokio::test]
async fn rows_of_functions_are_selected_filtered_ordered_and_embedded() {
    let database = Database::new(MADE).await;
    let api = Api::over(&database.url()).await;
    for (path, expected) in [
        (
            "below?most=50&select=name,shelves(name)&order=price.desc",
            r#"[{"name":"saw","shelves":{"name":"low"}},{"name":"nail","shelves":{"name":"top"}}]"#,
        ),
        // Compared as what they are, as a column of the table is.
        ("below?most=50&select=id&host=gt.10.0.0.3", r#"[{"id":2}]"#),
        (
            "below?most=50&select=dims,marks,during,seen&id=eq.1",
            r#"[{"dims":{"a":1,"b":"x"},"marks":[{"a":2,"b":"y"}],"during":"[1,5)","seen":"infinity"}]"#,
        ),
        (
            "below?most=50&select=id,shelves(name)&shelves.name=eq.top&shelves=not.is.null",
            r#"[{"id":1,"shelves":{"name":"top"}}]"#,
        ),
        ("per_shelf?order=shelf&total=lt.39", r#"[{"shelf":1,"total":2.50,"hosts":["10.0.0.1"],"span":"[1,5)"}]"#),
        ("per_shelf?select=shelf&hosts=cs.%7B10.0.0.20%7D", r#"[{"shelf":2}]"#),
        ("one?which=2&select=name,shelves(name)", r#"{"name":"saw","shelves":{"name":"low"}}"#),
        ("one?which=9", "null"),
    ] {
        assert_eq!(api.get(&format!("rpc/{path}")).await, expected, "{path}");
    }
    let reply = api.send("GET", "rpc/below?most=50&select=id&limit=1", &[("prefer", "count=exact")], "").await;
    assert_eq!((reply.body.as_str(), &reply.headers["content-range"]), (r#"[{"id":1}]"#, &"0-0/2".parse().unwrap()));

    // What writes comes back as the same, whatever its types are.
    let (body, all) = (r#"{"which":1}"#, api.get("rpc/one?which=1").await);
    assert_eq!(api.send("POST", "rpc/one_for_all", &[], body).await.body, all);
    assert_eq!(api.send("POST", "rpc/one_for_all", &[], r#"{"which":9}"#).await.body, "null");
    let embedded = "rpc/restocked?select=name,pieces,shelves(name)&host=gt.10.0.0.3";
    let given = api.send("POST", embedded, &[], r#"{"fewest":1}"#).await;
    assert_eq!(given.body, r#"[{"name":"saw","pieces":3,"shelves":{"name":"low"}}]"#);
    let pieces = || api.get("stock?select=pieces&order=id");
    // The filter is of what comes back, not of what is changed.
    let before = r#"[{"pieces":6},{"pieces":3},{"pieces":0}]"#;
    assert_eq!(pieces().await, before);
    let undone = api.send("POST", "rpc/sell", &[("prefer", "tx=rollback")], r#"{"which":1,"many":2}"#).await;
    assert_eq!(undone.body, "4");
    let strict = [("prefer", "handling=strict,max-affected=1")];
    let many = api.send("POST", "rpc/restocked", &strict, r#"{"fewest":0}"#).await;
    assert!(many.status == 400 && many.body.contains("PGRST124"), "{}", many.body);
    assert_eq!(pieces().await, before);
    assert_eq!(api.send("POST", "rpc/sell", &[], r#"{"which":1,"many":2}"#).await.body, "4");
    let (status, code) = api.refused("GET", "rpc/per_shelf?total=eq.x", "").await;
    assert_eq!((status, code.as_str()), (400, "22P02"));
    api.close().await;
}

#[tokio::test]
async fn procedures_are_called() {
    let database = Database::new(MADE).await;
    for more in ["", "&pgbouncer=true"] {
        database.run("UPDATE stock SET pieces = 5 WHERE id = 1").await;
        let api = Api::over(&(database.url() + more)).await;
        let call = |name: &'static str, body: &'static str| {
            let api = &api;
            async move { api.send("POST", &format!("rpc/{name}"), &[], body).await }
        };
        assert_eq!(call("restock", r#"{"which":1}"#).await.status, 204);
        assert_eq!(call("restock", r#"{"which":1,"many":2}"#).await.status, 204);
        assert_eq!(api.get("stock?select=pieces&id=eq.1").await, r#"[{"pieces":17}]"#);
        let raised = call("restock", r#"{"which":1,"many":-1}"#).await;
        let body: Value = serde_json::from_str(&raised.body).unwrap();
        assert_eq!(
            (raised.status, &body["code"], &body["message"]),
            (400, &json!("P0001"), &json!("no fewer than none"))
        );
        assert_eq!(call("count_stock", r#"{"fewest":1,"n":0}"#).await.body, r#"{"n":2,"total":21.40}"#);
        assert_eq!(call("count_stock", r#"{"fewest":9,"n":0,"total":"0.5"}"#).await.body, r#"{"n":1,"total":1.00}"#);
        let undone = api.send("POST", "rpc/restock", &[("prefer", "tx=rollback")], r#"{"which":1}"#).await;
        assert_eq!(undone.status, 204, "{}", undone.body);
        for (method, path, expected) in [
            ("GET", "rpc/restock?which=1", (405, "25006")),
            // A transaction is the request's.
            ("POST", "rpc/commits", (500, "2D000")),
        ] {
            let (status, code) = api.refused(method, path, "{}").await;
            assert_eq!((status, code.as_str()), expected, "{method} {path}");
        }
        assert_eq!(api.get("stock?select=pieces&id=eq.1").await, r#"[{"pieces":17}]"#);
        api.close().await;
    }
}

#[tokio::test]
async fn nobody_calls_what_is_not_allowed() {
    let database = Database::new(MADE).await;
    let api = Api::over(&database.url()).await;
    assert_eq!(api.called("GET", "add_tax?amount=1", "").await.0, 401);
    assert_eq!(api.called("POST", "sell", r#"{"which":1,"many":1}"#).await.0, 401);
    let told = api.get("").await;
    assert!(told.contains("/rpc/add_tax") && told.contains("With tax."), "{told:.300}");
    assert!(!told.contains("/rpc/show_limit") && !told.contains("/rpc/fired"));
    api.close().await;
    let folder = open("[limits]\nhandler_time = 8\n");
    let queries = folder.path().join("queries");
    std::fs::create_dir(&queries).unwrap();
    let head = "--- access = true\n--- returns.fields.a = \"int\"\n--- returns.fields.b = \"int\"\n";
    std::fs::write(queries.join("bare.sql"), format!("{head}SELECT * FROM bare() AS r(a int, b int)")).unwrap();
    let schema = folder.path().join("schema");
    std::fs::create_dir(&schema).unwrap();
    std::fs::write(schema.join("stock.toml"), "[stock.fields]\nhost = { hide = true }\n").unwrap();
    let api = Api::of(folder.path(), &database.url()).await;
    assert_eq!(api.called("GET", "add_tax?amount=1&rate=1", "").await, (200, "1.01000000000000000000".to_owned()));
    assert_eq!(api.called("GET", "bare", "").await, (200, r#"[{"a":1,"b":2}]"#.to_owned()));
    assert_eq!(
        api.called("POST", "per_shelf?select=span&shelf=eq.1", "").await,
        (200, r#"[{"span":"[1,5)"}]"#.to_owned())
    );
    // What is hidden is not shown by a function either, and the tables of the results are nobody's.
    assert_eq!(api.called("GET", "below?most=50", "").await.0, 404);
    assert_eq!(api.called("GET", "stock", "").await.0, 404);
    assert_eq!(api.anonymous("GET", "per_shelf", "").await, 404);
    let left_out = api.project.schema.found().unwrap().left_out.join("\n");
    for why in [
        "the function any_kind: its parameter x is anyelement",
        "the function unnamed: its parameters",
        "the function bare:",
    ] {
        assert!(left_out.contains(why), "{left_out}");
    }
    let start = Instant::now();
    let reply = api.send("POST", "rpc/sleepy", &[], "").await;
    assert!(reply.status >= 500 && start.elapsed() < Duration::from_secs(25), "{} {}", reply.status, reply.body);
    // What is made, changed and dropped later is seen.
    database.run("CREATE FUNCTION late() RETURNS text STABLE LANGUAGE sql AS $$ SELECT 'yes'::text $$").await;
    comes(&api, "rpc/late", (200, r#""yes""#)).await;
    database.run("DROP FUNCTION late(); CREATE FUNCTION late() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'").await;
    comes(&api, "rpc/late", (200, "1")).await;
    database.run("DROP FUNCTION late()").await;
    comes(&api, "rpc/late", (404, "PGRST202")).await;
    api.close().await;
}

/// Waits until this is the answer.
async fn comes(api: &Api, path: &str, (status, part): (u16, &str)) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let reply = api.send("GET", path, &[], "").await;
        if reply.status == status && reply.body.contains(part) {
            return;
        }
        assert!(Instant::now() < end, "{} {}", reply.status, reply.body);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

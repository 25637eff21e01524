//! rest.md 16.2: the table of codes, provoked one by one.

use mainstay_http::{CODES, Cors};

use super::member;
use crate::app::{Ask, TestApp, ask, get, post, small_limits, token};

/// Codes that need more than a request to this app, and the file whose tests provoke them.
const ELSEWHERE: &[(&str, u16, &str)] = &[
    ("PGRST000", 503, "faults.rs"),
    ("PGRST002", 503, "faults.rs"),
    ("MS403", 400, "faults.rs"),
    ("MS502", 502, "faults.rs"),
    ("MS402", 400, "../existing/work.rs"),
    ("PGRST121", 500, "faults.rs"),
    ("PGRST126", 404, "describe.rs"),
    ("PGRST128", 400, "functions.rs"),
    ("PGRST203", 300, "functions.rs"),
    ("22000", 400, "faults.rs"),
    ("25006", 405, "functions.rs"),
    ("428C9", 400, "faults.rs"),
    ("53100", 503, "faults.rs"),
    ("53300", 503, "faults.rs"),
    ("55000", 400, "../existing/tables.rs"),
    ("57014", 500, "faults.rs"),
    ("P0001", 400, "faults.rs"),
    ("XX000", 500, "faults.rs"),
    ("MS408", 408, "server.rs"),
    ("MS503", 503, "faults.rs"),
    ("MS504", 504, "faults.rs"),
];

/// A request with the status, the code and the message that it is refused with.
type Case = (Ask, u16, &'static str, &'static str);

fn patch(url: &str, media: &str, body: &'static str) -> Ask {
    ask("PATCH", url).header("content-type", media).body(body)
}

fn cases() -> Vec<Case> {
    let one = "application/vnd.pgrst.object+json";
    let strict = "handling=strict";
    let merge = "resolution=merge-duplicates";
    let bearer = |claims: &str| get("letters").header("authorization", format!("Bearer {}", token(claims)));
    let steps = "application/json-patch+json";
    let key = "Filters must include all and only primary key columns with 'eq' operators";
    let relation = "Could not find a relationship between 'toys' and 'letters' in the schema cache";
    let cannot = "Cannot coerce the result to a single JSON object";
    vec![
        (get("toys?select=("), 400, "PGRST100", "\"failed to parse select parameter (()\" (line 1, column 1)"),
        (get("toys?id=1"), 400, "PGRST100", "\"failed to parse filter (1)\" (line 1, column 1)"),
        (ask("PUT", "rpc/f"), 405, "PGRST101", "Cannot use the PUT method on RPC"),
        (post("toys", "{"), 400, "PGRST102", "Empty or invalid json"),
        (get("toys?limit=-1"), 416, "PGRST103", "Requested range not satisfiable"),
        (ask("PUT", "toys").body("{}"), 405, "PGRST105", key),
        (get("toys").header("accept-profile", "x"), 406, "PGRST106", "Invalid schema: x"),
        (
            get("toys").header("accept", "a/b, c/d"),
            406,
            "PGRST107",
            "None of these media types are available: a/b, c/d",
        ),
        (get("toys?parts.id=eq.1"), 400, "PGRST108", "'parts' is not an embedded resource in this request"),
        (
            ask("PUT", "toys?id=eq.1&limit=1").body("{}"),
            400,
            "PGRST114",
            "limit/offset querystring parameters are not allowed for PUT",
        ),
        (
            ask("PUT", "toys?id=eq.1").body(r#"{"id":2,"name":"x"}"#),
            400,
            "PGRST115",
            "Payload values do not match URL in primary key column(s)",
        ),
        (get("toys").header("accept", one), 406, "PGRST116", cannot),
        (ask("PURGE", "toys"), 405, "PGRST117", "Unsupported HTTP method: PURGE"),
        (get("toys?select=parts()&order=parts(number)"), 400, "PGRST118", "A related order on 'parts' is not possible"),
        (get("toys?select=parts()&parts=eq.1"), 400, "PGRST120", "Bad operator on the 'parts' embedded resource"),
        (get("toys").prefer(strict).prefer("foo"), 400, "PGRST122", "Invalid preferences given with handling=strict"),
        (get("toys?select=id.sum()"), 400, "PGRST123", "Use of aggregate functions is not allowed"),
        (
            ask("DELETE", "parts?number=gt.0").prefer(strict).prefer("max-affected=1"),
            400,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
        ),
        (get("toys/1"), 404, "PGRST125", "Invalid path specified in request URL"),
        (get("toys?tags=sl.[1,2)"), 400, "PGRST127", "Feature not implemented"),
        (get("toys?select=letters(to_id)"), 400, "PGRST200", relation),
        (
            get("makers?select=letters(to_id)"),
            300,
            "PGRST201",
            "Could not embed because more than one relationship was found for 'makers' and 'letters'",
        ),
        (get("rpc/f?a=1"), 404, "PGRST202", "Could not find the function public.f(a) in the schema cache"),
        (get("rpc/f"), 404, "PGRST202", "Could not find the function public.f without parameters in the schema cache"),
        (
            post("toys", r#"{"nope":1}"#),
            400,
            "PGRST204",
            "Could not find the 'nope' column of 'toys' in the schema cache",
        ),
        (get("nothing"), 404, "PGRST205", "Could not find the table 'public.nothing' in the schema cache"),
        (get("toys").header("authorization", "Bearer a.b"), 401, "PGRST301", "Expected 3 parts in JWT; got 2"),
        (get("toys").keyless(), 401, "PGRST302", "Anonymous access is disabled"),
        (bearer(r#"{"exp":1}"#), 401, "PGRST303", "JWT expired"),
        (
            post("makers", r#"[{"id":8,"name":"a"},{"id":8,"name":"b"}]"#).prefer(merge),
            500,
            "21000",
            "ON CONFLICT DO UPDATE command cannot affect row a second time",
        ),
        (ask("DELETE", "toys"), 400, "21000", "DELETE requires a WHERE clause"),
        (get("toys?id=eq.3000000000"), 400, "22003", "value \"3000000000\" is out of range for type integer"),
        (get("toys?since=eq.2026-02-30"), 400, "22008", "date/time field value out of range: \"2026-02-30\""),
        (post("makers", r#"{"id":8,"name":"a\u0000b"}"#), 400, "22021", "text must not contain the character NUL"),
        (bearer(r#"{"role":"root"}"#), 401, "22023", "role \"root\" does not exist"),
        (get("toys").prefer("timezone=Mars"), 400, "22023", "invalid value for parameter \"TimeZone\": \"Mars\""),
        (get("toys?name=match.%28"), 400, "2201B", ""),
        (get("toys?id=eq.x"), 400, "22P02", "invalid input syntax for type integer: \"x\""),
        (
            post("toys", "{}"),
            400,
            "23502",
            "null value in column \"name\" of relation \"toys\" violates not-null constraint",
        ),
        (
            post("toys", r#"{"name":"a","maker_id":77}"#),
            409,
            "23503",
            "insert or update on table \"toys\" violates foreign key constraint \"toys_maker_id_fkey\"",
        ),
        (
            post("makers", r#"{"id":1,"name":"x"}"#),
            409,
            "23505",
            "duplicate key value violates unique constraint \"makers_pkey\"",
        ),
        (
            post("toys", r#"{"name":""}"#),
            400,
            "23514",
            "new row for relation \"toys\" violates check constraint \"toys_name_check\"",
        ),
        (bearer(r#"{"role":"authenticated"}"#), 403, "42501", "permission denied for table letters"),
        (get("letters").anon(), 401, "42501", "permission denied for table letters"),
        (get("toys?name=fts.%26"), 400, "42601", "syntax error in tsquery: \"&\""),
        (get("toys?nope=eq.1"), 400, "42703", "column toys.nope does not exist"),
        (get("toys?select=id::nope"), 400, "42704", "type \"nope\" does not exist"),
        (get("toys?name=fts(klingon).a"), 400, "42704", "text search configuration \"klingon\" does not exist"),
        (
            get("toys?select=sold&distinct=true&order=name"),
            400,
            "42803",
            "column \"toys.name\" must appear in the GROUP BY clause or be used in an aggregate function",
        ),
        (get("toys?name=is.true"), 400, "42804", "argument of IS TRUE must be type boolean, not type text"),
        (get("toys?select=since::int"), 400, "42846", "cannot cast type date to integer"),
        (get("toys?sold=like.x"), 404, "42883", "operator does not exist: boolean like"),
        (
            post("toys?on_conflict=price", r#"{"name":"x"}"#).prefer(merge),
            400,
            "42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        ),
        (get(&format!("toys?name=like.{}", "*a".repeat(600))), 400, "MS400", ""),
        (post("makers", "{}").header("content-length", "2").header("transfer-encoding", "chunked"), 400, "MS401", ""),
        (get("/elsewhere"), 404, "MS404", ""),
        (
            patch("toys?id=eq.3", steps, r#"[{"op":"remove","path":"/info/x"}]"#),
            409,
            "MS409",
            "the patch does not apply to column \"info\" of relation \"toys\"",
        ),
        (ask("PATCH", "toys?id=eq.3").body(r#"{"name":"x"}"#).header("if-match", "\"other\""), 412, "MS412", ""),
        (post("makers", "{}").header("content-encoding", "br"), 415, "MS415", ""),
    ]
}

fn limited() -> Vec<Case> {
    vec![
        (post("makers", "x".repeat(1001)), 413, "MS413", ""),
        (get(&format!("toys?name=eq.{}", "x".repeat(300))), 414, "MS414", ""),
        (get("toys").header("x-long", "v".repeat(600)), 431, "MS431", ""),
    ]
}

/// rest.md 16.2: every code that a request can provoke, with its status and its words, and none that is forgotten.
#[tokio::test]
async fn every_code_is_given() {
    let mut seen: Vec<(String, u16)> = Vec::new();
    let default = TestApp::each().await;
    let small = TestApp::each_with(small_limits(), Cors::Any).await;
    let mut wrong = Vec::new();
    for (apps, cases) in [(&default, cases()), (&small, limited())] {
        for (asked, status, code, message) in cases {
            for app in apps {
                let reply = app.send(asked.clone()).await;
                let found = (reply.status, reply.code(), member(&reply, "message"));
                let is_right = found.0 == status && found.1 == code && (message.is_empty() || found.2 == message);
                if !is_right {
                    wrong.push(format!("{} on {}: {}", asked.name(), reply.store, reply.body));
                }
                seen.push((found.1, found.0));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, status, file) in ELSEWHERE {
        let path = format!("{}/tests/api/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text.contains(name) || text.contains(&status.to_string()), "{file} does not speak of {name}");
    }
    for code in CODES {
        let is_here = seen.iter().any(|(name, status)| name == code.name && *status == code.status);
        let is_elsewhere = ELSEWHERE.iter().any(|(name, status, _)| (*name, *status) == (code.name, code.status));
        assert!(is_here || is_elsewhere, "nothing provokes {} with {}", code.name, code.status);
        assert!(!(is_here && is_elsewhere), "{} is provoked here", code.name);
    }
}

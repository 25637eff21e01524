//! rest.md 11.1, 12 and 17: forms, their names and what goes along with them.

use mainstay_http::{AnswerSettings, Cors, RequestLimits};

use crate::app::{Ask, TestApp, ask, check, check_error, get, post, schema};

fn accepting(url: &str, accept: &str) -> Ask {
    get(url).header("accept", accept)
}

/// rest.md 12, row by row: what is accepted, the type of the answer, and the answer.
#[tokio::test]
async fn each_form_has_its_name() {
    let rows = "toys?select=id,since&id=eq.3";
    for app in TestApp::each().await {
        for (accept, told, body) in [
            ("application/json", "application/json; charset=utf-8", r#"[{"id":3,"since":null}]"#),
            ("*/*", "application/json; charset=utf-8", r#"[{"id":3,"since":null}]"#),
            ("application/vnd.pgrst.array+json", "application/json; charset=utf-8", r#"[{"id":3,"since":null}]"#),
            (
                "application/vnd.pgrst.array+json;nulls=stripped",
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
                r#"[{"id":3}]"#,
            ),
            (
                "application/vnd.pgrst.object+json",
                "application/vnd.pgrst.object+json; charset=utf-8",
                r#"{"id":3,"since":null}"#,
            ),
            (
                "application/vnd.pgrst.object; NULLS=stripped",
                "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8",
                r#"{"id":3}"#,
            ),
            ("text/csv", "text/csv; charset=utf-8", "id,since\n3,"),
            ("application/x-ndjson", "application/x-ndjson; charset=utf-8", "{\"id\":3,\"since\":null}\n"),
            ("image/png, text/csv;q=0.1", "text/csv; charset=utf-8", "id,since\n3,"),
        ] {
            let reply = app.send(accepting(rows, accept)).await;
            assert_eq!(
                (reply.status, reply.header("content-type"), reply.body.as_str()),
                (200, told, body),
                "{accept}"
            );
        }
    }
}

#[tokio::test]
async fn forms_that_cannot_be_made_are_named() {
    let apps = TestApp::each().await;
    for accept in [
        "image/png",
        "application/octet-stream",
        "text/plain",
        "application/openapi+json",
        r#"application/vnd.pgrst.plan+json; for="application/json"; options=analyze|verbose;"#,
    ] {
        check_error(&apps, accepting("toys", accept), 406, "PGRST107").await;
        let body = apps[0].send(accepting("toys", accept)).await.body;
        let message = format!("None of these media types are available: {}", accept.replace('"', "\\\""));
        assert!(body.contains(&message), "{body}");
    }
    // A write asks the preferences first, a read the form; both before the store.
    let write = post("toys", r#"{"name":"x"}"#).header("accept", "image/png").prefer("return=representation");
    check_error(&apps, write, 406, "PGRST107").await;
    check(&apps, get("toys?select=id"), 200, r#"[{"id":1},{"id":2},{"id":3}]"#).await;
}

/// rest.md 11.1 and `security.md` I8: the data is exact, and safe only where that was asked for.
#[tokio::test]
async fn csv_is_an_attachment_and_formulas_are_defused_on_demand() {
    let names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"];
    for app in TestApp::each().await {
        for (id, name) in (10..).zip(names) {
            let body = serde_json::json!({"id": id, "name": name}).to_string();
            assert_eq!(app.send(post("makers", body)).await.status, 201);
        }
        let exact = app.send(accepting("makers?select=name&id=gte.10&order=id", "text/csv")).await;
        assert_eq!(exact.body, "name\n=1+1\n+1\n-1\n@x\n\"\tx\"\n\"\rx\"");
        let safe = app.send(accepting("makers?select=name&id=gte.10&order=id", "text/csv;spreadsheet=1")).await;
        assert_eq!(safe.body, "name\n\"'=1+1\"\n\"'+1\"\n\"'-1\"\n\"'@x\"\n\"'\tx\"\n\"'\rx\"");
        for reply in [exact, safe] {
            assert_eq!(reply.header("content-disposition"), "attachment; filename=\"makers.csv\"");
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
        }
        assert_eq!(app.send(get("makers")).await.header("content-disposition"), "");
    }
}

#[tokio::test]
async fn csv_holds_embeds_as_json() {
    let apps = TestApp::each().await;
    let body =
        "id,parts,makers\n1,\"[{\"\"number\"\":1},{\"\"number\"\":2}]\",\"{\"\"name\"\":\"\"Oak\"\"}\"\n3,\"[]\",";
    check(&apps, accepting("toys?select=id,parts(number),makers(name)&id=in.(1,3)&order=id", "text/csv"), 200, body)
        .await;
    check(&apps, accepting("toys?id=eq.9", "text/csv"), 200, "\n").await;
}

/// rest.md 11.1: what a body may be declared to be.
#[tokio::test]
async fn bodies_are_what_they_are_declared_to_be() {
    let apps = TestApp::each().await;
    let send = |declared: &'static str, body: &'static str| post("makers", body).header("content-type", declared);
    for (declared, body) in [
        ("application/json; charset=utf-8", r#"{"id":11,"name":"a"}"#),
        ("text/csv", "id,name\n12,b"),
        ("application/x-www-form-urlencoded", "id=13&name=c+%26+d"),
        ("application/x-ndjson", r#"{"id":14,"name":"d"}"#),
        ("application/xml", "<row><id>15</id><name>e</name></row>"),
    ] {
        check(&apps, send(declared, body), 201, "").await;
    }
    check(&apps, post("makers", r#"{"id":16,"name":"f"}"#), 201, "").await;
    let rows = r#"[{"id":11},{"id":12},{"id":13},{"id":14},{"id":15},{"id":16}]"#;
    check(&apps, get("makers?select=id&id=gt.10&order=id"), 200, rows).await;
    for declared in
        ["text/plain", "application/octet-stream", "image/png", "nonsense", "multipart/form-data; boundary=x"]
    {
        check_error(&apps, send(declared, "id=1"), 400, "PGRST102").await;
        let body = apps[0].send(send(declared, "id=1")).await.body;
        assert!(body.contains(&format!("Content-Type not acceptable: {declared}")), "{body}");
    }
    check_error(&apps, send("application/x-www-form-urlencoded", "id=1&id=2"), 400, "PGRST102").await;
    check_error(&apps, send("application/x-www-form-urlencoded", "id=%ff"), 400, "PGRST102").await;
    check_error(&apps, send("text/csv", "id,name\n1"), 400, "PGRST102").await;
}

/// rest.md 17: no body, no length, the rest as for `GET`.
#[tokio::test]
async fn a_head_has_the_headers_of_the_get() {
    for app in TestApp::each().await {
        for accept in ["application/json", "text/csv", "application/xml", "application/x-ndjson"] {
            let url = "toys?select=id&id=lt.3";
            let full = app.send(accepting(url, accept).prefer("count=exact")).await;
            let head = app.send(ask("HEAD", url).header("accept", accept).prefer("count=exact")).await;
            assert_eq!((head.status, head.body.as_str()), (full.status, ""));
            for name in ["content-type", "content-range", "content-location", "preference-applied"] {
                assert_eq!(head.header(name), full.header(name), "{accept} {name}");
            }
            assert_eq!(head.header("content-length"), "");
        }
    }
}

/// rest.md 17: `Server-Timing` and the trace header, by setting.
#[tokio::test]
async fn timing_and_trace_are_told_when_they_are_set() {
    let plain = TestApp::each().await.remove(0);
    let reply = plain.send(get("toys").header("x-trace", "a b")).await;
    assert_eq!((reply.header("server-timing"), reply.header("x-trace")), ("", ""));

    let trace_header = Some("x-trace".parse().unwrap());
    let answers = AnswerSettings { timing: true, trace_header, ..AnswerSettings::default() };
    let app = TestApp::over_with(schema(), plain.store.clone(), RequestLimits::default(), Cors::Any, answers);
    for request in [get("toys"), post("makers", r#"{"id":9,"name":"x"}"#), get("toys").header("accept", "text/csv")] {
        let reply = app.send(request.header("x-trace", "a b")).await;
        assert_eq!(reply.header("x-trace"), "a b");
        let entries: Vec<_> =
            reply.header("server-timing").split(", ").map(|entry| entry.split_once(";dur=").unwrap()).collect();
        let names: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["jwt", "parse", "plan", "transaction", "response"]);
        for (_, time) in entries {
            let (whole, part) = time.split_once('.').unwrap();
            assert!(whole.parse::<u64>().is_ok() && part.len() == 1, "{time}");
        }
    }
    // An error tells the stages that it came to; every answer has the trace header, empty if there was none.
    let reply = app.send(get("nothing")).await;
    assert!(reply.header("server-timing").starts_with("jwt;dur="), "{}", reply.header("server-timing"));
    assert!(!reply.header("server-timing").contains("transaction"));
    assert!(reply.headers.contains_key("x-trace") && reply.header("x-trace").is_empty());
    assert!(app.send(get("toys").keyless()).await.headers.contains_key("x-trace"));
}

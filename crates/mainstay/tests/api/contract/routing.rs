//! rest.md 1, 2, 14: where a request goes and how its query string is read.

use super::rows;
use crate::app::{TestApp, ask, check, check_error, get, post};

/// rest.md 1: paths, unknown names, methods.
#[tokio::test]
async fn paths_lead_to_relations() {
    let apps = TestApp::each().await;
    check(&apps, get("t%6Fys?id=eq.1&select=id"), 200, r#"[{"id":1}]"#).await;
    for (method, url, status, code) in [
        ("GET", "nothing", 404, "PGRST205"),
        ("GET", "rpc/nothing", 404, "PGRST202"),
        ("GET", "toys/1", 404, "PGRST125"),
        ("GET", "toys/1/2", 404, "PGRST125"),
        ("GET", "rpc/f/g", 404, "PGRST125"),
        ("PURGE", "toys", 405, "PGRST117"),
        ("PURGE", "", 405, "PGRST117"),
        ("DELETE", "rpc/f", 405, "PGRST101"),
    ] {
        check_error(&apps, ask(method, url), status, code).await;
    }
}

/// rest.md 1: of two mistakes the earlier check tells.
#[tokio::test]
async fn checks_have_an_order() {
    let apps = TestApp::each().await;
    let strict = "handling=strict, foo";
    for (asked, status, code) in [
        (get("toys/1").keyless(), 401, "PGRST302"),
        (get("toys/1").header("accept-profile", "private"), 404, "PGRST125"),
        (ask("PURGE", "toys").header("content-profile", "private"), 406, "PGRST106"),
        (ask("PURGE", "toys?select=("), 405, "PGRST117"),
        (get("toys?select=(").header("range", "2-1"), 400, "PGRST100"),
        (get("nothing").header("range", "2-1"), 416, "PGRST103"),
        (post("nothing", "{"), 400, "PGRST102"),
        (post("nothing", "{}"), 404, "PGRST205"),
        (post("nothing", "id\n1,2").header("content-type", "text/csv"), 400, "PGRST102"),
        (post("nothing", "{}\n{").header("content-type", "application/x-ndjson"), 400, "PGRST102"),
        (post("nothing", "<row>").header("content-type", "application/xml"), 400, "PGRST102"),
        (
            ask("PATCH", "nothing?id=eq.1").body("[").header("content-type", "application/json-patch+json"),
            400,
            "PGRST102",
        ),
        (post("toys?select=nope(x)", r#"[{"a":1},{"b":1}]"#), 400, "PGRST102"),
        (post("toys?select=nope(x)", r#"{"nope":1}"#), 400, "PGRST200"),
        (post("toys?columns=nope", "{"), 400, "PGRST102"),
        // What is wrong with a value comes after what is wrong with the body and its columns.
        (post("toys", r#"[{"price":"dear"},{"name":"x"}]"#), 400, "PGRST102"),
        (post("toys", r#"[{"price":"dear","nope":1}]"#), 400, "PGRST204"),
        (post("toys?columns=price", r#"[{"price":"dear"},{"#), 400, "PGRST102"),
        (ask("PATCH", "toys?nope=eq.1").body(r#"{"neither":1}"#), 400, "PGRST204"),
        (ask("PATCH", "toys?id=eq.x").body("{"), 400, "PGRST102"),
        (ask("PUT", "toys?id=eq.x").body(r#"{"id":1,"nope":1}"#), 400, "PGRST204"),
        (ask("PATCH", "toys").body(r#"{"nope":1}"#), 400, "PGRST204"),
        // So does what is wrong with a field of rows, after what is wrong with relations.
        (get("toys?select=nope,makers(nope),parts(letters(id))"), 400, "PGRST200"),
        (get("toys?select=id,makers(nope),parts(number)&order=parts(number)"), 400, "PGRST118"),
        (get("toys?select=id,makers(id)&nope=eq.1&makers=eq.1"), 400, "PGRST120"),
        (get("toys?select=count()&nope=eq.1"), 400, "PGRST123"),
        (get("toys?nope=eq.1&order=makers(id)"), 400, "PGRST108"),
        (ask("PATCH", "toys?id=eq.x&select=letters(id)").body(r#"{"nope":1}"#), 400, "PGRST200"),
        (post("toys", "{").prefer(strict), 400, "PGRST102"),
        (get("nothing").header("accept", "image/png"), 404, "PGRST205"),
        (get("toys?select=nope(x)").header("accept", "image/png"), 400, "PGRST200"),
        (post("toys", r#"{"nope":1}"#).prefer(strict), 400, "PGRST204"),
        (get("toys").header("accept", "image/png").prefer(strict), 406, "PGRST107"),
        // A database would come last.
        (get("toys?nope=eq.1").header("accept", "image/png"), 406, "PGRST107"),
        (get("toys?id=eq.x").prefer(strict), 400, "PGRST122"),
        (get("letters").anon().header("accept", "image/png"), 406, "PGRST107"),
        (post("toys", r#"{"price":"dear"}"#).prefer(strict), 400, "PGRST122"),
        (
            post("toys", r#"{"name":"x"}"#)
                .header("accept", "image/png")
                .prefer("return=representation")
                .prefer(strict),
            400,
            "PGRST122",
        ),
        (post("makers", r#"{"id":1,"name":"x"}"#).prefer(strict), 400, "PGRST122"),
    ] {
        check_error(&apps, asked, status, code).await;
    }
}

/// rest.md 2: decoding, reserved keys, names and quotes.
#[tokio::test]
async fn query_strings_are_forms() {
    let apps = TestApp::each().await;
    check(&apps, post("letters", r#"{"first word":"a b"}"#), 201, "").await;
    check(&apps, post("letters", r#"{"first word":"\"a\""}"#), 201, "").await;
    let first = r#"[{"first word":"a b"}]"#;
    let quoted = r#"[{"first word":"\"a\""}]"#;
    rows(
        &apps,
        &[
            ("letters?select=first+word&first+word=eq.a+b", first),
            ("letters?select=first%20word&first%20word=eq.a%20b", first),
            ("letters?select=%22first+word%22&%22first+word%22=eq.a+b", first),
            ("letters?select=+first+word+,to_id&first+word=eq.a+b", r#"[{"first word":"a b","to_id":null}]"#),
            ("letters?select=first+word&first+word=eq.a%2Bb", "[]"),
            // rest.md 3: a plain value is not unquoted; one in a list or a tree is.
            ("letters?select=first+word&first+word=eq.%22a%22", quoted),
            ("letters?select=first+word&first+word=in.(%22a+b%22)", first),
            ("letters?select=first+word&and=(first+word.eq.%22a+b%22)", first),
            ("letters?select=first+word&and=(first+word.eq.%22%5C%22a%5C%22%22)", quoted),
            // The name of a filter may be that of an embed, too.
            ("makers?select=id,toys(id)&toys.order=id.desc&toys.limit=1&id=eq.1", r#"[{"id":1,"toys":[{"id":1}]}]"#),
            ("makers?select=id&id=eq.1&id=eq.2", "[]"),
        ],
    )
    .await;
}

/// rest.md 2: a column that is called like a reserved word is reached in a tree.
#[tokio::test]
async fn reserved_words_can_be_columns() {
    let toml = "[words.fields]\nid = { type = \"int\", primary = true }\nselect = \"int\"\norder = \"int\"\n";
    let apps = TestApp::each_over(toml).await;
    let both = r#"[{"id":1,"select":5,"order":6},{"id":2,"select":7,"order":8}]"#;
    check(&apps, post("words", both), 201, "").await;
    rows(
        &apps,
        &[
            ("words?select=id&and=(select.eq.5)", r#"[{"id":1}]"#),
            ("words?select=id&or=(order.eq.8,select.eq.0)", r#"[{"id":2}]"#),
            ("words?select=select,order&order=order.desc", r#"[{"select":7,"order":8},{"select":5,"order":6}]"#),
        ],
    )
    .await;
    check_error(&apps, get("words?select=eq.5"), 400, "PGRST100").await;
    check_error(&apps, get("words?order=eq.5"), 400, "PGRST100").await;
}

/// rest.md 14: the one schema, by the header of the method.
#[tokio::test]
async fn profiles_are_those_of_the_method() {
    for app in TestApp::each().await {
        for (method, header, other) in [
            ("GET", "accept-profile", "content-profile"),
            ("HEAD", "accept-profile", "content-profile"),
            ("OPTIONS", "accept-profile", "content-profile"),
            ("POST", "content-profile", "accept-profile"),
            ("PATCH", "content-profile", "accept-profile"),
            ("DELETE", "content-profile", "accept-profile"),
        ] {
            let asked = |name: &str, profile: &str| ask(method, "makers?id=eq.9").body("{}").header(name, profile);
            // A POST takes no filters; it fails later than at the profile.
            let reply = app.send(asked(header, "private")).await;
            assert_eq!(reply.status, 406, "{method}");
            if method != "HEAD" {
                let body = r#"{"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public","message":"Invalid schema: private"}"#;
                assert_eq!(reply.body, body, "{method}");
            }
            assert_ne!(app.send(asked(header, "public")).await.status, 406, "{method}");
            assert_ne!(app.send(asked(other, "private")).await.status, 406, "{method}");
        }
        let reply = app.send(get("toys").header("accept-profile", "public")).await;
        assert_eq!(reply.header("content-profile"), "public");
        assert_eq!(app.send(get("toys")).await.header("content-profile"), "");
    }
}

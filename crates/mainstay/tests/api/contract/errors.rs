//! rest.md 16.1, 16.3, 16.5: how an error looks, and what it advises.

use super::member;
use crate::app::{Ask, TestApp, ask, get, post, token};

/// rest.md 16.1: four members, always; the headers; no body for HEAD.
#[tokio::test]
async fn every_error_has_one_shape() {
    for app in TestApp::each().await {
        let user = format!("Bearer {}", token(r#"{"role":"authenticated"}"#));
        let asked: [Ask; 9] = [
            get("toyz"),
            get("toys?nope=eq.1"),
            get("toys?select=("),
            get("toys").keyless(),
            get("letters").header("authorization", user),
            get("makers?select=letters(to_id)"),
            post("makers", r#"{"id":1,"name":"x"}"#),
            ask("PURGE", "toys"),
            get("/elsewhere"),
        ];
        for asked in asked {
            let reply = app.send(asked.clone()).await;
            let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
            let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["code", "details", "hint", "message"], "{}", asked.name());
            assert!(body["message"].is_string() && (body["hint"].is_string() || body["hint"].is_null()));
            assert!(body["details"].is_string() || body["details"].is_null() || body["code"] == "PGRST201");
            assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
            assert_eq!(reply.header("content-length"), reply.body.len().to_string());
            assert_eq!(reply.header("proxy-status"), format!("PostgREST; error={}", reply.code()));
            assert_eq!((reply.header("preference-applied"), reply.header("retry-after")), ("", ""));
        }
        for (url, status, code) in
            [("toyz", 404, "PGRST205"), ("toys?nope=eq.1", 400, "42703"), ("toys?limit=-1", 416, "PGRST103")]
        {
            let reply = app.send(ask("HEAD", url)).await;
            assert_eq!((reply.status, reply.body.as_str()), (status, ""));
            assert_eq!(reply.header("proxy-status"), format!("PostgREST; error={code}"));
            assert_eq!((reply.header("content-type"), reply.header("content-length")), ("", ""));
        }
        app.store.close().await;
        let reply = app.send(get("toys")).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    }
}

/// rest.md 16.3: what a write does wrong, by SQLSTATE, with the database's words.
#[tokio::test]
async fn writes_fail_by_sqlstate() {
    for app in TestApp::each().await {
        assert_eq!(app.send(post("letters", r#"{"to_id":2}"#)).await.status, 201);
        for (asked, status, code, message, details) in [
            (
                post("makers", r#"{"id":1,"name":"x"}"#),
                409,
                "23505",
                "duplicate key value violates unique constraint \"makers_pkey\"",
                "Key (id)=(1) already exists.",
            ),
            (
                post("parts", r#"{"toy_id":1,"number":1}"#),
                409,
                "23505",
                "duplicate key value violates unique constraint \"parts_pkey\"",
                "Key (toy_id, number)=(1, 1) already exists.",
            ),
            (
                post("makers", r#"{"id":9,"name":"Oak"}"#),
                409,
                "23505",
                "duplicate key value violates unique constraint \"makers_name_key\"",
                "Key (name)=(Oak) already exists.",
            ),
            (
                post("toys", r#"{"name":"a","maker_id":77}"#),
                409,
                "23503",
                "insert or update on table \"toys\" violates foreign key constraint \"toys_maker_id_fkey\"",
                "Key (maker_id)=(77) is not present in table \"makers\".",
            ),
            (
                ask("DELETE", "makers?id=eq.2"),
                409,
                "23503",
                "update or delete on table \"makers\" violates foreign key constraint \"letters_to_id_fkey\" on table \"letters\"",
                "Key (id)=(2) is still referenced from table \"letters\".",
            ),
            (
                post("toys", "{}"),
                400,
                "23502",
                "null value in column \"name\" of relation \"toys\" violates not-null constraint",
                "In row 1 of the body.",
            ),
            (
                ask("PATCH", "toys?id=eq.1").body(r#"{"name":null}"#),
                400,
                "23502",
                "null value in column \"name\" of relation \"toys\" violates not-null constraint",
                "In row 1 of the body.",
            ),
            (
                post("toys", r#"{"name":"a","price":-1}"#),
                400,
                "23514",
                "new row for relation \"toys\" violates check constraint \"toys_price_check\"",
                "",
            ),
            (
                post("toys", r#"{"name":"a","price":"dear"}"#),
                400,
                "22P02",
                "invalid input syntax for type numeric: \"dear\"",
                "",
            ),
            (post("toys", r#"{"name":"a","pieces":9223372036854775808}"#), 400, "22003", "", ""),
            (
                post("toys", r#"{"name":"a","since":"2026-02-30"}"#),
                400,
                "22008",
                "date/time field value out of range: \"2026-02-30\"",
                "",
            ),
            (get("toys?id=eq.x"), 400, "22P02", "invalid input syntax for type integer: \"x\"", ""),
            (get("toys?id=eq.3000000000"), 400, "22003", "value \"3000000000\" is out of range for type integer", ""),
            (get("toys?nope=eq.1"), 400, "42703", "column toys.nope does not exist", ""),
        ] {
            let reply = app.send(asked.clone()).await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}: {}", asked.name(), reply.body);
            if !message.is_empty() {
                assert_eq!(member(&reply, "message"), message, "{}", asked.name());
            }
            if !details.is_empty() {
                assert_eq!(member(&reply, "details"), details, "{}", asked.name());
            }
        }
    }
}

/// rest.md 16.5: where the near table has no relations it is the one that was mistaken; among very many tables none is
/// proposed.
#[tokio::test]
async fn hints_depend_on_what_else_there_is() {
    let related = "[orders.fields]\nid = { type = \"int\", primary = true }\n\n[order_lines.fields]\n\
                   id = { type = \"int\", primary = true }\norder_id = { ref = \"orders\" }\n\n[order_line.fields]\n\
                   id = { type = \"int\", primary = true }\n";
    for app in TestApp::each_over(related).await {
        let reply = app.send(get("order_line?select=id,orders(id)")).await;
        assert_eq!(member(&reply, "hint"), "Perhaps you meant 'order_lines' instead of 'order_line'.", "{reply:?}");
        let reply = app.send(get("order_lines?select=id,order(id)")).await;
        assert_eq!(member(&reply, "hint"), "Perhaps you meant 'orders' instead of 'order'.", "{reply:?}");
    }
    let tables = |count: usize| -> String {
        (0..count).map(|n| format!("[table_{n:04}.fields]\nid = {{ type = \"int\", primary = true }}\n\n")).collect()
    };
    for (count, hint) in [(499, "Perhaps you meant the table 'public.table_0001'"), (500, "")] {
        let app = TestApp::each_over(&tables(count)).await.remove(0);
        assert_eq!(member(&app.send(get("table_0001x")).await, "hint"), hint, "{count}");
    }
}

/// rest.md 16.5: the near name, where one is near and may be known.
#[tokio::test]
async fn near_names_are_hinted_at() {
    for app in TestApp::each().await {
        for (asked, hint) in [
            (get("toyz"), "Perhaps you meant the table 'public.toys'"),
            (get("maker"), "Perhaps you meant the table 'public.makers'"),
            (post("makerz", "{}"), "Perhaps you meant the table 'public.makers'"),
            (get("warehouses"), ""),
            (get("letterz"), "Perhaps you meant the table 'public.letters'"),
            // Hidden from whoever asks, hence not hinted at.
            (get("letterz").anon(), ""),
            (get("toys?select=maker(name)"), "Perhaps you meant 'makers' instead of 'maker'."),
            (get("toys?select=warehouses(name)"), ""),
            // A quarter of the letters may differ, and no more.
            (get("toyss"), "Perhaps you meant the table 'public.toys'"),
            (get("tosy"), "Perhaps you meant the table 'public.toys'"),
            (get("trys"), "Perhaps you meant the table 'public.toys'"),
            (get("troys"), "Perhaps you meant the table 'public.toys'"),
            (get("tory"), ""),
            (get("toys?select=nmae"), "Perhaps you meant to reference the column \"toys.name\"."),
            (get("toys?select=quite_another"), ""),
        ] {
            let reply = app.send(asked.clone()).await;
            assert!(reply.status >= 400, "{}", asked.name());
            assert_eq!(member(&reply, "hint"), hint, "{}: {}", asked.name(), reply.body);
        }
    }
}

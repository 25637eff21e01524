//! `POST /rest/v1/batch`: several requests, all of which happen or none.

use std::sync::Arc;

use mainstay_http::{Cors, RequestLimits};
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::MemoryStore;
use serde_json::{Value, json};

use crate::app::{Ask, Reply, TestApp, ask, check, check_error, get, post, small_limits};

fn batch(steps: &Value) -> Ask {
    post("batch", json!({ "steps": steps }).to_string())
}

fn parsed(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body))
}

/// Everything in the tables that the steps of these tests write to.
async fn contents(app: &TestApp) -> String {
    let mut all = String::new();
    for table in ["makers", "toys", "parts", "letters"] {
        let reply = app.send(get(&format!("{table}?select=*"))).await;
        assert_eq!(reply.status, 200);
        all.push_str(&reply.body);
    }
    all
}

#[tokio::test]
async fn later_steps_use_what_earlier_ones_gave() {
    for app in TestApp::each().await {
        let steps = json!([
            {"id": "maker", "method": "POST", "path": "/makers?select=id,name", "prefer": "return=representation",
             "accept": "application/vnd.pgrst.object+json", "body": {"id": 9, "name": "Elm, \"old\")"}},
            {"id": "toys", "method": "POST", "path": "/toys?select=id,name", "prefer": "return=representation",
             "body": [{"name": "ball", "maker_id": {"$ref": "maker.id"}, "info": {"by": {"$ref": "maker.name"}}},
                      {"name": "bat", "maker_id": {"$ref": "maker.id"}, "info": {"$literal": {"$ref": "x"}}}]},
            {"method": "POST", "path": "/parts", "prefer": "return=headers-only",
             "body": {"toy_id": {"$ref": "toys[1].id"}, "number": 1}},
            {"method": "PATCH", "path": "/toys?name=eq.ball&maker_id=eq.${maker.id}", "body": {"price": 2}},
            {"method": "DELETE", "path": "/parts?toy_id=eq.1&number=eq.2", "prefer": "count=exact"},
            {"method": "GET", "path": "/makers?select=name,toys(name,price)&name=eq.${maker.name}"},
            {"method": "GET", "path": "/toys?select=id,info&id=in.(${toys[*].id})&order=id", "prefer": "count=exact"},
            {"method": "GET", "path": "/makers?or=(name.eq.${maker.name},id.eq.1)&select=id&order=id.desc"}
        ]);
        let reply = app.send(batch(&steps)).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json; charset=utf-8"), "{reply:?}");
        let expected = json!({"steps": [
            {"id": "maker", "status": 201, "headers": {"Content-Range": "*/*", "Preference-Applied": "return=representation"},
             "body": {"id": 9, "name": "Elm, \"old\")"}},
            {"id": "toys", "status": 201, "headers": {"Content-Range": "*/*", "Preference-Applied": "return=representation"},
             "body": [{"id": 4, "name": "ball"}, {"id": 5, "name": "bat"}]},
            {"status": 201, "headers": {"Content-Range": "*/*", "Preference-Applied": "return=headers-only",
             "Location": "/parts?toy_id=eq.5&number=eq.1"}, "body": null},
            {"status": 204, "headers": {"Content-Range": "0-0/*"}, "body": null},
            {"status": 204, "headers": {"Content-Range": "*/1", "Preference-Applied": "count=exact"}, "body": null},
            {"status": 200, "headers": {"Content-Range": "0-0/*"},
             "body": [{"name": "Elm, \"old\")", "toys": [{"name": "ball", "price": 2.0}, {"name": "bat", "price": 1.0}]}]},
            {"status": 200, "headers": {"Content-Range": "0-1/2", "Preference-Applied": "count=exact"},
             "body": [{"id": 4, "info": {"by": "Elm, \"old\")"}}, {"id": 5, "info": {"$ref": "x"}}]},
            {"status": 200, "headers": {"Content-Range": "0-1/*"}, "body": [{"id": 9}, {"id": 1}]}
        ]});
        assert_eq!(parsed(&reply), expected, "{}", reply.store);
        let toys = app.send(get("toys?select=name&maker_id=eq.9&order=id")).await;
        assert_eq!(toys.body, r#"[{"name":"ball"},{"name":"bat"}]"#);
    }
}

/// Steps of which the one at `position` fails, each in its own way.
fn failing(position: usize, step: &Value) -> Value {
    let mut steps: Vec<Value> = (0..4)
        .map(|at| json!({"id": format!("s{at}"), "method": "POST", "path": "/makers", "body": {"id": 50 + at, "name": format!("m{at}")}}))
        .collect();
    steps[position] = step.clone();
    Value::Array(steps)
}

#[tokio::test]
async fn a_step_that_fails_anywhere_leaves_nothing_and_says_what_it_would_say_alone() {
    let apps = TestApp::each().await;
    let cases = [
        json!({"method": "POST", "path": "/makers", "body": {"id": 1, "name": "twice"}}),
        json!({"method": "POST", "path": "/parts", "body": {"toy_id": 99, "number": 1}}),
        json!({"method": "POST", "path": "/toys", "body": {"name": ""}}),
        json!({"method": "POST", "path": "/toys", "body": {"name": "x", "nope": 1}}),
        json!({"method": "POST", "path": "/toys", "body": [1]}),
        json!({"method": "GET", "path": "/nothing"}),
        json!({"method": "GET", "path": "/toys?nope=eq.1"}),
        json!({"method": "GET", "path": "/toys?id=eq.x"}),
        json!({"method": "GET", "path": "/toys", "accept": "application/vnd.pgrst.object+json"}),
        json!({"method": "GET", "path": "/toys?offset=100", "prefer": "count=exact"}),
        json!({"method": "PATCH", "path": "/toys", "body": {"price": 1}}),
        json!({"method": "PATCH", "path": "/toys?id=gt.0", "body": {"price": 1}, "prefer": "handling=strict,max-affected=2"}),
        json!({"method": "DELETE", "path": "/toys?id=gt.0", "accept": "application/vnd.pgrst.object+json"}),
    ];
    for app in &apps {
        let before = contents(app).await;
        for case in &cases {
            let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
            let mut single = ask(&text("method"), text("path").trim_start_matches('/'));
            for header in ["prefer", "accept"].into_iter().filter(|name| case[name].is_string()) {
                single = single.header(header, text(header));
            }
            if !case["body"].is_null() {
                single = single.body(case["body"].to_string());
            }
            let alone = app.send(single).await;
            assert!(alone.status >= 400, "{case}: {alone:?}");
            let mut told = parsed(&alone);
            for position in 0..4 {
                let reply = app.send(batch(&failing(position, case))).await;
                let details = told["details"].take();
                told["details"] = json!({"index": position, "id": null, "details": details});
                assert_eq!((reply.status, parsed(&reply)), (alone.status, told.clone()), "{case} on {}", reply.store);
                told["details"] = told["details"]["details"].take();
                assert_eq!(contents(app).await, before, "{case} at {position} on {}", reply.store);
            }
        }
        let named = app.send(batch(&failing(2, &json!({"id": "odd", "method": "GET", "path": "/nothing"})))).await;
        assert_eq!(parsed(&named)["details"]["id"], "odd");
    }
}

#[tokio::test]
async fn references_that_lead_nowhere_undo_all() {
    for app in TestApp::each().await {
        let before = contents(&app).await;
        for (last, says) in [
            (json!({"method": "GET", "path": "/toys?id=eq.${a[7].id}"}), "there are 1 rows"),
            (json!({"method": "GET", "path": "/toys?id=eq.${a[0].nope}"}), "no member"),
            (json!({"method": "GET", "path": "/toys?id=eq.${b[0].id}"}), "return=representation"),
            (json!({"method": "GET", "path": "/toys?id=eq.${c[0].pieces}"}), "is null"),
            (
                json!({"method": "POST", "path": "/toys", "body": {"name": {"$ref": "b[0].id"}}}),
                "return=representation",
            ),
        ] {
            let steps = json!([
                {"id": "a", "method": "POST", "path": "/makers", "prefer": "return=representation", "body": {"id": 70, "name": "x"}},
                {"id": "b", "method": "POST", "path": "/makers", "body": {"id": 71, "name": "y"}},
                {"id": "c", "method": "GET", "path": "/toys?id=eq.2"},
                last
            ]);
            let reply = app.send(batch(&steps)).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "PGRST102"), "{}", reply.body);
            assert_eq!(parsed(&reply)["details"]["index"], 3);
            let details = parsed(&reply)["details"]["details"].as_str().unwrap().to_owned();
            assert!(details.contains(says), "{details}");
            assert_eq!(contents(&app).await, before);
        }
    }
}

#[tokio::test]
async fn what_is_wrong_before_any_answer_is_found_before_anything_happens() {
    for app in TestApp::each().await {
        let before = contents(&app).await;
        let first = json!({"id": "a", "method": "DELETE", "path": "/parts?number=gt.0"});
        for (step, status, code) in [
            (json!({"method": "GET", "path": "/toys", "nonsense": 1}), 400, "PGRST102"),
            (json!({"method": "GET", "path": "/toys?id=eq.${later[0].id}"}), 400, "PGRST102"),
            (json!({"method": "GET", "path": "/toys?select=${a[0].id}"}), 400, "PGRST102"),
            (json!({"method": "GET", "path": "/toys?select=("}), 400, "PGRST100"),
            (json!({"method": "GET", "path": "/toys", "accept": "text/csv"}), 406, "PGRST107"),
            (json!({"method": "GET", "path": "/toys", "prefer": "handling=strict,nonsense"}), 400, "PGRST122"),
            (json!({"method": "GET", "path": "/toys", "prefer": "tx=rollback"}), 400, "PGRST127"),
            (json!({"method": "POST", "path": "/toys", "content_type": "text/csv", "body": {}}), 400, "PGRST102"),
            (json!({"method": "GET", "path": "/rpc/f"}), 404, "PGRST202"),
            (json!({"method": "POST", "path": "/toys", "if_match": "*", "body": {"name": "x"}}), 400, "PGRST127"),
            (json!({"method": "GET", "path": "/toys", "prefer": "a\nb"}), 400, "PGRST102"),
        ] {
            let reply = app.send(batch(&json!([first, step]))).await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{step}: {}", reply.body);
        }
        for (body, code) in [("", "PGRST102"), ("[]", "PGRST102"), (r#"{"steps":[]}"#, "PGRST102")] {
            let reply = app.send(post("batch", body)).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, code), "{body}: {}", reply.body);
        }
        let csv = app.send(batch(&json!([first])).header("content-type", "text/csv")).await;
        assert_eq!((csv.status, csv.code().as_str()), (400, "PGRST102"));
        let csv = app.send(batch(&json!([first])).header("accept", "text/csv")).await;
        assert_eq!((csv.status, csv.code().as_str()), (406, "PGRST107"));
        assert_eq!(contents(&app).await, before);
    }
}

/// Each step passes the rules as a request of its own does, and messages hide what they hide there.
#[tokio::test]
async fn rules_are_asked_for_every_step() {
    for app in TestApp::each().await {
        let before = contents(&app).await;
        let create = json!({"method": "POST", "path": "/toys", "body": {"name": "anon's"}});
        for step in [
            json!({"method": "GET", "path": "/letters"}),
            json!({"method": "GET", "path": "/letters?nope=eq.1"}),
            json!({"method": "GET", "path": "/makers?select=name,letters!letters_to_id_fkey(nope)"}),
            json!({"method": "POST", "path": "/letters", "prefer": "return=representation", "body": {}}),
            json!({"method": "POST", "path": "/makers", "body": {"id": 80, "name": "x"}}),
            json!({"method": "PATCH", "path": "/toys?id=eq.1", "body": {"name": "y"}}),
            json!({"method": "DELETE", "path": "/toys?id=eq.1"}),
        ] {
            let reply = app.send(batch(&json!([create, step])).anon()).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "42501"), "{step}: {}", reply.body);
            assert_eq!(parsed(&reply)["details"]["index"], 1);
            assert_eq!(contents(&app).await, before, "{step}");
        }
        let hidden = app.send(batch(&json!([{"method": "GET", "path": "/_mainstay_imports"}]))).await;
        assert_eq!((hidden.status, hidden.code().as_str()), (404, "PGRST205"));
        let allowed =
            app.send(batch(&json!([create, {"method": "POST", "path": "/letters", "body": {}}])).anon()).await;
        assert_eq!(allowed.status, 200, "{}", allowed.body);
    }
}

#[tokio::test]
async fn a_batch_can_be_tried_without_leaving_anything() {
    for app in TestApp::each().await {
        let before = contents(&app).await;
        let steps = json!([
            {"id": "m", "method": "POST", "path": "/makers", "prefer": "return=representation", "body": {"id": 60, "name": "x"}},
            {"method": "DELETE", "path": "/toys?id=gt.0", "prefer": "count=exact"},
            {"method": "GET", "path": "/makers?id=eq.${m[0].id}"}
        ]);
        let reply = app.send(batch(&steps).prefer("tx=rollback")).await;
        assert_eq!((reply.status, reply.header("preference-applied")), (200, "tx=rollback"), "{}", reply.body);
        let answer = parsed(&reply);
        assert_eq!(answer["steps"][1]["headers"]["Content-Range"], "*/3");
        assert_eq!(answer["steps"][2]["body"], json!([{"id": 60, "name": "x"}]));
        assert_eq!(contents(&app).await, before);
    }
}

#[tokio::test]
async fn limits_hold_for_the_whole_and_for_each_step() {
    for app in TestApp::each_with(small_limits(), Cors::Any).await {
        let before = app.send(get("makers")).await.body;
        let read = json!({"method": "GET", "path": "/toys?select=name"});
        let ok = app.send(batch(&json!([read, read]))).await;
        assert_eq!(ok.status, 200, "{}", ok.body);
        // Each answer is small; all of them together are not.
        let insert = json!({"method": "POST", "path": "/makers", "body": {"id": 61, "name": "x"}});
        let reply = app.send(batch(&json!([insert, read, read, read, read, read, read]))).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "MS400"), "{}", reply.body);
        assert_eq!(app.send(get("makers")).await.body, before);
        let long = format!("/toys?name=eq.{}", "x".repeat(300));
        let reply = app.send(batch(&json!([{"method": "GET", "path": long}]))).await;
        assert_eq!((reply.status, reply.code().as_str()), (414, "MS414"), "{}", reply.body);
        let reply = app.send(post("batch", " ".repeat(1001))).await;
        assert_eq!((reply.status, reply.code().as_str()), (413, "MS413"));
    }
    let apps = TestApp::each().await;
    let many = vec![json!({"method": "GET", "path": "/toys"}); 101];
    let reply = apps[0].send(batch(&Value::Array(many))).await;
    assert_eq!(reply.code(), "MS400");
    assert!(reply.body.contains("limits.batch_steps_max is 100"), "{}", reply.body);
}

#[tokio::test]
async fn other_methods_mean_a_table_of_that_name_if_there_is_one() {
    let apps = TestApp::each().await;
    for app in &apps {
        for method in ["GET", "PATCH", "DELETE", "PUT"] {
            let reply = app.send(ask(method, "batch").body("{}")).await;
            let found = (reply.status, reply.code(), reply.header("allow").to_owned());
            assert_eq!(found, (405, "PGRST117".to_owned(), "OPTIONS,POST".to_owned()), "{method}");
        }
        let options = app.send(ask("OPTIONS", "batch")).await;
        assert_eq!((options.status, options.header("allow")), (200, "OPTIONS,POST"));
    }
    let text = "[batch.fields]\nid = { type = \"int\", primary = true }\n".to_owned();
    let schema = load(&[SourceFile { path: "schema/test.toml".into(), text }]).unwrap();
    let store = Arc::new(MemoryStore::with_schema(Arc::new(schema.clone())));
    let app = [TestApp::over(schema, store, RequestLimits::default(), Cors::Any)];
    let insert = batch(&json!([{"method": "POST", "path": "/batch", "body": {"id": 1}}]));
    let done = r#"{"steps":[{"status":201,"headers":{"Content-Range":"*/*"},"body":null}]}"#;
    check(&app, insert, 200, done).await;
    check(&app, get("batch"), 200, r#"[{"id":1}]"#).await;
    check(&app, ask("DELETE", "batch?id=eq.1"), 204, "").await;
    check_error(&app, post("batch", r#"{"id":1}"#), 400, "PGRST102").await;
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn step(&mut self) -> Value {
        let id = 1 + self.below(6);
        match self.below(8) {
            0 => {
                json!({"method": "POST", "path": "/makers", "body": {"id": id, "name": format!("n{}", self.below(9))}})
            }
            1 => {
                json!({"method": "POST", "path": "/makers", "prefer": "resolution=merge-duplicates,return=representation",
                        "body": [{"id": id, "name": format!("n{}", self.below(9))}]})
            }
            2 => {
                json!({"method": "POST", "path": "/toys?select=id,name,makers(name)", "prefer": "return=representation",
                        "body": {"name": "t", "maker_id": id}})
            }
            3 => {
                json!({"method": "PATCH", "path": format!("/toys?id=gte.{id}"), "prefer": "return=representation,count=exact",
                        "body": {"price": id}})
            }
            4 => json!({"method": "DELETE", "path": format!("/makers?id=eq.{id}"), "prefer": "count=exact"}),
            5 => {
                json!({"method": "POST", "path": "/parts", "prefer": "return=headers-only", "body": {"toy_id": id, "number": self.below(4)}})
            }
            6 => {
                json!({"method": "GET", "path": "/toys?select=name,maker_id,parts(number)&order=id.desc", "prefer": "count=exact"})
            }
            _ => json!({"method": "GET", "path": format!("/makers?id=lte.{id}&select=id,toys(id)")}),
        }
    }
}

/// Sends a step as a request of its own.
async fn alone(app: &TestApp, step: &Value) -> Reply {
    let mut single = ask(step["method"].as_str().unwrap(), step["path"].as_str().unwrap().trim_start_matches('/'));
    if let Some(prefer) = step["prefer"].as_str() {
        single = single.prefer(prefer);
    }
    if !step["body"].is_null() {
        single = single.body(step["body"].to_string());
    }
    app.send(single).await
}

/// A batch is its steps one after the other, if all of them succeed; else it is nothing, and says what the first one
/// that fails says.
#[tokio::test]
async fn a_batch_equals_its_steps() {
    let mut dice = Dice(11);
    let (mut committed, mut undone) = (0, 0);
    for _ in 0..24 {
        let steps: Vec<Value> = (0..1 + dice.below(5)).map(|_| dice.step()).collect();
        for (together, apart) in TestApp::each().await.into_iter().zip(TestApp::each().await) {
            let before = contents(&together).await;
            let reply = together.send(batch(&Value::Array(steps.clone()))).await;
            let answer = parsed(&reply);
            for (position, step) in steps.iter().enumerate() {
                let single = alone(&apart, step).await;
                if single.status >= 400 {
                    assert_eq!(answer["code"], parsed(&single)["code"], "{steps:?}");
                    assert_eq!(answer["message"], parsed(&single)["message"]);
                    assert_eq!(answer["details"]["index"], position);
                    assert_eq!(contents(&together).await, before);
                    undone += 1;
                    break;
                }
                if reply.status != 200 {
                    continue;
                }
                let entry = &answer["steps"][position];
                assert_eq!(entry["status"], single.status, "{steps:?} {position}: {answer}");
                let body = if single.body.is_empty() { Value::Null } else { parsed(&single) };
                assert_eq!(entry["body"], body, "{steps:?} {position}");
                for name in ["Content-Range", "Location", "Preference-Applied"] {
                    let header = entry["headers"][name].as_str().unwrap_or_default();
                    assert_eq!(header, single.header(name), "{steps:?} {position} {name}");
                }
            }
            if reply.status == 200 {
                assert_eq!(contents(&together).await, contents(&apart).await, "{steps:?}");
                committed += 1;
            }
        }
    }
    assert!(committed > 5 && undone > 5, "{committed} {undone}");
}

/// `if_match` in a step is what the header is to a request of its own, in the same transaction.
#[tokio::test]
async fn a_step_can_want_the_rows_to_be_as_they_were() {
    for app in TestApp::each().await {
        let tag = app.send(get("makers?id=eq.1")).await.header("etag").to_owned();
        assert!(!tag.is_empty());
        let maker = json!({"id": "m", "method": "GET", "path": "/makers?id=eq.1"});
        let patch = |tag: &str| json!({"method": "PATCH", "path": "/makers?id=eq.${m[0].id}", "if_match": tag, "body": {"name": "Ash"}});
        let before = contents(&app).await;
        let insert = json!({"method": "POST", "path": "/makers", "body": {"id": 77, "name": "Yew"}});
        for wrong in [
            patch("\"0\""),
            json!({"method": "DELETE", "path": "/makers?id=eq.1", "if_match": "\"0\""}),
            json!({"method": "PUT", "path": "/makers?id=eq.88", "if_match": "*", "body": {"id": 88, "name": "x"}}),
            json!({"method": "GET", "path": "/makers?id=eq.1", "if_match": "\"0\""}),
        ] {
            let reply = app.send(batch(&json!([maker, insert, wrong]))).await;
            assert_eq!(reply.status, 412, "{wrong}: {}", reply.body);
            assert!(reply.body.contains("\"index\":2"), "{}", reply.body);
            assert_eq!(contents(&app).await, before, "{wrong}");
        }
        let read = json!({"method": "GET", "path": "/makers?id=eq.1", "if_match": tag});
        // The second change does not meet the rows of which the tag was.
        let twice = json!([maker, read, patch(&tag), patch(&tag)]);
        let reply = app.send(batch(&twice)).await;
        assert!(reply.status == 412 && reply.body.contains("\"index\":3"), "{}", reply.body);
        assert_eq!(contents(&app).await, before);
        let reply = app.send(batch(&json!([maker, read, patch(&tag)]))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        check(std::slice::from_ref(&app), get("makers?id=eq.1&select=name"), 200, r#"[{"name":"Ash"}]"#).await;
    }
}

/// rest.md 10: the zone of the whole holds for steps that name none; what later steps refer to is the same instant in any zone.
#[tokio::test]
async fn batches_answer_in_the_zones_asked_for() {
    for app in TestApp::each().await {
        let read = "/toys?select=seen_at&id=eq.1";
        let steps = json!({"steps": [
            {"id": "a", "method": "GET", "path": read},
            {"method": "GET", "path": read, "prefer": "timezone=-5"},
            {"method": "GET", "path": read, "prefer": "timezone=UTC"},
            {"method": "PATCH", "path": "/toys?select=id,seen_at&id=eq.2", "prefer": "return=representation",
             "accept": "application/vnd.pgrst.object+json", "body": {"seen_at": {"$ref": "a[0].seen_at"}}},
            {"method": "GET", "path": "/toys?select=id&seen_at=eq.${a[0].seen_at}&order=id"}
        ]});
        let reply = app.send(post("batch", steps.to_string()).prefer("tx=rollback, timezone=Asia/Kolkata")).await;
        let answer = parsed(&reply);
        let bodies: Vec<&Value> = answer["steps"].as_array().unwrap().iter().map(|step| &step["body"]).collect();
        let east = "2026-01-02T07:34:05.6+05:30";
        let expected = [
            json!([{"seen_at": east}]),
            json!([{"seen_at": "2026-01-01T21:04:05.6-05:00"}]),
            json!([{"seen_at": "2026-01-02T02:04:05.6+00:00"}]),
            json!({"id": 2, "seen_at": east}),
            json!([{"id": 1}, {"id": 2}]),
        ];
        assert_eq!(bodies, expected.iter().collect::<Vec<_>>(), "{}", reply.store);
        assert_eq!(reply.header("preference-applied"), "tx=rollback, timezone=Asia/Kolkata");
        let bad = json!({"steps": [{"method": "GET", "path": read, "prefer": "timezone=Mars"}]});
        let reply = app.send(post("batch", bad.to_string())).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "22023"));
    }
}

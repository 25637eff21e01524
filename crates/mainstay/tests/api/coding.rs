//! Compressed answers and bodies: security.md 2.

use std::io::{Read, Write};

use http_body_util::BodyExt;
use mainstay_http::{AnswerSettings, Compression, Cors, RequestLimits, router};
use tower::ServiceExt;

use crate::app::{Ask, TestApp, check, check_error, get, post};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(coding: &str, packed: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "gzip" => drop(flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap()),
        "zstd" => text = String::from_utf8(zstd::stream::decode_all(packed).unwrap()).unwrap(),
        _ => text = String::from_utf8(packed.to_vec()).unwrap(),
    }
    text
}

/// Sends a request; gives `Content-Encoding`, `Vary`, and the octets.
async fn send(app: &TestApp, ask: Ask) -> (String, String, Vec<u8>) {
    let response = router(app.app()).oneshot(ask.request()).await.unwrap();
    let (head, body) = response.into_parts();
    let all = |name: &str| {
        let values: Vec<_> = head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        values.join(", ")
    };
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let length = head.headers.get("content-length").map(|length| length.to_str().unwrap().parse::<usize>().unwrap());
    assert!(length.is_none_or(|length| length == body.len()));
    (all("content-encoding"), all("vary"), body)
}

async fn filled(limits: RequestLimits) -> Vec<TestApp> {
    let apps = TestApp::each_with(limits, Cors::Any).await;
    let rows: Vec<_> = (10..900).map(|id| format!(r#"{{"id":{id},"name":"maker {id}"}}"#)).collect();
    check(&apps, post("makers", format!("[{}]", rows.join(","))), 201, "").await;
    apps
}

#[tokio::test]
async fn large_answers_are_packed_as_the_caller_likes() {
    for app in filled(RequestLimits::default()).await {
        for accept in ["application/json", "text/csv", "application/x-ndjson", "application/xml"] {
            let plain = app.send(get("makers").header("accept", accept)).await.body;
            for (asked, coding) in [
                ("gzip, deflate, br", "gzip"),
                ("gzip, deflate, br, zstd", "zstd"),
                ("gzip;q=1.0, zstd;q=0.1", "gzip"),
                ("identity", ""),
                ("br", ""),
            ] {
                let ask = get("makers").header("accept", accept).header("accept-encoding", asked);
                let (found, vary, body) = send(&app, ask).await;
                assert_eq!(found, coding, "{accept} {asked}");
                assert_eq!(vary, "Accept, Prefer, Range, Accept-Encoding");
                assert_eq!(unpacked(coding, &body), plain);
                assert!(coding.is_empty() || body.len() < plain.len() / 3);
            }
        }
    }
}

#[tokio::test]
async fn small_answers_and_heads_are_not_packed() {
    for app in TestApp::each().await {
        for ask in [get("makers"), get("nothing"), crate::app::ask("HEAD", "makers")] {
            let (coding, vary, _) = send(&app, ask.header("accept-encoding", "gzip")).await;
            assert_eq!(coding, "");
            assert!(!vary.contains("Encoding"), "{vary}");
        }
    }
}

#[tokio::test]
async fn packing_can_be_switched_off() {
    let app = filled(RequestLimits::default()).await.remove(0);
    let store = app.store.clone();
    let compression = Compression { is_on: false, ..Compression::default() };
    let answers = AnswerSettings { compression, ..AnswerSettings::default() };
    let app = TestApp::over_with(crate::app::schema(), store, RequestLimits::default(), Cors::Any, answers);
    let (coding, vary, _) = send(&app, get("makers").header("accept-encoding", "gzip")).await;
    assert_eq!((coding.as_str(), vary.as_str()), ("", "Accept, Prefer, Range"));
}

#[tokio::test]
async fn what_is_sent_while_it_is_read_is_packed_as_it_goes() {
    let app = filled(RequestLimits { response_bytes_max: 5000, ..RequestLimits::default() }).await.remove(1);
    let lines = || get("makers").header("accept", "application/x-ndjson");
    let plain = app.send(lines()).await.body;
    assert_eq!(plain.lines().count(), 892);
    for coding in ["gzip", "zstd"] {
        let (found, vary, body) = send(&app, lines().header("accept-encoding", coding)).await;
        assert_eq!((found.as_str(), vary.as_str()), (coding, "Accept, Prefer, Range, Accept-Encoding"));
        assert_eq!(unpacked(coding, &body), plain);
    }
}

#[tokio::test]
async fn bodies_may_come_packed() {
    let apps = TestApp::each().await;
    let row = |id: u32| format!(r#"{{"id":{id},"name":"n{id}"}}"#).into_bytes();
    let packed = |coding: &str, body: Vec<u8>| post("makers", body).header("content-encoding", coding);
    check(&apps, packed("gzip", gzip(&row(11))), 201, "").await;
    check(&apps, packed("zstd", zstd::stream::encode_all(&row(12)[..], 3).unwrap()), 201, "").await;
    check(&apps, packed("identity", row(13)), 201, "").await;
    let mut whole = gzip(&row(14));
    whole.truncate(whole.len() - 3);
    check_error(&apps, packed("gzip", whole), 400, "PGRST102").await;
    check_error(&apps, packed("gzip", row(14)), 400, "PGRST102").await;
    check_error(&apps, packed("br", row(14)), 415, "MS415").await;
    check_error(&apps, packed("gzip, gzip", gzip(&gzip(&row(14)))), 415, "MS415").await;
    // A bomb by its size, and one by its ratio alone.
    check_error(&apps, packed("gzip", gzip(&vec![b' '; 2 << 20])), 413, "MS413").await;
    check_error(&apps, packed("gzip", gzip(&vec![b' '; 500_000])), 413, "MS413").await;
    let reply = apps[0].send(packed("br", row(14))).await;
    assert_eq!(reply.header("accept-encoding"), "gzip, deflate, zstd");
    check(&apps, get("makers?select=id&id=gt.10"), 200, r#"[{"id":11},{"id":12},{"id":13}]"#).await;
}

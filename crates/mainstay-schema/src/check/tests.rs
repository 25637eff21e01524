use std::sync::Arc;

use super::*;
use crate::ids::ColumnId;
use crate::model::{Pattern, Texts};
use crate::types::{Format, Type};

fn column(ty: Type, checks: Checks) -> Column {
    Column {
        id: ColumnId(0),
        name: "it".into(),
        was: None,
        ty,
        texts: Texts::Plain,
        optional: true,
        default: None,
        touched: false,
        checks,
        description: None,
    }
}

/// The message about `text` read as a value of `ty`, or an empty one.
fn message(ty: &Type, checks: &Checks, text: &str) -> String {
    let value = Value::parse(ty, text).expect(text);
    let verdict = check(&column(ty.clone(), checks.clone()), &value);
    verdict.err().map(|violation| violation.to_string()).unwrap_or_default()
}

fn between(min: Option<Value>, max: Option<Value>) -> Checks {
    Checks { min, max, ..Checks::default() }
}

#[test]
fn numbers_and_times_are_bounded_by_value() {
    let parse = |ty: &Type, text: &str| Some(Value::parse(ty, text).expect(text));
    let decimal = Type::Decimal { precision: 12, scale: 2 };
    for (ty, min, max, inside, outside) in [
        (Type::Int, "0", "10", ["0", "10"], ["-1", "11"]),
        (Type::BigInt, "9", "100", ["9", "100"], ["8", "101"]),
        (Type::Float, "0.5", "1.5", ["0.5", "1.5"], ["0.49", "1.51"]),
        (decimal, "9.00", "10.00", ["9", "10.00"], ["8.99", "10.01"]),
        (Type::Date, "2026-01-01", "2026-12-31", ["2026-01-01", "2026-12-31"], ["2025-12-31", "2027-01-01"]),
        (Type::Time, "08:00", "17:00", ["08:00", "17:00:00"], ["07:59:59.9", "17:00:00.1"]),
        (
            Type::Timestamp,
            "2026-01-01",
            "2026-01-02",
            ["2026-01-01", "2026-01-02T00:00Z"],
            ["2025-12-31", "2026-01-03"],
        ),
    ] {
        let checks = between(parse(&ty, min), parse(&ty, max));
        for text in inside {
            assert_eq!(message(&ty, &checks, text), "", "{ty} {text}");
        }
        let canonical = |text: &str| parse(&ty, text).and_then(|value| value.to_text()).unwrap_or_default();
        assert_eq!(message(&ty, &checks, outside[0]), format!("it must be at least {}", canonical(min)));
        assert_eq!(message(&ty, &checks, outside[1]), format!("it must be at most {}", canonical(max)));
    }
}

#[test]
fn text_bytes_and_arrays_are_bounded_by_length() {
    let bounds = |min, max| between(Some(Value::Int(min)), Some(Value::Int(max)));
    let array = Type::Array(Box::new(Type::Int));
    for (ty, checks, text, expected) in [
        (Type::Text, bounds(2, 3), "é", "it must have at least 2 characters"),
        (Type::Text, bounds(2, 3), "éé", ""),
        (Type::Text, bounds(2, 3), "ééé", ""),
        (Type::Text, bounds(2, 3), "𝄞𝄞𝄞", ""),
        (Type::Text, bounds(2, 3), "éééé", "it must have at most 3 characters"),
        (Type::Text, bounds(1, 1), "", "it must have at least 1 character"),
        (Type::Bytes, bounds(1, 2), "\\x", "it must have at least 1 byte"),
        (Type::Bytes, bounds(1, 2), "\\x0102", ""),
        (Type::Bytes, bounds(1, 2), "\\x010203", "it must have at most 2 bytes"),
        (array.clone(), bounds(1, 2), "{}", "it must have at least 1 item"),
        (array.clone(), bounds(1, 2), "{1,NULL}", ""),
        (array, bounds(1, 2), "{1,2,3}", "it must have at most 2 items"),
    ] {
        assert_eq!(message(&ty, &checks, text), expected, "{text}");
    }
}

#[test]
fn patterns_match_somewhere_unless_anchored() {
    let pattern =
        |source: &str| Checks { pattern: Some(Pattern(regex::Regex::new(source).expect(source))), ..Checks::default() };
    assert_eq!(message(&Type::Text, &pattern("[0-9]"), "a1b"), "");
    assert_eq!(message(&Type::Text, &pattern("^[0-9]$"), "a1b"), "it must match the pattern ^[0-9]$");
}

#[test]
fn variants_are_the_only_values() {
    let checks = Checks { variants: vec!["new".into(), "paid".into()], ..Checks::default() };
    assert_eq!(message(&Type::Text, &checks, "paid"), "");
    for text in ["Paid", "paid ", "", "old"] {
        assert_eq!(message(&Type::Text, &checks, text), "it must be one of new, paid", "{text}");
    }
}

#[test]
fn null_and_unchecked_values_pass() {
    let checks = Checks { min: Some(Value::Int(1)), variants: vec![Arc::from("a")], ..Checks::default() };
    assert_eq!(check(&column(Type::Text, checks), &Value::Null), Ok(()));
    assert_eq!(check(&column(Type::Text, Checks::default()), &Value::Text(String::new())), Ok(()));
}

fn check_format(format: Format, accepted: &[&str], refused: &[&str]) {
    let checks = Checks { format: Some(format), ..Checks::default() };
    for text in accepted {
        assert_eq!(message(&Type::Text, &checks, text), "", "{text}");
    }
    for text in refused {
        let expected = format!("it must be {}", format::described(format));
        assert_eq!(message(&Type::Text, &checks, text), expected, "{text}");
    }
}

#[test]
fn email_addresses() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_domain = format!("a@{}.example.com", ["b".repeat(60).as_str(); 4].join("."));
    check_format(
        Format::Email,
        &[
            "a@b.example",
            "first.last+tag@sub.example.com",
            "o'neil@example.com",
            "a@localhost",
            "x@xn--bcher-kva.example",
        ],
        &[
            "",
            "a",
            "@example.com",
            "a@",
            "a@@example.com",
            "a b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@-example.com",
            "a@example..com",
            "a@example.com.",
            "a@1.2.3.4",
            "é@example.com",
            "a@example.com\n",
            "\"a\"@example.com",
            "a@b@example.com",
            &long_local,
            &long_domain,
        ],
    );
}

#[test]
fn urls() {
    check_format(
        Format::Url,
        &[
            "https://example.com",
            "HTTP://EXAMPLE.com:8080/a/b?c=d&e[]=1#f",
            "http://127.0.0.1/",
            "http://[::1]:80/x",
            "https://user:pass@example.com/",
            "https://example.com/gr%C3%B6%C3%9Fe",
            "https://example.com/größe",
            "https://example.com?q",
            "https://example.com#top",
        ],
        &[
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "https://",
            "https:///a",
            "https://exa mple.com",
            "https://example.com/a b",
            "https://example.com:99999",
            "https://example.com:",
            "https://example.com/%zz",
            "https://example.com/%4",
            "https://[::1",
            "https://[1.2.3.4]",
            "https://-a.com",
            "https://example.com/<b>",
            "https://example.com/#a#b",
            "https://example.com/\n",
            " https://example.com",
            "https://1.2.3.400/",
        ],
    );
}

#[test]
fn slugs() {
    check_format(
        Format::Slug,
        &["a", "red-shoes", "2026-sale", "7"],
        &["", "-a", "a-", "a--b", "Red", "a_b", "a b", "größe", "a\n"],
    );
}

#[test]
fn phone_numbers() {
    check_format(
        Format::Phone,
        &["+12345678", "+491234567890", "+123456789012345"],
        &["", "12345678", "+1234567", "+1234567890123456", "+49 123 456", "+0123456789", "00491234567", "+4912345678a"],
    );
}

#[test]
fn host_names() {
    let label = "a".repeat(64);
    let long = ["a".repeat(60).as_str(); 5].join(".");
    check_format(
        Format::Hostname,
        &["localhost", "a.example.com", "3com.example", "xn--bcher-kva.example", "A-1.example"],
        &["", ".", "a..b", "a.", "-a.example", "a-.example", "a_b.example", "1.2.3.4", "exa mple", &label, &long],
    );
}

#[test]
fn ip_addresses() {
    check_format(
        Format::Ip,
        &["127.0.0.1", "::1", "2001:db8::8a2e:370:7334", "::ffff:1.2.3.4"],
        &["", "256.1.1.1", "1.2.3", "01.2.3.4", "[::1]", "::1%eth0", "1.2.3.4/8", "localhost", "12345::"],
    );
}

#[cfg(feature = "html")]
#[test]
fn rich_text_loses_what_a_browser_would_run() {
    let mut column = column(Type::Text, Checks::default());
    column.checks.format = Some(Format::Html);
    for (given, kept) in [
        ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
        ("<script>alert(1)</script>a", "a"),
        ("<img src=x onerror=alert(1)>", "<img src=\"x\">"),
        ("<a href=\"javascript:alert(1)\">x</a>", "<a rel=\"noopener noreferrer\">x</a>"),
        ("<svg><style><img src=x onerror=alert(1)></style></svg>", "<img src=\"x\">"),
    ] {
        let once = sanitize(&column, Value::Text(given.to_owned()));
        assert_eq!(once, Value::Text(kept.to_owned()));
        assert_eq!(sanitize(&column, once.clone()), once, "a fixed point");
        assert_eq!(check(&column, &once), Ok(()));
    }
    column.checks.format = Some(Format::Email);
    let plain = Value::Text("<script>".to_owned());
    assert_eq!(sanitize(&column, plain.clone()), plain);
}

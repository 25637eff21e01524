//! Tests of what is told of a query string that does not parse, where PostgREST's language alone is read: its users look
//! for its words.

use super::{Purpose, query};
use crate::error::ParseError;
use crate::limits::Limits;

fn check(text: &str, column: usize, details: &str) {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    match query(Purpose::Insert, text, &limits) {
        Err(ParseError::Syntax { column: at, details: told, .. }) => {
            assert_eq!((at, told.as_str()), (column, details), "{text}");
        }
        other => panic!("{text}: {other:?}"),
    }
}

/// What can follow a name.
const NAME: &str = "letter, digit, \"-\", \"->>\", \"->\"";
const FIELD: &str = "field name (* or [a..z0..9_$])";

#[test]
fn filters() {
    check("id=0", 1, "unexpected \"0\" expecting \"not\" or operator (eq, gt, ...)");
    check("id=foo.5", 1, "unexpected \"f\" expecting \"not\" or operator (eq, gt, ...)");
    check("id=", 1, "unexpected end of input expecting \"not\" or operator (eq, gt, ...)");
    check("id=not.0", 5, "unexpected \"0\" expecting operator (eq, gt, ...)");
    // How far it got counts.
    check("id=eq", 3, "unexpected end of input expecting operator (eq, gt, ...)");
    check("id=not", 4, "unexpected end of input expecting delimiter (.)");
    check("id=is.nil", 5, "unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)");
    check("id=is.x", 4, "unexpected \"x\" expecting isVal: (null, not_null, true, false, unknown)");
    check("id=in.1,2", 4, "unexpected \"1\" expecting \"(\"");
    check("id=in.(1", 6, "unexpected end of input expecting \",\" or \")\"");
    check("columns=", 1, &format!("unexpected end of input expecting {FIELD}"));
    check("on_conflict=a,,b", 3, &format!("unexpected \",\" expecting {FIELD}"));
    check("a..b=eq.1", 3, &format!("unexpected \".\" expecting {FIELD}"));
}

/// The word of a tree counts as if it stood before the value.
#[test]
fn trees() {
    let branch = format!("{FIELD}, negation operator (not) or logic operator (and, or)");
    check("or=()", 4, &format!("unexpected \")\" expecting {branch}"));
    check("or=(id.eq.1,)", 12, &format!("unexpected \")\" expecting {branch}"));
    check("or=)(", 3, "unexpected \")\" expecting \"(\"");
    check("or=(id.in.1,2,id.eq.3)", 10, "unexpected \"1\" expecting \"(\"");
    check("and=(ord(id.eq.1,id.eq.1),id.eq.2)", 7, "unexpected \"d\" expecting \"(\"");
    check("or=(id.eq.1,not.xor(id.eq.2,id.eq.3))", 16, "unexpected \"x\" expecting logic operator (and, or)");
    check("or=(id.eq.1", 11, "unexpected end of input expecting \",\" or \")\"");
    check("a.not.or=(id)", 10, &format!("unexpected \")\" expecting {NAME} or delimiter (.)"));
    let unquoted = "or=(title.ilike.%25a,b%25,description.ilike.%25a,b%25)";
    check(unquoted, 20, &format!("unexpected \"%\" expecting {NAME} or delimiter (.)"));
}

#[test]
fn orders() {
    let all = "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"";
    check("order=id.ac.nullslast", 4, &format!("unexpected \"c\" expecting {all}"));
    check("order=id.up", 4, &format!("unexpected \"u\" expecting {all}"));
    check("order=id.descs.nullslast", 8, "unexpected 's' expecting delimiter (.), \",\" or end of input");
    check("order=id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input");
    check("order=id.asc.nulsfist", 8, "unexpected \"s\" expecting \"nullsfirst\" or \"nullslast\"");
    check("order=", 1, &format!("unexpected end of input expecting {FIELD}"));
}

#[test]
fn selections() {
    let item = format!("\"...\", {FIELD}, \"*\" or \"count()\"");
    check("select=id,", 4, &format!("unexpected end of input expecting {item}"));
    check("select=id,'key'", 4, &format!("unexpected \"'\" expecting {item}"));
    check(
        "select=id,clients(name[])",
        16,
        &format!("unexpected '[' expecting {NAME}, \"::\", \".\", \")\", \",\" or end of input"),
    );
    check(
        "select=count(*)",
        6,
        &format!("unexpected '(' expecting {NAME}, \"::\", \".\", \")\", \",\" or end of input"),
    );
    check(
        "select=id(",
        4,
        &format!("unexpected end of input expecting {}, \"count()\" or \")\"", item.replace(" or \"count()\"", "")),
    );
    check("select=id.sum", 7, "unexpected end of input expecting \"()\"");
    check("select=id.sam()", 4, "unexpected \"a\" expecting \"sum\"");
    check("select=id.mi()", 4, "unexpected \"m\" expecting \"sum\", \"avg\", \"count\", \"max\" or \"min\"");
    check("select=a::", 4, "unexpected end of input expecting letter or digit");
    check("select=\"a", 3, "unexpected end of input expecting \"\\\\\" or \"\\\"\"");
}

#[test]
fn paths() {
    let index = "digit, \"->\", \"::\", \".\", \",\" or end of input";
    check("select=data->>-78xy", 11, &format!("unexpected 'x' expecting {index}"));
    check("select=data->>--34", 9, "unexpected \"-\" expecting digit");
    check("select=data->-x", 8, "unexpected \"x\" expecting digit");
}

/// What PostgREST reads although it means little.
#[test]
fn what_means_little_is_read() {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    for (text, meant) in [
        ("select=data->1x", "select=data->\"1x\""),
        ("select=id::int::text", "select=id::int"),
        ("not.a.or=(id.eq.1)", "a.not.or=(id.eq.1)"),
        ("select=id;b=eq.1", "select=id&b=eq.1"),
    ] {
        let read = |text| query(Purpose::Read, text, &limits).unwrap();
        assert_eq!(read(text), read(meant), "{text}");
    }
    let text = "select=data->>a->b";
    assert!(query(Purpose::Read, text, &limits).is_ok() && query(Purpose::Read, text, &Limits::default()).is_err());
    check(
        "select=a!x!y!z(id)",
        2,
        "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or end of input",
    );
}

/// Of several parameters that do not parse the first is told of, not as they stand but by their kinds; those count too
/// that mean nothing for the method.
#[test]
fn kinds_are_read_one_after_the_other() {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    let mut wrong = vec!["a=x", "select=a,", "columns=,", "a..or=(id.eq.1)", "order="];
    for what in ["order", "logic path", "columns parameter", "select parameter", "filter"] {
        match query(Purpose::Read, &wrong.join("&"), &limits) {
            Err(ParseError::Syntax { what: told, .. }) => assert_eq!(told, what),
            other => panic!("{what}: {other:?}"),
        }
        wrong.pop();
    }
    assert!(query(Purpose::Delete, "on_conflict=", &limits).is_err());
    assert_eq!(query(Purpose::Read, "columns=a&on_conflict=a", &limits), query(Purpose::Read, "", &limits));
    assert!(super::call("=1", &limits).is_err());
}

/// PostgREST's parsers do not look at what stands behind the last thing that they could read.
#[test]
fn what_is_left_over_is_passed_over() {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    for (text, meant) in [
        ("select=id)&id=is.nullx", "select=id&id=is.null"),
        ("select=,id", "select="),
        ("select=*.id", "select="),
        ("id=in.(1,2)x&or=(id.eq.1)x", "id=in.(1,2)&or=(id.eq.1)"),
        ("columns=a.b&on_conflict=c(d", "columns=a&on_conflict=c"),
        ("data->>a.b=eq.1", "data->>a=eq.1"),
        // An offset below zero begins before the first row.
        ("offset=-4", ""),
        ("limit=4&offset=-1", "limit=3"),
    ] {
        let read = |text| query(Purpose::Insert, text, &limits).unwrap();
        let asked = |text| super::call(text, &limits).unwrap().0;
        if text.contains("columns") {
            assert_eq!(read(text), read(meant), "{text}");
        } else {
            assert_eq!(asked(text), asked(meant), "{text}");
        }
    }
    assert!(super::call("limit=1&offset=-2", &limits).is_err());
}

/// Two words stand behind a target at most; of two of a kind the first counts.
#[test]
fn hints_and_joins() {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    let read = |text| query(Purpose::Read, text, &limits);
    for (text, meant) in [
        ("select=films!inner!left(id)", "select=films!inner(id)"),
        ("select=films!left!inner(id)", "select=films!left(id)"),
        ("select=films!a!b(id)", "select=films!a(id)"),
    ] {
        assert_eq!(read(text).unwrap(), read(meant).unwrap(), "{text}");
    }
    assert!(read("select=films!a!inner!b(id)").is_err());
}

/// A value that began like a filter must go on like one; of a name its last part counts.
#[test]
fn arguments_of_calls() {
    let limits = Limits { postgrest_only: true, ..Limits::default() };
    let (query, arguments) = super::call("a=in&b=the.end&x.c=1&d=fts().x&e=eq.1", &limits).unwrap();
    let names: Vec<&str> = arguments.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, query.filters.len()), (vec!["a", "b", "c", "d"], 1));
    for (text, column, details) in [
        ("a=in.the", 4, "unexpected \"t\" expecting \"(\""),
        ("a=not.the", 5, "unexpected \"t\" expecting operator (eq, gt, ...)"),
    ] {
        match super::call(text, &limits) {
            Err(ParseError::Syntax { column: at, details: told, .. }) => {
                assert_eq!((at, told.as_str()), (column, details), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

/// What is too much to read again is told in our words.
#[test]
fn too_much() {
    let deep = format!("or=(x.eq.1,{}", "and(".repeat(200));
    assert!(query(Purpose::Read, &deep, &Limits { postgrest_only: true, ..Limits::default() }).is_err());
    check(&format!("select={}(", "a".repeat(5000)), 5002, "unexpected end of input expecting field name");
}

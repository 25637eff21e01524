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

#[test]
fn filters() {
    check("id=0", 1, "unexpected \"0\" expecting \"not\" or operator (eq, gt, ...)");
    check("id=", 1, "unexpected end of input expecting \"not\" or operator (eq, gt, ...)");
    check("id=not.0", 5, "unexpected \"0\" expecting operator (eq, gt, ...)");
    check("id=is.nil", 4, "unexpected \"n\" expecting isVal: (null, not_null, true, false, unknown)");
    check("id=in.1,2", 4, "unexpected \"1\" expecting \"(\"");
    check("columns=", 1, "unexpected end of input expecting field name (* or [a..z0..9_$])");
}

/// The word of a tree counts as if it stood before the value.
#[test]
fn trees() {
    let branch = "field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)";
    check("or=()", 4, &format!("unexpected \")\" expecting {branch}"));
    check("or=)(", 3, "unexpected \")\" expecting \"(\"");
    check("or=(id.in.1,2,id.eq.3)", 10, "unexpected \"1\" expecting \"(\"");
    check("and=(ord(id.eq.1,id.eq.1),id.eq.2)", 7, "unexpected \"d\" expecting \"(\"");
    check("or=(id.eq.1,not.xor(id.eq.2,id.eq.3))", 16, "unexpected \"x\" expecting logic operator (and, or)");
    check("a.not.or=(id)", 10, "unexpected \")\" expecting \".\"");
}

#[test]
fn orders() {
    let all = "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"";
    check("order=id.ac.nullslast", 4, &format!("unexpected \"c\" expecting {all}"));
    check("order=id.up", 4, &format!("unexpected \"u\" expecting {all}"));
    check("order=id.descs.nullslast", 8, "unexpected 's' expecting \",\" or end of input");
    check("order=id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input");
    check("order=id.asc.nulsfist", 8, "unexpected \"s\" expecting \"nullsfirst\" or \"nullslast\"");
}

#[test]
fn paths() {
    let index = "digit, \"->\", \"::\", \".\", \",\" or end of input";
    check("select=data->>-78xy", 11, &format!("unexpected 'x' expecting {index}"));
    check("select=data->>--34", 9, "unexpected \"-\" expecting digit");
}

//! What a database said itself, and the status that its SQLSTATE gets: the table of `rest.md` 16.3.
//!
//! A function of the database can choose its answer: `RAISE SQLSTATE 'PT402'` gives the status 402, and `'PGRST'` takes
//! the whole answer from the JSON in message and detail. Called by `translate.rs`.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, StatusCode};
use mainstay_query::{Actor, Role};
use mainstay_store::DatabaseError;
use serde::Deserialize;

use super::Problem;
use super::codes::CUSTOM;

/// The problem that a database told in its own words.
pub(super) fn problem(error: &DatabaseError, actor: &Actor) -> Problem {
    Problem::said(error, *actor == Actor::Caller(Role::Anon))
}

impl Problem {
    /// The problem that a database told in its own words to a caller who has, or has not, said who it is.
    pub fn said(error: &DatabaseError, is_anonymous: bool) -> Problem {
        said(error, is_anonymous)
    }
}

fn said(error: &DatabaseError, is_anonymous: bool) -> Problem {
    if &*error.code == "PGRST" {
        return custom(error).unwrap_or_else(|reason| unreadable(error, reason));
    }
    let status = status(&error.code, &error.message, is_anonymous);
    let problem = of(&error.code, status, &error.message, error.details.clone(), error.hint.clone());
    match error.code.starts_with("PT") {
        true => problem.reason(&error.message),
        false => problem,
    }
}

fn of(code: &str, status: StatusCode, message: &str, details: Option<String>, hint: Option<String>) -> Problem {
    let problem = Problem::database(code, status, message).hint_if_any(hint);
    match details {
        Some(details) => problem.details(details),
        None => problem,
    }
}

/// The status for a SQLSTATE.
fn status(code: &str, message: &str, is_anonymous: bool) -> StatusCode {
    let class = code.get(..2).unwrap_or_default();
    let number = match (class, code) {
        ("PT", _) => return code[2..].parse().ok().and_then(|n| StatusCode::from_u16(n).ok()).unwrap_or(SERVER),
        ("08", _) => 503,
        ("09", _) => 500,
        ("0L" | "0P", _) => 403,
        (_, "23503" | "23505") => 409,
        ("23", _) => 400,
        (_, "25006") => 405,
        ("25", _) => 500,
        // The one place where PostgREST looks at words: those of the extension `safeupdate`.
        (_, "21000") if message.ends_with("requires a WHERE clause") => 400,
        ("21", _) => 500,
        (_, "22023") if message.starts_with("role \"") && message.ends_with("\" does not exist") => 401,
        ("22", _) => 400,
        ("28", _) => 403,
        ("2D" | "38" | "39" | "3B" | "40", _) => 500,
        (_, "53400") => 500,
        ("53", _) => 503,
        ("54" | "55", _) => 500,
        (_, "57P01") => 503,
        ("57" | "58" | "F0" | "HV" | "XX", _) => 500,
        (_, "P0001") => 400,
        ("P0", _) => 500,
        (_, "42883") if message.starts_with("function xmlagg(") => 406,
        (_, "42883" | "42P01") => 404,
        (_, "42P17") => 500,
        (_, "42501") if is_anonymous => 401,
        (_, "42501") => 403,
        _ => 400,
    };
    StatusCode::from_u16(number).unwrap_or(SERVER)
}

const SERVER: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

/// The message of an error that is a whole answer.
#[derive(Deserialize)]
struct Message {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

/// Its detail.
#[derive(Deserialize)]
struct Detail {
    status: u16,
    status_text: Option<String>,
    headers: BTreeMap<String, String>,
}

fn custom(error: &DatabaseError) -> Result<Problem, &'static str> {
    let message: Message = serde_json::from_str(&error.message).map_err(|_| "MESSAGE")?;
    let detail = error.details.as_deref().ok_or("DETAIL")?;
    let detail: Detail = serde_json::from_str(detail).map_err(|_| "DETAIL")?;
    let status = StatusCode::from_u16(detail.status).map_err(|_| "DETAIL")?;
    let mut problem = of(&message.code, status, &message.message, message.details, message.hint);
    for (name, value) in &detail.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "DETAIL")?;
        problem = problem.header(name, HeaderValue::from_str(value).map_err(|_| "DETAIL")?);
    }
    Ok(match detail.status_text {
        Some(text) => problem.reason(&text),
        None => problem,
    })
}

fn unreadable(error: &DatabaseError, field: &'static str) -> Problem {
    let given = if field == "MESSAGE" { Some(&*error.message) } else { error.details.as_deref() };
    let details = match given {
        Some(given) => format!("Invalid JSON value for {field}: '{given}'"),
        None => format!("{field} is missing in the RAISE statement"),
    };
    let hint = match field {
        "MESSAGE" => {
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
        }
        _ => "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.",
    };
    Problem::new(CUSTOM, "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error").details(details).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, message: &str, expected: u16) {
        assert_eq!(status(code, message, false).as_u16(), expected, "{code}");
    }

    /// The table of rest.md 16.3, line by line.
    #[test]
    fn each_class_has_its_status() {
        for (codes, expected) in [
            ("08000 08006 53000 53100 53200 57P01", 503),
            (
                "09000 21000 25001 2D000 38000 39000 3B000 40001 40P01 53400 54000 55006 57014 58030 F0000 HV000 XX000",
                500,
            ),
            ("0L000 0P000 28000 28P01 42501", 403),
            ("23503 23505", 409),
            ("23502 23514 22023 22P02 22003 P0001 42703 99999", 400),
            ("25006", 405),
            ("P0002 42P17 57P03", 500),
            ("42883 42P01", 404),
        ] {
            codes.split(' ').for_each(|code| check(code, "", expected));
        }
        check("21000", "UPDATE requires a WHERE clause", 400);
        check("22023", "role \"x\" does not exist", 401);
        check("42883", "function xmlagg(integer) does not exist", 406);
        check("PT418", "", 418);
        check("PTabc", "", 500);
        assert_eq!(status("42501", "", true).as_u16(), 401);
    }
}

//! What the request's own SQL says of its answer: the settings `response.headers` and `response.status`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use mainstay_http::Problem;
use serde_json::Value;

use super::codes::{GUC_HEADERS, GUC_STATUS};

/// Lets the settings have their way with an answer.
///
/// # Errors
/// PGRST111 and PGRST112.
pub(super) fn apply(
    headers: Option<&str>,
    status: Option<&str>,
    answer: &mut HeaderMap,
    answered: &mut StatusCode,
) -> Result<(), Problem> {
    if let Some(text) = headers {
        let own = read(text).ok_or_else(|| {
            let message =
                "response.headers guc must be a JSON array composed of objects with a single key and a string value";
            Problem::new(GUC_HEADERS, message)
        })?;
        for (name, _) in &own {
            answer.remove(name);
        }
        for (name, value) in own {
            answer.append(name, value);
        }
    }
    if let Some(text) = status {
        let number = text.trim().parse().ok().and_then(|number| StatusCode::from_u16(number).ok());
        *answered =
            number.ok_or_else(|| Problem::new(GUC_STATUS, "response.status guc must be a valid status code"))?;
    }
    Ok(())
}

fn read(text: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let list: Vec<serde_json::Map<String, Value>> = serde_json::from_str(text).ok()?;
    list.iter()
        .map(|object| {
            let mut members = object.iter();
            let (Some((name, Value::String(value))), None) = (members.next(), members.next()) else { return None };
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: Option<&str>, status: Option<&str>) -> Result<(HeaderMap, u16), String> {
        let mut answer = HeaderMap::new();
        answer.insert("content-type", HeaderValue::from_static("application/json"));
        let mut answered = StatusCode::OK;
        apply(headers, status, &mut answer, &mut answered).map_err(|problem| problem.name().to_owned())?;
        Ok((answer, answered.as_u16()))
    }

    #[test]
    fn headers_and_status_are_replaced() {
        let text = r#"[{"Set-Cookie":"a"},{"Set-Cookie":"b"},{"Content-Type":"text/html"}]"#;
        let (headers, status) = check(Some(text), Some("418")).unwrap();
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(
            (headers["content-type"].as_bytes(), headers.get_all("content-type").iter().count(), status),
            (&b"text/html"[..], 1, 418)
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in ["{}", r#"[{"a":"b","c":"d"}]"#, r#"[{"a":1}]"#, "[{}]", "x", r#"["a"]"#, r#"[{"a b":"c"}]"#] {
            assert_eq!(check(Some(text), None).unwrap_err(), "PGRST111", "{text}");
        }
        for text in ["abc", "99", "2000"] {
            assert_eq!(check(None, Some(text)).unwrap_err(), "PGRST112", "{text}");
        }
    }
}

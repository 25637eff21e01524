//! What a transaction knows of its request: the role, and the settings that SQL reads by `current_setting`.

use std::collections::BTreeMap;

use http::header::COOKIE;
use http::{HeaderMap, request};

use super::ask::Ask;
use super::caller::Caller;
use crate::catalog::{Catalog, Name};
use crate::settings::Settings;
use crate::sql::Sql;

/// The settings of a transaction, the role early among them: what follows is set as that role.
pub(super) fn settings(
    settings: &Settings,
    catalog: &Catalog,
    head: &request::Parts,
    path: &str,
    caller: &Caller,
    ask: &Ask<'_>,
    own: &[(String, String)],
) -> Vec<(String, String)> {
    let set = |name: &str, value: String| (name.to_owned(), value);
    let mut all = vec![set("search_path", search_path(settings, &ask.schema)), set("role", caller.role.clone())];
    if let Some(role) = catalog.role_settings.get(&caller.role) {
        all.extend(role.settings.iter().cloned());
    }
    all.push(set("request.jwt.claims", caller.claims.clone()));
    all.push(set("request.method", head.method.as_str().to_owned()));
    all.push(set("request.path", path.to_owned()));
    all.push(set("request.headers", object(headers(&head.headers))));
    all.push(set("request.cookies", object(cookies(&head.headers))));
    if let Some(zone) = &ask.preferences.timezone {
        all.push(set("timezone", time_zone(zone)));
    }
    all.extend(own.iter().cloned());
    all.extend(settings.app_settings.iter().cloned());
    all
}

/// A zone as the server takes it. It reads hours and minutes as POSIX has them, to the west; where no sign says so, they
/// are meant as everywhere else.
fn time_zone(zone: &str) -> String {
    let is_number = |text: &str| matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    match zone.split_once(':') {
        Some((hours, minutes)) if is_number(hours) && is_number(minutes) => format!("-{zone}"),
        _ => zone.to_owned(),
    }
}

fn search_path(settings: &Settings, schema: &str) -> String {
    let mut path = Sql::new();
    let schemas = std::iter::once(schema).chain(settings.extra_search_path.iter().map(String::as_str));
    path.join(
        ", ",
        schemas.map(|schema| {
            let mut name = Sql::new();
            name.name(&Name::new("", schema));
            name
        }),
    );
    path.finish().0
}

fn object(members: BTreeMap<String, String>) -> String {
    serde_json::to_string(&members).unwrap_or_else(|_| "{}".to_owned())
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).replace('\0', "");
    let others = headers.iter().filter(|(name, _)| *name != COOKIE);
    others.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn cookies(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = headers.get(COOKIE).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    let pairs = text.split(';').map(str::trim_start).filter(|pair| !pair.is_empty());
    let of = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    pairs.map(of).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn hours_without_a_sign_are_to_the_east() {
        for (zone, expected) in
            [("05:30", "-05:30"), ("5:30", "-5:30"), ("+05:30", "+05:30"), ("-3", "-3"), ("5", "5"), ("UTC", "UTC")]
        {
            assert_eq!(time_zone(zone), expected);
        }
    }

    #[test]
    fn headers_and_cookies_are_objects() {
        let mut map = HeaderMap::new();
        map.append("X-One", HeaderValue::from_static("a\"b"));
        map.append("x-one", HeaderValue::from_static("c"));
        map.append("cookie", HeaderValue::from_static("a=1; b=x=y;c"));
        assert_eq!(object(headers(&map)), r#"{"x-one":"c"}"#);
        assert_eq!(object(cookies(&map)), r#"{"a":"1","b":"x=y","c":""}"#);
    }
}

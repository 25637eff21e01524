//! What came of a request → status, headers, body.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, LOCATION, VARY,
    WARNING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, request};
use mainstay_http::{AnswerBody, Problem, codes};
use mainstay_query::parse::prefer::{CountPreference, Handling, Missing, Preferences, Return, TxEnd};
use mainstay_query::request::Resolution;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::ask::{Ask, Deed};
use super::route::Route;
use super::settled;
use crate::catalog::{Catalog, Name, Relation};
use crate::plan::Prepared;
use crate::run::Outcome;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
/// Who warns.
const AGENT: &str = "PostgRESTv16.1";
/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An answer in the making.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The answer to a request that was run.
///
/// # Errors
/// PGRST103 for a page beyond the last row; PGRST111 and 112.
pub(super) fn answer(
    catalog: &Catalog,
    head: &request::Parts,
    ask: &Ask<'_>,
    prepared: &Prepared,
    outcome: Outcome,
) -> Result<Response<AnswerBody>, Problem> {
    let is_head = matches!(ask.deed, Deed::Read { is_head: true });
    let mut answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() };
    let Outcome { ref headers, ref status, .. } = outcome;
    let (own_headers, own_status) = (headers.clone(), status.clone());
    if prepared.plan().is_some() {
        answer.content(ask, prepared);
        answer.body = outcome.body;
    } else {
        match (&ask.route, ask.deed) {
            (Route::Relation(name), Deed::Read { .. }) => answer.read(head, ask, prepared, outcome, name)?,
            (Route::Relation(name), _) => {
                let relation = catalog.relations.get(&Name::new(ask.schema.as_str(), &**name));
                answer.write(ask, prepared, outcome, name, relation);
            }
            _ => answer.call(ask, prepared, outcome)?,
        }
    }
    if !prepared.legacy.is_empty() {
        answer.put(WARNING, &legacy_warning(&prepared.legacy));
    }
    answer.headers.insert(VARY, HeaderValue::from_static("Accept, Prefer, Range"));
    settled::apply(own_headers.as_deref(), own_status.as_deref(), &mut answer.headers, &mut answer.status)?;
    let mut response = Response::new(AnswerBody::default());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if !is_head {
        *response.body_mut() = AnswerBody::whole(answer.body);
    }
    Ok(response)
}

impl Answer {
    /// What is in the body, and of which schema.
    fn content(&mut self, ask: &Ask<'_>, prepared: &Prepared) {
        self.put(CONTENT_TYPE, &prepared.chosen.content_type);
        if ask.tells_schema {
            self.put(CONTENT_PROFILE, &ask.schema);
        }
    }

    fn put(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.headers.insert(name, value);
        }
    }

    /// The page's status and `Content-Range`.
    fn page(&mut self, ask: &Ask<'_>, outcome: &Outcome) -> Result<(), Problem> {
        let (first, rows) = (ask.offset(), outcome.rows);
        let range = content_range(first, rows, outcome.total);
        self.put(CONTENT_RANGE, &range);
        self.status = match outcome.total {
            None => StatusCode::OK,
            Some(total) if first > total => {
                let details = format!("An offset of {first} was requested, but there are only {total} rows.");
                return Err(Problem::new(codes::RANGE, "Requested range not satisfiable").details(details));
            }
            Some(total) if rows < total => StatusCode::PARTIAL_CONTENT,
            Some(_) => StatusCode::OK,
        };
        Ok(())
    }

    fn read(
        &mut self,
        head: &request::Parts,
        ask: &Ask<'_>,
        prepared: &Prepared,
        outcome: Outcome,
        name: &str,
    ) -> Result<(), Problem> {
        let place = format!("/{name}{}", canonical(head.uri.query().unwrap_or_default()));
        self.put(CONTENT_LOCATION, &place);
        self.applied(&ask.preferences, Relevant::default());
        self.page(ask, &outcome).map_err(|problem| self.beyond(problem))?;
        self.content(ask, prepared);
        self.body = outcome.body;
        Ok(())
    }

    /// The error of a page beyond the last row: the rows were read, so what is said of them is said of it as well.
    fn beyond(&self, problem: Problem) -> Problem {
        let said = self.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let vary = (VARY, HeaderValue::from_static("Accept, Prefer, Range"));
        said.chain([vary]).fold(problem, |problem, (name, value)| problem.header(name, value))
    }

    fn call(&mut self, ask: &Ask<'_>, prepared: &Prepared, outcome: Outcome) -> Result<(), Problem> {
        self.applied(&ask.preferences, Relevant { affected: true, ..Relevant::default() });
        self.page(ask, &outcome).map_err(|problem| self.beyond(problem))?;
        if prepared.is_void {
            self.status = StatusCode::NO_CONTENT;
            return Ok(());
        }
        self.content(ask, prepared);
        self.body = outcome.body;
        Ok(())
    }

    fn write(&mut self, ask: &Ask<'_>, prepared: &Prepared, outcome: Outcome, name: &str, relation: Option<&Relation>) {
        let preferences = &ask.preferences;
        let is_counted = matches!(preferences.count, Some(CountPreference::Exact | CountPreference::Estimated));
        let (rows, total) = (outcome.rows, is_counted.then_some(outcome.rows));
        let is_shown = preferences.answer == Some(Return::Representation);
        let is_new = outcome.inserted.unwrap_or(0) > 0;
        match ask.deed {
            Deed::Insert => {
                self.put(CONTENT_RANGE, &content_range(0, 0, total));
                let is_merged = preferences.resolution == Some(Resolution::Merge);
                let is_old = is_merged && outcome.inserted.unwrap_or(rows) == 0;
                self.status = if is_old { StatusCode::OK } else { StatusCode::CREATED };
                if let (Some(parts), Some(relation)) = (&outcome.location, relation) {
                    self.put(LOCATION, &location(name, relation, parts));
                }
            }
            Deed::Replace => {
                self.status = match (is_shown, is_new) {
                    (false, _) => StatusCode::NO_CONTENT,
                    (true, true) => StatusCode::CREATED,
                    (true, false) => StatusCode::OK,
                };
            }
            Deed::Update => self.put(CONTENT_RANGE, &content_range(0, rows, total)),
            _ => self.put(CONTENT_RANGE, &content_range(0, 0, total)),
        }
        if matches!(ask.deed, Deed::Update | Deed::Delete) && !is_shown {
            self.status = StatusCode::NO_CONTENT;
        }
        let has_key = relation.is_some_and(|relation| !relation.primary_key.is_empty());
        self.applied(
            preferences,
            Relevant {
                resolution: ask.deed == Deed::Insert && (has_key || ask.query.on_conflict.is_some()),
                missing: matches!(ask.deed, Deed::Insert | Deed::Update),
                answer: true,
                affected: matches!(ask.deed, Deed::Update | Deed::Delete),
            },
        );
        if is_shown {
            self.content(ask, prepared);
            self.body = outcome.body;
        }
    }

    /// Tells which preferences were met.
    fn applied(&mut self, preferences: &Preferences, relevant: Relevant) {
        let mut words: Vec<String> = Vec::new();
        let mut word = |text: &str| words.push(text.to_owned());
        match preferences.resolution.filter(|_| relevant.resolution) {
            Some(Resolution::Merge) => word("resolution=merge-duplicates"),
            Some(Resolution::Ignore) => word("resolution=ignore-duplicates"),
            None => {}
        }
        match preferences.missing.filter(|_| relevant.missing) {
            Some(Missing::Default) => word("missing=default"),
            Some(Missing::Null) => word("missing=null"),
            None => {}
        }
        match preferences.answer.filter(|_| relevant.answer) {
            Some(Return::Minimal) => word("return=minimal"),
            Some(Return::HeadersOnly) => word("return=headers-only"),
            Some(Return::Representation) => word("return=representation"),
            None => {}
        }
        match preferences.count {
            Some(CountPreference::Exact) => word("count=exact"),
            Some(CountPreference::Planned) => word("count=planned"),
            Some(CountPreference::Estimated) => word("count=estimated"),
            None => {}
        }
        match preferences.tx {
            Some(TxEnd::Commit) => word("tx=commit"),
            Some(TxEnd::Rollback) => word("tx=rollback"),
            None => {}
        }
        match preferences.handling {
            Some(Handling::Strict) => word("handling=strict"),
            Some(Handling::Lenient) => word("handling=lenient"),
            None => {}
        }
        if let Some(zone) = &preferences.timezone {
            word(&format!("timezone={zone}"));
        }
        if let Some(most) = preferences.max_affected.filter(|_| relevant.affected && preferences.is_strict()) {
            word(&format!("max-affected={most}"));
        }
        if !words.is_empty() {
            self.put(PREFERENCE_APPLIED, &words.join(", "));
        }
    }
}

/// Which preferences mean something for a request.
#[derive(Default)]
struct Relevant {
    resolution: bool,
    missing: bool,
    answer: bool,
    affected: bool,
}

/// What is said to a query that calls embeds by their targets although they have aliases.
fn legacy_warning(pairs: &[(Arc<str>, Arc<str>)]) -> String {
    let updates: Vec<String> = pairs.iter().map(|(target, alias)| format!("`{target}` to `{alias}`")).collect();
    format!(
        "299 {AGENT} \"Embedded resource was referenced by relation name even though it has an alias. This is deprecated \
         and will stop working in a future release. Update {} in query string filters, orders or limits.\"",
        updates.join(", ")
    )
}

/// `first-last/total`.
fn content_range(first: u64, rows: u64, total: Option<u64>) -> String {
    let rows = match rows {
        _ if total == Some(0) => "*".to_owned(),
        0 => "*".to_owned(),
        rows => format!("{first}-{}", first + rows - 1),
    };
    match total {
        Some(total) => format!("{rows}/{total}"),
        None => format!("{rows}/*"),
    }
}

/// Where the row is that was inserted.
fn location(name: &str, relation: &Relation, parts: &[String]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs = relation.primary_key.iter().zip(parts);
    let pairs: Vec<String> = pairs.map(|(column, part)| format!("{}={}", encoded(column), encoded(part))).collect();
    format!("/{name}?{}", pairs.join("&"))
}

/// The parameters sorted by their names and encoded anew, those of one name as one.
fn canonical(query: &str) -> String {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
    for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => parameters.push((name, vec![value])),
        }
    }
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    let encoded = |text: &String| utf8_percent_encode(text, ENCODED).to_string();
    let mut out = String::new();
    for (name, values) in &parameters {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(&format!("{}={}", encoded(name), values.iter().map(encoded).collect::<Vec<_>>().join(",")));
    }
    out
}

/// The answer to `OPTIONS`.
pub(super) fn info(catalog: &Catalog, ask: &Ask<'_>) -> Response<AnswerBody> {
    let of = |name: &str| Name::new(ask.schema.as_str(), name);
    let allow = match &ask.route {
        Route::Root => "OPTIONS,GET,HEAD".to_owned(),
        Route::Function(name) => {
            let overloads = catalog.functions.get(&of(name)).map_or(&[][..], Vec::as_slice);
            let is_volatile =
                overloads.iter().all(|function| function.volatility == crate::catalog::Volatility::Volatile);
            if is_volatile { "OPTIONS,POST" } else { "OPTIONS,GET,HEAD,POST" }.to_owned()
        }
        Route::Relation(name) => {
            let mut methods = vec!["OPTIONS,GET,HEAD"];
            if let Some(relation) = catalog.relations.get(&of(name)) {
                let is_keyed = !relation.primary_key.is_empty();
                methods.extend(relation.insertable.then_some("POST"));
                methods.extend((relation.insertable && relation.updatable && is_keyed).then_some("PUT"));
                methods.extend(relation.updatable.then_some("PATCH"));
                methods.extend(relation.deletable.then_some("DELETE"));
            }
            methods.join(",")
        }
    };
    let mut response = Response::new(AnswerBody::default());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Prefer, Range"));
    if let Ok(allow) = HeaderValue::try_from(allow) {
        headers.insert(ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_from_zero() {
        for (first, rows, total, expected) in [
            (0, 3, None, "0-2/*"),
            (5, 3, Some(20), "5-7/20"),
            (0, 0, None, "*/*"),
            (0, 0, Some(0), "*/0"),
            (4, 0, Some(4), "*/4"),
        ] {
            assert_eq!(content_range(first, rows, total), expected);
        }
    }

    #[test]
    fn parameters_are_sorted_and_encoded() {
        for (query, expected) in [
            ("", ""),
            ("year=gt.2000&select=id,title", "?select=id%2Ctitle&year=gt.2000"),
            ("a=2&b=x+y&a=1", "?a=2,1&b=x%20y"),
            ("b=2;a=1", "?a=1&b=2"),
            ("n=eq.%C3%A9&empty", "?empty=&n=eq.%C3%A9"),
        ] {
            assert_eq!(canonical(query), expected, "{query}");
        }
    }
}

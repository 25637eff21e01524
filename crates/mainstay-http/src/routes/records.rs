//! `/rest/v1/{table}`: rows of a table or view.

mod lines;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, LOCATION, VARY, WARNING,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Version, request};
use mainstay_engine::{Context, Error, ReadAnswer, Request, Stage, WriteAnswer};
use mainstay_query::parse::prefer::{CountPreference, Preferences};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{Check, Shape};
use mainstay_query::request::{Action, Query, ReadRequest, Resolution, WriteRequest};
use mainstay_store::StoreError;

use super::conditional::{self, Conditional, Outcome};
use super::legacy;
use super::media::Media;
use super::precondition::{self, Preconditions, Tags};
use super::prefer::{self, PREFERENCE_APPLIED, Relevance};
use super::query;
use super::translate::{Asked, METHODS, METHODS_KEYLESS, METHODS_READ, SCHEMA, name_profile, translate};
use super::{VARIES, options};
use crate::app::App;
use crate::body::AnswerBody;
use crate::edge::Answer;
use crate::encode::zoned::Zone;
use crate::encode::{self, KeySink, Sink, Tag};
use crate::errors::Problem;
use crate::errors::codes::{NOT_IMPLEMENTED, RANGE, UNKNOWN_TABLE};
use crate::errors::singular;

/// The place after the last row of a page by key, for `after` of the next one.
pub(crate) const NEXT_AFTER: HeaderName = HeaderName::from_static("next-after");

/// The stores from which an answer was joined, that of its rows first: it is no one snapshot of them.
const STORES: HeaderName = HeaderName::from_static("mainstay-stores");

/// The names of the stores, if an answer was joined from several.
fn stores(context: &Context) -> Option<HeaderValue> {
    let names = context.joined_stores();
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(", ")).ok() }
}

/// A request for the rows of one table.
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) context: &'a Context,
    pub(super) head: &'a request::Parts,
    pub(super) preferences: Preferences,
    pub(super) table: &'a str,
}

/// Answers one request of any method.
pub(crate) async fn answer(
    app: &App,
    context: &Context,
    head: &request::Parts,
    table: &str,
    body: Bytes,
) -> Result<Answer, Problem> {
    let preferences = prefer::read(&head.headers);
    let asked = translate(head, table, body, &preferences, app.engine.limits())?;
    context.note(Stage::Parse);
    let call = Call { app, context, head, preferences, table };
    match asked {
        Asked::Options => call.options(table),
        Asked::Read(request) => call.read(request).await,
        Asked::Write(request) => Box::pin(call.write(request)).await,
    }
}

impl Call<'_> {
    /// `OPTIONS`: what can be done to the table.
    fn options(&self, table: &str) -> Result<Answer, Problem> {
        let schema = self.app.engine.schema();
        let Some(table) = schema.find(table).filter(|table| !table.internal) else {
            let message = format!("Could not find the table '{SCHEMA}.{table}' in the schema cache");
            return Err(Problem::new(UNKNOWN_TABLE, message));
        };
        let mut response = options(match (table.is_writable(), table.primary_key.is_empty()) {
            (true, false) => METHODS,
            (true, true) => METHODS_KEYLESS,
            (false, _) => METHODS_READ,
        });
        // Clients compare Allow with what PostgREST sends, so the method QUERY is told by a header of its own.
        response.headers_mut().insert(query::ACCEPT_QUERY, HeaderValue::from_static(query::FORM));
        Ok(response)
    }

    /// `GET` and `HEAD`: rows.
    async fn read(&self, mut request: ReadRequest) -> Result<Answer, Problem> {
        let is_head = self.head.method == Method::HEAD;
        let negotiated = Media::negotiate(&self.head.headers);
        let checked = negotiated.and_then(|media| Ok((media, prefer::check(&self.preferences)?)));
        let (media, zone) = match checked {
            Ok(checked) => checked,
            Err(problem) => return Err(self.unless_refused(Request::Read(request), problem)),
        };
        if let Media::Lines { nulls, .. } = media {
            request.unpaged = true;
            // Before HTTP/1.1 an answer without a length ends with its connection, so nobody could tell one that was cut
            // from one that is whole.
            let is_plain = zone.is_none() && Preconditions::read(&self.head.headers).is_empty();
            if !is_head && is_plain && self.head.version > Version::HTTP_10 {
                return Box::pin(self.read_lines(request, media, nulls)).await;
            }
        }
        if media == Media::XmlSchema {
            request.limit_to(0);
        }
        let bytes_max = self.app.limits.response_bytes_max;
        // The tag of an answer to HEAD is that of its rows. Any number of lines has none.
        let is_counted = is_head && matches!(media, Media::Lines { .. });
        let make =
            |shape: &Shape| if is_counted { Sink::Nothing } else { media.sink_in(shape, bytes_max, zone.as_ref()) };
        let answer = self.app.engine.read(self.context, &request, make).await;
        let answer = answer.map_err(|error| Problem::of(error, &self.context.actor))?;
        self.rows(&request, media, answer)
    }

    /// The answer that holds these rows.
    fn rows(&self, request: &ReadRequest, media: Media, answer: ReadAnswer<Sink>) -> Result<Answer, Problem> {
        let (status, range) = page(&request.query, answer.rows, answer.total)?;
        if media.is_single() && answer.rows != 1 {
            return Err(singular(answer.rows));
        }
        let mut response = self.success(status);
        response.headers_mut().insert(CONTENT_RANGE, range);
        if let Some(Ok(next)) = answer.next.as_deref().map(HeaderValue::try_from) {
            response.headers_mut().insert(NEXT_AFTER, next);
        }
        self.put_warning(&mut response, &request.query);
        self.put_location(&mut response, request);
        if let Sink::Nothing = answer.sink {
            self.put_type(&mut response, media);
            return Ok(response);
        }
        let body = media.body(answer.sink)?;
        let tag = tag_of(media, &body);
        let conditions = Preconditions::read(&self.head.headers);
        if !conditions.holds_wanted(tag, answer.rows) {
            return Err(precondition::failed());
        }
        if let Some(tag) = tag.header() {
            response.headers_mut().insert(ETAG, tag);
        }
        if conditions.holds_unwanted(tag, answer.rows) {
            self.put_body(&mut response, &request.table, media, body);
        } else {
            // The caller has these rows already.
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(CONTENT_RANGE);
        }
        Ok(response)
    }

    /// `POST`, `PUT`, `PATCH` and `DELETE`.
    async fn write(&self, mut request: WriteRequest) -> Result<Answer, Problem> {
        let checked = prefer::check(&self.preferences);
        let (media, zone) = match checked.and_then(|zone| Ok((Media::negotiate(&self.head.headers)?, zone))) {
            Ok(checked) => checked,
            Err(problem) => return Err(self.unless_refused(Request::Write(request), problem)),
        };
        request.singular = media.is_single();
        let conditions = Preconditions::read(&self.head.headers);
        let rolls_back = self.app.answers.tx_end.rolls_back(&self.preferences);
        let answer = if conditions.is_empty() && !rolls_back {
            let make = |shape: &Shape| write_sink(&request, media, zone.as_ref(), shape);
            let answer = self.app.engine.write(self.context, &request, make).await;
            answer.map_err(|error| Problem::of(error, &self.context.actor))?
        } else {
            Box::pin(self.write_if(&mut request, conditions, media, zone, rolls_back)).await?
        };

        let mut response = self.success(write_status(&request, &answer));
        response.headers_mut().insert(CONTENT_RANGE, write_range(&self.preferences, &request, answer.affected));
        match answer.sink {
            Some(Sink::Key(sink)) => {
                if let Some(location) = location(&request.table, sink, answer.inserted) {
                    response.headers_mut().insert(LOCATION, location);
                }
            }
            Some(sink) => {
                self.put_body(&mut response, &request.table, media, media.body(sink)?);
                self.put_warning(&mut response, &request.query);
            }
            None => {}
        }
        Ok(response)
    }

    /// Writes in a transaction that reads first what a `GET` of the same URL would give, or that undoes all in the end.
    async fn write_if(
        &self,
        request: &mut WriteRequest,
        mut conditions: Preconditions,
        media: Media,
        zone: Option<Zone>,
        rolls_back: bool,
    ) -> Result<WriteAnswer<Sink>, Problem> {
        let inserts_only = insert_only(request, &mut conditions)?;
        let read = match conditions.is_empty() {
            true => None,
            false => {
                let text = self.head.uri.query().unwrap_or_default();
                let query = parse::query(Purpose::Read, text, self.app.engine.limits())?;
                Some(ReadRequest { table: request.table.clone(), query, ..ReadRequest::default() })
            }
        };
        let bytes_max = self.app.limits.response_bytes_max;
        let sequence = Conditional::new(conditions, read, request.clone(), media, zone, bytes_max, rolls_back);
        let done = self.app.engine.run(self.context, sequence).await;
        let refused = |error: Error| match (&error, inserts_only) {
            (Error::Store(StoreError::Duplicate { columns, .. }), true) if self.is_target(request, columns) => {
                precondition::failed()
            }
            _ => Problem::of(error, &self.context.actor),
        };
        match done.map_err(&refused)?.outcome() {
            Outcome::Written(answer) => Ok(*answer),
            Outcome::Failed => Err(precondition::failed()),
            Outcome::Refused(error) => Err(refused(error)),
            Outcome::TooLarge(error) => Err(error.into()),
            Outcome::Broken => Err(conditional::broken()),
        }
    }

    /// Whether these columns are the key that an insert goes by.
    fn is_target(&self, request: &WriteRequest, columns: &[Arc<str>]) -> bool {
        let schema = self.app.engine.schema();
        let Some(table) = schema.find(&request.table) else { return false };
        let key: Vec<&str> = match &request.query.on_conflict {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => table.primary_key.iter().map(|column| &*table.column(*column).name).collect(),
        };
        key.len() == columns.len() && columns.iter().all(|column| key.contains(&&**column))
    }

    /// Which preferences are relevant.
    pub(super) fn relevance(&self) -> Relevance {
        let tx = self.app.answers.tx_end.allows_override();
        let has_key = || {
            let schema = self.app.engine.schema();
            schema.find(self.table).is_some_and(|table| !table.primary_key.is_empty())
        };
        let names_key = || self.head.uri.query().is_some_and(|query| query.contains("on_conflict="));
        let resolution = self.preferences.resolution.is_some() && (has_key() || names_key());
        Relevance { tx, resolution }
    }

    /// The problem, unless a check that comes before it refuses the request.
    pub(super) fn unless_refused(&self, request: Request, problem: Problem) -> Problem {
        match self.app.engine.check(self.context, &request) {
            Err(error @ Error::Parse(_)) => Problem::of(error, &self.context.actor),
            Err(Error::Plan(error)) if error.check() < Check::Work => Problem::of(error.into(), &self.context.actor),
            Ok(()) | Err(_) => problem,
        }
    }

    /// Says where these rows are, in the canonical form of the request.
    fn put_location(&self, response: &mut Answer, request: &ReadRequest) {
        let location = encode::content_location(&request.table, query::text(self.head));
        if query::is_in_body(self.head) && location.len() > self.app.limits.url_bytes_max {
            return; // No URL of ours leads there.
        }
        if let Ok(location) = HeaderValue::from_maybe_shared(location) {
            response.headers_mut().insert(CONTENT_LOCATION, location);
        }
    }

    /// Says that an embed is called by its target although it has an alias.
    pub(super) fn put_warning(&self, response: &mut Answer, query: &Query) {
        if let Some(warning) = legacy::warning(query) {
            response.headers_mut().insert(WARNING, warning);
        }
    }

    /// An answer with the headers that all successes have.
    pub(super) fn success(&self, status: StatusCode) -> Answer {
        let mut response = Response::new(AnswerBody::default());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(16);
        headers.insert(VARY, VARIES);
        if let Some(names) = stores(self.context) {
            headers.insert(STORES, names);
        }
        if let Some(applied) = prefer::applied(&self.preferences, &self.head.method, self.relevance()) {
            headers.insert(PREFERENCE_APPLIED, applied);
        }
        response
    }

    /// Puts a body and what describes it into the answer; `name` is that of the table or function. `HEAD` gets the
    /// description alone.
    pub(super) fn put_body(&self, response: &mut Answer, name: &str, media: Media, body: Bytes) {
        self.put_type(response, media);
        if let Media::Csv { .. } = media {
            // Nothing that a browser opens by itself, in the program that would run what it takes for formulas.
            let value = format!("attachment; {}", encode::file_name(name, "csv"));
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
        }
        if self.head.method != Method::HEAD {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = AnswerBody::whole(body);
        }
    }

    /// Says what the body is.
    fn put_type(&self, response: &mut Answer, media: Media) {
        response.headers_mut().insert(CONTENT_TYPE, media.content_type());
        name_profile(self.head, response.headers_mut());
    }
}

/// The sink for what a write gives back.
pub(super) fn write_sink(request: &WriteRequest, media: Media, zone: Option<&Zone>, shape: &Shape) -> Sink {
    match request.representation {
        // No limit: the write is durable by the time that the rows are written out, and must not look failed.
        true => media.sink_in(shape, usize::MAX, zone),
        false => Sink::Key(KeySink::new(shape)),
    }
}

/// The `Location` of the one row that was inserted, if it was one.
pub(super) fn location(table: &str, key: KeySink, inserted: u64) -> Option<HeaderValue> {
    let key = key.single().filter(|_| inserted == 1)?;
    HeaderValue::from_maybe_shared(encode::location(table, &key)).ok()
}

/// The tag of a body in this form.
pub(super) fn tag_of(media: Media, body: &[u8]) -> Tag {
    Tag::of(body, matches!(media, Media::Array(_)))
}

/// Takes the conditions of a `POST`, which has no rows of its own to be compared: `If-None-Match: *` makes an upsert a
/// plain insert, and nothing else has a meaning. Answers whether it is one.
fn insert_only(request: &mut WriteRequest, conditions: &mut Preconditions) -> Result<bool, Problem> {
    let Action::Insert { resolution, .. } = &mut request.action else { return Ok(false) };
    let refused = |details: &str| Problem::new(NOT_IMPLEMENTED, "Feature not implemented").details(details);
    if conditions.wanted.is_some() {
        return Err(refused("If-Match has no meaning for a POST: PUT, PATCH and DELETE take it."));
    }
    match conditions.unwanted.take() {
        None => Ok(false),
        Some(Tags::Any) => {
            *resolution = None;
            Ok(true)
        }
        Some(Tags::List(_)) => Err(refused("If-None-Match of a POST can only be *.")),
    }
}

/// The `Content-Range` of a write: which of the affected rows are there, and how many when that was asked.
pub(super) fn write_range(preferences: &Preferences, request: &WriteRequest, affected: u64) -> HeaderValue {
    // A guess at how many rows were written makes no sense.
    let is_counted = !matches!(preferences.count, None | Some(CountPreference::Planned));
    let total = is_counted.then_some(affected);
    match request.action {
        Action::Update { .. } => range_value(0, affected, total),
        Action::Insert { .. } | Action::Replace { .. } | Action::Delete => range_value(0, 0, total),
    }
}

/// Status of a write.
pub(super) fn write_status(request: &WriteRequest, answer: &WriteAnswer<Sink>) -> StatusCode {
    match &request.action {
        Action::Insert { resolution: Some(Resolution::Merge), .. } if answer.inserted == 0 => StatusCode::OK,
        Action::Insert { .. } => StatusCode::CREATED,
        Action::Replace { .. } if request.representation && answer.inserted > 0 => StatusCode::CREATED,
        Action::Replace { .. } | Action::Update { .. } | Action::Delete if request.representation => StatusCode::OK,
        Action::Replace { .. } | Action::Update { .. } | Action::Delete => StatusCode::NO_CONTENT,
    }
}

/// Status and `Content-Range` of a page of rows, if there can be one at its offset.
pub(super) fn page(query: &Query, rows: u64, total: Option<u64>) -> Result<(StatusCode, HeaderValue), Problem> {
    let offset = offset(query);
    match total {
        Some(total) if offset > total => {
            let details = format!("An offset of {offset} was requested, but there are only {total} rows.");
            Err(Problem::new(RANGE, "Requested range not satisfiable").details(details))
        }
        total => Ok(page_of(query, rows, total)),
    }
}

/// Status and `Content-Range` of a page of rows, wherever it lies.
pub(super) fn page_of(query: &Query, rows: u64, total: Option<u64>) -> (StatusCode, HeaderValue) {
    // After a place it is not known how many rows come before.
    let is_placed = query.after.as_deref().is_some_and(|token| !token.is_empty());
    let range = range_value(offset(query), if is_placed { 0 } else { rows }, total);
    let is_part = total.is_some_and(|total| rows < total);
    (if is_part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }, range)
}

fn offset(query: &Query) -> u64 {
    query.offset.iter().find(|offset| offset.path.is_empty()).map_or(0, |offset| offset.what)
}

/// `first-last/total`, with stars for what is not there or not known.
pub(super) fn range_value(first: u64, rows: u64, total: Option<u64>) -> HeaderValue {
    if rows == 0 && total.is_none() {
        return HeaderValue::from_static("*/*");
    }
    let mut digits = itoa::Buffer::new();
    let mut text = Vec::with_capacity(24);
    if rows == 0 {
        text.push(b'*');
    } else {
        text.extend_from_slice(digits.format(first).as_bytes());
        text.push(b'-');
        text.extend_from_slice(digits.format(first.saturating_add(rows - 1)).as_bytes());
    }
    text.push(b'/');
    text.extend_from_slice(total.map_or("*", |total| digits.format(total)).as_bytes());
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("*/*"))
}

#[cfg(test)]
mod tests {
    use mainstay_query::request::Located;

    use super::*;

    fn check(offset: u64, rows: u64, total: Option<u64>, expected: Result<(u16, &str), u16>) {
        let query = Query { offset: vec![Located { path: Vec::new(), what: offset }], ..Query::default() };
        let found = page(&query, rows, total);
        let found = found.as_ref().map(|(status, range)| (status.as_u16(), range.to_str().unwrap()));
        assert_eq!(found.map_err(|problem| problem.status().as_u16()), expected, "{offset} {rows} {total:?}");
    }

    #[test]
    fn pages_tell_where_they_lie() {
        check(0, 3, None, Ok((200, "0-2/*")));
        check(0, 0, None, Ok((200, "*/*")));
        check(0, 3, Some(3), Ok((200, "0-2/3")));
        check(0, 3, Some(10), Ok((206, "0-2/10")));
        check(8, 2, Some(10), Ok((206, "8-9/10")));
        check(10, 0, Some(10), Ok((206, "*/10")));
        check(0, 0, Some(0), Ok((200, "*/0")));
        check(11, 0, Some(10), Err(416));
    }
}

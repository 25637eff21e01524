//! `/rest/v1/rpc/{function}`: calls of functions.

mod undone;

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use mainstay_engine::{CallAnswer, Context, Request, Stage};
use mainstay_query::parse::prefer::{Preferences, Return};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::Shape;
use mainstay_query::request::{Arguments, CallRequest, Count, RawKind};
use mainstay_query::{Limits, authorize};
use mainstay_schema::Returns;

use self::undone::Undone;
use super::conditional::broken;
use super::declared::declared;
use super::media::Media;
use super::prefer::{self, PREFERENCE_APPLIED};
use super::query;
use super::records::{self, Call};
use super::translate::{SCHEMA, profile, range_header};
use crate::app::App;
use crate::edge::Answer;
use crate::encode::zoned::Zone;
use crate::encode::{Sink, TooLarge};
use crate::errors::codes::{FUNCTION_METHOD, UNKNOWN_FUNCTION};
use crate::errors::{Problem, singular};

/// Methods of a function that only reads.
pub(super) const METHODS: &str = "OPTIONS,GET,HEAD,POST";
/// Methods of a function that writes.
const METHODS_WRITE: &str = "OPTIONS,POST";

/// Answers one request of any method.
pub(crate) async fn answer(
    app: &App,
    context: &Context,
    head: &request::Parts,
    function: &str,
    body: Bytes,
) -> Result<Answer, Problem> {
    let preferences = relevant(prefer::read(&head.headers), &head.method);
    let asked = translate(head, function, body, &preferences, app.engine.limits())?;
    context.note(Stage::Parse);
    let call = Call { app, context, head, preferences, table: function };
    match asked {
        None => options(&call, function),
        Some(request) => run(&call, request).await,
    }
}

/// The checks of an HTTP request in their order: profile, method, query string, range, body. `None` for `OPTIONS`.
pub(super) fn translate(
    head: &request::Parts,
    function: &str,
    body: Bytes,
    preferences: &Preferences,
    limits: &Limits,
) -> Result<Option<CallRequest>, Problem> {
    profile(&head.method, &head.headers)?;
    let text = query::text(head);
    let (query, arguments) = match head.method {
        Method::OPTIONS => return Ok(None),
        Method::GET | Method::HEAD => {
            let (mut query, arguments) = parse::call(text, limits)?;
            if let Some(range) = range_header(head)? {
                range.narrow(&mut query)?;
            }
            (query, Arguments::Named(arguments))
        }
        Method::POST => (parse::query(Purpose::Call, text, limits)?, arguments_of(&head.headers, body)?),
        ref method => {
            return Err(Problem::new(FUNCTION_METHOD, format!("Cannot use the {method} method on RPC")).allow(METHODS));
        }
    };
    Ok(Some(CallRequest {
        function: function.to_owned(),
        arguments,
        query,
        count: if preferences.count.is_some() { Count::Exact } else { Count::None },
        read_only: head.method != Method::POST,
        // Set once the media type is known.
        singular: false,
        affected_max: preferences.max_affected,
    }))
}

/// The preferences that mean something at a function.
pub(super) fn relevant(preferences: Preferences, method: &Method) -> Preferences {
    Preferences {
        resolution: None,
        missing: None,
        answer: preferences.answer.filter(|_| *method == Method::POST),
        max_affected: preferences.max_affected.filter(|_| preferences.is_strict()),
        ..preferences
    }
}

/// The arguments in the form that the body's type declares.
fn arguments_of(headers: &HeaderMap, body: Bytes) -> Result<Arguments, Problem> {
    let Some(declared) = declared(headers)? else { return Ok(Arguments::Json(body)) };
    let kind = match declared.name.as_str() {
        "application/json" => return Ok(Arguments::Json(body)),
        query::FORM => return Ok(Arguments::Named(parse::form::form(&body)?)),
        "text/plain" => RawKind::Text,
        "text/xml" => RawKind::Xml,
        "application/octet-stream" => RawKind::Bytes,
        _ => return Err(declared.refused()),
    };
    Ok(Arguments::Raw { kind, body })
}

/// `OPTIONS`: how a function can be called.
fn options(call: &Call<'_>, name: &str) -> Result<Answer, Problem> {
    let schema = call.app.engine.schema();
    let mut functions =
        schema.find_functions(name).filter(|function| authorize::may_call(&call.context.actor, function)).peekable();
    if functions.peek().is_none() {
        let message = format!("Could not find the function {SCHEMA}.{name} in the schema cache");
        return Err(Problem::new(UNKNOWN_FUNCTION, message));
    }
    let methods = if functions.all(|function| function.writes) { METHODS_WRITE } else { METHODS };
    let mut response = super::options(methods);
    if methods == METHODS {
        response.headers_mut().insert(query::ACCEPT_QUERY, HeaderValue::from_static(query::FORM));
    }
    Ok(response)
}

/// Calls the function.
async fn run(call: &Call<'_>, mut request: CallRequest) -> Result<Answer, Problem> {
    let negotiated = Media::negotiate(&call.head.headers);
    let (media, zone) = match negotiated.and_then(|media| Ok((media, prefer::check(&call.preferences)?))) {
        Ok(checked) => checked,
        Err(problem) => return Err(call.unless_refused(Request::Call(request), problem)),
    };
    request.singular = media.is_single();
    let is_silent = call.head.method == Method::HEAD || call.preferences.answer == Some(Return::Minimal);
    let bytes_max = call.app.limits.response_bytes_max;
    let make = move |shape: &Shape, returns| sink(media, is_silent, shape, returns, bytes_max, zone.as_ref());
    let refused = |error| Problem::of(error, &call.context.actor);
    let answer = if call.head.method == Method::POST && call.app.answers.tx_end.rolls_back(&call.preferences) {
        let undone = Undone::new(request.clone(), make);
        let outcome = call.app.engine.run(call.context, undone).await.map_err(refused)?.outcome();
        outcome.ok_or_else(broken)?.map_err(refused)?
    } else {
        call.app.engine.call(call.context, &request, make).await.map_err(refused)?
    };
    respond(call, &request, media, answer)
}

/// The sink for what a function gives back, timestamps in a zone if there is one.
pub(super) fn sink(
    media: Media,
    is_silent: bool,
    shape: &Shape,
    returns: Returns,
    bytes_max: usize,
    zone: Option<&Zone>,
) -> Sink {
    let sink = match (media.sink(shape, bytes_max), returns) {
        _ if is_silent => return Sink::Nothing,
        (Sink::Json(sink), Returns::Value { .. }) => Sink::Json(sink.bare()),
        (sink, _) => sink,
    };
    sink.zoned(shape, zone)
}

/// Status, if there is a body, and `Content-Range` of what a function gave back.
pub(super) fn page(
    request: &CallRequest,
    media: Media,
    answer: &CallAnswer<Sink>,
) -> Result<(StatusCode, HeaderValue), Problem> {
    let CallAnswer { returns, rows, total, writes, .. } = answer;
    if !returns.is_many() {
        return Ok((StatusCode::OK, records::range_value(0, *rows, *total)));
    }
    // What writes is durable by now, so only a read may still be refused.
    if *writes {
        return Ok(records::page_of(&request.query, *rows, *total));
    }
    let page = records::page(&request.query, *rows, *total)?;
    if media.is_single() && *rows != 1 { Err(singular(*rows)) } else { Ok(page) }
}

/// The body with what a function gave back; `None` if it has none.
pub(super) fn body(media: Media, answer: CallAnswer<Sink>) -> Result<Option<Bytes>, TooLarge> {
    let is_many = answer.returns.is_many();
    Ok(match answer.sink.map(Sink::innermost) {
        None | Some(Sink::Nothing) => None,
        // One row or value that is not there.
        Some(Sink::Json(_)) if !is_many && answer.rows == 0 => Some(Bytes::from_static(b"null")),
        Some(Sink::Json(sink)) if !is_many => Some(sink.finish_single()?),
        Some(sink) => Some(media.body(sink)?),
    })
}

fn respond(call: &Call<'_>, request: &CallRequest, media: Media, answer: CallAnswer<Sink>) -> Result<Answer, Problem> {
    let is_head = call.head.method == Method::HEAD;
    let (status, range) = page(request, media, &answer)?;
    let gives_rows = answer.sink.is_some();
    let body = body(media, answer)?;
    let is_empty = body.is_none() && !is_head;
    let mut response = call.success(if is_empty { StatusCode::NO_CONTENT } else { status });
    // What is relevant was picked out already, and PATCH is the method at which all of it is.
    if let Some(applied) = prefer::applied(&call.preferences, &Method::PATCH, call.relevance()) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    response.headers_mut().insert(CONTENT_RANGE, range);
    match body {
        Some(body) => {
            call.put_body(&mut response, &request.function, media, body);
            call.put_warning(&mut response, &request.query);
        }
        None if is_head && gives_rows => call.put_body(&mut response, &request.function, media, Bytes::new()),
        None => {}
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    /// rest.md 11.1, 13.
    #[test]
    fn the_declared_type_decides_what_the_arguments_are() {
        let check = |declared: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(declared));
            arguments_of(&headers, Bytes::from_static(b"x=1")).map_err(|problem| problem.message().to_owned())
        };
        let body = Bytes::from_static(b"x=1");
        assert_eq!(check("application/json; charset=utf-8"), Ok(Arguments::Json(body.clone())));
        assert_eq!(check("application/x-www-form-urlencoded"), Ok(Arguments::Named(vec![("x".into(), "1".into())])));
        assert_eq!(check("Text/Plain"), Ok(Arguments::Raw { kind: RawKind::Text, body: body.clone() }));
        assert_eq!(check("text/xml"), Ok(Arguments::Raw { kind: RawKind::Xml, body: body.clone() }));
        assert_eq!(check("application/octet-stream"), Ok(Arguments::Raw { kind: RawKind::Bytes, body }));
        assert_eq!(check("text/csv"), Err("Content-Type not acceptable: text/csv".to_owned()));
    }
}

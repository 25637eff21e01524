//! What each step gave, and all of it as JSON.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use mainstay_engine::{CallAnswer, ReadAnswer, WriteAnswer};
use mainstay_query::batch::REFERRED_BYTES_MAX;
use mainstay_query::request::{CallRequest, ReadRequest, WriteRequest};
use mainstay_store::RowSink;

use super::super::functions;
use super::super::precondition;
use super::super::prefer::{PREFERENCE_APPLIED, Relevance, applied};
use super::super::records::{location, page, tag_of, write_range, write_status};
use super::steps::{Prepared, taken_back};
use crate::encode::{Sink, TooLarge, push_string};
use crate::errors::codes::LIMIT;
use crate::errors::{Problem, singular};

/// `tx` is a matter of the whole batch.
const RELEVANCE: Relevance = Relevance { tx: false, resolution: true };

/// What one step gave: what the answer to a request of its own would be.
pub(super) struct Entry {
    status: StatusCode,
    headers: Vec<(&'static str, HeaderValue)>,
    /// JSON source text.
    body: Option<Bytes>,
}

impl Entry {
    fn new(prepared: &Prepared, status: StatusCode, range: HeaderValue) -> Entry {
        let mut entry = Entry { status, headers: Vec::with_capacity(3), body: None };
        entry.put(CONTENT_RANGE, range);
        // What is relevant to a function was picked out already, and PATCH is the method at which all of it is.
        let method = if prepared.step.path.is_call { &Method::PATCH } else { &prepared.head.method };
        if let Some(applied) = applied(&prepared.preferences, method, RELEVANCE) {
            entry.put(PREFERENCE_APPLIED, applied);
        }
        entry
    }

    fn put(&mut self, name: HeaderName, value: HeaderValue) {
        let name = match name {
            CONTENT_RANGE => "Content-Range",
            LOCATION => "Location",
            _ => "Preference-Applied",
        };
        self.headers.push((name, value));
    }

    /// The rows, if there are any.
    pub(super) fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// About how much it takes in the answer.
    pub(super) fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, Bytes::len) + 128
    }

    /// Takes the body, if it is not too large.
    fn fill(&mut self, prepared: &Prepared, body: Result<Bytes, TooLarge>) -> Result<(), Problem> {
        let body = body.map_err(|TooLarge { max }| {
            Problem::new(LIMIT, format!("limits.response_bytes_max is passed: {max} octets are left for this step"))
                .hint("Ask for fewer rows or columns.")
        })?;
        if prepared.step.is_referred && body.len() > REFERRED_BYTES_MAX {
            let message = format!("A step that others refer to gives at most {REFERRED_BYTES_MAX} octets");
            return Err(Problem::new(LIMIT, message).hint("Select only the columns that are needed."));
        }
        self.body = Some(body);
        Ok(())
    }
}

/// The entry of a read.
pub(super) fn of_read(
    prepared: &Prepared,
    request: &ReadRequest,
    answer: ReadAnswer<Box<dyn RowSink>>,
) -> Result<Entry, Problem> {
    let ReadAnswer { sink, rows, total, next } = answer;
    let answer = ReadAnswer { sink: taken_back(sink)?, rows, total, next };
    let (status, range) = page(&request.query, answer.rows, answer.total)?;
    if prepared.media.is_single() && rows != 1 {
        return Err(singular(rows));
    }
    let mut entry = Entry::new(prepared, status, range);
    let body = prepared.media.body(answer.sink);
    let holds = |body: &Bytes| prepared.conditions.holds_wanted(tag_of(prepared.media, body), rows);
    if body.as_ref().is_ok_and(|body| !holds(body)) {
        return Err(precondition::failed());
    }
    entry.fill(prepared, body)?;
    Ok(entry)
}

/// The entry of a write.
pub(super) fn of_write(
    prepared: &Prepared,
    request: &WriteRequest,
    answer: WriteAnswer<Box<dyn RowSink>>,
) -> Result<Entry, Problem> {
    let WriteAnswer { sink, affected, inserted } = answer;
    let answer = WriteAnswer { sink: sink.map(taken_back).transpose()?, affected, inserted };
    let status = write_status(request, &answer);
    let mut entry = Entry::new(prepared, status, write_range(&prepared.preferences, request, affected));
    match answer.sink {
        Some(Sink::Key(sink)) => {
            if let Some(location) = location(&request.table, sink, inserted) {
                entry.put(LOCATION, location);
            }
        }
        Some(sink) => entry.fill(prepared, prepared.media.body(sink))?,
        None => {}
    }
    Ok(entry)
}

/// The entry of a call.
pub(super) fn of_call(
    prepared: &Prepared,
    request: &CallRequest,
    answer: CallAnswer<Box<dyn RowSink>>,
) -> Result<Entry, Problem> {
    let CallAnswer { sink, returns, writes, rows, total } = answer;
    let answer = CallAnswer { sink: sink.map(taken_back).transpose()?, returns, writes, rows, total };
    let (status, range) = functions::page(request, prepared.media, &answer)?;
    let body = functions::body(prepared.media, answer).transpose();
    let mut entry = Entry::new(prepared, if body.is_none() { StatusCode::NO_CONTENT } else { status }, range);
    if let Some(body) = body {
        entry.fill(prepared, body)?;
    }
    Ok(entry)
}

/// `{"steps":[{"id":…,"status":…,"headers":{…},"body":…}]}`
pub(super) fn to_json<'i>(ids: impl Iterator<Item = Option<&'i str>>, entries: &[Entry]) -> Bytes {
    let bytes = entries.iter().map(Entry::bytes).sum::<usize>() + 64;
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(b"{\"steps\":[");
    for (position, (id, entry)) in ids.zip(entries).enumerate() {
        out.extend_from_slice(if position == 0 { b"{" } else { b",{" });
        if let Some(id) = id {
            out.extend_from_slice(b"\"id\":");
            push_string(&mut out, id);
            out.push(b',');
        }
        out.extend_from_slice(format!("\"status\":{},\"headers\":{{", entry.status.as_u16()).as_bytes());
        for (position, (name, value)) in entry.headers.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            push_string(&mut out, name);
            out.push(b':');
            push_string(&mut out, &String::from_utf8_lossy(value.as_bytes()));
        }
        out.extend_from_slice(b"},\"body\":");
        out.extend_from_slice(entry.body().unwrap_or(b"null"));
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Bytes::from(out)
}

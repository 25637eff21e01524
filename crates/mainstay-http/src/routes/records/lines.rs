//! Rows as NDJSON: any number of them, in constant memory. Few rows are sent whole, as every other form; many are sent
//! while they are read, after they were counted if that was asked.

use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{self, FutureExt};
use http::header::{CONTENT_RANGE, VARY};
use http::{HeaderValue, StatusCode};
use mainstay_engine::{Context, Error, ReadAnswer, RequestId};
use mainstay_query::parse::prefer::Preferences;
use mainstay_query::request::{Query, ReadRequest};

use super::{Call, offset, page_of};
use crate::body::{AnswerBody, Cut};
use crate::edge::Answer;
use crate::encode::{LinesSink, Nulls, Pipe, Sink, Unsent};
use crate::errors::Problem;
use crate::errors::codes::INTERNAL;
use crate::layers::coding::{self, Coding, Encoder};
use crate::routes::media::Media;

impl Call<'_> {
    /// `GET` with an answer that may be sent while it is read.
    pub(super) async fn read_lines(&self, request: ReadRequest, media: Media, nulls: Nulls) -> Result<Answer, Problem> {
        let limits = &self.app.limits;
        let compression = &self.app.answers.compression;
        let coding = Coding::negotiate(compression, &self.head.headers);
        let encoder = Encoder::new(coding, compression.level).map_err(internal)?;
        let bytes_max = limits.response_bytes_max;
        let (pipe, mut chunks) = Pipe::new(encoder, bytes_max, limits.write_time);
        let total = pipe.total();
        let engine = self.app.engine.clone();
        let context = Context { deadline: Instant::now() + limits.stream_time, ..self.context.clone() };
        let asked = request.clone();
        let mut read = async move {
            let make = |shape: &_| Sink::Lines(LinesSink::new(shape, nulls, bytes_max, Some(pipe)));
            engine.read(&context, &asked, make).await
        }
        .boxed();
        let id = self.context.request_id;
        let done = tokio::select! {
            biased;
            Some(first) = chunks.recv() => {
                let body = AnswerBody::streamed(first, chunks, read.map(move |done| rest(done, id)).boxed());
                return Ok(self.streamed(&request, media, coding, total.get(), body));
            }
            done = &mut read => done,
        };
        // Between the two looks above the store may have sent chunks and come to its end.
        if let Ok(first) = chunks.try_recv() {
            let body = AnswerBody::streamed(first, chunks, future::ready(rest(done, id)).boxed());
            return Ok(self.streamed(&request, media, coding, total.get(), body));
        }
        let answer = done.map_err(|error| Problem::of(error, &self.context.actor))?;
        if matches!(&answer.sink, Sink::Lines(sink) if sink.has_sent()) {
            // Rows went into the encoder and nothing came out: it failed on the first of them.
            return Err(internal("the rows could not be compressed"));
        }
        self.rows(&request, media, answer)
    }

    /// An answer whose rows are still being read. How many there are is known if they were counted before.
    fn streamed(
        &self,
        request: &ReadRequest,
        media: Media,
        coding: Coding,
        total: Option<&u64>,
        body: AnswerBody,
    ) -> Answer {
        let page = total.filter(|_| request.query.after.is_none()).map(|total| whole_page(&request.query, *total));
        let count = self.preferences.count.filter(|_| page.is_some());
        let call = Call { preferences: Preferences { count, ..self.preferences.clone() }, ..*self };
        let (status, range) = page.unzip();
        let mut response = call.success(status.unwrap_or(StatusCode::OK));
        if let Some(range) = range {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        self.put_location(&mut response, request);
        self.put_type(&mut response, media);
        if self.app.answers.compression.is_on {
            response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        coding::mark(response.headers_mut(), coding);
        *response.body_mut() = body;
        response
    }
}

/// Status and `Content-Range` of a page that is not cut short: its rows and `total` are of one moment.
fn whole_page(query: &Query, total: u64) -> (StatusCode, HeaderValue) {
    let limit = query.limit.iter().find(|limit| limit.path.is_empty()).map_or(u64::MAX, |limit| limit.what);
    page_of(query, total.saturating_sub(offset(query)).min(limit), Some(total))
}

fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    Problem::new(INTERNAL, "internal error").cause(&*cause.into())
}

/// What comes after all chunks, or the news that nothing does.
fn rest(done: Result<ReadAnswer<Sink>, Error>, request_id: RequestId) -> Result<Bytes, Cut> {
    let unsent = match done {
        Ok(ReadAnswer { sink: Sink::Lines(sink), .. }) => match sink.finish_sent() {
            Ok(rest) => return Ok(rest),
            Err(Unsent::Gone) => "the client went away".to_owned(),
            Err(Unsent::Slow) => "the client took nothing within server.write_time".to_owned(),
            Err(Unsent::Encoding) => "the rows could not be compressed".to_owned(),
        },
        Ok(_) => "the engine gave back another sink".to_owned(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            let cause = std::iter::successors(Some(error), |error| error.source());
            cause.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        }
    };
    tracing::warn!(%request_id, cause = unsent, "an answer was cut");
    Err(Cut)
}

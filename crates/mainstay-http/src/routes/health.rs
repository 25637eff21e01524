//! `/health/*`: for whoever runs the process. The only routes that need no key.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, request};

use super::options;
use crate::app::App;
use crate::body::AnswerBody;
use crate::edge::Answer;
use crate::errors::Problem;
use crate::errors::codes::{METHOD, UNAVAILABLE};

/// How long the store may take to say that it is there.
const READY_TIME: Duration = Duration::from_secs(2);

const METHODS: &str = "GET,HEAD,OPTIONS";

/// `GET /health/live`: the process runs.
pub(crate) fn live(head: &request::Parts) -> Result<Answer, Problem> {
    answer(head, r#"{"status":"live"}"#)
}

/// `GET /health/ready`: the store answers.
pub(crate) async fn ready(app: &App, head: &request::Parts) -> Result<Answer, Problem> {
    match tokio::time::timeout(READY_TIME, app.engine.ready()).await {
        Ok(Ok(())) => answer(head, r#"{"status":"ready"}"#),
        Ok(Err(error)) => Err(Problem::new(UNAVAILABLE, "The store does not answer").cause(&error)),
        Err(_) => Err(Problem::new(UNAVAILABLE, "The store does not answer")),
    }
}

fn answer(head: &request::Parts, body: &'static str) -> Result<Answer, Problem> {
    let mut response = Response::new(AnswerBody::default());
    match head.method {
        Method::GET => {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = AnswerBody::whole(body);
        }
        Method::HEAD => {}
        Method::OPTIONS => return Ok(options(METHODS)),
        ref method => return Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    }
    Ok(response)
}

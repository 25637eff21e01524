//! The steps of a batch, carried out one after the other where the store works.

use std::any::Any;

use bytes::Bytes;
use http::request;
use mainstay_engine::{Answer, Error, Request, Sequence, Turn};
use mainstay_query::batch::{Answers, Step};
use mainstay_query::parse::prefer::Preferences;
use mainstay_query::plan::Shape;
use mainstay_query::{Actor, Limits};
use mainstay_store::RowSink;

use super::super::media::Media;
use super::super::translate::{Asked, translate};
use super::answers::{self, Entry};
use crate::encode::{KeySink, Sink, TooLarge};
use crate::errors::Problem;
use crate::errors::codes::INTERNAL;
use crate::layers::limits::RequestLimits;

/// A step that was looked at.
pub(super) struct Prepared {
    pub(super) step: Step,
    /// The head of the request that it would be by itself.
    pub(super) head: request::Parts,
    pub(super) preferences: Preferences,
    pub(super) media: Media,
}

/// A batch on its way. It holds nothing of the server: it may outlive the request, until the store drops it.
pub(super) struct Run {
    steps: Vec<Prepared>,
    actor: Actor,
    limits: Limits,
    request_limits: RequestLimits,
    rolls_back: bool,
    /// The answers so far, as later steps see them.
    answers: Answers,
    /// The answers so far, as the caller sees them.
    entries: Vec<Entry>,
    bytes: usize,
    /// What the store carries out.
    running: Option<Request>,
    failure: Option<Problem>,
}

impl Run {
    pub(super) fn new(
        steps: Vec<Prepared>,
        actor: Actor,
        limits: Limits,
        request_limits: RequestLimits,
        rolls_back: bool,
    ) -> Run {
        Run {
            steps,
            actor,
            limits,
            request_limits,
            rolls_back,
            answers: Answers::default(),
            entries: Vec::new(),
            bytes: 0,
            running: None,
            failure: None,
        }
    }

    /// The body of the answer.
    pub(super) fn finish(self) -> Result<Bytes, Problem> {
        match self.failure {
            Some(problem) => Err(problem),
            None => Ok(answers::to_json(self.steps.iter().map(|prepared| prepared.step.id.as_deref()), &self.entries)),
        }
    }

    fn bytes_left(&self) -> usize {
        self.request_limits.response_bytes_max.saturating_sub(self.bytes)
    }

    /// The request of a step, its values in their places.
    fn request(&self, prepared: &Prepared) -> Result<Request, Problem> {
        let Prepared { step, head, preferences, media } = prepared;
        let bytes_max = usize::try_from(self.request_limits.body_bytes_max).unwrap_or(usize::MAX);
        let body = match &step.body {
            Some(template) => Bytes::from(template.fill(&self.answers, bytes_max)?),
            None => Bytes::new(),
        };
        Ok(match translate(head, &step.path.table, body, preferences, &self.limits)? {
            Asked::Read(mut request) => {
                step.path.fill(&mut request.query, &self.answers, &self.limits)?;
                Request::Read(request)
            }
            Asked::Write(mut request) => {
                step.path.fill(&mut request.query, &self.answers, &self.limits)?;
                request.singular = media.is_single();
                Request::Write(request)
            }
            Asked::Options => return Err(Problem::new(INTERNAL, "internal error")),
        })
    }

    /// Takes what a request gave.
    fn keep(&mut self, request: &Request, answer: Answer) -> Result<(), Problem> {
        let Some(prepared) = self.steps.get(self.entries.len()) else {
            return Err(Problem::new(INTERNAL, "internal error"));
        };
        let entry = match (request, answer) {
            (Request::Read(request), Answer::Read(answer)) => answers::of_read(prepared, request, answer),
            (Request::Write(request), Answer::Write(answer)) => answers::of_write(prepared, request, answer),
            _ => Err(Problem::new(INTERNAL, "internal error")),
        }?;
        self.bytes = self.bytes.saturating_add(entry.bytes());
        if self.bytes > self.request_limits.response_bytes_max {
            return Err(TooLarge { max: self.request_limits.response_bytes_max }.into());
        }
        self.answers.push(entry.body().filter(|_| prepared.step.is_referred))?;
        self.entries.push(entry);
        Ok(())
    }

    fn fail(&mut self, problem: Problem) {
        let position = self.entries.len();
        let id = self.steps.get(position).and_then(|prepared| prepared.step.id.as_deref());
        self.failure = Some(problem.at_step(position, id));
    }
}

impl Sequence for Run {
    fn next(&mut self) -> Turn {
        if self.failure.is_some() {
            return Turn::RollBack;
        }
        let Some(prepared) = self.steps.get(self.entries.len()) else {
            return if self.rolls_back { Turn::RollBack } else { Turn::Commit };
        };
        match self.request(prepared) {
            Ok(request) => {
                self.running = Some(request.clone());
                Turn::Run(Box::new(request))
            }
            Err(problem) => {
                self.fail(problem);
                Turn::RollBack
            }
        }
    }

    fn make_sink(&mut self, shape: &Shape) -> Box<dyn RowSink> {
        let is_key = matches!(&self.running, Some(Request::Write(request)) if !request.representation);
        Box::new(match self.steps.get(self.entries.len()) {
            _ if is_key => Sink::Key(KeySink::new(shape)),
            Some(prepared) => prepared.media.sink(shape, self.bytes_left()),
            None => Sink::Nothing,
        })
    }

    fn take(&mut self, answer: Result<Answer, Error>) {
        let outcome = match (answer, self.running.take()) {
            (Ok(answer), Some(request)) => self.keep(&request, answer),
            (Ok(_), None) => Err(Problem::new(INTERNAL, "internal error")),
            (Err(error), _) => Err(Problem::of(error, &self.actor)),
        };
        if let Err(problem) = outcome {
            self.fail(problem);
        }
    }

    fn restart(&mut self) {
        self.answers.clear();
        self.entries.clear();
        self.bytes = 0;
        self.running = None;
        self.failure = None;
    }
}

/// The sink as what it was made as, after the store had it.
pub(super) fn taken_back(sink: Box<dyn RowSink>) -> Result<Sink, Problem> {
    let sink: Box<dyn Any> = sink;
    sink.downcast::<Sink>().map(|sink| *sink).map_err(|_| Problem::new(INTERNAL, "internal error"))
}

//! The steps of a batch, carried out one after the other where the store works.

use bytes::Bytes;
use http::{Method, request};
use mainstay_engine::{Answer, Error, Request, Sequence, Turn};
use mainstay_query::batch::{Answers, Step};
use mainstay_query::parse::prefer::{Preferences, Return};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::Shape;
use mainstay_query::request::ReadRequest;
use mainstay_query::{Actor, Limits};
use mainstay_schema::Returns;
use mainstay_store::RowSink;

use super::super::conditional::broken;
use super::super::functions;
use super::super::media::Media;
use super::super::precondition::{self, Preconditions};
use super::super::records::tag_of;
use super::super::translate::{Asked, translate};
use super::answers::{self, Entry};
use crate::encode::zoned::Zone;
use crate::encode::{KeySink, Sink, TooLarge};
use crate::errors::Problem;
use crate::layers::limits::RequestLimits;

/// A step that was looked at.
pub(super) struct Prepared {
    pub(super) step: Step,
    /// The head of the request that it would be by itself.
    pub(super) head: request::Parts,
    pub(super) preferences: Preferences,
    pub(super) media: Media,
    /// The zone of the timestamps in its answer.
    pub(super) zone: Option<Zone>,
    /// What the caller believes the rows to be.
    pub(super) conditions: Preconditions,
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
    /// Whether the rows of the next step were compared with what the caller believes.
    is_compared: bool,
    /// What the store carries out.
    running: Option<Running>,
    failure: Option<Problem>,
}

/// What the store carries out.
enum Running {
    /// A read of the rows that the next step is about to change.
    Compare,
    /// A step.
    Step(Box<Request>),
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
            is_compared: false,
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
        let Prepared { step, head, preferences, media, .. } = prepared;
        let bytes_max = usize::try_from(self.request_limits.body_bytes_max).unwrap_or(usize::MAX);
        let body = match &step.body {
            Some(template) => Bytes::from(template.fill(&self.answers, bytes_max)?),
            None => Bytes::new(),
        };
        if step.path.is_call {
            let call = functions::translate(head, &step.path.name, body, preferences, &self.limits)?;
            let mut call = call.ok_or_else(broken)?;
            step.path.fill_call(&mut call, &self.answers, &self.limits)?;
            call.singular = media.is_single();
            return Ok(Request::Call(call));
        }
        Ok(match translate(head, &step.path.name, body, preferences, &self.limits)? {
            Asked::Read(mut request) => {
                step.path.fill(&mut request.query, &self.answers, &self.limits)?;
                Request::Read(request)
            }
            Asked::Write(mut request) => {
                step.path.fill(&mut request.query, &self.answers, &self.limits)?;
                request.singular = media.is_single();
                Request::Write(request)
            }
            Asked::Options => return Err(broken()),
        })
    }

    /// What a `GET` of the step's path would read, if the step writes and has to compare it first.
    fn compared(&self, prepared: &Prepared) -> Result<Option<Request>, Problem> {
        let Prepared { step, head, conditions, .. } = prepared;
        if self.is_compared || conditions.is_empty() || head.method == Method::GET {
            return Ok(None);
        }
        let mut query = parse::query(Purpose::Read, &step.path.query, &self.limits)?;
        step.path.fill(&mut query, &self.answers, &self.limits)?;
        Ok(Some(Request::Read(ReadRequest { table: step.path.name.clone(), query, ..ReadRequest::default() })))
    }

    /// What the store does for a step next.
    fn running(&self, prepared: &Prepared) -> Result<(Running, Request), Problem> {
        match self.compared(prepared)? {
            Some(read) => Ok((Running::Compare, read)),
            None => self.request(prepared).map(|request| (Running::Step(Box::new(request.clone())), request)),
        }
    }

    /// Compares the rows that are there with what the caller believes.
    fn compare(&mut self, answer: Answer) -> Result<(), Problem> {
        let (Some(prepared), Answer::Read(answer)) = (self.steps.get(self.entries.len()), answer) else {
            return Err(broken());
        };
        let body = taken_back(answer.sink)?.finish()?;
        if !prepared.conditions.holds_wanted(tag_of(prepared.media.listed(), &body), answer.rows) {
            return Err(precondition::failed());
        }
        self.is_compared = true;
        Ok(())
    }

    /// Takes what a request gave.
    fn keep(&mut self, request: &Request, answer: Answer) -> Result<(), Problem> {
        let Some(prepared) = self.steps.get(self.entries.len()) else {
            return Err(broken());
        };
        let entry = match (request, answer) {
            (Request::Read(request), Answer::Read(answer)) => answers::of_read(prepared, request, answer),
            (Request::Write(request), Answer::Write(answer)) => answers::of_write(prepared, request, answer),
            (Request::Call(request), Answer::Call(answer)) => answers::of_call(prepared, request, answer),
            _ => Err(broken()),
        }?;
        self.bytes = self.bytes.saturating_add(entry.bytes());
        if self.bytes > self.request_limits.response_bytes_max {
            return Err(TooLarge { max: self.request_limits.response_bytes_max }.into());
        }
        self.answers.push(entry.body().filter(|_| prepared.step.is_referred))?;
        self.entries.push(entry);
        self.is_compared = false;
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
        match self.running(prepared) {
            Ok((running, request)) => {
                self.running = Some(running);
                Turn::Run(Box::new(request))
            }
            Err(problem) => {
                self.fail(problem);
                Turn::RollBack
            }
        }
    }

    fn make_sink(&mut self, shape: &Shape, returns: Option<Returns>) -> Box<dyn RowSink> {
        let bytes_max = self.bytes_left();
        let Some(prepared) = self.steps.get(self.entries.len()) else { return Box::new(Sink::Nothing) };
        let zone = prepared.zone.as_ref();
        Box::new(match (&self.running, returns) {
            (Some(Running::Compare), _) => {
                prepared.media.listed().sink_in(shape, self.request_limits.response_bytes_max, zone)
            }
            (Some(Running::Step(request)), _) if matches!(&**request, Request::Write(write) if !write.representation) => {
                Sink::Key(KeySink::new(shape))
            }
            (_, Some(returns)) => {
                let is_silent = prepared.preferences.answer == Some(Return::Minimal);
                functions::sink(prepared.media, is_silent, shape, returns, bytes_max, zone)
            }
            (_, None) => prepared.media.sink_in(shape, bytes_max, zone),
        })
    }

    fn take(&mut self, answer: Result<Answer, Error>) {
        let outcome = match (answer, self.running.take()) {
            (Ok(answer), Some(Running::Compare)) => self.compare(answer),
            (Ok(answer), Some(Running::Step(request))) => self.keep(&request, answer),
            (Ok(_), None) => Err(broken()),
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
        self.is_compared = false;
        self.running = None;
        self.failure = None;
    }
}

/// The sink as what it was made as, after the store had it.
pub(super) fn taken_back(sink: Box<dyn RowSink>) -> Result<Sink, Problem> {
    Sink::taken_back(sink).ok_or_else(broken)
}

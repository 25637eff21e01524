//! A write that happens only if the rows are as the caller believes, or that is undone in the end: both take a
//! transaction of their own, in which the rows are read first.

use mainstay_engine::{Answer, Error, Request, Sequence, Turn, WriteAnswer};
use mainstay_query::plan::Shape;
use mainstay_query::request::{ReadRequest, WriteRequest};
use mainstay_schema::Returns;
use mainstay_store::RowSink;

use super::media::Media;
use super::precondition::Preconditions;
use super::records::{self, tag_of};
use crate::encode::zoned::Zone;
use crate::encode::{Sink, TooLarge};
use crate::errors::Problem;
use crate::errors::codes::INTERNAL;

/// The steps: perhaps a read of what a `GET` of the same URL would give, then the write.
pub(super) struct Conditional {
    /// What `GET` would read; `None` without conditions.
    read: Option<ReadRequest>,
    preconditions: Preconditions,
    write: WriteRequest,
    media: Media,
    zone: Option<Zone>,
    bytes_max: usize,
    rolls_back: bool,
    has_read: bool,
    outcome: Option<Outcome>,
}

/// What became of it.
pub(super) enum Outcome {
    /// It was written, and undone again if that was wanted.
    Written(Box<WriteAnswer<Sink>>),
    /// The conditions do not hold.
    Failed,
    /// The engine refused a step.
    Refused(Error),
    /// The rows that would have to be compared are too many.
    TooLarge(TooLarge),
    /// Something here broke a promise to itself.
    Broken,
}

impl Conditional {
    /// `read` is needed if there are conditions.
    pub(super) fn new(
        preconditions: Preconditions,
        read: Option<ReadRequest>,
        write: WriteRequest,
        media: Media,
        zone: Option<Zone>,
        bytes_max: usize,
        rolls_back: bool,
    ) -> Conditional {
        let read = read.filter(|_| !preconditions.is_empty());
        let (has_read, outcome) = (false, None);
        Conditional { read, preconditions, write, media, zone, bytes_max, rolls_back, has_read, outcome }
    }

    /// What became of it.
    pub(super) fn outcome(self) -> Outcome {
        self.outcome.unwrap_or(Outcome::Broken)
    }

    fn is_reading(&self) -> bool {
        self.read.is_some() && !self.has_read
    }

    /// Compares the rows that are there with what the caller believes.
    fn compare(&mut self, sink: Sink, rows: u64) -> Option<Outcome> {
        self.has_read = true;
        let body = match sink.finish() {
            Ok(body) => body,
            Err(error) => return Some(Outcome::TooLarge(error)),
        };
        let tag = tag_of(self.media.listed(), &body);
        let holds = self.preconditions.holds_wanted(tag, rows) && self.preconditions.holds_unwanted(tag, rows);
        (!holds).then_some(Outcome::Failed)
    }
}

impl Sequence for Conditional {
    fn next(&mut self) -> Turn {
        match (&self.outcome, &self.read) {
            (None, Some(read)) if !self.has_read => Turn::Run(Box::new(Request::Read(read.clone()))),
            (None, _) => Turn::Run(Box::new(Request::Write(self.write.clone()))),
            (Some(Outcome::Written(_)), _) if !self.rolls_back => Turn::Commit,
            (Some(_), _) => Turn::RollBack,
        }
    }

    fn make_sink(&mut self, shape: &Shape, _: Option<Returns>) -> Box<dyn RowSink> {
        Box::new(match self.is_reading() {
            true => self.media.sink_in(shape, self.bytes_max, self.zone.as_ref()),
            false => records::write_sink(&self.write, self.media, self.zone.as_ref(), shape),
        })
    }

    fn take(&mut self, answer: Result<Answer, Error>) {
        self.outcome = match answer {
            Err(error) => Some(Outcome::Refused(error)),
            Ok(Answer::Read(answer)) => match Sink::taken_back(answer.sink) {
                Some(sink) => self.compare(sink, answer.rows),
                None => Some(Outcome::Broken),
            },
            Ok(Answer::Write(WriteAnswer { sink, affected, inserted })) => match sink.map(Sink::taken_back) {
                Some(None) => Some(Outcome::Broken),
                sink => Some(Outcome::Written(Box::new(WriteAnswer { sink: sink.flatten(), affected, inserted }))),
            },
            Ok(Answer::Call(_)) => Some(Outcome::Broken),
        };
    }

    fn restart(&mut self) {
        (self.has_read, self.outcome) = (false, None);
    }
}

/// The problem of a step that was lost.
pub(super) fn broken() -> Problem {
    Problem::new(INTERNAL, "internal error")
}

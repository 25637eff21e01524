//! Rows → bytes. Each sink takes the cells that a store gives and writes them into the answer at once: there is no
//! value tree and no row in between.
//!
//! Knows shapes and cells, no plan and no store.

mod csv;
mod escape;
mod json;
mod key;
#[cfg(test)]
mod model;
mod url;

pub(crate) use csv::CsvSink;
pub(crate) use escape::push_string;
pub(crate) use json::{JsonSink, Nulls};
pub(crate) use key::{KeySink, location};
pub(crate) use url::{content_location, encoded};

use bytes::Bytes;
use mainstay_store::{Cell, RowSink};

/// The answer has more bytes than the limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// The limit.
    pub(crate) max: usize,
}

/// The sink that an answer needs.
pub(crate) enum Sink {
    /// A list of objects.
    Json(JsonSink),
    /// Lines.
    Csv(CsvSink),
    /// Only the key of the first row.
    Key(KeySink),
    /// Nothing: rows are counted by the store.
    Nothing,
}

impl Sink {
    /// The body: every row. Empty for sinks that keep none.
    pub(crate) fn finish(self) -> Result<Bytes, TooLarge> {
        match self {
            Sink::Json(sink) => sink.finish(),
            Sink::Csv(sink) => sink.finish(),
            Sink::Key(_) | Sink::Nothing => Ok(Bytes::new()),
        }
    }
}

impl RowSink for Sink {
    fn start_row(&mut self) {
        match self {
            Sink::Json(sink) => sink.start_row(),
            Sink::Csv(sink) => sink.start_row(),
            Sink::Key(sink) => sink.start_row(),
            Sink::Nothing => {}
        }
    }

    fn end_row(&mut self) {
        match self {
            Sink::Json(sink) => sink.end_row(),
            Sink::Csv(sink) => sink.end_row(),
            Sink::Key(sink) => sink.end_row(),
            Sink::Nothing => {}
        }
    }

    fn start_list(&mut self) {
        match self {
            Sink::Json(sink) => sink.start_list(),
            Sink::Csv(sink) => sink.start_list(),
            Sink::Key(_) | Sink::Nothing => {}
        }
    }

    fn end_list(&mut self) {
        match self {
            Sink::Json(sink) => sink.end_list(),
            Sink::Csv(sink) => sink.end_list(),
            Sink::Key(_) | Sink::Nothing => {}
        }
    }

    fn cell(&mut self, cell: Cell<'_>) {
        match self {
            Sink::Json(sink) => sink.cell(cell),
            Sink::Csv(sink) => sink.cell(cell),
            Sink::Key(sink) => sink.cell(cell),
            Sink::Nothing => {}
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Sink::Json(sink) => sink.is_full(),
            Sink::Csv(sink) => sink.is_full(),
            Sink::Key(_) | Sink::Nothing => false,
        }
    }
}

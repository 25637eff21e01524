//! Rows → bytes. Each sink takes the cells that a store gives and writes them into the answer at once: there is no
//! value tree and no row in between.
//!
//! Knows shapes and cells, no plan and no store.

mod csv;
mod escape;
mod json;
mod key;
mod lines;
#[cfg(test)]
mod model;
mod pipe;
mod tag;
mod url;
mod xml;
mod xsd;
pub(crate) mod zoned;

pub(crate) use csv::CsvSink;
pub(crate) use escape::push_string;
pub(crate) use json::{JsonSink, Nulls};
pub(crate) use key::{KeySink, location};
pub(crate) use lines::LinesSink;
pub(crate) use pipe::{Pipe, Unsent};
pub(crate) use tag::Tag;
pub(crate) use url::{content_location, encoded, file_name};
pub(crate) use xml::XmlSink;
pub use xsd::xml_schema;

use std::any::Any;
use std::task::{Context, Poll};

use bytes::Bytes;
use mainstay_query::plan::Shape;
use mainstay_store::{Cell, RowSink};

use zoned::{Zone, Zoned};

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
    /// Comma-separated lines.
    Csv(CsvSink),
    /// Elements.
    Xml(XmlSink),
    /// The XML Schema of the rows, and no row.
    XmlSchema(String),
    /// An object a line, sent while they are written if there are many.
    Lines(LinesSink),
    /// Only the key of the first row.
    Key(KeySink),
    /// Any of the others, timestamps in the caller's zone.
    Zoned(Box<Zoned>),
    /// Nothing: rows are counted by the store.
    Nothing,
}

impl Sink {
    /// The sink as what it was made as, after a store had it; `None` if it gave back another one.
    pub(crate) fn taken_back(sink: Box<dyn RowSink>) -> Option<Sink> {
        let sink: Box<dyn Any> = sink;
        sink.downcast::<Sink>().ok().map(|sink| *sink)
    }

    /// The same, with timestamps in a zone if there is one.
    pub(crate) fn zoned(self, shape: &Shape, zone: Option<&Zone>) -> Sink {
        match zone {
            None => self,
            Some(zone) => Sink::Zoned(Box::new(Zoned::new(self, shape, zone.clone()))),
        }
    }

    /// The sink that the rows went to in the end.
    pub(crate) fn innermost(self) -> Sink {
        match self {
            Sink::Zoned(sink) => sink.into_inner(),
            sink => sink,
        }
    }

    /// The body: every row. Empty for sinks that keep none.
    pub(crate) fn finish(self) -> Result<Bytes, TooLarge> {
        match self {
            Sink::Json(sink) => sink.finish(),
            Sink::Csv(sink) => sink.finish(),
            Sink::Zoned(sink) => sink.into_inner().finish(),
            Sink::Lines(sink) => sink.finish(),
            Sink::Xml(sink) => sink.finish(),
            Sink::XmlSchema(text) => Ok(Bytes::from(text)),
            Sink::Key(_) | Sink::Nothing => Ok(Bytes::new()),
        }
    }
}

impl RowSink for Sink {
    fn start_row(&mut self) {
        match self {
            Sink::Json(sink) => sink.start_row(),
            Sink::Csv(sink) => sink.start_row(),
            Sink::Zoned(sink) => sink.start_row(),
            Sink::Lines(sink) => sink.start_row(),
            Sink::Xml(sink) => sink.start_row(),
            Sink::Key(sink) => sink.start_row(),
            Sink::XmlSchema(_) | Sink::Nothing => {}
        }
    }

    fn end_row(&mut self) {
        match self {
            Sink::Json(sink) => sink.end_row(),
            Sink::Csv(sink) => sink.end_row(),
            Sink::Zoned(sink) => sink.end_row(),
            Sink::Lines(sink) => sink.end_row(),
            Sink::Xml(sink) => sink.end_row(),
            Sink::Key(sink) => sink.end_row(),
            Sink::XmlSchema(_) | Sink::Nothing => {}
        }
    }

    fn start_list(&mut self) {
        match self {
            Sink::Json(sink) => sink.start_list(),
            Sink::Csv(sink) => sink.start_list(),
            Sink::Zoned(sink) => sink.start_list(),
            Sink::Lines(sink) => sink.start_list(),
            Sink::Xml(sink) => sink.start_list(),
            Sink::Key(_) | Sink::XmlSchema(_) | Sink::Nothing => {}
        }
    }

    fn end_list(&mut self) {
        match self {
            Sink::Json(sink) => sink.end_list(),
            Sink::Csv(sink) => sink.end_list(),
            Sink::Zoned(sink) => sink.end_list(),
            Sink::Lines(sink) => sink.end_list(),
            Sink::Xml(sink) => sink.end_list(),
            Sink::Key(_) | Sink::XmlSchema(_) | Sink::Nothing => {}
        }
    }

    fn cell(&mut self, cell: Cell<'_>) {
        match self {
            Sink::Json(sink) => sink.cell(cell),
            Sink::Csv(sink) => sink.cell(cell),
            Sink::Zoned(sink) => sink.cell(cell),
            Sink::Lines(sink) => sink.cell(cell),
            Sink::Xml(sink) => sink.cell(cell),
            Sink::Key(sink) => sink.cell(cell),
            Sink::XmlSchema(_) | Sink::Nothing => {}
        }
    }

    fn cells(&mut self, cells: &[Cell<'_>]) {
        match self {
            Sink::Json(sink) => sink.cells(cells),
            sink => cells.iter().for_each(|cell| sink.cell(*cell)),
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Sink::Json(sink) => sink.is_full(),
            Sink::Csv(sink) => sink.is_full(),
            Sink::Zoned(sink) => sink.is_full(),
            Sink::Lines(sink) => sink.is_full(),
            Sink::Xml(sink) => sink.is_full(),
            Sink::Key(_) | Sink::XmlSchema(_) | Sink::Nothing => false,
        }
    }

    fn counted(&mut self, total: u64) {
        match self {
            Sink::Lines(sink) => sink.counted(total),
            Sink::Zoned(sink) => sink.counted(total),
            _ => {}
        }
    }

    fn may_wait(&self) -> bool {
        match self {
            Sink::Lines(sink) => sink.may_wait(),
            Sink::Zoned(sink) => sink.may_wait(),
            _ => false,
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Sink::Lines(sink) => sink.poll_ready(context),
            Sink::Zoned(sink) => sink.poll_ready(context),
            _ => Poll::Ready(()),
        }
    }
}

//! Rows as NDJSON: an object a line. Many rows are sent while they are read.

use std::task::{Context, Poll};

use bytes::Bytes;
use mainstay_query::plan::Shape;
use mainstay_store::{Cell, RowSink};

use super::TooLarge;
use super::json::{JsonSink, Nulls};
use super::pipe::{Pipe, Unsent};

/// Writes rows as lines, and hands them to a pipe as they grow, if there is one.
pub(crate) struct LinesSink {
    json: JsonSink,
    pipe: Option<Pipe>,
    /// Rows and lists that are open.
    depth: usize,
}

impl LinesSink {
    /// A sink that keeps at most about `max` octets. With a pipe only what could not be sent counts.
    pub(crate) fn new(shape: &Shape, nulls: Nulls, max: usize, pipe: Option<Pipe>) -> LinesSink {
        LinesSink { json: JsonSink::lines(shape, nulls, max), pipe, depth: 0 }
    }

    /// Whether some of the lines were handed to the pipe.
    pub(crate) fn has_sent(&self) -> bool {
        self.pipe.as_ref().is_some_and(Pipe::has_sent)
    }

    /// The lines, when none of them was sent.
    pub(crate) fn finish(self) -> Result<Bytes, TooLarge> {
        self.json.finish_lines().map(Bytes::from)
    }

    /// The lines that were not sent, in the form of those that were.
    pub(crate) fn finish_sent(mut self) -> Result<Bytes, Unsent> {
        let rest = std::mem::take(self.json.written());
        match self.pipe {
            Some(pipe) => pipe.finish(rest),
            None => Ok(Bytes::from(rest)),
        }
    }
}

impl RowSink for LinesSink {
    fn start_row(&mut self) {
        self.depth += 1;
        self.json.start_row();
    }

    fn end_row(&mut self) {
        self.depth -= 1;
        self.json.end_row();
        if self.depth == 0
            && let Some(pipe) = &mut self.pipe
        {
            pipe.offer(self.json.written());
        }
    }

    fn start_list(&mut self) {
        self.depth += 1;
        self.json.start_list();
    }

    fn end_list(&mut self) {
        self.depth -= 1;
        self.json.end_list();
    }

    fn cell(&mut self, cell: Cell<'_>) {
        self.json.cell(cell);
    }

    fn counted(&mut self, total: u64) {
        if let Some(pipe) = &self.pipe {
            pipe.count(total);
        }
    }

    fn is_full(&self) -> bool {
        match &self.pipe {
            // What has begun to be sent is bounded by what is kept of it.
            Some(pipe) if pipe.has_sent() => pipe.is_broken(),
            _ => self.json.is_full(),
        }
    }

    fn may_wait(&self) -> bool {
        self.pipe.is_some()
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.pipe.as_mut().map_or(Poll::Ready(()), |pipe| pipe.poll_ready(context))
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Field, feed, feed_values, nested_shape, shape_and_rows, text_shape, to_json};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_row_is_a_line() {
        let mut sink = LinesSink::new(&nested_shape(), Nulls::Kept, usize::MAX, None);
        let row = |id, text| {
            let many = Field::Many(vec![vec![Field::Text(text)], vec![Field::Null]]);
            vec![Field::Int(id), Field::Null, Field::One(Some(vec![Field::Text("a\nb")])), many]
        };
        feed(&mut sink, &[row(1, "x"), row(2, "y")]);
        let expected = concat!(
            r#"{"id":1,"n":null,"one":{"t":"a\nb"},"many":[{"t":"x"},{"t":null}]}"#,
            "\n",
            r#"{"id":2,"n":null,"one":{"t":"a\nb"},"many":[{"t":"y"},{"t":null}]}"#,
            "\n"
        );
        assert_eq!(sink.finish().unwrap(), expected);
    }

    #[test]
    fn no_rows_are_nothing_and_too_many_are_refused() {
        assert_eq!(LinesSink::new(&text_shape(), Nulls::Kept, 10, None).finish().unwrap(), "");
        let mut sink = LinesSink::new(&text_shape(), Nulls::Kept, 10, None);
        feed(&mut sink, &[vec![Field::Text("more than ten octets")]]);
        assert!(sink.is_full());
        assert_eq!(sink.finish(), Err(TooLarge { max: 10 }));
    }

    proptest! {
        #[test]
        fn lines_read_back_to_the_rows((shape, rows) in shape_and_rows()) {
            let mut sink = LinesSink::new(&shape, Nulls::Kept, usize::MAX, None);
            feed_values(&mut sink, &rows);
            let text = sink.finish().unwrap();
            let lines = std::str::from_utf8(&text).unwrap().lines();
            let read: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(serde_json::Value::from(read), to_json(&shape, &rows));
        }
    }
}

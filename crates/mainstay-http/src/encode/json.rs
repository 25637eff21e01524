//! Rows as a JSON array of objects.

use std::ops::Range;

use bytes::Bytes;
use mainstay_query::plan::{MemberKind, Shape};
use mainstay_store::{Cell, RowSink};

use super::TooLarge;
use super::escape::{push_cell, push_string, push_without_nulls};

/// Octets set aside for an answer before its first row.
const START_BYTES: usize = 2048;

/// Whether members that are null are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// As `null`.
    Kept,
    /// Not at all.
    Stripped,
}

/// Writes rows as JSON while they are read.
pub(crate) struct JsonSink {
    out: Vec<u8>,
    /// Every object shape of the answer; the rows themselves are level 0.
    levels: Vec<Level>,
    /// `,"name":` of every member, one after the other.
    prefixes: Vec<u8>,
    /// What is open, outermost first; empty between rows.
    open: Vec<Open>,
    nulls: Nulls,
    /// Whether each row is a line rather than an element of an array.
    is_lines: bool,
    /// Whether rows are written as the one value that each has, without its name.
    is_bare: bool,
    max: usize,
}

/// The members of one kind of object.
struct Level {
    members: Vec<Member>,
}

struct Member {
    /// Where its prefix lies.
    prefix: Range<usize>,
    /// The level of its objects; 0, which is never nested, for values.
    level: u32,
}

struct Open {
    level: u32,
    /// Members written in an object.
    next: u32,
    is_list: bool,
}

impl JsonSink {
    /// A sink for rows of this shape that keeps at most about `max` octets.
    pub(crate) fn new(shape: &Shape, nulls: Nulls, max: usize) -> JsonSink {
        let mut sink = JsonSink::lines(shape, nulls, max);
        sink.out.push(b'[');
        sink.is_lines = false;
        sink
    }

    /// As [`JsonSink::new`], with each row on a line of its own and no array around them.
    pub(super) fn lines(shape: &Shape, nulls: Nulls, max: usize) -> JsonSink {
        let mut levels = Vec::with_capacity(1);
        let mut prefixes = Vec::with_capacity(24 * shape.members.len());
        add_level(&mut levels, &mut prefixes, shape);
        let (out, open) = (Vec::with_capacity(START_BYTES), Vec::with_capacity(8));
        JsonSink { out, levels, prefixes, open, nulls, is_lines: true, is_bare: false, max }
    }

    /// What was written of whole lines since this was last asked.
    pub(super) fn written(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The lines.
    pub(super) fn finish_lines(self) -> Result<Vec<u8>, TooLarge> {
        if self.is_full() { Err(TooLarge { max: self.max }) } else { Ok(self.out) }
    }

    /// The same for rows of one value each, of which nothing but the values is written.
    pub(crate) fn bare(self) -> JsonSink {
        JsonSink { is_bare: true, ..self }
    }

    /// The array.
    pub(crate) fn finish(mut self) -> Result<Bytes, TooLarge> {
        debug_assert!(self.open.is_empty(), "a store gave a row without its end");
        if self.is_full() {
            return Err(TooLarge { max: self.max });
        }
        self.out.push(b']');
        Ok(Bytes::from(self.out))
    }

    /// The only row, without the array around it.
    pub(crate) fn finish_single(self) -> Result<Bytes, TooLarge> {
        let array = self.finish()?;
        Ok(array.slice(1..array.len() - 1))
    }

    /// Writes the comma between what came before and what comes now, if something did.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
    }

    /// Writes the name of the next member of the open object and returns the level of what it holds.
    fn member(&mut self) -> u32 {
        let Some(open) = self.open.last_mut() else {
            debug_assert!(false, "a store gave a member outside a row");
            return 0;
        };
        let member = &self.levels[open.level as usize].members[open.next as usize];
        open.next += 1;
        let is_first = self.out.last() == Some(&b'{');
        let prefix = &self.prefixes[member.prefix.clone()];
        self.out.extend_from_slice(&prefix[usize::from(is_first)..]);
        member.level
    }
}

/// Adds the level of `shape` and those below it; returns its number.
fn add_level(levels: &mut Vec<Level>, prefixes: &mut Vec<u8>, shape: &Shape) -> u32 {
    let number = levels.len();
    levels.push(Level { members: Vec::new() });
    let members = shape.members.iter().map(|member| {
        let start = prefixes.len();
        prefixes.push(b',');
        push_string(prefixes, &member.name);
        prefixes.push(b':');
        let prefix = start..prefixes.len();
        let level = match &member.kind {
            MemberKind::Value(_) => 0,
            MemberKind::One(shape) | MemberKind::Many(shape) => add_level(levels, prefixes, shape),
        };
        Member { prefix, level }
    });
    let members = members.collect();
    levels[number] = Level { members };
    u32::try_from(number).expect("limits keep the number of embeds far below")
}

impl RowSink for JsonSink {
    fn start_row(&mut self) {
        let level = match self.open.last() {
            None => {
                if !self.is_lines {
                    self.separate();
                }
                0
            }
            Some(open) if open.is_list => {
                let level = open.level;
                self.separate();
                level
            }
            Some(_) => self.member(),
        };
        if !self.is_bare {
            self.out.push(b'{');
        }
        self.open.push(Open { level, next: 0, is_list: false });
    }

    fn end_row(&mut self) {
        self.open.pop();
        if !self.is_bare {
            self.out.push(b'}');
        }
        if self.is_lines && self.open.is_empty() {
            self.out.push(b'\n');
        }
    }

    fn start_list(&mut self) {
        let level = self.member();
        self.out.push(b'[');
        self.open.push(Open { level, next: 0, is_list: true });
    }

    fn end_list(&mut self) {
        self.open.pop();
        self.out.push(b']');
    }

    fn cell(&mut self, cell: Cell<'_>) {
        if self.is_bare {
            return push_cell(&mut self.out, cell);
        }
        if cell == Cell::Null && self.nulls == Nulls::Stripped {
            if let Some(open) = self.open.last_mut() {
                open.next += 1;
            }
            return;
        }
        self.member();
        match cell {
            Cell::Json(json) if self.nulls == Nulls::Stripped => push_without_nulls(&mut self.out, json),
            _ => push_cell(&mut self.out, cell),
        }
    }

    fn cells(&mut self, cells: &[Cell<'_>]) {
        if self.is_bare || self.nulls == Nulls::Stripped {
            return cells.iter().for_each(|cell| self.cell(*cell));
        }
        let JsonSink { out, levels, prefixes, open, .. } = self;
        let Some(open) = open.last_mut() else {
            debug_assert!(cells.is_empty(), "a store gave members outside a row");
            return;
        };
        let members = &levels[open.level as usize].members[open.next as usize..];
        debug_assert!(members.len() >= cells.len(), "a store gave a member that no row has");
        let mut is_first = open.next == 0;
        for (cell, member) in cells.iter().zip(members) {
            let prefix = &prefixes[member.prefix.clone()];
            out.extend_from_slice(&prefix[usize::from(is_first)..]);
            is_first = false;
            push_cell(out, *cell);
        }
        open.next += cells.len() as u32;
    }

    fn is_full(&self) -> bool {
        self.out.len() > self.max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{Field, feed, shape_and_rows};
    use super::*;

    #[test]
    fn members_keep_their_order_and_nest() {
        let rows = [vec![
            Field::Int(1),
            Field::Null,
            Field::One(Some(vec![Field::Text("a\"b")])),
            Field::Many(vec![vec![Field::Text("x")], vec![Field::Null]]),
        ]];
        let shape = super::super::model::nested_shape();
        let write = |nulls| {
            let mut sink = JsonSink::new(&shape, nulls, usize::MAX);
            feed(&mut sink, &rows);
            String::from_utf8(sink.finish().unwrap().to_vec()).unwrap()
        };
        let expected = r#"[{"id":1,"n":null,"one":{"t":"a\"b"},"many":[{"t":"x"},{"t":null}]}]"#;
        assert_eq!(write(Nulls::Kept), expected);
        assert_eq!(write(Nulls::Stripped), r#"[{"id":1,"one":{"t":"a\"b"},"many":[{"t":"x"},{}]}]"#);
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let sink = JsonSink::new(&Shape { members: Vec::new() }, Nulls::Kept, 100);
        assert_eq!(sink.finish().unwrap(), "[]");
    }

    #[test]
    fn objects_without_members_are_separated() {
        let mut sink = JsonSink::new(&Shape { members: Vec::new() }, Nulls::Kept, 100);
        feed(&mut sink, &[Vec::new(), Vec::new()]);
        assert_eq!(sink.finish().unwrap(), "[{},{}]");
    }

    #[test]
    fn a_single_row_stands_alone() {
        let mut sink = JsonSink::new(&super::super::model::flat_shape(), Nulls::Kept, 100);
        feed(&mut sink, &[vec![Field::Int(7)]]);
        assert_eq!(sink.finish_single().unwrap(), r#"{"id":7}"#);
    }

    #[test]
    fn bare_values_stand_without_their_name() {
        let write = |rows: &[Vec<Field<'_>>]| {
            let mut sink = JsonSink::new(&super::super::model::flat_shape(), Nulls::Stripped, usize::MAX).bare();
            feed(&mut sink, rows);
            sink.finish().unwrap()
        };
        assert_eq!(write(&[vec![Field::Int(1)], vec![Field::Null], vec![Field::Text("[")]]), r#"[1,null,"["]"#);
        assert_eq!(write(&[]), "[]");
    }

    #[test]
    fn a_sink_over_its_limit_says_so() {
        let mut sink = JsonSink::new(&super::super::model::flat_shape(), Nulls::Kept, 20);
        let rows = vec![vec![Field::Int(7)]; 3];
        feed(&mut sink, &rows);
        assert!(sink.is_full());
        assert_eq!(sink.finish(), Err(TooLarge { max: 20 }));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_to_the_rows((shape, rows) in shape_and_rows()) {
            let mut sink = JsonSink::new(&shape, Nulls::Kept, usize::MAX);
            super::super::model::feed_values(&mut sink, &rows);
            let text = sink.finish().unwrap();
            let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(read, super::super::model::to_json(&shape, &rows));
        }
    }
}

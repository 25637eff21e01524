//! Rows inside of rows: arrays of records in the server's binary form, into the sink as if each level had come by itself.
//!
//! A record tells the number of each field's type, so that its cells are read by the same code as those of a statement.
//! Source of the forms: `array_send` and `record_send` of PostgreSQL 15, `src/backend/utils/adt`.

use mainstay_store::RowSink;
use mainstay_store::columns::Columns;
use smallvec::SmallVec;
use tokio_postgres::types::Type;

use super::cells::{CellKind, Malformed};
use super::level::{Kept, Scratch, put_cell};
use super::read::Fault;
use super::render::{MemberSql, Postgres};
use crate::server::level::{Source, put_members, put_nulls};
use crate::sql::Form;

/// Puts the rows of an array of records into the sink, in the form in which they are shown.
pub(super) fn put(
    form: &Form,
    members: &[MemberSql<'_>],
    array: Option<&[u8]>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    let mut records = Records::of(array)?;
    match form {
        Form::One => match records.next()? {
            Some(record) => put_row(members, record, sink, scratch)?,
            None => put_nulls(form, sink),
        },
        Form::Many => {
            sink.start_list();
            while let Some(record) = records.next()? {
                put_row(members, record, sink, scratch)?;
            }
            sink.end_list();
        }
        Form::SpreadOne(_) => match records.next()? {
            Some(mut record) => {
                scratch.embedded += 1;
                put_members(members, &mut record, sink, scratch)?;
            }
            None => put_nulls(form, sink),
        },
        Form::SpreadMany(shape) => {
            let mut columns = Columns::new(shape.clone());
            while let Some(record) = records.next()? {
                put_row(members, record, &mut columns, scratch)?;
            }
            columns.give(sink);
        }
    }
    Ok(())
}

fn put_row(
    members: &[MemberSql<'_>],
    mut record: Record<'_>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    scratch.embedded += 1;
    sink.start_row();
    put_members(members, &mut record, sink, scratch)?;
    sink.end_row();
    Ok(())
}

impl Source<Postgres> for Record<'_> {
    type Kept = Kept;
    type Error = tokio_postgres::Error;

    fn is_null(&self, column: usize) -> Result<bool, Fault> {
        Ok(self.field(column)?.1.is_none())
    }

    fn cell(&self, column: usize, _: &(), sink: &mut dyn RowSink, scratch: &mut Scratch) -> Result<(), Fault> {
        let (ty, raw) = self.field(column)?;
        let Kept { kinds, is_declared } = &mut scratch.own;
        put_cell(kind(kinds, ty)?, raw, *is_declared, sink, &mut scratch.text)
    }

    fn embed(
        &mut self,
        form: &Form,
        column: Option<usize>,
        members: &[MemberSql<'_>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        put(form, members, self.field(column.ok_or(Malformed)?)?.1, sink, scratch)
    }

    /// There are no levels of their own inside of a record.
    fn skip(&mut self, _: &[MemberSql<'_>]) {}
}

/// How cells of the type of this number are read. There are few in one statement, so they are looked through.
fn kind(kinds: &mut Vec<(u32, CellKind)>, ty: u32) -> Result<&CellKind, Malformed> {
    let at = match kinds.iter().position(|(known, _)| *known == ty) {
        Some(at) => at,
        None => {
            let kind = Type::from_oid(ty).as_ref().and_then(CellKind::of).ok_or(Malformed)?;
            kinds.push((ty, kind));
            kinds.len() - 1
        }
    };
    Ok(&kinds[at].1)
}

/// The records of an array, one after the other.
struct Records<'r> {
    left: usize,
    rest: &'r [u8],
}

impl<'r> Records<'r> {
    /// Those of an array of one dimension; null has none.
    fn of(array: Option<&'r [u8]>) -> Result<Records<'r>, Malformed> {
        let mut rest = array.unwrap_or_default();
        if rest.is_empty() {
            return Ok(Records { left: 0, rest });
        }
        let dimensions = number(&mut rest)?;
        // Whether there are nulls, and the type of the items.
        let _ = (number(&mut rest)?, number(&mut rest)?);
        let left = match dimensions {
            0 => 0,
            1 => {
                let left = number(&mut rest)?;
                let _ = number(&mut rest)?; // Where counting begins.
                usize::try_from(left).map_err(|_| Malformed)?
            }
            _ => return Err(Malformed),
        };
        Ok(Records { left, rest })
    }

    fn next(&mut self) -> Result<Option<Record<'r>>, Malformed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut record = octets(&mut self.rest)?.ok_or(Malformed)?;
        let count = usize::try_from(number(&mut record)?).map_err(|_| Malformed)?;
        let mut fields = SmallVec::new();
        for _ in 0..count {
            let ty = number(&mut record)?.cast_unsigned();
            fields.push((ty, octets(&mut record)?));
        }
        Ok(Some(Record(fields)))
    }
}

/// The fields of a record: the number of each one's type, and its octets or null.
struct Record<'r>(SmallVec<[Field<'r>; 12]>);

/// The number of a type, and octets or null.
type Field<'r> = (u32, Option<&'r [u8]>);

impl<'r> Record<'r> {
    fn field(&self, column: usize) -> Result<Field<'r>, Malformed> {
        self.0.get(column).copied().ok_or(Malformed)
    }
}

fn number(rest: &mut &[u8]) -> Result<i32, Malformed> {
    let (number, after) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
    *rest = after;
    Ok(i32::from_be_bytes(*number))
}

/// Octets after their number; that of null is -1.
fn octets<'r>(rest: &mut &'r [u8]) -> Result<Option<&'r [u8]>, Malformed> {
    let count = number(rest)?;
    if count == -1 {
        return Ok(None);
    }
    let count = usize::try_from(count).map_err(|_| Malformed)?;
    let (octets, after) = rest.split_at_checked(count).ok_or(Malformed)?;
    *rest = after;
    Ok(Some(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(records: &[&[Field<'_>]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut push = |number: i32| out.extend(number.to_be_bytes());
        push(1);
        push(0);
        push(2249);
        push(i32::try_from(records.len()).unwrap());
        push(1);
        for record in records {
            let mut inner = i32::try_from(record.len()).unwrap().to_be_bytes().to_vec();
            for (ty, octets) in *record {
                inner.extend(ty.to_be_bytes());
                match octets {
                    None => inner.extend((-1_i32).to_be_bytes()),
                    Some(octets) => {
                        inner.extend(i32::try_from(octets.len()).unwrap().to_be_bytes());
                        inner.extend(*octets);
                    }
                }
            }
            out.extend(i32::try_from(inner.len()).unwrap().to_be_bytes());
            out.extend(inner);
        }
        out
    }

    #[test]
    fn records_are_taken_apart() {
        let octets = array(&[&[(23, Some(&[0, 0, 0, 7])), (25, None)], &[]]);
        let mut records = Records::of(Some(&octets)).unwrap();
        let first = records.next().unwrap().unwrap();
        assert_eq!(first.field(0).unwrap(), (23, Some(&[0, 0, 0, 7][..])));
        assert_eq!(first.field(1).unwrap(), (25, None));
        assert_eq!(first.field(2), Err(Malformed));
        assert!(records.next().unwrap().unwrap().0.is_empty());
        assert!(records.next().unwrap().is_none());
        assert!(Records::of(None).unwrap().next().unwrap().is_none());
    }

    /// Whatever is cut off, it is an error and no panic.
    #[test]
    fn what_is_cut_off_is_malformed() {
        let octets = array(&[&[(23, Some(&[0, 0, 0, 7])), (25, Some(b"text"))]]);
        for end in 1..octets.len() {
            let found =
                Records::of(Some(&octets[..end])).and_then(|mut records| records.next().map(|one| one.is_some()));
            assert_eq!(found, Err(Malformed), "{end}");
        }
    }
}

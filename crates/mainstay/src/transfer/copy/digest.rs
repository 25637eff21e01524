//! What a table holds, in two numbers: how many rows, and the sum of their hashes. Two tables of equal rows have equal
//! numbers whatever order their databases keep them in, and text has another order in each.

use mainstay_query::evaluate::to_json;
use mainstay_schema::value::Json;
use mainstay_schema::{Column, Type};
use sha2::{Digest as _, Sha256};

use super::pieces::{Row, Taker};
use super::values::{convert, kind};

/// A column as it is read, and the one whose values are made of it.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) from: Type,
    pub(super) to: Column,
}

/// Values that a column of the target does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfits {
    /// Name of the column.
    pub(super) column: String,
    /// How many values.
    pub(super) count: u64,
    /// What the first of them is.
    pub(super) first: &'static str,
    /// What the column holds.
    pub(super) wanted: String,
}

/// Counts and adds up rows as they would be in the target.
pub(super) struct Digest {
    pairs: Vec<Pair>,
    names: Vec<String>,
    pub(super) rows: u64,
    sum: [u64; 4],
    pub(super) misfits: Vec<Misfits>,
}

impl Digest {
    pub(super) fn new(pairs: Vec<Pair>) -> Digest {
        let names = pairs.iter().map(|pair| Json::string(&pair.to.name).as_str().to_owned()).collect();
        Digest { pairs, names, rows: 0, sum: [0; 4], misfits: Vec::new() }
    }

    /// The sum in hex.
    pub(super) fn hash(&self) -> String {
        self.sum.iter().rev().map(|part| format!("{part:016x}")).collect()
    }

    fn add(&mut self, row: Row) {
        let mut line = String::from("{");
        for (at, value) in row.into_iter().enumerate() {
            let Pair { from, to } = &self.pairs[at];
            let value = match convert(from, &to.ty, value) {
                Ok(value) if value.is_null() && !to.optional => {
                    note(&mut self.misfits, to, "nothing");
                    value
                }
                Ok(value) => value,
                Err(value) => {
                    note(&mut self.misfits, to, kind(&value));
                    value
                }
            };
            if at > 0 {
                line.push(',');
            }
            line.push_str(&self.names[at]);
            line.push(':');
            line.push_str(to_json(&value).as_ref().map_or("null", Json::as_str));
        }
        line.push('}');
        self.rows += 1;
        let hash = Sha256::digest(line.as_bytes());
        let mut carry = false;
        for (part, octets) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            let addend = octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet));
            let (sum, over) = part.overflowing_add(addend);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            (*part, carry) = (sum, over | more);
        }
    }
}

fn note(misfits: &mut Vec<Misfits>, to: &Column, first: &'static str) {
    match misfits.iter_mut().find(|misfits| *misfits.column == *to.name) {
        Some(known) => known.count += 1,
        None => {
            let wanted = if first == "nothing" { format!("{}, and must be there", to.ty) } else { to.ty.to_string() };
            misfits.push(Misfits { column: to.name.to_string(), count: 1, first, wanted });
        }
    }
}

impl Taker for Digest {
    fn take(&mut self, rows: Vec<Row>) {
        rows.into_iter().for_each(|row| self.add(row));
    }
}

#[cfg(test)]
mod tests {
    use mainstay_schema::{ColumnId, Value};

    use super::*;

    fn pair(name: &str, ty: Type, optional: bool) -> Pair {
        let to = Column { optional, ..Column::new(ColumnId(0), name, ty.clone()) };
        Pair { from: ty, to }
    }

    fn digest(rows: &[(i64, Option<&str>)]) -> Digest {
        let mut digest = Digest::new(vec![pair("id", Type::Int, false), pair("t", Type::Text, true)]);
        let text = |text: &Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
        digest.take(rows.iter().map(|(id, t)| vec![Value::Int(*id), text(t)]).collect());
        digest
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_everything_else_does() {
        let rows = [(1, Some("a")), (2, None), (3, Some(""))];
        let mut turned = rows;
        turned.reverse();
        assert_eq!(digest(&rows).hash(), digest(&turned).hash());
        for other in
            [&rows[..2], &[(1, Some("a")), (2, Some("")), (3, None)], &[(1, Some("a")), (1, Some("a")), (2, None)]]
        {
            assert_ne!(digest(&rows).hash(), digest(other).hash(), "{other:?}");
        }
        assert_eq!(digest(&[]).hash(), "0".repeat(64));
    }

    #[test]
    fn the_sum_is_that_of_numbers_of_256_bits() {
        // printf '{"id":1,"t":"a"}' | sha256sum, read as a number whose first octet is the smallest.
        let hash = Sha256::digest(br#"{"id":1,"t":"a"}"#);
        let expected: String = hash.iter().rev().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(digest(&[(1, Some("a"))]).hash(), expected);
        let mut full = digest(&[]);
        full.sum = [u64::MAX; 4];
        full.take(vec![vec![Value::Int(1), Value::Text("a".into())]]);
        let mut one_less = digest(&[(1, Some("a"))]);
        let (low, borrow) = one_less.sum[0].overflowing_sub(1);
        assert!(!borrow);
        one_less.sum[0] = low;
        assert_eq!(full.hash(), one_less.hash(), "the carry goes through and off the end");
    }

    #[test]
    fn what_the_target_does_not_hold_is_told_by_column() {
        let mut digest = digest(&[(1, None)]);
        digest.take(vec![
            vec![Value::Int(1 << 40), Value::Int(5)],
            vec![Value::Null, Value::Bytes(vec![1])],
            vec![Value::Int(4), Value::Text("b".into())],
        ]);
        let told: Vec<_> =
            digest.misfits.iter().map(|one| (one.column.as_str(), one.count, one.first, one.wanted.as_str())).collect();
        assert_eq!(told, [("id", 2, "a whole number", "int"), ("t", 2, "a whole number", "text")]);
        assert_eq!(digest.rows, 4);
    }
}

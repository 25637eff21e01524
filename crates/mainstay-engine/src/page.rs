//! Pages by key: places in the order of rows, given out as tokens that only we can make.
//!
//! A token holds the values by which the last row of a page was ordered, and the time of its making. It is sealed
//! together with the table, the filter, the order and the actor's role, so that it opens only for the request that it
//! was made for; which members are selected does not matter. Its values are what its owner has seen, or might have by
//! selecting them, so they are not hidden.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use mainstay_query::plan::{Cardinality, Embed, Expr, Link, Order, Output, Read, Source};
use mainstay_query::{Actor, ParseError};
use mainstay_schema::value::float_text;
use mainstay_schema::{Schema, Type, Value};
use mainstay_store::{Cell, RowSink};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Octets of a seal: half of what the function gives, which leaves 128 bits to guess.
const SEAL_BYTES: usize = 16;
/// Octets of the time of making, in seconds after 1970.
const TIME_BYTES: usize = 8;
/// Most octets of the values in a token: it travels in headers and in URLs.
const VALUES_BYTES_MAX: usize = 4096;
/// How long a token is good: a day, and some time for who comes back in the morning.
const AGE_S_MAX: i64 = 30 * 60 * 60;

/// Seals tokens.
#[derive(Clone)]
pub(crate) struct PageKey([u8; 32]);

impl std::fmt::Debug for PageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageKey([hidden])")
    }
}

impl PageKey {
    /// A key of its own for this use of a secret.
    pub(crate) fn derive(secret: &[u8]) -> PageKey {
        PageKey(mac(secret, &[b"mainstay page tokens, version 1"]))
    }
}

/// What a token of one read is bound to.
pub(crate) struct Pages<'k> {
    key: &'k PageKey,
    binding: [u8; 32],
    /// The type of each value.
    types: Vec<Type>,
}

impl<'k> Pages<'k> {
    /// Binds tokens to the rows of a plan, in its order, for this actor.
    pub(crate) fn new(key: &'k PageKey, schema: &Schema, actor: &Actor, plan: &Read) -> Pages<'k> {
        let role = match actor {
            Actor::Caller(role) => role.name(),
            Actor::System => "system",
        };
        let table = schema.table(plan.table);
        let columns: Vec<(&str, &Type)> = table.columns.iter().map(|column| (&*column.name, &column.ty)).collect();
        let tables: Vec<&str> = schema.tables().iter().map(|table| &*table.name).collect();
        // Plans print every value in full; ids mean something only together with the names that they stand for.
        let bound = format!("{role:?} {:?} {columns:?} {tables:?} {:?} {:?}", table.name, plan.filter, plan.order);
        let types = plan.order.iter().map(|term| term.expr.ty(holder(schema, plan, term))).collect();
        Pages { key, binding: Sha256::digest(bound.as_bytes()).into(), types }
    }

    /// The token of a place.
    ///
    /// # Errors
    /// [`ParseError::NotImplemented`] if the values are too long for one.
    pub(crate) fn seal(&self, place: &[Option<String>], now_s: i64) -> Result<String, Error> {
        let values = serde_json::to_vec(place).map_err(|_| Error::Internal("text that is no JSON"))?;
        if values.len() > VALUES_BYTES_MAX {
            let details = format!(
                "A page by key (after) ends at a row that is ordered by values of more than {VALUES_BYTES_MAX} octets; \
                 order by something shorter, or use limit and offset."
            );
            return Err(Error::Parse(ParseError::NotImplemented { details }));
        }
        let body = [&now_s.to_be_bytes()[..], &values].concat();
        let seal = mac(&self.key.0, &[&self.binding, &body]);
        Ok(URL_SAFE_NO_PAD.encode([&seal[..SEAL_BYTES], &body].concat()))
    }

    /// The place that a token tells.
    ///
    /// # Errors
    /// [`ParseError::Parameter`] if it was not sealed by us for this request, or too long ago.
    pub(crate) fn open(&self, token: &str, now_s: i64) -> Result<Vec<Value>, Error> {
        self.open_if_good(token, now_s).ok_or_else(|| {
            Error::Parse(ParseError::Parameter {
                message: "The place in after is not one that was given out for this request".to_owned(),
                hint:
                    "Begin again with an empty after: table, filters, order and role must stay the same, and a place \
                       is good for a day."
                        .to_owned(),
            })
        })
    }

    fn open_if_good(&self, token: &str, now_s: i64) -> Option<Vec<Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (seal, body) = bytes.split_at_checked(SEAL_BYTES)?;
        let mut mac = keyed(&self.key.0);
        mac.update(&self.binding);
        mac.update(body);
        mac.verify_truncated_left(seal).ok()?;
        let (time, values) = body.split_at_checked(TIME_BYTES)?;
        let age_s = now_s.checked_sub(i64::from_be_bytes(time.try_into().ok()?))?;
        if age_s > AGE_S_MAX {
            return None;
        }
        let texts: Vec<Option<String>> = serde_json::from_slice(values).ok()?;
        if texts.len() != self.types.len() {
            return None;
        }
        texts.into_iter().zip(&self.types).map(|(text, ty)| value(ty, text.as_deref())).collect()
    }
}

/// The value that a cell's text stands for.
fn value(ty: &Type, text: Option<&str>) -> Option<Value> {
    match (ty, text) {
        (_, None) => Some(Value::Null),
        // A column of arrays gives them as JSON.
        (Type::Array(_), Some(text)) => Value::parse_json(ty, text).ok(),
        // Where a found table keeps other numbers than 0 and 1, they are shown and ordered as what they are.
        (Type::Bool, Some(text)) => Value::parse(ty, text).or_else(|_| Value::parse(&Type::Int, text)).ok(),
        // And times beyond a day, as MySQL has them.
        (Type::Time, Some(text)) => Some(Value::parse(ty, text).unwrap_or_else(|_| Value::Time(text.to_owned()))),
        (_, Some(text)) => Value::parse(ty, text).ok(),
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed(key);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn holder<'s>(schema: &'s Schema, plan: &Read, term: &Order) -> &'s mainstay_schema::Table {
    schema.table(term.via.as_ref().map_or(plan.table, |via| via.table))
}

/// Adds the values that rows are ordered by to their members, at the end.
pub(crate) fn add_places(plan: &mut Read) {
    let places: Vec<Output> = plan
        .order
        .iter()
        .map(|term| {
            let value = |expr: &Expr| Output { name: "place".into(), source: Source::Value(expr.clone()) };
            let Some(via) = &term.via else { return value(&term.expr) };
            let link = Link { cardinality: Cardinality::One, join: via.join.clone() };
            let read = Read { select: vec![value(&term.expr)], filter: via.filter.clone(), ..Read::new(via.table) };
            Output { name: "place".into(), source: Source::Spread(Embed { link, read: Box::new(read) }) }
        })
        .collect();
    plan.select.extend(places);
}

/// Passes rows on without their last members, and keeps those of the last row.
pub(crate) struct PlaceSink<S> {
    /// The sink of those who asked.
    pub(crate) rows: S,
    /// Members that are passed on.
    width: usize,
    /// Rows and lists that are open.
    depth: usize,
    /// Members of the outermost row that came.
    members: usize,
    /// The others, of the last row.
    pub(crate) place: Vec<Option<String>>,
}

impl<S: RowSink> PlaceSink<S> {
    /// Passes on the first `width` members of each row.
    pub(crate) fn new(rows: S, width: usize) -> PlaceSink<S> {
        PlaceSink { rows, width, depth: 0, members: 0, place: Vec::new() }
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.members += usize::from(self.depth == 1);
    }
}

impl<S: RowSink> RowSink for PlaceSink<S> {
    fn start_row(&mut self) {
        if self.depth == 0 {
            self.members = 0;
            self.place.clear();
        }
        self.depth += 1;
        self.rows.start_row();
    }

    fn end_row(&mut self) {
        self.leave();
        self.rows.end_row();
    }

    fn start_list(&mut self) {
        self.depth += 1;
        self.rows.start_list();
    }

    fn end_list(&mut self) {
        self.leave();
        self.rows.end_list();
    }

    fn cell(&mut self, cell: Cell<'_>) {
        if self.depth == 1 && self.members >= self.width {
            self.place.push(text(cell));
        } else {
            self.rows.cell(cell);
        }
        self.members += usize::from(self.depth == 1);
    }

    fn is_full(&self) -> bool {
        self.rows.is_full()
    }

    fn may_wait(&self) -> bool {
        self.rows.may_wait()
    }
}

fn text(cell: Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => float_text(value),
        Cell::Digits(text) | Cell::Text(text) | Cell::Plain(text) | Cell::Json(text) => text.to_owned(),
        Cell::Bytes(octets) => Value::Bytes(octets.to_owned()).to_text()?,
    })
}

#[cfg(test)]
mod tests {
    use mainstay_query::Role;
    use mainstay_schema::TableId;

    use super::*;

    fn pages<'k>(key: &'k PageKey, role: Role, limit: u64) -> Pages<'k> {
        let schema = schema();
        let order = |column| Order {
            via: None,
            expr: Expr::column(mainstay_schema::ColumnId(column)),
            descending: false,
            nulls_first: false,
        };
        let plan = Read { order: vec![order(1), order(0)], limit: Some(limit), ..Read::new(TableId(0)) };
        Pages::new(key, &schema, &Actor::Caller(role), &plan)
    }

    fn schema() -> Schema {
        let text = "[t.fields]\nid = { type = \"int\", primary = true }\nname = { type = \"text\", optional = true }\n";
        let file = mainstay_schema::load::SourceFile { path: "t.toml".into(), text: text.to_owned() };
        mainstay_schema::load::load(&[file]).unwrap_or_else(|mistakes| panic!("{}", mistakes[0]))
    }

    #[test]
    fn a_place_comes_back_for_the_same_request_alone() {
        let key = PageKey::derive(b"secret");
        let token = pages(&key, Role::Anon, 5).seal(&[None, Some("7".to_owned())], 1000).unwrap();
        assert_eq!(pages(&key, Role::Anon, 9).open(&token, 1000).unwrap(), [Value::Null, Value::Int(7)]);
        assert!(pages(&key, Role::Service, 5).open(&token, 1000).is_err(), "another role");
        assert!(pages(&PageKey::derive(b"other"), Role::Anon, 5).open(&token, 1000).is_err(), "another key");
        assert!(pages(&key, Role::Anon, 5).open(&token, 1000 + AGE_S_MAX).is_ok());
        assert!(pages(&key, Role::Anon, 5).open(&token, 1001 + AGE_S_MAX).is_err(), "too old");
        assert!(pages(&key, Role::Anon, 5).open(&token, i64::MIN).is_err(), "no time at all");
    }

    /// `security.md` V7.
    #[test]
    fn any_flipped_bit_is_refused() {
        let key = PageKey::derive(b"secret");
        let pages = pages(&key, Role::Anon, 5);
        let token = pages.seal(&[Some("né".to_owned()), Some("7".to_owned())], 1000).unwrap();
        assert!(pages.open(&token, 1000).is_ok());
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(other) = String::from_utf8(bytes) {
                    assert!(pages.open(&other, 1000).is_err(), "{at} {bit}");
                }
            }
        }
        for end in 0..token.len() {
            assert!(pages.open(&token[..end], 1000).is_err(), "cut at {end}");
        }
        assert!(pages.open(&format!("{token}A"), 1000).is_err());
    }

    #[test]
    fn values_that_are_too_long_for_a_header_are_refused() {
        let key = PageKey::derive(b"secret");
        let pages = pages(&key, Role::Anon, 5);
        let long = |octets| [Some("x".repeat(octets)), Some("7".to_owned())];
        assert!(pages.seal(&long(VALUES_BYTES_MAX - 10), 1000).is_ok());
        assert!(matches!(
            pages.seal(&long(VALUES_BYTES_MAX), 1000),
            Err(Error::Parse(ParseError::NotImplemented { .. }))
        ));
    }
}

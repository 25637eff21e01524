//! What the targets share: a schema with every kind of column and relation, and a clock that stands still.

use std::cell::Cell;
use std::sync::LazyLock;

use mainstay_query::plan::Fresh;
use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};

/// The schema that requests are planned on.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = include_str!("../../crates/mainstay-query/tests/cases/schema.toml").to_owned();
    load(&[SourceFile { path: "schema.toml".into(), text }]).expect("the schema is held by the tests of mainstay-query")
});

/// A clock that stands still, and uuids that count.
#[derive(Default)]
pub struct Counting(Cell<u128>);

impl Fresh for Counting {
    fn now(&self) -> &str {
        "2026-11-23T10:00:00+00:00"
    }

    fn uuid7(&self) -> uuid::Uuid {
        self.0.set(self.0.get() + 1);
        uuid::Uuid::from_u128(self.0.get())
    }
}

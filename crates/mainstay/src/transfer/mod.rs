//! Rows in and out of a project in bulk: imports, exports and seeds.
//!
//! A file becomes records ([`source`], [`frame`]), a record becomes typed values ([`fields`], [`typing`]), and values
//! become authorized plans like those of any request, written as [`Actor::System`](mainstay_query::Actor). Knows no
//! HTTP and no SQL. Called by the commands `import`, `export`, `seed`, `copy`, and by `dev` and `serve` at a first start.

use mainstay_schema::{Schema, Table, near};

mod bad;
mod cells;
mod conflict;
pub mod copy;
mod error;
mod export;
mod extended;
mod fields;
mod format;
mod frame;
mod import;
mod ledger;
mod progress;
mod reader;
mod seed;
mod source;
mod typing;

pub use conflict::OnConflict;
pub use error::TransferError;
pub use export::{ExportRequest, Exported, Target, export};
pub use format::{FileForm, RecordFormat};
pub use import::{ImportRequest, Imported, import};
pub use progress::{Progress, Silent, Terminal};
pub use seed::{SeedMode, Seeded, SeededTable, seed};

/// The table or view with this name, for somebody outside.
fn find_table<'s>(schema: &'s Schema, name: &str) -> Result<&'s Table, TransferError> {
    let open = || schema.tables().iter().filter(|table| !table.internal);
    open().find(|table| &*table.name == name).ok_or_else(|| {
        let remedy = match near(name, open().map(|table| &*table.name)) {
            Some(other) => format!("did you mean \"{other}\"?"),
            None => "declare it in schema/".to_owned(),
        };
        TransferError::Misuse(format!("there is no table \"{name}\"; {remedy}"))
    })
}

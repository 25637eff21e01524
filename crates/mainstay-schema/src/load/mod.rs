//! TOML files to [`Schema`].
//!
//! Three steps: each file is read into what it declares (`table`, `field`), names are brought together across files
//! (`naming`, `keys`, `types`, `references`, `indexes`), and the snapshot is built (`columns`, `build`). Every step
//! notes its mistakes and goes on, so that one run finds them all. It knows text only; the caller reads the files.

mod build;
mod columns;
mod declared;
mod field;
mod functions;
mod indexes;
mod internal;
mod keys;
mod literal;
mod naming;
mod node;
mod overlay;
mod references;
mod resolve;
mod source;
mod stores;
mod table;
pub(crate) mod types;
pub(crate) mod words;

use std::path::PathBuf;

use toml::de::DeTable;

pub use overlay::overlay;
pub use types::parse_type;

use crate::error::Mistake;
use crate::model::Schema;
pub use functions::{Lexis, NoProbe, PARAMETERS_MAX, Probe, Probed, Refused, Statement, load_functions};
use source::{Mistakes, Place};
pub use stores::{FoundPart, StorePart, load_stores};

/// One schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the project folder, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Reads the schema files of a project, in any order: tables are in order of path, then of place.
///
/// # Errors
/// Every mistake of all files, in order of file and line.
pub fn load(files: &[SourceFile]) -> Result<Schema, Vec<Mistake>> {
    load_stores(files, &[StorePart { name: None, found: None }])
}

fn parse<'a>(file: usize, source: &'a SourceFile, mistakes: &mut Mistakes) -> Option<DeTable<'a>> {
    match DeTable::parse(&source.text) {
        Ok(document) => Some(document.into_inner()),
        Err(error) => {
            let place = Place { file, at: error.span().map_or(0, |span| span.start) };
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            mistakes.add(place, format!("this is not TOML: {reason}"), toml_remedy(&reason));
            None
        }
    }
}

fn toml_remedy(reason: &str) -> &'static str {
    let remedies = [
        ("duplicate key", "write each name and each [table] once"),
        ("unclosed", "close it"),
        ("string", "put text in quotes, and end it on the same line"),
    ];
    let fitting = remedies.iter().find(|(word, _)| reason.contains(word));
    fitting.map_or("write name = value, one a line; toml.io shows all forms", |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests;

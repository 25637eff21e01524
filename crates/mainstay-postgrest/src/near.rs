//! Names that were probably meant.

use crate::catalog::{Catalog, Function, Name};

/// What to call instead of a function that is not there. No names are near yet.
pub(crate) fn function_hint(_: &Catalog, _: &Name, _: &[Function], _: &[&str]) -> Option<String> {
    None
}

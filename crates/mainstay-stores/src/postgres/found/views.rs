//! What views inherit from the tables that they show (rest.md 7.1), by what PostgreSQL keeps of their queries.

use std::collections::HashMap;

use mainstay_schema::Table;

use super::{Made, lineage};
use crate::sql::inherit::{self, Shown, Views};

/// Gives views the keys and references of what they show.
pub(super) fn inherit(made: &mut [Made<'_>], places: &HashMap<i64, usize>) {
    let shown = |view: &Made<'_>, action: &str| -> Vec<Shown> {
        let one = |shown: lineage::Shown| {
            let table = *places.get(&shown.relation)?;
            let column = *made[table].numbers.get(&shown.origin)?;
            Some(Shown { here: *view.numbers.get(&shown.column)?, table, column })
        };
        lineage::shown(action).into_iter().filter_map(one).collect()
    };
    let views: Views = (made.iter().enumerate())
        .filter_map(|(at, view)| Some((at, shown(view, view.from.lineage.as_deref()?))))
        .collect();
    let mut tables: Vec<&mut Table> = made.iter_mut().map(|made| &mut made.table).collect();
    inherit::inherit(&mut tables, &views);
}

//! Orders.

use super::embed;
use super::select::operand;
use super::statement::Sql;
use crate::plan::read::{Level, Order, OrderBy};

/// ` ORDER BY …`; nothing where no order was asked for.
pub(super) fn order_by(level: &Level) -> Sql {
    let mut sql = Sql::new();
    if !level.order.is_empty() {
        sql.push(" ORDER BY ").join(", ", level.order.iter().map(|order| term(order, level)));
    }
    sql
}

fn term(order: &Order, level: &Level) -> Sql {
    let mut sql = match &order.by {
        OrderBy::Own(by) => operand(by, &level.qualifier),
        OrderBy::Embedded { embed, key } => embed::key(&level.embeds[*embed], *key),
    };
    if order.descending {
        sql.push(" DESC");
    }
    sql.push(match order.nulls_first {
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
        None => "",
    });
    sql
}

//! Orders in which tables and views can come and go.

use crate::model::{Schema, Table, TableKind};

/// The tables, each after those of them that it references. Circles are broken where the first of them stands.
pub(super) fn targets_first<'a>(tables: &[&'a Table]) -> Vec<&'a Table> {
    sorted(tables, |table, other| table.references.iter().any(|reference| reference.target == other.id))
}

/// The views of a schema with their queries, each after those that its query names.
pub(super) fn views(schema: &Schema) -> Vec<(&Table, &str)> {
    let views: Vec<(&Table, &str)> = schema
        .tables()
        .iter()
        .filter_map(|table| match &table.kind {
            TableKind::View { sql } => Some((table, sql.as_str())),
            TableKind::Table => None,
        })
        .collect();
    sorted(&views, |(_, sql), (other, _)| names(sql, &other.name))
}

/// Whether an SQL text holds a name as a word of its own. It may be one of another kind, which costs nothing but order.
fn names(sql: &str, name: &str) -> bool {
    let (sql, name) = (sql.to_lowercase(), name.to_lowercase());
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    sql.match_indices(&name)
        .any(|(at, _)| !is_part(sql[..at].chars().next_back()) && !is_part(sql[at + name.len()..].chars().next()))
}

/// Keeps the given order but for what `needs` asks: an item comes after those that it needs.
fn sorted<T: Copy>(items: &[T], needs: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut left: Vec<(usize, T)> = items.iter().copied().enumerate().collect();
    let mut done = Vec::with_capacity(items.len());
    while !left.is_empty() {
        let is_free = |(at, item): &(usize, T)| left.iter().all(|(other, needed)| at == other || !needs(item, needed));
        let next = left.iter().position(is_free).unwrap_or(0);
        done.push(left.remove(next).1);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_items_come_first_and_circles_end() {
        let order = |needs: &[(u8, u8)]| sorted(&[1, 2, 3], |a, b| needs.contains(&(*a, *b)));
        for (needs, expected) in [
            (&[] as &[(u8, u8)], [1, 2, 3]),
            (&[(1, 3)], [2, 3, 1]),
            (&[(1, 2), (2, 3)], [3, 2, 1]),
            (&[(1, 2), (2, 1)], [3, 1, 2]),
            (&[(1, 1)], [1, 2, 3]),
        ] {
            assert_eq!(order(needs), expected, "{needs:?}");
        }
    }

    #[test]
    fn words_in_queries() {
        for (sql, name, expected) in [
            ("select * from Sales", "sales", true),
            ("select * from \"sales\" s", "sales", true),
            ("select * from sales_2026", "sales", false),
            ("select resales from x", "sales", false),
            ("select 1", "größe", false),
        ] {
            assert_eq!(names(sql, name), expected, "{sql}");
        }
    }
}

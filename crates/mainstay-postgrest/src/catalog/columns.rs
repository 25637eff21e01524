//! Columns and their types. The server writes types and looks through domains once for each type that is used, since
//! columns are many and their types few.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mainstay_stores::postgres::{Failure, Param, Session};

use super::names::Names;
use super::{Column, Relation};

/// A type with what modifies it.
type TypeId = (u32, i32);

/// What columns of one type have in common.
struct ColumnType {
    forbids_null: bool,
    base: Arc<str>,
    declared: Arc<str>,
    shown: Arc<str>,
    length_max: Option<i32>,
    default: Option<String>,
    labels: Vec<String>,
    is_composite_or_array: bool,
}

/// A column before its type is known.
struct Found {
    relation: u32,
    number: i16,
    name: Arc<str>,
    is_required: bool,
    ty: TypeId,
    comment: Option<String>,
    /// Whether the default of its type would be its own.
    may_inherit: bool,
    default: Option<String>,
}

/// Gives the relations of these schemas (an array literal) their columns, in order; what the columns are called, by
/// relation and number.
pub(super) async fn read(
    session: &mut Session,
    schemas: &str,
    names: &mut Names,
    relations: &mut HashMap<u32, Relation>,
) -> Result<HashMap<(u32, i16), Arc<str>>, Failure> {
    let mut rows = session.query(include_str!("sql/columns.sql"), &[Param::Text(schemas)]).await?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().await? {
        all.push(Found {
            relation: row.try_get(0)?,
            number: row.try_get(1)?,
            name: names.share(row.try_get(2)?),
            is_required: row.try_get(3)?,
            ty: (row.try_get(4)?, row.try_get(5)?),
            comment: row.try_get(6)?,
            may_inherit: row.try_get(7)?,
            default: row.try_get(8)?,
        });
    }
    drop(rows);
    let types = types(session, &all, names).await?;
    let mut attributes = HashMap::with_capacity(all.len());
    let mut found: HashMap<u32, Vec<(i16, Column)>> = HashMap::with_capacity(relations.len());
    for one in all {
        let Some(ty) = types.get(&one.ty) else { continue };
        let column = Column {
            name: one.name,
            comment: one.comment,
            is_nullable: !one.is_required && !ty.forbids_null,
            base_type: ty.base.clone(),
            declared_type: ty.declared.clone(),
            shown_type: ty.shown.clone(),
            length_max: ty.length_max,
            default: one.default.or_else(|| ty.default.clone().filter(|_| one.may_inherit)),
            labels: ty.labels.clone(),
            is_composite_or_array: ty.is_composite_or_array,
        };
        attributes.insert((one.relation, one.number), column.name.clone());
        found.entry(one.relation).or_default().push((one.number, column));
    }
    for (relation, mut columns) in found {
        columns.sort_by_key(|(number, _)| *number);
        if let Some(relation) = relations.get_mut(&relation) {
            relation.columns = columns.into_iter().map(|(_, column)| column).collect();
        }
    }
    Ok(attributes)
}

/// The types of these columns.
async fn types(
    session: &mut Session,
    columns: &[Found],
    names: &mut Names,
) -> Result<HashMap<TypeId, ColumnType>, Failure> {
    let used: HashSet<TypeId> = columns.iter().map(|column| column.ty).collect();
    let list = |part: fn(&TypeId) -> String| format!("{{{}}}", used.iter().map(part).collect::<Vec<_>>().join(","));
    // One order for both, as nothing is added meanwhile.
    let (ids, modifiers) = (list(|(id, _)| id.to_string()), list(|(_, modifier)| modifier.to_string()));
    let rows = session.query_all(include_str!("sql/types.sql"), &[Param::Text(&ids), Param::Text(&modifiers)]).await?;
    let mut types = HashMap::with_capacity(rows.len());
    for row in rows {
        let ty = ColumnType {
            forbids_null: row.try_get(2)?,
            base: names.share(row.try_get(3)?),
            declared: names.share(row.try_get(4)?),
            shown: names.share(row.try_get(5)?),
            length_max: row.try_get(6)?,
            default: row.try_get(7)?,
            labels: row.try_get::<_, Option<_>>(8)?.unwrap_or_default(),
            is_composite_or_array: row.try_get(9)?,
        };
        types.insert((row.try_get(0)?, row.try_get(1)?), ty);
    }
    Ok(types)
}

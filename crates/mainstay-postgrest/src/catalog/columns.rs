//! Columns and their types. The server writes types and looks through domains once for each type that is used, since
//! columns are many and their types few.

use std::collections::HashMap;
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

/// Gives the relations of these schemas (an array literal) their columns, in order; what the columns are called, by
/// relation and number.
pub(super) async fn read(
    session: &mut Session,
    schemas: &str,
    names: &mut Names,
    relations: &mut HashMap<u32, Relation>,
) -> Result<HashMap<(u32, i16), Arc<str>>, Failure> {
    let mut types: HashMap<TypeId, ColumnType> = HashMap::new();
    for row in session.query_all(include_str!("sql/types.sql"), &[Param::Text(schemas)]).await? {
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
    let mut attributes = HashMap::new();
    let mut found: HashMap<u32, Vec<(i16, Column)>> = HashMap::with_capacity(relations.len());
    let mut rows = session.query(include_str!("sql/columns.sql"), &[Param::Text(schemas)]).await?;
    while let Some(row) = rows.next().await? {
        let (relation, number): (u32, i16) = (row.try_get(0)?, row.try_get(1)?);
        let id: TypeId = (row.try_get(4)?, row.try_get(5)?);
        // Both statements see one state of the catalog, so every type was told of.
        let Some(ty) = types.get(&id) else { continue };
        let (is_required, may_inherit): (bool, bool) = (row.try_get(3)?, row.try_get(7)?);
        let own: Option<String> = row.try_get(8)?;
        let column = Column {
            name: names.share(row.try_get(2)?),
            comment: row.try_get(6)?,
            is_nullable: !is_required && !ty.forbids_null,
            base_type: ty.base.clone(),
            declared_type: ty.declared.clone(),
            shown_type: ty.shown.clone(),
            length_max: ty.length_max,
            default: own.or_else(|| ty.default.clone().filter(|_| may_inherit)),
            labels: ty.labels.clone(),
            is_composite_or_array: ty.is_composite_or_array,
        };
        attributes.insert((relation, number), column.name.clone());
        found.entry(relation).or_default().push((number, column));
    }
    for (relation, mut columns) in found {
        columns.sort_by_key(|(number, _)| *number);
        if let Some(relation) = relations.get_mut(&relation) {
            relation.columns = columns.into_iter().map(|(_, column)| column).collect();
        }
    }
    Ok(attributes)
}

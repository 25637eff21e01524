//! Keeps messages from telling what the rules hide: a request that cannot be planned on a table that the actor may
//! not touch is refused as such, and hints name only tables that the actor may read.

use mainstay_query::authorize::{Operation, need};
use mainstay_query::{Actor, Denied, PlanError};
use mainstay_schema::Schema;

use crate::error::Error;

/// The error that this actor may see, who wanted to do `operation` to the table called `root`.
pub(crate) fn conceal(schema: &Schema, actor: &Actor, root: &str, operation: Operation, mut error: PlanError) -> Error {
    let refused = |table: &str, operation| {
        let table = schema.find(table)?;
        need(schema, actor, table.id, operation).err()
    };
    if let PlanError::Nested { tables, .. } = &error
        && let Some(denied) = tables.iter().find_map(|table| refused(table, Operation::Create))
        && refused(root, operation).is_none()
    {
        return refused_as(schema, denied);
    }
    let embedded = subject(&error).filter(|table| *table != root);
    let denied = refused(root, operation).or_else(|| refused(embedded?, Operation::Read));
    if let Some(denied) = denied {
        return refused_as(schema, denied);
    }
    if let PlanError::UnknownTable { suggestion, .. } | PlanError::NoRelation { suggestion, .. } = &mut error {
        suggestion.take_if(|name| refused(name, Operation::Read).is_some());
    }
    Error::from(error)
}

/// A refusal by the rules. Of an internal table not even the existence is told.
pub(crate) fn refused_as(schema: &Schema, denied: Denied) -> Error {
    if schema.find(&denied.table).is_some_and(|table| table.internal) {
        return Error::Plan(PlanError::UnknownTable { schema: "public", table: denied.table, suggestion: None });
    }
    Error::Denied(denied)
}

/// The table that a message tells about.
pub(crate) fn subject(error: &PlanError) -> Option<&str> {
    match error {
        PlanError::UnknownColumn { table, .. }
        | PlanError::NoRelation { parent: table, .. }
        | PlanError::Ambiguous { parent: table, .. }
        | PlanError::BadRelatedOrder { table, .. } => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::Role;
    use mainstay_schema::{Access, Rule, Table, TableId, TableKind};

    use super::*;

    fn schema() -> Schema {
        let table = |id, name: &str, read| Table {
            access: Access { read, ..Access::default() },
            ..Table::new(TableId(id), name, TableKind::Table, Vec::new())
        };
        Schema::new(vec![table(0, "open", Rule::Always), table(1, "closed", Rule::Never)])
    }

    fn seen(role: Role, error: PlanError) -> Error {
        let root = match &error {
            PlanError::UnknownTable { table, .. } => table.clone(),
            _ => "open".to_owned(),
        };
        conceal(&schema(), &Actor::Caller(role), &root, Operation::Read, error)
    }

    fn unknown_column(table: &str) -> PlanError {
        PlanError::UnknownColumn { table: table.into(), column: "x".into(), suggestion: Some("y".into()) }
    }

    #[test]
    fn columns_of_a_closed_table_are_not_told() {
        assert!(matches!(seen(Role::Anon, unknown_column("closed")), Error::Denied(_)));
        assert!(matches!(seen(Role::Anon, unknown_column("open")), Error::Plan(_)));
        assert!(matches!(seen(Role::Service, unknown_column("closed")), Error::Plan(_)));
    }

    #[test]
    fn internal_tables_do_not_exist_for_others() {
        let mut tables = schema().tables().to_vec();
        tables[1].internal = true;
        let schema = Schema::new(tables);
        let denied = need(&schema, &Actor::Caller(Role::Service), TableId(1), Operation::Read).unwrap_err();
        assert!(matches!(refused_as(&schema, denied), Error::Plan(PlanError::UnknownTable { .. })));
    }

    #[test]
    fn nothing_is_told_of_a_closed_root_table() {
        let error = conceal(&schema(), &Actor::Caller(Role::Anon), "closed", Operation::Read, PlanError::NoSuchKey);
        assert!(matches!(error, Error::Denied(_)));
        let error = conceal(&schema(), &Actor::Caller(Role::Anon), "open", Operation::Create, PlanError::NoSuchKey);
        assert!(matches!(error, Error::Denied(_)));
        let error = conceal(&schema(), &Actor::System, "closed", Operation::Read, PlanError::NoSuchKey);
        assert!(matches!(error, Error::Plan(_)));
    }

    #[test]
    fn hints_name_only_tables_that_may_be_read() {
        let hint = |role, suggestion: &str| {
            let error =
                PlanError::UnknownTable { schema: "public", table: "x".into(), suggestion: Some(suggestion.into()) };
            match seen(role, error) {
                Error::Plan(PlanError::UnknownTable { suggestion, .. }) => suggestion,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(hint(Role::Anon, "open").as_deref(), Some("open"));
        assert_eq!(hint(Role::Anon, "closed"), None);
        assert_eq!(hint(Role::Service, "closed").as_deref(), Some("closed"));
    }
}

//! What a description may tell: only what its reader may touch.

use mainstay_query::Actor;
use mainstay_query::authorize::{self, Operation, need};
use mainstay_schema::{Function, Schema, Table, TableId};

/// Whose view of the schema is described.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sight<'a> {
    /// Everything that the API has, whoever may use it.
    Everything,
    /// What this actor may do.
    Of(&'a Actor),
}

/// What can be done to the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Abilities {
    pub(super) read: bool,
    pub(super) create: bool,
    /// Changing rows needs the right to read as well: it picks them by a filter.
    pub(super) update: bool,
    pub(super) delete: bool,
}

impl Abilities {
    pub(super) fn any(self) -> bool {
        self.read || self.create || self.update || self.delete
    }
}

impl Sight<'_> {
    /// What can be done to a table; nothing at all to one that is hidden.
    pub(super) fn of(self, schema: &Schema, table: &Table) -> Abilities {
        let may = |operation| self.may(schema, table.id, operation);
        if table.internal {
            return Abilities::default();
        }
        let read = may(Operation::Read);
        if !table.is_writable() {
            return Abilities { read, ..Abilities::default() };
        }
        Abilities {
            read,
            create: may(Operation::Create),
            update: read && may(Operation::Update),
            delete: read && may(Operation::Delete),
        }
    }

    /// Whether rows of a table can be read.
    pub(super) fn may_read(self, schema: &Schema, table: TableId) -> bool {
        self.of(schema, schema.table(table)).read
    }

    /// Whether a function can be called.
    pub(super) fn may_call(self, function: &Function) -> bool {
        match self {
            Sight::Everything => true,
            Sight::Of(actor) => authorize::may_call(actor, function),
        }
    }

    fn may(self, schema: &Schema, table: TableId, operation: Operation) -> bool {
        match self {
            Sight::Everything => true,
            Sight::Of(actor) => need(schema, actor, table, operation).is_ok(),
        }
    }
}

//! A federation among whose stores the tables of any schema are scattered, whoever calls it: the suite knows nothing of
//! stores, and its plans go to several of them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{MAIN, Schema, Table, TableId};

use crate::change::Subscription;
use crate::error::StoreError;
use crate::federation::Federation;
use crate::script::Script;
use crate::sink::RowSink;
use crate::store::{Call, Capabilities, Explanation, Migrated, Migration, ReadDone, Store, Support, WriteDone};

/// The stores as one, and the tables as they lie in them.
pub struct Scattered {
    federation: Federation,
    schema: Arc<Schema>,
}

/// The same tables, one after the other in each of the stores of these names by turns. References between stores are far
/// ones, and what nobody was to keep, nobody keeps in one store either.
pub fn scatter(names: &[&str], schema: &Schema) -> Schema {
    let store = |table: TableId| names[table.index() % names.len()];
    let tables = schema.tables().iter().map(|table| {
        let (mut far_references, references): (Vec<_>, Vec<_>) =
            table.references.iter().cloned().partition(|one| store(one.target) != store(table.id));
        far_references.extend(table.far_references.iter().cloned());
        let store = Some(store(table.id)).filter(|name| *name != MAIN).map(Arc::from);
        Table { store, references, far_references, ..table.clone() }
    });
    Schema::of_stores(tables.collect(), Vec::new())
}

impl Scattered {
    /// These stores, each with its tables of a schema that was [scattered](scatter).
    pub fn new(stores: Vec<(Arc<str>, Arc<dyn Store>)>, schema: Schema) -> Scattered {
        Scattered { federation: Federation::new(stores), schema: Arc::new(schema) }
    }

    fn call(&self, call: Call) -> Call {
        Call { schema: self.schema.clone(), ..call }
    }
}

impl Store for Scattered {
    fn name(&self) -> &'static str {
        self.federation.name()
    }

    fn parts(&self) -> Vec<Arc<str>> {
        self.federation.parts()
    }

    fn capabilities(&self) -> &Capabilities {
        self.federation.capabilities()
    }

    fn support(&self, _: &Schema, table: TableId, filter: &Filter) -> Support {
        self.federation.support(&self.schema, table, filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        self.federation.read(self.call(call), plan, sink)
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        self.federation.write(self.call(call), plan, sink)
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        self.federation.transact(self.call(call), script)
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.federation.explain(self.call(call), plan)
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.federation.explain_write(self.call(call), plan)
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.federation.migrate(migration)
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.federation.migrations()
    }

    fn subscribe(&self) -> Subscription {
        self.federation.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.federation.close()
    }
}

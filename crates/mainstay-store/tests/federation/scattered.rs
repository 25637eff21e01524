//! A federation over memory stores among which the tables of any schema are scattered, whoever calls it.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, Table, TableId};
use mainstay_store::{
    Call, Capabilities, Explanation, Federation, MemoryStore, Migrated, Migration, ReadDone, RowSink, Script, Store,
    StoreError, Subscription, Support, WriteDone,
};

/// The stores, and the tables as they lie in them.
pub(crate) struct Scattered {
    pub(crate) federation: Federation,
    pub(crate) schema: Arc<Schema>,
}

/// The same tables, one after the other in each of the stores by turns. References between stores are far ones.
pub(crate) fn scatter(names: &[&str], schema: &Schema) -> Arc<Schema> {
    let store = |table: TableId| names[table.index() % names.len()];
    let tables = schema.tables().iter().map(|table| {
        // What nobody was to keep, nobody keeps in one store either.
        let (mut far_references, references): (Vec<_>, Vec<_>) =
            table.references.iter().cloned().partition(|one| store(one.target) != store(table.id));
        far_references.extend(table.far_references.iter().cloned());
        let store = Some(store(table.id)).filter(|name| *name != "main").map(Arc::from);
        Table { store, references, far_references, ..table.clone() }
    });
    Arc::new(Schema::new(tables.collect()))
}

impl Scattered {
    /// Empty stores of these names.
    pub(crate) fn over(names: &[&str], schema: &Schema) -> Scattered {
        let schema = scatter(names, schema);
        let open = |name: &&str| -> (Arc<str>, Arc<dyn Store>) {
            (Arc::from(*name), Arc::new(MemoryStore::with_schema(schema.clone())))
        };
        Scattered { federation: Federation::new(names.iter().map(open).collect()), schema: schema.clone() }
    }

    fn call(&self, call: Call) -> Call {
        Call { schema: self.schema.clone(), ..call }
    }
}

impl Store for Scattered {
    fn name(&self) -> &'static str {
        self.federation.name()
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
        async move { self.federation.migrate(migration).await }.boxed()
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

//! A store that can do little, completed by the residual, passes the suite like one that can do all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mainstay_query::plan::{
    Comparison, Count, Embed, Expect, Expr, Filter, Insert, Output, Read, Source, Test, Update, Write,
};
use mainstay_query::{Actor, Authorized, authorize};
use mainstay_schema::model::{Checks, Texts};
use mainstay_schema::{Access, Column, ColumnId, Schema, Table, TableId, TableKind, Type, Value};
use mainstay_store::collect::Collected;
use mainstay_store::residual::{self, RESIDUAL_ROWS_MAX};
use mainstay_store::{
    Call, Capabilities, Explanation, MemoryStore, Migrated, Migration, ReadDone, RowSink, Script, Step, StepDone,
    Store, StoreError, Subscription, Support, WriteDone,
};

/// Tests for equality and follows links; for `gt` it gives every row, and it refuses to be asked anything else.
struct Simple(MemoryStore);

/// [`Simple`] with the residual before it.
struct Completed(Simple);

fn support(filter: &Filter) -> Support {
    match filter {
        Filter::True | Filter::False | Filter::Unknown => Support::Exact,
        Filter::And(parts) | Filter::Or(parts) if parts.iter().all(|part| support(part) == Support::Exact) => {
            Support::Exact
        }
        Filter::Exists { .. } | Filter::Test { test: Test::Compare(Comparison::Eq, _), .. } => Support::Exact,
        // Not the opposite of a link: no link may end up in a residual.
        Filter::Not(part) if matches!(**part, Filter::Exists { .. }) => Support::Exact,
        Filter::And(parts) | Filter::Or(parts) if parts.iter().any(follows_link) => Support::Exact,
        Filter::Not(part) if follows_link(part) => Support::Exact,
        Filter::Test { test: Test::Compare(Comparison::Gt, _), .. } => Support::Superset,
        _ => Support::Unsupported,
    }
}

fn follows_link(filter: &Filter) -> bool {
    match filter {
        Filter::Exists { .. } => true,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(follows_link),
        Filter::Not(part) => follows_link(part),
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Search(_) => false,
    }
}

/// What the simple store does with a plan: nothing exact about `gt`.
fn weaken(plan: &mut Read) {
    let parts = match std::mem::replace(&mut plan.filter, Filter::True) {
        Filter::And(parts) => parts,
        other => vec![other],
    };
    let exact = parts.into_iter().filter(|part| match support(part) {
        Support::Exact => true,
        Support::Superset => false,
        Support::Unsupported => panic!("the simple store was asked for {part:?}"),
    });
    plan.filter = Filter::all(exact);
    for output in &mut plan.select {
        if let Source::Embed(Embed { read, .. }) = &mut output.source {
            weaken(read);
        }
    }
}

impl Store for Simple {
    fn name(&self) -> &'static str {
        "simple"
    }

    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    fn support(&self, _: &Schema, _: TableId, filter: &Filter) -> Support {
        support(filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        let mut plan = (**plan).clone();
        weaken(&mut plan);
        let plan = authorize::read(&call.schema, &Actor::System, plan).unwrap();
        self.0.read(call, Arc::new(plan), sink)
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        self.0.write(call, plan, sink)
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.0.explain(call, plan)
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.0.explain_write(call, plan)
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.migrate(migration)
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.0.migrations()
    }

    fn subscribe(&self) -> Subscription {
        self.0.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

impl Store for Completed {
    fn name(&self) -> &'static str {
        "completed"
    }

    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    fn support(&self, _: &Schema, _: TableId, _: &Filter) -> Support {
        Support::Exact
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        residual::read(&self.0, call, (*plan).clone(), sink).boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        self.0.write(call, plan, sink)
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        self.0.0.transact(call, script)
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.0.explain(call, plan)
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.0.explain_write(call, plan)
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.migrate(migration)
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.0.migrations()
    }

    fn subscribe(&self) -> Subscription {
        self.0.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    Arc::new(Completed(Simple(MemoryStore::with_schema(schema))))
}

mainstay_store::conformance!(open);

fn numbers() -> Arc<Schema> {
    let column = Column {
        id: ColumnId(0),
        name: "n".into(),
        was: None,
        ty: Type::Int,
        texts: Texts::default(),
        optional: false,
        default: None,
        touched: false,
        checks: Checks::default(),
        description: None,
    };
    Arc::new(Schema::new(vec![Table {
        id: TableId(0),
        name: "numbers".into(),
        was: None,
        store: None,
        kind: TableKind::Table,
        description: None,
        columns: vec![column],
        primary_key: vec![],
        uniques: vec![],
        references: vec![],
        far_references: Vec::new(),
        indexes: vec![],
        fulltexts: vec![],
        access: Access::default(),
        internal: false,
    }]))
}

async fn with_numbers(count: u64) -> (Simple, Call) {
    let schema = numbers();
    let store = Simple(MemoryStore::with_schema(schema.clone()));
    let call = Call { schema, deadline: Instant::now() + Duration::from_secs(60) };
    let insert = Insert {
        table: TableId(0),
        columns: vec![ColumnId(0)],
        rows: (0..count).map(|n| vec![Some(Value::Int(n as i64))]).collect(),
        conflict: None,
        returning: None,
        expect: Expect::default(),
    };
    let plan = authorize::write(&call.schema, &Actor::System, Write::Insert(insert)).unwrap();
    let sink = Box::new(Collected::new(mainstay_query::plan::Shape { members: vec![] }));
    store.write(call.clone(), Arc::new(plan), sink).await.unwrap();
    (store, call)
}

fn is_in(values: &[i64]) -> Filter {
    let test = Test::In(values.iter().copied().map(Value::Int).collect());
    Filter::Test { expr: Expr::column(ColumnId(0)), test }
}

#[tokio::test]
async fn a_scan_in_disguise_is_refused() {
    for (rows, is_taken) in [(RESIDUAL_ROWS_MAX, true), (RESIDUAL_ROWS_MAX + 1, false)] {
        let (store, call) = with_numbers(rows).await;
        let select = vec![Output { name: "n".into(), source: Source::Value(Expr::column(ColumnId(0))) }];
        let (filter, count) = (is_in(&[5, 7]), Count::Exact);
        let plan = Read { select, filter, limit: Some(1), count, ..Read::new(TableId(0)) };
        let sink = Box::new(Collected::new(plan.shape(&call.schema)));
        let plan = authorize::read(&call.schema, &Actor::System, plan).unwrap();
        match residual::read(&store, call, plan, sink).await {
            Ok(done) => assert_eq!((is_taken, done.rows, done.total), (true, 1, Some(2))),
            Err(StoreError::Unsupported { what }) => {
                assert!(!is_taken && what.contains("10000 rows"), "{what}");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_write_is_carried_out_exactly_or_not_at_all() {
    let (store, call) = with_numbers(3).await;
    let check = |filter| {
        let set = vec![(ColumnId(0), Value::Int(1))];
        let set: Vec<_> = set.into_iter().map(|(column, value)| (column, value.into())).collect();
        let update = Update { table: TableId(0), set, filter, returning: None, expect: Expect::default() };
        let plan = authorize::write(&call.schema, &Actor::System, Write::Update(update)).unwrap();
        residual::check_write(&store, &call, &plan)
    };
    assert!(check(Filter::True).is_ok());
    assert!(matches!(check(is_in(&[1])), Err(StoreError::Unsupported { .. })));
}

/// A script that nothing may ask.
struct Unasked;

impl Script for Unasked {
    fn next(&mut self, _: Option<Result<StepDone, StoreError>>) -> Step {
        unreachable!("the store refuses")
    }

    fn restart(&mut self) {}
}

#[tokio::test]
async fn a_store_without_transactions_refuses_scripts() {
    let (store, call) = with_numbers(1).await;
    match store.transact(call, Box::new(Unasked)).await {
        Err(StoreError::Unsupported { what }) => {
            assert_eq!(what, "the store simple cannot carry out several steps as one transaction");
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

//! What would be asked of which store, stage by stage. Nothing is read: where keys would stand that only a store can tell,
//! one stands for all.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::authorize::Granted;
use mainstay_query::plan::{Join, Read, Write};
use mainstay_query::split;
use mainstay_query::split::stores::{self, Far, FarFilter, Level, any_of, counted, found, keyed, samples};
use mainstay_schema::{ColumnId, Schema};

use super::rows::levels;
use super::write::{level_of, only_changed};
use super::{Federation, apart, call_of, of_store, widened};
use crate::error::StoreError;
use crate::residual::{RESIDUAL_ROWS_MAX, unsupported};
use crate::store::{Call, Estimate, Explanation};

/// A read of one store, as part of another.
struct Stage {
    store: String,
    /// Why it is read.
    why: String,
    plan: Authorized<Read>,
}

impl Federation {
    pub(super) async fn explain_read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
    ) -> Result<Explanation, StoreError> {
        let schema = call.schema.clone();
        if let Some(name) = stores::only_of_read(&schema, &plan) {
            return self.named(name)?.explain(call_of(name, call), plan).await.map_err(|error| of_store(name, error));
        }
        stores::check(&schema, &plan).map_err(apart)?;
        let mut stages = Stages { schema: &schema, granted: Granted::by_read(&plan), found: Vec::new() };
        stages.read((**plan).clone(), "rows".to_owned())?;
        self.explain_stages(&call, stages.found).await
    }

    pub(super) async fn explain_written(
        &self,
        call: Call,
        whole: Arc<Authorized<Write>>,
    ) -> Result<Explanation, StoreError> {
        let schema = call.schema.clone();
        let name = only_changed(&schema, &whole)?;
        let store = self.named(name)?;
        whole.returning().map_or(Ok(()), |returning| stores::check(&schema, returning)).map_err(apart)?;
        if stores::only_of_write(&schema, &whole).is_some() {
            return store.explain_write(call_of(name, call), whole).await.map_err(|error| of_store(name, error));
        }
        let mut stages = Stages { schema: &schema, granted: Granted::by_write(&whole), found: Vec::new() };
        let mut plan = (**whole).clone();
        let mut asked = Vec::new();
        stores::each_far_of_write(&schema, name, &mut plan, &mut |far| Some(stages.test(far, &mut asked)));
        stages.filters(asked)?;
        let mut before = self.explain_stages(&call, std::mem::take(&mut stages.found)).await?;
        let level = level_of(&schema, name, &mut plan)?;
        let plan = Arc::new(stores::part_of_write(&whole, plan).map_err(widened)?);
        let own =
            store.explain_write(call_of(name, call.clone()), plan).await.map_err(|error| of_store(name, error))?;
        add(&mut before, name, "write", own);
        stages.below(&level.unwrap_or_default())?;
        let after = self.explain_stages(&call, stages.found).await?;
        before.statements.extend(after.statements);
        before.details.extend(after.details);
        Ok(before)
    }

    /// The sum of what each store expects. Nothing if one of them cannot tell.
    pub(super) async fn estimate_read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
    ) -> Result<Option<Estimate>, StoreError> {
        let schema = call.schema.clone();
        if let Some(name) = stores::only_of_read(&schema, &plan) {
            return self.named(name)?.estimate(call_of(name, call), plan).await.map_err(|error| of_store(name, error));
        }
        let mut stages = Stages { schema: &schema, granted: Granted::by_read(&plan), found: Vec::new() };
        stages.read((**plan).clone(), "rows".to_owned())?;
        let mut rows = 0u64;
        for Stage { store, plan, .. } in stages.found {
            let (name, plan) = (store, self.exact(&schema, plan)?);
            let estimate = self.named(&name)?.estimate(call_of(&name, call.clone()), Arc::new(plan)).await;
            match estimate.map_err(|error| of_store(&name, error))? {
                Some(estimate) => rows = rows.saturating_add(estimate.rows),
                None => return Ok(None),
            }
        }
        Ok(Some(Estimate { rows }))
    }

    fn explain_stages<'f>(
        &'f self,
        call: &'f Call,
        stages: Vec<Stage>,
    ) -> BoxFuture<'f, Result<Explanation, StoreError>> {
        async move {
            let mut whole = Explanation { statements: Vec::new(), details: Vec::new() };
            for Stage { store, why, plan } in stages {
                let plan = self.exact(&call.schema, plan)?;
                let part = self.named(&store)?.explain(call_of(&store, call.clone()), Arc::new(plan)).await;
                add(&mut whole, &store, &why, part.map_err(|error| of_store(&store, error))?);
            }
            Ok(whole)
        }
        .boxed()
    }

    /// What of a part goes to its store; the rest of its filter is applied here.
    fn exact(&self, schema: &Schema, plan: Authorized<Read>) -> Result<Authorized<Read>, StoreError> {
        let store = self.store_of(schema, plan.table);
        let schema = self.seen_by_store_of(schema, plan.table);
        let support = |table, filter: &_| store.support(schema, table, filter);
        let split = split::read(schema, plan, RESIDUAL_ROWS_MAX, support);
        split.map(|(pushed, _)| pushed).map_err(|refused| unsupported(store, schema, &refused))
    }
}

fn add(whole: &mut Explanation, store: &str, why: &str, part: Explanation) {
    whole.statements.push(format!("-- {store}: {why}"));
    whole.statements.extend(part.statements);
    whole.details.extend(part.details.into_iter().map(|line| format!("{store}: {line}")));
}

/// Gathers the reads of which a plan consists, in the order in which they would be sent.
struct Stages<'s> {
    schema: &'s Schema,
    granted: Granted,
    found: Vec<Stage>,
}

impl Stages<'_> {
    fn read(&mut self, mut plan: Read, why: String) -> Result<(), StoreError> {
        let store = stores::store_of(self.schema, &plan).to_owned();
        let mut asked = Vec::new();
        let schema = self.schema;
        stores::each_far(schema, &store, &mut plan, &mut |far| Some(self.test(far, &mut asked)));
        self.filters(asked)?;
        let level = stores::level(schema, &store, &mut plan).map_err(apart)?;
        let plan = stores::part(&self.granted, plan).map_err(widened)?;
        self.found.push(Stage { store, why, plan });
        self.below(&level)
    }

    /// The test that stands for a far filter, which is noted.
    fn test(&self, far: FarFilter, asked: &mut Vec<FarFilter>) -> mainstay_query::plan::Filter {
        let columns: Vec<ColumnId> = far.pairs().iter().map(|pair| pair.here).collect();
        let test = found(&columns, &[samples(self.schema, far.parent, &columns)]);
        asked.push(far);
        test
    }

    fn filters(&mut self, asked: Vec<FarFilter>) -> Result<(), StoreError> {
        for far in asked {
            let name = self.schema.table(far.parent).name.clone();
            let (Join::Direct(child) | Join::Through { child, .. }) = &far.join;
            let there: Vec<ColumnId> = child.iter().map(|pair| pair.there).collect();
            let plan = counted(self.schema, far.table, &there, far.filter.clone());
            self.read(plan, format!("keys by which \"{name}\" is filtered"))?;
            if let Join::Through { table, parent, child } = &far.join {
                let by: Vec<ColumnId> = child.iter().map(|pair| pair.here).collect();
                let columns: Vec<ColumnId> = parent.iter().map(|pair| pair.there).collect();
                let filter = any_of(&by, &[samples(self.schema, *table, &by)]);
                let plan = counted(self.schema, *table, &columns, filter);
                self.read(plan, format!("keys by which \"{name}\" is filtered, through a junction"))?;
            }
        }
        Ok(())
    }

    fn below(&mut self, root: &Level) -> Result<(), StoreError> {
        for (_, level) in levels(root) {
            for far in level.sort.iter().flat_map(|sort| &sort.far) {
                self.far(far, "values by which rows are ordered here")?;
            }
            for far in &level.far {
                self.far(far, "rows for each 1000 keys")?;
            }
        }
        Ok(())
    }

    fn far(&mut self, far: &Far, why: &str) -> Result<(), StoreError> {
        let pairs = match &far.link.join {
            Join::Direct(pairs) => pairs,
            Join::Through { table, parent, child } => {
                let by: Vec<ColumnId> = parent.iter().map(|pair| pair.there).collect();
                let key = samples(self.schema, *table, &by);
                self.read(keyed(self.schema, &Read::new(*table), &by, &[key]), format!("{why}, of a junction"))?;
                child
            }
        };
        let by: Vec<ColumnId> = pairs.iter().map(|pair| pair.there).collect();
        let key = samples(self.schema, far.read.table, &by);
        self.read(keyed(self.schema, &far.read, &by, &[key]), why.to_owned())
    }
}

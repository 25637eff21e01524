//! Tests that the servers have no words for, or not the right ones: what documents hold, what comes before documents and
//! arrays, searches for words, casts.
//!
//! The rows that could pass are read and looked at here, and the test is replaced by the keys of those that do, before
//! the statement is made. So every filter is exact wherever it stands, in writes too; what it costs is bounded by
//! [`ROWS_MAX`].

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::evaluate::{self, Related};
use mainstay_query::plan::{ColumnTest, Comparison, Expr, Filter, Function, Join, Output, Read, Source, Test};
use mainstay_schema::{ColumnId, Schema, Table, TableId, Type, Value, ValueError};
use mainstay_store::StoreError;
use mainstay_store::residual::RESIDUAL_ROWS_MAX;

use super::cells;
use super::read::{Fault, native_params};
use super::render::{self, From};
use super::session::Session;

/// Rows that are looked at here for one test at most.
pub(super) const ROWS_MAX: u64 = RESIDUAL_ROWS_MAX;

/// Whether rows that are looked at are kept from others until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// No.
    No,
    /// They are, because what is written depends on them.
    Write,
}

/// Refuses what neither the servers nor we can do.
pub(super) fn check(schema: &Schema, plan: &Read) -> Result<(), StoreError> {
    let unsupported = |what: &str| Err(StoreError::Unsupported { what: format!("the store mysql cannot {what}") });
    let is_unordered = |ty: &Type| matches!(ty, Type::Json | Type::Array(_));
    for term in &plan.order {
        let holder = schema.table(term.via.as_ref().map_or(plan.table, |via| via.table));
        if is_unordered(&term.expr.ty(holder)) {
            return unsupported("order rows by documents and arrays");
        }
    }
    if let Some(groups) = &plan.groups {
        if let Some((from, to)) = uncast(schema, plan) {
            return unsupported(&format!("convert {from} to {to} inside of groups"));
        }
        let mut is_cast = Vec::new();
        casts_of_results(schema, plan, &mut is_cast);
        let casts = |expr: &Expr| is_cast.get(expr.column.index()).copied().unwrap_or_default();
        if groups.order.iter().any(|term| casts(&term.expr))
            || (groups.having != Filter::True && is_cast.contains(&true))
        {
            return unsupported("order or filter groups by an aggregate whose result is cast");
        }
        if groups.order.iter().any(|term| is_unordered(&term.expr.ty(&groups.table))) {
            return unsupported("order groups by documents and arrays");
        }
        let made = |output: &Output| match &output.source {
            Source::Aggregate(aggregate) => {
                let input = aggregate.input.as_ref().map(|input| input.ty(schema.table(plan.table)));
                matches!((aggregate.function, input), (Function::Min | Function::Max, Some(Type::Array(_))))
            }
            _ => false,
        };
        let compares_arrays = uses_arrays(&groups.table, &groups.having) && plan.select.iter().any(made);
        if compares_arrays || has(schema, &groups.table, &groups.having) {
            return unsupported("filter groups like this");
        }
    }
    for output in &plan.select {
        if let Some(embed) = output.source.embed() {
            check(schema, &embed.read)?;
        }
    }
    Ok(())
}

/// The first cast of rows that are grouped which the servers do not make as every store does.
fn uncast(schema: &Schema, plan: &Read) -> Option<(Type, Type)> {
    let table = schema.table(plan.table);
    plan.select.iter().find_map(|output| {
        let expr = match &output.source {
            Source::Value(expr) => expr,
            Source::Aggregate(aggregate) => aggregate.input.as_ref()?,
            Source::Embed(embed) | Source::Spread(embed) => return uncast(schema, &embed.read),
        };
        let (from, to) = (expr.base_type(table), expr.cast.as_ref()?);
        (!render::can_cast(&from, to)).then(|| (from, to.clone()))
    })
}

/// Of each value of a group, in their order, whether it is an aggregate whose result is cast.
fn casts_of_results(schema: &Schema, plan: &Read, casts: &mut Vec<bool>) {
    let table = schema.table(plan.table);
    for output in &plan.select {
        match &output.source {
            Source::Value(_) => casts.push(false),
            Source::Aggregate(aggregate) => {
                casts.push(aggregate.cast.as_ref().is_some_and(|to| *to != aggregate.base_type(table)));
            }
            Source::Embed(embed) | Source::Spread(embed) => casts_of_results(schema, &embed.read, casts),
        }
    }
}

/// Refuses such tests of rows that a function gave, which nobody can look up again.
pub(super) fn check_result(schema: &Schema, plan: &Read) -> Result<(), StoreError> {
    fn is_in(schema: &Schema, table: &Table, filter: &Filter) -> bool {
        match filter {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| is_in(schema, table, part)),
            Filter::Not(part) => is_in(schema, table, part),
            Filter::Exists { .. } => false,
            leaf => is_hard(schema, table, leaf),
        }
    }
    if is_in(schema, schema.table(plan.table), &plan.filter) {
        let what = "the store mysql cannot filter what a function gives like this; let its SQL do it".to_owned();
        return Err(StoreError::Unsupported { what });
    }
    Ok(())
}

fn uses_arrays(table: &Table, filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| uses_arrays(table, part)),
        Filter::Not(part) => uses_arrays(table, part),
        Filter::Test { expr, .. } => matches!(expr.ty(table), Type::Array(_)),
        Filter::Columns { left, .. } => matches!(left.ty(table), Type::Array(_)),
        _ => false,
    }
}

/// Whether a read has such tests, anywhere.
pub(super) fn is_in(schema: &Schema, plan: &Read) -> bool {
    let via = |term: &mainstay_query::plan::Order| {
        term.via.as_ref().is_some_and(|via| has(schema, schema.table(via.table), &via.filter))
    };
    has(schema, schema.table(plan.table), &plan.filter)
        || plan.order.iter().any(via)
        || plan.select.iter().any(|output| output.source.embed().is_some_and(|embed| is_in(schema, &embed.read)))
}

/// Whether a filter has such tests.
pub(super) fn has(schema: &Schema, table: &Table, filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| has(schema, table, part)),
        Filter::Not(part) => has(schema, table, part),
        Filter::Exists { table, filter, .. } => has(schema, schema.table(*table), filter),
        leaf => is_hard(schema, table, leaf),
    }
}

fn is_hard(schema: &Schema, table: &Table, leaf: &Filter) -> bool {
    let is_cast = |expr: &Expr| expr.cast.as_ref().is_some_and(|to| *to != expr.base_type(table));
    match leaf {
        Filter::Search(_) => true,
        Filter::Test { expr, test } => {
            is_cast(expr)
                || match test {
                    Test::Contains(_) | Test::ContainedIn(_) => expr.ty(table) == Type::Json,
                    // As text, 12 comes before 9, and a list of something before an empty one.
                    Test::Compare(comparison, _)
                        if !matches!(comparison, Comparison::Eq | Comparison::Neq)
                            && matches!(expr.ty(table), Type::Json | Type::Array(_)) =>
                    {
                        true
                    }
                    Test::Compare(_, value) | Test::IsDistinct(value) => {
                        is_as_kept(schema, table, expr, std::slice::from_ref(value))
                    }
                    Test::In(list) => is_as_kept(schema, table, expr, list),
                    Test::Match { pattern, case_sensitive } => {
                        render::regex(pattern.0.as_str(), *case_sensitive).is_none()
                    }
                    Test::Like { pattern, case_sensitive: false } => render::like(pattern).is_none(),
                    _ => false,
                }
        }
        Filter::Columns { left, test, right } => {
            let is_unordered = matches!(left.ty(table), Type::Json | Type::Array(_));
            let is_equality =
                matches!(test, ColumnTest::IsDistinct | ColumnTest::Compare(Comparison::Eq | Comparison::Neq));
            is_cast(left)
                || is_cast(right)
                || (is_unordered && (!is_equality || schema.found().is_some()))
                || matches!(test, ColumnTest::Like { case_sensitive: false })
        }
        _ => false,
    }
}

/// Whether documents are compared that look as somebody else wrote them, or as the server's own type has them, so that equal
/// ones differ as text. A part that is neither an object nor an array is what it looks like.
fn is_as_kept(schema: &Schema, table: &Table, expr: &Expr, values: &[Value]) -> bool {
    let is_whole = |value: &Value| match value {
        Value::Json(document) => document.as_str().starts_with(['{', '[']),
        _ => false,
    };
    schema.found().is_some() && expr.ty(table) == Type::Json && (expr.path.is_empty() || values.iter().any(is_whole))
}

/// Replaces the tests of a read, wherever they stand.
pub(super) fn read<'f>(
    session: &'f mut Session,
    schema: &'f Schema,
    plan: &'f mut Read,
    lock: Lock,
) -> BoxFuture<'f, Result<(), Fault>> {
    async move {
        filter(session, schema, plan.table, &mut plan.filter, lock).await?;
        for term in &mut plan.order {
            if let Some(via) = &mut term.via {
                filter(session, schema, via.table, &mut via.filter, Lock::No).await?;
            }
        }
        for output in &mut plan.select {
            if let Some(embed) = output.source.embed_mut() {
                read(session, schema, &mut embed.read, Lock::No).await?;
            }
        }
        Ok(())
    }
    .boxed()
}

/// Replaces the tests of a filter on rows of a table.
pub(super) async fn filter(
    session: &mut Session,
    schema: &Schema,
    table: TableId,
    wanted: &mut Filter,
    lock: Lock,
) -> Result<(), Fault> {
    if !has(schema, schema.table(table), wanted) {
        return Ok(());
    }
    let mut work = Work { session, schema, lock };
    work.replace(table, wanted, Filter::True, true).await
}

struct Work<'w> {
    session: &'w mut Session,
    schema: &'w Schema,
    lock: Lock,
}

impl Work<'_> {
    /// `among` is what a row has to pass in any case; `is_required` says that the filter itself is.
    fn replace<'f>(
        &'f mut self,
        table: TableId,
        wanted: &'f mut Filter,
        among: Filter,
        is_required: bool,
    ) -> BoxFuture<'f, Result<(), Fault>> {
        async move {
            let schema = self.schema;
            match wanted {
                Filter::And(parts) => {
                    let is_easy = |part: &&Filter| !has(schema, schema.table(table), part);
                    let easy = parts.iter().filter(is_easy).cloned();
                    let among = if is_required { Filter::all(easy.chain([among])) } else { among };
                    for part in parts {
                        self.replace(table, part, among.clone(), is_required).await?;
                    }
                    Ok(())
                }
                Filter::Or(parts) => {
                    for part in parts {
                        self.replace(table, part, among.clone(), false).await?;
                    }
                    Ok(())
                }
                Filter::Not(part) => self.replace(table, part, among, false).await,
                Filter::Exists { table, filter, .. } => {
                    let lock = std::mem::replace(&mut self.lock, Lock::No);
                    let done = self.replace(*table, filter, Filter::True, true).await;
                    self.lock = lock;
                    done
                }
                leaf if is_hard(schema, schema.table(table), leaf) => {
                    *leaf = self.keys(schema.table(table), leaf, among).await?;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }

    /// The test as keys: those of the rows that pass, and of those of which it is unknown.
    async fn keys(&mut self, table: &Table, leaf: &Filter, among: Filter) -> Result<Filter, Fault> {
        let refused = |why: &str| {
            let what = format!("the store mysql cannot filter rows of \"{}\" like this: {why}", table.name);
            Err(Fault::Rows(StoreError::Unsupported { what }))
        };
        if table.primary_key.is_empty() {
            return refused("they have no primary key");
        }
        let mut columns = table.primary_key.clone();
        columns_of(leaf, &mut columns);
        let select = columns.iter().map(|column| Output {
            name: table.column(*column).name.clone(),
            source: Source::Value(Expr::column(*column)),
        });
        // What holds a document holds it in the servers' eyes too, which see more alike than we do; and what equals it,
        // holds it.
        let holding =
            |expr: &Expr, value: &Value| Filter::Test { expr: expr.clone(), test: Test::Contains(value.clone()) };
        let narrowed = match leaf {
            Filter::Test { expr, test: Test::Contains(value) | Test::Compare(Comparison::Eq, value) }
                if expr.cast.is_none() && matches!(value, Value::Json(_)) =>
            {
                Some((expr, holding(expr, value)))
            }
            _ => None,
        };
        let filter = match &narrowed {
            Some((_, holding)) => Filter::all([among, holding.clone()]),
            None => among,
        };
        let plan = Read { select: select.collect(), filter, limit: Some(ROWS_MAX + 1), ..Read::new(table.id) };
        let mut sql = render::read(self.session.server(), self.schema, &plan, From::Plan);
        if self.lock == Lock::Write {
            sql.text.push_str(" FOR UPDATE");
        }
        let rows = self.session.query_native(&sql.text, native_params(&sql.binds)).await?.all().await?;
        if rows.len() as u64 > ROWS_MAX {
            return refused(&format!(
                "more than {ROWS_MAX} of them would have to be looked at; add a filter that it can use"
            ));
        }
        let (mut passing, mut unknown) = (Vec::new(), Vec::new());
        let mut row = vec![Value::Null; table.columns.len()];
        for native in rows {
            for (position, column) in columns.iter().enumerate() {
                let cell = native.as_ref(position).unwrap_or(&mysql_async::Value::NULL);
                let value = cells::value(cell, &table.column(*column).ty)?;
                row[column.index()] = match value {
                    Value::Json(document) if self.schema.found().is_some() => {
                        Value::parse(&Type::Json, document.as_str()).map_err(StoreError::Value)?
                    }
                    value => value,
                };
            }
            let key = || table.primary_key.iter().map(|column| row[column.index()].clone()).collect();
            match evaluate::filter(&NoLinks, &row, leaf).map_err(StoreError::Value)? {
                Some(true) => passing.push(key()),
                None => unknown.push(key()),
                Some(false) => {}
            }
        }
        let unknown = match narrowed {
            // Rows without a document were not looked at.
            Some((expr, _)) => {
                let is_null = Filter::Test { expr: expr.clone(), test: Test::IsNull };
                Filter::And(vec![is_null, Filter::Unknown])
            }
            None if unknown.is_empty() => Filter::False,
            None => Filter::And(vec![key_in(&table.primary_key, unknown), Filter::Unknown]),
        };
        Ok(Filter::Or(vec![key_in(&table.primary_key, passing), unknown]))
    }
}

/// Whether a row has one of these keys.
pub(super) fn key_in(key: &[ColumnId], values: Vec<Vec<Value>>) -> Filter {
    if let [column] = key {
        let list = values.into_iter().flatten().collect();
        return Filter::Test { expr: Expr::column(*column), test: Test::In(list) };
    }
    Filter::Or(values.iter().map(|values| has_key(key, values)).collect())
}

/// Whether a row has this key.
pub(super) fn has_key(key: &[ColumnId], values: &[Value]) -> Filter {
    let equals = |(column, value): (&ColumnId, &Value)| Filter::Test {
        expr: Expr::column(*column),
        test: Test::Compare(Comparison::Eq, value.clone()),
    };
    Filter::all(key.iter().zip(values).map(equals))
}

fn columns_of(leaf: &Filter, columns: &mut Vec<ColumnId>) {
    let mut add = |column| {
        if !columns.contains(&column) {
            columns.push(column);
        }
    };
    match leaf {
        Filter::Test { expr, .. } => add(expr.column),
        Filter::Columns { left, right, .. } => {
            add(left.column);
            add(right.column);
        }
        Filter::Search(search) => search.columns.iter().copied().for_each(add),
        _ => {}
    }
}

/// A test follows no links.
struct NoLinks;

impl Related for NoLinks {
    fn any(
        &self,
        _: &Join,
        _: &[Value],
        _: TableId,
        _: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        Ok(false)
    }
}

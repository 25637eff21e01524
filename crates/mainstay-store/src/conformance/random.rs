//! Random scenarios, run on a store and on the reference store at once.

use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use mainstay_query::plan::{Filter, Read, Source, Write};
use mainstay_query::split::stores::{returned_mut, several_of_read, several_of_write};
use mainstay_schema::Schema;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tokio::runtime::Handle;

use super::changes::Replica;
use super::digits;
use super::generate::{Scenario, Step, scenario, tables};
use super::kit::{Stage, Written, kind, show};
use super::scattered::scatter;
use super::{Found, Open, OpenFound};
use crate::error::StoreError;
use crate::memory::MemoryStore;

const CASES: u32 = 64;
const STEPS_MAX: usize = 30;
/// Numbers that the largest schema and most steps need.
const TAPE_WORDS_MAX: usize = 120;
const SHRINK_STEPS_MAX: u32 = 3000;
/// Of tables that were found, each of which is a new file.
const SHRINK_FOUND_MAX: u32 = 400;

/// What random schemas, rows and plans do on a store is what they do on the reference store: rows, counts, numbers of
/// rows affected, errors by kind, the tables afterwards and the feed.
///
/// # Panics
/// With the seed, the smallest scenario found and the difference.
pub async fn scenarios_agree_with_the_reference(open: &dyn Open) {
    search(SHRINK_STEPS_MAX, |runtime, schema, steps| {
        let scenario = scenario(tables(schema), steps);
        runtime.block_on(async {
            let stage = Stage::with_schema(open, scenario.schema.clone()).await;
            let feed = stage.feed();
            run(&stage, &scenario, &|| (), &may_refuse).await?;
            if let Some(mut feed) = feed {
                Replica::default().catch_up(&stage, &mut feed).await;
            }
            Ok(())
        })
    });
}

/// The same over tables that another program made and that were found, while that program puts what it keeps in other
/// words.
///
/// # Panics
/// As [`scenarios_agree_with_the_reference`].
pub async fn found_scenarios_agree_with_the_reference(open: &dyn OpenFound) {
    search(SHRINK_FOUND_MAX, |runtime, schema, steps| {
        runtime.block_on(async {
            let Found { store, schema, reword } = open.open(tables(schema)).await;
            let scenario = scenario(schema.clone(), steps);
            run(&Stage { store, schema }, &scenario, &reword, &may_refuse).await
        })
    });
}

/// The same without anybody who keeps references, for a store over several stores, which `open` [scatters](scatter) the
/// tables of a schema among. Such a store may refuse what changes rows of several stores at once, and groups of what lies in several.
///
/// # Panics
/// As [`scenarios_agree_with_the_reference`].
pub async fn scattered_scenarios_agree_with_the_reference(open: &dyn Open) {
    search(SHRINK_STEPS_MAX, |runtime, words, steps| {
        let Scenario { schema, steps } = scenario(tables(words), steps);
        let loose = schema.tables().iter().cloned().map(|mut table| {
            table.far_references = std::mem::take(&mut table.references);
            table
        });
        let steps = steps.into_iter().map(settled).collect();
        let scenario = Scenario { schema: Arc::new(Schema::new(loose.collect())), steps };
        runtime.block_on(async {
            let stage = Stage::with_schema(open, scenario.schema.clone()).await;
            let names = stage.store.parts();
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            let scattered = scatter(&names, &scenario.schema);
            run(&stage, &scenario, &|| (), &|step| may_refuse_scattered(&scattered, step)).await
        })
    });
}

/// Runs scenarios until one differs, and makes that one small.
fn search(max_shrink_iters: u32, run: impl Fn(&Handle, &[u32], &[Vec<u32>]) -> Result<(), String>) {
    let seed = number("MAINSTAY_SEED").unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    let cases = number("MAINSTAY_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        let tape = || vec(any::<u32>(), 0..TAPE_WORDS_MAX);
        runner.run(&(tape(), vec(tape(), 0..STEPS_MAX)), |(schema, steps)| {
            run(&runtime, &schema, &steps).map_err(TestCaseError::fail)
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("MAINSTAY_SEED={seed} MAINSTAY_CASES={cases} fails: {reason}"),
        Err(TestError::Abort(reason)) => panic!("MAINSTAY_SEED={seed} MAINSTAY_CASES={cases} was aborted: {reason}"),
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The difference, if there is one.
async fn run(
    stage: &Stage,
    scenario: &Scenario,
    reword: &(dyn Fn() + Send + Sync),
    may_refuse: &(dyn Fn(&Step) -> bool + Sync),
) -> Result<(), String> {
    let store = Arc::new(MemoryStore::with_schema(scenario.schema.clone()));
    let reference = Stage { store, schema: scenario.schema.clone() };
    for (at, step) in scenario.steps.iter().enumerate() {
        let difference = match step {
            Step::Read(read) => {
                let found = stage.try_read(read).await;
                if matches!(found, Err(StoreError::Unsupported { .. })) && may_refuse(step) {
                    continue;
                }
                let expected = reference.try_read(read).await;
                differ(found, expected, |found| format!("{} of {:?}", show(&found.rows), found.total), true)
            }
            Step::Write(write) => {
                let mut write = write.clone();
                digits::cut(&mut write, stage.digits());
                let done = stage.try_write(write.clone()).await;
                if matches!(done, Err(StoreError::Unsupported { .. })) && may_refuse(step) {
                    continue;
                }
                let expected = reference.try_write(write.clone()).await;
                let exact = matches!(&write, Write::Insert(insert) if insert.rows.len() == 1);
                differ(done, expected, |done| show_written(&write, done), exact)
            }
        };
        let difference = match difference {
            Some(difference) => Some(difference),
            None => tables_differ(stage, &reference).await,
        };
        if let Some(difference) = difference {
            let state = state(&reference).await;
            return Err(format!("{difference}\nin step {at}:\n{step:?}\n{}{state}", story(scenario, at)));
        }
        if matches!(step, Step::Write(_)) {
            reword();
        }
    }
    Ok(())
}

/// Whether a store may refuse a step: reads whose filters are completed above it, and no write.
fn may_refuse(step: &Step) -> bool {
    match step {
        Step::Read(read) => is_refusable(read),
        Step::Write(_) => false,
    }
}

/// Whether a store over several stores may refuse a step: nothing that one of them could do.
fn may_refuse_scattered(schema: &Schema, step: &Step) -> bool {
    match step {
        Step::Read(read) => several_of_read(schema, read).is_some() && groups_links(read),
        Step::Write(write) if several_of_write(schema, write).is_none() => false,
        Step::Write(Write::Batch(_) | Write::Nested(_)) => true,
        Step::Write(write) => write.returning().is_some_and(groups_links),
    }
}

/// A step whose outcome does not depend on whether what a write gives back is filtered by other stores before or after it.
fn settled(mut step: Step) -> Step {
    if let Step::Write(write) = &mut step
        && let Some(read) = returned_mut(write)
    {
        unlink_read(read);
    }
    step
}

fn unlink_read(read: &mut Read) {
    unlink(&mut read.filter);
    read.select
        .iter_mut()
        .filter_map(|output| output.source.embed_mut())
        .for_each(|embed| unlink_read(&mut embed.read));
}

fn unlink(filter: &mut Filter) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter_mut().for_each(unlink),
        Filter::Not(part) => unlink(part),
        Filter::Exists { .. } => *filter = Filter::True,
        _ => {}
    }
}

/// Whether a read makes groups of rows that lead to others.
fn groups_links(read: &Read) -> bool {
    let mut embeds = read.select.iter().filter_map(|output| output.source.embed());
    embeds.any(|embed| read.groups.is_some() || groups_links(&embed.read))
}

/// Whether a store whose filters are completed above it may refuse a read: groups, spreads and places, and orders by
/// filtered rows, come after all filters. That stores of their own carry them out is for their own cases to show.
fn is_refusable(read: &Read) -> bool {
    let is_spread = |source: &Source| matches!(source, Source::Spread(_));
    let has_via = read.order.iter().any(|term| term.via.as_ref().is_some_and(|via| via.filter != Filter::True));
    let here = read.groups.is_some() || read.after.is_some() || has_via;
    here || read
        .select
        .iter()
        .any(|output| is_spread(&output.source) || output.source.embed().is_some_and(|embed| is_refusable(&embed.read)))
}

/// Compares two outcomes; errors by their kind, and when several rows could each be at fault, only that there is one.
fn differ<T>(
    found: Result<T, StoreError>,
    expected: Result<T, StoreError>,
    show: impl Fn(&T) -> String,
    exact: bool,
) -> Option<String> {
    let text = |outcome: &Result<T, StoreError>| match outcome {
        Ok(done) => show(done),
        Err(error) => format!("error: {}", kind(error)),
    };
    let is_data_error = |outcome: &Result<T, StoreError>| {
        matches!(
            outcome,
            Err(StoreError::Duplicate { .. }
                | StoreError::Reference { .. }
                | StoreError::NotNull { .. }
                | StoreError::RepeatedKey
                | StoreError::Value(_)
                | StoreError::Violation { .. }
                | StoreError::Patch { .. }
                | StoreError::Unexpected { .. })
        )
    };
    let same_fault = if exact {
        matches!(
            (&found, &expected),
            (Err(StoreError::Duplicate { .. }), Err(StoreError::Duplicate { .. }))
                | (Err(StoreError::NotNull { .. }), Err(StoreError::NotNull { .. }))
        )
    } else {
        is_data_error(&found) && is_data_error(&expected)
    };
    let (found, expected) = (text(&found), text(&expected));
    (!same_fault && found != expected).then(|| format!("found:    {found}\nexpected: {expected}"))
}

/// Inserts return rows in the order given; updates and deletes in any.
fn show_written(write: &Write, done: &Written) -> String {
    let mut rows: Vec<String> = done.rows.iter().map(|row| show(std::slice::from_ref(row))).collect();
    if !matches!(write, Write::Insert(_)) {
        rows.sort();
    }
    format!("{} of {} affected, {} inserted", rows.join(" "), done.affected, done.inserted)
}

async fn tables_differ(stage: &Stage, reference: &Stage) -> Option<String> {
    for table in stage.schema.tables() {
        let read = stage.of(&table.name).read().build();
        let (found, expected) = (stage.try_read(&read).await, reference.try_read(&read).await);
        let difference = differ(found, expected, |found| show(&found.rows), true);
        if let Some(difference) = difference {
            return Some(format!("table {} afterwards\n{difference}", table.name));
        }
    }
    None
}

/// What the reference store holds.
async fn state(reference: &Stage) -> String {
    let mut text = String::new();
    for table in reference.schema.tables() {
        let _ = writeln!(text, "{}: {}", table.name, reference.all(&table.name).await);
    }
    text
}

/// The tables and the steps that led to a failure.
fn story(scenario: &Scenario, failed: usize) -> String {
    let mut text = String::new();
    for table in scenario.schema.tables() {
        let columns = table.columns.iter().map(|column| {
            let optional = if column.optional { "?" } else { "" };
            format!("{} {}{optional}", column.name, column.ty)
        });
        let _ =
            writeln!(text, "{} ({}) key {:?}", table.name, columns.collect::<Vec<_>>().join(", "), table.primary_key);
        for key in &table.uniques {
            let _ = writeln!(text, "  unique {:?}", key.columns);
        }
        for reference in &table.references {
            let _ = writeln!(text, "  {reference:?}");
        }
    }
    for step in &scenario.steps[..failed] {
        if let Step::Write(write) = step {
            let _ = writeln!(text, "{write:?}");
        }
    }
    text
}

//! Transactions whose steps are made one after the other. A store whose transactions are not full refuses all of them,
//! and does nothing.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Filter, Read, Shape, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{DefaultValue, ReferenceAction, Schema, Type};

use super::Open;
use super::kit::{Stage, check_error, check_next, collected, kind, show};
use super::plans::{Of, not};
use super::tables::{TableBuilder, table};
use crate::collect::Collected;
use crate::error::StoreError;
use crate::script::{Script, Step, StepDone};
use crate::store::{Call, Transactions};

fn notes() -> TableBuilder {
    table("notes").required("id", Type::Int).optional("text", Type::Text).primary("id")
}

/// What a script of these cases wants next.
enum Next {
    Read(Read),
    Write(Write),
    Commit,
    RollBack,
}

/// Makes the next step from what the steps before it gave, each as text.
type Decide = Box<dyn FnMut(&Of<'_>, &[String]) -> Next + Send>;

/// A script that keeps what its steps gave.
struct Told {
    schema: Arc<Schema>,
    table: &'static str,
    decide: Decide,
    seen: Vec<String>,
    restarts: usize,
}

impl Told {
    fn new(
        stage: &Stage,
        table: &'static str,
        decide: impl FnMut(&Of<'_>, &[String]) -> Next + Send + 'static,
    ) -> Box<Told> {
        Box::new(Told { schema: stage.schema.clone(), table, decide: Box::new(decide), seen: Vec::new(), restarts: 0 })
    }
}

impl Script for Told {
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step {
        match last {
            None => assert!(self.seen.is_empty(), "a script begins once, or begins anew"),
            Some(Ok(StepDone::Read(done))) => {
                let rows = show(&collected(done.sink).expect("rows of the shape"));
                let total = done.total.map_or(String::new(), |total| format!(" of {total}"));
                self.seen.push(format!("read {} {rows}{total}", done.rows));
            }
            Some(Ok(StepDone::Write(done))) => {
                let rows = show(&collected(done.sink).expect("rows of the shape"));
                self.seen.push(format!("wrote {} {} {rows}", done.affected, done.inserted).trim_end().to_owned());
            }
            Some(Err(error)) => {
                self.seen.push(kind(&error));
                return Step::RollBack;
            }
        }
        match (self.decide)(&Of::new(&self.schema, self.table), &self.seen) {
            Next::Read(plan) => {
                let sink = Box::new(Collected::new(plan.shape(&self.schema)));
                let plan = authorize::read(&self.schema, &Actor::System, plan).expect("the system may read");
                Step::Read { plan: Arc::new(plan), sink }
            }
            Next::Write(plan) => {
                let shape = plan.returning().map_or(Shape { members: vec![] }, |read| read.shape(&self.schema));
                let plan = authorize::write(&self.schema, &Actor::System, plan).expect("the system may write");
                Step::Write { plan: Arc::new(plan), sink: Box::new(Collected::new(shape)) }
            }
            Next::Commit => Step::Commit,
            Next::RollBack => Step::RollBack,
        }
    }

    fn restart(&mut self) {
        self.seen.clear();
        self.restarts += 1;
    }
}

/// Runs a script and gives what its steps gave; `None` on a store that refuses all scripts, which is checked.
async fn try_run(stage: &Stage, call: Call, script: Box<Told>) -> Option<Result<Vec<String>, StoreError>> {
    let is_full = stage.store.capabilities().transactions == Transactions::Full;
    match stage.store.transact(call, script).await {
        Ok(script) => {
            let script: Box<dyn Any> = script;
            let script = script.downcast::<Told>().expect("the store gives back the script that it was passed");
            assert!(is_full, "a store without full transactions refuses");
            Some(Ok(script.seen))
        }
        Err(StoreError::Unsupported { .. }) if !is_full => None,
        Err(error) => Some(Err(error)),
    }
}

async fn run(stage: &Stage, script: Box<Told>) -> Option<Vec<String>> {
    try_run(stage, stage.call(), script).await.map(|outcome| outcome.expect("the script runs to its end"))
}

/// Steps see the steps before them and use what they gave; then all is there.
pub async fn later_steps_use_earlier_ones(open: &dyn Open) {
    let tables = [
        table("parents")
            .column("id", Type::Int, false, Some(DefaultValue::Sequence))
            .optional("name", Type::Text)
            .primary("id"),
        table("children")
            .required("id", Type::Int)
            .required("parent", Type::Int)
            .primary("id")
            .points("parent", "parents", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    let script = Told::new(&stage, "parents", |parents, seen| {
        let children = Of::new(parents.schema, "children");
        match seen {
            [] => {
                let mut insert = parents.insert("name", &["a", "b"]);
                insert.returning = Some(Box::new(parents.read().select("id").build()));
                Next::Write(Write::Insert(insert))
            }
            [given] => {
                assert_eq!(given, "wrote 2 2 (1) (2)");
                Next::Write(Write::Insert(children.insert("id parent", &["10|1", "20|2"])))
            }
            [_, _] => {
                let rows = parents.read().many(parents.join("children", "id=parent"), children.read());
                Next::Read(rows.limit(1).count().build())
            }
            [_, _, _] => Next::Write(Write::Update(parents.update("name=c", parents.eq("id", "2")))),
            [_, _, _, _] => Next::Read(parents.read().filter(parents.eq("name", "c")).build()),
            _ => Next::Commit,
        }
    });
    let Some(seen) = run(&stage, script).await else { return };
    assert_eq!(seen, ["wrote 2 2 (1) (2)", "wrote 2 2", "read 1 (1,a,[(10,1)]) of 2", "wrote 1 0", "read 1 (2,c)"]);
    assert_eq!(stage.all("parents").await, "(1,a) (2,c)");
    assert_eq!(stage.all("children").await, "(10,1) (20,2)");
}

/// A script that rolls back leaves nothing but what it saw.
pub async fn rolling_back(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    stage.fill("notes", "id text", &["1|a"]).await;
    let mut feed = stage.feed();
    let script = Told::new(&stage, "notes", |notes, seen| match seen.len() {
        0 => Next::Write(Write::Insert(notes.insert("id text", &["2|b"]))),
        1 => Next::Write(Write::Delete(notes.delete(notes.eq("id", "1")))),
        2 => Next::Read(notes.read().build()),
        _ => Next::RollBack,
    });
    let Some(seen) = run(&stage, script).await else { return };
    assert_eq!(seen, ["wrote 1 1", "wrote 1 0", "read 1 (2,b)"]);
    assert_eq!(stage.all("notes").await, "(1,a)");
    stage.fill("notes", "id text", &["3|c"]).await;
    check_next(&mut feed, "insert notes (3,c)").await;
}

/// A step that fails undoes those before it, wherever it stands, and the script learns why.
pub async fn a_failing_step_undoes_all(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    stage.fill("notes", "id text", &["1|a"]).await;
    let mut feed = stage.feed();
    for position in 0..4 {
        let script = Told::new(&stage, "notes", move |notes, seen| match seen.len() {
            step if step == position => Next::Write(Write::Insert(notes.insert("id text", &["9|x", "1|x"]))),
            4 => Next::Commit,
            step => Next::Write(Write::Insert(notes.insert("id text", &[&format!("{}|b", step + 2)]))),
        });
        let Some(seen) = run(&stage, script).await else { return };
        assert_eq!(seen.len(), position + 1);
        assert_eq!(seen.last().map(String::as_str), Some("duplicate notes_pkey"));
        assert_eq!(stage.all("notes").await, "(1,a)");
    }
    // So does one that affects more than it may.
    let script = Told::new(&stage, "notes", |notes, seen| {
        let mut update = notes.update("text=z", Filter::True);
        update.expect.affected_max = Some(u64::from(seen.is_empty()));
        Next::Write(Write::Update(update))
    });
    assert_eq!(run(&stage, script).await.unwrap_or_default(), ["wrote 1 0", "unexpected 1 false"]);
    assert_eq!(stage.all("notes").await, "(1,a)");
    stage.fill("notes", "id text", &["3|c"]).await;
    check_next(&mut feed, "insert notes (3,c)").await;
}

/// Each write stands alone, as in a batch: a later one cannot mend what an earlier one left broken.
pub async fn references_are_checked_at_each_step(open: &dyn Open) {
    let tree = table("tree").required("id", Type::Int).optional("parent", Type::Int).primary("id");
    let stage = Stage::open(open, &[tree.points("parent", "tree", "id")]).await;
    for (first, expected) in [(&["1|2", "2|1"][..], "wrote 2 2"), (&["1|2", "3|1"], "reference")] {
        let script = Told::new(&stage, "tree", move |tree, seen| match seen.len() {
            0 => Next::Write(Write::Insert(tree.insert("id parent", first))),
            1 => Next::Write(Write::Insert(tree.insert("id parent", &["4|null"]))),
            _ => Next::RollBack,
        });
        let Some(seen) = run(&stage, script).await else { return };
        assert_eq!(seen[0], expected);
    }
    // What one step was allowed until its end, the next is not.
    let script = Told::new(&stage, "tree", |tree, seen| match seen.len() {
        0 => Next::Write(Write::Insert(tree.insert("id parent", &["1|2", "2|1"]))),
        1 => Next::Write(Write::Insert(tree.insert("id parent", &["5|6"]))),
        _ => Next::Commit,
    });
    assert_eq!(run(&stage, script).await.unwrap_or_default(), ["wrote 2 2", "reference"]);
    assert_eq!(stage.all("tree").await, "");
}

/// One commit with the changes of all steps in their order, cascades among them.
pub async fn a_script_is_one_commit(open: &dyn Open) {
    let tables = [
        notes(),
        table("marks").required("note", Type::Int).primary("note").points_with(
            "note",
            "notes",
            "id",
            ReferenceAction::Cascade,
            ReferenceAction::Restrict,
        ),
    ];
    let stage = Stage::open(open, &tables).await;
    let mut feed = stage.feed();
    let script = Told::new(&stage, "notes", |notes, seen| {
        let marks = Of::new(notes.schema, "marks");
        match seen.len() {
            0 => Next::Write(Write::Insert(notes.insert("id text", &["1|a", "2|b"]))),
            1 => Next::Write(Write::Insert(marks.insert("note", &["1"]))),
            2 => Next::Write(Write::Update(notes.update("text=c", notes.eq("id", "2")))),
            3 => Next::Write(Write::Delete(marks.delete(Filter::True))),
            _ => Next::Commit,
        }
    });
    let Some(_) = run(&stage, script).await else { return };
    check_next(
        &mut feed,
        "insert notes (1,a); insert notes (2,b); insert marks (1); update notes (2,b) to (2,c); delete marks (1)",
    )
    .await;
    // One that only looks, or changes nothing, is told to nobody.
    let script = Told::new(&stage, "notes", |notes, seen| match seen.len() {
        0 => Next::Read(notes.read().build()),
        1 => Next::Write(Write::Delete(notes.delete(Filter::False))),
        _ => Next::Commit,
    });
    let _ = run(&stage, script).await;
    stage.fill("notes", "id text", &["3|d"]).await;
    check_next(&mut feed, "insert notes (3,d)").await;
}

/// Time that runs out, before the first step, between two or within one, undoes all.
pub async fn deadlines_of_scripts(open: &dyn Open) {
    let tables =
        [table("rows").required("id", Type::Int).required("n", Type::Int).required("t", Type::Text).primary("id")];
    let stage = Stage::open(open, &tables).await;
    let rows: Vec<String> = (0..3000).map(|id| format!("{id}|1|aaaaaaaaaaaaaaaa{id}")).collect();
    stage.fill("rows", "id n t", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let call = |time: Duration| Call { schema: stage.schema.clone(), deadline: Instant::now() + time };
    let insert = |rows: &Of<'_>, step: usize| {
        Next::Write(Write::Insert(rows.insert("id n t", &[&format!("{}|2|b", 5000 + step)])))
    };
    let script = Told::new(&stage, "rows", move |rows, seen| match seen.len() {
        0 => insert(rows, 0),
        _ => Next::Commit,
    });
    let Some(outcome) = try_run(&stage, call(Duration::ZERO), script).await else { return };
    check_error(outcome, "deadline");
    let start = Instant::now();
    let script = Told::new(&stage, "rows", move |rows, seen| insert(rows, seen.len()));
    check_error(try_run(&stage, call(Duration::from_millis(100)), script).await.expect("as before"), "deadline");
    for is_write in [false, true] {
        let script = Told::new(&stage, "rows", move |rows, seen| {
            // As in the case of single statements: all rows, each with all rows.
            let all = rows.read().many(rows.join("rows", "n=n"), rows.read()).build();
            match (seen.len(), is_write) {
                (0, _) => insert(rows, 0),
                (1, false) => Next::Read(all),
                (1, true) => {
                    let mut delete = rows.delete(Filter::True);
                    delete.returning = Some(Box::new(all));
                    Next::Write(Write::Delete(delete))
                }
                _ => Next::Commit,
            }
        });
        let outcome = try_run(&stage, call(Duration::from_millis(150)), script).await.expect("as before");
        match outcome {
            Ok(seen) => assert_eq!(seen, ["wrote 1 1", "deadline"]),
            Err(error) => assert_eq!(kind(&error), "deadline"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(8), "stopped, not waited for: {:?}", start.elapsed());
    assert_eq!(stage.read(stage.of("rows").read().limit(0).count()).await.total, Some(3000));
}

/// Scripts and plain writes at once: none is lost, and each script sees a state that nobody else changes meanwhile.
pub async fn concurrent_scripts(open: &dyn Open) {
    let counters = table("counters").required("id", Type::Int).required("n", Type::Int).primary("id");
    let stage = Stage::open(open, &[counters]).await;
    stage.fill("counters", "id n", &["1|0"]).await;
    if stage.store.capabilities().transactions != Transactions::Full {
        return;
    }
    let writers = (0..6_i64).map(|writer| {
        let stage = stage.clone();
        tokio::spawn(async move {
            for round in 0..15 {
                if writer % 3 == 2 {
                    stage.fill("counters", "id n", &[&format!("{}|0", 1000 + writer * 100 + round)]).await;
                    continue;
                }
                // Reads the counter and writes one more, half of them by a write that has to be alone.
                let script = Told::new(&stage, "counters", move |counters, seen| match seen {
                    [] => Next::Read(counters.read().select("n").filter(counters.eq("id", "1")).build()),
                    [read] => {
                        let n: i64 =
                            read.trim_start_matches("read 1 (").trim_end_matches(')').parse().expect("a number");
                        let which = match writer % 3 {
                            0 => counters.eq("id", "1"),
                            _ => not(counters.compare("id", mainstay_query::plan::Comparison::Neq, "1")),
                        };
                        Next::Write(Write::Update(counters.update(&format!("n={}", n + 1), which)))
                    }
                    _ => Next::Commit,
                });
                assert_eq!(run(&stage, script).await.map(|seen| seen[1].clone()).as_deref(), Some("wrote 1 0"));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer panics");
    }
    stage.check(stage.of("counters").read().filter(stage.of("counters").eq("id", "1")), "(1,60)").await;
    assert_eq!(stage.read(stage.of("counters").read().limit(0).count()).await.total, Some(31));
}

/// A closed store takes no script.
pub async fn scripts_of_a_closed_store(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    stage.store.close().await;
    let script = Told::new(&stage, "notes", |_, _| Next::Commit);
    if let Some(outcome) = try_run(&stage, stage.call(), script).await {
        check_error(outcome, "unavailable");
    }
}

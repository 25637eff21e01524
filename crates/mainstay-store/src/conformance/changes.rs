//! The feed: every committed change once, in order, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_query::plan::{Filter, Write};
use mainstay_schema::{ReferenceAction, Type, Value};

use super::Open;
use super::kit::{Stage, check_error, next, show_commit};
use super::tables::{TableBuilder, table};
use crate::change::{Commit, Subscription};
use crate::collect::Member;

/// Tasks that write at once.
const WRITERS: i64 = 8;
/// After so long without a commit there comes none.
const QUIET: Duration = Duration::from_secs(5);

fn notes() -> TableBuilder {
    table("notes").required("id", Type::Int).optional("text", Type::Text).primary("id")
}

/// Each write in its own commit when nothing else goes on, with both images of each row.
pub async fn every_commit_once_in_order(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    stage.fill("notes", "id text", &["1|before"]).await;
    let Some(mut feed) = stage.feed() else { return };
    let notes = stage.of("notes");
    stage.write(notes.insert("id text", &["2|a", "3|null"])).await;
    stage.write(notes.update("text=b", notes.eq("id", "2"))).await;
    stage.write(notes.delete(notes.eq("id", "3"))).await;
    let mut upsert = notes.insert("id text", &["2|c", "4|d"]);
    upsert.conflict = notes.conflict("id", Some("text"));
    stage.write(upsert).await;
    stage
        .write(Write::Batch(vec![
            Write::Insert(notes.insert("id text", &["5|e"])),
            Write::Update(notes.update("text=f", notes.eq("id", "5"))),
            Write::Delete(notes.delete(notes.eq("id", "1"))),
        ]))
        .await;
    let mut last = None;
    for expected in [
        "insert notes (2,a); insert notes (3,null)",
        "update notes (2,a) to (2,b)",
        "delete notes (3,null)",
        "update notes (2,b) to (2,c); insert notes (4,d)",
        "insert notes (5,e); update notes (5,e) to (5,f); delete notes (1,before)",
    ] {
        let commit = next(&mut feed).await;
        assert_eq!(show_commit(&commit), expected);
        assert_eq!(commit.changes[0].columns.iter().map(|name| &**name).collect::<Vec<_>>(), ["id", "text"]);
        assert!(last.is_none_or(|last| commit.position > last), "positions grow");
        last = Some(commit.position);
    }
}

/// What foreign keys do is told like everything else, in the same commit.
pub async fn cascades_are_told(open: &dyn Open) {
    let child = |name: &str, on_delete| {
        table(name).required("id", Type::Int).optional("parent", Type::Int).primary("id").points_with(
            "parent",
            "parents",
            "id",
            on_delete,
            ReferenceAction::Cascade,
        )
    };
    let tables = [
        table("parents").required("id", Type::Int).primary("id"),
        child("gone", ReferenceAction::Cascade),
        child("freed", ReferenceAction::SetNull),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("parents", "id", &["1"]).await;
    stage.fill("gone", "id parent", &["1|1"]).await;
    stage.fill("freed", "id parent", &["1|1"]).await;
    let Some(mut feed) = stage.feed() else { return };
    let parents = stage.of("parents");
    let sorted = |commit: &Commit| {
        let text = show_commit(commit);
        let mut changes: Vec<&str> = text.split("; ").collect();
        changes.sort_unstable();
        changes.join("; ")
    };
    stage.write(parents.update("id=2", Filter::True)).await;
    let expected = "update freed (1,1) to (1,2); update gone (1,1) to (1,2); update parents (1) to (2)";
    assert_eq!(sorted(&*next(&mut feed).await), expected);
    stage.write(parents.delete(Filter::True)).await;
    let expected = "delete gone (1,2); delete parents (2); update freed (1,2) to (1,null)";
    assert_eq!(sorted(&*next(&mut feed).await), expected);
}

/// Writes that failed, changed nothing or were undone are not told.
pub async fn nothing_of_what_was_undone(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    stage.fill("notes", "id text", &["1|a"]).await;
    let Some(mut feed) = stage.feed() else { return };
    let notes = stage.of("notes");
    check_error(stage.try_write(notes.insert("id", &["2", "1"])).await, "duplicate notes_pkey");
    let failing = vec![Write::Delete(notes.delete(Filter::True)), Write::Insert(notes.insert("id", &["7", "7"]))];
    check_error(stage.try_write(Write::Batch(failing)).await, "duplicate notes_pkey");
    let mut unexpected = notes.update("text=x", Filter::True);
    unexpected.expect.affected_max = Some(0);
    check_error(stage.try_write(unexpected).await, "unexpected 1 false");
    stage.write(notes.delete(Filter::False)).await;
    stage.write(notes.insert("id", &["9"])).await;
    assert_eq!(show_commit(&*next(&mut feed).await), "insert notes (9,null)");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(feed.try_next(), Ok(None));
}

/// A copy that only follows the feed ends up equal to the tables.
pub async fn a_replica_built_from_the_feed(open: &dyn Open) {
    let tables = [
        table("parents").required("id", Type::Int).required("name", Type::Text).primary("id").unique("name"),
        table("children").required("id", Type::Int).optional("parent", Type::Int).primary("id").points_with(
            "parent",
            "parents",
            "id",
            ReferenceAction::Cascade,
            ReferenceAction::Cascade,
        ),
    ];
    let stage = Stage::open(open, &tables).await;
    let Some(mut feed) = stage.feed() else { return };
    let (parents, children) = (stage.of("parents"), stage.of("children"));
    for step in 0..60_i64 {
        let (id, other) = (step % 7, (step * 5 + 3) % 7);
        let mut parent = parents.insert("id name", &[&format!("{id}|n{step}")]);
        parent.conflict = parents.conflict("id", Some("name"));
        stage.write(parent).await;
        let child = children.insert("id parent", &[&format!("{step}|{id}"), &format!("{}|null", step + 1000)]);
        stage.write(child).await;
        // Some of these fail, by design: what fails must leave no trace.
        let by_name = parents.like("name", &format!("%{other}"), true);
        let _ =
            stage.try_write(parents.update(&format!("id={}", other + 20), parents.eq("id", &other.to_string()))).await;
        let _ = stage.try_write(parents.update(&format!("name=n{step}"), parents.eq("id", &other.to_string()))).await;
        if step % 4 == 0 {
            stage.write(parents.delete(by_name)).await;
        }
    }
    let mut replica = Replica::default();
    replica.catch_up(&stage, &mut feed).await;
}

/// Writers at the same time: all is told once and in an order that leads to what is there. A store may put several
/// writes into one commit.
pub async fn telling_of_concurrent_writes(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    let Some(mut feed) = stage.feed() else { return };
    let writers = (0..WRITERS).map(|writer| {
        let stage = stage.clone();
        tokio::spawn(async move {
            let notes = stage.of("notes");
            for round in 0..20 {
                let id = writer * 1000 + round;
                stage.write(notes.insert("id text", &[&format!("{id}|a"), &format!("{}|b", id + 500)])).await;
                stage.write(notes.update("text=c", notes.eq("id", &id.to_string()))).await;
                stage.write(notes.delete(notes.eq("id", &(id + 500).to_string()))).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer panics");
    }
    let mut replica = Replica::default();
    replica.catch_up(&stage, &mut feed).await;
    assert_eq!(replica.changes, 4 * 20 * WRITERS as usize);
}

/// Tables as the feed tells them.
#[derive(Debug, Default)]
pub(super) struct Replica {
    tables: BTreeMap<String, Vec<Vec<Value>>>,
    position: Option<u64>,
    changes: usize,
}

impl Replica {
    /// Follows the feed until the copy equals the tables, which nobody writes to any more. A store publishes before it
    /// answers or very soon after, so this takes no time unless something was not told.
    pub(super) async fn catch_up(&mut self, stage: &Stage, feed: &mut Subscription) {
        loop {
            while let Some(commit) = feed.try_next().expect("no commit is missed") {
                self.take(&commit);
            }
            let Some(difference) = self.difference(stage).await else { return };
            match tokio::time::timeout(QUIET, feed.next()).await {
                Ok(commit) => self.take(&commit.expect("no commit is missed")),
                Err(_) => panic!("the feed and the tables differ: {difference}"),
            }
        }
    }

    fn take(&mut self, commit: &Commit) {
        assert!(self.position.is_none_or(|last| commit.position > last), "commits come in order");
        assert!(!commit.changes.is_empty(), "a commit changes something");
        self.position = Some(commit.position);
        self.changes += commit.changes.len();
        for change in &commit.changes {
            let rows = self.tables.entry(change.table.to_string()).or_default();
            if let Some(before) = &change.before {
                let at = rows.iter().position(|row| row == before);
                rows.swap_remove(at.unwrap_or_else(|| panic!("{change:?} is about a row that was not there")));
            }
            rows.extend(change.after.clone());
        }
    }

    /// A row that only one of the copy and the tables has.
    async fn difference(&self, stage: &Stage) -> Option<String> {
        for table in stage.schema.tables() {
            let mut told = self.tables.get(&*table.name).cloned().unwrap_or_default();
            for row in stage.read(stage.of(&table.name).read()).await.rows {
                let row: Vec<Value> = row.into_iter().map(value).collect();
                match told.iter().position(|other| *other == row) {
                    Some(at) => drop(told.swap_remove(at)),
                    None => return Some(format!("{} has {row:?}, which was not told", table.name)),
                }
            }
            if let Some(row) = told.first() {
                return Some(format!("{row:?} of {} was told and is not there", table.name));
            }
        }
        None
    }
}

fn value(member: Member) -> Value {
    match member {
        Member::Value(value) => value,
        Member::One(_) | Member::Many(_) => panic!("{member:?} is no value"),
    }
}

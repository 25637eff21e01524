//! What shares a commit, what has to be alone, what a full disk leaves.

use crossbeam_channel::bounded;
use mainstay_query::plan::{Comparison, Expect, Expr, Filter, Insert, Test, Update};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, Value};
use mainstay_store::{Step, StepDone};

use super::super::job::{Ticket, promise};
use super::super::{SqliteOptions, connect, sample};
use super::*;

struct Nothing;

impl RowSink for Nothing {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _cell: mainstay_store::Cell<'_>) {}
}

fn insert(schema: &Arc<Schema>, id: i64, name: &str) -> (Job, Ticket<WriteDone>) {
    let plan = Write::Insert(Insert {
        table: schema.find("tags").unwrap().id,
        columns: vec![ColumnId(0), ColumnId(1)],
        rows: vec![vec![Some(Value::Int(id)), Some(Value::Text(name.to_owned()))]],
        conflict: None,
        returning: None,
        expect: Expect::default(),
    });
    let plan = Arc::new(authorize::write(schema, &Actor::System, plan).unwrap());
    let call = Call { schema: schema.clone(), deadline: Instant::now() + Duration::from_secs(20) };
    let (reply, ticket) = promise(call.deadline);
    let task = Task::Write { plan, sink: Box::new(Nothing), reply };
    (Job::Write(WriteJob { call, task, is_bounded: true }), ticket)
}

/// Queues all rows, lets the writer work until the queue is empty, and gives the answers and what is in the file.
async fn run(pages_max: i64, rows: &[(i64, String)]) -> (Vec<Result<WriteDone, StoreError>>, Vec<i64>, Vec<usize>) {
    let schema = Arc::new(sample::schema());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.db");
    let watch = Watch::default();
    let connection = connect::writer(&path, &SqliteOptions::default(), &watch).unwrap();
    connection.execute_batch(&migrate::create(&schema)).unwrap();
    connection.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(())).unwrap();
    let feed = ChangeFeed::default();
    let mut heard = feed.subscribe();
    let shared = Arc::new(Shared { feed, unheard: Mutex::new(()), position: AtomicU64::new(0) });
    let (sender, jobs) = bounded(rows.len() + 1);
    let mut tickets = Vec::new();
    for (id, name) in rows {
        let (job, ticket) = insert(&schema, *id, name);
        sender.send(job).unwrap();
        tickets.push(ticket);
    }
    sender.send(Job::Close).unwrap();
    Writer::new(connection, watch, shared, jobs, None).run();
    let mut answers = Vec::new();
    for ticket in tickets {
        answers.push(ticket.wait().await);
    }
    let mut commits = Vec::new();
    while let Ok(Some(commit)) = heard.try_next() {
        commits.push(commit.changes.len());
    }
    let file = Connection::open(&path).unwrap();
    let mut list = file.prepare("SELECT id FROM tags ORDER BY id").unwrap();
    let kept = list.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    (answers, kept, commits)
}

#[tokio::test]
async fn what_waits_shares_a_commit_and_a_failure_is_its_own() {
    let rows: Vec<(i64, String)> = [1, 2, 2, 3].map(|id| (id, format!("n{id}"))).into();
    let (answers, kept, commits) = run(100_000, &rows).await;
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(kept, [1, 2, 3]);
    assert_eq!(commits, [3]);
}

/// Renames the tag of an id, by its key or by a look at every row, which must be alone in its transaction.
struct Rename {
    schema: Arc<Schema>,
    by_key: bool,
    restarts: usize,
}

impl Script for Rename {
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step {
        match last {
            None => {}
            Some(Ok(_)) => return Step::Commit,
            Some(Err(error)) => panic!("{error:?}"),
        }
        let expr = Expr::column(ColumnId(0));
        let one = Filter::Test { expr, test: Test::Compare(Comparison::Eq, Value::Int(1)) };
        let plan = Write::Update(Update {
            table: self.schema.find("tags").unwrap().id,
            set: vec![(ColumnId(1), Value::Text(format!("{} {}", self.by_key, self.restarts)).into())],
            filter: if self.by_key { one } else { Filter::Or(vec![one, Filter::False]) },
            returning: None,
            expect: Expect { single: true, affected_max: None },
        });
        let plan = Arc::new(authorize::write(&self.schema, &Actor::System, plan).unwrap());
        Step::Write { plan, sink: Box::new(Nothing) }
    }

    fn restart(&mut self) {
        self.restarts += 1;
    }
}

fn rename(schema: &Arc<Schema>, by_key: bool) -> (Job, Ticket<Box<dyn Script>>) {
    let call = Call { schema: schema.clone(), deadline: Instant::now() + Duration::from_secs(20) };
    let (reply, ticket) = promise(call.deadline);
    let script = Box::new(Rename { schema: schema.clone(), by_key, restarts: 0 });
    (Job::Write(WriteJob { call, task: Task::Script { script, reply }, is_bounded: true }), ticket)
}

#[tokio::test]
async fn a_script_that_has_to_be_alone_begins_anew() {
    let schema = Arc::new(sample::schema());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.db");
    let watch = Watch::default();
    let connection = connect::writer(&path, &SqliteOptions::default(), &watch).unwrap();
    connection.execute_batch(&migrate::create(&schema)).unwrap();
    let feed = ChangeFeed::default();
    let mut heard = feed.subscribe();
    let shared = Arc::new(Shared { feed, unheard: Mutex::new(()), position: AtomicU64::new(0) });
    let (sender, jobs) = bounded(8);
    let (first, _first) = insert(&schema, 1, "a");
    let (shared_script, by_key) = rename(&schema, true);
    let (lonely_script, by_look) = rename(&schema, false);
    let (last, _last) = insert(&schema, 2, "b");
    for job in [first, shared_script, lonely_script, last, Job::Close] {
        sender.send(job).unwrap();
    }
    Writer::new(connection, watch, shared, jobs, None).run();
    for (ticket, restarts) in [(by_key, 0), (by_look, 1)] {
        let script: Box<dyn std::any::Any> = ticket.wait().await.unwrap();
        assert_eq!(script.downcast::<Rename>().unwrap().restarts, restarts);
    }
    let mut commits = Vec::new();
    while let Ok(Some(commit)) = heard.try_next() {
        commits.push(commit.changes.len());
    }
    assert_eq!(commits, [2, 2]);
    let file = Connection::open(&path).unwrap();
    let name: String = file.query_row("SELECT name FROM tags WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "false 1");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let rows: Vec<(i64, String)> = (0..100).map(|id| (id, format!("{id}").repeat(2000))).collect();
    let (answers, kept, _) = run(40, &rows).await;
    let acknowledged: Vec<i64> = (0..).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(id, _)| id).collect();
    assert_eq!(acknowledged, kept);
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|error| matches!(error, StoreError::CannotWrite(_))), "{refused:?}");
}

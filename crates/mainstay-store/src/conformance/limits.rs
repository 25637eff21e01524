//! Deadlines, many at once, and the end.

use std::any::Any;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::plan::{Filter, Write};
use mainstay_schema::Type;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Open;
use super::kit::{Stage, check_error, kind};
use super::plans::Plan;
use super::tables::{TableBuilder, table};
use crate::collect::Collected;
use crate::sink::{Cell, RowSink};
use crate::store::Call;

fn counters() -> TableBuilder {
    table("counters").required("id", Type::Int).required("n", Type::Int).primary("id")
}

fn sink() -> Box<Collected> {
    Box::new(Collected::new(mainstay_query::plan::Shape { members: vec![] }))
}

/// A call that comes too late does nothing.
pub async fn deadline_before_the_start(open: &dyn Open) {
    let stage = Stage::open(open, &[counters()]).await;
    let counters = stage.of("counters");
    let late = || Call { schema: stage.schema.clone(), deadline: Instant::now() - Duration::from_millis(1) };
    let write = stage.authorized_write(Write::Insert(counters.insert("id n", &["1|0"])));
    let outcome = stage.store.write(late(), write, sink()).await;
    assert_eq!(outcome.err().map(|error| kind(&error)).as_deref(), Some("deadline"));
    let read = counters.read().build();
    let shaped = Box::new(Collected::new(read.shape(&stage.schema)));
    let outcome = stage.store.read(late(), stage.authorized(read), shaped).await;
    assert_eq!(outcome.err().map(|error| kind(&error)).as_deref(), Some("deadline"));
    assert_eq!(stage.all("counters").await, "");
}

/// A statement that takes too long is stopped, and undone if it is a write.
pub async fn deadline_on_the_way(open: &dyn Open) {
    let tables =
        [table("rows").required("id", Type::Int).required("n", Type::Int).required("t", Type::Text).primary("id")];
    let stage = Stage::open(open, &tables).await;
    let of = stage.of("rows");
    let rows: Vec<String> = (0..3000).map(|id| format!("{id}|1|aaaaaaaaaaaaaaaa{id}")).collect();
    stage.fill("rows", "id n t", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Every row is linked to every row: whatever an engine makes of it, nine million rows are to be given.
    let all = || of.read().many(of.join("rows", "n=n"), of.read());
    let soon = || Call { schema: stage.schema.clone(), deadline: Instant::now() + Duration::from_millis(100) };
    let start = Instant::now();
    let read = all().build();
    let shaped = Box::new(Collected::new(read.shape(&stage.schema)));
    let outcome = stage.store.read(soon(), stage.authorized(read), shaped).await;
    assert_eq!(outcome.err().map(|error| kind(&error)).as_deref(), Some("deadline"));
    let mut delete = of.delete(Filter::True);
    delete.returning = Some(Box::new(all().build()));
    let shaped = Box::new(Collected::new(all().build().shape(&stage.schema)));
    let outcome = stage.store.write(soon(), stage.authorized_write(Write::Delete(delete)), shaped).await;
    assert_eq!(outcome.err().map(|error| kind(&error)).as_deref(), Some("deadline"));
    assert!(start.elapsed() < Duration::from_secs(5), "stopped, not waited for: {:?}", start.elapsed());
    assert_eq!(stage.read(of.read().limit(0).count()).await.total, Some(3000));
}

/// No write of many at once is lost, and each is seen by its own writer as soon as it is answered.
pub async fn concurrent_writers(open: &dyn Open) {
    let stage = Stage::open(open, &[counters()]).await;
    stage.fill("counters", "id n", &["0|0", "1|0", "2|0", "3|0", "4|0", "5|0", "6|0", "7|0"]).await;
    let writers = (0..8_i64).map(|writer| {
        let stage = stage.clone();
        tokio::spawn(async move {
            let counters = stage.of("counters");
            let own = || counters.eq("id", &writer.to_string());
            for n in 1..=25 {
                let found = stage.read(counters.read().select("n").filter(own())).await;
                assert_eq!(super::kit::show(&found.rows), format!("({})", n - 1));
                assert_eq!(stage.write(counters.update(&format!("n={n}"), own())).await.affected, 1);
                stage.fill("counters", "id n", &[&format!("{}|0", 100 + writer * 100 + n)]).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer panics");
    }
    let counters = stage.of("counters");
    assert_eq!(stage.read(counters.read().limit(0).count()).await.total, Some(8 + 8 * 25));
    assert_eq!(stage.read(counters.read().filter(counters.eq("n", "25")).count()).await.total, Some(8));
    // All want the same key: one gets it.
    let rivals = (0..8).map(|_| {
        let stage = stage.clone();
        tokio::spawn(async move { stage.try_write(stage.of("counters").insert("id n", &["9999|1"])).await.is_ok() })
    });
    let mut winners = 0;
    for rival in rivals.collect::<Vec<_>>() {
        winners += usize::from(rival.await.expect("no writer panics"));
    }
    assert_eq!(winners, 1);
}

/// A read sees all of a commit or nothing of it, in its rows and in their number.
pub async fn readers_see_whole_commits(open: &dyn Open) {
    let stage = Stage::open(open, &[counters()]).await;
    stage.fill("counters", "id n", &["1|0", "2|0"]).await;
    let writer = {
        let stage = stage.clone();
        tokio::spawn(async move {
            let counters = stage.of("counters");
            for n in 1..=60 {
                let set = |id: &str| Write::Update(counters.update(&format!("n={n}"), counters.eq("id", id)));
                let pair = counters.insert("id n", &[&format!("{}|0", n * 10), &format!("{}|0", n * 10 + 1)]);
                stage.write(Write::Batch(vec![set("1"), Write::Insert(pair), set("2")])).await;
            }
        })
    };
    let counters = stage.of("counters");
    while !writer.is_finished() {
        let found = stage.read(counters.read().select("n").limit(2).count()).await;
        assert_eq!(found.rows[0], found.rows[1], "both counters were set together");
        let total = found.total.unwrap_or_default();
        assert_eq!(total % 2, 0, "rows come in pairs");
        assert_eq!(
            super::kit::show(&found.rows[..1]),
            format!("({})", total / 2 - 1),
            "rows and count are of one moment"
        );
    }
    writer.await.expect("the writer does not panic");
}

/// A write whose caller went away has happened or not, whole; the store goes on.
pub async fn dropped_futures(open: &dyn Open) {
    let stage = Stage::open(open, &[counters()]).await;
    let counters = stage.of("counters");
    for round in 0..20_u64 {
        let rows: Vec<String> = (0..200).map(|at| format!("{}|0", round * 1000 + at)).collect();
        let insert = counters.insert("id n", &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let write = stage.try_write(Plan(Write::Insert(insert)));
        // Dropped before the start, soon after it, or not at all, depending on the round.
        let _ = tokio::time::timeout(Duration::from_micros(round * 150), write).await;
    }
    // A write that is answered after those has seen the last of them.
    stage.fill("counters", "id n", &["100000|0"]).await;
    let total = stage.read(counters.read().limit(0).count()).await.total.unwrap_or_default();
    assert_eq!(total % 200, 1, "{total} rows");
}

/// After closing every call is refused, and listeners are told.
pub async fn a_closed_store(open: &dyn Open) {
    let stage = Stage::open(open, &[counters()]).await;
    stage.fill("counters", "id n", &["1|1"]).await;
    let mut feed = stage.store.subscribe();
    stage.store.close().await;
    check_error(stage.try_read(&stage.of("counters").read().build()).await, "unavailable");
    check_error(stage.try_write(stage.of("counters").insert("id n", &["2|2"])).await, "unavailable");
    let end = tokio::time::timeout(Duration::from_secs(10), feed.next()).await.expect("listeners are told");
    assert_eq!(end, Err(crate::change::FeedError::Closed));
    stage.store.close().await;
}

/// Takes no row but the first before the gate is open: held up on a thread of the store's own, or asked on a task.
struct Slow {
    gate: watch::Receiver<bool>,
    wait: Option<BoxFuture<'static, ()>>,
    runtime: Handle,
    rows: u64,
}

impl RowSink for Slow {
    fn start_row(&mut self) {}

    fn end_row(&mut self) {
        self.rows += 1;
        if Handle::try_current().is_err() {
            let mut gate = self.gate.clone();
            self.runtime.block_on(async move { gate.wait_for(|open| *open).await.map(drop) }).expect("the gate opens");
        }
    }

    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _: Cell<'_>) {}

    fn may_wait(&self) -> bool {
        true
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.rows == 0 || *self.gate.borrow() {
            return Poll::Ready(());
        }
        let mut gate = self.gate.clone();
        let opens = async move { drop(gate.wait_for(|open| *open).await) };
        self.wait.get_or_insert_with(|| opens.boxed()).as_mut().poll(context)
    }
}

/// Whoever takes rows slowly keeps nobody else waiting, neither those who read nor those who write.
pub async fn slow_sinks_hold_up_nobody_else(open: &dyn Open) {
    const SLOW: usize = 3;
    let stage = Stage::open(open, &[counters()]).await;
    let counters = stage.of("counters");
    let rows: Vec<String> = (0..100).map(|id| format!("{id}|0")).collect();
    stage.fill("counters", "id n", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (opener, gate) = watch::channel(false);
    let slow = (0..SLOW).map(|_| {
        let (stage, plan) = (stage.clone(), stage.authorized(counters.read().build()));
        let sink = Slow { gate: gate.clone(), wait: None, runtime: Handle::current(), rows: 0 };
        tokio::spawn(async move { stage.store.read(stage.call(), plan, Box::new(sink)).await })
    });
    let slow: Vec<_> = slow.collect();
    let others = async {
        for n in 1..=20 {
            stage.write(counters.update(&format!("n={n}"), counters.eq("id", "1"))).await;
            assert_eq!(stage.read(counters.read().filter(counters.eq("n", &n.to_string()))).await.rows.len(), 1);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), others).await.expect("others are served meanwhile");
    opener.send_replace(true);
    for read in slow {
        let done = read.await.expect("no read panics").expect("the read goes on");
        let sink: Box<dyn Any> = done.sink;
        assert_eq!(sink.downcast::<Slow>().expect("the sink comes back").rows, 100);
    }
}

//! What becomes of writes on servers that stand alone, or that end a session on the way.

use std::any::Any;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Filter, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::Schema;
use mainstay_store::nested::Nothing;
use mainstay_store::script::{Step, StepDone};
use mainstay_store::{Call, Script, Store, StoreError, Transactions};
use mainstay_stores::MongoOptions;
use mainstay_stores::mongo::Link;
use mongodb::Database;
use mongodb::bson::{Document, doc};

use crate::shop::Shop;
use crate::support::{self, delete, equals, insert, update, write};

/// A server of its own, which stands alone and stops with the test.
struct Alone {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Alone {
    async fn start() -> Alone {
        // The same program that the tests run on.
        let link = mainstay_stores::mongo::Link::open(&support::fresh()).await.expect("the server answers");
        let status = link.database().run_command(doc! { "serverStatus": 1 }).await.expect("it tells of itself");
        let pid = status.get_i64("pid").expect("it has a number");
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).expect("it runs on this machine");
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut command = Command::new(program);
        command.arg("--dbpath").arg(folder.path()).args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--port"]);
        command.arg(port.to_string()).args(["--wiredTigerCacheSizeGB", "0.25"]);
        // So that it fails when it is told to.
        command.args(["--setParameter", "enableTestCommands=1"]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let alone = Alone { process, port, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        alone
    }

    fn options(&self) -> MongoOptions {
        MongoOptions::parse(&format!("mongodb://127.0.0.1:{}/shop", self.port)).expect("a URL")
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One document at a time is written; what needs a transaction is refused with the way out.
#[tokio::test]
async fn a_server_that_stands_alone_refuses_what_needs_transactions() {
    let alone = Alone::start().await;
    let shop = Shop::on(alone.options()).await;
    assert_eq!(shop.store.capabilities().transactions, Transactions::None);
    let refused = |outcome: Result<support::Done, StoreError>| match outcome {
        Err(StoreError::Unsupported { what }) => {
            assert!(what.contains("rs.initiate()") && what.contains("stands alone"), "{what}");
        }
        other => panic!("{other:?}"),
    };
    shop.fill("plain", "id person", &["1|1"]).await;
    let by_key = || equals(&shop.schema, "plain", "id", "1");
    let done = write(&shop.store, &shop.schema, update(&shop.schema, "plain", "note", "a", by_key())).await;
    assert_eq!(done.expect("one document").affected, 1);
    let both = insert(&shop.schema, "plain", "id person", &["2|1", "3|1"]);
    refused(write(&shop.store, &shop.schema, both).await);
    refused(write(&shop.store, &shop.schema, update(&shop.schema, "plain", "note", "b", Filter::True)).await);
    refused(write(&shop.store, &shop.schema, delete(&shop.schema, "plain", Filter::True)).await);
    shop.fill("people", "id", &["1"]).await;
    refused(write(&shop.store, &shop.schema, insert(&shop.schema, "orders", "id person", &["1|1"])).await);
    let done = write(&shop.store, &shop.schema, delete(&shop.schema, "plain", by_key())).await;
    assert_eq!(done.expect("one document").affected, 1);
    let script = Box::new(Cut::new(&shop.schema, None));
    let call = Call { schema: shop.schema.clone(), deadline: support::late() };
    assert!(matches!(shop.store.transact(call, script).await, Err(StoreError::Unsupported { .. })));
    assert_eq!(support::all(shop.store.link(), "plain").await, Vec::<Document>::new());
    shop.close().await;
}

/// The deadline does not end what may have happened already: its end is waited for, and what nobody can know is not said.
#[tokio::test]
async fn a_write_that_may_have_happened_is_not_out_of_time() {
    let alone = Alone::start().await;
    let shop = Shop::on(alone.options()).await;
    let admin = Link::open(&alone.options()).await.expect("it answers").database().client().database("admin");
    let fail = async |command: &str, how: Document| {
        let mut data = doc! { "failCommands": [command] };
        data.extend(how);
        let fail = doc! { "configureFailPoint": "failCommand", "mode": { "times": 1 }, "data": data };
        admin.run_command(fail).await.expect("it can be told");
    };
    let within = async |plan: support::Plan, time: Duration| {
        let call = Call { schema: shop.schema.clone(), deadline: Instant::now() + time };
        let plan = authorize::write(&shop.schema, &Actor::System, plan.0).expect("the system may write");
        shop.store.write(call, Arc::new(plan), Box::new(Nothing)).await.map(|done| done.affected)
    };
    fail("insert", doc! { "blockConnection": true, "blockTimeMS": 2000 }).await;
    let new = insert(&shop.schema, "plain", "id person", &["1|1"]);
    let done = within(new.into(), Duration::from_millis(500)).await;
    assert_eq!(done.expect("it is waited for"), 1);
    for code in [50, 64] {
        fail("findAndModify", doc! { "writeConcernError": { "code": code, "errmsg": "waiting for replication" } })
            .await;
        let changed = update(&shop.schema, "plain", "note", "a", equals(&shop.schema, "plain", "id", "1"));
        let done = within(changed.into(), Duration::from_secs(60)).await;
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{code}: {done:?}");
    }
    shop.close().await;
}

/// Inserts two rows; on the first try something happens between the two.
struct Cut {
    schema: Arc<Schema>,
    admin: Option<Database>,
    steps: u32,
    restarts: u32,
}

impl Cut {
    fn new(schema: &Arc<Schema>, admin: Option<Database>) -> Cut {
        Cut { schema: schema.clone(), admin, steps: 0, restarts: 0 }
    }

    /// Ends the transaction on the server, as an administrator would.
    async fn end_transactions(admin: &Database, name: &str) -> usize {
        let open = doc! { "aggregate": 1, "cursor": {}, "pipeline": [
            { "$currentOp": { "allUsers": true, "idleSessions": true } },
            { "$match": { "appName": name, "transaction": { "$exists": true } } },
        ] };
        let reply = admin.run_command(open).await.expect("the server tells");
        let batch = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch")).expect("a batch");
        let sessions: Vec<Document> = batch
            .iter()
            .filter_map(|one| one.as_document()?.get_document("lsid").ok())
            .map(|lsid| doc! { "id": lsid.get("id").cloned().expect("it has one"), "uid": lsid.get("uid").cloned() })
            .collect();
        let pattern: Vec<Document> = sessions.iter().map(|one| doc! { "lsid": one.clone() }).collect();
        admin.run_command(doc! { "killAllSessionsByPattern": pattern }).await.expect("they can be ended");
        sessions.len()
    }
}

/// Name by which the server knows the connections of one test.
const CUT: &str = "mainstay-cut";

impl Script for Cut {
    fn next(&mut self, last: Option<Result<StepDone, StoreError>>) -> Step {
        if let Some(Err(error)) = last {
            panic!("{error:?}");
        }
        if self.steps == 1 && self.restarts == 0 {
            let admin = self.admin.clone().expect("there is somebody to ask");
            let ended = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(Cut::end_transactions(&admin, CUT))
            });
            assert_eq!(ended, 1, "the transaction is seen and ended");
        }
        if self.steps == 2 {
            return Step::Commit;
        }
        self.steps += 1;
        let row = format!("{}|1", self.steps);
        let plan = Write::Insert(insert(&self.schema, "plain", "id person", &[&row]));
        let plan = authorize::write(&self.schema, &Actor::System, plan).expect("the system may write");
        Step::Write { plan: Arc::new(plan), sink: Box::new(Nothing) }
    }

    fn restart(&mut self) {
        self.steps = 0;
        self.restarts += 1;
    }
}

/// A transaction that the server ended on the way begins anew, and happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_was_ended_begins_anew() {
    let url = support::url();
    let parameters = url.split_once('?').map(|(_, parameters)| parameters).unwrap_or_default();
    let place = url.split_once("/?").map(|(place, _)| place).unwrap_or_default();
    let options = MongoOptions::parse(&format!("{place}/case_{}_cut?{parameters}&appName={CUT}", std::process::id()));
    let shop = Shop::on(options.expect("a URL")).await;
    let other = mainstay_stores::mongo::Link::open(&support::fresh()).await.expect("the server answers");
    let admin = other.database().client().database("admin");
    let call = Call { schema: shop.schema.clone(), deadline: support::late() };
    let script = shop.store.transact(call, Box::new(Cut::new(&shop.schema, Some(admin)))).await.expect("it is done");
    let script: Box<dyn Any> = script;
    assert_eq!(script.downcast::<Cut>().expect("it comes back").restarts, 1);
    assert_eq!(support::all(shop.store.link(), "plain").await.len(), 2);
    shop.close().await;
}

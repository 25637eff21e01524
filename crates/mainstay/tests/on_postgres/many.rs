//! Thousands of tables that are read anew: requests go on meanwhile, all of them, with the tables as they were.
//!
//! Reading is held up by a lock on a catalog that it needs and that no request does, so that nothing is left to how fast a
//! machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::{Access, Isolation, Pool};

use crate::app::Database;
use crate::support::{Folder, Server};

const TABLES: &str = "DO $$ BEGIN FOR i IN 1..2000 LOOP
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text DEFAULT now()::text, up int REFERENCES t%s)', i, greatest(i - 1, 1));
    IF i % 100 = 0 THEN COMMIT; END IF;
  END LOOP; END $$";
const CHANGE: &str = "CREATE TABLE fresh (id int PRIMARY KEY); ALTER TABLE t1 ADD COLUMN b int; \
     ALTER TABLE t2 DROP COLUMN a; INSERT INTO t1 VALUES (1, 'x', NULL, 7); INSERT INTO t2 VALUES (2, 1)";
/// Longest wait for what a busy machine does at some time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the log has a line with this text; asks for something again and again meanwhile, as clients do.
fn is_told(server: &Server, text: &str) {
    let end = Instant::now() + PATIENCE;
    while !server.errors.try_iter().any(|line| line.contains(text)) {
        assert!(Instant::now() < end, "the log has no line with {text:?}");
        assert_eq!(server.get("/rest/v1/t3").status, 200);
    }
}

#[tokio::test]
async fn requests_go_on_while_thousands_of_tables_are_read() {
    let database = Database::new(TABLES).await;
    let folder = Folder::new();
    folder.write(".env", &format!("DATABASE_URL={}\n", database.url()));
    let run = folder.run(&["serve", "--set", "server.port=0", "--set", "limits.handler_time=600"]);
    let server = run.serves(&folder, "listening on");
    // The first look reads the tables once more.
    is_told(&server, "the tables were read");

    database.run(CHANGE).await;
    let pool = Pool::new(PostgresOptions::parse(&database.url()).unwrap()).unwrap();
    let mut hold = pool.session(Instant::now() + PATIENCE).await.unwrap();
    hold.begin(Access::Write, Isolation::ReadCommitted);
    hold.batch_execute("LOCK TABLE pg_description IN ACCESS EXCLUSIVE MODE").await.unwrap();
    is_told(&server, "reading the tables");

    // Who asks for what is not known, or for what is there no more, waits; nobody else does.
    let waiting = ["/rest/v1/fresh", "/rest/v1/t2", "/rest/v1/t1?select=b"].map(|path| {
        let client = server.client();
        thread::spawn(move || client.request("GET", path, ""))
    });
    for _ in 0..100 {
        let answer = server.get("/rest/v1/t1");
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"[{"id":1,"a":"x","up":null}]"#));
    }
    assert!(!waiting.iter().any(thread::JoinHandle::is_finished), "nobody could know the new tables");

    let (client, is_over) = (server.client(), Arc::new(AtomicBool::new(false)));
    let over = is_over.clone();
    let others = thread::spawn(move || {
        let mut statuses = Vec::new();
        while !over.load(Ordering::Acquire) {
            statuses.push(client.request("GET", "/rest/v1/t1?id=eq.1", "").status);
        }
        statuses
    });
    hold.rollback().await.unwrap();
    drop(hold);
    pool.close().await;
    let bodies = waiting.map(|thread| thread.join().unwrap()).map(|answer| (answer.status, answer.body));
    let expected = [(200, "[]"), (200, r#"[{"id":2,"up":1}]"#), (200, r#"[{"b":7}]"#)];
    assert_eq!(bodies, expected.map(|(status, body)| (status, body.to_owned())));
    is_told(&server, "the tables were read");
    is_over.store(true, Ordering::Release);
    let statuses = others.join().unwrap();
    assert!(!statuses.is_empty() && statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(server.get("/rest/v1/t1").body, r#"[{"id":1,"a":"x","up":null,"b":7}]"#);
    assert_eq!(server.terminate(), Some(0));
}

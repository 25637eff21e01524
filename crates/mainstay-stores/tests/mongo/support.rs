//! Where the server is, and databases of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mainstay_stores::MongoOptions;
use mainstay_stores::mongo::Link;

/// The server's URL; without it tests fail, since nobody should take what did not run for what passed.
pub(crate) fn url() -> String {
    let name = "MAINSTAY_TEST_MONGO_URL";
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no server; cargo xtask test starts one ({name} is not set)"))
}

/// A deadline that no test should meet.
pub(crate) fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A database that nobody else uses; it is there as soon as something is written.
pub(crate) fn fresh() -> MongoOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("case_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (place, parameters) =
        url().split_once("/?").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("it names no database");
    let mut options = MongoOptions::parse(&format!("{place}/{name}?{parameters}")).expect("the variable holds a URL");
    // Cases run side by side.
    options.limits.connections_max = 4;
    options
}

/// Drops the database of a link.
pub(crate) async fn drop_database(link: &Link) {
    link.database().drop().await.expect("our own database can be dropped");
}

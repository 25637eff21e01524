//! What the stores of database servers have in common, whatever the driver and the server's SQL.
//!
//! ```text
//! store.rs    all of it as a Store: attempts, scripts    pool.rs      connections, lent
//! engine.rs   what an engine brings for that             session.rs   transactions, and the end of their time
//! level.rs    rows of a level, and what belongs to them  count.rs     how many rows there are
//! write.rs    writes of several parts                    errors.rs    why a session could not do something
//! url.rs      what URLs of servers have in common         explain.rs   the statements of a write
//! ```
//!
//! An engine brings a [`Driver`], for connections, and an [`Engine`], for plans. Both are chosen by type: a request pays
//! for no dispatch. Where engines differ in substance (how rows are read and written, how tables change), each has its
//! own files.

pub(crate) mod count;
mod engine;
mod errors;
pub(crate) mod explain;
pub(crate) mod level;
mod pool;
mod session;
mod store;
pub(crate) mod url;
pub(crate) mod write;

pub use engine::{Affected, Counted, Engine, ErrorOf, Fault, SessionOf, WriteFault};
pub use errors::{DriverError, Failure};
pub(crate) use pool::{CANCEL_MAX, canceled};
pub use pool::{CONNECT_MAX, Driver, Lease, Options, Pool, PoolLimits, PoolStatus};
pub use session::{Access, Isolation, Transact};
pub(crate) use session::{Alarm, COMMIT_MAX};
pub use store::ServerStore;
pub use url::UrlError;

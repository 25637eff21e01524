//! Runs a request, whoever brought it: plan → authorize → split → store, in this order and by these names.
//!
//! Knows no HTTP, no SQL and no wire format. Called by `mainstay-http` and by the commands of the binary; everything
//! it decides is decided by the crates below.

mod call;
mod clock;
mod conceal;
mod context;
mod error;
mod explain;
mod faults;
mod guard;
mod note;
mod page;
mod run;
mod sequence;
mod slow;

pub use call::CallAnswer;
pub use clock::{Clock, SeededClock, SystemClock};
pub use context::{Context, Joined, RequestId, Stage, Stages};
pub use error::Error;
pub use explain::{Explained, Request};
pub use guard::{ExaminedLimits, TooHeavy};
pub use run::{Engine, ReadAnswer, SchemaSource, WriteAnswer};
pub use sequence::{Answer, Sequence, Turn};
pub use slow::{Report, SlowLog, SlowStatement};

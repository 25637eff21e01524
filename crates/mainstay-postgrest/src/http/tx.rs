//! How a transaction ends: what the settings say, and what a request prefers.

use mainstay_http::TxEnd;
use mainstay_query::parse::prefer;

/// Whether `Prefer: tx=` counts.
pub(super) fn allows_override(end: TxEnd) -> bool {
    matches!(end, TxEnd::CommitAllowOverride | TxEnd::RollbackAllowOverride)
}

/// Whether what was written is undone. The preference is `None` where it does not count.
pub(super) fn rolls_back(end: TxEnd, preferred: Option<prefer::TxEnd>) -> bool {
    match preferred {
        Some(prefer::TxEnd::Rollback) => true,
        Some(prefer::TxEnd::Commit) => false,
        None => matches!(end, TxEnd::Rollback | TxEnd::RollbackAllowOverride),
    }
}

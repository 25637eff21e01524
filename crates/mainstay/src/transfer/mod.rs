//! Rows in and out of a project in bulk: seeds, imports and exports.

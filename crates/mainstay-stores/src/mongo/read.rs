//! Carries out reads.

use mainstay_query::plan::Read;
use mainstay_store::{Call, RowSink, StoreError};

use super::link::{Link, View};
use super::{cells, names};

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Rows put into the sink.
    pub(super) rows: u64,
    /// Rows that pass the filter, if asked.
    pub(super) total: Option<u64>,
}

/// Reads the rows of a plan, all of it from one snapshot.
///
/// # Errors
/// Why it did not come to its end.
pub(super) async fn run(link: &Link, call: &Call, plan: &Read, sink: &mut dyn RowSink) -> Result<Counted, StoreError> {
    let mut session = link.session(call.deadline, View::Snapshot).await?;
    let table = call.schema.table(plan.table);
    let mut documents = session.aggregate(&table.name, Vec::new()).await?;
    let mut text = String::new();
    let mut rows = 0;
    while let Some(batch) = documents.next(&mut session).await? {
        for document in batch.documents()? {
            sink.start_row();
            for column in &table.columns {
                cells::cell(cells::field(document, names::field(table, column.id)), &column.ty, sink, &mut text);
            }
            sink.end_row();
            rows += 1;
        }
    }
    Ok(Counted { rows, total: None })
}

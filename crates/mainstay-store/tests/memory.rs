//! The reference store passes the suite that it is the reference of.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::{MemoryStore, Store};

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    Arc::new(MemoryStore::with_schema(schema))
}

mainstay_store::conformance!(open);

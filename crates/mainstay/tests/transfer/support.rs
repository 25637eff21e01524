//! A small project in memory and the calls that the tests make.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mainstay::transfer::{
    ExportRequest, Exported, ImportRequest, Imported, OnConflict, Silent, Target, TransferError, export, import,
};
use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::Store;
use mainstay_store::memory::MemoryStore;
use tempfile::TempDir;

/// Items, and sales that refer to them.
pub(crate) const SHOP: &str = r#"
[items.fields]
id    = { type = "int", primary = true }
title = { type = "text", max = 20 }
price = { type = "decimal(8,2)", min = 0, default = "1.50" }
note  = { type = "text", optional = true }
made  = { type = "timestamp", default = "now" }

[sales.fields]
id    = { type = "bigint", primary = true, default = "sequence" }
item  = { ref = "items" }
count = { type = "int", min = 1 }
"#;

pub(crate) struct World {
    pub(crate) schema: Arc<Schema>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new(schema: &str) -> World {
        let schema = schema_of(schema);
        let store = Arc::new(MemoryStore::with_schema(schema.clone()));
        World { schema, store, folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a file of the world, compressed if its name says so.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        if name.ends_with(".gz") {
            let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            out.finish().unwrap();
        } else {
            let mut file = file;
            file.write_all(text.as_bytes()).unwrap();
        }
        path
    }

    pub(crate) async fn import(&self, request: &ImportRequest) -> Result<Imported, TransferError> {
        import(&*self.store, &self.schema, request, &mut Silent).await
    }

    pub(crate) async fn export(&self, table: &str, query: &str, name: &str) -> Result<Exported, TransferError> {
        let target = Target::File { path: self.folder.path().join(name), replace: true };
        let request = ExportRequest { table: table.to_owned(), format: None, query: query.to_owned(), target };
        export(&*self.store, &self.schema, &request).await
    }

    /// The rows of a table as CSV without its header.
    pub(crate) async fn rows(&self, table: &str, query: &str) -> String {
        self.export(table, query, "rows.csv").await.unwrap();
        let text = std::fs::read_to_string(self.folder.path().join("rows.csv")).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    }
}

pub(crate) fn schema_of(text: &str) -> Arc<Schema> {
    let file = SourceFile { path: "schema/test.toml".into(), text: text.to_owned() };
    Arc::new(load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}")))
}

pub(crate) fn request(table: &str, file: &Path) -> ImportRequest {
    ImportRequest {
        table: table.to_owned(),
        file: file.to_owned(),
        format: None,
        batch_records: 4,
        on_conflict: OnConflict::Fail,
        map: Vec::new(),
        dry_run: false,
        restart: false,
        bad_file: None,
        bad_max: 1000,
    }
}

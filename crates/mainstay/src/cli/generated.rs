//! Files in the repository that are made from the code, for tests that hold them to it.

use std::path::Path;

/// Fails when the file at `path` in the repository is not `text`; writes it when `UPDATE_EXPECT` is set.
#[track_caller]
pub(crate) fn check(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "{path} is not what the code gives; run the tests with UPDATE_EXPECT=1 and look at it");
}

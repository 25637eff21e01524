#![no_main]
//! Schema files: a text becomes a schema or a list of mistakes, each at a place in the text.

use libfuzzer_sys::fuzz_target;
use mainstay_schema::diff::diff;
use mainstay_schema::load::{SourceFile, load};

fuzz_target!(|text: &str| {
    let file = SourceFile { path: "schema/a.toml".into(), text: text.to_owned() };
    match load(&[file]) {
        Ok(schema) => assert!(diff(&schema, &schema).is_empty(), "a schema does not differ from itself"),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(!mistake.to_string().is_empty());
            }
        }
    }
});

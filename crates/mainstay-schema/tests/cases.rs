//! Text in, text out: the files under `tests/cases` hold inputs and what comes of them.
//!
//! `UPDATE_EXPECT=1 cargo test -p mainstay-schema --test cases` rewrites what is expected; read the difference before
//! it is committed.

use std::path::Path;

use mainstay_schema::diff::diff;
use mainstay_schema::load::{SourceFile, load};

/// Runs each case of a file, `=== name`, input, `---`, expected output, and compares.
fn check(file: &str, run: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(file);
    let text = std::fs::read_to_string(&path).expect("the file of cases is there");
    let mut rewritten = Vec::new();
    let mut different = Vec::new();
    for case in text.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').expect("a name, then the case");
        let (input, expected) = rest.split_once("\n---\n").expect("an input, then what comes of it");
        let output = run(input);
        if output.trim() != expected.trim() {
            different.push(format!("{name}\n  expected:\n{}\n  found:\n{}", expected.trim(), output.trim()));
        }
        rewritten.push(format!("=== {name}\n{input}\n---\n{}\n", output.trim()));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, rewritten.join("\n")).expect("the file of cases can be written");
    } else {
        assert!(different.is_empty(), "{file}: {}", different.join("\n\n"));
    }
}

fn source(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.to_owned() }
}

#[test]
fn every_mistake_is_found_at_its_place() {
    check("mistakes.txt", |input| {
        let mistakes = load(&[source("a.toml", input)]).expect_err("every case is a mistake");
        mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
    });
}

#[test]
fn plans_from_one_schema_to_another() {
    let read = |text: &str| load(&[source("a.toml", text)]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    check("diff.txt", |input| {
        let (old, new) = input.split_once("---8<---").expect("two schemas");
        let steps = diff(&read(old), &read(new)).steps;
        let line = |step: &mainstay_schema::diff::Step| match &step.loss {
            Some(loss) => format!("{step}\n  ! {loss}\n"),
            None => format!("{step}\n"),
        };
        steps.iter().map(line).collect()
    });
}

//! Rules for one file by itself: length, module documentation, where SQL is written, what must not be in any file.

use std::sync::LazyLock;

use regex::Regex;

use super::{File, Findings};

/// A file longer than this holds a second idea.
const LINES_MAX: usize = 600;

/// Checks one tracked file.
pub(super) fn check(file: &File, findings: &mut Findings) {
    let is_lock = file.path.ends_with(".lock") || file.path.ends_with("package-lock.json");
    if file.path.ends_with(".rs") {
        length(file, findings);
        module_documentation(file, findings);
        sql_outside_the_stores(file, findings);
    }
    if file.path.ends_with("Cargo.toml") && file.path.contains('/') {
        versions_at_the_root(file, findings);
    }
    if is_lock {
        lock_files_name_no_host(file, findings);
    }
    machine_paths(file, findings);
}

fn length(file: &File, findings: &mut Findings) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        findings.add(&file.path, LINES_MAX, format_args!("{lines} lines; look for the second idea in it"));
    }
}

fn module_documentation(file: &File, findings: &mut Findings) {
    // Tests in a file of their own belong to the module beside them, which says what it is.
    if file.path.ends_with("/tests.rs") {
        return;
    }
    // Attributes of the whole crate may stand above its documentation.
    let first = file.text.lines().find(|line| !line.starts_with("#![") && !line.trim().is_empty());
    if !first.is_some_and(|line| line.starts_with("//!")) {
        findings.add(&file.path, 1, "a module opens with `//!`: what it is, what it does not know, who calls it");
    }
}

/// SQL is put together in `mainstay-stores` and `mainstay-postgrest` alone, where names are quoted and values are bound.
/// Tests in their own folder may say what they like to a database.
fn sql_outside_the_stores(file: &File, findings: &mut Findings) {
    static BUILT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r#"(?s)\b(?:format|format_args|write|writeln|concat)!\(\s*(?:[\w.&*]+\s*,\s*)?r?#*"(?:[^"\\]|\\.)*?"#,
            r"\b(?:SELECT\s.+?\sFROM|INSERT INTO|UPDATE\s.+?\sSET|DELETE FROM|CREATE (?:TABLE|INDEX|UNIQUE|VIEW)|ALTER TABLE",
            r"|DROP (?:TABLE|INDEX|VIEW)|PRAGMA)\b",
        ))
        .expect("the pattern is written right")
    });
    let is_shipped = file.path.starts_with("crates/") && file.path.contains("/src/");
    let may = ["crates/mainstay-stores/", "crates/mainstay-postgrest/"];
    if !is_shipped || may.iter().any(|folder| file.path.starts_with(folder)) {
        return;
    }
    for found in BUILT.find_iter(&file.text) {
        // A macro call that ends before the words belongs to another string.
        if !found.as_str().contains(");\n") {
            findings.add(&file.path, line_of(&file.text, found.start()), "SQL is put together outside mainstay-stores");
        }
    }
}

fn versions_at_the_root(file: &File, findings: &mut Findings) {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)^[\w-]+ = (?:"[\^=~\d]|\{[^}\n]*\bversion = ")"#).expect("the pattern is written right")
    });
    if file.path.starts_with("fuzz/") {
        return;
    }
    for found in VERSION.find_iter(&file.text) {
        findings.add(
            &file.path,
            line_of(&file.text, found.start()),
            "versions of dependencies stand in the root manifest",
        );
    }
}

/// Lock files hold names, versions and checksums; where a package is fetched from is the reader's own setting.
fn lock_files_name_no_host(file: &File, findings: &mut Findings) {
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("\"resolved\"") {
            findings.add(&file.path, index + 1, "a lock file names the host that a package came from");
        }
    }
}

/// A path of somebody's own machine works on no other.
fn machine_paths(file: &File, findings: &mut Findings) {
    static PATH: LazyLock<Regex> = LazyLock::new(|| {
        // In two parts, so that the rule does not find itself.
        Regex::new(concat!(r"(?:^|[\s", "\"'`(=:])/(?:ro", r"ot|wo", r"rk)/\w")).expect("the pattern is written right")
    });
    for (index, line) in file.text.lines().enumerate() {
        if PATH.is_match(line) {
            findings.add(&file.path, index + 1, "a path of one machine");
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&File { path: path.into(), text: text.into() }, &mut findings);
        findings.0
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "//! Doc.\n".repeat(LINES_MAX);
        assert!(found("crates/a/src/lib.rs", &text).is_empty());
        assert_eq!(found("crates/a/src/lib.rs", &format!("{text}\n")).len(), 1);
    }

    #[test]
    fn a_module_without_documentation_is_found() {
        assert!(found("crates/a/src/lib.rs", "#![no_std]\n//! Doc.\n").is_empty());
        assert_eq!(found("crates/a/src/lib.rs", "fn main() {}\n").len(), 1);
    }

    #[test]
    fn sql_is_built_in_the_stores_only() {
        let built = "//! Doc.\nlet sql = format!(\"SELECT {columns} FROM {table}\");\n";
        assert_eq!(found("crates/mainstay-http/src/lib.rs", built).len(), 1);
        assert!(found("crates/mainstay-stores/src/sqlite/read.rs", built).is_empty());
        let told = "//! Doc.\nlet text = format!(\"please select {table} from the list\");\n";
        assert!(found("crates/mainstay-http/src/lib.rs", told).is_empty());
    }

    #[test]
    fn versions_stand_in_the_root_manifest() {
        assert!(found("crates/a/Cargo.toml", "[dependencies]\nserde.workspace = true\n").is_empty());
        assert_eq!(found("crates/a/Cargo.toml", "[dependencies]\nserde = \"1\"\n").len(), 1);
        assert_eq!(found("crates/a/Cargo.toml", "serde = { version = \"1\" }\n").len(), 1);
        assert!(found("Cargo.toml", "serde = \"1\"\n").is_empty());
    }

    #[test]
    fn lock_files_and_machine_paths_are_looked_at() {
        assert_eq!(found("e2e/js/package-lock.json", "  \"resolved\": \"somewhere\"\n").len(), 1);
        assert_eq!(found("README.md", &format!("see /{}/x for it\n", "root")).len(), 1);
        assert!(found("README.md", "see ./root/x and docs/work/x\n").is_empty());
    }
}

//! Runs the examples of the guide against the real executable: what `docs/*.md` and the README show is what happens.
//!
//! * ```` ```console ```` : lines after `$ ` run in a fresh folder, kept for the whole page; the rest is their output.
//! * ```` ```http ```` : a request to `mainstay serve examples/shop`; the next such block, if it begins with `HTTP/1.1`,
//!   is the answer: its status, the headers it lists, and its body.
//! * ```` ```sql ```` : begins with `-- queries/NAME.sql` and is that file of `examples/shop`.
//! * ```` ```toml ```` : begins with `# schema/NAME.toml` or `# mainstay.toml` and must be accepted as that file.
//!
//! `…` stands for any text on its line. `UPDATE_EXPECT=1` rewrites answers and outputs; read the difference.

mod blocks;
mod console;
mod requests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use blocks::{Block, Page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).expect("docs/").map(|entry| entry.expect("entry").path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// The right to write pages anew, where that is asked for. One test has it at a time: two would each write a page without
/// what the other has just written into it.
fn rewriting() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    let is_asked = std::env::var_os("UPDATE_EXPECT").is_some();
    is_asked.then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn check_pages(what: &str, mut run: impl FnMut(&mut Page) -> Vec<String>) {
    let rewriting = rewriting();
    let mut wrong = Vec::new();
    let mut blocks_run = 0;
    for path in pages() {
        let mut page = Page::read(&path);
        blocks_run += page.blocks.iter().filter(|block| block.language == what).count();
        wrong.extend(run(&mut page));
        if rewriting.is_some() {
            page.write();
        }
    }
    assert!(wrong.is_empty(), "{} examples differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(blocks_run > 0, "no {what} example was found: the guide has lost them, or this test has");
}

#[test]
fn requests_of_the_guide_get_the_answers_shown() {
    check_pages("http", requests::run);
}

#[test]
fn commands_of_the_guide_print_what_is_shown() {
    check_pages("console", console::run);
}

#[test]
fn project_files_of_the_guide_are_accepted() {
    check_pages("toml", |page| {
        let files = page.blocks.iter().filter(|block| block.language == "toml");
        files.filter_map(|block| accept(block).err()).collect()
    });
}

#[test]
fn functions_of_the_guide_are_those_of_the_example() {
    check_pages("sql", |page| {
        let files = page.blocks.iter().filter(|block| block.language == "sql");
        files.filter_map(|block| is_of_example(block).err()).collect()
    });
}

/// The example is served by these tests, so its files are known to be good.
fn is_of_example(block: &Block) -> Result<(), String> {
    let named = block.text.strip_prefix("-- ").and_then(|text| text.split_once('\n'));
    let Some((name, text)) = named.filter(|(name, _)| name.starts_with("queries/")) else {
        return Err(format!("{}: an sql block must begin with `-- queries/NAME.sql`", block.place));
    };
    let file = std::fs::read_to_string(root().join("examples/shop").join(name));
    let file = file.map_err(|error| format!("{}: {name}: {error}", block.place))?;
    if file.trim() == text.trim() { Ok(()) } else { Err(format!("{}: differs from {name}", block.place)) }
}

#[test]
fn every_code_is_in_the_guide() {
    let rewriting = rewriting();
    let path = root().join("docs/limits-and-errors.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once("<!-- codes -->\n").expect("the mark where the table begins");
    let (table, after) = rest.split_once("<!-- /codes -->").expect("the mark where it ends");
    let line = |code: &&mainstay_http::Code| format!("| {} | {} | {} |\n", code.status, code.name, code.when);
    let expected = format!(
        "| status | code | when |\n| --- | --- | --- |\n{}",
        mainstay_http::CODES.iter().map(line).collect::<String>()
    );
    if rewriting.is_some() {
        std::fs::write(&path, format!("{before}<!-- codes -->\n{expected}<!-- /codes -->{after}"))
            .expect("a written page");
    }
    assert_eq!(table, expected, "UPDATE_EXPECT=1 writes the table anew");
}

/// `mainstay doctor` would be stricter than a fragment can be: only the file's own mistakes count here.
fn accept(block: &Block) -> Result<(), String> {
    let name = block.text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default().trim();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let schema = folder.path().join("schema");
    std::fs::create_dir_all(&schema).map_err(|error| error.to_string())?;
    let is_known = name == "mainstay.toml" || (name.starts_with("schema/") && name.ends_with(".toml"));
    if !is_known {
        return Err(format!("{}: a toml block must begin with `# mainstay.toml` or `# schema/NAME.toml`", block.place));
    }
    if name != "mainstay.toml" {
        std::fs::write(folder.path().join("mainstay.toml"), "").map_err(|error| error.to_string())?;
    }
    std::fs::write(folder.path().join(name), &block.text).map_err(|error| error.to_string())?;
    let output =
        console::mainstay(folder.path()).args(["migrate", "plan"]).output().map_err(|error| error.to_string())?;
    if output.status.code() == Some(2) {
        return Err(format!("{}: {}", block.place, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(())
}

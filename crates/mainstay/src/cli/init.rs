//! `mainstay init [DIR]`: a new project folder with a small example that runs as it is, or over a database that is there.

mod found;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::{Failure, Folder, Globals};
use crate::cli::init::found::Found;
use crate::project::{self, MIGRATIONS_FOLDER, QUERIES_FOLDER, SCHEMA_FOLDER, SEED_FOLDER, SETTINGS_FILE};

/// Arguments of `mainstay init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mainstay init shop && mainstay dev shop
  mainstay init music --from chinook.db    # an API over a database that another program made
  mainstay init music --from postgres://me@localhost/chinook")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Serve this database of another program as it is: a SQLite file, or the URL of a PostgreSQL, MySQL, MariaDB or
    /// MongoDB server. It is read, and nothing in it is changed
    #[arg(long, value_name = "FILE|URL")]
    from: Option<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let folder = &args.folder.folder;
    if globals.store.is_some() {
        return Err(Failure::Usage("a new project takes a database by --from FILE or --from URL".to_owned()));
    }
    let found = args.from.as_deref().map(|from| Found::look_at(from, folder)).transpose()?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let name = project::folder_name(folder);
    let files = found.as_ref().map_or_else(|| files(&name), |found| found.files(&name));
    // Looked at before anything is written, so that a refusal leaves the folder as it was.
    let present: Vec<&str> =
        files.iter().map(|file| file.path.as_str()).filter(|path| is_there(folder, path)).collect();
    if !present.is_empty() {
        let problem = format!("{} already has {}", folder.display(), present.join(", "));
        return Err(Failure::Usage(format!("{problem}; name another folder, or remove what is there")));
    }
    for file in &files {
        write_new(folder, file).with_context(|| format!("cannot write {}", folder.join(&file.path).display()))?;
    }
    ignore_state(folder).context("cannot write .gitignore")?;
    report(folder, &name, &files, found.as_ref(), globals);
    Ok(())
}

struct NewFile {
    /// Relative to the project folder.
    path: String,
    text: String,
}

fn files(name: &str) -> Vec<NewFile> {
    let file = |path: String, text: String| NewFile { path, text };
    let quoted = toml_edit::Value::from(name).to_string();
    vec![
        file(SETTINGS_FILE.to_owned(), include_str!("init/mainstay.toml").replace("\"NAME\"", quoted.trim())),
        file(format!("{SCHEMA_FOLDER}/{}.toml", slug(name)), include_str!("init/schema.toml").to_owned()),
        file(format!("{QUERIES_FOLDER}/progress.sql"), include_str!("init/progress.sql").to_owned()),
        file(format!("{SEED_FOLDER}/lists.csv"), include_str!("init/lists.csv").to_owned()),
        file(format!("{SEED_FOLDER}/tasks.csv"), include_str!("init/tasks.csv").to_owned()),
        // Version control keeps no empty folders.
        file(format!("{MIGRATIONS_FOLDER}/.gitkeep"), String::new()),
    ]
}

/// A file name that every system takes.
fn slug(name: &str) -> String {
    let slug: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let slug = slug.trim_matches('_');
    if slug.is_empty() { "tables".to_owned() } else { slug.to_owned() }
}

fn is_there(folder: &Path, path: &str) -> bool {
    folder.join(path).exists()
}

fn write_new(folder: &Path, file: &NewFile) -> std::io::Result<()> {
    let path = folder.join(&file.path);
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(file.text.as_bytes())
}

/// Keeps state and secrets out of version control. A `.gitignore` that is there already is added to.
fn ignore_state(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(".gitignore");
    let mut text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for entry in ["/.mainstay/", "/.env"] {
        if !text.lines().any(|line| line.trim() == entry) {
            text.push_str(entry);
            text.push('\n');
        }
    }
    fs::write(path, text)
}

fn report(folder: &Path, name: &str, files: &[NewFile], found: Option<&Found>, globals: &Globals) {
    let console = globals.console();
    if console.json {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).chain([".gitignore"]).collect();
        let found = found.map(Found::counts);
        console.value(&serde_json::json!({ "name": name, "folder": folder, "files": paths, "found": found }));
        return;
    }
    console.line(format!("Made the project {name}:"));
    for file in files.iter().filter(|file| !file.text.is_empty()) {
        console.line(format!("  {}", folder.join(&file.path).display()));
    }
    if let Some(found) = found {
        console.line(found.words());
    }
    let argument = if folder == Path::new(".") { String::new() } else { format!(" {}", shell_word(folder)) };
    console.line(format!("\nNext: mainstay dev{argument}"));
}

/// The folder as a person would type it in a shell.
fn shell_word(folder: &Path) -> String {
    let text = folder.to_string_lossy();
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "/._-~".contains(c));
    if is_plain { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_become_file_names() {
        for (name, expected) in [("shop", "shop"), ("My Shop!", "my_shop"), ("läden", "l_den"), ("—", "tables")] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn the_next_step_can_be_pasted_into_a_shell() {
        for (folder, expected) in [("shop", "shop"), ("/tmp/a b", "'/tmp/a b'"), ("it's", r"'it'\''s'")] {
            assert_eq!(shell_word(Path::new(folder)), expected);
        }
    }
}

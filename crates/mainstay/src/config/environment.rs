//! The environment of the process, and the `.env` file of the project behind it.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_schema::Mistake;

/// Name of the file with environment variables of the project.
const FILE: &str = ".env";

/// Environment variables, each with where it came from.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, (String, usize)>,
}

/// A variable that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable<'a> {
    pub(super) value: &'a str,
    /// Line in `.env`; `None` when the process itself has it.
    pub(super) line: Option<usize>,
}

impl Environment {
    /// The variables of this process, and those of `.env` in `folder`.
    ///
    /// # Errors
    /// Every line of `.env` that is no assignment.
    pub fn of_process(folder: &Path) -> Result<Environment, Vec<Mistake>> {
        // Names and values that are not Unicode cannot be ours.
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let text = match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let problem = format!("the file cannot be read ({error})");
                return Err(vec![mistake(1, 1, problem, "make it a readable text file, or remove it")]);
            }
        };
        Environment::new(process, &text)
    }

    /// These variables of a process, and those that the text of a `.env` file assigns.
    ///
    /// # Errors
    /// Every line of the text that is no assignment.
    pub fn new(process: BTreeMap<String, String>, text: &str) -> Result<Environment, Vec<Mistake>> {
        let mut file = BTreeMap::new();
        let mut mistakes = Vec::new();
        for (index, line) in text.lines().enumerate() {
            match assignment(line) {
                Ok(Some((name, value))) => {
                    file.insert(name.to_owned(), (value, index + 1));
                }
                Ok(None) => {}
                Err((column, problem)) => {
                    mistakes.push(mistake(index + 1, column, problem.to_owned(), "write NAME=value"));
                }
            }
        }
        if mistakes.is_empty() { Ok(Environment { process, file }) } else { Err(mistakes) }
    }

    /// The value of a variable, of the process before that of `.env`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.find(name).map(|variable| variable.value)
    }

    pub(super) fn find(&self, name: &str) -> Option<Variable<'_>> {
        let process = self.process.get(name).map(|value| Variable { value, line: None });
        process.or_else(|| self.file.get(name).map(|(value, line)| Variable { value, line: Some(*line) }))
    }

    /// Every name that begins with `prefix`.
    pub(super) fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.process.keys().chain(self.file.keys()).map(String::as_str).filter(move |name| name.starts_with(prefix))
    }
}

impl Variable<'_> {
    /// A mistake in the value of this variable.
    pub(super) fn mistake(&self, name: &str, problem: String, remedy: String) -> Mistake {
        match self.line {
            Some(line) => mistake(line, 1, problem, &remedy),
            None => Mistake { file: format!("${name}").into(), line: 1, column: 1, problem, remedy },
        }
    }
}

fn mistake(line: usize, column: usize, problem: String, remedy: &str) -> Mistake {
    Mistake { file: FILE.into(), line, column, problem, remedy: remedy.to_owned() }
}

/// Reads `NAME=value`, with or without `export` and quotes; nothing for a blank line or a comment.
fn assignment(line: &str) -> Result<Option<(&str, String)>, (usize, &'static str)> {
    let line = line.trim_end();
    let text = line.trim_start();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let start = line.chars().count() - text.chars().count() + 1;
    let text = text.strip_prefix("export ").map_or(text, str::trim_start);
    let (name, value) = text.split_once('=').ok_or((start, "this line assigns nothing"))?;
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err((start, "this is not the name of an environment variable"));
    }
    let column = line.chars().count() - value.trim_start().chars().count() + 1;
    let value = unquoted(value.trim()).ok_or((column, "the quote is not closed"))?;
    Ok(Some((name, value)))
}

/// The value without its quotes; single quotes keep everything, double quotes know `\n`, `\"` and `\\`, and a value
/// without quotes ends before ` #`.
fn unquoted(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (inner, after) = rest.split_once('\'')?;
        return is_rest_blank(after).then(|| inner.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.split_once(" #").map_or(value, |(value, _)| value).trim_end().to_owned());
    };
    let mut inner = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return is_rest_blank(characters.as_str()).then_some(inner),
            '\\' => match characters.next()? {
                'n' => inner.push('\n'),
                other => inner.push(other),
            },
            other => inner.push(other),
        }
    }
}

fn is_rest_blank(after: &str) -> bool {
    let after = after.trim_start();
    after.is_empty() || after.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &str)>) {
        let found = assignment(line).unwrap();
        assert_eq!(found.as_ref().map(|(name, value)| (*name, value.as_str())), expected, "{line:?}");
    }

    #[test]
    fn assignments_are_read_as_shells_write_them() {
        check("PORT=80", Some(("PORT", "80")));
        check("  export PORT = 80  # web", Some(("PORT", "80")));
        check("A='x # \"y\"'", Some(("A", "x # \"y\"")));
        check(r#"A="x\n\"y\"" # z"#, Some(("A", "x\n\"y\"")));
        check("A=", Some(("A", "")));
        check("URL=a#b", Some(("URL", "a#b")));
        check("", None);
        check("  # PORT=80", None);
    }

    #[test]
    fn lines_that_assign_nothing_are_told_with_their_place() {
        let mistakes = Environment::new(BTreeMap::new(), "A=1\n  B\n1C=2\nD=\"x\nE='y'z").unwrap_err();
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                ".env:2:3: this line assigns nothing; write NAME=value",
                ".env:3:1: this is not the name of an environment variable; write NAME=value",
                ".env:4:3: the quote is not closed; write NAME=value",
                ".env:5:3: the quote is not closed; write NAME=value",
            ]
        );
    }

    #[test]
    fn the_process_goes_before_the_file() {
        let process = BTreeMap::from([("A".to_owned(), "process".to_owned())]);
        let environment = Environment::new(process, "A=file\nB=file").unwrap();
        assert_eq!(environment.find("A").unwrap().value, "process");
        assert_eq!(environment.find("B").unwrap().value, "file");
        assert!(environment.find("C").is_none());
    }
}

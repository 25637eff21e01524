//! Where a command prints: results on stdout, everything said to a person about them on stderr.

use std::io::Write;

use serde::Serialize;

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// Whether results are for a program.
    pub json: bool,
}

impl Console {
    /// One line of a result, on stdout.
    pub fn line(&self, text: impl AsRef<str>) {
        // A reader that closed the pipe has what it wanted (`mainstay export t | head`): not an error of ours.
        let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
    }

    /// A whole result as JSON, on stdout.
    pub fn value(&self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).expect("our results are plain data with text keys");
        self.line(text);
    }

    /// A remark for the person, on stderr.
    pub fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// Why the command did not do what it was asked, on stderr.
    pub fn failure(&self, problems: &[String]) {
        if self.json {
            self.note(serde_json::json!({ "errors": problems }).to_string());
            return;
        }
        for problem in problems {
            self.note(problem);
        }
    }
}

//! PostgREST's configuration file as names and texts: `name = value` lines, quoted strings, comments, groups.
//!
//! Values are kept as texts, whatever they were written as: what a setting makes of its text is for `read.rs` to say,
//! and texts are all that the environment and the database have.

use super::Mistake;

/// Reads a file. `environment` answers for `$(NAME)` in strings.
///
/// # Errors
/// Every line that is no setting.
pub(super) fn parse(
    text: &str,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Vec<Mistake>> {
    let mut reader = Reader { rest: text, line: 1, environment, groups: Vec::new() };
    let (mut settings, mut mistakes) = (Vec::new(), Vec::new());
    loop {
        reader.blanks(true);
        if reader.rest.is_empty() {
            break;
        }
        let line = reader.line;
        match reader.entry() {
            Ok(Some(setting)) => settings.push(setting),
            Ok(None) => {}
            Err(what) => {
                mistakes.push(Mistake(format!("line {line} of the file: {what}")));
                reader.skip_line();
            }
        }
    }
    if !reader.groups.is_empty() {
        mistakes.push(Mistake(format!("the group {} of the file has no end", reader.groups.join("."))));
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

struct Reader<'t, F> {
    rest: &'t str,
    line: usize,
    environment: F,
    /// Names of the groups that are open.
    groups: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<'_, F> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Passes over blanks and comments, and over line ends where they mean nothing.
    fn blanks(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            match c {
                '\n' | '\r' if !lines => return,
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.next();
                    }
                }
                c if c.is_whitespace() || c == '\u{feff}' => drop(self.next()),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.next();
        }
    }

    fn take(&mut self, part: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    /// A setting, or the start or end of a group.
    fn entry(&mut self) -> Result<Option<(String, String)>, String> {
        if self.eat('}') {
            return self.groups.pop().map(|_| None).ok_or_else(|| "`}` without a group".to_owned());
        }
        let name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if name.is_empty() {
            return Err("write a name, `=` and a value".to_owned());
        }
        self.blanks(false);
        if self.eat('{') {
            self.groups.push(name);
            return Ok(None);
        }
        if !self.eat('=') {
            return Err(match name.as_str() {
                "import" => "files that import others are not taken; put the settings into one file".to_owned(),
                _ => format!("there is no `=` after {name}"),
            });
        }
        self.blanks(false);
        let value = self.value().map_err(|what| format!("the value of {name} {what}"))?;
        self.blanks(false);
        if !matches!(self.peek(), None | Some('\n' | '\r' | '}')) {
            return Err(format!("there is more after the value of {name}"));
        }
        let mut names = self.groups.clone();
        names.push(name);
        Ok(Some((names.join("."), value)))
    }

    fn value(&mut self) -> Result<String, &'static str> {
        match self.peek() {
            Some('"') => self.string(),
            Some('[') => self.list(),
            _ => {
                let word = self.take(|c| !c.is_whitespace() && !matches!(c, '#' | ',' | ']' | '}'));
                let is_number = word.parse::<f64>().is_ok();
                match word.as_str() {
                    "" => Err("is missing"),
                    "true" | "on" => Ok("true".to_owned()),
                    "false" | "off" => Ok("false".to_owned()),
                    _ if is_number => Ok(word),
                    _ => Err("needs quotes"),
                }
            }
        }
    }

    /// A list is the text that its elements are with commas between them.
    fn list(&mut self) -> Result<String, &'static str> {
        self.next();
        let mut items = Vec::new();
        loop {
            self.blanks(true);
            if self.eat(']') {
                return Ok(items.join(","));
            }
            items.push(self.value()?);
            self.blanks(true);
            if !self.eat(',') && self.peek() != Some(']') {
                return Err("is a list without its end");
            }
        }
    }

    fn string(&mut self) -> Result<String, &'static str> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next().ok_or("is a string without its end")? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                '$' if self.peek() == Some('(') => text.push_str(&self.variable()?),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        Ok(match self.next().ok_or("is a string without its end")? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'u' => {
                let digits: String = (0..4).filter_map(|_| self.next()).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                code.and_then(char::from_u32).ok_or("has a \\u that is no character")?
            }
            c @ ('"' | '\\') => c,
            _ => return Err("has an escape that is not known; a backslash is written \\\\"),
        })
    }

    /// `(NAME)` of the environment.
    fn variable(&mut self) -> Result<String, &'static str> {
        self.next();
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        if !self.eat(')') {
            return Err("has a $( without its end");
        }
        (self.environment)(&name).ok_or("names a variable that the environment does not have")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, Vec<Mistake>> {
        parse(text, |name| (name == "WHO").then(|| "ann".to_owned()))
    }

    #[test]
    fn names_and_values_in_all_their_forms() {
        let text = "# a comment\n db-uri = \"postgres://$(WHO)@h/d\" # more\nserver-port=3000\ndb-plan-enabled = true\n\
                    openapi-security-active = off\r\n\napp.settings.key = \"a\\\"b\\\\c$d # no comment\"\n\
                    db-schemas = [\"a\", \"b\"]\napp.settings {\n  x = \"1\"\n  y = 2 }\n";
        let expected = [
            ("db-uri", "postgres://ann@h/d"),
            ("server-port", "3000"),
            ("db-plan-enabled", "true"),
            ("openapi-security-active", "false"),
            ("app.settings.key", "a\"b\\c$d # no comment"),
            ("db-schemas", "a,b"),
            ("app.settings.x", "1"),
            ("app.settings.y", "2"),
        ];
        let found = read(text).unwrap();
        assert_eq!(found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_mistake_is_told_by_its_line_and_without_its_value() {
        let text =
            "db-uri = secret\n\n= 1\nimport \"x\"\nname\njwt-secret = \"sec\\qret\"\na = \"$(NO)\"\n}\nb = \"open";
        let told: Vec<String> = read(text).unwrap_err().into_iter().map(|mistake| mistake.0).collect();
        assert_eq!(
            told,
            [
                "line 1 of the file: the value of db-uri needs quotes",
                "line 3 of the file: write a name, `=` and a value",
                "line 4 of the file: files that import others are not taken; put the settings into one file",
                "line 5 of the file: there is no `=` after name",
                "line 6 of the file: the value of jwt-secret has an escape that is not known; a backslash is written \\\\",
                "line 7 of the file: the value of a names a variable that the environment does not have",
                "line 8 of the file: `}` without a group",
                "line 9 of the file: the value of b is a string without its end",
            ]
        );
    }
}

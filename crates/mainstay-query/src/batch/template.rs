//! Bodies with references in them: `{"$ref": "customer[0].id"}` stands for the value that it leads to, in the JSON
//! form that the value has, and `{"$literal": …}` for its content, in which nothing is a reference.

use serde_json::value::RawValue;

use super::reference::{Answers, Names, Reference, members};
use super::{DEPTH_MAX, wrong};
use crate::error::ParseError;

/// JSON source text with gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Value(Reference),
}

impl Template {
    /// Finds the references in a body.
    pub(super) fn read(json: &str, names: &mut Names) -> Result<Template, ParseError> {
        let mut template = Template { pieces: Vec::new() };
        // Most bodies have none, and need no look at their parts: both words begin with a character that can only be
        // written as itself or by an escape.
        if json.contains(['$', '\\']) {
            template.add(json, 0, names)?;
        } else {
            template.text(json);
        }
        Ok(template)
    }

    /// The body, with the values that its references lead to.
    ///
    /// # Errors
    /// [`ParseError`] if one leads to nothing, or the whole is larger than `bytes_max`.
    pub fn fill(&self, answers: &Answers, bytes_max: usize) -> Result<String, ParseError> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(reference) => {
                    let values = answers.values(reference)?;
                    if reference.is_list() {
                        out.push('[');
                        out.push_str(&values.join(","));
                        out.push(']');
                    } else {
                        out.push_str(values.first().map_or("null", String::as_str));
                    }
                }
            }
            if out.len() > bytes_max {
                let details = format!("With the values that it refers to, the body has more than {bytes_max} octets.");
                return Err(wrong("The body of a step is too large", details));
            }
        }
        Ok(out)
    }

    fn add(&mut self, json: &str, depth: usize, names: &mut Names) -> Result<(), ParseError> {
        if depth > DEPTH_MAX {
            return Err(wrong("A body is nested too deep", format!("More than {DEPTH_MAX} levels.")));
        }
        match json.trim_start().as_bytes().first() {
            Some(b'{') => self.object(json, depth, names),
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| broken(&error))?;
                self.text("[");
                for (position, element) in elements.into_iter().enumerate() {
                    if position > 0 {
                        self.text(",");
                    }
                    self.add(element.get(), depth + 1, names)?;
                }
                self.text("]");
                Ok(())
            }
            _ => {
                self.text(json);
                Ok(())
            }
        }
    }

    fn object(&mut self, json: &str, depth: usize, names: &mut Names) -> Result<(), ParseError> {
        let members = members(json).ok_or_else(|| wrong("A body does not parse", "An object is broken."))?;
        if let Some((name, value)) = members.iter().find(|(name, _)| name == "$ref" || name == "$literal") {
            if members.len() > 1 {
                let details =
                    format!("An object with \"{name}\" has no other members; put data into {{\"$literal\": …}}.");
                return Err(wrong("A reference does not parse", details));
            }
            if name == "$literal" {
                self.text(value.get());
                return Ok(());
            }
            let reference: String = serde_json::from_str(value.get())
                .map_err(|_| wrong("A reference does not parse", "\"$ref\" is followed by a text."))?;
            self.pieces.push(Piece::Value(Reference::read(&reference, names)?));
            return Ok(());
        }
        self.text("{");
        for (position, (name, value)) in members.into_iter().enumerate() {
            if position > 0 {
                self.text(",");
            }
            self.text(&serde_json::to_string(&name).map_err(|error| broken(&error))?);
            self.text(":");
            self.add(value.get(), depth + 1, names)?;
        }
        self.text("}");
        Ok(())
    }

    fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }
}

fn broken(error: &serde_json::Error) -> ParseError {
    wrong("A body does not parse", error.to_string())
}

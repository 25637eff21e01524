//! TOML values with their places, and the few typed ways in which schema files read them.

use toml::de::{DeTable, DeValue};

use super::source::{Located, Mistakes, Place, listed, near_or};

/// One TOML value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    /// The value.
    pub(super) value: &'a DeValue<'a>,
    /// Where it starts.
    pub(super) place: Place,
}

/// One member of a TOML table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// Its key.
    pub(super) key: &'a str,
    /// Where the key stands first.
    pub(super) key_place: Place,
    /// Its value.
    pub(super) node: Node<'a>,
}

/// The members of a TOML table in the order in which they were written.
pub(super) fn entries<'a>(file: usize, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref(),
            key_place: Place::new(file, &key.span()),
            node: Node { value: value.get_ref(), place: Place::new(file, &value.span()) },
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_place);
    entries
}

impl<'a> Entry<'a> {
    /// The text here.
    pub(super) fn text(&self, mistakes: &mut Mistakes) -> Option<Located<String>> {
        self.node.text_called(&format!("`{}`", self.key), mistakes)
    }

    /// The `true` or `false` here.
    pub(super) fn flag(&self, mistakes: &mut Mistakes) -> Option<bool> {
        if let DeValue::Boolean(flag) = self.node.value {
            return Some(*flag);
        }
        mistakes.add(
            self.node.place,
            format!("`{}` must be true or false, not {}", self.key, self.node.kind()),
            "write true or false, without quotes",
        );
        None
    }

    /// The members of the table here.
    pub(super) fn members(&self, example: &str, mistakes: &mut Mistakes) -> Option<Vec<Entry<'a>>> {
        if let DeValue::Table(table) = self.node.value {
            return Some(entries(self.node.place.file, table));
        }
        mistakes.add(
            self.node.place,
            format!("`{}` must be a table, not {}", self.key, self.node.kind()),
            format!("write {example}"),
        );
        None
    }

    /// The list of texts here, which must not be empty.
    pub(super) fn texts(&self, example: &str, mistakes: &mut Mistakes) -> Option<Vec<Located<String>>> {
        let DeValue::Array(items) = self.node.value else {
            mistakes.add(
                self.node.place,
                format!("`{}` must be a list, not {}", self.key, self.node.kind()),
                format!("write {example}"),
            );
            return None;
        };
        if items.is_empty() {
            mistakes.add(self.node.place, format!("`{}` is empty", self.key), format!("write {example}"));
            return None;
        }
        let file = self.node.place.file;
        let texts: Vec<_> = items
            .iter()
            .map(|item| {
                let item = Node { value: item.get_ref(), place: Place::new(file, &item.span()) };
                item.text_called(&format!("each item of `{}`", self.key), mistakes)
            })
            .collect();
        texts.into_iter().collect()
    }

    /// Notes that this key means nothing here.
    pub(super) fn unknown(&self, what: &str, keys: &[(&str, &str)], mistakes: &mut Mistakes) {
        let names = keys.iter().map(|(name, _)| *name);
        let remedy = near_or(self.key, names.clone(), || {
            format!("the keys of {what} are {}", listed(names.collect::<Vec<_>>()))
        });
        mistakes.add(self.key_place, format!("unknown key `{}` in {what}", self.key), remedy);
    }
}

impl Node<'_> {
    /// What kind of value this is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }

    fn text_called(&self, what: &str, mistakes: &mut Mistakes) -> Option<Located<String>> {
        let DeValue::String(text) = self.value else {
            let problem = format!("{what} must be text, not {}", self.kind());
            mistakes.add(self.place, problem, "put it in quotes");
            return None;
        };
        if text.contains('\0') {
            mistakes.add(self.place, format!("{what} must not contain the character NUL"), "leave it out");
            return None;
        }
        Some(Located { value: text.clone().into_owned(), place: self.place })
    }
}

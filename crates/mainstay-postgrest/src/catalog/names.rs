//! Names that are there many times, kept once.

use std::collections::HashSet;
use std::sync::Arc;

use super::Name;

/// Every text that was shared so far.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    /// The one copy of a text.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }

    /// A name with its schema.
    pub(super) fn name(&mut self, schema: &str, name: &str) -> Name {
        Name { schema: self.share(schema), name: self.share(name) }
    }
}

/// Texts as an array literal, each quoted.
pub(super) fn array(items: &[String]) -> String {
    let quoted = |item: &String| format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", items.iter().map(quoted).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_whole() {
        assert_eq!(array(&[]), "{}");
        assert_eq!(array(&["a,b".into(), "c\"\\".into()]), r#"{"a,b","c\"\\"}"#);
    }

    #[test]
    fn a_text_is_kept_once() {
        let mut names = Names::default();
        assert!(Arc::ptr_eq(&names.share("api"), &names.name("api", "t").schema));
    }
}

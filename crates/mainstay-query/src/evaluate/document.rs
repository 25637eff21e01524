//! Changes to JSON documents: merge patches (RFC 7396) and JSON patches (RFC 6902).
//!
//! Numbers keep their digits: a document is taken apart into its texts and never becomes numbers.

use std::collections::BTreeMap;

use mainstay_schema::value::{JSON_DEPTH_MAX, Json};
use serde_json::value::RawValue;

use super::assign::AssignError;
use crate::plan::{PatchOp, PatchStep};

/// Octets of memory of a document while it is patched: steps that copy could double it again and again.
const PATCHED_BYTES_MAX: usize = 16 << 20;

/// What is left of `document`, or of nothing, under a merge patch. Both are canonical, and so is the result.
pub(super) fn merge(document: Option<&str>, patch: &str) -> Result<String, AssignError> {
    let mut node = document.map_or(Node::Object(BTreeMap::new()), Node::read);
    node.merge(Node::read(patch));
    node.canonical()
}

/// The canonical `document` after these steps.
pub(super) fn patch(document: &str, steps: &[PatchStep]) -> Result<String, AssignError> {
    let mut node = Node::read(document);
    for (position, step) in steps.iter().enumerate() {
        node.step(step).map_err(|reason| {
            let place: String = step.path.iter().map(|segment| format!("/{}", escaped(segment))).collect();
            AssignError::Patch(format!("{reason} (operation {} on this column, at \"{place}\")", position + 1))
        })?;
    }
    node.canonical()
}

/// A segment as a JSON pointer writes it.
fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// A part of a document.
#[derive(Debug, Clone)]
enum Node {
    /// Its canonical text.
    Scalar(String),
    Array(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// Takes canonical text apart. Its depth is bounded by [`JSON_DEPTH_MAX`], as every document's that is kept.
    fn read(text: &str) -> Node {
        let scalar = || Node::Scalar(text.to_owned());
        match text.as_bytes().first() {
            Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(items) => Node::Array(items.iter().map(|item| Node::read(item.get())).collect()),
                Err(_) => scalar(),
            },
            Some(b'{') => match serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
                Ok(members) => {
                    Node::Object(members.into_iter().map(|(name, value)| (name, Node::read(value.get()))).collect())
                }
                Err(_) => scalar(),
            },
            _ => scalar(),
        }
    }

    /// The canonical text, unless it is too deep.
    fn canonical(&self) -> Result<String, AssignError> {
        if self.depth() > JSON_DEPTH_MAX {
            return Err(AssignError::Patch(format!("the document would be nested deeper than {JSON_DEPTH_MAX}")));
        }
        let mut text = String::new();
        self.write(&mut text);
        Ok(text)
    }

    fn depth(&self) -> usize {
        match self {
            Node::Scalar(_) => 0,
            Node::Array(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Node::Object(members) => 1 + members.values().map(Node::depth).max().unwrap_or(0),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Scalar(text) => out.push_str(text),
            Node::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                out.push('{');
                // The map is sorted by bytes, as the canonical form is.
                for (position, (name, value)) in members.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    out.push_str(Json::string(name).as_str());
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Octets of memory, about: a document of many small parts takes far more than its text.
    fn bytes(&self) -> usize {
        size_of::<Node>()
            + match self {
                Node::Scalar(text) => text.len(),
                Node::Array(items) => items.iter().map(Node::bytes).sum(),
                Node::Object(members) => {
                    members.iter().map(|(name, value)| size_of::<String>() + name.len() + value.bytes()).sum()
                }
            }
    }

    fn is_null(&self) -> bool {
        matches!(self, Node::Scalar(text) if text == "null")
    }

    fn merge(&mut self, patch: Node) {
        let Node::Object(changes) = patch else {
            *self = patch;
            return;
        };
        if !matches!(self, Node::Object(_)) {
            *self = Node::Object(BTreeMap::new());
        }
        let Node::Object(members) = self else { return };
        for (name, change) in changes {
            if change.is_null() {
                members.remove(&name);
            } else {
                members.entry(name).or_insert_with(|| Node::Object(BTreeMap::new())).merge(change);
            }
        }
    }

    fn step(&mut self, step: &PatchStep) -> Result<(), String> {
        match &step.op {
            PatchOp::Add(value) => self.add(&step.path, Node::read(value.as_str())),
            PatchOp::Remove => self.remove(&step.path).map(|_| ()),
            PatchOp::Replace(value) => {
                *self.find(&step.path)? = Node::read(value.as_str());
                Ok(())
            }
            PatchOp::Move(from) => {
                if step.path.len() > from.len() && step.path.starts_with(from) {
                    return Err("nothing can be moved into itself".to_owned());
                }
                let part = self.remove(from)?;
                self.add(&step.path, part)
            }
            PatchOp::Copy(from) => {
                let part = self.find(from)?.clone();
                if self.bytes() + part.bytes() > PATCHED_BYTES_MAX {
                    return Err("the document would become too large".to_owned());
                }
                self.add(&step.path, part)
            }
            PatchOp::Test(value) => {
                let mut found = String::new();
                self.find(&step.path)?.write(&mut found);
                if Json::is_same_value(&found, value.as_str()) { Ok(()) } else { Err("the test failed".to_owned()) }
            }
        }
    }

    /// The part at a place, which must be there.
    fn find(&mut self, path: &[String]) -> Result<&mut Node, String> {
        let mut node = self;
        for segment in path {
            node = match node {
                Node::Object(members) => members.get_mut(segment),
                Node::Array(items) => position(segment).and_then(|at| items.get_mut(at)),
                Node::Scalar(_) => None,
            }
            .ok_or_else(missing)?;
        }
        Ok(node)
    }

    fn add(&mut self, path: &[String], value: Node) -> Result<(), String> {
        let Some((last, parents)) = path.split_last() else {
            *self = value;
            return Ok(());
        };
        match self.find(parents)? {
            Node::Object(members) => {
                members.insert(last.clone(), value);
            }
            Node::Array(items) => {
                let at = if last == "-" { Some(items.len()) } else { position(last) };
                let at = at.filter(|at| *at <= items.len()).ok_or_else(missing)?;
                items.insert(at, value);
            }
            Node::Scalar(_) => return Err(missing()),
        }
        Ok(())
    }

    fn remove(&mut self, path: &[String]) -> Result<Node, String> {
        let Some((last, parents)) = path.split_last() else {
            return Ok(std::mem::replace(self, Node::Scalar("null".to_owned())));
        };
        match self.find(parents)? {
            Node::Object(members) => members.remove(last),
            Node::Array(items) => position(last).filter(|at| *at < items.len()).map(|at| items.remove(at)),
            Node::Scalar(_) => None,
        }
        .ok_or_else(missing)
    }
}

fn missing() -> String {
    "nothing is there".to_owned()
}

/// An index as a JSON pointer writes it: digits without a leading zero.
fn position(segment: &str) -> Option<usize> {
    let is_plain = segment == "0" || (!segment.starts_with('0') && segment.bytes().all(|b| b.is_ascii_digit()));
    if is_plain { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_patches_as_in_the_appendix_of_the_rfc() {
        for (document, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"n":1.50}"#, r#"{"m":9007199254740993.10}"#, r#"{"m":9007199254740993.10,"n":1.50}"#),
        ] {
            assert_eq!(merge(Some(document), patch).as_deref(), Ok(expected), "{document} {patch}");
        }
    }

    fn run(document: &str, steps: &[(&str, PatchOp)]) -> Result<String, String> {
        let steps: Vec<PatchStep> =
            steps.iter().map(|(path, op)| PatchStep { path: segments(path), op: op.clone() }).collect();
        patch(document, &steps).map_err(|error| match error {
            AssignError::Patch(reason) => reason,
            other => panic!("{other:?}"),
        })
    }

    fn segments(path: &str) -> Vec<String> {
        path.split('/').skip(1).map(str::to_owned).collect()
    }

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn steps_of_a_patch() {
        let document = r#"{"a":[1,2],"b":{"c":"x"}}"#;
        for (path, op, expected) in [
            ("/a/1", PatchOp::Add(json("9")), r#"{"a":[1,9,2],"b":{"c":"x"}}"#),
            ("/a/-", PatchOp::Add(json("9")), r#"{"a":[1,2,9],"b":{"c":"x"}}"#),
            ("/d", PatchOp::Add(json("9")), r#"{"a":[1,2],"b":{"c":"x"},"d":9}"#),
            ("/a/0", PatchOp::Remove, r#"{"a":[2],"b":{"c":"x"}}"#),
            ("/b/c", PatchOp::Replace(json("null")), r#"{"a":[1,2],"b":{"c":null}}"#),
            ("/b", PatchOp::Move(segments("/a")), r#"{"b":[1,2]}"#),
            ("/b/c", PatchOp::Copy(segments("/a/0")), r#"{"a":[1,2],"b":{"c":1}}"#),
            ("/a/0", PatchOp::Test(json("1.0")), document),
            ("/b", PatchOp::Test(json(r#"{"c":"x"}"#)), document),
            ("", PatchOp::Replace(json("5")), "5"),
        ] {
            assert_eq!(run(document, &[(path, op.clone())]).as_deref(), Ok(expected), "{path} {op:?}");
        }
    }

    #[test]
    fn steps_that_do_not_apply_are_told() {
        let document = r#"{"a":[1,2],"b":{"c":"x"}}"#;
        for (path, op) in [
            ("/a/3", PatchOp::Add(json("9"))),
            ("/a/01", PatchOp::Add(json("9"))),
            ("/a/x", PatchOp::Remove),
            ("/a/-", PatchOp::Remove),
            ("/a/2", PatchOp::Replace(json("9"))),
            ("/nope/x", PatchOp::Add(json("9"))),
            ("/b/c/d", PatchOp::Add(json("9"))),
            ("/d", PatchOp::Remove),
            ("/a/0", PatchOp::Test(json("2"))),
            ("/b/c", PatchOp::Move(segments("/b"))),
            ("/b", PatchOp::Copy(segments("/nope"))),
        ] {
            assert!(run(document, &[(path, op.clone())]).is_err(), "{path} {op:?}");
        }
        let reason = run(document, &[("/a/0", PatchOp::Remove), ("/a/0", PatchOp::Test(json("1")))]).unwrap_err();
        assert_eq!(reason, "the test failed (operation 2 on this column, at \"/a/0\")");
    }

    #[test]
    fn a_document_cannot_be_grown_without_end() {
        let twice = ("/-", PatchOp::Copy(Vec::new()));
        let wide = format!("[\"{}\"]", "x".repeat(1 << 20));
        assert!(run(&wide, &[twice.clone(), twice.clone()]).is_ok());
        assert!(run(&wide, &vec![twice.clone(); 30]).is_err());
        assert!(run("[1]", &vec![twice; 30]).is_err());
    }
}

//! One field of a table, as TOML, to what it declares.

use toml::de::DeValue;

use super::declared::{DeclaredField, DeclaredType};
use super::node::Entry;
use super::source::{Located, Mistakes, near_or};
use super::types::parse_type;
use super::words::{ACTIONS, FIELD_KEYS, OBJECT_ID};
use crate::check::html;
use crate::model::{Pattern, ReferenceAction};
use crate::types::{Format, Type};

/// Reads one field. It is always given back, so that what refers to it by name is no mistake as well.
pub(super) fn read_field<'a>(entry: &Entry<'a>, mistakes: &mut Mistakes) -> DeclaredField<'a> {
    let mut field = DeclaredField::new(Located { value: entry.key.to_owned(), place: entry.key_place });
    match entry.node.value {
        DeValue::String(text) => {
            field.object_ids = text == OBJECT_ID;
            field.ty = read_type(entry, mistakes);
        }
        DeValue::Table(_) => {
            for member in entry.members("", mistakes).unwrap_or_default() {
                read_member(&mut field, &member, mistakes);
            }
        }
        _ => {
            field.ty = DeclaredType::Broken;
            mistakes.add(
                entry.node.place,
                format!("the field `{}` must be a type or a table of keys, not {}", entry.key, entry.node.kind()),
                format!("write {} = \"text\" or {} = {{ type = \"text\", optional = true }}", entry.key, entry.key),
            );
        }
    }
    field
}

fn read_member<'a>(field: &mut DeclaredField<'a>, member: &Entry<'a>, mistakes: &mut Mistakes) {
    match member.key {
        "type" => {
            field.object_ids = matches!(member.node.value, DeValue::String(text) if text == OBJECT_ID);
            field.ty = read_type(member, mistakes);
        }
        "convert" => field.convert = member.text(mistakes),
        "optional" => field.optional = member.flag(mistakes).unwrap_or_default(),
        "default" => field.default = Some(member.node),
        "update" => {
            let word = member.text(mistakes);
            let word = word.filter(|word| is_word(word, "now", "update", mistakes));
            field.touched = word.map(|word| word.place);
        }
        "unique" => field.unique = member.flag(mistakes).unwrap_or_default(),
        "primary" => field.primary = member.flag(mistakes).unwrap_or_default().then_some(member.node.place),
        "ref" => match member.text(mistakes) {
            Some(target) => field.reference = Some(target),
            // Its type would come from there: do not ask for one.
            None => field.lose_type(),
        },
        "on_delete" => field.on_delete = read_action(member, mistakes),
        "on_update" => field.on_update = read_action(member, mistakes),
        "enum" => match member.texts("enum = [\"one\", \"other\"]", mistakes) {
            Some(value) => field.variants = Some(Located { value, place: member.node.place }),
            None => field.lose_type(),
        },
        "format" => field.format = member.text(mistakes).and_then(|word| read_format(&word, mistakes)),
        "min" => field.min = Some(member.node),
        "max" => field.max = Some(member.node),
        "pattern" => field.pattern = member.text(mistakes).and_then(|source| read_pattern(&source, mistakes)),
        "was" => field.was = member.text(mistakes),
        "description" => field.description = member.text(mistakes).map(|text| text.value),
        _ => member.unknown("a field", &FIELD_KEYS, mistakes),
    }
}

fn read_type(entry: &Entry<'_>, mistakes: &mut Mistakes) -> DeclaredType {
    let Some(text) = entry.text(mistakes) else { return DeclaredType::Broken };
    if text.value == OBJECT_ID {
        return DeclaredType::Given(Located { value: Type::Text, place: text.place });
    }
    match parse_type(&text.value) {
        Ok(value) => DeclaredType::Given(Located { value, place: text.place }),
        Err((problem, remedy)) => {
            mistakes.add(text.place, problem, remedy);
            DeclaredType::Broken
        }
    }
}

fn is_word(text: &Located<String>, word: &str, key: &str, mistakes: &mut Mistakes) -> bool {
    let is_it = text.value == word;
    if !is_it {
        mistakes.add(text.place, format!("`{key}` cannot be \"{}\"", text.value), format!("write {key} = \"{word}\""));
    }
    is_it
}

/// Reads `on_delete` or `on_update`.
pub(super) fn read_action(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Option<Located<ReferenceAction>> {
    let text = entry.text(mistakes)?;
    let value = match text.value.as_str() {
        "restrict" => ReferenceAction::Restrict,
        "cascade" => ReferenceAction::Cascade,
        "set null" => ReferenceAction::SetNull,
        "set default" => ReferenceAction::SetDefault,
        other => {
            let remedy = near_or(other, ACTIONS, || format!("write one of {}", ACTIONS.join(", ")));
            mistakes.add(text.place, format!("`{}` cannot be \"{other}\"", entry.key), remedy);
            return None;
        }
    };
    Some(Located { value, place: text.place })
}

fn read_format(word: &Located<String>, mistakes: &mut Mistakes) -> Option<Located<Format>> {
    if let Some((_, value)) = Format::ALL.iter().find(|(name, _)| *name == word.value) {
        if *value == Format::Html && !html::IS_THERE {
            let remedy = "build it with the feature `html`, or remove `format`";
            mistakes.add(word.place, "this build cannot sanitize `html`".to_owned(), remedy.to_owned());
            return None;
        }
        return Some(Located { value: *value, place: word.place });
    }
    let names = Format::ALL.map(|(name, _)| name);
    let remedy = near_or(&word.value, names, || format!("the formats are {}", names.join(", ")));
    mistakes.add(word.place, format!("unknown format `{}`", word.value), remedy);
    None
}

fn read_pattern(source: &Located<String>, mistakes: &mut Mistakes) -> Option<Located<Pattern>> {
    match regex::Regex::new(&source.value) {
        Ok(regex) => Some(Located { value: Pattern(regex), place: source.place }),
        Err(error) => {
            let problem = format!("`pattern` is not a regular expression: {}", regex_reason(&error));
            mistakes.add(
                source.place,
                problem,
                "put \\ before a sign that stands for itself, in '…' so that TOML keeps it",
            );
            None
        }
    }
}

/// The last line of the crate's message, which says why; those above it draw the pattern.
fn regex_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
}

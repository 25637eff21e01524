//! The way of one table that stays: from the collection that it is to the one that it is to be.

use mainstay_schema::diff::TablePair;
use mainstay_schema::{Column, ColumnId, DefaultValue, Schema, Table};
use mongodb::bson::{Bson, Document, doc};

use super::shape::Shape;
use super::{Lines, index, is_counted, larger};
use crate::mongo::ours::{COUNTERS, FRESH};
use crate::mongo::{names, types};

/// A table that both schemas have.
pub(super) struct Kept<'s> {
    old: &'s Table,
    pub(super) new: &'s Table,
    pair: &'s TablePair,
    before: Shape,
    after: Shape,
}

impl<'s> Kept<'s> {
    pub(super) fn new(old: &'s Schema, new: &'s Schema, pair: &'s TablePair) -> Kept<'s> {
        let (before, after) = (old.table(pair.old), new.table(pair.new));
        Kept { old: before, new: after, pair, before: Shape::of(old, before), after: Shape::of(new, after) }
    }

    /// Drops the indexes that go, or become others, while the collection has its old name.
    pub(super) fn make_way(&self, lines: &mut Lines) {
        if self.is_copied() {
            return;
        }
        let gone = self.before.indexes.iter().filter(|(name, index)| self.after.indexes.get(*name) != Some(index));
        let names: Vec<&str> = gone.map(|(name, _)| &**name).collect();
        if !names.is_empty() {
            lines.say(&format!("drop indexes of {}: {}", self.old.name, names.join(", ")));
            lines.add(doc! { "dropIndexes": &*self.old.name, "index": names });
        }
    }

    /// Whether another column becomes `_id`, which nobody can change in a document that is there.
    pub(super) fn is_copied(&self) -> bool {
        let (from, to) = (self.id(self.old), self.id(self.new));
        match (from, to) {
            (Some(from), Some(to)) => self.pair.new_column(from) != Some(to) || self.is_converted(self.new.column(to)),
            (None, None) => false,
            _ => true,
        }
    }

    /// The column that is kept as `_id`.
    fn id(&self, table: &Table) -> Option<ColumnId> {
        table.columns.iter().map(|column| column.id).find(|column| names::field(table, *column) == "_id")
    }

    /// Whether values of a column are kept in another form from now on.
    fn is_converted(&self, column: &Column) -> bool {
        let before = self.pair.old_column(column.id).map(|before| self.old.column(before));
        before.is_some_and(|before| before.ty != column.ty || before.texts != column.texts)
    }

    /// Changes fields, then rules, then indexes.
    pub(super) fn change(&self, lines: &mut Lines) {
        let table = &*self.new.name;
        self.drop_and_rename(lines);
        for column in &self.new.columns {
            match self.pair.old_column(column.id) {
                None => self.fill(lines, column, &format!("add field {table}.{}", column.name)),
                Some(_) if self.is_converted(column) => self.convert(lines, column),
                Some(_) => {}
            }
            if self.becomes_required(column) {
                self.fill(lines, column, &format!("give {table}.{} its default where it has no value", column.name));
            }
        }
        if self.is_copied() {
            self.copy(lines);
        } else {
            self.rule(lines);
        }
        if is_counted(self.new) && !is_counted(self.old) {
            lines.say(&format!("have the numbers of {table} go on after those that are there"));
            lines.add(count_after(table));
        }
    }

    /// Gives the collection its rules and indexes.
    fn rule(&self, lines: &mut Lines) {
        let table = &*self.new.name;
        let changes_rules = (&self.before.fields, &self.before.required) != (&self.after.fields, &self.after.required);
        if changes_rules {
            lines.say(&format!("the rules of {table}, for all that is written from now on"));
            lines.add(doc! {
                "collMod": table, "validator": self.after.validator(),
                "validationLevel": "moderate", "validationAction": "error",
            });
        }
        let is_new = |(name, index): &(&String, &Document)| self.before.indexes.get(*name) != Some(*index);
        index(lines, table, self.after.indexes.iter().filter(is_new).map(|(_, index)| index.clone()).collect());
        if changes_rules {
            lines.say("and for every document, once none breaks them");
            lines.add(doc! { "collMod": table, "validationLevel": "strict" });
        }
    }

    fn drop_and_rename(&self, lines: &mut Lines) {
        let table = &*self.new.name;
        let gone = self.old.columns.iter().filter(|column| self.pair.new_column(column.id).is_none());
        for column in gone {
            let field = names::field(self.old, column.id);
            if field != "_id" {
                lines.say(&format!("drop field {table}.{}", column.name));
                lines.add(update(table, doc! { field: { "$exists": true } }, doc! { "$unset": { field: "" } }));
            }
        }
        for (before, now) in &self.pair.columns {
            let (from, to) = (names::field(self.old, *before), self.field(*now));
            // What moves to or from `_id` does so when the documents are copied.
            if from != to && from != "_id" && self.id(self.new) != Some(*now) {
                lines.say(&format!("rename field {table}.{from} to {to}"));
                lines.add(update(table, doc! { from: { "$exists": true } }, doc! { "$rename": { from: to } }));
            }
        }
    }

    /// The field of a column before documents are copied: `_id` only if it was that already.
    fn field(&self, column: ColumnId) -> &str {
        match self.pair.old_column(column) {
            Some(before) if names::field(self.old, before) == "_id" => "_id",
            _ if self.is_copied() => &self.new.column(column).name,
            _ => names::field(self.new, column),
        }
    }

    fn becomes_required(&self, column: &Column) -> bool {
        let before = self.pair.old_column(column.id).map(|before| self.old.column(before));
        before.is_some_and(|before| before.optional) && !column.optional
    }

    /// Gives a column its default where it has no value.
    fn fill(&self, lines: &mut Lines, column: &Column, words: &str) {
        let table = &*self.new.name;
        let field = self.field(column.id);
        let empty = doc! { field: Bson::Null };
        let command = match &column.default {
            Some(DefaultValue::Literal(value)) => match types::keep(self.new, column, value) {
                Ok(value) => update(table, empty, doc! { "$set": { field: value } }),
                Err(_) => return,
            },
            Some(DefaultValue::Now) => {
                let now = doc! { "$set": { field: "$$NOW" } };
                let update = doc! { "q": empty, "u": [now], "multi": true };
                doc! { "update": table, "updates": [update], "bypassDocumentValidation": true }
            }
            Some(DefaultValue::Uuid7) => doc! { "fillField": table, "field": field, "with": "uuid7" },
            Some(DefaultValue::Sequence | DefaultValue::Expression(_)) | None => return,
        };
        lines.say(words);
        lines.add(command);
    }

    /// Makes values of another type beside the old ones, and then puts them in their place: so it can be done again
    /// from wherever it stopped.
    fn convert(&self, lines: &mut Lines, column: &Column) {
        let table = &*self.new.name;
        let Some(before) = self.pair.old_column(column.id).map(|before| self.old.column(before)) else { return };
        let field = self.field(column.id);
        let fresh = format!("{FRESH}{}", column.name);
        let kind = |column: &Column| match column.texts {
            mainstay_schema::model::Texts::ObjectIds => "objectid".to_owned(),
            _ => column.ty.to_string(),
        };
        let (from, to) = (kind(before), kind(column));
        lines.say(&format!("change field {table}.{}: {from} to {to}", column.name));
        lines.add(doc! { "convertField": table, "field": field, "from": from, "to": to, "into": &fresh });
        if field != "_id" {
            let steps = [doc! { "$set": { field: format!("${fresh}") } }, doc! { "$unset": &fresh }];
            let update = doc! { "q": { &fresh: { "$exists": true } }, "u": steps.to_vec(), "multi": true };
            lines.add(doc! { "update": table, "updates": [update], "bypassDocumentValidation": true });
        }
    }

    /// Copies the documents under their new `_id`, and puts the copy in place of the collection.
    fn copy(&self, lines: &mut Lines) {
        let table = &*self.new.name;
        let copy = format!("{FRESH}{table}");
        let mut pipeline: Vec<Document> = Vec::new();
        let (old_id, new_id) = (self.id(self.old), self.id(self.new));
        let mut set = Document::new();
        let mut unset: Vec<String> = Vec::new();
        // What was `_id` and stays as a column gets a field of its own; converted values are beside it already.
        if let Some(now) = old_id.and_then(|before| self.pair.new_column(before)).filter(|now| Some(*now) != new_id) {
            let column = self.new.column(now);
            let fresh = format!("{FRESH}{}", column.name);
            let is_converted = self.is_converted(column);
            set.insert(&*column.name, if is_converted { format!("${fresh}") } else { "$_id".to_owned() });
            unset.extend(is_converted.then_some(fresh));
        }
        match new_id {
            Some(id) => {
                let is_old = old_id.is_some_and(|before| self.pair.new_column(before) == Some(id));
                let from = match is_old {
                    true => format!("{FRESH}{}", self.new.column(id).name),
                    false => self.new.column(id).name.to_string(),
                };
                set.insert("_id", format!("${from}"));
                unset.push(from);
            }
            None => unset.push("_id".to_owned()),
        }
        pipeline.push(doc! { "$set": set.clone() });
        if set.is_empty() {
            pipeline.clear();
        }
        if !unset.is_empty() {
            pipeline.push(doc! { "$unset": unset });
        }
        pipeline.push(doc! { "$out": &copy });
        lines.say(&format!("copy the documents of {table}: another field becomes _id"));
        lines.add(doc! { "aggregate": table, "pipeline": pipeline, "cursor": {}, "bypassDocumentValidation": true });
        lines.add(doc! { "collMod": &copy, "validator": self.after.validator(), "validationLevel": "moderate" });
        index(lines, &copy, self.after.indexes.values().cloned().collect());
        lines.add(doc! { "collMod": &copy, "validationLevel": "strict" });
        lines.add(doc! { "renameCollection": &copy, "to": table, "dropTarget": true });
    }
}

/// An update of many documents. Rules do not hold on the way: they are asked in the end.
fn update(table: &str, filter: Document, change: Document) -> Document {
    let update = doc! { "q": filter, "u": change, "multi": true };
    doc! { "update": table, "updates": [update], "bypassDocumentValidation": true }
}

/// Has a sequence begin after the largest key that is there.
fn count_after(table: &str) -> Document {
    doc! {
        "aggregate": table,
        "pipeline": [
            { "$group": { "_id": table, "n": { "$max": { "$toLong": "$_id" } } } },
            { "$merge": { "into": COUNTERS, "whenMatched": larger() } },
        ],
        "cursor": {},
    }
}

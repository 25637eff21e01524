//! Reads as stages of an aggregation. Rows that belong to a row are looked up for each row of the page, by the fields
//! that link them, so that indexes are used; they come inside of it, under names that no column has.
//!
//! What cannot be said in stages with the same outcome is no pipeline, and is finished here (`apart.rs`).

use bson::{Bson, Document, doc};
use mainstay_query::plan::{Cardinality, Comparison, Embed, Filter, Join, Order, Pair, Read, Source, Test};
use mainstay_schema::{Schema, Table, TableId, Value};
use mongodb::bson;

use super::beside::Beside;
use super::filter::{self, Conditions, Field, Outcome, all, any, never};
use super::groups;
use super::names::{self, ID, member};
use super::read::as_find;
use super::sorted::Sorted;

/// A row may have many of an embed if it may have so many.
const MANY_ROWS: u64 = 100;
/// Rows of which one is looked up for each.
const FEW_ROWS: u64 = 4;

/// Keys that the server sorts by at most.
const SORT_KEYS_MAX: usize = 32;

/// A read in stages.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    /// Which rows: these stages tell how many there are.
    pub(super) which: Vec<Document>,
    /// Their order, the page, what belongs to them, and what is left of them.
    pub(super) rest: Vec<Document>,
    /// What belongs to the rows and is asked for by itself.
    pub(super) beside: Vec<Beside>,
    /// How the page is come to, if not by these stages alone.
    pub(super) sorted: Option<Sorted>,
}

impl Pipeline {
    /// All stages.
    pub(super) fn stages(&self) -> Vec<Document> {
        self.which.iter().chain(&self.rest).cloned().collect()
    }

    /// The condition, if that is all that says which rows.
    pub(super) fn filter(&self) -> Option<Document> {
        match self.which.as_slice() {
            [] => Some(filter::always()),
            [only] => only.get_document("$match").ok().cloned(),
            _ => None,
        }
    }
}

/// The stages of a read; `None` if the server has none with the same outcome.
pub(super) fn read(schema: &Schema, plan: &Read) -> Option<Pipeline> {
    if plan.call.is_some() {
        return None;
    }
    Builder { schema, made: 0, beside: Some(Vec::new()) }.level(plan, plan.limit)
}

/// The stages that leave the rows which pass a condition; `None` if the server has none with the same outcome.
pub(super) fn which(schema: &Schema, table: TableId, filter: &Filter) -> Option<Vec<Document>> {
    Builder { schema, made: 0, beside: None }.which(schema.table(table), filter)
}

/// Makes stages; names those fields that are only there for a while.
pub(super) struct Builder<'s> {
    pub(super) schema: &'s Schema,
    made: usize,
    /// What belongs to the rows of the read itself and is asked for by itself; `None` below.
    beside: Option<Vec<Beside>>,
}

impl Builder<'_> {
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("mainstay:{kind}{}", self.made)
    }

    fn level(&mut self, plan: &Read, limit: Option<u64>) -> Option<Pipeline> {
        let mut beside = self.beside.take();
        let table = self.schema.table(plan.table);
        let mut which = self.which(table, &plan.filter)?;
        let mut rest = Vec::new();
        if let Some(groups) = &plan.groups {
            which.append(&mut groups::stages(self.schema, plan, groups)?);
            if !groups::has_keys(plan) {
                // Whether its one row is on the page is seen here, since it may be the row of no rows.
                return Some(Pipeline { which, rest, ..Pipeline::default() });
            }
            let keys = self.order(&groups::made_table(table, plan, groups), &groups.order, false, &mut rest)?;
            sort(&keys, &mut rest)?;
            page(plan.offset, limit, &mut rest)?;
            return Some(Pipeline { which, rest, ..Pipeline::default() });
        }
        let is_one = which.is_empty() || (which.len() == 1 && which[0].contains_key("$match"));
        let sorted = beside.as_ref().filter(|_| is_one).and_then(|_| Sorted::of(self.schema, table, plan, limit));
        let keys = self.order(table, &plan.order, sorted.is_some(), &mut rest)?;
        if let Some(place) = &plan.after {
            rest.push(doc! { "$match": after(&plan.order, &keys, place)? });
        }
        sort(&keys, &mut rest)?;
        page(plan.offset, limit, &mut rest)?;
        let mut kept = Document::new();
        let mut is_plain = true;
        // All there is of a document comes as it is: to leave nothing out would cost the server a copy of each.
        let mut is_whole = self.schema.found().is_none();
        for (position, output) in plan.select.iter().enumerate() {
            match &output.source {
                Source::Value(expr) => {
                    let name = names::field(table, expr.column);
                    is_plain &= names::is_plain(name);
                    kept.insert(name, 1);
                }
                Source::Embed(embed) | Source::Spread(embed) => {
                    let is_spread = matches!(output.source, Source::Spread(_));
                    let is_few = embed.link.cardinality == Cardinality::One && is_of_few(table, plan);
                    if let Some(list) = beside.as_mut().filter(|_| !is_few)
                        && let Some(asked) = self.beside(table, embed, position)
                    {
                        is_plain &= names::is_plain(&asked.near);
                        kept.insert(asked.near.clone(), 1);
                        list.push(asked);
                        continue;
                    }
                    is_whole = false;
                    if let Some((stage, fields)) = self.by_key(table, embed, &member(position)) {
                        rest.push(stage);
                        kept.extend(fields.into_iter().map(|field| (field, 1.into())));
                        continue;
                    }
                    rest.push(self.embed(table, embed, is_spread, &member(position))?);
                    kept.insert(member(position), 1);
                }
                Source::Aggregate(_) => return None,
            }
        }
        is_whole &= table.columns.iter().all(|column| kept.contains_key(names::field(table, column.id)));
        if !kept.contains_key(ID) {
            // Something must be kept, and it is there in any case.
            kept.insert(ID, i32::from(kept.is_empty()));
        }
        if is_plain && !is_whole {
            rest.push(doc! { "$project": kept });
        }
        Some(Pipeline { which, rest, beside: beside.unwrap_or_default(), sorted })
    }

    /// Conditions on fields come first, so that indexes are used; then those on related rows, which are looked up.
    pub(super) fn which(&mut self, table: &Table, filter: &Filter) -> Option<Vec<Document>> {
        let parts = match filter {
            Filter::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for part in parts {
            match filter::exact(self.schema, table, part) {
                Some(form) => here.push(form),
                None => there.push(part),
            }
        }
        let mut stages = Vec::new();
        let here = all(here);
        if !here.is_empty() {
            stages.push(doc! { "$match": here });
        }
        if there.is_empty() {
            return Some(stages);
        }
        let schema = self.schema;
        let (mut looked, mut forms) = (Vec::new(), Vec::new());
        for part in there {
            let mut exists = |filter: &Filter, outcome: Outcome| self.exists(table, filter, outcome, &mut looked);
            forms.push(Conditions { schema, table, exists: &mut exists }.form(part, Outcome::True)?);
        }
        let unset: Vec<String> = looked.iter().filter_map(name_of).collect();
        stages.append(&mut looked);
        stages.push(doc! { "$match": all(forms) });
        if !unset.is_empty() {
            stages.push(doc! { "$unset": unset });
        }
        Some(stages)
    }

    /// Looks up as many related rows as decide, and gives the condition on them.
    fn exists(
        &mut self,
        table: &Table,
        filter: &Filter,
        outcome: Outcome,
        looked: &mut Vec<Document>,
    ) -> Option<Document> {
        let Filter::Exists { join, table: target, filter, skip } = filter else { return None };
        let mut inner = self.which(self.schema.table(*target), filter)?;
        inner.push(doc! { "$limit": i64::try_from(skip.saturating_add(1)).ok()? });
        inner.push(doc! { "$project": { ID: 1 } });
        let name = self.name("exists");
        looked.push(self.link(table, join, *target, inner, &name)?);
        Some(doc! { format!("{name}.{skip}"): { "$exists": outcome == Outcome::True } })
    }

    /// The stage that puts the row with a key into a field, if nothing else is asked of it than columns, and the fields that
    /// are kept of it. Without stages of its own it takes the server a fraction of the time.
    fn by_key(&self, table: &Table, embed: &Embed, name: &str) -> Option<(Document, Vec<String>)> {
        let (read, target) = (&*embed.read, self.schema.table(embed.read.table));
        let Join::Direct(pairs) = &embed.link.join else { return None };
        let [pair] = pairs.as_slice() else { return None };
        let is_whole = read.call.is_none()
            && read.after.is_none()
            && read.groups.is_none()
            && read.filter == Filter::True
            && read.offset == 0
            && read.limit != Some(0);
        let (near, far) = (names::field(table, pair.here), names::field(target, pair.there));
        if !is_whole || far != ID || !names::is_plain(near) || embed.link.cardinality != Cardinality::One {
            return None;
        }
        if !is_alike(table, pair, target) || self.schema.found().is_some() {
            return None;
        }
        let mut fields = Vec::new();
        for output in &read.select {
            let Source::Value(expr) = &output.source else { return None };
            let field = names::field(target, expr.column);
            let path = format!("{name}.{field}");
            if !names::is_plain(field) {
                return None;
            }
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
        if fields.is_empty() {
            fields.push(format!("{name}.{ID}"));
        }
        // Each of our documents has an `_id` that is not null, so nothing is linked by nothing.
        let stage = doc! { "$lookup": { "from": &*target.name, "localField": near, "foreignField": ID, "as": name } };
        Some((stage, fields))
    }

    /// How the rows of a member are asked for by themselves, if a `find` gives them: the one that each row has, or as many as
    /// there are. Where a row has few of many, a `$lookup` reads no more than these.
    fn beside(&mut self, table: &Table, embed: &Embed, position: usize) -> Option<Beside> {
        let (read, target) = (&*embed.read, self.schema.table(embed.read.table));
        let Join::Direct(pairs) = &embed.link.join else { return None };
        let [pair] = pairs.as_slice() else { return None };
        let limit_min = match embed.link.cardinality {
            Cardinality::One => 1,
            Cardinality::Many => MANY_ROWS,
        };
        let is_all = read.call.is_none()
            && read.after.is_none()
            && read.groups.is_none()
            && read.offset == 0
            && read.limit.is_none_or(|limit| limit >= limit_min);
        let (near, far) = (names::field(table, pair.here), names::field(target, pair.there));
        if !is_all || !names::is_plain(near) || !names::is_plain(far) || !is_alike(table, pair, target) {
            return None;
        }
        let pipeline = self.level(&Read { limit: None, ..read.clone() }, None)?;
        let (mut condition, mut options) = as_find(&pipeline)?;
        if self.schema.found().is_some() {
            condition = all(vec![doc! { far: { "$not": { "$type": "array" } } }, condition]);
        }
        if let Some(fields) = &mut options.projection {
            fields.insert(far, 1);
        }
        if let Some(sort) = options.sort.as_mut().filter(|sort| !sort.contains_key(far)) {
            // The rows of one come together, as an index has them that begins with the link.
            let mut sorted: Document =
                sort.values().next().map(|way| (far.to_owned(), way.clone())).into_iter().collect();
            sorted.extend(std::mem::take(sort));
            *sort = sorted;
        }
        let (near, far, collection) = (near.to_owned(), far.to_owned(), target.name.to_string());
        Some(Beside { position, collection, near, far, condition, options, limit: read.limit })
    }

    fn embed(&mut self, table: &Table, embed: &Embed, is_spread: bool, name: &str) -> Option<Document> {
        let read = &*embed.read;
        if read.call.is_some() || read.after.is_some() {
            return None;
        }
        let is_grouped = read.groups.is_some();
        if is_grouped && (is_spread || (!groups::has_keys(read) && (read.offset > 0 || read.limit == Some(0)))) {
            return None;
        }
        let limit = match embed.link.cardinality {
            Cardinality::One => Some(read.limit.unwrap_or(1).min(1)),
            Cardinality::Many => read.limit,
        };
        let stages = self.level(read, limit)?.stages();
        self.link(table, &embed.link.join, read.table, stages, name)
    }

    /// The stage that puts the rows to which a link leads into a field, after these stages on them.
    fn link(
        &self,
        here: &Table,
        join: &Join,
        target: TableId,
        mut inner: Vec<Document>,
        name: &str,
    ) -> Option<Document> {
        let target = self.schema.table(target);
        match join {
            Join::Direct(pairs) => look_up(self.schema, here, pairs, target, inner, name),
            Join::Through { table: junction, parent, child } => {
                // One row for each of the junction's.
                let junction = self.schema.table(*junction);
                let mut between = vec![look_up(self.schema, junction, child, target, Vec::new(), JOINED)?];
                between.push(doc! { "$unwind": format!("${JOINED}") });
                between.push(doc! { "$replaceRoot": { "newRoot": format!("${JOINED}") } });
                between.append(&mut inner);
                look_up(self.schema, here, parent, junction, between, name)
            }
        }
    }

    /// The keys of an order; puts stages before it that make those which no field holds. Rows with nothing in the first one
    /// may be asked for apart.
    fn order(
        &mut self,
        table: &Table,
        order: &[Order],
        is_apart: bool,
        stages: &mut Vec<Document>,
    ) -> Option<Vec<Key>> {
        let mut keys = Vec::with_capacity(order.len());
        for term in order {
            let holder = term.via.as_ref().map_or(table, |via| self.schema.table(via.table));
            if !term.expr.path.is_empty() || filter::is_cast(holder, &term.expr) {
                return None;
            }
            let mut field = Field::of(self.schema, holder, term.expr.column)?;
            if !filter::is_ordered(&field.ty) {
                return None;
            }
            // Each document has a key, and all pages of found collections are in its order: a look for documents whose key
            // is nothing would read the whole collection for each of them.
            let is_key = field.name == names::ID;
            let mut may_be_null = !is_key && (field.is_found || holder.column(term.expr.column).optional);
            if let Some(via) = &term.via {
                let mut inner = self.which(holder, &via.filter)?;
                inner.push(doc! { "$limit": 1 });
                inner.push(doc! { "$project": { &field.name: 1 } });
                let (rows, key) = (self.name("via"), self.name("key"));
                stages.push(self.link(table, &via.join, via.table, inner, &rows)?);
                let first = doc! { "$first": format!("${rows}.{}", field.name) };
                stages.push(doc! { "$set": { &key: { "$ifNull": [first, Bson::Null] } } });
                stages.push(doc! { "$unset": rows });
                field.name = key;
                may_be_null = true;
            }
            // By itself the server puts nothing before everything.
            let has_flag = may_be_null && term.nulls_first == term.descending && !(is_apart && keys.is_empty());
            let (mut sorted_by, mut flag) = (field.name.clone(), None);
            if has_flag {
                let kept = doc! { "$ifNull": [format!("${}", field.name), Bson::Null] };
                let is_nothing = self.name("null");
                let mut made = doc! { &is_nothing: { "$eq": [kept.clone(), Bson::Null] } };
                if field.is_found {
                    // There are several kinds of nothing to an order.
                    sorted_by = self.name("kept");
                    made.insert(sorted_by.clone(), kept);
                }
                stages.push(doc! { "$set": made });
                flag = Some(is_nothing);
            }
            let (descending, nulls_first) = (term.descending, term.nulls_first);
            keys.push(Key { field, sorted_by, flag, descending, nulls_first, may_be_null });
        }
        Some(keys)
    }
}

/// Whether a read is of so few rows that looking up one for each costs less than asking once more.
fn is_of_few(table: &Table, plan: &Read) -> bool {
    let is_key = |filter: &Filter| match filter {
        Filter::Test { expr, test: Test::Compare(Comparison::Eq, _) } => {
            table.primary_key == [expr.column] && expr.path.is_empty()
        }
        _ => false,
    };
    let has_key = match &plan.filter {
        Filter::And(parts) => parts.iter().any(is_key),
        filter => is_key(filter),
    };
    has_key || plan.limit.is_some_and(|limit| limit <= FEW_ROWS)
}

/// The field that a row found through a junction is in for a moment.
const JOINED: &str = "mainstay:joined";

/// What rows are sorted by.
struct Key {
    field: Field,
    /// The field that has the same value for all kinds of nothing, or itself.
    sorted_by: String,
    /// A field that tells whether it holds nothing.
    flag: Option<String>,
    descending: bool,
    nulls_first: bool,
    may_be_null: bool,
}

/// The name of the field that a stage makes.
fn name_of(stage: &Document) -> Option<String> {
    stage.get_document("$lookup").and_then(|stage| stage.get_str("as")).ok().map(str::to_owned)
}

/// The stage that sorts; `None` if there are more keys than the server takes.
fn sort(keys: &[Key], stages: &mut Vec<Document>) -> Option<()> {
    let mut sort = Document::new();
    for key in keys {
        let direction = |descending: bool| if descending { -1 } else { 1 };
        if let Some(flag) = &key.flag
            && !sort.contains_key(flag)
        {
            // Rows with nothing have the larger flag.
            sort.insert(flag, direction(key.nulls_first));
        }
        if !sort.contains_key(&key.sorted_by) {
            sort.insert(&key.sorted_by, direction(key.descending));
        }
    }
    if sort.len() > SORT_KEYS_MAX {
        return None;
    }
    if !sort.is_empty() {
        stages.push(doc! { "$sort": sort });
    }
    Some(())
}

/// The stages of a page; `None` if its numbers are larger than any the server takes.
fn page(offset: u64, limit: Option<u64>, stages: &mut Vec<Document>) -> Option<()> {
    if offset > 0 {
        stages.push(doc! { "$skip": i64::try_from(offset).ok()? });
    }
    match limit {
        None => {}
        Some(0) => stages.push(doc! { "$match": never() }),
        Some(limit) => stages.push(doc! { "$limit": i64::try_from(limit).ok()? }),
    }
    Some(())
}

/// The rows that come after a place in an order.
fn after(order: &[Order], keys: &[Key], place: &[Value]) -> Option<Document> {
    let mut ways = Vec::new();
    let mut before: Vec<Document> = Vec::new();
    for ((term, key), value) in order.iter().zip(keys).zip(place) {
        let field = &key.field;
        let (equal, beyond) = match value {
            Value::Null if term.nulls_first => (field.is_null(), field.is_not_null()),
            Value::Null => (field.is_null(), never()),
            value => {
                let way = if term.descending { Comparison::Lt } else { Comparison::Gt };
                let mut beyond = vec![field.compares(way, value)?];
                if !term.nulls_first {
                    beyond.push(field.is_null());
                }
                (field.compares(Comparison::Eq, value)?, any(beyond))
            }
        };
        ways.push(all(before.iter().cloned().chain([beyond]).collect()));
        before.push(equal);
    }
    let ways = any(ways);
    // One bound on what comes first says where in an index to begin.
    match (keys.first(), place.first()) {
        (Some(first), Some(value)) if !first.may_be_null && !value.is_null() => {
            let way = if first.descending { Comparison::Lte } else { Comparison::Gte };
            Some(all(vec![first.field.compares(way, value)?, ways]))
        }
        _ => Some(ways),
    }
}

/// Whether equal values of two linked columns are equal to the server, which takes an object id for no text.
fn is_alike(here: &Table, pair: &Pair, target: &Table) -> bool {
    here.column(pair.here).texts == target.column(pair.there).texts
}

/// The stage that puts those rows of a table into a field that pairs of fields link to a row. Nothing is linked by
/// nothing; nor is a list, which only documents of other programs have there, and which the server takes for its items.
fn look_up(
    schema: &Schema,
    here: &Table,
    pairs: &[Pair],
    target: &Table,
    stages: Vec<Document>,
    name: &str,
) -> Option<Document> {
    let is_found = schema.found().is_some();
    let mut known = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (near, far) = (names::field(here, pair.here), names::field(target, pair.there));
        if !names::is_plain(near) || !names::is_plain(far) || !is_alike(here, pair, target) {
            return None;
        }
        known.push((near, far));
    }
    let ((near, far), rest) = known.split_first()?;
    let something = || {
        if is_found {
            doc! { "$ne": null, "$not": { "$type": "array" } }
        } else {
            doc! { "$ne": null }
        }
    };
    let mut condition: Document = known.iter().map(|(_, far)| ((*far).to_owned(), something().into())).collect();
    let mut given = Document::new();
    let mut tests = Vec::new();
    for (at, (near, far)) in rest.iter().enumerate() {
        given.insert(format!("key{at}"), format!("${near}"));
        tests.push(doc! { "$eq": [format!("${far}"), format!("$$key{at}")] });
    }
    if is_found {
        given.insert("key", format!("${near}"));
        tests.push(doc! { "$not": [{ "$isArray": "$$key" }] });
    }
    if !tests.is_empty() {
        condition.insert("$expr", doc! { "$and": tests });
    }
    let mut inner = vec![doc! { "$match": condition }];
    inner.extend(stages);
    let mut look_up = doc! { "from": &*target.name, "localField": *near, "foreignField": *far };
    if !given.is_empty() {
        look_up.insert("let", given);
    }
    look_up.insert("pipeline", inner);
    look_up.insert("as", name);
    Some(doc! { "$lookup": look_up })
}

//! What fields and references point at, and the types that come from there.

use super::columns::computed_default;
use super::declared::{DeclaredField, DeclaredReference, DeclaredTable, DeclaredType};
use super::keys::TableKeys;
use super::resolve::{FieldAt, Tables};
use super::source::{Located, Mistakes, listed};
use super::types::parse_type;
use super::words::OBJECT_ID;
use crate::link::is_linkable;
use crate::model::{ReferenceAction, Texts};
use crate::types::Type;

/// A reference whose names are all found.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) name: Located<String>,
    pub(super) table: usize,
    pub(super) columns: Vec<usize>,
    pub(super) target: usize,
    pub(super) target_columns: Vec<usize>,
    pub(super) on_delete: &'a Option<Located<ReferenceAction>>,
    pub(super) on_update: &'a Option<Located<ReferenceAction>>,
}

/// Every reference of every table: those of fields in field order, then the named ones.
pub(super) fn all<'a>(tables: &'a Tables<'_>, keys: &[TableKeys], mistakes: &mut Mistakes) -> Vec<Resolved<'a>> {
    let mut found = Vec::new();
    for (at, table) in tables.declared.iter().enumerate() {
        for (column, field) in table.fields.iter().enumerate() {
            found.extend(of_field(tables, keys, (at, column), field, mistakes));
        }
        for reference in &table.references {
            found.extend(of_table(tables, keys, at, reference, mistakes));
        }
    }
    found
}

fn of_field<'a>(
    tables: &'a Tables<'_>,
    keys: &[TableKeys],
    (table, column): FieldAt,
    field: &'a DeclaredField<'_>,
    mistakes: &mut Mistakes,
) -> Option<Resolved<'a>> {
    let to = field.reference.as_ref()?;
    // No name holds a point, so the first one divides.
    let (target_name, column_name) = to.value.split_once('.').map_or((&*to.value, None), |(a, b)| (a, Some(b)));
    let target = tables.find(to, target_name, mistakes)?;
    let there = &tables.declared[target];
    let target_column = match column_name {
        Some(name) => there.find_field(to, name, mistakes)?,
        None => only_key_column(to, there, &keys[target], mistakes)?,
    };
    let owner = &tables.declared[table];
    let resolved = Resolved {
        name: Located { value: format!("{}_{}_fkey", owner.name.value, field.name.value), place: field.name.place },
        table,
        columns: vec![column],
        target,
        target_columns: vec![target_column],
        on_delete: &field.on_delete,
        on_update: &field.on_update,
    };
    check_target(tables, keys, &resolved, to, mistakes).then_some(resolved)
}

/// The primary key of a table that is referenced by its name alone.
fn only_key_column(
    to: &Located<String>,
    there: &DeclaredTable<'_>,
    keys: &TableKeys,
    mistakes: &mut Mistakes,
) -> Option<usize> {
    let name = &there.name.value;
    match keys.primary.as_slice() {
        [only] => Some(*only),
        // A table whose key could not be made out has a mistake of its own; a view, and what was found, may have none.
        [] if there.view.is_none() && !there.is_found => None,
        [] => {
            let has_none = if there.is_found { "has" } else { "declares" };
            mistakes.add(
                to.place,
                format!("the {} `{name}` {has_none} no primary key", there.noun()),
                format!("write ref = \"{name}.field\""),
            );
            None
        }
        _ => {
            let problem = format!("the primary key of `{name}` has several fields, and `ref` holds one");
            mistakes.add(to.place, problem, "write an entry under [table.references] with all its fields");
            None
        }
    }
}

fn of_table<'a>(
    tables: &'a Tables<'_>,
    keys: &[TableKeys],
    table: usize,
    reference: &'a DeclaredReference,
    mistakes: &mut Mistakes,
) -> Option<Resolved<'a>> {
    let owner = &tables.declared[table];
    let columns = owner.find_fields(&reference.columns, mistakes);
    let target = tables.find(&reference.target, &reference.target.value, mistakes)?;
    let there = &tables.declared[target];
    let target_columns = match &reference.target_columns {
        Some(names) => there.find_fields(names, mistakes)?,
        None => keys[target].primary.clone(),
    };
    let columns = columns?;
    if columns.len() != target_columns.len() {
        let (here, there) = (counted(columns.len()), counted(target_columns.len()));
        let problem = format!("the reference `{}` has {here} here, but {there} there", reference.name.value);
        mistakes.add(reference.name.place, problem, "name as many fields in `fields` as in `to`, in the same order");
        return None;
    }
    let resolved = Resolved {
        name: Located { value: format!("{}_{}", owner.name.value, reference.name.value), place: reference.name.place },
        table,
        columns,
        target,
        target_columns,
        on_delete: &reference.on_delete,
        on_update: &reference.on_update,
    };
    check_target(tables, keys, &resolved, &reference.target, mistakes).then_some(resolved)
}

fn counted(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

/// A row is found by a key only, and rows of a view are not kept.
fn check_target(
    tables: &Tables<'_>,
    keys: &[TableKeys],
    reference: &Resolved<'_>,
    to: &Located<String>,
    mistakes: &mut Mistakes,
) -> bool {
    let there = &tables.declared[reference.target];
    let name = &there.name.value;
    let is_view = |table: usize| tables.declared[table].view.is_some();
    if is_view(reference.target) && !is_view(reference.table) && !reference.is_loose(tables) {
        mistakes.add(
            to.place,
            format!("`{name}` is a view, whose rows no table can hold on to"),
            "reference the table behind it",
        );
        return false;
    }
    let keys = &keys[reference.target];
    let is_key = keys.contain(&reference.target_columns);
    // Where the primary key itself is mistaken, it is not known what would be a key.
    if !is_key && (there.is_found || !keys.primary.is_empty()) {
        let names = |at: &[usize]| -> Vec<&str> { at.iter().map(|at| there.fields[*at].name.value.as_str()).collect() };
        let columns = names(&reference.target_columns);
        let remedy = match columns.as_slice() {
            // The keys of what was found are the database's.
            _ if there.is_found => match keys.all().map(|key| listed(names(key))).collect::<Vec<_>>().as_slice() {
                [] => "it has no key by which a row could be found; make one in its database".to_owned(),
                keys => format!("reference a key that it has: {}", keys.join(", or ")),
            },
            [only] => format!("add unique = true to `{only}`, or reference the primary key: ref = \"{name}\""),
            _ => format!("add a key of these fields under [{name}.unique]"),
        };
        let verb = if columns.len() == 1 { "is" } else { "are" };
        mistakes.add(to.place, format!("{} of `{name}` {verb} not a key", listed(columns)), remedy);
    }
    is_key
}

/// The type of each field of each table, where it can be made out.
pub(super) fn field_types(
    tables: &Tables<'_>,
    references: &[Resolved<'_>],
    mistakes: &mut Mistakes,
) -> Vec<Vec<Option<Type>>> {
    let mut types = Vec::with_capacity(tables.declared.len());
    for (table, declared) in tables.declared.iter().enumerate() {
        let fields = 0..declared.fields.len();
        types.push(fields.map(|field| field_type(tables, references, (table, field), mistakes)).collect());
    }
    types
}

/// Follows references from `start` until a field says its type.
fn field_type(
    tables: &Tables<'_>,
    references: &[Resolved<'_>],
    start: FieldAt,
    mistakes: &mut Mistakes,
) -> Option<Type> {
    let mut path = vec![start];
    loop {
        let here = *path.last()?;
        let field = tables.field(here);
        match &field.ty {
            DeclaredType::Given(ty) => return Some(ty.value.clone()),
            DeclaredType::Broken => return None,
            DeclaredType::Absent => {}
        }
        if let Some(Ok((ty, _))) = field.convert.as_ref().map(|convert| conversion(&convert.value)) {
            return Some(ty.0);
        }
        if field.reference.is_none() {
            let is_enum = field.variants.is_some();
            if !is_enum && here == start {
                let problem = format!("the field `{}` has no type", field.name.value);
                mistakes.add(field.name.place, problem, "add type = \"text\" or another, or ref = \"table\"");
            }
            return is_enum.then_some(Type::Text);
        }
        let next = references.iter().find(|it| it.table == here.0 && it.columns == [here.1] && it.is_of(field))?;
        let next = (next.target, next.target_columns[0]);
        if path.contains(&next) {
            if next == start {
                let problem = format!("the type of `{}` comes from itself by way of `ref`", field_name(tables, start));
                mistakes.add(
                    tables.field(start).name.place,
                    problem,
                    "add type = \"uuid\" or another to one of the fields on the way",
                );
            }
            return None;
        }
        path.push(next);
    }
}

fn field_name(tables: &Tables<'_>, (table, field): FieldAt) -> String {
    format!("{}.{}", tables.declared[table].name.value, tables.field((table, field)).name.value)
}

impl Resolved<'_> {
    /// Whether nobody keeps it, so that it only tells how to embed: it leads to another store, or is of a table that was
    /// found, and that the database does not know it to refer to another.
    pub(super) fn is_loose(&self, tables: &Tables<'_>) -> bool {
        self.is_far(tables) || tables.declared[self.table].is_found
    }

    /// Whether it leads to another store.
    pub(super) fn is_far(&self, tables: &Tables<'_>) -> bool {
        tables.declared[self.table].store() != tables.declared[self.target].store()
    }

    /// Whether this is what the field's own `ref` declares, and no named reference over the same field.
    fn is_of(&self, field: &DeclaredField<'_>) -> bool {
        self.name.place == field.name.place
    }
}

/// Checks that both sides have the same types, and that the actions can be carried out.
pub(super) fn check(
    tables: &Tables<'_>,
    types: &[Vec<Option<Type>>],
    reference: &Resolved<'_>,
    mistakes: &mut Mistakes,
) {
    let (here, there) = (&tables.declared[reference.table], &tables.declared[reference.target]);
    let is_far = here.store() != there.store();
    if let [column] = reference.columns.as_slice()
        && let Some(convert) = &here.fields[*column].convert
        && reference.is_of(&here.fields[*column])
    {
        let sides = (reference.table, *column, reference.target, reference.target_columns[0]);
        return check_conversion(tables, types, sides, convert, mistakes);
    }
    for (column, target) in reference.columns.iter().zip(&reference.target_columns) {
        let pair = (&types[reference.table][*column], &types[reference.target][*target]);
        let (Some(ty), Some(target_ty)) = pair else { continue };
        if ty != target_ty {
            let field = &here.fields[*column];
            let place = match &field.ty {
                DeclaredType::Given(given) => given.place,
                _ => reference.name.place,
            };
            let target = format!("{}.{}", there.name.value, there.fields[*target].name.value);
            let problem =
                format!("`{}` is {ty}, but `{target}`, which it references, is {target_ty}", field.name.value);
            let remedy = match is_far && is_linkable(ty, target_ty) {
                true => format!("write convert = \"{ty}->{target_ty}\", or make both the same type"),
                false => format!("make both the same type: {target_ty} or {ty}"),
            };
            mistakes.add(place, problem, remedy);
        }
    }
    for (key, action) in [("on_delete", reference.on_delete), ("on_update", reference.on_update)] {
        if let Some(action) = action.as_ref().filter(|_| reference.is_loose(tables)) {
            let problem = match is_far {
                true => format!("`{key}` leads to another store, where nobody carries it out"),
                false => format!("`{key}` is for the database to carry out, which does not know this reference"),
            };
            mistakes.add(action.place, problem, "remove it: this reference only tells how to embed");
        } else if let Some(action) = action {
            check_action(here, &types[reference.table], key, action, &reference.columns, mistakes);
        }
    }
}

/// A type as a conversion names it, and what its texts are.
type Side = (Type, Texts);

/// Reads `text->uuid`.
fn conversion(text: &str) -> Result<(Side, Side), ()> {
    let side = |text: &str| match text.trim() {
        OBJECT_ID => Ok((Type::Text, Texts::ObjectIds)),
        name => parse_type(name).map(|ty| (ty, Texts::Plain)).map_err(drop),
    };
    let (here, there) = text.split_once("->").ok_or(())?;
    Ok((side(here)?, side(there)?))
}

/// Checks that a conversion is that between the types of both sides, and that there is one.
fn check_conversion(
    tables: &Tables<'_>,
    types: &[Vec<Option<Type>>],
    (table, column, target, target_column): (usize, usize, usize, usize),
    convert: &Located<String>,
    mistakes: &mut Mistakes,
) {
    let (here, there) = (&tables.declared[table], &tables.declared[target]);
    if here.store() == there.store() {
        let problem = format!("`{}` is of the same store, whose references convert nothing", there.name.value);
        return mistakes.add(convert.place, problem, "remove `convert`");
    }
    let (Some(ty), Some(target_ty)) = (&types[table][column], &types[target][target_column]) else { return };
    let name = |ty: &Type, is_object_id: bool| if is_object_id { OBJECT_ID.to_owned() } else { ty.to_string() };
    let object_ids = (here.fields[column].object_ids, there.fields[target_column].object_ids);
    let right = format!("{}->{}", name(ty, object_ids.0), name(target_ty, object_ids.1));
    if !is_linkable(ty, target_ty) {
        let problem = format!("values of {ty} and {target_ty} cannot be compared exactly");
        return mistakes.add(convert.place, problem, format!("make the field {target_ty}"));
    }
    let texts = |is_object_id| if is_object_id { Texts::ObjectIds } else { Texts::Plain };
    let meant = ((ty.clone(), texts(object_ids.0)), (target_ty.clone(), texts(object_ids.1)));
    if conversion(&convert.value) != Ok(meant) {
        let problem = format!("`convert` cannot be \"{}\"", convert.value);
        mistakes.add(convert.place, problem, format!("write convert = \"{right}\""));
    }
}

/// Which fields hold object ids: those that say so, and those that take their type from such a key of the same store.
pub(super) fn object_ids(tables: &Tables<'_>, references: &[Resolved<'_>]) -> Vec<Vec<bool>> {
    let holds = |start: FieldAt| {
        let mut here = start;
        // No way is longer than there are references, unless it comes back to where it was.
        for _ in 0..=references.len() {
            let field = tables.field(here);
            if !matches!(field.ty, DeclaredType::Absent) {
                return field.object_ids;
            }
            let next = references.iter().find(|it| it.table == here.0 && it.columns == [here.1] && it.is_of(field));
            let Some(next) = next.filter(|next| !next.is_far(tables)) else { return false };
            here = (next.target, next.target_columns[0]);
        }
        false
    };
    let tables_at = tables.declared.iter().enumerate();
    tables_at.map(|(table, declared)| (0..declared.fields.len()).map(|field| holds((table, field))).collect()).collect()
}

fn check_action(
    table: &DeclaredTable<'_>,
    types: &[Option<Type>],
    key: &str,
    action: &Located<ReferenceAction>,
    columns: &[usize],
    mistakes: &mut Mistakes,
) {
    if table.view.is_some() {
        mistakes.add(action.place, format!("`{key}` has no meaning in a view"), "remove it");
        return;
    }
    let find = |is_unfit: &dyn Fn(usize) -> bool| columns.iter().copied().find(|column| is_unfit(*column));
    // The store itself sets defaults here, so they must be values that it can keep in its own definition.
    let lacks_literal = |column: usize| match (table.fields[column].default, &types[column]) {
        (Some(node), Some(ty)) => computed_default(node.value, ty).is_some(),
        (default, _) => default.is_none(),
    };
    let unfit = match action.value {
        ReferenceAction::Restrict | ReferenceAction::Cascade => None,
        ReferenceAction::SetNull => find(&|column| !table.fields[column].optional)
            .map(|column| (column, "\"set null\" on the required field", "add optional = true to it")),
        ReferenceAction::SetDefault => find(&lacks_literal)
            .map(|column| (column, "\"set default\" without a fixed default of", "give it a value as default")),
    };
    if let Some((column, what, remedy)) = unfit {
        let problem = format!("{what} `{}`", table.fields[column].name.value);
        mistakes.add(action.place, problem, format!("{remedy}, or write {key} = \"cascade\""));
    }
}

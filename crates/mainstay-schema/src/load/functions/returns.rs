//! What a function gives back: what its head says, brought together with what the engine knows of its statement.

use toml::de::DeValue;

use super::super::columns;
use super::super::declared::DeclaredField;
use super::super::field::read_field;
use super::super::node::Entry;
use super::super::source::{Located, Mistakes, Place, listed, near_or};
use super::super::types::{PLAIN_TYPES, parse_type};
use super::{refuse_keys, type_of};
use crate::function::Returns;
use crate::ids::{ColumnId, TableId};
use crate::model::{Access, Column, Reference, ReferenceAction, Rule, Schema, Table, TableKind};
use crate::types::Type;

/// Columns of a statement: name, and type where the engine is sure of it.
pub(super) type Found = Vec<(String, Option<Type>)>;

/// The function whose result is looked at.
pub(super) struct Wanted<'s> {
    pub(super) schema: &'s Schema,
    pub(super) function: &'s str,
    pub(super) access: Rule,
    /// Where the statement begins.
    pub(super) sql: Place,
}

/// What `returns` says.
pub(super) enum Declared<'a> {
    /// Something that cannot be read, which is a mistake noted.
    Broken,
    Void,
    Value(Type),
    Table(TableId),
    Fields(Vec<DeclaredField<'a>>),
}

impl Wanted<'_> {
    /// Reads `returns`.
    pub(super) fn read<'a>(&self, entry: &Entry<'a>, mistakes: &mut Mistakes) -> Declared<'a> {
        if let DeValue::Table(_) = entry.node.value {
            let mut declared = Declared::Broken;
            for member in entry.members("", mistakes).unwrap_or_default() {
                match member.key {
                    "fields" => {
                        let fields = member.members("returns.fields.name = \"text\"", mistakes).unwrap_or_default();
                        declared = Declared::Fields(fields.iter().map(|field| self.field(field, mistakes)).collect());
                    }
                    _ => member.unknown("returns", &[("fields", "")], mistakes),
                }
            }
            return declared;
        }
        let Some(text) = entry.text(mistakes) else { return Declared::Broken };
        if text.value == "void" {
            return Declared::Void;
        }
        if let Ok(ty) = parse_type(&text.value) {
            return Declared::Value(ty);
        }
        let tables = || self.schema.tables().iter().filter(|table| !table.internal);
        if let Some(table) = tables().find(|table| *table.name == *text.value) {
            return Declared::Table(table.id);
        }
        let names = tables().map(|table| &*table.name).chain(PLAIN_TYPES.iter().map(|(name, _)| *name));
        let remedy = near_or(&text.value, names, || {
            "name a table, a type or \"void\", or list the columns: returns.fields.name = \"text\"".to_owned()
        });
        mistakes.add(text.place, format!("`{}` is no table and no type", text.value), remedy);
        Declared::Broken
    }

    fn field<'a>(&self, entry: &Entry<'a>, mistakes: &mut Mistakes) -> DeclaredField<'a> {
        let field = read_field(entry, mistakes);
        let keys = ["unique", "update", "was", "default", "min", "max", "pattern", "format"];
        refuse_keys(&field, "a column of a result", &keys, mistakes);
        field
    }

    /// What comes back, which of its columns each column of the statement is, and which of them are computed. `None`
    /// if it cannot be made out, which is a mistake noted.
    pub(super) fn resolve(
        &self,
        declared: Option<Declared<'_>>,
        rows: Option<Located<bool>>,
        writes: bool,
        found: Option<(Found, bool)>,
        results: &mut Vec<Table>,
        mistakes: &mut Mistakes,
    ) -> Option<(Returns, Vec<ColumnId>, Vec<ColumnId>)> {
        let (found, is_sure) = match found {
            Some((found, is_compound)) => (Some(found), !is_compound),
            None => (None, false),
        };
        self.check_names(found.as_deref(), mistakes)?;
        let many = |default: bool| rows.as_ref().map_or(default, |rows| rows.value);
        let gives_none = found.as_ref().map_or(writes, Vec::is_empty);
        let (returns, columns) = match declared {
            Some(Declared::Broken) => return None,
            Some(Declared::Void) => (self.nothing(found.as_deref(), writes, mistakes)?, Vec::new()),
            None if gives_none => (self.nothing(found.as_deref(), writes, mistakes)?, Vec::new()),
            Some(_) if found.as_ref().is_some_and(Vec::is_empty) => {
                let remedy = if writes { "add RETURNING, or write returns = \"void\"" } else { "select something" };
                mistakes.add(self.sql, "the SQL gives nothing back, and `returns` says that it does", remedy);
                return None;
            }
            Some(Declared::Value(ty)) => {
                let table = self.value(ty, found.as_deref(), results, mistakes)?;
                (Returns::Value { table, many: many(false) }, vec![ColumnId(0)])
            }
            Some(Declared::Table(table)) => {
                let columns = self.of_table(table, found.as_deref(), mistakes)?;
                (Returns::Rows { table, many: many(true) }, columns)
            }
            Some(Declared::Fields(fields)) => {
                let (table, columns) = self.of_fields(&fields, found.as_deref(), results, mistakes)?;
                (Returns::Rows { table, many: many(true) }, columns)
            }
            None => {
                let (table, columns) = self.of_fields(&[], found.as_deref(), results, mistakes)?;
                (Returns::Rows { table, many: many(true) }, columns)
            }
        };
        let computed = match returns {
            Returns::Nothing => {
                if let Some(rows) = rows {
                    mistakes.add(rows.place, "`rows` has no meaning where nothing comes back", "remove it");
                }
                Vec::new()
            }
            Returns::Value { table, .. } | Returns::Rows { table, .. } => {
                let table =
                    results.iter().find(|result| result.id == table).unwrap_or_else(|| self.schema.table(table));
                let is_kept = |at: usize, column: ColumnId| {
                    let found = found.as_ref().and_then(|found| found[at].1.as_ref());
                    is_sure && found == Some(&table.column(column).ty)
                };
                let each = columns.iter().enumerate();
                each.filter(|(at, column)| !is_kept(*at, **column)).map(|(_, column)| *column).collect()
            }
        };
        Some((returns, columns, computed))
    }

    /// A list of documents, for procedures of which nobody says what they give.
    pub(super) fn documents(
        &self,
        rows: Option<Located<bool>>,
        results: &mut Vec<Table>,
    ) -> (Returns, Vec<ColumnId>, Vec<ColumnId>) {
        let table =
            self.add_result(vec![Column::new(ColumnId(0), self.function, Type::Json)], Vec::new(), Vec::new(), results);
        let many = rows.is_none_or(|rows| rows.value);
        (Returns::Value { table, many }, vec![ColumnId(0)], Vec::new())
    }

    /// Two columns of one name could not be told apart.
    fn check_names(&self, found: Option<&[(String, Option<Type>)]>, mistakes: &mut Mistakes) -> Option<()> {
        let found = found.unwrap_or_default();
        let twice = (1..found.len()).find(|at| found[..*at].iter().any(|(name, _)| *name == found[*at].0));
        let Some(at) = twice else { return Some(()) };
        let problem = format!("the SQL gives two columns named `{}`", found[at].0);
        mistakes.add(self.sql, problem, "name one of them otherwise with AS");
        None
    }

    fn nothing(
        &self,
        found: Option<&[(String, Option<Type>)]>,
        writes: bool,
        mistakes: &mut Mistakes,
    ) -> Option<Returns> {
        if found.is_some_and(|found| !found.is_empty()) {
            let problem = "the SQL gives rows back, and `returns` says that it does not";
            mistakes.add(self.sql, problem, "remove RETURNING, or say what comes back");
            return None;
        }
        if !writes {
            mistakes.add(self.sql, "the function gives nothing back and changes nothing", "say what comes back");
            return None;
        }
        Some(Returns::Nothing)
    }

    fn value(
        &self,
        ty: Type,
        found: Option<&[(String, Option<Type>)]>,
        results: &mut Vec<Table>,
        mistakes: &mut Mistakes,
    ) -> Option<TableId> {
        if let Some(found) = found.filter(|found| found.len() != 1) {
            let problem = format!("`returns` says one value of type {ty}, and the SQL gives {} columns", found.len());
            mistakes.add(self.sql, problem, "select one, or list them: returns.fields.name = \"text\"");
            return None;
        }
        Some(self.add_result(vec![Column::new(ColumnId(0), self.function, ty)], Vec::new(), Vec::new(), results))
    }

    /// The columns of a table in the order of the statement, which must give each of them once.
    fn of_table(
        &self,
        table: TableId,
        found: Option<&[(String, Option<Type>)]>,
        mistakes: &mut Mistakes,
    ) -> Option<Vec<ColumnId>> {
        let table = self.schema.table(table);
        let Some(found) = found else { return Some(table.columns.iter().map(|column| column.id).collect()) };
        let columns: Vec<_> = found.iter().map(|(name, _)| table.find_column(name)).collect();
        let lacking = table.columns.iter().filter(|column| found.iter().all(|(name, _)| **name != *column.name));
        let lacking: Vec<&str> = lacking.map(|column| &*column.name).collect();
        let strange = found.iter().zip(&columns).filter(|(_, column)| column.is_none());
        let strange: Vec<&str> = strange.map(|((name, _), _)| name.as_str()).collect();
        for (names, what) in [(lacking, "lacks"), (strange, "also gives")] {
            if !names.is_empty() {
                let problem =
                    format!("rows of `{}` should come back, and the SQL {what} {}", table.name, listed(names));
                mistakes.add(
                    self.sql,
                    problem,
                    "select exactly the columns of the table, or list yours in returns.fields",
                );
            }
        }
        columns.into_iter().map(|column| Some(column?.id)).collect::<Option<Vec<_>>>().filter(|all| {
            // Names differ, so as many as the table has are all of them.
            all.len() == table.columns.len()
        })
    }

    /// A result table of the declared fields, and of the columns whose type the engine knows.
    fn of_fields(
        &self,
        fields: &[DeclaredField<'_>],
        found: Option<&[(String, Option<Type>)]>,
        results: &mut Vec<Table>,
        mistakes: &mut Mistakes,
    ) -> Option<(TableId, Vec<ColumnId>)> {
        let before = mistakes.count();
        let names: Vec<(String, Option<Type>)> = match found {
            Some(found) => found.to_vec(),
            None => fields.iter().map(|field| (field.name.value.clone(), None)).collect(),
        };
        for field in fields {
            let name = &field.name.value;
            if names.iter().all(|(found, _)| found != name) {
                let known = names.iter().map(|(name, _)| name.as_str());
                let remedy = near_or(name, known.clone(), || format!("its columns are {}", listed(known)));
                mistakes.add(field.name.place, format!("the SQL gives no column `{name}`"), remedy);
            }
        }
        let mut columns = Vec::with_capacity(names.len());
        let (mut key, mut references) = (Vec::new(), Vec::new());
        let mut untyped = Vec::new();
        for (at, (name, ty)) in names.iter().enumerate() {
            let id = ColumnId(at as u32);
            let Some(field) = fields.iter().find(|field| field.name.value == *name) else {
                match ty {
                    Some(ty) => columns.push(Column::new(ColumnId(at as u32), name.as_str(), ty.clone())),
                    None => untyped.push(name.as_str()),
                }
                continue;
            };
            let target = field.reference.as_ref().and_then(|to| self.target(to, mistakes));
            let declared = match target {
                Some((table, column)) => Some(self.schema.table(table).column(column).ty.clone()),
                None => type_of(field, mistakes),
            };
            let Some(ty) = declared else { continue };
            columns.push(columns::of_field(field, at, &ty, None, false, mistakes));
            if field.primary.is_some() {
                key.push(id);
            }
            references.extend(target.map(|(target, column)| Reference {
                name: format!("{}_{name}_fkey", self.function).into(),
                columns: vec![id],
                target,
                target_columns: vec![column],
                on_delete: ReferenceAction::default(),
                on_update: ReferenceAction::default(),
            }));
        }
        if !untyped.is_empty() {
            let problem = format!("the SQL computes {}, and nothing says of which type", listed(&untyped));
            let remedy = format!("say it in the head: returns.fields.{} = \"text\", or another type", untyped[0]);
            mistakes.add(self.sql, problem, remedy);
        }
        if mistakes.count() > before || columns.len() < names.len() {
            return None;
        }
        let ids = columns.iter().map(|column| column.id).collect();
        Some((self.add_result(columns, key, references, results), ids))
    }

    /// The key that `ref` names: `table` or `table.column`.
    fn target(&self, to: &Located<String>, mistakes: &mut Mistakes) -> Option<(TableId, ColumnId)> {
        let (table, column) = to.value.split_once('.').map_or((&*to.value, None), |(a, b)| (a, Some(b)));
        let tables = || self.schema.tables().iter().filter(|table| !table.internal);
        let Some(table) = tables().find(|found| &*found.name == table) else {
            let remedy = near_or(table, tables().map(|table| &*table.name), || "name a table".to_owned());
            mistakes.add(to.place, format!("there is no table `{table}`"), remedy);
            return None;
        };
        let key = match (column, table.primary_key.as_slice()) {
            (Some(name), _) => table.find_column(name).map(|column| column.id).filter(|id| table.is_key(&[*id])),
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        if key.is_none() {
            let problem = format!("`{}` is no key of one column", to.value);
            mistakes.add(to.place, problem, "write ref = \"table.field\" with a field that is a key by itself");
        }
        key.map(|key| (table.id, key))
    }

    fn add_result(
        &self,
        columns: Vec<Column>,
        primary_key: Vec<ColumnId>,
        references: Vec<Reference>,
        results: &mut Vec<Table>,
    ) -> TableId {
        let id = TableId((self.schema.tables().len() + results.len()) as u32);
        // Computed rows, as those of a view; the query is that of the function.
        let kind = TableKind::View { sql: String::new() };
        let access = Access { read: self.access, ..Access::default() };
        results.push(Table { primary_key, references, access, ..Table::new(id, self.function, kind, columns) });
        id
    }
}

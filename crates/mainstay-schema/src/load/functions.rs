//! SQL files to the functions of a [`Schema`].
//!
//! A file is a head of TOML (`head`) and one statement (`statement`). What the statement gives back and whether it may
//! run at all only an engine knows: it is asked through [`Probe`], and its answer is compared with what the head says
//! (`returns`). Every mistake of every file is found in one run, as in the schema files.

mod head;
mod returns;
mod statement;

use std::path::Path;

use toml::de::DeTable;

use super::declared::{DeclaredField, DeclaredType};
use super::field::read_field;
use super::naming::name_problem;
use super::node::{self, Entry, Node};
use super::source::{Located, Mistakes, Place, listed, near_or};
use super::table::read_rule;
use super::words::FUNCTION_KEYS;
use super::{SourceFile, columns, toml_remedy};
use crate::error::Mistake;
use crate::function::{Function, Piece, Returns, Sql, SqlKind};
use crate::ids::FunctionId;
use crate::model::{Column, Rule, Schema, Table};
use crate::types::Type;
pub use statement::{Lexis, Statement};

/// Most parameters of one function.
pub const PARAMETERS_MAX: usize = 64;

/// Names that a query string keeps for itself, so that a parameter could not be given in one.
const RESERVED_PARAMETERS: [&str; 8] = ["select", "order", "limit", "offset", "and", "or", "columns", "on_conflict"];

/// Whoever knows what statements mean: an engine, or nobody in tests of what needs none.
pub trait Probe {
    /// What the statement does and gives back; `None` if that is not known.
    ///
    /// # Errors
    /// [`Refused`] if it cannot run, or must not.
    fn probe(&self, statement: &Statement) -> Result<Option<Probed>, Refused>;

    /// How the engine cuts text into words.
    fn lexis(&self) -> Lexis {
        Lexis::default()
    }
}

/// What an engine says about a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probed {
    /// Columns of the result, in order: name, and type where it is that of a table's column taken as it is.
    pub columns: Vec<(String, Option<Type>)>,
    /// Whether it changes rows.
    pub writes: bool,
}

/// Why an engine does not take a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
    /// Where in the text of the statement, in bytes.
    pub at: Option<usize>,
}

/// Knows nothing: statements are taken as their heads describe them.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn probe(&self, _: &Statement) -> Result<Option<Probed>, Refused> {
        Ok(None)
    }
}

/// Adds the functions of `files` to a schema: `name.sql`, or `name.variant.sql` where several functions of one name
/// differ in their parameters. A file goes before functions of its name that were found in the database.
///
/// # Errors
/// Every mistake of all files, in order of file and line.
pub fn load_functions(schema: Schema, files: &[SourceFile], probe: &dyn Probe) -> Result<Schema, Vec<Mistake>> {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut mistakes = Mistakes::default();
    let (mut functions, mut results): (Vec<Function>, Vec<Table>) = (Vec::new(), schema.results().to_vec());
    for (file, source) in files.iter().enumerate() {
        let reader = Reader { schema: &schema, file, source: &source.text, probe };
        let Some(function) = reader.function(&source.path, &mut results, &mut mistakes) else { continue };
        if let Some(twin) = functions.iter().find(|other| is_twin(other, &function)) {
            let problem = format!("another file declares `{}` with the same parameters", twin.name);
            mistakes.add(Place { file, at: 0 }, problem, "give one of them other parameters, or another name");
        }
        functions.push(function);
    }
    if mistakes.count() > 0 {
        return Err(mistakes.into_sorted(&files));
    }
    let is_free = |stored: &&Function| functions.iter().all(|function| function.name != stored.name);
    let stored: Vec<Function> = schema.functions().iter().filter(is_free).cloned().collect();
    functions.extend(stored);
    for (position, function) in functions.iter_mut().enumerate() {
        function.id = FunctionId(position as u32);
    }
    Ok(schema.with_functions(functions, results))
}

/// Whether no call could tell the two apart.
fn is_twin(a: &Function, b: &Function) -> bool {
    let within = |a: &Function, b: &Function| a.parameters.iter().all(|one| b.find_parameter(&one.name).is_some());
    a.name == b.name && a.takes_body == b.takes_body && within(a, b) && within(b, a)
}

/// One file.
struct Reader<'s> {
    schema: &'s Schema,
    file: usize,
    source: &'s str,
    probe: &'s dyn Probe,
}

/// What a head says, names still text.
#[derive(Default)]
struct Head<'a> {
    description: Option<String>,
    access: Rule,
    parameters: Vec<DeclaredField<'a>>,
    body: Option<Located<String>>,
    writes: bool,
    returns: Option<Entry<'a>>,
    rows: Option<Located<bool>>,
}

impl Reader<'_> {
    /// The function of the file; `None` if there is too little of it, which is a mistake already noted. Its id is not
    /// set yet.
    fn function(&self, path: &Path, results: &mut Vec<Table>, mistakes: &mut Mistakes) -> Option<Function> {
        let name = self.name(path, mistakes);
        let (toml, start) = head::split(self.file, self.source, mistakes);
        let document = match DeTable::parse(&toml) {
            Ok(document) => Some(document.into_inner()),
            Err(error) => {
                let place = self.place(error.span().map_or(0, |span| span.start));
                let reason = error.message().lines().collect::<Vec<_>>().join(", ");
                mistakes.add(place, format!("the head is not TOML: {reason}"), toml_remedy(&reason));
                None
            }
        };
        let statement = statement::read((self.file, self.source), start, self.probe.lexis(), mistakes);
        let head = self.head(&node::entries(self.file, document.as_ref()?), mistakes);
        let parameters = self.parameters(&head.parameters, mistakes);
        let takes_body = head.body.as_ref().is_some_and(|body| self.check_body(body, &head, &parameters, mistakes));
        let (mut statement, begin) = statement?;
        let pieces = self.pieces(&statement, begin, &head.parameters, mistakes)?;
        statement.add_types(&parameters);
        let probed = match self.probe.probe(&statement) {
            Ok(probed) => probed,
            Err(refused) => {
                let at = begin + refused.at.unwrap_or(0).min(statement.text.len());
                mistakes.add(self.place(at), refused.problem, refused.remedy);
                return None;
            }
        };
        self.check_writes(head.writes, probed.as_ref(), begin, mistakes);
        let wanted =
            returns::Wanted { schema: self.schema, function: &name, access: head.access, sql: self.place(begin) };
        let declared = head.returns.as_ref().map(|entry| wanted.read(entry, mistakes));
        let probed = probed.map(|probed| (probed.columns, statement.is_compound));
        // Of a procedure nobody knows what it gives before it is called.
        let is_open = statement.is_call && declared.is_none();
        let (returns, columns, computed) = match is_open {
            true => wanted.documents(head.rows, results),
            false => wanted.resolve(declared, head.rows, head.writes, probed, results, mistakes)?,
        };
        let kind = match (statement.is_call, is_open, returns) {
            (false, ..) => SqlKind::Statement,
            (true, true, _) | (true, _, Returns::Nothing) => SqlKind::Sets,
            (true, false, _) => SqlKind::Call,
        };
        Some(Function {
            id: FunctionId(0),
            name: name.as_str().into(),
            description: head.description,
            parameters,
            takes_body,
            returns,
            writes: head.writes,
            access: head.access,
            sql: Sql { pieces, columns, computed, kind, is_ordered: statement.is_ordered },
            is_stored: false,
        })
    }

    fn place(&self, at: usize) -> Place {
        Place { file: self.file, at }
    }

    /// The part of the file's name before its first point.
    fn name(&self, path: &Path, mistakes: &mut Mistakes) -> String {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = file.split('.').next().unwrap_or_default();
        if let Some((problem, remedy)) = name_problem(name) {
            mistakes.add(self.place(0), format!("the file's name is that of the function, and {problem}"), remedy);
        }
        name.to_owned()
    }

    fn head<'a>(&self, entries: &[Entry<'a>], mistakes: &mut Mistakes) -> Head<'a> {
        let mut head = Head::default();
        for entry in entries {
            match entry.key {
                "description" => head.description = entry.text(mistakes).map(|text| text.value),
                "access" => head.access = read_rule(entry, mistakes),
                "params" => {
                    let members = entry.members("params.name = \"text\"", mistakes).unwrap_or_default();
                    head.parameters = members.iter().map(|member| read_field(member, mistakes)).collect();
                }
                "body" => head.body = entry.text(mistakes),
                "writes" => head.writes = entry.flag(mistakes).unwrap_or_default(),
                "returns" => head.returns = Some(*entry),
                "rows" => head.rows = read_rows(entry, mistakes),
                _ => entry.unknown("a function", &FUNCTION_KEYS, mistakes),
            }
        }
        head
    }

    fn parameters(&self, fields: &[DeclaredField<'_>], mistakes: &mut Mistakes) -> Vec<Column> {
        if fields.len() > PARAMETERS_MAX {
            let problem = format!("the function has {} parameters; it can have {PARAMETERS_MAX}", fields.len());
            mistakes.add(fields[PARAMETERS_MAX].name.place, problem, "take some together in one of type json");
        }
        for (at, field) in fields.iter().enumerate() {
            check_parameter_name(&field.name, mistakes);
            if fields[..at].iter().any(|other| other.name.value.eq_ignore_ascii_case(&field.name.value)) {
                let problem = format!("the parameter `{}` differs from another in case only", field.name.value);
                mistakes.add(field.name.place, problem, "give it another name");
            }
            refuse_keys(field, "a parameter", &["unique", "primary", "ref", "update", "was"], mistakes);
        }
        build_columns(fields, mistakes)
    }

    /// Whether the one parameter that is named can take the body of a request.
    fn check_body(
        &self,
        body: &Located<String>,
        head: &Head<'_>,
        parameters: &[Column],
        mistakes: &mut Mistakes,
    ) -> bool {
        let is_good = match head.parameters.as_slice() {
            [only] if only.name.value == body.value => {
                parameters.iter().all(|only| matches!(only.ty, Type::Json | Type::Text | Type::Bytes))
            }
            _ => false,
        };
        if !is_good {
            let problem = format!("`body` must name the only parameter, and `{}` is not that", body.value);
            mistakes.add(body.place, problem, "declare one parameter of type json, text or bytes, and name it here");
        }
        is_good
    }

    /// The statement cut at its parameters; every one must be declared, and every declared one used.
    fn pieces(
        &self,
        statement: &Statement,
        begin: usize,
        fields: &[DeclaredField<'_>],
        mistakes: &mut Mistakes,
    ) -> Option<Vec<Piece>> {
        let before = mistakes.count();
        let names = || fields.iter().map(|field| field.name.value.as_str());
        let place = |name: &str| names().position(|declared| declared == name).map(|at| crate::ColumnId(at as u32));
        for (range, name) in &statement.parameters {
            if place(name).is_none() {
                let remedy = near_or(name, names(), || format!("declare it in the head: params.{name} = \"text\""));
                mistakes.add(self.place(begin + range.start), format!("there is no parameter `{name}`"), remedy);
            }
        }
        let pieces = statement.pieces(place);
        for field in fields {
            if statement.parameters.iter().all(|(_, name)| *name != field.name.value) {
                let problem = format!("the SQL does not use the parameter `{}`", field.name.value);
                mistakes.add(field.name.place, problem, format!("write :{} in it, or remove it", field.name.value));
            }
        }
        (mistakes.count() == before).then_some(pieces)
    }

    fn check_writes(&self, says_writes: bool, probed: Option<&Probed>, begin: usize, mistakes: &mut Mistakes) {
        let Some(writes) = probed.map(|probed| probed.writes) else { return };
        let (problem, remedy) = match (says_writes, writes) {
            (false, true) => ("the SQL changes rows, and the head does not say so", "add writes = true to the head"),
            (true, false) => ("the head says that it writes, and the SQL only reads", "remove writes = true"),
            _ => return,
        };
        mistakes.add(self.place(begin), problem, remedy);
    }
}

fn read_rows(entry: &Entry<'_>, mistakes: &mut Mistakes) -> Option<Located<bool>> {
    let word = entry.text(mistakes)?;
    let value = match word.value.as_str() {
        "one" => false,
        "many" => true,
        other => {
            mistakes.add(word.place, format!("`rows` cannot be \"{other}\""), "write \"one\" or \"many\"");
            return None;
        }
    };
    Some(Located { value, place: word.place })
}

/// SQL and query strings must both be able to carry it.
fn check_parameter_name(name: &Located<String>, mistakes: &mut Mistakes) {
    let text = &name.value;
    if let Some((problem, remedy)) = name_problem(text) {
        mistakes.add(name.place, problem, remedy);
    } else if !text.chars().all(|c| c.is_alphanumeric() || c == '_') {
        let problem = format!("the parameter `{text}` could not be written in SQL");
        mistakes.add(name.place, problem, "use letters, digits and `_`");
    } else if RESERVED_PARAMETERS.contains(&text.as_str()) {
        let problem = format!("the parameter `{text}` could not be given in a query string, where it means something");
        mistakes.add(name.place, problem, format!("name it otherwise; {} are taken", listed(RESERVED_PARAMETERS)));
    }
}

/// Notes keys of fields that mean nothing at `what`.
fn refuse_keys(field: &DeclaredField<'_>, what: &str, keys: &[&str], mistakes: &mut Mistakes) {
    let node_place = |node: &Option<Node<'_>>| node.as_ref().map(|node| node.place);
    let all = [
        ("unique", field.unique.then_some(field.name.place)),
        ("primary", field.primary),
        ("ref", field.reference.as_ref().map(|text| text.place)),
        ("update", field.touched),
        ("was", field.was.as_ref().map(|text| text.place)),
        ("default", node_place(&field.default)),
        ("min", node_place(&field.min)),
        ("max", node_place(&field.max)),
        ("pattern", field.pattern.as_ref().map(|pattern| pattern.place)),
        ("format", field.format.as_ref().map(|format| format.place)),
        ("enum", field.variants.as_ref().map(|list| list.place)),
    ];
    for (key, place) in all {
        if let Some(place) = place.filter(|_| keys.contains(&key)) {
            mistakes.add(place, format!("`{key}` has no meaning at {what}"), "remove it");
        }
    }
}

/// The fields as columns; one whose type is not known is left out, which is a mistake noted.
fn build_columns(fields: &[DeclaredField<'_>], mistakes: &mut Mistakes) -> Vec<Column> {
    let types: Vec<Option<Type>> = fields.iter().map(|field| type_of(field, mistakes)).collect();
    types
        .iter()
        .enumerate()
        .filter_map(|(at, ty)| {
            let field = &fields[at];
            Some(columns::of_field(field, at, ty.as_ref()?, field.default, false, mistakes))
        })
        .collect()
}

fn type_of(field: &DeclaredField<'_>, mistakes: &mut Mistakes) -> Option<Type> {
    match &field.ty {
        DeclaredType::Given(ty) => Some(ty.value.clone()),
        DeclaredType::Absent if field.variants.is_some() => Some(Type::Text),
        // What refers to a table says so elsewhere.
        DeclaredType::Absent if field.reference.is_some() => None,
        DeclaredType::Absent => {
            let problem = format!("`{}` has no type", field.name.value);
            mistakes.add(field.name.place, problem, format!("write {} = \"text\", or another type", field.name.value));
            None
        }
        DeclaredType::Broken => None,
    }
}

#[cfg(test)]
mod tests;

//! The functions and procedures that the database holds, as functions of the schema.
//!
//! The catalog tells all of them: what goes in, what comes back, and whether rows may change. A function stands in `FROM`,
//! whatever it gives, so that the server sees one source of rows and calls it once.

use std::collections::HashMap;

use mainstay_schema::found::{FoundColumn, FoundTable};
use mainstay_schema::function::{Optional, Piece, Sql};
use mainstay_schema::load::PARAMETERS_MAX;
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Function, FunctionId, Returns, Rule, SqlKind, Table, TableId, TableKind, Type,
};

use super::catalog::{CatalogColumn, CatalogParameter, CatalogRoutine};
use super::{Made, found_column, made_column, types};
use crate::postgres::render::ddl::quoted;
use crate::postgres::render::insert::parted;
use crate::postgres::render::names::type_name;

/// Most functions and procedures that are served.
const ROUTINES_MAX: usize = 10_000;
/// What a parameter that takes the whole body is called, since it has no name.
const BODY: &str = "body";

/// Functions, and the results that are tables of none but them, with what is known of each.
#[derive(Default)]
pub(super) struct Routines {
    pub(super) functions: Vec<Function>,
    pub(super) results: Vec<Table>,
    pub(super) about: Vec<FoundTable>,
}

/// The functions over these tables. What cannot be called is said in `left_out`.
pub(super) fn routines(
    all: &[CatalogRoutine],
    namespace: &str,
    (made, places): (&[Made<'_>], &HashMap<i64, usize>),
    left_out: &mut Vec<String>,
) -> Routines {
    let mut routines = Routines::default();
    for routine in all.iter().filter(|routine| !routine.name.starts_with("_mainstay")) {
        let served = places.get(&routine.relation).map(|at| &made[*at]);
        let next = TableId((made.len() + routines.results.len()) as u32);
        let function = match routines.functions.len() < ROUTINES_MAX {
            true => function(routine, namespace, served, next),
            false => Err(format!("there are more than {ROUTINES_MAX}")),
        };
        match function {
            Ok((function, own)) => {
                let id = FunctionId(routines.functions.len() as u32);
                routines.functions.push(Function { id, ..function });
                if let Some((result, about)) = own {
                    routines.results.push(result);
                    routines.about.push(about);
                }
            }
            Err(why) => {
                let what = if routine.is_procedure { "procedure" } else { "function" };
                left_out.push(format!("the {what} {}: {why}", routine.name));
            }
        }
    }
    routines
}

/// A table that is the result of one function, and what is known of it.
type Own = (Table, FoundTable);

/// A function; `served` is the table whose rows it gives, if it gives those of one.
fn function(
    routine: &CatalogRoutine,
    namespace: &str,
    served: Option<&Made<'_>>,
    next: TableId,
) -> Result<(Function, Option<Own>), String> {
    let inputs: Vec<&CatalogParameter> = routine.parameters.iter().filter(|parameter| parameter.goes_in()).collect();
    let takes_body = matches!(inputs.as_slice(), [only] if only.column.name.is_empty() && can_be_body(&only.column));
    check(routine, &inputs, takes_body)?;
    let (returns, own) = given(routine, served, next)?;
    let (result, about) = match (&own, served) {
        (Some((table, about)), _) => (Some(table), Some(about)),
        (None, Some(made)) if returns != Returns::Nothing => (Some(&made.table), Some(&made.about)),
        _ => (None, None),
    };
    let writes = routine.is_procedure || routine.volatility == "v" || returns == Returns::Nothing;
    let parameter = |(at, parameter): (usize, &&CatalogParameter)| Column {
        optional: false,
        default: omitted(parameter).map(DefaultValue::Expression),
        ..made_column(ColumnId(at as u32), &named(&parameter.column, BODY))
    };
    let parameters: Vec<Column> = inputs.iter().enumerate().map(parameter).collect();
    let opaque = |about: &FoundTable| about.columns.iter().map(|column| column.opaque).collect::<Vec<_>>();
    let shown = shown(result, about.map(opaque).filter(|_| writes && !routine.is_procedure));
    let mut pieces = vec![Piece::Text(match routine.is_procedure {
        true => format!("CALL {}.{}(", quoted(namespace), quoted(&routine.name)),
        false => format!("SELECT {} FROM {}.{}(", shown.list, quoted(namespace), quoted(&routine.name)),
    })];
    arguments(routine, &parameters, &mut pieces);
    let is_row = !routine.gives_set && own.as_ref().map_or(returns != Returns::Nothing, |_| routine.relation != 0);
    pieces.push(Piece::Text(match (routine.is_procedure, is_row) {
        (true, _) => ")".to_owned(),
        (false, false) => format!(") AS r{}", shown.names),
        // What gives null where a row would be gives no row.
        (false, true) => format!(") AS r{} WHERE NOT (r IS NULL)", shown.names),
    }));
    let function = Function {
        id: FunctionId(0),
        name: routine.name.as_str().into(),
        description: routine.description.clone(),
        parameters,
        takes_body,
        returns,
        // What gives nothing is called for what it does, whatever it says.
        writes,
        access: Rule::Never,
        sql: Sql {
            pieces,
            columns: result.iter().flat_map(|table| &table.columns).map(|column| column.id).collect(),
            computed: Vec::new(),
            kind: match (routine.is_procedure, returns) {
                (false, _) => SqlKind::Statement,
                (true, Returns::Nothing) => SqlKind::Sets,
                (true, _) => SqlKind::Out,
            },
            is_ordered: false,
        },
        is_stored: true,
    };
    Ok((function, own))
}

/// Whether a parameter without a name can take the body of a request.
fn can_be_body(column: &CatalogColumn) -> bool {
    column.base_schema == "pg_catalog" && ["json", "jsonb", "text", "bytea", "xml"].contains(&&*column.base)
}

/// Whether values from outside can be all of these parameters.
fn check(routine: &CatalogRoutine, inputs: &[&CatalogParameter], takes_body: bool) -> Result<(), String> {
    if inputs.len() > PARAMETERS_MAX {
        return Err(format!("it has more than {PARAMETERS_MAX} parameters"));
    }
    for column in inputs.iter().map(|parameter| &parameter.column) {
        if column.name.is_empty() && !takes_body {
            return Err("its parameters have no names, and arguments are given by them".to_owned());
        }
        if column.kind == "p" {
            return Err(format!("its parameter {} is {}, which may be of any type", column.name, column.declared));
        }
        // Made of a list of documents by a query, which `CALL` does not take.
        let is_list = column.item_kind.as_deref() == Some("c");
        if is_list && (routine.is_procedure || !column.declared.ends_with("[]")) {
            return Err(format!("its parameter {} is a list of composite values", column.name));
        }
    }
    Ok(())
}

/// What a function gives, and the table of it where that is none of those that are served.
fn given(routine: &CatalogRoutine, served: Option<&Made<'_>>, next: TableId) -> Result<(Returns, Option<Own>), String> {
    let outputs: Vec<&CatalogParameter> = routine.parameters.iter().filter(|parameter| parameter.comes_out()).collect();
    let many = routine.gives_set;
    let rows = |columns: Vec<CatalogColumn>| {
        if let Some(column) = columns.iter().find(|column| column.kind == "p") {
            return Err(format!("its column {} is {}, which may be of any type", column.name, column.declared));
        }
        Ok((Returns::Rows { table: next, many }, Some(result(&routine.name, next, &columns))))
    };
    let is_composite = routine.relation != 0;
    // One output parameter alone is what comes back; if that is a row, its columns are.
    let is_whole = outputs.len() == 1 && is_composite && !routine.is_procedure;
    if !outputs.is_empty() && !is_whole {
        // What `CALL` gives cannot be cast.
        let is_unread = |one: &&&CatalogParameter| routine.is_procedure && types::is_opaque(&one.column);
        if let Some(CatalogParameter { column, .. }) = outputs.iter().find(is_unread) {
            return Err(format!("its output parameter {} is {}: let it be text", column.name, column.declared));
        }
        let columns = outputs.iter().enumerate();
        return rows(columns.map(|(at, one)| named(&one.column, &format!("column{}", at + 1))).collect());
    }
    match (&routine.result, served) {
        _ if routine.is_procedure => Ok((Returns::Nothing, None)),
        (one, _) if one.declared == "void" => Ok((Returns::Nothing, None)),
        (_, Some(made)) => Ok((Returns::Rows { table: made.table.id, many }, None)),
        (one, None) if is_composite && routine.columns.is_empty() => {
            Err(format!("it gives rows of {}, which has no columns", one.declared))
        }
        (_, None) if is_composite => rows(routine.columns.clone()),
        (one, None) if one.declared == "record" => {
            let columns = "what columns it gives is said by who calls it";
            Err(format!("{columns}: write queries/{}.sql with SELECT * FROM {0}(…) AS r(a int, …)", routine.name))
        }
        (one, None) if one.kind == "p" => Err(format!("it gives {}, which may be of any type", one.declared)),
        (one, None) => {
            let own = result(&routine.name, next, std::slice::from_ref(one));
            Ok((Returns::Value { table: next, many }, Some(own)))
        }
    }
}

fn result(name: &str, id: TableId, columns: &[CatalogColumn]) -> Own {
    let made = columns.iter().enumerate().map(|(at, column)| made_column(ColumnId(at as u32), column)).collect();
    let about: Vec<FoundColumn> = columns.iter().map(found_column).collect();
    let table = Table::new(id, name, TableKind::View { sql: String::new() }, made);
    (table, FoundTable { is_view: true, columns: about, ..FoundTable::default() })
}

/// A column with this name, if it has none.
fn named(column: &CatalogColumn, otherwise: &str) -> CatalogColumn {
    let name = if column.name.is_empty() { otherwise.to_owned() } else { column.name.clone() };
    CatalogColumn { name, ..column.clone() }
}

/// What stands for an argument that is not given.
fn omitted(parameter: &CatalogParameter) -> Option<String> {
    let nothing = || (parameter.mode == "v").then(|| "'{}'".to_owned());
    parameter.column.default.clone().or_else(nothing)
}

/// How a function's rows are asked for: the list behind `SELECT`, and names of columns behind the name of the rows.
struct Shown {
    list: String,
    names: String,
}

/// What is run by itself has to give what the driver can read; elsewhere values stay what they are, to be compared so.
fn shown(result: Option<&Table>, opaque: Option<Vec<bool>>) -> Shown {
    let all = Shown { list: "*".to_owned(), names: String::new() };
    let (Some(table), Some(opaque)) = (result, opaque.filter(|opaque| opaque.contains(&true))) else { return all };
    let names: Vec<String> = (0..opaque.len()).map(|at| format!("c{at}")).collect();
    let one = |((name, is_opaque), column): ((&String, &bool), &Column)| match (is_opaque, &column.ty) {
        (false, _) => format!("r.{name}"),
        (true, Type::Json | Type::Array(_)) => format!("to_json(r.{name})"),
        (true, _) => format!("to_json(r.{name})#>>'{{}}'"),
    };
    let list: Vec<String> = names.iter().zip(&opaque).zip(&table.columns).map(one).collect();
    Shown { list: list.join(","), names: format!("({})", names.join(",")) }
}

/// Writes the arguments by their places, all of them, so that there is one function that takes them.
fn arguments(routine: &CatalogRoutine, parameters: &[Column], pieces: &mut Vec<Piece>) {
    let mut columns = parameters.iter();
    let all = routine.parameters.iter().filter(|one| one.goes_in() || (routine.is_procedure && one.comes_out()));
    for (position, parameter) in all.enumerate() {
        let mut start = if position > 0 { ",".to_owned() } else { String::new() };
        if parameter.mode == "v" {
            start.push_str("VARIADIC ");
        }
        let Some(column) = parameter.goes_in().then(|| columns.next()).flatten() else {
            pieces.push(Piece::Text(start + "NULL"));
            continue;
        };
        let declared = &parameter.column.declared;
        let is_parted = parameter.column.kind == "c" || parameter.column.item_kind.as_deref() == Some("c");
        let (before, after) = match is_parted {
            true => parted(declared),
            false if type_name(&column.ty) == *declared => Default::default(),
            false => ("(".to_owned(), format!(")::{declared}")),
        };
        pieces.push(Piece::Text(start));
        match &column.default {
            Some(DefaultValue::Expression(text)) => pieces.push(Piece::Optional(Box::new(Optional {
                parameter: column.id,
                before,
                after,
                otherwise: format!("({text})::{declared}"),
            }))),
            _ => pieces.extend([Piece::Text(before), Piece::Parameter(column.id), Piece::Text(after)]),
        }
    }
}

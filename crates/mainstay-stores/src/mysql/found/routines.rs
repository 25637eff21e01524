//! The functions and procedures that the database holds, as functions of the schema.
//!
//! `information_schema` tells their parameters and what functions return; of the rows that procedures give it says nothing.
//! So output parameters are the columns of one row, and sets of rows are documents, unless a file of the project says more.

use std::collections::HashMap;

use mainstay_schema::function::{Piece, Sql};
use mainstay_schema::load::PARAMETERS_MAX;
use mainstay_schema::model::Checks;
use mainstay_schema::{
    Column, ColumnId, Function, FunctionId, Returns, Rule, SqlKind, Table, TableId, TableKind, Type,
};

use super::catalog::{CatalogColumn, optional, rows, text};
use super::{some, types};
use crate::mysql::errors::Failure;
use crate::mysql::render::ddl::quoted;
use crate::mysql::session::Session;

/// Most functions and procedures that are served.
const ROUTINES_MAX: usize = 10_000;

/// A function or procedure.
#[derive(Debug, Default)]
pub(super) struct CatalogRoutine {
    name: String,
    is_function: bool,
    /// `CONTAINS SQL`, which is what is not said otherwise, `NO SQL`, `READS SQL DATA`, `MODIFIES SQL DATA`.
    access: String,
    is_deterministic: bool,
    comment: String,
    /// Its text; nothing where the user may not see it.
    body: Option<String>,
    parameters: Vec<CatalogParameter>,
}

/// A parameter, or what a function returns, which has no mode.
#[derive(Debug)]
struct CatalogParameter {
    mode: String,
    column: CatalogColumn,
}

const ROUTINES: &str = "\
SELECT routine_name, routine_type, sql_data_access, is_deterministic, routine_comment, routine_definition
FROM information_schema.routines
WHERE routine_schema = DATABASE() AND routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY routine_type, routine_name";

const PARAMETERS: &str = "\
SELECT specific_name, routine_type, COALESCE(parameter_mode, ''), COALESCE(parameter_name, ''), LOWER(data_type), \
dtd_identifier, numeric_precision, numeric_scale
FROM information_schema.parameters
WHERE specific_schema = DATABASE() ORDER BY routine_type, specific_name, ordinal_position";

/// Asks for all of them.
pub(super) async fn read(session: &mut Session) -> Result<Vec<CatalogRoutine>, Failure> {
    let mut routines: Vec<CatalogRoutine> = Vec::new();
    for row in rows(session, ROUTINES).await? {
        routines.push(CatalogRoutine {
            name: text(&row, 0),
            is_function: text(&row, 1) == "FUNCTION",
            access: text(&row, 2),
            is_deterministic: text(&row, 3) == "YES",
            comment: text(&row, 4),
            body: optional(&row, 5),
            parameters: Vec::new(),
        });
    }
    if routines.is_empty() {
        return Ok(routines);
    }
    let places = routines.iter().enumerate().map(|(at, one)| ((one.name.clone(), one.is_function), at));
    let places: HashMap<(String, bool), usize> = places.collect();
    for row in rows(session, PARAMETERS).await? {
        let Some(at) = places.get(&(text(&row, 0), text(&row, 1) == "FUNCTION")) else { continue };
        let owner = &mut routines[*at];
        let digits = |at| optional(&row, at).and_then(|digits| digits.parse().ok());
        owner.parameters.push(CatalogParameter {
            mode: text(&row, 2),
            column: CatalogColumn {
                table: String::new(),
                name: text(&row, 3),
                data_type: text(&row, 4),
                column_type: text(&row, 5),
                precision: digits(6),
                scale: digits(7),
                is_nullable: true,
                default: None,
                extra: String::new(),
                comment: String::new(),
                generation: String::new(),
            },
        });
    }
    Ok(routines)
}

/// The functions, and the tables of their results, whose ids begin at `first`. What cannot be called is said in
/// `left_out`.
pub(super) fn functions(
    routines: &[CatalogRoutine],
    database: &str,
    first: usize,
    left_out: &mut Vec<String>,
) -> (Vec<Function>, Vec<Table>) {
    let (mut functions, mut results): (Vec<Function>, Vec<Table>) = (Vec::new(), Vec::new());
    // There is a function and a procedure of one name at most.
    let mut named: HashMap<&str, usize> = HashMap::new();
    for routine in routines.iter().filter(|routine| !routine.name.starts_with("_mainstay")) {
        let what = if routine.is_function { "function" } else { "procedure" };
        let mut leave = |why: String| left_out.push(format!("the {what} {}: {why}", routine.name));
        if functions.len() >= ROUTINES_MAX {
            leave(format!("there are more than {ROUTINES_MAX}"));
        } else if routine.parameters.len() > PARAMETERS_MAX {
            leave(format!("it has more than {PARAMETERS_MAX} parameters"));
        } else {
            let next = TableId((first + results.len()) as u32);
            let (mut function, result) = function(routine, database, next);
            if named.get(&*routine.name).is_some_and(|other| is_twin(&functions[*other], &function)) {
                leave("a function has its name and its parameters".to_owned());
                continue;
            }
            function.id = FunctionId(functions.len() as u32);
            named.insert(&routine.name, functions.len());
            functions.push(function);
            results.extend(result);
        }
    }
    (functions, results)
}

/// Whether no call could tell the two apart, whose name is the same.
fn is_twin(one: &Function, other: &Function) -> bool {
    one.parameters.len() == other.parameters.len()
        && one.parameters.iter().all(|parameter| other.find_parameter(&parameter.name).is_some())
}

fn function(routine: &CatalogRoutine, database: &str, result: TableId) -> (Function, Option<Table>) {
    let (mut parameters, mut given): (Vec<Column>, Vec<Column>) = (Vec::new(), Vec::new());
    let verb = if routine.is_function { "SELECT" } else { "CALL" };
    let mut pieces = vec![Piece::Text(format!("{verb} {}.{}(", quoted(database), quoted(&routine.name)))];
    let mut position = 0;
    for parameter in &routine.parameters {
        let is_returned = routine.is_function && parameter.mode.is_empty();
        if is_returned || matches!(parameter.mode.as_str(), "OUT" | "INOUT") {
            let name = if is_returned { &routine.name } else { &parameter.column.name };
            given.push(column(given.len(), name, &parameter.column, true));
        }
        if is_returned {
            continue;
        }
        pieces.extend((position > 0).then(|| Piece::Text(",".to_owned())));
        position += 1;
        if parameter.mode == "OUT" {
            pieces.push(Piece::Out);
            continue;
        }
        pieces.push(Piece::Parameter(ColumnId(parameters.len() as u32)));
        parameters.push(column(parameters.len(), &parameter.column.name, &parameter.column, false));
    }
    pieces.push(Piece::Text(")".to_owned()));
    let may_give_rows = routine.body.as_deref().is_some_and(|body| !gives_nothing(body));
    let is_taken = given.iter().any(|column| column.name.to_lowercase() == routine.name.to_lowercase());
    let (returns, kind) = match (routine.is_function, given.is_empty()) {
        (true, _) => (Returns::Value { table: result, many: false }, SqlKind::Statement),
        (false, false) if may_give_rows && !is_taken => {
            let id = ColumnId(given.len() as u32);
            given.push(Column { optional: true, ..Column::new(id, routine.name.as_str(), Type::Json) });
            (Returns::Rows { table: result, many: false }, SqlKind::OutAndSets)
        }
        (false, false) => (Returns::Rows { table: result, many: false }, SqlKind::Out),
        (false, true) if routine.body.as_deref().is_some_and(gives_nothing) => (Returns::Nothing, SqlKind::Sets),
        (false, true) => {
            given.push(Column::new(ColumnId(0), routine.name.as_str(), Type::Json));
            (Returns::Value { table: result, many: true }, SqlKind::Sets)
        }
    };
    let columns = given.iter().map(|column| column.id).collect();
    let computed = TableKind::View { sql: String::new() };
    let table = (returns != Returns::Nothing).then(|| Table::new(result, routine.name.as_str(), computed, given));
    let reads = match routine.access.as_str() {
        "READS SQL DATA" | "NO SQL" => true,
        "MODIFIES SQL DATA" => false,
        // What is said of nobody's data says nothing; what gives the same each time changes nothing.
        _ => routine.is_deterministic,
    };
    let function = Function {
        id: FunctionId(0),
        name: routine.name.as_str().into(),
        description: some(&routine.comment),
        parameters,
        takes_body: false,
        returns,
        // What gives nothing is called for what it does, whatever it says.
        writes: !reads || returns == Returns::Nothing,
        access: Rule::Never,
        sql: Sql { pieces, columns, computed: Vec::new(), kind, is_ordered: false },
        is_stored: true,
    };
    (function, table)
}

fn column(at: usize, name: &str, from: &CatalogColumn, is_given: bool) -> Column {
    let variants = types::variants(from).iter().map(|value| value.as_str().into()).collect();
    Column {
        checks: Checks { variants, ..Checks::default() },
        // Every argument has to be said, and may be null.
        optional: is_given,
        ..Column::new(ColumnId(at as u32), name, types::data_type(from, false))
    }
}

/// What may give rows besides `SELECT`.
const GIVING: [&str; 18] = [
    "call",
    "execute",
    "show",
    "describe",
    "desc",
    "explain",
    "table",
    "returning",
    "check",
    "analyze",
    "optimize",
    "repair",
    "checksum",
    "handler",
    "help",
    "xa",
    "binlog",
    "load",
];
/// What a statement inside of a procedure may stand behind.
const BEFORE_STATEMENT: [&str; 6] = ["", "begin", "then", "else", "do", "loop"];

/// Whether a procedure with this text certainly gives no rows: then a call is answered without a body.
fn gives_nothing(body: &str) -> bool {
    let mut depth = 0_usize;
    // Of the statement so far: whether it puts rows somewhere, and whether a query of it still has to say so.
    let (mut goes_somewhere, mut is_waiting) = (false, false);
    let mut before = String::new();
    for word in words(body) {
        let starts = BEFORE_STATEMENT.contains(&before.as_str()) || before == ";";
        match word.as_str() {
            ";" => {
                if is_waiting && !goes_somewhere {
                    return false;
                }
                (goes_somewhere, is_waiting, depth) = (false, false, 0);
            }
            // A query in parentheses may be a statement.
            "(" if starts => return false,
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "into" | "cursor" => goes_somewhere = true,
            "select" => is_waiting |= depth == 0,
            "values" if starts => return false,
            other if GIVING.contains(&other) => return false,
            _ => {}
        }
        before = word;
    }
    !is_waiting || goes_somewhere
}

/// The words of a text in small letters, and what stands between them; without literals, names in quotes and comments.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = |from: usize, close: &str| rest[from..].find(close).map_or(rest.len(), |at| from + at + close.len());
        let length = match c {
            '\'' | '"' | '`' => {
                // An escape may hide the end of a literal: then nothing is certain.
                let quote = end(1, &c.to_string());
                if rest[..quote].contains('\\') {
                    return vec!["call".to_owned()];
                }
                words.push("''".to_owned());
                quote
            }
            '#' => end(1, "\n"),
            '-' if rest.starts_with("--") => end(2, "\n"),
            // What some versions of the server run.
            '/' if rest.starts_with("/*!") || rest.starts_with("/*M!") => return vec!["call".to_owned()],
            '/' if rest.starts_with("/*") => end(2, "*/"),
            c if c.is_whitespace() => c.len_utf8(),
            c if c.is_alphanumeric() || c == '_' => {
                let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let length = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
                words.push(rest[..length].to_lowercase());
                length
            }
            c => {
                words.push(c.to_string());
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_no_rows_is_seen_where_it_is_certain() {
        for body in [
            "UPDATE t SET a = 1",
            "BEGIN IF x < 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'select'; END IF; DELETE FROM t; END",
            "BEGIN SELECT count(*) INTO n FROM t; INSERT INTO u SELECT * FROM t; END",
            "BEGIN DECLARE c CURSOR FOR SELECT a FROM t; OPEN c; CLOSE c; END",
            "INSERT INTO t VALUES (1), ((SELECT max(a) FROM u)) -- select\n",
            "UPDATE t SET a = (SELECT b FROM u) WHERE `select` = 1 /* select */",
        ] {
            assert!(gives_nothing(body), "{body}");
        }
        for body in [
            "SELECT 1",
            "BEGIN INSERT INTO t VALUES (1); SELECT 1; END",
            "BEGIN SELECT 1 INTO a; IF a THEN SELECT 2; END IF; END",
            "(SELECT 1)",
            "BEGIN VALUES ROW(1); END",
            "CALL other()",
            "INSERT INTO t VALUES (1) RETURNING a",
            "BEGIN PREPARE s FROM 'x'; EXECUTE s; END",
            "UPDATE t SET a = 'it\\'s'; SELECT '",
            "/*!50000 SELECT 1 */",
            "WITH a AS (SELECT 1) SELECT * FROM a",
        ] {
            assert!(!gives_nothing(body), "{body}");
        }
    }

    #[test]
    fn parameters_go_in_and_come_out() {
        let parameter = |mode: &str, name: &str, data_type: &str| CatalogParameter {
            mode: mode.to_owned(),
            column: CatalogColumn {
                table: String::new(),
                name: name.to_owned(),
                data_type: data_type.to_owned(),
                column_type: data_type.to_owned(),
                precision: None,
                scale: None,
                is_nullable: true,
                default: None,
                extra: String::new(),
                comment: String::new(),
                generation: String::new(),
            },
        };
        let routine = CatalogRoutine {
            name: "p".to_owned(),
            access: "READS SQL DATA".to_owned(),
            parameters: vec![
                parameter("IN", "a", "int"),
                parameter("OUT", "b", "date"),
                parameter("INOUT", "c", "text"),
            ],
            ..CatalogRoutine::default()
        };
        let (functions, results) = functions(&[routine], "d`b", 7, &mut Vec::new());
        let function = &functions[0];
        assert_eq!(function.sql.pieces[0], Piece::Text("CALL `d``b`.`p`(".to_owned()));
        let marks = function.sql.pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_)));
        let expected = [Piece::Parameter(ColumnId(0)), Piece::Out, Piece::Parameter(ColumnId(1))];
        assert_eq!(marks.cloned().collect::<Vec<_>>(), expected);
        assert_eq!(function.returns, Returns::Rows { table: TableId(7), many: false });
        assert!(!function.writes && function.parameters.iter().all(Column::is_required));
        let names: Vec<&str> = results[0].columns.iter().map(|column| &*column.name).collect();
        assert_eq!(names, ["b", "c"]);
    }
}

//! Calls of functions as sources of rows.

use super::Sql;
use super::write::unbounded;
use crate::catalog::{Function, Name, Parameter, ReturnType};
use crate::plan::payload::JsonBody;

/// What a function is called with.
pub(crate) enum Arguments<'r> {
    /// Texts, by parameter.
    Direct(Vec<Argument<'r>>),
    /// Members of a JSON object, by parameter.
    Json {
        /// The object, or an array of which the first element counts.
        body: &'r JsonBody,
        /// The parameters that it has members for.
        parameters: Vec<&'r Parameter>,
    },
    /// This text, as the one parameter without a name.
    Whole(String),
}

/// One argument.
pub(crate) enum Argument<'r> {
    /// In the form that the server reads of the parameter's type.
    Text(&'r Parameter, &'r str),
    /// Several of a variadic parameter.
    Texts(&'r Parameter, Vec<&'r str>),
}

/// `SELECT … FROM f(…)`: rows of what the function gives, or one column `pgrst_scalar` where that is no row.
pub(crate) fn call(function: &Function, arguments: &Arguments<'_>) -> Sql {
    let is_composite = matches!(function.returns.what, ReturnType::Composite { .. });
    // The server knows no columns of a bare record, so that it can stand in a list and not be a source of rows.
    let is_record =
        matches!(&function.returns.what, ReturnType::Scalar(ty) if *ty == Name::new("pg_catalog", "record"));
    let mut sql = Sql::of(if is_composite { "SELECT pgrst_call.*" } else { "SELECT pgrst_call AS pgrst_scalar" });
    if is_record {
        sql = Sql::of("SELECT pgrst_call.pgrst_scalar");
    }
    sql.push(" FROM ");
    if let Arguments::Json { body, parameters } = arguments
        && !parameters.is_empty()
    {
        sql.append(members(body, parameters)).push(", LATERAL ");
    }
    sql.push(if is_record { "(SELECT " } else { "" });
    sql.name(&function.name).push("(").append(list(function, arguments)).push(")");
    sql.push(if is_record { " AS pgrst_scalar) pgrst_call" } else { " pgrst_call" });
    if is_composite && !function.returns.is_set {
        // A null row comes as a row of nulls, and is to be shown as null.
        sql.push(" WHERE NOT (pgrst_call IS NULL)");
    }
    sql
}

/// The members of the body that are arguments, as one row `pgrst_body`.
fn members(body: &JsonBody, parameters: &[&Parameter]) -> Sql {
    let mut sql = Sql::of("(SELECT * FROM ");
    sql.push(if body.is_array { "json_to_recordset(" } else { "json_to_record(" });
    sql.value(body.text.clone()).push("::json) AS _(").join(
        ", ",
        parameters.iter().map(|parameter| {
            let mut piece = Sql::new();
            piece.ident(&parameter.name).push(" ").push(unbounded(&parameter.cast_type));
            piece
        }),
    );
    sql.push(") LIMIT 1) pgrst_body");
    sql
}

fn list(function: &Function, arguments: &Arguments<'_>) -> Sql {
    let mut sql = Sql::new();
    match arguments {
        Arguments::Whole(text) => {
            let parameter = &function.parameters[0];
            sql.value(text.clone()).push("::").push(&parameter.ty);
        }
        Arguments::Direct(arguments) => drop(sql.join(", ", arguments.iter().map(direct))),
        Arguments::Json { parameters, .. } => {
            let pieces = parameters.iter().map(|parameter| {
                let mut piece = named(parameter);
                piece.push("pgrst_body.").ident(&parameter.name);
                piece
            });
            sql.join(", ", pieces);
        }
    }
    sql
}

fn direct(argument: &Argument<'_>) -> Sql {
    let (parameter, text) = match argument {
        Argument::Text(parameter, text) => (parameter, (*text).to_owned()),
        Argument::Texts(parameter, texts) => (parameter, array(texts)),
    };
    let mut sql = named(parameter);
    sql.value(text).push("::").push(unbounded(&parameter.cast_type));
    sql
}

/// `"name" := `, after the word that says that all values of a variadic parameter come at once.
fn named(parameter: &Parameter) -> Sql {
    let mut sql = Sql::of(if parameter.is_variadic { "VARIADIC " } else { "" });
    sql.ident(&parameter.name).push(" := ");
    sql
}

/// An array literal of these texts.
fn array(texts: &[&str]) -> String {
    let quoted: Vec<String> =
        texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

/// Octets in the notation of `bytea`.
pub(crate) fn octets(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 + 2 * octets.len());
    text.push_str("\\x");
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_an_array_literal() {
        assert_eq!(array(&["a", "b,\"c\\", ""]), r#"{"a","b,\"c\\",""}"#);
        assert_eq!(octets(&[0, 255]), "\\x00ff");
    }
}

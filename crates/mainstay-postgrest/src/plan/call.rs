//! Calls of functions: which of several of a name is meant, and with what it is called.

use std::collections::BTreeSet;

use mainstay_http::{Problem, codes};
use mainstay_query::parse::prefer::CountPreference;
use mainstay_query::request::Query;
use mainstay_stores::postgres::Access;

use super::media::{Made, choose};
use super::payload::{BodyKind, Payload};
use super::prepare::{explained, strict};
use super::prepared::{Expect, Prepared};
use super::wanted::{Call, Wanted};
use super::{Planner, Root, counts};
use crate::catalog::{Function, Name, Parameter, ReturnType, Volatility};
use crate::near;
use crate::sql::{self, Argument, Arguments, Body, Form};

/// Plans a call.
pub(super) fn plan(planner: &Planner<'_>, wanted: &Wanted<'_>, call: &Call<'_>) -> Result<Prepared, Problem> {
    let name = Name::new(planner.schema, wanted.target);
    let given = Given::of(call, wanted.query);
    let function = find(planner, &name, &given)?;
    let relation = match &function.returns.what {
        // Rows of a table elsewhere are taken for those of the relation of its name here, which can be embedded in.
        ReturnType::Composite { ty, .. } if &*ty.schema != "pg_catalog" => {
            let relations = &planner.catalog.relations;
            relations.get(&Name::new(planner.schema, ty.name.clone())).or_else(|| relations.get(ty))
        }
        _ => None,
    };
    let read = planner.read(Root::Called { function, relation }, wanted.query)?;
    let arguments = arguments(function, call, &given);
    let source = sql::call(function, &arguments);

    let is_star = read.is_star();
    let mut chosen =
        choose(planner.catalog, &Made::Function { function, is_star }, wanted.accept, planner.limits.plans_allowed)?;
    strict(wanted.preferences)?;
    let affected_max = wanted.preferences.max_affected.filter(|_| wanted.preferences.is_strict());
    if affected_max.is_some() && !function.returns.is_set {
        return Err(Problem::new(
            codes::SINGLE_AFFECTED,
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        ));
    }
    if wanted.action.is_head() {
        chosen.body = Body::Nothing;
    }
    // The server guesses nothing of use about a function's rows, so what may be a guess is counted, and what must be one
    // is left out.
    let is_counted = matches!(wanted.preferences.count, Some(CountPreference::Exact | CountPreference::Estimated));
    let total = is_counted.then(|| counts::exact(&read));
    let form = Form { body: chosen.body.clone(), total, counts_inserted: false, location: Vec::new() };
    let statement = sql::answer(source, sql::rows(&read), &form);
    let may_write = matches!(call, Call::Post(_)) && function.volatility == Volatility::Volatile;
    let is_isolation = |name: &str| name.eq_ignore_ascii_case("default_transaction_isolation");
    let isolation = function.settings.iter().find(|(name, _)| is_isolation(name));
    Ok(Prepared {
        statement: explained(&chosen, statement),
        access: if may_write { Access::Write } else { Access::Read },
        settings: function.settings.iter().filter(|(name, _)| !is_isolation(name)).cloned().collect(),
        isolation: isolation.map(|(_, value)| value.to_lowercase()),
        guess: None,
        expect: Expect { is_singular: chosen.media.is_singular(), affected_max, is_replaced: false },
        is_void: function.returns.what == ReturnType::Void,
        legacy: read.legacy_names().to_vec(),
        chosen,
    })
}

/// What a function was given.
struct Given<'r> {
    /// Names of arguments.
    names: BTreeSet<&'r str>,
    /// What body a function with one unnamed parameter could take whole.
    body: Option<BodyKind>,
}

impl<'r> Given<'r> {
    fn of(call: &Call<'r>, query: &'r Query) -> Given<'r> {
        let names_of = |pairs: &'r [(String, String)]| pairs.iter().map(|(name, _)| name.as_str()).collect();
        match *call {
            Call::Get { arguments, .. } => Given { names: names_of(arguments), body: None },
            Call::Post(payload) => match payload {
                Payload::Form(pairs) => Given { names: names_of(pairs), body: None },
                Payload::Raw(kind, _) => Given { names: BTreeSet::new(), body: Some(*kind) },
                Payload::Json(body) => {
                    let names = match &query.columns {
                        Some(columns) => columns.iter().map(String::as_str).collect(),
                        None => body.keys.iter().map(String::as_str).collect(),
                    };
                    Given { names, body: Some(BodyKind::Json) }
                }
            },
        }
    }

    /// Whether the body is no JSON, so that only a function that takes it whole can be meant.
    fn is_raw(&self) -> bool {
        self.body.is_some_and(|kind| kind != BodyKind::Json)
    }
}

/// The function of this name that takes what is given.
fn find<'c>(planner: &Planner<'c>, name: &Name, given: &Given<'_>) -> Result<&'c Function, Problem> {
    let all = planner.catalog.functions.get(name).map(Vec::as_slice).unwrap_or_default();
    let named: Vec<&Function> = all.iter().filter(|function| takes_names(function, given)).collect();
    let fitting =
        if named.is_empty() { all.iter().filter(|function| takes_whole(function, given)).collect() } else { named };
    match fitting[..] {
        [function] => Ok(function),
        [] => Err(unknown(planner, name, all, given)),
        _ => Err(ambiguous(&fitting)),
    }
}

/// Whether a function takes arguments of these names: all that it needs, and none that it does not know.
fn takes_names(function: &Function, given: &Given<'_>) -> bool {
    if given.is_raw() {
        return false;
    }
    let is_given = |parameter: &Parameter| given.names.contains(&*parameter.name);
    let is_known = |name: &&str| function.parameters.iter().any(|parameter| *parameter.name == **name);
    function.parameters.iter().all(|parameter| is_given(parameter) || !parameter.is_required)
        && given.names.iter().all(is_known)
}

/// Whether a function takes the body whole, by its one parameter without a name.
fn takes_whole(function: &Function, given: &Given<'_>) -> bool {
    let [parameter] = &function.parameters[..] else { return false };
    let fits = match given.body {
        Some(BodyKind::Json) => matches!(&*parameter.ty, "json" | "jsonb"),
        Some(BodyKind::Text) => &*parameter.ty == "text",
        Some(BodyKind::Xml) => &*parameter.ty == "xml",
        Some(BodyKind::Octets) => &*parameter.ty == "bytea",
        Some(BodyKind::Csv | BodyKind::Form) | None => false,
    };
    fits && parameter.name.is_empty()
}

fn unknown(planner: &Planner<'_>, name: &Name, all: &[Function], given: &Given<'_>) -> Problem {
    let names: Vec<&str> = given.names.iter().copied().collect();
    let list = names.join(", ");
    let with = match names.len() {
        0 => " without parameters".to_owned(),
        1 => format!(" with parameter {list}"),
        _ => format!(" with parameters {list}"),
    };
    let (called, searched) = match given.body {
        Some(BodyKind::Json) => {
            let called = if names.is_empty() { with.clone() } else { format!("({list})") };
            (called, format!("{with} or with a single unnamed json/jsonb parameter"))
        }
        Some(kind) => {
            let ty = match kind {
                BodyKind::Xml => "xml",
                BodyKind::Octets => "bytea",
                _ => "text",
            };
            (String::new(), format!(" with a single unnamed {ty} parameter"))
        }
        None if names.is_empty() => (with.clone(), with),
        None => (format!("({list})"), with),
    };
    let hint = if given.is_raw() { None } else { near::function_hint(planner.catalog, name, all, &names) };
    Problem::new(codes::UNKNOWN_FUNCTION, format!("Could not find the function {name}{called} in the schema cache"))
        .details(format!("Searched for the function {name}{searched}, but no matches were found in the schema cache."))
        .hint_if_any(hint)
}

fn ambiguous(fitting: &[&Function]) -> Problem {
    let described: Vec<String> = fitting
        .iter()
        .map(|function| {
            let parameters: Vec<String> =
                function.parameters.iter().map(|parameter| format!("{} => {}", parameter.name, parameter.ty)).collect();
            format!("{}({})", function.name, parameters.join(", "))
        })
        .collect();
    let message = format!("Could not choose the best candidate function between: {}", described.join(", "));
    Problem::new(codes::AMBIGUOUS_FUNCTION, message).hint(
        "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    )
}

/// What the function is called with, in the order of its parameters.
fn arguments<'r>(function: &'r Function, call: &Call<'r>, given: &Given<'_>) -> Arguments<'r> {
    let texts = |pairs: &'r [(String, String)]| -> Arguments<'r> {
        let arguments = function.parameters.iter().filter_map(|parameter| {
            let mut values =
                pairs.iter().filter(|(name, _)| **name == *parameter.name).map(|(_, value)| value.as_str());
            if parameter.is_variadic {
                let values: Vec<&str> = values.collect();
                return (!values.is_empty()).then_some(Argument::Texts(parameter, values));
            }
            // The last one counts.
            values.next_back().map(|value| Argument::Text(parameter, value))
        });
        Arguments::Direct(arguments.collect())
    };
    match *call {
        Call::Get { arguments, .. } => texts(arguments),
        Call::Post(Payload::Form(pairs)) => texts(pairs),
        Call::Post(Payload::Raw(kind, octets)) => Arguments::Whole(match kind {
            // Octets that are no text go as the server's own notation of them.
            BodyKind::Octets => sql::octets(octets),
            _ => String::from_utf8_lossy(octets).into_owned(),
        }),
        Call::Post(Payload::Json(body)) => {
            if !takes_names(function, given) {
                return Arguments::Whole(body.text.clone());
            }
            let is_given = |parameter: &&Parameter| given.names.contains(&*parameter.name);
            Arguments::Json { body, parameters: function.parameters.iter().filter(is_given).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Returns;

    fn function(parameters: &[(&str, &str, bool)]) -> Function {
        let parameters = parameters.iter().map(|(name, ty, is_required)| Parameter {
            name: (*name).into(),
            ty: (*ty).into(),
            cast_type: (*ty).into(),
            is_required: *is_required,
            is_variadic: false,
        });
        Function {
            oid: 1,
            name: Name::new("s", "f"),
            comment: None,
            parameters: parameters.collect(),
            returns: Returns { is_set: false, what: ReturnType::Void },
            volatility: Volatility::Volatile,
            is_variadic: false,
            settings: Vec::new(),
        }
    }

    fn given<'r>(names: &[&'r str], body: Option<BodyKind>) -> Given<'r> {
        Given { names: names.iter().copied().collect(), body }
    }

    /// rest.md 13: all that it needs, none that it does not know, and those with a default as one likes.
    #[test]
    fn names_of_arguments_choose_the_function() {
        let two = function(&[("a", "integer", true), ("b", "integer", false)]);
        assert!(takes_names(&two, &given(&["a"], None)));
        assert!(takes_names(&two, &given(&["a", "b"], Some(BodyKind::Json))));
        assert!(!takes_names(&two, &given(&["b"], None)));
        assert!(!takes_names(&two, &given(&["a", "c"], None)));
        assert!(!takes_names(&two, &given(&[], Some(BodyKind::Text))));
        assert!(takes_names(&function(&[]), &given(&[], None)));
    }

    #[test]
    fn one_parameter_without_a_name_takes_the_body() {
        for (ty, body) in [
            ("json", BodyKind::Json),
            ("jsonb", BodyKind::Json),
            ("text", BodyKind::Text),
            ("xml", BodyKind::Xml),
            ("bytea", BodyKind::Octets),
        ] {
            let whole = function(&[("", ty, true)]);
            assert!(takes_whole(&whole, &given(&["x"], Some(body))), "{ty}");
            assert!(!takes_whole(&whole, &given(&["x"], None)), "{ty}");
            assert!(!takes_whole(&function(&[("a", ty, true)]), &given(&[], Some(body))), "{ty}");
        }
        assert!(!takes_whole(&function(&[("", "json", true)]), &given(&[], Some(BodyKind::Text))));
    }

    #[test]
    fn several_of_a_name_are_told_apart_or_told() {
        let (a, b) = (function(&[("a", "integer", true)]), function(&[("a", "text", true)]));
        let told = ambiguous(&[&a, &b]);
        let message = "Could not choose the best candidate function between: s.f(a => integer), s.f(a => text)";
        assert_eq!(told.message(), message);
    }
}

//! A row of `functions.sql` as a function.

use std::collections::HashMap;

use mainstay_stores::postgres::{Failure, Row};

use super::names::Names;
use super::{Function, Parameter, Relation, ReturnType, Returns, Volatility};

/// The setting of a function that decides how the transaction of its call is isolated.
const ISOLATION: &str = "default_transaction_isolation";

/// The function of a row. Settings are taken if they are among `hoisted`, and the isolation always.
pub(super) fn function(
    row: &Row,
    names: &mut Names,
    relations: &HashMap<u32, Relation>,
    hoisted: &[String],
) -> Result<Function, Failure> {
    let volatility: &str = row.try_get(5)?;
    let is_variadic: bool = row.try_get(6)?;
    let ty = names.name(row.try_get(7)?, row.try_get(8)?);
    let (is_composite, relation): (bool, u32) = (row.try_get(9)?, row.try_get(10)?);
    let what = match () {
        () if is_composite => ReturnType::Composite { ty, is_relation: relations.contains_key(&relation) },
        () if &*ty.schema == "pg_catalog" && &*ty.name == "void" => ReturnType::Void,
        () => ReturnType::Scalar(ty),
    };
    let settings: Vec<&str> = row.try_get(11)?;
    let settings = settings.into_iter().filter_map(|setting| setting.split_once('='));
    let is_wanted = |name: &str| name == ISOLATION || hoisted.iter().any(|hoisted| hoisted.eq_ignore_ascii_case(name));
    let settings = settings.filter(|(name, _)| is_wanted(name));
    let (given, types, casts): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (row.try_get(12)?, row.try_get(13)?, row.try_get(14)?);
    let required: i32 = row.try_get(15)?;
    let required = usize::try_from(required).unwrap_or_default();
    let last = given.len().wrapping_sub(1);
    let parameters = given.iter().zip(types).zip(casts).enumerate();
    Ok(Function {
        oid: row.try_get(0)?,
        name: names.name(row.try_get(1)?, row.try_get(2)?),
        comment: row.try_get(3)?,
        parameters: parameters
            .map(|(at, ((name, ty), cast))| Parameter {
                name: names.share(name),
                ty: names.share(ty),
                cast_type: names.share(cast),
                is_required: at < required,
                is_variadic: is_variadic && at == last,
            })
            .collect(),
        returns: Returns { is_set: row.try_get(4)?, what },
        volatility: match volatility {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        is_variadic,
        settings: settings.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
    })
}

/// Puts overloads in the order in which they are told of: those with few parameters first, then by comment,
/// and by names and types.
pub(super) fn sort(overloads: &mut [Function]) {
    let key = |function: &Function| {
        let parts = function.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.ty.clone()));
        (function.parameters.len(), function.comment.clone(), parts.collect::<Vec<_>>())
    };
    overloads.sort_by_cached_key(key);
}

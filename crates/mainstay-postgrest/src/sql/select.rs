//! `SELECT` of one level of a plan, with what is embedded in it.

use mainstay_query::request::Bound;

use super::aggregate;
use super::embed;
use super::filter;
use super::order;
use super::statement::Sql;
use crate::catalog::Name;
use crate::plan::ReadPlan;
use crate::plan::read::{From, Join, Level, Member, Operand, Qualifier};

/// The rows of a plan, members and embeds as its request selects them.
pub fn rows(plan: &ReadPlan) -> Sql {
    level(&plan.root, None, &Shape::default())
}

/// A query with as many rows as the plan has without its limits: for counting, or for guessing the count.
pub fn count(plan: &ReadPlan) -> Sql {
    let root = &plan.root;
    let mut sql = Sql::of("SELECT 1 FROM ");
    sql.append(from(root, None));
    let mut conditions = filter::all(root);
    conditions.extend(root.embeds.iter().filter(|embed| embed.is_inner).map(|embed| embed::exists(embed, root)));
    sql.append(where_(conditions));
    sql
}

/// In what form a level gives its rows.
#[derive(Default)]
pub(super) struct Shape<'s> {
    /// Whether all that is shown comes as one column `json`.
    pub(super) is_json: bool,
    /// What comes besides, as `o1`, `o2`, …, for the order of the rows around.
    pub(super) keys: &'s [Operand],
}

/// The rows of one level: of the root, or of an embed for one row of its parent.
pub(super) fn level(level: &Level, parent: Option<(&Join, &Level)>, shape: &Shape<'_>) -> Sql {
    let mut selected = members(level);
    let mut sql = Sql::of("SELECT ");
    let mut row = Sql::new();
    if shape.is_json {
        row.push(" CROSS JOIN LATERAL (SELECT ").join(", ", std::mem::take(&mut selected)).push(") AS pgrst_row");
        selected.push(Sql::of("row_to_json(pgrst_row.*) AS json"));
    }
    selected.extend(shape.keys.iter().enumerate().map(|(at, key)| {
        let mut sql = operand(key, &level.qualifier);
        sql.push(" AS ").ident(&key_name(at));
        sql
    }));
    sql.join(", ", selected).push(" FROM ").append(from(level, parent));
    for embed in &level.embeds {
        sql.append(embed::join(embed, level));
    }
    sql.append(row);
    let mut conditions = parent.map(|(join, parent)| matched(level, join, parent)).unwrap_or_default();
    conditions.extend(filter::all(level));
    conditions.extend(level.embeds.iter().filter_map(|embed| embed::required(embed, level)));
    sql.append(where_(conditions));
    sql.append(aggregate::group_by(level)).append(order::order_by(level)).append(page(level));
    sql
}

/// What the key of an order at this place is called.
pub(super) fn key_name(at: usize) -> String {
    format!("o{}", at + 1)
}

/// What is selected, each under its name.
fn members(level: &Level) -> Vec<Sql> {
    let mut members: Vec<Sql> = level.members.iter().map(|member| shown(member, level)).collect();
    let is_grouped = level.is_grouped();
    members.extend(level.embeds.iter().flat_map(|one| embed::members(one, is_grouped, level.is_spread)));
    if level.is_spread {
        for (at, member) in members.iter_mut().enumerate() {
            member.push(" AS ").ident(&format!("c{}", at + 1));
        }
    }
    members
}

fn shown(member: &Member, level: &Level) -> Sql {
    let qualifier = &level.qualifier;
    let mut sql = Sql::new();
    let name = match member {
        Member::Star => {
            sql.append(self::qualifier(qualifier)).push(".*");
            return sql;
        }
        Member::One => {
            sql.push("1");
            return sql;
        }
        Member::Field { operand, cast, name } => {
            sql.append(converted(self::operand(operand, qualifier), cast.as_deref()));
            name
        }
        Member::Aggregate { aggregated, operand, input_cast, name } => {
            let input =
                operand.as_ref().map(|operand| converted(self::operand(operand, qualifier), input_cast.as_deref()));
            sql.append(aggregate::of(aggregated, input));
            name
        }
    };
    if let Some(name) = name
        && !level.is_spread
    {
        sql.push(" AS ").ident(name);
    }
    sql
}

/// Where rows come from, under their name.
pub(super) fn from(level: &Level, parent: Option<(&Join, &Level)>) -> Sql {
    let mut sql = Sql::new();
    match &level.from {
        From::Relation(name) => {
            sql.append(named(name, &level.qualifier));
        }
        From::Called | From::Written(_) => {
            sql.push("pgrst_source AS ").ident(level.qualifier.name());
        }
        From::Computed { function, parameter } => {
            sql.name(function).push("(");
            if let Some((_, parent)) = parent {
                sql.append(row(parent)).push("::").name(parameter);
            }
            sql.push(") AS ").ident(level.qualifier.name());
        }
    }
    if let Some((Join::Through { table, qualifier, .. }, _)) = parent {
        sql.push(", ").append(named(table, qualifier));
    }
    sql
}

/// A row of a level, whole.
fn row(level: &Level) -> Sql {
    let mut sql = Sql::new();
    match &level.from {
        From::Written(columns) => {
            sql.push("ROW(").join(", ", columns.iter().map(|name| column(&level.qualifier, name))).push(")")
        }
        // The star keeps it from being read as a column of that name.
        From::Relation(_) | From::Called | From::Computed { .. } => {
            sql.push("(").append(qualifier(&level.qualifier)).push(".*)")
        }
    };
    sql
}

fn named(name: &Name, qualifier: &Qualifier) -> Sql {
    let mut sql = Sql::new();
    sql.name(name);
    if let Qualifier::Alias(alias) = qualifier {
        sql.push(" AS ").ident(alias);
    }
    sql
}

/// How the rows of an embed belong to a row of its parent.
pub(super) fn matched(level: &Level, join: &Join, parent: &Level) -> Vec<Sql> {
    let equal = |near: &Qualifier, far: &Qualifier, pair: &(std::sync::Arc<str>, std::sync::Arc<str>)| {
        let mut sql = column(near, &pair.0);
        sql.push(" = ").append(column(far, &pair.1));
        sql
    };
    match join {
        Join::Direct(pairs) => pairs.iter().map(|pair| equal(&parent.qualifier, &level.qualifier, pair)).collect(),
        Join::Through { qualifier, near, far, .. } => {
            let near = near.iter().map(|pair| equal(&parent.qualifier, qualifier, pair));
            near.chain(far.iter().map(|pair| equal(&level.qualifier, qualifier, pair))).collect()
        }
        Join::Computed => Vec::new(),
    }
}

pub(super) fn where_(conditions: Vec<Sql>) -> Sql {
    let mut sql = Sql::new();
    if !conditions.is_empty() {
        sql.push(" WHERE ").join(" AND ", conditions);
    }
    sql
}

/// `LIMIT … OFFSET …`.
pub(super) fn page(level: &Level) -> Sql {
    let mut sql = Sql::new();
    // The server counts in signed numbers.
    let number = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX).to_string();
    match level.limit {
        _ if level.below_zero.contains(&Bound::Limit) => drop(sql.push(" LIMIT -1")),
        Some(limit) => drop(sql.push(" LIMIT ").value(number(limit))),
        None => {}
    }
    match level.offset {
        _ if level.below_zero.contains(&Bound::Offset) => drop(sql.push(" OFFSET -1")),
        0 => {}
        offset => drop(sql.push(" OFFSET ").value(number(offset))),
    }
    sql
}

pub(super) fn qualifier(qualifier: &Qualifier) -> Sql {
    let mut sql = Sql::new();
    match qualifier {
        Qualifier::Relation(name) => sql.name(name),
        Qualifier::Alias(alias) => sql.ident(alias),
    };
    sql
}

pub(super) fn column(of: &Qualifier, name: &str) -> Sql {
    let mut sql = qualifier(of);
    sql.push(".").ident(name);
    sql
}

/// A column, with the steps into it and in the form in which it is shown.
pub(super) fn operand(operand: &Operand, of: &Qualifier) -> Sql {
    use mainstay_query::request::StepTo;
    let column = column(of, &operand.name);
    let mut sql = Sql::new();
    match (&operand.shown_by, operand.to_json) {
        (Some(function), _) => sql.name(function).push("(").append(column).push(")"),
        (None, true) => sql.push("to_jsonb(").append(column).push(")"),
        (None, false) => sql.append(column),
    };
    for step in &operand.path {
        sql.push(if step.as_text { "->>" } else { "->" });
        match &step.to {
            StepTo::Key(key) => sql.literal(key),
            StepTo::Index(index) if *index < 0 => sql.push(&format!("({index})")),
            StepTo::Index(index) => sql.push(&index.to_string()),
        };
    }
    sql
}

/// A value converted to a type that the request names.
pub(super) fn converted(value: Sql, ty: Option<&str>) -> Sql {
    let Some(ty) = ty else { return value };
    let mut sql = Sql::of("CAST(");
    sql.append(value).push(" AS ");
    // Types of several words are written as they are; what SQL would not read as a type's name is quoted.
    let is_plain = ty.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' '));
    if is_plain {
        sql.push(ty)
    } else {
        sql.ident(ty)
    };
    sql.push(")");
    sql
}

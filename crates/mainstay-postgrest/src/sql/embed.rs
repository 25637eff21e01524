//! What is embedded: a lateral join for each, and the member or members that it becomes.

use super::aggregate;
use super::filter;
use super::select::{Shape, from, key_name, level, matched, page, where_};
use super::statement::Sql;
use crate::plan::read::{Embed, Filter, Level, Lifted, Member};

/// The join that gives the rows of an embed; nothing where nobody looks at them.
pub(super) fn join(embed: &Embed, parent: &Level) -> Sql {
    if !is_joined(embed) {
        // Whether there are rows is asked in the conditions.
        return Sql::new();
    }
    let shape = Shape { is_json: is_json(embed), keys: &embed.keys };
    let inside = level(&embed.level, Some((&embed.join, parent)), &shape);
    let mut sql = Sql::of(if embed.is_inner && !embed.is_many { " INNER" } else { " LEFT" });
    sql.push(" JOIN LATERAL (");
    match (embed.is_many, embed.level.is_spread) {
        (false, _) => drop(sql.append(inside)),
        (true, false) => {
            sql.push("SELECT json_agg(").ident(&embed.alias).push(") AS ").ident(&embed.alias);
            sql.push(" FROM (").append(inside).push(") AS ").ident(&embed.alias);
        }
        (true, true) => {
            let arrays = embed.lifted.iter().map(|lifted| {
                let mut array = Sql::of("json_agg(");
                array.append(column(embed, lifted)).push(") AS ").ident(&lifted.column);
                array
            });
            sql.push("SELECT ").join(", ", arrays).push(" FROM (").append(inside).push(") AS ").ident(&embed.alias);
        }
    }
    sql.push(") AS ").ident(&embed.alias).push(" ON TRUE");
    sql
}

fn is_shown(embed: &Embed) -> bool {
    embed.name.is_some() || !embed.lifted.is_empty()
}

/// Whether rows are joined: they are shown, or ordered by.
fn is_joined(embed: &Embed) -> bool {
    is_shown(embed) || !embed.keys.is_empty()
}

/// Whether the one row comes as JSON already: where rows are ordered by its columns too, it cannot be made of all that is
/// joined. Groups have no such columns.
fn is_json(embed: &Embed) -> bool {
    embed.name.is_some() && !embed.keys.is_empty()
}

/// The condition that there are rows, where parents without any are left out and the join does not see to it.
pub(super) fn required(embed: &Embed, parent: &Level) -> Option<Sql> {
    let is_seen_to = !embed.is_many && is_joined(embed);
    (embed.is_inner && !is_seen_to).then(|| exists(embed, parent))
}

/// Whether there are rows in an embed.
pub(super) fn exists(embed: &Embed, parent: &Level) -> Sql {
    let mut sql = Sql::of("EXISTS (SELECT 1 FROM ");
    sql.append(inside(embed, parent)).append(page(&embed.level)).push(")");
    sql
}

/// What follows `FROM` where the members of an embed do not matter.
fn inside(embed: &Embed, parent: &Level) -> Sql {
    let inner = &embed.level;
    let mut sql = from(inner, Some((&embed.join, parent)));
    let mut conditions = matched(inner, &embed.join, parent);
    conditions.extend(filter::all(inner));
    conditions.extend(inner.embeds.iter().filter(|embed| embed.is_inner).map(|embed| exists(embed, inner)));
    sql.append(where_(conditions));
    sql
}

/// What the level that holds an embed selects of it, each under its name unless that is a spread itself.
pub(super) fn members(embed: &Embed, is_grouped: bool, is_spread: bool) -> Vec<Sql> {
    let with_name = |mut value: Sql, name: &str| {
        if !is_spread {
            value.push(" AS ").ident(name);
        }
        value
    };
    let mut members = Vec::new();
    if let Some(name) = &embed.name {
        members.push(with_name(whole(embed, is_grouped), name));
    }
    for lifted in &embed.lifted {
        let value = match &lifted.aggregate {
            Some(aggregated) => aggregate::of(aggregated, Some(column(embed, lifted))),
            None => part(embed, lifted, is_grouped),
        };
        members.push(with_name(value, &lifted.name));
    }
    members
}

/// What groups are made by of an embed.
pub(super) fn grouped(embed: &Embed) -> Vec<Sql> {
    let mut terms: Vec<Sql> = embed.name.iter().map(|_| whole(embed, true)).collect();
    let plain = embed.lifted.iter().filter(|lifted| lifted.aggregate.is_none());
    terms.extend(plain.map(|lifted| part(embed, lifted, true)));
    terms
}

/// An embed as JSON. Groups need a type that has an equality.
fn whole(embed: &Embed, is_grouped: bool) -> Sql {
    let ty = if is_grouped { "::jsonb" } else { "" };
    let mut sql = Sql::new();
    if embed.is_many {
        sql.push("coalesce(").ident(&embed.alias).push(".").ident(&embed.alias).push(ty).push(", '[]')");
    } else if is_json(embed) {
        sql.ident(&embed.alias).push(".json").push(ty);
    } else {
        sql.push("row_to_json(").ident(&embed.alias).push(".*)").push(ty);
    }
    sql
}

/// A member that a spread hands up.
fn part(embed: &Embed, lifted: &Lifted, is_grouped: bool) -> Sql {
    let mut sql = Sql::new();
    if embed.is_many {
        sql.push("coalesce(").append(column(embed, lifted)).push(", '[]')");
    } else {
        sql.append(column(embed, lifted));
    }
    if is_grouped && lifted.is_json {
        sql.push("::jsonb");
    }
    sql
}

fn column(embed: &Embed, lifted: &Lifted) -> Sql {
    let mut sql = Sql::new();
    sql.ident(&embed.alias).push(".").ident(&lifted.column);
    sql
}

/// The column of the one row of an embed that rows around are ordered by.
pub(super) fn key(embed: &Embed, at: usize) -> Sql {
    let wanted = &embed.keys[at];
    let is_it = |member: &Member| {
        matches!(member, Member::Field { operand, cast: None, .. }
            if operand.name == wanted.name && operand.path == wanted.path && operand.shown_by.is_none())
    };
    // Where rows are grouped, only what is handed up as it is can be ordered by.
    let handed = embed.level.members.iter().position(is_it).and_then(|at| embed.lifted.get(at));
    let mut sql = Sql::new();
    match handed {
        Some(lifted) => sql.append(column(embed, lifted)),
        None => sql.ident(&embed.alias).push(".").ident(&key_name(at)),
    };
    sql
}

/// Whether a filter asks for the rows of an embed.
pub(super) fn asked(filter: &Filter, level: &Level) -> Option<Sql> {
    match filter {
        Filter::Embedded(at) => level.embeds.get(*at).map(|embed| exists(embed, level)),
        _ => None,
    }
}

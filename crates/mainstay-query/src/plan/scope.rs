//! Which parts of a query stand on which level of embeds.

use crate::error::{ParseError, PlanError};
use crate::request::{Condition, EmbedItem, Located, OrderTerm, Query};

/// The parts of a query that stand on one level, or below it with the rest of their path.
#[derive(Default)]
pub(super) struct Scope<'r> {
    filters: Vec<Placed<'r, &'r Condition>>,
    order: Vec<Placed<'r, &'r [OrderTerm]>>,
    limit: Vec<Placed<'r, u64>>,
    offset: Vec<Placed<'r, u64>>,
    having: Vec<Placed<'r, &'r Condition>>,
    distinct: Vec<Placed<'r, bool>>,
}

/// What stands on the level that `path` leads to from here.
type Placed<'r, T> = (&'r [String], T);

/// The parts of a query that stand on one level.
pub(super) struct Here<'r> {
    pub(super) filters: Vec<&'r Condition>,
    pub(super) order: Vec<&'r [OrderTerm]>,
    pub(super) limit: Vec<u64>,
    pub(super) offset: Vec<u64>,
    pub(super) having: Vec<&'r Condition>,
    pub(super) distinct: Vec<bool>,
}

impl<'r> Scope<'r> {
    pub(super) fn root(query: &'r Query) -> Scope<'r> {
        fn placed<'r, T, U>(parts: &'r [Located<T>], what: impl Fn(&'r T) -> U) -> Vec<Placed<'r, U>> {
            parts.iter().map(|part| (part.path.as_slice(), what(&part.what))).collect()
        }
        Scope {
            filters: placed(&query.filters, |condition| condition),
            order: placed(&query.order, |terms| terms.as_slice()),
            limit: placed(&query.limit, |rows| *rows),
            offset: placed(&query.offset, |rows| *rows),
            having: placed(&query.having, |condition| condition),
            distinct: placed(&query.distinct, |wanted| *wanted),
        }
    }

    /// What stands here, and what stands on each of the embeds or below it.
    pub(super) fn split(self, embeds: &[&EmbedItem], names: Names) -> Result<(Here<'r>, Vec<Scope<'r>>), PlanError> {
        let mut below: Vec<Scope<'r>> = embeds.iter().map(|_| Scope::default()).collect();
        let here = Here {
            filters: distribute(self.filters, embeds, names, |embed, part| below[embed].filters.push(part))?,
            order: distribute(self.order, embeds, names, |embed, part| below[embed].order.push(part))?,
            limit: distribute(self.limit, embeds, names, |embed, part| below[embed].limit.push(part))?,
            offset: distribute(self.offset, embeds, names, |embed, part| below[embed].offset.push(part))?,
            having: distribute(self.having, embeds, names, |embed, part| below[embed].having.push(part))?,
            distinct: distribute(self.distinct, embeds, names, |embed, part| below[embed].distinct.push(part))?,
        };
        Ok((here, below))
    }
}

/// Gives the parts whose path ends here, and passes the others on to the embed that comes first in their path.
fn distribute<'r, T>(
    parts: Vec<Placed<'r, T>>,
    embeds: &[&EmbedItem],
    names: Names,
    mut pass_on: impl FnMut(usize, Placed<'r, T>),
) -> Result<Vec<T>, PlanError> {
    let mut here = Vec::new();
    for (path, what) in parts {
        match path.split_first() {
            None => here.push(what),
            Some((name, rest)) => pass_on(names.need(embeds, name)?, (rest, what)),
        }
    }
    Ok(here)
}

/// By what names filters, orders and limits may mean an embed that has an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// By its alias, or by its target.
    Legacy,
    /// By its alias alone.
    AliasOnly,
}

impl Names {
    /// The embed that a path or filter names: by its member name, else by its target although it has an alias.
    pub(super) fn find(self, embeds: &[&EmbedItem], name: &str) -> Option<usize> {
        let by_member = embeds.iter().position(|embed| member_name(embed) == name);
        let by_target = || embeds.iter().position(|embed| embed.target == name);
        by_member.or_else(|| if self == Names::Legacy { by_target() } else { None })
    }

    /// The embed, which must be there.
    pub(super) fn need(self, embeds: &[&EmbedItem], name: &str) -> Result<usize, PlanError> {
        self.find(embeds, name).ok_or_else(|| {
            let aliased = embeds.iter().find(|embed| embed.target == name).and_then(|embed| embed.alias.clone());
            PlanError::NotEmbedded { name: name.to_owned(), alias: aliased }
        })
    }
}

/// Two embeds of one name could not be told apart, neither by filters nor in the answer.
pub(super) fn refuse_namesakes(embeds: &[&EmbedItem]) -> Result<(), PlanError> {
    for (position, embed) in embeds.iter().enumerate() {
        let name = member_name(embed);
        if embeds[..position].iter().any(|other| member_name(other) == name) {
            let message = format!("'{name}' is embedded twice");
            let hint = format!("Give one of them an alias: other:{}(…).", embed.target);
            return Err(PlanError::Parse(ParseError::Parameter { message, hint }));
        }
    }
    Ok(())
}

/// The name of an embed in rows and in paths.
pub(super) fn member_name(embed: &EmbedItem) -> &str {
    embed.alias.as_deref().unwrap_or(&embed.target)
}

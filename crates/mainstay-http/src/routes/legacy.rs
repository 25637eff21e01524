//! Embeds that have an alias and are called by their target all the same: allowed by a setting, and said to the caller.

use http::HeaderValue;
use mainstay_query::request::{EmbedItem, Item, Query};

/// The `Warning` of an answer to a query that does so, for the first embed that it does so with.
pub fn warning(query: &Query) -> Option<HeaderValue> {
    // Hardly any query has an alias on an embed: the others are done here.
    let embed = |item: &Item| matches!(item, Item::Embed(_) | Item::Spread(_));
    if !query.select.iter().any(embed) {
        return None;
    }
    let paths = (query.filters.iter().map(|part| &part.path))
        .chain(query.order.iter().map(|part| &part.path))
        .chain(query.limit.iter().map(|part| &part.path))
        .chain(query.offset.iter().map(|part| &part.path))
        .chain(query.having.iter().map(|part| &part.path))
        .chain(query.distinct.iter().map(|part| &part.path));
    let embed = paths.into_iter().find_map(|path| legacy(&query.select, path))?;
    let (target, alias) = (&embed.target, embed.alias.as_deref()?);
    let text = format!("299 - \"{}\"", words(target, alias));
    HeaderValue::try_from(text).ok()
}

fn words(target: &str, alias: &str) -> String {
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '));
    if plain(target) && plain(alias) {
        format!("'{target}' has the alias '{alias}': name it so in filters, orders and limits.")
    } else {
        "An embed has an alias: name it so in filters, orders and limits.".to_owned()
    }
}

/// The first embed on a path that is called by its target although it has an alias.
fn legacy<'q>(items: &'q [Item], path: &[String]) -> Option<&'q EmbedItem> {
    let (name, rest) = path.split_first()?;
    let embeds = || {
        items.iter().filter_map(|item| match item {
            Item::Embed(embed) | Item::Spread(embed) => Some(embed),
            _ => None,
        })
    };
    let by_alias = embeds().find(|embed| embed.alias.as_deref().unwrap_or(&embed.target) == name);
    match by_alias {
        Some(embed) => legacy(embed.items.as_deref().unwrap_or_default(), rest),
        None => embeds().find(|embed| embed.target == *name),
    }
}

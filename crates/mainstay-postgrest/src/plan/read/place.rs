//! The parts of a query, each at the level that its path names. Knows no catalog.

use std::sync::Arc;

use mainstay_http::{Problem, codes};
use mainstay_query::request::{Bound, Condition, EmbedItem, Item, OrderTerm, Query};

/// A level of a query with all that was said of it.
pub(super) struct Node<'q> {
    /// How it is embedded; `None` for the root.
    pub(super) embed: Option<&'q EmbedItem>,
    /// Whether it is spread.
    pub(super) is_spread: bool,
    /// What is selected.
    pub(super) items: &'q [Item],
    /// The levels inside, in the order of their items.
    pub(super) children: Vec<Node<'q>>,
    /// What must hold.
    pub(super) filters: Vec<&'q Condition>,
    /// How rows are ordered.
    pub(super) order: &'q [OrderTerm],
    /// Most rows.
    pub(super) limit: Option<u64>,
    /// Rows to skip.
    pub(super) offset: u64,
    /// Those of the two that are below zero.
    pub(super) below_zero: Vec<Bound>,
}

impl<'q> Node<'q> {
    fn new(embed: Option<&'q EmbedItem>, is_spread: bool, items: &'q [Item]) -> Node<'q> {
        let child = |item: &'q Item| {
            let embed = item.as_embed()?;
            let is_spread = matches!(item, Item::Spread(_));
            Some(Node::new(Some(embed), is_spread, embed.items.as_deref().unwrap_or_default()))
        };
        let children = items.iter().filter_map(child).collect();
        let (filters, order) = (Vec::new(), &[][..]);
        Node { embed, is_spread, items, children, filters, order, limit: None, offset: 0, below_zero: Vec::new() }
    }

    /// What the level is called by requests, if it has an alias.
    pub(super) fn alias(&self) -> Option<&'q str> {
        self.embed.and_then(|embed| embed.alias.as_deref())
    }

    /// What was written as its target.
    pub(super) fn target(&self) -> &'q str {
        self.embed.map_or("", |embed| &embed.target)
    }
}

/// Finds levels by name, and notes which names were old ones.
pub(super) struct Names {
    /// Whether a level that has an alias may be named by its target too.
    pub(super) legacy_allowed: bool,
    /// Where that was done: the name used, and the alias.
    pub(super) legacy: Vec<(Arc<str>, Arc<str>)>,
}

impl Names {
    /// The place among `children` of the one that is called so; `None` if there is none.
    ///
    /// # Errors
    /// PGRST108 if it may only be named by its alias.
    pub(super) fn look_up(&mut self, children: &[Node<'_>], name: &str) -> Result<Option<usize>, Problem> {
        let own = |child: &Node<'_>| child.alias().unwrap_or(child.target()) == name;
        if let Some(at) = children.iter().position(own) {
            return Ok(Some(at));
        }
        let Some(at) = children.iter().position(|child| child.target() == name) else {
            return Ok(None);
        };
        let alias = children[at].alias().unwrap_or_default();
        if !self.legacy_allowed {
            return Err(not_embedded(name)
                .details("Target names are not allowed in filters if they have an alias")
                .hint(format!("Change '{name}' to '{alias}' in filters, orders or limits.")));
        }
        let used = (Arc::from(name), Arc::from(alias));
        if !self.legacy.contains(&used) {
            self.legacy.push(used);
        }
        Ok(Some(at))
    }

    fn level<'n, 'q>(&mut self, root: &'n mut Node<'q>, path: &[String]) -> Result<&'n mut Node<'q>, Problem> {
        let mut node = root;
        for name in path {
            let at = self.look_up(&node.children, name)?.ok_or_else(|| not_embedded(name))?;
            node = &mut node.children[at];
        }
        Ok(node)
    }
}

/// A level that is not there (PGRST108).
pub(super) fn not_embedded(name: &str) -> Problem {
    let message = format!("'{name}' is not an embedded resource in this request");
    Problem::new(codes::NOT_EMBEDDED, message)
        .hint(format!("Verify that '{name}' is included in the 'select' query parameter."))
}

/// The tree of a query.
///
/// # Errors
/// PGRST108 if a path names no level.
pub(super) fn place<'q>(query: &'q Query, names: &mut Names) -> Result<Node<'q>, Problem> {
    let mut root = Node::new(None, false, &query.select);
    // Of several paths that name nothing the last filter's is told, then the last order's, a bound's, the last tree's.
    let (trees, tests): (Vec<_>, Vec<_>) = query.filters.iter().partition(|filter| is_tree(&filter.what));
    for filter in tests.iter().rev() {
        names.level(&mut root, &filter.path)?;
    }
    // Of repeated parameters the first order and the last bound count.
    for order in query.order.iter().rev() {
        names.level(&mut root, &order.path)?.order = &order.what;
    }
    for limit in &query.limit {
        names.level(&mut root, &limit.path)?.limit = Some(limit.what);
    }
    for offset in &query.offset {
        names.level(&mut root, &offset.path)?.offset = offset.what;
    }
    for bound in &query.below_zero {
        names.level(&mut root, &bound.path)?.below_zero.push(bound.what);
    }
    for filter in trees.iter().rev() {
        names.level(&mut root, &filter.path)?;
    }
    for filter in &query.filters {
        names.level(&mut root, &filter.path)?.filters.push(&filter.what);
    }
    Ok(root)
}

/// Whether a condition joins others.
fn is_tree(condition: &Condition) -> bool {
    match condition {
        Condition::And(_) | Condition::Or(_) => true,
        Condition::Not(inner) => is_tree(inner),
        Condition::Test(..) => false,
    }
}

//! Which column of which table a view's column is, read from the view's parsed query as PostgreSQL keeps it.
//!
//! `pg_rewrite.ev_action` is that query written as text: nodes in braces, lists in parentheses, fields named with a
//! colon. Each entry of the outermost target list says which column of which relation it shows as it is
//! (`resorigtbl`, `resorigcol`; zero where it is computed). Nothing else of the text is understood.

/// A column of a view and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Number of the view's column, from 1.
    pub column: i16,
    /// The relation that it comes from.
    pub relation: i64,
    /// Number of the column there.
    pub origin: i16,
}

/// What the columns of a view show, those that are computed left out.
pub fn shown(action: &str) -> Vec<Shown> {
    let Some(list) = outermost_list(action, ":targetList ") else { return Vec::new() };
    entries(list).filter_map(entry).collect()
}

/// The list behind a field of the outermost query.
fn outermost_list<'a>(action: &'a str, field: &str) -> Option<&'a str> {
    let mut depth = 0;
    let mut rest = action;
    loop {
        let (at, byte) = next_bracket(rest)?;
        // The list of rules, then the query: fields of the query stand at depth two.
        if depth == 2 && byte == b'(' && rest[..at].ends_with(field) {
            return Some(&rest[at..at + end_of(&rest[at..])?]);
        }
        depth = match byte {
            b'(' | b'{' => depth + 1,
            _ => depth - 1,
        };
        rest = &rest[at + 1..];
    }
}

/// The next bracket that is not part of a name, which would have a backslash before it, or of quoted text.
fn next_bracket(text: &str) -> Option<(usize, u8)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            byte @ (b'(' | b'{' | b')' | b'}') => return Some((at, byte)),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Length of the list or node with which a text begins.
fn end_of(text: &str) -> Option<usize> {
    let (mut depth, mut done) = (0, 0);
    loop {
        let (at, byte) = next_bracket(&text[done..])?;
        depth += if matches!(byte, b'(' | b'{') { 1 } else { -1 };
        done += at + 1;
        if depth == 0 {
            return Some(done);
        }
    }
}

/// The nodes of a list.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let start = rest.find('{')?;
        let end = start + end_of(&rest[start..])?;
        let entry = &rest[start..end];
        rest = &rest[end..];
        Some(entry)
    })
}

fn entry(entry: &str) -> Option<Shown> {
    // The fields of the entry itself come after its expression.
    let own = entry.rfind(":resno ")?;
    let field = |name: &str| {
        let rest = &entry[own + entry[own..].find(name)? + name.len()..];
        rest.split([' ', '}']).next()
    };
    let relation: i64 = field(":resorigtbl ")?.parse().ok()?;
    let shown =
        Shown { column: field(":resno ")?.parse().ok()?, relation, origin: field(":resorigcol ")?.parse().ok()? };
    (relation != 0 && field(":resjunk ")? == "false").then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_the_outermost_query_count() {
        let action = "({QUERY :rtable ({RANGETBLENTRY :subquery {QUERY :targetList ({TARGETENTRY :expr 1 :resno 1 \
            :resname x :ressortgroupref 0 :resorigtbl 9 :resorigcol 9 :resjunk false})}} {X :name a\\(b :c (\"d)\")}) \
            :targetList ({TARGETENTRY :expr {VAR :varno 3} :resno 1 :resname album_id :ressortgroupref 0 \
            :resorigtbl 16385 :resorigcol 1 :resjunk false} {TARGETENTRY :expr {CONST} :resno 2 :resname t \
            :ressortgroupref 0 :resorigtbl 0 :resorigcol 0 :resjunk false} {TARGETENTRY :expr {VAR :varno 4} :resno 3 \
            :resname n\\ m :ressortgroupref 0 :resorigtbl 16390 :resorigcol 2 :resjunk true}) :override 0})";
        assert_eq!(shown(action), [Shown { column: 1, relation: 16385, origin: 1 }]);
        assert_eq!(shown("({QUERY :targetList <>})"), []);
        assert_eq!(shown("({QUERY :targetList ("), []);
    }
}

//! Rows inserted together with rows that belong to them.

use mainstay_query::plan::{Expect, Insert, Nested, Part, PartLink, Write};
use mainstay_schema::{DefaultValue, Type};

use super::Open;
use super::kit::{Stage, check_error, check_next, next, show, show_commit};
use super::plans::Of;
use super::tables::{TableBuilder, table};

/// Parents, numbered by the store; children that point at them and at a country; a junction of parents and labels.
fn tables() -> Vec<TableBuilder> {
    let numbered =
        |name: &str| table(name).column("id", Type::BigInt, false, Some(DefaultValue::Sequence)).primary("id");
    vec![
        table("countries").required("code", Type::Text).required("name", Type::Text).primary("code"),
        numbered("parents").required("name", Type::Text).unique("name"),
        table("children")
            .required("parent", Type::BigInt)
            .required("number", Type::Int)
            .optional("country", Type::Text)
            .primary("parent number")
            .points("parent", "parents", "id")
            .points("country", "countries", "code"),
        numbered("labels").required("text", Type::Text),
        table("parent_labels")
            .required("parent", Type::BigInt)
            .required("label", Type::BigInt)
            .primary("parent label")
            .points("parent", "parents", "id")
            .points("label", "labels", "id"),
        numbered("tree").optional("up", Type::BigInt).points("up", "tree", "id"),
    ]
}

/// An insert whose `linked` columns come from elsewhere.
fn part(of: Of<'_>, columns: &str, linked: &str, rows: &[&str], links: Vec<PartLink>) -> Part {
    let mut insert: Insert = of.insert(columns, if columns.is_empty() { &[] } else { rows });
    insert.rows.resize(rows.len(), Vec::new());
    for column in linked.split_whitespace() {
        insert.columns.push(of.id(column));
        insert.rows.iter_mut().for_each(|row| row.push(None));
    }
    Part { insert, links }
}

fn link(part: usize, place: usize, there: Of<'_>, column: &str, rows: &[Option<usize>]) -> PartLink {
    PartLink { part, columns: vec![(place, there.id(column))], rows: rows.to_vec() }
}

/// Two parents with three children, of which two have a new country.
fn family(stage: &Stage, numbers: [&str; 3]) -> Nested {
    let (countries, parents, children) = (stage.of("countries"), stage.of("parents"), stage.of("children"));
    let from = vec![
        link(0, 1, countries, "code", &[Some(1), None, Some(0)]),
        link(1, 2, parents, "id", &[Some(0), Some(1), Some(1)]),
    ];
    Nested {
        parts: vec![
            part(countries, "code name", "", &["fr|France", "jp|Japan"], vec![]),
            part(parents, "name", "", &["a", "b"], vec![]),
            part(children, "number", "country parent", &numbers, from),
        ],
        root: 1,
        returning: None,
        expect: Expect::default(),
    }
}

/// Keys go from rows that come first to rows that come later, made by the store or given.
pub async fn keys_go_along(open: &dyn Open) {
    let stage = Stage::open(open, &tables()).await;
    stage.fill("parents", "name", &["before"]).await;
    let feed = stage.feed();
    let written = stage.write(Write::Nested(family(&stage, ["1", "1", "2"]))).await;
    assert_eq!((written.affected, written.inserted, written.rows.len()), (2, 2, 0));
    assert_eq!(stage.all("children").await, "(2,1,jp) (3,1,null) (3,2,fr)");
    let Some(mut feed) = feed else { return };
    let commit = show_commit(&*next(&mut feed).await);
    let inserts: Vec<&str> = commit.split("; ").map(|change| change.split(" (").next().unwrap_or_default()).collect();
    let expected = ["countries", "countries", "parents", "parents", "children", "children", "children"];
    assert_eq!(inserts, expected.map(|table| format!("insert {table}")));
}

/// What is given back are the rows of the root, in their order, as they are when all is there.
pub async fn roots_come_back_with_what_they_hold(open: &dyn Open) {
    let stage = Stage::open(open, &tables()).await;
    let parents = stage.of("parents");
    let mut plan = family(&stage, ["1", "1", "2"]);
    let read = parents.read().many(parents.join("children", "id=parent"), stage.of("children").read());
    plan.returning = Some(Box::new(read.build()));
    let written = stage.write(Write::Nested(plan)).await;
    assert_eq!(show(&written.rows), "(1,a,[(1,1,jp)]) (2,b,[(2,1,null) (2,2,fr)])");
}

/// A part that fails, and a number of rows that was not expected, leave nothing of the others.
pub async fn nested_rows_are_all_or_nothing(open: &dyn Open) {
    let stage = Stage::open(open, &tables()).await;
    let mut feed = stage.feed();
    check_error(stage.try_write(Write::Nested(family(&stage, ["1", "2", "2"]))).await, "duplicate children_pkey");
    let mut single = family(&stage, ["1", "1", "2"]);
    single.expect.single = true;
    check_error(stage.try_write(Write::Nested(single)).await, "unexpected 2 true");
    let mut twice = family(&stage, ["1", "1", "2"]);
    twice.parts[1] = part(stage.of("parents"), "name", "", &["a", "a"], vec![]);
    check_error(stage.try_write(Write::Nested(twice)).await, "duplicate parents_name_key");
    for table in ["countries", "parents", "children"] {
        assert_eq!(stage.all(table).await, "", "{table}");
    }
    stage.fill("labels", "text", &["x"]).await;
    check_next(&mut feed, "insert labels (1,x)").await;
}

/// Rows on both sides of a junction, and the rows between them.
pub async fn through_a_junction_both_sides_are_new(open: &dyn Open) {
    let stage = Stage::open(open, &tables()).await;
    let (parents, labels, between) = (stage.of("parents"), stage.of("labels"), stage.of("parent_labels"));
    let ends = vec![
        link(0, 0, parents, "id", &[Some(0), Some(1), Some(0)]),
        link(1, 1, labels, "id", &[Some(0), Some(1), Some(2)]),
    ];
    let plan = Nested {
        parts: vec![
            part(parents, "name", "", &["a", "b"], vec![]),
            part(labels, "text", "", &["x", "y", "z"], vec![]),
            part(between, "", "parent label", &["", "", ""], ends),
        ],
        root: 0,
        returning: None,
        expect: Expect::default(),
    };
    stage.write(Write::Nested(plan)).await;
    assert_eq!(stage.all("parent_labels").await, "(1,1) (1,3) (2,2)");
}

/// A table inside itself, and lists without rows.
pub async fn a_tree_in_one_write(open: &dyn Open) {
    let stage = Stage::open(open, &tables()).await;
    let tree = stage.of("tree");
    let level = |part_above: usize, rows: &[Option<usize>]| {
        let empty = vec![""; rows.len()];
        part(tree, "", "up", &empty, vec![link(part_above, 0, tree, "id", rows)])
    };
    let root = Part { insert: tree.insert("up", &["null", "null"]), links: vec![] };
    let plan = Nested {
        parts: vec![root, level(0, &[Some(1), Some(0), Some(1)]), level(1, &[Some(2)]), level(2, &[])],
        root: 0,
        returning: None,
        expect: Expect::default(),
    };
    stage.write(Write::Nested(plan)).await;
    assert_eq!(stage.all("tree").await, "(1,null) (2,null) (3,2) (4,1) (5,2) (6,5)");
}

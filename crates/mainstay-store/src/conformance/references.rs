//! Foreign keys: what they refuse and what they do.

use mainstay_query::plan::{Filter, Write};
use mainstay_schema::{DefaultValue, ReferenceAction, Type, Value};

use super::Open;
use super::kit::{Stage, check_broken, check_error, show};
use super::tables::{TableBuilder, table};

const ACTIONS: [ReferenceAction; 4] =
    [ReferenceAction::Restrict, ReferenceAction::Cascade, ReferenceAction::SetNull, ReferenceAction::SetDefault];

fn parents() -> TableBuilder {
    table("parents").required("id", Type::Int).optional("name", Type::Text).primary("id")
}

/// Children 1 and 2 of parent 1, child 3 of parent 2; the default parent is 3.
async fn family(open: &dyn Open, on_delete: ReferenceAction, on_update: ReferenceAction) -> Stage {
    let children = table("children")
        .required("id", Type::Int)
        .column("parent", Type::Int, true, Some(DefaultValue::Literal(Value::Int(3))))
        .primary("id")
        .points_with("parent", "parents", "id", on_delete, on_update);
    let stage = Stage::open(open, &[parents(), children]).await;
    stage.fill("parents", "id", &["1", "2", "3"]).await;
    stage.fill("children", "id parent", &["1|1", "2|1", "3|2"]).await;
    stage
}

/// A row cannot point at what is not there, on insert or on update.
pub async fn targets_must_exist(open: &dyn Open) {
    let stage = family(open, ReferenceAction::Restrict, ReferenceAction::Restrict).await;
    let children = stage.of("children");
    check_error(stage.try_write(children.insert("id parent", &["4|9"])).await, "reference");
    check_error(stage.try_write(children.insert("id parent", &["4|1", "5|9"])).await, "reference");
    check_error(stage.try_write(children.update("parent=9", children.eq("id", "1"))).await, "reference");
    assert_eq!(stage.all("children").await, "(1,1) (2,1) (3,2)");
    stage.write(children.update("parent=2", children.eq("id", "1"))).await;
    let mut insert = children.insert("id parent", &["1|9"]);
    insert.conflict = children.conflict("id", Some("parent"));
    check_error(stage.try_write(insert).await, "reference");
    assert_eq!(stage.all("children").await, "(1,2) (2,1) (3,2)");
}

/// Null points at nothing, also when it is only part of a key.
pub async fn null_points_at_nothing(open: &dyn Open) {
    let tables = [
        table("rooms").required("house", Type::Int).required("number", Type::Int).primary("house number"),
        table("beds")
            .required("id", Type::Int)
            .optional("house", Type::Int)
            .optional("number", Type::Int)
            .primary("id")
            .points("house number", "rooms", "house number"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("rooms", "house number", &["1|1"]).await;
    stage.fill("beds", "id house number", &["1|1|1", "2|null|null", "3|9|null", "4|null|9"]).await;
    let beds = stage.of("beds");
    check_error(stage.try_write(beds.insert("id house number", &["5|1|2"])).await, "reference");
    check_error(stage.try_write(beds.update("number=9", beds.eq("id", "3"))).await, "reference");
}

/// Rows of one insert may point at rows that come after them.
pub async fn rows_may_come_in_any_order(open: &dyn Open) {
    let nodes =
        table("nodes").required("id", Type::Int).optional("up", Type::Int).primary("id").points("up", "nodes", "id");
    let stage = Stage::open(open, &[nodes]).await;
    stage.fill("nodes", "id up", &["1|3", "2|1", "3|3", "4|null"]).await;
    assert_eq!(stage.all("nodes").await, "(1,3) (2,1) (3,3) (4,null)");
    check_error(stage.try_write(stage.of("nodes").insert("id up", &["5|6", "6|7"])).await, "reference");
}

/// References are checked when each write of a batch ends: a later one cannot mend an earlier one.
pub async fn each_write_of_a_batch_stands_alone(open: &dyn Open) {
    let nodes =
        table("nodes").required("id", Type::Int).optional("up", Type::Int).primary("id").points("up", "nodes", "id");
    let stage = Stage::open(open, &[nodes]).await;
    let nodes = stage.of("nodes");
    let insert = |rows: &[&str]| Write::Insert(nodes.insert("id up", rows));
    check_error(stage.try_write(Write::Batch(vec![insert(&["1|2"]), insert(&["2|null"])])).await, "reference");
    check_error(stage.try_write(Write::Batch(vec![insert(&["1|2", "3|1"]), insert(&["2|null"])])).await, "reference");
    let second = Write::Batch(vec![insert(&["1|2", "2|1"]), insert(&["3|4"]), insert(&["4|null"])]);
    check_error(stage.try_write(second).await, "reference");
    assert_eq!(stage.all("nodes").await, "");
    stage.write(Write::Batch(vec![insert(&["1|2", "2|1"]), insert(&["3|2"])])).await;
    assert_eq!(stage.all("nodes").await, "(1,2) (2,1) (3,2)");
}

/// A merge that could change a key which its own table points at still checks the rows that it inserts.
pub async fn merging_what_is_pointed_at(open: &dyn Open) {
    for action in ACTIONS {
        let nodes = table("nodes")
            .required("id", Type::Int)
            .required("name", Type::Text)
            .optional("up", Type::Int)
            .primary("id")
            .unique("name")
            .points_with("up", "nodes", "id", ReferenceAction::Restrict, action);
        let stage = Stage::open(open, &[nodes]).await;
        let nodes = stage.of("nodes");
        let mut insert = nodes.insert("id name up", &["1|a|9"]);
        insert.conflict = nodes.conflict("name", Some("id up"));
        check_error(stage.try_write(insert).await, "reference");
        assert_eq!(stage.all("nodes").await, "", "{action:?}");
        let mut insert = nodes.insert("id name up", &["1|a|null", "2|b|1"]);
        insert.conflict = nodes.conflict("name", Some("id up"));
        assert_eq!(stage.write(insert).await.inserted, 2);
    }
}

/// What each action does when the target is deleted.
pub async fn deleting_a_target(open: &dyn Open) {
    for action in ACTIONS {
        let stage = family(open, action, ReferenceAction::Restrict).await;
        let parents = stage.of("parents");
        let outcome = stage.try_write(parents.delete(parents.eq("id", "1"))).await;
        let expected = match action {
            ReferenceAction::Restrict => "(1,1) (2,1) (3,2)",
            ReferenceAction::Cascade => "(3,2)",
            ReferenceAction::SetNull => "(1,null) (2,null) (3,2)",
            ReferenceAction::SetDefault => "(1,3) (2,3) (3,2)",
        };
        match action {
            ReferenceAction::Restrict => check_error(outcome, "reference"),
            _ => assert_eq!(outcome.expect("it is done").affected, 1, "rows of cascades are not counted"),
        }
        assert_eq!(stage.all("children").await, expected, "{action:?}");
        let last = stage.try_write(parents.delete(parents.eq("id", "3"))).await;
        match action {
            // The default now points at it, and would again.
            ReferenceAction::SetDefault => check_error(last, "reference"),
            _ => assert_eq!(last.expect("nobody points at it").affected, 1),
        }
    }
}

/// What each action does when the key of the target changes; other columns concern nobody.
pub async fn changing_a_target(open: &dyn Open) {
    for action in ACTIONS {
        let stage = family(open, ReferenceAction::Restrict, action).await;
        let parents = stage.of("parents");
        stage.write(parents.update("name=x", Filter::True)).await;
        stage.write(parents.update("id=1", parents.eq("id", "1"))).await;
        let outcome = stage.try_write(parents.update("id=7", parents.eq("id", "1"))).await;
        let expected = match action {
            ReferenceAction::Restrict => "(1,1) (2,1) (3,2)",
            ReferenceAction::Cascade => "(1,7) (2,7) (3,2)",
            ReferenceAction::SetNull => "(1,null) (2,null) (3,2)",
            ReferenceAction::SetDefault => "(1,3) (2,3) (3,2)",
        };
        match action {
            ReferenceAction::Restrict => check_error(outcome, "reference"),
            _ => assert_eq!(outcome.expect("it is done").affected, 1),
        }
        assert_eq!(stage.all("children").await, expected, "{action:?}");
    }
}

fn chain(last: ReferenceAction) -> Vec<TableBuilder> {
    let cascade = ReferenceAction::Cascade;
    vec![
        parents(),
        table("children")
            .required("id", Type::Int)
            .required("parent", Type::Int)
            .primary("id")
            .points_with("parent", "parents", "id", cascade, cascade),
        table("toys")
            .required("owner", Type::Int)
            .required("name", Type::Text)
            .primary("owner name")
            .points_with("owner", "children", "id", last, cascade),
    ]
}

/// A cascade reaches as far as references go, and fails as a whole.
pub async fn cascades_go_on(open: &dyn Open) {
    for (last, expected) in [(ReferenceAction::Cascade, "(2,car)"), (ReferenceAction::Restrict, "(1,bear) (2,car)")] {
        let stage = Stage::open(open, &chain(last)).await;
        stage.fill("parents", "id", &["1", "2"]).await;
        stage.fill("children", "id parent", &["1|1", "2|2"]).await;
        stage.fill("toys", "owner name", &["1|bear", "2|car"]).await;
        let parents = stage.of("parents");
        let outcome = stage.try_write(parents.delete(parents.eq("id", "1"))).await;
        match last {
            ReferenceAction::Cascade => assert_eq!(outcome.expect("it is done").affected, 1),
            _ => check_error(outcome, "reference"),
        }
        assert_eq!(stage.all("toys").await, expected);
        let children = stage.of("children");
        stage.write(children.update("id=9", children.eq("id", "2"))).await;
        assert_eq!(stage.all("toys").await, expected.replace("2,car", "9,car"), "a key that is part of a key");
    }
}

/// One statement may take a whole tree, whichever row it meets first.
pub async fn a_tree_goes_at_once(open: &dyn Open) {
    for action in [ReferenceAction::Restrict, ReferenceAction::Cascade, ReferenceAction::SetNull] {
        let nodes = table("nodes").required("id", Type::Int).optional("up", Type::Int).primary("id").points_with(
            "up",
            "nodes",
            "id",
            action,
            ReferenceAction::Restrict,
        );
        let stage = Stage::open(open, &[nodes]).await;
        stage.fill("nodes", "id up", &["1|2", "2|null", "3|1", "4|4", "5|4"]).await;
        let nodes = stage.of("nodes");
        if action == ReferenceAction::Restrict {
            check_error(stage.try_write(nodes.delete(nodes.eq("id", "2"))).await, "reference");
        }
        let some = Filter::Or(vec![nodes.eq("id", "1"), nodes.eq("id", "2"), nodes.eq("id", "3")]);
        let mut delete = nodes.delete(some);
        delete.returning = nodes.returning();
        let done = stage.write(delete).await;
        let mut rows: Vec<String> = done.rows.iter().map(|row| show(std::slice::from_ref(row))).collect();
        rows.sort();
        assert_eq!((done.affected, rows.join(" ").as_str()), (3, "(1,2) (2,null) (3,1)"), "{action:?}, as they were");
        assert_eq!(stage.all("nodes").await, "(4,4) (5,4)");
        assert_eq!(stage.write(nodes.delete(Filter::True)).await.affected, 2, "{action:?}");
    }
}

/// A write that a reference refuses has done nothing, not even its cascades.
pub async fn failure_leaves_all_as_it_was(open: &dyn Open) {
    let set_null_on_required = table("children")
        .required("id", Type::Int)
        .required("parent", Type::Int)
        .primary("id")
        .points_with("parent", "parents", "id", ReferenceAction::SetNull, ReferenceAction::Restrict);
    let stage = Stage::open(open, &[parents(), set_null_on_required]).await;
    stage.fill("parents", "id", &["1", "2"]).await;
    stage.fill("children", "id parent", &["1|1"]).await;
    let parents = stage.of("parents");
    check_error(stage.try_write(parents.delete(Filter::True)).await, "null parent");
    assert_eq!(stage.all("parents").await, "(1,null) (2,null)");
    assert_eq!(stage.all("children").await, "(1,1)");
}

/// The error of a row that points at nothing names the reference and the value, whichever row of an insert it is.
pub async fn missing_targets_are_told(open: &dyn Open) {
    let stage = family(open, ReferenceAction::Restrict, ReferenceAction::Restrict).await;
    let children = stage.of("children");
    let told = "children_parent_fkey: children (parent)=(9) -> parents";
    check_broken(stage.try_write(children.insert("id parent", &["4|9"])).await, told);
    check_broken(stage.try_write(children.insert("id parent", &["4|1", "5|9", "6|8"])).await, told);
    check_broken(stage.try_write(children.update("parent=9", children.eq("id", "1"))).await, told);
    let mut merge = children.insert("id parent", &["1|9"]);
    merge.conflict = children.conflict("id", Some("parent"));
    check_broken(stage.try_write(merge).await, told);

    let nodes =
        || table("nodes").required("id", Type::Int).optional("up", Type::Int).primary("id").points("up", "nodes", "id");
    let stage = Stage::open(open, &[nodes()]).await;
    let told = "nodes_up_fkey: nodes (up)=(7) -> nodes";
    check_broken(stage.try_write(stage.of("nodes").insert("id up", &["5|7"])).await, told);
    check_broken(stage.try_write(stage.of("nodes").insert("id up", &["5|5", "6|5", "8|7"])).await, told);

    let rooms = table("rooms").required("house", Type::Int).required("number", Type::Int).primary("house number");
    let beds = table("beds")
        .required("id", Type::Int)
        .optional("house", Type::Int)
        .optional("number", Type::Int)
        .primary("id")
        .points("house number", "rooms", "house number");
    let stage = Stage::open(open, &[rooms, beds]).await;
    stage.fill("rooms", "house number", &["1|1", "2|2"]).await;
    stage.fill("beds", "id house number", &["1|1|1", "2|2|2"]).await;
    let told = "beds_house_number_fkey: beds (house,number)=(2,1) -> rooms";
    let beds = stage.of("beds");
    check_broken(stage.try_write(beds.update("number=1", Filter::True)).await, told);
}

/// The error of a key that is still pointed at names the reference, the key and the table that holds it.
pub async fn holders_are_told(open: &dyn Open) {
    let stage = family(open, ReferenceAction::Restrict, ReferenceAction::Restrict).await;
    let parents = stage.of("parents");
    let told = "children_parent_fkey: parents (id)=(2) <- children";
    let some = Filter::Or(vec![parents.eq("id", "2"), parents.eq("id", "3")]);
    check_broken(stage.try_write(parents.delete(some)).await, told);
    check_broken(stage.try_write(parents.update("id=7", parents.eq("id", "2"))).await, told);
    let mut merge = stage.of("parents").insert("id name", &["2|x"]);
    merge.conflict = parents.conflict("id", Some("id name"));
    stage.write(merge).await;

    let nodes =
        table("nodes").required("id", Type::Int).optional("up", Type::Int).primary("id").points("up", "nodes", "id");
    let stage = Stage::open(open, &[nodes]).await;
    stage.fill("nodes", "id up", &["1|null", "2|1", "3|2", "4|3"]).await;
    let nodes = stage.of("nodes");
    let some = Filter::Or(vec![nodes.eq("id", "1"), nodes.eq("up", "1"), nodes.eq("up", "2")]);
    // Of these only the last is held by a row that stays.
    check_broken(stage.try_write(nodes.delete(some)).await, "nodes_up_fkey: nodes (id)=(3) <- nodes");
}

/// A cascade may come to a row that cannot go: the error is about that row.
pub async fn holders_behind_a_cascade_are_told(open: &dyn Open) {
    let stage = Stage::open(open, &chain(ReferenceAction::Restrict)).await;
    stage.fill("parents", "id", &["1", "2"]).await;
    stage.fill("children", "id parent", &["5|1", "6|2"]).await;
    stage.fill("toys", "owner name", &["6|car"]).await;
    let parents = stage.of("parents");
    let outcome = stage.try_write(parents.delete(Filter::True)).await;
    check_broken(outcome, "toys_owner_fkey: children (id)=(6) <- toys");
}

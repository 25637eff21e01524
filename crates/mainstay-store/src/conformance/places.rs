//! Rows after a place in an order: pages by key.

use mainstay_query::plan::Comparison;
use mainstay_schema::Type;

use super::Open;
use super::kit::{Stage, show};
use super::tables::table;

async fn shelf(open: &dyn Open) -> Stage {
    let money = Type::Decimal { precision: 8, scale: 2 };
    let tables = [
        table("shelves").required("id", Type::Int).optional("name", Type::Text).primary("id"),
        table("things")
            .required("id", Type::Int)
            .optional("a", Type::Int)
            .required("b", Type::Text)
            .required("price", money)
            .optional("data", Type::Json)
            .optional("shelf", Type::Int)
            .primary("id")
            .points("shelf", "shelves", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("shelves", "id name", &["1|top", "2|null", "3|low"]).await;
    let rows = [
        "1|1|x|10.00|{\"k\":\"z\"}|1",
        "2|null|x|9.00|null|2",
        "3|2|y|9.00|{\"k\":\"a\"}|3",
        "4|1|y|100.00|{\"k\":null}|null",
        "5|null|X|0.05|{\"k\":\"z\"}|1",
        "6|2|x|10.00|{}|3",
    ];
    stage.fill("things", "id a b price data shelf", &rows).await;
    stage
}

/// Reading on after each row, whatever the order, gives every row once and in the order of one read.
pub async fn pages_of_every_order(open: &dyn Open) {
    let stage = shelf(open).await;
    let things = stage.of("things");
    for order in [
        "id",
        "id desc",
        "a",
        "a desc",
        "a nullsfirst",
        "a desc nullsfirst",
        "b,a",
        "b desc,a desc nullsfirst",
        "b,price desc",
        "price",
        "price desc,b",
        "data->>k",
        "data->>k desc nullsfirst,b",
    ] {
        let columns: Vec<&str> = order.split(',').filter_map(|term| term.split_whitespace().next()).collect();
        let select = [columns.as_slice(), &["id"]].concat();
        let read = || things.read().select(&select.join(" ")).order(order);
        let all = stage.read(read()).await.rows;
        assert_eq!(all.len(), 6, "{order}");
        for (at, row) in all.iter().enumerate() {
            let shown = show(std::slice::from_ref(row));
            let place = shown.trim_matches(|c| c == '(' || c == ')').replace(',', "|");
            let rest = stage.read(read().after(&place)).await.rows;
            assert_eq!(show(&rest), show(&all[at + 1..]), "{order} after {place}");
            let next = stage.read(read().after(&place).limit(2)).await.rows;
            assert_eq!(next.as_slice(), &all[at + 1..all.len().min(at + 3)], "{order} after {place}");
        }
    }
}

/// A place need not be one that a row has.
pub async fn places_with_nulls(open: &dyn Open) {
    let stage = shelf(open).await;
    let things = stage.of("things");
    for (order, place, expected) in [
        ("a", "1|4", "(3) (6) (2) (5)"),
        ("a", "1|99", "(3) (6) (2) (5)"),
        ("a", "null|2", "(5)"),
        ("a", "null|9", ""),
        ("a nullsfirst", "null|2", "(5) (1) (4) (3) (6)"),
        ("a desc", "1|1", "(4) (2) (5)"),
        ("a desc nullsfirst", "null|5", "(3) (6) (1) (4)"),
        ("a,b desc", "2|xx|0", "(6) (2) (5)"),
    ] {
        stage.check(things.read().select("id").order(order).after(place), expected).await;
    }
    let some = things.read().select("id").filter(things.compare("id", Comparison::Lt, "6")).order("a").after("2|0");
    stage.check(some, "(3) (2) (5)").await;
}

/// A column of the row that a row refers to makes a place as well.
pub async fn places_of_related_rows(open: &dyn Open) {
    let stage = shelf(open).await;
    let things = stage.of("things");
    let read = |term: &str| things.read().select("id").order_via(things.join("shelves", "shelf=id"), "shelves", term);
    stage.check(read("name"), "(3) (6) (1) (5) (2) (4)").await;
    stage.check(read("name").after("low|6"), "(1) (5) (2) (4)").await;
    stage.check(read("name").after("null|2"), "(4)").await;
    stage.check(read("name desc nullsfirst").after("null|4"), "(1) (5) (3) (6)").await;
}

/// All rows that pass the filter are counted, wherever a page begins.
pub async fn counting_does_not_heed_the_place(open: &dyn Open) {
    let stage = shelf(open).await;
    let things = stage.of("things");
    for (place, rows) in [("0", 6), ("4", 2), ("9", 0)] {
        let found = stage.read(things.read().select("id").after(place).count()).await;
        assert_eq!((found.rows.len(), found.total), (rows, Some(6)), "after {place}");
    }
}

//! Grouped rows: aggregates, what makes a group, which groups and in what order (rest.md 6).

use mainstay_query::plan::{Cardinality, Comparison, Function, Test};
use mainstay_schema::Type;

use super::Open;
use super::kit::{Stage, check_error};
use super::tables::table;

async fn sales(open: &dyn Open) -> Stage {
    let money = Type::Decimal { precision: 12, scale: 2 };
    let tables = [
        table("people").required("id", Type::Int).optional("name", Type::Text).optional("age", Type::Int).primary("id"),
        table("sales")
            .required("id", Type::Int)
            .optional("person", Type::Int)
            .optional("status", Type::Text)
            .optional("total", money)
            .optional("pieces", Type::BigInt)
            .optional("data", Type::Json)
            .primary("id")
            .points("person", "people", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("people", "id name age", &["1|Ann|30", "2|Bob|null", "3|null|50", "4|Eve|20"]).await;
    let rows = [
        "1|1|new|0.10|9223372036854775807|{\"k\":\"a\"}",
        "2|1|new|0.20|1|{\"k\":\"a\"}",
        "3|2|paid|10.00|null|{\"k\":\"b\"}",
        "4|3|paid|null|2|null",
        "5|null|null|-1.00|2|{\"k\":null}",
        "6|null|null|null|null|null",
    ];
    stage.fill("sales", "id person status total pieces data", &rows).await;
    stage
}

/// Without other members there is one group, even of nothing.
pub async fn aggregates_of_all_rows(open: &dyn Open) {
    let stage = sales(open).await;
    let sales = stage.of("sales");
    let all = || {
        let read = sales.read().select("").aggregate(Function::Count, None).aggregate(Function::Count, Some("total"));
        let read = read.aggregate(Function::Sum, Some("total")).aggregate(Function::Avg, Some("total"));
        read.aggregate(Function::Min, Some("total")).aggregate(Function::Max, Some("status")).grouped()
    };
    stage.check(all(), "(6,4,9.30,2.3250000000000000,-1.00,paid)").await;
    let nothing = all().filter(sales.eq("id", "99")).count();
    let found = stage.read(nothing).await;
    assert_eq!((super::kit::show(&found.rows), found.total), ("(0,0,null,null,null,null)".to_owned(), Some(1)));
}

/// Everything that is selected beside an aggregate makes the groups; null is a value like any other.
pub async fn aggregates_of_groups(open: &dyn Open) {
    let stage = sales(open).await;
    let sales = stage.of("sales");
    let by_status = || sales.read().select("status").aggregate(Function::Sum, Some("total")).grouped();
    stage.check(by_status(), "(new,0.30) (paid,10.00) (null,-1.00)").await;
    let read = sales.read().select("data->>k").aggregate(Function::Count, None).grouped();
    stage.check(read, "(a,2) (b,1) (null,3)").await;
    let read = sales.read().select("status person").aggregate(Function::Max, Some("id")).grouped();
    stage.check(read, "(new,1,2) (paid,2,3) (paid,3,4) (null,null,6)").await;
    stage.check(by_status().filter(sales.eq("id", "99")), "").await;
}

/// No digit is lost, and a sum has room for more than its values.
pub async fn exact_sums(open: &dyn Open) {
    let stage = sales(open).await;
    let sales = stage.of("sales");
    let read = sales.read().select("").aggregate(Function::Sum, Some("pieces")).aggregate(Function::Sum, Some("id"));
    let read = read.aggregate(Function::Avg, Some("pieces")).aggregate(Function::Max, Some("pieces")).grouped();
    // The mean of four: 19 digits before the point leave none after it.
    stage.check(read, "(9223372036854775812,21,2305843009213693953,9223372036854775807)").await;
}

/// The members of a row that a row refers to make groups too, and so does that there is none.
pub async fn groups_by_related_rows(open: &dyn Open) {
    let stage = sales(open).await;
    let (sales, people) = (stage.of("sales"), stage.of("people"));
    let person = || sales.join("people", "person=id");
    let read = sales.read().select("").one(person(), people.read().select("name").order("id"));
    let read = read.aggregate(Function::Count, None).grouped();
    let mut rows: Vec<String> =
        stage.read(read).await.rows.iter().map(|row| super::kit::show(std::slice::from_ref(row))).collect();
    rows.sort();
    assert_eq!(rows, ["((Ann),2)", "((Bob),1)", "((null),1)", "(null,2)"]);
    // A filter in the embed decides what it shows, not which rows there are.
    let read = people.read().select("name").filter(people.eq("name", "Ann"));
    let read = sales.read().select("").one(person(), read).aggregate(Function::Count, None).grouped();
    stage.check(read, "((Ann),2) (null,4)").await;
}

/// An aggregate in a spread of one row belongs to the groups of the row above.
pub async fn hoisted_aggregates(open: &dyn Open) {
    let stage = sales(open).await;
    let (sales, people) = (stage.of("sales"), stage.of("people"));
    let inner = || people.read().select("").aggregate(Function::Max, Some("age")).aggregate(Function::Count, None);
    let spread = |read| sales.read().select("status").spread(Cardinality::One, sales.join("people", "person=id"), read);
    stage.check(spread(inner()).grouped(), "(new,30,2) (paid,50,2) (null,null,0)").await;
    let read = spread(people.read().select("name").aggregate(Function::Count, None));
    stage.check(read.grouped(), "(new,Ann,2) (paid,Bob,1) (paid,null,1) (null,null,0)").await;
}

/// Inside an embed groups are those of each parent.
pub async fn aggregates_inside_embeds(open: &dyn Open) {
    let stage = sales(open).await;
    let (sales, people) = (stage.of("sales"), stage.of("people"));
    let theirs = || people.join("sales", "id=person");
    let count = || sales.read().select("").aggregate(Function::Count, None).aggregate(Function::Sum, Some("total"));
    let read = people.read().select("id").many(theirs(), count().grouped());
    stage.check(read, "(1,[(2,0.30)]) (2,[(1,10.00)]) (3,[(1,null)]) (4,[(0,null)])").await;
    let by_status = sales.read().select("status").aggregate(Function::Count, None).grouped();
    stage
        .check(
            people.read().select("id").many(theirs(), by_status),
            "(1,[(new,2)]) (2,[(paid,1)]) (3,[(paid,1)]) (4,[])",
        )
        .await;
    // One group is there even where nothing is linked.
    let read = people.read().select("").aggregate(Function::Count, None).grouped();
    let read = sales.read().select("id").one(sales.join("people", "person=id"), read).filter(sales.compare(
        "id",
        Comparison::Gte,
        "4",
    ));
    stage.check(read, "(4,(1)) (5,(0)) (6,(0))").await;
}

/// Conditions on groups look at their members, as does their order; pages and counts are of groups.
pub async fn conditions_and_order_of_groups(open: &dyn Open) {
    let stage = sales(open).await;
    let sales = stage.of("sales");
    let by_status = || sales.read().select("status").aggregate(Function::Sum, Some("total")).grouped();
    stage.check(by_status().order_groups("sum desc"), "(paid,10.00) (new,0.30) (null,-1.00)").await;
    stage.check(by_status().order_groups("status nullsfirst"), "(null,-1.00) (new,0.30) (paid,10.00)").await;
    let some = || by_status().having(|groups| groups.compare("sum", Comparison::Gt, "0"));
    stage.check(some(), "(new,0.30) (paid,10.00)").await;
    stage.check(by_status().having(|groups| groups.test("status", Test::IsNull)), "(null,-1.00)").await;
    let found = stage.read(by_status().limit(1).offset(1).count()).await;
    assert_eq!((super::kit::show(&found.rows), found.total), ("(paid,10.00)".to_owned(), Some(3)));
    let found = stage.read(some().limit(1).count()).await;
    assert_eq!((super::kit::show(&found.rows), found.total), ("(new,0.30)".to_owned(), Some(2)));
}

/// Groups without aggregates are rows without duplicates.
pub async fn distinct_rows(open: &dyn Open) {
    let stage = sales(open).await;
    let (sales, people) = (stage.of("sales"), stage.of("people"));
    stage.check(sales.read().select("status").grouped(), "(new) (paid) (null)").await;
    let found = stage.read(sales.read().select("status pieces").grouped().limit(2).count()).await;
    assert_eq!((super::kit::show(&found.rows), found.total), ("(new,1) (new,9223372036854775807)".to_owned(), Some(6)));
    let inside =
        people.read().select("id").many(people.join("sales", "id=person"), sales.read().select("status").grouped());
    stage.check(inside, "(1,[(new)]) (2,[(paid)]) (3,[(paid)]) (4,[])").await;
}

/// A sum of more digits than are kept is an error, never another number.
pub async fn an_aggregate_that_does_not_fit(open: &dyn Open) {
    let large = |precision| {
        let t = table("t").required("id", Type::Int).required("d", Type::Decimal { precision, scale: 0 });
        [t.required("f", Type::Float).primary("id")]
    };
    let mut stage = Stage::open(open, &large(1)).await;
    let precision = stage.store.capabilities().decimal_digits;
    stage = Stage::open(open, &large(precision)).await;
    let nines = "9".repeat(precision.into());
    stage.fill("t", "id d f", &[&format!("1|{nines}|1.7e308"), &format!("2|{nines}|1.7e308")]).await;
    let t = stage.of("t");
    for column in ["d", "f"] {
        let read = t.read().select("").aggregate(Function::Sum, Some(column)).grouped();
        if column == "d" && precision < 38 {
            // A sum may have more digits than what it is of.
            stage.check(read, &format!("(1{}8)", "9".repeat(usize::from(precision) - 1))).await;
            continue;
        }
        check_error(stage.try_read(&read.build()).await, "value");
    }
    let read = t.read().select("").aggregate(Function::Max, Some("d")).aggregate(Function::Min, Some("f")).grouped();
    stage.check(read, &format!("({nines},1.7e308)")).await;
}

//! Updates that compute, updates of each row in its own way, and returned rows that are left out.

use mainstay_query::plan::{Assign, Expect, Filter, KeyedChange, Update, UpdateEach};
use mainstay_schema::value::Json;
use mainstay_schema::{Type, Value};

use super::Open;
use super::kit::{Stage, check_error, show};
use super::tables::{TableBuilder, table, typed};

fn goods() -> TableBuilder {
    table("goods")
        .required("id", Type::Int)
        .required("name", Type::Text)
        .optional("stock", Type::BigInt)
        .optional("price", Type::Decimal { precision: 6, scale: 2 })
        .optional("tags", Type::Array(Box::new(Type::Text)))
        .optional("data", Type::Json)
        .primary("id")
        .unique("name")
}

async fn with_goods(open: &dyn Open) -> Stage {
    let stage = Stage::open(open, &[goods()]).await;
    let rows = [r#"1|a|5|1.50|{x}|{"k":1}"#, "2|b|null|2.00|null|null", "3|c|9223372036854775807|9999.99|{}|[1]"];
    stage.fill("goods", "id name stock price tags data", &rows).await;
    stage
}

fn set(
    stage: &Stage,
    column: &str,
    make: fn(Value) -> Assign,
    operand: &str,
) -> Vec<(mainstay_schema::ColumnId, Assign)> {
    let goods = stage.of("goods");
    let ty = &goods.table.column(goods.id(column)).ty;
    vec![(goods.id(column), make(typed(ty, operand)))]
}

fn update(stage: &Stage, set: Vec<(mainstay_schema::ColumnId, Assign)>, filter: Filter) -> Update {
    let goods = stage.of("goods");
    Update { table: goods.table.id, set, filter, returning: goods.returning(), expect: Expect::default() }
}

/// What is set is made of what each row holds; null counts as nothing yet.
pub async fn sums_lists_and_documents(open: &dyn Open) {
    let stage = with_goods(open).await;
    let goods = stage.of("goods");
    for (column, make, operand, filter, expected) in [
        ("stock", Assign::Add as fn(Value) -> Assign, "-7", "1", "-2"),
        ("stock", Assign::Add, "4", "2", "4"),
        ("price", Assign::Add, "0.25", "1", "1.75"),
        ("tags", Assign::Append, "{y,z}", "1", "{\"x\",\"y\",\"z\"}"),
        ("tags", Assign::Prepend, "{w}", "2", "{\"w\"}"),
        ("tags", Assign::Remove, "{y}", "1", "{\"x\",\"z\"}"),
        ("name", Assign::Append, "!", "2", "b!"),
    ] {
        let done = stage.write(update(&stage, set(&stage, column, make, operand), goods.eq("id", filter))).await;
        assert_eq!(done.affected, 1);
        let read = goods.read().select(column).filter(goods.eq("id", filter));
        stage.check(read, &format!("({expected})")).await;
    }
    let merge = Assign::Merge(Json::parse(r#"{"k":null,"n":{"m":1.50}}"#).expect("JSON"));
    stage.write(update(&stage, vec![(goods.id("data"), merge)], goods.eq("id", "1"))).await;
    stage.check(goods.read().select("data").filter(goods.eq("id", "1")), r#"({"n":{"m":1.50}})"#).await;
}

/// A row whose result is none undoes all.
pub async fn a_result_that_is_none_undoes_all(open: &dyn Open) {
    let stage = with_goods(open).await;
    let before = stage.all("goods").await;
    for (column, make, operand, expected) in [
        ("stock", Assign::Add as fn(Value) -> Assign, "1", "value"),
        ("price", Assign::Add, "0.01", "value"),
        ("id", Assign::Add, "1", "duplicate goods_pkey"),
    ] {
        let update = update(&stage, set(&stage, column, make, operand), Filter::True);
        check_error(stage.try_write(update).await, expected);
        assert_eq!(stage.all("goods").await, before);
    }
}

/// Each change goes to the row with its key; rows come back in the order of the changes.
pub async fn each_row_in_its_own_way(open: &dyn Open) {
    let stage = with_goods(open).await;
    let goods = stage.of("goods");
    let change = |name: &str, set| KeyedChange { key: vec![Value::Text(name.to_owned())], set };
    let each = |rows, filter, expect| UpdateEach {
        table: goods.table.id,
        key: vec![goods.id("name")],
        rows,
        filter,
        returning: Some(Box::new(goods.read().select("id stock").build())),
        expect,
    };
    let add = |number: &str| set(&stage, "stock", Assign::Add, number);
    let rows = vec![change("b", add("2")), change("nobody", add("1")), change("a", add("1"))];
    let done = stage.write(mainstay_query::plan::Write::UpdateEach(each(rows, Filter::True, Expect::default()))).await;
    assert_eq!((show(&done.rows), done.affected), ("(2,2) (1,6)".to_owned(), 2));
    let rows = || vec![change("a", add("1")), change("b", add("1"))];
    let filtered = each(rows(), goods.eq("id", "2"), Expect::default());
    let done = stage.write(mainstay_query::plan::Write::UpdateEach(filtered)).await;
    assert_eq!((show(&done.rows), done.affected), ("(2,3)".to_owned(), 1));
    let before = stage.all("goods").await;
    let most = Expect { single: false, affected_max: Some(1) };
    let too_many = mainstay_query::plan::Write::UpdateEach(each(rows(), Filter::True, most));
    check_error(stage.try_write(too_many).await, "unexpected 2 false");
    let failing = vec![change("a", add("1")), change("c", add("1"))];
    let failing = mainstay_query::plan::Write::UpdateEach(each(failing, Filter::True, Expect::default()));
    check_error(stage.try_write(failing).await, "value");
    assert_eq!(stage.all("goods").await, before);
}

/// Returned rows that do not pass the filter of what is returned are written all the same, and counted.
pub async fn returned_rows_may_be_left_out(open: &dyn Open) {
    let stage = with_goods(open).await;
    let goods = stage.of("goods");
    let returning = || Some(Box::new(goods.read().select("id").filter(goods.eq("id", "2")).build()));
    let mut change = update(&stage, set(&stage, "price", Assign::Value, "1"), Filter::True);
    change.returning = returning();
    let done = stage.write(change).await;
    assert_eq!((show(&done.rows), done.affected), ("(2)".to_owned(), 3));
    let mut delete = goods.delete(Filter::True);
    delete.returning = returning();
    let done = stage.write(delete).await;
    assert_eq!((show(&done.rows), done.affected), ("(2)".to_owned(), 3));
    assert_eq!(stage.all("goods").await, "");
}

//! Inserts, updates, deletes and batches.

use mainstay_query::plan::{Expect, Filter, Write};
use mainstay_schema::{DefaultValue, Type, Value};

use super::Open;
use super::kit::{Stage, check_error, show};
use super::plans::not;
use super::tables::{TableBuilder, table};

fn notes() -> TableBuilder {
    table("notes").required("id", Type::Int).required("text", Type::Text).optional("stars", Type::Int).primary("id")
}

async fn with_notes(open: &dyn Open) -> Stage {
    let stage = Stage::open(open, &[notes()]).await;
    stage.fill("notes", "id text stars", &["1|a|5", "2|b|null", "3|c|1"]).await;
    stage
}

/// The rows of an insert are returned in the order in which they were given; columns not given are null.
pub async fn rows_come_back_in_the_order_given(open: &dyn Open) {
    let stage = Stage::open(open, &[notes()]).await;
    let notes = stage.of("notes");
    let mut insert = notes.insert("text id", &["z|9", "y|2", "x|5"]);
    insert.returning = notes.returning();
    let done = stage.write(insert).await;
    assert_eq!(show(&done.rows), "(9,z,null) (2,y,null) (5,x,null)");
    assert_eq!((done.affected, done.inserted), (3, 3));
    let many: Vec<String> = (0..1000).map(|at| format!("{}|n{at}", 5000 - at)).collect();
    let mut insert = notes.insert("id text", &many.iter().map(String::as_str).collect::<Vec<_>>());
    insert.returning = Some(Box::new(notes.read().select("text").build()));
    let done = stage.write(insert).await;
    let expected: Vec<String> = (0..1000).map(|at| format!("(n{at})")).collect();
    assert_eq!(show(&done.rows), expected.join(" "));
    assert_eq!(stage.read(notes.read().limit(0).count()).await.total, Some(1003));
}

/// One bad row undoes the whole insert.
pub async fn all_or_nothing(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let before = stage.all("notes").await;
    for (rows, expected) in [
        (["7|x|1", "2|y|1", "8|z|1"], "duplicate notes_pkey"),
        (["7|x|1", "7|y|1", "8|z|1"], "duplicate notes_pkey"),
        (["7|x|1", "8|null|1", "9|z|1"], "null text"),
    ] {
        check_error(stage.try_write(notes.insert("id text stars", &rows)).await, expected);
        assert_eq!(stage.all("notes").await, before);
    }
    stage.fill("notes", "id text", &["7|x", "8|y"]).await;
}

/// A sequence gives new numbers, in order, and goes on after numbers that were given to it.
pub async fn sequences_number_rows(open: &dyn Open) {
    let tables =
        [table("t").default("id", Type::BigInt, DefaultValue::Sequence).optional("v", Type::Text).primary("id")];
    let stage = Stage::open(open, &tables).await;
    let t = stage.of("t");
    let numbers = async |columns: &str, rows: &[&str]| {
        let mut insert = t.insert(columns, rows);
        insert.returning = Some(Box::new(t.read().select("id").build()));
        show(&stage.write(insert).await.rows)
    };
    assert_eq!(numbers("v", &["a", "b"]).await, "(1) (2)");
    assert_eq!(numbers("id v", &["10|c"]).await, "(10)");
    assert_eq!(numbers("v", &["d"]).await, "(11)");
    let mut mixed = t.insert("id v", &["20|e", "20|f"]);
    mixed.rows[1][0] = None;
    stage.write(mixed).await;
    assert_eq!(stage.all("t").await, "(1,a) (2,b) (10,c) (11,d) (20,e) (21,f)");
    let mut defaults = t.insert("v", &[]);
    defaults.columns.clear();
    defaults.rows = vec![vec![], vec![]];
    assert_eq!(stage.write(defaults).await.inserted, 2, "rows of nothing but defaults");
    assert_eq!(
        show(&stage.read(t.read().filter(t.compare("id", mainstay_query::plan::Comparison::Gt, "21"))).await.rows),
        "(22,null) (23,null)"
    );
}

/// An update gives the rows as they are afterwards and leaves the others alone.
pub async fn updates(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let mut update = notes.update("text=new stars=null", not(notes.eq("id", "2")));
    update.returning = notes.returning();
    let done = stage.write(update).await;
    let mut rows: Vec<String> = done.rows.iter().map(|row| show(std::slice::from_ref(row))).collect();
    rows.sort();
    assert_eq!((rows.join(" ").as_str(), done.affected, done.inserted), ("(1,new,null) (3,new,null)", 2, 0));
    assert_eq!(stage.all("notes").await, "(1,new,null) (2,b,null) (3,new,null)");
    let mut nobody = notes.update("text=x", notes.eq("id", "99"));
    nobody.returning = notes.returning();
    let done = stage.write(nobody).await;
    assert_eq!((done.rows.len(), done.affected), (0, 0));
    let moved = stage.write(notes.update("id=4", notes.eq("id", "3"))).await;
    assert_eq!((moved.affected, stage.all("notes").await.as_str()), (1, "(1,new,null) (2,b,null) (4,new,null)"));
    check_error(stage.try_write(notes.update("id=1", notes.eq("id", "2"))).await, "duplicate notes_pkey");
    check_error(stage.try_write(notes.update("id=9", Filter::True)).await, "duplicate notes_pkey");
    check_error(stage.try_write(notes.update("text=null", Filter::True)).await, "null text");
    assert_eq!(stage.all("notes").await, "(1,new,null) (2,b,null) (4,new,null)");
}

/// A delete gives the rows as they were.
pub async fn deletes(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let mut delete = notes.delete(notes.eq("stars", "5"));
    delete.returning = notes.returning();
    let done = stage.write(delete.clone()).await;
    assert_eq!((show(&done.rows).as_str(), done.affected, done.inserted), ("(1,a,5)", 1, 0));
    assert_eq!(stage.write(delete).await.affected, 0);
    assert_eq!(stage.all("notes").await, "(2,b,null) (3,c,1)");
    assert_eq!(stage.write(notes.delete(Filter::True)).await.affected, 2);
    assert_eq!(stage.all("notes").await, "");
}

/// The writes of a batch see those before them, and all happen or none.
pub async fn batches(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let done = stage
        .write(Write::Batch(vec![
            Write::Insert(notes.insert("id text", &["4|d", "5|e"])),
            Write::Update(notes.update("stars=9", notes.eq("text", "d"))),
            Write::Delete(notes.delete(notes.eq("id", "1"))),
        ]))
        .await;
    assert_eq!((done.affected, done.inserted, done.rows.len()), (4, 2, 0));
    let after = "(2,b,null) (3,c,1) (4,d,9) (5,e,null)";
    assert_eq!(stage.all("notes").await, after);
    let failing = Write::Batch(vec![
        Write::Delete(notes.delete(Filter::True)),
        Write::Insert(notes.insert("id text", &["1|x"])),
        Write::Insert(notes.insert("id text", &["1|y"])),
    ]);
    check_error(stage.try_write(failing).await, "duplicate notes_pkey");
    assert_eq!(stage.all("notes").await, after);
    assert_eq!(stage.write(Write::Batch(vec![])).await.affected, 0);
}

/// What was expected and did not happen undoes the write.
pub async fn expectations(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let before = stage.all("notes").await;
    let single = Expect { single: true, affected_max: None };
    let at_most = |max| Expect { single: false, affected_max: Some(max) };
    for (expect, filter, expected) in [
        (single, Filter::True, "unexpected 3 true"),
        (single, Filter::False, "unexpected 0 true"),
        (at_most(2), Filter::True, "unexpected 3 false"),
        (at_most(0), notes.eq("id", "1"), "unexpected 1 false"),
    ] {
        let mut delete = notes.delete(filter.clone());
        delete.expect = expect;
        check_error(stage.try_write(delete).await, expected);
        let mut update = notes.update("text=x", filter);
        update.expect = expect;
        check_error(stage.try_write(update).await, expected);
        assert_eq!(stage.all("notes").await, before);
    }
    let mut insert = notes.insert("id text", &["7|x", "8|y"]);
    insert.expect = single;
    check_error(stage.try_write(insert).await, "unexpected 2 true");
    assert_eq!(stage.all("notes").await, before);
    for expect in [single, at_most(1), at_most(5)] {
        let mut update = notes.update("text=x", notes.eq("id", "1"));
        update.expect = expect;
        assert_eq!(stage.write(update).await.affected, 1);
    }
}

/// Null in a column that must have a value, given or left out.
pub async fn null_where_a_value_must_be(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    check_error(stage.try_write(notes.insert("id text", &["7|null"])).await, "null text");
    check_error(stage.try_write(notes.insert("id", &["7"])).await, "null text");
    check_error(stage.try_write(notes.insert("text", &["x"])).await, "null id");
    stage.fill("notes", "id text stars", &["7|x|null"]).await;
}

/// Returned rows embed what the store holds after the write, and before a delete.
pub async fn returned_rows_embed(open: &dyn Open) {
    let people = table("people").required("id", Type::Int).required("name", Type::Text).primary("id");
    let notes =
        table("notes").required("id", Type::Int).optional("by", Type::Int).primary("id").points("by", "people", "id");
    let stage = Stage::open(open, &[people, notes]).await;
    stage.fill("people", "id name", &["1|ann", "2|bob"]).await;
    let (people, notes) = (stage.of("people"), stage.of("notes"));
    let author = || {
        let read = notes.read().select("id").one(notes.join("people", "by=id"), people.read().select("name"));
        Some(Box::new(read.build()))
    };
    let mut insert = notes.insert("id by", &["1|1", "2|null"]);
    insert.returning = author();
    assert_eq!(show(&stage.write(insert).await.rows), "(1,(ann)) (2,null)");
    let mut update = notes.update("by=2", notes.eq("id", "1"));
    update.returning = author();
    assert_eq!(show(&stage.write(update).await.rows), "(1,(bob))");
    let mut delete = notes.delete(notes.eq("id", "1"));
    delete.returning = author();
    assert_eq!(show(&stage.write(delete).await.rows), "(1,(bob))");
    let mut insert = people.insert("id name", &["3|cid"]);
    let works = people.read().select("name").many(people.join("notes", "id=by"), notes.read().select("id"));
    insert.returning = Some(Box::new(works.build()));
    assert_eq!(show(&stage.write(insert).await.rows), "(cid,[])");
}

/// Returned rows may hold paths and casts, like those of a read.
pub async fn returned_rows_compute(open: &dyn Open) {
    let tables = [table("t").required("id", Type::Int).optional("j", Type::Json).primary("id")];
    let stage = Stage::open(open, &tables).await;
    let t = stage.of("t");
    let returning = || Some(Box::new(t.read().select("id j->a->0 j->>b").cast("id", Type::Text).build()));
    let mut insert = t.insert("id j", &[r#"1|{"a":[5],"b":"x"}"#, "2|null"]);
    insert.returning = returning();
    assert_eq!(show(&stage.write(insert).await.rows), "(1,5,x,1) (2,null,null,2)");
    let mut update = t.update(r#"j={"a":[6]}"#, t.eq("j->>b", "x"));
    update.returning = returning();
    assert_eq!(show(&stage.write(update).await.rows), "(1,6,null,1)");
    let mut delete = t.delete(t.eq("j->a->0", "6"));
    delete.returning = returning();
    assert_eq!(show(&stage.write(delete).await.rows), "(1,6,null,1)");
}

/// An insert of no rows does nothing, and is no error.
pub async fn writing_nothing(open: &dyn Open) {
    let stage = with_notes(open).await;
    let notes = stage.of("notes");
    let mut insert = notes.insert("id text", &[]);
    insert.returning = notes.returning();
    let done = stage.write(insert).await;
    assert_eq!((done.affected, done.inserted, done.rows.len()), (0, 0, 0));
    let done = stage.write(notes.update("text=x", notes.test("stars", mainstay_query::plan::Test::In(vec![])))).await;
    assert_eq!(done.affected, 0);
    let id = Value::Int(1);
    let update = notes.update("stars=5", notes.test("id", mainstay_query::plan::Test::In(vec![id])));
    assert_eq!(stage.write(update).await.affected, 1, "a row that already has the value is affected");
}

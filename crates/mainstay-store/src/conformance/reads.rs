//! Which members, in which order, how many.

use mainstay_query::plan::Filter;
use mainstay_schema::{Type, Value};

use super::Open;
use super::digits::kept;
use super::filters::SAMPLES;
use super::kit::{Stage, check_error, show};
use super::tables::{table, ty, typed};
use crate::collect::Member;

/// Every sample of every type, and null, is read as it was written.
pub async fn values_come_back_as_they_went_in(open: &dyn Open) {
    let mut all = table("all").required("id", Type::Int).primary("id");
    for (at, (name, _)) in SAMPLES.iter().enumerate() {
        all = all.optional(&format!("c{at}"), ty(name));
    }
    let stage = Stage::open(open, &[all]).await;
    let rows_count = SAMPLES.iter().map(|(_, texts)| texts.len()).max().unwrap_or_default() + 1;
    let cell =
        |(name, texts): &(&str, &[&str]), row: usize| texts.get(row).map_or(Value::Null, |text| typed(&ty(name), text));
    let rows: Vec<Vec<Value>> = (0..rows_count)
        .map(|row| {
            let id = Value::Int(row as i64);
            std::iter::once(id).chain(SAMPLES.iter().map(|sample| cell(sample, row))).collect()
        })
        .collect();
    let all = stage.of("all");
    let mut insert = all.insert("id", &[]);
    insert.columns = all.table.columns.iter().map(|column| column.id).collect();
    insert.rows = rows.iter().map(|row| row.iter().cloned().map(Some).collect()).collect();
    insert.returning = all.returning();
    let member = |value: &Value| Member::Value(kept(value, stage.digits()));
    let expected: Vec<Vec<Member>> = rows.iter().map(|row| row.iter().map(member).collect()).collect();
    assert_eq!(stage.write(insert).await.rows, expected, "returned by the insert");
    assert_eq!(stage.read(all.read()).await.rows, expected, "read afterwards");
}

/// Nulls first and last, ascending and descending.
pub async fn nulls_go_where_they_are_told(open: &dyn Open) {
    let tables = [table("t").required("id", Type::Int).optional("v", Type::Int).primary("id")];
    let stage = Stage::open(open, &tables).await;
    stage.fill("t", "id v", &["1|null", "2|20", "3|10", "4|null", "5|30"]).await;
    for (order, expected) in [
        ("v", "(3) (2) (5) (1) (4)"),
        ("v nullsfirst", "(1) (4) (3) (2) (5)"),
        ("v desc", "(5) (2) (3) (1) (4)"),
        ("v desc nullsfirst", "(1) (4) (5) (2) (3)"),
        ("id desc", "(5) (4) (3) (2) (1)"),
    ] {
        stage.check(stage.of("t").read().select("id").order(order), expected).await;
    }
}

/// Several terms, also by a path into JSON and by numbers that are not text.
pub async fn order_by_several_terms(open: &dyn Open) {
    let tables = [table("t")
        .required("id", Type::Int)
        .optional("a", Type::Text)
        .optional("d", ty("decimal"))
        .optional("j", Type::Json)
        .primary("id")];
    let stage = Stage::open(open, &tables).await;
    let rows = [
        r#"1|x|9.50|{"k":"b"}"#,
        r#"2|x|10.00|{"k":"a"}"#,
        r#"3|y|-1.00|{"k":"c"}"#,
        r#"4|y|null|{"k":null}"#,
        "5|null|100.00|null",
    ];
    stage.fill("t", "id a d j", &rows).await;
    for (order, expected) in [
        ("a,d desc", "(2) (1) (3) (4) (5)"),
        ("a desc nullsfirst,d nullsfirst", "(5) (4) (3) (1) (2)"),
        ("d", "(3) (1) (2) (5) (4)"),
        ("j->>k", "(2) (1) (3) (4) (5)"),
        ("j->>k desc nullsfirst", "(4) (5) (3) (1) (2)"),
    ] {
        stage.check(stage.of("t").read().select("id").order(order), expected).await;
    }
}

/// Order by a column of a to-one row; no row counts as null.
pub async fn order_by_a_related_row(open: &dyn Open) {
    let tables = [
        table("directors").required("id", Type::Int).optional("name", Type::Text).primary("id"),
        table("films").required("id", Type::Int).optional("director", Type::Int).primary("id"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("directors", "id name", &["1|Varda", "2|Akerman", "3|null"]).await;
    stage.fill("films", "id director", &["1|1", "2|2", "3|3", "4|null", "5|2"]).await;
    let films = stage.of("films");
    for (term, expected) in [
        ("name", "(2) (5) (1) (3) (4)"),
        ("name desc nullsfirst", "(3) (4) (1) (2) (5)"),
        ("name desc", "(1) (2) (5) (3) (4)"),
    ] {
        let read = films.read().select("id").order_via(films.join("directors", "director=id"), "directors", term);
        stage.check(read, expected).await;
    }
}

/// A page is cut after filter and order; the count ignores the page.
pub async fn pages_and_counts(open: &dyn Open) {
    let tables = [table("t").required("id", Type::Int).required("even", Type::Bool).primary("id")];
    let stage = Stage::open(open, &tables).await;
    let t = stage.of("t");
    stage.check(t.read(), "").await;
    assert_eq!(stage.read(t.read().count()).await.total, Some(0));
    let rows: Vec<String> = (1..=10).map(|id| format!("{id}|{}", id % 2 == 0)).collect();
    stage.fill("t", "id even", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let even = || t.eq("even", "true");
    for (read, expected, total) in [
        (t.read().limit(3), "(1) (2) (3)", 10),
        (t.read().limit(3).offset(2), "(3) (4) (5)", 10),
        (t.read().offset(8), "(9) (10)", 10),
        (t.read().offset(10), "", 10),
        (t.read().offset(1000).limit(5), "", 10),
        (t.read().limit(0), "", 10),
        (t.read().filter(even()).limit(2).offset(1), "(4) (6)", 5),
        (t.read().order("id desc").limit(2), "(10) (9)", 10),
        (t.read().filter(Filter::False), "", 0),
        (t.read().limit(u64::MAX).offset(9), "(10)", 10),
    ] {
        let without = stage.read(read.clone().select("id")).await;
        assert_eq!((show(&without.rows).as_str(), without.total), (expected, None));
        let counted = stage.read(read.select("id").count()).await;
        assert_eq!((show(&counted.rows).as_str(), counted.total), (expected, Some(total)));
    }
}

/// Casts of columns and paths to other types.
pub async fn casts(open: &dyn Open) {
    let tables = [table("t")
        .required("id", Type::Int)
        .optional("text", Type::Text)
        .optional("float", Type::Float)
        .optional("decimal", ty("decimal"))
        .optional("at", Type::Timestamp)
        .optional("json", Type::Json)
        .optional("bool", Type::Bool)
        .optional("uuid", Type::Uuid)
        .primary("id")];
    let stage = Stage::open(open, &tables).await;
    let t = stage.of("t");
    let row = r#"1|12|2.5|-2.50|2026-11-23T10:00:00.5Z|{"n":"7","m":3.7}|true|0198c0de-0000-7000-8000-000000000001"#;
    stage.fill("t", "id text float decimal at json bool uuid", &[row, "2|null|null|null|null|null|null|null"]).await;
    for (expr, to, expected) in [
        ("id", "text", "1"),
        ("text", "int", "12"),
        ("text", "decimal", "12.00"),
        ("float", "int", "2"),
        ("float", "text", "2.5"),
        ("decimal", "int", "-3"),
        ("decimal", "float", "-2.5"),
        ("decimal", "text", "-2.50"),
        ("at", "date", "2026-11-23"),
        ("at", "time", "10:00:00.5"),
        ("at", "text", "2026-11-23T10:00:00.5+00:00"),
        ("json->>n", "int", "7"),
        ("json->m", "int", "4"),
        ("json->m", "text", "3.7"),
        ("json", "text", r#"{"m":3.7,"n":"7"}"#),
        ("bool", "int", "1"),
        ("bool", "text", "true"),
        ("uuid", "text", "0198c0de-0000-7000-8000-000000000001"),
        ("text", "json", "12"),
        ("id", "json", "1"),
    ] {
        let expected = if expr == "id" { format!("({expected}) (2)") } else { format!("({expected}) (null)") };
        let found = show(&stage.read(t.read().select("").cast(expr, ty(to))).await.rows);
        assert_eq!(found, expected, "{expr}::{to}");
    }
}

/// A value that is none of the type is an error, not null and not zero.
pub async fn a_cast_that_fails(open: &dyn Open) {
    let stage =
        Stage::open(open, &[table("t").required("id", Type::Int).optional("v", Type::Text).primary("id")]).await;
    stage.fill("t", "id v", &["1|12", "2|twelve"]).await;
    let t = stage.of("t");
    check_error(stage.try_read(&t.read().select("id").cast("v", Type::Int).build()).await, "value");
    let only = t.read().filter(t.eq("id", "1")).select("id").cast("v", Type::Int);
    stage.check(only, "(1,12)").await;
}

/// `explain` says something and does nothing.
pub async fn explaining_changes_nothing(open: &dyn Open) {
    let stage = Stage::open(open, &[table("t").required("id", Type::Int).primary("id")]).await;
    stage.fill("t", "id", &["1"]).await;
    let t = stage.of("t");
    let read = stage.authorized(t.read().filter(t.eq("id", "1")).build());
    let explained = stage.store.explain(stage.call(), read).await.expect("a read is explained");
    assert!(!explained.statements.is_empty());
    for write in [
        mainstay_query::plan::Write::Insert(t.insert("id", &["2"])),
        mainstay_query::plan::Write::Delete(t.delete(t.eq("id", "1"))),
    ] {
        let explained = stage.store.explain_write(stage.call(), stage.authorized_write(write)).await;
        assert!(!explained.expect("a write is explained").statements.is_empty());
    }
    assert_eq!(stage.all("t").await, "(1)");
}

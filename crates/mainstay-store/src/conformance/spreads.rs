//! Members of related rows that stand in the row itself (rest.md 7.9), and tests for related rows that skip some.

use mainstay_query::plan::{Cardinality, Filter};
use mainstay_schema::Type;

use super::Open;
use super::kit::Stage;
use super::tables::table;

async fn school(open: &dyn Open) -> Stage {
    let tables = [
        table("teachers").required("id", Type::Int).optional("name", Type::Text).primary("id"),
        table("courses")
            .required("id", Type::Int)
            .required("title", Type::Text)
            .optional("teacher", Type::Int)
            .optional("price", Type::Decimal { precision: 6, scale: 2 })
            .primary("id")
            .points("teacher", "teachers", "id"),
        table("hours")
            .required("id", Type::Int)
            .required("course", Type::Int)
            .optional("day", Type::Text)
            .optional("rooms", Type::Array(Box::new(Type::Int)))
            .primary("id")
            .points("course", "courses", "id"),
    ];
    let stage = Stage::open(open, &tables).await;
    stage.fill("teachers", "id name", &["1|Ada", "2|null", "3|Eve"]).await;
    stage.fill("courses", "id title teacher price", &["1|Logic|1|10.00", "2|Art|2|null", "3|\"Free\"|null|0.50"]).await;
    stage.fill("hours", "id course day rooms", &["1|1|mon|{1,2}", "2|1|null|null", "3|1|mon|{}", "4|2|tue|{3}"]).await;
    stage
}

/// The members of one row, null where there is none.
pub async fn one_row_into_its_parent(open: &dyn Open) {
    let stage = school(open).await;
    let (courses, teachers) = (stage.of("courses"), stage.of("teachers"));
    let teacher = || courses.join("teachers", "teacher=id");
    let read = |inner| courses.read().select("id").spread(Cardinality::One, teacher(), inner);
    stage.check(read(teachers.read().select("name id")), "(1,Ada,1) (2,null,2) (3,null,null)").await;
    let some = teachers.read().select("id name").filter(teachers.eq("id", "1"));
    stage.check(read(some), "(1,1,Ada) (2,null,null) (3,null,null)").await;
    // What is to be a list is null as well where the row is not there.
    let works = teachers.join("courses", "id=teacher");
    let inner = teachers.read().select("id").many(works, courses.read().select("title"));
    stage.check(read(inner), "(1,1,[(Logic)]) (2,2,[(Art)]) (3,null,null)").await;
}

/// An array for each member, all in the order of the rows, with nulls and duplicates.
pub async fn many_rows_as_arrays(open: &dyn Open) {
    let stage = school(open).await;
    let (courses, hours) = (stage.of("courses"), stage.of("hours"));
    let read = |inner| courses.read().select("id").spread(Cardinality::Many, courses.join("hours", "id=course"), inner);
    stage
        .check(
            read(hours.read().select("day id")),
            "(1,{\"mon\",NULL,\"mon\"},{\"1\",\"2\",\"3\"}) (2,{\"tue\"},{\"4\"}) (3,{},{})",
        )
        .await;
    let inner = hours.read().select("id").order("day desc nullsfirst,id").limit(2);
    stage.check(read(inner), "(1,{\"2\",\"1\"}) (2,{\"4\"}) (3,{})").await;
    // Arrays of arrays are JSON.
    let inner = hours.read().select("rooms").filter(hours.eq("course", "1"));
    stage.check(read(inner), "(1,{\"[1,2]\",NULL,\"[]\"}) (2,{}) (3,{})").await;
}

/// A spread of one row inside one of many, and the other way around.
pub async fn spreads_in_spreads(open: &dyn Open) {
    let stage = school(open).await;
    let (teachers, courses, hours) = (stage.of("teachers"), stage.of("courses"), stage.of("hours"));
    let course = hours.join("courses", "course=id");
    let day = hours.read().select("day").spread(Cardinality::One, course, courses.read().select("title price"));
    let days = courses.read().select("id").spread(Cardinality::Many, courses.join("hours", "id=course"), day);
    stage
        .check(
            days.limit(1),
            "(1,{\"mon\",NULL,\"mon\"},{\"Logic\",\"Logic\",\"Logic\"},{\"10.00\",\"10.00\",\"10.00\"})",
        )
        .await;
    let inner = courses.read().select("title").spread(
        Cardinality::Many,
        courses.join("hours", "id=course"),
        hours.read().select("id"),
    );
    let read = teachers.read().select("id").spread(Cardinality::Many, teachers.join("courses", "id=teacher"), inner);
    stage.check(read, "(1,{\"Logic\"},{\"[1,2,3]\"}) (2,{\"Art\"},{\"[4]\"}) (3,{},{})").await;
}

/// More than so many related rows.
pub async fn offsets_of_existence(open: &dyn Open) {
    let stage = school(open).await;
    let courses = stage.of("courses");
    let more = |skip, filter| match courses.exists(courses.join("hours", "id=course"), "hours", filter) {
        Filter::Exists { join, table, filter, .. } => Filter::Exists { join, table, filter, skip },
        other => other,
    };
    let hours = stage.of("hours");
    for (filter, expected) in [
        (more(0, Filter::True), "(1) (2)"),
        (more(1, Filter::True), "(1)"),
        (more(2, Filter::True), "(1)"),
        (more(3, Filter::True), ""),
        (more(1, hours.eq("day", "mon")), "(1)"),
        (more(1, hours.eq("day", "tue")), ""),
        (super::plans::not(more(1, Filter::True)), "(2) (3)"),
    ] {
        stage.check(courses.read().select("id").filter(filter), expected).await;
    }
}

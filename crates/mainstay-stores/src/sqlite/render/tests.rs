//! What reads look like as SQL: which embeds are joined, what is a statement of its own, pages by key.

use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan;
use mainstay_query::request::ReadRequest;
use mainstay_query::{Limits, ParseError};

use super::super::sample;
use super::{From, ReadSql, read};

/// The statements of a request for rows of a table.
#[track_caller]
fn check(table: &str, query: &str, expected: &[&str]) {
    let schema = sample::schema();
    let query: Result<_, ParseError> = parse::query(Purpose::Read, query, &Limits::default());
    let request = ReadRequest { table: table.into(), query: query.unwrap(), ..ReadRequest::default() };
    let limits = Limits { aggregates: true, ..Limits::default() };
    let plan = plan::read(&schema, &limits, &request).unwrap();
    let sql: ReadSql<'_> = read(&schema, &plan, From::Plan);
    let levels: Vec<&str> = sql.levels().iter().map(|level| level.text.as_str()).collect();
    assert_eq!(levels, expected);
}

#[test]
fn a_look_up_by_key_is_joined() {
    check(
        "orders",
        "select=total,customers(name)&order=total",
        &[
            r#"SELECT t0."total",t1."name",t1."id" FROM "orders" AS t0 LEFT JOIN "customers" AS t1 ON t0."customer_id"=t1."id" ORDER BY t0."total" COLLATE "decimal",t0."id" LIMIT ?"#,
        ],
    );
}

#[test]
fn look_ups_are_joined_one_after_another() {
    check(
        "orders_tags",
        "select=tags(name),orders(id,customers(email))",
        &[
            r#"SELECT t1."name",t1."id",t2."id",t3."email",t3."id" FROM "orders_tags" AS t0 LEFT JOIN "tags" AS t1 ON t0."tag_id"=t1."id" LEFT JOIN "orders" AS t2 ON t0."order_id"=t2."id" LEFT JOIN "customers" AS t3 ON t2."customer_id"=t3."id" ORDER BY t0."order_id",t0."tag_id" LIMIT ?"#,
        ],
    );
}

#[test]
fn members_of_a_look_up_are_joined_and_spread() {
    check(
        "orders",
        "select=total,...customers(name)",
        &[
            r#"SELECT t0."total",t1."name",t1."id" FROM "orders" AS t0 LEFT JOIN "customers" AS t1 ON t0."customer_id"=t1."id" ORDER BY t0."id" LIMIT ?"#,
        ],
    );
}

#[test]
fn groups_are_a_nested_statement_without_names_of_the_request() {
    check(
        "orders",
        "select=%22a%5C%22b%22:customers(name),sum:total.sum(),count()&having=(sum.gt.1)&order=sum.desc",
        &[
            r#"SELECT * FROM (SELECT mainstay_sum(t0."total",'decimal(12,2)') AS c0,count(*) AS c1,t1."name" AS c2,CASE WHEN t1."id" IS NOT NULL THEN 1 END AS p3 FROM "orders" AS t0 LEFT JOIN "customers" AS t1 ON t0."customer_id"=t1."id" GROUP BY 3,4) AS g WHERE (c0>? COLLATE "decimal") ORDER BY c0 COLLATE "decimal" DESC NULLS FIRST,c2 NULLS LAST LIMIT ?"#,
        ],
    );
}

/// The statement of the rows after a place.
#[track_caller]
fn check_after(query: &str, place: &[mainstay_schema::Value], expected: &str) {
    let schema = sample::schema();
    let query: Result<_, ParseError> = parse::query(Purpose::Read, query, &Limits::default());
    let request = ReadRequest { table: "orders".into(), query: query.unwrap(), ..ReadRequest::default() };
    let mut plan = plan::read(&schema, &Limits::default(), &request).unwrap();
    plan.after = Some(place.to_vec());
    assert_eq!(read(&schema, &plan, From::Plan).text, expected);
}

#[test]
fn rows_after_a_place_are_found_by_an_index() {
    use mainstay_schema::Value;
    let number = Value::Int(7);
    check_after(
        "select=id&after=",
        std::slice::from_ref(&number),
        r#"SELECT t0."id" FROM "orders" AS t0 WHERE (t0."id")>(?) ORDER BY t0."id" LIMIT ?"#,
    );
    check_after(
        "select=id&order=customer_id.desc,id.desc&after=",
        &[number.clone(), number.clone()],
        r#"SELECT t0."id" FROM "orders" AS t0 WHERE (t0."customer_id",t0."id")<(?,?) ORDER BY t0."customer_id" DESC,t0."id" DESC LIMIT ?"#,
    );
    check_after(
        "select=id&order=customer_id.desc&after=",
        &[number.clone(), number],
        r#"SELECT t0."id" FROM "orders" AS t0 WHERE (t0."customer_id"<=? AND (t0."customer_id"<? OR (t0."customer_id"=? AND (t0."id")>(?)))) ORDER BY t0."customer_id" DESC,t0."id" LIMIT ?"#,
    );
}

#[test]
fn what_is_filtered_or_many_is_a_statement_of_its_own() {
    check(
        "orders",
        "select=id,customers(name)&customers.name=eq.x",
        &[
            r#"SELECT t0."id",t0."customer_id" FROM "orders" AS t0 ORDER BY t0."id" LIMIT ?"#,
            r#"SELECT t0."name" FROM "customers" AS t0 WHERE t0."id"=? AND (t0."name"=?)"#,
        ],
    );
    check(
        "customers",
        "select=id,orders(id)&limit=1",
        &[
            r#"SELECT t0."id" FROM "customers" AS t0 ORDER BY t0."id" LIMIT ?"#,
            r#"SELECT t0."id" FROM "orders" AS t0 WHERE t0."customer_id"=? ORDER BY t0."id" LIMIT ?"#,
        ],
    );
}

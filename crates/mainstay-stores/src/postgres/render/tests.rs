//! What reads look like when all their levels come in one statement.

use mainstay_query::parse::{self, Purpose};
use mainstay_query::request::ReadRequest;
use mainstay_query::{Limits, plan};

use super::read_in_one;
use crate::sqlite::sample;

/// The statement of a request for rows of a table; `None` where there is no single one.
#[track_caller]
fn check(table: &str, query: &str, expected: Option<&str>) {
    let schema = sample::schema();
    let limits = Limits { aggregates: true, ..Limits::default() };
    let query = parse::query(Purpose::Read, query, &limits).unwrap();
    let request = ReadRequest { table: table.into(), query, ..ReadRequest::default() };
    let plan = plan::read(&schema, &limits, &request).unwrap();
    let sql = read_in_one(&schema, &plan);
    assert_eq!(sql.as_ref().map(|sql| sql.text.as_str()), expected);
    assert!(sql.is_none_or(|sql| sql.levels().len() == 1));
}

#[test]
fn a_list_is_an_array_of_records() {
    check(
        "customers",
        "select=name,orders(total)&limit=5",
        Some(
            r#"SELECT t0."name",ARRAY(SELECT ROW(t1."total") FROM "orders" AS t1 WHERE t0."id"=t1."customer_id" ORDER BY t1."id" LIMIT 1000) FROM "customers" AS t0 ORDER BY t0."id" LIMIT 5"#,
        ),
    );
}

#[test]
fn lists_hold_lists_and_look_ups() {
    check(
        "customers",
        "select=orders(id,tags(name),customers(email))&orders.order=total.desc&limit=5",
        Some(
            r#"SELECT ARRAY(SELECT ROW(t1."id",ARRAY(SELECT ROW(t2."name") FROM "tags" AS t2 JOIN "orders_tags" AS t3 ON t3."tag_id"=t2."id" WHERE t1."id"=t3."order_id" ORDER BY t2."id" LIMIT 1000),t4."email",t4."id") FROM "orders" AS t1 LEFT JOIN "customers" AS t4 ON t1."customer_id"=t4."id" WHERE t0."id"=t1."customer_id" ORDER BY t1."total" DESC,t1."id" LIMIT 1000) FROM "customers" AS t0 ORDER BY t0."id" LIMIT 5"#,
        ),
    );
}

#[test]
fn groups_are_statements_of_their_own() {
    check("customers", "select=name,orders(total.sum())", None);
}

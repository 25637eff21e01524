//! Inserts that meet a key that is there already.

use mainstay_schema::Type;

use super::Open;
use super::kit::{Stage, check_error, show};
use super::tables::table;
use crate::error::StoreError;

async fn users(open: &dyn Open) -> Stage {
    let tables = [table("users")
        .required("id", Type::Int)
        .optional("email", Type::Text)
        .optional("name", Type::Text)
        .optional("age", Type::Int)
        .primary("id")
        .unique("email")
        .unique("name age")];
    let stage = Stage::open(open, &tables).await;
    stage.fill("users", "id email name age", &["1|a@x|ann|10", "2|b@x|bob|20", "3|null|cid|null"]).await;
    stage
}

/// A merge takes the columns it names from the new row, and keeps the rest.
pub async fn merge_by_primary_key(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let mut insert = users.insert("id name age", &["2|BOB|21", "4|dan|40", "3|CID|30"]);
    insert.conflict = users.conflict("id", Some("id name"));
    insert.returning = users.returning();
    let done = stage.write(insert).await;
    assert_eq!(show(&done.rows), "(2,b@x,BOB,20) (4,null,dan,40) (3,null,CID,null)");
    assert_eq!((done.affected, done.inserted), (3, 1));
    assert_eq!(stage.all("users").await, "(1,a@x,ann,10) (2,b@x,BOB,20) (3,null,CID,null) (4,null,dan,40)");
    let mut insert = users.insert("id", &["1", "5"]);
    insert.conflict = users.conflict("id", Some("id"));
    insert.returning = Some(Box::new(users.read().select("id name").build()));
    let done = stage.write(insert).await;
    assert_eq!((show(&done.rows).as_str(), done.affected, done.inserted), ("(1,ann) (5,null)", 2, 1));
}

/// The key that decides may be any unique key, of several columns too.
pub async fn merge_by_unique_key(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let mut insert = users.insert("id email name", &["7|b@x|robert", "8|c@x|carl"]);
    insert.conflict = users.conflict("email", Some("email name"));
    let done = stage.write(insert).await;
    assert_eq!((done.affected, done.inserted), (2, 1));
    let mut insert = users.insert("id email name age", &["9|z@x|ann|10"]);
    insert.conflict = users.conflict("name age", Some("email"));
    stage.write(insert).await;
    let expected = "(1,z@x,ann,10) (2,b@x,robert,20) (3,null,cid,null) (8,c@x,carl,null)";
    assert_eq!(stage.all("users").await, expected);
}

/// A skipped row changes nothing and is not returned; the second of two new rows with one key is skipped as well.
pub async fn skip(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let mut insert = users.insert("id name", &["1|other", "4|dan", "4|dora", "2|other"]);
    insert.conflict = users.conflict("id", None);
    insert.returning = Some(Box::new(users.read().select("id name").build()));
    let done = stage.write(insert).await;
    assert_eq!((show(&done.rows).as_str(), done.affected, done.inserted), ("(4,dan)", 1, 1));
    assert_eq!(stage.all("users").await, "(1,a@x,ann,10) (2,b@x,bob,20) (3,null,cid,null) (4,null,dan,null)");
}

/// Null equals nothing, so it never is a duplicate.
pub async fn null_conflicts_with_nothing(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    stage.fill("users", "id email name age", &["4|null|cid|null", "5|null|null|10"]).await;
    let mut insert = users.insert("id email name", &["6|null|eve"]);
    insert.conflict = users.conflict("email", Some("email name"));
    let done = stage.write(insert).await;
    assert_eq!((done.affected, done.inserted), (1, 1));
    check_error(stage.try_write(users.insert("id email", &["7|a@x"])).await, "duplicate users_email_key");
    let insert = users.insert("id name age", &["7|bob|20"]);
    check_error(stage.try_write(insert).await, "duplicate users_name_age_key");
}

/// Only the key that was named decides; a duplicate in another one is an error.
pub async fn another_key_still_refuses(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let before = stage.all("users").await;
    for merge in [None, Some("id email")] {
        let mut insert = users.insert("id email", &["4|d@x", "5|a@x"]);
        insert.conflict = users.conflict("id", merge);
        check_error(stage.try_write(insert).await, "duplicate users_email_key");
        let mut insert = users.insert("id email", &["1|b@x"]);
        insert.conflict = users.conflict("id", merge);
        let outcome = stage.try_write(insert).await;
        match merge {
            None => assert_eq!(outcome.expect("the row is skipped").affected, 0),
            Some(_) => check_error(outcome, "duplicate users_email_key"),
        }
        assert_eq!(stage.all("users").await, before);
    }
}

/// One merge cannot touch a row twice: which values should win?
pub async fn one_key_twice(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let before = stage.all("users").await;
    for rows in [["1|x", "1|y"], ["9|x", "9|y"]] {
        let mut insert = users.insert("id name", &rows);
        insert.conflict = users.conflict("id", Some("id name"));
        check_error(stage.try_write(insert).await, "repeated");
        assert_eq!(stage.all("users").await, before);
    }
}

/// A merge by one key may change another one.
pub async fn merging_changes_keys(open: &dyn Open) {
    let stage = users(open).await;
    let users = stage.of("users");
    let mut insert = users.insert("id email", &["9|a@x"]);
    insert.conflict = users.conflict("email", Some("id email"));
    insert.returning = Some(Box::new(users.read().select("id name").build()));
    assert_eq!(show(&stage.write(insert).await.rows), "(9,ann)");
    assert_eq!(stage.all("users").await, "(2,b@x,bob,20) (3,null,cid,null) (9,a@x,ann,10)");
}

/// The error of a duplicate holds the values that the write gave, whichever row of an insert they are from.
pub async fn a_duplicate_tells_its_values(open: &dyn Open) {
    let check = |outcome: Result<_, StoreError>, expected: &str| match outcome {
        Err(StoreError::Duplicate { key, values: Some(values), .. }) => {
            assert_eq!(format!("{key} {}", values.join(",")), expected);
        }
        other => panic!("{other:?}"),
    };
    let stage = users(open).await;
    let users = stage.of("users");
    let rows = ["7|c@x|x|1", "8|b@x|x|2", "9|a@x|x|3"];
    check(stage.try_write(users.insert("id email name age", &rows)).await, "users_email_key b@x");
    check(stage.try_write(users.insert("id name age", &["7|x|1", "8|ann|10"])).await, "users_name_age_key ann,10");
    check(stage.try_write(users.update("email=a@x", users.eq("id", "2"))).await, "users_email_key a@x");
    let mut merge = users.insert("id email", &["1|z@x", "2|a@x", "3|z@x"]);
    merge.conflict = users.conflict("id", Some("email"));
    check(stage.try_write(merge).await, "users_email_key z@x");
}

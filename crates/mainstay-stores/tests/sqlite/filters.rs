//! What each test of a filter lets through.

use crate::support::{Shop, empty, filled};

async fn check(shop: &Shop, table: &str, query: &str, expected: &str) {
    assert_eq!(shop.read(table, &format!("select=id&order=id&{query}")).await, expected, "{table}?{query}");
}

#[tokio::test]
async fn comparisons_and_nulls() {
    let shop = filled().await;
    for (query, expected) in [
        ("id=eq.2", "(2)"),
        ("id=neq.2", "(1),(3)"),
        ("id=in.(1,3)", "(1),(3)"),
        ("id=in.()", ""),
        ("id=not.in.()", "(1),(2),(3)"),
        ("name=is.null", "(2)"),
        ("name=not.is.null", "(1),(3)"),
        ("name=eq.Ann", "(1)"),
        ("name=neq.Ann", "(3)"),
        ("name=not.eq.Ann", "(3)"),
        ("name=isdistinct.Ann", "(2),(3)"),
        ("or=(id.eq.1,name.is.null)", "(1),(2)"),
        ("not.or=(id.eq.1,name.is.null)", "(3)"),
        ("name=not.in.(Ann)", "(3)"),
    ] {
        check(&shop, "customers", query, expected).await;
    }
}

#[tokio::test]
async fn patterns() {
    let shop = filled().await;
    for (query, expected) in [
        ("email=like.ann*", "(1)"),
        ("email=like.ANN*", ""),
        ("email=ilike.ANN*", "(1)"),
        ("email=like.ann@x.org", "(1)"),
        ("email=like.*b@x*", "(2)"),
        ("email=like.b*x.org", "(2)"),
        ("email=like.b_b*", "(2)"),
        ("email=not.like.ann*", "(2),(3)"),
        ("name=ilike.çYD", "(3)"),
        ("name=not.like.A*", "(3)"),
    ] {
        check(&shop, "customers", query, expected).await;
    }
}

#[tokio::test]
async fn decimals_compare_as_numbers() {
    let shop = filled().await;
    for (query, expected) in [
        ("total=gt.9", "(1),(3)"),
        ("total=eq.9", "(2)"),
        ("total=neq.9.00", "(1),(3)"),
        ("total=lt.100", "(1),(2)"),
        ("total=in.(9,100.0)", "(2),(3)"),
        ("total=gte.10.50", "(1),(3)"),
    ] {
        check(&shop, "orders", query, expected).await;
    }
}

#[tokio::test]
async fn documents_and_arrays() {
    let shop = filled().await;
    for (query, expected) in [
        ("note->gift=eq.true", "(1)"),
        ("note->tags->>0=eq.a", "(1)"),
        ("note->>1=eq.2", "(3)"),
        (r#"note=cs.{"gift":true}"#, "(1)"),
        ("note=cs.[2]", "(3)"),
        ("note=cd.[1,2,3]", "(3)"),
    ] {
        check(&shop, "orders", query, expected).await;
    }
    let shop = empty().await;
    let id = |last: u8| format!("0190a5b2-7e1c-7c3a-9b1d-00000000000{last}");
    shop.insert(
        "things",
        "id,numbers,flag",
        &[&format!("{}|{{1,2}}|true", id(1)), &format!("{}|{{2,10}}|false", id(2)), &format!("{}|NULL|NULL", id(3))],
    )
    .await;
    for (query, expected) in [
        ("numbers=cs.{2}", vec![1, 2]),
        ("numbers=cd.{1,2,3}", vec![1]),
        ("numbers=ov.{10,11}", vec![2]),
        ("numbers=gt.{2,9}", vec![2]),
        ("numbers=eq.{1,2}", vec![1]),
        ("flag=is.true", vec![1]),
        ("flag=is.false", vec![2]),
        ("flag=not.is.true", vec![2, 3]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|last| format!("({})", id(last))).collect();
        check(&shop, "things", query, &expected.join(",")).await;
    }
}

#[tokio::test]
async fn related_rows() {
    let shop = filled().await;
    for (query, expected) in [
        ("select=id,orders()&orders=not.is.null&order=id", "(1),(2)"),
        ("select=id,orders()&orders=is.null&order=id", "(3)"),
        ("select=id,orders!inner()&orders.id=eq.3", "(2)"),
        ("select=id,orders!inner(tags!inner())&orders.tags.name=eq.new", "(1,[()])"),
    ] {
        assert_eq!(shop.read("customers", query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn long_lists_and_long_trees() {
    let shop = filled().await;
    let many: Vec<String> = (2..400).map(|id| id.to_string()).collect();
    check(&shop, "customers", &format!("id=in.({})", many.join(",")), "(2),(3)").await;
    check(&shop, "customers", &format!("id=not.in.({})", many.join(",")), "(1)").await;
    let names: Vec<String> = (0..90).map(|n| format!("a{n}*")).collect();
    check(&shop, "customers", &format!("email=like(any).{{{},c*}}", names.join(",")), "(3)").await;
}

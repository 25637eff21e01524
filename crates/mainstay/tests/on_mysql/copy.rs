//! `mainstay copy` from files to both servers and back, and between servers of different kinds.

use crate::app::on_each;
use crate::copies::{
    ROWS, TABLES, a_copy_that_was_killed_goes_on, answers, are_equal, chinook, chinook_goes_and_comes_back, copy,
    retail_goes_and_comes_back, the_shop_goes_and_comes_back,
};
use crate::found_again::is_the_same_as_found;
use crate::postgres;
use crate::support::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_to_each_server_and_back() {
    on_each("", |database| async move { chinook_goes_and_comes_back(&database.url()).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retail_data_goes_to_each_server_and_back() {
    on_each("", |database| async move { retail_goes_and_comes_back(&database.url()).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_ours_are_the_same_where_they_are_served_as_found() {
    on_each("", |database| async move { is_the_same_as_found(&database.url()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_goes_to_each_server_and_back() {
    on_each("", |database| async move { the_shop_goes_and_comes_back(&database.url()).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_each_server_that_was_killed_goes_on() {
    on_each("", |database| async move { a_copy_that_was_killed_goes_on(&database.url()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_goes_from_server_to_server() {
    on_each("", |database| async move {
        let folder = Folder::new();
        let Some(file) = chinook(&folder) else {
            return eprintln!("not run: the Chinook database is not beside the workspace");
        };
        let first = answers(&file, &TABLES, ROWS).await;
        let (one, other) = (postgres::Database::new("").await, postgres::Database::new("").await);
        copy(&folder, &file, &one.url(), &TABLES);
        copy(&folder, &one.url(), &database.url(), &TABLES);
        are_equal(&first, &answers(&database.url(), &TABLES, ROWS).await, "from PostgreSQL");
        copy(&folder, &database.url(), &other.url(), &TABLES);
        are_equal(&first, &answers(&other.url(), &TABLES, ROWS).await, "and back there");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_between_servers_that_was_killed_goes_on() {
    const BIG_ROWS: u64 = 30_000;
    on_each("", |database| async move {
        let folder = Folder::new();
        let made = format!(
            "CREATE TABLE big (a text, b int, c float8, at timestamptz, PRIMARY KEY (a, b));
             INSERT INTO big SELECT 'Größe ' || (i % 100), i, i * 0.5, '2026-01-01Z'::timestamptz + i * interval '1 second'
               FROM generate_series(1, {BIG_ROWS}) AS i"
        );
        let source = postgres::Database::new(&made).await;
        let (from, to) = (source.url(), database.url());
        let both = ["copy", "--from", &from, "--to", &to];
        assert!(folder.killed_until_done(&[&both[..], &["--batch", "300"]].concat()) > 1, "two runs were cut off");
        let same = folder.run(&[&both[..], &["--verify", "--json"]].concat()).succeeds().json();
        assert_eq!(same["tables"][0]["target_rows"], BIG_ROWS);
    })
    .await;
}

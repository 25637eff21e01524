//! The example shop and functions of projects on PostgreSQL.

use crate::app::Database;
use crate::{functions, shop};

#[tokio::test]
async fn the_shop_is_served_from_postgresql() {
    shop::is_served(&Database::new("").await.url()).await;
}

#[tokio::test]
async fn functions_read_and_are_made_more_of() {
    functions::read_and_are_made_more_of(&Database::new("").await.url()).await;
}

#[tokio::test]
async fn functions_write_and_give_back() {
    functions::write_and_give_back(&Database::new("").await.url()).await;
}

#[tokio::test]
async fn functions_that_do_not_fit_are_refused_at_their_place() {
    functions::that_do_not_fit_are_refused_at_their_place(&Database::new("").await.url()).await;
}

//! What holds for projects on every server, on both of these.

use crate::app::on_each;
use crate::{functions, outage, shop};

#[tokio::test]
async fn the_shop_is_served() {
    on_each("", |database| async move { shop::is_served(&database.url()).await }).await;
}

#[tokio::test]
async fn a_server_that_stops_is_503_and_comes_back_without_a_restart() {
    on_each(outage::NOTES, |database| async move {
        outage::is_met_with_503_and_over_without_a_restart(&database.url()).await;
    })
    .await;
}

#[tokio::test]
async fn functions_read_and_are_made_more_of() {
    on_each("", |database| async move { functions::read_and_are_made_more_of(&database.url()).await }).await;
}

#[tokio::test]
async fn functions_write_and_give_back() {
    on_each("", |database| async move { functions::write_and_give_back(&database.url()).await }).await;
}

#[tokio::test]
async fn functions_that_do_not_fit_are_refused_at_their_place() {
    on_each("", |database| async move { functions::that_do_not_fit_are_refused_at_their_place(&database.url()).await })
        .await;
}

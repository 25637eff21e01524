//! The example shop on PostgreSQL.

use crate::app::Database;
use crate::shop;

#[tokio::test]
async fn the_shop_is_served_from_postgresql() {
    shop::is_served(&Database::new("").await.url()).await;
}

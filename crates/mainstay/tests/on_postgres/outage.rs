//! A PostgreSQL server that stops and comes back.

use crate::app::Database;
use crate::outage;

#[tokio::test]
async fn a_server_that_stops_is_503_and_comes_back_without_a_restart() {
    let database = Database::new(outage::NOTES).await;
    outage::is_met_with_503_and_over_without_a_restart(&database.url()).await;
}

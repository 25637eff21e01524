//! How a snapshot of what a database holds goes when another one has taken its place.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

/// How often, and how many times at most, it is seen whether requests still use it.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS_MAX: u32 = 3000;

/// Lets go of a snapshot when no request uses it any more: to free ten thousand tables takes a while, which none of them
/// need wait for.
pub async fn retire<T: Send + Sync + 'static>(old: Arc<T>) {
    for _ in 0..LOOKS_MAX {
        if Arc::strong_count(&old) == 1 {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    drop(tokio::task::spawn_blocking(move || drop(old)));
}

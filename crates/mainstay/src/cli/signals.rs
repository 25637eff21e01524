//! When a serving process is asked to stop.

use std::future::Future;

/// Listens from now on for SIGTERM and SIGINT (Ctrl-C); the future ends with the first. A second one ends the process
/// at once, as it would if nobody listened.
///
/// # Errors
/// That the system gives no signals.
#[cfg(unix)]
pub(super) fn stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut next = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        next().await;
        tokio::spawn(async move {
            next().await;
            // Whoever asks twice does not want to wait for the drain. What was acknowledged is on the disk.
            std::process::exit(SECOND_SIGNAL);
        });
    })
}

/// Exit code of a process that a signal ended: 128 and the number of SIGINT, as shells count.
#[cfg(unix)]
const SECOND_SIGNAL: i32 = 130;

/// Listens for Ctrl-C.
///
/// # Errors
/// That the system gives no signals.
#[cfg(not(unix))]
pub(super) fn stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// From now on the signals that ask for a reload end nothing, whether somebody heeds them yet or not.
///
/// # Errors
/// That the system does not let us.
#[cfg(all(unix, feature = "postgres"))]
pub(super) fn spare_reloads() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // What is listened for once has no default any more, also when the listener is gone.
    for kind in [SignalKind::user_defined1(), SignalKind::user_defined2()] {
        drop(signal(kind)?);
    }
    Ok(())
}

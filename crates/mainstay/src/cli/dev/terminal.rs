//! What a person types while the server runs.

use std::io::IsTerminal;

use tokio::sync::mpsc;

/// Lines that may wait until somebody looks: more than a person types ahead.
const LINES_MAX: usize = 16;

/// Whether somebody can be asked.
pub(super) fn is_there() -> bool {
    std::io::stdin().is_terminal()
}

/// The lines that are typed from now on; none when nobody can be asked.
pub(super) fn answers() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    if is_there() {
        // Reading a terminal cannot be given up, so the thread ends with the process.
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

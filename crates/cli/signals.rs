//! Ctrl-C and SIGTERM: the wish to end, which is obeyed after a binding was removed.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// A signal that follows another within this time says the same: `timeout` of coreutils sends each to the program and once more to its
/// process group. Nobody presses Ctrl-C twice so fast.
pub(crate) const SAME_WISH: Duration = Duration::from_millis(100);

/// Completes at the first SIGINT or SIGTERM. Never, when the system cannot tell us: then they end the process themselves.
pub(crate) async fn ended() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Completes when somebody insists: at the second wish to end.
pub(crate) async fn insisted() {
    ended().await;
    // Time itself is what tells the same wish from another: whoever listens only from here on did not hear the repetition.
    sleep(SAME_WISH).await;
    ended().await;
}

//! Ctrl-C and SIGTERM: the wish to end, which is obeyed after a binding was removed.

use tokio::signal::unix::{SignalKind, signal};

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

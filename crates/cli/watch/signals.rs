//! The signals that a watch listens to. Unlike a probe it tells them apart, and hears each of them from its first moment on.

use std::io;
use std::time::Instant;

use tokio::signal::unix::{self, SignalKind};

use crate::signals::SAME_WISH;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: read the file again; also what a terminal sends that goes away.
    HangUp,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
    /// When the last wish to end came.
    ended_at: Option<Instant>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
            ended_at: None,
        })
    }

    /// The next one. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Signal {
        loop {
            let signal = self.any().await;
            match signal {
                Signal::HangUp => return signal,
                Signal::Interrupt | Signal::Terminate => {
                    let now = Instant::now();
                    if self
                        .ended_at
                        .is_none_or(|before| now.saturating_duration_since(before) >= SAME_WISH)
                    {
                        self.ended_at = Some(now);
                        return signal;
                    }
                }
            }
        }
    }

    async fn any(&mut self) -> Signal {
        tokio::select! {
            biased;
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = self.hang_up.recv() => Signal::HangUp,
            else => std::future::pending().await,
        }
    }
}

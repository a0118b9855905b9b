//! The user's word to stop, heard between and during everything that takes time.

use std::pin::Pin;

/// A signal that comes once.
pub(super) struct Stop<F> {
    signal: Pin<Box<F>>,
    came: bool,
}

impl<F: Future<Output = ()>> Stop<F> {
    pub(super) fn new(signal: F) -> Self {
        Self {
            signal: Box::pin(signal),
            came: false,
        }
    }

    /// Whether it came.
    pub(super) const fn came(&self) -> bool {
        self.came
    }

    /// Waits for it. Waits for ever once it came: it is acted on once.
    pub(super) async fn wait(&mut self) {
        if self.came {
            return std::future::pending().await;
        }
        self.signal.as_mut().await;
        self.came = true;
    }

    /// The result of the work, or `None` when the word came before it was done, or came before.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        if self.came {
            return None;
        }
        tokio::select! {
            biased;
            () = self.wait() => None,
            done = work => Some(done),
        }
    }
}

//! Waits for sockets to be ready, each a task of its own, so that only what is ready costs anything: of datagrams (`hub`) and of
//! connections (`lines`) alike. Not for what is done then.

use std::io;

use tokio::task::{AbortHandle, JoinError, JoinSet};

/// Waits that are under way, each for a `T`.
#[derive(Debug)]
pub(crate) struct Watches<T> {
    tasks: JoinSet<io::Result<T>>,
}

impl<T: Send + 'static> Watches<T> {
    pub(crate) fn new() -> Self {
        Self { tasks: JoinSet::new() }
    }

    /// Begins one. It can be called off by its handle, and ends with these watches.
    pub(crate) fn begin(&mut self, wait: impl Future<Output = io::Result<T>> + Send + 'static) -> AbortHandle {
        self.tasks.spawn(wait)
    }

    /// Waits until one has come true; `None` when none is under way. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<T> {
        loop {
            if let Some(woken) = come_true(self.tasks.join_next().await?) {
                return Some(woken);
            }
        }
    }

    /// One that has come true already.
    pub(crate) fn try_next(&mut self) -> Option<T> {
        loop {
            if let Some(woken) = come_true(self.tasks.try_join_next()?) {
                return Some(woken);
            }
        }
    }
}

/// `None` for a wait that was called off with its socket, and for one that no runtime is left to end.
fn come_true<T>(ended: Result<io::Result<T>, JoinError>) -> Option<T> {
    ended.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_that_was_called_off_or_failed_tells_nothing() {
        let mut watches = Watches::new();
        assert_eq!(watches.next().await, None);
        watches.begin(std::future::pending()).abort();
        watches.begin(std::future::ready(Err(io::ErrorKind::Other.into())));
        watches.begin(std::future::ready(Ok(7)));
        assert_eq!(watches.next().await, Some(7));
        assert_eq!(watches.next().await, None);
        watches.begin(std::future::pending());
        watches.begin(std::future::ready(Ok(8)));
        tokio::task::yield_now().await;
        assert_eq!((watches.try_next(), watches.try_next()), (Some(8), None));
    }
}

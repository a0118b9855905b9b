//! The threads of a fleet: each runs one future on a runtime of its own and hands its value back, or the news that it panicked. Not for
//! what runs in them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::oneshot;

use super::FleetError;
use super::shard::{Planned, Shard};

/// Threads at work. Dropping it ends them at their next pause.
#[derive(Debug)]
pub(super) struct Crew<T> {
    hands: Vec<Hand<T>>,
}

#[derive(Debug)]
struct Hand<T> {
    shard: usize,
    work: Work<T>,
    thread: JoinHandle<()>,
}

/// How far one of them is.
#[derive(Debug)]
enum Work<T> {
    Going(oneshot::Receiver<T>),
    Done(T),
    Panicked,
}

impl<T> Default for Crew<T> {
    fn default() -> Self {
        Self { hands: Vec::new() }
    }
}

impl<T: Send + 'static> Crew<T> {
    /// Starts the thread of one shard.
    ///
    /// # Errors
    /// [`FleetError::Start`].
    pub(super) fn hire<F, Drive>(&mut self, planned: Planned, drive: F) -> Result<(), FleetError>
    where
        F: FnOnce(Shard) -> Drive + Send + 'static,
        Drive: Future<Output = T>,
    {
        let shard = planned.index;
        let refused = |error: std::io::Error| FleetError::Start {
            shard,
            why: error.to_string(),
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let (mut sender, receiver) = oneshot::channel();
        let work = move || {
            let ended = runtime.block_on(async {
                tokio::select! {
                    ended = async { drive(planned.make()).await } => Some(ended),
                    () = sender.closed() => None,
                }
            });
            if let Some(ended) = ended {
                // Nobody wants it any more when the crew was dropped.
                let _ = sender.send(ended);
            }
        };
        let thread = thread::Builder::new().name(format!("shard-{shard}")).spawn(work).map_err(refused)?;
        let work = Work::Going(receiver);
        self.hands.push(Hand { shard, work, thread });
        Ok(())
    }

    /// Waits until all of them are done.
    ///
    /// # Errors
    /// [`FleetError::Panicked`], as soon as one has.
    pub(super) async fn done(&mut self) -> Result<(), FleetError> {
        poll_fn(|cx| self.poll_done(cx)).await
    }

    /// What they returned once all are done, in the order in which they were hired.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub(super) async fn finish(mut self) -> Result<Vec<T>, FleetError> {
        self.done().await?;
        let mut values = Vec::new();
        for hand in self.hands {
            // Its future is over: what is left of the thread takes no time, and cannot change the value.
            let _ = hand.thread.join();
            match hand.work {
                Work::Done(value) => values.push(value),
                Work::Going(_) | Work::Panicked => return Err(FleetError::Panicked { shard: hand.shard }),
            }
        }
        Ok(values)
    }

    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), FleetError>> {
        let mut all = Poll::Ready(Ok(()));
        for hand in &mut self.hands {
            match hand.work.poll(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Err(FleetError::Panicked { shard: hand.shard })),
                Poll::Pending => all = Poll::Pending,
            }
        }
        all
    }
}

impl<T> Work<T> {
    /// True when it is done, false when it never will be.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if let Self::Going(receiver) = self {
            // A thread that unwinds drops its end unused.
            *self = ready!(Pin::new(receiver).poll(cx)).map_or(Self::Panicked, Self::Done);
        }
        Poll::Ready(matches!(self, Self::Done(_)))
    }
}

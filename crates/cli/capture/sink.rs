//! The thread of a capture: takes messages from the drivers, redacts them, writes them to the file and sends them to the collector.
//! Whatever fails there is told at the end and stops nothing.

use std::borrow::Cow;
use std::time::Duration;

use sip_net::{Captured, Outlet};
use sip_registration::{redacted, redacted_message};

use super::hep::Collector;
use super::pcapng::Book;

/// Where messages go.
#[derive(Debug)]
pub(super) struct Sink {
    book: Option<Book>,
    collector: Option<Collector>,
    include_credentials: bool,
}

impl Sink {
    pub(super) const fn new(book: Option<Book>, collector: Option<Collector>, include_credentials: bool) -> Self {
        Self {
            book,
            collector,
            include_credentials,
        }
    }

    /// Takes messages until there are no more; what went wrong.
    pub(super) fn run(mut self, outlet: &Outlet) -> Vec<String> {
        let mut left_out = 0;
        while let Some(batch) = outlet.next(AT_LEAST_EVERY) {
            for captured in batch {
                left_out += captured.missing;
                self.take(captured);
            }
            // Whoever ends us finds a whole file.
            if let Some(book) = &mut self.book {
                book.flush();
            }
        }
        left_out += outlet.missing();
        let mut troubles = Vec::new();
        if let Some(book) = self.book {
            troubles.extend(book.end(left_out));
        } else if left_out > 0 {
            troubles.push(format!("--hep: {left_out} messages came too fast and were not sent"));
        }
        troubles.extend(self.collector.and_then(Collector::trouble));
        troubles
    }

    fn take(&mut self, mut captured: Captured) {
        let message = &mut captured.message;
        if !self.include_credentials {
            message.bytes = redacted_message(&message.bytes);
            // What the other side says is in it, and it may repeat what we said.
            let decision = redacted(message.decision.as_bytes());
            message.decision = String::from_utf8_lossy(&decision).into_owned();
        }
        if let Some(book) = &mut self.book {
            book.enter(&captured);
        }
        if let Some(collector) = &mut self.collector {
            collector.send(&captured);
        }
    }
}

/// The beginning of bytes that are too long for where they go, and how many are cut off.
pub(super) fn cut(bytes: &[u8], most: usize) -> (&[u8], usize) {
    bytes.get(..most).map_or((bytes, 0), |start| (start, bytes.len() - most))
}

/// The beginning of a text that is too long.
pub(super) fn cut_text(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most);
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

/// How long the thread sleeps when nothing comes.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);

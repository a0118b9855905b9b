//! What a registrar tells about its work: one line for each message, and running totals. Not for the protocol.

use std::fmt;

use crate::Peer;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where the message came from.
    pub peer: Peer,
    /// The method and, where there is one, the address of record: `REGISTER sip:alice@example.test`. Safe to print.
    pub request: String,
    /// The status code of the reply; `None` when the note says what became of the message instead.
    pub status: Option<u16>,
    /// What was done and why, in a few words. Safe to print.
    pub note: String,
}

/// Running totals. Each counts messages, from the start of the registrar on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests that came, retransmissions included.
    pub requests: u64,
    /// Requests that were answered with the reply of an earlier one.
    pub retransmissions: u64,
    /// REGISTERs that bound a contact.
    pub registrations: u64,
    /// REGISTERs that only removed bindings.
    pub removals: u64,
    /// REGISTERs that only asked for the bindings.
    pub fetches: u64,
    /// Replies that asked for credentials, `stale=true` included.
    pub challenges: u64,
    /// Requests with credentials that were wrong.
    pub wrong_credentials: u64,
    /// Final replies other than 2xx, challenges left out.
    pub refusals: u64,
    /// Messages that were no answerable request: unreadable, responses, ACK, keep-alives.
    pub ignored: u64,
    /// Requests that a fault kept without an answer.
    pub silenced: u64,
    /// Replies that were lost because too many waited.
    pub dropped: u64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.peer.source, self.request)?;
        match self.status {
            Some(status) if self.note.is_empty() => write!(f, "{status}"),
            Some(status) => write!(f, "{status}, {}", self.note),
            None => f.write_str(&self.note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = Event {
            peer: Peer {
                flow: 3,
                source: "[::1]:5060".parse().unwrap(),
                reliable: true,
            },
            request: "REGISTER sip:alice@h".to_owned(),
            status: Some(200),
            note: "1 binding".to_owned(),
        };
        assert_eq!(event.to_string(), "[::1]:5060 REGISTER sip:alice@h: 200, 1 binding");
        let silent = Event {
            status: None,
            note: "fault silence".to_owned(),
            ..event
        };
        assert_eq!(silent.to_string(), "[::1]:5060 REGISTER sip:alice@h: fault silence");
    }
}

//! Everything that happened in a world: a running hash of all of it, and on request the lines of the ladder. Not the core's own ladder,
//! which shows what one attempt saw; this one shows what was on the wire, lost messages included.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::time::Duration;

use sip_message::{Message, printable};

/// The log of a world.
#[derive(Debug)]
pub(crate) struct Log {
    /// Made with fixed keys, so that equal logs have equal hashes.
    hasher: DefaultHasher,
    lines: Option<Vec<Line>>,
    pub(crate) entries: u64,
}

/// One line of the ladder.
#[derive(Debug)]
struct Line {
    at: Duration,
    arrow: &'static str,
    /// The other side; empty for what happens within.
    peer: String,
    what: String,
}

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// The agent sent it, and it will arrive this often.
    Sent(usize),
    /// It arrived at the agent.
    Received,
    /// The registrar sent it, and it is lost.
    LostOnTheWayBack,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            hasher: DefaultHasher::new(),
            lines: None,
            entries: 0,
        }
    }

    /// From now on the ladder is kept.
    pub(crate) fn record(&mut self) {
        self.lines.get_or_insert_default();
    }

    pub(crate) const fn is_recording(&self) -> bool {
        self.lines.is_some()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// A message between an agent's address and a registrar's.
    pub(crate) fn message(&mut self, at: Duration, step: Step, ends: [SocketAddr; 2], transport: &str, bytes: &[u8]) {
        self.entries += 1;
        (at, step, ends, bytes).hash(&mut self.hasher);
        let arrow = match step {
            Step::Sent(0) => "──✗",
            Step::Sent(_) => "──►",
            Step::Received => "◄──",
            Step::LostOnTheWayBack => "✗──",
        };
        let [_, remote] = ends;
        self.line(at, arrow, || (format!("{transport} {remote}"), summary(bytes)));
    }

    /// Anything else: a question, a flow, a change of state.
    pub(crate) fn note(&mut self, at: Duration, who: &str, what: &str) {
        self.entries += 1;
        (at, who, what).hash(&mut self.hasher);
        self.line(at, "", || (String::new(), format!("{who}: {what}")));
    }

    fn line(&mut self, at: Duration, arrow: &'static str, say: impl FnOnce() -> (String, String)) {
        if let Some(lines) = &mut self.lines {
            let (peer, what) = say();
            lines.push(Line { at, arrow, peer, what });
        }
    }

    /// The ladder, one line for each step: seconds, arrow, peer, message.
    pub(crate) fn ladder(&self) -> String {
        let lines = self.lines.as_deref().unwrap_or_default();
        let width = lines.iter().map(|line| line.peer.len()).max().unwrap_or(0);
        lines.iter().fold(String::new(), |mut ladder, Line { at, arrow, peer, what }| {
            // Writing to a String cannot fail.
            let _ = writeln!(ladder, "{:9.3}  {arrow:3} {peer:width$}  {what}", at.as_secs_f64());
            ladder
        })
    }
}

/// A message in one line: its start, its CSeq, and what a REGISTER asks for.
fn summary(bytes: &[u8]) -> String {
    let Ok(message) = Message::parse(bytes) else {
        let shown = bytes.get(..40).unwrap_or(bytes);
        return format!("{} bytes: {}", bytes.len(), printable(shown));
    };
    let headers = message.headers();
    let cseq = headers.cseq().and_then(Result::ok).map_or(0, |cseq| cseq.number);
    match &message {
        Message::Request(request) => {
            let to = headers.to().and_then(Result::ok).map_or(request.uri, |to| to.raw_uri);
            let expires = headers
                .expires()
                .and_then(Result::ok)
                .map_or_else(String::new, |seconds| format!(", expires {seconds}"));
            let answering = headers.first(sip_message::Name::Authorization).map_or("", |_| ", authorized");
            format!(
                "{} {} {cseq}{expires}{answering}",
                printable(request.method.as_bytes()),
                printable(to)
            )
        }
        Message::Response(response) => format!("{} {} {cseq}", response.status.code(), printable(response.reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_steps_give_equal_hashes_and_another_byte_another_one() {
        let hash = |bytes: &[u8]| {
            let mut log = Log::new();
            let ends = ["10.0.0.1:5060".parse().unwrap(), "192.0.2.1:5060".parse().unwrap()];
            log.message(Duration::ZERO, Step::Sent(1), ends, "udp", bytes);
            log.hash()
        };
        assert_eq!(hash(b"a"), hash(b"a"));
        assert_ne!(hash(b"a"), hash(b"b"));
    }

    #[test]
    fn a_ladder_shows_arrows_peers_and_messages() {
        let mut log = Log::new();
        log.record();
        let ends = ["10.0.0.1:5060".parse().unwrap(), "192.0.2.1:5060".parse().unwrap()];
        log.message(
            Duration::from_millis(1500),
            Step::Sent(0),
            ends,
            "udp",
            b"REGISTER sip:h SIP/2.0\r\nTo: <sip:a@h>\r\nCSeq: 7 REGISTER\r\nExpires: 60\r\n\r\n",
        );
        log.note(Duration::from_secs(2), "a@h", "REGISTERED_STATE");
        let expected =
            "    1.500  ──✗ udp 192.0.2.1:5060  REGISTER sip:a@h 7, expires 60\n    2.000                          a@h: REGISTERED_STATE\n";
        assert_eq!(log.ladder(), expected);
    }
}

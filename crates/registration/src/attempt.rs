//! What one exchange showed: the evidence, typed and without words for people. [`crate::Report`] puts it into words.

mod left;
mod step;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_digest::Algorithm;
use sip_message::printable;

use crate::encode::hexadecimal;
use crate::locate::Target;
use crate::report::OtherBinding;
use crate::{Cause, Goal, State, TlsFacts, Transport};

pub use self::left::Left;
pub use self::step::{Carrying, Happening, ReplyNote, Step, TracedMessage};

/// One exchange from its start to its end.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What it was for.
    pub goal: Goal,
    /// The Call-ID of its requests.
    pub call_id: CallId,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Instant,
    /// How it ended.
    pub ending: Ending,
    /// The last final reply.
    pub last_reply: Option<LastReply>,
    /// What OpenSIPS would show.
    pub opensips_state: State,
    /// Our binding, when the registrar confirmed one.
    pub binding: Option<Bound>,
    /// Everybody else's bindings; for a fetch, all of them.
    pub other_bindings: Vec<OtherBinding>,
    /// Authentication.
    pub auth: AuthFacts,
    /// Every target in the order of RFC 3263, and what became of it.
    pub targets: Vec<TriedTarget>,
    /// Our own address on the flow that was used last.
    pub local: Option<SocketAddr>,
    /// Our address as the registrar saw it, when it said so.
    pub seen_as: Option<SocketAddr>,
    /// The TLS handshake that was seen last.
    pub tls: Option<Arc<TlsFacts>>,
    /// How long each step took.
    pub phases: Phases,
    /// Requests sent, retransmissions not counted.
    pub requests: u32,
    /// Requests sent again.
    pub retransmissions: u32,
    /// Provisional replies.
    pub provisionals: u32,
    /// Requests from the other side while it lasted, as far as they were told of.
    pub asked: u32,
    /// Messages that had nothing to do with a request of ours, or came a second time.
    pub strays: u32,
    /// The Retry-After of the last final reply, in seconds.
    pub retry_after: Option<u32>,
    /// What the peer says that it is, escaped.
    pub product: Option<Arc<str>>,
    /// What else was noticed, each once.
    pub notices: Vec<Notice>,
    /// The steps for the ladder and the transcript, in order; at most [`Attempt::MAX_STEPS`].
    pub steps: Vec<Step>,
    /// The registrar may hold a binding of ours although it was not confirmed.
    pub may_be_bound: bool,
    /// The last request got no final reply that could be read: the registrar may carry it out yet.
    pub unanswered: bool,
    /// For how many seconds the last REGISTER wanted to be bound.
    pub asked_for: u32,
    /// Words of the system or of DNS about the failure, escaped; empty when there are none.
    pub words: String,
}

/// A Call-ID of ours: random, without anything about the machine (RFC 3261 §8.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId([u8; 16]);

impl CallId {
    pub(crate) const fn new(random: u128) -> Self {
        Self(random.to_be_bytes())
    }

    /// As it goes out: 32 hexadecimal digits.
    pub(crate) fn digits(self) -> [u8; 32] {
        hexadecimal(u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for CallId {
    /// As it goes out: 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The goal was reached.
    Succeeded,
    /// It was not.
    Failed(Cause),
    /// The user stopped it.
    Interrupted,
}

impl Ending {
    /// Why it failed.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Failed(cause) => Some(cause),
            Self::Succeeded | Self::Interrupted => None,
        }
    }
}

/// A final reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReply {
    /// The status code.
    pub code: u16,
    /// The reason phrase, escaped.
    pub reason: Arc<str>,
}

/// A confirmed binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The Contact URI that we sent.
    pub sent: Arc<str>,
    /// The Contact URI that the registrar lists, escaped.
    pub stored: Arc<str>,
    /// The seconds that were asked for.
    pub requested: u32,
    /// The seconds that were granted.
    pub granted: u32,
    /// Until when it holds.
    pub valid_until: Instant,
}

/// What was learnt about authentication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthFacts {
    /// Whether there was a challenge.
    pub challenged: bool,
    /// The algorithm that was answered, in its registered spelling.
    pub algorithm: Option<&'static str>,
    /// The realm that was answered, or offered last; escaped.
    pub realm: Option<Arc<str>>,
    /// The quality of protection that was used.
    pub qop: Option<&'static str>,
    /// Everything that was offered, escaped.
    pub offered: Vec<Cow<'static, str>>,
    /// How often a stale nonce was replaced.
    pub stale_retries: u32,
    /// Whether the server proved that it knows the password.
    pub server_authenticated: Option<bool>,
    /// Whether any request carried credentials.
    pub credentials_sent: bool,
}

/// A target and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedTarget {
    /// The target.
    pub target: Target,
    /// What became of it.
    pub outcome: TargetOutcome,
}

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetOutcome {
    /// Its turn never came.
    NotTried,
    /// It is in use.
    InUse,
    /// It served.
    Served,
    /// It failed.
    Failed(Cause),
}

/// How long each step took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Looking up names.
    pub dns: Option<Duration>,
    /// TCP.
    pub connect: Option<Duration>,
    /// TLS.
    pub tls: Option<Duration>,
    /// From the first request to its challenge.
    pub challenge: Option<Duration>,
    /// From the last request to its final reply.
    pub authenticated: Option<Duration>,
}

/// Something worth knowing beside the ending. Texts are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The nonce changed between the challenge and the refusal.
    NonceRotated,
    /// A stale challenge came with a weaker algorithm than the one before, and was not answered.
    ChallengeChanged {
        /// What was asked first.
        first: Algorithm,
        /// What was asked then.
        second: Algorithm,
    },
    /// A challenge came in another realm than the one that is answered, and nothing else that could be.
    ForeignRealm {
        /// Its realm.
        offered: Arc<str>,
        /// The realm that is answered; `None` when any is that has a name.
        expected: Option<Arc<str>>,
        /// Whether the account says so; otherwise it was answered first.
        pinned: bool,
    },
    /// A hash that was offered before is not offered any more.
    AlgorithmWithdrawn {
        /// The strongest that was ever offered.
        before: Algorithm,
        /// The strongest that is offered now.
        now: Algorithm,
    },
    /// A quality of protection was offered before, and none is any more.
    ProtectionWithdrawn,
    /// The registrar sees this address instead of ours.
    NatDetected {
        /// Ours.
        local: SocketAddr,
        /// What it sees.
        seen: SocketAddr,
    },
    /// The registrar sees another address than the one that it saw a request earlier.
    NatRebound {
        /// What it saw.
        before: SocketAddr,
        /// What it sees.
        now: SocketAddr,
    },
    /// A target that had asked for credentials said nothing after it got them.
    SilentAfterChallenge {
        /// How it was reached.
        transport: Transport,
        /// Where it is.
        remote: SocketAddr,
    },
    /// A request that should have gone by a stream went by UDP, and needs fragments on most ways.
    LargeRequest {
        /// Its length.
        bytes: usize,
    },
    /// A header came back changed.
    EchoChanged {
        /// Which header.
        header: &'static str,
        /// What was sent.
        sent: Arc<str>,
        /// What came back.
        echoed: Arc<str>,
    },
    /// The registrar lists our binding under another URI.
    ContactRewritten {
        /// What was sent.
        sent: Arc<str>,
        /// What is stored.
        stored: Arc<str>,
    },
    /// A reply came from another address than the request went to.
    OtherSource {
        /// From where.
        source: SocketAddr,
        /// Whether it was a challenge, which was not answered.
        challenge: bool,
    },
    /// A reply came after its transaction was over.
    LateReply,
    /// A 2xx whose phrase says the opposite.
    FailurePhrase(Arc<str>),
    /// An algorithm that we do not know was offered.
    UnknownAlgorithm(String),
    /// A 423 was obeyed.
    IntervalRaised {
        /// Seconds asked before.
        asked: u32,
        /// Seconds that the registrar wants at least.
        minimum: u32,
    },
    /// A Warning header.
    Warning {
        /// Its code.
        code: u16,
        /// Its text.
        text: Arc<str>,
    },
    /// Where a 3xx points.
    RedirectedTo(Arc<str>),
    /// A redirect led to another host, which asked for credentials and got none.
    CredentialsWithheld(Arc<str>),
}

impl Attempt {
    /// The most steps that are kept; a flood of replies is counted in [`Attempt::strays`] beyond that.
    pub const MAX_STEPS: usize = 100;
    /// For how many bytes of text whole messages are kept; beyond that a few lines of each. A usual exchange has some kilobytes.
    pub const MAX_TRACED: usize = 256 * 1024;
    /// The most notices that are kept.
    const MAX_NOTICES: usize = 32;
    /// For how many entries a list keeps its room: what a refresh needs, and not what a flood leaves behind.
    pub(crate) const KEPT: usize = 16;

    pub(crate) fn begin(now: Instant, goal: Goal) -> Self {
        Self {
            goal,
            call_id: CallId::new(0),
            started_at: now,
            ended_at: now,
            ending: Ending::Interrupted,
            last_reply: None,
            opensips_state: State::NotRegistered,
            binding: None,
            other_bindings: Vec::new(),
            auth: AuthFacts::default(),
            targets: Vec::new(),
            local: None,
            seen_as: None,
            tls: None,
            phases: Phases::default(),
            requests: 0,
            retransmissions: 0,
            provisionals: 0,
            asked: 0,
            strays: 0,
            retry_after: None,
            product: None,
            notices: Vec::new(),
            steps: Vec::new(),
            may_be_bound: false,
            unanswered: false,
            asked_for: 0,
            words: String::new(),
        }
    }

    /// Forgets everything. Its lists keep their room, as far as it is usual.
    pub(crate) fn empty(&mut self) {
        let used = std::mem::replace(self, Self::begin(self.started_at, self.goal));
        self.other_bindings = emptied(used.other_bindings);
        self.auth.offered = emptied(used.auth.offered);
        self.targets = emptied(used.targets);
        self.notices = emptied(used.notices);
        self.steps = emptied(used.steps);
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        if self.notices.len() < Self::MAX_NOTICES && !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Writes down a step, as long as there is room for it.
    pub(crate) fn step(&mut self, at: Instant, happening: Happening) {
        self.traced_step(at, happening, None);
    }

    /// Writes down a step with its message, which is cut when there is hardly room for it.
    pub(crate) fn traced_step(&mut self, at: Instant, happening: Happening, message: Option<TracedMessage>) {
        if self.steps.len() < Self::MAX_STEPS {
            let message = message.map(|message| Box::new(self.fitted(message)));
            self.steps.push(Step { at, happening, message });
        }
    }

    /// A message as far as there is room for it, and a few of its lines in any case.
    fn fitted(&self, mut message: TracedMessage) -> TracedMessage {
        let texts = self.steps.iter().filter_map(|step| step.message.as_deref());
        let kept: usize = texts.map(|message| message.text.len()).sum();
        let room = Self::MAX_TRACED.saturating_sub(kept).max(LONGEST_SHOWN);
        if message.text.len() > room {
            message.text.truncate(message.text.floor_char_boundary(room));
            message.text.push_str("…\n[cut: a transcript keeps no more]\n");
            message.text.shrink_to_fit();
        }
        message
    }
}

/// Room for a list that begins.
fn emptied<T>(mut list: Vec<T>) -> Vec<T> {
    list.clear();
    list.shrink_to(Attempt::KEPT);
    list
}

/// Text of the peer's as it is kept: safe to print, and cut where it is longer than anybody reads. A reason phrase may be as long as
/// a message, and would fill a terminal, a log or a monitoring system's line otherwise.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let Some(start) = bytes.get(..LONGEST_SHOWN).filter(|start| start.len() < bytes.len()) else {
        return printable(bytes);
    };
    // No UTF-8 character is cut in two: the last that opens goes.
    let end = start.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or_default();
    let whole = start.get(..end).unwrap_or_default();
    format!("{}…", printable(whole))
}

/// In bytes as they came; three lines of a terminal.
pub(crate) const LONGEST_SHOWN: usize = 240;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flood_of_long_messages_is_kept_in_part() {
        let mut attempt = Attempt::begin(crate::tests::origin(), Goal::Register);
        for _ in 0..200 {
            let message = TracedMessage {
                direction: crate::Direction::Received,
                peer: "192.0.2.10:5060".parse().unwrap(),
                text: "é".repeat(100_000),
            };
            attempt.traced_step(attempt.started_at, Happening::NotSip("".into()), Some(message));
        }
        let texts: Vec<&str> = attempt
            .steps
            .iter()
            .filter_map(|step| Some(&*step.message.as_ref()?.text))
            .collect();
        let kept: usize = texts.iter().map(|text| text.len()).sum();
        assert_eq!(texts.len(), Attempt::MAX_STEPS);
        assert!(kept < Attempt::MAX_TRACED + Attempt::MAX_STEPS * 300, "{kept}");
        assert!(texts[0].len() == 200_000 && texts[99].starts_with("éé") && texts[99].contains("[cut"));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shown("Grüße".as_bytes()), "Grüße");
        assert_eq!(shown(&[b'x'; LONGEST_SHOWN]), "x".repeat(LONGEST_SHOWN));
        assert_eq!(shown(&[b'x'; 60_000]), "x".repeat(LONGEST_SHOWN - 1) + "…");
        let umlauts = "x".to_owned() + &"ü".repeat(LONGEST_SHOWN);
        assert_eq!(shown(umlauts.as_bytes()), "x".to_owned() + &"ü".repeat(LONGEST_SHOWN / 2 - 1) + "…");
        assert_eq!(shown(&[0x80; 1000]), "…");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_short_and_safe(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let text = shown(&bytes);
            // An escape takes four characters a byte at most.
            prop_assert!(text.chars().count() <= 4 * LONGEST_SHOWN + 1);
            prop_assert!(!text.contains(char::is_control));
        }
    }
}

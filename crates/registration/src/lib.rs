//! The sans-IO registration core: transactions, location, the registration machine and its report. No clock, no socket.
//!
//! A [`Registrant`] holds registrations. The caller tells it what time it is, what DNS answered, which flows opened and which
//! bytes came; it says what to ask, open and send, and what came of it. `sip-net` is such a caller, the simulated world another.
//!
//! * [`Account`] says what to register, [`Policy`] by which rules; [`Goal`] is what an exchange is for.
//! * [`Action`], [`Transmit`] and [`Event`] come out, [`Input`] goes in.
//! * An exchange ends as an [`Attempt`]: the evidence, typed. [`Report::assemble`] puts it into words, [`Cause::name`] is its cause,
//!   [`State`] what OpenSIPS would call it.
//! * What the other side asks meanwhile is answered; [`IncomingRequest`] tells of it.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//! use sip_registration::{Account, Action, ContactPlan, Ending, Event, Input, Opened, Policy, Registrant};
//!
//! let account = Account {
//!     aor: "sip:alice@example.test".parse()?,
//!     registrar: "sip:192.0.2.10".parse()?,
//!     outbound_proxy: None,
//!     transport: None,
//!     target: None,
//!     auth_user: None,
//!     secret: None,
//!     challenges: None,
//!     contact: ContactPlan::Automatic { user: "alice".into() },
//!     advertise: None,
//!     instance: None,
//!     reg_id: None,
//!     expires: 300,
//!     user_agent: "example".into(),
//! };
//! let now = Instant::now();
//! let mut registrant = Registrant::new([0; 32], Policy::one_shot());
//! let key = registrant.add(now, Arc::new(account));
//! registrant.register(now, key);
//!
//! // An address needs no DNS: it wants a flow at once, and a real caller would open a socket.
//! let Some(Action::Open(flow, endpoint)) = registrant.poll_action() else { panic!("it goes to an address") };
//! let local = "192.0.2.1:5060".parse()?;
//! registrant.handle_input(now, Input::Opened(flow, Opened { local, connected_at: None, tls: None }));
//! let mut request = Vec::new();
//! let transmit = registrant.poll_transmit(&mut request).expect("the REGISTER");
//! assert_eq!(transmit.to, endpoint.remote);
//!
//! // The registrar takes it: its reply repeats what every reply does, the Contact among it.
//! let request = String::from_utf8(request)?;
//! let repeated = |line: &&str| ["Via", "From", "To", "Call-ID", "CSeq", "Contact"].iter().any(|name| line.starts_with(name));
//! let reply: String = request.lines().filter(repeated).map(|line| format!("{line}\r\n")).collect();
//! let reply = format!("SIP/2.0 200 OK\r\n{reply}\r\n");
//! let (source, bytes) = (endpoint.remote, reply.as_bytes());
//! registrant.handle_input(now, Input::Received { flow, source, bytes });
//! let attempt = std::iter::from_fn(|| registrant.poll_event()).find_map(|(_, event)| match event {
//!     Event::Attempt(attempt) => Some(attempt),
//!     Event::Changed(_) | Event::Request(_) | Event::Removed => None,
//! });
//! let attempt = attempt.expect("the exchange is over");
//! assert_eq!(attempt.ending, Ending::Succeeded);
//! assert_eq!(attempt.binding.expect("we are bound").granted, 300);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod admission;
mod allowance;
mod answer;
mod attempt;
mod backoff;
mod branch;
mod encode;
mod exchange;
mod explain;
mod flows;
mod incoming;
mod io;
mod keep_alive;
pub mod locate;
mod outputs;
mod parity;
mod policy;
mod pool;
mod registrant;
mod registration;
mod report;
mod state;
mod status;
mod texts;
mod timers;
mod transaction;
mod transcript;

pub use account::{Account, Advertised, ChallengeRules, ContactPlan, Goal, Transport, host_port};
pub use admission::Admission;
pub use attempt::{
    Attempt, AuthFacts, Bound, CallId, Carrying, Ending, Happening, LastReply, Left, Notice, Phases, ReplyNote, Step, TargetOutcome,
    TracedMessage, TriedTarget,
};
pub use explain::{Explanation, Word};
pub use incoming::IncomingRequest;
pub use io::{
    Action, Closed, DnsError, Endpoint, FlowId, Input, Key, Naptr, Obstacle, Opened, QueryId, Question, RecordKind, Records, Srv, TlsFacts,
    TlsFailure, Transmit,
};
pub use keep_alive::{DatagramPing, KeepAlive};
pub use outputs::Event;
pub use parity::{Listed, Outcome, opensips_state};
pub use policy::{Families, Override, Policy};
pub use registrant::{Counters, Registrant, Tapped};
pub use report::{
    Arrow, AuthReport, BindingReport, Direction, Evidence, Finding, LadderStep, LastResponse, MOST_BINDINGS, NetworkReport, OtherBinding,
    PhasesReport, Removal, RemovalEvidence, Report, SCHEMA, Severity, TargetReport, TlsReport, TranscriptEntry,
};
pub use state::{Cause, FindingId, State};
pub use status::Status;
pub use transcript::{redacted, redacted_message};

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Account, ContactPlan};

    /// An account for tests that do not care whose.
    pub(crate) fn account() -> Account {
        Account {
            aor: "sip:alice@example.test".parse().unwrap(),
            registrar: "sip:192.0.2.10".parse().unwrap(),
            outbound_proxy: None,
            transport: None,
            target: None,
            auth_user: None,
            secret: None,
            challenges: None,
            contact: ContactPlan::Automatic { user: "alice".into() },
            advertise: None,
            instance: None,
            reg_id: None,
            expires: 3600,
            user_agent: "test".into(),
        }
    }

    /// A moment to count from. Tests have no other use for the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no other way to make an Instant; its value does not matter"
    )]
    pub(crate) fn origin() -> Instant {
        Instant::now()
    }
}

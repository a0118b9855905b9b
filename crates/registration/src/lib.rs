//! The sans-IO registration core: transactions, location, the registration machine and its report. No clock, no socket.
//!
//! A [`Registrant`] holds registrations. The caller tells it what time it is, what DNS answered, which flows opened and which
//! bytes came; it says what to ask, open and send, and what came of it. `sip-net` is such a caller, the simulated world another.

mod account;
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
pub mod locate;
mod outputs;
mod parity;
mod registrant;
mod registration;
mod report;
mod state;
mod status;
mod timers;
mod transaction;
mod transcript;

pub use account::{Account, Advertised, ContactPlan, Families, Goal, Override, Policy, Transport, host_port};
pub use attempt::{Attempt, AuthFacts, Bound, Ending, LastReply, Notice, Phases, Step, TargetOutcome, TracedMessage, TriedTarget};
pub use explain::{Explanation, Word};
pub use incoming::IncomingRequest;
pub use io::{
    Action, Closed, DnsError, Endpoint, FlowId, Input, Key, Naptr, Opened, QueryId, Question, RecordKind, Records, Srv, TlsFacts,
    TlsFailure, Transmit,
};
pub use outputs::Event;
pub use parity::{Listed, Outcome, opensips_state};
pub use registrant::{Counters, Registrant};
pub use report::{
    Arrow, AuthReport, BindingReport, Direction, Evidence, Finding, LadderStep, LastResponse, NetworkReport, OtherBinding, PhasesReport,
    Removal, RemovalEvidence, Report, SCHEMA, Severity, TargetReport, TlsReport, TranscriptEntry,
};
pub use state::{Cause, FindingId, State};
pub use status::Status;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    /// A moment to count from. Tests have no other use for the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no other way to make an Instant; its value does not matter"
    )]
    pub(crate) fn origin() -> Instant {
        Instant::now()
    }
}

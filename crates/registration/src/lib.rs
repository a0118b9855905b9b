//! The sans-IO registration core: transactions, location, the registration machine and its report. No clock, no socket.

mod account;
mod explain;
mod io;
pub mod locate;
mod report;
mod state;

pub use account::{Account, Advertised, ContactPlan, Families, Goal, Override, Policy, Transport, host_port};
pub use explain::{Explanation, Word};
pub use io::{
    Action, Closed, DnsError, Endpoint, FlowId, Input, Key, Naptr, Opened, QueryId, Question, RecordKind, Records, Srv, TlsFacts,
    TlsFailure, Transmit,
};
pub use report::{
    Arrow, AuthReport, BindingReport, Direction, Finding, LadderStep, LastResponse, NetworkReport, OtherBinding, PhasesReport, Removal,
    Report, SCHEMA, Severity, TargetReport, TlsReport, TranscriptEntry,
};
pub use state::{Cause, FindingId, State};

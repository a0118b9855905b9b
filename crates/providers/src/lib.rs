//! Clients of the APIs that report on SIP registrations, one vocabulary for what they claim, and the verdict: the claim held against
//! what the wire showed.
//!
//! Two halves. The pure one: [`Claim`], [`Observation`] and [`Expectation`] go in, a [`Verdict`] comes out, without clock or network,
//! so that stored evidence gives the same verdict for ever. The other one asks: a client for each API, and the fetches between which
//! the API's answer is taken.

mod api;
mod asking;
pub mod asterisk;
pub mod bitrix24;
mod claim;
mod dialogue;
mod expectation;
pub mod freeswitch;
mod jsonrpc;
pub mod kamailio;
mod listed;
mod moment;
mod observation;
pub mod opensips;
pub mod property;
mod reading;
mod settings;
mod source;
pub mod telnyx;
pub mod telzino;
mod text;
mod verdict;
mod verification;

pub use api::{
    ApiError, ApiTrouble, ClientOptions, Confidential, Envelope, Http, HttpOptions, Reply, Request, RetryPolicy, SetupError, base_url,
};
pub use asking::Source;
pub use claim::{About, Answer, Claim, ClaimedContact, ClaimedResponse, ClaimedTime, Said, Unknown, Word};
pub use dialogue::{Endpoint, Fields, Heard, NoEndpoint};
pub use expectation::{ContactPattern, Expectation, HostPattern, Listing, Standing};
pub use listed::Listed;
pub use moment::Moment;
pub use observation::{Observation, Question, SeenBinding, Sight};
pub use settings::{Settings, server_uri, transport_named};
pub(crate) use settings::{address_of_record, registrar_at, transport_of};
pub use source::{Role, SourceKind};
pub use verdict::{Contradiction, Freshness, Held, Level, Line, Note, Outcome, Reason, Service, Verdict, verdict};
pub use verification::{
    Check, CheckError, Given, Inbound, InboundOutcome, InboundTest, Mode, Needed, Progress, SelfTest, SelfTestOutcome, VERIFICATION_SCHEMA,
    Verification, verification_schema, verify,
};

/// URLs as the options of clients hold them.
pub use reqwest::Url;

//! A registration's status at a glance: OpenSIPS' flat state, and beside it what OpenSIPS cannot say.

use std::time::Instant;

use crate::attempt::LastReply;
use crate::{Cause, State};

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The state in OpenSIPS' words.
    pub state: State,
    /// Why the last exchange failed; `None` when it did not.
    pub cause: Option<Cause>,
    /// The last final reply.
    pub last_reply: Option<LastReply>,
    /// Since when the state is this one.
    pub since: Instant,
    /// How many exchanges in a row have failed.
    pub failures: u32,
    /// When the next exchange begins by itself; `None` when none does, or when it waits for its turn.
    pub next_at: Option<Instant>,
    /// True while the next exchange is due and waits for its turn at the registrar ([`crate::Admission`]).
    pub waits_for_admission: bool,
    /// True when it will not try again until the operator orders it: the credentials were refused too often.
    pub waits_for_operator: bool,
    /// Until when a binding holds. It may hold although the last refresh failed.
    pub valid_until: Option<Instant>,
}

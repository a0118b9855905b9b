//! What waits to be drained: actions, transmissions, events. Nothing is lost when two inputs come without a drain between them.

use std::collections::{BTreeMap, VecDeque};

use crate::attempt::Attempt;
use crate::status::Status;
use crate::{Action, Key, QueryId, Question};

/// Something that happened to a registration.
#[derive(Debug, Clone)]
pub enum Event {
    /// An exchange ended.
    Attempt(Box<Attempt>),
    /// The state changed.
    Changed(Status),
    /// The registration is gone, after [`crate::Registrant::remove`].
    Removed,
}

/// The queues of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) actions: VecDeque<Action>,
    /// Requests to encode and send: whose, and the branch nonce of which.
    pub(crate) sends: VecDeque<(Key, u64)>,
    pub(crate) events: VecDeque<(Key, Event)>,
    /// Questions that are out, and whose they are.
    queries: BTreeMap<QueryId, (Key, u32)>,
    next_query: u64,
    /// A buffer for looking at a request before it is queued.
    pub(crate) scratch: Vec<u8>,
}

impl Outputs {
    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    pub(crate) fn send(&mut self, key: Key, nonce: u64) {
        self.sends.push_back((key, nonce));
    }

    pub(crate) fn query(&mut self, key: Key, token: u32, question: Question) {
        let id = QueryId(self.next_query);
        self.next_query += 1;
        self.queries.insert(id, (key, token));
        self.act(Action::Query(id, question));
    }

    /// The id that the next question gets.
    pub(crate) const fn next_query(&self) -> QueryId {
        QueryId(self.next_query)
    }

    /// Whose question this was. Each is answered once.
    pub(crate) fn answered(&mut self, id: QueryId) -> Option<(Key, u32)> {
        self.queries.remove(&id)
    }
}

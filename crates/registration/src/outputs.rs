//! What waits to be drained: actions, transmissions, events. Nothing is lost when two inputs come without a drain between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use crate::attempt::Attempt;
use crate::flows::Ping;
use crate::incoming::IncomingRequest;
use crate::pool::Pool;
use crate::status::Status;
use crate::{Action, FlowId, Key, QueryId, Question};

/// Something that happened to a registration.
#[derive(Debug, Clone)]
pub enum Event {
    /// An exchange ended.
    Attempt(Box<Attempt>),
    /// The state changed.
    Changed(Status),
    /// The other side asked something, such as whether we are still there. No more of them are told of than are answered
    /// ([`crate::Policy::answer_interval`]); all are counted ([`crate::Counters`]).
    Request(Box<IncomingRequest>),
    /// The registration is gone, after [`crate::Registrant::remove`].
    Removed,
}

/// The queues of a registrant.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) actions: VecDeque<Action>,
    /// Requests to encode and send: whose, and the branch nonce of which.
    sends: VecDeque<(Key, u64)>,
    /// Those of them whose flow has no room, or had none until now.
    jams: BTreeMap<FlowId, Jam>,
    /// Pings to send, and on which flow.
    pub(crate) pings: VecDeque<(FlowId, Ping)>,
    pub(crate) answers: Answers,
    pub(crate) events: VecDeque<(Key, Event)>,
    /// Questions that are out, and whose they are.
    queries: BTreeMap<QueryId, (Key, u32)>,
    next_query: u64,
    pub(crate) pool: Pool,
    /// A buffer for looking at a request before it is queued.
    pub(crate) scratch: Vec<u8>,
}

/// Requests for a flow that had no room, in their order.
#[derive(Debug, Default)]
struct Jam {
    /// Whether there is room again.
    relieved: bool,
    sends: VecDeque<(Key, u64)>,
    /// The same ones, to be found.
    waiting: BTreeSet<(Key, u64)>,
}

/// Answers to requests from the other side. They are not written again from a state, because none is kept of a request; so few may
/// wait that a caller who does not drain them loses nothing but keep-alives.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) flow: FlowId,
    pub(crate) to: SocketAddr,
    pub(crate) message: Vec<u8>,
}

impl Answers {
    /// How many may wait: as many as the driver reads at once.
    const MOST: usize = 256;
    /// How many bytes of them.
    const MOST_BYTES: usize = 256 * 1024;

    /// False when too many wait already.
    pub(crate) fn have_room_for(&self, answer: &Outgoing) -> bool {
        self.waiting.len() < Self::MOST && self.bytes + answer.message.len() <= Self::MOST_BYTES
    }

    /// Puts an answer behind the others, if there is room for it.
    pub(crate) fn push(&mut self, answer: Outgoing) {
        if self.have_room_for(&answer) {
            self.bytes += answer.message.len();
            self.waiting.push_back(answer);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let answer = self.waiting.pop_front()?;
        self.bytes -= answer.message.len();
        Some(answer)
    }
}

impl Outputs {
    pub(crate) fn act(&mut self, action: Action) {
        if let Action::Close(flow) = action {
            self.relieve(flow);
        }
        self.actions.push_back(action);
    }

    pub(crate) fn send(&mut self, key: Key, nonce: u64) {
        self.sends.push_back((key, nonce));
    }

    /// The next request to encode and send: exchanges that are under way go before those that had to wait.
    pub(crate) fn next_send(&mut self) -> Option<(Key, u64)> {
        if let Some(send) = self.sends.pop_front() {
            return Some(send);
        }
        loop {
            let (&flow, jam) = self.jams.iter_mut().find(|(_, jam)| jam.relieved)?;
            if let Some(send) = jam.sends.pop_front() {
                jam.waiting.remove(&send);
                return Some(send);
            }
            self.jams.remove(&flow);
        }
    }

    /// A flow has no room for now.
    pub(crate) fn jam(&mut self, flow: FlowId) {
        self.jams.entry(flow).or_default().relieved = false;
    }

    /// A flow has room again, or is gone, and with it whatever waited for it.
    pub(crate) fn relieve(&mut self, flow: FlowId) {
        if let Some(jam) = self.jams.get_mut(&flow) {
            jam.relieved = true;
        }
    }

    /// Puts a request aside whose flow has no room, or that waits already: one that is to be sent again meanwhile goes out once. False
    /// when it may go out now.
    pub(crate) fn put_aside(&mut self, flow: FlowId, send: (Key, u64)) -> bool {
        let Some(jam) = self.jams.get_mut(&flow) else {
            return false;
        };
        if jam.relieved {
            return jam.waiting.contains(&send);
        }
        if jam.waiting.insert(send) {
            jam.sends.push_back(send);
        }
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(length: usize) -> Outgoing {
        Outgoing {
            flow: FlowId(1),
            to: ([192, 0, 2, 1], 5060).into(),
            message: vec![b'x'; length],
        }
    }

    #[test]
    fn neither_many_answers_nor_long_ones_wait() {
        let mut answers = Answers::default();
        for (length, most) in [(500, Answers::MOST), (60_000, Answers::MOST_BYTES / 60_000)] {
            (0..1000).for_each(|_| answers.push(answer(length)));
            assert!(!answers.have_room_for(&answer(length)));
            assert_eq!(std::iter::from_fn(|| answers.pop()).count(), most);
            assert_eq!(answers.bytes, 0);
        }
    }
}

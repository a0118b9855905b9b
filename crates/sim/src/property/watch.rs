//! What a registrant may and may not send and tell, watched from outside while the fuzzer's bytes drive it.

use std::collections::BTreeMap;
use std::time::Instant;

use sip_message::{Message, Name};
use sip_registration::{Account, Attempt, Ending, Goal, Policy, State, Status};

use super::draw::shows_password;

/// The first request, one without stale credentials, answers to a 401 and a 407, one for a stale nonce, two after a 423.
const REQUESTS_PER_TARGET: usize = 7;

/// The requests seen so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The last number and its request, by Call-ID.
    last: BTreeMap<Vec<u8>, (u32, Vec<u8>)>,
    /// How many answers there were, and their bytes.
    answers: (usize, usize),
}

impl Watch {
    /// A request: readable, without the password, counted up, or the same as before, and of the kind that the state says.
    pub(crate) fn request(&mut self, bytes: &[u8], account: &Account, state: Option<State>) {
        let shown = sip_message::printable(bytes);
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            panic!("it cannot be read as a request: {shown}");
        };
        assert!(!shows_password(bytes), "the password went out: {shown}");
        let headers = &request.headers;
        let number = headers.cseq().and_then(Result::ok).expect("a request has a CSeq").number;
        assert!((1..1 << 31).contains(&number), "{shown}");
        let call_id = headers.call_id().expect("a request has a Call-ID").to_vec();
        let before = self.last.insert(call_id, (number, bytes.to_vec()));
        assert!(
            before
                .as_ref()
                .is_none_or(|(last, same)| number > *last || (number == *last && same == bytes)),
            "the CSeq does not grow, or a request that is sent again is another one: {shown}"
        );
        assert!(
            headers.list(Name::Authorization).count() + headers.list(Name::ProxyAuthorization).count() < 32,
            "{shown}"
        );
        let expires = headers.expires().and_then(Result::ok);
        match state {
            Some(State::Registering | State::Authenticating) => {
                let asked = expires.expect("a REGISTER that binds says for how long");
                assert!(
                    asked >= account.expires && (asked == account.expires || asked <= 604_800),
                    "{shown}"
                );
            }
            Some(State::Unregistering | State::AuthenticatingUnregister) => assert_eq!(expires, Some(0), "{shown}"),
            Some(_) | None => assert_eq!(expires, None, "a look or a ping binds nothing: {shown}"),
        }
    }
}

impl Watch {
    /// An answer to a request of the other side: final, readable, without the password, and all of them together hardly longer than
    /// everything that was `heard`.
    pub(crate) fn answer(&mut self, bytes: &[u8], heard: usize) {
        let shown = sip_message::printable(bytes);
        let Ok(Message::Response(response)) = Message::parse(bytes) else {
            panic!("it cannot be read as a response: {shown}");
        };
        assert!(response.status.code() >= 200 && response.status.code() < 600, "{shown}");
        assert!(!shows_password(bytes), "the password went out: {shown}");
        let headers = &response.headers;
        assert!(headers.to().is_some_and(|to| to.is_ok_and(|to| to.tag().is_some())), "{shown}");
        assert_eq!(headers.all(Name::ContentLength).collect::<Vec<_>>(), [b"0"], "{shown}");
        let (count, length) = &mut self.answers;
        *count += 1;
        *length += bytes.len();
        assert!(*length <= heard + *count * LONGER, "{count} answers of {length} bytes for {heard}");
    }
}

/// How many bytes an answer may be longer than its request.
const LONGER: usize = 512;

/// What holds for every exchange that is over.
pub(crate) fn attempt(now: Instant, attempt: &Attempt, policy: &Policy) {
    let targets = attempt.targets.len().max(1);
    assert!(
        attempt.requests as usize <= REQUESTS_PER_TARGET * targets,
        "{} requests to {targets} targets",
        attempt.requests
    );
    assert!(
        targets <= 2 * 64 + 2 && attempt.steps.len() <= Attempt::MAX_STEPS,
        "{targets} targets, {} steps",
        attempt.steps.len()
    );
    assert!(
        attempt.started_at <= attempt.ended_at && attempt.ended_at == now,
        "an exchange ends when it is told of"
    );
    let late = attempt.ended_at - attempt.started_at;
    assert!(late <= policy.timeout + STEP, "an exchange took {late:?}");
    let harmful = |text: &str| text.contains(char::is_control);
    assert!(
        !attempt.steps.iter().any(|step| harmful(&step.what()) || harmful(&step.note())),
        "{:?}",
        attempt.steps
    );
    assert!(!harmful(&attempt.words) && !attempt.product.as_deref().is_some_and(harmful));
    assert!(!shows_password(format!("{attempt:?}").as_bytes()), "the password is shown");
    if attempt.goal == Goal::Register && attempt.ending == Ending::Succeeded {
        assert!(attempt.binding.as_ref().is_some_and(|bound| bound.granted > 0));
    }
}

/// What holds for every status at every time.
pub(crate) fn status(now: Instant, status: &Status, deadline: Option<Instant>) {
    let bound = status.valid_until.is_some_and(|until| until >= now);
    assert!(status.state != State::Registered || bound, "registered after the binding lapsed");
    let busy = matches!(
        status.state,
        State::Registering | State::Authenticating | State::Unregistering | State::AuthenticatingUnregister
    );
    assert!(!busy || deadline.is_some(), "{} without a deadline", status.state.name());
    assert!(
        !(status.waits_for_operator && status.next_at.is_some()),
        "it waits for the operator and tries again by itself"
    );
}

/// The longest step of the fuzzed clock: a driver that sleeps too long finds everything late.
pub(crate) const STEP: std::time::Duration = std::time::Duration::from_secs(70);

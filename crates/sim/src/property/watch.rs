//! What a registrant may and may not send and tell, watched from outside while the fuzzer's bytes drive it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sip_message::{ChallengeSource, Headers, Message, Name, unfold};
use sip_registration::{Account, Attempt, Cause, Ending, Endpoint, Evidence, Goal, Policy, RemovalEvidence, Report, State, Status};

use super::draw::shows_password;
use super::escape::acts_on_its_reader;

/// The first request, one without stale credentials, answers to a 401 and a 407, one for a stale nonce, two after a 423.
const REQUESTS_PER_TARGET: usize = 7;

/// The requests seen so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The last number and its request, by Call-ID.
    last: BTreeMap<Vec<u8>, (u32, Vec<u8>)>,
    /// How often the last request of each Call-ID went out.
    sent: BTreeMap<Vec<u8>, usize>,
    /// The requests since the last look.
    fresh: Vec<Vec<u8>>,
    /// What those have said so far that requests went to.
    said: Vec<u8>,
    /// How many answers there were, and their bytes.
    answers: (usize, usize),
}

impl Watch {
    /// A request: readable, without the password, counted up, or the same as before, not too often, and of the kind that the state says;
    /// its credentials answer what this very host said. It asks for one of these times.
    pub(crate) fn request(&mut self, bytes: &[u8], expires: &[u32], state: Option<State>, to: &Endpoint) {
        let shown = sip_message::printable(bytes);
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            panic!("it cannot be read as a request: {shown}");
        };
        assert!(!shows_password(bytes), "the password went out: {shown}");
        let headers = &request.headers;
        let number = headers.cseq().and_then(Result::ok).expect("a request has a CSeq").number;
        assert!((1..1 << 31).contains(&number), "{shown}");
        let call_id = headers.call_id().expect("a request has a Call-ID").to_vec();
        let before = self.last.insert(call_id.clone(), (number, bytes.to_vec()));
        let again = before.as_ref().is_some_and(|(last, _)| *last == number);
        let times = self.sent.entry(call_id).or_default();
        *times = if again { *times + 1 } else { 1 };
        let most = if to.transport.is_reliable() { 1 } else { TRANSMISSIONS };
        assert!(*times <= most, "sent {times} times by {}: {shown}", to.transport.name());
        assert!(!self.fresh.iter().any(|fresh| fresh == bytes), "sent twice at once: {shown}");
        self.fresh.push(bytes.to_vec());
        self.credentials(headers, to, &shown);
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
        let asked = headers.expires().and_then(Result::ok);
        match state {
            Some(State::Registering | State::Authenticating) => {
                let asked = asked.expect("a REGISTER that binds says for how long");
                assert!(
                    expires
                        .iter()
                        .any(|wanted| asked == *wanted || (asked > *wanted && asked <= 604_800)),
                    "{shown}"
                );
            }
            Some(State::Unregistering | State::AuthenticatingUnregister) => assert_eq!(asked, Some(0), "{shown}"),
            Some(_) | None => assert_eq!(asked, None, "a look or a ping binds nothing: {shown}"),
        }
    }
}

impl Watch {
    /// Bytes came from whom a flow leads to.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
    }

    /// Everything was taken that was put out.
    pub(crate) fn drained(&mut self) {
        self.fresh.clear();
    }

    /// Credentials go to the registrar or the proxy of an account, under its own name, and to nobody that was only redirected to; and
    /// realm and nonce came from somebody who was asked.
    fn credentials(&self, headers: &Headers<'_>, to: &Endpoint, shown: &str) {
        let said: Vec<u8> = unfold(&self.said)
            .iter()
            .map(|byte| if *byte == 0 { b' ' } else { *byte })
            .collect();
        for source in [ChallengeSource::Www, ChallengeSource::Proxy] {
            for credentials in headers.credentials(source) {
                let credentials = credentials.unwrap_or_else(|error| panic!("{error}: {shown}"));
                assert!(OURS.contains(&&*to.server_name), "credentials for {}: {shown}", to.server_name);
                for name in [b"realm".as_slice(), b"nonce"] {
                    let value = credentials.param(name).unwrap_or_default();
                    let known = value.is_empty() || said.windows(value.len()).any(|window| window == value);
                    assert!(known, "an answer to what nobody said who was asked: {shown}");
                }
            }
        }
    }

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

/// The hosts of the accounts' registrars and proxies.
const OURS: [&str; 4] = ["192.0.2.1", "pbx.test", "2001:db8::1", "proxy.test"];

/// RFC 3261 §17.1.2.2: within 32 seconds Timer E sends a request eleven times; one more when it was due as the last second ended.
const TRANSMISSIONS: usize = 12;

/// How many bytes an answer may be longer than its request.
const LONGER: usize = 512;

/// What holds for every exchange that is over.
pub(crate) fn attempt(now: Instant, attempt: &Attempt, policy: &Policy, late_at_worst: Duration) {
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
    assert!(late <= policy.timeout + late_at_worst, "an exchange took {late:?}");
    let harmful = |text: &str| text.contains(acts_on_its_reader);
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

/// What holds for the report on an exchange: its words are harmless, it shows no password, and its parts agree.
pub(crate) fn report(attempt: &Attempt, account: &Account, policy: &Policy) {
    let report = Report::assemble(&Evidence {
        account,
        policy,
        started_at: Timestamp::UNIX_EPOCH,
        attempt,
        removal: RemovalEvidence::NotAttempted,
    });
    assert!(!shows_password(format!("{report:?}").as_bytes()), "the password is reported");
    assert_eq!(report.state_code, report.state.code());
    assert_eq!(report.registered, report.state == State::Registered, "{report:?}");
    // OpenSIPS ends in one of its resting states, or goes on asking after a 423; where we were stopped, or answer nobody, it would be under
    // way.
    let under_way = [State::Authenticating, State::Unregistering, State::AuthenticatingUnregister];
    let silent = matches!(report.cause, Some(Cause::RealmMismatch | Cause::DigestTooWeak));
    assert!(
        silent || attempt.ending == Ending::Interrupted || !under_way.contains(&report.opensips_state),
        "{report:?}"
    );
    let words = [
        Some(report.detail.as_str()),
        report.advice.as_deref(),
        report.server_product.as_deref(),
        report.auth.realm.as_deref(),
        report.last_response.as_ref().map(|last| last.reason.as_str()),
    ];
    assert!(
        !words.into_iter().flatten().any(|words| words.contains(acts_on_its_reader)),
        "{words:?}"
    );
    for entry in report.transcript.iter().flatten() {
        let lines = format!("{entry:?}");
        assert!(!lines.contains(acts_on_its_reader), "{lines}");
    }
}

/// From which state to which a registration may go at one step: only what was asked for is refused, nothing is registered that was not
/// under way, and refused credentials do not go out again unasked. Giving up and starting again are possible at any time.
pub(crate) fn edge(from: State, to: State) {
    let asked = matches!(
        from,
        State::Registering | State::Authenticating | State::Unregistering | State::AuthenticatingUnregister
    );
    let legal = match to {
        // A binding that is held shows again when what hid it is interrupted.
        State::Registered => from != State::NotRegistered,
        State::Authenticating => from != State::WrongCredentials,
        State::RegisterTimeout | State::WrongCredentials | State::RegistrarError => asked,
        State::NotRegistered | State::Registering | State::Unregistering | State::AuthenticatingUnregister | State::InternalError => true,
    };
    assert!(legal, "from {} to {}", from.name(), to.name());
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
pub(crate) const STEP: Duration = Duration::from_secs(70);

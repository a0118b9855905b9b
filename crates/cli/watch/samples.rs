//! Accounts for the tests of this room. Not compiled into the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sip_digest::Secret;
use sip_registration::{Account, Action, Attempt, ContactPlan, Event, Input, Key, Opened, Policy, Registrant, Status};

use super::entry::Entry;
use super::model::{Id, Model};
use super::moment::Moment;
use crate::values;

/// A challenge, as a status line with what follows it.
pub(crate) const CHALLENGE: &str =
    "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"example.test\", algorithm=SHA-256, qop=\"auth\", nonce=\"n\"";
/// Success: the Contact that was sent is bound.
pub(crate) const OK: &str = "200 OK";

/// An account of this AOR, on this line of its file.
pub(crate) fn entry(line: u64, aor: &str) -> Entry {
    let aor = values::aor(aor).unwrap().uri;
    let account = Account {
        registrar: "sip:192.0.2.1".parse().unwrap(),
        contact: ContactPlan::Automatic {
            user: crate::identity::contact_user(&aor).into(),
        },
        aor,
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: None,
        challenges: None,
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 3600,
        user_agent: "regprobe".into(),
    };
    Entry {
        line,
        name: None,
        account: Arc::new(account),
    }
}

/// The same with a name.
pub(crate) fn named(line: u64, name: &str, aor: &str) -> Entry {
    Entry {
        name: Some(name.to_owned()),
        ..entry(line, aor)
    }
}

/// The same with something changed.
pub(crate) fn with(entry: &Entry, change: impl FnOnce(&mut Account)) -> Entry {
    let mut account = Account::clone(&entry.account);
    change(&mut account);
    Entry {
        account: Arc::new(account),
        ..entry.clone()
    }
}

/// The same with a password.
pub(crate) fn with_password(entry: &Entry) -> Entry {
    with(entry, |account| account.secret = Some(Secret::Password("secret".into())))
}

/// The moment at which all samples begin.
pub(crate) fn origin() -> Moment {
    Moment {
        at: Instant::now(),
        wall: "2026-01-31T09:00:00Z".parse().unwrap(),
    }
}

/// The rules of all samples.
pub(crate) fn policy() -> Policy {
    Policy::default()
}

/// How long the registrar of the samples takes for a reply.
pub(crate) const TAKES: Duration = Duration::from_millis(12);

/// One registration of a real core, with a registrar that sends these replies and then none any more; how it ended, how it stands then,
/// and when that was. What the core draws by lot is left out.
pub(crate) fn registered(entry: &Entry, began: Instant, replies: &[&str]) -> (Box<Attempt>, Status, Instant) {
    let mut registrant = Registrant::new([7; 32], policy());
    let key = registrant.add(began, Arc::clone(&entry.account));
    registrant.register(began, key);
    let (attempt, now) = exchange(&mut registrant, began, replies);
    let status = registrant.status(key).unwrap();
    (attempt, Status { next_at: None, ..status }, now)
}

fn exchange(registrant: &mut Registrant, began: Instant, replies: &[&str]) -> (Box<Attempt>, Instant) {
    let (mut now, mut replies) = (began, replies.iter());
    let mut request = Vec::new();
    loop {
        while let Some(action) = registrant.poll_action() {
            if let Action::Open(flow, _) = action {
                let local = "192.0.2.7:5060".parse().unwrap();
                let opened = Opened {
                    local,
                    connected_at: None,
                    tls: None,
                };
                registrant.handle_input(now, Input::Opened(flow, opened));
            }
        }
        if let Some(transmit) = registrant.poll_transmit(&mut request) {
            if let Some(reply) = replies.next() {
                now += TAKES;
                let bytes = answer(&request, reply);
                let (flow, source) = (transmit.flow, transmit.to);
                registrant.handle_input(
                    now,
                    Input::Received {
                        flow,
                        source,
                        bytes: &bytes,
                    },
                );
            }
            continue;
        }
        if let Some(attempt) = attempt_of(registrant) {
            return (attempt, now);
        }
        now = registrant.poll_timeout().expect("an exchange has a deadline");
        registrant.handle_timeout(now);
    }
}

fn attempt_of(registrant: &mut Registrant) -> Option<Box<Attempt>> {
    std::iter::from_fn(|| registrant.poll_event()).find_map(|(_, event): (Key, Event)| match event {
        Event::Attempt(attempt) => Some(attempt),
        Event::Changed(_) | Event::Request(_) | Event::Removed => None,
    })
}

/// A reply repeats what every reply does, the Contact among it.
fn answer(request: &[u8], status: &str) -> Vec<u8> {
    let request = String::from_utf8(request.to_vec()).unwrap();
    let repeated = |line: &&str| {
        ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Expires"]
            .iter()
            .any(|name| line.starts_with(&format!("{name}:")))
    };
    let headers: String = request.lines().filter(repeated).map(|line| format!("{line}\r\n")).collect();
    format!("SIP/2.0 {status}\r\n{headers}\r\n").into_bytes()
}

/// A model with a screen of so many accounts.
pub(crate) fn model(memory: usize) -> Model {
    Model::new("accounts.toml".to_owned(), Arc::new(policy()), memory)
}

/// Takes an account in that has registered, or tried to, at the beginning, and will try again after `next` if it does so by itself.
pub(crate) fn took_part(model: &mut Model, entry: Entry, origin: Moment, replies: &[&str], next: Duration) -> Id {
    let (attempt, status, at) = registered(&entry, origin.at, replies);
    let id = model.add(entry, origin.at);
    let moment = Moment {
        at,
        wall: origin.wall_at(at),
    };
    model.attempted(id, attempt, moment);
    let next_at = (!status.waits_for_operator).then(|| at + next);
    model.stands(id, &Status { next_at, ..status }, moment);
    id
}

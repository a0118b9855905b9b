//! What holds for every report, whatever the other side has said, in every form that it is shown in. Called by a fuzzer and by the tests of
//! [`crate::property`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sip_digest::Secret;
use sip_registration::{
    Account, Action, ContactPlan, DnsError, Event, Evidence, Input, Opened, Policy, Registrant, RemovalEvidence, Report,
};

use super::nagios::Thresholds;
use super::style::Style;
use super::{human, json, nagios};
use crate::bulk;
use crate::property::harmless;

/// What no output may hold.
const SECRET: &str = "canary-password";
/// The statuses that a reply can have.
const STATUSES: [u16; 16] = [100, 200, 301, 302, 400, 401, 403, 404, 407, 408, 423, 480, 486, 500, 503, 603];
/// The longest that an output may be without a word of the other side.
const LONGEST: usize = 64 * 1024;
/// How many bytes may become of one that came: it is shown at several places, each time as an escape.
const LONGER: usize = 64;

/// The bytes are what a registrar says, one reply behind the other with NULs between them, an empty one for silence: whatever that is,
/// each form of the report can be read by who it is made for, and shows neither the password nor anything that acts on its reader.
pub fn reports(bytes: &[u8]) {
    if bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let report = probed(bytes);
    let most = LONGEST + LONGER * bytes.len();
    for interrupted in [false, true] {
        shown(&human::render(&report, interrupted, Style::Plain), most);
    }
    let object = json::render(&report, false);
    shown(&object, most);
    assert!(serde_json::from_str::<serde_json::Value>(&object).is_ok(), "{object}");
    plugin(&report, most);
    for line in bulk::property::lines(&report) {
        shown(&line, most);
    }
}

fn shown(text: &str, most: usize) {
    harmless(text);
    assert!(!text.contains(SECRET), "the password is shown: {text}");
    assert!(text.len() <= most, "{} bytes, and {most} are enough", text.len());
}

/// One line: a word that the monitoring system knows, a text, and behind the only bar nothing but labels and numbers.
fn plugin(report: &Report, most: usize) {
    let thresholds = Thresholds {
        warning_ms: Some(1),
        critical_ms: Some(1000),
    };
    let output = nagios::render(report, thresholds);
    shown(&output, most);
    let line = output.strip_suffix('\n').expect("an output is whole lines");
    let (said, data) = line.split_once(" | ").expect("there are performance data");
    let words = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
    assert!(words.iter().any(|word| said.starts_with(&format!("SIP {word} - "))), "{line}");
    assert!(!said.contains(['|', '\n', '<', '>', '`', '$']) && !data.contains('|'), "{line}");
    for datum in data.split(' ') {
        let (label, values) = datum.split_once('=').expect("a datum has a label and values");
        assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{datum}");
        assert!(
            values
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b';' | b'-')),
            "{datum}"
        );
    }
}

/// Probes an account whose registrar says this, one reply to each request, and is silent then.
fn probed(said: &[u8]) -> Report {
    let account = Arc::new(account());
    let policy = Policy {
        trace: true,
        ..Policy::one_shot()
    };
    let mut now = Instant::now();
    let mut registrant = Registrant::new([7; 32], policy.clone());
    let key = registrant.add(now, Arc::clone(&account));
    registrant.register(now, key);
    let mut replies = said.split(|byte| *byte == 0);
    let mut request = Vec::new();
    loop {
        while let Some(action) = registrant.poll_action() {
            carry_out(&mut registrant, now, action);
        }
        match registrant.poll_event() {
            Some((_, Event::Attempt(attempt))) => {
                return Report::assemble(&Evidence {
                    account: &account,
                    policy: &policy,
                    started_at: Timestamp::UNIX_EPOCH,
                    attempt: &attempt,
                    removal: RemovalEvidence::NotAttempted,
                });
            }
            Some((_, Event::Changed(_) | Event::Request(_) | Event::Removed)) => continue,
            None => {}
        }
        if let Some(transmit) = registrant.poll_transmit(&mut request) {
            now += Duration::from_millis(1);
            if let Some(said) = replies.next().filter(|said| !said.is_empty()) {
                let (flow, source) = (transmit.flow, transmit.to);
                let bytes = &reply(&request, said);
                registrant.handle_input(now, Input::Received { flow, source, bytes });
            }
            continue;
        }
        now = registrant.poll_timeout().expect("an exchange that waits has a deadline");
        registrant.handle_timeout(now);
    }
}

fn account() -> Account {
    let uri = |text: &str| text.parse().expect("a URI that is written here can be read");
    Account {
        aor: uri("sip:alice@192.0.2.2"),
        registrar: uri("sip:192.0.2.2"),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(Secret::Password(SECRET.into())),
        challenges: None,
        contact: ContactPlan::Automatic { user: "alice".into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 300,
        user_agent: "regprobe".into(),
    }
}

fn carry_out(registrant: &mut Registrant, now: Instant, action: Action) {
    match action {
        Action::Open(flow, _) => {
            let opened = Opened {
                local: ([192, 0, 2, 1], 5060).into(),
                connected_at: None,
                tls: None,
            };
            registrant.handle_input(now, Input::Opened(flow, opened));
        }
        Action::Query(query, _) => registrant.handle_input(now, Input::Answer(query, Err(DnsError::NoSuchName))),
        Action::Close(_) => {}
    }
}

/// The first byte is for the status, what follows up to a line feed is the reason phrase, and the rest is headers behind those that a reply
/// repeats.
fn reply(request: &[u8], said: &[u8]) -> Vec<u8> {
    let (status, text) = said.split_first().map_or((1, said), |(first, text)| (usize::from(*first), text));
    let status = STATUSES.get(status % STATUSES.len()).copied().unwrap_or(200);
    let mut parts = text.splitn(2, |byte| *byte == b'\n');
    let (reason, headers) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let request = String::from_utf8_lossy(request);
    let is_repeated = |line: &&str| {
        let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:"];
        names.iter().any(|name| line.starts_with(name))
    };
    let repeated: String = request.lines().filter(is_repeated).map(|line| format!("{line}\r\n")).collect();
    [
        format!("SIP/2.0 {status} ").as_bytes(),
        reason,
        b"\r\n",
        repeated.as_bytes(),
        headers,
        b"\r\n\r\n",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use sip_registration::Cause;

    use super::*;

    #[test]
    fn replies_come_to_the_report_that_they_are_meant_for() {
        assert!(probed(b"\x01OK").registered);
        let challenge = b"\x05Unauthorized\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
        let refused = probed(&[challenge, &b"\0\x06Go away"[..]].concat());
        assert_eq!((refused.cause, refused.requests), (Some(Cause::Forbidden), 2));
        assert_eq!(refused.last_response.unwrap().reason, "Go away");
        assert_eq!(probed(b"\x10Trying").cause, Some(Cause::OnlyProvisional));
        assert_eq!(probed(b"").cause, Some(Cause::NoReply));
    }
}

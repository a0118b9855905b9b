//! Messages, actions and states as lines of a ladder. What is random is shown by letters in the order of first sight.

use sip_digest::{Secret, server};
use sip_message::{ChallengeSource, Credentials, Headers, Message, Name, Request};
use sip_registration::{Attempt, Ending, Endpoint, Evidence, IncomingRequest, RemovalEvidence, Report, Status};

use crate::peer;
use crate::setup::Setup;

/// Gives every random value a letter.
#[derive(Default)]
pub(crate) struct Letters(Vec<String>);

impl Letters {
    fn of(&mut self, value: &[u8]) -> char {
        let value = String::from_utf8_lossy(value).into_owned();
        let at = self.0.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.0.push(value);
            self.0.len() - 1
        });
        char::from(b'A' + u8::try_from(at % 26).unwrap())
    }
}

pub(crate) fn endpoint(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.transport.name(), endpoint.remote)
}

/// A request: method, URI, which dialog and CSeq, and the headers that matter.
pub(crate) fn request(bytes: &[u8], letters: &mut Letters, setup: &Setup) -> String {
    let request = peer::parse(bytes);
    let headers = &request.headers;
    let mut parts = vec![format!(
        "{} {} · dialog {} CSeq {}",
        String::from_utf8_lossy(request.method.as_bytes()),
        String::from_utf8_lossy(request.uri),
        letters.of(&dialog(headers)),
        headers.cseq().unwrap().unwrap().number
    )];
    for (name, title) in [(Name::Route, "Route"), (Name::Contact, "Contact")] {
        let shown = headers.all(name).map(|value| format!("{title} {}", String::from_utf8_lossy(value)));
        parts.extend(shown);
    }
    if let Some(Ok(expires)) = headers.expires() {
        parts.push(format!("Expires {expires}"));
    }
    for (source, title) in [
        (ChallengeSource::Www, "Authorization"),
        (ChallengeSource::Proxy, "Proxy-Authorization"),
    ] {
        parts.extend(
            headers
                .credentials(source)
                .map(|credentials| format!("{title} {}", answer(&credentials.unwrap(), &request, setup))),
        );
    }
    parts.join(" · ")
}

/// Call-ID and From tag: what stays the same over the requests of a registration.
pub(crate) fn dialog(headers: &Headers<'_>) -> Vec<u8> {
    let tag = headers.from().unwrap().unwrap().tag().unwrap();
    [headers.call_id().unwrap(), tag].concat()
}

fn answer(credentials: &Credentials<'_>, request: &Request<'_>, setup: &Setup) -> String {
    let word = |name: &[u8]| {
        credentials
            .param(name)
            .map_or_else(|| "-".to_owned(), |value| String::from_utf8_lossy(value).replace('"', ""))
    };
    let qop = sip_digest::Qop::parse(word(b"qop").as_bytes());
    let qops: Vec<_> = qop.into_iter().collect();
    let algorithm = server::algorithm(credentials).unwrap();
    let realm = word(b"realm");
    let expected = server::Expected {
        realm: realm.as_bytes(),
        opaque: None,
        algorithm,
        qop: &qops,
        method: request.method.as_bytes(),
        uri: Some(request.uri),
        body: b"",
    };
    let user = setup.account.auth_user.as_deref().unwrap_or("alice");
    let secret = setup
        .account
        .secret
        .clone()
        .unwrap_or_else(|| Secret::Password(String::new().into()));
    let proved = match server::check(credentials, &expected, user, &secret) {
        Ok(_) => "computed right".to_owned(),
        Err(refusal) => format!("WRONG: {refusal}"),
    };
    format!(
        "{} nonce {} nc {} qop {}, {proved}",
        algorithm.name(),
        word(b"nonce"),
        word(b"nc"),
        word(b"qop")
    )
}

/// A reply: its first line, and the headers that matter.
pub(crate) fn reply(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let response = match Message::parse(bytes) {
        Ok(Message::Response(response)) => response,
        Ok(Message::Request(request)) => {
            let shown = String::from_utf8_lossy(request.method.as_bytes()).into_owned();
            return format!("{shown} {}", String::from_utf8_lossy(request.uri));
        }
        Err(_) => return format!("{:?}", text.chars().take(60).collect::<String>()),
    };
    let mut parts = vec![
        text.lines()
            .next()
            .unwrap_or_default()
            .replace("SIP/2.0 ", "")
            .trim_end()
            .to_owned(),
    ];
    let shown = [
        Name::Contact,
        Name::Expires,
        Name::MinExpires,
        Name::RetryAfter,
        Name::Warning,
        Name::WwwAuthenticate,
        Name::ProxyAuthenticate,
        Name::AuthenticationInfo,
    ];
    for field in response.headers.iter().filter(|field| shown.contains(&field.name)) {
        parts.push(format!(
            "{} {}",
            String::from_utf8_lossy(field.raw_name),
            redacted(&String::from_utf8_lossy(field.value))
        ));
    }
    parts.join(" · ")
}

/// The proof and the client nonce are random and stay out of stored text.
fn redacted(value: &str) -> String {
    value
        .split(", ")
        .map(|part| match part.split_once('=') {
            Some((name @ ("rspauth" | "cnonce"), _)) => format!("{name}=…"),
            Some(_) | None => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// A request from the other side as it is told of.
pub(crate) fn asked(request: &IncomingRequest) -> String {
    let answer = request
        .answer
        .map_or_else(|| "not answered".to_owned(), |code| format!("answered {code}"));
    let whose = if request.names_us { "for us" } else { "for nobody here" };
    let peer = if request.from_peer { "the peer" } else { "somebody else" };
    format!(
        "{} {} of {peer}, {whose}, {} hops, {answer}",
        request.method, request.uri, request.hops
    )
}

/// A state as it is announced.
pub(crate) fn status(status: &Status) -> String {
    let mut parts = vec![format!("{} {}", status.state.code(), status.state)];
    parts.extend(status.cause.map(|cause| format!("{cause}")));
    if status.valid_until.is_some() {
        parts.push("a binding is held".into());
    }
    if status.next_at.is_some() {
        parts.push("the next exchange is due by itself".into());
    }
    if status.waits_for_operator {
        parts.push("waits for the operator".into());
    }
    parts.join(" · ")
}

/// The report on an exchange.
pub(crate) fn report(setup: &Setup, attempt: &Attempt) -> Report {
    let evidence = Evidence {
        account: &setup.account,
        policy: &setup.policy,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        attempt,
        removal: RemovalEvidence::Kept,
    };
    let report = Report::assemble(&evidence);
    // Findings without their words are the same ones.
    let mut found = Vec::new();
    evidence.findings(&mut found);
    let worded: Vec<_> = report.findings.iter().map(|finding| (finding.id, finding.severity)).collect();
    assert_eq!(found, worded);
    report
}

/// How an exchange ended, in a few lines.
pub(crate) fn ending(setup: &Setup, attempt: &Attempt) -> Vec<String> {
    let report = report(setup, attempt);
    let how = match attempt.ending {
        Ending::Succeeded => "succeeded".to_owned(),
        Ending::Failed(cause) => format!("failed: {cause}"),
        Ending::Interrupted => "interrupted".to_owned(),
    };
    let mut lines = vec![format!(
        "{} {how} · {} {} · OpenSIPS would show {} {}",
        report.goal,
        report.state_code,
        report.state,
        report.opensips_state.code(),
        report.opensips_state
    )];
    lines.push(report.detail);
    if report.network.targets.len() > 1 {
        let targets = report.network.targets.iter();
        let shown: Vec<_> = targets
            .map(|target| format!("{} {} {}", target.transport, target.address, target.outcome))
            .collect();
        lines.push(format!("targets: {}", shown.join(", ")));
    }
    let findings: Vec<&str> = report.findings.iter().map(|finding| finding.id.name()).collect();
    if !findings.is_empty() {
        lines.push(format!("findings: {}", findings.join(", ")));
    }
    lines
}

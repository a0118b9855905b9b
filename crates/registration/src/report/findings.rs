//! What else was noticed, put into words: from the evidence of an attempt to the report's findings.

use sip_digest::Algorithm;

use crate::attempt::{Attempt, Notice, TargetOutcome};
use crate::report::{Finding, Severity};
use crate::{Cause, FindingId, Goal, Policy, Transport, host_port};

/// A binding shorter than this is gone before most phones refresh it, in seconds.
const SHORT_BINDING: u32 = 60;

/// All findings of an attempt, the gravest first. Of the removal after it count what was sent again, and late
/// replies, which answer the attempt.
pub(super) fn findings(attempt: &Attempt, removal: Option<&Attempt>, policy: &Policy) -> Vec<Finding> {
    let late = removal.filter(|removal| removal.notices.contains(&Notice::LateReply) && !attempt.notices.contains(&Notice::LateReply));
    let mut found: Vec<Finding> = Vec::new();
    found.extend(attempt.notices.iter().filter_map(from_notice));
    found.extend(late.and_then(|_| from_notice(&Notice::LateReply)));
    found.extend(authentication(attempt));
    found.extend(binding(attempt));
    found.extend(network(
        attempt,
        attempt.retransmissions + removal.map_or(0, |removal| removal.retransmissions),
    ));
    found.extend(certificate(attempt, policy));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

fn finding(id: FindingId, severity: Severity, message: String) -> Finding {
    Finding {
        id,
        severity,
        message,
        advice: id.explanation().todo.to_owned(),
    }
}

fn from_notice(notice: &Notice) -> Option<Finding> {
    use FindingId as Id;
    use Severity::{Error, Info, Warning};
    let (id, severity, message) = match notice {
        Notice::NonceRotated => (
            Id::NonceRotated,
            Info,
            "the refusal of our credentials came with a new nonce".to_owned(),
        ),
        Notice::ChallengeChanged { first, second } => (
            Id::ChallengeChanged,
            Error,
            format!("asked for {first} and then for {second}, which was not answered"),
        ),
        Notice::NatDetected { local, seen } => (
            Id::NatDetected,
            Warning,
            format!("the registrar sees {} where we are {}", host_port(*seen), host_port(*local)),
        ),
        Notice::EchoChanged { header, sent, echoed } => (
            Id::SipAlgSuspected,
            Warning,
            format!("{header} went out as {sent} and came back as {echoed}"),
        ),
        Notice::ContactRewritten { sent, stored } => (Id::ContactRewritten, Warning, format!("bound as {stored}, not as {sent}")),
        Notice::OtherSource { source, challenge: false } => (Id::ReplyFromOtherAddress, Warning, format!("a reply came from {source}")),
        Notice::OtherSource { source, challenge: true } => (
            Id::ReplyFromOtherAddress,
            Error,
            format!("a challenge came from {source} and was not answered"),
        ),
        Notice::LateReply => (Id::LateReply, Warning, "a reply came after its transaction had ended".to_owned()),
        Notice::FailurePhrase(phrase) => (
            Id::FailurePhraseIn200,
            Warning,
            format!("the status says success, the phrase says {phrase:?}"),
        ),
        Notice::UnknownAlgorithm(name) => (Id::UnknownAlgorithmOffered, Info, format!("{name} was offered")),
        Notice::IntervalRaised { asked, minimum } => (
            Id::IntervalRaised,
            Info,
            format!("asked for {asked} s; the registrar wants at least {minimum} s, which was asked for then"),
        ),
        Notice::Warning { code, text } => (Id::WarningReceived, Info, format!("{code} {text}")),
        Notice::RedirectedTo(_) | Notice::CredentialsWithheld(_) => return None,
    };
    Some(finding(id, severity, message))
}

fn authentication(attempt: &Attempt) -> Vec<Finding> {
    let auth = &attempt.auth;
    let offered = || auth.offered.iter().filter_map(|name| Algorithm::parse(name.as_bytes()));
    let weak = offered().next().is_some() && offered().all(|algorithm| algorithm.plain() == Algorithm::Md5);
    let suspect = attempt.ending.cause() == Some(Cause::Forbidden) && auth.credentials_sent;
    let weak = weak.then(|| finding(FindingId::WeakDigest, Severity::Warning, "only MD5 was offered".to_owned()));
    let suspect = suspect.then(|| {
        finding(
            FindingId::CredentialsSuspect,
            Severity::Warning,
            "403 came after our credentials".to_owned(),
        )
    });
    weak.into_iter().chain(suspect).collect()
}

fn binding(attempt: &Attempt) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(bound) = &attempt.binding {
        let message = format!("asked for {} s, granted {} s", bound.requested, bound.granted);
        let severity = if bound.granted < SHORT_BINDING {
            Severity::Warning
        } else {
            Severity::Info
        };
        match bound.granted.cmp(&bound.requested) {
            std::cmp::Ordering::Less => found.push(finding(FindingId::ExpiresShortened, severity, message)),
            std::cmp::Ordering::Greater => found.push(finding(FindingId::ExpiresLengthened, Severity::Info, message)),
            std::cmp::Ordering::Equal => {}
        }
    }
    let others = attempt.other_bindings.len();
    if attempt.goal == Goal::Register && others > 0 {
        let message = if others == 1 {
            "1 other binding".to_owned()
        } else {
            format!("{others} other bindings")
        };
        found.push(finding(FindingId::OtherBindingsPresent, Severity::Info, message));
    }
    found
}

fn network(attempt: &Attempt, sent_again: u32) -> Vec<Finding> {
    let mut found = Vec::new();
    let used = attempt.targets.iter().filter(|tried| tried.outcome != TargetOutcome::NotTried);
    if let Some(last) = used.clone().next_back().filter(|_| attempt.requests > 0) {
        let transport = last.target.endpoint.transport;
        if transport != Transport::Tls {
            found.push(finding(
                FindingId::PlaintextTransport,
                Severity::Info,
                format!("{} is not encrypted", transport.via()),
            ));
        }
    }
    let failed: Vec<String> = used
        .filter_map(|tried| match tried.outcome {
            TargetOutcome::Failed(cause) if cause != Cause::Redirected => Some(format!(
                "{} {} ({cause})",
                tried.target.endpoint.transport.name(),
                tried.target.endpoint.remote
            )),
            TargetOutcome::NotTried | TargetOutcome::InUse | TargetOutcome::Served | TargetOutcome::Failed(_) => None,
        })
        .collect();
    if !failed.is_empty() && attempt.targets.iter().any(|tried| tried.outcome == TargetOutcome::Served) {
        found.push(finding(
            FindingId::FailedOver,
            Severity::Warning,
            format!("did not serve: {}", failed.join(", ")),
        ));
    }
    if sent_again > 0 {
        found.push(finding(
            FindingId::RetransmissionsNeeded,
            Severity::Warning,
            format!("{sent_again} sent again"),
        ));
    }
    if let Some(seconds) = attempt.retry_after.filter(|seconds| *seconds > 0) {
        found.push(finding(
            FindingId::RetryAfter,
            Severity::Warning,
            format!("wait {seconds} s before trying again"),
        ));
    }
    found
}

fn certificate(attempt: &Attempt, policy: &Policy) -> Option<Finding> {
    let tls = attempt
        .tls
        .as_ref()
        .filter(|tls| tls.days_left <= policy.certificate_warning_days)?;
    let severity = if tls.days_left < 0 { Severity::Error } else { Severity::Warning };
    let message = match tls.days_left {
        days if days < 0 => format!("the certificate ended {} days ago", -days),
        1 => "the certificate ends in 1 day".to_owned(),
        days => format!("the certificate ends in {days} days"),
    };
    Some(finding(FindingId::CertificateExpiresSoon, severity, message))
}

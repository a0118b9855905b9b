//! What else was noticed, put into words: from the evidence of an attempt to the report's findings.

use std::cmp::{Ordering, Reverse};
use std::net::SocketAddr;

use sip_digest::Algorithm;

use crate::attempt::{Attempt, Notice, TargetOutcome, TriedTarget};
use crate::report::assemble::{Evidence, removal};
use crate::report::{Finding, Removal, Severity};
use crate::{Cause, FindingId, Goal, Policy, Transport, host_port};

/// A binding shorter than this is gone before most phones refresh it, in seconds.
const SHORT_BINDING: u32 = 60;

/// All findings of an attempt, the gravest first. Of the removal after it count what was sent again, late replies, which answer the
/// attempt, and a registrar that asks in another way than it did before.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    each(evidence, &mut |id, severity, words| {
        found.push(Finding {
            id,
            severity,
            message: words(),
            advice: id.explanation().todo.to_owned(),
        });
    });
    found.sort_by_key(|finding| Reverse(finding.severity));
    found
}

/// Only which they are, in the same order, appended to `found`: no word is made.
pub(super) fn ids(evidence: &Evidence<'_>, found: &mut Vec<(FindingId, Severity)>) {
    let start = found.len();
    each(evidence, &mut |id, severity, _| found.push((id, severity)));
    if let Some(own) = found.get_mut(start..) {
        own.sort_by_key(|(_, severity)| Reverse(*severity));
    }
}

/// Takes a finding; its words are made when they are asked for.
type Tell<'a> = dyn FnMut(FindingId, Severity, &dyn Fn() -> String) + 'a;

fn each(evidence: &Evidence<'_>, tell: &mut Tell<'_>) {
    let (attempt, removal) = (evidence.attempt, removal(evidence));
    for notice in &attempt.notices {
        from_notice(notice, tell);
    }
    let later = removal.into_iter().flat_map(|removal| &removal.notices);
    for notice in later.filter(|notice| counts_later(notice) && !attempt.notices.contains(notice)) {
        from_notice(notice, tell);
    }
    // The removal goes the same way, some time later.
    let seen = attempt.seen_as.zip(removal.and_then(|removal| removal.seen_as));
    if let Some((before, now)) = seen.filter(|(before, now)| before != now) {
        tell(FindingId::NatRebound, Severity::Warning, &|| nat_rebound(before, now));
    }
    authentication(attempt, tell);
    binding(attempt, tell);
    network(
        attempt,
        attempt.retransmissions + removal.map_or(0, |removal| removal.retransmissions),
        tell,
    );
    certificate(attempt, evidence.policy, tell);
    left_behind(evidence, tell);
}

/// Whether a notice of the removal says something about the attempt before it.
const fn counts_later(notice: &Notice) -> bool {
    match notice {
        Notice::LateReply | Notice::ForeignRealm { .. } | Notice::AlgorithmWithdrawn { .. } | Notice::ProtectionWithdrawn => true,
        Notice::NonceRotated
        | Notice::ChallengeChanged { .. }
        | Notice::NatDetected { .. }
        | Notice::NatRebound { .. }
        | Notice::SilentAfterChallenge { .. }
        | Notice::LargeRequest { .. }
        | Notice::EchoChanged { .. }
        | Notice::ContactRewritten { .. }
        | Notice::OtherSource { .. }
        | Notice::FailurePhrase(_)
        | Notice::UnknownAlgorithm(_)
        | Notice::IntervalRaised { .. }
        | Notice::Warning { .. }
        | Notice::RedirectedTo(_)
        | Notice::CredentialsWithheld(_) => false,
    }
}

fn from_notice(notice: &Notice, tell: &mut Tell<'_>) {
    use FindingId as Id;
    use Severity::{Error, Info, Warning};
    let mut say = |id, severity, words: &dyn Fn() -> String| tell(id, severity, words);
    match notice {
        Notice::NonceRotated => say(Id::NonceRotated, Info, &|| {
            "the refusal of our credentials came with a new nonce".to_owned()
        }),
        Notice::ChallengeChanged { first, second } => say(Id::ChallengeChanged, Error, &|| {
            format!("asked for {first} and then for {second}, which was not answered")
        }),
        Notice::ForeignRealm { offered, expected, pinned } => {
            say(Id::ForeignRealm, Error, &|| foreign_realm(offered, expected.as_deref(), *pinned))
        }
        Notice::AlgorithmWithdrawn { before, now } => say(Id::DigestDowngraded, Error, &|| {
            format!("{before} was offered before, and nothing stronger than {now} is now")
        }),
        Notice::ProtectionWithdrawn => say(Id::DigestDowngraded, Error, &|| {
            "a quality of protection (qop) was offered before, and none is now".to_owned()
        }),
        Notice::NatDetected { local, seen } => say(Id::NatDetected, Warning, &|| {
            format!("the registrar sees {} where we are {}", host_port(*seen), host_port(*local))
        }),
        Notice::NatRebound { before, now } => say(Id::NatRebound, Warning, &|| nat_rebound(*before, *now)),
        Notice::SilentAfterChallenge { transport, remote } => say(Id::SilentAfterChallenge, Warning, &|| {
            format!(
                "{} {remote} asked for credentials and said nothing after it got them",
                transport.name()
            )
        }),
        Notice::LargeRequest { bytes } => say(Id::LargeRequest, Warning, &|| format!("a request of {bytes} bytes went by UDP")),
        Notice::EchoChanged { header, sent, echoed } => say(Id::SipAlgSuspected, Warning, &|| {
            format!("{header} went out as {sent} and came back as {echoed}")
        }),
        Notice::ContactRewritten { sent, stored } => say(Id::ContactRewritten, Warning, &|| format!("bound as {stored}, not as {sent}")),
        Notice::OtherSource { source, challenge: false } => {
            say(Id::ReplyFromOtherAddress, Warning, &|| format!("a reply came from {source}"))
        }
        Notice::OtherSource { source, challenge: true } => say(Id::ReplyFromOtherAddress, Error, &|| {
            format!("a challenge came from {source} and was not answered")
        }),
        Notice::LateReply => say(Id::LateReply, Warning, &|| {
            "a reply came after its transaction had ended".to_owned()
        }),
        Notice::FailurePhrase(phrase) => say(Id::FailurePhraseIn200, Warning, &|| {
            format!("the status says success, the phrase says {phrase:?}")
        }),
        Notice::UnknownAlgorithm(name) => say(Id::UnknownAlgorithmOffered, Info, &|| format!("{name} was offered")),
        Notice::IntervalRaised { asked, minimum } => say(Id::IntervalRaised, Info, &|| {
            format!("asked for {asked} s; the registrar wants at least {minimum} s, which was asked for then")
        }),
        Notice::Warning { code, text } => say(Id::WarningReceived, Info, &|| format!("{code} {text}")),
        Notice::RedirectedTo(_) | Notice::CredentialsWithheld(_) => {}
    }
}

fn nat_rebound(before: SocketAddr, now: SocketAddr) -> String {
    format!("the registrar saw us as {} and then as {}", host_port(before), host_port(now))
}

/// Both realms, and why the one is answered and the other is not.
pub(super) fn foreign_realm(offered: &str, expected: Option<&str>, pinned: bool) -> String {
    match expected {
        None => "an empty realm asks for credentials; it is answered only when it is pinned".to_owned(),
        Some(expected) if pinned => format!("realm \"{offered}\" asks for credentials, and only the pinned realm \"{expected}\" gets them"),
        Some(expected) => {
            format!("realm \"{offered}\" asks for credentials, and realm \"{expected}\" was answered first, so that only it gets them")
        }
    }
}

fn authentication(attempt: &Attempt, tell: &mut Tell<'_>) {
    let auth = &attempt.auth;
    let offered = || auth.offered.iter().filter_map(|name| Algorithm::parse(name.as_bytes()));
    if offered().next().is_some() && offered().all(|algorithm| algorithm.plain() == Algorithm::Md5) {
        tell(FindingId::WeakDigest, Severity::Warning, &|| "only MD5 was offered".to_owned());
    }
    if attempt.ending.cause() == Some(Cause::Forbidden) && auth.credentials_sent {
        tell(FindingId::CredentialsSuspect, Severity::Warning, &|| {
            "403 came after our credentials".to_owned()
        });
    }
}

fn binding(attempt: &Attempt, tell: &mut Tell<'_>) {
    if let Some(bound) = &attempt.binding {
        let words = || format!("asked for {} s, granted {} s", bound.requested, bound.granted);
        let severity = if bound.granted < SHORT_BINDING {
            Severity::Warning
        } else {
            Severity::Info
        };
        match bound.granted.cmp(&bound.requested) {
            Ordering::Less => tell(FindingId::ExpiresShortened, severity, &words),
            Ordering::Greater => tell(FindingId::ExpiresLengthened, Severity::Info, &words),
            Ordering::Equal => {}
        }
    }
    let others = attempt.other_bindings.len();
    if attempt.goal == Goal::Register && others > 0 {
        tell(FindingId::OtherBindingsPresent, Severity::Info, &|| match others {
            1 => "1 other binding".to_owned(),
            others => format!("{others} other bindings"),
        });
    }
}

fn left_behind(evidence: &Evidence<'_>, tell: &mut Tell<'_>) {
    let Some(until) = evidence.may_be_bound_until() else { return };
    tell(FindingId::MayBeBound, Severity::Warning, &|| match evidence.removal() {
        Removal::Confirmed => format!("a REGISTER was never answered: if it is carried out after the removal, it binds us until {until}"),
        Removal::Kept | Removal::Unconfirmed | Removal::NotAttempted => {
            format!("the registrar may list us until {until}: no removal was confirmed")
        }
    });
}

fn network(attempt: &Attempt, sent_again: u32, tell: &mut Tell<'_>) {
    let used = attempt.targets.iter().filter(|tried| tried.outcome != TargetOutcome::NotTried);
    if let Some(last) = used.clone().next_back().filter(|_| attempt.requests > 0) {
        let transport = last.target.endpoint.transport;
        if transport != Transport::Tls {
            tell(FindingId::PlaintextTransport, Severity::Info, &|| {
                format!("{} is not encrypted", transport.via())
            });
        }
    }
    let failed = |tried: &TriedTarget| matches!(tried.outcome, TargetOutcome::Failed(cause) if cause != Cause::Redirected);
    let served = |tried: &TriedTarget| tried.outcome == TargetOutcome::Served;
    if used.clone().any(failed) && attempt.targets.iter().any(served) {
        tell(FindingId::FailedOver, Severity::Warning, &|| failed_over(attempt));
    }
    if sent_again > 0 {
        tell(FindingId::RetransmissionsNeeded, Severity::Warning, &|| {
            format!("{sent_again} sent again")
        });
    }
    if let Some(seconds) = attempt.retry_after.filter(|seconds| *seconds > 0) {
        tell(FindingId::RetryAfter, Severity::Warning, &|| {
            format!("wait {seconds} s before trying again")
        });
    }
}

fn failed_over(attempt: &Attempt) -> String {
    let failed = attempt.targets.iter().filter_map(|tried| match tried.outcome {
        TargetOutcome::Failed(cause) if cause != Cause::Redirected => Some(format!(
            "{} {} ({cause})",
            tried.target.endpoint.transport.name(),
            tried.target.endpoint.remote
        )),
        TargetOutcome::NotTried | TargetOutcome::InUse | TargetOutcome::Served | TargetOutcome::Failed(_) => None,
    });
    format!("did not serve: {}", failed.collect::<Vec<_>>().join(", "))
}

fn certificate(attempt: &Attempt, policy: &Policy, tell: &mut Tell<'_>) {
    let tls = attempt.tls.as_ref();
    let Some(tls) = tls.filter(|tls| tls.days_left <= policy.certificate_warning_days) else {
        return;
    };
    let severity = if tls.days_left < 0 { Severity::Error } else { Severity::Warning };
    tell(FindingId::CertificateExpiresSoon, severity, &|| match tls.days_left {
        days if days < 0 => format!("the certificate ended {} days ago", -days),
        1 => "the certificate ends in 1 day".to_owned(),
        days => format!("the certificate ends in {days} days"),
    });
}

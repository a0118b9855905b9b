//! One sentence on what happened, from the evidence of this exchange. Advice is [`crate::Explanation`]'s.

use std::net::SocketAddr;

use super::assemble::{Evidence, milliseconds};
use super::findings;
use crate::attempt::{Attempt, Ending, Notice, TargetOutcome, TriedTarget};
use crate::report::Removal;
use crate::{Cause, Goal};

/// The sentence.
pub(super) fn detail(evidence: &Evidence<'_>) -> String {
    let attempt = evidence.attempt;
    match attempt.ending {
        Ending::Succeeded => success(evidence),
        Ending::Interrupted => format!("interrupted{}", after_interruption(evidence)),
        Ending::Failed(cause) => format!("{}{}", failure(evidence, cause), left_behind(evidence)),
    }
}

fn success(evidence: &Evidence<'_>) -> String {
    let attempt = evidence.attempt;
    let took = format!(
        "{:.1} ms",
        milliseconds(evidence.ended_at().saturating_duration_since(attempt.started_at))
    );
    let granted = attempt.binding.as_ref().map_or(0, |bound| bound.granted);
    match attempt.goal {
        Goal::Register => match evidence.removal() {
            Removal::Confirmed => format!("registered in {took}; the binding was removed again"),
            Removal::Unconfirmed => {
                format!("registered in {took}; the removal was not confirmed, so the registrar may list us for another {granted} s")
            }
            Removal::Kept | Removal::NotAttempted => format!("registered in {took}; the binding stays for {granted} s"),
        },
        Goal::Unregister => "the binding is removed".to_owned(),
        Goal::Clear => "all bindings are removed".to_owned(),
        Goal::Fetch => match attempt.other_bindings.len() {
            0 => "nothing is bound".to_owned(),
            1 => "1 binding".to_owned(),
            more => format!("{more} bindings"),
        },
        Goal::Ping => format!("answered {} in {took}", reply(attempt)),
        Goal::Locate => match attempt.targets.len() {
            1 => "1 target".to_owned(),
            more => format!("{more} targets"),
        },
    }
}

fn after_interruption(evidence: &Evidence<'_>) -> &'static str {
    match evidence.removal() {
        Removal::Confirmed if evidence.may_be_bound_until().is_some() => UNANSWERED,
        Removal::Confirmed => "; what may have been bound was removed",
        Removal::Unconfirmed => "; the removal of what may have been bound was not confirmed",
        Removal::Kept | Removal::NotAttempted => "",
    }
}

/// A failed exchange may have bound us all the same.
fn left_behind(evidence: &Evidence<'_>) -> &'static str {
    match (evidence.attempt.may_be_bound, evidence.removal()) {
        (false, _) => "",
        (true, Removal::Confirmed) if evidence.may_be_bound_until().is_some() => UNANSWERED,
        (true, Removal::Confirmed) => "; what may have been bound was removed",
        (true, Removal::Unconfirmed | Removal::NotAttempted | Removal::Kept) => {
            "; the registrar may hold a binding of ours until it lapses"
        }
    }
}

/// A request that is overtaken by the removal of what it makes.
const UNANSWERED: &str = "; what was bound by then was removed, but a REGISTER was not answered and may bind us yet";

fn reply(attempt: &Attempt) -> String {
    attempt.last_reply.as_ref().map_or_else(
        || "nothing".to_owned(),
        |reply| format!("{} {}", reply.code, reply.reason).trim_end().to_owned(),
    )
}

fn failure(evidence: &Evidence<'_>, cause: Cause) -> String {
    let attempt = evidence.attempt;
    let (reply, words) = (reply(attempt), attempt.words.as_str());
    let server = server(attempt);
    let said = |sentence: &str| {
        if words.is_empty() {
            sentence.to_owned()
        } else {
            format!("{sentence}: {words}")
        }
    };
    match cause {
        Cause::BindingNotConfirmed if attempt.goal != Goal::Register => {
            format!("the registrar answered {reply} and still lists the binding")
        }
        Cause::BindingNotConfirmed => format!("the registrar answered {reply} and does not list our Contact"),
        Cause::GrantedZero => format!("the registrar answered {reply} and granted 0 seconds"),
        Cause::Redirected => redirected(attempt, &reply),
        Cause::CredentialsMissing => format!("the registrar asks for credentials ({reply}), and there is no password"),
        Cause::MalformedChallenge => said(&format!("the registrar answered {reply} without a readable challenge")),
        Cause::UnsupportedAlgorithm => said(&format!(
            "no offered challenge can be answered; offered: {}",
            attempt.auth.offered.join(", ")
        )),
        Cause::RealmMismatch => foreign_realm(attempt),
        Cause::DigestTooWeak => format!(
            "nothing weaker than {} is answered, and the registrar offers only {}",
            evidence.account.challenge_rules().min_digest.plain(),
            attempt.auth.offered.join(", ")
        ),
        Cause::StaleLoop => "the registrar calls every nonce stale, its own new one included".to_owned(),
        Cause::WrongCredentials => format!("the registrar refused our credentials ({reply}){}", realm(attempt)),
        Cause::RejectedWithoutChallenge => format!("the registrar answered {reply} to our credentials, without a challenge"),
        Cause::Forbidden if attempt.auth.credentials_sent => format!("the registrar answered {reply} to our credentials"),
        Cause::Forbidden | Cause::Rejected | Cause::ServerError | Cause::GlobalFailure => format!("the registrar answered {reply}"),
        Cause::UnknownUser => format!("the registrar does not know the account ({reply})"),
        Cause::IntervalTooBrief => format!("the registrar finds the interval too brief ({reply}) and names none that it would take"),
        Cause::Replied408 => format!("a proxy answered {reply}: it did not reach the registrar in time"),
        Cause::NoReply => said(&no_reply(attempt, server.trim_end_matches(','))),
        Cause::OnlyProvisional => format!("{server} took the request on and never answered it"),
        Cause::Overloaded => overloaded(attempt, &reply),
        Cause::DnsNotFound | Cause::DnsFailed => words.to_owned(),
        Cause::Unreachable => said(&format!("{server} cannot be reached")),
        Cause::ConnectionRefused => format!("{server} refuses connections"),
        Cause::ConnectTimeout => format!("the connection to {server} did not open in time"),
        Cause::ConnectionLost => said(&format!("{server} closed the connection before it answered")),
        Cause::TlsHandshake => said(&format!("TLS with {server} failed")),
        Cause::CertificateExpired => format!("the certificate of {server} is not valid at this time"),
        Cause::CertificateUntrusted => format!("the certificate of {server} comes from an issuer that is not trusted"),
        Cause::CertificateNameMismatch => said(&format!("the certificate of {server} is for other names")),
        Cause::MalformedReply => said("the reply cannot be read"),
        Cause::ServerNotAuthenticated => said("the server does not know the password that it asked for"),
    }
}

/// Which request was the one without a reply, if it was not the first.
fn no_reply(attempt: &Attempt, server: &str) -> String {
    let last = attempt.targets.iter().rfind(|tried| tried.outcome != TargetOutcome::NotTried);
    let is_last = |at: SocketAddr| last.is_some_and(|tried| tried.target.endpoint.remote == at);
    let had_asked = |notice: &Notice| matches!(notice, Notice::SilentAfterChallenge { remote, .. } if is_last(*remote));
    if attempt.notices.iter().any(had_asked) {
        format!(
            "no reply from {server} to the request with credentials, which it had asked for ({})",
            reply(attempt)
        )
    } else {
        format!("no reply from {server}")
    }
}

/// The target that was tried last.
fn server(attempt: &Attempt) -> String {
    let mut tried = attempt.targets.iter().filter(|tried| tried.outcome != TargetOutcome::NotTried);
    let count = tried.clone().count();
    tried.next_back().map_or_else(String::new, |last| {
        let endpoint = &last.target.endpoint;
        let which = if count > 1 {
            format!(", the last of {count} targets,")
        } else {
            String::new()
        };
        format!("{} {}{which}", endpoint.transport.name(), endpoint.remote)
    })
}

fn overloaded(attempt: &Attempt, reply: &str) -> String {
    let overloaded = |tried: &&TriedTarget| tried.outcome == TargetOutcome::Failed(Cause::Overloaded);
    match (attempt.targets.len(), attempt.targets.iter().filter(overloaded).count()) {
        (1, _) => format!("the registrar is overloaded ({reply})"),
        (all, some) if all == some => format!("all {all} targets are overloaded ({reply})"),
        (all, some) => format!("{some} of {all} targets overloaded ({reply}), and no other serves"),
    }
}

fn realm(attempt: &Attempt) -> String {
    attempt
        .auth
        .realm
        .as_ref()
        .map_or_else(String::new, |realm| format!(" for realm {realm}"))
}

fn foreign_realm(attempt: &Attempt) -> String {
    let words = |notice: &Notice| {
        if let Notice::ForeignRealm { offered, expected, pinned } = notice {
            Some(findings::foreign_realm(offered, expected.as_deref(), *pinned))
        } else {
            None
        }
    };
    let words = attempt.notices.iter().find_map(words);
    words.unwrap_or_else(|| "another realm than ours asks for credentials".to_owned())
}

fn redirected(attempt: &Attempt, reply: &str) -> String {
    let to = |notice: &Notice| {
        if let Notice::RedirectedTo(to) = notice {
            Some(to.clone())
        } else {
            None
        }
    };
    let withheld = |notice: &Notice| {
        if let Notice::CredentialsWithheld(from) = notice {
            Some(from.clone())
        } else {
            None
        }
    };
    if let Some(host) = attempt.notices.iter().find_map(withheld) {
        return format!("the redirect to {host} asks for credentials, which go to no other host than the one that was named");
    }
    let to: Vec<std::sync::Arc<str>> = attempt.notices.iter().filter_map(to).collect();
    let to = if to.is_empty() {
        "nowhere in particular".to_owned()
    } else {
        to.join(", ")
    };
    format!("the registrar answered {reply}: ask at {to}")
}

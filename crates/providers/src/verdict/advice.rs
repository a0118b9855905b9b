//! What to do: for whoever is woken by it. Pure.

use std::net::SocketAddr;

use sip_message::{Host, SipUri};

use super::case::Case;
use super::column::Column;
use super::row::Row;
use super::series::Settled;
use super::trouble;
use super::words::{is_refused, orphan_end};
use super::{Moment, Reason};
use crate::{ApiTrouble, Listing, Role, SeenBinding, SourceKind, Word};

/// What to do next; `None` when there is nothing to do.
pub(super) fn advice(case: &Case<'_>, settled: &Settled<'_>, now: Moment) -> Option<String> {
    let provider = case.claim.source.provider();
    let text = match settled.reason {
        Reason::Registered | Reason::RefreshInProgress => return None,
        Reason::Down => down(provider, settled.row),
        Reason::ReasonMatches => matches(provider, settled),
        Reason::FalsePositiveUnbound => match case.claim.source.role() {
            Role::Client => format!("No call arrives. Make {provider} register anew (switch the registration off and on), and find out who removed the binding: look in the registrar's log for a restart, an un-REGISTER, or another device on this account."),
            Role::Registrar => format!("No call arrives. Register the device anew; if {provider} goes on saying registered without a binding, show {provider} this report."),
        },
        Reason::Displaced => "Somebody else registers this account, and calls go there. Find that device by its Contact and give it an account of its own; if the registrar keeps one binding for each account, raise that limit. If an edge rewrites Contacts in front of this registrar, name what it puts there with `--expect-host`.".to_owned(),
        Reason::FalseNegativeBound => format!("Calls arrive; do not restart anything. {provider}'s status is wrong: do not alarm on it, and show {provider} this report."),
        Reason::ReasonMismatch => mismatch(provider, settled),
        Reason::CredentialsRejectedWhileRegistered => format!("What is bound now ends with its next refresh. If the password was changed at the registrar, set it at {provider} as well, before that. If the probe's password is not {provider}'s, correct the probe's, or say `--other-secret`."),
        Reason::RegistrarRejects => rejects(settled.view.column),
        Reason::ExpiryMismatch => format!("Calls arrive. Do not compute anything from the expiry that {provider} shows; go by the registrar's."),
        Reason::StuckInProgress => format!("No call arrives. {provider} keeps trying and gets nowhere: look in the registrar's log whether its REGISTER arrives, and from which address."),
        Reason::UnreachableFromTwoVantages => "No call arrives. Look at the registrar itself: whether it runs, and whether its port answers from its own network.".to_owned(),
        Reason::ExpiredClaim | Reason::NotRefreshed | Reason::PayloadUnchanged => stale(provider, settled.view.column),
        Reason::StoredFieldOutdated => format!("Do not read this field; ask {provider}'s live status instead, which the registrar bears out."),
        Reason::RefreshRace => "Look again in a minute. If the bindings change at every look, two devices are fighting for this account.".to_owned(),
        Reason::WithinGrace => look_again(settled, now),
        Reason::ApiUnreachable => trouble::unreachable(case.claim.source),
        Reason::ApiAuth => credentials(case.claim.source, settled),
        Reason::ApiRateLimited => format!("Ask {provider} less often: every poll of every tool with this key counts."),
        Reason::ApiNotFound => trouble::not_found(case.claim.source, settled.sandwich.answer),
        Reason::ApiGone => format!("{provider} has withdrawn this call. Verify by another source of the same provider, and look for a newer version of regprobe."),
        Reason::ApiContract | Reason::ApiNewValue => trouble::contract(provider, &settled.sandwich.answer.word),
        Reason::ApiSelfContradiction => format!("Trust neither. Ask again, and if it stays show {provider} the raw answer."),
        Reason::ApiWrongObject => format!("Do not use this answer. Ask again; if it stays show {provider} the raw answer."),
        Reason::ApiUnknown => format!("Ask {provider} again later; the wire is all there is until then."),
        Reason::ApiInProgress => format!("Look again in a minute, when {provider} has an answer."),
        Reason::SourceConflict => "Give the probe what it needs to decide between them: see the note about the wire.".to_owned(),
        Reason::ProbeUnreachable => unreachable(settled.view.column),
        Reason::ProbeNoCredentials if is_refused(settled.sandwich.looks().next_back()) => format!("Give the probe a password that the registrar takes (REGPROBE_PASSWORD), at best the one that {provider} uses."),
        Reason::ProbeNoCredentials => format!("Give the probe the account's password with REGPROBE_PASSWORD, the same that {provider} uses."),
        Reason::ProbeVantageBlocked => "Probe from an address that the registrar permits, or have this one permitted (access list, fail2ban). What the registrar says to the provider cannot be seen from here.".to_owned(),
        Reason::RegistrarSick => "Look at the registrar: what it answers is its own failure, and its log says why.".to_owned(),
        Reason::FetchNotSupported => "Ask the registrar itself for its bindings, or verify with `--mode register`. After a 3xx name the place that it points to with `--registrar`.".to_owned(),
        Reason::RegistrarMayHideBindings => hidden(case.expectation.listing).to_owned(),
        Reason::RegistrarOpen => "Anybody can register this account, or whoever asks from this address: have the registrar ask for credentials, or probe from an address that it does not trust. The probe does not ask such a registrar twice, because some take even a question for a registration.".to_owned(),
        Reason::ContactUnmatchable => unmatchable(provider, &settled.view.others),
        Reason::OrphanBinding => orphan(provider, settled, now),
        Reason::ClockSkew => format!("Set the clock here by NTP. If it is right, {provider}'s is wrong: then name its Contact with `--expect-user` or `--expect-host`."),
        Reason::IdentityMismatch => format!("Verify the AOR that {provider} registers: give it with `--aor`, or take the one from {provider}'s settings."),
    };
    Some(text)
}

fn rejects(column: Column) -> String {
    let advice = "What is bound now, if anything is, ends with its next refresh. Look whether the account is disabled or deleted in the registrar, or in another domain than the probe asked for.";
    match column {
        Column::Rejected(403) => {
            format!("{advice} Some registrars say 403 to a wrong password: check the probe's, or say `--other-secret`.")
        }
        _ => advice.to_owned(),
    }
}

fn down(provider: &str, row: Row) -> String {
    match row {
        Row::NotRegistered | Row::Unregistering => format!("No call arrives. If it should be registered, switch it on at {provider}."),
        Row::WrongCredentials => format!("No call arrives. Set user name and password at {provider} anew."),
        Row::Registered | Row::InProgress | Row::Timeout | Row::InternalError | Row::RegistrarError(_) | Row::Failed | Row::Nothing(_) => {
            format!("No call arrives. {provider} says why, as far as it knows; the registrar's log shows whether its REGISTER arrives.")
        }
    }
}

fn matches(provider: &str, settled: &Settled<'_>) -> String {
    match settled.view.column {
        Column::Refused(_) => format!(
            "The password is wrong for both: have it reset at the registrar, and set it at {provider}. Do not let it retry meanwhile; registrars ban for that."
        ),
        Column::Rejected(_) | Column::NotSupported(_) | Column::Blocked(Some(_)) => {
            "Look at the account in the registrar: it refuses it to both, and its log says why.".to_owned()
        }
        Column::Bound
        | Column::Others
        | Column::Unbound
        | Column::Sick(_)
        | Column::Silent
        | Column::Unusable
        | Column::Blocked(None)
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => format!("The registrar or the way to it is down, for {provider} and from here: begin there."),
    }
}

/// The probe's own Contact shows more than words do, unless it has been tried.
const fn hidden(listing: Listing) -> &'static str {
    match listing {
        Listing::Unknown | Listing::Lists => {
            "If you know that this registrar lists its bindings, say so with `--assume-listing`; `--mode register` finds it out with a Contact of its own."
        }
        Listing::Undecided => {
            "A Contact of the probe's own was not seen to be bound, so that it is not known if this registrar lists bindings: look at them in the registrar itself, or say `--assume-listing` if you know that it does."
        }
        Listing::Hides => {
            "A Contact of the probe's own was bound and not listed, so that nobody's is: look at the bindings in the registrar itself."
        }
    }
}

/// The mark that would make the first of these the provider's, to be copied.
fn unmatchable(provider: &str, others: &[&SeenBinding]) -> String {
    let ways = "`--expect-user`, `--expect-host` (a name, an address or a network) or `--expect-instance`";
    let first = others.first().and_then(|binding| Some((*binding, mark_of(binding, others)?)));
    match first {
        Some((binding, mark)) => format!(
            "Say by which Contact {provider} is known: {ways}. If {} is {provider}'s: `--expect-host {mark}`.",
            binding.contact
        ),
        None => format!("Say by which Contact {provider} is known: {ways}."),
    }
}

/// The host of a binding, with its port where others are bound at the same address.
fn mark_of(binding: &SeenBinding, others: &[&SeenBinding]) -> Option<String> {
    let uri = SipUri::parse(binding.contact.as_bytes()).ok()?;
    let is_there = |other: &&&SeenBinding| SipUri::parse(other.contact.as_bytes()).is_ok_and(|other| other.host == uri.host);
    let shared = others.iter().filter(is_there).count() > 1;
    match (uri.host, uri.port) {
        (Host::Address(address), Some(port)) if shared => Some(SocketAddr::new(address, port).to_string()),
        (Host::Address(address), _) => Some(address.to_string()),
        (Host::Name(name), _) => Some(name.to_owned()),
    }
}

fn mismatch(provider: &str, settled: &Settled<'_>) -> String {
    let calls = if settled.view.column == Column::Hidden {
        "Whether calls arrive cannot be seen from here."
    } else {
        "No call arrives."
    };
    match settled.row {
        Row::WrongCredentials => format!(
            "{calls} The registrar takes the probe's password and not {provider}'s: set it at {provider} anew, without a blank or newline at its end."
        ),
        Row::Timeout | Row::InternalError => format!(
            "{calls} The registrar answers from here, so look at the way from {provider} to it: firewall, access list, DNS and port as {provider} has them."
        ),
        Row::RegistrarError(_) => format!(
            "{calls} The registrar says something else to {provider} than to the probe: compare user, domain and source address, and look for {provider}'s address in its access list."
        ),
        Row::Registered | Row::InProgress | Row::Unregistering | Row::Failed | Row::NotRegistered | Row::Nothing(_) => {
            format!("{calls} Compare {provider}'s settings with the probe's.")
        }
    }
}

fn stale(provider: &str, column: Column) -> String {
    match column.shows_bound() {
        Some(true) => format!("Calls arrive; {provider}'s data are old. Do not alarm on them, and show {provider} this report."),
        Some(false) => format!("No call arrives, and {provider} has not noticed. Make it register anew, and do not rely on its status."),
        None => format!("{provider}'s data are old: do not rely on them. What the registrar says now counts."),
    }
}

fn look_again(settled: &Settled<'_>, now: Moment) -> String {
    let wait = settled
        .contradiction
        .map(|contradiction| contradiction.wait(now).as_secs().saturating_add(1));
    match wait {
        Some(wait) if wait > 1 => format!("Look again in {wait} s: if it is the same then, it counts."),
        Some(_) | None => "Look again: if it is the same, it counts.".to_owned(),
    }
}

fn credentials(source: SourceKind, settled: &Settled<'_>) -> String {
    let provider = source.provider();
    match settled.sandwich.answer.word {
        Word::Unavailable(ApiTrouble::Forbidden) => {
            format!("The key is {provider}'s and may not do this: give it the right, or use one of the account that owns the object.")
        }
        _ => format!("Give a valid key for {provider}; this one is missing, wrong or expired."),
    }
}

fn unreachable(column: Column) -> String {
    match column {
        Column::NotSeen => "Run it again: both looks at the registrar are needed, before and after the answer.".to_owned(),
        _ => "Run `regprobe probe` for this account: it says where it fails. Until then nothing is proved about the claim.".to_owned(),
    }
}

fn orphan(provider: &str, settled: &Settled<'_>, now: Moment) -> String {
    match orphan_end(settled).filter(|end| *end > now) {
        Some(end) => {
            format!("Look again after {end}: if the binding is gone then, {provider} was right; if it was refreshed, {provider} is wrong.")
        }
        None => format!("Look again: if the binding is gone, {provider} was right; if it was refreshed, {provider} is wrong."),
    }
}

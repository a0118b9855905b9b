//! The sentences of a verdict: what was claimed, and what was seen. All texts that come from outside are escaped already. Pure.

use std::net::SocketAddr;

use super::case::{Case, listed};
use super::column::Column;
use super::series::Settled;
use super::stale::contradicting;
use super::{Moment, Reason};
use crate::{Answer, ContactPattern, HostPattern, Observation, SeenBinding, Sight, SourceKind, Unknown, Word, text};

/// How many Contacts a sentence names.
const NAMED: usize = 3;

/// One sentence or two on what was claimed and what was seen.
pub(super) fn detail(case: &Case<'_>, settled: &Settled<'_>, now: Moment) -> String {
    let provider = case.claim.source.provider();
    let (said, seen) = (said(settled.sandwich.answer), seen(settled));
    match settled.reason {
        Reason::Registered | Reason::Down if settled.is_shown() => format!("{provider} says {said}, and so it is: {seen}."),
        Reason::Registered | Reason::Down => format!("{provider} says {said}, and nothing speaks against it: {seen}."),
        Reason::RefreshInProgress => format!("{provider} says {said} while it refreshes, and meanwhile {seen}."),
        Reason::ReasonMatches => format!("{provider} says {said}, and the probe meets the same: {seen}."),
        Reason::Displaced => format!("{provider} says {said}, but {seen}{}.", expected(case, settled)),
        Reason::FalsePositiveUnbound | Reason::RegistrarRejects => format!("{provider} says {said}, but {seen}."),
        Reason::FalseNegativeBound => format!("{provider} says {said}, but {seen}, and it was seen to be refreshed."),
        Reason::ReasonMismatch => format!("{provider} says {said}, but {}.", otherwise(settled, &seen)),
        Reason::CredentialsRejectedWhileRegistered => format!("{provider} says {said}, but {seen}: the next refresh will fail."),
        Reason::ExpiryMismatch => format!("{provider} says {said} until {}, but {seen}.", end(settled)),
        Reason::StuckInProgress => format!("{provider} says {said} for longer than a REGISTER can take, and {seen}."),
        Reason::UnreachableFromTwoVantages => format!("{provider} says {said}, but the registrar is silent from two places: {seen}."),
        Reason::ExpiredClaim => format!("{provider} says {said}, with an end at {} that is over; {seen}.", end(settled)),
        Reason::NotRefreshed => format!(
            "{provider} says {said}, by data of {} that are too old to count; {seen}.",
            last_sign(settled)
        ),
        Reason::PayloadUnchanged => {
            format!("{provider} says {said} with the same data as before a refresh that the registrar saw; {seen}.")
        }
        Reason::StoredFieldOutdated => format!("{provider} has {said} in store, while {}; {seen}.", conflict(case, settled)),
        Reason::RefreshRace => format!(
            "The bindings changed while {provider} was asked, which said {said}: {}.",
            change(settled)
        ),
        Reason::WithinGrace => format!("{provider} says {said}, and {seen}. Seen once, that may be on its way."),
        Reason::ApiUnreachable | Reason::ApiAuth | Reason::ApiRateLimited | Reason::ApiNotFound | Reason::ApiGone | Reason::ApiContract => {
            nothing_said(case, settled, "gave no usable answer")
        }
        Reason::ApiNewValue | Reason::ApiSelfContradiction | Reason::ApiWrongObject | Reason::ApiUnknown => {
            nothing_said(case, settled, "gave an answer that says nothing")
        }
        Reason::ApiInProgress => format!("{provider} says {said}; {seen}. {}", expected_next(settled.view.column)),
        Reason::SourceConflict => format!(
            "{provider} says {said}, while {}, and the wire cannot decide: {seen}.",
            conflict(case, settled)
        ),
        Reason::ProbeUnreachable
        | Reason::ProbeNoCredentials
        | Reason::ProbeVantageBlocked
        | Reason::RegistrarSick
        | Reason::FetchNotSupported
        | Reason::RegistrarMayHideBindings
        | Reason::RegistrarOpen
        | Reason::ContactUnmatchable => format!("{provider} says {said}, which could not be checked: {seen}."),
        Reason::OrphanBinding => format!(
            "{provider} says {said}, but {seen}; nobody was seen to refresh it{}.",
            lapses(settled, now)
        ),
        Reason::ClockSkew => format!("{provider} says {said}, but its clock is too far from ours to find its binding by time: {seen}."),
        Reason::IdentityMismatch => format!("{provider} registers {}: these are two registrations.", two_users(case, settled)),
    }
}

fn otherwise(settled: &Settled<'_>, seen: &str) -> String {
    if settled.takes_the_secret() {
        format!("the registrar takes the probe's password, and {seen}")
    } else if settled.view.column == Column::Hidden {
        format!("the probe gets a 200, though {seen}")
    } else {
        format!("the probe meets something else: {seen}")
    }
}

/// Why nothing was said, and what the wire shows. Without an answer it may not even be known where the registrar is.
fn nothing_said(case: &Case<'_>, settled: &Settled<'_>, did: &str) -> String {
    let provider = case.claim.source.provider();
    let wire = if case.observations.is_empty() {
        format!("The registrar was not asked, because {provider} did not say where it is.")
    } else {
        format!("On the wire {}.", seen(settled))
    };
    format!("{provider} {did}: {}. {wire}", trouble(settled.sandwich.answer))
}

/// The marks by which a binding would have been the provider's: one that is mistyped makes others of its own.
fn expected(case: &Case<'_>, settled: &Settled<'_>) -> String {
    let marks = case.marks(settled.sandwich.answer);
    if !marks.pattern.is_empty() {
        return format!(" (expected: {})", pattern(marks.pattern));
    }
    let Some(claimed) = marks.claimed else {
        return String::new();
    };
    let port = claimed.port.map(|port| format!("port {port}"));
    let user = claimed.user.as_ref().map(|user| format!("user {user}"));
    let host = claimed.host.as_ref().map(|host| format!("host {host}"));
    let named: Vec<_> = user.into_iter().chain(host).chain(port).collect();
    format!(" ({} names {})", case.claim.source.provider(), named.join(", "))
}

fn pattern(pattern: &ContactPattern) -> String {
    let host = |host: &HostPattern| match host {
        HostPattern::Name(name) => text::field(name),
        HostPattern::Address(address, None) => address.to_string(),
        HostPattern::Address(address, Some(port)) => SocketAddr::new(*address, *port).to_string(),
        HostPattern::Network(network) => network.to_string(),
    };
    let fields = |texts: &[String]| texts.iter().map(|text| text::field(text)).collect();
    let kinds: [(&str, Vec<String>); 3] = [
        ("host", pattern.hosts.iter().map(host).collect()),
        ("user", fields(&pattern.users)),
        ("instance", fields(&pattern.instances)),
    ];
    let given = kinds.into_iter().filter(|(_, marks)| !marks.is_empty());
    let given: Vec<_> = given.map(|(kind, marks)| format!("{kind} {}", marks.join(" or "))).collect();
    given.join(", ")
}

fn two_users(case: &Case<'_>, settled: &Settled<'_>) -> String {
    let registers = case.other_user(settled.sandwich.answer).unwrap_or("an unknown user");
    let asked = case.expectation.user.as_deref().unwrap_or("another user");
    format!("{registers}, and the probe asked for {asked}")
}

/// The rule that decided: the row and the column of the matrix, or the test that goes before it.
pub(super) fn rule(settled: &Settled<'_>) -> String {
    let cell = format!("{} × {}", settled.row.name(), settled.view.column.name());
    let test = match settled.reason {
        Reason::ExpiredClaim => "expires_at is over by more than the clocks' difference and a tenth of the lifetime",
        Reason::NotRefreshed => "the last refresh or update is older than the lifetime",
        Reason::PayloadUnchanged => "the same data for 1.2 lifetimes over a refresh that the registrar saw",
        Reason::StoredFieldOutdated => "a stored value against a live one of the same provider, and the wire sides with the live one",
        Reason::SourceConflict => "two sources of the provider against each other, and the wire cannot decide",
        Reason::ExpiryMismatch => "the end that is named and the end by the registrar, more than 10 % or 30 s apart",
        Reason::IdentityMismatch => "the user that is named is not the user that was asked for",
        Reason::WithinGrace => "a contradiction counts when it is seen twice with the grace in between",
        Reason::StuckInProgress => "in progress for longer than the grace and 64·T1 (RFC 3261 §17.1.2.2)",
        Reason::Registered
        | Reason::Down
        | Reason::RefreshInProgress
        | Reason::ReasonMatches
        | Reason::FalsePositiveUnbound
        | Reason::Displaced
        | Reason::FalseNegativeBound
        | Reason::ReasonMismatch
        | Reason::CredentialsRejectedWhileRegistered
        | Reason::RegistrarRejects
        | Reason::UnreachableFromTwoVantages
        | Reason::RefreshRace
        | Reason::ApiUnreachable
        | Reason::ApiAuth
        | Reason::ApiRateLimited
        | Reason::ApiNotFound
        | Reason::ApiGone
        | Reason::ApiContract
        | Reason::ApiNewValue
        | Reason::ApiSelfContradiction
        | Reason::ApiWrongObject
        | Reason::ApiUnknown
        | Reason::ApiInProgress
        | Reason::ProbeUnreachable
        | Reason::ProbeNoCredentials
        | Reason::ProbeVantageBlocked
        | Reason::RegistrarSick
        | Reason::FetchNotSupported
        | Reason::RegistrarMayHideBindings
        | Reason::RegistrarOpen
        | Reason::ContactUnmatchable
        | Reason::OrphanBinding
        | Reason::ClockSkew => return cell,
    };
    format!("{cell}: {test}")
}

/// The claimed state in words, with the claimed reply.
pub(super) fn said(answer: &Answer) -> String {
    let word = match &answer.word {
        Word::NotRegistered => "not registered".to_owned(),
        Word::Registering => "registering".to_owned(),
        Word::Authenticating => "authenticating".to_owned(),
        Word::Registered => "registered".to_owned(),
        Word::Timeout => "failed, for want of a reply".to_owned(),
        Word::InternalError => "failed, by an error of its own".to_owned(),
        Word::WrongCredentials => "failed, credentials refused".to_owned(),
        Word::RegistrarError { code: Some(code) } => format!("failed, refused with {code}"),
        Word::RegistrarError { code: None } => "failed, refused".to_owned(),
        Word::Failed => "failed".to_owned(),
        Word::Unregistering => "un-registering".to_owned(),
        Word::Disabled => "switched off".to_owned(),
        Word::Lapsed => "run out".to_owned(),
        Word::NotFound => "no such registration".to_owned(),
        Word::Unknown(_) => "something unknown".to_owned(),
        Word::Unavailable(trouble) => format!("nothing ({})", trouble.name()),
    };
    match &answer.response {
        Some(response) => format!(
            "{word} (last reply {})",
            format!("{} {}", response.code, response.reason).trim_end()
        ),
        None => word,
    }
}

/// What the wire shows in words.
pub(super) fn seen(settled: &Settled<'_>) -> String {
    let look = settled.sandwich.looks().next_back();
    let view = &settled.view;
    let at = look
        .and_then(|look| look.server.as_deref())
        .map_or_else(String::new, |server| format!(" at {server}"));
    match view.column {
        Column::Bound if view.own => format!("{} bound{at} by the probe itself", contacts(&latest(settled, &view.expected))),
        Column::Bound => format!("{} bound{at}", contacts(&latest(settled, &view.expected))),
        Column::Others => format!("only {} bound{at}, which is not the provider's", contacts(&view.others)),
        Column::Unbound => format!("nothing is bound{at}"),
        Column::Hidden => format!("the registrar{at} lists nothing, and may hide what is bound"),
        Column::Unmatchable { .. } if view.others.is_empty() => format!("only the probe's own Contact is bound{at}"),
        Column::Unmatchable { .. } => format!("{} bound{at}, and nothing says whose it is", contacts(&view.others)),
        Column::Refused(code) => format!("the registrar{at} refuses the credentials with {code}"),
        Column::Rejected(_) => format!("the registrar{at} refuses the account with {}", reply(look)),
        Column::Sick(_) => format!("the registrar{at} answers {}", reply(look)),
        Column::Silent => format!("the registrar{at} gives no answer ({})", reply(look)),
        Column::Unusable => format!("what the registrar{at} answers cannot be used ({})", reply(look)),
        Column::NotSupported(_) => format!("the registrar{at} answers a question for its bindings with {}", reply(look)),
        Column::Blocked(Some(_)) => format!("the registrar{at} refuses the probe with {} before it asks who it is", reply(look)),
        Column::Blocked(None) => format!(
            "the registrar{at} is alive and keeps silent to a REGISTER from here ({})",
            reply(look)
        ),
        Column::NoCredentials if is_refused(look) => format!(
            "the registrar{at} refuses the probe's own password ({}), which says nothing about {}'s",
            reply(look),
            settled.sandwich.answer.source.provider()
        ),
        Column::NoCredentials => format!("the registrar{at} asks for credentials, and the probe has none"),
        Column::Moved => format!("{}{at}", change(settled)),
        Column::Open => format!("the registrar{at} asked nobody for credentials, and was not asked twice"),
        Column::NotSeen => "nobody looked on both sides of the answer".to_owned(),
    }
}

/// Whether credentials were refused, or whoever had shown them.
pub(super) const fn is_refused(look: Option<&Observation>) -> bool {
    match look {
        Some(look) => matches!(look.sight, Sight::Refused { .. } | Sight::Rejected { .. }),
        None => false,
    }
}

/// The expected bindings as the last look lists them.
fn latest<'a>(settled: &Settled<'a>, expected: &[&'a SeenBinding]) -> Vec<&'a SeenBinding> {
    let last = settled.sandwich.looks().rev().find_map(listed).unwrap_or_default();
    let listed: Vec<_> = last.iter().filter(|binding| expected.contains(binding)).collect();
    if listed.is_empty() { expected.to_vec() } else { listed }
}

/// Contacts with the seconds that they have left, and a verb that agrees.
pub(super) fn contacts(bindings: &[&SeenBinding]) -> String {
    let one = |binding: &&SeenBinding| match binding.expires_s {
        Some(seconds) => format!("{} ({seconds} s left)", shortened(&binding.contact)),
        None => shortened(&binding.contact),
    };
    let named: Vec<_> = bindings.iter().take(NAMED).map(one).collect();
    let more = match bindings.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if bindings.len() == 1 { "is" } else { "are" };
    format!("{}{more} {verb}", named.join(", "))
}

/// What a look that lists nothing got.
pub(super) fn reply(look: Option<&Observation>) -> String {
    match look.map(|look| &look.sight) {
        Some(Sight::Rejected { code, reason, .. } | Sight::ServerError { code, reason }) => {
            format!("{code} {reason}").trim_end().to_owned()
        }
        Some(Sight::Refused { code } | Sight::Challenged { code } | Sight::Alive { code }) => code.to_string(),
        Some(Sight::Silent { cause, detail, .. }) if detail.is_empty() => cause.name().replace('_', " "),
        Some(Sight::Silent { detail, .. } | Sight::NotReached { detail, .. }) => detail.trim_end_matches('.').to_owned(),
        Some(Sight::Bindings { .. }) => "200".to_owned(),
        Some(Sight::Reached { code, .. }) => code.map_or_else(|| "no reply".to_owned(), |code| code.to_string()),
        None => "nothing".to_owned(),
    }
}

fn change(settled: &Settled<'_>) -> String {
    let side = |look: Option<&Observation>| {
        let listed = look.and_then(listed).map(|bindings| bindings.iter().collect::<Vec<_>>());
        match listed {
            Some(bindings) if bindings.is_empty() => "nothing is bound".to_owned(),
            Some(bindings) => format!("{} bound", contacts(&bindings)),
            None => reply(look),
        }
    };
    let server = |look: Option<&Observation>| look.and_then(|look| look.server.clone());
    let (before, after) = (settled.sandwich.before, settled.sandwich.after);
    let moved = match (server(before), server(after)) {
        (Some(one), Some(other)) if one != other => format!(", and {other} answered instead of {one}"),
        (_, _) => String::new(),
    };
    format!("before it {}, after it {}{moved}", side(before), side(after))
}

fn end(settled: &Settled<'_>) -> String {
    let end = settled.sandwich.answer.expires_at;
    end.map_or_else(|| "a time that it does not name".to_owned(), |end| end.at.to_string())
}

fn last_sign(settled: &Settled<'_>) -> String {
    let answer = settled.sandwich.answer;
    let last = answer.refreshed_at.into_iter().chain(answer.updated_at).map(|time| time.at).max();
    last.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string())
}

/// What the other sources of the provider say.
pub(super) fn conflict(case: &Case<'_>, settled: &Settled<'_>) -> String {
    let others = contradicting(case, settled.sandwich.answer, settled.row);
    let says: Vec<_> = others
        .map(|other| format!("{} says {}", source(other.source), said(other)))
        .collect();
    says.join(" and ")
}

/// A source beside others of its provider.
fn source(source: SourceKind) -> String {
    match source {
        SourceKind::TelnyxUacStored => "the stored status of the connection".to_owned(),
        SourceKind::Bitrix24Stored => "the stored status of the line".to_owned(),
        SourceKind::TelnyxUac
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Bitrix24
        | SourceKind::Opensips
        | SourceKind::Kamailio
        | SourceKind::Freeswitch
        | SourceKind::Asterisk => format!("its {}", source.name()),
    }
}

/// Why an answer says nothing.
pub(super) fn trouble(answer: &Answer) -> String {
    match &answer.word {
        Word::Unknown(Unknown::SaysSo) => "it says itself that it does not know".to_owned(),
        Word::Unknown(Unknown::NewValue { field, value }) => format!("{field} is {value:?}, which no known contract has"),
        Word::Unknown(Unknown::SelfContradiction { one, other }) => format!("{one} contradicts {other}"),
        Word::Unknown(Unknown::WrongObject { field, asked, answered }) => format!("{field} is {answered:?}, and {asked:?} was asked for"),
        Word::Unknown(Unknown::Contract { problem }) => problem.clone(),
        Word::NotFound | Word::Unavailable(_) if !answer.raw.is_empty() => cut(answer.trouble()),
        Word::NotFound => "it knows no such registration".to_owned(),
        Word::Unavailable(trouble) => trouble.name().replace('_', " "),
        Word::NotRegistered
        | Word::Registering
        | Word::Authenticating
        | Word::Registered
        | Word::Timeout
        | Word::InternalError
        | Word::WrongCredentials
        | Word::RegistrarError { .. }
        | Word::Failed
        | Word::Unregistering
        | Word::Disabled
        | Word::Lapsed => said(answer),
    }
}

fn cut(text: &str) -> String {
    shortened(text.trim_end_matches('.'))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn expected_next(column: Column) -> &'static str {
    match column {
        Column::Refused(_) => "It will come to refused credentials.",
        Column::Rejected(_) => "It will come to a refusal by the registrar.",
        Column::Sick(_) => "It will come to a refusal by the registrar or to no reply.",
        Column::Silent => "It will come to no reply.",
        Column::Bound | Column::Others | Column::Unbound => "What comes of it is not known yet.",
        Column::Unusable
        | Column::NotSupported(_)
        | Column::Blocked(_)
        | Column::NoCredentials
        | Column::Hidden
        | Column::Unmatchable { .. }
        | Column::Moved
        | Column::Open
        | Column::NotSeen => "What comes of it cannot be seen.",
    }
}

fn lapses(settled: &Settled<'_>, now: Moment) -> String {
    match orphan_end(settled) {
        Some(end) if end > now => format!(", and it lapses at {end} unless somebody does"),
        Some(_) | None => String::new(),
    }
}

/// When the last of the expected bindings ends.
pub(super) fn orphan_end(settled: &Settled<'_>) -> Option<Moment> {
    let look = settled.sandwich.looks().rev().find(|look| listed(look).is_some())?;
    super::case::ends(&settled.view.expected, look).into_iter().max()
}

//! What every reason means, where it usually comes from, and what to do about it: for who looks a word up. What to do in the case at
//! hand is the verdict's `advice`. Text only.

use sip_registration::Explanation;

use super::Reason;

impl Reason {
    /// What the reason means, where it usually comes from, and what to do about it.
    #[must_use]
    pub const fn explanation(self) -> &'static Explanation {
        match self {
            Self::Registered => &REGISTERED,
            Self::Down => &DOWN,
            Self::RefreshInProgress => &REFRESH_IN_PROGRESS,
            Self::ReasonMatches => &REASON_MATCHES,
            Self::FalsePositiveUnbound => &FALSE_POSITIVE_UNBOUND,
            Self::Displaced => &DISPLACED,
            Self::FalseNegativeBound => &FALSE_NEGATIVE_BOUND,
            Self::ReasonMismatch => &REASON_MISMATCH,
            Self::CredentialsRejectedWhileRegistered => &CREDENTIALS_REJECTED_WHILE_REGISTERED,
            Self::RegistrarRejects => &REGISTRAR_REJECTS,
            Self::ExpiryMismatch => &EXPIRY_MISMATCH,
            Self::StuckInProgress => &STUCK_IN_PROGRESS,
            Self::UnreachableFromTwoVantages => &UNREACHABLE_FROM_TWO_VANTAGES,
            Self::ExpiredClaim => &EXPIRED_CLAIM,
            Self::NotRefreshed => &NOT_REFRESHED,
            Self::PayloadUnchanged => &PAYLOAD_UNCHANGED,
            Self::StoredFieldOutdated => &STORED_FIELD_OUTDATED,
            Self::RefreshRace => &REFRESH_RACE,
            Self::WithinGrace => &WITHIN_GRACE,
            Self::ApiUnreachable => &API_UNREACHABLE,
            Self::ApiAuth => &API_AUTH,
            Self::ApiRateLimited => &API_RATE_LIMITED,
            Self::ApiNotFound => &API_NOT_FOUND,
            Self::ApiGone => &API_GONE,
            Self::ApiContract => &API_CONTRACT,
            Self::ApiNewValue => &API_NEW_VALUE,
            Self::ApiSelfContradiction => &API_SELF_CONTRADICTION,
            Self::ApiWrongObject => &API_WRONG_OBJECT,
            Self::ApiUnknown => &API_UNKNOWN,
            Self::ApiInProgress => &API_IN_PROGRESS,
            Self::SourceConflict => &SOURCE_CONFLICT,
            Self::ProbeUnreachable => &PROBE_UNREACHABLE,
            Self::ProbeNoCredentials => &PROBE_NO_CREDENTIALS,
            Self::ProbeVantageBlocked => &PROBE_VANTAGE_BLOCKED,
            Self::RegistrarSick => &REGISTRAR_SICK,
            Self::FetchNotSupported => &FETCH_NOT_SUPPORTED,
            Self::RegistrarMayHideBindings => &REGISTRAR_MAY_HIDE_BINDINGS,
            Self::RegistrarOpen => &REGISTRAR_OPEN,
            Self::ContactUnmatchable => &CONTACT_UNMATCHABLE,
            Self::OrphanBinding => &ORPHAN_BINDING,
            Self::ClockSkew => &CLOCK_SKEW,
            Self::IdentityMismatch => &IDENTITY_MISMATCH,
        }
    }
}

const fn explained(reason: Reason, likely: &'static [&'static str], todo: &'static str) -> Explanation {
    Explanation {
        meaning: reason.meaning(),
        likely,
        todo,
    }
}

const REGISTERED: Explanation = explained(
    Reason::Registered,
    &["all is as it should be"],
    "Nothing, as far as the registration goes. Whether a call gets through is a fact of its own: `--check-inbound` shows it.",
);

const DOWN: Explanation = explained(
    Reason::Down,
    &[
        "the registration is switched off at the provider, or has expired there",
        "the provider tries and gets no answer, or a refusal",
        "the device that should register at the provider is off",
    ],
    "The claim is true and the line is down. Switch the registration on, or look at the provider's own last response for why it fails.",
);

const REFRESH_IN_PROGRESS: Explanation = explained(
    Reason::RefreshInProgress,
    &["the API was asked in the second in which the provider refreshes"],
    "Nothing. If it is seen often, the provider's refreshes take long: look at the round-trip time to the registrar.",
);

const REASON_MATCHES: Explanation = explained(
    Reason::ReasonMatches,
    &[
        "the password was changed at the registrar and is old in both places",
        "the account is disabled or deleted at the registrar",
        "the registrar, or the way to it, is down for everybody",
    ],
    "Begin at the registrar: what the provider reports is real. `regprobe probe` for the same account says more about the refusal.",
);

const FALSE_POSITIVE_UNBOUND: Explanation = explained(
    Reason::FalsePositiveUnbound,
    &[
        "the registrar restarted and lost its bindings, and the provider refreshes only when its old lifetime ends",
        "somebody removed the binding: an administrator, or a device that un-registers with Contact: *",
        "the provider's status is cached, or counts a stored configuration as registered",
        "the provider registers at another node or domain than the one that was asked",
    ],
    "No call arrives. Make the provider register anew, and look in the registrar's log for who removed the binding.",
);

const DISPLACED: Explanation = explained(
    Reason::Displaced,
    &[
        "another device uses the same account, at a registrar that keeps one Contact for each",
        "a session border controller rewrites Contacts, and the marks name what was there before it",
        "the provider moved to another address since its Contact was marked",
    ],
    "Find the device by the Contact that is bound and give it an account of its own. If the Contact is the provider's after all, mark it with --expect-host or --expect-user.",
);

const FALSE_NEGATIVE_BOUND: Explanation = explained(
    Reason::FalseNegativeBound,
    &[
        "the provider shows a stored status and not a live one",
        "the worker that registers and the one that reports are not the same",
        "the provider took a late or lost reply for a failure",
    ],
    "Do not restart what works. Take this status out of alarms, and show the provider the report.",
);

const REASON_MISMATCH: Explanation = explained(
    Reason::ReasonMismatch,
    &[
        "the password at the provider is another one than the probe's, or ends in a blank or line break",
        "the provider's address is blocked by an access list or fail2ban, and the probe's is not",
        "the provider sends to another host, port or transport than the probe",
    ],
    "Compare user, password, domain, port and source address of the provider with those of the probe: one of them differs.",
);

const CREDENTIALS_REJECTED_WHILE_REGISTERED: Explanation = explained(
    Reason::CredentialsRejectedWhileRegistered,
    &[
        "the password was changed at the registrar, and the provider's binding is left from before",
        "the probe was given another password than the provider has",
        "the registrar bans the probe for earlier failures and answers as to a wrong password",
    ],
    "Set the new password at the provider before its next refresh, or the line goes down. If only the probe's password is wrong, correct it or say --other-secret.",
);

const REGISTRAR_REJECTS: Explanation = explained(
    Reason::RegistrarRejects,
    &[
        "the account was disabled, deleted or renamed at the registrar",
        "the account belongs to another domain than the AOR says",
        "the registrar permits the account from the provider's address only",
    ],
    "Look at the account in the registrar. What is still bound ends with its next refresh.",
);

const EXPIRY_MISMATCH: Explanation = explained(
    Reason::ExpiryMismatch,
    &[
        "the provider shows what it asked for, and the registrar granted less",
        "the provider shows the time of its next refresh as the end",
        "the registrar has another binding of the same device, older or newer",
    ],
    "Go by the registrar's end; compute nothing from the provider's.",
);

const STUCK_IN_PROGRESS: Explanation = explained(
    Reason::StuckInProgress,
    &[
        "its REGISTER, or the answer, is lost on the way: firewall, NAT, large UDP packets",
        "the worker that registers has died, and its last state stands",
        "the registrar challenges again and again, and the provider never gives up",
    ],
    "Look in the registrar's log whether the provider's REGISTER arrives, from which address, and what it is answered.",
);

const UNREACHABLE_FROM_TWO_VANTAGES: Explanation = explained(
    Reason::UnreachableFromTwoVantages,
    &[
        "the registrar is down, or its network is",
        "its address or port has changed, and DNS does not say so yet",
    ],
    "Look at the registrar itself, from its own network first. The provider will notice when its refresh fails.",
);

const EXPIRED_CLAIM: Explanation = explained(
    Reason::ExpiredClaim,
    &[
        "the provider stopped refreshing and did not update its status",
        "the status is a cached copy of an answer of before",
    ],
    "Do not rely on this status. What the registrar shows beside it counts; make the provider register anew when nothing is bound.",
);

const NOT_REFRESHED: Explanation = explained(
    Reason::NotRefreshed,
    &[
        "the worker that registers is gone, and its record is left",
        "the provider writes the time of a change, and not that of the last look",
    ],
    "Make the provider register anew, and see whether its time moves. If it does not although the binding is refreshed, the time is no sign of life.",
);

const PAYLOAD_UNCHANGED: Explanation = explained(
    Reason::PayloadUnchanged,
    &[
        "the API answers from a cache",
        "the refresh was another client's with the same Contact",
    ],
    "Treat the provider's data as old until they change; its support can say what feeds them.",
);

const STORED_FIELD_OUTDATED: Explanation = explained(
    Reason::StoredFieldOutdated,
    &[
        "the field is written when the object is made or checked, and not when it registers",
        "the job that updates it runs seldom, or has failed",
    ],
    "Read the provider's live status instead; do not show or alarm on the stored field.",
);

const REFRESH_RACE: Explanation = explained(
    Reason::RefreshRace,
    &[
        "a device registered, refreshed or left in that very moment",
        "two devices throw each other out of one account",
        "a cluster answers from one node and then from another",
    ],
    "Look again in a minute. If it is so at every look, compare the Contacts of the report: two devices share the account, or --every-target shows nodes that differ.",
);

const WITHIN_GRACE: Explanation = explained(
    Reason::WithinGrace,
    &[
        "the first look was the only one: it was interrupted, or the second one saw nothing",
        "the provider reports with a delay, and the registration changed just now",
    ],
    "Look again when the grace is over; if it is the same then, it is a disagreement.",
);

const API_UNREACHABLE: Explanation = explained(
    Reason::ApiUnreachable,
    &[
        "the provider has an outage, or takes longer than --api-timeout",
        "a proxy, firewall or name server stands between here and the API",
        "--api-url names the wrong place, or a certificate that is not trusted (--api-ca-file)",
    ],
    "Ask the API directly with `regprobe providers` from the same machine: it says at which step that fails.",
);

const API_AUTH: Explanation = explained(
    Reason::ApiAuth,
    &[
        "the key was revoked, has expired, or was copied in part",
        "the key belongs to another account or environment",
        "the key lacks the right for this call: a scope, a role, a paid plan",
    ],
    "Make a new key with the rights that docs/verify.md names for the provider, and put it into the variable or file that was read.",
);

const API_RATE_LIMITED: Explanation = explained(
    Reason::ApiRateLimited,
    &[
        "checks run too often, or many with one key at once",
        "another tool polls with the same key",
    ],
    "Check less often, with fewer --jobs, or with a key of its own.",
);

const API_NOT_FOUND: Explanation = explained(
    Reason::ApiNotFound,
    &[
        "the identifier is mistyped, or is that of another kind of object",
        "the object was deleted",
        "the key is of another account than the object",
    ],
    "Take the identifier from the provider's own list: `regprobe providers` shows it for most.",
);

const API_GONE: Explanation = explained(
    Reason::ApiGone,
    &["the provider has announced the end of this call, and it has come"],
    "Look for a newer version of regprobe, and read the provider's announcements for what takes its place.",
);

const API_CONTRACT: Explanation = explained(
    Reason::ApiContract,
    &[
        "the provider has changed its API",
        "something in between answers in its place: a proxy, a login page, a captive portal",
        "--api-url names something else than this API",
    ],
    "Read the raw answer in the report (--output json). If it is the provider's, look for a newer version of regprobe or report it.",
);

const API_NEW_VALUE: Explanation = explained(
    Reason::ApiNewValue,
    &[
        "the provider has added a state since this version was made",
        "a build of the provider's software uses words of its own",
    ],
    "Look for a newer version of regprobe, or report the word with what it means.",
);

const API_SELF_CONTRADICTION: Explanation = explained(
    Reason::ApiSelfContradiction,
    &[
        "the fields come from different places, and one of them lags behind",
        "the answer was put together while the state changed",
    ],
    "Ask again. If it stays, show the provider the raw answer, and trust neither field.",
);

const API_WRONG_OBJECT: Explanation = explained(
    Reason::ApiWrongObject,
    &[
        "a cache in front of the API mixes answers up",
        "the identifier is matched in part, or without regard to case",
    ],
    "Use nothing of this answer. Write the identifier exactly as the provider lists it, and ask again.",
);

const API_UNKNOWN: Explanation = explained(
    Reason::ApiUnknown,
    &[
        "the provider has not looked yet, such as just after the object was made",
        "the provider's own source of the status is out of order",
    ],
    "Ask again later; until then the wire alone says how it is: `regprobe bindings`.",
);

const API_IN_PROGRESS: Explanation = explained(
    Reason::ApiInProgress,
    &[
        "it was switched on, changed or restarted just now",
        "the registrar does not answer, or refuses, and the provider is still trying",
    ],
    "Look again in a minute. What the registrar told the probe is what the provider will come to.",
);

const SOURCE_CONFLICT: Explanation = explained(
    Reason::SourceConflict,
    &[
        "one of them is stored and old, the other live",
        "the registration changed between the two questions",
    ],
    "Give the probe what it needs to see the bindings, such as the password: then the wire decides between the two.",
);

const PROBE_UNREACHABLE: Explanation = explained(
    Reason::ProbeUnreachable,
    &[
        "the registrar is not reached from where the probe stands: firewall, VPN, private address",
        "host, port or transport are not those that the provider uses",
        "the registrar is down",
    ],
    "Run `regprobe probe` for the account from the same machine: it says at which step it fails. Nothing is proved until then.",
);

const PROBE_NO_CREDENTIALS: Explanation = explained(
    Reason::ProbeNoCredentials,
    &[
        "neither REGPROBE_PASSWORD nor --password-file is set",
        "the file of checks names no password_env or password_file for this check",
    ],
    "Give the probe the SIP password of the account. No API tells it, so it has to come from you.",
);

const PROBE_VANTAGE_BLOCKED: Explanation = explained(
    Reason::ProbeVantageBlocked,
    &[
        "the registrar takes REGISTER from the provider's addresses only",
        "fail2ban or a rate limit has banned the probe's address",
    ],
    "Probe from an address that is permitted, or have this one permitted. What the provider gets to hear cannot be seen from here.",
);

const REGISTRAR_SICK: Explanation = explained(
    Reason::RegistrarSick,
    &[
        "its database or its authentication service is out of order",
        "it is overloaded, starting, or in maintenance",
    ],
    "Look at the registrar and its log; verify again when it answers.",
);

const FETCH_NOT_SUPPORTED: Explanation = explained(
    Reason::FetchNotSupported,
    &[
        "the registrar is told not to say who is bound (FreeSWITCH: reg-deny-binding-fetch-and-no-lookup)",
        "a session border controller in front takes no REGISTER without a Contact",
        "it redirects elsewhere (3xx)",
    ],
    "Ask the registrar in its own administration, or verify with --mode register where a Contact of our own does no harm.",
);

const REGISTRAR_MAY_HIDE_BINDINGS: Explanation = explained(
    Reason::RegistrarMayHideBindings,
    &[
        "nothing is bound, and the registrar's product is not known to list what is",
        "an OpenSIPS lists only the Contacts that a request brings along (only-request-contacts)",
    ],
    "Say --assume-listing if you know that it lists bindings; --mode register finds that out.",
);

const REGISTRAR_OPEN: Explanation = explained(
    Reason::RegistrarOpen,
    &[
        "the registrar trusts the probe's network and asks nobody there for credentials",
        "the account, or the whole registrar, has no password",
    ],
    "Have it ask for credentials. It is not asked again, since some take even a fetch for a registration then.",
);

const CONTACT_UNMATCHABLE: Explanation = explained(
    Reason::ContactUnmatchable,
    &[
        "the API names neither Contact nor time, and no mark was given",
        "a session border controller or NAT helper has rewritten the Contact",
    ],
    "Mark the provider's Contacts once, with --expect-host, --expect-user or --expect-instance; from then on it is told apart.",
);

const ORPHAN_BINDING: Explanation = explained(
    Reason::OrphanBinding,
    &[
        "the provider stopped without un-registering, and its binding lapses by itself",
        "the provider is alive, and its next refresh is still to come",
    ],
    "Look again after the end of the binding: if it is gone, the provider was right; if it was refreshed, it was wrong.",
);

const CLOCK_SKEW: Explanation = explained(
    Reason::ClockSkew,
    &[
        "the clock of this machine is not set by NTP",
        "the provider's clock, or that of a cache in front of its API, is wrong",
    ],
    "Set the clock here. If it is right, mark the provider's Contact, so that no times have to be compared.",
);

const IDENTITY_MISMATCH: Explanation = explained(
    Reason::IdentityMismatch,
    &[
        "--aor names another account than the one that the provider registers",
        "the user name for authentication was taken for the user of the AOR, or the other way round",
        "the identifier is that of another connection or line",
    ],
    "Leave --aor out where the API says it, or correct it; the report shows both users.",
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_explained_in_sentences_of_its_own() {
        let mut remedies = BTreeSet::new();
        for &reason in Reason::ALL {
            let name = reason.name();
            let Explanation { meaning, likely, todo } = reason.explanation();
            assert_eq!(*meaning, reason.meaning(), "{name}: another reason's text");
            assert!((1..=5).contains(&likely.len()), "{name}: {} likely causes", likely.len());
            assert!(
                likely.iter().all(|cause| !cause.is_empty() && !cause.ends_with('.')),
                "{name}: likely causes are fragments"
            );
            assert!(todo.ends_with('.'), "{name}: sentences end in a full stop");
            assert!(remedies.insert(todo), "{name}: its remedy is also another reason's");
        }
    }

    #[test]
    fn texts_are_plain_ascii_lines_without_doubled_blanks() {
        for &reason in Reason::ALL {
            let Explanation { meaning, likely, todo } = reason.explanation();
            for text in [meaning, todo].into_iter().chain(likely.iter()) {
                let plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
                assert!(plain && !text.contains("  ") && text.trim() == *text, "{}: {text:?}", reason.name());
            }
        }
    }
}

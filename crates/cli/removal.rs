//! `regprobe unregister` without an address: which of the bindings that a registrar lists were left by a probe from this machine,
//! and how the exchanges that this takes become one report. Pure; `run` does the exchanges.
//!
//! A probe's Contact has the AOR's user at the local address, with a port that may differ from run to run (another one was busy, or it
//! was TCP's), so its own binding cannot be named in advance: it has to be found among those that are there (RFC 3261 §10.2.3, then
//! §10.2.2).

use std::cmp::Reverse;
use std::str::FromStr as _;

use sip_message::{Host, OwnedUri};
use sip_registration::{Account, Arrow, LadderStep, OtherBinding, PhasesReport, Report};

use crate::identity;
use crate::output::text::counted;

/// At most this many bindings are removed in one run.
pub(crate) const LIMIT: usize = 32;

/// The bindings that a probe of this account from this machine has left: those with its instance, and those of its user at the
/// address that it sends from, shows, or is seen at.
pub(crate) fn left_by_us(account: &Account, fetched: &Report) -> Vec<OwnedUri> {
    let hosts = own_hosts(account, fetched);
    let instances = [account.instance.clone(), Some(identity::derived_instance(&account.aor))];
    let is_ours =
        |binding: &&OtherBinding| has_instance(binding, &instances) || is_at(binding, &identity::contact_user(&account.aor), &hosts);
    let ours = fetched.other_bindings.iter().filter(is_ours);
    ours.filter_map(|binding| OwnedUri::from_str(&binding.contact).ok())
        .take(LIMIT)
        .collect()
}

fn has_instance(binding: &OtherBinding, instances: &[Option<std::sync::Arc<str>>]) -> bool {
    let Some(instance) = &binding.instance else { return false };
    let bare = instance.trim_matches(['"', '<', '>']);
    instances.iter().flatten().any(|ours| ours.eq_ignore_ascii_case(bare))
}

fn is_at(binding: &OtherBinding, user: &str, hosts: &[String]) -> bool {
    let Ok(uri) = OwnedUri::from_str(&binding.contact) else {
        return false;
    };
    let parts = uri.parts();
    parts.user == Some(user.as_bytes())
        && hosts
            .iter()
            .any(|host| Host::parse(host.as_bytes()).is_some_and(|host| host == parts.host))
}

/// The hosts under which this machine's Contact can be listed.
fn own_hosts(account: &Account, fetched: &Report) -> Vec<String> {
    let advertised = account.advertise.as_ref().map(|shown| shown.host.to_string());
    let seen = [&fetched.network.local, &fetched.network.seen_as];
    let seen = seen.into_iter().flatten().map(|address| without_port(address).to_owned());
    advertised.into_iter().chain(seen).collect()
}

/// `192.0.2.7:5060` and `[2001:db8::7]:5060` without their port.
fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        Some(_) | None => address,
    }
}

/// The report when nothing of ours is bound: there was nothing to remove, and so nothing was sent but the question.
pub(crate) fn nothing_to_remove(fetched: Report) -> Report {
    let others = match fetched.other_bindings.len() {
        0 => "the account has no binding".to_owned(),
        1 => "the account's one binding was not made by a probe from this machine and stays".to_owned(),
        count => format!("none of the account's {count} bindings was made by a probe from this machine; they stay"),
    };
    Report {
        goal: "unregister",
        detail: format!("nothing to remove: {others}"),
        ..fetched
    }
}

/// What to say after this many removals.
pub(crate) fn removed(count: usize) -> String {
    let bindings = counted(count, "binding");
    format!("{bindings} of this machine {} removed", if count == 1 { "is" } else { "are" })
}

/// A question or removals, and then the removal of `contact`, as one report: it ends as the last exchange did, and has the steps,
/// messages, findings and counts of all.
pub(crate) fn joined(before: Report, contact: &OwnedUri, after: Report) -> Report {
    let shift = before.phases_ms.total.unwrap_or_default();
    let between = LadderStep {
        at_ms: shift,
        arrow: Arrow::Local,
        what: "removing a binding".to_owned(),
        note: contact.to_string(),
    };
    let later = after.ladder.into_iter().map(|mut step| {
        step.at_ms += shift;
        step
    });
    let transcript = match (before.transcript, after.transcript) {
        (Some(first), Some(second)) => {
            let later = second.into_iter().map(|mut entry| {
                entry.at_ms += shift;
                entry
            });
            Some(first.into_iter().chain(later).collect())
        }
        (first, second) => first.or(second),
    };
    let mut findings = before.findings;
    for finding in after.findings {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| Reverse(finding.severity));
    Report {
        started_at: before.started_at,
        ladder: before.ladder.into_iter().chain([between]).chain(later).collect(),
        transcript,
        findings,
        phases_ms: PhasesReport {
            dns: before.phases_ms.dns,
            total: after.phases_ms.total.map(|total| total + shift),
            ..after.phases_ms
        },
        requests: before.requests + after.requests,
        retransmissions: before.retransmissions + after.retransmissions,
        ..after
    }
}

#[cfg(test)]
mod tests {
    use sip_registration::{Cause, ContactPlan, Finding, FindingId, Severity, State};

    use super::*;
    use crate::output::samples::{bound, failed, registered, step};

    fn account() -> Account {
        let aor: OwnedUri = "sip:alice@example.test".parse().unwrap();
        Account {
            contact: ContactPlan::Automatic { user: "alice".into() },
            registrar: "sip:example.test".parse().unwrap(),
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
            expires: 300,
            user_agent: "x".into(),
        }
    }

    /// A report whose local address is 127.0.0.1:40112.
    fn fetched(contacts: &[&str]) -> Report {
        Report {
            goal: "fetch",
            other_bindings: contacts.iter().map(|contact| bound(contact, None)).collect(),
            ..registered()
        }
    }

    fn ours(account: &Account, report: &Report) -> Vec<String> {
        left_by_us(account, report).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ours_are_those_of_our_user_at_our_address_whatever_the_port() {
        let report = fetched(&[
            "sip:alice@127.0.0.1:1",
            "sip:alice@127.0.0.1:2;transport=tcp",
            "sip:alice@127.0.0.2:1",
            "sip:bob@127.0.0.1:1",
            "tel:1",
        ]);
        assert_eq!(
            ours(&account(), &report),
            ["sip:alice@127.0.0.1:1", "sip:alice@127.0.0.1:2;transport=tcp"]
        );
    }

    #[test]
    fn behind_a_nat_or_an_advertised_address_ours_are_found_too() {
        let mut report = fetched(&[
            "sip:alice@198.51.100.7:9",
            "sip:alice@phone.example:5060",
            "sip:alice@[2001:db8::7]:5060",
        ]);
        report.network.seen_as = Some("198.51.100.7:1024".into());
        report.network.local = Some("[2001:db8::7]:40112".into());
        let mut account = account();
        account.advertise = Some(sip_registration::Advertised {
            host: "PHONE.example".into(),
            port: None,
        });
        assert_eq!(ours(&account, &report).len(), 3);
    }

    #[test]
    fn an_instance_of_ours_is_ours_anywhere() {
        let mut report = fetched(&["sip:x@203.0.113.1", "sip:y@203.0.113.2", "sip:z@203.0.113.3"]);
        report.other_bindings[0].instance = Some(format!("\"<{}>\"", identity::derived_instance(&account().aor)));
        report.other_bindings[1].instance = Some("urn:uuid:somebody-elses".into());
        assert_eq!(ours(&account(), &report), ["sip:x@203.0.113.1"]);
    }

    #[test]
    fn what_stays_is_said() {
        let detail = |contacts: &[&str]| nothing_to_remove(fetched(contacts)).detail;
        assert_eq!(detail(&[]), "nothing to remove: the account has no binding");
        assert!(detail(&["sip:b@h"]).contains("one binding"));
        assert!(detail(&["sip:b@h", "sip:c@h"]).contains("2 bindings"));
        assert_eq!(nothing_to_remove(fetched(&[])).goal, "unregister");
    }

    #[test]
    fn two_exchanges_become_one_report_that_ends_as_the_second() {
        let finding = |id| Finding {
            id,
            severity: Severity::Warning,
            message: String::new(),
            advice: String::new(),
        };
        let mut before = registered();
        before.findings = vec![finding(FindingId::WeakDigest)];
        let mut after = failed(Cause::NoReply);
        after.findings = vec![finding(FindingId::WeakDigest), finding(FindingId::LateReply)];
        after.ladder = vec![step(0.5, Arrow::Sent, "REGISTER 4", "")];
        let report = joined(before, &"sip:alice@127.0.0.1:1".parse().unwrap(), after);
        assert_eq!(
            (report.state, report.cause, report.requests),
            (State::RegisterTimeout, Some(Cause::NoReply), 6)
        );
        assert_eq!(report.ladder.last().unwrap().at_ms, 3.1);
        assert_eq!((report.ladder.len(), report.findings.len()), (7, 2));
        assert_eq!(report.ladder.get(5).unwrap().note, "sip:alice@127.0.0.1:1");
        assert_eq!(
            (removed(1).as_str(), removed(2).as_str()),
            ("1 binding of this machine is removed", "2 bindings of this machine are removed")
        );
        assert_eq!(report.phases_ms.total, Some(2.6 + 3.2));
    }
}

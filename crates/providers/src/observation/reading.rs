//! From a probe's report to an observation. The report says what happened to a request; the observation says what that shows about
//! the registrar's table (RFC 3261 §10.2.3, §11). Pure.

use std::time::Duration;

use sip_message::printable;
use sip_registration::{Cause, OtherBinding, Report};

use super::{Observation, Question, SeenBinding, Sight};
use crate::Moment;

impl Observation {
    /// What a probe showed that asked `question`.
    ///
    /// `own_contact` is the Contact of our own that is or was bound at this AOR, whatever this report is about; where the report
    /// itself confirms one, it is known from there. The times are the report's own: an observation ends before the removal of a
    /// binding begins. Never fails: what shows nothing is [`Sight::Silent`].
    #[must_use]
    pub fn of(question: Question, report: &Report, own_contact: Option<&str>) -> Self {
        let started_at = Moment::from(report.started_at);
        let took = report.phases_ms.total.unwrap_or_default() - report.phases_ms.removal.unwrap_or_default();
        let confirmed = report.binding.as_ref().map(|binding| binding.contact.clone());
        Self {
            started_at,
            ended_at: started_at.after(Duration::try_from_secs_f64(took / 1000.0).unwrap_or_default()),
            question,
            vantage: None,
            server: report.network.server.clone(),
            product: report.server_product.clone(),
            own_contact: confirmed.or_else(|| own_contact.map(|contact| printable(contact.as_bytes()))),
            sight: match question {
                Question::Fetch | Question::Register | Question::Unregister => of_register(report),
                Question::Ping => of_ping(report),
                Question::Inbound => of_inbound(report),
            },
        }
    }

    /// The same, and the request was seen to arrive at our own Contact. That counts more than any reply.
    #[must_use]
    pub fn arrived(mut self) -> Self {
        let code = match self.sight {
            Sight::Reached { code, .. } | Sight::NotReached { code, .. } => code,
            Sight::Bindings { .. }
            | Sight::Challenged { .. }
            | Sight::Refused { .. }
            | Sight::Rejected { .. }
            | Sight::ServerError { .. }
            | Sight::Silent { .. }
            | Sight::Alive { .. } => None,
        };
        self.sight = Sight::Reached {
            code,
            at_our_contact: true,
        };
        self
    }
}

fn of_register(report: &Report) -> Sight {
    let Some(cause) = report.cause else {
        // An exchange that was interrupted has no cause either, and no 2xx.
        return match code(report) {
            Some(200..=299) => bindings(report),
            Some(_) | None => silent(report, Cause::NoReply),
        };
    };
    match cause {
        // A 2xx all the same, and what it lists is what is bound.
        Cause::BindingNotConfirmed | Cause::GrantedZero => bindings(report),
        Cause::CredentialsMissing => Sight::Challenged {
            code: challenge_code(report),
        },
        Cause::WrongCredentials | Cause::RejectedWithoutChallenge => Sight::Refused {
            code: challenge_code(report),
        },
        Cause::Redirected => rejected(report, 300..=399, 302),
        Cause::Forbidden => rejected(report, 403..=403, 403),
        Cause::UnknownUser => rejected(report, 404..=404, 404),
        Cause::IntervalTooBrief => rejected(report, 423..=423, 423),
        Cause::Rejected => rejected(report, 400..=499, 400),
        Cause::GlobalFailure => rejected(report, 600..=699, 600),
        Cause::Overloaded => server_error(report, 503),
        Cause::ServerError => server_error(report, 500),
        // RFC 3261 §21.4.9: a 408 is a proxy's word for silence behind it. After `stale` for ever the password was never judged.
        Cause::Replied408
        | Cause::StaleLoop
        | Cause::MalformedChallenge
        | Cause::UnsupportedAlgorithm
        | Cause::RealmMismatch
        | Cause::DigestTooWeak
        | Cause::NoReply
        | Cause::OnlyProvisional
        | Cause::DnsNotFound
        | Cause::DnsFailed
        | Cause::Unreachable
        | Cause::ConnectionRefused
        | Cause::ConnectTimeout
        | Cause::ConnectionLost
        | Cause::TlsHandshake
        | Cause::CertificateExpired
        | Cause::CertificateUntrusted
        | Cause::CertificateNameMismatch
        | Cause::MalformedReply
        | Cause::ServerNotAuthenticated => silent(report, cause),
    }
}

/// Whatever answers, somebody is there (RFC 3261 §11.2).
fn of_ping(report: &Report) -> Sight {
    code(report).map_or_else(
        || silent(report, report.cause.unwrap_or(Cause::NoReply)),
        |code| Sight::Alive { code },
    )
}

/// RFC 3261 §11.2: OPTIONS is answered as an INVITE would be. A 2xx comes from whoever is bound, and so do the ways to decline; a
/// proxy on the way says neither.
fn of_inbound(report: &Report) -> Sight {
    match code(report) {
        Some(code @ (200..=299 | 486 | 488 | 600 | 603 | 606)) => Sight::Reached {
            code: Some(code),
            at_our_contact: false,
        },
        code @ (Some(_) | None) => Sight::NotReached {
            code,
            detail: report.detail.clone(),
        },
    }
}

fn bindings(report: &Report) -> Sight {
    let own = report.binding.iter().map(|binding| SeenBinding {
        contact: binding.contact.clone(),
        expires_s: Some(binding.expires_s),
        instance: None,
    });
    Sight::Bindings {
        bindings: own.chain(report.other_bindings.iter().map(seen)).collect(),
        challenged: report.auth.challenged || answered_a_challenge(report),
    }
}

fn seen(binding: &OtherBinding) -> SeenBinding {
    SeenBinding {
        contact: binding.contact.clone(),
        expires_s: binding.expires_s,
        instance: binding.instance.clone(),
    }
}

fn rejected(report: &Report, fitting: std::ops::RangeInclusive<u16>, otherwise: u16) -> Sight {
    let (code, reason) = fitting_reply(report, fitting, otherwise);
    Sight::Rejected {
        code,
        reason,
        authenticated: answered_a_challenge(report),
    }
}

fn server_error(report: &Report, otherwise: u16) -> Sight {
    let (code, reason) = fitting_reply(report, 500..=599, otherwise);
    Sight::ServerError { code, reason }
}

fn silent(report: &Report, cause: Cause) -> Sight {
    Sight::Silent {
        cause,
        detail: report.detail.clone(),
        answered: report.last_response.is_some(),
    }
}

/// The last reply, when it is of the kind that the cause speaks of. After several targets the two need not belong together.
fn fitting_reply(report: &Report, fitting: std::ops::RangeInclusive<u16>, otherwise: u16) -> (u16, String) {
    report
        .last_response
        .as_ref()
        .filter(|response| fitting.contains(&response.code))
        .map_or((otherwise, String::new()), |response| (response.code, response.reason.clone()))
}

fn challenge_code(report: &Report) -> u16 {
    code(report).filter(|code| matches!(code, 401 | 407)).unwrap_or(401)
}

fn code(report: &Report) -> Option<u16> {
    report.last_response.as_ref().map(|response| response.code)
}

const fn answered_a_challenge(report: &Report) -> bool {
    report.auth.algorithm.is_some()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use sip_registration::{AuthReport, BindingReport, LastResponse, NetworkReport, PhasesReport, Removal, Report, SCHEMA, State};

    use super::*;

    fn report(cause: Option<Cause>, code: Option<u16>) -> Report {
        Report {
            schema: SCHEMA,
            goal: "fetch",
            aor: "sip:alice@example.test".into(),
            registrar: "sip:example.test".into(),
            outbound_proxy: None,
            transport: Some("udp"),
            started_at: Timestamp::from_second(1_780_000_000).unwrap(),
            state: State::NotRegistered,
            state_code: 0,
            registered: false,
            cause,
            detail: "what happened".into(),
            advice: None,
            last_response: code.map(|code| LastResponse {
                code,
                reason: "Reason".into(),
            }),
            opensips_state: State::NotRegistered,
            binding: None,
            may_be_bound_until: None,
            other_bindings: vec![],
            auth: AuthReport::default(),
            network: NetworkReport {
                server: Some("192.0.2.1:5060".into()),
                ..NetworkReport::default()
            },
            tls: None,
            phases_ms: PhasesReport {
                total: Some(1500.0),
                removal: Some(500.0),
                ..PhasesReport::default()
            },
            requests: 2,
            retransmissions: 0,
            retry_after_s: None,
            server_product: Some("regprobe".into()),
            findings: vec![],
            transcript: None,
            ladder: vec![],
        }
    }

    fn answering(mut report: Report) -> Report {
        report.auth.challenged = true;
        report.auth.algorithm = Some("SHA-256".into());
        report
    }

    fn fetch(report: &Report) -> Sight {
        Observation::of(Question::Fetch, report, None).sight
    }

    fn listed(contact: &str) -> OtherBinding {
        OtherBinding {
            contact: contact.into(),
            expires_s: Some(30),
            q: None,
            instance: Some("<urn:uuid:1>".into()),
        }
    }

    #[test]
    fn a_fetch_shows_what_is_bound_when_it_ended() {
        let mut report = answering(report(None, Some(200)));
        report.other_bindings = vec![listed("sip:a@192.0.2.7")];
        let seen = Observation::of(Question::Fetch, &report, Some("sip:probe@192.0.2.9"));
        assert_eq!(seen.ended_at.since(seen.started_at).as_millis(), 1000);
        assert_eq!(
            (seen.server.as_deref(), seen.product.as_deref()),
            (Some("192.0.2.1:5060"), Some("regprobe"))
        );
        assert_eq!(seen.own_contact.as_deref(), Some("sip:probe@192.0.2.9"));
        let bindings = vec![SeenBinding {
            contact: "sip:a@192.0.2.7".into(),
            expires_s: Some(30),
            instance: Some("<urn:uuid:1>".into()),
        }];
        assert_eq!(
            seen.sight,
            Sight::Bindings {
                bindings,
                challenged: true
            }
        );
    }

    #[test]
    fn a_registration_of_ours_is_listed_and_known_for_our_own() {
        let mut report = answering(report(None, Some(200)));
        report.binding = Some(BindingReport {
            contact: "sip:probe@203.0.113.4".into(),
            expires_s: 60,
            valid_until: Timestamp::from_second(1_780_000_060).unwrap(),
            removal: Removal::Confirmed,
        });
        report.other_bindings = vec![listed("sip:a@192.0.2.7")];
        let seen = Observation::of(Question::Register, &report, Some("sip:probe@10.0.0.1"));
        assert_eq!(seen.own_contact.as_deref(), Some("sip:probe@203.0.113.4"));
        let Sight::Bindings { bindings, .. } = seen.sight else {
            panic!("{:?}", seen.sight)
        };
        let contacts: Vec<_> = bindings.iter().map(|binding| binding.contact.as_str()).collect();
        assert_eq!(contacts, ["sip:probe@203.0.113.4", "sip:a@192.0.2.7"]);
    }

    #[test]
    fn a_registrar_that_asks_nobody_for_credentials_is_seen_to_be_open() {
        assert_eq!(
            fetch(&report(None, Some(200))),
            Sight::Bindings {
                bindings: vec![],
                challenged: false
            }
        );
    }

    #[test]
    fn an_interrupted_exchange_shows_nothing() {
        for code in [None, Some(401)] {
            assert!(
                matches!(fetch(&report(None, code)), Sight::Silent { cause: Cause::NoReply, answered, .. } if answered == code.is_some())
            );
        }
    }

    #[test]
    fn every_cause_shows_what_it_says_about_the_registrar() {
        let reason = || "Reason".to_owned();
        let rejected = |code| Sight::Rejected {
            code,
            reason: reason(),
            authenticated: true,
        };
        for cause in Cause::ALL {
            let code = match cause {
                Cause::BindingNotConfirmed | Cause::GrantedZero | Cause::ServerNotAuthenticated => Some(200),
                Cause::Redirected => Some(301),
                Cause::CredentialsMissing | Cause::WrongCredentials | Cause::RejectedWithoutChallenge => Some(407),
                Cause::Forbidden => Some(403),
                Cause::UnknownUser => Some(404),
                Cause::IntervalTooBrief => Some(423),
                Cause::Rejected => Some(405),
                Cause::Replied408 => Some(408),
                Cause::Overloaded => Some(503),
                Cause::ServerError => Some(501),
                Cause::GlobalFailure => Some(603),
                _ => None,
            };
            let expected = match (cause, code) {
                (Cause::BindingNotConfirmed | Cause::GrantedZero, _) => Sight::Bindings {
                    bindings: vec![],
                    challenged: true,
                },
                (Cause::CredentialsMissing, _) => Sight::Challenged { code: 407 },
                (Cause::WrongCredentials | Cause::RejectedWithoutChallenge, _) => Sight::Refused { code: 407 },
                (Cause::Overloaded | Cause::ServerError, Some(code)) => Sight::ServerError { code, reason: reason() },
                (Cause::Replied408 | Cause::ServerNotAuthenticated, _) | (_, None) => Sight::Silent {
                    cause,
                    detail: "what happened".into(),
                    answered: code.is_some(),
                },
                (_, Some(code)) => rejected(code),
            };
            assert_eq!(fetch(&answering(report(Some(cause), code))), expected, "{cause}");
        }
    }

    #[test]
    fn a_reply_of_another_target_is_not_taken_for_the_refusal() {
        let sight = fetch(&report(Some(Cause::Forbidden), Some(503)));
        assert_eq!(
            sight,
            Sight::Rejected {
                code: 403,
                reason: String::new(),
                authenticated: false
            }
        );
        let sight = fetch(&report(Some(Cause::Redirected), Some(401)));
        assert_eq!(
            sight,
            Sight::Rejected {
                code: 302,
                reason: String::new(),
                authenticated: false
            }
        );
    }

    #[test]
    fn any_reply_to_a_ping_is_a_sign_of_life() {
        let ping = |cause, code| Observation::of(Question::Ping, &report(cause, code), None).sight;
        assert_eq!(ping(None, Some(404)), Sight::Alive { code: 404 });
        assert_eq!(ping(Some(Cause::Overloaded), Some(503)), Sight::Alive { code: 503 });
        assert!(matches!(
            ping(Some(Cause::NoReply), None),
            Sight::Silent { cause: Cause::NoReply, .. }
        ));
        assert!(matches!(ping(None, None), Sight::Silent { .. }));
    }

    #[test]
    fn options_to_the_aor_is_answered_by_the_bound_or_by_a_proxy() {
        let inbound = |cause, code| Observation::of(Question::Inbound, &report(cause, code), None);
        let reached = |code, at_our_contact| Sight::Reached { code, at_our_contact };
        assert_eq!(inbound(None, Some(200)).sight, reached(Some(200), false));
        assert_eq!(inbound(None, Some(486)).sight, reached(Some(486), false));
        assert!(matches!(inbound(None, Some(480)).sight, Sight::NotReached { code: Some(480), .. }));
        assert!(matches!(
            inbound(Some(Cause::NoReply), None).sight,
            Sight::NotReached { code: None, .. }
        ));
        assert_eq!(inbound(Some(Cause::NoReply), None).arrived().sight, reached(None, true));
        assert_eq!(inbound(None, Some(480)).arrived().sight, reached(Some(480), true));
    }
}

//! Why an API gave no usable answer, what to do about it, and the exit status that says so.

use std::time::Duration;

use regprobe_providers::{Answer, ApiError, ApiTrouble, SourceKind, Word};
use thiserror::Error;

use crate::exit;
use crate::output::text::wrapped;

/// The end of a question without a usable answer. Free of secrets, as the errors of the clients are.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{what}\n{}", wrapped("  next    ", advice).trim_end())]
pub(crate) struct Refusal {
    what: String,
    advice: String,
    trouble: ApiTrouble,
}

impl Refusal {
    /// From an error of a client.
    pub(crate) fn of(kind: SourceKind, error: &ApiError) -> Self {
        Self {
            what: error.to_string(),
            advice: advice(kind, error.trouble, error.retry_after),
            trouble: error.trouble,
        }
    }

    /// From an answer that came to none. One that was read, whatever it says, is none of these.
    pub(crate) fn in_answer(answer: &Answer) -> Option<Self> {
        let trouble = if let Word::Unavailable(trouble) = answer.word {
            trouble
        } else if answer.word == Word::NotFound && answer.contract.is_none() {
            ApiTrouble::NotFound
        } else {
            return None;
        };
        Some(Self {
            what: answer.raw.clone(),
            advice: advice(answer.source, trouble, None),
            trouble,
        })
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        if self.trouble == ApiTrouble::NotFound {
            exit::NOT_FOUND
        } else {
            exit::NO_ANSWER
        }
    }
}

/// What to do about it.
fn advice(kind: SourceKind, trouble: ApiTrouble, retry_after: Option<Duration>) -> String {
    let provider = kind.provider();
    match trouble {
        ApiTrouble::Unreachable => format!("check the way to {provider} from here: host and port, proxy, firewall"),
        ApiTrouble::Timeout => "try again; --api-timeout gives it longer".to_owned(),
        ApiTrouble::Tls => {
            "check the certificate and the name in the URL; --api-ca-file names whom to trust instead of the system's".to_owned()
        }
        ApiTrouble::BadRequest | ApiTrouble::Unprocessable => format!("correct what {provider} names"),
        ApiTrouble::Unauthorized => format!("check {}: it is missing, wrong or expired", key(kind)),
        ApiTrouble::Forbidden => {
            format!("the key is {provider}'s and may not do this: give it the right, or use one of the account that owns it")
        }
        ApiTrouble::NotFound => format!(
            "check the name: the list shows what there is. It may have been deleted, or belong to another account{}",
            controller(kind)
        ),
        ApiTrouble::Conflict => "an earlier change is still under way: try again in a minute".to_owned(),
        ApiTrouble::Gone => format!("{provider} has withdrawn this call: look for a newer version of regprobe"),
        ApiTrouble::RateLimited => match retry_after {
            Some(wait) => format!(
                "wait {} s: every poll of every tool with this key counts",
                wait.as_secs().saturating_add(1)
            ),
            None => format!("ask {provider} less often: every poll of every tool with this key counts"),
        },
        ApiTrouble::Server => format!("this is {provider}'s own trouble: try again later"),
        ApiTrouble::Redirected => "the URL leads elsewhere, and no key follows there: correct it".to_owned(),
        ApiTrouble::TooLarge => "ask for less: by filters, by --limit, or for one object".to_owned(),
        ApiTrouble::Contract => format!("check that the URL is that of {provider}'s API; if it is, look for a newer version of regprobe"),
        ApiTrouble::Other => format!("what {provider} says is all that is known"),
    }
}

/// Bitrix24's not-found may be none.
const fn controller(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => "; Bitrix24 says so as well when its own telephony did not answer",
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Opensips
        | SourceKind::Kamailio
        | SourceKind::Freeswitch
        | SourceKind::Asterisk => "",
    }
}

/// Where the key comes from.
const fn key(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck => "TELNYX_API_KEY or --api-key-file",
        SourceKind::Telzino => "TELZINO_TOKEN, or TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET",
        SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => {
            "BITRIX24_WEBHOOK or --webhook-file; with --portal BITRIX24_TOKEN or --token-file"
        }
        SourceKind::Freeswitch => "FREESWITCH_PASSWORD or --esl-password-file",
        SourceKind::Asterisk => "--ami-user, and ASTERISK_SECRET or --ami-secret-file",
        SourceKind::Opensips | SourceKind::Kamailio => "who may ask this engine (regprobe has no key for it)",
    }
}

#[cfg(test)]
mod tests {
    use regprobe_providers::Moment;

    use super::*;

    fn error(trouble: ApiTrouble) -> ApiError {
        ApiError {
            trouble,
            status: Some(401),
            code: Some("10009".into()),
            detail: "Authentication failed".into(),
            request: "GET /v2/uac_connections/7".into(),
            attempts: 1,
            retry_after: Some(Duration::from_secs(120)),
        }
    }

    #[test]
    fn what_was_asked_what_was_said_and_what_to_do_are_told() {
        let refusal = Refusal::of(SourceKind::TelnyxUac, &error(ApiTrouble::Unauthorized));
        let told = "GET /v2/uac_connections/7: HTTP 401, 10009: Authentication failed\n  next    check TELNYX_API_KEY or --api-key-file: it is \
                    missing, wrong or expired";
        assert_eq!((refusal.to_string().as_str(), refusal.status()), (told, 5));
        assert!(
            Refusal::of(SourceKind::Telzino, &error(ApiTrouble::RateLimited))
                .to_string()
                .contains("wait 121 s")
        );
    }

    #[test]
    fn only_what_is_not_there_has_a_status_of_its_own() {
        for trouble in ApiTrouble::ALL {
            let expected = if trouble == ApiTrouble::NotFound { 1 } else { 5 };
            for kind in SourceKind::ALL {
                let refusal = Refusal::of(kind, &error(trouble));
                assert_eq!(refusal.status(), expected, "{trouble:?}");
                assert!(refusal.advice.len() > 10 && !refusal.advice.ends_with('.'), "{}", refusal.advice);
            }
        }
    }

    #[test]
    fn an_answer_that_was_read_is_no_refusal() {
        let now = Moment::from_unix(0).unwrap();
        let missing = Answer::unavailable(SourceKind::TelnyxUac, now, now, &error(ApiTrouble::NotFound));
        assert_eq!(Refusal::in_answer(&missing).map(|refusal| refusal.status()), Some(1));
        let read = Answer {
            contract: Some("telzino"),
            ..missing
        };
        assert_eq!(Refusal::in_answer(&read), None);
        let limited = Answer::unavailable(SourceKind::TelnyxUac, now, now, &error(ApiTrouble::RateLimited));
        assert!(Refusal::in_answer(&limited).unwrap().to_string().contains("less often"));
    }
}

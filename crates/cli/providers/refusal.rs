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
            advice: advice(kind, error.trouble, &error.to_string(), error.retry_after),
            trouble: error.trouble,
        }
    }

    /// From an answer about this object that came to none. One that was read, whatever it says, is none of these.
    pub(crate) fn in_answer(object: &str, answer: &Answer) -> Option<Self> {
        let trouble = if let Word::Unavailable(trouble) = answer.word {
            trouble
        } else if answer.word == Word::NotFound && answer.contract.is_none() {
            ApiTrouble::NotFound
        } else {
            return None;
        };
        let told = answer.trouble();
        let what = if trouble == ApiTrouble::NotFound && !told.contains(object) {
            format!("{object}: {told}")
        } else {
            told.to_owned()
        };
        Some(Self {
            advice: advice(answer.source, trouble, &what, None),
            what,
            trouble,
        })
    }

    /// Whether something came that is worth being looked at as it is.
    pub(crate) fn has_answer(&self) -> bool {
        self.trouble == ApiTrouble::Contract
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

/// What to do about it. `told` is what was asked and what came of it.
fn advice(kind: SourceKind, trouble: ApiTrouble, told: &str, retry_after: Option<Duration>) -> String {
    let provider = kind.provider();
    match trouble {
        ApiTrouble::Unreachable => unreachable(kind),
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
            "check the id or name{}. It may have been deleted, or belong to another account{}",
            list(kind, told),
            aside(kind, told)
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
        ApiTrouble::Contract => format!(
            "check that the URL is that of {provider}'s API{}, and that no proxy and no log-in page answers in its place; if so, look for a newer version of regprobe",
            url_option(kind)
        ),
        ApiTrouble::Other => format!("what {provider} says is all that is known"),
    }
}

/// Two engines are spoken to line by line, without TLS and without a proxy.
fn unreachable(kind: SourceKind) -> String {
    let provider = kind.provider();
    match kind {
        SourceKind::Freeswitch => format!("check that {provider} runs, and that its event socket listens there: --esl HOST:PORT"),
        SourceKind::Asterisk => format!("check that {provider} runs, and that its manager interface listens there: --ami HOST:PORT"),
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Bitrix24
        | SourceKind::Bitrix24Stored
        | SourceKind::Opensips
        | SourceKind::Kamailio => format!("check the way to {provider} from here: host and port, proxy, firewall"),
    }
}

/// The command that lists what there is of the kind that was asked about.
fn list(kind: SourceKind, told: &str) -> String {
    let command = match () {
        () if told.contains("/external_connections/log_messages") => Some("regprobe providers telnyx log-messages list"),
        () if told.contains("/external_connections") => Some("regprobe providers telnyx external-connections list"),
        () if told.contains("/siprec_connectors") || told.contains("/credential_connections") => None,
        () => kind.listed_by(),
    };
    command.map_or_else(
        || format!(" against what {} shows of the account", kind.provider()),
        |command| format!(": `{command}` shows what there is"),
    )
}

/// What else a not-found may mean.
fn aside(kind: SourceKind, told: &str) -> &'static str {
    match kind {
        SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => "; Bitrix24 says so as well when its own telephony did not answer",
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
            if told.contains(" /") && !told.contains("/v2/") =>
        {
            "; or check --api-url: Telnyx' own ends with /v2"
        }
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

/// The option that says where the API is.
const fn url_option(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino => " (--api-url)",
        SourceKind::Bitrix24 | SourceKind::Bitrix24Stored => " (the webhook's, or --portal)",
        SourceKind::Opensips => " (--mi)",
        SourceKind::Kamailio => " (--rpc)",
        SourceKind::Freeswitch => " (--esl)",
        SourceKind::Asterisk => " (--ami)",
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
            body: None,
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
    fn what_is_not_there_names_the_list_and_a_wrong_url() {
        let next = |kind, path: &str| {
            let error = ApiError {
                request: format!("GET {path}/7"),
                ..error(ApiTrouble::NotFound)
            };
            Refusal::of(kind, &error).advice
        };
        for (kind, path, command) in [
            (SourceKind::TelnyxUac, "/v2/uac_connections", "telnyx connections list"),
            (
                SourceKind::TelnyxUac,
                "/v2/external_connections",
                "telnyx external-connections list",
            ),
            (
                SourceKind::TelnyxUac,
                "/v2/external_connections/log_messages",
                "telnyx log-messages list",
            ),
            (SourceKind::Bitrix24, "/rest", "bitrix24 lines"),
            (SourceKind::Kamailio, "/RPC", "kamailio registrations"),
            (SourceKind::Freeswitch, "", "freeswitch gateways"),
        ] {
            let advice = next(kind, path);
            assert!(advice.contains(&format!("`regprobe providers {command}`")), "{advice}");
            assert!(!advice.contains("--api-url"), "{advice}");
        }
        assert!(next(SourceKind::TelnyxUac, "/uac_connections").contains("--api-url"));
        assert!(!next(SourceKind::TelnyxUac, "/v2/siprec_connectors").contains("regprobe providers"));
    }

    #[test]
    fn an_answer_that_was_read_is_no_refusal() {
        let now = Moment::from_unix(0).unwrap();
        let missing = Answer::unavailable(SourceKind::TelnyxUac, now, now, &error(ApiTrouble::NotFound));
        let refusal = Refusal::in_answer("office-7", &missing).unwrap();
        assert_eq!((refusal.status(), refusal.has_answer()), (1, false));
        assert!(
            refusal.to_string().starts_with("office-7: GET /v2/uac_connections/7: "),
            "{refusal}"
        );
        let read = Answer {
            contract: Some("telzino"),
            ..missing
        };
        assert_eq!(Refusal::in_answer("7", &read), None);
        let limited = Answer::unavailable(SourceKind::TelnyxUac, now, now, &error(ApiTrouble::RateLimited));
        assert!(Refusal::in_answer("7", &limited).unwrap().to_string().contains("less often"));
    }
}

//! What to do when the API itself gave nothing to judge by: the part of the advice that knows clients and not registrations. Pure.

use crate::{Answer, ApiTrouble, SourceKind, Word};

/// It could not be reached.
pub(super) fn unreachable(source: SourceKind) -> String {
    let provider = source.provider();
    let listener = match source {
        SourceKind::Freeswitch => "event socket (mod_event_socket)",
        SourceKind::Asterisk => "manager interface (manager.conf)",
        SourceKind::TelnyxUac
        | SourceKind::TelnyxUacStored
        | SourceKind::TelnyxTelephonyCredential
        | SourceKind::TelnyxCredentialConnection
        | SourceKind::TelnyxCredentialCheck
        | SourceKind::Telzino
        | SourceKind::Bitrix24
        | SourceKind::Bitrix24Stored
        | SourceKind::Opensips
        | SourceKind::Kamailio => {
            return format!("Try again. If it stays, check the way to {provider}'s API from here: name, proxy, TLS.");
        }
    };
    format!("Check that {provider} runs, and that its {listener} listens at the host and port that were asked.")
}

/// It does not know what it was asked about.
pub(super) fn not_found(source: SourceKind, answer: &Answer) -> String {
    let provider = source.provider();
    let list = source.listed_by().map_or_else(
        || format!("Check the identifier against what {provider} shows of the account."),
        |command| format!("Check the identifier: `{command}` lists what there is."),
    );
    let elsewhere = if is_beside_v2(source, answer.trouble()) {
        " Or the API's URL is wrong: Telnyx' own ends with /v2 (--api-url)."
    } else {
        ""
    };
    format!("{list} It may have been deleted, or belong to another account.{elsewhere}")
}

/// True when Telnyx was asked at a URL without the version in it, where it knows nothing.
fn is_beside_v2(source: SourceKind, told: &str) -> bool {
    source.provider() == "Telnyx" && told.contains(" /") && !told.contains("/v2/")
}

/// What it answers cannot be read, or what it was asked was refused.
pub(super) fn contract(provider: &str, word: &Word) -> String {
    let Word::Unavailable(trouble) = word else {
        return format!("{provider} has changed its API. Look for a newer version of regprobe; the raw answer is in the report.");
    };
    match trouble {
        ApiTrouble::BadRequest | ApiTrouble::Unprocessable => {
            format!("{provider} refuses a value that it was asked with: its answer above says which. Correct that one.")
        }
        ApiTrouble::TooLarge => {
            format!("{provider} answers more than anybody can use. Check the API's URL, and that no other service answers there.")
        }
        ApiTrouble::Contract
        | ApiTrouble::Unreachable
        | ApiTrouble::Timeout
        | ApiTrouble::Tls
        | ApiTrouble::Unauthorized
        | ApiTrouble::Forbidden
        | ApiTrouble::NotFound
        | ApiTrouble::Conflict
        | ApiTrouble::Gone
        | ApiTrouble::RateLimited
        | ApiTrouble::Server
        | ApiTrouble::Redirected
        | ApiTrouble::Other => format!(
            "Check the API's URL first: with a wrong one, or with a proxy or a log-in page in between, an answer looks like this. If it is right, {provider} may have changed its API: look for a newer version of regprobe. What came is in the report (`raw`)."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    fn answer(raw: &str) -> Answer {
        let now = Moment::from_unix(0).unwrap();
        Answer {
            raw: raw.to_owned(),
            ..Answer::blank(SourceKind::TelnyxUac, now, now)
        }
    }

    #[test]
    fn what_is_not_there_is_looked_up_in_the_list_that_there_is() {
        let advice = |source, raw| not_found(source, &answer(raw));
        for source in SourceKind::ALL {
            let text = advice(source, "GET /v2/uac_connections: HTTP 404");
            assert_eq!(text.contains("`regprobe providers "), source.listed_by().is_some(), "{text}");
            assert!(!text.contains("--api-url"), "{text}");
        }
        assert!(advice(SourceKind::TelnyxUac, "GET /sip_registration_status: HTTP 404").contains("ends with /v2 (--api-url)"));
        assert!(!advice(SourceKind::Telzino, "GET /v1/agents/7: HTTP 404").contains("--api-url"));
    }

    #[test]
    fn a_line_protocol_knows_no_proxy_and_no_tls() {
        for source in SourceKind::ALL {
            let is_line = matches!(source, SourceKind::Freeswitch | SourceKind::Asterisk);
            assert_eq!(unreachable(source).contains("TLS"), !is_line, "{source:?}");
            assert_eq!(unreachable(source).contains("host and port"), is_line, "{source:?}");
        }
    }

    #[test]
    fn a_refused_value_is_no_change_of_the_api_and_a_page_is_first_a_wrong_url() {
        let refused = contract("Telnyx", &Word::Unavailable(ApiTrouble::Unprocessable));
        assert!(refused.contains("refuses a value") && !refused.contains("changed"), "{refused}");
        let page = contract("Telnyx", &Word::Unavailable(ApiTrouble::Contract));
        assert!(page.starts_with("Check the API's URL first"), "{page}");
    }
}

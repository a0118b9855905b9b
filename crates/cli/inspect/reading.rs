//! What regprobe makes of a header: its typed reading in words, for people. Reads from bytes that have been redacted already, so that
//! no secret can come back by another way; not for the values as they stand.

use sip_message::{
    AuthParams, AuthenticationInfo, Challenge, Contact, Credentials, Name, NameAddr, Reason, RetryAfter, Via, Warning, printable,
};

/// One line for each thing that the value holds; none where there is nothing to add to the value as it stands.
pub(super) fn of(name: Name, value: &[u8]) -> Vec<String> {
    match name {
        Name::Via => each(value, via),
        Name::From | Name::To => vec![address(value)],
        Name::Contact => each(value, contact),
        Name::Path | Name::RecordRoute | Name::Route | Name::ServiceRoute => each(value, address),
        Name::WwwAuthenticate | Name::ProxyAuthenticate => Challenge::parse_list(value).map(challenge).collect(),
        Name::Authorization | Name::ProxyAuthorization => credentials(value).into_iter().collect(),
        Name::AuthenticationInfo => {
            vec![AuthenticationInfo::parse(value).map_or_else(|error| unreadable(&error), |info| params(&info.params))]
        }
        Name::RetryAfter => vec![RetryAfter::parse(value).map_or_else(|error| unreadable(&error), |retry| retry_after(&retry))],
        Name::Warning => each(value, warning),
        Name::Reason => each(value, reason),
        Name::Allow
        | Name::CSeq
        | Name::CallId
        | Name::ContentLength
        | Name::ContentType
        | Name::Date
        | Name::ErrorInfo
        | Name::Expires
        | Name::MaxForwards
        | Name::MinExpires
        | Name::Require
        | Name::Server
        | Name::Supported
        | Name::Unsupported
        | Name::UserAgent
        | Name::Other => Vec::new(),
    }
}

fn each(value: &[u8], read: fn(&[u8]) -> String) -> Vec<String> {
    sip_message::list(value).map(read).collect()
}

fn unreadable(error: &impl std::fmt::Display) -> String {
    format!("cannot be read: {error}")
}

/// `what value`, the parts that are there, with commas between them.
fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn named(what: &str, value: Option<impl AsRef<[u8]>>) -> Option<String> {
    value.map(|value| format!("{what} {}", printable(value.as_ref())))
}

fn via(element: &[u8]) -> String {
    let via = match Via::parse(element) {
        Ok(via) => via,
        Err(error) => return unreadable(&error),
    };
    let port = via.port.map(|port| format!(":{port}")).unwrap_or_default();
    joined([
        Some(printable(via.transport).to_lowercase()),
        Some(format!("sent by {}{port}", via.host)),
        named("branch", via.branch()),
        via.received().map(|host| format!("received from {host}")),
        via.rport().map(|port| format!("rport {port}")),
    ])
}

fn address(value: &[u8]) -> String {
    NameAddr::parse(value).map_or_else(|error| unreadable(&error), |address| joined(address_parts(&address)))
}

fn address_parts(address: &NameAddr<'_>) -> [Option<String>; 3] {
    let uri = match address.uri() {
        Ok(_) => printable(address.raw_uri),
        Err(error) => format!("{} ({error})", printable(address.raw_uri)),
    };
    [
        Some(address.display_name())
            .filter(|name| !name.is_empty())
            .map(|name| printable(&name)),
        Some(uri),
        named("tag", address.tag()),
    ]
}

fn contact(element: &[u8]) -> String {
    match Contact::parse(element) {
        Err(error) => unreadable(&error),
        Ok(Contact::Star) => "all bindings".to_owned(),
        Ok(Contact::Address(address)) => joined(address_parts(&address).into_iter().chain([
            address.expires().map(|seconds| format!("expires in {seconds} s")),
            named("q", address.q()),
            named("instance", address.instance()),
            address.reg_id().map(|id| format!("reg-id {id}")),
        ])),
    }
}

fn challenge(challenge: Result<Challenge<'_>, sip_message::AuthError>) -> String {
    let challenge = match challenge {
        Ok(challenge) => challenge,
        Err(error) => return unreadable(&error),
    };
    let of = |name: &str| named(name, challenge.params.text(name.as_bytes()));
    joined([
        Some(printable(challenge.scheme)),
        of("realm"),
        of("algorithm").or_else(|| challenge.is_digest().then(|| "algorithm MD5 (none is named)".to_owned())),
        of("qop").or_else(|| challenge.is_digest().then(|| "no qop".to_owned())),
        of("stale"),
    ])
}

/// Of another scheme than Digest there is nothing that could be shown.
fn credentials(value: &[u8]) -> Option<String> {
    match Credentials::parse(value) {
        Ok(credentials) if credentials.is_digest() => {
            let of = |name: &str| named(name, credentials.params.text(name.as_bytes()));
            Some(joined(["username", "realm", "uri", "algorithm", "qop", "nc"].map(of)))
        }
        Err(error) if value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Digest")) => Some(unreadable(&error)),
        Ok(_) | Err(_) => None,
    }
}

fn params(params: &AuthParams<'_>) -> String {
    joined(params.iter().map(|(name, value)| named(&printable(name), Some(value))))
}

fn retry_after(retry: &RetryAfter<'_>) -> String {
    joined([
        Some(format!("in {} s", retry.seconds)),
        named("because", retry.comment),
        retry.duration.map(|seconds| format!("then there for {seconds} s")),
    ])
}

fn warning(element: &[u8]) -> String {
    Warning::parse(element).map_or_else(
        |error| unreadable(&error),
        |warning| {
            joined([
                Some(format!("code {}", warning.code)),
                named("by", Some(warning.agent).filter(|agent| !agent.is_empty())),
                Some(printable(&warning.text)),
            ])
        },
    )
}

fn reason(element: &[u8]) -> String {
    Reason::parse(element).map_or_else(
        |error| unreadable(&error),
        |reason| {
            joined([
                Some(printable(reason.protocol)),
                reason.cause.map(|cause| format!("cause {cause}")),
                reason.text.map(|text| printable(&text)),
            ])
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_header_is_read_in_words() {
        for (name, value, expected) in [
            (
                Name::Via,
                "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport=1;received=192.0.2.9, SIP/2.0/TCP h",
                &[
                    "udp, sent by 192.0.2.1:5060, branch z9hG4bKa, received from 192.0.2.9, rport 1",
                    "tcp, sent by h",
                ][..],
            ),
            (Name::Via, "nonsense", &["cannot be read: Via has no SIP/2.0/transport"]),
            (Name::From, "\"A \\\"x\\\"\" <sip:a@h>;tag=1", &["A \"x\", sip:a@h, tag 1"]),
            (Name::To, "<a@h>", &["a@h (no scheme such as sip: in front)"]),
            (
                Name::Contact,
                "<sip:a@h>;expires=60;q=0.5;+sip.instance=\"<urn:x>\";reg-id=1, *",
                &["sip:a@h, expires in 60 s, q 0.5, instance urn:x, reg-id 1", "all bindings"],
            ),
            (
                Name::Route,
                "<sip:edge;lr>, <sip:x",
                &["sip:edge;lr", "cannot be read: address has < without >"],
            ),
            (
                Name::WwwAuthenticate,
                "Digest realm=\"r\", nonce=\"n\"",
                &["Digest, realm r, algorithm MD5 (none is named), no qop"],
            ),
            (
                Name::ProxyAuthenticate,
                "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", stale=true",
                &["Digest, realm r, algorithm SHA-256, qop auth, stale true"],
            ),
            (
                Name::Authorization,
                "Digest username=\"a\", response=\"[redacted]\"",
                &["username a"],
            ),
            (Name::Authorization, "Basic [redacted]", &[]),
            (
                Name::RetryAfter,
                "5 (busy);duration=60",
                &["in 5 s, because busy, then there for 60 s"],
            ),
            (Name::Warning, "399 h \"t\"", &["code 399, by h, t"]),
            (Name::Reason, "Q.850;cause=16;text=\"x\"", &["Q.850, cause 16, x"]),
            (Name::AuthenticationInfo, "nextnonce=\"n\"", &["nextnonce n"]),
            (Name::Expires, "60", &[]),
        ] {
            assert_eq!(of(name, value.as_bytes()), expected, "{value}");
        }
    }
}

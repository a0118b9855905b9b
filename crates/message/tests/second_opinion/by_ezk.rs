//! What ezk-sip-types says of a message, read as its own transport reads one: line by line, a line that is no header left out.

use bytes::Bytes;
use ezk_sip_types::header::typed::{Algorithm, DigestChallenge, QopOption};
use ezk_sip_types::header::typed::{AlgorithmValue, AuthChallenge, CSeq, CallID, Contact, ContentLength, Expires, FromTo, Via};
use ezk_sip_types::header::{ConstNamed, DecodeValues};
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::uri::{NameAddr, SipUri, SipUriUserPart};
use ezk_sip_types::{Headers, Name};
use sip_message::printable;

use crate::opinion::{self, Field, Opinion, Says, refused};

/// What it says.
pub(crate) fn opinion(bytes: &[u8]) -> Opinion {
    read(bytes).unwrap_or_else(refused)
}

fn read(bytes: &[u8]) -> Option<Opinion> {
    let source = Bytes::copy_from_slice(bytes);
    let mut lines = PullParser::new(&source, 0);
    let start: MessageLine = std::str::from_utf8(lines.next()?.ok()?).ok()?.parse().ok()?;
    let mut headers = Headers::new();
    for line in &mut lines {
        if let Ok((_, line)) = Line::parse(&source, std::str::from_utf8(line.ok()?).ok()?) {
            headers.insert(line.name, line.value);
        }
    }
    let (start, reason) = match start {
        MessageLine::Request(line) => (format!("{} {}", line.method, uri(&line.uri)), Says::Absent),
        MessageLine::Response(line) => {
            let reason = line.reason.map_or_else(String::new, |reason| printable(reason.as_bytes()));
            (line.code.into_u16().to_string(), Says::Value(reason))
        }
    };
    let rest = bytes.get(lines.head_end()..).unwrap_or_default();
    Some(Opinion::from([
        (Field::Message, Says::Value("read".into())),
        (Field::Start, Says::Value(start)),
        (Field::Reason, reason),
        (Field::Via, named(&headers, |top: Via| via(&top))),
        (Field::From, address(&headers, Name::FROM)),
        (Field::To, address(&headers, Name::TO)),
        (Field::CallId, named(&headers, |id: CallID| printable(id.0.as_bytes()))),
        (Field::CSeq, named(&headers, |cseq: CSeq| format!("{} {}", cseq.cseq, cseq.method))),
        (Field::Contact, contacts(&headers)),
        (Field::Expires, named(&headers, |expires: Expires| expires.0.to_string())),
        (Field::Challenge, challenges(&headers)),
        (Field::Body, body(&headers, rest)),
    ]))
}

fn named<H: ConstNamed + DecodeValues>(headers: &Headers, words: impl FnOnce(H) -> String) -> Says {
    opinion::says(headers.try_get_named::<H>(), words)
}

fn host_and_port(host_port: &ezk_sip_types::host::HostPort) -> String {
    opinion::sent_by(&host_port.host.to_string(), host_port.port)
}

fn uri(uri: &SipUri) -> String {
    let (user, password) = match &uri.user_part {
        SipUriUserPart::Empty => (None, None),
        SipUriUserPart::User(user) => (Some(user.as_str()), None),
        SipUriUserPart::UserPw(both) => (Some(both.user.as_str()), Some(both.password.as_str())),
    };
    // Its list of parameters has no iterator, only this printed form.
    let params = uri.uri_params.to_string();
    let params = params.split(';').filter(|param| !param.is_empty());
    let params = params.map(|param| param.split_once('=').map_or((param, None), |(name, value)| (name, Some(value))));
    opinion::uri(uri.sips, user, password, &host_and_port(&uri.host_port), params)
}

fn via(top: &Via) -> String {
    let param = |name: &str| top.params.get_val(name).map(|value| value.as_str());
    let received = param("received").map(|address| {
        address
            .parse()
            .map_or_else(|_| address.to_owned(), |ip| ezk_sip_types::host::Host::IP6(ip).to_string())
    });
    opinion::via(
        &top.transport,
        &host_and_port(&top.sent_by),
        param("branch"),
        received.as_deref(),
        param("rport"),
    )
}

fn address(headers: &Headers, name: Name) -> Says {
    opinion::says(headers.try_get::<FromTo>(name), |address| {
        opinion::tagged(&uri(&address.uri.uri), address.tag.as_ref().map(|tag| tag.as_str()))
    })
}

fn contacts(headers: &Headers) -> Says {
    match headers.try_get_named::<Vec<Contact>>() {
        None => Says::Absent,
        Some(Err(_)) => Says::Unreadable,
        // A header that it could not read leaves its list empty.
        Some(Ok(all)) if all.is_empty() => Says::Unreadable,
        Some(Ok(all)) => opinion::contacts(all.iter().map(|contact| {
            let expires = contact.params.get_val("expires").and_then(|seconds| seconds.parse().ok());
            let NameAddr { uri: address, .. } = &contact.uri;
            Ok((uri(address), expires))
        })),
    }
}

fn challenges(headers: &Headers) -> Says {
    match headers.try_get::<Vec<AuthChallenge>>(Name::WWW_AUTHENTICATE) {
        None => Says::Absent,
        Some(Err(_)) => Says::Unreadable,
        Some(Ok(all)) if all.is_empty() => Says::Unreadable,
        Some(Ok(all)) => opinion::challenges(all.iter().map(|challenge| match challenge {
            AuthChallenge::Digest(digest) => Ok(words(digest)),
            AuthChallenge::Other(other) => Ok(other.scheme.to_string()),
        })),
    }
}

fn words(digest: &DigestChallenge) -> String {
    let algorithm = match &digest.algorithm {
        Algorithm::AlgorithmValue(value) => algorithm(value),
        Algorithm::AkaNamespace(..) => digest.algorithm.to_string(),
    };
    let qop: Vec<_> = digest.qop.iter().map(QopOption::to_string).collect();
    let value = |text: &str| printable(text.as_bytes());
    opinion::challenge(
        &value(&digest.realm),
        &value(&digest.nonce),
        digest.opaque.as_ref().map(|opaque| value(opaque)).as_deref(),
        Some(&algorithm),
        &qop.join(","),
        digest.stale,
    )
}

fn algorithm(value: &AlgorithmValue) -> String {
    value.to_string()
}

fn body(headers: &Headers, rest: &[u8]) -> Says {
    match headers.try_get_named::<ContentLength>() {
        None => Says::Value(printable(rest)),
        Some(Err(_)) => Says::Unreadable,
        Some(Ok(length)) => Says::Value(printable(rest.get(..length.0).unwrap_or(rest))),
    }
}

//! What rsip says of a message: its typed headers, asked one by one. It keeps no reason phrase, so it is not asked for one.

use rsip::headers::{ToTypedHeader as _, UntypedHeader as _};
use rsip::message::HasHeaders as _;
use rsip::prelude::HeadersExt as _;
use rsip::{Header, Host, Param, SipMessage, Uri};
use sip_message::printable;

use crate::opinion::{self, Field, Opinion, Says, refused};

/// What it says.
pub(crate) fn opinion(bytes: &[u8]) -> Opinion {
    SipMessage::try_from(bytes).map_or_else(|_| refused(), |message| read(&message))
}

fn read(message: &SipMessage) -> Opinion {
    let start = match message {
        SipMessage::Request(request) => format!("{} {}", request.method, uri(&request.uri)),
        SipMessage::Response(response) => response.status_code.code().to_string(),
    };
    Opinion::from([
        (Field::Message, Says::Value("read".into())),
        (Field::Start, Says::Value(start)),
        (
            Field::Via,
            opinion::says(message.via_header().ok().map(|via| via.typed()), |top| via(&top)),
        ),
        (
            Field::From,
            opinion::says(message.from_header().ok().map(|from| from.typed()), |from| {
                tagged(&from.uri, from.tag().map(|tag| tag.value()))
            }),
        ),
        (
            Field::To,
            opinion::says(message.to_header().ok().map(|to| to.typed()), |to| {
                tagged(&to.uri, to.tag().map(|tag| tag.value()))
            }),
        ),
        (
            Field::CallId,
            message
                .call_id_header()
                .map_or(Says::Absent, |id| Says::Value(printable(id.value().as_bytes()))),
        ),
        (
            Field::CSeq,
            opinion::says(message.cseq_header().ok().map(|cseq| cseq.typed()), |cseq| {
                format!("{} {}", cseq.seq, cseq.method)
            }),
        ),
        (Field::Contact, contacts(message)),
        (
            Field::Expires,
            opinion::says(message.expires_header().map(|expires| expires.seconds()), |seconds| {
                seconds.to_string()
            }),
        ),
        (Field::Challenge, challenges(message)),
        (Field::Body, Says::Value(printable(message.body()))),
    ])
}

fn tagged(address: &Uri, tag: Option<&str>) -> String {
    opinion::tagged(&uri(address), tag)
}

fn host_and_port(uri: &Uri) -> String {
    // It prints IPv6 without brackets.
    let host = match uri.host() {
        Host::IpAddr(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        other => other.to_string(),
    };
    opinion::sent_by(&host, uri.port().map(|port| *port.value()))
}

fn uri(uri: &Uri) -> String {
    let (user, password) = uri
        .auth
        .as_ref()
        .map_or((None, None), |auth| (Some(auth.user.as_str()), auth.password.as_deref()));
    let secure = match &uri.scheme {
        Some(rsip::Scheme::Sips) => true,
        Some(rsip::Scheme::Sip) => false,
        None | Some(_) => return printable(uri.to_string().as_bytes()),
    };
    let params: Vec<_> = uri.params.iter().map(|param| param.to_string()).collect();
    let params = params.iter().map(|param| {
        let param = param.trim_start_matches(';');
        param.split_once('=').map_or((param, None), |(name, value)| (name, Some(value)))
    });
    opinion::uri(secure, user, password, &host_and_port(uri), params)
}

fn via(top: &rsip::typed::Via) -> String {
    let rport = top.params.iter().find_map(|param| match param {
        Param::Other(name, value) if name.value().eq_ignore_ascii_case("rport") => value.as_ref().map(|port| port.value().to_owned()),
        _ => None,
    });
    let received = top.params.iter().find_map(|param| match param {
        Param::Received(address) => Some(address.value().to_owned()),
        _ => None,
    });
    opinion::via(
        &top.transport.to_string(),
        &host_and_port(&top.uri),
        top.branch().map(|branch| branch.value()),
        received.as_deref(),
        rport.as_deref(),
    )
}

fn contacts(message: &SipMessage) -> Says {
    opinion::contacts(message.contact_headers().into_iter().map(|header| {
        let contact = header.typed().map_err(|_| ())?;
        let expires = contact.expires().and_then(|expires| expires.seconds().ok());
        Ok((uri(&contact.uri), expires))
    }))
}

fn challenges(message: &SipMessage) -> Says {
    let www = message.headers().iter().filter_map(|header| match header {
        Header::WwwAuthenticate(header) => Some(header),
        _ => None,
    });
    opinion::challenges(www.map(|header| {
        let digest = header.typed().map_err(|_| ())?;
        if !matches!(digest.scheme, rsip::headers::auth::Scheme::Digest) {
            return Ok(digest.scheme.to_string());
        }
        let value = |text: &str| printable(text.as_bytes());
        Ok(opinion::challenge(
            &value(&digest.realm),
            &value(&digest.nonce),
            digest.opaque.as_deref().map(value).as_deref(),
            digest.algorithm.map(|algorithm| algorithm.to_string()).as_deref(),
            &digest.qop.as_ref().map_or_else(String::new, |qop| qop.to_string()),
            digest.stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        ))
    }))
}

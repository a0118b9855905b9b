//! What a parser says of a message, in words that can be compared, and what ours says. The others' are in `by_ezk` and `by_rsip`.

use std::collections::BTreeMap;
use std::fmt;

use sip_message::{AddressError, AuthParams, Contact, Headers, Message, NameAddr, SipUri, Uri, printable, unfold};

/// What is asked of each parser. The variants' order is that of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    /// Whether the bytes are a message.
    Message,
    /// The status, or method and Request-URI.
    Start,
    /// The reason phrase.
    Reason,
    /// The top Via: transport, sent-by, branch, received, rport.
    Via,
    /// URI and tag of From.
    From,
    /// URI and tag of To.
    To,
    /// Call-ID.
    CallId,
    /// Number and method of CSeq.
    CSeq,
    /// Every Contact's URI and expires.
    Contact,
    /// Expires.
    Expires,
    /// What WWW-Authenticate asks for: realm, nonce, opaque, algorithm, qop, stale.
    Challenge,
    /// The body.
    Body,
}

impl Field {
    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Start => "start line",
            Self::Reason => "reason phrase",
            Self::Via => "Via",
            Self::From => "From",
            Self::To => "To",
            Self::CallId => "Call-ID",
            Self::CSeq => "CSeq",
            Self::Contact => "Contact",
            Self::Expires => "Expires",
            Self::Challenge => "challenge",
            Self::Body => "body",
        }
    }
}

/// What a parser says of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// It is not there.
    Absent,
    /// It is there and cannot be read.
    Unreadable,
    /// It is this.
    Value(String),
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Value(value) => f.write_str(value),
        }
    }
}

/// Everything that a parser says of a message. A message that it refuses has `Field::Message` alone; a field that it has no place for
/// is left out, as rsip leaves out the reason phrase.
pub(crate) type Opinion = BTreeMap<Field, Says>;

/// The opinion of a parser that cannot read the message at all.
pub(crate) fn refused() -> Opinion {
    Opinion::from([(Field::Message, Says::Unreadable)])
}

/// A field that is absent, unreadable or has a value.
pub(crate) fn says<T, E>(view: Option<Result<T, E>>, words: impl FnOnce(T) -> String) -> Says {
    match view {
        None => Says::Absent,
        Some(Err(_)) => Says::Unreadable,
        Some(Ok(value)) => Says::Value(words(value)),
    }
}

/// The top Via in words.
pub(crate) fn via(transport: &str, sent_by: &str, branch: Option<&str>, received: Option<&str>, rport: Option<&str>) -> String {
    let or_none = |value: Option<&str>| value.filter(|value| !value.is_empty()).unwrap_or("-").to_owned();
    format!(
        "{transport} {sent_by} branch {} received {} rport {}",
        or_none(branch),
        or_none(received),
        or_none(rport)
    )
}

/// Host and port in words.
pub(crate) fn sent_by(host: &str, port: Option<u16>) -> String {
    port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An address and its tag in words.
pub(crate) fn tagged(uri: &str, tag: Option<&str>) -> String {
    format!("{uri} tag {}", tag.filter(|tag| !tag.is_empty()).unwrap_or("-"))
}

/// Contacts in words: each its URI and seconds, or what is wrong with it.
pub(crate) fn contacts(all: impl IntoIterator<Item = Result<(String, Option<u32>), ()>>) -> Says {
    let words: Vec<_> = all
        .into_iter()
        .map(|one| match one {
            Ok((uri, expires)) => expires.map_or_else(|| uri.clone(), |seconds| format!("{uri} expires {seconds}")),
            Err(()) => "unreadable".to_owned(),
        })
        .collect();
    match words.as_slice() {
        [] => Says::Absent,
        words if words.iter().all(|word| word == "unreadable") => Says::Unreadable,
        words => Says::Value(words.join(" | ")),
    }
}

/// One challenge in words; names that are case-insensitive in lower case, and MD5 when none is named (RFC 7616 §3.3).
pub(crate) fn challenge(realm: &str, nonce: &str, opaque: Option<&str>, algorithm: Option<&str>, qop: &str, stale: bool) -> String {
    let qop: Vec<_> = qop.split(',').map(|option| option.trim().to_lowercase()).collect();
    format!(
        "realm {realm} nonce {nonce} opaque {} algorithm {} qop {} stale {stale}",
        opaque.unwrap_or("-"),
        algorithm.unwrap_or("MD5").to_lowercase(),
        qop.join(",")
    )
}

/// Challenges in words.
pub(crate) fn challenges(all: impl IntoIterator<Item = Result<String, ()>>) -> Says {
    let words: Vec<_> = all
        .into_iter()
        .map(|one| one.unwrap_or_else(|()| "unreadable".to_owned()))
        .collect();
    match words.as_slice() {
        [] => Says::Absent,
        words if words.iter().all(|word| word == "unreadable") => Says::Unreadable,
        words => Says::Value(words.join(" | ")),
    }
}

/// A SIP URI in words: escapes resolved, and what is case-insensitive in lower case.
pub(crate) fn uri<'a>(
    secure: bool,
    user: Option<&str>,
    password: Option<&str>,
    host_and_port: &str,
    params: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let resolved = |part: &str| printable(&SipUri::unescaped(part.as_bytes()).collect::<Vec<_>>());
    let mut words = if secure { "sips:" } else { "sip:" }.to_owned();
    if let Some(user) = user {
        words += &resolved(user);
        words += &password.map_or_else(String::new, |password| format!(":{}", resolved(password)));
        words += "@";
    }
    words += &host_and_port.to_lowercase();
    for (name, value) in params {
        words += &format!(";{}", resolved(name).to_lowercase());
        words += &value.map_or_else(String::new, |value| format!("={}", resolved(value).to_lowercase()));
    }
    words
}

/// What our parser says.
pub(crate) fn ours(bytes: &[u8]) -> Opinion {
    let Ok(message) = Message::parse(bytes) else {
        return refused();
    };
    let headers = message.headers();
    let (start, reason) = match &message {
        Message::Request(request) => {
            let uri = our_uri(request.uri).unwrap_or_else(|()| "unreadable".into());
            (format!("{} {uri}", printable(request.method.as_bytes())), Says::Absent)
        }
        Message::Response(response) => (response.status.code().to_string(), Says::Value(printable(response.reason))),
    };
    Opinion::from([
        (Field::Message, Says::Value("read".into())),
        (Field::Start, Says::Value(start)),
        (Field::Reason, reason),
        (Field::Via, our_via(headers)),
        (Field::From, our_address(headers.from())),
        (Field::To, our_address(headers.to())),
        (
            Field::CallId,
            headers.call_id().map_or(Says::Absent, |id| Says::Value(printable(&unfold(id)))),
        ),
        (
            Field::CSeq,
            says(headers.cseq(), |cseq| {
                format!("{} {}", cseq.number, printable(cseq.method.as_bytes()))
            }),
        ),
        (Field::Contact, our_contacts(headers)),
        (Field::Expires, says(headers.expires(), |seconds| seconds.to_string())),
        (Field::Challenge, our_challenges(headers)),
        (Field::Body, Says::Value(printable(message.body()))),
    ])
}

fn text(value: Option<&[u8]>) -> Option<String> {
    value.map(printable)
}

fn our_uri(raw: &[u8]) -> Result<String, ()> {
    let sip = match Uri::parse(raw).map_err(|_| ())? {
        Uri::Sip(sip) => sip,
        Uri::Tel(_) | Uri::Other(_) => return Ok(printable(raw)),
    };
    let params: Vec<_> = sip
        .params
        .iter()
        .map(|param| (printable(param.name), param.value.map(printable)))
        .collect();
    Ok(uri(
        sip.secure,
        text(sip.user).as_deref(),
        text(sip.password).as_deref(),
        &sent_by(&sip.host.to_string(), sip.port),
        params.iter().map(|(name, value)| (name.as_str(), value.as_deref())),
    ))
}

fn our_via(headers: &Headers<'_>) -> Says {
    says(headers.via(), |top| {
        via(
            &printable(top.transport),
            &sent_by(&top.host.to_string(), top.port),
            text(top.branch()).as_deref(),
            top.received().map(|host| host.to_string()).as_deref(),
            top.rport().map(|port| port.to_string()).as_deref(),
        )
    })
}

fn our_address(address: Option<Result<NameAddr<'_>, AddressError>>) -> Says {
    let whole = address.map(|address| {
        let address = address.map_err(|_| ())?;
        Ok::<_, ()>((our_uri(address.raw_uri)?, text(address.tag())))
    });
    says(whole, |(uri, tag)| tagged(&uri, tag.as_deref()))
}

fn our_contacts(headers: &Headers<'_>) -> Says {
    contacts(headers.contacts().map(|contact| match contact.map_err(|_| ())? {
        Contact::Star => Ok(("*".to_owned(), None)),
        Contact::Address(address) => Ok((our_uri(address.raw_uri)?, address.expires())),
    }))
}

fn our_challenges(headers: &Headers<'_>) -> Says {
    let www = headers
        .challenges()
        .filter(|field| field.source == sip_message::ChallengeSource::Www);
    challenges(www.map(|field| {
        let challenge = field.challenge.map_err(|_| ())?;
        if challenge.is_digest() {
            digest(&challenge.params)
        } else {
            Ok(printable(challenge.scheme))
        }
    }))
}

fn digest(params: &AuthParams<'_>) -> Result<String, ()> {
    let value = |name: &str| params.raw(name.as_bytes()).map(|value| printable(&unfold(value)));
    let stale = value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
    let (realm, nonce) = (value("realm").ok_or(())?, value("nonce").ok_or(())?);
    let qop = value("qop").unwrap_or_default();
    Ok(challenge(
        &realm,
        &nonce,
        value("opaque").as_deref(),
        value("algorithm").as_deref(),
        &qop,
        stale,
    ))
}

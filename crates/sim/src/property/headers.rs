//! Every typed view of a header: what one reads, written as it says, is read as the same.

use sip_message::{
    AuthError, AuthParams, AuthenticationInfo, CSeq, Challenge, Contact, Credentials, Headers, Host, Message, Name, NameAddr, Reason,
    RetryAfter, Status, Value, Via, Warning, Writer, printable, unfold,
};

use super::escape::show;

/// The bytes are the value of one header, of whatever kind.
pub fn headers(bytes: &[u8]) {
    let value = unfold(bytes);
    let value: &[u8] = &value;
    // What the writer cannot write, no header holds.
    if value.contains(&0) {
        return;
    }
    addresses(value);
    via(value);
    small_values(value);
    authentication(value);
    seconds(value);
    lists(value);
}

/// Writes a header value as it goes out.
fn written(fill: impl FnOnce(&mut Value<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let status = Status::new(200).expect("200 is a status");
    Writer::response(&mut out, status, b"").header("X", fill);
    let head = b"SIP/2.0 200 \r\nX: ".len();
    let value = out.get(head..out.len() - 2).expect("a header follows the start line");
    value.to_vec()
}

fn addresses(value: &[u8]) {
    if let Ok(address) = NameAddr::parse(value) {
        show(&address.display_name());
        assert!(address.tag().is_none_or(|tag| !tag.is_empty()));
        assert!(!address.raw_uri.is_empty());
        // Without brackets a `>` may stand in it, which nobody could write into brackets.
        if !address.raw_uri.contains(&b'>') {
            let again = written(|out| {
                out.text(address.display).text(b" <").text(address.raw_uri).text(b">");
                out.text(address.params.as_bytes());
            });
            let again = NameAddr::parse(&again).unwrap_or_else(|error| panic!("{error}: {}", printable(&again)));
            assert_eq!(again, address, "{}", printable(value));
            assert_eq!(
                (again.expires(), again.reg_id(), again.instance()),
                (address.expires(), address.reg_id(), address.instance())
            );
        }
    }
    match Contact::parse(value) {
        Ok(Contact::Star) => assert_eq!(value.trim_ascii(), b"*"),
        Ok(Contact::Address(address)) => assert_eq!(NameAddr::parse(value), Ok(address)),
        Err(error) => assert_eq!(NameAddr::parse(value), Err(error)),
    }
}

fn via(value: &[u8]) {
    let Ok(via) = Via::parse(value) else { return };
    assert!(via.branch().is_none_or(|branch| !branch.is_empty()));
    let again = written(|out| {
        out.text(b"SIP/2.0/").text(via.transport).text(b" ").display(via.host);
        if let Some(port) = via.port {
            out.text(b":").number(port);
        }
        out.text(via.params.as_bytes());
    });
    let again = Via::parse(&again).unwrap_or_else(|error| panic!("{error}: {}", printable(&again)));
    assert_eq!(again, via);
    assert_eq!((again.received(), again.rport()), (via.received(), via.rport()));
    if let Some(host) = via.received() {
        assert_eq!(Host::parse(host.to_string().as_bytes()), Some(host));
    }
}

fn small_values(value: &[u8]) {
    if let Ok(cseq) = CSeq::parse(value) {
        let again = written(|out| {
            out.number(cseq.number).text(b" ").text(cseq.method.as_bytes());
        });
        assert_eq!(CSeq::parse(&again), Ok(cseq));
    }
    if let Ok(retry) = RetryAfter::parse(value) {
        let again = written(|out| {
            out.number(retry.seconds);
            if let Some(comment) = retry.comment {
                out.text(b" (").text(comment).text(b")");
            }
            if let Some(duration) = retry.duration {
                out.text(b";duration=").number(duration);
            }
        });
        assert_eq!(RetryAfter::parse(&again), Ok(retry));
    }
    if let Ok(warning) = Warning::parse(value) {
        show(&warning.text);
        let again = written(|out| {
            out.number(warning.code)
                .text(b" ")
                .text(warning.agent)
                .text(b" ")
                .quoted(&warning.text);
        });
        // A code has three digits, and so have those below a hundred.
        let again = [vec![b'0'; usize::from(warning.code < 100) + usize::from(warning.code < 10)], again].concat();
        assert_eq!(Warning::parse(&again), Ok(warning));
    }
    if let Ok(reason) = Reason::parse(value) {
        let again = written(|out| {
            out.text(reason.protocol);
            if let Some(cause) = reason.cause {
                out.text(b";cause=").number(cause);
            }
            if let Some(text) = &reason.text {
                out.text(b";text=").quoted(text);
            }
        });
        assert_eq!(Reason::parse(&again), Ok(reason));
    }
}

fn authentication(value: &[u8]) {
    for challenge in Challenge::parse_list(value).flatten() {
        let again = written(|out| {
            out.text(challenge.scheme).text(b" ");
            pairs(out, &challenge.params);
        });
        let again = Challenge::parse(&again).unwrap_or_else(|error| panic!("{error}: {}", printable(&again)));
        assert_eq!((again.scheme, again.is_digest()), (challenge.scheme, challenge.is_digest()));
        same(&again.params, &challenge.params);
    }
    if let Ok(credentials) = Credentials::parse(value) {
        let again = written(|out| {
            out.text(credentials.scheme).text(b" ");
            pairs(out, &credentials.params);
        });
        let again = Credentials::parse(&again).unwrap_or_else(|error| panic!("{error}: {}", printable(&again)));
        assert_eq!(again.scheme, credentials.scheme);
        same(&again.params, &credentials.params);
    }
    if let Ok(info) = AuthenticationInfo::parse(value) {
        let again = written(|out| pairs(out, &info.params));
        let again: Result<AuthenticationInfo<'_>, AuthError> = AuthenticationInfo::parse(&again);
        same(&again.expect("what is written is read").params, &info.params);
    }
}

/// Values stand in quotes when they stood in quotes; of the others some could not.
fn pairs(out: &mut Value<'_>, params: &AuthParams<'_>) {
    for (at, (name, value)) in params.iter().enumerate() {
        out.text(if at == 0 { b"" } else { b", " }).text(name).text(b"=");
        let bare = !value.is_empty() && !value.iter().any(|byte| matches!(byte, 0..=b' ' | b'"' | b','));
        if bare {
            out.text(value);
        } else {
            out.text(b"\"").text(value).text(b"\"");
        }
    }
}

/// The same names and values in the same order; no name twice, and not more than may be.
fn same(one: &AuthParams<'_>, other: &AuthParams<'_>) {
    let all = |params: &AuthParams<'_>| {
        params
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect::<Vec<_>>()
    };
    let pairs = all(other);
    assert_eq!(all(one), pairs);
    assert!(pairs.len() <= 32, "{} parameters", pairs.len());
    for (name, value) in &pairs {
        assert_eq!(
            other.raw(name),
            Some(value.as_slice()),
            "a name that stands twice: {}",
            printable(name)
        );
    }
}

/// A message with this one value in all headers of one name.
fn message_of(name: &'static str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let status = Status::new(200).expect("200 is a status");
    Writer::response(&mut out, status, b"OK").text(name, value).finish(b"");
    out
}

/// Numbers of seconds, which are never negative and never wrap.
fn seconds(value: &[u8]) {
    for name in ["Expires", "Min-Expires", "Max-Forwards", "Flow-Timer"] {
        let read = |headers: &Headers<'_>| match name {
            "Expires" => headers.expires(),
            "Min-Expires" => headers.min_expires(),
            "Max-Forwards" => headers.max_forwards(),
            _ => headers.flow_timer(),
        };
        let message = message_of(name, value);
        let Ok(message) = Message::parse(&message) else { return };
        let Some(Ok(number)) = read(message.headers()) else { continue };
        let digits: Vec<u8> = value.trim_ascii().iter().copied().take_while(u8::is_ascii_digit).collect();
        let digits = String::from_utf8(digits).expect("digits are text");
        assert!(!digits.is_empty(), "a number out of nothing");
        assert_eq!(number, digits.parse().unwrap_or(u32::MAX), "{digits}");
    }
}

/// The elements of a list, put together again with commas, are the same elements.
fn lists(value: &[u8]) {
    let message = message_of("Contact", value);
    let Ok(message) = Message::parse(&message) else { return };
    let elements: Vec<_> = message.headers().list(Name::Contact).collect();
    assert_eq!(message.headers().contacts().count(), elements.len());
    let space = |end: Option<&u8>| end.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    assert!(
        !elements.iter().any(|element| space(element.first()) || space(element.last())),
        "not trimmed"
    );
    let again = message_of("Contact", &elements.join(&b", "[..]));
    let again = Message::parse(&again).expect("what is written is read");
    assert_eq!(again.headers().list(Name::Contact).collect::<Vec<_>>(), elements);
}

//! A URI that was read says the same when it is put together again, and comparing URIs keeps to the rules of comparing.

use sip_message::{NameAddr, OwnedUri, SipUri, Uri, UriError};

use super::escape::show;

/// The bytes are two URIs, the second behind the first line end.
pub fn uri(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (one, other) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let parsed = [one, other].map(|uri| SipUri::parse(uri).ok());
    for (text, parsed) in [one, other].into_iter().zip(&parsed) {
        owned(text);
        any_scheme(text);
        if let Some(parsed) = parsed {
            whole(text, parsed);
        }
    }
    if let [Some(one), Some(other)] = parsed {
        compared(&one, &other);
    }
}

fn any_scheme(text: &[u8]) {
    match Uri::parse(text) {
        Ok(Uri::Sip(uri)) => assert_eq!(SipUri::parse(text), Ok(uri)),
        Ok(uri @ (Uri::Tel(_) | Uri::Other(_))) => {
            assert_eq!((SipUri::parse(text), uri.sip()), (Err(UriError::NotSip), None));
        }
        Err(error) => assert_eq!(SipUri::parse(text), Err(error)),
    }
}

/// Put together of its parts it is read as the same parts, and as the same address.
fn whole(text: &[u8], uri: &SipUri<'_>) {
    assert!(uri.equivalent(uri), "a URI is equivalent to itself");
    let again = assembled(uri);
    let read = SipUri::parse(&again).unwrap_or_else(|error| panic!("{error}: {}", sip_message::printable(&again)));
    assert_eq!(read, *uri, "{}", sip_message::printable(&again));
    assert!(read.equivalent(uri) && uri.equivalent(&read));
    assert_eq!(SipUri::user_of(&again), uri.user);
    show(uri.host.to_string().as_bytes());
    if let (Some(name), Some(user)) = (uri.user_name(), uri.user) {
        assert!(name.len() <= user.len() && (user.contains(&b'%') || name == user));
    }
    assert_eq!(uri.transport(), uri.params.find("transport").flatten());
    // In angle brackets it is the whole of an address, without parameters of the header.
    if !text.iter().any(|byte| matches!(byte, b'<' | b'>')) {
        let bracketed = [b"<", text, b">"].concat();
        let address = NameAddr::parse(&bracketed).expect("a URI in brackets is an address");
        assert_eq!((address.uri(), address.params.iter().count()), (Ok(Uri::Sip(*uri)), 0));
    }
}

/// The text of its parts. The `?` is always there, so that nothing at the end of the parameters is taken for the end of the line.
fn assembled(uri: &SipUri<'_>) -> Vec<u8> {
    let mut text = if uri.secure { b"sips:".to_vec() } else { b"sip:".to_vec() };
    if let Some(user) = uri.user {
        text.extend_from_slice(user);
        if let Some(password) = uri.password {
            text.push(b':');
            text.extend_from_slice(password);
        }
        text.push(b'@');
    }
    text.extend_from_slice(uri.host.to_string().as_bytes());
    if let Some(port) = uri.port {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    text.extend_from_slice(uri.params.as_bytes());
    text.push(b'?');
    text.extend_from_slice(uri.headers);
    text
}

/// Both ways round it is the same, and what differs in its kind is never the same (RFC 3261 §19.1.4).
fn compared(one: &SipUri<'_>, other: &SipUri<'_>) {
    let same = one.equivalent(other);
    assert_eq!(same, other.equivalent(one));
    assert!(!same || (one.secure, one.host, one.port) == (other.secure, other.host, other.port));
    assert!(!same || one.user_name() == other.user_name());
    assert!(one != other || same, "equal bytes are equivalent");
}

/// What owns its text is safe to write into a header, and reads as what it was made of.
fn owned(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(uri) = text.parse::<OwnedUri>() else { return };
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
    );
    assert_eq!((uri.as_str(), uri.to_string().as_str()), (text, text));
    assert_eq!(SipUri::parse(bytes), Ok(uri.parts()));
    assert_eq!(uri.is_secure(), uri.parts().secure);
}

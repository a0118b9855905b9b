//! Any bytes are read through every view without a panic, and what is shown of them is harmless.

use sip_message::{
    AuthParams, AuthenticationInfo, CSeq, Challenge, ChallengeSource, Contact, Credentials, Headers, Host, MAX_HEADERS, Message, Name,
    NameAddr, Params, Reason, RetryAfter, SipUri, Status, Uri, Via, Warning, Writer, printable, unfold, unquote,
};

/// The parser, all typed views, and [`printable`]: nothing panics, nothing that is shown can move a cursor, and whatever header value
/// was read can be written again into a message with exactly as many headers.
pub fn message(bytes: &[u8]) {
    show(bytes);
    value(bytes);
    let Ok(message) = Message::parse(bytes) else { return };
    match &message {
        Message::Request(request) => {
            uri(request.uri);
            show(request.method.as_bytes());
        }
        Message::Response(response) => {
            assert!((100..700).contains(&response.status.code()));
            show(response.reason);
        }
    }
    let headers = message.headers();
    assert!(headers.len() <= MAX_HEADERS);
    assert_eq!(headers.iter().count(), headers.len());
    all_headers(headers);
    written_again(&message);
}

/// Shows bytes: no control character, no mark that hides or turns text, and plain text stays as it is.
fn show(bytes: &[u8]) {
    let shown = printable(bytes);
    let harmful = |character: char| {
        character.is_control()
            || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!shown.contains(harmful), "{shown:?} is shown");
    let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    assert!(!plain || shown.as_bytes() == bytes);
}

fn all_headers(headers: &Headers<'_>) {
    for field in headers.iter() {
        show(field.raw_name);
        value(field.value);
        assert!(headers.named(&String::from_utf8_lossy(field.raw_name)).is_some() || !field.raw_name.is_ascii());
    }
    let _ = (
        headers.via().is_some(),
        headers.call_id(),
        headers.cseq(),
        headers.expires(),
        headers.min_expires(),
    );
    let _ = (
        headers.max_forwards(),
        headers.flow_timer(),
        headers.retry_after(),
        headers.product(),
    );
    let _ = headers.authentication_info().map(|info| info.map(|info| auth(&info.params)));
    for view in [headers.from(), headers.to()].into_iter().flatten().flatten() {
        address(&view);
    }
    headers.vias().flatten().for_each(|view| via(&view));
    headers.contacts().flatten().for_each(|view| contact(&view));
    headers
        .challenges()
        .filter_map(|field| field.challenge.ok())
        .for_each(|view| auth(&view.params));
    for source in [ChallengeSource::Www, ChallengeSource::Proxy] {
        headers.credentials(source).flatten().for_each(|view| auth(&view.params));
    }
    for name in [Name::Path, Name::ServiceRoute, Name::RecordRoute, Name::Route] {
        headers.routes(name).flatten().for_each(|view| address(&view));
        assert!(headers.list(name).count() <= headers.all(name).map(|value| value.len() + 1).sum::<usize>());
    }
    headers.warnings().flatten().for_each(|view| show(&view.text));
    headers.reasons().flatten().for_each(|view| show(view.protocol));
}

/// Reads bytes as a value of every kind.
fn value(bytes: &[u8]) {
    let _ = NameAddr::parse(bytes).map(|view| address(&view));
    let _ = Contact::parse(bytes).map(|view| contact(&view));
    let _ = Via::parse(bytes).map(|view| via(&view));
    Challenge::parse_list(bytes).flatten().for_each(|view| auth(&view.params));
    let _ = Credentials::parse(bytes).map(|view| auth(&view.params));
    let _ = AuthenticationInfo::parse(bytes).map(|view| auth(&view.params));
    let _ = (
        CSeq::parse(bytes).is_ok(),
        RetryAfter::parse(bytes).is_ok(),
        Warning::parse(bytes).is_ok(),
        Reason::parse(bytes).is_ok(),
    );
    let _ = Host::parse(bytes).map(|host| show(host.to_string().as_bytes()));
    assert!(unfold(bytes).len() <= bytes.len() && unquote(bytes).len() <= bytes.len());
    uri(bytes);
}

fn uri(bytes: &[u8]) {
    let Ok(Uri::Sip(uri)) = Uri::parse(bytes) else { return };
    assert!(uri.equivalent(&uri), "a URI is equivalent to itself");
    let other = SipUri::parse(b"sip:a@h;transport=tcp;x=y?b=c").expect("it is a URI");
    assert_eq!(uri.equivalent(&other), other.equivalent(&uri));
    show(uri.host.to_string().as_bytes());
    params(&uri.params);
    let _ = uri.transport();
}

fn address(view: &NameAddr<'_>) {
    show(&view.display_name());
    uri(view.raw_uri);
    params(&view.params);
    let _ = (view.tag(), view.instance(), view.expires(), view.reg_id(), view.q());
}

fn contact(view: &Contact<'_>) {
    match view {
        Contact::Star => {}
        Contact::Address(view) => address(view),
    }
}

fn via(view: &Via<'_>) {
    show(view.host.to_string().as_bytes());
    params(&view.params);
    let _ = (view.branch(), view.received(), view.rport());
}

fn params(view: &Params<'_>) {
    for param in view.iter() {
        if let (Ok(name), false) = (std::str::from_utf8(param.name), param.name.is_empty()) {
            assert!(view.find(name).is_some(), "a parameter that is there is found");
            let _ = view.text(name);
        }
    }
}

fn auth(view: &AuthParams<'_>) {
    for (name, _) in view.iter() {
        assert!(view.raw(name).is_some(), "a parameter that is there is found");
        let _ = view.text(name);
    }
}

/// Whatever was read as a value stays one value when it is written.
fn written_again(message: &Message<'_>) {
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, Status::new(200).expect("200 is a status"), b"OK");
    for field in message.headers().iter() {
        writer.text("X", field.value);
    }
    writer.finish(message.body());
    // Unfolding may leave it longer than what may be read.
    let Ok(again) = Message::parse(&out) else {
        assert!(
            out.len() > sip_message::MAX_HEAD / 2 || message.headers().len() >= MAX_HEADERS - 1,
            "what is written cannot be read"
        );
        return;
    };
    assert_eq!(again.headers().all(Name::Other).count(), message.headers().len());
    assert_eq!(again.body(), message.body());
}

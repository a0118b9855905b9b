//! Any bytes are read through every view without a panic, and what is shown of them is harmless.

use sip_message::{
    AuthParams, AuthenticationInfo, CSeq, Challenge, ChallengeSource, Contact, Credentials, Headers, Host, MAX_HEADERS, Message, Name,
    NameAddr, Params, Reason, RetryAfter, SipUri, Uri, Via, Warning, Weight, Writer, inspect, unfold, unquote,
};

use super::escape::show;

/// The parser, all typed views, and what is shown of them: nothing panics, nothing that is shown can move a cursor, and what was read can
/// be written again and is the same.
pub fn message(bytes: &[u8]) {
    show(bytes);
    value(bytes);
    inspected(bytes);
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

/// The inspection agrees with the parser, tells an unusable message by one error, and what it says can be shown.
fn inspected(bytes: &[u8]) {
    let inspection = inspect(bytes);
    assert_eq!(inspection.usable.err(), Message::parse(bytes).err());
    let errors = inspection
        .found
        .iter()
        .filter(|found| found.anomaly.weight() == Weight::Error)
        .count();
    assert_eq!(errors, usize::from(inspection.usable.is_err()));
    for found in &inspection.found {
        assert!(!found.to_string().contains(char::is_control), "{found:?}");
    }
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

/// What is read and written again is the same message: the start line, as many headers with the same values, the body.
fn written_again(message: &Message<'_>) {
    let mut out = Vec::new();
    let mut writer = match message {
        Message::Request(request) => Writer::request(&mut out, request.method.as_bytes(), request.uri),
        Message::Response(response) => Writer::response(&mut out, response.status, response.reason),
    };
    for field in message.headers().iter() {
        writer.text("X", unfold(field.value));
    }
    writer.finish(message.body());
    // Other names and a length that was not there may leave it longer than what may be read.
    let Ok(again) = Message::parse(&out) else {
        assert!(
            out.len() > sip_message::MAX_HEAD / 2 || message.headers().len() >= MAX_HEADERS - 1,
            "what is written cannot be read"
        );
        return;
    };
    let values: Vec<_> = message.headers().iter().map(|field| on_one_line(field.value)).collect();
    let written: Vec<_> = again.headers().all(Name::Other).map(<[u8]>::to_vec).collect();
    assert_eq!(written, values);
    assert_eq!(again.body(), message.body());
    match (message, &again) {
        (Message::Request(one), Message::Request(other)) => assert_eq!(graphic(one.uri), other.uri),
        (Message::Response(one), Message::Response(other)) => assert_eq!(one.status, other.status),
        (Message::Request(_), Message::Response(_)) | (Message::Response(_), Message::Request(_)) => panic!("it changed its kind"),
    }
}

/// A value as the writer leaves it: without folds, CR, LF and NUL, and without white space around it, which a form feed is not
/// (RFC 3261 §25.1 `LWS`).
fn on_one_line(value: &[u8]) -> Vec<u8> {
    let line: Vec<u8> = unfold(value).iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default().to_vec()
}

/// What a start line can hold of a URI.
fn graphic(uri: &[u8]) -> Vec<u8> {
    uri.iter().copied().filter(u8::is_ascii_graphic).collect()
}

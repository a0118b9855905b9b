//! Reads bytes through every view of the crate. Shared by the tests that feed it strange bytes; what is returned only keeps the
//! reading from being left out.

use sip_message::{
    AuthParams, AuthenticationInfo, CSeq, Challenge, ChallengeSource, Contact, Credentials, Framer, Headers, Host, Message, Name, NameAddr,
    Params, Reason, RetryAfter, SipUri, Uri, Via, Warning, printable, unfold, unquote,
};

/// Reads `bytes` as a message, as a stream and as a value of every kind. Returns how many things could be read.
pub(crate) fn read(bytes: &[u8]) -> usize {
    let mut count = stream(bytes) + value(bytes);
    if let Ok(message) = Message::parse(bytes) {
        let start = match &message {
            Message::Request(request) => uri(request.uri) + request.method.as_bytes().len(),
            Message::Response(response) => usize::from(response.status.code()) + printable(response.reason).len(),
        };
        count += start + headers(message.headers()) + message.body().len() + format!("{message:?}").len();
    }
    count
}

fn stream(bytes: &[u8]) -> usize {
    let mut framer = Framer::default();
    framer.push(bytes);
    std::iter::from_fn(|| framer.poll().ok().flatten().map(|_| ())).count()
}

fn headers(headers: &Headers<'_>) -> usize {
    let fields: usize = headers
        .iter()
        .map(|field| {
            value(field.value) + printable(field.raw_name).len() + headers.named(&printable(field.raw_name)).map_or(0, <[u8]>::len)
        })
        .sum();
    let single = [
        headers.via().is_some_and(|view| view.is_ok()),
        headers.from().is_some_and(|view| view.is_ok()),
        headers.to().is_some_and(|view| view.is_ok()),
        headers.call_id().is_some(),
        headers.cseq().is_some_and(|view| view.is_ok()),
        headers.expires().is_some_and(|view| view.is_ok()),
        headers.min_expires().is_some_and(|view| view.is_ok()),
        headers.max_forwards().is_some_and(|view| view.is_ok()),
        headers.flow_timer().is_some_and(|view| view.is_ok()),
        headers.retry_after().is_some_and(|view| view.is_ok()),
        headers.authentication_info().is_some_and(|view| view.is_ok()),
        headers.product().is_some(),
        headers.is_empty(),
    ];
    let routes = [Name::Path, Name::ServiceRoute, Name::RecordRoute, Name::Route];
    fields
        + headers.len()
        + single.iter().filter(|read| **read).count()
        + headers.vias().flatten().map(|view| via(&view)).sum::<usize>()
        + headers.contacts().flatten().map(|view| contact(&view)).sum::<usize>()
        + headers
            .challenges()
            .filter_map(|field| field.challenge.ok())
            .map(|view| auth(&view.params))
            .sum::<usize>()
        + [ChallengeSource::Www, ChallengeSource::Proxy]
            .into_iter()
            .flat_map(|source| headers.credentials(source))
            .flatten()
            .map(|view| auth(&view.params))
            .sum::<usize>()
        + routes
            .into_iter()
            .flat_map(|name| headers.routes(name))
            .flatten()
            .map(|view| address(&view))
            .sum::<usize>()
        + headers.warnings().flatten().count()
        + headers.reasons().flatten().count()
}

fn value(bytes: &[u8]) -> usize {
    NameAddr::parse(bytes).map_or(0, |view| address(&view))
        + Contact::parse(bytes).map_or(0, |view| contact(&view))
        + Via::parse(bytes).map_or(0, |view| via(&view))
        + Challenge::parse_list(bytes).flatten().map(|view| auth(&view.params)).sum::<usize>()
        + Credentials::parse(bytes).map_or(0, |view| auth(&view.params))
        + AuthenticationInfo::parse(bytes).map_or(0, |view| auth(&view.params))
        + CSeq::parse(bytes).map_or(0, |view| view.method.as_bytes().len())
        + RetryAfter::parse(bytes).map_or(0, |view| view.comment.map_or(1, <[u8]>::len))
        + Warning::parse(bytes).map_or(0, |view| view.text.len())
        + Reason::parse(bytes).map_or(0, |view| view.protocol.len())
        + usize::from(Host::parse(bytes).is_some())
        + uri(bytes)
        + printable(bytes).len()
        + unfold(bytes).len()
        + unquote(bytes).len()
}

fn uri(bytes: &[u8]) -> usize {
    let Ok(Uri::Sip(uri)) = Uri::parse(bytes) else {
        return 0;
    };
    assert!(uri.equivalent(&uri), "a URI is equivalent to itself: {}", printable(bytes));
    let other = SipUri::parse(b"sip:a@h;transport=tcp;x=y?b=c").expect("the test's own URI is valid");
    assert_eq!(uri.equivalent(&other), other.equivalent(&uri), "{}", printable(bytes));
    uri.host.to_string().len() + params(&uri.params) + uri.transport().map_or(0, <[u8]>::len)
}

fn address(view: &NameAddr<'_>) -> usize {
    view.display_name().len()
        + uri(view.raw_uri)
        + params(&view.params)
        + view.tag().map_or(0, <[u8]>::len)
        + view.instance().map_or(0, |instance| instance.len())
        + usize::from(view.expires().is_some())
        + usize::from(view.reg_id().is_some())
        + view.q().map_or(0, <[u8]>::len)
}

fn contact(view: &Contact<'_>) -> usize {
    match view {
        Contact::Star => 1,
        Contact::Address(view) => address(view),
    }
}

fn via(view: &Via<'_>) -> usize {
    view.host.to_string().len()
        + params(&view.params)
        + view.branch().map_or(0, <[u8]>::len)
        + usize::from(view.received().is_some())
        + usize::from(view.rport().is_some())
}

fn params(view: &Params<'_>) -> usize {
    view.iter()
        .map(|param| {
            let name = printable(param.name);
            view.find(&name).is_some() as usize + view.text(&name).map_or(0, |text| text.len())
        })
        .sum()
}

fn auth(view: &AuthParams<'_>) -> usize {
    view.iter()
        .map(|(name, raw)| view.raw(name).map_or(0, <[u8]>::len) + view.text(name).map_or(0, |text| text.len()) + raw.len())
        .sum()
}

//! What an account says is what its requests say, whatever characters it is made of: nothing more, nothing less, no line of its own.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use sip_digest::Secret;
use sip_message::{Contact, Message, Name, OwnedUri, Request};
use sip_registration::locate::{Target, TargetSource};
use sip_registration::{
    Account, Action, Advertised, ContactPlan, Endpoint, FlowId, Goal, Input, Opened, Policy, Registrant, Transport, host_port,
};

use super::draw::{Draw, PASSWORD, shows_password};
use super::reply::Template;
use crate::clock::origin;

const GOALS: [Goal; 5] = [Goal::Register, Goal::Unregister, Goal::Clear, Goal::Fetch, Goal::Ping];
const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// The bytes are an account and the challenge that its first request gets. Both requests say what the account says.
pub fn request(bytes: &[u8]) {
    if shows_password(bytes) {
        return;
    }
    let mut draw = Draw::new(bytes);
    let goal = draw.pick(&GOALS);
    let Some(account) = account(&mut draw) else { return };
    let account = Arc::new(account);
    let mut registrant = Registrant::new([3; 32], Policy::one_shot());
    let key = registrant.add(origin(), Arc::clone(&account));
    registrant.order(origin(), key, goal);
    let Some(flow) = open(&mut registrant) else { return };
    let Some(first) = sent(&mut registrant) else { return };
    check(&first, &account, goal);

    let reply = Template::of(&first).challenged_by(draw.rest());
    registrant.handle_input(
        origin(),
        Input::Received {
            flow,
            source: REMOTE.into(),
            bytes: &reply,
        },
    );
    if let Some(second) = sent(&mut registrant) {
        check(&second, &account, goal);
    }
}

const REMOTE: ([u8; 4], u16) = ([192, 0, 2, 1], 5060);
const LOCAL: ([u8; 4], u16) = ([10, 0, 0, 1], 50_000);

fn account(draw: &mut Draw<'_>) -> Option<Account> {
    let transport = draw.pick(&TRANSPORTS);
    let choices = draw.byte();
    let chosen = |bit: u8| choices & 1 << bit != 0;
    let uri = |draw: &mut Draw<'_>| format!("sip:{}", draw.text(40)).parse::<OwnedUri>().ok();
    let target = Target {
        endpoint: Endpoint {
            transport,
            remote: REMOTE.into(),
            server_name: "192.0.2.1".into(),
        },
        source: TargetSource::Numeric,
    };
    Some(Account {
        aor: uri(draw)?,
        registrar: uri(draw)?,
        outbound_proxy: if chosen(0) { Some(uri(draw)?) } else { None },
        transport: None,
        target: Some(target.into()),
        auth_user: chosen(1).then(|| draw.text(40).into()),
        secret: Some(Secret::Password(PASSWORD.into())),
        challenges: None,
        contact: if chosen(2) {
            ContactPlan::Fixed(uri(draw)?)
        } else {
            ContactPlan::Automatic {
                user: draw.text(40).into(),
            }
        },
        advertise: chosen(3).then(|| Advertised {
            host: "pbx.example.test".into(),
            port: Some(draw.short()),
        }),
        instance: chosen(4).then(|| draw.text(40).into()),
        reg_id: NonZeroU32::new(draw.number()),
        expires: draw.number(),
        user_agent: draw.text(40).into(),
    })
}

/// Opens the flow that is asked for.
fn open(registrant: &mut Registrant) -> Option<FlowId> {
    let Some(Action::Open(flow, _)) = registrant.poll_action() else {
        return None;
    };
    let opened = Opened {
        local: LOCAL.into(),
        connected_at: None,
        tls: None,
    };
    registrant.handle_input(origin(), Input::Opened(flow, opened));
    Some(flow)
}

fn sent(registrant: &mut Registrant) -> Option<Vec<u8>> {
    let mut datagram = Vec::new();
    registrant.poll_transmit(&mut datagram).map(|_| datagram)
}

/// Holds a request against its account.
fn check(bytes: &[u8], account: &Account, goal: Goal) {
    let shown = sip_message::printable(bytes);
    let Ok(Message::Request(request)) = Message::parse(bytes) else {
        panic!("it cannot be read as a request: {shown}");
    };
    assert!(!shows_password(bytes), "the password went out");
    assert_eq!(request.uri, account.registrar.as_str().as_bytes(), "{shown}");
    assert_eq!(names(&request), expected_names(account, goal), "{shown}");
    let headers = &request.headers;
    let to = if goal == Goal::Ping { &account.registrar } else { &account.aor };
    let raw = |view: Option<Result<sip_message::NameAddr<'_>, _>>| {
        view.and_then(Result::ok)
            .map(|view: sip_message::NameAddr<'_>| view.raw_uri.to_vec())
    };
    assert_eq!(raw(headers.from()), Some(account.aor.as_str().into()), "{shown}");
    assert_eq!(raw(headers.to()), Some(to.as_str().into()), "{shown}");
    assert_eq!(
        headers.first(Name::UserAgent).map(<[u8]>::to_vec),
        Some(on_one_line(&account.user_agent)),
        "{shown}"
    );
    if let Some(proxy) = &account.outbound_proxy {
        let route = headers
            .routes(Name::Route)
            .next()
            .and_then(Result::ok)
            .expect("the proxy is a route");
        assert!(route.raw_uri.starts_with(proxy.as_str().as_bytes()), "{shown}");
    }
    let via = headers.via().and_then(Result::ok).expect("the Via is readable");
    let port = account.advertise.as_ref().map_or(LOCAL.1, |advertise| advertise.port.unwrap_or(0));
    assert_eq!((via.port, via.branch().is_some()), (Some(port), true), "{shown}");
    contact(&request, account, goal, &shown);
}

fn contact(request: &Request<'_>, account: &Account, goal: Goal, shown: &str) {
    let contacts: Vec<_> = request.headers.contacts().collect();
    let address = match (goal, contacts.as_slice()) {
        (Goal::Fetch | Goal::Locate, []) | (Goal::Clear, [Ok(Contact::Star)]) => return,
        (Goal::Register | Goal::Unregister | Goal::Ping, [Ok(Contact::Address(address))]) => address,
        _ => panic!("the contacts are not what {goal:?} wants: {shown}"),
    };
    match &account.contact {
        ContactPlan::Fixed(uri) => assert_eq!(address.raw_uri, uri.as_str().as_bytes(), "{shown}"),
        ContactPlan::Automatic { .. } => {
            let uri = address.uri().ok();
            let uri = uri
                .as_ref()
                .and_then(sip_message::Uri::sip)
                .unwrap_or_else(|| panic!("no SIP URI in {shown}"));
            let host = if account.advertise.is_some() {
                "pbx.example.test".to_owned()
            } else {
                host_port(local())
            };
            assert!(host.starts_with(&uri.host.to_string()), "{shown}");
        }
    }
    if goal == Goal::Ping {
        return;
    }
    let expires = if goal == Goal::Register { account.expires } else { 0 };
    assert_eq!(
        (address.expires(), request.headers.expires()),
        (Some(expires), Some(Ok(expires))),
        "{shown}"
    );
    assert_eq!(
        address.reg_id(),
        account.instance.as_ref().and(account.reg_id).map(NonZeroU32::get),
        "{shown}"
    );
    let params = 1 + usize::from(account.instance.is_some()) + usize::from(account.instance.is_some() && account.reg_id.is_some());
    assert_eq!(address.params.iter().count(), params, "{shown}");
}

fn local() -> SocketAddr {
    LOCAL.into()
}

/// The names of the headers, but for credentials, which depend on the challenge.
fn names(request: &Request<'_>) -> Vec<String> {
    let names = request
        .headers
        .iter()
        .map(|field| String::from_utf8_lossy(field.raw_name).into_owned());
    names.filter(|name| !name.ends_with("Authorization")).collect()
}

fn expected_names(account: &Account, goal: Goal) -> Vec<&'static str> {
    let contact: &[&str] = match goal {
        Goal::Register | Goal::Unregister | Goal::Clear => &["Contact", "Expires"],
        Goal::Fetch | Goal::Locate => &[],
        Goal::Ping => &["Contact", "Accept"],
    };
    let route: &[&str] = if account.outbound_proxy.is_some() { &["Route"] } else { &[] };
    let parts = [
        &["Via"],
        route,
        &["Max-Forwards", "From", "To", "Call-ID", "CSeq"],
        contact,
        &["User-Agent", "Allow", "Supported", "Content-Length"],
    ];
    parts.concat()
}

/// What becomes of a value that a header cannot hold: CR, LF and NUL are spaces, and spaces around it do not count.
fn on_one_line(text: &str) -> Vec<u8> {
    text.replace(['\r', '\n', '\0'], " ").trim_matches([' ', '\t']).into()
}

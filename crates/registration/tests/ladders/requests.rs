//! What our requests look like, byte by byte where it matters (RFC 3261 §8.1.1, §10.2, RFC 3581, RFC 5626), and by which transport they go.

use std::num::NonZeroU32;
use std::time::Duration;

use sip_registration::{Action, Advertised, Closed, ContactPlan, Goal, RecordKind, Records, Registrant, Srv, Transport};

use crate::peer::{BOUND, CHALLENGE, parse};
use crate::setup::{INSTANCE, Setup};
use crate::world::{self, Door, World, stored};

/// The request that answers a challenge to this goal, whole; what is random is blanked.
fn whole(setup: Setup, goal: Goal) -> String {
    let mut world = World::new(setup);
    world.order(goal);
    world.wait(Duration::from_millis(10));
    world.reply("401 Unauthorized", &[&CHALLENGE.replace("qop", "opaque=\"o\\\"o\", qop")]);
    let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    text.lines().map(blanked).collect::<Vec<_>>().join("\n")
}

/// Takes the random parts out of a header line.
fn blanked(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, end) in [
        (";branch=", '\0'),
        (";tag=", '\0'),
        ("Call-ID: ", '\0'),
        ("cnonce=\"", '"'),
        ("response=\"", '"'),
    ] {
        if let Some(at) = line.find(before) {
            let from = at + before.len();
            let to = line[from..].find(end).map_or(line.len(), |length| from + length);
            line.replace_range(from..to, "…");
        }
    }
    line
}

#[test]
fn whole_requests_are_as_stored() {
    let mut text = String::new();
    for goal in [Goal::Register, Goal::Unregister, Goal::Clear, Goal::Fetch, Goal::Ping] {
        text += &format!("--- {}\n{}\n", goal.name(), whole(Setup::probe(), goal));
    }
    let rich = Setup::probe()
        .proxy("sip:192.0.2.99;transport=tcp")
        .instance(1)
        .registrar("sip:example.test")
        .account(|account| account.auth_user = Some("al\"ice".into()));
    text += &format!("--- register by a proxy, with an instance\n{}\n", whole(rich, Goal::Register));
    stored("requests/whole", &text);
}

#[test]
fn sips_goes_by_tls_whatever_the_proxy_is_called() {
    let setups = [
        Setup::probe().registrar("sips:example.test").proxy("sip:192.0.2.99"),
        Setup::probe()
            .account(|account| account.aor = "sips:alice@example.test".parse().unwrap())
            .registrar("sip:192.0.2.99"),
    ];
    for setup in setups {
        let mut world = World::new(setup);
        world.register();
        world.interrupt();
        let targets: Vec<Transport> = world
            .attempt()
            .targets
            .iter()
            .map(|tried| tried.target.endpoint.transport)
            .collect();
        assert_eq!(targets, [Transport::Tls]);
    }
}

#[test]
fn an_outbound_proxy_is_the_next_hop_and_a_loose_route() {
    let mut world = World::new(Setup::probe().registrar("sip:example.test").proxy("sip:192.0.2.99"));
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn ipv6_stands_in_brackets() {
    let mut world = World::new(Setup::probe().registrar("sip:[2001:db8::10]"));
    world.register();
    let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(text.contains("Via: SIP/2.0/UDP [2001:db8::1]:40000;rport;branch="), "{text}");
    world.reply("401 Unauthorized", &[CHALLENGE]);
    // The registrar writes the same address another way.
    world.reply("200 OK", &["Contact: <sip:alice@[2001:DB8:0:0::1]:40000>;expires=3600"]);
    world.is_as_stored();
}

#[test]
fn an_advertised_address_stands_in_via_and_contact() {
    for (advertised, shown) in [
        (("pbx.example.test", Some(5070)), "pbx.example.test:5070"),
        (("203.0.113.5", None), "203.0.113.5:40000"),
    ] {
        let advertise = Advertised {
            host: advertised.0.into(),
            port: advertised.1,
        };
        let mut world = World::new(Setup::probe().account(|account| account.advertise = Some(advertise)));
        world.register();
        let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
        assert!(text.contains(&format!("Via: SIP/2.0/UDP {shown};rport")), "{text}");
        assert!(text.contains(&format!("Contact: <sip:alice@{shown}>;expires=3600")), "{text}");
        world.reply("200 OK", &[BOUND]);
        assert!(world.attempt().notices.is_empty(), "{:?}", world.attempt().notices);
    }
}

#[test]
fn a_fixed_contact_goes_out_as_it_is() {
    let contact = ContactPlan::Fixed("sip:front-door@203.0.113.7:5062;transport=udp".parse().unwrap());
    let mut world = World::new(Setup::probe().account(|account| account.contact = contact));
    world.register();
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn a_user_part_with_odd_characters_is_escaped() {
    let contact = ContactPlan::Automatic {
        user: "a b<c>\r\nX: y@z\u{e9}".into(),
    };
    let mut world = World::new(Setup::probe().account(|account| account.contact = contact));
    world.register();
    let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(
        text.contains("<sip:a%20b%3Cc%3E%0D%0AX%3A%20y%40z%C3%A9@198.51.100.1:40000>"),
        "{text}"
    );
}

#[test]
fn a_reg_id_goes_out_only_with_an_instance() {
    let mut world = World::new(Setup::probe().account(|account| account.reg_id = NonZeroU32::new(3)));
    world.register();
    let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(!text.contains("reg-id") && !text.contains("outbound"), "{text}");
    let mut world = World::new(Setup::probe().instance(3));
    world.register();
    let text = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(
        text.contains(&format!(";+sip.instance=\"<{INSTANCE}>\";reg-id=3;expires=3600")),
        "{text}"
    );
    assert!(text.contains("Supported: path, gruu, outbound"), "{text}");
}

#[test]
fn sips_binds_a_sips_contact_over_tls() {
    let mut world = World::new(Setup::probe().registrar("sips:192.0.2.10"));
    world.register();
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    world.is_as_stored();
}

#[test]
fn nothing_can_break_out_of_a_header() {
    let hostile = "WWW-Authenticate: Digest realm=\"r\\\"\", nonce=\"n\\\\\", opaque=\"x\", algorithm=MD5";
    let mut world = World::new(Setup::probe().account(|account| {
        account.user_agent = "probe\r\nX-Injected: 1".into();
        account.instance = Some("urn:x\"\r\nX-Injected: 2".into());
        account.auth_user = Some("u\"\r\nX-Injected: 3".into());
    }));
    world.register();
    world.reply("401 Unauthorized", &[hostile]);
    for sent in &world.wire {
        let request = parse(&sent.bytes);
        assert!(request.headers.named("X-Injected").is_none());
    }
    assert_eq!(world.wire.len(), 2);
}

fn large() -> Setup {
    Setup::probe().account(|account| account.user_agent = "x".repeat(1300).into())
}

#[test]
fn a_large_request_goes_by_tcp() {
    let mut world = World::new(large());
    world.register();
    world.wait(Duration::from_millis(10));
    world.reply("200 OK", &[BOUND]);
    assert_eq!(world.last_request().bytes.windows(7).filter(|seven| seven == b"UDP 198").count(), 0);
    let ladder = world.attempt().targets.len();
    assert_eq!(ladder, 2);
}

#[test]
fn a_large_request_goes_by_the_tcp_that_dns_names() {
    let mut world = World::new(large().registrar("sip:example.test"));
    for (service, port) in [("_sip._udp.example.test", 5080), ("_sip._tcp.example.test", 5090)] {
        let record = Srv {
            priority: 1,
            weight: 1,
            port,
            target: "a.example.test".into(),
        };
        world.zone.push((service, RecordKind::Srv, Ok(Records::Srv(vec![record]))));
    }
    let addresses = Records::Addresses(vec!["192.0.2.1".parse().unwrap()]);
    world.zone.push(("a.example.test", RecordKind::A, Ok(addresses)));
    world.register();
    world.wait(Duration::from_millis(50));
    let endpoint = &world.flows[&world.last_request().flow].endpoint;
    assert_eq!(
        (endpoint.transport, endpoint.remote),
        (Transport::Tcp, "192.0.2.1:5090".parse().unwrap())
    );
    world.reply("200 OK", &[BOUND]);
    let targets: Vec<_> = world
        .attempt()
        .targets
        .iter()
        .map(|tried| tried.target.endpoint.remote.port())
        .collect();
    assert_eq!(targets, [5090, 5080]);
}

/// What is known of one account's target says nothing of another's.
#[test]
fn accounts_at_one_address_have_each_its_own_transport_and_port() {
    let setup = Setup::probe();
    let (mut registrant, now) = (Registrant::new([setup.seed; 32], setup.policy.clone()), world::origin());
    for (registrar, transport) in [
        ("sip:192.0.2.10", Transport::Udp),
        ("sip:192.0.2.10", Transport::Tcp),
        ("sip:192.0.2.10:5070", Transport::Tcp),
        ("sip:192.0.2.10", Transport::Udp),
    ] {
        let key = registrant.add(now, setup.clone().registrar(registrar).transport(transport).shared_account());
        registrant.order(now, key, Goal::Register);
    }
    let opened: Vec<_> = std::iter::from_fn(|| registrant.poll_action())
        .map(|action| match action {
            Action::Open(_, endpoint) => (endpoint.transport, endpoint.remote.port()),
            Action::Query(..) | Action::Close(_) => panic!("an address needs no look-up"),
        })
        .collect();
    assert_eq!(opened, [(Transport::Udp, 5060), (Transport::Tcp, 5060), (Transport::Tcp, 5070)]);
}

#[test]
fn a_large_request_falls_back_to_udp_when_tcp_is_refused() {
    let mut world = World::new(Setup::probe().account(|account| account.user_agent = "x".repeat(700).into()));
    world.register();
    // The credentials make the request too large for UDP.
    world.doors.push(("192.0.2.10:5060".parse().unwrap(), Door::Shut(Closed::Refused)));
    let long_nonce = CHALLENGE.replace("n1", &"n".repeat(300));
    world.reply("401 Unauthorized", &[&long_nonce]);
    world.doors.clear();
    world.wait(Duration::from_millis(10));
    let transports: Vec<Transport> = world.wire.iter().map(|sent| world.flows[&sent.flow].endpoint.transport).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Udp]);
    world.reply("401 Unauthorized", &[&long_nonce]);
    world.reply("200 OK", &[BOUND]);
    let outcomes: Vec<String> = world.attempt().targets.iter().map(|tried| format!("{:?}", tried.outcome)).collect();
    assert_eq!(outcomes, ["Failed(ConnectionRefused)", "Served"]);
}

#[test]
fn a_large_request_stays_on_udp_when_the_user_decided_so() {
    let mut world = World::new(large().transport(Transport::Udp));
    world.register();
    assert_eq!(world.flows[&world.last_request().flow].endpoint.transport, Transport::Udp);
}

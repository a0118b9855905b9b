//! Which way to Kamailio: proxies, local and shown addresses, IPv6, overrides, and nobody there (RFC 3261 §8.1.2, RFC 3581).

use std::net::{IpAddr, SocketAddr, TcpListener};

use serde_json::Value;

use crate::alice;
use crate::lab::Lab;
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::port::{self, LOOPBACK};
use crate::support::run::Run;

#[test]
fn an_outbound_proxy_is_where_it_goes_and_the_aor_keeps_its_domain() {
    let kamailio = Kamailio::start(Setup::default());
    let proxy = kamailio.udp().to_string();
    let report = Run::probe("alice@example.test")
        .with(&["--proxy", &proxy, "--trace"])
        .report()
        .registered();
    report.holds(&[
        ("/aor", "sip:alice@example.test".into()),
        ("/registrar", "sip:example.test".into()),
        ("/network/server", proxy.clone().into()),
    ]);
    assert!(report.text("/outbound_proxy").contains(&proxy), "{report}");
    let asked = report.messages("sent")[0];
    assert!(asked.starts_with("REGISTER sip:example.test SIP/2.0"), "{asked}");
    assert!(asked.contains(&format!("Route: <sip:{proxy};lr>")), "{asked}");
    assert!(asked.contains("To: <sip:alice@example.test>"), "{asked}");

    let registrar = format!("sip:{proxy};transport=tcp");
    let report = Run::probe("alice@example.test")
        .with(&["--registrar", &registrar])
        .report()
        .registered();
    report.holds(&[("/transport", "tcp".into()), ("/outbound_proxy", Value::Null)]);
}

#[test]
fn the_local_address_can_be_chosen_and_another_one_shown() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let port = port::free(LOOPBACK);
    let local = format!("127.0.0.1:{port}");
    let report = Run::probe(&alice(address)).with(&["--local", &local]).report().registered();
    report.holds(&[
        ("/network/local", local.clone().into()),
        ("/network/seen_as", Value::Null),
        ("/binding/contact", format!("sip:alice@{local}").into()),
    ]);
    assert!(!report.findings().contains(&"nat_detected"), "{report}");

    let report = Run::probe(&alice(address)).with(&["--local", "127.0.0.2"]).report().registered();
    assert!(report.text("/network/local").starts_with("127.0.0.2:"), "{report}");

    let report = Run::probe(&alice(address))
        .with(&["--advertise", "198.51.100.7:5070", "--trace"])
        .report()
        .registered();
    report.holds(&[("/binding/contact", "sip:alice@198.51.100.7:5070".into())]);
    assert!(
        report.messages("sent")[0].contains("Via: SIP/2.0/UDP 198.51.100.7:5070;"),
        "{report}"
    );
}

#[test]
fn ipv6_registers_over_every_transport() {
    let kamailio = Kamailio::start(Setup {
        ipv6: true,
        ..Setup::default()
    });
    let ca_file = kamailio.ca_file().to_str().unwrap();
    for (transport, listener) in [("udp", kamailio.udp()), ("tcp", kamailio.tcp()), ("tls", kamailio.tls())] {
        let address = Kamailio::on_ipv6(listener);
        let report = Run::probe(&alice(address))
            .with(&["--transport", transport, "--ca-file", ca_file])
            .report()
            .registered();
        report.holds(&[
            ("/network/server", address.to_string().into()),
            ("/binding/removal", "confirmed".into()),
        ]);
        assert!(report.text("/binding/contact").starts_with("sip:alice@[::1]:"), "{report}");
    }
    let local: IpAddr = "::1".parse().unwrap();
    let address = Kamailio::on_ipv6(kamailio.udp());
    let report = Run::probe(&alice(address)).with(&["--local", &local.to_string(), "-6"]).report();
    report.registered();
}

#[test]
fn an_override_takes_the_place_of_dns() {
    let kamailio = Kamailio::start(Setup::default());
    let (silence, name_server) = port::black_hole();
    let port = kamailio.udp().port();
    let ca_file = kamailio.ca_file().to_str().unwrap();
    let aor = format!("alice@pbx.example.test:{port}");
    let dns = name_server.to_string();
    let resolve = format!("PBX.example.test:{port}:127.0.0.1");
    let report = Run::probe(&aor).with(&["--resolve", &resolve, "--dns", &dns]).report().registered();
    report.holds(&[
        ("/network/targets/0/source", "override".into()),
        ("/registrar", format!("sip:pbx.example.test:{port}").into()),
    ]);

    let port = kamailio.tls().port();
    let resolve = format!("pbx.example.test:{port}:127.0.0.1");
    let aor = format!("sips:alice@pbx.example.test:{port}");
    let report = Run::probe(&aor)
        .with(&["--resolve", &resolve, "--dns", &dns, "--ca-file", ca_file])
        .report()
        .registered();
    report.holds(&[("/transport", "tls".into()), ("/tls/server_name", "pbx.example.test".into())]);

    silence.set_nonblocking(true).unwrap();
    assert!(silence.recv(&mut [0; 512]).is_err(), "the name server was not asked");
}

#[test]
fn where_nobody_listens_it_is_said_at_once() {
    let closed = port::closed();
    let report = Run::probe(&alice(closed)).report().failed("unreachable", 5);
    report.holds(&[
        ("/opensips_state", "REGISTER_TIMEOUT_STATE".into()),
        ("/network/targets/0/outcome", "unreachable".into()),
    ]);
    assert!(report.total().as_secs() < 5, "not after the timeout of 10 s: {report}");
    let report = Run::probe(&alice(closed))
        .with(&["--transport", "tcp"])
        .report()
        .failed("connection_refused", 5);
    report.holds(&[("/requests", 0.into())]);
    let report = Run::probe(&alice(closed)).with(&["--transport", "tls"]).report();
    report.failed("connection_refused", 5);
    Run::new(&["ping", &closed.to_string()]).report().failed("unreachable", 5);
}

#[test]
fn a_listener_that_never_answers_is_told_from_one_that_is_not_there() {
    // The kernel takes the connections, nobody ever reads them.
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let aor = alice(listener.local_addr().unwrap());
    let probe = |transport: &str| Run::probe(&aor).with(&["--transport", transport, "--timeout", "700ms"]).report();
    probe("tcp")
        .failed("no_reply", 4)
        .holds(&[("/requests", 1.into()), ("/retransmissions", 0.into())]);
    probe("tls").failed("connect_timeout", 4).holds(&[("/requests", 0.into())]);
}

#[test]
fn tls_at_a_port_without_it_and_the_other_way_round() {
    let kamailio = Kamailio::start(Setup::default());
    let ca_file = kamailio.ca_file().to_str().unwrap();
    let report = Run::probe(&alice(kamailio.tcp()))
        .with(&["--transport", "tls", "--ca-file", ca_file, "--timeout", "2s"])
        .report();
    assert!(["tls_handshake", "connect_timeout"].contains(&report.text("/cause")), "{report}");
    let report = Run::probe(&alice(kamailio.tls()))
        .with(&["--transport", "tcp", "--timeout", "2s"])
        .report();
    assert!(["connection_lost", "malformed_reply"].contains(&report.text("/cause")), "{report}");
}

#[test]
fn a_request_too_large_for_udp_goes_by_tcp_where_that_answers() {
    let kamailio = Kamailio::start(Setup::default());
    let large = |address: SocketAddr| {
        let registrar = format!("sip:{address};filler={}", "x".repeat(950));
        Run::probe(&alice(address)).with(&["--registrar", &registrar])
    };
    // RFC 3261 §18.1.1: above 1300 bytes, unless the transport was chosen.
    let report = large(kamailio.udp()).report().registered();
    report.holds(&[("/transport", "tcp".into()), ("/binding/removal", "confirmed".into())]);
    let report = large(kamailio.udp()).with(&["--transport", "udp"]).report().registered();
    report.holds(&[("/transport", "udp".into())]);
    // The lab has nothing at the TCP port of that number.
    let lab = Lab::start("secret", &[]);
    let report = large(lab.address("udp").parse().unwrap()).report().registered();
    assert_eq!(report.outcomes(), ["connection_refused", "registered"], "{report}");
    report.holds(&[("/transport", "udp".into())]);
}

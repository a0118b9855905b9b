//! From a domain to Kamailio by dnsmasq's NAPTR, SRV and address records (RFC 3263), with dead targets on the way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde_json::Value;

use crate::lab::Lab;
use crate::support::dnsmasq::{Dnsmasq, Zone};
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::port;
use crate::support::run::Run;
use crate::support::scenario::Scenario;
use crate::support::sipp::Sipp;

const DOMAIN: &str = "example.test";
const PBX: &str = "pbx.example.test";
const ALICE: &str = "alice@example.test";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A run that asks this name server.
fn asking(dns: &Dnsmasq, words: &[&str]) -> Run {
    Run::new(words).with(&["--dns", &dns.address().to_string()])
}

/// Where a lab listens for UDP.
fn port_of(lab: &Lab) -> u16 {
    lab.address("udp").rsplit_once(':').unwrap().1.parse().unwrap()
}

/// NAPTR for UDP, and the SRV targets of it by priority, all at `pbx.example.test`.
fn udp_targets(ports: &[u16]) -> Zone {
    let zone = Zone::default()
        .naptr(DOMAIN, 10, 50, "SIP+D2U", "_sip._udp.example.test")
        .host(PBX, HERE);
    let by_priority = (10..).step_by(10).zip(ports);
    by_priority.fold(zone, |zone, (priority, port)| {
        zone.srv("_sip._udp.example.test", priority, 5, *port, PBX)
    })
}

#[test]
fn a_dead_first_target_is_passed_over() {
    let kamailio = Kamailio::start(Setup::default());
    let closed = port::closed();
    let dns = Dnsmasq::start(udp_targets(&[closed.port(), kamailio.udp().port()]));
    let report = asking(&dns, &["probe", ALICE]).report().registered();
    report.holds(&[
        ("/network/server", kamailio.udp().to_string().into()),
        ("/network/targets/0/address", closed.to_string().into()),
        ("/network/targets/0/source", "naptr".into()),
        ("/network/targets/1/transport", "udp".into()),
    ]);
    assert_eq!(report.outcomes(), ["unreachable", "registered"], "{report}");
    assert_eq!(report.finding("failed_over"), format!("did not serve: udp {closed} (unreachable)"));
    assert!(
        report["/phases_ms/dns"].is_number() && report.total() < Duration::from_secs(5),
        "{report}"
    );
    assert!(dns.log().contains("NAPTR"), "{}", dns.log());
}

#[test]
fn a_silent_first_target_leaves_time_for_the_next() {
    let kamailio = Kamailio::start(Setup::default());
    let (_silence, hole) = port::black_hole();
    let dns = Dnsmasq::start(udp_targets(&[hole.port(), kamailio.udp().port()]));
    let report = asking(&dns, &["probe", ALICE, "--timeout", "2s"]).report().registered();
    assert_eq!(report.outcomes(), ["no_reply", "registered"], "{report}");
    assert!(report.finding("failed_over").contains("(no_reply)"), "{report}");
    assert!(report.total() < Duration::from_secs(3), "{report}");
}

#[test]
fn a_late_reply_of_a_target_that_was_given_up_is_noticed() {
    // Half of the time belongs to each: the first is given up after 0.6 s and answers at 0.7 s, the second at 0.9 s.
    let late = Sipp::start(&Scenario::reply_delayed());
    let slow = Lab::start("secret", &["--open", "--fault", "delay=300ms;times=1"]);
    let dns = Dnsmasq::start(udp_targets(&[late.udp().port(), port_of(&slow)]));
    let report = asking(&dns, &["probe", ALICE, "--timeout", "1200ms"]).report().registered();
    assert_eq!(report.outcomes(), ["no_reply", "registered"], "{report}");
    report.finding("late_reply");
}

#[test]
fn an_overloaded_target_and_one_that_refuses_connections_are_passed_over() {
    let kamailio = Kamailio::start(Setup::default());
    let overloaded = Lab::start("secret", &["--fault", "status=503;retry-after=30"]);
    let dns = Dnsmasq::start(udp_targets(&[port_of(&overloaded), kamailio.udp().port()]));
    let report = asking(&dns, &["probe", ALICE]).report().registered();
    assert_eq!(report.outcomes(), ["overloaded", "registered"], "{report}");
    assert!(report.finding("failed_over").contains("(overloaded)"), "{report}");

    let dns = Dnsmasq::start(udp_targets(&[port_of(&overloaded), port::closed().port()]));
    let report = asking(&dns, &["probe", ALICE]).report().failed("overloaded", 7);
    assert_eq!(
        report.outcomes(),
        ["overloaded", "unreachable"],
        "a 503 says more than nobody: {report}"
    );

    let service = "_sip._tcp.example.test";
    let zone = Zone::default()
        .srv(service, 10, 0, port::closed().port(), PBX)
        .srv(service, 20, 0, kamailio.tcp().port(), PBX);
    let dns = Dnsmasq::start(zone.host(PBX, HERE));
    let report = asking(&dns, &["probe", ALICE]).report().registered();
    assert_eq!(report.outcomes(), ["connection_refused", "registered"], "{report}");
}

#[test]
fn an_answer_too_long_for_a_datagram_is_asked_for_by_tcp() {
    let kamailio = Kamailio::start(Setup::default());
    let names = (1..60).map(|number| format!("a-rather-long-name-of-a-server-number-{number}.example.test"));
    let long = names.fold(Zone::default(), |zone, name| zone.srv("_sip._udp.example.test", 20, 1, 5060, &name));
    let dns = Dnsmasq::start(
        long.srv("_sip._udp.example.test", 10, 1, kamailio.udp().port(), PBX)
            .host(PBX, HERE),
    );
    let report = asking(&dns, &["probe", ALICE]).report().registered();
    report.holds(&[("/network/targets/0/address", kamailio.udp().to_string().into())]);
}

#[test]
fn every_target_has_a_verdict_of_its_own_and_the_worst_decides() {
    let kamailio = Kamailio::start(Setup::default());
    let (_silence, hole) = port::black_hole();
    let dns = Dnsmasq::start(udp_targets(&[kamailio.udp().port(), hole.port(), port::closed().port()]));
    let line = ["probe", ALICE, "--every-target", "--timeout", "800ms"];
    let report = asking(&dns, &line).report().failed("unreachable", 5);
    assert_eq!(report.outcomes(), ["registered", "no_reply", "unreachable"], "{report}");
    for (target, code) in [3, 4, 5].into_iter().enumerate() {
        report.holds(&[(&format!("/network/targets/{target}/state_code"), code.into())]);
        assert!(
            report[&format!("/network/targets/{target}/phases_ms/total")].is_number(),
            "{report}"
        );
    }
    assert!(report.text("/detail").starts_with("1 of 3 targets good; "), "{report}");

    let good = Dnsmasq::start(udp_targets(&[kamailio.udp().port()]));
    let report = asking(&good, &line).report().registered();
    assert_eq!(report.outcomes(), ["registered"]);
    let bindings = asking(&good, &["bindings", ALICE]).report().done();
    assert_eq!(bindings.contacts(), [""; 0], "each probe has cleaned up behind itself");
}

#[test]
fn without_naptr_srv_is_asked_and_without_srv_the_address() {
    let kamailio = Kamailio::start(Setup::default());
    let port = kamailio.udp().port();
    let srv = Dnsmasq::start(Zone::default().srv("_sip._udp.example.test", 10, 0, port, PBX).host(PBX, HERE));
    let report = asking(&srv, &["probe", ALICE]).report().registered();
    report.holds(&[("/network/targets/0/source", "srv".into()), ("/transport", "udp".into())]);

    let tcp_only = Dnsmasq::start(Zone::default().srv("_sip._tcp.example.test", 10, 0, port, PBX).host(PBX, HERE));
    let report = asking(&tcp_only, &["probe", ALICE]).report().registered();
    report.holds(&[("/network/targets/0/source", "srv".into()), ("/transport", "tcp".into())]);

    // RFC 3263 §4.2: an explicit port asks for addresses only. The alias is followed.
    let address = Dnsmasq::start(Zone::default().host(PBX, HERE).alias("alias.example.test", PBX));
    let report = asking(&address, &["probe", &format!("alice@alias.example.test:{port}")])
        .report()
        .registered();
    report.holds(&[("/network/targets/0/source", "a".into()), ("/transport", "udp".into())]);
    assert!(
        !address.log().contains("SRV") && !address.log().contains("NAPTR"),
        "{}",
        address.log()
    );
}

#[test]
fn a_name_with_only_an_address_is_tried_at_the_default_port() {
    // Port 5060 cannot be free for a test, so an address of the loopback network that nobody uses takes the part of the server.
    let nobody: IpAddr = "127.83.73.80".parse().unwrap();
    let dns = Dnsmasq::start(Zone::default().host(DOMAIN, nobody));
    let report = asking(&dns, &["ping", DOMAIN]).report().failed("unreachable", 5);
    report.holds(&[
        ("/network/targets/0/address", "127.83.73.80:5060".into()),
        ("/network/targets/0/source", "a".into()),
    ]);
}

#[test]
fn both_families_are_targets_unless_one_is_excluded() {
    let kamailio = Kamailio::start(Setup {
        ipv6: true,
        ..Setup::default()
    });
    let port = kamailio.udp().port();
    let both = Zone::default().host(PBX, HERE).host(PBX, IpAddr::V6(Ipv6Addr::LOCALHOST));
    let dns = Dnsmasq::start(both);
    let aor = format!("alice@pbx.example.test:{port}");
    for (family, server) in [("-4", format!("127.0.0.1:{port}")), ("-6", format!("[::1]:{port}"))] {
        let report = asking(&dns, &["probe", &aor, family]).report().registered();
        report.holds(&[("/network/server", server.into()), ("/network/targets/1", Value::Null)]);
    }
    let report = asking(&dns, &["probe", &aor, "--every-target"]).report().registered();
    assert_eq!(report.outcomes(), ["registered", "registered"], "{report}");
    let only_six = Dnsmasq::start(Zone::default().host(PBX, IpAddr::V6(Ipv6Addr::LOCALHOST)));
    asking(&only_six, &["probe", &aor, "-4"]).report().failed("dns_not_found", 5);
}

#[test]
fn a_lower_priority_goes_first_and_equal_ones_share_by_weight() {
    let lab = Lab::start("secret", &["--listen", "udp:127.0.0.1:0"]);
    let other = Lab::start("secret", &[]);
    let zone = |first: u16, second: u16| {
        let zone = Zone::default().srv("_sip._udp.example.test", first, 50, port_of(&lab), PBX);
        zone.srv("_sip._udp.example.test", second, 50, port_of(&other), PBX).host(PBX, HERE)
    };
    let servers = |dns: &Dnsmasq, times: usize| {
        let ping = || asking(dns, &["ping", DOMAIN]).report().done().text("/network/server").to_owned();
        (0..times).map(|_| ping()).collect::<Vec<_>>()
    };
    let ordered = Dnsmasq::start(zone(20, 10));
    assert!(servers(&ordered, 5).iter().all(|server| server == other.address("udp")));
    // The odds that chance leaves one of them out are one to a million and more.
    let shared = Dnsmasq::start(zone(10, 10));
    let asked = servers(&shared, 21);
    for lab in [&lab, &other] {
        assert!(asked.iter().any(|server| server == lab.address("udp")), "{asked:?}");
    }
}

#[test]
fn what_dns_does_not_know_is_told_from_what_it_does_not_say() {
    let dns = Dnsmasq::start(Zone::default().no_service("_sip._udp.nosip.test"));
    let report = asking(&dns, &["probe", "alice@absent.test"]).report().failed("dns_not_found", 5);
    report.holds(&[
        ("/requests", 0.into()),
        ("/network/targets", Value::Array(Vec::new())),
        ("/transport", Value::Null),
    ]);
    assert!(report.text("/detail").contains("absent.test"), "{report}");
    asking(&dns, &["probe", "alice@nosip.test", "--transport", "udp"])
        .report()
        .failed("dns_not_found", 5);

    // dnsmasq refuses everything outside its zone.
    let report = asking(&dns, &["probe", "alice@example.org"]).report().failed("dns_failed", 5);
    assert!(report.text("/detail").contains("example.org"), "{report}");

    let (_silence, silent) = port::black_hole();
    let line = ["probe", ALICE, "--timeout", "1s", "--dns", &silent.to_string()];
    let report = Run::new(&line).report().failed("dns_failed", 5);
    assert!(report.total() < Duration::from_millis(2500), "{report}");
    let closed = port::closed().to_string();
    Run::new(&["probe", ALICE, "--timeout", "1s", "--dns", &closed])
        .report()
        .failed("dns_failed", 5);
}

#[test]
fn sips_goes_by_tls_and_the_certificate_has_to_be_for_the_domain() {
    let kamailio = Kamailio::start(Setup::default());
    let ca_file = kamailio.ca_file().to_str().unwrap();
    let secure = |domain: &str| {
        let service = format!("_sips._tcp.{domain}");
        let zone = Zone::default()
            .naptr(domain, 10, 50, "SIPS+D2T", &service)
            .naptr(domain, 20, 50, "SIP+D2U", "_sip._udp.example.test");
        Dnsmasq::start(
            zone.srv(&service, 10, 0, kamailio.tls().port(), "edge.test")
                .host("edge.test", HERE),
        )
    };
    // The certificate is for pbx.example.test. RFC 5922 §7.2: the domain of the URI counts, not where SRV points to.
    let dns = secure(PBX);
    for aor in ["sips:alice@pbx.example.test", "sip:alice@pbx.example.test"] {
        let report = asking(&dns, &["probe", aor, "--ca-file", ca_file]).report().registered();
        report.holds(&[
            ("/transport", "tls".into()),
            ("/tls/server_name", PBX.into()),
            ("/tls/verified", true.into()),
            ("/network/targets/0/source", "naptr".into()),
        ]);
    }
    let dns = secure(DOMAIN);
    let report = asking(&dns, &["probe", "sips:alice@example.test", "--ca-file", ca_file]).report();
    report.failed("certificate_name_mismatch", 5).holds(&[("/requests", 0.into())]);
}

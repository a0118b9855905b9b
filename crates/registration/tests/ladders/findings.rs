//! Every finding is produced where it applies, through the same report that users read.

use std::sync::Arc;

use std::time::Duration;

use sip_registration::{FindingId, Report, Severity, Transport};

use crate::peer::{self, ANOTHER_NONCE, BOUND, CHALLENGE};
use crate::picture;
use crate::setup::Setup;
use crate::world::{Door, World};

fn registering(setup: Setup) -> World {
    let mut world = World::new(setup);
    world.register();
    world
}

fn report(world: &World) -> Report {
    picture::report(&world.setup, world.attempt())
}

/// The finding is there, and its words hold this.
fn found(world: &World, id: FindingId, severity: Severity, words: &str) {
    let report = report(world);
    let finding = report.findings.iter().find(|finding| finding.id == id);
    let finding = finding.unwrap_or_else(|| panic!("no {id} among {:?}", report.findings));
    assert_eq!(finding.severity, severity);
    assert!(finding.message.contains(words), "{}", finding.message);
    assert!(!finding.advice.is_empty());
}

/// A registration in which all is as it should be, over TLS.
fn spotless() -> World {
    let mut world = registering(Setup::probe().transport(Transport::Tls));
    world.wait(Duration::from_millis(10));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world
}

#[test]
fn nothing_is_found_where_nothing_is_amiss() {
    let mut world = spotless();
    world.reply("200 OK", &[BOUND]);
    assert_eq!(report(&world).findings, []);
}

#[test]
fn weak_digest_when_only_md5_was_offered() {
    let mut world = registering(Setup::probe());
    world.reply(
        "401 Unauthorized",
        &["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=md5-sess, qop=\"auth\""],
    );
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::WeakDigest, Severity::Warning, "MD5");
}

#[test]
fn plaintext_transport_over_udp_and_tcp() {
    let mut world = registering(Setup::probe());
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::PlaintextTransport, Severity::Info, "UDP");
}

#[test]
fn nonce_rotated_when_the_refusal_has_a_new_nonce() {
    let mut world = registering(Setup::probe());
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("401 Unauthorized", &[ANOTHER_NONCE]);
    found(&world, FindingId::NonceRotated, Severity::Info, "new nonce");
}

#[test]
fn nat_detected_when_received_or_rport_differ() {
    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, "200 OK", &[BOUND]);
    let reply = peer::with_via_param(&reply, &peer::seen_from("203.0.113.77:6060".parse().unwrap()));
    world.deliver(request.flow, &reply);
    found(
        &world,
        FindingId::NatDetected,
        Severity::Warning,
        "203.0.113.77:6060 where we are 198.51.100.1:40000",
    );
    assert_eq!(report(&world).network.seen_as.as_deref(), Some("203.0.113.77:6060"));
}

/// The last request is answered as if it had been seen to come from there.
fn reply_seen_from(world: &mut World, address: &str, status: &str, header: &str) {
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, status, &[header]);
    let reply = peer::with_via_param(&reply, &peer::seen_from(address.parse().unwrap()));
    world.deliver(request.flow, &reply);
}

#[test]
fn nat_rebound_when_the_mapping_changes_between_two_requests() {
    for (second, rebound) in [("203.0.113.77:6061", true), ("203.0.113.77:6060", false)] {
        let mut world = registering(Setup::probe());
        reply_seen_from(&mut world, "203.0.113.77:6060", "401 Unauthorized", CHALLENGE);
        reply_seen_from(&mut world, second, "200 OK", BOUND);
        assert_eq!(report(&world).network.seen_as.as_deref(), Some(second));
        if rebound {
            found(
                &world,
                FindingId::NatRebound,
                Severity::Warning,
                "203.0.113.77:6060 and then as 203.0.113.77:6061",
            );
        } else {
            assert!(report(&world).findings.iter().all(|finding| finding.id != FindingId::NatRebound));
        }
    }
}

#[test]
fn silent_after_challenge_when_nothing_follows_the_credentials() {
    let mut world = registering(Setup::probe());
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.wait(Duration::from_secs(10));
    found(
        &world,
        FindingId::SilentAfterChallenge,
        Severity::Warning,
        "udp 192.0.2.10:5060 asked for credentials",
    );
    assert!(
        report(&world).detail.contains("to the request with credentials"),
        "{}",
        report(&world).detail
    );

    let mut world = registering(Setup::probe());
    world.wait(Duration::from_secs(10));
    assert!(
        report(&world)
            .findings
            .iter()
            .all(|finding| finding.id != FindingId::SilentAfterChallenge)
    );
    assert_eq!(report(&world).detail, "no reply from udp 192.0.2.10:5060");
}

#[test]
fn large_request_when_udp_was_chosen_for_what_is_too_large_for_it() {
    let large = format!("sip:192.0.2.10;filler={}", "x".repeat(1200));
    let mut world = registering(Setup::probe().registrar(&large).transport(Transport::Udp));
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::LargeRequest, Severity::Warning, "bytes went by UDP");
    let told = report(&world)
        .findings
        .iter()
        .filter(|finding| finding.id == FindingId::LargeRequest)
        .count();
    assert_eq!(told, 1);

    let mut world = registering(Setup::probe().transport(Transport::Udp));
    world.reply("200 OK", &[BOUND]);
    assert!(report(&world).findings.iter().all(|finding| finding.id != FindingId::LargeRequest));
}

#[test]
fn what_cuts_an_open_connection_is_told_apart() {
    use sip_registration::{Cause, Closed};
    for (closed, words) in [
        (Closed::Ended, "closed the connection before it answered"),
        (Closed::Reset, "before it answered: it was reset"),
        (Closed::TimedOut, "before it answered: its host does not acknowledge what we send"),
    ] {
        let mut world = registering(Setup::probe().transport(Transport::Tcp));
        world.wait(Duration::from_millis(10));
        world.close(world.last_request().flow, closed);
        let report = report(&world);
        assert_eq!(report.cause, Some(Cause::ConnectionLost));
        assert!(report.detail.ends_with(words), "{}", report.detail);
    }
}

#[test]
fn who_says_that_nobody_can_be_reached_is_told_and_says_nothing_of_the_next_target() {
    use sip_registration::{Closed, Obstacle};
    let router = Some("198.51.100.254".parse().unwrap());
    for (obstacle, words) in [
        (
            Obstacle::NoRoute,
            "cannot be reached: this machine has no route there, or its link is down",
        ),
        (
            Obstacle::NobodyListens,
            "cannot be reached: its host says that nobody listens on that port",
        ),
        (
            Obstacle::NoWay(router),
            "cannot be reached: 198.51.100.254 says that there is no way to it",
        ),
        (
            Obstacle::Forbidden(None),
            "cannot be reached: the network says that it is forbidden",
        ),
    ] {
        let mut world = registering(Setup::probe());
        world.close(world.last_request().flow, Closed::Unreachable(obstacle));
        assert!(report(&world).detail.ends_with(words), "{}", report(&world).detail);
    }

    let mut world = World::new(Setup::probe().registrar("sip:pbx.example.test:5060"));
    let addresses = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
    let records = sip_registration::Records::Addresses(addresses.to_vec());
    world.zone.push(("pbx.example.test", sip_registration::RecordKind::A, Ok(records)));
    let refused = Closed::Unreachable(Obstacle::NobodyListens);
    world.doors.push(("192.0.2.1:5060".parse().unwrap(), Door::Shut(refused)));
    world.register();
    world.wait(Duration::from_secs(12));
    assert_eq!(report(&world).detail, "no reply from udp 192.0.2.2:5060, the last of 2 targets");
}

#[test]
fn no_nat_when_the_registrar_sees_us_where_we_are() {
    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, "200 OK", &[BOUND]);
    let reply = peer::with_via_param(&reply, &peer::seen_from("198.51.100.1:40000".parse().unwrap()));
    world.deliver(request.flow, &reply);
    assert_eq!(report(&world).network.seen_as, None);
}

#[test]
fn sip_alg_suspected_when_via_or_call_id_come_back_changed() {
    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&request.bytes, "200 OK", &[BOUND])).unwrap();
    let changed = reply.replace("SIP/2.0/UDP 198.51.100.1:40000", "SIP/2.0/UDP 203.0.113.77:6060");
    world.deliver(request.flow, changed.as_bytes());
    found(
        &world,
        FindingId::SipAlgSuspected,
        Severity::Warning,
        "Via went out as 198.51.100.1:40000",
    );

    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&request.bytes, "200 OK", &[BOUND])).unwrap();
    world.deliver(request.flow, reply.replace("Call-ID: ", "Call-ID: x").as_bytes());
    found(&world, FindingId::SipAlgSuspected, Severity::Warning, "Call-ID");
}

#[test]
fn contact_rewritten_when_another_uri_is_stored() {
    let mut world = spotless();
    world.reply("200 OK", &["Contact: <sip:alice@198.51.100.1:40000>;expires=3600"]);
    found(
        &world,
        FindingId::ContactRewritten,
        Severity::Warning,
        "bound as sip:alice@198.51.100.1:40000",
    );
}

#[test]
fn expires_shortened_and_lengthened() {
    for (granted, id, severity) in [
        (600, FindingId::ExpiresShortened, Severity::Info),
        (30, FindingId::ExpiresShortened, Severity::Warning),
        (7200, FindingId::ExpiresLengthened, Severity::Info),
    ] {
        let mut world = registering(Setup::probe());
        world.reply("200 OK", &[&format!("Contact: {{contact}};expires={granted}")]);
        found(&world, id, severity, &format!("asked for 3600 s, granted {granted} s"));
    }
}

#[test]
fn other_bindings_present() {
    let mut world = registering(Setup::probe());
    world.reply("200 OK", &[BOUND, "Contact: <sip:b@203.0.113.8>, <sip:c@203.0.113.8>"]);
    found(&world, FindingId::OtherBindingsPresent, Severity::Info, "2 other bindings");
}

#[test]
fn reply_from_other_address() {
    for (status, severity) in [("401 Unauthorized", Severity::Error), ("200 OK", Severity::Warning)] {
        let mut world = registering(Setup::probe());
        let request = world.last_request().clone();
        let reply = peer::reply(&request.bytes, status, &[BOUND, CHALLENGE]);
        world.deliver_from("203.0.113.66:5060".parse().unwrap(), request.flow, &reply);
        if world.attempts.is_empty() {
            world.reply("200 OK", &[BOUND]);
        }
        found(&world, FindingId::ReplyFromOtherAddress, severity, "203.0.113.66:5060");
    }
}

#[test]
fn the_scope_of_an_address_makes_no_other_address() {
    let mut world = registering(Setup::probe().registrar("sip:[fe80::10]"));
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, "401 Unauthorized", &[CHALLENGE]);
    let source = std::net::SocketAddrV6::new("fe80::10".parse().unwrap(), 5060, 7, 3);
    world.deliver_from(source.into(), request.flow, &reply);
    assert_eq!(world.wire.len(), 2, "the challenge was answered");
}

#[test]
fn certificate_expires_soon() {
    for (days, severity, words) in [
        (29, Severity::Warning, "29 days"),
        (1, Severity::Warning, "1 day"),
        (-3, Severity::Error, "3 days ago"),
    ] {
        let mut world = spotless();
        world.reply("200 OK", &[BOUND]);
        let mut attempt = world.attempt().clone();
        Arc::make_mut(attempt.tls.as_mut().unwrap()).days_left = days;
        world.attempts.push(attempt);
        found(&world, FindingId::CertificateExpiresSoon, severity, words);
    }
}

#[test]
fn retransmissions_needed() {
    let mut world = registering(Setup::probe());
    world.wait(Duration::from_secs(2));
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::RetransmissionsNeeded, Severity::Warning, "2 sent again");
}

#[test]
fn late_reply() {
    let mut world = registering(Setup::probe());
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.wait(Duration::from_secs(6));
    world.reply_to(0, "401 Unauthorized", &[CHALLENGE]);
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::LateReply, Severity::Warning, "after its transaction");
}

#[test]
fn failure_phrase_in_200() {
    let mut world = registering(Setup::probe());
    world.reply("200 Registration \u{1b}[2JFAILED", &[BOUND]);
    found(&world, FindingId::FailurePhraseIn200, Severity::Warning, "FAILED");
    let text = serde_json::to_string(&report(&world)).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains("\\u001b"), "{text}");
}

#[test]
fn failed_over() {
    let mut world = World::new(Setup::probe().registrar("sip:pbx.example.test:5060"));
    let addresses = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
    let records = sip_registration::Records::Addresses(addresses.to_vec());
    world.zone.push(("pbx.example.test", sip_registration::RecordKind::A, Ok(records)));
    world.doors.push((
        "192.0.2.1:5060".parse().unwrap(),
        Door::Shut(sip_registration::Closed::Unreachable(sip_registration::Obstacle::NoRoute)),
    ));
    world.register();
    world.wait(Duration::from_millis(20));
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::FailedOver, Severity::Warning, "udp 192.0.2.1:5060 (unreachable)");
}

#[test]
fn a_redirect_that_was_followed_is_no_failover() {
    let mut world = registering(Setup::probe().follow_redirects());
    world.reply("302 Moved", &["Contact: <sip:192.0.2.20>"]);
    world.reply("200 OK", &[BOUND]);
    assert!(report(&world).findings.iter().all(|finding| finding.id != FindingId::FailedOver));
}

#[test]
fn credentials_suspect_after_a_403() {
    let mut world = registering(Setup::probe());
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply("403 Forbidden", &[]);
    found(&world, FindingId::CredentialsSuspect, Severity::Warning, "403");
    assert_eq!(
        report(&world).advice.as_deref(),
        Some(FindingId::CredentialsSuspect.explanation().todo)
    );
}

#[test]
fn unknown_algorithm_offered() {
    let mut world = registering(Setup::probe());
    world.reply(
        "401 Unauthorized",
        &["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5", CHALLENGE],
    );
    world.reply("200 OK", &[BOUND]);
    found(&world, FindingId::UnknownAlgorithmOffered, Severity::Info, "AKAv1-MD5");
}

#[test]
fn interval_raised() {
    let mut world = registering(Setup::probe());
    world.reply("423 Interval Too Brief", &["Min-Expires: 7200"]);
    world.reply("200 OK", &["Contact: {contact};expires=7200"]);
    found(&world, FindingId::IntervalRaised, Severity::Info, "at least 7200 s");
}

#[test]
fn retry_after_and_warning() {
    let mut world = registering(Setup::probe());
    world.reply(
        "503 Service Unavailable",
        &["Retry-After: 17", "Warning: 399 pbx.example.test \"try later\""],
    );
    found(&world, FindingId::RetryAfter, Severity::Warning, "17 s");
    found(&world, FindingId::WarningReceived, Severity::Info, "399 try later");
    assert_eq!(report(&world).retry_after_s, Some(17));
}

#[test]
fn the_gravest_comes_first() {
    let mut world = registering(Setup::probe());
    let request = world.last_request().clone();
    let reply = peer::reply(&request.bytes, "401 Unauthorized", &[CHALLENGE]);
    world.deliver_from("203.0.113.66:5060".parse().unwrap(), request.flow, &reply);
    world.reply("200 OK", &["Contact: {contact};expires=30"]);
    let severities: Vec<Severity> = report(&world).findings.iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted_by(|left, right| left >= right), "{severities:?}");
    assert_eq!(severities.first(), Some(&Severity::Error));
}

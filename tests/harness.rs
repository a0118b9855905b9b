//! Proves that the real programs in `support` behave as their descriptions say, with clients that share no code with the
//! crates under test: sipsak, openssl, a DNS query and a hand-written UDP client. Whatever builds on them may rely on it.

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use support::certificates::{SERVER_NAME, ServerCertificate};
use support::dnsmasq::{Dnsmasq, Zone, ask};
use support::kamailio::{Algorithm, Challenge, Kamailio, Nonce, PASSWORD, Qop, Save, Setup, TooBrief};
use support::kamailio_uac::{FLAG_BEGUN, FLAG_DISABLED, KamailioClient, Manners, Retry, Trunk};
use support::port;
use support::process::find;
use support::scenario::Scenario;
use support::sip_client::{SipClient, header, status};
use support::sipp::Sipp;
use support::wait::await_that;

/// What sipsak says about one registration of `user`; its exit code is 0 only after a 200.
fn sipsak(registrar: SocketAddr, user: &str, password: &str, contact_port: u16) -> Output {
    let address = format!("sip:{user}@{registrar}");
    let contact = format!("sip:{user}@127.0.0.1:{contact_port}");
    Command::new(find("sipsak"))
        .args([
            "-U", "-i", "-vvv", "-s", &address, "-C", &contact, "-a", password, "-u", user, "-x", "300",
        ])
        .output()
        .expect("sipsak can be started")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The reply to a REGISTER without credentials.
fn unauthenticated_reply(setup: Setup) -> String {
    let kamailio = Kamailio::start(setup);
    let client = SipClient::new(kamailio.udp());
    client.send(&client.request("REGISTER", "challenge", 1));
    client.expect_reply()
}

#[test]
fn kamailio_registers_a_user_by_md5() {
    let kamailio = Kamailio::start(Setup::default());
    let output = sipsak(kamailio.udp(), "u1", PASSWORD, 7777);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output), kamailio.log());
}

#[test]
fn kamailio_refuses_a_wrong_password() {
    let kamailio = Kamailio::start(Setup::default());
    let output = sipsak(kamailio.udp(), "alice", "wrong", 7777);
    assert_ne!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("401"), "{}", text(&output));
}

#[test]
fn kamailio_does_not_know_every_user() {
    let kamailio = Kamailio::start(Setup::default());
    let output = sipsak(kamailio.udp(), "nobody", PASSWORD, 7777);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("404 Not Found"), "{}", text(&output));
}

#[test]
fn kamailio_challenges_as_set_up() {
    let reply = unauthenticated_reply(Setup::default());
    assert_eq!(status(&reply), (401, "1 REGISTER"));
    let challenge = header(&reply, "WWW-Authenticate").expect("a 401 has a challenge");
    assert!(
        challenge.contains("realm=\"example.test\"") && challenge.contains("qop=\"auth\""),
        "{challenge}"
    );
    assert!(!challenge.contains("algorithm"), "{challenge}");

    let reply = unauthenticated_reply(Setup {
        algorithm: Algorithm::Sha256,
        qop: Qop::None,
        ..Setup::default()
    });
    let challenge = header(&reply, "WWW-Authenticate").expect("a 401 has a challenge");
    assert!(challenge.contains("algorithm=SHA-256") && !challenge.contains("qop"), "{challenge}");

    let reply = unauthenticated_reply(Setup {
        challenge: Challenge::Proxy,
        ..Setup::default()
    });
    assert_eq!(status(&reply).0, 407);
    assert!(header(&reply, "Proxy-Authenticate").is_some(), "{reply}");
}

#[test]
fn kamailio_calls_the_first_right_answer_stale() {
    let kamailio = Kamailio::start(Setup {
        nonce: Nonce::StaleAnswers(1),
        ..Setup::default()
    });
    let output = sipsak(kamailio.udp(), "u1", PASSWORD, 7777);
    assert_ne!(
        output.status.code(),
        Some(0),
        "sipsak is known to give up on stale=true:\n{}",
        text(&output)
    );
    assert!(text(&output).contains("stale=true"), "{}", text(&output));
}

#[test]
fn kamailio_takes_one_contact_when_told_so() {
    let kamailio = Kamailio::start(Setup {
        max_contacts: Some(1),
        ..Setup::default()
    });
    assert_eq!(sipsak(kamailio.udp(), "u1", PASSWORD, 7777).status.code(), Some(0));
    let second = sipsak(kamailio.udp(), "u1", PASSWORD, 7778);
    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    assert!(text(&second).contains("503 Service Unavailable"), "{}", text(&second));
}

#[test]
fn kamailio_keeps_the_last_contact_alone_when_told_so() {
    let kamailio = Kamailio::start(Setup {
        save: Save::Alone,
        ..Setup::default()
    });
    for port in [7777, 7778] {
        assert_eq!(sipsak(kamailio.udp(), "u1", PASSWORD, port).status.code(), Some(0));
    }
    assert_eq!(kamailio.contacts("u1"), ["sip:u1@127.0.0.1:7778"]);
}

#[test]
fn the_bindings_of_kamailio_can_be_seen_and_changed_behind_its_back() {
    let mut kamailio = Kamailio::start(Setup::default());
    assert_eq!(sipsak(kamailio.udp(), "u1", PASSWORD, 7777).status.code(), Some(0));
    let made = kamailio.bound("u1");
    kamailio.bind("u1", "sip:guest@198.51.100.7");
    assert_eq!(kamailio.contacts("u1"), ["sip:guest@198.51.100.7", "sip:u1@127.0.0.1:7777"]);
    kamailio.unbind("u1", "sip:guest@198.51.100.7");
    assert_eq!(kamailio.bound("u1"), made);
    assert_eq!(sipsak(kamailio.udp(), "u1", PASSWORD, 7777).status.code(), Some(0));
    assert_ne!(kamailio.bound("u1"), made, "a binding is another one when it was made again");
    kamailio.unbind_all("u1");
    assert_eq!(kamailio.contacts("u1"), [""; 0]);

    kamailio.bind("u1", "sip:guest@198.51.100.7");
    let address = kamailio.udp();
    kamailio.restart();
    assert_eq!((kamailio.udp(), kamailio.contacts("u1")), (address, Vec::new()));
    assert_eq!(sipsak(address, "u1", PASSWORD, 7777).status.code(), Some(0));
}

#[test]
fn a_frozen_kamailio_answers_when_it_thaws() {
    let kamailio = Kamailio::start(Setup::default());
    let client = SipClient::new(kamailio.udp());
    kamailio.freeze();
    client.send(&client.request("REGISTER", "frozen", 1));
    assert_eq!(client.receive(Duration::from_millis(50)), None);
    kamailio.thaw();
    assert_eq!(status(&client.expect_reply()).0, 401);
}

#[test]
fn a_provider_registers_refreshes_and_gives_up() {
    let kamailio = Kamailio::start(Setup {
        min_expires_s: 1,
        ..Setup::default()
    });
    let provider = KamailioClient::start(Manners {
        looks_every_s: 1,
        retry: Retry::Never,
    });
    let trunk = Trunk {
        expires_s: 3,
        ..Trunk::new("trunk1", kamailio.udp())
    };
    provider.add(&trunk);
    await_that(|| kamailio.contacts("alice") == [provider.contact(&trunk)]);
    let first = kamailio.bound("alice");
    await_that(|| kamailio.bound("alice") != first && !kamailio.bound("alice").is_empty());
    let wrong = Trunk {
        password: "wrong".to_owned(),
        ..Trunk::new("trunk2", kamailio.udp())
    };
    provider.add(&wrong);
    await_that(|| provider.flags(&wrong) == FLAG_BEGUN | FLAG_DISABLED);
    assert_eq!(provider.info("trunk3").map_err(|refusal| refusal.status), Err(404));
}

#[test]
fn kamailio_refuses_a_brief_registration_with_min_expires() {
    let setup = Setup {
        min_expires_s: 600,
        too_brief: TooBrief::Refused,
        ..Setup::default()
    };
    let kamailio = Kamailio::start(setup);
    let output = sipsak(kamailio.udp(), "u1", PASSWORD, 7777);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("423 Interval Too Brief"), "{}", text(&output));
    assert!(text(&output).contains("Min-Expires: 600"), "{}", text(&output));
}

#[test]
fn kamailio_raises_a_brief_registration_silently() {
    let kamailio = Kamailio::start(Setup {
        min_expires_s: 600,
        ..Setup::default()
    });
    let output = sipsak(kamailio.udp(), "u1", PASSWORD, 7777);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("expires=600"), "{}", text(&output));
}

#[test]
fn kamailio_listens_on_ipv6_too() {
    let kamailio = Kamailio::start(Setup {
        ipv6: true,
        ..Setup::default()
    });
    let client = SipClient::new(Kamailio::on_ipv6(kamailio.udp()));
    client.send(&client.request("REGISTER", "six", 1));
    assert_eq!(status(&client.expect_reply()).0, 401);
}

/// What openssl's own client finds wrong with the server's certificate, for the name `pbx.example.test`.
fn openssl_verdict(certificate: ServerCertificate) -> String {
    let kamailio = Kamailio::start(Setup {
        certificate,
        ..Setup::default()
    });
    let output = Command::new(find("openssl"))
        .args(["s_client", "-connect", &kamailio.tls().to_string(), "-servername", SERVER_NAME])
        .args([
            "-verify_hostname",
            SERVER_NAME,
            "-verify_return_error",
            "-no-CApath",
            "-no-CAstore",
            "-CAfile",
        ])
        .arg(kamailio.ca_file())
        .output()
        .expect("openssl can be started");
    text(&output)
}

#[test]
fn kamailio_shows_the_certificate_that_was_asked_for() {
    let verdicts = [
        (ServerCertificate::Valid, "Verify return code: 0 (ok)"),
        (ServerCertificate::EndsSoon, "Verify return code: 0 (ok)"),
        (ServerCertificate::Expired, "certificate has expired"),
        (ServerCertificate::NotYetValid, "certificate is not yet valid"),
        (ServerCertificate::WrongName, "hostname mismatch"),
        (ServerCertificate::Untrusted, "unable to get local issuer certificate"),
        (ServerCertificate::WithoutIntermediate, "unable to get local issuer certificate"),
    ];
    for (certificate, expected) in verdicts {
        let verdict = openssl_verdict(certificate);
        assert!(
            verdict.to_lowercase().contains(&expected.to_lowercase()),
            "{certificate:?}: {verdict}"
        );
    }
}

#[test]
fn kamailio_demands_a_client_certificate_when_told_so() {
    let kamailio = Kamailio::start(Setup {
        demands_client_certificate: true,
        ..Setup::default()
    });
    // With TLS 1.3 the refusal would come after the client's own handshake, too late for this client to wait for it.
    let session = |with_certificate: bool| {
        let mut openssl = Command::new(find("openssl"));
        openssl
            .args(["s_client", "-tls1_2", "-connect", &kamailio.tls().to_string(), "-CAfile"])
            .arg(kamailio.ca_file());
        if with_certificate {
            let files = kamailio.certificates();
            openssl.arg("-cert").arg(&files.client).arg("-key").arg(&files.client_key);
        }
        text(&openssl.output().expect("openssl can be started"))
    };
    assert!(session(false).contains("alert"), "{}", session(false));
    assert!(!session(true).contains("alert"), "{}", session(true));
}

#[test]
fn dnsmasq_serves_the_records_of_the_zone() {
    let zone = Zone::default()
        .naptr("example.test", 10, 50, "SIP+D2U", "_sip._udp.example.test")
        .srv("_sip._udp.example.test", 10, 0, 5060, "dead.example.test")
        .srv("_sip._udp.example.test", 20, 5, 5070, "pbx.example.test")
        .no_service("_sip._tcp.example.test")
        .host("pbx.example.test", Ipv4Addr::LOCALHOST.into());
    let dns = Dnsmasq::start(zone);
    let answers = |name: &str, record| {
        let reply = ask(dns.address(), name, record).expect("dnsmasq answers");
        let answers = reply.answers.iter();
        let mut answers: Vec<_> = answers.map(|answer| answer.data.to_string()).collect();
        answers.sort();
        answers
    };
    assert_eq!(
        answers("example.test", RecordType::NAPTR),
        [r#"10 50 "s" "SIP+D2U" "" _sip._udp.example.test."#]
    );
    assert_eq!(
        answers("_sip._udp.example.test", RecordType::SRV),
        ["10 0 5060 dead.example.test.", "20 5 5070 pbx.example.test."]
    );
    assert_eq!(answers("_sip._tcp.example.test", RecordType::SRV), ["0 0 1 ."]);
    assert_eq!(answers("pbx.example.test", RecordType::A), ["127.0.0.1"]);
}

#[test]
fn dnsmasq_tells_what_does_not_exist_from_what_it_may_not_answer() {
    let dns = Dnsmasq::start(Zone::default());
    let code = |name: &str| ask(dns.address(), name, RecordType::A).map(|reply| reply.metadata.response_code);
    assert_eq!(code("absent.test"), Some(ResponseCode::NXDomain));
    assert_eq!(code("example.org"), Some(ResponseCode::Refused));
}

/// One Call-ID of a SIPp registrar, seen from its client.
struct Call {
    client: SipClient,
    _sipp: Sipp,
}

impl Call {
    fn to(scenario: &Scenario) -> Self {
        let sipp = Sipp::start(scenario);
        Self {
            client: SipClient::new(sipp.udp()),
            _sipp: sipp,
        }
    }

    fn register(&self, sequence: u32) {
        self.client.send(&self.client.request("REGISTER", "call", sequence));
    }

    /// Sends an OPTIONS of a Call-ID of its own and returns what comes before and with its answer.
    fn replies_until_ping(&self, call_id: &str) -> Vec<String> {
        self.client.send(&self.client.request("OPTIONS", call_id, 1));
        let mut replies = vec![self.next()];
        while replies.last().is_some_and(|reply| !reply.ends_with("OPTIONS")) {
            replies.push(self.next());
        }
        replies.pop();
        replies
    }

    /// The next reply as `401 1 REGISTER`.
    fn next(&self) -> String {
        let reply = self.client.expect_reply();
        let (code, sequence) = status(&reply);
        format!("{code} {sequence}")
    }
}

const NOTHING: [String; 0] = [];

#[test]
fn sipp_loses_the_first_request_and_answers_its_retransmission() {
    let call = Call::to(&Scenario::first_request_lost());
    call.register(1);
    assert_eq!(call.replies_until_ping("first"), NOTHING);
    let answered = (0..50).any(|_| {
        call.register(1);
        call.client
            .receive(Duration::from_millis(200))
            .is_some_and(|reply| status(&reply) == (200, "1 REGISTER"))
    });
    assert!(answered);
}

#[test]
fn sipp_duplicates_its_replies() {
    let call = Call::to(&Scenario::replies_duplicated());
    call.register(1);
    assert_eq!([call.next(), call.next()], ["401 1 REGISTER", "401 1 REGISTER"]);
    call.register(2);
    assert_eq!([call.next(), call.next()], ["200 2 REGISTER", "200 2 REGISTER"]);
}

#[test]
fn sipp_delays_its_reply() {
    let call = Call::to(&Scenario::reply_delayed());
    call.register(1);
    call.register(1);
    assert_eq!(call.replies_until_ping("meanwhile"), NOTHING);
    assert_eq!(call.next(), "200 1 REGISTER");
}

#[test]
fn sipp_says_trying_after_the_final_reply() {
    let call = Call::to(&Scenario::trying_after_final());
    call.register(1);
    assert_eq!(
        [call.next(), call.next(), call.next()],
        ["200 1 REGISTER", "100 1 REGISTER", "200 1 REGISTER"]
    );
}

#[test]
fn sipp_crosses_the_replies_of_two_requests() {
    let call = Call::to(&Scenario::replies_crossed());
    call.register(1);
    assert_eq!(call.next(), "401 1 REGISTER");
    call.register(2);
    assert_eq!([call.next(), call.next()], ["401 1 REGISTER", "200 2 REGISTER"]);
}

#[test]
fn sipp_tries_and_answers_late() {
    let call = Call::to(&Scenario::trying_then_late_final());
    call.register(1);
    assert_eq!(call.replies_until_ping("meanwhile"), ["100 1 REGISTER"]);
    assert_eq!(call.next(), "200 1 REGISTER");
}

#[test]
fn sipp_only_tries() {
    let call = Call::to(&Scenario::only_trying());
    call.register(1);
    assert_eq!(call.replies_until_ping("first"), ["100 1 REGISTER"]);
    call.register(1);
    assert_eq!(
        call.replies_until_ping("second"),
        ["100 1 REGISTER"],
        "a retransmission brings the 100 again"
    );
}

#[test]
fn sipp_keeps_silent() {
    let call = Call::to(&Scenario::silence());
    call.register(1);
    call.register(1);
    assert_eq!(call.replies_until_ping("first"), NOTHING);
    call.register(2);
    assert_eq!(call.replies_until_ping("second"), NOTHING);
}

#[test]
fn sipp_takes_a_further_request_for_the_removal() {
    let call = Call::to(&Scenario::trying_after_final());
    call.register(1);
    for _ in 0..3 {
        call.next();
    }
    call.register(2);
    let reply = call.client.expect_reply();
    assert_eq!(status(&reply), (200, "2 REGISTER"));
    assert_eq!(header(&reply, "Contact"), None);
}

#[test]
fn a_closed_port_has_nobody_and_a_black_hole_says_nothing() {
    let closed = SipClient::new(port::closed());
    closed.send(&closed.request("OPTIONS", "closed", 1));
    assert_eq!(closed.receive(Duration::from_millis(50)), None);

    let (socket, address) = port::black_hole();
    let client = SipClient::new(address);
    let request = client.request("OPTIONS", "hole", 1);
    client.send(&request);
    let mut buffer = [0; 65_535];
    let length = socket.recv(&mut buffer).expect("the request arrives");
    assert_eq!(&buffer[..length], request.as_bytes());
    assert_eq!(client.receive(Duration::from_millis(50)), None);
}

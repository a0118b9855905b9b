//! A registrar that asks instead of answering: floods of requests, our own requests sent back, requests that act on a terminal. The
//! exchange goes on, and no more goes back than what keeps a binding alive.

use serde_json::Value;

use crate::program::report_with;
use crate::support::hostile::{Hostile, Request};

/// An OPTIONS for the Contact that the request wants to bind.
fn options(request: &Request, number: u32) -> String {
    let contact = request.header("Contact").trim_start_matches('<');
    let (uri, _) = contact.split_once('>').expect("our Contact stands in angle brackets");
    format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{number}\r\nFrom: <sip:\x1b]0;x\x07@h>;tag=\u{202e}\r\n\
         To: <{uri}>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

fn is_answer(request: &Request) -> bool {
    request.bytes.starts_with(b"SIP/2.0")
}

#[test]
fn a_flood_of_requests_is_answered_a_few_times_and_does_not_stop_the_exchange() {
    let peer = Hostile::udp(|request, line| {
        if is_answer(request) {
            return;
        }
        for number in 0..100 {
            // Datagrams that find no room are lost; the reply is sent often enough to get through.
            (0..100).for_each(|_| line.send(options(request, number)));
            line.send(request.granted());
        }
    });
    let report = report_with("udp", peer.address(), &["--trace"]);
    assert_eq!(report.outcome(), "registered", "{}", *report);
    let answers: Vec<_> = peer.requests().into_iter().filter(is_answer).collect();
    // The removal counts as well: eight at once and four a second, for as long as a busy machine may take.
    assert!((1..=8 + 4 * 20).contains(&answers.len()), "{} answers", answers.len());
    assert!(answers.iter().all(|answer| answer.bytes.starts_with(b"SIP/2.0 200 OK")));
    let transcript = report["transcript"].as_array().expect("--trace keeps the messages");
    let is_shown = |entry: &&Value| entry["text"].as_str().is_some_and(|text| text.starts_with("OPTIONS"));
    let shown = transcript.iter().filter(is_shown).count();
    assert!((1..=2 * 4).contains(&shown), "four in each of the two exchanges: {}", *report);
}

/// A mirror would answer itself through us: our 405 to our own REGISTER comes back as the registrar's.
#[test]
fn a_mirror_is_no_registrar() {
    for transport in ["udp", "tcp"] {
        let peer = match transport {
            "udp" => Hostile::udp(|request, line| line.send(&request.bytes)),
            _ => Hostile::answering(|request| request.bytes.clone()),
        };
        let report = report_with(transport, peer.address(), &[]);
        assert_eq!(report.outcome(), "no_reply", "{}", *report);
        let detail = report["detail"].as_str().unwrap();
        assert!(detail.contains("what came is our own request"), "{detail}");
        assert!(!peer.requests().iter().any(is_answer));
    }
}

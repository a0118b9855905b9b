//! Replies that are not for us, or come too often: counted or ignored, while the real exchange goes on.

use std::thread;

use crate::lab::{command, interrupt, text};
use crate::program::{PASSWORD, report};
use crate::support::hostile::{Hostile, Request, hesitate};
use crate::{CHALLENGE, at_once};

/// The 200 with one text replaced.
fn altered(reply: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let reply = String::from_utf8(reply).expect("it is text");
    assert!(reply.contains(from), "{from} is not in {reply}");
    reply.replacen(from, to, 1).into_bytes()
}

/// Replies that look like ours and are not: another branch, another CSeq, another method, one Via too many.
fn foreign(request: &Request, status: &str, headers: &str) -> Vec<Vec<u8>> {
    let reply = || request.reply(status, headers);
    let (via, cseq) = (request.header("Via"), request.header("CSeq"));
    let (number, _) = cseq.split_once(' ').expect("a CSeq has a number and a method");
    let last = via.chars().last().expect("a Via is not empty");
    let other = if last == '0' { '1' } else { '0' };
    let other_branch = format!("{}{other}", &via[..via.len() - 1]);
    vec![
        altered(reply(), via, &other_branch),
        altered(reply(), via, "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKelse"),
        altered(reply(), via, "SIP/2.0/UDP 127.0.0.1"),
        altered(reply(), &format!("Via: {via}\r\n"), ""),
        altered(reply(), cseq, &format!("{number}9 REGISTER")),
        altered(reply(), cseq, &format!("{number} INVITE")),
        altered(
            reply(),
            "\r\nFrom:",
            "\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKsecond\r\nFrom:",
        ),
    ]
}

#[test]
fn replies_of_other_dialogs_are_not_ours() {
    for at in 0..7 {
        let peer = Hostile::udp(move |request, line| {
            line.send(&foreign(request, "403 Forbidden", "")[at]);
            line.send(&foreign(request, "401 Unauthorized", &format!("WWW-Authenticate: {CHALLENGE}\r\n"))[at]);
            line.send(request.granted());
        });
        let report = report("udp", peer.address());
        assert_eq!(report.outcome(), "registered", "{at}: {}", *report);
        assert!(!peer.requests().iter().any(Request::has_credentials), "{at}");
    }
}

#[test]
fn with_nothing_but_replies_of_other_dialogs_there_is_no_reply() {
    let peers = [0, 1, 2, 3, 4, 5, 6];
    at_once(&peers, |at| {
        let at = *at;
        let peer = Hostile::udp(move |request, line| line.send(&foreign(request, "200 OK", "")[at]));
        assert_eq!(report("udp", peer.address()).outcome(), "no_reply", "{at}");
        let peer = Hostile::answering(move |request| foreign(request, "200 OK", "").swap_remove(at));
        assert_eq!(report("tcp", peer.address()).outcome(), "no_reply", "{at}");
    });
}

/// Several final replies to one request: whoever comes second cannot take back what the first one said.
#[test]
fn the_first_of_several_final_replies_counts() {
    type Replies = fn(&Request) -> Vec<Vec<u8>>;
    let cases: [(&str, Replies); 5] = [
        ("registered", |request| vec![request.granted(), request.reply("403 Forbidden", "")]),
        ("registered", |request| {
            vec![request.granted(), request.granted_with("Contact: <sip:mallory@192.0.2.66>\r\n")]
        }),
        ("registered", |request| {
            vec![request.granted(), request.challenged("Digest realm=\"rogue\", nonce=\"rogue\"")]
        }),
        ("registered", |request| {
            vec![request.granted(), request.reply("302 Moved", "Contact: <sip:127.0.0.1:9>\r\n")]
        }),
        ("forbidden", |request| vec![request.reply("403 Forbidden", ""), request.granted()]),
    ];
    for (outcome, replies) in cases {
        for transport in ["udp", "tcp"] {
            let peer = match transport {
                "udp" => Hostile::udp(move |request, line| replies(request).iter().for_each(|reply| line.send(reply))),
                _ => Hostile::answering(move |request| replies(request).concat()),
            };
            let report = report(transport, peer.address());
            assert_eq!(report.outcome(), outcome, "{transport}: {}", *report);
            assert!(!peer.requests().iter().any(Request::has_credentials), "{transport}");
        }
    }
    // Two challenges: one of them is answered, once.
    let peer = Hostile::udp(|request, line| {
        if request.has_credentials() {
            line.send(request.granted());
        } else {
            line.send(request.challenged(CHALLENGE));
            line.send(request.challenged("Digest realm=\"rogue\", nonce=\"rogue\""));
        }
    });
    assert_eq!(report("udp", peer.address()).outcome(), "registered");
    let rogue = |request: &Request| String::from_utf8_lossy(&request.bytes).contains("rogue");
    assert!(!peer.requests().iter().any(rogue));
}

/// A 200 that comes when nobody waits for it any more, and one that comes again while the binding is removed.
#[test]
fn a_200_that_comes_late_changes_nothing() {
    let peer = Hostile::udp(|request, line| {
        // Four of these are more than the whole timeout.
        (0..4).for_each(|_| hesitate());
        line.send(request.granted());
    });
    let late = report("udp", peer.address());
    assert_eq!(late.outcome(), "no_reply", "{}", *late);

    let mut first = None;
    let peer = Hostile::udp(move |request, line| {
        let granted = request.granted();
        if request.removes() {
            line.send(first.as_ref().unwrap_or(&granted));
        }
        first.get_or_insert_with(|| granted.clone());
        line.send(granted);
    });
    let again = report("udp", peer.address());
    assert_eq!(again.outcome(), "registered", "{}", *again);
    assert!(again["phases_ms"]["removal"].is_number(), "{}", *again);
}

#[test]
fn another_call_id_with_our_branch_is_pointed_out() {
    let peer = Hostile::udp(|request, line| line.send(altered(request.granted(), request.header("Call-ID"), "someone-elses")));
    let report = report("udp", peer.address());
    assert!(report.finds("sip_alg_suspected"), "{}", *report);
}

#[test]
fn somebody_elses_contact_is_not_our_binding() {
    let peer = Hostile::udp(|request, line| line.send(request.reply("200 OK", "Contact: <sip:mallory@192.0.2.66>;expires=300\r\n")));
    assert_eq!(report("udp", peer.address()).outcome(), "binding_not_confirmed");
}

#[test]
fn a_challenge_from_another_address_is_never_answered() {
    let peer = Hostile::udp(|request, line| line.send_from_elsewhere(request.challenged(CHALLENGE)));
    let spoofed = report("udp", peer.address());
    assert_eq!(spoofed.outcome(), "no_reply", "{}", *spoofed);
    assert!(spoofed.finds("reply_from_other_address"), "{}", *spoofed);
    assert!(!peer.requests().iter().any(Request::has_credentials));

    // The real one is answered beside it.
    let peer = Hostile::udp(|request, line| {
        line.send_from_elsewhere(request.challenged("Digest realm=\"rogue\", nonce=\"rogue\""));
        line.send(if request.has_credentials() {
            request.granted()
        } else {
            request.challenged(CHALLENGE)
        });
    });
    let report = report("udp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
    assert!(report.finds("reply_from_other_address"), "{}", *report);
    assert!(
        !peer
            .requests()
            .iter()
            .any(|request| String::from_utf8_lossy(&request.bytes).contains("rogue"))
    );
}

#[test]
fn a_flood_of_provisional_replies_is_counted_and_the_final_one_counts() {
    let peer = Hostile::udp(|request, line| {
        for _ in 0..100 {
            // Datagrams that find no room are lost; the final one is sent often enough to get through.
            (0..100).for_each(|_| line.send(request.reply("100 Trying", "")));
            line.send(request.granted());
        }
    });
    let report = report("udp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
}

#[test]
fn provisional_replies_for_ever_end_with_the_timeout() {
    at_once(&["udp", "tcp"], |transport| {
        let peer = match *transport {
            "udp" => Hostile::udp(|request, line| {
                while !line.is_over() {
                    line.send(request.reply("183 Soon", ""));
                }
            }),
            _ => Hostile::tcp(|connection| {
                if let Some(request) = connection.request() {
                    connection.send_for_ever(request.reply("100 Trying", "").repeat(100));
                }
            }),
        };
        assert_eq!(report(transport, peer.address()).outcome(), "only_provisional", "{transport}");
    });
}

#[test]
fn a_flood_of_foreign_replies_and_requests_does_not_stop_the_exchange() {
    let peer = Hostile::udp(|request, line| {
        let invite = format!(
            "INVITE sip:alice@{} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\r\n",
            request.client
        );
        let junk = [foreign(request, "403 Forbidden", ""), vec![invite.into_bytes(), vec![0xff; 60_000]]].concat();
        for _ in 0..50 {
            (0..20).for_each(|_| junk.iter().for_each(|datagram| line.send(datagram)));
            line.send(if request.has_credentials() {
                request.granted()
            } else {
                request.challenged(CHALLENGE)
            });
        }
    });
    let report = report("udp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
}

#[test]
fn a_flood_does_not_keep_the_user() {
    let peer = Hostile::udp(|request, line| {
        while !line.is_over() {
            line.send(request.reply("183 Soon", ""));
        }
    });
    let aor = format!("sip:alice@{}", peer.address());
    let child = command(PASSWORD, &["probe", &aor, "--transport", "udp", "--timeout", "50s"])
        .spawn()
        .expect("the program was built together with this test");
    while peer.requests().is_empty() {
        thread::yield_now();
    }
    interrupt(&child);
    let ended = child.wait_with_output().expect("it was not waited for before");
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended.stdout));
}

#[test]
fn a_flood_from_many_addresses_takes_no_memory() {
    let peer = Hostile::udp(|request, line| {
        for _ in 0..500 {
            line.send_from_elsewhere(request.challenged(CHALLENGE));
        }
        line.send(request.granted());
    });
    let report = report("udp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
    let findings = report["findings"].as_array().expect("findings are a list").len();
    assert!(findings < 50, "{findings}");
}

//! Streams and datagrams that are no proper messages (the class that crashed or starved the parsers of
//! Content-Length and of header blocks in many SIP stacks): each ends in a cause, or is survived, with flat memory.

use crate::program::report;
use crate::support::hostile::{Hostile, Request};
use crate::{at_once, contact_of};

/// The reply's head up to and with the Via, which says whose it is.
fn opening(request: &Request) -> String {
    format!("SIP/2.0 200 OK\r\nVia: {}\r\n", request.header("Via"))
}

#[test]
fn a_head_without_end_is_a_malformed_reply() {
    let line = "X-Endless: ".to_owned() + &"a".repeat(500) + "\r\n";
    let pieces = [
        "a".repeat(4096),
        "a:\r\n".repeat(1024),
        " \r\n".repeat(1024),
        line,
        "\0".repeat(4096),
    ];
    at_once(&pieces, |piece| {
        let endless = piece.clone();
        let peer = Hostile::tcp(move |connection| {
            if let Some(request) = connection.request() {
                connection.send(opening(&request) + "X: ");
                connection.send_for_ever(&endless);
            }
        });
        assert_eq!(report("tcp", peer.address()).outcome(), "malformed_reply", "{:?}", &piece[..4]);
    });
}

#[test]
fn a_datagram_with_too_much_head_is_a_malformed_reply() {
    let heads = [
        "X: ".to_owned() + &"a".repeat(60_000) + "\r\n",
        "X: y\r\n".repeat(300),
        "X:".repeat(30_000),
    ];
    at_once(&heads, |head| {
        let headers = head.clone();
        let peer = Hostile::udp(move |request, line| line.send(opening(request) + &headers + "\r\n"));
        assert_eq!(report("udp", peer.address()).outcome(), "malformed_reply", "{:?}", &head[..8]);
    });
}

/// Lengths that are negative, contradict each other, or are too large for 31, 32 or 64 bits (the class of CVE-2023-28097 and
/// CVE-2026-23457: what is left of such a length when it is cut to fewer bits).
#[test]
fn a_content_length_that_cannot_be_is_a_malformed_reply() {
    let lengths = [
        "Content-Length: 4294967296",
        "Content-Length: 4294967328",
        "Content-Length: 4294967295",
        "Content-Length: 2147483648",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999999999999999999999",
        "Content-Length: 65536",
        "Content-Length: -1",
        "Content-Length: 0x10",
        "Content-Length: five",
        "Content-Length:",
        "Content-Length: 0\r\nContent-Length: 5",
        "l: 3\r\nContent-Length: 4",
        "Content-Length: 4294967296\r\nContent-Length: 0",
    ];
    at_once(&lengths, |length| {
        let length = *length;
        let peer = Hostile::tcp(move |connection| {
            if let Some(request) = connection.request() {
                let reply = opening(&request) + length + "\r\n\r\n";
                connection.send(reply);
                connection.stay_silent();
            }
        });
        assert_eq!(report("tcp", peer.address()).outcome(), "malformed_reply", "{length}");
    });
}

#[test]
fn a_datagram_whose_content_length_lies_still_counts() {
    // RFC 3261 §18.3 would drop it; a usable 200 tells more than silence, and the datagram's own length is the truth.
    for length in ["4294967296", "-1", "7", "five"] {
        let peer = Hostile::udp(move |request, line| {
            let reply = String::from_utf8(request.granted()).expect("it is text");
            line.send(reply.replace("Content-Length: 0", &format!("Content-Length: {length}")));
        });
        assert_eq!(report("udp", peer.address()).outcome(), "registered", "{length}");
    }
}

#[test]
fn a_body_that_never_comes_is_no_reply() {
    let peer = Hostile::tcp(|connection| {
        while let Some(request) = connection.request() {
            let reply = opening(&request) + &contact_of(&request) + "Content-Length: 65000\r\n\r\nabc";
            connection.send(reply);
        }
    });
    assert_eq!(report("tcp", peer.address()).outcome(), "no_reply");
}

#[test]
fn a_reply_may_come_one_byte_at_a_time() {
    let peer = Hostile::tcp(|connection| {
        while let Some(request) = connection.request() {
            connection.drip(request.granted());
        }
    });
    assert_eq!(report("tcp", peer.address()).outcome(), "registered");
}

#[test]
fn a_drip_that_never_ends_does_not_hold_the_probe() {
    let peer = Hostile::tcp(|connection| {
        if let Some(request) = connection.request() {
            connection.send(opening(&request));
            while connection.drip("X: slow\r\n") {}
        }
    });
    assert_eq!(report("tcp", peer.address()).outcome(), "no_reply");
}

#[test]
fn line_ends_without_end_are_not_a_reply_and_take_no_memory() {
    at_once(&["\r\n", "\n"], |line_end| {
        let line_ends = line_end.repeat(32 * 1024);
        let peer = Hostile::tcp(move |connection| {
            connection.request();
            connection.send_for_ever(&line_ends);
        });
        assert_eq!(report("tcp", peer.address()).outcome(), "no_reply");
    });
}

#[test]
fn junk_before_the_reply_is_skipped_where_it_ends() {
    let junk: [&[u8]; 4] = [
        b"GARBAGE\r\n\r\n",
        b"SIP/2.0 nonsense\r\nl: 0\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \xff\xfe\0\r\n\r\n",
    ];
    for junk in junk {
        let tcp = Hostile::answering(move |request| [junk, &request.granted()].concat());
        assert_eq!(report("tcp", tcp.address()).outcome(), "registered", "{junk:?}");
        let udp = Hostile::udp(move |request, line| {
            line.send(junk);
            line.send(b"");
            line.send(request.granted());
        });
        assert_eq!(report("udp", udp.address()).outcome(), "registered", "{junk:?}");
    }
}

#[test]
fn junk_that_runs_into_the_reply_makes_it_malformed() {
    let junk: [&[u8]; 3] = [b"\0\x01\x02\xff", b"GARBAGE ", b"INVITE sip:a@b SIP/2.0\nX: y"];
    for junk in junk {
        let peer = Hostile::answering(move |request| [junk, &request.granted()].concat());
        let outcome = report("tcp", peer.address());
        assert!(
            ["malformed_reply", "no_reply"].contains(&outcome.outcome()),
            "{junk:?}: {}",
            *outcome
        );
    }
    let peer = Hostile::answering(|request| [&[0x80; 40_000][..], &request.granted()].concat());
    assert_eq!(report("tcp", peer.address()).outcome(), "malformed_reply");
}

#[test]
fn ten_thousand_pipelined_replies_are_read_and_one_counts() {
    let peer = Hostile::answering(|request| {
        if request.has_credentials() {
            request.granted().repeat(10_000)
        } else {
            request.challenged("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"").repeat(10_000)
        }
    });
    let report = report("tcp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
    // REGISTER, its answer, and the removal.
    assert_eq!(report["requests"], 3, "{}", *report);
    assert_eq!(peer.requests().len(), 3);
}

#[test]
fn a_connection_that_ends_at_any_byte_is_lost() {
    // Longer than the reply, which then ends before its last byte.
    let offsets: Vec<usize> = (0..450).collect();
    let parts: Vec<&[usize]> = offsets.chunks(offsets.len().div_ceil(4)).collect();
    at_once(&parts, |offsets| {
        let cases = offsets.iter().flat_map(|offset| [(*offset, true), (*offset, false)]);
        for (offset, resets) in cases {
            let peer = Hostile::tcp(move |connection| {
                if let Some(request) = connection.request() {
                    let reply = request.granted();
                    connection.send(&reply[..offset.min(reply.len() - 1)]);
                    if resets {
                        connection.reset_at_end();
                    }
                }
            });
            let report = report("tcp", peer.address());
            assert_eq!(report.outcome(), "connection_lost", "{offset} {resets}: {}", *report);
        }
    });
}

/// A reply without Content-Length, which only a datagram may leave out (RFC 3261 §20.14), is taken for one without a body.
#[test]
fn a_reply_without_content_length_has_no_body() {
    let peer = Hostile::answering(|request| {
        let reply = String::from_utf8(request.granted()).expect("it is text");
        reply.replace("Content-Length: 0\r\n", "").into_bytes()
    });
    assert_eq!(report("tcp", peer.address()).outcome(), "registered");
}

/// A body longer than declared: the rest is read as what comes next, and cannot speak for another request (the class of message
/// smuggling).
#[test]
fn what_comes_behind_a_body_is_another_message() {
    let rests: [fn(&Request) -> Vec<u8>; 4] = [
        |_| b"\r\n\r\n".to_vec(),
        |_| b"rest of the body\r\n\r\n".to_vec(),
        |request| {
            let forged = String::from_utf8(request.reply("403 Forbidden", "")).expect("it is text");
            forged.replace("z9hG4bK", "z9hG4bKx").into_bytes()
        },
        |_| b"BYE sip:alice@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n".to_vec(),
    ];
    for (at, rest) in rests.into_iter().enumerate() {
        let peer = Hostile::answering(move |request| {
            let reply = String::from_utf8(request.granted()).expect("it is text");
            let with_body = reply.replace("Content-Length: 0\r\n\r\n", "Content-Length: 4\r\n\r\nbody");
            [with_body.into_bytes(), rest(request)].concat()
        });
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "registered", "{at}: {}", *report);
        assert!(report["phases_ms"]["removal"].is_number(), "{at}: {}", *report);
    }
}

#[test]
fn a_peer_that_closes_what_it_accepts_is_named() {
    for resets in [false, true] {
        let peer = Hostile::tcp(move |connection| {
            if resets {
                connection.reset_at_end();
            }
        });
        assert_eq!(report("tcp", peer.address()).outcome(), "connection_lost", "{resets}");
    }
}

#[test]
fn a_peer_that_accepts_and_says_nothing_does_not_reply() {
    let peer = Hostile::tcp(|connection| connection.stay_silent());
    assert_eq!(report("tcp", peer.address()).outcome(), "no_reply");
}

/// To, From, Contact and others that break their grammar, a backslash at the end of a display name among them (CVE-2021-43611's class).
#[test]
fn headers_that_are_broken_do_not_hide_a_200() {
    let broken = [
        "To: ;tag\r\n",
        "From: ;;\r\n",
        "Contact: <sip:\r\n",
        "Contact: http://127.0.0.1/\r\n",
        "Contact: \"alice\\\r\n",
        "Contact: <sip:/>, <sip:a@[::1>\r\n",
        "Contact: ,,,,;;;;==\r\n",
        "CSeq: 99999999999999999999 REGISTER\r\n",
        "Expires: -1\r\n",
        "Expires: 18446744073709551616\r\n",
        "Authentication-Info: nextnonce\r\n",
        "Authentication-Info: =,=,\"\r\n",
        "Retry-After: (((((\r\n",
        "Warning: 999999 \" \r\n",
        "Server: \"((((\r\n",
        "Date: never\r\n",
        ": no name\r\n",
        "no colon\r\n",
        "\u{202e}\u{1b}[2J: x\r\n",
    ];
    at_once(&broken, |broken| {
        let broken = *broken;
        let peer = Hostile::udp(move |request, line| line.send(request.granted_with(broken)));
        assert_eq!(report("udp", peer.address()).outcome(), "registered", "{broken:?}");
    });
}

/// Our own Via with more to it, or less, in a reply that is usable otherwise (CVE-2023-27598's class: a Via without what its reader takes
/// for granted).
#[test]
fn a_via_that_is_odd_is_ours_or_nobodys() {
    let ours = [
        ";received=",
        ";received=\"\"",
        ";received=[::1",
        ";received=999.999.999.999",
        ";rport=",
        ";rport=junk",
        ";rport=-1",
        ";rport=99999999999999999999",
        ";;;",
        ";x=\"\\\"",
        ";ttl=;maddr=",
    ];
    at_once(&ours, |more| {
        let more = *more;
        let peer = Hostile::udp(move |request, line| {
            let reply = String::from_utf8(request.granted()).expect("it is text");
            let via = request.header("Via");
            line.send(reply.replacen(via, &via.replacen(";rport", more, 1), 1));
        });
        let report = report("udp", peer.address());
        assert_eq!(report.outcome(), "registered", "{more}: {}", *report);
    });
    let nobodys = [
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/UDP ;branch=",
        "/ / ;",
        "SIP/2.0/UDP 127.0.0.1;branch",
        ";branch=z9hG4bK",
        "",
    ];
    at_once(&nobodys, |via| {
        let via = *via;
        let peer = Hostile::udp(move |request, line| {
            let reply = String::from_utf8(request.granted()).expect("it is text");
            line.send(reply.replacen(request.header("Via"), via, 1));
        });
        let report = report("udp", peer.address());
        assert!(["no_reply", "malformed_reply"].contains(&report.outcome()), "{via}: {}", *report);
    });
}

/// What a reply is changed into, for a size.
type Change = fn(&str, &Request, usize) -> String;

/// A peer whose every reply is changed so.
fn changing(change: Change, size: usize) -> Hostile {
    Hostile::answering(move |request| {
        let reply = String::from_utf8(request.granted()).expect("it is text");
        change(&reply, request, size).into_bytes()
    })
}

/// Tags, branches and addresses at the edges where buffers of a fixed size end (CVE-2018-8828's class: tags and branches of a little
/// more than fits).
#[test]
fn tags_and_branches_at_the_edges_are_read() {
    let changes: [(&str, Change); 3] = [
        ("tag", |reply, _, size| {
            reply.replace("tag=hostile", &format!("tag={}", "t".repeat(size)))
        }),
        ("parameter of Via", |reply, request, size| {
            let via = request.header("Via");
            reply.replace(via, &format!("{via};received={}", "9".repeat(size)))
        }),
        ("branch of somebody else", |reply, _, size| {
            reply.replace(
                "\r\nFrom:",
                &format!("\r\nX: SIP/2.0/UDP h;branch=z9hG4bK{}\r\nFrom:", "b".repeat(size)),
            )
        }),
    ];
    for (what, change) in changes {
        for size in [255, 256, 257, 10_240] {
            assert_eq!(
                report("tcp", changing(change, size).address()).outcome(),
                "registered",
                "{what} {size}"
            );
        }
    }
}

/// Numbers and names that no reply to us can have, and texts of 100 KiB (CVE-2024-3119's class: a Call-ID longer than its buffer).
#[test]
fn names_and_numbers_beyond_the_edges_are_ignored_or_named() {
    let odd: [(&str, Change, &str); 8] = [
        (
            "branch",
            |reply, request, size| reply.replace(request.header("Via"), &format!("SIP/2.0/TCP h;branch=z9hG4bK{}", "b".repeat(size))),
            "no_reply",
        ),
        (
            "CSeq of 0",
            |reply, request, _| reply.replace(request.header("CSeq"), "0 REGISTER"),
            "no_reply",
        ),
        (
            "CSeq of 2^31",
            |reply, request, _| reply.replace(request.header("CSeq"), "2147483648 REGISTER"),
            "no_reply",
        ),
        // RFC 3261 §8.1.1.5 knows no such number: it is passed over, and the branch decides.
        (
            "CSeq of 2^32",
            |reply, request, _| reply.replace(request.header("CSeq"), "4294967296 REGISTER"),
            "registered",
        ),
        (
            "method",
            |reply, request, size| reply.replace(request.header("CSeq"), &format!("1 {}", "M".repeat(size))),
            "no_reply",
        ),
        (
            "tag",
            |reply, _, size| reply.replace("hostile", &"t".repeat(size * 10)),
            "malformed_reply",
        ),
        (
            "Call-ID",
            |reply, request, size| reply.replace(request.header("Call-ID"), &"c".repeat(size * 10)),
            "malformed_reply",
        ),
        (
            "phrase",
            |reply, _, size| reply.replace("200 OK", &format!("200 {}", "x".repeat(size * 10))),
            "malformed_reply",
        ),
    ];
    at_once(&odd, |&(what, change, outcome)| {
        let report = report("tcp", changing(change, 10_240).address());
        assert_eq!(report.outcome(), outcome, "{what}: {}", *report);
    });
}

#[test]
fn sizes_at_the_edges_are_accepted_or_named() {
    let within: [(String, String); 6] = [
        ("200 ".to_owned() + &"x".repeat(30_000), String::new()),
        ("200 ".to_owned(), String::new()),
        ("200 OK".to_owned(), "X: ".to_owned() + &"y".repeat(31_000) + "\r\n"),
        ("200 OK".to_owned(), "X: y\r\n".repeat(240)),
        (
            "200 OK".to_owned(),
            "Contact: ".to_owned() + &"<sip:a@h>,".repeat(3_000) + "<sip:b@h>\r\n",
        ),
        ("200 OK".to_owned(), "Server: ".to_owned() + &"s".repeat(31_000) + "\r\n"),
    ];
    at_once(&within, |(status, headers)| {
        let (status, headers) = (status.clone(), headers.clone());
        let peer = Hostile::answering(move |request| request.reply(&status, &(contact_of(request) + &headers)));
        assert_eq!(report("tcp", peer.address()).outcome(), "registered");
    });
    let peer = Hostile::answering(|request| request.reply(&("200 ".to_owned() + &"x".repeat(70_000)), ""));
    assert_eq!(report("tcp", peer.address()).outcome(), "malformed_reply");
}

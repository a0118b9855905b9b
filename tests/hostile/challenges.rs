//! Challenges that want something else than to be answered: to get lines of their own into our next
//! request, to get a weaker answer, to be answered for ever, or to break the parser (the class of CVE-2023-28098: a Digest header
//! that is cut off makes the reader run past its end).

use crate::program::{report, report_with};
use crate::support::hostile::{Hostile, Request};
use crate::{CHALLENGE, at_once};

/// The headers that a REGISTER of ours has.
const HEADERS: [&str; 16] = [
    "Via",
    "Route",
    "Max-Forwards",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Expires",
    "User-Agent",
    "Allow",
    "Supported",
    "Authorization",
    "Proxy-Authorization",
    "Content-Length",
    "Accept",
];

/// The parameters that an answer has (RFC 7616 §3.4).
const PARAMETERS: [&str; 12] = [
    "username",
    "username*",
    "realm",
    "nonce",
    "uri",
    "response",
    "algorithm",
    "opaque",
    "qop",
    "cnonce",
    "nc",
    "userhash",
];

/// Holds a request to the shape that we gave it: nothing in it is anybody else's line, header or parameter.
pub(crate) fn is_ours(request: &Request) {
    let shown = String::from_utf8_lossy(&request.bytes).into_owned();
    let head = request
        .bytes
        .strip_suffix(b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no end: {shown:?}"));
    let mut seen: Vec<&str> = Vec::new();
    let text = String::from_utf8_lossy(head);
    for line in text.split("\r\n").skip(1) {
        assert!(!line.contains(['\r', '\n', '\0']), "{shown:?}");
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no header: {shown:?}"));
        assert!(HEADERS.contains(&name), "{name:?}: {shown:?}");
        assert!(!seen.contains(&name), "{name:?} twice: {shown:?}");
        seen.push(HEADERS.iter().find(|header| **header == name).expect("it was just found"));
        if name.ends_with("uthorization") {
            let parameters = value.strip_prefix("Digest ").unwrap_or_else(|| panic!("{value:?}"));
            let names = parameter_names(parameters);
            assert!(names.iter().all(|name| PARAMETERS.contains(&name.as_str())), "{names:?}: {shown:?}");
            assert!(
                names.len() == names.iter().collect::<std::collections::BTreeSet<_>>().len(),
                "{names:?}"
            );
        }
    }
}

/// The names in a list of parameters, quoted strings taken as RFC 3261 §25.1 has them.
fn parameter_names(parameters: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let (mut in_name, mut quoted, mut escaped) = (true, false, false);
    for character in parameters.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            ',' => in_name = true,
            '=' if in_name => {
                names.push(std::mem::take(&mut name).trim().to_owned());
                in_name = false;
            }
            _ if in_name => name.push(character),
            _ => {}
        }
    }
    assert!(!quoted && !escaped && name.trim().is_empty(), "{parameters:?}");
    names
}

/// A peer with a challenge for whoever comes without credentials, and no more for whoever has some.
pub(crate) fn challenging(challenge: &str) -> Hostile {
    let challenge = challenge.to_owned();
    Hostile::answering(move |request| {
        if request.has_credentials() {
            request.granted()
        } else {
            request.challenged(&challenge)
        }
    })
}

/// As a reader of the wire has them, these are one line break with something after it that wants to be a header.
const BREAKS: [&str; 13] = [
    "\", injected=\"yes",
    "\\\r\nX-Injected: yes\r\nX: ",
    "\r\n X-Injected: yes",
    "\r\n\tX-Injected: yes",
    "\rX-Injected: yes",
    "\r\n\r\nREGISTER sip:evil SIP/2.0\r\n",
    "\nX-Injected: yes",
    "\\\rX-Injected: yes",
    "\\\nX-Injected: yes",
    "\0\\\0",
    "\\\", injected=\"yes",
    "\\\\\\\", injected=\\\"yes\\\"",
    "\u{85}\u{2028}X-Injected: yes",
];

#[test]
fn nothing_in_a_challenge_becomes_a_line_or_a_parameter_of_our_request() {
    let templates = [
        "Digest realm=\"a@b\", nonce=\"n\", opaque=\"o\", qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"a@b\", opaque=\"o\", qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"n\", opaque=\"a@b\", qop=\"auth\", algorithm=SHA-256",
        "Digest realm=\"a@b\", nonce=\"a@b\", opaque=\"a@b\"",
        "Digest realm=\"r\", nonce=\"n\", opaque=o@o, qop=\"auth@\", algorithm=\"MD5@\", domain=\"@\"",
    ];
    let mut answered = 0;
    for (template, line_break) in templates
        .iter()
        .flat_map(|template| BREAKS.map(|line_break| (template, line_break)))
    {
        let peer = challenging(&template.replace('@', line_break));
        let report = report("tcp", peer.address());
        let causes = ["registered", "malformed_challenge", "unsupported_algorithm", "malformed_reply"];
        assert!(causes.contains(&report.outcome()), "{template} {line_break:?}: {}", *report);
        peer.requests().iter().for_each(is_ours);
        answered += peer.requests().iter().filter(|request| request.has_credentials()).count();
    }
    assert!(answered > 20, "the attack was hardly ever tried: {answered}");
}

#[test]
fn nothing_in_other_headers_becomes_part_of_our_request() {
    let hostile = [
        "Min-Expires: 600\r\n X-Injected: yes\r\n",
        "Min-Expires: 600;X-Injected=\"\r\n\tyes\"\r\n",
        "Min-Expires: 600\rX-Injected: yes\r\n",
        "Min-Expires: +600\r\n",
        "Min-Expires: 600 \0\r\n",
    ];
    for header in hostile {
        let peer = Hostile::answering(move |request| {
            if request.turn == 0 {
                request.reply("423 Interval Too Brief", header)
            } else {
                request.granted()
            }
        });
        let report = report("tcp", peer.address());
        assert!(
            ["registered", "interval_too_brief"].contains(&report.outcome()),
            "{header:?}: {}",
            *report
        );
        peer.requests().iter().for_each(is_ours);
    }
    // The removal names the Contact that we sent, not what came back for it.
    let contact =
        "Contact: <sip:alice@127.0.0.1;x=\"\r\n X-Injected: yes>;expires=300\r\nService-Route: <sip:x\r\n\tX-Injected: yes;lr>\r\n";
    let peer = Hostile::answering(move |request| request.granted_with(contact));
    assert_eq!(report("tcp", peer.address()).outcome(), "registered");
    peer.requests().iter().for_each(is_ours);
    assert_eq!(peer.requests().len(), 2);
}

#[test]
fn a_redirect_puts_no_line_into_our_request() {
    let targets = [
        "<sip:PEER\r\n X-Injected: yes>",
        "<sip:PEER;transport=tcp\r\n X-Injected: yes>",
        "<sip:PEER;transport=tcp\rX-Injected: yes>",
        "<sip:PEER;transport=tcp?X-Injected=yes>",
        "<sip:PEER;transport=tcp;x=%0d%0aX-Injected:%20yes>",
        "<sip:%0d%0aX-Injected:yes@PEER;transport=tcp>",
    ];
    let mut followed = 0;
    for target in targets {
        let peer = Hostile::answering(move |request| {
            if request.turn == 0 {
                let contact = target.replace("PEER", request.server());
                request.reply("302 Moved", &format!("Contact: {contact}\r\n"))
            } else {
                request.granted()
            }
        });
        report_with("tcp", peer.address(), &["--follow-redirects"]);
        peer.requests().iter().for_each(is_ours);
        followed += usize::from(peer.requests().len() > 1);
    }
    assert!(followed > 1, "the attack was hardly ever tried");
}

#[test]
fn challenges_that_are_cut_off_are_malformed() {
    // CVE-2023-28098's class, and its kin.
    let cut_off = [
        "",
        "Digest",
        "Digest ",
        "Digest realm",
        "Digest realm=",
        "Digest realm=\"",
        "Digest realm=\"r\\",
        "Digest realm=\"r\", nonce=\"n",
        "Digest =",
        "Digest ,",
        "Digest =,=,=",
        "Digest \"",
        "Digest realm=\"r\"",
        "Digest nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=",
        ",,,,",
        "=",
        "\"",
        "\\",
    ];
    at_once(&cut_off, |challenge| {
        let peer = challenging(challenge);
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "malformed_challenge", "{challenge:?}: {}", *report);
        assert!(!peer.requests().iter().any(Request::has_credentials), "{challenge:?}");
    });
}

#[test]
fn challenges_without_measure_end_in_a_cause() {
    let parameters: String = (0..2_000).map(|number| format!(", p{number}=\"{number}\"")).collect();
    let many = "Digest realm=\"r\", nonce=\"n\"".to_owned() + &parameters;
    let long = "n".repeat(31_000);
    for challenge in [
        many,
        format!("Digest realm=\"r\", nonce=\"n\", {long}=x"),
        format!("Digest realm=\"r\", nonce=\"{long}\""),
        format!("Digest realm=\"{}\", nonce=\"n\"", "\\\"".repeat(15_000)),
        format!("{long} realm=\"r\", nonce=\"n\""),
        format!("Digest realm=\"r\", nonce=\"n\", algorithm={long}"),
        format!("Digest realm=\"r\", nonce=\"n\"{}", ", Digest realm=\"r\"".repeat(1_500)),
        "Digest realm=\"r\", nonce=\"n\", qop=\"".to_owned() + &"auth,".repeat(6_000) + "\"",
        // Ten thousand parameters.
        "Digest realm=\"r\", nonce=\"n\"".to_owned() + &",a=".repeat(10_000),
        "Digest ".to_owned() + &"=,".repeat(10_000),
    ] {
        let peer = challenging(&challenge);
        let report = report("tcp", peer.address());
        let causes = ["registered", "malformed_challenge", "unsupported_algorithm", "connection_lost"];
        assert!(causes.contains(&report.outcome()), "{}: {}", &challenge[..60], *report);
        peer.requests().iter().for_each(is_ours);
    }
    // 64 KiB is more than a message may have.
    for challenge in [
        format!("Digest realm=\"r\", nonce=\"{}\"", "n".repeat(65_536)),
        format!("Digest realm=\"r\", nonce=\"n\", {}=x", "n".repeat(65_536)),
    ] {
        assert_eq!(report("tcp", challenging(&challenge).address()).outcome(), "malformed_reply");
    }
}

#[test]
fn parameters_that_come_twice_are_refused_or_one_is_taken() {
    for challenge in [
        "Digest realm=\"r\", realm=\"s\", nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, algorithm=MD5",
        "Digest realm=\"\", nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"\"",
    ] {
        let peer = challenging(challenge);
        let report = report("tcp", peer.address());
        assert!(
            ["registered", "malformed_challenge", "realm_mismatch"].contains(&report.outcome()),
            "{challenge}: {}",
            *report
        );
        peer.requests().iter().for_each(is_ours);
    }
}

#[test]
fn basic_and_what_is_not_supported_get_no_answer() {
    let refused = [
        ("Basic realm=\"example.test\"", "Basic"),
        ("Bearer authz_server=\"https://192.0.2.1\"", "Bearer"),
        ("NTLM realm=\"r\", targetname=\"t\"", "NTLM"),
        (
            "Digest realm=\"ims\", nonce=\"AAAA\", algorithm=AKAv1-MD5, qop=\"auth\"",
            "AKAv1-MD5",
        ),
        (
            "Digest realm=\"ims\", nonce=\"AAAA\", algorithm=AKAv2-SHA-256, qop=\"auth\"",
            "AKAv2-SHA-256",
        ),
        ("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", "SHA-1"),
    ];
    for (challenge, offered) in refused {
        let peer = challenging(challenge);
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "unsupported_algorithm", "{challenge}: {}", *report);
        assert_eq!(report["auth"]["offered"][0], offered, "{}", *report);
        assert!(!peer.requests().iter().any(Request::has_credentials), "{challenge}");
    }
}

#[test]
fn the_strongest_challenge_is_answered_wherever_it_stands() {
    let weak = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
    let strong = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    let basic = "Basic realm=\"r\"";
    for order in [[weak, strong, basic], [basic, weak, strong], [strong, basic, weak]] {
        let peer = challenging(&order.join("\r\nWWW-Authenticate: "));
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "registered", "{}", *report);
        let answer = peer.requests().into_iter().find(Request::has_credentials).expect("it was answered");
        assert!(answer.header("Authorization").contains("SHA-256"), "{answer:?}");
        assert!(!answer.header("Authorization").contains("Basic"), "{answer:?}");
    }
}

#[test]
fn nonces_that_are_stale_for_ever_end_soon() {
    let peer = Hostile::answering(|request| {
        let turn = request.turn;
        request.challenged(&format!("Digest realm=\"r\", nonce=\"n{turn}\", qop=\"auth\", stale=true"))
    });
    let stale = report("tcp", peer.address());
    assert_eq!(stale.outcome(), "stale_loop", "{}", *stale);
    assert!(peer.requests().len() <= 4, "{}", peer.requests().len());

    let peer = Hostile::answering(|request| request.challenged(&format!("{CHALLENGE}, stale=true")));
    assert_eq!(report("tcp", peer.address()).outcome(), "stale_loop");
    assert!(peer.requests().len() <= 4, "{}", peer.requests().len());

    let peer = Hostile::answering(|request| {
        let turn = request.turn;
        request.challenged(&format!("Digest realm=\"r\", nonce=\"n{turn}\", qop=\"auth\""))
    });
    let refused = report("tcp", peer.address());
    assert_eq!(refused.outcome(), "wrong_credentials", "{}", *refused);
    assert!(refused.finds("nonce_rotated"), "{}", *refused);
    assert!(peer.requests().len() <= 4, "{}", peer.requests().len());
}

#[test]
fn a_challenge_by_turns_from_registrar_and_proxy_ends_soon() {
    let peer = Hostile::answering(|request| {
        let turn = request.turn;
        let challenge = format!("Digest realm=\"r\", nonce=\"n{turn}\", qop=\"auth\", stale=true");
        if turn % 2 == 0 {
            request.challenged(&challenge)
        } else {
            request.reply("407 Proxy Authentication Required", &format!("Proxy-Authenticate: {challenge}\r\n"))
        }
    });
    let report = report("tcp", peer.address());
    assert!(["stale_loop", "wrong_credentials"].contains(&report.outcome()), "{}", *report);
    assert!(peer.requests().len() <= 6, "{}", peer.requests().len());
}

#[test]
fn an_interval_that_is_always_too_brief_ends_soon() {
    let always: [fn(&Request) -> String; 6] = [
        |request| format!("Min-Expires: {}\r\n", 600 * (request.turn + 1)),
        |_| "Min-Expires: 600\r\n".to_owned(),
        |_| "Min-Expires: 4294967295\r\n".to_owned(),
        |_| "Min-Expires: 18446744073709551616\r\n".to_owned(),
        |_| "Min-Expires: -1\r\n".to_owned(),
        |_| String::new(),
    ];
    for minimum in always {
        let peer = Hostile::answering(move |request| request.reply("423 Interval Too Brief", &minimum(request)));
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "interval_too_brief", "{}", *report);
        assert!(peer.requests().len() <= 4, "{}", peer.requests().len());
        let asked = |request: &Request| request.header("Expires").parse::<u64>().expect("it is a number");
        assert!(peer.requests().iter().all(|request| asked(request) <= 604_800), "asked for years");
    }
}

//! Text from the wire that wants to act where it is shown: on a terminal (the class of escape-sequence injection into
//! logs and consoles), in a log line, in a monitoring system's web page, in performance data. `program` looks for control and
//! bidirectional characters in every run; here every place that a peer can write to is filled with them.

use crate::program::{TIMEOUT, run, run_talking};
use crate::support::hostile::{Hostile, Request};
use crate::support::scratch::Scratch;
use crate::{at_once, contact_of};

/// Clears the screen, sets the clipboard and a link (OSC 52 and 8), returns the carriage, turns text around, and pretends to be
/// markup, performance data, a formula, a macro and a line of its own.
pub(crate) const NASTY: &str = "\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]8;;http://192.0.2.1\u{1b}\\x\u{9b}31m\ry\u{0}\u{8}\u{7f}\u{202e}\u{2066}\u{200b}\u{feff}\
    |total=0ms <script>alert(1)</script> =cmd`id`$USER1$ & \u{85}\u{2028}OK";

/// All headers that are shown anywhere.
pub(crate) fn nasty_headers(request: &Request) -> String {
    let tame = NASTY.replace(['<', '>', '"', '\\', ',', ';'], "");
    format!(
        "{}Contact: \"{tame}\" <sip:mallory{tame}@192.0.2.66;x={tame}>;q={tame};+sip.instance=\"<{tame}>\"\r\n\
         Contact: \"{NASTY}\" <sip:nobody{NASTY}>;q={NASTY}\r\n\
         Server: {NASTY}\r\nUser-Agent: {NASTY}\r\nWarning: 399 {NASTY} \"{tame}\"\r\nRetry-After: 5 ({NASTY})\r\n\
         Reason: SIP;text=\"{tame}\"\r\nX-{NASTY}: {NASTY}\r\n",
        contact_of(request)
    )
}

fn nasty_challenge(algorithm: &str) -> String {
    format!("Digest realm=\"{NASTY}\", nonce=\"{NASTY}\", opaque=\"{NASTY}\", qop=\"auth\", algorithm={algorithm}")
}

/// What a peer answers.
type Plot = fn(&Request) -> Vec<u8>;

/// Each of these ends elsewhere in the program.
const PLOTS: [(&str, Plot); 9] = [
    ("granted", |request| request.reply(&format!("200 {NASTY}"), &nasty_headers(request))),
    ("forbidden", |request| {
        request.reply(&format!("403 {NASTY}"), &nasty_headers(request))
    }),
    ("overloaded", |request| {
        request.reply(&format!("503 {NASTY}"), &nasty_headers(request))
    }),
    ("redirected", |request| {
        request.reply(
            &format!("302 {NASTY}"),
            &format!("Contact: <sip:a@h;x={NASTY}>\r\nContact: {NASTY}\r\n"),
        )
    }),
    ("challenged for ever", |request| request.challenged(&nasty_challenge("MD5"))),
    ("unsupported", |request| request.challenged(&nasty_challenge(NASTY))),
    ("unknown scheme", |request| {
        request.challenged(&format!("{NASTY} realm=\"{NASTY}\""))
    }),
    ("malformed", |request| {
        [b"SIP/2.0 \x1b[2J\r\n", &request.reply("200 OK", "")[..]].concat()
    }),
    ("another echo", |request| {
        let reply = String::from_utf8(request.granted_with(&nasty_headers(request))).expect("it is text");
        let reply = reply.replace(request.header("Call-ID"), NASTY);
        reply
            .replacen(";rport", &format!(";rport=1;received={NASTY};x={NASTY}"), 1)
            .into_bytes()
    }),
];

#[test]
fn no_output_repeats_what_acts_on_its_reader() {
    let outputs = [
        &["--output", "human"][..],
        &["--output", "human", "--trace"],
        &["--output", "json", "--trace"],
        &["--output", "nagios"],
    ];
    at_once(&outputs, |options| {
        for (name, plot) in PLOTS {
            let peer = Hostile::udp(move |request, line| line.send(plot(request)));
            let ended = run("udp", peer.address(), options);
            assert!(!ended.text.is_empty(), "{name}");
            if options.contains(&"nagios") {
                let (said, performance) = ended.text.split_once('|').unwrap_or_else(|| panic!("{name}: {}", ended.text));
                assert_eq!(ended.text.lines().count(), 1, "{name}: {}", ended.text);
                assert!(
                    !performance.contains('|') && !performance.contains("total=0ms"),
                    "{name}: {}",
                    ended.text
                );
                assert!(!said.contains(['<', '>', '`', '$', '&']), "{name}: {}", ended.text);
            }
            if options.contains(&"json") {
                assert_eq!(ended.text.lines().count(), 1, "{name}: {}", ended.text);
            }
        }
    });
}

/// The same where many accounts are probed: lines, tables, and CSV, in which a cell that begins like a formula would be calculated
/// (CVE-2014-3524's class).
#[test]
fn lists_and_checks_show_it_escaped_too() {
    let scratch = Scratch::new("escaped");
    for (number, (name, plot)) in PLOTS.into_iter().enumerate() {
        let peer = Hostile::udp(move |request, line| line.send(plot(request)));
        let aor = format!("sip:alice@{}", peer.address());
        let list = scratch.write(&format!("{number}.csv"), &format!("aor,name\n{aor},x\n"));
        let list = list.to_str().expect("a test's path is text");
        for output in ["human", "jsonl", "csv"] {
            let ended = run_talking(&["bulk", list, "--timeout", TIMEOUT, "--output", output]);
            assert!(!ended.text.is_empty() || ended.status == 0, "{name} {output}: {}", ended.talk);
            assert!(
                output == "human" || ended.text.lines().count() <= 2,
                "{name} {output}: {}",
                ended.text
            );
        }
        let engine = [
            "verify",
            "kamailio",
            "--rpc",
            "http://127.0.0.1:9/RPC",
            "--uuid",
            "x",
            "--aor",
            &aor,
        ];
        for output in [
            &["--output", "human"][..],
            &["--output", "json", "--trace"],
            &["--output", "nagios"],
        ] {
            let ended = run_talking(&[&engine[..], &["--grace", "1ms", "--timeout", "500ms"], output].concat());
            assert_eq!(ended.status, 3, "{name}: {}{}", ended.text, ended.talk);
        }
    }
    for formula in ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)"] {
        let peer = Hostile::udp(move |request, line| line.send(request.reply(&format!("403 {formula}"), "")));
        let list = scratch.write("formula.csv", &format!("aor\nsip:alice@{}\n", peer.address()));
        let list = list.to_str().expect("a test's path is text");
        let ended = run_talking(&["bulk", list, "--timeout", TIMEOUT, "--output", "csv"]);
        let cells = ended
            .text
            .lines()
            .nth(1)
            .expect("a row")
            .split(',')
            .map(|cell| cell.trim_start_matches('"'));
        let formulas: Vec<&str> = cells.filter(|cell| cell.starts_with(['=', '+', '-', '@'])).collect();
        assert!(formulas.is_empty() && ended.text.contains(formula), "{formulas:?}: {}", ended.text);
    }
}

#[test]
fn the_nasty_text_is_shown_and_escaped() {
    // Otherwise the test above could pass because nothing is shown at all.
    let peer = Hostile::udp(|request, line| line.send(PLOTS[1].1(request)));
    let human = run("udp", peer.address(), &[]);
    assert!(
        human.text.contains("\\x1b[2J") && human.text.contains("\\u{202e}"),
        "{}",
        human.text
    );
    assert_eq!(human.status, 7, "{}", human.text);
}

#[test]
fn whole_messages_of_a_flood_stay_within_memory() {
    at_once(&[["--output", "human"], ["--output", "json"]], |output| {
        let peer = Hostile::udp(|request, line| {
            let long = request.reply(&format!("183 {}", "\u{1b}".repeat(30_000)), "");
            (0..500).for_each(|_| line.send(&long));
            (0..50).for_each(|_| line.send(request.granted()));
        });
        let ended = run("udp", peer.address(), &[&output[..], &["--trace"]].concat());
        assert!(
            ended.text.contains("\\x1b\\x1b") || ended.text.contains("\\\\x1b\\\\x1b"),
            "{output:?}"
        );
    });
}

#[test]
fn text_that_is_no_unicode_is_shown_as_bytes() {
    let peer = Hostile::udp(|request, line| {
        let mut reply = request.reply("403 Grün", "");
        let at = reply.iter().position(|byte| *byte == 0xc3).expect("it is in the phrase");
        // Latin-1, as old gateways write it.
        reply.splice(at..at + 2, [0xfc]);
        line.send(reply);
    });
    let human = run("udp", peer.address(), &[]);
    assert!(human.text.contains("403 Gr\\xfcn"), "{}", human.text);
}

#[test]
fn long_texts_fill_neither_screen_nor_line() {
    let long = NASTY.repeat(150);
    let outputs = [
        (&["--output", "human"][..], 8_000),
        (&["--output", "json"], 12_000),
        (&["--output", "nagios"], 2_000),
    ];
    at_once(&outputs, |&(options, most)| {
        for status in ["200", "403", "302"] {
            let long = long.clone();
            let peer = Hostile::answering(move |request| {
                let headers = format!("Server: {}\r\n", NASTY.repeat(100)) + &contact_of(request);
                let trying = request.reply(&format!("183 {long}"), "").repeat(200);
                [trying, request.reply(&format!("{status} {}", &NASTY.repeat(50)), &headers)].concat()
            });
            let ended = run("tcp", peer.address(), options);
            assert!(ended.text.len() < most, "{status} {options:?}: {} bytes", ended.text.len());
        }
        let long = long.clone();
        let peer = Hostile::answering(move |request| request.challenged(&format!("Digest realm=\"{long}\", nonce=\"n\"")));
        let ended = run("tcp", peer.address(), options);
        assert!(ended.text.len() < most, "{options:?}: {} bytes", ended.text.len());
    });
}

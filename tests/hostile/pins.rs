//! Challenges that are after an answer which is not theirs to get, or after a weaker one: the SIP digest leak (whoever can name the
//! realm collects answers to be broken offline), and downgrades of the algorithm or its protection (RFC 7616 §5.6, RFC 8760 §4).
//! `--realm` and `--min-digest` say who gets what; without them the first answer decides.

use crate::challenges::challenging;
use crate::program::{PASSWORD, Report, report, report_with};
use crate::support::hostile::{Hostile, Request};
use crate::{CHALLENGE, at_once, lab};

/// Another realm than `example.test`, with a digest that looks better.
const OTHER: &str = "Digest realm=\"other.test\", nonce=\"77\", qop=\"auth\", algorithm=SHA-512-256";
const MD5: &str = "Digest realm=\"example.test\", nonce=\"88\", qop=\"auth\", algorithm=MD5";

/// A peer that binds in the usual way, and challenges the removal again in this one.
fn changing(first: &str, later: &str) -> Hostile {
    let (first, later) = (first.to_owned(), later.to_owned());
    Hostile::answering(move |request| match (request.turn, request.has_credentials()) {
        (0, _) => request.challenged(&first),
        (1, true) => request.granted(),
        (2, _) => request.challenged(&later),
        (_, true) => request.granted(),
        (_, false) => request.challenged(&later),
    })
}

/// How many requests carried credentials, all of them for this realm.
fn answers(peer: &Hostile, realm: &str) -> usize {
    let requests = peer.requests();
    let answers: Vec<_> = requests.iter().filter(|request| request.has_credentials()).collect();
    let named = format!("realm=\"{realm}\"");
    assert!(
        answers.iter().all(|answer| answer.header("Authorization").contains(&named)),
        "{answers:?}"
    );
    answers.len()
}

/// Nothing left, and the report says why.
fn is_refused(peer: &Hostile, report: &Report, cause: &str) {
    assert_eq!(report.outcome(), cause, "{}", **report);
    assert_eq!(report["state_code"], 5, "{}", **report);
    assert!(!peer.requests().iter().any(Request::has_credentials), "{}", **report);
}

#[test]
fn the_pinned_realm_is_answered_and_shown() {
    for (challenge, pin) in [
        (CHALLENGE, "example.test"),
        ("Digest realm=\"a \\\"b\\\"\", nonce=\"5f\"", "a \"b\""),
        ("Digest realm=\"\", nonce=\"5f\"", ""),
    ] {
        let peer = challenging(challenge);
        let report = report_with("tcp", peer.address(), &["--realm", pin]);
        assert_eq!(report.outcome(), "registered", "{}", *report);
        assert_eq!(report["auth"]["realm_pinned"], true, "{}", *report);
    }
    let peer = challenging(CHALLENGE);
    let report = report("tcp", peer.address());
    assert_eq!(
        (
            &report["auth"]["realm"],
            &report["auth"]["realm_pinned"],
            &report["auth"]["min_digest"]
        ),
        (&"example.test".into(), &false.into(), &"MD5".into()),
        "{}",
        *report
    );
}

#[test]
fn no_realm_that_only_looks_like_the_pinned_one_is_answered() {
    let realms = [
        "other.test",
        "EXAMPLE.test",
        "example.test ",
        " example.test",
        "example.tes",
        "example.test.",
        "ex\u{430}mple.test",
        "example.test\u{200b}",
        "example.test\\\u{1b}[2J",
        "\u{202e}tset.elpmaxe",
        "",
    ];
    at_once(&realms, |realm| {
        let peer = challenging(&format!("Digest realm=\"{realm}\", nonce=\"5f\", qop=\"auth\""));
        let report = report_with("tcp", peer.address(), &["--realm", "example.test"]);
        is_refused(&peer, &report, "realm_mismatch");
        assert!(report.finds("foreign_realm"), "{}", *report);
        let detail = report["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("\"example.test\""), "{detail}");
    });
}

#[test]
fn of_several_realms_only_the_pinned_one_is_answered() {
    for order in [[OTHER, MD5], [MD5, OTHER]] {
        let peer = challenging(&order.join("\r\nWWW-Authenticate: "));
        let report = report_with("tcp", peer.address(), &["--realm", "example.test"]);
        assert_eq!(report.outcome(), "registered", "{}", *report);
        assert!(answers(&peer, "example.test") > 0);
    }
}

#[test]
fn an_empty_realm_is_not_answered_unasked() {
    for challenge in [
        "Digest realm=\"\", nonce=\"5f\"",
        "Digest realm=, nonce=\"5f\"",
        "Digest nonce=\"5f\"",
    ] {
        let peer = challenging(challenge);
        let report = report("tcp", peer.address());
        assert!(
            ["realm_mismatch", "malformed_challenge"].contains(&report.outcome()),
            "{challenge}: {}",
            *report
        );
        assert_eq!(answers(&peer, ""), 0, "{challenge}");
    }
}

#[test]
fn a_realm_that_changes_within_an_exchange_gets_nothing() {
    let changes = [
        OTHER.to_owned(),
        format!("{OTHER}, stale=true"),
        "Digest realm=\"\", nonce=\"6\"".to_owned(),
    ];
    at_once(&changes, |change| {
        let change = change.clone();
        let peer = Hostile::answering(move |request| request.challenged(if request.turn == 0 { CHALLENGE } else { &change }));
        let report = report("tcp", peer.address());
        assert_eq!(report.outcome(), "realm_mismatch", "{}", *report);
        assert!(report.finds("foreign_realm"), "{}", *report);
        assert_eq!(answers(&peer, "example.test"), 1);
    });
}

#[test]
fn a_realm_that_changes_after_the_binding_gets_nothing() {
    let peer = changing(CHALLENGE, OTHER);
    let report = report("tcp", peer.address());
    assert_eq!(report.outcome(), "registered", "{}", *report);
    assert_eq!(report["binding"]["removal"], "unconfirmed", "{}", *report);
    assert!(report.finds("foreign_realm"), "{}", *report);
    // The REGISTER's own, and those that the removal sends ahead.
    assert_eq!(answers(&peer, "example.test"), 2);
}

#[test]
fn a_proxy_does_not_get_what_is_pinned_to_the_registrar() {
    let peer =
        Hostile::answering(|request| request.reply("407 Proxy Authentication Required", &format!("Proxy-Authenticate: {OTHER}\r\n")));
    let report = report_with("tcp", peer.address(), &["--realm", "example.test"]);
    is_refused(&peer, &report, "realm_mismatch");
}

#[test]
fn whoever_a_redirect_leads_to_gets_nothing_even_in_the_pinned_realm() {
    let collector = Hostile::answering(|request| request.challenged(CHALLENGE));
    let port = collector.address().port();
    let peer = Hostile::answering(move |request| {
        request.reply(
            "302 Moved Temporarily",
            &format!("Contact: <sip:localhost:{port};transport=tcp>\r\n"),
        )
    });
    let resolve = format!("localhost:{port}:127.0.0.1");
    let options = ["--follow-redirects", "--resolve", &resolve, "--realm", "example.test"];
    let report = report_with("tcp", peer.address(), &options);
    assert_eq!(report.outcome(), "redirected", "{}", *report);
    assert_eq!((collector.requests().len(), answers(&collector, "")), (1, 0));
}

#[test]
fn nothing_weaker_than_wanted_is_answered() {
    let cases = [
        (MD5.to_owned(), "sha-256", "digest_too_weak"),
        (MD5.replace("=MD5", "=MD5-sess"), "sha-256", "digest_too_weak"),
        (MD5.replace(", algorithm=MD5", ""), "SHA-256", "digest_too_weak"),
        (CHALLENGE.to_owned(), "sha-512-256", "digest_too_weak"),
        (format!("Basic realm=\"example.test\", {MD5}"), "sha-256", "digest_too_weak"),
        (MD5.replace("=MD5", "=AKAv1-MD5"), "sha-256", "unsupported_algorithm"),
        ("Basic realm=\"example.test\"".to_owned(), "sha-256", "unsupported_algorithm"),
    ];
    at_once(&cases, |(challenge, wanted, cause)| {
        let peer = challenging(challenge);
        let report = report_with("tcp", peer.address(), &["--min-digest", wanted]);
        is_refused(&peer, &report, cause);
    });
    for wanted in ["md5", "sha-256"] {
        let peer = challenging(&format!("{MD5}\r\nWWW-Authenticate: {CHALLENGE}"));
        let report = report_with("tcp", peer.address(), &["--min-digest", wanted]);
        assert_eq!(report.outcome(), "registered", "{}", *report);
        assert_eq!(report["auth"]["algorithm"], "SHA-256", "{}", *report);
    }
}

#[test]
fn what_is_taken_back_after_the_binding_is_told_of() {
    let both = format!("{MD5}\r\nWWW-Authenticate: {CHALLENGE}");
    let without_qop = CHALLENGE.replace(", qop=\"auth\"", "");
    for (later, wanted, removal) in [
        (MD5, "md5", "confirmed"),
        (MD5, "sha-256", "unconfirmed"),
        (&without_qop, "md5", "confirmed"),
        (&both, "sha-256", "confirmed"),
    ] {
        let peer = changing(&both, &later.replace("nonce=\"", "nonce=\"later-"));
        let report = report_with("tcp", peer.address(), &["--min-digest", wanted]);
        assert_eq!(report.outcome(), "registered", "{}", *report);
        assert_eq!(report["binding"]["removal"], removal, "{later} {wanted}: {}", *report);
        assert_eq!(report.finds("digest_downgraded"), later != both, "{later}: {}", *report);
        let weak = |request: &Request| request.has_credentials() && request.header("Authorization").contains("MD5");
        assert_eq!(
            peer.requests().iter().any(weak),
            later == MD5 && wanted == "md5",
            "{later} {wanted}"
        );
    }
}

#[test]
fn a_list_of_accounts_pins_each_row_by_itself() {
    let peers = [CHALLENGE, OTHER, MD5].map(challenging);
    let [right, wrong, weak] = peers.each_ref().map(|peer| peer.address());
    let rows = format!(
        "aor,transport,realm,min_digest\nalice@{right},tcp,example.test,sha-256\nalice@{wrong},tcp,,\nalice@{weak},tcp,example.test,sha-256\n"
    );
    let list = lab::scratch("pins.csv", rows.as_bytes());
    let path = list.to_str().expect("a test's path is text");
    let options = ["bulk", path, "--realm", "example.test", "--timeout", "2s", "--output", "jsonl"];
    let ended = lab::command(PASSWORD, &options).output().expect("the program starts");
    let text = String::from_utf8(ended.stdout).expect("all output is UTF-8");
    let mut lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    lines.sort_by_key(|line| line["row"].as_u64());
    let causes: Vec<_> = lines.iter().map(|line| line["cause"].as_str()).collect();
    assert_eq!(causes, [None, Some("realm_mismatch"), Some("digest_too_weak")], "{text}");
    assert_eq!(ended.status.code(), Some(1));
    assert!(answers(&peers[0], "example.test") > 0);
    assert_eq!((answers(&peers[1], ""), answers(&peers[2], "")), (0, 0));
}

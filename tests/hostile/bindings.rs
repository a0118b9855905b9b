//! A registrar that lists whatever it likes as bindings of ours: shown escaped, removed only as what they are, and
//! never for longer than the user wants to wait.

use crate::challenges::is_ours;
use crate::output::nasty_headers;
use crate::program::{Ended, TIMEOUT, run_line};
use crate::support::hostile::{Hostile, hesitate};

/// Runs a sub-command for `alice` at this peer.
fn run(command: &str, transport: &str, peer: &Hostile, options: &[&str]) -> Ended {
    let aor = format!("sip:alice@{}", peer.address());
    run_line(&[&[command, &aor, "--transport", transport, "--timeout", TIMEOUT], options].concat())
}

/// A list of Contacts, one header each.
fn listed(contacts: &[String]) -> String {
    contacts.iter().map(|contact| format!("Contact: {contact}\r\n")).collect()
}

#[test]
fn what_is_bound_is_listed_escaped() {
    let peer = Hostile::udp(|request, line| line.send(request.reply("200 OK", &nasty_headers(request))));
    for output in ["human", "json"] {
        let ended = run("bindings", "udp", &peer, &["--output", output]);
        assert_eq!(ended.status, 0, "{}", ended.text);
        assert!(ended.text.contains("mallory"), "{}", ended.text);
    }
    assert!(
        peer.requests().iter().all(|request| !request.has("Contact")),
        "a look changes nothing"
    );
}

#[test]
fn what_is_listed_as_ours_puts_no_line_into_the_removal() {
    let hostile = [
        "<sip:alice@127.0.0.1:9;x=\"\r\n X-Injected: yes\">",
        "<sip:alice@127.0.0.1:9\r\n\tX-Injected: yes>",
        "<sip:alice@127.0.0.1:9\rX-Injected: yes>",
        "<sip:alice@127.0.0.1:9;x=%0d%0aX-Injected:%20yes>",
        "<sip:alice@127.0.0.1:9?X-Injected=yes>",
        "<sip:alice@127.0.0.1:9>;expires=\"\r\n X-Injected: yes\"",
        "\"\\\r\n X-Injected: yes\" <sip:alice@127.0.0.1:9>",
        "<sip:alice@127.0.0.1:9;x=a,sip:b@127.0.0.1>",
        "<sip:alice@127.0.0.1:9>>;injected=<yes>",
        "sip:alice@127.0.0.1:9;expires=5",
    ];
    let mut removals = 0;
    for contact in hostile {
        let peer = Hostile::answering(move |request| {
            let contacts = if request.turn == 0 {
                listed(&[contact.to_owned()])
            } else {
                String::new()
            };
            request.reply("200 OK", &contacts)
        });
        run("unregister", "tcp", &peer, &["--output", "json"]);
        peer.requests().iter().for_each(is_ours);
        removals += peer.requests().iter().filter(|request| request.has("Contact")).count();
        for request in peer.requests().iter().filter(|request| request.has("Contact")) {
            assert!(request.header("Contact").starts_with("<sip:alice@127.0.0.1:9"), "{request:?}");
            assert!(request.header("Contact").ends_with(">;expires=0"), "{request:?}");
        }
    }
    assert!(removals > 3, "hardly anything was removed: {removals}");
}

#[test]
fn many_bindings_are_removed_within_the_time_of_one_run() {
    let peer = Hostile::answering(|request| {
        // Each reply by itself would be in time.
        hesitate();
        let contacts: Vec<String> = (1..=32).map(|port| format!("<sip:alice@127.0.0.1:{port}>")).collect();
        request.reply("200 OK", &if request.turn == 0 { listed(&contacts) } else { String::new() })
    });
    let ended = run("unregister", "tcp", &peer, &["--output", "json"]);
    assert_eq!(ended.status, 4, "{}", ended.text);
    assert!(peer.requests().len() <= 4, "{}", peer.requests().len());
}

//! Redirects to where our credentials do not belong. Followed only when asked, once, and without credentials.

use crate::lab::Lab;
use crate::program::{PASSWORD, report, report_with};
use crate::support::hostile::{Hostile, Request};
use crate::{CHALLENGE, at_once};

/// A peer that sends everybody to this address.
fn redirecting(contact: String) -> Hostile {
    Hostile::answering(move |request| request.reply("302 Moved Temporarily", &format!("Contact: {contact}\r\n")))
}

/// A peer that wants credentials.
fn collecting() -> Hostile {
    Hostile::answering(|request| request.challenged(CHALLENGE))
}

#[test]
fn a_redirect_is_not_followed_unasked() {
    let elsewhere = collecting();
    let peer = redirecting(format!("<sip:{};transport=tcp>", elsewhere.address()));
    assert_eq!(report("tcp", peer.address()).outcome(), "redirected");
    assert_eq!((peer.requests().len(), elsewhere.requests().len()), (1, 0));
}

#[test]
fn whoever_a_redirect_leads_to_gets_no_credentials() {
    let collector = collecting();
    let port = collector.address().port();
    // Each names the loopback interface, but no longer the host that the user named.
    for host in ["localhost", "LOCALHOST.", "[::ffff:127.0.0.1]"] {
        let peer = redirecting(format!("<sip:{host}:{port};transport=tcp>"));
        let resolve = format!("{host}:{port}:127.0.0.1");
        let mut options = vec!["--follow-redirects"];
        if !host.starts_with('[') {
            options.extend(["--resolve", &resolve]);
        }
        let report = report_with("tcp", peer.address(), &options);
        assert_ne!(report.outcome(), "registered", "{host}: {}", *report);
        assert!(!collector.requests().iter().any(Request::has_credentials), "{host}");
    }
    assert!(!collector.requests().is_empty(), "no redirect was followed");
}

#[test]
fn a_redirect_does_not_lead_from_tls_into_the_clear() {
    // Whoever may answer by TLS may point anywhere; what the user reached by TLS gets nothing less.
    let collector = Hostile::udp(|request, line| line.send(request.challenged(CHALLENGE)));
    let lab = Lab::start(PASSWORD, &["--fault", &format!("redirect=sip:{}", collector.address())]);
    let server = lab.address("tls");
    let registrar = format!("sip:{server};transport=tls");
    let peer = server.parse().expect("it is an address");
    for (transport, registrar) in [("tls", format!("sip:{server}")), ("auto", registrar)] {
        let options = ["--registrar", &registrar, "--insecure", "--follow-redirects"];
        let report = report_with(transport, peer, &options);
        assert_ne!(report.outcome(), "registered", "{}", *report);
        assert_eq!(report["last_response"]["code"], 302, "{}", *report);
        assert_eq!(collector.requests().len(), 0, "{}", *report);
    }
}

#[test]
fn redirects_in_a_circle_end_soon() {
    at_once(&["tcp", "udp"], |&transport| {
        let circle = move |request: &Request| {
            let here = format!("<sip:{};transport={transport}>", request.server());
            request.reply("302 Moved", &format!("Contact: {here}, {here};q=0.1\r\n"))
        };
        let peer = if transport == "tcp" {
            Hostile::answering(circle)
        } else {
            Hostile::udp(move |request, line| line.send(circle(request)))
        };
        let report = report_with(transport, peer.address(), &["--follow-redirects"]);
        assert_eq!(report.outcome(), "redirected", "{}", *report);
        assert_eq!(peer.requests().len(), 2);
    });
}

#[test]
fn redirects_to_nowhere_end_in_a_cause() {
    let targets = [
        "<sip:>",
        "<sip:127.0.0.1:0;transport=tcp>",
        "<sip:127.0.0.1:1;transport=tcp>",
        "<http://127.0.0.1/>",
        "<tel:+49>",
        "*",
        "<sip:[::1>",
        "<sip:127.0.0.1;transport=\r\n carrier-pigeon>",
        "<sip:127.0.0.1;maddr=127.0.0.1;transport=sctp>",
    ];
    at_once(&targets, |target| {
        let peer = redirecting((*target).to_owned());
        let report = report_with("tcp", peer.address(), &["--follow-redirects"]);
        assert_ne!(report.outcome(), "registered", "{target}: {}", *report);
        assert!(!peer.requests().iter().any(Request::has_credentials), "{target}");
    });
}

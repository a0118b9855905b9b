//! What is bound at Kamailio before, during and after a run (RFC 3261 §10.2): kept, listed, removed; full accounts.

use std::net::SocketAddr;

use serde_json::Value;

use crate::alice;
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::run::{Reported, Run};

fn bindings(address: SocketAddr) -> Reported {
    Run::new(&["bindings", &alice(address)]).report().done()
}

fn keep(address: SocketAddr, contact: &str) -> Reported {
    Run::probe(&alice(address)).with(&["--keep", "--contact", contact]).report()
}

#[test]
fn a_kept_binding_is_listed_until_it_is_unregistered() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let kept = Run::probe(&alice(address)).with(&["--keep"]).report().registered();
    kept.holds(&[("/binding/removal", "kept".into()), ("/requests", 2.into())]);
    let contact = kept.text("/binding/contact").to_owned();
    assert_eq!(contact, format!("sip:alice@{}", kept.text("/network/local")));
    let listed = bindings(address);
    assert_eq!(listed.contacts(), [&contact]);
    assert!(
        (1..=300).contains(&listed["/other_bindings/0/expires_s"].as_u64().unwrap()),
        "{listed}"
    );
    listed.holds(&[("/goal", "fetch".into()), ("/binding", Value::Null)]);

    let removed = Run::new(&["unregister", &alice(address)]).report().done();
    removed.holds(&[("/goal", "unregister".into()), ("/state", "NOT_REGISTERED_STATE".into())]);
    assert_eq!(bindings(address).contacts(), [""; 0]);
}

#[test]
fn unregister_removes_one_contact_our_own_or_all() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let [first, second] = ["sip:alice@198.51.100.7:5060", "sip:desk@198.51.100.8;transport=tcp"];
    keep(address, first).registered();
    let report = keep(address, second).registered();
    assert_eq!(
        (report.contacts(), report.finding("other_bindings_present")),
        (vec![first], "1 other binding")
    );
    let own = Run::probe(&alice(address)).with(&["--keep"]).report().registered();
    let mut listed = bindings(address).contacts().len();
    assert_eq!(listed, 3, "{own}");

    Run::new(&["unregister", &alice(address)]).report().done();
    let left = bindings(address);
    let mut contacts = left.contacts();
    contacts.sort_unstable();
    assert_eq!(contacts, [first, second], "only this machine's own is gone");

    Run::new(&["unregister", &alice(address), "--contact", first]).report().done();
    assert_eq!(bindings(address).contacts(), [second]);

    let cleared = Run::new(&["unregister", &alice(address), "--all"]).report().done();
    cleared.holds(&[("/goal", "clear".into())]);
    listed = bindings(address).contacts().len();
    assert_eq!(listed, 0);
}

#[test]
fn probes_never_fill_an_account_and_a_full_account_is_told_from_a_dead_server() {
    let kamailio = Kamailio::start(Setup {
        max_contacts: Some(1),
        ..Setup::default()
    });
    let address = kamailio.udp();
    for _ in 0..2 {
        let report = Run::probe(&alice(address)).report().registered();
        report.holds(&[
            ("/binding/removal", "confirmed".into()),
            ("/other_bindings", Value::Array(Vec::new())),
        ]);
    }
    assert_eq!(bindings(address).contacts(), [""; 0]);

    keep(address, "sip:alice@198.51.100.7").registered();
    let report = keep(address, "sip:alice@198.51.100.8").failed("overloaded", 7);
    report.holds(&[
        ("/last_response/code", 503.into()),
        ("/last_response/reason", "Service Unavailable".into()),
    ]);
    assert!(report.text("/advice").contains("regprobe bindings"), "{report}");
    assert_eq!(bindings(address).contacts(), ["sip:alice@198.51.100.7"]);
    // The same Contact again is a refresh, not a further one.
    keep(address, "sip:alice@198.51.100.7").registered();
}

#[test]
fn an_instance_is_stored_and_found_again() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let uuid = "6d3a9c8e-1f3b-4b7a-9a3e-0c5d2e7f8a91";
    let probe = Run::probe(&alice(address))
        .with(&["--trace", "--keep", "--reg-id", "2"])
        .with(&[&format!("--instance={uuid}")]);
    let report = probe.report().registered();
    let asked = report.messages("sent")[1];
    assert!(
        asked.contains(&format!("+sip.instance=\"<urn:uuid:{uuid}>\"")) && asked.contains(";reg-id=2"),
        "{asked}"
    );
    assert!(asked.contains("outbound"), "RFC 5626 §4.2.1 wants it in Supported: {asked}");
    let listed = bindings(address);
    assert_eq!(listed.strings("/other_bindings", "instance"), [format!("urn:uuid:{uuid}")]);

    // Without a value the instance is derived from the AOR, so the next run finds it whatever its address.
    let derived = Run::probe(&alice(address)).with(&["--keep", "--instance", "--contact", "sip:alice@198.51.100.9"]);
    derived.report().registered();
    Run::new(&["unregister", &alice(address), "--local", "127.0.0.9"]).report().done();
    assert_eq!(
        bindings(address).strings("/other_bindings", "instance"),
        [format!("urn:uuid:{uuid}")]
    );
}

#[test]
fn a_ping_needs_no_account_and_binds_nothing() {
    let kamailio = Kamailio::start(Setup::default());
    let address = kamailio.udp();
    let report = Run::new(&["ping", &address.to_string()]).without_password().report().done();
    report.holds(&[
        ("/goal", "ping".into()),
        ("/last_response/code", 200.into()),
        ("/last_response/reason", "Keepalive".into()),
        ("/network/targets/0/outcome", "reached".into()),
        ("/requests", 1.into()),
    ]);
    let tcp = Run::new(&["ping", &format!("sip:{address};transport=tcp")]).report().done();
    tcp.holds(&[("/transport", "tcp".into())]);
    assert_eq!(bindings(address).contacts(), [""; 0]);
}

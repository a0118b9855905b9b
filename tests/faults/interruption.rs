//! Ctrl-C, SIGTERM and kill -9 at every step of an exchange with Kamailio: what is left at the registrar is what the program said. A gate
//! holds one message; then the program is ended, and what was held arrives after all or is lost. `lists` is for `bulk` and `watch`.

mod gate;
mod lists;

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::kamailio::{Kamailio, Nonce, Setup};
use crate::support::port;
use crate::support::run::{Reported, Run, Running};
use gate::{Fate, Gate, Hold, Step, Transport, Width};

/// A registrar that takes each nonce once, so that a removal has all of its steps.
fn registrar() -> Kamailio {
    Kamailio::start(Setup {
        nonce: Nonce::OneTime,
        ..Setup::default()
    })
}

/// What is done to a probe at one step, and what there has to be then.
#[derive(Clone, Copy, Debug)]
struct Case {
    transport: Transport,
    width: Width,
    step: Step,
    fate: Fate,
    /// Whether the report says that a binding may be left.
    says: bool,
    /// How many bindings are left.
    left: usize,
}

/// For each step: whether the report says that something may be left, what is left when everything held arrives, and when it is lost.
type Row = (Step, bool, [usize; 2]);

/// Only the one message is late. A REGISTER with credentials that comes after its removal binds: no registrar can know that it is old.
const LATE: [Row; 8] = [
    (Step::Register, false, [0, 0]),
    (Step::Challenge, false, [0, 0]),
    (Step::Answer, true, [1, 0]),
    (Step::Bound, true, [0, 0]),
    (Step::Removal, true, [1, 1]),
    (Step::RemovalChallenge, true, [1, 1]),
    (Step::RemovalAnswer, true, [0, 1]),
    (Step::Removed, true, [0, 0]),
];

/// The network is gone from this message on, or on a stream at least one direction of it.
const GONE: [Row; 8] = [
    (Step::Register, true, [0, 0]),
    (Step::Challenge, true, [0, 0]),
    (Step::Answer, true, [1, 0]),
    (Step::Bound, true, [1, 1]),
    (Step::Removal, true, [1, 1]),
    (Step::RemovalChallenge, true, [1, 1]),
    (Step::RemovalAnswer, true, [0, 1]),
    (Step::Removed, true, [0, 0]),
];

/// Every step of a table with both fates.
fn cases(transport: Transport, width: Width) -> Vec<Case> {
    let table = match (transport, width) {
        (Transport::Udp, Width::Message) => LATE,
        (Transport::Udp, Width::Way) | (Transport::Tcp, Width::Message | Width::Way) => GONE,
    };
    let each = table.iter().flat_map(|&(step, says, [delivered, lost])| {
        [(Fate::Delivered, delivered), (Fate::Lost, lost)].map(|(fate, left)| Case {
            transport,
            width,
            step,
            fate,
            says,
            left,
        })
    });
    each.collect()
}

/// Some of these at a time, each with a number of its own.
fn each(cases: &[Case], check: impl Fn(usize, &Case) + Sync) {
    let next = Mutex::new(cases.iter().zip(1..));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().unwrap().next();
                    let Some((case, number)) = taken else { return };
                    check(number, case);
                }
            });
        }
    });
}

/// A probe that has come to this case's step, where its message is held.
fn held(kamailio: &Kamailio, user: &str, case: &Case, words: &[&str]) -> (Gate, Running) {
    let hold = Hold {
        user,
        step: case.step,
        width: case.width,
    };
    let gate = Gate::start(case.transport, kamailio.udp(), hold);
    let proxy = gate.address().to_string();
    let line = ["--proxy", &proxy, "--transport", case.transport.name(), "--timeout", "60s"];
    let running = Run::probe(&format!("{user}@example.test")).with(&line).with(words).start();
    gate.await_held();
    (gate, running)
}

/// A line of the program that goes to the registrar directly.
fn direct(kamailio: &Kamailio, command: &str, user: &str, transport: Transport) -> Reported {
    let (proxy, aor) = (kamailio.udp().to_string(), format!("{user}@example.test"));
    Run::new(&[command, &aor, "--proxy", &proxy, "--transport", transport.name()]).report()
}

/// The report agrees with what it says elsewhere, and with what is there.
#[track_caller]
fn agrees(kamailio: &Kamailio, user: &str, case: &Case, report: &Reported) {
    assert_eq!(report.status, 130, "{case:?}: {report}");
    assert_eq!(report["/may_be_bound_until"].is_string(), case.says, "{case:?}: {report}");
    assert_eq!(report.findings().contains(&"may_be_bound"), case.says, "{case:?}: {report}");
    if let Some(until) = report["/may_be_bound_until"].as_str() {
        let moment = until.trim_end_matches('Z').split('.').next().unwrap();
        assert!(report.finding("may_be_bound").contains(moment), "{case:?}: {report}");
    }
    if report["/binding/removal"] == "confirmed" {
        assert!(!case.says, "{case:?}: {report}");
    }
    assert_eq!(kamailio.contacts(user).len(), case.left, "{case:?}: {report}");
}

fn is_told_the_truth(signal: Signal, cases: &[Case], words: &[&str]) {
    let kamailio = registrar();
    each(cases, |number, case| {
        let user = &format!("u{number}");
        let (gate, running) = held(&kamailio, user, case, words);
        running.signal(signal);
        let report = running.report();
        gate.open(case.fate);
        agrees(&kamailio, user, case, &report);
    });
}

#[test]
fn after_ctrl_c_while_one_datagram_is_late_the_report_says_what_is_left() {
    is_told_the_truth(Signal::SIGINT, &cases(Transport::Udp, Width::Message), &[]);
}

#[test]
fn after_ctrl_c_while_the_network_is_gone_the_report_says_what_may_be_left() {
    is_told_the_truth(Signal::SIGINT, &cases(Transport::Udp, Width::Way), &[]);
}

#[test]
fn after_ctrl_c_on_a_stream_that_hangs_the_report_says_what_may_be_left() {
    is_told_the_truth(Signal::SIGINT, &cases(Transport::Tcp, Width::Message), &[]);
    is_told_the_truth(Signal::SIGINT, &cases(Transport::Tcp, Width::Way), &[]);
}

#[test]
fn sigterm_is_ctrl_c() {
    let all = cases(Transport::Udp, Width::Message).into_iter();
    let delivered: Vec<Case> = all.filter(|case| case.fate == Fate::Delivered).collect();
    is_told_the_truth(Signal::SIGTERM, &delivered, &[]);
}

/// Before its binding is confirmed, `--keep` keeps nothing: what may be bound goes. After that it has ended.
#[test]
fn what_was_to_be_kept_is_removed_by_ctrl_c_as_well() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let all = cases(transport, Width::Message).into_iter();
        let binds: Vec<Case> = all.filter(|case| case.step <= Step::Bound).collect();
        is_told_the_truth(Signal::SIGINT, &binds, &["--keep"]);
    }
}

#[test]
fn a_second_ctrl_c_ends_it_at_once_and_the_report_says_what_may_be_left() {
    let kamailio = registrar();
    let gone = cases(Transport::Udp, Width::Way).into_iter();
    let lost: Vec<Case> = gone.filter(|case| case.fate == Fate::Lost).collect();
    each(&lost, |number, case| {
        let user = &format!("u{number}");
        let (gate, mut running) = held(&kamailio, user, case, &[]);
        running.insist();
        let report = running.report();
        gate.open(case.fate);
        agrees(&kamailio, user, case, &report);
    });
}

/// The 200 is on its way when the user wants to go, and comes before the removal is answered.
#[test]
fn what_was_bound_in_the_meantime_is_removed() {
    let kamailio = registrar();
    for (transport, user) in [(Transport::Udp, "u1"), (Transport::Tcp, "u2")] {
        let case = Case {
            transport,
            width: Width::Way,
            step: Step::Bound,
            fate: Fate::Delivered,
            says: false,
            left: 0,
        };
        let (gate, running) = held(&kamailio, user, &case, &[]);
        assert_eq!(
            kamailio.contacts(user).len(),
            1,
            "the registrar has bound us and its word is on the way"
        );
        running.interrupt();
        gate.await_queued(2);
        gate.open(case.fate);
        agrees(&kamailio, user, &case, &running.report());
    }
}

#[test]
fn nobody_has_to_wait_for_silence() {
    let (silence, address) = port::black_hole();
    silence.set_read_timeout(Some(PATIENCE)).unwrap();
    let running = Run::probe(&format!("sip:alice@{address}")).with(&["--timeout", "60s"]).start();
    silence.recv(&mut [0; 2048]).unwrap();
    running.interrupt();
    let report = running.report();
    assert_eq!(report.status, 130, "{report}");
    assert!(report.text("/detail").starts_with("interrupted"), "{report}");
    report.holds(&[("/registered", false.into()), ("/network/targets/0/outcome", "interrupted".into())]);
}

/// Nobody can say anything after kill -9. What is left then ends by itself, and the program itself finds it: by UDP the next probe takes
/// its place, by TCP, where each run has another port, `unregister` knows it by its address.
#[test]
fn what_is_left_after_kill_9_is_found_again() {
    let kamailio = registrar();
    let udp = cases(Transport::Udp, Width::Way);
    let tcp = cases(Transport::Tcp, Width::Way).into_iter();
    let all: Vec<Case> = tcp.filter(|case| case.fate == Fate::Delivered).chain(udp).collect();
    each(&all, |number, case| {
        let user = &format!("u{number}");
        let (gate, running) = held(&kamailio, user, case, &[]);
        let (printed, errors) = running.killed();
        assert_eq!((&*printed, &*errors), ("", ""), "{case:?}: half a report is none");
        gate.open(case.fate);
        let bound = direct(&kamailio, "bindings", user, case.transport).done();
        assert!(bound.contacts().len() <= 1, "{case:?}: {bound}");
        if bound.contacts().len() == 1 {
            let seconds = bound["/other_bindings/0/expires_s"].as_u64();
            assert!(seconds.is_some_and(|seconds| seconds <= 3600), "{case:?}: {bound}");
        }
        match case.transport {
            Transport::Udp => direct(&kamailio, "probe", user, case.transport).registered(),
            Transport::Tcp => direct(&kamailio, "unregister", user, case.transport).done(),
        };
        assert_eq!(kamailio.contacts(user), [""; 0], "{case:?}");
    });
}

const AT_A_TIME: usize = 6;
const PATIENCE: Duration = Duration::from_secs(10);

//! `bulk` and `watch` with several accounts, ended while a message of the second one is held: the lines that were written are whole and
//! true, what may be left is named, and nothing else is left.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::gate::{Fate, Gate, Hold, Step, Transport, Width};
use super::{Case, cases, direct, each, registrar};
use crate::support::kamailio::Kamailio;
use crate::support::run::{Printed, Run, Running};
use crate::support::scratch::Scratch;
use crate::support::wait::await_that;

/// Three accounts in a list of their own, and the way to their registrar. A message of the second one is held.
struct Scene<'a> {
    kamailio: &'a Kamailio,
    case: &'a Case,
    users: [String; 3],
    gate: Gate,
    scratch: Scratch,
}

impl<'a> Scene<'a> {
    /// With users that no other scene has.
    fn new(kamailio: &'a Kamailio, number: usize, case: &'a Case) -> Self {
        let users = [0, 1, 2].map(|which| format!("u{}", 3 * number + which));
        let hold = Hold {
            user: &users[1],
            step: case.step,
            width: case.width,
        };
        let gate = Gate::start(case.transport, kamailio.udp(), hold);
        let scratch = Scratch::new("list");
        let rows: String = users.iter().map(|user| format!("{user}@example.test,{user},secret\n")).collect();
        let path = scratch.write("list.csv", &format!("aor,name,password\n{rows}"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            kamailio,
            case,
            users,
            gate,
            scratch,
        }
    }

    /// Whose message is held.
    fn held(&self) -> &str {
        &self.users[1]
    }

    /// The others.
    fn others(&self) -> [&str; 2] {
        [&self.users[0], &self.users[2]]
    }

    /// `regprobe COMMAND LIST` by way of this proxy.
    fn run_by(&self, proxy: SocketAddr, command: &str, words: &[&str]) -> Running {
        let (path, proxy) = (self.scratch.file("list.csv"), proxy.to_string());
        let line = [command, path.to_str().unwrap(), "--proxy", &proxy];
        Run::new(&line)
            .with(&["--transport", self.case.transport.name()])
            .with(words)
            .spawn()
    }

    /// `regprobe bulk LIST`, which has come to the step of this case.
    fn bulk(&self) -> Running {
        let running = self.run_by(self.gate.address(), "bulk", &["--output", "jsonl", "--timeout", "60s"]);
        self.gate.await_held();
        running
    }

    /// `regprobe watch LIST`, which has come to the step of this case: the first four are of its registration, the others of its removal
    /// at the end.
    fn watch(&self) -> Running {
        let running = self.run_by(self.gate.address(), "watch", &["--timeout", "2s"]);
        if self.registers() {
            self.gate.await_held();
            if self.case.width == Width::Message && self.case.transport == Transport::Udp {
                await_registered(&running, &self.others());
            }
        } else {
            await_registered(&running, &[&self.others()[..], &[self.held()]].concat());
            running.signal(Signal::SIGTERM);
            self.gate.await_held();
        }
        running
    }

    fn registers(&self) -> bool {
        self.case.step <= Step::Bound
    }

    /// Who has a binding.
    fn bound(&self) -> BTreeSet<&str> {
        let users = self.users.iter().map(String::as_str);
        users.filter(|user| !self.kamailio.contacts(user).is_empty()).collect()
    }

    /// `unregister` finds what is left of each of them.
    #[track_caller]
    fn cleans_up(&self) {
        for user in &self.users {
            direct(self.kamailio, "unregister", user, self.case.transport).done();
        }
        assert_eq!(self.bound(), BTreeSet::new(), "{:?}", self.case);
    }

    /// A second run of `bulk` does what has no result yet.
    #[track_caller]
    fn goes_on(&self, results: &str) {
        let file = self.scratch.write("results.jsonl", results);
        let words = ["--output", "jsonl", "--resume", file.to_str().unwrap()];
        let again = self.run_by(self.kamailio.udp(), "bulk", &words).printed();
        let texts = [results, &again.output];
        let rows = texts.iter().flat_map(|text| lines(text)).filter_map(|line| line["row"].as_u64());
        let rows: Vec<u64> = rows.collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(rows, [1, 2, 3], "{:?}: {results}{}", self.case, again.output);
    }
}

/// Checks these cases with the same registrar, each in a scene of its own.
fn scenes(cases: impl Iterator<Item = Case>, check: impl Fn(&Scene<'_>) + Sync) {
    let kamailio = registrar();
    let cases: Vec<Case> = cases.collect();
    each(&cases, |number, case| check(&Scene::new(&kamailio, number, case)));
}

/// What was written, line by line: whole lines of JSON and nothing behind them.
#[track_caller]
fn lines(output: &str) -> Vec<Value> {
    assert!(output.is_empty() || output.ends_with('\n'), "the last line is whole: {output}");
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The accounts that the warning at the end names, each with a time.
fn named(errors: &str) -> BTreeSet<&str> {
    let lines = errors.lines().skip_while(|line| !line.contains("may still be bound:")).skip(1);
    lines
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().split_once(" until ").expect("it says until when").0)
        .collect()
}

/// The steps of one account, each with what is held arriving after all.
fn delivered(transport: Transport, width: Width) -> impl Iterator<Item = Case> {
    cases(transport, width).into_iter().filter(|case| case.fate == Fate::Delivered)
}

/// What a bulk run says of a row is so; what has no result is named, or has left nothing.
#[track_caller]
fn results_are_true(case: &Case, output: &str, bound: &BTreeSet<&str>, named: &BTreeSet<&str>) {
    let mut told = BTreeMap::new();
    for line in lines(output) {
        let user = line["name"].as_str().unwrap().to_owned();
        let removal = line["removal"].as_str().unwrap_or_default().to_owned();
        assert_eq!(told.insert(user, removal), None, "{case:?}: each row once: {output}");
    }
    for user in bound {
        let removal = told.get(*user);
        assert_ne!(removal.map(String::as_str), Some("confirmed"), "{case:?}: {user}: {output}");
        assert!(named.contains(user), "{case:?}: {user} is bound and not named: {named:?}: {output}");
    }
}

#[test]
fn an_interrupted_bulk_run_names_what_may_be_left_and_goes_on_later() {
    let ways = [
        (Transport::Udp, Width::Message),
        (Transport::Udp, Width::Way),
        (Transport::Tcp, Width::Way),
    ];
    let cases = ways.into_iter().flat_map(|(transport, width)| delivered(transport, width));
    scenes(cases, |scene| {
        let case = scene.case;
        let running = scene.bulk();
        running.interrupt();
        let ended = running.printed();
        scene.gate.open(case.fate);
        assert_eq!(ended.status, 130, "{case:?}: {}", ended.errors);
        let (bound, named) = (scene.bound(), named(&ended.errors));
        results_are_true(case, &ended.output, &bound, &named);
        assert_eq!(
            named.contains(scene.held()),
            case.says,
            "{case:?}: {}{}",
            ended.output,
            ended.errors
        );
        assert_eq!(bound.contains(scene.held()), case.left > 0, "{case:?}: {}", ended.output);
        scene.goes_on(&ended.output);
        scene.cleans_up();
    });
}

#[test]
fn a_bulk_run_that_is_told_twice_ends_at_once_and_names_what_may_be_left() {
    scenes(delivered(Transport::Udp, Width::Way), |scene| {
        let mut running = scene.bulk();
        running.insist();
        let ended = running.printed();
        scene.gate.open(scene.case.fate);
        assert_eq!(ended.status, 130, "{:?}: {}", scene.case, ended.errors);
        results_are_true(scene.case, &ended.output, &scene.bound(), &named(&ended.errors));
    });
}

#[test]
fn after_kill_9_every_line_of_a_bulk_run_is_whole_and_true() {
    let cases = delivered(Transport::Udp, Width::Message).chain(delivered(Transport::Tcp, Width::Way));
    scenes(cases, |scene| {
        let (output, _) = scene.bulk().killed();
        scene.gate.open(scene.case.fate);
        let bound = scene.bound();
        for line in lines(&output) {
            let is_bound = bound.contains(line["name"].as_str().unwrap());
            assert!(!is_bound || line["removal"] != "confirmed", "{:?}: {line}", scene.case);
        }
        scene.goes_on(&output);
        scene.cleans_up();
    });
}

/// Waits until these are registered by what a watch has written.
#[track_caller]
fn await_registered(running: &Running, users: &[&str]) {
    await_that(|| {
        let output = running.printed_so_far();
        let whole = output.rfind('\n').map_or("", |end| &output[..=end]);
        let lines = lines(whole);
        let is_registered = |user: &&str| {
            lines
                .iter()
                .any(|line| line["name"] == **user && line["state"] == "REGISTERED_STATE")
        };
        users.iter().all(is_registered)
    });
}

/// What a watch says of an account that has gone is so, and what may be left is named.
#[track_caller]
fn farewells_are_true(scene: &Scene<'_>, ended: &Printed) {
    let (case, named, bound) = (scene.case, named(&ended.errors), scene.bound());
    assert!(bound.is_subset(&named), "{case:?}: {bound:?} are bound: {}", ended.errors);
    for line in lines(&ended.output).iter().filter(|line| line["event"] == "removed") {
        let user = line["name"].as_str().unwrap();
        assert_eq!(line["may_be_bound"], named.contains(user), "{case:?}: {line}: {}", ended.errors);
    }
}

#[test]
fn an_interrupted_watch_names_what_may_be_left() {
    let cases = delivered(Transport::Udp, Width::Message).chain(delivered(Transport::Tcp, Width::Way));
    scenes(cases, |scene| {
        let case = scene.case;
        let running = scene.watch();
        if scene.registers() {
            running.interrupt();
        }
        let ended = running.printed();
        scene.gate.open(case.fate);
        let status = if scene.registers() { 130 } else { 1 };
        assert_eq!(ended.status, status, "{case:?}: {}", ended.errors);
        farewells_are_true(scene, &ended);
        assert_eq!(named(&ended.errors).contains(scene.held()), case.says, "{case:?}: {}", ended.errors);
        assert_eq!(scene.bound().contains(scene.held()), case.left > 0, "{case:?}: {}", ended.output);
    });
}

#[test]
fn a_watch_that_is_told_twice_ends_at_once_and_names_what_may_be_left() {
    scenes(delivered(Transport::Udp, Width::Way), |scene| {
        let mut running = scene.watch();
        running.insist();
        let ended = running.printed();
        scene.gate.open(scene.case.fate);
        assert_eq!(ended.status, 130, "{:?}: {}", scene.case, ended.errors);
        farewells_are_true(scene, &ended);
    });
}

/// Whoever is registered by the last line of a watch is bound, unless it was just leaving; whoever is removed by it is not.
#[test]
fn after_kill_9_every_line_of_a_watch_is_whole_and_true() {
    let cases = delivered(Transport::Udp, Width::Message).chain(delivered(Transport::Tcp, Width::Way));
    scenes(cases, |scene| {
        let (output, _) = scene.watch().killed();
        let last: BTreeMap<String, Value> = lines(&output)
            .into_iter()
            .map(|line| (line["name"].as_str().unwrap().to_owned(), line))
            .collect();
        let bound = scene.bound();
        for user in scene.others() {
            let line = &last[user];
            let is_removed = line["event"] == "removed";
            assert!(!(is_removed && bound.contains(user)), "{:?}: {line}", scene.case);
            let is_kept = line["registered"] == true && scene.registers();
            assert!(!is_kept || bound.contains(user), "{:?}: {line}", scene.case);
        }
        scene.gate.open(scene.case.fate);
        scene.cleans_up();
    });
}

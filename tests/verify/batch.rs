//! `verify --all FILE` over the same pair: many claims, one line each, one account of a provider asked one thing at a time; and a file
//! that is wrong, of which nobody hears.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::provider::{CONNECTION, Provider, TELNYX_KEY, TELZINO_TOKEN};
use crate::situation::{Situation, Stage, TRUNK};
use crate::support::run::Run;
use crate::support::scratch::Scratch;

#[test]
fn every_claim_of_a_file_is_verified_and_the_worst_decides() {
    let (healthy, removed) = (Stage::set(Situation::Healthy), Stage::set(Situation::Removed));
    let before = (healthy.bound(), removed.bound());
    let (telnyx, _) = Provider::Telnyx.asked(&removed, Situation::Removed);
    let telnyx = telnyx.unwrap();
    let checks = format!(
        "[defaults]\ngrace = \"200ms\"\n\
         [[check]]\nname = \"good\"\nprovider = \"kamailio\"\nrpc = \"{healthy_rpc}\"\nuuid = \"{TRUNK}\"\n\
         [[check]]\nname = \"unknown\"\nprovider = \"kamailio\"\nrpc = \"{healthy_rpc}\"\nuuid = \"trunk9\"\n\
         [[check]]\nname = \"gone\"\nprovider = \"kamailio\"\nrpc = \"{removed_rpc}\"\nuuid = \"{TRUNK}\"\n\
         [[check]]\nname = \"claimed\"\nprovider = \"telnyx\"\nconnection_id = \"{CONNECTION}\"\napi_url = \"{telnyx}\"\n",
        healthy_rpc = healthy.client.rpc_url(),
        removed_rpc = removed.client.rpc_url(),
        telnyx = telnyx.url("/v2"),
    );
    let scratch = Scratch::new("batch");
    let file = scratch.write("verify.toml", &checks);
    let run = Run::new(&["verify", "--all", &file.display().to_string(), "--output", "json"]);
    let printed = run.variable("TELNYX_API_KEY", TELNYX_KEY).printed();
    let reports = printed.output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: BTreeMap<String, String> = reports
        .map(|report| {
            assert_eq!(report["schema"], "regprobe.verify.v1");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&report["name"]), text(&report["verdict"]["reason"]))
        })
        .collect();
    let expected = [
        ("claimed", "false_positive_unbound"),
        ("gone", "false_positive_unbound"),
        ("good", "registered"),
        ("unknown", "api_not_found"),
    ];
    let expected = expected.map(|(name, reason)| (name.to_owned(), reason.to_owned()));
    assert_eq!(found, BTreeMap::from(expected), "{printed:?}");
    assert_eq!(printed.status, 1, "{printed:?}");
    assert_eq!((healthy.bound(), removed.bound()), before, "nothing has changed");
}

#[test]
fn nobody_is_asked_for_what_nobody_reads() {
    const CHECKS: usize = 40;
    let stage = Stage::set(Situation::Healthy);
    let (api, _) = Provider::Telzino.asked(&stage, Situation::Healthy);
    let api = api.unwrap();
    let check = format!(
        "[[check]]\nprovider = \"telzino\"\nagent_id = \"{agent}\"\naor = \"sip:alice@127.0.0.1:9\"\napi_url = \"{url}\"\n",
        agent = crate::provider::AGENT,
        url = api.url(""),
    );
    let scratch = Scratch::new("batch");
    let file = scratch.write("verify.toml", &check.repeat(CHECKS));
    let mut regprobe = Command::new(env!("CARGO_BIN_EXE_regprobe"))
        .args(["verify", "--all", &file.display().to_string(), "--output", "json", "--jobs", "1"])
        .env("TELZINO_TOKEN", TELZINO_TOKEN)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(regprobe.stdout.take());
    let done = regprobe.wait_with_output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.starts_with("1 of 40 checks: "), "{told}");
    assert_eq!(done.status.code(), Some(130), "{told}");
    assert!(api.requests().len() < CHECKS, "{:?}", api.requests());
}

#[test]
fn a_file_that_is_wrong_is_told_so_line_by_line_before_anybody_is_asked() {
    let stage = Stage::set(Situation::Healthy);
    let (api, _) = Provider::Telzino.asked(&stage, Situation::Healthy);
    let api = api.unwrap();
    let checks = format!(
        "[[check]]\nname = \"fine\"\nprovider = \"telzino\"\nagent_id = \"{agent}\"\naor = \"sip:alice@127.0.0.1\"\napi_url = \"{url}\"\n\
         [[check]]\nname = \"mistaken\"\nprovider = \"telzino\"\nagent_id = \"not a UUID\"\ncolour = \"green\"\n\
         [[check]]\nname = \"unheard of\"\nprovider = \"nobody\"\n",
        agent = crate::provider::AGENT,
        url = api.url(""),
    );
    let scratch = Scratch::new("batch");
    let file = scratch.write("verify.toml", &checks);
    let run = Run::new(&["verify", "--all", &file.display().to_string()]);
    let printed = run.variable("TELZINO_TOKEN", TELZINO_TOKEN).printed();
    assert_eq!((printed.status, printed.output.as_str()), (2, ""), "{printed:?}");
    for place in [":10:", ":11:", ":14:"] {
        let place = format!("{}{place}", file.display());
        assert!(printed.errors.contains(&place), "{place}: {printed:?}");
    }
    assert_eq!(api.requests(), [], "nobody was asked");
}

#[test]
fn who_looks_on_at_a_terminal_is_told_what_a_check_waits_for() {
    let stage = Stage::set(Situation::Removed);
    let checks = format!(
        "[[check]]\nname = \"Berlin trunk\"\nprovider = \"kamailio\"\nrpc = \"{}\"\nuuid = \"{TRUNK}\"\ngrace = \"200ms\"\n",
        stage.client.rpc_url(),
    );
    let scratch = Scratch::new("batch");
    let file = scratch.write("verify.toml", &checks);
    let line = format!("{} verify --all {}", env!("CARGO_BIN_EXE_regprobe"), file.display());
    let terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("REGPROBE_PASSWORD", "secret")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("script is part of every Debian");
    let shown = String::from_utf8(terminal.stdout).unwrap();
    assert!(
        shown.contains("Berlin trunk: false positive unbound; looking again in 0."),
        "{shown}"
    );
    assert!(shown.contains("DISAGREE      Berlin trunk  "), "{shown}");
    let quiet = Run::new(&["verify", "--all", &file.display().to_string()]).printed();
    assert!(!quiet.errors.contains("looking again"), "{quiet:?}");
}

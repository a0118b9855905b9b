//! Every property over every file of the fuzzers' corpus, on stable, and over arbitrary bytes. What a fuzzer once found is a file in
//! `fuzz/corpus` and a test with a name below.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sip_sim::property;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The files of one target's corpus, in the order of their names.
fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(corpus().join(target)).unwrap_or_else(|error| panic!("no corpus for {target}: {error}"));
    let mut seeds: Vec<_> = folder.map(|seed| seed.expect("the folder is readable").path()).collect();
    seeds.sort();
    seeds
}

#[test]
fn every_property_holds_for_every_seed_of_every_corpus() {
    for (target, _) in property::ALL {
        let seeds = seeds(target);
        assert!(seeds.len() >= 5, "{target} has {} seeds", seeds.len());
        for seed in seeds {
            let bytes = std::fs::read(&seed).expect("a seed is a file");
            for (_, holds) in property::ALL {
                // A panic is reported without the file otherwise.
                let outcome = std::panic::catch_unwind(|| holds(&bytes));
                assert!(outcome.is_ok(), "a property does not hold for {}", seed.display());
            }
        }
    }
}

#[test]
fn every_target_has_a_property_and_every_property_a_target() {
    let targets = std::fs::read_dir(corpus().join("../fuzz_targets")).expect("the targets are part of the repository");
    let mut targets: Vec<String> = targets
        .map(|target| {
            target
                .expect("the folder is readable")
                .path()
                .file_stem()
                .expect("a target has a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    targets.sort();
    // Those that are not about SIP live in the crates that they are about: `regprobe_providers::property`, `regprobe::property`.
    let elsewhere = ["accounts", "answers", "captures", "checks", "reports"];
    let mut properties: Vec<&str> = property::ALL.iter().map(|(name, _)| *name).chain(elsewhere).collect();
    properties.sort_unstable();
    assert_eq!(targets, properties);
}

/// Bytes of which some decide something, and pieces of text.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let decisions = prop::collection::vec(any::<u8>(), 0..400);
    let small = prop::collection::vec(0..16_u8, 0..400);
    let text = "[ -~\r\n\"\\\\;,=<>]{0,300}".prop_map(String::into_bytes);
    prop_oneof![decisions, small, text]
}

/// Runs one property over arbitrary bytes; what fails is shown in its smallest form.
fn holds_for_arbitrary_bytes(holds: property::Property) {
    let config = ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&bytes(), |bytes| {
        holds(&bytes);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn no_bytes_break_a_view_of_a_message() {
    holds_for_arbitrary_bytes(property::message);
}

#[test]
fn no_value_is_read_as_another_once_it_is_written() {
    holds_for_arbitrary_bytes(property::headers);
}

#[test]
fn no_uri_is_another_once_it_is_put_together_again() {
    holds_for_arbitrary_bytes(property::uri);
}

#[test]
fn no_zone_leads_a_search_astray() {
    holds_for_arbitrary_bytes(property::locate);
}

#[test]
fn no_bytes_act_on_whoever_reads_them() {
    holds_for_arbitrary_bytes(property::escape);
}

#[test]
fn no_cut_of_a_stream_changes_what_it_holds() {
    holds_for_arbitrary_bytes(property::framer);
}

#[test]
fn no_challenge_gets_an_unreadable_answer() {
    holds_for_arbitrary_bytes(property::challenge);
}

#[test]
fn no_account_writes_a_line_of_its_own() {
    holds_for_arbitrary_bytes(property::request);
}

#[test]
fn no_other_credentials_are_taken_for_good() {
    holds_for_arbitrary_bytes(property::digest_check);
}

#[test]
fn no_conversation_breaks_a_registrar() {
    holds_for_arbitrary_bytes(property::registrar);
}

#[test]
fn no_world_breaks_a_registrant() {
    holds_for_arbitrary_bytes(property::registrant);
}

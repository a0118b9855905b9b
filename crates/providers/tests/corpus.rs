//! The property of all APIs' answers over every file of the fuzzer's corpus, on stable, and over texts and JSON that look like them.
//! What a fuzzer once found is a file in `fuzz/corpus/answers` and a test with a name below.

use std::path::Path;

use proptest::prelude::*;
use regprobe_providers::property::answers;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/answers");
    let folder = std::fs::read_dir(folder).expect("the corpus is part of the repository");
    let mut seeds: Vec<_> = folder
        .map(|seed| seed.expect("the folder is readable").path())
        .map(|seed| (seed.display().to_string(), std::fs::read(&seed).expect("a seed is a file")))
        .collect();
    seeds.sort();
    seeds
}

#[test]
fn the_property_holds_for_every_seed_taken_for_every_ones_answer() {
    let seeds = seeds();
    assert!(seeds.len() >= 15, "{} seeds", seeds.len());
    for (name, bytes) in seeds {
        for whose in 0..12 {
            let bytes = [&[whose], bytes.get(1..).unwrap_or_default()].concat();
            // A panic is reported without the file otherwise.
            let outcome = std::panic::catch_unwind(|| answers(&bytes));
            assert!(
                outcome.is_ok(),
                "the property does not hold for {name} taken for the answer of {whose}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_an_answer_that_acts_on_its_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        answers(&bytes);
    }

    #[test]
    fn no_changed_seed_shows_a_secret(at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), new in "[ -~\u{202e}\u{1b}]{0,6}") {
        let seeds = seeds();
        let (_, mut bytes) = at.get(&seeds).clone();
        let from = cut.index(bytes.len());
        let to = (from + new.chars().count()).min(bytes.len());
        bytes.splice(from..to, new.bytes());
        answers(&bytes);
    }
}

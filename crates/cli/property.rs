//! What holds for all files that people hand to the program, and for what it shows: functions that panic when it does not. The fuzz
//! targets `accounts`, `captures`, `checks` and `reports` are one line each and call these; the tests below replay their corpora on
//! stable. Nothing is sent. A file that names another for a secret has that one read, as always.

use std::path::Path;

pub use crate::accounts::property::accounts;
pub use crate::inspect::property::captures;
pub use crate::output::property::reports;
use crate::output::text::safe;
use crate::verify::file::{self, MOST_MISTAKES};

/// The bytes are a file of checks: whatever they are, it comes to checks and mistakes, the same each time, each at its place.
pub fn checks(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (listed, mistakes) = file::read(&text, Path::new("/nowhere"));
    let lines = text.matches('\n').count() + 1;
    assert!(mistakes.len() <= MOST_MISTAKES, "{} mistakes", mistakes.len());
    assert!(listed.len() <= text.matches('[').count(), "{} checks", listed.len());
    assert!(mistakes.is_sorted(), "{mistakes:?}");
    for mistake in &mistakes {
        assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake:?}");
        harmless(&mistake.to_string());
    }
    for check in &listed {
        assert!((1..=lines).contains(&check.line), "{check:?}");
    }
    let again = file::read(&text, Path::new("/nowhere"));
    assert_eq!((again.0.len(), again.1), (listed.len(), mistakes), "read again it is another file");
}

/// What is said of a file can stand on a terminal: whatever would have to be escaped has been.
pub(crate) fn harmless(shown: &str) {
    for line in shown.lines() {
        assert_eq!(safe(line), line);
    }
    assert!(!shown.contains('\r'), "{shown:?}");
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A function that panics when it does not hold.
    type Property = fn(&[u8]);

    const ALL: [(&str, Property); 4] = [
        ("accounts", accounts),
        ("captures", captures),
        ("checks", checks),
        ("reports", reports),
    ];

    /// Every file of a corpus, under its name.
    fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let seeds = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path());
        let mut seeds: Vec<_> = seeds
            .map(|seed| (seed.display().to_string(), std::fs::read(&seed).unwrap()))
            .collect();
        seeds.sort();
        assert!(seeds.len() >= 5, "{target} has {} seeds", seeds.len());
        seeds
    }

    #[test]
    fn every_property_holds_for_every_seed() {
        for (target, holds) in ALL {
            for (name, bytes) in seeds(target) {
                // A panic is reported without the file otherwise.
                let outcome = std::panic::catch_unwind(|| holds(&bytes));
                assert!(outcome.is_ok(), "the property {target} does not hold for {name}");
            }
        }
    }

    proptest! {
        // Each capture takes a MiB, which takes long without optimisation.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_property_holds_for_arbitrary_bytes(
            bytes in prop_oneof![vec(any::<u8>(), 0..300), vec(0..16_u8, 0..300), "[ -~\\r\\n\\x00\"\\\\;,=<>]{0,300}".prop_map(String::into_bytes)],
        ) {
            for (_, holds) in ALL {
                holds(&bytes);
            }
        }
    }

    #[test]
    fn seeds_that_are_named_right_are_right() {
        let is_right = |(name, _): &(String, Vec<u8>)| name.ends_with("-right");
        let right: Vec<_> = seeds("checks").into_iter().filter(is_right).collect();
        assert!(right.len() >= 2);
        for (name, bytes) in right {
            let (listed, mistakes) = file::read(&String::from_utf8(bytes).unwrap(), Path::new("/nowhere"));
            assert!(!listed.is_empty() && mistakes.is_empty(), "{name}: {mistakes:?}");
        }
    }
}

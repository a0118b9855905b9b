//! A small edition of the million registrations of `benches/million.rs`: nobody lapses, refreshes are spread evenly, and a registration
//! at rest is small. In a test program of its own, because it counts every byte.

use std::time::Duration;

use allocation_counter::measure;
use sip_registration::Policy;
use sip_sim::Multitude;

const REGISTRATIONS: u32 = 20_000;
/// What a registration may keep between its exchanges, its account included, in bytes. It only ever goes down.
const MOST_BYTES: u64 = 960;

#[test]
fn twenty_thousand_registrations_are_kept_for_two_hours_in_few_bytes_and_refreshed_evenly() {
    let mut kept = None;
    let allocated = measure(|| {
        let mut lines = Multitude::new(1, REGISTRATIONS, Policy::default());
        lines.register_within(Duration::from_secs(60));
        lines.run_for(Duration::from_secs(2 * 3600));
        kept = Some(lines);
    });
    let tally = kept.as_ref().map(Multitude::tally).unwrap();
    let count = u64::from(REGISTRATIONS);
    assert_eq!((tally.registered, tally.failures, tally.lapses), (count, 0, 0));
    // Each after 50 to 90 per cent of an hour: in two hours at least two, at most three.
    assert!((2 * count..=3 * count).contains(&tally.refreshes), "{}", tally.refreshes);

    // The first refreshes: all between half and nine tenths of the hour from the first minute on, as many in each minute as in any other.
    let first = tally.by_minute.get(31..54).unwrap();
    let mean = first.iter().sum::<u64>() as f64 / first.len() as f64;
    assert!(tally.by_minute.iter().take(30).all(|refreshes| *refreshes == 0));
    assert!((count as f64 / 24.5..count as f64 / 23.5).contains(&mean), "{mean}");
    assert!(
        first.iter().all(|refreshes| (*refreshes as f64 / mean - 1.0).abs() < 0.2),
        "{mean} on average: {first:?}"
    );

    let bytes = u64::try_from(allocated.bytes_current).unwrap() / count;
    assert!(bytes <= MOST_BYTES, "{bytes} bytes a registration");
}

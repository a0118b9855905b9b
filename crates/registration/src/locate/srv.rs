//! The order among SRV records (RFC 2782): by priority, then a weighted draw. Asks nothing.

use rand::RngExt;
use rand_chacha::ChaCha12Rng;

use super::{MAX_RECORDS, name};
use crate::Srv;

/// A host and port that an SRV record names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// As [`name::canonical`] gives it.
    pub(super) host: String,
    /// Never 0.
    pub(super) port: u16,
}

/// The places to try, in order, at most [`MAX_PLACES`]. Records that name no place are skipped: the target `.` (the service is not
/// offered), targets that are no names, port 0.
///
/// The draw depends on the records, their order and the generator alone.
pub(super) fn order(records: &[Srv], rng: &mut ChaCha12Rng) -> Vec<Place> {
    let usable = records.iter().take(MAX_RECORDS);
    let mut left: Vec<(u16, u16, Place)> = usable
        .filter_map(|record| Some((record.priority, record.weight, place(record)?)))
        .collect();
    // RFC 2782: those of weight 0 stand at the beginning of their priority, so that they have a small chance and not none.
    left.sort_by_key(|(priority, weight, _)| (*priority, *weight != 0));
    let mut ordered = Vec::new();
    while ordered.len() < MAX_PLACES && !left.is_empty() {
        let drawn = draw(&left, rng);
        let (_, _, place) = left.remove(drawn);
        if !ordered.contains(&place) {
            ordered.push(place);
        }
    }
    ordered
}

/// RFC 2782: a number from 0 to the sum of the weights of the first priority, both included; the first record whose running sum
/// reaches it is drawn. The index into `left`, which is not empty.
fn draw(left: &[(u16, u16, Place)], rng: &mut ChaCha12Rng) -> usize {
    let first = left.first().map(|(priority, _, _)| *priority);
    let group = || left.iter().take_while(|(priority, _, _)| Some(*priority) == first);
    let sum: u32 = group().map(|(_, weight, _)| u32::from(*weight)).sum();
    let wanted = rng.random_range(0..=sum);
    let mut running = 0;
    group()
        .position(|(_, weight, _)| {
            running += u32::from(*weight);
            running >= wanted
        })
        .expect("the last running sum is the sum, and no number above it was drawn")
}

fn place(record: &Srv) -> Option<Place> {
    let host = name::canonical(&record.target)?;
    (record.port != 0).then_some(Place { host, port: record.port })
}

/// How many places of one name are tried.
const MAX_PLACES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::BTreeMap;

    fn record(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5060,
            target: target.into(),
        }
    }

    fn hosts(records: &[Srv], rng: &mut ChaCha12Rng) -> Vec<String> {
        order(records, rng).into_iter().map(|place| place.host).collect()
    }

    /// How often each host came first in 10,000 draws.
    fn firsts(records: &[Srv]) -> BTreeMap<String, u32> {
        let mut rng = ChaCha12Rng::from_seed([7; 32]);
        let mut counts = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(hosts(records, &mut rng).remove(0)).or_default() += 1;
        }
        counts
    }

    #[test]
    fn lower_priority_comes_first_whatever_the_weights() {
        let records = [record(20, 65_535, "c"), record(10, 0, "b"), record(0, 0, "a")];
        for seed in 0..50 {
            assert_eq!(hosts(&records, &mut ChaCha12Rng::from_seed([seed; 32])), ["a", "b", "c"]);
        }
    }

    #[test]
    fn the_first_place_is_drawn_in_proportion_to_the_weights() {
        let counts = firsts(&[record(1, 60, "a"), record(1, 30, "b"), record(1, 10, "c")]);
        // 10,000 draws: three standard deviations are below 150.
        for (host, expected) in [("a", 6000), ("b", 3000), ("c", 1000)] {
            assert!(counts[host].abs_diff(expected) < 200, "{counts:?}");
        }
    }

    #[test]
    fn the_rest_is_drawn_in_proportion_too() {
        let mut rng = ChaCha12Rng::from_seed([9; 32]);
        let records = [record(1, 98, "a"), record(1, 75, "b"), record(1, 25, "c")];
        let (mut all, mut b) = (0_u32, 0_u32);
        for _ in 0..20_000 {
            if let [first, second, _] = hosts(&records, &mut rng).as_slice()
                && first == "a"
            {
                all += 1;
                b += u32::from(second == "b");
            }
        }
        assert!((all * 3 / 4).abs_diff(b) < all / 40, "{b} of {all}");
    }

    #[test]
    fn weight_zero_is_seldom_first_but_not_never() {
        let counts = firsts(&[record(1, 99, "a"), record(1, 0, "z")]);
        // RFC 2782: one number of the hundred from 0 to 99 falls to the weightless record.
        assert!((50..200).contains(&counts["z"]), "{counts:?}");
        // Of the two numbers 0 and 1 each has one.
        let counts = firsts(&[record(1, 1, "a"), record(1, 0, "z")]);
        assert!((4800..5200).contains(&counts["z"]), "{counts:?}");
    }

    #[test]
    fn all_of_weight_zero_keep_the_order_of_the_answer() {
        let records = [record(1, 0, "c"), record(1, 0, "a"), record(1, 0, "b")];
        assert_eq!(hosts(&records, &mut ChaCha12Rng::from_seed([1; 32])), ["c", "a", "b"]);
    }

    #[test]
    fn equal_seeds_draw_equal_orders_and_other_seeds_others() {
        let records: Vec<Srv> = (0..8).map(|at| record(1, 10, &format!("h{at}x"))).collect();
        let with = |seed: u8| hosts(&records, &mut ChaCha12Rng::from_seed([seed; 32]));
        assert_eq!(with(3), with(3));
        assert!((0..20).any(|seed| with(seed) != with(3)));
    }

    #[test]
    fn records_that_name_no_place_are_skipped() {
        let mut portless = record(1, 1, "a");
        portless.port = 0;
        let records = [
            record(1, 1, "."),
            record(1, 1, ""),
            record(1, 1, "192.0.2.1"),
            record(1, 1, &"a".repeat(255)),
            portless,
        ];
        assert_eq!(hosts(&records, &mut ChaCha12Rng::from_seed([1; 32])), Vec::<String>::new());
    }

    #[test]
    fn ten_thousand_records_become_sixteen_places() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let many: Vec<Srv> = (0..10_000).map(|at| record(1, u16::MAX, &format!("h{at}x"))).collect();
        assert_eq!(order(&many, &mut rng).len(), MAX_PLACES);
        assert_eq!(order(&vec![record(1, u16::MAX, "a"); 10_000], &mut rng).len(), 1);
    }
}

//! What came of all rows, counted: for the progress bar, the summary and the exit status. Bounded, however many registrars there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use hdrhistogram::Histogram;

use super::line::Why;
use crate::output::table::table;
use crate::output::text::counted;

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows with a result in this run.
    pub(super) done: u64,
    /// Those of them that are registered.
    pub(super) registered: u64,
    /// Those that had their turn and are not.
    pub(super) failed: u64,
    /// Rows that an earlier run has done.
    pub(super) skipped: u64,
    /// Those of them that were not registered then.
    pub(super) skipped_failed: u64,
    /// Bindings that were made, and whose removal was not confirmed.
    pub(super) left_bound: u64,
    /// Each reason, with how often it came.
    pub(super) by_reason: BTreeMap<Why, u64>,
    groups: BTreeMap<(Arc<str>, Option<Why>), Group>,
}

/// The rows of one registrar that ended alike.
#[derive(Debug, Default)]
struct Group {
    count: u64,
    /// How long they took, in microseconds; none of those that sent nothing.
    took: Option<Histogram<u32>>,
}

impl Tally {
    /// Counts a result: at which registrar, why it failed, and how long it took in milliseconds.
    pub(super) fn take(&mut self, hop: Option<&Arc<str>>, why: Option<Why>, total_ms: Option<f64>) {
        self.done += 1;
        match why {
            None => self.registered += 1,
            Some(why) => {
                self.failed += u64::from(why.had_its_turn());
                *self.by_reason.entry(why).or_default() += 1;
            }
        }
        let hop = hop.map_or_else(|| Arc::from(NOBODY), Arc::clone);
        let mut key = (hop, why);
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            key.0 = Arc::from(OTHERS);
        }
        let group = self.groups.entry(key).or_default();
        group.count += 1;
        if let Some(total_ms) = total_ms {
            let took = group.took.get_or_insert_with(histogram);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is bounded")]
            let microseconds = (total_ms * 1000.0).clamp(0.0, LONGEST) as u64;
            took.record(microseconds).expect("it grows with what it records");
        }
    }

    /// How many rows have come to an end, in this run or an earlier one.
    pub(super) const fn come(&self) -> u64 {
        self.done + self.skipped
    }

    /// Counts a row that an earlier run has done.
    pub(super) fn skip(&mut self, registered: Option<bool>) {
        self.skipped += 1;
        self.skipped_failed += u64::from(registered == Some(false));
    }

    /// Whether every account of the list is registered, as far as anybody knows.
    pub(super) fn is_good(&self) -> bool {
        self.done == self.registered && self.skipped_failed == 0
    }

    /// The table by registrar and reason, the largest groups first, and a sentence on the whole.
    pub(super) fn summary(&self, ended: &str) -> String {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|((hop, why), group)| (std::cmp::Reverse(group.count), Arc::clone(hop), *why));
        let rows: Vec<[String; 6]> = groups.iter().take(MOST_SHOWN).map(|(key, group)| group.row(key)).collect();
        let mut text = String::new();
        if !rows.is_empty() {
            text += &table(["registrar", "result", "rows", "p50 ms", "p90 ms", "p99 ms"], &rows);
        }
        if groups.len() > MOST_SHOWN {
            let more: u64 = groups.iter().skip(MOST_SHOWN).map(|(_, group)| group.count).sum();
            text += &format!("  and {} in smaller groups\n", rows_of(more));
        }
        text + "\n" + &self.sentence(ended) + "\n"
    }

    fn sentence(&self, ended: &str) -> String {
        let mut parts = vec![format!("{} of {} registered", self.registered, rows_of(self.done))];
        let of = |why: Why| self.by_reason.get(&why).copied().unwrap_or_default();
        let mut also = |count: u64, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        also(self.failed, "failed");
        also(of(Why::HeldBack), "held back");
        also(of(Why::NotDone), "not done");
        match self.skipped_failed {
            0 => also(self.skipped, "done by an earlier run"),
            failed => also(self.skipped, &format!("done by an earlier run ({failed} of them failed)")),
        }
        also(self.left_bound, "still bound");
        format!("{}{ended}", parts.join(", "))
    }
}

impl Group {
    fn row(&self, (hop, why): &(Arc<str>, Option<Why>)) -> [String; 6] {
        let at = |quantile: f64| {
            let took = self.took.as_ref();
            #[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
            took.map_or("–".to_owned(), |took| {
                format!("{:.1}", took.value_at_quantile(quantile) as f64 / 1000.0)
            })
        };
        let result = why.map_or("registered", Why::name);
        [
            hop.to_string(),
            result.to_owned(),
            self.count.to_string(),
            at(0.5),
            at(0.9),
            at(0.99),
        ]
    }
}

fn rows_of(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "row")
}

/// Two digits are exact enough, and few enough for many registrars.
fn histogram() -> Histogram<u32> {
    Histogram::new(2).expect("two digits are possible")
}

/// The longest time that is told apart, in microseconds: an hour.
const LONGEST: f64 = 3.6e9;
/// How many groups are told apart; a histogram has some ten kilobytes.
const MOST_GROUPS: usize = 300;
/// How many groups the summary shows.
const MOST_SHOWN: usize = 20;
/// The registrar of rows that are no accounts.
const NOBODY: &str = "–";
/// The registrar of groups beyond the bound.
const OTHERS: &str = "(other registrars)";

#[cfg(test)]
mod tests {
    use sip_registration::Cause;

    use super::*;

    fn hop(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    #[test]
    fn the_largest_groups_come_first_with_their_percentiles() {
        let mut tally = Tally::default();
        for took in 1..=100 {
            tally.take(Some(&hop("sip:a")), None, Some(f64::from(took)));
        }
        tally.take(Some(&hop("sip:b")), Some(Why::Cause(Cause::NoReply)), Some(10_000.0));
        tally.take(Some(&hop("sip:b")), Some(Why::HeldBack), None);
        tally.take(None, Some(Why::BadRow), None);
        tally.skip(Some(false));
        tally.left_bound = 1;
        let text = tally.summary("");
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].contains("sip:a") && lines[1].contains("registered") && lines[1].contains("100"),
            "{text}"
        );
        let values: Vec<f64> = lines[1].split_whitespace().filter_map(|cell| cell.parse().ok()).collect();
        let [_, p50, p90, p99] = values[..] else { panic!("{text}") };
        assert!(
            (49.0..51.0).contains(&p50) && (89.0..91.0).contains(&p90) && (98.0..100.0).contains(&p99),
            "{text}"
        );
        assert!(
            text.contains("no_reply") && text.contains("held_back") && text.contains("bad_row"),
            "{text}"
        );
        let sentence = "100 of 103 rows registered, 2 failed, 1 held back, 1 done by an earlier run (1 of them failed), \
                        1 still bound";
        assert!(text.contains(sentence), "{text}");
        assert!(!tally.is_good());
    }

    #[test]
    fn a_thousand_registrars_take_no_more_than_some() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            tally.take(Some(&hop(&format!("sip:r{number}"))), None, Some(1.0));
        }
        assert!(tally.groups.len() <= MOST_GROUPS + 1);
        assert!(tally.is_good());
        let text = tally.summary(" in 1.0 s");
        assert!(text.lines().nth(1).unwrap().contains("(other registrars)"), "{text}");
        assert!(
            text.contains("rows in smaller groups") && text.contains("1000 of 1000 rows registered in 1.0 s"),
            "{text}"
        );
    }

    #[test]
    fn nothing_to_do_is_good() {
        assert!(Tally::default().is_good());
        assert!(Tally::default().summary("").contains("0 of 0 rows registered"));
    }
}

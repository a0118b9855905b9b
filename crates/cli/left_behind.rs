//! What `bulk` and `watch` say at their end about bindings that may have outlived them: which accounts, and until when. Nothing about
//! why: that is in each account's own result.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::output;
use crate::output::text::{counted, safe};

/// An account whose binding may have outlived the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftBehind {
    /// The account.
    pub(crate) title: String,
    /// Until when, as far as that is known.
    pub(crate) until: Option<Timestamp>,
}

/// Some of them, and how many there are: a list may be longer than memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeftBehindList {
    named: Vec<LeftBehind>,
    count: usize,
}

impl LeftBehindList {
    /// One more.
    pub(crate) fn push(&mut self, left: LeftBehind) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(left);
        }
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Who they are, as far as they are named.
    #[cfg(test)]
    pub(crate) fn titles(&self) -> Vec<String> {
        self.named.iter().map(|left| left.title.clone()).collect()
    }

    fn warning(&self) -> String {
        let count = counted(self.count, "account");
        let mut text = format!("warning: {count} may still be bound:\n");
        for left in &self.named {
            let until = left.until.map(|until| format!(" until {until:.0}")).unwrap_or_default();
            writeln!(text, "  {}{until}", safe(&left.title)).expect("a text takes everything");
        }
        if self.count > self.named.len() {
            writeln!(text, "  and {} more", self.count - self.named.len()).expect("a text takes everything");
        }
        text
    }
}

impl FromIterator<LeftBehind> for LeftBehindList {
    fn from_iter<I: IntoIterator<Item = LeftBehind>>(all: I) -> Self {
        let mut list = Self::default();
        all.into_iter().for_each(|left| list.push(left));
        list
    }
}

/// Names them on standard error, if there are any.
pub(crate) fn tell(list: &LeftBehindList) {
    if !list.is_empty() {
        output::tell(&list.warning());
    }
}

/// How many accounts are named.
const MOST_NAMED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_named_and_the_others_counted() {
        let left = |number: usize| LeftBehind {
            title: format!("desk {number}\u{1b}[2J"),
            until: (number == 0).then(|| "2026-01-31T10:00:00.4Z".parse().unwrap()),
        };
        let list: LeftBehindList = (0..22).map(left).collect();
        let warning = list.warning();
        let lines: Vec<&str> = warning.lines().collect();
        assert_eq!(lines[0], "warning: 22 accounts may still be bound:");
        assert!(
            lines[1].starts_with("  desk 0") && lines[1].ends_with(" until 2026-01-31T10:00:00Z"),
            "{}",
            lines[1]
        );
        assert!(lines[2].starts_with("  desk 1") && !warning.contains('\u{1b}'));
        assert_eq!((lines.len(), lines[21]), (22, "  and 2 more"));
    }
}

//! Where an anomaly is: line numbers and the headers that they belong to. Not for what is wrong there.

use std::fmt;

use super::{Anomaly, Inspection};
use crate::{Field, Headers, printable};

/// An anomaly and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// What it is.
    pub anomaly: Anomaly,
    /// The line, counted from 1, of the first of them; `None` for what is about the whole message.
    pub line: Option<usize>,
    /// The name of the header as it stands, or of the one that is missing.
    pub header: Option<&'a [u8]>,
    /// On how many lines, or how often in this header, it is.
    pub times: usize,
}

impl<'a> Found<'a> {
    pub(super) const fn of_message(anomaly: Anomaly) -> Self {
        Self {
            anomaly,
            line: None,
            header: None,
            times: 1,
        }
    }

    pub(super) const fn on_line(anomaly: Anomaly, line: usize) -> Self {
        Self {
            line: Some(line),
            ..Self::of_message(anomaly)
        }
    }

    pub(super) fn in_field(anomaly: Anomaly, line: usize, field: &Field<'a>) -> Self {
        Self {
            header: Some(field.raw_name).filter(|name| !name.is_empty()),
            ..Self::on_line(anomaly, line)
        }
    }

    pub(super) const fn missing(header: &'static str) -> Found<'static> {
        Found {
            header: Some(header.as_bytes()),
            ..Found::of_message(Anomaly::MissingHeader)
        }
    }

    /// Where it is: `line 3, To`, `line 2 and 7 more`, `Max-Forwards`; nothing for the whole message.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let more = match self.times {
            0 | 1 => String::new(),
            times => format!(" and {} more", times - 1),
        };
        let line = self.line.map(|line| format!("line {line}"));
        let header = self.header.map(printable);
        match (line, header) {
            (Some(line), Some(header)) => Some(format!("{line}, {header}{more}")),
            (Some(place), None) | (None, Some(place)) => Some(place + &more),
            (None, None) => None,
        }
    }
}

impl fmt::Display for Found<'_> {
    /// `name: what it means (where; which paragraph)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (", self.anomaly.name(), self.anomaly.meaning())?;
        if let Some(place) = self.place() {
            write!(f, "{place}; ")?;
        }
        write!(f, "{})", self.anomaly.reference())
    }
}

/// The lines on which the fields of a message start.
#[derive(Debug, Clone)]
pub(super) struct Places<'a> {
    start: usize,
    start_line: usize,
    fields: Vec<usize>,
    names: Vec<&'a [u8]>,
}

impl<'a> Places<'a> {
    /// Of a message that starts at `start` in `bytes`.
    pub(super) fn new(bytes: &[u8], start: usize, headers: &Headers<'a>) -> Self {
        let count = |from, to| bytes.get(from..to).map_or(0, |part| memchr::memchr_iter(b'\n', part).count());
        let start_line = 1 + count(0, start);
        let (mut at, mut line) = (start, start_line);
        let fields = headers.offsets().map(|offset| {
            line += count(at, start + offset);
            at = start + offset;
            line
        });
        Self {
            start,
            start_line,
            fields: fields.collect(),
            names: headers.iter().map(|field| field.raw_name).collect(),
        }
    }

    pub(super) const fn start_line(&self) -> usize {
        self.start_line
    }

    /// Whether something stands before the message.
    pub(super) const fn is_preceded(&self) -> bool {
        self.start > 0
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = usize> + '_ {
        self.fields.iter().copied()
    }

    /// The name of the header that a line belongs to.
    fn header_at(&self, line: usize) -> Option<&'a [u8]> {
        let at = self.fields.partition_point(|first| *first <= line).checked_sub(1)?;
        self.names.get(at).copied().filter(|name| !name.is_empty())
    }
}

impl<'a> Inspection<'a> {
    /// Something on a line, told once with the number of the lines that have it.
    pub(super) fn add(&self, anomaly: Anomaly, line: usize, found: &mut Vec<Found<'a>>) {
        match found.iter_mut().find(|found| found.anomaly == anomaly) {
            Some(known) => known.times += 1,
            None => found.push(Found {
                header: self.places.header_at(line),
                ..Found::on_line(anomaly, line)
            }),
        }
    }
}

//! The small DNS zone of these tests, and the search that asks it. Names that nobody entered do not exist.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sip_message::SipUri;

use super::super::{Locate, LocateError, MAX_OUTSTANDING, Target, Wish};
use crate::RecordKind::{A, Aaaa};
use crate::{DnsError, Families, Naptr, Override, Question, RecordKind, Records, Srv, Transport};

pub(super) type Answer = Result<Records, DnsError>;

/// What DNS says; names that nobody entered do not exist.
#[derive(Debug, Default)]
pub(super) struct Zone(pub(super) BTreeMap<(String, RecordKind), Answer>);

impl Zone {
    pub(super) fn with(mut self, name: &str, kind: RecordKind, answer: Answer) -> Self {
        self.0.insert((name.into(), kind), answer);
        self
    }

    pub(super) fn fails(self, name: &str, kind: RecordKind, error: DnsError) -> Self {
        self.with(name, kind, Err(error))
    }

    /// `order preference flags service replacement`, one per line.
    pub(super) fn naptr(self, name: &str, lines: &[&str]) -> Self {
        let record = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            Naptr {
                order: words[0].parse().unwrap(),
                preference: words[1].parse().unwrap(),
                flags: words[2].into(),
                service: words[3].into(),
                replacement: words[4].into(),
            }
        };
        self.with(name, RecordKind::Naptr, Ok(Records::Naptr(lines.iter().map(record).collect())))
    }

    /// `priority weight port target`, one per line.
    pub(super) fn srv(self, name: &str, lines: &[&str]) -> Self {
        let record = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse().unwrap();
            Srv {
                priority: number(0),
                weight: number(1),
                port: number(2),
                target: words[3].into(),
            }
        };
        self.with(name, RecordKind::Srv, Ok(Records::Srv(lines.iter().map(record).collect())))
    }

    pub(super) fn hosts(self, name: &str, addresses: &[&str]) -> Self {
        let all: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let of = |v4: bool| match all.iter().copied().filter(|address| address.is_ipv4() == v4).collect::<Vec<_>>() {
            none if none.is_empty() => Err(DnsError::NoRecords),
            some => Ok(Records::Addresses(some)),
        };
        let (a, aaaa) = (of(true), of(false));
        self.with(name, A, a).with(name, Aaaa, aaaa)
    }

    pub(super) fn answer(&self, question: &Question) -> Answer {
        self.0
            .get(&(question.name.clone(), question.kind))
            .cloned()
            .unwrap_or(Err(DnsError::NoSuchName))
    }
}

pub(super) struct Search<'a> {
    pub(super) uri: &'a str,
    pub(super) transport: Option<Transport>,
    pub(super) families: Families,
    pub(super) overrides: Vec<Override>,
    pub(super) seed: u8,
    pub(super) last_first: bool,
}

pub(super) fn search(uri: &str) -> Search<'_> {
    Search {
        uri,
        transport: None,
        families: Families::Both,
        overrides: Vec::new(),
        seed: 1,
        last_first: false,
    }
}

pub(super) struct Found {
    pub(super) asked: Vec<String>,
    pub(super) outcome: Result<Vec<Target>, LocateError>,
}

impl Search<'_> {
    pub(super) fn by(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    pub(super) fn said(mut self, host: &str, port: u16, address: &str) -> Self {
        self.overrides.push(Override {
            host: host.into(),
            port,
            address: address.parse().unwrap(),
        });
        self
    }

    pub(super) fn locate(&self) -> Locate {
        let next_hop = SipUri::parse(self.uri.as_bytes()).unwrap();
        Locate::new(&Wish {
            next_hop,
            transport: self.transport,
            families: self.families,
            overrides: &self.overrides,
        })
    }

    pub(super) fn run(&self, zone: &Zone) -> Found {
        let mut rng = ChaCha12Rng::from_seed([self.seed; 32]);
        let (mut locate, mut open, mut asked) = (self.locate(), Vec::new(), Vec::new());
        loop {
            while let Some((token, question)) = locate.poll_question() {
                asked.push(format!("{:?} {}", question.kind, question.name));
                open.push((token, question));
            }
            assert!(open.len() <= MAX_OUTSTANDING, "{open:?}");
            if let Some(outcome) = locate.outcome() {
                assert!(open.is_empty(), "decided with open questions: {open:?}");
                let outcome = outcome.map(<[Target]>::to_vec);
                return Found { asked, outcome };
            }
            let at = if self.last_first { open.len() - 1 } else { 0 };
            let (token, question) = open.remove(at);
            locate.handle_answer(token, zone.answer(&question), &mut rng);
        }
    }
}

impl Found {
    pub(super) fn targets(&self) -> Vec<String> {
        let targets = self.outcome.as_ref().unwrap().iter();
        targets
            .map(|target| {
                format!(
                    "{} {} {}",
                    target.endpoint.transport.name(),
                    target.endpoint.remote,
                    target.source.name()
                )
            })
            .collect()
    }

    pub(super) fn error(self) -> LocateError {
        self.outcome.unwrap_err()
    }
}

pub(super) fn not_found(name: &str) -> LocateError {
    LocateError::NotFound { name: name.into() }
}

pub(super) fn failed(name: &str, error: DnsError) -> LocateError {
    LocateError::Failed { name: name.into(), error }
}

//! The DNS of a simulated world: records, errors and silence by name and type. No resolver, no cache, no TTL.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use sip_registration::{DnsError, Naptr, Question, RecordKind, Records, Srv};

/// What DNS knows. A name without records of a type has none; a name without any does not exist.
#[derive(Debug, Clone)]
pub struct Zone {
    answers: BTreeMap<Question, Result<Records, DnsError>>,
    /// What an answer takes.
    pub delay: Duration,
    /// After which time a question without an answer is given up.
    pub patience: Duration,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            answers: BTreeMap::new(),
            delay: Duration::from_millis(5),
            patience: Duration::from_secs(5),
        }
    }
}

impl Zone {
    /// Adds an address record.
    pub fn address(&mut self, name: &str, address: IpAddr) {
        let kind = if address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
        let answer = self
            .answers
            .entry(question(name, kind))
            .or_insert_with(|| Ok(Records::Addresses(Vec::new())));
        if let Ok(Records::Addresses(addresses)) = answer {
            addresses.push(address);
        }
    }

    /// Adds an SRV record: priority, weight, port, target.
    pub fn srv(&mut self, name: &str, (priority, weight, port, target): (u16, u16, u16, &str)) {
        let answer = self
            .answers
            .entry(question(name, RecordKind::Srv))
            .or_insert_with(|| Ok(Records::Srv(Vec::new())));
        if let Ok(Records::Srv(records)) = answer {
            records.push(Srv {
                priority,
                weight,
                port,
                target: target.to_owned(),
            });
        }
    }

    /// Adds a NAPTR record that points to SRV records: order, service, the SRV records' name.
    pub fn naptr(&mut self, name: &str, (order, service, replacement): (u16, &str, &str)) {
        let answer = self
            .answers
            .entry(question(name, RecordKind::Naptr))
            .or_insert_with(|| Ok(Records::Naptr(Vec::new())));
        if let Ok(Records::Naptr(records)) = answer {
            records.push(Naptr {
                order,
                preference: 50,
                flags: "s".to_owned(),
                service: service.to_owned(),
                replacement: replacement.to_owned(),
            });
        }
    }

    /// From now on this question has no other answer than this error. [`DnsError::Timeout`] comes after [`Zone::patience`].
    pub fn fail(&mut self, name: &str, kind: RecordKind, error: DnsError) {
        self.answers.insert(question(name, kind), Err(error));
    }

    /// The answer to a question, and after which time it comes.
    pub(crate) fn answer(&self, asked: &Question) -> (Duration, Result<Records, DnsError>) {
        let asked = question(&asked.name, asked.kind);
        let answer = self.answers.get(&asked).cloned().unwrap_or_else(|| {
            let exists = self.answers.keys().any(|known| known.name == asked.name);
            Err(if exists { DnsError::NoRecords } else { DnsError::NoSuchName })
        });
        let patience = if answer == Err(DnsError::Timeout) {
            self.patience
        } else {
            self.delay
        };
        (patience, answer)
    }
}

fn question(name: &str, kind: RecordKind) -> Question {
    Question {
        name: name.trim_end_matches('.').to_ascii_lowercase(),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_answers_what_it_knows_and_tells_missing_records_from_missing_names() {
        let mut zone = Zone::default();
        zone.address("pbx.test", "192.0.2.1".parse().unwrap());
        zone.address("pbx.test", "192.0.2.2".parse().unwrap());
        zone.fail("slow.test", RecordKind::A, DnsError::Timeout);
        let ask = |name: &str, kind| zone.answer(&question(name, kind));
        let both = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        assert_eq!(ask("PBX.test.", RecordKind::A), (zone.delay, Ok(Records::Addresses(both.to_vec()))));
        assert_eq!(ask("pbx.test", RecordKind::Aaaa).1, Err(DnsError::NoRecords));
        assert_eq!(ask("nobody.test", RecordKind::A).1, Err(DnsError::NoSuchName));
        assert_eq!(ask("slow.test", RecordKind::A), (zone.patience, Err(DnsError::Timeout)));
    }
}

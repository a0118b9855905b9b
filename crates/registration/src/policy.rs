//! By which rules a registrant works. Values only; what is registered is [`crate::Account`]'s.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Admission, KeepAlive};

/// Which address families may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Families {
    /// True when this address may be used.
    #[must_use]
    pub const fn allow(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Both, _) | (Self::V4, IpAddr::V4(_)) | (Self::V6, IpAddr::V6(_)) => true,
            (Self::V4, IpAddr::V6(_)) | (Self::V6, IpAddr::V4(_)) => false,
        }
    }
}

/// `HOST:PORT:ADDR`: what a name means, without asking DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The host name, compared without case.
    pub host: String,
    /// The port for which it holds.
    pub port: u16,
    /// The address to use.
    pub address: IpAddr,
}

/// The numbers and choices that hold for every account of a registrant.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Round-trip estimate (RFC 3261 §17.1.1.1): 500 ms.
    pub t1: Duration,
    /// The longest retransmission interval (RFC 3261 §17.1.2.2): 4 s.
    pub t2: Duration,
    /// How long a message can stay in the network (RFC 3261 §17.1.2.2): 5 s.
    pub t4: Duration,
    /// How long one exchange may take, from the look-up to the final reply. 64·T1 is the RFC's Timer F.
    pub timeout: Duration,
    /// How often a 423 is obeyed in one exchange: 2.
    pub brief_retries: u32,
    /// How often a stale nonce is replaced in one exchange: 1.
    pub stale_retries: u32,
    /// Whether a 3xx is followed, once.
    pub follow_redirects: bool,
    /// The largest request that goes by UDP when the target also offers TCP, in bytes (RFC 3261 §18.1.1): 1300.
    pub udp_request_limit: usize,
    /// Which addresses may be used.
    pub families: Families,
    /// Names that are not looked up.
    pub overrides: Vec<Override>,
    /// Whether whole messages are kept for the report, secrets redacted.
    pub trace: bool,
    /// Whether a request carries the credentials that were accepted last before it is asked for any: it saves a round trip for as
    /// long as the nonce is good.
    pub credentials_ahead: bool,
    /// How many flows lead to one target. Registrations are dealt to them evenly; 1 is one flow for all (RFC 5626 §3.1).
    pub flows_per_target: NonZeroU32,
    /// How fast, and how many at once, exchanges may start at one registrar: without bounds.
    pub admission: Admission,
    /// Whether a registration is refreshed and retried by itself. A one-shot probe does not.
    pub maintain: bool,
    /// How flows are kept open while registrations are maintained.
    pub keep_alive: KeepAlive,
    /// The part of the granted time after which a refresh is due, in percent; the moment is drawn between the two: 50 to 90.
    pub refresh_percent: (u32, u32),
    /// The first wait after a failure, and what doubles from there (RFC 5626 §4.5): 30 s.
    pub retry_base: Duration,
    /// The longest wait after a failure (RFC 5626 §4.5): 30 min.
    pub retry_cap: Duration,
    /// How far apart registrations come back on average that have lost the way to the same target, or have all failed there: 2 ms, so that
    /// a thousand are back within two seconds and more take longer in proportion. The pace of `admission` counts when it is slower.
    pub comeback_interval: Duration,
    /// The longest Retry-After that is obeyed: 24 h.
    pub retry_after_cap: Duration,
    /// How many exchanges in a row may end in wrong credentials before the operator has to act: 1.
    pub credential_attempts: u32,
    /// How often a request from the other side is answered, one each interval for every registration on its flow: 250 ms. A registrar
    /// that asks after its bindings does so every few seconds at most.
    pub answer_interval: Duration,
    /// How many of them are answered at once before that: 8.
    pub answer_burst: u32,
    /// From how few days left on a certificate is worth a warning: 30.
    pub certificate_warning_days: i64,
}

impl Default for Policy {
    /// The RFCs' numbers, for registrations that are kept.
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            timeout: Duration::from_secs(32),
            brief_retries: 2,
            stale_retries: 1,
            follow_redirects: false,
            udp_request_limit: 1300,
            families: Families::Both,
            overrides: Vec::new(),
            trace: false,
            credentials_ahead: true,
            flows_per_target: NonZeroU32::MIN,
            admission: Admission::UNLIMITED,
            maintain: true,
            keep_alive: KeepAlive::default(),
            refresh_percent: (50, 90),
            retry_base: Duration::from_secs(30),
            retry_cap: Duration::from_secs(1800),
            comeback_interval: Duration::from_millis(2),
            retry_after_cap: Duration::from_secs(86_400),
            credential_attempts: 1,
            answer_interval: Duration::from_millis(250),
            answer_burst: 8,
            certificate_warning_days: 30,
        }
    }
}

impl Policy {
    /// The numbers for one probe: ten seconds, nothing by itself afterwards.
    #[must_use]
    pub fn one_shot() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            maintain: false,
            keep_alive: KeepAlive::OFF,
            ..Self::default()
        }
    }

    /// What each of several registrants goes by so that all of them together keep to this policy: the bounds on what they start, and the
    /// crowds that come back, are divided among them. There are `shards` of them, or as many as the bounds have parts for
    /// ([`Admission::dealt`]).
    #[must_use]
    pub fn dealt(&self, shards: NonZeroU32) -> Vec<Self> {
        let parts = self.admission.dealt(shards);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let deal = |admission| Self {
            admission,
            comeback_interval: self.comeback_interval.saturating_mul(count),
            ..self.clone()
        };
        parts.into_iter().map(deal).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dealt_comes_to_the_whole_again() {
        let whole = Policy {
            admission: Admission::paced(NonZeroU32::new(1000).expect("a thousand is not zero"), Duration::from_secs(1)),
            ..Policy::default()
        };
        let parts = whole.dealt(NonZeroU32::new(4).expect("four is not zero"));
        assert_eq!(parts.len(), 4);
        for part in &parts {
            assert_eq!(
                part.comeback_interval,
                whole.comeback_interval * 4,
                "a quarter of the crowd is as fast as a quarter"
            );
            assert_eq!(part.admission.interval, whole.admission.interval * 4);
            assert_eq!((part.t1, part.timeout, part.maintain), (whole.t1, whole.timeout, whole.maintain));
        }
    }

    #[test]
    fn there_are_no_more_parts_than_the_bounds_allow() {
        let whole = Policy {
            admission: Admission {
                most_in_flight: NonZeroU32::new(2),
                ..Admission::UNLIMITED
            },
            ..Policy::default()
        };
        let parts = whole.dealt(NonZeroU32::MAX);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.comeback_interval == whole.comeback_interval * 2));
    }
}

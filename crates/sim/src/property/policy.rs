//! The rules that a registrant is fuzzed under, chosen by one byte.

use std::num::NonZeroU32;
use std::time::Duration;

use sip_registration::{Admission, DatagramPing, Families, KeepAlive, Override, Policy};

use super::draw::Draw;

/// The policy that these bits choose. The last of them says that there are more.
pub(super) fn chosen(draw: &mut Draw<'_>) -> Policy {
    let choices = draw.byte();
    let chosen = |bit: u8| choices & 1 << bit != 0;
    let datagrams = match (chosen(5), chosen(6)) {
        (false, false) => DatagramPing::Off,
        (false, true) => DatagramPing::Crlf(KeepAlive::DATAGRAM_INTERVAL),
        (true, _) => DatagramPing::Options(KeepAlive::DATAGRAM_INTERVAL),
    };
    Policy {
        maintain: !chosen(0),
        follow_redirects: chosen(1),
        trace: chosen(2),
        timeout: Duration::from_secs(if chosen(3) { 10 } else { 32 }),
        admission: if chosen(4) { one_at_a_time() } else { Admission::UNLIMITED },
        keep_alive: KeepAlive {
            datagrams,
            ..KeepAlive::default()
        },
        ..if chosen(7) { less_usual(draw.byte()) } else { Policy::default() }
    }
}

/// What few people ask for.
fn less_usual(choices: u8) -> Policy {
    let chosen = |bit: u8| choices & 1 << bit != 0;
    let families = match (chosen(0), chosen(1)) {
        (false, _) => Families::Both,
        (true, false) => Families::V4,
        (true, true) => Families::V6,
    };
    let elsewhere = Override {
        host: "pbx.test".to_owned(),
        port: 5060,
        address: [192, 0, 2, 77].into(),
    };
    Policy {
        families,
        credentials_ahead: !chosen(2),
        flows_per_target: NonZeroU32::new(if chosen(3) { 2 } else { 1 }).unwrap_or(NonZeroU32::MIN),
        overrides: if chosen(4) { vec![elsewhere] } else { Vec::new() },
        brief_retries: if chosen(5) { 0 } else { 2 },
        stale_retries: if chosen(6) { 0 } else { 1 },
        credential_attempts: if chosen(7) { 3 } else { 1 },
        ..Policy::default()
    }
}

/// One start a second, one exchange at once, a second of jitter.
fn one_at_a_time() -> Admission {
    Admission {
        most_in_flight: Some(NonZeroU32::MIN),
        jitter: Duration::from_secs(1),
        ..Admission::paced(NonZeroU32::MIN, Duration::from_secs(1))
    }
}

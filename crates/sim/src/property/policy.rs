//! The rules that a registrant is fuzzed under, chosen by one byte.

use std::num::NonZeroU32;
use std::time::Duration;

use sip_registration::{Admission, DatagramPing, KeepAlive, Policy};

/// The policy that these bits choose.
pub(super) fn chosen(choices: u8) -> Policy {
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

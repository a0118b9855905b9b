//! What a network does to what is sent: loss, delay, jitter, doubling, reordering, and for streams pieces and cuts. Draws, no queue.

use std::ops::Range;
use std::time::Duration;

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

/// A link between a user agent and a host. [`Link::default`] loses nothing and takes ten milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// From the user agent to the host.
    pub up: Way,
    /// From the host to the user agent.
    pub down: Way,
    /// What every packet takes at least.
    pub delay: Duration,
    /// What a packet may take beyond that.
    pub jitter: Duration,
    /// The chance, from 0 to 1, that a stream is reset under a message that is sent on it.
    pub cut: f64,
}

/// One direction of a link. The numbers are chances from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Way {
    /// A datagram is lost. A stream's packet is then sent again later, since streams lose nothing.
    pub loss: f64,
    /// A datagram arrives twice.
    pub duplicate: f64,
    /// A datagram is held back until later ones have passed it.
    pub reorder: f64,
}

/// How long a datagram is held back that later ones pass.
const HELD_BACK: Range<u64> = 50..2_000;
/// The first retransmission timeout of TCP (RFC 6298 §2.4 has a second at least; Linux 200 ms).
const STREAM_RETRY: Duration = Duration::from_millis(200);
/// How often a stream's packet is lost at most.
const STREAM_LOSSES: u32 = 6;

impl Default for Link {
    fn default() -> Self {
        Self {
            up: Way::default(),
            down: Way::default(),
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            cut: 0.0,
        }
    }
}

impl Link {
    /// A link that loses this share of the datagrams each way, with some jitter.
    #[must_use]
    pub fn lossy(loss: f64) -> Self {
        let way = Way { loss, ..Way::default() };
        Self {
            up: way,
            down: way,
            jitter: Duration::from_millis(20),
            ..Self::default()
        }
    }

    /// A link that does everything at once that a network may do to datagrams, without losing more than a tenth each way.
    #[must_use]
    pub fn bad() -> Self {
        let way = Way {
            loss: 0.1,
            duplicate: 0.1,
            reorder: 0.1,
        };
        Self {
            up: way,
            down: way,
            jitter: Duration::from_millis(200),
            ..Self::default()
        }
    }

    fn transit(&self, rng: &mut ChaCha12Rng) -> Duration {
        let jitter = u64::try_from(self.jitter.as_nanos()).unwrap_or(u64::MAX);
        self.delay + Duration::from_nanos(if jitter == 0 { 0 } else { rng.random_range(0..=jitter) })
    }

    /// After which times a datagram arrives: never, once or twice.
    pub(crate) fn datagram(&self, way: Way, rng: &mut ChaCha12Rng) -> Vec<Duration> {
        if rng.random_bool(way.loss) {
            return Vec::new();
        }
        let copies = if rng.random_bool(way.duplicate) { 2 } else { 1 };
        let one = |_| {
            let held = if rng.random_bool(way.reorder) {
                rng.random_range(HELD_BACK)
            } else {
                0
            };
            self.transit(rng) + Duration::from_millis(held)
        };
        (0..copies).map(one).collect()
    }

    /// After which time a stream's packet arrives: it always does, but late when it was lost on the way.
    pub(crate) fn packet(&self, way: Way, rng: &mut ChaCha12Rng) -> Duration {
        let losses = (0..STREAM_LOSSES).take_while(|_| rng.random_bool(way.loss)).count();
        let waited = (0..losses)
            .map(|lost| STREAM_RETRY * 2_u32.pow(u32::try_from(lost).unwrap_or(0)))
            .sum::<Duration>();
        self.transit(rng) + waited
    }

    /// Whether a stream is reset now.
    pub(crate) fn cuts(&self, rng: &mut ChaCha12Rng) -> bool {
        rng.random_bool(self.cut)
    }
}

/// Cuts what was written to a stream into the pieces in which it is read.
pub(crate) fn pieces(bytes: &[u8], rng: &mut ChaCha12Rng) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        // Mostly whole, as networks do; sometimes a few bytes only.
        let length = if rng.random_bool(0.8) {
            rest.len()
        } else {
            rng.random_range(1..=rest.len())
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_link_loses_doubles_and_delays_as_often_as_it_says() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let link = Link {
            up: Way {
                loss: 0.25,
                duplicate: 0.5,
                reorder: 0.1,
            },
            jitter: Duration::from_millis(5),
            ..Link::default()
        };
        let fates: Vec<_> = (0..10_000).map(|_| link.datagram(link.up, &mut rng)).collect();
        let with = |arrivals: usize| fates.iter().filter(|fate| fate.len() == arrivals).count();
        assert!((2_300..2_700).contains(&with(0)), "{}", with(0));
        assert!((3_500..4_000).contains(&with(2)), "{}", with(2));
        let held = fates.iter().flatten().filter(|delay| **delay > Duration::from_millis(15)).count();
        let arrived = with(1) + 2 * with(2);
        assert!((arrived / 12..arrived / 8).contains(&held), "{held} of {arrived}");
        assert!(fates.iter().flatten().all(|delay| *delay >= link.delay));
    }

    #[test]
    fn a_stream_delivers_everything_in_pieces_and_late_at_worst() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let link = Link::lossy(1.0);
        assert!(link.packet(link.up, &mut rng) >= STREAM_RETRY * 63);
        let text: Vec<u8> = (0..=255).collect();
        let cut: Vec<_> = (0..100).map(|_| pieces(&text, &mut rng)).collect();
        assert!(cut.iter().all(|pieces| pieces.concat() == text));
        assert!(cut.iter().any(|pieces| pieces.len() == 1) && cut.iter().any(|pieces| pieces.len() > 2));
    }
}

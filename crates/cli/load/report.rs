//! What a load measured: the contract `regprobe.load.v1` (docs/load.md), from the counts of its shards. Fields are added, never
//! renamed or retyped. Types and sums only; text for people is `human`'s.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use sip_registration::Cause;

use crate::load::job::{Job, Mode};
use crate::load::tally::{Keeping, Latency, Slice, Tally};
use crate::load::usage::Processor;

/// The name of the contract.
const SCHEMA: &str = "regprobe.load.v1";

/// What a load measured.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LoadReport {
    /// Always `regprobe.load.v1`.
    schema: &'static str,
    /// The accounts, with `{n}` for the number.
    pub(crate) aor: String,
    /// How many users there were.
    pub(crate) users: u32,
    /// The Request-URI.
    pub(crate) registrar: String,
    /// The address that everything went to.
    pub(crate) target: String,
    /// `udp`, `tcp` or `tls`.
    pub(crate) transport: &'static str,
    /// When it began, RFC 3339, UTC.
    pub(crate) started_at: String,
    /// What became of registrations: `cycle`, `keep_alive` or `storm`.
    pub(crate) mode: &'static str,
    /// Whether the user ended it before its time.
    pub(crate) interrupted: bool,
    /// The time that was planned, in seconds.
    pub(crate) duration_s: f64,
    /// From the first order to the last end of an exchange, in seconds.
    pub(crate) took_s: f64,
    /// What fell due.
    pub(crate) offered: Offered,
    /// What was confirmed.
    pub(crate) achieved: Achieved,
    /// Why tries failed, the most frequent first.
    pub(crate) causes: Vec<CauseCount>,
    /// How long registrations took, from when each was due to its confirmation; those that failed are not in it.
    pub(crate) latency_ms: Percentiles,
    /// The same from when each was sent: what a client that waits for its turn would measure.
    pub(crate) service_ms: Percentiles,
    /// Requests sent, retransmissions not counted.
    pub(crate) requests: u64,
    /// Requests sent again.
    pub(crate) retransmissions: u64,
    /// Equal parts of the time, by when orders fell due, as far as it came; none unless users register again and again.
    pub(crate) parts: Vec<Part>,
    /// What became of kept registrations; null unless they were.
    pub(crate) keep_alive: Option<KeepAlive>,
    /// When users were back; null unless it was a storm.
    pub(crate) storm: Option<Storm>,
    /// How the bindings were removed; null when they were to stay.
    pub(crate) removal: Option<RemovalReport>,
    /// What it cost this machine.
    pub(crate) client: Client,
}

/// What fell due, whatever the registrar did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Offered {
    /// Registrations that fell due.
    pub(crate) registrations: u64,
    /// The same a second; null when all fell due at once.
    pub(crate) per_second: Option<f64>,
    /// Those that were ordered.
    pub(crate) given: u64,
    /// Those of them that had to wait until a user was free or an exchange ended.
    pub(crate) held_back: u64,
    /// Those that were never ordered, because the time was over while they waited.
    pub(crate) not_given: u64,
}

/// What was confirmed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Achieved {
    /// Ordered registrations that were confirmed.
    pub(crate) registrations: u64,
    /// The same a second, up to the last of them; null when there was no time to speak of.
    pub(crate) per_second: Option<f64>,
    /// Tries that failed.
    pub(crate) failed: u64,
    /// Ordered exchanges that had no end when the time was over.
    pub(crate) unfinished: u64,
    /// How many percent of what fell due came to what was wanted: were confirmed; with `keep_alive` stood without a lapse, with
    /// `storm` were back.
    pub(crate) share_percent: f64,
    /// How many percent were wanted.
    pub(crate) wanted_percent: f64,
}

/// Tries that failed for one reason.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CauseCount {
    /// The cause, as in the report of a probe.
    pub(crate) cause: Cause,
    /// The SIP code of the last final reply; null when there was none.
    pub(crate) sip_code: Option<u16>,
    /// How many.
    pub(crate) count: u64,
}

/// Percentiles, in milliseconds; null when there was nothing to measure.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Percentiles {
    /// Half took no longer.
    pub(crate) p50: Option<f64>,
    /// 90 % took no longer.
    pub(crate) p90: Option<f64>,
    /// 99 % took no longer.
    pub(crate) p99: Option<f64>,
    /// 99.9 % took no longer.
    pub(crate) p999: Option<f64>,
    /// The longest.
    pub(crate) max: Option<f64>,
}

/// One part of the time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Part {
    /// Its beginning, in seconds after the start.
    pub(crate) from_s: f64,
    /// Its end.
    pub(crate) to_s: f64,
    /// Registrations ordered a second; null when all fell due at once.
    pub(crate) ordered_per_second: Option<f64>,
    /// Those that were confirmed.
    pub(crate) registered: u64,
    /// Those that failed.
    pub(crate) failed: u64,
    /// Requests sent again for them.
    pub(crate) retransmissions: u64,
    /// How long they took, from when each was due.
    pub(crate) latency_ms: Percentiles,
}

/// What became of kept registrations.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct KeepAlive {
    /// Bindings that stood at the end.
    pub(crate) held: u64,
    /// Bindings that ran out before they were refreshed.
    pub(crate) lapses: u64,
    /// Refreshes that were confirmed.
    pub(crate) refreshes: u64,
    /// How long they took.
    pub(crate) refresh_ms: Percentiles,
    /// The length of a window, in seconds.
    pub(crate) window_s: f64,
    /// Refreshes in each window from the start on; the last one may not be a whole one.
    pub(crate) windows: Vec<u64>,
    /// How many percent the busiest or the quietest window is away from the mean, of the whole windows after each binding was
    /// refreshed for the first time; null when there are fewer than two.
    pub(crate) unevenness_percent: Option<f64>,
}

/// When users were back after everybody began at once, in seconds; null when that never came.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Storm {
    /// Over how long the users spread their first tries.
    pub(crate) jitter_s: f64,
    /// How many were back in the end.
    pub(crate) back: u64,
    /// When half of all users were back.
    pub(crate) half_back_s: Option<f64>,
    /// When 90 % were.
    pub(crate) most_back_s: Option<f64>,
    /// When all were.
    pub(crate) all_back_s: Option<f64>,
}

/// How the bindings were removed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RemovalReport {
    /// Users that were bound, or may have been.
    pub(crate) bound: u64,
    /// Those whose removal was confirmed.
    pub(crate) removed: u64,
    /// Those whose removal failed.
    pub(crate) failed: u64,
    /// Those that were not tried, or had no answer in time.
    pub(crate) left: u64,
    /// How long it took, in seconds.
    pub(crate) took_s: f64,
}

/// What it cost this machine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Client {
    /// Threads that registered.
    pub(crate) shards: usize,
    /// Sockets or connections that were asked for.
    pub(crate) connections: u32,
    /// Processor time of the registrations in our own code, in seconds; setting up and removing not counted.
    pub(crate) cpu_user_s: f64,
    /// The same in the kernel.
    pub(crate) cpu_system_s: f64,
    /// Both for one exchange that ended, in microseconds; null when none did.
    pub(crate) cpu_per_exchange_us: Option<f64>,
    /// The most memory at once, in bytes; null where the system does not tell.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Datagrams lost because a receive buffer of ours was full.
    pub(crate) receive_drops: u64,
}

/// What is known beside the counts.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    /// Where it went.
    pub(crate) target: SocketAddr,
    /// When it began, RFC 3339.
    pub(crate) started_at: String,
    /// Whether the user ended it.
    pub(crate) interrupted: bool,
    /// What the registrations cost.
    pub(crate) processor: Processor,
    /// The most memory at once, in bytes.
    pub(crate) peak_memory: Option<u64>,
    /// Datagrams lost at full receive buffers.
    pub(crate) drops: u64,
}

impl LoadReport {
    /// Puts the counts of all shards in order.
    pub(crate) fn assemble(job: &Job, tally: &Tally, circumstances: Circumstances) -> Self {
        let transport = job.account.transport.map_or("", sip_registration::Transport::name);
        Self {
            schema: SCHEMA,
            aor: sip_message::printable(job.aor.written().as_bytes()),
            users: job.users.count().get(),
            registrar: job.account.registrar.to_string(),
            target: circumstances.target.to_string(),
            transport,
            started_at: circumstances.started_at.clone(),
            mode: job.mode.name(),
            interrupted: circumstances.interrupted,
            duration_s: seconds(job.schedule.duration()),
            took_s: seconds(tally.took),
            offered: offered(job, tally),
            achieved: achieved(job, tally),
            causes: causes(tally),
            latency_ms: Percentiles::of(&tally.latency()),
            service_ms: Percentiles::of(&tally.service),
            requests: tally.requests,
            retransmissions: tally.retransmissions,
            parts: if job.mode == Mode::Cycle { parts(job, tally) } else { Vec::new() },
            keep_alive: (job.mode == Mode::KeepAlive).then(|| keep_alive(job, tally)),
            storm: (job.mode == Mode::Storm).then(|| storm(job, tally)),
            removal: (!job.keep).then(|| removal(tally)),
            client: client(job, tally, &circumstances),
        }
    }

    /// As many registered as were wanted.
    pub(crate) fn succeeded(&self) -> bool {
        self.achieved.share_percent >= self.achieved.wanted_percent
    }
}

impl Mode {
    /// The word in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cycle => "cycle",
            Self::KeepAlive => "keep_alive",
            Self::Storm => "storm",
        }
    }
}

impl Percentiles {
    fn of(latency: &Latency) -> Self {
        let at = |share| latency.quantile(share).map(millis);
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: latency.longest().map(millis),
        }
    }
}

fn offered(job: &Job, tally: &Tally) -> Offered {
    Offered {
        registrations: tally.offered,
        per_second: per_second(tally.offered, ordering(job, tally)),
        given: tally.given,
        held_back: tally.held_back,
        not_given: tally.offered.saturating_sub(tally.given),
    }
}

/// The time within which orders fell due: less than planned when it was cut short.
fn ordering(job: &Job, tally: &Tally) -> Duration {
    if tally.offered < job.schedule.total() {
        job.schedule.span().min(tally.took)
    } else {
        job.schedule.span()
    }
}

fn achieved(job: &Job, tally: &Tally) -> Achieved {
    let users = job.needed();
    let (wanted, reached) = match job.mode {
        Mode::Cycle => (tally.offered, tally.registered),
        Mode::KeepAlive => (users, tally.keeping.held.saturating_sub(tally.keeping.lapses)),
        Mode::Storm => (users, tally.back.count()),
    };
    Achieved {
        registrations: tally.registered,
        per_second: per_second(tally.registered, tally.confirmed_by.max(ordering(job, tally))),
        failed: tally.failed,
        unfinished: tally.unfinished,
        share_percent: percent(reached, wanted),
        wanted_percent: job.share,
    }
}

fn causes(tally: &Tally) -> Vec<CauseCount> {
    let mut causes: Vec<CauseCount> = tally
        .causes
        .iter()
        .map(|(&(cause, sip_code), &count)| CauseCount { cause, sip_code, count })
        .collect();
    causes.sort_by_key(|each| std::cmp::Reverse(each.count));
    causes
}

/// The parts that were reached; the last of them is shorter when the load was cut short in it.
fn parts(job: &Job, tally: &Tally) -> Vec<Part> {
    let count = u32::try_from(tally.slices.len()).unwrap_or(u32::MAX);
    let length = job.schedule.span() / count.max(1);
    let reached = ordering(job, tally);
    let part = |(at, slice): (u32, &Slice)| Part {
        from_s: seconds(length * at),
        to_s: seconds((length * (at + 1)).min(reached)),
        ordered_per_second: per_second(slice.given, reached.saturating_sub(length * at).min(length)),
        registered: slice.registered,
        failed: slice.failed,
        retransmissions: slice.retransmissions,
        latency_ms: Percentiles::of(&slice.latency),
    };
    let begun = (0..).zip(&tally.slices).take_while(|&(at, _)| length * at < reached);
    begun.map(part).collect()
}

fn keep_alive(job: &Job, tally: &Tally) -> KeepAlive {
    let keeping = &tally.keeping;
    KeepAlive {
        held: keeping.held,
        lapses: keeping.lapses,
        refreshes: keeping.service.count(),
        refresh_ms: Percentiles::of(&keeping.service),
        window_s: seconds(Keeping::WINDOW),
        windows: keeping.refreshes.clone(),
        unevenness_percent: unevenness(job, tally),
    }
}

/// Bindings are made one after the other, and refreshed for the first time within the later part of what was granted: only after
/// that does each window have its share.
fn unevenness(job: &Job, tally: &Tally) -> Option<f64> {
    let made = job.schedule.span();
    let first = tally.keeping.granted * job.policy.refresh_percent.1 / 100;
    let windows = tally.keeping.between(made + first, tally.took);
    if windows.len() < 2 {
        return None;
    }
    let mean = float(windows.iter().sum()) / float(windows.len() as u64);
    let away = windows.iter().map(|&count| (float(count) - mean).abs());
    Some(rounded(away.fold(0.0, f64::max) * 100.0 / mean.max(f64::MIN_POSITIVE)))
}

fn storm(job: &Job, tally: &Tally) -> Storm {
    let users = job.needed();
    let when = |count: u64| tally.back.until(count).map(seconds);
    Storm {
        jitter_s: seconds(job.schedule.jitter()),
        back: tally.back.count(),
        half_back_s: when(users.div_ceil(2)),
        most_back_s: when((users * 9).div_ceil(10)),
        all_back_s: when(users),
    }
}

fn removal(tally: &Tally) -> RemovalReport {
    let removal = tally.removal;
    RemovalReport {
        bound: removal.bound,
        removed: removal.removed,
        failed: removal.failed,
        left: removal.bound.saturating_sub(removal.removed + removal.failed),
        took_s: seconds(removal.took),
    }
}

fn client(job: &Job, tally: &Tally, circumstances: &Circumstances) -> Client {
    let ended = tally.registered + tally.failed + tally.keeping.service.count();
    let total = circumstances.processor.total().as_secs_f64() * 1e6;
    Client {
        shards: job.shards.get(),
        connections: job.connections.among(job.users.count()).get(),
        cpu_user_s: seconds(circumstances.processor.user),
        cpu_system_s: seconds(circumstances.processor.system),
        cpu_per_exchange_us: (ended > 0).then(|| rounded(total / float(ended))),
        peak_memory_bytes: circumstances.peak_memory,
        receive_drops: circumstances.drops,
    }
}

fn seconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64())
}

fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// Microseconds and less are noise.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// `None` where there is no time to speak of.
fn per_second(count: u64, time: Duration) -> Option<f64> {
    (!time.is_zero()).then(|| (float(count) / time.as_secs_f64() * 100.0).round() / 100.0)
}

/// Rounded down, so that one failure among a million is not 100 %.
fn percent(reached: u64, wanted: u64) -> f64 {
    if wanted == 0 {
        return 0.0;
    }
    (float(reached) * 1e5 / float(wanted)).floor() / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::samples::job;

    const SECOND: Duration = Duration::from_secs(1);

    fn circumstances() -> Circumstances {
        Circumstances {
            target: ([10, 0, 0, 1], 5060).into(),
            started_at: "2026-01-31T09:00:00.123Z".to_owned(),
            interrupted: false,
            processor: Processor {
                user: Duration::from_millis(30),
                system: Duration::from_millis(70),
            },
            peak_memory: Some(5 << 20),
            drops: 3,
        }
    }

    fn report(line: &str, change: impl FnOnce(&mut Tally)) -> LoadReport {
        let job = job(line);
        let mut tally = Tally::new(job.schedule.slices());
        tally.took = 10 * SECOND;
        change(&mut tally);
        LoadReport::assemble(&job, &tally, circumstances())
    }

    #[test]
    fn rates_count_from_the_first_order_to_the_last_confirmation() {
        let report = report("u{n}@10.0.0.1 --users 10 --rate 100/s", |tally| {
            (tally.offered, tally.given, tally.registered) = (1000, 900, 800);
            tally.confirmed_by = 16 * SECOND;
            tally.took = 20 * SECOND;
            tally.failed(Cause::NoReply, None);
        });
        assert_eq!((report.offered.per_second, report.offered.not_given), (Some(100.0), 100));
        assert_eq!((report.achieved.per_second, report.achieved.share_percent), (Some(50.0), 80.0));
        assert_eq!(report.client.cpu_per_exchange_us, Some(124.843945));
        assert!(!report.succeeded());
    }

    #[test]
    fn a_load_that_was_cut_short_offered_what_it_had_time_for() {
        let report = report("u{n}@10.0.0.1 --users 10 --rate 100/s", |tally| {
            (tally.offered, tally.given, tally.registered) = (200, 200, 200);
            (tally.took, tally.confirmed_by) = (2 * SECOND, 2 * SECOND);
        });
        assert_eq!((report.offered.per_second, report.achieved.per_second), (Some(100.0), Some(100.0)));
        assert!(report.succeeded());
    }

    #[test]
    fn a_load_that_was_cut_short_has_no_parts_that_it_never_came_to() {
        let report = report("u{n}@10.0.0.1 --users 10 --rate 100/s", |tally| {
            (tally.offered, tally.given) = (250, 250);
            tally.took = 5 * SECOND / 2;
            (tally.slices[0].given, tally.slices[1].given, tally.slices[2].given) = (100, 100, 50);
        });
        let parts: Vec<_> = report
            .parts
            .iter()
            .map(|part| (part.from_s, part.to_s, part.ordered_per_second))
            .collect();
        assert_eq!(parts, [(0.0, 1.0, Some(100.0)), (1.0, 2.0, Some(100.0)), (2.0, 2.5, Some(100.0))]);
    }

    #[test]
    fn one_failure_among_a_million_is_not_everybody() {
        let nearly = |share: &str| {
            report(&format!("u{{n}}@10.0.0.1 --users 10 --share {share}"), |tally| {
                (tally.offered, tally.registered) = (1_000_000, 999_999);
            })
        };
        assert_eq!(nearly("100").achieved.share_percent, 99.999);
        assert_eq!((nearly("100").succeeded(), nearly("99.9").succeeded()), (false, true));
    }

    #[test]
    fn causes_stand_in_the_order_of_their_number() {
        let report = report("u@10.0.0.1", |tally| {
            tally.failed(Cause::NoReply, None);
            (0..3).for_each(|_| tally.failed(Cause::Rejected, Some(480)));
            (0..2).for_each(|_| tally.failed(Cause::Rejected, Some(488)));
        });
        let causes: Vec<_> = report.causes.iter().map(|each| (each.cause, each.sip_code, each.count)).collect();
        assert_eq!(
            causes,
            [
                (Cause::Rejected, Some(480), 3),
                (Cause::Rejected, Some(488), 2),
                (Cause::NoReply, None, 1)
            ]
        );
    }

    #[test]
    fn refreshes_are_even_when_every_steady_window_has_its_share() {
        // Made within 10 s, granted 10 s: from second 19 on every binding was refreshed.
        let line = "u{n}@10.0.0.1 --users 100 --rate 10/s --keep-alive --duration 1m";
        let kept = |windows: [u32; 6]| {
            let report = report(line, |tally| {
                tally.keeping.granted = 10 * SECOND;
                (tally.keeping.held, tally.took) = (100, 60 * SECOND);
                for (window, count) in (0..).zip(windows) {
                    (0..count).for_each(|_| tally.keeping.refreshed(window * 10 * SECOND, SECOND));
                }
            });
            assert_eq!(
                (report.achieved.share_percent, report.keep_alive.as_ref().unwrap().held),
                (100.0, 100)
            );
            report.keep_alive.unwrap().unevenness_percent
        };
        assert_eq!(kept([5, 900, 100, 100, 100, 100]), Some(0.0));
        assert_eq!(kept([5, 900, 80, 100, 100, 120]), Some(20.0));
        let short = report(line, |tally| tally.keeping.refreshed(SECOND, SECOND));
        assert_eq!(short.keep_alive.unwrap().unevenness_percent, None);
        assert_eq!((short.storm.is_none(), short.parts.len()), (true, 0));
    }

    #[test]
    fn a_storm_is_over_when_the_last_is_back() {
        let storm = |back: u64| {
            let report = report("u{n}@10.0.0.1 --users 10 --storm --jitter 2s", |tally| {
                (1..=back).for_each(|second| tally.back.record(Duration::from_secs(second)));
            });
            let storm = report.storm.unwrap();
            assert_eq!(storm.jitter_s, 2.0);
            let seconds = |when: Option<f64>| when.map(f64::round);
            (seconds(storm.half_back_s), seconds(storm.most_back_s), seconds(storm.all_back_s))
        };
        assert_eq!(storm(10), (Some(5.0), Some(9.0), Some(10.0)));
        assert_eq!(storm(7), (Some(5.0), None, None));
        assert_eq!(storm(0), (None, None, None));
    }

    #[test]
    fn what_was_not_tried_is_left() {
        let report = report("u@10.0.0.1", |tally| {
            tally.removal.bound = 10;
            (tally.removal.removed, tally.removal.failed) = (6, 1);
        });
        assert_eq!(report.removal.unwrap().left, 3);
    }
}

//! What the whole core takes for one registration: from the order to the event that tells of its end, two messages out and two in with
//! a challenge, one and one for a refresh. `cargo bench -p sip-registration --bench core`. Sockets and the registrar's work are not in it.

mod crowd;
#[path = "../../../benches/processor_time/mod.rs"]
mod processor_time;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::Crowd;
use processor_time::ProcessorTime;
use sip_registration::Policy;

/// How many registrations are under way at once: what a fast sender has open, more than the caches next to the processor hold.
const CROWD: usize = 1000;

/// Repeats a round of the whole crowd until `wanted` registrations are done. Returns the time of so many of them.
fn rounds(wanted: u64, mut round: impl FnMut() -> Duration) -> Duration {
    let size = u64::try_from(CROWD).expect("a crowd fits into memory");
    let rounds = wanted.div_ceil(size);
    let taken: Duration = (0..rounds).map(|_| round()).sum();
    taken.mul_f64(wanted as f64 / (rounds * size) as f64)
}

fn core(criterion: &mut Criterion<ProcessorTime>) {
    let challenged = Policy {
        credentials_ahead: false,
        ..Policy::default()
    };
    let mut crowd = Crowd::registered(CROWD, challenged);
    criterion.bench_function("registration, challenged", |bencher| {
        bencher.iter_custom(|wanted| rounds(wanted, || crowd.register()));
    });
    let mut crowd = Crowd::registered(CROWD, Policy::default());
    criterion.bench_function("refresh, credentials ahead", |bencher| {
        bencher.iter_custom(|wanted| rounds(wanted, || crowd.refresh()));
    });
}

criterion_group!(name = benches; config = processor_time::criterion(); targets = core);
criterion_main!(benches);

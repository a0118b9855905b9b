//! A pace that is enough for the bindings that are there, and a crowd that wants to be let in besides: nobody loses what it has.

use std::num::NonZeroU32;
use std::time::Duration;

use sip_registration::{Account, Admission, Goal, Policy, Transport};
use sip_sim::{Phone, World, account, registrar};

const SECOND: Duration = Duration::from_secs(1);

fn bound(world: &World, phones: &[Phone]) -> usize {
    let holds = |phone: &&Phone| world.status(**phone).is_some_and(|status| status.valid_until.is_some());
    phones.iter().filter(holds).count()
}

/// 500 bindings of a minute take about 12 starts a second to keep; the pace is 30, and 3,000 others are ordered at once.
#[test]
fn what_is_bound_is_kept_while_others_wait_for_their_turn() {
    let mut world = World::new(30);
    let config = sip_registrar::Config {
        min_expires: 30,
        ..registrar()
    };
    let registrar = world.add_registrar(config, &[(Transport::Udp, ([192, 0, 2, 1], 5060).into())]);
    let agent = world.add_agent(Policy {
        admission: Admission::paced(NonZeroU32::new(30).expect("it is not zero"), SECOND),
        ..Policy::default()
    });
    let mut add = |name: &str, count: usize, expires| -> Vec<Phone> {
        let accounts = (0..count).map(|number| Account {
            expires,
            ..account(&format!("{name}{number}"), "sip:192.0.2.1")
        });
        accounts.map(|account| world.add(agent, account)).collect()
    };
    let (few, many) = (add("few", 500, 60), add("many", 3_000, 3600));
    few.iter().for_each(|phone| world.order(*phone, Goal::Register));
    world.run_for(25 * SECOND);
    assert_eq!(bound(&world, &few), few.len());
    many.iter().for_each(|phone| world.order(*phone, Goal::Register));
    let waiting = many
        .iter()
        .filter(|phone| world.status(**phone).is_some_and(|status| status.waits_for_admission));
    assert!(waiting.count() >= many.len() - 2);
    for _ in 0..30 {
        world.run_for(10 * SECOND);
        assert_eq!(bound(&world, &few), few.len(), "after {:?}", world.elapsed());
        world.audit();
    }
    assert_eq!(bound(&world, &many), many.len());
    assert_eq!(world.counters(agent).lapsed_waiting, 0);
    // Two requests at most for each start.
    assert!(
        world.arrivals(registrar).iter().all(|count| *count <= 2 * 32),
        "{:?}",
        world.arrivals(registrar)
    );
}

//! What a report says about the binding that an exchange made, or may have made: whether it was removed, and how that is known.

use std::time::Duration;

use sip_registration::{Arrow, Cause, Evidence, Goal, LadderStep, RemovalEvidence, Report};

use crate::peer::{self, BOUND, CHALLENGE};
use crate::setup::Setup;
use crate::world::World;

/// Longer than any exchange takes.
const THE_END: Duration = Duration::from_secs(60);
const MAY_COME_YET: &str = "; what was bound by then was removed, but a REGISTER was not answered and may bind us yet";

/// A REGISTER with credentials went out, and its reply did not come: the registrar may have bound us.
fn unanswered() -> World {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world
}

/// Registered, with the removal on its way.
fn removing() -> World {
    let mut world = unanswered();
    world.reply("200 OK", &[BOUND]);
    world.order(Goal::Unregister);
    world
}

/// The report on the first exchange, with the one after it as the removal.
fn report(world: &World) -> Report {
    of(world, RemovalEvidence::Tried(&world.attempts[1]))
}

fn of(world: &World, removal: RemovalEvidence<'_>) -> Report {
    Report::assemble(&Evidence {
        account: &world.setup.account,
        policy: &world.setup.policy,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        attempt: &world.attempts[0],
        removal,
    })
}

/// The last step of the report's own ladder: what became of the binding.
fn last_step(report: &Report) -> (Arrow, String) {
    let LadderStep { arrow, what, note, .. } = report.ladder.last().unwrap();
    (*arrow, format!("{what}: {note}"))
}

#[test]
fn a_removal_that_was_confirmed_is_the_last_step() {
    let mut world = removing();
    world.reply("200 OK", &[]);
    let report = report(&world);
    assert!(report.detail.ends_with("ms; the binding was removed again"), "{}", report.detail);
    assert_eq!(last_step(&report), (Arrow::Local, "binding removed: ".into()));
}

#[test]
fn a_removal_that_was_refused_says_by_what() {
    let mut world = removing();
    world.reply("500 Out of order", &[]);
    let report = report(&world);
    let left = "ms; the removal was not confirmed, so the registrar may list us for another 3600 s";
    assert!(report.detail.ends_with(left), "{}", report.detail);
    assert_eq!(
        last_step(&report),
        (Arrow::Failed, "binding not removed: server error · 500 Out of order".into())
    );
}

#[test]
fn a_removal_that_nobody_answered_says_so() {
    let mut world = removing();
    world.wait(THE_END);
    assert_eq!(last_step(&report(&world)), (Arrow::Failed, "binding not removed: no reply".into()));
}

#[test]
fn a_removal_that_was_interrupted_had_no_reply_in_time() {
    let mut world = removing();
    world.interrupt();
    assert_eq!(
        last_step(&report(&world)),
        (Arrow::Failed, "binding not removed: no reply in time".into())
    );
}

/// The registrar may have got the REGISTER, get it yet, or have answered it while the removal was on its way.
#[test]
fn an_interrupted_registration_tells_what_became_of_what_it_may_have_bound() {
    let interrupted = || {
        let mut world = unanswered();
        world.interrupt();
        world.order(Goal::Unregister);
        world
    };
    let mut overtaken = interrupted();
    overtaken.reply("200 OK", &[]);
    assert_eq!(report(&overtaken).detail, format!("interrupted{MAY_COME_YET}"));
    let mut answered = interrupted();
    answered.reply_to(1, "200 OK", &[BOUND]);
    answered.reply_to(2, "200 OK", &[]);
    assert_eq!(report(&answered).detail, "interrupted; what may have been bound was removed");
    let mut silent = interrupted();
    silent.wait(THE_END);
    assert_eq!(
        report(&silent).detail,
        "interrupted; the removal of what may have been bound was not confirmed"
    );
}

#[test]
fn a_failed_registration_tells_what_became_of_what_it_may_have_bound() {
    let failed = || {
        let mut world = unanswered();
        world.wait(THE_END);
        world.order(Goal::Unregister);
        world
    };
    let mut overtaken = failed();
    overtaken.reply("200 OK", &[]);
    assert_eq!(
        report(&overtaken).detail,
        format!(
            "no reply from udp 192.0.2.10:5060 to the request with credentials, which it had asked for (401 Unauthorized){MAY_COME_YET}"
        )
    );
    let mut answered = failed();
    answered.reply_to(1, "200 OK", &[BOUND]);
    answered.reply("200 OK", &[]);
    let removed = report(&answered).detail;
    assert!(removed.ends_with("; what may have been bound was removed"), "{removed}");
    let mut silent = failed();
    silent.wait(THE_END);
    for removal in [
        RemovalEvidence::Tried(&silent.attempts[1]),
        RemovalEvidence::Kept,
        RemovalEvidence::NotAttempted,
    ] {
        let report = of(&silent, removal);
        assert!(
            report
                .detail
                .ends_with("; the registrar may hold a binding of ours until it lapses"),
            "{}",
            report.detail
        );
    }
}

/// A 200 that cannot be read is a 200 all the same, as far as the registrar is concerned.
#[test]
fn a_reply_that_cannot_be_read_may_have_been_a_binding() {
    let mut world = unanswered();
    let sent = world.last_request().clone();
    let reply = String::from_utf8(peer::reply(&sent.bytes, "200 OK", &[])).unwrap();
    world.deliver(sent.flow, reply.replace("SIP/2.0 200", "SIP/2.0 2OO").as_bytes());
    let report = of(&world, RemovalEvidence::NotAttempted);
    assert_eq!(report.cause, Some(Cause::MalformedReply));
    assert!(
        report
            .detail
            .ends_with("; the registrar may hold a binding of ours until it lapses"),
        "{}",
        report.detail
    );
}

/// Who leaves then is removed first, and who was refused only goes.
#[test]
fn a_registration_that_may_have_bound_is_removed_when_it_leaves() {
    let mut world = unanswered();
    world.wait(THE_END);
    let before = world.wire.len();
    world.remove();
    let removal = String::from_utf8(world.last_request().bytes.clone()).unwrap();
    assert!(world.wire.len() > before && removal.contains(";expires=0\r\n"), "{removal}");
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("404 Not Found", &[]);
    world.remove();
    assert!(world.removed && world.wire.len() == 1);
}

#[test]
fn a_refusal_has_bound_nothing_and_nothing_is_said_of_it() {
    let mut world = World::new(Setup::probe());
    world.register();
    world.reply("404 Not Found", &[]);
    let report = of(&world, RemovalEvidence::NotAttempted);
    assert!(
        !report.detail.contains("bound") && !report.detail.contains("binding"),
        "{}",
        report.detail
    );
}

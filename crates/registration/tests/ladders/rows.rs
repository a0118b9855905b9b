//! Every row of docs/states.md, "What each reply means": what we make of it for REGISTER and for un-REGISTER stands here beside the
//! script, and the stored matrix shows all goals.

mod answers;
mod silences;

use sip_registration::{Cause, Goal};

use crate::peer::CHALLENGE;
use crate::picture;
use crate::setup::Setup;
use crate::world::{World, stored};

/// State code, cause, and the code that OpenSIPS would show.
type Expected = (u8, Option<Cause>, u8);

/// One row.
struct Row {
    event: &'static str,
    setup: fn() -> Setup,
    /// Before the order.
    prepare: fn(&mut World),
    /// After it.
    script: fn(&mut World),
    register: Expected,
    unregister: Expected,
}

const fn row(event: &'static str, script: fn(&mut World), register: Expected, unregister: Expected) -> Row {
    Row {
        event,
        setup: Setup::probe,
        prepare: |_| {},
        script,
        register,
        unregister,
    }
}

fn rows() -> Vec<Row> {
    answers::rows().into_iter().chain(silences::rows()).collect()
}

fn answered(world: &mut World, status: &str, headers: &[&str]) {
    world.reply("401 Unauthorized", &[CHALLENGE]);
    world.reply(status, headers);
}

fn run(row: &Row, goal: Goal) -> Expected {
    let mut world = World::new((row.setup)());
    (row.prepare)(&mut world);
    world.order(goal);
    (row.script)(&mut world);
    if world.attempts.is_empty() {
        world.wait_for_the_end();
    }
    let report = picture::report(&world.setup, world.attempt());
    (report.state_code, report.cause, report.opensips_state.code())
}

#[test]
fn every_row_of_the_table_ends_a_register_as_documented() {
    for row in rows() {
        assert_eq!(run(&row, Goal::Register), row.register, "{}", row.event);
    }
}

#[test]
fn every_row_of_the_table_ends_an_un_register_as_documented() {
    for row in rows() {
        assert_eq!(run(&row, Goal::Unregister), row.unregister, "{}", row.event);
    }
}

#[test]
fn every_cause_comes_from_some_row() {
    let causes: Vec<Cause> = rows().iter().filter_map(|row| row.register.1).collect();
    for cause in Cause::ALL {
        assert!(causes.contains(&cause), "{cause}");
    }
}

#[test]
fn the_matrix_of_events_and_goals_is_as_stored() {
    let goals = [Goal::Register, Goal::Unregister, Goal::Clear, Goal::Fetch, Goal::Ping];
    let cell = |(code, cause, parity): Expected| {
        let cause = cause.map_or_else(String::new, |cause| format!(" {cause}"));
        format!("{code}{cause} ({parity})")
    };
    let line = |event: &str, cells: [String; 5]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<34}")).collect();
        format!("{event:<55}{}\n", cells.trim_end())
    };
    let mut text = String::from("Our state, the cause, and in brackets the state that OpenSIPS would show.\n\n");
    text += &line("event", goals.map(|goal| goal.name().to_owned()));
    for row in rows() {
        text += &line(row.event, goals.map(|goal| cell(run(&row, goal))));
    }
    stored("rows/matrix", &text);
}

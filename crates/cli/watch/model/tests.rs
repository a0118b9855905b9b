//! What the model makes of events and keys.

use std::time::{Duration, Instant};

use sip_registration::{Cause, State, Status};

use super::*;
use crate::watch::samples::{self, CHALLENGE, OK, entry, origin, registered, took_part, with_password};

const SECOND: Duration = Duration::from_secs(1);

fn at(instant: Instant) -> Moment {
    Moment { at: instant, ..origin() }
}

/// So many accounts `user0`, `user1`, ... of which nothing is known yet.
fn many(count: u64) -> Model {
    let mut model = samples::model(100);
    let now = origin().at;
    for number in 0..count {
        model.add(entry(number, &format!("sip:user{number}@example.test")), now);
    }
    model.fit(10);
    model
}

fn selected(model: &Model) -> String {
    model.selected().map(|(_, row)| row.entry.title()).unwrap_or_default()
}

fn press(model: &mut Model, keys: &[Press]) -> Wish {
    keys.iter().map(|key| model.press(*key)).last().unwrap()
}

fn typed(model: &mut Model, text: &str) {
    text.chars().for_each(|character| {
        model.press(Press::Character(character));
    });
}

#[test]
fn an_exchange_under_way_is_no_change_until_it_ends_elsewhere() {
    let origin = origin();
    let account = with_password(&entry(1, "sip:a@h"));
    let (_, status, now) = registered(&account, origin.at, &[CHALLENGE, OK]);
    let mut model = samples::model(0);
    let id = model.add(account, origin.at);
    let busy = |state| Status {
        state,
        cause: None,
        ..status.clone()
    };
    assert_eq!(model.stands(id, &busy(State::Registering), at(now)), Some(News::Busy));
    assert_eq!(model.row(id).unwrap().shown_state(), State::Registering);
    let changed = model.stands(id, &status, at(now));
    assert_eq!(
        changed,
        Some(News::Changed {
            from: State::NotRegistered
        })
    );
    // A refresh: registered all the while, and no news in the end.
    model.stands(id, &busy(State::Authenticating), at(now + SECOND));
    assert_eq!(model.row(id).unwrap().shown_state(), State::Registered);
    assert_eq!(model.stands(id, &status, at(now + SECOND)), Some(News::Unchanged));
    assert_eq!(model.row(id).unwrap().settled.since, now);
    // A removal shows as what it is.
    model.stands(id, &busy(State::Unregistering), at(now + SECOND));
    assert_eq!(model.row(id).unwrap().shown_state(), State::Unregistering);
}

#[test]
fn another_cause_or_code_is_a_change_and_the_same_again_is_none() {
    let origin = origin();
    let account = entry(1, "sip:a@h");
    let mut model = samples::model(0);
    let id = model.add(account.clone(), origin.at);
    let mut news = |replies: &[&str]| {
        let (attempt, status, now) = registered(&account, origin.at, replies);
        model.attempted(id, attempt, at(now));
        model.stands(id, &status, at(now)).unwrap()
    };
    assert!(matches!(news(&["500 Oops"]), News::Changed { .. }));
    assert_eq!(news(&["500 Oops again"]), News::Unchanged);
    assert_eq!(
        news(&["501 Other"]),
        News::Changed {
            from: State::RegistrarError
        }
    );
    assert_eq!(
        news(&[]),
        News::Changed {
            from: State::RegistrarError
        }
    );
    assert_eq!(model.row(id).unwrap().shown_cause(), Some(Cause::NoReply));
}

#[test]
fn an_account_remembers_its_last_exchanges_and_all_together_no_more_than_there_is_room_for() {
    let origin = origin();
    let account = entry(1, "sip:a@h");
    for (memory, accounts, remembered) in [(100, 1, row::HISTORY), (4, 2, 2), (1, 2, 0)] {
        let mut model = samples::model(memory);
        let ids: Vec<Id> = (0..accounts).map(|_| model.add(account.clone(), origin.at)).collect();
        let given_back = (0..10).filter(|_| {
            let (attempt, _, now) = registered(&account, origin.at, &[OK]);
            model.attempted(ids[0], attempt, at(now)).is_some()
        });
        assert_eq!(given_back.count(), 10 - remembered);
        assert_eq!(model.row(ids[0]).unwrap().history.len(), remembered);
    }
}

#[test]
fn what_may_outlive_the_watch_is_known() {
    let origin = origin();
    let mut model = samples::model(0);
    let bound = took_part(&mut model, entry(1, "sip:bound@h"), origin, &[OK], SECOND);
    // Nobody answered to the right credentials: the registrar may have taken them all the same.
    let perhaps = with_password(&entry(2, "sip:perhaps@h"));
    took_part(&mut model, perhaps, origin, &[CHALLENGE], SECOND);
    took_part(&mut model, entry(3, "sip:refused@h"), origin, &["403 No"], SECOND);
    model.add(entry(4, "sip:idle@h"), origin.at);
    let titles = |model: &Model, now| model.left_behind(at(now)).titles();
    assert_eq!(titles(&model, origin.at + SECOND), ["sip:bound@h", "sip:perhaps@h"]);
    assert_eq!(titles(&model, origin.at + 3601 * SECOND), ["sip:perhaps@h"]);
    model.remove(bound, origin.at + SECOND);
    assert_eq!(titles(&model, origin.at + SECOND), ["sip:bound@h", "sip:perhaps@h"]);
    assert_eq!(titles(&model, origin.at + 3601 * SECOND), ["sip:perhaps@h"]);
}

#[test]
fn the_selection_moves_within_the_list_and_stays_on_the_screen() {
    let mut model = many(25);
    for (key, title, window) in [
        (Press::Up, "sip:user0@example.test", 0..10),
        (Press::Down, "sip:user1@example.test", 0..10),
        (Press::PageDown, "sip:user11@example.test", 2..12),
        (Press::Character('j'), "sip:user12@example.test", 3..13),
        (Press::End, "sip:user24@example.test", 15..25),
        (Press::Down, "sip:user24@example.test", 15..25),
        (Press::PageUp, "sip:user14@example.test", 14..24),
        (Press::Character('k'), "sip:user13@example.test", 13..23),
        (Press::Home, "sip:user0@example.test", 0..10),
    ] {
        assert_eq!(press(&mut model, &[key]), Wish::Look);
        assert_eq!((selected(&model), model.window(25)), (title.to_owned(), window), "{key:?}");
    }
    model.fit(30);
    assert_eq!(model.window(25), 0..25);
}

#[test]
fn the_selection_is_an_account_and_not_a_place() {
    let mut model = many(5);
    press(&mut model, &[Press::End]);
    let ids: Vec<Id> = model.rows().map(|(id, _)| id).collect();
    model.arrange(vec![ids[4], ids[1]]);
    assert_eq!(
        (selected(&model), model.selected_place(&model.shown())),
        ("sip:user4@example.test".to_owned(), Some(0))
    );
    let order: Vec<Id> = model.rows().map(|(id, _)| id).collect();
    assert_eq!(order, [ids[4], ids[1], ids[0], ids[2], ids[3]]);
    // Whoever looks at an account that goes is back in the list.
    press(&mut model, &[Press::Enter]);
    assert!(matches!(model.view.mode, Mode::Detail { .. }));
    model.remove(ids[4], origin().at);
    assert_eq!(
        (model.view.mode, selected(&model)),
        (Mode::List, "sip:user1@example.test".to_owned())
    );
}

#[test]
fn filters_work_together_and_escape_takes_them_off() {
    let origin = origin();
    let mut model = many(3);
    took_part(&mut model, entry(9, "sip:lift@example.test"), origin, &["403 No"], SECOND);
    let count = |model: &Model| model.shown().len();
    typed(&mut model, "/FORBIDDEN");
    assert_eq!((count(&model), model.view.mode), (1, Mode::Filter));
    press(&mut model, &[Press::Enter]);
    typed(&mut model, "f");
    assert_eq!(count(&model), 1);
    typed(&mut model, "/x");
    assert_eq!(count(&model), 0);
    press(&mut model, &[Press::Backspace, Press::Escape]);
    assert_eq!((count(&model), model.view.only_failing), (1, true));
    press(&mut model, &[Press::Escape]);
    assert_eq!(count(&model), 4);
    typed(&mut model, "/user1");
    assert_eq!(selected(&model), "sip:user1@example.test");
}

#[test]
fn an_account_that_recovers_stays_on_the_screen_of_who_looks_at_it() {
    let origin = origin();
    let mut model = samples::model(10);
    took_part(&mut model, entry(1, "sip:other@h"), origin, &["403 No"], SECOND);
    let id = took_part(&mut model, entry(2, "sip:mine@h"), origin, &["403 No"], SECOND);
    model.fit(10);
    press(&mut model, &[Press::Character('f'), Press::Down, Press::Enter]);
    let (_, status, now) = registered(&entry(2, "sip:mine@h"), origin.at, &[OK]);
    model.stands(id, &status, at(now));
    assert_eq!((selected(&model), model.shown().len()), ("sip:mine@h".to_owned(), 1));
    press(&mut model, &[Press::Escape]);
    assert_eq!(selected(&model), "sip:other@h");
}

#[test]
fn keys_wish_for_tries_and_for_the_end() {
    let origin = origin();
    let mut model = samples::model(10);
    let refused = with_password(&entry(1, "sip:refused@h"));
    let refused = took_part(&mut model, refused, origin, &[CHALLENGE, CHALLENGE], SECOND);
    let failing = took_part(&mut model, entry(2, "sip:failing@h"), origin, &["503 No"], SECOND);
    took_part(&mut model, entry(3, "sip:fine@h"), origin, &[OK], SECOND);
    model.fit(10);
    assert_eq!(press(&mut model, &[Press::Character('r')]), Wish::Try(vec![refused]));
    // All that fail, but not those whose credentials were refused.
    assert_eq!(press(&mut model, &[Press::Character('R')]), Wish::Try(vec![failing]));
    assert_eq!(
        press(&mut model, &[Press::Down, Press::Enter, Press::Character('r')]),
        Wish::Try(vec![failing])
    );
    assert_eq!(press(&mut model, &[Press::Character('q')]), Wish::Leave);
    for mode in [Mode::List, Mode::Filter, Mode::Help, Mode::Detail { scrolled: 0 }] {
        model.view.mode = mode;
        assert_eq!(press(&mut model, &[Press::Interrupt]), Wish::Interrupt);
    }
    // While a filter is written, letters are letters.
    model.view.mode = Mode::Filter;
    assert_eq!(press(&mut model, &[Press::Character('q')]), Wish::Look);
}

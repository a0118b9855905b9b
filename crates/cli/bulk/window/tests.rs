//! Rows of several registrars, one row after the other.

use sip_registration::{Account, ContactPlan};

use super::*;

const LIMITS: Limits = Limits {
    at_one: 2,
    in_all: 100,
    waiting: 6,
    wrong_passwords: 2,
};

fn row(number: u64, registrar: &str) -> Row {
    let registrar = format!("sip:{registrar}").parse().unwrap();
    let account = Account {
        aor: "sip:alice@example.test".parse().unwrap(),
        registrar,
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: None,
        challenges: None,
        contact: ContactPlan::Automatic { user: "alice".into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: 300,
        user_agent: "x".into(),
    };
    Row {
        number,
        line: number + 1,
        name: None,
        account,
    }
}

/// A window with these registrars' rows, numbered from 1.
fn window(limits: Limits, registrars: &str) -> Window {
    let mut window = Window::new(limits);
    for (registrar, number) in registrars.chars().zip(1..) {
        assert!(window.take_in(row(number, &registrar.to_string())).is_none());
    }
    window
}

fn started(window: &mut Window) -> Vec<u64> {
    std::iter::from_fn(|| window.next()).map(|(_, row)| row.number).collect()
}

fn hop(name: &str) -> Arc<str> {
    Arc::from(format!("sip:{name}"))
}

#[test]
fn each_registrar_has_a_window_of_its_own_and_they_take_turns() {
    let mut window = window(LIMITS, "aaabb");
    assert_eq!(started(&mut window), [1, 4, 2, 5]);
    window.done(&hop("b"), false);
    assert!(started(&mut window).is_empty());
    window.done(&hop("a"), false);
    assert_eq!(started(&mut window), [3]);
    assert!(!window.is_empty());
}

#[test]
fn what_can_start_is_known_before_it_does() {
    let mut window = window(Limits { in_all: 3, ..LIMITS }, "aaabbc");
    assert_eq!((window.room(), window.worth_starting()), (3, 1), "one at each");
    let (first, _) = window.next().unwrap();
    assert_eq!(window.room(), 2, "no more in all");
    assert_eq!(started(&mut window).len(), 2);
    assert_eq!(window.room(), 0);
    window.done(&first, false);
    assert_eq!(window.room(), 1);
    let one = tests::window(LIMITS, "aaa");
    assert_eq!(one.room(), 2, "as many as may be under way at one");
}

#[test]
fn it_reads_on_for_others_while_one_is_full_but_not_without_end() {
    let mut window = window(LIMITS, "aaaa");
    assert!(!window.wants_rows(), "rows can start");
    assert_eq!(started(&mut window), [1, 2]);
    assert!(window.wants_rows());
    assert!(window.take_in(row(5, "b")).is_none());
    assert!(!window.wants_rows() && window.has_next());
    assert_eq!(started(&mut window), [5]);
    for number in 6..10 {
        assert!(window.wants_rows());
        assert!(window.take_in(row(number, "a")).is_none());
    }
    assert!(!window.wants_rows());
}

#[test]
fn the_whole_has_a_bound_too() {
    let mut window = window(Limits { in_all: 3, ..LIMITS }, "aabbcc");
    assert_eq!(started(&mut window).len(), 3);
    assert!(!window.has_next());
    window.done(&hop("a"), false);
    assert_eq!(started(&mut window).len(), 1);
}

#[test]
fn after_wrong_passwords_a_registrar_waits_for_an_answer_and_others_do_not() {
    let mut window = window(LIMITS, "aaab");
    assert_eq!(started(&mut window), [1, 4, 2]);
    assert!(!window.done(&hop("a"), true));
    assert!(window.done(&hop("a"), true), "somebody has to be asked");
    assert!(started(&mut window).is_empty());
    assert!(window.is_held("sip:a") && !window.is_held("sip:b"));
    assert!(window.answer(&hop("a"), Answer::GoOn).is_empty());
    assert_eq!(started(&mut window), [3]);
    assert!(!window.done(&hop("a"), true), "it counts anew");
    assert!(window.take_in(row(5, "a")).is_none());
    assert_eq!(started(&mut window), [5]);
    assert!(window.done(&hop("a"), true), "and asks anew");
    assert_eq!(window.wrong_passwords("sip:a"), 4, "and says how many it were in all");
}

#[test]
fn a_no_gives_back_what_waits_and_all_that_comes() {
    let mut window = window(LIMITS, "aaaaa");
    let (a, _) = window.next().unwrap();
    assert_eq!(started(&mut window), [2]);
    assert!(!window.done(&a, true));
    assert_eq!(started(&mut window), [3]);
    assert!(window.done(&a, true));
    assert!(window.take_in(row(6, "a")).is_none(), "it is not known yet");
    let held: Vec<u64> = window.answer(&a, Answer::Stop).iter().map(|row| row.number).collect();
    assert_eq!(held, [4, 5, 6]);
    assert_eq!(window.take_in(row(7, "a")).map(|row| row.number), Some(7));
    assert_eq!(window.wrong_passwords("sip:a"), 2);
    assert!(!window.is_empty() && !window.done(&a, false) && window.is_empty());
}

#[test]
fn a_row_that_did_not_start_comes_first_again_or_is_held_back_with_the_others() {
    let mut window = window(LIMITS, "aaa");
    let (a, first) = window.next().unwrap();
    assert!(window.give_back(&a, first).is_none());
    assert_eq!(started(&mut window), [1, 2]);
    window.done(&a, true);
    let (_, third) = window.next().unwrap();
    assert!(window.done(&a, true));
    window.answer(&a, Answer::Stop);
    assert_eq!(window.give_back(&a, third).map(|row| row.number), Some(3));
    assert!(window.is_empty());
}

#[test]
fn who_says_always_is_not_asked_again_and_with_zero_nobody_is() {
    for (limits, asks) in [
        (LIMITS, true),
        (
            Limits {
                wrong_passwords: 0,
                ..LIMITS
            },
            false,
        ),
    ] {
        let mut window = window(limits, "aaaab");
        let mut asked = 0;
        while let Some((a, _)) = window.next() {
            if window.done(&a, true) {
                asked += 1;
                window.answer(&a, Answer::Always);
            }
        }
        assert_eq!(asked, u32::from(asks));
        assert!(window.is_empty());
    }
}

#[test]
fn a_registrar_of_which_nothing_is_known_any_more_is_forgotten() {
    let mut window = window(LIMITS, "abc");
    while let Some((hop, _)) = window.next() {
        window.done(&hop, *hop == *"sip:b");
    }
    assert_eq!(window.registrars.len(), 1, "that of the wrong password");
}

#[test]
fn giving_up_gives_every_waiting_row_back_in_order() {
    let mut window = window(LIMITS, "abcabc");
    let (hop, _) = window.next().unwrap();
    let rows: Vec<u64> = window.give_up().iter().map(|row| row.number).collect();
    assert_eq!(rows, [2, 3, 4, 5, 6]);
    assert!(window.next().is_none() && !window.is_empty());
    window.done(&hop, false);
    assert!(window.is_empty());
}

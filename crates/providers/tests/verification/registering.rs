//! Checks that bind a Contact of their own: the six steps, what each leaves behind, and what the verdict gains.

use regprobe_providers::{Check, Mode, Outcome, Progress, Question, Reason, SelfTest, SelfTestOutcome, Service};
use sip_registrar::Config;
use sip_registration::Removal;

use crate::edge::{Edge, Habit};
use crate::lab::{Lab, REGISTERED, UNREGISTERED, expecting, faults, run, run_until};

const DEVICE: &str = "sip:device@192.0.2.7:5060";

fn registering(check: Check, allow_displacement: bool) -> Check {
    Check {
        mode: Mode::Register { allow_displacement },
        ..check
    }
}

fn questions(test: &SelfTest) -> Vec<Question> {
    test.exchanges.iter().map(|seen| seen.question).collect()
}

#[tokio::test]
async fn an_empty_account_is_bound_looked_at_and_left_as_it_was() {
    let mut lab = Lab::start(Config::default(), UNREGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), false)).await;
    let test = verification.self_test.unwrap();
    assert_eq!(test.outcome, SelfTestOutcome::Harmless, "{}", test.detail);
    assert_eq!(
        questions(&test),
        [
            Question::Fetch,
            Question::Register,
            Question::Fetch,
            Question::Unregister,
            Question::Fetch
        ]
    );
    let contact = test.contact.unwrap();
    let user = contact.strip_prefix("sip:regprobe-").unwrap().split('@').next().unwrap().to_owned();
    assert!(user.len() == 16 && user.bytes().all(|byte| byte.is_ascii_hexdigit()), "{contact}");
    assert_eq!(
        (test.removal, test.lists_bindings, test.after),
        (Removal::Confirmed, Some(true), Some(vec![]))
    );
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);
    let sent = lab.asked();
    assert!(sent.iter().all(|asked| asked.starts_with("REGISTER")), "{sent:?}");
    assert_eq!(lab.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_bound_where_somebody_else_is() {
    let mut lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind(DEVICE).await;
    lab.asked();
    let (verification, told) = run(&registering(lab.check(), false)).await;
    let test = verification.self_test.unwrap();
    assert_eq!((test.outcome, test.removal), (SelfTestOutcome::Declined, Removal::NotAttempted));
    assert_eq!(
        test.detail,
        format!("not bound, because {DEVICE} is bound already; `--allow-displacement` goes on anyway")
    );
    assert_eq!(questions(&test), [Question::Fetch]);
    assert!(test.detail.contains(DEVICE) && test.contact.is_none(), "{}", test.detail);
    assert!(!told.contains(&Progress::Binding));
    assert_eq!(lab.stop().await, [DEVICE]);
}

#[tokio::test]
async fn with_leave_a_second_contact_is_bound_beside_the_first_and_removed_again() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind(DEVICE).await;
    let (verification, told) = run(&registering(lab.check(), true)).await;
    let test = verification.self_test.unwrap();
    assert_eq!(test.outcome, SelfTestOutcome::Harmless, "{}", test.detail);
    let before: Vec<_> = test.before.iter().map(|binding| &*binding.contact).collect();
    let during: Vec<_> = test.during.iter().map(|binding| &*binding.contact).collect();
    assert_eq!((before, during), (vec![DEVICE], vec![DEVICE]));
    assert!(test.displaced.is_empty() && test.lost.is_empty());
    let binding = told.iter().position(|step| *step == Progress::Binding).unwrap();
    assert!(
        told.iter().rposition(|step| matches!(step, Progress::Asking(_))).unwrap() < binding,
        "{told:?}"
    );
    assert_eq!(lab.stop().await, [DEVICE]);
}

#[tokio::test]
async fn a_registrar_with_room_for_one_refuses_ours_and_the_first_stays() {
    let one = Config {
        max_contacts: 1,
        ..Config::default()
    };
    let lab = Lab::start(one, REGISTERED).await;
    lab.bind(DEVICE).await;
    let (verification, _) = run(&registering(lab.check(), true)).await;
    let test = verification.self_test.unwrap();
    assert_eq!((test.outcome, test.removal), (SelfTestOutcome::NotBound, Removal::NotAttempted));
    assert!(test.detail.contains("503") && test.lost.is_empty(), "{}", test.detail);
    assert_eq!(lab.stop().await, [DEVICE]);
}

#[tokio::test]
async fn a_registrar_that_throws_the_first_out_is_told_at_once_and_in_the_end() {
    let lab = Lab::start(Config::default(), REGISTERED).await;
    lab.bind(DEVICE).await;
    let edge = Edge::before(lab.registrar, Habit::OneContact).await;
    let (verification, told) = run(&registering(expecting(lab.check_at(edge.address), "device"), true)).await;
    let test = verification.self_test.unwrap();
    assert_eq!(test.outcome, SelfTestOutcome::Displaced, "{}", test.detail);
    let lost: Vec<_> = test.lost.iter().map(|binding| &*binding.contact).collect();
    assert_eq!((lost, test.displaced.len(), test.removal), (vec![DEVICE], 1, Removal::Confirmed));
    assert_eq!(verification.verdict.service, Service::Down);
    let at = |wanted: &Progress| told.iter().position(|step| step == wanted).unwrap();
    assert!(at(&Progress::Displaced(vec![DEVICE.to_owned()])) < at(&Progress::Removing));
    // What our own doing shows is not held against the claim.
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);
    assert_eq!(lab.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_registrar_that_hides_what_is_bound_is_found_out() {
    let hides = Config {
        server: "OpenSIPS (3.4.0)".to_owned(),
        ..faults(&["no-contact;after=4;times=1"])
    };
    let lab = Lab::start(hides, REGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), false)).await;
    let test = verification.self_test.as_ref().unwrap();
    assert_eq!(test.lists_bindings, Some(false), "{:?}", test.exchanges);
    // Who was hidden before and is hidden now may be gone.
    assert_eq!(test.outcome, SelfTestOutcome::Unseen, "{}", test.detail);
    let advice = verification.verdict.advice.as_deref().unwrap();
    assert!(!advice.contains("--mode register"), "it was tried already: {advice}");
    assert_eq!(
        verification.verdict.reason,
        Reason::RegistrarMayHideBindings,
        "{}",
        verification.verdict.detail
    );
}

#[tokio::test]
async fn a_registrar_that_lists_nothing_at_all_is_not_tried_again() {
    let hides = Config {
        server: "OpenSIPS (3.4.0)".to_owned(),
        ..faults(&["no-contact"])
    };
    let lab = Lab::start(hides, REGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), false)).await;
    let test = verification.self_test.as_ref().unwrap();
    assert_eq!(
        (test.outcome, test.lists_bindings),
        (SelfTestOutcome::NotBound, None),
        "{}",
        test.detail
    );
    assert_eq!(verification.verdict.reason, Reason::RegistrarMayHideBindings);
    let advice = verification.verdict.advice.unwrap();
    assert!(
        advice.starts_with("A Contact of the probe's own was not seen to be bound") && !advice.contains("--mode register"),
        "{advice}"
    );
}

#[tokio::test]
async fn a_registrar_that_lists_our_own_contact_proves_that_an_empty_list_is_empty() {
    let unknown = Config {
        server: "OpenSIPS (3.4.0)".to_owned(),
        ..Config::default()
    };
    let lab = Lab::start(unknown, REGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), false)).await;
    assert_eq!(verification.self_test.unwrap().lists_bindings, Some(true));
    assert_eq!(verification.verdict.reason, Reason::FalsePositiveUnbound);
    assert_eq!(verification.looks, 2);
}

#[tokio::test]
async fn a_check_that_is_stopped_at_any_step_leaves_nothing_bound() {
    let lab = Lab::start(Config::default(), UNREGISTERED).await;
    let (_, steps) = run(&registering(lab.check(), false)).await;
    assert!(
        steps.contains(&Progress::Binding) && steps.contains(&Progress::Removing),
        "{steps:?}"
    );
    assert_eq!(lab.stop().await, Vec::<String>::new());
    let binding = steps.iter().position(|step| *step == Progress::Binding).unwrap();
    for count in binding..=steps.len() {
        let lab = Lab::start(Config::default(), UNREGISTERED).await;
        let (verification, told) = run_until(&registering(lab.check(), false), |told| told.len() == count).await;
        assert!(verification.interrupted, "after {told:?}");
        assert_eq!(lab.stop().await, Vec::<String>::new(), "after {told:?}");
    }
}

#[tokio::test]
async fn a_removal_that_fails_is_said_with_the_time_that_it_takes_to_lapse() {
    let stubborn = faults(&["status=500;method=REGISTER;credentials=yes;after=5;times=1"]);
    let lab = Lab::start(stubborn, UNREGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), false)).await;
    let test = verification.self_test.unwrap();
    assert_eq!(test.removal, Removal::Unconfirmed, "{:?}", test.exchanges);
    assert!(
        test.detail.ends_with("may be left, and lapses by itself within 60 s"),
        "{}",
        test.detail
    );
    let left: Vec<_> = test.after.unwrap().into_iter().map(|binding| binding.contact).collect();
    assert_eq!(left, lab.stop().await);
    assert_eq!(test.contact, left.first().cloned());
    // What is left of ours is nobody else's.
    assert_eq!(verification.verdict.outcome, Outcome::Agree, "{}", verification.verdict.detail);
}

#[tokio::test]
async fn an_open_registrar_is_not_registered_at() {
    let open = Config {
        open: true,
        ..Config::default()
    };
    let mut lab = Lab::start(open, UNREGISTERED).await;
    let (verification, _) = run(&registering(lab.check(), true)).await;
    assert!(verification.self_test.is_none());
    assert_eq!(lab.asked(), ["REGISTER 200"]);
}

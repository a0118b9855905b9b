//! Properties over arbitrary evidence: sensible series, and what no world would show.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::grid::open;
use super::*;
use crate::{About, ApiTrouble, ClaimedResponse, ContactPattern, Held, Level, Said, Service, Standing, Unknown};

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        6 => Just(Word::Registered),
        2 => Just(Word::Registering),
        1 => Just(Word::Authenticating),
        1 => Just(Word::Unregistering),
        3 => Just(Word::NotRegistered),
        1 => Just(Word::Disabled),
        1 => Just(Word::Lapsed),
        2 => Just(Word::WrongCredentials),
        2 => Just(Word::Timeout),
        1 => Just(Word::InternalError),
        1 => Just(Word::Failed),
        1 => option::of(400_u16..700).prop_map(|code| Word::RegistrarError { code }),
        1 => Just(Word::NotFound),
        1 => Just(Word::Unknown(Unknown::SaysSo)),
        1 => (0..ApiTrouble::ALL.len()).prop_map(|at| Word::Unavailable(ApiTrouble::ALL[at])),
    ]
}

fn bindings() -> impl Strategy<Value = Vec<(&'static str, u32)>> {
    let contact = prop_oneof![4 => Just(GATEWAY), 1 => Just(PHONE), 1 => Just(PROBE), 1 => Just("no uri"), 1 => Just("sip:alice@10.0.0.1")];
    vec((contact, prop_oneof![4 => 0_u32..700, 1 => any::<u32>()]), 0..3)
}

fn sight() -> impl Strategy<Value = Sight> {
    prop_oneof![
        8 => bindings().prop_map(|listed| bound(&listed)),
        1 => bindings().prop_map(|listed| open(&listed)),
        1 => Just(Sight::Challenged { code: 401 }),
        1 => Just(Sight::Refused { code: 407 }),
        2 => (300_u16..700, any::<bool>()).prop_map(|(code, authenticated)| rejected(code, authenticated)),
        1 => (500_u16..600).prop_map(sick),
        1 => Just(silent()),
        1 => Just(Sight::Alive { code: 200 }),
        1 => (option::of(200_u16..700), any::<bool>()).prop_map(|(code, at_our_contact)| Sight::Reached { code, at_our_contact }),
        1 => option::of(200_u16..700).prop_map(|code| Sight::NotReached { code, detail: String::new() }),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        8 => Just(Question::Fetch),
        1 => Just(Question::Register),
        1 => Just(Question::Unregister),
        1 => Just(Question::Ping),
        1 => Just(Question::Inbound),
    ]
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        8 => (-8000_i64..8000).prop_map(at),
        1 => Just(Moment::BEGINNING),
        1 => Just(Moment::END),
    ]
}

fn time() -> impl Strategy<Value = Option<ClaimedTime>> {
    option::of((moment(), prop::bool::weighted(0.8)).prop_map(|(at, zone_known)| ClaimedTime { at, zone_known }))
}

/// What an answer holds beside its word.
fn fields() -> impl Strategy<Value = Answer> {
    let times = (option::weighted(0.3, moment()), time(), time(), time(), time());
    let named = option::of(prop_oneof![
        Just(contact(Some("gw-7"), "192.0.2.7", Some(5080))),
        Just(contact(Some("alice"), "192.0.2.7", None)),
        Just(contact(None, "edge.example.test", None)),
        Just(Some(ClaimedContact::default())),
    ]);
    let response = option::of((100_u16..700).prop_map(|code| ClaimedResponse {
        code,
        reason: "Reason".into(),
    }));
    let rest = (
        option::of(prop_oneof![0_u32..4000, any::<u32>()]),
        option::of(prop_oneof![Just("alice"), Just("bob")]),
    );
    (times, named, response, rest).prop_map(
        |((date, expires, next, refreshed, updated), named, response, (lifetime, user))| Answer {
            server_date: date,
            expires_at: expires,
            next_action_at: next,
            refreshed_at: refreshed,
            updated_at: updated,
            contact: named.flatten(),
            response,
            lifetime_s: lifetime,
            username: user.map(str::to_owned),
            said: said(),
            ..Answer::blank(SourceKind::Telzino, at(0), at(0))
        },
    )
}

/// A field of every kind.
fn said() -> Vec<Said> {
    use About::{Contact, Enabled, Expiry, Identity, Lifetime, NextAction, Other, Refresh, Response, State, Transport, Update, Username};
    let kinds = [
        State, Response, Expiry, NextAction, Refresh, Update, Lifetime, Contact, Username, Transport, Enabled, Identity, Other,
    ];
    kinds
        .map(|about| Said {
            field: "field".into(),
            value: "value".into(),
            about,
        })
        .to_vec()
}

fn source() -> impl Strategy<Value = SourceKind> {
    (0..SourceKind::ALL.len()).prop_map(|at| SourceKind::ALL[at])
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let listing = prop_oneof![Just(Listing::Lists), Just(Listing::Hides), Just(Listing::Unknown)];
    let grace = prop_oneof![4 => Just(Duration::from_secs(32)), 1 => Just(Duration::ZERO), 1 => Just(Duration::MAX)];
    let previous = option::of((0..Reason::ALL.len(), moment()).prop_map(|(at, seen_at)| Standing {
        reason: Reason::ALL[at],
        seen_at,
    }));
    let marked = prop::bool::weighted(0.6);
    (listing, grace.clone(), grace, previous, any::<bool>(), marked).prop_map(
        |(listing, grace, skew_limit, previous, same_secret, marked)| {
            let hosts = if marked {
                vec![HostPattern::Address("192.0.2.7".parse().unwrap(), None)]
            } else {
                Vec::new()
            };
            Expectation {
                user: Some("alice".into()),
                registered_users: Vec::new(),
                contact: ContactPattern {
                    hosts,
                    ..ContactPattern::default()
                },
                listing,
                same_secret,
                grace,
                skew_limit,
                previous,
            }
        },
    )
}

/// A step of a series: how long to wait, and what happens then.
#[derive(Debug, Clone)]
enum Step {
    Sandwich(Sight, Word, Box<Answer>),
    Look(Question, Sight),
    Elsewhere(Sight),
    Other(SourceKind, Word),
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let wait = prop_oneof![Just(0_u64), Just(1), Just(31), Just(40), Just(70), Just(4000)];
    let what = prop_oneof![
        6 => (sight(), word(), fields()).prop_map(|(sight, word, fields)| Step::Sandwich(sight, word, Box::new(fields))),
        2 => (question(), sight()).prop_map(|(question, sight)| Step::Look(question, sight)),
        1 => sight().prop_map(Step::Elsewhere),
        1 => (source(), word()).prop_map(|(source, word)| Step::Other(source, word)),
    ];
    (wait, what)
}

/// A series as a check makes it.
fn series() -> impl Strategy<Value = Scene> {
    (source(), expectation(), vec(step(), 0..6), any::<bool>()).prop_map(|(source, expectation, steps, own)| {
        let mut scene = Scene::of(source);
        scene.expectation = expectation;
        for (wait, step) in steps {
            scene = scene.after(wait);
            scene = match step {
                Step::Sandwich(sight, word, fields) => {
                    let told = scene.fetches(sight.clone());
                    told.says_with(word, |answer| fill(answer, *fields)).fetches(sight)
                }
                Step::Look(question, sight) => scene.sees(question, sight),
                Step::Elsewhere(sight) => {
                    let mut scene = scene.fetches(sight);
                    scene.observations.last_mut().unwrap().vantage = Some("elsewhere".into());
                    scene
                }
                Step::Other(source, word) => scene.other_says(source, word, |_| {}),
            };
        }
        if own {
            scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
        }
        scene
    })
}

fn fill(answer: &mut Answer, fields: Answer) {
    let (source, asked_at, answered_at, word) = (answer.source, answer.asked_at, answer.answered_at, answer.word.clone());
    *answer = Answer {
        source,
        asked_at,
        answered_at,
        word,
        ..fields
    };
}

/// The same with its times in any disorder, to the ends of time.
fn disorder() -> impl Strategy<Value = Scene> {
    (series(), vec((moment(), moment()), 0..24)).prop_map(|(mut scene, times)| {
        let mut times = times.into_iter();
        for seen in &mut scene.observations {
            (seen.started_at, seen.ended_at) = times.next().unwrap_or((seen.started_at, seen.ended_at));
        }
        for answer in &mut scene.claim.answers {
            (answer.asked_at, answer.answered_at) = times.next().unwrap_or((answer.asked_at, answer.answered_at));
        }
        scene
    })
}

const fn is_disagreement(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Disagree | Outcome::Stale)
}

/// What holds of every verdict.
fn holds_together(scene: &Scene) -> Result<(), TestCaseError> {
    let verdict = scene.verdict();
    prop_assert_eq!(verdict.outcome, verdict.reason.outcome());
    prop_assert_eq!(&verdict, &scene.verdict(), "equal evidence, equal verdict");
    prop_assert!(verdict.notes.iter().all(|note| note.reason != verdict.reason));
    prop_assert!(serde_json::to_string(&verdict).is_ok());

    let needed = match verdict.reason {
        Reason::Registered | Reason::RefreshInProgress | Reason::ExpiryMismatch | Reason::PayloadUnchanged | Reason::OrphanBinding => {
            Level::E3
        }
        Reason::FalseNegativeBound => Level::E4,
        Reason::Displaced => Level::E2,
        _ => Level::None,
    };
    prop_assert!(
        verdict.evidence >= needed,
        "{} by {:?} alone",
        verdict.reason.name(),
        verdict.evidence
    );
    prop_assert!(
        verdict.service != Service::Up || verdict.evidence >= Level::E3,
        "up by {:?} alone",
        verdict.evidence
    );

    let answers: Vec<_> = scene.claim.own().collect();
    prop_assert!(
        verdict.outcome != Outcome::Disagree || answers.len() > 1,
        "one look is no disagreement"
    );
    let says_up = answers
        .iter()
        .max_by_key(|answer| (answer.asked_at, answer.answered_at))
        .is_some_and(|last| last.word == Word::Registered);
    for line in verdict.lines.iter().filter(|line| line.standing == Held::Confirmed) {
        let needed = match line.about {
            About::State if says_up => Level::E3,
            About::Expiry | About::Refresh | About::Lifetime => Level::E2,
            About::Contact => Level::E1,
            About::Username => Level::E1,
            _ => Level::None,
        };
        prop_assert!(verdict.evidence >= needed, "{line:?} by {:?} alone", verdict.evidence);
    }

    if let Some(contradiction) = verdict.contradiction {
        prop_assert_eq!(verdict.outcome, Outcome::Inconclusive);
        prop_assert!(contradiction.reason.outcome() != Outcome::Agree);
        prop_assert!(contradiction.counts_from >= contradiction.since);
    }
    prop_assert!(verdict.standing.is_none_or(|standing| is_disagreement(standing.reason.outcome())));
    let before = scene
        .expectation
        .previous
        .filter(|previous| is_disagreement(previous.reason.outcome()));
    if is_disagreement(verdict.outcome) {
        prop_assert_eq!(verdict.standing, None);
    } else if verdict.outcome == Outcome::Inconclusive && answers.len() <= 1 {
        prop_assert_eq!(verdict.standing, before, "one look takes nothing back");
    }
    Ok(())
}

/// Whatever was found, an answer that says nothing takes nothing back.
fn keeps_what_was_found(scene: Scene) -> Result<(), TestCaseError> {
    let before = scene.verdict();
    let mut scene = scene;
    let source = scene.claim.source;
    scene.claim.answers.push(Answer {
        word: Word::Unavailable(ApiTrouble::Timeout),
        ..Answer::blank(source, Moment::END, Moment::END)
    });
    let after = scene.verdict();
    prop_assert_eq!(after.reason, Reason::ApiUnreachable);
    let found = if is_disagreement(before.outcome) {
        Some(before.reason)
    } else {
        before.standing.map(|standing| standing.reason)
    };
    prop_assert_eq!(after.standing.map(|standing| standing.reason), found);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn a_verdict_holds_together(scene in series()) {
        holds_together(&scene)?;
    }

    #[test]
    fn a_verdict_on_a_world_out_of_joint_holds_together(scene in disorder()) {
        holds_together(&scene)?;
    }

    #[test]
    fn nothing_that_was_found_is_hidden_by_what_cannot_be_said(scene in series()) {
        keeps_what_was_found(scene)?;
    }
}

#[test]
fn the_series_that_are_tried_come_to_many_reasons() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let drawn = (0..3000).map(|_| series().new_tree(&mut runner).unwrap().current().verdict().reason);
    let met: std::collections::BTreeSet<_> = drawn.collect();
    assert!(met.len() >= 30, "{met:?}");
}

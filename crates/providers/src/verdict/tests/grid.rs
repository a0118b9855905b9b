//! Every cell of the matrix, through the whole verdict: two sandwiches with more than any grace in between, in both roles.

use super::*;
use crate::verdict::column::Column;
use crate::verdict::matrix::{Circumstances, cell};
use crate::verdict::row::Row;
use crate::{ApiTrouble, ContactPattern, Role, Unknown};

/// What the probe meets in each column, in this order.
const COLUMNS: [&str; 17] = [
    "bound",
    "others",
    "unbound",
    "hidden",
    "refused",
    "404",
    "503",
    "silence",
    "unusable",
    "403 unasked",
    "silence, alive",
    "405",
    "no secret",
    "unmatchable",
    "moved",
    "open",
    "one look",
];

/// The rows: what the provider says, and the reasons in the order of the columns. The last five columns say the same to every row.
const GRID: &str = "
registered: registered displaced false_positive_unbound registrar_may_hide_bindings
    credentials_rejected_while_registered registrar_rejects registrar_sick probe_unreachable probe_unreachable
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

registering authenticating: orphan_binding api_in_progress stuck_in_progress registrar_may_hide_bindings
    api_in_progress api_in_progress api_in_progress api_in_progress api_in_progress
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

unregistering: api_in_progress down down api_in_progress
    api_in_progress api_in_progress api_in_progress api_in_progress api_in_progress
    api_in_progress api_in_progress fetch_not_supported

wrong_credentials: orphan_binding down reason_mismatch reason_mismatch
    reason_matches reason_mismatch registrar_sick probe_unreachable probe_unreachable
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

timeout: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_mismatch reason_matches reason_matches probe_unreachable
    probe_vantage_blocked reason_matches fetch_not_supported

internal_error: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_mismatch registrar_sick reason_matches reason_matches
    probe_vantage_blocked reason_matches fetch_not_supported

404: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_matches registrar_sick probe_unreachable probe_unreachable
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

403: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_mismatch registrar_sick probe_unreachable probe_unreachable
    reason_matches probe_vantage_blocked fetch_not_supported

500: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_mismatch reason_matches probe_unreachable probe_unreachable
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

refused: orphan_binding down reason_mismatch reason_mismatch
    reason_mismatch reason_matches reason_matches probe_unreachable probe_unreachable
    probe_vantage_blocked probe_vantage_blocked fetch_not_supported

failed not_registered disabled lapsed: orphan_binding down down down
    down down down down down
    down down fetch_not_supported
";
const EVERY_ROW: &str = "probe_no_credentials contact_unmatchable refresh_race registrar_open probe_unreachable";

/// The words of each row with its reasons.
fn grid() -> Vec<(Vec<Word>, Vec<Reason>)> {
    let row = |row: &str| {
        let (words, reasons) = row.split_once(':').expect("a row has a colon");
        let reasons = reasons.split_whitespace().chain(EVERY_ROW.split_whitespace());
        let reasons: Vec<_> = reasons.map(|name| Reason::find(name).expect(name)).collect();
        assert_eq!(reasons.len(), COLUMNS.len(), "{words}");
        (words.split_whitespace().map(word).collect(), reasons)
    };
    GRID.trim().split("\n\n").map(row).collect()
}

fn word(name: &str) -> Word {
    match name {
        "registered" => Word::Registered,
        "registering" => Word::Registering,
        "authenticating" => Word::Authenticating,
        "unregistering" => Word::Unregistering,
        "wrong_credentials" => Word::WrongCredentials,
        "timeout" => Word::Timeout,
        "internal_error" => Word::InternalError,
        "failed" => Word::Failed,
        "not_registered" => Word::NotRegistered,
        "disabled" => Word::Disabled,
        "lapsed" => Word::Lapsed,
        "refused" => Word::RegistrarError { code: None },
        code => Word::RegistrarError {
            code: Some(code.parse().expect("a status code")),
        },
    }
}

/// A sandwich of this column, as the scene has it at its time.
fn sandwich(scene: Scene, column: &str, word: &Word) -> Scene {
    // What is bound is never refreshed here: it ends at 900 in every look.
    let list =
        |contact: &'static str| move |scene: &Scene| bound(&[(contact, u32::try_from(899 - scene.now.since(at(0)).as_secs()).unwrap())]);
    let (gateway, phone) = (list(GATEWAY), list(PHONE));
    let around = |scene: Scene, sight: &dyn Fn(&Scene) -> Sight| {
        let before = sight(&scene);
        let scene = scene.fetches(before).says(word.clone());
        let after = sight(&scene);
        scene.fetches(after)
    };
    match column {
        "bound" => around(scene, &gateway),
        "others" => around(scene, &phone),
        "unbound" | "hidden" => around(scene, &|_| bound(&[])),
        "refused" | "no secret" => around(scene, &|_| Sight::Refused { code: 401 }),
        "404" => around(scene, &|_| rejected(404, false)),
        "503" => around(scene, &|_| sick(503)),
        "silence" => around(scene, &|_| silent()),
        "unusable" => around(scene, &|_| unusable()),
        "403 unasked" => around(scene, &|_| rejected(403, false)),
        "silence, alive" => around(scene.sees(Question::Ping, Sight::Alive { code: 200 }), &|_| silent()),
        "405" => around(scene, &|_| rejected(405, true)),
        "unmatchable" => {
            let mut scene = around(scene, &phone);
            let last = scene.claim.answers.last_mut().unwrap();
            last.contact = contact(None, "10.9.9.9", None);
            scene
        }
        "moved" => {
            let before = gateway(&scene);
            scene.fetches(before).says(word.clone()).fetches(bound(&[]))
        }
        "open" => scene.fetches(open(&[])).says(word.clone()),
        "one look" => scene.fetches(bound(&[])).says(word.clone()),
        _ => panic!("no column {column}"),
    }
}

pub(super) fn open(contacts: &[(&str, u32)]) -> Sight {
    let Sight::Bindings { bindings, .. } = bound(contacts) else {
        panic!("bound lists bindings")
    };
    Sight::Bindings {
        bindings,
        challenged: false,
    }
}

fn scene(role: Role, column: &str) -> Scene {
    let source = match role {
        Role::Client => SourceKind::TelnyxUac,
        Role::Registrar => SourceKind::TelnyxTelephonyCredential,
    };
    let mut scene = Scene::of(source);
    match column {
        "hidden" => scene.expectation.listing = Listing::Hides,
        "no secret" => scene.expectation.same_secret = false,
        "unmatchable" => scene.expectation.contact = ContactPattern::default(),
        _ => {}
    }
    scene
}

#[test]
fn every_cell_of_the_matrix_is_as_it_is_written() {
    for role in [Role::Client, Role::Registrar] {
        for (words, reasons) in grid() {
            for word in words {
                for (column, reason) in COLUMNS.into_iter().zip(reasons.iter().copied()) {
                    let once = sandwich(scene(role, column), column, &word);
                    let found = sandwich(once.after(70), column, &word).verdict();
                    assert_eq!(found.reason.name(), reason.name(), "{role:?}: {word:?} × {column}: {found:#?}");
                }
            }
        }
    }
}

#[test]
fn a_contradiction_is_inconclusive_in_one_sandwich_and_everything_else_is_the_same() {
    for (words, reasons) in grid() {
        for word in words {
            for (column, reason) in COLUMNS.into_iter().zip(reasons.iter().copied()) {
                let found = sandwich(scene(Role::Client, column), column, &word).verdict();
                let in_time = matches!(word, Word::Registering | Word::Authenticating) && column == "bound";
                if reason.outcome() == Outcome::Disagree || in_time {
                    assert_eq!(found.reason, Reason::WithinGrace, "{word:?} × {column}");
                    assert_eq!(found.contradiction.unwrap().reason, reason, "{word:?} × {column}");
                } else {
                    assert_eq!(found.reason, reason, "{word:?} × {column}");
                }
            }
        }
    }
}

#[test]
fn what_is_no_answer_says_nothing_whatever_is_seen() {
    let unknown = [
        Unknown::SaysSo,
        Unknown::NewValue {
            field: "a".into(),
            value: "b".into(),
        },
        Unknown::SelfContradiction {
            one: "a".into(),
            other: "b".into(),
        },
        Unknown::WrongObject {
            field: "a".into(),
            asked: "b".into(),
            answered: "c".into(),
        },
        Unknown::Contract { problem: "a".into() },
    ];
    let words = unknown
        .into_iter()
        .map(Word::Unknown)
        .chain(ApiTrouble::ALL.map(Word::Unavailable))
        .chain([Word::NotFound]);
    for word in words {
        let mut reasons = COLUMNS.map(|column| {
            sandwich(sandwich(scene(Role::Client, column), column, &word).after(70), column, &word)
                .verdict()
                .reason
        });
        assert_eq!(reasons[0].outcome(), Outcome::Inconclusive, "{word:?}");
        reasons.sort_unstable();
        assert_eq!(reasons.first(), reasons.last(), "{word:?}");
    }
}

#[test]
fn a_refusal_of_another_secret_proves_a_mismatch_of_nothing() {
    let mut scene = Scene::of(SourceKind::TelnyxUac).twice(bound(&[]), Word::WrongCredentials);
    scene.is(Reason::ReasonMismatch);
    scene.expectation.same_secret = false;
    scene.is(Reason::Down);
    // Nor does a registrar that asked for no secret.
    let open = Scene::of(SourceKind::TelnyxUac).twice(open(&[]), Word::WrongCredentials);
    open.is(Reason::Down);
}

#[test]
fn an_error_of_its_own_is_what_a_redirection_brings_about() {
    let scene = Scene::of(SourceKind::Opensips);
    scene
        .clone()
        .sandwich(rejected(302, true), Word::InternalError)
        .is(Reason::ReasonMatches);
    scene
        .clone()
        .sandwich(rejected(302, true), Word::Registered)
        .is(Reason::FetchNotSupported);
    scene
        .sandwich(rejected(302, true), Word::RegistrarError { code: Some(302) })
        .is(Reason::ReasonMatches);
}

/// Rows and columns by themselves, so that circumstances that no scene of the grid has are seen too.
pub(super) const ROWS: [Row; 12] = [
    Row::Registered,
    Row::InProgress,
    Row::Unregistering,
    Row::WrongCredentials,
    Row::Timeout,
    Row::InternalError,
    Row::RegistrarError(Some(403)),
    Row::RegistrarError(Some(404)),
    Row::RegistrarError(Some(503)),
    Row::RegistrarError(None),
    Row::Failed,
    Row::NotRegistered,
];

pub(super) const SEEN: [Column; 13] = [
    Column::Bound,
    Column::Others,
    Column::Unbound,
    Column::Hidden,
    Column::Refused(401),
    Column::Rejected(403),
    Column::Rejected(404),
    Column::Sick(503),
    Column::Silent,
    Column::Unusable,
    Column::Blocked(Some(403)),
    Column::Blocked(None),
    Column::NotSupported(405),
];

#[test]
fn a_binding_that_is_there_is_never_denied_without_its_refresh() {
    for row in ROWS {
        let reason = cell(row, Column::Bound, Circumstances::default()).reason;
        assert_ne!(reason.outcome(), Outcome::Disagree, "{row:?}");
        let refreshed = Circumstances {
            refreshed: true,
            stuck: true,
            ..Circumstances::default()
        };
        let expected = if row == Row::Registered {
            Outcome::Agree
        } else {
            Outcome::Disagree
        };
        assert_eq!(cell(row, Column::Bound, refreshed).reason.outcome(), expected, "{row:?}");
    }
}

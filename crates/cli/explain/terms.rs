//! What words beside states, causes and findings mean: verdicts, levels of evidence, why a row of `bulk` was not probed, exit statuses.
//! Text only.

use regprobe_providers::{Level, Outcome};
use sip_registration::Explanation;

use crate::bulk::line::Why;
use crate::exit;

/// A word that is explained here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    /// A verdict.
    Verdict(Outcome),
    /// A level of evidence that there is.
    Evidence(Level),
    /// Why a row of a list has no cause of a registration.
    Row(Why),
    /// An exit status that is no state's code.
    Status(u8),
}

impl Term {
    /// Every word: verdicts, then evidence from low to high, then what is said of rows, then statuses.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let levels = [Level::E0, Level::E1, Level::E2, Level::E3, Level::E4, Level::E5];
        let verdicts = Outcome::ALL.into_iter().map(Self::Verdict);
        let statuses = STATUSES.iter().map(|(status, _)| Self::Status(*status));
        let rows = Why::OWN.into_iter().map(Self::Row);
        verdicts.chain(levels.map(Self::Evidence)).chain(rows).chain(statuses)
    }

    /// Finds a word in any case.
    pub(crate) fn find(text: &str) -> Option<Self> {
        Self::all().find(|term| term.name().eq_ignore_ascii_case(text))
    }

    /// The word; a status is its number.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Verdict(outcome) => outcome.name().to_owned(),
            Self::Evidence(level) => format!("{level:?}"),
            Self::Row(why) => why.name().to_owned(),
            Self::Status(status) => status.to_string(),
        }
    }

    /// Its explanation; `None` for what is not one of [`Term::all`].
    pub(crate) fn explanation(self) -> Option<&'static Explanation> {
        match self {
            Self::Verdict(outcome) => Some(verdict(outcome)),
            Self::Evidence(level) => evidence(level),
            Self::Row(why) => row(why),
            Self::Status(status) => STATUSES
                .iter()
                .find(|(each, _)| *each == status)
                .map(|(_, explanation)| explanation),
        }
    }
}

/// What a verdict means.
const fn verdict(outcome: Outcome) -> &'static Explanation {
    match outcome {
        Outcome::Agree => &Explanation {
            meaning: "The provider's claim is true. That can be good news or bad: \"not registered\" can be true as well.",
            likely: &[
                "the line is registered, and the provider says so",
                "the line is down, and the provider says so",
            ],
            todo: "Read `service` in the report, or the word beside the verdict: it says whether the line is up.",
        },
        Outcome::Disagree => &Explanation {
            meaning: "The provider's claim is false, and was seen to be false twice with the grace in between.",
            likely: &[
                "the provider says registered, and nothing of it is bound",
                "the provider says down, and its binding is there and refreshed",
                "the provider and the registrar give different reasons for a failure",
            ],
            todo: "Look up the reason that stands beside the verdict, and follow its `next`.",
        },
        Outcome::Stale => &Explanation {
            meaning: "The provider's claim is false, and its own data show that they are older than they may be.",
            likely: &[
                "the provider's status is cached, or stored and not live",
                "what refreshes the registration at the provider has died",
            ],
            todo: "Go by what the registrar shows, and look up the reason that stands beside the verdict.",
        },
        Outcome::Inconclusive => &Explanation {
            meaning: "It cannot be said whether the claim is true: one side gave nothing to go by, or the world moved meanwhile.",
            likely: &[
                "the probe has no password, and the registrar asks for one",
                "nothing tells the provider's binding from others",
                "the API gave no usable answer",
            ],
            todo: "The reason says which side it was; look it up for what would settle it. It is neither an alarm nor an all-clear.",
        },
    }
}

/// What a level of evidence shows, and what it does not.
const fn evidence(level: Level) -> Option<&'static Explanation> {
    match level {
        Level::None => None,
        Level::E0 => Some(&Explanation {
            meaning: "Evidence E0: the registrar gave some SIP answer. It does not show that it would take the account.",
            likely: &[
                "the registrar refused the probe, or asked for a password that it has not",
                "the registrar asks nobody for credentials and lists nothing",
            ],
            todo: "Give the probe the account's password, and the evidence can rise.",
        }),
        Level::E1 => Some(&Explanation {
            meaning: "Evidence E1: the registrar asked for credentials and took the account's. It does not show that anybody is registered.",
            likely: &["nothing is bound to the account, or the registrar does not list it"],
            todo: "Look at the verdict: with this alone \"registered\" is never confirmed.",
        }),
        Level::E2 => Some(&Explanation {
            meaning: "Evidence E2: somebody is bound to the account. It does not show that it is the provider.",
            likely: &[
                "another device uses the account",
                "the provider's Contact cannot be told from others",
            ],
            todo: "Mark the provider's Contact with --expect-host, --expect-user or --expect-instance.",
        }),
        Level::E3 => Some(&Explanation {
            meaning: "Evidence E3: the expected binding is there. \"Registered\" needs this. It does not show that whoever made it still lives.",
            likely: &["the provider has registered, and its binding has not lapsed"],
            todo: "Nothing, for a claim \"registered\". A refresh that is seen makes it E4, and --check-inbound can make it E5.",
        }),
        Level::E4 => Some(&Explanation {
            meaning: "Evidence E4: the expected binding was seen to be refreshed, so its owner lives. It does not show that a request gets through to it.",
            likely: &["two looks had a refresh between them"],
            todo: "Nothing more can be read from bindings; --check-inbound tries if a request arrives.",
        }),
        Level::E5 => Some(&Explanation {
            meaning: "Evidence E5: an OPTIONS to the account, sent through the registrar, arrived. It does not show that a call would have audio.",
            likely: &["--check-inbound was asked for, and it worked"],
            todo: "Nothing: more than this only a call can show.",
        }),
    }
}

/// Why a row has no cause of a registration; such a cause is a word of the report.
const fn row(why: Why) -> Option<&'static Explanation> {
    match why {
        Why::BadRow => Some(&Explanation {
            meaning: "A row of the list for bulk is no account: nothing was sent for it, and the other rows were probed.",
            likely: &[
                "the AOR is missing or no USER@DOMAIN",
                "a cell with a comma in it does not stand between quotes, so that the row has too many",
                "the file or variable that a secret names is not there",
            ],
            todo: "`detail` names the column and what would be right; correct the row and go on with --resume.",
        }),
        Why::HeldBack => Some(&Explanation {
            meaning: "A row of the list for bulk was not probed, because too many passwords had been wrong at its registrar.",
            likely: &[
                "the list has old passwords, or those of another registrar",
                "the column for the authentication user is missing",
            ],
            todo: "Correct the rows with wrong_credentials and go on with --resume; --max-wrong-passwords says how many are too many.",
        }),
        Why::NotDone => Some(&Explanation {
            meaning: "A row of the list for bulk was not probed, because the run had failed often enough before its turn came.",
            likely: &["--fail-fast was asked for"],
            todo: "See to the rows that failed and go on with --resume.",
        }),
        Why::Cause(_) => None,
    }
}

const STATUSES: [(u8, Explanation); 5] = [
    (
        exit::SUCCESS,
        Explanation {
            meaning: "Exit status 0: it worked. For a probe that is registered; for verify that the claim is true, \"not registered\" included.",
            likely: &["all is well", "verify: the provider says that the line is down, and it is"],
            todo: "In scripts that verify, read `service` in the JSON report to tell a line that is up from one that is down.",
        },
    ),
    (
        1,
        Explanation {
            meaning: "Exit status 1: for verify, the claim is false or outdated; for bulk and load, some did not register; for watch, some may still be bound; for providers, there is no such object.",
            likely: &[
                "verify: the verdict is disagree or stale",
                "bulk, load: the causes in the results say why",
                "watch: a registrar did not confirm the removal of a binding in time",
                "providers: the identifier is wrong, or the object was deleted",
            ],
            todo: "The report of verify names the reason; `regprobe explain REASON` says what to do about it.",
        },
    ),
    (
        exit::USAGE,
        Explanation {
            meaning: "Exit status 2: the command line is wrong, or a file or variable that it names. Nothing was sent.",
            likely: &[
                "an option is missing, mistyped, or does not go with another",
                "a file cannot be read, or holds no single line of text",
                "the file of checks has mistakes: all of them are listed",
                "load: the host is not yours, or cannot be looked up",
            ],
            todo: "Read the message: it names the place and what would be right. With --output nagios the status is 3, and 2 is CRITICAL.",
        },
    ),
    (
        exit::NOT_MADE,
        Explanation {
            meaning: "Exit status 3: for verify, it cannot be said whether the claim is true.",
            likely: &[
                "the verdict is inconclusive",
                "the API was asked and did not say which account to look at, so that the check could not be made",
                "with --output nagios: UNKNOWN, which includes a wrong command line",
            ],
            todo: "Look up the reason in the report, or do what the message says; it is neither an alarm nor an all-clear.",
        },
    ),
    (
        exit::INTERRUPTED,
        Explanation {
            meaning: "Exit status 130: interrupted by Ctrl-C or SIGTERM. A binding that was made was removed first.",
            likely: &[
                "somebody pressed Ctrl-C",
                "a scheduler or monitoring system ended it, because it took longer than it was given",
            ],
            todo: "Give it more time, or less to do: --timeout, --api-timeout and --grace say how long it may take.",
        },
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_term_is_found_and_explained_in_sentences_of_its_own() {
        let mut texts = BTreeSet::new();
        for term in Term::all() {
            assert_eq!(Term::find(&term.name().to_lowercase()), Some(term));
            let Explanation { meaning, likely, todo } = term.explanation().unwrap();
            assert!(meaning.ends_with('.') && todo.ends_with('.'), "{term:?}");
            assert!(texts.insert(meaning) && texts.insert(todo), "{term:?}: another's text");
            assert!(
                (1..=5).contains(&likely.len()) && likely.iter().all(|cause| !cause.ends_with('.')),
                "{term:?}"
            );
        }
        assert_eq!(texts.len(), 2 * (4 + 6 + 3 + 5));
        assert_eq!((Term::find("4"), Term::find("none"), Term::find("E6")), (None, None, None));
    }
}

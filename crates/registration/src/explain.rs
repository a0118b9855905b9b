//! What every state, cause and finding means, where it usually comes from, and what to do about it. Text only, no evidence:
//! what was seen in one exchange is the report's to say.

mod cause;
mod finding;
mod state;

use crate::{Cause, FindingId, State};

/// What a word of ours means to somebody who has to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What has happened, in one or two sentences.
    pub meaning: &'static str,
    /// Where it usually comes from, the most frequent first.
    pub likely: &'static [&'static str],
    /// What to do next.
    pub todo: &'static str,
}

/// Any word that has an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// A state.
    State(State),
    /// A cause.
    Cause(Cause),
    /// A finding.
    Finding(FindingId),
}

impl Word {
    /// Finds a word as people write it: any case, `-` or a blank for `_`, a state also without `_STATE` or as its code.
    ///
    /// Whole words go first: `wrong_credentials` is the cause, `wrong_credentials_state` or `6` the state.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let wanted = text.trim().to_ascii_uppercase().replace(['-', ' '], "_");
        let is_state = |state: &State| state.name().strip_suffix("_STATE") == Some(&wanted) || state.code().to_string() == wanted;
        Self::all()
            .find(|word| word.name().eq_ignore_ascii_case(&wanted))
            .or_else(|| State::ALL.into_iter().find(is_state).map(Self::State))
    }

    /// Every word: states by their codes, then causes, then findings.
    pub fn all() -> impl Iterator<Item = Self> {
        let states = State::ALL.into_iter().map(Self::State);
        let causes = Cause::ALL.into_iter().map(Self::Cause);
        states.chain(causes).chain(FindingId::ALL.into_iter().map(Self::Finding))
    }

    /// The word as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State(state) => state.name(),
            Self::Cause(cause) => cause.name(),
            Self::Finding(finding) => finding.name(),
        }
    }

    /// Its explanation.
    #[must_use]
    pub const fn explanation(self) -> &'static Explanation {
        match self {
            Self::State(state) => state.explanation(),
            Self::Cause(cause) => cause.explanation(),
            Self::Finding(finding) => finding.explanation(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_explained_in_sentences_of_its_own() {
        let mut meanings = BTreeSet::new();
        let mut remedies = BTreeSet::new();
        for word in Word::all() {
            let Explanation { meaning, likely, todo } = word.explanation();
            assert!(
                meaning.ends_with('.') && todo.ends_with('.'),
                "{}: sentences end in a full stop",
                word.name()
            );
            assert!((1..=5).contains(&likely.len()), "{}: {} likely causes", word.name(), likely.len());
            assert!(
                likely.iter().all(|cause| !cause.is_empty() && !cause.ends_with('.')),
                "{}: likely causes are fragments",
                word.name()
            );
            assert!(meanings.insert(meaning), "{}: its meaning is also another word's", word.name());
            assert!(remedies.insert(todo), "{}: its remedy is also another word's", word.name());
        }
        assert_eq!(meanings.len(), State::ALL.len() + Cause::ALL.len() + FindingId::ALL.len());
    }

    #[test]
    fn texts_are_plain_ascii_lines_without_doubled_blanks() {
        for word in Word::all() {
            let Explanation { meaning, likely, todo } = word.explanation();
            for text in [meaning, todo].into_iter().chain(likely.iter()) {
                assert!(
                    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()),
                    "{}: {text:?}",
                    word.name()
                );
                assert!(!text.contains("  ") && text.trim() == *text, "{}: {text:?}", word.name());
            }
        }
    }

    #[test]
    fn every_word_is_found_by_its_own_name() {
        for word in Word::all() {
            assert_eq!(Word::find(word.name()), Some(word));
            assert_eq!(Word::find(&word.name().to_uppercase().replace('_', "-")), Some(word));
        }
    }

    #[test]
    fn states_are_found_without_their_suffix_and_by_code_and_nothing_else_is() {
        assert_eq!(Word::find("register timeout"), Some(Word::State(State::RegisterTimeout)));
        assert_eq!(Word::find("6"), Some(Word::State(State::WrongCredentials)));
        // A state and a cause share this word.
        assert_eq!(Word::find("wrong_credentials"), Some(Word::Cause(Cause::WrongCredentials)));
        assert_eq!(Word::find("wrong_credentials_state"), Some(Word::State(State::WrongCredentials)));
        assert_eq!(Word::find("no_such_word"), None);
        assert_eq!(Word::find("10"), None);
        assert_eq!(Word::find(""), None);
    }
}

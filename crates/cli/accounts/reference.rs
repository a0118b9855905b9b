//! How a secret stands in a list: itself, or a reference to a file (`@path`) or to a variable of the environment (`$NAME`, `env:NAME`).
//!
//! A secret that begins like a reference is written with that sign doubled: `@@home` is `@home`, `$$HOME` is `$HOME`, `env::x` is `env:x`.
//! What follows a sign is never repeated in a message: it may be a secret whose owner forgot to double it.

use std::borrow::Cow;

use crate::values;

/// What a cell for a secret holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// The secret itself.
    Literal(Cow<'a, str>),
    /// The path of a file that holds it.
    File(&'a str),
    /// The variable that holds it.
    Variable(&'a str),
    /// `env:` in front of what is no variable's name.
    NoVariable,
}

impl<'a> Reference<'a> {
    /// Reads a cell.
    pub(super) fn of(text: &'a str) -> Self {
        if let Some(rest) = text.strip_prefix("env:") {
            return match rest.strip_prefix(':') {
                Some(rest) => Self::Literal(Cow::Owned(format!("env:{rest}"))),
                None if values::variable(rest).is_ok() => Self::Variable(rest),
                None => Self::NoVariable,
            };
        }
        match (text.strip_prefix('@'), text.strip_prefix('$')) {
            (Some(rest), _) if rest.starts_with('@') => Self::Literal(Cow::Borrowed(rest)),
            (Some(path), _) if !path.is_empty() => Self::File(path),
            (_, Some(rest)) if rest.starts_with('$') => Self::Literal(Cow::Borrowed(rest)),
            // No variable is named like `$ecret`, and many a password is.
            (_, Some(name)) if values::variable(name).is_ok() => Self::Variable(name),
            (_, _) => Self::Literal(Cow::Borrowed(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Reference<'_> {
        Reference::Literal(Cow::Borrowed(text))
    }

    #[test]
    fn a_secret_is_itself_unless_it_begins_like_a_reference() {
        assert_eq!(Reference::of("secret"), literal("secret"));
        assert_eq!(Reference::of("@alice.pw"), Reference::File("alice.pw"));
        assert_eq!(Reference::of("$ALICE_PW"), Reference::Variable("ALICE_PW"));
        assert_eq!(Reference::of("env:ALICE_PW"), Reference::Variable("ALICE_PW"));
        assert_eq!(Reference::of("env:canary"), Reference::NoVariable);
    }

    #[test]
    fn what_is_no_name_in_capitals_is_no_variable() {
        for text in ["$ecret", "$1234", "$", "@", "pa$$word", "me@home"] {
            assert_eq!(Reference::of(text), literal(text));
        }
    }

    #[test]
    fn a_doubled_sign_stands_for_itself() {
        assert_eq!(Reference::of("@@home"), literal("@home"));
        assert_eq!(Reference::of("$$HOME"), literal("$HOME"));
        assert_eq!(Reference::of("$$$x"), literal("$$x"));
        assert_eq!(Reference::of("env::HOME"), literal("env:HOME"));
    }
}

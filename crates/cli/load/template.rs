//! Texts with a number in them: `user{n}` or `{n:05}`, from which each user of a load gets its own AOR, name and password. Pure.

use std::fmt::Write as _;

use sip_message::OwnedUri;
use zeroize::Zeroize as _;

use crate::values::{self, Aor, ValueError};

/// Text with places for a number. What only looks like one, such as `{x}`, is text as it stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The number, with zeros in front up to this many digits.
    Number(usize),
}

impl Template {
    /// Reads text with `{n}` or `{n:05}` in it.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open_at) = rest.find('{') {
            let (before, from_open) = rest.split_at(open_at);
            plain.push_str(before);
            match place(from_open) {
                Some((digits, after)) => {
                    if !plain.is_empty() {
                        let next = String::with_capacity(after.len());
                        pieces.push(Piece::Text(std::mem::replace(&mut plain, next)));
                    }
                    pieces.push(Piece::Number(digits));
                    rest = after;
                }
                None => {
                    plain.push('{');
                    rest = from_open.strip_prefix('{').unwrap_or_default();
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self { pieces }
    }

    /// True when every number gives another text.
    pub(crate) fn varies(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Number(_)))
    }

    /// True when a brace is left that belongs to no number.
    fn has_brace(&self) -> bool {
        let has_brace = |piece: &Piece| matches!(piece, Piece::Text(plain) if plain.contains(['{', '}']));
        self.pieces.iter().any(has_brace)
    }

    /// The text for one number.
    pub(crate) fn text(&self, number: u64) -> String {
        // Made in one go: a password leaves no shorter copies behind in memory.
        let mut text = String::with_capacity(self.longest());
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Number(digits) => write!(text, "{number:0digits$}").expect("a String takes everything"),
            }
        }
        text
    }

    /// No text of it is longer, in bytes.
    fn longest(&self) -> usize {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Text(plain) => plain.len(),
            Piece::Number(digits) => (*digits).max(MOST_DIGITS),
        });
        lengths.sum()
    }
}

/// A password does not stay in memory.
impl Drop for Template {
    fn drop(&mut self) {
        for piece in &mut self.pieces {
            match piece {
                Piece::Text(plain) => plain.zeroize(),
                Piece::Number(_) => {}
            }
        }
    }
}

/// The digits of the largest number.
const MOST_DIGITS: usize = 20;

/// Takes `{n}`, `{n:5}` or `{n:05}` off: how many digits there are at least, and what follows.
fn place(text: &str) -> Option<(usize, &str)> {
    let (inside, after) = text.strip_prefix("{n")?.split_once('}')?;
    let digits = match inside.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        None if inside.is_empty() => 1,
        Some(_) | None => return None,
    };
    (1..=MOST_DIGITS).contains(&digits).then_some((digits, after))
}

/// An AOR with a place for the number in its user.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AorTemplate {
    /// What the user wrote, for reports.
    written: String,
    template: Template,
    /// The AOR of user 0.
    sample: Aor,
}

impl AorTemplate {
    /// What the user wrote.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// True when every number gives another AOR.
    pub(crate) fn varies(&self) -> bool {
        self.template.varies()
    }

    /// The AOR of some user: they differ in nothing but the number.
    pub(crate) const fn sample(&self) -> &Aor {
        &self.sample
    }

    /// The AOR of one user.
    pub(crate) fn of(&self, number: u64) -> OwnedUri {
        let text = self.template.text(number);
        text.parse().expect("the sample was one, and has other digits")
    }
}

/// A template may hold a password, so its text is not for logs.
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Template").field("varies", &self.varies()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AorTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AorTemplate").field(&self.written).finish()
    }
}

const AOR: &str = "sip:user{n}@DOMAIN, such as sip:user{n}@pbx.example.test with --users 1..1000";

/// Reads an AOR with or without places for a number in its user.
pub(crate) fn aor(text: &str) -> Result<AorTemplate, ValueError> {
    let text = text.trim();
    let (user, domain) = text.split_once('@').unwrap_or((text, ""));
    if Template::parse(domain).varies() {
        return Err(ValueError::Other(
            "the number belongs into the user in front of the @, so that all users have one registrar; write sip:user{n}@DOMAIN",
        ));
    }
    if Template::parse(text).has_brace() {
        return Err(ValueError::Other(
            "braces belong to the number of the user, which is written {n}, or {n:05} with zeros in front of it",
        ));
    }
    let sample = values::aor(&Template::parse(text).text(0)).map_err(|refusal| match refusal {
        ValueError::Uri { problem, .. } => ValueError::Uri { problem, right: AOR },
        other @ (ValueError::PasswordInUri | ValueError::Other(_)) => other,
    })?;
    let canonical = sample.uri.as_str();
    let (Some((scheme, _)), Some((_, host))) = (canonical.split_once(':'), canonical.rsplit_once('@')) else {
        return Err(ValueError::Other(AOR));
    };
    let bare = user
        .split_once(':')
        .filter(|(before, _)| before.eq_ignore_ascii_case(scheme))
        .map_or(user, |(_, user)| user);
    Ok(AorTemplate {
        written: text.to_owned(),
        template: Template::parse(&format!("{scheme}:{bare}@{host}")),
        sample,
    })
}

/// Reads the name for authentication, with or without places for a number.
pub(crate) fn auth_user(text: &str) -> Result<Template, ValueError> {
    values::auth_user(text).map(|name| Template::parse(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str, number: u64) -> String {
        Template::parse(template).text(number)
    }

    #[test]
    fn the_number_stands_in_each_place_with_the_zeros_that_were_asked_for() {
        assert_eq!(text("user{n}", 7), "user7");
        assert_eq!(text("{n:05}-{n:3}-{n}", 42), "00042-042-42");
        assert_eq!(text("{n:02}", 12_345), "12345");
        assert_eq!(text("{n:020}", u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn what_is_no_place_is_text_as_it_stands() {
        for plain in ["", "alice", "{x}", "{n", "n}", "{n:}x{n:99}{n:-1}", "{{}}", "{n:0}", "{ n }", "{ü}"] {
            assert_eq!(text(plain, 1), plain);
            assert!(!Template::parse(plain).varies(), "{plain}");
        }
        assert_eq!(text("{{n}}", 1), "{1}");
        assert!(Template::parse("a{n}").varies());
    }

    #[test]
    fn an_aor_with_a_number_is_one_for_every_user() {
        let users = aor("SIP:u{n:03}@pbx.example.test:5080;transport=tcp").unwrap();
        assert_eq!(users.of(7).as_str(), "sip:u007@pbx.example.test:5080");
        assert_eq!(users.sample().transport, Some(sip_registration::Transport::Tcp));
        assert_eq!(users.written(), "SIP:u{n:03}@pbx.example.test:5080;transport=tcp");
        assert_eq!(aor("u{n}@h").unwrap().of(1).as_str(), "sip:u1@h");
        assert_eq!(aor("sips:{n}@[::1]").unwrap().of(1).as_str(), "sips:1@[::1]");
        let alone = aor("alice@h").unwrap();
        assert!(!alone.varies());
        assert_eq!(alone.of(9).as_str(), "sip:alice@h");
    }

    #[test]
    fn what_is_no_aor_is_refused_with_what_would_be_right() {
        for (wrong, why) in [
            ("u{n}", "USER@DOMAIN"),
            ("u@h{n}", "in front of the @"),
            ("u{x}@h", "written {n}"),
            ("u{n@h", "written {n}"),
            ("u {n}@h", "with --users"),
            ("u{n}:canary@h", "REGPROBE_PASSWORD"),
            ("u{n}@h;x=y", "transport"),
        ] {
            let refusal = aor(wrong).unwrap_err().to_string();
            assert!(refusal.contains(why) && !refusal.contains("canary"), "{wrong}: {refusal}");
        }
    }

    #[test]
    fn a_template_does_not_show_what_it_holds() {
        assert!(!format!("{:?}", Template::parse("canary{n}")).contains("canary"));
    }
}

//! What a 401 or 407 offers: each challenge judged on its own, the strongest that we support chosen. Not the policy about realms or
//! about the weakest algorithm that a user allows.
//!
//! RFC 8760 §2.4 takes the topmost that is supported unless local policy says otherwise. Ours does: whoever reorders the headers
//! on the way must not weaken the answer.

use std::borrow::Cow;

use sip_message::{AuthError, ChallengeField, ChallengeSource, Headers, Name};

use crate::challenge::shown;
use crate::{Algorithm, Challenge, ChallengeError, Secret};

/// The challenges of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offers {
    names: Vec<Cow<'static, str>>,
    challenges: Vec<Challenge>,
    errors: Vec<ChallengeError>,
}

/// The most challenges of one message that are looked at.
const MOST: usize = 32;

impl Offers {
    /// Reads all WWW-Authenticate and Proxy-Authenticate headers; one that is malformed or unknown hides no other.
    #[must_use]
    pub fn read(headers: &Headers<'_>) -> Self {
        let mut offers = Self::default();
        offers.read_again(headers);
        offers
    }

    /// The same in place of what was read before, in the room that it took.
    pub fn read_again(&mut self, headers: &Headers<'_>) {
        self.names.clear();
        self.challenges.clear();
        self.errors.clear();
        for (at, field) in headers.challenges().enumerate() {
            if at == MOST {
                self.errors.push(ChallengeError::TooMany);
                break;
            }
            self.add(field);
        }
        let is_there = [Name::WwwAuthenticate, Name::ProxyAuthenticate]
            .into_iter()
            .any(|name| headers.first(name).is_some());
        if is_there && self.is_empty() {
            // A header with nothing in it.
            self.errors.push(AuthError::Scheme.into());
        }
    }

    fn add(&mut self, field: ChallengeField<'_>) {
        if let Some(name) = offered_name(&field)
            && !self.names.contains(&name)
        {
            self.names.push(name);
        }
        match Challenge::try_from(field) {
            Ok(challenge) => self.challenges.push(challenge),
            Err(error) => self.errors.push(error),
        }
    }

    /// What was offered, each once, in the order of the message and safe to show: registered names of algorithms as [`Algorithm::name`]
    /// has them, unknown ones as they came, and the scheme where it is not Digest. `["SHA-256", "MD5", "AKAv1-MD5", "Basic"]`
    #[must_use]
    pub fn offered(&self) -> &[Cow<'static, str>] {
        &self.names
    }

    /// The challenges that can be answered, in the order of the message, WWW-Authenticate first.
    #[must_use]
    pub fn challenges(&self) -> &[Challenge] {
        &self.challenges
    }

    /// The strongest challenge of this header; of equal ones the first.
    #[must_use]
    pub fn strongest(&self, source: ChallengeSource) -> Option<&Challenge> {
        strongest(self.from(source))
    }

    /// The strongest challenge of this header that this secret can answer: an HA1 answers only its own hash.
    #[must_use]
    pub fn strongest_for(&self, source: ChallengeSource, secret: &Secret) -> Option<&Challenge> {
        self.strongest_where(source, |challenge| challenge.can_answer(secret).is_ok())
    }

    /// The strongest challenge of this header among those that somebody admits; of equal ones the first.
    #[must_use]
    pub fn strongest_where(&self, source: ChallengeSource, admits: impl Fn(&Challenge) -> bool) -> Option<&Challenge> {
        strongest(self.from(source).filter(|challenge| admits(challenge)))
    }

    /// Why the others cannot be answered, in the order of the message.
    #[must_use]
    pub fn errors(&self) -> &[ChallengeError] {
        &self.errors
    }

    /// The algorithms that were offered and are not supported, safe to show.
    pub fn unknown_algorithms(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().filter_map(|error| match error {
            ChallengeError::UnsupportedAlgorithm(name) => Some(name.as_str()),
            ChallengeError::Malformed(_)
            | ChallengeError::Missing(_)
            | ChallengeError::UnsupportedScheme(_)
            | ChallengeError::UnsupportedQop(_)
            | ChallengeError::TooLong(_)
            | ChallengeError::Unrepeatable(_)
            | ChallengeError::TooMany => None,
        })
    }

    /// True when the message has no challenge header at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.challenges.is_empty() && self.errors.is_empty()
    }

    fn from(&self, source: ChallengeSource) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().filter(move |challenge| challenge.source() == source)
    }
}

/// The strongest, and of equal ones the first.
fn strongest<'a>(challenges: impl Iterator<Item = &'a Challenge>) -> Option<&'a Challenge> {
    challenges.reduce(|best, next| if next.algorithm() > best.algorithm() { next } else { best })
}

fn offered_name(field: &ChallengeField<'_>) -> Option<Cow<'static, str>> {
    let challenge = field.challenge.ok()?;
    if !challenge.is_digest() {
        return Some(shown(challenge.scheme).into());
    }
    Some(challenge.param(b"algorithm").map_or_else(
        || Algorithm::Md5.name().into(),
        |name| {
            let name = name.trim_ascii();
            Algorithm::parse(name).map_or_else(|| shown(name).into(), |known| known.name().into())
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip_message::Message;

    fn read(headers: &str) -> Offers {
        let bytes = format!("SIP/2.0 401 Unauthorized\r\n{headers}\r\n");
        Offers::read(Message::parse(bytes.as_bytes()).unwrap().headers())
    }

    #[test]
    fn the_strongest_supported_is_chosen_wherever_it_stands() {
        let offers = read(
            "WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=AKAv1-MD5\r\nWWW-Authenticate: Digest broken\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"4\", algorithm=sha-256\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"5\", algorithm=MD5-sess\r\n",
        );
        let strongest = offers.strongest(ChallengeSource::Www).unwrap();
        assert_eq!((strongest.algorithm(), strongest.nonce()), (Algorithm::Sha256, &b"3"[..]));
        assert_eq!(offers.offered(), ["Basic", "MD5", "AKAv1-MD5", "SHA-256", "MD5-sess"]);
        assert_eq!(offers.unknown_algorithms().collect::<Vec<_>>(), ["AKAv1-MD5"]);
        assert_eq!(offers.challenges().len(), 4);
        assert_eq!(
            offers.errors(),
            [
                ChallengeError::UnsupportedScheme("Basic".into()),
                ChallengeError::UnsupportedAlgorithm("AKAv1-MD5".into()),
                ChallengeError::Malformed(AuthError::Parameter),
            ]
        );
        assert_eq!(offers.strongest(ChallengeSource::Proxy), None);
    }

    #[test]
    fn an_ha1_chooses_the_strongest_of_its_own_hash() {
        let offers = read(
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=MD5\r\n",
        );
        let md5 = Secret::ha1(Algorithm::Md5, &"0".repeat(32)).unwrap();
        assert_eq!(offers.strongest_for(ChallengeSource::Www, &md5).unwrap().nonce(), b"2");
        let sha512 = Secret::ha1(Algorithm::Sha512_256, &"0".repeat(64)).unwrap();
        assert_eq!(offers.strongest_for(ChallengeSource::Www, &sha512), None);
        let password = Secret::Password("x".into());
        assert_eq!(offers.strongest_for(ChallengeSource::Www, &password).unwrap().nonce(), b"1");
    }

    #[test]
    fn server_and_proxy_have_a_choice_each() {
        let offers = read(
            "Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\", algorithm=SHA-512-256\r\nWWW-Authenticate: Digest realm=\"w\", nonce=\"2\"\r\n",
        );
        assert_eq!(offers.strongest(ChallengeSource::Www).unwrap().realm(), b"w");
        assert_eq!(offers.strongest(ChallengeSource::Proxy).unwrap().realm(), b"p");
    }

    #[test]
    fn no_header_and_an_empty_header_are_told_apart() {
        assert!(read("").is_empty());
        let offers = read("WWW-Authenticate:\r\n");
        assert!(!offers.is_empty());
        assert_eq!(offers.errors(), [ChallengeError::Malformed(AuthError::Scheme)]);
    }

    #[test]
    fn a_flood_of_challenges_is_cut_off() {
        let offers = read(&format!("WWW-Authenticate: {}\r\n", "Digest realm=\"r\", nonce=\"n\",".repeat(200)));
        assert_eq!(offers.challenges().len(), MOST);
        assert_eq!(offers.errors(), [ChallengeError::TooMany]);
    }
}

//! Which challenges may be answered at all: those of the realm that the credentials are for, as strong as the account wants them. And
//! what is remembered of a registrar, so that it cannot ask for less later. Not for which of several is answered: see [`super::challenge`].

use std::sync::Arc;

use sip_digest::{Algorithm, Challenge, Offers, Secret};
use sip_message::ChallengeSource;

use super::{Cause, Cx, Exchange, Party};
use crate::attempt::Notice;
use crate::{ChallengeRules, Transport};

/// What the answered challenges of a registrar, and of a proxy on the way, taught. Never changed: another one takes its place, so that
/// all registrations with the same one can share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    www: Option<Asker>,
    proxy: Option<Asker>,
    /// Whether any of it was answered over TLS.
    secured: bool,
}

/// Who asked for credentials and was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asker {
    /// The realm that was answered first, as it stood between its quotes.
    realm: Arc<[u8]>,
    /// The strongest hash that it ever offered.
    strongest: Algorithm,
    /// Whether it ever offered a quality of protection.
    protects: bool,
}

impl Known {
    const fn asker(&self, source: ChallengeSource) -> Option<&Asker> {
        match source {
            ChallengeSource::Www => self.www.as_ref(),
            ChallengeSource::Proxy => self.proxy.as_ref(),
        }
    }

    /// Whether nothing is sent without TLS any more: who was answered over TLS once is not answered in the clear.
    pub(super) const fn is_secured(&self) -> bool {
        self.secured
    }

    /// The same, and what this challenge and those beside it add, which is answered over TLS or not.
    fn with(&self, answered: &Challenge, offers: &Offers, secured: bool) -> Self {
        let best = Asker::of(answered, offers);
        let asker = match self.asker(answered.source()) {
            None => best,
            Some(before) => Asker {
                realm: Arc::clone(&before.realm),
                strongest: before.strongest.max(best.strongest),
                protects: before.protects || best.protects,
            },
        };
        let mut known = self.clone();
        known.secured |= secured;
        match answered.source() {
            ChallengeSource::Www => known.www = Some(asker),
            ChallengeSource::Proxy => known.proxy = Some(asker),
        }
        known
    }

    /// Whether that would add nothing, told without making anything.
    fn covers(&self, answered: &Challenge, offers: &Offers, secured: bool) -> bool {
        let adds_nothing = |asker: &Asker| {
            let mut beside = alike(answered, offers);
            beside.all(|challenge| challenge.algorithm().plain() <= asker.strongest && (asker.protects || challenge.qop().is_none()))
        };
        (self.secured || !secured) && self.asker(answered.source()).is_some_and(adds_nothing)
    }
}

impl Asker {
    fn of(answered: &Challenge, offers: &Offers) -> Self {
        Self {
            realm: answered.realm().into(),
            strongest: strongest(answered, offers),
            protects: protects(answered, offers),
        }
    }
}

/// The challenges of the same header and realm, itself among them.
fn alike<'a>(one: &'a Challenge, offers: &'a Offers) -> impl Iterator<Item = &'a Challenge> {
    let is_alike = |other: &&Challenge| (other.source(), other.realm()) == (one.source(), one.realm());
    offers.challenges().iter().filter(is_alike)
}

fn strongest(one: &Challenge, offers: &Offers) -> Algorithm {
    let hashes = alike(one, offers).map(|challenge| challenge.algorithm().plain());
    hashes.max().unwrap_or(one.algorithm().plain())
}

fn protects(one: &Challenge, offers: &Offers) -> bool {
    alike(one, offers).any(|challenge| challenge.qop().is_some())
}

/// The rules of an account together with what is known of its registrar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust<'a> {
    rules: &'a ChallengeRules,
    known: Option<&'a Known>,
}

impl<'a> Trust<'a> {
    pub(super) const fn new(rules: &'a ChallengeRules, known: Option<&'a Known>) -> Self {
        Self { rules, known }
    }

    /// The strongest challenge of this header that may be answered and that this secret can answer.
    pub(super) fn strongest<'o>(&self, offers: &'o Offers, source: ChallengeSource, secret: &Secret) -> Option<&'o Challenge> {
        let admits = |challenge: &Challenge| {
            self.admits_realm(challenge) && self.admits_algorithm(challenge) && challenge.can_answer(secret).is_ok()
        };
        offers.strongest_where(source, admits)
    }

    /// RFC 7616 §3.3: the realm says which user and password are meant. Credentials for one are nobody else's business.
    fn admits_realm(&self, challenge: &Challenge) -> bool {
        let first = self.known.and_then(|known| known.asker(challenge.source()));
        match (&self.rules.realm, first) {
            (Some(pinned), _) => unescaped(challenge.realm()).eq(pinned.bytes()),
            (None, Some(first)) => *challenge.realm() == *first.realm,
            // An empty realm names nobody: whoever has a use for it says so.
            (None, None) => !challenge.realm().is_empty(),
        }
    }

    fn admits_algorithm(&self, challenge: &Challenge) -> bool {
        challenge.algorithm().plain() >= self.rules.min_digest.plain()
    }

    /// Why none of these may be answered, when it is these rules that forbid it.
    fn refusal(&self, offers: &Offers) -> Option<Cause> {
        let challenges = offers.challenges();
        let mut of_our_realm = challenges.iter().filter(|challenge| self.admits_realm(challenge)).peekable();
        if challenges.is_empty() {
            None
        } else if of_our_realm.peek().is_none() {
            Some(Cause::RealmMismatch)
        } else if of_our_realm.any(|challenge| self.admits_algorithm(challenge)) {
            None
        } else {
            Some(Cause::DigestTooWeak)
        }
    }
}

/// The bytes that a quoted string stands for (RFC 3261 §25.1).
fn unescaped(raw: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = raw.iter().copied();
    std::iter::from_fn(move || match bytes.next()? {
        b'\\' => bytes.next(),
        plain => Some(plain),
    })
}

impl Exchange {
    /// Why nothing of this may be answered, when it is our rules that forbid it; written down for the report.
    pub(super) fn refused(&mut self, cx: &mut Cx<'_>, party: &Party<'_>, offers: &Offers) -> Option<Cause> {
        let rules = party.account.challenge_rules();
        let known = party.dialog.known.as_deref();
        let cause = Trust::new(rules, known).refusal(offers)?;
        if let (Cause::RealmMismatch, Some(challenge)) = (cause, offers.challenges().first()) {
            let first = known.and_then(|known| known.asker(challenge.source()));
            let expected = match (&rules.realm, first) {
                (Some(pinned), _) => Some(cx.texts.shown(pinned.as_bytes())),
                (None, Some(first)) => Some(cx.texts.shown(&first.realm)),
                (None, None) => None,
            };
            self.attempt.notice(Notice::ForeignRealm {
                offered: cx.texts.shown(challenge.realm()),
                expected,
                pinned: rules.realm.is_some(),
            });
        }
        Some(cause)
    }

    /// Whether the registrar offers less than it once did, in the realm that is ours; written down for the report.
    pub(super) fn compare_offers(&mut self, party: &Party<'_>, offers: &Offers) {
        let Some(known) = party.dialog.known.as_deref() else { return };
        for source in [ChallengeSource::Www, ChallengeSource::Proxy] {
            let ours = |asker: &&Asker| {
                let same = |challenge: &&Challenge| challenge.source() == source && *challenge.realm() == *asker.realm;
                offers.challenges().iter().find(same)
            };
            let Some((asker, challenge)) = known.asker(source).and_then(|asker| Some((asker, ours(&asker)?))) else {
                continue;
            };
            let now = strongest(challenge, offers);
            if now < asker.strongest {
                let before = asker.strongest;
                self.attempt.notice(Notice::AlgorithmWithdrawn { before, now });
            }
            if asker.protects && !protects(challenge, offers) {
                self.attempt.notice(Notice::ProtectionWithdrawn);
            }
        }
    }

    /// Remembers whom we answer, and what was offered. Registrations that know the same share it.
    pub(super) fn remember(&self, cx: &mut Cx<'_>, party: &mut Party<'_>, answered: &Challenge, offers: &Offers) {
        let secured = self.endpoint().is_some_and(|endpoint| endpoint.transport == Transport::Tls);
        let before = party.dialog.known.as_deref();
        if before.is_some_and(|known| known.covers(answered, offers, secured)) {
            return;
        }
        let known = before.cloned().unwrap_or_default().with(answered, offers, secured);
        let recent = cx.out.pool.known.iter().find(|recent| ***recent == known).cloned();
        party.dialog.known = Some(recent.unwrap_or_else(|| {
            let known = Arc::new(known);
            cx.out.pool.known.truncate(Self::SHARED_SERVERS - 1);
            cx.out.pool.known.push_front(Arc::clone(&known));
            known
        }));
    }
}

#[cfg(test)]
mod tests {
    use sip_message::Message;

    use super::*;

    fn offers(headers: &[&str]) -> Offers {
        let lines: String = headers
            .iter()
            .map(|header| format!("WWW-Authenticate: Digest {header}\r\n"))
            .collect();
        Offers::read(
            Message::parse(format!("SIP/2.0 401 U\r\n{lines}\r\n").as_bytes())
                .unwrap()
                .headers(),
        )
    }

    fn rules(realm: Option<&str>, min_digest: Algorithm) -> ChallengeRules {
        ChallengeRules {
            realm: realm.map(Into::into),
            min_digest,
        }
    }

    fn refusal(rules: &ChallengeRules, known: Option<&Known>, headers: &[&str]) -> Option<Cause> {
        Trust::new(rules, known).refusal(&offers(headers))
    }

    #[test]
    fn a_pinned_realm_is_compared_letter_by_letter_and_without_escapes() {
        let admits = |pinned: &str, realm: &str| {
            let headers = [format!("realm=\"{realm}\", nonce=\"n\"")];
            refusal(&rules(Some(pinned), Algorithm::Md5), None, &headers.each_ref().map(String::as_str)).is_none()
        };
        assert!(admits("a.test", "a.test") && admits("", "") && admits("a \"b\" \\", r#"a \"b\" \\"#) && admits("ab", r"\a\b"));
        for (pinned, realm) in [
            ("a.test", "A.test"),
            ("a.test", "a.test "),
            ("a.test", "a.tes"),
            ("a", ""),
            ("", "a"),
        ] {
            assert!(!admits(pinned, realm), "{pinned:?} {realm:?}");
        }
    }

    #[test]
    fn without_a_pin_the_first_realm_binds_and_an_empty_one_never_does() {
        let any = ChallengeRules::ANY;
        let first = offers(&["realm=\"a\", nonce=\"n\""]);
        let known = Known::default().with(first.challenges().first().unwrap(), &first, false);
        assert_eq!(refusal(&any, None, &["realm=\"b\", nonce=\"n\""]), None);
        assert_eq!(refusal(&any, None, &["realm=\"\", nonce=\"n\""]), Some(Cause::RealmMismatch));
        assert_eq!(
            refusal(&any, Some(&known), &["realm=\"b\", nonce=\"n\""]),
            Some(Cause::RealmMismatch)
        );
        assert_eq!(
            refusal(&any, Some(&known), &["realm=\"b\", nonce=\"n\"", "realm=\"a\", nonce=\"n\""]),
            None
        );
        // A pin goes before what was first.
        let pinned = rules(Some("b"), Algorithm::Md5);
        assert_eq!(refusal(&pinned, Some(&known), &["realm=\"b\", nonce=\"n\""]), None);
    }

    #[test]
    fn nothing_weaker_than_wanted_is_admitted_and_a_session_is_as_strong_as_its_hash() {
        let wanted = rules(None, Algorithm::Sha256Sess);
        for (algorithm, admitted) in [("MD5", false), ("MD5-sess", false), ("SHA-256", true), ("SHA-512-256", true)] {
            let header = format!("realm=\"a\", nonce=\"n\", algorithm={algorithm}");
            let expected = (!admitted).then_some(Cause::DigestTooWeak);
            assert_eq!(refusal(&wanted, None, &[&header]), expected, "{algorithm}");
        }
        // The strong one is somebody else's.
        let pinned = rules(Some("a"), Algorithm::Sha256);
        let both = ["realm=\"a\", nonce=\"n\"", "realm=\"b\", nonce=\"n\", algorithm=SHA-256"];
        assert_eq!(refusal(&pinned, None, &both), Some(Cause::DigestTooWeak));
        assert_eq!(refusal(&pinned, None, &[]), None);
    }

    #[test]
    fn what_is_known_only_grows_and_says_when_it_would_not() {
        let weak = offers(&["realm=\"a\", nonce=\"n\""]);
        let strong = offers(&[
            "realm=\"a\", nonce=\"n\"",
            "realm=\"a\", nonce=\"n\", algorithm=SHA-256-sess, qop=\"auth\"",
        ]);
        let (weak_one, strong_one) = (weak.challenges().first().unwrap(), strong.challenges().first().unwrap());
        let little = Known::default().with(weak_one, &weak, false);
        assert!(little.covers(weak_one, &weak, false) && !little.covers(strong_one, &strong, true));
        let much = little.with(strong_one, &strong, true);
        assert!(much.covers(weak_one, &weak, false) && much.covers(strong_one, &strong, true));
        assert_eq!(much.with(weak_one, &weak, false), much);
        assert_eq!(much.www.as_ref().map(|asker| asker.strongest), Some(Algorithm::Sha256));
        assert_eq!(much.proxy, None);
        assert!(much.is_secured() && !little.is_secured() && !little.covers(weak_one, &weak, true));
    }
}

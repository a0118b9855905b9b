//! Answering challenges (RFC 3261 §22, RFC 8760): what to answer, when to stop, and what a second refusal means.

use rand::RngExt as _;
use sip_digest::{Challenge, InfoError, Offers};
use sip_message::{ChallengeSource, Response};

use super::trust::Trust;
use super::{Cause, Cx, Ending, Exchange, Party};
use crate::Goal;
use crate::attempt::{Notice, ReplyNote};
use crate::encode::{Cnonce, Credential};
use crate::texts::Texts;

/// Whom an exchange has answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answered {
    www: bool,
    proxy: bool,
}

impl Answered {
    pub(super) const fn anybody(self) -> bool {
        self.www || self.proxy
    }

    const fn contains(self, source: ChallengeSource) -> bool {
        match source {
            ChallengeSource::Www => self.www,
            ChallengeSource::Proxy => self.proxy,
        }
    }

    const fn insert(&mut self, source: ChallengeSource) {
        match source {
            ChallengeSource::Www => self.www = true,
            ChallengeSource::Proxy => self.proxy = true,
        }
    }
}

/// The ladder's note beside a 401 or 407.
pub(super) fn note(offers: &Offers, texts: &mut Texts) -> ReplyNote {
    if offers.is_empty() {
        return ReplyNote::NoChallenge;
    }
    let names = offers.offered();
    ReplyNote::Challenge {
        offered: match names {
            [only] => texts.share(only),
            _ => texts.share(&names.join(", ")),
        },
        realm: offers.challenges().first().map(|challenge| texts.shown(challenge.realm())),
    }
}

impl Exchange {
    /// A 401 or 407 that offers this.
    pub(super) fn handle_challenge(
        &mut self,
        cx: &mut Cx<'_>,
        party: &mut Party<'_>,
        response: &Response<'_>,
        offers: &Offers,
    ) -> Option<Ending> {
        self.note_offers(cx, offers);
        self.seen.challenged_again |= self.answered.anybody();
        if self.withhold_credentials {
            self.attempt.notice(Notice::CredentialsWithheld(self.uri.text()));
            return Some(Ending::Failed(Cause::Redirected));
        }
        let (Some(secret), Some(_)) = (&party.account.secret, party.account.digest_user()) else {
            // A ping asked whether somebody is there, and somebody is.
            return Some(if self.goal == Goal::Ping {
                Ending::Succeeded
            } else {
                Ending::Failed(Cause::CredentialsMissing)
            });
        };
        let trust = Trust::new(party.account.challenge_rules(), party.dialog.known.as_deref());
        let fresh = [ChallengeSource::Www, ChallengeSource::Proxy].map(|source| trust.strongest(offers, source, secret));
        let nothing = fresh == [None, None];
        self.compare_offers(party, offers);
        if nothing && let Some(cause) = self.refused(cx, party, offers) {
            return Some(self.unanswered(cause));
        }
        if nothing && self.sent_ahead() {
            return self.send_bare(cx, party);
        }
        if nothing {
            self.attempt.words = offers.errors().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return Some(match self.unanswerable(offers, response) {
                cause @ (Cause::MalformedChallenge | Cause::UnsupportedAlgorithm) => self.unanswered(cause),
                cause => Ending::Failed(cause),
            });
        }
        if let Some(cause) = self.judge_repetition(cx, fresh) {
            return Some(Ending::Failed(cause));
        }
        self.count_credentials_on();
        for challenge in fresh.into_iter().flatten() {
            self.adopt(cx, challenge);
            self.remember(cx, party, challenge, offers);
        }
        self.send(cx, party)
    }

    /// The end when no challenge was answered. To a ping, being asked is an answer.
    fn unanswered(&self, cause: Cause) -> Ending {
        if self.goal == Goal::Ping {
            Ending::Succeeded
        } else {
            Ending::Failed(cause)
        }
    }

    /// Whether the request that waits carries the last exchange's credentials and nothing that was asked for in this one.
    pub(super) const fn sent_ahead(&self) -> bool {
        !self.credentials.is_empty() && self.are_old
    }

    /// The registrar has no use for credentials that it did not ask for: the request goes out again without them.
    pub(super) fn send_bare(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>) -> Option<Ending> {
        self.credentials.clear();
        party.dialog.credentials = Box::default();
        self.send(cx, party)
    }

    /// The same challenge is answered once more: RFC 7616 §3.4 wants a nonce count that grows with every request.
    pub(super) fn count_credentials_on(&mut self) {
        for credential in &mut self.credentials {
            credential.nonce_count = credential.nonce_count.saturating_add(1);
        }
    }

    fn note_offers(&mut self, cx: &mut Cx<'_>, offers: &Offers) {
        let auth = &mut self.attempt.auth;
        auth.challenged = true;
        auth.offered.clear();
        auth.offered.extend_from_slice(offers.offered());
        if let Some(challenge) = offers.challenges().first() {
            auth.realm = Some(cx.texts.shown(challenge.realm()));
        }
        for name in offers.unknown_algorithms() {
            self.attempt.notice(Notice::UnknownAlgorithm(name.to_owned()));
        }
    }

    /// What it means that nothing of this can be answered. Whom we answered before has refused our credentials by it.
    fn unanswerable(&self, offers: &Offers, response: &Response<'_>) -> Cause {
        let refuses = match response.status.code() {
            407 => ChallengeSource::Proxy,
            _ => ChallengeSource::Www,
        };
        if self.answered.contains(refuses) || (offers.is_empty() && self.answered.anybody()) {
            return Cause::RejectedWithoutChallenge;
        }
        let readable = !offers.challenges().is_empty() || offers.unknown_algorithms().next().is_some();
        let other_scheme = offers.errors().iter().any(|error| {
            matches!(
                error,
                sip_digest::ChallengeError::UnsupportedScheme(_) | sip_digest::ChallengeError::UnsupportedQop(_)
            )
        });
        if readable || other_scheme {
            Cause::UnsupportedAlgorithm
        } else {
            Cause::MalformedChallenge
        }
    }

    /// A challenge from somebody whom we answered already in this exchange: stale, or wrong.
    fn judge_repetition(&mut self, cx: &Cx<'_>, fresh: [Option<&Challenge>; 2]) -> Option<Cause> {
        let mut fresh = fresh.into_iter().flatten();
        let again = fresh.find(|challenge| self.answered.contains(challenge.source()))?;
        let before = self
            .credentials
            .iter()
            .find(|credential| credential.challenge.source() == again.source())?;
        let rotated = before.challenge.nonce() != again.nonce();
        if again.stale() && again.algorithm() < before.challenge.algorithm() {
            // Whoever can change the algorithm under way may be after a hash that is easier to break. The realm cannot change at all.
            let (first, second) = (before.challenge.algorithm(), again.algorithm());
            self.attempt.notice(Notice::ChallengeChanged { first, second });
            return Some(Cause::WrongCredentials);
        }
        if again.stale() {
            if self.attempt.auth.stale_retries >= cx.policy.stale_retries || !rotated {
                return Some(Cause::StaleLoop);
            }
            self.attempt.auth.stale_retries += 1;
            return None;
        }
        if rotated {
            self.attempt.notice(Notice::NonceRotated);
        }
        Some(Cause::WrongCredentials)
    }

    /// From now on this challenge is answered; the other header's answer stays (RFC 3261 §22.3: 401 and 407 in one exchange).
    fn adopt(&mut self, cx: &mut Cx<'_>, challenge: &Challenge) {
        let source = challenge.source();
        let auth = &mut self.attempt.auth;
        auth.algorithm = Some(challenge.algorithm().name());
        auth.qop = challenge.qop().map(sip_digest::Qop::name);
        auth.realm = Some(cx.texts.shown(challenge.realm()));
        self.are_old = false;
        self.credentials.retain(|credential| credential.challenge.source() != source);
        self.credentials.push(Credential {
            challenge: challenge.clone(),
            nonce_count: 1,
            cnonce: Cnonce::new(cx.rng.random()),
        });
        self.answered.insert(source);
    }

    /// A 2xx: checks the server's own proof, and keeps the credentials for the next exchange. True when the proof is right or absent.
    pub(super) fn verify_server(&mut self, party: &mut Party<'_>, response: &Response<'_>) -> bool {
        let kept = &mut party.dialog.credentials;
        // No more room than they need: they are kept by every registration.
        if kept.len() == self.credentials.len() {
            kept.clone_from_slice(&self.credentials);
        } else {
            *kept = self.credentials.as_slice().into();
        }
        let (Some(secret), Some(user)) = (&party.account.secret, party.account.digest_user()) else {
            return true;
        };
        let Some(Ok(info)) = response.headers.authentication_info() else {
            return true;
        };
        let Some(credential) = party
            .dialog
            .credentials
            .iter_mut()
            .find(|credential| credential.challenge.source() == ChallengeSource::Www)
        else {
            return true;
        };
        let proves = info.param(b"rspauth").is_some();
        let (uri, body) = (self.uri.as_str().as_bytes(), response.body);
        let challenge = &credential.challenge;
        let verified = credential.with_answer(|answer| challenge.verify_info(&info, answer, uri, body, &user, secret));
        self.attempt.auth.server_authenticated = match verified {
            Ok(next) => {
                if let Some(next) = next {
                    credential.challenge = credential.challenge.with_nonce(&next);
                    credential.nonce_count = 0;
                }
                proves.then_some(true)
            }
            // The next nonce is looked at last, after the proof.
            Err(InfoError::NextNonce(_)) => proves.then_some(true),
            Err(error @ (InfoError::Response | InfoError::NonceCount | InfoError::Cnonce)) if proves => {
                self.attempt.words = error.to_string();
                Some(false)
            }
            Err(InfoError::Response | InfoError::NonceCount | InfoError::Cnonce | InfoError::UnsupportedQop(_) | InfoError::Answer(_)) => {
                None
            }
        };
        self.attempt.auth.server_authenticated != Some(false)
    }
}

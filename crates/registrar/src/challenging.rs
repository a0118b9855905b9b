//! Asking for credentials and judging them: RFC 3261 §10.3 step 3, and the proxy in front (§22.3). The arithmetic is `sip-digest`'s.

use crate::Registrar;
use crate::authentication::{Authenticator, Granted, Judgement};
use crate::draft::Draft;
use crate::incoming::Incoming;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The proxy in front.
    Edge,
    /// The registrar itself.
    Registrar,
}

/// Which nonce a challenge has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NonceChoice {
    New,
    /// The one that the refused credentials used; a new one when that is none of ours.
    Same,
}

impl Registrar {
    /// Lets a request pass whose credentials are right. `None` when nobody has to say who it is.
    pub(crate) fn authenticate(&mut self, cx: &Incoming<'_>) -> Result<Option<Granted>, Draft> {
        if self.edge.is_some() {
            self.admit(cx, Asker::Edge)?;
        }
        if self.config.open {
            Ok(None)
        } else {
            self.admit(cx, Asker::Registrar).map(Some)
        }
    }

    fn admit(&mut self, cx: &Incoming<'_>, asker: Asker) -> Result<Granted, Draft> {
        let Self {
            authenticator,
            edge,
            random,
            ..
        } = self;
        let judge = edge.as_mut().filter(|_| asker == Asker::Edge).unwrap_or(authenticator);
        let judgement = judge.judge(cx.now, cx.request, random);
        if let Some(draft) = self.spoil_credentials(cx, asker, &judgement) {
            return Err(draft);
        }
        match judgement {
            Judgement::Granted(granted) => Ok(granted),
            Judgement::Absent => Err(self.challenge(cx, asker, false).note("asked for credentials")),
            Judgement::Stale(why) => Err(self.challenge(cx, asker, true).note(why)),
            Judgement::Refused(refusal) => {
                self.counters.wrong_credentials += 1;
                Err(self.challenge(cx, asker, false).note(refusal.to_string()))
            }
            Judgement::Malformed => Err(Draft::bad_request("Malformed Credentials")),
        }
    }

    /// A 401 or 407 with a new nonce and one challenge for each algorithm.
    pub(crate) fn challenge(&mut self, cx: &Incoming<'_>, asker: Asker, stale: bool) -> Draft {
        self.challenge_with(cx, asker, NonceChoice::New, stale)
    }

    /// The same with the nonce of the refused credentials.
    pub(crate) fn challenge_again(&mut self, cx: &Incoming<'_>, asker: Asker) -> Draft {
        self.challenge_with(cx, asker, NonceChoice::Same, false)
    }

    /// A 401 or 407 that asks for nothing.
    pub(crate) fn bare_refusal(&self, asker: Asker) -> Draft {
        Draft::new(self.asking(asker).challenge_header().0)
    }

    fn challenge_with(&mut self, cx: &Incoming<'_>, asker: Asker, choice: NonceChoice, stale: bool) -> Draft {
        self.counters.challenges += 1;
        let Self {
            authenticator,
            edge,
            random,
            ..
        } = self;
        let judge = edge.as_mut().filter(|_| asker == Asker::Edge).unwrap_or(authenticator);
        let used = match choice {
            NonceChoice::New => None,
            NonceChoice::Same => judge.nonce_of(cx.now, cx.request),
        };
        let nonce = used.unwrap_or_else(|| judge.issue(cx.now, random));
        let ours = judge.challenges(&nonce, stale);
        let (answer, name) = judge.challenge_header();
        let values = self.script_challenges(cx, &nonce, ours);
        values.into_iter().fold(Draft::new(answer), |draft, value| draft.field(name, value))
    }

    fn asking(&self, asker: Asker) -> &Authenticator {
        self.edge.as_ref().filter(|_| asker == Asker::Edge).unwrap_or(&self.authenticator)
    }
}

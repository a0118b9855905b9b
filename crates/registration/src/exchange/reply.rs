//! What each reply means (docs/states.md): one arm a row. Challenges and bindings have files of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip_message::{Contact, Name, OwnedUri, Response, SipUri, StatusClass, unfold};

use super::bindings::Listing;
use super::challenge::{self, Answered};
use super::{Cause, Cx, Ending, Exchange, Goal, Party, Sent, Step};
use crate::Transport;
use crate::attempt::{Bound, Happening, LastReply, Notice, ReplyNote, TargetOutcome, TracedMessage, shown};
use crate::locate::Target;
use crate::parity::Listed;
use crate::report::{Direction, OtherBinding};
use crate::transcript;

/// How many provisional replies of an exchange are shown; all are counted.
const SHOWN_PROVISIONALS: u32 = 8;
/// The longest interval that a 423 may make us ask for, in seconds: a week.
const LONGEST_INTERVAL: u32 = 604_800;

impl Exchange {
    /// A reply to the request that waits.
    pub(crate) fn handle_response(
        &mut self,
        cx: &mut Cx<'_>,
        party: &mut Party<'_>,
        source: SocketAddr,
        response: &Response<'_>,
        bytes: &[u8],
    ) -> Option<Ending> {
        let Step::Waiting { transaction, sent, .. } = &mut self.step else {
            return None;
        };
        // RFC 3261 §8.1.3.3: a reply has one Via.
        let mut vias = response.headers.list(Name::Via);
        let via = vias.next();
        if vias.next().is_some() || !answers(response, sent, self.goal) {
            self.attempt.strays = self.attempt.strays.saturating_add(1);
            return None;
        }
        let challenge = matches!(response.status.code(), 401 | 407);
        if !same_address(source, sent.remote) {
            self.attempt.notice(Notice::OtherSource { source, challenge });
            if challenge {
                // Credentials go to nobody but the peer that the request went to.
                self.attempt.strays = self.attempt.strays.saturating_add(1);
                return None;
            }
        }
        if response.status.class() == StatusClass::Provisional {
            transaction.handle_provisional();
            self.attempt.provisionals = self.attempt.provisionals.saturating_add(1);
            if self.attempt.provisionals <= SHOWN_PROVISIONALS {
                self.note_received(cx, source, response, bytes, ReplyNote::Nothing);
            }
            return None;
        }
        let sent = sent.clone();
        party.dialog.absorbing.answered(cx.now, sent.branch.nonce, cx.policy);
        self.observe(cx, &sent, response, challenge);
        self.compare_echo(cx, party, &sent, via, response);
        if challenge {
            // Taken out while they are looked at, and put back for their room.
            let mut offers = std::mem::take(&mut cx.out.pool.offers);
            offers.read_again(&response.headers);
            let note = challenge::note(&offers, cx.texts);
            self.note_received(cx, source, response, bytes, note);
            let ending = self.handle_challenge(cx, party, response, &offers);
            cx.out.pool.offers = offers;
            return ending;
        }
        let note = self.describe(response);
        self.note_received(cx, source, response, bytes, note);
        self.handle_final(cx, party, &sent, response)
    }

    fn handle_final(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, sent: &Sent, response: &Response<'_>) -> Option<Ending> {
        let failed = |cause| Some(Ending::Failed(cause));
        match (response.status.class(), response.status.code()) {
            (StatusClass::Provisional, _) => None,
            (StatusClass::Success, _) => Some(self.succeed(cx, party, sent, response)),
            (_, 400 | 403) if self.sent_ahead() => self.send_bare(cx, party),
            (_, 408) => failed(Cause::Replied408),
            (_, 503) => self.fail_target(cx, party, Cause::Overloaded),
            (StatusClass::ServerError, _) => failed(Cause::ServerError),
            // Any other final reply to a ping is a sign of life.
            _ if self.goal == Goal::Ping => Some(Ending::Succeeded),
            (StatusClass::Redirection, _) => self.handle_redirect(cx, party, response),
            (StatusClass::ClientError, 403) => failed(Cause::Forbidden),
            (StatusClass::ClientError, 404) => failed(Cause::UnknownUser),
            (StatusClass::ClientError, 423) => self.handle_too_brief(cx, party, response),
            (StatusClass::ClientError, _) => failed(Cause::Rejected),
            (StatusClass::GlobalFailure, _) => failed(Cause::GlobalFailure),
        }
    }

    /// A 2xx.
    fn succeed(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, sent: &Sent, response: &Response<'_>) -> Ending {
        self.attempt.may_be_bound |= self.goal == Goal::Register;
        if response.headers.contacts().next().is_some() {
            self.seen.listed = Listed::Something;
        }
        if contradicts_success(response.reason) {
            self.attempt.notice(Notice::FailurePhrase(cx.texts.shown(response.reason)));
        }
        if !self.verify_server(party, response) {
            return Ending::Failed(Cause::ServerNotAuthenticated);
        }
        match self.goal {
            Goal::Register => self.confirm_binding(party, sent, response),
            Goal::Unregister => self.confirm_removal(party, sent, response),
            Goal::Clear => {
                self.attempt.other_bindings = Listing::read(&response.headers, party, None, 0, None).others;
                let left = self.attempt.other_bindings.iter().any(|binding| binding.expires_s != Some(0));
                if left {
                    Ending::Failed(Cause::BindingNotConfirmed)
                } else {
                    Ending::Succeeded
                }
            }
            Goal::Fetch => {
                self.attempt.other_bindings = Listing::read(&response.headers, party, None, 0, None).others;
                Ending::Succeeded
            }
            Goal::Ping | Goal::Locate => Ending::Succeeded,
        }
    }

    fn confirm_binding(&mut self, party: &Party<'_>, sent: &Sent, response: &Response<'_>) -> Ending {
        let listing = Listing::read(&response.headers, party, Some(&sent.contact), self.expires, self.attempt.seen_as);
        self.note_others(listing.others);
        let Some(ours) = listing.ours else {
            self.note_listing(None);
            return Ending::Failed(Cause::BindingNotConfirmed);
        };
        if ours.rewritten {
            self.attempt.notice(Notice::ContactRewritten {
                sent: Arc::clone(&sent.contact),
                stored: Arc::clone(&ours.stored),
            });
        }
        self.note_listing(Some(ours.granted));
        if ours.granted == 0 {
            return Ending::Failed(Cause::GrantedZero);
        }
        self.attempt.binding = Some(Bound {
            sent: Arc::clone(&sent.contact),
            stored: ours.stored,
            requested: self.expires,
            granted: ours.granted,
            // Counted from the sending: the registrar counts from the arrival, so that we never claim more than it knows.
            valid_until: sent.at + Duration::from_secs(ours.granted.into()),
        });
        Ending::Succeeded
    }

    fn note_others(&mut self, others: Vec<OtherBinding>) {
        // The room of the list is used again.
        self.attempt.other_bindings.clear();
        self.attempt.other_bindings.extend(others);
    }

    /// Puts into the ladder what the last reply granted and listed.
    fn note_listing(&mut self, listed: Option<u32>) {
        let listing = ReplyNote::Listing {
            granted: listed,
            others: self.attempt.other_bindings.len(),
        };
        if let Some(Happening::Received { note, .. }) = self.attempt.steps.last_mut().map(|step| &mut step.happening) {
            *note = listing;
        }
    }

    /// RFC 3261 §10.2.2: the 200 to a removal no longer lists what was removed.
    fn confirm_removal(&mut self, party: &Party<'_>, sent: &Sent, response: &Response<'_>) -> Ending {
        let read = |contact: &Arc<str>| Listing::read(&response.headers, party, Some(contact), 0, self.attempt.seen_as);
        let is_listed = |listing: &Listing| listing.ours.as_ref().is_some_and(|ours| ours.granted > 0);
        let listing = read(&sent.contact);
        let former = sent.former.as_ref().map(read);
        let left = is_listed(&listing) || former.as_ref().is_some_and(is_listed);
        self.attempt.other_bindings = listing.others;
        if left {
            Ending::Failed(Cause::BindingNotConfirmed)
        } else {
            Ending::Succeeded
        }
    }

    /// RFC 3261 §10.3 item 7, §20.23. A removal that came back with an interval would be no removal any more.
    fn handle_too_brief(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, response: &Response<'_>) -> Option<Ending> {
        let minimum = response.headers.min_expires().and_then(Result::ok);
        self.seen.usable_min_expires |= minimum.is_some();
        match minimum {
            Some(minimum)
                if self.goal == Goal::Register
                    && minimum > self.expires
                    && minimum <= LONGEST_INTERVAL
                    && self.brief_retries < cx.policy.brief_retries =>
            {
                self.attempt.notice(Notice::IntervalRaised {
                    asked: self.expires,
                    minimum,
                });
                self.brief_retries += 1;
                self.expires = minimum;
                // Who finds fault with the interval has accepted the credentials: a challenge after this is a new one.
                self.answered = Answered::default();
                party.dialog.least_expires = minimum;
                self.count_credentials_on();
                self.send(cx, party)
            }
            Some(_) | None => Some(Ending::Failed(Cause::IntervalTooBrief)),
        }
    }

    /// RFC 3261 §8.1.3.4: followed only when asked, once, to the first SIP address, and never from `sips:` to `sip:`.
    fn handle_redirect(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, response: &Response<'_>) -> Option<Ending> {
        let addresses: Vec<_> = response
            .headers
            .contacts()
            .filter_map(|contact| match contact {
                Ok(Contact::Address(address)) => Some(address.raw_uri),
                Ok(Contact::Star) | Err(_) => None,
            })
            .take(8)
            .collect();
        for address in &addresses {
            self.attempt.notice(Notice::RedirectedTo(shown(address).into()));
        }
        let secure = party.account.registrar.parts().secure;
        let next = addresses.iter().find_map(|raw| {
            let uri = SipUri::parse(raw).ok().filter(|uri| uri.secure || !secure)?;
            registrar_uri(&uri)
        });
        let may_follow = cx.policy.follow_redirects && !self.redirected;
        self.redirected = true;
        match next {
            Some(next) if may_follow => self.follow(cx, party, &next),
            Some(_) | None => Some(Ending::Failed(Cause::Redirected)),
        }
    }

    fn follow(&mut self, cx: &mut Cx<'_>, party: &mut Party<'_>, next: &OwnedUri) -> Option<Ending> {
        let secured = self
            .endpoint()
            .map(|endpoint| endpoint.transport)
            .filter(|transport| *transport == Transport::Tls);
        self.set_outcome(TargetOutcome::Failed(Cause::Redirected));
        self.withhold_credentials = next.parts().host != party.account.registrar.parts().host;
        self.uri = next.clone();
        self.credentials.clear();
        self.answered = Answered::default();
        self.current = self.attempt.targets.len();
        self.attempt.step(cx.now, Happening::Following(next.text()));
        // The new address says how it is reached, with two exceptions: everything goes by the outbound proxy (RFC 3261 §8.1.2), and
        // what was reached by TLS, for whatever reason, gets nothing less.
        let transport = party.account.transport;
        match (&party.account.outbound_proxy, &party.account.target) {
            (Some(_), Some(target)) => return self.use_targets(cx, party, [Target::clone(target)]),
            (Some(proxy), None) => self.step = Step::locate(cx, proxy, transport),
            (None, _) => self.step = Step::locate(cx, next, secured),
        }
        self.go_on_locating(cx, party)
    }

    /// What every final reply tells beside its status.
    fn observe(&mut self, cx: &mut Cx<'_>, sent: &Sent, response: &Response<'_>, challenge: bool) {
        let headers = &response.headers;
        self.attempt.last_reply = Some(LastReply {
            code: response.status.code(),
            reason: cx.texts.shown(response.reason),
        });
        self.attempt.retry_after = headers.retry_after().and_then(Result::ok).map(|after| after.seconds);
        if let Some(product) = headers.product() {
            self.attempt.product = Some(cx.texts.shown(&unfold(product)));
        }
        for warning in headers.warnings().flatten().take(4) {
            self.attempt.notice(Notice::Warning {
                code: warning.code,
                text: cx.texts.shown(&warning.text),
            });
        }
        let took = Some(cx.now.saturating_duration_since(sent.at));
        if challenge && self.attempt.phases.challenge.is_none() {
            self.attempt.phases.challenge = took;
        } else {
            self.attempt.phases.authenticated = took;
        }
    }

    /// The ladder's note beside a reply that is no challenge.
    fn describe(&self, response: &Response<'_>) -> ReplyNote {
        match (response.status.class(), response.status.code()) {
            (StatusClass::Success, _) => ReplyNote::Nothing,
            (_, 423) => response
                .headers
                .min_expires()
                .and_then(Result::ok)
                .map_or(ReplyNote::Nothing, ReplyNote::AtLeast),
            _ => self.attempt.retry_after.map_or(ReplyNote::Nothing, ReplyNote::RetryAfter),
        }
    }

    fn note_received(&mut self, cx: &Cx<'_>, source: SocketAddr, response: &Response<'_>, bytes: &[u8], note: ReplyNote) {
        let reason = match &self.attempt.last_reply {
            Some(last) if response.status.class() != StatusClass::Provisional => Arc::clone(&last.reason),
            Some(_) | None => shown(response.reason).into(),
        };
        let happening = Happening::Received {
            code: response.status.code(),
            reason,
            note,
        };
        let traced = cx.policy.trace.then(|| TracedMessage {
            direction: Direction::Received,
            peer: source,
            text: transcript::redacted_text(bytes),
        });
        self.attempt.traced_step(cx.now, happening, traced);
    }
}

/// RFC 3261 §17.1.3 beside the branch: the CSeq of our request. One that cannot be read is forgiven, because the branch is ours and
/// nobody else knows it.
fn answers(response: &Response<'_>, sent: &Sent, goal: Goal) -> bool {
    match response.headers.cseq() {
        Some(Ok(cseq)) => cseq.number == sent.cseq && cseq.method.as_bytes() == goal.method().as_bytes(),
        Some(Err(_)) | None => true,
    }
}

/// Whether a reply comes from where the request went to. The scope and flow label of an IPv6 address are the system's own business.
fn same_address(source: SocketAddr, remote: SocketAddr) -> bool {
    (source.ip().to_canonical(), source.port()) == (remote.ip().to_canonical(), remote.port())
}

/// The Request-URI for a redirected REGISTER: host, port and transport, without user (RFC 3261 §10.2).
fn registrar_uri(address: &SipUri<'_>) -> Option<OwnedUri> {
    let scheme = if address.secure { "sips" } else { "sip" };
    let port = address.port.map_or_else(String::new, |port| format!(":{port}"));
    let transport = address.transport().and_then(|name| std::str::from_utf8(name).ok());
    let transport = transport.map_or_else(String::new, |name| format!(";transport={name}"));
    format!("{scheme}:{}{port}{transport}", address.host).parse().ok()
}

/// A phrase that says the opposite of its status: gateways that translate from elsewhere send such things.
fn contradicts_success(reason: &[u8]) -> bool {
    const WORDS: [&str; 10] = [
        "fail",
        "error",
        "denied",
        "forbidden",
        "unauthori",
        "reject",
        "not found",
        "invalid",
        "unavailable",
        "not registered",
    ];
    let has = |word: &&str| reason.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    WORDS.iter().any(has)
}

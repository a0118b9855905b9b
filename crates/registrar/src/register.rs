//! The processing of one REGISTER, step by step as in RFC 3261 §10.3. Not its transport, not its credentials' arithmetic.

use std::time::{Duration, Instant};

use sip_message::{Contact, Name, NameAddr, Request, Uri, unfold};

use crate::aor::Aor;
use crate::authentication::{Granted, Judgement};
use crate::draft::{Answer, Draft};
use crate::echo::Echo;
use crate::location::{Binding, MadeBy, Update, UpdateError};
use crate::{Peer, Registrar};

/// What a REGISTER asks for (RFC 3261 §10.2).
enum Wish<'a> {
    /// No Contact: a list of the bindings.
    Fetch,
    /// `Contact: *` with `Expires: 0`.
    RemoveAll,
    /// Contacts to bind or to remove.
    Update(Vec<NameAddr<'a>>),
}

impl Registrar {
    pub(crate) fn register(&mut self, now: Instant, peer: Peer, request: &Request<'_>, echo: &Echo<'_>) -> Result<Draft, Draft> {
        let aor = self.address(request)?;
        if self.config.unknown_before_challenge && !self.is_known(&aor) {
            return Err(Draft::new(Answer::NOT_FOUND).note("no such user"));
        }
        let granted = self.authenticate(now, request)?;
        self.authorize(&aor, granted.as_ref())?;
        let mut draft = self.carry_out(now, peer, &aor, request, echo)?;
        if let Some(info) = granted.and_then(|granted| granted.info) {
            draft = draft.field("Authentication-Info", info);
        }
        Ok(draft)
    }

    /// Step 5: the address of record that the To names. It is looked at before the credentials, for the log's sake; what is
    /// done about it waits.
    fn address(&self, request: &Request<'_>) -> Result<Aor, Draft> {
        let to = request.headers.to().and_then(Result::ok);
        let uri = to.and_then(|to| to.uri().ok());
        uri.and_then(|uri| uri.sip().and_then(Aor::from_uri))
            .ok_or_else(|| Draft::new(Answer::NOT_FOUND).note("To is no address of a user"))
    }

    /// Step 3: who is asking. `None` when nobody has to say.
    fn authenticate(&mut self, now: Instant, request: &Request<'_>) -> Result<Option<Granted>, Draft> {
        if self.config.open {
            return Ok(None);
        }
        match self.authenticator.judge(now, request, &mut self.random) {
            Judgement::Granted(granted) => Ok(Some(granted)),
            Judgement::Absent => Err(self.challenge(now, false).note("asked for credentials")),
            Judgement::Stale(why) => Err(self.challenge(now, true).note(why)),
            Judgement::Refused(refusal) => {
                self.counters.wrong_credentials += 1;
                Err(self.challenge(now, false).note(refusal.to_string()))
            }
            Judgement::Malformed => Err(Draft::bad_request("Malformed Credentials")),
        }
    }

    /// Step 4, and the second half of step 5. We differ: whoever asks for an address that does not exist hears 404 rather than
    /// 403, because a lab wants to tell a mistyped user from a forbidden one.
    fn authorize(&self, aor: &Aor, granted: Option<&Granted>) -> Result<(), Draft> {
        if !self.is_known(aor) {
            return Err(Draft::new(Answer::NOT_FOUND).note("no such user"));
        }
        if granted.is_some_and(|granted| granted.user != aor.user()) {
            return Err(Draft::new(Answer::FORBIDDEN).note("somebody else's address"));
        }
        Ok(())
    }

    fn is_known(&self, aor: &Aor) -> bool {
        let domains = &self.config.domains;
        let ours = domains.is_empty() || domains.iter().any(|domain| domain.eq_ignore_ascii_case(aor.host()));
        let anybody = self.config.open && self.config.users.is_empty();
        ours && (anybody || self.authenticator.knows(aor.user()))
    }

    /// Steps 6 to 8.
    fn carry_out(&mut self, now: Instant, peer: Peer, aor: &Aor, request: &Request<'_>, echo: &Echo<'_>) -> Result<Draft, Draft> {
        let call_id = echo.call_id.unwrap_or_default();
        let cseq = request.headers.cseq().and_then(Result::ok).map_or(0, |cseq| cseq.number);
        let mut required = None;
        let note = match self.wish(request)? {
            Wish::Fetch => {
                self.counters.fetches += 1;
                String::new()
            }
            Wish::RemoveAll => {
                let removed = self.location.clear(aor, call_id, cseq).map_err(|error| self.refuse(error))?;
                self.counters.removals += 1;
                format!("all {removed} removed, ")
            }
            Wish::Update(contacts) => {
                let outbound = self.outbound(request, echo, &contacts)?;
                required = outbound.then_some("outbound");
                let path: Vec<_> = request.headers.list(Name::Path).map(|hop| unfold(hop).into_owned()).collect();
                let made_by = MadeBy {
                    call_id,
                    cseq,
                    path: if self.config.path { &path } else { &[] },
                    source: peer.source,
                    outbound,
                };
                let updates = self.updates(now, request, &contacts, &made_by)?;
                let binds = updates.iter().any(|update| update.keep);
                self.location.update(aor, updates).map_err(|error| self.refuse(error))?;
                *(if binds {
                    &mut self.counters.registrations
                } else {
                    &mut self.counters.removals
                }) += 1;
                String::new()
            }
        };
        let mut draft = self.confirm(now, aor, request);
        draft.note = format!("{note}{} bound", self.location.bindings(aor).len());
        Ok(match required {
            Some(option) => draft.field("Require", option),
            None => draft,
        })
    }

    /// Step 6: the Contacts, checked as a whole.
    fn wish<'a>(&self, request: &Request<'a>) -> Result<Wish<'a>, Draft> {
        let mut addresses = Vec::new();
        let mut star = false;
        for contact in request.headers.contacts() {
            match contact {
                Ok(Contact::Star) => star = true,
                Ok(Contact::Address(address)) => addresses.push(address),
                Err(_) => return Err(Draft::bad_request("Malformed Contact")),
            }
        }
        match (star, addresses.is_empty()) {
            (true, true) if request.headers.expires() == Some(Ok(0)) => Ok(Wish::RemoveAll),
            (true, true) => Err(Draft::bad_request("Contact * Needs Expires 0")),
            (true, false) => Err(Draft::bad_request("Contact * With Other Contacts")),
            (false, true) => Ok(Wish::Fetch),
            (false, false) => Ok(Wish::Update(addresses)),
        }
    }

    /// RFC 5626 §6: whether `reg-id` counts. Over other hops it does only when the first of them says `ob`.
    fn outbound(&self, request: &Request<'_>, echo: &Echo<'_>, contacts: &[NameAddr<'_>]) -> Result<bool, Draft> {
        let names_flow = |contact: &NameAddr<'_>| contact.instance().is_some() && contact.reg_id().is_some();
        if !self.config.outbound || !lists(request, Name::Supported, "outbound") || !contacts.iter().any(names_flow) {
            return Ok(false);
        }
        let first_hop = request.headers.routes(Name::Path).last().and_then(Result::ok);
        let says_ob = first_hop.is_some_and(|hop| {
            let sip = hop.uri().ok();
            sip.is_some_and(|uri| uri.sip().is_some_and(|uri| uri.params.find("ob").is_some()))
        });
        if echo.is_relayed() && !says_ob {
            return Err(Draft::new(Answer::FIRST_HOP_LACKS_OUTBOUND));
        }
        Ok(true)
    }

    /// Step 7, before anything is changed: what each Contact would become.
    fn updates(&self, now: Instant, request: &Request<'_>, contacts: &[NameAddr<'_>], made_by: &MadeBy<'_>) -> Result<Vec<Update>, Draft> {
        let mut updates = Vec::with_capacity(contacts.len().min(self.config.max_contacts));
        for contact in contacts {
            let asked = self.asked(request, contact);
            if asked > 0 && asked < self.config.min_expires.min(LONGEST_MINIMUM) {
                return Err(Draft::new(Answer::INTERVAL_TOO_BRIEF)
                    .number("Min-Expires", self.config.min_expires)
                    .note(format!("asked for {asked} s")));
            }
            let granted = Duration::from_secs(asked.min(self.config.max_expires).into());
            let binding = Binding::new(contact, now + granted, made_by).ok_or_else(|| Draft::bad_request("Unusable Contact"))?;
            updates.push(Update { binding, keep: asked > 0 });
        }
        Ok(updates)
    }

    /// The expiry that a Contact asks for, in seconds: its own, else the header's, else the default, which also stands in for
    /// what is no number (RFC 3261 §10.2.1.1).
    fn asked(&self, request: &Request<'_>, contact: &NameAddr<'_>) -> u32 {
        let default = self.config.default_expires;
        if contact.params.find("expires").is_some() {
            return contact.expires().unwrap_or(default);
        }
        request.headers.expires().and_then(Result::ok).unwrap_or(default)
    }

    fn refuse(&self, error: UpdateError) -> Draft {
        match error {
            // Kamailio's answer too; RFC 3261 only says that the request fails.
            UpdateError::OldCSeq => Draft::bad_request("CSeq Not Higher Than Before"),
            UpdateError::TooManyContacts | UpdateError::Full => {
                Draft::new(Answer::SERVICE_UNAVAILABLE).number("Retry-After", self.config.retry_after)
            }
        }
        .note(error.to_string())
    }

    /// Step 8: every binding with the seconds that it has left.
    fn confirm(&self, now: Instant, aor: &Aor, request: &Request<'_>) -> Draft {
        let mut draft = Draft::new(Answer::OK);
        draft.contacts = self
            .location
            .bindings(aor)
            .iter()
            .map(|binding| self.contact(now, binding))
            .collect();
        // RFC 3327 §5.3: a Path is shown only to those who understand it.
        if self.config.path && lists(request, Name::Supported, "path") {
            for hop in request.headers.all(Name::Path) {
                draft = draft.field("Path", unfold(hop).into_owned());
            }
        }
        match self.options() {
            "" => draft,
            options => draft.field("Supported", options),
        }
    }

    fn contact(&self, now: Instant, binding: &Binding) -> Vec<u8> {
        let left = binding.expires_at.saturating_duration_since(now);
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let display = if binding.display.is_empty() { &b""[..] } else { b" " };
        let mut value = [&binding.display[..], display, b"<", &binding.uri, b">", &binding.params].concat();
        value.extend_from_slice(format!(";expires={seconds}").as_bytes());
        if self.config.received && !says_where_it_is(binding) {
            value.extend_from_slice(format!(";received=\"sip:{}\"", binding.source).as_bytes());
        }
        value
    }
}

/// RFC 3261 §10.3 step 7: only intervals under an hour may be called too brief.
const LONGEST_MINIMUM: u32 = 3600;

/// True when a list header of option tags has this one.
pub(crate) fn lists(request: &Request<'_>, name: Name, option: &str) -> bool {
    request.headers.list(name).any(|tag| tag.eq_ignore_ascii_case(option.as_bytes()))
}

/// True when the Contact's host and port are where the REGISTER came from.
fn says_where_it_is(binding: &Binding) -> bool {
    let Ok(Uri::Sip(uri)) = Uri::parse(&binding.uri) else {
        return false;
    };
    uri.host.address() == Some(binding.source.ip().to_canonical()) && uri.port.unwrap_or(5060) == binding.source.port()
}

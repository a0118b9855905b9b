//! The processing of one REGISTER, step by step as in RFC 3261 §10.3. Not its transport, not its credentials' arithmetic.

use std::time::{Duration, Instant};

use sip_message::{Contact, Name, NameAddr, Request, Status, Uri, unfold};

use crate::Registrar;
use crate::aor::Aor;
use crate::authentication::Granted;
use crate::draft::Draft;
use crate::incoming::Incoming;
use crate::location::{Binding, MadeBy, Update, UpdateError};

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
    pub(crate) fn register(&mut self, cx: &Incoming<'_>) -> Result<Draft, Draft> {
        let aor = self.address(cx.request)?;
        if self.config.unknown_before_challenge && !self.is_known(&aor) {
            return Err(Draft::new(Status::NOT_FOUND).note("no such user"));
        }
        let granted = self.authenticate(cx)?;
        self.authorize(&aor, granted.as_ref())?;
        let mut draft = self.carry_out(cx, &aor)?;
        if let Some(info) = granted.and_then(|granted| granted.info) {
            draft = draft.field("Authentication-Info", info);
        }
        Ok(self.spoil_confirmation(cx, draft))
    }

    /// Step 5: the address of record that the To names. It is looked at before the credentials, for the log's sake; what is
    /// done about it waits.
    fn address(&self, request: &Request<'_>) -> Result<Aor, Draft> {
        let to = request.headers.to().and_then(Result::ok);
        let uri = to.and_then(|to| to.uri().ok());
        uri.and_then(|uri| uri.sip().and_then(Aor::from_uri))
            .ok_or_else(|| Draft::new(Status::NOT_FOUND).note("To is no address of a user"))
    }

    /// Step 4, and the second half of step 5. We differ: whoever asks for an address that does not exist hears 404 rather than
    /// 403, because a lab wants to tell a mistyped user from a forbidden one.
    fn authorize(&self, aor: &Aor, granted: Option<&Granted>) -> Result<(), Draft> {
        if !self.is_known(aor) {
            return Err(Draft::new(Status::NOT_FOUND).note("no such user"));
        }
        if granted.is_some_and(|granted| granted.user != aor.user()) {
            return Err(Draft::new(Status::FORBIDDEN).note("somebody else's address"));
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
    fn carry_out(&mut self, cx: &Incoming<'_>, aor: &Aor) -> Result<Draft, Draft> {
        let draft = match self.wish(cx.request)? {
            Wish::Fetch => {
                self.counters.fetches += 1;
                self.confirm(cx, aor)
            }
            Wish::RemoveAll => {
                self.script_interval(cx, &[0])?;
                let (call_id, cseq) = (cx.request.headers.call_id().unwrap_or_default(), number(cx.request));
                self.location.clear(aor, call_id, cseq).map_err(|error| self.refuse(error))?;
                self.counters.removals += 1;
                self.confirm(cx, aor)
            }
            Wish::Update(contacts) => self.update(cx, aor, &contacts)?,
        };
        let bound = self.location.bindings(aor).len();
        Ok(draft.note(format!("{bound} bound")))
    }

    fn update(&mut self, cx: &Incoming<'_>, aor: &Aor, contacts: &[NameAddr<'_>]) -> Result<Draft, Draft> {
        let asked: Vec<_> = contacts.iter().map(|contact| self.asked(cx.request, contact)).collect();
        let scripted = self.script_interval(cx, &asked)?;
        let granted = asked
            .into_iter()
            .map(|seconds| self.grant(seconds, scripted))
            .collect::<Result<Vec<_>, _>>()?;
        let outbound = self.outbound(cx, contacts)?;
        let path: Vec<_> = cx.request.headers.list(Name::Path).map(|hop| unfold(hop).into_owned()).collect();
        let made_by = MadeBy {
            call_id: cx.request.headers.call_id().unwrap_or_default(),
            cseq: number(cx.request),
            path: if self.config.path { &path } else { &[] },
            source: cx.peer.source,
            outbound,
        };
        let mut updates = Vec::with_capacity(contacts.len());
        for (contact, seconds) in contacts.iter().zip(granted) {
            let expires_at = cx.now + Duration::from_secs(seconds.into());
            let binding = Binding::new(contact, expires_at, &made_by).ok_or_else(|| Draft::bad_request("Unusable Contact"))?;
            updates.push(Update {
                binding,
                keep: seconds > 0,
            });
        }
        let binds = updates.iter().any(|update| update.keep);
        // A script that grants nothing still lists what was asked for, with `expires=0`.
        let refused = updates.iter().filter(|update| !update.keep && scripted == Some(0));
        let refused: Vec<_> = refused.map(|update| self.contact(cx.now, &update.binding)).collect();
        self.location.update(aor, updates).map_err(|error| self.refuse(error))?;
        *(if binds {
            &mut self.counters.registrations
        } else {
            &mut self.counters.removals
        }) += 1;
        let mut draft = self.confirm(cx, aor);
        draft.contacts.extend(refused);
        Ok(if outbound { draft.field("Require", "outbound") } else { draft })
    }

    /// How many seconds are granted to who asks for so many: 0 to a removal.
    fn grant(&self, asked: u32, scripted: Option<u32>) -> Result<u32, Draft> {
        let min_expires = self.config.min_expires;
        match scripted {
            _ if asked == 0 => Ok(0),
            Some(seconds) => Ok(seconds),
            None if asked < min_expires.min(LONGEST_MINIMUM) => Err(Draft::new(Status::INTERVAL_TOO_BRIEF)
                .number("Min-Expires", min_expires)
                .note(format!("asked for {asked} s"))),
            None => Ok(asked.min(self.config.max_expires)),
        }
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
    fn outbound(&self, cx: &Incoming<'_>, contacts: &[NameAddr<'_>]) -> Result<bool, Draft> {
        let names_flow = |contact: &NameAddr<'_>| contact.instance().is_some() && contact.reg_id().is_some();
        if !self.config.outbound || !lists(cx.request, Name::Supported, "outbound") || !contacts.iter().any(names_flow) {
            return Ok(false);
        }
        let first_hop = cx.request.headers.routes(Name::Path).last().and_then(Result::ok);
        let says_ob = first_hop.is_some_and(|hop| {
            let sip = hop.uri().ok();
            sip.is_some_and(|uri| uri.sip().is_some_and(|uri| uri.params.find("ob").is_some()))
        });
        if cx.echo.is_relayed() && !says_ob {
            return Err(Draft::new(Status::FIRST_HOP_LACKS_OUTBOUND));
        }
        Ok(true)
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
                Draft::new(Status::SERVICE_UNAVAILABLE).number("Retry-After", self.config.retry_after)
            }
        }
        .note(error.to_string())
    }

    /// Step 8: every binding with the seconds that it has left.
    fn confirm(&self, cx: &Incoming<'_>, aor: &Aor) -> Draft {
        let mut draft = Draft::new(Status::OK);
        draft.contacts = self
            .location
            .bindings(aor)
            .iter()
            .map(|binding| self.contact(cx.now, binding))
            .collect();
        // RFC 3327 §5.3: a Path is shown only to those who understand it.
        if self.config.path && lists(cx.request, Name::Supported, "path") {
            for hop in cx.request.headers.all(Name::Path) {
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

/// The CSeq's number, which was checked on arrival.
fn number(request: &Request<'_>) -> u32 {
    request.headers.cseq().and_then(Result::ok).map_or(0, |cseq| cseq.number)
}

/// True when a list header of option tags has this one.
fn lists(request: &Request<'_>, name: Name, option: &str) -> bool {
    request.headers.list(name).any(|tag| tag.eq_ignore_ascii_case(option.as_bytes()))
}

/// True when the Contact's host and port are where the REGISTER came from.
fn says_where_it_is(binding: &Binding) -> bool {
    let Ok(Uri::Sip(uri)) = Uri::parse(&binding.uri) else {
        return false;
    };
    uri.host.address() == Some(binding.source.ip().to_canonical()) && uri.port.unwrap_or(5060) == binding.source.port()
}

//! Requests as bytes (RFC 3261 §10.2, §8.1.1): a pure function of the exchange's state, so that a retransmission is the same again.

use std::borrow::Cow;
use std::net::SocketAddr;

use sip_digest::{Answer, AnswerError, Challenge};
use sip_message::{ChallengeSource, SipUri, Value, Writer};

use crate::branch::Branch;
use crate::{Account, Advertised, CallId, ContactPlan, Goal, Transport};

/// The methods that this user agent knows; see [`crate::answer`] for what each is answered with.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY";

/// What stays the same over the requests of a registration (RFC 3261 §10.2: Call-ID; a refresh also keeps the From tag).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) call_id: CallId,
    pub(crate) from_tag: u64,
}

/// A challenge and what our answer to it adds.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) challenge: Challenge,
    /// How many requests were sent with this nonce, the next one included.
    pub(crate) nonce_count: u32,
    pub(crate) cnonce: Cnonce,
}

/// A client nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cnonce([u8; 16]);

impl Cnonce {
    pub(crate) const fn new(random: u128) -> Self {
        Self(random.to_be_bytes())
    }
}

/// All digits of a number, in lower case.
pub(crate) fn hexadecimal(number: u128) -> [u8; 32] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    digits
}

impl Credential {
    /// Lets digest work with what our answer adds.
    pub(crate) fn with_answer<R>(&self, work: impl FnOnce(&Answer<'_>) -> R) -> R {
        let digits = hexadecimal(u128::from_be_bytes(self.cnonce.0));
        let cnonce = str::from_utf8(&digits).expect("hexadecimal digits are ASCII");
        let nonce_count = self.nonce_count;
        work(&Answer { nonce_count, cnonce })
    }
}

/// One request.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) account: &'a Account,
    pub(crate) goal: Goal,
    pub(crate) identity: &'a Identity,
    pub(crate) branch: Branch,
    pub(crate) cseq: u32,
    pub(crate) transport: Transport,
    /// `sent-by`: the advertised address, or our own.
    pub(crate) sent_by: &'a str,
    /// The Request-URI.
    pub(crate) uri: &'a str,
    /// The Contact URI that is bound or removed.
    pub(crate) contact: &'a str,
    /// A second one to remove.
    pub(crate) former: Option<&'a str>,
    /// The seconds to ask for.
    pub(crate) expires: u32,
    pub(crate) credentials: &'a [Credential],
}

impl Goal {
    /// The request's method; looking up sends none and counts as REGISTER.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Ping => "OPTIONS",
            Self::Register | Self::Unregister | Self::Clear | Self::Fetch | Self::Locate => "REGISTER",
        }
    }
}

impl Outgoing<'_> {
    /// More bytes than it has, told without writing it.
    pub(crate) fn at_most(&self) -> usize {
        // Everything that is the same in all requests and everything whose length is bounded, rounded up.
        const FIXED: usize = 480;
        const FIXED_IN_CREDENTIAL: usize = 360;
        let account = self.account;
        let proxy = account.outbound_proxy.as_ref().map_or(0, |proxy| proxy.as_str().len() + 20);
        let instance = account.instance.as_ref().map_or(0, |instance| 2 * instance.len() + 50);
        let contact = |contact: &str| contact.len() + instance + 40;
        let user = account.digest_user().map_or(0, |user| 3 * user.len());
        let credential = |credential: &Credential| {
            let challenge = &credential.challenge;
            let repeated = challenge.realm().len() + challenge.nonce().len() + challenge.opaque().map_or(0, <[u8]>::len);
            FIXED_IN_CREDENTIAL + user + repeated + self.uri.len()
        };
        FIXED
            + 2 * self.uri.len()
            + 2 * account.aor.as_str().len()
            + self.sent_by.len()
            + proxy
            + contact(self.contact)
            + self.former.map_or(0, contact)
            + account.user_agent.len()
            + self.credentials.iter().map(credential).sum::<usize>()
    }

    /// Writes the request into `out`.
    ///
    /// # Errors
    /// When a credential cannot be computed; `out` is then not a request.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), AnswerError> {
        let mut writer = Writer::request(out, self.goal.method().as_bytes(), self.uri.as_bytes());
        writer.header("Via", |value| {
            // RFC 3581 §3: an empty rport asks the server to say where the request came from.
            value
                .text(b"SIP/2.0/")
                .text(self.transport.via().as_bytes())
                .text(b" ")
                .text(self.sent_by.as_bytes());
            self.branch.write(value.text(b";rport;branch="));
        });
        if let Some(proxy) = &self.account.outbound_proxy {
            writer.header("Route", |value| {
                route(value, proxy.as_str(), proxy.parts().params.find("lr").is_some())
            });
        }
        writer.number("Max-Forwards", 70_u32);
        writer.header("From", |value| {
            value
                .text(b"<")
                .text(self.account.aor.as_str().as_bytes())
                .text(b">;tag=")
                .hexadecimal(self.identity.from_tag.into(), 16);
        });
        writer.header("To", |value| {
            let to = if self.goal == Goal::Ping {
                self.uri
            } else {
                self.account.aor.as_str()
            };
            value.text(b"<").text(to.as_bytes()).text(b">");
        });
        writer.header("Call-ID", |value| {
            value.text(&self.identity.call_id.digits());
        });
        writer.header("CSeq", |value| {
            value.number(self.cseq).text(b" ").text(self.goal.method().as_bytes());
        });
        self.contact_and_expires(&mut writer);
        writer.text("User-Agent", self.account.user_agent.as_bytes()).text("Allow", ALLOW);
        writer.text("Supported", self.account.supported());
        self.authorize(&mut writer)?;
        writer.finish(b"");
        Ok(())
    }

    fn contact_and_expires(&self, writer: &mut Writer<'_>) {
        match self.goal {
            Goal::Register => {
                writer.header("Contact", |value| self.contact_value(value, self.contact, self.expires));
                writer.number("Expires", self.expires);
            }
            // RFC 3261 §10.2.2: one binding goes with expires 0, all of them with `*`.
            Goal::Unregister => {
                for contact in [self.contact].into_iter().chain(self.former) {
                    writer.header("Contact", |value| self.contact_value(value, contact, 0));
                }
                writer.number("Expires", 0_u32);
            }
            Goal::Clear => {
                writer.text("Contact", "*").number("Expires", 0_u32);
            }
            // RFC 3261 §10.2.3: a REGISTER without Contact asks for the bindings and touches none.
            Goal::Fetch | Goal::Locate => {}
            Goal::Ping => {
                writer.header("Contact", |value| {
                    value.text(b"<").text(self.contact.as_bytes()).text(b">");
                });
                writer.text("Accept", "application/sdp");
            }
        }
    }

    fn contact_value(&self, value: &mut Value<'_>, contact: &str, expires: u32) {
        value.text(b"<").text(contact.as_bytes()).text(b">");
        if let Some(instance) = &self.account.instance {
            // RFC 5626 §4.1: the instance in angle brackets, as a quoted string.
            // Quoted by parts: angle brackets need no escape.
            value.text(b";+sip.instance=\"<").escaped(instance.as_bytes()).text(b">\"");
            if let Some(reg_id) = self.account.reg_id {
                value.text(b";reg-id=").number(reg_id.get());
            }
        }
        value.text(b";expires=").number(expires);
    }

    fn authorize(&self, writer: &mut Writer<'_>) -> Result<(), AnswerError> {
        let (Some(secret), Some(user)) = (&self.account.secret, self.account.digest_user()) else {
            return Ok(());
        };
        let request = sip_digest::Request {
            method: self.goal.method().as_bytes(),
            uri: self.uri.as_bytes(),
            body: b"",
        };
        let mut written = Ok(());
        for credential in self.credentials {
            let name = match credential.challenge.source() {
                ChallengeSource::Www => "Authorization",
                ChallengeSource::Proxy => "Proxy-Authorization",
            };
            writer.header(name, |value| {
                let challenge = &credential.challenge;
                written = written.and(credential.with_answer(|answer| challenge.write_answer(value, answer, &request, &user, secret)));
            });
        }
        written
    }
}

impl Advertised {
    /// `sent-by` on a flow with this local address.
    pub(crate) fn sent_by(&self, local: SocketAddr) -> impl std::fmt::Display + '_ {
        let port = self.port.unwrap_or(local.port());
        std::fmt::from_fn(move |f| write!(f, "{}:{port}", self.host))
    }
}

impl Account {
    /// The user name for digest: the configured one, or the AOR's user without escapes.
    pub(crate) fn digest_user(&self) -> Option<Cow<'_, str>> {
        if let Some(user) = &self.auth_user {
            return Some(Cow::Borrowed(user));
        }
        let escaped = SipUri::user_of(self.aor.as_str().as_bytes())?;
        Some(match str::from_utf8(escaped) {
            Ok(plain) if !plain.contains('%') => Cow::Borrowed(plain),
            Ok(_) | Err(_) => Cow::Owned(String::from_utf8_lossy(&self.aor.parts().user_name()?).into_owned()),
        })
    }

    /// The option tags of Supported.
    pub(crate) const fn supported(&self) -> &'static str {
        match (&self.instance, self.reg_id) {
            (None, _) => "path",
            (Some(_), None) => "path, gruu",
            (Some(_), Some(_)) => "path, gruu, outbound",
        }
    }

    /// Writes the Contact URI on a flow where we are `sent_by` into `out`, whose old content goes.
    pub(crate) fn write_contact(&self, out: &mut String, transport: Transport, sent_by: &str) {
        out.clear();
        let user = match &self.contact {
            ContactPlan::Fixed(uri) => return out.push_str(uri.as_str()),
            ContactPlan::Automatic { user } => user,
        };
        let (scheme, suffix) = match transport {
            // RFC 5630 §3.1: a sips Request-URI wants a sips Contact, and needs no transport parameter.
            _ if self.registrar.is_secure() => ("sips:", ""),
            Transport::Udp => ("sip:", ""),
            Transport::Tcp => ("sip:", ";transport=tcp"),
            Transport::Tls => ("sip:", ";transport=tls"),
        };
        out.push_str(scheme);
        escape_user(out, user);
        for part in ["@", sent_by, suffix] {
            out.push_str(part);
        }
    }
}

/// RFC 3261 §8.1.2: the outbound proxy is a preloaded route; without `lr` it would be a strict router of RFC 2543.
fn route(value: &mut Value<'_>, proxy: &str, loose: bool) {
    value.text(b"<").text(proxy.as_bytes()).text(if loose { b">" } else { b";lr>" });
}

/// The user part with everything escaped that RFC 3261 §25.1 does not allow in it.
fn escape_user(out: &mut String, user: &str) {
    use std::fmt::Write as _;
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sip_digest::{Offers, Secret};
    use sip_message::Message;

    use super::*;
    use crate::tests::account;
    use crate::{Goal, Key};

    const GOALS: [Goal; 5] = [Goal::Register, Goal::Unregister, Goal::Clear, Goal::Fetch, Goal::Ping];

    fn offers(algorithm: &str, opaque: &str) -> Offers {
        let challenge = format!(
            "Digest realm=\"{opaque}\", nonce=\"{opaque}\", opaque=\"{opaque}\", algorithm={algorithm}, qop=\"auth-int\", userhash={}",
            opaque.len().is_multiple_of(2)
        );
        let reply = format!("SIP/2.0 401 U\r\nWWW-Authenticate: {challenge}\r\nProxy-Authenticate: {challenge}\r\n\r\n");
        Offers::read(Message::parse(reply.as_bytes()).unwrap().headers())
    }

    /// A usual request that has everything: a proxy, an instance, a former Contact, credentials. An estimate far above its length would
    /// have every request written once more only to be measured.
    #[test]
    fn a_request_is_not_much_shorter_than_it_is_told_to_be_at_most() {
        let account = Account {
            auth_user: Some("alice-at-work".into()),
            secret: Some(Secret::Password("x".into())),
            instance: Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into()),
            reg_id: std::num::NonZeroU32::new(1),
            outbound_proxy: Some("sip:edge.example.test;transport=tls".parse().unwrap()),
            ..account()
        };
        let credentials: Vec<Credential> = offers("SHA-256", "example.test")
            .challenges()
            .iter()
            .map(|challenge| Credential {
                challenge: challenge.clone(),
                nonce_count: 1,
                cnonce: Cnonce::new(u128::MAX),
            })
            .collect();
        let outgoing = Outgoing {
            account: &account,
            goal: Goal::Register,
            identity: &Identity {
                call_id: CallId::new(u128::MAX),
                from_tag: u64::MAX,
            },
            branch: Branch {
                key: Key { index: 1, generation: 1 },
                nonce: u64::MAX,
            },
            cseq: 1,
            transport: Transport::Udp,
            sent_by: "192.0.2.1:40000",
            uri: "sip:registrar.example.test",
            contact: "sip:alice@192.0.2.1:40000",
            former: Some("sip:alice@192.0.2.1:40001"),
            expires: 3600,
            credentials: &credentials,
        };
        let mut written = Vec::new();
        outgoing.write(&mut written).unwrap();
        let above = outgoing.at_most() - written.len();
        // What is rounded up in `FIXED`, in a Contact's parameters and in two credentials.
        assert!((600..640).contains(&above), "{above} above {}", written.len());
    }

    proptest! {
        #[test]
        fn no_request_is_longer_than_it_is_told_to_be_at_most(
            goal in 0_usize..5,
            algorithm in prop::sample::select(vec!["MD5", "SHA-256-sess", "SHA-512-256-sess"]),
            (user, instance, opaque, agent) in ("\\PC{1,60}", "\\PC{0,60}", "[a-z]{0,80}", "[ -~]{0,80}"),
            (contact, former, proxy, numbers) in ("[a-z]{1,60}", prop::option::of("[a-z]{1,60}"), any::<bool>(), any::<[u32; 4]>()),
        ) {
            let [cseq, expires, index, generation] = numbers;
            let account = Account {
                auth_user: Some(user.into()),
                secret: Some(Secret::Password("x".into())),
                instance: Some(instance.into()),
                reg_id: std::num::NonZeroU32::new(u32::MAX),
                outbound_proxy: proxy.then(|| "sip:edge.example.test:65535;transport=tls".parse().unwrap()),
                user_agent: agent.into(),
                ..account()
            };
            let credentials: Vec<Credential> = offers(algorithm, &opaque)
                .challenges()
                .iter()
                .map(|challenge| Credential { challenge: challenge.clone(), nonce_count: u32::MAX, cnonce: Cnonce::new(u128::MAX) })
                .collect();
            let outgoing = Outgoing {
                account: &account,
                goal: GOALS[goal],
                identity: &Identity { call_id: CallId::new(u128::MAX), from_tag: u64::MAX },
                branch: Branch { key: Key { index, generation }, nonce: u64::MAX },
                cseq,
                transport: Transport::Udp,
                sent_by: "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
                uri: "sip:registrar.example.test:65535;transport=udp",
                contact: &contact,
                former: former.as_deref(),
                expires,
                credentials: &credentials,
            };
            let mut written = Vec::new();
            outgoing.write(&mut written).unwrap();
            prop_assert!(written.len() <= outgoing.at_most(), "{} of {}", written.len(), outgoing.at_most());
        }
    }
}

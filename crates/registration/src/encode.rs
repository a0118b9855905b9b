//! Requests as bytes (RFC 3261 §10.2, §8.1.1): a pure function of the exchange's state, so that a retransmission is the same again.

use std::borrow::Cow;
use std::net::SocketAddr;

use sip_digest::{Answer, AnswerError, Challenge};
use sip_message::{ChallengeSource, Value, Writer};

use crate::branch::Branch;
use crate::{Account, Advertised, ContactPlan, Goal, Transport, host_port};

/// The methods that this user agent knows; see [`crate::answer`] for what each is answered with.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY";

/// What stays the same over the requests of a registration (RFC 3261 §10.2: Call-ID; a refresh also keeps the From tag).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) call_id: u128,
    pub(crate) from_tag: u64,
}

/// A challenge and our answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) challenge: Challenge,
    pub(crate) answer: Answer,
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
    pub(crate) local: SocketAddr,
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

impl Identity {
    /// The Call-ID as it goes out.
    pub(crate) fn call_id(&self) -> impl std::fmt::Display + use<> {
        let call_id = self.call_id;
        std::fmt::from_fn(move |f| write!(f, "{call_id:032x}"))
    }
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
                .text(self.sent_by().as_bytes());
            value.text(b";rport;branch=").display(self.branch);
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
                .display(format_args!("{:016x}", self.identity.from_tag));
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
            value.display(self.identity.call_id());
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

    /// `sent-by`: the advertised address, or our own.
    pub(crate) fn sent_by(&self) -> String {
        shown_address(self.account.advertise.as_ref(), self.local)
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
            value.text(b";+sip.instance=").quoted(format!("<{instance}>").as_bytes());
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
                written = written.and(
                    credential
                        .challenge
                        .write_answer(value, &credential.answer, &request, &user, secret),
                );
            });
        }
        written
    }
}

impl Account {
    /// The user name for digest: the configured one, or the AOR's user without escapes.
    pub(crate) fn digest_user(&self) -> Option<Cow<'_, str>> {
        if let Some(user) = &self.auth_user {
            return Some(Cow::Borrowed(user));
        }
        let escaped = self.aor.parts().user?;
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

    /// The Contact URI on a flow with this local address.
    pub(crate) fn contact_uri(&self, transport: Transport, local: SocketAddr) -> String {
        let user = match &self.contact {
            ContactPlan::Fixed(uri) => return uri.as_str().to_owned(),
            ContactPlan::Automatic { user } => user,
        };
        let secure = self.registrar.parts().secure;
        let (scheme, suffix) = match transport {
            // RFC 5630 §3.1: a sips Request-URI wants a sips Contact, and needs no transport parameter.
            _ if secure => ("sips", ""),
            Transport::Udp => ("sip", ""),
            Transport::Tcp => ("sip", ";transport=tcp"),
            Transport::Tls => ("sip", ";transport=tls"),
        };
        format!(
            "{scheme}:{}@{}{suffix}",
            escaped_user(user),
            shown_address(self.advertise.as_ref(), local)
        )
    }
}

fn shown_address(advertised: Option<&Advertised>, local: SocketAddr) -> String {
    match advertised {
        Some(Advertised { host, port }) => format!("{host}:{}", port.unwrap_or(local.port())),
        None => host_port(local),
    }
}

/// RFC 3261 §8.1.2: the outbound proxy is a preloaded route; without `lr` it would be a strict router of RFC 2543.
fn route(value: &mut Value<'_>, proxy: &str, loose: bool) {
    value.text(b"<").text(proxy.as_bytes()).text(if loose { b">" } else { b";lr>" });
}

/// The user part with everything escaped that RFC 3261 §25.1 does not allow in it.
fn escaped_user(user: &str) -> String {
    use std::fmt::Write as _;
    user.bytes().fold(String::with_capacity(user.len()), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

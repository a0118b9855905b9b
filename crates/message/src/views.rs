//! The typed views of a message's headers, each parsed when asked for. A malformed one is an error of its own, never of the message.

use crate::value::seconds;
use crate::{
    AddressError, AuthError, AuthenticationInfo, CSeq, Challenge, ChallengeField, ChallengeSource, Contact, Credentials, Headers, Name,
    NameAddr, Reason, RetryAfter, ValueError, Via, ViaError, Warning,
};

impl<'a> Headers<'a> {
    /// The topmost Via.
    #[must_use]
    pub fn via(&self) -> Option<Result<Via<'a>, ViaError>> {
        self.vias().next()
    }

    /// All Via elements, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, ViaError>> + '_ {
        self.list(Name::Via).map(Via::parse)
    }

    /// From.
    #[must_use]
    pub fn from(&self) -> Option<Result<NameAddr<'a>, AddressError>> {
        self.first(Name::From).map(NameAddr::parse)
    }

    /// To.
    #[must_use]
    pub fn to(&self) -> Option<Result<NameAddr<'a>, AddressError>> {
        self.first(Name::To).map(NameAddr::parse)
    }

    /// Call-ID, as it stands.
    #[must_use]
    pub fn call_id(&self) -> Option<&'a [u8]> {
        self.first(Name::CallId)
    }

    /// CSeq.
    #[must_use]
    pub fn cseq(&self) -> Option<Result<CSeq<'a>, ValueError>> {
        self.first(Name::CSeq).map(CSeq::parse)
    }

    /// All Contact elements; a malformed one does not hide those after it.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'a>, AddressError>> + '_ {
        self.list(Name::Contact).map(Contact::parse)
    }

    /// Expires, in seconds.
    #[must_use]
    pub fn expires(&self) -> Option<Result<u32, ValueError>> {
        self.first(Name::Expires).map(seconds)
    }

    /// Min-Expires, in seconds.
    #[must_use]
    pub fn min_expires(&self) -> Option<Result<u32, ValueError>> {
        self.first(Name::MinExpires).map(seconds)
    }

    /// Max-Forwards.
    #[must_use]
    pub fn max_forwards(&self) -> Option<Result<u32, ValueError>> {
        self.first(Name::MaxForwards).map(seconds)
    }

    /// Flow-Timer, in seconds: how often a registrar wants to hear a keep-alive (RFC 5626 §4.4).
    #[must_use]
    pub fn flow_timer(&self) -> Option<Result<u32, ValueError>> {
        self.named("Flow-Timer").map(seconds)
    }

    /// Retry-After.
    #[must_use]
    pub fn retry_after(&self) -> Option<Result<RetryAfter<'a>, ValueError>> {
        self.first(Name::RetryAfter).map(RetryAfter::parse)
    }

    /// All challenges, WWW-Authenticate before Proxy-Authenticate, each header parsed on its own.
    pub fn challenges(&self) -> impl Iterator<Item = ChallengeField<'a>> + '_ {
        let of = |name, source| {
            self.all(name)
                .flat_map(Challenge::parse_list)
                .map(move |challenge| ChallengeField { source, challenge })
        };
        of(Name::WwwAuthenticate, ChallengeSource::Www).chain(of(Name::ProxyAuthenticate, ChallengeSource::Proxy))
    }

    /// The Authorization (`Www`) or Proxy-Authorization (`Proxy`) credentials, one for each header.
    pub fn credentials(&self, source: ChallengeSource) -> impl Iterator<Item = Result<Credentials<'a>, AuthError>> + '_ {
        let name = match source {
            ChallengeSource::Www => Name::Authorization,
            ChallengeSource::Proxy => Name::ProxyAuthorization,
        };
        self.all(name).map(Credentials::parse)
    }

    /// Authentication-Info.
    #[must_use]
    pub fn authentication_info(&self) -> Option<Result<AuthenticationInfo<'a>, AuthError>> {
        self.first(Name::AuthenticationInfo).map(AuthenticationInfo::parse)
    }

    /// The elements of Path, Service-Route, Record-Route or Route, in order.
    pub fn routes(&self, name: Name) -> impl Iterator<Item = Result<NameAddr<'a>, AddressError>> + '_ {
        self.list(name).map(NameAddr::parse)
    }

    /// What the peer says that it is: Server, or else User-Agent.
    #[must_use]
    pub fn product(&self) -> Option<&'a [u8]> {
        self.first(Name::Server)
            .or_else(|| self.first(Name::UserAgent))
            .filter(|value| !value.is_empty())
    }

    /// All Warning elements.
    pub fn warnings(&self) -> impl Iterator<Item = Result<Warning<'a>, ValueError>> + '_ {
        self.list(Name::Warning).map(Warning::parse)
    }

    /// All Reason elements.
    pub fn reasons(&self) -> impl Iterator<Item = Result<Reason<'a>, ValueError>> + '_ {
        self.list(Name::Reason).map(Reason::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[test]
    fn one_bad_header_hides_no_other() {
        let bytes =
            b"SIP/2.0 200 OK\r\nv: nonsense\r\nContact: <sip:a@h;expires=60, <sip:b@h>;expires=30\r\nm: sip:c@h\r\nExpires: soon\r\n\
            WWW-Authenticate: Digest realm=\"open\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nCSeq: 1 REGISTER\r\n\r\n";
        let message = Message::parse(bytes).unwrap();
        let headers = message.headers();
        assert_eq!(headers.via(), Some(Err(ViaError::Protocol)));
        assert_eq!(headers.expires(), Some(Err(ValueError::Number)));
        assert_eq!(headers.cseq().unwrap().unwrap().number, 1);
        let contacts: Vec<_> = headers.contacts().map(|contact| contact.is_ok()).collect();
        assert_eq!(contacts, [false, true, true]);
        let challenges: Vec<_> = headers.challenges().map(|field| field.challenge.is_ok()).collect();
        assert_eq!(challenges, [false, true]);
    }

    #[test]
    fn small_numbers_are_read_or_refused() {
        let message = Message::parse(b"SIP/2.0 200 OK\r\nMax-Forwards: 0068\r\nflow-timer: 120\r\nMin-Expires:\r\n\r\n").unwrap();
        assert_eq!(message.headers().max_forwards(), Some(Ok(68)));
        assert_eq!(message.headers().flow_timer(), Some(Ok(120)));
        assert_eq!(message.headers().min_expires(), Some(Err(ValueError::Number)));
    }

    #[test]
    fn proxy_and_server_challenges_are_told_apart() {
        let bytes = b"SIP/2.0 407 P\r\nProxy-Authenticate: Digest realm=\"p\", nonce=\"1\"\r\nWWW-Authenticate: Digest realm=\"w\", nonce=\"2\"\r\n\r\n";
        let message = Message::parse(bytes).unwrap();
        let sources: Vec<_> = message.headers().challenges().map(|field| field.source).collect();
        assert_eq!(sources, [ChallengeSource::Www, ChallengeSource::Proxy]);
    }

    #[test]
    fn the_product_is_server_or_user_agent() {
        let message = Message::parse(b"SIP/2.0 200 OK\r\nUser-Agent: ua\r\nServer:\r\n\r\n").unwrap();
        assert_eq!(message.headers().product(), None);
        let message = Message::parse(b"SIP/2.0 200 OK\r\nUser-Agent: ua\r\n\r\n").unwrap();
        assert_eq!(message.headers().product(), Some(&b"ua"[..]));
    }
}

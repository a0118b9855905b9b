//! What every reply repeats of its request: Via, From, To, Call-ID, CSeq (RFC 3261 §8.2.6.2), and where it is sent (§18.2.2, RFC 3581).
//! Not the decision what to reply: that is the server's.

use std::net::{IpAddr, SocketAddr};

use crate::{Host, Name, NameAddr, Request, Via, Writer, unfold};

/// The headers of a request that its reply copies.
#[derive(Debug, Clone)]
pub struct Echo<'a> {
    /// The topmost Via: the hop that the reply goes to.
    pub top: Via<'a>,
    /// Its own bytes.
    pub top_element: &'a [u8],
    lower: Vec<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    cseq: Option<&'a [u8]>,
}

impl<'a> Echo<'a> {
    /// `None` without a readable top Via: then nobody can be answered.
    #[must_use]
    pub fn read(request: &Request<'a>) -> Option<Self> {
        let headers = &request.headers;
        let mut vias = headers.list(Name::Via);
        let top_element = vias.next()?;
        let top = Via::parse(top_element).ok()?;
        let lower = vias.collect();
        Some(Self {
            top,
            top_element,
            lower,
            from: headers.first(Name::From),
            to: headers.first(Name::To),
            call_id: headers.call_id(),
            cseq: headers.first(Name::CSeq),
        })
    }

    /// True when the request came over other hops.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        !self.lower.is_empty()
    }

    /// Where the reply to a request from `source` goes; over a `reliable` transport that is the connection it came on. RFC 3581 §4:
    /// with `rport` back to where the request came from; RFC 3261 §18.2.2: without, to the port in `sent-by`. We differ: a `maddr` is
    /// not obeyed, it would let a request aim replies at others.
    #[must_use]
    pub fn destination(&self, source: SocketAddr, reliable: bool) -> SocketAddr {
        if reliable || self.top.params.find("rport").is_some() {
            return source;
        }
        let mut destination = source;
        destination.set_port(self.top.port.unwrap_or(5060));
        destination
    }

    /// Writes all of them, Via first. `source` is where the request is said to have come from.
    pub fn write(&self, writer: &mut Writer<'_>, source: SocketAddr, tag: &str) {
        for via in self.vias(source) {
            writer.text("Via", via);
        }
        self.write_dialog(writer, tag);
    }

    /// Writes From, To, Call-ID and CSeq, as far as the request has them. `tag` goes into a To that has none.
    pub fn write_dialog(&self, writer: &mut Writer<'_>, tag: &str) {
        let repeated = [
            ("From", self.from()),
            ("To", self.to(tag)),
            ("Call-ID", self.call_id()),
            ("CSeq", self.cseq()),
        ];
        for (name, value) in repeated {
            if let Some(value) = value {
                writer.text(name, value);
            }
        }
    }

    /// The values of the reply's Via headers.
    pub fn vias(&self, source: SocketAddr) -> impl Iterator<Item = Vec<u8>> + '_ {
        let lower = self.lower.iter().map(|via| unfold(via).into_owned());
        std::iter::once(self.top_via(source)).chain(lower)
    }

    /// The reply's From.
    #[must_use]
    pub fn from(&self) -> Option<Vec<u8>> {
        self.from.map(|from| unfold(from).into_owned())
    }

    /// The reply's To, which has a tag (RFC 3261 §8.2.6.2).
    #[must_use]
    pub fn to(&self, tag: &str) -> Option<Vec<u8>> {
        let mut to = unfold(self.to?).into_owned();
        if NameAddr::parse(&to).is_ok_and(|to| to.tag().is_none()) {
            to.extend_from_slice(b";tag=");
            to.extend_from_slice(tag.as_bytes());
        }
        Some(to)
    }

    /// The reply's Call-ID.
    #[must_use]
    pub fn call_id(&self) -> Option<Vec<u8>> {
        self.call_id.map(|call_id| unfold(call_id).into_owned())
    }

    /// The reply's CSeq.
    #[must_use]
    pub fn cseq(&self) -> Option<Vec<u8>> {
        self.cseq.map(|cseq| unfold(cseq).into_owned())
    }

    /// RFC 3261 §18.2.1 and RFC 3581 §4: `received` when the sender is not who it says, or asked with `rport`, which is filled in.
    fn top_via(&self, source: SocketAddr) -> Vec<u8> {
        let params = self.top.params.as_bytes();
        let before_params = self.top_element.len().saturating_sub(params.len());
        let mut via = unfold(self.top_element.get(..before_params).unwrap_or_default()).into_owned();
        let asked = self.top.params.find("rport").is_some();
        for param in self.top.params.iter() {
            if param.name.eq_ignore_ascii_case(b"received") {
                continue;
            }
            via.push(b';');
            via.extend_from_slice(param.name);
            if param.name.eq_ignore_ascii_case(b"rport") {
                via.extend_from_slice(format!("={}", source.port()).as_bytes());
            } else if let Some(value) = param.value {
                via.push(b'=');
                via.extend_from_slice(value);
            }
        }
        if asked || self.top.host != Host::Address(canonical(source.ip())) {
            via.extend_from_slice(format!(";received={}", canonical(source.ip())).as_bytes());
        }
        via
    }
}

/// An IPv4 peer of an IPv6 socket is an IPv4 peer.
const fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Status};

    const PEER: &str = "192.0.2.9:40000";

    fn request(via: &str) -> Vec<u8> {
        format!("REGISTER sip:a SIP/2.0\r\n{via}\r\nTo: <sip:a@h>\r\n\r\n").into_bytes()
    }

    fn with_echo<T>(via: &str, look: impl FnOnce(&Echo<'_>, SocketAddr) -> T) -> T {
        let bytes = request(via);
        let Message::Request(request) = Message::parse(&bytes).unwrap() else {
            panic!()
        };
        look(&Echo::read(&request).unwrap(), PEER.parse().unwrap())
    }

    fn vias(via: &str) -> Vec<String> {
        with_echo(via, |echo, source| echo.vias(source).collect::<Vec<_>>())
            .into_iter()
            .map(|via| String::from_utf8(via).unwrap())
            .collect()
    }

    #[test]
    fn rport_is_filled_in_and_received_follows() {
        assert_eq!(
            vias("Via: SIP/2.0/UDP 192.0.2.9:5060;rport;branch=z9hG4bKx,\r\n SIP/2.0/UDP b;received=1.2.3.4"),
            [
                "SIP/2.0/UDP 192.0.2.9:5060;rport=40000;branch=z9hG4bKx;received=192.0.2.9",
                "SIP/2.0/UDP b;received=1.2.3.4"
            ]
        );
    }

    #[test]
    fn received_is_added_only_when_the_sender_is_not_who_it_says() {
        assert_eq!(vias("v: SIP/2.0/UDP 192.0.2.9;branch=1"), ["SIP/2.0/UDP 192.0.2.9;branch=1"]);
        assert_eq!(
            vias("v: SIP/2.0/UDP h:5070;received=6.6.6.6;branch=1"),
            ["SIP/2.0/UDP h:5070;branch=1;received=192.0.2.9"]
        );
    }

    #[test]
    fn the_reply_goes_to_the_source_port_with_rport_and_to_sent_by_without() {
        let port = |via: &str| with_echo(via, |echo, source| echo.destination(source, false).port());
        assert_eq!(port("Via: SIP/2.0/UDP h:5070;rport;branch=1"), 40000);
        assert_eq!(port("Via: SIP/2.0/UDP h:5070;branch=1"), 5070);
        assert_eq!(port("Via: SIP/2.0/UDP h;branch=1"), 5060);
        let reliable = with_echo("Via: SIP/2.0/TCP h;branch=1", |echo, source| echo.destination(source, true));
        assert_eq!(reliable.port(), 40000);
        // A link-local address is of no use without its link.
        let scoped = |port| format!("[fe80::1%7]:{port}").parse::<SocketAddr>().unwrap();
        let to = with_echo("Via: SIP/2.0/UDP h:5070;branch=1", |echo, _| echo.destination(scoped(40000), false));
        assert_eq!(to, scoped(5070));
    }

    #[test]
    fn a_second_via_says_that_a_request_came_over_other_hops() {
        let is_relayed = |headers| with_echo(headers, |echo, _| echo.is_relayed());
        assert!(!is_relayed("Via: SIP/2.0/UDP h"));
        assert!(is_relayed("Via: SIP/2.0/UDP h, SIP/2.0/TCP other"));
        assert!(is_relayed("Via: SIP/2.0/UDP h\r\nVia: SIP/2.0/TCP other"));
    }

    /// RFC 3261 §8.2.6.2.
    #[test]
    fn a_reply_repeats_what_its_request_said_via_first() {
        let request = "REGISTER sip:h SIP/2.0\r\nv: SIP/2.0/UDP h;rport , SIP/2.0/TCP other\r\nCSeq: 7\r\n REGISTER\r\ni: call\r\n\
                       t: <sip:a@h>\r\nf: \"A\"\r\n <sip:a@h>;tag=1\r\n\r\n";
        let Ok(Message::Request(request)) = Message::parse(request.as_bytes()) else {
            panic!()
        };
        let mut reply = Vec::new();
        let mut writer = Writer::response(&mut reply, Status::OK, b"OK");
        Echo::read(&request).unwrap().write(&mut writer, PEER.parse().unwrap(), "t");
        writer.finish(b"");
        assert_eq!(
            String::from_utf8(reply).unwrap(),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;rport=40000;received=192.0.2.9\r\nVia: SIP/2.0/TCP other\r\nFrom: \"A\" <sip:a@h>;tag=1\r\n\
             To: <sip:a@h>;tag=t\r\nCall-ID: call\r\nCSeq: 7 REGISTER\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn to_gets_a_tag_only_when_it_has_none() {
        let to = |to: &'static [u8]| {
            with_echo("Via: SIP/2.0/UDP h", |echo, _| {
                Echo {
                    to: Some(to),
                    ..echo.clone()
                }
                .to("t")
                .map(|to| String::from_utf8(to).unwrap())
            })
        };
        assert_eq!(to(b"<sip:a@h>").as_deref(), Some("<sip:a@h>;tag=t"));
        assert_eq!(to(b"sip:a@h;tag=1").as_deref(), Some("sip:a@h;tag=1"));
        assert_eq!(to(b"<sip:a").as_deref(), Some("<sip:a"));
    }
}

//! What came back of our own Via and Call-ID: what a proxy, a NAT or a router made of them on the way. It is told, and decides nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use sip_message::{Host, Params, Response, Via};

use super::{Cx, Exchange, Party, Sent};
use crate::attempt::Notice;
use crate::host_port;

impl Exchange {
    /// Compares what a reply repeats with what was sent; `via` is the first element of its Via.
    pub(super) fn compare_echo(&mut self, cx: &mut Cx<'_>, party: &Party<'_>, sent: &Sent, via: Option<&[u8]>, response: &Response<'_>) {
        if let Some(via) = via {
            match unchanged(via, sent) {
                Some(params) => self.note_address(party, sent, params),
                None => self.compare_via(cx, party, sent, via),
            }
        }
        let call_id = party.dialog.identity.call_id;
        if let Some(echoed) = response.headers.call_id().filter(|echoed| *echoed != call_id.digits()) {
            self.attempt.notice(Notice::EchoChanged {
                header: "Call-ID",
                sent: call_id.to_string().into(),
                echoed: cx.texts.shown(echoed),
            });
        }
    }

    fn compare_via(&mut self, cx: &mut Cx<'_>, party: &Party<'_>, sent: &Sent, via: &[u8]) {
        let Ok(via) = Via::parse(via) else { return };
        let line = format!("SIP/2.0/UDP {}", sent.sent_by);
        if Via::parse(line.as_bytes()).is_ok_and(|own| (own.host, own.port) != (via.host, via.port)) {
            let port = via.port.map_or_else(String::new, |port| format!(":{port}"));
            self.attempt.notice(Notice::EchoChanged {
                header: "Via",
                sent: Arc::clone(&sent.sent_by),
                echoed: cx.texts.shown(format!("{}{port}", via.host).as_bytes()),
            });
        }
        self.note_address(party, sent, via.params);
    }

    /// The address that the other side sees us at (RFC 3581 §4).
    fn note_address(&mut self, party: &Party<'_>, sent: &Sent, params: Params<'_>) {
        let (local, is_advertised) = (sent.local, party.account.advertise.is_some());
        let is_own = |text: &[u8]| {
            !is_advertised
                && sent
                    .sent_by
                    .as_bytes()
                    .strip_prefix(text)
                    .is_some_and(|port| port.starts_with(b":"))
        };
        let received = params.value("received").and_then(|text| match text {
            _ if is_own(text) => Some(local.ip()),
            // A name instead of an address tells that we are seen, and not where.
            _ => Host::parse(text).map(|host| host.address().unwrap_or(local.ip())),
        });
        let rport = params.number("rport");
        let seen = SocketAddr::new(received.unwrap_or(local.ip()), rport.unwrap_or(local.port()));
        let is_told = received.is_some() || rport.is_some();
        let is_known = (seen.ip(), seen.port()) == (local.ip(), local.port()) || (is_advertised && host_port(seen) == *sent.sent_by);
        if is_told && !is_known {
            self.attempt.notice(Notice::NatDetected { local, seen });
            if let Some(before) = self.attempt.seen_as.replace(seen).filter(|before| *before != seen) {
                self.attempt.notice(Notice::NatRebound { before, now: seen });
            }
        }
    }
}

/// The parameters of a Via that opens with the very bytes that were sent.
fn unchanged<'a>(via: &'a [u8], sent: &Sent) -> Option<Params<'a>> {
    let rest = via.strip_prefix(b"SIP/2.0/")?.strip_prefix(sent.transport.via().as_bytes())?;
    let params = rest.strip_prefix(b" ")?.strip_prefix(sent.sent_by.as_bytes())?;
    (params.is_empty() || params.starts_with(b";")).then_some(Params::new(params))
}

//! What came back of our own Via and Call-ID: what a proxy, a NAT or a router made of them on the way. It is told, and decides nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use sip_message::{Host, Response, Via};

use super::{Cx, Exchange, Party, Sent};
use crate::attempt::Notice;
use crate::host_port;

impl Exchange {
    /// Compares what a reply repeats with what was sent; `via` is the first element of its Via.
    pub(super) fn compare_echo(&mut self, cx: &mut Cx<'_>, party: &Party<'_>, sent: &Sent, via: Option<&[u8]>, response: &Response<'_>) {
        if let Some(via) = via.and_then(|via| Via::parse(via).ok()) {
            self.compare_via(cx, party, sent, &via);
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

    fn compare_via(&mut self, cx: &mut Cx<'_>, party: &Party<'_>, sent: &Sent, via: &Via<'_>) {
        let (local, is_advertised) = (sent.local, party.account.advertise.is_some());
        let is_changed = if is_advertised {
            let line = format!("SIP/2.0/UDP {}", sent.sent_by);
            Via::parse(line.as_bytes()).is_ok_and(|own| (own.host, own.port) != (via.host, via.port))
        } else {
            (via.host, via.port) != (Host::Address(local.ip()), Some(local.port()))
        };
        if is_changed {
            let port = via.port.map_or_else(String::new, |port| format!(":{port}"));
            self.attempt.notice(Notice::EchoChanged {
                header: "Via",
                sent: Arc::clone(&sent.sent_by),
                echoed: cx.texts.shown(format!("{}{port}", via.host).as_bytes()),
            });
        }
        let (received, rport) = (via.received(), via.rport());
        let address = received.and_then(|host| host.address()).unwrap_or(local.ip());
        let seen = SocketAddr::new(address, rport.unwrap_or(local.port()));
        let is_told = received.is_some() || rport.is_some();
        let is_known = (seen.ip(), seen.port()) == (local.ip(), local.port()) || (is_advertised && host_port(seen) == *sent.sent_by);
        if is_told && !is_known {
            self.attempt.notice(Notice::NatDetected { local, seen });
            self.attempt.seen_as = Some(seen);
        }
    }
}

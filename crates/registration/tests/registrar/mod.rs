//! A registrar at one address that takes everybody, with the one UDP flow that leads there, and accounts for it. For tests and
//! benchmarks that look at the core alone: neither socket nor clock, and no part in what they measure.

use std::net::SocketAddr;
use std::time::Instant;

use sip_digest::{Algorithm, Secret};
use sip_registrar::Responder;
use sip_registration::{Account, Action, ContactPlan, FlowId, Input, Opened, Registrant};

/// What it grants, in seconds.
pub(crate) const GRANTED: u32 = 3600;

/// The registrar, and our flow to it.
pub(crate) struct Registrar {
    flow: FlowId,
    remote: SocketAddr,
    responder: Responder,
}

/// Our address on the flow.
const LOCAL: ([u8; 4], u16) = ([192, 0, 2, 1], 5060);

impl Registrar {
    /// Opens the flow that somebody has asked for by the first exchange.
    pub(crate) fn reached_by(registrant: &mut Registrant, now: Instant) -> Self {
        let Some(Action::Open(flow, endpoint)) = registrant.poll_action() else {
            panic!("an address needs no look-up")
        };
        let opened = Opened {
            local: LOCAL.into(),
            connected_at: None,
            tls: None,
        };
        registrant.handle_input(now, Input::Opened(flow, opened));
        Self {
            flow,
            remote: endpoint.remote,
            responder: Responder::new("example.test", Algorithm::Md5, GRANTED),
        }
    }

    /// Writes the reply to a request.
    pub(crate) fn reply(&self, request: &[u8], reply: &mut Vec<u8>) {
        let answered = self.responder.respond(LOCAL.into(), false, request, reply);
        assert_eq!(answered, Some(LOCAL.into()));
    }

    /// A reply as it arrives.
    pub(crate) const fn received<'a>(&self, bytes: &'a [u8]) -> Input<'a> {
        Input::Received {
            flow: self.flow,
            source: self.remote,
            bytes,
        }
    }
}

/// One of its accounts.
pub(crate) fn account(user: usize) -> Account {
    let user = format!("user{user}");
    Account {
        aor: format!("sip:{user}@example.test").parse().expect("the AOR is a URI"),
        registrar: "sip:192.0.2.10".parse().expect("the registrar is a URI"),
        outbound_proxy: None,
        transport: None,
        target: None,
        auth_user: None,
        secret: Some(Secret::Password("sesame".into())),
        challenges: None,
        contact: ContactPlan::Automatic { user: user.into() },
        advertise: None,
        instance: None,
        reg_id: None,
        expires: GRANTED,
        user_agent: "test".into(),
    }
}

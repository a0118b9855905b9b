//! Telnyx as the registrar (role B): its API speaks of its own table, and the truth is what a fetch at its SIP edge shows. The edge is a
//! real Kamailio; the API says the truth about it, or what it said some time ago.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::provider::TELNYX_KEY;
use crate::support::api::{Api, Reply};
use crate::support::http::Message;
use crate::support::kamailio::{Kamailio, Setup};
use crate::support::kamailio_uac::{KamailioClient, Manners, Trunk};
use crate::support::run::{Reported, Run};
use crate::support::wait::await_that;

/// A device that is registered at the edge.
struct Line {
    edge: Kamailio,
    device: KamailioClient,
    trunk: Trunk,
}

impl Line {
    fn registered() -> Self {
        let edge = Kamailio::start(Setup::default());
        let device = KamailioClient::start(Manners::default());
        let trunk = Trunk::new("desk", edge.udp());
        device.add(&trunk);
        await_that(|| edge.contacts("alice") == [device.contact(&trunk)]);
        Self { edge, device, trunk }
    }

    /// What the API says of a device that registered now, and of nobody.
    fn status(&self, registered: bool) -> Value {
        let details = json!({
            "ua_ip": "127.0.0.1", "ua_port": self.device.address().port(), "transport": "UDP", "expires": 3600,
            "last_modified": Timestamp::now().to_string(),
        });
        json!({
            "credential_type": "telephony_credential", "credential_username": "alice", "registered": registered,
            "sip_registration_status": if registered { "registered" } else { "unregistered" },
            "last_registration_response": if registered { json!("200 OK") } else { Value::Null },
            "sip_registration_details": if registered { details } else { json!({}) },
        })
    }

    fn verify(&self, status: Value) -> Reported {
        let api = Api::start(move |request| answer(request, &status));
        let registrar = format!("sip:{}", self.trunk.registrar);
        Run::new(&["verify", "telnyx", "--username", "alice", "--api-url", &api.url("/v2")])
            .with(&["--aor", &self.trunk.aor(), "--registrar", &registrar, "--grace", "200ms"])
            .variable("TELNYX_API_KEY", TELNYX_KEY)
            .verified()
    }
}

fn answer(request: &Message, status: &Value) -> Reply {
    let asked = |word: &str| request.start.contains(word);
    if request.header("authorization") != Some(&format!("Bearer {TELNYX_KEY}")) {
        return (
            401,
            json!({"errors": [{"code": "10009", "title": "Authentication failed", "detail": "no"}]}),
        );
    }
    if asked("/v2/sip_registration_status?") && asked("credential_type=telephony_credential") && asked("username=alice") {
        return (200, status.clone());
    }
    (
        404,
        json!({"errors": [{"code": "10005", "title": "Resource not found", "detail": "no"}]}),
    )
}

#[test]
fn a_credential_that_is_registered_at_the_edge_is_confirmed() {
    let line = Line::registered();
    let before = line.edge.bound("alice");
    let report = line.verify(line.status(true));
    report.holds(&[
        ("/role", "registrar".into()),
        ("/provider", "telnyx_telephony_credential".into()),
        ("/verdict/reason", "registered".into()),
        ("/verdict/evidence", "E3".into()),
    ]);
    assert_eq!((report.status, line.edge.bound("alice")), (0, before));
}

#[test]
fn a_credential_whose_device_is_gone_from_the_edge_is_not() {
    let line = Line::registered();
    line.edge.unbind_all("alice");
    let report = line.verify(line.status(true));
    report.holds(&[
        ("/verdict/outcome", "disagree".into()),
        ("/verdict/reason", "false_positive_unbound".into()),
    ]);
    assert_eq!(report.status, 1);
}

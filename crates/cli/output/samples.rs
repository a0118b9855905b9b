//! Reports for the tests of the outputs. Not compiled into the program.

use sip_registration::{
    Arrow, AuthReport, BindingReport, Cause, LadderStep, LastResponse, NetworkReport, OtherBinding, PhasesReport, Removal, Report, SCHEMA,
    State, TlsReport,
};

/// One step of a ladder.
pub(crate) fn step(at_ms: f64, arrow: Arrow, what: &str, note: &str) -> LadderStep {
    LadderStep {
        at_ms,
        arrow,
        what: what.to_owned(),
        note: note.to_owned(),
    }
}

/// Somebody's binding.
pub(crate) fn bound(contact: &str, expires_s: Option<u32>) -> OtherBinding {
    OtherBinding {
        contact: contact.to_owned(),
        expires_s,
        q: None,
        instance: None,
    }
}

/// TLS with whoever answered.
pub(crate) fn unverified() -> TlsReport {
    TlsReport {
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        server_name: "example.test".into(),
        subject: "CN=example.test".into(),
        issuer: "CN=nobody".into(),
        not_after: "2027-01-31T00:00:00Z".parse().unwrap(),
        days_left: 365,
        verified: false,
    }
}

/// A registration that went well: the example of docs/report.md.
pub(crate) fn registered() -> Report {
    Report {
        schema: SCHEMA,
        goal: "register",
        aor: "sip:alice@example.test".into(),
        registrar: "sip:example.test".into(),
        outbound_proxy: None,
        transport: Some("udp"),
        started_at: "2026-01-31T09:00:00.123Z".parse().unwrap(),
        state: State::Registered,
        state_code: 3,
        registered: true,
        cause: None,
        detail: "registered in 2.6 ms; the binding was removed again".into(),
        advice: None,
        last_response: Some(LastResponse {
            code: 200,
            reason: "OK".into(),
        }),
        opensips_state: State::Registered,
        binding: Some(BindingReport {
            contact: "sip:alice@127.0.0.1:40112".into(),
            expires_s: 3600,
            valid_until: "2026-01-31T10:00:00.125Z".parse().unwrap(),
            removal: Removal::Confirmed,
        }),
        may_be_bound_until: None,
        other_bindings: vec![bound("sip:alice@198.51.100.7:5060", Some(1200))],
        auth: AuthReport {
            challenged: true,
            algorithm: Some("SHA-256".into()),
            ..AuthReport::default()
        },
        network: NetworkReport {
            server: Some("127.0.0.1:5060".into()),
            local: Some("127.0.0.1:40112".into()),
            seen_as: None,
            targets: Vec::new(),
        },
        tls: None,
        phases_ms: PhasesReport {
            challenge: Some(0.9),
            authenticated: Some(1.1),
            removal: Some(0.5),
            total: Some(2.6),
            ..PhasesReport::default()
        },
        requests: 3,
        retransmissions: 0,
        retry_after_s: None,
        server_product: None,
        findings: Vec::new(),
        transcript: None,
        ladder: vec![
            step(0.0, Arrow::Sent, "REGISTER 1", ""),
            step(0.9, Arrow::Received, "401 Unauthorized", "Digest SHA-256, MD5 · realm example.test"),
            step(1.0, Arrow::Sent, "REGISTER 2", "answering SHA-256"),
            step(2.1, Arrow::Received, "200 OK", "bound for 3600 s · 1 other binding"),
            step(2.6, Arrow::Local, "binding removed", ""),
        ],
    }
}

/// A registration that failed for this cause.
pub(crate) fn failed(cause: Cause) -> Report {
    Report {
        state: cause.state(),
        state_code: cause.state().code(),
        registered: false,
        cause: Some(cause),
        detail: "the registrar did not like it".into(),
        binding: None,
        last_response: None,
        opensips_state: cause.state(),
        phases_ms: PhasesReport {
            total: Some(3.2),
            ..PhasesReport::default()
        },
        ladder: vec![step(0.0, Arrow::Sent, "REGISTER 1", ""), step(3.2, Arrow::Failed, "gave up", "")],
        ..registered()
    }
}

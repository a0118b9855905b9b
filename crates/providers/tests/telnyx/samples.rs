//! One answer for each revision, in the shape that its documents and SDKs give it. All values are made up but the two moments.

use serde_json::{Value, json};

use crate::ID;

/// 2026-06-02T11:59:11Z in microseconds, and 0.8 · 3600 s later in seconds, as in the vendor's sample.
pub(crate) const UPTIME: i64 = 1_780_401_551_699_908;
pub(crate) const NEXT_ACTION: i64 = 1_780_404_431;

/// R1: no `external_state` yet.
pub(crate) fn r1() -> Value {
    let mut answer = r2();
    let fields = answer.as_object_mut().unwrap();
    for newer in ["external_state", "b2bua_external", "b2bua_internal", "credential_type"] {
        fields.remove(newer);
    }
    answer
}

/// R2, and R3 whose request alone differs.
pub(crate) fn r2() -> Value {
    json!({
        "credential_type": "uac_external_credential",
        "connection_id": ID,
        "user_id": "323",
        "connection_name": "Office PBX",
        "username": "gencred1",
        "pair_state": "ACTIVE",
        "external_state": "REGED",
        "registered": true,
        "last_registration_response": "200 OK",
        "external_uac_settings": {
            "proxy": "sip:pbx.example.com:5060",
            "outbound_proxy": "edge.example.com",
            "username": "telnyx-reg",
            "auth_username": "login",
            "from_user": "1001",
            "expiration_sec": 600,
            "password": "canary",
        },
        "internal_uac_settings": {"destination_uri": "1006@assistant-abc123.sip.telnyx.com"},
        "b2bua_external": {"state": "REGED", "auth": "canary"},
        "b2bua_internal": {},
    })
}

/// R4: the details have no Contact by the later name.
pub(crate) fn r4() -> Value {
    let mut answer = r5();
    answer["sip_registration_details"]
        .as_object_mut()
        .unwrap()
        .remove("sip_uri_user_host");
    answer
}

/// R5, and every later one of a UAC connection.
pub(crate) fn r5() -> Value {
    json!({
        "connection_id": ID,
        "connection_name": "Office PBX",
        "credential_type": "uac_external_credential",
        "credential_username": "gencred1",
        "registered": true,
        "sip_registration_status": "registered",
        "last_registration_response": "200 OK",
        "sip_registration_details": {
            "auth_retries": 0,
            "failures": 0,
            "expires": NEXT_ACTION,
            "next_action_at": NEXT_ACTION,
            "uptime": UPTIME,
            "sip_uri_user_host": "telnyx-reg@pbx.example.com",
        },
    })
}

/// R6: a telephony credential, with the `node` that only this revision has.
pub(crate) fn r6() -> Value {
    let mut answer = telephony();
    answer["sip_registration_details"]["node"] = json!("b2bua-3");
    answer
}

/// R7 and R8: a credential connection.
pub(crate) fn r7() -> Value {
    let mut answer = telephony();
    answer["credential_type"] = json!("sip_credential_connection");
    answer["last_registration_response"] = Value::Null;
    answer
}

/// From R6 on: a telephony credential.
pub(crate) fn telephony() -> Value {
    json!({
        "connection_id": "2",
        "connection_name": "Phones",
        "credential_type": "telephony_credential",
        "credential_username": "gencred1",
        "registered": true,
        "sip_registration_status": "registered",
        "last_registration_response": "200 OK",
        "sip_registration_details": {
            "expires": 3600,
            "ua_ip": "192.0.2.7",
            "ua_port": "5062",
            "transport": "TLS",
            "last_modified": "2026-06-02T11:59:11Z",
        },
    })
}

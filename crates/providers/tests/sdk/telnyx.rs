//! Telnyx: the SDKs of four versions, from the seed's contract to the newest, and our client.

use crate::official::Sdk;
use crate::support::{Response, Server};
use crate::wire::Wire;

#[test]
fn the_sdks_themselves_ask_as_documented() {
    for (sdk, script) in [
        (Sdk::Npm("telnyx", "7.19.0"), "telnyx.mjs"),
        (Sdk::Npm("telnyx", "7.24.0"), "telnyx.mjs"),
        (Sdk::Pypi("telnyx", "4.189.0"), "telnyx.py"),
        (Sdk::Pypi("telnyx", "4.146.1"), "telnyx.py"),
    ] {
        let server = Server::answering(|_| Response::json(200, r#"{"registered":true}"#));
        sdk.run(script, &server.url("/v2"), &["status"]);
        let wires = Wire::all(&server.requests());
        assert_eq!(wires[0].line, "GET /v2/sip_registration_status", "{sdk:?}");
        assert_eq!(wires[0].headers[0], ("authorization", Some("Bearer KEYtest".into())), "{sdk:?}");
    }
}

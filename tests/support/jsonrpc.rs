//! Orders to a Kamailio of the tests' own by its module `jsonrpcs`: JSON-RPC 2.0 over HTTP at `/RPC`, on the port of its SIP.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http;

/// The refusal of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, which Kamailio makes of the error's code.
    pub(crate) status: u16,
    /// The error's message.
    pub(crate) message: String,
}

/// The result of one order.
///
/// # Errors
/// What Kamailio answers instead of a result.
pub(crate) fn call(address: SocketAddr, method: &str, params: &Value) -> Result<Value, Refusal> {
    let order = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
    let (status, body) =
        http::post_json(address, "/RPC", &order.to_string()).unwrap_or_else(|error| panic!("{method} at {address}: {error}"));
    let mut answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{method}: {error}: {body}"));
    if let Some(result) = answer.get_mut("result") {
        return Ok(result.take());
    }
    let message = answer["error"]["message"].as_str().unwrap_or(&body).to_owned();
    Err(Refusal { status, message })
}

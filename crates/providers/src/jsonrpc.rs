//! JSON-RPC 2.0 over HTTP (jsonrpc.org/specification), as Kamailio's `jsonrpcs` and OpenSIPS' `mi_http` speak it: one call, one reply,
//! errors in an HTTP status of 200 or of their own. No batches, no notifications; what the methods mean is their modules' to say.

use std::fmt;

use serde_json::{Value, json};

use crate::{ApiError, ApiTrouble, ClientOptions, Confidential, Envelope, Http, HttpOptions, Reply, Request, SetupError, reading, text};

/// The code of a method that the server does not have.
const METHOD_NOT_FOUND: &str = "-32601";
/// The code of a call that the server does not take for one.
const INVALID_REQUEST: &str = "-32600";
/// The code of parameters that the method does not take.
const INVALID_PARAMS: &str = "-32602";

/// A server that is called over one URL. Its calls only read, so that each may be repeated.
pub(crate) struct Caller {
    http: Http,
    /// The URL's path, as errors name it.
    path: String,
}

impl Caller {
    /// A caller of the server at `options.base_url`, which is all of its URL. Sends nothing.
    pub(crate) fn new(options: ClientOptions, confidential: Confidential) -> Result<Self, SetupError> {
        let path = options.base_url.path().to_owned();
        let options = HttpOptions {
            confidential,
            ..HttpOptions::new(options, envelope)
        };
        Http::new(options).map(|http| Self { http, path })
    }

    /// Calls a method. The reply's body is the result alone.
    pub(crate) async fn call(&self, method: &str, params: Option<Value>) -> Result<Reply, ApiError> {
        let id = rand::random::<u32>() >> 1;
        let mut call = json!({"jsonrpc": "2.0", "method": method, "id": id});
        if let (Some(fields), Some(params)) = (call.as_object_mut(), params) {
            fields.insert("params".to_owned(), params);
        }
        let request = Request::post("").json(call).repeatable();
        let reply = self.http.send(&request).await.map_err(|error| self.no_answer(error, method))?;
        result(reply, &id.into()).map_err(|failure| self.error(failure, method))
    }

    /// An error of HTTP. A 404 that JSON-RPC has no part in says that the URL is wrong, and nothing about what was asked for.
    fn no_answer(&self, error: ApiError, method: &str) -> ApiError {
        let wrong_url = error.trouble == ApiTrouble::NotFound && error.code.is_none();
        ApiError {
            trouble: if wrong_url { ApiTrouble::Contract } else { error.trouble },
            request: self.shown(method),
            ..error
        }
    }

    fn error(&self, failure: Failure, method: &str) -> ApiError {
        let trouble = failure.envelope.trouble.unwrap_or(ApiTrouble::Contract);
        ApiError {
            status: Some(failure.status),
            code: failure.envelope.code,
            ..ApiError::new(trouble, &self.shown(method), &failure.envelope.detail)
        }
    }

    fn shown(&self, method: &str) -> String {
        text::field(&format!("POST {} {method}", self.path))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("http", &self.http).finish_non_exhaustive()
    }
}

/// True when the server has no such method: its module is not loaded, or it is of another version.
pub(crate) fn is_unknown_method(error: &ApiError) -> bool {
    matches!(error.code.as_deref(), Some(METHOD_NOT_FOUND | INVALID_REQUEST)) || is_kamailios_unknown_method(error)
}

/// True when the method takes other parameters.
pub(crate) fn refuses_params(error: &ApiError) -> bool {
    error.code.as_deref() == Some(INVALID_PARAMS)
}

/// Kamailio has one code for this and for trouble of its own.
fn is_kamailios_unknown_method(error: &ApiError) -> bool {
    error.code.as_deref() == Some("500") && error.detail.eq_ignore_ascii_case("Method Not Found")
}

/// An HTTP 200 that is no result.
pub(crate) struct Failure {
    status: u16,
    envelope: Envelope,
}

impl Failure {
    /// What the server said.
    pub(crate) const fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

/// The result of the call with this id, and nothing else.
pub(crate) fn result(mut reply: Reply, id: &Value) -> Result<Reply, Failure> {
    let failure = |status, envelope| Failure { status, envelope };
    if let Some(envelope) = envelope(&reply.body) {
        return Err(failure(reply.status, envelope));
    }
    let Some(result) = reply.body.get_mut("result").map(Value::take) else {
        return Err(failure(reply.status, contract("neither a result nor an error of JSON-RPC")));
    };
    if reply.body["id"] != *id {
        return Err(failure(reply.status, contract("the answer to another call")));
    }
    reply.body = result;
    Ok(reply)
}

fn contract(problem: &str) -> Envelope {
    Envelope {
        detail: problem.to_owned(),
        trouble: Some(ApiTrouble::Contract),
        ..Envelope::default()
    }
}

/// Reads `{"error": {"code": -32601, "message": "Method not found"}}`.
fn envelope(body: &Value) -> Option<Envelope> {
    let error = body.get("error").filter(|error| !error.is_null())?;
    let code = reading::integer(&error["code"]);
    let message = error["message"].as_str().unwrap_or("an error without a message");
    let unknown_method = code == Some(500) && message.eq_ignore_ascii_case("Method Not Found");
    Some(Envelope {
        code: code.map(|code| code.to_string()),
        detail: message.to_owned(),
        trouble: Some(if unknown_method { ApiTrouble::Contract } else { trouble(code) }),
        ..Envelope::default()
    })
}

/// What a code says: the specification's own, and the SIP and HTTP statuses that both servers use beside them.
fn trouble(code: Option<i64>) -> ApiTrouble {
    match code {
        Some(-32601) => ApiTrouble::Contract,
        Some(-32700 | -32602 | -32600) => ApiTrouble::BadRequest,
        Some(-32603 | -32099..=-32000) => ApiTrouble::Server,
        Some(code) => u16::try_from(code).map_or(ApiTrouble::Other, ApiTrouble::of_status),
        None => ApiTrouble::Contract,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    fn outcome(body: Value) -> Result<Value, (ApiTrouble, Option<String>)> {
        let at = Moment::from_unix(0).unwrap();
        let reply = Reply {
            request: String::new(),
            status: 200,
            body,
            server_date: None,
            asked_at: at,
            answered_at: at,
        };
        match result(reply, &7.into()) {
            Ok(reply) => Ok(reply.body),
            Err(failure) => Err((failure.envelope.trouble.unwrap(), failure.envelope.code)),
        }
    }

    #[test]
    fn a_result_is_taken_out_of_the_answer_to_this_very_call() {
        assert_eq!(outcome(json!({"jsonrpc": "2.0", "result": {"a": 1}, "id": 7})), Ok(json!({"a": 1})));
        assert_eq!(outcome(json!({"result": null, "error": null, "id": 7})), Ok(Value::Null));
        let contract = Err((ApiTrouble::Contract, None));
        for odd in [
            json!({"result": {"a": 1}, "id": 8}),
            json!({"result": {"a": 1}, "id": "7"}),
            json!({"result": {"a": 1}}),
            json!({"id": 7}),
            json!([{"result": 1, "id": 7}]),
            json!("result"),
            Value::Null,
        ] {
            assert_eq!(outcome(odd.clone()), contract, "{odd}");
        }
    }

    #[test]
    fn an_error_in_a_status_of_200_is_an_error_also_beside_a_result() {
        let error = |code: Value, message: &str| json!({"error": {"code": code, "message": message}, "result": {}, "id": 7});
        for (code, message, trouble) in [
            (-32700, "Parse error", ApiTrouble::BadRequest),
            (-32600, "Invalid Request", ApiTrouble::BadRequest),
            (-32601, "Method not found", ApiTrouble::Contract),
            (-32602, "Invalid params", ApiTrouble::BadRequest),
            (-32000, "Server error", ApiTrouble::Server),
            (400, "Invalid Parameters", ApiTrouble::BadRequest),
            (403, "Forbidden", ApiTrouble::Forbidden),
            (404, "No such registrant", ApiTrouble::NotFound),
            (500, "Method Not Found", ApiTrouble::Contract),
            (500, "Not enabled", ApiTrouble::Server),
            (-1, "Odd", ApiTrouble::Other),
        ] {
            assert_eq!(
                outcome(error(code.into(), message)),
                Err((trouble, Some(code.to_string()))),
                "{message}"
            );
        }
        assert_eq!(outcome(error(Value::Null, "")), Err((ApiTrouble::Contract, None)));
        assert_eq!(outcome(json!({"error": "no", "id": 7})), Err((ApiTrouble::Contract, None)));
    }
}

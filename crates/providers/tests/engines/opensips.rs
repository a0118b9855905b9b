//! OpenSIPS over HTTP: the answers of its versions, and errors that come with an HTTP status of 200.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use regprobe_providers::opensips::{Client, Registrant};
use regprobe_providers::{ApiTrouble, ClientOptions, Word};
use serde_json::{Value, json};

use crate::support::{Response, Seen, Server};

fn asked() -> Registrant {
    Registrant {
        aor: "sip:alice@example.com".into(),
        contact: "sip:alice@192.0.2.7:5060".into(),
        registrar: "sip:registrar.example.com".into(),
    }
}

fn record(state: &str) -> Value {
    json!({
        "AOR": "sip:alice@example.com", "expires": 3600, "state": state, "enabled": "yes",
        "last_register_sent": "Tue Jun  2 11:59:11 2026", "registration_t_out": "Tue Jun  2 12:57:31 2026",
        "registrar": "sip:registrar.example.com", "binding": "sip:alice@192.0.2.7:5060",
    })
}

/// Answers each call by what `answering` makes of its method and parameters.
fn opensips(answering: impl Fn(&str, &Value) -> Result<Value, (i32, &'static str)> + Send + 'static) -> Server {
    Server::answering(move |seen: &Seen| {
        let call: Value = serde_json::from_str(&seen.body).unwrap();
        let answer = answering(call["method"].as_str().unwrap(), &call["params"]);
        Response::json(
            200,
            match answer {
                Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": call["id"]}),
                Err((code, message)) => json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": call["id"]}),
            },
        )
    })
}

fn client(server: &Server) -> Client {
    Client::new(ClientOptions::new(server.url("/mi"))).unwrap()
}

fn methods(server: &Server) -> Vec<(String, bool)> {
    let calls = server
        .requests()
        .into_iter()
        .map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap());
    calls
        .map(|call| (call["method"].as_str().unwrap().to_owned(), call["params"].is_object()))
        .collect()
}

#[tokio::test]
async fn a_record_is_asked_for_by_its_three_names() {
    let server = opensips(|_, params| {
        assert_eq!(
            params,
            &json!({"aor": "sip:alice@example.com", "contact": "sip:alice@192.0.2.7:5060", "registrar": "sip:registrar.example.com"})
        );
        Ok(json!({"Registrant": record("REGISTERED_STATE")}))
    });
    assert_eq!(client(&server).answer(&asked()).await.word, Word::Registered);
    assert_eq!(server.lines(), ["POST /mi"]);
    assert_eq!(methods(&server), [("uac_registrant:list".to_owned(), true)]);
    let settings = client(&server).settings(&asked()).await.unwrap();
    assert_eq!(settings.expires, Some(3600));
}

#[tokio::test]
async fn an_older_opensips_knows_the_older_name() {
    let server = opensips(|method, _| match method {
        "reg_list" => Ok(json!({"Registrant": record("WRONG_CREDENTIALS_STATE")})),
        _ => Err((-32601, "Method not found")),
    });
    assert_eq!(client(&server).answer(&asked()).await.word, Word::WrongCredentials);
    assert_eq!(
        methods(&server),
        [("uac_registrant:list".to_owned(), true), ("reg_list".to_owned(), true)]
    );
}

#[tokio::test]
async fn the_oldest_gives_all_and_the_one_is_found_in_it() {
    let server = opensips(|method, params| match (method, params) {
        ("reg_list", Value::Null) => Ok(json!({"Records": [record("REGISTER_TIMEOUT_STATE")]})),
        ("reg_list", _) => Err((-32602, "Invalid params")),
        _ => Err((-32601, "Method not found")),
    });
    assert_eq!(client(&server).answer(&asked()).await.word, Word::Timeout);
    let other = Registrant {
        registrar: "sip:other.example.com".into(),
        ..asked()
    };
    assert_eq!(client(&server).answer(&other).await.word, Word::NotFound);
    let error = client(&server).settings(&other).await.unwrap_err();
    assert_eq!(error.trouble, ApiTrouble::NotFound);
    let listed = client(&server).list().await.unwrap();
    assert_eq!((listed.len(), &*listed[0].object), (1, "sip:alice@example.com"));
}

#[tokio::test]
async fn an_empty_list_is_a_list_and_something_else_is_none() {
    let server = opensips(|_, _| Ok(json!({"Records": []})));
    assert_eq!(client(&server).list().await.unwrap().len(), 0);
    for (odd, trouble) in [
        (json!("OK"), ApiTrouble::Contract),
        (json!({"Records": [{"AOR": "sip:alice@example.com"}, 7]}), ApiTrouble::Contract),
        (json!({"Records": vec![json!({}); 4097]}), ApiTrouble::TooLarge),
    ] {
        let server = opensips(move |_, _| Ok(odd.clone()));
        assert_eq!(client(&server).list().await.unwrap_err().trouble, trouble);
    }
}

#[tokio::test]
async fn errors_in_a_status_of_200_stay_errors() {
    for (code, message, word) in [
        (404, "No such registrant", Word::NotFound),
        (-32601, "Method not found", Word::Unavailable(ApiTrouble::Contract)),
        (-32602, "Invalid params", Word::Unavailable(ApiTrouble::BadRequest)),
        (-32000, "Server error", Word::Unavailable(ApiTrouble::Server)),
    ] {
        let server = opensips(move |_, _| Err((code, message)));
        let answer = client(&server).answer(&asked()).await;
        assert_eq!(answer.word, word, "{message}");
        assert!(answer.raw.contains(message), "{}", answer.raw);
    }
}

#[tokio::test]
async fn an_http_error_is_never_an_answer() {
    for (status, trouble) in [
        (405, ApiTrouble::Other),
        (400, ApiTrouble::BadRequest),
        (401, ApiTrouble::Unauthorized),
        (404, ApiTrouble::Contract),
    ] {
        let server = Server::start([Response::text(status, "text/html", "<html>no</html>")]);
        let answer = client(&server).answer(&asked()).await;
        assert_eq!(answer.word, Word::Unavailable(trouble), "{status}");
    }
}

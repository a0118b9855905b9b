//! What goes out and what comes back when all is well.

use regprobe_providers::{ClientOptions, Http, HttpOptions, Request};
use serde_json::json;

use crate::support::{Response, Server};

#[tokio::test]
async fn a_request_has_method_path_query_body_and_token_where_the_server_expects_them() {
    let server = Server::start([Response::json(200, r#"{"registered":true}"#), Response::json(201, "[]")]);
    let http = Http::new(HttpOptions::new(ClientOptions::new(server.url("/v2/")), |_| None)).unwrap();
    let get = Request::get("/sip_registration_status").query("username", "gencred+x y");
    let reply = http.send(&get.bearer("key".to_owned().into())).await.unwrap();
    assert_eq!((reply.status, reply.body), (200, json!({ "registered": true })));
    let post = Request::post("uac_connections").segment("a/b").json(json!({ "name": "ü" }));
    assert_eq!(http.send(&post).await.unwrap().status, 201);

    let seen = server.requests();
    assert_eq!(seen[0].line(), "GET /v2/sip_registration_status?username=gencred%2Bx+y");
    assert_eq!(seen[0].header("authorization"), Some("Bearer key"));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[1].line(), "POST /v2/uac_connections/a%2Fb");
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!((seen[1].header("authorization"), &*seen[1].body), (None, r#"{"name":"ü"}"#));
    assert_eq!(server.connections(), 1, "the connection is used again");
}

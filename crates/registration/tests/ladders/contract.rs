//! The report's JSON against the documented sample (docs/report.md): the same fields, of the same kinds, and no others unless they
//! were added later.

use serde_json::Value;
use sip_registration::{Evidence, Goal, RemovalEvidence, Report, Transport};

use crate::peer::{BOUND, CHALLENGE};
use crate::setup::{PASSWORD, Setup};
use crate::world::World;

/// The documented sample of `regprobe.report.v1`.
const SAMPLE: &str = r#"{
  "schema": "regprobe.report.v1", "aor": "sip:alice@example.test", "registrar": "sip:example.test", "outbound_proxy": null,
  "transport": "udp", "started_at": "2026-01-31T09:00:00.123Z",
  "state": "REGISTERED_STATE", "state_code": 3, "registered": true, "cause": null,
  "detail": "registered in 2.6 ms; the binding was removed again", "advice": null,
  "last_response": { "code": 200, "reason": "OK" }, "opensips_state": "REGISTERED_STATE",
  "binding": { "contact": "sip:alice@127.0.0.1:40112", "expires_s": 3600, "valid_until": "2026-01-31T10:00:00.125Z", "removal": "confirmed" },
  "other_bindings": [ { "contact": "sip:alice@198.51.100.7:5060", "expires_s": 1200, "q": null, "instance": null } ],
  "auth": { "challenged": true, "scheme": "Digest", "algorithm": "SHA-256", "realm": "example.test", "realm_pinned": false, "min_digest": "MD5", "qop": "auth",
            "offered": ["SHA-256", "MD5"], "stale_retries": 0, "server_authenticated": null },
  "network": { "server": "127.0.0.1:5060", "local": "127.0.0.1:40112", "seen_as": null,
               "targets": [ { "address": "127.0.0.1:5060", "transport": "udp", "source": "a", "outcome": "registered" } ] },
  "tls": null,
  "phases_ms": { "dns": null, "connect": null, "tls": null, "challenge": 0.9, "authenticated": 1.1, "removal": 0.5, "total": 2.6 },
  "requests": 3, "retransmissions": 0, "server_product": "kamailio (5.6.3 (x86_64/linux))",
  "findings": [ { "id": "weak_digest", "severity": "warning", "message": "...", "advice": "..." } ],
  "transcript": null
}"#;

/// Fields that came after the sample.
const ADDED: [&str; 3] = ["goal", "retry_after_s", "may_be_bound_until"];

/// A probe like the sample's: challenged, bound beside somebody else, removed again.
fn probed(setup: Setup) -> Value {
    let mut world = World::new(setup);
    let md5 = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"m\", algorithm=MD5";
    world.register();
    if world.wire.is_empty() {
        // The connection opens first.
        world.wait(std::time::Duration::from_millis(5));
    }
    world.reply("401 Unauthorized", &[CHALLENGE, md5, "Server: kamailio (5.6.3 (x86_64/linux))"]);
    let others = "Contact: <sip:alice@198.51.100.7:5060>;expires=1200";
    world.reply("200 OK", &[BOUND, others, "Server: kamailio (5.6.3 (x86_64/linux))"]);
    world.order(Goal::Unregister);
    world.reply("200 OK", &[others]);
    let report = Report::assemble(&Evidence {
        account: &world.setup.account,
        policy: &world.setup.policy,
        started_at: "2026-01-31T09:00:00.1239Z".parse().unwrap(),
        attempt: &world.attempts[0],
        removal: RemovalEvidence::Tried(&world.attempts[1]),
    });
    serde_json::to_value(report).unwrap()
}

/// The structure is the sample's: every field of it is there, of the same kind where neither is null, and nothing else.
fn same_structure(path: &str, sample: &Value, real: &Value) {
    match (sample, real) {
        (Value::Object(sample), Value::Object(real)) => {
            for (name, value) in sample {
                let found = real.get(name).unwrap_or_else(|| panic!("{path}.{name} is missing"));
                same_structure(&format!("{path}.{name}"), value, found);
            }
            for name in real.keys() {
                assert!(
                    sample.contains_key(name) || ADDED.contains(&name.as_str()),
                    "{path}.{name} is not documented"
                );
            }
        }
        (Value::Array(sample), Value::Array(real)) => {
            for real in real {
                sample.first().into_iter().for_each(|sample| same_structure(path, sample, real));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (sample, real) => assert_eq!(std::mem::discriminant(sample), std::mem::discriminant(real), "{path}"),
    }
}

#[test]
fn a_report_has_the_documented_structure() {
    let (sample, real): (Value, Value) = (serde_json::from_str(SAMPLE).unwrap(), probed(Setup::probe()));
    same_structure("report", &sample, &real);
    for name in [
        "state",
        "state_code",
        "registered",
        "cause",
        "opensips_state",
        "schema",
        "last_response",
        "auth",
        "requests",
    ] {
        assert_eq!(sample[name], real[name], "{name}");
    }
    assert_eq!(real["started_at"], "2026-01-31T09:00:00.123Z");
    assert_eq!(real["binding"]["removal"], "confirmed");
    assert_eq!(real["network"]["targets"][0]["outcome"], "registered");
    assert_eq!(real["server_product"], sample["server_product"]);
    assert_eq!(real["phases_ms"]["challenge"], 10.0);
    assert_eq!(real["phases_ms"]["removal"], 10.0);
}

#[test]
fn tls_and_transcript_have_the_documented_fields() {
    let real = probed(Setup::probe().transport(Transport::Tls).policy(|policy| policy.trace = true));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names.join(" ")
    };
    assert_eq!(
        sorted(names(&real["tls"])),
        "cipher days_left issuer not_after server_name subject verified version"
    );
    let transcript = real["transcript"].as_array().unwrap();
    assert_eq!(transcript.len(), 6);
    assert_eq!(sorted(names(&transcript[0])), "at_ms direction peer summary text");
    let directions: Vec<&str> = transcript.iter().map(|entry| entry["direction"].as_str().unwrap()).collect();
    assert_eq!(directions, ["sent", "received", "sent", "received", "sent", "received"]);
    assert_eq!(transcript[1]["summary"], "SIP/2.0 401 Unauthorized");
}

#[test]
fn no_transcript_shows_a_proof() {
    let real = probed(Setup::probe().policy(|policy| policy.trace = true)).to_string();
    assert!(real.contains("response=\\\"[redacted]\\\""), "{real}");
    assert!(!real.contains(PASSWORD));
}

#[test]
fn a_report_holds_against_the_generated_schema() {
    let schema = serde_json::to_value(schemars::schema_for!(Report)).unwrap();
    let real = probed(Setup::probe().transport(Transport::Tls).policy(|policy| policy.trace = true));
    let documented = schema["properties"].as_object().unwrap();
    for name in real.as_object().unwrap().keys() {
        assert!(documented.contains_key(name), "{name} is not in the schema");
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(real.get(name.as_str().unwrap()).is_some(), "{name} is required");
    }
}

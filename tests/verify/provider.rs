//! The APIs of Telnyx, Telzino and Bitrix24 in front of a real client: each answers what that client believes, in the provider's own
//! words, to whoever shows the right secret. The shapes are those of the providers' documents.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::belief::{Belief, Believer, State};
use crate::situation::{Situation, Stage, TRUNK};
use crate::support::api::{Api, Reply};
use crate::support::http::Message;
use crate::support::run::{Reported, Run};

/// Whose word is verified, and how it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The client itself, by its JSON-RPC.
    Kamailio,
    /// A UAC connection.
    Telnyx,
    /// An agent.
    Telzino,
    /// A line of the cloud PBX, asked by webhook.
    Bitrix24,
}

impl Provider {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Kamailio, Self::Telnyx, Self::Telzino, Self::Bitrix24];

    /// Verifies what it says in a situation; these words go behind all others on the command line.
    pub(crate) fn verify(self, stage: &Stage, situation: Situation, words: &[&str]) -> Reported {
        let (_api, run) = self.asked(stage, situation);
        run.with(words).verified()
    }

    /// Its API in front of the stage's client, to be held until the end, and the command line that verifies what it says.
    pub(crate) fn asked(self, stage: &Stage, situation: Situation) -> (Option<Api>, Run) {
        self.altered(stage, situation, |_, _| ())
    }

    /// The same, with an API whose answers are altered: it is asked this, and says that.
    pub(crate) fn altered(self, stage: &Stage, situation: Situation, alter: fn(&Message, &mut Reply)) -> (Option<Api>, Run) {
        let believer = Believer::of(stage, situation);
        let serve = |answer: fn(&Message, &Belief) -> Reply| {
            Api::start(move |request| {
                let mut reply = answer(request, &believer.belief());
                alter(request, &mut reply);
                reply
            })
        };
        let (aor, proxy) = (stage.trunk.aor(), format!("sip:{}", stage.trunk.registrar));
        let address = stage.client.address().to_string();
        let expected = ["--expect-user", TRUNK, "--expect-host", &address];
        match self {
            Self::Kamailio => {
                let rpc = stage.client.rpc_url();
                (None, Run::new(&["verify", "kamailio", "--rpc", &rpc, "--uuid", TRUNK]))
            }
            Self::Telnyx => {
                let api = serve(telnyx);
                let run = Run::new(&["verify", "telnyx", "--connection-id", CONNECTION, "--api-url", &api.url("/v2")]);
                (Some(api), run.variable("TELNYX_API_KEY", TELNYX_KEY))
            }
            Self::Telzino => {
                let api = serve(telzino);
                let run = Run::new(&["verify", "telzino", "--agent-id", AGENT, "--api-url", &api.url("")])
                    .with(&["--aor", &aor, "--proxy", &proxy])
                    .with(&expected);
                (Some(api), run.variable("TELZINO_TOKEN", TELZINO_TOKEN))
            }
            Self::Bitrix24 => {
                let api = serve(bitrix24);
                let webhook = api.url(&format!("/rest/1/{WEBHOOK_CODE}/"));
                let run = Run::new(&["verify", "bitrix24", "--reg-id", &LINE.to_string()]).with(&expected);
                (Some(api), run.variable("BITRIX24_WEBHOOK", &webhook))
            }
        }
    }

    /// The word in reports for the source whose claim it is.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::Kamailio => "kamailio",
            Self::Telnyx => "telnyx_uac",
            Self::Telzino => "telzino",
            Self::Bitrix24 => "bitrix24",
        }
    }
}

fn telnyx(request: &Message, belief: &Belief) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TELNYX_KEY}")) {
        let detail = "The API key looks malformed. Check that you copied it correctly.";
        return (
            401,
            json!({"errors": [{"code": "10009", "title": "Authentication failed", "detail": detail}]}),
        );
    }
    let path = request.start.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = |pair: &str| query.split('&').any(|found| found == pair);
    if path == "/v2/sip_registration_status"
        && asked("credential_type=uac_external_credential")
        && asked(&format!("connection_id={CONNECTION}"))
    {
        return (200, telnyx_status(belief));
    }
    if path == format!("/v2/uac_connections/{CONNECTION}") {
        return (200, json!({"data": telnyx_connection(belief)}));
    }
    let title = "Resource not found";
    (
        404,
        json!({"errors": [{"code": "10005", "title": title, "detail": "The requested resource or URL could not be found."}]}),
    )
}

/// The eighth revision: `expires` is the next REGISTER, `uptime` the microsecond in which it came up.
fn telnyx_status(belief: &Belief) -> Value {
    let (state, registered) = match belief.state {
        State::Registered => ("registered", true),
        State::Refused(..) | State::Timeout => ("failed", false),
        State::Off => ("connection_disabled", false),
    };
    let response = match belief.state {
        State::Registered => json!("200 OK"),
        State::Refused(code, reason) => json!(format!("{code} {reason}")),
        State::Timeout | State::Off => Value::Null,
    };
    let refresh_at = belief.ends_at - belief.lifetime_s / 5;
    let details = if registered {
        json!({
            "auth_retries": 0, "failures": 0, "sip_uri_user_host": belief.contact,
            "uptime": belief.refreshed_at() * 1_000_000, "expires": refresh_at, "next_action_at": refresh_at,
        })
    } else {
        json!({"auth_retries": 1, "failures": 1})
    };
    json!({
        "connection_id": CONNECTION, "connection_name": "office trunk", "credential_type": "uac_external_credential",
        "credential_username": "uac-internal-7f3a", "registered": registered, "sip_registration_status": state,
        "last_registration_response": response, "sip_registration_details": details,
    })
}

fn telnyx_connection(belief: &Belief) -> Value {
    let status = if belief.state == State::Registered {
        "Registered"
    } else {
        "Not Registered"
    };
    json!({
        "id": CONNECTION, "record_type": "uac_connection", "active": belief.state != State::Off,
        "connection_name": "office trunk", "user_name": "uac-internal-7f3a", "password": "********",
        "registration_status": status, "registration_status_updated_at": Timestamp::now().to_string(),
        "external_uac_settings": {
            "proxy": belief.registrar, "outbound_proxy": null, "username": belief.user, "auth_username": null,
            "from_user": null, "expiration_sec": belief.lifetime_s, "password": "***", "transport": "UDP",
        },
        "internal_uac_settings": {"destination_uri": "1000@app.sip.telnyx.com"},
    })
}

fn telzino(request: &Message, belief: &Belief) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TELZINO_TOKEN}")) {
        return (401, json!({"error": "Unauthorized"}));
    }
    if request.start != format!("GET /v1/agents/{AGENT}/sip/registration/status HTTP/1.1") {
        return (404, json!({"error": "Not Found"}));
    }
    let (state, code, message) = match belief.state {
        State::Registered => ("REGISTERED_STATE", 3, "Successfully registered"),
        State::Timeout => ("REGISTER_TIMEOUT_STATE", 4, "Registration timed out"),
        State::Refused(401 | 407, _) => ("WRONG_CREDENTIALS_STATE", 6, "Authentication failed"),
        State::Refused(..) => ("REGISTRAR_ERROR_STATE", 7, "Registrar error"),
        State::Off => ("NOT_REGISTERED_STATE", 0, "Not registered"),
    };
    let registered = belief.state == State::Registered;
    let sent_at = if registered {
        belief.refreshed_at()
    } else {
        Timestamp::now().as_second()
    };
    let data = json!({
        "state": state, "stateCode": code, "enabled": if belief.state == State::Off { "no" } else { "yes" },
        "expires": if registered { belief.ends_at } else { 0 },
        "lastRegisterSent": Timestamp::from_second(sent_at).expect("the client's clock is ours").to_string(),
        "registrationTimeout": belief.lifetime_s.to_string(), "isRegistered": registered, "errorMessage": message,
    });
    (200, json!({"success": true, "data": data}))
}

fn bitrix24(request: &Message, belief: &Belief) -> Reply {
    let path = request.start.split(' ').nth(1).unwrap_or_default();
    let Some(method) = path.strip_prefix(&format!("/rest/1/{WEBHOOK_CODE}/")) else {
        return (
            403,
            json!({"error": "INVALID_CREDENTIALS", "error_description": "Invalid request credentials"}),
        );
    };
    let (code, message) = match belief.state {
        State::Registered => (200, "OK"),
        State::Refused(code, reason) => (code, reason),
        State::Timeout => (408, "Request Timeout"),
        State::Off => (0, ""),
    };
    let result = match method.trim_end_matches(".json") {
        "voximplant.sip.status" => bitrix24_status(belief.state, code, message),
        "voximplant.sip.get" => json!([bitrix24_line(belief, code, message)]),
        _ => {
            return (
                404,
                json!({"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}),
            );
        }
    };
    let time = json!({"start": 1.0, "finish": 1.1, "duration": 0.1, "processing": 0.1, "operating": 0.1});
    (200, json!({"result": result, "total": 1, "time": time}))
}

fn bitrix24_status(state: State, code: u16, message: &str) -> Value {
    let result = match state {
        State::Registered => "success",
        State::Refused(..) | State::Timeout => "error",
        State::Off => "wait",
    };
    json!({
        "REG_ID": LINE, "LAST_UPDATED": "2026-01-31 09:10:51", "ERROR_MESSAGE": message, "STATUS_CODE": code,
        "STATUS_RESULT": result,
    })
}

/// Here the numbers are texts, and the password is in clear.
fn bitrix24_line(belief: &Belief, code: u16, message: &str) -> Value {
    json!({
        "ID": "3", "TYPE": "cloud", "CONFIG_ID": "3", "REG_ID": LINE.to_string(), "SERVER": belief.registrar, "LOGIN": belief.user,
        "PASSWORD": BITRIX24_PASSWORD, "AUTH_USER": "", "OUTBOUND_PROXY": "", "TITLE": "office trunk",
        "REGISTRATION_STATUS_CODE": code.to_string(), "REGISTRATION_ERROR_MESSAGE": message,
    })
}

/// The id of the UAC connection.
pub(crate) const CONNECTION: &str = "2f3c1b7e-1111-4222-8333-944455556666";
/// The id of the agent.
pub(crate) const AGENT: &str = "123e4567-e89b-12d3-a456-426614174000";
/// The number of the line.
pub(crate) const LINE: u64 = 5505;
/// Telnyx' key.
pub(crate) const TELNYX_KEY: &str = "KEY0123456789ABCDEF_c4naryTelnyx";
/// Telzino's token.
pub(crate) const TELZINO_TOKEN: &str = "c4nary.telzino.token";
/// The code of Bitrix24's webhook.
pub(crate) const WEBHOOK_CODE: &str = "c4narybitrix24code";
/// What Bitrix24 gives out as the line's password.
pub(crate) const BITRIX24_PASSWORD: &str = "c4nary-bitrix-line-password";

//! Decodes `voximplant.sip.get`: how lines are set up, and the status that Bitrix24 stored when somebody asked for it last. Pure. The
//! answer holds passwords in clear, of which nothing is kept.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::status::{failure, read_code, response};
use crate::reading::{self, Lines};
use crate::settings::{address_of_record, registrar_at, server_uri, transport_of};
use crate::{About, Answer, Reply, Settings, SourceKind, Unknown, Word, text};

const CONTRACT: &str = "bitrix24 voximplant.sip.get";

/// A SIP line. Its passwords are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// What kind of PBX is behind it.
    pub kind: LineKind,
    /// The number of its configuration.
    pub config_id: Option<u64>,
    /// The number of its registration, which only a cloud line has.
    pub reg_id: Option<u64>,
    /// What people call it.
    pub title: Option<String>,
    /// The registrar: a host, with or without a port.
    pub server: Option<String>,
    /// The user name.
    pub login: Option<String>,
    /// The user name for digest, when it is another.
    pub auth_user: Option<String>,
    /// Through which server it registers.
    pub outbound_proxy: Option<String>,
    /// The code that was stored when somebody asked last: of SIP or of Voximplant's own making.
    pub stored_code: Option<i64>,
    /// The message that was stored with it.
    pub stored_message: Option<String>,
}

/// The kind of PBX behind a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Voximplant registers to it.
    Cloud,
    /// It sends its calls without any registration.
    Office,
    /// Bitrix24 uses a word that is not known yet, or none.
    Other,
}

/// The lines in an answer.
pub(super) fn read(body: &Value) -> Result<Vec<Line>, &'static str> {
    let lines = body["result"].as_array().ok_or("result is no list")?;
    if !lines.iter().all(Value::is_object) {
        return Err("a line of the list is no object");
    }
    Ok(lines.iter().map(Line::read).collect())
}

/// Decodes the stored status of this registration. Any JSON gives an answer.
#[must_use]
pub fn decode_stored(reg_id: u64, reply: &Reply) -> Answer {
    let lines = reply.body["result"].as_array();
    let has_it = |line: &&Value| reading::count(&line["REG_ID"]) == Some(reg_id);
    let line = lines.and_then(|lines| lines.iter().find(has_it));
    let blank = Answer {
        contract: Some(CONTRACT),
        ..Answer::blank_of(SourceKind::Bitrix24Stored, reply)
    };
    match line {
        Some(line) => of_line(line, blank),
        None if lines.is_some_and(|lines| lines.iter().any(is_no_line)) => Answer {
            word: Word::Unknown(Unknown::contract("a line of the list has neither a REG_ID nor a CONFIG_ID")),
            ..blank
        },
        None if lines.is_some() => Answer {
            word: Word::NotFound,
            ..blank
        },
        None => blank,
    }
}

/// What says of nothing which line it is may be any line, also the one that is asked for.
fn is_no_line(line: &Value) -> bool {
    line["REG_ID"].is_null() && line["CONFIG_ID"].is_null()
}

fn of_line(line: &Value, blank: Answer) -> Answer {
    let code = read_code(CODE, &line[CODE]);
    let message = reading::text(&line["REGISTRATION_ERROR_MESSAGE"]);
    let mut lines = Lines::default();
    lines.say_all(line, about);
    Answer {
        response: response(&code, message.as_deref()),
        word: code
            .and_then(|code| word(line, code, message.as_deref()))
            .unwrap_or_else(Word::Unknown),
        username: reading::text(&line["LOGIN"]),
        said: lines.into_said(),
        raw: text::raw(line),
        ..blank
    }
}

const CODE: &str = "REGISTRATION_STATUS_CODE";

fn word(line: &Value, code: Option<i64>, message: Option<&str>) -> Result<Word, Unknown> {
    match code {
        Some(200) => Ok(Word::Registered),
        Some(0) => Ok(Word::NotRegistered),
        Some(code) => failure(code, message).ok_or_else(|| Unknown::new_value(CODE, &line[CODE])),
        // So it is after the line was made, until somebody asks.
        None if line.get(CODE).is_some() => Err(Unknown::SaysSo),
        None => Err(Unknown::contract("REGISTRATION_STATUS_CODE is missing")),
    }
}

fn about(name: &str) -> About {
    match name {
        "REG_ID" | "CONFIG_ID" => About::Identity,
        CODE => About::State,
        "REGISTRATION_ERROR_MESSAGE" => About::Response,
        "LOGIN" => About::Username,
        _ => About::Other,
    }
}

impl Line {
    fn read(line: &Value) -> Self {
        Self {
            kind: match line["TYPE"].as_str() {
                Some("cloud") => LineKind::Cloud,
                Some("office") => LineKind::Office,
                Some(_) | None => LineKind::Other,
            },
            config_id: reading::count(&line["CONFIG_ID"]),
            reg_id: reading::count(&line["REG_ID"]),
            title: reading::text(&line["TITLE"]),
            server: reading::text(&line["SERVER"]),
            login: reading::text(&line["LOGIN"]),
            auth_user: reading::text(&line["AUTH_USER"]),
            outbound_proxy: reading::text(&line["OUTBOUND_PROXY"]),
            stored_code: reading::integer(&line[CODE]),
            stored_message: reading::text(&line["REGISTRATION_ERROR_MESSAGE"]),
        }
    }

    /// How it registers, as far as that can be told. What makes no SIP URI is left out; so is the address-of-record of a login with an
    /// `@` in it, because nobody says what Voximplant makes of one.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let server = self.server.as_deref().and_then(server_uri);
        let login = self.login.as_deref().filter(|login| !login.contains('@'));
        Settings {
            name: self.title.clone(),
            aor: login
                .zip(server.as_ref())
                .and_then(|(login, server)| address_of_record(login, server)),
            registrar: server.as_ref().map(registrar_at),
            outbound_proxy: self.outbound_proxy.as_deref().and_then(server_uri),
            transport: server.as_ref().and_then(transport_of),
            auth_user: self.auth_user.clone().filter(|user| Some(user) != self.login.as_ref()),
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Moment;

    /// As Bitrix24's documents show it, with other secrets.
    fn documented() -> Value {
        json!([
            {"TYPE": "cloud", "CONFIG_ID": "3", "REG_ID": "150907", "SERVER": "sip.example.com", "LOGIN": "0045281811",
                "PASSWORD": "canary", "AUTH_USER": "", "OUTBOUND_PROXY": "", "DETECT_LINE_NUMBER": "N",
                "LINE_DETECT_HEADER_ORDER": "diversion;to", "REGISTRATION_STATUS_CODE": "200", "REGISTRATION_ERROR_MESSAGE": "",
                "TITLE": "SIP line"},
            {"TYPE": "office", "CONFIG_ID": "7", "SERVER": "office.example.com", "LOGIN": "office_user", "PASSWORD": "canary",
                "INCOMING_SERVER": "ip.example.com", "INCOMING_LOGIN": "sip7", "INCOMING_PASSWORD": "canary", "AUTH_USER": null,
                "OUTBOUND_PROXY": null, "REGISTRATION_STATUS_CODE": "0", "REGISTRATION_ERROR_MESSAGE": null, "TITLE": "Office PBX 1"},
            {"TYPE": "cloud", "CONFIG_ID": "9", "REG_ID": "151083", "SERVER": "sip.example.net:5080", "LOGIN": "sip_user",
                "PASSWORD": "canary", "AUTH_USER": "auth", "OUTBOUND_PROXY": "proxy.example.net", "REGISTRATION_STATUS_CODE": "502",
                "REGISTRATION_ERROR_MESSAGE": "Unable to resolve hostname", "TITLE": ""}
        ])
    }

    fn reply(result: Value) -> Reply {
        let now = Moment::from_unix(1_773_662_224).unwrap();
        Reply {
            request: String::new(),
            status: 200,
            body: json!({ "result": result, "total": 3 }),
            server_date: None,
            asked_at: now,
            answered_at: now,
        }
    }

    fn stored(changes: Value) -> Word {
        let mut lines = documented();
        for (name, value) in changes.as_object().unwrap() {
            lines[0][name] = value.clone();
        }
        decode_stored(150_907, &reply(lines)).word
    }

    #[test]
    fn the_documented_lines_are_read_without_their_passwords() {
        let lines = read(&reply(documented()).body).unwrap();
        assert!(!format!("{lines:?}{}", serde_json::to_string(&lines).unwrap()).contains("canary"));
        let [cloud, office, other] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(
            (&cloud.kind, cloud.reg_id, cloud.stored_code),
            (&LineKind::Cloud, Some(150_907), Some(200))
        );
        assert_eq!((&office.kind, office.reg_id, office.config_id), (&LineKind::Office, None, Some(7)));
        assert_eq!(
            (other.title.as_deref(), other.stored_message.as_deref()),
            (None, Some("Unable to resolve hostname"))
        );
    }

    #[test]
    fn a_line_says_how_it_registers() {
        let lines = read(&reply(documented()).body).unwrap();
        let settings = lines[0].settings();
        assert_eq!(settings.aor.unwrap().as_str(), "sip:0045281811@sip.example.com");
        assert_eq!(
            (settings.registrar.unwrap().as_str(), settings.auth_user),
            ("sip:sip.example.com", None)
        );
        assert_eq!((settings.name.as_deref(), settings.outbound_proxy), (Some("SIP line"), None));
        let settings = lines[2].settings();
        assert_eq!(settings.aor.unwrap().as_str(), "sip:sip_user@sip.example.net");
        assert_eq!(settings.registrar.unwrap().as_str(), "sip:sip.example.net:5080");
        assert_eq!((settings.auth_user.as_deref(), settings.name), (Some("auth"), None));
        assert_eq!(settings.outbound_proxy.unwrap().as_str(), "sip:proxy.example.net");
    }

    #[test]
    fn what_makes_no_uri_is_left_out() {
        let settings = |server: &str, login: &str| Line::read(&json!({"SERVER": server, "LOGIN": login})).settings();
        let aor = |settings: Settings| settings.aor.map(|aor| aor.to_string());
        assert_eq!(
            aor(settings("sips:edge.example.com", "a b")).as_deref(),
            Some("sips:a%20b@edge.example.com")
        );
        for (server, login) in [
            ("a b", "alice"),
            ("", "alice"),
            ("edge.example.com", ""),
            ("edge.example.com", "a@example.com"),
        ] {
            assert_eq!(aor(settings(server, login)), None, "{server} {login}");
        }
        assert_eq!(settings("a b", "alice").registrar, None);
    }

    #[test]
    fn the_stored_code_has_its_word() {
        for (code, word) in [
            (json!("200"), Word::Registered),
            (json!(200), Word::Registered),
            (json!("0"), Word::NotRegistered),
            (json!("401"), Word::WrongCredentials),
            (json!("403"), Word::RegistrarError { code: Some(403) }),
            (json!("408"), Word::Timeout),
            (json!("502"), Word::Failed),
            (json!(null), Word::Unknown(Unknown::SaysSo)),
        ] {
            assert_eq!(stored(json!({ CODE: code })), word, "{code}");
        }
        for odd in [json!("soon"), json!("100"), json!("202"), json!("-1"), json!([200]), json!(true)] {
            assert!(
                matches!(stored(json!({ CODE: odd })), Word::Unknown(Unknown::NewValue { .. })),
                "{odd}"
            );
        }
        let unresolved = decode_stored(151_083, &reply(documented()));
        assert_eq!((unresolved.word, unresolved.response), (Word::InternalError, None));
    }

    #[test]
    fn a_stored_answer_is_about_one_line_and_holds_no_password() {
        let answer = decode_stored(150_907, &reply(documented()));
        assert!(!format!("{answer:?}").contains("canary"));
        assert!(
            answer.raw.contains("\"PASSWORD\":\"***\"") && !answer.raw.contains("151083"),
            "{}",
            answer.raw
        );
        assert_eq!(answer.username.as_deref(), Some("0045281811"));
        assert_eq!((answer.source, answer.updated_at), (SourceKind::Bitrix24Stored, None));
        for odd in [json!([{}]), json!([documented()[0], {"TYPE": "cloud"}])] {
            let odd = decode_stored(7, &reply(odd)).word;
            assert!(matches!(odd, Word::Unknown(Unknown::Contract { .. })), "{odd:?}");
        }
        let missing = decode_stored(7, &reply(documented()));
        assert_eq!(missing.word, Word::NotFound);
        assert!(!missing.raw.contains("canary"));
        for odd in [json!(null), json!({}), json!("x")] {
            assert!(matches!(
                decode_stored(7, &reply(odd)).word,
                Word::Unknown(Unknown::Contract { .. })
            ));
        }
    }
}

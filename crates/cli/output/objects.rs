//! Objects of a provider's API for people: a list as a table, one object line by line, an answer about a registration. Everything that
//! came from outside is made safe for a terminal here, whatever was done to it before.

use regprobe_providers::{Answer, ClaimedTime, Listed, Moment, Unknown, Word};
use serde::Serialize;
use serde_json::{Map, Value};
use sip_message::OwnedUri;

use super::style::{Style, Tone};
use super::table::table;
use super::text::{counted, padded, safe, wrapped};

/// Writes a list and how many are on it; `cut` says that there may be more.
pub(crate) fn list<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: Vec<[String; COLUMNS]>, thing: &str, cut: bool) -> String {
    let count = counted(rows.len(), thing);
    match (rows.is_empty(), cut) {
        (true, _) => format!("{count}\n"),
        (false, false) => format!("{}\n{count}\n", table(heading, &rows)),
        (false, true) => format!("{}\nthe first {count}; there may be more\n", table(heading, &rows)),
    }
}

/// What is known of one object, a line for each; what is not known has none.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<(String, String)>);

impl Facts {
    /// One more.
    pub(crate) fn say(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// Fields without a place of their own, with what they are below.
    pub(crate) fn rest(mut self, below: &str, other: &Map<String, Value>) -> Self {
        for (name, value) in other {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.0.push((format!("{below}{name}"), value));
        }
        self
    }

    /// Writes them under a heading.
    pub(crate) fn render(&self, heading: &str, style: Style) -> String {
        let names = self.0.iter().map(|(name, _)| safe(name));
        let width = names.clone().map(|name| name.chars().count()).max().unwrap_or_default();
        let line = |(name, (_, value)): (String, &(String, String))| wrapped(&format!("  {}  ", padded(&name, width)), &safe(value));
        let lines: String = names.zip(&self.0).map(line).collect();
        format!("{}\n{lines}", style.paint(Tone::Strong, &safe(heading)))
    }
}

/// Writes what a source says about one registration.
pub(crate) fn answer(object: &str, answer: &Answer, style: Style) -> String {
    let heading = format!("{} {object} says: {}", answer.source.provider(), word(&answer.word));
    let said = answer
        .said
        .iter()
        .fold(Facts::default(), |facts, said| facts.say(&said.field, Some(&said.value)));
    let mut text = said.render(&heading, style);
    if is_useless(&answer.word) {
        text += &wrapped("  as it came  ", &safe(&answer.raw));
    }
    let contract = answer.contract.map(|contract| format!(", read as {contract}")).unwrap_or_default();
    let when = format!("\n  asked at {}{contract}\n", seconds(answer.asked_at));
    text + &style.paint(Tone::Faint, &when)
        + &style.paint(Tone::Faint, "  its word alone; `regprobe verify` holds it against the registrar\n")
}

/// True when nothing can be made of the answer.
pub(crate) const fn is_useless(word: &Word) -> bool {
    matches!(word, Word::Unknown(Unknown::Contract { .. } | Unknown::WrongObject { .. }))
}

/// A registration in a list, as JSON.
#[derive(Serialize)]
pub(crate) struct Registration<'a> {
    object: &'a str,
    name: Option<&'a str>,
    enabled: Option<bool>,
    aor: Option<&'a str>,
    registrar: Option<&'a str>,
    outbound_proxy: Option<&'a str>,
    transport: Option<&'static str>,
    auth_user: Option<&'a str>,
    expires_s: Option<u32>,
    answer: &'a Answer,
}

impl<'a> Registration<'a> {
    /// What is said of one.
    pub(crate) fn of(listed: &'a Listed) -> Self {
        let settings = &listed.settings;
        let text = |uri: &'a Option<OwnedUri>| uri.as_ref().map(OwnedUri::as_str);
        Self {
            object: &listed.object,
            name: settings.name.as_deref(),
            enabled: settings.enabled,
            aor: text(&settings.aor),
            registrar: text(&settings.registrar),
            outbound_proxy: text(&settings.outbound_proxy),
            transport: settings.transport.map(sip_registration::Transport::name),
            auth_user: settings.auth_user.as_deref(),
            expires_s: settings.expires,
            answer: &listed.answer,
        }
    }
}

/// Writes the registrations that an engine makes. Where they are called by their accounts, the account is said once.
pub(crate) fn registrations(all: &[Listed], thing: &str) -> String {
    let shown = |uri: &Option<OwnedUri>| uri.as_ref().map(ToString::to_string).unwrap_or_default();
    let row = |listed: &Listed| {
        let Listed { object, answer, settings } = listed;
        let account = shown(&settings.aor);
        (
            object.clone(),
            word(&answer.word),
            account,
            shown(&settings.registrar),
            times(answer),
        )
    };
    let rows = all.iter().map(row);
    if rows.clone().all(|(object, _, account, _, _)| object == account) {
        let rows = rows.map(|(object, state, _, registrar, time)| [object, state, registrar, time]);
        return list(["account", "state", "registrar", "time"], rows.collect(), thing, false);
    }
    let rows = rows.map(|(object, state, account, registrar, time)| [object, state, account, registrar, time]);
    list(["name", "state", "account", "registrar", "time"], rows.collect(), thing, false)
}

/// The time that matters most: the end of the binding, else the next REGISTER, else the last one.
fn times(answer: &Answer) -> String {
    let named = [
        ("until", answer.expires_at),
        ("next at", answer.next_action_at),
        ("since", answer.refreshed_at),
    ];
    let found = named.into_iter().find_map(|(name, time)| Some((name, time?)));
    found.map_or_else(String::new, |(name, time)| format!("{name} {}", claimed(time)))
}

/// RFC 3339; without the Z when nobody says in which zone it is.
fn claimed(time: ClaimedTime) -> String {
    let written = seconds(time.at);
    let local = written.trim_end_matches('Z');
    if time.zone_known { written } else { local.to_owned() }
}

/// RFC 3339 in UTC, to the second.
fn seconds(moment: Moment) -> String {
    format!("{:.0}", moment.timestamp())
}

/// A claimed state as people say it.
pub(crate) fn word(word: &Word) -> String {
    let plain = match word {
        Word::NotRegistered => "not registered",
        Word::Registering => "registering",
        Word::Authenticating => "authenticating",
        Word::Registered => "registered",
        Word::Timeout => "no reply from the registrar",
        Word::InternalError => "could not send its REGISTER, or not use the reply",
        Word::WrongCredentials => "credentials refused",
        Word::RegistrarError { code: None } => "refused by the registrar",
        Word::RegistrarError { code: Some(code) } => return format!("refused by the registrar with {code}"),
        Word::Failed => "failed, for no reason given",
        Word::Unregistering => "un-registering",
        Word::Disabled => "switched off",
        Word::Lapsed => "run out",
        Word::NotFound => "no such registration",
        Word::Unknown(unknown) => return unclear(unknown),
        Word::Unavailable(trouble) => return format!("no answer: {}", trouble.name()),
    };
    plain.to_owned()
}

fn unclear(unknown: &Unknown) -> String {
    match unknown {
        Unknown::SaysSo => "not known".to_owned(),
        Unknown::NewValue { field, value } => format!("{field} {value}, a word that regprobe does not know"),
        Unknown::SelfContradiction { one, other } => format!("{one} and {other}, which contradict each other"),
        Unknown::WrongObject { field, asked, answered } => format!("something about {field} {answered} instead of {asked}"),
        Unknown::Contract { problem } => format!("nothing that can be used: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use regprobe_providers::{About, Said, Settings, SourceKind};
    use serde_json::json;

    use super::*;

    fn said(word: Word) -> Answer {
        let now = Moment::from_unix(1_780_401_551).unwrap();
        Answer {
            word,
            contract: Some("kamailio uac"),
            expires_at: Some(ClaimedTime {
                at: now,
                zone_known: false,
            }),
            said: vec![Said {
                field: "flags".into(),
                value: "20\u{1b}[2J".into(),
                about: About::State,
            }],
            raw: "{}".into(),
            ..Answer::blank(SourceKind::Kamailio, now, now)
        }
    }

    fn listed(word: Word) -> Listed {
        Listed {
            object: "trunk1".into(),
            answer: said(word),
            settings: Settings {
                aor: Some("sip:alice@example.test".parse().unwrap()),
                ..Settings::default()
            },
        }
    }

    #[test]
    fn an_answer_is_a_sentence_and_its_fields() {
        let text = answer("trunk1", &said(Word::Registered), Style::Plain);
        assert!(text.starts_with("Kamailio trunk1 says: registered\n  flags  20"), "{text}");
        assert!(text.contains("asked at 2026-06-02T11:59:11Z, read as kamailio uac"), "{text}");
        assert!(text.contains("regprobe verify") && !text.contains('\u{1b}'), "{text}");
        let useless = Word::Unknown(Unknown::Contract {
            problem: "no record".into(),
        });
        assert!(is_useless(&useless) && !is_useless(&Word::Unknown(Unknown::SaysSo)));
        assert!(answer("trunk1", &said(useless), Style::Plain).contains("as it came  {}"));
    }

    #[test]
    fn a_list_says_how_many_there_are() {
        let text = registrations(
            &[listed(Word::Registered), listed(Word::RegistrarError { code: Some(403) })],
            "registration",
        );
        assert!(text.contains("until 2026-06-02T11:59:11\n"), "{text}");
        assert!(
            text.contains("sip:alice@example.test") && text.ends_with("\n2 registrations\n"),
            "{text}"
        );
        assert_eq!(registrations(&[], "gateway"), "0 gateways\n");
        assert!(list(["id"], vec![["7".into()]], "connection", true).ends_with("the first 1 connection; there may be more\n"));
    }

    #[test]
    fn a_registration_in_json_has_the_same_keys_always() {
        let bare = Listed {
            settings: Settings::default(),
            ..listed(Word::Failed)
        };
        let keys = |listed: &Listed| {
            let json = serde_json::to_value(Registration::of(listed)).unwrap();
            json.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&bare), keys(&listed(Word::Registered)));
    }

    #[test]
    fn facts_stand_in_line_and_what_is_not_known_is_left_out() {
        let other = json!({"tags": ["a"], "note": "b\nc"});
        let facts = Facts::default()
            .say("id", Some(7))
            .say("name", None::<&str>)
            .rest("settings.", other.as_object().unwrap());
        let text = facts.render("Office", Style::Plain);
        assert_eq!(
            text,
            "Office\n  id             7\n  settings.note  b\\x0ac\n  settings.tags  [\"a\"]\n"
        );
    }
}

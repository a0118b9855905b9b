//! What a provider says about a registration, decoded into one vocabulary. Types only: the decoders are the clients', what it is worth
//! is the verdict's to say. Every text is escaped, cut to a readable length and free of secrets before it gets here.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{ApiError, ApiTrouble, Moment, Reply, SourceKind, text};

/// What one provider says about one registration, each time that it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Claim {
    /// The source whose word is held against the wire.
    pub source: SourceKind,
    /// Its answers, the oldest first, and between them those of other sources of the same provider, which only corroborate.
    pub answers: Vec<Answer>,
}

impl Claim {
    /// The answers of the source itself, the oldest first.
    pub fn own(&self) -> impl DoubleEndedIterator<Item = &Answer> {
        self.answers.iter().filter(|answer| answer.source == self.source)
    }

    /// The answers of other sources of the same provider, the oldest first.
    pub fn corroborating(&self) -> impl DoubleEndedIterator<Item = &Answer> {
        self.answers.iter().filter(|answer| answer.source != self.source)
    }
}

/// One answer. What the source did not say is `None`; nothing is guessed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Answer {
    /// Whose.
    pub source: SourceKind,
    /// When it was asked for, by our clock.
    pub asked_at: Moment,
    /// When it was there, by our clock.
    pub answered_at: Moment,
    /// The Date header of the reply, by the provider's clock, to the second.
    pub server_date: Option<Moment>,
    /// The revision of the contract that it was decoded by, such as `telnyx R8`.
    pub contract: Option<&'static str>,
    /// The state that it claims.
    pub word: Word,
    /// The SIP reply that it claims to have got last.
    pub response: Option<ClaimedResponse>,
    /// The lifetime that was granted or asked for, in seconds.
    pub lifetime_s: Option<u32>,
    /// Until when the binding is said to hold. Never the time of the next refresh.
    pub expires_at: Option<ClaimedTime>,
    /// When the next REGISTER is due.
    pub next_action_at: Option<ClaimedTime>,
    /// When the registration was made or refreshed last.
    pub refreshed_at: Option<ClaimedTime>,
    /// When the source itself last looked; a stored value is as old as that.
    pub updated_at: Option<ClaimedTime>,
    /// The Contact that is said to be registered, or the device's address where the provider is the registrar.
    pub contact: Option<ClaimedContact>,
    /// The user name that is said to be registered.
    pub username: Option<String>,
    /// Every field that was said, in the order of the answer: what people see line by line.
    pub said: Vec<Said>,
    /// The answer as it came, secrets redacted, escaped and cut. Where it is none, the trouble in the first line, and after that the text
    /// that came instead of an answer.
    pub raw: String,
}

impl Answer {
    /// An answer in which nothing has been read yet. Decoders set what they find; what they leave says that no contract fits.
    #[must_use]
    pub fn blank(source: SourceKind, asked_at: Moment, answered_at: Moment) -> Self {
        Self {
            source,
            asked_at,
            answered_at,
            server_date: None,
            contract: None,
            word: Word::Unknown(Unknown::Contract {
                problem: "nothing in it was understood".into(),
            }),
            response: None,
            lifetime_s: None,
            expires_at: None,
            next_action_at: None,
            refreshed_at: None,
            updated_at: None,
            contact: None,
            username: None,
            said: Vec::new(),
            raw: String::new(),
        }
    }

    /// The same for an answer over HTTP, with its times and its raw text, secrets redacted.
    #[must_use]
    pub fn blank_of(source: SourceKind, reply: &Reply) -> Self {
        Self {
            server_date: reply.server_date,
            raw: text::raw(&reply.body),
            ..Self::blank(source, reply.asked_at, reply.answered_at)
        }
    }

    /// What is known when there was none: the trouble, or that the source has no such object.
    #[must_use]
    pub fn unavailable(source: SourceKind, asked_at: Moment, answered_at: Moment, error: &ApiError) -> Self {
        let word = match error.trouble {
            ApiTrouble::NotFound => Word::NotFound,
            trouble => Word::Unavailable(trouble),
        };
        // Its parts are escaped, cut and free of secrets by themselves; together they may look like a secret: `expired_token: The`.
        let told = error.to_string();
        Self {
            word,
            raw: error.body.iter().fold(told, |told, body| format!("{told}\n{body}")),
            ..Self::blank(source, asked_at, answered_at)
        }
    }

    /// What is said of the trouble that it is, in one line.
    #[must_use]
    pub fn trouble(&self) -> &str {
        self.raw.lines().next().unwrap_or_default()
    }
}

/// The claimed state, in the vocabulary that every source is mapped to: OpenSIPS' ten states, and what lies beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Word {
    /// Nothing sent yet, or cleanly un-registered.
    NotRegistered,
    /// A REGISTER is on its way.
    Registering,
    /// A REGISTER with credentials is on its way.
    Authenticating,
    /// Registered, by every indicator of the source.
    Registered,
    /// No reply in time, or a 408.
    Timeout,
    /// The request could not be sent, or the reply not used; DNS failures count here.
    InternalError,
    /// The credentials were refused: 401 or 407 after an answer.
    WrongCredentials,
    /// Any other refusal.
    RegistrarError {
        /// Its status code, where the source gives it.
        code: Option<u16>,
    },
    /// Failed, and the source does not say why.
    Failed,
    /// An un-REGISTER is on its way.
    Unregistering,
    /// None is wanted: switched off, or an object that does not register.
    Disabled,
    /// The source itself says that the binding has run out.
    Lapsed,
    /// The source has no such registration.
    NotFound,
    /// The answer cannot be taken for any of these.
    Unknown(Unknown),
    /// There was no answer.
    Unavailable(ApiTrouble),
}

/// Why an answer says nothing that can be held against the wire. Texts are escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unknown {
    /// The source itself says that it does not know.
    SaysSo,
    /// A state that no known revision of the contract has.
    NewValue {
        /// Which field.
        field: String,
        /// What it holds.
        value: String,
    },
    /// The source's own indicators contradict each other.
    SelfContradiction {
        /// The one, such as `sip_registration_status registered`.
        one: String,
        /// The other, such as `registered false`.
        other: String,
    },
    /// The answer is about another object than was asked for.
    WrongObject {
        /// Which field.
        field: String,
        /// What was asked for.
        asked: String,
        /// What came.
        answered: String,
    },
    /// The answer follows no known revision of the contract.
    Contract {
        /// What is missing or of the wrong kind.
        problem: String,
    },
}

impl Unknown {
    /// A value that no known revision of the contract has in this field, secrets redacted.
    #[must_use]
    pub fn new_value(field: &str, value: &Value) -> Self {
        let value = text::redacted(value.clone());
        Self::NewValue {
            field: field.to_owned(),
            value: value.as_str().map_or_else(|| text::field(&value.to_string()), text::field),
        }
    }

    /// Two indicators that cannot both be right, each with its field and value; the texts are escaped and cut already.
    #[must_use]
    pub fn contradiction(one: impl Into<String>, other: impl Into<String>) -> Self {
        Self::SelfContradiction {
            one: one.into(),
            other: other.into(),
        }
    }

    /// What is missing or of the wrong kind, in our own words.
    #[must_use]
    pub fn contract(problem: impl Into<String>) -> Self {
        Self::Contract { problem: problem.into() }
    }
}

/// A SIP reply that a source claims to have got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClaimedResponse {
    /// Its status code, 100 to 699.
    pub code: u16,
    /// Its reason phrase; may be empty.
    pub reason: String,
}

/// A moment that a source names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClaimedTime {
    /// The moment; read as UTC where no zone was given.
    pub at: Moment,
    /// Whether the zone was given. Without it the moment may be 14 hours off, and proves nothing by itself.
    pub zone_known: bool,
}

/// A Contact that a source names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClaimedContact {
    /// The user part.
    pub user: Option<String>,
    /// The host: a name or an address, IPv6 without brackets.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
}

/// One field of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// Its name, with the names above it: `sip_registration_details.expires`.
    pub field: String,
    /// What it holds, as it stood.
    pub value: String,
    /// What it is about.
    pub about: About,
}

/// What a field is about, so that the verdict can put beside it what the wire showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The state.
    State,
    /// The last SIP reply, or an error message about it.
    Response,
    /// The end of the binding.
    Expiry,
    /// The next REGISTER.
    NextAction,
    /// The last REGISTER, or when the registration came up.
    Refresh,
    /// When the source looked.
    Update,
    /// The lifetime.
    Lifetime,
    /// The Contact or the device's address.
    Contact,
    /// The user name.
    Username,
    /// The transport.
    Transport,
    /// Whether a registration is wanted at all.
    Enabled,
    /// Which object the answer is about.
    Identity,
    /// Anything else that is worth showing.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_an_answer_that_names_it() {
        let error = |trouble| ApiError {
            trouble,
            status: None,
            code: None,
            detail: "refused".into(),
            request: "GET /x".into(),
            attempts: 1,
            retry_after: None,
            body: None,
        };
        let now = Moment::from_unix(0).unwrap();
        let answer = |trouble| Answer::unavailable(SourceKind::TelnyxUac, now, now, &error(trouble));
        assert_eq!(answer(ApiTrouble::Gone).word, Word::Unavailable(ApiTrouble::Gone));
        assert_eq!(answer(ApiTrouble::NotFound).word, Word::NotFound);
        assert_eq!(answer(ApiTrouble::Gone).raw, "GET /x: refused");
        let expired = ApiError {
            code: Some("expired_token".into()),
            detail: "The access token has expired".into(),
            body: Some("<html>".into()),
            ..error(ApiTrouble::Unauthorized)
        };
        let answer = Answer::unavailable(SourceKind::Bitrix24, now, now, &expired);
        let told = "GET /x: expired_token: The access token has expired";
        assert_eq!((answer.trouble(), answer.raw.lines().last()), (told, Some("<html>")));
    }
}

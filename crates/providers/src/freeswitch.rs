//! FreeSWITCH as the client of a registration: a gateway of `mod_sofia`, asked by `sofia xmlstatus gateway` over the event socket
//! (`mod_event_socket`). Nothing is subscribed to and nothing is changed.

mod gateway;
mod xml;

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::dialogue::{Dialogue, Endpoint, Fault, Fields, Heard, check_secret, within};
use crate::{Answer, ApiError, ApiTrouble, Listed, Moment, Settings, SetupError, SourceKind};

pub use gateway::{Gateway, NoGateway, decode, settings};
pub use xml::Elements;

/// The port of the event socket.
pub const PORT: u16 = 8021;

/// The shortest password that an error is searched for, in bytes.
const SHORTEST_IN_ERROR: usize = 4;
/// The shortest that an answer is searched for.
const SHORTEST_IN_ANSWER: usize = 8;

/// A client of one FreeSWITCH. Asks one thing at a time, each on a connection of its own.
pub struct Client {
    endpoint: Endpoint,
    password: SecretString,
    deadline: Duration,
    turn: Mutex<()>,
}

impl Client {
    /// A client of the event socket there. `deadline` is how long one question may take. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError::Secret`] for a password that cannot be sent.
    pub fn new(endpoint: Endpoint, password: SecretString, deadline: Duration) -> Result<Self, SetupError> {
        check_secret(&password, "the password of the event socket")?;
        Ok(Self {
            endpoint,
            password,
            deadline,
            turn: Mutex::new(()),
        })
    }

    /// What FreeSWITCH says about a gateway.
    pub async fn answer(&self, gateway: &Gateway) -> Answer {
        let asked_at = Moment::now();
        match self.status(Some(gateway)).await {
            Ok(heard) => decode(gateway, &heard),
            Err(error) => Answer::unavailable(SourceKind::Freeswitch, asked_at, Moment::now(), &error),
        }
    }

    /// How it registers.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::NotFound`] when there is no such gateway.
    pub async fn settings(&self, gateway: &Gateway) -> Result<Settings, ApiError> {
        let heard = self.status(Some(gateway)).await?;
        let other = |trouble| ApiError::new(trouble, &command(Some(gateway)), &format!("no status of gateway {gateway}"));
        gateway::found(gateway, &heard.what).map(|fields| settings(&fields)).map_err(other)
    }

    /// All gateways that it has.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(&self) -> Result<Vec<Listed>, ApiError> {
        let heard = self.status(None).await?;
        gateway::all(&heard).map_err(|problem| ApiError::new(ApiTrouble::Contract, &command(None), &problem))
    }

    async fn status(&self, gateway: Option<&Gateway>) -> Result<Heard<String>, ApiError> {
        let _turn = self.turn.lock().await;
        let asked_at = Moment::now();
        let outcome = within(self.deadline, &command(gateway), self.ask(&command(gateway))).await;
        let what = outcome.map_err(|error| ApiError {
            detail: self.hidden(error.detail, SHORTEST_IN_ERROR),
            ..error
        })?;
        Ok(Heard {
            what: self.hidden(what, SHORTEST_IN_ANSWER),
            asked_at,
            answered_at: Moment::now(),
        })
    }

    /// Who answers has read the password: what it says is kept without it. A short one may be any other word, such as a gateway's name.
    fn hidden(&self, said: String, shortest: usize) -> String {
        let password = self.password.expose_secret();
        if password.len() >= shortest {
            said.replace(password, "***")
        } else {
            said
        }
    }

    /// One question and what is answered to it.
    async fn ask(&self, command: &str) -> Result<String, Fault> {
        let mut dialogue = Dialogue::open(&self.endpoint).await?;
        self.log_in(&mut dialogue).await?;
        dialogue.say(&format!("{command}\n\n")).await?;
        loop {
            let fields = dialogue.fields().await?;
            let body = body(&mut dialogue, &fields).await?;
            match fields.value("Content-Type") {
                Some("api/response") => return Ok(body),
                Some("command/reply") => return Err(refused(&fields)),
                Some("text/disconnect-notice") => return Err(Fault::new(ApiTrouble::Unreachable, "FreeSWITCH hung up")),
                Some(_) | None => {}
            }
        }
    }

    async fn log_in(&self, dialogue: &mut Dialogue) -> Result<(), Fault> {
        let greeting = dialogue.fields().await?;
        match greeting.value("Content-Type") {
            Some("auth/request") => {}
            Some("text/rude-rejection" | "rude/rejection") => {
                return Err(Fault::new(
                    ApiTrouble::Forbidden,
                    "FreeSWITCH takes no connection from this address",
                ));
            }
            Some(_) | None => return Err(Fault::contract("the greeting of an event socket")),
        }
        let words = SecretString::from(format!("auth {}\n\n", self.password.expose_secret()));
        dialogue.say(words.expose_secret()).await?;
        let reply = dialogue.fields().await?;
        match reply.value("Reply-Text") {
            Some(words) if words.starts_with("+OK") => Ok(()),
            Some(words) if words.starts_with("-ERR") => Err(Fault::new(ApiTrouble::Unauthorized, "FreeSWITCH refuses the password")),
            Some(_) | None => Err(Fault::contract("a reply to auth")),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn command(gateway: Option<&Gateway>) -> String {
    gateway.map_or_else(
        || "api sofia xmlstatus gateway".to_owned(),
        |gateway| format!("api sofia xmlstatus gateway {gateway}"),
    )
}

/// The body that belongs to these fields. It claims to be ISO 8859-1 and is UTF-8 wherever people write it so.
async fn body(dialogue: &mut Dialogue, fields: &Fields) -> Result<String, Fault> {
    let Some(length) = fields.value("Content-Length") else {
        return Ok(String::new());
    };
    let length = length.parse().map_err(|_| Fault::contract("of a length that is a number"))?;
    let bytes = dialogue.bytes(length).await?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect()))
}

/// A reply to the command itself, which an `api` command gets only when it is not carried out.
fn refused(reply: &Fields) -> Fault {
    let words = reply.value("Reply-Text").unwrap_or_default();
    let trouble = if words.contains("permission denied") {
        ApiTrouble::Forbidden
    } else {
        ApiTrouble::Contract
    };
    Fault::new(trouble, words)
}

//! Asterisk as the client of a registration: the outbound registrations of `res_pjsip`, asked by `PJSIPShowRegistrationsOutbound` over
//! the manager interface (AMI). The secret never crosses the network: the login answers a challenge. Nothing is changed, no events are
//! subscribed to, and of the SIP passwords that Asterisk sends along nothing is kept.

mod registration;

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::dialogue::{Dialogue, Endpoint, Fault, Fields, Heard, check_secret, within};
use crate::{Answer, ApiError, ApiTrouble, Listed, Moment, Settings, SetupError, SourceKind};

pub use registration::{Registrations, decode, settings};

/// The port of the manager interface.
pub const PORT: u16 = 5038;

/// The action that lists the registrations.
const LIST: &str = "PJSIPShowRegistrationsOutbound";

/// A client of one Asterisk. Asks one thing at a time, each on a connection of its own.
pub struct Client {
    endpoint: Endpoint,
    user: String,
    secret: SecretString,
    deadline: Duration,
    turn: Mutex<()>,
}

impl Client {
    /// A client of the manager interface there, as this user of `manager.conf`, who needs the privilege `system` or `reporting`.
    /// `deadline` is how long one question may take. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError::Secret`] for a user or a secret that cannot be sent.
    pub fn new(endpoint: Endpoint, user: &str, secret: SecretString, deadline: Duration) -> Result<Self, SetupError> {
        check_secret(&user.to_owned().into(), "the user of the manager interface")?;
        check_secret(&secret, "the secret of the manager interface")?;
        Ok(Self {
            endpoint,
            user: user.to_owned(),
            secret,
            deadline,
            turn: Mutex::new(()),
        })
    }

    /// What Asterisk says about a registration, by the name of its section in `pjsip.conf`.
    pub async fn answer(&self, registration: &str) -> Answer {
        let asked_at = Moment::now();
        match self.registrations().await {
            Ok(heard) => decode(registration, &heard),
            Err(error) => Answer::unavailable(SourceKind::Asterisk, asked_at, Moment::now(), &error),
        }
    }

    /// How it registers.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::NotFound`] when there is no such registration.
    pub async fn settings(&self, registration: &str) -> Result<Settings, ApiError> {
        let heard = self.registrations().await?;
        let absent = || ApiError::new(ApiTrouble::NotFound, LIST, &format!("no outbound registration {registration}"));
        settings(registration, &heard.what).ok_or_else(absent)
    }

    /// All outbound registrations that it has.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(&self) -> Result<Vec<Listed>, ApiError> {
        let heard = self.registrations().await?;
        Ok(registration::all(&heard))
    }

    async fn registrations(&self) -> Result<Heard<Registrations>, ApiError> {
        let _turn = self.turn.lock().await;
        let asked_at = Moment::now();
        let what = within(self.deadline, LIST, self.ask()).await?;
        Ok(Heard {
            what,
            asked_at,
            answered_at: Moment::now(),
        })
    }

    async fn ask(&self) -> Result<Registrations, Fault> {
        let mut dialogue = Dialogue::open(&self.endpoint).await?;
        if !dialogue.line().await?.starts_with("Asterisk Call Manager/") {
            return Err(Fault::contract("the greeting of a manager interface"));
        }
        self.log_in(&mut dialogue).await?;
        let (id, reply) = act(&mut dialogue, LIST, &[]).await?;
        if !reply.is("Response", "Success") {
            return Err(refused(&reply));
        }
        let mut registrations = Registrations::default();
        loop {
            let event = next(&mut dialogue, &id).await?;
            match event.value("Event") {
                Some("OutboundRegistrationDetailComplete") if event.is("EventList", "Complete") => return Ok(registrations),
                Some("OutboundRegistrationDetailComplete") => return Err(Fault::contract("a complete list")),
                Some(_) => registrations.hear(event),
                None => {}
            }
        }
    }

    /// Logs in by a challenge, without events.
    async fn log_in(&self, dialogue: &mut Dialogue) -> Result<(), Fault> {
        let (_, reply) = act(dialogue, "Challenge", &[("AuthType", "MD5")]).await?;
        let challenge = reply
            .value("Challenge")
            .ok_or_else(|| Fault::contract("a challenge to log in by"))?;
        let key = key(challenge, &self.secret);
        let login = [("AuthType", "MD5"), ("Username", &*self.user), ("Key", &*key), ("Events", "off")];
        let (_, reply) = act(dialogue, "Login", &login).await?;
        if reply.is("Response", "Success") {
            return Ok(());
        }
        Err(Fault::new(ApiTrouble::Unauthorized, "Asterisk refuses the user or the secret"))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = &mut f.debug_struct("Client");
        client
            .field("endpoint", &self.endpoint)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Sends an action and hears the response to it, and by which id the events that follow are known.
async fn act(dialogue: &mut Dialogue, action: &str, fields: &[(&str, &str)]) -> Result<(String, Fields), Fault> {
    let id = format!("regprobe-{:08x}", rand::random::<u32>());
    let mut words = format!("Action: {action}\r\nActionID: {id}\r\n");
    for (name, value) in fields {
        if value.contains(char::is_control) {
            return Err(Fault::new(ApiTrouble::BadRequest, format!("{name} holds a control character")));
        }
        write!(words, "{name}: {value}\r\n").expect("a String takes everything");
    }
    words.push_str("\r\n");
    dialogue.say(&words).await?;
    loop {
        let reply = next(dialogue, &id).await?;
        if reply.value("Response").is_some() {
            return Ok((id, reply));
        }
    }
}

/// The next block that belongs to this action; whatever else is said in between is left out.
async fn next(dialogue: &mut Dialogue, id: &str) -> Result<Fields, Fault> {
    loop {
        let fields = dialogue.fields().await?;
        if fields.value("ActionID") == Some(id) {
            return Ok(fields);
        }
    }
}

/// What is sent in place of the secret: MD5 over the challenge and it.
fn key(challenge: &str, secret: &SecretString) -> String {
    let mut hash = Md5::new();
    hash.update(challenge.as_bytes());
    hash.update(secret.expose_secret().as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why the list was not given.
fn refused(reply: &Fields) -> Fault {
    let words = reply.value("Message").unwrap_or_default();
    if words.eq_ignore_ascii_case("Permission denied") {
        return Fault::new(ApiTrouble::Forbidden, "the user lacks the privilege system or reporting");
    }
    let unknown = words.to_ascii_lowercase().starts_with("invalid/unknown command");
    let trouble = if unknown { ApiTrouble::Contract } else { ApiTrouble::Server };
    Fault::new(trouble, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_hash_of_challenge_and_secret() {
        // echo -n 123456789mysecret | md5sum
        assert_eq!(key("123456789", &"mysecret".to_owned().into()), "aba26d296bb0ae595d7c90fb8e38e67e");
    }

    #[test]
    fn no_user_and_no_secret_begins_another_action() {
        let client = |user: &str, secret: &str| {
            let endpoint = "127.0.0.1:5038".parse().unwrap();
            Client::new(endpoint, user, secret.to_owned().into(), Duration::from_secs(1))
        };
        for (user, secret) in [
            ("a\r\nAction: Command", "s"),
            ("", "s"),
            ("a", "s\r\n\r\nAction: Command"),
            ("a", ""),
        ] {
            assert!(matches!(client(user, secret), Err(SetupError::Secret(_))), "{user:?} {secret:?}");
        }
        let client = client("monitor", "canary").unwrap();
        assert_eq!(format!("{client:?}").matches("canary").count(), 0);
    }
}

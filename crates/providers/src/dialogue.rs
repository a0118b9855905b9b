//! A dialogue in lines over TCP, as FreeSWITCH's event socket and Asterisk's manager interface hold it: where it is held, how much of it
//! is read, and what its errors are. Knows the words of neither.
//!
//! Both protocols carry secrets in the clear and have no TLS of their own, so that a dialogue is held only with this machine or a private
//! network. From elsewhere, a tunnel leads there.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, lookup_host};

use crate::api::is_near_address;
use crate::{ApiError, ApiTrouble, Moment, SetupError, text};

/// The most that is read in one dialogue, in bytes.
const MOST: usize = 1024 * 1024;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 * 1024;
/// The most fields of one block.
const MOST_FIELDS: usize = 256;

/// Where a dialogue is held: a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why a text is no [`Endpoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a host and a port, such as 127.0.0.1:8021 or [::1]:5038")]
pub struct NoEndpoint;

/// The fields of one block, in their order; names are compared without regard to case. Debug shows no secret among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// What was said in a dialogue, and when by our clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard<T> {
    /// What was said.
    pub what: T,
    /// When it was asked for.
    pub asked_at: Moment,
    /// When all of it was there.
    pub answered_at: Moment,
}

/// A connection on which lines go back and forth.
pub(crate) struct Dialogue {
    stream: BufReader<TcpStream>,
    left: usize,
}

/// Why a dialogue came to nothing. The text may hold what the other side said, but none of our secrets.
#[derive(Debug)]
pub(crate) struct Fault {
    trouble: ApiTrouble,
    detail: String,
}

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let (host, port) = text.trim().rsplit_once(':').ok_or(NoEndpoint)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let host = match bracketed {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            None if is_name(host) => host,
            Some(_) | None => return Err(NoEndpoint),
        };
        let port = port.parse().ok().filter(|&port| port != 0).ok_or(NoEndpoint)?;
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Fields {
    /// Reads lines of `Name: value`; a line without a colon is left out.
    #[must_use]
    pub fn read(block: &str) -> Self {
        let mut fields = Self::default();
        block.lines().for_each(|line| fields.push(line));
        fields
    }

    /// The first value of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    /// True when this field has this value, whatever its case.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name).is_some_and(|it| it.eq_ignore_ascii_case(value))
    }

    /// All fields, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    fn push(&mut self, line: &str) {
        if let Some((name, value)) = line.split_once(':').filter(|_| self.0.len() < MOST_FIELDS) {
            self.0.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if text::is_secret(name) { "***" } else { value });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

impl Dialogue {
    /// Connects to the first address that answers.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, Fault> {
        let found = lookup_host((&*endpoint.host, endpoint.port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|error| unconnected(endpoint, &error))?.collect();
        let mut fault = Fault::new(ApiTrouble::Unreachable, format!("{endpoint} has no address"));
        for address in addresses {
            if !is_near_address(address.ip()) {
                return Err(Fault::new(ApiTrouble::BadRequest, FAR));
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    return Ok(Self {
                        stream: BufReader::new(stream),
                        left: MOST,
                    });
                }
                Err(error) => fault = unconnected(endpoint, &error),
            }
        }
        Err(fault)
    }

    /// Sends this text as it is.
    pub(crate) async fn say(&mut self, words: &str) -> Result<(), Fault> {
        let sent = self.stream.get_mut().write_all(words.as_bytes()).await;
        sent.map_err(|error| unreachable(&error))
    }

    /// The next line, without its end.
    pub(crate) async fn line(&mut self) -> Result<String, Fault> {
        let most = LONGEST_LINE.min(self.left);
        let mut line = Vec::new();
        let read = (&mut self.stream).take(most as u64).read_until(b'\n', &mut line).await;
        self.left -= read.map_err(|error| unreachable(&error))?.min(self.left);
        match line.pop() {
            Some(b'\n') => {}
            Some(_) if line.len() + 1 == most => return Err(too_large()),
            Some(_) | None if most == 0 => return Err(too_large()),
            Some(_) | None => {
                return Err(Fault::new(
                    ApiTrouble::Unreachable,
                    "the connection was closed before the answer was complete",
                ));
            }
        }
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    /// The next block of fields, up to the empty line behind it; empty lines before it are left out.
    pub(crate) async fn fields(&mut self) -> Result<Fields, Fault> {
        let mut fields = Fields::default();
        let mut begun = false;
        loop {
            let line = self.line().await?;
            match (line.is_empty(), begun) {
                (true, true) => return Ok(fields),
                (true, false) => {}
                (false, _) => fields.push(&line),
            }
            begun |= !line.is_empty();
        }
    }

    /// The next so many bytes.
    pub(crate) async fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Fault> {
        if length > self.left {
            return Err(too_large());
        }
        self.left -= length;
        let mut bytes = vec![0; length];
        let read = self.stream.read_exact(&mut bytes).await;
        read.map(|_| bytes).map_err(|error| unreachable(&error))
    }
}

impl Fault {
    pub(crate) fn new(trouble: ApiTrouble, detail: impl Into<String>) -> Self {
        Self {
            trouble,
            detail: detail.into(),
        }
    }

    /// What was heard is not what the protocol has at this place.
    pub(crate) fn contract(expected: &str) -> Self {
        Self::new(ApiTrouble::Contract, format!("the answer is not {expected}"))
    }
}

/// Holds a dialogue to its end or until the deadline.
pub(crate) async fn within<T>(deadline: Duration, request: &str, dialogue: impl Future<Output = Result<T, Fault>>) -> Result<T, ApiError> {
    let outcome = tokio::time::timeout(deadline, dialogue).await;
    let out_of_time = |_| Err(Fault::new(ApiTrouble::Timeout, format!("no complete answer within {deadline:?}")));
    outcome
        .unwrap_or_else(out_of_time)
        .map_err(|fault| ApiError::new(fault.trouble, request, &fault.detail))
}

/// Refuses a secret that would end the line that it stands in, and with it begin another command.
pub(crate) fn check_secret(secret: &SecretString, what: &str) -> Result<(), SetupError> {
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Err(SetupError::Secret(format!("{what} is empty")));
    }
    if secret.chars().any(char::is_control) {
        return Err(SetupError::Secret(format!("{what} holds a line end or another control character")));
    }
    Ok(())
}

fn unconnected(endpoint: &Endpoint, error: &std::io::Error) -> Fault {
    Fault::new(ApiTrouble::Unreachable, format!("no connection to {endpoint}: {error}"))
}

fn unreachable(error: &std::io::Error) -> Fault {
    Fault::new(ApiTrouble::Unreachable, error.to_string())
}

fn too_large() -> Fault {
    Fault::new(
        ApiTrouble::TooLarge,
        format!("more than {} KiB, or a line without an end", MOST / 1024),
    )
}

const FAR: &str = "this protocol shows its password to everybody on the way; reach it through a tunnel, such as ssh -L, at an address of this \
                   machine or of a private network";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        for good in ["127.0.0.1:8021", "pbx.example.com:5038", "[::1]:5038"] {
            assert_eq!(good.parse::<Endpoint>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "127.0.0.1",
            ":8021",
            "::1:8021",
            "[::1]",
            "[pbx]:1",
            "pbx:0",
            "pbx:70000",
            "a b:1",
            "a\r\nb:1",
            "user@pbx:1",
        ] {
            assert_eq!(bad.parse::<Endpoint>(), Err(NoEndpoint), "{bad}");
        }
    }

    #[test]
    fn fields_keep_their_order_and_are_found_in_any_case() {
        let fields = Fields::read("Event: Detail\r\nno colon\nServerUri: sip:registrar.example.com\nevent: Second\n");
        assert_eq!(fields.value("EVENT"), Some("Detail"));
        assert_eq!(fields.value("serveruri"), Some("sip:registrar.example.com"));
        assert!(fields.is("event", "detail") && !fields.is("absent", ""));
        assert_eq!(fields.iter().count(), 3);
        assert_eq!(Fields::read(&"a: b\n".repeat(10_000)).iter().count(), MOST_FIELDS);
    }

    #[test]
    fn a_secret_among_the_fields_is_not_shown() {
        let fields = Fields::read("Username: alice\r\nPassword: canary\r\nMd5Cred: canary\r\n");
        assert_eq!(
            format!("{fields:?}"),
            r#"{"Username": "alice", "Password": "***", "Md5Cred": "***"}"#
        );
    }

    #[test]
    fn a_secret_cannot_begin_another_command() {
        let check = |secret: &str| check_secret(&secret.to_owned().into(), "the password");
        assert_eq!(check("ClueCon with spaces"), Ok(()));
        for bad in ["", "a\nb", "a\r\nAction: Command", "a\0b"] {
            let error = check(bad).unwrap_err();
            assert!(!error.to_string().contains("Command"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(words in "\\PC{0,80}") {
            let _ = (Fields::read(&words), words.parse::<Endpoint>());
        }
    }
}

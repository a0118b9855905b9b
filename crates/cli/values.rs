//! One argument's text as a value: URIs, addresses, durations, numbers. Pure; what arguments mean together is `plan`'s to say.
//!
//! Every refusal says what was wrong and what would be right. clap puts the argument's name in front.

mod rate;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use regprobe_providers::{HostPattern, SetupError, Url, base_url};
use secrecy::SecretString;
use sip_digest::Algorithm;
use sip_message::{Host, OwnedUri, UriError};
use sip_registration::{Advertised, Override, Transport};
use thiserror::Error;

pub(crate) use self::rate::{Rate, rate};

/// Why a text is not what an argument needs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ValueError {
    /// No SIP URI.
    #[error("{problem}; write {right}")]
    Uri {
        /// What the parser says.
        problem: UriError,
        /// An example of what would do.
        right: &'static str,
    },
    /// A password inside a URI. The text is never shown again.
    #[error(
        "it holds a password, which everybody on this machine can read in the process list; give it with REGPROBE_PASSWORD or --password-file"
    )]
    PasswordInUri,
    /// Anything else, in words.
    #[error("{0}")]
    Other(&'static str),
}

/// An address-of-record: scheme, user, host and port; nothing else belongs to it (RFC 3261 §10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aor {
    /// The URI.
    pub(crate) uri: OwnedUri,
    /// What a `;transport=` behind it asked for.
    pub(crate) transport: Option<Transport>,
}

/// `--instance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Instance {
    /// Made from the AOR.
    Derived,
    /// This URN.
    Urn(String),
}

/// Where a lab registrar listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    /// How.
    pub(crate) transport: Transport,
    /// Where.
    pub(crate) address: SocketAddr,
}

/// A lab account.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// The user part and digest user name.
    pub(crate) name: String,
    /// The password.
    pub(crate) password: SecretString,
}

const AOR: &str = "sip:USER@DOMAIN or USER@DOMAIN, such as alice@pbx.example.com";
const SERVER: &str = "HOST, HOST:PORT or a SIP URI, such as sip:pbx.example.com:5080;transport=tcp";
const CONTACT: &str = "a SIP URI such as sip:alice@192.0.2.7:5060";

/// Reads an AOR. `;transport=` is taken off and remembered; other parameters and headers are refused.
pub(crate) fn aor(text: &str) -> Result<Aor, ValueError> {
    let uri = uri(text, AOR)?;
    let parts = uri.parts();
    let user = parts.user.filter(|user| !user.is_empty()).ok_or(ValueError::Other(
        "the user is missing in front of the domain; write USER@DOMAIN, such as alice@pbx.example.com",
    ))?;
    if !parts.headers.is_empty() {
        return Err(ValueError::Other("an AOR has no headers; leave out everything from the ? on"));
    }
    let transport = match parts.params.iter().next() {
        None => None,
        Some(_) if parts.params.iter().all(|param| param.name.eq_ignore_ascii_case(b"transport")) => {
            Some(transport_named(parts.transport().unwrap_or_default())?)
        }
        Some(_) => {
            return Err(ValueError::Other(
                "an AOR has no parameters but transport; give others with --registrar or --contact",
            ));
        }
    };
    let user = String::from_utf8_lossy(user);
    let bare = format!("{}{user}@{}", scheme(parts.secure), host_and_port(parts.host, parts.port));
    let uri = OwnedUri::from_str(&bare).map_err(|problem| ValueError::Uri { problem, right: AOR })?;
    Ok(Aor { uri, transport })
}

/// Reads a registrar: a URI without user (RFC 3261 §10.2).
pub(crate) fn registrar(text: &str) -> Result<OwnedUri, ValueError> {
    let uri = server(text)?;
    match uri.parts().user {
        None => Ok(uri),
        Some(_) => Err(ValueError::Other(
            "a registrar's URI has no user; write only its domain, such as sip:pbx.example.com",
        )),
    }
}

/// Reads any SIP URI of a server; the scheme may be left out.
pub(crate) fn server(text: &str) -> Result<OwnedUri, ValueError> {
    uri(text, SERVER)
}

/// Reads a Contact URI; the scheme may be left out.
pub(crate) fn contact(text: &str) -> Result<OwnedUri, ValueError> {
    uri(text, CONTACT)
}

/// The registrar that an AOR without `--registrar` belongs to: its domain (RFC 3261 §10.2).
pub(crate) fn registrar_of(aor: &OwnedUri) -> OwnedUri {
    let parts = aor.parts();
    let text = format!("{}{}", scheme(parts.secure), host_and_port(parts.host, parts.port));
    OwnedUri::from_str(&text).expect("the host and port of a URI make a URI")
}

fn uri(text: &str, right: &'static str) -> Result<OwnedUri, ValueError> {
    let text = text.trim();
    let lower = text.get(..5).unwrap_or(text).to_ascii_lowercase();
    if lower.starts_with("tel:") {
        return Err(ValueError::Uri {
            problem: UriError::NotSip,
            right,
        });
    }
    let has_scheme = lower.starts_with("sip:") || lower.starts_with("sips:");
    let whole = if has_scheme { text.to_owned() } else { format!("sip:{text}") };
    let uri = OwnedUri::from_str(&whole).map_err(|problem| ValueError::Uri { problem, right })?;
    if uri.parts().password.is_some() {
        return Err(ValueError::PasswordInUri);
    }
    Ok(uri)
}

const fn scheme(secure: bool) -> &'static str {
    if secure { "sips:" } else { "sip:" }
}

fn host_and_port(host: Host<'_>, port: Option<u16>) -> String {
    port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"))
}

fn transport_named(name: &[u8]) -> Result<Transport, ValueError> {
    let known = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let found = known
        .into_iter()
        .find(|transport| name.eq_ignore_ascii_case(transport.name().as_bytes()));
    found.ok_or(ValueError::Other("the transport is none of udp, tcp and tls"))
}

/// Reads the portal of a Bitrix24: its host or URL.
pub(crate) fn portal(text: &str) -> Result<Url, SetupError> {
    if text.contains("://") {
        base_url(text)
    } else {
        base_url(&format!("https://{text}"))
    }
}

/// Reads the name of an environment variable that holds a secret. Only capitals: what else stands there may be the secret itself.
pub(crate) fn variable(text: &str) -> Result<String, ValueError> {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if text.is_empty() || !text.bytes().all(is_name) || text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(ValueError::Other(
            "a variable's name is written in capitals, such as BERLIN_PASSWORD; the secret itself belongs into the variable",
        ));
    }
    Ok(text.to_owned())
}

/// Reads the name of an object at a provider: one word, as it goes into a URL or a command.
pub(crate) fn identifier(text: &str) -> Result<String, ValueError> {
    if text.is_empty() || text.len() > 256 || text.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err(ValueError::Other(
            "a name is one word of at most 256 bytes, without blanks and control characters",
        ));
    }
    Ok(text.to_owned())
}

/// Reads `FIELD=VALUE`; a value that is no JSON is a text. Secrets are refused: a command line shows them to everybody on the machine.
pub(crate) fn field(text: &str) -> Result<(String, serde_json::Value), ValueError> {
    const WRONG: ValueError =
        ValueError::Other("this is not FIELD=VALUE; write webhook_event_url=https://example.com/ or tags=[\"office\"]");
    let (name, value) = text.split_once('=').ok_or(WRONG)?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_name && name.contains('.') {
        return Err(ValueError::Other(
            "a field is named without dots; for those of external_uac_settings and internal_uac_settings there are options",
        ));
    }
    if !is_name {
        return Err(WRONG);
    }
    let lower = name.to_ascii_lowercase();
    if ["password", "secret", "token"].iter().any(|word| lower.contains(word)) {
        return Err(ValueError::Other(
            "secrets do not belong on a command line; there are options that read them from files",
        ));
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// Reads a whole number, 0 included.
pub(crate) fn number<T: FromStr>(text: &str) -> Result<T, ValueError> {
    text.parse()
        .map_err(|_| ValueError::Other("this is not a whole number, or it is too large; write digits only, such as 300"))
}

/// Reads how many threads.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, ValueError> {
    text.parse()
        .map_err(|_| ValueError::Other("this is not a number of threads; write 1 or more"))
}

/// Reads how many to show at most.
pub(crate) fn limit(text: &str) -> Result<NonZeroUsize, ValueError> {
    text.parse()
        .map_err(|_| ValueError::Other("this is not a number from 1 on, such as 10; leave it out for all"))
}

/// Reads the `REG_ID` of a registration at Bitrix24.
pub(crate) fn bitrix24_reg_id(text: &str) -> Result<u64, ValueError> {
    text.parse()
        .map_err(|_| ValueError::Other("a REG_ID is a number, such as 5505; `regprobe providers bitrix24 lines` shows it"))
}

/// Reads what stands between columns: one ASCII character that no quoted text, number or line end is made of.
pub(crate) fn delimiter(text: &str) -> Result<u8, ValueError> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        &[one] if (one == b'\t' || one.is_ascii_punctuation()) && !b"\"#".contains(&one) => Ok(one),
        _ => Err(ValueError::Other("this is not one character such as , ; | or the word tab")),
    }
}

/// Reads how many may run at once.
pub(crate) fn jobs(text: &str) -> Result<usize, ValueError> {
    let jobs = text.parse().ok().filter(|jobs| (1..=256).contains(jobs));
    jobs.ok_or(ValueError::Other("this is not a number from 1 to 256"))
}

/// Reads where a Contact may be: a name, an address with or without port, or a network.
pub(crate) fn host_pattern(text: &str) -> Result<HostPattern, ValueError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(HostPattern::Address(address, None));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(HostPattern::Address(address.ip(), Some(address.port())));
    }
    if let Ok(network) = text.parse() {
        return Ok(HostPattern::Network(network));
    }
    match Host::parse(text.as_bytes()) {
        Some(Host::Address(address)) => Ok(HostPattern::Address(address, None)),
        Some(Host::Name(name)) => Ok(HostPattern::Name(name.to_owned())),
        None => Err(ValueError::Other(
            "this is no host; write a name, an address such as 192.0.2.7 or 192.0.2.7:5060, or a network such as 192.0.2.0/24",
        )),
    }
}

/// Reads a digest user name: what goes between quotes in a header, so no control characters.
pub(crate) fn auth_user(text: &str) -> Result<String, ValueError> {
    one_line(text, "a user name is not empty and has no control characters")
}

/// Reads a realm.
pub(crate) fn realm(text: &str) -> Result<String, ValueError> {
    one_line(text, "a realm is not empty and has no control characters")
}

/// Reads the realm that alone is answered; an empty one is a realm too.
pub(crate) fn pinned_realm(text: &str) -> Result<String, ValueError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    one_line(text, "a realm has no control characters")
}

fn one_line(text: &str, wrong: &'static str) -> Result<String, ValueError> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(ValueError::Other(wrong));
    }
    Ok(text.to_owned())
}

/// Reads a name to verify a certificate by: a host name or an IP address.
pub(crate) fn server_name(text: &str) -> Result<String, ValueError> {
    match Host::parse(text.as_bytes()) {
        Some(Host::Name(name)) => Ok(name.to_owned()),
        Some(Host::Address(address)) => Ok(address.to_string()),
        None => Err(ValueError::Other(
            "this is neither a host name nor an IP address; write pbx.example.com or 192.0.2.1",
        )),
    }
}

/// Reads a bare UUID or a URN; the empty text stands for the derived one.
pub(crate) fn instance(text: &str) -> Result<Instance, ValueError> {
    let is_uuid = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| {
                if matches!(at, 8 | 13 | 18 | 23) {
                    byte == b'-'
                } else {
                    byte.is_ascii_hexdigit()
                }
            })
    };
    let is_urn = |text: &str| {
        let rest = text
            .get(..4)
            .filter(|scheme| scheme.eq_ignore_ascii_case("urn:"))
            .and_then(|_| text.get(4..));
        rest.is_some_and(|rest| {
            rest.split_once(':')
                .is_some_and(|(space, name)| !space.is_empty() && !name.is_empty())
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/@!$&'()*+,=%".contains(&byte))
        })
    };
    match text {
        "" => Ok(Instance::Derived),
        uuid if is_uuid(uuid) => Ok(Instance::Urn(format!("urn:uuid:{}", uuid.to_ascii_lowercase()))),
        urn if is_urn(urn) => Ok(Instance::Urn(urn.to_owned())),
        _ => Err(ValueError::Other(
            "this is neither a UUID nor a URN; write urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6, or only --instance for one made from the AOR",
        )),
    }
}

/// Reads a reg-id (RFC 5626 §4.2: 1 to 2³¹−1).
pub(crate) fn reg_id(text: &str) -> Result<NonZeroU32, ValueError> {
    let id = text.parse::<NonZeroU32>().ok().filter(|id| id.get() < 1 << 31);
    id.ok_or(ValueError::Other("a reg-id is a number from 1 to 2147483647"))
}

/// Reads the seconds of a binding.
pub(crate) fn expires(text: &str) -> Result<u32, ValueError> {
    match text.parse::<u32>() {
        Ok(0) => Err(ValueError::Other(
            "zero seconds would remove the binding; for that there is `regprobe unregister`",
        )),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(ValueError::Other(
            "this is not a number of seconds from 1 to 4294967295, such as 300",
        )),
    }
}

/// Reads `3s`, `500ms`, `1m`, `1h`, or plain seconds; fractions are fine. More than nothing, at most a day.
pub(crate) fn duration(text: &str) -> Result<Duration, ValueError> {
    const WRONG: ValueError = ValueError::Other("this is not a duration; write 3s, 500ms, 1m, or plain seconds such as 10");
    const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
    let text = text.trim();
    let unit_at = text
        .find(|character: char| character != '.' && !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(WRONG),
    };
    let amount: f64 = number.parse().map_err(|_| WRONG)?;
    let duration = Duration::try_from_secs_f64(amount * seconds).map_err(|_| WRONG)?;
    if duration < Duration::from_millis(1) || duration > LIMIT {
        return Err(ValueError::Other("this time is at least 1ms and at most 24h"));
    }
    Ok(duration)
}

/// Reads a local address: `192.0.2.7`, `192.0.2.7:5060`, `2001:db8::7`, `[2001:db8::7]:5060`. Without a port any free one.
pub(crate) fn local(text: &str) -> Result<SocketAddr, ValueError> {
    const WRONG: &str = "this is no IP address of this machine; write 192.0.2.7, 192.0.2.7:5060 or [2001:db8::7]:5060";
    socket_address(text, 0).ok_or(ValueError::Other(WRONG))
}

/// Reads a name server, on port 53 unless it says otherwise.
pub(crate) fn name_server(text: &str) -> Result<SocketAddr, ValueError> {
    const WRONG: &str = "a name server is given by its IP address; write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53";
    socket_address(text, 53).ok_or(ValueError::Other(WRONG))
}

fn socket_address(text: &str, port: u16) -> Option<SocketAddr> {
    let bare = || ip_address(text).map(|address| SocketAddr::new(address, port));
    text.parse().ok().or_else(bare)
}

fn ip_address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    inner.parse().ok()
}

/// Reads what to show instead of the local address: a name or address, with or without port.
pub(crate) fn advertised(text: &str) -> Result<Advertised, ValueError> {
    const WRONG: ValueError =
        ValueError::Other("this is not HOST or HOST:PORT; write phone.example.com, 198.51.100.7:5060 or [2001:db8::7]:5060");
    let uri = OwnedUri::from_str(&format!("sip:{text}")).map_err(|_| WRONG)?;
    let parts = uri.parts();
    if parts.user.is_some() || parts.params.iter().next().is_some() || !parts.headers.is_empty() {
        return Err(WRONG);
    }
    Ok(Advertised {
        host: parts.host.to_string().into(),
        port: parts.port,
    })
}

/// Reads `HOST:PORT:ADDRESS`, as curl's option of the same name.
pub(crate) fn resolve(text: &str) -> Result<Override, ValueError> {
    let parts = || {
        let (host, rest) = text.split_once(':')?;
        let (port, address) = rest.split_once(':')?;
        let Some(Host::Name(host)) = Host::parse(host.as_bytes()) else {
            return None;
        };
        Some(Override {
            host: host.to_owned(),
            port: port.parse().ok()?,
            address: ip_address(address)?,
        })
    };
    parts().ok_or(ValueError::Other(
        "this is not HOST:PORT:ADDRESS; write pbx.example.com:5060:192.0.2.1",
    ))
}

/// Reads `TRANSPORT:IP:PORT`.
pub(crate) fn listen(text: &str) -> Result<Listen, ValueError> {
    let parts = || {
        let (transport, address) = text.split_once(':')?;
        Some(Listen {
            transport: transport_named(transport.as_bytes()).ok()?,
            address: address.parse().ok()?,
        })
    };
    parts().ok_or(ValueError::Other(
        "this is not TRANSPORT:IP:PORT; write udp:127.0.0.1:5060, tcp:[::1]:5060 or tls:127.0.0.1:5061",
    ))
}

/// Reads `NAME:PASSWORD`.
pub(crate) fn user(text: &str) -> Result<User, ValueError> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() && !text.chars().any(char::is_control) => Ok(User {
            name: name.to_owned(),
            password: SecretString::from(password),
        }),
        Some(_) | None => Err(ValueError::Other("this is not NAME:PASSWORD; write alice:secret")),
    }
}

/// Reads a digest algorithm's name, any case.
pub(crate) fn algorithm(text: &str) -> Result<Algorithm, ValueError> {
    const WRONG: &str = "this algorithm is unknown; write MD5, SHA-256 or SHA-512-256, each also with -sess";
    Algorithm::parse(text.as_bytes()).ok_or(ValueError::Other(WRONG))
}

/// Reads the name of the weakest digest that is answered, any case.
pub(crate) fn min_digest(text: &str) -> Result<Algorithm, ValueError> {
    const WRONG: &str = "this digest is unknown; write md5, sha-256 or sha-512-256";
    let algorithm = Algorithm::parse(text.as_bytes()).filter(|algorithm| !algorithm.is_session());
    algorithm.ok_or(ValueError::Other(WRONG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_realm_may_be_empty_and_a_session_is_no_minimum() {
        assert_eq!((pinned_realm(""), pinned_realm("a b")), (Ok(String::new()), Ok("a b".to_owned())));
        assert!(pinned_realm("a\nb").is_err());
        assert_eq!(min_digest("sha-512-256"), Ok(Algorithm::Sha512_256));
        assert!(["", "sha256", "MD5-sess", "none"].iter().all(|wrong| min_digest(wrong).is_err()));
    }

    #[test]
    fn columns_are_parted_by_one_character() {
        assert_eq!(
            (delimiter(";"), delimiter("tab"), delimiter("\\t")),
            (Ok(b';'), Ok(b'\t'), Ok(b'\t'))
        );
        assert!(["", "ab", "\"", "#", "a", "\n", "é"].iter().all(|wrong| delimiter(wrong).is_err()));
    }

    fn aor_text(text: &str) -> Result<String, ValueError> {
        aor(text).map(|aor| aor.uri.to_string())
    }

    #[test]
    fn an_aor_needs_no_scheme_and_loses_its_transport() {
        assert_eq!(aor_text("alice@pbx.example.com").unwrap(), "sip:alice@pbx.example.com");
        assert_eq!(
            aor_text("SIP:alice@pbx.example.com:5070").unwrap(),
            "sip:alice@pbx.example.com:5070"
        );
        assert_eq!(aor_text("sips:+4930@[2001:db8::1]").unwrap(), "sips:+4930@[2001:db8::1]");
        let with_transport = aor("alice@h;transport=TCP").unwrap();
        assert_eq!(
            (with_transport.uri.as_str(), with_transport.transport),
            ("sip:alice@h", Some(Transport::Tcp))
        );
    }

    #[test]
    fn what_is_no_aor_is_refused_with_what_would_be_right() {
        for text in [
            "",
            "pbx.example.com",
            "@h",
            "alice@",
            "tel:+4930",
            "alice@h;x=y",
            "alice@h?a=b",
            "alice@h;transport=ws",
            "al ice@h",
            "a@h\r\nX: y",
        ] {
            let refusal = aor(text).unwrap_err().to_string();
            assert!(!refusal.contains('\n') && refusal.len() > 30, "{text:?}: {refusal}");
        }
    }

    #[test]
    fn a_password_in_a_uri_is_refused_without_repeating_it() {
        let refusal = aor("alice:canary@h").unwrap_err();
        assert_eq!(refusal, ValueError::PasswordInUri);
        assert!(!refusal.to_string().contains("canary"));
    }

    #[test]
    fn the_registrar_of_an_aor_is_its_domain_without_user() {
        let of = |text: &str| registrar_of(&aor(text).unwrap().uri).to_string();
        assert_eq!(of("alice@pbx.example.com"), "sip:pbx.example.com");
        assert_eq!(of("sips:alice@[::1]:5071"), "sips:[::1]:5071");
        assert!(registrar("sip:alice@h").is_err());
        assert_eq!(registrar("h:5080;transport=tcp").unwrap().as_str(), "sip:h:5080;transport=tcp");
    }

    #[test]
    fn durations_are_read_with_and_without_units() {
        for (text, millis) in [
            ("3s", 3000),
            ("500ms", 500),
            ("1m", 60_000),
            ("10", 10_000),
            ("1.5s", 1500),
            ("1h", 3_600_000),
            ("0.5", 500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "0", "-1s", "3 parsecs", "1e9", "25h", "NaN", "inf", "0.0001ms", "1..2s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_ports_and_brackets() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7:0"),
            ("192.0.2.7:5060", "192.0.2.7:5060"),
            ("::1", "[::1]:0"),
            ("[::1]", "[::1]:0"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(local(text).unwrap().to_string(), address);
        }
        assert_eq!(name_server("::1").unwrap().to_string(), "[::1]:53");
        for text in ["", "localhost", "192.0.2.7:", "192.0.2.7:99999", "[::1"] {
            assert!(local(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_advertised_host_has_nothing_but_a_port() {
        assert_eq!(
            advertised("[2001:db8::7]:5060"),
            Ok(Advertised {
                host: "[2001:db8::7]".into(),
                port: Some(5060)
            })
        );
        assert_eq!(
            advertised("phone.example.com"),
            Ok(Advertised {
                host: "phone.example.com".into(),
                port: None
            })
        );
        for text in ["", "a@h", "h;lr", "h?x=y", "h:0x1", "h\r\n"] {
            assert!(advertised(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn overrides_name_host_port_and_address() {
        let read = resolve("pbx.example.com:5060:2001:db8::1").unwrap();
        assert_eq!(
            (read.host.as_str(), read.port, read.address.to_string().as_str()),
            ("pbx.example.com", 5060, "2001:db8::1")
        );
        for text in [
            "",
            "h",
            "h:5060",
            "h:5060:x",
            "h:x:192.0.2.1",
            "192.0.2.1:5060:192.0.2.2",
            ":5060:192.0.2.1",
        ] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instances_are_uuids_or_urns() {
        assert_eq!(instance(""), Ok(Instance::Derived));
        let urn = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        assert_eq!(instance("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"), Ok(Instance::Urn(urn.into())));
        assert_eq!(instance(urn), Ok(Instance::Urn(urn.into())));
        for text in [
            "x",
            "urn:",
            "urn:uuid",
            "urn:uuid:",
            "urn:a:b>",
            "urn:a:\"b",
            "urn:a:b\r\n",
            "f81d4fae7dec11d0a76500a0c91e6bf6",
        ] {
            assert!(instance(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn listeners_and_lab_accounts_are_read() {
        assert_eq!(
            listen("tls:[::1]:5061"),
            Ok(Listen {
                transport: Transport::Tls,
                address: "[::1]:5061".parse().unwrap()
            })
        );
        assert!(listen("ws:127.0.0.1:80").is_err() && listen("127.0.0.1:5060").is_err() && listen("udp:localhost:5060").is_err());
        assert_eq!(user("alice:se:cret").unwrap().name, "alice");
        assert!(user("alice").is_err() && user(":x").is_err() && user("a:b\n").is_err());
        assert!(!format!("{:?}", user("alice:canary").unwrap()).contains("canary"));
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert!(expires("0").is_err() && expires("4294967296").is_err() && expires("-1").is_err());
        assert_eq!(expires("3600"), Ok(3600));
        assert!(reg_id("0").is_err() && reg_id("2147483648").is_err());
        assert_eq!(reg_id("2147483647").unwrap().get(), 2_147_483_647);
        assert_eq!((limit("3").unwrap().get(), limit("0").is_err()), (3, true));
        assert_eq!((number::<u32>("0"), number::<u32>("x").is_err()), (Ok(0), true));
        assert_eq!((bitrix24_reg_id("5505"), bitrix24_reg_id("abc").is_err()), (Ok(5505), true));
    }
}

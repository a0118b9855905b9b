//! Which texts are names to ask DNS for (RFC 1035 §2.3.4, RFC 1123 §2.1). Not for what a name means.

use crate::Transport;

/// A host or service name as DNS is asked for it: lower case, absolute, without the final dot. `None` when it is no such name:
/// an empty or over-long label, characters that host and service names do not have, or an address in a name's place.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let fits = text.len() <= MAX_NAME && text.split('.').all(is_label);
    // RFC 1123 §2.1: what ends in a number is an address or a mistake, never a host name.
    let numeric = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    (fits && !numeric).then(|| text.to_ascii_lowercase())
}

/// The name of the SRV records of a transport (RFC 3263 §4.1): `_sip._udp.` and so on; `None` when it would be too long.
pub(super) fn service(transport: Transport, domain: &str) -> Option<String> {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    canonical(&format!("{prefix}.{domain}"))
}

/// RFC 6761 §6.3: these names mean this machine and have no records but addresses.
pub(super) fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The longest name, in characters without the final dot: 255 bytes on the wire (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
/// The longest label, in characters (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_case_and_their_final_dot() {
        assert_eq!(canonical("PBX.Example.COM.").as_deref(), Some("pbx.example.com"));
        assert_eq!(canonical("_sips._tcp.a-b").as_deref(), Some("_sips._tcp.a-b"));
        assert_eq!(canonical("3com.example").as_deref(), Some("3com.example"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "a.".repeat(124));
        let dots = ["", ".", "..", ".a", "a..b", "a.."];
        let characters = [
            "a b",
            "a\r\nb",
            "a\0",
            "*.example",
            "b\u{fc}ro.example",
            "[::1]",
            "a/b",
            "\u{1b}[2J.example",
        ];
        let numbers = ["192.0.2.1", "1", "example.5060"];
        let long = [long_label.as_str(), long_name.as_str()];
        for text in dots.into_iter().chain(characters).chain(numbers).chain(long) {
            assert_eq!(canonical(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_label_and_the_longest_name_are_names() {
        assert!(canonical(&format!("{}.example", "a".repeat(63))).is_some());
        assert!(canonical(&format!("{}a", "a.".repeat(126))).is_some_and(|name| name.len() == 253));
    }

    #[test]
    fn services_are_named_by_scheme_and_transport() {
        assert_eq!(service(Transport::Udp, "h.example").as_deref(), Some("_sip._udp.h.example"));
        assert_eq!(service(Transport::Tcp, "h.example").as_deref(), Some("_sip._tcp.h.example"));
        assert_eq!(service(Transport::Tls, "h.example").as_deref(), Some("_sips._tcp.h.example"));
        assert_eq!(service(Transport::Udp, &format!("{}a", "a.".repeat(124))), None);
    }

    #[test]
    fn localhost_is_local_and_its_namesakes_are_not() {
        assert!(is_local("localhost") && is_local("pbx.localhost"));
        assert!(!is_local("localhost.example.com") && !is_local("notlocalhost"));
    }
}

//! What stays the same from run to run, so that repeated probes replace their own binding instead of filling the account.
//! Made from the AOR alone: no clock, no randomness, nothing about the machine.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sip_message::OwnedUri;

/// The user part of an automatic Contact: the AOR's own.
pub(crate) fn contact_user(aor: &OwnedUri) -> String {
    String::from_utf8_lossy(aor.parts().user.unwrap_or_default()).into_owned()
}

/// A `+sip.instance` (RFC 5626 §4.1) for an AOR: a UUID of version 8 (RFC 9562 §5.8) from the SHA-256 of its canonical form.
///
/// Equal AORs give equal instances on every machine. Two machines that probe the same AOR with it therefore share one binding;
/// who wants two gives each its own `--instance=UUID`.
pub(crate) fn derived_instance(aor: &OwnedUri) -> Arc<str> {
    let digest = Sha256::digest(format!("regprobe instance {}", canonical(aor)));
    let (head, _) = digest.split_first_chunk::<16>().expect("a SHA-256 has 32 bytes");
    // RFC 9562 §5.8: version and variant take the top bits of bytes 6 and 8.
    let bits = u128::from_be_bytes(*head) & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).expect("32 digits were written"));
    format!("urn:uuid:{}", parts.join("-")).into()
}

/// The UDP port to send from when it is free: one above those that systems hand out by themselves (Linux: up to 60999).
pub(crate) fn favourite_port(aor: &OwnedUri) -> u16 {
    const FIRST: u16 = 61_000;
    let digest = Sha256::digest(format!("regprobe port {}", canonical(aor)));
    let (head, _) = digest.split_first_chunk::<2>().expect("a SHA-256 has 32 bytes");
    FIRST + u16::from_be_bytes(*head) % (u16::MAX - FIRST)
}

/// Scheme, user, host in lower case, port.
pub(crate) fn canonical(aor: &OwnedUri) -> String {
    let parts = aor.parts();
    let scheme = if parts.secure { "sips" } else { "sip" };
    let port = parts.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{scheme}:{}@{}{port}",
        contact_user(aor),
        parts.host.to_string().to_ascii_lowercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(aor: &str) -> Arc<str> {
        derived_instance(&aor.parse().unwrap())
    }

    #[test]
    fn an_instance_is_the_same_in_every_run_and_another_for_every_aor() {
        assert_eq!(instance("sip:alice@example.com"), instance("sip:alice@EXAMPLE.com"));
        assert_eq!(&*instance("sip:alice@example.com"), "urn:uuid:a505471a-b6fe-820e-81dc-90f5fdd07f7b");
        for other in [
            "sip:Alice@example.com",
            "sips:alice@example.com",
            "sip:alice@example.com:5070",
            "sip:bob@example.com",
        ] {
            assert_ne!(instance(other), instance("sip:alice@example.com"), "{other}");
        }
    }

    #[test]
    fn a_favourite_port_is_the_same_in_every_run_and_out_of_the_systems_way() {
        let port = |aor: &str| favourite_port(&aor.parse().unwrap());
        assert_eq!(port("sip:alice@example.com"), port("sip:alice@EXAMPLE.com"));
        assert_ne!(port("sip:alice@example.com"), port("sip:bob@example.com"));
        assert!((0..500).all(|n| port(&format!("sip:u{n}@example.com")) >= 61_000));
    }

    #[test]
    fn an_instance_is_a_uuid_of_version_8() {
        let urn = instance("sip:alice@example.com");
        let uuid = urn.strip_prefix("urn:uuid:").unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'8');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}

//! How a provider registers, as far as its API says so: what the probe needs to look at the same registration. Pure.

use sip_message::OwnedUri;
use sip_registration::Transport;

/// The settings of a registration. What the source does not give is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// The address-of-record that is registered.
    pub aor: Option<OwnedUri>,
    /// Where it is registered.
    pub registrar: Option<OwnedUri>,
    /// Through which server.
    pub outbound_proxy: Option<OwnedUri>,
    /// The transport.
    pub transport: Option<Transport>,
    /// The user name for digest, when it is not the AOR's user.
    pub auth_user: Option<String>,
    /// The seconds that are asked for.
    pub expires: Option<u32>,
    /// The Contact that is bound, or what is known of it.
    pub contact: Option<crate::ClaimedContact>,
}

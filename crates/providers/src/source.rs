//! The sources of claims and what is known of each beforehand. The numbers come from the providers' documents and from the engines'
//! source code.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// Where a claim comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Telnyx, `sip_registration_status` of a UAC connection.
    TelnyxUac,
    /// Telnyx, the `registration_status` stored in a UAC connection.
    TelnyxUacStored,
    /// Telnyx, `sip_registration_status` of a telephony credential.
    TelnyxTelephonyCredential,
    /// Telnyx, `sip_registration_status` of a credential connection.
    TelnyxCredentialConnection,
    /// Telnyx, `check_registration_status` of a credential connection.
    TelnyxCredentialCheck,
    /// Telzino, the registration status of an agent.
    Telzino,
    /// Bitrix24, `voximplant.sip.status`.
    Bitrix24,
    /// Bitrix24, the stored status in `voximplant.sip.get`.
    Bitrix24Stored,
    /// OpenSIPS, `reg_list` of `uac_registrant`.
    Opensips,
    /// Kamailio, `uac.reg_info` of `uac`.
    Kamailio,
    /// FreeSWITCH, `sofia xmlstatus gateway`.
    Freeswitch,
    /// Asterisk, `PJSIPShowRegistrationsOutbound`.
    Asterisk,
}

/// Which end of the registration a provider is. The two are never mixed: they are proved in different places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It registers to the customer's registrar and reports what it believes; the truth is in that registrar's bindings.
    Client,
    /// It is the registrar and reports its own table; the truth is what a fetch at its SIP edge shows.
    Registrar,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::TelnyxUac,
        Self::TelnyxUacStored,
        Self::TelnyxTelephonyCredential,
        Self::TelnyxCredentialConnection,
        Self::TelnyxCredentialCheck,
        Self::Telzino,
        Self::Bitrix24,
        Self::Bitrix24Stored,
        Self::Opensips,
        Self::Kamailio,
        Self::Freeswitch,
        Self::Asterisk,
    ];

    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TelnyxUac => "telnyx_uac",
            Self::TelnyxUacStored => "telnyx_uac_stored",
            Self::TelnyxTelephonyCredential => "telnyx_telephony_credential",
            Self::TelnyxCredentialConnection => "telnyx_credential_connection",
            Self::TelnyxCredentialCheck => "telnyx_credential_check",
            Self::Telzino => "telzino",
            Self::Bitrix24 => "bitrix24",
            Self::Bitrix24Stored => "bitrix24_stored",
            Self::Opensips => "opensips",
            Self::Kamailio => "kamailio",
            Self::Freeswitch => "freeswitch",
            Self::Asterisk => "asterisk",
        }
    }

    /// Whose word it is, as people say it.
    #[must_use]
    pub const fn provider(self) -> &'static str {
        match self {
            Self::TelnyxUac
            | Self::TelnyxUacStored
            | Self::TelnyxTelephonyCredential
            | Self::TelnyxCredentialConnection
            | Self::TelnyxCredentialCheck => "Telnyx",
            Self::Telzino => "Telzino",
            Self::Bitrix24 | Self::Bitrix24Stored => "Bitrix24",
            Self::Opensips => "OpenSIPS",
            Self::Kamailio => "Kamailio",
            Self::Freeswitch => "FreeSWITCH",
            Self::Asterisk => "Asterisk",
        }
    }

    /// The command that lists what such a source can be asked about; `None` where the API has no list that regprobe asks for.
    #[must_use]
    pub const fn listed_by(self) -> Option<&'static str> {
        match self {
            Self::TelnyxUac | Self::TelnyxUacStored => Some("regprobe providers telnyx connections list"),
            Self::Bitrix24 | Self::Bitrix24Stored => Some("regprobe providers bitrix24 lines"),
            Self::Opensips => Some("regprobe providers opensips registrations"),
            Self::Kamailio => Some("regprobe providers kamailio registrations"),
            Self::Freeswitch => Some("regprobe providers freeswitch gateways"),
            Self::Asterisk => Some("regprobe providers asterisk registrations"),
            Self::TelnyxTelephonyCredential | Self::TelnyxCredentialConnection | Self::TelnyxCredentialCheck | Self::Telzino => None,
        }
    }

    /// Which end of the registration it is.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::TelnyxUac
            | Self::TelnyxUacStored
            | Self::Telzino
            | Self::Bitrix24
            | Self::Bitrix24Stored
            | Self::Opensips
            | Self::Kamailio
            | Self::Freeswitch
            | Self::Asterisk => Role::Client,
            Self::TelnyxTelephonyCredential | Self::TelnyxCredentialConnection | Self::TelnyxCredentialCheck => Role::Registrar,
        }
    }

    /// Whether it looks when it is asked, or reads out what was stored before.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::TelnyxUacStored | Self::Bitrix24Stored => false,
            Self::TelnyxUac
            | Self::TelnyxTelephonyCredential
            | Self::TelnyxCredentialConnection
            | Self::TelnyxCredentialCheck
            | Self::Telzino
            | Self::Bitrix24
            | Self::Opensips
            | Self::Kamailio
            | Self::Freeswitch
            | Self::Asterisk => true,
        }
    }

    /// How long a change takes to reach what it reports. Telzino's documents say "a few seconds", Telnyx' five.
    #[must_use]
    pub const fn sync_lag(self) -> Duration {
        match self {
            Self::Telzino => Duration::from_secs(10),
            Self::TelnyxUac
            | Self::TelnyxUacStored
            | Self::TelnyxTelephonyCredential
            | Self::TelnyxCredentialConnection
            | Self::TelnyxCredentialCheck => Duration::from_secs(5),
            Self::Bitrix24 | Self::Bitrix24Stored | Self::Opensips | Self::Kamailio | Self::Freeswitch | Self::Asterisk => Duration::ZERO,
        }
    }

    /// How far apart two looks have to be before a contradiction counts: the longer of 64·T1 (RFC 3261 §17.1.2.2), in which a REGISTER
    /// can still be on its way, and the source's own lag.
    #[must_use]
    pub fn grace(self) -> Duration {
        const TIMER_F: Duration = Duration::from_secs(32);
        TIMER_F.max(self.sync_lag())
    }
}

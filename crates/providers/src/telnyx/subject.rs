//! Whose registration is asked for. Telnyx knows three kinds of credentials, each by a key of its own.

use crate::{Request, SourceKind};

use super::Key;

/// A registration that Telnyx can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A UAC connection, by its id: Telnyx registers at the customer's PBX.
    UacConnection(Key),
    /// A telephony credential, by its SIP user name: a device registers at Telnyx.
    TelephonyCredential(Key),
    /// A credential connection, by its `user_name`: a device or a PBX registers at Telnyx.
    CredentialConnection(Key),
}

impl Subject {
    /// Which source answers for it.
    #[must_use]
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::UacConnection(_) => SourceKind::TelnyxUac,
            Self::TelephonyCredential(_) => SourceKind::TelnyxTelephonyCredential,
            Self::CredentialConnection(_) => SourceKind::TelnyxCredentialConnection,
        }
    }

    /// The word in the query.
    #[must_use]
    pub const fn credential_type(&self) -> &'static str {
        match self {
            Self::UacConnection(_) => "uac_external_credential",
            Self::TelephonyCredential(_) => "telephony_credential",
            Self::CredentialConnection(_) => "sip_credential_connection",
        }
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::UacConnection(key) | Self::TelephonyCredential(key) | Self::CredentialConnection(key) => key,
        }
    }

    pub(super) fn queried(&self, request: Request) -> Request {
        let keyed_by = match self {
            Self::UacConnection(_) => "connection_id",
            Self::TelephonyCredential(_) | Self::CredentialConnection(_) => "username",
        };
        request
            .query("credential_type", self.credential_type())
            .query(keyed_by, self.key().as_str())
    }
}

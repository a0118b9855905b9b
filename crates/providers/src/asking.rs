//! Every source of claims behind one face: what it is about, what it says, how it registers. Which request that takes is the clients'.

use std::sync::Arc;

use crate::{Answer, ApiError, ApiTrouble, Settings, SourceKind, asterisk, bitrix24, freeswitch, kamailio, opensips, telnyx, telzino};

/// Somebody who can be asked about one registration. Clients are shared by the checks of one account, so that it is asked one thing at
/// a time.
#[derive(Debug, Clone)]
pub enum Source {
    /// Telnyx' word on a registration that it makes, or on one that is made at it.
    Telnyx {
        /// The account.
        client: Arc<telnyx::Client>,
        /// Whose registration.
        subject: telnyx::Subject,
    },
    /// What Telnyx finds when it is made to look at its own table for a credential connection. It stores what it finds.
    TelnyxCheck {
        /// The account.
        client: Arc<telnyx::Client>,
        /// The id of the credential connection.
        connection: telnyx::Key,
    },
    /// Telzino's word on an agent.
    Telzino {
        /// The account.
        client: Arc<telzino::Client>,
        /// Whose SIP account it is.
        agent: telzino::AgentId,
    },
    /// Bitrix24's word on a SIP line, which it gets from Voximplant.
    Bitrix24 {
        /// The portal.
        client: Arc<bitrix24::Client>,
        /// The `REG_ID` of the registration.
        reg_id: u64,
    },
    /// The word of an OpenSIPS.
    Opensips {
        /// Its MI.
        client: Arc<opensips::Client>,
        /// Which registrant.
        registrant: opensips::Registrant,
    },
    /// The word of a Kamailio.
    Kamailio {
        /// Its JSON-RPC.
        client: Arc<kamailio::Client>,
        /// The `l_uuid` of the registration.
        uuid: String,
    },
    /// The word of a FreeSWITCH.
    Freeswitch {
        /// Its event socket.
        client: Arc<freeswitch::Client>,
        /// Which gateway.
        gateway: freeswitch::Gateway,
    },
    /// The word of an Asterisk.
    Asterisk {
        /// Its manager interface.
        client: Arc<asterisk::Client>,
        /// The name of the registration's object.
        registration: String,
    },
}

impl Source {
    /// Which kind of source it is.
    #[must_use]
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::Telnyx { subject, .. } => subject.kind(),
            Self::TelnyxCheck { .. } => SourceKind::TelnyxCredentialCheck,
            Self::Telzino { .. } => SourceKind::Telzino,
            Self::Bitrix24 { .. } => SourceKind::Bitrix24,
            Self::Opensips { .. } => SourceKind::Opensips,
            Self::Kamailio { .. } => SourceKind::Kamailio,
            Self::Freeswitch { .. } => SourceKind::Freeswitch,
            Self::Asterisk { .. } => SourceKind::Asterisk,
        }
    }

    /// What it is asked about, as people name it. Not escaped.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Telnyx { subject, .. } => subject.key().as_str().to_owned(),
            Self::TelnyxCheck { connection, .. } => connection.as_str().to_owned(),
            Self::Telzino { agent, .. } => agent.as_str().to_owned(),
            Self::Bitrix24 { reg_id, .. } => reg_id.to_string(),
            Self::Opensips { registrant, .. } => registrant.aor.clone(),
            Self::Kamailio { uuid, .. } => uuid.clone(),
            Self::Freeswitch { gateway, .. } => gateway.to_string(),
            Self::Asterisk { registration, .. } => registration.clone(),
        }
    }

    /// What it claims. An API that gives no usable answer has claimed nothing, and the answer says why.
    pub async fn answer(&self) -> Answer {
        match self {
            Self::Telnyx { client, subject } => client.answer(subject).await,
            Self::TelnyxCheck { client, connection } => client.check_answer(connection).await,
            Self::Telzino { client, agent } => client.answer(agent).await,
            Self::Bitrix24 { client, reg_id } => client.answer(*reg_id).await,
            Self::Opensips { client, registrant } => client.answer(registrant).await,
            Self::Kamailio { client, uuid } => client.answer(uuid).await,
            Self::Freeswitch { client, gateway } => client.answer(gateway).await,
            Self::Asterisk { client, registration } => client.answer(registration).await,
        }
    }

    /// What other sources of the same provider claim, as far as there are any. To be asked first: some APIs store what they answer
    /// to [`Source::answer`], and show it here afterwards.
    pub async fn corroborate(&self) -> Vec<Answer> {
        match self {
            Self::Telnyx { client, subject } => match subject {
                telnyx::Subject::UacConnection(id) => vec![client.stored_answer(id).await],
                telnyx::Subject::TelephonyCredential(_) | telnyx::Subject::CredentialConnection(_) => Vec::new(),
            },
            Self::Bitrix24 { client, reg_id } => vec![client.stored(*reg_id).await],
            Self::TelnyxCheck { .. }
            | Self::Telzino { .. }
            | Self::Opensips { .. }
            | Self::Kamailio { .. }
            | Self::Freeswitch { .. }
            | Self::Asterisk { .. } => Vec::new(),
        }
    }

    /// Whether this error to the question for its settings is the answer to [`Source::answer`] as well: the key is dead, nobody is there,
    /// or there is no such object. A right that is missing, or a call that was withdrawn, may be the settings' alone.
    #[must_use]
    pub(crate) const fn is_answered_by(&self, error: &ApiError) -> bool {
        match error.trouble {
            ApiTrouble::Unauthorized | ApiTrouble::Unreachable | ApiTrouble::Timeout | ApiTrouble::Tls => true,
            ApiTrouble::NotFound => self.has_settings_of_the_object(),
            ApiTrouble::Forbidden
            | ApiTrouble::Gone
            | ApiTrouble::RateLimited
            | ApiTrouble::Conflict
            | ApiTrouble::Server
            | ApiTrouble::Redirected
            | ApiTrouble::BadRequest
            | ApiTrouble::Unprocessable
            | ApiTrouble::TooLarge
            | ApiTrouble::Contract
            | ApiTrouble::Other => false,
        }
    }

    /// Whether the settings are asked for by what the status is asked for by. Bitrix24's are looked for in a list of the lines that the
    /// key may see.
    const fn has_settings_of_the_object(&self) -> bool {
        match self {
            Self::Telnyx { .. }
            | Self::TelnyxCheck { .. }
            | Self::Telzino { .. }
            | Self::Opensips { .. }
            | Self::Kamailio { .. }
            | Self::Freeswitch { .. }
            | Self::Asterisk { .. } => true,
            Self::Bitrix24 { .. } => false,
        }
    }

    /// How it registers, as far as its API says so.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn settings(&self) -> Result<Settings, ApiError> {
        match self {
            Self::Telnyx { client, subject } => client.settings(subject).await,
            Self::TelnyxCheck { client, connection } => Ok(client.credential_connection(connection).await?.settings()),
            // Telzino gives out no settings: what is stored is never shown.
            Self::Telzino { .. } => Ok(Settings::default()),
            Self::Bitrix24 { client, reg_id } => client.settings(*reg_id).await,
            Self::Opensips { client, registrant } => client.settings(registrant).await,
            Self::Kamailio { client, uuid } => client.settings(uuid).await,
            Self::Freeswitch { client, gateway } => client.settings(gateway).await,
            Self::Asterisk { client, registration } => client.settings(registration).await,
        }
    }
}

//! Telnyx, API v2: what it says about registrations, and the UAC connections that make them. What it is worth is the verdict's to say.
//!
//! In two roles: a UAC connection registers at the customer's PBX ([`Subject::UacConnection`]), telephony credentials and credential
//! connections register devices at Telnyx. The contract of the status went through eight revisions in three months; all are read.

mod changes;
mod check;
mod connection;
mod credential;
mod evidence;
mod fault;
mod fields;
mod key;
mod pages;
mod query;
mod revision;
mod status;
mod stored;
mod subject;

use std::fmt;

use secrecy::SecretString;

use crate::{Answer, server_uri};
use crate::{ApiError, ApiTrouble, ClientOptions, Http, HttpOptions, Moment, Reply, Request, Settings, SetupError, SourceKind};

pub use changes::{UacChanged, UacChanges};
pub use check::decode_check;
pub use connection::{ExternalUacSettings, InternalUacSettings, UacConnection};
pub use credential::CredentialConnection;
pub use evidence::{ExternalConnection, LogMessage, SiprecConnector};
pub use key::{Invalid, Key};
pub use pages::Pages;
pub use query::{Sort, SortField, UacQuery};
pub use status::decode;
pub use stored::decode_stored;
pub use subject::Subject;

/// Where the API is.
pub const BASE_URL: &str = "https://api.telnyx.com/v2";

/// The registrar of Telnyx, where credentials register.
pub const SIP_EDGE: &str = "sip.telnyx.com";

/// A client of one account. Asks one thing at a time.
pub struct Client {
    http: Http,
    api_key: SecretString,
}

impl Client {
    /// A client with this API key. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(api_key: SecretString, options: ClientOptions) -> Result<Self, SetupError> {
        let http = Http::new(HttpOptions::new(options, fault::envelope))?;
        Ok(Self { http, api_key })
    }

    /// The live status of a registration: `GET /sip_registration_status`. Trouble is an answer as well.
    pub async fn answer(&self, subject: &Subject) -> Answer {
        let request = subject.queried(Request::get("/sip_registration_status"));
        self.answered(subject.kind(), request, |reply| decode(subject, reply)).await
    }

    /// The status that is stored in a UAC connection, which may be older than it looks: `GET /uac_connections/{id}`.
    pub async fn stored_answer(&self, id: &Key) -> Answer {
        let request = Request::get("/uac_connections").segment(id.as_str());
        self.answered(SourceKind::TelnyxUacStored, request, |reply| decode_stored(id, reply))
            .await
    }

    /// Lets Telnyx look at its own table: `POST /credential_connections/{id}/actions/check_registration_status`. Not free of effects: it
    /// writes what it finds into the stored status of the connection.
    pub async fn check_answer(&self, id: &Key) -> Answer {
        let request = Request::post("/credential_connections")
            .segment(id.as_str())
            .segment("actions")
            .segment("check_registration_status");
        self.answered(SourceKind::TelnyxCredentialCheck, request, decode_check).await
    }

    /// How the registration is made. For a UAC connection it is asked for; a credential registers at Telnyx under its user name.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn settings(&self, subject: &Subject) -> Result<Settings, ApiError> {
        match subject {
            Subject::UacConnection(id) => Ok(self.uac_connection(id).await?.settings()),
            Subject::TelephonyCredential(username) | Subject::CredentialConnection(username) => Ok(credential::settings(username)),
        }
    }

    async fn answered(&self, kind: SourceKind, request: Request, decode: impl FnOnce(&Reply) -> Answer) -> Answer {
        let asked_at = Moment::now();
        match self.ask(request).await {
            Ok(reply) => decode(&reply),
            Err(error) => Answer::unavailable(kind, asked_at, Moment::now(), &error),
        }
    }

    async fn ask(&self, request: Request) -> Result<Reply, ApiError> {
        self.http.send(&request.bearer(self.api_key.clone())).await.map_err(placed)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).finish_non_exhaustive()
    }
}

/// A 404 without a word of Telnyx says that the URL is wrong, and nothing about what was asked for.
fn placed(error: ApiError) -> ApiError {
    if error.trouble == ApiTrouble::NotFound && error.code.is_none() {
        return ApiError {
            trouble: ApiTrouble::Contract,
            ..error
        };
    }
    error
}

/// An answer of 2xx that is not what was asked for.
fn unexpected(reply: &Reply, problem: &str) -> ApiError {
    ApiError::of_reply(reply, ApiTrouble::Contract, &reply.request, problem)
}

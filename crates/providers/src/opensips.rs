//! OpenSIPS as the client of a registration: module `uac_registrant`, asked over its management interface by HTTP (`mi_http`). Reads
//! only; nothing is switched on or off, and nothing else of OpenSIPS is asked.

mod record;

use std::fmt;

use serde_json::{Value, json};

use crate::jsonrpc::{Caller, is_unknown_method, refuses_params};
use crate::listed::read_all;
use crate::{Answer, ApiError, ApiTrouble, ClientOptions, Confidential, Listed, Moment, Reply, Settings, SetupError, SourceKind, text};

pub use record::{decode, settings};

/// The method's name from OpenSIPS 4 on, and before.
const METHODS: [&str; 2] = ["uac_registrant:list", "reg_list"];

/// Which registration: OpenSIPS knows each by these three, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrant {
    /// The address-of-record, such as `sip:alice@example.com`.
    pub aor: String,
    /// The Contact that it registers, such as `sip:alice@192.0.2.7:5060`.
    pub contact: String,
    /// The registrar, such as `sip:registrar.example.com`.
    pub registrar: String,
}

/// A client of one OpenSIPS.
#[derive(Debug)]
pub struct Client {
    caller: Caller,
}

impl Client {
    /// A client of the OpenSIPS whose management interface is at `options.base_url`, such as `http://127.0.0.1:8888/mi`. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(options: ClientOptions) -> Result<Self, SetupError> {
        // Its lists show no password.
        Caller::new(options, Confidential::Nothing).map(|caller| Self { caller })
    }

    /// What OpenSIPS says about a registration.
    pub async fn answer(&self, asked: &Registrant) -> Answer {
        let asked_at = Moment::now();
        match self.one(asked).await {
            Ok(reply) => decode(asked, &reply),
            Err(error) => Answer::unavailable(SourceKind::Opensips, asked_at, Moment::now(), &error),
        }
    }

    /// How it registers.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::NotFound`] when it has no such registration.
    pub async fn settings(&self, asked: &Registrant) -> Result<Settings, ApiError> {
        let reply = self.one(asked).await?;
        let absent = || {
            ApiError::new(
                ApiTrouble::NotFound,
                METHODS[0],
                &format!("no registration of {asked} with this Contact"),
            )
        };
        record::chosen(asked, &reply.body).map(settings).ok_or_else(absent)
    }

    /// All registrations that it has.
    ///
    /// # Errors
    /// [`ApiError`]; a list that does not fit into the buffer of its HTTP server is an error of OpenSIPS'.
    pub async fn list(&self) -> Result<Vec<Listed>, ApiError> {
        let reply = self.call(None).await?;
        let is_list = |items: &Vec<Value>| items.iter().all(Value::is_object);
        if !reply.body["Records"].as_array().is_some_and(is_list) {
            return Err(ApiError::new(ApiTrouble::Contract, METHODS[0], "the answer is no list of records"));
        }
        read_all(METHODS[0], record::records(&reply.body), |one| record::listed(one, &reply))
    }

    /// The registration alone, where this version can give it alone, else among all.
    async fn one(&self, asked: &Registrant) -> Result<Reply, ApiError> {
        let params = json!({"aor": asked.aor, "contact": asked.contact, "registrar": asked.registrar});
        match self.call(Some(params)).await {
            Err(error) if refuses_params(&error) => self.call(None).await,
            outcome => outcome,
        }
    }

    async fn call(&self, params: Option<Value>) -> Result<Reply, ApiError> {
        let [name, older] = METHODS;
        match self.caller.call(name, params.clone()).await {
            Err(error) if is_unknown_method(&error) => self.caller.call(older, params).await,
            outcome => outcome,
        }
    }
}

impl fmt::Display for Registrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::field(&format!("{} at {}", self.aor, self.registrar)))
    }
}

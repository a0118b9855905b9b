//! Kamailio as the client of a registration: the records of its module `uac`, asked by JSON-RPC over its own HTTP server (`jsonrpcs` on
//! `xhttp`). Reads only. Every answer of Kamailio's holds the password in clear: nothing of it is kept or shown.

mod record;

use serde_json::{Value, json};

use crate::jsonrpc::Caller;
use crate::listed::read_all;
use crate::{Answer, ApiError, ApiTrouble, ClientOptions, Confidential, Listed, Moment, Reply, Settings, SetupError, SourceKind};

pub use record::{decode, settings};

/// A client of one Kamailio.
#[derive(Debug)]
pub struct Client {
    caller: Caller,
}

impl Client {
    /// A client of the Kamailio whose JSON-RPC is at `options.base_url`, such as `http://127.0.0.1:5060/RPC`. Over plain HTTP only this
    /// machine and private networks are asked. Sends nothing.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(options: ClientOptions) -> Result<Self, SetupError> {
        Caller::new(options, Confidential::Answers).map(|caller| Self { caller })
    }

    /// What Kamailio says about the registration with this `l_uuid`.
    pub async fn answer(&self, uuid: &str) -> Answer {
        let asked_at = Moment::now();
        match self.info(uuid).await {
            Ok(reply) => decode(uuid, &reply),
            Err(error) => Answer::unavailable(SourceKind::Kamailio, asked_at, Moment::now(), &error),
        }
    }

    /// How it registers.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiTrouble::NotFound`] when there is no such record.
    pub async fn settings(&self, uuid: &str) -> Result<Settings, ApiError> {
        let reply = self.info(uuid).await?;
        let another = |_| {
            ApiError::new(
                ApiTrouble::Contract,
                "uac.reg_info",
                &format!("the answer is not the record of {uuid}"),
            )
        };
        record::chosen(uuid, &reply.body).map(settings).map_err(another)
    }

    /// All registrations that it has, by `uac.reg_dump`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(&self) -> Result<Vec<Listed>, ApiError> {
        let reply = self.caller.call("uac.reg_dump", None).await?;
        let is_list = |items: &Vec<Value>| items.iter().all(Value::is_object);
        if !reply.body.as_array().map_or(reply.body.is_object(), is_list) {
            return Err(ApiError::new(
                ApiTrouble::Contract,
                "uac.reg_dump",
                "the answer is no list of records",
            ));
        }
        read_all("uac.reg_dump", record::records(&reply.body), |one| record::listed(one, &reply))
    }

    async fn info(&self, uuid: &str) -> Result<Reply, ApiError> {
        self.caller.call("uac.reg_info", Some(json!(["l_uuid", uuid]))).await
    }
}

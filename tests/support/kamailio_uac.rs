//! Kamailio as a provider: its module `uac` registers at somebody else's registrar and says by JSON-RPC what it believes of it.
//! `kamailio_uac.cfg` beside this file has its manners.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::jsonrpc::{self, Refusal};
use super::kamailio::{PASSWORD, REALM, answers_as};
use super::port::{self, LOOPBACK};
use super::process::{Process, start_until_ready};
use super::scratch::Scratch;

/// A running Kamailio that registers.
#[derive(Debug)]
pub(crate) struct KamailioClient {
    process: Process,
    port: u16,
    // Last: the directory goes after the program that writes into it.
    _scratch: Scratch,
}

/// A registration that it is to keep.
#[derive(Clone, Debug)]
pub(crate) struct Trunk {
    /// Its name, which is also the user of the Contact.
    pub(crate) uuid: String,
    /// The user at the registrar.
    pub(crate) user: String,
    /// The user's password.
    pub(crate) password: String,
    /// Where the REGISTER goes, by UDP.
    pub(crate) registrar: SocketAddr,
    /// The lifetime to ask for, in seconds.
    pub(crate) expires_s: u32,
}

impl Trunk {
    /// `alice` with her password, for an hour: no refresh comes while a test runs.
    pub(crate) fn new(uuid: &str, registrar: SocketAddr) -> Self {
        Self {
            uuid: uuid.to_owned(),
            user: "alice".to_owned(),
            password: PASSWORD.to_owned(),
            registrar,
            expires_s: 3600,
        }
    }

    /// Its address-of-record.
    pub(crate) fn aor(&self) -> String {
        format!("sip:{}@{REALM}", self.user)
    }
}

/// How it keeps its registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manners {
    /// So often it looks what is to be done, and so long before a registration ends it is made again, in seconds.
    pub(crate) looks_every_s: u32,
    /// When a registration that has failed is tried again.
    pub(crate) retry: Retry,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            looks_every_s: 1,
            retry: Retry::Later,
        }
    }
}

/// What becomes of a registration that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It is tried again in an hour.
    Later,
    /// It is switched off, which is the module's own default.
    Never,
}

impl KamailioClient {
    /// Starts it without any registration and returns as soon as it answers.
    pub(crate) fn start(manners: Manners) -> Self {
        start_until_ready(|| Self::try_start(manners))
    }

    /// Where it takes orders, and where its Contacts point to.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.port)
    }

    /// The URL for `regprobe verify kamailio --rpc`.
    pub(crate) fn rpc_url(&self) -> String {
        format!("http://{}/RPC", self.address())
    }

    /// The Contact URI that it binds for a trunk.
    pub(crate) fn contact(&self, trunk: &Trunk) -> String {
        format!("sip:{}@{}", trunk.uuid, self.address())
    }

    /// Lets it register a trunk; it begins at its next look.
    pub(crate) fn add(&self, trunk: &Trunk) {
        self.add_with_flags(trunk, 0);
    }

    /// Adds a trunk that is switched off.
    pub(crate) fn add_disabled(&self, trunk: &Trunk) {
        self.add_with_flags(trunk, FLAG_DISABLED);
    }

    fn add_with_flags(&self, trunk: &Trunk, flags: u64) {
        let (no_hash, no_contact, no_socket, no_delay) = (".", ".", "", 0);
        let proxy = format!("sip:{}", trunk.registrar);
        let local = [&trunk.uuid, &trunk.user, REALM];
        let remote = [&trunk.user, REALM, REALM, &trunk.user, &trunk.password, no_hash, &proxy];
        let mut order: Vec<Value> = local.into_iter().chain(remote).map(Value::from).collect();
        order.extend([
            json!(trunk.expires_s),
            json!(flags),
            json!(no_delay),
            json!(no_socket),
            json!(no_contact),
        ]);
        self.order("uac.reg_add", &order.into());
    }

    /// Switches a trunk off, without a word to the registrar.
    pub(crate) fn disable(&self, trunk: &Trunk) {
        self.order("uac.reg_disable", &json!(["l_uuid", trunk.uuid]));
    }

    /// Removes a trunk's binding and switches it off.
    pub(crate) fn unregister(&self, trunk: &Trunk) {
        self.order("uac.reg_unregister", &json!(["l_uuid", trunk.uuid]));
    }

    /// What it believes of a trunk, as it says it.
    ///
    /// # Errors
    /// Its refusal, when it has no such trunk.
    pub(crate) fn info(&self, uuid: &str) -> Result<Value, Refusal> {
        jsonrpc::call(self.address(), "uac.reg_info", &json!(["l_uuid", uuid]))
    }

    /// The flags of a trunk, as its README has them.
    pub(crate) fn flags(&self, trunk: &Trunk) -> u64 {
        let info = self.info(&trunk.uuid).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        info["flags"].as_u64().unwrap_or_else(|| panic!("no flags: {info}"))
    }

    fn order(&self, method: &str, params: &Value) {
        let done = jsonrpc::call(self.address(), method, params);
        done.unwrap_or_else(|refusal| panic!("{method} {params}: {refusal:?}"));
    }

    fn try_start(manners: Manners) -> Result<Self, String> {
        let scratch = Scratch::new("kamailio-uac");
        scratch.write("version", "id(int,auto) table_name(string) table_version(int)\n0:uacreg:5\n");
        scratch.write("uacreg", TABLE);
        let port = port::free(LOOPBACK);
        let address = SocketAddr::new(LOOPBACK, port);
        let mut process = Process::start("kamailio", &arguments(address, manners, &scratch), &scratch);
        process.await_ready(|| answers_as(scratch.name(), address))?;
        Ok(Self {
            process,
            port,
            _scratch: scratch,
        })
    }
}

/// In the foreground, logging to stderr, with little memory and its runtime files in the scratch directory.
fn arguments(address: SocketAddr, manners: Manners, scratch: &Scratch) -> Vec<String> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/kamailio_uac.cfg");
    let directory = scratch.path().display().to_string();
    let retry_s = match manners.retry {
        Retry::Later => 3600,
        Retry::Never => 0,
    };
    let words = ["-DD", "-E", "-m", "32", "-M", "4", "-Y", &directory, "-f", config].map(str::to_owned);
    let listeners = [format!("udp:{address}"), format!("tcp:{address}")];
    let definitions = [
        format!("INSTANCE=\"Instance: {}\\r\\n\"", scratch.name()),
        format!("CONTACT_ADDRESS=\"{address}\""),
        format!("DATABASE=\"text://{directory}\""),
        format!("LOOKS_EVERY={}", manners.looks_every_s),
        format!("RETRY_INTERVAL={retry_s}"),
    ];
    let listeners = listeners.into_iter().flat_map(|listener| ["-l".to_owned(), listener]);
    let definitions = definitions.into_iter().flat_map(|definition| ["-A".to_owned(), definition]);
    words.into_iter().chain(listeners).chain(definitions).collect()
}

/// Switched off.
pub(crate) const FLAG_DISABLED: u64 = 1;
/// Registered.
pub(crate) const FLAG_ONLINE: u64 = 4;
/// Taken up by the module's timer, whatever became of it.
pub(crate) const FLAG_BEGUN: u64 = 16;

/// The module's table, without a row. Without a table the module would have no timer.
const TABLE: &str = "id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) r_domain(string) \
     realm(string) auth_username(string) auth_password(string) auth_ha1(string) auth_proxy(string) expires(int) flags(int) \
     reg_delay(int) contact_addr(string) socket(string)\n";

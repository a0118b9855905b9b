//! Clients of the providers' APIs from the command line: their keys are read from files and the environment, and what is asked of one
//! account goes through one client, so that it is asked one thing at a time. For `verify` and `providers` alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use regprobe_providers::{ClientOptions, SetupError, Url, asterisk, base_url, bitrix24, freeswitch, kamailio, opensips, telnyx, telzino};
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::access::{
    ApiArgs, AsteriskAccess, Bitrix24Access, CallArgs, FreeswitchAccess, KamailioAccess, OpensipsAccess, TelnyxAccess, TelzinoAccess,
};
use crate::failure::Failure;
use crate::secret::{self, Source, Surroundings};

/// The clients that were made so far, by what they were made from.
#[derive(Debug)]
pub(crate) struct Clients {
    surroundings: Surroundings,
    telnyx: BTreeMap<String, Arc<telnyx::Client>>,
    telzino: BTreeMap<String, Arc<telzino::Client>>,
    bitrix24: BTreeMap<String, Arc<bitrix24::Client>>,
    opensips: BTreeMap<String, Arc<opensips::Client>>,
    kamailio: BTreeMap<String, Arc<kamailio::Client>>,
    freeswitch: BTreeMap<String, Arc<freeswitch::Client>>,
    asterisk: BTreeMap<String, Arc<asterisk::Client>>,
}

impl Clients {
    /// None yet.
    pub(crate) const fn new(surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            telnyx: BTreeMap::new(),
            telzino: BTreeMap::new(),
            bitrix24: BTreeMap::new(),
            opensips: BTreeMap::new(),
            kamailio: BTreeMap::new(),
            freeswitch: BTreeMap::new(),
            asterisk: BTreeMap::new(),
        }
    }

    /// What the surroundings offer.
    pub(crate) const fn surroundings(&self) -> Surroundings {
        self.surroundings
    }

    /// A client of a Telnyx account.
    ///
    /// # Errors
    /// [`Failure`] when there is no key.
    pub(crate) fn telnyx(&mut self, access: &TelnyxAccess) -> Result<Arc<telnyx::Client>, Failure> {
        let usual = (&*access.api_key_env, "TELNYX_API_KEY");
        let source = Source::of_key("--api-key-file", access.api_key_file.as_deref(), usual, self.surroundings);
        let options = options(&access.api, "TELNYX_BASE_URL", telnyx::BASE_URL)?;
        shared(&mut self.telnyx, &options, &source, || {
            let key = needed(
                &source,
                "an API key of Telnyx: set TELNYX_API_KEY, or name a file with --api-key-file",
            )?;
            Ok(telnyx::Client::new(key, options.clone())?)
        })
    }

    /// A client of a Telzino account.
    ///
    /// # Errors
    /// [`Failure`] when there are no credentials.
    pub(crate) fn telzino(&mut self, access: &TelzinoAccess) -> Result<Arc<telzino::Client>, Failure> {
        let token = (&*access.token_env, "TELZINO_TOKEN");
        let token = Source::of_key("--token-file", access.token_file.as_deref(), token, self.surroundings);
        let secret = (&*access.client_secret_env, "TELZINO_CLIENT_SECRET");
        let secret = Source::of_key(
            "--client-secret-file",
            access.client_secret_file.as_deref(),
            secret,
            self.surroundings,
        );
        let id = access.client_id.clone().or_else(|| std::env::var("TELZINO_CLIENT_ID").ok());
        let options = options(&access.api, "TELZINO_BASE_URL", telzino::BASE_URL)?;
        let (source, id) = if access.client_id.is_none() && token != Source::Nowhere {
            (token, None)
        } else {
            (secret, id)
        };
        shared(&mut self.telzino, &options, &source, || {
            let words = "access to Telzino: set TELZINO_TOKEN, or TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, or name files";
            let secret = needed(&source, words)?;
            let credentials = match &id {
                Some(id) => telzino::Credentials::client(id, secret),
                None => telzino::Credentials::Token(secret),
            };
            Ok(telzino::Client::new(credentials, options.clone())?)
        })
    }

    /// A client of a Bitrix24 portal.
    ///
    /// # Errors
    /// [`Failure`] when there is neither a webhook nor a token.
    pub(crate) fn bitrix24(&mut self, access: &Bitrix24Access) -> Result<Arc<bitrix24::Client>, Failure> {
        let surroundings = self.surroundings;
        if let Some(portal) = &access.portal {
            let token = (&*access.token_env, "BITRIX24_TOKEN");
            let source = Source::of_key("--token-file", access.token_file.as_deref(), token, surroundings);
            let options = called(portal.clone(), &access.call);
            return shared(&mut self.bitrix24, &options, &source, || {
                let token = needed(
                    &source,
                    "an access token for --portal: set BITRIX24_TOKEN, or name a file with --token-file",
                )?;
                Ok(bitrix24::Client::new(bitrix24::Access::Token(token), options.clone())?)
            });
        }
        let webhook = (&*access.webhook_env, "BITRIX24_WEBHOOK");
        let source = Source::of_key("--webhook-file", access.webhook_file.as_deref(), webhook, surroundings);
        let url = needed(
            &source,
            "a webhook of Bitrix24: set BITRIX24_WEBHOOK, or name a file with --webhook-file",
        )?;
        let url = SecretString::from(url.expose_secret().trim());
        let (portal, webhook) = bitrix24::webhook(&url).map_err(|error| Failure::Usage(format!("{source}: {error}")))?;
        let options = called(portal, &access.call);
        shared(&mut self.bitrix24, &options, &source, || {
            Ok(bitrix24::Client::new(webhook, options.clone())?)
        })
    }

    /// A client of an OpenSIPS.
    ///
    /// # Errors
    /// [`Failure`] when TLS cannot be used as asked.
    pub(crate) fn opensips(&mut self, access: &OpensipsAccess) -> Result<Arc<opensips::Client>, Failure> {
        let options = called(access.mi.clone(), &access.call);
        shared(&mut self.opensips, &options, &Source::Nowhere, || {
            Ok(opensips::Client::new(options.clone())?)
        })
    }

    /// A client of a Kamailio.
    ///
    /// # Errors
    /// [`Failure`] when TLS cannot be used as asked.
    pub(crate) fn kamailio(&mut self, access: &KamailioAccess) -> Result<Arc<kamailio::Client>, Failure> {
        let options = called(access.rpc.clone(), &access.call);
        shared(&mut self.kamailio, &options, &Source::Nowhere, || {
            Ok(kamailio::Client::new(options.clone())?)
        })
    }

    /// A client of a FreeSWITCH.
    ///
    /// # Errors
    /// [`Failure`] when there is no password.
    pub(crate) fn freeswitch(&mut self, access: &FreeswitchAccess) -> Result<Arc<freeswitch::Client>, Failure> {
        let usual = (&*access.esl_password_env, "FREESWITCH_PASSWORD");
        let source = Source::of_key("--esl-password-file", access.esl_password_file.as_deref(), usual, self.surroundings);
        let key = format!("{} {source}", access.esl);
        kept(&mut self.freeswitch, key, || {
            let words = "the password of FreeSWITCH's event socket: set FREESWITCH_PASSWORD, or name a file with --esl-password-file";
            Ok(freeswitch::Client::new(
                access.esl.clone(),
                needed(&source, words)?,
                access.api_timeout,
            )?)
        })
    }

    /// A client of an Asterisk.
    ///
    /// # Errors
    /// [`Failure`] when there is no secret.
    pub(crate) fn asterisk(&mut self, access: &AsteriskAccess) -> Result<Arc<asterisk::Client>, Failure> {
        let usual = (&*access.ami_secret_env, "ASTERISK_SECRET");
        let source = Source::of_key("--ami-secret-file", access.ami_secret_file.as_deref(), usual, self.surroundings);
        let key = format!("{} {} {source}", access.ami, access.ami_user);
        kept(&mut self.asterisk, key, || {
            let words = "the secret of Asterisk's manager user: set ASTERISK_SECRET, or name a file with --ami-secret-file";
            let secret = needed(&source, words)?;
            Ok(asterisk::Client::new(
                access.ami.clone(),
                &access.ami_user,
                secret,
                access.api_timeout,
            )?)
        })
    }
}

/// The client of this API with the key from this source: one for all who ask for it.
fn shared<T>(
    clients: &mut BTreeMap<String, Arc<T>>,
    options: &ClientOptions,
    source: &Source,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<Arc<T>, Failure> {
    kept(clients, format!("{} {:?} {source}", options.base_url, options.ca_file), make)
}

fn kept<T>(clients: &mut BTreeMap<String, Arc<T>>, key: String, make: impl FnOnce() -> Result<T, Failure>) -> Result<Arc<T>, Failure> {
    if let Some(client) = clients.get(&key) {
        return Ok(Arc::clone(client));
    }
    let client = Arc::new(make()?);
    clients.insert(key, Arc::clone(&client));
    Ok(client)
}

/// Reads a key that there has to be.
fn needed(source: &Source, what: &'static str) -> Result<SecretString, Failure> {
    read(source)?.ok_or_else(|| Failure::Usage(format!("there is no {what}")))
}

/// Reads a key or a password, if there is one, and warns of a file that everybody can read.
///
/// # Errors
/// [`Failure::Secret`].
pub(crate) fn read(source: &Source) -> Result<Option<SecretString>, Failure> {
    let Some((secret, warning)) = secret::key(source)? else {
        return Ok(None);
    };
    if let Some(warning) = warning {
        eprintln!("warning: {source}: {warning}");
    }
    Ok(Some(secret))
}

/// The option, else the variable that the provider's own libraries know, else the provider's URL.
fn options(args: &ApiArgs, variable: &str, usual: &str) -> Result<ClientOptions, Failure> {
    let url = match (&args.api_url, std::env::var(variable).ok().filter(|url| !url.is_empty())) {
        (Some(url), _) => url.clone(),
        (None, Some(url)) => base_url(&url).map_err(|error| Failure::Usage(format!("{variable}: {error}")))?,
        (None, None) => base_url(usual)?,
    };
    Ok(called(url, &args.call))
}

fn called(url: Url, args: &CallArgs) -> ClientOptions {
    ClientOptions {
        deadline: args.api_timeout,
        ca_file: args.api_ca_file.as_deref().map(Path::to_owned),
        ..ClientOptions::new(url)
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::Usage(error.to_string())
    }
}

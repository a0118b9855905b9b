//! Clients of the providers' APIs from the command line: their keys are read from files and the environment, and what is asked of one
//! account goes through one client, so that it is asked one thing at a time. For `verify` and `providers` alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use regprobe_providers::{ClientOptions, SetupError, Url, asterisk, base_url, bitrix24, freeswitch, kamailio, opensips, telnyx, telzino};
use secrecy::SecretString;

use crate::args::access::{
    AsteriskAccess, Bitrix24Access, CallArgs, FreeswitchAccess, KamailioAccess, OpensipsAccess, TelnyxAccess, TelzinoAccess,
};
use crate::failure::Failure;
use crate::output;
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
        let options = options(access.api_url.as_ref(), &access.call, "TELNYX_BASE_URL", telnyx::BASE_URL)?;
        shared(&mut self.telnyx, &options, &source, || {
            let what = "an API key of Telnyx";
            let key = needed_key(&source, what, "set TELNYX_API_KEY, or name a file with --api-key-file")?;
            made(telnyx::Client::new(key, options.clone()), &options)
        })
    }

    /// A client of a Telzino account.
    ///
    /// # Errors
    /// [`Failure`] when there are no credentials.
    pub(crate) fn telzino(&mut self, access: &TelzinoAccess) -> Result<Arc<telzino::Client>, Failure> {
        let options = options(access.api_url.as_ref(), &access.call, "TELZINO_BASE_URL", telzino::BASE_URL)?;
        let TelzinoKey { source, client_id } = telzino_key(access, self.surroundings, std::env::var("TELZINO_CLIENT_ID").ok());
        let key = format!("{} {client_id:?}", shared_by(&options, &source));
        kept(&mut self.telzino, key, || {
            let credentials = match &client_id {
                None => telzino::Credentials::Token(needed_key(
                    &source,
                    "access to Telzino",
                    "set TELZINO_TOKEN, or TELZINO_CLIENT_ID and TELZINO_CLIENT_SECRET, or name files",
                )?),
                Some(id) => {
                    let how = "set TELZINO_CLIENT_SECRET, or name a file with --client-secret-file";
                    telzino::Credentials::client(client(id, &source)?, needed_key(&source, "the secret of the Telzino client", how)?)
                }
            };
            made(telzino::Client::new(credentials, options.clone()), &options)
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
                let how = "set BITRIX24_TOKEN, or name a file with --token-file";
                let token = needed_key(&source, "an access token for --portal", how)?;
                made(bitrix24::Client::new(bitrix24::Access::Token(token), options.clone()), &options)
            });
        }
        let webhook = (&*access.webhook_env, "BITRIX24_WEBHOOK");
        let source = Source::of_key("--webhook-file", access.webhook_file.as_deref(), webhook, surroundings);
        let how = "set BITRIX24_WEBHOOK, or name a file with --webhook-file";
        let url = needed_key(&source, "a webhook of Bitrix24", how)?;
        let (portal, webhook) = bitrix24::webhook(&url).map_err(|error| Failure::Usage(format!("{source}: {error}")))?;
        let options = called(portal, &access.call);
        shared(&mut self.bitrix24, &options, &source, || {
            made(bitrix24::Client::new(webhook, options.clone()), &options)
        })
    }

    /// A client of an OpenSIPS.
    ///
    /// # Errors
    /// [`Failure`] when TLS cannot be used as asked.
    pub(crate) fn opensips(&mut self, access: &OpensipsAccess) -> Result<Arc<opensips::Client>, Failure> {
        let options = called(access.mi.clone(), &access.call);
        shared(&mut self.opensips, &options, &Source::Nowhere, || {
            made(opensips::Client::new(options.clone()), &options)
        })
    }

    /// A client of a Kamailio.
    ///
    /// # Errors
    /// [`Failure`] when TLS cannot be used as asked.
    pub(crate) fn kamailio(&mut self, access: &KamailioAccess) -> Result<Arc<kamailio::Client>, Failure> {
        let options = called(access.rpc.clone(), &access.call);
        shared(&mut self.kamailio, &options, &Source::Nowhere, || {
            made(kamailio::Client::new(options.clone()), &options)
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
            let how = "set FREESWITCH_PASSWORD, or name a file with --esl-password-file";
            let password = needed(&source, "the password of FreeSWITCH's event socket", how)?;
            Ok(freeswitch::Client::new(access.esl.clone(), password, access.api_timeout)?)
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
            let how = "set ASTERISK_SECRET, or name a file with --ami-secret-file";
            let secret = needed(&source, "the secret of Asterisk's manager user", how)?;
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
    kept(clients, shared_by(options, source), make)
}

/// What two questions have in common that one client can be asked.
fn shared_by(options: &ClientOptions, source: &Source) -> String {
    format!("{} {:?} {source}", options.base_url, options.ca_file)
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
fn needed_key(source: &Source, what: &'static str, how: &'static str) -> Result<SecretString, Failure> {
    Ok(secret::trimmed(&needed(source, what, how)?, source)?)
}

/// Reads a password of an API that there has to be, blanks and all.
fn needed(source: &Source, what: &'static str, how: &'static str) -> Result<SecretString, Failure> {
    read(source)?.ok_or_else(|| Failure::Usage(format!("{what} is missing: {how}")))
}

/// By what Telzino is to know us.
#[derive(Debug, PartialEq, Eq)]
struct TelzinoKey {
    /// Where the token is, or the secret of the client.
    source: Source,
    /// `None` for a token; the client that the secret is of, which may not have been named.
    client_id: Option<Option<String>>,
}

/// A token is used by itself and goes before client credentials, unless those are named by options. A client's secret is never taken
/// for a token, whatever else is missing.
fn telzino_key(access: &TelzinoAccess, surroundings: Surroundings, id_set: Option<String>) -> TelzinoKey {
    let token = (&*access.token_env, "TELZINO_TOKEN");
    let token = Source::of_key("--token-file", access.token_file.as_deref(), token, surroundings);
    let file = access.client_secret_file.as_deref();
    let secret = (&*access.client_secret_env, "TELZINO_CLIENT_SECRET");
    let secret = Source::of_key("--client-secret-file", file, secret, surroundings);
    let is_client_named = access.client_id.is_some() || file.is_some();
    if token != Source::Nowhere && !is_client_named {
        return TelzinoKey {
            source: token,
            client_id: None,
        };
    }
    let id = access.client_id.clone().or(id_set).filter(|id| !id.trim().is_empty());
    if secret == Source::Nowhere && id.is_none() {
        return TelzinoKey {
            source: Source::Nowhere,
            client_id: None,
        };
    }
    TelzinoKey {
        source: secret,
        client_id: Some(id),
    }
}

/// The client that a secret is of: without it the secret is of no use, and is sent nowhere.
fn client<'a>(id: &'a Option<String>, secret: &Source) -> Result<&'a str, Failure> {
    let missing = || Failure::Usage(format!("TELZINO_CLIENT_ID is missing beside {secret}: set it, or say --client-id"));
    id.as_deref().ok_or_else(missing)
}

/// A client that was made, or why not, with the option that is to blame.
fn made<T>(client: Result<T, SetupError>, options: &ClientOptions) -> Result<T, Failure> {
    client.map_err(|error| match (&error, &options.ca_file) {
        (SetupError::Tls(why), Some(_)) => Failure::Usage(format!("--api-ca-file: {why}")),
        (SetupError::Tls(_) | SetupError::BaseUrl(_) | SetupError::PlainText(_) | SetupError::Secret(_), _) => error.into(),
    })
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
        output::tell(&format!("warning: {source}: {warning}\n"));
    }
    Ok(Some(secret))
}

/// The option, else the variable that the provider's own libraries know, else the provider's URL.
fn options(url: Option<&Url>, args: &CallArgs, variable: &str, usual: &str) -> Result<ClientOptions, Failure> {
    let url = match (url, std::env::var(variable).ok().filter(|url| !url.is_empty())) {
        (Some(url), _) => url.clone(),
        (None, Some(url)) => base_url(&url).map_err(|error| Failure::Usage(format!("{variable}: {error}")))?,
        (None, None) => base_url(usual)?,
    };
    Ok(called(url, args))
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::providers::{Provider, Telzino};
    use crate::args::{Cli, Command};

    const AGENT: &str = "123e4567-e89b-12d3-a456-426614174000";

    /// What is used with these options, when these variables and this client are in the environment.
    fn key(options: &[&str], variable: fn(&str) -> bool, id: &str) -> (String, Option<Option<String>>) {
        let words = ["regprobe", "providers", "telzino", "status", AGENT].iter().chain(options);
        let Command::Providers(Provider::Telzino(Telzino::Status(args))) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{options:?}")
        };
        let surroundings = Surroundings { variable, terminal: false };
        let TelzinoKey { source, client_id } = telzino_key(&args.access, surroundings, Some(id.to_owned()));
        (source.to_string(), client_id)
    }

    #[test]
    fn a_clients_secret_is_never_a_token() {
        type IsSet = fn(&str) -> bool;
        let secret_alone: IsSet = |name| name == "TELZINO_CLIENT_SECRET";
        let (both, none): (IsSet, IsSet) = (|_| true, |_| false);
        let app = || Some(Some("app".to_owned()));
        let secret = "TELZINO_CLIENT_SECRET";
        let file = "--client-secret-file x";
        for (options, variable, id, source, client) in [
            (&[][..], secret_alone, "", secret, Some(None)),
            (&[], secret_alone, " ", secret, Some(None)),
            (&[], secret_alone, "app", secret, app()),
            (&[], both, "app", "TELZINO_TOKEN", None),
            (&[], none, "", "no password", None),
            (&[], none, "app", "no password", app()),
            (&["--client-secret-file", "x"], none, "", file, Some(None)),
            (&["--client-secret-file", "x"], both, "", file, Some(None)),
            (&["--client-secret-file", "x"], both, "app", file, app()),
            (&["--client-id", "app"], both, "other", secret, app()),
            (&["--token-file", "t"], both, "app", "--token-file t", None),
        ] {
            assert_eq!(key(options, variable, id), (source.to_owned(), client), "{options:?} {id:?}");
        }
    }
}

//! From the texts of a row to an account: what the row leaves out, the command line says. Every value goes through the same function of
//! `values` as the option of that name.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum as _;
use sip_digest::Secret;
use sip_message::OwnedUri;
use sip_registration::{Account, Advertised, ChallengeRules, ContactPlan, Families, Goal, Transport};

use super::columns::{Column, Values};
use super::reference::Reference;
use crate::args::TransportArg;
use crate::args::accounts::AccountsArgs;
use crate::failure::Failure;
use crate::plan::{self, PlanError};
use crate::secret::{self, Source, Surroundings};
use crate::values::{self, Aor, Instance, ValueError};
use crate::{identity, output, run};

/// Which column is wrong, if it is one, and why.
pub(super) type Wrong = (Option<Column>, String);

/// What holds for every account of a list that does not say otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    registrar: Option<OwnedUri>,
    proxy: Option<OwnedUri>,
    transport: Option<Transport>,
    auth_user: Option<Arc<str>>,
    secret: Option<Secret>,
    challenges: Option<Arc<ChallengeRules>>,
    contact: Option<OwnedUri>,
    instance: Option<Instance>,
    reg_id: Option<NonZeroU32>,
    expires: u32,
    advertise: Option<Advertised>,
    families: Families,
    /// Where the paths of the list begin.
    folder: PathBuf,
    /// Why somebody should close the list, when it holds a secret; told once.
    warning: Option<String>,
    /// Whether it was said of a file that a row names that everybody can read it.
    has_warned_of_a_file: bool,
    user_agent: Arc<str>,
    recent: Recent,
}

/// What the last row has led to: the next one often says the same.
#[derive(Debug, Clone, Default)]
struct Recent {
    registrar: Option<OwnedUri>,
    secret: Option<(Column, String, Secret)>,
    challenges: Option<Arc<ChallengeRules>>,
    next_hop: Option<(OwnedUri, Option<OwnedUri>, Option<Transport>)>,
}

impl Recent {
    /// The registrar of an AOR's own domain, when it is that of the last row: most lists are of one domain.
    fn registrar_of(&self, aor: &Aor) -> Option<OwnedUri> {
        let (scheme, rest) = aor.uri.as_str().split_once(':')?;
        let (_, domain) = rest.rsplit_once('@')?;
        let recent = self.registrar.as_ref()?;
        (recent.as_str().split_once(':') == Some((scheme, domain))).then(|| recent.clone())
    }
}

impl Template {
    /// What the command line says.
    pub(super) fn new(args: &AccountsArgs, surroundings: Surroundings) -> Result<Self, Failure> {
        // Nobody is asked for the passwords of a list.
        let quiet = Surroundings {
            terminal: false,
            ..surroundings
        };
        let source = Source::choose(&args.credentials, quiet);
        let secret = run::password(&source, "")?;
        let challenges = plan::challenge_rules(&args.credentials.challenges);
        plan::check_secret(challenges.as_deref(), secret.as_ref())?;
        Ok(Self {
            registrar: args.registrar.clone(),
            proxy: args.proxy.clone(),
            transport: plan::transport(args.network.transport),
            auth_user: args.credentials.auth_user.as_deref().map(Arc::from),
            secret,
            challenges,
            contact: args.binding.contact.clone(),
            instance: args.binding.instance.clone(),
            reg_id: args.binding.reg_id,
            expires: args.binding.expires,
            advertise: plan::advertised(&args.network),
            families: plan::families(&args.network),
            folder: PathBuf::new(),
            warning: None,
            has_warned_of_a_file: false,
            user_agent: concat!("regprobe/", env!("CARGO_PKG_VERSION")).into(),
            recent: Recent::default(),
        })
    }

    /// The list is this file: paths in it begin in its folder.
    pub(super) fn beside(&mut self, list: &Path, open_to_all: bool) {
        self.folder = list.parent().unwrap_or(Path::new("")).to_owned();
        let shown = super::shown(list);
        self.warning = open_to_all.then(|| {
            format!("warning: {shown}: it holds secrets, and everybody on this machine can read it; close it with: chmod 600 {shown}\n")
        });
    }

    /// The account of a row.
    pub(super) fn account(&mut self, row: &Values) -> Result<Account, Wrong> {
        let aor = required(value(row, Column::Aor, values::aor)?)?;
        let registrar = self.registrar_of(row, &aor)?;
        let secure = registrar.is_secure() || aor.uri.is_secure();
        let wanted = value(row, Column::Transport, transport)?.unwrap_or(self.transport);
        let transport = plan::chosen_transport(wanted, secure, aor.transport).map_err(|error| in_list(&error))?;
        let contact = value(row, Column::Contact, values::contact)?.or_else(|| self.contact.clone());
        let contact = contact.map_or_else(
            || ContactPlan::Automatic {
                user: identity::contact_user(&aor.uri).into(),
            },
            ContactPlan::Fixed,
        );
        let account = Account {
            registrar,
            outbound_proxy: value(row, Column::Proxy, values::server)?.or_else(|| self.proxy.clone()),
            transport,
            target: None,
            auth_user: value(row, Column::AuthUser, values::auth_user)?
                .map(Arc::from)
                .or_else(|| self.auth_user.clone()),
            secret: self.secret_of(row)?,
            challenges: self.challenges_of(row)?,
            contact,
            advertise: value(row, Column::Advertise, values::advertised)?.or_else(|| self.advertise.clone()),
            instance: self.instance_of(row, &aor)?,
            reg_id: value(row, Column::RegId, values::reg_id)?.or(self.reg_id),
            expires: value(row, Column::Expires, values::expires)?.unwrap_or(self.expires),
            user_agent: Arc::clone(&self.user_agent),
            aor: aor.uri,
        };
        if account.reg_id.is_some() && account.instance.is_none() {
            return Err((
                Some(Column::RegId),
                "goes out only together with an instance; add that column".to_owned(),
            ));
        }
        plan::check_secret(account.challenges.as_deref(), account.secret.as_ref()).map_err(|error| in_list(&error))?;
        self.checked(account)
    }

    fn registrar_of(&mut self, row: &Values, aor: &Aor) -> Result<OwnedUri, Wrong> {
        let registrar = match value(row, Column::Registrar, values::registrar)?.or_else(|| self.registrar.clone()) {
            Some(registrar) => registrar,
            None => match self.recent.registrar_of(aor) {
                Some(same) => return Ok(same),
                None => values::registrar_of(&aor.uri),
            },
        };
        // Equal ones share their text.
        match &self.recent.registrar {
            Some(recent) if *recent == registrar => Ok(recent.clone()),
            Some(_) | None => Ok(self.recent.registrar.insert(registrar).clone()),
        }
    }

    /// Equal ones share their memory.
    fn challenges_of(&mut self, row: &Values) -> Result<Option<Arc<ChallengeRules>>, Wrong> {
        let realm = value(row, Column::Realm, |text| match text {
            // An empty cell says nothing.
            EMPTY_REALM => Ok(String::new()),
            other => values::pinned_realm(other),
        })?;
        let min_digest = value(row, Column::MinDigest, values::min_digest)?;
        if realm.is_none() && min_digest.is_none() {
            return Ok(self.challenges.clone());
        }
        let of_all = self.challenges.as_deref().unwrap_or(&ChallengeRules::ANY);
        let rules = ChallengeRules {
            realm: realm.map(Arc::from).or_else(|| of_all.realm.clone()),
            min_digest: min_digest.unwrap_or(of_all.min_digest),
        };
        Ok(Some(match &self.recent.challenges {
            Some(recent) if **recent == rules => Arc::clone(recent),
            Some(_) | None => Arc::clone(self.recent.challenges.insert(rules.into())),
        }))
    }

    fn instance_of(&self, row: &Values, aor: &Aor) -> Result<Option<Arc<str>>, Wrong> {
        let own = value(row, Column::Instance, |text| match text {
            "derived" => Ok(Instance::Derived),
            other => values::instance(other),
        })?;
        Ok(own.as_ref().or(self.instance.as_ref()).map(|instance| match instance {
            Instance::Derived => identity::derived_instance(&aor.uri),
            Instance::Urn(urn) => urn.as_str().into(),
        }))
    }

    /// What could never be followed is wrong already here.
    fn checked(&mut self, account: Account) -> Result<Account, Wrong> {
        // Most accounts ask for no TLS, and reading their URIs once more would be most of what a row costs.
        let account = if account.aor.is_secure() || account.registrar.is_secure() {
            plan::secured(account).map_err(|error| in_list(&error))?
        } else {
            account
        };
        let next_hop = (account.registrar.clone(), account.outbound_proxy.clone(), account.transport);
        if self.recent.next_hop.as_ref() != Some(&next_hop) {
            plan::check_next_hop(Goal::Register, &account, self.families).map_err(|error| in_list(&error))?;
            self.recent.next_hop = Some(next_hop);
        }
        Ok(account)
    }

    /// The row's own secret, or that of all.
    fn secret_of(&mut self, row: &Values) -> Result<Option<Secret>, Wrong> {
        let mut given = Column::SECRETS.into_iter().filter_map(|column| Some((column, row.text(column)?)));
        let Some((column, text)) = given.next() else {
            return Ok(self.secret.clone());
        };
        if let Some((other, _)) = given.next() {
            let problem = format!("an account has one secret, and `{}` is there too", column.name());
            return Err((Some(other), problem));
        }
        match &self.recent.secret {
            Some((recent, same, secret)) if *recent == column && same == text => return Ok(Some(secret.clone())),
            Some(_) | None => {}
        }
        let secret = self.secret(column, text).map_err(|problem| (Some(column), problem))?;
        if self.recent.secret.is_none() {
            run::keep_out_of_core_dumps();
        }
        self.recent.secret = Some((column, text.to_owned(), secret.clone()));
        Ok(Some(secret))
    }

    fn secret(&mut self, column: Column, text: &str) -> Result<Secret, String> {
        let is_hash = matches!(column, Column::Ha1 | Column::Ha1File);
        let (behind, source) = match column {
            Column::PasswordFile | Column::Ha1File => ("the file", self.file(text)),
            Column::PasswordEnv => (
                "the variable",
                Source::Environment(values::variable(text).map_err(|error| error.to_string())?),
            ),
            _ => match Reference::of(text) {
                Reference::Literal(literal) => {
                    if let Some(warning) = self.warning.take() {
                        output::tell(&warning);
                    }
                    return secret::written(&literal, is_hash).map_err(|flaw| flaw.to_string());
                }
                Reference::File(path) => ("the file behind @", self.file(path)),
                Reference::Variable(name) => ("the variable that it names", Source::Environment(name.to_owned())),
                Reference::NoVariable => {
                    return Err(
                        "behind env: stands the name of a variable, in capitals; a secret that begins so is written env::".to_owned(),
                    );
                }
            },
        };
        let read = secret::of_list(&source, is_hash).map_err(|flaw| {
            let doubled = match behind {
                "the file behind @" => "; a secret that begins with @ is written with @@",
                "the variable that it names" => "; a secret that begins so is written with the sign doubled: $$ or env::",
                _ => "",
            };
            format!("{behind} {flaw}{doubled}")
        });
        let (secret, warning) = read?;
        if let Some(warning) = warning.filter(|_| !self.has_warned_of_a_file) {
            // One of thousands says enough.
            self.has_warned_of_a_file = true;
            output::tell(&format!("warning: {warning}\n"));
        }
        Ok(secret)
    }

    fn file(&self, path: &str) -> Source {
        Source::Ha1File(self.folder.join(path))
    }
}

/// Reads a cell as a value, if the row has it.
fn value<T>(row: &Values, column: Column, read: impl FnOnce(&str) -> Result<T, ValueError>) -> Result<Option<T>, Wrong> {
    let Some(text) = row.text(column) else { return Ok(None) };
    read(text.trim()).map(Some).map_err(|error| (Some(column), in_a_list(error)))
}

/// The refusal of a value without words that belong to a command line.
fn in_a_list(error: ValueError) -> String {
    match error {
        ValueError::PasswordInUri => "it holds a password; write that in a column of its own, `password`".to_owned(),
        ValueError::Uri { .. } | ValueError::Other(_) => error.to_string(),
    }
}

/// What stands in a list for the realm of no length.
const EMPTY_REALM: &str = "\"\"";

fn required(aor: Option<Aor>) -> Result<Aor, Wrong> {
    aor.ok_or_else(|| (None, "aor: is missing; write USER@DOMAIN, such as alice@pbx.example.com".to_owned()))
}

fn transport(text: &str) -> Result<Option<Transport>, ValueError> {
    let arg = TransportArg::from_str(text, true).map_err(|_| ValueError::Other("the transport is none of auto, udp, tcp and tls"))?;
    Ok(plan::transport(arg))
}

/// A plan's refusal in the words of a list.
fn in_list(error: &PlanError) -> Wrong {
    match error {
        PlanError::Insecure(plain) => {
            let problem = format!("{plain}: a sips: URI is reached by TLS only; leave the transport out, or write sip:");
            (Some(Column::Transport), problem)
        }
        PlanError::NextHop { argument, why } => {
            let column = match *argument {
                "--proxy" => Column::Proxy,
                "--registrar" => Column::Registrar,
                _ => Column::Aor,
            };
            (Some(column), (*why).to_owned())
        }
        PlanError::WeakHa1 { held, wanted } => {
            let problem = format!("an HA1 of {held} answers no other digest, and min_digest wants {wanted} at least");
            (Some(Column::MinDigest), problem)
        }
        other @ (PlanError::Thresholds | PlanError::Order { .. } | PlanError::Trace | PlanError::LocalFamily(_)) => {
            (None, other.to_string())
        }
    }
}

/// An AOR as it may be shown: only one that can be read, because another may hold a password.
pub(super) fn shown_aor(text: &str) -> Option<String> {
    values::aor(text).ok().map(|aor| aor.uri.to_string())
}

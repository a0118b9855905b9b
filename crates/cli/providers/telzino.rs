//! `regprobe providers telzino`.

use regprobe_providers::SourceKind;
use regprobe_providers::telzino::{Invalid, Registration, Stored};
use secrecy::SecretString;

use super::{ask, show, show_answer, wrong};
use crate::args::providers::{Telzino, TelzinoAccount, TelzinoStore};
use crate::clients::{self, Clients};
use crate::failure::Failure;
use crate::output;
use crate::output::objects::Facts;
use crate::output::text::safe;
use crate::secret::{self, Source};
use crate::style;

pub(super) fn run(args: &Telzino, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Telzino::Status(args) => {
            let client = clients.telzino(&args.access)?;
            show_answer(args.show.output, args.agent.as_str(), client.answer(&args.agent))
        }
        Telzino::Store(args) => store(args, clients),
    }
}

fn store(args: &TelzinoStore, clients: &mut Clients) -> Result<u8, Failure> {
    let registration = registration(&args.account, password(&args.account, clients)?)?;
    let client = clients.telzino(&args.access)?;
    let stored = ask(SourceKind::Telzino, client.store(&args.agent, &registration))?;
    for field in &stored.differing {
        output::tell(&format!("warning: Telzino's echo of {} is not what was sent\n", safe(field)));
    }
    show(args.show.output, &stored, || {
        let heading = format!(
            "stored for {}; whether it registers, `regprobe providers telzino status` tells in some seconds",
            args.agent
        );
        facts(&stored).render(&heading, style())
    })
}

fn password(args: &TelzinoAccount, clients: &Clients) -> Result<SecretString, Failure> {
    let variable = (&*args.password_env, secret::VARIABLE);
    let source = Source::of_key("--password-file", args.password_file.as_deref(), variable, clients.surroundings());
    let missing =
        || Failure::Usage("there is no password of the account: set REGPROBE_PASSWORD, or name a file with --password-file".to_owned());
    clients::read(&source)?.ok_or_else(missing)
}

/// The account that the arguments describe.
fn registration(args: &TelzinoAccount, password: SecretString) -> Result<Registration, Failure> {
    let made = match (&args.domain, &args.aor, &args.realm) {
        (_, Some(aor), Some(realm)) => Registration::former(aor, realm, &args.username, password),
        (domain, _, _) => Registration::new(domain.as_deref().unwrap_or_default(), &args.username, password),
    };
    let mut made = made.map_err(|error| refused(&error))?;
    if let Some(proxy) = &args.proxy {
        made = made.proxy(proxy).map_err(|error| refused(&error))?;
    }
    if let Some(port) = args.port {
        made = made.port(port).map_err(|error| refused(&error))?;
    }
    if let Some(transport) = args.transport {
        made = made.transport(transport.into());
    }
    if let Some(subscribe) = args.subscribe {
        made = made.subscribe(subscribe);
    }
    if let Some(username) = &args.auth_username {
        made = made.auth_username(username).map_err(|error| refused(&error))?;
    }
    if let Some(number) = &args.did {
        made = made.did(number).map_err(|error| refused(&error))?;
    }
    Ok(made)
}

/// Names the option by which the field is given.
fn refused(error: &Invalid) -> Failure {
    let option = match error.field {
        "sipDomain" => "--domain",
        "sipRealm" => "--realm",
        "authUsername" => "--auth-username",
        "password" => "the password of the account",
        field => return wrong(&format!("--{field}"), error.problem),
    };
    wrong(option, error.problem)
}

fn facts(stored: &Stored) -> Facts {
    Facts::default()
        .say("its message", stored.message.as_deref())
        .say("extension", stored.extension.as_deref())
        .say("going to register", stored.registration_enabled)
}

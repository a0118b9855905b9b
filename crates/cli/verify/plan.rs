//! From the arguments of a check to the check. Reads the secrets that they name, and nothing else.

use regprobe_providers::telnyx::Subject;
use regprobe_providers::{Check, ContactPattern, Given, Inbound, Listing, Mode, Source, opensips};
use sip_digest::Secret;
use sip_message::OwnedUri;
use sip_net::Options;

use crate::args::verify::{CredentialType, LookArgs, Mode as ModeArg, Opensips, Provider, Telnyx};
use crate::clients::Clients;
use crate::failure::Failure;
use crate::{plan, run, secret};

/// How the registrar is looked at for this provider.
pub(crate) fn look(provider: &Provider) -> &LookArgs {
    match provider {
        Provider::Telnyx(args) => &args.look,
        Provider::Telzino(args) => &args.look,
        Provider::Bitrix24(args) => &args.look,
        Provider::Opensips(args) => &args.look,
        Provider::Kamailio(args) => &args.look,
        Provider::Freeswitch(args) => &args.look,
        Provider::Asterisk(args) => &args.look,
    }
}

/// The check that the arguments describe.
///
/// # Errors
/// A [`Failure`] for all that makes no sense together, and for each secret and file that cannot be read. Nobody is asked for a password
/// when the check cannot be made anyway.
pub(crate) fn check(clients: &mut Clients, provider: &Provider) -> Result<Check, Vec<Failure>> {
    let look = look(provider);
    let mut failures = Vec::new();
    let way = kept(plan::way(look).map_err(Failure::from), &mut failures);
    kept(consent(look), &mut failures);
    if let Some(way) = &way {
        kept(run::check_files(&way.tls), &mut failures);
    }
    let source = kept(source(clients, provider), &mut failures);
    let secret = if failures.is_empty() || !clients.surroundings().terminal {
        kept(password(look, clients), &mut failures)
    } else {
        None
    };
    match (way, source, secret) {
        (Some(way), Some(source), Some(secret)) if failures.is_empty() => Ok(assembled(look, way, source, secret)),
        _ => Err(failures),
    }
}

fn kept<T>(result: Result<T, Failure>, failures: &mut Vec<Failure>) -> Option<T> {
    result.map_err(|failure| failures.push(failure)).ok()
}

/// What is done at the registrar has to be what was permitted.
fn consent(look: &LookArgs) -> Result<(), Failure> {
    if look.mode.check_inbound && look.mode.mode == ModeArg::Fetch && !look.mode.own_binding {
        return Err(Failure::Usage(
            "--check-inbound: asks a device; add --mode register to ask one of our own, or --own-binding when the bound one is yours"
                .to_owned(),
        ));
    }
    if look.mode.allow_displacement && look.mode.mode == ModeArg::Fetch {
        return Err(Failure::Usage(
            "--allow-displacement: a fetch displaces nobody; it belongs to --mode register".to_owned(),
        ));
    }
    Ok(())
}

fn assembled(look: &LookArgs, way: Options, source: Source, secret: Option<Secret>) -> Check {
    Check {
        given: Given {
            aor: look.aor.as_ref().map(|aor| aor.uri.clone()),
            registrar: look.registrar.clone(),
            outbound_proxy: look.proxy.clone(),
            transport: plan::transport(look.network.transport).or(look.aor.as_ref().and_then(|aor| aor.transport)),
            auth_user: look.credentials.auth_user.clone(),
            challenges: plan::challenge_rules(&look.credentials.challenges),
            advertise: plan::advertised(&look.network),
            secret,
        },
        network: Options {
            every_target: look.mode.every_target,
            ..way
        },
        mode: mode(look),
        inbound: inbound(look),
        contact: ContactPattern {
            users: look.expected.expect_user.clone(),
            hosts: look.expected.expect_host.clone(),
            instances: look.expected.expect_instance.clone(),
        },
        listing: if look.expected.assume_listing {
            Listing::Lists
        } else {
            Listing::Unknown
        },
        same_secret: !look.expected.other_secret,
        grace: look.mode.grace,
        ..Check::new(source)
    }
}

const fn mode(look: &LookArgs) -> Mode {
    match look.mode.mode {
        ModeArg::Fetch => Mode::Fetch,
        ModeArg::Register => Mode::Register {
            allow_displacement: look.mode.allow_displacement,
        },
    }
}

fn inbound(look: &LookArgs) -> Option<Inbound> {
    let whom = if look.mode.own_binding {
        Inbound::WhoeverIsBound
    } else {
        Inbound::OurContact
    };
    look.mode.check_inbound.then_some(whom)
}

fn source(clients: &mut Clients, provider: &Provider) -> Result<Source, Failure> {
    Ok(match provider {
        Provider::Telnyx(args) => telnyx_source(clients, args)?,
        Provider::Telzino(args) => Source::Telzino {
            client: clients.telzino(&args.access)?,
            agent: args.agent_id.clone(),
        },
        Provider::Bitrix24(args) => Source::Bitrix24 {
            client: clients.bitrix24(&args.access)?,
            reg_id: args.reg_id,
        },
        Provider::Opensips(args) => Source::Opensips {
            client: clients.opensips(&args.access)?,
            registrant: registrant(args)?,
        },
        Provider::Kamailio(args) => Source::Kamailio {
            client: clients.kamailio(&args.access)?,
            uuid: args.uuid.clone(),
        },
        Provider::Freeswitch(args) => Source::Freeswitch {
            client: clients.freeswitch(&args.access)?,
            gateway: args.gateway.clone(),
        },
        Provider::Asterisk(args) => Source::Asterisk {
            client: clients.asterisk(&args.access)?,
            registration: args.registration.clone(),
        },
    })
}

/// A UAC connection, unless something else is said: what an id is and what a user name is, is Telnyx' own rule.
fn telnyx_source(clients: &mut Clients, args: &Telnyx) -> Result<Source, Failure> {
    let client = clients.telnyx(&args.access)?;
    let wrong = |what: &str| Err(Failure::Usage(format!("--credential-type: {what}")));
    let subject = match (&args.connection_id, &args.username, args.credential_type) {
        (Some(id), _, None | Some(CredentialType::UacExternalCredential)) => Subject::UacConnection(id.clone()),
        (Some(id), _, Some(CredentialType::SipCredentialConnection)) => {
            return Ok(Source::TelnyxCheck {
                client,
                connection: id.clone(),
            });
        }
        (Some(_), _, Some(CredentialType::TelephonyCredential)) => {
            return wrong("a telephony credential is asked for by its user name; write --username");
        }
        (None, Some(name), None | Some(CredentialType::TelephonyCredential)) => Subject::TelephonyCredential(name.clone()),
        (None, Some(name), Some(CredentialType::SipCredentialConnection)) => Subject::CredentialConnection(name.clone()),
        (None, Some(_), Some(CredentialType::UacExternalCredential)) => {
            return wrong("a UAC connection is asked for by its id; write --connection-id");
        }
        (None, None, _) => return wrong("nothing to ask for; write --connection-id or --username"),
    };
    Ok(Source::Telnyx { client, subject })
}

/// OpenSIPS knows a record by three texts, letter by letter.
fn registrant(args: &Opensips) -> Result<opensips::Registrant, Failure> {
    let text = |uri: Option<&OwnedUri>, option: &str| {
        let missing = || {
            Failure::Usage(format!(
                "{option} is missing: OpenSIPS knows a registrant by --aor, --contact and --registrar"
            ))
        };
        uri.map(|uri| uri.as_str().to_owned()).ok_or_else(missing)
    };
    Ok(opensips::Registrant {
        aor: text(args.look.aor.as_ref().map(|aor| &aor.uri), "--aor")?,
        contact: args.contact.as_str().to_owned(),
        registrar: text(args.look.registrar.as_ref(), "--registrar")?,
    })
}

/// The SIP password.
fn password(look: &LookArgs, clients: &Clients) -> Result<Option<Secret>, Failure> {
    let source = secret::Source::choose(&look.credentials, clients.surroundings());
    let aor = look.aor.as_ref().map(|aor| aor.uri.as_str());
    let secret = run::password(&source, look.credentials.auth_user.as_deref().or(aor).unwrap_or("the registration"))?;
    plan::check_secret(plan::challenge_rules(&look.credentials.challenges).as_deref(), secret.as_ref())?;
    Ok(secret)
}

//! `regprobe providers telnyx`. UAC connections, which can be changed, are in `connections`.

mod connections;
mod settings;
mod siprec;

use std::num::NonZeroUsize;

use regprobe_providers::telnyx::{CredentialConnection, ExternalConnection, LogMessage, Pages, Subject};
use regprobe_providers::{ApiError, SourceKind};

use super::{ask, show, show_answer};
use crate::args::providers::telnyx::{All, CredentialConnections, ExternalConnections, Log, LogMessages, One, Siprec, Status, Telnyx};
use crate::args::verify::CredentialType;
use crate::clients::Clients;
use crate::failure::Failure;
use crate::output;
use crate::output::objects::{self, Facts};
use crate::style;

pub(super) fn run(args: &Telnyx, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Telnyx::Status(args) => status(args, clients),
        Telnyx::Connections(args) => connections::run(args, clients),
        Telnyx::CredentialConnections(CredentialConnections::Get(args)) => credential_connection(args, clients),
        Telnyx::CredentialConnections(CredentialConnections::Check(args)) => check(args, clients),
        Telnyx::ExternalConnections(ExternalConnections::List(args)) => external_connections(args, clients),
        Telnyx::ExternalConnections(ExternalConnections::Get(args)) => external_connection(args, clients),
        Telnyx::LogMessages(LogMessages::List(args)) => log_messages(args, clients),
        Telnyx::LogMessages(LogMessages::Get(args)) => log_message(args, clients),
        Telnyx::Siprec(Siprec::Get(args)) => siprec::get(args, clients),
    }
}

fn status(args: &Status, clients: &mut Clients) -> Result<u8, Failure> {
    let subject = subject(args)?;
    let client = clients.telnyx(&args.call.access)?;
    show_answer(args.call.show.output, &subject.key().to_string(), client.answer(&subject))
}

/// Whose registration it is.
fn subject(args: &Status) -> Result<Subject, Failure> {
    let wrong = |why: &str| Err(Failure::Usage(format!("--credential-type: {why}")));
    match (&args.connection_id, &args.username, args.credential_type) {
        (Some(id), _, None | Some(CredentialType::UacExternalCredential)) => Ok(Subject::UacConnection(id.clone())),
        (None, Some(name), None | Some(CredentialType::TelephonyCredential)) => Ok(Subject::TelephonyCredential(name.clone())),
        (None, Some(name), Some(CredentialType::SipCredentialConnection)) => Ok(Subject::CredentialConnection(name.clone())),
        (Some(_), _, Some(CredentialType::SipCredentialConnection)) => {
            wrong("a credential connection is asked for by its --username, or by its id with `credential-connections check`")
        }
        (Some(_), _, Some(CredentialType::TelephonyCredential)) => wrong("a telephony credential is asked for by its --username"),
        (None, _, _) => wrong("a UAC connection is asked for by its --connection-id"),
    }
}

fn credential_connection(args: &One, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let connection = ask(SourceKind::TelnyxCredentialConnection, client.credential_connection(&args.id))?;
    show(args.call.show.output, &connection, || {
        credential_facts(&connection).render(&format!("credential connection {}", args.id), style())
    })
}

fn credential_facts(connection: &CredentialConnection) -> Facts {
    Facts::default()
        .say("id", Some(&connection.id))
        .say("name", connection.connection_name.as_deref())
        .say("active", connection.active)
        .say("user", connection.user_name.as_deref())
        .say("stored status", connection.registration_status.as_deref())
        .say("stored at", connection.registration_status_updated_at.as_deref())
        .rest("", &connection.other)
}

fn check(args: &One, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    output::tell("note: what Telnyx finds now becomes the stored status of the connection\n");
    show_answer(args.call.show.output, &args.id.to_string(), client.check_answer(&args.id))
}

fn external_connections(args: &All, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let all = ask(SourceKind::TelnyxUac, taken(client.external_connections(), args.limit))?;
    show(args.call.show.output, &all, || {
        let rows = all.iter().map(|connection| {
            [
                connection.id.clone(),
                connection.external_sip_connection.clone().unwrap_or_default(),
                yes(connection.active).to_owned(),
                yes(connection.credential_active).to_owned(),
                connection.created_at.clone().unwrap_or_default(),
            ]
        });
        let heading = ["id", "partner", "active", "credential active", "made at"];
        objects::list(heading, rows.collect(), "external connection", is_cut(&all, args.limit))
    })
}

fn external_connection(args: &One, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let connection = ask(SourceKind::TelnyxUac, client.external_connection(&args.id))?;
    show(args.call.show.output, &connection, || {
        external_facts(&connection).render(&format!("external connection {}", args.id), style())
    })
}

fn external_facts(connection: &ExternalConnection) -> Facts {
    Facts::default()
        .say("id", Some(&connection.id))
        .say("partner", connection.external_sip_connection.as_deref())
        .say("active", connection.active)
        .say("credential active", connection.credential_active)
        .say("made at", connection.created_at.as_deref())
        .say("changed at", connection.updated_at.as_deref())
        .rest("", &connection.other)
}

fn log_messages(args: &Log, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.all.call.access)?;
    let messages = ask(
        SourceKind::TelnyxUac,
        taken(client.log_messages(args.connection_id.as_ref()), args.all.limit),
    )?;
    show(args.all.call.show.output, &messages, || {
        messages_listed(&messages, is_cut(&messages, args.all.limit))
    })
}

fn log_message(args: &One, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let messages = ask(SourceKind::TelnyxUac, client.log_message(&args.id))?;
    show(args.call.show.output, &messages, || messages_listed(&messages, false))
}

fn messages_listed(messages: &[LogMessage], cut: bool) -> String {
    let rows = messages.iter().map(|message| {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        [
            text(&message.code),
            text(&message.title),
            text(&message.detail),
            text(&message.external_connection_id),
        ]
    });
    objects::list(["code", "title", "detail", "connection"], rows.collect(), "message", cut)
}

/// The first of a list; pages that nobody needs are not asked for.
async fn taken<T>(mut pages: Pages<'_, T>, limit: Option<NonZeroUsize>) -> Result<Vec<T>, ApiError> {
    let mut items = Vec::new();
    while limit.is_none_or(|limit| items.len() < limit.get()) {
        match pages.next().await {
            Some(item) => items.push(item?),
            None => break,
        }
    }
    Ok(items)
}

/// Whether a list ends where it was told to, so that there may be more.
fn is_cut<T>(items: &[T], limit: Option<NonZeroUsize>) -> bool {
    limit.is_some_and(|limit| items.len() >= limit.get())
}

const fn yes(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::providers::Provider;
    use crate::args::{Cli, Command};

    fn asked(line: &str) -> Result<Subject, String> {
        let words = ["regprobe", "providers", "telnyx", "status"]
            .into_iter()
            .chain(line.split_whitespace());
        let Command::Providers(Provider::Telnyx(Telnyx::Status(args))) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line}")
        };
        subject(&args).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_kind_of_credential_has_its_key() {
        let key = |text: &str| text.parse().unwrap();
        for (line, subject) in [
            ("--connection-id 7", Subject::UacConnection(key("7"))),
            (
                "--connection-id 7 --credential-type uac_external_credential",
                Subject::UacConnection(key("7")),
            ),
            ("--username u", Subject::TelephonyCredential(key("u"))),
            (
                "--username u --credential-type sip_credential_connection",
                Subject::CredentialConnection(key("u")),
            ),
        ] {
            assert_eq!(asked(line), Ok(subject), "{line}");
        }
        for (line, why) in [
            (
                "--connection-id 7 --credential-type sip_credential_connection",
                "credential-connections check",
            ),
            ("--connection-id 7 --credential-type telephony_credential", "--username"),
            ("--username u --credential-type uac_external_credential", "--connection-id"),
        ] {
            assert!(asked(line).unwrap_err().contains(why), "{line}");
        }
    }
}

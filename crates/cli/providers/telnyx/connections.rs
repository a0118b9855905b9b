//! `regprobe providers telnyx connections`: the connections by which Telnyx registers at a PBX.

use regprobe_providers::SourceKind;
use regprobe_providers::telnyx::{UacChanged, UacConnection, UacQuery};
use serde::Serialize;

use super::{is_cut, settings, taken, yes};
use crate::args::providers::telnyx::{Call, Connections, Create, Delete, List, One, Update};
use crate::clients::Clients;
use crate::failure::Failure;
use crate::output;
use crate::output::objects::{self, Facts};
use crate::output::text::safe;
use crate::providers::{Refusal, ask, show, wrong};
use crate::run::drive;
use crate::{exit, prompt, style};

pub(super) fn run(args: &Connections, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Connections::List(args) => list(args, clients),
        Connections::Get(args) => get(args, clients),
        Connections::Create(args) => create(args, clients),
        Connections::Update(args) => update(args, clients),
        Connections::Delete(args) => delete(args, clients),
    }
}

fn list(args: &List, clients: &mut Clients) -> Result<u8, Failure> {
    let (query, limit) = (query(args)?, args.all.limit);
    let client = clients.telnyx(&args.all.call.access)?;
    let connections = ask(SourceKind::TelnyxUac, taken(client.uac_connections(&query), limit))?;
    show(args.all.call.show.output, &connections, || {
        let rows = connections.iter().map(row).collect();
        let heading = ["id", "name", "active", "registers", "stored status"];
        objects::list(heading, rows, "connection", is_cut(&connections, limit))
    })
}

/// Which connections the arguments ask for.
fn query(args: &List) -> Result<UacQuery, Failure> {
    const LARGEST_PAGE: u32 = 250;
    let mut query = UacQuery::default();
    if let Some(part) = &args.name_contains {
        query = query.name_contains(part).map_err(|why| wrong("--name-contains", why.unnamed()))?;
    }
    if let Some(fqdn) = &args.fqdn {
        query = query.fqdn(fqdn);
    }
    if let Some(profile) = &args.outbound_voice_profile_id {
        query = query.outbound_voice_profile(profile);
    }
    if let Some(sort) = args.sort {
        query = query.sorted(sort);
    }
    let few = args.all.limit.and_then(|limit| u32::try_from(limit.get()).ok());
    match args.page_size.or(few.filter(|few| *few < LARGEST_PAGE)) {
        Some(size) => query.page_of(size).map_err(|why| wrong("--page-size", why.unnamed())),
        None => Ok(query),
    }
}

fn get(args: &One, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let connection = ask(SourceKind::TelnyxUac, client.uac_connection(&args.id))?;
    show(args.call.show.output, &connection, || {
        facts(&connection).render(&title(&connection), style())
    })
}

fn create(args: &Create, clients: &mut Clients) -> Result<u8, Failure> {
    let changes = settings::changes(&args.settings, clients)?;
    let client = clients.telnyx(&args.call.access)?;
    let changed = interruptible(ask(SourceKind::TelnyxUac, client.create_uac_connection(&args.name, &changes)))?;
    if changed.connection.password.is_some() && !settings::names_telnyx_password(&args.settings) {
        output::tell(
            "note: Telnyx made a password of its own for this connection, which is not shown; set another with --telnyx-password-file\n",
        );
    }
    shown("created", &changed, &args.call)
}

fn update(args: &Update, clients: &mut Clients) -> Result<u8, Failure> {
    let mut changes = settings::changes(&args.settings, clients)?;
    if let Some(name) = &args.name {
        changes = changes.connection_name(name);
    }
    if changes.is_empty() {
        return Err(Failure::Usage(
            "there is nothing to change; name what is to become different, such as --transport tls".to_owned(),
        ));
    }
    let client = clients.telnyx(&args.call.access)?;
    let changed = interruptible(ask(SourceKind::TelnyxUac, client.update_uac_connection(&args.id, &changes)))?;
    let what = if changed.all_ignored { "nothing was changed" } else { "changed" };
    shown(what, &changed, &args.call)
}

/// A connection after a change, as JSON.
#[derive(Serialize)]
struct Changed<'a> {
    connection: &'a UacConnection,
    ignored: &'a [String],
}

fn shown(what: &str, changed: &UacChanged, call: &Call) -> Result<u8, Failure> {
    let UacChanged { connection, ignored, .. } = changed;
    if !ignored.is_empty() {
        output::tell(&format!(
            "warning: Telnyx did not keep {}; see what it has instead with `get`\n",
            safe(&ignored.join(", "))
        ));
    }
    show(call.show.output, &Changed { connection, ignored }, || {
        facts(connection).render(&format!("{what}: {}", title(connection)), style())
    })
}

fn delete(args: &Delete, clients: &mut Clients) -> Result<u8, Failure> {
    let Delete { one, yes } = args;
    if !yes && !clients.surroundings().terminal {
        return Err(Failure::Usage(
            "nobody can be asked here whether to delete it; say --yes".to_owned(),
        ));
    }
    let client = clients.telnyx(&one.call.access)?;
    let mut known = None;
    if !yes {
        // No handler for signals yet: Ctrl-C at the question ends the program by itself.
        let connection = drive(client.uac_connection(&one.id))?;
        let connection = connection.map_err(|error| Box::new(Refusal::of(SourceKind::TelnyxUac, &error)))?;
        let question = format!(
            "Delete {}, which registers {}? It will not register any more.",
            title(&connection),
            registers(&connection)
        );
        if !prompt::agrees(&question)? {
            output::tell("nothing was deleted\n");
            return Ok(exit::DECLINED);
        }
        known = Some(connection);
    }
    let said = interruptible(ask(SourceKind::TelnyxUac, client.delete_uac_connection(&one.id)))?;
    let deleted = said.or(known).unwrap_or_else(|| UacConnection {
        id: one.id.as_str().to_owned(),
        ..UacConnection::default()
    });
    show(one.call.show.output, &deleted, || format!("deleted: {}\n", safe(&title(&deleted))))
}

/// After Ctrl-C in the middle of a change, nobody here knows whether it was made.
fn interruptible<T>(changed: Result<T, Failure>) -> Result<T, Failure> {
    if let Err(Failure::Interrupted) = &changed {
        output::tell("interrupted: the change may have been made; look with `regprobe providers telnyx connections get`\n");
    }
    changed
}

fn row(connection: &UacConnection) -> [String; 5] {
    [
        connection.id.clone(),
        connection.connection_name.clone().unwrap_or_default(),
        yes(connection.active).to_owned(),
        registers(connection),
        connection.registration_status.clone().unwrap_or_default(),
    ]
}

/// `alice at pbx.example.com by TLS`
fn registers(connection: &UacConnection) -> String {
    let external = &connection.external_uac_settings;
    let user = external.username.as_deref().unwrap_or("nobody");
    let server = external.proxy.as_deref().unwrap_or("no PBX");
    let transport = external
        .transport
        .map(|transport| format!(" by {}", transport.via()))
        .unwrap_or_default();
    format!("{user} at {server}{transport}")
}

fn title(connection: &UacConnection) -> String {
    let name = connection
        .connection_name
        .as_ref()
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    format!("UAC connection {}{name}", connection.id)
}

/// Everything that is known of it, passwords left out.
fn facts(connection: &UacConnection) -> Facts {
    let (external, internal) = (&connection.external_uac_settings, &connection.internal_uac_settings);
    Facts::default()
        .say("id", Some(&connection.id))
        .say("name", connection.connection_name.as_deref())
        .say("active", connection.active)
        .say("registers", external.username.as_deref())
        .say("at", external.proxy.as_deref())
        .say("through", external.outbound_proxy.as_deref())
        .say("transport", external.transport.map(|transport| transport.via()))
        .say("asks for", external.expiration_sec.map(|seconds| format!("{seconds} s")))
        .say("digest user", external.auth_username.as_deref())
        .say("user in From", external.from_user.as_deref())
        .say("calls go to", internal.destination_uri.as_deref())
        .say("stored status", connection.registration_status.as_deref())
        .say("stored at", connection.registration_status_updated_at.as_deref())
        .say("Telnyx' user", connection.user_name.as_deref())
        .say("fqdn", connection.fqdn.as_deref())
        .say("made at", connection.created_at.as_deref())
        .say("changed at", connection.updated_at.as_deref())
        .rest("external_uac_settings.", &external.other)
        .rest("internal_uac_settings.", &internal.other)
        .rest("", &connection.other)
}

#[cfg(test)]
mod tests {
    use regprobe_providers::telnyx::ExternalUacSettings;
    use sip_registration::Transport;

    use super::*;
    use crate::output::style::Style;

    fn connection() -> UacConnection {
        UacConnection {
            id: "7".into(),
            connection_name: Some("Office".into()),
            password: Some("canary-of-telnyx".to_owned().into()),
            external_uac_settings: ExternalUacSettings {
                proxy: Some("pbx.example.com".into()),
                username: Some("alice".into()),
                transport: Some(Transport::Tls),
                password: Some("canary-of-the-pbx".to_owned().into()),
                ..ExternalUacSettings::default()
            },
            ..UacConnection::default()
        }
    }

    #[test]
    fn a_connection_shows_where_it_registers_and_no_password() {
        let connection = connection();
        assert_eq!(registers(&connection), "alice at pbx.example.com by TLS");
        let text = facts(&connection).render(&title(&connection), Style::Plain);
        assert!(text.starts_with("UAC connection 7 (Office)\n  id         7\n"), "{text}");
        let changed = Changed {
            connection: &connection,
            ignored: &["tags".into()],
        };
        assert!(!(text + &serde_json::to_string(&changed).unwrap()).contains("canary"));
    }
}

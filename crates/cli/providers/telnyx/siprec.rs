//! `regprobe providers telnyx siprec`: where recordings are sent, and whether anybody answers there.

use std::io::{self, IsTerminal as _};

use regprobe_providers::telnyx::SiprecConnector;
use regprobe_providers::{ApiError, ApiTrouble, SourceKind, server_uri};
use serde::Serialize;
use sip_message::OwnedUri;
use sip_net::{Probed, probe_until};
use sip_registration::Report;

use crate::args::providers::Form;
use crate::args::providers::telnyx::Connector;
use crate::clients::Clients;
use crate::failure::Failure;
use crate::output::objects::Facts;
use crate::output::{self, human, json};
use crate::plan::{self, Output};
use crate::providers::{Refusal, ask, show};
use crate::run::drive;
use crate::{exit, signals, style};

/// A connector and what its host answered, as JSON.
#[derive(Serialize)]
struct Pinged<'a> {
    connector: &'a SiprecConnector,
    ping: &'a Report,
}

pub(super) fn get(args: &Connector, clients: &mut Clients) -> Result<u8, Failure> {
    let client = clients.telnyx(&args.call.access)?;
    let connector = ask(SourceKind::TelnyxUac, client.siprec_connector(&args.name))?;
    let form = args.call.show.output;
    if !args.ping {
        return show(form, &connector, || described(&connector));
    }
    let uri = place(&connector).ok_or_else(|| nowhere(&connector))?;
    let (account, options) = plan::ping(&uri, &args.network, &args.tls, &args.exchange)?;
    let probed = drive(probe_until(account, &options, signals::ended(), signals::insisted()))?;
    output::print(render(&connector, &probed, form).as_bytes())?;
    Ok(exit::after(&probed.report, probed.interrupted, Output::Human))
}

fn render(connector: &SiprecConnector, Probed { report, interrupted }: &Probed, form: Form) -> String {
    match form {
        Form::Human => format!("{}\n{}", described(connector), human::render(report, *interrupted, style())),
        Form::Json => json::render(&Pinged { connector, ping: report }, io::stdout().is_terminal()),
    }
}

fn described(connector: &SiprecConnector) -> String {
    let facts = Facts::default()
        .say("host", connector.host.as_deref())
        .say("port", connector.port)
        .say("subdomain", connector.app_subdomain.as_deref())
        .rest("", &connector.other);
    facts.render(&format!("SIPREC connector {}", connector.name), style())
}

/// Where an OPTIONS goes: to the host alone, whatever else stands in the answer.
fn place(connector: &SiprecConnector) -> Option<OwnedUri> {
    let host = connector.host.as_deref()?.trim();
    let written = match connector.port {
        Some(port) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    server_uri(&written)
}

fn nowhere(connector: &SiprecConnector) -> Failure {
    let error = ApiError {
        trouble: ApiTrouble::Contract,
        status: None,
        code: None,
        detail: "the answer has no host in it that an OPTIONS could be sent to".to_owned(),
        request: format!("GET /siprec_connectors/{}", connector.name),
        attempts: 1,
        retry_after: None,
        body: None,
    };
    Box::new(Refusal::of(SourceKind::TelnyxUac, &error)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_options_goes_to_host_and_port() {
        let to = |host: &str, port| {
            let connector = SiprecConnector {
                host: Some(host.to_owned()),
                port,
                ..SiprecConnector::default()
            };
            place(&connector).map(|uri| uri.to_string())
        };
        assert_eq!(to("siprec.example.com", Some(5070)).as_deref(), Some("sip:siprec.example.com:5070"));
        assert_eq!(to("2001:db8::7", Some(5070)).as_deref(), Some("sip:[2001:db8::7]:5070"));
        assert_eq!(to("siprec.example.com", None).as_deref(), Some("sip:siprec.example.com"));
        assert_eq!(to("two words", Some(1)), None);
        assert_eq!(place(&SiprecConnector::default()), None);
    }
}

//! `regprobe providers bitrix24`.

use regprobe_providers::SourceKind;
use regprobe_providers::bitrix24::{Connector, Line, LineKind};

use super::{ask, show, show_answer};
use crate::args::providers::Bitrix24;
use crate::clients::Clients;
use crate::failure::Failure;
use crate::output::objects::{self, Facts};
use crate::style;

pub(super) fn run(args: &Bitrix24, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Bitrix24::Status(args) => {
            let client = clients.bitrix24(&args.call.access)?;
            show_answer(args.call.show.output, &args.reg_id.to_string(), client.answer(args.reg_id))
        }
        Bitrix24::Stored(args) => {
            let client = clients.bitrix24(&args.call.access)?;
            show_answer(args.call.show.output, &args.reg_id.to_string(), client.stored(args.reg_id))
        }
        Bitrix24::Lines(call) => {
            let client = clients.bitrix24(&call.access)?;
            let lines = ask(SourceKind::Bitrix24Stored, client.lines())?;
            show(call.show.output, &lines, || list(&lines))
        }
        Bitrix24::Connector(call) => {
            let client = clients.bitrix24(&call.access)?;
            let connector = ask(SourceKind::Bitrix24, client.connector())?;
            show(call.show.output, &connector, || facts(&connector).render("SIP connector", style()))
        }
    }
}

fn list(lines: &[Line]) -> String {
    let rows = lines.iter().map(|line| {
        [
            line.reg_id.map(|id| id.to_string()).unwrap_or_default(),
            kind(&line.kind).to_owned(),
            line.title.clone().unwrap_or_default(),
            registers(line),
            stored(line),
        ]
    });
    objects::list(
        ["reg_id", "kind", "title", "registers", "stored status"],
        rows.collect(),
        "line",
        false,
    )
}

/// `alice at pbx.example.com`, with the proxy in between.
fn registers(line: &Line) -> String {
    let user = line.login.as_deref().unwrap_or("?");
    let server = line.server.as_deref().unwrap_or("?");
    let proxy = line
        .outbound_proxy
        .as_ref()
        .map(|proxy| format!(" through {proxy}"))
        .unwrap_or_default();
    format!("{user} at {server}{proxy}")
}

fn stored(line: &Line) -> String {
    let words = [line.stored_code.map(|code| code.to_string()), line.stored_message.clone()];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const fn kind(kind: &LineKind) -> &'static str {
    match kind {
        LineKind::Cloud => "cloud",
        LineKind::Office => "office",
        LineKind::Other => "other",
    }
}

fn facts(connector: &Connector) -> Facts {
    Facts::default()
        .say("paid", connector.paid)
        .say("paid until", connector.paid_until.as_deref())
        .say("free minutes", connector.free_minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_where_it_registers_and_what_came_of_it() {
        let line = Line {
            kind: LineKind::Cloud,
            config_id: Some(3),
            reg_id: Some(5505),
            title: None,
            server: Some("pbx.example.com".into()),
            login: Some("alice".into()),
            auth_user: None,
            outbound_proxy: Some("edge.example.com".into()),
            stored_code: Some(502),
            stored_message: Some("Unable to resolve hostname".into()),
        };
        assert_eq!(registers(&line), "alice at pbx.example.com through edge.example.com");
        assert_eq!(stored(&line), "502 Unable to resolve hostname");
        assert!(list(&[line]).ends_with("\n1 line\n"));
    }
}

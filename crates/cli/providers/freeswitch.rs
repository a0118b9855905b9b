//! `regprobe providers freeswitch`.

use regprobe_providers::SourceKind;

use super::{show_answer, show_registrations};
use crate::args::providers::Freeswitch;
use crate::clients::Clients;
use crate::failure::Failure;

pub(super) fn run(args: &Freeswitch, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Freeswitch::Gateways(call) => {
            let client = clients.freeswitch(&call.access)?;
            show_registrations(call.show.output, SourceKind::Freeswitch, "gateway", client.list())
        }
        Freeswitch::Gateway(args) => {
            let client = clients.freeswitch(&args.call.access)?;
            show_answer(args.call.show.output, &args.name.to_string(), client.answer(&args.name))
        }
    }
}

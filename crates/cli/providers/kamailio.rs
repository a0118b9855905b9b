//! `regprobe providers kamailio`.

use regprobe_providers::SourceKind;

use super::{show_answer, show_registrations};
use crate::args::providers::Kamailio;
use crate::clients::Clients;
use crate::failure::Failure;

pub(super) fn run(args: &Kamailio, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Kamailio::Registrations(call) => {
            let client = clients.kamailio(&call.access)?;
            show_registrations(call.show.output, SourceKind::Kamailio, "registration", client.list())
        }
        Kamailio::Registration(args) => {
            let client = clients.kamailio(&args.call.access)?;
            show_answer(args.call.show.output, &args.uuid, client.answer(&args.uuid))
        }
    }
}

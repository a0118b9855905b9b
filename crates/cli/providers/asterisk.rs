//! `regprobe providers asterisk`.

use regprobe_providers::SourceKind;

use super::{show_answer, show_registrations};
use crate::args::providers::Asterisk;
use crate::clients::Clients;
use crate::failure::Failure;

pub(super) fn run(args: &Asterisk, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Asterisk::Registrations(call) => {
            let client = clients.asterisk(&call.access)?;
            show_registrations(call.show.output, SourceKind::Asterisk, "registration", client.list())
        }
        Asterisk::Registration(args) => {
            let client = clients.asterisk(&args.call.access)?;
            show_answer(args.call.show.output, &args.name, client.answer(&args.name))
        }
    }
}

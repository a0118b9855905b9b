//! `regprobe providers opensips`.

use regprobe_providers::SourceKind;

use super::show_registrations;
use crate::args::providers::Opensips;
use crate::clients::Clients;
use crate::failure::Failure;

pub(super) fn run(args: &Opensips, clients: &mut Clients) -> Result<u8, Failure> {
    match args {
        Opensips::Registrations(args) => {
            let client = clients.opensips(&args.access)?;
            show_registrations(args.show.output, SourceKind::Opensips, "registration", client.list())
        }
    }
}

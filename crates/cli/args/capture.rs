//! The options about evidence of what went over the wire, for each sub-command that has them. What they do is `capture`'s.

use std::path::PathBuf;

use clap::Args;

use crate::values;

// What is kept of the messages, and where it goes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Capture")]
pub(crate) struct CaptureArgs {
    /// Write each message into this new file, with what was decided about it: pcapng for Wireshark, TLS in clear, credentials redacted
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Send each message to this collector, such as Homer: HEPv3 over UDP, credentials redacted
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) hep: Option<String>,
    /// The number of this capture agent for the collector
    #[arg(long, value_name = "N", default_value = "2001", requires = "hep", value_parser = values::number::<u32>)]
    pub(crate) hep_id: u32,
    /// Do not redact --pcap and --hep: whoever has them can then guess passwords from the digests
    #[arg(long)]
    pub(crate) include_credentials: bool,
}

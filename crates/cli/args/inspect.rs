//! `regprobe inspect` as clap sees it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

// `regprobe inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    /// The file that holds the message; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The file is a capture (pcap or pcapng): inspect each SIP message in it, over UDP and TCP
    #[arg(long)]
    pub(crate) pcap: bool,
    /// A page for people, or one JSON object a message (indented on a terminal, but not with --pcap)
    #[arg(long, value_name = "FORM", value_enum, default_value = "human", help_heading = "Output")]
    pub(crate) output: InspectOutput,
}

const EXAMPLES: &str = "\
Examples:
  regprobe inspect reply.txt
  xclip -o | regprobe inspect --output json
  regprobe inspect --pcap trunk.pcapng
  tcpdump -i any -w - port 5060 | regprobe inspect --pcap

Exit status: 0 every message is usable; 5 one is malformed; 2 the file cannot be read, or the capture holds no SIP message.";

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InspectOutput {
    Human,
    Json,
}

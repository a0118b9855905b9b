//! `regprobe inspect`: one SIP message, or each of a capture, as the program reads it, with all that is odd about it (docs/inspect.md).
//! What is odd is `sip-message`'s to say; nothing here touches the network.

mod advice;
mod exported;
mod fragments;
mod frames;
mod human;
mod packets;
pub(crate) mod property;
mod reading;
pub(crate) mod report;
mod search;
mod shown;
mod source;
mod streams;

use std::io::{self, IsTerminal as _};

use crate::args::inspect::{Inspect, InspectOutput};
use crate::failure::Failure;
use crate::output::{self, json};
use crate::{exit, style};

use report::{Captured, Examined};
use search::Search;
use source::Source;

/// Carries `regprobe inspect` out; the exit status.
///
/// # Errors
/// [`Failure`] when there is nothing to inspect: a file that cannot be read, or a capture without a SIP message.
pub(crate) fn run(args: &Inspect) -> Result<u8, Failure> {
    output::ensure_open()?;
    let source = Source::open(args.file.as_deref())?;
    if args.pcap {
        return capture(source, args.output);
    }
    let bytes = source.message()?;
    let examined = Examined::of(&bytes);
    let text = match args.output {
        InspectOutput::Human => human::render(&examined, style()),
        InspectOutput::Json => json::render(&examined.report(), io::stdout().is_terminal()),
    };
    output::print(text.as_bytes())?;
    Ok(status(examined.is_usable()))
}

const fn status(usable: bool) -> u8 {
    if usable { exit::SUCCESS } else { exit::MALFORMED }
}

/// Inspects each SIP message of a capture as it is found.
fn capture(source: Source, form: InspectOutput) -> Result<u8, Failure> {
    let name = source.name();
    let mut search = Search::open(source.capture()).map_err(|flaw| Failure::Usage(format!("{name}: {flaw}")))?;
    let mut told = Told::new(form);
    while search.step(&mut told.found) {
        if !told.tell()? {
            return Ok(told.status());
        }
    }
    if search.packets.cut() > 0 {
        let cut = match search.packets.cut() {
            1 => "1 packet was".to_owned(),
            many => format!("{many} packets were"),
        };
        output::tell(&format!(
            "warning: {name}: {cut} captured in part; `tcpdump -s 0` and `dumpcap -s 0` capture whole ones\n"
        ));
    }
    if let Some(flaw) = &search.flaw {
        output::tell(&format!("warning: {name}: {flaw}; what was before it has been inspected\n"));
    }
    if told.count == 0 {
        return Err(Failure::Usage(format!(
            "{name}: no SIP message is among the {} of this capture; only UDP and TCP in clear can be read, and TLS only as `regprobe probe --pcap` writes it",
            output::text::counted(search.packets.count(), "packet")
        )));
    }
    Ok(told.status())
}

/// What has been told of a capture.
struct Told {
    form: InspectOutput,
    /// Found and not told yet.
    found: Vec<Captured>,
    count: u64,
    all_usable: bool,
}

impl Told {
    const fn new(form: InspectOutput) -> Self {
        Self {
            form,
            found: Vec::new(),
            count: 0,
            all_usable: true,
        }
    }

    /// Tells what was found; false when nobody reads it any more.
    fn tell(&mut self) -> Result<bool, Failure> {
        for captured in self.found.drain(..) {
            self.count += 1;
            let examined = Examined::captured(&captured, self.count);
            self.all_usable &= examined.is_usable();
            let mut bytes = Vec::new();
            match self.form {
                InspectOutput::Human => bytes.extend_from_slice(human::render(&examined, style()).as_bytes()),
                InspectOutput::Json => json::append(&examined.report(), &mut bytes),
            }
            if self.form == InspectOutput::Human && self.count > 1 {
                bytes.insert(0, b'\n');
            }
            if !output::hand_over(&bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    const fn status(&self) -> u8 {
        status(self.all_usable)
    }
}

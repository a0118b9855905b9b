//! The file of a capture: pcapng (draft-ietf-opsawg-pcapng), one block after the other, each written whole. Not for what stands in a
//! packet.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use sip_net::Captured;
use sip_registration::Direction;

use super::frame::{Framing, Link};
use super::sink::cut_text;
use crate::output::text::counted;
use crate::{output, secret};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Book {
    name: String,
    file: File,
    /// Whole blocks that are not written yet.
    unwritten: Vec<u8>,
    /// Up to where the file is whole.
    length: u64,
    framing: Framing,
    interfaces: Vec<Link>,
    messages: u64,
    /// Why nothing is written any more, and after how many messages.
    trouble: Option<(io::Error, u64)>,
    /// Messages that are in [`Self::unwritten`].
    pending: u64,
}

impl Book {
    /// Begins a new file that only its owner can read. A pipe or a device may be there already; a pipe that nobody reads is waited for a
    /// while.
    ///
    /// # Errors
    /// Why not, in words for who named it.
    pub(super) fn create(path: &Path, with_credentials: bool) -> Result<Self, String> {
        let name = format!("--pcap {}", secret::shown(path));
        if path == Path::new("-") {
            return Err(format!(
                "{name}: standard output is for the report; name a file, or in bash `>(wireshark -k -i -)`"
            ));
        }
        if path.is_dir() {
            return Err(format!("{name}: is a directory; name a new file in it"));
        }
        let file = open(path, &name, READER_WITHIN).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{name}: this file exists, and evidence is not overwritten; name another one or remove it")
            }
            _ if is_unread(&error) => format!("{name}: nothing reads from this pipe; start its reader first"),
            _ => format!("{name}: {error}"),
        })?;
        let mut book = Self {
            name,
            file,
            unwritten: Vec::new(),
            length: 0,
            framing: Framing::default(),
            interfaces: Vec::new(),
            messages: 0,
            trouble: None,
            pending: 0,
        };
        book.unwritten.extend(section_header(with_credentials));
        book.flush();
        match book.trouble {
            Some((error, _)) => Err(format!("{}: {error}", book.name)),
            None => Ok(book),
        }
    }

    /// Enters a message.
    pub(super) fn enter(&mut self, captured: &Captured) {
        if self.trouble.is_some() {
            return;
        }
        let framed = self.framing.frame(&captured.message);
        let interface = self.interface(framed.link);
        let since = captured.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        for (number, frame) in framed.frames.iter().enumerate() {
            let mut options = Options::default();
            if number == 0 {
                options.comment(&captured.message.decision);
                if captured.missing > 0 {
                    options.comment(&format!("{} messages before this one are missing", captured.missing));
                }
            } else {
                options.comment("continues the message before");
            }
            if framed.cut > 0 {
                options.comment(&format!("too long: {} bytes are cut off", framed.cut));
            }
            let direction = match captured.message.direction {
                Direction::Received => INBOUND,
                Direction::Sent => OUTBOUND,
            };
            options.add(EPB_FLAGS, &direction.to_le_bytes());
            let block = enhanced_packet(interface, nanoseconds, frame, options);
            self.unwritten.extend(block);
        }
        self.messages += 1;
        self.pending += 1;
        if self.unwritten.len() >= WRITE_AT {
            self.flush();
        }
    }

    /// Writes what is entered.
    pub(super) fn flush(&mut self) {
        if self.unwritten.is_empty() || self.trouble.is_some() {
            return;
        }
        match self.file.write_all(&self.unwritten) {
            Ok(()) => {
                self.length += self.unwritten.len() as u64;
                self.pending = 0;
            }
            Err(error) => {
                // What is there stays a whole file; a pipe has no length.
                let _ = self.file.set_len(self.length);
                self.trouble = Some((error, self.messages - self.pending));
            }
        }
        self.unwritten.clear();
    }

    /// Ends the file; what the user has to know. `left_out` messages never came here.
    pub(super) fn end(mut self, left_out: u64) -> Option<String> {
        let interface = self.interface(self.interfaces.first().copied().unwrap_or(Link::Ip));
        self.unwritten.extend(statistics(interface, self.messages + left_out, left_out));
        self.flush();
        let Self {
            name, messages, trouble, ..
        } = self;
        if let Some((error, written)) = trouble {
            return Some(format!(
                "{name}: it ends after {}: {error}; the run went on without it",
                counted(usize::try_from(written).unwrap_or(usize::MAX), "message")
            ));
        }
        let all = messages + left_out;
        (left_out > 0).then(|| format!("{name}: {left_out} of {all} messages are missing: they came faster than they could be written"))
    }

    /// The number of an interface, which is described where it is used first: a file of one kind alone can be read by more programs.
    fn interface(&mut self, link: Link) -> u32 {
        let known = self.interfaces.iter().position(|known| *known == link);
        let number = known.unwrap_or_else(|| {
            self.unwritten.extend(interface_description(link));
            self.interfaces.push(link);
            self.interfaces.len() - 1
        });
        u32::try_from(number).unwrap_or_default()
    }
}

/// Opens a new file, or a pipe or device that is there. The system would wait for the reader of a pipe without end (fifo(7)), and whoever
/// waits should know.
fn open(path: &Path, name: &str, reader_within: Duration) -> io::Result<File> {
    let kind = path.metadata().map(|there| there.file_type());
    let (is_pipe, is_device) = kind.map_or((false, false), |kind| (kind.is_fifo(), kind.is_char_device()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(!is_pipe && !is_device).mode(0o600);
    if !is_pipe {
        return options.open(path);
    }
    options.custom_flags(OFlag::O_NONBLOCK.bits());
    let until = Instant::now() + reader_within;
    let mut has_told = false;
    loop {
        match options.open(path) {
            Err(error) if is_unread(&error) && Instant::now() < until => {
                if !has_told {
                    output::tell(&format!("{name}: waits until something reads from this pipe\n"));
                }
                has_told = true;
                thread::sleep(LOOK_FOR_A_READER_EVERY);
            }
            Err(error) => return Err(error),
            Ok(pipe) => {
                // A full pipe is waited for: by a thread that has nothing else to do.
                fcntl(&pipe, FcntlArg::F_SETFL(OFlag::empty()))?;
                return Ok(pipe);
            }
        }
    }
}

/// Whether a pipe could not be opened because nothing reads from it.
fn is_unread(error: &io::Error) -> bool {
    error.raw_os_error().map(Errno::from_raw) == Some(Errno::ENXIO)
}

/// Options of a block.
#[derive(Debug, Default)]
struct Options(Vec<u8>);

impl Options {
    fn comment(&mut self, text: &str) {
        self.add(COMMENT, cut_text(text, MOST_COMMENT).as_bytes());
    }

    fn add(&mut self, code: u16, value: &[u8]) {
        self.0.extend_from_slice(&code.to_le_bytes());
        self.0
            .extend_from_slice(&u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        self.0.extend_from_slice(value);
        pad(&mut self.0);
    }
}

fn section_header(with_credentials: bool) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&BYTE_ORDER.to_le_bytes());
    body.extend_from_slice(&1_u16.to_le_bytes());
    body.extend_from_slice(&0_u16.to_le_bytes());
    // Its length is not known.
    body.extend_from_slice(&u64::MAX.to_le_bytes());
    let mut options = Options::default();
    options.add(SHB_USERAPPL, concat!("regprobe ", env!("CARGO_PKG_VERSION")).as_bytes());
    options.comment(if with_credentials { WITH_CREDENTIALS } else { REDACTED });
    block(SECTION_HEADER, body, options)
}

fn interface_description(link: Link) -> Vec<u8> {
    let (kind, name) = match link {
        Link::Ip => (LINKTYPE_RAW, "SIP over UDP and TCP"),
        Link::Exported => (LINKTYPE_WIRESHARK_UPPER_PDU, "SIP inside TLS"),
    };
    let mut body = Vec::new();
    body.extend_from_slice(&kind.to_le_bytes());
    body.extend_from_slice(&0_u16.to_le_bytes());
    // No packet is cut.
    body.extend_from_slice(&0_u32.to_le_bytes());
    let mut options = Options::default();
    options.add(IF_NAME, name.as_bytes());
    options.add(IF_TSRESOL, &[NANOSECONDS]);
    block(INTERFACE_DESCRIPTION, body, options)
}

fn enhanced_packet(interface: u32, nanoseconds: u64, frame: &[u8], options: Options) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let (high, low) = halves(nanoseconds);
    let mut body = Vec::with_capacity(frame.len() + 64);
    for field in [interface, high, low, length, length] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    body.extend_from_slice(frame);
    pad(&mut body);
    block(ENHANCED_PACKET, body, options)
}

fn statistics(interface: u32, received: u64, left_out: u64) -> Vec<u8> {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (high, low) = halves(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    let mut body = Vec::new();
    for field in [interface, high, low] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    let mut options = Options::default();
    if left_out > 0 {
        options.comment(&format!(
            "{left_out} of {received} messages are missing: they came faster than they could be written"
        ));
    }
    options.add(ISB_IFRECV, &received.to_le_bytes());
    options.add(ISB_IFDROP, &left_out.to_le_bytes());
    block(INTERFACE_STATISTICS, body, options)
}

/// A timestamp is written in two halves, the high one first, whatever the order of bytes.
const fn halves(whole: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = whole.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

/// A block: its type, its length, its body, options and the end of them, and its length again.
fn block(kind: u32, body: Vec<u8>, options: Options) -> Vec<u8> {
    let Options(mut options) = options;
    options.extend_from_slice(&[0; 4]);
    let length = u32::try_from(body.len() + options.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes(), &length, body.as_slice(), &options, &length].concat()
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

const REDACTED: &str = "The SIP messages that regprobe sent and received, without what passwords can be guessed from. The headers around \
                        them are made up; what TLS carried is in clear. The comment of each says why it was sent, or what came of it.";
const WITH_CREDENTIALS: &str = "The SIP messages that regprobe sent and received, with what passwords can be guessed from. The headers \
                                around them are made up; what TLS carried is in clear. The comment of each says why it was sent, or what \
                                came of it.";

/// Types of blocks.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Shows that numbers are little-endian.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Codes of options.
const COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const EPB_FLAGS: u16 = 2;
const ISB_IFRECV: u16 = 4;
const ISB_IFDROP: u16 = 5;
/// Ten to minus this many seconds.
const NANOSECONDS: u8 = 9;
/// Directions of a packet.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;
/// Packets begin with an IP header.
const LINKTYPE_RAW: u16 = 101;
/// Packets begin with tags that say what follows.
const LINKTYPE_WIRESHARK_UPPER_PDU: u16 = 252;
/// The longest comment in bytes.
const MOST_COMMENT: usize = 4000;
/// From so many bytes on they are written although more may come at once.
const WRITE_AT: usize = 256 * 1024;
/// How long somebody may take to open the other end of a pipe: in another terminal, by hand.
const READER_WITHIN: Duration = Duration::from_secs(60);
const LOOK_FOR_A_READER_EVERY: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_its_length_at_both_ends_and_is_a_multiple_of_four() {
        for length in 0..9 {
            let mut options = Options::default();
            options.comment(&"x".repeat(length));
            let packet = enhanced_packet(0, 1, &vec![b'x'; length], options);
            let (start, end) = (&packet[4..8], &packet[packet.len() - 4..]);
            assert_eq!((start, packet.len() % 4), (end, 0));
            assert_eq!(u32::from_le_bytes(end.try_into().unwrap()) as usize, packet.len());
        }
    }

    #[test]
    fn a_full_disk_ends_the_file_and_is_told() {
        let refused = Book::create(Path::new("/dev/full"), false).unwrap_err();
        assert!(refused.starts_with("--pcap /dev/full: No space left"), "{refused}");
        let path = std::env::temp_dir().join(format!("regprobe-{}-full.pcapng", std::process::id()));
        let mut book = Book::create(&path, false).unwrap();
        let whole = std::fs::read(&path).unwrap();
        book.file = File::options().write(true).open("/dev/full").unwrap();
        for _ in 0..2 {
            book.enter(&captured());
            book.flush();
        }
        let told = book.end(0).unwrap();
        assert!(told.contains("it ends after 0 messages: No space left"), "{told}");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_pipe_without_a_reader_is_refused_and_one_with_a_reader_is_written_to() {
        let path = std::env::temp_dir().join(format!("regprobe-{}-pipe", std::process::id()));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(is_unread(&open(&path, "a pipe", Duration::ZERO).unwrap_err()));
        let mut options = OpenOptions::new();
        let reader = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path).unwrap();
        let pipe = open(&path, "a pipe", Duration::ZERO).unwrap();
        let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL).unwrap());
        assert!(!flags.contains(OFlag::O_NONBLOCK), "a full pipe is waited for");
        drop((reader, pipe));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn standard_output_is_no_place_for_it() {
        let refused = Book::create(Path::new("-"), false).unwrap_err();
        assert!(refused.contains("standard output is for the report"), "{refused}");
    }

    #[test]
    fn what_is_missing_is_told_where_it_is_missing_and_at_the_end() {
        let path = std::env::temp_dir().join(format!("regprobe-{}-missing.pcapng", std::process::id()));
        let mut book = Book::create(&path, false).unwrap();
        book.enter(&Captured { missing: 3, ..captured() });
        let told = book.end(5).unwrap();
        assert!(told.contains("5 of 6 messages are missing"), "{told}");
        let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(bytes.contains("3 messages before this one are missing") && bytes.contains("5 of 6 messages are missing"));
        std::fs::remove_file(&path).unwrap();
    }

    fn captured() -> Captured {
        Captured {
            at: UNIX_EPOCH,
            message: sip_registration::Tapped {
                direction: Direction::Sent,
                transport: sip_registration::Transport::Udp,
                local: "127.0.0.1:5060".parse().unwrap(),
                remote: "127.0.0.1:5061".parse().unwrap(),
                bytes: b"REGISTER".to_vec(),
                decision: "why".to_owned(),
            },
            missing: 0,
        }
    }

    #[test]
    fn a_timestamp_is_halved() {
        assert_eq!(halves(0x0102_0304_0506_0708), (0x0102_0304, 0x0506_0708));
    }

    #[test]
    fn a_long_comment_is_cut_between_characters() {
        let mut options = Options::default();
        options.comment(&"ü".repeat(40_000));
        assert!(options.0.len() < MOST_COMMENT + 16);
        assert!(String::from_utf8(options.0[4..4 + MOST_COMMENT].to_vec()).is_ok());
    }
}

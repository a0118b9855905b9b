//! What to do where a text is no message, or more than one: logs put something in front of lines, editors in front of texts, and people
//! take too much or too little. For people alone, and not for captures, whose messages are as they came.

use sip_message::{Inspection, Message, Name, ParseError};

/// What to do to get a text read, or all of it.
pub(super) fn of(bytes: &[u8], inspection: &Inspection<'_>) -> Option<String> {
    match inspection.usable {
        Ok(()) => another_message(bytes, inspection),
        Err(ParseError::Empty | ParseError::HeadTooLong | ParseError::TooManyHeaders) => None,
        Err(error @ (ParseError::StartLine | ParseError::HeadUnfinished | ParseError::TooLong)) => beginning(bytes)
            .or_else(|| line_ends(inspection.start_line))
            .or_else(|| start_line(bytes, inspection))
            .or_else(|| (error == ParseError::HeadUnfinished).then(|| unfinished(bytes).to_owned())),
    }
}

/// Texts that begin with something else than their first letter, and the neighbour's protocol.
fn beginning(bytes: &[u8]) -> Option<String> {
    let advice = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "The text is in UTF-16, as Windows writes it. Turn it into UTF-8: `iconv -f UTF-16 -t UTF-8 FILE | regprobe inspect`"
    } else if bytes.starts_with(b"\xef\xbb\xbf") {
        "A byte order mark stands in front of the message, as some editors write it. Leave it out: `tail -c +4 FILE | regprobe inspect`"
    } else if bytes.starts_with(b"HTTP/") {
        "This is HTTP and not SIP: a web server answered, or a proxy in its place. Check the address and the port."
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// A message in one line, its line ends as letters.
fn line_ends(start_line: &[u8]) -> Option<String> {
    let is_escaped = start_line.windows(ESCAPED.len()).any(|part| part == ESCAPED);
    is_escaped.then(|| ESCAPED_LINE_ENDS.to_owned())
}

/// Where the message begins, when that is not at the beginning.
fn start_line(bytes: &[u8], inspection: &Inspection<'_>) -> Option<String> {
    let (line, column) = lines(bytes).find_map(|(number, line)| Some((number, start_line_in(line)?)))?;
    if line > inspection.start_line_number() && column == 0 {
        return Some(format!(
            "The message begins on line {line}. Leave out what is above it: `tail -n +{line} FILE | regprobe inspect`"
        ));
    }
    let cut = format!("cut -b{}-", column + 1);
    let command = match line {
        1 => format!("{cut} FILE"),
        _ => format!("tail -n +{line} FILE | {cut}"),
    };
    (column > 0).then(|| {
        format!(
            "Line {line} holds a start line behind something else, such as a log puts in front of each line. If all lines have it, cut it \
             off: `{command} | regprobe inspect`"
        )
    })
}

/// What ends the headers: an empty line, which in the output of ngrep has a dot for its CR.
fn unfinished(bytes: &[u8]) -> &'static str {
    let is_dotted = lines(bytes).any(|(_, line)| line.trim_ascii() == b".");
    if is_dotted { DOTTED } else { UNFINISHED }
}

/// A second message behind the first. A body that says what it is may hold one (RFC 3420).
fn another_message(bytes: &[u8], inspection: &Inspection<'_>) -> Option<String> {
    if inspection.headers.first(Name::ContentType).is_some() {
        return None;
    }
    let mut behind = lines(bytes).filter(|(number, _)| *number > inspection.start_line_number());
    let (line, _) = behind.find(|(_, line)| start_line_in(line) == Some(0))?;
    Some(format!(
        "Another message begins on line {line}, and only the first one was read. Give each by itself, such as `tail -n +{line} FILE | \
         regprobe inspect`, or a capture with --pcap."
    ))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..).zip(bytes.split(|byte| *byte == b'\n'))
}

/// Behind how many bytes of a line a start line follows, which ends it.
fn start_line_in(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    let response = line.windows(RESPONSE.len()).position(|part| part == RESPONSE);
    response.or_else(|| request_in(line)).filter(|at| {
        let start_line = line.get(*at..).unwrap_or_default();
        Message::parse(&[start_line, b"\r\n\r\n"].concat()).is_ok()
    })
}

/// Where the last three words of a line begin, if they may be a request line.
fn request_in(line: &[u8]) -> Option<usize> {
    let method_and_uri = line.strip_suffix(VERSION)?;
    let blank = |bytes: &[u8]| bytes.iter().rposition(u8::is_ascii_whitespace);
    let uri = blank(method_and_uri)?;
    let method = blank(method_and_uri.get(..uri)?).map_or(0, |blank| blank + 1);
    method_and_uri.get(uri..)?.contains(&b':').then_some(method)
}

const RESPONSE: &[u8] = b"SIP/2.0 ";
const VERSION: &[u8] = b" SIP/2.0";
/// CR and LF as logs in JSON write them.
const ESCAPED: &[u8] = b"\\r\\n";
const ESCAPED_LINE_ENDS: &str = "The line ends are written as \\r\\n, as logs in JSON do. Turn them back: `jq -r .FIELD FILE | regprobe \
                                 inspect`, or `printf '%b' \"$(cat FILE)\" | regprobe inspect`";
const DOTTED: &str = "Dots stand where lines ended in CR, as ngrep writes it. Take them away: `sed 's/\\.$//' FILE | regprobe inspect`";
const UNFINISHED: &str = "Headers end with an empty line, and a text that was copied often lacks it. If nothing else is missing, add it: \
                          `(cat FILE; echo; echo) | regprobe inspect`";

#[cfg(test)]
mod tests {
    use sip_message::inspect;

    use super::*;

    const REPLY: &str = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nCSeq: 1 REGISTER\n\n";

    fn advice(text: &[u8]) -> Option<String> {
        of(text, &inspect(text))
    }

    #[test]
    fn a_message_that_is_one_needs_no_advice() {
        assert_eq!(advice(REPLY.as_bytes()), None);
        assert_eq!(advice(b""), None);
        let body = REPLY.replace("\n\n", "\nContent-Type: message/sipfrag\n\nSIP/2.0 180 Ringing\n");
        assert_eq!(advice(body.as_bytes()), None);
    }

    #[test]
    fn what_stands_in_front_of_a_message_is_told_with_the_command_that_takes_it_away() {
        let before = |prefix: &str, text: &str| text.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
        let request = "REGISTER sip:h SIP/2.0\nCSeq: 1 REGISTER\n\n";
        for (text, wanted) in [
            (
                before("Nov 21 03:12:44 pbx kamailio[8]: ", REPLY),
                "`cut -b34- FILE | regprobe inspect`",
            ),
            (before("> ", request), "`cut -b3- FILE | regprobe inspect`"),
            (before("   ", request), "`cut -b4- FILE | regprobe inspect`"),
            (
                format!("--- read ---\n{}", before("\t", request)),
                "`tail -n +2 FILE | cut -b2- | regprobe inspect`",
            ),
            (
                format!("<--- SIP read from UDP:192.0.2.1:5060 --->\n{REPLY}"),
                "`tail -n +2 FILE | regprobe inspect`",
            ),
            (format!("\u{feff}{REPLY}"), "byte order mark"),
            (format!("{{\"sip\":\"{}\"}}\n", REPLY.replace('\n', "\\r\\n")), "jq -r"),
            (REPLY.replace('\n', "\\r\\n"), "jq -r"),
            ("HTTP/1.1 200 OK\r\n\r\n".to_owned(), "This is HTTP"),
            (REPLY.replace("\n\n", "\n"), "empty line"),
            (REPLY.replace('\n', ".\n"), "`sed 's/\\.$//' FILE | regprobe inspect`"),
        ] {
            let advice = advice(text.as_bytes()).unwrap_or_default();
            assert!(advice.contains(wanted), "{text}: {advice}");
        }
        let wide: Vec<u8> = REPLY.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(advice(&[b"\xff\xfe", &wide[..]].concat()).unwrap().contains("UTF-16"));
    }

    #[test]
    fn a_second_message_is_pointed_out() {
        for between in ["", "\n", "-- next --\n"] {
            let line = 5 + between.lines().count();
            let told = advice(format!("{REPLY}{between}{REPLY}").as_bytes()).unwrap();
            assert!(told.starts_with(&format!("Another message begins on line {line},")), "{told}");
        }
    }
}

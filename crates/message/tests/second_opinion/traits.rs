//! What is peculiar about an input, told from its bytes: by these, a disagreement is found in the table. Deliberately crude: a trait says
//! where a peer may fail, not that it must.

use sip_message::{AddressError, Contact, Headers, Message, Name, NameAddr, Uri};

use crate::opinion::Field;

/// An input, and how it can be looked at.
pub(crate) struct Input<'a> {
    /// All of it.
    pub(crate) bytes: &'a [u8],
    message: Option<Message<'a>>,
}

/// Says whether an input has a trait, as far as this field is concerned.
pub(crate) type Trait = fn(&Input<'_>, Field) -> bool;

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            message: Message::parse(bytes).ok(),
        }
    }

    fn head(&self) -> &'a [u8] {
        let ends = [&b"\r\n\r\n"[..], b"\n\n"];
        let skipped = self.bytes.trim_ascii_start();
        let end = ends
            .iter()
            .filter_map(|end| skipped.windows(end.len()).position(|window| window == *end))
            .min();
        skipped.get(..end.unwrap_or(skipped.len())).unwrap_or(skipped)
    }

    fn start(&self) -> &'a [u8] {
        self.head().split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end()
    }

    fn headers(&self) -> Option<&Headers<'a>> {
        self.message.as_ref().map(Message::headers)
    }

    /// The raw values that the field is read from.
    fn values(&self, field: Field) -> Vec<&'a [u8]> {
        let name = match field {
            Field::Message => return vec![self.head()],
            Field::Start | Field::Reason => return vec![self.start()],
            Field::Via => Name::Via,
            Field::From => Name::From,
            Field::To => Name::To,
            Field::CallId => Name::CallId,
            Field::CSeq => Name::CSeq,
            Field::Contact => Name::Contact,
            Field::Expires => Name::Expires,
            Field::Challenge => Name::WwwAuthenticate,
            Field::Body => Name::ContentLength,
        };
        self.headers().map(|headers| headers.all(name).collect()).unwrap_or_default()
    }

    /// Whether any of the raw values has one of these.
    fn has(&self, field: Field, texts: &[&str]) -> bool {
        let found = |value: &[u8], text: &str| value.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
        self.values(field).iter().any(|value| texts.iter().any(|text| found(value, text)))
    }

    fn any(&self, field: Field, test: impl Fn(&[u8]) -> bool) -> bool {
        self.values(field).into_iter().any(test)
    }
}

/// A header under its one-letter name.
pub(crate) fn compact_name(input: &Input<'_>, _: Field) -> bool {
    input
        .headers()
        .is_some_and(|headers| headers.iter().any(|field| field.raw_name.len() == 1))
}

/// A header over several lines.
pub(crate) fn folded(input: &Input<'_>, field: Field) -> bool {
    let broken = |value: &[u8]| value.windows(2).any(|pair| matches!(pair, [b'\n', b' ' | b'\t']));
    input.any(field, broken)
}

/// White space before the colon of a header.
pub(crate) fn space_before_colon(input: &Input<'_>, _: Field) -> bool {
    let mut lines = input.head().split(|byte| *byte == b'\n').skip(1);
    lines.any(|line| {
        line.split(|byte| *byte == b':')
            .next()
            .is_some_and(|name| name.ends_with(b" ") || name.ends_with(b"\t"))
    })
}

/// Lines that end in LF alone.
pub(crate) fn line_feeds(input: &Input<'_>, _: Field) -> bool {
    let head = input.head();
    head.starts_with(b"\n") || head.windows(2).any(|pair| pair[0] != b'\r' && pair[1] == b'\n')
}

/// Empty lines before the message.
pub(crate) fn keep_alives(input: &Input<'_>, _: Field) -> bool {
    input.bytes.first().is_some_and(u8::is_ascii_whitespace)
}

/// Bytes in the head that are not UTF-8.
pub(crate) fn not_utf_8(input: &Input<'_>, _: Field) -> bool {
    std::str::from_utf8(input.head()).is_err()
}

/// A line that is no header.
pub(crate) fn no_header(input: &Input<'_>, _: Field) -> bool {
    input
        .headers()
        .is_some_and(|headers| headers.iter().any(|field| field.raw_name.is_empty()))
}

/// A status line without reason phrase, and without the space before it.
pub(crate) fn bare_status(input: &Input<'_>, _: Field) -> bool {
    input.start().starts_with(b"SIP/") && input.start().iter().filter(|byte| **byte == b' ').count() < 2
}

/// An IPv6 address, in brackets or not.
pub(crate) fn ipv6(input: &Input<'_>, field: Field) -> bool {
    match field {
        Field::Message => input.any(Field::Start, |start| start.contains(&b'[') || colons(start)),
        field => input.has(field, &["["]) || input.any(field, colons),
    }
}

/// An IPv6 address that RFC 3261 has no place for: without brackets, or with a colon too many.
pub(crate) fn odd_ipv6(input: &Input<'_>, field: Field) -> bool {
    let field = if field == Field::Message { Field::Start } else { field };
    input.has(field, &[":::"]) || input.any(field, |value| colons(&without_references(value)))
}

/// The value without what stands in square brackets, as far as it could stand in a reference to an address.
fn without_references(value: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        let inside = behind
            .iter()
            .position(|byte| !(byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')))
            .unwrap_or(behind.len());
        if *first == b'[' && behind.get(inside) == Some(&b']') {
            rest = behind.get(inside + 1..).unwrap_or_default();
        } else {
            kept.push(*first);
            rest = behind;
        }
    }
    kept
}

fn colons(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"::")
}

/// Another URI than sip: and sips:.
pub(crate) fn other_scheme(input: &Input<'_>, field: Field) -> bool {
    let other = |raw: &[u8]| !matches!(Uri::parse(raw), Ok(Uri::Sip(_)));
    let address = |address: Option<Result<NameAddr<'_>, AddressError>>| {
        address.is_some_and(|address| address.is_ok_and(|address| other(address.raw_uri)))
    };
    let Some(message) = &input.message else { return false };
    match field {
        Field::Message | Field::Start => matches!(message, Message::Request(request) if other(request.uri)),
        Field::From => address(message.headers().from()),
        Field::To => address(message.headers().to()),
        Field::Contact => {
            let contacts = message.headers().contacts();
            contacts
                .flatten()
                .any(|contact| matches!(contact, Contact::Address(address) if other(address.raw_uri)))
        }
        Field::Reason | Field::Via | Field::CallId | Field::CSeq | Field::Expires | Field::Challenge | Field::Body => false,
    }
}

/// A request line with more spaces than two, or brackets around its URI.
pub(crate) fn odd_request_line(input: &Input<'_>, _: Field) -> bool {
    let start = input.start();
    let raw = input.head().split(|byte| *byte == b'\n').next().unwrap_or_default();
    start.iter().filter(|byte| **byte == b' ').count() > 2
        || start.contains(&b'<')
        || raw.strip_suffix(b"\r").unwrap_or(raw).ends_with(b" ")
}

/// A method beyond the usual ones, in the request line or CSeq.
pub(crate) fn other_method(input: &Input<'_>, field: Field) -> bool {
    let usual = |word: &[u8]| USUAL_METHODS.iter().any(|method| method.as_bytes() == word);
    let word = |value: &[u8], at: usize| {
        value
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .nth(at)
            .is_some_and(|word| !usual(word))
    };
    match field {
        Field::CSeq => input.any(field, |value| word(value, 1)),
        _ => !input.start().starts_with(b"SIP/") && word(input.start(), 0),
    }
}

const USUAL_METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "CANCEL",
    "BYE",
    "REGISTER",
    "MESSAGE",
    "UPDATE",
    "PRACK",
    "OPTIONS",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
];

/// A URI with a headers part.
pub(crate) fn uri_headers(input: &Input<'_>, field: Field) -> bool {
    input.has(if field == Field::Message { Field::Start } else { field }, &["?"])
}

/// A percent sign.
pub(crate) fn percent(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["%"])
}

/// A head without its empty line.
pub(crate) fn unfinished(input: &Input<'_>, _: Field) -> bool {
    !input.bytes.windows(4).any(|window| window == b"\r\n\r\n")
}

/// A backslash in a quoted string.
pub(crate) fn escape(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["\\"])
}

/// An empty quoted string.
pub(crate) fn empty_quotes(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["\"\""])
}

/// Several elements in one header, or a comma where one would separate them.
pub(crate) fn comma(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &[","])
}

/// A quoted parameter behind an address, or a name in front of it that is quoted.
pub(crate) fn quoted(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["\""])
}

/// A number of more than 32 bits.
pub(crate) fn too_large(input: &Input<'_>, field: Field) -> bool {
    let large = |run: &[u8]| std::str::from_utf8(run).is_ok_and(|run| !run.is_empty() && run.parse::<u32>().is_err());
    input.any(field, |value| value.split(|byte| !byte.is_ascii_digit()).any(large))
}

/// A number below zero.
pub(crate) fn negative(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| {
        value.windows(2).any(|pair| pair[0] == b'-' && pair[1].is_ascii_digit())
    })
}

/// A number with something behind it.
pub(crate) fn trailing(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| {
        value.first().is_some_and(u8::is_ascii_digit) && !value.iter().all(u8::is_ascii_digit)
    })
}

/// `*`.
pub(crate) fn star(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| value == b"*")
}

/// A quote or bracket that never closes.
pub(crate) fn unclosed(input: &Input<'_>, field: Field) -> bool {
    let count = |value: &[u8], sign: u8| value.iter().filter(|byte| **byte == sign).count();
    input.any(field, |value| {
        count(value, b'"') % 2 == 1 || count(value, b'<') != count(value, b'>')
    })
}

/// White space around a separator within the value, or within the brackets.
pub(crate) fn spaces(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &[" ;", "; ", " =", "= ", "< ", " >", " :", ": ", "\n"])
}

/// An upper-case letter in a parameter's name.
pub(crate) fn upper_case(input: &Input<'_>, field: Field) -> bool {
    let name = |part: &[u8]| {
        part.split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
            .iter()
            .any(u8::is_ascii_uppercase)
    };
    input.any(field, |value| {
        value.split(|byte| matches!(byte, b';' | b',' | b' ')).skip(1).any(name)
    })
}

/// A scheme that is not spelled `Digest`.
pub(crate) fn other_spelling(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| !value.starts_with(b"Digest "))
}

/// A challenge with another algorithm than MD5.
pub(crate) fn modern_algorithm(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["algorithm=SHA", "algorithm=\"SHA", "algorithm=AKA"])
}

/// Another length of body than what is there, or several lengths, or none.
pub(crate) fn length_differs(input: &Input<'_>, _: Field) -> bool {
    let Some(message) = &input.message else { return false };
    !input.bytes.ends_with(message.body()) || message.body().is_empty()
}

/// A Content-Length that is no number.
pub(crate) fn bad_length(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| value.is_empty() || !value.iter().all(u8::is_ascii_digit))
}

/// A transport beyond those of RFC 3261 and RFC 7118, in the first element.
pub(crate) fn other_transport(input: &Input<'_>, field: Field) -> bool {
    let known = |transport: &[u8]| {
        KNOWN_TRANSPORTS
            .iter()
            .any(|known| transport.trim_ascii_start().starts_with(known.as_bytes()))
    };
    input.any(field, |value| {
        value.split(|byte| *byte == b'/').nth(2).is_some_and(|transport| !known(transport))
    })
}

const KNOWN_TRANSPORTS: [&str; 7] = ["UDP ", "TCP ", "TLS ", "SCTP ", "TLS-SCTP ", "WS ", "WSS "];

/// A parameter whose value has a colon.
pub(crate) fn colon_in_param(input: &Input<'_>, field: Field) -> bool {
    let colon = |part: &[u8]| part.contains(&b'=') && part.contains(&b':');
    input.any(field, |value| value.split(|byte| *byte == b';').skip(1).any(colon))
}

/// `rport` more than once, with and without a port.
pub(crate) fn rport_twice(input: &Input<'_>, field: Field) -> bool {
    let is_rport = |part: &&[u8]| part.trim_ascii().get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"rport"));
    input.any(field, |value| value.split(|byte| *byte == b';').filter(is_rport).count() > 1)
}

/// Several qualities of protection.
pub(crate) fn comma_in_qop(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["auth,", "auth-int,", "auth ,"])
}

/// No white space at all.
pub(crate) fn no_space(input: &Input<'_>, field: Field) -> bool {
    input.any(field, |value| !value.iter().any(u8::is_ascii_whitespace))
}

/// More than one challenge.
pub(crate) fn several_challenges(input: &Input<'_>, field: Field) -> bool {
    input.values(field).len() > 1
}

/// A tab.
pub(crate) fn tab(input: &Input<'_>, field: Field) -> bool {
    input.has(field, &["\t"])
}

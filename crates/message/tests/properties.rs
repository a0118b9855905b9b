//! What holds for every message, generated: nothing panics, what is written reads back, chunks do not matter, URIs compare soundly,
//! and what is shown is harmless.

mod every_view;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sip_message::{Frame, FrameError, Framer, MAX_MESSAGE, Message, NameAddr, SipUri, Status, Writer, printable};

/// Pieces of which messages are made, sound and broken.
const PIECES: [&[u8]; 76] = [
    b"SIP/2.0 200 OK\r\n",
    b"SIP/2.0 401 \n",
    b"REGISTER sip:h SIP/2.0\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\r\n ",
    b" ",
    b"\t",
    b"\0",
    b"Via: ",
    b"v:",
    b"From: ",
    b"To: ",
    b"t : ",
    b"Contact: ",
    b"m: ",
    b"CSeq: ",
    b"1 REGISTER",
    b"Call-ID: ",
    b"Expires: ",
    b"Min-Expires: ",
    b"WWW-Authenticate: ",
    b"Proxy-Authenticate: ",
    b"Authorization: ",
    b"Authentication-Info: ",
    b"Retry-After: ",
    b"Warning: ",
    b"Reason: ",
    b"Path: ",
    b"Route: ",
    b"Content-Length: ",
    b"l: 3\r\n",
    b"SIP/2.0/UDP ",
    b"SIP / 2.0 / TLS ",
    b"Digest ",
    b"Basic ",
    b"realm=\"r\"",
    b"nonce=",
    b"qop=auth,auth-int",
    b"<sip:",
    b"<sips:a@",
    b"sip:",
    b"tel:+1",
    b"a@h",
    b"[2001:db8::1]",
    b":::",
    b"192.0.2.1:5060",
    b"99999999999999999999",
    b"60",
    b"-1",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"\\\"",
    b"'",
    b";",
    b";;",
    b",",
    b"=",
    b":",
    b"@",
    b"?",
    b"&",
    b"%41",
    b"%",
    b"*",
    b"(",
    b")",
    b";tag=x",
    b";expires=60",
    b";+sip.instance=\"<urn:uuid:1>\"",
    b";branch=z9hG4bK",
    b"\xfc",
];

fn bytes_of_pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![8 => select(&PIECES[..]).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..8)];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        bytes_of_pieces(),
        (0..2_usize, bytes_of_pieces()).prop_map(|(start, rest)| [PIECES[start], &rest, b"\r\n\r\n"].concat())
    ]
}

fn frames(framer: &mut Framer, found: &mut Vec<Vec<u8>>) -> Option<FrameError> {
    loop {
        match framer.poll() {
            Ok(Some(Frame::Message(message))) => found.push(message.to_vec()),
            Ok(Some(Frame::LineEnd)) => found.push(Vec::new()),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

/// A stream of messages and keep-alives, seldom with junk between them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let message = (vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(body, declared)| {
        let length = if declared {
            format!("Content-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        [
            &b"SIP/2.0 200 OK\r\nCall-ID: x\r\n"[..],
            length.as_bytes(),
            b"\r\n",
            if declared { body.as_slice() } else { &[] },
        ]
        .concat()
    });
    let part = prop_oneof![10 => message, 3 => Just(b"\r\n".to_vec()), 1 => Just(b"\n".to_vec()), 1 => bytes_of_pieces()];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// What CR, LF and NUL become.
fn on_one_line(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { *byte })
        .collect()
}

fn sip_uri() -> impl Strategy<Value = String> {
    (
        "(sip|sips|SIP):",
        prop_oneof![Just(String::new()), "[a-cA-C%;]{1,3}(:p)?@", "%(41|61|3b|3B|2b)@"],
        "(h|H|192\\.0\\.2\\.1|\\[::1\\]|\\[0::1\\])(:5060)?",
        "(;(transport|x|user|lr|X|ttl|maddr)(=(tcp|TCP|1|%31))?){0,3}",
        "(\\?[ab]=[cC](&[ab]=c)?)?",
    )
        .prop_map(|(scheme, user, host, params, headers)| format!("{scheme}{user}{host}{params}{headers}"))
}

proptest! {
    #[test]
    fn no_bytes_panic_in_any_view(bytes in anything()) {
        every_view::read(&bytes);
    }

    #[test]
    fn what_is_written_reads_back(
        is_request in any::<bool>(),
        start in "[!-~]{1,20}",
        reason in vec(any::<u8>(), 0..20),
        code in 100..700_u16,
        headers in vec((select(&["Via", "Contact", "X-Any", "CSeq", "Server"][..]), vec(any::<u8>(), 0..40)), 0..8),
        display in vec(any::<u8>(), 0..20),
        number in any::<u64>(),
        body in vec(any::<u8>(), 0..60),
    ) {
        let mut out = Vec::new();
        let mut writer = if is_request {
            Writer::request(&mut out, b"REGISTER", start.as_bytes())
        } else {
            Writer::response(&mut out, Status::new(code).expect("100 to 699 are codes"), &reason)
        };
        for (name, value) in &headers {
            writer.text(name, value);
        }
        writer.header("To", |value| { value.quoted(&display).text(b" <sip:a@h>;tag=").number(number); });
        writer.finish(&body);

        let message = Message::parse(&out).expect("what is written is a message");
        match &message {
            Message::Request(request) => {
                prop_assert!(is_request);
                prop_assert_eq!(request.method.as_bytes(), b"REGISTER");
                prop_assert_eq!(request.uri, start.as_bytes());
            }
            Message::Response(response) => {
                prop_assert!(!is_request);
                prop_assert_eq!(response.status.code(), code);
                prop_assert_eq!(response.reason.trim_ascii().to_vec(), on_one_line(&reason).trim_ascii().to_vec());
            }
        }
        let read: Vec<_> = message.headers().iter().take(headers.len()).map(|field| (field.raw_name, field.value.trim_ascii().to_vec())).collect();
        let written: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), on_one_line(value).trim_ascii().to_vec())).collect();
        prop_assert_eq!(read, written);
        let to: NameAddr<'_> = message.headers().to().expect("To was written").expect("To is readable");
        prop_assert_eq!(to.display_name().into_owned(), on_one_line(&display));
        let tag = number.to_string();
        prop_assert_eq!(to.tag(), Some(tag.as_bytes()));
        prop_assert_eq!(message.headers().len(), headers.len() + 2);
        prop_assert_eq!(message.body(), &body);

        let mut framer = Framer::default();
        framer.push(&out);
        prop_assert_eq!(framer.poll(), Ok(Some(Frame::Message(&out))));
    }

    #[test]
    fn chunks_never_change_what_a_stream_holds(stream in stream(), cuts in vec(any::<Index>(), 0..12)) {
        let mut framer = Framer::default();
        let mut whole = Vec::new();
        framer.push(&stream);
        let whole_error = frames(&mut framer, &mut whole);
        let whole_pending = framer.pending();

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).chain([0, stream.len()]).collect();
        cuts.sort_unstable();
        let mut framer = Framer::default();
        let (mut found, mut error) = (Vec::new(), None);
        for pair in cuts.windows(2) {
            framer.push(&stream[pair[0]..pair[1]]);
            error = frames(&mut framer, &mut found);
        }
        prop_assert_eq!((found, error, framer.pending()), (whole, whole_error, whole_pending));
    }

    #[test]
    fn the_framer_holds_one_message_at_most(
        parts in vec(prop_oneof![vec(select(&b"aA:\r\n "[..]), 0..3000), stream(), Just(b"SIP/2.0 200 OK\r\nl: 60000\r\n\r\n".to_vec()), Just(vec![b'x'; 9000])], 0..30),
    ) {
        let mut framer = Framer::default();
        for part in parts {
            framer.push(&part);
            frames(&mut framer, &mut Vec::new());
            prop_assert!(framer.pending() < MAX_MESSAGE, "{} bytes are held", framer.pending());
        }
    }

    #[test]
    fn equivalence_is_reflexive_and_symmetric(left in sip_uri(), right in sip_uri()) {
        let (left, right) = (SipUri::parse(left.as_bytes())?, SipUri::parse(right.as_bytes())?);
        prop_assert!(left.equivalent(&left) && right.equivalent(&right));
        prop_assert_eq!(left.equivalent(&right), right.equivalent(&left));
    }

    #[test]
    fn what_is_shown_moves_and_hides_nothing(bytes in prop_oneof![vec(any::<u8>(), 0..100), any::<String>().prop_map(String::into_bytes)]) {
        let shown = printable(&bytes);
        for character in shown.chars() {
            let harmful = character.is_control()
                || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            prop_assert!(!harmful, "{character:?} is shown");
        }
        prop_assert!(bytes.iter().any(|byte| !byte.is_ascii_graphic() && *byte != b' ') || shown.as_bytes() == bytes);
    }
}

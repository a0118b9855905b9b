//! Two other parsers read the same messages. Where they can, status, Call-ID and CSeq must be the same as ours; where they cannot
//! (compact names, folds, bytes that are not UTF-8, IPv6), ours stands alone.

use std::path::Path;

use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID};
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rsip::prelude::{HeadersExt as _, ToTypedHeader as _, UntypedHeader as _};
use sip_message::{Message, Response};

/// What a parser says of a response.
#[derive(Debug, PartialEq, Eq)]
struct Opinion {
    status: u16,
    call_id: String,
    cseq: (u32, String),
}

fn ours(reply: &Response<'_>) -> Option<Opinion> {
    let cseq = reply.headers.cseq()?.ok()?;
    Some(Opinion {
        status: reply.status.code(),
        call_id: String::from_utf8(reply.headers.call_id()?.to_vec()).ok()?,
        cseq: (cseq.number, String::from_utf8(cseq.method.as_bytes().to_vec()).ok()?),
    })
}

fn rsips(bytes: &[u8]) -> Option<Opinion> {
    let reply = rsip::Response::try_from(bytes).ok()?;
    let cseq = reply.cseq_header().ok()?.typed().ok()?;
    Some(Opinion {
        status: reply.status_code.code(),
        call_id: reply.call_id_header().ok()?.value().to_owned(),
        cseq: (cseq.seq, cseq.method.to_string()),
    })
}

fn ezks(bytes: &[u8]) -> Option<Opinion> {
    let source = Bytes::copy_from_slice(bytes);
    let mut lines = PullParser::new(&source, 0);
    let MessageLine::Response(status) = std::str::from_utf8(lines.next()?.ok()?).ok()?.parse().ok()? else {
        return None;
    };
    let mut headers = ezk_sip_types::Headers::new();
    for line in lines {
        let (_, line) = Line::parse(&source, std::str::from_utf8(line.ok()?).ok()?).ok()?;
        headers.insert(line.name, line.value);
    }
    let cseq: CSeq = headers.get_named().ok()?;
    let call_id: CallID = headers.get_named().ok()?;
    Some(Opinion {
        status: status.code.into_u16(),
        call_id: call_id.0.to_string(),
        cseq: (cseq.cseq, cseq.method.to_string()),
    })
}

/// Compares and says which of the others could read the message.
fn compare(bytes: &[u8]) -> [bool; 2] {
    let Ok(Message::Response(reply)) = Message::parse(bytes) else {
        return [false; 2];
    };
    let ours = ours(&reply);
    [rsips(bytes), ezks(bytes)].map(|theirs| {
        if theirs.is_some() {
            assert_eq!(ours, theirs, "{}", sip_message::printable(bytes));
        }
        theirs.is_some()
    })
}

#[test]
fn the_seeds_say_the_same_to_every_parser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/message");
    let mut read = [0, 0];
    for seed in std::fs::read_dir(folder).expect("the seeds are part of the repository") {
        let bytes = std::fs::read(seed.expect("the folder is readable").path()).expect("a seed is a file");
        for (count, could) in read.iter_mut().zip(compare(&bytes)) {
            *count += usize::from(could);
        }
    }
    assert!(
        read[0] >= 15 && read[1] >= 20,
        "the others read {read:?} seeds: too few to be a second opinion"
    );
}

fn header() -> impl Strategy<Value = String> {
    prop_oneof![
        "Contact: (\"[ -!#-\\[\\]-~]{0,9}\" )?<sip:[a-z]{1,4}@192\\.0\\.2\\.[1-9](;lr|;transport=tcp)?>(;expires=[0-9]{1,5})?",
        "Expires: [0-9]{1,6}",
        "(Server|User-Agent): [ -~]{1,20}",
        "WWW-Authenticate: Digest realm=\"[a-z,.]{1,9}\", nonce=\"[!#-\\[\\]-~]{1,12}\", algorithm=MD5",
        "X-[A-Za-z]{1,8}: [!-~]{1,12}",
        "(Supported|Allow): [a-z]{1,5}(, [a-z]{1,5}){0,2}",
    ]
}

proptest! {
    #[test]
    fn ordinary_replies_say_the_same_to_every_parser(
        code in 100..700_u16,
        reason in select(&["OK", "Unauthorized", "Something Else (or so)", "-"][..]),
        call_id in "[A-Za-z0-9.%*_+`'~()<>:/?{}-]{1,20}(@[a-z0-9.-]{1,10})?",
        number in any::<u32>(),
        method in select(&["REGISTER", "OPTIONS", "INVITE"][..]),
        headers in vec(header(), 0..8),
        position in 0..8_usize,
        body in "[ -~]{0,20}",
    ) {
        let mut lines = vec![
            "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;rport=40112;received=198.51.100.7".to_owned(),
            "From: \"A\" <sip:a@example.test>;tag=f".to_owned(),
            "To: <sip:a@example.test>;tag=t".to_owned(),
        ];
        lines.extend(headers);
        for line in [format!("Call-ID: {call_id}"), format!("CSeq: {number} {method}")] {
            lines.insert(position.min(lines.len()), line);
        }
        let text = format!("SIP/2.0 {code} {reason}\r\n{}\r\nContent-Length: {}\r\n\r\n{body}", lines.join("\r\n"), body.len());
        let Message::Response(reply) = Message::parse(text.as_bytes()).expect("an ordinary reply is readable") else {
            panic!("a status line makes a response")
        };
        prop_assert_eq!(ours(&reply), Some(Opinion { status: code, call_id, cseq: (number, method.to_owned()) }));
        let [_, ezk] = compare(text.as_bytes());
        prop_assert!(ezk, "an ordinary reply is readable to the other parser as well: {text}");
    }
}

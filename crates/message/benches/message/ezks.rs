//! The same reading in ezk-sip-types.

use std::hint::black_box;

use bytes::Bytes;
use ezk_sip_types::header::typed::{AuthChallenge, CSeq, CallID, Contact, Expires, FromTo, Via};
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::{Headers, Name};

/// A response: its status and its headers.
pub(crate) struct Reply {
    status: u16,
    headers: Headers,
}

pub(crate) fn index(bytes: &'static [u8]) -> Reply {
    read(bytes).expect("the message is a readable response")
}

fn read(bytes: &'static [u8]) -> Option<Reply> {
    let source = Bytes::from_static(bytes);
    let mut lines = PullParser::new(&source, 0);
    let MessageLine::Response(status) = std::str::from_utf8(lines.next()?.ok()?).ok()?.parse().ok()? else {
        return None;
    };
    let mut headers = Headers::new();
    for line in lines {
        let (_, line) = Line::parse(&source, std::str::from_utf8(line.ok()?).ok()?).ok()?;
        headers.insert(line.name, line.value);
    }
    Some(Reply {
        status: status.code.into_u16(),
        headers,
    })
}

/// Everything that a registration looks at in a reply.
pub(crate) fn fields(reply: &Reply) -> Option<usize> {
    let headers = &reply.headers;
    let via: Via = headers.get_named().ok()?;
    let port: u16 = via.params.get_val("rport")?.parse().ok()?;
    let mut sum = usize::from(reply.status) + via.params.get_val("branch")?.len() + usize::from(port);
    black_box(via.params.get_val("received")?);
    let (call_id, cseq): (CallID, CSeq) = (headers.get_named().ok()?, headers.get_named().ok()?);
    sum += call_id.0.len() + usize::try_from(cseq.cseq).ok()?;
    for name in [Name::FROM, Name::TO] {
        let party: FromTo = headers.get(name).ok()?;
        sum += party.tag?.len();
    }
    if let Some(challenges) = headers.try_get::<Vec<AuthChallenge>>(Name::WWW_AUTHENTICATE) {
        for challenge in challenges.ok()? {
            let AuthChallenge::Digest(challenge) = challenge else { return None };
            black_box((challenge.algorithm, challenge.qop));
            sum += challenge.realm.len() + challenge.nonce.len() + challenge.opaque?.len();
        }
    }
    if let Some(contacts) = headers.try_get_named::<Vec<Contact>>() {
        for contact in contacts.ok()? {
            let expires: u32 = contact.params.get_val("expires")?.parse().ok()?;
            sum += usize::try_from(expires).ok()?;
            black_box(contact.uri);
        }
    }
    if let Some(expires) = headers.try_get_named::<Expires>() {
        sum += usize::try_from(expires.ok()?.0).ok()?;
    }
    Some(sum)
}

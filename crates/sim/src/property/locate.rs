//! Whatever DNS answers, a search asks a bounded number of proper questions and ends in targets that are allowed, or says why not.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;
use sip_message::SipUri;
use sip_registration::locate::{Locate, LocateError, Target, Wish};
use sip_registration::{DnsError, Families, Override, Question, RecordKind, Records, Transport};

use super::dns;
use super::draw::Draw;
use super::escape::acts_on_its_reader;

/// The limits that docs and code name.
const MOST: usize = 64;

const URIS: [&str; 8] = [
    "sip:pbx.test",
    "sips:pbx.test",
    "sip:pbx.test;transport=tcp",
    "sip:pbx.test:5070",
    "sip:localhost",
    "sip:192.0.2.1;transport=tls",
    "sip:pbx.test;maddr=a.test",
    "sip:[2001:db8::1]",
];

/// The zone as far as it was asked for.
type Zone = BTreeMap<Question, Result<Records, DnsError>>;

/// The bytes are a wish and then the answers to its questions.
pub fn locate(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let transports = [None, None, Some(Transport::Udp), Some(Transport::Tcp), Some(Transport::Tls)];
    let transport = draw.pick(&transports);
    let families = draw.pick(&[Families::Both, Families::V4, Families::V6]);
    let overrides: Vec<_> = (0..draw.below(3)).map(|_| overridden(&mut draw)).collect();
    let text = match draw.below(12) {
        nth @ 0..8 => URIS.get(nth).copied().unwrap_or_default().to_owned(),
        _ => draw.text(60),
    };
    let Ok(next_hop) = SipUri::parse(text.as_bytes()) else { return };
    let wish = Wish {
        next_hop,
        transport,
        families,
        overrides: &overrides,
    };
    let seed = [draw.byte(); 32];
    let mut zone = Zone::new();
    let mut answer = |question: &Question| {
        let drawn = zone.entry(question.clone()).or_insert_with(|| dns::records(question, &mut draw));
        drawn.clone()
    };
    let first = search(&wish, seed, Order::AsAsked, &mut answer);
    held(&wish, &first);
    // The same zone gives the same in whatever order its answers come.
    let backward = search(&wish, seed, Order::LastFirst, &mut answer);
    assert_eq!(first, backward);
}

fn overridden(draw: &mut Draw<'_>) -> Override {
    Override {
        host: draw.pick(&["pbx.test", "PBX.test", "a.test", "x"]).to_owned(),
        port: draw.pick(&[5060, 5061, 5070, 0]),
        address: if draw.once_in(2) {
            "2001:db8::7".parse().expect("it is an address")
        } else {
            [192, 0, 2, draw.byte()].into()
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    AsAsked,
    LastFirst,
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    asked: Vec<Question>,
    outcome: Result<Vec<Target>, LocateError>,
}

/// Asks and answers until the search is decided; second answers and answers to nothing change nothing.
fn search(wish: &Wish<'_>, seed: [u8; 32], order: Order, answer: &mut impl FnMut(&Question) -> Result<Records, DnsError>) -> Found {
    let mut rng = ChaCha12Rng::from_seed(seed);
    let mut locate = Locate::new(wish);
    let (mut asked, mut open) = (Vec::new(), Vec::new());
    loop {
        while let Some((token, question)) = locate.poll_question() {
            asked.push(question.clone());
            open.push((token, question));
        }
        assert!(asked.len() <= MOST, "{} questions", asked.len());
        let at = if order == Order::AsAsked { 0 } else { open.len().saturating_sub(1) };
        if open.is_empty() {
            break;
        }
        let (token, question) = open.remove(at);
        assert!(locate.outcome().is_none(), "a search that is decided asks nothing");
        locate.handle_answer(token, answer(&question), &mut rng);
        if order == Order::AsAsked {
            locate.handle_answer(token, Err(DnsError::Timeout), &mut rng);
            locate.handle_answer(u32::MAX, Err(DnsError::Refused), &mut rng);
        }
    }
    let outcome = locate.outcome().expect("without an open question a search is decided");
    Found {
        asked,
        outcome: outcome.map(<[Target]>::to_vec),
    }
}

/// Holds what was found against the wish.
fn held(wish: &Wish<'_>, found: &Found) {
    for (at, question) in found.asked.iter().enumerate() {
        // Two services of NAPTR may name the same SRV records, and each asks for its own.
        let again = question.kind != RecordKind::Srv && found.asked.iter().skip(at + 1).any(|other| other == question);
        assert!(!again, "asked twice: {question:?}");
        let name = &question.name;
        assert!(
            name.len() <= 253 && !name.bytes().any(|byte| byte.is_ascii_uppercase()),
            "{question:?}"
        );
        assert!(
            name.split('.').all(|label| (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))),
            "{question:?}"
        );
    }
    match &found.outcome {
        Ok(targets) => {
            assert!((1..=MOST).contains(&targets.len()), "{} targets", targets.len());
            for (at, target) in targets.iter().enumerate() {
                assert!(
                    !targets.iter().skip(at + 1).any(|other| other.endpoint == target.endpoint),
                    "twice: {target:?}"
                );
                allowed(wish, target);
            }
        }
        Err(error) => {
            assert!(!error.to_string().contains(acts_on_its_reader), "{error}");
            assert!(!matches!(error, LocateError::Refused { .. }) || found.asked.is_empty());
        }
    }
}

/// A target that the wish allows: an address of a family that may be used, the transport that was asked for, and TLS for `sips:`.
fn allowed(wish: &Wish<'_>, target: &Target) {
    let endpoint = &target.endpoint;
    assert!(endpoint.remote.port() != 0 && !endpoint.remote.ip().is_unspecified(), "{target:?}");
    assert!(wish.families.allow(endpoint.remote.ip()), "{target:?}");
    assert!(!wish.next_hop.secure || endpoint.transport == Transport::Tls, "{target:?}");
    let wanted = wish.transport.filter(|_| !wish.next_hop.secure);
    assert!(wanted.is_none_or(|wanted| wanted == endpoint.transport), "{target:?}");
    // RFC 5922 §7.1: whatever DNS says, the certificate is for the host of the URI.
    let host = wish.next_hop.host.to_string();
    let named = host.trim_matches(['[', ']']).trim_end_matches('.');
    assert!(endpoint.server_name.eq_ignore_ascii_case(named), "{target:?}");
}

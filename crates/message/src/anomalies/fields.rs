//! What is odd about the values of headers, as their typed views read them (RFC 3261 §20). Not for a second reading of them.

use super::lines::is_no_uri;
use super::whole::number;
use super::{Anomaly, Found, Kind};
use crate::{
    AuthenticationInfo, CSeq, Challenge, Contact, Credentials, Field, Method, Name, NameAddr, Reason, RetryAfter, ValueError, Via,
    ViaError, Warning, lexer,
};

/// Looks at one field of a message of this kind.
pub(super) fn look<'a>(line: usize, field: &Field<'a>, kind: Option<Kind<'_>>, found: &mut Vec<Found<'a>>) {
    let mut odd = Vec::new();
    let value = field.value;
    match field.name {
        Name::Via => elements(value).for_each(|element| via(element, &mut odd)),
        Name::From => from(value, &mut odd),
        Name::To => to(value, kind, &mut odd),
        Name::Contact => elements(value).for_each(|element| contact(element, &mut odd)),
        Name::Path | Name::RecordRoute | Name::Route | Name::ServiceRoute => elements(value).for_each(|element| {
            address(element, &mut odd);
        }),
        Name::CSeq => cseq(value, kind, &mut odd),
        Name::CallId => odd.extend((!is_call_id(value)).then_some(Anomaly::CallIdMalformed)),
        // RFC 3261 §20.22: 0 to 255.
        Name::MaxForwards => odd.extend(number(value, 255)),
        Name::Expires | Name::MinExpires => odd.extend(number(value, u32::MAX)),
        Name::RetryAfter => odd.extend(RetryAfter::parse(value).is_err().then_some(Anomaly::NumberMalformed)),
        Name::WwwAuthenticate | Name::ProxyAuthenticate => challenges(value, &mut odd),
        Name::Authorization | Name::ProxyAuthorization => {
            let digest = Credentials::parse(value).map_or_else(|_| opens_with_digest(value), |_| false);
            odd.extend(digest.then_some(Anomaly::CredentialsMalformed));
        }
        Name::AuthenticationInfo => odd.extend(
            AuthenticationInfo::parse(value)
                .is_err()
                .then_some(Anomaly::AuthenticationInfoMalformed),
        ),
        Name::Date => odd.extend((!value.ends_with(b"GMT")).then_some(Anomaly::DateNotGmt)),
        Name::Warning => odd.extend(
            elements(value)
                .any(|each| Warning::parse(each).is_err())
                .then_some(Anomaly::WarningMalformed),
        ),
        Name::Reason => odd.extend(
            elements(value)
                .any(|each| Reason::parse(each).is_err())
                .then_some(Anomaly::ReasonMalformed),
        ),
        Name::Allow
        | Name::ContentLength
        | Name::ContentType
        | Name::ErrorInfo
        | Name::Require
        | Name::Server
        | Name::Supported
        | Name::Unsupported
        | Name::UserAgent
        | Name::Other => {}
    }
    odd.sort_unstable();
    for same in odd.chunk_by(|left, right| left == right) {
        found.extend(same.first().map(|anomaly| Found {
            times: same.len(),
            ..Found::in_field(*anomaly, line, field)
        }));
    }
}

/// The elements of a list. A header without any is looked at as one that is empty.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = lexer::list(value).next().is_none().then_some(&[][..]);
    lexer::list(value).chain(empty)
}

fn via(element: &[u8], odd: &mut Vec<Anomaly>) {
    let anomaly = match Via::parse(element).map(|via| via.branch()) {
        Err(ViaError::Protocol) => Some(Anomaly::ViaProtocol),
        Err(ViaError::SentBy) => Some(Anomaly::ViaSentBy),
        Ok(None) => Some(Anomaly::ViaNoBranch),
        // RFC 3261 §8.1.1.7, and tokens compare without case (§7.3.1).
        Ok(Some(branch)) if branch.get(..7).is_none_or(|cookie| !cookie.eq_ignore_ascii_case(b"z9hG4bK")) => Some(Anomaly::ViaNoCookie),
        Ok(Some(_)) => None,
    };
    odd.extend(anomaly);
}

/// An address in any header; `None` when it cannot be read.
fn address<'a>(value: &'a [u8], odd: &mut Vec<Anomaly>) -> Option<NameAddr<'a>> {
    let Ok(address) = NameAddr::parse(value) else {
        odd.push(Anomaly::AddressMalformed);
        return None;
    };
    let uri = address.raw_uri;
    if address.uri().is_err() || uri.iter().any(|byte| is_no_uri(*byte)) {
        odd.push(Anomaly::UriMalformed);
    }
    let is_bare = lexer::trim(value)
        .get(address.display.len()..)
        .map(lexer::trim_start)
        .is_some_and(|rest| !rest.starts_with(b"<"));
    if is_bare && uri.iter().any(|byte| matches!(byte, b'?' | b',')) {
        odd.push(Anomaly::UriNeedsBrackets);
    }
    if !is_display(address.display) {
        odd.push(Anomaly::DisplayNameUnquoted);
    }
    Some(address)
}

/// RFC 3261 §25.1 `display-name`: a quoted string, or tokens.
fn is_display(display: &[u8]) -> bool {
    lexer::strip_quotes(display).is_some() || display.iter().all(|byte| lexer::is_token(*byte) || lexer::is_space(*byte))
}

fn from(value: &[u8], odd: &mut Vec<Anomaly>) {
    let Some(address) = address(value, odd) else { return };
    match address.params.find("tag") {
        None => odd.push(Anomaly::FromTagMissing),
        Some(_) if address.tag().is_none() => odd.push(Anomaly::TagEmpty),
        Some(_) => {}
    }
}

fn to(value: &[u8], kind: Option<Kind<'_>>, odd: &mut Vec<Anomaly>) {
    let Some(address) = address(value, odd) else { return };
    // RFC 3261 §8.2.6.2: all but 100 add a tag.
    let must = matches!(kind, Some(Kind::Response(code)) if code != 100);
    match address.params.find("tag") {
        None if must => odd.push(Anomaly::ToTagMissing),
        None => {}
        Some(_) if address.tag().is_none() => odd.push(Anomaly::TagEmpty),
        Some(_) => {}
    }
}

fn contact(element: &[u8], odd: &mut Vec<Anomaly>) {
    if Contact::parse(element) == Ok(Contact::Star) {
        return;
    }
    let Some(address) = address(element, odd) else { return };
    let expires = address.params.find("expires").map(Option::unwrap_or_default);
    if expires.is_some_and(|value| lexer::decimal::<u32>(value).is_none()) {
        odd.push(Anomaly::ContactExpiresMalformed);
    }
    if address.params.find("q").is_some_and(|value| !is_q(value.unwrap_or_default())) {
        odd.push(Anomaly::ContactQMalformed);
    }
}

/// RFC 3261 §25.1 `qvalue`.
fn is_q(value: &[u8]) -> bool {
    let (whole, decimals) = lexer::split_once(value, b'.').unwrap_or((value, b""));
    let largest = match whole {
        b"0" => b'9',
        b"1" => b'0',
        _ => return false,
    };
    decimals.len() <= 3 && decimals.iter().all(|digit| (b'0'..=largest).contains(digit))
}

fn cseq(value: &[u8], kind: Option<Kind<'_>>, odd: &mut Vec<Anomaly>) {
    let cseq = match CSeq::parse(value) {
        Ok(cseq) => cseq,
        Err(ValueError::Malformed) => return odd.push(Anomaly::CseqMalformed),
        Err(ValueError::Number) => {
            let opens_with_digit = value.first().is_some_and(u8::is_ascii_digit);
            return odd.push(if opens_with_digit {
                Anomaly::CseqOutOfRange
            } else {
                Anomaly::CseqMalformed
            });
        }
    };
    if cseq.number >= 1 << 31 {
        odd.push(Anomaly::CseqOutOfRange);
    }
    let asked = |kind| match kind {
        Kind::Request(method) => Some(method),
        Kind::Response(_) => None,
    };
    if kind.and_then(asked).is_some_and(|method: Method<'_>| method != cseq.method) {
        odd.push(Anomaly::CseqMethodMismatch);
    }
}

/// RFC 3261 §25.1 `callid`: `word [ "@" word ]`.
fn is_call_id(value: &[u8]) -> bool {
    let is_word = |word: &[u8]| {
        let may = |byte: &u8| lexer::is_token(*byte) || b"()<>:\\\"/[]?{}".contains(byte);
        !word.is_empty() && word.iter().all(may)
    };
    lexer::split_once(value, b'@').map_or_else(|| is_word(value), |(local, host)| is_word(local) && is_word(host))
}

fn challenges(value: &[u8], odd: &mut Vec<Anomaly>) {
    let mut count = 0;
    for challenge in Challenge::parse_list(value) {
        count += 1;
        match challenge {
            Err(_) => odd.push(Anomaly::ChallengeMalformed),
            Ok(one) if one.is_digest() && (one.param(b"realm").is_none() || one.param(b"nonce").is_none()) => {
                odd.push(Anomaly::ChallengeIncomplete);
            }
            Ok(_) => {}
        }
    }
    match count {
        0 => odd.push(Anomaly::ChallengeMalformed),
        1 => {}
        _ => odd.push(Anomaly::ChallengesInOneHeader),
    }
}

/// Other schemes than Digest need no parameters: `Basic YWxpY2U6eA==`.
fn opens_with_digest(value: &[u8]) -> bool {
    let (scheme, _) = lexer::token(value);
    scheme.is_empty() || scheme.eq_ignore_ascii_case(b"Digest")
}

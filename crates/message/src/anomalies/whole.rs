//! What is odd about a message as a whole: headers that are missing or there twice, and where the body ends (RFC 3261 §8.1.1, §18.3,
//! §20.14). Not for what single values say.

use super::{Anomaly, Found, Inspection, Kind};
use crate::{Contact, Method, Name, lexer, value};

/// Headers that may stand in a message only once.
const SINGLE: [Name; 14] = [
    Name::AuthenticationInfo,
    Name::CSeq,
    Name::CallId,
    Name::ContentLength,
    Name::ContentType,
    Name::Date,
    Name::Expires,
    Name::From,
    Name::MaxForwards,
    Name::MinExpires,
    Name::RetryAfter,
    Name::Server,
    Name::To,
    Name::UserAgent,
];

/// Headers that every message must have, and the one that every request must have besides.
const MANDATORY: [(Name, &str); 6] = [
    (Name::Via, "Via"),
    (Name::From, "From"),
    (Name::To, "To"),
    (Name::CallId, "Call-ID"),
    (Name::CSeq, "CSeq"),
    (Name::MaxForwards, "Max-Forwards"),
];

/// Looks which headers are there that should not be.
pub(super) fn look_at_headers<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    for name in SINGLE {
        let mut again = inspection.lines().filter(|(_, field)| field.name == name).skip(1);
        if let Some((line, field)) = again.next() {
            found.push(Found {
                times: 1 + again.count(),
                ..Found::in_field(Anomaly::DuplicateHeader, line, &field)
            });
        }
    }
    look_at_star(inspection, found);
}

/// Looks which headers are missing from a head that is there to its end. Where nobody knows what it is, nobody knows what it lacks.
pub(super) fn look_for_missing<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    for (name, text) in MANDATORY {
        let needed = match inspection.kind {
            Some(Kind::Request(_)) => true,
            Some(Kind::Response(_)) => name != Name::MaxForwards,
            None => false,
        };
        if needed && inspection.headers.first(name).is_none() {
            found.push(Found::missing(text));
        }
    }
}

/// RFC 3261 §10.2.2: `*` stands alone, in a REGISTER that removes.
fn look_at_star<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    let headers = &inspection.headers;
    let alone = headers.list(Name::Contact).count() == 1;
    let removes = inspection.kind == Some(Kind::Request(Method::Register)) && headers.expires() == Some(Ok(0));
    let has_star = |value| lexer::list(value).any(|element| Contact::parse(element) == Ok(Contact::Star));
    let star = inspection
        .lines()
        .find(|(_, field)| field.name == Name::Contact && has_star(field.value));
    if let Some((line, field)) = star.filter(|_| !alone || !removes) {
        found.push(Found::in_field(Anomaly::ContactStar, line, &field));
    }
}

/// Holds what is there behind the head against what Content-Length says.
pub(super) fn look_at_body<'a>(inspection: &Inspection<'a>, rest: &'a [u8], found: &mut Vec<Found<'a>>) {
    let mut lengths = inspection.lines().filter(|(_, field)| field.name == Name::ContentLength);
    let Some((line, field)) = lengths.next() else {
        found.push(Found::of_message(Anomaly::ContentLengthMissing));
        return look_at_type(inspection, found);
    };
    let read = lexer::saturating(field.value);
    for (line, other) in lengths {
        if lexer::saturating(other.value) != read {
            found.push(Found::in_field(Anomaly::ContentLengthConflicting, line, &other));
        }
    }
    let said = read.and_then(|length| usize::try_from(length).ok());
    let anomaly = match said {
        None => Some(Anomaly::ContentLengthMalformed),
        Some(said) if said > rest.len() => Some(Anomaly::ContentLengthTooLarge),
        Some(said) if said == rest.len() => None,
        Some(said) if rest.get(said..).is_some_and(|tail| tail.iter().all(|byte| lexer::is_space(*byte))) => {
            Some(Anomaly::TrailingLineEnds)
        }
        Some(_) => Some(Anomaly::ContentLengthTooSmall),
    };
    found.extend(anomaly.map(|anomaly| Found::in_field(anomaly, line, &field)));
    look_at_type(inspection, found);
}

/// RFC 3261 §20.15.
fn look_at_type<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    if !inspection.body.is_empty() && inspection.headers.first(Name::ContentType).is_none() {
        found.push(Found::of_message(Anomaly::ContentTypeMissing));
    }
}

/// A value that must be a number and nothing else, at most `most`.
pub(super) fn number(value: &[u8], most: u32) -> Option<Anomaly> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fits = value
        .get(..digits)
        .and_then(lexer::decimal::<u32>)
        .is_some_and(|number| number <= most);
    match value::seconds(value) {
        Err(_) => Some(Anomaly::NumberMalformed),
        Ok(_) if !fits => Some(Anomaly::NumberOutOfRange),
        Ok(_) if digits < value.len() => Some(Anomaly::NumberTrailing),
        Ok(_) => None,
    }
}

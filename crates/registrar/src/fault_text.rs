//! Faults as text, for command lines: `word[=value][;condition=value]...`. Not what they do.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use sip_message::{OwnedUri, Status};
use thiserror::Error;

use crate::template::unescape;
use crate::{Alteration, Arrival, Challenges, Confirmation, CredentialsFault, Delivery, Fault, FaultKind, Instead, Interval, Loss, When};

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Nothing that goes wrong is named, only conditions or nothing at all.
    #[error("no fault is named; the first word should be one such as silence, delay=300ms or status=503")]
    Missing,
    /// A word that is no fault, no condition, and no header of a status.
    #[error("{0:?} is neither a fault nor a condition such as times=2, nth=3, after=1, method=REGISTER, user=alice, credentials=yes")]
    Unknown(String),
    /// A second fault in one text.
    #[error("{0:?} is a second fault; give each its own")]
    Second(String),
    /// A value that is not what the word takes.
    #[error("{word} takes {wanted}, not {found:?}")]
    Value {
        /// The word.
        word: String,
        /// What it takes.
        wanted: &'static str,
        /// What it was given.
        found: String,
    },
}

impl Fault {
    /// The text forms and what they do, for a help text.
    pub const FORMS: &[(&str, &str)] = &[
        ("silence", "requests are lost"),
        (
            "loss=2",
            "the 2nd request is lost; loss=1/3 the first of every three, loss=30% that many by chance",
        ),
        ("reply-loss=1", "the same for replies"),
        ("close", "the connection is closed without a reply"),
        ("delay=300ms", "replies come later"),
        (
            "provisional",
            "100 and nothing more; provisional=2s: the final reply that much later",
        ),
        ("duplicate", "each reply comes twice; duplicate=3: three times more"),
        (
            "cut=100",
            "only the first 100 bytes of a reply are sent, then a connection is closed",
        ),
        ("close-after", "the connection is closed after the reply"),
        (
            "status=503;retry-after=30",
            "this status, phrase (status=480 Gone Fishing) and headers",
        ),
        ("redirect=sip:other.test:5070", "302 to one address or several with commas between"),
        (
            r"bytes=SIP/2.0 200 OK\r\n{head}\r\n",
            "these bytes; {via} {from} {to} {call-id} {cseq} or {head} for all five lines",
        ),
        (
            "malformed",
            "a reply that cannot be read; malformed=start-line|no-via|no-cseq|no-call-id|contact|length|html|binary",
        ),
        (
            "wrong-credentials",
            "401 again whatever the credentials; wrong-credentials=same-nonce",
        ),
        ("stale", "right credentials hear stale=true for ever; stale=2: twice"),
        ("reject-without-challenge", "401 without any challenge to whoever has credentials"),
        (r#"challenge=Digest realm="x", nonce="{nonce}""#, "this challenge instead of ours"),
        (r#"extra-challenge=Basic realm="{realm}""#, "this challenge in front of ours"),
        (
            "unsupported-algorithm",
            "a challenge that only offers AKAv1-MD5; unsupported-algorithm=NAME",
        ),
        ("malformed-challenge", "a challenge whose quotes never close"),
        ("basic-only", "a challenge that only offers Basic"),
        ("wrong-rspauth", "the proof in Authentication-Info is wrong"),
        (
            "too-brief=600",
            "423 to what asks for less than 600 s; too-brief=600,always: whatever it asks for",
        ),
        ("grant=30", "30 s are granted, whatever is asked for; grant=0: none"),
        ("no-contact", "a 200 lists no contact"),
        ("only-other", "a 200 lists only somebody else's contact; only-other=URI"),
        ("failure-phrase", "a 200 whose phrase is Forbidden; failure-phrase=TEXT"),
        ("rewrite-contact=203.0.113.5:40000", "a gateway in a router rewrites Contact"),
        ("rewrite-via=203.0.113.5:40000", "a gateway in a router rewrites Via"),
        ("nat=203.0.113.5:40000", "received and rport say this address"),
        ("huge-header=40000", "a reply has a header of this many bytes"),
        (
            "injected-reason",
            r"the phrase of a reply holds terminal escapes; reason=TEXT with \e, \x1b, \r, \n",
        ),
    ];
}

/// Faults whose value reaches to the end of the text, semicolons included: their conditions stand before them.
const TO_THE_END: [&str; 6] = ["bytes", "challenge", "extra-challenge", "reason", "failure-phrase", "only-other"];

/// The headers that a status may have.
const HEADERS: [&str; 14] = [
    "Retry-After",
    "Warning",
    "Reason",
    "Error-Info",
    "Contact",
    "Expires",
    "Min-Expires",
    "Unsupported",
    "Allow",
    "Server",
    "Service-Route",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "P-Registrar-Error",
];

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut when = When::default();
        let mut kind: Option<FaultKind> = None;
        let mut rest = text;
        while !rest.trim().is_empty() {
            let (item, after) = Item::next(rest, kind.is_none());
            rest = after;
            if item.condition(&mut when)? {
                continue;
            }
            match &mut kind {
                None => kind = Some(item.kind(&mut when)?),
                Some(FaultKind::Instead(Instead::Status { headers, .. })) => headers.push(item.header()?),
                Some(_) => return Err(item.surplus()),
            }
        }
        kind.map(|kind| Self { kind, when }).ok_or(FaultError::Missing)
    }
}

/// `word` or `word=value`.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    word: &'a str,
    value: Option<&'a str>,
}

impl<'a> Item<'a> {
    /// Takes the next item off a text.
    fn next(text: &'a str, opens: bool) -> (Self, &'a str) {
        let text = text.trim_start();
        let word_end = text.find(['=', ';']).unwrap_or(text.len());
        let word = text.get(..word_end).unwrap_or_default();
        let to_the_end = opens && TO_THE_END.contains(&word.trim()) && text.get(word_end..).is_some_and(|rest| rest.starts_with('='));
        let (item, rest) = if to_the_end {
            (text, "")
        } else {
            text.split_once(';').unwrap_or((text, ""))
        };
        match item.split_once('=') {
            Some((word, value)) => (
                Self {
                    word: word.trim(),
                    value: Some(value),
                },
                rest,
            ),
            None => (
                Self {
                    word: item.trim(),
                    value: None,
                },
                rest,
            ),
        }
    }

    /// Takes the item as a condition. False when it is none.
    fn condition(self, when: &mut When) -> Result<bool, FaultError> {
        match self.word {
            "times" => when.times = Some(self.number("a number of times")?),
            "after" => when.after = self.number("a number of requests")?,
            "nth" => {
                when.after = self.positive("the number of a request, from 1")? - 1;
                when.times = Some(1);
            }
            "method" => when.method = Some(self.text("a method such as REGISTER")?.to_owned()),
            "user" => when.user = Some(self.text("the user part of an address")?.to_owned()),
            "credentials" => {
                when.credentials = Some(match self.text("yes or no")? {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(self.wrong("yes or no")),
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn kind(self, when: &mut When) -> Result<FaultKind, FaultError> {
        if self.word == "stale" && self.value.is_some() {
            when.times = Some(self.number("a number of times")?);
            return Ok(FaultKind::Credentials(CredentialsFault::Stale));
        }
        let places = [
            Self::arrival,
            Self::instead,
            Self::challenges,
            Self::credentials,
            Self::interval,
            Self::confirmation,
            Self::alteration,
            Self::delivery,
        ];
        for place in places {
            if let Some(kind) = place(self)? {
                return Ok(kind);
            }
        }
        Err(FaultError::Unknown(self.word.to_owned()))
    }

    fn arrival(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Arrival(match self.word {
            "silence" => self.bare(Arrival::Silence)?,
            "close" => self.bare(Arrival::Close)?,
            "loss" => Arrival::Loss(self.loss()?),
            "reply-loss" => return Ok(Some(FaultKind::ReplyLoss(self.loss()?))),
            _ => return Ok(None),
        })))
    }

    fn instead(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Instead(match self.word {
            "status" => self.status()?,
            "redirect" => Instead::Redirect(self.uris()?),
            "bytes" => Instead::Bytes(self.escaped("text with escapes and placeholders")?),
            "malformed" => Instead::Bytes(self.malformed()?),
            _ => return Ok(None),
        })))
    }

    fn challenges(self) -> Result<Option<FaultKind>, FaultError> {
        let ours = |rest: &str| Challenges::Replace(format!("Digest realm=\"{{realm}}\", nonce=\"{{nonce}}{rest}").into_bytes());
        Ok(Some(FaultKind::Challenges(match self.word {
            "challenge" => Challenges::Replace(self.escaped("the value of a challenge header")?),
            "extra-challenge" => Challenges::Add(self.escaped("the value of a challenge header")?),
            "unsupported-algorithm" => ours(&format!("\", algorithm={}, qop=\"auth\"", self.value.unwrap_or("AKAv1-MD5"))),
            "malformed-challenge" => self.bare(ours(", qop=auth"))?,
            "basic-only" => self.bare(Challenges::Replace(b"Basic realm=\"{realm}\"".to_vec()))?,
            _ => return Ok(None),
        })))
    }

    fn credentials(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Credentials(match (self.word, self.value) {
            ("wrong-credentials", None | Some("new-nonce")) => CredentialsFault::Wrong,
            ("wrong-credentials", Some("same-nonce")) => CredentialsFault::WrongSameNonce,
            ("wrong-credentials", Some(_)) => return Err(self.wrong("nothing, new-nonce or same-nonce")),
            ("stale", None) => CredentialsFault::Stale,
            ("reject-without-challenge", _) => self.bare(CredentialsFault::WithoutChallenge)?,
            _ => return Ok(None),
        })))
    }

    fn interval(self) -> Result<Option<FaultKind>, FaultError> {
        let wanted = "a number of seconds, or that and ,always";
        Ok(Some(FaultKind::Interval(match (self.word, self.value) {
            ("too-brief", Some(value)) => {
                let (seconds, always) = value.strip_suffix(",always").map_or((value, false), |seconds| (seconds, true));
                let min_expires = seconds.parse().map_err(|_| self.wrong(wanted))?;
                Interval::TooBrief { min_expires, always }
            }
            ("too-brief", None) => return Err(self.wrong(wanted)),
            ("grant", _) => Interval::Grant(self.number("a number of seconds")?),
            ("grant-zero", _) => self.bare(Interval::Grant(0))?,
            _ => return Ok(None),
        })))
    }

    fn confirmation(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Confirmation(match (self.word, self.value) {
            ("no-contact", _) => self.bare(Confirmation::NoContact)?,
            ("only-other", value) => Confirmation::OnlyOther(self.uri(value.unwrap_or("sip:somebody.else@192.0.2.77:5060"))?),
            ("rewrite-contact", _) => Confirmation::RewriteContact(self.address()?),
            ("failure-phrase", None) => Confirmation::Phrase(b"Forbidden".to_vec()),
            ("failure-phrase", Some(_)) => Confirmation::Phrase(self.escaped("a phrase")?),
            ("wrong-rspauth", _) => self.bare(Confirmation::WrongRspauth)?,
            _ => return Ok(None),
        })))
    }

    fn alteration(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Alteration(match self.word {
            "reason" => Alteration::Reason(self.escaped("a phrase")?),
            "injected-reason" => self.bare(Alteration::Reason(INJECTION.to_vec()))?,
            "rewrite-via" => Alteration::RewriteVia(self.address()?),
            "nat" => Alteration::SeenFrom(self.address()?),
            "huge-header" => Alteration::HugeHeader(self.at_most(MOST_BYTES, "a number of bytes up to 1000000")?),
            _ => return Ok(None),
        })))
    }

    fn delivery(self) -> Result<Option<FaultKind>, FaultError> {
        Ok(Some(FaultKind::Delivery(match (self.word, self.value) {
            ("delay", _) => Delivery::Delay(self.duration()?),
            ("provisional", None) => Delivery::ProvisionalOnly,
            ("provisional", Some(_)) => Delivery::Provisional(self.duration()?),
            ("duplicate", None) => Delivery::Duplicate(1),
            ("duplicate", Some(_)) => Delivery::Duplicate(self.at_most(MOST_DUPLICATES, "a number of copies up to 1000")?),
            ("cut", _) => Delivery::Cut(self.at_most(MOST_BYTES, "a number of bytes up to 1000000")?),
            ("close-after", _) => self.bare(Delivery::CloseAfter)?,
            _ => return Ok(None),
        })))
    }

    fn status(self) -> Result<Instead, FaultError> {
        let wanted = "a code from 100 to 699, perhaps with a phrase behind it";
        let value = self.text(wanted)?;
        let (code, reason) = value.split_once(' ').unwrap_or((value, ""));
        let code = code.parse().ok().and_then(Status::new);
        let status = code.ok_or_else(|| self.wrong(wanted))?;
        let reason = if reason.is_empty() {
            status.phrase().unwrap_or("Scripted")
        } else {
            reason
        };
        Ok(Instead::Status {
            status,
            reason: unescape(reason).map_err(|_| self.wrong(wanted))?,
            headers: Vec::new(),
        })
    }

    /// A header of a status.
    fn header(self) -> Result<(&'static str, Vec<u8>), FaultError> {
        let name = HEADERS
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(self.word))
            .ok_or_else(|| self.surplus())?;
        Ok((name, self.escaped("a header value")?))
    }

    fn malformed(self) -> Result<Vec<u8>, FaultError> {
        let template: &[u8] = match self.value.unwrap_or("start-line") {
            "start-line" => b"SIP/2.0 2OO OK\r\n{head}Content-Length: 0\r\n\r\n",
            "no-via" => b"SIP/2.0 200 OK\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call-id}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n",
            "no-cseq" => b"SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call-id}\r\nContent-Length: 0\r\n\r\n",
            "no-call-id" => b"SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n",
            "contact" => b"SIP/2.0 200 OK\r\n{head}Contact: \"<sip:\\\r\nContent-Length: 0\r\n\r\n",
            "length" => b"SIP/2.0 200 OK\r\n{head}Content-Length: 4294967296\r\n\r\n",
            "html" => b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
            "binary" => b"\x16\x03\x01\x00\xa5\x00\xff\xfe\x80\x7f",
            _ => return Err(self.wrong("start-line, no-via, no-cseq, no-call-id, contact, length, html or binary")),
        };
        Ok(template.to_vec())
    }

    fn loss(self) -> Result<Loss, FaultError> {
        let wanted = "the number of a message, n/m for the first n of every m, or a percentage such as 30%";
        let value = self.text(wanted)?;
        let loss = if let Some(percent) = value.strip_suffix('%') {
            percent.parse().ok().filter(|percent| *percent <= 100).map(Loss::Percent)
        } else if let Some((lost, every)) = value.split_once('/') {
            let of = lost.parse().ok().zip(every.parse().ok());
            of.filter(|(lost, every)| lost <= every && *every > 0)
                .map(|(lost, every)| Loss::Of { lost, every })
        } else {
            value.parse().ok().filter(|nth| *nth > 0).map(Loss::Nth)
        };
        loss.ok_or_else(|| self.wrong(wanted))
    }

    /// `300ms`, `2s` or `1m`, up to a day.
    fn duration(self) -> Result<Duration, FaultError> {
        let wanted = "a time such as 300ms, 2s or 1m, up to a day";
        let value = self.text(wanted)?;
        let digits = value.find(|character: char| !character.is_ascii_digit()).unwrap_or(value.len());
        let (number, unit) = value.split_at_checked(digits).ok_or_else(|| self.wrong(wanted))?;
        let number: u64 = number.parse().map_err(|_| self.wrong(wanted))?;
        let time = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.saturating_mul(60)),
            _ => return Err(self.wrong(wanted)),
        };
        if time <= LONGEST_DELAY { Ok(time) } else { Err(self.wrong(wanted)) }
    }

    fn uris(self) -> Result<Vec<OwnedUri>, FaultError> {
        self.text(A_URI)?.split(',').map(|uri| self.uri(uri)).collect()
    }

    fn uri(self, text: &str) -> Result<OwnedUri, FaultError> {
        text.trim().parse().map_err(|_| self.wrong(A_URI))
    }

    fn address(self) -> Result<SocketAddr, FaultError> {
        let wanted = "an address with a port such as 203.0.113.5:40000 or [2001:db8::5]:40000";
        self.text(wanted)?.parse().map_err(|_| self.wrong(wanted))
    }

    fn escaped(self, wanted: &'static str) -> Result<Vec<u8>, FaultError> {
        unescape(self.text(wanted)?).map_err(|found| FaultError::Value {
            word: self.word.to_owned(),
            wanted: r"only the escapes \r \n \t \e \0 \\ and \xHH",
            found,
        })
    }

    fn number<T: FromStr>(self, wanted: &'static str) -> Result<T, FaultError> {
        self.text(wanted)?.parse().map_err(|_| self.wrong(wanted))
    }

    fn positive(self, wanted: &'static str) -> Result<u32, FaultError> {
        self.number(wanted)
            .and_then(|number| if number > 0 { Ok(number) } else { Err(self.wrong(wanted)) })
    }

    fn at_most<T: FromStr + PartialOrd>(self, most: T, wanted: &'static str) -> Result<T, FaultError> {
        self.number(wanted)
            .and_then(|number| if number <= most { Ok(number) } else { Err(self.wrong(wanted)) })
    }

    fn text(self, wanted: &'static str) -> Result<&'a str, FaultError> {
        self.value.filter(|value| !value.is_empty()).ok_or_else(|| self.wrong(wanted))
    }

    fn bare<T>(self, fault: T) -> Result<T, FaultError> {
        if self.value.is_none() {
            Ok(fault)
        } else {
            Err(self.wrong("no value"))
        }
    }

    fn wrong(self, wanted: &'static str) -> FaultError {
        FaultError::Value {
            word: self.word.to_owned(),
            wanted,
            found: self.value.unwrap_or_default().to_owned(),
        }
    }

    /// An item behind the fault that is neither a condition nor a header.
    fn surplus(self) -> FaultError {
        let names_fault = self.kind(&mut When::default()) != Err(FaultError::Unknown(self.word.to_owned()));
        let word = self.word.to_owned();
        if names_fault {
            FaultError::Second(word)
        } else {
            FaultError::Unknown(word)
        }
    }
}

const A_URI: &str = "a sip: or sips: URI";
const MOST_BYTES: usize = 1_000_000;
const MOST_DUPLICATES: u32 = 1000;
const LONGEST_DELAY: Duration = Duration::from_secs(86_400);

/// What a hostile registrar would like a terminal to obey: clear the screen, set its title and clipboard, turn the text around.
const INJECTION: &[u8] = b"OK\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\xe2\x80\xae|perf=1;<script>";

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn error(text: &str) -> String {
        text.parse::<Fault>().unwrap_err().to_string()
    }

    #[test]
    fn every_form_of_the_help_reads_and_keeps_its_word() {
        for (form, _) in Fault::FORMS {
            let word = form.split(['=', ';']).next().unwrap();
            let expected = match word {
                "malformed" => "bytes",
                "unsupported-algorithm" | "malformed-challenge" | "basic-only" => "challenge",
                "injected-reason" => "reason",
                word => word,
            };
            assert_eq!(fault(form).kind.name(), expected, "{form}");
        }
    }

    #[test]
    fn values_are_read() {
        for (text, kind) in [
            ("loss=1/2", FaultKind::Arrival(Arrival::Loss(Loss::Of { lost: 1, every: 2 }))),
            ("loss=40%", FaultKind::Arrival(Arrival::Loss(Loss::Percent(40)))),
            ("reply-loss=3", FaultKind::ReplyLoss(Loss::Nth(3))),
            ("delay=1500ms", FaultKind::Delivery(Delivery::Delay(Duration::from_millis(1500)))),
            ("provisional=2s", FaultKind::Delivery(Delivery::Provisional(Duration::from_secs(2)))),
            ("duplicate=3", FaultKind::Delivery(Delivery::Duplicate(3))),
            (
                "wrong-credentials=same-nonce",
                FaultKind::Credentials(CredentialsFault::WrongSameNonce),
            ),
            ("grant-zero", FaultKind::Interval(Interval::Grant(0))),
            (
                "too-brief=600,always",
                FaultKind::Interval(Interval::TooBrief {
                    min_expires: 600,
                    always: true,
                }),
            ),
            (r"reason=a;b=c\e", FaultKind::Alteration(Alteration::Reason(b"a;b=c\x1b".to_vec()))),
            (
                "unsupported-algorithm=X",
                FaultKind::Challenges(Challenges::Replace(
                    b"Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=X, qop=\"auth\"".to_vec(),
                )),
            ),
        ] {
            assert_eq!(fault(text).kind, kind, "{text}");
        }
        let FaultKind::Instead(Instead::Redirect(uris)) = fault("redirect=sip:a, sips:b@h:5070").kind else {
            panic!()
        };
        assert_eq!(uris.len(), 2);
    }

    #[test]
    fn conditions_stand_on_either_side() {
        let when = When {
            method: Some("OPTIONS".to_owned()),
            user: Some("alice".to_owned()),
            credentials: Some(true),
            after: 2,
            times: Some(1),
        };
        assert_eq!(fault("method=OPTIONS; nth=3;silence ;user=alice;credentials=yes").when, when);
        assert_eq!(fault("stale=2").when.times, Some(2));
        let last = fault("times=1;bytes=x;times=2");
        assert_eq!(
            (last.when.times, last.kind),
            (Some(1), FaultKind::Instead(Instead::Bytes(b"x;times=2".to_vec())))
        );
    }

    #[test]
    fn a_status_has_a_phrase_and_headers() {
        let status = |code, reason: &str, headers: Vec<(&'static str, Vec<u8>)>| {
            FaultKind::Instead(Instead::Status {
                status: Status::new(code).unwrap(),
                reason: reason.as_bytes().to_vec(),
                headers,
            })
        };
        assert_eq!(fault("status=403").kind, status(403, "Forbidden", vec![]));
        let both = fault("status=503 Too Busy;retry-after=30;times=1;reason=SIP");
        assert_eq!(
            both.kind,
            status(503, "Too Busy", vec![("Retry-After", b"30".to_vec()), ("Reason", b"SIP".to_vec())])
        );
        assert_eq!(both.when.times, Some(1));
    }

    #[test]
    fn errors_name_what_was_wrong() {
        for (text, message) in [
            (
                "",
                "no fault is named; the first word should be one such as silence, delay=300ms or status=503",
            ),
            (
                "times=2",
                "no fault is named; the first word should be one such as silence, delay=300ms or status=503",
            ),
            ("silence;delay=1s", "\"delay\" is a second fault; give each its own"),
            ("delay=1", "delay takes a time such as 300ms, 2s or 1m, up to a day, not \"1\""),
            (
                "delay=99999999999999999999m",
                "delay takes a time such as 300ms, 2s or 1m, up to a day, not \"99999999999999999999m\"",
            ),
            ("delay", "delay takes a time such as 300ms, 2s or 1m, up to a day, not \"\""),
            (
                "status=99",
                "status takes a code from 100 to 699, perhaps with a phrase behind it, not \"99\"",
            ),
            ("silence=1", "silence takes no value, not \"1\""),
            ("redirect=other", "redirect takes a sip: or sips: URI, not \"other\""),
            ("grant=-1", "grant takes a number of seconds, not \"-1\""),
            ("nth=0;silence", "nth takes the number of a request, from 1, not \"0\""),
            (
                r"reason=a\q",
                r#"reason takes only the escapes \r \n \t \e \0 \\ and \xHH, not "\\q""#,
            ),
        ] {
            assert_eq!(error(text), message);
        }
        for text in ["loss=0", "loss=2/1", "loss=0/0", "loss=101%", "loss=x"] {
            assert!(error(text).starts_with("loss takes the number of a message, n/m"), "{text}");
        }
        assert!(error("silense").starts_with("\"silense\" is neither a fault nor a condition such as times=2"));
        assert!(error("status=503;x-mine=1").starts_with("\"x-mine\" is neither"));
        assert!(error("silence;retry-after=1").starts_with("\"retry-after\" is neither"));
    }
}

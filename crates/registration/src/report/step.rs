//! The steps of an exchange in words, as a ladder shows them.

use sip_message::printable;

use crate::attempt::{Carrying, Happening, ReplyNote, Step};
use crate::report::Arrow;
use crate::{TlsFacts, Transport};

impl Step {
    /// Its direction.
    #[must_use]
    pub const fn arrow(&self) -> Arrow {
        match &self.happening {
            Happening::LookedUp(_) | Happening::Following(_) | Happening::Connected(_) => Arrow::Local,
            Happening::Sent { .. } | Happening::Answered(_) => Arrow::Sent,
            Happening::Received { .. } | Happening::Asked { .. } => Arrow::Received,
            Happening::NotLocated(_)
            | Happening::TargetFailed { .. }
            | Happening::Malformed(_)
            | Happening::NotSip(_)
            | Happening::SentBack => Arrow::Failed,
        }
    }

    /// What: `REGISTER 1`, `401 Unauthorized`. Safe to print.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.happening {
            Happening::LookedUp(_) => "looked up".to_owned(),
            Happening::NotLocated(_) => "no address found".to_owned(),
            Happening::Following(_) => "following".to_owned(),
            Happening::Connected(_) => "connected".to_owned(),
            Happening::Sent { method, number, .. } => format!("{method} {number}"),
            Happening::Received { code, reason, .. } => format!("{code} {reason}").trim_end().to_owned(),
            Happening::TargetFailed { cause, .. } => cause.name().replace('_', " "),
            Happening::Malformed(_) => "malformed reply".to_owned(),
            Happening::NotSip(_) => "not SIP".to_owned(),
            Happening::Asked { method, .. } => method.to_string(),
            Happening::Answered(status) => format!("{} {}", status.code(), status.phrase().unwrap_or_default()),
            Happening::SentBack => "our own request".to_owned(),
        }
    }

    /// More about it, or empty: `Digest SHA-256, MD5 · realm example.test`. Safe to print.
    #[must_use]
    pub fn note(&self) -> String {
        match &self.happening {
            Happening::LookedUp(targets) => targets.iter().map(name).collect::<Vec<_>>().join(", "),
            Happening::NotLocated(why) | Happening::Malformed(why) | Happening::NotSip(why) => why.to_string(),
            Happening::Following(uri) => uri.to_string(),
            Happening::Connected(tls) => tls.as_deref().map_or_else(String::new, handshake),
            Happening::Sent { carrying, .. } => carried(*carrying),
            Happening::Received { note, .. } => beside(note),
            Happening::TargetFailed { target, .. } => target.as_ref().map_or_else(String::new, name),
            Happening::Asked { unanswered: None, .. } => "asked by the other side".to_owned(),
            Happening::Asked {
                unanswered: Some(source), ..
            } => format!("asked by {source}, not answered"),
            Happening::Answered(_) => String::new(),
            Happening::SentBack => "came back".to_owned(),
        }
    }
}

fn name((transport, remote): &(Transport, std::net::SocketAddr)) -> String {
    format!("{} {remote}", transport.name())
}

fn handshake(tls: &TlsFacts) -> String {
    printable(format!("{} {} · {}", tls.version, tls.cipher, tls.subject).as_bytes())
}

fn carried(carrying: Carrying) -> String {
    match carrying {
        Carrying::Nothing => String::new(),
        Carrying::Again(after) => format!("sent again after {} ms", after.as_millis()),
        Carrying::Credentials { first, second, ahead } => {
            let second = second.map_or_else(String::new, |second| format!(" and {second}"));
            format!("answering {first}{second}{}", if ahead { " ahead" } else { "" })
        }
    }
}

fn beside(note: &ReplyNote) -> String {
    match note {
        ReplyNote::Nothing => String::new(),
        ReplyNote::NoChallenge => "no challenge".to_owned(),
        ReplyNote::Challenge { offered, realm } => {
            let realm = realm.as_ref().map_or_else(String::new, |realm| format!(" · realm {realm}"));
            format!("Digest {offered}{realm}")
        }
        ReplyNote::AtLeast(minimum) => format!("at least {minimum} s"),
        ReplyNote::RetryAfter(seconds) => format!("retry after {seconds} s"),
        ReplyNote::Listing { granted, others } => {
            let own = granted.map_or_else(
                || "our Contact is not listed".to_owned(),
                |granted| format!("bound for {granted} s"),
            );
            let others = match others {
                0 => String::new(),
                1 => " · 1 other binding".to_owned(),
                more => format!(" · {more} other bindings"),
            };
            own + &others
        }
    }
}

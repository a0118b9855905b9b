//! What `regprobe inspect --output json` says of a message, and what is known of one beside its bytes. Layout for people is `human`'s.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sip_message::{Found, Inspection, inspect, printable};
use std::net::SocketAddr;

use super::{advice, shown};

/// A SIP message as regprobe reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InspectReport {
    /// Where in the capture it is; only with --pcap.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) capture: Option<Place>,
    /// Whether it can be used.
    ok: bool,
    /// What it is; null where its first line does not tell.
    kind: Option<KindOf>,
    /// Why it cannot be used.
    error: Option<String>,
    /// What is odd, each as `name: what it means (where; RFC)`; docs/inspect.md lists the names.
    anomalies: Vec<String>,
    /// The first line.
    start_line: String,
    /// The headers in their order, folded lines made one, secrets redacted.
    headers: Vec<HeaderReport>,
}

/// Where a message of a capture comes from.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Place {
    /// Counted from 1.
    pub(super) number: u64,
    /// When its last packet was captured, RFC 3339, UTC; null where the capture does not say.
    pub(super) time: Option<String>,
    /// `udp` or `tcp`; `exported` for a message that was taken out of what carried it, such as TLS.
    pub(super) transport: &'static str,
    /// Address and port of who sent it.
    pub(super) source: String,
    /// Address and port that it was sent to.
    pub(super) destination: String,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindOf {
    /// It asks.
    Request,
    /// It answers.
    Response,
}

/// A header field.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HeaderReport {
    /// The name as it stands; empty for a line that is no header.
    name: String,
    /// The value, on one line.
    value: String,
}

/// A message that was found in a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) time: Option<Timestamp>,
    pub(super) transport: &'static str,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) bytes: Vec<u8>,
    /// Why the stream cannot be read from here on, although the bytes alone might be.
    pub(super) broken: Option<String>,
}

/// A message that has been looked at.
pub(super) struct Examined<'a> {
    pub(super) inspection: Inspection<'a>,
    pub(super) place: Option<Place>,
    /// What to do to get it read, or all of it.
    pub(super) advice: Option<String>,
    broken: Option<&'a str>,
}

impl<'a> Examined<'a> {
    /// Looks at bytes that came alone.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let inspection = inspect(bytes);
        Self {
            advice: advice::of(bytes, &inspection),
            inspection,
            place: None,
            broken: None,
        }
    }

    /// Looks at a message of a capture.
    pub(super) fn captured(captured: &'a Captured, number: u64) -> Self {
        let place = Place {
            number,
            time: captured.time.map(|time| time.to_string()),
            transport: captured.transport,
            source: captured.source.to_string(),
            destination: captured.destination.to_string(),
        };
        Self {
            inspection: inspect(&captured.bytes),
            place: Some(place),
            advice: None,
            broken: captured.broken.as_deref(),
        }
    }

    pub(super) const fn is_usable(&self) -> bool {
        self.inspection.usable.is_ok() && self.broken.is_none()
    }

    /// Why it cannot be used.
    pub(super) fn error(&self) -> Option<String> {
        let own = self.inspection.usable.err().map(|error| error.to_string());
        self.broken.map(str::to_owned).or(own)
    }

    pub(super) fn report(&self) -> InspectReport {
        let inspection = &self.inspection;
        InspectReport {
            capture: self.place.clone(),
            ok: self.is_usable(),
            kind: inspection.kind.map(|kind| match kind {
                sip_message::Kind::Request(_) => KindOf::Request,
                sip_message::Kind::Response(_) => KindOf::Response,
            }),
            error: self.error(),
            anomalies: inspection.found.iter().map(Found::to_string).collect(),
            start_line: shown::start_line(inspection),
            headers: inspection
                .headers
                .iter()
                .map(|field| HeaderReport {
                    name: printable(field.raw_name),
                    value: printable(&shown::value(&field)),
                })
                .collect(),
        }
    }
}

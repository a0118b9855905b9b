//! A request as far as a server can tell two clients apart by it: what the SDKs write about themselves is left out, the order of the
//! query and the ways to encode it do not count.

use regprobe_providers::Url;
use serde_json::Value;

use crate::support::Seen;

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Wire {
    /// `GET /v2/…`, without the query, as it stood.
    pub(crate) line: String,
    /// The query, decoded, sorted.
    pub(crate) query: Vec<(String, String)>,
    /// Authorization and Accept, and with a body its Content-Type.
    pub(crate) headers: Vec<(&'static str, Option<String>)>,
    /// The JSON body; null without one.
    pub(crate) body: Value,
}

impl Wire {
    /// Reads a request.
    pub(crate) fn of(seen: &Seen) -> Self {
        let url: Url = format!("http://server{}", seen.target).parse().unwrap();
        let path = seen.target.split('?').next().unwrap();
        let mut query: Vec<_> = url.query_pairs().into_owned().collect();
        query.sort();
        let names = ["authorization", "accept", "content-type"];
        let count = if seen.body.is_empty() { 2 } else { 3 };
        let header = |name: &'static str| (name, seen.header(name).map(str::to_owned));
        Self {
            line: format!("{} {path}", seen.method),
            query,
            headers: names.into_iter().take(count).map(header).collect(),
            body: if seen.body.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&seen.body).unwrap()
            },
        }
    }

    /// Reads all that a server was asked.
    pub(crate) fn all(requests: &[Seen]) -> Vec<Self> {
        requests.iter().map(Self::of).collect()
    }
}

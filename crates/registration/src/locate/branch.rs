//! Questions on the way and what came of them: a transport's SRV records, an answer that is awaited. Asks nothing.

use rand_chacha::ChaCha12Rng;

use super::hosts::{Candidate, Road};
use super::{MAX_RECORDS, srv};
use crate::{DnsError, Records, Srv, Transport};

/// One transport of a domain, with the name of its SRV records.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) transport: Transport,
    pub(super) name: String,
    pub(super) road: Road,
    pub(super) reply: Reply<Srv>,
}

/// A question that was asked, and then what was answered.
#[derive(Debug)]
pub(super) enum Reply<T> {
    Asked(u32),
    Came(Result<Vec<T>, DnsError>),
}

impl Branch {
    pub(super) fn candidates(&self, rng: &mut ChaCha12Rng) -> Vec<Candidate> {
        let places = srv::order(self.reply.records(), rng).into_iter();
        places
            .map(|place| Candidate {
                transport: self.transport,
                host: place.host,
                port: place.port,
                road: self.road,
            })
            .collect()
    }
}

impl<T> Reply<T> {
    pub(super) const fn is_awaited(&self) -> bool {
        matches!(self, Self::Asked(_))
    }

    pub(super) const fn is_for(&self, token: u32) -> bool {
        matches!(self, Self::Asked(asked) if *asked == token)
    }

    pub(super) fn records(&self) -> &[T] {
        match self {
            Self::Came(Ok(records)) => records,
            Self::Came(Err(_)) | Self::Asked(_) => &[],
        }
    }

    /// What came instead of an answer. That there is nothing is an answer.
    pub(super) const fn failure(&self) -> Option<DnsError> {
        match self {
            Self::Came(Err(error @ (DnsError::ServerFailure | DnsError::Refused | DnsError::Timeout))) => Some(*error),
            Self::Came(Err(DnsError::NoSuchName | DnsError::NoRecords) | Ok(_)) | Self::Asked(_) => None,
        }
    }
}

/// The records of an answer to a question for SRV.
pub(super) fn places(records: Records) -> Result<Vec<Srv>, DnsError> {
    match records {
        Records::Srv(mut records) => {
            records.truncate(MAX_RECORDS);
            Ok(records)
        }
        Records::Naptr(_) | Records::Addresses(_) => Err(DnsError::ServerFailure),
    }
}

//! dnsmasq as the name server of the zone that a test describes. Names below `test` that the zone does not have do not exist
//! (NXDOMAIN); every other name is REFUSED. It answers by UDP and TCP.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};

use super::port::{self, LOOPBACK};
use super::process::{Process, start_until_ready};
use super::scratch::Scratch;

/// The records to serve, in dnsmasq's own words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone {
    records: Vec<String>,
}

impl Zone {
    /// NAPTR (RFC 3403) with the flag `s`: `name` offers `service` (`SIP+D2U`, `SIP+D2T`, `SIPS+D2T`) at the SRV name
    /// `replacement`.
    pub(crate) fn naptr(self, name: &str, order: u16, preference: u16, service: &str, replacement: &str) -> Self {
        self.with(format!("--naptr-record={name},{order},{preference},s,{service},,{replacement}"))
    }

    /// SRV (RFC 2782): `name` is served by `target` at `port`.
    pub(crate) fn srv(self, name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Self {
        self.with(format!("--srv-host={name},{target},{port},{priority},{weight}"))
    }

    /// SRV with the target `.`: the service is decidedly not there.
    pub(crate) fn no_service(self, name: &str) -> Self {
        self.with(format!("--srv-host={name}"))
    }

    /// A or AAAA; several for one name are several calls.
    pub(crate) fn host(self, name: &str, address: IpAddr) -> Self {
        self.with(format!("--host-record={name},{address}"))
    }

    /// CNAME: `name` is another name for `target`, which is in the zone too.
    pub(crate) fn alias(self, name: &str, target: &str) -> Self {
        self.with(format!("--cname={name},{target}"))
    }

    fn with(mut self, record: String) -> Self {
        self.records.push(record);
        self
    }
}

/// A running dnsmasq.
#[derive(Debug)]
pub(crate) struct Dnsmasq {
    process: Process,
    address: SocketAddr,
    // Last: the directory goes after the program that writes into it.
    _scratch: Scratch,
}

impl Dnsmasq {
    /// Starts it and returns as soon as it answers.
    pub(crate) fn start(zone: Zone) -> Self {
        start_until_ready(|| Self::try_start(&zone))
    }

    /// Where it listens, for UDP and TCP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The queries it was asked and what it answered, one line each.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    fn try_start(zone: &Zone) -> Result<Self, String> {
        let scratch = Scratch::new("dnsmasq");
        let address = SocketAddr::new(LOOPBACK, port::free(LOOPBACK));
        // A name that only this process knows: whoever answers it is not one that took the port before it.
        let token = format!("{}.ready.test", scratch.name());
        let mut process = Process::start("dnsmasq", &arguments(zone, address.port(), &token), &scratch);
        process.await_ready(|| ask(address, &token, RecordType::A).is_some_and(|reply| !reply.answers.is_empty()))?;
        Ok(Self {
            process,
            address,
            _scratch: scratch,
        })
    }
}

fn arguments(zone: &Zone, port: u16, token: &str) -> Vec<String> {
    let mut arguments = vec![
        "--keep-in-foreground".to_owned(),
        "--conf-file=/dev/null".to_owned(),
        "--log-facility=-".to_owned(),
        "--log-queries".to_owned(),
        "--no-resolv".to_owned(),
        "--no-hosts".to_owned(),
        "--no-poll".to_owned(),
        "--pid-file=".to_owned(),
        // Do not become another user, which needs root; a test may well be run by root.
        "--user=".to_owned(),
        "--local=/test/".to_owned(),
        "--listen-address=127.0.0.1".to_owned(),
        "--bind-interfaces".to_owned(),
        format!("--port={port}"),
        format!("--host-record={token},127.0.0.1"),
    ];
    arguments.extend(zone.records.iter().cloned());
    arguments
}

/// One query by UDP, without retransmission; nothing when no usable answer comes.
pub(crate) fn ask(server: SocketAddr, name: &str, record: RecordType) -> Option<Message> {
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii(name).ok()?, record));
    let socket = UdpSocket::bind((LOOPBACK, 0)).ok()?;
    socket.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    socket.connect(server).ok()?;
    socket.send(&query.to_vec().ok()?).ok()?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    Message::from_vec(&buffer[..length]).ok()
}

const ANSWER_WITHIN: Duration = Duration::from_millis(500);

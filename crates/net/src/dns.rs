//! DNS: asks the questions of the core's location plan (RFC 3263) with hickory. Not for choosing among the answers: the core does.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Refusal, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{Resolver, ResolverBuilder, TokioResolver};
use sip_registration::{DnsError, Naptr, Question, RecordKind, Records, Srv};

/// A resolver that is opened by the first question.
#[derive(Debug)]
pub(crate) struct Dns {
    /// The server to ask instead of the system's.
    server: Option<SocketAddr>,
    /// How long one try may wait.
    patience: Duration,
    resolver: OnceLock<Option<TokioResolver>>,
}

impl Dns {
    /// Asks `server`, or those of the system, for an exchange that may take `timeout` in all.
    pub(crate) fn new(server: Option<SocketAddr>, timeout: Duration) -> Self {
        let patience = (timeout / TRIES).clamp(SHORTEST_TRY, LONGEST_TRY);
        Self {
            server,
            patience,
            resolver: OnceLock::new(),
        }
    }

    /// Asks one question. Takes some seconds when nobody answers; the caller may give up before.
    ///
    /// # Errors
    /// See [`DnsError`].
    pub(crate) async fn ask(&self, question: &Question) -> Result<Records, DnsError> {
        let Some(name) = absolute(&question.name) else {
            // RFC 1035 §2.3.4: what is no domain name cannot exist.
            return Err(DnsError::NoSuchName);
        };
        let resolver = self.resolver.get_or_init(|| self.open()).as_ref().ok_or(DnsError::ServerFailure)?;
        let kind = match question.kind {
            RecordKind::Naptr => RecordType::NAPTR,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
        };
        match resolver.lookup(name.clone(), kind).await {
            Ok(lookup) => {
                if lookup.answers().len() > MOST_KEPT {
                    resolver.clear_lookup_cache(name, kind);
                }
                records(question.kind, lookup.answers())
            }
            Err(error) => Err(refusal(&error)),
        }
    }

    fn open(&self) -> Option<TokioResolver> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = match self.server {
            Some(server) => one_server(server, provider),
            None => Resolver::builder(provider).unwrap_or_else(|_unreadable| {
                // resolv.conf(5): without the file, or a name server in it, the one on this machine is asked.
                one_server(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), TokioRuntimeProvider::default())
            }),
        };
        let options = builder.options_mut();
        options.timeout = options.timeout.min(self.patience);
        options.attempts = options.attempts.min(MOST_RETRIES);
        builder.build().ok()
    }
}

fn one_server(server: SocketAddr, provider: TokioRuntimeProvider) -> ResolverBuilder<TokioRuntimeProvider> {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let mut server = NameServerConfig::udp_and_tcp(server.ip());
    server.connections = connections.into();
    Resolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), provider)
}

/// A name that no search list is applied to.
fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_utf8(name).ok()?;
    name.set_fqdn(true);
    (!name.is_root()).then_some(name)
}

/// The records of one kind; CNAMEs on the way to them are left out.
fn records(kind: RecordKind, answers: &[Record]) -> Result<Records, DnsError> {
    let data = || answers.iter().map(|record| &record.data).take(MOST_RECORDS);
    let records = match kind {
        RecordKind::Naptr => Records::Naptr(data().filter_map(naptr).collect()),
        RecordKind::Srv => Records::Srv(data().filter_map(srv).collect()),
        RecordKind::A | RecordKind::Aaaa => Records::Addresses(data().filter_map(address).collect()),
    };
    let empty = match &records {
        Records::Naptr(records) => records.is_empty(),
        Records::Srv(records) => records.is_empty(),
        Records::Addresses(addresses) => addresses.is_empty(),
    };
    if empty { Err(DnsError::NoRecords) } else { Ok(records) }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        service: text(&naptr.services),
        replacement: relative(&naptr.replacement),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(srv) = data else { return None };
    Some(Srv {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        target: relative(&srv.target),
    })
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// Without the final dot; the root stays `.`.
fn relative(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let text = name.to_ascii();
    text.strip_suffix('.').map_or(text.clone(), ToOwned::to_owned)
}

/// What an answer without records means.
fn refusal(error: &NetError) -> DnsError {
    match error {
        NetError::Dns(Refusal::NoRecordsFound(none)) => response_code(none.response_code),
        NetError::Dns(Refusal::ResponseCode(code)) => response_code(*code),
        NetError::Timeout | NetError::NoConnections => DnsError::Timeout,
        // Nobody listens there, or there is no way there: no answer.
        NetError::Io(error) if error.kind() != io::ErrorKind::InvalidData => DnsError::Timeout,
        _ => DnsError::ServerFailure,
    }
}

fn response_code(code: ResponseCode) -> DnsError {
    match code {
        ResponseCode::NXDomain => DnsError::NoSuchName,
        ResponseCode::NoError => DnsError::NoRecords,
        ResponseCode::Refused => DnsError::Refused,
        _ => DnsError::ServerFailure,
    }
}

/// The longest that one try waits for an answer, whatever resolv.conf says, and the shortest that still reaches the other side of the
/// world.
const LONGEST_TRY: Duration = Duration::from_secs(2);
const SHORTEST_TRY: Duration = Duration::from_millis(300);

/// How many tries fit into the time of an exchange: the name server may lose one, and a target has to be tried afterwards.
const TRIES: u32 = 5;

/// How often a question is asked again.
const MOST_RETRIES: usize = 1;

/// How many records an answer may have that is kept for the next one who asks: one of thousands takes a MiB.
const MOST_KEPT: usize = 64;

/// How many records of one answer are looked at.
const MOST_RECORDS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, MessageType};
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, NAPTR, SRV};
    use hickory_resolver::proto::serialize::binary::{BinDecodable as _, BinEncodable as _};
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, UdpSocket};
    use std::thread;

    /// The time of a short exchange.
    const BRIEF: Duration = Duration::from_secs(1);

    type Zone = Vec<(&'static str, RData)>;

    /// A name server of a few lines. Names with `servfail`, `refused`, `silent` or `junk` in them get just that.
    fn serving(zone: Zone) -> Option<SocketAddr> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut bytes) {
                let query = Message::from_bytes(&bytes[..length]).unwrap();
                if let Some(reply) = reply(&query, &zone) {
                    socket.send_to(&reply, client).unwrap();
                }
            }
        });
        Some(address)
    }

    fn reply(query: &Message, zone: &Zone) -> Option<Vec<u8>> {
        let question = query.queries.first().unwrap();
        let name = question.name().to_ascii().to_lowercase();
        let mut reply = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
        reply.add_query(question.clone());
        reply.metadata.recursion_available = true;
        reply.metadata.response_code = match name.split('.').next().unwrap() {
            "silent" => return None,
            "junk" => return Some(b"junk".to_vec()),
            "servfail" => ResponseCode::ServFail,
            "refused" => ResponseCode::Refused,
            "many" => ResponseCode::NoError,
            _ if zone.iter().all(|(owner, _)| *owner != name) => ResponseCode::NXDomain,
            _ => ResponseCode::NoError,
        };
        for (owner, data) in zone {
            let matches = data.record_type() == question.query_type() || data.record_type() == RecordType::CNAME;
            if *owner == name && matches {
                reply.add_answer(Record::from_rdata(Name::from_ascii(owner).unwrap(), 60, data.clone()));
            }
        }
        Some(reply.to_bytes().unwrap())
    }

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn question(name: &str, kind: RecordKind) -> Question {
        Question {
            name: name.to_owned(),
            kind,
        }
    }

    #[tokio::test]
    async fn every_kind_of_record_is_read() {
        let naptr = NAPTR::new(
            50,
            10,
            b"s"[..].into(),
            b"SIP+D2U"[..].into(),
            b""[..].into(),
            name("_sip._udp.example.test."),
        );
        let dns = Dns::new(
            serving(vec![
                ("example.test.", RData::NAPTR(naptr)),
                (
                    "_sip._udp.example.test.",
                    RData::SRV(SRV::new(10, 60, 5070, name("pbx.example.test."))),
                ),
                ("none.example.test.", RData::SRV(SRV::new(0, 0, 0, Name::root()))),
                ("pbx.example.test.", RData::A(A::new(192, 0, 2, 1))),
                ("pbx.example.test.", RData::A(A::new(192, 0, 2, 2))),
                ("pbx.example.test.", RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
            ]),
            BRIEF,
        );
        let naptr = Naptr {
            order: 50,
            preference: 10,
            flags: "s".to_owned(),
            service: "SIP+D2U".to_owned(),
            replacement: "_sip._udp.example.test".to_owned(),
        };
        let srv = |port, target: &str| Srv {
            priority: 10,
            weight: 60,
            port,
            target: target.to_owned(),
        };
        let refused = Srv {
            priority: 0,
            weight: 0,
            ..srv(0, ".")
        };
        let addresses = |texts: &[&str]| Records::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect());
        for (owner, kind, records) in [
            ("example.test", RecordKind::Naptr, Records::Naptr(vec![naptr])),
            (
                "_sip._udp.example.test",
                RecordKind::Srv,
                Records::Srv(vec![srv(5070, "pbx.example.test")]),
            ),
            ("none.example.test", RecordKind::Srv, Records::Srv(vec![refused])),
            ("pbx.example.test", RecordKind::A, addresses(&["192.0.2.1", "192.0.2.2"])),
            ("PBX.example.test", RecordKind::Aaaa, addresses(&["2001:db8::1"])),
        ] {
            assert_eq!(dns.ask(&question(owner, kind)).await, Ok(records), "{owner}");
        }
    }

    #[tokio::test]
    async fn a_cname_is_followed_and_not_counted_as_an_address() {
        let dns = Dns::new(
            serving(vec![
                ("alias.example.test.", RData::CNAME(CNAME(name("pbx.example.test.")))),
                ("pbx.example.test.", RData::A(A::new(192, 0, 2, 9))),
            ]),
            BRIEF,
        );
        let addresses = Records::Addresses(vec!["192.0.2.9".parse().unwrap()]);
        assert_eq!(dns.ask(&question("alias.example.test", RecordKind::A)).await, Ok(addresses));
    }

    #[tokio::test]
    async fn refusals_are_told_apart() {
        let dns = Dns::new(serving(vec![("pbx.example.test.", RData::A(A::new(192, 0, 2, 1)))]), BRIEF);
        for (owner, kind, error) in [
            ("gone.example.test", RecordKind::A, DnsError::NoSuchName),
            ("pbx.example.test", RecordKind::Srv, DnsError::NoRecords),
            ("servfail.example.test", RecordKind::A, DnsError::ServerFailure),
            ("refused.example.test", RecordKind::A, DnsError::Refused),
            ("no..name", RecordKind::A, DnsError::NoSuchName),
            ("", RecordKind::A, DnsError::NoSuchName),
        ] {
            assert_eq!(dns.ask(&question(owner, kind)).await, Err(error), "{owner}");
        }
    }

    #[tokio::test]
    async fn an_answer_too_long_for_a_datagram_comes_by_tcp() {
        // A port that is free for both.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok((length, client)) = udp.recv_from(&mut bytes) {
                let query = Message::from_bytes(&bytes[..length]).unwrap();
                let mut cut = Message::from_bytes(&reply(&query, &many(0)).unwrap()).unwrap();
                cut.metadata.truncation = true;
                udp.send_to(&cut.to_bytes().unwrap(), client).unwrap();
            }
        });
        thread::spawn(move || {
            let (mut stream, _) = tcp.accept().unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut bytes = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut bytes).unwrap();
            let reply = reply(&Message::from_bytes(&bytes).unwrap(), &many(1500)).unwrap();
            stream.write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes()).unwrap();
            stream.write_all(&reply).unwrap();
        });
        let answer = Dns::new(Some(address), BRIEF)
            .ask(&question("many.example.test", RecordKind::A))
            .await;
        let Ok(Records::Addresses(addresses)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(addresses.len(), MOST_RECORDS, "and no more than is looked at");
    }

    fn many(count: u32) -> Zone {
        (0..count)
            .map(|index| ("many.example.test.", RData::A(A(Ipv4Addr::from(0x0a00_0000 + index)))))
            .collect()
    }

    #[tokio::test]
    async fn silence_junk_and_a_closed_port_are_no_answer() {
        let dns = Dns::new(serving(Vec::new()), BRIEF);
        let silent = question("silent.example.test", RecordKind::A);
        assert_eq!(dns.ask(&silent).await, Err(DnsError::Timeout));
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(Dns::new(Some(closed), BRIEF).ask(&silent).await, Err(DnsError::Timeout));
    }

    #[tokio::test]
    async fn localhost_is_answered_without_asking_anybody() {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let dns = Dns::new(Some(closed), BRIEF);
        let loopback = Records::Addresses(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        assert_eq!(dns.ask(&question("localhost", RecordKind::A)).await, Ok(loopback));
        assert_eq!(
            dns.ask(&question("_sip._udp.localhost", RecordKind::Srv)).await,
            Err(DnsError::NoRecords)
        );
    }
}

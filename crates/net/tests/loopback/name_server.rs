//! A name server of a few lines on the loopback.

use std::net::{SocketAddr, UdpSocket};
use std::thread;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record};
use hickory_proto::serialize::binary::{BinDecodable as _, BinEncodable as _};

pub(crate) type Zone = Vec<(&'static str, RData)>;

/// Answers from `zone`; names that are not in it do not exist.
pub(crate) fn serving(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut bytes) {
            let query = Message::from_bytes(&bytes[..length]).unwrap();
            socket.send_to(&answer(&query, &zone), client).unwrap();
        }
    });
    address
}

fn answer(query: &Message, zone: &Zone) -> Vec<u8> {
    let question = query.queries.first().unwrap();
    let name = question.name().to_ascii().to_lowercase();
    let mut reply = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    reply.add_query(question.clone());
    if zone.iter().all(|(owner, _)| *owner != name) {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    for (owner, data) in zone {
        if *owner == name && data.record_type() == question.query_type() {
            reply.add_answer(Record::from_rdata(Name::from_ascii(owner).unwrap(), 60, data.clone()));
        }
    }
    reply.to_bytes().unwrap()
}

pub(crate) fn loopback() -> RData {
    RData::A(A::new(127, 0, 0, 1))
}

//! The responder allocates nothing once its caller's buffer has grown. In a test program of its own, because it counts every
//! allocation.

use allocation_counter::measure;
use sip_digest::Algorithm;
use sip_registrar::Responder;

const REQUEST: &str = "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;rport;branch=z9hG4bK1\r\n\
    v: SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK2\r\nFrom: \"A\" <sip:a@example.test>;tag=1\r\nTo: <sip:a@example.test>\r\n\
    Call-ID: 1\r\nCSeq: 2\r\n REGISTER\r\nContact: <sip:a@192.0.2.9>;+sip.instance=\"<urn:uuid:1>\";expires=60, <sip:b@h>\r\n";

#[test]
fn replies_are_written_without_an_allocation() {
    let responder = Responder::new("example.test", Algorithm::Sha256, 3600);
    let challenged = format!("{REQUEST}Content-Length: 0\r\n\r\n");
    let confirmed = format!("{REQUEST}Authorization: Digest x=y\r\nContent-Length: 0\r\n\r\n");
    let mut reply = Vec::with_capacity(4096);
    for source in ["192.0.2.9:5060", "[2001:db8::7]:40000"] {
        let source = source.parse().expect("an address");
        for request in [&challenged, &confirmed] {
            let counted = measure(|| {
                let to = responder.respond(source, false, request.as_bytes(), &mut reply);
                assert_eq!(to, Some(source));
            });
            assert_eq!(counted.count_total, 0, "{request}");
        }
    }
}

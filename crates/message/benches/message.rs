//! What it costs to read a challenge, to read a success with three bindings, and to write a REGISTER. rsip, rsipstack and
//! ezk-sip-types do the same work in the same run. `cargo bench -p sip-message --bench message`. The time of a peer beside ours is the
//! measure, not the nanoseconds of one machine.

#[path = "message/ezks.rs"]
mod ezks;
#[path = "message/ours.rs"]
mod ours;
#[path = "../../../benches/processor_time/mod.rs"]
mod processor_time;
#[path = "message/rsips.rs"]
mod rsips;
#[path = "message/rsipstacks.rs"]
mod rsipstacks;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use processor_time::ProcessorTime;

/// 13 headers.
const CHALLENGE: &[u8] = b"SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000000.0123456789abcdef;rport=40112;received=198.51.100.7\r\n\
    From: \"Alice\" <sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57\r\n\
    To: \"Alice\" <sip:alice@pbx.example.com>;tag=as5f0c5b1d\r\n\
    Call-ID: 4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32@192.0.2.10\r\n\
    CSeq: 1 REGISTER\r\n\
    Server: Example PBX 20.11.1\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE\r\n\
    Supported: replaces, timer, path, outbound\r\n\
    Date: Sat, 21 Nov 2026 11:10:09 GMT\r\n\
    WWW-Authenticate: Digest realm=\"pbx.example.com\", nonce=\"5f1a7c2b9d3e4f60718293a4b5c6d7e8\", algorithm=MD5, opaque=\"0f1e2d3c\", qop=\"auth\"\r\n\
    X-Request: 00112233-4455-6677-8899-aabbccddeeff\r\n\
    Warning: 399 pbx.example.com \"please authenticate\"\r\n\
    Content-Length: 0\r\n\r\n";

/// 14 headers with three Contacts.
const SUCCESS: &[u8] = b"SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0000000100000001.0123456789abcdef;rport=40112;received=198.51.100.7\r\n\
    From: \"Alice\" <sip:alice@pbx.example.com>;tag=8f3a6c1e0b2d4f57\r\n\
    To: \"Alice\" <sip:alice@pbx.example.com>;tag=as5f0c5b1d\r\n\
    Call-ID: 4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32@192.0.2.10\r\n\
    CSeq: 2 REGISTER\r\n\
    Server: Example PBX 20.11.1\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n\
    Supported: replaces, path\r\n\
    Contact: <sip:alice@192.0.2.10:5060>;expires=300\r\n\
    Contact: <sip:alice@192.0.2.11:5062>;expires=120\r\n\
    Contact: <sip:alice@192.0.2.12:5064>;expires=60\r\n\
    Expires: 300\r\n\
    Date: Sat, 21 Nov 2026 11:10:09 GMT\r\n\
    Content-Length: 0\r\n\r\n";

fn reading(criterion: &mut Criterion<ProcessorTime>) {
    for (name, bytes) in [("401", CHALLENGE), ("200", SUCCESS)] {
        // A figure for unlike work would mean nothing: everybody must have read all there is.
        ours::fields(&ours::index(bytes)).expect("sip-message reads every field");
        rsips::fields(&rsips::index(bytes)).expect("rsip reads every field");
        rsipstacks::fields(&rsipstacks::index(bytes)).expect("rsipstack reads every field");
        ezks::fields(&ezks::index(bytes)).expect("ezk-sip-types reads every field");

        let mut index = criterion.benchmark_group(format!("index {name}"));
        index.bench_function("sip-message", |bencher| bencher.iter(|| ours::index(black_box(bytes)).status));
        index.bench_function("rsip", |bencher| bencher.iter(|| rsips::index(black_box(bytes))));
        index.bench_function("rsipstack", |bencher| bencher.iter(|| rsipstacks::index(black_box(bytes))));
        index.bench_function("ezk-sip-types", |bencher| bencher.iter(|| ezks::index(black_box(bytes))));
        index.finish();

        let mut fields = criterion.benchmark_group(format!("all fields {name}"));
        fields.bench_function("sip-message", |bencher| {
            bencher.iter(|| ours::fields(&ours::index(black_box(bytes))))
        });
        fields.bench_function("rsip", |bencher| bencher.iter(|| rsips::fields(&rsips::index(black_box(bytes)))));
        fields.bench_function("rsipstack", |bencher| {
            bencher.iter(|| rsipstacks::fields(&rsipstacks::index(black_box(bytes))))
        });
        fields.bench_function("ezk-sip-types", |bencher| {
            bencher.iter(|| ezks::fields(&ezks::index(black_box(bytes))))
        });
        fields.finish();
    }
}

fn writing(criterion: &mut Criterion<ProcessorTime>) {
    let mut write = criterion.benchmark_group("write REGISTER");
    let mut out = Vec::with_capacity(2048);
    write.bench_function("sip-message", |bencher| {
        bencher.iter(|| {
            ours::write(black_box(&mut out));
            out.len()
        });
    });
    write.bench_function("rsip", |bencher| bencher.iter(rsips::write));
    write.bench_function("rsipstack", |bencher| bencher.iter(rsipstacks::write));
    write.finish();
}

criterion_group!(name = benches; config = processor_time::criterion(); targets = reading, writing);
criterion_main!(benches);

//! What it costs to read a challenge and to write the answer to it: three hashes, by algorithm. `cargo bench -p sip-digest --bench digest`.

#[path = "../../../benches/processor_time/mod.rs"]
mod processor_time;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use processor_time::ProcessorTime;
use sip_digest::{Answer, Offers, Request, Secret};
use sip_message::{ChallengeSource, Message, Writer};

fn reply(algorithm: &str) -> String {
    format!(
        "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"pbx.example.com\", nonce=\"5f1a7c2b9d3e4f60718293a4b5c6d7e8\", \
         algorithm={algorithm}, opaque=\"0f1e2d3c\", qop=\"auth\"\r\n\r\n"
    )
}

fn digest(criterion: &mut Criterion<ProcessorTime>) {
    let secret = Secret::Password("correct horse battery staple".into());
    for algorithm in ["MD5", "SHA-256", "SHA-512-256"] {
        let reply = reply(algorithm);
        let message = Message::parse(reply.as_bytes()).expect("the reply is readable");
        let mut offers = Offers::read(message.headers());
        criterion.bench_function(&format!("read a challenge, {algorithm}"), |bencher| {
            bencher.iter(|| offers.read_again(black_box(message.headers())));
        });
        let challenge = offers.strongest(ChallengeSource::Www).expect("the algorithm is supported");
        let answer = Answer {
            nonce_count: 1,
            cnonce: "0a4f113b5ec4e7d1",
        };
        let request = Request {
            method: b"REGISTER",
            uri: b"sip:pbx.example.com",
            body: b"",
        };
        let mut out = Vec::with_capacity(1024);
        criterion.bench_function(&format!("answer, {algorithm}"), |bencher| {
            bencher.iter(|| {
                let mut written = Ok(());
                Writer::request(black_box(&mut out), b"REGISTER", b"sip:pbx.example.com")
                    .header("Authorization", |value| {
                        written = challenge.write_answer(value, &answer, &request, "alice", &secret);
                    })
                    .finish(b"");
                written.expect("the challenge can be answered");
                out.len()
            });
        });
    }
}

criterion_group!(name = benches; config = processor_time::criterion(); targets = digest);
criterion_main!(benches);

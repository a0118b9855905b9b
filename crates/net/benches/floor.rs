//! The floor under a registration on this machine: what the kernel takes for its datagrams when nothing is done with them, one in a
//! call and many in a call, and what the responder at the other end takes. `cargo bench -p sip-net --bench floor`; docs/performance.md holds
//! the client's figures against it. Not for the client's own work: see the other benches.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use sip_digest::Algorithm;
use sip_registrar::Responder;

/// As `regprobe load` sends them, first without and then with credentials.
const REQUEST: &str = "REGISTER sip:127.0.0.1:40000 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 127.0.0.1:50000;rport;branch=z9hG4bK0000000100000000.0123456789abcdef\r\nMax-Forwards: 70\r\n\
    From: <sip:u12345@127.0.0.1:40000>;tag=8f3a6c1e0b2d4f57\r\nTo: <sip:u12345@127.0.0.1:40000>\r\n\
    Call-ID: 4c1fe2f5a7b94e3c9d0a6b8c7d5e4f32\r\nCSeq: 1 REGISTER\r\nContact: <sip:u12345@127.0.0.1:50000>;expires=300\r\n\
    Expires: 300\r\nUser-Agent: regprobe\r\n";
const CREDENTIALS: &str = "Authorization: Digest username=\"u12345\", realm=\"regprobe.lab\", nonce=\"0123456789abcdef0123456789abcdef\", \
    uri=\"sip:127.0.0.1:40000\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, cnonce=\"0123456789abcdef\", qop=auth, \
    nc=00000001\r\n";
const END: &str = "Content-Length: 0\r\n\r\n";

/// Datagrams of one batched call.
const BATCH: usize = 64;

fn main() {
    // `cargo test` runs benches too, to see that they work; `cargo bench` says so.
    let seconds = if std::env::args().any(|argument| argument == "--bench") {
        2.0
    } else {
        0.02
    };
    let time = Duration::from_secs_f64(seconds);
    let requests = [format!("{REQUEST}{END}"), format!("{REQUEST}{CREDENTIALS}{END}")].map(String::into_bytes);
    let replies = requests.clone().map(|request| {
        let mut reply = Vec::new();
        let responder = Responder::new("regprobe.lab", Algorithm::Md5, 3600);
        responder.respond(([127, 0, 0, 1], 50_000).into(), false, &request, &mut reply);
        reply
    });
    let sizes = [&requests[0], &replies[0], &requests[1], &replies[1]].map(Vec::len);
    println!(
        "one registration is 2 round trips: {} + {} and {} + {} bytes",
        sizes[0], sizes[1], sizes[2], sizes[3]
    );
    for (name, cost) in [
        ("one datagram a call", singly(&requests, &replies, time)),
        ("64 datagrams a call", batched(&requests, &replies, time)),
    ] {
        println!(
            "{name}: {:.2} us of client CPU a registration, {:.0} registrations/s",
            cost.micros, cost.rate
        );
    }
    println!(
        "the responder's own work: {:.2} us a registration (401 and 200)",
        answering(&requests, time)
    );
}

/// What one registration costs the client's thread, in microseconds, and how many there were in a second.
struct Cost {
    micros: f64,
    rate: f64,
}

/// Counts the registrations of `register` until the time is over.
fn measure(time: Duration, mut register: impl FnMut() -> u32) -> Cost {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("Linux counts a thread's time");
        let both = usage.user_time() + usage.system_time();
        both.tv_sec() as f64 * 1e6 + both.tv_usec() as f64
    };
    let (start, before) = (Instant::now(), used());
    let mut registered = 0.0;
    while start.elapsed() < time {
        registered += f64::from(register());
    }
    let (took, after) = (start.elapsed(), used());
    Cost {
        micros: (after - before) / registered,
        rate: registered / took.as_secs_f64(),
    }
}

/// A socket of the client, connected to one that echoes, both on the loopback interface.
fn sockets() -> (UdpSocket, UdpSocket) {
    let free: SocketAddr = ([127, 0, 0, 1], 0).into();
    let [client, server] = [(); 2].map(|()| UdpSocket::bind(free).expect("loopback has free ports"));
    client
        .connect(server.local_addr().expect("it is bound"))
        .expect("loopback can be reached");
    server
        .connect(client.local_addr().expect("it is bound"))
        .expect("loopback can be reached");
    for socket in [&client, &server] {
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a socket has a time limit");
    }
    (client, server)
}

/// One outstanding request, a call for each datagram.
fn singly(requests: &[Vec<u8>; 2], replies: &[Vec<u8>; 2], time: Duration) -> Cost {
    let (client, server) = sockets();
    let replies = replies.clone();
    let echo = thread::spawn(move || {
        let mut buffer = [0; 2048];
        // An empty datagram ends it.
        for reply in replies.iter().cycle() {
            if server.recv(&mut buffer).expect("the client sends") == 0 {
                return;
            }
            server.send(reply).expect("the client listens");
        }
    });
    let mut buffer = [0; 2048];
    let cost = measure(time, || {
        for request in requests {
            client.send(request).expect("the server listens");
            client.recv(&mut buffer).expect("the server replies");
        }
        1
    });
    client.send(&[]).expect("the server listens");
    echo.join().expect("the server has not failed");
    cost
}

/// A batch outstanding: half of it requests without credentials, half with.
fn batched(requests: &[Vec<u8>; 2], replies: &[Vec<u8>; 2], time: Duration) -> Cost {
    let (client, server) = sockets();
    let replies = replies.clone();
    let echo = thread::spawn(move || {
        let mut calls = Calls::default();
        loop {
            let received = calls.receive(&server);
            if calls.lengths.contains(&0) {
                return;
            }
            calls.send(&server, &replies, received);
        }
    });
    let mut calls = Calls::default();
    let cost = measure(time, || {
        calls.send(&client, requests, BATCH);
        let mut missing = BATCH;
        while missing > 0 {
            missing -= calls.receive(&client).min(missing);
        }
        u32::try_from(BATCH / 2).unwrap_or_default()
    });
    client.send(&[]).expect("the server listens");
    echo.join().expect("the server has not failed");
    cost
}

/// The headers and buffers of batched calls.
struct Calls {
    inward: MultiHeaders<SockaddrStorage>,
    outward: MultiHeaders<SockaddrStorage>,
    buffers: Vec<[u8; 2048]>,
    /// Of the datagrams that were received last.
    lengths: Vec<usize>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            inward: MultiHeaders::preallocate(BATCH, None),
            outward: MultiHeaders::preallocate(BATCH, None),
            buffers: vec![[0; 2048]; BATCH],
            lengths: Vec::new(),
        }
    }
}

impl Calls {
    /// Waits for one datagram, and takes those that came with it.
    fn receive(&mut self, socket: &UdpSocket) -> usize {
        let mut slices: Vec<_> = self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.inward,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        );
        self.lengths.clear();
        self.lengths
            .extend(received.expect("the other side sends").map(|datagram| datagram.bytes));
        self.lengths.len()
    }

    /// Sends so many datagrams, of each content in turn.
    fn send(&mut self, socket: &UdpSocket, contents: &[Vec<u8>; 2], count: usize) {
        let slices: Vec<_> = contents.iter().cycle().take(count).map(|content| [IoSlice::new(content)]).collect();
        let mut sent = 0;
        while sent < count {
            let nowhere: Vec<Option<SockaddrStorage>> = vec![None; count - sent];
            let no_control: [ControlMessage<'_>; 0] = [];
            let rest = &slices[sent..];
            let calls = sendmmsg(socket.as_raw_fd(), &mut self.outward, rest, &nowhere, no_control, MsgFlags::empty());
            sent += calls.expect("the other side listens").count();
        }
    }
}

/// Microseconds of the responder for one registration, without sockets.
fn answering(requests: &[Vec<u8>; 2], time: Duration) -> f64 {
    let responder = Responder::new("regprobe.lab", Algorithm::Md5, 3600);
    let mut reply = Vec::new();
    let cost = measure(time, || {
        for _ in 0..100 {
            for request in requests {
                let to = responder.respond(([127, 0, 0, 1], 50_000).into(), false, std::hint::black_box(request), &mut reply);
                std::hint::black_box(to);
            }
        }
        100
    });
    cost.micros
}

//! Traffic that nobody asked for, and much of it, while the program waits for what it did ask for (CVE-2021-41145's class: requests that
//! take memory before anybody knows whose they are). Not by the clock: so many datagrams, counted, with a look at the process on the way.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::thread;

use crate::lab::{command, interrupt, text};
use crate::program::PASSWORD;
use crate::support::hostile::{Hostile, Request};

/// What a process has of the system.
#[derive(Clone, Copy, Debug)]
struct Holdings {
    /// Heap and other private memory, in KiB (proc(5), `VmData`).
    data: u64,
    /// Open files.
    descriptors: usize,
}

impl Holdings {
    fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
        let data = status
            .lines()
            .find_map(|line| line.strip_prefix("VmData:"))
            .expect("Linux tells it");
        Self {
            data: data.trim().trim_end_matches(" kB").parse().expect("it is a number"),
            descriptors: fs::read_dir(format!("/proc/{process}/fd")).expect("the process runs").count(),
        }
    }

    /// Holds a later look to this one.
    #[track_caller]
    fn assert_flat(self, later: Self) {
        assert!(later.data <= self.data + MORE_DATA, "{self:?} became {later:?}");
        assert!(later.descriptors <= self.descriptors + 2, "{self:?} became {later:?}");
    }
}

/// What may come on top while the first part of a flood fills the buffers, in KiB.
const MORE_DATA: u64 = 2 * 1024;
/// How many datagrams there are in each half of a flood.
const HALF: usize = 60_000;

/// All kinds of what nobody asked for.
fn unsolicited(number: usize, client: SocketAddr) -> Vec<u8> {
    let request = |method: &str| {
        format!(
            "{method} sip:alice@{client} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{number}\r\nFrom: <sip:x{number}@h>;tag={number}\r\n\
             To: <sip:alice@h>\r\nCall-ID: {number}\r\nCSeq: {number} {method}\r\nContact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    };
    let reply = |code: u16| {
        format!("SIP/2.0 {code} No\r\nVia: SIP/2.0/UDP {client};branch=z9hG4bK{number}\r\nCall-ID: {number}\r\nCSeq: 1 REGISTER\r\n\r\n")
            .into_bytes()
    };
    match number % 9 {
        0 => request("INVITE"),
        1 => request("OPTIONS"),
        2 => request("NOTIFY"),
        3 => request(&format!("X{number}")),
        4 => reply(200),
        5 => reply(401),
        6 => vec![0xff; 1400],
        7 => b"\r\n\r\n".to_vec(),
        _ => Vec::new(),
    }
}

/// The real exchange is answered when both halves of the flood are over, with a look at the process after each.
#[test]
fn a_flood_of_datagrams_leaves_memory_and_descriptors_as_they_are() {
    let (heard, requests) = mpsc::channel::<Request>();
    let peer = Hostile::udp(move |request, _| {
        // Retransmissions come when nobody listens any more.
        let _ = heard.send(request.clone());
    });
    let aor = format!("sip:alice@{}", peer.address());
    let child = command(PASSWORD, &["probe", &aor, "--transport", "udp", "--timeout", "50s"])
        .spawn()
        .expect("the program was built together with this test");
    let first = requests.recv().expect("the program asks");
    let strangers: Vec<UdpSocket> = (0..64).map(|_| UdpSocket::bind("127.0.0.1:0").expect("there are ports")).collect();
    let flood = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            // What finds no room is lost, as it is in the field.
            let _ = strangers[number % strangers.len()].send_to(&unsolicited(number, first.client), first.client);
        }
    };
    flood(0..HALF);
    let before = Holdings::of(child.id());
    flood(HALF..2 * HALF);
    before.assert_flat(Holdings::of(child.id()));
    interrupt(&child);
    let ended = child.wait_with_output().expect("it was not waited for before");
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended.stdout));
}

/// The same while a registration is kept: connections to its port, and datagrams. It is still bound afterwards, and removed in the end.
#[test]
fn a_registration_that_is_kept_outlives_a_flood() {
    let (heard, requests) = mpsc::channel::<Request>();
    let peer = Hostile::udp(move |request, line| {
        line.send(request.granted());
        let _ = heard.send(request.clone());
    });
    let list = crate::lab::scratch("flooded.csv", format!("aor\nsip:alice@{}\n", peer.address()).as_bytes());
    let list = list.to_str().expect("a test's path is text").to_owned();
    let child = command(PASSWORD, &["watch", &list, "--output", "jsonl"])
        .spawn()
        .expect("the program was built together with this test");
    let first = requests.recv().expect("the program asks");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("there are ports");
    let flood = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let _ = stranger.send_to(&unsolicited(number, first.client), first.client);
        }
    };
    flood(0..HALF);
    let before = Holdings::of(child.id());
    flood(HALF..2 * HALF);
    before.assert_flat(Holdings::of(child.id()));
    interrupt(&child);
    let ended = child.wait_with_output().expect("it was not waited for before");
    let status = ended.status.code();
    assert!(
        [Some(0), Some(130)].contains(&status),
        "{status:?}: {}{}",
        text(&ended.stdout),
        text(&ended.stderr)
    );
    assert!(requests.try_iter().any(|request| request.removes()), "it was not removed");
}

/// A registrar of the lab whose connections are opened by the thousand, each with half a request (CVE-2007-6750's class): it lets go of
/// them, and serves the next one.
#[test]
fn a_lab_registrar_outlives_a_flood_of_connections() {
    let lab = crate::lab::Lab::start(PASSWORD, &[]);
    let address = lab.address("tcp").to_owned();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let mut stream = TcpStream::connect(&address).expect("somebody listens");
                    // Whoever is sent away already cannot write.
                    let _ = stream.write_all(b"REGISTER sip:h SIP/2.0\r\nVia: ");
                }
            });
        }
    });
    let probe = crate::lab::run(PASSWORD, &["probe", &lab.alice("tcp"), "--transport", "tcp"]);
    assert_eq!(probe.status.code(), Some(0), "{}", text(&probe.stdout));
    lab.end();
}

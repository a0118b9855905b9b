//! Peers that misbehave on the socket. What they may say in SIP is the registrar's script of faults, tested elsewhere.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sip_net::{Options, probe};
use sip_registrar::Config;
use sip_registration::{Cause, State, Transport};
use socket2::SockRef;

use crate::accounts::{alice, within};
use crate::lab::Lab;

/// A TCP peer that reads the request and does as it is told.
fn scripted(script: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        script(stream);
    });
    address
}

async fn cause_of(address: SocketAddr, timeout: Duration) -> (Option<Cause>, String) {
    let report = probe(alice(&format!("sip:{address};transport=tcp")), &within(timeout)).await;
    (report.cause, report.detail)
}

#[tokio::test]
async fn a_peer_that_hangs_up_resets_or_stops_half_way_loses_the_connection() {
    let long = Duration::from_secs(600);
    let hangs_up = scripted(drop);
    let resets = scripted(|stream| SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap());
    let half_way = scripted(|mut stream| stream.write_all(b"SIP/2.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf").unwrap());
    for address in [hangs_up, resets, half_way] {
        let (cause, detail) = cause_of(address, long).await;
        assert_eq!(cause, Some(Cause::ConnectionLost), "{detail}");
    }
}

#[tokio::test]
async fn an_endless_head_and_a_huge_length_end_the_connection() {
    let long = Duration::from_secs(600);
    let endless = scripted(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let huge = scripted(|mut stream| {
        let _ = stream.write_all(b"SIP/2.0 200 OK\r\nContent-Length: 4294967296\r\n\r\n");
        let _ = stream.read(&mut [0; 16]);
    });
    for address in [endless, huge] {
        let (cause, detail) = cause_of(address, long).await;
        assert!(
            matches!(cause, Some(Cause::MalformedReply | Cause::ConnectionLost)),
            "{cause:?} {detail}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_drips_and_one_that_never_reads_end_at_the_timeout() {
    let drips = scripted(|mut stream| {
        for byte in b"SIP/2.0 100 Trying\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::yield_now();
        }
    });
    let idle = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [drips, idle.local_addr().unwrap()] {
        let (cause, detail) = cause_of(address, Duration::from_millis(500)).await;
        assert!(cause.is_some(), "{detail}");
    }
}

#[tokio::test]
async fn a_flood_of_strangers_datagrams_does_not_keep_a_probe_from_its_end() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    // The strangers have to know our port.
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let flood = thread::spawn({
        let over = Arc::clone(&over);
        move || {
            let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
            while !over.load(Ordering::Relaxed) {
                let _ = stranger.send_to(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKno\r\n\r\n", port);
            }
        }
    });
    let report = probe(
        alice(&lab.uri(Transport::Udp)),
        &Options {
            local: Some(port),
            ..Options::default()
        },
    )
    .await;
    over.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    assert_eq!(report.state, State::Registered, "{}", report.detail);
    lab.stop().await;
}

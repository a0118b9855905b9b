//! The stateless responder on real sockets: over every transport, on several threads, and for many datagrams at once.

use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::time::Duration;

use sip_digest::Algorithm;
use sip_net::{LabCertificate, ListenerError, Options, Responding, probe};
use sip_registrar::Responder;
use sip_registration::{Account, Transport};
use tokio::sync::oneshot;

use crate::accounts::alice;

const FREE: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0));

/// Runs `clients` while a responder on two threads answers, and sees to it that it ends.
async fn beside<T>(responding: Responding, clients: impl Future<Output = T>) -> T {
    let (stop, stopped) = oneshot::channel();
    let responder = Responder::new("example.test", Algorithm::Sha256, 60);
    let served = tokio::spawn(responding.run(responder, async move { drop(stopped.await) }));
    let outcome = clients.await;
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    outcome
}

fn two_threads() -> Responding {
    Responding::new(NonZeroUsize::new(2).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_registers_over_every_transport_and_is_granted_the_most() {
    let mut responding = two_threads();
    let certificate = LabCertificate::issue(&["127.0.0.1"]).unwrap();
    let authority = std::env::temp_dir().join(format!("sip-net-responder-{:016x}.pem", rand::random::<u64>()));
    std::fs::write(&authority, &certificate.authority).unwrap();
    let mut options = Options::default();
    options.tls.ca_file = Some(authority.clone());
    let places = [
        (Transport::Udp, responding.udp(FREE).unwrap()),
        (Transport::Tcp, responding.tcp(FREE).unwrap()),
        (Transport::Tls, responding.tls(FREE, &certificate.server_config().unwrap()).unwrap()),
    ];
    let reports = beside(responding, async {
        let mut reports = Vec::new();
        for (transport, address) in places {
            let account = Account {
                transport: Some(transport),
                ..alice(&format!("sip:{address};transport={}", transport.name()))
            };
            reports.push(probe(account, &options).await);
        }
        reports
    })
    .await;
    for report in reports {
        assert!(report.registered, "{report:?}");
        assert_eq!(report.binding.unwrap().expires_s, 60);
    }
    std::fs::remove_file(authority).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_in_a_burst_are_each_answered_and_noise_among_them_is_not() {
    let mut responding = two_threads();
    let address = responding.udp(FREE).unwrap();
    let replies = beside(responding, async move {
        tokio::task::spawn_blocking(move || burst(address)).await.unwrap()
    })
    .await;
    let expected: Vec<_> = (0..100).filter(|number| number % 10 != 0).collect();
    assert_eq!(replies, expected);
}

/// Sends 100 datagrams, every tenth of them noise, and reads which were answered.
fn burst(address: SocketAddr) -> Vec<u32> {
    let socket = UdpSocket::bind(FREE).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for number in 0..100 {
        let request =
            format!("OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{number}\r\nCSeq: {number} OPTIONS\r\n\r\n");
        let message = if number % 10 == 0 { "noise" } else { &request };
        socket.send_to(message.as_bytes(), address).unwrap();
    }
    let mut numbers: Vec<u32> = (0..90)
        .map(|_| {
            let mut buffer = [0; 2048];
            let (length, _) = socket.recv_from(&mut buffer).expect("a reply comes");
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap();
            cseq.trim_end_matches(" OPTIONS").parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn a_taken_address_is_told() {
    let mut first = Responding::new(NonZeroUsize::MIN);
    let taken = first.tcp(FREE).unwrap();
    let refused = Responding::new(NonZeroUsize::MIN).tcp(taken);
    assert!(
        matches!(refused, Err(ListenerError::Bind { address, .. }) if address == taken),
        "{refused:?}"
    );
}

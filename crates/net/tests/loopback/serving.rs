//! The registrar's own sockets, against clients that are scripted byte by byte.

use std::time::Duration;

use sip_net::{LabCertificate, Listener, ListenerError, server_config_from_files};
use sip_registrar::Config;
use sip_registration::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::lab::Lab;

const OPTIONS: &str = "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
    To: <sip:example.test>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

async fn read_until_close(mut stream: TcpStream) -> String {
    let mut text = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut text))
        .await
        .expect("the server closes")
        .unwrap();
    text
}

#[tokio::test]
async fn requests_in_pieces_and_in_heaps_are_answered_in_order() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let mut stream = TcpStream::connect(lab.address(Transport::Tcp)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in OPTIONS.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
    }
    let heap = format!(
        "\r\n\r\n{}{}",
        OPTIONS.replace("CSeq: 1", "CSeq: 2"),
        OPTIONS.replace("CSeq: 1", "CSeq: 3")
    );
    stream.write_all(heap.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let replies = read_until_close(stream).await;
    let order: Vec<_> = replies.lines().filter(|line| line.starts_with("CSeq:")).collect();
    assert_eq!(order, ["CSeq: 1 OPTIONS", "CSeq: 2 OPTIONS", "CSeq: 3 OPTIONS"]);
    lab.stop().await;
}

#[tokio::test]
async fn a_ping_in_pieces_on_a_stream_gets_its_pong() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let mut stream = TcpStream::connect(lab.address(Transport::Tcp)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"\r\n\r\n" {
        stream.write_all(&[*byte]).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    assert_eq!(read_until_close(stream).await, "\r\n");
    lab.stop().await;
}

#[tokio::test]
async fn a_stream_past_saving_is_closed_and_the_others_go_on() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let mut broken = TcpStream::connect(lab.address(Transport::Tcp)).await.unwrap();
    broken
        .write_all(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(read_until_close(broken).await, "");
    let mut good = TcpStream::connect(lab.address(Transport::Tcp)).await.unwrap();
    good.write_all(OPTIONS.as_bytes()).await.unwrap();
    let mut start = [0; 14];
    good.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"SIP/2.0 200 OK");
    lab.stop().await;
}

#[tokio::test]
async fn a_plaintext_client_of_the_tls_port_is_sent_away() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let mut client = TcpStream::connect(lab.address(Transport::Tls)).await.unwrap();
    client.write_all(OPTIONS.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // An alert, or nothing; never SIP.
    let _ = timeout(Duration::from_secs(10), client.read_to_end(&mut bytes))
        .await
        .expect("the server closes");
    assert!(!bytes.starts_with(b"SIP"));
    assert_eq!(lab.stop().await.counters().requests, 0);
}

#[tokio::test]
async fn a_taken_address_and_unusable_files_are_errors_that_name_them() {
    let taken = Listener::tcp("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = Listener::tcp(taken.address()).await.unwrap_err();
    assert!(matches!(error, ListenerError::Bind { address, .. } if address == taken.address()));
    assert!(error.to_string().contains(&taken.address().to_string()));
    let missing = server_config_from_files("/nonexistent/cert.pem".as_ref(), "/nonexistent/key.pem".as_ref()).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent/cert.pem"));
    assert!(LabCertificate::issue(&["ünïcode"]).is_err());
}

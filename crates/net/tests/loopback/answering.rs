//! Requests that come to a registration that is kept: the answer is on the wire when they are told of, on UDP and TCP.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use sip_net::{Driver, Network};
use sip_registrar::Config;
use sip_registration::{Account, Ending, Event, Goal, IncomingRequest, Policy, Registrant, Transport};

use crate::accounts::alice;
use crate::lab::Lab;

/// A driver that keeps this account registered.
struct Kept {
    driver: Driver,
    /// Where the registrar holds us to be.
    contact: String,
}

impl Kept {
    async fn register(account: Account) -> Self {
        let mut driver = Driver::new(Registrant::new([3; 32], Policy::default()), Network::default());
        let (registrant, now) = driver.registrant();
        let key = registrant.add(now, Arc::new(account));
        driver.order(key, Goal::Register);
        loop {
            if let (_, Event::Attempt(attempt)) = driver.next().await {
                assert_eq!(attempt.ending, Ending::Succeeded, "{}", attempt.words);
                let contact = attempt.binding.unwrap().sent.to_string();
                return Self { driver, contact };
            }
        }
    }

    /// The next request that the other side sends.
    async fn asked(&mut self) -> IncomingRequest {
        loop {
            if let (_, Event::Request(request)) = self.driver.next().await {
                return *request;
            }
        }
    }
}

fn options(contact: &str, from: SocketAddr, call_id: &str) -> String {
    format!(
        "OPTIONS {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{call_id}\r\nFrom: <sip:ping@h>;tag=1\r\nTo: <{contact}>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// What every answer to it has to say.
fn holds(answer: &str, call_id: &str) {
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    for part in [
        "Server: sip-net test\r\n",
        "CSeq: 1 OPTIONS\r\n",
        &format!("Call-ID: {call_id}\r\n"),
        ";tag=",
    ] {
        assert!(answer.contains(part), "{part} is missing: {answer}");
    }
}

fn socket(host: &str) -> UdpSocket {
    let socket = UdpSocket::bind((host, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn datagram(socket: &UdpSocket) -> String {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn over_udp_the_registrars_host_is_answered_and_nobody_else() {
    let lab = Lab::start("127.0.0.1", Config::default()).await;
    let mut kept = Kept::register(alice(&lab.uri(Transport::Udp))).await;
    let (user, at) = kept.contact.rsplit_once('@').unwrap();
    assert_eq!(user, "sip:alice-probe");
    let contact = (kept.contact.clone(), at.parse::<SocketAddr>().unwrap());
    let ask = |from: &UdpSocket, call_id| {
        let text = options(&contact.0, from.local_addr().unwrap(), call_id);
        from.send_to(text.as_bytes(), contact.1).unwrap();
    };
    let (stranger, registrar) = (socket("127.0.0.2"), socket("127.0.0.1"));
    ask(&stranger, "stranger");
    let told = kept.asked().await;
    assert_eq!((told.call_id.as_str(), told.from_peer, told.answer), ("stranger", false, None));
    ask(&registrar, "registrar");
    let told = kept.asked().await;
    assert_eq!((told.call_id.as_str(), told.from_peer, told.answer), ("registrar", true, Some(200)));
    let answer = datagram(&registrar);
    holds(&answer, "registrar");
    let port = registrar.local_addr().unwrap().port();
    assert!(
        answer.contains(&format!(";rport={port};")) && answer.contains(";received=127.0.0.1"),
        "{answer}"
    );
    stranger.set_nonblocking(true).unwrap();
    assert_eq!(stranger.recv(&mut [0; 10]).unwrap_err().kind(), ErrorKind::WouldBlock);
    let counters = kept.driver.registrant().0.counters();
    assert_eq!((counters.requests, counters.answered, counters.strays), (2, 1, 0));
    lab.stop().await;
}

/// A request, or a reply, up to its empty line.
fn head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
    text
}

/// The registrar is a script that answers the REGISTER, then asks twice in one segment.
#[tokio::test]
async fn over_tcp_the_answers_come_back_on_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (go, gone) = std::sync::mpsc::channel::<String>();
    let registrar = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let register = head(&mut stream);
        let echoed = |name: &&str| {
            ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
                .iter()
                .any(|known| name.starts_with(known))
        };
        let reply: String = register.lines().filter(echoed).map(|line| format!("{line}\r\n")).collect();
        write!(stream, "SIP/2.0 200 OK\r\n{reply}Content-Length: 0\r\n\r\n").unwrap();
        let contact = gone.recv().unwrap();
        let (one, two) = (options(&contact, address, "one"), options(&contact, address, "two"));
        write!(stream, "{one}{two}").unwrap();
        [head(&mut stream), head(&mut stream)]
    });
    let mut kept = Kept::register(alice(&format!("sip:{address};transport=tcp"))).await;
    go.send(kept.contact.clone()).unwrap();
    for call_id in ["one", "two"] {
        let told = kept.asked().await;
        assert_eq!((told.call_id.as_str(), told.source, told.answer), (call_id, address, Some(200)));
    }
    // The bytes are the connection's task's to write, which needs the runtime.
    let answers = tokio::task::spawn_blocking(|| registrar.join().unwrap()).await.unwrap();
    for (answer, call_id) in answers.iter().zip(["one", "two"]) {
        holds(answer, call_id);
    }
}

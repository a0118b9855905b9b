//! A proxy in front of a registrar, with habits that registrars have: it relays OPTIONS for a user to who is bound, or it lets only one
//! Contact be bound at a time. One message is one datagram; nothing is sent again.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use sip_message::{Message, SipUri};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What the edge does besides passing messages on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// OPTIONS for a user goes to the Contact that was bound last; without one it is answered with 480.
    RelaysOptions,
    /// Who binds a Contact removes every other one.
    OneContact,
}

/// A running edge; it ends with the test.
pub(crate) struct Edge {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Edge {
    pub(crate) async fn before(registrar: SocketAddr, habit: Habit) -> Self {
        let outer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let inner = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        inner.connect(registrar).await.unwrap();
        let address = outer.local_addr().unwrap();
        let run = Run {
            outer,
            inner,
            habit,
            callers: BTreeMap::new(),
            bound: Vec::new(),
        };
        Self {
            address,
            task: tokio::spawn(run.forward()),
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Run {
    outer: UdpSocket,
    inner: UdpSocket,
    habit: Habit,
    /// Who asked, by Call-ID.
    callers: BTreeMap<String, SocketAddr>,
    /// The Contact URIs that the registrar listed last.
    bound: Vec<String>,
}

impl Run {
    async fn forward(mut self) {
        let (mut from_outside, mut from_inside) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                Ok((length, peer)) = self.outer.recv_from(&mut from_outside) => {
                    let text = String::from_utf8(from_outside[..length].to_vec()).unwrap();
                    self.take(text, peer).await;
                }
                Ok(length) = self.inner.recv(&mut from_inside) => {
                    let text = String::from_utf8(from_inside[..length].to_vec()).unwrap();
                    self.give_back(&text).await;
                }
            }
        }
    }

    async fn take(&mut self, text: String, peer: SocketAddr) {
        if text.starts_with("SIP/2.0") {
            // What was relayed is answered: our Via goes, and the rest is the caller's.
            let lines: Vec<_> = text.split_inclusive("\r\n").collect();
            let top = lines.iter().position(|line| line.starts_with("Via:")).unwrap();
            let rest: String = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != top)
                .map(|(_, line)| *line)
                .collect();
            return self.give_back(&rest).await;
        }
        self.callers.insert(call_id(&text), peer);
        let for_a_user = text.starts_with("OPTIONS ") && text.lines().next().unwrap().contains('@');
        if self.habit == Habit::RelaysOptions && for_a_user {
            return self.relay(&text, peer).await;
        }
        let text = if self.habit == Habit::OneContact && binds(&text) {
            let removals: String = self
                .bound
                .iter()
                .map(|contact| format!("Contact: <{contact}>;expires=0\r\n"))
                .collect();
            text.replacen("Contact:", &format!("{removals}Contact:"), 1)
        } else {
            text
        };
        self.inner.send(text.as_bytes()).await.unwrap();
    }

    async fn relay(&self, text: &str, caller: SocketAddr) {
        let Some(contact) = self.bound.last() else {
            let headers: String = text
                .split_inclusive("\r\n")
                .filter(|line| {
                    ["Via", "From", "To", "Call-ID", "CSeq"]
                        .iter()
                        .any(|name| line.starts_with(&format!("{name}:")))
                })
                .collect();
            let reply = format!("SIP/2.0 480 Temporarily Unavailable\r\n{headers}Content-Length: 0\r\n\r\n");
            self.outer.send_to(reply.as_bytes(), caller).await.unwrap();
            return;
        };
        let uri = SipUri::parse(contact.as_bytes()).unwrap();
        let target = format!("{}:{}", uri.host, uri.port.unwrap_or(5060));
        let (_, rest) = text.split_once("\r\n").unwrap();
        let via = format!("Via: SIP/2.0/UDP {};branch=z9hG4bKedge\r\n", self.outer.local_addr().unwrap());
        let relayed = format!("OPTIONS {contact} SIP/2.0\r\n{via}{rest}");
        self.outer.send_to(relayed.as_bytes(), target).await.unwrap();
    }

    async fn give_back(&mut self, text: &str) {
        let Ok(Message::Response(response)) = Message::parse(text.as_bytes()) else {
            panic!("{text}")
        };
        if response.status.code() == 200 && text.contains(" REGISTER\r\n") {
            let contacts = response.headers.contacts().map(Result::unwrap);
            self.bound = contacts
                .filter_map(|contact| match contact {
                    sip_message::Contact::Address(address) => Some(String::from_utf8(address.raw_uri.to_vec()).unwrap()),
                    sip_message::Contact::Star => None,
                })
                .collect();
        }
        let caller = self.callers[&call_id(text)];
        self.outer.send_to(text.as_bytes(), caller).await.unwrap();
    }
}

fn call_id(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("Call-ID:")).unwrap();
    line.to_owned()
}

/// A REGISTER with a Contact that is to stay.
fn binds(text: &str) -> bool {
    text.starts_with("REGISTER ") && text.contains("\r\nContact:") && !text.contains("\r\nExpires: 0\r\n")
}

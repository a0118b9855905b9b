//! SIPp as a registrar that misbehaves in time or order, by UDP. It asks for no right password: what it tests is the
//! transaction, not the digest, which is Kamailio's part.

use std::net::SocketAddr;
use std::time::Duration;

use super::port::{self, LOOPBACK};
use super::process::{Process, start_until_ready};
use super::scenario::Scenario;
use super::scratch::Scratch;
use super::sip_client::{SipClient, header};

/// A running SIPp.
#[derive(Debug)]
pub(crate) struct Sipp {
    process: Process,
    address: SocketAddr,
    // Last: the directory goes after the program that writes into it.
    _scratch: Scratch,
}

impl Sipp {
    /// Starts it and returns as soon as it answers.
    pub(crate) fn start(scenario: &Scenario) -> Self {
        start_until_ready(|| Self::try_start(scenario))
    }

    /// Where it listens for UDP.
    pub(crate) fn udp(&self) -> SocketAddr {
        self.address
    }

    fn try_start(scenario: &Scenario) -> Result<Self, String> {
        let scratch = Scratch::new("sipp");
        let address = SocketAddr::new(LOOPBACK, port::free(LOOPBACK));
        scratch.write("scenario.xml", &scenario.xml());
        let mut process = Process::start("sipp", &arguments(address.port(), scratch.name()), &scratch);
        let client = SipClient::new(address);
        process.await_ready(|| answers_as(scratch.name(), &client))?;
        Ok(Self {
            process,
            address,
            _scratch: scratch,
        })
    }
}

/// Whether the process behind the port is the one that we have started, not one that took the port before it.
fn answers_as(instance: &str, client: &SipClient) -> bool {
    client.send(&client.request("OPTIONS", "ready", 1));
    client
        .receive(ANSWER_WITHIN)
        .is_some_and(|reply| header(&reply, "Instance") == Some(instance))
}

/// As a server without a terminal, which keeps no memory of ended Call-IDs and does nothing of its own accord. Its remote
/// control, which cannot be turned off, stays on the loopback interface.
fn arguments(port: u16, instance: &str) -> Vec<String> {
    let (port, control) = (port.to_string(), port::free(LOOPBACK).to_string());
    let arguments = [
        "-sf",
        "scenario.xml",
        "-i",
        "127.0.0.1",
        "-p",
        &port,
        "-ci",
        "127.0.0.1",
        "-cp",
        &control,
    ];
    let manners = ["-nostdin", "-nd", "-deadcall_wait", "0", "-key", "instance", instance];
    let logs = [
        "-trace_msg",
        "-message_file",
        "messages.log",
        "-trace_err",
        "-error_file",
        "errors.log",
    ];
    [&arguments[..], &manners, &logs].concat().into_iter().map(str::to_owned).collect()
}

const ANSWER_WITHIN: Duration = Duration::from_millis(100);

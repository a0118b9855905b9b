//! One open connection of a driver, TCP or TLS over it, read and written without waiting. Not for opening it, and not for framing, which
//! is the core's.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use rustls::ClientConnection;
use sip_registration::{Closed, TlsFacts};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::tls;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) socket: Arc<TcpStream>,
    pub(crate) peer: SocketAddr,
    tls: Option<Box<Secured>>,
    /// What is to be written, before TLS.
    unsent: Vec<u8>,
    has_said_goodbye: bool,
}

/// The TLS of a connection.
#[derive(Debug)]
struct Secured {
    session: ClientConnection,
    facts: TlsFacts,
}

/// What reading came to.
#[derive(Debug)]
pub(crate) enum Heard {
    /// There may be more.
    More,
    /// There is no more for now.
    Silence,
    /// The peer has ended its direction.
    End,
}

/// What writing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Everything is with the kernel.
    All,
    /// The kernel has no room for the rest.
    Part,
}

impl Line {
    /// A TCP connection.
    pub(crate) fn plain(socket: TcpStream, peer: SocketAddr) -> Self {
        Self {
            socket: Arc::new(socket),
            peer,
            tls: None,
            unsent: Vec::new(),
            has_said_goodbye: false,
        }
    }

    /// A TLS connection after its handshake.
    pub(crate) fn secured(socket: TcpStream, peer: SocketAddr, mut session: ClientConnection, facts: TlsFacts) -> Self {
        // What waits for the peer is counted here, before TLS.
        session.set_buffer_limit(None);
        Self {
            tls: Some(Box::new(Secured { session, facts })),
            ..Self::plain(socket, peer)
        }
    }

    /// Reads once, and hands what came to `hear`, by way of `buffer`.
    ///
    /// # Errors
    /// Why the connection is of no use any more.
    pub(crate) fn read(&mut self, buffer: &mut [u8], mut hear: impl FnMut(&[u8])) -> Result<Heard, Closed> {
        let heard = match &mut self.tls {
            None => read_plain(&self.socket, buffer, hear),
            Some(secured) => secured.read(&self.socket, buffer, &mut hear),
        };
        heard.map_err(|error| self.explain(&error))
    }

    /// Puts bytes behind those that wait to be written. False when there is no room.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let has_room = self.unsent.len().saturating_add(bytes.len()) <= MOST_UNSENT;
        if has_room {
            self.unsent.extend_from_slice(bytes);
        }
        has_room
    }

    /// True when so much waits that it is to be written before there is more.
    pub(crate) const fn is_full(&self) -> bool {
        self.unsent.len() >= WRITE_AT_ONCE
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Why the connection is of no use any more.
    pub(crate) fn write(&mut self) -> Result<Written, Closed> {
        let written = match &mut self.tls {
            None => write_plain(&self.socket, &mut self.unsent),
            Some(secured) => secured.write(&self.socket, &mut self.unsent),
        };
        if self.unsent.is_empty() && self.unsent.capacity() > KEPT {
            self.unsent = Vec::new();
        }
        written.map_err(|error| self.explain(&error))
    }

    /// Writes what waits, and then the goodbye: a TLS close_notify, a FIN. To be called again when there is room, unless all is written.
    ///
    /// # Errors
    /// The peer does not listen any more.
    pub(crate) fn part(&mut self) -> Result<Written, Closed> {
        if self.write()? == Written::Part {
            return Ok(Written::Part);
        }
        if let Some(secured) = self.tls.as_mut().filter(|_| !self.has_said_goodbye) {
            secured.session.send_close_notify();
            self.has_said_goodbye = true;
            if self.write()? == Written::Part {
                return Ok(Written::Part);
            }
        }
        // Without it, dropping the socket does the same.
        let _ = SockRef::from(&*self.socket).shutdown(Shutdown::Write);
        Ok(Written::All)
    }

    /// True when TLS has something to say of its own that found no room.
    pub(crate) fn is_behind(&self) -> bool {
        self.tls.as_ref().is_some_and(|secured| secured.session.wants_write())
    }

    fn explain(&self, error: &io::Error) -> Closed {
        match &self.tls {
            None => closed(error),
            Some(secured) => tls::closed(error, &secured.facts),
        }
    }
}

fn read_plain(socket: &TcpStream, buffer: &mut [u8], mut hear: impl FnMut(&[u8])) -> io::Result<Heard> {
    let mut length = 0;
    let read = socket.try_io(Interest::READABLE, || {
        length = (&*SockRef::from(socket)).read(buffer)?;
        // All of it has been taken: there is nothing to read until there is news.
        if 0 < length && length < buffer.len() {
            Err(io::ErrorKind::WouldBlock.into())
        } else {
            Ok(())
        }
    });
    hear(buffer.get(..length).unwrap_or_default());
    match read {
        Ok(()) if length == 0 => Ok(Heard::End),
        Ok(()) => Ok(Heard::More),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Heard::Silence),
        Err(error) => Err(error),
    }
}

fn write_plain(socket: &TcpStream, unsent: &mut Vec<u8>) -> io::Result<Written> {
    while !unsent.is_empty() {
        match socket.try_io(Interest::WRITABLE, || (&*SockRef::from(socket)).write(unsent)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) if length == unsent.len() => unsent.clear(),
            Ok(length) => drop(unsent.drain(..length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Written::Part),
            Err(error) => return Err(error),
        }
    }
    Ok(Written::All)
}

impl Secured {
    fn read(&mut self, socket: &TcpStream, buffer: &mut [u8], hear: &mut impl FnMut(&[u8])) -> io::Result<Heard> {
        let arrived = socket.try_io(Interest::READABLE, || self.session.read_tls(&mut &*SockRef::from(socket)));
        let silent = match arrived {
            Ok(_) => false,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) => return Err(error),
        };
        if let Err(error) = self.session.process_new_packets() {
            // The peer is told by an alert, if it listens.
            let _ = self.write_records(socket);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        loop {
            match self.session.reader().read(buffer) {
                Ok(0) => return Ok(Heard::End),
                Ok(length) => hear(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        // TLS has something to say of its own, such as a new key.
        self.write_records(socket)?;
        Ok(if silent { Heard::Silence } else { Heard::More })
    }

    fn write(&mut self, socket: &TcpStream, unsent: &mut Vec<u8>) -> io::Result<Written> {
        while self.write_records(socket)? == Written::All {
            if unsent.is_empty() {
                return Ok(Written::All);
            }
            self.session.writer().write_all(unsent)?;
            unsent.clear();
        }
        Ok(Written::Part)
    }

    fn write_records(&mut self, socket: &TcpStream) -> io::Result<Written> {
        while self.session.wants_write() {
            match socket.try_io(Interest::WRITABLE, || self.session.write_tls(&mut &*SockRef::from(socket))) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Written::Part),
                Err(error) => return Err(error),
            }
        }
        Ok(Written::All)
    }
}

/// What an error on an open connection means.
pub(crate) fn closed(error: &io::Error) -> Closed {
    match error.kind() {
        // rustls: the peer went without close_notify.
        io::ErrorKind::UnexpectedEof => Closed::Ended,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => Closed::Reset,
        io::ErrorKind::TimedOut => Closed::TimedOut,
        _ => crate::udp::closed(error),
    }
}

/// From how many bytes on they are written although more may come, and no more requests are wanted while there is no room for them.
const WRITE_AT_ONCE: usize = 64 * 1024;

/// How many bytes may wait at all. What waits beyond [`WRITE_AT_ONCE`] are pings and answers, of which the core makes few.
const MOST_UNSENT: usize = 1 << 20;

/// Room for so many bytes is kept by a connection that has nothing to write.
const KEPT: usize = 2 * WRITE_AT_ONCE;

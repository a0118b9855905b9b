//! A provider's HTTP API as a test wants it: a closure answers each request, over HTTP/1.1 on a free loopback port. It ends with its
//! value. Not for broken HTTP and TLS: those are tested in the crate that has the client.

use std::io::{self, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::http::Message;
use super::port::LOOPBACK;

/// A running API.
#[derive(Debug)]
pub(crate) struct Api {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A status code and a JSON body.
pub(crate) type Reply = (u16, Value);

/// What the API's threads and the test share.
#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    requests: Mutex<Vec<Message>>,
    connections: Mutex<Vec<TcpStream>>,
}

impl Api {
    /// Starts an API that answers each request by `answer`.
    pub(crate) fn start(answer: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        Self {
            address,
            shared,
            thread: Some(thread::spawn(move || serve(&listener, &theirs, &answer))),
        }
    }

    /// Its URL, with this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it has been asked so far.
    pub(crate) fn requests(&self) -> Vec<Message> {
        locked(&self.shared.requests).clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for connection in locked(&self.shared.connections).drain(..) {
            // The client may have closed it already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        let served = self.thread.take().map(JoinHandle::join);
        if matches!(served, Some(Err(_))) && !thread::panicking() {
            panic!("the API has failed, see above");
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared, answer: &(impl Fn(&Message) -> Reply + Sync)) {
    thread::scope(|scope| {
        for stream in listener.incoming() {
            if shared.over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(handle) = stream.try_clone() {
                locked(&shared.connections).push(handle);
            }
            // A connection that breaks is the client's business.
            scope.spawn(move || converse(stream, shared, answer));
        }
    });
}

fn converse(mut stream: TcpStream, shared: &Shared, answer: &impl Fn(&Message) -> Reply) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Message::read(&mut reader)? {
        locked(&shared.requests).push(request.clone());
        let (status, body) = answer(&request);
        let body = body.to_string();
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Stub\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A script that has panicked leaves whole values behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

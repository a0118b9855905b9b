//! The scripted server: accepts, keeps what it is asked, says what the test wants. One thread, one runtime, one port.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use regprobe_providers::Url;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::response::{After, Response};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET`.
    pub(crate) method: String,
    /// Path and query as they stood in the request line.
    pub(crate) target: String,
    /// Names in lower case, values as they came, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Seen {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// `GET /v2/…`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// A server for one test; gone with it.
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    record: Arc<Mutex<Record>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Record {
    connections: usize,
    requests: Vec<Seen>,
}

type Answering = Box<dyn FnMut(&Seen) -> Response + Send>;

/// What the connections of a server share.
#[derive(Clone)]
struct Shared {
    record: Arc<Mutex<Record>>,
    answering: Arc<Mutex<Answering>>,
}

impl Server {
    /// Says these over plain TCP, one after another; after the last one 500.
    pub(crate) fn start(script: impl IntoIterator<Item = Response>) -> Self {
        Self::answering(in_order(script))
    }

    /// The same over TLS.
    pub(crate) fn start_tls(tls: Arc<ServerConfig>, script: impl IntoIterator<Item = Response>) -> Self {
        Self::run(Some(tls), Box::new(in_order(script)))
    }

    /// Says what `answering` makes of each request, over plain TCP.
    pub(crate) fn answering(answering: impl FnMut(&Seen) -> Response + Send + 'static) -> Self {
        Self::run(None, Box::new(answering))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port` and this path.
    pub(crate) fn url(&self, path: &str) -> Url {
        self.url_as("127.0.0.1", path)
    }

    /// The same by another name of this host.
    pub(crate) fn url_as(&self, host: &str, path: &str) -> Url {
        let text = format!("{}://{host}:{}{path}", self.scheme, self.address.port());
        text.parse().expect("a URL of the test's own")
    }

    /// Every request up to now.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.record.lock().unwrap().requests.clone()
    }

    /// The request lines up to now.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.record.lock().unwrap().requests.iter().map(Seen::line).collect()
    }

    /// How many connections were opened up to now.
    pub(crate) fn connections(&self) -> usize {
        self.record.lock().unwrap().connections
    }

    fn run(tls: Option<Arc<ServerConfig>>, answering: Answering) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let record = Arc::default();
        let shared = Shared {
            record: Arc::clone(&record),
            answering: Arc::new(Mutex::new(answering)),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(TcpListener::from_std(listener).unwrap(), tls.map(TlsAcceptor::from), shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            scheme,
            record,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the scripted server failed");
        }
    }
}

fn in_order(script: impl IntoIterator<Item = Response>) -> impl FnMut(&Seen) -> Response + Send + 'static {
    let mut script = script.into_iter().collect::<Vec<_>>().into_iter();
    move |seen| {
        let over = || Response::json(500, format!(r#"{{"script":"is over","asked":"{}"}}"#, seen.method));
        script.next().unwrap_or_else(over)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Shared) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, shared) = (tls.clone(), shared.clone());
        shared.record.lock().unwrap().connections += 1;
        tokio::spawn(async move {
            match tls {
                None => converse(stream, |stream| stream, shared).await,
                // A client that refuses our certificate is what some tests are about.
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => converse(stream, |stream| stream.get_ref().0, shared).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// One connection, until either side has enough. `None` when it was the client.
async fn converse<S>(mut stream: S, socket: fn(&S) -> &TcpStream, shared: Shared) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut unread = Vec::new();
    loop {
        let seen = request(&mut stream, &mut unread).await?;
        let response = (shared.answering.lock().unwrap())(&seen);
        shared.record.lock().unwrap().requests.push(seen);
        let (bytes, after) = response.into_parts();
        stream.write_all(&bytes).await.ok()?;
        stream.flush().await.ok()?;
        match after {
            After::Next => {}
            After::Close => return stream.shutdown().await.ok(),
            After::Reset => return socket(&stream).set_zero_linger().ok(),
            After::Silence => while stream.read(&mut [0; 1024]).await.ok()? > 0 {},
            After::Endless(bytes) => loop {
                stream.write_all(&bytes).await.ok()?;
            },
        }
    }
}

/// The next request (RFC 9112 §2), with a body by Content-Length or none.
async fn request<S: AsyncRead + Unpin>(stream: &mut S, unread: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        match unread.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None => more(stream, unread).await?,
        }
    };
    let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    while unread.len() < length {
        more(stream, unread).await?;
    }
    let body = String::from_utf8(unread.drain(..length).collect()).unwrap();
    Some(Seen {
        method,
        target,
        headers,
        body,
    })
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, unread: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(unread).await.ok()? > 0).then_some(())
}

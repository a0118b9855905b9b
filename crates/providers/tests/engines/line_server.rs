//! A server that holds a dialogue in lines over TCP and says what a test wants, well-formed or not. Knows neither ESL nor AMI.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What is said to one command, and what follows.
pub(crate) enum Turn {
    /// These bytes, and then the next command is heard.
    Say(Vec<u8>),
    /// These bytes, and the end of the connection.
    Last(Vec<u8>),
    /// These bytes, and nothing more until the client leaves.
    Silence(Vec<u8>),
    /// These bytes again and again, until the client leaves.
    Endless(Vec<u8>),
}

impl Turn {
    pub(crate) fn say(words: impl Into<String>) -> Self {
        Self::Say(words.into().into_bytes())
    }
}

/// A server for one test; gone with it.
pub(crate) struct LineServer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Answering = Box<dyn FnMut(&str) -> Turn + Send>;

impl LineServer {
    /// Greets each connection by what `answering` makes of nothing, and answers each command of it.
    pub(crate) fn start(answering: impl FnMut(&str) -> Turn + Send + 'static) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let record = Arc::clone(&heard);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(TcpListener::from_std(listener).unwrap(), Box::new(answering), &record) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            heard,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every command up to now.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the line server failed");
        }
    }
}

/// One connection after another: our clients ask one thing at a time.
async fn serve(listener: TcpListener, mut answering: Answering, heard: &Mutex<Vec<String>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // A client that has enough leaves.
        let _ = converse(stream, &mut answering, heard).await;
    }
}

async fn converse(mut stream: TcpStream, answering: &mut Answering, heard: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut unread = Vec::new();
    let mut command = String::new();
    loop {
        match answering(&command) {
            Turn::Say(words) => stream.write_all(&words).await?,
            Turn::Last(words) => {
                stream.write_all(&words).await?;
                return stream.shutdown().await;
            }
            Turn::Silence(words) => {
                stream.write_all(&words).await?;
                while stream.read(&mut [0; 1024]).await? > 0 {}
                return Ok(());
            }
            Turn::Endless(words) => loop {
                stream.write_all(&words).await?;
            },
        }
        command = loop {
            match end_of_command(&unread) {
                Some(end) => break String::from_utf8(unread.drain(..end).collect()).unwrap(),
                None if stream.read_buf(&mut unread).await? == 0 => return Ok(()),
                None => {}
            }
        };
        heard.lock().unwrap().push(command.clone());
    }
}

/// A command ends in an empty line.
fn end_of_command(unread: &[u8]) -> Option<usize> {
    let after = |end: &[u8]| unread.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
    after(b"\r\n\r\n").or_else(|| after(b"\n\n"))
}

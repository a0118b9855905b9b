//! HTTP/1.1 (RFC 9112) as far as the tests need it, written by hand so that it shares no code with the client under test: messages
//! with a Content-Length, one connection at a time. No chunks, no TLS.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    /// The header lines as they came.
    pub(crate) headers: Vec<String>,
    /// The body.
    pub(crate) body: String,
}

impl Message {
    /// Reads the next message; `None` when the peer has closed the connection instead.
    ///
    /// # Errors
    /// When the connection fails or ends within a message, or what comes is no HTTP.
    pub(crate) fn read(reader: &mut BufReader<impl Read>) -> io::Result<Option<Self>> {
        let start = line(reader)?;
        if start.is_empty() {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let header = line(reader)?;
            if header.is_empty() {
                break;
            }
            headers.push(header);
        }
        let mut message = Self {
            start,
            headers,
            body: String::new(),
        };
        let length = message.header("content-length").map_or(Ok(0), str::parse).map_err(invalid)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        message.body = String::from_utf8(body).map_err(invalid)?;
        Ok(Some(message))
    }

    /// The value of a header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ &String| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        let (_, value) = self.headers.iter().find(named)?.split_once(':')?;
        Some(value.trim())
    }
}

/// Posts a JSON body and returns the status code and the body of the answer.
///
/// # Errors
/// When there is no connection, or no answer within `PATIENCE`.
pub(crate) fn post_json(address: SocketAddr, path: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let answer = Message::read(&mut BufReader::new(stream))?.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))?;
    let code = answer.start.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| invalid(format!("no status line: {}", answer.start)))?;
    Ok((code, answer.body))
}

fn line(reader: &mut BufReader<impl Read>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

const PATIENCE: Duration = Duration::from_secs(10);

//! What a scripted server says to one request: bytes as they are, and what becomes of the connection after them.

/// One answer, from its first byte to what follows the last.
#[derive(Clone)]
pub(crate) struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    after: After,
}

#[derive(Clone)]
enum Body {
    /// With its Content-Length.
    Whole(Vec<u8>),
    /// Instead of status line, headers and body.
    Raw(Vec<u8>),
}

/// What follows the last byte.
#[derive(Clone)]
pub(crate) enum After {
    /// The next request.
    Next,
    /// The end of the connection, in order.
    Close,
    /// Its end by a reset.
    Reset,
    /// Nothing, until the client leaves.
    Silence,
    /// The same bytes again and again, until the client leaves.
    Endless(Vec<u8>),
}

impl Response {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: impl ToString) -> Self {
        Self::text(status, "application/json", body)
    }

    /// An answer of any type.
    pub(crate) fn text(status: u16, content_type: &str, body: impl ToString) -> Self {
        Self::bytes(status, body.to_string()).header("Content-Type", content_type)
    }

    /// An answer without a type.
    pub(crate) fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(body.into()),
            after: After::Next,
        }
    }

    /// These bytes and none besides.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Body::Raw(bytes.into()),
            ..Self::bytes(0, "")
        }
    }

    /// To somewhere else.
    pub(crate) fn redirect(status: u16, location: impl ToString) -> Self {
        Self::bytes(status, "").header("Location", &location.to_string())
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this after the last byte.
    pub(crate) fn then(mut self, after: After) -> Self {
        self.after = after;
        self
    }

    /// The bytes, and what follows them.
    pub(super) fn into_parts(self) -> (Vec<u8>, After) {
        let bytes = match self.body {
            Body::Raw(bytes) => bytes,
            Body::Whole(body) => {
                let mut bytes = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", self.status, body.len()).into_bytes();
                for (name, value) in &self.headers {
                    bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
                }
                bytes.extend_from_slice(b"\r\n");
                bytes.extend_from_slice(&body);
                bytes
            }
        };
        (bytes, self.after)
    }
}

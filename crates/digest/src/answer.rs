//! The client's answer to a challenge: an Authorization or Proxy-Authorization value (RFC 7616 §3.4). Not when or whom to answer.

use sip_message::Value;
use thiserror::Error;

use crate::calculation::{Calculation, count_digits};
use crate::hash::Hex;
use crate::{Algorithm, Challenge, Secret, username};

/// What an answer adds of its own, stored so that a retransmission computes the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// How many requests were sent with this nonce, this one included: 1 for the first.
    pub nonce_count: u32,
    /// The client's nonce: visible ASCII without quote and backslash. With `-sess` it stays the same as long as the server's nonce does.
    pub cnonce: &'a str,
}

/// The request that the answer goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The Request-URI, exactly as it stands in the request line.
    pub uri: &'a [u8],
    /// The body; it counts only with `auth-int`.
    pub body: &'a [u8],
}

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// The HA1 at hand was computed with another hash than the challenge asks for.
    #[error("the HA1 at hand is for {held}, the challenge asks for {asked}")]
    Ha1Algorithm {
        /// The hash of the HA1.
        held: Algorithm,
        /// The challenge's algorithm.
        asked: Algorithm,
    },
    /// A Request-URI that cannot stand between quotes as it is.
    #[error("the Request-URI has a byte that no URI may have")]
    Uri,
    /// A client nonce that is empty or cannot stand between quotes as it is.
    #[error("the client nonce is empty or has a byte that it may not have")]
    Cnonce,
}

impl Challenge {
    /// Whether this secret can answer this challenge.
    ///
    /// # Errors
    /// [`AnswerError::Ha1Algorithm`].
    pub fn can_answer(&self, secret: &Secret) -> Result<(), AnswerError> {
        secret.fits(self.algorithm())
    }

    /// Whether this secret can answer this challenge in a request with this Request-URI.
    ///
    /// # Errors
    /// [`AnswerError::Ha1Algorithm`] and [`AnswerError::Uri`].
    pub fn can_answer_for(&self, uri: &[u8], secret: &Secret) -> Result<(), AnswerError> {
        if !uri.iter().all(is_plain) {
            return Err(AnswerError::Uri);
        }
        self.can_answer(secret)
    }

    /// Writes the answer: the value of [`Authorization` or `Proxy-Authorization`](Self::source), without the header's name.
    /// `username` is the plain name; quoting and hashing are done here. Nothing is written when there is an error.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn write_answer(
        &self,
        value: &mut Value<'_>,
        answer: &Answer<'_>,
        request: &Request<'_>,
        username: &str,
        secret: &Secret,
    ) -> Result<(), AnswerError> {
        let nonce_count = count_digits(answer.nonce_count);
        let response = self.calculate(answer, request, username, secret)?;

        username::write(value.text(b"Digest "), self, username);
        between_quotes(value, b", realm=\"", self.realm());
        between_quotes(value, b", nonce=\"", self.nonce());
        between_quotes(value, b", uri=\"", request.uri);
        between_quotes(value, b", response=\"", response.as_bytes());
        if let Some(spelling) = self.spelling() {
            value.text(b", algorithm=").text(spelling);
        }
        if self.qop().is_some() || self.algorithm().is_session() {
            // RFC 7616 §3.4: a cnonce goes with a qop. A session without one needs it all the same, for its A1.
            between_quotes(value, b", cnonce=\"", answer.cnonce.as_bytes());
        }
        if let Some(opaque) = self.opaque() {
            between_quotes(value, b", opaque=\"", opaque);
        }
        if let Some(qop) = self.qop() {
            // RFC 7616 §3.4: qop, nc and algorithm stand without quotes in an answer.
            value.text(b", qop=").text(qop.name().as_bytes()).text(b", nc=").text(&nonce_count);
        }
        if self.userhash() {
            value.text(b", userhash=true");
        }
        Ok(())
    }

    fn calculate(&self, answer: &Answer<'_>, request: &Request<'_>, username: &str, secret: &Secret) -> Result<Hex, AnswerError> {
        if !request.uri.iter().all(is_plain) {
            return Err(AnswerError::Uri);
        }
        if answer.cnonce.is_empty() || !answer.cnonce.as_bytes().iter().all(is_plain) {
            return Err(AnswerError::Cnonce);
        }
        let ha1 = secret.digits(self.algorithm(), username.as_bytes(), self.realm())?;
        let calculation = Calculation {
            algorithm: self.algorithm(),
            nonce: self.nonce(),
            cnonce: answer.cnonce.as_bytes(),
            nonce_count: &count_digits(answer.nonce_count),
            qop: self.qop(),
            method: request.method,
            uri: request.uri,
            body: request.body,
        };
        Ok(calculation.digest(ha1))
    }
}

/// True for bytes that mean themselves between quotes.
const fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

/// Writes bytes that are known to stand between quotes as they are, and the closing quote.
pub(crate) fn between_quotes(value: &mut Value<'_>, opening: &[u8], raw: &[u8]) {
    value.text(opening).text(raw).text(b"\"");
}

#[cfg(test)]
mod tests {
    use sip_message::Writer;

    use super::*;
    use crate::challenge::tests::read;

    fn write(challenge: &[u8], answer: &Answer<'_>, request: &Request<'_>, username: &str, secret: &Secret) -> Result<String, AnswerError> {
        let mut out = Vec::new();
        let mut written = Ok(());
        Writer::request(&mut out, request.method, b"sip:h").header("A", |value| {
            written = read(challenge).unwrap().write_answer(value, answer, request, username, secret);
        });
        let text = String::from_utf8(out).unwrap();
        written.map(|()| text.split_once("\r\nA: ").unwrap().1.trim_end().to_owned())
    }

    const fn answer(nonce_count: u32, cnonce: &str) -> Answer<'_> {
        Answer { nonce_count, cnonce }
    }

    #[test]
    fn whether_an_answer_can_be_written_is_known_before() {
        let challenge = read(b"Digest realm=\"r\", nonce=\"n\"").unwrap();
        let secret = Secret::Password("secret".into());
        assert_eq!(challenge.can_answer_for(b"sip:example.test", &secret), Ok(()));
        for uri in [&b"sip:a b"[..], b"sip:\"", b"sip:\r\n"] {
            assert_eq!(challenge.can_answer_for(uri, &secret), Err(AnswerError::Uri));
        }
    }

    const GET: Request<'_> = Request {
        method: b"GET",
        uri: b"/dir/index.html",
        body: b"",
    };

    #[test]
    fn an_answer_holds_what_the_challenge_asked_for_and_no_more() {
        let secret = Secret::Password("x".into());
        let after_digest = |challenge: &str| {
            let written = write(challenge.as_bytes(), &answer(16, "c"), &GET, "a", &secret).unwrap();
            let response = written.find("response=").unwrap();
            let names = written.replace(written.get(response..).unwrap().split('"').nth(1).unwrap(), "R");
            names
                .strip_prefix("Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"/dir/index.html\", response=\"R\"")
                .unwrap()
                .to_owned()
        };
        let base = "Digest realm=\"r\", nonce=\"n\"";
        assert_eq!(after_digest(base), "");
        assert_eq!(after_digest(&format!("{base}, opaque=\"\"")), ", opaque=\"\"");
        assert_eq!(after_digest(&format!("{base}, algorithm=\"md5\"")), ", algorithm=md5");
        assert_eq!(
            after_digest(&format!("{base}, algorithm=MD5-sess")),
            ", algorithm=MD5-sess, cnonce=\"c\""
        );
        assert_eq!(
            after_digest(&format!("{base}, qop=\"auth-int\"")),
            ", cnonce=\"c\", qop=auth-int, nc=00000010"
        );
    }

    #[test]
    fn realm_nonce_and_opaque_go_back_as_they_came() {
        let challenge = br#"Digest realm="a \"b\" \\", nonce="\n", opaque="o,=;""#;
        let written = write(challenge, &answer(1, "c"), &GET, "a", &Secret::Password("x".into())).unwrap();
        for part in [r#", realm="a \"b\" \\", "#, r#" nonce="\n", "#, r#", opaque="o,=;""#] {
            assert!(written.contains(part), "{part} in {written}");
        }
    }

    #[test]
    fn a_request_uri_or_cnonce_that_breaks_its_quotes_is_refused_and_nothing_written() {
        let try_with = |cnonce: &str, uri: &[u8], secret: &Secret| {
            let challenge = read(b"Digest realm=\"r\", nonce=\"n\", qop=auth").unwrap();
            let (mut out, mut result) = (Vec::new(), Ok(()));
            let request = Request { uri, ..GET };
            Writer::request(&mut out, b"M", b"u").header("A", |value| {
                result = challenge.write_answer(value, &answer(1, cnonce), &request, "a", secret);
            });
            assert_eq!(out.ends_with(b"\r\nA: \r\n"), result.is_err());
            result
        };
        let password = Secret::Password("x".into());
        assert_eq!(try_with("c", b"sip:[::1]:5060;transport=tcp", &password), Ok(()));
        for uri in [&b"sip:a\"b"[..], b"sip:a\\b", b"sip:a b", b"sip:a\r\nb", b"sip:\xe4"] {
            assert_eq!(try_with("c", uri, &password), Err(AnswerError::Uri));
        }
        for cnonce in ["", "a\"b", "a\\", "a b", "\0", "\u{e4}"] {
            assert_eq!(try_with(cnonce, b"sip:h", &password), Err(AnswerError::Cnonce));
        }
        let sha = Secret::ha1(Algorithm::Sha256, &"0".repeat(64)).unwrap();
        let error = AnswerError::Ha1Algorithm {
            held: Algorithm::Sha256,
            asked: Algorithm::Md5,
        };
        assert_eq!(try_with("c", b"sip:h", &sha), Err(error));
    }

    #[test]
    fn the_same_answer_gives_the_same_bytes() {
        let challenge = b"Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=SHA-256-sess";
        let once = |count| write(challenge, &answer(count, "c"), &GET, "a", &Secret::Password("x".into())).unwrap();
        assert_eq!(once(1), once(1));
        assert_ne!(once(1), once(2));
    }
}

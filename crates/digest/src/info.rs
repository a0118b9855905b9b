//! The server's proof and its next nonce: Authentication-Info checked by the client (RFC 7616 §3.5, RFC 7615).

use sip_message::{AuthenticationInfo, printable};
use thiserror::Error;

use crate::calculation::{Calculation, count_digits, parse_count};
use crate::challenge::{repeatable, shown};
use crate::{Answer, AnswerError, Challenge, ChallengeError, Qop, Secret};

/// A nonce that the server wants to see in the next request; see [`Challenge::with_nonce`].
#[derive(Clone, PartialEq, Eq)]
pub struct NextNonce(Box<[u8]>);

/// What is wrong with an Authentication-Info.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InfoError {
    /// The server does not know the password, or speaks of another request.
    #[error("rspauth is wrong: the server has not proved that it knows the password")]
    Response,
    /// The nonce count is not the request's.
    #[error("nc is not that of the request")]
    NonceCount,
    /// The client nonce is not the request's.
    #[error("cnonce is not that of the request")]
    Cnonce,
    /// A protection that we do not know.
    #[error("unsupported quality of protection {0}")]
    UnsupportedQop(String),
    /// A next nonce that cannot be used.
    #[error("unusable nextnonce: {0}")]
    NextNonce(ChallengeError),
    /// The secret does not fit the challenge.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl NextNonce {
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, ChallengeError> {
        repeatable("nextnonce", raw).map(|nonce| Self(nonce.into()))
    }

    /// The nonce as it stands between the quotes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for NextNonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NextNonce").field(&printable(&self.0)).finish()
    }
}

impl Challenge {
    /// Checks the Authentication-Info of the reply to a request that carried `answer`, and hands out the nonce to go on with.
    /// `uri` is that request's Request-URI, `body` the reply's body. An info without `rspauth` proves nothing and is no error.
    ///
    /// # Errors
    /// See [`InfoError`].
    pub fn verify_info(
        &self,
        info: &AuthenticationInfo<'_>,
        answer: &Answer<'_>,
        uri: &[u8],
        body: &[u8],
        username: &str,
        secret: &Secret,
    ) -> Result<Option<NextNonce>, InfoError> {
        let word = |name: &[u8]| info.param(name).map(<[u8]>::trim_ascii);
        if word(b"nc").is_some_and(|count| parse_count(count) != Some(answer.nonce_count)) {
            return Err(InfoError::NonceCount);
        }
        if word(b"cnonce").is_some_and(|cnonce| cnonce != answer.cnonce.as_bytes()) {
            return Err(InfoError::Cnonce);
        }
        if let Some(given) = word(b"rspauth") {
            let calculation = Calculation {
                algorithm: self.algorithm(),
                nonce: self.nonce(),
                cnonce: answer.cnonce.as_bytes(),
                nonce_count: &count_digits(answer.nonce_count),
                qop: word(b"qop").map_or(Ok(self.qop()), qop)?,
                method: b"",
                uri,
                body,
            };
            let ha1 = secret.digits(self.algorithm(), username.as_bytes(), self.realm())?;
            if !calculation.digest(ha1).matches(given) {
                return Err(InfoError::Response);
            }
        }
        info.param(b"nextnonce")
            .map(NextNonce::parse)
            .transpose()
            .map_err(InfoError::NextNonce)
    }
}

/// RFC 7616 §3.5: the protection of the reply may be another than the request's.
fn qop(name: &[u8]) -> Result<Option<Qop>, InfoError> {
    Qop::parse(name).map(Some).ok_or_else(|| InfoError::UnsupportedQop(shown(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::tests::read;

    /// Checks an info against the exchange of RFC 2617 §3.5.
    fn verify(info: &str) -> Result<Option<NextNonce>, InfoError> {
        let challenge = read(b"Digest realm=\"testrealm@host.com\", qop=\"auth\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"").unwrap();
        let answer = Answer {
            nonce_count: 1,
            cnonce: "0a4f113b",
        };
        let info = AuthenticationInfo::parse(info.as_bytes()).unwrap();
        let secret = Secret::Password("Circle Of Life".into());
        challenge.verify_info(&info, &answer, b"/dir/index.html", b"", "Mufasa", &secret)
    }

    const PROOF: &str = "rspauth=\"376602cfd2f4e8e5e78b948a85263e85\"";

    #[test]
    fn the_debug_form_of_a_nonce_is_escaped() {
        let nonce = NextNonce::parse(b"a\x1b").unwrap();
        assert_eq!(format!("{nonce:?}"), "NextNonce(\"a\\\\x1b\")");
    }

    #[test]
    fn the_right_proof_is_accepted_with_and_without_its_companions() {
        assert_eq!(verify(PROOF), Ok(None));
        assert_eq!(verify(&format!("{PROOF}, qop=auth, nc=00000001, cnonce=\"0a4f113b\"")), Ok(None));
        assert_eq!(verify(&PROOF.to_uppercase()), Ok(None));
    }

    #[test]
    fn a_wrong_proof_or_one_for_another_request_is_refused() {
        assert_eq!(verify(&PROOF.replace('3', "4")), Err(InfoError::Response));
        assert_eq!(verify("rspauth=\"\""), Err(InfoError::Response));
        assert_eq!(verify(&format!("{PROOF}, nc=00000002")), Err(InfoError::NonceCount));
        assert_eq!(verify(&format!("{PROOF}, nc=1")), Err(InfoError::NonceCount));
        assert_eq!(verify(&format!("{PROOF}, cnonce=\"other\"")), Err(InfoError::Cnonce));
        assert_eq!(verify(&format!("{PROOF}, qop=auth-int")), Err(InfoError::Response));
        assert_eq!(
            verify(&format!("{PROOF}, qop=auth-conf")),
            Err(InfoError::UnsupportedQop("auth-conf".into()))
        );
    }

    #[test]
    fn the_next_nonce_comes_out_unless_it_is_unusable() {
        assert_eq!(verify("nextnonce=\"next\"").unwrap().unwrap().bytes(), b"next");
        assert_eq!(verify(&format!("{PROOF}, nextnonce=\"next\"")).unwrap().unwrap().bytes(), b"next");
        let long = format!("nextnonce=\"{}\"", "x".repeat(4097));
        assert_eq!(verify(&long), Err(InfoError::NextNonce(ChallengeError::TooLong("nextnonce"))));
        assert_eq!(verify(""), Ok(None));
    }

    #[test]
    fn a_wrong_proof_brings_no_next_nonce() {
        assert_eq!(verify("rspauth=\"00\", nextnonce=\"next\""), Err(InfoError::Response));
    }
}

//! What a request from the other side is answered with, as a pure function of the request (RFC 3261 §8.2, §11.2). No state is kept of it:
//! what comes again gets the same again (§8.2.7). Not for whether it is answered at all: that is the registrant's.
//!
//! A registration takes no calls. It says that it is there, and refuses the rest in the words of the RFC.

use sip_message::{Method, Name, Status, Uri, Writer, unfold};

use crate::Account;
use crate::encode::ALLOW;
use crate::incoming::Asked;

/// Methods that others give a meaning to, and we do not (RFC 6665, 3903, 3428, 6086, 3515, 3311, 3262).
const RECOGNIZED: [&[u8]; 7] = [b"SUBSCRIBE", b"PUBLISH", b"MESSAGE", b"INFO", b"REFER", b"UPDATE", b"PRACK"];
/// How many bytes an answer may be longer than its request: whoever forges requests gains nothing by having us answer them.
const ROOM: usize = 512;
/// The longest User-Agent that goes into an answer, in bytes; it has to fit into that room.
const LONGEST_PRODUCT: usize = 128;

impl Asked<'_> {
    /// The answer's status; `names_us` says whether the Request-URI names a Contact that is bound, or may be. The checks stand in the
    /// order of RFC 3261 §8.2.
    pub(crate) fn status(&self, names_us: bool) -> Status {
        let headers = &self.request.headers;
        // §8.1.1.5: the method of CSeq is that of the request.
        let counted = headers
            .cseq()
            .and_then(Result::ok)
            .is_some_and(|cseq| cseq.method == self.request.method);
        if !counted {
            return Status::BAD_REQUEST;
        }
        match self.request.method {
            // §8.2.1, §21.4.6: known, and not for us. §21.5.2: not known at all.
            Method::Register => return Status::METHOD_NOT_ALLOWED,
            Method::Other(name) if RECOGNIZED.contains(&name) => return Status::METHOD_NOT_ALLOWED,
            Method::Other(_) => return Status::NOT_IMPLEMENTED,
            Method::Options | Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Notify => {}
        }
        // §8.2.2.1.
        match Uri::parse(self.request.uri) {
            Ok(Uri::Sip(_)) => {}
            Ok(Uri::Tel(_) | Uri::Other(_)) => return Status::UNSUPPORTED_URI_SCHEME,
            Err(_) => return Status::BAD_REQUEST,
        }
        // §12.2.2: a To tag names a dialog, and there is none.
        if headers.to().and_then(Result::ok).is_some_and(|to| to.tag().is_some()) {
            return Status::NO_SUCH_DIALOG;
        }
        match self.request.method {
            // §9.2, §15.1.2, RFC 6665 §4.1.3: there is no such transaction, dialog or subscription.
            Method::Cancel | Method::Bye | Method::Notify => Status::NO_SUCH_DIALOG,
            _ if !names_us => Status::NOT_FOUND,
            // §8.2.2.3: an extension that is required and means nothing outside a REGISTER.
            _ if headers.list(Name::Require).next().is_some() => Status::BAD_EXTENSION,
            // §21.4.18: the caller has reached us, and nobody takes the call. Other than a 405 it lets a proxy go on to a mailbox.
            Method::Invite => Status::TEMPORARILY_UNAVAILABLE,
            // §11.2. We differ: the status would have to be that of an INVITE. A registrar that asks whether its binding leads
            // anywhere is told that it does; it would drop the binding otherwise.
            Method::Options | Method::Ack | Method::Register | Method::Other(_) => Status::OK,
        }
    }

    /// The answer in the name of this account. `None` when it would be much longer than the request.
    pub(crate) fn answer(&self, status: Status, account: &Account, tag: &str) -> Option<Vec<u8>> {
        let most = self.bytes.len() + ROOM;
        let mut message = Vec::with_capacity(ROOM);
        let mut writer = Writer::response(&mut message, status, status.phrase().unwrap_or_default().as_bytes());
        self.echo.write(&mut writer, self.source, tag);
        if status == Status::OK || status == Status::METHOD_NOT_ALLOWED {
            writer.text("Allow", ALLOW);
        }
        if status == Status::OK {
            writer.text("Accept", "application/sdp").text("Supported", account.supported());
        }
        if status == Status::BAD_EXTENSION {
            for option in self.request.headers.all(Name::Require) {
                writer.text("Unsupported", unfold(option));
            }
        }
        if account.user_agent.len() <= LONGEST_PRODUCT {
            // §20.35: Server is who answers; User-Agent who asks.
            writer.text("Server", account.user_agent.as_bytes());
        }
        writer.finish(b"");
        (message.len() <= most).then_some(message)
    }
}

//! What an exchange shows of requests from the other side that come while it lasts. They change nothing about it.

use sip_message::Status;

use super::{Arrow, Cx, Exchange};
use crate::attempt::{TracedMessage, shown};
use crate::incoming::Asked;
use crate::report::Direction;
use crate::transcript;

/// How many of them are shown; all are counted.
const SHOWN_REQUESTS: u32 = 4;

impl Exchange {
    /// A request came, and was answered like this or not at all.
    pub(crate) fn note_request(&mut self, cx: &Cx<'_>, asked: &Asked<'_>, answer: Option<(Status, &[u8])>) {
        self.attempt.asked = self.attempt.asked.saturating_add(1);
        if self.attempt.asked > SHOWN_REQUESTS {
            return;
        }
        let method = shown(asked.request.method.as_bytes());
        let note = if answer.is_some() {
            "asked by the other side".to_owned()
        } else {
            format!("asked by {}, not answered", asked.source)
        };
        self.show(cx, Arrow::Received, method, note, asked, asked.bytes);
        if let Some((status, message)) = answer {
            let what = format!("{} {}", status.code(), status.phrase().unwrap_or_default());
            self.show(cx, Arrow::Sent, what, String::new(), asked, message);
        }
    }

    /// A request of our own came back.
    pub(crate) fn note_sent_back(&mut self, cx: &Cx<'_>) {
        "what came is our own request".clone_into(&mut self.attempt.words);
        self.attempt.strays = self.attempt.strays.saturating_add(1);
        if self.attempt.strays <= SHOWN_REQUESTS {
            self.attempt.step(cx.now, Arrow::Failed, "our own request", "came back");
        }
    }

    fn show(&mut self, cx: &Cx<'_>, arrow: Arrow, what: String, note: String, asked: &Asked<'_>, message: &[u8]) {
        let direction = match arrow {
            Arrow::Sent => Direction::Sent,
            Arrow::Received | Arrow::Local | Arrow::Failed => Direction::Received,
        };
        let text = cx.policy.trace.then(|| transcript::redacted_text(message));
        if let (Some(step), Some(text)) = (self.attempt.step(cx.now, arrow, what, note), text) {
            step.message = Some(TracedMessage {
                direction,
                peer: asked.source,
                text,
            });
        }
    }
}

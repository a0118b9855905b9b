//! What an exchange shows of requests from the other side that come while it lasts. They change nothing about it.

use sip_message::Status;

use super::{Cx, Exchange};
use crate::attempt::{Happening, TracedMessage};
use crate::incoming::Asked;
use crate::report::Direction;
use crate::transcript;

/// How many of them are shown; all are counted.
const SHOWN_REQUESTS: u32 = 4;

impl Exchange {
    /// A request came, and was answered like this or not at all.
    pub(crate) fn note_request(&mut self, cx: &mut Cx<'_>, asked: &Asked<'_>, answer: Option<(Status, &[u8])>) {
        self.attempt.asked = self.attempt.asked.saturating_add(1);
        if self.attempt.asked > SHOWN_REQUESTS {
            return;
        }
        let happening = Happening::Asked {
            method: cx.texts.shown(asked.request.method.as_bytes()),
            unanswered: answer.is_none().then_some(asked.source),
        };
        self.show(cx, Direction::Received, happening, asked, asked.bytes);
        if let Some((status, message)) = answer {
            self.show(cx, Direction::Sent, Happening::Answered(status), asked, message);
        }
    }

    /// A request of our own came back.
    pub(crate) fn note_sent_back(&mut self, cx: &Cx<'_>) {
        "what came is our own request".clone_into(&mut self.attempt.words);
        self.attempt.strays = self.attempt.strays.saturating_add(1);
        if self.attempt.strays <= SHOWN_REQUESTS {
            self.attempt.step(cx.now, Happening::SentBack);
        }
    }

    fn show(&mut self, cx: &Cx<'_>, direction: Direction, happening: Happening, asked: &Asked<'_>, message: &[u8]) {
        let traced = cx.policy.trace.then(|| TracedMessage {
            direction,
            peer: asked.source,
            text: transcript::redacted_text(message),
        });
        self.attempt.traced_step(cx.now, happening, traced);
    }
}

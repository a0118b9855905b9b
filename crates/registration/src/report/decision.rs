//! What was decided about one message, in the words of the ladder: for who looks on while it happens.

use crate::Ending;
use crate::attempt::{Attempt, Carrying, Happening, Step};

impl Step {
    /// What this step says of the message that led to it. `None` for requests from the other side, whose answers say it.
    pub(crate) fn decision(&self) -> Option<String> {
        let lead = match &self.happening {
            Happening::Asked { .. } | Happening::Answered(_) => return None,
            Happening::Sent { .. } => "next: ",
            Happening::LookedUp(_)
            | Happening::NotLocated(_)
            | Happening::Following(_)
            | Happening::Connected(_)
            | Happening::Received { .. }
            | Happening::TargetFailed { .. }
            | Happening::Malformed(_)
            | Happening::NotSip(_)
            | Happening::SentBack => "",
        };
        Some(format!("{lead}{}", noted(&self.what(), &self.note())))
    }
}

impl Attempt {
    /// How the exchange ended: `register succeeded`, `register failed: wrong_credentials`.
    pub(crate) fn outcome(&self) -> String {
        let goal = self.goal.name();
        match self.ending {
            Ending::Succeeded => format!("{goal} succeeded"),
            Ending::Failed(cause) => format!("{goal} failed: {}", cause.name()),
            Ending::Interrupted => format!("{goal} interrupted"),
        }
    }

    /// Why the request that waits goes out: `register: REGISTER 2, answering SHA-256 · realm example.test`.
    pub(crate) fn sending(&self) -> String {
        let Some((step, carrying)) = self.sent_last().next() else {
            return String::new();
        };
        let note = match carrying {
            Carrying::Nothing => "without credentials".to_owned(),
            Carrying::Again(_) => {
                let times = self
                    .sent_last()
                    .take_while(|(_, carrying)| matches!(carrying, Carrying::Again(_)))
                    .count();
                format!("retransmission {times}, {}", step.note())
            }
            Carrying::Credentials { .. } => {
                let realm = self
                    .auth
                    .realm
                    .as_ref()
                    .map_or_else(String::new, |realm| format!(" · realm {realm}"));
                step.note() + &realm
            }
        };
        format!("{}: {}, {note}", self.goal.name(), step.what())
    }

    /// The steps in which requests went out, the last one first.
    fn sent_last(&self) -> impl Iterator<Item = (&Step, Carrying)> {
        self.steps.iter().rev().filter_map(|step| match &step.happening {
            Happening::Sent { carrying, .. } => Some((step, *carrying)),
            Happening::LookedUp(_)
            | Happening::NotLocated(_)
            | Happening::Following(_)
            | Happening::Connected(_)
            | Happening::Received { .. }
            | Happening::TargetFailed { .. }
            | Happening::Malformed(_)
            | Happening::NotSip(_)
            | Happening::Asked { .. }
            | Happening::Answered(_)
            | Happening::SentBack => None,
        })
    }
}

fn noted(what: &str, note: &str) -> String {
    if note.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {note}")
    }
}

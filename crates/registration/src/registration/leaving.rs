//! A registration that goes away for good: its binding first, then everything that it holds on to.

use super::Registration;
use crate::Goal;
use crate::exchange::Cx;
use crate::outputs::Event;

impl Registration {
    /// The user wants it gone: its binding is removed first, if there is one or may be one.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) {
        self.leaving = true;
        match self.goal() {
            Some(Goal::Unregister | Goal::Clear) => self.ordered.clear(),
            Some(Goal::Register) if self.exchange.is_some() => self.remove_at_once(cx, Goal::Unregister),
            Some(Goal::Register | Goal::Fetch | Goal::Ping | Goal::Locate) | None if self.held.is_some() || self.perhaps_bound => {
                self.remove_at_once(cx, Goal::Unregister);
            }
            Some(Goal::Register | Goal::Fetch | Goal::Ping | Goal::Locate) | None => self.interrupt(cx),
        }
    }

    /// The user wants it gone, and its binding left as it is.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        self.leaving = true;
        self.interrupt(cx);
    }

    /// It is over: nothing of it is left anywhere.
    pub(super) fn vanish(&mut self, cx: &mut Cx<'_>) {
        if let Some(flow) = self.dialog.flow.take() {
            cx.leave(flow);
        }
        self.recover(cx);
        if let Some(home) = self.dialog.home.take() {
            cx.flows.move_out(home);
        }
        if let Some(gate) = self.gate.take() {
            cx.gates.leave(cx.now, gate);
        }
        self.announce(cx);
        self.gone = true;
        cx.out.events.push_back((cx.key, Event::Removed));
    }
}

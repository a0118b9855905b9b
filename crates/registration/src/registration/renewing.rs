//! Other values for a registration whose binding stays: credentials, the time to ask for, the product's name. Not for another way to the
//! registrar or another Contact, which make another binding.

use std::sync::Arc;

use super::Registration;
use crate::attempt::Ending;
use crate::exchange::Cx;
use crate::{Account, Goal};

impl Registration {
    /// Takes other values and registers with them. A registration under way speaks with the old ones and is stopped; anything else under
    /// way goes on with them to its end. The Call-ID stays, as with every refresh (RFC 3261 §10.2.4).
    pub(crate) fn renew(&mut self, cx: &mut Cx<'_>, account: Arc<Account>) {
        if self.leaving {
            return;
        }
        match &mut self.exchange {
            Some(exchange) => exchange.renewed = Some(account),
            None => self.adopt(account),
        }
        if self.exchange.as_ref().is_some_and(|exchange| exchange.goal == Goal::Register) {
            self.finish(cx, Ending::Interrupted);
        }
        self.order(cx, Goal::Register);
    }

    /// Speaks with this account from now on; nothing is under way.
    pub(super) fn adopt(&mut self, account: Arc<Account>) {
        self.account = account;
        // What was accepted so far may be another user's, or made with another password.
        self.dialog.credentials = Box::default();
        self.dialog.known = None;
    }
}

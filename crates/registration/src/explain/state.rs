//! Explanations of the ten states (names and codes as OpenSIPS' `uac_registrant` has them). Text only.

use super::Explanation;
use crate::State;

impl State {
    /// What the state means, where it usually comes from, and what to do about it.
    #[must_use]
    pub const fn explanation(self) -> &'static Explanation {
        match self {
            Self::NotRegistered => &NOT_REGISTERED,
            Self::Registering => &REGISTERING,
            Self::Authenticating => &AUTHENTICATING,
            Self::Registered => &REGISTERED,
            Self::RegisterTimeout => &REGISTER_TIMEOUT,
            Self::InternalError => &INTERNAL_ERROR,
            Self::WrongCredentials => &WRONG_CREDENTIALS,
            Self::RegistrarError => &REGISTRAR_ERROR,
            Self::Unregistering => &UNREGISTERING,
            Self::AuthenticatingUnregister => &AUTHENTICATING_UNREGISTER,
        }
    }
}

const NOT_REGISTERED: Explanation = Explanation {
    meaning: "There is no binding of ours: nothing has been sent yet, or the binding was removed and the registrar confirmed that.",
    likely: &[
        "the binding was removed on purpose",
        "the account was added a moment ago and its turn has not come",
        "registration is switched off for this account",
    ],
    todo: "Nothing is wrong by itself. If calls should reach this account, run `regprobe probe` and act on the state that comes out.",
};

const REGISTERING: Explanation = Explanation {
    meaning: "A REGISTER without credentials is out and its final reply has not come yet.",
    likely: &[
        "the exchange is simply still running",
        "the registrar is slow or far away",
        "the request or its reply was lost and is being sent again",
    ],
    todo: "Wait: this state ends by itself within the timeout. If another system shows it for minutes, that system lost track of its own request; restart the registration there.",
};

const AUTHENTICATING: Explanation = Explanation {
    meaning: "The registrar asked for credentials, the answer is out, and its final reply has not come yet.",
    likely: &[
        "the exchange is simply still running",
        "the registrar's user database or RADIUS server is slow",
        "the larger second request does not get through: fragmented UDP, or a firewall that inspects SIP",
    ],
    todo: "Wait for the end of the timeout. If it always stalls exactly here, try `--transport tcp`: the answer is bigger than the first request and may not survive fragmentation.",
};

const REGISTERED: Explanation = Explanation {
    meaning: "The registrar confirmed our Contact, and calls to this account are sent to it until the granted time is over.",
    likely: &["account, password, network path and registrar are all in order"],
    todo: "Nothing needs fixing for the registration. If calls still do not arrive, read the findings: nat_detected, sip_alg_suspected, contact_rewritten and other_bindings_present each explain a registered phone that stays silent.",
};

const REGISTER_TIMEOUT: Explanation = Explanation {
    meaning: "No usable final reply came before the deadline, or a proxy answered 408 in the registrar's place.",
    likely: &[
        "a firewall drops the packets, or the port or transport is not the registrar's",
        "the address is banned after failed log-ins and the registrar no longer answers it",
        "the host is down, or the name points at an old address",
        "a SIP-inspecting router swallows the request or the reply",
    ],
    todo: "Find out where the silence begins: `regprobe ping` the same host, then try another transport, another network, and on the registrar a capture on the SIP port.",
};

const INTERNAL_ERROR: Explanation = Explanation {
    meaning: "The exchange broke before the registrar could say yes or no: the request could not be delivered, or the reply could not be used.",
    likely: &[
        "DNS does not know the name, or nothing listens on the port",
        "the TLS certificate was not accepted",
        "the reply or its challenge was malformed, or asked for something that nobody here can do",
    ],
    todo: "Read the cause: it names the step that broke. The account and its password have not been judged, so leave them alone for now.",
};

const WRONG_CREDENTIALS: Explanation = Explanation {
    meaning: "The registrar wants credentials and did not accept ours, or there were none to offer.",
    likely: &[
        "the password is wrong, or was changed on one side only",
        "the authentication user differs from the number or extension",
        "the account belongs to another realm or domain than the one in the AOR",
    ],
    todo: "Check `--auth-user`, the password and the domain against the provider's portal before trying again: many registrars ban an address after a handful of failures.",
};

const REGISTRAR_ERROR: Explanation = Explanation {
    meaning: "The registrar was reached, understood the request and said no, or said yes without storing our binding.",
    likely: &[
        "the account is disabled, unknown, or not allowed from this address",
        "a limit on the number of bindings or on the expiry applies",
        "the registrar is overloaded or broken",
    ],
    todo: "Read the status code, the reason phrase and the cause: they are the registrar's own words. This is for its operator to solve, and the transcript of `--trace` is what to send them.",
};

const UNREGISTERING: Explanation = Explanation {
    meaning: "A REGISTER with expiry 0 is out to remove the binding, and its final reply has not come yet.",
    likely: &[
        "the removal is simply still running",
        "the registrar stopped answering after it had registered us",
    ],
    todo: "Wait: it ends in a confirmed or an unconfirmed removal. Unconfirmed means that the binding may live on until its granted time is over.",
};

const AUTHENTICATING_UNREGISTER: Explanation = Explanation {
    meaning: "The registrar asked for credentials for the removal as well, they are out, and the final reply has not come yet.",
    likely: &[
        "the removal is simply still running",
        "the registrar wants a fresh nonce for every request, which is its right",
    ],
    todo: "Wait for the removal to end. `regprobe bindings` then shows what the registrar still has stored for the account.",
};

//! The revisions of `GET /sip_registration_status` as data: how an answer shows which it follows, and what its fields mean. Pure.
//!
//! ```text
//! R1  2026-05-29  pair_state, registered                          asked with user_id
//! R2  2026-06-01  + external_state, b2bua_external, b2bua_internal
//! R3  2026-06-02  the same answer                                 user_id no longer asked for
//! R4  2026-06-02  sip_registration_status and its details instead
//! R5  2026-06     the detail sip_uri_user_host
//! R6  2026-07     + telephony credentials: ua_ip, ua_port, node
//! R7  2026-08     + credential connections; node gone; last_registration_response may be null
//! R8  2026-09-02  the same answer, and what expires counts is said
//! ```
//! Where the wire is the same, the name says from which revision to which.

use serde_json::Value;

use crate::{About, SourceKind};

/// One revision, or several that look alike.
pub(super) struct Revision {
    /// What evidence calls it.
    pub(super) name: &'static str,
    /// What an answer has to show.
    signs: &'static [Sign],
    /// The field with the state. It has to be there.
    pub(super) state: States,
    /// States beside it, which may not say otherwise; one of another revision may still stand there, or already.
    pub(super) beside: &'static [States],
    /// The fields with a meaning.
    pub(super) fields: &'static [Field],
}

/// What tells a revision.
enum Sign {
    /// There is such a field.
    Has(&'static str),
    /// It is about a credential that registers at Telnyx.
    AtTelnyx,
    /// It is about a credential connection.
    OfCredentialConnection,
    /// There is such a field, and it is null.
    Null(&'static str),
}

/// A field that holds a state, and its words.
pub(super) struct States {
    pub(super) field: &'static str,
    pub(super) words: &'static [(&'static str, State)],
}

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing against the other indicators.
    Active,
    /// Nothing sent yet, or no longer.
    Idle,
    /// Under way.
    Trying,
    /// Registered.
    Registered,
    /// Failed, for whatever reason.
    Failed,
    /// No answer.
    TimedOut,
    /// An un-REGISTER is under way.
    Unregistering,
    /// Not wanted.
    Disabled,
    /// Run out.
    Lapsed,
    /// Telnyx does not know.
    Unknown,
}

impl State {
    /// Whether both may be said at once: of a pair that is switched off either anything else is said as well.
    pub(super) fn agrees(self, other: Self) -> bool {
        let leaves_open = |state| matches!(state, Self::Active | Self::Disabled);
        self == other || leaves_open(self) || leaves_open(other)
    }

    /// Whether the boolean beside it may be so.
    pub(super) const fn fits(self, registered: bool) -> bool {
        match self {
            Self::Active => true,
            Self::Registered => registered,
            Self::Idle
            | Self::Trying
            | Self::Failed
            | Self::TimedOut
            | Self::Unregistering
            | Self::Disabled
            | Self::Lapsed
            | Self::Unknown => !registered,
        }
    }
}

/// A field with a meaning.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) about: About,
    pub(super) meaning: Meaning,
}

/// What a field is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Shown, and nothing else.
    Shown,
    /// The last SIP reply.
    Response,
    /// The moment of the next REGISTER.
    NextAction,
    /// When the next REGISTER is due, where nothing else says so. It looks like the end of the binding, and is not: in the vendor's own
    /// sample it stands 0.8 lifetimes after the registration.
    NextActionAtLast,
    /// A lifetime in seconds, or the end of the binding where it is a moment.
    LifetimeOrEnd,
    /// A lifetime in seconds that is asked for.
    Lifetime,
    /// The moment of the last change of the binding.
    Refresh,
    /// The registered Contact.
    Contact,
    /// The device's address.
    ContactHost,
    /// The device's port.
    ContactPort,
    /// The user name that is registered.
    Username,
    /// The same, where it differs from the digest user.
    FromUser,
}

impl Revision {
    /// The revision that an answer follows; `None` when it shows the signs of none.
    pub(super) fn of(kind: SourceKind, answer: &Value) -> Option<&'static Self> {
        let shows = |sign: &Sign| match sign {
            Sign::Has(field) => find(answer, field).is_some(),
            Sign::Null(field) => find(answer, field).is_some_and(Value::is_null),
            Sign::AtTelnyx => kind != SourceKind::TelnyxUac,
            Sign::OfCredentialConnection => kind == SourceKind::TelnyxCredentialConnection,
        };
        ALL.iter().find(|revision| revision.signs.iter().all(shows))
    }

    /// What a field is about, by its full name.
    pub(super) fn about(&self, name: &str) -> About {
        let name = super::fields::usual_name(name);
        let field = self.fields.iter().chain(SHOWN).find(|field| field.name == name);
        field.map_or(About::Other, |field| field.about)
    }
}

/// The field at a path such as `external_uac_settings.username`, also where a page of the documents wrote `third-party` for `external`.
pub(super) fn find<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(answer, |value, name| {
        value.get(name).or_else(|| value.get(super::fields::external_name(name)))
    })
}

const fn field(name: &'static str, about: About, meaning: Meaning) -> Field {
    Field { name, about, meaning }
}

/// From the most telling signs to the least.
const ALL: &[Revision] = &[
    Revision {
        name: "telnyx R2 to R3",
        signs: &[Sign::Has("external_state")],
        state: EXTERNAL_STATE,
        beside: &[PAIR_STATE, STATUS],
        fields: EARLY,
    },
    Revision {
        name: "telnyx R6",
        signs: &[Sign::Has(STATUS.field), Sign::AtTelnyx, Sign::Has("sip_registration_details.node")],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: AT_TELNYX,
    },
    Revision {
        name: "telnyx R7 to R8",
        signs: &[Sign::Has(STATUS.field), Sign::OfCredentialConnection],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: AT_TELNYX,
    },
    Revision {
        name: "telnyx R7 to R8",
        signs: &[Sign::Has(STATUS.field), Sign::AtTelnyx, Sign::Null("last_registration_response")],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: AT_TELNYX,
    },
    Revision {
        name: "telnyx R6 to R8",
        signs: &[Sign::Has(STATUS.field), Sign::AtTelnyx],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: AT_TELNYX,
    },
    Revision {
        name: "telnyx R7 to R8",
        signs: &[Sign::Has(STATUS.field), Sign::Null("last_registration_response")],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: UAC,
    },
    Revision {
        name: "telnyx R5 to R8",
        signs: &[Sign::Has(STATUS.field), Sign::Has("sip_registration_details.sip_uri_user_host")],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: UAC,
    },
    Revision {
        name: "telnyx R4 to R8",
        signs: &[Sign::Has(STATUS.field)],
        state: STATUS,
        beside: &[PAIR_STATE],
        fields: UAC,
    },
    Revision {
        name: "telnyx R1",
        signs: &[Sign::Has("pair_state")],
        state: PAIR_STATE,
        beside: &[],
        fields: EARLY,
    },
];

/// The documents list these seven.
const STATUS: States = States {
    field: "sip_registration_status",
    words: &[
        ("registered", State::Registered),
        ("trying", State::Trying),
        ("failed", State::Failed),
        ("standby", State::Idle),
        ("unregistering", State::Unregistering),
        ("connection_disabled", State::Disabled),
        ("unknown", State::Unknown),
    ],
};

/// The documents give `REGED` as an example. The others are the states of a FreeSWITCH gateway, whose word that is.
const EXTERNAL_STATE: States = States {
    field: "external_state",
    words: &[
        ("REGED", State::Registered),
        ("REGISTER", State::Registered),
        ("TRYING", State::Trying),
        ("UNREGED", State::Idle),
        ("UNREGISTER", State::Unregistering),
        ("FAILED", State::Failed),
        ("FAIL_WAIT", State::Failed),
        ("TIMEOUT", State::TimedOut),
        ("EXPIRED", State::Lapsed),
        ("NOREG", State::Disabled),
        ("DOWN", State::Disabled),
    ],
};

/// The two examples that the documents give.
const PAIR_STATE: States = States {
    field: "pair_state",
    words: &[("ACTIVE", State::Active), ("INACTIVE", State::Disabled)],
};

/// R1 to R3.
const EARLY: &[Field] = &[
    field("last_registration_response", About::Response, Meaning::Response),
    field("external_uac_settings.username", About::Username, Meaning::Username),
    field("external_uac_settings.from_user", About::Username, Meaning::FromUser),
    field("external_uac_settings.expiration_sec", About::Lifetime, Meaning::Lifetime),
];

/// From R4 on, of a UAC connection. `credential_username` is Telnyx' own name of it, not the one that it registers with; `uptime` says
/// since when it has been up without a break, which is no sign of the last refresh.
const UAC: &[Field] = &[
    field("last_registration_response", About::Response, Meaning::Response),
    field("sip_registration_details.next_action_at", About::NextAction, Meaning::NextAction),
    field("sip_registration_details.expires", About::NextAction, Meaning::NextActionAtLast),
    field("sip_registration_details.sip_uri_user_host", About::Contact, Meaning::Contact),
];

/// From R6 on, of credentials that register at Telnyx.
const AT_TELNYX: &[Field] = &[
    field("last_registration_response", About::Response, Meaning::Response),
    field("credential_username", About::Username, Meaning::Username),
    field("sip_registration_details.expires", About::Lifetime, Meaning::LifetimeOrEnd),
    field("sip_registration_details.last_modified", About::Refresh, Meaning::Refresh),
    field("sip_registration_details.ua_ip", About::Contact, Meaning::ContactHost),
    field("sip_registration_details.ua_port", About::Contact, Meaning::ContactPort),
];

/// What is shown under its heading in every revision.
const SHOWN: &[Field] = &[
    field("registered", About::State, Meaning::Shown),
    field("sip_registration_status", About::State, Meaning::Shown),
    field("external_state", About::State, Meaning::Shown),
    field("pair_state", About::State, Meaning::Shown),
    field("connection_id", About::Identity, Meaning::Shown),
    field("connection_name", About::Identity, Meaning::Shown),
    field("credential_type", About::Identity, Meaning::Shown),
    field("user_id", About::Identity, Meaning::Shown),
    field("credential_username", About::Identity, Meaning::Shown),
    field("username", About::Identity, Meaning::Shown),
    field("external_uac_settings.transport", About::Transport, Meaning::Shown),
    field("sip_registration_details.transport", About::Transport, Meaning::Shown),
    field("sip_registration_details.uptime", About::Refresh, Meaning::Shown),
];

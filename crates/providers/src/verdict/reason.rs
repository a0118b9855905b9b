//! The reason codes of verdicts: stable words for scripts. Where each usually comes from and what to do is `explain`'s to say.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::Outcome;

/// Declares the reasons once: variant, word, verdict, meaning.
macro_rules! reasons {
    ($($variant:ident $name:literal $outcome:ident $meaning:literal;)+) => {
        /// Why a verdict is what it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)+
        }

        impl Reason {
            /// Every reason, those of one verdict together.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The verdict that it belongs to.
            #[must_use]
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$variant => Outcome::$outcome,)+ }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

reasons! {
    Registered "registered" Agree "The provider says registered, and the expected binding is there.";
    Down "down" Agree "The provider says that it is not registered, and nothing that was seen speaks against it.";
    RefreshInProgress "refresh_in_progress" Agree "The provider is refreshing, and the binding is there meanwhile.";
    ReasonMatches "reason_matches" Agree "The provider failed, and the registrar gave the probe the same answer.";

    FalsePositiveUnbound "false_positive_unbound" Disagree "The provider says registered, and nothing is bound.";
    Displaced "displaced" Disagree "The provider says registered, and only others are bound.";
    FalseNegativeBound "false_negative_bound" Disagree "The provider says not registered, and its binding is there and being refreshed.";
    ReasonMismatch "reason_mismatch" Disagree "It is down, and the registrar answers the probe otherwise than the provider reports.";
    CredentialsRejectedWhileRegistered "credentials_rejected_while_registered" Disagree "The provider says registered, and the registrar refuses its credentials now.";
    RegistrarRejects "registrar_rejects" Disagree "The provider says registered, and the registrar refuses the account.";
    ExpiryMismatch "expiry_mismatch" Disagree "The provider and the registrar differ about when the binding ends.";
    StuckInProgress "stuck_in_progress" Disagree "The provider has been registering for longer than that can take, and nothing is bound.";
    UnreachableFromTwoVantages "unreachable_from_two_vantages" Disagree "The provider says registered, and the registrar is silent from two places.";

    ExpiredClaim "expired_claim" Stale "By the provider's own data the registration has run out, and it still says registered.";
    NotRefreshed "not_refreshed" Stale "The provider's last sign of life is older than the lifetime that was granted.";
    PayloadUnchanged "payload_unchanged" Stale "The registrar saw a refresh, and the provider's data did not change.";
    StoredFieldOutdated "stored_field_outdated" Stale "The provider shows a stored value that its own live source contradicts.";

    RefreshRace "refresh_race" Inconclusive "The bindings changed while the provider was asked.";
    WithinGrace "within_grace" Inconclusive "It does not fit, and it may be on its way: it has to be seen twice, with the grace in between.";
    ApiUnreachable "api_unreachable" Inconclusive "The provider's API did not answer.";
    ApiAuth "api_auth" Inconclusive "The provider's API refused the key or its rights.";
    ApiRateLimited "api_rate_limited" Inconclusive "The provider's API asks for patience.";
    ApiNotFound "api_not_found" Inconclusive "The provider's API does not know the object.";
    ApiGone "api_gone" Inconclusive "The provider has withdrawn this API.";
    ApiContract "api_contract" Inconclusive "The provider's answer follows no known contract.";
    ApiNewValue "api_new_value" Inconclusive "The provider uses a word that is not known yet.";
    ApiSelfContradiction "api_self_contradiction" Inconclusive "The provider's answer contradicts itself.";
    ApiWrongObject "api_wrong_object" Inconclusive "The provider answered about something else.";
    ApiUnknown "api_unknown" Inconclusive "The provider says itself that it does not know.";
    ApiInProgress "api_in_progress" Inconclusive "The provider is registering; what came of it is not known yet.";
    SourceConflict "source_conflict" Inconclusive "Two sources of the same provider contradict each other.";
    ProbeUnreachable "probe_unreachable" Inconclusive "The probe got no usable answer from the registrar.";
    ProbeNoCredentials "probe_no_credentials" Inconclusive "The registrar asked for credentials, and the probe has none.";
    ProbeVantageBlocked "probe_vantage_blocked" Inconclusive "The registrar is alive and refuses the probe alone, or where it stands.";
    RegistrarSick "registrar_sick" Inconclusive "The registrar answered with an error of its own.";
    FetchNotSupported "fetch_not_supported" Inconclusive "The registrar does not answer which bindings are there.";
    RegistrarMayHideBindings "registrar_may_hide_bindings" Inconclusive "The registrar lists nothing, and may hide what is bound.";
    RegistrarOpen "registrar_open" Inconclusive "The registrar asked for no credentials, and was not asked again.";
    ContactUnmatchable "contact_unmatchable" Inconclusive "Something is bound, and nothing says whether it is the provider's.";
    OrphanBinding "orphan_binding" Inconclusive "A binding of the provider's is left that nobody was seen to refresh.";
    ClockSkew "clock_skew" Inconclusive "The clocks differ too much for their times to be compared.";
    IdentityMismatch "identity_mismatch" Inconclusive "The provider registers another user than the probe asked for.";
}

impl Reason {
    /// Finds a reason by its word.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.name() == name)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::ALL.iter().map(|reason| reason.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_word_and_a_meaning_of_its_own() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        let meanings: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.meaning()).collect();
        assert_eq!((names.len(), meanings.len()), (Reason::ALL.len(), Reason::ALL.len()));
        assert!(meanings.iter().all(|meaning| meaning.ends_with('.')));
        assert!(Reason::ALL.iter().all(|&reason| Reason::find(reason.name()) == Some(reason)));
    }
}

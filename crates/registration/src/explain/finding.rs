//! Explanations of the findings: things worth knowing whatever the state is. Text only.

use super::Explanation;
use crate::FindingId;

impl FindingId {
    /// What the finding means, where it usually comes from, and what to do about it.
    #[must_use]
    pub const fn explanation(self) -> &'static Explanation {
        match self {
            Self::WeakDigest => &WEAK_DIGEST,
            Self::PlaintextTransport => &PLAINTEXT_TRANSPORT,
            Self::NonceRotated => &NONCE_ROTATED,
            Self::NatDetected => &NAT_DETECTED,
            Self::SipAlgSuspected => &SIP_ALG_SUSPECTED,
            Self::ContactRewritten => &CONTACT_REWRITTEN,
            Self::ExpiresShortened => &EXPIRES_SHORTENED,
            Self::ExpiresLengthened => &EXPIRES_LENGTHENED,
            Self::OtherBindingsPresent => &OTHER_BINDINGS_PRESENT,
            Self::ReplyFromOtherAddress => &REPLY_FROM_OTHER_ADDRESS,
            Self::CertificateExpiresSoon => &CERTIFICATE_EXPIRES_SOON,
            Self::RetransmissionsNeeded => &RETRANSMISSIONS_NEEDED,
            Self::LateReply => &LATE_REPLY,
            Self::FailurePhraseIn200 => &FAILURE_PHRASE_IN_200,
            Self::FailedOver => &FAILED_OVER,
            Self::CredentialsSuspect => &CREDENTIALS_SUSPECT,
            Self::UnknownAlgorithmOffered => &UNKNOWN_ALGORITHM_OFFERED,
            Self::IntervalRaised => &INTERVAL_RAISED,
            Self::RetryAfter => &RETRY_AFTER,
            Self::WarningReceived => &WARNING_RECEIVED,
            Self::ChallengeChanged => &CHALLENGE_CHANGED,
            Self::ForeignRealm => &FOREIGN_REALM,
            Self::DigestDowngraded => &DIGEST_DOWNGRADED,
            Self::MayBeBound => &MAY_BE_BOUND,
            Self::NatRebound => &NAT_REBOUND,
            Self::SilentAfterChallenge => &SILENT_AFTER_CHALLENGE,
            Self::LargeRequest => &LARGE_REQUEST,
        }
    }
}

const WEAK_DIGEST: Explanation = Explanation {
    meaning: "The registrar offered MD5 and nothing stronger, so whoever records one log-in can try passwords against it at billions a second.",
    likely: &[
        "an older registrar, or one that still has its default settings",
        "SHA-256 left out for the sake of old phones, although both can be offered side by side (RFC 8760)",
    ],
    todo: "Use TLS, so that there is nothing to record, and a long random password. Ask the operator to offer SHA-256 beside MD5.",
};

const PLAINTEXT_TRANSPORT: Explanation = Explanation {
    meaning: "The exchange went over UDP or TCP without TLS: everybody on the path reads numbers and call data, and the digest can be attacked offline.",
    likely: &[
        "the registrar offers no TLS, or its DNS records do not announce it",
        "the transport was chosen by hand",
    ],
    todo: "Try `--transport tls`. If that works, move the phones to it; inside a closed lab or a VPN this can stay as it is.",
};

const NONCE_ROTATED: Explanation = Explanation {
    meaning: "The registrar refused our answer with another nonce than the one that it had been computed for, without calling the old one stale.",
    likely: &[
        "a registrar that draws a new nonce with each refusal: then the password is wrong all the same",
        "several servers behind one address that do not share their nonces",
        "a nonce that lives shorter than the way there and back",
    ],
    todo: "Verify the password first. If it is right beyond doubt, probe with `--every-target` and have the operator check that all nodes behind the address share the nonce secret.",
};

const NAT_DETECTED: Explanation = Explanation {
    meaning: "The registrar sees us under another address or port than our own: there is at least one NAT between us.",
    likely: &[
        "an ordinary home or office router",
        "a carrier-grade NAT, where the outer port lives for seconds only",
        "a container or a virtual machine with a network of its own",
    ],
    todo: "Harmless while the mapping lives. If calls stop arriving after some idle time, send keep-alives every 25 s, shorten the expiry, or use TCP or TLS.",
};

const SIP_ALG_SUSPECTED: Explanation = Explanation {
    meaning: "What the registrar echoes in Via, Contact or Call-ID is not what was sent: something on the way edits SIP messages.",
    likely: &[
        "the SIP ALG of the router, often on by default and on again after a firmware update or reset",
        "a firewall with SIP inspection",
        "a session border controller that does this on purpose",
    ],
    todo: "Switch SIP ALG or SIP inspection off in the router, or use `--transport tls`, which it cannot read. Repeat the probe to see whether the finding is gone.",
};

const CONTACT_REWRITTEN: Explanation = Explanation {
    meaning: "The registrar stored another Contact than the one that was sent; calls will go to the stored one.",
    likely: &[
        "the registrar replaces private addresses by what it sees, which usually helps",
        "a session border controller puts itself in the way on purpose",
        "a SIP ALG on the router changed it before it arrived",
    ],
    todo: "Compare the two: if the stored address is the outer one of this network, all is well; if it is private or unknown to you, look for a SIP ALG, or set `--advertise`.",
};

const EXPIRES_SHORTENED: Explanation = Explanation {
    meaning: "The registrar granted less time than was asked for; a phone that trusts its own setting refreshes too late and drops off in between.",
    likely: &[
        "an upper limit on the registrar",
        "a provider that keeps NAT mappings open through frequent refreshes",
    ],
    todo: "Make sure that the phone obeys the granted time, or set its expiry to what the registrar grants.",
};

const EXPIRES_LENGTHENED: Explanation = Explanation {
    meaning: "The registrar granted more time than was asked for, which RFC 3261 does not let it do.",
    likely: &[
        "a lower limit that is enforced silently instead of with a 423",
        "a proxy between us and the registrar that has a fixed expiry",
    ],
    todo: "Mind that a binding which is not removed outlives what the phone believes. Refresh by the requested time, or ask for at least the granted one.",
};

const OTHER_BINDINGS_PRESENT: Explanation = Explanation {
    meaning: "Other Contacts are bound to the same account, so calls ring there too, or only there.",
    likely: &[
        "more phones or a softphone use the account, as intended",
        "old bindings of this device under an earlier address, waiting to expire",
        "somebody else knows the password",
    ],
    todo: "List them with `regprobe bindings`. If you do not know one of them, change the password; leftovers go away with `regprobe unregister --contact`.",
};

const REPLY_FROM_OTHER_ADDRESS: Explanation = Explanation {
    meaning: "A reply came from another address or port than the request had gone to; a strict firewall or NAT drops such replies.",
    likely: &[
        "a registrar with several addresses that answers from the wrong one",
        "a load balancer whose nodes answer directly",
        "somebody forges replies",
    ],
    todo: "Have the operator answer from the address that was asked. Until then probe by TCP or TLS, where this cannot happen. A challenge from a foreign address is never answered.",
};

const CERTIFICATE_EXPIRES_SOON: Explanation = Explanation {
    meaning: "The server's certificate is still valid, but not for long; when it ends, every phone that verifies it drops off at the same moment.",
    likely: &[
        "the automatic renewal has failed unnoticed",
        "the certificate was renewed on disk and the SIP server was never told to reload it",
    ],
    todo: "Renew it, reload the SIP server, and probe again to see the new end date on the wire.",
};

const RETRANSMISSIONS_NEEDED: Explanation = Explanation {
    meaning: "At least one request had to be sent again because no reply came in time.",
    likely: &[
        "packet loss on the way",
        "a registrar that takes longer than half a second to answer",
        "a stateful firewall that loses the first packet of a flow",
    ],
    todo: "Repeat the probe a few times. If it happens often, look for loss on the path (`mtr --udp`) and at the registrar's load, or use TCP.",
};

const LATE_REPLY: Explanation = Explanation {
    meaning: "A reply came after we had stopped waiting for it.",
    likely: &[
        "the registrar is overloaded, or waits for a database or an upstream of its own",
        "a path with several seconds of buffering",
    ],
    todo: "Probe with a longer `--timeout`, up to the 32s of the RFC. If it succeeds then, the registrar is alive and too slow.",
};

const FAILURE_PHRASE_IN_200: Explanation = Explanation {
    meaning: "The status code says success and the reason phrase beside it says failure; by the RFC only the code counts.",
    likely: &[
        "a proxy or script that changes the code and leaves the phrase",
        "a provider that hides a refusal behind a 200",
    ],
    todo: "Trust the binding in the report, not the phrase, and prove it with a test call to the account.",
};

const FAILED_OVER: Explanation = Explanation {
    meaning: "An earlier target of the DNS answer failed and a later one served us; phones without RFC 3263 failover have no service now.",
    likely: &[
        "one node of the cluster is down or cut off",
        "a DNS record still points at a server that was retired",
    ],
    todo: "Read the outcome of every target in the report, or probe each by itself with `--every-target`, and repair or remove the dead one.",
};

const CHALLENGE_CHANGED: Explanation = Explanation {
    meaning: "After our answer a challenge called the nonce stale and, in the same breath, named a weaker algorithm; it was not answered.",
    likely: &[
        "two registrars behind one address that are configured differently",
        "somebody on the way who wants a hash that is easier to break",
    ],
    todo: "Probe by TLS, so that nobody can edit challenges, and have the operator bring the algorithms of all nodes in line.",
};

const CREDENTIALS_SUSPECT: Explanation = Explanation {
    meaning: "The registrar answered 403 after it had seen our credentials; several products say so instead of challenging again when the password is wrong.",
    likely: &[
        "wrong password or authentication user",
        "too many failures before, and the address or account is locked for now",
        "the credentials belong to another account than the AOR",
    ],
    todo: "Check the password and `--auth-user`, then wait some minutes before the next attempt, so that a lock can lapse.",
};

const UNKNOWN_ALGORITHM_OFFERED: Explanation = Explanation {
    meaning: "The registrar offered a digest algorithm or scheme that regprobe does not know; it was skipped and the others were judged.",
    likely: &[
        "an IMS core that offers AKA for SIM cards beside MD5",
        "a spelling mistake in the registrar's configuration",
    ],
    todo: "Nothing to do while the log-in works. If it does not, have the operator offer MD5 or SHA-256 for this account.",
};

const INTERVAL_RAISED: Explanation = Explanation {
    meaning: "The registrar found the requested time too short (423), and the request was repeated with the minimum that it named.",
    likely: &["the registrar protects itself against frequent refreshes"],
    todo: "Nothing needs fixing here; set the phone's expiry to at least that minimum and it saves a round trip at every registration.",
};

const RETRY_AFTER: Explanation = Explanation {
    meaning: "The registrar says how many seconds to stay away; trying earlier only prolongs it.",
    likely: &["overload or maintenance on the registrar", "a lock after too many attempts"],
    todo: "Stay away for that long, with every phone of the account, then probe again.",
};

const WARNING_RECEIVED: Explanation = Explanation {
    meaning: "The reply carries a Warning header, in which the server says more than the status code does.",
    likely: &[
        "a policy or a header that the server did not like",
        "a server that uses the header for its own diagnostics",
    ],
    todo: "Read the text in the message of the finding: it is the nearest thing to the server's log that can be had from outside.",
};

const FOREIGN_REALM: Explanation = Explanation {
    meaning: "A challenge named another realm than the one that the credentials are for, and got no answer: whoever can name the realm can collect answers to be attacked offline.",
    likely: &[
        "the realm was changed at the registrar, or differs between the machines of a cluster",
        "a machine in the registrar's place that asks on its own account",
    ],
    todo: "Compare both realms with what the operator says. The one to trust belongs into `--realm`, on the command line or in the list of accounts.",
};

const DIGEST_DOWNGRADED: Explanation = Explanation {
    meaning: "The registrar offered a stronger algorithm or protection earlier and does not any more, which weakens every answer that it gets.",
    likely: &[
        "a change or a restore of the registrar's configuration, or an older machine of the cluster",
        "a device on the way that takes the stronger challenges out, to attack the weaker answer",
    ],
    todo: "Ask the operator whether this was meant. `--min-digest sha-256` refuses anything weaker from now on, and TLS keeps others from editing challenges.",
};

const MAY_BE_BOUND: Explanation = Explanation {
    meaning: "The registrar may hold a binding that this run made and did not want to leave: its removal was not confirmed, or a REGISTER was never answered and may be carried out after the removal.",
    likely: &[
        "Ctrl-C, or the end of the time, while the registrar was slow",
        "a network that lost requests or replies on the way out",
        "a registrar that refuses or forgets to confirm removals",
    ],
    todo: "`regprobe bindings` shows whether it is there, and `regprobe unregister` removes it. Otherwise it ends by itself at the time that the finding names, and calls for the account may go there until then.",
};

const NAT_REBOUND: Explanation = Explanation {
    meaning: "The registrar saw our requests come from one outer address and then from another: the NAT in between gave us a new mapping, so that what is sent to the old one is lost.",
    likely: &[
        "the NAT forgets mappings after some seconds without traffic, or was restarted",
        "two lines to the outside, between which a router divides the traffic",
        "a carrier-grade NAT with a pool of addresses",
    ],
    todo: "Calls reach a phone behind it only until the next change: keep the mapping with keep-alives (`regprobe watch --keep-alive crlf` on UDP), or use TCP or TLS. With two lines, bind SIP to one of them.",
};

const SILENT_AFTER_CHALLENGE: Explanation = Explanation {
    meaning: "The server asked for credentials, and from the request that carried them on nothing came back: address, port and transport are right, and what is silent is this step alone.",
    likely: &[
        "that request or its reply is larger than the first one, and fragments of it are dropped on the way (UDP)",
        "the registrar waits for its database of users or its RADIUS server",
        "a firewall or a SIP ALG drops what carries credentials, or a ban begins with them",
        "the way broke just then",
    ],
    todo: "Repeat it once. If it ends here again, try `--transport tcp`: a success there means that large datagrams do not arrive. If that falls silent too, the operator has to look at the registrar's user database.",
};

const LARGE_REQUEST: Explanation = Explanation {
    meaning: "A request went by UDP that is larger than RFC 3261 allows there (1300 bytes): on most ways it travels in fragments, and where one of them is dropped, all of it is.",
    likely: &[
        "UDP was chosen by hand, or TCP was tried before and did not answer",
        "long URIs, parameters or display names in the account",
    ],
    todo: "Use `--transport tcp` or tls. If it has to be UDP and nothing comes back, suspect this first: firewalls and NATs like to drop fragments.",
};

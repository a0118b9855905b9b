//! Explanations of the causes. Text only; the remedy also stands as `advice` in a report.

use super::Explanation;
use crate::Cause;

impl Cause {
    /// What the cause means, where it usually comes from, and what to do about it.
    #[must_use]
    pub const fn explanation(self) -> &'static Explanation {
        match self {
            Self::BindingNotConfirmed => &BINDING_NOT_CONFIRMED,
            Self::GrantedZero => &GRANTED_ZERO,
            Self::Redirected => &REDIRECTED,
            Self::CredentialsMissing => &CREDENTIALS_MISSING,
            Self::MalformedChallenge => &MALFORMED_CHALLENGE,
            Self::UnsupportedAlgorithm => &UNSUPPORTED_ALGORITHM,
            Self::RealmMismatch => &REALM_MISMATCH,
            Self::DigestTooWeak => &DIGEST_TOO_WEAK,
            Self::StaleLoop => &STALE_LOOP,
            Self::WrongCredentials => &WRONG_CREDENTIALS,
            Self::RejectedWithoutChallenge => &REJECTED_WITHOUT_CHALLENGE,
            Self::Forbidden => &FORBIDDEN,
            Self::UnknownUser => &UNKNOWN_USER,
            Self::IntervalTooBrief => &INTERVAL_TOO_BRIEF,
            Self::Replied408 => &REPLIED_408,
            Self::NoReply => &NO_REPLY,
            Self::OnlyProvisional => &ONLY_PROVISIONAL,
            Self::Overloaded => &OVERLOADED,
            Self::ServerError => &SERVER_ERROR,
            Self::GlobalFailure => &GLOBAL_FAILURE,
            Self::Rejected => &REJECTED,
            Self::DnsNotFound => &DNS_NOT_FOUND,
            Self::DnsFailed => &DNS_FAILED,
            Self::Unreachable => &UNREACHABLE,
            Self::ConnectionRefused => &CONNECTION_REFUSED,
            Self::ConnectTimeout => &CONNECT_TIMEOUT,
            Self::ConnectionLost => &CONNECTION_LOST,
            Self::TlsHandshake => &TLS_HANDSHAKE,
            Self::CertificateExpired => &CERTIFICATE_EXPIRED,
            Self::CertificateUntrusted => &CERTIFICATE_UNTRUSTED,
            Self::CertificateNameMismatch => &CERTIFICATE_NAME_MISMATCH,
            Self::MalformedReply => &MALFORMED_REPLY,
            Self::ServerNotAuthenticated => &SERVER_NOT_AUTHENTICATED,
        }
    }
}

const BINDING_NOT_CONFIRMED: Explanation = Explanation {
    meaning: "The registrar answered with success, but its list of bindings does not hold our Contact: it looks registered and no call will arrive.",
    likely: &[
        "a proxy or ALG on the way changed the Contact beyond recognition",
        "the registrar accepted the request and stored nothing, for want of room or rights",
        "the 200 came from a proxy that never asked a registrar",
    ],
    todo: "Look at the stored bindings with `regprobe bindings` and at the Contact headers with `--trace`. If the stored one is ours in disguise, probe by TLS so that nobody can edit it; if there is none, the registrar's log has to say why.",
};

const GRANTED_ZERO: Explanation = Explanation {
    meaning: "The registrar answered with success and granted our Contact zero seconds, which means that it is not bound.",
    likely: &[
        "the registrar or account does not permit registrations and says so in this odd way",
        "the registrar took the request for an un-REGISTER: an Expires header or parameter was lost on the way",
    ],
    todo: "Try another `--expires` such as 3600. If it is still zero, the operator has to permit registration for this account.",
};

const REDIRECTED: Explanation = Explanation {
    meaning: "The registrar answered 3xx: this account is registered somewhere else, and it names the place.",
    likely: &[
        "the account was moved to another server or cluster",
        "a load balancer works by redirection",
        "the AOR's domain is not the registrar's own name",
    ],
    todo: "If you trust the named place, probe again with `--follow-redirects`, or put it into `--registrar` or `--proxy` for good.",
};

const CREDENTIALS_MISSING: Explanation = Explanation {
    meaning: "The registrar asked for credentials and none were given.",
    likely: &[
        "no password reached the program: the variable is unset, or nobody was there to be asked",
        "the registrar was expected to trust this address without a password, and does not",
    ],
    todo: "Give the password with REGPROBE_PASSWORD, `--password-file` or `--ha1-file`. If this address should be trusted without one, have the operator check the access list for the address that the registrar sees.",
};

const MALFORMED_CHALLENGE: Explanation = Explanation {
    meaning: "The registrar asked for credentials with a challenge that is missing or cannot be read, so no answer can be computed.",
    likely: &[
        "a 401 without WWW-Authenticate, or a 407 without Proxy-Authenticate",
        "quotes, realm or nonce are missing in the header",
        "a device on the way cut or changed the header",
    ],
    todo: "Look at the header with `--trace`, then again over TLS: if it is whole there, a device on the way breaks it; if not, the registrar does.",
};

const UNSUPPORTED_ALGORITHM: Explanation = Explanation {
    meaning: "The registrar asked for credentials only in ways that we cannot answer: none of the offered algorithms is supported, or the HA1 given is for another one.",
    likely: &[
        "an IMS core that wants AKA with a SIM card",
        "an HA1 of MD5 where the registrar offers only SHA-256, or the other way round",
        "a registrar that offers only Basic, which is never answered because it reveals the password",
    ],
    todo: "Compare the offered algorithms in the report with yours. With `--ha1-file` use one for an offered algorithm, or give the password itself; otherwise have MD5 or SHA-256 switched on for the account.",
};

const REALM_MISMATCH: Explanation = Explanation {
    meaning: "The registrar asked for credentials in another realm than the one that they are for: the one given with `--realm`, or else the first one that was answered. It got no credentials.",
    likely: &[
        "`--realm` is not the registrar's realm, letter by letter; upper and lower case count",
        "the registrar was configured anew, or another machine of the cluster has a realm of its own",
        "somebody else answers in the registrar's place: DNS, a route or the network leads elsewhere",
        "the challenge has an empty realm, which only `--realm` with an empty value lets through",
    ],
    todo: "Ask the operator for the realm of the account. If the new one is right, give it with `--realm`, or start the registration anew, so that the first answer decides again; if not, find out who answers there before the password goes out.",
};

const DIGEST_TOO_WEAK: Explanation = Explanation {
    meaning: "The registrar asked for credentials only with algorithms weaker than `--min-digest` allows, so it got no credentials.",
    likely: &[
        "the registrar offers nothing stronger, often MD5 alone",
        "it offered more before, and a change of its configuration or a device on the way took that out",
    ],
    todo: "Have the operator offer the wanted algorithm. Only if the way to the registrar is trusted, as with TLS, lower `--min-digest` to what is offered.",
};

const STALE_LOOP: Explanation = Explanation {
    meaning: "The registrar called every nonce stale, even the one that it had just handed out, so the password was never judged.",
    likely: &[
        "several servers behind one address that do not share their nonce secret",
        "clocks that disagree between the nodes of a cluster",
        "a nonce lifetime shorter than the round trip",
    ],
    todo: "Probe each node by itself with `--every-target` or `--resolve`. If each succeeds alone, the operator has to share the nonce secret between them or keep a client on one node.",
};

const WRONG_CREDENTIALS: Explanation = Explanation {
    meaning: "The registrar asked for credentials, got them, and asked again: it does not accept this user and password.",
    likely: &[
        "the password is wrong, has changed, or has a blank or newline too many",
        "the authentication user is not the user of the AOR and has to be named",
        "the realm shows another domain than the one that the password was made for",
    ],
    todo: "Check `--auth-user` and the password against the provider's portal, and compare the realm in the report with the domain of the account. Do not retry in a loop: a few failures can ban this address.",
};

const REJECTED_WITHOUT_CHALLENGE: Explanation = Explanation {
    meaning: "After it had our credentials the registrar answered 401 or 407 once more, this time without a challenge: the answer is final.",
    likely: &[
        "wrong credentials, and a registrar that does not want to be asked again",
        "the account is locked after earlier failures",
        "a proxy in front removes the challenge from the second reply",
    ],
    todo: "Treat it as a wrong password: check `--auth-user` and password, wait some minutes in case of a lock, and only then try again.",
};

const FORBIDDEN: Explanation = Explanation {
    meaning: "The registrar answered 403: it understood the request and will not serve it. Asking again the same way does not help.",
    likely: &[
        "the address is not on the account's access list, or is banned",
        "the account is disabled, unpaid or not allowed to register",
        "the user of the AOR and the authentication user do not belong together",
        "a wrong password, on products that answer 403 to it",
    ],
    todo: "Read the reason phrase first. Then ask the operator whether the account is active and whether the address that the registrar sees is allowed; after credentials were sent, check them as well.",
};

const UNKNOWN_USER: Explanation = Explanation {
    meaning: "The registrar answered 404: it has no account by this name in this domain.",
    likely: &[
        "a typing mistake in the user part, or a number in the wrong format (with or without +, country code)",
        "the domain of the AOR is not one that this registrar serves",
        "the account was deleted or not yet provisioned on this node",
    ],
    todo: "Compare user and domain letter by letter with the provider's portal. If the registrar is reached under another name than the account's domain, keep the domain in the AOR and name the server with `--proxy`.",
};

const INTERVAL_TOO_BRIEF: Explanation = Explanation {
    meaning: "The registrar answered 423 again after its own minimum had been obeyed, or named no usable minimum.",
    likely: &[
        "two servers with different minimums behind one name",
        "a 423 without Min-Expires, which RFC 3261 does not permit",
        "a device on the way that lowers the Expires again",
    ],
    todo: "Probe with a longer time, such as `--expires 3600`. If the 423 remains, compare with `--trace` what is asked and what is demanded; the registrar contradicts itself.",
};

const REPLIED_408: Explanation = Explanation {
    meaning: "Somebody answered 408: the proxy in front is alive and reached nobody behind it in time.",
    likely: &[
        "the registrar behind the proxy or session border controller is down",
        "the proxy routes this domain to a wrong or dead address",
    ],
    todo: "The path from here to the proxy is fine. Report it to the operator of the proxy, with the time and the Call-ID from `--trace`.",
};

const NO_REPLY: Explanation = Explanation {
    meaning: "Requests went out and nothing at all came back, not even an error.",
    likely: &[
        "a firewall drops the packets, here or there",
        "wrong port or transport: the registrar listens elsewhere",
        "over TCP and TLS, where the connection did open: the registrar hangs, or no SIP is spoken on that port",
        "this address is banned after failed log-ins, and bans are silent",
        "the registrar drops what it does not like: unknown domains, scanners, requests too large for one packet",
    ],
    todo: "Try another `--transport` (udp, tcp, tls): an answer there shows that only this one is blocked. Try from another address: an answer there points at a ban. `regprobe ping` shows whether anything answers on that port at all.",
};

const ONLY_PROVISIONAL: Explanation = Explanation {
    meaning: "The server said that it was working on it (1xx) and never came to an end.",
    likely: &[
        "a proxy that lost contact with the registrar behind it",
        "a registrar that waits for its database or RADIUS server",
    ],
    todo: "Network and firewall are fine. Try once with `--timeout 32s`; if that ends the same way, the operator has to look behind the proxy.",
};

const OVERLOADED: Explanation = Explanation {
    meaning: "Every target that was tried answered 503: service unavailable.",
    likely: &[
        "overload or maintenance",
        "the account has reached its maximum number of bindings; several registrars say 503 to that",
        "a proxy that finds no working registrar behind it",
    ],
    todo: "Obey the Retry-After in the report, if there is one. Look with `regprobe bindings` whether old Contacts fill the account, and remove them with `regprobe unregister`.",
};

const SERVER_ERROR: Explanation = Explanation {
    meaning: "The server answered 5xx: it failed at a request that it should have been able to serve.",
    likely: &[
        "a broken script, module or database on the server",
        "a node in the middle of a restart",
        "a server without support for this method, transport or domain (501, 505, 513)",
    ],
    todo: "Try again after a minute. If it stays, send the operator the status code, reason phrase and Call-ID from `--trace`: the answer is in the server's log.",
};

const GLOBAL_FAILURE: Explanation = Explanation {
    meaning: "The server answered 6xx: no, and no other server will say anything else.",
    likely: &[
        "a filter against scanners or fraud that answers 603 or 607",
        "the user does not exist anywhere in this network (604)",
        "a server product that uses 6xx for its policy",
    ],
    todo: "Do not try other targets. Ask the operator which rule refused the request, with the time, the address that the registrar sees and the Call-ID from `--trace`.",
};

const REJECTED: Explanation = Explanation {
    meaning: "The server refused the request with a 4xx that has no cause of its own; its code and reason phrase say more.",
    likely: &[
        "400: it did not like a header, or a device on the way broke one",
        "405 or 501: REGISTER is not what this server is for",
        "420 or 421: an extension is demanded or refused",
        "480, 483 or 488: routing or policy behind the proxy",
    ],
    todo: "Look the code up together with the reason phrase and any Warning in the report. For a 400 compare what was sent with `--trace`; for a 405 find the real registrar and name it with `--registrar` or `--proxy`.",
};

const DNS_NOT_FOUND: Explanation = Explanation {
    meaning: "DNS answered, and it knows no usable address for this name: it does not exist, or has no record that fits.",
    likely: &[
        "a typing mistake in the domain",
        "an internal name asked of a public resolver, or the other way round",
        "only SRV records for another transport, or only addresses of a family that was excluded",
    ],
    todo: "Check the name with `dig NAPTR`, `dig SRV _sip._udp.NAME` and `dig A`. With an internal name choose the right resolver with `--dns`; to go on without DNS use `--resolve` or `--proxy` with the address.",
};

const DNS_FAILED: Explanation = Explanation {
    meaning: "DNS itself failed: the resolver answered with an error or not at all, so whether the name exists is not known.",
    likely: &[
        "the resolver is down or out of reach",
        "the zone is broken: DNSSEC does not validate, or its name servers do not answer (SERVFAIL)",
        "the resolver does not serve this network (REFUSED)",
    ],
    todo: "Ask another resolver with `--dns 9.9.9.9`. If that works, repair the local one; if it fails the same way, the zone is broken. `--resolve HOST:PORT:ADDRESS` goes on without DNS.",
};

const UNREACHABLE: Explanation = Explanation {
    meaning: "The network said that the address or port cannot be reached: there is no route, or the host has nothing on that UDP port. The detail says who said so: this machine, a router, or the host itself.",
    likely: &[
        "the SIP server is stopped, or listens on another port or address",
        "a firewall that rejects instead of dropping",
        "no route: a link or a VPN is down, this machine's address is gone, or there is no IPv6 here",
    ],
    todo: "If it is this machine that has no way, look at `ip route get ADDRESS` and `ip address` here. If the host said so, check port and transport, and on the server that it is listening (`ss -lunp`). With IPv6 addresses in the report and no IPv6 in this network use `-4`.",
};

const CONNECTION_REFUSED: Explanation = Explanation {
    meaning: "The host is alive and refused the TCP connection: nothing listens on that port, or a firewall rejects it.",
    likely: &[
        "the server offers only UDP, or TLS on 5061 instead of TCP on 5060",
        "the SIP service is stopped",
        "the address is banned with a rejecting firewall rule",
    ],
    todo: "Try `--transport udp` or tls and check the port. On the server look whether it listens there (`ss -ltnp`).",
};

const CONNECT_TIMEOUT: Explanation = Explanation {
    meaning: "The TCP connection, or TLS on top of it, did not come up in time: nobody answered, not even with a refusal.",
    likely: &[
        "a firewall drops the packets",
        "the address is banned, silently",
        "wrong address, or the host is down",
        "TCP opens and TLS hangs: the port speaks plain SIP",
    ],
    todo: "The phases in the report tell TCP from TLS. No TCP: check address and firewall with `nc -vz HOST PORT`. TCP but no TLS: try `--transport tcp`, or port 5061.",
};

const CONNECTION_LOST: Explanation = Explanation {
    meaning: "The connection was open, and the other side closed or reset it before the final reply, or its host did not acknowledge any more what was sent.",
    likely: &[
        "a server that hangs up on requests that it does not like, or on banned addresses",
        "a plain SIP request on a TLS port, or the reverse",
        "a load balancer without a working server behind it",
        "a server that restarts",
        "nothing acknowledged: the way to the host is cut, it has lost its power, or a firewall has forgotten the connection",
    ],
    todo: "See in the ladder how far it came. Closed right after the first request: check that transport and port belong together. Closed after the credentials: suspect a ban.",
};

const TLS_HANDSHAKE: Explanation = Explanation {
    meaning: "TCP stands, but TLS could not be agreed on; the certificate is not what was complained about.",
    likely: &[
        "the port speaks plain SIP, not TLS",
        "the server demands a client certificate",
        "the server speaks only TLS 1.0 or 1.1, which are no longer safe and not supported",
        "no cipher or signature algorithm in common",
    ],
    todo: "The detail has the exact words. Compare with `openssl s_client -connect HOST:PORT`; for a demanded client certificate give `--client-cert` and `--client-key`.",
};

const CERTIFICATE_EXPIRED: Explanation = Explanation {
    meaning: "The server's certificate is not valid today: its time is over, or has not begun.",
    likely: &[
        "nobody renewed it",
        "it was renewed on disk and the server was never reloaded",
        "the clock of this machine is wrong",
    ],
    todo: "Check the clock here first (`date -u`), then have the certificate renewed and the server reloaded. `--insecure` shows whether everything else works, but proves nothing about who is there.",
};

const CERTIFICATE_UNTRUSTED: Explanation = Explanation {
    meaning: "The certificate does not lead to an authority that is trusted here.",
    likely: &[
        "the server does not send its intermediate certificate",
        "a certificate of the operator's own authority, or a self-signed one",
        "a proxy that opens TLS on the way",
    ],
    todo: "If it is an authority of your own, give it with `--ca-file`. Otherwise have the server send the full chain; `openssl s_client -showcerts` shows what it sends now.",
};

const CERTIFICATE_NAME_MISMATCH: Explanation = Explanation {
    meaning: "The certificate is genuine and for another name than the one that was asked for.",
    likely: &[
        "the server was addressed by IP address or by the host of an SRV record, not by its domain (RFC 5922 wants the domain)",
        "a certificate of the host where it should name the SIP domain",
        "the name points at somebody else's server",
    ],
    todo: "Compare the names in the report. If one of them is known to be right, say so with `--tls-server-name`; otherwise the server needs a certificate for the domain in the AOR.",
};

const MALFORMED_REPLY: Explanation = Explanation {
    meaning: "A reply to our request came and cannot be read as SIP, or breaks the limits on its size.",
    likely: &[
        "a server that is not SIP, such as a web server on that port",
        "a registrar with a bug, or a reply cut short on the way",
        "more data than a SIP message may have: 64 KiB in all, 32 KiB and 256 header fields in its head",
    ],
    todo: "Look at the bytes with `--trace`. If it looks like SIP, send it to the operator of the registrar; if it does not, the port belongs to another service.",
};

const SERVER_NOT_AUTHENTICATED: Explanation = Explanation {
    meaning: "The reply says success, but its proof of knowing the password (rspauth in Authentication-Info) is wrong: whoever answered may not be the registrar.",
    likely: &[
        "a registrar that computes rspauth wrongly",
        "a proxy that changes what the proof covers",
        "somebody in the middle who does not know the password",
    ],
    todo: "Do not trust this registration. Probe again by TLS with a verified certificate; if the finding stays, the registrar has a bug and its operator should see the transcript.",
};

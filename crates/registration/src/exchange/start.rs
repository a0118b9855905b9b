//! How an exchange begins: for what, where to, and with which credentials. Not for when: that is the registration's.

use sip_message::OwnedUri;

use super::{Answered, Credential, Cx, Ending, Exchange, Goal, Listed, Party, Seen, Step};
use crate::locate::{Target, TargetSource, next_hop_address};
use crate::{Account, Endpoint, FlowId, Transport};

impl Exchange {
    /// Starts. With an ending, it is over at once.
    pub(crate) fn start(cx: &mut Cx<'_>, party: &mut Party<'_>, goal: Goal) -> (Box<Self>, Option<Ending>) {
        let mut exchange = Self::begin(cx, party, goal);
        // A removal goes to whom the binding was made with: DNS may name another server by now, or nobody.
        let server = party.dialog.server.clone().filter(|_| goal == Goal::Unregister);
        if let Some(server) = &server {
            exchange.uri.clone_from(&server.uri);
            exchange.withhold_credentials = server.withhold_credentials;
        }
        if exchange.withhold_credentials {
            exchange.credentials.clear();
        }
        let given = server.as_ref().map(|server| &server.target).or(party.account.target.as_deref());
        let ending = match given.cloned().or_else(|| Self::address(cx, party.account)) {
            Some(target) => exchange.use_targets(cx, party, [target]),
            None => {
                let (next_hop, transport) = next_hop(party.account);
                exchange.step = Step::locate(cx, next_hop, transport);
                exchange.go_on_locating(cx, party)
            }
        };
        (exchange, ending)
    }

    /// An exchange that has done nothing yet, in the place of one that is over if there is one.
    fn begin(cx: &mut Cx<'_>, party: &Party<'_>, goal: Goal) -> Box<Self> {
        let deadline = cx.now + cx.policy.timeout;
        let mut exchange = Self {
            goal,
            attempt: cx.out.pool.attempt(cx.now, goal),
            step: Step::Opening {
                flow: FlowId(u64::MAX),
                since: cx.now,
            },
            deadline,
            target_deadline: deadline,
            current: 0,
            uri: party.account.registrar.clone(),
            expires: party.account.expires.max(party.dialog.least_expires),
            brief_retries: 0,
            redirected: false,
            withhold_credentials: false,
            credentials: Vec::new(),
            are_old: true,
            answered: Answered::default(),
            renewed: None,
            silent: Vec::new(),
            seen: Seen {
                listed: Listed::Nothing,
                challenged_again: false,
                overloaded: false,
                usable_min_expires: false,
            },
        };
        let place = cx.out.pool.exchange();
        let mut exchange = match place {
            Some(mut place) => {
                std::mem::swap(&mut *place, &mut exchange);
                cx.out.pool.put_unused(exchange.attempt);
                place.credentials = exchange.credentials;
                place
            }
            None => Box::new(exchange),
        };
        exchange.credentials.clear();
        if cx.policy.credentials_ahead {
            exchange.credentials.extend(Self::ahead(&party.dialog.credentials));
        }
        exchange
    }

    /// It is over, and its place is kept: what it learnt from the wire goes.
    pub(crate) fn empty(&mut self) {
        self.credentials.clear();
        self.step = Step::Opening {
            flow: FlowId(u64::MAX),
            since: self.deadline,
        };
    }

    /// The credentials of the last exchange, counted on: the nonce may still be good, which saves a round trip.
    fn ahead(last: &[Credential]) -> impl Iterator<Item = Credential> {
        last.iter().filter_map(|credential| {
            let nonce_count = credential.nonce_count.checked_add(1)?;
            Some(Credential {
                nonce_count,
                ..credential.clone()
            })
        })
    }

    /// The target, when the next hop is an address: then there is nothing to look up.
    fn address(cx: &mut Cx<'_>, account: &Account) -> Option<Target> {
        let (next_hop, asked) = next_hop(account);
        // The last one is nearly always this one, and shares its text.
        let known = cx.out.pool.address.as_ref();
        if let Some(known) = known.filter(|known| known.transport == asked && known.next_hop == *next_hop) {
            return Some(known.target.clone());
        }
        let (transport, remote) = next_hop_address(&next_hop.parts(), asked, cx.policy.families)?;
        let target = Target {
            endpoint: Endpoint {
                transport,
                remote,
                server_name: cx.texts.display(remote.ip()),
            },
            source: TargetSource::Numeric,
        };
        cx.out.pool.address = Some(Address {
            next_hop: next_hop.clone(),
            transport: asked,
            target: target.clone(),
        });
        Some(target)
    }
}

/// Where a next hop is that names an address.
#[derive(Debug)]
pub(crate) struct Address {
    next_hop: OwnedUri,
    /// The transport that was asked for.
    transport: Option<Transport>,
    target: Target,
}

/// Where requests go, and the transport if it is decided.
fn next_hop(account: &Account) -> (&OwnedUri, Option<Transport>) {
    let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar);
    // RFC 3261 §26.2.2: sips means TLS at every hop, the first one included, whatever the way there is called.
    // A sips next hop says so itself, and may then name its servers by NAPTR.
    let secure = account.aor.is_secure() || account.registrar.is_secure();
    let in_the_clear = secure && !next_hop.is_secure();
    (next_hop, if in_the_clear { Some(Transport::Tls) } else { account.transport })
}

#[cfg(test)]
mod tests {
    use sip_digest::Offers;
    use sip_message::Message;

    use super::*;
    use crate::encode::Cnonce;

    #[test]
    fn a_nonce_whose_count_is_at_its_end_is_not_used_again() {
        let reply = b"SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n";
        let offers = Offers::read(Message::parse(reply).unwrap().headers());
        let ahead = |nonce_count| {
            let challenge = offers.challenges()[0].clone();
            let cnonce = Cnonce::new(1);
            let last = [Credential {
                challenge,
                nonce_count,
                cnonce,
            }];
            Exchange::ahead(&last).map(|credential| credential.nonce_count).collect::<Vec<_>>()
        };
        assert_eq!((ahead(1), ahead(u32::MAX - 1)), (vec![2], vec![u32::MAX]));
        // RFC 7616 §3.4 has eight digits for it, and a second request with the same would be a replay.
        assert!(ahead(u32::MAX).is_empty());
    }
}

//! The search itself: which question follows from which answer (RFC 3263 §4.1, §4.2). The choices among records are made elsewhere.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use rand_chacha::ChaCha12Rng;

use super::branch::{self, Branch, Reply};
use super::hosts::{self, Candidate, Lookup, Road};
use super::naptr::{self, Pointer, Service};
use super::next_hop::{self, NextHop, Peer};
use super::{LocateError, MAX_OUTSTANDING, MAX_QUESTIONS, Target, TargetSource, Wish, name};
use crate::{DnsError, Endpoint, Families, Override, Question, RecordKind, Records, Srv, Transport};

/// The search for the targets of one next hop (RFC 3263 §4). Drain [`Locate::poll_question`] after `new` and after each answer, until
/// [`Locate::outcome`] is there. The outcome does not depend on the order in which the answers come.
///
/// ```text
///  the URI ──────► Refused: nobody could be asked, or the transport is not for it
///     │
///     ├─ address ────────────────────────────────────────────────────────────► one target
///     ├─ port given, name overridden, or localhost ─────────────────┐
///     ├─ transport given ─────────────────────────┐                 │
///     │                                           │                 │
///  ask NAPTR ── none usable, or no answer ──┐     │                 │
///     │                                     │     │                 │
///     │ by order and preference,    ask SRV of    │ ask SRV         │
///     │ nothing without TLS         udp, tcp,     │ of that         │
///     │ behind TLS                  and tls       │ transport       │
///     │                                     │     │                 │
///  ask SRV of each;                         └──┬──┘                 │
///  flag `a` names a host                       │                    │
///     │         │                  some ───────┼─── none,           │
///     │         │                     │        │    or no answer    │
///     │         └ none                │        │         │          │
///     │           │                   │   not offered    │ the URI's host at the transport's port
///     │           ▼                   │        ▼         │          │
///     │       no target               │    no target     │          │
///     │                               │                  │          │
///     └── by priority and weight ─────┴──────────────────┴──────────┤
///                                                                   │
///                                        overrides, otherwise ask AAAA and A of each host
///                                                                   │
///                                                                   ▼
///                                                          targets, or no target
///
///  no target: Failed when a question on the way was not answered, otherwise NotFound
/// ```
///
/// Questions of one row go out together, two at a time, and the next row waits for all of their answers. Without NAPTR, UDP, TCP and TLS
/// are tried in this order, `sips:` goes by TLS only. The addresses of one host are tried IPv6 first, then IPv4, each in the order of its
/// answer.
///
/// Hard limits hold whatever DNS says: 64 questions and 64 targets; of one answer at most 256 records are looked at, and 8 services, 16
/// hosts or 16 addresses are taken. No record leads back to an earlier row, so nothing loops.
#[derive(Debug)]
pub struct Locate {
    server_name: Arc<str>,
    families: Families,
    overrides: Vec<Override>,
    questions: VecDeque<(u32, Question)>,
    /// The tokens of the questions that were handed out and not answered yet.
    outstanding: Vec<u32>,
    asked: u32,
    /// The first question of the latest row with such that was not answered; told when nothing is found in the end.
    failure: Option<LocateError>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Waiting for the NAPTR records of a domain.
    Services {
        token: u32,
        domain: String,
        secure: bool,
    },
    /// Waiting for SRV records.
    Places {
        branches: Vec<Branch>,
        /// What to try without SRV records; nothing when NAPTR said what is offered.
        fallback: Option<Candidate>,
    },
    /// Waiting for addresses.
    Addresses {
        candidates: Vec<Candidate>,
        lookups: Vec<Lookup>,
    },
    Decided(Result<Vec<Target>, LocateError>),
}

impl Locate {
    /// Starts a search. It may be decided at once: see [`Locate::outcome`].
    #[must_use]
    pub fn new(wish: &Wish<'_>) -> Self {
        let mut locate = Self {
            server_name: next_hop::server_name(&wish.next_hop).into(),
            families: wish.families,
            overrides: wish.overrides.to_vec(),
            questions: VecDeque::new(),
            outstanding: Vec::new(),
            asked: 0,
            failure: None,
            step: Step::Decided(Ok(Vec::new())),
        };
        locate.step = match NextHop::read(wish) {
            Ok(hop) => locate.start(hop),
            Err(refused) => Step::Decided(Err(refused)),
        };
        locate
    }

    /// The next question to ask, with the token for its answer. Several may be outstanding; the rest waits for their answers.
    pub fn poll_question(&mut self) -> Option<(u32, Question)> {
        if self.outstanding.len() >= MAX_OUTSTANDING {
            return None;
        }
        let (token, question) = self.questions.pop_front()?;
        self.outstanding.push(token);
        Some((token, question))
    }

    /// Takes the answer to a question. Answers to nothing that was asked, and second answers, are ignored.
    pub fn handle_answer(&mut self, token: u32, answer: Result<Records, DnsError>, rng: &mut ChaCha12Rng) {
        self.outstanding.retain(|outstanding| *outstanding != token);
        match &mut self.step {
            Step::Services {
                token: asked,
                domain,
                secure,
            } => {
                if *asked == token {
                    let (domain, secure) = (mem::take(domain), *secure);
                    self.step = self.follow_services(&domain, secure, answer, rng);
                }
            }
            Step::Places { branches, fallback } => {
                if let Some(branch) = branches.iter_mut().find(|branch| branch.reply.is_for(token)) {
                    branch.reply = Reply::Came(answer.and_then(branch::places));
                    let (branches, fallback) = (mem::take(branches), fallback.take());
                    self.step = self.follow_places(branches, fallback, rng);
                }
            }
            Step::Addresses { candidates, lookups } => {
                if let Some(lookup) = lookups.iter_mut().find(|lookup| lookup.reply.is_for(token)) {
                    lookup.reply = Reply::Came(answer.and_then(|records| hosts::addresses(records, lookup.kind)));
                    let (candidates, lookups) = (mem::take(candidates), mem::take(lookups));
                    self.step = self.follow_addresses(candidates, lookups);
                }
            }
            Step::Decided(_) => {}
        }
    }

    /// The targets, best first and at least one, or why there is none. `None` while answers are missing.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<&[Target], LocateError>> {
        match &self.step {
            Step::Decided(outcome) => Some(outcome.as_deref().map_err(Clone::clone)),
            Step::Services { .. } | Step::Places { .. } | Step::Addresses { .. } => None,
        }
    }

    fn start(&mut self, hop: NextHop) -> Step {
        let transport = hop.transport_or_default();
        let own_port = transport.default_port();
        let name = match &hop.peer {
            Peer::Name(name) => name.as_str(),
            Peer::Address(address) => {
                let remote = (*address, hop.port.unwrap_or(own_port)).into();
                let endpoint = Endpoint {
                    transport,
                    remote,
                    server_name: Arc::clone(&self.server_name),
                };
                return Step::Decided(Ok(vec![Target {
                    endpoint,
                    source: TargetSource::Numeric,
                }]));
            }
        };
        let at = |port| Candidate {
            transport,
            host: name.to_owned(),
            port,
            road: Road::Uri,
        };
        let overridden = hosts::overridden_ports(&self.overrides, name, own_port);
        match (hop.port, hop.transport) {
            // RFC 3263 §4.1, §4.2: a port leaves nothing for NAPTR and SRV to say.
            (Some(port), _) => self.ask_addresses(vec![at(port)]),
            (None, _) if !overridden.is_empty() => self.ask_addresses(overridden.into_iter().map(at).collect()),
            (None, _) if name::is_local(name) => self.ask_addresses(vec![at(own_port)]),
            (None, Some(transport)) => self.ask_places(name, &[transport]),
            (None, None) => match self.ask(name, RecordKind::Naptr) {
                Some(token) => Step::Services {
                    token,
                    domain: name.to_owned(),
                    secure: hop.secure,
                },
                None => self.guess_places(name, hop.secure),
            },
        }
    }

    fn follow_services(&mut self, domain: &str, secure: bool, answer: Result<Records, DnsError>, rng: &mut ChaCha12Rng) -> Step {
        let records = match answer {
            Ok(Records::Naptr(records)) => Ok(records),
            Ok(Records::Srv(_) | Records::Addresses(_)) => Err(DnsError::ServerFailure),
            Err(error) => Err(error),
        };
        let reply = Reply::Came(records);
        self.note_failure([(domain, &reply)]);
        let services = naptr::choose(reply.records(), secure);
        if services.is_empty() {
            // We differ: RFC 3263 does not say what a question without answer means. It is no reason to stop here.
            return self.guess_places(domain, secure);
        }
        let branches = services.into_iter().filter_map(|service| self.follow_service(service)).collect();
        // The domain said what it offers, so nothing else is tried when that leads nowhere.
        self.follow_places(branches, None, rng)
    }

    fn follow_service(&mut self, service: Service) -> Option<Branch> {
        let transport = service.transport;
        let (name, reply) = match service.pointer {
            Pointer::Services(name) => {
                let token = self.ask(&name, RecordKind::Srv)?;
                (name, Reply::Asked(token))
            }
            Pointer::Host(name) => {
                let place = Srv {
                    priority: 0,
                    weight: 0,
                    port: transport.default_port(),
                    target: name.clone(),
                };
                (name, Reply::Came(Ok(vec![place])))
            }
        };
        Some(Branch {
            transport,
            name,
            road: Road::Naptr,
            reply,
        })
    }

    /// RFC 3263 §4.1: without NAPTR the SRV records of each transport tell which ones there are.
    ///
    /// We differ: the RFC asks for `_sips._tcp` for `sips:` only. A `sip:` domain that offers nothing but TLS is found too; last, so that
    /// nothing falls back from TLS.
    fn guess_places(&mut self, domain: &str, secure: bool) -> Step {
        match secure {
            true => self.ask_places(domain, &[Transport::Tls]),
            false => self.ask_places(domain, &[Transport::Udp, Transport::Tcp, Transport::Tls]),
        }
    }

    /// Asks for the SRV records of these transports; the first is also the one that the host itself is tried with.
    fn ask_places(&mut self, domain: &str, transports: &[Transport]) -> Step {
        let branches: Vec<Branch> = transports
            .iter()
            .filter_map(|transport| self.guess_place(domain, *transport))
            .collect();
        let fallback = transports.first().map(|transport| Candidate {
            transport: *transport,
            host: domain.to_owned(),
            port: transport.default_port(),
            road: Road::Uri,
        });
        match fallback {
            // The names would be too long for DNS, so there are no such records.
            Some(host) if branches.is_empty() => self.ask_addresses(vec![host]),
            fallback => Step::Places { branches, fallback },
        }
    }

    fn guess_place(&mut self, domain: &str, transport: Transport) -> Option<Branch> {
        let name = name::service(transport, domain)?;
        let token = self.ask(&name, RecordKind::Srv)?;
        Some(Branch {
            transport,
            name,
            road: Road::Srv,
            reply: Reply::Asked(token),
        })
    }

    fn follow_places(&mut self, branches: Vec<Branch>, fallback: Option<Candidate>, rng: &mut ChaCha12Rng) -> Step {
        if branches.iter().any(|branch| branch.reply.is_awaited()) {
            return Step::Places { branches, fallback };
        }
        self.note_failure(branches.iter().map(|branch| (branch.name.as_str(), &branch.reply)));
        let candidates: Vec<Candidate> = branches.iter().flat_map(|branch| branch.candidates(rng)).collect();
        if !candidates.is_empty() {
            return self.ask_addresses(candidates);
        }
        // RFC 2782: records without a usable target, such as `.`, say that the service is decidedly not offered here.
        let denied = |host: &Candidate| {
            let denies = |branch: &&Branch| branch.transport == host.transport && !branch.reply.records().is_empty();
            branches.iter().find(denies)
        };
        match fallback {
            // RFC 3263 §4.2: without SRV records the host itself is the server.
            Some(host) if denied(&host).is_none() => self.ask_addresses(vec![host]),
            fallback => {
                let branch = fallback.as_ref().and_then(denied).or(branches.first());
                self.nothing(branch.map(|branch| branch.name.clone()).unwrap_or_default())
            }
        }
    }

    fn ask_addresses(&mut self, candidates: Vec<Candidate>) -> Step {
        let mut lookups: Vec<Lookup> = Vec::new();
        for Candidate { host, port, .. } in &candidates {
            let known =
                lookups.iter().any(|lookup| lookup.host == *host) || hosts::overridden(&self.overrides, host, *port).next().is_some();
            for kind in hosts::kinds(self.families).iter().filter(|_| !known) {
                if let Some(token) = self.ask(host, *kind) {
                    lookups.push(Lookup {
                        host: host.clone(),
                        kind: *kind,
                        reply: Reply::Asked(token),
                    });
                }
            }
        }
        self.follow_addresses(candidates, lookups)
    }

    fn follow_addresses(&mut self, candidates: Vec<Candidate>, lookups: Vec<Lookup>) -> Step {
        if lookups.iter().any(|lookup| lookup.reply.is_awaited()) {
            return Step::Addresses { candidates, lookups };
        }
        let targets = hosts::targets(&candidates, &lookups, &self.overrides, self.families, &self.server_name);
        if !targets.is_empty() {
            return Step::Decided(Ok(targets));
        }
        self.note_failure(lookups.iter().map(|lookup| (lookup.host.as_str(), &lookup.reply)));
        let host = candidates.into_iter().next().map(|candidate| candidate.host);
        self.nothing(host.unwrap_or_default())
    }

    /// Queues a question; `None` when there were enough.
    fn ask(&mut self, name: &str, kind: RecordKind) -> Option<u32> {
        if self.asked == MAX_QUESTIONS {
            return None;
        }
        let token = self.asked;
        self.asked += 1;
        self.questions.push_back((
            token,
            Question {
                name: name.to_owned(),
                kind,
            },
        ));
        Some(token)
    }

    /// Keeps the first question of a row that was not answered, in place of an earlier row's.
    fn note_failure<'a, T: 'a>(&mut self, row: impl IntoIterator<Item = (&'a str, &'a Reply<T>)>) {
        let failed = row.into_iter().find_map(|(name, reply)| Some((name.to_owned(), reply.failure()?)));
        if let Some((name, error)) = failed {
            self.failure = Some(LocateError::Failed { name, error });
        }
    }

    fn nothing(&mut self, name: String) -> Step {
        Step::Decided(Err(self.failure.take().unwrap_or(LocateError::NotFound { name })))
    }
}

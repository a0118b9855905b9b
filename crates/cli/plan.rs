//! From arguments to what is to be done: goal, account, policy, way, output. Pure: no file, no environment, no network, so every
//! rule here is tested by a table. Secrets are loaded later, from the source that is chosen here.

use std::net::SocketAddr;
use std::sync::Arc;

use sip_digest::{Algorithm, Secret};
use sip_message::OwnedUri;
use sip_net::{Options, TlsOptions};
use sip_registration::locate::{Locate, LocateError, Wish};
use sip_registration::{Account, Advertised, ChallengeRules, ContactPlan, Families, Goal, Policy, Transport};
use thiserror::Error;

use crate::args::accounts::AccountsArgs;
use crate::args::capture::CaptureArgs;
use crate::args::credentials::{ChallengeArgs, CredentialArgs};
use crate::args::verify::LookArgs;
use crate::args::{
    AccountArgs, BindingArgs, Bindings, ExchangeArgs, NetworkArgs, OutputArg, OutputArgs, Ping, Probe, TlsArgs, TransportArg, Unregister,
};
use crate::identity;
use crate::output::nagios::Thresholds;
use crate::secret::{Source, Surroundings};
use crate::values::{self, Instance};

/// What one run is to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For whom; its secret is still to be loaded from [`Plan::source`].
    pub(crate) account: Account,
    /// What for, by which rules and which way.
    pub(crate) options: Options,
    /// Where the secret comes from.
    pub(crate) source: Source,
    /// In which form the report goes out.
    pub(crate) output: Output,
    /// What is kept of the messages.
    pub(crate) capture: CaptureArgs,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Human,
    /// As JSON.
    Json,
    /// As one line for a monitoring system.
    Nagios(Thresholds),
}

/// Why arguments that are each right make no sense together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PlanError {
    /// `sips:` by something else than TLS.
    #[error("--transport {0}: a sips: URI is reached by TLS only; leave the transport out, or write sip:")]
    Insecure(&'static str),
    /// Thresholds without nagios.
    #[error("--warning and --critical belong to --output nagios; add it, or leave them out")]
    Thresholds,
    /// Thresholds in the wrong order.
    #[error("--warning {warning}: it has to be less than --critical {critical}, or it never shows")]
    Order {
        /// `--warning`, in milliseconds.
        warning: u32,
        /// `--critical`, in milliseconds.
        critical: u32,
    },
    /// `--trace` in one line.
    #[error("--trace: --output nagios is one line and has no room for messages; use --output human or json")]
    Trace,
    /// A URI that cannot be followed, whatever DNS says.
    #[error("{argument}: {why}")]
    NextHop {
        /// Which argument holds it.
        argument: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `--local` of a family that is excluded.
    #[error("--local {0}: this address is not of the family that -4 or -6 asks for; leave one of the two out")]
    LocalFamily(SocketAddr),
    /// An HA1 that could answer nothing that may be answered.
    #[error(
        "--ha1-file: an HA1 of {held} answers no other digest, and --min-digest wants {wanted} at least; give one of {wanted} or the password, or lower --min-digest"
    )]
    WeakHa1 {
        /// The hash that it is of.
        held: Algorithm,
        /// What `--min-digest` says.
        wanted: Algorithm,
    },
}

impl Plan {
    /// Plans `regprobe probe`.
    pub(crate) fn probe(args: &Probe, surroundings: Surroundings) -> Result<Self, PlanError> {
        let shared = Shared::new(&args.credentials, &args.network, &args.tls, &args.exchange, &args.output);
        let account = with_binding(account(&args.account, &shared)?, &args.binding);
        let mut plan = shared.plan(Goal::Register, account, surroundings)?;
        plan.options.keep = args.binding.keep;
        plan.options.every_target = args.every_target;
        plan.capture = args.capture.clone();
        Ok(plan)
    }

    /// Plans `regprobe bindings`.
    pub(crate) fn bindings(args: &Bindings, surroundings: Surroundings) -> Result<Self, PlanError> {
        let shared = Shared::new(&args.credentials, &args.network, &args.tls, &args.exchange, &args.output);
        shared.plan(Goal::Fetch, account(&args.account, &shared)?, surroundings)
    }

    /// Plans `regprobe unregister`.
    pub(crate) fn unregister(args: &Unregister, surroundings: Surroundings) -> Result<Self, PlanError> {
        let shared = Shared::new(&args.credentials, &args.network, &args.tls, &args.exchange, &args.output);
        let mut account = account(&args.account, &shared)?;
        if let Some(contact) = &args.contact {
            account.contact = ContactPlan::Fixed(contact.clone());
        }
        shared.plan(if args.all { Goal::Clear } else { Goal::Unregister }, account, surroundings)
    }

    /// Plans `regprobe ping`. Nobody is asked for a password: to a ping, being challenged is an answer.
    pub(crate) fn ping(args: &Ping, surroundings: Surroundings) -> Result<Self, PlanError> {
        let shared = Shared::new(&args.credentials, &args.network, &args.tls, &args.exchange, &args.output);
        let account = Account {
            contact: ContactPlan::Automatic { user: "regprobe".into() },
            outbound_proxy: args.proxy.clone(),
            ..shared.account(args.uri.clone(), args.uri.clone(), None)?
        };
        shared.plan(
            Goal::Ping,
            account,
            Surroundings {
                terminal: false,
                ..surroundings
            },
        )
    }
}

/// The way to a registrar for `regprobe verify`, whose account is known only when the provider has been asked.
pub(crate) fn way(look: &LookArgs) -> Result<Options, PlanError> {
    let output = OutputArgs {
        trace: look.show.trace,
        ..UNSHOWN
    };
    let shared = Shared::new(&look.credentials, &look.network, &look.tls, &look.exchange, &output);
    shared.options(Goal::Fetch, None)
}

/// The way to the registrars of a list of accounts, and the rules for one exchange with each.
pub(crate) fn way_of_all(args: &AccountsArgs) -> Result<Options, PlanError> {
    let shared = Shared::new(&args.credentials, &args.network, &args.tls, &args.exchange, &UNSHOWN);
    let options = shared.options(Goal::Register, None)?;
    Ok(Options {
        keep: args.binding.keep,
        ..options
    })
}

/// The address that `--advertise` asks to show.
pub(crate) fn advertised(network: &NetworkArgs) -> Option<Advertised> {
    network.advertise.clone()
}

/// An OPTIONS to a server that a provider names, without credentials.
pub(crate) fn ping(uri: &OwnedUri, network: &NetworkArgs, tls: &TlsArgs, exchange: &ExchangeArgs) -> Result<(Account, Options), PlanError> {
    let shared = Shared::new(&ANONYMOUS, network, tls, exchange, &UNSHOWN);
    let account = Account {
        contact: ContactPlan::Automatic { user: "regprobe".into() },
        ..shared.account(uri.clone(), uri.clone(), None)?
    };
    let nobody = Surroundings {
        variable: |_| false,
        terminal: false,
    };
    let plan = shared.plan(Goal::Ping, account, nobody)?;
    Ok((plan.account, plan.options))
}

/// What the accounts of many users have in common, and the way to their registrar; without a secret and without an interval.
pub(crate) fn common(
    whom: &AccountArgs,
    network: &NetworkArgs,
    tls: &TlsArgs,
    exchange: &ExchangeArgs,
) -> Result<(Account, Options), PlanError> {
    let shared = Shared::new(&ANONYMOUS, network, tls, exchange, &UNSHOWN);
    let options = shared.options(Goal::Register, None)?;
    let account = secured(account(whom, &shared)?)?;
    check_next_hop(Goal::Register, &account, families(network))?;
    Ok((account, options))
}

/// For a plan whose report is not shown as it is.
const UNSHOWN: OutputArgs = OutputArgs {
    output: OutputArg::Json,
    trace: false,
    warning: None,
    critical: None,
};

/// For a plan whose secret, if there is one, comes from elsewhere.
static ANONYMOUS: CredentialArgs = CredentialArgs {
    auth_user: None,
    password_file: None,
    password_env: String::new(),
    ha1_file: None,
    challenges: ANY_CHALLENGE,
};

/// For a plan whose challenges are somebody else's to judge.
pub(crate) const ANY_CHALLENGE: ChallengeArgs = ChallengeArgs {
    realm: None,
    min_digest: Algorithm::Md5,
};

/// Which challenges are answered.
pub(crate) fn challenge_rules(args: &ChallengeArgs) -> Option<Arc<ChallengeRules>> {
    let rules = ChallengeRules {
        realm: args.realm.as_deref().map(Into::into),
        min_digest: args.min_digest,
    };
    (rules != ChallengeRules::ANY).then(|| rules.into())
}

/// Refuses an HA1 that no challenge could be answered with.
///
/// # Errors
/// [`PlanError::WeakHa1`].
pub(crate) fn check_secret(rules: Option<&ChallengeRules>, secret: Option<&Secret>) -> Result<(), PlanError> {
    match (rules, secret) {
        (Some(rules), Some(secret @ Secret::Ha1(ha1))) if !rules.can_be_met_with(secret) => Err(PlanError::WeakHa1 {
            held: ha1.algorithm(),
            wanted: rules.min_digest,
        }),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// The transport that `--transport` asks for.
pub(crate) const fn transport(wanted: TransportArg) -> Option<Transport> {
    match wanted {
        TransportArg::Auto => None,
        TransportArg::Udp => Some(Transport::Udp),
        TransportArg::Tcp => Some(Transport::Tcp),
        TransportArg::Tls => Some(Transport::Tls),
    }
}

/// The arguments that all four have.
struct Shared<'a> {
    credentials: &'a CredentialArgs,
    network: &'a NetworkArgs,
    tls: &'a TlsArgs,
    exchange: &'a ExchangeArgs,
    output: &'a OutputArgs,
}

impl<'a> Shared<'a> {
    const fn new(
        credentials: &'a CredentialArgs,
        network: &'a NetworkArgs,
        tls: &'a TlsArgs,
        exchange: &'a ExchangeArgs,
        output: &'a OutputArgs,
    ) -> Self {
        Self {
            credentials,
            network,
            tls,
            exchange,
            output,
        }
    }

    fn plan(&self, goal: Goal, account: Account, surroundings: Surroundings) -> Result<Plan, PlanError> {
        let options = self.options(goal, Some(identity::favourite_port(&account.aor)))?;
        let account = secured(account)?;
        check_next_hop(goal, &account, families(self.network))?;
        Ok(Plan {
            account,
            options,
            source: Source::choose(self.credentials, surroundings),
            output: self.output()?,
            capture: CaptureArgs::default(),
        })
    }

    fn options(&self, goal: Goal, favourite_port: Option<u16>) -> Result<Options, PlanError> {
        let misfit = self.network.local.filter(|local| !families(self.network).allow(local.ip()));
        if let Some(local) = misfit {
            return Err(PlanError::LocalFamily(local));
        }
        Ok(Options {
            goal,
            keep: false,
            every_target: false,
            policy: self.policy(),
            local: self.network.local,
            favourite_port,
            tls: self.tls(),
            dns: self.network.dns,
            tap: None,
        })
    }

    fn account(&self, aor: OwnedUri, registrar: OwnedUri, hint: Option<Transport>) -> Result<Account, PlanError> {
        let secure = registrar.parts().secure || aor.parts().secure;
        let transport = chosen_transport(transport(self.network.transport), secure, hint)?;
        Ok(Account {
            contact: ContactPlan::Automatic {
                user: identity::contact_user(&aor).into(),
            },
            aor,
            registrar,
            outbound_proxy: None,
            transport,
            target: None,
            auth_user: self.credentials.auth_user.as_deref().map(Into::into),
            secret: None,
            challenges: challenge_rules(&self.credentials.challenges),
            advertise: advertised(self.network),
            instance: None,
            reg_id: None,
            expires: 0,
            user_agent: concat!("regprobe/", env!("CARGO_PKG_VERSION")).into(),
        })
    }

    fn policy(&self) -> Policy {
        Policy {
            timeout: self.exchange.timeout,
            follow_redirects: self.exchange.follow_redirects,
            families: families(self.network),
            overrides: self.network.resolve.clone(),
            trace: self.output.trace,
            ..Policy::one_shot()
        }
    }

    fn tls(&self) -> TlsOptions {
        TlsOptions {
            ca_file: self.tls.ca_file.clone(),
            client_certificate: self.tls.client_cert.clone(),
            client_key: self.tls.client_key.clone(),
            server_name: self.tls.tls_server_name.clone(),
            insecure: self.tls.insecure,
        }
    }

    const fn output(&self) -> Result<Output, PlanError> {
        let OutputArgs {
            output,
            trace,
            warning,
            critical,
        } = *self.output;
        match (output, warning, critical) {
            (OutputArg::Nagios, Some(warning), Some(critical)) if warning >= critical => Err(PlanError::Order { warning, critical }),
            (OutputArg::Nagios, _, _) if trace => Err(PlanError::Trace),
            (OutputArg::Nagios, warning_ms, critical_ms) => Ok(Output::Nagios(Thresholds { warning_ms, critical_ms })),
            (OutputArg::Human, None, None) => Ok(Output::Human),
            (OutputArg::Json, None, None) => Ok(Output::Json),
            (OutputArg::Human | OutputArg::Json, _, _) => Err(PlanError::Thresholds),
        }
    }
}

fn account(args: &AccountArgs, shared: &Shared<'_>) -> Result<Account, PlanError> {
    let registrar = args.registrar.clone().unwrap_or_else(|| values::registrar_of(&args.aor.uri));
    let account = shared.account(args.aor.uri.clone(), registrar, args.aor.transport)?;
    Ok(Account {
        outbound_proxy: args.proxy.clone(),
        ..account
    })
}

fn with_binding(account: Account, args: &BindingArgs) -> Account {
    let instance = args.instance.as_ref().map(|instance| match instance {
        Instance::Derived => identity::derived_instance(&account.aor),
        Instance::Urn(urn) => urn.as_str().into(),
    });
    let contact = args.contact.clone().map_or(account.contact, ContactPlan::Fixed);
    Account {
        contact,
        instance,
        reg_id: args.reg_id,
        expires: args.expires,
        ..account
    }
}

/// What is asked for, or else what stands behind the AOR. RFC 3261 §26.2.2: `sips:` asks for TLS, whose `transport=tcp` says no more
/// than that TLS runs over TCP.
pub(crate) fn chosen_transport(wanted: Option<Transport>, secure: bool, hint: Option<Transport>) -> Result<Option<Transport>, PlanError> {
    let hint = hint.filter(|hint| !(secure && *hint == Transport::Tcp));
    let chosen = wanted.or(hint);
    match chosen {
        Some(plain @ (Transport::Udp | Transport::Tcp)) if secure => Err(PlanError::Insecure(plain.name())),
        Some(_) | None => Ok(chosen),
    }
}

/// RFC 3261 §26.2.2: what is asked for with `sips:` goes by TLS on the first hop too, be that a `sip:` proxy or registrar.
pub(crate) fn secured(account: Account) -> Result<Account, PlanError> {
    let next_hop = account.outbound_proxy.as_ref().unwrap_or(&account.registrar).parts();
    let asks_for_tls = account.aor.parts().secure || account.registrar.parts().secure;
    if !asks_for_tls || next_hop.secure {
        return Ok(account);
    }
    match next_hop.transport() {
        Some(udp) if udp.eq_ignore_ascii_case(b"udp") => Err(PlanError::NextHop {
            argument: next_hop_argument(&account),
            why: "with a sips: URI the way to it is TLS; leave ;transport=udp out",
        }),
        Some(_) | None => Ok(Account {
            transport: Some(Transport::Tls),
            ..account
        }),
    }
}

/// What no DNS could make good is wrong with the command line or the list, and nothing is sent.
pub(crate) fn check_next_hop(goal: Goal, account: &Account, families: Families) -> Result<(), PlanError> {
    let search = Locate::new(&Wish {
        next_hop: account.outbound_proxy.as_ref().unwrap_or(&account.registrar).parts(),
        transport: account.transport,
        families,
        overrides: &[],
    });
    let argument = if goal == Goal::Ping && account.outbound_proxy.is_none() {
        "<URI>"
    } else {
        next_hop_argument(account)
    };
    match search.outcome() {
        Some(Err(LocateError::Refused { why })) => Err(PlanError::NextHop { argument, why }),
        Some(Err(LocateError::NotFound { .. } | LocateError::Failed { .. }) | Ok(_)) | None => Ok(()),
    }
}

/// What -4 or -6 asks for; without them that of `--local`, from which nothing goes to the other.
pub(crate) const fn families(network: &NetworkArgs) -> Families {
    match (network.ipv4, network.ipv6, network.local) {
        (true, _, _) | (false, false, Some(SocketAddr::V4(_))) => Families::V4,
        (false, true, _) | (false, false, Some(SocketAddr::V6(_))) => Families::V6,
        (false, false, None) => Families::Both,
    }
}

/// The argument that says where requests go first.
fn next_hop_argument(account: &Account) -> &'static str {
    if account.outbound_proxy.is_some() {
        "--proxy"
    } else if account.registrar == values::registrar_of(&account.aor) {
        "<AOR>"
    } else {
        "--registrar"
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    const SILENT: Surroundings = Surroundings {
        variable: |_| false,
        terminal: false,
    };
    const TERMINAL: Surroundings = Surroundings {
        variable: |_| false,
        terminal: true,
    };

    fn planned(line: &str, surroundings: Surroundings) -> Result<Plan, PlanError> {
        let words = ["regprobe"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().command {
            Command::Probe(args) => Plan::probe(&args, surroundings),
            Command::Bindings(args) => Plan::bindings(&args, surroundings),
            Command::Unregister(args) => Plan::unregister(&args, surroundings),
            Command::Ping(args) => Plan::ping(&args, surroundings),
            other => panic!("{other:?} has no plan"),
        }
    }

    fn plan(line: &str) -> Plan {
        planned(line, SILENT).unwrap()
    }

    #[test]
    fn the_shortest_line_registers_the_aor_at_its_domain_for_five_minutes() {
        let plan = plan("probe alice@pbx.example.com");
        assert_eq!(plan.options.goal, Goal::Register);
        assert_eq!(plan.account.aor.as_str(), "sip:alice@pbx.example.com");
        assert_eq!(plan.account.registrar.as_str(), "sip:pbx.example.com");
        assert_eq!(plan.account.contact, ContactPlan::Automatic { user: "alice".into() });
        assert_eq!(
            (plan.account.expires, plan.account.transport, plan.options.keep),
            (300, None, false)
        );
        assert_eq!((plan.account.instance, plan.account.reg_id), (None, None));
        assert_eq!(
            (plan.options.policy.timeout, plan.options.policy.maintain, plan.options.policy.trace),
            (Duration::from_secs(10), false, false)
        );
        assert_eq!(
            (plan.options.tls, plan.options.local, plan.options.dns),
            (TlsOptions::default(), None, None)
        );
        assert_eq!((plan.source, plan.output), (Source::Nowhere, Output::Human));
    }

    #[test]
    fn every_option_of_a_probe_arrives_where_it_belongs() {
        let plan = plan(
            "probe sip:alice@example.com --registrar reg.example.com --proxy edge.example.com:5070 --transport tls --auth-user a1 \
             --contact alice@192.0.2.7 --instance=urn:x:y --reg-id 2 --expires 60 --keep --timeout 3s --local 192.0.2.7:5062 \
             --advertise phone.example.com -4 --dns 192.0.2.53 --resolve edge.example.com:5070:192.0.2.9 --ca-file ca.pem \
             --client-cert c.pem --client-key k.pem --tls-server-name example.com --follow-redirects --trace --output json",
        );
        let account = &plan.account;
        assert_eq!(account.registrar.as_str(), "sip:reg.example.com");
        assert_eq!(account.outbound_proxy.as_ref().unwrap().as_str(), "sip:edge.example.com:5070");
        assert_eq!(
            (account.transport, account.auth_user.as_deref()),
            (Some(Transport::Tls), Some("a1"))
        );
        assert_eq!(account.contact, ContactPlan::Fixed("sip:alice@192.0.2.7".parse().unwrap()));
        assert_eq!(
            (account.instance.as_deref(), account.reg_id.map(u32::from), account.expires),
            (Some("urn:x:y"), Some(2), 60)
        );
        assert_eq!(&*account.advertise.as_ref().unwrap().host, "phone.example.com");
        assert_eq!(
            (plan.options.keep, plan.options.policy.timeout, plan.options.policy.families),
            (true, Duration::from_secs(3), Families::V4)
        );
        assert_eq!(
            (
                plan.options.policy.overrides.len(),
                plan.options.policy.follow_redirects,
                plan.options.policy.trace
            ),
            (1, true, true)
        );
        let tls = TlsOptions {
            ca_file: Some("ca.pem".into()),
            client_certificate: Some("c.pem".into()),
            client_key: Some("k.pem".into()),
            server_name: Some("example.com".into()),
            insecure: false,
        };
        assert_eq!((plan.options.tls, plan.output), (tls, Output::Json));
        assert_eq!(
            (plan.options.local, plan.options.dns),
            ("192.0.2.7:5062".parse().ok(), "192.0.2.53:53".parse().ok())
        );
    }

    #[test]
    fn each_sub_command_has_its_goal() {
        assert_eq!(plan("bindings a@h").options.goal, Goal::Fetch);
        assert_eq!(plan("unregister a@h").options.goal, Goal::Unregister);
        assert_eq!(plan("unregister a@h --all").options.goal, Goal::Clear);
        assert_eq!(
            plan("unregister a@h --contact sip:a@x").account.contact,
            ContactPlan::Fixed("sip:a@x".parse().unwrap())
        );
        let ping = plan("ping h:5080");
        assert_eq!((ping.options.goal, ping.account.registrar.as_str()), (Goal::Ping, "sip:h:5080"));
        assert!(plan("probe a@h --every-target").options.every_target);
    }

    #[test]
    fn sips_never_goes_without_tls() {
        for line in [
            "probe sips:a@h --transport udp",
            "probe a@h --registrar sips:h --transport tcp",
            "ping sips:h --transport udp",
            "probe sips:a@h;transport=udp",
        ] {
            assert!(matches!(planned(line, SILENT), Err(PlanError::Insecure(_))), "{line}");
        }
        assert_eq!(plan("probe sips:a@h --transport tls").account.transport, Some(Transport::Tls));
        assert_eq!(plan("probe sips:a@h").account.transport, None);
        assert_eq!(plan("probe sips:a@h;transport=tcp").account.transport, None);
    }

    #[test]
    fn sips_takes_the_first_hop_to_tls_too() {
        for line in [
            "probe sips:a@h --proxy edge.example.com",
            "probe sips:a@h --registrar sip:h",
            "probe a@h --registrar sips:h --proxy sip:edge.example.com;transport=tcp",
            "bindings sips:a@h --proxy edge.example.com:5080",
        ] {
            assert_eq!(plan(line).account.transport, Some(Transport::Tls), "{line}");
        }
        assert_eq!(plan("probe sips:a@h --proxy sips:edge.example.com").account.transport, None);
        let refused = planned("probe sips:a@h --proxy edge.example.com;transport=UDP", SILENT).unwrap_err();
        assert!(refused.to_string().starts_with("--proxy: "), "{refused}");
    }

    #[test]
    fn what_no_dns_could_make_good_is_refused_by_its_argument() {
        for (line, fragments) in [
            ("probe a@h --proxy edge;transport=ws", ["--proxy: ", "udp, tcp or tls"]),
            ("probe a@h --registrar h:0", ["--registrar: ", "port 0"]),
            ("bindings a@0.0.0.0", ["<AOR>: ", "unspecified"]),
            ("probe a@127.0.0.1 -6", ["<AOR>: ", "family"]),
            ("probe a@127.0.0.1 --local ::1", ["<AOR>: ", "family"]),
            ("ping [::1] -4", ["<URI>: ", "family"]),
        ] {
            let refused = planned(line, SILENT).unwrap_err().to_string();
            assert!(fragments.iter().all(|fragment| refused.contains(fragment)), "{line}: {refused}");
        }
    }

    #[test]
    fn the_transport_behind_an_aor_counts_unless_an_option_says_otherwise() {
        assert_eq!(plan("probe a@h;transport=tcp").account.transport, Some(Transport::Tcp));
        assert_eq!(
            plan("probe a@h;transport=tcp --transport udp").account.transport,
            Some(Transport::Udp)
        );
    }

    #[test]
    fn thresholds_belong_to_nagios_and_rise() {
        let error = |line| planned(line, SILENT).unwrap_err();
        assert_eq!(error("probe a@h -w 1"), PlanError::Thresholds);
        assert_eq!(error("probe a@h --output json -c 1"), PlanError::Thresholds);
        assert_eq!(
            error("probe a@h --output nagios -w 2 -c 2"),
            PlanError::Order { warning: 2, critical: 2 }
        );
        assert_eq!(error("probe a@h --output nagios --trace"), PlanError::Trace);
        let thresholds = Thresholds {
            warning_ms: Some(1),
            critical_ms: Some(2),
        };
        assert_eq!(plan("probe a@h --output nagios -w 1 -c 2").output, Output::Nagios(thresholds));
    }

    #[test]
    fn the_local_address_is_of_the_family_asked_for() {
        assert!(matches!(
            planned("probe a@h -4 --local ::1", SILENT),
            Err(PlanError::LocalFamily(_))
        ));
        assert!(planned("probe a@h -6 --local ::1", SILENT).is_ok());
    }

    #[test]
    fn a_ping_never_asks_for_a_password_and_a_probe_does() {
        assert_eq!(planned("ping h", TERMINAL).unwrap().source, Source::Nowhere);
        assert_eq!(planned("probe a@h", TERMINAL).unwrap().source, Source::Ask);
    }

    #[test]
    fn an_instance_is_derived_only_when_asked_for() {
        let first = plan("probe --instance a@h --reg-id 1").account.instance;
        assert!(first.as_ref().unwrap().starts_with("urn:uuid:"));
        assert_eq!(plan("probe --instance a@h").account.instance, first);
    }
}

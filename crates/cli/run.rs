//! The one stage that acts: loads the secret, runs the exchange on a single-threaded runtime, prints the report.

use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::pin::pin;
use std::time::Instant;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sip_net::{Options, Probed, TlsOptions, probe_until};
use sip_registration::{Account, ContactPlan, Goal};
use tokio::runtime::{Builder, Runtime};

use crate::capture::{Capture, Volume};
use crate::failure::Failure;
use crate::output::{human, json, nagios};
use crate::plan::{Output, Plan};
use crate::secret::Loaded;
use crate::{exit, identity, output, plan, prompt, removal, secret, signals, style};

/// Carries a plan out and shows its report; the exit status.
///
/// # Errors
/// [`Failure`] when it does not come to a report.
pub(crate) fn exchange(mut plan: Plan) -> Result<u8, Failure> {
    check_files(&plan.options.tls)?;
    let user = plan.account.auth_user.clone();
    let user = user.unwrap_or_else(|| identity::contact_user(&plan.account.aor).into());
    plan.account.secret = password(&plan.source, &user)?;
    plan::check_secret(plan.account.challenges.as_deref(), plan.account.secret.as_ref())?;
    let form = plan.output;
    let capture = Capture::start(&plan.capture, Volume::Few)?;
    plan.options.tap = capture.as_ref().map(Capture::tap);
    let probed = runtime()?.block_on(report(plan));
    capture.into_iter().for_each(Capture::finish);
    output::print(render(&probed, form).as_bytes())?;
    Ok(exit::after(&probed.report, probed.interrupted, form))
}

/// A runtime without a second thread.
///
/// # Errors
/// When the system has no more descriptors.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Runs work to its end on a runtime of its own. A look-up of the system's that hangs is not waited for.
///
/// # Errors
/// As [`runtime`].
pub(crate) fn drive<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .event_interval(LOOK_AT_THE_CLOCK_EVERY)
        .build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}

/// After how many polls of tasks the runtime looks whether a deadline is over. A peer that sends without end and without sense keeps a
/// task busy for the whole of a poll; by tokio's own number, 61, deadlines were seconds late.
const LOOK_AT_THE_CLOCK_EVERY: u32 = 1;

/// Runs a plan to its report. The first Ctrl-C ends it after a binding was removed, the second at once.
pub(crate) async fn report(plan: Plan) -> Probed {
    match (plan.options.goal, &plan.account.contact) {
        (Goal::Unregister, ContactPlan::Automatic { .. }) => remove_own(plan.account, plan.options).await,
        _ => probe_until(plan.account, &plan.options, signals::ended(), signals::insisted()).await,
    }
}

/// Runs work to its end, unless the user says twice to stop.
///
/// # Errors
/// [`Failure::Interrupted`] after a second Ctrl-C.
pub(crate) async fn until_twice<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done),
        () = signals::insisted() => Err(Failure::Interrupted),
    }
}

/// Looks for the bindings that a probe from this machine has left, and removes them one by one until one cannot be removed.
async fn remove_own(account: Account, options: Options) -> Probed {
    // `--timeout` is for all of it, however many bindings a registrar lists and however slowly it lets them go.
    let ends_at = Instant::now() + options.policy.timeout;
    let look = Options {
        goal: Goal::Fetch,
        ..options.clone()
    };
    // Heard from the first moment on to the last: a wish may come between two exchanges.
    let (mut ended, mut insisted) = (pin!(signals::ended()), pin!(signals::insisted()));
    let mut so_far = probe_until(account.clone(), &look, ended.as_mut(), insisted.as_mut()).await;
    if so_far.interrupted || so_far.report.cause.is_some() {
        so_far.report.goal = Goal::Unregister.name();
        return so_far;
    }
    let ours = removal::left_by_us(&account, &so_far.report);
    if ours.is_empty() {
        so_far.report = removal::nothing_to_remove(so_far.report);
        return so_far;
    }
    let count = ours.len();
    for contact in ours {
        let account = Account {
            contact: ContactPlan::Fixed(contact.clone()),
            ..account.clone()
        };
        let mut options = options.clone();
        options.policy.timeout = ends_at.saturating_duration_since(Instant::now());
        let removed = probe_until(account, &options, ended.as_mut(), insisted.as_mut()).await;
        so_far = Probed {
            report: removal::joined(so_far.report, &contact, removed.report),
            interrupted: removed.interrupted,
        };
        if so_far.interrupted || so_far.report.cause.is_some() {
            return so_far;
        }
    }
    so_far.report.detail = removal::removed(count);
    so_far
}

/// What is wrong with the files of TLS shows before anything is sent. Without files there is nothing to read.
///
/// # Errors
/// [`Failure::Usage`], which names the option.
pub(crate) fn check_files(tls: &TlsOptions) -> Result<(), Failure> {
    if tls.ca_file.is_none() && tls.client_certificate.is_none() {
        return Ok(());
    }
    let option = |path: &std::path::Path| {
        if tls.ca_file.as_deref() == Some(path) {
            "--ca-file"
        } else if tls.client_key.as_deref() == Some(path) {
            "--client-key"
        } else {
            "--client-cert"
        }
    };
    tls.check().map_err(|error| {
        Failure::Usage(match &error {
            sip_net::TlsOptionsError::File { path, why } => format!("{} {}: {why}", option(path), secret::shown(path)),
            sip_net::TlsOptionsError::ClientCertificate(_) | sip_net::TlsOptionsError::KeyAlone => format!("--client-cert: {error}"),
            sip_net::TlsOptionsError::Roots(_) => format!("--ca-file: {error}"),
            sip_net::TlsOptionsError::ServerName(_) => format!("--tls-server-name: {error}"),
        })
    })
}

/// Reads the password or HA1 from where it comes from; at a terminal somebody is asked for that of `user`.
///
/// # Errors
/// [`Failure`] when it cannot be used, or after Ctrl-C.
pub(crate) fn password(source: &secret::Source, user: &str) -> Result<Option<sip_digest::Secret>, Failure> {
    let mut interrupted = false;
    let loaded = secret::load(source, || {
        prompt::password(user).inspect_err(|error| interrupted = error.kind() == io::ErrorKind::Interrupted)
    });
    if interrupted {
        return Err(Failure::Interrupted);
    }
    let Loaded { secret, warning } = loaded?;
    if let Some(warning) = warning {
        output::tell(&format!("warning: {source}: {warning}\n"));
    }
    if secret.is_some() {
        keep_out_of_core_dumps();
    }
    Ok(secret)
}

/// Lets this process have as many descriptors as it may: each connection takes one.
pub(crate) fn raise_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// A core dump would hold the secrets that are in memory. Where the limit cannot be lowered it is as low as the system wants it.
pub(crate) fn keep_out_of_core_dumps() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

fn render(probed: &Probed, form: Output) -> String {
    match form {
        Output::Human => human::render(&probed.report, probed.interrupted, style()),
        Output::Json => json::render(&probed.report, io::stdout().is_terminal()),
        Output::Nagios(_) if probed.interrupted => nagios::unknown("interrupted"),
        Output::Nagios(thresholds) => nagios::render(&probed.report, thresholds),
    }
}

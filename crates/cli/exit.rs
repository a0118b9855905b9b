//! Exit statuses (docs/report.md): one documented number for each end of a run, and the plugins' own with `--output nagios`.

use std::ffi::OsStr;

use sip_registration::Report;

use crate::output::nagios::Service;
use crate::plan::Output;

/// All is well; for a probe: registered.
pub(crate) const SUCCESS: u8 = 0;
/// `bulk`: some account is not registered.
pub(crate) const NOT_ALL: u8 = 1;
/// `providers`: there is no such object.
pub(crate) const NOT_FOUND: u8 = 1;
/// `watch`: some bindings may still be there.
pub(crate) const LEFT_BEHIND: u8 = 1;
/// `load`: fewer registered than were wanted.
pub(crate) const SOME_NOT: u8 = 1;
/// The command line or a file that it names is wrong. Nothing was sent.
pub(crate) const USAGE: u8 = 2;
/// `verify`: it cannot be said, here because the check turned out to lack something when the API had been asked already.
pub(crate) const NOT_MADE: u8 = 3;
/// `providers`: somebody was asked and said no. Nothing was changed.
pub(crate) const DECLINED: u8 = 3;
/// Our own side could not go on, such as standard output on a full disk: the code of `INTERNAL_ERROR_STATE`.
pub(crate) const INTERNAL: u8 = 5;
/// An API could not be asked, refused, or gave no answer that can be used: to scripts the same as [`INTERNAL`].
pub(crate) const NO_ANSWER: u8 = 5;
/// `inspect`: a message cannot be used.
pub(crate) const MALFORMED: u8 = 5;
/// Ctrl-C or SIGTERM; a binding was removed first.
pub(crate) const INTERRUPTED: u8 = 130;

/// The status after a report: 0, or 4 to 7 by the state, or the plugin's verdict.
pub(crate) fn after(report: &Report, interrupted: bool, output: Output) -> u8 {
    match output {
        Output::Nagios(_) if interrupted => Service::Unknown.status(),
        Output::Nagios(thresholds) => Service::judge(report, thresholds).status(),
        Output::Human | Output::Json if interrupted => INTERRUPTED,
        Output::Human | Output::Json => report.exit_code(),
    }
}

/// The status for a failure without a report: `status`, or UNKNOWN for a monitoring system, which would take 2 for CRITICAL.
pub(crate) const fn without_report(status: u8, nagios: bool) -> u8 {
    if nagios { Service::Unknown.status() } else { status }
}

/// Whether a command line asks for the plugins' output, even one that is wrong elsewhere.
pub(crate) fn wants_nagios<S: AsRef<OsStr>>(arguments: &[S]) -> bool {
    let is = |argument: &S, text: &str| argument.as_ref() == OsStr::new(text);
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    arguments.iter().any(|argument| is(argument, "--output=nagios"))
        || pairs.into_iter().any(|(name, value)| is(name, "--output") && is(value, "nagios"))
}

#[cfg(test)]
mod tests {
    use sip_registration::{Cause, State};

    use super::*;
    use crate::output::nagios::Thresholds;
    use crate::output::samples::{failed, registered};

    #[test]
    fn the_status_is_the_states_code_or_zero() {
        assert_eq!(after(&registered(), false, Output::Human), SUCCESS);
        for cause in Cause::ALL {
            assert_eq!(after(&failed(cause), false, Output::Json), cause.state().code(), "{cause}");
        }
        assert_eq!(INTERNAL, State::InternalError.code());
    }

    #[test]
    fn an_interrupt_wins_over_the_state() {
        assert_eq!(after(&registered(), true, Output::Human), INTERRUPTED);
        assert_eq!(after(&failed(Cause::NoReply), true, Output::Json), INTERRUPTED);
    }

    #[test]
    fn a_plugin_speaks_its_own_language() {
        let nagios = Output::Nagios(Thresholds::default());
        assert_eq!(after(&registered(), false, nagios), 0);
        assert_eq!(after(&failed(Cause::NoReply), false, nagios), 2);
        assert_eq!(after(&registered(), true, nagios), 3);
        assert_eq!((without_report(USAGE, true), without_report(USAGE, false)), (3, 2));
    }

    #[test]
    fn a_plugins_command_line_is_known_even_when_it_is_wrong() {
        assert!(wants_nagios(&["regprobe", "probe", "--output", "nagios", "--bogus"]));
        assert!(wants_nagios(&["regprobe", "probe", "--output=nagios"]));
        assert!(!wants_nagios(&["regprobe", "probe", "nagios", "--output"]));
        assert!(!wants_nagios::<&str>(&[]));
    }
}

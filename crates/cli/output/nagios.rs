//! One line for Nagios, Icinga and their kin, with performance data (Monitoring Plugins Development Guidelines, "Plugin Output"
//! and "Performance data"). The service state and the exit status are the plugins' own.

use sip_registration::{Cause, FindingId, Report, Severity};

use super::text::safe;

/// From how many milliseconds the time is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Thresholds {
    /// WARNING from here.
    pub(crate) warning_ms: Option<u32>,
    /// CRITICAL from here.
    pub(crate) critical_ms: Option<u32>,
}

/// A plugin's verdict, with its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Service {
    /// All is well.
    Ok = 0,
    /// It works, and somebody should look.
    Warning = 1,
    /// It does not work.
    Critical = 2,
    /// The check itself could not be made.
    Unknown = 3,
}

impl Service {
    /// The exit status.
    pub(crate) const fn status(self) -> u8 {
        self as u8
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Judges a report.
    ///
    /// A failure is CRITICAL; only a check without the password that it needs is UNKNOWN, because it says nothing about the
    /// service. A success is WARNING or CRITICAL by its time, and WARNING by a finding of severity `error` or by a certificate
    /// that ends soon. Other findings do not raise it: they are there in every run, and an alarm that is always on is none.
    pub(crate) fn judge(report: &Report, thresholds: Thresholds) -> Self {
        let total = report.phases_ms.total.unwrap_or_default();
        let reached = |limit: Option<u32>| limit.is_some_and(|limit| total >= f64::from(limit));
        let alarming = report
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error || finding.id == FindingId::CertificateExpiresSoon);
        match report.cause {
            Some(Cause::CredentialsMissing) => Self::Unknown,
            Some(_) => Self::Critical,
            None if reached(thresholds.critical_ms) => Self::Critical,
            None if reached(thresholds.warning_ms) || alarming => Self::Warning,
            None => Self::Ok,
        }
    }
}

/// `SIP OK - sip:alice@example.test: registered in 2.6 ms | total=2.6ms;500;2000;0 ...`, with a line end.
pub(crate) fn render(report: &Report, thresholds: Thresholds) -> String {
    let service = Service::judge(report, thresholds);
    let whom = if report.goal == "ping" { &report.registrar } else { &report.aor };
    let cause = report.cause.map(|cause| format!("{} {cause}: ", report.state)).unwrap_or_default();
    let findings = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Info)
        .map(|finding| finding.id.name());
    let findings = findings.collect::<Vec<_>>().join(", ");
    let noticed = if findings.is_empty() { findings } else { format!(" ({findings})") };
    let text = format!("{whom}: {cause}{}{noticed}", report.detail);
    line(service, &text, &performance(report, thresholds))
}

/// A line with performance data that are ready.
pub(crate) fn line(service: Service, text: &str, performance: &str) -> String {
    format!("SIP {} - {} | {performance}\n", service.name(), harmless(text))
}

/// The line when there is no report: a wrong command line, an interrupt.
pub(crate) fn unknown(text: &str) -> String {
    format!("SIP {} - {}\n", Service::Unknown.name(), harmless(text))
}

/// One line without what separates performance data, ends a macro or makes markup in a web page.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in safe(text).chars() {
        match character {
            '|' | '<' | '>' | '&' | '`' | '$' => shown += &format!("\\x{:02x}", u32::from(character)),
            _ => shown.push(character),
        }
    }
    shown
}

fn performance(report: &Report, thresholds: Thresholds) -> String {
    let limit = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let phases = &report.phases_ms;
    let total = phases.total.map(|total| {
        format!(
            "total={total:.1}ms;{};{};0",
            limit(thresholds.warning_ms),
            limit(thresholds.critical_ms)
        )
    });
    let steps = [
        ("dns", phases.dns),
        ("connect", phases.connect),
        ("tls", phases.tls),
        ("challenge", phases.challenge),
        ("authenticated", phases.authenticated),
        ("removal", phases.removal),
    ];
    let steps = steps
        .into_iter()
        .filter_map(|(label, time)| time.map(|time| format!("{label}={time:.1}ms;;;0")));
    let retransmissions = format!("retransmissions={};;;0", report.retransmissions);
    let expires = report.binding.as_ref().map(|binding| format!("expires={}s;;;0", binding.expires_s));
    let days = report.tls.as_ref().map(|tls| format!("certificate_days={};;;", tls.days_left));
    total
        .into_iter()
        .chain(steps)
        .chain([retransmissions])
        .chain(expires)
        .chain(days)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use sip_registration::Finding;

    use super::*;
    use crate::output::samples::{failed, registered};

    const NONE: Thresholds = Thresholds {
        warning_ms: None,
        critical_ms: None,
    };

    #[test]
    fn a_success_is_one_line_with_performance_data() {
        let thresholds = Thresholds {
            warning_ms: Some(500),
            critical_ms: Some(2000),
        };
        assert_eq!(
            render(&registered(), thresholds),
            "SIP OK - sip:alice@example.test: registered in 2.6 ms; the binding was removed again | total=2.6ms;500;2000;0 \
             challenge=0.9ms;;;0 authenticated=1.1ms;;;0 removal=0.5ms;;;0 retransmissions=0;;;0 expires=3600s;;;0\n"
        );
    }

    #[test]
    fn thresholds_decide_from_their_value_on() {
        let judge = |warning_ms, critical_ms| {
            let mut report = registered();
            report.phases_ms.total = Some(500.0);
            Service::judge(&report, Thresholds { warning_ms, critical_ms })
        };
        assert_eq!(judge(None, None), Service::Ok);
        assert_eq!(judge(Some(501), Some(600)), Service::Ok);
        assert_eq!(judge(Some(500), Some(600)), Service::Warning);
        assert_eq!(judge(Some(100), Some(500)), Service::Critical);
    }

    #[test]
    fn failures_are_critical_and_a_check_without_password_is_unknown() {
        for cause in Cause::ALL {
            let expected = if cause == Cause::CredentialsMissing {
                Service::Unknown
            } else {
                Service::Critical
            };
            assert_eq!(Service::judge(&failed(cause), NONE), expected, "{cause}");
            assert!(render(&failed(cause), NONE).contains(&format!(" {cause}: ")));
        }
        assert_eq!(
            [Service::Ok, Service::Warning, Service::Critical, Service::Unknown].map(Service::status),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn only_findings_that_matter_now_raise_the_state() {
        let with = |id, severity| {
            let mut report = registered();
            report.findings = vec![Finding {
                id,
                severity,
                message: String::new(),
                advice: String::new(),
            }];
            Service::judge(&report, NONE)
        };
        assert_eq!(with(FindingId::WeakDigest, Severity::Warning), Service::Ok);
        assert_eq!(with(FindingId::CertificateExpiresSoon, Severity::Warning), Service::Warning);
        assert_eq!(with(FindingId::SipAlgSuspected, Severity::Error), Service::Warning);
    }

    #[test]
    fn hostile_text_stays_one_line_and_out_of_the_performance_data() {
        let mut report = failed(Cause::Forbidden);
        report.detail = "x|total=0ms\r\ny\x1b[2J<script>`id`$USER1$&\u{202e}".to_owned();
        report.aor = "sip:a|b=1@h".to_owned();
        let line = render(&report, NONE);
        assert_eq!(line.lines().count(), 1);
        assert_eq!(line.matches('|').count(), 1);
        assert!(!line.contains(['\r', '\x1b', '<', '>', '`', '$', '&', '\u{202e}']), "{line:?}");
        assert_eq!(unknown("a|b\nc"), "SIP UNKNOWN - a\\x7cb\\x0ac\n");
    }
}

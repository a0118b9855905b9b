//! The report for people: a ladder with one line a step, and a verdict that a tired person understands at 3 a.m. (docs/report.md).
//!
//! Everything that came from the wire or from the user is made safe for a terminal here, whatever was done to it before.

use sip_registration::{
    Arrow, Cause, Finding, LadderStep, OtherBinding, Removal, Report, Severity, State, TargetReport, TranscriptEntry, Word,
};

use super::style::{Style, Tone};
use super::text::{counted, padded, safe, wrapped};

/// Writes the report: heading, ladder, whole messages if there are any, verdict, bindings, targets, findings.
///
/// `interrupted` says that the user stopped it, which the report itself tells only in its detail.
pub(crate) fn render(report: &Report, interrupted: bool, style: Style) -> String {
    let mut text = exchange(report, style);
    text += &verdict(report, interrupted, style);
    text += &bindings(report);
    text += &targets(report);
    text + &findings(report, style)
}

/// The exchange alone: heading, ladder, whole messages if there are any, and an empty line.
pub(crate) fn exchange(report: &Report, style: Style) -> String {
    let mut text = heading(report, style) + "\n";
    text.extend(report.ladder.iter().map(|step| ladder_line(step, style)));
    text.extend(report.transcript.iter().flatten().map(|entry| message(entry, style)));
    text + "\n"
}

/// `sip:alice@example.test  via udp 127.0.0.1:5060`
fn heading(report: &Report, style: Style) -> String {
    let whom = safe(if report.goal == "ping" { &report.registrar } else { &report.aor });
    let way = match (report.transport, &report.network.server) {
        (Some(transport), Some(server)) => format!("via {transport} {}", safe(server)),
        (Some(transport), None) => format!("via {transport}"),
        (None, _) => format!("at {}", safe(&report.registrar)),
    };
    format!("{}  {way}\n", style.paint(Tone::Strong, &whom))
}

/// `     0.9 ms  ←  401 Unauthorized        Digest SHA-256, MD5 · realm example.test`
fn ladder_line(step: &LadderStep, style: Style) -> String {
    let (arrow, tone) = match step.arrow {
        Arrow::Sent => ("→", Tone::Strong),
        Arrow::Received => ("←", Tone::Strong),
        Arrow::Local => ("·", Tone::Faint),
        Arrow::Failed => ("✗", Tone::Bad),
    };
    let what = safe(&step.what);
    let rest = if step.note.is_empty() {
        what
    } else {
        format!("{}  {}", padded(&what, WHAT), safe(&step.note))
    };
    format!("{:8.1} ms  {}  {rest}\n", step.at_ms, style.paint(tone, arrow))
}

/// The width of a step's name in the ladder.
const WHAT: usize = 22;

/// One whole message, each line made safe by itself.
fn message(entry: &TranscriptEntry, style: Style) -> String {
    let way = match entry.direction {
        sip_registration::Direction::Sent => "to",
        sip_registration::Direction::Received => "from",
    };
    let title = format!("-- {:.1} ms, {way} {}", entry.at_ms, safe(&entry.peer));
    let lines = entry.text.lines().map(|line| format!("   {}\n", safe(line)));
    format!("\n{}\n{}", style.paint(Tone::Faint, &title), lines.collect::<String>())
}

fn verdict(report: &Report, interrupted: bool, style: Style) -> String {
    match report.cause {
        Some(cause) => failure(report, cause, style),
        None if interrupted && !report.registered => {
            let total = report.phases_ms.total.unwrap_or_default();
            let line = style.paint(Tone::Doubtful, "✗ INTERRUPTED") + &format!(" after {total:.1} ms\n");
            line + &wrapped("  ", &safe(&report.detail))
        }
        None => success(report, style),
    }
}

/// `✔ REGISTERED in 2.1 ms`
fn success(report: &Report, style: Style) -> String {
    let what = match report.goal {
        "fetch" => counted(report.other_bindings.len() + usize::from(report.binding.is_some()), "binding").to_uppercase(),
        "ping" => "ANSWERED".to_owned(),
        "locate" => counted(report.network.targets.len(), "target").to_uppercase(),
        _ => short(report.state).replace('_', " "),
    };
    let line = style.paint(Tone::Good, &format!("✔ {what}")) + &format!(" in {:.1} ms\n", answered_ms(report));
    line + &remarks(report, style)
}

/// What a success alone does not say: what was removed, what stays, and what was not verified.
fn remarks(report: &Report, style: Style) -> String {
    let removed = matches!(report.goal, "unregister" | "clear").then(|| wrapped("  ", &safe(&report.detail)));
    let stays = report.binding.as_ref().and_then(|binding| {
        let until = format!("{} until {}", safe(&binding.contact), binding.valid_until);
        match binding.removal {
            Removal::Kept | Removal::NotAttempted => Some(wrapped("  ", &format!("bound as {until}"))),
            Removal::Unconfirmed => {
                let text = wrapped("  ! ", &format!("its removal was not confirmed: it may stay bound as {until}"));
                Some(style.paint(Tone::Doubtful, &text))
            }
            Removal::Confirmed => None,
        }
    });
    let unverified = report.tls.as_ref().filter(|tls| !tls.verified);
    let unverified = unverified.map(|_| {
        style.paint(
            Tone::Doubtful,
            "  ! the certificate was not verified: anybody could have answered\n",
        )
    });
    [removed, stays, unverified].into_iter().flatten().collect()
}

/// The state, what happened, where it usually comes from, and what to do next.
fn failure(report: &Report, cause: Cause, style: Style) -> String {
    let explanation = Word::Cause(cause).explanation();
    let name = style.paint(Tone::Bad, &format!("✘ {}", short(report.state).replace('_', " ")));
    let mut text = format!(
        "{name} after {:.1} ms  (state {}, {cause})\n",
        report.phases_ms.total.unwrap_or_default(),
        report.state_code
    );
    text.push('\n');
    text += &wrapped("  ", &safe(&report.detail));
    text.push('\n');
    for (at, likely) in explanation.likely.iter().enumerate() {
        text += &wrapped(if at == 0 { "  likely  - " } else { "          - " }, likely);
    }
    text += &wrapped("  next    ", &safe(report.advice.as_deref().unwrap_or(explanation.todo)));
    text + &format!("  more    regprobe explain {cause}\n")
}

/// OpenSIPS' name without its ending, for a screen that says "state" already.
fn short(state: State) -> &'static str {
    state.name().strip_suffix("_STATE").unwrap_or(state.name())
}

/// When the last reply came that the verdict rests on: the removal of the binding, which comes after it, is not in the ladder as a reply.
fn answered_ms(report: &Report) -> f64 {
    let last = report.ladder.iter().rev().find(|step| step.arrow == Arrow::Received);
    last.map(|step| step.at_ms).or(report.phases_ms.total).unwrap_or_default()
}

/// What a fetch is for.
fn bindings(report: &Report) -> String {
    if report.goal != "fetch" || report.cause.is_some() {
        return String::new();
    }
    let own = report
        .binding
        .as_ref()
        .map(|own| format!("  {}  {:>6} s  ours\n", padded(&safe(&own.contact), CONTACT), own.expires_s));
    let others = report.other_bindings.iter().map(other_binding);
    let lines: String = own.into_iter().chain(others).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn other_binding(binding: &OtherBinding) -> String {
    let expires = binding
        .expires_s
        .map_or_else(|| "     ?".to_owned(), |seconds| format!("{seconds:>6}"));
    let q = binding.q.as_ref().map(|q| format!("  q={}", safe(q))).unwrap_or_default();
    let instance = binding
        .instance
        .as_ref()
        .map(|instance| format!("  {}", safe(instance)))
        .unwrap_or_default();
    format!("  {}  {expires} s{q}{instance}\n", padded(&safe(&binding.contact), CONTACT))
}

/// The width of a Contact in lists.
const CONTACT: usize = 40;

/// Every target, when there was a choice.
fn targets(report: &Report) -> String {
    let several = report.network.targets.len() > 1;
    let by_itself = report.network.targets.iter().any(|target| target.state_code.is_some());
    if !several && !by_itself {
        return String::new();
    }
    let lines = report.network.targets.iter().map(target);
    format!("\n  targets\n{}", lines.collect::<String>())
}

fn target(target: &TargetReport) -> String {
    let total = target.phases_ms.as_ref().and_then(|phases| phases.total);
    let time = total.map(|total| format!("  {total:.1} ms")).unwrap_or_default();
    let address = padded(&format!("{} {}", target.transport, safe(&target.address)), CONTACT);
    format!("    {address}  {}  {}{time}\n", padded(target.source, 8), safe(&target.outcome))
}

fn findings(report: &Report, style: Style) -> String {
    let lines: String = report.findings.iter().map(|finding| found(finding, style)).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// A finding: how bad, what was seen, and what to do unless it is only worth knowing.
fn found(finding: &Finding, style: Style) -> String {
    let (mark, tone) = match finding.severity {
        Severity::Info => ("i", Tone::Faint),
        Severity::Warning => ("!", Tone::Doubtful),
        Severity::Error => ("✘", Tone::Bad),
    };
    let todo = match finding.severity {
        Severity::Info => String::new(),
        Severity::Warning | Severity::Error => wrapped("    → ", &safe(&finding.advice)),
    };
    let seen = wrapped(&format!("  {mark} {}: ", finding.id), &safe(&finding.message));
    style.paint(tone, &seen) + &todo
}

#[cfg(test)]
mod tests {
    use sip_registration::{FindingId, PhasesReport};

    use super::*;
    use crate::output::samples::{bound, failed, registered, step, unverified};

    #[test]
    fn a_registration_reads_like_the_manual() {
        let expected = "\
sip:alice@example.test  via udp 127.0.0.1:5060

     0.0 ms  →  REGISTER 1
     0.9 ms  ←  401 Unauthorized        Digest SHA-256, MD5 · realm example.test
     1.0 ms  →  REGISTER 2              answering SHA-256
     2.1 ms  ←  200 OK                  bound for 3600 s · 1 other binding
     2.6 ms  ·  binding removed

✔ REGISTERED in 2.1 ms
";
        assert_eq!(render(&registered(), false, Style::Plain), expected);
    }

    #[test]
    fn a_failure_ends_in_the_state_the_cause_and_what_to_do() {
        let text = render(&failed(Cause::WrongCredentials), false, Style::Plain);
        let (_, verdict) = text.split_once('✘').unwrap();
        assert!(
            verdict.starts_with(" WRONG CREDENTIALS after 3.2 ms  (state 6, wrong_credentials)\n"),
            "{verdict}"
        );
        for part in [
            "  likely  - the password is wrong",
            "  next    Check `--auth-user`",
            "  more    regprobe explain wrong_credentials\n",
        ] {
            assert!(verdict.contains(part), "{part}: {verdict}");
        }
    }

    #[test]
    fn every_failure_fits_the_width_of_a_screen() {
        for cause in Cause::ALL {
            let text = render(&failed(cause), false, Style::Plain);
            assert!(text.lines().all(|line| line.chars().count() <= super::super::text::WIDTH), "{text}");
            assert!(text.contains(cause.name()));
        }
    }

    #[test]
    fn nothing_from_the_wire_reaches_the_terminal_unescaped() {
        let hostile = "a\x1b[2Jb\x1b]52;c;x\x07\r\nc\0\u{202e}\u{9b}d";
        let mut report = failed(Cause::Forbidden);
        report.aor = hostile.to_owned();
        report.detail = hostile.to_owned();
        report.advice = Some(hostile.to_owned());
        report.network.server = Some(hostile.to_owned());
        report.ladder = vec![step(0.0, Arrow::Received, hostile, hostile)];
        report.findings = vec![Finding {
            id: FindingId::WarningReceived,
            severity: Severity::Error,
            message: hostile.to_owned(),
            advice: hostile.to_owned(),
        }];
        report.transcript = Some(vec![TranscriptEntry {
            at_ms: 0.1,
            direction: sip_registration::Direction::Received,
            peer: hostile.to_owned(),
            summary: hostile.to_owned(),
            text: hostile.to_owned(),
        }]);
        report.network.targets = vec![target_to(hostile), target_to(hostile)];
        let text = render(&report, false, Style::Plain);
        assert!(
            !text.contains(|character: char| character != '\n' && character.is_control() || character == '\u{202e}'),
            "{text:?}"
        );
    }

    fn target_to(address: &str) -> TargetReport {
        let phases_ms = Some(PhasesReport {
            total: Some(1.5),
            ..PhasesReport::default()
        });
        TargetReport {
            address: address.to_owned(),
            transport: "udp",
            source: "srv",
            outcome: "no_reply".to_owned(),
            state_code: Some(4),
            phases_ms,
        }
    }

    #[test]
    fn several_targets_are_listed_and_a_single_one_is_not() {
        let mut report = registered();
        assert!(!render(&report, false, Style::Plain).contains("targets"));
        report.network.targets = vec![target_to("192.0.2.1:5060"), target_to("192.0.2.2:5060")];
        let text = render(&report, false, Style::Plain);
        assert!(
            text.contains("\n    udp 192.0.2.2:5060                        srv       no_reply  1.5 ms\n"),
            "{text}"
        );
    }

    #[test]
    fn findings_carry_their_mark_and_what_to_do_about_the_grave_ones() {
        let mut report = registered();
        let finding = |severity| Finding {
            id: FindingId::WeakDigest,
            severity,
            message: "only MD5 was offered".into(),
            advice: "Use TLS.".into(),
        };
        report.findings = vec![finding(Severity::Error), finding(Severity::Warning), finding(Severity::Info)];
        let text = render(&report, false, Style::Plain);
        let expected = "
  ✘ weak_digest: only MD5 was offered
    → Use TLS.
  ! weak_digest: only MD5 was offered
    → Use TLS.
  i weak_digest: only MD5 was offered
";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn an_interruption_is_no_success() {
        let mut report = registered();
        (report.registered, report.state, report.detail) = (false, State::NotRegistered, "interrupted".into());
        assert!(render(&report, true, Style::Plain).ends_with("\n✗ INTERRUPTED after 2.6 ms\n  interrupted\n"));
        assert!(
            render(&registered(), true, Style::Plain).contains("✔ REGISTERED"),
            "it was too late to stop it"
        );
    }

    #[test]
    fn a_fetch_lists_what_is_bound() {
        let mut report = registered();
        report.goal = "fetch";
        report.state = State::NotRegistered;
        report.binding = None;
        report.other_bindings = vec![bound("sip:alice@198.51.100.7:5060", Some(1200)), bound("sip:a@h", None)];
        let text = render(&report, false, Style::Plain);
        assert!(text.contains("✔ 2 BINDINGS in"), "{text}");
        assert!(text.contains("\n  sip:alice@198.51.100.7:5060                 1200 s\n"), "{text}");
        assert!(text.contains("       ? s\n"), "{text}");
    }

    #[test]
    fn what_stays_bound_is_said_out_loud() {
        let with = |removal| {
            let mut report = registered();
            report.binding.as_mut().unwrap().removal = removal;
            render(&report, false, Style::Plain)
        };
        let text = with(Removal::Unconfirmed);
        assert!(
            text.contains("  ! its removal was not confirmed: it may stay bound as sip:alice@127.0.0.1:40112 until\n"),
            "{text}"
        );
        let text = with(Removal::Kept);
        assert!(
            text.ends_with("in 2.1 ms\n  bound as sip:alice@127.0.0.1:40112 until 2026-01-31T10:00:00.125Z\n"),
            "{text}"
        );
    }

    #[test]
    fn a_certificate_that_nobody_verified_is_no_quiet_success() {
        let mut report = registered();
        report.tls = Some(unverified());
        assert!(render(&report, false, Style::Plain).contains("  ! the certificate was not verified"));
    }

    #[test]
    fn a_removal_says_what_it_removed() {
        let mut report = registered();
        (report.goal, report.state, report.binding) = ("clear", State::NotRegistered, None);
        report.detail = "all bindings are removed".into();
        assert!(render(&report, false, Style::Plain).ends_with("✔ NOT REGISTERED in 2.1 ms\n  all bindings are removed\n"));
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        assert!(!render(&failed(Cause::NoReply), false, Style::Plain).contains('\x1b'));
        assert!(render(&failed(Cause::NoReply), false, Style::Colour).contains("\x1b[31m✘ REGISTER TIMEOUT\x1b[0m"));
    }
}

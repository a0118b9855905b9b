//! What came of `regprobe verify`, for people and for monitoring systems: the claim line by line beside what the wire showed, then one
//! verdict. Everything that came from outside is made safe for a terminal here, whatever was done to it before.

use regprobe_providers::{Held, Level, Outcome, SelfTestOutcome, Service, Verdict, Verification};

use super::human;
use super::nagios;
use super::style::{Style, Tone};
use super::table::table;
use super::text::{counted, padded, safe, wrapped};

/// Writes the whole of it.
pub(crate) fn render(verification: &Verification, style: Style) -> String {
    let mut text = heading(verification, style) + "\n";
    text.extend(verification.probes.iter().flatten().map(|report| human::exchange(report, style)));
    text += &claims(verification);
    text.push('\n');
    text += &verdict(verification, style);
    text + &remarks(verification, style)
}

/// `Kamailio trunk1  says that it registers sip:alice@example.test at sip:127.0.0.1:5060`
fn heading(verification: &Verification, style: Style) -> String {
    let name = verification
        .name
        .as_ref()
        .map(|name| format!(" ({})", safe(name)))
        .unwrap_or_default();
    let whose = format!("{} {}{name}", verification.provider.provider(), safe(&verification.object));
    let aor = verification.aor.as_deref().map_or("an unknown account".to_owned(), safe);
    let at = verification
        .registrar
        .as_deref()
        .map(|registrar| format!(" at {}", safe(registrar)))
        .unwrap_or_default();
    format!("{}  {aor}{at}\n", style.paint(Tone::Strong, &whose))
}

/// The claim, one field a row.
fn claims(verification: &Verification) -> String {
    if verification.claims.is_empty() {
        return String::new();
    }
    let rows = verification.claims.iter().map(|line| {
        let mark = match line.standing {
            Held::Confirmed => "✔",
            Held::Contradicted => "✘",
            Held::Unproven => "·",
        };
        [
            format!("{mark} {}", line.claim),
            line.said.clone(),
            line.seen.clone(),
            line.rule.clone(),
        ]
    });
    table(["  claim", "said", "seen", "rule"], rows)
}

/// The verdict, what it rests on, and what to do.
fn verdict(verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let seconds = verification.took_ms as f64 / 1000.0;
    let facts = format!("{}, {}, in {seconds:.1} s", service(verdict.service), evidence(verdict.evidence));
    let mut text = format!("{}  {} ({facts})\n\n", headline(verdict, style), verdict.reason.name());
    text += &wrapped("  ", &safe(&verdict.detail));
    if let Some(advice) = &verdict.advice {
        text += &wrapped("  next    ", &safe(advice));
    }
    text += &wrapped("  rule    ", &safe(&verdict.rule));
    text + &format!("  more    regprobe explain {}\n", verdict.reason.name())
}

/// `✔ AGREE`
fn headline(verdict: &Verdict, style: Style) -> String {
    let (mark, tone) = match (verdict.outcome, verdict.service) {
        (Outcome::Agree, Service::Up | Service::Unknown) => ("✔", Tone::Good),
        (Outcome::Agree, Service::AtRisk | Service::Down) => ("✔", Tone::Doubtful),
        (Outcome::Disagree | Outcome::Stale, _) => ("✘", Tone::Bad),
        (Outcome::Inconclusive, _) => ("?", Tone::Doubtful),
    };
    style.paint(tone, &format!("{mark} {}", verdict.outcome.name().to_uppercase()))
}

const fn service(service: Service) -> &'static str {
    match service {
        Service::Up => "the line is up",
        Service::AtRisk => "the line is at risk",
        Service::Down => "the line is down",
        Service::Unknown => "the line's state is not known",
    }
}

const fn evidence(level: Level) -> &'static str {
    match level {
        Level::None => "no evidence",
        Level::E0 => "evidence E0: the registrar answers",
        Level::E1 => "evidence E1: it accepts the account",
        Level::E2 => "evidence E2: somebody is bound",
        Level::E3 => "evidence E3: the expected binding is there",
        Level::E4 => "evidence E4: the binding is being refreshed",
        Level::E5 => "evidence E5: reached through the binding",
    }
}

/// What the verdict alone does not say.
fn remarks(verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let mut text = String::new();
    for note in &verdict.notes {
        text += &wrapped(&format!("  {}  ", note.reason.name()), &safe(&note.detail));
    }
    if let Some(standing) = &verdict.standing {
        let before = format!(
            "{} was seen at {} and is not cleared by this",
            standing.reason.name(),
            standing.seen_at
        );
        text += &style.paint(Tone::Doubtful, &wrapped("  before  ", &before));
    }
    if let Some(test) = &verification.self_test {
        let tone = if test.outcome == SelfTestOutcome::Displaced {
            Tone::Bad
        } else {
            Tone::Faint
        };
        text += &style.paint(tone, &wrapped("  our own Contact  ", &safe(&test.detail)));
        for lost in &test.lost {
            text += &style.paint(Tone::Bad, &wrapped("  lost    ", &safe(&lost.contact)));
        }
    }
    if let Some(test) = &verification.inbound {
        text += &wrapped("  inbound  ", &safe(&test.detail));
    }
    for warning in &verification.warnings {
        text += &style.paint(Tone::Doubtful, &wrapped("  warning  ", &safe(warning)));
    }
    if verification.interrupted {
        text += &style.paint(Tone::Doubtful, "  interrupted before its end\n");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// One line for a list: the verdict, the name, the reason.
pub(crate) fn line(name: &str, verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let plain = headline(verdict, Style::Plain);
    let blanks = padded(&plain, HEADLINE).chars().count().saturating_sub(plain.chars().count());
    let name = padded(&safe(name), NAME);
    let head = format!("{}{}", headline(verdict, style), " ".repeat(blanks));
    format!("{head}{name}  {}: {}\n", verdict.reason.name(), safe(&verdict.detail))
}

/// The widths of the verdict and of the name in a list.
const HEADLINE: usize = 16;
const NAME: usize = 20;

/// What a list ends with: `4 checks: 2 agree, 1 disagree, 1 inconclusive`.
pub(crate) fn summary(outcomes: &[Outcome], failed: usize) -> String {
    let counts = Outcome::ALL.into_iter().filter_map(|outcome| {
        let count = outcomes.iter().filter(|&&each| each == outcome).count();
        (count > 0).then(|| format!("{count} {}", outcome.name()))
    });
    let not_made = (failed > 0).then(|| format!("{failed} not made"));
    let counts: Vec<_> = counts.chain(not_made).collect();
    format!("{}: {}\n", counted(outcomes.len() + failed, "check"), counts.join(", "))
}

/// One line for Nagios, Icinga and their kin.
pub(crate) fn nagios(verification: &Verification) -> String {
    let verdict = &verification.verdict;
    let object = verification.name.as_ref().unwrap_or(&verification.object);
    let text = format!(
        "{} {object}: {} {}: {}",
        verification.provider.provider(),
        verdict.outcome.name(),
        verdict.reason.name(),
        verdict.detail
    );
    nagios::line(judge(verification), &text, &format!("took={}ms;;;0", verification.took_ms))
}

/// The service state: a false claim about a line that works is a warning, because nobody is cut off by it.
pub(crate) const fn judge(verification: &Verification) -> nagios::Service {
    let verdict = &verification.verdict;
    if verification.interrupted {
        return nagios::Service::Unknown;
    }
    match (verdict.outcome, verdict.service) {
        (Outcome::Agree, Service::Up) => nagios::Service::Ok,
        (Outcome::Agree, Service::Unknown) | (Outcome::Inconclusive, _) => nagios::Service::Unknown,
        (Outcome::Agree | Outcome::Disagree | Outcome::Stale, Service::AtRisk) | (Outcome::Disagree | Outcome::Stale, Service::Up) => {
            nagios::Service::Warning
        }
        (Outcome::Agree, Service::Down) | (Outcome::Disagree | Outcome::Stale, Service::Down | Service::Unknown) => {
            nagios::Service::Critical
        }
    }
}

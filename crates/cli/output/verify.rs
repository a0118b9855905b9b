//! What came of `regprobe verify`, for people and for monitoring systems: the claim line by line beside what the wire showed, then one
//! verdict. Everything that came from outside is made safe for a terminal here, whatever was done to it before.

use std::collections::BTreeSet;

use regprobe_providers::{
    About, Answer, Check, Held, InboundOutcome, Level, Line, Observation, Outcome, SelfTestOutcome, Service, Sight, SourceKind,
    Verification,
};
use schemars::JsonSchema;
use serde::Serialize;
use sip_registration::Removal;

use super::human;
use super::nagios;
use super::objects::word;
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

/// `Kamailio trunk1 says: registered`, and below it what that is about.
fn heading(verification: &Verification, style: Style) -> String {
    let name = verification.name.as_deref().filter(|name| *name != verification.object);
    let name = name.map(|name| format!(" ({})", safe(name))).unwrap_or_default();
    let whose = format!("{} {}{name}", verification.provider.provider(), safe(&verification.object));
    let own = |answer: &&Answer| answer.source == verification.provider;
    let says = verification
        .answers
        .iter()
        .rev()
        .find(own)
        .map_or_else(|| "nothing".to_owned(), |answer| safe(&word(&answer.word)));
    let aor = verification.aor.as_deref().map_or("an unknown account".to_owned(), safe);
    let registrar = verification.registrar.as_deref();
    let at = registrar.map(|registrar| format!(" at {}", safe(registrar))).unwrap_or_default();
    format!("{}\n{aor}{at}\n", style.paint(Tone::Strong, &format!("{whose} says: {says}")))
}

/// The claim, one field a row, but for those that no registrar could have a word on.
fn claims(verification: &Verification) -> String {
    let lines = || {
        verification
            .claims
            .iter()
            .filter(|line| !matches!(line.about, About::Identity | About::Other))
    };
    if lines().next().is_none() {
        return String::new();
    }
    let mut states = BTreeSet::new();
    let rows: Vec<_> = lines()
        .map(|line| {
            let mark = match line.standing {
                Held::Confirmed => "✔",
                Held::Contradicted => "✘",
                Held::Unproven => "·",
            };
            // What holds for one indicator of the state holds for the others.
            let again = line.about == About::State && !states.insert(&line.seen);
            let is_blank = line.standing == Held::Unproven && line.seen == NOTHING;
            let seen = match (is_blank, again) {
                (true, _) => NOT_SEEN,
                (false, true) => "the same",
                (false, false) => &line.seen,
            };
            let by = if is_blank { NOT_SEEN } else { rule(line, verification) };
            [format!("{mark} {}", line.claim), line.said.clone(), seen.to_owned(), by.to_owned()]
        })
        .collect();
    let others = verification.claims.len() - rows.len();
    let table = table(["  claim", "said", "seen", "by"], &rows);
    match others {
        0 => table,
        _ => format!(
            "{table}   and {} that the wire has no word on (--output json)\n",
            counted(others, "field")
        ),
    }
}

/// What a line says of the wire that showed nothing.
const NOTHING: &str = "nothing";
/// How that stands in the table.
const NOT_SEEN: &str = "–";

/// What a line was held against, in a word or two and whatever came of it; JSON has the rule as a whole sentence.
fn rule(line: &Line, verification: &Verification) -> &'static str {
    match line.about {
        About::State if verification.observations.iter().any(lists) => "bindings",
        About::State if line.standing == Held::Unproven => NOT_SEEN,
        About::State => "probe's own try",
        About::Response => "probe's reply",
        About::Expiry | About::NextAction => "its end",
        About::Refresh => "end - lifetime",
        About::Lifetime => "seconds left",
        About::Contact | About::Transport => "its Contact",
        About::Username => "probe's user",
        About::Update | About::Enabled | About::Identity | About::Other => NOT_SEEN,
    }
}

/// Whether the registrar said who is bound.
const fn lists(seen: &Observation) -> bool {
    matches!(seen.sight, Sight::Bindings { .. })
}

/// The verdict, what it rests on, and what to do.
fn verdict(verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let seconds = verification.took_ms as f64 / 1000.0;
    let facts = format!(
        "{}, {}, in {seconds:.1} s",
        service(verification.service()),
        evidence(verdict.evidence)
    );
    let mut text = format!("{}  {} ({facts})\n\n", headline(verification, style), verdict.reason.name());
    text += &wrapped("  ", &safe(&verdict.detail));
    if let Some(advice) = &verdict.advice {
        text += &wrapped("  next    ", &safe(advice));
    }
    text += &wrapped("  rule    ", &safe(&verdict.rule));
    text + &format!("  more    regprobe explain {}\n", verdict.reason.name())
}

/// `✔ AGREE`
fn headline(verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let (mark, tone) = match (verdict.outcome, verification.service()) {
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
    for node in &verification.nodes {
        let server = node.server.as_deref().unwrap_or("a server without an address");
        text += &wrapped("  server  ", &format!("{}: {}", safe(server), sight(&node.sight)));
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

/// What one server of several showed.
fn sight(sight: &Sight) -> String {
    match sight {
        Sight::Bindings { bindings, .. } if bindings.is_empty() => "nothing is bound".to_owned(),
        Sight::Bindings { bindings, .. } => {
            let contacts: Vec<_> = bindings.iter().map(|binding| safe(&binding.contact)).collect();
            format!("{} bound", contacts.join(", "))
        }
        Sight::Challenged { code } => format!("{code}: it asks for credentials"),
        Sight::Refused { code } => format!("{code}: it refuses the credentials"),
        Sight::Rejected { code, reason, .. } | Sight::ServerError { code, reason } => format!("{code} {}", safe(reason)),
        Sight::Silent { cause, detail, .. } => format!("{cause}: {}", safe(detail)),
        Sight::Alive { code } => format!("{code}"),
        Sight::Reached { code, .. } => code.map_or_else(|| "it arrived".to_owned(), |code| code.to_string()),
        Sight::NotReached { detail, .. } => safe(detail),
    }
}

/// One line for a list: the verdict, the name, the reason.
pub(crate) fn line(name: &str, verification: &Verification, style: Style) -> String {
    let verdict = &verification.verdict;
    let harm = harm(verification).map(|harm| format!(" {harm}.")).unwrap_or_default();
    let width = headline(verification, Style::Plain).chars().count();
    row(
        (&headline(verification, style), width),
        name,
        &format!("{}: {}{harm}", verdict.reason.name(), verdict.detail),
    )
}

/// What our own Contact has done to the account and not undone, for who sees one line only.
fn harm(verification: &Verification) -> Option<&str> {
    let test = verification.self_test.as_ref()?;
    (test.outcome == SelfTestOutcome::Displaced || test.removal == Removal::Unconfirmed).then_some(&*test.detail)
}

/// The same for a check that could not be made.
pub(crate) fn not_made(problem: &Problem<'_>, style: Style) -> String {
    let head = "? NOT MADE";
    row(
        (&style.paint(Tone::Doubtful, head), head.chars().count()),
        problem.name,
        &problem.problem,
    )
}

/// The head comes with its width, which colours do not add to.
fn row((head, width): (&str, usize), name: &str, text: &str) -> String {
    let blanks = " ".repeat(HEADLINE.saturating_sub(width));
    format!("{head}{blanks}{}  {}\n", padded(&cut(&safe(name)), NAME), safe(text))
}

/// As much of a name as the column has room for.
fn cut(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// A check that could not be made: a line of `regprobe verify --all FILE --output json` beside those of `regprobe.verify.v1`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem<'a> {
    /// Always `regprobe.problem.v1`.
    schema: &'static str,
    /// What the file calls the check, or else its provider and object.
    name: &'a str,
    /// Whose claim it would have been.
    provider: SourceKind,
    /// About what: the identifier that it was asked for by. Escaped.
    object: String,
    /// What is missing or wrong, and what would be right. Nothing was sent to a registrar.
    problem: String,
}

impl<'a> Problem<'a> {
    /// Of this check.
    pub(crate) fn of(name: &'a str, check: &Check, problem: String) -> Self {
        Self {
            schema: "regprobe.problem.v1",
            name,
            provider: check.source.kind(),
            object: safe(&check.source.object()),
            problem,
        }
    }
}

/// The widths of the verdict and of the name in a list.
const HEADLINE: usize = 16;
const NAME: usize = 32;

/// What a list of `total` checks ends with: `4 checks: 2 agree, 1 disagree, 1 inconclusive`.
pub(crate) fn summary(outcomes: &[Outcome], failed: usize, total: usize) -> String {
    let counts = Outcome::ALL.into_iter().filter_map(|outcome| {
        let count = outcomes.iter().filter(|&&each| each == outcome).count();
        (count > 0).then(|| format!("{count} {}", outcome.name()))
    });
    let not_made = (failed > 0).then(|| format!("{failed} not made"));
    let counts: Vec<_> = counts.chain(not_made).collect();
    let done = outcomes.len() + failed;
    let of = if done < total { format!("{done} of ") } else { String::new() };
    format!("{of}{}: {}\n", counted(total, "check"), counts.join(", "))
}

/// One line for Nagios, Icinga and their kin; `check_inbound` when it was to be tried if calls arrive.
pub(crate) fn nagios(verification: &Verification, check_inbound: bool) -> String {
    let verdict = &verification.verdict;
    let object = verification.name.as_ref().unwrap_or(&verification.object);
    let harm = harm(verification).map(|harm| format!(" {harm}.")).unwrap_or_default();
    let inbound = match (&verification.inbound, check_inbound) {
        (Some(test), _) => format!(" Inbound: {}.", test.detail),
        (None, true) => " Inbound: not tried, because it did not come to that.".to_owned(),
        (None, false) => String::new(),
    };
    let text = format!(
        "{} {object}: {} {}: {}{harm}{inbound}",
        verification.provider.provider(),
        verdict.outcome.name(),
        verdict.reason.name(),
        verdict.detail
    );
    nagios::line(
        judge(verification, check_inbound),
        &text,
        &format!("took={}ms;;;0", verification.took_ms),
    )
}

/// The service state: a false claim about a line that works is a warning, because nobody is cut off by it, and so is a line that is up
/// where it was to be shown that calls arrive, and was not.
pub(crate) fn judge(verification: &Verification, check_inbound: bool) -> nagios::Service {
    let arrives = |outcome| matches!(outcome, InboundOutcome::Arrived | InboundOutcome::Answered);
    let unproven = check_inbound && !verification.inbound.as_ref().is_some_and(|test| arrives(test.outcome));
    if verification.interrupted {
        return nagios::Service::Unknown;
    }
    // Whatever the verdict is: somebody was cut off just now.
    if verification.self_test.as_ref().is_some_and(|test| !test.lost.is_empty()) {
        return nagios::Service::Critical;
    }
    match (verification.verdict.outcome, verification.service()) {
        (Outcome::Agree, Service::Up) if unproven => nagios::Service::Warning,
        (Outcome::Agree, Service::Up) => nagios::Service::Ok,
        (Outcome::Agree, Service::Unknown) | (Outcome::Inconclusive, _) => nagios::Service::Unknown,
        (Outcome::Agree, Service::AtRisk) | (Outcome::Disagree | Outcome::Stale, Service::Up | Service::AtRisk | Service::Unknown) => {
            nagios::Service::Warning
        }
        (Outcome::Agree | Outcome::Disagree | Outcome::Stale, Service::Down) => nagios::Service::Critical,
    }
}

#[cfg(test)]
mod tests {
    use regprobe_providers::{
        Freshness, InboundTest, Moment, Note, Question, Reason, Role, SeenBinding, SelfTest, SourceKind, Standing, VERIFICATION_SCHEMA,
        Verdict,
    };

    use super::*;
    use crate::output::text::WIDTH;

    fn line(claim: &str, said: &str, standing: Held) -> Line {
        Line {
            claim: claim.to_owned(),
            said: said.to_owned(),
            about: About::State,
            seen: "nothing is bound at 192.0.2.1:5060".to_owned(),
            standing,
            rule: "a rule".to_owned(),
        }
    }

    fn sample(outcome: Outcome, reason: Reason, service: Service) -> Verification {
        Verification {
            schema: VERIFICATION_SCHEMA,
            name: Some("Berlin".to_owned()),
            provider: SourceKind::Kamailio,
            object: "trunk\u{1b}[2J1".to_owned(),
            role: Role::Client,
            aor: Some("sip:alice@example.test".to_owned()),
            registrar: Some("sip:example.test".to_owned()),
            outbound_proxy: None,
            transport: Some("udp"),
            started_at: Moment::from_unix(1_780_000_000).unwrap(),
            took_ms: 1234,
            looks: 2,
            grace_ms: 32_000,
            judged_at: Moment::from_unix(1_780_000_001).unwrap(),
            nodes: Vec::new(),
            verdict: Verdict {
                outcome,
                reason,
                evidence: Level::E1,
                service,
                freshness: Freshness::Unknown,
                detail: "Kamailio says registered, but nothing is bound\u{202e}.".to_owned(),
                advice: Some("Look at the registrar.".to_owned()),
                rule: "registered × nothing bound".to_owned(),
                lines: Vec::new(),
                notes: vec![Note {
                    reason: Reason::ClockSkew,
                    detail: "the clocks are 7 s apart".to_owned(),
                }],
                contradiction: None,
                standing: Some(Standing {
                    reason: Reason::Displaced,
                    seen_at: Moment::from_unix(1_779_000_000).unwrap(),
                }),
            },
            claims: vec![
                line("flags", "20", Held::Contradicted),
                line("online", "yes", Held::Contradicted),
                line("enabled", "\u{9b}yes", Held::Unproven),
            ],
            answers: Vec::new(),
            observations: Vec::new(),
            self_test: None,
            inbound: None,
            warnings: vec!["a warning".to_owned()],
            interrupted: false,
            probes: None,
        }
    }

    #[test]
    fn a_screen_shows_claim_and_wire_line_by_line_then_one_verdict() {
        let text = render(
            &sample(Outcome::Disagree, Reason::FalsePositiveUnbound, Service::Down),
            Style::Plain,
        );
        for fragment in [
            "Kamailio trunk\\x1b[2J1 (Berlin) says: nothing\nsip:alice@example.test at sip:example.test\n",
            "✘ flags",
            "the same",
            "✘ DISAGREE  false_positive_unbound (the line is down, evidence E1: it accepts the account, in 1.2 s)\n",
            "  next    Look at the registrar.\n",
            "  rule    registered × nothing bound\n",
            "clock_skew  the clocks are 7 s apart",
            "before  displaced was seen at 2026-05-17T06:40:00.000Z",
            "warning  a warning",
        ] {
            assert!(text.contains(fragment), "{fragment}: {text}");
        }
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_plugin_says_what_the_line_is_worth() {
        use nagios::Service as Plugin;
        for (outcome, reason, service, expected) in [
            (Outcome::Agree, Reason::Registered, Service::Up, Plugin::Ok),
            (Outcome::Agree, Reason::Down, Service::Down, Plugin::Critical),
            (Outcome::Disagree, Reason::FalseNegativeBound, Service::Up, Plugin::Warning),
            (
                Outcome::Disagree,
                Reason::CredentialsRejectedWhileRegistered,
                Service::AtRisk,
                Plugin::Warning,
            ),
            (Outcome::Disagree, Reason::Displaced, Service::Down, Plugin::Critical),
            (Outcome::Stale, Reason::ExpiredClaim, Service::Down, Plugin::Critical),
            (Outcome::Disagree, Reason::ReasonMismatch, Service::Unknown, Plugin::Warning),
            (Outcome::Inconclusive, Reason::ApiAuth, Service::Down, Plugin::Unknown),
        ] {
            assert_eq!(judge(&sample(outcome, reason, service), false), expected, "{reason:?}");
        }
        let line = nagios(&sample(Outcome::Disagree, Reason::Displaced, Service::Down), false);
        assert!(line.starts_with("SIP CRITICAL - Kamailio Berlin: disagree displaced: "), "{line}");
        assert!(line.ends_with(" | took=1234ms;;;0\n") && line.lines().count() == 1, "{line}");
    }

    #[test]
    fn who_sees_one_line_sees_what_our_own_contact_has_done() {
        let lost = SeenBinding {
            contact: "sip:alice@192.0.2.7".to_owned(),
            expires_s: Some(60),
            instance: None,
        };
        let mut sample = sample(Outcome::Inconclusive, Reason::ApiAuth, Service::Up);
        sample.self_test = Some(SelfTest {
            outcome: SelfTestOutcome::Displaced,
            detail: "the registrar threw out sip:alice@192.0.2.7\u{9b}".to_owned(),
            contact: None,
            before: vec![lost.clone()],
            during: Vec::new(),
            after: Some(Vec::new()),
            displaced: vec![lost.clone()],
            lost: vec![lost],
            removal: Removal::Confirmed,
            lists_bindings: Some(true),
            exchanges: Vec::new(),
        });
        assert_eq!(judge(&sample, false), nagios::Service::Critical);
        for line in [nagios(&sample, false), super::line("Berlin", &sample, Style::Plain)] {
            assert!(line.contains("the registrar threw out sip:alice@192.0.2.7\\u{9b}."), "{line}");
        }
        let test = sample.self_test.as_mut().unwrap();
        (test.outcome, test.lost) = (SelfTestOutcome::Harmless, Vec::new());
        assert_eq!(judge(&sample, false), nagios::Service::Unknown);
        assert!(!nagios(&sample, false).contains("threw out"));
    }

    #[test]
    fn a_plugin_that_was_to_show_that_calls_arrive_says_whether_it_did() {
        let tried = |outcome| Verification {
            inbound: Some(InboundTest {
                outcome,
                detail: "what came of it".to_owned(),
                code: None,
                product: None,
            }),
            ..sample(Outcome::Agree, Reason::Registered, Service::Up)
        };
        for (outcome, expected) in [
            (InboundOutcome::Arrived, "SIP OK"),
            (InboundOutcome::Answered, "SIP OK"),
            (InboundOutcome::AnsweredByRegistrar, "SIP WARNING"),
            (InboundOutcome::Refused, "SIP WARNING"),
            (InboundOutcome::NotReached, "SIP WARNING"),
        ] {
            let line = nagios(&tried(outcome), true);
            assert!(
                line.starts_with(expected) && line.contains(" Inbound: what came of it. | "),
                "{line}"
            );
        }
        let untried = sample(Outcome::Agree, Reason::Registered, Service::Up);
        let line = nagios(&untried, true);
        assert!(line.starts_with("SIP WARNING") && line.contains(" Inbound: not tried"), "{line}");
        let line = nagios(&untried, false);
        assert!(line.starts_with("SIP OK") && !line.contains("Inbound"), "{line}");
    }

    #[test]
    fn a_line_names_what_it_was_held_against_and_no_evidence_that_nobody_has() {
        let by = |line: &Line, sight: Option<Sight>| {
            let at = Moment::from_unix(1_780_000_000).unwrap();
            let observations = sight.map(|sight| Observation {
                started_at: at,
                ended_at: at,
                question: Question::Fetch,
                vantage: None,
                server: None,
                product: None,
                own_contact: None,
                sight,
            });
            let mut verification = sample(Outcome::Inconclusive, Reason::ProbeNoCredentials, Service::Unknown);
            verification.observations.extend(observations);
            verification.claims = vec![line.clone()];
            let row = claims(&verification).lines().last().unwrap().to_owned();
            row.rsplit("  ").next().unwrap().trim().to_owned()
        };
        let unbound = || {
            Some(Sight::Bindings {
                bindings: Vec::new(),
                challenged: true,
            })
        };
        assert_eq!(by(&line("status", "up", Held::Confirmed), unbound()), "bindings");
        assert_eq!(
            by(&line("status", "up", Held::Unproven), Some(Sight::Challenged { code: 401 })),
            "–"
        );
        assert_eq!(
            by(&line("status", "down", Held::Confirmed), Some(Sight::Refused { code: 403 })),
            "probe's own try"
        );
        let blank = Line {
            about: About::Expiry,
            seen: NOTHING.to_owned(),
            ..line("expires_at", "soon", Held::Unproven)
        };
        assert_eq!(by(&blank, unbound()), "–");
        let (text, about) = (
            render(&sample(Outcome::Agree, Reason::Down, Service::Down), Style::Plain),
            About::Response,
        );
        assert!(!text.contains("E3") && !text.contains("same reply"), "{text}");
        let reply = Line {
            about,
            ..line("last_response", "200 OK", Held::Unproven)
        };
        assert_eq!(by(&reply, None), "probe's reply");
    }

    #[test]
    fn a_list_ends_with_its_counts() {
        assert_eq!(
            summary(&[Outcome::Agree, Outcome::Disagree, Outcome::Agree], 1, 4),
            "4 checks: 2 agree, 1 disagree, 1 not made\n"
        );
        assert_eq!(summary(&[Outcome::Agree], 0, 9), "1 of 9 checks: 1 agree\n");
        let sample = sample(Outcome::Inconclusive, Reason::ApiAuth, Service::Unknown);
        assert_eq!(
            super::line("Berlin", &sample, Style::Plain),
            "? INCONCLUSIVE  Berlin                            api_auth: Kamailio says registered, but nothing is bound\\u{202e}.\n"
        );
        let problem = Problem {
            schema: "regprobe.problem.v1",
            name: "Berlin",
            provider: SourceKind::Kamailio,
            object: "trunk1".to_owned(),
            problem: "--aor: it is missing".to_owned(),
        };
        assert_eq!(
            not_made(&problem, Style::Plain),
            "? NOT MADE      Berlin                            --aor: it is missing\n"
        );
        let long = super::line(&"trunk ".repeat(9), &sample, Style::Plain);
        assert!(
            long.starts_with("? INCONCLUSIVE  trunk trunk trunk trunk trunk t…  api_auth: "),
            "{long}"
        );
    }
}

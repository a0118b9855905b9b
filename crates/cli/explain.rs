//! `regprobe explain`: the words of reports, in the texts of `sip-registration`, `regprobe-providers` and `sip-message`. Layout only.

mod terms;

use regprobe_providers::{Outcome, Reason};
use sip_message::Anomaly;
use sip_registration::{Cause, Explanation, FindingId, State, Word};

use crate::explain::terms::Term;
use crate::output::style::{Style, Tone};
use crate::output::text::{padded, width, wrapped};

/// Explains a word of a probe's report.
fn word(word: Word, style: Style) -> String {
    let kind = match word {
        Word::State(state) => format!("state {}{}", state.code(), exit(state)),
        Word::Cause(cause) => format!("cause, ends in {} ({})", cause.state(), cause.state().code()),
        Word::Finding(_) => "finding".to_owned(),
    };
    page(word.name(), &kind, word.explanation(), style)
}

/// A word's page.
fn page(name: &str, kind: &str, explanation: &Explanation, style: Style) -> String {
    let mut text = format!("{}  {kind}\n\n", style.paint(Tone::Strong, name));
    text += &wrapped("  means   ", explanation.meaning);
    for (at, likely) in explanation.likely.iter().enumerate() {
        text += &wrapped(if at == 0 { "  likely  - " } else { "          - " }, likely);
    }
    text + &wrapped("  next    ", explanation.todo)
}

/// Explains the reason of a verdict.
fn reason(reason: Reason, style: Style) -> String {
    let outcome = reason.outcome();
    let kind = format!("reason of the verdict {}, exit status {}", outcome.name(), outcome.exit_code());
    page(reason.name(), &kind, reason.explanation(), style)
}

/// Explains a verdict, a level of evidence or an exit status.
fn term(term: Term, style: Style) -> Option<String> {
    let kind = match term {
        Term::Verdict(outcome) => format!("verdict, exit status {}", outcome.exit_code()),
        Term::Evidence(_) => "level of evidence".to_owned(),
        Term::Row(_) => "cause in a result of bulk".to_owned(),
        Term::Status(_) => "exit status".to_owned(),
    };
    let mut text = page(&term.name(), &kind, term.explanation()?, style);
    if let Term::Verdict(outcome) = term {
        let reasons = Reason::ALL.iter().filter(|reason| reason.outcome() == outcome);
        text += &wrapped("  reasons ", &reasons.map(|reason| reason.name()).collect::<Vec<_>>().join(", "));
    }
    Some(text)
}

/// Explains an anomaly of a message.
fn anomaly(anomaly: Anomaly, style: Style) -> String {
    let kind = format!("anomaly of a message, {}", anomaly.weight().name());
    let heading = format!("{}  {kind}\n\n", style.paint(Tone::Strong, anomaly.name()));
    heading + &wrapped("  means   ", anomaly.meaning()) + &wrapped("  said in ", anomaly.reference())
}

/// Every page for what somebody wrote: a state, a reason and an exit status may share a word.
pub(crate) fn pages(text: &str, style: Style) -> Option<String> {
    let name = text.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let word = Word::find(text).map(|found| word(found, style));
    let reason = Reason::find(&name).map(|found| reason(found, style));
    let term = Term::find(&name).and_then(|found| term(found, style));
    let anomaly = Anomaly::ALL.into_iter().find(|anomaly| anomaly.name() == name);
    let anomaly = anomaly.map(|found| self::anomaly(found, style));
    let pages: Vec<String> = word.into_iter().chain(reason).chain(term).chain(anomaly).collect();
    (!pages.is_empty()).then(|| pages.join("\n"))
}

const fn exit(state: State) -> &'static str {
    match state {
        State::Registered => ", exit status 0",
        State::RegisterTimeout | State::InternalError | State::WrongCredentials | State::RegistrarError => ", also the exit status",
        State::NotRegistered | State::Registering | State::Authenticating | State::Unregistering | State::AuthenticatingUnregister => "",
    }
}

/// Lists every word, with the beginning of what it means.
pub(crate) fn list(style: Style) -> String {
    let states = section("States (with their codes)", State::ALL.map(Word::State), style);
    let causes = section("Causes", Cause::ALL.map(Word::Cause), style);
    let findings = section("Findings", FindingId::ALL.map(Word::Finding), style);
    let reasons = Outcome::ALL.map(|outcome| reasons(outcome, style)).concat();
    let verdicts = terms("Verdicts", style, |term| matches!(term, Term::Verdict(_)));
    let evidence = terms("Levels of evidence", style, |term| matches!(term, Term::Evidence(_)));
    let rows = terms("Causes of bulk's own", style, |term| matches!(term, Term::Row(_)));
    let anomalies = anomalies(style);
    let statuses = terms("Exit statuses, beside the codes of states", style, |term| {
        matches!(term, Term::Status(_))
    });
    format!(
        "{states}\n{causes}\n{findings}{verdicts}{reasons}{evidence}{rows}{anomalies}{statuses}\nMore about one of them: regprobe explain WORD\n"
    )
}

fn section(title: &str, words: impl IntoIterator<Item = Word>, style: Style) -> String {
    let lines = words.into_iter().map(|word| {
        let code = match word {
            Word::State(state) => format!("{} ", state.code()),
            Word::Cause(_) | Word::Finding(_) => String::new(),
        };
        shortened(&format!(
            "{}{}",
            padded(&format!("  {code}{}", word.name()), NAME),
            word.explanation().meaning
        ))
    });
    format!("{}\n{}", style.paint(Tone::Strong, title), lines.collect::<String>())
}

fn terms(title: &str, style: Style, belongs: impl Fn(&Term) -> bool) -> String {
    let explained = Term::all()
        .filter(belongs)
        .filter_map(|term| Some((term.name(), term.explanation()?.meaning)));
    let lines = explained.map(|(name, meaning)| shortened(&format!("{}{meaning}", padded(&format!("  {name}"), NAME))));
    format!("\n{}\n{}", style.paint(Tone::Strong, title), lines.collect::<String>())
}

fn anomalies(style: Style) -> String {
    let lines = Anomaly::ALL.map(|anomaly| shortened(&format!("{}{}", padded(&format!("  {}", anomaly.name()), NAME), anomaly.meaning())));
    format!(
        "\n{}\n{}",
        style.paint(Tone::Strong, "Anomalies of messages (inspect)"),
        lines.concat()
    )
}

fn reasons(outcome: Outcome, style: Style) -> String {
    let reasons = Reason::ALL.iter().filter(|reason| reason.outcome() == outcome);
    let lines = reasons.map(|reason| shortened(&format!("{}{}", padded(&format!("  {}", reason.name()), NAME), reason.meaning())));
    let title = format!("Reasons of the verdict {}", outcome.name());
    format!("\n{}\n{}", style.paint(Tone::Strong, &title), lines.collect::<String>())
}

/// The width of the column of words in the list.
const NAME: usize = 40;

/// As much of a line as fits a screen.
fn shortened(line: &str) -> String {
    if line.chars().count() <= width() {
        return format!("{line}\n");
    }
    let kept: String = line.chars().take(width() - 1).collect();
    let whole_words = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{whole_words} …\n")
}

/// What to say about a word that is none: what is near it, and where the list is.
pub(crate) fn unknown(text: &str) -> String {
    let wanted = text.to_ascii_lowercase();
    let near: Vec<&str> = Word::all()
        .map(Word::name)
        .chain(Reason::ALL.iter().map(|reason| reason.name()))
        .chain(Anomaly::ALL.iter().map(|anomaly| anomaly.name()))
        .filter(|name| {
            wanted.len() > 2
                && wanted
                    .split(['_', '-', ' '])
                    .any(|part| part.len() > 2 && name.to_ascii_lowercase().contains(part))
        })
        .take(5)
        .collect();
    let hint = if near.is_empty() {
        String::new()
    } else {
        format!("; perhaps {}", near.join(", "))
    };
    let text = sip_message::printable(text.as_bytes());
    format!(
        "'{text}' is no state, cause, finding, verdict or reason, no evidence, no anomaly and no exit status{hint}; `regprobe explain` lists all of them"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::text::WIDTH;

    #[test]
    fn every_word_has_a_page_and_a_line_in_the_list() {
        let list = list(Style::Plain);
        for each in Word::all() {
            let page = word(each, Style::Plain);
            assert!(page.starts_with(each.name()), "{page}");
            assert!(
                page.contains("\n  means   ") && page.contains("\n  likely  - ") && page.contains("\n  next    "),
                "{page}"
            );
            assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
            assert!(list.contains(each.name()));
        }
        assert!(list.lines().all(|line| line.chars().count() <= WIDTH), "{list}");
    }

    #[test]
    fn every_reason_of_a_verdict_has_a_page_and_a_line_in_the_list() {
        let list = list(Style::Plain);
        for &each in Reason::ALL {
            let page = reason(each, Style::Plain);
            assert!(page.starts_with(each.name()) && page.contains("\n  means   "), "{page}");
            assert!(page.contains("\n  likely  - ") && page.contains("\n  next    "), "{page}");
            assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
            assert!(list.contains(&format!("\n  {} ", each.name())), "{each:?}");
        }
    }

    #[test]
    fn what_shares_a_word_shares_the_screen_and_every_term_has_a_line_in_the_list() {
        let page = pages("3", Style::Plain).unwrap();
        assert!(page.contains("state 3") && page.contains("\n3  exit status\n"), "{page}");
        assert!(
            pages("AGREE", Style::Plain)
                .unwrap()
                .contains("registered, down, refresh_in_progress")
        );
        assert!(pages("e3", Style::Plain).unwrap().starts_with("E3  level of evidence\n"));
        assert!(pages("130", Style::Plain).unwrap().contains("Ctrl-C"));
        assert_eq!(pages("E9", Style::Plain), None);
        let list = list(Style::Plain);
        for term in Term::all() {
            assert!(list.contains(&format!("\n  {} ", term.name())), "{term:?}");
        }
    }

    #[test]
    fn every_anomaly_has_a_page_and_a_line_in_the_list() {
        let list = list(Style::Plain);
        for each in Anomaly::ALL {
            let page = pages(each.name(), Style::Plain).unwrap();
            assert!(
                page.contains("  anomaly of a message, ") && page.contains("\n  said in RFC "),
                "{page}"
            );
            assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
            assert!(list.contains(&format!("\n  {} ", each.name())), "{each:?}");
        }
    }

    #[test]
    fn a_word_that_is_none_leads_to_its_neighbours() {
        assert!(unknown("certificate").contains("certificate_expired, certificate_untrusted"));
        assert!(unknown("\x1b[2J").starts_with("'\\x1b[2J' is no state"));
        assert!(!unknown("zz").contains("perhaps"));
    }
}

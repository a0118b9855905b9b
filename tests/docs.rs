//! Tables in docs/ that the code itself writes. `REWRITE_DOCS=1 cargo test -p regprobe --test docs` writes them anew; without it a
//! difference fails.

use std::env;
use std::fs;
use std::path::Path;

use regprobe_providers::{Outcome, Reason};

#[test]
fn the_reasons_of_verdicts_are_listed_as_the_code_has_them() {
    let mut table = "| verdict | reason | meaning |\n|---|---|---|\n".to_owned();
    for outcome in Outcome::ALL {
        for reason in Reason::ALL.iter().filter(|reason| reason.outcome() == outcome) {
            table += &format!("| {} | `{}` | {} |\n", outcome.name(), reason.name(), reason.meaning());
        }
    }
    hold("docs/verify.md", "reasons", &table);
}

#[test]
fn the_screens_of_watch_are_shown_as_they_are_drawn() {
    let read = |page: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page is there");
    let drawn = read("crates/cli/watch/screen/stored/list-80x24.txt");
    // The table, without the empty lines below it.
    let table = drawn.split("\n\n").next().expect("a text has a beginning");
    for page in ["README.md", "docs/watch.md"] {
        assert!(read(page).contains(table), "{page} shows another screen than is drawn:\n{table}");
    }
}

/// Holds what stands between two marks of a page against what the code says, or writes it there.
#[track_caller]
fn hold(page: &str, mark: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).expect("the page is there");
    let start = text.find(&format!("<!-- {mark}:")).expect("the page has the mark");
    let start = start + text[start..].find("-->\n").expect("the mark ends") + "-->\n".len();
    let end = start
        + text[start..]
            .find(&format!("<!-- end of {mark} -->"))
            .expect("the page has the end mark");
    let there = text[start..end].trim();
    if env::var_os("REWRITE_DOCS").is_some() {
        fs::write(&path, format!("{}\n{}\n{}", &text[..start], expected, &text[end..])).expect("the page can be written");
        return;
    }
    assert_eq!(there, expected.trim(), "{page}: {mark} differs; REWRITE_DOCS=1 writes it anew");
}

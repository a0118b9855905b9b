//! What docs/ says of the code, held against it. Tables that the code itself writes: `REWRITE_DOCS=1 cargo test -p regprobe --test docs` writes them anew; without it a
//! difference fails.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use regprobe_providers::{Outcome, Reason};
use sip_message::Anomaly;

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
fn the_anomalies_of_messages_are_listed_as_the_code_has_them() {
    let mut table = "| name | weight | what it means | where it is said |\n|---|---|---|---|\n".to_owned();
    for anomaly in Anomaly::ALL {
        let weight = anomaly.weight().name();
        table += &format!(
            "| `{}` | {weight} | {} | {} |\n",
            anomaly.name(),
            anomaly.meaning(),
            anomaly.reference()
        );
    }
    hold("docs/inspect.md", "anomalies", &table);
}

#[test]
fn the_screens_of_watch_are_shown_as_they_are_drawn() {
    let drawn = read("crates/cli/watch/screen/stored/list-80x24.txt");
    // The table, without the empty lines below it.
    let table = drawn.split("\n\n").next().expect("a text has a beginning");
    for page in ["README.md", "docs/watch.md"] {
        assert!(read(page).contains(table), "{page} shows another screen than is drawn:\n{table}");
    }
}

#[test]
fn every_crate_that_is_depended_on_has_its_reason() {
    let page = read("docs/dependencies.md");
    let explained: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let named: BTreeSet<String> = manifests().flat_map(|(_, manifest)| dependencies(&manifest)).collect();
    assert!(named.contains("tokio"), "the manifests were read: {named:?}");
    assert_eq!(
        explained,
        named.iter().map(String::as_str).collect(),
        "left: docs/dependencies.md, right: the manifests"
    );
}

#[test]
fn no_crate_may_hold_unsafe_code() {
    let workspace: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for (path, manifest) in manifests().filter(|(path, _)| !path.starts_with("fuzz")) {
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{} takes part",
            path.display()
        );
    }
}

#[test]
fn every_attack_of_the_security_page_has_tests_that_exist() {
    let page = read("SECURITY.md");
    let (_, table) = page.split_once("<!-- attacks -->").expect("the page has its table");
    let (table, _) = table.split_once("<!-- end of attacks -->").expect("the table ends");
    let mut sources = String::new();
    for folder in ["tests", "crates"] {
        rust_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    let rows: Vec<(&str, &str)> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(number, _)| number.parse::<u32>().is_ok())
        .collect();
    let numbers: Vec<u32> = rows.iter().filter_map(|(number, _)| number.parse().ok()).collect();
    assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
    for (number, row) in rows {
        let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(tests.len() > 2, "attack {number} has hardly a test: {tests:?}");
        for test in tests {
            // In the code or, of a property, in the macro that makes it a test.
            let exists = sources.contains(&format!("fn {test}("));
            assert!(exists, "attack {number}: there is no test {test}");
        }
    }
}

#[test]
fn every_test_of_a_fault_of_the_network_has_its_row_and_every_row_its_test() {
    let page = read("docs/testing.md");
    let (_, table) = page.split_once("<!-- faults -->").expect("the page has its table");
    let (table, _) = table.split_once("<!-- end of faults -->").expect("the table ends");
    let named = table.lines().filter_map(|line| line.rsplit_once("| `")?.1.strip_suffix("` |"));
    let files = ["addresses", "datagrams", "fragments", "half_open", "links", "streams"];
    let sources = files.map(|file| read(format!("tests/faults/{file}.rs"))).concat();
    let tests = sources.split("#[test]\nfn ").skip(1).filter_map(|test| test.split('(').next());
    assert_eq!(
        named.collect::<BTreeSet<_>>(),
        tests.collect(),
        "left: docs/testing.md, right: tests/faults"
    );
}

/// Everything that is written in Rust below this folder, one file behind the other.
fn rust_below(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_below(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *sources += &fs::read_to_string(&path).expect("it is text");
        }
    }
}

/// Every manifest of the project, beside its path below the root.
fn manifests() -> impl Iterator<Item = (PathBuf, toml::Table)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).expect("the crates are there");
    let below = crates.map(|entry| Path::new("crates").join(entry.expect("an entry").file_name()).join("Cargo.toml"));
    let all = below.chain(["Cargo.toml".into(), "fuzz/Cargo.toml".into()]);
    all.filter(move |path| root.join(path).exists())
        .map(|path| (path.clone(), read(path).parse().expect("a manifest")))
}

/// What a manifest takes from outside of the project, for the program or for tests.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let ours = |name: &str| name.starts_with("sip-") || name.starts_with("regprobe");
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let named = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    named.flat_map(toml::Table::keys).filter(|name| !ours(name)).cloned().collect()
}

/// What a file of the project says, by its path below the root.
fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
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

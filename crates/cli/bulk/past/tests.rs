//! Results of earlier runs, whole and cut off.

use super::*;

fn results(lines: &[&str]) -> Results {
    let mut results = Results::default();
    for line in lines {
        results.take_in(serde_json::from_str(line).unwrap());
    }
    results
}

fn line(row: u64, user: &str, cause: Option<&str>) -> String {
    let cause = cause.map_or("null".to_owned(), |cause| format!("\"{cause}\""));
    let registered = cause == "null";
    format!(
        "{{\"row\":{row},\"aor\":\"sip:{user}@h\",\"registrar\":\"sip:h\",\"name\":null,\"registered\":{registered},\"cause\":{cause}}}"
    )
}

fn last(results: &mut Results, user: &str, number: u64) -> Option<bool> {
    results.take(results.key(&format!("sip:{user}@h"), "sip:h", None), number)
}

#[test]
fn the_last_result_of_an_account_counts_wherever_its_row_is_now() {
    let mut results = results(&[
        &line(1, "a", Some("no_reply")),
        &line(2, "b", None),
        &line(1, "a", None),
        &line(3, "c", Some("forbidden")),
    ]);
    assert_eq!(last(&mut results, "c", 1), Some(false));
    assert_eq!(last(&mut results, "a", 9), Some(true));
    assert_eq!(last(&mut results, "b", 2), Some(true));
    assert_eq!(last(&mut results, "d", 4), None);
    assert_eq!(last(&mut results, "a", 1), None, "each result is for one row");
}

#[test]
fn an_account_that_is_listed_twice_has_two_results() {
    let lines = [
        line(1, "a", None),
        line(5, "a", Some("no_reply")),
        line(7, "a", None),
        line(5, "a", Some("forbidden")),
    ];
    let mut twice = results(&lines.each_ref().map(String::as_str));
    assert_eq!(
        [1, 5, 7, 9].map(|row| last(&mut twice, "a", row)),
        [Some(true), Some(false), Some(true), None]
    );
    let mut one = results(&[&lines[0]]);
    assert_eq!([1, 5].map(|row| last(&mut one, "a", row)), [Some(true), None]);
}

#[test]
fn rows_that_had_no_turn_have_no_result() {
    let mut results = results(&[&line(1, "a", Some("held_back")), &line(2, "b", Some("not_done"))]);
    assert_eq!((last(&mut results, "a", 1), last(&mut results, "b", 2)), (None, None));
}

#[test]
fn both_files_together_probe_what_is_not_done_and_what_failed() {
    let all = [line(1, "a", None), line(2, "b", Some("no_reply"))];
    let results = || Some(results(&all.each_ref().map(String::as_str)));
    let turns = |resume: Option<Results>, only_failed: Option<Results>| {
        let mut past = Past { resume, only_failed };
        ["a", "b", "c"].map(|user| past.decide(|results| last(results, user, 0)))
    };
    let (probe, skip) = (Turn::Probe, Turn::Skip);
    assert_eq!(turns(None, None), [probe, probe, probe]);
    assert_eq!(turns(results(), None), [skip(Some(true)), skip(Some(false)), probe]);
    assert_eq!(turns(None, results()), [skip(Some(true)), probe, skip(None)]);
    assert_eq!(turns(results(), results()), [skip(Some(true)), probe, probe]);
}

#[test]
fn a_line_that_was_cut_off_counts_as_none_and_a_file_of_others_is_refused() {
    let path = std::env::temp_dir().join(format!("regprobe-results-{}", std::process::id()));
    let whole = format!("{}\n\n{}\n", line(1, "a", None), line(2, "b", None));
    let cut = whole.get(..whole.len() - 9).unwrap();
    std::fs::write(&path, format!("{cut}\n{}\n", line(3, "c", None))).unwrap();
    let mut results = Results::read(&path).unwrap();
    assert_eq!(
        ["a", "b", "c"].map(|user| last(&mut results, user, 0)),
        [Some(true), None, Some(true)]
    );
    std::fs::write(&path, "aor,password\na@h,canary\n").unwrap();
    let refusal = Results::read(&path).err().unwrap();
    assert!(refusal.contains("holds no result") && !refusal.contains("canary"), "{refusal}");
    std::fs::write(&path, "").unwrap();
    assert!(Results::read(&path).is_ok_and(|results| results.is_empty()));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_bad_row_is_known_by_its_number() {
    let bad = "{\"row\":4,\"aor\":null,\"registrar\":null,\"name\":null,\"registered\":false,\"cause\":\"bad_row\"}";
    let mut past = Past {
        resume: Some(results(&[bad])),
        only_failed: None,
    };
    let row = |number| BadRow {
        number,
        line: 1,
        column: 1,
        name: None,
        aor: None,
        problem: String::new(),
    };
    assert_eq!(past.turn_of_bad(&row(4)), Turn::Skip(Some(false)));
    assert_eq!(past.turn_of_bad(&row(5)), Turn::Probe);
}

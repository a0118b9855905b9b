//! Two other parsers read the same messages: hand-written seeds of the fuzzers, every situation of RFC 4475 and RFC 5118, and generated
//! replies. Where they say something else than we do, the table says why; a disagreement that it does not list fails here, and so does
//! one that it lists and that is no more. `docs/testing.md` shows the table.

mod by_ezk;
mod by_rsip;
mod generated;
mod opinion;
mod situations;
mod table;
mod table_ezk;
mod table_rsip;
mod traits;

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use sip_message::{Status, printable};

use crate::opinion::{Field, Opinion};
use crate::table::{Peer, Right};
use crate::traits::Input;

fn opinion_of(peer: Peer, bytes: &[u8]) -> Opinion {
    match peer {
        Peer::Ezk => by_ezk::opinion(bytes),
        Peer::Rsip => by_rsip::opinion(bytes),
    }
}

/// The fields of which both have an opinion, and not the same. Where one cannot read the message, that is all there is to say.
fn disagreements(ours: &Opinion, theirs: &Opinion) -> Vec<Field> {
    let both = ours.iter().filter_map(|(field, said)| Some((*field, said, theirs.get(field)?)));
    both.filter(|(_, said, other)| said != other).map(|(field, _, _)| field).collect()
}

/// Says which disagreements of this input no row of the table explains.
fn unexplained(bytes: &[u8]) -> Vec<String> {
    let (input, ours) = (Input::new(bytes), opinion::ours(bytes));
    let of = |peer: Peer| {
        let theirs = opinion_of(peer, bytes);
        let unlisted =
            |field: &Field| !table::all().any(|row| row.peer == peer && row.fields.contains(field) && (row.found_by)(&input, *field));
        let tell = |field: Field| {
            format!(
                "{}, {}: we say {}, it says {}",
                peer.name(),
                field.name(),
                ours[&field],
                theirs[&field]
            )
        };
        disagreements(&ours, &theirs)
            .into_iter()
            .filter(unlisted)
            .map(tell)
            .collect::<Vec<_>>()
    };
    Peer::ALL.into_iter().flat_map(of).collect()
}

#[test]
fn every_row_is_shown_by_its_witness() {
    for row in table::all() {
        let (ours, theirs) = (opinion::ours(row.witness), opinion_of(row.peer, row.witness));
        let field = row.fields.first().expect("a row is about a field");
        let said = (ours[field].to_string(), theirs[field].to_string());
        assert_eq!(
            said,
            (row.ours.to_owned(), row.theirs.to_owned()),
            "{}: {}",
            row.peer.name(),
            row.input
        );
        assert_ne!(row.ours, row.theirs, "{}: {}: no disagreement", row.peer.name(), row.input);
        assert!(
            (row.found_by)(&Input::new(row.witness), *field),
            "{}: {}: not found by its trait",
            row.peer.name(),
            row.input
        );
    }
}

#[test]
fn every_situation_of_the_rfcs_is_asked_about() {
    let asked: BTreeSet<_> = situations::all().into_iter().map(|(section, _)| section).collect();
    assert_eq!(asked, situations::sections().into_iter().collect());
}

#[test]
fn the_situations_of_the_rfcs_say_the_same_to_every_parser_or_are_listed() {
    let mut read = [0; 2];
    for (section, bytes) in situations::all() {
        assert_eq!(unexplained(&bytes), [""; 0], "{section}");
        count(&bytes, &mut read);
    }
    assert!(
        read[0] >= 40 && read[1] >= 25,
        "the others read {read:?} of them: too few to be a second opinion"
    );
}

#[test]
fn the_seeds_say_the_same_to_every_parser_or_are_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/message");
    let mut read = [0; 2];
    for seed in std::fs::read_dir(folder).expect("the seeds are part of the repository") {
        let path = seed.expect("the folder is readable").path();
        // What a fuzzer added is called by its hash: bytes of which nobody can say how they are to be read.
        if path.extension().is_some_and(|extension| extension == "sip") {
            let bytes = std::fs::read(&path).expect("a seed is a file");
            assert_eq!(unexplained(&bytes), [""; 0], "{}", path.display());
            count(&bytes, &mut read);
        }
    }
    assert!(
        read[0] >= 30 && read[1] >= 25,
        "the others read {read:?} seeds: too few to be a second opinion"
    );
}

/// ezk-sip-types knows the phrases of the RFCs; which codes only one of us has a phrase for is written down here.
#[test]
fn the_usual_phrases_are_those_of_the_rfcs() {
    let (mut only_ours, mut only_theirs) = (Vec::new(), Vec::new());
    for status in (100..700).filter_map(Status::new) {
        match (status.phrase(), ezk_sip_types::StatusCode::from(status.code()).text()) {
            (Some(ours), Some(theirs)) => assert_eq!(ours, theirs, "{}", status.code()),
            (Some(ours), None) => only_ours.push((status.code(), ours)),
            (None, Some(_)) => only_theirs.push(status.code()),
            (None, None) => {}
        }
    }
    // RFC 6665 §8.3.1 (and RFC 3265 before it), RFC 5626 §11.6 and §11.3, RFC 3329 §2.6, RFC 8197 §4.
    let later = [
        (202, "Accepted"),
        (430, "Flow Failed"),
        (439, "First Hop Lacks Outbound Support"),
        (494, "Security Agreement Required"),
        (607, "Unwanted"),
    ];
    assert_eq!(only_ours, later);
    // Of calls, subscriptions and bodies: no registrar has a use for them.
    assert_eq!(only_theirs, [181, 182, 199, 380, 414, 415, 422, 484, 485, 487, 489, 491, 493]);
}

/// Counts who can read the message.
fn count(bytes: &[u8], read: &mut [usize; 2]) {
    for (peer, count) in Peer::ALL.into_iter().zip(read) {
        *count += usize::from(opinion_of(peer, bytes).len() > 1);
    }
}

proptest! {
    // 1024, unless `PROPTEST_CASES` says otherwise.
    #![proptest_config(ProptestConfig { cases: 4 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_replies_say_the_same_to_every_parser_or_are_listed(bytes in generated::replies()) {
        let unexplained = unexplained(&bytes);
        prop_assert!(unexplained.is_empty(), "{}\n{}", unexplained.join("\n"), printable(&bytes));
    }

    /// Without anything peculiar, nobody may differ in anything.
    #[test]
    fn plain_replies_say_the_same_to_every_parser(
        code in 200..700_u16,
        call_id in "[A-Za-z0-9.]{1,20}(@[a-z0-9.-]{1,10})?",
        number in any::<u32>(),
        user in "[a-z0-9]{1,8}",
        expires in 0..100_000_u32,
        nonce in "[A-Za-z0-9+/=]{1,12}",
        body in "[ -~]{0,20}",
    ) {
        let text = format!(
            "SIP/2.0 {code} Reason\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{user};rport=40112;received=198.51.100.7\r\n\
             From: <sip:{user}@example.test>;tag=f\r\nTo: Bob <sip:{user}@example.test;transport=tcp>;tag=t\r\nCall-ID: {call_id}\r\nCSeq: {number} REGISTER\r\n\
             Contact: <sip:{user}@192.0.2.9:5060;ob>;expires={expires}\r\nContact: <sips:{user}@h>;q=0.5\r\nExpires: {expires}\r\n\
             WWW-Authenticate: Digest realm=\"example.test\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\", stale=true\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let ours = opinion::ours(text.as_bytes());
        prop_assert!(ours.values().all(|said| !matches!(said, opinion::Says::Absent | opinion::Says::Unreadable)), "{ours:?}");
        for peer in Peer::ALL {
            prop_assert_eq!(disagreements(&ours, &opinion_of(peer, text.as_bytes())), []);
        }
    }
}

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/testing.md");
    let page = std::fs::read_to_string(&path).expect("the page is part of the repository");
    let (opening, closing) = (
        "<!-- disagreements: written by the test `second_opinion`, REWRITE_DOCS=1 -->\n",
        "<!-- end of disagreements -->",
    );
    let (before, rest) = page.split_once(opening).expect("the page has the mark");
    let (shown, after) = rest.split_once(closing).expect("the page has the end mark");
    let expected = page_table();
    if std::env::var_os("REWRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{opening}{expected}{closing}{after}")).expect("the page can be written");
        return;
    }
    assert_eq!(
        shown, expected,
        "the page and the table differ; REWRITE_DOCS=1 writes the page anew"
    );
}

fn page_table() -> String {
    let mut lines = String::from("| peer | input | field | we say | it says | decided by | right |\n|---|---|---|---|---|---|---|\n");
    for row in table::all() {
        let fields: Vec<_> = row.fields.iter().map(|field| field.name()).collect();
        let code = |said: &str| {
            if said.is_empty() {
                "nothing".to_owned()
            } else {
                format!("`{}`", said.replace('|', "\\|"))
            }
        };
        let right = match row.right {
            Right::Ours => "we".to_owned(),
            Right::Either => "either".to_owned(),
            Right::Theirs(reason) => format!("it; {reason}"),
        };
        let cells = [
            row.peer.name(),
            row.input,
            &fields.join(", "),
            &code(row.ours),
            &code(row.theirs),
            row.paragraph,
            &right,
        ];
        lines += &format!("| {} |\n", cells.join(" | "));
    }
    lines
}

//! A provider's API that is somebody else's: pages for people, bodies without end, detours, patience. Each ends in a typed refusal in time
//! and in a bounded memory, and the key stays with whom it was sent to.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use crate::at_once;
use crate::output::NASTY;
use crate::program::{Ended, PASSWORD, run_with};
use crate::support::hostile::{Connection, Hostile};

/// Asks this API for a list, with the password for a key; no output may hold it.
fn listed(api: &Hostile, timeout: &str) -> Ended {
    let url = format!("http://{}/v2", api.address());
    let line = ["providers", "telnyx", "connections", "list", "--api-url", &url];
    run_with(
        &[("TELNYX_API_KEY", PASSWORD)],
        &[&line[..], &["--api-timeout", timeout, "--output", "json"]].concat(),
    )
}

/// Verifies a connection of this API.
fn verified(api: &Hostile, timeout: &str) -> Ended {
    let url = format!("http://{}/v2", api.address());
    let line = ["verify", "telnyx", "--connection-id", "1", "--api-url", &url];
    let patience = ["--api-timeout", timeout, "--timeout", "500ms", "--grace", "50ms"];
    run_with(
        &[("TELNYX_API_KEY", PASSWORD)],
        &[&line[..], &patience, &["--output", "json"]].concat(),
    )
}

/// An API that answers every request by this.
fn answering(answer: impl Fn(&mut Connection<'_>, &str) + Send + 'static) -> Hostile {
    Hostile::tcp(move |connection| {
        while let Some(request) = connection.head() {
            answer(connection, &String::from_utf8_lossy(&request));
        }
    })
}

/// A whole answer.
fn whole(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// It could not be asked, which is neither a list nor a verdict.
#[track_caller]
fn assert_no_answer(what: &str, api: &Hostile, timeout: &str) {
    let list = listed(api, timeout);
    assert_eq!(list.status, 5, "{what}: {}{}", list.text, list.talk);
    let verdict = verified(api, timeout);
    assert_eq!(verdict.status, 3, "{what}: {}{}", verdict.text, verdict.talk);
    assert!(verdict.text.len() < 20_000, "{what}: {} bytes", verdict.text.len());
}

/// The sign-in page of a proxy, with whatever acts on its reader, in place of JSON, and JSON that is none.
#[test]
fn a_page_for_people_is_no_answer() {
    let page = format!("<!DOCTYPE html><title>{NASTY}</title><p>{PASSWORD} {NASTY}</p>");
    let bodies = [
        page,
        format!("{{\"data\": \"{NASTY}"),
        "{\"data\":".to_owned() + &"[".repeat(100_000),
        "{\"data\": {\"registered\": true}}".to_owned(),
        "[]".to_owned(),
        "\u{0}".repeat(1000),
        String::new(),
    ];
    at_once(&bodies, |body| {
        for status in ["200 OK", "502 Bad Gateway"] {
            let page = body.clone();
            let api = answering(move |connection, _| {
                connection.send(whole(status, "Content-Type: text/html\r\nServer: x\r\n", &page));
            });
            let verdict = verified(&api, "2s");
            assert_eq!(verdict.status, 3, "{status} {body:.40}: {}{}", verdict.text, verdict.talk);
            // A list that is an empty list of something else is not one of connections.
            let list = listed(&api, "2s");
            assert_eq!(list.status, 5, "{status} {body:.40}: {}{}", list.text, list.talk);
        }
    });
}

/// Bodies of a gigabyte and without end, heads without end (CVE-2023-38039's class: headers that are kept until the memory is gone).
#[test]
fn an_answer_without_end_takes_no_memory() {
    let blanks = " ".repeat(64 * 1024);
    let chunk = format!("10000\r\n{blanks}\r\n");
    let openings = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", blanks.clone()),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk),
        ("HTTP/1.1 200 OK\r\n\r\n", blanks),
        ("HTTP/1.1 200 OK\r\nX: ", "a".repeat(64 * 1024)),
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n".repeat(1024)),
        ("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1024)),
    ];
    for (opening, endless) in openings {
        let what = format!("{opening:?} {endless:.20}");
        let api = answering(move |connection, _| {
            connection.send(opening);
            connection.send_for_ever(&endless);
        });
        assert_no_answer(&what, &api, "2s");
    }
}

/// A hundred megabytes of zeros in some kilobytes (CVE-2022-32206's class: bodies that grow when they are unpacked).
#[test]
fn a_body_that_grows_when_it_is_unpacked_is_not_unpacked() {
    let packed = Command::new("sh")
        .args(["-c", "head -c 100000000 /dev/zero | gzip -9"])
        .output()
        .expect("a shell is everywhere")
        .stdout;
    assert!((1024..1024 * 1024).contains(&packed.len()), "{}", packed.len());
    for encoding in ["gzip", "gzip, gzip, gzip", "deflate", "br"] {
        let packed = packed.clone();
        let api = answering(move |connection, request| {
            assert!(request.to_ascii_lowercase().contains("accept-encoding: identity"), "{request}");
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
                packed.len()
            );
            connection.send([head.as_bytes(), &packed].concat());
        });
        assert_no_answer(encoding, &api, "2s");
    }
}

/// Detours to another port, host and scheme (CVE-2018-1000007's class: the key goes along).
#[test]
fn a_detour_gets_no_key() {
    let collector = Hostile::tcp(|connection| {
        connection.request();
    });
    let port = collector.address().port();
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for place in [
            "http://127.0.0.1:PORT/v2",
            "http://localhost:PORT/",
            "//127.0.0.1:PORT/x",
            "https://127.0.0.1:PORT/",
        ] {
            let location = place.replace("PORT", &port.to_string());
            let api = answering(move |connection, _| {
                connection.send(whole(status, &format!("Location: {location}\r\n"), "{}"));
            });
            assert_no_answer(&format!("{status} {place}"), &api, "2s");
        }
    }
    assert!(collector.requests().is_empty(), "somebody else was asked");
}

/// A list that goes on for ever, each page with more to come.
#[test]
fn a_list_without_end_is_given_up() {
    for count in ["1000000", "4294967295", "18446744073709551615", "\"many\""] {
        let (told, counted) = mpsc::channel();
        let number = AtomicU32::new(0);
        let api = answering(move |connection, _| {
            let number = number.fetch_add(1, Ordering::Relaxed);
            // As many as a page may have, and others on each.
            let items: Vec<String> = (0..250)
                .map(|at| format!(r#"{{"id":"{number}-{at}","connection_name":"x"}}"#))
                .collect();
            let items = items.join(",");
            let body = format!("{{\"data\":[{items}],\"meta\":{{\"total_pages\":{count},\"page_number\":1}}}}");
            // Nobody counts any more when the test is over.
            let _ = told.send(());
            connection.send(whole("200 OK", "Content-Type: application/json\r\n", &body));
        });
        let list = listed(&api, "2s");
        assert_eq!(list.status, 5, "{count}: {}{}", list.text, list.talk);
        let pages = counted.try_iter().count();
        assert!(pages <= 400, "{count}: {pages} pages");
    }
}

/// An API that wants us to come back in eleven days, and longer.
#[test]
fn a_wait_of_days_is_told_and_not_waited() {
    for wait in ["999999", "18446744073709551616", "Fri, 31 Dec 9999 23:59:59 GMT", "-1", NASTY] {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let header = format!("Retry-After: {}\r\n", wait.replace(['\r', '\0'], ""));
            let api = answering(move |connection, _| {
                connection.send(whole(status, &header, "{}"));
            });
            assert_no_answer(&format!("{status} {wait}"), &api, "2s");
        }
    }
}

/// An answer that comes byte by byte (CVE-2007-6750's class, with the roles exchanged).
#[test]
fn an_answer_that_drips_ends_with_the_patience() {
    let openings = [
        ("", " "),
        ("HTTP/1.1 200 OK\r\n", " "),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{", " "),
        // The length of a chunk, which any number of zeros may stand before.
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    at_once(&openings, |&(opening, piece)| {
        let api = answering(move |connection, _| {
            connection.send(opening);
            while connection.drip(piece) {}
        });
        assert_no_answer(&format!("{opening:?}"), &api, "1s");
    });
}

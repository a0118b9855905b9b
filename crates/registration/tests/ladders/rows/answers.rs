//! The rows in which the registrar answers.

use sip_registration::Cause;

use super::{Row, answered, row};
use crate::peer::{ANOTHER_NONCE, BOUND, CHALLENGE, PROXY_CHALLENGE, STALE};
use crate::setup::Setup;
use crate::world::World;

pub(super) fn rows() -> Vec<Row> {
    [
        successes(),
        first_challenges(),
        unwanted_challenges(),
        second_challenges(),
        refusals(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const OTHERS: &str = "Contact: <sip:alice@203.0.113.9:5060>;expires=60";
const GONE: &str = "Contact: {contact};expires=0";
const TOO_BRIEF: &str = "423 Interval Too Brief";
const UNAUTHORIZED: &str = "401 Unauthorized";

/// A final reply, as a script.
macro_rules! final_reply {
    ($status:literal $(, $header:expr)*) => {
        |world| world.reply($status, &[$($header),*])
    };
}

fn successes() -> Vec<Row> {
    use Cause as C;
    let not_confirmed = Some(C::BindingNotConfirmed);
    let (okay, gone) = ((3, None, 3), (0, None, 0));
    let still_there = (7, not_confirmed, 3);
    vec![
        row(
            "1xx, then 200 with our Contact",
            |world| {
                world.reply("100 Trying", &[]);
                world.reply("200 OK", &[BOUND]);
            },
            okay,
            still_there,
        ),
        row(
            "200 with our Contact, granted > 0",
            final_reply!("200 OK", BOUND),
            okay,
            still_there,
        ),
        row(
            "202 with our Contact, granted > 0",
            final_reply!("202 Accepted", BOUND),
            (3, None, 7),
            (7, not_confirmed, 7),
        ),
        row("200, no Contact at all", final_reply!("200 OK"), (7, not_confirmed, 5), gone),
        row(
            "200, Contacts but not ours",
            final_reply!("200 OK", OTHERS),
            (7, not_confirmed, 3),
            (0, None, 3),
        ),
        row(
            "200, ours with expires=0",
            final_reply!("200 OK", GONE),
            (7, Some(C::GrantedZero), 3),
            (0, None, 3),
        ),
        row(
            "202, no Contact at all",
            final_reply!("202 Accepted"),
            (7, not_confirmed, 7),
            (0, None, 7),
        ),
    ]
}

fn first_challenges() -> Vec<Row> {
    use Cause as C;
    let both = |event, script, expected| row(event, script, expected, expected);
    let (okay, gone) = ((3, None, 3), (0, None, 0));
    vec![
        Row {
            setup: || Setup::probe().secret(None),
            ..both(
                "401, no credentials configured",
                final_reply!("401 Unauthorized", CHALLENGE),
                (6, Some(C::CredentialsMissing), 6),
            )
        },
        Row {
            setup: || Setup::probe().secret(None),
            ..both(
                "407, no credentials configured",
                final_reply!("407 Proxy", PROXY_CHALLENGE),
                (6, Some(C::CredentialsMissing), 6),
            )
        },
        Row {
            unregister: gone,
            ..both(
                "401 first, usable challenge, then 200",
                |world| answer_fitting(world, CHALLENGE, UNAUTHORIZED),
                okay,
            )
        },
        Row {
            unregister: gone,
            ..both(
                "407 first, usable challenge, then 200",
                |world| answer_fitting(world, PROXY_CHALLENGE, "407 Proxy"),
                okay,
            )
        },
        both(
            "401 first, header missing",
            final_reply!("401 Unauthorized"),
            (5, Some(C::MalformedChallenge), 5),
        ),
        both(
            "401 first, header malformed",
            final_reply!("401 Unauthorized", "WWW-Authenticate: Digest realm=\"r"),
            (5, Some(C::MalformedChallenge), 5),
        ),
        both(
            "401 first, no supported algorithm",
            final_reply!(
                "401 Unauthorized",
                "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5"
            ),
            (5, Some(C::UnsupportedAlgorithm), 5),
        ),
    ]
}

/// Challenges that are after an answer that is not theirs.
fn unwanted_challenges() -> Vec<Row> {
    use Cause as C;
    let both = |event, script, expected| row(event, script, expected, expected);
    vec![
        Row {
            unregister: (5, Some(C::DigestTooWeak), 9),
            setup: || {
                Setup::probe().account(|account| {
                    account.challenges = Some(std::sync::Arc::new(sip_registration::ChallengeRules {
                        min_digest: sip_digest::Algorithm::Sha512_256,
                        ..sip_registration::ChallengeRules::ANY
                    }));
                })
            },
            ..both(
                "401 first, nothing as strong as wanted",
                final_reply!("401 Unauthorized", CHALLENGE),
                (5, Some(C::DigestTooWeak), 2),
            )
        },
        Row {
            unregister: (5, Some(C::RealmMismatch), 9),
            ..both(
                "401 first, in an empty realm",
                final_reply!("401 Unauthorized", "WWW-Authenticate: Digest realm=\"\", nonce=\"n\""),
                (5, Some(C::RealmMismatch), 2),
            )
        },
    ]
}

fn second_challenges() -> Vec<Row> {
    use Cause as C;
    const OLD_AND_STALE: &str =
        "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\", stale=true";
    let both = |event, script, expected| row(event, script, expected, expected);
    vec![
        Row {
            unregister: (0, None, 6),
            ..both(
                "401 after credentials, stale=true, then 200",
                |world| {
                    world.reply(UNAUTHORIZED, &[CHALLENGE]);
                    answer_fitting(world, STALE, UNAUTHORIZED);
                },
                (3, None, 6),
            )
        },
        both(
            "401 after credentials, stale=true again and again",
            |world| {
                answered(world, UNAUTHORIZED, &[STALE]);
                world.reply(UNAUTHORIZED, &[&STALE.replace("n2", "n3")]);
            },
            (6, Some(C::StaleLoop), 6),
        ),
        both(
            "401 after credentials, stale=true with the same nonce",
            |world| answered(world, UNAUTHORIZED, &[OLD_AND_STALE]),
            (6, Some(C::StaleLoop), 6),
        ),
        both(
            "401 after credentials",
            |world| answered(world, UNAUTHORIZED, &[CHALLENGE]),
            (6, Some(C::WrongCredentials), 6),
        ),
        both(
            "401 after credentials, the nonce changed",
            |world| answered(world, UNAUTHORIZED, &[ANOTHER_NONCE]),
            (6, Some(C::WrongCredentials), 6),
        ),
        both(
            "401 after credentials, no challenge header",
            |world| answered(world, UNAUTHORIZED, &[]),
            (6, Some(C::RejectedWithoutChallenge), 5),
        ),
    ]
}

/// The challenge is answered, and the 200 says what a goal hopes for.
fn answer_fitting(world: &mut World, challenge: &str, status: &str) {
    world.reply(status, &[challenge]);
    let text = String::from_utf8_lossy(&world.last_request().bytes).into_owned();
    let headers: &[&str] = if text.contains("Expires: 3600") { &[BOUND] } else { &[] };
    world.reply("200 OK", headers);
}

fn refusals() -> Vec<Row> {
    use Cause as C;
    let both = |event, script, expected| row(event, script, expected, expected);
    vec![
        both(
            "302",
            final_reply!("302 Moved", "Contact: <sip:192.0.2.20>"),
            (7, Some(C::Redirected), 5),
        ),
        both("400", final_reply!("400 Bad Request"), (7, Some(C::Rejected), 7)),
        both("403", final_reply!("403 Forbidden"), (7, Some(C::Forbidden), 7)),
        both(
            "403 after credentials",
            |world| answered(world, "403 Forbidden", &[]),
            (7, Some(C::Forbidden), 7),
        ),
        both("404", final_reply!("404 Not Found"), (7, Some(C::UnknownUser), 7)),
        both("408 on the wire", final_reply!("408 Request Timeout"), (4, Some(C::Replied408), 4)),
        Row {
            unregister: (7, Some(C::IntervalTooBrief), 1),
            ..both(
                "423 with a usable Min-Expires, then 200",
                |world| {
                    world.reply(TOO_BRIEF, &["Min-Expires: 7200"]);
                    if world.attempts.is_empty() {
                        world.reply("200 OK", &["Contact: {contact};expires=7200"]);
                    }
                },
                (3, None, 3),
            )
        },
        both(
            "423 again and again",
            |world| {
                for minimum in ["7200", "7300", "7400"] {
                    if world.attempts.is_empty() {
                        world.reply(TOO_BRIEF, &[&format!("Min-Expires: {minimum}")]);
                    }
                }
            },
            (7, Some(C::IntervalTooBrief), 1),
        ),
        both(
            "423 without Min-Expires",
            final_reply!("423 Interval Too Brief"),
            (7, Some(C::IntervalTooBrief), 7),
        ),
        both("500", final_reply!("500 Oops"), (7, Some(C::ServerError), 7)),
        both("503", final_reply!("503 Service Unavailable"), (7, Some(C::Overloaded), 7)),
        both("603", final_reply!("603 Decline"), (7, Some(C::GlobalFailure), 7)),
    ]
}

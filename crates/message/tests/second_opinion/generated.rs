//! Replies as registrars write them, and as they should not: every form of every field beside every other.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A reply.
pub(crate) fn replies() -> impl Strategy<Value = Vec<u8>> {
    let lines = (
        field(&["Via", "v", "VIA"], via()),
        field(&["From", "f", "from"], address()),
        field(&["To", "t", "TO"], address()),
        field(
            &["Call-ID", "i", "call-id"],
            "[A-Za-z0-9.%*_+`'~()<>:/?{}-]{1,20}(@[a-z0-9.-]{1,10})?".prop_map(String::from),
        ),
        field(&["CSeq", "CSEQ"], cseq()),
        vec(prop_oneof![3 => contact(), 1 => expires(), 2 => challenge(), 1 => other()], 0..5),
    );
    (
        start(),
        lines,
        body(),
        select(&["\r\n", "\r\n", "\r\n", "\n"][..]),
        select(&["", "", "", "\r\n\r\n"][..]),
    )
        .prop_map(
            |(start, (via, from, to, call_id, cseq, others), (length, body), line_end, before)| {
                let lines: Vec<_> = [start, via, from, to, call_id, cseq]
                    .into_iter()
                    .chain(others)
                    .chain([length])
                    .collect();
                [
                    before.as_bytes(),
                    lines.join(line_end).as_bytes(),
                    line_end.as_bytes(),
                    line_end.as_bytes(),
                    body.as_bytes(),
                ]
                .concat()
            },
        )
}

/// A header: under one of its names, now and then with a space before the colon or folded behind it.
fn field(names: &'static [&'static str], value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (select(names), select(&[": ", ": ", ": ", ":", " : ", ":\r\n "][..]), value)
        .prop_map(|(name, colon, value)| format!("{name}{colon}{value}"))
}

fn start() -> impl Strategy<Value = String> {
    let reason = select(&[" OK", " Unauthorized", " Something (or so)", " -", " за прещён", " ", ""][..]);
    (100..700_u16, reason).prop_map(|(code, reason)| format!("SIP/2.0 {code}{reason}"))
}

fn via() -> impl Strategy<Value = String> {
    let transport = select(&["UDP", "TCP", "TLS", "WSS", "UNKNOWN"][..]);
    let sent_by = select(&["192.0.2.9", "192.0.2.9:5060", "[2001:db8::9]:5060", "pbx.example.test", "h : 5060"][..]);
    let param = select(
        &[
            ";rport=40112",
            ";rport",
            ";received=198.51.100.7",
            ";received=2001:db8::7",
            ";received=[2001:db8::7]",
            ";alias",
            " ; keep = 30",
            ";BRANCH=z9hG4bKx",
        ][..],
    );
    (
        transport,
        sent_by,
        "z9hG4bK[a-z0-9.%-]{1,8}",
        vec(param, 0..3),
        select(&["", "", ", SIP/2.0/UDP h2;branch=z9hG4bK2"][..]),
    )
        .prop_map(|(transport, sent_by, branch, params, second)| {
            format!("SIP/2.0/{transport} {sent_by};branch={branch}{}{second}", params.concat())
        })
}

fn uri() -> impl Strategy<Value = String> {
    let host = select(
        &[
            "h",
            "192.0.2.1",
            "192.0.2.1:5060",
            "[2001:db8::1]",
            "[2001:db8::1]:5070",
            "2001:db8::1",
            "example.test:5061",
        ][..],
    );
    let param = select(&["", "", ";lr", ";transport=tcp", ";transport=TLS", ";gr=urn:uuid:1", ";ob", "?x=y"][..]);
    prop_oneof![
        8 => ("sips?", "([a-z0-9+._-]{1,6}(;x=1)?@)?", host, param).prop_map(|(scheme, user, host, param)| format!("{scheme}:{user}{host}{param}")),
        1 => select(&["tel:+49123", "mailto:a@h", "http://h/", "urn:service:sos"][..]).prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let plain = select(&["", "", "Bob ", "Bob Smith ", "Bell, Alexander ", "J\u{fc}rgen "][..]).prop_map(str::to_owned);
    prop_oneof![2 => plain, 1 => "[ -!#-\\[\\]-~]{0,9}".prop_map(|name| format!("\"{name}\" ")), 1 => "([a-z]|\\\\\"|\\\\\\\\){1,4}".prop_map(|name| format!("\"{name}\""))]
}

fn bracketed() -> impl Strategy<Value = String> {
    (name(), uri()).prop_map(|(name, uri)| format!("{name}<{uri}>"))
}

fn address() -> impl Strategy<Value = String> {
    let bare = "sip:([a-z]{1,4}(;x=1)?@)?[a-z]{1,4}(\\.test)?(:5060)?".prop_map(String::from);
    let tag = prop_oneof![4 => ";tag=[a-z0-9.~_-]{1,6}", 1 => " ; tag = [a-z]{1,3}", 1 => ";TAG=[a-z]{1,3}", 1 => Just(String::new())];
    (prop_oneof![4 => bracketed(), 1 => bare], tag).prop_map(|(address, tag)| address + &tag)
}

fn cseq() -> impl Strategy<Value = String> {
    let method = select(&["REGISTER", "REGISTER", "OPTIONS", "NEWMETHOD", "register", "INVITED"][..]);
    (
        prop_oneof![4 => any::<u32>().prop_map(u64::from), 1 => any::<u64>()],
        select(&[" ", " ", "  ", "\t"][..]),
        method,
    )
        .prop_map(|(number, space, method)| format!("{number}{space}{method}"))
}

fn contact() -> impl Strategy<Value = String> {
    let param = select(
        &[
            "",
            ";expires=60",
            ";expires=\"60\"",
            "; expires = 60",
            ";EXPIRES=60",
            ";expires=-5",
            ";expires=99999999999",
            ";q=0.5",
            ";+sip.instance=\"<urn:uuid:1>\"",
            ";reg-id=1",
            ";x",
        ][..],
    );
    let one = (bracketed(), vec(param, 0..3)).prop_map(|(address, params)| address + &params.concat());
    let list = vec(one, 1..4).prop_map(|all| all.join(", "));
    field(
        &["Contact", "Contact", "m", "CONTACT"],
        prop_oneof![8 => list, 1 => Just("*".to_owned())],
    )
}

fn expires() -> impl Strategy<Value = String> {
    field(
        &["Expires", "EXPIRES"],
        prop_oneof![4 => "[0-9]{1,6}", 1 => "[0-9]{11,14}", 1 => Just("60 ;x=y".to_owned()), 1 => Just("-1".to_owned())],
    )
}

fn challenge() -> impl Strategy<Value = String> {
    let scheme = select(&["Digest", "Digest", "Digest", "DIGEST", "Basic"][..]);
    let realm = select(
        &[
            "realm=\"r\"",
            "realm=\"a, b\"",
            "Realm=\"r\"",
            "realm = \"r\"",
            "realm=\"a \\\"b\\\"\"",
            "realm=\"\"",
        ][..],
    );
    let nonce = "nonce=\"[!#-\\[\\]-~]{1,12}\"".prop_map(String::from);
    let more = select(
        &[
            "opaque=\"o\"",
            "opaque=\"\"",
            "algorithm=MD5",
            "algorithm=SHA-256",
            "algorithm=SHA-512-256-sess",
            "algorithm=md5",
            "stale=true",
            "stale=FALSE",
            "domain=\"sip:h\"",
        ][..],
    );
    let qop = select(&["", ", qop=\"auth\"", ", qop=auth", ", qop=\"auth,auth-int\"", ", qop=auth,auth-int"][..]);
    let value = (scheme, realm, nonce, proptest::option::of(more), qop).prop_map(|(scheme, realm, nonce, more, qop)| {
        format!(
            "{scheme} {realm}, {nonce}{}{qop}",
            more.map_or_else(String::new, |more| format!(", {more}"))
        )
    });
    field(&["WWW-Authenticate", "www-authenticate"], value)
}

fn other() -> impl Strategy<Value = String> {
    prop_oneof![
        "(Server|User-Agent): [ -~]{1,20}",
        "X-[A-Za-z]{1,8}: [!-~]{1,12}",
        "(Supported|Allow): [a-z]{1,5}(, [a-z]{1,5}){0,2}",
        Just("no header".to_owned())
    ]
}

/// The line of Content-Length, and a body that it may fit.
fn body() -> impl Strategy<Value = (String, String)> {
    (
        "[ -~]{0,20}",
        select(&["Content-Length", "l", "Content-Length "][..]),
        select(&[0, 0, 0, 1, 5000][..]),
    )
        .prop_map(|(body, name, more)| {
            let length = body.len() + more;
            (format!("{name}: {length}"), body)
        })
}

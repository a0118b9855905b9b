//! The kinds of replies that registrars give to a REGISTER, in the forms met on real networks. Every value that a registration
//! needs is compared, so that "readable" never means "silently wrong".

use std::fmt::Write as _;

use sip_message::{AuthParams, Contact, Headers, Message, Name, NameAddr, ParseError, Response, printable};

/// What a reply is made of, one fact a line.
fn facts(bytes: &[u8]) -> Vec<String> {
    let reply = match Message::parse(bytes) {
        Ok(Message::Response(reply)) => reply,
        Ok(Message::Request(_)) => return vec!["request".into()],
        Err(error) => return vec![format!("error: {error}")],
    };
    let mut facts = vec![format!("{} {}", reply.status.code(), printable(reply.reason))];
    facts.extend(envelope(&reply.headers));
    facts.extend(bindings(&reply.headers));
    facts.extend(challenges(&reply.headers));
    facts.extend(hints(&reply));
    facts
}

fn text(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "-".into(), printable)
}

fn envelope(headers: &Headers<'_>) -> Vec<String> {
    let mut facts = Vec::new();
    for via in headers.vias() {
        facts.push(match via {
            Ok(via) => format!(
                "via {} {}:{} branch {} received {} rport {}",
                printable(via.transport),
                via.host,
                via.port.unwrap_or(0),
                text(via.branch()),
                via.received().map_or_else(|| "-".into(), |host| host.to_string()),
                via.rport().unwrap_or(0)
            ),
            Err(error) => error.to_string(),
        });
    }
    for (what, address) in [("from", headers.from()), ("to", headers.to())] {
        facts.push(match address {
            Some(Ok(address)) => format!("{what} {} tag {}", printable(address.raw_uri), text(address.tag())),
            Some(Err(error)) => error.to_string(),
            None => format!("no {what}"),
        });
    }
    facts.push(format!("call-id {}", text(headers.call_id())));
    facts.push(match headers.cseq() {
        Some(Ok(cseq)) => format!("cseq {} {}", cseq.number, printable(cseq.method.as_bytes())),
        other => format!("{other:?}"),
    });
    facts
}

fn binding(address: &NameAddr<'_>) -> String {
    let mut fact = format!("contact {}", printable(address.raw_uri));
    if !address.display.is_empty() {
        let _ = write!(fact, " name {}", printable(&address.display_name()));
    }
    if let Some(seconds) = address.expires() {
        let _ = write!(fact, " expires {seconds}");
    }
    if let Some(q) = address.q() {
        let _ = write!(fact, " q {}", printable(q));
    }
    if let Some(instance) = address.instance() {
        let _ = write!(fact, " instance {}", printable(&instance));
    }
    if let Some(id) = address.reg_id() {
        let _ = write!(fact, " reg-id {id}");
    }
    for name in ["pub-gruu", "temp-gruu"] {
        if let Some(gruu) = address.params.text(name) {
            let _ = write!(fact, " {name} {}", printable(&gruu));
        }
    }
    match address.uri() {
        Ok(_) => fact,
        Err(error) => format!("{fact} ({error})"),
    }
}

fn bindings(headers: &Headers<'_>) -> Vec<String> {
    let mut facts: Vec<_> = headers
        .contacts()
        .map(|contact| match contact {
            Ok(Contact::Star) => "contact *".into(),
            Ok(Contact::Address(address)) => binding(&address),
            Err(error) => format!("contact: {error}"),
        })
        .collect();
    for (what, seconds) in [
        ("expires", headers.expires()),
        ("min-expires", headers.min_expires()),
        ("flow-timer", headers.flow_timer()),
    ] {
        match seconds {
            Some(Ok(seconds)) => facts.push(format!("{what} {seconds}")),
            Some(Err(error)) => facts.push(format!("{what}: {error}")),
            None => {}
        }
    }
    for (what, name) in [("path", Name::Path), ("service-route", Name::ServiceRoute)] {
        for route in headers.routes(name) {
            facts.push(format!(
                "{what} {}",
                route.map_or_else(|error| error.to_string(), |route| printable(route.raw_uri))
            ));
        }
    }
    facts
}

fn pairs(params: &AuthParams<'_>) -> String {
    params
        .iter()
        .map(|(name, value)| format!(" {}={}", printable(name).to_lowercase(), printable(value)))
        .collect()
}

fn challenges(headers: &Headers<'_>) -> Vec<String> {
    let mut facts: Vec<_> = headers
        .challenges()
        .map(|field| match field.challenge {
            Ok(challenge) => format!("{:?} {}{}", field.source, printable(challenge.scheme), pairs(&challenge.params)),
            Err(error) => format!("{:?}: {error}", field.source),
        })
        .collect();
    facts.extend(headers.authentication_info().map(|info| match info {
        Ok(info) => format!("info{}", pairs(&info.params)),
        Err(error) => format!("info: {error}"),
    }));
    facts
}

fn hints(reply: &Response<'_>) -> Vec<String> {
    let headers = &reply.headers;
    let mut facts = Vec::new();
    facts.extend(headers.retry_after().map(|retry| match retry {
        Ok(retry) => format!(
            "retry-after {} comment {} duration {}",
            retry.seconds,
            text(retry.comment),
            retry.duration.unwrap_or(0)
        ),
        Err(error) => format!("retry-after: {error}"),
    }));
    facts.extend(headers.warnings().map(|warning| match warning {
        Ok(warning) => format!("warning {} {} {}", warning.code, printable(warning.agent), printable(&warning.text)),
        Err(error) => format!("warning: {error}"),
    }));
    facts.extend(headers.reasons().map(|reason| match reason {
        Ok(reason) => format!(
            "reason {} {} {}",
            printable(reason.protocol),
            reason.cause.unwrap_or(0),
            text(reason.text.as_deref())
        ),
        Err(error) => format!("reason: {error}"),
    }));
    facts.extend(headers.product().map(|product| format!("product {}", printable(product))));
    for name in [Name::Supported, Name::Require, Name::Unsupported, Name::Allow] {
        facts.extend(headers.list(name).map(|tag| format!("{name:?} {}", printable(tag))));
    }
    if !reply.body.is_empty() {
        facts.push(format!("body {}", printable(reply.body)));
    }
    facts
}

/// The envelope of every reply whose envelope is not its point.
const ENVELOPE: &str = "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;rport=40112;received=198.51.100.7\r\n\
    From: <sip:alice@example.test>;tag=f\r\nTo: <sip:alice@example.test>;tag=t\r\nCall-ID: c1\r\nCSeq: 2 REGISTER\r\n";

const ENVELOPE_FACTS: [&str; 5] = [
    "via UDP 192.0.2.9:5060 branch z9hG4bK1 received 198.51.100.7 rport 40112",
    "from sip:alice@example.test tag f",
    "to sip:alice@example.test tag t",
    "call-id c1",
    "cseq 2 REGISTER",
];

/// A kind of reply, its first line and the headers behind the envelope, and what it says beyond the envelope.
type Kind<'a> = (&'a str, &'a [u8], &'a [u8], &'a [&'a str]);

fn check(kinds: &[Kind<'_>]) {
    for (what, start, headers, expected) in kinds {
        let bytes = [start, &b"\r\n"[..], ENVELOPE.as_bytes(), headers, b"\r\n"].concat();
        let (status, rest) = expected.split_first().expect("a reply has a status");
        let expected: Vec<_> = std::iter::once(status).chain(&ENVELOPE_FACTS).chain(rest).copied().collect();
        assert_eq!(facts(&bytes), expected, "{what}");
    }
}

const OK: &[u8] = b"SIP/2.0 200 OK";

#[test]
#[rustfmt::skip] // One kind a line.
fn bindings_are_read_in_every_form() {
    check(&[
        ("nothing but the envelope", OK, b"", &["200 OK"]),
        ("one contact with expires", OK, b"Contact: <sip:alice@192.0.2.9:5060>;expires=3600\r\n", &["200 OK", "contact sip:alice@192.0.2.9:5060 expires 3600"]),
        ("expires only in the header", OK, b"Contact: <sip:a@h>\r\nExpires: 300\r\n", &["200 OK", "contact sip:a@h", "expires 300"]),
        ("both, and they differ", OK, b"Expires: 600\r\nContact: <sip:a@h>;expires=60\r\n", &["200 OK", "contact sip:a@h expires 60", "expires 600"]),
        ("a comma list", OK, b"Contact: <sip:a@h>;expires=60, <sip:b@h>;expires=30,<sip:c@h>\r\n", &["200 OK", "contact sip:a@h expires 60", "contact sip:b@h expires 30", "contact sip:c@h"]),
        ("a header each, long and compact", OK, b"Contact: <sip:a@h>\r\nm: <sip:b@h>\r\nM:<sip:c@h>\r\nCONTACT :<sip:d@h>\r\n", &["200 OK", "contact sip:a@h", "contact sip:b@h", "contact sip:c@h", "contact sip:d@h"]),
        ("a list folded after each comma", OK, b"Contact: <sip:a@h>;expires=60,\r\n\t<sip:b@h>;expires=30\r\n", &["200 OK", "contact sip:a@h expires 60", "contact sip:b@h expires 30"]),
        ("a fold inside the parameters", OK, b"Contact: <sip:a@h>\r\n ;expires=60\r\n ;q=0.7\r\n", &["200 OK", "contact sip:a@h expires 60 q 0.7"]),
        ("no brackets", OK, b"Contact: sip:a@h:5062;expires=60\r\n", &["200 OK", "contact sip:a@h:5062 expires 60"]),
        ("a quoted name with comma, bracket and escapes", OK, b"Contact: \"A, <b> \\\"c\\\"\" <sip:a@h>;expires=5\r\n", &["200 OK", "contact sip:a@h name A, <b> \"c\" expires 5"]),
        ("a latin-1 display name", OK, b"Contact: \"J\xfcrgen\" <sip:a@h>;expires=5\r\n", &["200 OK", "contact sip:a@h name J\\xfcrgen expires 5"]),
        ("quoted expires", OK, b"Contact: <sip:a@h>;expires=\"60\"\r\n", &["200 OK", "contact sip:a@h expires 60"]),
        ("spaces around everything", OK, b"Contact : <sip:a@h> ; expires = 60 ; q = 0.5\r\n", &["200 OK", "contact sip:a@h expires 60 q 0.5"]),
        ("upper case parameter names", OK, b"Contact: <sip:a@h>;EXPIRES=60;Q=1.0\r\n", &["200 OK", "contact sip:a@h expires 60 q 1.0"]),
        ("an instance and a reg-id", OK, b"Contact: <sip:a@h;ob>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";expires=60\r\n", &["200 OK", "contact sip:a@h;ob expires 60 instance urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF reg-id 1"]),
        ("an instance without brackets around the URI", OK, b"Contact: sip:a@h;+sip.instance=\"<urn:uuid:1>\";expires=60\r\n", &["200 OK", "contact sip:a@h expires 60 instance urn:uuid:1"]),
        ("gruus", OK, b"Contact: <sip:a@h>;pub-gruu=\"sip:a@example.test;gr=urn:uuid:1\";temp-gruu=\"sip:x,y@example.test;gr\";expires=9\r\n", &["200 OK", "contact sip:a@h expires 9 pub-gruu sip:a@example.test;gr=urn:uuid:1 temp-gruu sip:x,y@example.test;gr"]),
        ("an unquoted instance", OK, b"Contact: <sip:a@h>;+sip.instance=<urn:uuid:1>;expires=9\r\n", &["200 OK", "contact sip:a@h expires 9 instance urn:uuid:1"]),
        ("parameters that nobody knows", OK, b"Contact: <sip:a@h>;received=\"sip:198.51.100.7:40112\";methods=\"INVITE,ACK\";x;audio;expires=60\r\n", &["200 OK", "contact sip:a@h expires 60"]),
        ("IPv6", OK, b"Contact: <sip:a@[2001:db8::9]:5060;transport=udp>;expires=60\r\n", &["200 OK", "contact sip:a@[2001:db8::9]:5060;transport=udp expires 60"]),
        ("IPv6 without brackets", OK, b"Contact: <sip:a@2001:db8::9>;expires=60\r\n", &["200 OK", "contact sip:a@2001:db8::9 expires 60"]),
        ("sips, tel and another scheme", OK, b"Contact: <sips:a@h>, <tel:+491234>, <mailto:a@h>\r\n", &["200 OK", "contact sips:a@h", "contact tel:+491234", "contact mailto:a@h"]),
        ("a comma and a semicolon in the URI", OK, b"Contact: <sip:a,b;c@h;x=1>;expires=7\r\n", &["200 OK", "contact sip:a,b;c@h;x=1 expires 7"]),
        ("no user part", OK, b"Contact: <sip:192.0.2.9:5060;transport=tls>;expires=7\r\n", &["200 OK", "contact sip:192.0.2.9:5060;transport=tls expires 7"]),
        ("a bad one among good ones", OK, b"Contact: <sip:a@h;expires=60, <sip:b@h>;expires=30\r\nContact: \"open <sip:c@h>\r\nContact: <sip:d@h>\r\n", &["200 OK", "contact: address has < without >", "contact sip:b@h expires 30", "contact: display name never ends", "contact sip:d@h"]),
        ("URIs that are none", OK, b"Contact: <sip:>, <nonsense>, <sip:a@h:99999>\r\n", &["200 OK", "contact sip: (host or port is missing or malformed)", "contact nonsense (no scheme such as sip: in front)", "contact sip:a@h:99999 (host or port is missing or malformed)"]),
        ("a star", OK, b"Contact: *\r\nExpires: 0\r\n", &["200 OK", "contact *", "expires 0"]),
        ("an empty contact header", OK, b"Contact:\r\nExpires: 60\r\n", &["200 OK", "expires 60"]),
        ("zero expires after a removal", OK, b"Contact: <sip:a@h>;expires=0\r\n", &["200 OK", "contact sip:a@h expires 0"]),
        ("expires beyond 32 bits", OK, b"Contact: <sip:a@h>;expires=4294967296\r\nExpires: 99999999999\r\n", &["200 OK", "contact sip:a@h expires 4294967295", "expires 4294967295"]),
        ("negative and wordy expires", OK, b"Contact: <sip:a@h>;expires=-1, <sip:b@h>;expires=soon\r\nExpires: Thu, 01 Dec 1994 16:00:00 GMT\r\n", &["200 OK", "contact sip:a@h expires 0", "contact sip:b@h", "expires: no usable number"]),
        ("expires with a parameter behind", OK, b"Expires: 60 ;x=y\r\n", &["200 OK", "expires 60"]),
    ]);
}

#[test]
#[rustfmt::skip] // One kind a line.
fn what_comes_with_a_success_is_read() {
    let long = format!("X-Debug: {}\r\nExpires: 60\r\n", "a".repeat(8192));
    check(&[
        ("a path and a service route", OK, b"Path: <sip:edge.example.test;lr;ob>\r\nService-Route: <sip:home.example.test;lr>,\r\n <sip:app.example.test;lr>\r\n", &["200 OK", "path sip:edge.example.test;lr;ob", "service-route sip:home.example.test;lr", "service-route sip:app.example.test;lr"]),
        ("a service route without brackets", OK, b"Service-Route: sip:home.example.test;lr\r\n", &["200 OK", "service-route sip:home.example.test"]),
        ("a flow timer and outbound", OK, b"Flow-Timer: 120\r\nRequire: outbound\r\nSupported: path,outbound , gruu\r\n", &["200 OK", "flow-timer 120", "Supported path", "Supported outbound", "Supported gruu", "Require outbound"]),
        ("authentication info", OK, b"Authentication-Info: qop=auth, rspauth=\"0123\", cnonce=\"c\", nc=00000002, nextnonce=\"n2\"\r\n", &["200 OK", "info qop=auth rspauth=0123 cnonce=c nc=00000002 nextnonce=n2"]),
        ("broken authentication info", OK, b"Authentication-Info: nextnonce=\"open\r\n", &["200 OK", "info: quoted string never ends"]),
        ("identities and headers of a mobile core", OK, b"P-Associated-URI: <sip:+49123@ims.example.test>, <tel:+49123>\r\nP-Charging-Vector: icid-value=\"a,b\"\r\nExpires: 60\r\n", &["200 OK", "expires 60"]),
        ("a date, which has a comma", OK, b"Date: Sat, 21 Nov 2026 11:10:09 GMT\r\nExpires: 60\r\n", &["200 OK", "expires 60"]),
        ("a server with every sign", OK, b"Server: PBX/1.2 (x86_64; \"a,b\") \xa9 <!>\r\n", &["200 OK", "product PBX/1.2 (x86_64; \"a,b\") \\xa9 <!>"]),
        ("a user agent instead", OK, b"User-Agent: FPBX-16.0.40(18.9)\r\n", &["200 OK", "product FPBX-16.0.40(18.9)"]),
        ("terminal escapes in the server", OK, b"Server: \x1b[2Jevil\x9b\r\n", &["200 OK", "product \\x1b[2Jevil\\x9b"]),
        ("a list of methods", OK, b"Allow: INVITE, ACK,BYE\r\nAllow: REGISTER\r\n", &["200 OK", "Allow INVITE", "Allow ACK", "Allow BYE", "Allow REGISTER"]),
        ("a body with its length", OK, b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi", &["200 OK", "body hi"]),
        ("a garbage line and an empty name", OK, b"this is no header\r\n: nor is this\r\nExpires: 60\r\n", &["200 OK", "expires 60"]),
        ("a header of 8 KiB", OK, long.as_bytes(), &["200 OK", "expires 60"]),
    ]);
}

#[test]
#[rustfmt::skip] // One kind a line.
fn challenges_are_read_in_every_form() {
    let kinds: &[(&str, &[u8], &[&str])] = &[
        ("the plain one", b"WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1\"\r\n", &["Www Digest realm=example.test nonce=n1"]),
        ("algorithm unquoted, qop quoted", b"WWW-Authenticate: Digest algorithm=MD5,realm=\"r\",nonce=\"n\",opaque=\"o\",qop=\"auth\",stale=FALSE\r\n", &["Www Digest algorithm=MD5 realm=r nonce=n opaque=o qop=auth stale=FALSE"]),
        ("algorithm quoted, qop not", b"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=\"MD5\", qop=auth\r\n", &["Www Digest realm=r nonce=n algorithm=MD5 qop=auth"]),
        ("a quoted list of qops", b"WWW-Authenticate: Digest realm=\"r\", qop=\"auth,auth-int\", nonce=\"n\"\r\n", &["Www Digest realm=r qop=auth,auth-int nonce=n"]),
        ("a list of qops without quotes", b"WWW-Authenticate: Digest realm=\"r\", qop=auth,auth-int, nonce=\"n\"\r\n", &["Www Digest realm=r qop=auth nonce=n"]),
        ("any case", b"www-authenticate: DIGEST REALM=\"r\", Nonce=\"n\", STALE=True\r\n", &["Www DIGEST realm=r nonce=n stale=True"]),
        ("spaces around the equals sign", b"WWW-Authenticate:Digest  realm = \"r\" , nonce= \"n\"\r\n", &["Www Digest realm=r nonce=n"]),
        ("folded", b"WWW-Authenticate: Digest realm=\"r\",\r\n nonce=\"n\",\r\n\tqop=\"auth\"\r\n", &["Www Digest realm=r nonce=n qop=auth"]),
        ("a realm with comma, equals sign and escapes", b"WWW-Authenticate: Digest realm=\"a, b=\\\"c\\\" \\\\\", nonce=\"n\"\r\n", &[r#"Www Digest realm=a, b=\"c\" \\ nonce=n"#]),
        ("a realm that is not UTF-8", b"WWW-Authenticate: Digest realm=\"B\xfcro\", nonce=\"n\"\r\n", &["Www Digest realm=B\\xfcro nonce=n"]),
        ("a realm that moves a terminal", b"WWW-Authenticate: Digest realm=\"\x1b]52;c;x\x07\", nonce=\"n\"\r\n", &["Www Digest realm=\\x1b]52;c;x\\x07 nonce=n"]),
        ("an empty realm and an empty opaque", b"WWW-Authenticate: Digest realm=\"\", nonce=\"n\", opaque=\"\"\r\n", &["Www Digest realm= nonce=n opaque="]),
        ("a nonce of a mobile core", b"WWW-Authenticate: Digest realm=\"ims.example.test\",nonce=\"8SvMT+/a=,==\",algorithm=AKAv1-MD5,qop=\"auth\"\r\n", &["Www Digest realm=ims.example.test nonce=8SvMT+/a=,== algorithm=AKAv1-MD5 qop=auth"]),
        ("three algorithms in three headers", b"WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"3\", algorithm=MD5\r\n", &["Www Digest realm=r nonce=1 algorithm=SHA-512-256", "Www Digest realm=r nonce=2 algorithm=SHA-256", "Www Digest realm=r nonce=3 algorithm=MD5"]),
        ("two in one header, as HTTP does", b"WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"2\"\r\n", &["Www Digest realm=r nonce=1 algorithm=SHA-256", "Www Digest realm=r nonce=2"]),
        ("another scheme beside", b"WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", &["Www Basic", "Www NTLM", "Www Digest realm=r nonce=n"]),
        ("a bad one before a good one", b"WWW-Authenticate: Digest realm=\"r, nonce=\"n\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", &["Www: malformed parameter", "Www Digest realm=r nonce=n"]),
        ("proxy and server in one exchange", b"Proxy-Authenticate: Digest realm=\"p\", nonce=\"1\"\r\nWWW-Authenticate: Digest realm=\"w\", nonce=\"2\"\r\n", &["Www Digest realm=w nonce=2", "Proxy Digest realm=p nonce=1"]),
        ("domain, charset, userhash and strangers", b"WWW-Authenticate: Digest realm=\"r\", domain=\"sip:a sip:b\", nonce=\"n\", charset=UTF-8, userhash=true, ext1=\"x\"\r\n", &["Www Digest realm=r domain=sip:a sip:b nonce=n charset=UTF-8 userhash=true ext1=x"]),
        ("stray commas", b"WWW-Authenticate: Digest ,realm=\"r\",, nonce=\"n\",\r\n", &["Www Digest realm=r nonce=n"]),
        ("a parameter twice", b"WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", nonce=\"2\"\r\n", &["Www: parameter given twice"]),
        ("an empty header", b"WWW-Authenticate:\r\n", &[]),
        ("none at all", b"", &[]),
    ];
    for (what, headers, expected) in kinds {
        let expected: Vec<_> = std::iter::once("401 Unauthorized").chain(expected.iter().copied()).collect();
        check(&[(what, b"SIP/2.0 401 Unauthorized", headers, &expected)]);
    }
}

#[test]
#[rustfmt::skip] // One kind a line.
fn refusals_and_their_hints_are_read() {
    check(&[
        ("trying", b"SIP/2.0 100 trying -- your call is important to us", b"", &["100 trying -- your call is important to us"]),
        ("forbidden with a warning", b"SIP/2.0 403 Forbidden", b"Warning: 399 pbx.example.test \"limit, \\\"reached\\\"\", 301 h:5060 \"x\"\r\n", &["403 Forbidden", "warning 399 pbx.example.test limit, \"reached\"", "warning 301 h:5060 x"]),
        ("a warning without agent", b"SIP/2.0 403 Forbidden", b"Warning: 399 \"no agent\"\r\n", &["403 Forbidden", "warning 399  no agent"]),
        ("too brief", b"SIP/2.0 423 Interval Too Brief", b"Min-Expires: 3600\r\n", &["423 Interval Too Brief", "min-expires 3600"]),
        ("too brief without saying how much", b"SIP/2.0 423 Interval Too Small", b"", &["423 Interval Too Small"]),
        ("moved", b"SIP/2.0 302 Moved Temporarily", b"Contact: <sip:other.example.test:5070;transport=tcp>;q=0.9, sip:third.example.test\r\n", &["302 Moved Temporarily", "contact sip:other.example.test:5070;transport=tcp q 0.9", "contact sip:third.example.test"]),
        ("overloaded with a comment", b"SIP/2.0 503 Service Unavailable", b"Retry-After: 120 (maintenance (short)) ;duration=600\r\n", &["503 Service Unavailable", "retry-after 120 comment maintenance (short) duration 600"]),
        ("overloaded with a date", b"SIP/2.0 503 Service Unavailable", b"Retry-After: Sat, 21 Nov 2026 12:00:00 GMT\r\n", &["503 Service Unavailable", "retry-after: no usable number"]),
        ("a reason header", b"SIP/2.0 480 Temporarily Unavailable", b"Reason: Q.850 ;cause=31 ;text=\"local, RLC\", SIP;cause=480\r\n", &["480 Temporarily Unavailable", "reason Q.850 31 local, RLC", "reason SIP 480 -"]),
        ("a bad extension", b"SIP/2.0 420 Bad Extension", b"Unsupported: outbound,path\r\n", &["420 Bad Extension", "Unsupported outbound", "Unsupported path"]),
        ("first hop lacks outbound", b"SIP/2.0 439 First Hop Lacks Outbound Support", b"", &["439 First Hop Lacks Outbound Support"]),
        ("a foreign language in latin-1", b"SIP/2.0 403 Zugriff f\xfcr Sie verweigert", b"", &["403 Zugriff f\\xfcr Sie verweigert"]),
        ("a foreign language in UTF-8", "SIP/2.0 403 Доступ запрещён".as_bytes(), b"", &["403 Доступ запрещён"]),
        ("an empty reason with its space", b"SIP/2.0 404 ", b"", &["404 "]),
        ("an empty reason without its space", b"SIP/2.0 404", b"", &["404 "]),
        ("a code of no standard", b"SIP/2.0 699 Whatever", b"", &["699 Whatever"]),
        ("spaces and a lower case version", b"sip/2.0  401  Unauthorized ", b"", &["401 Unauthorized"]),
    ]);
}

/// Whole replies whose envelope is the point.
#[test]
fn envelopes_are_read_in_every_form() {
    const SHORT: [&str; 5] = [
        "via UDP h:0 branch z9hG4bK1 received - rport 0",
        "from sip:a@h tag f",
        "to sip:a@h tag t",
        "call-id c@h",
        "cseq 1 REGISTER",
    ];
    let short = |what, bytes: &'static [u8]| {
        let expected: Vec<_> = std::iter::once("200 OK").chain(SHORT).collect();
        assert_eq!(facts(bytes), expected, "{what}");
    };
    short("compact names", b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=f\r\nt: <sip:a@h>;tag=t\r\ni: c@h\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n");
    short("any case", b"SIP/2.0 200 OK\r\nVIA: SIP/2.0/UDP h;Branch=z9hG4bK1\r\nFROM: <sip:a@h>;TAG=f\r\nto: <sip:a@h>;Tag=t\r\nCALL-ID: c@h\r\nCSEQ: 1 REGISTER\r\n\r\n");
    short("LF only", b"SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=f\nTo: <sip:a@h>;tag=t\nCall-ID: c@h\nCSeq: 1 REGISTER\n\n");
    short("keep-alives in front", b"\r\n\r\n\r\nSIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=f\r\nTo: <sip:a@h>;tag=t\r\nCall-ID: c@h\r\nCSeq: 1 REGISTER\r\n\r\n");
    short("folds everywhere", b"SIP/2.0 200 OK\r\nVia:\r\n SIP / 2.0\r\n /UDP\r\n h\r\n ;branch\r\n =\r\n z9hG4bK1\r\nFrom:\r\n <sip:a@h>\r\n ;tag=f\r\nTo: <sip:a@h>\r\n\t;\r\n\ttag=t\r\nCall-ID:\r\n  c@h\r\nCSeq: 1\r\n REGISTER\r\n\r\n");
    short("spaces before colons", b"SIP/2.0 200 OK\r\nVia  : SIP/2.0/UDP h ; branch = z9hG4bK1\r\nFrom\t:<sip:a@h> ; tag = f\r\nTo :<sip:a@h>;tag=t\r\nCall-ID : c@h\r\nCSeq :   1    REGISTER\r\n\r\n");
    short("no brackets", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: sip:a@h;tag=f\r\nTo: sip:a@h;tag=t\r\nCall-ID: c@h\r\nCSeq: 1 REGISTER\r\n\r\n");
    short("names that hold brackets and a missing final quote elsewhere", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: \"<sip:x@y>;tag=no\" <sip:a@h>;tag=f\r\nTo: Bob \"B, <sip:a@h>;tag=t\r\nCall-ID: c@h\r\nCSeq: 1 REGISTER\r\nX: \"\r\n\r\n");
    short("junk behind the body", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=f\r\nTo: <sip:a@h>;tag=t\r\nCall-ID: c@h\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n\0\0junk");
}

#[test]
fn vias_are_read_in_every_form() {
    let vias = |text: &str| {
        let bytes = format!("SIP/2.0 200 OK\r\n{text}\r\n\r\n");
        facts(bytes.as_bytes())
            .into_iter()
            .filter(|fact| fact.to_lowercase().starts_with("via"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        vias("Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/TCP b:5062;branch=z9hG4bK2\r\nv: SIP/2.0/TLS c"),
        [
            "via UDP a:0 branch z9hG4bK1 received - rport 0",
            "via TCP b:5062 branch z9hG4bK2 received - rport 0",
            "via TLS c:0 branch - received - rport 0"
        ]
    );
    assert_eq!(
        vias("Via: SIP/2.0/UDP [2001:db8::9]:5060;rport=5;received=2001:db8::7;branch=z9hG4bK1"),
        ["via UDP [2001:db8::9]:5060 branch z9hG4bK1 received [2001:db8::7] rport 5"]
    );
    assert_eq!(
        vias("Via: SIP/2.0/UDP h;rport;received=;branch=z9hG4bK1"),
        ["via UDP h:0 branch z9hG4bK1 received - rport 0"]
    );
    assert_eq!(
        vias("Via: SIP/2.0/WSS x7.invalid;branch=z9hG4bK1;alias;keep=30"),
        ["via WSS x7.invalid:0 branch z9hG4bK1 received - rport 0"]
    );
    assert_eq!(
        vias("Via: HTTP/1.1 proxy\r\nVia: SIP/2.0/UDP h"),
        ["Via has no SIP/2.0/transport", "via UDP h:0 branch - received - rport 0"]
    );
    assert_eq!(
        vias("Via: SIP/2.0/UDP under_score.example.test:5060"),
        ["via UDP under_score.example.test:5060 branch - received - rport 0"]
    );
}

#[test]
fn what_is_no_reply_is_refused_and_not_guessed_at() {
    for (bytes, error) in [
        (&b"SIP/2.0 200 OK\r\nCall-ID: c\r\n"[..], ParseError::HeadUnfinished),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ParseError::StartLine),
        (b"SIP/2.0 20 OK\r\n\r\n", ParseError::StartLine),
        (b"\0\0\0\0", ParseError::HeadUnfinished),
        (b"\r\n\r\n", ParseError::Empty),
    ] {
        assert_eq!(Message::parse(bytes).unwrap_err(), error, "{}", printable(bytes));
    }
}

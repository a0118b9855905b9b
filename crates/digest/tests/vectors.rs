//! Published examples (RFC 2617 §3.5, RFC 7616 §3.9 with erratum 4897) and a table of all algorithms and protections. RFC 8760 has no
//! examples. The expected values were computed with Python's hashlib and OpenSSL, not with this crate.
#![cfg(test)]

use sip_digest::{Answer, AnswerError, Challenge, InfoError, Offers, Request, Secret};
use sip_message::{AuthenticationInfo, ChallengeSource, Credentials, Message, Value, Writer};

/// The challenge of one WWW-Authenticate value.
fn challenge(value: &str) -> Challenge {
    let bytes = format!("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: {value}\r\n\r\n");
    let message = Message::parse(bytes.as_bytes()).unwrap();
    Offers::read(message.headers()).strongest(ChallengeSource::Www).unwrap().clone()
}

/// The header value that `fill` writes.
fn written(fill: impl FnOnce(&mut Value<'_>) -> Result<(), AnswerError>) -> Result<String, AnswerError> {
    let (mut out, mut result) = (Vec::new(), Ok(()));
    Writer::request(&mut out, b"M", b"u").header("A", |value| result = fill(value));
    let text = String::from_utf8(out).unwrap();
    result.map(|()| text.split_once("\r\nA: ").unwrap().1.trim_end().to_owned())
}

fn answer(nonce_count: u32, cnonce: &str) -> Answer<'_> {
    Answer { nonce_count, cnonce }
}

fn param(credentials: &str, name: &str) -> Option<String> {
    let credentials = Credentials::parse(credentials.as_bytes()).unwrap();
    credentials
        .param(name.as_bytes())
        .map(|value| String::from_utf8(value.to_vec()).unwrap())
}

fn get(uri: &'static [u8]) -> Request<'static> {
    Request {
        method: b"GET",
        uri,
        body: b"",
    }
}

#[test]
fn rfc_2617_section_3_5() {
    let challenge = challenge(
        "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
    );
    let secrets = [
        Secret::Password("Circle Of Life".into()),
        Secret::ha1(challenge.algorithm(), "939e7578ed9e3c518a452acee763bce9").unwrap(),
    ];
    for secret in secrets {
        let value = written(|value| challenge.write_answer(value, &answer(1, "0a4f113b"), &get(b"/dir/index.html"), "Mufasa", &secret));
        assert_eq!(
            value.unwrap(),
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
             response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001"
        );
    }
}

#[test]
fn rfc_2069_without_protection() {
    let challenge = challenge("Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"");
    let secret = Secret::Password("CircleOfLife".into());
    let value = written(|value| challenge.write_answer(value, &answer(1, "c"), &get(b"/dir/index.html"), "Mufasa", &secret)).unwrap();
    // The response that RFC 2069 §2.4 prints is a known mistake; this is the right one.
    assert_eq!(
        value,
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
         response=\"1949323746fe6a43ef61f9606e7febea\""
    );
}

#[test]
fn rfc_7616_section_3_9_1() {
    let reply = Message::parse(
        b"SIP/2.0 401 Unauthorized\r\n\
        WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256,\r\n \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",\r\n opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n\
        WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5,\r\n \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",\r\n opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n\r\n",
    )
    .unwrap();
    let offers = Offers::read(reply.headers());
    assert_eq!(offers.offered(), ["SHA-256", "MD5"]);
    let secret = Secret::Password("Circle of Life".into());
    let answer = answer(1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    let responses: Vec<_> = offers
        .challenges()
        .iter()
        .map(|challenge| {
            let value = written(|value| challenge.write_answer(value, &answer, &get(b"/dir/index.html"), "Mufasa", &secret)).unwrap();
            assert_eq!(param(&value, "opaque").unwrap(), "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS");
            (param(&value, "algorithm").unwrap(), param(&value, "response").unwrap())
        })
        .collect();
    let expected = [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ];
    assert_eq!(
        responses,
        expected.map(|(algorithm, response)| (algorithm.to_owned(), response.to_owned()))
    );
}

#[test]
fn rfc_7616_section_3_9_2_as_corrected_by_erratum_4897() {
    let challenge = challenge(
        "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
    );
    let secret = Secret::Password("Secret, or not?".into());
    let answer = answer(1, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
    let value = written(|value| challenge.write_answer(value, &answer, &get(b"/doe.json"), "J\u{e4}s\u{f8}n Doe", &secret));
    assert_eq!(
        value.unwrap(),
        "Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", realm=\"api@example.org\", \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", uri=\"/doe.json\", \
         response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", algorithm=SHA-512-256, \
         cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", \
         qop=auth, nc=00000001, userhash=true"
    );
}

/// Algorithm, protection, `response` and `rspauth` of the REGISTER below.
const TABLE: [(&str, &str, &str, &str); 18] = [
    ("MD5", "", "4441045a8075db3ead543693997e2a0e", "4a97f1a983321dd8ddad0dde334ff9c8"),
    (
        "MD5",
        "auth",
        "f778db2b476b7a5f4f5b5221cb9343eb",
        "b8fb62203bda27f9d956a678e862ab98",
    ),
    (
        "MD5",
        "auth-int",
        "5bc75b350f7d9acfed8ed5e30af45e9b",
        "8df1a7a3057fc4966ca79422be854f08",
    ),
    (
        "MD5-sess",
        "",
        "cc00982f0892d429eb8e3c9a700774b8",
        "25170ccf267ee38fe2bd018080d81bd1",
    ),
    (
        "MD5-sess",
        "auth",
        "be979f294bc3735415c949ed5c1c5228",
        "f4935fcfb84d65a302c1b30f6cdb0c0e",
    ),
    (
        "MD5-sess",
        "auth-int",
        "89ee25453306958d29e6c0efc48569b9",
        "05a00036e403871a2bca302ea9cddd6e",
    ),
    (
        "SHA-256",
        "",
        "10503915e86126c221a99ecec4bd61ed6a5f0c1bac8125b5df9db47ab06503c1",
        "2c1ea5f13de6ae7a668fd9e1a93e8ddf566202a2983f0c5bbd00f5a816c0d5e8",
    ),
    (
        "SHA-256",
        "auth",
        "1ae922cbdfeab05eed668743019d17d06e778416d0417e4b6023024a8b07427c",
        "b7af916b364208aa992893e7f09f2b30b2aaf56aed514f119e13d4bad0be3e86",
    ),
    (
        "SHA-256",
        "auth-int",
        "1af19ff36f6fc04a71a73676f362631038aa702148f57d95571d7e223b6ec7ff",
        "70e1c31f6f3b4be7748504e9c315368b42134eeaa99bc2a31e3b08df94687828",
    ),
    (
        "SHA-256-sess",
        "",
        "2806fd3509a715c98e8f1f32eff62f87c59bd3bc4f77df6d615f9927b051650e",
        "f258b435bc1cbedb2ad91d654398de6b50fe4470f00c440877e12f72a05ff886",
    ),
    (
        "SHA-256-sess",
        "auth",
        "0d3cce77b8565156289d59a09f31cb99da51b2dfa34716d3b2a78a4fde95d6ec",
        "628880b50c5bd828329b6bf5ff3720759a305738d288102eed4bb7e37487b9d9",
    ),
    (
        "SHA-256-sess",
        "auth-int",
        "7b13cbaddc9dfc0143a4428d4a5da47739ae18d35b14ba6d0cd4d21d69151271",
        "bfbc72d7106ad78c61287743cfe39695db2131ed8ef4d533d6868d88a8c45728",
    ),
    (
        "SHA-512-256",
        "",
        "79d19bef9b0e5eeaf10d730417c43bd1436a2d2c7fdd188e6a982a91e22bfa1b",
        "1100cda3a6b65f71a71492c73cdc802b1cc34164e5004f030b9196630d6dcb07",
    ),
    (
        "SHA-512-256",
        "auth",
        "31fa317a02baa8a44518b6e2b7c97032635769d92221b1604587292fc16eb9a6",
        "0c815dd6c95154b5278c3e66fd49f076add43b91c43665b58bf55894284874ff",
    ),
    (
        "SHA-512-256",
        "auth-int",
        "74a624a3e9d57ffec0899c6bf552b095783239122766c0e3ece000e3339523d5",
        "75adbe229a43eb97dc7f877890645296e3e8decb03c6691462f5abb7d19af181",
    ),
    (
        "SHA-512-256-sess",
        "",
        "28d77fe9caba7fd425a1cf625651c66f49c35d1ad5e838bcde2d8f957cd1d9d3",
        "27315fa363d1919e7a484b3898c253c6aaf85307ed22ad1c2058d6861123f236",
    ),
    (
        "SHA-512-256-sess",
        "auth",
        "3d054464699f7042078f357a31eabdc4962080425de888dcc7c45bc5a050eb2a",
        "3a813fb5d067208b8bb84ce0aee262a0b5aa2ebcf9febb3b03bdd962f2c4dc95",
    ),
    (
        "SHA-512-256-sess",
        "auth-int",
        "9f1327bbc4677d5b9ce70279fb2937d511175946e8019ecfe3a501282743746c",
        "0d48be116a3a703548e9d74f72d6b4d0bcd821ea41116d015da48c2e2cd806cd",
    ),
];

#[test]
fn every_algorithm_with_every_protection() {
    let request = Request {
        method: b"REGISTER",
        uri: b"sip:biloxi.com",
        body: b"v=0\r\n",
    };
    let secret = Secret::Password("zanzibar".into());
    let answer = answer(26, "0a4f113b");
    for (algorithm, qop, response, rspauth) in TABLE {
        let offered = if qop.is_empty() {
            String::new()
        } else {
            format!(", qop=\"{qop}\"")
        };
        let challenge = challenge(&format!(
            "Digest realm=\"biloxi.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", algorithm={algorithm}{offered}"
        ));
        let value = written(|value| challenge.write_answer(value, &answer, &request, "bob", &secret)).unwrap();
        assert_eq!(param(&value, "response").unwrap(), response, "{algorithm} {qop}");
        assert_eq!(param(&value, "nc").as_deref(), (!qop.is_empty()).then_some("0000001a"));

        let verify = |rspauth: &str| {
            let info = format!("rspauth=\"{rspauth}\"");
            let info = AuthenticationInfo::parse(info.as_bytes()).unwrap();
            challenge.verify_info(&info, &answer, request.uri, b"reply", "bob", &secret)
        };
        assert_eq!(verify(rspauth), Ok(None), "{algorithm} {qop}");
        assert_eq!(verify(response), Err(InfoError::Response), "{algorithm} {qop}");
    }
}

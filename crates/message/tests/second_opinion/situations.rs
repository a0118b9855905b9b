//! Every situation of RFC 4475 and RFC 5118 as one whole message, written anew from the RFCs' descriptions. What we make of each is held
//! in `torture.rs` and `torture_ipv6.rs`; here they are what three parsers are asked about.

/// A section that describes a message, and the message.
pub(crate) type Situation = (String, Vec<u8>);

/// All of them, in the order of the RFCs.
pub(crate) fn all() -> Vec<Situation> {
    let named = |rfc: &'static str| move |(section, bytes): (&str, Vec<u8>)| (format!("{rfc} §{section}"), bytes);
    let rfc_4475 = [valid(), invalid_headers(), invalid_start_lines_and_names(), applications()].concat();
    let rfc_5118 = ipv6().into_iter().map(named("RFC 5118"));
    rfc_4475.into_iter().map(named("RFC 4475")).chain(rfc_5118).collect()
}

/// The sections that describe a message, so that none can be forgotten.
pub(crate) fn sections() -> Vec<String> {
    let numbered = |chapter: &'static str, last: usize| (1..=last).map(move |number| format!("{chapter}.{number}"));
    numbered("RFC 4475 §3.1.1", 13)
        .chain(numbered("RFC 4475 §3.1.2", 19))
        .chain(numbered("RFC 4475 §3.2", 1))
        .chain(numbered("RFC 4475 §3.3", 15))
        .chain(numbered("RFC 4475 §3.4", 1))
        .chain(numbered("RFC 5118 §4", 10))
        .collect()
}

type Section = (&'static str, Vec<u8>);

/// Text whose lines end as on the wire.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// The usual headers between the start line and the headers that are the point.
fn usual(start: &str, method: &str, headers: &str) -> Vec<u8> {
    crlf(&format!(
        "{start}\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nFrom: <sip:caller@example.net>;tag=323\n\
         To: <sip:user@example.test>\nCall-ID: c1.0ha0isndaksdj@192.0.2.1\nCSeq: 8 {method}\n{headers}\n"
    ))
}

fn with_body(head: &str, body: &[u8]) -> Vec<u8> {
    [&crlf(head), body].concat()
}

const SDP: &[u8] = b"v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0\r\n";

/// RFC 4475 §3.1.1.
#[expect(clippy::too_many_lines, reason = "a list of messages")]
fn valid() -> Vec<Section> {
    let long = "long".repeat(300);
    let parts = b"--cut\r\nContent-Type: text/plain\r\n\r\nHello\r\n--cut\r\nContent-Type: application/octet-stream\r\n\r\n0\x82\x00\xff\r\n\r\n\x1b\x80\r\n--cut--\r\n";
    let two = [
        usual(
            "REGISTER sip:example.test SIP/2.0",
            "REGISTER",
            "Contact: <sip:j.user@host.example.test>\nContent-Length: 0\n",
        ),
        usual("INVITE sip:joe@example.test SIP/2.0", "INVITE", "Content-Length: 0\n"),
    ];
    vec![
        (
            "3.1.1.1",
            crlf(
                "INVITE sip:vera@desk.example.test;unknownparam SIP/2.0\nTO :\n sip:vera@desk.example.test ;   tag    = 77a\n\
            from   : \"J Doe \\\\\\\"\"       <sip:jd@example.test>\n  ;\n  tag = 98as\nMaX-fOrWaRdS: 0068\nCall-ID: tortuous.5@192.0.2.1\n\
            Content-Length   : 4\ncseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=old\ns :\nNewHeader:   value\n continued\n\
            Odd: ;;,,;;,;\nRoute:\n <sip:edge.example.test;lr;unknownwith=value;unknown-no-value>\n\
            v:  SIP  / 2.0  / TCP     hop.example.test   ;\n  branch  =   z9hG4bKone  ,\n SIP  /    2.0   / UDP  192.0.2.255   ; branch=\n z9hG4bKtwo\n\
            m:\"Quoted \\\"\\\"\" <sip:jd@example.test> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\nbody",
            ),
        ),
        (
            "3.1.1.2",
            crlf(
                "!odd-Method0123456789_*+`.%indeed'~ sip:1_un.usual~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_(doesn't-it)@example.test SIP/2.0\n\
            Via: SIP/2.0/TCP host1.example.test;branch=z9hG4bK-.!%66*_+`'~\nTo: \"BEL:\\\u{7} NUL:\\\u{0} DEL:\\\u{7f}\" <sip:1_un.usual~(to-be!sure)&isn't+it$/crazy?,/;;*@example.test>\n\
            From: token1~` token2'+_ token3*%!.- <sip:mundane@example.test> ;fromParam''~+*_!.-%=\"\u{440}\u{430}\u{431}\";tag=_token~1'+`*%!-.\n\
            Call-ID: odd.%ZK-!.*_+'@word`~)(><:\\/\"][?}{\nCSeq: 139122385 !odd-Method0123456789_*+`.%indeed'~\nMax-Forwards: 255\n\
            extensionHeader-!.%*+_`'~:\u{feff}\u{5927}\u{505c}\nContent-Length: 0\n\n",
            ),
        ),
        (
            "3.1.1.3",
            crlf(
                "INVITE sip:sips%3Auser%40example.test@example.net SIP/2.0\nTo: sip:%75se%72@example.test\nFrom: <sip:I%20have%20spaces@example.net>;tag=938\n\
            Max-Forwards: 87\ni: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\nVia: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\n\
            Contact:\n  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\nContent-Length: 0\n\n",
            ),
        ),
        (
            "3.1.1.4",
            crlf(
                "REGISTER sip:example.test SIP/2.0\nTo: sip:null-%00-null@example.test\nFrom: sip:null-%00-null@example.test;tag=839923423\n\
            Max-Forwards: 70\nCall-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\nCSeq: 14398234 REGISTER\nVia: SIP/2.0/UDP host5.example.test;branch=z9hG4bKkdjuw\n\
            Contact: <sip:%00@host5.example.test>\nContact: <sip:%00%00@host5.example.test>\nL:0\n\n",
            ),
        ),
        (
            "3.1.1.5",
            crlf(
                "RE%47IST%45R sip:registrar.example.test SIP/2.0\nTo: \"%Z%45\" <sip:resource@example.test>\nFrom: \"%Z%45\" <sip:resource@example.test>;tag=f232jadfj23\n\
            Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\nVia: SIP/2.0/TCP host.example.test;branch=z9hG4bK209%fzsnel234\nCSeq: 29344 RE%47IST%45R\n\
            Max-Forwards: 70\nContact: <sip:alias1@host1.example.test>\nC%6Fntact: <sip:alias2@host2.example.test>\nContact: <sip:alias3@host3.example.test>\nl: 0\n\n",
            ),
        ),
        (
            "3.1.1.6",
            crlf(
                "OPTIONS sip:user@example.test SIP/2.0\nTo: sip:user@example.test\nFrom: caller<sip:caller@example.test>;tag=323\nMax-Forwards: 70\n\
            Call-ID: lwsdisp.1234abcd@funky.example.test\nCSeq: 60 OPTIONS\nVia: SIP/2.0/UDP funky.example.test;branch=z9hG4bKkdjuw\nl: 0\n\n",
            ),
        ),
        (
            "3.1.1.7",
            crlf(&format!(
                "INVITE sip:user@example.test SIP/2.0\nTo: \"I have a {long} name\" <sip:user@example.test:6000;x={long}>\n\
            F: sip:amazinglylongcallername@example.net;tag=12{long}424;p{long}=v{long};pval\nCall-ID: longreq.{long}\nCSeq: 3882340 INVITE\nUnknown-{long}-Name: unknown-{long}-value\n\
            Via: SIP/2.0/TCP sip33.example.test\nv: SIP/2.0/TCP sip32.example.test, SIP/2.0/UDP sip31.example.test;branch=z9hG4bK{long}\nMax-Forwards: 70\n\
            Contact: <sip:amazinglylongcallername@host5.example.net>\nl: 0\n\n"
            )),
        ),
        ("3.1.1.8", two.concat()),
        (
            "3.1.1.9",
            usual(
                "OPTIONS sip:user;par=u%40example.net@example.test SIP/2.0",
                "OPTIONS",
                "Accept: application/sdp,\n        multipart/mixed, message/sip\nl: 0\n",
            ),
        ),
        (
            "3.1.1.10",
            usual(
                "OPTIONS sip:user@example.test SIP/2.0",
                "OPTIONS",
                "Via: SIP/2.0/SCTP t2.example.test;branch=z9hG4bKb\n\
            Via: SIP/2.0/TLS t3.example.test;branch=z9hG4bKc\nVia: SIP/2.0/UNKNOWN t4.example.test;branch=z9hG4bKd\nl: 0\n",
            ),
        ),
        (
            "3.1.1.11",
            [
                usual(
                    "MESSAGE sip:kumiko@example.test SIP/2.0",
                    "MESSAGE",
                    &format!("Content-Type: multipart/mixed;boundary=cut\nl: {}\n", parts.len()),
                ),
                parts.to_vec(),
            ]
            .concat(),
        ),
        (
            "3.1.1.12",
            usual(
                "SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}",
                "INVITE",
                "Contact: <sip:user@host198.example.test>\nContent-Length: 0\n",
            ),
        ),
        ("3.1.1.13", usual("SIP/2.0 100 ", "INVITE", "Content-Length: 0\n")),
    ]
}

/// RFC 4475 §3.1.2, as far as a header is at fault.
#[expect(clippy::too_many_lines, reason = "a list of messages")]
fn invalid_headers() -> Vec<Section> {
    let invite = |headers: &str| usual("INVITE sip:user@example.test SIP/2.0", "INVITE", headers);
    vec![
        (
            "3.1.2.1",
            crlf(
                "INVITE sip:user@example.test SIP/2.0\nTo: sip:j.user@example.test\nFrom: sip:caller@example.net;tag=134161461246\nMax-Forwards: 7\n\
            Call-ID: badinv01.0ha0isndaksdjasdf3234nas\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\nContact: \"Joe\" <sip:joe@example.test>;;;;\nContent-Length: 0\n\n",
            ),
        ),
        (
            "3.1.2.2",
            [invite("Content-Type: application/sdp\nContent-Length: 9999\n"), SDP.to_vec()].concat(),
        ),
        (
            "3.1.2.3",
            [invite("Content-Type: application/sdp\nContent-Length: -999\n"), SDP.to_vec()].concat(),
        ),
        (
            "3.1.2.4",
            crlf(
                "REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/TCP host129.example.test;branch=z9hG4bK342sdfoi3\nTo: <sip:user@example.test>\nFrom: <sip:user@example.test>;tag=239232jh3\n\
            CSeq: 36893488147419103232 REGISTER\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\nMax-Forwards: 300\nExpires: 1000000000000000000000000000000000\n\
            Contact: <sip:user@host129.example.test>\n  ;expires=280297596632815\nContent-Length: 0\n\n",
            ),
        ),
        (
            "3.1.2.5",
            crlf(
                "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/TCP host129.example.test;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129\nTo: <sip:user@example.test>\n\
            From: <sip:other@example.net>;tag=2easdjfejw\nCSeq: 9292394834772304023312 OPTIONS\nCall-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r\n\
            Retry-After: 949302838503028349304023988\nWarning: 1812 overture \"In Progress\"\nContent-Length: 0\n\n",
            ),
        ),
        (
            "3.1.2.6",
            crlf(
                "INVITE sip:user@example.test SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.test>\nFrom: sip:caller@example.net;tag=93334\nMax-Forwards: 10\n\
            Call-ID: quotbal.aksdj\nContact: <sip:caller@host59.example.net>\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234\nContent-Length: 0\n\n",
            ),
        ),
        ("3.1.2.12", invite("Date: Fri, 01 Jan 2010 16:00:00 EST\nContent-Length: 0\n")),
        (
            "3.1.2.13",
            usual(
                "REGISTER sip:example.test SIP/2.0",
                "REGISTER",
                "Contact: sip:user@example.test?Route=%3Csip:sip.example.test%3E\nl: 0\n",
            ),
        ),
        (
            "3.1.2.14",
            crlf(
                "OPTIONS sip:user@example.test SIP/2.0\nVia: SIP/2.0/UDP host4.example.test:5060;branch=z9hG4bKkdju43234\nMax-Forwards: 70\n\
            From: \"Bell, Alexander\" <sip:a.g.bell@example.test>;tag=433423\nTo: \"Watson, Thomas\" < sip:t.watson@example.test >\n\
            Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\nCSeq: 3923239 OPTIONS\nl: 0\n\n",
            ),
        ),
        (
            "3.1.2.15",
            crlf(
                "OPTIONS sip:t.watson@example.test SIP/2.0\nVia: SIP/2.0/UDP c.example.test:5060;branch=z9hG4bKkdjuw\nMax-Forwards: 70\n\
            From: Bell, Alexander <sip:a.g.bell@example.test>;tag=43\nTo: Watson, Thomas <sip:t.watson@example.test>\nCall-ID: baddn.31415@c.example.test\nCSeq: 3923239 OPTIONS\nl: 0\n\n",
            ),
        ),
        ("3.1.2.17", usual("OPTIONS sip:user@example.test SIP/2.0", "INVITE", "l: 0\n")),
        ("3.1.2.18", usual("NEWMETHOD sip:user@example.test SIP/2.0", "INVITE", "l: 0\n")),
    ]
}

/// RFC 4475 §3.1.2, as far as the start line is at fault.
fn invalid_start_lines_and_names() -> Vec<Section> {
    let invite = |start: &str| usual(start, "INVITE", "Content-Length: 0\n");
    vec![
        ("3.1.2.7", invite("INVITE <sip:user@example.test> SIP/2.0")),
        ("3.1.2.8", invite("INVITE sip:user@example.test; lr SIP/2.0")),
        ("3.1.2.9", invite("INVITE  sip:user@example.test  SIP/2.0")),
        (
            "3.1.2.10",
            usual("OPTIONS sip:remote-target@example.test SIP/2.0  ", "OPTIONS", "Content-Length: 0\n"),
        ),
        (
            "3.1.2.11",
            invite("INVITE sip:user@example.test?Route=%3Csip:sip.example.test%3E SIP/2.0"),
        ),
        ("3.1.2.16", usual("OPTIONS sip:t.watson@example.test SIP/7.0", "OPTIONS", "l: 0\n")),
        (
            "3.1.2.19",
            usual("SIP/2.0 4294967301 better not break the receiver", "INVITE", "Content-Length: 0\n"),
        ),
    ]
}

/// RFC 4475 §3.2, §3.3 and §3.4.
#[expect(clippy::too_many_lines, reason = "a list of messages")]
fn applications() -> Vec<Section> {
    let options = |headers: &str| usual("OPTIONS sip:user@example.test SIP/2.0", "OPTIONS", headers);
    let register = |headers: &str| usual("REGISTER sip:example.test SIP/2.0", "REGISTER", headers);
    vec![
        (
            "3.2.1",
            crlf(
                "OPTIONS sip:user@example.test SIP/2.0\nTo: sip:user@example.test\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\n\
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\nCall-ID: badbranch.sadonfo23i420jv0as0derf3j3n\nCSeq: 8 OPTIONS\nl: 0\n\n",
            ),
        ),
        (
            "3.3.1",
            crlf(
                "INVITE sip:user@example.test SIP/2.0\nCSeq: 193942 INVITE\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\nl: 0\n\n",
            ),
        ),
        (
            "3.3.2",
            usual("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "OPTIONS", "l: 0\n"),
        ),
        ("3.3.3", usual("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "OPTIONS", "l: 0\n")),
        (
            "3.3.4",
            crlf(
                "REGISTER sip:example.test SIP/2.0\nTo: isbn:2983792873\nFrom: <http://www.example.test>;tag=3234233\nCall-ID: unksm2.daksdj@hyphenated-host.example.test\n\
            CSeq: 234902 REGISTER\nMax-Forwards: 70\nVia: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\nContact: <name:John_Smith>\nl: 0\n\n",
            ),
        ),
        (
            "3.3.5",
            options(
                "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nRequire: nothingSupportsThis, nothingSupportsThisEither\nl: 0\n",
            ),
        ),
        (
            "3.3.6",
            with_body(
                "INVITE sip:user@example.test SIP/2.0\nContact: <sip:caller@host5.example.net>\nTo: sip:j.user@example.test\nFrom: sip:caller@example.net;tag=8392034\n\
            Max-Forwards: 70\nCall-ID: invut.0ha0isndaksdjadsfij34n23d\nCSeq: 235448 INVITE\nVia: SIP/2.0/UDP somehost.example.test;branch=z9hG4bKkdjuw\n\
            Content-Type: application/unknownformat\nContent-Length: 7\n\n",
                b"<audio>",
            ),
        ),
        (
            "3.3.7",
            register("Authorization: NoOneKnowsThisScheme opaque-data=here\nContent-Length:0\n"),
        ),
        (
            "3.3.8",
            crlf(
                "INVITE sip:user@company.example.test SIP/2.0\nContact: <sip:caller@host25.example.net>\nVia: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\nMax-Forwards: 70\n\
            CSeq: 5 INVITE\nCall-ID: multi01.98asdh@192.0.2.1\nCSeq: 59 INVITE\nCall-ID: multi01.98asdh@192.0.2.2\nFrom: sip:caller@example.net;tag=3413415\nTo: sip:user@example.test\n\
            To: sip:other@example.net\nFrom: sip:caller@example.net;tag=2923420123\nl: 0\nContact: <sip:caller@host36.example.net>\nMax-Forwards: 5\n\n",
            ),
        ),
        (
            "3.3.9",
            [
                options("Content-Length: 13\nContent-Length: 5\n"),
                b"There's no way to know".to_vec(),
            ]
            .concat(),
        ),
        (
            "3.3.10",
            crlf(
                "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\nCall-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\n\
            CSeq: 35 INVITE\nFrom: sip:user@example.test;tag=11141343\nTo: sip:user@example.net;tag=2229\nContent-Length: 0\nContact: <sip:user@host198.example.test>\n\n",
            ),
        ),
        (
            "3.3.11",
            crlf(
                "OPTIONS sip:user@example.test SIP/2.0\nTo: sip:user@example.test\nFrom: sip:caller@example.net;tag=3ghsd41\nCall-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\n\
            CSeq: 39234321 OPTIONS\nVia: SIP/2.0/UDP host1.example.test;branch=z9hG4bKkdjuw2349i\nMax-Forwards: 0\nContent-Length: 0\n\n",
            ),
        ),
        ("3.3.12", register("Contact: sip:+19725552222@gw1.example.net;unknownparam\nl: 0\n")),
        (
            "3.3.13",
            register("Contact: <sip:+19725552222@gw1.example.net;unknownparam>\nl: 0\n"),
        ),
        (
            "3.3.14",
            register("Contact: <sip:user@example.test?Route=%3Csip:sip.example.test%3E>\nL:0\n"),
        ),
        (
            "3.3.15",
            [
                usual(
                    "INVITE sip:user@example.test SIP/2.0",
                    "INVITE",
                    &format!("Accept: text/nobodyKnowsThis\nContent-Type: application/sdp\nl: {}\n", SDP.len()),
                ),
                SDP.to_vec(),
            ]
            .concat(),
        ),
        (
            "3.4.1",
            crlf(
                "INVITE sip:UserB@example.test SIP/2.0\nVia: SIP/2.0/UDP iftgw.example.test\nFrom: <sip:+13035551111@ift.example.net;user=phone>\n\
            Record-Route: <sip:UserB@example.test;maddr=ss1.example.test>\nTo: sip:+16505552222@ss1.example.net;user=phone\nCall-ID: inv2543.1717@ift.client.example.test\n\
            CSeq: 56 INVITE\nContent-Length: 0\n\n",
            ),
        ),
    ]
}

/// RFC 5118 §4.
fn ipv6() -> Vec<Section> {
    let register = |uri: &str, via: &str, contact: &str| {
        crlf(&format!(
            "REGISTER {uri} SIP/2.0\nTo: sip:user@example.test\nFrom: sip:user@example.test;tag=81x2\nVia: {via}\n\
             Call-ID: SSG9559905523997077@hlau_4100\nMax-Forwards: 70\nContact: {contact}\nCSeq: 98176 REGISTER\nContent-Length: 0\n\n"
        ))
    };
    let via = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111";
    let contact = "\"Caller\" <sip:caller@[2001:db8::1]>";
    let received = |received: &str| format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3-111");
    let session = "v=0\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\ns=-\nc=IN IP6 2001:db8::20\nt=0 0\nm=audio 6000 RTP/AVP 0\n";
    let invite = |body: &[u8]| {
        let head = format!(
            "INVITE sip:user@[2001:db8::10] SIP/2.0\nTo: sip:user@[2001:db8::10]\nFrom: sip:user@example.test;tag=81x2\nVia: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111\n\
             Call-ID: SSG9559905523997077@hlau_4100\nContact: <sip:caller@[2001:db8::20]>\nCSeq: 8612 INVITE\nContent-Type: application/sdp\nContent-Length: {}\n\n",
            body.len()
        );
        with_body(&head, body)
    };
    vec![
        ("4.1", register("sip:[2001:db8::10]", via, contact)),
        ("4.2", register("sip:2001:db8::10", via, contact)),
        ("4.3", register("sip:[2001:db8::10:5070]", via, contact)),
        ("4.4", register("sip:[2001:db8::10]:5070", via, contact)),
        ("4.5", register("sip:[2001:db8::10]", &received("[2001:db8::9:255]"), contact)),
        ("4.5", register("sip:[2001:db8::10]", &received("2001:db8::9:255"), contact)),
        ("4.6", invite(&crlf(session))),
        (
            "4.7",
            crlf(
                "BYE sip:user@host.example.test SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144\n\
            Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200\nCall-ID: 997077@lau_4100\nMax-Forwards: 70\nCSeq: 89187 BYE\n\
            To: sip:user@example.net;tag=9817--94\nFrom: sip:user@example.test;tag=81x2\nContent-Length: 0\n\n",
            ),
        ),
        ("4.8", invite(&crlf(&format!("{session}c=IN IP4 192.0.2.1\n")))),
        (
            "4.9",
            register("sip:example.test", via, "\"T. Watson\" <sip:watson@[::ffff:192.0.2.10]>"),
        ),
        ("4.10", register("sip:user@[2001:db8:::192.0.2.1]", via, contact)),
    ]
}

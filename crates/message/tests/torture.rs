//! The situations of RFC 4475, one by one, in messages of our own: what must be read is read, what must be refused has a typed
//! error, and what is wrong in one header hides no other. IPv6 (RFC 5118) is in `torture_ipv6.rs`.
//!
//! This crate judges grammar only. Where the RFC expects a response (405, 483, 505, ...), the test shows that what a server needs
//! in order to give it can be read.

use sip_message::{
    AddressError, Contact, Frame, FrameError, Framer, Headers, Message, Method, Name, NameAddr, ParseError, Request, Response, SipUri, Uri,
    UriError, ValueError, ViaError, inspect,
};

fn request(bytes: &[u8]) -> Request<'_> {
    assert_eq!(inspect(bytes).usable, Ok(()), "the inspection agrees");
    match Message::parse(bytes).expect("the message is readable") {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a request was meant"),
    }
}

fn response(bytes: &[u8]) -> Response<'_> {
    assert_eq!(inspect(bytes).usable, Ok(()), "the inspection agrees");
    match Message::parse(bytes).expect("the message is readable") {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a response was meant"),
    }
}

fn address<'a>(address: Option<Result<NameAddr<'a>, AddressError>>) -> NameAddr<'a> {
    address.expect("the header is there").expect("the address is readable")
}

fn contact<'a>(headers: &Headers<'a>) -> NameAddr<'a> {
    match headers
        .contacts()
        .next()
        .expect("a Contact is there")
        .expect("the Contact is readable")
    {
        Contact::Address(address) => address,
        Contact::Star => panic!("an address was meant"),
    }
}

fn branches<'a>(headers: &Headers<'a>) -> Vec<Option<&'a [u8]>> {
    headers.vias().map(|via| via.expect("the Via is readable").branch()).collect()
}

// --- 3.1.1: valid messages ---

/// §3.1.1.1
#[test]
fn a_short_tortuous_request_is_read_to_the_last_header() {
    let bytes = b"INVITE sip:vera@desk.example.test;unknownparam SIP/2.0\r\n\
        TO :\r\n sip:vera@desk.example.test ;   tag    = 77a\r\n\
        from   : \"J Doe \\\\\\\"\"       <sip:jd@example.test>\r\n  ;\r\n  tag = 98as\r\n\
        MaX-fOrWaRdS: 0068\r\n\
        Call-ID: tortuous.5@192.0.2.1\r\n\
        Content-Length   : 4\r\n\
        cseq: 0009\r\n  INVITE\r\n\
        Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=old style\r\n\
        s :\r\n\
        NewHeader:   value\r\n continued\r\n\
        Odd: ;;,,;;,;\r\n\
        Route:\r\n <sip:edge.example.test;lr;unknownwith=value;unknown-no-value>\r\n\
        v:  SIP  / 2.0  / TCP     hop.example.test   ;\r\n  branch  =   z9hG4bKone  ,\r\n SIP  /    2.0   / UDP  192.0.2.255   ; branch=\r\n z9hG4bKtwo\r\n\
        m:\"Quoted \\\"\\\"\" <sip:jd@example.test> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\
        \r\nbody";
    let request = request(bytes);
    let headers = &request.headers;
    assert_eq!(request.uri, b"sip:vera@desk.example.test;unknownparam");
    let to = address(headers.to());
    assert_eq!((to.raw_uri, to.tag()), (&b"sip:vera@desk.example.test"[..], Some(&b"77a"[..])));
    let from = address(headers.from());
    assert_eq!(
        (from.display_name().as_ref(), from.tag()),
        (&br#"J Doe \""#[..], Some(&b"98as"[..]))
    );
    assert_eq!(headers.max_forwards(), Some(Ok(68)));
    assert_eq!(
        headers.cseq().unwrap().map(|cseq| (cseq.number, cseq.method)),
        Ok((9, Method::Invite))
    );
    assert_eq!(branches(headers)[1..], [Some(&b"z9hG4bKone"[..]), Some(b"z9hG4bKtwo")]);
    assert_eq!(headers.via().unwrap().unwrap().host.to_string(), "192.0.2.2");
    assert_eq!(
        headers.named("Subject"),
        None,
        "the compact form of a header that we do not read stays what it is"
    );
    assert_eq!(headers.named("s"), Some(&b""[..]));
    assert_eq!(
        sip_message::unfold(headers.named("newheader").unwrap()).as_ref(),
        b"value continued"
    );
    assert_eq!(headers.named("Odd"), Some(&b";;,,;;,;"[..]));
    let route = headers.routes(Name::Route).next().unwrap().unwrap().uri().unwrap();
    assert_eq!(route.sip().unwrap().params.find("unknown-no-value"), Some(None));
    let contact = contact(headers);
    assert_eq!(
        (contact.display_name().as_ref(), contact.q()),
        (&br#"Quoted """#[..], Some(&b"0.33"[..]))
    );
    assert_eq!(contact.params.value("newparam"), Some(&b"newvalue"[..]));
    assert_eq!(contact.params.find("secondparam"), Some(None));
    assert_eq!(request.body, b"body");
}

/// §3.1.1.2
#[test]
fn every_character_that_a_token_may_hold_is_kept() {
    let bytes = b"!odd-Method0123456789_*+`.%indeed'~ sip:1_un.usual~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_(doesn't-it)@example.test SIP/2.0\r\n\
        Via: SIP/2.0/TCP host1.example.test;branch=z9hG4bK-.!%66*_+`'~\r\n\
        To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" <sip:1_un.usual~(to-be!sure)&isn't+it$/crazy?,/;;*@example.test>\r\n\
        From: token1~` token2'+_ token3*%!.- <sip:mundane@example.test> ;fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-.\r\n\
        Call-ID: odd.%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n\
        CSeq: 139122385 !odd-Method0123456789_*+`.%indeed'~\r\n\
        extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\r\n\
        Content-Length: 0\r\n\r\n";
    let request = request(bytes);
    let headers = &request.headers;
    assert_eq!(request.method.as_bytes(), b"!odd-Method0123456789_*+`.%indeed'~");
    let uri = SipUri::parse(request.uri).unwrap();
    assert_eq!(uri.user, Some(&b"1_un.usual~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
    assert_eq!(uri.password, Some(&b"&it+has=1,weird!*pas$wo~d_(doesn't-it)"[..]));
    assert_eq!(address(headers.to()).display_name().as_ref(), b"BEL:\x07 NUL:\0 DEL:\x7f");
    let from = address(headers.from());
    assert_eq!(
        (from.display, from.tag()),
        (&b"token1~` token2'+_ token3*%!.-"[..], Some(&b"_token~1'+`*%!-."[..]))
    );
    assert_eq!(headers.call_id(), Some(&b"odd.%ZK-!.*_+'@word`~)(><:\\/\"][?}{"[..]));
    assert_eq!(headers.cseq().unwrap().unwrap().method, request.method);
    assert_eq!(headers.named("EXTENSIONHEADER-!.%*+_`'~"), Some("\u{feff}大".as_bytes()));
    assert_eq!(branches(headers), [Some(&b"z9hG4bK-.!%66*_+`'~"[..])]);
}

/// §3.1.1.3 and §3.1.1.4
#[test]
fn escapes_in_uris_stay_as_they_stand_nulls_too() {
    let bytes = b"REGISTER sip:example.test SIP/2.0\r\n\
        To: sip:null-%00-null@example.test\r\nFrom: sip:sips%3Auser%40example.test@example.net;tag=a\r\n\
        Contact: <sip:%00@host5.example.test>\r\nContact: <sip:%00%00@host5.example.test>\r\n\r\n";
    let headers = request(bytes).headers;
    let to = address(headers.to());
    assert_eq!(to.uri().unwrap().sip().unwrap().user, Some(&b"null-%00-null"[..]));
    assert_eq!(
        address(headers.from()).uri().unwrap().sip().unwrap().user,
        Some(&b"sips%3Auser%40example.test"[..])
    );
    let users: Vec<_> = headers
        .contacts()
        .map(|contact| match contact.unwrap() {
            Contact::Address(address) => address.uri().unwrap().sip().copied().unwrap(),
            Contact::Star => panic!("no star was sent"),
        })
        .collect();
    assert!(!users[0].equivalent(&users[1]), "one escaped null is not two");
}

/// §3.1.1.5
#[test]
fn a_percent_sign_outside_a_uri_is_no_escape() {
    let bytes = b"RE%47IST%45R sip:registrar.example.test SIP/2.0\r\n\
        To: \"%Z%45\" <sip:resource@example.test>\r\n\
        Contact: <sip:alias1@host1.example.test>\r\nC%6Fntact: <sip:alias2@host2.example.test>\r\n\
        CSeq: 29344 RE%47IST%45R\r\nl: 0\r\n\r\n";
    let request = request(bytes);
    assert_eq!(request.method, Method::Other(b"RE%47IST%45R"));
    assert_eq!(address(request.headers.to()).display_name().as_ref(), b"%Z%45");
    assert_eq!(request.headers.contacts().count(), 1);
    assert_eq!(request.headers.named("C%6Fntact"), Some(&b"<sip:alias2@host2.example.test>"[..]));
}

/// §3.1.1.6
#[test]
fn a_display_name_may_touch_its_bracket() {
    let caller = NameAddr::parse(b"caller<sip:caller@example.test>;tag=323").unwrap();
    assert_eq!((caller.display, caller.tag()), (&b"caller"[..], Some(&b"323"[..])));
}

/// §3.1.1.7
#[test]
fn long_values_are_read_whole() {
    let long = "long".repeat(600);
    let text = format!(
        "INVITE sip:user@example.test SIP/2.0\r\nTo: \"I have a {long} name\" <sip:user@example.test:6000;x={long}>\r\n\
        F: sip:amazinglylongcallername@example.net;tag=12{long}424;p{long}=v{long};pval\r\n\
        Call-ID: {long}\r\nCSeq: 3882340 INVITE\r\nUnknown-{long}-Name: unknown-{long}-value\r\n\
        Via: SIP/2.0/TCP sip33.example.test\r\nv: SIP/2.0/TCP sip32.example.test, SIP/2.0/UDP sip31.example.test;branch=z9hG4bK{long}\r\n\r\n"
    );
    let headers = request(text.as_bytes()).headers;
    assert_eq!(address(headers.to()).display_name().len(), 2400 + 14);
    assert_eq!(address(headers.from()).tag().unwrap().len(), 2400 + 5);
    assert_eq!(headers.call_id().unwrap().len(), 2400);
    assert_eq!(headers.named(&format!("unknown-{long}-name")).unwrap().len(), 2400 + 14);
    assert_eq!(branches(&headers)[2].unwrap().len(), 2400 + 7);
}

/// §3.1.1.8
#[test]
fn bytes_behind_the_body_of_a_datagram_are_left_out_and_in_a_stream_are_the_next_message() {
    let first = b"REGISTER sip:example.test SIP/2.0\r\nCSeq: 8 REGISTER\r\nContent-Length: 0\r\n\r\n";
    let second = b"INVITE sip:joe@example.test SIP/2.0\r\nCSeq: 8 INVITE\r\nContent-Length: 2\r\n\r\nhi";
    let both = [&first[..], second].concat();
    let read = request(&both);
    assert_eq!((read.method, read.body), (Method::Register, &b""[..]));
    let mut framer = Framer::default();
    framer.push(&both);
    assert_eq!(framer.poll(), Ok(Some(Frame::Message(first))));
    assert_eq!(framer.poll(), Ok(Some(Frame::Message(second))));
}

/// §3.1.1.9
#[test]
fn semicolons_in_the_user_part_are_not_parameters() {
    let uri = SipUri::parse(b"sip:user;par=u%40example.net@example.test").unwrap();
    assert_eq!(uri.user, Some(&b"user;par=u%40example.net"[..]));
    assert_eq!(uri.params.iter().count(), 0);
}

/// §3.1.1.10
#[test]
fn transports_known_and_unknown_are_read_alike() {
    let bytes = b"OPTIONS sip:user@example.test SIP/2.0\r\n\
        Via: SIP/2.0/UDP t1.example.test;branch=z9hG4bKa\r\nVia: SIP/2.0/SCTP t2.example.test;branch=z9hG4bKb\r\n\
        Via: SIP/2.0/TLS t3.example.test;branch=z9hG4bKc\r\nVia: SIP/2.0/UNKNOWN t4.example.test;branch=z9hG4bKd\r\n\
        Via: SIP/2.0/TCP t5.example.test;branch=z9hG4bKe\r\n\r\n";
    let headers = request(bytes).headers;
    let transports: Vec<_> = headers.vias().map(|via| via.unwrap().transport).collect();
    assert_eq!(transports, [&b"UDP"[..], b"SCTP", b"TLS", b"UNKNOWN", b"TCP"]);
}

/// §3.1.1.11
#[test]
fn a_binary_multipart_body_is_carried_as_it_is() {
    let body = b"--cut\r\nContent-Type: text/plain\r\n\r\nHi\r\n--cut\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\r\n\x1b\r\n--cut--\r\n";
    let head = format!(
        "MESSAGE sip:kumiko@example.test SIP/2.0\r\nContent-Type: multipart/mixed;boundary=cut\r\nl: {}\r\n\r\n",
        body.len()
    );
    let bytes = [head.as_bytes(), body].concat();
    assert_eq!(request(&bytes).body, body);
    let mut framer = Framer::default();
    framer.push(&bytes);
    assert_eq!(framer.poll(), Ok(Some(Frame::Message(&bytes))));
}

/// §3.1.1.12
#[test]
fn an_unusual_reason_phrase_is_kept_byte_by_byte() {
    let bytes = b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \x80\xff\r\nCSeq: 35 INVITE\r\n\r\n";
    let reply = response(bytes);
    assert_eq!(
        (reply.status.code(), reply.reason),
        (200, &b"= 2**3 * 5**2 \xd0\xbd\xd0\xbe \x80\xff"[..])
    );
}

/// §3.1.1.13
#[test]
fn an_empty_reason_phrase_may_keep_or_lose_its_space() {
    for line in ["SIP/2.0 100 ", "SIP/2.0 100"] {
        let text = format!("{line}\r\nCSeq: 35 INVITE\r\n\r\n");
        assert_eq!(
            (response(text.as_bytes()).status.code(), response(text.as_bytes()).reason),
            (100, &b""[..])
        );
    }
}

// --- 3.1.2: invalid messages ---

/// §3.1.2.1
#[test]
fn extraneous_separators_are_passed_over() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n\
        Contact: \"Joe\" <sip:joe@example.test>;;;;\r\nTo: sip:j.user@example.test\r\nFrom: sip:caller@example.net;;;;tag=x\r\nl: 0\r\n\r\n";
    let headers = request(bytes).headers;
    let vias: Vec<_> = headers.vias().collect();
    assert_eq!(vias[0].unwrap().host.to_string(), "192.0.2.15");
    assert_eq!(vias[1], Err(ViaError::Protocol), "a lone ; is an element and no Via");
    assert_eq!(contact(&headers).params.iter().count(), 0);
    assert_eq!(address(headers.from()).tag(), Some(&b"x"[..]));
}

/// §3.1.2.2
#[test]
fn a_content_length_beyond_the_datagram_gives_what_there_is_and_a_stream_waits() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nContent-Length: 9999\r\n\r\nv=0\r\n";
    assert_eq!(request(bytes).body, b"v=0\r\n");
    let mut framer = Framer::default();
    framer.push(bytes);
    assert_eq!(framer.poll(), Ok(None));
}

/// §3.1.2.3
#[test]
fn a_negative_content_length_is_no_length() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nContent-Length: -999\r\n\r\nv=0\r\n";
    assert_eq!(request(bytes).body, b"v=0\r\n");
    let mut framer = Framer::default();
    framer.push(bytes);
    assert_eq!(framer.poll(), Err(FrameError::ContentLength));
}

/// §3.1.2.4 and §3.1.2.5
#[test]
fn numbers_too_large_to_hold_are_errors_or_the_largest() {
    let bytes = b"SIP/2.0 503 Service Unavailable\r\nCSeq: 9292394834772304023312 OPTIONS\r\nMax-Forwards: 300\r\n\
        Expires: 10000000000000000000000000000000000000000000\r\nRetry-After: 949302838503028349304023988\r\n\
        Warning: 1812 overture \"In Progress\"\r\nContact: <sip:user@host129.example.test>;expires=280297596632815\r\nl: 0\r\n\r\n";
    let headers = response(bytes).headers;
    assert_eq!(headers.cseq(), Some(Err(ValueError::Number)));
    assert_eq!(headers.max_forwards(), Some(Ok(300)));
    assert_eq!(headers.expires(), Some(Ok(u32::MAX)));
    assert_eq!(headers.retry_after().unwrap().unwrap().seconds, u32::MAX);
    assert_eq!(headers.warnings().next(), Some(Err(ValueError::Number)));
    assert_eq!(contact(&headers).expires(), Some(u32::MAX));
}

/// §3.1.2.6
#[test]
fn an_unterminated_quote_spoils_its_own_header_only() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nTo: \"Mr. J. User <sip:j.user@example.test>\r\n\
        From: sip:caller@example.net;tag=93334\r\nContact: \"open <sip:x@h>, <sip:caller@host59.example.net>\r\n\r\n";
    let headers = request(bytes).headers;
    assert_eq!(headers.to(), Some(Err(AddressError::Display)));
    assert_eq!(address(headers.from()).tag(), Some(&b"93334"[..]));
    let contacts: Vec<_> = headers.contacts().collect();
    assert_eq!(contacts[0], Err(AddressError::Display));
    assert!(contacts[1].is_ok());
}

/// §3.1.2.7, §3.1.2.8, §3.1.2.9, §3.1.2.10
#[test]
fn request_lines_with_brackets_or_stray_spaces_leave_a_uri_to_judge() {
    let line = |line: &str| format!("{line}\r\nCSeq: 8 INVITE\r\n\r\n").into_bytes();
    assert_eq!(
        Uri::parse(request(&line("INVITE <sip:user@example.test> SIP/2.0")).uri),
        Err(UriError::Scheme)
    );
    assert_eq!(
        request(&line("INVITE sip:user@example.test; lr SIP/2.0")).uri,
        b"sip:user@example.test; lr"
    );
    assert_eq!(
        request(&line("INVITE  sip:user@example.test  SIP/2.0")).uri,
        b"sip:user@example.test"
    );
    assert_eq!(
        request(&line("OPTIONS sip:remote@example.test SIP/2.0  ")).uri,
        b"sip:remote@example.test"
    );
}

/// §3.1.2.11 and §3.3.14
#[test]
fn headers_in_a_uri_are_kept_apart() {
    let uri = SipUri::parse(b"sip:user@example.test?Route=%3Csip:sip.example.test%3E").unwrap();
    assert_eq!(
        (uri.user, uri.headers),
        (Some(&b"user"[..]), &b"Route=%3Csip:sip.example.test%3E"[..])
    );
    let escaped = NameAddr::parse(b"<sip:user@example.test?Route=%3Csip:sip.example.test%3E>").unwrap();
    assert_eq!(escaped.uri().unwrap().sip().unwrap().headers, uri.headers);
}

/// §3.1.2.12
#[test]
fn a_date_in_another_zone_is_only_text() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\n\r\n";
    assert_eq!(
        request(bytes).headers.first(Name::Date),
        Some(&b"Fri, 01 Jan 2010 16:00:00 EST"[..])
    );
}

/// §3.1.2.13
#[test]
fn a_bare_contact_keeps_its_headers_in_the_uri_and_its_parameters_outside() {
    let bare = NameAddr::parse(b"sip:user@example.test?Route=%3Csip:sip.example.test%3E;expires=5").unwrap();
    assert_eq!(bare.raw_uri, b"sip:user@example.test?Route=%3Csip:sip.example.test%3E");
    assert_eq!(bare.expires(), Some(5));
}

/// §3.1.2.14
#[test]
fn spaces_inside_brackets_are_trimmed_at_the_ends_and_refused_inside() {
    let padded = NameAddr::parse(b"\"Watson, Thomas\" < sip:t.watson@example.test >").unwrap();
    assert_eq!(padded.raw_uri, b"sip:t.watson@example.test");
    assert_eq!(NameAddr::parse(b"<sip:t.watson@exam ple.test>").unwrap().uri(), Err(UriError::Host));
}

/// §3.1.2.15
#[test]
fn a_display_name_that_should_be_quoted_is_taken_as_it_is() {
    let from = NameAddr::parse(b"Bell, Alexander <sip:a.g.bell@example.test>;tag=43").unwrap();
    assert_eq!((from.display, from.tag()), (&b"Bell, Alexander"[..], Some(&b"43"[..])));
}

/// §3.1.2.16 and §3.1.2.19
#[test]
fn other_versions_and_overlarge_codes_are_no_start_lines() {
    for line in [
        "OPTIONS sip:t.watson@example.test SIP/7.0",
        "SIP/7.0 200 OK",
        "SIP/2.0 4294967301 better not break",
    ] {
        let text = format!("{line}\r\nl: 0\r\n\r\n");
        assert_eq!(Message::parse(text.as_bytes()).unwrap_err(), ParseError::StartLine, "{line}");
    }
}

/// §3.1.2.17 and §3.1.2.18
#[test]
fn a_method_that_differs_from_cseq_can_be_seen() {
    for method in ["OPTIONS", "NEWMETHOD"] {
        let text = format!("{method} sip:user@example.test SIP/2.0\r\nCSeq: 8 INVITE\r\n\r\n");
        let request = request(text.as_bytes());
        assert_ne!(request.method, request.headers.cseq().unwrap().unwrap().method);
    }
}

// --- 3.2: transaction layer; 3.3: application layer; 3.4: RFC 2543 ---

/// §3.2.1
#[test]
fn a_branch_of_the_cookie_alone_is_read() {
    let headers = request(b"OPTIONS sip:user@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\n\r\n").headers;
    assert_eq!(branches(&headers), [Some(&b"z9hG4bK"[..])]);
}

/// §3.3.1
#[test]
fn missing_headers_are_absent_and_not_errors() {
    let headers =
        request(b"INVITE sip:user@example.test SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKa\r\n\r\n")
            .headers;
    assert_eq!((headers.to(), headers.from(), headers.call_id()), (None, None, None));
    assert!(headers.cseq().unwrap().is_ok() && headers.via().unwrap().is_ok());
}

/// §3.3.2, §3.3.3, §3.3.4
#[test]
fn other_schemes_are_kept_wherever_they_stand() {
    let bytes = b"REGISTER soap.beep://192.0.2.103:3002 SIP/2.0\r\nTo: isbn:2983792873\r\nFrom: <http://www.example.test>;tag=3\r\n\
        Contact: <name:John_Smith>\r\nContact: <sips:user@example.test>;expires=9\r\n\r\n";
    let request = request(bytes);
    assert_eq!(Uri::parse(request.uri), Ok(Uri::Other(request.uri)));
    assert_eq!(address(request.headers.to()).uri(), Ok(Uri::Other(b"isbn:2983792873")));
    let from = address(request.headers.from());
    assert_eq!(
        (from.uri(), from.tag()),
        (Ok(Uri::Other(b"http://www.example.test")), Some(&b"3"[..]))
    );
    assert_eq!(contact(&request.headers).uri(), Ok(Uri::Other(b"name:John_Smith")));
    assert_eq!(request.headers.contacts().count(), 2);
}

/// §3.3.5, §3.3.6 and §3.3.15
#[test]
fn option_tags_and_media_types_that_nobody_knows_are_listed() {
    let bytes = b"OPTIONS sip:user@example.test SIP/2.0\r\nRequire: nothingSupportsThis, nothingSupportsThisEither\r\n\
        Proxy-Require: noProxiesSupportThis\r\nAccept: text/nobodyKnowsThis\r\nc: application/unknownformat\r\nl: 3\r\n\r\n<a>";
    let request = request(bytes);
    let required: Vec<_> = request.headers.list(Name::Require).collect();
    assert_eq!(required, [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]);
    assert_eq!(request.headers.first(Name::ContentType), Some(&b"application/unknownformat"[..]));
    assert_eq!(request.headers.named("accept"), Some(&b"text/nobodyKnowsThis"[..]));
    assert_eq!(request.body, b"<a>");
}

/// §3.3.7
#[test]
fn an_unknown_authorization_scheme_is_named_and_nothing_more() {
    let headers = request(b"REGISTER sip:example.test SIP/2.0\r\nAuthorization: NoOneKnowsThisScheme opaque-data=here\r\n\r\n").headers;
    let credentials = headers.credentials(sip_message::ChallengeSource::Www).next().unwrap().unwrap();
    assert_eq!((credentials.scheme, credentials.is_digest()), (&b"NoOneKnowsThisScheme"[..], false));
    assert_eq!(credentials.param(b"opaque-data"), None);
}

/// §3.3.8 and §3.3.9
#[test]
fn repeated_single_headers_can_be_counted_and_contradicting_lengths_close_a_stream() {
    let bytes = b"INVITE sip:user@example.test SIP/2.0\r\nCSeq: 5 INVITE\r\nCall-ID: one\r\nCSeq: 59 INVITE\r\nCall-ID: two\r\n\
        From: sip:a@example.test;tag=1\r\nf: sip:b@example.test;tag=2\r\nTo: sip:c@example.test\r\nt: sip:d@example.test\r\n\
        Content-Length: 5\r\nl: 3\r\n\r\nthere's no way";
    let headers = request(bytes).headers;
    for name in [Name::CSeq, Name::CallId, Name::From, Name::To, Name::ContentLength] {
        assert_eq!(headers.all(name).count(), 2, "{name:?}");
    }
    assert_eq!(headers.call_id(), Some(&b"one"[..]));
    let mut framer = Framer::default();
    framer.push(bytes);
    assert_eq!(framer.poll(), Err(FrameError::ContentLength));
}

/// §3.3.10
#[test]
fn a_broadcast_via_below_the_top_is_readable_and_visible() {
    let bytes = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\nCSeq: 45 INVITE\r\n\r\n";
    let hosts: Vec<_> = response(bytes).headers.vias().map(|via| via.unwrap().host.to_string()).collect();
    assert_eq!(hosts, ["192.0.2.198", "255.255.255.255"]);
}

/// §3.3.11
#[test]
fn max_forwards_of_zero_is_a_number() {
    assert_eq!(
        request(b"OPTIONS sip:user@example.test SIP/2.0\r\nMax-Forwards: 0\r\n\r\n")
            .headers
            .max_forwards(),
        Some(Ok(0))
    );
}

/// §3.3.12 and §3.3.13
#[test]
fn a_contact_parameter_is_not_a_uri_parameter() {
    let outside = NameAddr::parse(b"sip:+19725552222@gw1.example.test;unknownparam").unwrap();
    assert_eq!(
        (
            outside.params.find("unknownparam"),
            outside.uri().unwrap().sip().unwrap().params.iter().count()
        ),
        (Some(None), 0)
    );
    let inside = NameAddr::parse(b"<sip:+19725552222@gw1.example.test;unknownparam>").unwrap();
    assert_eq!(
        (
            inside.params.iter().count(),
            inside.uri().unwrap().sip().unwrap().params.find("unknownparam")
        ),
        (0, Some(None))
    );
    let (outside, inside) = (outside.uri().unwrap(), inside.uri().unwrap());
    assert!(
        outside.sip().unwrap().equivalent(inside.sip().unwrap()),
        "an unknown parameter in one only is ignored"
    );
}

/// §3.4.1
#[test]
fn a_request_of_rfc_2543_has_neither_branch_nor_tag() {
    let bytes = b"INVITE sip:UserB@example.test SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.test\r\nFrom: <sip:+13035551111@ift.example.test;user=phone>\r\n\
        To: sip:+16505552222@ss1.example.net;user=phone\r\nCall-ID: 1717@ift.example.test\r\nCSeq: 56 INVITE\r\nContent-Length: 0\r\n\r\n";
    let headers = request(bytes).headers;
    assert_eq!(branches(&headers), [None]);
    assert_eq!(address(headers.from()).tag(), None);
    assert_eq!(address(headers.to()).params.value("user"), Some(&b"phone"[..]));
}

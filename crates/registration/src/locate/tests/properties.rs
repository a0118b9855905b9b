//! What holds for any zone, any answers in any order, and any URI.

use proptest::prelude::*;

use super::*;

fn any_name() -> impl Strategy<Value = String> {
    let known = [
        "h.example",
        "a.example",
        "b.example",
        "_sip._udp.h.example",
        "_sip._tcp.h.example",
        "_sips._tcp.h.example",
        ".",
        "a..b",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,20}"]
}

fn any_naptr() -> impl Strategy<Value = Naptr> {
    let flags = prop::sample::select(vec!["s", "A", "u", ""]);
    let service = prop::sample::select(vec!["SIP+D2U", "sip+d2t", "SIPS+D2T", "SIP+D2W"]);
    (0..3_u16, 0..3_u16, flags, service, any_name()).prop_map(|(order, preference, flags, service, replacement)| Naptr {
        order,
        preference,
        flags: flags.into(),
        service: service.into(),
        replacement,
    })
}

fn any_srv() -> impl Strategy<Value = Srv> {
    (0..3_u16, prop_oneof![Just(0), any::<u16>()], 0..3_u16, any_name()).prop_map(|(priority, weight, port, target)| Srv {
        priority,
        weight,
        port,
        target,
    })
}

fn any_error() -> impl Strategy<Value = DnsError> {
    use DnsError::*;
    prop::sample::select(vec![NoSuchName, NoRecords, ServerFailure, Refused, Timeout])
}

/// Records of one type; the lists are repeated to make floods.
fn any_records(kind: RecordKind) -> BoxedStrategy<Records> {
    let times = prop_oneof![29 => Just(1_usize), 1 => Just(300)];
    match kind {
        RecordKind::Naptr => (prop::collection::vec(any_naptr(), 0..8), times)
            .prop_map(|(records, times)| Records::Naptr(vec![records; times].concat()))
            .boxed(),
        RecordKind::Srv => (prop::collection::vec(any_srv(), 0..20), times)
            .prop_map(|(records, times)| Records::Srv(vec![records; times].concat()))
            .boxed(),
        A | Aaaa => prop::collection::vec(any::<IpAddr>(), 0..40).prop_map(Records::Addresses).boxed(),
    }
}

/// An answer to a question for this type; sometimes a failure, sometimes records of another type.
fn any_answer_to(kind: RecordKind) -> impl Strategy<Value = Answer> {
    let other = any_kind().prop_flat_map(any_records).prop_map(Ok);
    prop_oneof![8 => any_records(kind).prop_map(Ok), 2 => any_error().prop_map(Err), 1 => other]
}

fn any_kind() -> impl Strategy<Value = RecordKind> {
    prop::sample::select(vec![RecordKind::Naptr, RecordKind::Srv, A, Aaaa])
}

fn any_answer() -> impl Strategy<Value = Answer> {
    any_kind().prop_flat_map(any_answer_to)
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let entry = (any_name(), any_kind()).prop_flat_map(|(name, kind)| (Just((name, kind)), any_answer_to(kind)));
    prop::collection::vec(entry, 0..32).prop_map(|entries| Zone(entries.into_iter().collect()))
}

/// Mostly names without port and transport, which have the longest way to go.
fn any_uri() -> impl Strategy<Value = String> {
    let host = prop_oneof![6 => Just("h.example"), 1 => Just("192.0.2.1"), 1 => Just("[2001:db8::1]"), 1 => Just("localhost")];
    let port = prop_oneof![8 => Just(""), 1 => Just(":5060"), 1 => Just(":0")];
    let others = vec![
        ";transport=udp",
        ";transport=tcp",
        ";transport=tls",
        ";transport=ws",
        ";maddr=a.example",
    ];
    let params = prop_oneof![2 => Just(""), 1 => prop::sample::select(others)];
    let scheme = prop_oneof![3 => Just("sip"), 1 => Just("sips")];
    (scheme, host, port, params).prop_map(|(scheme, host, port, params)| format!("{scheme}:{host}{port}{params}"))
}

proptest! {
    #[test]
    fn any_zone_ends_in_a_bounded_outcome(uri in any_uri(), zone in any_zone(), seed in any::<u8>()) {
        let found = Search { seed, ..search(&uri) }.run(&zone);
        prop_assert!(found.asked.len() <= MAX_QUESTIONS as usize);
        if let Ok(targets) = &found.outcome {
            prop_assert!((1..=MAX_TARGETS).contains(&targets.len()));
            for (at, target) in targets.iter().enumerate() {
                prop_assert!(!targets[..at].iter().any(|earlier| earlier.endpoint == target.endpoint), "twice: {target:?}");
                prop_assert!(target.endpoint.remote.port() != 0 && !target.endpoint.remote.ip().is_unspecified());
                prop_assert!(!uri.starts_with("sips") || target.endpoint.transport == Transport::Tls);
            }
        }
    }

    #[test]
    fn equal_seeds_give_equal_results_in_whatever_order_the_answers_come(uri in any_uri(), zone in any_zone(), seed in any::<u8>()) {
        let forward = Search { seed, ..search(&uri) }.run(&zone);
        let again = Search { seed, ..search(&uri) }.run(&zone);
        prop_assert_eq!((&forward.asked, &forward.outcome), (&again.asked, &again.outcome));
        let backward = Search { seed, last_first: true, ..search(&uri) }.run(&zone);
        prop_assert_eq!((forward.asked, forward.outcome), (backward.asked, backward.outcome));
    }

    #[test]
    fn nothing_without_tls_stands_behind_a_target_that_naptr_prefers_with_tls(zone in any_zone(), seed in any::<u8>()) {
        let found = Search { seed, ..search("sip:h.example") }.run(&zone);
        let targets = found.outcome.unwrap_or_default();
        let tls = targets.iter().position(|target| target.endpoint.transport == Transport::Tls);
        let behind = tls.map(|at| &targets[at..]).unwrap_or_default();
        prop_assert!(behind.iter().all(|target| target.endpoint.transport == Transport::Tls), "{:?}", targets);
    }

    #[test]
    fn any_answers_with_any_tokens_leave_no_open_end(uri in any_uri(), answers in prop::collection::vec((0..9_u32, any_answer()), 0..40)) {
        let mut rng = ChaCha12Rng::from_seed([3; 32]);
        let mut locate = search(&uri).locate();
        for (token, answer) in answers {
            locate.handle_answer(token, answer, &mut rng);
        }
        // Whatever came, failing all that is still open decides.
        for token in 0..MAX_QUESTIONS {
            locate.handle_answer(token, Err(DnsError::Timeout), &mut rng);
        }
        prop_assert!(locate.outcome().is_some());
    }
}

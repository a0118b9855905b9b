//! Whose binding it is.

use super::*;
use crate::{ContactPattern, Level};

fn scene() -> Scene {
    let mut scene = Scene::of(SourceKind::TelnyxUac);
    scene.expectation.contact = ContactPattern::default();
    scene.expectation.user = Some("alice".into());
    scene
}

/// Two sandwiches in which the provider names a Contact.
fn naming(named: Option<ClaimedContact>, listed: &[(&str, u32)]) -> Scene {
    let sandwich = |scene: Scene| {
        let scene = scene.fetches(bound(listed));
        scene
            .says_with(Word::Registered, |answer| answer.contact = named.clone())
            .fetches(bound(listed))
    };
    sandwich(sandwich(scene()).after(70))
}

#[test]
fn without_any_mark_nobody_can_say_whose_it_is() {
    let verdict = scene()
        .sandwich(bound(&[(GATEWAY, 60)]), Word::Registered)
        .is(Reason::ContactUnmatchable);
    assert_eq!(verdict.evidence, Level::E2);
    assert!(verdict.detail.contains(GATEWAY), "{}", verdict.detail);
}

#[test]
fn the_contact_that_the_provider_names_is_looked_for() {
    naming(contact(Some("gw-7"), "192.0.2.7", Some(5080)), &[(PHONE, 60), (GATEWAY, 60)]).is(Reason::Registered);
    naming(contact(None, "192.0.2.7", None), &[(GATEWAY, 60)]).is(Reason::Registered);
    naming(contact(Some("gw-7"), "192.0.2.7", None), &[(PHONE, 60)]).is(Reason::Displaced);
    naming(contact(Some("alice"), "192.0.2.7", None), &[(GATEWAY, 60)]).is(Reason::Displaced);
}

#[test]
fn another_port_may_be_the_same_devices() {
    naming(contact(None, "192.0.2.7", Some(5070)), &[(GATEWAY, 60)]).is(Reason::ContactUnmatchable);
    naming(contact(None, "192.0.2.7", Some(5070)), &[(PHONE, 60), (GATEWAY, 60)]).is(Reason::ContactUnmatchable);
    naming(contact(None, "192.0.2.7", Some(5080)), &[(GATEWAY, 60)]).is(Reason::Registered);
}

#[test]
fn what_stands_at_the_registrars_own_address_is_an_edges_work() {
    let at_the_edge = [("sip:alice@192.0.2.1:5080", 60)];
    naming(contact(Some("alice"), "192.0.2.7", None), &at_the_edge).is(Reason::ContactUnmatchable);
    naming(contact(None, "192.0.2.7", None), &at_the_edge).is(Reason::ContactUnmatchable);
    // An API that shows the AOR where the Contact belongs.
    naming(contact(Some("alice"), "192.0.2.1", None), &[(PHONE, 60)]).is(Reason::ContactUnmatchable);
    naming(contact(Some("bob"), "192.0.2.7", None), &at_the_edge).is(Reason::Displaced);
}

#[test]
fn a_containers_address_is_no_other_place() {
    let lan = [("sip:alice@10.0.0.5:5060", 60)];
    naming(contact(Some("alice"), "172.17.0.2", None), &lan).is(Reason::ContactUnmatchable);
    naming(contact(Some("alice"), "192.168.1.2", None), &lan).is(Reason::ContactUnmatchable);
    naming(contact(Some("alice"), "100.64.0.2", None), &lan).is(Reason::ContactUnmatchable);
    naming(contact(Some("alice"), "::ffff:10.0.0.6", None), &lan).is(Reason::Displaced);
    naming(contact(Some("alice"), "[2001:db8::7]", None), &lan).is(Reason::ContactUnmatchable);
    let wide = [("sip:alice@[2001:db8::9]:5060", 60)];
    naming(contact(Some("alice"), "2001:db8::7", None), &wide).is(Reason::Displaced);
    naming(contact(Some("alice"), "2001:db8::9", None), &wide).is(Reason::Registered);
}

#[test]
fn an_escape_is_what_it_stands_for() {
    let listed = [("sip:%2b4930%40pbx@10.0.0.5", 60)];
    naming(contact(Some("+4930@pbx"), "192.0.2.7", None), &listed).is(Reason::Registered);
    naming(contact(Some("+4931@pbx"), "192.0.2.7", None), &listed).is(Reason::Displaced);
    naming(contact(Some("100%"), "192.0.2.7", None), &[("sip:100%25@10.0.0.5", 60)]).is(Reason::Registered);
}

#[test]
fn who_is_not_on_a_list_that_was_cut_may_be_behind_the_cut() {
    let contacts: Vec<_> = (0..sip_registration::MOST_BINDINGS)
        .map(|number| format!("sip:phone-{number}@h"))
        .collect();
    let mut listed: Vec<_> = contacts.iter().map(|contact| (&**contact, 60)).collect();
    let gateway = || contact(Some("gw-7"), "192.0.2.7", None);
    naming(gateway(), &listed).is(Reason::ContactUnmatchable);
    listed.pop();
    naming(gateway(), &listed).is(Reason::Displaced);
    listed.push((GATEWAY, 60));
    naming(gateway(), &listed).is(Reason::Registered);
}

#[test]
fn a_user_part_of_its_own_is_known_behind_any_edge() {
    let behind_an_edge = [("sip:gw-7@10.0.0.1:5060;ob", 60)];
    naming(contact(Some("gw-7"), "192.0.2.7", Some(5080)), &behind_an_edge).is(Reason::Registered);
}

#[test]
fn a_user_part_of_its_own_is_known_at_any_port() {
    naming(contact(Some("gw-7"), "192.0.2.7", Some(5070)), &[(GATEWAY, 60)]).is(Reason::Registered);
}

#[test]
fn a_user_part_tells_nothing_when_nobody_knows_the_accounts_own() {
    let mut scene = naming(contact(Some("alice"), "192.0.2.7", None), &[("sip:alice@10.0.0.1:5060", 60)]);
    scene.expectation.user = None;
    scene.is(Reason::ContactUnmatchable);
}

#[test]
fn a_user_part_that_everybody_has_is_not_enough_behind_an_edge() {
    naming(contact(Some("alice"), "192.0.2.7", None), &[("sip:alice@10.0.0.1:5060", 60)]).is(Reason::ContactUnmatchable);
    naming(contact(Some("alice"), "sbc.example.test", None), &[("sip:alice@10.0.0.1:5060", 60)]).is(Reason::ContactUnmatchable);
    naming(contact(Some("alice"), "192.0.2.7", None), &[(PHONE, 60)]).is(Reason::Displaced);
    naming(contact(Some("alice"), "10.0.0.2", None), &[("sip:alice@10.0.0.1:5060", 60)]).is(Reason::Displaced);
}

#[test]
fn a_contact_that_is_no_uri_is_nobodys() {
    naming(contact(None, "192.0.2.7", None), &[("tel:+49301234567", 60)]).is(Reason::ContactUnmatchable);
    let scene = Scene::of(SourceKind::TelnyxUac);
    scene.twice(bound(&[("<<<", 60)]), Word::Registered).is(Reason::Displaced);
}

#[test]
fn the_binding_that_ends_when_the_provider_says_so_is_its_own() {
    let scene = |end: i64, listed: &[(&str, u32)]| {
        let scene = scene().fetches(bound(listed));
        scene
            .says_with(Word::Registered, |answer| answer.expires_at = claimed(end))
            .fetches(bound(listed))
    };
    // Looked at until 1 and 3, so that 500 s left end at 501 and 503.
    scene(502, &[(PHONE, 60), (GATEWAY, 500)]).is(Reason::Registered);
    scene(520, &[(PHONE, 60), (GATEWAY, 500)]).is(Reason::ContactUnmatchable);
    scene(502, &[(PHONE, 500), (GATEWAY, 500)]).is(Reason::ContactUnmatchable);
}

#[test]
fn a_binding_at_another_place_is_the_providers_when_it_ends_when_the_provider_says_so() {
    let rewritten = bound(&[("sip:alice@198.51.100.80:5060", 500)]);
    let scene = |end: Option<i64>, date: Option<i64>| {
        let look = |scene: Scene, shift: i64| {
            scene
                .fetches(rewritten.clone())
                .says_with(Word::Registered, |answer| {
                    answer.contact = contact(Some("alice"), "192.0.2.7", None);
                    answer.expires_at = end.and_then(|end| claimed(end + shift));
                    answer.server_date = date.map(|date| at(date + shift));
                })
                .fetches(rewritten.clone())
        };
        look(look(scene(), 0).after(70), 73)
    };
    scene(Some(502), None).is(Reason::Registered);
    scene(Some(520), None).is(Reason::Displaced);
    scene(None, None).is(Reason::Displaced);
    // The times would say it, if the clocks agreed.
    scene(Some(502), Some(600)).is(Reason::ClockSkew);
}

#[test]
fn clocks_that_differ_find_nothing_by_time() {
    let listed = bound(&[(GATEWAY, 500)]);
    let scene = scene().fetches(listed.clone()).says_with(Word::Registered, |answer| {
        answer.expires_at = claimed(502);
        answer.server_date = Some(at(600));
    });
    let verdict = scene.fetches(listed).is(Reason::ClockSkew);
    assert!(verdict.detail.contains("clock"), "{}", verdict.detail);
}

#[test]
fn what_the_user_says_goes_before_what_the_provider_says() {
    let mut scene = naming(contact(None, "192.0.2.7", None), &[(GATEWAY, 60)]);
    scene.expectation.contact.users = vec!["gw-8".into()];
    scene.is(Reason::Displaced);
}

#[test]
fn every_kind_of_mark_is_compared() {
    let listed = Sight::Bindings {
        bindings: vec![SeenBinding {
            contact: "sip:gw-7@edge.example.test:5080".into(),
            expires_s: Some(60),
            instance: Some("<urn:uuid:0A>".into()),
        }],
        challenged: true,
    };
    let fits = |pattern: ContactPattern| {
        let mut scene = scene();
        scene.expectation.contact = pattern;
        is_agreement(&scene.sandwich(listed.clone(), Word::Registered).verdict())
    };
    let hosts = |host| ContactPattern {
        hosts: vec![host],
        ..ContactPattern::default()
    };
    let users = |user: &str| ContactPattern {
        users: vec![user.into()],
        ..ContactPattern::default()
    };
    let instances = |instance: &str| ContactPattern {
        instances: vec![instance.into()],
        ..ContactPattern::default()
    };
    assert!(fits(users("gw-7")) && !fits(users("GW-7")));
    assert!(fits(hosts(HostPattern::Name("EDGE.example.test.".into()))) && !fits(hosts(HostPattern::Name("example.test".into()))));
    assert!(fits(instances("\"<urn:uuid:0a>\"")) && !fits(instances("urn:uuid:0b")));
    assert!(!fits(ContactPattern {
        users: vec!["gw-7".into()],
        ..instances("urn:uuid:0b")
    }));
}

#[test]
fn an_address_may_be_given_with_a_port_or_as_a_network() {
    let fits = |host, listed: &str| {
        let mut scene = scene();
        scene.expectation.contact.hosts = vec![host];
        is_agreement(&scene.sandwich(bound(&[(listed, 60)]), Word::Registered).verdict())
    };
    let address = |port| HostPattern::Address("192.0.2.7".parse().unwrap(), port);
    assert!(fits(address(Some(5080)), GATEWAY) && !fits(address(Some(5060)), GATEWAY));
    assert!(fits(address(Some(5061)), "sips:gw@192.0.2.7") && fits(address(Some(5060)), "sip:gw@192.0.2.7"));
    let network = || HostPattern::Network("192.0.2.0/24".parse().unwrap());
    assert!(fits(network(), GATEWAY) && !fits(network(), PHONE) && !fits(network(), "sip:gw@edge.example.test"));
}

#[test]
fn where_the_provider_is_the_registrar_whoever_is_bound_is_bound() {
    let mut scene = Scene::of(SourceKind::TelnyxTelephonyCredential);
    scene.expectation.contact = ContactPattern::default();
    scene
        .clone()
        .sandwich(bound(&[(PHONE, 60)]), Word::Registered)
        .is(Reason::Registered);
    let named = |host: &'static str| {
        let listed = bound(&[(PHONE, 60)]);
        let once = |scene: Scene| {
            let scene = scene.fetches(listed.clone());
            scene
                .says_with(Word::Registered, |answer| answer.contact = contact(None, host, None))
                .fetches(listed.clone())
        };
        once(once(scene.clone()).after(70))
    };
    named("198.51.100.9").is(Reason::Registered);
    // It is known by the address that its packets come from: a NAT's, or that of a proxy on its way.
    named("198.51.100.10").is(Reason::ContactUnmatchable);
    named("10.1.2.3").is(Reason::ContactUnmatchable);
    let from_another_port = |scene: Scene| {
        let scene = scene.fetches(bound(&[("sip:alice@198.51.100.9:5061;transport=tls", 60)]));
        scene
            .says_with(Word::Registered, |answer| {
                answer.contact = contact(None, "198.51.100.9", Some(49_152))
            })
            .fetches(bound(&[("sip:alice@198.51.100.9:5061;transport=tls", 60)]))
    };
    let scene = from_another_port(from_another_port(scene).after(70));
    scene.is(Reason::ContactUnmatchable);
}

#[test]
fn our_own_contact_is_nobody_elses() {
    let own = |scene: Scene, word| {
        let mut scene = scene.sandwich(bound(&[(PROBE, 60)]), word);
        scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
        scene
    };
    let mut scene = Scene::of(SourceKind::TelnyxUac);
    let verdict = own(scene.clone(), Word::Registered).is(Reason::WithinGrace);
    assert_eq!(verdict.contradiction.unwrap().reason, Reason::FalsePositiveUnbound);
    assert_eq!(verdict.evidence, Level::E1);
    // Where the provider reports its own table, our binding is in it.
    scene = Scene::of(SourceKind::TelnyxTelephonyCredential);
    scene.expectation.contact = ContactPattern::default();
    let verdict = own(scene.clone(), Word::Registered).is(Reason::Registered);
    assert!(verdict.detail.contains("by the probe itself"), "{}", verdict.detail);
    assert_eq!(verdict.evidence, Level::E4);
    let verdict = own(own(scene, Word::NotRegistered).after(70), Word::NotRegistered).is(Reason::FalseNegativeBound);
    assert_eq!(verdict.evidence, Level::E4);
}

#[test]
fn what_has_no_second_left_is_not_bound() {
    Scene::of(SourceKind::TelnyxUac)
        .twice(bound(&[(GATEWAY, 0)]), Word::Registered)
        .is(Reason::FalsePositiveUnbound);
}

#[test]
fn the_contact_that_was_named_before_is_still_looked_for() {
    let scene = naming(contact(Some("gw-7"), "192.0.2.7", Some(5080)), &[(GATEWAY, 500)]);
    scene
        .clone()
        .sandwich(bound(&[(GATEWAY, 300)]), Word::NotRegistered)
        .is(Reason::OrphanBinding);
    scene.clone().sandwich(bound(&[(PHONE, 300)]), Word::NotRegistered).is(Reason::Down);
    // Another source of the same provider may have named it as well.
    let mut told = scene.sandwich(bound(&[(GATEWAY, 300)]), Word::NotRegistered);
    told.claim.source = SourceKind::TelnyxUacStored;
    told.claim.answers.last_mut().unwrap().source = SourceKind::TelnyxUacStored;
    assert_eq!(
        told.is(Reason::WithinGrace).contradiction.unwrap().reason,
        Reason::StoredFieldOutdated
    );
}

#[test]
fn our_own_contact_is_none_of_the_others() {
    let told = |source, listed: &[(&str, u32)]| {
        let mut scene = Scene::of(source).sandwich(bound(listed), Word::Registered);
        scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
        scene.is(Reason::Registered).notes
    };
    let displaced = |notes: &[crate::Note]| notes.iter().any(|note| note.reason == Reason::Displaced);
    assert!(!displaced(&told(SourceKind::TelnyxUac, &[(GATEWAY, 60), (PROBE, 60)])));
    assert!(displaced(&told(SourceKind::TelnyxUac, &[(GATEWAY, 60), (PHONE, 60)])));
    // A registrar's account may have as many devices as it likes.
    assert!(!displaced(&told(
        SourceKind::TelnyxTelephonyCredential,
        &[(GATEWAY, 60), (PHONE, 60)]
    )));
    let mut scene = Scene::of(SourceKind::TelnyxTelephonyCredential).twice(bound(&[(PROBE, 60)]), Word::Registered);
    scene.observations.iter_mut().for_each(|seen| seen.own_contact = Some(PROBE.into()));
    let verdict = scene.is(Reason::ContactUnmatchable);
    assert_eq!(verdict.evidence, Level::E1);
    assert!(
        verdict.detail.contains("only the probe's own Contact is bound"),
        "{}",
        verdict.detail
    );
}

//! What the probe gives away with `--pcap` is what `inspect --pcap` reads: every message, both ways, over each transport.

use std::fs;

use crate::lab::{Lab, run};
use crate::objects;
use crate::scratch::Scratch;

#[test]
fn the_evidence_of_a_probe_can_be_inspected() {
    const PASSWORD: &str = "c4nary p@ss/w0rd";
    let lab = Lab::start(PASSWORD, &[]);
    let scratch = Scratch::new("evidence");
    for transport in ["udp", "tcp", "tls"] {
        let file = scratch.file(&format!("{transport}.pcapng"));
        let (alice, path) = (lab.alice(transport), file.to_str().unwrap());
        let authority = lab.authority.to_str().unwrap();
        let line = ["probe", &alice, "--transport", transport, "--ca-file", authority, "--pcap", path];
        assert_eq!(run(PASSWORD, &line).status.code(), Some(0), "{transport}");
        assert!(fs::metadata(&file).unwrap().len() > 1000);
        let (objects, status) = objects(&["--pcap", path], b"");
        assert_eq!(status, Some(0), "{transport}: {objects:#?}");
        let shown: Vec<String> = objects
            .iter()
            .map(|object| {
                object["start_line"]
                    .as_str()
                    .unwrap()
                    .split(' ')
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .map(|line| line.split(" sip").next().unwrap().to_owned())
            .collect();
        // Bound, and the binding removed again.
        let expected = ["REGISTER", "SIP/2.0 401", "REGISTER", "SIP/2.0 200", "REGISTER", "SIP/2.0 200"];
        assert_eq!(shown, expected, "{transport}");
        for pair in objects.chunks(2) {
            assert_eq!(pair[0]["source"], pair[1]["destination"], "{transport}");
        }
        for object in &objects {
            assert_eq!(
                (object["ok"].as_bool(), object["anomalies"].as_array().map(Vec::len)),
                (Some(true), Some(0)),
                "{object:#}"
            );
        }
    }
}

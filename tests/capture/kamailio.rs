//! Kamailio as a collector (module sipcapture, the one that Homer's own capture servers are made of): a second opinion on our HEPv3.

use crate::lab::{Lab, run, text};
use crate::support::port::{LOOPBACK, free};
use crate::support::process::{Process, start_until_ready};
use crate::support::scratch::Scratch;
use crate::support::wait::await_that;
use crate::{PASSWORD, word};

/// A Kamailio that takes HEPv3.
struct Collector {
    process: Process,
    place: String,
    // Last: the directory goes after the program that writes into it.
    _scratch: Scratch,
}

impl Collector {
    fn start() -> Self {
        start_until_ready(|| {
            let scratch = Scratch::new("kamailio-hep");
            let (folder, place) = (word(scratch.path()), format!("{LOOPBACK}:{}", free(LOOPBACK)));
            scratch.write("version", "table_name(string) table_version(int)\n");
            let config = include_str!("hep.cfg").replace("DATABASE", &format!("\"text://{folder}\""));
            let config = scratch.write("hep.cfg", &config);
            let (pid, listen) = (scratch.file("pid"), format!("udp:{place}"));
            let words = ["-f", word(&config), "-l", &listen, "-DD", "-E", "-Y", folder, "-P", word(&pid)];
            let mut process = Process::start("kamailio", &words, &scratch);
            let log = scratch.file("kamailio.log");
            process.await_ready(|| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("the collector is ready")))?;
            Ok(Self {
                process,
                place,
                _scratch: scratch,
            })
        })
    }

    /// What came inside, in order.
    fn came(&self) -> Vec<String> {
        let log = self.process.log();
        log.lines()
            .filter_map(|line| line.split_once("came: "))
            .map(|(_, came)| came.to_owned())
            .collect()
    }
}

#[test]
fn kamailio_reads_what_homer_gets() {
    let (lab, collector) = (Lab::start(PASSWORD, &[]), Collector::start());
    let mut before = 0;
    for (transport, protocol) in [("udp", "udp"), ("tcp", "tcp"), ("tls", "tcp")] {
        let words = [
            "probe",
            &lab.alice(transport),
            "--transport",
            transport,
            "--insecure",
            "--hep",
            &collector.place,
        ];
        let output = run(PASSWORD, &words);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
        await_that(|| collector.came().len() >= before + 6);
        let came = collector.came();
        let (ours, theirs) = (&came[before..], lab.address(transport));
        assert!(ours.iter().all(|came| came.ends_with(&format!(" by {protocol}"))), "{ours:?}");
        let starts = ["REGISTER 1", "401 1", "REGISTER 2", "200 2", "REGISTER 3", "200 3"];
        for (came, start) in ours.iter().zip(starts) {
            assert!(came.starts_with(&format!("{start} from 127.0.0.1:")), "{ours:?}");
        }
        assert!(ours[1].contains(theirs) && !ours[0].contains(theirs), "{ours:?}");
        before += 6;
    }
}

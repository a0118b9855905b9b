//! However a run ends, its file is whole: after Ctrl-C, after `kill -9`, and when nothing was ever said.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::lab::{Lab, command, interrupt, run, text};
use crate::support::hostile::Hostile;
use crate::support::port;
use crate::{PASSWORD, fresh, packets, said, tshark, word};

#[test]
fn after_kill_9_everything_that_was_said_before_is_there() {
    let mut lab = Lab::start(PASSWORD, &["--fault", "provisional"]);
    let file = fresh("killed.pcapng");
    let alice = lab.alice("udp");
    let mut child = command(PASSWORD, &["probe", &alice, "--timeout", "30s", "--pcap", word(&file)])
        .spawn()
        .unwrap();
    lab.line_with("REGISTER");
    // The reply is on its way; it is in the file soon, and a whole file it is at any time.
    let until = Instant::now() + Duration::from_secs(20);
    while packets(&file, &["-Y", "sip.Status-Code == 100"]).is_empty() {
        assert!(Instant::now() < until, "the reply is not there: {}", tshark(&file, &[]));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let packets = packets(&file, &[]);
    assert_eq!(said(&packets)[0], ("REGISTER", "register: REGISTER 1, without credentials"));
    assert_eq!(packets[1].what, "100");
}

#[test]
fn after_ctrl_c_the_removal_is_in_it_too() {
    let mut lab = Lab::start(PASSWORD, &["--fault", "delay=60s;after=3"]);
    let file = fresh("interrupted.pcapng");
    let alice = lab.alice("tcp");
    let words = ["probe", &alice, "--transport", "tcp", "--timeout", "30s", "--pcap", word(&file)];
    let child = command(PASSWORD, &words).spawn().unwrap();
    lab.line_with(": 200, ");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stdout));
    let packets = packets(&file, &[]);
    assert!(
        packets.iter().any(|packet| packet.comment.starts_with("unregister: ")),
        "{packets:#?}"
    );
}

#[test]
fn a_run_that_said_nothing_leaves_an_empty_file_that_can_be_read() {
    let file = fresh("empty.pcapng");
    let nobody = format!("alice@{}", port::closed());
    let output = run(PASSWORD, &["probe", &nobody, "--transport", "tcp", "--pcap", word(&file)]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(packets(&file, &[]), []);
    assert!(fs::metadata(&file).unwrap().len() > 0);
}

#[test]
fn a_pipe_can_take_it_as_it_happens() {
    let lab = Lab::start(PASSWORD, &[]);
    let pipe = fresh("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reading = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read(pipe).unwrap())
    };
    assert_eq!(crate::probe(&lab, "udp", &pipe, &[]).status.code(), Some(0));
    let copy = fresh("copy.pcapng");
    fs::write(&copy, reading.join().unwrap()).unwrap();
    assert_eq!(packets(&copy, &[]).len(), 6);
}

#[test]
fn a_pipe_that_nobody_reads_is_told_of_and_waited_for() {
    let lab = Lab::start(PASSWORD, &[]);
    let pipe = fresh("later");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut child = command(PASSWORD, &["probe", &lab.alice("udp"), "--pcap", word(&pipe)])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.ends_with("waits until something reads from this pipe\n"), "{line}");
    let copy = fresh("later.pcapng");
    fs::write(&copy, fs::read(&pipe).unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(packets(&copy, &[]).len(), 6);
}

#[test]
fn a_reader_that_goes_away_is_told_and_changes_nothing_else() {
    let (gone, is_gone) = mpsc::channel::<()>();
    let peer = Hostile::udp(move |request, line| {
        // Nothing is ever sent: it ends when the reader has gone.
        let _ = is_gone.recv();
        line.send(request.granted());
    });
    let pipe = fresh("closed");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reading = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            // The section's header, and then no more.
            let mut start = [0; 8];
            std::io::Read::read_exact(&mut fs::File::open(pipe).unwrap(), &mut start).unwrap();
            drop(gone);
        })
    };
    let alice = format!("sip:alice@{}", peer.address());
    let output = run(PASSWORD, &["probe", &alice, "--transport", "udp", "--pcap", word(&pipe)]);
    reading.join().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains(word(&pipe)) && errors.contains("the run went on without it"),
        "{errors}"
    );
}

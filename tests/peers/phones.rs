//! `regprobe registrar` as the lab PBX of phones that share no code with us: sipsak and baresip register to it.

use std::path::PathBuf;
use std::process::Command;
use std::{fs, iter};

use crate::lab::Lab;
use crate::support::process::{Process, find};
use crate::support::run::Run;
use crate::support::scratch::Scratch;

#[test]
fn sipsak_registers_by_md5() {
    let lab = Lab::start("secret", &["--algorithm", "MD5"]);
    let registrar = lab.alice("udp");
    let sipsak = |password: &str| {
        let contact = "sip:alice@127.0.0.1:7777";
        let mut sipsak = Command::new(find("sipsak"));
        sipsak.args([
            "-U", "-i", "-vvv", "-s", &registrar, "-C", contact, "-a", password, "-u", "alice", "-x", "300",
        ]);
        sipsak.output().unwrap()
    };
    assert_ne!(sipsak("wrong").status.code(), Some(0));
    let output = sipsak("secret");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let bindings = Run::new(&["bindings", &registrar]).report().done();
    assert_eq!(bindings.contacts(), ["sip:alice@127.0.0.1:7777"]);
}

/// baresip with one account, once it says what `word` is in.
fn baresip(account: &str, word: &str) -> Result<String, String> {
    let scratch = Scratch::new("baresip");
    scratch.write(
        "config",
        &format!(
            "net_interface 127.0.0.1\nsip_listen 127.0.0.1:0\nmodule_path {}\nmodule_app account.so\n",
            modules()
        ),
    );
    scratch.write("accounts", account);
    let directory = scratch.path().to_str().unwrap().to_owned();
    let mut baresip = Process::start("baresip", &["-f", &directory], &scratch);
    let log = scratch.file("baresip.log");
    let read = || fs::read_to_string(&log).unwrap_or_default();
    baresip.await_ready(|| read().contains(word))?;
    Ok(read())
}

/// Where baresip's modules are: some Debian releases keep them in a directory of the architecture's.
fn modules() -> String {
    let below = fs::read_dir("/usr/lib").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders = iter::once(PathBuf::from("/usr/lib"))
        .chain(below)
        .map(|folder| folder.join("baresip/modules"));
    let found = folders.find(|folder| folder.join("account.so").is_file());
    let found = found.expect("baresip is not installed; scripts/install-peers installs what the tests need");
    found.to_str().unwrap().to_owned()
}

#[test]
fn baresip_registers_over_udp_and_tcp() {
    let lab = Lab::start("secret", &["--algorithm", "MD5"]);
    for transport in ["udp", "tcp"] {
        let address = lab.address(transport);
        let account = format!("<sip:alice@{address};transport={transport}>;auth_pass=secret;regint=300\n");
        baresip(&account, "200 OK (regprobe registrar)").unwrap_or_else(|failure| panic!("{failure}{}", lab.said));
        let bindings = Run::new(&["bindings", &lab.alice("udp")]).report().done();
        assert!(
            bindings.contacts().iter().any(|contact| contact.starts_with("sip:alice")),
            "{bindings}"
        );
    }
}

#[test]
fn baresip_with_a_wrong_password_is_refused() {
    let lab = Lab::start("secret", &["--algorithm", "MD5"]);
    let account = format!("<sip:alice@{}>;auth_pass=wrong;regint=300\n", lab.address("udp"));
    let log = baresip(&account, "401 Unauthorized").unwrap();
    assert!(!log.contains("200 OK"), "{log}");
}

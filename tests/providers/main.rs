//! `regprobe providers` as people and scripts meet it: the real program against APIs that record what they are asked. Which requests a
//! client makes, and what it makes of every answer, is tested in `regprobe-providers`.

#![allow(clippy::unwrap_used, reason = "in a test program a failed unwrap is a failed test")]

mod connections;
mod engines;
mod evidence;
mod keys;
#[path = "../lab/mod.rs"]
mod lab;
#[path = "../../crates/providers/tests/engines/line_server.rs"]
mod line_server;
mod portals;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

use std::process::{Command, Stdio};

use serde_json::Value;
use support::api::Api;
use support::http::Message;

/// Blanks, reserved and non-ASCII characters, so that every encoding of it looks different.
const SIP_PASSWORD: &str = "c4nary p@ss/w0rd+\u{e9}";
/// What a header can carry.
const KEY: &str = "KEY-c4nary-0123456789abcdef";

/// The program with nothing but these variables in its environment, and nobody to ask.
fn regprobe(words: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regprobe"));
    command.arg("providers").args(words).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run of the program came to.
#[derive(Debug)]
struct Done {
    status: i32,
    output: String,
    errors: String,
}

impl Done {
    /// Runs it to its end. No secret of the tests is in what it writes.
    #[track_caller]
    fn of(mut command: Command) -> Self {
        let output = command.output().expect("the program was built together with this test");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("all output is UTF-8");
        let done = Self {
            status: output.status.code().expect("nobody killed it"),
            output: text(output.stdout),
            errors: text(output.stderr),
        };
        let said = format!("{}{}", done.output, done.errors);
        support::secrets::assert_clean(&format!("{command:?}"), &said, &[SIP_PASSWORD, KEY]);
        done
    }

    /// What it wrote, when it worked and had nothing else to say.
    #[track_caller]
    fn text(&self) -> &str {
        assert_eq!((self.status, &*self.errors), (0, ""), "{self:?}");
        &self.output
    }

    /// The same as JSON.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It failed with this status, wrote nothing to standard output, and said all of this.
    #[track_caller]
    fn failed(&self, status: i32, said: &[&str]) {
        assert_eq!((self.status, &*self.output), (status, ""), "{self:?}");
        assert!(self.errors.starts_with("error: "), "{self:?}");
        // The advice may be wrapped anywhere.
        let unwrapped = self.errors.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in said {
            assert!(self.errors.contains(part) || unwrapped.contains(part), "{part:?}: {self:?}");
        }
    }
}

/// Asks a stub in place of Telnyx.
#[track_caller]
fn telnyx(api: &Api, words: &[&str]) -> Done {
    let words: Vec<_> = ["telnyx"].iter().chain(words).copied().collect();
    let url = api.url("/v2");
    let variables = [("TELNYX_API_KEY", KEY), ("TELNYX_BASE_URL", &*url), ("PBX_PASSWORD", SIP_PASSWORD)];
    Done::of(regprobe(&words, &variables))
}

/// The request lines, without the version of HTTP.
fn lines(api: &Api) -> Vec<String> {
    let line = |request: Message| request.start.trim_end_matches(" HTTP/1.1").to_owned();
    api.requests().into_iter().map(line).collect()
}

/// The body of a request.
fn body(request: &Message) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// A file with the password at the PBX that nobody else can read.
fn password_file() -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = lab::scratch("pbx.secret", SIP_PASSWORD.as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

//! What a UAC connection is to be, from the arguments. Each value that Telnyx would refuse is refused here, with the option that it came
//! from, before anything is sent.

use regprobe_providers::telnyx::{Invalid, UacChanges};

use crate::args::providers::telnyx::SettingArgs;
use crate::clients::Clients;
use crate::failure::Failure;
use crate::providers::{password, wrong};

/// The changes that the arguments name. Reads the passwords that they name, and nothing else.
///
/// # Errors
/// [`Failure`] for a value that Telnyx would refuse, and for a password that cannot be read.
pub(super) fn changes(args: &SettingArgs, clients: &Clients) -> Result<UacChanges, Failure> {
    let mut changes = registration(args)?;
    if let Some(active) = args.active {
        changes = changes.active(active);
    }
    for (name, value) in &args.set {
        changes = changes.other(name, value.clone()).map_err(named("--set"))?;
    }
    let at_pbx = password(
        "--password-file",
        args.password_file.as_deref(),
        args.password_env.as_deref(),
        clients,
    )?;
    if let Some(password) = at_pbx {
        changes = changes.external_password(password).map_err(named("the password at the PBX"))?;
    }
    let file = args.telnyx_password_file.as_deref();
    let at_telnyx = password("--telnyx-password-file", file, args.telnyx_password_env.as_deref(), clients)?;
    match at_telnyx {
        Some(password) => changes.password(password).map_err(named("the password at Telnyx")),
        None => Ok(changes),
    }
}

/// Whether the arguments set the password at Telnyx.
pub(super) const fn names_telnyx_password(args: &SettingArgs) -> bool {
    args.telnyx_password_file.is_some() || args.telnyx_password_env.is_some()
}

/// Everything that is checked, but passwords.
fn registration(args: &SettingArgs) -> Result<UacChanges, Failure> {
    type Set = fn(UacChanges, &str) -> Result<UacChanges, Invalid>;
    let texts: [(&'static str, &Option<String>, Set); 7] = [
        ("--proxy", &args.proxy, |changes, text| changes.proxy(text)),
        ("--outbound-proxy", &args.outbound_proxy, |changes, text| {
            changes.outbound_proxy(or_away(text))
        }),
        ("--username", &args.username, |changes, text| changes.username(text)),
        ("--auth-username", &args.auth_username, |changes, text| {
            changes.auth_username(or_away(text))
        }),
        ("--from-user", &args.from_user, |changes, text| changes.from_user(or_away(text))),
        ("--destination-uri", &args.destination_uri, |changes, text| {
            changes.destination_uri(text)
        }),
        ("--telnyx-username", &args.telnyx_username, |changes, text| changes.user_name(text)),
    ];
    let mut changes = UacChanges::default();
    for (option, text, set) in texts {
        if let Some(text) = text {
            changes = set(changes, text).map_err(named(option))?;
        }
    }
    if let Some(transport) = args.transport {
        changes = changes.transport(transport.into());
    }
    match args.expiration {
        Some(seconds) => changes.expiration(seconds).map_err(named("--expiration")),
        None => Ok(changes),
    }
}

/// An empty text takes a field away.
fn or_away(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn named(option: &'static str) -> impl Fn(Invalid) -> Failure {
    move |why| wrong(option, why.unnamed())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::providers::Provider;
    use crate::args::providers::telnyx::{Connections, Telnyx};
    use crate::args::{Cli, Command};
    use crate::secret::Surroundings;

    fn changed(words: &[&str]) -> Result<String, String> {
        let before = ["regprobe", "providers", "telnyx", "connections", "update", "7"];
        let cli = Cli::try_parse_from(before.iter().chain(words)).unwrap();
        let Command::Providers(Provider::Telnyx(Telnyx::Connections(Connections::Update(args)))) = cli.command else {
            panic!("{words:?}")
        };
        let surroundings = Surroundings {
            variable: |_| false,
            terminal: false,
        };
        let changes = changes(&args.settings, &Clients::new(surroundings));
        changes.map(|changes| format!("{changes:?}")).map_err(|failure| failure.to_string())
    }

    #[test]
    fn only_what_is_named_is_changed() {
        assert_eq!(changed(&[]).unwrap(), "UacChanges([])");
        let all = changed(&[
            "--outbound-proxy",
            "",
            "--transport",
            "tls",
            "--expiration",
            "600",
            "--active",
            "false",
            "--set",
            "tags=[]",
        ]);
        let all = all.unwrap();
        for name in ["outbound_proxy", "transport", "expiration_sec", "active", "tags"] {
            assert!(all.contains(name), "{all}");
        }
        assert!(!all.contains("password") && !all.contains("username"), "{all}");
    }

    #[test]
    fn a_value_that_telnyx_would_refuse_is_refused_by_its_option() {
        for (words, option) in [
            (["--proxy", "two words"], "--proxy: two words is none; write a host"),
            (["--username", "abc"], "--username: "),
            (["--from-user", "a b"], "--from-user: "),
            (["--destination-uri", "1006@pbx.example.com"], "--destination-uri: 1006@pbx"),
            (["--expiration", "0"], "--expiration: 0 would un-register; write a number"),
            (["--telnyx-username", "office-1"], "--telnyx-username: "),
            (["--set", "active=true"], "--set: active is checked"),
            (
                ["--password-env", "REGPROBE_TEST_NO_SUCH_VARIABLE"],
                "REGPROBE_TEST_NO_SUCH_VARIABLE: is not set",
            ),
        ] {
            let message = changed(&words).unwrap_err();
            assert!(message.starts_with(option), "{message}");
        }
    }
}

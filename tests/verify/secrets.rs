//! Canaries for every secret of a verification, its own and those that the APIs give out, in every output and error: the probe's
//! password, the keys, the webhook, Kamailio's `auth_password`, Bitrix24's `PASSWORD`.

use crate::at_once;
use crate::provider::{BITRIX24_PASSWORD, Provider, TELNYX_KEY, TELZINO_TOKEN, WEBHOOK_CODE};
use crate::situation::{Situation, Stage};
use crate::support::run::{Printed, Run};
use crate::support::secrets::assert_clean;

/// What the provider has for a password, in the situations in which it is a wrong one.
pub(crate) const AUTH_PASSWORD: &str = "c4nary auth_p@ss/w0rd+";
/// What the probe has for a password.
const PASSWORD: &str = "c4nary pr0be p@ss/w0rd+\u{e9}";

fn check(printed: &Printed) {
    let secrets = [PASSWORD, AUTH_PASSWORD, TELNYX_KEY, TELZINO_TOKEN, WEBHOOK_CODE, BITRIX24_PASSWORD];
    assert_clean(&printed.line, &format!("{}{}", printed.output, printed.errors), &secrets);
}

#[test]
fn no_secret_is_in_any_output_of_a_verification() {
    let situations = [Situation::Healthy, Situation::WrongPassword, Situation::DeadRegistrar];
    at_once(&situations, |&situation| {
        let stage = Stage::set(situation);
        at_once(&Provider::ALL, |&provider| {
            for output in [
                &["--output", "human", "--trace"][..],
                &["--output", "json", "--trace"],
                &["--output", "json"],
                &["--output", "nagios"],
            ] {
                let (_api, run) = provider.asked(&stage, situation);
                let run = run.password(PASSWORD).with(&["--grace", "50ms", "--timeout", "200ms"]);
                let printed = run.with(output).printed();
                assert!(!printed.output.is_empty(), "{printed:?}");
                check(&printed);
            }
        });
    });
}

#[test]
fn no_secret_is_in_what_is_said_about_an_api_that_refuses_it() {
    let stage = Stage::set(Situation::Healthy);
    for provider in [Provider::Telnyx, Provider::Telzino, Provider::Bitrix24] {
        for output in ["human", "json", "nagios"] {
            let (api, run) = provider.asked(&stage, Situation::Healthy);
            // Another secret than the API knows: the name that the variable has is set a second time, and the last one counts.
            let (name, value) = match provider {
                Provider::Kamailio | Provider::Telnyx => ("TELNYX_API_KEY", format!("x{TELNYX_KEY}")),
                Provider::Telzino => ("TELZINO_TOKEN", format!("x{TELZINO_TOKEN}")),
                Provider::Bitrix24 => ("BITRIX24_WEBHOOK", api.as_ref().unwrap().url(&format!("/rest/1/x{WEBHOOK_CODE}/"))),
            };
            let run = run.variable(name, &value).password(PASSWORD);
            let printed = run.with(&["--output", output, "--trace"]).printed();
            assert!(printed.output.contains("api_auth"), "{printed:?}");
            check(&printed);
        }
    }
}

#[test]
fn no_secret_is_in_the_refusal_of_a_command_line() {
    let webhook = format!("http://127.0.0.1:1/rest/1/{WEBHOOK_CODE}/extra/");
    for run in [
        Run::new(&["verify", "telnyx", "--connection-id", "x"]).variable("TELNYX_API_KEY", &format!("{TELNYX_KEY}\n{TELNYX_KEY}")),
        Run::new(&["verify", "bitrix24", "--reg-id", "5505"]).variable("BITRIX24_WEBHOOK", &webhook),
        Run::new(&["verify", "bitrix24", "--reg-id", "5505", "--webhook-file", "/nowhere"]),
        Run::new(&["verify", "telnyx", "--api-key", TELNYX_KEY]),
    ] {
        let printed = run.password(PASSWORD).printed();
        assert_eq!(printed.status, 2, "{printed:?}");
        check(&printed);
    }
}

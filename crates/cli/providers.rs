//! `regprobe providers`: the clients of the providers' APIs for people and scripts. What a provider says is shown as it is; whether it is
//! true is `verify`'s to find out.

mod asterisk;
mod bitrix24;
mod freeswitch;
mod kamailio;
mod opensips;
mod refusal;
mod telnyx;
mod telzino;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use regprobe_providers::{Answer, ApiError, Listed, SourceKind, Word};
use secrecy::SecretString;
use serde::Serialize;

use crate::args::providers::{Form, Provider};
use crate::clients::{self, Clients};
use crate::failure::Failure;
use crate::output::objects::{self, Registration};
use crate::output::{self, json};
use crate::run::drive;
use crate::secret::{Source, Surroundings};
use crate::{exit, signals, style};

pub(crate) use refusal::Refusal;

/// Carries `regprobe providers` out; the exit status.
///
/// # Errors
/// [`Failure::Api`] when the API gives no usable answer, any other when it does not come to a question.
pub(crate) fn run(provider: &Provider, surroundings: Surroundings) -> Result<u8, Failure> {
    let clients = &mut Clients::new(surroundings);
    match provider {
        Provider::Telnyx(args) => telnyx::run(args, clients),
        Provider::Telzino(args) => telzino::run(args, clients),
        Provider::Bitrix24(args) => bitrix24::run(args, clients),
        Provider::Opensips(args) => opensips::run(args, clients),
        Provider::Kamailio(args) => kamailio::run(args, clients),
        Provider::Freeswitch(args) => freeswitch::run(args, clients),
        Provider::Asterisk(args) => asterisk::run(args, clients),
    }
}

/// Asks, until there is an answer or Ctrl-C.
fn ask<T>(kind: SourceKind, question: impl Future<Output = Result<T, ApiError>>) -> Result<T, Failure> {
    until_interrupted(question)?.map_err(|error| Box::new(Refusal::of(kind, &error)).into())
}

/// Runs a question to its end. Nothing has to be cleaned up, so the first Ctrl-C ends it.
fn until_interrupted<T>(question: impl Future<Output = T>) -> Result<T, Failure> {
    drive(async {
        tokio::select! {
            answer = question => Ok(answer),
            () = signals::ended() => Err(Failure::Interrupted),
        }
    })?
}

/// Shows what came, as asked for.
fn show(form: Form, value: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<u8, Failure> {
    let text = match form {
        Form::Human => for_people(),
        Form::Json => json::render(value, io::stdout().is_terminal()),
    };
    output::print(text.as_bytes())?;
    Ok(exit::SUCCESS)
}

/// Asks for one registration and shows what is said about it.
fn show_answer(form: Form, object: &str, question: impl Future<Output = Answer>) -> Result<u8, Failure> {
    let answer = until_interrupted(question)?;
    if let Some(refusal) = Refusal::in_answer(object, &answer) {
        if form == Form::Json && refusal.has_answer() {
            show(form, &answer, String::new)?;
        }
        return Err(Box::new(refusal).into());
    }
    show(form, &answer, || objects::answer(object, &answer, style()))?;
    Ok(if answer.word == Word::NotFound {
        exit::NOT_FOUND
    } else if objects::is_useless(&answer.word) {
        exit::NO_ANSWER
    } else {
        exit::SUCCESS
    })
}

/// Asks for all registrations and shows them.
fn show_registrations(
    form: Form,
    kind: SourceKind,
    thing: &str,
    question: impl Future<Output = Result<Vec<Listed>, ApiError>>,
) -> Result<u8, Failure> {
    let all = ask(kind, question)?;
    let for_json: Vec<_> = all.iter().map(Registration::of).collect();
    show(form, &for_json, || objects::registrations(&all, thing))
}

/// A password that is set up at a provider: from a file, or from a variable that somebody has named.
fn password(option: &'static str, file: Option<&Path>, variable: Option<&str>, clients: &Clients) -> Result<Option<SecretString>, Failure> {
    let source = match variable {
        Some(variable) => Source::Environment(variable.to_owned()),
        None => Source::of_key(option, file, ("", ""), clients.surroundings()),
    };
    clients::read(&source)
}

/// A value that a client refuses before anything is sent, with the option that it came from.
fn wrong(option: &str, why: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{option}: {why}"))
}

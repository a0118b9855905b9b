//! How Bitrix24 is shown who asks: an incoming webhook, whose URL is the secret, or an OAuth token, which goes into the body.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{ClientOptions, SetupError, Url, base_url};

/// What a client shows.
#[derive(Clone)]
pub enum Access {
    /// An incoming webhook; [`webhook`] reads one.
    Webhook {
        /// The number of the user who made it.
        user: u64,
        /// Its code.
        code: SecretString,
    },
    /// The access token of an application.
    Token(SecretString),
}

/// Why a text is no webhook. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's URL looks like https://portal.bitrix24.com/rest/1/code/")]
pub struct NoWebhook;

/// Takes the URL of an incoming webhook apart: the portal's URL, which may be shown, and what may not.
///
/// # Errors
/// [`NoWebhook`].
pub fn webhook(url: &SecretString) -> Result<(Url, Access), NoWebhook> {
    let text = url.expose_secret().trim().trim_end_matches('/');
    let (above, code) = text.rsplit_once('/').ok_or(NoWebhook)?;
    let (above, user) = above.rsplit_once('/').ok_or(NoWebhook)?;
    let portal = above.strip_suffix("/rest").ok_or(NoWebhook)?;
    if !is_code(code) || !user.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NoWebhook);
    }
    let access = Access::Webhook {
        user: user.parse().map_err(|_| NoWebhook)?,
        code: SecretString::from(code),
    };
    Ok((base_url(portal).map_err(|_| NoWebhook)?, access))
}

impl Access {
    /// What is asked below which URL with which secret in its path.
    pub(super) fn place(&self, mut options: ClientOptions) -> Result<(ClientOptions, Option<SecretString>), SetupError> {
        let portal = options.base_url.path().trim_end_matches('/').to_owned();
        match self {
            Self::Webhook { user, code } if is_code(code.expose_secret()) => {
                options.base_url.set_path(&format!("{portal}/rest/{user}"));
                Ok((options, Some(code.clone())))
            }
            Self::Webhook { .. } => Err(SetupError::Secret("the code of a webhook is letters and digits".to_owned())),
            Self::Token(token) if token.expose_secret().trim().is_empty() => {
                Err(SetupError::Secret("the access token of Bitrix24 is empty".to_owned()))
            }
            Self::Token(_) => {
                options.base_url.set_path(&format!("{portal}/rest"));
                Ok((options, None))
            }
        }
    }
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook { user, .. } => f.debug_struct("Webhook").field("user", user).finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token(***)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(Url, Access), NoWebhook> {
        webhook(&SecretString::from(url))
    }

    fn placed(access: &Access, portal: &str) -> Result<(String, Option<SecretString>), SetupError> {
        let placed = access.place(ClientOptions::new(portal.parse().unwrap()));
        placed.map(|(options, secret)| (options.base_url.to_string(), secret))
    }

    #[test]
    fn a_webhook_is_a_portal_a_user_and_a_code() {
        for url in [
            "https://portal.bitrix24.com/rest/17/canary8h2k/",
            " https://portal.bitrix24.com/rest/17/canary8h2k\n",
        ] {
            let (portal, access) = read(url).unwrap();
            assert_eq!(portal.as_str(), "https://portal.bitrix24.com/");
            let (url, secret) = placed(&access, portal.as_str()).unwrap();
            assert_eq!(url, "https://portal.bitrix24.com/rest/17");
            assert_eq!(secret.unwrap().expose_secret(), "canary8h2k");
            assert!(!format!("{access:?}").contains("canary"));
        }
        let (portal, access) = read("https://intranet.example.com/portal/rest/1/canary/").unwrap();
        assert_eq!(
            placed(&access, portal.as_str()).unwrap().0,
            "https://intranet.example.com/portal/rest/1"
        );
    }

    #[test]
    fn what_is_no_webhook_is_refused_without_being_shown() {
        for url in [
            "",
            "canary",
            "https://portal.bitrix24.com",
            "https://portal.bitrix24.com/rest/1/",
            "https://portal.bitrix24.com/rest/one/canary/",
            "https://portal.bitrix24.com/rest//canary/",
            "https://portal.bitrix24.com/rest/99999999999999999999/canary/",
            "https://portal.bitrix24.com/rest/1/canary/profile.json",
            "https://portal.bitrix24.com/rest/1/canary?x=1",
            "https://portal.bitrix24.com/rest/1/canary%2F..",
            "https://user:canary@portal.bitrix24.com/rest/1/canary/",
            "portal.bitrix24.com/rest/1/canary/",
            "/rest/1/canary/",
        ] {
            let error = read(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{url}");
        }
    }

    #[test]
    fn a_token_goes_below_rest_and_an_unusable_secret_nowhere() {
        let token = Access::Token("canary".to_owned().into());
        assert_eq!(
            placed(&token, "https://portal.bitrix24.com").unwrap().0,
            "https://portal.bitrix24.com/rest"
        );
        assert!(!format!("{token:?}").contains("canary"));
        let code = |code: &str| Access::Webhook {
            user: 1,
            code: SecretString::from(code),
        };
        for bad in [code(""), code("can/ary"), code("../canary"), Access::Token(" ".to_owned().into())] {
            let error = placed(&bad, "https://portal.bitrix24.com").unwrap_err();
            assert!(matches!(&error, SetupError::Secret(why) if !why.contains("canary")), "{error}");
        }
    }
}

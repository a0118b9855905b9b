//! Where an answer sends us, and whether we go there (RFC 9110 §15.4): only to the same scheme, host and port, because credentials go
//! along; and only in ways in which a request stays what it is.

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, Url};

use super::ApiTrouble;
use super::failure::Failure;

/// The next place to ask, when the answer is a redirect to be followed; `None` when it is no redirect.
///
/// # Errors
/// A redirect that is not followed, named without its path, which may be secret.
pub(super) fn next(method: &Method, status: u16, headers: &HeaderMap, from: &Url) -> Result<Option<Url>, Failure> {
    if !(300..400).contains(&status) {
        return Ok(None);
    }
    let refused = |detail: String| Failure::new(ApiTrouble::Redirected, detail).with_status(status);
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Err(refused("a redirect of a kind that nobody follows".to_owned()));
    }
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| from.join(location).ok());
    let target = target.ok_or_else(|| refused("redirected without a word where to".to_owned()))?;
    if target.origin() != from.origin() || !target.username().is_empty() || target.password().is_some() {
        let origin = origin(&target);
        return Err(refused(format!(
            "redirected to {origin}, which is another place; nothing was sent there"
        )));
    }
    // RFC 9110 §15.4.4: after 303 a GET is sent, and after 301 and 302 many do the same.
    if !matches!(status, 307 | 308) && *method != Method::GET {
        return Err(refused(format!("redirected in a way that would make a GET of the {method}")));
    }
    Ok(Some(target))
}

/// Scheme, host and port, as people write them.
fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(method: &Method, status: u16, location: &str) -> Result<Option<String>, String> {
        let from = "https://api.example.com/v2/a?b=c".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())]);
        next(method, status, &headers, &from)
            .map(|target| target.map(String::from))
            .map_err(|failure| failure.detail)
    }

    #[test]
    fn the_same_place_is_followed_by_every_way_of_writing_it() {
        for (location, target) in [
            ("/v3/a", "https://api.example.com/v3/a"),
            ("d", "https://api.example.com/v2/d"),
            ("https://api.example.com:443/x", "https://api.example.com/x"),
            ("//API.example.com/x?y=z", "https://api.example.com/x?y=z"),
        ] {
            assert_eq!(outcome(&Method::GET, 302, location), Ok(Some(target.to_owned())), "{location}");
        }
    }

    #[test]
    fn another_scheme_host_port_or_user_is_named_and_not_followed() {
        for (location, named) in [
            ("http://api.example.com/canary", "http://api.example.com"),
            ("https://api.example.com:8443/canary", "https://api.example.com:8443"),
            ("https://evil.example.net/canary?token=canary", "https://evil.example.net"),
            ("//evil.example.net", "https://evil.example.net"),
            (r"https:\\evil.example.net\canary", "https://evil.example.net"),
            (
                "https://api.example.com.evil.example.net/",
                "https://api.example.com.evil.example.net",
            ),
            ("https://canary:canary@api.example.com/", "https://api.example.com"),
            ("https://api.example.com@evil.example.net/", "https://evil.example.net"),
            ("javascript:canary", "javascript://no host"),
        ] {
            let words = outcome(&Method::GET, 307, location).unwrap_err();
            assert!(
                words.contains(&format!("{named},")) && !words.contains("canary"),
                "{location}: {words}"
            );
        }
    }

    #[test]
    fn a_request_stays_what_it_is() {
        for status in [301, 302, 303] {
            assert!(outcome(&Method::POST, status, "/x").unwrap_err().contains("GET of the POST"));
            assert!(outcome(&Method::GET, status, "/x").is_ok());
        }
        for status in [307, 308] {
            assert!(outcome(&Method::POST, status, "/x").is_ok());
        }
        for status in [300, 304, 305, 399] {
            assert!(outcome(&Method::GET, status, "/x").is_err());
        }
        assert_eq!(outcome(&Method::GET, 200, "/x"), Ok(None));
        assert!(outcome(&Method::GET, 302, "https://").unwrap_err().contains("where to"));
    }
}

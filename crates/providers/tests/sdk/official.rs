//! Running a provider's SDK: a small script beside this file, the installed package, and the server that it is pointed at.

use std::path::{Path, PathBuf};
use std::process::Command;

use regprobe_providers::Url;

/// An installed SDK.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sdk {
    /// From npm: package and version.
    Npm(&'static str, &'static str),
    /// From PyPI: package and version.
    Pypi(&'static str, &'static str),
}

impl Sdk {
    /// Runs `script`, which stands beside this file, with the URL as its first argument and `more` after it, and gives what it
    /// prints. A script for npm finds its package by `createRequire(process.env.SDK_FOLDER + '/')`.
    pub(crate) fn run(self, script: &str, server: &Url, more: &[&str]) -> String {
        self.run_trusting(None, script, server, more)
    }

    /// The same with a PEM file of the certificates to trust, named in every way in which the SDKs' libraries look for one.
    pub(crate) fn run_trusting(self, authority: Option<&Path>, script: &str, server: &Url, more: &[&str]) -> String {
        let place = self.place();
        assert!(
            place.join("installed").exists(),
            "{self:?} is not installed in {}; run scripts/install-peers",
            place.display()
        );
        let program = match self {
            Self::Npm(..) => PathBuf::from("node"),
            Self::Pypi(..) => place.join("bin/python"),
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(script);
        let output = Command::new(&program)
            .arg(script)
            .arg(server.as_str())
            .args(more)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"))
            .envs(authority.into_iter().flat_map(|file| TRUST.map(|name| (name, file))))
            .env("SDK_FOLDER", &place)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        assert!(
            output.status.success(),
            "{self:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where `scripts/install-sdks` puts it.
    fn place(self) -> PathBuf {
        let (registry, package, version) = match self {
            Self::Npm(package, version) => ("npm", package, version),
            Self::Pypi(package, version) => ("pypi", package, version),
        };
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let name = format!("{}@{version}", package.replace('/', "+"));
        target.join("sdk").join(registry).join(name)
    }
}

/// Where Node.js, Python's requests and Python itself look for certificates.
const TRUST: [&str; 3] = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

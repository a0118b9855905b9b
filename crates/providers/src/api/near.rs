//! Names of servers whose answers hold secrets, over plain HTTP: looked up by the system, and of what they lead to only this machine and
//! private networks are asked (RFC 1918, RFC 4193). Not for TLS, which needs no such care.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::is_near_address;

/// Finds addresses nearby, and no others.
pub(super) struct Near;

impl Resolve for Near {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            nearby(found).ok_or_else(|| FAR.into())
        })
    }
}

fn nearby(found: impl Iterator<Item = SocketAddr>) -> Option<Addrs> {
    let near: Vec<_> = found.filter(|address| is_near_address(address.ip())).collect();
    (!near.is_empty()).then(|| Box::new(near.into_iter()) as Addrs)
}

const FAR: &str = "none that may be asked over plain http, since its answers show a password to everybody on the way; write https, or reach \
                   it through a tunnel at an address of this machine or of a private network";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_nearby_are_found() {
        let found = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            nearby(addresses.into_iter()).map(|near| near.map(|address| address.to_string()).collect::<Vec<_>>())
        };
        let mixed = found(&["192.0.2.1:0", "127.0.0.1:0", "[2001:db8::1]:0", "[fd00::1]:0"]);
        assert_eq!(mixed.unwrap(), ["127.0.0.1:0", "[fd00::1]:0"]);
        assert_eq!((found(&["192.0.2.1:0"]), found(&[])), (None, None));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_by_the_system() {
        let found = Near.resolve("localhost".parse().unwrap()).await.ok().unwrap();
        assert!(found.map(|address| address.ip()).all(|address| address.is_loopback()));
    }
}

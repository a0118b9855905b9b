//! The program's own address changes, or its host moves behind a NAT, while it keeps a registration.

use crate::support::wait::await_that;
use crate::way::{Means, Way};

const ALICE: &str = "sip:alice@example.test";

#[test]
fn a_watch_registers_from_the_new_address_when_its_own_is_replaced() {
    Way::each("udp", &["--min-expires", "1", "--max-expires", "2"], |way| {
        let mut watch = way.watch(&["--retry", "200ms", "--timeout", "700ms"]);
        watch.registered(ALICE);
        watch.forget();
        let before = way.registrar.requests("alice");
        match &mut way.means {
            Means::Wires(wires) => {
                wires.client.ip("address del 192.0.2.10/24 dev lan");
                let failed = watch.failed(ALICE, "unreachable");
                let detail = failed["detail"].as_str().unwrap();
                assert!(
                    detail.contains("does not have the address 192.0.2.10 any more") || detail.contains("no route"),
                    "{failed}"
                );
                wires.client.ip("address add 192.0.2.11/24 dev lan");
                wires.client.ip("route add default via 192.0.2.1");
                watch.registered(ALICE);
                await_that(|| way.registrar.log().contains("192.0.2.11"));
            }
            // The nearest that a proxy can do: the registrar sees another address, and the registration holds.
            Means::Datagrams(proxy) => {
                proxy.rebind();
                await_that(|| way.registrar.requests("alice") >= before + 2);
            }
            Means::Streams(_) => unreachable!("it goes by UDP"),
        }
        let ended = watch.terminate();
        assert_eq!((ended.status, way.registrar.bound("alice")), (0, 0), "{}", ended.errors);
    });
}

//! The scripts that measure still work. What they measure is another matter: a debug build beside other tests has no figures.

use std::path::Path;
use std::process::Command;

#[test]
fn every_tool_registers_over_every_transport_against_both_registrars() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench-peers");
    let output = Command::new(script)
        .args(["--quick", "--regprobe", env!("CARGO_BIN_EXE_regprobe")])
        .output()
        .expect("python3 is installed");
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    for (server, transports) in [("the stateless responder", 5), ("Kamailio", 5)] {
        let start = said
            .find(&format!("Against {server}"))
            .unwrap_or_else(|| panic!("{server} is missing:\n{said}"));
        let table = said[start..].split("\n\n").nth(1).expect("a table follows");
        let ours = table.lines().filter(|line| line.contains("| regprobe |"));
        // The third cell is the rate: digits, where something was registered.
        let rates: Vec<_> = ours.filter_map(|line| line.split('|').nth(3)).map(str::trim).collect();
        let all = rates.iter().all(|rate| rate.parse::<f64>().is_ok_and(|rate| rate > 0.0));
        assert!(all && rates.len() == transports, "{rates:?}\n{told}");
        assert!(table.contains("| SIPp |"), "{table}");
    }
}

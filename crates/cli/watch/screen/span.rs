//! Durations in the room of a table's cell.

use std::time::Duration;

/// What is left: `4:59`, `1h02m`, `3d04h`.
pub(super) fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (0, hours, minutes, _) => format!("{hours}h{minutes:02}m"),
        (days, hours, _, _) => format!("{days}d{hours:02}h"),
    }
}

/// How long ago: `12s`, `3m`, `4h`, `5d`.
pub(super) fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A round trip: `0.3ms`, `12ms`, `1.2s`.
pub(super) fn round_trip(took: Duration) -> String {
    let milliseconds = took.as_secs_f64() * 1000.0;
    if milliseconds < 9.95 {
        format!("{milliseconds:.1}ms")
    } else if milliseconds < 999.5 {
        format!("{milliseconds:.0}ms")
    } else {
        format!("{:.1}s", took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fit_their_cells() {
        let seconds = Duration::from_secs;
        let milliseconds = Duration::from_millis;
        assert_eq!([0, 299, 3599].map(|n| countdown(seconds(n))), ["0:00", "4:59", "59:59"]);
        assert_eq!([3720, 273_600].map(|n| countdown(seconds(n))), ["1h02m", "3d04h"]);
        assert_eq!([59, 60, 7199, 90_000].map(|n| ago(seconds(n))), ["59s", "1m", "1h", "1d"]);
        assert_eq!(
            [12, 999, 1250, 32_000].map(|n| round_trip(milliseconds(n))),
            ["12ms", "999ms", "1.2s", "32.0s"]
        );
        assert_eq!(round_trip(Duration::from_micros(310)), "0.3ms");
    }
}

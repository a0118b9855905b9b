//! What a load cost this machine: processor time, memory, and datagrams that found a receive buffer full.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Processor time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Processor {
    /// In our own code.
    pub(crate) user: Duration,
    /// In the kernel's.
    pub(crate) system: Duration,
}

impl Processor {
    /// What this thread has used so far. Nothing where the system does not tell.
    pub(crate) fn of_thread() -> Self {
        Self::of(UsageWho::RUSAGE_THREAD)
    }

    fn of(who: UsageWho) -> Self {
        let duration = |time: TimeVal| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            let micros = u32::try_from(time.tv_usec()).unwrap_or_default();
            Duration::new(seconds, micros * 1000)
        };
        getrusage(who).map_or_else(
            |_| Self::default(),
            |usage| Self {
                user: duration(usage.user_time()),
                system: duration(usage.system_time()),
            },
        )
    }

    /// What was used since an earlier look.
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    /// Both together.
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }

    /// Of two threads.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
        }
    }
}

/// The most memory that this process ever had, in bytes. Not from getrusage(2), which counts what its parent had too.
pub(crate) fn peak_memory() -> Option<u64> {
    high_water(&fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:     5120 kB` of proc(5).
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// How many datagrams each UDP socket of this process has lost because its receive buffer was full, by the socket's inode. Empty
/// where the kernel does not tell.
pub(crate) fn receive_drops() -> BTreeMap<u64, u64> {
    let ours = own_sockets();
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let all = tables.iter().flat_map(|table| drops(table));
    all.filter(|(inode, _)| ours.contains(inode)).collect()
}

/// The inodes of this process' sockets.
fn own_sockets() -> BTreeSet<u64> {
    let Ok(descriptors) = fs::read_dir("/proc/self/fd") else {
        return BTreeSet::new();
    };
    let links = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter_map(|link| inode(link.to_str()?)).collect()
}

/// `socket:[4711]`.
fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The inodes and drops in a table of proc(5), whose first line is a heading.
fn drops(table: &str) -> impl Iterator<Item = (u64, u64)> {
    table.lines().skip(1).filter_map(|line| {
        let inode = line.split_ascii_whitespace().nth(9)?.parse().ok()?;
        let drops = line.split_ascii_whitespace().nth(12)?.parse().ok()?;
        Some((inode, drops))
    })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn the_table_of_sockets_is_read_by_its_columns() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n \
                     3406: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4711 2 0000000000000000 42\n\
                     short line\n";
        assert_eq!(drops(table).collect::<Vec<_>>(), [(4711, 42)]);
        assert_eq!(
            (inode("socket:[4711]"), inode("pipe:[1]"), inode("socket:[x]")),
            (Some(4711), None, None)
        );
    }

    #[test]
    fn a_socket_whose_buffer_was_full_shows_its_losses() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        // More than any usual receive buffer holds.
        for _ in 0..2000 {
            sender.send_to(&[0; 60_000], receiver.local_addr().unwrap()).unwrap();
        }
        let link = fs::read_link(format!("/proc/self/fd/{}", receiver.as_raw_fd())).unwrap();
        let ours = inode(link.to_str().unwrap()).unwrap();
        assert!(receive_drops()[&ours] > 0);
    }

    #[test]
    fn processor_time_and_memory_are_told() {
        let before = Processor::of_thread();
        let busy = (0..2_000_000_u64).fold(0, |sum: u64, number| std::hint::black_box(sum ^ number));
        std::hint::black_box(busy);
        let used = Processor::of_thread().since(before);
        assert!(used.total() > Duration::ZERO && used.join(used).total() == used.total() * 2);
        assert!(peak_memory().unwrap() > 100_000);
        assert_eq!(high_water("VmPeak:\t9 kB\nVmHWM:\t    5120 kB\n"), Some(5_242_880));
        assert_eq!((high_water("VmHWM: x kB"), high_water("")), (None, None));
    }
}

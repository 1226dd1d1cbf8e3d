//! What the system means by an error of `connect()`, or of the socket for it, that is about this machine and not about the
//! server: connect(2), ip(7) and ip-route(8) of Linux, "Windows Sockets Error Codes". Refusals, resets and silence have
//! rules of their own.

use std::io::ErrorKind;
use std::net::IpAddr;

use super::Fix;
use super::rule::Finding;
use super::view::View;
use crate::evidence::OsFailure;

/// Numbers of errors that Rust has no kind for, on this system.
struct Numbers {
    /// EAFNOSUPPORT
    family: i32,
    /// ENOBUFS
    buffers: i32,
}

const NUMBERS: Numbers = if cfg!(windows) {
    Numbers { family: 10047, buffers: 10055 }
} else if cfg!(target_os = "linux") {
    Numbers { family: 97, buffers: 105 }
} else {
    Numbers { family: 47, buffers: 55 }
};

/// A row: which error it is, and what to say of it. `{place}`, `{to}` and `{family}` are filled in.
struct Meaning {
    applies: fn(&OsFailure, IpAddr) -> bool,
    title: &'static str,
    short: &'static str,
    cause: &'static str,
    /// What to do, and the command for POSIX shells and for PowerShell.
    fixes: &'static [(&'static str, [&'static str; 2])],
    /// Whether it may pass by itself.
    passes: bool,
}

/// What has no command.
const NONE: [&str; 2] = ["", ""];

const MEANINGS: &[Meaning] = &[
    Meaning {
        applies: |failure, to| failure.kind == ErrorKind::AddrNotAvailable && to.is_ipv6(),
        title: "this machine has no IPv6 address from which to connect to {place}",
        short: "no IPv6 address here",
        cause: "the system has no source address of that kind: IPv6 is switched off here, as in many containers, or the interface \
                has no address; nothing was sent",
        fixes: &[
            ("here: set host to a name, or hostaddr to an address, of the server that is IPv4", NONE),
            (
                "here, if IPv6 is meant: see whether it is switched off (1) and which addresses there are; in Docker: enable_ipv6 of \
                 the network",
                [
                    "sysctl net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.lo.disable_ipv6; ip -6 address",
                    "Get-NetIPAddress -AddressFamily IPv6",
                ],
            ),
        ],
        passes: false,
    },
    Meaning {
        applies: |failure, _| {
            failure.kind == ErrorKind::AddrInUse
                || failure.kind == ErrorKind::AddrNotAvailable && !cfg!(windows)
        },
        title: "this machine has no local port left for a connection to {place}",
        short: "no local port left",
        cause: "each connection takes a local port until a minute after its end, and those for this server are used up: some program \
                here opens too many; nothing was sent",
        fixes: &[
            (
                "here: see which program has them; if most are TIME-WAIT, it opens one for each query: let it keep and reuse them (a \
                 pool); restarting it frees those that it holds",
                [
                    "sudo ss -Htanp dst {to} | awk '{print $1, $6}' | sort | uniq -c | sort -rn | head\n\
                     sysctl net.ipv4.ip_local_port_range",
                    "Get-NetTCPConnection -RemoteAddress {to} | Group-Object OwningProcess, State",
                ],
            ),
            (
                "here, until then: allow more local ports",
                [
                    "sudo sysctl -w net.ipv4.ip_local_port_range='10240 65535'",
                    "netsh int ipv4 set dynamicport tcp start=10000 num=55000",
                ],
            ),
        ],
        passes: true,
    },
    Meaning {
        applies: |failure, _| failure.kind == ErrorKind::InvalidInput && cfg!(target_os = "linux"),
        title: "a route of this machine discards what is sent to {to}",
        short: "a blackhole route",
        cause: "connect() fails with EINVAL where a route of type blackhole leads to the address; nothing was sent",
        fixes: &[(
            "here: find the route that has this address in its network, and who sets it (a VPN, Kubernetes' network, fail2ban, a \
             script); if it is not meant, remove it (in place of NETWORK)",
            [
                "ip route show table all type blackhole; ip -6 route show table all type blackhole; ip rule\n\
                 sudo ip route del blackhole NETWORK",
                "",
            ],
        )],
        passes: false,
    },
    Meaning {
        applies: |failure, _| failure.code == Some(NUMBERS.family),
        title: "this machine takes no {family} sockets",
        short: "no {family} here",
        cause: "its kernel was started without {family}, or a sandbox forbids it (RestrictAddressFamilies= of a systemd unit, seccomp); \
                nothing was sent",
        fixes: &[
            (
                "here: set host to a name, or hostaddr to an address, of the server that is of the other family",
                NONE,
            ),
            (
                "here, if {family} is meant: see whether ipv6.disable=1 is among the kernel's options, or what the program's unit allows \
                 (in place of UNIT)",
                ["cat /proc/cmdline\nsystemctl show UNIT -p RestrictAddressFamilies", ""],
            ),
        ],
        passes: false,
    },
    Meaning {
        applies: |failure, _| failure.kind == ErrorKind::NetworkDown,
        title: "the network interface towards {to} is down",
        short: "the network is down",
        cause: "the system has no interface that is up for this address; nothing was sent",
        fixes: &[(
            "here: bring up the interface that is named there (in place of DEV), or connect the VPN that it belongs to",
            ["ip route get {to}; ip link\nsudo ip link set dev DEV up", "Get-NetAdapter"],
        )],
        passes: true,
    },
    Meaning {
        applies: |failure, _| failure.kind == ErrorKind::OutOfMemory || failure.code == Some(NUMBERS.buffers),
        title: "this machine has no memory for another connection",
        short: "no memory for a socket",
        cause: "the system, or the limit of this container, has no memory left for sockets; nothing was sent",
        fixes: &[(
            "here: see who has the memory and the sockets, and end or restart it, or raise the container's limit",
            [
                "free -m; ss -s; sysctl net.ipv4.tcp_mem; cat /proc/net/sockstat",
                "Get-NetTCPConnection | Group-Object OwningProcess | Sort-Object Count",
            ],
        )],
        passes: true,
    },
];

/// What an error of this machine's own means; `None` for those that are about the way or the other end.
pub(super) fn of_this_machine(view: &View<'_>, failure: &OsFailure) -> Option<Finding> {
    let to = view.address()?;
    let found = MEANINGS.iter().find(|meaning| (meaning.applies)(failure, to))?;
    let filled = |text: &str| {
        text.replace("{place}", &view.place())
            .replace("{to}", &to.to_string())
            .replace("{family}", if to.is_ipv6() { "IPv6" } else { "IPv4" })
    };
    let fix = |(text, [posix, windows]): &(&str, [&str; 2])| {
        let command = if cfg!(windows) { windows } else { posix };
        let fix = Fix::text(filled(text));
        if command.is_empty() { fix } else { fix.run(filled(command)) }
    };
    // Whatever listens on the one mostly listens on the other.
    let loopback = (to == IpAddr::V6(std::net::Ipv6Addr::LOCALHOST))
        .then(|| Fix::text("here: connect to the IPv4 address of this machine").set("hostaddr", "127.0.0.1"));
    Some(
        Finding::titled(filled(found.title))
            .in_short(filled(found.short))
            .because(filled(found.cause))
            .answered(!found.passes)
            .fact("to", view.place())
            .fact("error", crate::text::printable(&failure.text))
            .fixes(loopback)
            .fixes(found.fixes.iter().map(fix)),
    )
}

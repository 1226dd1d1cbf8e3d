//! Networks of a test's own, with lost packets, closed ways and a resolver that does as told. The test runs again,
//! alone, in new network and mount namespaces; they end with it, whatever happens, and nothing of the machine changes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::home::Home;

/// Set where a test runs in its own network.
const INSIDE: &str = "PGTLS_TEST_NETWORK";

/// Runs the body in a network of its own that has loopback and nothing else. `name` is the test's, with its modules.
#[track_caller]
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return body();
    }
    for (program, package) in [("unshare", "util-linux"), ("ip", "iproute2"), ("nft", "nftables")] {
        let found =
            ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].iter().any(|at| Path::new(at).join(program).exists());
        assert!(found, "{program} is missing; install it with: apt-get install {package}");
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--fork", "--kill-child"]);
    // What is mounted inside cannot be removed there: it goes with this directory, once the namespaces are gone.
    let home = Home::new();
    if home.owner() != 0 {
        command.args(["--user", "--map-root-user"]);
    }
    let output = command
        .arg("--")
        .arg(std::env::current_exe().expect("this program's path"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env("TMPDIR", home.path())
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .expect("unshare runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        !stderr.contains("unshare failed"),
        "{stderr}this test needs network namespaces: run it as root, or allow them to everybody with: \
         sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"
    );
    assert!(output.status.success() && stdout.contains("1 passed"), "{name}:\n{stdout}\n{stderr}");
}

/// Runs `ip` with these words.
#[track_caller]
pub(crate) fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')));
}

/// Adds a rule for packets that come in, such as `tcp dport 5432 drop`.
#[track_caller]
pub(crate) fn filter(rule: &str) {
    let table = "add table inet test; add chain inet test in { type filter hook input priority 0; }";
    run(Command::new("nft").arg(format!("{table}; add rule inet test in {rule}")));
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the command runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A second network, joined to the first by a wire. It ends with the value.
pub(crate) struct SecondNetwork {
    keeper: Child,
}

impl SecondNetwork {
    /// This side is 10.9.0.1 and can send packets of 1500 bytes; the other is 10.9.0.2 and takes none of more than
    /// `largest`, without a word to the sender and without having told it so: a path MTU hole.
    pub(crate) fn a_wire_that_takes(largest: u16) -> Self {
        let ours = std::fs::read_link("/proc/self/ns/net").expect("this network");
        let keeper = Command::new("unshare")
            .args(["--net", "--", "sleep", "60"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare runs");
        let second = Self { keeper };
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::fs::read_link(second.network()).is_ok_and(|theirs| theirs == ours) {
            assert!(Instant::now() < deadline, "no second network");
            thread::sleep(Duration::from_millis(5));
        }
        // A packet of several segments would pass whole: each is sent by itself.
        ip(&format!(
            "link add near gso_max_segs 1 type veth peer name far mtu {largest} netns {}",
            second.keeper.id()
        ));
        ip("address add 10.9.0.1/24 dev near");
        ip("link set near up");
        for words in [
            "link set far up",
            "address add 10.9.0.2/32 dev far",
            "route add 10.9.0.1/32 dev far advmss 1460",
        ] {
            run(second.command("ip").args(words.split(' ')));
        }
        second
    }

    fn network(&self) -> String {
        format!("/proc/{}/ns/net", self.keeper.id())
    }

    /// A command in the second network.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.network())).args(["--", program]);
        command
    }
}

impl Drop for SecondNetwork {
    fn drop(&mut self) {
        // The wire goes with the second network, but not at once. Either may have ended by itself.
        let _ = Command::new("ip").args(["link", "delete", "near"]).stderr(Stdio::null()).status();
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Passes connections to `address` on to a server, whose every answer goes on in two parts: as many bytes as told, and
/// after a pause the rest.
pub(crate) fn relay(address: SocketAddr, server: SocketAddr, first: usize, pause: Duration) -> u16 {
    let listener = TcpListener::bind(address).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(up) = TcpStream::connect(server) else { continue };
            client.set_nodelay(true).expect("an option");
            let (mut from, mut to) =
                (client.try_clone().expect("a handle"), up.try_clone().expect("a handle"));
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || pass(up, client, first, pause));
        }
    });
    port
}

fn pass(mut from: TcpStream, mut to: TcpStream, first: usize, pause: Duration) -> std::io::Result<()> {
    let mut bytes = [0; 65536];
    loop {
        let count = from.read(&mut bytes)?;
        let (begin, rest) = bytes[..count].split_at(first.min(count));
        to.write_all(begin)?;
        if count == 0 {
            return Ok(());
        }
        thread::sleep(pause);
        to.write_all(rest)?;
    }
}

/// A resolver that answers by the first label of the name asked for, put in the place of the machine's: `none`, `dpg-none-a`, `localhost` and all
/// below `azur.com` do not exist, `empty` has no address, `broken` fails, `refused` is refused, `silent` gets no answer, `alias`
/// is one of `real`, at 203.0.113.9; all else is 127.0.0.1. The
/// options are those of resolv.conf(5).
///
/// Gives the names it was asked for, as they come.
pub(crate) fn resolver(home: &Home, options: &str) -> Receiver<String> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).expect("port 53 of this network");
    let settings = home.write("resolv.conf", format!("nameserver 127.0.0.1\noptions {options}\n"));
    run(Command::new("mount").arg("--bind").arg(settings).arg("/etc/resolv.conf"));
    let (tell, asked) = channel();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            // Nobody may care.
            let _ = tell.send(name(&query[..length]));
            if let Some(answer) = answer(&query[..length]) {
                socket.send_to(&answer, client).expect("an answer that can be sent");
            }
        }
    });
    asked
}

/// The name that a query asks for, with dots between its labels.
fn name(query: &[u8]) -> String {
    let mut labels = Vec::new();
    let mut at = 12;
    while let Some(length) = query.get(at).map(|length| usize::from(*length)).filter(|length| *length > 0) {
        labels.push(String::from_utf8_lossy(&query[at + 1..at + 1 + length]).into_owned());
        at += 1 + length;
    }
    labels.join(".")
}

/// RFC 1035, 4.1: header, question, and for an address one record that points back to the question's name.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let label = &query[13..13 + usize::from(query[12])];
    let end = 12 + query[12..].iter().position(|byte| *byte == 0)? + 5;
    let is_a = query[end - 4..end - 2] == [0, 1];
    let (code, records): (u8, u8) = match label {
        b"silent" => return None,
        _ if query[..end - 4].ends_with(b"\x04azur\x03com\0") => (3, 0),
        b"none" | b"dpg-none-a" | b"localhost" | b"host" => (3, 0),
        b"broken" => (2, 0),
        b"refused" => (5, 0),
        b"empty" => (0, 0),
        _ => (0, u8::from(is_a)),
    };
    let mut answer = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, records, 0, 0, 0, 0];
    answer.extend(&query[12..end]);
    if records > 0 && label == b"alias" {
        answer[7] = 2;
        // Names end where that of the question does, behind its first label.
        answer.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 7, 4, b'r', b'e', b'a', b'l', 0xc0, 18]);
        let target = u8::try_from(end + 12).expect("a short question");
        answer.extend([0xc0, target, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9]);
    } else if records > 0 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

//! Faults of the network, staged by the kernel: packets dropped and rejected, ways closed, a path that loses large
//! packets, a resolver that denies, fails or keeps silent.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use pgtls_check::demo::Demo;

use crate::support::home::Home;
use crate::support::network::{SecondNetwork, alone, filter, ip, relay, resolver};
use crate::support::tool::{Report, Tool};

/// A healthy server, asked for as host `host` (an empty one is left out) at `address`.
struct Case {
    home: Home,
    demo: Demo,
}

impl Case {
    fn new() -> Self {
        Self { home: Home::new(), demo: Demo::start(None).expect("the embedded server") }
    }

    /// Checks the server with these settings over its own, within the limit of two seconds and one for second looks.
    fn check(&self, settings: &str) -> Report {
        self.within(Duration::from_secs(4), Tool::at(&self.home), settings)
    }

    fn within(&self, longest: Duration, tool: Tool, settings: &str) -> Report {
        let begin = Instant::now();
        let report = tool.check(&format!("{} connect_timeout=2 {settings}", self.demo.conninfo()));
        assert!(begin.elapsed() < longest, "{:?} for {report}", begin.elapsed());
        report
    }

    fn port(&self) -> u16 {
        self.demo.address().port()
    }
}

/// Asserts the diagnosis, its stage and exit status, that evidence and cause say these things, and that a fix does.
#[track_caller]
fn says(report: &Report, (code, stage, exit): (&str, &str, i32), evidence: &[&str], fix: &str) {
    report.exits(exit).diagnosed(code).says("/diagnosis/stage", stage).stage(stage, "failed");
    let told = format!("{} {}", report.at("/diagnosis/evidence"), report.at("/diagnosis/cause"));
    for word in evidence {
        assert!(told.contains(word), "{word:?} is not told by {report}");
    }
    let fixes = report.at("/diagnosis/fixes").to_string();
    assert!(fixes.contains(fix), "no fix says {fix:?}: {report}");
}

const TIMEOUT: (&str, &str, i32) = ("tcp-timeout", "tcp", 5);
const REFUSED: (&str, &str, i32) = ("tcp-refused", "tcp", 5);
const UNREACHABLE: (&str, &str, i32) = ("tcp-unreachable", "tcp", 5);
const SILENCE: (&str, &str, i32) = ("tls-timeout", "tls", 7);

#[test]
pub(crate) fn dropped_packets_read_by_the_kind_of_address() {
    alone("network::dropped_packets_read_by_the_kind_of_address", || {
        let case = Case::new();
        for address in ["203.0.113.9", "10.0.4.5"] {
            ip(&format!("address add {address}/32 dev lo"));
        }
        filter("ip daddr { 203.0.113.9, 10.0.4.5 } tcp dport 1-65535 drop");
        let public = case.check("hostaddr=203.0.113.9");
        says(&public, TIMEOUT, &["203.0.113.9", "firewall"], "firewall");
        public.says("/diagnosis/retryable", true);
        let private = case.check("hostaddr=10.0.4.5");
        says(&private, TIMEOUT, &["10.0.4.5", "private"], "network");
        // The neighbour: the same server at an address that nothing filters, after one that is.
        case.check("host=db.example,db.example hostaddr=203.0.113.9,127.0.0.1").verified();
    });
}

#[test]
fn rejected_packets_are_a_refusal() {
    alone("network::rejected_packets_are_a_refusal", || {
        let case = Case::new();
        ip("address add 203.0.113.9/32 dev lo");
        filter("tcp dport 5432 reject with icmpx type port-unreachable");
        filter("tcp dport 5433 reject with tcp reset");
        for port in ["5432", "5433"] {
            let report = case.check(&format!("hostaddr=203.0.113.9 port={port}"));
            says(&report, REFUSED, &["203.0.113.9", port, "refused"], "listen");
        }
    });
}

#[test]
pub(crate) fn closed_ways_name_the_error_of_the_system() {
    alone("network::closed_ways_name_the_error_of_the_system", || {
        let case = Case::new();
        ip("address add 203.0.113.9/32 dev lo");
        filter("tcp dport 5432 reject with icmpx type admin-prohibited");
        ip("route add unreachable 198.51.100.0/25");
        ip("route add prohibit 198.51.100.128/25");
        for (address, error, fix) in [
            ("203.0.113.9", "No route to host", "ip route get"),
            ("198.51.100.7", "No route to host", "ip route get"),
            ("198.51.100.207", "Permission denied", "ip route get 198.51.100.207"),
            ("192.0.2.7", "Network is unreachable", "ip -4 route show default"),
        ] {
            let report = case.check(&format!("hostaddr={address} port=5432"));
            says(&report, UNREACHABLE, &[address, error], fix);
        }
        // The neighbour: the same server behind one that no way leads to.
        case.check("host=db.example,db.example hostaddr=192.0.2.7,127.0.0.1").verified();
    });
}

#[test]
fn what_this_machine_refuses_is_told_of_this_machine() {
    alone("network::what_this_machine_refuses_is_told_of_this_machine", || {
        let case = Case::new();
        let set = |name: &str, value: &str| {
            std::fs::write(format!("/proc/sys/net/{name}"), value).expect("a setting of this network");
        };
        ip("route add blackhole 198.51.100.0/24");
        let discarded = case.check("hostaddr=198.51.100.7 port=5432");
        says(
            &discarded,
            UNREACHABLE,
            &["Invalid argument", "blackhole"],
            "ip route show table all type blackhole",
        );
        set("ipv6/conf/lo/disable_ipv6", "1");
        let no_address = case.check("hostaddr=::1");
        says(&no_address, UNREACHABLE, &["Cannot assign requested address", "IPv6"], "disable_ipv6");
        let first = no_address.at("/diagnosis/fixes/0").to_string();
        assert!(first.contains("127.0.0.1") && first.contains("works"), "{first}");
        // The neighbour: the same error, from connections that have taken all local ports.
        let sink = TcpListener::bind("127.0.0.1:0").expect("a listener");
        set("ipv4/ip_local_port_range", "61000 61003");
        let to = sink.local_addr().expect("its address");
        let taken: Vec<_> = (0..4).map(|_| std::net::TcpStream::connect(to).expect("a port")).collect();
        let used_up = case.check(&format!("hostaddr=127.0.0.1 port={}", to.port()));
        says(
            &used_up,
            UNREACHABLE,
            &["Cannot assign requested address", "local port"],
            "ip_local_port_range",
        );
        drop(taken);
    });
}

#[test]
fn a_family_without_a_route_is_named() {
    alone("network::a_family_without_a_route_is_named", || {
        let case = Case::new();
        let (v4, v6) = ("hostaddr=198.51.100.7 port=5432", "hostaddr=2001:db8:9::7 port=5432");
        let none = case.check(v4);
        says(&none, UNREACHABLE, &["over IPv4 or over IPv6"], "default route");
        ip("-6 address add 2001:db8:1::1/64 dev lo");
        ip("-6 route add default dev lo");
        let only_v6 = case.check(v4);
        says(&only_v6, UNREACHABLE, &["has IPv6 only"], "NAT64");
        ip("-6 route delete default dev lo");
        ip("route add default dev lo");
        let only_v4 = case.check(v6);
        says(&only_v4, UNREACHABLE, &["has IPv4 only"], "has an IPv4 address");
        for (report, family) in [(only_v6, "IPv4"), (only_v4, "IPv6")] {
            let title = report.at("/diagnosis/title").to_string();
            assert!(title.contains(&format!("no {family} route from here")), "{report}");
        }
    });
}

#[test]
fn an_address_of_a_content_network_is_named() {
    alone("network::an_address_of_a_content_network_is_named", || {
        let case = Case::new();
        for address in ["172.67.1.9", "151.101.1.9", "172.63.1.9"] {
            ip(&format!("address add {address}/32 dev lo"));
        }
        filter("ip daddr { 172.67.1.9, 151.101.1.9, 172.63.1.9 } tcp dport 1-65535 drop");
        says(&case.check("hostaddr=172.67.1.9"), TIMEOUT, &["Cloudflare", "cloudflare.com/ips"], "DNS only");
        says(&case.check("hostaddr=151.101.1.9"), TIMEOUT, &["Fastly"], "origin");
        // The neighbour: an address beside the range.
        says(&case.check("hostaddr=172.63.1.9"), TIMEOUT, &["firewall"], "firewall");
    });
}

/// Puts a hosts file in the place of the system's, for this process alone.
fn hosts(home: &Home, lines: &str) {
    let file = home.write("hosts", lines);
    let mount = std::process::Command::new("mount").arg("--bind").arg(file).arg("/etc/hosts").status();
    assert!(mount.expect("mount runs").success());
}

#[test]
fn aliases_lines_of_the_hosts_file_and_addresses_of_containers_are_told() {
    alone("network::aliases_lines_of_the_hosts_file_and_addresses_of_containers_are_told", || {
        let case = Case::new();
        for address in ["203.0.113.9", "203.0.113.10", "172.17.0.9"] {
            ip(&format!("address add {address}/32 dev lo"));
        }
        filter("ip daddr { 203.0.113.9, 172.17.0.9 } tcp dport 1-65535 drop");
        // The first name of a line is the one that the others are aliases of.
        hosts(
            &case.home,
            "203.0.113.9 d111111abcdef8.cloudfront.net www.shop.example\n203.0.113.10 orders.shop.example\n",
        );
        let ask = |name: &str| case.check(&format!("hostaddr='' host={name} port=5432"));
        let alias = "Amazon CloudFront, by the alias d111111abcdef8.cloudfront.net";
        says(&ask("www.shop.example"), TIMEOUT, &[alias], "the server's own name or address");
        says(&ask("orders.shop.example"), REFUSED, &["/etc/hosts", "line 2"], "/etc/hosts");
        says(&case.check("hostaddr=172.17.0.9"), TIMEOUT, &["Docker's default network"], "docker port");
        says(&case.check("hostaddr=127.0.0.1 port=1"), REFUSED, &["container"], "host.docker.internal");
    });
}

/// Where a login fails at a server that DNS does not lead to, it may be the wrong one: that is seen without another login.
#[test]
fn a_login_at_a_server_to_which_dns_does_not_lead() {
    alone("network::a_login_at_a_server_to_which_dns_does_not_lead", || {
        let home = Home::new();
        let case = Case {
            demo: Demo::start(pgtls_check::demo::fault("database-missing")).expect("the embedded server"),
            home,
        };
        ip("address add 10.0.4.5/32 dev lo");
        let _asked = resolver(&case.home, "timeout:1 attempts:1");
        let there = SocketAddr::from(([10, 0, 4, 5], case.port()));
        relay(there, case.demo.address(), usize::MAX, Duration::ZERO);
        let first = |report: &Report, words: &[&str]| {
            report.exits(9).diagnosed("database-missing");
            let told = report.at("/diagnosis/fixes/0/text").to_string();
            assert!(words.iter().all(|word| told.contains(word)), "{report}");
        };
        let conninfo = case.demo.conninfo().replace("hostaddr=127.0.0.1", "");
        let stray = Tool::at(&case.home).env("PGHOSTADDR", "10.0.4.5").check(&conninfo);
        first(&stray, &["unset PGHOSTADDR", "127.0.0.1, which is verified too"]);
        hosts(&case.home, "10.0.4.5 db.example\n");
        let by_hosts = Tool::at(&case.home).check(&conninfo);
        first(&by_hosts, &["/etc/hosts, line 1: remove db.example", "127.0.0.1, which is verified too"]);
        // The neighbour: the file says what DNS says.
        hosts(&case.home, "127.0.0.1 db.example\n");
        let same = Tool::at(&case.home).check(&conninfo);
        same.exits(9).diagnosed("database-missing");
        assert!(!same.at("/diagnosis/fixes").to_string().contains("hosts"), "{same}");
    });
}

/// Who writes what DNS calls the server into the hosts file reaches nothing by the server's name.
#[test]
fn a_line_of_the_hosts_file_for_an_alias_is_told() {
    alone("network::a_line_of_the_hosts_file_for_an_alias_is_told", || {
        let case = Case::new();
        ip("address add 203.0.113.9/32 dev lo");
        filter("ip daddr 203.0.113.9 tcp dport 1-65535 drop");
        let _asked = resolver(&case.home, "timeout:1 attempts:1");
        for (line, is_told) in [("127.0.0.1 real.example\n", true), ("127.0.0.1 other.example\n", false)] {
            hosts(&case.home, line);
            let report = case.check("hostaddr='' host=alias.example sslmode=verify-ca");
            says(&report, TIMEOUT, &["203.0.113.9"], "");
            let fix = report.at("/diagnosis/fixes/0");
            let works = fix["settings"]["hostaddr"] == "127.0.0.1" && fix["tried"] == "works";
            assert_eq!(works, is_told, "{report}");
        }
    });
}

/// A provider's name that nobody answers by here, and what the same server is called outside or in another cloud.
#[test]
fn a_providers_other_names_are_tried() {
    alone("network::a_providers_other_names_are_tried", || {
        let case = Case::new();
        ip("address add 203.0.113.9/32 dev lo");
        filter("ip daddr 203.0.113.9 tcp dport 1-65535 drop");
        let _asked = resolver(&case.home, "timeout:1 attempts:1");
        hosts(
            &case.home,
            "203.0.113.9 private-my-0.b.db.ondigitalocean.com other-0.b.db.ondigitalocean.com\n\
             127.0.0.1 none.postgres.database.chinacloudapi.cn\n",
        );
        let absent = ("dns-not-found", "dns", 4);
        for (name, fault, other) in [
            ("private-my-0.b.db.ondigitalocean.com", TIMEOUT, Some("my-0.b.db.ondigitalocean.com")),
            ("other-0.b.db.ondigitalocean.com", TIMEOUT, None),
            ("none.postgres.database.azure.com", absent, Some("none.postgres.database.chinacloudapi.cn")),
            (
                "none.postgres.database.usgovcloudapi.net",
                absent,
                Some("none.postgres.database.chinacloudapi.cn"),
            ),
        ] {
            let whole = case.demo.conninfo().replace("verify-full", "verify-ca");
            let whole = whole
                .replace("host=db.example hostaddr=127.0.0.1", &format!("host={name} connect_timeout=2"));
            let report = Tool::at(&case.home).check(&whole);
            says(&report, fault, &[], "");
            let fixes = report.at("/diagnosis/fixes");
            let fixes = fixes.as_array().unwrap().iter().filter(|fix| fix["tried"] != "fails");
            let found = fixes.filter_map(|fix| fix["settings"]["host"].as_str()).next();
            assert_eq!(found, other, "{report}");
        }
        // Who knows it in its own network only is told what it is called outside.
        says(
            &case.check("hostaddr='' host=dpg-none-a"),
            absent,
            &["Render"],
            "dpg-none-a.REGION-postgres.render.com",
        );
    });
}

#[test]
fn the_resolver_s_answers_are_told_apart() {
    alone("network::the_resolver_s_answers_are_told_apart", || {
        let case = Case::new();
        resolver(&case.home, "timeout:1 attempts:1");
        let ask = |name: &str| case.check(&format!("hostaddr='' host={name}"));
        let none = ("dns-not-found", "dns", 4);
        says(&ask("none.example"), none, &["none.example", "127.0.0.1"], "nslookup none.example");
        says(
            &ask("db.postgres.database.azur.com"),
            none,
            &["typing error"],
            "db.postgres.database.azure.com",
        );
        says(&ask("b\u{fc}cher.example"), none, &["b\u{fc}cher.example"], "xn--bcher-kva.example");
        says(&ask("host.docker.internal"), none, &["Docker"], "--add-host=host.docker.internal:host-gateway");
        let private = "none.privatelink.postgres.database.azure.com";
        says(&ask(private), none, &[private], "private DNS zone");
        says(&ask("empty.example"), ("dns-no-address", "dns", 4), &["empty.example"], "");
        for (name, answer, cause, fix) in [
            ("broken.example", "127.0.0.1: SERVFAIL", "returned SERVFAIL", "DNSSEC"),
            ("refused.example", "127.0.0.1: REFUSED", "returned REFUSED", "on the name server 127.0.0.1"),
            ("silent.example", "127.0.0.1: no response", "did not respond", "to the name server 127.0.0.1"),
        ] {
            let failure = ask(name);
            says(&failure, ("dns-failure", "dns", 4), &[name, answer, cause], fix);
            failure.says("/diagnosis/retryable", true);
        }
        let denied = ask("none.example").at("/diagnosis/evidence/asked").to_string();
        assert!(denied.contains("127.0.0.1: NXDOMAIN"), "{denied}");
        // Without a file that says so, and with a DNS that does not know it.
        hosts(&case.home, "");
        case.check("hostaddr='' host=localhost sslmode=verify-ca").exits(0);
        // The neighbour: a name that the resolver knows.
        ask("db.example").verified().says("/target/address", "127.0.0.1");
    });
}

#[test]
fn a_client_hello_that_is_lost_is_seen_unacknowledged() {
    alone("network::a_client_hello_that_is_lost_is_seen_unacknowledged", || {
        let case = Case::new();
        filter(&format!("tcp dport {} meta length > 200 drop", case.port()));
        let report = case.check("");
        says(&report, SILENCE, &["bytes_received\":0", "not acknowledged", "path MTU"], "ping");
    });
}

/// A server behind the hole, checked from the other side of it; the first part of its flight is of so many bytes.
fn through_a_hole(largest: u16, first: usize) -> Report {
    let case = Case::new();
    let second = SecondNetwork::a_wire_that_takes(largest);
    let address = SocketAddr::from(([10, 9, 0, 1], 0));
    let port = relay(address, case.demo.address(), first, Duration::from_millis(20));
    let tool = Tool::by(&case.home, second.command(Tool::PROGRAM));
    case.within(Duration::from_secs(5), tool, &format!("hostaddr=10.9.0.1 port={port}"))
}

#[test]
fn a_hole_in_the_path_for_large_packets_is_a_reading_of_silence() {
    alone("network::a_hole_in_the_path_for_large_packets_is_a_reading_of_silence", || {
        let lost = through_a_hole(600, usize::MAX);
        says(
            &lost,
            SILENCE,
            &["bytes_received\":0", "path MTU", "asks for a short answer got it"],
            "ping -M do",
        );
        let half = through_a_hole(600, 300);
        says(&half, SILENCE, &["bytes_received\":300", "path MTU"], "MTU");
        assert!(half.at("/diagnosis/title").to_string().contains("half-way"), "{half}");
        // The neighbour: the same wire, wide enough.
        through_a_hole(1500, 300).verified();
    });
}

#[test]
fn no_wait_is_longer_than_its_limit() {
    alone("network::no_wait_is_longer_than_its_limit", || {
        let case = Case::new();
        resolver(&case.home, "timeout:30 attempts:5");
        ip("address add 203.0.113.9/32 dev lo");
        filter("ip daddr 203.0.113.9 tcp dport 1-65535 drop");
        let ends = |options: &[&str], settings: &str, seconds: u64, code: &str| {
            let mut tool = Tool::at(&case.home);
            for option in options {
                tool = tool.with([*option]);
            }
            let begin = Instant::now();
            let report = tool.check(&format!("{} {settings}", case.demo.conninfo()));
            let took = begin.elapsed();
            report.diagnosed(code);
            // One second for second looks, and one for a slow machine.
            let (least, most) =
                (Duration::from_millis(seconds * 1000 - 50), Duration::from_secs(seconds + 2));
            assert!((least..most).contains(&took), "{took:?} for {report}");
        };
        std::thread::scope(|scope| {
            // Unset, and where libpq would wait for ever, it is ten seconds for each address and for each name.
            scope.spawn(|| ends(&[], "hostaddr=203.0.113.9", 10, "tcp-timeout"));
            scope.spawn(|| ends(&[], "hostaddr=203.0.113.9 connect_timeout=0", 10, "tcp-timeout"));
            scope.spawn(|| ends(&[], "hostaddr='' host=silent.example", 10, "dns-failure"));
            scope.spawn(|| {
                let settings =
                    "host=db.example,db.example hostaddr=203.0.113.9,203.0.113.9 connect_timeout=2";
                ends(&[], settings, 4, "tcp-timeout");
            });
            scope.spawn(|| ends(&["--timeout", "2"], "hostaddr=203.0.113.9", 2, "tcp-timeout"));
            scope.spawn(|| ends(&["--timeout", "2"], "hostaddr='' host=silent.example", 2, "dns-failure"));
        });
    });
}

/// As a container's published port does with no server behind it. The system tells it as the end of connecting or in place of
/// the first answer, and either way it is one fault, and no missing route.
#[test]
fn a_connection_that_is_reset_as_soon_as_it_is_made_is_no_missing_route() {
    let home = Home::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("an option");
        }
    });
    for _ in 0..10 {
        let conninfo = format!("host=127.0.0.1 port={port} sslmode=require");
        let report = Tool::at(&home).check(&conninfo);
        report.exits(6).diagnosed("negotiation-closed").says("/diagnosis/evidence/answer", "reset (RST)");
        let direct = Tool::at(&home).check(&format!("{conninfo} sslnegotiation=direct"));
        let code = direct.at("/diagnosis/code");
        assert!(["tcp-refused", "tls-closed"].contains(&code.as_str().unwrap_or_default()), "{direct}");
        assert!(!direct.stdout.contains("no route"), "{direct}");
    }
}

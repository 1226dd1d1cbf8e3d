//! dns, tcp, negotiate, tls

use std::io::ErrorKind;
use std::sync::Arc;

use rcgen::date_time_ymd;

use super::fixtures::*;
use crate::certificate::Certificate;
use crate::conninfo::{Origin, SslMode, SslNegotiation, TlsVersion};
use crate::diagnose::codes;
use crate::evidence::{
    Answer, Closure, Container, DnsFailure, Evidence, HelloPurpose, InFlight, NameServer, NameServerAnswer,
    NegotiateResult, OsFailure, Question, Resolution, SessionFailure, TcpResult, TlsFailure,
};
use crate::trust::{ClientCertificate, ClientIdentity};

fn unresolved(host: &str, kind: DnsFailure, code: i32, text: &str) -> Evidence {
    Evidence::healthy().with_host(host, "203.0.113.7").with_dns(Resolution::Failed {
        kind,
        code: Some(code),
        text: text.to_owned(),
    })
}

#[test]
fn a_name_that_is_not_there() {
    unresolved("nowhere.example", DnsFailure::NoSuchName, -2, "Name or service not known")
        .fails(&codes::DNS_NOT_FOUND)
        .titled("cannot resolve host name \"nowhere.example\"")
        .shows("answer", "Name or service not known (getaddrinfo -2)")
        .shows("asked", "192.0.2.53")
        .advises("spelling")
        .retryable(false);
    for (answer, cause) in [
        (NameServerAnswer::NoSuchName, "DNS returned NXDOMAIN"),
        (NameServerAnswer::Records(2), "does not list dns"),
        (NameServerAnswer::Records(0), "not NXDOMAIN either"),
        (NameServerAnswer::Other(15), "not NXDOMAIN either"),
    ] {
        unresolved("nowhere.example", DnsFailure::NoSuchName, -2, "unknown")
            .with(|evidence| evidence.resolvers[0].answer = Some(answer))
            .fails(&codes::DNS_NOT_FOUND)
            .because(cause);
    }
    unresolved("x.postgres.databse.azure.com", DnsFailure::NoSuchName, -2, "unknown")
        .fails(&codes::DNS_NOT_FOUND)
        .because("typing error")
        .sets("host", "x.postgres.database.azure.com");
    unresolved("x.postgres.database.azure.com", DnsFailure::NoSuchName, -2, "unknown")
        .fails(&codes::DNS_NOT_FOUND)
        .advises("private DNS zone");
    // The alias tells a private endpoint from a server that was made inside a network.
    for (target, zone, kind) in [
        (
            "x.privatelink.postgres.database.azure.com",
            "privatelink.postgres.database.azure.com",
            "a private endpoint",
        ),
        (
            "c9d8.x.private.postgres.database.azure.com",
            "x.private.postgres.database.azure.com",
            "VNet integration",
        ),
    ] {
        let found = unresolved("x.postgres.database.azure.com", DnsFailure::NoSuchName, -2, "unknown")
            .with(|evidence| {
                evidence.resolvers[0].answer = Some(NameServerAnswer::NothingBehindAlias);
                evidence.resolvers[0].alias_of = Some(target.to_owned());
            })
            .fails(&codes::DNS_NOT_FOUND)
            .shows("alias_of", target)
            .shows("private_dns_zone", zone)
            .because(kind)
            .advises(zone);
        assert!(
            !format!("{:?}", found.diagnosis.fixes).contains("ResourceNotFound"),
            "{:#?}",
            found.diagnosis.fixes
        );
    }
    unresolved("host.docker.internal", DnsFailure::NoSuchName, -2, "unknown")
        .fails(&codes::DNS_NOT_FOUND)
        .runs("--add-host=host.docker.internal:host-gateway");
    unresolved("postgres", DnsFailure::NoSuchName, -2, "unknown")
        .fails(&codes::DNS_NOT_FOUND)
        .because("without a dot");
}

#[test]
fn a_router_that_leaves_out_private_addresses_or_answers_with_its_own() {
    let asked = |server: &str| {
        let evidence =
            unresolved("db.example", DnsFailure::NoAddress, -5, "No address associated with hostname");
        let answer = Some(NameServerAnswer::Records(0));
        let server = server.to_owned();
        evidence
            .with(|evidence| (evidence.resolvers[0].address, evidence.resolvers[0].answer) = (server, answer))
    };
    let found = asked("192.168.7.1").fails(&codes::DNS_NO_ADDRESS).advises("DNS rebind protection");
    found.runs("nslookup db.example 1.1.1.1");
    let found = asked("198.51.100.53").fails(&codes::DNS_NO_ADDRESS);
    assert!(!format!("{:?}", found.diagnosis.fixes).contains("rebind"), "{:#?}", found.diagnosis.fixes);

    let (azure, own) = ("mydemo.postgres.database.azure.com", "db.example");
    let failed = |host: &str, server: &str, result: TcpResult| {
        let evidence = Evidence::at(host, "192.168.7.1").with_tcp(result);
        let server = server.to_owned();
        evidence.with(|evidence| evidence.resolvers[0].address = server)
    };
    let refusal = || {
        TcpResult::Failed(OsFailure {
            kind: ErrorKind::ConnectionRefused,
            code: None,
            text: "Connection refused".to_owned(),
        })
    };
    for (result, code) in [(refusal(), &codes::TCP_REFUSED), (TcpResult::TimedOut, &codes::TCP_TIMEOUT)] {
        let told = |host, server| {
            let found = failed(host, server, result.clone()).fails(code);
            found.diagnosis.cause.contains("captive portal")
        };
        assert!(told(azure, "192.168.7.1"));
        assert!(!told(azure, "192.168.7.2") && !told(own, "192.168.7.1"));
    }
}

#[test]
fn a_name_without_address_and_a_resolver_without_answer() {
    unresolved("six.example", DnsFailure::NoAddress, -5, "No address associated with hostname")
        .fails(&codes::DNS_NO_ADDRESS)
        .shows("name", "six.example")
        .runs("nslookup -type=AAAA six.example");
    Evidence::healthy().with_dns(Resolution::Found(vec![])).fails(&codes::DNS_NO_ADDRESS);
    for kind in [DnsFailure::Temporary, DnsFailure::Permanent] {
        unresolved(HOST, kind, -3, "Temporary failure in name resolution")
            .fails(&codes::DNS_FAILURE)
            .shows("answer", "Temporary failure")
            .shows("asked", "192.0.2.53")
            .retryable(true);
    }
    Evidence::healthy()
        .with_dns(Resolution::TimedOut)
        .fails(&codes::DNS_FAILURE)
        .shows("answer", "no answer");
}

fn os(kind: ErrorKind, text: &str) -> OsFailure {
    OsFailure { kind, code: None, text: text.to_owned() }
}

#[test]
fn silence_is_read_by_the_address() {
    let silent = |to: &str| Evidence::healthy().with_host(HOST, to).with_tcp(TcpResult::TimedOut);
    silent("10.0.4.5")
        .fails(&codes::TCP_TIMEOUT)
        .titled("10.0.4.5 port 5432 does not answer")
        .shows("to", "which only its own network or one joined to it can reach")
        .because("outside its network, or a firewall")
        .advises("VPN")
        .runs("10.0.4.5")
        .retryable(true);
    silent("203.0.113.7").fails(&codes::TCP_TIMEOUT).because("firewall drops").advises("allow");
    silent("127.0.0.1").fails(&codes::TCP_TIMEOUT).because("this machine itself");
    Evidence::healthy()
        .with_host("x.postgres.database.azure.com", "20.61.7.9")
        .with_tcp(TcpResult::TimedOut)
        .fails(&codes::TCP_TIMEOUT)
        .runs("az postgres flexible-server firewall-rule create");
    // A pooler's port is open only where the pooler is on.
    Evidence::healthy()
        .with_host("x.postgres.database.azure.com", "20.61.7.9")
        .with_settings(|settings| settings.hosts[0].port = Ok(6432))
        .with_tcp(TcpResult::TimedOut)
        .fails(&codes::TCP_TIMEOUT)
        .advises("port 6432 there is PgBouncer, not on the Burstable tier")
        .sets("port", "5432");
    // Where the other port answers, the firewall lets this machine in.
    let found = Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_settings(|settings| settings.hosts[0].port = Ok(6432))
        .with_tcp(TcpResult::TimedOut)
        .fails(&codes::TCP_TIMEOUT);
    let mut answers = found.runs("firewall-rule create").diagnosis;
    let at = answers.fixes.iter().position(|fix| fix.names("port")).unwrap();
    answers.fixes.swap(0, at);
    answers.fixes[0].tried = Some(crate::diagnose::Trial::Works);
    answers.with_place_that_answers();
    let left = format!("{:?}", answers.fixes);
    assert!(left.contains("pgbouncer.enabled") && !left.contains("firewall-rule"), "{left}");
    Evidence::healthy()
        .with_tcp(TcpResult::Failed(os(ErrorKind::TimedOut, "timed out")))
        .fails(&codes::TCP_TIMEOUT);
}

/// A bridge of this machine's that has the server's range keeps the packets here, whatever a VPN would reach.
#[test]
fn a_bridge_that_covers_the_servers_address_is_named_with_what_gives_it_another_range() {
    use crate::evidence::{Route, Way};
    let no_route = || TcpResult::Failed(os(ErrorKind::HostUnreachable, "No route to host (os error 113)"));
    let refused = || TcpResult::Failed(os(ErrorKind::ConnectionRefused, "Connection refused (os error 111)"));
    let by = |interface: &str, host: &str, result: TcpResult| {
        let network = [172, 19, 0, 0].into();
        let route = Route { interface: interface.to_owned(), network, bits: 16, gateway: None };
        let way = Way { route, is_known: false, tunnels: Vec::new() };
        Evidence::at(host, "172.19.6.2").with_tcp(result).with(|evidence| evidence.way = Some(way))
    };
    for (interface, command) in [
        ("br-0a1b2c3d4e5f", "docker network inspect --format '{{.Name}} {{.Labels}}' 0a1b2c3d4e5f"),
        ("docker0", "restart docker"),
        ("podman1", "podman network"),
        ("virbr0", "virsh net-edit"),
    ] {
        let found = by(interface, "db.corp.example", no_route()).fails(&codes::TCP_UNREACHABLE);
        let found = found.because("has the network 172.19.0.0/16, which covers 172.19.6.2").runs(command);
        let fixes = format!("{:?}", found.diagnosis.fixes);
        assert!(fixes.find("VPN") < fixes.find("of this machine: see"), "{fixes}");
        assert!(!fixes.contains("firewall"), "{fixes}");
    }
    let bridge = "br-0a1b2c3d4e5f";
    by(bridge, "db.corp.example", TcpResult::TimedOut).fails(&codes::TCP_TIMEOUT).because("has the network");
    by(bridge, "db.corp.example", refused()).fails(&codes::TCP_REFUSED).because("has the network");
    // By its name in a container network it is a container.
    let container = by(bridge, "db", no_route()).fails(&codes::TCP_UNREACHABLE).diagnosis;
    assert!(container.fixes[0].text.contains("whether it runs"), "{:#?}", container.fixes);
    by(bridge, "db", refused()).fails(&codes::TCP_REFUSED).because("the machine answers");
    by("wlan0", "db.corp.example", no_route()).fails(&codes::TCP_UNREACHABLE).advises("VPN interface");
}

/// A VPN that is up and carries other networks, and a server next to this machine, are told by the kernel's own tables.
#[test]
fn the_way_to_a_silent_server_tells_a_split_tunnel_and_a_neighbour() {
    use crate::evidence::{Route, Way};
    let route = |interface: &str, network: [u8; 4], bits, gateway: Option<[u8; 4]>| Route {
        interface: interface.to_owned(),
        network: network.into(),
        bits,
        gateway: gateway.map(Into::into),
    };
    let by = |host: &str, way: Way, result: TcpResult| {
        Evidence::at(host, "10.61.4.5").with_tcp(result).with(|evidence| evidence.way = Some(way))
    };
    let past = || Way {
        route: route("wlan0", [0; 4], 0, Some([192, 168, 1, 1])),
        is_known: false,
        tunnels: vec![route("wg0", [10, 20, 0, 0], 16, None), route("wg0", [10, 21, 0, 0], 16, None)],
    };
    let no_route = TcpResult::Failed(os(ErrorKind::HostUnreachable, "No route to host (os error 113)"));
    for (host, result, code) in [
        ("x.postgres.database.azure.com", TcpResult::TimedOut, &codes::TCP_TIMEOUT),
        ("db.corp.example", TcpResult::TimedOut, &codes::TCP_TIMEOUT),
        ("db.corp.example", no_route, &codes::TCP_UNREACHABLE),
    ] {
        let found = by(host, past(), result).fails(code);
        let found = found
            .because("a VPN is up (wg0), for 10.20.0.0/16, 10.21.0.0/16 alone")
            .shows("way", "via 192.168.1.1");
        let first = &found.diagnosis.fixes[0];
        assert!(first.text.contains("split tunnel"), "{first:?}");
        assert_eq!(first.command.as_deref(), Some("sudo ip route add 10.61.4.5 dev wg0"));
        assert!(!format!("{:?}", found.diagnosis.fixes).contains("over its VPN"));
    }
    let beside = |is_known| Way { route: route("eth0", [10, 61, 4, 0], 24, None), is_known, tunnels: vec![] };
    let near = by("db.corp.example", beside(true), TcpResult::TimedOut).fails(&codes::TCP_TIMEOUT);
    let near = near.because("10.61.4.5 is up, in this machine's own network (10.61.4.0/24, eth0;").diagnosis;
    let allow = near.fixes[0].command.as_deref().unwrap();
    assert!(allow.contains("sudo ufw allow from 10.61.4.0/24 to any port 5432 proto tcp"), "{allow}");
    for (host, is_known) in [("db.corp.example", false), ("x.postgres.database.azure.com", true)] {
        let other = by(host, beside(is_known), TcpResult::TimedOut).fails(&codes::TCP_TIMEOUT).diagnosis;
        assert!(!format!("{other:?}").contains("ufw"), "{other:#?}");
    }
}

/// In a pod the cluster's own DNS was asked, and what it lacks lies in another namespace or does not exist.
#[test]
fn a_name_without_a_dot_in_a_pod_is_a_service_of_its_own_namespace() {
    let unknown = |host: &str, namespace: Option<&str>| {
        let text = "Name or service not known".to_owned();
        let failed = Resolution::Failed { kind: DnsFailure::NoSuchName, code: Some(-2), text };
        let evidence = Evidence::at(host, "10.0.0.5").with_dns(failed);
        evidence
            .with(|evidence| evidence.namespace = namespace.map(str::to_owned))
            .fails(&codes::DNS_NOT_FOUND)
    };
    unknown("orders-rw", Some("jobs"))
        .because("a pod of Kubernetes in the namespace jobs")
        .advises("set host to orders-rw.NAMESPACE.svc")
        .runs("kubectl get services --all-namespaces | grep -w orders-rw");
    unknown("orders-rw", None).advises("orders-rw.DOMAIN");
    unknown("orders-rw.shop", Some("jobs"))
        .runs("kubectl get services --all-namespaces | grep -wE 'orders-rw|shop'");
    unknown("orders-rw.shop", None).runs("orders-rw.shop");
    unknown("db.corp.example", Some("jobs")).runs("db.corp.example");
    for host in ["orders-rw.shop.svc", "orders-rw.shop.svc.cluster.local"] {
        let inside = unknown(host, Some("jobs")).because("no service orders-rw in the namespace shop");
        let first = inside.diagnosis.fixes[0].command.as_deref();
        assert_eq!(first, Some("kubectl -n shop get service orders-rw"));
        unknown(host, None).runs("kubectl port-forward -n shop service/orders-rw");
    }
}

#[test]
fn a_closed_port_and_the_one_that_is_open() {
    let refused = || {
        let failure = os(ErrorKind::ConnectionRefused, "Connection refused (os error 111)");
        Evidence::healthy().with_tcp(TcpResult::Failed(failure))
    };
    refused()
        .fails(&codes::TCP_REFUSED)
        .titled("203.0.113.7 port 5432 refuses connections")
        .shows("port", "5432")
        .runs("listen_addresses")
        .retryable(true);
    refused()
        .with(|evidence| {
            evidence.looks.push(look("203.0.113.7:5433", Question::SslRequest, Answer::Byte(b'S')))
        })
        .fails(&codes::TCP_REFUSED)
        .shows("listening", "port 5433")
        .sets("port", "5433");
    // What is open and not known for PostgreSQL is not offered.
    let found = refused()
        .with(|evidence| evidence.looks.push(look("203.0.113.7:22", Question::Connect, Answer::Connected)))
        .fails(&codes::TCP_REFUSED);
    assert!(found.diagnosis.fixes.iter().all(|fix| fix.settings.is_empty()));
}

/// A container is its own localhost.
#[test]
fn in_a_container_the_server_is_sought_on_the_machine_around_it() {
    let refused = |address: Option<&str>, has_names| {
        let address = address.map(|text| text.parse().unwrap());
        let container = Container { machine: "host.docker.internal", address, has_names };
        Evidence::at("localhost", "127.0.0.1")
            .with(|evidence| evidence.container = Some(container))
            .with_tcp(TcpResult::Failed(os(ErrorKind::ConnectionRefused, "Connection refused")))
            .fails(&codes::TCP_REFUSED)
            .because("127.0.0.1 is the container itself")
            .advises("another container")
    };
    refused(Some("172.17.0.1"), false).first_sets("hostaddr", "172.17.0.1").first_sets_no("host");
    refused(None, false).runs("getent hosts host.docker.internal");
    // Where the engine answers for names, the server most likely is one of them; nothing is started in a container.
    let named = refused(None, true).runs("getent hosts").diagnosis.fixes;
    assert!(named[0].text.contains("its service"), "{named:#?}");
    assert!(!format!("{named:?}").contains("systemctl"), "{named:#?}");
}

#[test]
fn public_servers_are_no_place_to_ask_for_a_private_name() {
    let asked = |others: &[&str]| {
        unresolved("db.intra.example", DnsFailure::NoSuchName, -2, "unknown")
            .with(|evidence| {
                let servers = ["9.9.9.9"].iter().chain(others).map(|address| NameServer {
                    address: (*address).to_owned(),
                    answer: Some(NameServerAnswer::NoSuchName),
                    alias_of: None,
                    aliases: Vec::new(),
                });
                evidence.resolvers = servers.collect();
            })
            .fails(&codes::DNS_NOT_FOUND)
    };
    let first = |found: Found| found.diagnosis.fixes[0].text.clone();
    assert!(first(asked(&["2620:fe::fe"])).contains("in place of 9.9.9.9"));
    assert!(first(asked(&["10.3.0.53"])).contains("check the spelling"));
}

#[test]
fn joined_urls_are_told_where_they_fail() {
    let input = "postgres://db.example/orders,postgres://b.example:5433/orders";
    Evidence::healthy()
        .with(|evidence| evidence.input = Some(crate::secret::Secret::new(input.as_bytes().to_vec())))
        .with_tcp(TcpResult::Failed(os(ErrorKind::ConnectionRefused, "Connection refused")))
        .fails(&codes::TCP_REFUSED)
        .because("several URLs are joined in one string")
        .advises("behind the first URL's host ,b.example:5433, then its /database");
}

/// What nobody typed is half of the cause, and taking it away a remedy.
#[test]
fn a_place_from_the_surroundings_is_told_with_what_set_it() {
    let refused = |change: fn(&mut crate::conninfo::Settings)| {
        Evidence::healthy()
            .with_settings(change)
            .with_tcp(TcpResult::Failed(os(ErrorKind::ConnectionRefused, "Connection refused")))
            .fails(&codes::TCP_REFUSED)
    };
    let of_variable = |settings: &mut crate::conninfo::Settings| {
        settings.hosts[0].port = Ok(5499);
        settings.parameters.retain(|known| known.keyword != "port");
        settings.parameters.push(parameter("port", "5499", Origin::Environment("PGPORT")));
    };
    let found = Evidence::healthy()
        .with_settings(of_variable)
        .with(|evidence| {
            evidence.looks.push(look("203.0.113.7:5432", Question::SslRequest, Answer::Byte(b'S')))
        })
        .with_tcp(TcpResult::Failed(os(ErrorKind::ConnectionRefused, "Connection refused")))
        .fails(&codes::TCP_REFUSED);
    // Two reasons for the same command are one fix.
    assert_eq!(found.diagnosis.fixes.len(), 1, "{:?}", found.diagnosis.fixes);
    let found = refused(of_variable)
        .because("port=5499 comes from environment variable PGPORT, not from the connection string")
        .first_sets("port", "5432");
    assert_eq!(found.diagnosis.fixes[0].command.as_deref(), Some("unset PGPORT"));
    let of_service = |settings: &mut crate::conninfo::Settings| {
        let service =
            || Origin::Service { name: "prod".to_owned(), file: "/home/me/.pg_service.conf".into() };
        settings.parameters.retain(|known| !["host", "sslmode"].contains(&known.keyword));
        settings.parameters.push(parameter("host", HOST, service()));
        settings.parameters.push(parameter("sslmode", "verify-full", service()));
        settings.parameters.push(parameter("service", "prod", Origin::Environment("PGSERVICE")));
    };
    refused(of_service)
        .because(
            "host=db.example comes from service prod in /home/me/.pg_service.conf, which PGSERVICE names",
        )
        .advises("if that service is not meant: unset PGSERVICE, which brings its host, sslmode")
        .runs("unset PGSERVICE")
        // Nothing that is offered verifies less.
        .sets("sslmode", "verify-full");
    // What was typed needs no word.
    let found = refused(|_| {});
    assert!(!found.diagnosis.cause.contains("comes from"), "{:?}", found.diagnosis);
}

#[test]
fn no_way_there() {
    let failure = os(ErrorKind::NetworkUnreachable, "Network is unreachable (os error 101)");
    Evidence::healthy()
        .with_tcp(TcpResult::Failed(failure.clone()))
        .fails(&codes::TCP_UNREACHABLE)
        .shows("error", "Network is unreachable")
        .runs("ip route get 203.0.113.7")
        .retryable(true);
    Evidence::healthy()
        .with_host(HOST, "2001:db8::7")
        .with_tcp(TcpResult::Failed(failure))
        .fails(&codes::TCP_UNREACHABLE)
        .because("IPv6");
    Evidence::healthy()
        .with_tcp(TcpResult::Failed(os(ErrorKind::PermissionDenied, "Permission denied")))
        .fails(&codes::TCP_UNREACHABLE)
        .because("this machine itself forbids");
}

/// What is this machine's own says nothing of the way or of the server.
#[cfg(target_os = "linux")]
#[test]
fn errors_of_this_machine_are_told_as_such() {
    let failed = |to: &str, code: i32| {
        let error = std::io::Error::from_raw_os_error(code);
        let failure = OsFailure { kind: error.kind(), code: Some(code), text: error.to_string() };
        let found = Evidence::healthy()
            .with_host(to, to)
            .with_tcp(TcpResult::Failed(failure))
            .fails(&codes::TCP_UNREACHABLE);
        assert!(
            !found.diagnosis.fixes.is_empty() && !found.diagnosis.title.contains("no route"),
            "{to} {code}"
        );
        for text in found.diagnosis.fixes.iter().flat_map(|fix| [Some(&fix.text), fix.command.as_ref()]) {
            assert!(
                ["{to}", "{place}", "{family}"]
                    .iter()
                    .all(|part| !text.is_some_and(|text| text.contains(part)))
            );
        }
        found
    };
    for (to, code, called, runs) in [
        ("203.0.113.7", 99, "no local port left", "ip_local_port_range"),
        ("203.0.113.7", 98, "no local port left", "ss -Htanp dst 203.0.113.7"),
        ("2001:db8::7", 99, "no IPv6 address from which", "disable_ipv6"),
        ("203.0.113.7", 22, "a route of this machine discards what is sent to 203.0.113.7", "type blackhole"),
        ("2001:db8::7", 22, "a route of this machine discards", "type blackhole"),
        ("2001:db8::7", 97, "takes no IPv6 sockets", "RestrictAddressFamilies"),
        ("203.0.113.7", 97, "takes no IPv4 sockets", "RestrictAddressFamilies"),
        ("203.0.113.7", 100, "is down", "ip link"),
        ("203.0.113.7", 105, "no memory", "sockstat"),
        ("203.0.113.7", 12, "no memory", "sockstat"),
    ] {
        let found = failed(to, code).called(called).runs(runs).because("nothing was sent");
        assert!(
            found.diagnosis.fixes.iter().all(|fix| fix.text.starts_with("here")),
            "{:?}",
            found.diagnosis
        );
    }
    failed("::1", 99).first_sets("hostaddr", "127.0.0.1");
    // Without its interface a link-local address is none, which reads the same.
    let failure =
        OsFailure { code: Some(22), ..os(ErrorKind::InvalidInput, "Invalid argument (os error 22)") };
    Evidence::healthy()
        .with_host("fe80::7", "fe80::7")
        .with_tcp(TcpResult::Failed(failure))
        .fails(&codes::TCP_UNREACHABLE)
        .because("link-local");
    // What the way or the other end says is told of those.
    for (code, because) in [
        (101, "no route of this machine"),
        (113, "its own or one in between, rejects"),
        (112, "rejects the connection"),
    ] {
        let error = std::io::Error::from_raw_os_error(code);
        let failure = OsFailure { kind: error.kind(), code: Some(code), text: error.to_string() };
        Evidence::healthy()
            .with_tcp(TcpResult::Failed(failure))
            .fails(&codes::TCP_UNREACHABLE)
            .titled("no route to 203.0.113.7 port 5432")
            .because(because);
    }
}

#[cfg(unix)]
#[test]
fn a_limit_of_this_machine_is_not_blamed_on_the_way() {
    let failure = OsFailure { code: Some(24), ..os(ErrorKind::Other, "Too many open files (os error 24)") };
    let found = Evidence::healthy()
        .with_tcp(TcpResult::Failed(failure))
        .fails(&codes::TCP_UNREACHABLE)
        .because("open no more files")
        .runs("ulimit -n")
        .retryable(true);
    assert!(found.diagnosis.title.starts_with("no socket is left"), "{}", found.diagnosis.title);
    assert_eq!(found.diagnosis.short, "no socket left");
    assert_eq!(found.diagnosis.fixes.len(), 1);
}

#[test]
fn the_last_attempt_gives_the_diagnosis_and_names_the_others() {
    let found = Evidence::healthy()
        .with(|evidence| {
            let mut first = evidence.attempts[0].clone();
            first.address = Some(address("203.0.113.6"));
            first.tcp = Some(step(0.0, 1.0, TcpResult::Failed(os(ErrorKind::ConnectionRefused, "refused"))));
            (first.negotiate, first.tls, first.session) = (None, None, None);
            evidence.attempts.insert(0, first);
        })
        .with_answer(NegotiateResult::Refused)
        .fails(&codes::SERVER_REFUSED_TLS)
        .shows("to", "203.0.113.7 port 5432");
    let title = &found.diagnosis.title;
    assert!(title.ends_with("; before it: 203.0.113.6 port 5432: refused"), "{title}");
    assert_eq!(found.outcome.earlier[0].as_ref().unwrap().code, &codes::TCP_REFUSED);
    let last = found.outcome.of_attempts().nth(1).flatten().unwrap();
    assert_eq!(last.code, &codes::SERVER_REFUSED_TLS);
    assert!(!last.cause.contains(codes::TCP_REFUSED.name));
    // Passed over, and the next one is well.
    let outcome = Evidence::healthy()
        .with(|evidence| {
            let mut first = evidence.attempts[0].clone();
            first.tcp = Some(step(0.0, 1.0, TcpResult::TimedOut));
            (first.negotiate, first.tls, first.session) = (None, None, None);
            evidence.attempts.insert(0, first);
        })
        .verified();
    assert_eq!(outcome.earlier[0].as_ref().unwrap().code, &codes::TCP_TIMEOUT);
    assert_eq!(outcome.of_attempts().map(|found| found.is_some()).collect::<Vec<_>>(), [true, false]);
}

/// Who has the roots of a provider and asks this machine means the provider's proxy.
#[test]
fn the_roots_of_a_provider_and_no_tls_on_this_machine() {
    for (name, is_proxy) in [("Google Cloud SQL Server CA", true), ("Other CA", false)] {
        let root = Authority::root(name);
        let found = Evidence::of(vec![root.server(HOST)], &[&root.certificate])
            .with_host("127.0.0.1", "127.0.0.1")
            .with_answer(NegotiateResult::Refused)
            .fails(&codes::SERVER_REFUSED_TLS)
            .advises("Cloud SQL Auth Proxy");
        let fixes = &found.diagnosis.fixes;
        assert_eq!(fixes[0].text.contains("tunnel"), is_proxy, "{fixes:#?}");
        assert_eq!(fixes.iter().all(|fix| !fix.text.contains("on the server")), is_proxy, "{fixes:#?}");
    }
    // Who leaves the mode to libpq is connected there all the same.
    let found = |origin: Origin, to: &str| {
        Evidence::healthy()
            .with_host("db.local", to)
            .with_settings(|settings| {
                settings.parameters.insert(0, parameter("sslmode", "verify-full", origin))
            })
            .with_answer(NegotiateResult::Refused)
            .fails(&codes::SERVER_REFUSED_TLS)
            .diagnosis
    };
    let (default, typed) = (Origin::ToolDefault("x"), Origin::ConnectionString);
    let command = found(default.clone(), "127.0.0.1").fixes[0].command.clone().unwrap();
    assert!(command.starts_with("psql -h db.local -p 5432 -U app -d orders\n"), "{command}");
    for (origin, to) in [(default, "203.0.113.7"), (typed, "127.0.0.1")] {
        assert!(found(origin, to).fixes[0].text.starts_with("on the server"));
    }
}

#[test]
fn answers_to_sslrequest() {
    Evidence::healthy()
        .with_answer(NegotiateResult::Refused)
        .fails(&codes::SERVER_REFUSED_TLS)
        .titled("the server does not offer TLS")
        .shows("answer", "N, to SSLRequest")
        .runs("ALTER SYSTEM SET ssl = on;")
        .advises("PgBouncer")
        .retryable(false);
    // What refuses a protocol version that does not exist is known by its words.
    for (words, title, fixes) in [
        (
            b"E\0\0\0\x40SFATAL\0VFATAL\0C0A000\0Munsupported\0RProcessStartupPacket\0\0".to_vec(),
            "the server does not offer TLS",
            2,
        ),
        (
            b"E\0\0\0\x3ASFATAL\0C08P01\0Mbad packet header: '00000008270f0000'\0\0".to_vec(),
            "PgBouncer does not offer TLS",
            1,
        ),
        (b"E\0\0\0\x20SFATAL\0C08P01\0Mno\0\0".to_vec(), "the server does not offer TLS", 3),
    ] {
        let asked = look("203.0.113.7:5432", Question::UnknownProtocol, Answer::Other(words));
        let found = Evidence::healthy()
            .with_answer(NegotiateResult::Refused)
            .with(|evidence| evidence.looks.push(asked))
            .fails(&codes::SERVER_REFUSED_TLS)
            .titled(title);
        assert_eq!(found.diagnosis.fixes.len(), fixes, "{:?}", found.diagnosis.fixes);
    }
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Prefer)
        .with_answer(NegotiateResult::Refused)
        .fails(&codes::SERVER_REFUSED_TLS)
        .because("continues without TLS");
    for closure in [Closure::Closed, Closure::Reset] {
        let found = Evidence::healthy()
            .with_settings(|settings| settings.sslmode = SslMode::Prefer)
            .with_answer(NegotiateResult::Ended(closure))
            .fails(&codes::NEGOTIATION_CLOSED)
            .advises("that this machine's address is allowed")
            .advises("\"invalid length of startup packet\": a balancer in front speaks the PROXY protocol")
            .retryable(true);
        assert!(!found.diagnosis.cause.contains("plaintext"), "libpq does not fall back here");
    }
    // Whoever closes each time is in front of a server that would answer; once may be the server's own doing.
    let first = |host: &str, again: Answer| {
        let evidence = Evidence::at(host, "203.0.113.7").with_answer(NegotiateResult::Ended(Closure::Reset));
        let evidence = evidence
            .with(|evidence| evidence.looks.push(look("203.0.113.7:5432", Question::SslRequest, again)));
        evidence.fails(&codes::NEGOTIATION_CLOSED).diagnosis.fixes.swap_remove(0)
    };
    let front = first("db.corp.example", Answer::Ended(Closure::Reset));
    assert!(front.text.starts_with("in the proxy") && front.command.unwrap().contains("patronictl list"));
    assert!(first("db.corp.example", Answer::Byte(b'S')).text.contains("its log"));
    assert!(
        !first("x.postgres.database.azure.com", Answer::Ended(Closure::Reset)).text.contains("in the proxy")
    );
    let in_flight = |unacknowledged| Some(InFlight { unacknowledged, retransmits: 4 });
    for (state, cause) in
        [(in_flight(8), "never acknowledged"), (in_flight(0), "received SSLRequest"), (None, "silent")]
    {
        Evidence::healthy()
            .with_answer(NegotiateResult::TimedOut(state))
            .fails(&codes::NEGOTIATION_TIMEOUT)
            .because(cause)
            .advises("load balancer")
            .retryable(true);
    }
}

#[test]
fn other_protocols_are_named_with_their_first_bytes() {
    Evidence::healthy()
        .with_answer(NegotiateResult::Foreign(b"HTTP/1.1 400 Bad Request\r\n".to_vec()))
        .fails(&codes::NOT_POSTGRESQL)
        .shows("protocol", "HTTP")
        .shows("first_bytes", "\"HTTP/1.1 400 Bad Request\\r\\n\"");
    // SSH's banner begins with the S that stands for yes.
    Evidence::healthy()
        .with_answer(NegotiateResult::Injected(b"SH-2.0-OpenSSH_9.2\r\n".to_vec()))
        .fails(&codes::NOT_POSTGRESQL)
        .shows("protocol", "SSH");
    Evidence::healthy()
        .with_answer(NegotiateResult::Foreign(b"\x15\x03\x01\x00\x02".to_vec()))
        .fails(&codes::NOT_POSTGRESQL)
        .shows("protocol", "TLS from the first byte")
        .advises("sslnegotiation=direct");
    Evidence::healthy()
        .with_answer(NegotiateResult::Foreign(b"\x1b[2J".to_vec()))
        .fails(&codes::NOT_POSTGRESQL)
        .shows("first_bytes", "1b 5b 32 4a");
    Evidence::healthy()
        .with_answer(NegotiateResult::Injected(b"\x00\x01\x02".to_vec()))
        .fails(&codes::INJECTED_PLAINTEXT)
        .shows("bytes", "3")
        .because("CVE-2021-23222");
}

#[test]
fn an_error_before_tls_is_unauthenticated() {
    let full = b"E\0\0\0\x30SFATAL\0C53300\0Msorry, too many clients already\0\0".to_vec();
    Evidence::healthy()
        .with_answer(NegotiateResult::Error(full))
        .fails(&codes::SERVER_ERROR_BEFORE_TLS)
        .shows("unauthenticated", "sorry, too many clients already")
        .shows("sqlstate", "53300")
        .because("unauthenticated")
        .retryable(true);
}

/// A ServerHello that chooses these.
fn chosen(version: TlsVersion, suite: u16, group: Option<u16>) -> Answer {
    Answer::ServerHello { version, suite, group, retry: false, leaf: None }
}

#[test]
fn direct_tls_needs_postgresql_17() {
    let direct = || {
        Evidence::healthy()
            .with_settings(|settings| settings.negotiation = SslNegotiation::Direct)
            .with_attempt(|attempt| attempt.negotiate = None)
    };
    direct().verified();
    for failure in
        [TlsFailure::NoAlpn, TlsFailure::AlertReceived(120), TlsFailure::NotTls(b"E\0\0\0".to_vec())]
    {
        direct()
            .with_tls(failure)
            .fails(&codes::DIRECT_TLS_UNSUPPORTED)
            .sets("sslnegotiation", "postgres")
            .because("PostgreSQL 17");
    }
    for closure in [Closure::Closed, Closure::Reset] {
        for answer in [chosen(TlsVersion::Tls12, 0xC030, None), Answer::Byte(b'N')] {
            direct()
                .with_tls(TlsFailure::Ended(closure))
                .with_look(HelloPurpose::Negotiation, None, answer)
                .fails(&codes::DIRECT_TLS_UNSUPPORTED)
                .sets("sslnegotiation", "postgres")
                .because("PostgreSQL 17");
        }
        // An end alone, and one that comes either way, may have any reason.
        direct().with_tls(TlsFailure::Ended(closure)).fails(&codes::TLS_CLOSED);
        direct()
            .with_tls(TlsFailure::Ended(closure))
            .with_look(HelloPurpose::Negotiation, None, Answer::Ended(closure))
            .fails(&codes::TLS_CLOSED);
    }
    direct().with_tls(TlsFailure::TimedOut(None)).fails(&codes::TLS_TIMEOUT);
    Evidence::healthy().with_tls(TlsFailure::Ended(Closure::Closed)).fails(&codes::TLS_CLOSED);
}

#[test]
fn versions_are_told_on_both_sides() {
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(70))
        .fails(&codes::TLS_VERSION_UNSUPPORTED)
        .shows("offered", "TLSv1.2, TLSv1.3")
        .shows("answer", "protocol_version (70)");
    let hello =
        |version| Answer::ServerHello { version, suite: 0xC013, group: None, retry: false, leaf: None };
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(70))
        .with_difference(
            (HelloPurpose::Version, hello(TlsVersion::Tls11)),
            (HelloPurpose::Unsupported, Answer::Alert(70)),
            None,
        )
        .fails(&codes::TLS_VERSION_UNSUPPORTED)
        .titled("the server supports TLSv1.1 only")
        .shows("server_has", "TLSv1.1")
        .runs("ssl_min_protocol_version");
    Evidence::healthy()
        .with_settings(|settings| {
            settings.min_tls = Some(TlsVersion::Tls13);
            settings.parameters.push(parameter(
                "ssl_min_protocol_version",
                "TLSv1.3",
                Origin::ConnectionString,
            ));
        })
        .with_tls(TlsFailure::AlertReceived(70))
        .with_attempt(|attempt| attempt.tls.as_mut().unwrap().result.offer.versions = vec![TlsVersion::Tls13])
        .with_difference(
            (HelloPurpose::Version, hello(TlsVersion::Tls12)),
            (HelloPurpose::Unsupported, Answer::Ended(Closure::Closed)),
            None,
        )
        .fails(&codes::TLS_VERSION_UNSUPPORTED)
        .because("ssl_min_protocol_version comes from the connection string");
    // TLS 1.2 is answered where TLS 1.3 is not offered beside it, or now and then.
    for failure in [TlsFailure::AlertReceived(70), TlsFailure::Ended(Closure::Reset)] {
        let with = |refusal| {
            Evidence::healthy().with_tls(failure.clone()).with_difference(
                (HelloPurpose::Version, hello(TlsVersion::Tls12)),
                (HelloPurpose::Unsupported, refusal),
                None,
            )
        };
        with(Answer::Ended(Closure::Reset))
            .fails(&codes::TLS_VERSION_UNSUPPORTED)
            .titled("the server rejects a ClientHello that offers TLS 1.3")
            .sets("ssl_max_protocol_version", "TLSv1.2");
        let outcome = super::super::diagnose(with(hello(TlsVersion::Tls12)));
        assert_ne!(outcome.diagnosis.unwrap().code, &codes::TLS_VERSION_UNSUPPORTED);
    }
}

/// What this tool offers is refused; what psql offers and what was chosen of it are answered so.
fn beside_own(failure: TlsFailure, answer: &Answer, own: Answer) -> Evidence {
    Evidence::healthy()
        .with_tls(failure)
        .with_look(HelloPurpose::Unsupported, None, answer.clone())
        .with_difference((HelloPurpose::Narrowed, answer.clone()), (HelloPurpose::Own, own), None)
}

#[test]
fn nothing_in_common_or_nothing_that_this_tool_has() {
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(40))
        .fails(&codes::TLS_NO_SHARED_CIPHER)
        .shows("offered", "AES-GCM")
        .runs("ssl_ciphers");
    let cbc = chosen(TlsVersion::Tls12, 0xC013, Some(23));
    beside_own(TlsFailure::AlertReceived(40), &cbc, Answer::Alert(40))
        .fails(&codes::TLS_UNSUPPORTED_HERE)
        .shows("server_insists_on", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
        .shows("psql", "connects");
    for (answer, what) in [
        (chosen(TlsVersion::Tls13, 0x1302, Some(30)), "the group x448"),
        (chosen(TlsVersion::Tls13, 0x1302, Some(25)), "signatures with Ed448"),
        (
            chosen(TlsVersion::Tls12, 0x009F, Some(257)),
            "the suite TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 with the group ffdhe3072",
        ),
    ] {
        beside_own(TlsFailure::AlertReceived(40), &answer, Answer::Alert(40))
            .fails(&codes::TLS_UNSUPPORTED_HERE)
            .titled(&format!("the server requires {what}, which psql supports and pgtls-check does not"))
            .shows("server_insists_on", what)
            .shows("seen_in", "second ClientHello");
    }
    Evidence::healthy()
        .with_tls(TlsFailure::Unsupported("Ed448".to_owned()))
        .fails(&codes::TLS_UNSUPPORTED_HERE)
        .shows("server_insists_on", "Ed448");
    // What the client's own setting allows says nothing of the server.
    Evidence::healthy()
        .with_settings(|settings| {
            settings.max_tls = Some(TlsVersion::Tls11);
            settings.parameters.extend([
                parameter("ssl_max_protocol_version", "TLSv1.1", Origin::ConnectionString),
                parameter("ssl_min_protocol_version", "TLSv1", Origin::ConnectionString),
            ]);
        })
        .with_tls(TlsFailure::Unsupported("TLS below version 1.2".to_owned()))
        .fails(&codes::TLS_UNSUPPORTED_HERE)
        .called("ssl_max_protocol_version=TLSv1.1 allows nothing newer")
        .first_sets("ssl_max_protocol_version", "")
        .first_sets("ssl_min_protocol_version", "");
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(40))
        .with_look(HelloPurpose::Unsupported, None, Answer::Alert(40))
        .fails(&codes::TLS_NO_SHARED_CIPHER)
        .shows("psql", "handshake_failure");
    // Offered everything, the server shows whether it is the suites, the group or its key.
    let offered_all = |answer: Answer| {
        Evidence::healthy()
            .with_tls(TlsFailure::AlertReceived(40))
            .with_look(HelloPurpose::Unsupported, None, Answer::Alert(40))
            .with_look(HelloPurpose::Everything, None, answer)
    };
    let suite = chosen(TlsVersion::Tls12, 0x0005, None);
    offered_all(suite.clone()).fails(&codes::TLS_PROTOCOL_ERROR).because("other ClientHellos were answered");
    offered_all(suite.clone())
        .with_difference(
            (HelloPurpose::Narrowed, suite),
            (HelloPurpose::Unsupported, Answer::Alert(40)),
            None,
        )
        .fails(&codes::TLS_NO_SHARED_CIPHER)
        .because("allow no suite that OpenSSL's clients offer, but TLS_RSA_WITH_RC4_128_SHA")
        .runs("ssl_ciphers");
    offered_all(Answer::Alert(40))
        .fails(&codes::TLS_NO_SHARED_CIPHER)
        .because("type of its key")
        .runs("Public Key Algorithm");
}

#[test]
fn what_no_answer_shows_to_be_missing_here_is_not_claimed() {
    let cbc = chosen(TlsVersion::Tls12, 0xC013, Some(23));
    // Nothing in these answers shows what is missing here.
    let unsaid = |evidence: Evidence| {
        let outcome = super::super::diagnose(evidence);
        assert_ne!(outcome.diagnosis.unwrap().code, &codes::TLS_UNSUPPORTED_HERE);
    };
    let plain = chosen(TlsVersion::Tls13, 0x1302, Some(25));
    let closed = || TlsFailure::Ended(Closure::Closed);
    unsaid(beside_own(closed(), &chosen(TlsVersion::Tls12, 0xC030, Some(23)), Answer::Alert(40)));
    // psql's offer is answered and this tool's is not; what is chosen, added to it, makes no difference.
    for failure in [closed(), TlsFailure::AlertReceived(40), TlsFailure::AlertReceived(80)] {
        for narrowed in [None, Some(Answer::Alert(40))] {
            let evidence = Evidence::healthy().with_tls(failure.clone()).with_difference(
                (HelloPurpose::Unsupported, cbc.clone()),
                (HelloPurpose::Own, Answer::Alert(40)),
                None,
            );
            unsaid(match narrowed {
                Some(answer) => evidence.with_look(HelloPurpose::Narrowed, None, answer),
                None => evidence,
            });
        }
    }
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(40))
        .with_look(HelloPurpose::Unsupported, None, Answer::Alert(40))
        .with_look(HelloPurpose::Own, None, plain.clone())
        .fails(&codes::TLS_PROTOCOL_ERROR)
        .because("with the same offer was answered");
    // What this tool offers is answered too, the second time or the first.
    unsaid(beside_own(TlsFailure::AlertReceived(40), &cbc, plain.clone()));
    let once = |answer: &Answer, own: &Answer| {
        Evidence::healthy()
            .with_tls(TlsFailure::AlertReceived(40))
            .with_look(HelloPurpose::Unsupported, None, answer.clone())
            .with_look(HelloPurpose::Own, None, own.clone())
    };
    unsaid(once(&cbc, &Answer::Alert(40)));
    unsaid(once(&cbc, &Answer::Alert(40)).with_look(HelloPurpose::Unsupported, None, cbc.clone()).with_look(
        HelloPurpose::Own,
        None,
        plain,
    ));
}

#[test]
fn client_certificates_wanted_and_refused() {
    let asked = |sent| {
        move |evidence: Evidence| {
            evidence.with_attempt(|attempt| {
                let record = &mut attempt.tls.as_mut().unwrap().result.client_certificate;
                record.requested = true;
                record.sent = sent;
                record.authorities = vec!["CN=Clients".to_owned()];
            })
        }
    };
    asked(false)(Evidence::healthy().with_tls(TlsFailure::AlertReceived(40)))
        .fails(&codes::CLIENT_CERT_REQUIRED)
        .shows("server_accepts", "CN=Clients")
        .advises("set sslcert to a client certificate issued by");
    asked(false)(Evidence::healthy().with_session(SessionFailure::AlertReceived(116)))
        .fails(&codes::CLIENT_CERT_REQUIRED)
        .shows("answer", "certificate_required (116)");
    Evidence::healthy()
        .with_error("28000", "connection requires a valid client certificate")
        .fails(&codes::CLIENT_CERT_REQUIRED)
        .shows("answer", "connection requires a valid client certificate");
    // At a pooler's port pg_hba.conf is not asked.
    asked(false)(Evidence::healthy().with_session(SessionFailure::AlertReceived(116)))
        .with_settings(|settings| settings.hosts[0].port = Ok(6432))
        .fails(&codes::CLIENT_CERT_REQUIRED)
        .runs("client_tls_sslmode = require");
    // Asked for and not demanded.
    asked(false)(Evidence::healthy()).verified();

    asked(true)(Evidence::healthy().with_session(SessionFailure::AlertReceived(48)))
        .fails(&codes::CLIENT_CERT_REJECTED)
        .shows("answer", "unknown_ca (48)")
        .advises("ssl_ca_file");
    asked(true)(Evidence::healthy().with_tls(TlsFailure::AlertReceived(45)))
        .fails(&codes::CLIENT_CERT_REJECTED)
        .shows("answer", "certificate_expired");
    Evidence::healthy()
        .with_error("28000", "certificate authentication failed for user \"app\"")
        .fails(&codes::CLIENT_CERT_REJECTED)
        .advises("common name is the user app");
    // clientcert=verify-full on a line with trust, another name in the certificate (measured).
    Evidence::healthy()
        .with_error("28000", "\"trust\" authentication failed for user \"app\"")
        .fails(&codes::CLIENT_CERT_REJECTED)
        .advises("common name is the user app");
    asked(true)(Evidence::healthy()).verified();
}

/// Evidence of a handshake in which the client presented a chain; the server takes those of `root`, whose key is the client's.
fn presented(root: &Authority, chain: &[&Authority], evidence: Evidence) -> Evidence {
    let chain: Vec<_> = chain.iter().map(|one| one.certificate.clone()).collect();
    let key = Arc::new(rustls::pki_types::PrivateKeyDer::try_from(root.key_der()).unwrap());
    evidence
        .with(|evidence| {
            Arc::make_mut(evidence.trust.as_mut().unwrap()).client =
                ClientIdentity::Ready(ClientCertificate {
                    chain,
                    key,
                    certificate_file: "/app.crt".into(),
                    key_file: "/app.key".into(),
                    key_is_pem: true,
                });
            let at = |keyword, value| parameter(keyword, value, Origin::ConnectionString);
            evidence.config.as_mut().unwrap().parameters.push(at("sslcert", "/app.crt"));
        })
        .with_attempt(|attempt| {
            let record = &mut attempt.tls.as_mut().unwrap().result.client_certificate;
            (record.requested, record.sent) = (true, true);
            record.authorities = vec!["CN=Clients".to_owned()];
        })
}

/// The second fault of a certificate is told with the first.
#[test]
fn a_client_certificate_of_another_name_is_told_with_what_it_needs_next() {
    let root = Authority::root("Clients");
    for name in ["web7", "app"] {
        let evidence = Evidence::healthy().with_tls(TlsFailure::AlertReceived(48));
        let certificate = root.issue(params(name, false));
        let found = presented(&root, &[&certificate], evidence).fails(&codes::CLIENT_CERT_REJECTED);
        let then = found.diagnosis.fixes[0].then.clone().unwrap_or_default();
        assert_eq!(then.contains("`clients web7 app`"), name != "app", "{then}");
    }
}

/// What of the client's own certificates has expired is known here, whatever the server says or does not say of it.
#[test]
fn a_client_certificate_that_has_expired_is_told_first() {
    let ended = |ca| {
        let mut ended = params(if ca { "Client Middle" } else { "app" }, ca);
        ended.not_after = date_time_ymd(2026, 11, 20);
        ended
    };
    let root = Authority::root("Clients");
    let middle = root.intermediate("Client Middle");
    let old_middle = root.issue(ended(true));
    let presented = |chain: Vec<&Authority>, evidence: Evidence| presented(&root, &chain, evidence);
    let (old, current) = (root.issue(ended(false)), root.issue(params("app", false)));
    let answers: [fn(Evidence) -> Evidence; 5] = [
        |evidence| evidence.with_session(SessionFailure::AlertReceived(45)),
        |evidence| evidence.with_tls(TlsFailure::AlertReceived(42)),
        |evidence| evidence.with_tls(TlsFailure::Ended(Closure::Reset)),
        |evidence| {
            let evidence = evidence.with_session(SessionFailure::Ended(Closure::Closed));
            evidence.with_attempt(|attempt| {
                attempt.session.as_mut().unwrap().result.last_message = None;
            })
        },
        |evidence| evidence.with_error("28000", "client certificate validation failed"),
    ];
    for answer in answers {
        let found = presented(vec![&old], answer(Evidence::healthy())).fails(&codes::CLIENT_CERT_REJECTED);
        let first = &found.diagnosis.fixes[0].text;
        assert!(first.starts_with("at CN=Clients: issue a new certificate for app"), "{first}");
        found
            .titled("the client certificate app expired on 2026-11-20, and the server rejected it")
            .because("by this machine's clock it expired 5 days ago")
            .shows("path", "/app.crt");
        let chain = vec![&current, &old_middle];
        presented(chain, answer(Evidence::healthy()))
            .fails(&codes::CLIENT_CERT_REJECTED)
            .called("Client Middle, an intermediate of the client certificate, expired on 2026-11-20")
            .advises("here, in /app.crt: put that CA's current certificate in the place of the expired one");
    }
    presented(
        vec![&old],
        Evidence::healthy().with_error("28000", "connection requires a valid client certificate"),
    )
    .fails(&codes::CLIENT_CERT_REQUIRED)
    .shows("client_certificate", "one was sent; the client certificate app expired on 2026-11-20");
    // Where none of them has, a server that says so means its own files or clock.
    let chain = vec![&current, &middle];
    let found = presented(chain.clone(), answers[0](Evidence::healthy())).fails(&codes::CLIENT_CERT_REJECTED);
    assert!(!found.diagnosis.fixes[0].text.contains("new certificate"), "{:?}", found.diagnosis.fixes);
    found.because("the certificates sent are valid").runs("openssl crl -noout -nextupdate");
    // Nothing is claimed of what was closed for reasons of its own.
    presented(chain, answers[2](Evidence::healthy())).fails(&codes::TLS_CLOSED);
    presented(vec![&old], Evidence::healthy().with_error("3D000", "database \"x\" does not exist"))
        .fails(&codes::DATABASE_MISSING);
}

#[test]
fn the_name_in_the_handshake() {
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(112))
        .fails(&codes::SNI_UNRECOGNIZED)
        .shows("name_sent", HOST);
    let other = Answer::ServerHello {
        version: TlsVersion::Tls12,
        suite: 0xC02F,
        group: None,
        retry: false,
        leaf: None,
    };
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(40))
        .with_difference(
            (HelloPurpose::ServerName, other),
            (HelloPurpose::Unsupported, Answer::Alert(40)),
            Some("other.example"),
        )
        .fails(&codes::SNI_UNRECOGNIZED)
        .shows("works", "other.example");
    Evidence::healthy()
        .with_settings(|settings| settings.sni = false)
        .with_attempt(|attempt| attempt.tls.as_mut().unwrap().result.offer.sni = None)
        .with_error("XX000", "Endpoint ID is not specified. Either upgrade the Postgres client library")
        .fails(&codes::SNI_UNRECOGNIZED)
        .shows("name_sent", "none")
        .sets("sslsni", "1");
}

#[test]
fn a_certificate_that_changes_with_the_name() {
    let chain = Chain::honest();
    let other = chain.intermediate.server("default.example");
    let shown = |leaf: &Certificate| Answer::ServerHello {
        version: TlsVersion::Tls12,
        suite: 0xC02F,
        group: None,
        retry: false,
        leaf: Some(leaf.clone()),
    };
    let sent = vec![other.clone(), chain.intermediate.certificate.clone()];
    let roots = [&chain.root.certificate];
    Evidence::of(sent.clone(), &roots)
        .with_look(HelloPurpose::Unsupported, None, shown(&other))
        .with_look(HelloPurpose::ServerName, Some(HOST), shown(&chain.leaf))
        .fails(&codes::SNI_UNRECOGNIZED)
        .shows("under_the_name", HOST);
    // In TLS 1.2 the name is not what makes the difference.
    Evidence::of(sent.clone(), &roots)
        .with_look(HelloPurpose::Unsupported, None, shown(&chain.leaf))
        .with_look(HelloPurpose::ServerName, Some(HOST), shown(&chain.leaf))
        .fails(&codes::HOSTNAME_MISMATCH);
    Evidence::of(sent, &roots).fails(&codes::HOSTNAME_MISMATCH);
}

#[test]
fn silence_in_the_handshake_is_told_apart_by_bytes() {
    let silent = |received, in_flight| {
        Evidence::healthy().with_tls(TlsFailure::TimedOut(in_flight)).with_attempt(|attempt| {
            attempt.tls.as_mut().unwrap().result.bytes_received = received;
        })
    };
    silent(0, None)
        .fails(&codes::TLS_TIMEOUT)
        .titled("no response to the ClientHello")
        .shows("bytes_received", "0")
        .retryable(true);
    silent(1448, None)
        .fails(&codes::TLS_TIMEOUT)
        .because("what was seen does not tell which")
        .runs("ping -M do")
        .shows("bytes_received", "1448");
    let lost = Some(InFlight { unacknowledged: 240, retransmits: 5 });
    silent(0, lost)
        .fails(&codes::TLS_TIMEOUT)
        .because("no longer acknowledged")
        .shows("unacknowledged", "240 bytes");
    let hello = Answer::ServerHello {
        version: TlsVersion::Tls13,
        suite: 0x1302,
        group: Some(24),
        retry: true,
        leaf: None,
    };
    let beside_whole = |purpose, whole: Answer| {
        silent(0, None).with_difference((purpose, hello.clone()), (HelloPurpose::WholeAnswer, whole), None)
    };
    let lost = "large packets from the server are lost";
    beside_whole(HelloPurpose::ShortAnswer, Answer::TimedOut).fails(&codes::TLS_TIMEOUT).because(lost);
    // The long answer came this time.
    beside_whole(HelloPurpose::ShortAnswer, hello.clone())
        .fails(&codes::TLS_TIMEOUT)
        .because("other ClientHellos were answered");
    beside_whole(HelloPurpose::Alpn, Answer::TimedOut)
        .fails(&codes::ALPN_REJECTED)
        .shows("answer", "none")
        .shows("without_alpn", "the server answers");
    beside_whole(HelloPurpose::Alpn, hello.clone()).fails(&codes::TLS_TIMEOUT);
}

#[test]
fn alpn_is_rejected_where_nothing_else_makes_the_difference() {
    let hello = || chosen(TlsVersion::Tls13, 0x1302, Some(23));
    let said = || Evidence::healthy().with_tls(TlsFailure::AlertReceived(120));
    said()
        .fails(&codes::ALPN_REJECTED)
        .shows("answer", "no_application_protocol (120)")
        .advises("accepts by ALPN");
    said()
        .with_difference((HelloPurpose::Alpn, hello()), (HelloPurpose::Unsupported, Answer::Alert(120)), None)
        .fails(&codes::ALPN_REJECTED)
        .shows("libpq", "16 and older");
    for evidence in [
        said().with_look(HelloPurpose::Alpn, None, Answer::Alert(120)),
        said().with_look(HelloPurpose::Alpn, None, hello()).with_look(
            HelloPurpose::Unsupported,
            None,
            hello(),
        ),
    ] {
        evidence.fails(&codes::TLS_PROTOCOL_ERROR).because("supported");
    }
    for failure in
        [TlsFailure::AlertReceived(80), TlsFailure::Ended(Closure::Closed), TlsFailure::Ended(Closure::Reset)]
    {
        let evidence = |with: Answer| {
            Evidence::healthy().with_tls(failure.clone()).with_difference(
                (HelloPurpose::Alpn, hello()),
                (HelloPurpose::Unsupported, with),
                None,
            )
        };
        evidence(Answer::Ended(Closure::Closed))
            .fails(&codes::ALPN_REJECTED)
            .shows("without_alpn", "answers");
        // With ALPN the server answers too: it was chance.
        let outcome = super::super::diagnose(evidence(hello()));
        assert_ne!(outcome.diagnosis.unwrap().code, &codes::ALPN_REJECTED);
        let once = Evidence::healthy()
            .with_tls(failure.clone())
            .with_look(HelloPurpose::Unsupported, None, Answer::Ended(Closure::Closed))
            .with_look(HelloPurpose::Alpn, None, hello());
        assert_ne!(super::super::diagnose(once).diagnosis.unwrap().code, &codes::ALPN_REJECTED);
    }
}

#[test]
fn the_handshakes_other_ends() {
    for closure in [Closure::Closed, Closure::Reset] {
        Evidence::healthy()
            .with_tls(TlsFailure::Ended(closure))
            .fails(&codes::TLS_CLOSED)
            .advises("log")
            .retryable(true);
    }
    Evidence::healthy()
        .with_tls(TlsFailure::NotTls(b"HTTP/1.0 200 OK".to_vec()))
        .fails(&codes::TLS_PROTOCOL_ERROR)
        .shows("first_bytes", "HTTP/1.0 200 OK");
    Evidence::healthy()
        .with_tls(TlsFailure::AlertReceived(80))
        .fails(&codes::TLS_PROTOCOL_ERROR)
        .shows("alert", "internal_error (80)");
    Evidence::healthy()
        .with_tls(TlsFailure::Protocol("bad message".to_owned()))
        .fails(&codes::TLS_PROTOCOL_ERROR)
        .shows("what", "bad message");
}

#[test]
fn the_servers_own_psql_asks_at_its_port_unless_that_is_a_poolers_or_a_tunnels() {
    let refused = |port: u16, to: &str, by_address: bool| {
        Evidence::healthy()
            .with_host("db.example", to)
            .with_settings(|settings| {
                settings.hosts[0].port = Ok(port);
                if by_address {
                    settings.parameters.push(parameter("hostaddr", to, Origin::ConnectionString));
                }
            })
            .with_answer(NegotiateResult::Refused)
            .fails(&codes::SERVER_REFUSED_TLS)
    };
    for (port, to, by_address, command) in [
        (5433, "10.0.4.5", false, "psql -p 5433 -c 'SELECT pg_reload_conf()'"),
        (5433, "127.0.0.1", false, "psql -p 5433 -c 'SELECT pg_reload_conf()'"),
        (5432, "10.0.4.5", false, "psql -c 'SELECT pg_reload_conf()'"),
        (6432, "10.0.4.5", false, "psql -c 'SELECT pg_reload_conf()'"),
        (15432, "127.0.0.1", true, "psql -c 'SELECT pg_reload_conf()'"),
    ] {
        refused(port, to, by_address).runs(command);
    }
}

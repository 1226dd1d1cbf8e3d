//! Names, addresses, connections.

use super::{Reading, c, reading};

pub(in super::super) const REFUSED: &[Reading] = &[reading(
    &[&c::TCP_REFUSED],
    "connection refused: nothing is listening on that address and port",
    "another port, a server that is down, or listen_addresses without this address",
    "here: correct host and port; on the server: start it, or set listen_addresses",
)];

pub(in super::super) const TIMED_OUT: &[Reading] = &[
    reading(
        &[&c::TCP_TIMEOUT],
        "the address does not respond: a firewall drops the packets, or the network has no route to it",
        "no TCP connection is established",
        "in between: let this client's address through to host and port (own firewall, Azure firewall rule, AWS security \
         group); private access: run from inside the network",
    ),
    reading(
        &[&c::NEGOTIATION_TIMEOUT, &c::TLS_TIMEOUT, &c::SESSION_TIMEOUT],
        "TCP connects and the server stops responding later",
        "a TCP connection is established: a load balancer without backend, a path MTU problem, a paused server",
        "on the server or load balancer: check that the backend is up",
    ),
];

pub(in super::super) const UNREACHABLE: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE, &c::DNS_NO_ADDRESS],
    "no route to the address",
    "an IPv6 address on a machine without IPv6, or a local firewall: look which address the name resolves to",
    "here: set hostaddr to the server's IPv4 address, or correct the route",
)];

pub(in super::super) const NO_SUCH_NAME: &[Reading] = &[
    reading(
        &[&c::DNS_NOT_FOUND],
        "the host name does not exist for this resolver",
        "a misspelt name; one without a dot, which only its own network, container or search domain knows; a private DNS zone \
         that is not linked to the client's network",
        "here: correct host, or give the full name; private access: link the private DNS zone to this network",
    ),
    reading(
        &[&c::CONNINFO_HOST_MALFORMED],
        "the host value contains more than a host name: part of a password, a port or a scheme",
        "the name in the text has an @, a colon or a slash",
        "here: percent-encode the password in the URI (@ is %40, / is %2F)",
    ),
    reading(
        &[&c::DNS_NO_ADDRESS],
        "the name exists and has no address of the requested kind",
        "it resolves with another record type",
        "in the DNS: add the A or AAAA record",
    ),
];

pub(in super::super) const RESOLVER: &[Reading] = &[reading(
    &[&c::DNS_FAILURE],
    "the resolver did not answer",
    "other names fail too",
    "here: check /etc/resolv.conf, the VPN, or the cluster's DNS",
)];

pub(in super::super) const SOCKET: &[Reading] = &[reading(
    &[&c::TLS_NOT_REQUESTED],
    "libpq uses a Unix socket, where there is never TLS",
    "host is empty or a directory",
    "here: set host to the server's name",
)];

pub(in super::super) const HUNG_UP: &[Reading] = &[
    reading(
        &[&c::NEGOTIATION_CLOSED],
        "the server closed the connection after SSLRequest: an allow list, a full server, a load balancer without \
         backend",
        "it ends before the first byte of an answer",
        "at the provider: allow this client's address; on the load balancer: check that the backend is up",
    ),
    reading(
        &[&c::TLS_CLOSED, &c::CLIENT_CERT_REQUIRED],
        "the connection was closed during the handshake: a middlebox, or the server requires a client certificate",
        "the server answered S and the connection ended; with TLS 1.3, alert 116 is in the server's answer",
        "on the server: its log has the reason; a client certificate is set with sslcert and sslkey",
    ),
    reading(
        &[&c::SESSION_CLOSED],
        "the server closed the connection after the handshake",
        "TLS was established before the end",
        "on the server: look in its log for a crash; idle connections: shorten the client's keepalives",
    ),
];

pub(in super::super) const HUNG_UP_IN_TLS: &[Reading] = &[
    reading(
        &[&c::TLS_CLOSED, &c::NEGOTIATION_CLOSED],
        "the server, or something in between, closed the connection during the handshake",
        "the end follows the ClientHello",
        "in between: allow PostgreSQL's TLS through the proxy or firewall; on the server: its log has the reason",
    ),
    reading(
        &[&c::CLIENT_CERT_REQUIRED],
        "the server requires a client certificate; this client shows its alert as an end",
        "the alert behind it is 40 (TLS 1.2) or 116 (TLS 1.3)",
        "here: set sslcert and sslkey",
    ),
    reading(
        &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS, &c::SESSION_CLOSED],
        "the answer was not TLS at all, or the connection was closed later",
        "the first bytes of the answer, and whether TLS was established before the end",
        "here: make sure that the port is PostgreSQL's",
    ),
];

pub(in super::super) const HUNG_UP_LATER: &[Reading] = &[
    reading(
        &[&c::SESSION_CLOSED, &c::HBA_REJECTED],
        "the server closed the connection after the startup message",
        "its log has the reason: pg_hba.conf, a crash, a limit",
        "on the server: look in its log at this time for FATAL or \"terminated by signal\"",
    ),
    reading(
        &[&c::CLIENT_CERT_REQUIRED, &c::CLIENT_CERT_REJECTED],
        "the server requires a client certificate, or another one (TLS 1.3 reports it after the handshake)",
        "the alert behind it is 116 or 42 to 48",
        "here: set sslcert and sslkey to a certificate of the server's client CA",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED, &c::TLS_CLOSED],
        "the connection was closed earlier",
        "neither S nor a ServerHello arrived",
        "at the provider: allow this client's address",
    ),
];

pub(in super::super) const SILENCE: &[Reading] = &[
    reading(
        &[&c::NEGOTIATION_TIMEOUT, &c::TLS_TIMEOUT],
        "TCP connects and the server does not respond",
        "no answer to SSLRequest, or none to the ClientHello",
        "on the load balancer: check that the backend is up",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED],
        "the server closed the connection and this client keeps waiting",
        "other clients report at once that the connection was closed",
        "at the provider: allow this client's address",
    ),
    reading(
        &[&c::TCP_TIMEOUT],
        "the address does not respond",
        "no TCP connection is established",
        "at the provider: allow this client's address in the firewall",
    ),
];

pub(in super::super) const LOCAL_SOCKET: &[Reading] = &[reading(
    &[],
    "this machine cannot open or configure a socket: too many open files, or a sandbox that forbids it",
    "the words after the colon have the reason; ulimit -n",
    "here: raise the limit of open files, or allow network access",
)];

/// libpq's hint under a connection that failed, without its first line.
pub(in super::super) const NO_CONNECTION: &[Reading] = &[reading(
    &[&c::TCP_REFUSED, &c::TCP_TIMEOUT, &c::TCP_UNREACHABLE],
    "no TCP connection could be established",
    "the line above it: Connection refused, Connection timed out, No route to host",
    "here: correct host and port; on the server: start it; at the provider: allow this client's address",
)];

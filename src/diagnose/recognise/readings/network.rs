//! Names, addresses, connections.

use super::{Reading, c, reading};

pub(in super::super) const REFUSED: &[Reading] = &[reading(
    &[&c::TCP_REFUSED],
    "connection refused: nothing is listening on that address and port",
    "on the server, sudo ss -ltnp | grep -i postgres lists nothing (it is down), another port, or 127.0.0.1 only",
    "nothing: on the server, see its log (journalctl -u 'postgresql*', docker logs) and start it; another port: set port to that; \
     127.0.0.1 only: ALTER SYSTEM SET listen_addresses = '*'; then restart",
)];

pub(in super::super) const TIMED_OUT: &[Reading] = &[
    reading(
        &[&c::TCP_TIMEOUT],
        "the address does not respond: a firewall drops the packets, or the network has no route to it",
        "nc -vz {host|HOST} {port|5432} does not connect either",
        "in between: let this client's address through to host and port (own firewall, Azure firewall rule, AWS security \
         group); private access: run from inside the network",
    ),
    reading(
        &[&c::NEGOTIATION_TIMEOUT, &c::TLS_TIMEOUT, &c::SESSION_TIMEOUT],
        "TCP connects and the server stops responding later: a load balancer without backend, a path MTU problem, a paused server",
        "nc -vz {host|HOST} {port|5432} connects at once",
        "on the server or load balancer: check that the backend is up",
    ),
];

pub(in super::super) const UNREACHABLE: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE, &c::DNS_NO_ADDRESS],
    "no route to the address",
    "getent ahosts {host|NAME} shows which address it is: an IPv6 address on a machine without IPv6, or one behind a VPN that is down",
    "here: set hostaddr to the server's IPv4 address, or connect the VPN",
)];

pub(in super::super) const NO_LOCAL_ADDRESS: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE],
    "this machine has no local address or port for the connection; nothing reached the server",
    "an IPv6 address (::1): IPv6 is switched off here, as in many containers; an IPv4 one: a program here has used up the local ports: sudo \
     ss -Htan dst {host|ADDRESS} | wc -l is near the size of sysctl net.ipv4.ip_local_port_range",
    "here: IPv6: use 127.0.0.1 for localhost, or the server's IPv4 address; IPv4: let the program reuse its connections (a pool)",
)];

pub(in super::super) const BLACKHOLE: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE],
    "a blackhole route of this machine discards what is sent to the address, or it is link-local (fe80::) without its interface",
    "ip route show table all type blackhole lists a network that has the address",
    "here: remove that route if it is not meant: sudo ip route del blackhole NETWORK",
)];

pub(in super::super) const NO_FAMILY: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE],
    "this machine, or the sandbox that the program runs in, has no IPv6 (or no IPv4)",
    "cat /proc/cmdline has ipv6.disable=1, or the systemd unit RestrictAddressFamilies=",
    "here: use an address of the server of the other family, or allow the family",
)];

/// Prisma's P1001.
pub(in super::super) const NOT_REACHED: &[Reading] = &[
    reading(
        &[&c::TCP_REFUSED, &c::TCP_TIMEOUT, &c::TCP_UNREACHABLE],
        "no TCP connection was made to the host and port that it names",
        "nc -vz {host|HOST} {port|5432} fails here too, at once (refused) or after seconds (a firewall)",
        "here: correct host and port; on the server: start it; at the provider: allow this client's address; in a container: not \
         localhost but the server's name",
    ),
    reading(
        &[&c::DNS_NOT_FOUND, &c::DNS_FAILURE],
        "the host name does not resolve here",
        "getent hosts {host|NAME} prints nothing",
        "here: correct host, or connect the VPN",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED, &c::SERVER_STARTING],
        "the server or its proxy is starting, paused or closes the connection",
        "nc -vz {host|HOST} {port|5432} connects",
        "at the provider: see that it runs and allows this client's address; one that sleeps: add connect_timeout=30 to the URL",
    ),
];

/// Prisma's P1017.
pub(in super::super) const CLOSED_BY_SERVER: &[Reading] = &[
    reading(
        &[&c::SESSION_CLOSED, &c::NEGOTIATION_CLOSED, &c::TLS_CLOSED],
        "the server, or a pooler or proxy in front of it, closed the connection",
        "at once: an allow list, a proxy or a server that wants TLS; later: a crash, a restart, a limit on idle connections",
        "on the server or pooler: its log has the reason at this time; at the provider: allow this client's address",
    ),
    reading(
        &[&c::NOT_POSTGRESQL],
        "the port is another service's",
        "SHOW port on the server is another one",
        "here: correct host and port",
    ),
];

pub(in super::super) const NO_SUCH_NAME: &[Reading] = &[
    reading(
        &[&c::DNS_NOT_FOUND],
        "the host name does not exist for this resolver",
        "a name without a dot is known in its own network, container or search domain only; a private one where its private DNS \
         zone is linked; else it is misspelt: getent hosts {host|NAME} on a machine where it works shows the full name",
        "here: set host to the full name; if it works nowhere, correct it; private access: run from inside its network or VPN",
    ),
    reading(
        &[&c::CONNINFO_HOST_MALFORMED],
        "the host value contains more than a host name: part of a password, a port or a scheme",
        "the name in the text has an @, a colon or a slash",
        "here: percent-encode the password in the URI (@ is %40, / is %2F); a port goes into port",
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
    "other names fail too: getent hosts example.com",
    "here: cat /etc/resolv.conf has to name a resolver that answers; connect the VPN, or restart the cluster's DNS",
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
        "the server's log has no line of this connection: it did not get there",
        "at the provider: allow this client's address; on the load balancer: check that the backend is up",
    ),
    reading(
        &[&c::TLS_CLOSED, &c::CLIENT_CERT_REQUIRED],
        "the connection was closed during the handshake: a middlebox, or the server requires a client certificate",
        "the server's log has \"could not accept SSL connection\" and the reason; peer did not return a certificate: it requires one",
        "here: set sslcert and sslkey, if it requires a certificate; any other reason: mend that on the server",
    ),
    reading(
        &[&c::SESSION_CLOSED],
        "the server closed the connection after the handshake",
        "it worked for a while before; the server's log has \"was terminated by signal\" (a crash) or the FATAL line of the end",
        "on the server: mend what that line says; no such line: a firewall cut an idle connection: set keepalives_idle=60 here",
    ),
];

pub(in super::super) const HUNG_UP_IN_TLS: &[Reading] = &[
    reading(
        &[&c::TLS_CLOSED, &c::NEGOTIATION_CLOSED],
        "the server, or something in between, closed the connection during the handshake",
        "the server's log has \"could not accept SSL connection\" and the reason, or no line: then it was something in between",
        "on the server: mend the reason in its log; no line: in between, allow PostgreSQL's TLS through the proxy or firewall",
    ),
    reading(
        &[&c::CLIENT_CERT_REQUIRED],
        "the server requires a client certificate; this client shows its alert as an end",
        "the server's log has \"peer did not return a certificate\", or pg_hba.conf has cert or clientcert",
        "here: set sslcert and sslkey",
    ),
    reading(
        &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS, &c::SESSION_CLOSED],
        "the answer was not TLS at all, or the connection was closed later",
        "SHOW port on the server is another one, or the server's log has a FATAL line at this time",
        "here: make sure that host and port are PostgreSQL's; on the server: mend what the FATAL line says",
    ),
];

/// A statement was running: the login was over long ago.
pub(in super::super) const CUT_LATER: &[Reading] = &[
    reading(
        &[],
        "an open connection that was idle was cut in between: by a NAT, firewall or load balancer (4 minutes at Azure's, 350 seconds at AWS's), \
         or by a failover",
        "it comes after a pause, as on the first requests of the morning, and the server's log has nothing",
        "here: let the pool test its connections and close old ones (SQLAlchemy: pool_pre_ping=True, pool_recycle=200), and set \
         keepalives_idle=60 keepalives_interval=10 keepalives_count=5 in the string",
    ),
    reading(
        &[&c::SESSION_CLOSED],
        "the server ended the session while it ran",
        "its log has \"terminated by signal\", \"terminating connection\" or a restart at this time",
        "on the server: mend what that line says (out of memory, an administrator's command, idle_session_timeout)",
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

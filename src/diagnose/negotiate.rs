//! SSLRequest and its one-byte answer. Whatever comes before TLS is nobody's word in particular.

use super::Fix;
use super::code::{Code, Concern, Severity};
use super::fingerprints::{first_bytes, recognise};
use super::fix::{RELOAD, in_the_log, is_local, manager, provider_hints, to_the_server, who_listens};
use super::rule::{Finding, Rule};
use super::view::View;
use crate::conninfo::Origin;
use crate::evidence::{
    Answer, Closure, HelloPurpose, InFlight, NegotiateResult, Question, TcpResult, TlsFailure,
};
use crate::provider::{self, Situation};
use crate::stage::Stage;
use crate::text;
use crate::trust::FileCertificate;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &SERVER_REFUSED_TLS, detect: refused },
    Rule { code: &SERVER_ERROR_BEFORE_TLS, detect: error },
    Rule { code: &NOT_POSTGRESQL, detect: begins_with_tls },
    Rule { code: &NOT_POSTGRESQL, detect: foreign },
    Rule { code: &INJECTED_PLAINTEXT, detect: injected },
    Rule { code: &NEGOTIATION_CLOSED, detect: closed },
    Rule { code: &NEGOTIATION_TIMEOUT, detect: silence },
];

/// What a handshake without SSLRequest shows.
pub(super) const DIRECT: &[Rule] = &[Rule { code: &DIRECT_TLS_UNSUPPORTED, detect: direct }];

/// `server-refused-tls`.
pub const SERVER_REFUSED_TLS: Code = Code {
    name: "server-refused-tls",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the server declined TLS",
    short: Some("the server answered N"),
    concerns: &[],
    retryable: false,
};

/// `negotiation-closed`.
pub const NEGOTIATION_CLOSED: Code = Code {
    name: "negotiation-closed",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the connection was closed after SSLRequest",
    short: None,
    concerns: &[],
    retryable: true,
};

/// `negotiation-timeout`.
pub const NEGOTIATION_TIMEOUT: Code = Code {
    name: "negotiation-timeout",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "no response to SSLRequest",
    short: Some("no answer"),
    concerns: &[Concern::Deadline],
    retryable: true,
};

/// `not-postgresql`.
pub const NOT_POSTGRESQL: Code = Code {
    name: "not-postgresql",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the port belongs to a service that is not PostgreSQL",
    short: Some("another protocol answers"),
    concerns: &[],
    retryable: false,
};

/// `server-error-before-tls`.
pub const SERVER_ERROR_BEFORE_TLS: Code = Code {
    name: "server-error-before-tls",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the server answered SSLRequest with an error",
    short: Some("the answer is an error"),
    concerns: &[],
    retryable: true,
};

/// `injected-plaintext`.
pub const INJECTED_PLAINTEXT: Code = Code {
    name: "injected-plaintext",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the server sent unencrypted bytes after accepting TLS",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `direct-tls-unsupported`.
pub const DIRECT_TLS_UNSUPPORTED: Code = Code {
    name: "direct-tls-unsupported",
    severity: Severity::Failure,
    stage: Stage::Negotiate,
    title: "the server does not support direct TLS",
    short: Some("no TLS without SSLRequest"),
    concerns: &[],
    retryable: false,
};

/// Another of the usual ports at which PostgreSQL answers, with TLS.
fn other_port(view: &View<'_>) -> Option<Fix> {
    let port = view.neighbour(b"S")?;
    let text = format!("a server that offers TLS answers on port {port} of the same address: use that");
    Some(Fix::text(text).set("port", port.to_string()))
}

fn refused(view: &View<'_>) -> Option<Finding> {
    (view.negotiate()? == &NegotiateResult::Refused).then(|| {
        let who = who_answers(view);
        let pooler = view.pooler_of_port().is_some();
        let server = Fix::server(
            "on the server, if SHOW ssl reports off, whatever postgresql.conf says (ALTER SYSTEM overrides it): put server.crt and \
             server.key into the data directory, if ssl_cert_file and ssl_key_file name no others (`pgtls-check guide certificates` \
             makes them), then switch TLS on",
        )
        .run(format!("ALTER SYSTEM SET ssl = on;\n{RELOAD}"));
        let bouncer = || {
            Fix::server("in PgBouncer: give it a certificate and key and switch TLS on in pgbouncer.ini, then RELOAD").run(
                "client_tls_sslmode = require\nclient_tls_cert_file = /etc/pgbouncer/server.crt\nclient_tls_key_file = \
                 /etc/pgbouncer/server.key",
            )
        };
        let log = view.provider().is_none().then(not_loaded);
        // Roots of a provider, and no server of its at this address: its own proxy, or a tunnel to it.
        let of_provider = |root: &FileCertificate| root.certificate.facts().is_ok_and(|facts| provider::by_issuer(&facts.subject).is_some());
        let is_proxy = is_local(view) && view.store().is_some_and(|store| store.certificates.iter().any(of_provider));
        let (cause, fixes): (&str, Vec<Fix>) = match who {
            Some(Program::PostgreSql) => (
                "PostgreSQL answers (by its words for a protocol version that does not exist), and ssl is off there, or its \
                 certificate files could not be loaded",
                [server].into_iter().chain(log).collect(),
            ),
            Some(Program::PgBouncer) => (
                "PgBouncer answers (by its words for a protocol version that does not exist), and has no client-side TLS",
                vec![bouncer()],
            ),
            None => (
                "ssl is off on the server, or a pooler or proxy in front of it takes no TLS from clients, even if it speaks TLS to the server",
                match pooler {
                    true => [bouncer(), server].into_iter().chain(log).collect(),
                    false => [server].into_iter().chain(log).chain([bouncer()]).collect(),
                },
            ),
        };
        Finding::titled(match who {
            Some(Program::PgBouncer) => "PgBouncer does not offer TLS",
            _ => "the server does not offer TLS",
        })
        .because(cause)
        .fact("answer", "N, to SSLRequest")
        .fact("to", view.place())
        .fact_if("answered_by", who.map(Program::name))
        .fixes(goes_on_here(view))
        .fixes(other_port(view))
        .fixes(is_proxy.then(tunnel))
        .fixes(fixes.into_iter().filter(|_| !is_proxy))
        .fixes((is_local(view) && !is_proxy).then(if who == Some(Program::PgBouncer) { sidecar } else { tunnel }))
        .fixes((is_local(view) && who.is_none()).then(|| who_listens(view)))
    })
}

/// A program that reads start-up packets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    PostgreSql,
    PgBouncer,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::PostgreSql => "PostgreSQL",
            Self::PgBouncer => "PgBouncer",
        }
    }
}

/// Who refuses a protocol version that does not exist: PostgreSQL names its function in every language
/// (ProcessStartupPacket in postmaster.c, backend_startup.c), PgBouncer repeats the packet (client.c). Measured with 15, 18
/// and PgBouncer 1.18.
fn who_answers(view: &View<'_>) -> Option<Program> {
    let words = view.evidence.looks.iter().find_map(|look| match (&look.question, &look.answer) {
        (Question::UnknownProtocol, Answer::Other(words)) => Some(words.as_slice()),
        _ => None,
    })?;
    let fields = || words.get(5..).unwrap_or_default().split(|byte| *byte == 0);
    if fields().any(|field| field == b"RProcessStartupPacket") {
        Some(Program::PostgreSql)
    } else if fields().any(|field| field.starts_with(b"Mbad packet header")) {
        Some(Program::PgBouncer)
    } else {
        None
    }
}

/// Where a reload fails PostgreSQL goes on without TLS, or with what it had (be-secure-openssl.c, postmaster.c), and `SHOW
/// ssl` reports `on` all the same. The log's words are those of 15 and 18 (`tests/it/ssl_not_loaded.rs` provokes each).
fn not_loaded() -> Fix {
    Fix::server(
        "on the server, if SHOW ssl reports on: the files could not be loaded; the lines before \"SSL configuration was not \
         reloaded\" in its log give the reason (server.crt and server.key are in the data directory, unless ssl_cert_file and \
         ssl_key_file name others)",
    )
    .run(
        [
            "grep -B2 'SSL configuration was not reloaded' LOGFILE",
            "# \"has group or world access\", \"must be owned by\" (of a container on its host, by number: chown 999, for Alpine 70):",
            "chown postgres server.key && chmod 600 server.key && psql -c 'SELECT pg_reload_conf()'",
            "# \"key values mismatch\": the server's own certificate must come first in server.crt; these print one key twice then",
            "openssl x509 -noout -pubkey -in server.crt; openssl pkey -pubout -in server.key",
            "# \"could not load\", \"could not access\", \"no start line\": the file is missing, not readable for the server, or not PEM",
            "# \"requires a passphrase\": decrypt server.key, or set ssl_passphrase_command and ssl_passphrase_command_supports_reload",
        ]
        .join("\n"),
    )
}

fn closed(view: &View<'_>) -> Option<Finding> {
    let (short, how) = match view.negotiate()? {
        NegotiateResult::Ended(Closure::Closed) => ("closed", "closed (FIN)".to_owned()),
        NegotiateResult::Ended(Closure::Reset) => ("reset", "reset (RST)".to_owned()),
        NegotiateResult::Failed(failure) => ("closed", text::printable(&failure.text)),
        _ => return None,
    };
    let again = view.evidence.looks.iter().find(|look| look.question == Question::SslRequest);
    let (cause, again) = match again.map(|look| &look.answer) {
        Some(Answer::Byte(b'S' | b'N')) => (
            "asked again it answered, so this machine is not blocked: probably a server that was full for a moment, or a load balancer with one failing server behind it",
            Some("it answers"),
        ),
        Some(Answer::Ended(_)) => (
            "the listener closes every connection immediately: probably a proxy or load balancer that does not allow this machine, or whose server is down; a server that is full or shutting down can do the same",
            Some("it closes the connection again"),
        ),
        _ => (
            "the listener closes the connection immediately: probably a proxy or load balancer that does not allow this machine, or whose server is down; a server that is full or shutting down can do the same",
            None,
        ),
    };
    let title = match view.tcp() {
        Some(TcpResult::Connected { local: None }) => {
            format!("{} reset the connection as soon as it was made", view.place())
        }
        _ => format!("{} closed the connection after SSLRequest", view.place()),
    };
    Some(
        Finding::titled(title)
            .in_short(short)
            .because(cause)
            .fact("answer", how)
            .fact_if("asked_again", again)
            .fact("to", view.place())
            .fixes(provider_hints(view, Situation::RefusedBeforeTls, None))
            .fixes(is_local(view).then(|| who_listens(view)))
            .fixes(who_closed(view, again.is_some_and(|again| again.ends_with("again"))))
            .answered(again == Some("it closes the connection again")),
    )
}

/// A server that is up answers each time: who never does is in front of it, as a rule, and has none behind.
fn who_closed(view: &View<'_>, each_time: bool) -> Vec<Fix> {
    let log = in_the_log(
        "\"too many clients\", \"shutting down\" or \"out of memory\" is the reason; \"invalid length of startup packet\": a balancer in front speaks \
                 the PROXY protocol to it, which PostgreSQL does not know (HAProxy: take send-proxy out; AWS: proxy protocol v2)",
    );
    if is_local(view) {
        return vec![log];
    }
    let port = view.port();
    let front = Fix::text(format!(
        "in the proxy, load balancer or firewall in front of the server, if any: see that a server behind it is up and passes the health check, that this machine's address is allowed, and that port {port} is PostgreSQL's"
    ));
    if !each_time || manager(view).is_some() {
        return vec![log, front];
    }
    let front = front.run(
        "# HAProxy; of Patroni's members it asks port 8008 who leads:\necho 'show stat' | sudo socat stdio /run/haproxy/admin.sock | cut \
         -d, -f1,2,18,37\npatronictl list",
    );
    vec![front, log]
}

/// A port that does not understand SSLRequest and answers a ClientHello: seen from its ServerHello. PostgreSQL 17 answers
/// both, so that SSLRequest must have stayed without an answer each time.
fn begins_with_tls(view: &View<'_>) -> Option<Finding> {
    let (answer, closed) = match view.negotiate()? {
        NegotiateResult::Ended(Closure::Closed) => ("closed (FIN)".to_owned(), "closes the connection after"),
        NegotiateResult::Ended(Closure::Reset) => ("reset (RST)".to_owned(), "resets the connection after"),
        NegotiateResult::TimedOut(_) => ("none".to_owned(), "does not answer"),
        NegotiateResult::Foreign(bytes) => {
            (format!("a TLS record, {}", first_bytes(bytes)), "answers with a TLS record to")
        }
        _ => return None,
    };
    let here = || view.evidence.looks.iter().filter(|look| Some(look.address.ip()) == view.address());
    let understands = |look: &&crate::evidence::Look| {
        look.address.port() == view.port()
            && look.question == Question::SslRequest
            && matches!(look.answer, Answer::Byte(_))
    };
    if here().any(|look| understands(&look)) {
        return None;
    }
    let heard = |alpn: bool| {
        here().find_map(|look| match (&look.question, &look.answer) {
            (Question::Hello(offer), Answer::ServerHello { version, .. })
                if offer.direct && offer.alpn == alpn =>
            {
                Some(version.name())
            }
            _ => None,
        })
    };
    let (version, by_alpn) = match (heard(true), heard(false)) {
        (Some(version), _) => (version, true),
        (None, version) => (version?, false),
    };
    let cause = format!(
        "it {closed} SSLRequest and answers a ClientHello{}: an HTTPS service, or a load balancer or proxy that terminates \
         TLS itself{}",
        if by_alpn { "" } else { " that does not offer ALPN \"postgresql\"" },
        if by_alpn { ", perhaps in front of PostgreSQL" } else { "" },
    );
    Some(
        Finding::titled(format!("{} speaks TLS at once, not PostgreSQL's SSLRequest", view.place()))
            .in_short("speaks TLS at once")
            .because(cause)
            .fact("answer", answer)
            .fact("to_clienthello", format!("ServerHello, {version}"))
            .fact("to", view.place())
            .fixes(by_alpn.then(|| by_direct_tls("start with TLS, without SSLRequest (libpq 17 or later)")))
            .fixes(other_port(view))
            .fix(let_through())
            .fix(to_the_server(view)),
    )
}

/// TLS from the first byte.
fn by_direct_tls(text: &str) -> Fix {
    Fix::text(text).set("sslnegotiation", "direct")
}

/// What a balancer that ends TLS must do for PostgreSQL's clients.
fn let_through() -> Fix {
    Fix::text(
        "if there is a load balancer or proxy in front of PostgreSQL: let it pass TCP through (a TCP listener, TLS \
         passthrough) instead of terminating TLS, and give PostgreSQL the certificate; or let it accept ALPN \"postgresql\", for clients with \
         sslnegotiation=direct (libpq 17 or later)",
    )
}

/// A limit that somebody set, and that a slow way or server does not keep.
fn longer_limit(view: &View<'_>, waited: Option<u64>) -> Option<Fix> {
    let limit = view
        .settings()?
        .parameter("connect_timeout")
        .filter(|_| waited.is_some_and(|seconds| seconds < LONG_ENOUGH))?;
    let from = view.origin_words("connect_timeout").unwrap_or_default();
    Some(Fix::text(format!(
        "if the server or the way to it is slow: connect_timeout={} (from {from}) is little for all steps; set connect_timeout={LONG_ENOUGH}",
        super::view::shown_value(&limit.value)
    )))
}

/// Seconds: the limit that this program sets where nobody sets one.
const LONG_ENOUGH: u64 = 10;

/// Silence, and whatever else kept an answer from coming.
fn silence(view: &View<'_>) -> Option<Finding> {
    // Under sslmode=allow the start-up message comes first; where nothing answers that, SSLRequest was never sent.
    let question = if view.is_silent_in_plaintext() { "the start-up message" } else { "SSLRequest" };
    let waited = view
        .attempt
        .and_then(|attempt| attempt.negotiate.as_ref())
        .map(|step| super::view::seconds(step.took));
    let lost = match view.negotiate() {
        Some(NegotiateResult::TimedOut(in_flight)) => *in_flight,
        _ => None,
    };
    let (cause, state) = match lost {
        Some(InFlight { unacknowledged: 1.., retransmits }) => (
            "the connection opened, and the 8 bytes of SSLRequest were never acknowledged: the way to the \
             server broke, or a firewall lets connections open and drops what follows",
            Some(format!("8 bytes not acknowledged, sent again {retransmits} times")),
        ),
        Some(_) => (
            "the operating system there received SSLRequest, but the program does not respond: a load balancer without \
             a server behind it, a stopped or overloaded server, or a service that waits for another \
             protocol",
            Some("8 bytes, acknowledged".to_owned()),
        ),
        None => (
            "the port is open and silent: a load balancer without a server behind it, a stopped or \
             overloaded server, or a service that waits for another protocol",
            None,
        ),
    };
    Some(
        Finding::titled(format!("{} does not answer {question}", view.place()))
            .because(cause)
            .fact("to", view.place())
            .fact_if("sent", state)
            .fact_if("seconds", waited.and_then(|seconds| i64::try_from(seconds).ok()))
            .fixes(longer_limit(view, waited).filter(|_| !is_local(view)))
            .fixes(is_local(view).then(|| who_listens(view)))
            .fix(
                Fix::server(format!(
                    "on the server: see whether it answers at all{}",
                    if is_local(view) { "" } else { " (PORT: the one at which PostgreSQL listens there)" }
                ))
                .run(
                    [
                        match is_local(view) {
                            true => format!("pg_isready -h localhost -p {}", view.port()),
                            false => "pg_isready -h localhost -p PORT".to_owned(),
                        },
                        "# accepting connections: what stands in front of it is at fault".to_owned(),
                        "# no response: if ps shows T, it is stopped (kill -CONT PID); otherwise restart it".to_owned(),
                        "ps -o pid,stat,args -C postgres".to_owned(),
                    ]
                    .join("\n"),
                ),
            )
            .fixes((!is_local(view)).then(|| {
                Fix::text(format!(
                    "if there is a load balancer or proxy: check that it has a healthy server behind it, and that its port {} is \
                     PostgreSQL's",
                    view.port()
                ))
            }))
            .fixes(longer_limit(view, waited).filter(|_| is_local(view))),
    )
}

/// The bytes of a protocol that is not PostgreSQL's; a banner that begins with `S` was taken for a yes at first.
fn foreign_bytes(view: &View<'_>) -> Option<Vec<u8>> {
    match view.negotiate()? {
        NegotiateResult::Foreign(bytes) => Some(bytes.clone()),
        NegotiateResult::Error(bytes) if is_memcached(bytes) => Some(bytes.clone()),
        NegotiateResult::Injected(rest) => {
            let banner = if rest.first() == Some(&b'S') && rest.starts_with(b"SSH-") {
                rest.clone()
            } else {
                [b"S".as_slice(), rest].concat()
            };
            banner.starts_with(b"SSH-").then_some(banner)
        }
        _ => None,
    }
}

/// Its answer to what it does not know (memcached's protocol.txt) begins like PostgreSQL's error.
fn is_memcached(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ERROR\r\n")
}

fn foreign(view: &View<'_>) -> Option<Finding> {
    let bytes = foreign_bytes(view)?;
    let found = recognise(&bytes);
    let speaks_tls = matches!(bytes.as_slice(), [0x14..=0x17, 0x03, ..]);
    let name = found.map_or("another protocol", |found| found.name);
    let title = match found {
        Some(_) => format!("{} answers in {name}, not PostgreSQL", view.place()),
        None => format!("{} does not speak PostgreSQL's protocol", view.place()),
    };
    let meaning = found
        .map_or("host or port are those of another service, or a proxy is in between", |found| found.meaning);
    Some(
        Finding::titled(title)
            .because(format!(
                "most likely {meaning}; {} takes only S, N or E in answer to SSLRequest",
                view.program()
            ))
            .fact("protocol", name)
            .fact("first_bytes", first_bytes(&bytes))
            .fact("to", view.place())
            .fact_if("other_ports", other_ports(view))
            .fixes(speaks_tls.then(|| {
                by_direct_tls(
                    "if PostgreSQL is behind it: start with TLS, without SSLRequest (libpq 17 or later)",
                )
            }))
            .fixes(speaks_tls.then(let_through))
            .fixes(other_port(view))
            .fixes(bytes.starts_with(b"SSH-").then(|| over_ssh(view)))
            .fix(to_the_server(view)),
    )
}

/// An SSH server is the far end of a tunnel, whose near end is a port of this machine.
fn over_ssh(view: &View<'_>) -> Fix {
    let port = view.port().to_string();
    let host =
        format!("USER@{}", view.address().map_or_else(|| view.host_name(), |address| address.to_string()));
    Fix::text(format!(
        "if PostgreSQL runs on that machine and is reached over SSH: open a tunnel (in place of USER your account there), keep host, \
         the name to verify, and set hostaddr=127.0.0.1 port=15432{}",
        if is_local(view) { "; is it open already? then set port to the one of ssh in ss -ltnp" } else { "" }
    ))
    .run_words(["ssh", "-N", "-p", &port, "-L", "15432:localhost:5432", &host])
}

fn injected(view: &View<'_>) -> Option<Finding> {
    let NegotiateResult::Injected(bytes) = view.negotiate()? else { return None };
    Some(
        Finding::titled("the server accepted TLS and then sent plaintext")
            .because(
                "after its S (yes to TLS) a server sends nothing before the handshake; bytes put there would have been taken \
                 for its own (CVE-2021-23222): a broken proxy, or somebody between here and the server",
            )
            .fact("bytes", i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            .fact("first_bytes", first_bytes(bytes))
            .fact("to", view.place())
            .fix(match is_local(view) {
                true => who_listens(view),
                false => Fix::text("check from another network: if the bytes are gone there, do not trust this one"),
            })
            .fix(Fix::text(match is_local(view) {
                true => "update that program, or connect to the server without it",
                false => "if they come there too: update or remove the proxy in front of the server",
            })),
    )
}

/// Whether PostgreSQL listens at another of its usual ports of this address, as far as that was looked for.
fn other_ports(view: &View<'_>) -> Option<String> {
    let address = view.address()?;
    let here = || {
        view.evidence.looks.iter().filter(|look| {
            look.question == Question::SslRequest
                && look.address.ip() == address
                && look.address.port() != view.port()
        })
    };
    let answers = here().any(|look| matches!(look.answer, Answer::Byte(b'S' | b'N')));
    let ports: Vec<String> = here().map(|look| look.address.port().to_string()).collect();
    (!answers && !ports.is_empty()).then(|| format!("PostgreSQL answers at none of {}", ports.join(", ")))
}

/// An error before TLS: nobody has proved who says it.
fn error(view: &View<'_>) -> Option<Finding> {
    let NegotiateResult::Error(bytes) = view.negotiate()? else { return None };
    if is_memcached(bytes) {
        return None;
    }
    let (sqlstate, message) = error_text(bytes);
    let message = text::truncated(&text::printable_bytes(&message), 300);
    let is = |code: &str, words: &[&str]| {
        sqlstate.as_deref() == Some(code.as_bytes()) || words.iter().any(|word| message.contains(word))
    };
    let asks_plaintext = ["SSLRequest", "1234.5679"].iter().any(|words| message.contains(words));
    let is_full = is(
        "53300",
        &["too many clients", "too many connections", "remaining connection slots", "no more connections"],
    );
    if asks_plaintext || is("08P01", &[]) && !is_full {
        return Some(plaintext_only(view, sqlstate, &message));
    }
    let (cause, fix) = if is_full {
        (
            "it, or a pooler in front of it, seems to be full, and to turn connections away before TLS",
            Fix::server("on the server as a superuser (for whom connections are reserved): end idle sessions, or use a pooler, or raise \
                       max_connections (needs a restart)")
                .or_at_provider("in a session that is open: end idle ones; or use a pooler, or raise max_connections at the provider")
                .run("SELECT pid, usename, state_change FROM pg_stat_activity WHERE state = 'idle' ORDER BY state_change;\nSELECT pg_terminate_backend(PID);"),
        )
    } else if is("57P03", &["starting up", "shutting down", "recovery"]) {
        (
            "it seems to be starting or stopping",
            Fix::wait("wait until it accepts connections").run(view.command(["pg_isready", "-d"])),
        )
    } else if message.contains("could not fork") {
        (
            "it cannot start a process for the connection: memory or the number of processes is at its limit",
            Fix::server(
                "on the server: see what is at its limit; end what uses the memory, or raise the limit (LimitNPROC and TasksMax of its \
                 systemd unit), then restart PostgreSQL if they were raised",
            )
            .run("free -m; ps -e | wc -l; systemctl show -p TasksCurrent,TasksMax,LimitNPROC 'postgresql*'"),
        )
    } else {
        (
            "the server or a proxy turned the connection away before TLS; PostgreSQL does so when it \
                 is full, out of memory or too old for SSLRequest",
            Fix::text(
                "look for the same message in the server's log at this time: the lines around it have the reason",
            ),
        )
    };
    Some(
        Finding::titled("the server answers SSLRequest with an error")
            .because(format!(
                "{cause}; the text is unauthenticated, since it came before TLS, and libpq does not show it"
            ))
            .fact("unauthenticated", format!("\"{message}\""))
            .fact_if("sqlstate", sqlstate.map(|code| text::printable_bytes(&code)))
            .fact("to", view.place())
            .fix(fix)
            .fix(Fix::text("see whether the server behind the address is the one meant, and healthy")),
    )
}

/// Whoever takes SSLRequest for a broken message knows no TLS: a tunnel's near end, a proxy or server without it.
/// (cloud_sql_proxy and others that read with pgproto3 name the message; servers by its version number, 1234.5679.)
fn plaintext_only(view: &View<'_>, sqlstate: Option<Vec<u8>>, message: &str) -> Finding {
    Finding::titled(format!("{} does not know SSLRequest: it speaks plaintext only", view.place()))
        .answered(true)
        .in_short("no TLS: it speaks plaintext only")
        .because(
            "it rejects SSLRequest as an invalid message: it is the near end of a tunnel, or a proxy or server without TLS; the \
             text is unauthenticated, since it came before TLS, and libpq does not show it",
        )
        .fact("unauthenticated", format!("\"{message}\""))
        .fact_if("sqlstate", sqlstate.map(|code| text::printable_bytes(&code)))
        .fact("to", view.place())
        .fixes(is_local(view).then(|| who_listens(view)))
        .fixes(other_port(view))
        .fixes(without_tls(view))
}

/// What a tunnel that encrypts by itself needs of the client. It is not a setting that is offered: whether the other end
/// is a tunnel, and verifies the server, no client can see.
/// On this machine libpq's default connects to a server without TLS, and what fails comes after.
fn goes_on_here(view: &View<'_>) -> Option<Fix> {
    let is_default = matches!(view.origin("sslmode"), Some(Origin::ToolDefault(_)));
    let quoted = text::shell_quoted;
    (is_local(view) && is_default).then(|| {
        Fix::text(
            "a program that sets no sslmode connects here without TLS (libpq's default, prefer): its fault is in what comes after, which psql \
             shows; where that is \"password authentication failed\" and the server is in Docker: POSTGRES_PASSWORD counts only for an \
             empty volume, and the second command sets the password (SERVICE: the server's name in the Compose file)",

        )
        .run(format!(
            "psql -h {} -p {} -U {user} -d {database}\ndocker compose exec SERVICE psql -U {user} -d {database} -c '\\password'",
            quoted(&view.host_name()),
            view.port(),
            user = quoted(&view.user()),
            database = quoted(&view.database()),
        ))
    })
}

fn tunnel() -> Fix {
    Fix::text(
        "if it is the near end of a tunnel that encrypts and verifies the server itself (Cloud SQL Auth Proxy, SSH, stunnel with a CA): \
         connect to it with sslmode=disable, from this machine only",
    )
}

/// The same of a pooler, which speaks to the server for whoever reaches it.
fn sidecar() -> Fix {
    Fix::text(
        "if it runs beside the application, for this machine or pod alone: connect to it with sslmode=disable, from here only; what \
         leaves the machine is its own connection: server_tls_sslmode = verify-full and server_tls_ca_file in pgbouncer.ini",
    )
}

/// What can be done about an end without TLS.
fn without_tls(view: &View<'_>) -> Vec<Fix> {
    let pooler = Fix::text(
        "if it is a proxy or pooler: switch on TLS for clients there, or connect to the server itself",
    );
    if is_local(view) {
        return vec![tunnel(), pooler];
    }
    let server = Fix::text(
        "if it is the server itself, it has no TLS: reach it through SSH, which encrypts, until it is updated (USER: your account \
         there); then connect to host=localhost port=5433 sslmode=disable",
    );
    let tunnel = Fix::text(
        "if it is the near end of a tunnel: run that on this machine, since the way to it is not encrypted",
    );
    vec![
        server.run(format!("ssh -N -L 5433:localhost:{} USER@{}", view.port(), view.host_name())),
        pooler,
        tunnel,
    ]
}

/// SQLSTATE and message of an ErrorResponse, as far as they can be read: protocol 3 has a length and fields, protocol 2
/// and some failures of `fork()` a bare text.
fn error_text(bytes: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
    let body = bytes.strip_prefix(b"E").unwrap_or(bytes);
    let text = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii().to_vec();
    let [0, _, _, _, fields @ ..] = body else { return (None, text(body)) };
    let (mut sqlstate, mut message) = (None, None);
    for field in fields.split(|byte| *byte == 0) {
        match field {
            [b'C', value @ ..] => sqlstate = sqlstate.or(Some(value.to_vec())),
            [b'M', value @ ..] => message = message.or(Some(value.to_vec())),
            _ => {}
        }
    }
    (sqlstate.filter(|code| code.len() == 5), message.unwrap_or_else(|| text(fields)))
}

/// Why a connection that began with TLS was ended, as far as one that begins with SSLRequest shows it: the end alone may have
/// other reasons.
fn after_request(view: &View<'_>) -> Option<&'static str> {
    view.evidence.looks.iter().find_map(|look| match (&look.question, &look.answer) {
        (Question::Hello(offer), Answer::ServerHello { .. })
            if offer.purpose == HelloPurpose::Negotiation =>
        {
            Some(
                "after SSLRequest the same server goes on with TLS: a PostgreSQL server before 17 takes a \
                 ClientHello for a broken message and closes the connection",
            )
        }
        (Question::Hello(offer), Answer::Byte(b'N')) if offer.purpose == HelloPurpose::Negotiation => Some(
            "the server answers SSLRequest with N: ssl is off there, and it takes a ClientHello for a broken \
             message and closes the connection",
        ),
        _ => None,
    })
}

fn direct(view: &View<'_>) -> Option<Finding> {
    if !view.direct() {
        return None;
    }
    let tls = view.tls()?;
    let unheard = tls.version.is_none();
    let (what, cause) = match tls.failure.as_ref()? {
        TlsFailure::NoAlpn => (
            "TLS without the ALPN protocol postgresql",
            "something there speaks TLS and is no PostgreSQL 17 or later: libpq refuses a direct \
             connection without that agreement",
        ),
        TlsFailure::Ended(closure) if unheard => {
            let cause = after_request(view)?;
            (if *closure == Closure::Closed { "closed (FIN)" } else { "reset (RST)" }, cause)
        }
        // no_application_protocol
        TlsFailure::AlertReceived(120) => (
            "alert no_application_protocol",
            "something there speaks TLS and does not know the ALPN protocol postgresql: no PostgreSQL 17 \
             or later",
        ),
        TlsFailure::NotTls(bytes) if bytes.first() == Some(&b'E') => (
            "an error of PostgreSQL's protocol",
            match view.pooler_of_port() {
                Some(_) => {
                    "a pooler, whose port this usually is, takes a ClientHello for a broken message, whatever the server behind it knows"
                }
                None => "a PostgreSQL server before 17 takes a ClientHello for a broken message",
            },
        ),
        _ => return None,
    };
    // What ends TLS without that agreement is no PostgreSQL.
    let is_proxy = matches!(tls.failure, Some(TlsFailure::NoAlpn | TlsFailure::AlertReceived(120)));
    Some(
        Finding::titled("the server does not take TLS without SSLRequest")
            .because(format!("{cause}; sslnegotiation=direct needs PostgreSQL 17 or later"))
            .fact("answer", what)
            .fact("to", view.place())
            .fix(
                Fix::text("ask with SSLRequest first, as every server understands it")
                    .set("sslnegotiation", "postgres"),
            )
            .fix(Fix::text(match is_proxy {
                true => "on the load balancer or proxy that ends TLS there: add the ALPN protocol postgresql to its TLS listener, or have it \
                         pass TCP through, so that PostgreSQL itself does TLS",
                false if view.pooler_of_port().is_some() => "connect to PostgreSQL itself, past the pooler, if that is version 17 or later",
                false => "update the server to PostgreSQL 17 or later, or let the proxy in front of it pass ALPN through",
            })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_in_every_form() {
        let modern = b"E\0\0\0\x30SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";
        assert_eq!(
            error_text(modern),
            (Some(b"53300".to_vec()), b"sorry, too many clients already".to_vec())
        );
        assert_eq!(error_text(b"Ecould not fork\n\0"), (None, b"could not fork".to_vec()));
        assert_eq!(error_text(b"E"), (None, Vec::new()));
        assert_eq!(error_text(b""), (None, Vec::new()));
    }
}

//! Java: pgjdbc and r2dbc-postgresql.

use super::{
    Absent, Bare, Case, Decision, Demand, Dialect, Fallback, FaultKind, Form, Hosts, JAVASCRIPT, Keyword,
    Keywords, Library, Login, Lookup, PLAIN, Path, Repeated, Rewrite, Root, STRICT_FORM, Spelled,
    Surroundings, Trusted, Unknown, Variables, Word, named, own, rewritten, same, server, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] = &[&JDBC, &R2DBC];

/// What no variable tells.
const ON_ITS_OWN: Surroundings = Surroundings {
    variables: Variables::Of(&[]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::Is("localhost"),
    passfile: false,
    connect_timeout: 10,
    service_of_string: true,
    of_tls: &[],
};

/// pgjdbc. Properties given in code have the names of the URL's parameters.
static JDBC: Dialect = Dialect {
    name: "jdbc",
    aliases: &["pgjdbc", "java", "spring-boot", "hikari"],
    title: "JDBC (pgjdbc)",
    releases: "42.5 to 42.7",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &["jdbc:postgresql:"],
            exact_scheme: true,
            login: Login::Nowhere,
            authority_ends: b"/?",
            fragment: false,
            several_hosts: true,
            user: STRICT_FORM,
            host: super::LITERAL,
            path: STRICT_FORM,
            query: STRICT_FORM,
            path_form: Path::Jdbc,
            bare: Bare::Empty,
            query_wins: true,
        }),
        Form::Object(&JAVASCRIPT),
    ],
    keywords: Keywords {
        known: &[JDBC_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: jdbc_rules,
    spell: spell_jdbc,
    library: Library::OpenSsl,
    surroundings: ON_ITS_OWN,
    source: "pgjdbc 42.5.5 run, 42.7.13 read, 2026-11-29",
};

const JDBC_KEYWORDS: &[Keyword] = &[
    named(&["PGHOST"], "host"),
    named(&["PGPORT"], "port"),
    named(&["PGDBNAME"], "dbname"),
    named(&["user", "username"], "user"),
    same(&["password"]),
    tls(&["sslmode"]),
    tls(&["ssl"]),
    tls(&["sslrootcert"]),
    tls(&["sslfactory"]),
    tls(&["sslfactoryarg"]),
    tls(&["sslhostnameverifier"]),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslpassword"]),
    rewritten(&["sslNegotiation"], "sslnegotiation", Rewrite::Word),
    named(&["channelBinding"], "channel_binding"),
    named(&["connectTimeout"], "connect_timeout"),
    rewritten(&["targetServerType"], "target_session_attrs", Rewrite::ServerType),
    rewritten(&["loadBalanceHosts"], "load_balance_hosts", Rewrite::Balancing),
    named(&["ApplicationName"], "application_name"),
    same(&["options"]),
    same(&["service"]),
    same(&["replication"]),
    server("currentSchema"),
    own("adaptiveFetch|adaptiveFetchMaximum|adaptiveFetchMinimum|allowEncodingChanges|\
         assumeMinServerVersion|authenticationPluginClassName|autosave|binaryTransfer|\
         binaryTransferDisable|binaryTransferEnable|cancelSignalTimeout|cleanupSavepoints|\
         databaseMetadataCacheFields|databaseMetadataCacheFieldsMiB|defaultRowFetchSize|\
         disableColumnSanitiser|escapeSyntaxCallMode|groupStartupParameters|gssEncMode|\
         gssResponseTimeout|gssUseDefaultCreds|gsslib|hideUnprivilegedObjects|hostRecheckSeconds|\
         jaasApplicationName|jaasLogin|kerberosServerName|localSocketAddress|logServerErrorDetail|\
         logUnclosedConnections|loggerFile|loggerLevel|loginTimeout|maxResultBuffer|\
         maxSendBufferSize|preferQueryMode|preparedStatementCacheQueries|\
         preparedStatementCacheSizeMiB|prepareThreshold|protocolVersion|queryTimeout|\
         quoteReturningIdentifiers|reWriteBatchedInserts|readOnly|readOnlyMode|receiveBufferSize|\
         requireAuth|sendBufferSize|socketFactory|socketFactoryArg|socketTimeout|\
         sslResponseTimeout|sslpasswordcallback|sspiServiceClass|stringtype|tcpKeepAlive|\
         tcpNoDelay|unknownLength|useSpnego|xmlFactoryFactory"),
];

/// SslMode.of, MakeSSL and LibPQFactory.
fn jdbc_rules(lookup: &Lookup<'_>) -> Decision {
    let (word, mode) = jdbc_mode(lookup);
    let at = word.map(|word| word.at);
    let factory = lookup.filled("sslfactory");
    let kind = factory.map_or(Factory::Libpq, |factory| Factory::of(factory.text));
    if kind == Factory::Unknown {
        return Decision::refused(
            factory.map(|factory| factory.at),
            FaultKind::Computed("sslfactory".into()),
        );
    }
    if let Some(refused) = factory.and_then(|_| kind.refused(lookup)) {
        return refused;
    }
    let Some(demand) = kind.demand(&mode, lookup) else {
        return Decision::invalid(at.unwrap_or(0), "sslmode", super::LIBPQ_MODES);
    };
    if kind == Factory::NonValidating {
        let name = demand.name;
        let demand = Demand { chain: super::Chain::No, name, roots: Vec::new(), ..demand };
        return Decision::by(factory.map(|factory| factory.at), demand)
            .because("this factory accepts any certificate, whatever sslmode says");
    }
    if demand.name
        && let Some(verifier) = lookup.filled("sslhostnameverifier")
    {
        let demand = Demand { name: false, ..demand };
        return Decision::by(Some(verifier.at), demand).because("this class decides about the host name");
    }
    let decision = Decision::by(at, demand);
    match (mode.as_str(), word) {
        ("require", _) if kind.always_verifies() => decision,
        ("require", _) if lookup.filled("sslrootcert").is_some() => {
            decision.because("pgjdbc's require verifies nothing, with sslrootcert either")
        }
        ("require", _) => decision.because("pgjdbc's require encrypts and verifies nothing"),
        ("prefer", Some(ssl)) if lookup.get("sslmode").is_none() => {
            let why = format!(
                "only ssl=true turns TLS on; ssl={} is pgjdbc's default, prefer",
                super::shown(ssl.text)
            );
            decision.because(why)
        }
        _ => decision,
    }
}

/// The mode in lower case, and the word that gives it: `sslmode`, else `ssl`, else nothing and the default.
fn jdbc_mode<'a>(lookup: &Lookup<'a>) -> (Option<super::Word<'a>>, String) {
    match (lookup.get("sslmode"), lookup.get("ssl")) {
        (Some(mode), _) => (Some(mode), mode.text.to_ascii_lowercase()),
        (None, Some(ssl)) if ssl.text.is_empty() || ssl.text.eq_ignore_ascii_case("true") => {
            (Some(ssl), "verify-full".to_owned())
        }
        (None, ssl) => (ssl, "prefer".to_owned()),
    }
}

/// The socket factories that come with pgjdbc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factory {
    Libpq,
    Java,
    Pinned,
    NonValidating,
    Unknown,
}

impl Factory {
    fn of(class: &str) -> Self {
        match class.strip_prefix("org.postgresql.ssl.") {
            Some("LibPQFactory" | "jdbc4.LibPQFactory") => Self::Libpq,
            Some("DefaultJavaSSLFactory") => Self::Java,
            Some("SingleCertValidatingFactory") => Self::Pinned,
            Some("NonValidatingFactory") => Self::NonValidating,
            _ => Self::Unknown,
        }
    }

    /// Whether the chain is verified in every mode with TLS.
    const fn always_verifies(self) -> bool {
        matches!(self, Self::Java | Self::Pinned)
    }

    fn roots(self, lookup: &Lookup<'_>) -> Vec<Root> {
        match (self, lookup.filled("sslrootcert")) {
            (Self::Java, _) => vec![Root::Java],
            (Self::Pinned, _) => lookup.filled("sslfactoryarg").map(pinned).into_iter().collect(),
            (_, Some(file)) => vec![Root::Named(file.at)],
            (_, None) => vec![Root::Home],
        }
    }

    /// What the factory does not start with.
    fn refused(self, lookup: &Lookup<'_>) -> Option<Decision> {
        const NAMED: &str = "file:, classpath:, env: or sys: with a name, or a certificate in PEM";
        let known = ["file:", "classpath:", "env:", "sys:", "-----BEGIN CERTIFICATE-----"];
        match lookup.filled("sslfactoryarg") {
            _ if self != Self::Pinned => None,
            None => Some(Decision::refused(None, FaultKind::Missing("sslfactoryarg"))),
            Some(word) if known.iter().any(|prefix| word.text.starts_with(prefix)) => None,
            Some(word) => Some(Decision::invalid(word.at, "sslfactoryarg", NAMED)),
        }
    }

    /// What a mode demands of the server; `None` where there is no such mode.
    fn demand(self, mode: &str, lookup: &Lookup<'_>) -> Option<Demand> {
        let roots = || self.roots(lookup);
        Some(match mode {
            "disable" => Demand::plaintext(),
            "allow" => Demand::after_refusal(),
            // A bad chain is an error there, without a second go.
            "prefer" if self.always_verifies() => Demand {
                encryption: super::Encryption::IfOffered(Fallback::SessionRefused),
                ..Demand::chain(roots())
            },
            "prefer" => Demand::if_offered(Fallback::SessionRefused),
            "require" if self.always_verifies() => Demand::chain(roots()),
            "require" => Demand::encrypted(),
            "verify-ca" => Demand::chain(roots()),
            "verify-full" => Demand::full(roots()),
            _ => return None,
        })
    }
}

/// What `sslfactoryarg` names for SingleCertValidatingFactory: a file, the certificate itself, or something of the
/// program's surroundings.
fn pinned(argument: Word<'_>) -> Root {
    match argument.text {
        text if text.starts_with("file:") => Root::Pinned(argument.at),
        text if text.starts_with("-----BEGIN CERTIFICATE-----") => Root::Inline(argument.at),
        _ => Root::Program,
    }
}

/// r2dbc-postgresql.
static R2DBC: Dialect = Dialect {
    name: "r2dbc",
    aliases: &["r2dbc-postgresql"],
    title: "R2DBC",
    releases: "1.0",
    forms: &[Form::Url(&url::Rules {
        schemes: &[
            "r2dbc:postgresql://",
            "r2dbc:postgres://",
            "r2dbcs:postgresql://",
            "r2dbcs:postgres://",
            "r2dbc:pool:postgresql://",
            "r2dbc:pool:postgres://",
            "r2dbcs:pool:postgresql://",
            "r2dbcs:pool:postgres://",
            "r2dbc:postgresql:failover://",
            "r2dbcs:postgresql:failover://",
            "r2dbc:pool:postgresql:failover://",
            "r2dbcs:pool:postgresql:failover://",
        ],
        exact_scheme: true,
        login: Login::ToLast,
        authority_ends: b"/?#",
        fragment: true,
        several_hosts: true,
        user: STRICT_FORM,
        host: super::LITERAL,
        path: STRICT_FORM,
        query: STRICT_FORM,
        path_form: Path::Database,
        bare: Bare::Empty,
        query_wins: true,
    })],
    keywords: Keywords {
        known: &[R2DBC_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: r2dbc_rules,
    spell: |_, trusted| Ok(trusted.named(&[("sslMode", "VERIFY_FULL")], "sslRootCert")),
    library: Library::OpenSsl,
    surroundings: Surroundings {
        user: Absent::Refused,
        host: Absent::Refused,
        connect_timeout: 0,
        service_of_string: true,
        ..ON_ITS_OWN
    },
    source: "pgjdbc/r2dbc-postgresql and r2dbc/r2dbc-spi read, 2026-06-22; not run",
};

const R2DBC_KEYWORDS: &[Keyword] = &[
    tls(&["sslMode", "sslmode"]),
    tls(&["ssl"]),
    tls(&["sslRootCert", "sslrootcert"]),
    tls(&["sslHostnameVerifier"]),
    named(&["sslCert", "sslcert"], "sslcert"),
    named(&["sslKey", "sslkey"], "sslkey"),
    named(&["sslPassword", "sslpassword"], "sslpassword"),
    rewritten(&["sslNegotiation"], "sslnegotiation", Rewrite::Word),
    rewritten(&["connectTimeout"], "connect_timeout", Rewrite::Duration),
    rewritten(&["targetServerType"], "target_session_attrs", Rewrite::ServerType),
    rewritten(&["loadBalanceHosts"], "load_balance_hosts", Rewrite::Balancing),
    rewritten(&["channelBinding"], "channel_binding", Rewrite::Word),
    named(&["applicationName"], "application_name"),
    super::server("options|schema|currentSchema|timeZone"),
    own("autodetectExtensions|compatibilityMode|errorResponseLogLevel|extensions|fetchSize|\
         forceBinary|hostRecheckTime|lockWaitTimeout|loopResources|noticeLogLevel|\
         preferAttachedBuffers|preparedStatementCacheQueries|protocol|socket|\
         sslContextBuilderCustomizer|sslSni|statementTimeout|tcpKeepAlive|tcpNoDelay|initialSize|\
         maxSize|maxIdleTime|maxLifeTime|maxAcquireTime|maxCreateConnectionTime|validationQuery|\
         validationDepth|acquireRetry|backgroundEvictionInterval|minIdle|poolName|registerJmx"),
];

/// SSLMode.fromValue and PostgresqlConnectionConfiguration.
fn r2dbc_rules(lookup: &Lookup<'_>) -> Decision {
    let secure = lookup.scheme().starts_with("r2dbcs:");
    let (at, mode) = match (lookup.get("sslMode"), lookup.get("ssl")) {
        (Some(mode), _) => (Some(mode.at), mode.text.to_ascii_lowercase().replace('_', "-")),
        (None, Some(ssl)) if ssl.text == "true" => (Some(ssl.at), "verify-full".to_owned()),
        (None, _) if secure => (None, "verify-full".to_owned()),
        (None, ssl) => (ssl.map(|ssl| ssl.at), "disable".to_owned()),
    };
    let roots = || match lookup.filled("sslRootCert") {
        Some(file) => vec![Root::Named(file.at)],
        None => vec![Root::Java],
    };
    let demand = match mode.as_str() {
        "disable" => Demand::plaintext(),
        "allow" => Demand::after_refusal(),
        "prefer" => Demand::if_offered(Fallback::SessionRefused),
        "require" => Demand::encrypted(),
        "verify-ca" => Demand::chain(roots()),
        // TUNNEL is TLS before PostgreSQL's protocol, verified as VERIFY_FULL.
        "verify-full" | "tunnel" => Demand::full(roots()),
        _ => {
            return Decision::invalid(
                at.unwrap_or(0),
                "sslMode",
                "DISABLE, ALLOW, PREFER, REQUIRE, VERIFY_CA or VERIFY_FULL",
            );
        }
    };
    if let (true, Some(verifier)) = (demand.name, lookup.filled("sslHostnameVerifier")) {
        let demand = Demand { name: false, ..demand };
        return Decision::by(Some(verifier.at), demand).because("this class decides about the host name");
    }
    let decision = Decision::by(at, demand);
    match (at, mode.as_str()) {
        (None, "disable") => decision.because("without sslMode or ssl=true, R2DBC does not use TLS"),
        (_, "require") => decision.because("R2DBC's REQUIRE encrypts and verifies nothing"),
        _ => decision,
    }
}

fn spell_jdbc(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    let mut settings = trusted.named(&[("sslmode", "verify-full")], "sslrootcert");
    let java = || Spelled::new("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory");
    settings.extend((trusted == Trusted::System).then(java));
    Ok(settings)
}

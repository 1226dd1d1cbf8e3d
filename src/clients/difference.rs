//! Where a client behaves otherwise than libpq for this very server: rules over the settings, the files and, after a live
//! check, the chain. The rules are those measured with thirty faults on 2026-11-23; a rule that was not measured for a
//! client is not applied to it.

use super::connection::{Connection, Root};
use super::table::{Client, SystemRoots, Verifier, WithoutRoot};
use crate::certificate::{Certificate, Facts, GeneralName};
use crate::conninfo::{Settings, SslMode};
use crate::order;
use crate::trust::{ClientIdentity, FileContent, RootStore, Roots, Trust};
use crate::verify::{Defect, Judgement, StrictReason};

/// One way in which a client departs from libpq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// A stable name, for machines.
    pub code: &'static str,
    /// What comes of it.
    pub effect: Effect,
    /// What is the case.
    pub text: String,
}

/// What comes of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It refuses what libpq accepts.
    Refuses,
    /// It accepts what libpq refuses, or more than libpq would.
    Accepts,
    /// Something else is to be minded.
    Differs,
}

impl Effect {
    /// For machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Accepts => "accepts",
            Self::Differs => "differs",
        }
    }
}

/// What is known of the server and the files, gathered once for all clients.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    connection: &'a Connection,
    root_file: RootFile,
    revocation: bool,
    /// The X.509 version of the client's own certificate.
    client_version: Option<u32>,
    live: Option<Live<'a>>,
}

/// What the root file is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RootFile {
    /// None is read: the system's roots, or none at all.
    NotUsed,
    /// Certificates.
    Certificates { self_signed: usize, others: usize },
    /// One certificate in DER.
    Der,
    /// Nothing.
    Empty,
    /// Anything else that libpq refuses, or it cannot be read.
    Bad,
}

/// What a live check saw: the chain as sent, and the verdict on it.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// Leaf first.
    pub chain: &'a [Certificate],
    /// The verdict on it.
    pub judgement: &'a Judgement,
}

impl<'a> Situation<'a> {
    /// Gathers. `live` is of a check of the same settings, if there was one and a chain was seen.
    pub fn new(
        connection: &'a Connection,
        settings: &Settings,
        trust: &Trust,
        live: Option<Live<'a>>,
    ) -> Self {
        let given = |keyword: &str| settings.path(keyword).is_some();
        Self {
            connection,
            root_file: RootFile::of(connection, trust),
            revocation: given("sslcrl") || given("sslcrldir"),
            client_version: match &trust.client {
                ClientIdentity::Ready(ready) => {
                    ready.chain.first().and_then(|leaf| leaf.facts().ok()).map(|facts| facts.version)
                }
                _ => None,
            },
            live,
        }
    }

    /// Whether the server's own chain was seen.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// The differences of one client, the gravest first.
    pub fn differences(&self, client: &Client) -> Vec<Difference> {
        let mut found = Vec::new();
        self.chain(client.behaviour.verifier, &mut found);
        self.client_certificate(client.behaviour.verifier, &mut found);
        self.root_file(client, &mut found);
        self.host(client, &mut found);
        self.further(client, &mut found);
        order::by_key(&mut found, |difference| difference.effect);
        found
    }

    /// What a verifier refuses in the client's own certificate, which libpq sends as it is.
    fn client_certificate(&self, verifier: Verifier, found: &mut Vec<Difference>) {
        let webpki = matches!(verifier, Verifier::Webpki | Verifier::WebpkiAndPublicRoots);
        if let Some(version) = self.client_version.filter(|version| webpki && *version < 3) {
            found.push(Difference {
                code: "old-client-certificate",
                effect: Effect::Refuses,
                text: format!(
                    "refuses: the client certificate is of X.509 version {version} (UnsupportedCertVersion)"
                ),
            });
        }
    }

    /// What strict verifiers refuse in the chain the server sent.
    fn chain(&self, verifier: Verifier, found: &mut Vec<Difference>) {
        let Some(live) = self.live else { return };
        let webpki = matches!(verifier, Verifier::Webpki | Verifier::WebpkiAndPublicRoots);
        for refusal in &live.judgement.strict {
            let (code, text) = match &refusal.reason {
                StrictReason::NoSubjectAltName if webpki || verifier == Verifier::Go => (
                    "common-name-only",
                    "the host is not in the certificate's subjectAltName (a name as DNS:…, an address as IP:…); on the server: reissue it \
                     with that"
                        .to_owned(),
                ),
                StrictReason::CaAsServerCertificate if webpki => (
                    "ca-as-server-certificate",
                    "the server's certificate is a CA's (CaUsedAsEndEntity); on the server: reissue it with CA:FALSE".to_owned(),
                ),
                StrictReason::OldVersion(version) if webpki => (
                    "old-certificate-version",
                    format!("the server's certificate is of X.509 version {version} (UnsupportedCertVersion)"),
                ),
                StrictReason::NegativeSerial if verifier == Verifier::Go => (
                    "negative-serial",
                    "from Go 1.23 on: a certificate of the chain has a negative serial number".to_owned(),
                ),
                StrictReason::EmptyIssuer if verifier == Verifier::Java => {
                    ("empty-issuer", "a certificate of the chain names no issuer".to_owned())
                }
                StrictReason::Other(words) if webpki => {
                    ("chain-refused", format!("rustls' verifier refuses the chain: {words}"))
                }
                _ => continue,
            };
            found.push(Difference { code, effect: Effect::Refuses, text: format!("refuses: {text}") });
        }
        if verifier == Verifier::Python && live.accepted() && live.lacks_authority_key() {
            found.push(Difference {
                code: "authority-key-missing",
                effect: Effect::Refuses,
                text: "refuses from Python 3.13 on: a certificate of the chain lacks the authorityKeyIdentifier \
                       (sgallagher/sscg issue 74)"
                    .to_owned(),
            });
        }
    }

    /// What becomes of the root file, of its absence and of a wish for the system's roots.
    fn root_file(&self, client: &Client, found: &mut Vec<Difference>) {
        let behaviour = client.behaviour;
        match self.connection.root {
            Root::System => found.extend(system(behaviour.system, behaviour.verifier)),
            Root::None => {
                let text = match behaviour.without_root {
                    WithoutRoot::AsLibpq | WithoutRoot::DefaultFile => None,
                    WithoutRoot::Trusts(what) => {
                        Some(format!("no root file is given: where libpq refuses, it trusts {what}"))
                    }
                };
                found.extend(text.map(|text| Difference {
                    code: "no-root-file",
                    effect: Effect::Accepts,
                    text,
                }));
            }
            Root::File(_) => {
                found.extend(self.form(behaviour.verifier));
                if behaviour.verifier == Verifier::WebpkiAndPublicRoots {
                    found.push(Difference {
                        code: "root-file-adds",
                        effect: Effect::Accepts,
                        text: "adds the root file to the public roots instead of trusting nothing else"
                            .to_owned(),
                    });
                }
            }
        }
    }

    /// What the form of the root file means.
    fn form(&self, verifier: Verifier) -> Option<Difference> {
        use Verifier::{Go, Java, Node, PostgresJs, Webpki, WebpkiAndPublicRoots};
        let anchors_anything = matches!(verifier, Java | Go | Webpki | WebpkiAndPublicRoots);
        let (code, effect, text) = match self.root_file {
            RootFile::Der if verifier == Java => {
                ("root-file-der", Effect::Accepts, "takes a root file in DER, which libpq refuses")
            }
            RootFile::Der if matches!(verifier, Node | PostgresJs | Webpki | WebpkiAndPublicRoots) => (
                "root-file-der",
                Effect::Differs,
                "says nothing of a root file in DER and trusts no root, where libpq names the file",
            ),
            RootFile::Empty if matches!(verifier, Node | PostgresJs | Webpki | WebpkiAndPublicRoots) => (
                "root-file-empty",
                Effect::Differs,
                "says nothing of an empty root file and trusts no root, where libpq names the file",
            ),
            RootFile::Certificates { others, .. }
                if anchors_anything && others > 0 && self.stops_at_intermediate() =>
            {
                (
                    "intermediate-as-root",
                    Effect::Accepts,
                    "accepts the intermediate in the root file as an anchor; libpq wants the root itself",
                )
            }
            RootFile::Certificates { self_signed, others }
                if anchors_anything && self_signed > 0 && others > 0 =>
            {
                (
                    "intermediate-as-anchor",
                    Effect::Accepts,
                    "ends at the intermediate in the root file, whatever has become of the root above it",
                )
            }
            _ => return None,
        };
        Some(Difference { code, effect, text: text.to_owned() })
    }

    /// Whether libpq refuses because the file has an intermediate and not its root: by the chain or, where none was seen,
    /// by a file without any root.
    fn stops_at_intermediate(&self) -> bool {
        match self.live {
            Some(live) => {
                let mut defects = live.judgement.chain_defects();
                matches!((defects.next(), defects.next()), (Some(Defect::FileLacksRoot { .. }), None))
            }
            None => matches!(self.root_file, RootFile::Certificates { self_signed: 0, .. }),
        }
    }

    fn host(&self, client: &Client, found: &mut Vec<Difference>) {
        let behaviour = client.behaviour;
        if let (Some(address), false) = (&self.connection.hostaddr, behaviour.takes_address) {
            found.push(Difference {
                code: "address-not-taken",
                effect: Effect::Differs,
                text: format!(
                    "knows no address beside the host: it connects to what {} resolves to, not to {address}",
                    self.connection.host
                ),
            });
        }
        if !self.connection.host_is_address() {
            return;
        }
        if behaviour.verifier == Verifier::PostgresJs {
            found.push(Difference {
                code: "address-compared-as-localhost",
                effect: Effect::Accepts,
                text: "compares the certificate with \"localhost\" when the host is an address, unless \
                       checkServerIdentity is given as in the snippet"
                    .to_owned(),
            });
        }
        let wants_address_entry = behaviour.verifier == Verifier::Go;
        if wants_address_entry && self.live.is_some_and(|live| live.accepted() && !live.leaf_has_address()) {
            found.push(Difference {
                code: "address-not-in-certificate",
                effect: Effect::Refuses,
                text: "refuses: for a host that is an address it wants an iPAddress entry, and the certificate has none"
                    .to_owned(),
            });
        }
    }

    /// Settings that the client cannot be given.
    fn further(&self, client: &Client, found: &mut Vec<Difference>) {
        let Some(known) = client.behaviour.further else { return };
        for (keyword, value) in &self.connection.further {
            let revocation = matches!(*keyword, "sslcrl" | "sslcrldir");
            if revocation || known.contains(keyword) {
                continue;
            }
            found.push(Difference {
                code: "setting-not-carried",
                effect: Effect::Differs,
                text: format!("{keyword}={value} has no counterpart in this snippet"),
            });
        }
        if self.revocation {
            found.push(Difference {
                code: "revocation-not-checked",
                effect: Effect::Accepts,
                text: "the CRLs are not in this snippet: revoked certificates pass".to_owned(),
            });
        }
    }
}

/// What becomes of `sslrootcert=system`.
fn system(system: SystemRoots, verifier: Verifier) -> Option<Difference> {
    let text = match (system, verifier) {
        (SystemRoots::Libpq16, Verifier::BundledLibpq) => {
            "sslrootcert=system means the places of the OpenSSL in the wheel, not this machine's; set SSL_CERT_FILE where they are \
             empty"
                .to_owned()
        }
        (SystemRoots::Libpq16, _) => {
            "sslrootcert=system needs libpq 16 or later; older ones take it for a file name".to_owned()
        }
        (SystemRoots::Knows, _) => return None,
        (SystemRoots::Spelled(what), _) => format!("knows no sslrootcert=system: the snippet trusts {what}"),
        (SystemRoots::NeedsFile, _) => {
            "knows no sslrootcert=system and must be given a file: the snippet has Debian's list of public roots".to_owned()
        }
    };
    Some(Difference { code: "system-roots", effect: Effect::Differs, text })
}

impl RootFile {
    fn of(connection: &Connection, trust: &Trust) -> Self {
        if connection.root_file().is_none() {
            return Self::NotUsed;
        }
        match &trust.roots {
            Roots::Loaded(store) => Self::of_store(store),
            Roots::Invalid { content: FileContent::DerCertificate, .. } => Self::Der,
            Roots::Invalid { content: FileContent::Empty, .. } => Self::Empty,
            Roots::Invalid { .. } | Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::None => {
                Self::Bad
            }
        }
    }

    fn of_store(store: &RootStore) -> Self {
        let is_self_signed = |facts: &Facts| facts.is_self_signed();
        let self_signed = store
            .certificates
            .iter()
            .filter(|entry| entry.certificate.facts().is_ok_and(is_self_signed))
            .count();
        Self::Certificates { self_signed, others: store.certificates.len() - self_signed }
    }
}

impl Live<'_> {
    /// Whether libpq accepts under verify-full.
    fn accepted(&self) -> bool {
        self.judgement.accepted_under(SslMode::VerifyFull)
    }

    /// Whether a certificate below the end of the path has no authorityKeyIdentifier (`check_extensions` in x509_vfy.c
    /// under X509_V_FLAG_X509_STRICT, which Python 3.13 sets).
    fn lacks_authority_key(&self) -> bool {
        let path = &self.judgement.path;
        let below_the_end = path.iter().take(path.len().saturating_sub(1));
        below_the_end
            .filter_map(|link| link.certificate.facts().ok())
            .any(|facts| facts.extensions.authority_key.is_none())
    }

    fn leaf_has_address(&self) -> bool {
        let names =
            self.chain.first().and_then(|leaf| leaf.facts().ok()).and_then(|facts| facts.sans.as_ref());
        names.is_some_and(|names| names.iter().any(|name| matches!(name, GeneralName::Ip(_))))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use rcgen::SanType;

    use super::super::table;
    use super::super::testing::read;
    use super::*;
    use crate::conninfo::Value;
    use crate::testing::{Authority, now, params};
    use crate::trust::{FileCertificate, RootSource};
    use crate::verify;

    const SETTINGS: &str = "host=db.example user=me sslrootcert=/roots.pem";

    /// A root, an intermediate below it and a server certificate below that, the last of `names` and common name.
    struct Pki {
        root: Certificate,
        intermediate: Certificate,
        leaf: Certificate,
    }

    impl Pki {
        fn new(names: &[&str], common_name: &str, key_identifiers: bool) -> Self {
            let with = |name: &str, names: &[&str], authority: bool| {
                let mut params = params(name, authority);
                let dns = |name: &&str| SanType::DnsName((*name).try_into().unwrap());
                params.subject_alt_names = names.iter().map(dns).collect();
                params.use_authority_key_identifier_extension = key_identifiers;
                params
            };
            let root = Authority::root_with(with("a root", &[], true));
            let intermediate = root.issue(with("an intermediate", &[], true));
            let leaf = intermediate.issue(with(common_name, names, false)).certificate;
            let (root, intermediate) = (root.certificate, intermediate.certificate);
            Self { root, intermediate, leaf }
        }

        fn honest() -> Self {
            Self::new(&["db.example"], "db.example", true)
        }

        fn sent(&self) -> Vec<Certificate> {
            vec![self.leaf.clone(), self.intermediate.clone()]
        }
    }

    fn trusting(certificates: &[&Certificate]) -> Roots {
        let file = PathBuf::from("/roots.pem");
        let certificates = certificates
            .iter()
            .map(|certificate| FileCertificate {
                certificate: (*certificate).clone(),
                file: file.clone(),
                line: 1,
            })
            .collect();
        Roots::Loaded(RootStore::loaded(RootSource::Given(file), certificates))
    }

    /// The clients that have a difference of this code, with these settings, roots and chain.
    fn having(
        code: &str,
        settings: &str,
        roots: Option<Roots>,
        chain: Option<&[Certificate]>,
    ) -> Vec<&'static str> {
        let (settings, mut trust) = read(settings);
        if let Some(roots) = roots {
            trust.roots = roots;
        }
        let connection = Connection::of(&settings, &trust, Path::new("/")).unwrap();
        let host = Value::from(connection.host.as_str());
        let judgement =
            chain.map(|chain| verify::judge(chain, &trust, Some(&host), now(), SslMode::VerifyFull));
        let live = chain.zip(judgement.as_ref()).map(|(chain, judgement)| Live { chain, judgement });
        let situation = Situation::new(&connection, &settings, &trust, live);
        table::all()
            .filter(|client| situation.differences(client).iter().any(|found| found.code == code))
            .map(|client| client.name)
            .collect()
    }

    const WEBPKI: [&str; 3] = ["tokio-postgres", "sqlx", "diesel-async"];
    const GO_AND_WEBPKI: [&str; 7] =
        ["pgx", "gorm", "lib-pq", "tokio-postgres", "sqlx", "diesel-async", "grafana"];
    /// Java, Go and Rust: they take any certificate of the file for an anchor.
    const ANCHORING: [&str; 12] = [
        "jdbc",
        "spring-boot",
        "hikari",
        "pgx",
        "gorm",
        "lib-pq",
        "tokio-postgres",
        "sqlx",
        "diesel-async",
        "metabase",
        "grafana",
        "dbeaver",
    ];

    #[test]
    fn an_honest_chain_differs_for_nobody() {
        let pki = Pki::honest();
        let (settings, mut trust) = read(SETTINGS);
        trust.roots = trusting(&[&pki.root]);
        let connection = Connection::of(&settings, &trust, Path::new("/")).unwrap();
        let chain = pki.sent();
        let host = Value::from("db.example");
        let judgement = verify::judge(&chain, &trust, Some(&host), now(), SslMode::VerifyFull);
        assert!(judgement.accepted, "{judgement:?}");
        let live = Live { chain: &chain, judgement: &judgement };
        let situation = Situation::new(&connection, &settings, &trust, Some(live));
        for client in table::all() {
            let codes: Vec<&str> =
                situation.differences(client).iter().map(|difference| difference.code).collect();
            let wanted: &[&str] = if client.name == "sqlx" { &["root-file-adds"] } else { &[] };
            assert_eq!(codes, wanted, "{}", client.name);
        }
    }

    #[test]
    fn a_common_name_alone_is_refused_by_go_and_rust() {
        let pki = Pki::new(&[], "db.example", true);
        let roots = || Some(trusting(&[&pki.root]));
        assert_eq!(having("common-name-only", SETTINGS, roots(), Some(&pki.sent())), GO_AND_WEBPKI);
        assert!(having("common-name-only", SETTINGS, roots(), None).is_empty());
    }

    #[test]
    fn a_ca_as_server_certificate_is_refused_by_rust() {
        let mut ca = params("db.example", true);
        ca.subject_alt_names = params("db.example", false).subject_alt_names;
        let own = Authority::root_with(ca).certificate;
        let found = having(
            "ca-as-server-certificate",
            SETTINGS,
            Some(trusting(&[&own])),
            Some(std::slice::from_ref(&own)),
        );
        assert_eq!(found, WEBPKI);
    }

    #[test]
    fn an_intermediate_in_the_file_is_an_anchor_for_java_go_and_rust() {
        let pki = Pki::honest();
        let chain = pki.sent();
        let alone = || Some(trusting(&[&pki.intermediate]));
        assert_eq!(having("intermediate-as-root", SETTINGS, alone(), Some(&chain)), ANCHORING);
        assert_eq!(having("intermediate-as-root", SETTINGS, alone(), None), ANCHORING);
        let both = || Some(trusting(&[&pki.root, &pki.intermediate]));
        assert_eq!(having("intermediate-as-anchor", SETTINGS, both(), Some(&chain)), ANCHORING);
        assert!(having("intermediate-as-root", SETTINGS, both(), Some(&chain)).is_empty());
    }

    #[test]
    fn missing_authority_key_identifiers_are_refused_by_new_pythons() {
        let pki = Pki::new(&["db.example"], "db.example", false);
        let roots = Some(trusting(&[&pki.root]));
        assert_eq!(
            having("authority-key-missing", SETTINGS, roots, Some(&pki.sent())),
            ["asyncpg", "pg8000"]
        );
    }

    #[test]
    fn forms_of_root_files() {
        let invalid = |content| Some(Roots::Invalid { path: PathBuf::from("/roots.pem"), content });
        let der = having("root-file-der", SETTINGS, invalid(FileContent::DerCertificate), None);
        assert_eq!(
            der,
            [
                "node-postgres",
                "postgres.js",
                "typeorm",
                "sequelize",
                "knex",
                "drizzle",
                "jdbc",
                "spring-boot",
                "hikari",
                "tokio-postgres",
                "sqlx",
                "diesel-async",
                "metabase",
                "dbeaver"
            ]
        );
        let empty = having("root-file-empty", SETTINGS, invalid(FileContent::Empty), None);
        assert!(empty.contains(&"node-postgres") && !empty.contains(&"jdbc") && !empty.contains(&"pgx"));
    }

    #[test]
    fn no_root_file_and_the_systems_roots() {
        let none = having("no-root-file", "host=db.example user=me", None, None);
        for (client, trusts) in [
            ("psql", false),
            ("psycopg", false),
            ("jdbc", false),
            ("node-postgres", true),
            ("pgx", true),
            ("npgsql", true),
        ] {
            assert_eq!(none.contains(&client), trusts, "{client}");
        }
        let system = having(
            "system-roots",
            "host=db.example user=me sslrootcert=system sslmode=verify-full",
            None,
            None,
        );
        for (client, differs) in [("psql", true), ("pgx", false), ("jdbc", true), ("pgbouncer", true)] {
            assert_eq!(system.contains(&client), differs, "{client}");
        }
    }

    #[test]
    fn hosts_that_are_addresses() {
        let settings = "host=10.0.0.7 user=me sslrootcert=/roots.pem";
        assert_eq!(having("address-compared-as-localhost", settings, None, None), ["postgres.js"]);
        // libpq compares the address with the common name as text; Go does not.
        let pki = Pki::new(&[], "10.0.0.7", true);
        let found =
            having("address-not-in-certificate", settings, Some(trusting(&[&pki.root])), Some(&pki.sent()));
        assert_eq!(found, ["pgx", "gorm", "lib-pq", "grafana"]);
    }

    #[test]
    fn settings_without_a_counterpart() {
        let settings = "host=db.example hostaddr=10.0.0.7 user=me sslrootcert=/roots.pem channel_binding=require \
                        sslcrl=/crl.pem";
        let unbound = having("setting-not-carried", settings, None, None);
        let unrevoked = having("revocation-not-checked", settings, None, None);
        let elsewhere = having("address-not-taken", settings, None, None);
        for (client, binds, revokes, takes_address) in [
            ("psql", true, true, true),
            ("psycopg", true, true, true),
            ("jdbc", true, false, false),
            ("node-postgres", false, false, true),
            ("pgx", false, false, false),
        ] {
            assert_eq!(unbound.contains(&client), !binds, "{client}");
            assert_eq!(unrevoked.contains(&client), !revokes, "{client}");
            assert_eq!(elsewhere.contains(&client), !takes_address, "{client}");
        }
    }
}

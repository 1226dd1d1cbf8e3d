//! Where a client behaves otherwise than libpq for this very server: rules over the settings, the files and, after a live
//! check, the chain. The rules are those measured with thirty faults on 2026-11-23; a rule that was not measured for a
//! client is not applied to it.

use super::connection::{Connection, Root};
use super::table::{Client, SystemRoots, Verifier, WithoutRoot};
use crate::conninfo::{Settings, SslMode};
use crate::diagnose::Outcome;
use crate::evidence::Attempt;
use crate::trust::{FileContent, RootStore, Roots, Trust};
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

/// What a live check saw.
#[derive(Clone, Copy, Debug)]
struct Live<'a> {
    judgement: &'a Judgement,
    attempt: &'a Attempt,
}

impl<'a> Situation<'a> {
    /// Gathers. `outcome` is that of a check of the same settings.
    pub fn new(
        connection: &'a Connection,
        settings: &Settings,
        trust: &Trust,
        outcome: Option<&'a Outcome>,
    ) -> Self {
        let given = |keyword: &str| settings.path(keyword).is_some();
        Self {
            connection,
            root_file: RootFile::of(connection, trust),
            revocation: given("sslcrl") || given("sslcrldir"),
            live: outcome.and_then(Live::of),
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
        self.root_file(client, &mut found);
        self.host(client, &mut found);
        self.further(client, &mut found);
        found.sort_by_key(|difference| difference.effect);
        found
    }

    /// What strict verifiers refuse in the chain the server sent.
    fn chain(&self, verifier: Verifier, found: &mut Vec<Difference>) {
        let Some(live) = self.live else { return };
        let webpki = matches!(verifier, Verifier::Webpki | Verifier::WebpkiAndPublicRoots);
        for refusal in &live.judgement.strict {
            let (code, text) = match &refusal.reason {
                StrictReason::NoSubjectAltName if webpki || verifier == Verifier::Go => (
                    "common-name-only",
                    "the server's certificate names the host in its common name only, without a subjectAltName".to_owned(),
                ),
                StrictReason::CaAsServerCertificate if webpki => (
                    "ca-as-server-certificate",
                    "the server's certificate is a CA's (CaUsedAsEndEntity)".to_owned(),
                ),
                StrictReason::OldVersion(version) if webpki => (
                    "old-certificate-version",
                    format!("the server's certificate is of X.509 version {version} (UnsupportedCertVersion)"),
                ),
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
        let is_self_signed = |facts: &crate::certificate::Facts| facts.is_self_signed();
        let self_signed = store
            .certificates
            .iter()
            .filter(|entry| entry.certificate.facts().is_ok_and(is_self_signed))
            .count();
        Self::Certificates { self_signed, others: store.certificates.len() - self_signed }
    }
}

impl<'a> Live<'a> {
    /// The handshake where libpq stops, if a chain was judged there.
    fn of(outcome: &'a Outcome) -> Option<Self> {
        let attempt = outcome.evidence.attempts.last()?;
        let judgement = attempt.tls.as_ref()?.result.judgement.as_ref()?;
        Some(Self { judgement, attempt })
    }

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
        let chain = self.attempt.tls.as_ref().map(|step| step.result.chain.as_slice()).unwrap_or_default();
        let names = chain.first().and_then(|leaf| leaf.facts().ok()).and_then(|facts| facts.sans.as_ref());
        names.is_some_and(|names| {
            names.iter().any(|name| matches!(name, crate::certificate::GeneralName::Ip(_)))
        })
    }
}

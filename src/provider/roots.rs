//! The roots that ship with this tool: the files of `certs/`, each with its SHA-256. What a check needs on its way to
//! success is names and fingerprints, which are text; certificates are decoded on first use.

use std::path::Path;
use std::sync::LazyLock;

use super::host::fits;
use super::{KnownRoot, PROVIDERS, Provider, RootStatus, by_id};
use crate::certificate::{Certificate, pem};
use crate::packed;
use crate::trust::{FileCertificate, RootSource, RootStore};

/// A file of `certs/` that holds one root.
struct Shipped {
    file: &'static str,
    name: &'static str,
    sha256: &'static str,
}

impl Shipped {
    fn pem(&self) -> &'static str {
        packed::text("roots", self.file.strip_suffix(".pem").unwrap_or(self.file))
    }
}

macro_rules! shipped {
    ($($file:literal, $name:literal, $sha256:literal;)*) => {
        &[$(Shipped { file: $file, name: $name, sha256: $sha256 }),*]
    };
}

static SHIPPED: &[Shipped] = shipped! {
    "Amazon_Root_CA_1.pem", "Amazon Root CA 1",
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e";
    "Amazon_Root_CA_2.pem", "Amazon Root CA 2",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4";
    "Amazon_Root_CA_3.pem", "Amazon Root CA 3",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4";
    "Amazon_Root_CA_4.pem", "Amazon Root CA 4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092";
    "Baltimore_CyberTrust_Root.pem", "Baltimore CyberTrust Root",
        "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb";
    "DigiCertGlobalRootCA.crt.pem", "DigiCert Global Root CA",
        "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161";
    "DigiCertGlobalRootG2.crt.pem", "DigiCert Global Root G2",
        "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f";
    "DigiCert_Global_Root_G3.pem", "DigiCert Global Root G3",
        "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0";
    "DigiCert_TLS_ECC_P384_Root_G5.pem", "DigiCert TLS ECC P384 Root G5",
        "018e13f0772532cf809bd1b17281867283fc48c6e13be9c69812854a490c1b05";
    "DigiCert_TLS_RSA4096_Root_G5.pem", "DigiCert TLS RSA4096 Root G5",
        "371a00dc0533b3721a7eeb40e8419e70799d2b0a0f2c1d80693165f7cec4ad75";
    "GTS_Root_R1.pem", "GTS Root R1",
        "d947432abde7b7fa90fc2e6b59101b1280e0e1c7e4e40fa3c6887fff57a7f4cf";
    "GTS_Root_R2.pem", "GTS Root R2",
        "8d25cd97229dbf70356bda4eb3cc734031e24cf00fafcfd32dc76eb5841c7ea8";
    "GTS_Root_R3.pem", "GTS Root R3",
        "34d8a73ee208d9bcdb0d956520934b4e40e69482596e8b6f73c8426b010a6f48";
    "GTS_Root_R4.pem", "GTS Root R4",
        "349dfa4058c5e263123b398ae795573c4e1313c83fe68f93556cd5e8031b3c7d";
    "GlobalSign_Root_CA.pem", "GlobalSign Root CA",
        "ebd41040e4bb3ec742c9e381d31ef2a41a48b6685c96e7cef3c1df6cd4331c99";
    "ISRG_Root_X1.pem", "ISRG Root X1",
        "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6";
    "ISRG_Root_X2.pem", "ISRG Root X2",
        "69729b8e15a86efc177a57afb7171dfc64add28c2fca8cf1507e34453ccb1470";
    "Microsoft_ECC_Root_Certificate_Authority_2017.pem", "Microsoft ECC Root Certificate Authority 2017",
        "358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02";
    "Microsoft_RSA_Root_Certificate_Authority_2017.pem", "Microsoft RSA Root Certificate Authority 2017",
        "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0";
    "Starfield_Services_Root_Certificate_Authority_G2.pem", "Starfield Services Root Certificate Authority - G2",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5";
    "USERTrust_ECC_Certification_Authority.pem", "USERTrust ECC Certification Authority",
        "4ff460d54b9c86dabfbcfc5712e0400d2bed3fbc4d4fbdaa86e06adcd2a9ad7a";
    "USERTrust_RSA_Certification_Authority.pem", "USERTrust RSA Certification Authority",
        "e793c9b02fd8aa13e21c31228accb08119643b749c898964b1746d46c3d4cbd2";
};

/// All roots of Amazon RDS in one file.
fn rds_bundle() -> &'static str {
    packed::text("certs", "aws-rds-global-bundle")
}

/// What is in it: `subject_cn,region,algorithm,not_before,not_after,sha256`.
fn rds_list() -> &'static str {
    packed::text("lists", "aws-rds-roots")
}

/// Common name and SHA-256 of every root that ships. Decodes nothing.
fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let single = SHIPPED.iter().map(|shipped| (shipped.name, shipped.sha256));
    let rds = rds_list()
        .lines()
        .skip(1)
        .filter_map(|line| Some((line.split(',').next()?, line.rsplit(',').next()?)));
    single.chain(rds)
}

/// Common name and SHA-256 of the roots that ship and whose common name fits a pattern.
pub(super) fn named(pattern: &str) -> Vec<(&'static str, &'static str)> {
    names().filter(|(name, _)| fits(pattern, name)).collect()
}

/// Whether a certificate has a SHA-256, given in lower-case hexadecimal.
pub(super) fn is(certificate: &Certificate, sha256: &str) -> bool {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = sha256.as_bytes().chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    certificate.sha256().iter().map(|byte| Some(u32::from(*byte))).eq(pairs)
}

static KNOWN: LazyLock<Vec<KnownRoot>> = LazyLock::new(|| {
    let single = SHIPPED.iter().flat_map(|shipped| decoded(shipped.pem()));
    single.chain(decoded(rds_bundle())).collect()
});

fn decoded(text: &str) -> impl Iterator<Item = KnownRoot> {
    pem::blocks(text.as_bytes()).into_iter().filter_map(|block| block.content.ok()).map(move |der| {
        let certificate = Certificate::from_der(&der);
        let used_by = users(&common_name(&certificate));
        KnownRoot { certificate, used_by }
    })
}

fn common_name(certificate: &Certificate) -> String {
    certificate.readable().subject.and_then(|subject| subject.common_name()).unwrap_or_default()
}

fn users(name: &str) -> Vec<&'static str> {
    let uses = |provider: &&&Provider| {
        let current = provider.roots.iter().filter(|root| !matches!(root.status, RootStatus::Former { .. }));
        current.into_iter().any(|root| fits(root.name, name))
    };
    PROVIDERS.iter().filter(uses).map(|provider| provider.id).collect()
}

/// All roots that ship with this tool, decoded on first use.
pub fn known_roots() -> &'static [KnownRoot] {
    &KNOWN
}

/// How many roots ship with this tool. Decodes nothing.
pub fn known_count() -> usize {
    names().count()
}

/// Whether a root ships under a common name. Decodes nothing.
pub fn is_known_name(common_name: &str) -> bool {
    names().any(|(name, _)| name == common_name)
}

/// The root that ships under a common name.
pub fn known_root(name: &str) -> Option<&'static KnownRoot> {
    known_roots().iter().find(|root| common_name(&root.certificate) == name)
}

/// The roots of a provider, to be written into a root file.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Whose.
    pub provider: &'static Provider,
    /// The roots, in the order of the table; never empty.
    pub roots: Vec<BundleRoot>,
}

/// A root and why it is in a bundle.
#[derive(Clone, Copy, Debug)]
pub struct BundleRoot {
    /// The root.
    pub root: &'static KnownRoot,
    /// Since when and for whom it counts.
    pub status: RootStatus,
}

/// The roots that a provider's chains end at now, will or may end at. `None` where the provider is not known, or its
/// roots do not ship: they are the instance's own, or nobody published them.
pub fn bundle(provider_id: &str) -> Option<Bundle> {
    let provider = by_id(provider_id)?;
    let current = provider.roots.iter().filter(|root| !matches!(root.status, RootStatus::Former { .. }));
    let roots: Vec<BundleRoot> = current
        .flat_map(|expected| {
            let fitting =
                known_roots().iter().filter(|root| fits(expected.name, &common_name(&root.certificate)));
            fitting.map(|root| BundleRoot { root, status: expected.status })
        })
        .collect();
    (!roots.is_empty()).then_some(Bundle { provider, roots })
}

impl Bundle {
    /// The roots as they would be read from the file at `path` that [`to_pem`](Self::to_pem) writes.
    pub fn store(&self, path: &Path) -> RootStore {
        let blocks = pem::blocks(self.to_pem().as_bytes());
        let certificates = self.roots.iter().zip(blocks).map(|(root, block)| FileCertificate {
            certificate: root.root.certificate.clone(),
            file: path.to_owned(),
            line: block.line,
        });
        RootStore::loaded(RootSource::Given(path.to_owned()), certificates.collect())
    }

    /// The bundle as PEM, with a comment before each certificate: name, SHA-256, validity and why it is there.
    ///
    /// Comments are lines that begin with `#`, which OpenSSL, GnuTLS, Java, Go and Python pass over.
    pub fn to_pem(&self) -> String {
        let mut text = format!("# {}: roots for sslrootcert\n", self.provider.name);
        text.push_str(concat!("# written by pgtls-check ", env!("CARGO_PKG_VERSION"), "\n"));
        for source in self.provider.sources {
            text.push_str(&format!("# source: {source}\n"));
        }
        for BundleRoot { root, status } in &self.roots {
            let readable = root.certificate.readable();
            let subject = readable.subject.map(|subject| subject.to_string()).unwrap_or_default();
            let sha256 = root.certificate.fingerprint();
            text.push_str(&format!("\n# {subject}\n# SHA-256 {sha256}\n"));
            if let (Some(from), Some(until)) = (readable.not_before, readable.not_after) {
                text.push_str(&format!("# valid from {} until {}\n", from.date(), until.date()));
            }
            text.push_str(&format!("# {status}\n"));
            text.push_str(&pem::write("CERTIFICATE", root.certificate.der()));
        }
        text
    }
}

impl std::fmt::Display for RootStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now => f.write_str("needed now"),
            Self::Announced { from } => write!(f, "announced, from {from} on"),
            Self::Sometimes { which } => write!(f, "needed for {which}"),
            Self::Former { until } => write!(f, "no longer used since {until}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const README: &str = include_str!("../../certs/README.md");

    #[test]
    fn every_file_holds_what_its_fingerprint_says() {
        for shipped in SHIPPED {
            let roots: Vec<_> = decoded(shipped.pem()).collect();
            let [root] = roots.as_slice() else { panic!("{} holds {}", shipped.file, roots.len()) };
            assert_eq!(root.certificate.fingerprint().to_lowercase(), shipped.sha256, "{}", shipped.file);
            let facts = root.certificate.facts().unwrap();
            assert_eq!(facts.subject.common_name().as_deref(), Some(shipped.name));
            assert!(facts.is_self_signed() && facts.is_ca(), "{}", shipped.file);
            let row =
                README.lines().find(|line| line.starts_with(&format!("| `{}` |", shipped.file))).unwrap();
            assert!(row.contains(shipped.sha256) && row.contains(&facts.not_after.date()), "{row}");
        }
    }

    #[test]
    fn the_rds_list_is_the_rds_bundle() {
        let roots: Vec<_> = decoded(rds_bundle()).collect();
        let mut listed = rds_list().lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        assert_eq!(roots.len(), 108);
        let found: BTreeSet<_> = roots
            .iter()
            .map(|root| {
                let facts = root.certificate.facts().unwrap();
                assert!(facts.is_self_signed() && facts.is_ca());
                let name = facts.subject.common_name().unwrap();
                (
                    name,
                    facts.not_before.date(),
                    facts.not_after.date(),
                    root.certificate.fingerprint().to_lowercase(),
                )
            })
            .collect();
        assert_eq!(found.len(), 108);
        assert!(listed.all(|row| {
            let [name, _, _, from, until, sha256] = row.as_slice() else { panic!("{row:?}") };
            found.contains(&(
                (*name).to_owned(),
                (*from).to_owned(),
                (*until).to_owned(),
                (*sha256).to_owned(),
            ))
        }));
        assert_eq!(rds_list().lines().count(), 109);
        let digest = ring::digest::digest(&ring::digest::SHA256, rds_bundle().as_bytes());
        assert!(README.contains(&crate::text::hex(digest.as_ref())));
    }

    #[test]
    fn every_file_of_the_folder_is_shipped() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/certs");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = SHIPPED.iter().any(|shipped| shipped.file == name);
            let other = matches!(
                name.as_str(),
                "README.md"
                    | "aws-rds-global-bundle.pem"
                    | "aws-rds-roots.csv"
                    | "azure-postgresql-recommended.pem"
            );
            assert!(known || other, "{name}");
        }
    }

    #[test]
    fn the_azure_bundle_is_the_recommended_file() {
        let file = include_str!("../../certs/azure-postgresql-recommended.pem");
        let recommended: Vec<_> = decoded(file).map(|root| root.certificate).collect();
        let bundle = bundle("azure-flexible").unwrap();
        let written: Vec<_> = decoded(&bundle.to_pem()).map(|root| root.certificate).collect();
        assert_eq!(written, recommended);
        assert!(written.iter().eq(bundle.roots.iter().map(|entry| &entry.root.certificate)));
    }

    #[test]
    fn bundles_read_back_whole() {
        for provider in PROVIDERS {
            let Some(bundle) = bundle(provider.id) else { continue };
            let text = bundle.to_pem();
            let blocks = pem::blocks(text.as_bytes());
            let read: Vec<_> =
                blocks.into_iter().map(|block| Certificate::from_der(&block.content.unwrap())).collect();
            assert!(
                read.iter().eq(bundle.roots.iter().map(|entry| &entry.root.certificate)),
                "{}",
                provider.id
            );
            for entry in &bundle.roots {
                assert!(text.contains(&entry.root.certificate.fingerprint()));
                assert!(entry.root.used_by.contains(&provider.id));
            }
        }
        assert_eq!(bundle("aws-rds").unwrap().roots.len(), 108);
        assert!(bundle("supabase").is_none() && bundle("nobody").is_none());
    }
}

//! Faults of the chain and of the name.

use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints,
};

use super::Fault;
use crate::demo::pki::{Authority, Issued, days, distinguished_name, key};
use crate::demo::resign::{self, Hash};
use crate::demo::scenario::{HOST, Scenario};

/// A host of a provider whose certificates are known.
const AZURE: &str = "demo.postgres.database.azure.com";

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        "unknown-issuer",
        "the root file is of another organisation than the server's CA",
        |scenario| {
            let other = Authority::root_with("Other Root CA", |root| {
                root.distinguished_name = distinguished_name("Somebody Else", "Other Root CA");
            })?;
            scenario.write_for("sslrootcert", "root.crt", other.pem()).map(drop)
        },
    ),
    Fault::new(
        "root-not-in-file",
        "the chain leads to a root that the system has and the file lacks",
        |scenario| {
            // A chain to a real public root cannot be made; a store of the system's can.
            let store = scenario.directory.write("system-roots.pem", scenario.root.pem())?;
            scenario.export("SSL_CERT_FILE", store);
            let other = Authority::root("Other Root CA")?;
            scenario.write_for("sslrootcert", "root.crt", other.pem()).map(drop)
        },
    ),
    Fault::new(
        "intermediate-missing",
        "the server sends its own certificate and no intermediate",
        |scenario| {
            scenario.chain.truncate(1);
            Ok(())
        },
    ),
    Fault::new("self-signed", "the server's certificate is self-signed and not in the file", |scenario| {
        let leaf = Issued::self_signed(&[HOST])?;
        scenario.present(leaf);
        scenario.chain.truncate(1);
        Ok(())
    }),
    Fault::new(
        "root-key-changed",
        "the server's root has the name of the file's and another key",
        |scenario| {
            scenario.root_in(Authority::root("Demo Root CA")?)?;
            scenario.chain.push(scenario.root.der.clone());
            Ok(())
        },
    ),
    Fault::new("root-file-lacks-root", "the file holds the intermediate in place of its root", |scenario| {
        scenario.write_for("sslrootcert", "root.crt", scenario.intermediate.pem()).map(drop)
    }),
    Fault::new(
        "tls-inspection",
        "an inspecting proxy's certificate comes in place of the provider's",
        |scenario| {
            let proxy = Authority::root_with("Zscaler Root CA", |root| {
                root.distinguished_name = distinguished_name("Zscaler Inc.", "Zscaler Root CA");
            })?;
            let intermediate =
                proxy.intermediate_with("Zscaler Intermediate Root CA", key()?, |parameters| {
                    parameters.distinguished_name =
                        distinguished_name("Zscaler Inc.", "Zscaler Intermediate Root CA");
                })?;
            scenario.issue_from(intermediate)?;
            scenario.rename(AZURE)
        },
    ),
    Fault::new(
        "tls-inspection",
        "a company's own CA issued what comes in place of the provider's",
        |scenario| {
            let company = Authority::root("Corporate Root CA")?;
            scenario.issue_from(company.intermediate_with("Corporate Issuing CA", key()?, |_| {})?)?;
            scenario.rename(AZURE)
        },
    )
    .named("tls-inspection-own-ca"),
    Fault::new(
        "hostname-mismatch",
        "a tunnel: the host is localhost, the certificate is for the server",
        |scenario| {
            scenario.set("host", "localhost");
            Ok(())
        },
    ),
    Fault::new("hostname-mismatch", "the host is an address, the certificate has a name only", |scenario| {
        scenario.unset("hostaddr");
        scenario.set("host", "127.0.0.1");
        Ok(())
    })
    .named("hostname-mismatch-address"),
    Fault::new("hostname-mismatch", "PGHOSTADDR leads to another server than the host", |scenario| {
        scenario.unset("hostaddr");
        scenario.set("host", "orders.example");
        scenario.export("PGHOSTADDR", "127.0.0.1");
        Ok(())
    })
    .named("hostname-mismatch-other-server"),
    Fault::new("certificate-expired", "the server's certificate has expired", |scenario| {
        scenario.present_with(|leaf| (leaf.not_before, leaf.not_after) = (days(-400), days(-35)))
    }),
    Fault::new("certificate-expired", "the intermediate has expired", |scenario| {
        let intermediate = scenario.root.intermediate_with("Demo Intermediate CA", key()?, |parameters| {
            (parameters.not_before, parameters.not_after) = (days(-1825), days(-3));
        })?;
        scenario.issue_from(intermediate)
    })
    .named("intermediate-expired"),
    Fault::new(
        "certificate-not-yet-valid",
        "the server's certificate is valid from next week on",
        |scenario| scenario.present_with(|leaf| leaf.not_before = days(7)),
    ),
    Fault::new("certificate-revoked", "the CA's CRL lists the server's certificate", |scenario| {
        let leaf = scenario.intermediate.server(&[HOST])?;
        let lists = [scenario.root.crl(&[], 1)?, scenario.intermediate.crl(&[&leaf], 1)?];
        scenario.present(leaf);
        scenario.write_for("sslcrl", "root.crl", lists.concat()).map(drop)
    }),
    Fault::new("crl-missing", "there is a CRL of the issuing CA and none of the root", |scenario| {
        scenario.write_for("sslcrl", "root.crl", scenario.intermediate.crl(&[], 1)?).map(drop)
    }),
    Fault::new("crl-missing", "sslcrldir names a directory that does not exist", |scenario| {
        let path = scenario.directory.path().join("no-such-directory");
        scenario.name_file("sslcrldir", &path);
        Ok(())
    })
    .named("crl-directory-missing"),
    Fault::new("certificate-weak", "the server's certificate is signed with SHA-1", |scenario| {
        sign_with(scenario, Hash::Sha1)
    }),
    Fault::new("certificate-purpose", "the server's certificate is one for clients", |scenario| {
        scenario.present_with(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }),
    Fault::new("certificate-purpose", "what issued the server's certificate is no CA", |scenario| {
        let intermediate = scenario.root.intermediate_with("Demo Intermediate", key()?, |parameters| {
            parameters.is_ca = IsCa::ExplicitNoCa;
            parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        })?;
        scenario.issue_from(intermediate)
    })
    .named("issuer-no-ca"),
    Fault::new("certificate-name-constraints", "the CA may issue for other names only", |scenario| {
        let intermediate = scenario.root.intermediate_with("Demo Intermediate CA", key()?, |parameters| {
            parameters.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName("internal.example".to_owned())],
                excluded_subtrees: Vec::new(),
            });
        })?;
        scenario.issue_from(intermediate)
    }),
    Fault::new("certificate-invalid", "the signature on the server's certificate is damaged", |scenario| {
        if let Some(last) = scenario.chain.first_mut().and_then(|leaf| leaf.last_mut()) {
            *last ^= 1;
        }
        Ok(())
    }),
    Fault::new(
        "certificate-invalid",
        "the server's certificate has a critical extension that nobody knows",
        |scenario| {
            scenario.present_with(|leaf| {
                leaf.custom_extensions.push(critical(&[1, 3, 6, 1, 4, 1, 99999, 1], &[5, 0]))
            })
        },
    )
    .named("unknown-critical-extension"),
    Fault::new("certificate-invalid", "the server's certificate is cut off", |scenario| {
        if let Some(leaf) = scenario.chain.first_mut() {
            leaf.truncate(leaf.len() / 2);
        }
        Ok(())
    })
    .named("certificate-malformed"),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning(
        "sslmode-not-verifying",
        "sslmode=require and no root file: libpq verifies nothing",
        |scenario| {
            scenario.unset("sslrootcert");
            scenario.set("sslmode", "require");
            Ok(())
        },
    ),
    Fault::warning("certificate-expires-soon", "the server's certificate expires in ten days", |scenario| {
        scenario.present_with(|leaf| leaf.not_after = days(10))
    }),
    Fault::warning("root-expires-soon", "the root expires in twenty days", |scenario| {
        scenario.root_in(Authority::root_with("Demo Root CA", |root| root.not_after = days(20))?)?;
        scenario.update_root_file()
    }),
    Fault::warning(
        "root-bundle-incomplete",
        "the file has one root, the provider has announced others",
        |scenario| scenario.rename(AZURE),
    ),
    Fault::warning(
        "no-subject-alt-name",
        "the certificate has its name in the common name only",
        |scenario| scenario.present_with(|leaf| leaf.subject_alt_names.clear()),
    ),
    Fault::warning(
        "ca-as-server-certificate",
        "the server's certificate is at once one of a CA",
        |scenario| scenario.present_with(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
    ),
    Fault::warning(
        "strict-client-rejects",
        "a critical policy in the certificate, which strict clients refuse",
        |scenario| {
            // certificatePolicies: one policy, 1.3.6.1.4.1.99999.1
            let policies = [0x30, 13, 0x30, 11, 6, 9, 0x2b, 6, 1, 4, 1, 0x86, 0x8d, 0x1f, 1];
            scenario.present_with(|leaf| leaf.custom_extensions.push(critical(&[2, 5, 29, 32], &policies)))
        },
    ),
];

/// The server's certificate is signed with another hash.
pub(super) fn sign_with(scenario: &mut Scenario, hash: Hash) -> std::io::Result<()> {
    let leaf = scenario.intermediate.server(&[HOST])?;
    let der = resign::sign(&leaf.der, &scenario.intermediate.key_der(), hash)?;
    scenario.present(Issued { der, ..leaf });
    Ok(())
}

/// The server's certificate is signed with Ed25519, and channel binding is on offer (stage auth).
pub(super) fn sign_with_ed25519(scenario: &mut Scenario) -> std::io::Result<()> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(std::io::Error::other)?;
    let intermediate = scenario.root.intermediate_with("Demo Intermediate CA", key, |_| {})?;
    scenario.issue_from(intermediate)
}

fn critical(oid: &[u64], content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(true);
    extension
}

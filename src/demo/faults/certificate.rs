//! Faults of the chain and of the name.

use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints,
};

use super::Fault;
use crate::demo::pki::{Authority, Issued, days, distinguished_name, key};
use crate::demo::resign::{self, Hash};
use crate::demo::scene::{HOST, Scene};

/// A host of a provider whose certificates are known.
const AZURE: &str = "demo.postgres.database.azure.com";

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("unknown-issuer", "the root file is of another organisation than the server's CA", |scene| {
        let other = Authority::root_with("Other Root CA", |root| {
            root.distinguished_name = distinguished_name("Somebody Else", "Other Root CA");
        })?;
        scene.write_for("sslrootcert", "root.crt", other.pem()).map(drop)
    }),
    Fault::new(
        "root-not-in-file",
        "the chain leads to a root that the system has and the file lacks",
        |scene| {
            // A chain to a real public root cannot be made; a store of the system's can.
            let store = scene.directory.write("system-roots.pem", scene.root.pem())?;
            scene.export("SSL_CERT_FILE", store);
            let other = Authority::root("Other Root CA")?;
            scene.write_for("sslrootcert", "root.crt", other.pem()).map(drop)
        },
    ),
    Fault::new("intermediate-missing", "the server sends its own certificate and no intermediate", |scene| {
        scene.chain.truncate(1);
        Ok(())
    }),
    Fault::new("self-signed", "the server's certificate is self-signed and not in the file", |scene| {
        let leaf = Issued::self_signed(&[HOST])?;
        scene.present(leaf);
        scene.chain.truncate(1);
        Ok(())
    }),
    Fault::new("root-key-changed", "the server's root has the name of the file's and another key", |scene| {
        scene.root_in(Authority::root("Demo Root CA")?)?;
        scene.chain.push(scene.root.der.clone());
        Ok(())
    }),
    Fault::new("root-file-lacks-root", "the file holds the intermediate in place of its root", |scene| {
        scene.write_for("sslrootcert", "root.crt", scene.intermediate.pem()).map(drop)
    }),
    Fault::new(
        "tls-inspection",
        "an inspecting proxy's certificate comes in place of the provider's",
        |scene| {
            let proxy = Authority::root_with("Zscaler Root CA", |root| {
                root.distinguished_name = distinguished_name("Zscaler Inc.", "Zscaler Root CA");
            })?;
            let intermediate =
                proxy.intermediate_with("Zscaler Intermediate Root CA", key()?, |parameters| {
                    parameters.distinguished_name =
                        distinguished_name("Zscaler Inc.", "Zscaler Intermediate Root CA");
                })?;
            scene.issue_from(intermediate)?;
            scene.rename(AZURE)
        },
    ),
    Fault::new(
        "hostname-mismatch",
        "a tunnel: the host is localhost, the certificate is for the server",
        |scene| {
            scene.set("host", "localhost");
            Ok(())
        },
    ),
    Fault::new("hostname-mismatch", "the host is an address, the certificate has a name only", |scene| {
        scene.unset("hostaddr");
        scene.set("host", "127.0.0.1");
        Ok(())
    })
    .named("hostname-mismatch-address"),
    Fault::new("certificate-expired", "the server's certificate has expired", |scene| {
        scene.present_with(|leaf| (leaf.not_before, leaf.not_after) = (days(-400), days(-35)))
    }),
    Fault::new("certificate-expired", "the intermediate has expired", |scene| {
        let intermediate = scene.root.intermediate_with("Demo Intermediate CA", key()?, |parameters| {
            (parameters.not_before, parameters.not_after) = (days(-1825), days(-3));
        })?;
        scene.issue_from(intermediate)
    })
    .named("intermediate-expired"),
    Fault::new("certificate-not-yet-valid", "the server's certificate is valid from next week on", |scene| {
        scene.present_with(|leaf| leaf.not_before = days(7))
    }),
    Fault::new("certificate-revoked", "the CA's CRL lists the server's certificate", |scene| {
        let leaf = scene.intermediate.server(&[HOST])?;
        let lists = [scene.root.crl(&[], 1)?, scene.intermediate.crl(&[&leaf], 1)?];
        scene.present(leaf);
        scene.write_for("sslcrl", "root.crl", lists.concat()).map(drop)
    }),
    Fault::new("crl-missing", "there is a CRL of the issuing CA and none of the root", |scene| {
        scene.write_for("sslcrl", "root.crl", scene.intermediate.crl(&[], 1)?).map(drop)
    }),
    Fault::new("crl-missing", "sslcrldir names a directory that does not exist", |scene| {
        let path = scene.directory.path().join("no-such-directory");
        scene.name_file("sslcrldir", &path);
        Ok(())
    })
    .named("crl-directory-missing"),
    Fault::new("certificate-weak", "the server's certificate is signed with SHA-1", |scene| {
        sign_with(scene, Hash::Sha1)
    }),
    Fault::new("certificate-purpose", "the server's certificate is one for clients", |scene| {
        scene.present_with(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }),
    Fault::new("certificate-purpose", "what issued the server's certificate is no CA", |scene| {
        let intermediate = scene.root.intermediate_with("Demo Intermediate", key()?, |parameters| {
            parameters.is_ca = IsCa::ExplicitNoCa;
            parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        })?;
        scene.issue_from(intermediate)
    })
    .named("issuer-no-ca"),
    Fault::new("certificate-name-constraints", "the CA may issue for other names only", |scene| {
        let intermediate = scene.root.intermediate_with("Demo Intermediate CA", key()?, |parameters| {
            parameters.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName("internal.example".to_owned())],
                excluded_subtrees: Vec::new(),
            });
        })?;
        scene.issue_from(intermediate)
    }),
    Fault::new("certificate-invalid", "the signature on the server's certificate is damaged", |scene| {
        if let Some(last) = scene.chain.first_mut().and_then(|leaf| leaf.last_mut()) {
            *last ^= 1;
        }
        Ok(())
    }),
    Fault::new(
        "certificate-invalid",
        "the server's certificate has a critical extension that nobody knows",
        |scene| {
            scene.present_with(|leaf| {
                leaf.custom_extensions.push(critical(&[1, 3, 6, 1, 4, 1, 99999, 1], &[5, 0]))
            })
        },
    )
    .named("unknown-critical-extension"),
    Fault::new("certificate-invalid", "the server's certificate is cut off", |scene| {
        if let Some(leaf) = scene.chain.first_mut() {
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
        |scene| {
            scene.unset("sslrootcert");
            scene.set("sslmode", "require");
            Ok(())
        },
    ),
    Fault::warning("certificate-expires-soon", "the server's certificate expires in ten days", |scene| {
        scene.present_with(|leaf| leaf.not_after = days(10))
    }),
    Fault::warning("root-expires-soon", "the root expires in twenty days", |scene| {
        scene.root_in(Authority::root_with("Demo Root CA", |root| root.not_after = days(20))?)?;
        scene.update_root_file()
    }),
    Fault::warning(
        "root-bundle-incomplete",
        "the file has one root, the provider has announced others",
        |scene| scene.rename(AZURE),
    ),
    Fault::warning("no-subject-alt-name", "the certificate has its name in the common name only", |scene| {
        scene.present_with(|leaf| leaf.subject_alt_names.clear())
    }),
    Fault::warning("ca-as-server-certificate", "the server's certificate is at once one of a CA", |scene| {
        scene.present_with(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }),
    Fault::warning(
        "strict-client-rejects",
        "a critical policy in the certificate, which strict clients refuse",
        |scene| {
            // certificatePolicies: one policy, 1.3.6.1.4.1.99999.1
            let policies = [0x30, 13, 0x30, 11, 6, 9, 0x2b, 6, 1, 4, 1, 0x86, 0x8d, 0x1f, 1];
            scene.present_with(|leaf| leaf.custom_extensions.push(critical(&[2, 5, 29, 32], &policies)))
        },
    ),
];

/// The server's certificate is signed with another hash.
pub(super) fn sign_with(scene: &mut Scene, hash: Hash) -> std::io::Result<()> {
    let leaf = scene.intermediate.server(&[HOST])?;
    let der = resign::sign(&leaf.der, &scene.intermediate.key_der(), hash)?;
    scene.present(Issued { der, ..leaf });
    Ok(())
}

/// The server's certificate is signed with Ed25519, and channel binding is on offer (stage auth).
pub(super) fn sign_with_ed25519(scene: &mut Scene) -> std::io::Result<()> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(std::io::Error::other)?;
    let intermediate = scene.root.intermediate_with("Demo Intermediate CA", key, |_| {})?;
    scene.issue_from(intermediate)
}

fn critical(oid: &[u64], content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(true);
    extension
}

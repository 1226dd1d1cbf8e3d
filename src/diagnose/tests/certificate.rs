//! certificate, and what of trust a chain shows

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};

use super::fixtures::*;
use crate::certificate::{Certificate, pem};
use crate::conninfo::SslMode;
use crate::diagnose::codes;
use crate::evidence::Evidence;
use crate::provider::known_root;
use crate::testing::named;
use crate::timestamp::Timestamp;
use crate::trust::{CrlDirectory, CrlDirectoryState, FileCrl, Revocation, RootSource, Roots};

const AZURE: &str = "x.postgres.database.azure.com";

/// A public intermediate below DigiCert Global Root G2, as a certificate that is sent.
fn public_intermediate() -> Certificate {
    let text = include_str!("DigiCert_Global_G2_TLS_RSA_SHA256_2020_CA1.pem");
    Certificate::from_der(pem::blocks(text.as_bytes())[0].content.as_ref().unwrap())
}

fn shipped(name: &str) -> Certificate {
    known_root(name).unwrap().certificate.clone()
}

#[test]
fn an_issuer_that_nothing_tells_about() {
    let (chain, other) = (Chain::honest(), Authority::root("Another Root"));
    Evidence::of(chain.sent(), &[&other.certificate])
        .fails(&codes::UNKNOWN_ISSUER)
        .shows("sought", "CN=Test Root")
        .shows("in_file", "Another Root, until 2035-01-01")
        .shows("sent", "Test Middle")
        .shows("known_roots", "no match among")
        .because("by its name, that issuer is a root");
    let mut sent = chain.sent();
    sent.push(chain.root.certificate.clone());
    Evidence::of(sent, &[&other.certificate])
        .fails(&codes::UNKNOWN_ISSUER)
        .shows("sought", &chain.root.certificate.fingerprint());
    Evidence::of(chain.sent(), &[&chain.root.certificate]).verified();
}

/// A distribution of its own (conda, Nix) names its store by a variable, and then the machine's is not read.
#[test]
fn a_store_that_a_variable_puts_in_the_place_of_the_systems_is_named() {
    let (chain, other) = (Chain::honest(), Authority::root("Another Root"));
    let found = |file: &str| {
        let source = RootSource::System { file: Some(file.into()), directory: None };
        let evidence = Evidence::of(chain.sent(), &[&other.certificate]).with_trust(|trust| {
            let Roots::Loaded(store) = &mut trust.roots else { panic!() };
            store.source = source;
        });
        evidence.fails(&codes::UNKNOWN_ISSUER).diagnosis
    };
    let by_variable = found("/opt/conda/ssl/cacert.pem");
    assert_eq!(by_variable.fixes[0].command.as_deref(), Some("unset SSL_CERT_FILE"), "{by_variable:#?}");
    assert!(!format!("{:?}", found("/etc/ssl/cert.pem")).contains("SSL_CERT_FILE"));
}

#[test]
fn a_root_that_is_known_by_its_signature() {
    let evidence = |roots: &[&Certificate]| {
        Evidence::of(vec![public_intermediate()], roots).with_host(AZURE, "20.61.7.9")
    };
    let g1 = shipped("DigiCert Global Root CA");
    evidence(&[&g1])
        .fails(&codes::ROOT_NOT_IN_FILE)
        .titled("roots.pem lacks the server's root")
        .shows("needed", "DigiCert Global Root G2, SHA-256")
        .shows("needed", "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F")
        .shows("in_file", "DigiCert Global Root CA, until 2031-11-10")
        .shows("known_in", "the bundle azure-flexible of this tool")
        .shows("known_in", "the public roots of Mozilla")
        .because(
            "has moved to other roots; a file made by older instructions holds only DigiCert Global Root CA",
        )
        .runs("pgtls-check roots export azure-flexible --output azure-roots.pem")
        .sets("sslrootcert", "azure-roots.pem")
        .sets("sslrootcert", "system");
    // A root that others of the provider's servers use now is not called outdated.
    evidence(&[&shipped("Microsoft RSA Root Certificate Authority 2017")])
        .fails(&codes::ROOT_NOT_IN_FILE)
        .because("servers of Azure Database for PostgreSQL Flexible Server end at different roots");
    let other = Authority::root("Another Root");
    evidence(&[&other.certificate]).fails(&codes::ROOT_NOT_IN_FILE).because("none of the roots of");
}

#[test]
fn a_known_name_without_its_signature_is_no_known_root() {
    // Whoever signs his own certificate "below" a public root and sends that root along proves nothing.
    let g2 = shipped("DigiCert Global Root G2");
    let mut named = params("DigiCert Global Root G2", true);
    named.distinguished_name = rcgen::DistinguishedName::new();
    named.distinguished_name.push(DnType::CountryName, "US");
    named.distinguished_name.push(DnType::OrganizationName, "DigiCert Inc");
    named.distinguished_name.push(DnType::OrganizationalUnitName, "www.digicert.com");
    named.distinguished_name.push(DnType::CommonName, "DigiCert Global Root G2");
    let imitation = Authority::root_with(named);
    let mut own = params(HOST, false);
    own.use_authority_key_identifier_extension = false;
    let forged = imitation.issue(own).certificate;
    let other = Authority::root("Another Root");
    let found = crate::diagnose::diagnose(Evidence::of(vec![forged.clone(), g2], &[&other.certificate]));
    assert_ne!(found.diagnosis.unwrap().code, &codes::ROOT_NOT_IN_FILE);
    Evidence::of(vec![forged], &[&other.certificate]).fails(&codes::UNKNOWN_ISSUER);
}

#[test]
fn a_root_of_this_machine_is_known_too() {
    let (chain, other) = (Chain::honest(), Authority::root("Another Root"));
    let evidence = || {
        Evidence::of(chain.sent(), &[&other.certificate])
            .with(|evidence| evidence.system_roots = Some(store(&[&chain.root.certificate])))
    };
    evidence().fails(&codes::ROOT_NOT_IN_FILE).shows("needed", "Test Root").sets("sslrootcert", "system");
    let found = evidence()
        .with_settings(|settings| settings.sslmode = SslMode::VerifyCa)
        .fails(&codes::ROOT_NOT_IN_FILE)
        .sets("sslmode", "verify-full");
    assert!(
        found
            .diagnosis
            .fixes
            .iter()
            .flat_map(|fix| &fix.settings)
            .all(|(k, v)| *k != "sslmode" || v == "verify-full")
    );
}

#[test]
fn an_intermediate_that_is_not_sent() {
    let root = Authority::root("Test Root");
    let issuing = root.intermediate("Test Issuing CA 1");
    let leaf = issuing.server(HOST);
    Evidence::of(vec![leaf.clone()], &[&root.certificate])
        .fails(&codes::INTERMEDIATE_MISSING)
        .titled("the server does not send the intermediate Test Issuing CA 1")
        .shows("missing", "CN=Test Issuing CA 1")
        .advises("ssl_cert_file");
    Evidence::of(vec![leaf.clone()], &[&root.certificate, &issuing.certificate]).verified();
    Evidence::of(vec![leaf, issuing.certificate.clone()], &[&root.certificate]).verified();

    // The organisation of a root in the file speaks for an intermediate, unless the name says root.
    let organised = |name: &str| {
        let mut of = params(name, true);
        of.distinguished_name.push(DnType::OrganizationName, "Example Corp");
        of
    };
    let root = Authority::root_with(organised("Example Root"));
    let middle = root.issue(organised("Example Three"));
    Evidence::of(vec![middle.server(HOST)], &[&root.certificate])
        .fails(&codes::INTERMEDIATE_MISSING)
        .because("same organisation as Example Root");
    let renewed = Authority::root_with(organised("Example Root 2"));
    Evidence::of(vec![renewed.server(HOST)], &[&root.certificate]).fails(&codes::UNKNOWN_ISSUER);
}

#[test]
fn an_intermediate_of_before_its_renewal() {
    let root = Authority::root("Test Root");
    let (old, renewed) = (root.intermediate("Test Issuing CA"), root.intermediate("Test Issuing CA"));
    let leaf = renewed.server(HOST);
    let found = Evidence::of(vec![leaf.clone(), old.certificate.clone()], &[&root.certificate])
        .fails(&codes::INTERMEDIATE_MISSING)
        .titled("the server sends another Test Issuing CA than the one that issued the certificate")
        .shows("sent_instead", &old.certificate.fingerprint())
        .because("their keys differ")
        .advises("on the server, in the file of ssl_cert_file: replace certificate 2, Test Issuing CA");
    found.runs("cat leaf.crt intermediate.crt > server.crt");
    // Another one beside it is of another name, and of no matter.
    let stray = root.intermediate("Test Policy CA").certificate;
    Evidence::of(vec![leaf, stray], &[&root.certificate])
        .fails(&codes::INTERMEDIATE_MISSING)
        .titled("the server does not send the intermediate Test Issuing CA");
}

/// CAs that are made one an instance have one common name, and differ in what stands beside it.
#[test]
fn another_ca_of_the_same_common_name() {
    let of = |kind: DnType, value: &str| {
        let mut of = params("Instance Server CA", true);
        of.distinguished_name.push(kind, value);
        Authority::root_with(of)
    };
    let qualifier = || DnType::CustomDnType(vec![2, 5, 4, 46]);
    let pairs = [
        (of(qualifier(), "first"), of(qualifier(), "second"), "dnQualifier=second"),
        (
            of(DnType::OrganizationalUnitName, "Production"),
            of(DnType::OrganizationalUnitName, "Staging"),
            "OU=Staging",
        ),
    ];
    for (served, held, shown) in pairs {
        Evidence::of(vec![served.server(HOST)], &[&held.certificate])
            .fails(&codes::UNKNOWN_ISSUER)
            .titled(
                "roots.pem has another CA named Instance Server CA than the one that issued the certificate",
            )
            .shows("in_file", shown)
            .because("differ in the rest of their names");
    }
    let served = of(qualifier(), "first");
    Evidence::of(vec![served.server(HOST)], &[&served.certificate]).verified();
}

/// Whatever chain the server will send once it is mended, no path can end in such a file.
#[test]
fn a_root_file_that_has_expired_is_told_before_a_chain_ends_in_it() {
    let dated = |until| {
        let mut of = params("Test Root", true);
        of.not_after = until;
        Authority::root_with(of)
    };
    let (expired, current) = (dated(date_time_ymd(2026, 6, 1)), dated(date_time_ymd(2030, 1, 1)));
    let leaf = expired.intermediate("Test Issuing CA").server(HOST);
    let also = |evidence: Evidence| {
        let found = evidence.fails(&codes::INTERMEDIATE_MISSING);
        found.outcome.also.iter().map(|other| other.code.name).collect::<Vec<_>>()
    };
    let evidence = |roots: &[&Certificate]| Evidence::of(vec![leaf.clone()], roots);
    assert_eq!(also(evidence(&[&expired.certificate])), ["root-expired"]);
    assert!(also(evidence(&[&expired.certificate, &current.certificate])).is_empty());
    evidence(&[&expired.certificate])
        .fails(&codes::INTERMEDIATE_MISSING)
        .shows("in_file", "Test Root, expired 2026-06-01");
}

#[test]
fn a_self_signed_certificate() {
    let own = Authority::root_with(params(HOST, false)).certificate;
    let other = Authority::root("Another Root");
    Evidence::of(vec![own.clone()], &[&other.certificate])
        .fails(&codes::SELF_SIGNED)
        .shows("sha256", &own.fingerprint())
        .runs("openssl x509 -noout -fingerprint -sha256")
        .because("do not save what the server just sent");
    Evidence::of(vec![own.clone()], &[&own]).verified();
}

/// Where the clients have a CA of their own, the certificate comes from that and not from another one.
#[test]
fn in_the_place_of_an_installations_certificate_comes_one_of_the_ca_that_clients_have() {
    let own = Authority::root_with(params("vm-7", false)).certificate;
    let held = Authority::root("Company Root");
    let found = Evidence::of(vec![own.clone()], &[&held.certificate])
        .with_host("db.corp.example", "203.0.113.7")
        .fails(&codes::SELF_SIGNED)
        .advises("issued by Company Root, of the clients' root file")
        .runs("'subjectAltName = DNS:db.corp.example'")
        .diagnosis;
    assert!(!format!("{:?}", found.fixes).contains("CN=PostgreSQL CA"), "{:#?}", found.fixes);
}

/// An error in a name of the certificate does not get into the next one; of one that was just issued it is the first suspect.
#[test]
fn a_typing_error_in_the_certificate_is_not_issued_again() {
    let root = Authority::root("Test Root");
    let found = |since| {
        let mut leaf = params("db.exmaple.com", false);
        leaf.not_before = since;
        let evidence = Evidence::of(vec![root.issue(leaf).certificate], &[&root.certificate]);
        let evidence = evidence.with_host("db.example.com", "203.0.113.7").with_settings(|_| {});
        let found = evidence
            .fails(&codes::HOSTNAME_MISMATCH)
            .runs("'subjectAltName = DNS:db.example.com'")
            .runs("/CN=db.example.com");
        found.sets("host", "db.exmaple.com").diagnosis
    };
    let new = found(date_time_ymd(2026, 11, 20));
    assert!(new.fixes[0].text.contains("db.example.com in the place of db.exmaple.com"), "{:#?}", new.fixes);
    assert!(new.cause.contains("probably the error is in it"), "{}", new.cause);
    let old = found(date_time_ymd(2026, 4, 4));
    assert!(old.fixes[0].text.starts_with("compare host"), "{:#?}", old.fixes);
}

/// Where a tunnel was meant, what an installation created is this machine's own server.
#[test]
fn a_self_signed_certificate_of_another_name_through_this_machine() {
    let own = Authority::root_with(params("laptop", false)).certificate;
    let other = Authority::root("Another Root");
    let evidence = |to| Evidence::of(vec![own.clone()], &[&other.certificate]).with_host(HOST, to);
    let found = evidence("127.0.0.1").fails(&codes::SELF_SIGNED).because("and not the tunnel that was meant");
    let [fix] = found.diagnosis.fixes.as_slice() else { panic!("{:#?}", found.diagnosis.fixes) };
    assert!(fix.text.contains("start the tunnel on another port"), "{fix:?}");
    let elsewhere = evidence("203.0.113.7").fails(&codes::SELF_SIGNED).diagnosis;
    assert!(!format!("{elsewhere:?}").contains("tunnel"), "{elsewhere:#?}");
}

#[test]
fn the_same_name_with_another_key() {
    let (chain, renewed) = (Chain::honest(), Authority::root("Test Root"));
    Evidence::of(chain.sent(), &[&renewed.certificate])
        .fails(&codes::ROOT_KEY_CHANGED)
        .shows("in_file", &renewed.certificate.fingerprint())
        .shows("name", "Test Root")
        .advises("do not trust this connection");
    let mut sent = chain.sent();
    sent.push(chain.root.certificate.clone());
    Evidence::of(sent, &[&renewed.certificate])
        .fails(&codes::ROOT_KEY_CHANGED)
        .shows("used", &chain.root.certificate.fingerprint());
    Evidence::of(chain.sent(), &[&renewed.certificate, &chain.root.certificate]).verified();
}

#[test]
fn a_file_without_its_root() {
    let chain = Chain::honest();
    Evidence::of(chain.sent(), &[&chain.intermediate.certificate])
        .fails(&codes::ROOT_FILE_LACKS_ROOT)
        .titled("the file holds the intermediate certificate Test Middle without its root")
        .shows("needed", "Test Root");
    Evidence::of(vec![public_intermediate()], &[&public_intermediate()])
        .fails(&codes::ROOT_FILE_LACKS_ROOT)
        .shows("needed", "DigiCert Global Root G2, SHA-256 CB3CCBB7");
    Evidence::of(chain.sent(), &[&chain.intermediate.certificate, &chain.root.certificate]).verified();
    // Even if the server sends everything, its own certificate in the file is no anchor.
    let mut sent = chain.sent();
    sent.push(chain.root.certificate.clone());
    Evidence::of(sent, &[&chain.leaf])
        .fails(&codes::ROOT_FILE_LACKS_ROOT)
        .titled("the file holds the server certificate db.example without its root")
        .because("is not its CA's")
        .shows("needed", &chain.root.certificate.fingerprint());
}

#[test]
fn an_inspecting_proxy() {
    let proxy = Authority::root("Zscaler Root CA");
    let other = Authority::root("Another Root");
    let sent = vec![proxy.server(AZURE)];
    Evidence::of(sent.clone(), &[&other.certificate])
        .with_host(AZURE, "20.61.7.9")
        .fails(&codes::TLS_INSPECTION)
        .titled("Zscaler answers instead of the server")
        .shows("issued_by", "CN=Zscaler Root CA")
        .shows("expected", "Azure")
        .advises("exempted");
    // Trusted by the file it is what libpq accepts.
    Evidence::of(sent, &[&proxy.certificate]).with_host(AZURE, "20.61.7.9").with_settings(|_| {}).verified();
}

#[test]
fn names_that_do_not_fit() {
    let chain = Chain::honest();
    let evidence = |host: &str, to: &str| {
        let server = chain.intermediate.server("mydemo.postgres.database.azure.com");
        Evidence::of(vec![server, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
            .with_host(host, to)
            .with_settings(|_| {})
    };
    evidence("localhost", "127.0.0.1")
        .fails(&codes::HOSTNAME_MISMATCH)
        .titled("the certificate is not valid for \"localhost\"")
        .because("through this machine (127.0.0.1), so it is probably a tunnel")
        .shows("expected", "localhost")
        .shows("certificate_names", "mydemo.postgres.database.azure.com")
        .shows("closest", "mydemo.postgres.database.azure.com")
        .sets("host", "mydemo.postgres.database.azure.com")
        .sets("hostaddr", "127.0.0.1");
    evidence("20.61.7.9", "20.61.7.9")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("host is an address")
        .sets("host", "mydemo.postgres.database.azure.com")
        .sets("hostaddr", "20.61.7.9");
    evidence("mydeno.postgres.database.azure.com", "20.61.7.9")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("by a letter or two")
        .sets("host", "mydemo.postgres.database.azure.com")
        .first_sets_no("host");
    evidence("db.company.example", "20.61.7.9")
        .with_attempt(|attempt| {
            attempt.canonical_name = Some("mydemo.postgres.database.azure.com".to_owned())
        })
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("alias (CNAME)")
        .sets("host", "mydemo.postgres.database.azure.com");
    evidence("mydemo.postgres.database.azure.com.", "20.61.7.9")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("final dot")
        .sets("host", "mydemo.postgres.database.azure.com");
    evidence("db.internal", "10.0.4.5")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("10.0.4.5:5432 leads to mydemo.postgres.database.azure.com, not to db.internal")
        .because("private")
        .sets("hostaddr", "10.0.4.5")
        .first_sets_no("host");
    // A name without a dot is some network's own word for the server.
    evidence("db", "10.0.4.5")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("a name of this network or machine only")
        .sets("host", "mydemo.postgres.database.azure.com");
}

#[test]
fn a_wildcard_a_short_name_and_a_pooler_are_told_from_another_server() {
    let chain = Chain::honest();
    let evidence = |named: &str, host: &str, port: u16| {
        let server = chain.intermediate.server(named);
        let evidence =
            Evidence::of(vec![server, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
                .with_host(host, "10.0.4.5")
                .with_settings(|settings| settings.hosts[0].port = Ok(port));
        evidence.fails(&codes::HOSTNAME_MISMATCH)
    };
    for (host, words) in
        [("a.b.db.example", "a.b.db.example has 2 labels there"), ("db.example", "is that domain itself")]
    {
        evidence("*.db.example", host, 5432)
            .because("the wildcard *.db.example stands for exactly one label")
            .because(words)
            .runs(&format!("DNS:{host}"))
            .first_sets_no("host");
    }
    evidence("db01", "db01.corp.example", 5432)
        .because("the short name db01 alone, without the domain corp.example")
        .runs("DNS:db01.corp.example")
        .sets("host", "db01")
        .first_sets_no("host");
    let found = evidence("localhost", "orders.example", 5432)
        .because("for localhost alone")
        .runs("DNS:orders.example");
    assert!(found.diagnosis.fixes.iter().all(|fix| !fix.names("host")), "{:?}", found.diagnosis.fixes);
    evidence("bouncer.example", "orders.example", 6432)
        .because("port 6432 is usually PgBouncer's")
        .runs("sudo systemctl reload pgbouncer")
        .sets("host", "bouncer.example")
        .first_sets_no("host");
    // One beside the name that was asked for is the server's own word as well.
    for (named, asked, port) in [
        ("db.corp.example", "pool.corp.example", 6432),
        ("db.corp.example", "pool.corp.example", 15432),
        ("db.x.example", "pool.y.example", 6543),
    ] {
        evidence(named, asked, port).sets("host", named).first_sets_no("host");
    }
}

#[test]
fn dates() {
    let chain = Chain::honest();
    let dated = |from, until| {
        let mut dated = params(HOST, false);
        (dated.not_before, dated.not_after) = (from, until);
        let leaf = chain.intermediate.issue(dated).certificate;
        Evidence::of(vec![leaf, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
    };
    dated(date_time_ymd(2026, 1, 1), date_time_ymd(2026, 11, 20))
        .fails(&codes::CERTIFICATE_EXPIRED)
        .titled("the server certificate expired on 2026-11-20")
        .shows("days_past", "5")
        .runs("pg_reload_conf");
    // PostgreSQL may have a new one: the pooler's file is another.
    let pooler = dated(date_time_ymd(2026, 1, 1), date_time_ymd(2026, 11, 20))
        .with_settings(|settings| settings.hosts[0].port = Ok(6432))
        .fails(&codes::CERTIFICATE_EXPIRED)
        .runs("client_tls_(cert|key)_file")
        .diagnosis;
    assert!(!format!("{:?}", pooler.fixes).contains("pg_reload_conf"), "{:#?}", pooler.fixes);
    dated(date_time_ymd(2026, 12, 1), date_time_ymd(2027, 11, 20))
        .fails(&codes::CERTIFICATE_NOT_YET_VALID)
        .titled("the server certificate is not valid before 2026-12-01")
        .shows("days_ahead", "5");
    dated(date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1)).verified();
}

/// It is mounted where nobody can write, and is of no use for PostgreSQL.
#[test]
fn the_ca_of_kubernetes_is_left_alone() {
    let path = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    let api = Authority::root("kubernetes");
    let fixes = |attributes: &[(DnType, &str)]| {
        let mut ca = params("x", true);
        ca.distinguished_name = named(attributes);
        let leaf = Authority::root_with(ca).server("shop-rw.web.svc");
        Evidence::of(vec![leaf], &[&api.certificate])
            .with_host("shop-rw.web.svc", "10.96.0.7")
            .with_trust(|trust| {
                let mut roots = store(&[&api.certificate]);
                roots.source = RootSource::Given(path.into());
                trust.roots = Roots::Loaded(roots);
            })
            .fails(&codes::UNKNOWN_ISSUER)
            .because("the CA of the Kubernetes API")
            .diagnosis
            .fixes
    };
    let of_operator = fixes(&[(DnType::OrganizationalUnitName, "web"), (DnType::CommonName, "shop")]);
    let of_another = fixes(&[(DnType::CommonName, "Own Root")]);
    for (fixes, command) in [
        (&of_operator, "kubectl -n web get secret shop-ca -o"),
        (&of_another, "kubectl -n web get secret SECRET -o"),
    ] {
        assert!(fixes[0].command.as_deref().unwrap().contains(command), "{fixes:#?}");
        assert!(fixes.iter().all(|fix| !format!("{fix:?}").contains(">> ")), "{fixes:#?}");
    }
}

/// Two nodes of a list differ by a letter, and neither name is a typing error.
#[test]
fn a_node_with_the_certificate_of_another_host_of_the_list() {
    for (asked, other) in [("pg1.example", "pg2.example"), ("alpha.example", "omega.example")] {
        let root = Authority::root("Own Root");
        let found = |hosts: &[&str]| {
            Evidence::of(vec![root.server(other)], &[&root.certificate])
                .with_host(asked, "10.3.0.22")
                .with_settings(|settings| {
                    for host in hosts {
                        let mut another = settings.hosts[0].clone();
                        another.name = crate::conninfo::testing::value("host", host);
                        settings.hosts.push(another);
                    }
                })
                .fails(&codes::HOSTNAME_MISMATCH)
        };
        let fixes = found(&[other]).because("another host of the same string").diagnosis.fixes;
        assert!(
            fixes[0].command.as_deref().unwrap().contains(&format!("DNS:{other}, DNS:{asked}")),
            "{fixes:#?}"
        );
        assert!(fixes.iter().all(|fix| fix.settings.is_empty()), "{fixes:#?}");
        assert!(!found(&[]).diagnosis.cause.contains("of the same string"));
    }
}

/// Its CA's administrator is nobody whom the reader could ask.
#[test]
fn an_acme_client_renews_what_it_was_issued() {
    for organisation in ["Let's Encrypt", "(STAGING) Let's Encrypt", "ZeroSSL"] {
        let mut ca = params("Issuing CA E7", true);
        ca.distinguished_name =
            named(&[(DnType::OrganizationName, organisation), (DnType::CommonName, "Issuing CA E7")]);
        let root = Authority::root("Some Root");
        let ca = root.issue(ca);
        let of = |name, until| {
            let mut leaf = params(name, false);
            leaf.not_after = until;
            let sent = vec![ca.issue(leaf).certificate, ca.certificate.clone()];
            Evidence::of(sent, &[&root.certificate])
        };
        let expired = of(HOST, date_time_ymd(2026, 11, 20)).fails(&codes::CERTIFICATE_EXPIRED);
        let fixes = &expired.diagnosis.fixes;
        assert!(fixes[0].command.as_deref().unwrap().contains("\ncertbot renew\n"), "{fixes:#?}");
        assert!(fixes.iter().all(|fix| !format!("{fix:?}").contains("ca.key")), "{fixes:#?}");
        // The intermediate comes with the certificate, in one of the client's files.
        let evidence = of(HOST, date_time_ymd(2027, 1, 1)).with_attempt(|attempt| {
            attempt.tls.as_mut().unwrap().result.chain.truncate(1);
        });
        let missing = evidence.with_settings(|_| {}).fails(&codes::INTERMEDIATE_MISSING);
        let first = &missing.diagnosis.fixes[0];
        assert!(first.text.contains("fullchain.pem in the place of cert.pem"), "{first:#?}");
        assert!(!first.command.as_deref().unwrap().contains("renew\n"), "{first:#?}");
        of("other.example", date_time_ymd(2027, 1, 1))
            .fails(&codes::HOSTNAME_MISMATCH)
            .runs("certbot certonly --expand -d other.example -d db.example\n");
    }
}

#[test]
fn an_expired_certificate_under_a_wrong_name_is_named_beside_it() {
    let chain = Chain::honest();
    let mut old = params("other.example", false);
    old.not_after = date_time_ymd(2026, 11, 20);
    let leaf = chain.intermediate.issue(old).certificate;
    Evidence::of(vec![leaf, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
        .fails(&codes::CERTIFICATE_EXPIRED)
        .also(&[&codes::HOSTNAME_MISMATCH]);
}

#[test]
fn the_node_that_answers_is_named_by_its_certificate() {
    let of = |subject: &str, other: &str| {
        let chain = Chain::honest();
        let mut old = params(subject, false);
        old.not_after = date_time_ymd(2026, 11, 20);
        old.subject_alt_names =
            [subject, other].map(|name| rcgen::SanType::DnsName(name.try_into().unwrap())).to_vec();
        let leaf = chain.intermediate.issue(old).certificate;
        let sent = vec![leaf, chain.intermediate.certificate.clone()];
        Evidence::of(sent, &[&chain.root.certificate]).fails(&codes::CERTIFICATE_EXPIRED)
    };
    of("node2.example", HOST)
        .because("by its name node2.example answers: another server behind db.example may");
    for subject in [HOST, "*.example", "Orders"] {
        let found = of(subject, HOST);
        assert!(!found.diagnosis.cause.contains("answers"), "{}", found.diagnosis.cause);
    }
}

#[test]
fn a_wrong_clock_is_suspected_where_it_shows() {
    let at = |year| {
        Evidence::healthy().with(|evidence| {
            let moment = Timestamp::from_utc(year, 1, 1, 0, 0, 0).unwrap();
            (evidence.started, evidence.judged_at) = (moment, moment);
        })
    };
    at(1970)
        .with_settings(|_| {})
        .fails(&codes::CERTIFICATE_NOT_YET_VALID)
        .because("1970-01-01T00:00:00Z, which is probably wrong")
        .advises("1970-01-01");
    let found = at(2040).with_settings(|_| {});
    let found = crate::diagnose::diagnose(found).diagnosis.unwrap();
    assert!(
        found.code == &codes::ROOT_EXPIRED && found.fixes.iter().any(|fix| fix.text.contains("clock")),
        "{found:#?}"
    );
    // --as-of says nothing about the clock.
    let found = at(2040).with(|evidence| evidence.started = now()).with_settings(|_| {});
    let found = crate::diagnose::diagnose(found).diagnosis.unwrap();
    assert!(found.fixes.iter().all(|fix| !fix.text.contains("clock")), "{found:#?}");
}

#[test]
fn a_root_that_ended() {
    let mut old = params("Old Root", true);
    old.not_after = date_time_ymd(2026, 6, 1);
    let root = Authority::root_with(old);
    let leaf = root.server(HOST);
    Evidence::of(vec![leaf], &[&root.certificate])
        .fails(&codes::ROOT_EXPIRED)
        .titled("the root Old Root in the root file expired on 2026-06-01")
        .shows("days_past", "177")
        .shows("in_file", "/etc/ssl/roots.pem, line 1");
}

/// The path goes through the client's own file before it goes through what the server sends.
#[test]
fn an_intermediate_of_the_root_file_is_the_files_fault() {
    let (root, key) = (Authority::root("Test Root"), || crate::demo::pki::key().unwrap());
    let of_days = |key, until| {
        let mut dated = params("Test Middle", true);
        dated.not_after = until;
        root.issue_for(key, dated)
    };
    let (shared, expired) = (key(), date_time_ymd(2026, 6, 1));
    let again = rcgen::KeyPair::try_from(shared.serialize_der()).unwrap();
    let (old, current) = (of_days(shared, expired), of_days(again, date_time_ymd(2030, 1, 1)));
    let leaf = current.server(HOST);
    let file: [&Certificate; 2] = [&root.certificate, &old.certificate];
    let at_first = |evidence: Evidence| {
        let found = evidence.fails(&codes::CERTIFICATE_EXPIRED);
        let diagnosis = &found.diagnosis;
        assert_eq!(diagnosis.title, "the intermediate Test Middle of the root file expired on 2026-06-01");
        assert!(diagnosis.fixes.iter().all(|fix| !fix.text.contains("server.crt")), "{diagnosis:#?}");
        found.shows("in_file", "/etc/ssl/roots.pem, line 26").shows("days_past", "177")
    };
    let sends_its_own = Evidence::of(vec![leaf.clone(), current.certificate.clone()], &file);
    let found = at_first(sends_its_own).shows("sent", "another Test Middle, valid until 2030-01-01");
    let first = &found.diagnosis.fixes[0];
    assert!(first.text.starts_with("here, in /etc/ssl/roots.pem: remove"), "{first:?}");
    assert_eq!(first.tried, Some(crate::diagnose::Trial::Works));
    assert_eq!(found.diagnosis.fixes.len(), 1);
    // Removed, it would be missing.
    let found = at_first(Evidence::of(vec![leaf.clone()], &file));
    let first = &found.diagnosis.fixes[0];
    assert!(first.text.contains("put the current certificate of Test Middle in the place"), "{first:?}");
    assert!(first.tried.is_none());
    found.runs("sed -i.bak '26,/-----END [A-Z ]*CERTIFICATE-----/d' /etc/ssl/roots.pem && cat new-ca.crt");
    // What the server sends as well has to go in both places.
    let both = Evidence::of(vec![leaf, old.certificate.clone()], &file).fails(&codes::CERTIFICATE_EXPIRED);
    both.titled("the intermediate Test Middle expired on 2026-06-01")
        .runs("pg_reload_conf")
        .advises("here too: /etc/ssl/roots.pem, line 26: replace the same certificate there");
    // Other faults of such a certificate are told in the same way.
    let no_ca = root.issue(params("No CA", false));
    let file: [&Certificate; 2] = [&root.certificate, &no_ca.certificate];
    Evidence::of(vec![no_ca.server(HOST)], &file)
        .fails(&codes::CERTIFICATE_PURPOSE)
        .titled("the intermediate No CA of the root file is not a CA and may not issue certificates")
        .advises("here, in /etc/ssl/roots.pem: put the current certificate of No CA");
}

#[test]
fn purposes() {
    let chain = Chain::honest();
    let evidence = |change: fn(&mut rcgen::CertificateParams)| {
        let mut changed = params(HOST, false);
        change(&mut changed);
        let leaf = chain.intermediate.issue(changed).certificate;
        Evidence::of(vec![leaf, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
    };
    evidence(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
        .fails(&codes::CERTIFICATE_PURPOSE)
        .shows("constraint", "clientAuth, without serverAuth");
    evidence(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign])
        .fails(&codes::CERTIFICATE_PURPOSE)
        .shows("constraint", "cRLSign");
    evidence(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]).verified();

    let root = Authority::root("Test Root");
    let no_ca = root.issue(params("No CA", false));
    Evidence::of(vec![no_ca.server(HOST), no_ca.certificate.clone()], &[&root.certificate])
        .fails(&codes::CERTIFICATE_PURPOSE)
        .titled("the intermediate No CA is not a CA and may not issue certificates");

    let mut short = params("Short Root", true);
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = Authority::root_with(params("Long Root", true));
    let first = root.issue(short);
    let second = first.intermediate("Second");
    let sent = vec![second.server(HOST), second.certificate.clone(), first.certificate.clone()];
    Evidence::of(sent, &[&root.certificate])
        .fails(&codes::CERTIFICATE_PURPOSE)
        .shows("constraint", "pathlen:0");
}

#[test]
fn names_that_a_ca_may_not_certify() {
    let constrained = |permitted: &str| {
        let mut limited = params("Limited", true);
        limited.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(permitted.to_owned())],
            excluded_subtrees: vec![],
        });
        let root = Authority::root("Test Root");
        let limited = root.issue(limited);
        Evidence::of(vec![limited.server(HOST), limited.certificate.clone()], &[&root.certificate])
    };
    constrained("other.example")
        .fails(&codes::CERTIFICATE_NAME_CONSTRAINTS)
        .shows("name", HOST)
        .shows("constraint", "other.example");
    constrained("example").verified();
}

#[test]
fn weak_and_broken() {
    // A signature that is not the issuer's, with the key identifiers of the honest one.
    let chain = Chain::honest();
    let mut der = chain.leaf.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let damaged = Certificate::from_der(&der);
    Evidence::of(vec![damaged, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
        .fails(&codes::CERTIFICATE_INVALID)
        .titled("the signature on the server certificate is invalid");
    Evidence::of(vec![Certificate::from_der(b"0\x03\x02\x01\x00")], &[&chain.root.certificate])
        .fails(&codes::CERTIFICATE_INVALID)
        .titled("the server certificate cannot be decoded");
    Evidence::of(Vec::new(), &[&chain.root.certificate])
        .fails(&codes::CERTIFICATE_INVALID)
        .titled("the server sent no certificate");
    let critical = {
        let mut odd = params(HOST, false);
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        odd.custom_extensions = vec![extension];
        chain.intermediate.issue(odd).certificate
    };
    Evidence::of(vec![critical, chain.intermediate.certificate.clone()], &[&chain.root.certificate])
        .fails(&codes::CERTIFICATE_INVALID)
        .shows("what", "1.2.3.4");
}

#[test]
fn a_weak_key() {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509NameBuilder};
    let key = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", HOST).unwrap();
    let name = name.build();
    let mut draft = X509::builder().unwrap();
    draft.set_subject_name(&name).unwrap();
    draft.set_issuer_name(&name).unwrap();
    draft.set_pubkey(&key).unwrap();
    draft.set_not_before(&Asn1Time::from_str("20250101000000Z").unwrap()).unwrap();
    draft.set_not_after(&Asn1Time::from_str("20350101000000Z").unwrap()).unwrap();
    draft.sign(&key, MessageDigest::sha256()).unwrap();
    let weak = Certificate::from_der(&draft.build().to_der().unwrap());
    Evidence::of(vec![weak.clone()], &[&weak])
        .fails(&codes::CERTIFICATE_WEAK)
        .shows("weak", "RSA 1024")
        .shows("needed", "2048");
}

fn crl_of(authority: &Authority, revoked: &[&Certificate], next_update: (i32, u8, u8)) -> FileCrl {
    let crl = authority.crl(revoked, next_update);
    FileCrl { crl, file: PathBuf::from("/etc/ssl/root.crl"), line: 1 }
}

#[test]
fn revocation() {
    let chain = Chain::honest();
    let evidence = |lists: Vec<FileCrl>, directory: Option<CrlDirectory>| {
        Evidence::of(chain.sent(), &[&chain.root.certificate]).with_trust(|trust| {
            trust.revocation = Revocation::On { lists, directories: Vec::new(), directory }
        })
    };
    let next = (2027, 1, 1);
    let of_root = || crl_of(&chain.root, &[], next);
    evidence(vec![of_root(), crl_of(&chain.intermediate, &[], next)], None).verified();
    evidence(vec![of_root(), crl_of(&chain.intermediate, &[&chain.leaf], next)], None)
        .fails(&codes::CERTIFICATE_REVOKED)
        .titled("the server certificate was revoked on 2026-02-03")
        .shows("reason", "keyCompromise")
        .shows("serial", &chain.leaf.facts().unwrap().serial_hex())
        .shows("list", "/etc/ssl/root.crl, line 1");
    evidence(vec![of_root()], None)
        .fails(&codes::CRL_MISSING)
        .shows("issuer", "CN=Test Middle")
        .shows("crl_files", "/etc/ssl/root.crl");
    let directory = |state| Some(CrlDirectory { path: PathBuf::from("/etc/ssl/crls"), state });
    evidence(vec![], directory(CrlDirectoryState::NotHashed))
        .fails(&codes::CRL_MISSING)
        .shows("directory", "not named by hash")
        .runs("openssl rehash /etc/ssl/crls");
    evidence(vec![], directory(CrlDirectoryState::Missing))
        .fails(&codes::CRL_MISSING)
        .shows("directory", "does not exist");
    evidence(vec![of_root(), crl_of(&chain.intermediate, &[], (2026, 11, 1))], None)
        .fails(&codes::CRL_INVALID)
        .shows("due", "2026-11-01")
        .shows("issuer", "CN=Test Middle")
        .shows("path", "/etc/ssl/root.crl");
}

#[test]
fn what_else_would_be_wrong_at_another_date_or_under_another_name() {
    let chain = Chain::honest();
    let issue = |change: fn(&mut rcgen::CertificateParams)| {
        let mut params = params(HOST, false);
        change(&mut params);
        vec![chain.intermediate.issue(params).certificate, chain.intermediate.certificate.clone()]
    };
    let past = |params: &mut rcgen::CertificateParams| params.not_after = date_time_ymd(2026, 10, 1);
    let roots = [&chain.root.certificate];
    Evidence::of(issue(past), &roots)
        .fails(&codes::CERTIFICATE_EXPIRED)
        .shows("otherwise", "nothing else is wrong: on 2026-09-30");
    Evidence::of(issue(past), &roots)
        .with_host("other.example", "203.0.113.7")
        .fails(&codes::CERTIFICATE_EXPIRED)
        .shows("otherwise", "a second fault");
    let future = |params: &mut rcgen::CertificateParams| params.not_before = date_time_ymd(2026, 12, 1);
    Evidence::of(issue(future), &roots)
        .fails(&codes::CERTIFICATE_NOT_YET_VALID)
        .shows("otherwise", "on 2026-12-01 it would have verified");
    let nameless = |params: &mut rcgen::CertificateParams| params.subject_alt_names.clear();
    Evidence::of(issue(nameless), &roots)
        .with_host("localhost", "127.0.0.1")
        .fails(&codes::HOSTNAME_MISMATCH)
        .sets("host", HOST)
        .shows("strict_clients", "the host is not in subjectAltName");
}

#[test]
fn a_dot_at_the_end_is_named_on_either_side() {
    let own = Authority::root("Own Root");
    let evidence = |name: &str, asked: &str| {
        Evidence::of(vec![own.server(name)], &[&own.certificate]).with_host(asked, "203.0.113.7")
    };
    evidence("db.example", "db.example.")
        .fails(&codes::HOSTNAME_MISMATCH)
        .because("the final dot")
        .sets("host", "db.example");
    evidence("db.example.", "db.example").fails(&codes::HOSTNAME_MISMATCH).because("ends with a dot");
}

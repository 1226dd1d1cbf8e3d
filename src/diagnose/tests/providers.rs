//! What each provider's row says of a failure stands among the fixes of that failure there.

use std::io::ErrorKind;

use super::fixtures::*;
use crate::conninfo::SslMode;
use crate::diagnose::{Code, codes};
use crate::evidence::{
    Closure, DnsFailure, Evidence, NegotiateResult, OsFailure, Resolution, TcpResult, TlsFailure,
};
use crate::provider::{PROVIDERS, Situation, bundle};
use crate::trust::Roots;

/// Evidence of a situation at a host, and the code it is.
fn staged(host: &str, situation: Situation) -> (Evidence, &'static Code) {
    let public = "20.61.7.9";
    let at = || Evidence::at(host, public);
    let own = Authority::root("Own Root");
    match situation {
        Situation::NameNotFound | Situation::InternalName | Situation::DirectAway => {
            let text = "Name or service not known".to_owned();
            let failed = Resolution::Failed { kind: DnsFailure::NoSuchName, code: Some(-2), text };
            (at().with_dns(failed), &codes::DNS_NOT_FOUND)
        }
        Situation::NoAnswer
        | Situation::PrivateZoneUnseen
        | Situation::NoAnswerPrivate
        | Situation::NoAnswerOutside
        | Situation::WebAddress => (silent(host, situation), &codes::TCP_TIMEOUT),
        Situation::Unreachable => {
            let text = "Network is unreachable".to_owned();
            let failure = OsFailure { kind: ErrorKind::NetworkUnreachable, code: None, text };
            (Evidence::at(host, "2001:db8::7").with_tcp(TcpResult::Failed(failure)), &codes::TCP_UNREACHABLE)
        }
        Situation::RefusedBeforeTls => {
            (at().with_answer(NegotiateResult::Ended(Closure::Closed)), &codes::NEGOTIATION_CLOSED)
        }
        Situation::NotAdmitted => {
            let message = "no pg_hba.conf entry for host \"198.51.100.9\", user \"app\", database \"orders\", SSL encryption";
            (at().with_error("28000", message), &codes::HBA_REJECTED)
        }
        Situation::NotEncrypted => {
            (at().with_settings(|settings| settings.sslmode = SslMode::Disable), &codes::TLS_NOT_REQUESTED)
        }
        Situation::RoleMissing
        | Situation::PasswordRejected
        | Situation::PasswordReplaced
        | Situation::DatabaseMissing
        | Situation::PoolerFull
        | Situation::NoConnectionsLeft
        | Situation::PoolerIgnores
        | Situation::NoPool => answered(at(), situation),
        Situation::PostgresRejected => {
            let user = crate::conninfo::ParameterValue::of("user", "postgres".into(), false);
            let (evidence, code) = staged(host, Situation::PasswordRejected);
            (evidence.with_settings(|settings| settings.user = user).with_error("28P01", REJECTED), code)
        }
        Situation::PoolerOff => {
            let at = at().with_settings(|settings| settings.hosts[0].port = Ok(6432));
            (at.with_tcp(TcpResult::TimedOut), &codes::TCP_TIMEOUT)
        }
        Situation::NameRetired => {
            let (evidence, code) = staged(host, Situation::NameNotFound);
            let user = format!("app@{}", host.split('.').next().unwrap());
            let user = crate::conninfo::ParameterValue::of("user", user.as_str().into(), false);
            (evidence.with_settings(|settings| settings.user = user), code)
        }
        Situation::NameMismatch => (
            Evidence::of(vec![own.server("other.example")], &[&own.certificate]).with_host(host, public),
            &codes::HOSTNAME_MISMATCH,
        ),
        Situation::ServerNameMissing => {
            (at().with_tls(TlsFailure::AlertReceived(112)), &codes::SNI_UNRECOGNIZED)
        }
        Situation::RootMissing => {
            (at().with_trust(|trust| trust.roots = missing_root()), &codes::ROOT_FILE_MISSING)
        }
        Situation::SelfSigned => {
            let itself = Authority::root_with(params(host, false)).certificate;
            (Evidence::of(vec![itself], &[&own.certificate]).with_host(host, public), &codes::SELF_SIGNED)
        }
        Situation::ClientCertificate => {
            (at().with_tls(TlsFailure::AlertReceived(116)), &codes::CLIENT_CERT_REQUIRED)
        }
    }
}

/// An address that does not answer.
fn silent(host: &str, situation: Situation) -> Evidence {
    let at = |to: &str| Evidence::at(host, to).with_tcp(TcpResult::TimedOut);
    match situation {
        Situation::NoAnswer => at("20.61.7.9"),
        Situation::PrivateZoneUnseen => at("20.61.7.9").with(|evidence| {
            let zone = crate::provider::by_host(host).and_then(|provider| provider.private_zone()).unwrap();
            evidence.resolvers[0].aliases = vec![format!("mydemo.{zone}"), "public.example".to_owned()];
        }),
        Situation::NoAnswerPrivate => at("10.0.4.5"),
        Situation::NoAnswerOutside => {
            at("10.0.4.5").with(|evidence| evidence.own_address = "192.168.178.20".parse().ok())
        }
        Situation::WebAddress => at("172.64.149.246"),
        other => panic!("{other:?}"),
    }
}

/// What a server or pooler answers to a login.
fn answered(at: Evidence, situation: Situation) -> (Evidence, &'static Code) {
    match situation {
        Situation::RoleMissing => {
            (at.with_error("28000", "role \"app\" does not exist"), &codes::ROLE_MISSING)
        }
        Situation::PasswordRejected | Situation::PasswordReplaced => {
            (at.with_error("28P01", REJECTED), &codes::PASSWORD_REJECTED)
        }
        Situation::DatabaseMissing => {
            (at.with_error("3D000", "database \"orders\" does not exist"), &codes::DATABASE_MISSING)
        }
        Situation::PoolerFull => {
            let message = "no more connections allowed (max_client_conn)";
            (at.with_error("08P01", message), &codes::TOO_MANY_CONNECTIONS)
        }
        Situation::NoConnectionsLeft => {
            (at.with_error("53300", "sorry, too many clients already"), &codes::TOO_MANY_CONNECTIONS)
        }
        Situation::PoolerIgnores => {
            (at.with_error("08P01", "unsupported startup parameter: options"), &codes::SERVER_ERROR)
        }
        Situation::NoPool => (at.with_error("08P01", "no such database: orders"), &codes::DATABASE_MISSING),
        other => panic!("{other:?}"),
    }
}

const REJECTED: &str = "password authentication failed for user";

fn missing_root() -> Roots {
    let path = Some("/etc/ssl/roots.pem".into());
    Roots::Missing { path, typed: None, obstacle: None, similar: None }
}

#[test]
fn every_hint_is_given_where_it_belongs() {
    for provider in PROVIDERS {
        for hint in provider.hints {
            // One that only its certificates tell has a test of its own.
            let Some(suffix) = provider.suffixes.first() else {
                assert_eq!(provider.id, "heroku");
                continue;
            };
            let host = format!("mydemo{}", suffix.replace("-*", "-c1").replace('*', "eu-west-1"));
            println!("{}: {:?}", provider.id, hint.at);
            let (evidence, code) = staged(&host, hint.at);
            let found = evidence.fails(code);
            match bundle(provider.id).filter(|_| hint.at == Situation::RootMissing) {
                Some(_) => found.runs(&format!("pgtls-check roots export {} ", provider.id)),
                None => found.advises(hint.text),
            };
        }
    }
}

#[test]
fn a_poolers_name_is_not_replaced_by_itself() {
    for situation in [Situation::NameNotFound, Situation::Unreachable] {
        for (host, is_advised) in
            [("db.abc.supabase.co", true), ("aws-0-eu-west-1.pooler.supabase.com", false)]
        {
            let (evidence, code) = staged(host, situation);
            let fixes = evidence.fails(code).diagnosis.fixes.clone();
            assert_eq!(
                fixes.iter().any(|fix| fix.text.contains("use the pooler's host")),
                is_advised,
                "{host}"
            );
        }
    }
}

#[test]
fn a_name_of_a_private_network_is_not_taken_for_a_mistyped_one() {
    let found = |host: &str| {
        let (evidence, code) = staged(host, Situation::NameNotFound);
        evidence.fails(code)
    };
    let first = |host: &str| found(host).diagnosis.fixes[0].text.clone();
    found("orders.railway.internal").because("resolves inside that network only");
    assert!(first("orders.railway.internal").contains("DATABASE_PUBLIC_URL"));
    found("orders.proxy.rlwy.net").because("mistyped");
    assert!(!first("orders.proxy.rlwy.net").contains("DATABASE_PUBLIC_URL"));
}

/// Whatever fails before PostgreSQL could answer.
#[test]
fn the_name_of_another_database_systems_server_is_told_and_no_other_remedy() {
    for (host, system) in [
        ("shop.database.windows.net", "Microsoft SQL Server"),
        ("shop.MYSQL.database.azure.com", "MySQL or MariaDB"),
        ("cluster0.ab1cd.mongodb.net", "MongoDB"),
        ("shop.redis.cache.windows.net", "Redis"),
        ("shop.documents.azure.com", "Azure Cosmos DB"),
    ] {
        for situation in [Situation::NameNotFound, Situation::NoAnswer, Situation::Unreachable] {
            let (evidence, code) = staged(host, situation);
            let found = evidence.fails(code);
            assert!(format!("{:?}", found.diagnosis.evidence).contains(system), "{host}");
            let [only] = found.diagnosis.fixes.as_slice() else { panic!("{:?}", found.diagnosis.fixes) };
            assert!(only.text.contains(&format!("{system} needs its own client")), "{}", only.text);
        }
    }
    let (evidence, code) = staged("shop.postgres.database.azure.com", Situation::NameNotFound);
    assert!(evidence.fails(code).diagnosis.fixes.len() > 1);
}

/// Its record is no customer's to change.
#[test]
fn the_address_of_a_providers_web_api_is_not_to_be_changed_in_its_dns() {
    let found = |host: &str| {
        let (evidence, code) = staged(host, Situation::WebAddress);
        format!("{:?}", evidence.fails(code).diagnosis.fixes)
    };
    let fixes = found("qwertzuiop.supabase.co");
    assert!(fixes.contains("db.qwertzuiop.supabase.co") && !fixes.contains("in the DNS"), "{fixes}");
    assert!(found("db.example").contains("in the DNS: switch the record"));
}

/// To open a server to the internet is no help for a machine that is in its network.
#[test]
fn a_server_is_made_public_for_a_machine_that_is_outside_alone() {
    let with = |own: Option<&str>, resolver: &str| {
        let (evidence, code) = staged("x.c1.eu-west-1.rds.amazonaws.com", Situation::NoAnswerPrivate);
        let evidence = evidence.with(|evidence| {
            evidence.own_address = own.map(|own| own.parse().unwrap());
            evidence.resolvers[0].address = resolver.to_owned();
        });
        evidence.fails(code).diagnosis.fixes
    };
    let opens = |fix: &crate::diagnose::Fix| {
        fix.command.as_ref().is_some_and(|command| command.contains("--publicly-accessible"))
    };
    for (own, resolver) in [
        (Some("10.0.77.9"), "127.0.0.53"),
        (Some("10.9.0.4"), "10.0.0.2"),
        (Some("10.9.0.4"), "169.254.169.253"),
        (None, "192.0.2.53"),
    ] {
        let fixes = with(own, resolver);
        assert!(fixes.iter().all(|fix| !opens(fix)), "{own:?}, {resolver}: {fixes:#?}");
        assert!(
            fixes[0].command.as_ref().unwrap().contains("authorize-security-group-ingress"),
            "{fixes:#?}"
        );
    }
    // Many a network has its name server at the second address.
    for (own, resolver) in [("192.168.178.20", "192.168.178.1"), ("10.3.0.77", "10.3.0.2")] {
        let fixes = with(Some(own), resolver);
        assert!(!opens(&fixes[0]) && opens(&fixes[1]), "{fixes:#?}");
    }
}

#[test]
fn a_self_signed_certificate_of_heroku_is_not_for_its_customers_to_replace() {
    let host = "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com";
    let own = Authority::root("Own Root");
    let by = |organization: &str| {
        let mut itself = params(host, false);
        itself.distinguished_name.push(rcgen::DnType::OrganizationName, organization);
        let found = Evidence::of(vec![Authority::root_with(itself).certificate], &[&own.certificate])
            .with_host(host, "203.0.113.9")
            .fails(&codes::SELF_SIGNED);
        let command = found.diagnosis.fixes[0].command.clone().unwrap();
        (command, found)
    };
    let (command, found) = by("Heroku, Inc.");
    assert!(
        command.contains(&format!(
            "heroku run -a APP 'openssl s_client -starttls postgres -connect {host}:5432"
        )),
        "{command}"
    );
    assert_eq!(found.diagnosis.fixes.len(), 1);
    // Any machine of the same cloud can be somebody's own.
    let (command, found) = by("Example");
    assert!(command.contains("server.crt"), "{command}");
    found.advises("create a CA");
}

/// A name that exists with a search domain behind it alone.
#[test]
fn a_search_domain_that_has_every_name_is_not_taken_for_the_provider() {
    use crate::evidence::NameServerAnswer;
    let host = "mydemo.postgres.database.azure.com";
    let refused =
        OsFailure { kind: ErrorKind::ConnectionRefused, code: None, text: "Connection refused".to_owned() };
    let found_as = |name: &str, answer: NameServerAnswer| {
        Evidence::at(host, "10.20.0.80")
            .with_tcp(TcpResult::Failed(refused.clone()))
            .with_attempt(|attempt| attempt.canonical_name = Some(name.to_owned()))
            .with(|evidence| evidence.resolvers[0].answer = Some(answer))
    };
    let instead = format!("{host}.corp.example");
    found_as(&instead, NameServerAnswer::NoSuchName)
        .fails(&codes::DNS_NOT_FOUND)
        .because("with the search domain corp.example")
        .shows("found_instead", "10.20.0.80")
        .advises("see whether the server exists");
    // The name exists; or what it became is an alias.
    found_as(&instead, NameServerAnswer::Records(1)).fails(&codes::TCP_REFUSED);
    found_as("public.example", NameServerAnswer::NoSuchName).fails(&codes::TCP_REFUSED);
}

#[test]
fn an_alias_of_a_private_endpoint_is_answered_by_the_public_name_at_the_same_address() {
    let zone = "contoso.privatelink.postgres.database.azure.com";
    let root = Authority::root("Own Root");
    let found = Evidence::of(vec![root.server("*.postgres.database.azure.com")], &[&root.certificate])
        .with_host(zone, "10.0.4.5")
        .with_settings(|_| {})
        .fails(&codes::HOSTNAME_MISMATCH)
        .first_sets("host", "contoso.postgres.database.azure.com")
        .first_sets("hostaddr", "10.0.4.5");
    // Nothing is wrong with the certificate, and nothing else is to be done.
    assert_eq!(found.diagnosis.fixes.len(), 1, "{:#?}", found.diagnosis.fixes);
}

/// Nobody is called postgres there unless somebody chose so: its password is not to be set anew.
#[test]
fn the_administrator_that_a_provider_makes_comes_before_the_password_of_postgres() {
    for (host, part) in [
        ("x.postgres.database.azure.com", "administratorLogin"),
        ("x.db.ondigitalocean.com", "doadmin"),
        ("x.aivencloud.com", "avnadmin"),
    ] {
        let (evidence, code) = staged(host, Situation::PostgresRejected);
        let fixes = evidence.fails(code).diagnosis.fixes;
        assert!(format!("{:?}", fixes[0]).contains(part), "{fixes:#?}");
        assert!(fixes.iter().all(|fix| !format!("{fix:?}").contains("ALTER ROLE")), "{fixes:#?}");
    }
    // Of Amazon it is the usual name.
    let (evidence, code) = staged("x.c1.eu-west-1.rds.amazonaws.com", Situation::PostgresRejected);
    evidence.fails(code).runs("ALTER ROLE");
}

/// Nobody there sets a password by hand: the provider's own page has the one that is valid now.
#[test]
fn a_password_that_the_provider_makes_is_copied_anew_and_not_set() {
    let login = |host: &str, user: &str, database: &str| {
        let of = |keyword, text: &str| crate::conninfo::ParameterValue::of(keyword, text.into(), false);
        let (user, database) = (of("user", user), of("dbname", database));
        let evidence = Evidence::at(host, "34.250.16.7").with_settings(|settings| {
            (settings.user, settings.database) = (user, database);
        });
        evidence.with_error("28P01", REJECTED).fails(&codes::PASSWORD_REJECTED)
    };
    for (host, user, database, copy) in [
        (
            "ec2-3-4-5-6.compute-1.amazonaws.com",
            "u3kd0a8c7m2p1q",
            "d1m2n3o4p5q6r7",
            "heroku config:get DATABASE_URL",
        ),
        (
            "c7.cluster-x1.us-east-1.rds.amazonaws.com",
            "u3kd0a8c7m2p1q",
            "d1m2n3o4p5q6r7",
            "heroku config:get",
        ),
        (
            "ep-dark-moon-12345.eu-central-1.aws.neon.tech",
            "app",
            "orders",
            "neonctl connection-string --role-name app",
        ),
        ("dpg-abc123-a.frankfurt-postgres.render.com", "app", "orders", "copy the URL anew"),
        ("roundhouse.proxy.rlwy.net", "app", "orders", "copy the URL anew"),
    ] {
        let fixes = login(host, user, database).diagnosis.fixes;
        assert!(format!("{:?}", fixes[0]).contains(copy), "{host}: {fixes:#?}");
        let all = format!("{fixes:?}");
        assert!(
            ["ALTER ROLE", "CREATE ROLE", "pg_authid", "$:"].iter().all(|not| !all.contains(not)),
            "{all}"
        );
    }
    // Such a host alone is anybody's.
    login("ec2-3-4-5-6.compute-1.amazonaws.com", "app", "orders").runs("CREATE ROLE");
    login("x.c1.eu-west-1.rds.amazonaws.com", "app", "orders").advises("copy it anew");
}

#[test]
fn the_role_of_a_service_account_is_its_address_without_the_end() {
    let as_user = |user: &str, sqlstate, message| {
        let user = crate::conninfo::ParameterValue::of("user", user.into(), false);
        let evidence = Evidence::healthy().with_settings(|settings| settings.user = user);
        evidence.with_error(sqlstate, message)
    };
    let (whole, role) = ("job@shop.iam.gserviceaccount.com", "job@shop.iam");
    let found = as_user(whole, "28P01", REJECTED).fails(&codes::PASSWORD_REJECTED);
    let found = found.first_sets("user", role).runs("gcloud sql generate-login-token");
    assert!(found.diagnosis.fixes.iter().all(|fix| !format!("{fix:?}").contains("ALTER ROLE")));
    as_user(whole, "28000", "role \"x\" does not exist").fails(&codes::ROLE_MISSING).first_sets("user", role);
    as_user(role, "28P01", REJECTED).fails(&codes::PASSWORD_REJECTED).first_sets_no("user");
}

/// What else the certificate of all servers names is no server's name.
#[test]
fn of_a_certificate_for_all_servers_the_readers_own_is_asked_for() {
    let root = Authority::root("Own Root");
    let mut leaf = params("c1.database.azure.com", false);
    let all = "*.postgres.database.azure.com".try_into().unwrap();
    leaf.subject_alt_names.push(rcgen::SanType::DnsName(all));
    let sent = root.issue(leaf).certificate;
    let found = |host: &str, to: &str| {
        let evidence = Evidence::of(vec![sent.clone()], &[&root.certificate]).with_host(host, to);
        evidence.with_settings(|_| {}).fails(&codes::HOSTNAME_MISMATCH).first_sets("hostaddr", to)
    };
    for (host, to) in [("10.0.4.5", "10.0.4.5"), ("localhost", "127.0.0.1")] {
        let fix =
            &found(host, to).first_sets("host", "SERVER.postgres.database.azure.com").diagnosis.fixes[0];
        assert!(fix.claimed && fix.text.contains("SERVER stands for"), "{fix:#?}");
    }
    found("mydemo", "10.0.4.5").first_sets("host", "mydemo.postgres.database.azure.com");
}

#[test]
fn a_short_name_is_completed_as_the_root_file_tells() {
    let named = |roots: &[&crate::certificate::Certificate]| {
        let text = "Name or service not known".to_owned();
        let failed = Resolution::Failed { kind: DnsFailure::NoSuchName, code: Some(-2), text };
        let trust = Roots::Loaded(store(roots));
        let evidence = Evidence::at("mydemo", "10.0.4.5").with_trust(|known| known.roots = trust);
        evidence.with_dns(failed).fails(&codes::DNS_NOT_FOUND)
    };
    let bundle = bundle("azure-flexible").unwrap();
    let roots: Vec<_> = bundle.roots.iter().map(|root| &root.root.certificate).collect();
    named(&roots).first_sets("host", "mydemo.postgres.database.azure.com");
    let own = Authority::root("Own Root").certificate;
    named(&[&own]).first_sets_no("host");
    // A system's bundle has everybody's roots.
    let many: Vec<_> = roots.iter().copied().chain(std::iter::repeat_n(&own, 20)).collect();
    named(&many).first_sets_no("host");
}

/// Nothing but the issuer's name tells whose an address is.
#[test]
fn cloud_sql_is_known_by_its_issuer_and_its_rule_of_names_told() {
    let root = Authority::root("Google Cloud SQL Server CA");
    Evidence::of(vec![root.server("project:instance")], &[&root.certificate])
        .with_host("203.0.113.9", "203.0.113.9")
        .fails(&codes::HOSTNAME_MISMATCH)
        .advises("names PROJECT:INSTANCE and no IP address");
}

#[test]
fn a_file_without_the_roots_of_the_provider_is_told_before_a_server_answers() {
    let azure = "x.postgres.database.azure.com";
    let own = Authority::root("Own Root");
    let with_file = |evidence: Evidence| {
        evidence.with_trust(|trust| trust.roots = Roots::Loaded(store(&[&own.certificate])))
    };
    for situation in [Situation::NameNotFound, Situation::NoAnswer, Situation::RefusedBeforeTls] {
        let (evidence, code) = staged(azure, situation);
        let found = with_file(evidence).fails(code).also(&[&codes::ROOT_NOT_IN_FILE]);
        let besides = &found.outcome.also[0];
        assert_eq!(besides.fixes[0].bundle, Some("azure-flexible"), "{besides:?}");
        assert!(found.outcome.warnings.iter().all(|warning| warning.code != &codes::ROOT_BUNDLE_INCOMPLETE));
        // Nobody knows what another server needs.
        let (evidence, code) = staged("db.example", situation);
        with_file(evidence).fails(code).also(&[]);
    }
}

#[test]
fn a_file_with_some_of_the_roots_is_warned_of_before_a_server_answers() {
    let azure = "x.postgres.database.azure.com";
    let bundle = bundle("azure-flexible").unwrap();
    let one = &bundle.roots[0].root.certificate;
    let (evidence, code) = staged(azure, Situation::NoAnswer);
    let found = evidence.with_trust(|trust| trust.roots = Roots::Loaded(store(&[one]))).fails(code).also(&[]);
    let codes: Vec<_> = found.outcome.warnings.iter().map(|warning| warning.code).collect();
    assert!(codes.contains(&&codes::ROOT_BUNDLE_INCOMPLETE), "{codes:?}");
}

#[test]
fn a_providers_own_ca_in_the_root_file_tells_whose_server_does_not_answer() {
    let of = |ca: &str| {
        let root = Authority::root(ca);
        let evidence = Evidence::of(Vec::new(), &[&root.certificate]).with_tcp(TcpResult::TimedOut);
        evidence.with_host("20.61.7.9", "20.61.7.9").fails(&codes::TCP_TIMEOUT)
    };
    let found = of("Google Cloud SQL Server CA").advises("authorised networks");
    found.runs("cloud-sql-proxy PROJECT:REGION:INSTANCE");
    let other = of("Some CA");
    assert!(!format!("{:?}", other.diagnosis.fixes).contains("gcloud"), "{:#?}", other.diagnosis.fixes);
}

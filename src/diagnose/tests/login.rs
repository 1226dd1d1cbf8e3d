//! auth and session

use super::fixtures::*;
use crate::conninfo::{AuthMethod, NoPassword, Notice, Origin, Password, Settings, SslMode};
use crate::diagnose::{StageStatus, codes, diagnose};
use crate::evidence::{
    AuthRequest, ChannelBindingFailure, Closure, Evidence, OsFailure, ServerMessage, SessionFailure,
    TcpResult,
};
use crate::secret::Secret;
use crate::stage::Stage;

#[test]
fn a_password_asked_for_and_not_given_is_none() {
    let asked = || Evidence::healthy().with_session(SessionFailure::PasswordNeeded);
    let outcome = asked().verified();
    assert!(outcome.warnings.is_empty());
    let auth = outcome.stages.iter().find(|line| line.stage == Stage::Auth).unwrap();
    assert_eq!(auth.status, StageStatus::Skipped);
    assert_eq!(auth.detail, "the server requests a password, none is available");
    // A file that is named is the only one that is read; that there is no default one is nothing new.
    for (origin, why, detail) in [
        (
            Origin::Environment("PGPASSFILE"),
            NoPassword::Missing,
            ": /f, from environment variable PGPASSFILE, does not exist; no other file is read",
        ),
        (Origin::Default, NoPassword::Missing, ""),
        (
            Origin::Default,
            NoPassword::EmptyPassword { line: 3 },
            ": /f line 3 matches, and its password is empty",
        ),
    ] {
        let outcome = asked()
            .with_settings(|settings| {
                settings.parameters.push(parameter("passfile", "/f", origin.clone()));
                let path = "/f".into();
                settings.notices.push(Notice::PassfileUseless { path, slot: 0, why: why.clone() });
            })
            .with_session(SessionFailure::PasswordNeeded)
            .verified();
        let auth = outcome.stages.iter().find(|line| line.stage == Stage::Auth).unwrap();
        assert_eq!(auth.detail, format!("the server requests a password, none is available{detail}"));
    }
    asked()
        .with(|evidence| evidence.scope.require_auth = true)
        .fails(&codes::PASSWORD_REQUIRED)
        .shows("looked_in", "PGPASSWORD")
        .advises("put this line into a new file");
}

/// A provider that accepts listed addresses only says so itself: its page is where the address goes.
#[test]
fn an_address_that_is_not_on_a_providers_list_is_told_with_the_place_of_the_list() {
    let neon = "This IP address 198.51.100.7 is not allowed to connect to this endpoint. Please add it to the allowed list.";
    for (host, message, place, address) in [
        ("ep-dark-moon-1.eu-central-1.aws.neon.tech", neon, "IP Allow", "198.51.100.7"),
        (
            "aws-0-eu-central-1.pooler.supabase.com",
            "Address not in tenant allow_list: {198, 51, 100, 8}",
            "Network Restrictions",
            "198.51.100.8",
        ),
        (
            "aws-0-eu-central-1.pooler.supabase.com",
            "(EADDRNOTALLOWED) address not in tenant allow_list",
            "Network Restrictions",
            "ADDRESS",
        ),
        ("db.corp.example", neon, "at the provider", "198.51.100.7"),
    ] {
        let found = Evidence::at(host, "18.156.10.10").with_error("XX000", message);
        let found = found.fails(&codes::SERVER_ERROR).because(address).diagnosis;
        let first = &found.fixes[0].text;
        assert!(first.contains(place) && first.ends_with(address), "{first}");
        assert!(!format!("{:?}", found.fixes).contains("log"), "{:#?}", found.fixes);
    }
    let text = crate::diagnose::recognise::recognise(neon).unwrap();
    assert!(text.readings()[0].what.contains("listed addresses only"));
    // Of another message, nobody at a provider has the server's log before him.
    let other = || {
        Evidence::at("ep-dark-moon-1.eu-central-1.aws.neon.tech", "18.156.10.10").with_error("XX000", "odd")
    };
    other().fails(&codes::SERVER_ERROR).advises("ask its support");
}

#[test]
fn a_wrong_password_names_user_and_source_and_not_itself() {
    let lines = Some((2, Some(5)));
    let found = Evidence::healthy()
        .with_settings(|settings| {
            let secret = Secret::new(b"hunter2".to_vec());
            settings.hosts[0].password =
                Some(Password { secret, origin: Origin::PasswordFile("/home/me/.pgpass".into()), lines });
        })
        .with_error("28P01", "password authentication failed for user \"app\"")
        .fails(&codes::PASSWORD_REJECTED)
        .titled("the password of app is rejected")
        .shows("password_from", "password file /home/me/.pgpass")
        .advises("/home/me/.pgpass: line 2 is taken, the first that matches; line 5 matches too")
        .advises("check the password in /home/me/.pgpass, line 2")
        .retryable(false);
    assert!(!format!("{:?}", found.diagnosis).contains("hunter2"));
    Evidence::healthy()
        .with_session(SessionFailure::ScramMismatch("server signature".to_owned()))
        .fails(&codes::PASSWORD_REJECTED)
        .because("proof is wrong");
    // PgBouncer 1.18 (measured).
    for words in ["SASL authentication failed", "password authentication failed"] {
        Evidence::healthy()
            .with_error("08P01", words)
            .fails(&codes::PASSWORD_REJECTED)
            .shows("server_says", words)
            .titled("PgBouncer rejects the password of app")
            .advises("auth_file");
    }
    Evidence::healthy().with_error("08P01", "bad startup packet").fails(&codes::SERVER_ERROR);
}

#[test]
fn what_may_be_wrong_with_a_password_or_user_comes_first() {
    fn user(name: &str) -> crate::conninfo::ParameterValue {
        crate::conninfo::ParameterValue::of("user", name.into(), false)
    }
    let rejected = |change: fn(&mut Settings)| {
        let evidence = Evidence::healthy().with_settings(change);
        let message = "password authentication failed for user \"app\"";
        evidence.with_error("28P01", message).fails(&codes::PASSWORD_REJECTED).diagnosis.fixes[0].clone()
    };
    let cut = rejected(|settings| {
        settings.notices.push(Notice::PasswordCut { path: "/home/me/.pgpass".into(), line: 3, slot: 0 });
    });
    assert!(
        cut.text.starts_with("/home/me/.pgpass, line 3: libpq ends the password at an unescaped :"),
        "{cut:?}"
    );
    let at_server = rejected(|settings| settings.user = user("app@old-server"));
    assert_eq!(at_server.settings, [("user", "app".to_owned())]);
    // A user with a domain is a name of its own.
    assert!(rejected(|settings| settings.user = user("app@corp.example")).settings.is_empty());
}

/// A password from the environment.
fn with_password(settings: &mut Settings, password: &str) {
    settings.hosts[0].password = Some(crate::conninfo::Password {
        secret: crate::secret::Secret::new(password.into()),
        origin: Origin::Environment("PGPASSWORD"),
        lines: None,
    });
}

/// A login that a server rejects with a token as its password.
fn rejected(host: &str, name: &str, token: &str) -> Found {
    let found = Evidence::at(host, "20.61.7.9")
        .with_settings(user(name))
        .with_settings(|settings| with_password(settings, token))
        .with_attempt(|attempt| {
            let request = AuthRequest { method: AuthMethod::Password, mechanisms: vec![], code: 3 };
            attempt.session.as_mut().unwrap().result.requested = vec![request];
        })
        .with_error("28P01", &format!("password authentication failed for user \"{name}\""))
        .fails(&codes::PASSWORD_REJECTED);
    let all = format!("{:?}{:?}", found.diagnosis, found.outcome.warnings);
    for secret in ["sEcReT", "c0ffee", token, token.rsplit('.').next().unwrap_or_default()] {
        assert!(secret.is_empty() || !all.contains(secret), "{secret}: {all}");
    }
    // It can be sent in no other way than in clear text.
    assert!(!all.contains("clear text"), "{all}");
    for words in ["\\password", "pg_authid", "Single Server"] {
        assert!(!all.contains(words), "{words}: {all}");
    }
    found
}

/// Who keeps the line for a network may have written the mask of one address.
#[test]
fn the_mask_of_a_line_is_told_where_the_client_is_one_of_a_network() {
    let refused = |client: &str| {
        let message = format!(
            "no pg_hba.conf entry for host \"{client}\", user \"app\", database \"orders\", SSL encryption"
        );
        Evidence::healthy().with_error("28000", &message).fails(&codes::HBA_REJECTED)
    };
    refused("192.168.7.31")
        .runs("hostssl orders app 192.168.7.31/32")
        .advises("such as 192.168.7.0/24; 192.168.7.0/32 matches none");
    for client in ["198.51.100.9", "2001:db8::9"] {
        assert!(!format!("{:?}", refused(client).diagnosis.fixes).contains("mask"));
    }
}

/// psqlODBC sends what stands before the semicolon.
#[test]
fn a_password_cut_at_a_semicolon_is_the_cause_of_its_rejection() {
    use crate::clients::dialect::{self, Read, Typed};
    let found = |password: &str| {
        let text = format!(
            "Driver={{PostgreSQL Unicode}};Server=db.example;Uid=app;Pwd={password};SSLmode=verify-full"
        );
        let dialect::Target::Driver(reading) = dialect::read(text.as_bytes(), None) else { panic!("{text}") };
        let original = crate::secret::Secret::new(text.into_bytes());
        let evidence = Evidence::healthy()
            .with(|evidence| {
                evidence.typed = Some(std::sync::Arc::new(Typed::new(original, Read::Driver(reading))))
            })
            .with_error("28P01", "password authentication failed for user \"app\"");
        evidence.fails(&codes::PASSWORD_REJECTED)
    };
    found("Moor;Teich8").titled("the password in the string contains a semicolon").advises("Pwd={…}");
    found("Moor").titled("the password of app is rejected");
}

/// What a password shows of itself is known whatever keeps the check from the server.
#[test]
fn a_token_that_has_expired_is_told_before_a_server_answers() {
    use crate::evidence::{DnsFailure, Resolution};
    let token = |expires: i64| {
        super::super::token::signed(&format!(r#"{{"aud":"https://x.example/","exp":{expires}}}"#))
    };
    let (past, ahead) = (token(now().unix() - 600), token(now().unix() + 600));
    let text = "Name or service not known".to_owned();
    let nowhere = Resolution::Failed { kind: DnsFailure::NoSuchName, code: Some(-2), text };
    let with =
        |password: &str| Evidence::healthy().with_settings(|settings| with_password(settings, password));
    let silent = |password: &str| with(password).with_tcp(TcpResult::TimedOut).fails(&codes::TCP_TIMEOUT);
    let found = silent(&past).also(&[&codes::PASSWORD_REJECTED]);
    assert_eq!(found.outcome.also[0].title, "the token in PGPASSWORD has expired");
    with(&past).with_dns(nowhere).fails(&codes::DNS_NOT_FOUND).also(&[&codes::PASSWORD_REJECTED]);
    silent(&format!("{}\n{}", &ahead[..40], &ahead[40..])).also(&[&codes::PASSWORD_REJECTED]);
    for password in [ahead.as_str(), "hunter2"] {
        silent(password).also(&[]);
    }
}

#[test]
fn a_rejected_token_says_itself_what_is_wrong() {
    use crate::diagnose::token::signed;
    const AZURE: &str = "mydemo.postgres.database.azure.com";
    const RDS: &str = "db.c1.eu-west-1.rds.amazonaws.com";
    let (past, ahead) = (now().unix() - 2400, now().unix() + 2400);
    let azure = "https://ossrdbms-aad.database.windows.net";
    let claims = |audience: &str, expires: i64, name: &str| {
        signed(&format!(
            "{{\"aud\":\"{audience}\",\"exp\":{expires},\"upn\":\"{name}\",\"secret\":\"c0ffee\"}}"
        ))
    };
    let anna = "anna@contoso.example";
    rejected(AZURE, anna, &claims("https://vault.example/", ahead, anna))
        .titled("the token in PGPASSWORD is for another service or server: https://vault.example/")
        .because("tokens for https://ossrdbms-aad.database.windows.net only")
        .runs("az account get-access-token --resource-type oss-rdbms");
    rejected(AZURE, anna, &claims(azure, past, anna))
        .titled("the token in PGPASSWORD has expired")
        .because("40 min before this check")
        .advises("for each new connection");
    // The final slash is no difference.
    rejected(AZURE, anna, &claims(&format!("{azure}/"), ahead, anna))
        .titled("the token of anna@contoso.example is rejected")
        .runs("pgaadauth_create_principal");
    rejected(AZURE, "Anna@contoso.example", &claims(azure, ahead, anna)).first_sets("user", anna);
    let aws = |host: &str, date: &str| {
        format!(
            "{host}:5432/?Action=connect&DBUser=anna&X-Amz-Date={date}&X-Amz-Expires=900&X-Amz-Signature=c0ffee"
        )
    };
    let today = now().to_string().replace(['-', ':'], "");
    rejected(RDS, "anna", &aws(RDS, "20200101T000000Z")).titled("the token in PGPASSWORD has expired");
    let other = rejected(RDS, "app", &aws(RDS, &today)).sets("user", "anna");
    let first = other.diagnosis.fixes[0].command.as_ref().unwrap();
    assert!(first.contains("--username app") && !first.contains("gcloud"), "{first}");
    rejected(RDS, "anna", &aws("other.c1.eu-west-1.rds.amazonaws.com", &today))
        .called("is for another service or server: other.c1");
    let signed_for = |region: &str| {
        let scope = format!("&X-Amz-Credential=KEY%2F20261130%2F{region}%2Frds-db%2Faws4_request");
        rejected(RDS, "anna", &format!("{}{scope}", aws(RDS, &today)))
    };
    let found = signed_for("us-east-1").called("is signed for the region us-east-1, the server is in ");
    let region = crate::provider::aws_region(RDS).unwrap();
    found.runs(&format!("--region {region}"));
    signed_for(region).titled("the token of anna is rejected");
    // An application's token, and a guest's.
    let of_application =
        format!(r#"{{"aud":"{azure}","exp":{ahead},"idtyp":"app","app_displayname":"sp-jobs"}}"#);
    rejected(AZURE, anna, &signed(&of_application))
        .titled(
            "the token in PGPASSWORD is that of the application sp-jobs, you connect as anna@contoso.example",
        )
        .first_sets("user", "sp-jobs")
        .runs("az account get-access-token");
    let of_guest = format!(
        r#"{{"aud":"{azure}","exp":{ahead},"unique_name":"{anna}","iss":"https://sts.example/a/","idp":"https://sts.example/b/"}}"#
    );
    let found = rejected(AZURE, anna, &signed(&of_guest)).runs("pgaadauth_list_principals");
    assert!(
        found.diagnosis.fixes[0].text.contains("anna_contoso.example#EXT#@TENANT"),
        "{:#?}",
        found.diagnosis.fixes
    );
    // Elsewhere nobody knows what the server accepts.
    rejected("db.example", "anna", &claims("https://vault.example/", ahead, "anna"))
        .titled("the token of anna is rejected");
    rejected("db.example", "anna", &claims("https://vault.example/", past, "anna")).called("has expired");
}

#[test]
fn a_user_of_a_directory_needs_a_token_and_no_other_name() {
    let name = "anna@contoso.example";
    let found = Evidence::at("mydemo.postgres.database.azure.com", "20.61.7.9")
        .with_settings(user(name))
        .with_settings(|settings| with_password(settings, "hunter2"))
        .with_error("28P01", &format!("password authentication failed for user \"{name}\""))
        .fails(&codes::PASSWORD_REJECTED)
        .because("the password given is none");
    assert!(found.diagnosis.fixes[0].command.as_ref().unwrap().contains("get-access-token"));
    assert!(found.diagnosis.fixes.iter().all(|fix| !fix.names("user")), "{:#?}", found.diagnosis.fixes);
}

#[test]
fn a_token_with_white_space_in_it_is_told_as_one() {
    let claims = |expires: i64| {
        let token =
            super::super::token::signed(&format!(r#"{{"aud":"https://x.example/","exp":{expires}}}"#));
        token.as_bytes().chunks(40).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>()
    };
    for (lines, what, command) in [
        (claims(4_000_000_000).join("\n"), "line breaks", "tr -d '[:space:]'"),
        (claims(4_000_000_000).join(" "), "spaces", "tr -d '[:space:]'"),
        (claims(1_000_000_000).join("\n"), "line breaks", "get-access-token"),
    ] {
        let found = rejected("mydemo.postgres.database.azure.com", "anna@contoso.example", &lines)
            .called(&format!("has {what} in it"));
        assert!(
            found.diagnosis.fixes[0].command.as_ref().unwrap().contains(command),
            "{:?}",
            found.diagnosis
        );
    }
}

/// What nobody named is made last.
#[test]
fn a_database_of_a_default_is_created_last() {
    let fixes = |origin: Origin| {
        let found = Evidence::healthy()
            .with_settings(|settings| {
                settings.parameters.retain(|known| known.keyword != "dbname");
                settings.parameters.push(parameter("dbname", "app", origin));
                settings.database = crate::conninfo::ParameterValue::of("dbname", "app".into(), false);
            })
            .with_error("3D000", "database \"app\" does not exist")
            .fails(&codes::DATABASE_MISSING);
        found.diagnosis.fixes.iter().map(|fix| fix.command.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert!(fixes(Origin::Default).last().unwrap().contains("CREATE DATABASE"));
    assert!(fixes(Origin::ConnectionString)[1].contains("CREATE DATABASE"));
}

/// `password=` with nothing behind it has the next setting for its value.
#[test]
fn a_password_that_is_the_next_setting_is_told() {
    for (input, told) in [
        ("host=h password= dbname=d", Some("dbname")),
        ("host=h password = \tsslmode=require", Some("sslmode")),
        ("host=h password= 'dbname=d'", None),
        ("host=h password= hunter2=d", None),
        ("host=h password=dbname=d", None),
        ("postgres://h/d?password=dbname=d", None),
    ] {
        let found = Evidence::healthy()
            .with(|evidence| evidence.input = Some(Secret::new(input.as_bytes().to_vec())))
            .with_error("28P01", "password authentication failed for user \"app\"")
            .fails(&codes::PASSWORD_REJECTED);
        let title = &found.diagnosis.title;
        match told {
            Some(next) => assert!(title.contains(&format!("so {next}=… behind it")), "{title}"),
            None => assert!(!title.contains("has no value"), "{title}"),
        }
    }
}

/// Nobody is asked after the role of this machine's account, if its password was given by itself.
#[test]
fn a_password_without_a_user_is_of_another_role() {
    let first = |user: Origin, of_file: bool| {
        let found = Evidence::healthy()
            .with_settings(|settings| with_password(settings, "hunter2"))
            .with_settings(|settings| {
                settings.parameters.retain(|known| known.keyword != "user");
                settings.parameters.push(parameter("user", "app", user));
                if of_file {
                    settings.hosts[0].password.as_mut().unwrap().origin = Origin::PasswordFile("/p".into());
                }
            })
            .with_error("28P01", "password authentication failed for user \"app\"")
            .fails(&codes::PASSWORD_REJECTED);
        found.diagnosis.fixes[0].settings.first().map(|(name, value)| (*name, value.clone()))
    };
    assert_eq!(first(Origin::Default, false), Some(("user", "ROLE".to_owned())));
    assert_eq!(first(Origin::ConnectionString, false), None);
    assert_eq!(first(Origin::Default, true), None);
}

#[test]
fn what_stands_at_the_ends_of_a_password_is_told_without_it() {
    for (password, what) in [
        ("hunter2\n", "ends with a line feed"),
        (" hunter2", "begins with white space"),
        ("[hunter-2]", "is in square brackets"),
        ("<hunter!>", "is in angle brackets"),
    ] {
        let found = Evidence::at("aws-0-eu-west-1.pooler.supabase.com", "20.61.7.9")
            .with_settings(|settings| with_password(settings, password))
            .with_error("28P01", "password authentication failed for user \"app\"")
            .fails(&codes::PASSWORD_REJECTED)
            .called(what);
        assert!(found.diagnosis.fixes[0].text.contains(what), "{:#?}", found.diagnosis.fixes);
        assert!(!format!("{:?}", found.diagnosis).contains("hunter"));
        // It is right: nobody need set another.
        assert!(
            found.diagnosis.fixes.iter().all(|fix| !fix.text.contains("reset")),
            "{:#?}",
            found.diagnosis.fixes
        );
    }
}

#[test]
fn errors_about_what_is_sent_at_the_start_name_it_and_where_it_is_from() {
    let sent = |sqlstate: &str, message: &str| {
        let options =
            parameter("options", "-c statement_timeot=5s -c work_mem=1XB", Origin::Environment("PGOPTIONS"));
        let evidence = Evidence::healthy().with_settings(|settings| settings.parameters.push(options));
        evidence.with_error(sqlstate, message).fails(&codes::SERVER_ERROR)
    };
    sent("42704", "unrecognized configuration parameter \"statement_timeot\"")
        .advises("in PGOPTIONS: write statement_timeout instead of statement_timeot");
    sent("22023", "invalid value for parameter \"work_mem\": \"1XB\"")
        .advises("in PGOPTIONS: correct the value of work_mem");
    sent("22023", "invalid value for parameter \"TimeZone\": \"Nowhere\"")
        .advises("in the environment variable PGTZ: correct the value of TimeZone");
    sent("08P01", "unsupported startup parameter: options")
        .because("these are a pooler's words, of PgBouncer")
        .runs("ignore_startup_parameters = options")
        .sets("options", "");
    // In the string, what else stands in options stays; a provider's words after it are none of its name.
    for options in [
        "-c work_mem=1MB -csearch_path=orders",
        "--search-path=orders -c work_mem=1MB",
        "-c search_path=orders -c work_mem=1MB",
    ] {
        let options = parameter("options", options, Origin::ConnectionString);
        Evidence::at("ep-calm-sea-1-pooler.eu-central-1.aws.neon.tech", "20.61.7.9")
            .with_settings(|settings| settings.parameters.push(options))
            .with_error(
                "08P01",
                "unsupported startup parameter in options: search_path. Do without: https://x.example/a#b",
            )
            .fails(&codes::SERVER_ERROR)
            .because("does not pass search_path on to the server (options, from ")
            .first_sets("host", "ep-calm-sea-1.eu-central-1.aws.neon.tech")
            .sets("options", "-c work_mem=1MB")
            .advises("SET search_path = orders;");
    }
    sent("28000", "Ident authentication failed for user \"app\"")
        .because("has the method ident")
        .advises("scram-sha-256 instead of ident");
}

#[test]
fn names_in_capitals_are_offered_in_lower_case() {
    let user = |name: &str| crate::conninfo::ParameterValue::of("user", name.into(), false);
    Evidence::healthy()
        .with_settings(|settings| settings.user = user("App"))
        .with_error("28000", "role \"App\" does not exist")
        .fails(&codes::ROLE_MISSING)
        .sets("user", "app");
    Evidence::healthy()
        .with_settings(|settings| settings.database = user("Orders"))
        .with_error("3D000", "database \"Orders\" does not exist")
        .fails(&codes::DATABASE_MISSING)
        .sets("dbname", "orders");
}

#[test]
fn what_is_no_fault_of_postgresqls_is_told_by_whose_it_is() {
    let said = |sqlstate: &str, message: &str| Evidence::healthy().with_error(sqlstate, message);
    said("XX000", "Your project has exceeded the compute time quota. Upgrade your plan.")
        .fails(&codes::SERVER_ERROR)
        .because("the provider, not PostgreSQL")
        .advises("in the provider's console");
    // The session pooler's limit, which its other port does not have.
    let supabase = || Evidence::at("aws-0-eu-central-1.pooler.supabase.com", "20.61.7.9");
    let sessions = "MaxClientsInSessionMode: max clients reached - in Session mode";
    let found = supabase().with_error("XX000", sessions).fails(&codes::TOO_MANY_CONNECTIONS);
    found.first_sets("port", "6543");
    let there = supabase().with_settings(|settings| settings.hosts[0].port = Ok(6543));
    there.with_error("XX000", sessions).fails(&codes::TOO_MANY_CONNECTIONS).first_sets_no("port");
    // A server that asks for SCRAM, and a pooler with an md5 hash.
    let found = said("08P01", "server login failed: wrong password type").fails(&codes::UPSTREAM_FAILED);
    let found =
        found.because("md5… in its auth_file").runs("\"app\" \"PASSWORD\"").runs("SELECT rolpassword");
    assert!(found.diagnosis.fixes.iter().all(|fix| !fix.text.contains("check the connection")));
    said("08P01", "no more connections allowed (max_client_conn)")
        .fails(&codes::TOO_MANY_CONNECTIONS)
        .titled("PgBouncer has no free client connections")
        .advises("raise max_client_conn");
    for (sqlstate, message, title, cause) in [
        (
            "XX000",
            "Max client connections reached",
            "Supavisor (Supabase) has no free client",
            "of the pooler's clients",
        ),
        ("XX000", "MaxClientsInSessionMode: max clients reached - in Session mode", "Supavisor", "pool_size"),
        ("53300", "odyssey: c5: too many tcp connections", "Odyssey has no free client", "client_max"),
        (
            "53300",
            "client connections exceeded (max_db_client_connections)",
            "PgBouncer",
            "max_db_client_connections",
        ),
        ("53300", "too many connections for role \"app\"", "the server has no free", "the role has reached"),
        (
            "53300",
            "too many connections for database \"d\"",
            "the server has no free",
            "the database has reached",
        ),
        ("53300", "sorry, too many clients already", "the server has no free", "(max_connections)"),
        (
            "53300",
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "the server has",
            "(max_c",
        ),
        ("53300", "branch limit exceeded", "too many connections: branch limit exceeded", "the message may"),
    ] {
        said(sqlstate, message).fails(&codes::TOO_MANY_CONNECTIONS).called(title).because(cause);
    }
    // A state alone claims nothing that its words do not.
    for (sqlstate, message, cause) in [
        ("57P03", "compute is paused", "the message has the reason"),
        ("57P01", "xyz", "the message has the reason"),
        ("57P02", "xyz", "the message has the reason"),
        ("57P03", "the database system is starting up", "starting, stopping or recovering"),
        ("57P01", "terminating connection due to administrator command", "an administrator"),
        ("57P02", "terminating connection because of crash of another server process", "crashed"),
    ] {
        said(sqlstate, message).fails(&codes::SERVER_STARTING).because(cause);
    }
    said("57P03", "Your project is suspended").fails(&codes::SERVER_ERROR).because("the provider");
    said("08006", "xyz").fails(&codes::UPSTREAM_FAILED).because("probably a pooler or proxy");
    said("XX000", "xyz").fails(&codes::SERVER_ERROR).because("a pooler in front");
    said("XX001", "could not read block 0 in file \"base/1/2\"")
        .fails(&codes::SERVER_ERROR)
        .advises("restore from a backup");
    said("42501", "permission denied to set parameter \"session_replication_role\"")
        .fails(&codes::SERVER_ERROR)
        .runs("GRANT SET ON PARAMETER session_replication_role TO app;");
    said("57P03", "the database system is shutting down")
        .fails(&codes::SERVER_STARTING)
        .runs("systemctl start postgresql");
}

#[test]
fn a_standby_without_sessions_is_not_waited_for() {
    let found = Evidence::healthy()
        .with_session(SessionFailure::Server(ServerMessage {
            sqlstate: "57P03".to_owned(),
            message: "the database system is not accepting connections".to_owned(),
            detail: Some("Hot standby mode is disabled.".to_owned()),
            ..ServerMessage::default()
        }))
        .fails(&codes::SERVER_STARTING)
        .shows("detail", "Hot standby mode is disabled.")
        .advises("set host to the primary");
    assert!(found.diagnosis.fixes.iter().all(|fix| !fix.waits), "{:?}", found.diagnosis.fixes);
}

/// Rules for the database that is meant do not match the one that libpq asks for by itself.
#[test]
fn a_database_that_nobody_named_comes_before_a_line_for_it() {
    let evidence = |named: bool| {
        let message =
            r#"no pg_hba.conf entry for host "198.51.100.9", user "app", database "app", SSL encryption"#;
        Evidence::healthy().with_error("28000", message).with_settings(|settings| {
            settings.parameters.retain(|known| known.keyword != "dbname");
            let origin = if named { Origin::ConnectionString } else { Origin::Default };
            settings.parameters.push(parameter("dbname", "app", origin));
        })
    };
    let found = evidence(false).fails(&codes::HBA_REJECTED).shows("database_from", "dbname is not set");
    assert!(found.diagnosis.fixes[0].text.contains("dbname=NAME"), "{:?}", found.diagnosis.fixes);
    let found = evidence(true).fails(&codes::HBA_REJECTED).diagnosis;
    assert!(!format!("{found:?}").contains("dbname is not set"), "{found:#?}");
}

/// A standby takes no writes whatever its default, and where the primary is gone another host of a list is none.
#[test]
fn a_standby_that_is_left_over_is_promoted_or_the_primary_started() {
    let failure = SessionFailure::WrongSessionAttrs { standby: Some(true), read_only: Some(false) };
    let found = Evidence::healthy()
        .with_session(failure)
        .with_settings(|settings| {
            settings.hosts.push(settings.hosts[0].clone());
            let wanted = parameter("target_session_attrs", "read-write", Origin::ConnectionString);
            settings.parameters.push(wanted);
        })
        .with(|evidence| {
            let mut down = evidence.attempts[0].clone();
            let refused = OsFailure {
                kind: std::io::ErrorKind::ConnectionRefused,
                code: None,
                text: "Connection refused".to_owned(),
            };
            down.tcp.as_mut().unwrap().result = TcpResult::Failed(refused);
            (down.negotiate, down.tls, down.session) = (None, None, None);
            evidence.attempts.insert(0, down);
            evidence.attempts[1].host = 1;
        })
        .fails(&codes::SESSION_READONLY)
        .titled("target_session_attrs=read-write, but the server is a standby; before it: 203.0.113.7 port 5432: refused");
    assert_eq!(found.diagnosis.fixes[0].command.as_deref(), Some("SELECT pg_promote();"));
}

#[test]
fn pg_hba_tells_what_the_server_saw() {
    let message =
        r#"no pg_hba.conf entry for host "198.51.100.9", user "app", database "orders", SSL encryption"#;
    Evidence::healthy()
        .with_error("28000", message)
        .fails(&codes::HBA_REJECTED)
        .shows("client", "198.51.100.9")
        .shows("user", "app")
        .shows("database", "orders")
        .shows("encryption", "SSL encryption")
        .runs("hostssl orders app 198.51.100.9/32 scram-sha-256");
    Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_error("28000", message)
        .fails(&codes::HBA_REJECTED)
        .titled("the server does not admit user app, database orders, from 198.51.100.9")
        .because("this machine's address is 192.0.2.20, and the connection reaches the server from 198.51.100.9 (NAT)")
        .runs("--start-ip-address 198.51.100.9");
    Evidence::at("db.c1.eu-west-1.rds.amazonaws.com", "20.61.7.9")
        .with_error("28000", message)
        .fails(&codes::HBA_REJECTED)
        .advises("at the provider: allow 198.51.100.9");
    // Another family, this machine itself and the same address are no NAT.
    for (seen, local) in
        [("198.51.100.9", "[2001:db8::7]:1"), ("127.0.0.1", "127.0.0.1:1"), ("192.0.2.20", "192.0.2.20:1")]
    {
        let found = Evidence::healthy()
            .with_attempt(|attempt| {
                attempt.tcp.as_mut().unwrap().result = TcpResult::Connected { local: local.parse().ok() };
            })
            .with_error("28000", &message.replace("198.51.100.9", seen))
            .fails(&codes::HBA_REJECTED);
        assert!(!found.diagnosis.cause.contains("NAT"), "{}", found.diagnosis.cause);
    }
    Evidence::healthy()
        .with_error("28000", &message.replace("SSL encryption", "no encryption"))
        .fails(&codes::HBA_REJECTED)
        .because("a proxy in between ends TLS")
        .advises("server_tls_sslmode");
    // A line for TLS admits nobody who comes without it.
    let terminated = diagnose(
        Evidence::at("db.c1.eu-west-1.rds.amazonaws.com", "20.61.7.9")
            .with_error("28000", &message.replace("SSL encryption", "no encryption")),
    );
    let fixes = format!("{:?}", terminated.diagnosis.unwrap().fixes);
    assert!(!fixes.contains("hostssl") && !fixes.contains("ask for TLS"), "{fixes}");
}

/// What a shell replaced is not to be seen in the password that is left.
#[test]
fn a_dollar_that_a_shell_replaced_is_thought_of() {
    for (password, told) in [("Fluss", true), ("Fluss$Ufer", false)] {
        for origin in [Origin::Environment("PGPASSWORD"), Origin::ConnectionString] {
            let found = Evidence::healthy()
                .with_settings(|settings| {
                    let secret = Secret::new(password.as_bytes().to_vec());
                    settings.hosts[0].password = Some(Password { secret, origin, lines: None });
                })
                .with_session(SessionFailure::Server(ServerMessage {
                    sqlstate: "28P01".to_owned(),
                    message: "password authentication failed for user \"app\"".to_owned(),
                    ..ServerMessage::default()
                }))
                .fails(&codes::PASSWORD_REJECTED);
            let fixes = format!("{:?}", found.diagnosis.fixes);
            assert_eq!(fixes.contains("in double quotes a shell replaces"), told, "{fixes}");
        }
    }
}

/// Its first group may be a number, as a port is.
#[test]
fn a_client_of_ipv6_is_read_whole_and_may_come_over_ipv4() {
    for (client, network) in [
        ("2001:db8:3::77", Some("2001:db8:3::/64")),
        ("2600:1f14:7:9:1::3", Some("2600:1f14:7:9::/64")),
        ("fd00:7:8:9:a::b", Some("fd00:7:8:9::/64")),
        ("fe80::7", None),
        ("::1", None),
    ] {
        let message = format!(
            r#"no pg_hba.conf entry for host "{client}", user "app", database "orders", SSL encryption"#
        );
        let found = Evidence::healthy()
            .with_error("28000", &message)
            .fails(&codes::HBA_REJECTED)
            .titled(&format!("pg_hba.conf has no entry for user app, database orders, from {client}"))
            .runs(&format!("hostssl orders app {client}/128 scram-sha-256"))
            .sets("hostaddr", "203.0.113.7");
        let command = found.diagnosis.fixes[0].command.as_deref().unwrap();
        assert_eq!(network.is_some_and(|network| command.contains(network)), network.is_some(), "{command}");
        assert_eq!(command.contains("/64"), network.is_some(), "{command}");
    }
}

#[test]
fn a_reject_line_is_not_mended_by_a_line_after_it() {
    let message = r#"pg_hba.conf rejects connection for host "198.51.100.9", user "app", database "orders", SSL encryption"#;
    let german = "pg_hba.conf lehnt Verbindung ab für Host »198.51.100.9«, Benutzer »app«, Datenbank »orders«, SSL-Verschlüsselung";
    for message in [message, german] {
        Evidence::healthy()
            .with_error("28000", message)
            .fails(&codes::HBA_REJECTED)
            .titled("pg_hba.conf rejects app from 198.51.100.9 on database orders")
            .because("has the method reject")
            .advises("before the reject line")
            .runs("hostssl orders app 198.51.100.9/32 scram-sha-256");
    }
}

#[test]
fn replication_has_lines_of_its_own() {
    Evidence::healthy()
        .with_settings(|settings| {
            settings.parameters.push(parameter("replication", "true", Origin::ConnectionString));
        })
        .with_error(
            "28000",
            r#"no pg_hba.conf entry for replication connection from host "198.51.100.9", user "app", SSL encryption"#,
        )
        .fails(&codes::HBA_REJECTED)
        .advises("all does not cover replication")
        .runs("hostssl replication app 198.51.100.9/32 scram-sha-256");
}

#[test]
fn the_server_s_own_hint_comes_first() {
    let outcome = diagnose(Evidence::healthy().with_session(SessionFailure::Server(ServerMessage {
        sqlstate: "3D000".to_owned(),
        message: "database \"orders\" does not exist".to_owned(),
        hint: Some("Try\x1b[31m the other one, password=hunter2 will do.".to_owned()),
        ..ServerMessage::default()
    })));
    let fixes = outcome.diagnosis.unwrap().fixes;
    assert!(fixes[0].text.starts_with("the server's own hint: Try\\x1b[31m the other one"), "{fixes:?}");
    assert!(!fixes[0].text.contains("hunter2"), "{fixes:?}");
}

/// It is the pooler's address that the server's rules lack, and no password is wrong.
#[test]
fn a_pooler_that_is_not_admitted_needs_a_line_on_the_server() {
    let refused = |end: &str| {
        let said = format!(
            "server login failed: FATAL no pg_hba.conf entry for host \"10.9.0.4\", user \"app\", database \"orders\", {end}"
        );
        let found = Evidence::healthy()
            .with_error("08P01", &said)
            .fails(&codes::UPSTREAM_FAILED)
            .runs("hostssl orders app 10.9.0.4/32 scram-sha-256")
            .advises("admit the pooler, 10.9.0.4");
        assert!(!format!("{:?}", found.diagnosis.fixes).contains("PASSWORD"), "{:?}", found.diagnosis.fixes);
        found
    };
    let first = |end: &str| refused(end).diagnosis.fixes[0].command.clone().unwrap();
    assert!(first("SSL encryption").contains("hostssl"));
    // The line may be there: it admits none without TLS.
    assert!(first("no encryption").starts_with("server_tls_sslmode = verify-full"));
}

#[test]
fn a_providers_pooler_is_asked_for_its_pools_not_as_its_admin() {
    let found = Evidence::at("shop.b.db.ondigitalocean.com", "203.0.113.7")
        .with_settings(|settings| settings.hosts[0].port = Ok(25061))
        .with_error("08P01", "no such database: orders")
        .fails(&codes::DATABASE_MISSING)
        .advises("the name of the pool")
        .sets("port", "25060");
    assert!(found.diagnosis.fixes.iter().all(|fix| fix.command.is_none()), "{:?}", found.diagnosis.fixes);
}

/// A cluster whose standbys have a name of their own has one for its primary.
#[test]
fn the_name_of_standbys_tells_that_of_the_primary() {
    for (host, primary) in [
        ("orders.reader.postgres.database.azure.com", "orders.writer.postgres.database.azure.com"),
        ("orders.cluster-ro-c1.eu-west-1.rds.amazonaws.com", "orders.cluster-c1.eu-west-1.rds.amazonaws.com"),
    ] {
        let found = |wanted: &str, standby: bool| {
            let wanted = parameter("target_session_attrs", wanted, Origin::ConnectionString);
            Evidence::at(host, "203.0.113.7")
                .with_settings(|settings| settings.parameters.push(wanted))
                .with_session(SessionFailure::WrongSessionAttrs {
                    standby: Some(standby),
                    read_only: Some(standby),
                })
                .fails(&codes::SESSION_READONLY)
        };
        let fixes = found("read-write", true).first_sets("host", primary).diagnosis.fixes;
        assert!(fixes.iter().all(|fix| !format!("{fix:?}").contains("OTHER-")), "{fixes:?}");
        let fixes = found("standby", false).diagnosis.fixes;
        assert!(!format!("{fixes:?}").contains(primary), "{fixes:?}");
    }
}

#[test]
fn errors_of_another_hop_say_which_hop_failed() {
    let failed = |state: &str, message: &str| {
        Evidence::healthy().with_error(state, message).fails(&codes::UPSTREAM_FAILED).retryable(true)
    };
    failed("08P01", "server login failed: FATAL no")
        .because("your connection to the pooler is up")
        .shows("message_from", "PgBouncer");
    failed("08006", "upstream connect error").shows("message_from", "a pooler or proxy");
    failed("XX000", "Tenant or user not found")
        .because("finds the server by user")
        .first_sets("user", "app.REF");
    Evidence::healthy()
        .with_settings(user("app.abcdef"))
        .with_error("XX000", "Tenant or user not found")
        .fails(&codes::UPSTREAM_FAILED)
        .advises("copy host and user");
    failed("XX000", "The requested endpoint could not be found, or you don't have access to it.")
        .advises("the endpoint in host was deleted, as it is with its branch");
    Evidence::healthy()
        .with_error("08P01", "no such database: orders")
        .fails(&codes::DATABASE_MISSING)
        .titled("PgBouncer knows no database orders")
        .because("its own configuration has no such database");
}

/// What a pooler lacks in its own configuration is no missing database, whatever its SQLSTATE says.
#[test]
fn a_pooler_without_a_route_is_mended_in_its_own_file() {
    for (state, message, detail, by, runs) in [
        (
            "3D000",
            "odyssey: cc3deab3a28e8: route for 'orders.app' is not found",
            "",
            "Odyssey",
            "storage \"STORAGE\"",
        ),
        ("28000", "odyssey: cd0cc8a7b6adf: user blocked", "", "Odyssey", "database \"orders\""),
        (
            "58000",
            "No pool configured for database: \"orders\", user: \"app\"",
            "",
            "PgCat",
            "[pools.orders.users.0]",
        ),
        ("08P01", "no such user: app", "", "PgBouncer", "\"app\" \"PASSWORD\""),
        ("08P01", "database does not allow connections: orders", "", "PgBouncer", "ENABLE orders"),
        (
            "28000",
            "client authentication failed",
            "no pool_hba.conf entry for host \"192.0.2.20\", user \"app\", database \"orders\", SSL on",
            "Pgpool-II",
            "hostssl orders app CLIENT-ADDRESS/32",
        ),
    ] {
        let found = Evidence::healthy()
            .with_session(SessionFailure::Server(ServerMessage {
                sqlstate: state.to_owned(),
                message: message.to_owned(),
                detail: (!detail.is_empty()).then(|| detail.to_owned()),
                ..ServerMessage::default()
            }))
            .fails(&codes::UPSTREAM_FAILED)
            .called(&format!("{by} does not let user app into database orders"))
            .because("the pooler's own configuration")
            .shows("message_from", by)
            .runs(runs);
        assert!(!format!("{:?}", found.diagnosis.fixes).contains("CREATE DATABASE"), "{:?}", found.diagnosis);
        assert!(!found.diagnosis.advises_waiting);
    }
}

/// A database whose files are gone is there for the catalogue: to create it would help nothing.
#[test]
fn a_database_without_its_files_is_damage_on_the_server() {
    let said = |state: &str, message: &str, detail: &str| {
        Evidence::healthy().with_session(SessionFailure::Server(ServerMessage {
            sqlstate: state.to_owned(),
            message: message.to_owned(),
            detail: Some(detail.to_owned()),
            ..ServerMessage::default()
        }))
    };
    let missing = "database \"orders\" does not exist";
    for (state, message, detail, first) in [
        ("3D000", missing, "The database subdirectory \"base/16385\" is missing.", "the disk with the data"),
        (
            "3D000",
            "Datenbank »orders« existiert nicht",
            "Das Unterverzeichnis »base/16385« fehlt.",
            "the disk with the data",
        ),
        (
            "3D000",
            missing,
            "The database subdirectory \"pg_tblspc/16390/PG_15_202209061/16385\" is missing.",
            "tablespace",
        ),
        (
            "22023",
            "\"base/16385\" is not a valid data directory",
            "File \"base/16385/PG_VERSION\" is missing.",
            "the disk with the data",
        ),
    ] {
        let found =
            said(state, message, detail).fails(&codes::SERVER_ERROR).called("are missing on the server");
        let fixes = &found.diagnosis.fixes;
        assert!(fixes[0].text.starts_with("on the server") && fixes[0].text.contains(first), "{fixes:?}");
        assert!(fixes.iter().all(|fix| !format!("{fix:?}").contains("CREATE DATABASE")), "{fixes:?}");
        found.runs("findmnt").advises("restore the last backup");
    }
    Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_session(SessionFailure::Server(ServerMessage {
            sqlstate: "3D000".to_owned(),
            message: missing.to_owned(),
            detail: Some("The database subdirectory \"base/16385\" is missing.".to_owned()),
            ..ServerMessage::default()
        }))
        .fails(&codes::SERVER_ERROR)
        .advises("restore the server to a moment before the loss");
    said("55000", "cannot connect to invalid database \"orders\"", "")
        .fails(&codes::SERVER_ERROR)
        .called("a DROP DATABASE of it was interrupted")
        .runs("DROP DATABASE orders;");
    said("3D000", missing, "It seems to have just been dropped or renamed.").fails(&codes::DATABASE_MISSING);
}

#[test]
fn no_wait_is_advised_where_the_answer_is_final() {
    let advises = |message: &str| {
        let found = Evidence::healthy().with_error("08P01", message).fails(&codes::UPSTREAM_FAILED);
        found.diagnosis.advises_waiting
    };
    assert!(!advises("server login failed: FATAL password authentication failed for user \"reporting\""));
    assert!(advises("server login failed: FATAL the database system is starting up"));
}

#[test]
fn what_providers_report_in_words() {
    for (state, message) in [
        ("28000", "unable to accept connection, access denied"),
        ("28P01", "PAM authentication failed for user \"app\""),
        ("28000", "PAM authentication failed for user \"app\""),
        ("28000", "The access token has expired. Please get a new one."),
    ] {
        Evidence::healthy()
            .with_error(state, message)
            .fails(&codes::PASSWORD_REJECTED)
            .because("token")
            .advises("get a new token");
    }
    Evidence::healthy()
        .with_error("28000", "TLS version used does not meet minimal requirements for this server.")
        .fails(&codes::TLS_VERSION_UNSUPPORTED)
        .shows("used", "TLSv1.3")
        .advises("minimum TLS version");
    Evidence::healthy()
        .with_error("08004", "codeParamsRoutingFailed: missing cluster identifier")
        .with_settings(|settings| settings.sni = false)
        .with_attempt(|attempt| attempt.tls.as_mut().unwrap().result.offer.sni = None)
        .fails(&codes::SNI_UNRECOGNIZED)
        .sets("sslsni", "1");
}

#[test]
fn sqlstates_decide_in_any_language() {
    for (state, message, code) in [
        ("28P01", "xyz", &codes::PASSWORD_REJECTED),
        ("3D000", "xyz", &codes::DATABASE_MISSING),
        ("53300", "xyz", &codes::TOO_MANY_CONNECTIONS),
        ("57P03", "xyz", &codes::SERVER_STARTING),
        ("28000", "xyz pg_hba.conf", &codes::HBA_REJECTED),
        ("28000", "Rolle »app« existiert nicht", &codes::ROLE_MISSING),
        ("08006", "xyz", &codes::UPSTREAM_FAILED),
        ("28000", "xyz", &codes::SERVER_ERROR),
    ] {
        Evidence::healthy().with_error(state, message).fails(code);
    }
    Evidence::healthy()
        .with_error("28000", "le rôle « app » n'est pas autorisé à se connecter")
        .fails(&codes::SERVER_ERROR)
        .runs("ALTER ROLE app LOGIN;");
    Evidence::healthy()
        .with_error("42501", "keine Berechtigung für Datenbank orders")
        .fails(&codes::SERVER_ERROR)
        .runs("GRANT CONNECT ON DATABASE orders TO app;");
    Evidence::healthy()
        .with_error("55000", "database \"orders\" is not currently accepting connections")
        .fails(&codes::SERVER_ERROR)
        .runs("ALTER DATABASE orders ALLOW_CONNECTIONS true;");
}

/// Another user, as the connection string has it.
fn user(name: &str) -> impl FnOnce(&mut Settings) {
    let name = name.to_owned();
    move |settings| {
        settings.user = crate::conninfo::testing::value("user", &name);
        settings.parameters.retain(|parameter| parameter.keyword != "user");
        settings.parameters.push(parameter("user", &name, Origin::ConnectionString));
    }
}

#[test]
fn roles() {
    Evidence::healthy()
        .with_error("28000", "role \"app\" does not exist")
        .fails(&codes::ROLE_MISSING)
        .shows("user", "app")
        .runs("CREATE ROLE app LOGIN;");
    Evidence::at("mydemo.postgres.database.azure.com", "20.61.7.9")
        .with_settings(user("app@mydemo"))
        .with_error("28P01", "password authentication failed for user \"app@mydemo\"")
        .fails(&codes::ROLE_MISSING)
        .because("Single Server")
        .sets("user", "app");
    // Elsewhere an @ in a role is nothing odd.
    Evidence::healthy()
        .with_settings(user("app@corp"))
        .with_error("28P01", "password authentication failed for user \"app@corp\"")
        .fails(&codes::PASSWORD_REJECTED);
}

#[test]
fn methods_that_cannot_be_used() {
    let asks = |method, failure| {
        Evidence::healthy().with_session(failure).with_attempt(|attempt| {
            let request = AuthRequest { method, mechanisms: vec![], code: 7 };
            attempt.session.as_mut().unwrap().result.requested = vec![request];
        })
    };
    asks(AuthMethod::Gss, SessionFailure::MethodUnsupported)
        .fails(&codes::AUTH_METHOD_UNSUPPORTED)
        .shows("method", "gss")
        .runs("--tls-only");
    asks(AuthMethod::Md5, SessionFailure::MethodExcluded)
        .with(|evidence| {
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter(
                "require_auth",
                "scram-sha-256",
                Origin::Environment("PGREQUIREAUTH"),
            ));
        })
        .fails(&codes::AUTH_METHOD_UNSUPPORTED)
        .titled("the server requests md5, which require_auth excludes")
        .because("PGREQUIREAUTH");
}

#[test]
fn channel_binding() {
    for (failure, says) in [
        (ChannelBindingFailure::NotOffered, "terminates TLS"),
        (ChannelBindingFailure::NoAuthentication, "only scram-sha-256 over TLS"),
        (ChannelBindingFailure::NoDigest("Ed25519".to_owned()), "Ed25519"),
        (ChannelBindingFailure::Refused, "a proxy terminates TLS"),
    ] {
        Evidence::healthy()
            .with_session(SessionFailure::ChannelBinding(failure))
            .fails(&codes::CHANNEL_BINDING_FAILED)
            .because(says);
    }
    Evidence::healthy()
        .with_error("28000", "SCRAM channel binding check failed")
        .fails(&codes::CHANNEL_BINDING_FAILED)
        .advises("where the proxy answers");
}

#[test]
fn what_comes_before_the_login_says_nothing_of_it() {
    let before = |sqlstate, message| {
        Evidence::healthy().with_error(sqlstate, message).with_attempt(|attempt| {
            let session = &mut attempt.session.as_mut().unwrap().result;
            session.requested.clear();
            session.authenticated = None;
        })
    };
    // No password was asked for, and none is said to be rejected.
    before("28P01", "no such user").fails(&codes::SERVER_ERROR);
    let cause = |evidence: Evidence, code| evidence.fails(code).diagnosis.cause.clone();
    let missing = cause(before("3D000", "database \"x\" does not exist"), &codes::DATABASE_MISSING);
    let closed = cause(before("42501", "permission denied for database \"x\""), &codes::SERVER_ERROR);
    for cause in [missing, closed] {
        assert!(!cause.contains("login") && !cause.contains("accepted"), "{cause}");
    }
    // Of four letters it is none.
    let cause = cause(before("28P0", "no"), &codes::SERVER_ERROR);
    assert!(cause.ends_with("an error of its own"), "{cause}");
}

#[test]
fn a_part_of_a_record_is_no_silence() {
    for (part, told) in [
        ((7, 69), "a TLS record, cut off after byte 7 of 69"),
        ((3, 5), "the header of a TLS record, cut off after byte 3 of 5"),
    ] {
        let of = |failure| {
            Evidence::healthy().with_session(failure).with_attempt(|attempt| {
                attempt.session.as_mut().unwrap().result.part_of_record = Some(part);
            })
        };
        of(SessionFailure::TimedOut)
            .fails(&codes::SESSION_TIMEOUT)
            .titled("only a part of a message came after the startup message")
            .shows("incomplete", told);
        of(SessionFailure::Ended(Closure::Reset))
            .fails(&codes::SESSION_CLOSED)
            .because("the last message was cut off");
    }
}

#[test]
fn how_far_a_session_came_is_told() {
    for (authenticated, last, incomplete, title) in [
        (false, None, None, "no response after the startup message"),
        (false, Some(b'R'), None, "no response during authentication"),
        (true, Some(b'R'), None, "no response after the login"),
        (true, Some(b'S'), None, "no ReadyForQuery after the login"),
        (false, None, Some((b'E', 3)), "only a part of a message came after the startup message"),
        (true, Some(b'K'), Some((b'Z', 5)), "only a part of a message came after the startup message"),
    ] {
        let evidence = |failure| {
            Evidence::healthy().with_session(failure).with_attempt(|attempt| {
                let session = &mut attempt.session.as_mut().unwrap().result;
                session.authenticated = authenticated.then_some(std::time::Duration::ZERO);
                session.last_message = last;
                session.incomplete = incomplete;
            })
        };
        let found = evidence(SessionFailure::TimedOut).fails(&codes::SESSION_TIMEOUT).titled(title);
        let closed = evidence(SessionFailure::Ended(Closure::Closed)).fails(&codes::SESSION_CLOSED);
        match incomplete {
            Some((_, 3)) => {
                found.shows("incomplete", "E, an error, cut off after byte 3");
                closed.because("the last message was cut off");
            }
            Some(_) => drop(found.because("stopped half-way")),
            None => drop(closed.because("no error was sent")),
        }
    }
}

#[test]
fn the_session() {
    Evidence::healthy()
        .with_error("3D000", "database \"orders\" does not exist")
        .fails(&codes::DATABASE_MISSING)
        .shows("database", "orders")
        .runs("psql -l");
    Evidence::healthy()
        .with_error("53300", "sorry, too many clients already")
        .fails(&codes::TOO_MANY_CONNECTIONS)
        .shows("limit", "too many clients")
        .retryable(true);
    for sqlstate in ["57P03", "57P01", "57P02"] {
        Evidence::healthy()
            .with_error(sqlstate, "the database system is starting up")
            .fails(&codes::SERVER_STARTING)
            .shows("state", "starting up")
            .retryable(true);
    }
    Evidence::healthy()
        .with_session(SessionFailure::TimedOut)
        .fails(&codes::SESSION_TIMEOUT)
        .shows("last_message", "Z")
        .shows("seconds", "0")
        .retryable(true);
    Evidence::healthy()
        .with_session(SessionFailure::Ended(Closure::Reset))
        .fails(&codes::SESSION_CLOSED)
        .shows("answer", "RST");
    let broken =
        OsFailure { kind: std::io::ErrorKind::BrokenPipe, code: None, text: "Broken pipe".to_owned() };
    Evidence::healthy().with_session(SessionFailure::Failed(broken)).fails(&codes::SESSION_CLOSED);
    Evidence::healthy()
        .with_session(SessionFailure::WrongSessionAttrs { standby: Some(true), read_only: None })
        .with(|evidence| {
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter(
                "target_session_attrs",
                "read-write",
                Origin::ConnectionString,
            ));
        })
        .fails(&codes::SESSION_READONLY)
        .shows("wanted", "read-write")
        .shows("found", "a standby");
    let hosts = |ports: &str, standby: bool| {
        let ports = parameter("port", ports, Origin::ConnectionString);
        let wanted = parameter("target_session_attrs", "read-write", Origin::ConnectionString);
        let evidence = Evidence::healthy().with_settings(|settings| {
            settings.hosts.push(settings.hosts[0].clone());
            let hosts = parameter("host", "a.example,b.example", Origin::ConnectionString);
            settings.parameters.retain(|known| !["host", "port"].contains(&known.keyword));
            settings.parameters.extend([hosts, ports, wanted]);
        });
        let failure = SessionFailure::WrongSessionAttrs { standby: Some(standby), read_only: Some(true) };
        evidence.with_session(failure).fails(&codes::SESSION_READONLY)
    };
    hosts("5432,5433", true)
        .sets("host", "a.example,b.example,OTHER-HOST")
        .sets("port", "5432,5433,OTHER-PORT");
    // One port counts for all hosts.
    let found = hosts("5433", false).sets("host", "a.example,b.example,OTHER-HOST");
    assert!(found.diagnosis.fixes[0].text.contains("default_transaction_read_only"), "{:?}", found.diagnosis);
    assert!(found.diagnosis.fixes.iter().all(|fix| !fix.names("port")), "{:?}", found.diagnosis.fixes);
    Evidence::healthy()
        .with_error("XX000", "something\x1b[31m odd")
        .fails(&codes::SERVER_ERROR)
        .shows("sqlstate", "XX000")
        .titled("the server reports: something\\x1b[31m odd");
    Evidence::healthy()
        .with_session(SessionFailure::Protocol("unexpected message X".to_owned()))
        .fails(&codes::SERVER_ERROR)
        .shows("message", "unexpected message X");
}

#[test]
fn without_a_session_only_tls_only_is_content() {
    let none = || Evidence::healthy().with_attempt(|attempt| attempt.session = None);
    none().with(|evidence| evidence.scope.tls_only = true).verified();
    none().fails(&codes::SESSION_TIMEOUT);
}

#[test]
fn after_a_fatal_error_prefer_goes_on_in_plaintext() {
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Prefer)
        .with_error(
            "28000",
            r#"no pg_hba.conf entry for host "x", user "app", database "orders", SSL encryption"#,
        )
        .fails(&codes::HBA_REJECTED)
        .because("continues without TLS");
}

#[test]
fn a_read_only_default_of_a_providers_is_taken_back_in_the_session() {
    // What a provider set, its customer can see and take back in the session.
    let found = Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_settings(|settings| {
            let wanted = parameter("target_session_attrs", "read-write", Origin::ConnectionString);
            settings.parameters.push(wanted);
        })
        .with_session(SessionFailure::WrongSessionAttrs { standby: Some(false), read_only: Some(true) })
        .fails(&codes::SESSION_READONLY);
    let first = &found.diagnosis.fixes[0];
    assert!(first.text.contains("the storage is nearly full"), "{first:?}");
    assert!(first.command.as_ref().unwrap().contains("RESET default_transaction_read_only"), "{first:?}");
}

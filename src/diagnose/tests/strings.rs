//! config

use std::path::PathBuf;
use std::sync::Arc;

use super::fixtures::*;
use crate::clients::dialect::{self, Read, Typed};
use crate::conninfo::{
    BadPort, ConfigError, Endpoint, Environment, Origin, Overrides, SslMode, SyntaxError, SyntaxErrorKind,
    resolve,
};
use crate::diagnose::Fact;
use crate::diagnose::codes;
use crate::evidence::{Evidence, PlaintextAnswer, ServerAtHand};
use crate::secret::Secret;
use crate::trust::Roots;

fn unknown(keyword: &str, nearest: Option<&'static str>) -> ConfigError {
    ConfigError::UnknownOption {
        keyword: keyword.into(),
        nearest,
        origin: Origin::ConnectionString,
        span: Some(20..30),
    }
}

#[test]
fn a_word_that_is_all_there_is_may_be_a_database_or_a_subcommand() {
    let error = |word: &str| {
        ConfigError::Syntax(SyntaxError {
            kind: SyntaxErrorKind::MissingEquals(word.into()),
            span: 0..word.len(),
        })
    };
    misconfigured("dmeo", error("dmeo"))
        .fails(&codes::CONNINFO_SYNTAX)
        .sets("dbname", "dmeo")
        .runs("pgtls-check demo")
        .retryable(false);
    let found =
        misconfigured("orders", error("orders")).fails(&codes::CONNINFO_SYNTAX).sets("dbname", "orders");
    assert!(found.diagnosis.fixes.iter().all(|fix| fix.command.is_none()));
    assert!(found.diagnosis.mark.is_some());
}

/// A string that its driver refuses.
fn refused(text: &str) -> Evidence {
    let original = Secret::new(text.as_bytes().to_vec());
    let dialect::Target::Refused(failure) = dialect::read(text.as_bytes(), None) else { panic!("{text}") };
    misconfigured(text, ConfigError::OtherDriver)
        .with(|evidence| evidence.typed = Some(Arc::new(Typed::new(original, Read::Refused(failure)))))
}

#[test]
fn a_login_before_jdbcs_host_becomes_parameters() {
    let whole = "jdbc:postgresql://db.example:6432/shop?user=app";
    for (login, more, written) in [
        ("app:Moor-8", "?sslmode=verify-full", format!("{whole}&sslmode=verify-full")),
        ("app:Mo@or/8", "", whole.to_owned()),
        ("app:Mo:or", "?", whole.to_owned()),
        ("app:x", "?sslmode=require&password=Moor-8", format!("{whole}&sslmode=require")),
    ] {
        let text = format!("jdbc:postgresql://{login}@db.example:6432/shop{more}");
        let found = refused(&text).fails(&codes::CONNINFO_SYNTAX).because("user and password as parameters");
        let fix = &found.diagnosis.fixes[0];
        assert_eq!(fix.in_dialect, Some(Ok(written)), "{text}");
        assert!(!format!("{:?}", found.diagnosis).contains("or-8"), "{:#?}", found.diagnosis);
    }
}

#[test]
fn a_semicolon_in_a_password_is_told_with_the_string_without_it() {
    let whole = "Host=db.example;Username=app;Database=d;SSL Mode=VerifyFull";
    for (text, how, written) in [
        (
            "Host=db.example;Username=app;Password=Moor;Teich8;Database=d;SSL Mode=VerifyFull",
            "double quotes",
            whole,
        ),
        (
            "Host=db.example;Username=app;Password=a;b;c d;Database=d;SSL Mode=VerifyFull",
            "double quotes",
            whole,
        ),
        (
            "pgsql:host=db.example;dbname=d;user=app;password=Moor;Teich8;sslmode=verify-full",
            "argument",
            "pgsql:host=db.example;dbname=d;user=app;sslmode=verify-full",
        ),
        (
            "dbi:Pg:host=db.example;dbname=d;password=Moor;Teich8;sslmode=verify-full",
            "argument",
            "dbi:Pg:host=db.example;dbname=d;sslmode=verify-full",
        ),
    ] {
        let found = refused(text).fails(&codes::CONNINFO_SYNTAX).titled("the password contains a semicolon");
        let found = found.advises(how);
        let fix = &found.diagnosis.fixes[0];
        assert_eq!(fix.in_dialect, Some(Ok(written.to_owned())), "{text}");
        assert!(!format!("{:?}", found.diagnosis).contains("Teich8"));
    }
    // With a sign of equality in the rest it may be a keyword too.
    let found = refused("Host=db.example;Username=app;Password=ab;c=d;Database=d;SSL Mode=VerifyFull");
    let found = found.fails(&codes::CONNINFO_UNKNOWN_OPTION).advises("if the password contains a ;");
    assert_eq!(found.diagnosis.fixes[0].in_dialect, Some(Ok(whole.to_owned())));
    // Behind what is no password it is none.
    refused("Host=db.example;Timeout;Password=x")
        .fails(&codes::CONNINFO_SYNTAX)
        .titled("Npgsql cannot parse the string");
    // psqlODBC passes over the rest.
    let text = "Driver={PostgreSQL Unicode};Server=db.example;Uid=app;Pwd=Moor;Teich8;SSLmode=verify-full";
    let dialect::Target::Driver(reading) = dialect::read(text.as_bytes(), None) else { panic!("{text}") };
    assert!(reading.lost_behind_password(text.as_bytes()).unwrap().contains("braces"));
}

#[test]
fn a_string_of_sql_servers_is_written_anew() {
    let own = "Host=db.example;Port=5433;Database=d;Username=u;SSL Mode=VerifyFull";
    for (text, code, written) in [
        (
            "Server=TCP:db.example,5433;Initial Catalog=d;User ID=u;Password=x;Encrypt=True;Connect Timeout=30",
            &codes::CONNINFO_UNKNOWN_OPTION,
            own,
        ),
        ("Server=db.example,5433;Database=d;User Id=u;Password=x;", &codes::CONNINFO_INVALID_VALUE, own),
        (
            "Server=tcp:db.example;Database=d;Uid=u;ApplicationIntent=ReadOnly",
            &codes::CONNINFO_UNKNOWN_OPTION,
            "Host=db.example;Database=d;Username=u;SSL Mode=VerifyFull",
        ),
    ] {
        let found = refused(text).fails(code);
        assert_eq!(found.diagnosis.fixes[0].in_dialect, Some(Ok(written.to_owned())), "{text}");
        assert_eq!(found.diagnosis.fixes.len(), 1, "{:?}", found.diagnosis.fixes);
    }
    // Two hosts are no host and port.
    assert!(matches!(dialect::read(b"Host=a,b;Username=u", None), dialect::Target::Driver(_)));
}

/// A check of what a string of another driver's says.
fn read_as_driver(text: &str, change: impl FnOnce(Evidence) -> Evidence) -> Evidence {
    let dialect::Target::Driver(reading) = dialect::read(text.as_bytes(), None) else { panic!("{text}") };
    let original = Secret::new(text.as_bytes().to_vec());
    change(Evidence::healthy())
        .with(|evidence| evidence.typed = Some(Arc::new(Typed::new(original, Read::Driver(reading)))))
}

#[test]
fn a_host_under_another_drivers_keyword_is_written_under_the_drivers_own() {
    let socket = |evidence: Evidence| {
        evidence
            .with_settings(|settings| settings.hosts[0].endpoint = Endpoint::Socket(PathBuf::from("/run")))
    };
    for (text, own) in [
        ("Driver={PostgreSQL Unicode};Host=db.example;Database=d;Uid=u;SSLmode=verify-full", "Servername"),
        ("Driver={PostgreSQL ANSI};hostname=db.example;Uid=u;SSLmode=verify-full", "Servername"),
    ] {
        let found = read_as_driver(text, socket).fails(&codes::TLS_NOT_REQUESTED).sets("host", "db.example");
        let fixes = &found.diagnosis.fixes;
        assert!(fixes[0].text.starts_with(&format!("write {own} for ")), "{fixes:?}");
        assert!(fixes.iter().all(|fix| !fix.text.contains("host=NAME")), "{fixes:?}");
    }
}

#[test]
fn parameters_of_the_driver_that_the_uri_is_for_are_taken_out_for_libpq() {
    for (query, keyword, owner, rest) in [
        ("schema=public&sslmode=verify-full", "schema", "Prisma", "?sslmode=verify-full"),
        ("sslmode=require&pgbouncer=true", "pgbouncer", "Prisma", "?sslmode=require"),
        ("schema=public", "schema", "Prisma", ""),
    ] {
        let text = format!("postgresql://u@h/d?{query}");
        let at = text.find(keyword).unwrap();
        let error = ConfigError::UnknownOption {
            keyword: keyword.into(),
            nearest: None,
            origin: Origin::ConnectionString,
            span: Some(at..at + keyword.len()),
        };
        let found = misconfigured(&text, error)
            .fails(&codes::CONNINFO_UNKNOWN_OPTION)
            .because(&format!("`{keyword}` is {owner}'s"));
        let (place, new) = found.diagnosis.fixes[0].edit.as_ref().unwrap();
        let mended = format!("{}{new}{}", &text[..place.start], &text[place.end..]);
        assert_eq!(mended.trim_end_matches('?'), format!("postgresql://u@h/d{rest}"));
    }
}

#[test]
fn a_word_is_called_as_it_was_typed() {
    refused("postgresql+asyncpg://u@h/d?ssl=true")
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .titled("SQLAlchemy with asyncpg rejects the value of ssl")
        .advises("set ssl to verify-full")
        .runs("clients --for asyncpg");
    refused("Host=h;Username=u;SslMode=yes")
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .advises("set SslMode to VerifyFull");
}

#[test]
fn parameters_behind_an_ampersand_are_shown_behind_a_question_mark() {
    for (typed, meant) in [
        (
            "jdbc:postgresql://h:1/d&user=u&password=x&sslmode=verify-full",
            "jdbc:postgresql://h:1/d?user=u&sslmode=verify-full",
        ),
        (
            "jdbc:postgresql://h/d&sslrootcert=/a/b.pem&user=u@x",
            "jdbc:postgresql://h/d?user=u%40x&sslrootcert=%2Fa%2Fb.pem",
        ),
        ("postgresql+asyncpg://u:x@h/d&ssl=verify-full", "postgresql+asyncpg://u@h/d?ssl=verify-full"),
    ] {
        let found = refused(typed)
            .fails(&codes::CONNINFO_SYNTAX)
            .titled("the parameters of the URL begin with & in place of ?");
        assert_eq!(found.diagnosis.fixes[0].in_dialect, Some(Ok(meant.to_owned())), "{typed}");
        let mark = found.diagnosis.mark.as_ref().unwrap();
        assert!(mark.text.ends_with(typed.rsplit('&').next().unwrap()), "{}", mark.text);
    }
    for other in ["jdbc:postgresql://h/d&x", "jdbc:postgresql://h/d&nobodys=1&x"] {
        assert!(matches!(dialect::read(other.as_bytes(), None), dialect::Target::Driver(_)), "{other}");
    }
}

/// Public roots verify nobody whose CA is a provider's own.
#[test]
fn a_driver_without_tls_gets_the_providers_roots_where_they_are_private() {
    let text = "postgres://u@h/d";
    let node = dialect::find("node-postgres").unwrap();
    for (host, file) in [
        ("x.c1.eu-west-1.rds.amazonaws.com", "aws-roots.pem"),
        ("x.postgres.database.azure.com", "system"),
        ("db.example", "system"),
    ] {
        let dialect::Target::Driver(reading) = dialect::read(text.as_bytes(), Some(node)) else { panic!() };
        let original = Secret::new(text.as_bytes().to_vec());
        let typed =
            Typed { unused_roots: Some("system".to_owned()), ..Typed::new(original, Read::Driver(reading)) };
        Evidence::at(host, "203.0.113.7")
            .with_trust(|trust| trust.roots = Roots::None)
            .with_settings(|settings| {
                settings.sslmode = SslMode::Disable;
                settings.parameters.retain(|known| known.keyword != "sslrootcert");
            })
            .with(|evidence| evidence.typed = Some(Arc::new(typed)))
            .fails(&codes::TLS_NOT_REQUESTED)
            .sets("sslrootcert", file);
    }
}

#[test]
fn a_part_of_a_longer_string_is_not_repeated() {
    let kind = SyntaxErrorKind::MissingEquals("secret".into());
    let error = ConfigError::Syntax(SyntaxError { kind, span: 19..25 });
    let found =
        misconfigured("password=my secret host=x", error).fails(&codes::CONNINFO_SYNTAX).advises("quotes");
    assert!(!format!("{:?}", found.diagnosis).contains("secret"), "{:#?}", found.diagnosis);
}

#[test]
fn another_scheme_is_named() {
    let kind = SyntaxErrorKind::MissingEquals("jdbc:postgresql://h/d".into());
    let error = ConfigError::Syntax(SyntaxError { kind, span: 0..21 });
    misconfigured("jdbc:postgresql://h/d", error)
        .fails(&codes::CONNINFO_SYNTAX)
        .advises("begin the URI with postgresql:// instead of jdbc:postgresql://");
}

#[test]
fn a_uri_of_another_database_is_told_from_a_misspelt_one() {
    for (input, other) in [("mysql://u@h/d?sslmode=x", true), ("pgsql-x://u@h/d?sslmode=x", false)] {
        let (keyword, _) = input.split_once('=').unwrap();
        let error = ConfigError::UnknownOption {
            keyword: keyword.into(),
            nearest: None,
            origin: Origin::ConnectionString,
            span: Some(0..keyword.len()),
        };
        let found = misconfigured(input, error).fails(&codes::CONNINFO_UNKNOWN_OPTION);
        let (scheme, _) = input.split_once("://").unwrap();
        let found = found.advises(&match other {
            true => format!("one that begins with {scheme}:// is for MySQL or MariaDB"),
            false => format!("begin the URI with postgresql:// instead of {scheme}://"),
        });
        assert_eq!(found.diagnosis.cause.contains("another database system"), other, "{input}");
        assert!(found.diagnosis.evidence.iter().all(|(label, _)| *label != "option"), "{input}");
    }
}

#[test]
fn a_quote_in_a_password_is_left_to_pgpassword_and_one_elsewhere_escaped() {
    for (keyword, advice) in
        [("password", "set PGPASSWORD to it as it is"), ("sslrootcert", "write \\' for it")]
    {
        let input = format!("{keyword}='it's' host=h");
        let at = keyword.len() + 5;
        let kind = SyntaxErrorKind::MissingEquals("s'".into());
        let error = ConfigError::Syntax(SyntaxError { kind, span: at..at + 2 });
        let found = misconfigured(&input, error)
            .fails(&codes::CONNINFO_SYNTAX)
            .titled("a quoted value ends at a ' inside it")
            .advises(advice);
        let is_shown = found.diagnosis.evidence.iter().any(|(label, _)| *label == "found");
        assert_eq!(is_shown, keyword != "password", "{:?}", found.diagnosis.evidence);
    }
}

#[test]
fn pairs_with_colons_are_written_with_equals_signs() {
    let mended = |input: &str| {
        let kind = SyntaxErrorKind::MissingEquals("host:".into());
        let error = ConfigError::Syntax(SyntaxError { kind, span: 0..5 });
        let fixes = misconfigured(input, error).fails(&codes::CONNINFO_SYNTAX).diagnosis.fixes;
        fixes.into_iter().find_map(|fix| fix.edit).map(|(_, text)| text)
    };
    assert_eq!(mended("host: h user: me").as_deref(), Some("host=h user=me"));
    assert_eq!(mended("host: h user me"), None);
    assert_eq!(mended("host: h nouser: me"), None);
}

#[test]
fn a_quote_without_end_is_marked() {
    let error = ConfigError::Syntax(SyntaxError { kind: SyntaxErrorKind::UnterminatedQuote, span: 5..6 });
    misconfigured("host='x", error)
        .fails(&codes::CONNINFO_SYNTAX)
        .titled("a quoted value does not end")
        .shows("found", "'");
    let column = |error: SyntaxError, input| {
        let found = misconfigured(input, ConfigError::Syntax(error)).fails(&codes::CONNINFO_SYNTAX);
        found.diagnosis.evidence.into_iter().find(|(label, _)| *label == "column").map(|(_, fact)| fact)
    };
    let quote = SyntaxError { kind: SyntaxErrorKind::UnterminatedQuote, span: 5..6 };
    assert_eq!(column(quote, "host='x"), Some(Fact::Number(6)));
    // Columns count characters of what is shown: the secret before it has the length of its mask.
    let word = SyntaxError { kind: SyntaxErrorKind::MissingEquals("x".into()), span: 12..13 };
    assert_eq!(column(word, "password=ab x y=z"), Some(Fact::Number(19)));
}

#[test]
fn what_is_wrong_in_a_uri_is_said() {
    for (kind, advice) in [
        (SyntaxErrorKind::NulByte, "zero byte"),
        (SyntaxErrorKind::UnclosedBracket, "[2001:db8::7]"),
        (SyntaxErrorKind::EmptyBrackets, "[2001:db8::7]"),
        (SyntaxErrorKind::TextBehindBracket, "]:5432"),
        (SyntaxErrorKind::ParameterWithoutEquals, "keyword=value"),
        (SyntaxErrorKind::ParameterWithTwoEquals, "%3D"),
        (SyntaxErrorKind::BadPercentEncoding, "%25"),
        (SyntaxErrorKind::BareSpace, "%20"),
    ] {
        let error = ConfigError::Syntax(SyntaxError { kind, span: 14..15 });
        let found = misconfigured("postgresql://h/d", error).fails(&codes::CONNINFO_SYNTAX).advises(advice);
        assert!(found.diagnosis.mark.is_some());
    }
}

/// Copied out of an XML or HTML file, every name but the first begins behind an entity.
#[test]
fn the_entities_of_a_document_are_taken_out_of_a_url() {
    let input = "postgresql://u@h/d?sslmode=require&amp;sslrootcert=r.pem&amp;application_name=a";
    let start = input.find("amp;").unwrap();
    let error = ConfigError::UnknownOption {
        keyword: "amp;sslrootcert".into(),
        nearest: Some("sslrootcert"),
        origin: Origin::ConnectionString,
        span: Some(start..start + "amp;sslrootcert".len()),
    };
    let found = misconfigured(input, error)
        .fails(&codes::CONNINFO_UNKNOWN_OPTION)
        .because("how XML and HTML write `&`");
    let [fix] = found.diagnosis.fixes.as_slice() else { panic!("{:#?}", found.diagnosis.fixes) };
    let (span, new) = fix.edit.clone().unwrap();
    assert_eq!(
        [&input[..span.start], &new, &input[span.end..]].concat(),
        "postgresql://u@h/d?sslmode=require&sslrootcert=r.pem&application_name=a"
    );
}

#[test]
fn an_unknown_option_gets_its_neighbour() {
    let found =
        misconfigured("sslmode=verify-full sslrotcert=roots.pem", unknown("sslrotcert", Some("sslrootcert")))
            .fails(&codes::CONNINFO_UNKNOWN_OPTION)
            .titled("unknown connection option `sslrotcert`")
            .shows("nearest", "sslrootcert")
            .advises("`sslrootcert`");
    assert_eq!(found.diagnosis.mark.unwrap().label, "did you mean `sslrootcert`?");
    misconfigured("x=1", unknown("x", None)).fails(&codes::CONNINFO_UNKNOWN_OPTION).advises("manual");
}

#[test]
fn a_refused_value_names_what_is_allowed() {
    let error = |keyword, value: &str, allowed: &str| ConfigError::InvalidValue {
        keyword,
        value: value.into(),
        allowed: allowed.to_owned(),
        origin: Origin::Environment("PGSSLMODE"),
        span: None,
    };
    let modes = "disable, allow, prefer, require, verify-ca or verify-full";
    for value in ["verify-all", "verify", "\"verify-full\"", "requir", ""] {
        let found = misconfigured("", error("sslmode", value, modes))
            .fails(&codes::CONNINFO_INVALID_VALUE)
            .shows("allowed", "verify-full")
            .shows("from", "PGSSLMODE")
            .sets("sslmode", "verify-full");
        let others =
            found.diagnosis.fixes.iter().flat_map(|fix| &fix.settings).filter(|(_, v)| v != "verify-full");
        assert_eq!(others.count(), 0, "nothing weaker is offered");
    }
    let found = misconfigured("", error("sslmode", "verify-full\r", modes))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .sets("sslmode", "verify-full");
    assert!(found.diagnosis.cause.starts_with("the end of a line belongs to it"), "{:?}", found.diagnosis);
    misconfigured("", error("channel_binding", "requires", "disable, prefer or require"))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .sets("channel_binding", "require");
    misconfigured("", error("user", "", "the system knows no name for this account"))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .titled("user is not set, and the system knows no name for this account")
        .advises("PGUSER");
    misconfigured("", error("connect_timeout", "soon", "an integer"))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .advises("connect_timeout");
}

#[test]
fn a_contradiction_names_both_sides_and_its_way_out() {
    let error = ConfigError::Contradiction {
        parameters: vec![
            ("sslmode", "require".into(), Origin::Environment("PGSSLMODE")),
            ("sslrootcert", "system".into(), Origin::ConnectionString),
        ],
        reason: "the system's roots are trusted only with the name compared".to_owned(),
        remedy: vec![("sslmode", "verify-full".to_owned())],
    };
    misconfigured("sslrootcert=system", error)
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .titled("sslmode=require and sslrootcert=system cannot go together")
        .shows("given", "sslmode=require, from environment variable PGSSLMODE")
        .sets("sslmode", "verify-full");
}

/// The server may be older than direct TLS, so that a stronger sslmode alone would not do.
#[test]
fn direct_tls_that_goes_with_no_weak_mode_may_be_left_out() {
    let error = ConfigError::Contradiction {
        parameters: vec![
            ("sslmode", "allow".into(), Origin::ConnectionString),
            ("sslnegotiation", "direct".into(), Origin::ConnectionString),
        ],
        reason: "sslnegotiation=direct needs sslmode require, verify-ca or verify-full".to_owned(),
        remedy: vec![("sslmode", "verify-full".to_owned())],
    };
    misconfigured("sslmode=allow sslnegotiation=direct", error)
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .first_sets("sslmode", "verify-full")
        .sets("sslnegotiation", "postgres");
}

/// A name of several words is quoted whole, up to the next keyword; nothing else is taken for one.
#[test]
fn a_name_with_spaces_is_quoted_as_a_whole() {
    for (input, place, wanted) in [
        ("host=h user=Sales Team 2 dbname=d", 18..22, Some((12..24, "'Sales Team 2'"))),
        ("host=h dbname=my shop", 17..21, Some((14..21, "'my shop'"))),
        ("host=h user=a 'b' dbname=d", 14..17, None),
        ("host=h port=1 x dbname=d", 14..15, None),
    ] {
        let kind = SyntaxErrorKind::MissingEquals("x".into());
        let error = ConfigError::Syntax(SyntaxError { kind, span: place });
        let found = misconfigured(input, error).fails(&codes::CONNINFO_SYNTAX);
        let edit = found.diagnosis.fixes.iter().find_map(|fix| fix.edit.clone());
        assert_eq!(edit, wanted.map(|(span, text)| (span, text.to_owned())), "{input}");
    }
}

#[test]
fn a_variable_of_windows_in_a_uri_is_named_as_that() {
    let found = |input: &str| {
        let at = input.find('%').unwrap();
        let error = SyntaxError { kind: SyntaxErrorKind::BadPercentEncoding, span: at..at + 3 };
        misconfigured(input, ConfigError::Syntax(error)).fails(&codes::CONNINFO_SYNTAX)
    };
    found("postgresql://h/d?sslrootcert=%USERPROFILE%/r.pem")
        .because("a variable of Windows")
        .advises("write the path itself");
    found("postgresql://h/d?application_name=10%x").advises("%25");
}

/// The file is mended once, and no variable after the other.
#[test]
fn variables_from_a_file_of_windows_are_named_together() {
    let variables = || {
        [
            parameter("user", "app\r", Origin::Environment("PGUSER")),
            parameter("dbname", "orders", Origin::Environment("PGDATABASE")),
            parameter("sslmode", "require\r", Origin::Environment("PGSSLMODE")),
        ]
    };
    let error = ConfigError::InvalidValue {
        keyword: "sslmode",
        value: "require\r".into(),
        allowed: "x".to_owned(),
        origin: Origin::Environment("PGSSLMODE"),
        span: None,
    };
    let found = misconfigured("", error)
        .with(|evidence| evidence.unmerged.extend(variables()))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .advises("PGUSER, PGSSLMODE all end with \\r")
        .runs("sed -i 's/\\r$//' FILE");
    assert_eq!(found.diagnosis.fixes.len(), 1);
    let found = Evidence::healthy()
        .with_settings(|settings| settings.parameters.extend(variables().into_iter().take(1)))
        .with_error("28P01", "password authentication failed")
        .fails(&codes::PASSWORD_REJECTED);
    // What else may be at fault stays behind it.
    let fixes = &found.diagnosis.fixes;
    assert!(fixes[0].text.starts_with("PGUSER ends with") && fixes.len() > 1, "{fixes:?}");
}

#[test]
fn a_port_or_address_that_is_none_fails_its_slot() {
    Evidence::healthy()
        .with_settings(|settings| settings.hosts[0].port = Err(BadPort::OutOfRange("65536".to_owned())))
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .shows("value", "65536")
        .sets("port", "5432");
    Evidence::healthy()
        .with_settings(|settings| {
            settings.hosts[0].endpoint = Endpoint::BadAddress;
            settings.parameters.push(parameter("hostaddr", "db.example", Origin::ConnectionString));
        })
        .fails(&codes::CONNINFO_INVALID_VALUE)
        .sets("host", "db.example");
}

#[test]
fn a_character_that_looks_like_another_is_named_and_written_plainly() {
    let login_name = crate::conninfo::LoginName::Known("me".to_owned());
    let environment = Environment { login_name, ..Environment::default() };
    for (code, typed, because, mended) in [
        (
            &codes::CONNINFO_HOST_MALFORMED,
            "host=db.example\u{a0}dbname=d password=a\u{2013}b port=1",
            "U+00A0 in it looks like a space",
            "host=db.example dbname=d password=a\u{2013}b port=1",
        ),
        (
            &codes::CONNINFO_HOST_MALFORMED,
            "postgresql://me@db\u{2011}two.example\u{a0}/d",
            "U+2011",
            "postgresql://me@db-two.example/d",
        ),
        (&codes::CONNINFO_INVALID_VALUE, "port=5432\u{202f}host=h", "U+202F", "port=5432 host=h"),
        (
            &codes::CONNINFO_INVALID_VALUE,
            "host=h sslmode=\u{feff}require",
            "invisible",
            "host=h sslmode=require",
        ),
        (&codes::CONNINFO_UNKNOWN_OPTION, "\u{200b}host=h", "U+200B", "host=h"),
        (
            &codes::CONNINFO_SYNTAX,
            "host=h application_name=\u{201c}my app\u{201d}",
            "U+201D",
            "host=h application_name='my app'",
        ),
    ] {
        let evidence = match resolve(Some(typed.as_bytes()), &Overrides::default(), &environment) {
            Err(failure) => misconfigured(typed, failure.error),
            Ok(settings) => Evidence::healthy().with(|evidence| {
                evidence.config = Ok(settings);
                evidence.input = Some(Secret::new(typed.as_bytes().to_vec()));
            }),
        };
        let found = evidence.fails(code).because(because);
        let [fix] = found.diagnosis.fixes.as_slice() else { panic!("{:#?}", found.diagnosis.fixes) };
        let (span, new) = fix.edit.clone().unwrap();
        assert_eq!(format!("{}{new}{}", &typed[..span.start], &typed[span.end..]), mended);
    }
    // A dash elsewhere is no fault.
    let typed = "application_name=a\u{2013}b sslmode=requier";
    let failure = resolve(Some(typed.as_bytes()), &Overrides::default(), &environment).unwrap_err();
    misconfigured(typed, failure.error).fails(&codes::CONNINFO_INVALID_VALUE).sets("sslmode", "verify-full");
}

#[test]
fn a_host_with_more_than_a_name_is_corrected() {
    let host = |given: &str, meant: Option<&str>| {
        Evidence::healthy().with_settings(|settings| {
            settings.hosts[0].name = crate::conninfo::testing::value("host", given);
            settings.hosts[0].endpoint = Endpoint::Malformed { meant: meant.map(str::to_owned) };
        })
    };
    host("https://db.example/", Some("db.example"))
        .fails(&codes::CONNINFO_HOST_MALFORMED)
        .sets("host", "db.example");
    host("db.example:6432", Some("db.example"))
        .fails(&codes::CONNINFO_HOST_MALFORMED)
        .sets("host", "db.example")
        .sets("port", "6432");
    host("ss@localhost", None).fails(&codes::CONNINFO_HOST_MALFORMED).because("%40");
}

#[test]
fn a_missing_service_lists_the_files() {
    let error = ConfigError::ServiceNotFound {
        own_file: None,
        name: "ordres".to_owned(),
        files: vec![(PathBuf::from("/home/me/.pg_service.conf"), "no such section".to_owned())],
        unreadable: Vec::new(),
        others: vec!["billing".to_owned(), "orders".to_owned()],
    };
    misconfigured("service=ordres", error)
        .fails(&codes::SERVICE_NOT_FOUND)
        .shows("services", "billing")
        .advises("orders, the section with the nearest name")
        .shows("section", "[ordres]")
        .shows("looked_in", "/home/me/.pg_service.conf: no such section")
        .advises("[ordres] to /home/me/.pg_service.conf");
    // What it holds is not known: it is to be read first.
    let path = PathBuf::from("/home/me/.pg_service.conf");
    let error = ConfigError::ServiceNotFound {
        own_file: None,
        name: "orders".to_owned(),
        files: vec![(path.clone(), "cannot be read".to_owned())],
        unreadable: vec![path],
        others: Vec::new(),
    };
    let found = misconfigured("service=orders", error).fails(&codes::SERVICE_NOT_FOUND);
    assert!(found.diagnosis.fixes[0].text.contains("read the file"), "{:?}", found.diagnosis.fixes);
}

#[test]
fn without_a_host_there_is_nothing_to_compare() {
    misconfigured("hostaddr=203.0.113.7", ConfigError::HostRequired)
        .fails(&codes::HOST_REQUIRED)
        .advises("host=NAME");
    let unnamed = |mode| {
        Evidence::healthy().with_settings(|settings| {
            settings.sslmode = mode;
            settings.hosts[0].name = crate::conninfo::ParameterValue::default();
            settings.hosts[0].endpoint = Endpoint::Address(address("203.0.113.7"), None);
        })
    };
    unnamed(SslMode::VerifyFull).fails(&codes::HOST_REQUIRED).shows("certificate_for", HOST);
    unnamed(SslMode::VerifyCa).verified();
}

#[test]
fn no_tls_is_never_verified() {
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Disable)
        .fails(&codes::TLS_NOT_REQUESTED)
        .titled("sslmode=disable turns TLS off")
        .shows("from", "PGSSLMODE")
        .sets("sslmode", "verify-full");
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Allow)
        .with_attempt(|attempt| attempt.plaintext = Some(step(3.0, 1.0, PlaintextAnswer::Admitted)))
        .fails(&codes::TLS_NOT_REQUESTED)
        .titled("sslmode=allow tries plaintext first, and the server accepts it");
    Evidence::healthy()
        .with_settings(|settings| {
            settings.hosts[0].endpoint = Endpoint::Socket(PathBuf::from("/var/run/postgresql"));
        })
        .fails(&codes::TLS_NOT_REQUESTED)
        .shows("socket", "/var/run/postgresql");
    for (socket, empty, first) in [
        ("/cloudsql/orders:europe-west1:main", false, "in Cloud Run: attach the instance"),
        ("/cloudsql", false, "name the server by the host name"),
        ("/var/run/postgresql", true, "give the string that was meant"),
    ] {
        let roots = || Roots::Missing { path: None, typed: None, obstacle: None, similar: None };
        let found = Evidence::healthy()
            .with_trust(|trust| trust.roots = roots())
            .with_settings(|settings| settings.hosts[0].endpoint = Endpoint::Socket(PathBuf::from(socket)))
            .with(|evidence| {
                evidence.missing_socket = Some(PathBuf::from(socket).join(".s.PGSQL.5432"));
                evidence.input = Some(Secret::new(if empty { vec![] } else { b"user=app".to_vec() }));
            })
            .fails(&codes::TLS_NOT_REQUESTED)
            .titled(&format!("{socket}/.s.PGSQL.5432 does not exist; a Unix-domain socket never uses TLS"));
        let fixes = &found.diagnosis.fixes;
        assert!(fixes[0].text.starts_with(first), "{fixes:#?}");
        let attach = "gcloud run services update SERVICE --add-cloudsql-instances orders:europe-west1:main";
        assert_eq!(fixes[0].command.as_deref() == Some(attach), socket.contains(':'), "{fixes:#?}");
        // No server of this machine's, no root file.
        assert_eq!(fixes.iter().any(|fix| fix.text.contains("it does not run")), !socket.contains(':'));
        assert!(found.outcome.also.is_empty(), "{:#?}", found.outcome.also);
    }
    // Where a platform gives the whole connection in a variable, that is what is meant.
    Evidence::healthy()
        .with_settings(|settings| {
            settings.hosts[0].endpoint = Endpoint::Socket(PathBuf::from("/var/run/postgresql"));
        })
        .with(|evidence| {
            evidence.server_at_hand = Some(ServerAtHand { variable: "ORDERS_URL".to_owned(), host: None });
        })
        .fails(&codes::TLS_NOT_REQUESTED)
        .advises("ORDERS_URL holds a URL");
    // allow, and the server refuses plaintext: TLS is verified.
    let refused = PlaintextAnswer::Refused(Default::default());
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Allow)
        .with_attempt(|attempt| attempt.plaintext = Some(step(3.0, 1.0, refused)))
        .verified();
}

#[test]
fn what_this_tool_refuses_is_named() {
    let error = ConfigError::NotSupported {
        keyword: "gssencmode",
        value: "require".into(),
        reason: "this tool checks TLS; libpq would encrypt by GSSAPI".to_owned(),
    };
    misconfigured("gssencmode=require", error)
        .fails(&codes::OPTION_NOT_SUPPORTED)
        .shows("option", "gssencmode")
        .because("GSSAPI");
}

//! What a password shows of itself: a token (a JSON Web Token, RFC 7519, or a signed request of AWS) says for what and whom
//! it is and until when, in the open. Nothing else of a password is ever told but what stands at its ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::fix::{exported, provider_hints};
use super::rule::Finding;
use super::view::View;
use super::{Fact, Fix};
use crate::clients::dialect::bracketed;
use crate::conninfo::Origin;
use crate::packed;
use crate::provider::{Situation, aws_region};
use crate::text;
use crate::timestamp::Timestamp;

/// What a token says in the open; no part of it lets anybody in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Token {
    /// For which service or server.
    pub(super) audience: Option<String>,
    /// For whom, where it is the name that PostgreSQL knows.
    pub(super) user: Option<String>,
    /// Until when.
    pub(super) expires: Option<Timestamp>,
    /// Whether an application logged in, with a secret or certificate of its own, and nobody in person.
    pub(super) is_application: bool,
    /// Whether the user is a guest of the directory that issued it: another one vouches for it.
    pub(super) is_guest: bool,
    /// For which region AWS signed it.
    pub(super) region: Option<String>,
    /// Whether it is a signed request of AWS, whose user and audience have to be the connection's.
    pub(super) of_aws: bool,
}

/// Longer ones are no tokens.
const LONGEST: usize = 16_384;
/// Most characters of a claim that are shown.
const LONGEST_CLAIM: usize = 120;

fn shown(claim: &str) -> String {
    text::truncated(&text::printable(claim), LONGEST_CLAIM)
}

/// The token that a password is, white space or not; `None` for one that is none.
pub(super) fn read(password: &[u8]) -> Option<Token> {
    let text = std::str::from_utf8(password).ok().filter(|text| text.len() <= LONGEST)?;
    let text: String = text.split_whitespace().collect();
    let text = text.trim_matches('"');
    of_aws(text).or_else(|| web_token(text))
}

fn web_token(text: &str) -> Option<Token> {
    let mut parts = text.split('.');
    let (header, claims, _signature, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let object = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
    };
    object(header)?.get("alg")?;
    let claims = object(claims)?;
    let claim = |name: &str| match claims.get(name)? {
        Value::String(text) => Some(shown(text)),
        Value::Array(several) => several.first()?.as_str().map(shown),
        _ => None,
    };
    let user = ["upn", "preferred_username", "unique_name"].into_iter().find_map(claim).or_else(|| {
        // A managed identity has the name of its resource.
        let resource = claims.get("xms_mirid")?.as_str()?;
        resource.rsplit_once('/').map(|(_, name)| shown(name))
    });
    let is_application = user.is_none() && claim("idtyp").is_some_and(|kind| kind == "app");
    let name = || ["app_displayname", "appid", "azp"].into_iter().find_map(claim);
    Some(Token {
        audience: claim("aud"),
        user: user.or_else(|| name().filter(|_| is_application)),
        is_application,
        is_guest: claim("idp").zip(claim("iss")).is_some_and(|(idp, issuer)| tenant(&idp) != tenant(&issuer)),
        expires: claims.get("exp").and_then(Value::as_i64).and_then(Timestamp::from_unix),
        ..Token::default()
    })
}

/// The directory in an address such as `https://sts.windows.net/TENANT/`; the same one is written in several ways.
fn tenant(issuer: &str) -> &str {
    issuer.split('/').nth(3).unwrap_or(issuer)
}

/// `HOST:PORT/?Action=connect&DBUser=…&X-Amz-Date=…&X-Amz-Expires=…` of RDS; DSQL's has no user.
fn of_aws(text: &str) -> Option<Token> {
    let (place, query) = text.split_once("/?")?;
    let of = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(known, _)| *known == name))
            .map(|(_, v)| v)
    };
    of("X-Amz-Signature")?;
    let decoded = |value: &str| shown(&value.replace("%40", "@").replace("%2F", "/"));
    let signed = of("X-Amz-Date").and_then(moment);
    let seconds = of("X-Amz-Expires").and_then(|seconds| seconds.parse::<u32>().ok());
    let expires =
        signed.zip(seconds).and_then(|(at, more)| Timestamp::from_unix(at.unix() + i64::from(more)));
    // KEY/DAY/REGION/rds-db/aws4_request
    let scope = of("X-Amz-Credential").map(decoded);
    let region = scope.and_then(|scope| scope.split('/').nth(2).map(str::to_owned));
    let (audience, user) = (Some(shown(place)), of("DBUser").map(decoded));
    Some(Token { audience, user, expires, region, of_aws: true, ..Token::default() })
}

/// `20261130T080000Z`
fn moment(text: &str) -> Option<Timestamp> {
    let number = |at: std::ops::Range<usize>| text.get(at)?.parse::<u8>().ok();
    let year = text.get(0..4)?.parse().ok()?;
    Timestamp::from_utc(year, number(4..6)?, number(6..8)?, number(9..11)?, number(11..13)?, number(13..15)?)
}

/// The password that was sent, if it is a token.
pub(super) fn of(view: &View<'_>) -> Option<Token> {
    read(view.host()?.password.as_ref()?.secret.expose())
}

/// A token with white space in it, as it comes out of a terminal's window.
pub(super) fn wrapped(view: &View<'_>) -> Option<Finding> {
    let password = view.host()?.password.as_ref()?;
    let text = std::str::from_utf8(password.secret.expose()).ok()?.trim();
    let token = of(view).filter(|_| text.contains(char::is_whitespace))?;
    let what = if text.contains('\n') { "line breaks" } else { "spaces" };
    let fix = Fix::text(format!("take the {what} out of it"));
    let fix = match &password.origin {
        Origin::Environment(variable) if !cfg!(windows) => {
            fix.run(format!("export {variable}=\"$(printf %s \"${variable}\" | tr -d '[:space:]')\""))
        }
        _ => fix,
    };
    let fixes = match token.expires.is_some_and(|at| at <= view.evidence.started) {
        true => vec![new_token(view)],
        false => vec![fix, new_token(view)],
    };
    Some(
        Finding::titled(format!("the token in {} has {what} in it", password.origin.phrase()))
            .because("a token has no white space; what is copied from a terminal gets a line break at the end of each of its lines")
            .fact_if("token_expires", token.expires.map(|at| Fact::Text(at.minute())))
            .fixes(fixes),
    )
}

/// A token that no server takes any more, known before one is asked.
pub(super) fn expired(view: &View<'_>) -> Option<Finding> {
    of(view)?.expires.filter(|at| *at <= view.evidence.started)?;
    rejected(view)
}

/// A rejected login with a token: what the token shows of the reason, and what helps.
pub(super) fn rejected(view: &View<'_>) -> Option<Finding> {
    let token = of(view)?;
    let origin = view.host()?.password.as_ref()?.origin.phrase();
    let origin = origin.strip_prefix("environment variable ").unwrap_or(&origin).to_owned();
    let now = view.evidence.started;
    let known = view.provider().map(|found| found.provider.token_audiences).unwrap_or_default();
    let is_known = |audience: &str| known.contains(&audience.trim_end_matches('/'));
    let another = token.audience.clone().filter(|audience| match token.of_aws {
        // An alias in front of an instance is called otherwise than the token.
        true => view.provider().is_some() && view.dns_name().is_some_and(|host| !audience.starts_with(&host)),
        false => !known.is_empty() && audience.starts_with("https://") && !is_known(audience),
    });
    let renew = new_token(view);
    let expired = token.expires.filter(|at| *at <= now);
    let (title, cause, fixes) = if let Some(at) = expired {
        (
            format!("the token in {origin} has expired"),
            format!(
                "it expired at {}, {} before this check; the server accepts none after that",
                at.minute(),
                now.distance(at)
            ),
            vec![
                renew,
                Fix::text(
                    "in a service: get a token for each new connection (or before it expires), not once at the start",
                ),
            ],
        )
    } else if let Some(audience) = another {
        let wanted = match known.first() {
            Some(wanted) => {
                format!("the server accepts tokens for {wanted} only; this one is for {audience}")
            }
            None => {
                format!("it was signed for {audience}; you connect to {}:{}", view.host_name(), view.port())
            }
        };
        (format!("the token in {origin} is for another service or server: {audience}"), wanted, vec![renew])
    } else if let Some((wanted, signed)) = other_region(&token) {
        (
            format!("the token in {origin} is signed for the region {signed}, the server is in {wanted}"),
            "the AWS CLI and SDKs take the region from their own settings, such as AWS_REGION, if they are told no other".to_owned(),
            vec![renew],
        )
    } else {
        of_another_user(view, &token, &origin, renew)
    };
    Some(
        Finding::titled(title)
            .because(cause)
            .fact_if("token_for", token.audience)
            .fact_if("token_user", token.user)
            .fact_if("token_expires", token.expires.map(|at| Fact::Text(at.minute())))
            .fixes(fixes),
    )
}

const SIGN_IN: &str = "sign in with it (such as az login), then get a new token";

/// A token that nothing is wrong with by itself: the title, the cause and what helps.
fn of_another_user(view: &View<'_>, token: &Token, origin: &str, renew: Fix) -> (String, String, Vec<Fix>) {
    let user = view.user();
    let guest = token.is_guest.then(|| {
        let role = format!("{}#EXT#@TENANT.onmicrosoft.com", user.replace('@', "_"));
        Fix::text(format!(
            "{user} is a guest in the directory (Entra ID) of this token, where a guest has another name, mostly {role} (TENANT: that \
             directory): set user to the name of its role, which the first command below lists"
        ))
    });
    let valid = token
        .expires
        .map_or_else(String::new, |at| format!("by itself the token is valid until {}; ", at.minute()));
    match token.user.as_ref().filter(|name| **name != user) {
        Some(name) if token.of_aws => (
            format!("the token in {origin} is for the user {name}, you connect as {user}"),
            "a token is valid for one user".to_owned(),
            vec![renew, Fix::text("log in as the user of the token").set("user", name.clone())],
        ),
        Some(name) => (
            match token.is_application {
                true => {
                    format!("the token in {origin} is that of the application {name}, you connect as {user}")
                }
                false => format!("the token in {origin} is for {name}, you connect as {user}"),
            },
            format!(
                "{valid}user has to be {name} in the same case, or a group that {name} belongs to, and has to have a role"
            ),
            vec![
                Fix::text("log in as the user of the token").set("user", name.clone()),
                Fix {
                    text: match user.contains('@') {
                        true => format!("if {user} is meant: {SIGN_IN}"),
                        false => format!(
                            "if {user} is meant: a PostgreSQL role has a password of its own, set that instead of the token; for an account \
                             of that name: {SIGN_IN}"
                        ),
                    },
                    ..renew
                },
            ],
        ),
        None => (
            format!("the token of {user} is rejected"),
            format!(
                "{valid}the server reports the same where the role {user} does not exist, is spelled otherwise (case counts), or \
                     may not log in with a token"
            ),
            guest
                .into_iter()
                .chain(provider_hints(view, Situation::RoleMissing, None))
                .chain([renew])
                .collect(),
        ),
    }
}

/// The region of the server that a token of AWS is for, and the one that it is signed for, where they differ.
fn other_region(token: &Token) -> Option<(String, String)> {
    let server = token.audience.as_deref()?.split(':').next()?;
    let wanted = aws_region(server)?.to_ascii_lowercase();
    token.region.clone().filter(|signed| *signed != wanted).map(|signed| (wanted, signed))
}

/// How to get a token. A known provider's own command comes first, from its table.
pub(super) fn fix(view: &View<'_>, said: &str) -> Fix {
    let password = view.host().and_then(|host| host.password.as_ref());
    let place = match password.map(|password| &password.origin) {
        Some(Origin::Environment(variable)) => format!("set {variable} to what the command prints"),
        Some(origin) => format!("put it into {}", origin.phrase()),
        None => "put it where the old one came from".to_owned(),
    };
    let fix = Fix::text(format!(
        "get a new token for this user and server and {place}; the role must be allowed to log in with tokens"
    ));
    if view.provider().is_some_and(|found| found.provider.hints(Situation::PasswordRejected).next().is_some())
    {
        return fix;
    }
    let (host, user) = (text::shell_quoted(&view.host_name()), text::shell_quoted(&view.user()));
    // Aurora DSQL's own words.
    if said.to_lowercase().contains("unable to accept connection, access denied") {
        let action = if view.user() == "admin" {
            "generate-db-connect-admin-auth-token"
        } else {
            "generate-db-connect-auth-token"
        };
        return fix.run(format!("aws dsql {action} --hostname {host} --region REGION"));
    }
    let name = view.dns_name();
    let region = name.as_deref().and_then(aws_region);
    let aws = format!(
        "aws rds generate-db-auth-token --hostname {host} --port {} --username {user}{}",
        view.port(),
        region.map_or_else(String::new, |region| format!(" --region {}", text::shell_quoted(region)))
    );
    if region.is_some() || of(view).is_some_and(|token| token.of_aws) {
        return fix.run(aws);
    }
    fix.run(format!(
        "# AWS (RDS, Aurora):\n\
         {aws}\n\
         # Azure (Entra ID):\n\
         az account get-access-token --resource-type oss-rdbms --query accessToken -o tsv\n\
         # Google Cloud SQL (IAM):\n\
         gcloud sql generate-login-token"
    ))
}

/// A reference to a password in its place: what should have read it did not.
pub(super) fn unresolved(view: &View<'_>) -> Option<Finding> {
    let password = view.host()?.password.as_ref()?;
    let text = std::str::from_utf8(password.secret.expose()).ok()?.trim();
    let [_, what, mend, command] = packed::rows::<4>("recognise", "references").find(|[ends, ..]| {
        ends.split_once('*').is_some_and(|(begin, end)| text.starts_with(begin) && text.ends_with(end))
    })?;
    let origin = password.origin.phrase();
    let origin = origin.strip_prefix("environment variable ").unwrap_or(&origin);
    let fix = Fix::text(mend);
    Some(
        Finding::titled(format!("the password in {origin} is {what}, not the password itself"))
            .because(
                "what should have put the password in its place did not, and the reference was sent as it is",
            )
            .fix(if command.is_empty() { fix } else { fix.run(command) }),
    )
}

/// To get another token, by the provider's command where one is known.
fn new_token(view: &View<'_>) -> Fix {
    let fix = fix(view, "");
    let hint =
        provider_hints(view, Situation::PasswordRejected, None).into_iter().find_map(|hint| hint.command);
    match hint.or_else(|| fix.command.clone()) {
        Some(command) => exported(view, Fix::text("get a new token"), command),
        None => fix,
    }
}

/// What stands at the ends of a password that hardly belongs to it.
pub(super) fn at_its_ends(password: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(password).ok()?;
    let quoted = |quote| text.len() > 2 && text.starts_with(quote) && text.ends_with(quote);
    Some(match text {
        _ if text.ends_with("\r\n") || text.ends_with('\r') => {
            "ends with a carriage return (a line end of Windows)"
        }
        _ if text.ends_with('\n') => "ends with a line feed",
        _ if text.ends_with(char::is_whitespace) => "ends with white space",
        _ if text.starts_with('\u{feff}') => "begins with a byte order mark",
        _ if text.starts_with(char::is_whitespace) => "begins with white space",
        _ if quoted('"') => "is in double quotes",
        _ if quoted('\'') => "is in single quotes",
        _ => return bracketed(text),
    })
}

#[cfg(test)]
pub(super) fn signed(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"typ":"JWT","alg":"RS256"}"#), part(claims), part("sEcReT-signature"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnose::codes;
    use crate::evidence::Evidence;
    use crate::secret::Secret;

    #[test]
    fn every_reference_in_a_passwords_place_is_told_as_such() {
        let mut count = 0;
        for [ends, what, mend, _] in packed::rows::<4>("recognise", "references") {
            let found = Evidence::healthy()
                .with_settings(|settings| {
                    settings.hosts[0].password = Some(crate::conninfo::Password {
                        secret: Secret::new(ends.replace('*', "Turm9").into()),
                        origin: Origin::Environment("PGPASSWORD"),
                        lines: None,
                    });
                })
                .with_error("28P01", "password authentication failed for user \"app\"")
                .fails(&codes::PASSWORD_REJECTED)
                .titled(&format!("the password in PGPASSWORD is {what}, not the password itself"));
            assert_eq!(found.diagnosis.fixes[0].text, mend);
            assert!(!format!("{:?}", found.diagnosis).contains("Turm9"));
            count += 1;
        }
        assert!(count > 9, "{count}");
    }

    #[test]
    fn tokens_are_read_and_passwords_are_not() {
        let token = read(
            signed(r#"{"aud":"https://a.example/","exp":1796000000,"upn":"anna@b.example","oid":"x"}"#)
                .as_bytes(),
        );
        let token = token.unwrap();
        assert_eq!(token.audience.as_deref(), Some("https://a.example/"));
        assert_eq!(token.user.as_deref(), Some("anna@b.example"));
        assert_eq!(token.expires.map(Timestamp::unix), Some(1_796_000_000));
        // The command without -o tsv prints it in quotes; an end of line is no part of it.
        assert_eq!(
            read(format!("\"{}\"\n", signed(r#"{"aud":["x","y"]}"#)).as_bytes()).unwrap().audience.unwrap(),
            "x"
        );
        let rds = "db.c1.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app%40x&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                   &X-Amz-Date=20261130T080000Z&X-Amz-Expires=900&X-Amz-Signature=0f";
        let token = read(rds.as_bytes()).unwrap();
        assert!(token.of_aws);
        assert_eq!(token.user.as_deref(), Some("app@x"));
        assert_eq!(token.expires.unwrap().to_string(), "2026-11-30T08:15:00Z");
        let identity = signed(
            r#"{"appid":"77aa","xms_mirid":"/subscriptions/1/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app"}"#,
        );
        assert_eq!(read(identity.as_bytes()).unwrap().user.as_deref(), Some("id-app"));
        let application = r#"{"idtyp":"app","app_displayname":"sp-jobs","appid":"77aa"}"#;
        let token = read(signed(application).as_bytes()).unwrap();
        assert!(token.is_application && !token.is_guest);
        assert_eq!(token.user.as_deref(), Some("sp-jobs"));
        for (idp, is_guest) in [("https://sts.example/b/", true), ("https://sts.example/a/", false)] {
            let claims =
                format!(r#"{{"iss":"https://login.example/a/v2.0","idp":"{idp}","unique_name":"x@y"}}"#);
            assert_eq!(read(signed(&claims).as_bytes()).unwrap().is_guest, is_guest);
        }
        for password in ["", "secret", "a.b.c", "eyJhIjoxfQ.eyJhIjoxfQ.x", "x/?y=z"] {
            assert_eq!(read(password.as_bytes()), None, "{password}");
        }
    }

    #[test]
    fn what_stands_at_the_ends_is_named() {
        for (password, wanted) in [
            ("secret", None),
            ("se cr\net", None),
            ("secret\n", Some("line feed")),
            ("secret\r\n", Some("carriage return")),
            ("secret ", Some("ends with white space")),
            (" secret", Some("begins with white space")),
            ("\u{feff}secret", Some("byte order mark")),
            ("\"secret\"", Some("double quotes")),
            ("'secret'", Some("single quotes")),
            ("\"", None),
            ("", None),
        ] {
            let found = at_its_ends(password.as_bytes());
            assert_eq!(found.is_some(), wanted.is_some(), "{password:?}: {found:?}");
            assert!(
                found.unwrap_or_default().contains(wanted.unwrap_or_default()),
                "{password:?}: {found:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_password_is_read(password in prop::collection::vec(any::<u8>(), 0..60), claims in ".{0,60}") {
            let _ = (read(&password), at_its_ends(&password));
            let token = read(signed(&format!("{{\"aud\":{}}}", serde_json::Value::from(claims))).as_bytes()).unwrap();
            prop_assert!(token.audience.unwrap_or_default().chars().all(text::is_printable));
        }
    }
}

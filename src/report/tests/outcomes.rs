//! Outcomes to write reports of. Nothing in them is made up: settings come from a connection string, roots from files,
//! the chain is judged and the evidence diagnosed as in a check, and fixes that need no network are tried. Only what a
//! network would say is evidence by hand. The certificates have fixed bytes and are judged at a fixed time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::check::Run;
use crate::conninfo::{self, Endpoint, Environment, LoginName, Overrides, TlsVersion};
use crate::diagnose::tests::fixtures::{address, step};
use crate::diagnose::{Outcome, Policy, diagnose};
use crate::evidence::{Attempt, Evidence, NegotiateResult, Resolution, Scope, Step, TcpResult};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trial::{Context, try_fixes};
use crate::trust::{self, RootSource, Roots, SystemStore};

const ROOT: &str = include_str!("certificates/root.pem");
const INTERMEDIATE: &str = include_str!("certificates/intermediate.pem");
const SERVER: &str = include_str!("certificates/server.pem");
/// Another CA's, which begins and ends before the others.
const OTHER: &str = include_str!("certificates/other.pem");

/// All of them, each with the name of its snapshots.
pub(crate) fn all() -> Vec<(&'static str, Outcome)> {
    vec![
        ("healthy", healthy()),
        ("warning", warning()),
        ("warning-denied", warning_denied()),
        ("encrypted-only", encrypted_only()),
        ("hostname-mismatch", hostname_mismatch()),
        ("certificate-expired", certificate_expired()),
        ("unknown-issuer", unknown_issuer()),
        ("tcp-timeout", tcp_timeout()),
        ("server-refused-tls", server_refused_tls()),
        ("conninfo-unknown-option", unknown_option()),
        ("root-file-missing", root_file_missing()),
    ]
}

/// A verified server with TLS 1.3, and a session on it.
pub(crate) fn healthy() -> Outcome {
    Case::new(GOOD).outcome()
}

/// Verified, and soon no longer.
pub(crate) fn warning() -> Outcome {
    Case { now: date(2027, 4, 5), ..Case::new(GOOD) }.outcome()
}

/// The same, and one warning more, under `--deny certificate-expires-soon`.
pub(crate) fn warning_denied() -> Outcome {
    let mut outcome = Case {
        now: date(2027, 4, 5),
        change: |evidence| {
            let tls = &mut evidence.attempts.last_mut().unwrap().tls.as_mut().unwrap().result;
            tls.version = Some(TlsVersion::Tls12);
            tls.cipher = Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned());
        },
        ..Case::new(GOOD)
    }
    .outcome();
    let denied = vec!["certificate-expires-soon".to_owned()];
    Policy::new(false, denied, Vec::new()).unwrap().apply(&mut outcome);
    outcome
}

/// sslmode=require without a root file.
pub(crate) fn encrypted_only() -> Outcome {
    Case::new("host=db.example.com dbname=orders user=app sslmode=require").outcome()
}

/// A tunnel.
pub(crate) fn hostname_mismatch() -> Outcome {
    Case { to: &["127.0.0.1"], ..Case::new(TUNNEL) }.outcome()
}

/// The same, to a server whose certificate has ended.
pub(crate) fn certificate_expired() -> Outcome {
    Case { to: &["127.0.0.1"], now: date(2027, 5, 2), ..Case::new(TUNNEL) }.outcome()
}

/// A root file of another CA, beside one with the right root.
pub(crate) fn unknown_issuer() -> Outcome {
    Case::new("host=db.example.com dbname=orders user=app sslmode=verify-full sslrootcert=old-roots.pem")
        .outcome()
}

/// A private address without a way to it, after another one.
pub(crate) fn tcp_timeout() -> Outcome {
    Case {
        to: &["10.0.4.4", "10.0.4.5"],
        change: |evidence| {
            for (place, attempt) in evidence.attempts.iter_mut().enumerate() {
                attempt.tcp = Some(step(2.3 + 10_000.0 * place as f64, 10_000.0, TcpResult::TimedOut));
                (attempt.negotiate, attempt.tls, attempt.session) = (None, None, None);
            }
        },
        ..Case::new(GOOD)
    }
    .outcome()
}

/// `N`, from a pooler at an address that is not a name.
pub(crate) fn server_refused_tls() -> Outcome {
    Case {
        to: &["::1"],
        change: |evidence| {
            let attempt = evidence.attempts.last_mut().unwrap();
            attempt.negotiate = Some(step(0.3, 0.2, NegotiateResult::Refused));
            (attempt.tls, attempt.session) = (None, None);
        },
        ..Case::new("host=::1 port=6432 dbname=orders user=app sslmode=verify-full sslrootcert=roots.pem")
    }
    .outcome()
}

/// A mistyped keyword, with a password beside it.
pub(crate) fn unknown_option() -> Outcome {
    Case::new(
        "sslmode=verify-full sslrotcert=roots.pem host=db.example.com password=hunter2 connect_timeout=10 \
         application_name=nightly dbname=orders",
    )
    .outcome()
}

/// Backslashes that libpq eats.
pub(crate) fn root_file_missing() -> Outcome {
    Case::new(r"host=db.example.com sslmode=verify-full sslrootcert=c:\ssl\roots.pem dbname=orders user=app")
        .outcome()
}

/// The run of these.
pub(crate) fn run(outcomes: &[Outcome]) -> Run {
    let mut run = Run { elapsed: Duration::from_millis(10_100), ..Run::default() };
    outcomes.iter().for_each(|outcome| run.count(outcome));
    run
}

/// A connection string that verifies everything.
const GOOD: &str = "host=db.example.com dbname=orders user=app sslmode=verify-full sslrootcert=roots.pem";

/// One that leads elsewhere than to the name it verifies.
const TUNNEL: &str =
    "host=localhost port=15432 dbname=orders user=app sslmode=verify-full sslrootcert=roots.pem";

fn date(year: i32, month: u8, day: u8) -> Timestamp {
    Timestamp::from_utc(year, month, day, 15, 4, 5).unwrap()
}

/// A check of a connection string that found a server with the usual chain.
struct Case {
    conninfo: &'static str,
    /// The addresses of the host, each tried; the last is the server's.
    to: &'static [&'static str],
    now: Timestamp,
    /// What went another way.
    change: fn(&mut Evidence),
}

impl Case {
    fn new(conninfo: &'static str) -> Self {
        Self { conninfo, to: &["203.0.113.7"], now: date(2026, 11, 23), change: |_| {} }
    }

    fn outcome(self) -> Outcome {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("roots.pem"), ROOT).unwrap();
        std::fs::write(home.path().join("old-roots.pem"), OTHER).unwrap();
        let environment = Environment {
            variables: BTreeMap::from([
                ("PGPASSWORD".into(), "hunter2".into()),
                // The system's store is that of the other CA, wherever the tests run.
                ("SSL_CERT_FILE".into(), home.path().join("old-roots.pem").into()),
                ("SSL_CERT_DIR".into(), home.path().join("none").into()),
            ]),
            beside: Vec::new(),
            account_home: None,
            login_name: LoginName::Known("me".to_owned()),
            user_id: None,
            current_dir: home.path().to_owned(),
            secrets: Default::default(),
            system_config_dir: PathBuf::from("/nonexistent"),
            program: Default::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
        };
        let overrides = Overrides::default();
        let input = Secret::new(self.conninfo.as_bytes().to_vec());
        let evidence = self.evidence(&input, &overrides, &environment);
        let took = evidence.took;
        let context = Context {
            input: Some(&input),
            overrides: &overrides,
            environment: &environment,
            may_connect: false,
            total_limit: None,
            system_store: &SystemStore::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut outcome = runtime.block_on(try_fixes(diagnose(evidence), context));
        // What differs from run to run: how long the trials took, and where the files lie.
        outcome.evidence.took = took;
        if let Some(Roots::Loaded(store)) =
            outcome.evidence.trust.as_mut().map(|trust| &mut std::sync::Arc::make_mut(trust).roots)
        {
            for certificate in &mut store.certificates {
                certificate.file = PathBuf::from("/home/me").join(certificate.file.file_name().unwrap());
            }
        }
        outcome
    }

    fn evidence(self, input: &Secret, overrides: &Overrides, environment: &Environment) -> Evidence {
        let settings = match conninfo::resolve(Some(input.expose()), overrides, environment) {
            Ok(settings) => settings,
            Err(failure) => return Evidence::of_bad_config(self.now, Scope::default(), *failure),
        };
        let trust = trust::load(&settings, environment);
        let chain = [SERVER, INTERMEDIATE].map(certificate).to_vec();
        let mut evidence = Evidence::of(chain, &[]).with(|evidence| {
            (evidence.started, evidence.judged_at) = (self.now, self.now);
            let is_name = matches!(settings.hosts[0].endpoint, Endpoint::Name(_));
            let found: Vec<_> = self.to.iter().map(|text| address(text)).collect();
            let mut attempt = evidence.attempts.remove(0);
            attempt.dns = is_name.then(|| step(0.1, 1.9, Resolution::Found(found.clone())));
            let tls = &mut attempt.tls.as_mut().unwrap().result;
            tls.offer.sni = is_name.then(|| String::from_utf8_lossy(settings.hosts[0].name.exposed()).into());
            evidence.attempts = found
                .into_iter()
                .map(|address| Attempt { address: Some(address), ..attempt.clone() })
                .collect();
            evidence.config = Ok(settings);
        });
        evidence = evidence.with_trust(|loaded| *loaded = trust);
        (self.change)(&mut evidence);
        evidence.took =
            evidence.attempts.iter().filter_map(end).max().unwrap_or_default() + Duration::from_micros(100);
        evidence
    }
}

/// When the last step of an attempt ended.
fn end(attempt: &Attempt) -> Option<Duration> {
    fn of<T>(step: &Option<Step<T>>) -> Option<Duration> {
        step.as_ref().map(|step| step.start + step.took)
    }
    [of(&attempt.dns), of(&attempt.tcp), of(&attempt.negotiate), of(&attempt.tls), of(&attempt.session)]
        .into_iter()
        .flatten()
        .max()
}

fn certificate(text: &str) -> Certificate {
    let file = trust::root_file_from_bytes(
        std::path::Path::new("fixture.pem"),
        text.as_bytes(),
        RootSource::Given("fixture.pem".into()),
    );
    let Roots::Loaded(store) = file else { panic!("a certificate in PEM: {text}") };
    store.certificates[0].certificate.clone()
}

//! Long texts take as long as they are long: whatever is repeated in whatever field of whatever driver's string. What is
//! compared is the processor's time of two lengths, so that a busy machine changes nothing.

use std::fs;

use pgtls_check::cli::Cli;
use pgtls_check::conninfo::{Environment, LoginName};

use crate::support::in_process;

use crate::support::parallel::{each, expect};

/// What is repeated.
const PIECES: &[&str] = &[
    "SCRAM-SHA-256$",
    "password=",
    "'",
    "\"",
    "%",
    "&",
    "(",
    "://",
    "://[",
    ">",
    "a@b:",
    "secret: ",
    "pwd=x;",
    "a=b;",
    "a=b ",
    "&a=b",
    "authorization: ",
    "postgres://a:b@h ",
    "postgres://a:b@h,",
];

/// Where it stands, for `^`.
const FORMS: &[&str] = &[
    "^",
    "host='^'",
    "password=^",
    "postgresql://u:^@h/d",
    "Host=h;Password=^",
    "Driver={^",
    "pgsql:^",
    "jdbc:postgresql://h/d?^",
];

/// The processor's time of this thread, in nanoseconds (Linux, sched-stats).
fn work() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel's count");
    stat.split(' ').next().and_then(|time| time.parse().ok()).expect("nanoseconds")
}

/// The work of one run.
fn work_of(arguments: &[&str]) -> u64 {
    let environment = Environment {
        login_name: LoginName::Known("me".to_owned()),
        variables: [("PGSERVICEFILE".into(), "/dev/null".into())].into(),
        ..Environment::default()
    };
    let begin = work();
    if let Ok(cli) = Cli::read(["pgtls-check"].iter().chain(arguments).map(Into::into)) {
        // What comes of it is others' business.
        let _ = in_process::run(&cli, environment);
    }
    work() - begin
}

/// A length and another of ten times as much. Of work that grows with the square the second takes 100 times as long.
const LENGTHS: [usize; 2] = [1_000, 10_000];
const MOST: u64 = 30;
/// The kernel counts in ticks.
const TICK: u64 = 4_000_000;
/// Less is not measured.
const LEAST: u64 = 15_000_000;

#[test]
fn ten_times_the_text_is_no_more_than_thirty_times_the_work() {
    let cases: Vec<(&str, &str)> =
        FORMS.iter().flat_map(|form| PIECES.iter().map(move |piece| (*form, *piece))).collect();
    each(
        &cases,
        |(form, _)| form,
        |(form, piece)| {
            let work = |length: usize| {
                work_of(&["--show-config", &form.replace('^', &piece.repeat(length / piece.len()))])
            };
            let long = work(LENGTHS[1]);
            if long < LEAST {
                return Ok(());
            }
            let short = work(LENGTHS[0]).max(TICK);
            expect(long <= MOST * short, || {
                format!("{piece:?}: {} ms, then {} ms", short / 1_000_000, long / 1_000_000)
            })
        },
    );
}

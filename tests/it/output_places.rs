//! What is written where somebody said, by the program itself: reports of `--output`, root files of `--force`, and the demo's
//! temporary directory, which goes with it however it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use pgtls_check::demo::Demo;
use rustix::process::{Pid, Signal, kill_process};

use crate::formats::are_read_by_python;
use crate::support::home::Home;
use crate::support::random::Random;
use crate::support::tool::Tool;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pgtls-check");

/// A check of a healthy server with its report in this place.
fn report_to(home: &Home, demo: &Demo, place: &str) -> crate::support::tool::Report {
    Tool::at(home).with(["--format", "json", "--output", place, demo.conninfo()]).run()
}

fn is_report(content: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(content).is_ok_and(|report| report["verdict"] == "verified")
}

fn fifo(home: &Home, name: &str) -> std::path::PathBuf {
    let path = home.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn reports_follow_links_keep_modes_and_go_into_pipes_and_devices() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let file = home.write("report.json", "old");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = home.join("link.json");
    symlink(&file, &link).unwrap();
    report_to(&home, &demo, link.to_str().unwrap()).exits(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(is_report(&fs::read(&file).unwrap()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);

    let pipe = fifo(&home, "pipe");
    let from = pipe.clone();
    let reader = thread::spawn(move || fs::read(from).unwrap());
    report_to(&home, &demo, pipe.to_str().unwrap()).exits(0);
    assert!(is_report(&reader.join().unwrap()));
    assert!(!fs::metadata(&pipe).unwrap().is_file());

    let report = report_to(&home, &demo, "/dev/stdout");
    report.exits(0);
    assert!(report.stdout.lines().any(|line| is_report(line.as_bytes())), "{report}");
    report_to(&home, &demo, "/dev/null").exits(0);
}

#[test]
fn a_file_that_the_run_reads_is_not_written_over() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let given = demo.conninfo();
    let root = given.split_once("sslrootcert=").unwrap().1.split_whitespace().next().unwrap();
    let roots = fs::read(root.trim_matches('\'')).unwrap();
    let copy = home.write("root.crt", &roots);
    let conninfo = given.replace(root, copy.to_str().unwrap()).replace("password=demo-password ", "");
    symlink(&copy, home.join("link")).unwrap();
    fs::hard_link(&copy, home.join("twin")).unwrap();
    let passwords = home.write("logins", "*:*:*:*:demo-password\n");
    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o600)).unwrap();
    home.write("services", "[one]\nport=1\n");
    home.write("targets", format!("{conninfo}\n"));
    for unread in ["key", "list"] {
        home.write(unread, "x");
    }
    for (place, conninfo) in [
        ("root.crt", conninfo.clone()),
        ("link", conninfo.clone()),
        ("twin", conninfo.clone()),
        ("logins", conninfo.clone()),
        ("services", format!("{conninfo} service=one")),
        ("targets", "--from=targets".to_owned()),
        // Named, and not read in this run.
        ("logins", given.to_owned()),
        ("key", given.to_owned()),
        ("list", format!("{given} sslmode=require sslcrl=list")),
    ] {
        let before = fs::read(home.join(place)).unwrap();
        let output = format!("json={place}");
        let tool = Tool::at(&home)
            .env("PGSERVICEFILE", home.join("services").to_str().unwrap())
            .env("PGPASSFILE", passwords.to_str().unwrap())
            .env("PGSSLKEY", home.join("key").to_str().unwrap());
        let report = tool.with(["--output", &output, &conninfo]).run();
        report.exits(1);
        assert!(report.stderr.contains("this run reads the file or"), "{report}");
        assert_eq!(fs::read(home.join(place)).unwrap(), before, "{place}");
    }
}

#[test]
fn a_place_that_takes_no_report_is_told_before_the_first_connection() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let unread = fifo(&home, "unread");
    let missing = home.join("none/report.json");
    for place in [unread.as_path(), &missing, home.path()] {
        let report = report_to(&home, &demo, place.to_str().unwrap());
        report.exits(1);
        assert!(report.stderr.contains(place.to_str().unwrap()), "{report}");
        assert!(demo.connections().is_empty(), "connected for {}", place.display());
    }
}

#[test]
fn force_replaces_the_file_and_not_the_link() {
    let home = Home::new();
    let file = home.write("roots.pem", "old");
    let link = home.join("link.pem");
    symlink(&file, &link).unwrap();
    let export = |force: &[&str]| {
        let tool =
            Tool::at(&home).with(["roots", "export", "azure-flexible", "--output", link.to_str().unwrap()]);
        force.iter().fold(tool, |tool, option| tool.with([*option])).run()
    };
    export(&[]).exits(2);
    assert_eq!(fs::read(&file).unwrap(), b"old");
    export(&["--force"]).exits(0);
    assert!(fs::read_to_string(&file).unwrap().contains("BEGIN CERTIFICATE"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

/// The directories of demos in a place for temporary files.
fn directories(temporary: &Path) -> usize {
    fs::read_dir(temporary).unwrap().count()
}

#[test]
fn a_demo_leaves_nothing_behind_whatever_ends_it() {
    for (signal, arguments, status) in [
        ("INT", &["demo", "--serve"][..], 0),
        ("TERM", &["demo", "--serve"], 0),
        ("HUP", &["demo", "--serve"], 0),
        ("INT", &["demo", "tls-timeout", "-v"], 130),
        ("TERM", &["demo", "tls-timeout", "-v"], 143),
        ("HUP", &["demo", "tls-timeout", "-v"], 129),
    ] {
        let home = Home::new();
        let temporary = home.join("temporary");
        fs::create_dir(&temporary).unwrap();
        let mut demo = home
            .command(PROGRAM)
            .args(arguments)
            .env("TMPDIR", &temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(demo.stdout.take().unwrap());
        if arguments.contains(&"--serve") {
            output.read_line(&mut String::new()).unwrap();
        }
        while directories(&temporary) == 0 {
            assert!(demo.try_wait().unwrap().is_none(), "{arguments:?} ended");
            thread::yield_now();
        }
        let sent =
            Command::new("kill").args([&format!("-{signal}"), &demo.id().to_string()]).status().unwrap();
        assert!(sent.success());
        output.read_to_string(&mut String::new()).unwrap();
        assert_eq!(demo.wait().unwrap().code(), Some(status), "{signal} {arguments:?}");
        assert_eq!(directories(&temporary), 0, "{signal} {arguments:?}");
    }
}

/// A signal may come before there is anything to remove, in the midst of it, or when all is said.
#[test]
fn a_demo_that_ends_as_it_starts_leaves_nothing_behind() {
    let home = Home::new();
    let temporary = home.join("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut random = Random::new(29);
    for signal in ["INT", "TERM", "HUP"].iter().cycle().take(Random::count(30)) {
        let arguments = random.pick(&["demo", "demo --serve", "demo tls-timeout"]);
        let mut demo = home
            .command(PROGRAM)
            .args(arguments.split(' '))
            .env("TMPDIR", &temporary)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pause = Duration::from_micros(random.below(300_000) as u64);
        thread::sleep(pause);
        let sent = Command::new("kill").args(["-s", signal, &demo.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = demo.wait().unwrap();
        assert_eq!(directories(&temporary), 0, "{arguments}, {signal} after {pause:?}: {status}");
    }
}

/// Whether a process has come so far that it takes this signal itself (proc(5), SigCgt).
fn takes(process: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let taken = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    taken.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 << (signal.as_raw() - 1) != 0)
}

fn send(signal: Signal, process: &Child) {
    kill_process(Pid::from_child(process), signal).unwrap();
}

const ENDING: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// `--output` moves a file to its place when the run is over; what ends a run earlier leaves nothing beside it.
#[test]
fn a_run_that_is_ended_leaves_no_part_of_its_output() {
    let home = Home::new();
    let demo =
        Demo::start(pgtls_check::demo::faults().iter().find(|fault| fault.name == "tls-timeout")).unwrap();
    let mut random = Random::new(143);
    let directory = home.join("reports");
    fs::create_dir(&directory).unwrap();
    let place = directory.join("report.json");
    for (at, (signal, status)) in ENDING.into_iter().cycle().take(30).enumerate() {
        // The first ones do not end by themselves, however late their signal comes. The others do: where SIGINT is ignored at
        // first, as in the background of a shell, one that comes before the program waits for it is lost.
        let limit = if at < 3 { " connect_timeout=600" } else { "" };
        let conninfo = format!("{}{limit}", demo.conninfo());
        let mut run = home
            .command(PROGRAM)
            .args(["--format", "json", "--output", place.to_str().unwrap(), &conninfo])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first ones come when the run surely waits for its server, the others at any time.
        let pause = Duration::from_millis(random.below(150) as u64);
        while at < 3 && !takes(run.id(), Signal::HUP) {
            assert!(run.try_wait().unwrap().is_none(), "the run ended");
            thread::yield_now();
        }
        thread::sleep(pause);
        send(signal, &run);
        let ended = run.wait().unwrap();
        if at < 3 {
            assert_eq!(ended.code(), Some(status), "{signal:?}");
        }
        let left: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.iter().all(|path| *path == place), "{signal:?} after {pause:?}: {ended}, {left:?}");
    }
}

/// A report of some targets says that others are missing; one of none takes no other report's place.
#[test]
fn a_run_that_is_ended_early_keeps_older_reports_and_says_what_is_missing() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let silent =
        Demo::start(pgtls_check::demo::faults().iter().find(|fault| fault.name == "tls-timeout")).unwrap();
    let silent = format!("{} connect_timeout=600", silent.conninfo());
    let formats: Vec<&str> = pgtls_check::report::Format::ALL.iter().map(|format| format.name()).collect();
    let directory = home.join("reports");
    fs::create_dir(&directory).unwrap();
    let place = |name: &str| {
        directory.join(if name == "junit" { "all.xml".to_owned() } else { format!("all.{name}") })
    };
    for ((signal, status), finished) in ENDING.into_iter().zip([false, true, false]) {
        for name in &formats {
            fs::write(place(name), "old").unwrap();
        }
        let mut command = home.command(PROGRAM);
        command.args(["--format", "json", &silent]).args(finished.then_some(demo.conninfo()));
        for name in &formats {
            command.args(["--output", &format!("{name}={}", place(name).display())]);
        }
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !takes(run.id(), Signal::HUP) {
            assert!(run.try_wait().unwrap().is_none(), "the run ended");
            thread::yield_now();
        }
        let mut output = BufReader::new(run.stdout.take().unwrap());
        if finished {
            output.read_line(&mut String::new()).unwrap();
        }
        send(signal, &run);
        let mut printed = String::new();
        output.read_to_string(&mut printed).unwrap();
        let ended = run.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(status), "{signal:?}");
        let last: serde_json::Value = serde_json::from_str(printed.trim_end()).unwrap();
        assert_eq!(last["unfinished"], 1, "{printed}");
        assert_eq!((&last["verdict"], &last["exit_code"]), (&"interrupted".into(), &130.into()), "{printed}");
        let notes = String::from_utf8(ended.stderr).unwrap();
        for name in &formats {
            let content = fs::read_to_string(place(name)).unwrap();
            let place = place(name).display().to_string();
            if finished {
                assert!(notes.contains(&format!("wrote {place}: 1 of 2 not finished")), "{notes}");
                let says = ["not finished", "interrupted", "unfinished", "1 of 2"];
                assert!(says.iter().any(|words| content.contains(words)), "{name}: {content}");
                assert!(are_read_by_python(&directory).contains("3 reports read"));
            } else {
                assert!(notes.contains(&format!("did not write {place}: 1 of 1 not finished")), "{notes}");
                assert_eq!(content, "old", "{name}");
            }
        }
    }
}

/// Checks that are over soon and what is exported: the signal comes as soon as there is a part.
#[test]
fn what_is_being_written_is_written_to_its_end() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let directory = home.join("reports");
    let mut met = 0;
    for (at, (signal, _)) in ENDING.into_iter().cycle().take(Random::count(30)).enumerate() {
        fs::create_dir(&directory).unwrap();
        let mut command = home.command(PROGRAM);
        let formats = pgtls_check::report::Format::ALL.iter().map(|format| format.name());
        match at % 2 {
            0 => {
                command.arg(demo.conninfo()).args(formats.flat_map(|name| {
                    ["--output".to_owned(), format!("{name}={}/{name}", directory.display())]
                }))
            }
            _ => command.args(["roots", "export", "aws-rds", "--output"]).arg(directory.join("roots.pem")),
        };
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let names = || fs::read_dir(&directory).unwrap().flatten().map(|entry| entry.file_name());
        let is_part = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".part");
        let ended = loop {
            if names().any(is_part) {
                send(signal, &run);
                met += 1;
                break run.wait().unwrap();
            }
            if let Some(ended) = run.try_wait().unwrap() {
                break ended;
            }
        };
        let left: Vec<_> = names().filter(|name| is_part(name.clone())).collect();
        assert!(left.is_empty(), "{signal:?}: {ended}, {left:?}");
        fs::remove_dir_all(&directory).unwrap();
    }
    assert!(met > 0, "no run was met while it wrote");
}

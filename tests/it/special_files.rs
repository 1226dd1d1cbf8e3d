//! Pipes, devices and silent file systems in the place of files: what libpq would wait for is waited for as long as
//! connecting may take and read once; nothing hangs, and nobody else waits.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::home::Home;
use crate::support::network::alone;
use crate::support::odd_pki::{Draft, Issued};
use crate::support::parallel::{each, expect};
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::site::{self, NAME, OPEN};
use crate::support::tool::Tool;

struct Place {
    home: Home,
    root: Issued,
    root_file: PathBuf,
    scripted: ScriptedServer,
}

impl Place {
    fn new() -> Self {
        let home = Home::new();
        let root = Draft::authority("root").self_signed();
        let leaf = Draft::server(NAME).signed_by(&root);
        let scripted = ScriptedServer::start(std::slice::from_ref(&leaf.der), &leaf.key, &Tls::default());
        let root_file = home.write("root.pem", root.pem());
        Self { home, root, root_file, scripted }
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.home.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo of coreutils").success());
        path
    }

    fn conninfo(&self, root: &Path) -> String {
        let port = self.scripted.address.port();
        format!("{} connect_timeout=2", site::verify_full(port, root.to_str().expect("a path"), OPEN))
    }
}

/// Nobody writes into the pipe.
#[test]
fn silent_pipes_end_with_the_time_for_connecting() {
    let place = Place::new();
    let pipe = place.pipe("silent");
    let good = place.conninfo(&place.root_file);
    let silent = pipe.to_str().expect("a path");
    let tool = || Tool::at(&place.home);
    tool().check(&place.conninfo(&pipe)).exits(3).diagnosed("root-file-unreadable");
    tool().check(&format!("{good} sslcert={silent}")).exits(3).diagnosed("client-cert-invalid");
    tool().check(&format!("{good} sslkey={silent} sslcert={}", place.root_file.display())).exits(3);
    tool().check(&format!("{good} sslcrl={silent}")).verified();
    tool().check(&format!("{good} passfile={silent}")).verified();
    let service = tool().env("PGSERVICEFILE", silent).with(["--timeout=2"]);
    service.check(&format!("{good} service=x")).exits(2).diagnosed("service-not-found");
    let list = tool().with(["--from", silent]).run();
    list.exits(2);
    assert!(list.stderr.contains("in time"), "{list}");
}

#[test]
fn devices_are_read_to_their_end_or_to_the_limit() {
    let place = Place::new();
    let tool = || Tool::at(&place.home);
    tool().check(&place.conninfo(Path::new("/dev/null"))).exits(3).diagnosed("root-file-invalid");
    tool().check(&place.conninfo(Path::new("/dev/zero"))).exits(3).diagnosed("root-file-unreadable");
    tool().with(["--from", "/dev/zero"]).run().exits(2);
}

/// As a shell makes it of `sslrootcert=<(…)`: psql reads it once, and so does the tool, trials and all.
#[test]
fn a_pipe_with_roots_in_it_is_read_once() {
    let place = Place::new();
    for (name, host, code) in [("good", NAME, None), ("bad", "other.example", Some("hostname-mismatch"))] {
        let pipe = place.pipe(name);
        let writer = thread::spawn({
            let (pipe, text) = (pipe.clone(), place.root.pem());
            move || {
                File::options().write(true).open(pipe).and_then(|mut file| file.write_all(text.as_bytes()))
            }
        });
        let report = Tool::at(&place.home).check(&place.conninfo(&pipe).replace(NAME, host));
        match code {
            None => drop(report.verified()),
            Some(code) => drop(report.exits(8).diagnosed(code)),
        }
        writer.join().expect("no panic").expect("a reader");
    }
}

#[test]
fn one_silent_pipe_in_a_list_changes_no_other_result() {
    let place = Place::new();
    let pipe = place.pipe("silent");
    let roots = [&pipe, &place.root_file, &pipe, &place.root_file, &place.root_file, &pipe];
    let list: String = roots.iter().map(|root| place.conninfo(root) + "\n").collect();
    place.home.write("targets", list);
    let report = Tool::at(&place.home).with(["--from", "targets", "--format", "json"]).run();
    report.exits(3);
    let lines = report.objects();
    assert_eq!(lines.len(), roots.len(), "{report}");
    for (root, line) in roots.iter().zip(&lines) {
        match *root == &pipe {
            true => assert_eq!(line["diagnosis"]["code"], "root-file-unreadable", "{line}"),
            false => assert_eq!(line["verdict"], "verified", "{line}"),
        }
    }
}

/// A file system whose server never answers, as long as this is kept.
fn silent_file_system(place: &Path) -> File {
    let device = File::options().read(true).write(true).open("/dev/fuse");
    let device = device.unwrap_or_else(|error| panic!("/dev/fuse: {error}; load it with: modprobe fuse"));
    let mounted = Command::new("mount")
        .args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0", "silent"])
        .arg(place)
        .stdin(Stdio::from(device.try_clone().expect("a descriptor")))
        .status();
    assert!(mounted.expect("mount of util-linux").success(), "no file system was mounted");
    device
}

/// Requests to a file system (linux/fuse.h).
const LOOKUP: u32 = 1;
const GETATTR: u32 = 3;
const MKDIR: u32 = 9;
const OPEN_FILE: u32 = 14;
const READ: u32 = 15;
const GETXATTR: u32 = 22;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;

/// Answers for a file system whose one file, `file`, has this content, but for requests of one kind.
fn answer_all_but(silent: u32, mut device: File, content: &[u8]) {
    let attributes = |node: u64| {
        let (mode, size) = if node == 1 { (0o40755, 0) } else { (0o100_600, content.len() as u64) };
        let numbers = [node, size, 1, 0, 0, 0].map(u64::to_ne_bytes).concat();
        [numbers, [0, 0, 0, mode, 1, 0, 0, 0, 4096, 0].map(u32::to_ne_bytes).concat()].concat()
    };
    let mut request = vec![0; 1 << 17];
    while let Ok(length) = device.read(&mut request) {
        let number = |at: usize| u64::from_ne_bytes(request[at..at + 8].try_into().expect("8 bytes"));
        let (kind, mut unique) = ((number(0) >> 32) as u32, number(8));
        let found = match kind {
            _ if kind == silent => continue,
            INIT => Ok([[7, 31, 65_536, 0, 12 << 16 | 16, 65_536, 1].as_slice(), &[0; 9]]
                .concat()
                .iter()
                .flat_map(|word: &u32| word.to_ne_bytes())
                .collect()),
            LOOKUP if request[40..length].starts_with(b"file\0") => {
                Ok([[2, 0, 60, 60, 0].map(u64::to_ne_bytes).concat(), attributes(2)].concat())
            }
            LOOKUP => Err(2),
            GETATTR => Ok([[60, 0].map(u64::to_ne_bytes).concat(), attributes(number(16))].concat()),
            OPEN_FILE => Ok(vec![0; 16]),
            READ => Ok(content.get(number(48) as usize..).unwrap_or_default().to_vec()),
            GETXATTR => Err(61),
            // Whoever is ended need not wait.
            INTERRUPT => {
                unique = number(40);
                Err(4)
            }
            _ => Err(38),
        };
        let (error, body) = found.map_or_else(|error: i32| (-error, Vec::new()), |body: Vec<u8>| (0, body));
        let head = [(16 + body.len() as u32).to_ne_bytes(), error.to_ne_bytes()].concat();
        // What wants no answer gets none.
        let _ = device.write(&[head, unique.to_ne_bytes().to_vec(), body].concat());
    }
}

/// It falls silent in the midst of what is done with it.
#[test]
fn a_file_system_that_stops_answering_is_left() {
    alone("special_files::a_file_system_that_stops_answering_is_left", || {
        let place = Place::new();
        let content = std::fs::read(&place.root_file).expect("the root's file");
        for (silent, command) in
            [(GETXATTR, "rehearse --cert ^/file --host db.example --server-user nobody"), (MKDIR, "demo")]
        {
            let mounted = place.home.join(&format!("silent-{silent}"));
            std::fs::create_dir(&mounted).expect("a directory");
            let (device, content, length) = (silent_file_system(&mounted), content.clone(), content.len());
            std::thread::spawn(move || answer_all_but(silent, device, &content));
            let path = mounted.display().to_string();
            assert_eq!(std::fs::metadata(mounted.join("file")).expect("an answer").len(), length as u64);
            let begin = Instant::now();
            let tool = command
                .split(' ')
                .fold(Tool::at(&place.home), |tool, word| tool.with([word.replace('^', &path).as_str()]));
            let report = tool.env("TMPDIR", &path).run();
            let took = begin.elapsed();
            assert!(report.status.is_some(), "{report}");
            assert!(took > Duration::from_secs(8) && took < Duration::from_secs(30), "{took:?}: {report}");
        }
    });
}

/// Where `^` is a path of a file system that does not answer: an environment variable, options, settings beside the good ones.
const SILENT: &[(&str, &[&str], &str)] = &[
    ("", &[], "sslrootcert=^"),
    ("", &[], "sslcert=^"),
    ("", &[], "sslcert=root.pem sslkey=^"),
    ("", &[], "sslcrl=^"),
    ("", &[], "sslcrldir=^"),
    ("", &[], "passfile=^"),
    ("", &[], "sslrootcert=~/x"),
    ("", &["--audit"], "sslrootcert=^"),
    ("", &["--each"], "sslcert=^"),
    ("", &["--wait=3"], "sslrootcert=^"),
    ("", &["--from=^"], ""),
    ("", &["--since=^"], ""),
    ("", &["--output=json=^"], ""),
    ("", &["--output=json=^/report"], ""),
    ("GITHUB_STEP_SUMMARY=^", &["--format=github"], ""),
    ("HOME=^", &[], ""),
    ("PGPASSFILE=^", &[], ""),
    ("PGSERVICEFILE=^", &[], "service=x"),
    ("PGSERVICEFILE=^", &["--all-services"], ""),
    ("PGSYSCONFDIR=^", &[], "service=x"),
    ("SSL_CERT_FILE=^", &[], "sslrootcert=system"),
    ("SSL_CERT_DIR=^", &[], "sslrootcert=system"),
    ("OPENSSL_CONF=^", &[], ""),
    ("KRB5CCNAME=FILE:^", &[], ""),
    ("KRB5CCNAME=DIR:^", &[], ""),
    ("KRB5_CONFIG=^", &[], ""),
];

/// With `--timeout` a run is over in that time, far before the 10 s that a file may take otherwise.
#[test]
fn a_file_system_that_does_not_answer_is_left_when_the_time_is_over() {
    alone("special_files::a_file_system_that_does_not_answer_is_left_when_the_time_is_over", || {
        let place = Place::new();
        let silent = place.home.join("silent");
        std::fs::create_dir(&silent).expect("a directory");
        let server = silent_file_system(&silent);
        for deep in ["", "/directory/file"] {
            let path = format!("{}{deep}", silent.display());
            each(
                SILENT,
                |(variable, _, settings)| if settings.is_empty() { variable } else { settings },
                |case| {
                    let (variable, options, settings) = case;
                    let meant = |text: &str| text.replace('^', &path);
                    let mut tool = Tool::at(&place.home);
                    if let Some((name, value)) = variable.split_once('=') {
                        tool = tool.env(name, &meant(value));
                    }
                    if settings.contains('~') {
                        tool = tool.env("HOME", &path);
                    }
                    if options.contains(&"--audit") {
                        tool = tool.with(["audit"]);
                    }
                    for option in options.iter().filter(|option| **option != "--audit") {
                        tool = tool.with([meant(option).as_str()]);
                    }
                    let begin = Instant::now();
                    let string = format!("{} {}", place.conninfo(&place.root_file), meant(settings));
                    let report = tool.with(["--timeout=1", &string]).run();
                    let took = begin.elapsed();
                    let tells = !report.stdout.contains("mkdir") && !report.stderr.contains("mkdir");
                    expect(report.status.is_some() && took < Duration::from_secs(8) && tells, || {
                        format!("{took:?}: {report}")
                    })
                },
            );
        }
        let path = silent.display();
        each(
            &[
                format!("rehearse --cert {path}/x --host db.example"),
                format!("rehearse --cert root.pem --key {path}/x --host db.example"),
                format!("rehearse --cert root.pem --client-ca {path}/x --crl {path}/y --host db.example"),
                format!("rehearse --cert root.pem --roots {path}/x --host db.example"),
                format!("rehearse --cert root.pem --from {path}/x"),
                format!("roots show {path}/x"),
                format!("roots convert root.pem --output {path}/x"),
                format!("clients sslrootcert={path}/x"),
                "demo".to_owned(),
            ],
            |line| line.as_str(),
            |line| {
                let begin = Instant::now();
                let tool = line.split(' ').fold(Tool::at(&place.home), |tool, word| tool.with([word]));
                let report = if line == "demo" { tool.env("TMPDIR", &path.to_string()) } else { tool }.run();
                let took = begin.elapsed();
                expect(report.status.is_some() && took < Duration::from_secs(45), || {
                    format!("{took:?}: {report}")
                })
            },
        );
        // Whoever still waits for it goes with it.
        drop(server);
    });
}

//! The commands of the README and of the manual's pages (`src/guide`), run as printed. A block of commands behind a line `<!-- run -->` needs no server but the
//! demo's: its commands are run by a shell, one after the other, all blocks of a file in one directory and in their order,
//! and what they print must be what the file shows. `<!-- run: exit 8 -->` names the exit status of the last command. A
//! line `…` stands for lines left out; times, days, ports and the demo's directories differ from run to run and count as
//! equal. With `UPDATE_README=1` the output is written into the README instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::home::Home;
use crate::support::postgres::Postgres;
use crate::support::site::OPEN;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide");

/// The README and the manual's pages.
fn files() -> Vec<PathBuf> {
    let pages = fs::read_dir(GUIDE).expect("the manual").map(|entry| entry.expect("a file").path());
    let mut files: Vec<PathBuf> =
        pages.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    files.sort();
    files.insert(0, PathBuf::from(README));
    files
}

/// A directory as a reader has one, with the roots of the repository and of old instructions in it.
fn reader() -> Home {
    let home = Home::new();
    let certs = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs");
    for (from, name) in [
        (certs.clone(), "certs"),
        (certs.join("DigiCertGlobalRootCA.crt.pem"), "DigiCertGlobalRootCA.crt.pem"),
    ] {
        std::os::unix::fs::symlink(from, home.join(name)).expect("a link");
    }
    home
}

/// One block: what is run, and what is shown below each command.
struct Block {
    /// The README's line with the fence.
    line: usize,
    commands: Vec<(String, Vec<String>)>,
    status: i32,
}

/// The blocks to run.
fn blocks(readme: &str) -> Vec<Block> {
    let lines: Vec<&str> = readme.lines().collect();
    let mut blocks = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(rest) = line.strip_prefix("<!-- run") else { continue };
        let status = match rest.strip_suffix(" -->").unwrap_or_default().strip_prefix(": exit ") {
            Some(status) => status.parse().expect("an exit status"),
            None => 0,
        };
        let start =
            number + 1 + lines[number + 1..].iter().position(|line| *line == "```console").expect("a block");
        let mut commands: Vec<(String, Vec<String>)> = Vec::new();
        for line in lines[start + 1..].iter().take_while(|line| **line != "```") {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
                (None, Some((_, output))) => output.push((*line).to_owned()),
                (None, None) => panic!("line {}: output without a command", start + 1),
            }
        }
        blocks.push(Block { line: start, commands, status });
    }
    blocks
}

/// Runs a command line as a shell would; both streams as they come out.
fn run(home: &Home, command: &str) -> (Vec<String>, i32) {
    let programs = Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().expect("a directory");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let output = home
        .command("sh")
        .env("PATH", path)
        .args(["-c", &format!("exec 2>&1; {command}")])
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let text = String::from_utf8(output.stdout).expect("output in UTF-8");
    (text.lines().map(str::to_owned).collect(), output.status.code().unwrap_or(-1))
}

/// A line with a home directory as a reader has one.
fn at_home(home: &Home, line: &str) -> String {
    line.replace(&home.path().display().to_string(), "/home/me")
}

/// A line without what differs from run to run: the home directory, the demo's directories, ports, times, days left.
fn settled(home: &Home, line: &str) -> String {
    let line = at_home(home, line);
    let mut settled = String::new();
    let mut rest = line.as_str();
    while let Some(sign) = rest.chars().next() {
        let of_a_directory = settled.ends_with("pgtls-check-demo-");
        let belongs = |sign: char| match of_a_directory {
            true => sign.is_ascii_hexdigit(),
            false => sign.is_ascii_digit() || sign == '.',
        };
        let length = match of_a_directory || sign.is_ascii_digit() {
            true => rest.find(|sign| !belongs(sign)).unwrap_or(rest.len()),
            false => 0,
        };
        if length == 0 {
            settled.push(sign);
            rest = &rest[sign.len_utf8()..];
            continue;
        }
        let (number, after) = rest.split_at(length);
        let varies = of_a_directory
            || [" ms", " days"].iter().any(|unit| after.starts_with(unit))
            // How long a whole run took stands at the end of its last line.
            || after == " s"
            || number.len() >= 4 && ["port ", "port=", "port=\"", ":"].iter().any(|before| settled.ends_with(before))
            // The values of a metric and of a plugin.
            || ["time=", "days="].iter().any(|before| settled.ends_with(before))
            || settled.ends_with("\"} ") && number != "0" && number != "1";
        settled.push_str(if varies { "N" } else { number });
        rest = after;
    }
    settled.trim_end().to_owned()
}

/// Whether the lines printed are those shown, `…` standing for any.
fn agree(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, others)) if first.trim() == "…" => {
            (0..=printed.len()).any(|skipped| agree(others, &printed[skipped..]))
        }
        Some((first, others)) => {
            printed.split_first().is_some_and(|(line, rest)| line == first && agree(others, rest))
        }
    }
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    assert!(as_shown(Path::new(README)) >= 3);
}

#[test]
fn every_command_prints_what_the_manual_shows() {
    let ran: usize = files().iter().skip(1).map(|page| as_shown(page)).sum();
    assert!(ran >= 20, "{ran} blocks to run");
}

/// Runs the blocks of a file; how many there are.
#[track_caller]
fn as_shown(file: &Path) -> usize {
    let text = fs::read_to_string(file).expect("a file");
    let home = reader();
    let blocks = blocks(&text);
    let update = std::env::var_os("UPDATE_README").is_some();
    let mut wrong = Vec::new();
    let mut fresh: Vec<(usize, Vec<String>)> = Vec::new();
    for block in &blocks {
        let mut text = Vec::new();
        for (place, (command, shown)) in block.commands.iter().enumerate() {
            let (printed, status) = run(&home, command);
            let settle = |lines: &[String]| lines.iter().map(|line| settled(&home, line)).collect::<Vec<_>>();
            let last = place + 1 == block.commands.len();
            if last && status != block.status {
                wrong.push(format!("{command}: exit {status}, not {}: {printed:#?}", block.status));
            }
            if !agree(&settle(shown), &settle(&printed)) {
                wrong.push(format!("{command}: shown {shown:#?}\nprinted {printed:#?}"));
            }
            text.push(format!("$ {command}"));
            let keeps = shown.iter().any(|line| line.trim() == "…");
            text.extend(if keeps {
                shown.clone()
            } else {
                printed.iter().map(|line| at_home(&home, line)).collect()
            });
        }
        fresh.push((block.line, text));
    }
    if update {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (start, text) in fresh.into_iter().rev() {
            let end = start + 1 + lines[start + 1..].iter().position(|line| line == "```").expect("an end");
            lines.splice(start + 1..end, text);
        }
        fs::write(file, lines.join("\n") + "\n").expect("the file");
        return blocks.len();
    }
    assert!(wrong.is_empty(), "{}: {}", file.display(), wrong.join("\n\n"));
    blocks.len()
}

#[test]
fn the_readme_links_every_page() {
    let readme = fs::read_to_string(README).expect("README.md");
    for page in files().iter().skip(1) {
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(readme.contains(&format!("](src/guide/{name})")), "{name}");
    }
}

/// The files that the page about certificates makes serve PostgreSQL, before and after each step of a rotation.
#[test]
fn certificates_made_as_shown_verify() {
    let text = fs::read_to_string(Path::new(GUIDE).join("certificates.md")).expect("the page");
    let home = reader();
    for (command, _) in blocks(&text).iter().flat_map(|block| &block.commands) {
        let (printed, status) = run(&home, command);
        assert_eq!(status, 0, "{command}: {printed:#?}");
    }
    let read = |name: &str| fs::read_to_string(home.join(name)).expect("a file");
    for (certificate, key, roots) in [
        ("server.crt", "server.key", "root.crt"),
        ("server.crt", "server.key", "both-roots.crt"),
        ("next-server.crt", "new-key", "both-roots.crt"),
        ("next-server.crt", "new-key", "next-root.crt"),
    ] {
        // The request that both CAs signed is of the key in use.
        let key = read(if key == "new-key" { "server.key" } else { key });
        let server = Postgres::version(15).trusted(OPEN).certificate(read(certificate), key).start();
        let conninfo = format!(
            "host=localhost port={} user={OPEN} dbname=postgres sslmode=verify-full sslrootcert={roots}",
            server.port()
        );
        let (printed, status) = run(&home, &format!("pgtls-check --require-auth '{conninfo}'"));
        assert_eq!(status, 0, "{certificate} {roots}: {printed:#?}");
    }
}

/// Every console block says what it needs: it is run here, or a word before it says why not.
#[test]
fn every_block_of_commands_is_run_or_says_why_not() {
    for file in files() {
        marked(&file);
    }
}

#[track_caller]
fn marked(file: &Path) {
    let text = fs::read_to_string(file).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    for (number, _) in lines.iter().enumerate().filter(|(_, line)| **line == "```console") {
        let marker = number.checked_sub(1).map_or("", |before| lines[before]);
        assert!(
            marker.starts_with("<!-- run") || marker.starts_with("<!-- needs "),
            "{} line {}: mark the block with <!-- run --> or <!-- needs … -->",
            file.display(),
            number + 1
        );
    }
}

/// Formats, options and codes that the README names exist.
#[test]
fn options_in_the_readme_exist() {
    let texts: String = files().iter().map(|file| fs::read_to_string(file).expect("a file")).collect();
    let home = Home::new();
    let mut help = String::new();
    for command in
        ["", "audit", "rehearse", "roots check", "roots export", "clients", "explain", "demo", "guide"]
    {
        let (lines, status) = run(&home, &format!("pgtls-check {command} --help"));
        assert_eq!(status, 0, "{command}: {lines:#?}");
        help.push_str(&lines.join("\n"));
    }
    for line in texts.lines().filter(|line| line.contains("pgtls-check") || line.starts_with("| `-")) {
        // Other programs' options stand behind a pipe, or in lines of az, kubectl, cargo.
        let own = line.split(" | jq").next().unwrap_or_default();
        if ["az ", "aws ", "cargo ", "kubectl ", "psql ", "openssl ", "gcloud "]
            .iter()
            .any(|other| own.contains(other))
        {
            continue;
        }
        for word in own
            .split([' ', '`', '=', '[', ']', ',', '|'])
            .filter(|word| word.starts_with("--") && word.len() > 2)
        {
            assert!(help.contains(word), "{word} in {line:?}");
        }
    }
}

//! Whether libpq would find Kerberos credentials. If it does, and gssencmode is not `disable`, it asks for GSSAPI encryption
//! before TLS (fe-connect.c; `pg_GSS_have_cred_cache` in fe-gssapi-common.c calls `gss_acquire_cred`).
//!
//! MIT Kerberos, with which Debian, Red Hat and others build libpq, has credentials as soon as a cache of the default
//! collection names a principal (`krb5_cccol_have_content`), expired or without a ticket, or a client keytab has a key
//! (`can_get_initial_creds` in acquire_cred.c). All cases below were compared with libpq 15 over MIT Kerberos 1.20, caches of
//! the kernel's keyrings included; a cache of sssd-kcm was, one asked for by its name follows cc_kcm.c alone.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Environment;
use crate::bytes::Reader;
use crate::order;

/// No cache or keytab that anybody uses is longer; the beginning tells enough.
const LONGEST: u64 = 64 * 1024;
/// krb5.conf files are short.
const LONGEST_CONFIG: u64 = 1024 * 1024;
/// Files that one krb5.conf includes, at most.
const MOST_FILES: usize = 100;
/// Caches of one directory that are looked at, at most.
const MOST_CACHES: usize = 100;

/// Where a client keytab lies by default: as the library is built, by Debian, by Red Hat, by itself.
const CLIENT_KEYTABS: [&str; 3] = [
    "FILE:/etc/krb5/user/%{euid}/client.keytab",
    "FILE:/var/kerberos/krb5/user/%{euid}/client.keytab",
    "FILE:/var/krb5/user/%{euid}/client.keytab",
];
const CACHE: &str = "FILE:/tmp/krb5cc_%{uid}";

/// The name of the cache or keytab with credentials of the user, as Kerberos writes it (`FILE:/tmp/krb5cc_1000`).
pub(super) fn credentials(environment: &Environment) -> Option<String> {
    // The libraries of Windows and macOS keep credentials elsewhere, and PostgreSQL's builds for them have no GSSAPI.
    if !cfg!(unix) || cfg!(target_os = "macos") {
        return None;
    }
    let variables = ["KRB5CCNAME", "KRB5_CLIENT_KTNAME", "KRB5_CONFIG", "TMPDIR"];
    let variables = variables.map(|name| environment.variable(name).map(|value| value.to_owned()));
    environment.kerberos.once(variables, || found(environment))
}

fn found(environment: &Environment) -> Option<String> {
    let config = Config::read(environment);
    let given = |name: &str| environment.variable(name).map(|value| value.to_string_lossy().into_owned());
    let cache = given("KRB5CCNAME").or_else(|| {
        let configured = config.value("default_ccache_name").unwrap_or(CACHE);
        expanded(configured, environment)
    });
    let keytabs: Vec<String> = match given("KRB5_CLIENT_KTNAME") {
        Some(name) => vec![name],
        None => match config.value("default_client_keytab_name") {
            Some(name) => expanded(name, environment).into_iter().collect(),
            None => CLIENT_KEYTABS.iter().filter_map(|name| expanded(name, environment)).collect(),
        },
    };
    let cache = cache.filter(|name| has_cache(name, &config, environment));
    cache.or_else(|| keytabs.into_iter().find(|name| has_key(name, environment)))
}

/// Whether a cache collection has a cache with a principal.
fn has_cache(name: &str, config: &Config, environment: &Environment) -> bool {
    let (kind, rest) = name.split_once(':').unwrap_or(("FILE", name));
    let path = |path: &str| environment.current_dir.join(path);
    match kind {
        "FILE" => names_principal(&path(rest)),
        // One cache of a collection.
        "DIR" if rest.starts_with(':') => names_principal(&path(rest.trim_start_matches(':'))),
        "DIR" => caches(&path(rest)).iter().any(|cache| names_principal(cache)),
        "KCM" => {
            let socket = config.value("kcm_socket").unwrap_or("/var/run/.heim_org.h5l.kcm-socket");
            asked::daemon_has_cache(Path::new(socket), rest)
        }
        "KEYRING" => {
            let keys = fs::read_to_string("/proc/keys").unwrap_or_default();
            keyring_has_cache(rest, &keys, environment.user_id)
        }
        // A process that begins has nothing in memory.
        _ => false,
    }
}

/// The caches of a directory (cc_dir.c): whatever begins with `tkt`.
fn caches(directory: &Path) -> Vec<PathBuf> {
    let names = crate::file::directory(directory).unwrap_or_default();
    let caches = names.into_iter().filter(|name| name.as_encoded_bytes().starts_with(b"tkt"));
    caches.map(|name| directory.join(name)).take(MOST_CACHES).collect()
}

/// The beginning of a plain file: anything else may keep one waiting, and Kerberos' own libraries would not use it.
fn beginning(path: &Path, most: u64) -> Option<Vec<u8>> {
    crate::file::metadata(path).ok().filter(|found| found.is_file() && found.len() > 0)?;
    let there = path.to_owned();
    let read = move || {
        let mut content = Vec::new();
        fs::File::open(there)?.take(most).read_to_end(&mut content)?;
        Ok(content)
    };
    crate::file::bounded(read).ok()
}

/// Whether a file is a credential cache with a principal (cc_file.c): versions 1 to 4, of which 4 has a header.
fn names_principal(path: &Path) -> bool {
    beginning(path, LONGEST).is_some_and(|content| principal(&content).is_some())
}

fn principal(content: &[u8]) -> Option<()> {
    let mut reader = Reader::new(content);
    let (5, version @ 1..=4) = (reader.u8()?, reader.u8()?) else { return None };
    // Versions 1 and 2 are in the byte order of the machine that wrote them; 1 has no type and counts the realm.
    let number = |reader: &mut Reader<'_>| {
        let bytes = *reader.take(4)?.first_chunk()?;
        let number = if version < 3 { u32::from_ne_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(number).ok()
    };
    if version == 4 {
        reader.vector(2)?;
    }
    if version > 1 {
        number(&mut reader)?;
    }
    let components = number(&mut reader)?.checked_sub(usize::from(version == 1))?;
    for _ in 0..=components {
        let length = number(&mut reader)?;
        reader.take(length)?;
    }
    Some(())
}

/// Whether a client keytab has a key (kt_file.c): version 1 or 2 and an entry that is not a hole.
fn has_key(name: &str, environment: &Environment) -> bool {
    let (kind, rest) = name.split_once(':').unwrap_or(("FILE", name));
    if !matches!(kind, "FILE" | "WRFILE") {
        return false;
    }
    let content = beginning(&environment.current_dir.join(rest), LONGEST).unwrap_or_default();
    let mut reader = Reader::new(&content);
    let (Some(5), Some(1 | 2)) = (reader.u8(), reader.u8()) else { return false };
    while let Some(length) = reader.take(4).and_then(|bytes| bytes.first_chunk().copied()) {
        match i32::from_be_bytes(length) {
            1.. => return true,
            0 => return false,
            hole => {
                if usize::try_from(hole.unsigned_abs()).ok().and_then(|hole| reader.take(hole)).is_none() {
                    return false;
                }
            }
        }
    }
    false
}

/// Whether a keyring that this process may see is the collection of that name and has a cache (cc_keyring.c). `keys` is what
/// `/proc/keys` tells: names, kinds and how much is in each keyring, but not what.
fn keyring_has_cache(name: &str, keys: &str, user_id: Option<u32>) -> bool {
    let (anchor, rest) = name.split_once(':').unwrap_or(("legacy", name));
    let first = rest.split(':').next().unwrap_or_default();
    let collection = match anchor {
        // What a process or thread that begins has is empty.
        "process" | "thread" => return false,
        "persistent" => "_krb".to_owned(),
        _ => format!("_krb_{first}"),
    };
    // Serial, flags, usage, expiry, permissions, user, group, kind, name and how much is in it.
    let keyring = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (kind, described) = words.get(7..)?.split_first()?;
        let described = described.join(" ");
        let (name, count) = described.rsplit_once(": ").filter(|_| *kind == "keyring")?;
        Some((name.to_owned(), count.parse::<usize>().unwrap_or(0)))
    };
    let keyrings: Vec<(String, usize)> = keys.lines().filter_map(keyring).collect();
    let is_there = |name: &str, least| keyrings.iter().any(|(known, count)| known == name && *count >= least);
    // One key of a collection says which cache is the primary one; an empty collection has it too.
    let owner = if first.is_empty() { user_id.map(|id| id.to_string()) } else { Some(first.to_owned()) };
    let persistent = || owner.is_some_and(|owner| is_there(&format!("_persistent.{owner}"), 1));
    is_there(&collection, 2) && (anchor != "persistent" || persistent()) && keys.contains(" __krb5_princ__:")
}

#[cfg(unix)]
mod asked {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::time::Duration;

    /// A daemon of this machine answers at once.
    const PATIENCE: Duration = Duration::from_millis(500);
    /// Protocol 2.0, `KCM_OP_GET_CACHE_UUID_LIST` and `KCM_OP_GET_PRINCIPAL` (kcm.h).
    const GET_CACHE_UUID_LIST: [u8; 4] = [2, 0, 0, 18];
    const GET_PRINCIPAL: [u8; 4] = [2, 0, 0, 8];
    const UUID: usize = 16;
    /// The kind of a name and how many parts it has.
    const PRINCIPAL: usize = 8;

    /// Whether the cache daemon (sssd-kcm, Heimdal's kcm) has the cache of this name, or any of this user's without one.
    pub(super) fn daemon_has_cache(socket: &Path, name: &str) -> bool {
        let (request, least) = match name {
            "" => (GET_CACHE_UUID_LIST.to_vec(), UUID),
            name => ([&GET_PRINCIPAL[..], name.as_bytes(), &[0]].concat(), PRINCIPAL),
        };
        answers(socket, &request, least).unwrap_or_default()
    }

    /// Whether the answer to a request is good and so long at least.
    fn answers(socket: &Path, request: &[u8], least: usize) -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let length = u32::try_from(request.len()).unwrap_or_default();
        stream.write_all(&[&length.to_be_bytes()[..], request].concat())?;
        // The status of the call behind the length of what follows it: the answer's status and content (cc_kcm.c).
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        let [a, b, c, d, statuses @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default();
        Ok(statuses == [0; 8] && length >= 4 + least)
    }
}

#[cfg(not(unix))]
mod asked {
    pub(super) fn daemon_has_cache(_: &std::path::Path, _: &str) -> bool {
        false
    }
}

/// The parameters of krb5.conf's section `libdefaults`, in order: the first of a name counts (prof_parse.c, prof_get.c).
#[derive(Debug, Default)]
struct Config {
    values: Vec<(String, String)>,
    files: usize,
}

impl Config {
    /// What `KRB5_CONFIG`, a list of files, or the system's file says.
    fn read(environment: &Environment) -> Self {
        let mut config = Self::default();
        let system = OsString::from("/etc/krb5.conf");
        let files = environment.variable("KRB5_CONFIG").filter(|files| !files.is_empty()).unwrap_or(&system);
        for file in std::env::split_paths(files) {
            config.file(&environment.current_dir.join(file), &mut false);
        }
        config
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads a file and those it includes. `within`: the section is `libdefaults`.
    fn file(&mut self, path: &Path, within: &mut bool) {
        self.files += 1;
        if self.files > MOST_FILES {
            return;
        }
        let text = beginning(path, LONGEST_CONFIG).unwrap_or_default();
        let mut depth = 0usize;
        for line in String::from_utf8_lossy(&text).lines().map(str::trim) {
            let directive = |name: &str| line.strip_prefix(name)?.strip_prefix([' ', '\t']).map(str::trim);
            if line.is_empty() || line.starts_with(['#', ';']) {
            } else if let Some(file) = directive("include") {
                // An included file has sections of its own.
                self.file(Path::new(file), &mut false);
            } else if let Some(directory) = directive("includedir") {
                self.directory(Path::new(directory));
            } else if let Some(section) = line.strip_prefix('[') {
                *within = section.trim_end_matches('*').trim_end_matches(']') == "libdefaults";
                depth = 0;
            } else if line.ends_with('{') {
                depth += 1;
            } else if line.starts_with('}') {
                depth = depth.saturating_sub(1);
            } else if let Some((name, value)) = line.split_once('=').filter(|_| *within && depth == 0) {
                let value = value.trim().trim_matches('"');
                self.values.push((name.trim().to_owned(), value.to_owned()));
            }
        }
    }

    /// The files of a directory whose names are letters, digits, `-` and `_`, or end in `.conf`, sorted.
    fn directory(&mut self, directory: &Path) {
        let plain = |name: &OsStr| {
            let name = name.as_encoded_bytes();
            let word = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
            !name.starts_with(b".") && (word || name.ends_with(b".conf"))
        };
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.file_name()).filter(|name| plain(name)).collect();
        order::sort(&mut files);
        for file in files {
            self.file(&directory.join(file), &mut false);
        }
    }
}

/// A name with its tokens replaced (expand_path.c); `None` where one is unknown or cannot be told.
fn expanded(name: &str, environment: &Environment) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = name;
    while let Some((before, token)) = rest.split_once("%{") {
        let (token, after) = token.split_once('}')?;
        let variable =
            |name: &str| environment.variable(name).map(|value| value.to_string_lossy().into_owned());
        expanded.push_str(before);
        expanded.push_str(&match token {
            "uid" | "euid" | "USERID" => environment.user_id?.to_string(),
            "username" => environment.login_name.get()?,
            "TEMP" => variable("TMPDIR").unwrap_or_else(|| "/tmp".to_owned()),
            "null" => String::new(),
            _ => return None,
        });
        rest = after;
    }
    expanded.push_str(rest);
    Some(expanded)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// A cache of version 4 without a ticket.
    const NAMED: &[u8] = b"\x05\x04\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x0bEXAMPLE.COM\0\0\0\x05alice";
    const KEYTAB: &[u8] = b"\x05\x02\0\0\0\x04aaaa";

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        }

        /// What is found with these variables; `@` in a value is the directory.
        fn found(&self, variables: &[(&str, &str)]) -> bool {
            let directory = self.0.path().to_str().unwrap();
            let set =
                |(name, value): &(&str, &str)| (OsString::from(name), value.replace('@', directory).into());
            let mut environment = Environment {
                variables: variables.iter().map(set).collect(),
                current_dir: self.0.path().to_owned(),
                user_id: Some(4711),
                ..Environment::default()
            };
            let config = environment.variables.entry("KRB5_CONFIG".into());
            config.or_insert_with(|| self.0.path().join("none.conf").into());
            credentials(&environment).is_some()
        }
    }

    /// `/proc/keys` with caches made by kinit in the collections `session:abc`, `user:me`, the legacy one of a name, and the
    /// persistent one of user 0; libpq had looked into `session:other`, which made the collection and no cache.
    const KEYS: &str = "\
04e2f03b I------     1   2d 1f030000     0 65534 keyring   _persistent.0: 1
052d0e77 I--Q---     1 perm 3f010000     0     0 keyring   _krb_legacyname: 2
0c7a37c0 I--Q---     1 perm 3f010000     0     0 user      krb_ccache:primary: 11
0e23059b I--Q---     1 perm 3f010000     0     0 keyring   _krb_me: 2
120054cb I--Q---     1  23h 3f010000     0     0 user      krbtgt/EXAMPLE.COM@EXAMPLE.COM: 564
177c8e3b I--Q---     1 perm 3f010000     0     0 keyring   _krb_other: 1
199fbccd I--Q---     1 perm 3f010000     0     0 keyring   _krb: 1
1ec3aa64 I--Q---     1 perm 3f010000     0     0 user      __krb5_princ__: 32
23917887 I--Q---     1 perm 3f010000     0     0 keyring   _krb: 2
28082eae I--Q---     1 perm 3f010000     0     0 keyring   _krb_abc: 2
2e5012a9 I--Q---     1 perm 3f010000     0     0 keyring   _krb_: 1
";

    /// Each row's answer is libpq 15's over these keyrings.
    #[test]
    fn keyrings_are_told_apart_by_their_names() {
        for (name, found) in [
            ("persistent:0", true),
            ("persistent:", true),
            ("persistent:4711", false),
            ("session:abc", true),
            ("session:abc:abc", true),
            ("session:other", false),
            ("user:me", true),
            ("user:you", false),
            ("legacyname", true),
            ("", false),
            ("process:p", false),
            ("thread:t", false),
        ] {
            assert_eq!(keyring_has_cache(name, KEYS, Some(0)), found, "{name}");
            assert!(!keyring_has_cache(name, "", Some(0)), "{name}");
        }
    }

    /// Each row's answer is libpq 15's: whether it sends GSSENCRequest.
    #[test]
    fn credentials_are_found_where_libpq_finds_them() {
        let place = Place::new();
        for (name, content) in [
            ("good", NAMED),
            ("v3", b"\x05\x03\0\0\0\x01\0\0\0\x01\0\0\0\x0bEXAMPLE.COM\0\0\0\x05alice"),
            ("version9", b"\x05\x09\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x0bEXAMPLE.COM\0\0\0\x05alice"),
            ("unnamed", b"\x05\x04\0\0"),
            ("empty", b""),
            ("junk", b"hello world"),
            ("tickets/tkt1", NAMED),
            ("dangling/tkt1", NAMED),
            ("dangling/primary", b"tkt2\n"),
            ("others/ticket", NAMED),
            ("keys", KEYTAB),
            ("nokeys", b"\x05\x02"),
        ] {
            place.write(name, content);
        }
        for (name, found) in [
            ("@/good", true),
            ("good", true),
            ("FILE:@/good", true),
            ("file:@/good", false),
            ("WRFILE:@/good", false),
            ("@/v3", true),
            ("@/version9", false),
            ("@/unnamed", false),
            ("@/empty", false),
            ("@/junk", false),
            ("@/missing", false),
            ("@/tickets", false),
            ("DIR:@/tickets", true),
            ("DIR:@/dangling", true),
            ("DIR::@/tickets/tkt1", true),
            ("DIR:@/others", false),
            ("DIR:@/missing", false),
            ("MEMORY:x", false),
            ("FOO:bar", false),
            ("", false),
        ] {
            assert_eq!(place.found(&[("KRB5CCNAME", name)]), found, "{name}");
        }
        for (name, found) in
            [("@/keys", true), ("FILE:@/keys", true), ("@/nokeys", false), ("@/missing", false)]
        {
            assert_eq!(place.found(&[("KRB5_CLIENT_KTNAME", name)]), found, "{name}");
        }
    }

    #[test]
    fn krb5_conf_is_read_as_kerberos_reads_it() {
        let place = Place::new();
        place.write("good", NAMED);
        place.write("u_4711", NAMED);
        place.write("keys", KEYTAB);
        let directory = place.0.path().to_str().unwrap().to_owned();
        let named = |name: &str| format!("[libdefaults]\n default_ccache_name = FILE:{directory}/{name}\n");
        place.write("inc.d/x.conf", named("good").replace("FILE:", "\"FILE:").replace("good\n", "good\"\n"));
        place.write("inc.d/y.conf~", named("missing"));
        place.write("good.conf", named("good"));
        let include = format!("includedir {directory}/inc.d\n");
        for (config, found) in [
            (named("good"), true),
            (named("u_%{uid}"), true),
            (named("%{nonsense}good"), false),
            (
                format!(
                    "# c\n ; d\n{}[realms]\n X = {{\n  kdc = y\n }}\n{}",
                    named("good"),
                    named("missing")
                ),
                true,
            ),
            (format!("{}{}", named("missing"), named("good")), false),
            (format!("{include}{}", named("missing")), true),
            (format!("{}{include}", named("missing")), false),
            (format!("include {directory}/good.conf\n"), true),
            (format!("[realms]\n default_ccache_name = FILE:{directory}/good\n"), false),
            (format!("[libdefaults]\n default_client_keytab_name = FILE:{directory}/keys\n"), true),
        ] {
            place.write("krb5.conf", &config);
            assert_eq!(place.found(&[("KRB5_CONFIG", "@/krb5.conf")]), found, "{config}");
            // A variable that is set, be it to nothing, hides the file's name.
            let hidden = place.found(&[("KRB5_CONFIG", "@/krb5.conf"), ("KRB5CCNAME", "")]);
            assert_eq!(hidden, config.contains("keytab"), "{config}");
        }
        assert!(place.found(&[("KRB5_CONFIG", "@/nope:@/good.conf")]));
        // One that includes itself has an end.
        place.write("loop.conf", format!("include {directory}/loop.conf\ninclude {directory}/loop.conf\n"));
        assert!(!place.found(&[("KRB5_CONFIG", "@/loop.conf")]));
    }

    #[test]
    fn a_cache_daemon_is_asked_for_its_caches() {
        use std::io::{Read, Write};
        use std::os::unix::net::UnixListener;
        let place = Place::new();
        for (answer, found) in [
            (&[0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1][..], true),
            (&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0], false),
            (&[0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0], false),
            (&[], false),
        ] {
            let socket = place.0.path().join("kcm");
            let _ = fs::remove_file(&socket);
            let listener = UnixListener::bind(&socket).unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 8];
                stream.read_exact(&mut request).unwrap();
                stream.write_all(answer).unwrap();
                request
            });
            let config = format!("[libdefaults]\n kcm_socket = {}\n", socket.display());
            place.write("kcm.conf", config);
            assert_eq!(
                place.found(&[("KRB5CCNAME", "KCM:"), ("KRB5_CONFIG", "@/kcm.conf")]),
                found,
                "{answer:?}"
            );
            assert_eq!(server.join().unwrap(), [0, 0, 0, 4, 2, 0, 0, 18]);
        }
        assert!(!place.found(&[("KRB5CCNAME", "KCM:"), ("KRB5_CONFIG", "@/kcm.conf")]));
    }
}

//! How to make PEM of what a file really is.

use std::path::{Path, PathBuf};

use crate::certificate::Alteration;
use crate::diagnose::Fix;
use crate::diagnose::view::path_text;
use crate::trust::{FileContent, Pkcs7Form, Wrapping};

/// The commands that write the certificates of a file at `path` as PEM beside it, else what to do in their place.
pub(super) fn conversions(path: &Path, content: &FileContent) -> Vec<Fix> {
    match to_pem(path, content) {
        Some((text, words, to)) => vec![Fix {
            converts: Some(path.to_owned()),
            ..Fix::text(text)
                .run_words(words.iter().map(String::as_str))
                .set("sslrootcert", to.to_string_lossy())
        }],
        None => otherwise(path, content),
    }
}

/// What writes the certificates of a file as PEM beside it, in words and as a command, and where to; `None` of what cannot
/// be converted.
pub(in crate::diagnose) fn to_pem(
    path: &Path,
    content: &FileContent,
) -> Option<(String, Vec<String>, PathBuf)> {
    let from = path.to_string_lossy().into_owned();
    // With the same name for both, openssl would read the file it has just emptied.
    let is_pem = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pem"));
    let to = path.with_extension(if is_pem { "converted.pem" } else { "pem" });
    let (text, words) = command(content, &from, &to.to_string_lossy())
        .map(|(text, words)| (text, words.into_iter().map(str::to_owned).collect()))?;
    Some((text, words, to))
}

/// What reads the file `from` and writes the certificates to `to`, and what that is.
fn command<'a>(content: &FileContent, from: &'a str, to: &'a str) -> Option<(String, Vec<&'a str>)> {
    const TO_PEM: &str = "convert it to PEM";
    const TAKE_OUT: &str = "take the certificates out";
    let own = || vec!["pgtls-check", "roots", "convert", from, "--output", to];
    let (text, words) = match content {
        FileContent::Altered(by) => {
            let text: Vec<&str> = by.iter().map(|alteration| undone(*alteration)).collect();
            return Some((sentence(&text), own()));
        }
        FileContent::DerCertificate if cfg!(windows) => (TO_PEM, own()),
        FileContent::DerCertificate => {
            (TO_PEM, vec!["openssl", "x509", "-inform", "DER", "-in", from, "-out", to])
        }
        FileContent::Pkcs7(Pkcs7Form::Pem) => {
            (TAKE_OUT, vec!["openssl", "pkcs7", "-print_certs", "-in", from, "-out", to])
        }
        FileContent::Pkcs7(Pkcs7Form::Der) => {
            (TAKE_OUT, vec!["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", from, "-out", to])
        }
        // `openssl pkcs7` wants its own label.
        FileContent::Pkcs7(Pkcs7Form::PemCms) => (
            TAKE_OUT,
            vec!["openssl", "cms", "-cmsout", "-noout", "-inform", "PEM", "-in", from, "-certsout", to],
        ),
        FileContent::Pkcs12 => (
            "take the CA's certificates out",
            vec!["openssl", "pkcs12", "-in", from, "-cacerts", "-nokeys", "-out", to],
        ),
        FileContent::Utf16(_) => ("save it as ASCII or UTF-8 (> in Windows PowerShell writes UTF-16)", own()),
        _ => return None,
    };
    Some((text.to_owned(), words))
}

/// What to do where nothing can be converted.
fn otherwise(path: &Path, content: &FileContent) -> Vec<Fix> {
    match content {
        FileContent::PathOfFile(inner) => vec![
            Fix::text("set sslrootcert to that file itself").set("sslrootcert", inner.to_string_lossy()),
            // Whether the file is on this machine a trial shows: no command that may fail.
            Fix::text(format!(
                "copy {} to {}, from the machine that has it",
                path_text(inner),
                path_text(path)
            )),
        ],
        FileContent::JavaKeystore => {
            let to = path.with_extension("pem").to_string_lossy().into_owned();
            let [from, quoted] = [&path.to_string_lossy(), to.as_str()].map(crate::text::shell_quoted);
            vec![
                Fix::text("write its certificates as PEM, where Java is installed; keytool asks for the keystore's password")
                    .run(format!("keytool -list -rfc -keystore {from} > {quoted}"))
                    .set("sslrootcert", to),
            ]
        }
        FileContent::PrivateKey => {
            vec![Fix::text(
                "name the file with the CA's certificate in sslrootcert; if this is the CA's private key, delete it and tell whoever sent it: \
                 with it anybody can pass for the server (sslkey is for the client's own key)",
            )]
        }
        FileContent::Csr => vec![Fix::text("use the CA's certificate; this is only a request for one")],
        FileContent::Html => vec![Fix::text(
            "download the file again: what was saved is a web page, usually an error or login page",
        )],
        FileContent::BadBlock { line, .. } => vec![
            Fix::text("copy the file again from where you have it: this copy is cut off or damaged"),
            Fix::text(format!(
                "replace the block that begins at line {line}: every block must be whole, from BEGIN CERTIFICATE to END CERTIFICATE"
            )),
        ],
        FileContent::Empty => vec![Fix::text("download the file again: it is empty")],
        FileContent::Wrapped(by) => vec![unwrapped(path, *by)],
        FileContent::Placeholder(name) => vec![Fix::text(format!(
            "where {} is written: set the variable {} to the CA's certificate in PEM, and hand it to that step (secret variables of a \
             pipeline reach a script only where it names them), so that it is replaced",
            path_text(path),
            crate::text::printable(name)
        ))],
        _ => vec![Fix::text("name the file with the CA's certificates in PEM")],
    }
}

/// What takes a file out of what another program has made of it.
fn unwrapped(path: &Path, by: Wrapping) -> Fix {
    let to = path.with_extension("unpacked.pem").to_string_lossy().into_owned();
    let [from, quoted] = [&path.to_string_lossy(), to.as_str()].map(crate::text::shell_quoted);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = crate::text::shell_quoted(&directory.to_string_lossy());
    let into = |text: &str, command: String| Fix {
        converts: Some(path.to_owned()),
        ..Fix::text(text).run(command).set("sslrootcert", to.clone())
    };
    match by {
        Wrapping::Gzip => into("unpack it", format!("gunzip -c < {from} > {quoted}")),
        Wrapping::Zip => into("unpack it", format!("unzip -p {from} > {quoted}")),
        Wrapping::AnsibleVault => into(
            "decrypt it where the vault's password is (Ansible's copy module does so by itself)",
            format!("ansible-vault decrypt --output {quoted} {from}"),
        ),
        Wrapping::Pgp => {
            into("decrypt it where the key is", format!("gpg --output {quoted} --decrypt {from}"))
        }
        Wrapping::Sops => into(
            "decrypt it where the key is (in a deployment, as a step of its own before the check)",
            format!("sops --decrypt {from} > {quoted}"),
        ),
        Wrapping::Age => into(
            "decrypt it where the key is",
            format!("age --decrypt --identity KEYFILE --output {quoted} {from}"),
        ),
        Wrapping::LfsPointer => {
            Fix::text("fetch the file that it stands for (a CI job has to check out with LFS)")
                .run(format!("git -C {directory} lfs install && git -C {directory} lfs pull"))
        }
        Wrapping::GitCrypt => Fix::text("decrypt the repository: name the key file, or omit it with GPG")
            .run(format!("cd {directory} && git-crypt unlock KEYFILE")),
        Wrapping::Template => Fix::text(format!(
            "have the template filled in that makes {}: its variable has to hold the CA's certificate in PEM",
            path_text(path)
        )),
        Wrapping::Text | Wrapping::PublicKey => Fix::text(
            "ask whoever sent it for the CA's certificate itself, the file that begins with -----BEGIN CERTIFICATE-----",
        ),
        Wrapping::ErrorPage => {
            Fix::text("correct the address and download the file again (curl -f saves no error page)")
        }
    }
}

/// What undoes an alteration.
fn undone(alteration: Alteration) -> &'static str {
    match alteration {
        Alteration::Base64 => "decode the base64",
        Alteration::LostLineEnds => {
            "restore the line ends (a script that writes it from a variable has to quote that: printf '%s\\n' \"$VARIABLE\" > FILE)"
        }
        Alteration::EscapedLineEnds | Alteration::CarriageReturns => "restore the line ends",
        Alteration::Json => "take the certificates out of the JSON",
        Alteration::Settings => "take the certificates out of the YAML",
        Alteration::Quotes => "remove the quotes",
        Alteration::Indentation => "remove the indentation",
        Alteration::Dashes => "write the dashes of its BEGIN and END lines as -----",
        Alteration::NoFirstAndLastLine => "add the BEGIN and END lines",
    }
}

/// Parts of a sentence, each once.
fn sentence(parts: &[&str]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for part in parts {
        if !once.contains(part) {
            once.push(part);
        }
    }
    match once.as_slice() {
        [.., _] if once.len() > 1 => {
            let (last, first) = once.split_last().map_or(("", &[][..]), |(last, first)| (*last, first));
            format!("{} and {last}", first.join(", "))
        }
        _ => once.concat(),
    }
}

//! How the program is linked, and the texts that it carries packed.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    link();
    let to = PathBuf::from(env::var("OUT_DIR")?);
    let mut index = String::new();
    pack("EXPLAIN", &files("src/diagnose/explain", "md")?, &to, &mut index)?;
    pack("GUIDE", &files("src/guide", "md")?, &to, &mut index)?;
    // Each in a file of its own; the other two are bundles.
    let mut roots = files("certs", "pem")?;
    roots.retain(|file| {
        !file.ends_with("aws-rds-global-bundle.pem") && !file.ends_with("azure-postgresql-recommended.pem")
    });
    pack("ROOTS", &roots, &to, &mut index)?;
    let recognise = Path::new("src/diagnose/recognise");
    // Apart from the rest: a session that fails needs them alone.
    pack("TRANSLATIONS", &[recognise.join("translations.tsv")], &to, &mut index)?;
    let known =
        ["clients.tsv", "texts.tsv", "readings.txt", "references.tsv"].map(|file| recognise.join(file));
    pack("RECOGNISE", &known, &to, &mut index)?;
    pack("TERMS", &files("src/diagnose/terms", "tsv")?, &to, &mut index)?;
    pack("CLIENTS", &[PathBuf::from("src/clients/snippets.txt")], &to, &mut index)?;
    pack_certificates("CERTS", Path::new("certs/aws-rds-global-bundle.pem"), &to, &mut index)?;
    // Apart from the certificates, of which a look at their names needs none.
    pack("LISTS", &[PathBuf::from("certs/aws-rds-roots.csv")], &to, &mut index)?;
    fs::write(to.join("packed.rs"), index)?;
    Ok(())
}

fn link() {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // At a fixed address the tables of texts need no relocation: 13,000 fewer at each start, and sixty pages that stay
    // shared with the file. That is a tenth of the time of a check. Libraries, stack and heap have random addresses still.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // Whole, so that nothing of it is left to be had from libgcc_s, a library that panics alone would need.
        for argument in ["-Wl,--whole-archive", "-lgcc_eh", "-Wl,--no-whole-archive"] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

/// The files of a folder with this ending, by name.
fn files(folder: &str, ending: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={folder}");
    let entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == ending));
    files.sort();
    Ok(files)
}

/// Writes the certificates of a PEM file as DER, deflated: smaller by a twelfth than their text.
fn pack_certificates(name: &str, file: &Path, to: &Path, index: &mut String) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", file.display());
    let mut certificates = Vec::new();
    let mut body = String::new();
    for line in fs::read_to_string(file)?.lines() {
        match line {
            "-----BEGIN CERTIFICATE-----" => body.clear(),
            "-----END CERTIFICATE-----" => certificates.extend(BASE64_STANDARD.decode(&body)?),
            line => body += line,
        }
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ends = format!("({stem:?}, {}), ", fs::metadata(file)?.len());
    write_packed(name, &certificates, &ends, to, index)
}

/// Writes files as one, deflated, and adds the value that tells where each is.
fn pack(name: &str, files: &[PathBuf], to: &Path, index: &mut String) -> Result<(), Box<dyn Error>> {
    let mut texts = String::new();
    let mut ends = String::new();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        // As written: a checkout on Windows may have other line ends.
        texts += &fs::read_to_string(file)?.replace("\r\n", "\n");
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        write!(ends, "({stem:?}, {}), ", texts.len())?;
    }
    write_packed(name, texts.as_bytes(), &ends, to, index)
}

fn write_packed(
    name: &str,
    content: &[u8],
    ends: &str,
    to: &Path,
    index: &mut String,
) -> Result<(), Box<dyn Error>> {
    let packed = to.join(format!("{name}.deflate"));
    let mut deflated = miniz_oxide::deflate::compress_to_vec(content, 10);
    // Smaller by a thirtieth, in seconds: for what is to be kept.
    if env::var("PROFILE")? == "release" {
        deflated.clear();
        zopfli::compress(zopfli::Options::default(), zopfli::Format::Deflate, content, &mut deflated)?;
    }
    fs::write(&packed, deflated)?;
    writeln!(
        index,
        "static {name}_PACKED: Packed = Packed {{ deflated: include_bytes!({:?}), ends: &[{ends}] }};",
        packed.display().to_string()
    )?;
    Ok(())
}

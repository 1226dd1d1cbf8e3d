//! `roots convert`: the certificates of a file as PEM, whatever form they have, self-signed ones before their copies.

use super::{Streams, written};
use crate::certificate::{Certificate, pem};
use crate::cli::roots::ConvertArgs;
use crate::conninfo::{Environment, mask_path};
use crate::diagnose::root_file::Assessment;
use crate::report::Form;
use crate::report::listing::roots::{Converted, Held};
use crate::timestamp::Timestamp;
use crate::trust::contents::{Contents, contents};
use crate::trust::{certificates_in, roots_first};

pub(super) fn run(
    args: &ConvertArgs,
    form: Form,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let Ok(Some(certificates)) = certificates_in(&environment.current_dir.join(&args.file)) else {
        return not_convertible(args, form, environment, at, streams);
    };
    let certificates = roots_first(certificates);
    let text: String = certificates.iter().map(block).collect();
    let Some(path) = &args.output else {
        streams.list(&Converted { certificates: &certificates, pem: Some(&text), path: None }, form)?;
        return Ok(0);
    };
    if let Some(status) = written(path, args.force, &text, environment, streams)? {
        return Ok(status);
    }
    if form == Form::Page {
        let count = match certificates.len() {
            1 => "1 certificate".to_owned(),
            n => format!("{n} certificates"),
        };
        let note = format!("wrote {} · {count}", mask_path(path));
        streams.note(&streams.notes_style.text(&note));
    }
    streams.list(&Converted { certificates: &certificates, pem: None, path: Some(path) }, form)?;
    Ok(0)
}

fn block(certificate: &Certificate) -> String {
    let name = certificate
        .facts()
        .ok()
        .map(|facts| format!("# {}\n", crate::text::printable(&facts.subject.short())));
    name.unwrap_or_default() + &pem::write("CERTIFICATE", certificate.der())
}

/// What the file is instead, as `roots show` reports it.
fn not_convertible(
    args: &ConvertArgs,
    form: Form,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let Contents { items, roots } = contents(&args.file, &environment.current_dir);
    let assessment = Assessment::of(&roots, at);
    streams.list(&Held { file: &args.file, items: &items, assessment: &assessment, at }, form)?;
    Ok(assessment.exit_status().max(1))
}

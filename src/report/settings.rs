//! Effective settings, line by line.

use super::page::Page;
use super::style::{Role, Style};
use crate::clients::dialect::Typed;
use crate::conninfo::{Origin, Parameter};
use crate::diagnose;
use crate::text::width;

/// `keyword=value   origin`, the origins below each other where the style has columns.
pub(super) fn lines(style: Style, parameters: &[Parameter], typed: Option<&Typed>) -> Vec<String> {
    let settings: Vec<String> = parameters
        .iter()
        .map(|parameter| format!("{}={}", parameter.keyword, style.bytes(parameter.value.shown())))
        .collect();
    // One long value must not push every origin out of sight.
    let column =
        settings.iter().map(|setting| width(setting)).filter(|width| *width <= 40).max().unwrap_or(0);
    settings
        .iter()
        .zip(parameters)
        .map(|(setting, parameter)| {
            let origin = style.paint(Role::Secondary, &style.text(&origin(parameter, typed)));
            let pad = style.width.map_or(0, |_| column.saturating_sub(width(setting)));
            format!("{setting}{:pad$}   {origin}", "")
        })
        .collect()
}

/// Where a parameter comes from: what stands in the string that libpq would be given need not stand in the driver's.
pub(super) fn origin(parameter: &Parameter, typed: Option<&Typed>) -> String {
    let of_driver = typed.filter(|_| parameter.origin == Origin::ConnectionString);
    let of_driver = of_driver.and_then(|typed| typed.origin(parameter.keyword));
    of_driver.unwrap_or_else(|| parameter.origin.to_string())
}

/// Another driver's string: who reads it, the same in libpq's words, and as it has to be written to verify.
pub(super) fn typed(page: &mut Page, typed: &Typed) {
    read_as(page, typed);
    if typed.reading().is_none() {
        notes(page, typed);
        return;
    }
    if let Some(now) = diagnose::demands(typed) {
        page.line(&page.clean(&format!("now: {now}")));
    }
    if let Some(text) = &typed.in_libpq {
        page.line("the same for libpq, without secrets:");
        page.verbatim(2, Role::Command, text);
    }
    verifying(page, typed, false);
    notes(page, typed);
    page.part();
}

/// A driver's string as it has to be written to verify; `with_file`: also with a root file, where none is named.
pub(super) fn verifying(page: &mut Page, typed: &Typed, with_file: bool) {
    match typed.verifying() {
        Some(Ok(text)) => {
            page.line("to verify chain and name, without secrets:");
            page.verbatim(2, Role::Command, &text);
            if let Some(text) = typed.verifying_by("root.crt").filter(|_| with_file) {
                page.line("the same for a server with a CA of your own, whose root file has to be named:");
                page.verbatim(2, Role::Command, &text);
            }
        }
        Some(Err(words)) => page.line(&format!("to verify chain and name: {words}")),
        None => {}
    }
}

/// Whose string it is, and what stood round it.
pub(super) fn read_as(page: &mut Page, typed: &Typed) {
    let dialect = typed.reading().map(|_| format!(" as {}", typed.dialect().title));
    let taken = diagnose::taken_off(typed);
    let line = match (dialect, taken) {
        (None, None) => return,
        (None, Some(taken)) => format!("read{}", taken.trim_start_matches(',')),
        (Some(dialect), taken) => format!("read{dialect}{}", taken.unwrap_or_default()),
    };
    page.line(&page.clean(&line));
}

/// What is worth knowing of a string besides, a line each.
pub(super) fn notes(page: &mut Page, typed: &Typed) {
    for note in diagnose::notes(typed, false) {
        let (head, width) = page.label(4, "note", Role::Secondary);
        page.prose(&head, width, width, Role::Plain, &note.text);
    }
}

//! Effective settings, line by line.

use super::page::Page;
use super::style::{Role, Style};
use crate::clients::dialect::Typed;
use crate::conninfo::Parameter;
use crate::diagnose;
use crate::text::width;

/// `keyword=value   origin`, the origins below each other where the style has columns.
pub(super) fn lines(style: Style, parameters: &[Parameter]) -> Vec<String> {
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
            let origin = style.paint(Role::Secondary, &style.text(&parameter.origin.to_string()));
            let pad = style.width.map_or(0, |_| column.saturating_sub(width(setting)));
            format!("{setting}{:pad$}   {origin}", "")
        })
        .collect()
}

/// Another driver's string: who reads it, the same in libpq's words, and as it has to be written to verify.
pub(super) fn typed(page: &mut Page, typed: &Typed) {
    if typed.reading().is_none() {
        notes(page, typed);
        return;
    }
    page.line(&format!("read as {}", typed.dialect().title));
    if let Some(now) = diagnose::demands(typed) {
        page.line(&page.clean(&format!("now: {now}")));
    }
    if let Some(text) = &typed.in_libpq {
        page.line("the same for libpq, without secrets:");
        page.verbatim(2, Role::Command, text);
    }
    match typed.verifying() {
        Some(Ok(text)) => {
            page.line("to verify chain and name, without secrets:");
            page.verbatim(2, Role::Command, &text);
        }
        Some(Err(words)) => page.line(&format!("to verify chain and name: {words}")),
        None => {}
    }
    notes(page, typed);
    page.part();
}

/// What is worth knowing of a string besides, a line each.
pub(super) fn notes(page: &mut Page, typed: &Typed) {
    for note in diagnose::notes(typed, false) {
        let (head, width) = page.label(4, "note", Role::Secondary);
        page.prose(&head, width, width, Role::Plain, &note.text);
    }
}

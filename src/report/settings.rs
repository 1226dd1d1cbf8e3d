//! Effective settings, line by line.

use super::style::{Role, Style};
use crate::conninfo::Parameter;
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

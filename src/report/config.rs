//! `--show-config`: every effective setting and where it came from.

use serde_json::{Map, Value as Json, json};

use super::certificates::lossy;
use super::style::{Role, Style};
use super::{human, json};
use crate::conninfo::options::is_secret;
use crate::conninfo::{MASK, Parameter};
use crate::diagnose::Diagnosis;
use crate::text::width;

/// The settings for people: `keyword=value   origin`, a line each. With what is wrong with them, if anything is.
pub fn human(style: Style, parameters: &[Parameter], diagnosis: Option<&Diagnosis>) -> String {
    let mut text = String::new();
    for line in lines(style, parameters) {
        text.push_str(&line);
        text.push('\n');
    }
    if let Some(diagnosis) = diagnosis {
        if !text.is_empty() && style.width.is_some() {
            text.push('\n');
        }
        text.push_str(&human::diagnosis_block(style, diagnosis));
    }
    text
}

/// The settings as one JSON object on one line. Values are exact, where they are UTF-8: what is not printable is
/// escaped by JSON's own means.
pub fn json(parameters: &[Parameter], diagnosis: Option<&Diagnosis>) -> String {
    let parameters: Vec<Json> = parameters
        .iter()
        .map(|parameter| {
            let value = if is_secret(parameter.keyword) {
                MASK.to_owned()
            } else {
                lossy(parameter.value.as_bytes())
            };
            json!({ "keyword": parameter.keyword, "value": value, "source": parameter.origin.to_string() })
        })
        .collect();
    let mut object = Map::new();
    object.insert("schema".to_owned(), json!(json::SCHEMA));
    object.insert("diagnosis".to_owned(), diagnosis.map_or(Json::Null, json::diagnosis));
    object.insert("parameters".to_owned(), Json::Array(parameters));
    json::line(&Json::Object(object))
}

/// `keyword=value   origin`, the origins below each other where the style has columns.
pub(super) fn lines(style: Style, parameters: &[Parameter]) -> Vec<String> {
    let settings: Vec<String> = parameters
        .iter()
        .map(|parameter| {
            let value = if is_secret(parameter.keyword) {
                MASK.to_owned()
            } else {
                style.bytes(parameter.value.as_bytes())
            };
            format!("{}={value}", parameter.keyword)
        })
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

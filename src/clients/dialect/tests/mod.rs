//! Strings as people have them, and what is read in them.

mod azure;
mod demands;
mod recognised;
mod secrecy;
mod written;

use super::*;

/// What is left of a target that is worth comparing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub dialect: &'static str,
    /// Options of libpq's with their values, in the order typed.
    pub options: Vec<(String, String)>,
    /// `libpq`, `ok`, or the faults.
    pub outcome: String,
}

pub(super) fn brief(target: &Target, input: &[u8]) -> Summary {
    let options = |settings: &[Setting]| -> Vec<(String, String)> {
        settings
            .iter()
            .filter(|setting| setting.counts)
            .filter_map(|setting| {
                assert!(input.get(setting.place.value.clone()).is_some(), "{setting:?}");
                let value = setting.libpq_value()?;
                Some((setting.libpq()?.to_owned(), String::from_utf8_lossy(&value).into_owned()))
            })
            .collect()
    };
    match target {
        Target::Libpq(taken) => {
            let mut found = options(&taken.options);
            found.extend(options(&taken.variables));
            if let Some(text) = &taken.text {
                found.push(("".to_owned(), String::from_utf8_lossy(text.bytes()).into_owned()));
            }
            Summary { dialect: "libpq", options: found, outcome: "libpq".to_owned() }
        }
        Target::Driver(reading) => Summary {
            dialect: reading.dialect.name,
            options: options(&reading.settings),
            outcome: "ok".to_owned(),
        },
        Target::Refused(failure) => {
            let faults: Vec<String> = failure
                .faults
                .iter()
                .map(|fault| {
                    let place = input.get(fault.place.clone()).expect("a place in the original");
                    format!("{:?} at {:?}", fault.kind, String::from_utf8_lossy(place))
                })
                .collect();
            Summary {
                dialect: failure.dialect.name,
                options: options(&failure.settings),
                outcome: faults.join("; "),
            }
        }
    }
}

/// Reads a string as its form tells, or as a dialect.
pub(super) fn read_as(text: &str, dialect: Option<&str>) -> Target {
    let dialect = dialect.map(|name| find(name).unwrap_or_else(|| panic!("no {name}")));
    read(text.as_bytes(), dialect)
}

#[track_caller]
pub(super) fn reading(text: &str, dialect: Option<&str>) -> Box<Reading> {
    match read_as(text, dialect) {
        Target::Driver(reading) => reading,
        other => panic!("{text}: {other:?}"),
    }
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

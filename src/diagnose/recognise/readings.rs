//! What texts can stand for, how to tell, and what mends it: the groups of `readings.txt`, which several texts share.
//!
//! A group begins with its name in brackets. Each of its readings is four lines: `codes`, `what`, `tell`, `fix`; or it is
//! the readings of another group: `as`.

use super::Reading;
use crate::diagnose::catalogue;
use crate::packed;

/// The readings of a group; none of one that does not exist.
pub(super) fn group(name: &str) -> Vec<Reading> {
    let mut readings = Vec::new();
    let lines = packed::text("recognise", "readings").lines();
    let lines =
        lines.skip_while(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(name));
    for line in lines.skip(1).take_while(|line| !line.starts_with('[')) {
        let (kind, value) = line.split_once(' ').unwrap_or((line, ""));
        if kind == "codes" {
            let codes = value.split_whitespace().filter_map(catalogue::code).collect();
            readings.push(Reading { codes, what: "", tell: "", fix: "" });
        } else if kind == "as" {
            readings.extend(group(value));
        } else if let Some(reading) = readings.last_mut() {
            match kind {
                "what" => reading.what = value,
                "tell" => reading.tell = value,
                "fix" => reading.fix = value,
                _ => {}
            }
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{sqlstate, texts};
    use super::*;

    #[test]
    fn every_line_is_read_and_every_group_used() {
        let mut used: BTreeSet<_> = texts().chain(sqlstate::states()).map(|known| known.group).collect();
        let mut groups = BTreeSet::new();
        let mut expected = 0;
        for line in packed::text("recognise", "readings").lines() {
            let (kind, value) = line.split_once(' ').unwrap_or((line, ""));
            match kind {
                "" | "#" => {}
                "codes" => {
                    expected += 1;
                    for code in value.split_whitespace() {
                        assert!(catalogue::code(code).is_some(), "{code}");
                    }
                }
                "as" => assert!(used.insert(value) || !group(value).is_empty(), "{value}"),
                "what" | "tell" | "fix" => assert!(!value.is_empty(), "{line}"),
                name => assert!(groups.insert(name.trim_matches(['[', ']'])), "{name} stands twice"),
            }
        }
        assert_eq!(groups, used);
        let own = |name: &&str| group(name).len();
        assert!(groups.iter().map(own).sum::<usize>() >= expected);
    }
}

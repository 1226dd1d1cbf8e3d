//! Times in certificates and CRLs (RFC 5280 section 4.1.2.5).

use super::Malformed;
use super::der::{self, Element};
use crate::timestamp::Timestamp;

/// Checks that an element is a UTCTime or GeneralizedTime, whatever it says.
pub(super) fn is_time(element: &Element<'_>, field: &str) -> Result<(), Malformed> {
    match element.tag {
        der::UTC_TIME | der::GENERALIZED_TIME => Ok(()),
        _ => Err(element.wrong(format!("{field} is no time"))),
    }
}

/// A Time: UTCTime or GeneralizedTime, to the second and in UTC, nothing else (`X509_cmp_time`).
pub(super) fn time(element: &Element<'_>, field: &str) -> Result<Timestamp, Malformed> {
    let wrong = || element.wrong(format!("{field} is no time of the form YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ"));
    let Some((&b'Z', digits)) = element.content.split_last() else { return Err(wrong()) };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    let numbers: Vec<u8> = pairs.iter().map(|[ten, one]| (ten - b'0') * 10 + (one - b'0')).collect();
    let (year, fields) = match (element.tag, numbers.as_slice()) {
        (der::UTC_TIME, [year, fields @ ..]) => {
            (i32::from(*year) + if *year < 50 { 2000 } else { 1900 }, fields)
        }
        (der::GENERALIZED_TIME, [century, year, fields @ ..]) => {
            (i32::from(*century) * 100 + i32::from(*year), fields)
        }
        _ => return Err(wrong()),
    };
    match (rest, fields) {
        ([], [month, day, hour, minute, second]) => {
            Timestamp::from_utc(year, *month, *day, *hour, *minute, *second).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

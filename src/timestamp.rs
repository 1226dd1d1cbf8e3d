//! Points in time as certificates and reports need them: UTC, whole seconds.
//! No clock is read here except by [`Timestamp::now`], which only `commands` calls.

use std::fmt;

use time::{Date, Duration, Month, OffsetDateTime, Time};

/// A moment in UTC, to the second, from year 0 to 9999 as in certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The system clock's present.
    pub fn now() -> Self {
        let now = OffsetDateTime::now_utc();
        Self(now.replace_nanosecond(0).unwrap_or(now))
    }

    /// From seconds since 1970-01-01T00:00:00Z, or nothing outside the years -9999 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp(seconds).ok().map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// From a UTC date and time of day, or nothing if there is no such moment.
    pub fn from_utc(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
        let time = Time::from_hms(hour, minute, second).ok()?;
        (0..=9999).contains(&year).then(|| Self(date.with_time(time).assume_utc()))
    }

    /// Whole days from `earlier` to this moment, rounded towards the past: negative when this moment lies before.
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.unix() - earlier.unix()).div_euclid(Duration::DAY.whole_seconds())
    }

    /// How far this moment is from another, in either direction, in words: `12 days`, and hours and minutes below two days.
    pub fn distance(self, other: Self) -> String {
        let seconds = (self.unix() - other.unix()).abs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
        match (days, hours, minutes) {
            (2.., ..) => format!("{days} days"),
            (_, 1.., _) => format!("{hours} h {} min", minutes % 60),
            (_, _, 1..) => format!("{minutes} min"),
            _ => format!("{seconds} s"),
        }
    }

    /// `2026-12-02 15:04 UTC`.
    pub fn minute(self) -> String {
        let (hour, minute, _) = self.0.to_hms();
        format!("{} {hour:02}:{minute:02} UTC", self.date())
    }

    /// This moment moved by whole days, at most to the ends of the calendar.
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(Duration::days(days)))
    }

    /// `2026-12-02`.
    pub fn date(self) -> String {
        let (year, month, day) = self.0.to_calendar_date();
        format!("{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

/// RFC 3339: `2026-11-23T15:04:05Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.0.to_hms();
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", self.date())
    }
}

/// A text that names no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchMoment;

impl fmt::Display for NoSuchMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no date of the form 2026-12-02 or 2026-12-02T15:04:05Z")
    }
}

impl std::error::Error for NoSuchMoment {}

/// A date (its first moment in UTC), or what [`Display`](fmt::Display) writes.
impl std::str::FromStr for Timestamp {
    type Err = NoSuchMoment;

    fn from_str(text: &str) -> Result<Self, NoSuchMoment> {
        let (date, time) = match text.strip_suffix('Z') {
            Some(moment) => moment.split_once('T').ok_or(NoSuchMoment)?,
            None => (text, "00:00:00"),
        };
        let ([year, month, day], [hour, minute, second]) =
            (numbers(date, '-', [4, 2, 2])?, numbers(time, ':', [2; 3])?);
        let small = |number: u16| u8::try_from(number).map_err(|_| NoSuchMoment);
        Self::from_utc(year.into(), small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?)
            .ok_or(NoSuchMoment)
    }
}

/// Three numbers of exactly so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Result<[u16; 3], NoSuchMoment> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().ok_or(NoSuchMoment)?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoSuchMoment);
        }
        *number = part.parse().map_err(|_| NoSuchMoment)?;
    }
    if parts.next().is_some() { Err(NoSuchMoment) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_as_rfc_3339() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1950-01-01T00:00:00Z", -631_152_000),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(Timestamp::from_unix(seconds).unwrap().to_string(), text);
        }
    }

    #[test]
    fn dates_and_moments_are_read() {
        for text in ["2026-12-02T15:04:05Z", "1999-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!("2026-12-02".parse::<Timestamp>().unwrap().to_string(), "2026-12-02T00:00:00Z");
        for text in [
            "",
            "2026-12",
            "2026-2-2",
            "2026-02-30",
            "2026-12-02T15:04:05",
            "2026-12-02Z",
            "+026-12-02",
            "now",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NoSuchMoment), "{text}");
        }
    }

    #[test]
    fn impossible_dates_are_none() {
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 1, 0)] {
            assert_eq!(Timestamp::from_utc(year, month, day, 0, 0, 0), None);
        }
    }

    #[test]
    fn days_are_rounded_towards_the_past() {
        let at = |seconds: i64| Timestamp::from_unix(seconds).unwrap();
        assert_eq!(at(86_400 * 10 + 5).days_since(at(86_400)), 9);
        assert_eq!(at(86_399).days_since(at(86_400)), -1);
    }
    #[test]
    fn distances_are_days_and_below_two_days_hours() {
        let at = |seconds: i64| Timestamp::from_unix(1_700_000_000 + seconds).unwrap();
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (86_399, "23 h 59 min"),
            (2 * 86_400 - 1, "47 h 59 min"),
            (2 * 86_400, "2 days"),
            (35 * 86_400 + 7, "35 days"),
        ] {
            assert_eq!(
                (at(seconds).distance(at(0)), at(0).distance(at(seconds))),
                (words.to_owned(), words.to_owned())
            );
        }
        assert_eq!(at(0).minute(), "2023-11-14 22:13 UTC");
    }
}

//! `--since`: what is otherwise than in an earlier report.

/// What is otherwise with a target, by comparison with an earlier report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What of it.
    pub of: Changed,
    /// What it was; `None` where there was nothing.
    pub from: Option<String>,
    /// What it is; `None` where there is nothing.
    pub to: Option<String>,
}

/// What can be otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The target was not in the report.
    Added,
    /// It fails; `from` is the verdict, `to` the cause.
    Failed,
    /// It fails no more; `from` is the cause, `to` the verdict.
    Cured,
    /// It fails for another cause.
    Cause,
    /// More or less is verified.
    Level,
    /// The server's certificate, by its SHA-256.
    Certificate,
    /// When the server's certificate expires.
    Expires,
    /// The root at which the path ends.
    Root,
    /// A warning is new, or gone.
    Warning,
}

impl Changed {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Failed => "failed",
            Self::Cured => "cured",
            Self::Cause => "cause",
            Self::Level => "level",
            Self::Certificate => "certificate",
            Self::Expires => "expires",
            Self::Root => "root",
            Self::Warning => "warning",
        }
    }
}

impl Change {
    /// In words. Not yet printable.
    pub fn words(&self) -> String {
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let (from, to) = (or_none(&self.from), or_none(&self.to));
        match self.of {
            Changed::Added => "new target".to_owned(),
            Changed::Failed => format!("newly failed: {to} (was {from})"),
            Changed::Cured => format!("cured: {to} (was {from})"),
            Changed::Cause => format!("other cause: {to} (was {from})"),
            Changed::Level => format!("{to} (was {from})"),
            Changed::Certificate => "other certificate".to_owned(),
            Changed::Expires => format!("expires {} (was {})", date(&to), date(&from)),
            Changed::Root => format!("root {to} (was {from})"),
            Changed::Warning => match &self.to {
                Some(code) => format!("new warning: {code}"),
                None => format!("warning gone: {from}"),
            },
        }
    }
}

/// The date of a point in time as JSON writes it.
fn date(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// A target of an earlier report that is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// As the reports name it. Not yet printable.
    pub name: String,
    /// Its verdict.
    pub verdict: String,
}

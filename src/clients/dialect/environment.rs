//! What environment variables say of TLS where a string says nothing.

use super::lookup::Lookup;
use super::{
    Decision, Failure, FaultKind, Form, Kind, Meaning, Place, Reading, Setting, SettingValue, secrets,
};

impl Reading {
    /// The reading in surroundings in which variables have these values: a variable that its driver reads is one more
    /// setting, which counts where the text has none.
    ///
    /// # Errors
    /// The driver refuses what a variable says.
    pub fn in_environment(
        mut self: Box<Self>,
        original: &[u8],
        variable: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Box<Self>, Box<Failure>> {
        let before = self.settings.len();
        for (name, keyword) in self.dialect.surroundings.of_tls {
            if let Some(value) = variable(name) {
                let setting = self.of_variable(name, keyword, value);
                self.settings.push(setting);
            }
        }
        if self.settings.len() == before {
            return Ok(self);
        }
        let decision = self.decide();
        let faults = decision.faults(|_| 0..0);
        if faults.is_empty() {
            self.decision = decision;
            return Ok(self);
        }
        let refused = decision.word_refused().and_then(|at| self.settings.get(at)?.variable);
        let faults = faults.into_iter().map(|mut fault| {
            if let (FaultKind::InvalidValue(keyword, _), Some(variable)) = (&mut fault.kind, refused) {
                *keyword = variable.into();
            }
            fault
        });
        let faults = faults.collect();
        let secrets = secrets::secrets(original, &self.settings, None);
        Err(Box::new(Failure {
            dialect: self.dialect,
            layers: self.layers,
            settings: self.settings,
            faults,
            secrets,
        }))
    }

    fn of_variable(&self, name: &'static str, keyword: &'static str, value: Vec<u8>) -> Setting {
        let known = self.dialect.keyword(keyword).map(|(keyword, _)| keyword.meaning);
        let given = self.settings.iter().any(|setting| {
            setting.counts
                && setting.meaning.is_some()
                && (setting.keyword == keyword || setting.libpq() == Some(keyword))
        });
        Setting {
            keyword: keyword.into(),
            typed: String::new(),
            meaning: Some(known.unwrap_or(Meaning::Tls)),
            value: SettingValue::Plain(value),
            kind: Kind::Text,
            place: Place { keyword: 0..0, value: 0..0 },
            counts: !given,
            variable: Some(name),
        }
    }

    fn decide(&self) -> Decision {
        (self.dialect.demand)(&Lookup {
            settings: &self.settings,
            scheme: &self.scheme,
            object: matches!(self.form, Form::Object(_)),
            beside: self.beside,
            instead: None,
        })
    }
}

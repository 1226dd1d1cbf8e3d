//! What a service file and environment variables say of TLS where a string says nothing.

use super::lookup::Lookup;
use super::{
    Decision, Failure, FaultKind, Form, Kind, Meaning, Place, Reading, Setting, SettingValue, Variables,
    secrets,
};

/// What a service says of TLS, and the words for where that stands.
const SERVICE: [(&str, &str); 2] =
    [("sslmode", "service file: sslmode"), ("sslrootcert", "service file: sslrootcert")];

impl Reading {
    /// The service that its driver looks up in a service file: the text's, else the one of this variable's value. `None`
    /// where it reads no such file.
    pub fn service(&self, variable: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let reads = match self.dialect.surroundings.variables {
            Variables::All => true,
            Variables::Of(options) => options.contains(&"service"),
        };
        let of_string = self.dialect.surroundings.service_of_string;
        let given = self.libpq("service").filter(|setting| setting.counts && of_string);
        let given = given.map(|setting| setting.value.expose().to_vec());
        given.or_else(|| variable("PGSERVICE")).filter(|name| reads && !name.is_empty())
    }

    /// The reading in surroundings in which a service says this of TLS and variables have these values: what its driver
    /// reads there is one more setting, which counts where the text has none; a variable, where the service has none.
    ///
    /// # Errors
    /// The driver refuses what a variable or the service says.
    pub fn in_environment(
        mut self: Box<Self>,
        original: &[u8],
        service: impl Fn(&str) -> Option<Vec<u8>>,
        variable: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Box<Self>, Box<Failure>> {
        let before = self.settings.len();
        for (name, keyword) in self.dialect.surroundings.of_tls {
            // Some have libpq's settings within one of their own.
            let libpqs = keyword.rsplit('.').next().unwrap_or(keyword);
            let of_service = SERVICE.iter().find(|(known, _)| *known == libpqs);
            let of_service = of_service.and_then(|(known, origin)| Some((*origin, service(known)?)));
            if let Some((origin, value)) = of_service.or_else(|| Some((*name, variable(name)?))) {
                let setting = self.of_variable(origin, keyword, value);
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

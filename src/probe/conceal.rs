//! What this side knows to be secret, taken out of what a server says: one that asks for a password in clear text may
//! repeat it in a message, a detail, a hint.

use crate::conninfo::{ParameterValue, Settings, blank_known, mask_cut, mask_known, mask_text};
use crate::evidence::{
    Evidence, NegotiateResult, PlaintextAnswer, ServerMessage, SessionFailure, TlsFailure,
};
use crate::secret::Secret;

/// Takes them out of all that the servers of a target said.
pub(super) fn conceal(evidence: &mut Evidence) {
    let Ok(settings) = &evidence.config else { return };
    let known = Known::of(settings);
    for attempt in &mut evidence.attempts {
        for answer in [&mut attempt.plaintext, &mut attempt.without_tls].into_iter().flatten() {
            if let PlaintextAnswer::Refused(message) = &mut answer.result {
                known.hide(message);
            }
        }
        if let Some(
            NegotiateResult::Error(bytes)
            | NegotiateResult::Injected(bytes)
            | NegotiateResult::Foreign(bytes),
        ) = attempt.negotiate.as_mut().map(|step| &mut step.result)
        {
            known.blank(bytes);
        }
        let failure = attempt.tls.as_mut().and_then(|step| step.result.failure.as_mut());
        if let Some(TlsFailure::NotTls(bytes)) = failure {
            known.blank(bytes);
        }
        let Some(session) = attempt.session.as_mut().map(|step| &mut step.result) else { continue };
        session.notices.iter_mut().for_each(|notice| known.hide(notice));
        session.server_version = session.server_version.take().map(|version| known.without(&version));
        for mechanism in session.requested.iter_mut().flat_map(|request| &mut request.mechanisms) {
            *mechanism = known.without(mechanism);
        }
        match &mut session.failure {
            Some(SessionFailure::Server(message)) => known.hide(message),
            Some(
                SessionFailure::Protocol(text)
                | SessionFailure::Tls(text)
                | SessionFailure::ScramMismatch(text),
            ) => *text = known.without(text),
            _ => {}
        }
    }
}

/// Takes them out of one message.
pub fn conceal_message(message: &mut ServerMessage, settings: &Settings) {
    Known::of(settings).hide(message);
}

/// The secrets of a target.
struct Known {
    secrets: Vec<Secret>,
    /// What is shown anyway: where a password is the same, its place in a text tells it, not its letters.
    shown: Vec<Vec<u8>>,
}

impl Known {
    fn of(settings: &Settings) -> Self {
        let mut secrets: Vec<Secret> = Vec::new();
        let mut add = |secret: &Secret| {
            if !secret.expose().is_empty() && !secrets.contains(secret) {
                secrets.push(secret.clone());
            }
        };
        for password in settings.hosts.iter().filter_map(|host| host.password.as_ref()) {
            add(&password.secret);
        }
        for parameter in &settings.parameters {
            match &parameter.value {
                ParameterValue::Secret(secret) | ParameterValue::Mixed { whole: secret, .. } => add(secret),
                ParameterValue::Plain(_) => {}
            }
        }
        let shown = [&settings.user, &settings.database].map(|value| value.shown().to_vec());
        let hosts = settings.hosts.iter().map(|host| host.name.shown().to_vec());
        Self { secrets, shown: shown.into_iter().chain(hosts).collect() }
    }

    fn without(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            match self.shown.iter().any(|shown| shown == secret.expose()) {
                true => mask_text(&text),
                false => {
                    let is_shown = |part: &str| {
                        self.shown.iter().any(|shown| shown.eq_ignore_ascii_case(part.as_bytes()))
                    };
                    mask_cut(&mask_known(&text, secret.expose()), secret.expose(), is_shown)
                }
            }
        })
    }

    /// The same in bytes. A secret that is the same as what is shown anyway is left: nothing there says which it is.
    fn blank(&self, bytes: &mut [u8]) {
        let hidden = |secret: &&Secret| !self.shown.iter().any(|shown| shown == secret.expose());
        self.secrets.iter().filter(hidden).for_each(|secret| blank_known(bytes, secret.expose()));
    }

    fn hide(&self, message: &mut ServerMessage) {
        message.severity = self.without(&message.severity);
        message.sqlstate = self.without(&message.sqlstate);
        message.message = self.without(&message.message);
        message.detail = message.detail.take().map(|detail| self.without(&detail));
        message.hint = message.hint.take().map(|hint| self.without(&hint));
    }
}

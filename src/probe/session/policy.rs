//! What libpq's client refuses to answer, in the order in which it looks (fe-auth.c: check_expected_areq,
//! pg_fe_sendauth, pg_SASL_init; fe-auth-scram.c).

use super::binding;
use super::scram::{PLAIN as SCRAM, PLUS as SCRAM_PLUS, scram_key};
use crate::certificate::Certificate;
use crate::conninfo::{AuthMethod, ChannelBinding, Host, RequireAuth, Settings, SslCertMode};
use crate::evidence::{AuthRequest, ChannelBindingFailure, ClientCertificateRecord, SessionFailure};

/// Codes of AuthenticationRequest (protocol.h, `AUTH_REQ_…`).
pub(super) mod code {
    pub(crate) const OK: i32 = 0;
    pub(crate) const PASSWORD: i32 = 3;
    pub(crate) const MD5: i32 = 5;
    pub(crate) const GSS: i32 = 7;
    pub(crate) const SSPI: i32 = 9;
    pub(crate) const SASL: i32 = 10;
    pub(crate) const SASL_CONTINUE: i32 = 11;
    pub(crate) const SASL_FINAL: i32 = 12;
}

const OAUTH: &str = "OAUTHBEARER";

/// The settings that decide, and how far authentication has come.
#[derive(Debug)]
pub(super) struct Policy {
    require_auth: RequireAuth,
    channel_binding: ChannelBinding,
    certificate_mode: SslCertMode,
    certificate_sent: bool,
    has_password: bool,
    /// Why there is no binding data: the certificate's signature algorithm.
    unbindable: Option<String>,
    /// Whether keys stand in for the password in SCRAM.
    has_keys: bool,
    /// Something was asked for and answered in full.
    answered: bool,
    /// Whether `min_protocol_version` asks for more than protocol 3.0.
    pub newer_protocol_required: bool,
}

impl Policy {
    pub(super) fn new(
        settings: &Settings,
        host: &Host,
        leaf: Option<&Certificate>,
        client: &ClientCertificateRecord,
    ) -> Self {
        Self {
            require_auth: settings.require_auth.clone(),
            channel_binding: settings.channel_binding,
            certificate_mode: settings.certificate_mode,
            certificate_sent: client.requested && client.sent,
            has_password: host.password.as_ref().is_some_and(|password| !password.secret.expose().is_empty()),
            unbindable: binding::of(leaf).err(),
            has_keys: scram_key(settings, "scram_client_key").is_some(),
            answered: false,
            newer_protocol_required: super::messages::requires_newer(settings),
        }
    }

    /// Without TLS: nothing is answered that a secret is needed for.
    pub(super) fn without_credentials(settings: &Settings, host: &Host) -> Self {
        let policy = Self::new(settings, host, None, &ClientCertificateRecord::default());
        Self { has_password: false, has_keys: false, ..policy }
    }

    /// Whether the client refuses to go on after AuthenticationOk. `bound`: the server has proved itself with the channel
    /// bound.
    pub(super) fn done(&self, bound: bool) -> Result<(), SessionFailure> {
        if self.certificate_mode == SslCertMode::Require && !self.certificate_sent {
            return Err(SessionFailure::CertificateModeUnmet);
        }
        if !self.answered && !self.allows(AuthMethod::None) {
            return Err(SessionFailure::MethodExcluded);
        }
        if self.channel_binding == ChannelBinding::Require && !bound {
            return Err(SessionFailure::ChannelBinding(ChannelBindingFailure::NoAuthentication));
        }
        Ok(())
    }

    /// The server has proved that it knows the password.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// Whether the client refuses to answer a request; where it does not, whether it binds the channel. `begun`: SCRAM was
    /// begun already.
    pub(super) fn answer(&mut self, request: &AuthRequest, begun: bool) -> Result<bool, SessionFailure> {
        let known = !matches!(request.method, AuthMethod::None);
        if known && !self.allows(request.method) || !known && self.require_auth != RequireAuth::Any {
            return Err(SessionFailure::MethodExcluded);
        }
        if self.channel_binding == ChannelBinding::Require && request.code != code::SASL {
            return Err(SessionFailure::ChannelBinding(ChannelBindingFailure::NotOffered));
        }
        match request.method {
            AuthMethod::Password | AuthMethod::Md5 if self.has_password => {
                self.answered = true;
                Ok(false)
            }
            AuthMethod::Password | AuthMethod::Md5 => Err(SessionFailure::PasswordNeeded),
            AuthMethod::ScramSha256 | AuthMethod::OAuth if begun => {
                Err(SessionFailure::Protocol("a second request for SASL".to_owned()))
            }
            AuthMethod::ScramSha256 => self.scram(&request.mechanisms),
            AuthMethod::Gss | AuthMethod::Sspi | AuthMethod::OAuth | AuthMethod::None => {
                Err(SessionFailure::MethodUnsupported)
            }
        }
    }

    fn allows(&self, method: AuthMethod) -> bool {
        match &self.require_auth {
            RequireAuth::Any => true,
            RequireAuth::Only(methods) => methods.contains(&method),
            RequireAuth::Except(methods) => !methods.contains(&method),
        }
    }

    fn scram(&self, mechanisms: &[String]) -> Result<bool, SessionFailure> {
        let offered = |name: &str| mechanisms.iter().any(|mechanism| mechanism == name);
        let plus = offered(SCRAM_PLUS) && self.channel_binding != ChannelBinding::Disable;
        if !plus && !offered(SCRAM) {
            return Err(SessionFailure::MethodUnsupported);
        }
        if !plus && self.channel_binding == ChannelBinding::Require {
            return Err(SessionFailure::ChannelBinding(ChannelBindingFailure::NotOffered));
        }
        if !self.has_password && !self.has_keys {
            return Err(SessionFailure::PasswordNeeded);
        }
        match &self.unbindable {
            Some(algorithm) if plus => {
                Err(SessionFailure::ChannelBinding(ChannelBindingFailure::NoDigest(algorithm.clone())))
            }
            _ => Ok(plus),
        }
    }
}

/// A request as the evidence has it.
pub(super) fn request(code: i32, body: &[u8]) -> AuthRequest {
    let mechanisms = if code == code::SASL { super::messages::mechanisms(body) } else { Vec::new() };
    let method = match code {
        code::PASSWORD => AuthMethod::Password,
        code::MD5 => AuthMethod::Md5,
        code::GSS => AuthMethod::Gss,
        code::SSPI => AuthMethod::Sspi,
        code::SASL
            if mechanisms.iter().any(|name| name == OAUTH)
                && !mechanisms.iter().any(|name| name.starts_with(SCRAM)) =>
        {
            AuthMethod::OAuth
        }
        code::SASL => AuthMethod::ScramSha256,
        _ => AuthMethod::None,
    };
    AuthRequest { method, mechanisms, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            require_auth: RequireAuth::Any,
            channel_binding: ChannelBinding::Prefer,
            certificate_mode: SslCertMode::Allow,
            certificate_sent: false,
            has_password: true,
            unbindable: None,
            has_keys: false,
            answered: false,
            newer_protocol_required: false,
        }
    }

    const PLAIN: &[u8] = b"SCRAM-SHA-256\0\0";
    const BOTH: &[u8] = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";

    /// A request, answered in full, and AuthenticationOk.
    fn answer(mut policy: Policy, code: i32, body: &[u8]) -> Result<(), SessionFailure> {
        let bound = policy.answer(&request(code, body), false)?;
        policy.answered();
        policy.done(bound)
    }

    fn binding(failure: ChannelBindingFailure) -> Result<(), SessionFailure> {
        Err(SessionFailure::ChannelBinding(failure))
    }

    #[test]
    fn everything_known_is_answered_by_default() {
        for (code, body) in
            [(code::PASSWORD, &b""[..]), (code::MD5, b"salt"), (code::SASL, PLAIN), (code::SASL, BOTH)]
        {
            assert_eq!(answer(policy(), code, body), Ok(()));
        }
        assert_eq!(policy().done(false), Ok(()));
        for (code, body) in [
            (code::GSS, &b""[..]),
            (code::SSPI, b""),
            (2, b""),
            (99, b""),
            (code::SASL, b"OAUTHBEARER\0\0"),
            (code::SASL, b"X\0\0"),
        ] {
            assert_eq!(answer(policy(), code, body), Err(SessionFailure::MethodUnsupported), "{code}");
        }
    }

    #[test]
    fn no_password_is_told_only_where_one_is_asked_for() {
        let without = || Policy { has_password: false, ..policy() };
        assert_eq!(without().done(false), Ok(()));
        assert_eq!(answer(without(), code::MD5, b"salt"), Err(SessionFailure::PasswordNeeded));
        assert_eq!(answer(without(), code::SASL, BOTH), Err(SessionFailure::PasswordNeeded));
    }

    #[test]
    fn require_auth_comes_first() {
        let only = |methods: &[AuthMethod]| Policy {
            require_auth: RequireAuth::Only(methods.to_vec()),
            has_password: false,
            ..policy()
        };
        assert_eq!(answer(only(&[AuthMethod::Md5]), code::SASL, PLAIN), Err(SessionFailure::MethodExcluded));
        assert_eq!(only(&[AuthMethod::Md5]).done(false), Err(SessionFailure::MethodExcluded));
        assert_eq!(only(&[AuthMethod::None]).done(false), Ok(()));
        let except = |method| Policy { require_auth: RequireAuth::Except(vec![method]), ..policy() };
        assert_eq!(except(AuthMethod::None).done(false), Err(SessionFailure::MethodExcluded));
        assert_eq!(answer(except(AuthMethod::None), code::SASL, PLAIN), Ok(()));
        assert_eq!(
            answer(except(AuthMethod::Password), code::PASSWORD, b""),
            Err(SessionFailure::MethodExcluded)
        );
        assert_eq!(except(AuthMethod::Password).done(false), Ok(()));
    }

    #[test]
    fn required_channel_binding_needs_scram_plus() {
        let required = || Policy { channel_binding: ChannelBinding::Require, ..policy() };
        assert_eq!(required().done(false), binding(ChannelBindingFailure::NoAuthentication));
        assert_eq!(answer(required(), code::MD5, b"salt"), binding(ChannelBindingFailure::NotOffered));
        assert_eq!(answer(required(), code::SASL, PLAIN), binding(ChannelBindingFailure::NotOffered));
        assert_eq!(answer(required(), code::SASL, BOTH), Ok(()));
    }

    #[test]
    fn a_certificate_without_a_hash_fails_where_plus_is_offered_and_wanted() {
        let unbindable =
            |channel_binding| Policy { unbindable: Some("Ed25519".to_owned()), channel_binding, ..policy() };
        let failure = || binding(ChannelBindingFailure::NoDigest("Ed25519".to_owned()));
        assert_eq!(answer(unbindable(ChannelBinding::Prefer), code::SASL, BOTH), failure());
        assert_eq!(answer(unbindable(ChannelBinding::Require), code::SASL, BOTH), failure());
        assert_eq!(answer(unbindable(ChannelBinding::Disable), code::SASL, BOTH), Ok(()));
        assert_eq!(answer(unbindable(ChannelBinding::Prefer), code::SASL, PLAIN), Ok(()));
    }

    #[test]
    fn a_required_client_certificate_is_looked_for_at_the_end() {
        let required = |certificate_sent| Policy {
            certificate_mode: SslCertMode::Require,
            certificate_sent,
            ..policy()
        };
        assert_eq!(required(false).done(false), Err(SessionFailure::CertificateModeUnmet));
        assert_eq!(required(true).done(false), Ok(()));
    }

    #[test]
    fn what_is_not_answered_in_full_counts_for_nothing() {
        let mut policy =
            Policy { require_auth: RequireAuth::Only(vec![AuthMethod::ScramSha256]), ..policy() };
        assert_eq!(policy.answer(&request(code::SASL, BOTH), false), Ok(true));
        assert_eq!(policy.done(false), Err(SessionFailure::MethodExcluded));
        policy.answered();
        assert_eq!(policy.done(true), Ok(()));
        let again = policy.answer(&request(code::SASL, BOTH), true);
        assert!(matches!(again, Err(SessionFailure::Protocol(_))), "{again:?}");
    }

    #[test]
    fn keys_stand_in_for_the_password_in_scram_alone() {
        let keys = || Policy { has_password: false, has_keys: true, ..policy() };
        assert_eq!(answer(keys(), code::SASL, PLAIN), Ok(()));
        assert_eq!(answer(keys(), code::MD5, b"salt"), Err(SessionFailure::PasswordNeeded));
    }
}

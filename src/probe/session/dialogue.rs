//! What a server says from the start-up message to ReadyForQuery, read as libpq reads it, and what the client answers: no
//! socket and no clock but for the moments. libpq reads in two ways: before AuthenticationOk it takes requests for
//! authentication, errors and the protocol's version (fe-connect.c, CONNECTION_AWAITING_RESPONSE), behind it whatever a
//! session may bring (fe-protocol3.c, pqParseInput3).

use std::time::Instant;

use super::binding;
use super::messages::{self, error_message, parameter};
use super::policy::{self, Policy, code};
use super::scram::{Next, Scram, ScramSecret, scram_key};
use crate::certificate::Certificate;
use crate::conninfo::{AuthMethod, ChannelBinding, Host, Settings};
use crate::evidence::{ServerMessage, SessionFailure, SessionRecord};

/// All that the server says in a session is bounded by this; a healthy one says less than 2 KiB.
const ALLOWANCE: usize = 256 * 1024;
/// More notices than this are not kept.
const MOST_NOTICES: usize = 20;
/// Lengths of requests for authentication and of the protocol's version that libpq takes for such.
const REQUEST_LENGTHS: std::ops::RangeInclusive<usize> = 8..=2000;
/// Lengths of an error behind the start-up message; any other is taken for an error of the protocol before 3.0, which is
/// text (`MAX_ERRLEN`).
const ERROR_LENGTHS: std::ops::RangeInclusive<usize> = 8..=30_000;
/// Longer messages are a loss of synchronisation, but for these types (`VALID_LONG_MESSAGE_TYPE`).
const LONGEST: usize = 30_000;
const MAY_BE_LONG: &[u8] = b"TDdVENA";
/// Lengths of a key since protocol 3.2.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 4..=256;
/// Rounds of salting a password between two looks at the clock: about a millisecond.
const ROUNDS: u32 = 2000;

/// What the client may need to answer.
pub(super) struct Credentials {
    /// The user, for MD5.
    pub user: Vec<u8>,
    /// The password, and keys in its place for SCRAM.
    pub secret: ScramSecret,
    /// The data that bind the channel, if the server's certificate has any.
    pub binding: Option<Vec<u8>>,
    /// Whether the client may bind the channel at all.
    pub binds: bool,
}

impl Credentials {
    pub(super) fn new(settings: &Settings, host: &Host, leaf: Option<&Certificate>) -> Self {
        let secret = host.password.as_ref().map(|password| password.secret.clone());
        let secret = ScramSecret {
            password: secret.filter(|secret| !secret.expose().is_empty()),
            client_key: scram_key(settings, "scram_client_key"),
            server_key: scram_key(settings, "scram_server_key"),
        };
        Self {
            user: settings.user.exposed().to_vec(),
            secret,
            binding: binding::of(leaf).ok(),
            binds: settings.channel_binding != ChannelBinding::Disable,
        }
    }

    /// Nothing to answer with.
    pub(super) fn none() -> Self {
        let secret = ScramSecret { password: None, client_key: None, server_key: None };
        Self { user: Vec::new(), secret, binding: None, binds: false }
    }
}

/// A session's beginning.
pub(super) struct Dialogue {
    policy: Policy,
    credentials: Credentials,
    scram: Option<Scram>,
    /// The protocol's version: what was asked for, then what the server has.
    version: u32,
    negotiated: bool,
    /// A result of a query that nobody made is begun.
    result_begun: bool,
    /// An error is kept for the end of such a result; all that belongs to it is passed over.
    result_spoiled: bool,
    /// What came and is not yet a whole message.
    incoming: Vec<u8>,
    /// How much more the server may say.
    allowance: usize,
    began: Instant,
    record: SessionRecord,
    parameters: Vec<(String, String)>,
    /// What is to be sent to the server.
    pub answers: Vec<u8>,
    /// Messages for whoever goes on with the session: AuthenticationOk, ReadyForQuery, and all that comes then.
    pub session: Vec<u8>,
}

/// How a message was handled.
enum Handled {
    /// So many bytes of its body were used; for libpq the next message begins there.
    Used(usize),
    /// It is for whoever goes on with the session.
    PassedOn,
}

impl Dialogue {
    /// `version` is the protocol's that is asked for.
    pub(super) fn new(policy: Policy, credentials: Credentials, version: u32) -> Self {
        Self {
            policy,
            credentials,
            scram: None,
            version,
            negotiated: false,
            result_begun: false,
            result_spoiled: false,
            incoming: Vec::new(),
            allowance: ALLOWANCE,
            began: Instant::now(),
            record: SessionRecord::default(),
            parameters: Vec::new(),
            answers: Vec::new(),
            session: Vec::new(),
        }
    }

    /// Why the client ends the session, or the server's error.
    pub(super) fn failure(&self) -> Option<&SessionFailure> {
        self.record.failure.as_ref()
    }

    /// What was observed.
    pub(super) fn record(&self) -> &SessionRecord {
        &self.record
    }

    /// The parameters the server reported.
    pub(super) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// Takes what came.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        match self.allowance.checked_sub(bytes.len()) {
            Some(rest) => self.allowance = rest,
            None => {
                self.fail(SessionFailure::Protocol("more than 256 KiB of messages".to_owned()));
            }
        }
        self.incoming.extend_from_slice(bytes);
        self.digest();
    }

    /// Goes on with what takes long; says whether there is more of it.
    pub(super) fn work(&mut self) -> bool {
        let Some(scram) = &mut self.scram else { return false };
        match scram.work(ROUNDS) {
            Next::Work => true,
            Next::Send(answer) => {
                self.answer(&answer);
                self.digest();
                self.is_working()
            }
            Next::Wait => false,
        }
    }

    fn is_working(&self) -> bool {
        self.scram.as_ref().is_some_and(Scram::is_working)
    }

    fn fail(&mut self, failure: SessionFailure) {
        self.record.failure.get_or_insert(failure);
    }

    /// A PasswordMessage, SASLInitialResponse or SASLResponse.
    fn answer(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
        self.answers.extend([&b"p"[..], &length.to_be_bytes(), body].concat());
    }

    /// Takes whole messages from what came.
    fn digest(&mut self) {
        let incoming = std::mem::take(&mut self.incoming);
        let mut rest = incoming.as_slice();
        let was_ready = self.record.ready.is_some();
        while self.record.failure.is_none() && !self.is_working() {
            // libpq reads on in what came with ReadyForQuery, and passes over what nothing has asked for.
            let idle = was_ready != self.record.ready.is_some();
            let Some((header, after)) = rest.split_first_chunk::<5>() else { break };
            let [kind, length @ ..] = *header;
            let length = u32::from_be_bytes(length) as usize;
            match self.fitting(kind, length, rest) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    self.record.last_message = Some(kind);
                    self.fail(failure);
                    break;
                }
            }
            let Some(body) = after.get(..length.saturating_sub(4)) else { break };
            // libpq waits for what a message lacks.
            if self.record.ready.is_some() && messages::content_length(kind, body).is_none() {
                break;
            }
            self.record.last_message = Some(kind);
            let handled = match kind {
                b'K' | b'E' if idle => {
                    exactly(kind, messages::content_length(kind, body), body).map(|()| Handled::PassedOn)
                }
                _ => self.message(kind, body),
            };
            let used = match handled {
                Ok(Handled::Used(used)) => used,
                Ok(Handled::PassedOn) if idle => body.len(),
                Ok(Handled::PassedOn) => {
                    self.session.extend_from_slice(header);
                    self.session.extend_from_slice(body);
                    body.len()
                }
                Err(failure) => {
                    self.fail(failure);
                    break;
                }
            };
            rest = after.get(used..).unwrap_or_default();
        }
        self.incoming = rest.to_vec();
        let is_read = self.record.failure.is_some() || self.is_working();
        self.record.incomplete = rest.first().filter(|_| !is_read).map(|kind| (*kind, rest.len()));
    }

    /// Whether a message of this type may come now and be so long; `false` if more of it has to come to tell.
    fn fitting(&self, kind: u8, length: usize, rest: &[u8]) -> Result<bool, SessionFailure> {
        let odd = || {
            let kind = char::from(kind).escape_default();
            Err(SessionFailure::Protocol(format!("a message of type '{kind}' that announces {length} bytes")))
        };
        if self.record.authenticated.is_none() {
            return match kind {
                b'R' | b'v' if !REQUEST_LENGTHS.contains(&length) => odd(),
                b'R' | b'v' => Ok(true),
                b'E' if !ERROR_LENGTHS.contains(&length) => {
                    let text = rest.get(1..).unwrap_or_default();
                    let Some(end) = text.iter().position(|byte| *byte == 0) else { return Ok(false) };
                    let message = messages::text(text.get(..end).unwrap_or_default());
                    Err(SessionFailure::Server(ServerMessage { message, ..ServerMessage::default() }))
                }
                b'E' => Ok(true),
                _ => Err(unexpected(kind, "where authentication is due")),
            };
        }
        let longest = if MAY_BE_LONG.contains(&kind) { i32::MAX as usize } else { LONGEST };
        let fits = (4..=longest).contains(&length);
        if fits { Ok(true) } else { odd() }
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Result<Handled, SessionFailure> {
        if self.record.authenticated.is_none() {
            return match kind {
                b'R' => self.request(body),
                b'v' => self.version(body).map(Handled::Used),
                _ => Err(SessionFailure::Server(error_message(body))),
            };
        }
        let standing = self.record.ready.is_some();
        match kind {
            b'E' if !standing => return Err(SessionFailure::Server(error_message(body))),
            b'N' => {
                if !standing && self.record.notices.len() < MOST_NOTICES {
                    self.record.notices.push(error_message(body));
                }
                exactly(kind, messages::content_length(kind, body), body)?;
            }
            b'S' => {
                exactly(kind, messages::content_length(kind, body), body)?;
                // Values that are not UTF-8 would be an error for tokio-postgres, which needs none of them.
                let Some((name, value)) = parameter(body) else { return Ok(Handled::Used(body.len())) };
                if name == "server_version" {
                    self.record.server_version = Some(value.clone());
                }
                self.parameters.push((name, value));
            }
            b'K' => self.key(body)?,
            b'A' => exactly(kind, messages::content_length(kind, body), body)?,
            _ if standing => return Ok(Handled::PassedOn),
            b'Z' => {
                exactly(kind, Some(1), body)?;
                self.record.ready = Some(self.began.elapsed());
                return Ok(Handled::PassedOn);
            }
            // What belongs to queries ends the start-up where it makes a result, and is passed over where it does not.
            b'T' | b't' | b'D' if self.result_spoiled => {}
            b'T' if self.result_begun || messages::is_row_description(body) => {
                return Err(unexpected(kind, "in a start-up"));
            }
            b't' if messages::is_parameter_description(body) => self.result_begun = true,
            b'T' | b't' | b'D' => self.result_spoiled = true,
            b'1' | b'2' | b'3' | b'n' | b'c' => exactly(kind, Some(0), body)?,
            b'd' => {}
            _ => return Err(unexpected(kind, "in a start-up")),
        }
        Ok(Handled::Used(body.len()))
    }

    /// BackendKeyData (`getBackendKeyData`): of four bytes in protocol 3.0.
    fn key(&self, body: &[u8]) -> Result<(), SessionFailure> {
        let length = body.len().checked_sub(4);
        let fits = match self.version {
            messages::PROTOCOL_3_0 => length == Some(4),
            _ => length.is_some_and(|length| KEY_LENGTHS.contains(&length)),
        };
        if fits {
            return Ok(());
        }
        let what = match length {
            Some(length) => format!("a key to cancel queries of {length} bytes"),
            None => "a key to cancel queries that is cut off".to_owned(),
        };
        Err(SessionFailure::Protocol(what))
    }

    /// NegotiateProtocolVersion (`pqGetNegotiateProtocolVersion3` of libpq 18; libpq 15 knows none).
    fn version(&mut self, body: &[u8]) -> Result<usize, SessionFailure> {
        let refuse =
            |what: &str| Err(SessionFailure::Protocol(format!("the server's protocol version {what}")));
        if self.negotiated {
            return refuse("told twice");
        }
        let number = |at: usize| {
            let bytes = body.get(at..at + 4)?;
            Some(bytes.iter().fold(0, |number: u32, byte| number << 8 | u32::from(*byte)))
        };
        let (Some(version), Some(options)) = (number(0), number(4)) else { return refuse("cut off") };
        let name = format!("{}.{}", version >> 16, version & 0xffff);
        if version > self.version || version < messages::PROTOCOL_3_0 || name == "3.1" {
            return refuse(&format!("{name}, which was not asked for"));
        }
        if version == self.version && options == 0 {
            return refuse(&format!("{name}, which is what was asked for"));
        }
        if self.policy.newer_protocol_required && version == messages::PROTOCOL_3_0 {
            return refuse("3.0, where a newer one is required");
        }
        // No option is ever asked for.
        if options > 0 {
            return refuse("with options that were not asked for");
        }
        self.version = version;
        self.negotiated = true;
        Ok(8)
    }

    /// A request for authentication (`pg_fe_sendauth`).
    fn request(&mut self, body: &[u8]) -> Result<Handled, SessionFailure> {
        let short = || SessionFailure::Protocol("a request for authentication without a code".to_owned());
        let (number, rest) = body.split_first_chunk::<4>().ok_or_else(short)?;
        let used = match i32::from_be_bytes(*number) {
            code::OK => {
                let scram = self.scram.as_ref();
                self.policy.done(scram.is_some_and(|scram| scram.is_finished() && scram.binds()))?;
                self.record.authenticated = Some(self.began.elapsed());
                self.session.extend(messages::authentication_ok());
                0
            }
            code::SASL_CONTINUE => self.scram(rest, false)?,
            code::SASL_FINAL => self.scram(rest, true)?,
            other => {
                let request = policy::request(other, rest);
                let answer = self.policy.answer(&request, self.scram.is_some());
                let method = request.method;
                self.record.requested.push(request);
                let plus = answer?;
                self.begin(method, plus, rest)?
            }
        };
        Ok(Handled::Used(used + 4))
    }

    /// Answers the request for a method that the policy lets be answered; gives how much of it was used.
    fn begin(&mut self, method: AuthMethod, plus: bool, data: &[u8]) -> Result<usize, SessionFailure> {
        let Credentials { user, secret, binding, binds } = &self.credentials;
        match (method, &secret.password) {
            (AuthMethod::Password | AuthMethod::Md5, None) => Err(SessionFailure::PasswordNeeded),
            (AuthMethod::Password, Some(password)) => {
                let answer = [password.expose(), b"\0"].concat();
                self.answer(&answer);
                Ok(0)
            }
            (AuthMethod::Md5, Some(password)) => {
                let cut = || SessionFailure::Protocol("a request for MD5 without salt".to_owned());
                let salt = data.first_chunk::<4>().ok_or_else(cut)?;
                let answer = messages::md5(user, password.expose(), salt);
                self.answer(&answer);
                Ok(salt.len())
            }
            _ => {
                let cut = || SessionFailure::Protocol("a list of mechanisms that is cut off".to_owned());
                let used = messages::list_length(data).ok_or_else(cut)?;
                let bound = binding.clone().filter(|_| plus);
                let (scram, first) =
                    Scram::begin(secret.clone(), bound, *binds).map_err(SessionFailure::ScramMismatch)?;
                self.scram = Some(scram);
                let mechanism = if plus { super::scram::PLUS } else { super::scram::PLAIN };
                let length = u32::try_from(first.len()).unwrap_or(u32::MAX);
                let answer = [mechanism.as_bytes(), b"\0", &length.to_be_bytes(), &first].concat();
                self.answer(&answer);
                Ok(used)
            }
        }
    }

    /// A message of SCRAM (`pg_SASL_continue`).
    fn scram(&mut self, data: &[u8], last: bool) -> Result<usize, SessionFailure> {
        let Some(scram) = &mut self.scram else {
            return Err(SessionFailure::Protocol("a message of SCRAM where none was begun".to_owned()));
        };
        let next = scram.take(data).map_err(SessionFailure::ScramMismatch)?;
        if last && !scram.is_finished() {
            return Err(SessionFailure::Protocol("an end of SCRAM before the server's proof".to_owned()));
        }
        if scram.is_finished() {
            self.record.password_accepted = true;
            self.policy.answered();
        }
        if let Next::Send(answer) = next {
            self.answer(&answer);
        }
        Ok(data.len())
    }
}

/// That a body has this length and no other.
fn exactly(kind: u8, length: Option<usize>, body: &[u8]) -> Result<(), SessionFailure> {
    if length == Some(body.len()) {
        return Ok(());
    }
    let kind = char::from(kind).escape_default();
    Err(SessionFailure::Protocol(format!("a message of type '{kind}' whose content does not fit its length")))
}

fn unexpected(kind: u8, place: &str) -> SessionFailure {
    let kind = char::from(kind).escape_default();
    SessionFailure::Protocol(format!("a message of type '{kind}' {place}"))
}

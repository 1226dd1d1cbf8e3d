//! The client's side of SCRAM-SHA-256, with and without channel binding, as libpq has it (fe-auth-scram.c; RFC 5802,
//! 7677, 5929). The many rounds that salt a password are done a few at a time, so that a deadline can end them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom as _;
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::conninfo::Settings;
use crate::secret::Secret;

/// Mechanism without channel binding.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// Mechanism with channel binding.
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Bytes of a client's nonce (SCRAM_RAW_NONCE_LEN).
const NONCE: usize = 18;
const KEY: usize = digest::SHA256_OUTPUT_LEN;

/// What the client knows: the password, or keys made of it (libpq 18). With the client's key and without the server's no
/// server can prove itself.
#[derive(Clone)]
pub(super) struct ScramSecret {
    pub password: Option<Secret>,
    /// `scram_client_key`
    pub client_key: Option<Secret>,
    /// `scram_server_key`
    pub server_key: Option<Secret>,
}

/// An exchange.
pub(super) struct Scram {
    secret: ScramSecret,
    /// The first part of the client's first message, and what follows it in the channel binding.
    header: &'static str,
    binding: Vec<u8>,
    nonce: String,
    state: State,
}

enum State {
    /// The first message is sent.
    NonceSent,
    /// The password is being salted.
    Pbkdf2 { pbkdf2: Arc<Mutex<Pbkdf2>>, message: String, unproven: String },
    /// The proof is sent, and this is to come in answer.
    ProofSent { signature: Vec<u8> },
    /// The server has proved itself.
    Finished,
}

/// What the client does next.
pub(super) enum Next {
    /// Goes on with [`Scram::work`].
    Work,
    /// Sends this.
    Send(Vec<u8>),
    /// Awaits the server's next message.
    Wait,
}

impl Scram {
    /// Begins; gives the first message. `binding` is the data to bind to where the mechanism binds the channel; where it
    /// does not, `able` tells whether the client could have.
    pub(super) fn begin(
        secret: ScramSecret,
        binding: Option<Vec<u8>>,
        able: bool,
    ) -> Result<(Self, Vec<u8>), String> {
        let mut nonce = [0; NONCE];
        ring::rand::SystemRandom::new().fill(&mut nonce).map_err(|_| "no random numbers".to_owned())?;
        let header = match (&binding, able) {
            (Some(_), _) => "p=tls-server-end-point,,",
            (None, true) => "y,,",
            (None, false) => "n,,",
        };
        let nonce = STANDARD.encode(nonce);
        let first = format!("{header}n=,r={nonce}").into_bytes();
        let binding = binding.unwrap_or_default();
        Ok((Self { secret, header, binding, nonce, state: State::NonceSent }, first))
    }

    /// Takes a message of the server; `Err` says what is wrong with it.
    pub(super) fn take(&mut self, message: &[u8]) -> Result<Next, String> {
        let message = match message {
            [] => return Err("an empty message of SCRAM".to_owned()),
            message if message.contains(&0) => {
                return Err("a message of SCRAM with a zero byte in it".to_owned());
            }
            message => message,
        };
        match &self.state {
            State::NonceSent => self.first(message),
            State::ProofSent { signature } => {
                if let Some(error) = message.strip_prefix(b"e") {
                    let error = String::from_utf8_lossy(error.strip_prefix(b"=").unwrap_or(error));
                    return Err(format!("the server's error \"{error}\""));
                }
                let mut rest = message;
                let theirs = attribute(&mut rest, b'v')?;
                end(rest)?;
                let theirs = decoded(theirs).ok_or("a signature that is not base64")?;
                if theirs.len() != KEY {
                    return Err(format!("a signature of {} bytes", theirs.len()));
                }
                if theirs != *signature {
                    return Err("a wrong signature: the server does not know the password".to_owned());
                }
                self.state = State::Finished;
                Ok(Next::Wait)
            }
            State::Pbkdf2 { .. } | State::Finished => {
                Err("a message of SCRAM where none is expected".to_owned())
            }
        }
    }

    fn first(&mut self, message: &[u8]) -> Result<Next, String> {
        let mut rest = message;
        let nonce = attribute(&mut rest, b'r')?;
        if !nonce.starts_with(self.nonce.as_bytes()) {
            return Err("a nonce that does not begin with the client's".to_owned());
        }
        let salt = decoded(attribute(&mut rest, b's')?).ok_or("a salt that is not base64")?;
        let iterations = iterations(attribute(&mut rest, b'i')?)?;
        end(rest)?;
        let binding = STANDARD.encode([self.header.as_bytes(), &self.binding].concat());
        let unproven = format!("c={binding},r={}", String::from_utf8_lossy(nonce));
        let challenge = String::from_utf8_lossy(message);
        let message = format!("n=,r={},{challenge},{unproven}", self.nonce);
        if let Some(client) = self.secret.client_key.clone() {
            return Ok(Next::Send(self.prove(client.expose(), &[], &message, unproven)));
        }
        let password = self.secret.password.as_ref().map(prepared).unwrap_or_default();
        let pbkdf2 = Pbkdf2::shared(&password, &salt, iterations);
        self.state = State::Pbkdf2 { pbkdf2, message, unproven };
        Ok(Next::Work)
    }

    /// Goes on with what takes long, for so many rounds at most.
    pub(super) fn work(&mut self, rounds: u32) -> Next {
        let State::Pbkdf2 { pbkdf2, message, unproven } = &mut self.state else { return Next::Wait };
        let salted = locked(pbkdf2).go_on(rounds);
        let Some(salted) = salted else { return Next::Work };
        let (message, unproven) = (std::mem::take(message), std::mem::take(unproven));
        let client = Zeroizing::new(sign(&*salted, b"Client Key"));
        let server = Zeroizing::new(sign(&*salted, b"Server Key"));
        Next::Send(self.prove(&client, &server, &message, unproven))
    }

    /// The last message. `server` is the server's key, unless one is given.
    fn prove(&mut self, client: &[u8], server: &[u8], message: &str, unproven: String) -> Vec<u8> {
        let stored = digest::digest(&digest::SHA256, client);
        let mask = sign(stored.as_ref(), message.as_bytes());
        let proof: Vec<u8> = client.iter().zip(&mask).map(|(key, mask)| key ^ mask).collect();
        let server = self.secret.server_key.as_ref().map_or(server, |key| key.expose());
        self.state = State::ProofSent { signature: sign(server, message.as_bytes()) };
        format!("{unproven},p={}", STANDARD.encode(proof)).into_bytes()
    }

    /// Whether the server has proved that it knows the password.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// Whether [`work`](Self::work) has to go on.
    pub(super) fn is_working(&self) -> bool {
        matches!(self.state, State::Pbkdf2 { .. })
    }

    /// Whether the exchange binds the channel.
    pub(super) fn binds(&self) -> bool {
        !self.binding.is_empty()
    }
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// The value of the attribute that has to come next (`read_attr_value`).
fn attribute<'a>(rest: &mut &'a [u8], name: u8) -> Result<&'a [u8], String> {
    let missing = || format!("a message of SCRAM without {}=", char::from(name));
    let value = rest.strip_prefix(&[name, b'=']).ok_or_else(missing)?;
    let mut parts = value.splitn(2, |byte| *byte == b',');
    let value = parts.next().unwrap_or_default();
    *rest = parts.next().unwrap_or_default();
    Ok(value)
}

/// A key of SCRAM, of which the settings hold only valid ones.
pub(super) fn scram_key(settings: &Settings, keyword: &str) -> Option<Secret> {
    let parameter = settings.parameter(keyword)?;
    decoded(parameter.value.exposed()).map(Secret::new)
}

/// Base64, blanks in it passed over (`pg_b64_decode`).
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let text: Vec<u8> = text.iter().copied().filter(|byte| !blank(byte)).collect();
    STANDARD.decode(text).ok()
}

fn end(rest: &[u8]) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err("a message of SCRAM with more at its end".to_owned()) }
}

/// As `strtol` reads it into an `int` above 0.
fn iterations(text: &[u8]) -> Result<u32, String> {
    let digits = std::str::from_utf8(text).unwrap_or_default().trim_start();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.parse::<i32>().ok().filter(|count| plain && *count > 0);
    count
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| "a count of iterations that is none".to_owned())
}

/// The password as SASLprep (RFC 4013) has it, or as it is where it cannot (`pg_saslprep`).
fn prepared(password: &Secret) -> Zeroizing<Vec<u8>> {
    let raw = password.expose();
    let text = std::str::from_utf8(raw).ok().and_then(|text| stringprep::saslprep(text).ok());
    Zeroizing::new(text.map_or_else(|| raw.to_vec(), |text| text.into_owned().into_bytes()))
}

/// So many salted passwords are remembered: those of a role that many servers share, and of sessions that follow each other.
const MOST_REMEMBERED: usize = 64;

/// What is being salted, and what was last, each with what tells it apart: an HMAC of salt and count by the password.
type Remembered = VecDeque<(hmac::Tag, Arc<Mutex<Pbkdf2>>)>;
static REMEMBERED: Mutex<Remembered> = Mutex::new(VecDeque::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// PBKDF2 of one block (RFC 8018 section 5.2), interruptible.
struct Pbkdf2 {
    key: hmac::Key,
    round: hmac::Tag,
    sum: Zeroizing<[u8; KEY]>,
    left: u32,
}

impl Pbkdf2 {
    /// The same work for all sessions that need it: each carries on where another stopped, and the last ones find it done. In
    /// a fleet it would be most of what a login costs.
    fn shared(password: &[u8], salt: &[u8], iterations: u32) -> Arc<Mutex<Self>> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, password);
        let name = hmac::sign(&key, &[&iterations.to_be_bytes(), salt].concat());
        let mut remembered = locked(&REMEMBERED);
        if let Some((_, known)) = remembered.iter().find(|(known, _)| known.as_ref() == name.as_ref()) {
            return Arc::clone(known);
        }
        let begun = Arc::new(Mutex::new(Self::new(password, salt, iterations)));
        if remembered.len() >= MOST_REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((name, Arc::clone(&begun)));
        begun
    }

    fn new(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, password);
        let round = hmac::sign(&key, &[salt, &1_u32.to_be_bytes()].concat());
        let mut pbkdf2 = Self { key, round, sum: Zeroizing::new([0; KEY]), left: iterations - 1 };
        pbkdf2.add();
        pbkdf2
    }

    fn add(&mut self) {
        for (sum, byte) in self.sum.iter_mut().zip(self.round.as_ref()) {
            *sum ^= byte;
        }
    }

    /// Does so many rounds; gives the salted password when all are done.
    fn go_on(&mut self, rounds: u32) -> Option<Zeroizing<[u8; KEY]>> {
        for _ in 0..rounds.min(self.left) {
            self.round = hmac::sign(&self.key, self.round.as_ref());
            self.add();
        }
        self.left = self.left.saturating_sub(rounds);
        (self.left == 0).then(|| self.sum.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(secret: ScramSecret, binding: Option<&[u8]>) -> (Scram, String) {
        let (scram, first) = Scram::begin(secret, binding.map(<[u8]>::to_vec), true).unwrap();
        (scram, String::from_utf8(first).unwrap())
    }

    fn password(text: &str) -> ScramSecret {
        let password = Some(Secret::new(text.as_bytes().to_vec()));
        ScramSecret { password, client_key: None, server_key: None }
    }

    /// The client's last message.
    fn proof(scram: &mut Scram, challenge: &str) -> String {
        let mut next = scram.take(challenge.as_bytes()).unwrap();
        loop {
            match next {
                Next::Send(message) => return String::from_utf8(message).unwrap(),
                Next::Work => next = scram.work(1000),
                Next::Wait => panic!("nothing to send"),
            }
        }
    }

    /// RFC 7677 section 3, whose exchange has a user name.
    #[test]
    fn the_salted_password_is_that_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                       c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        for rounds in [1, 1000, 4095, u32::MAX] {
            let mut pbkdf2 = Pbkdf2::new(b"pencil", &salt, 4096);
            let salted = loop {
                if let Some(salted) = pbkdf2.go_on(rounds) {
                    break salted;
                }
            };
            let client = sign(&*salted, b"Client Key");
            let (mut scram, _) = begun(password("pencil"), None);
            let last = scram.prove(&client, &sign(&*salted, b"Server Key"), message, String::new());
            assert_eq!(last, b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
            let ending = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
            assert!(matches!(scram.take(ending), Ok(Next::Wait)) && scram.is_finished());
        }
    }

    #[test]
    fn the_channel_is_bound_where_data_are_there() {
        for (data, header) in [(Some(&b"digest"[..]), "p=tls-server-end-point,,"), (None, "y,,")] {
            let (mut scram, first) = begun(password("secret"), data);
            let nonce = first.strip_prefix(&format!("{header}n=,r=")).unwrap();
            let last = proof(&mut scram, &format!("r={nonce}theirs,s=c2FsdA==,i=1"));
            let binding = STANDARD.encode([header.as_bytes(), data.unwrap_or_default()].concat());
            assert!(last.starts_with(&format!("c={binding},r={nonce}theirs,p=")), "{last}");
            assert_eq!(scram.binds(), data.is_some());
        }
    }

    #[test]
    fn messages_that_libpq_refuses_are_refused() {
        for challenge in [
            "",
            "r=x",
            "r=NONCE",
            "r=NONCE,s=c2FsdA==",
            "r=NONCE,s=?,i=1",
            "r=NONCE,i=1,s=c2FsdA==",
            "r=NONCE,s=c2FsdA==,i=0",
            "r=NONCE,s=c2FsdA==,i=-1",
            "r=NONCE,s=c2FsdA==,i=x",
            "m=x,r=NONCE,s=c2FsdA==,i=1",
            "r=NONCE,s=c2FsdA==,i=1,x=1",
            "r=NONCE,s=c2FsdA==,i=9999999999",
            "x=NONCE",
            "r=other,s=c2FsdA==,i=1",
            "r=NONCE\0,s=c2FsdA==,i=1",
        ] {
            let (mut scram, first) = begun(password("secret"), None);
            let challenge = challenge.replace("NONCE", first.rsplit_once("r=").unwrap().1);
            assert!(scram.take(challenge.as_bytes()).is_err(), "{challenge}");
        }
        for ending in ["v=AAAA", "v=?", "e=no", "v=", "x", "v=AAAA,x=1", "r=x,s=c2FsdA==,i=1"] {
            let (mut scram, first) = begun(password("secret"), None);
            proof(&mut scram, &format!("r={},s=c2FsdA==,i= +1", first.rsplit_once("r=").unwrap().1));
            assert!(scram.take(ending.as_bytes()).is_err(), "{ending}");
            assert!(!scram.is_finished());
        }
    }

    #[test]
    fn a_password_is_salted_once_for_all_who_have_the_same_salt() {
        let pbkdf2 = |password: &[u8], salt: &[u8], count| Pbkdf2::shared(password, salt, count);
        let first = pbkdf2(b"shared", b"salt of many", 1000);
        assert!(locked(&first).go_on(600).is_none());
        // Another session finishes what the first one began.
        let second = pbkdf2(b"shared", b"salt of many", 1000);
        assert!(Arc::ptr_eq(&first, &second));
        let salted = locked(&second).go_on(400).expect("all rounds are done");
        assert_eq!(Some(&salted), Pbkdf2::new(b"shared", b"salt of many", 1000).go_on(u32::MAX).as_ref());
        assert_eq!(locked(&first).go_on(1), Some(salted));
        for (password, salt, count) in [
            (&b"other"[..], &b"salt of many"[..], 1000),
            (b"shared", b"other salt", 1000),
            (b"shared", b"salt of many", 1001),
        ] {
            assert!(!Arc::ptr_eq(&first, &pbkdf2(password, salt, count)));
        }
        for number in 0..2 * MOST_REMEMBERED as u32 {
            pbkdf2(b"shared", b"salt", 2 + number);
        }
        assert!(locked(&REMEMBERED).len() <= MOST_REMEMBERED);
    }

    #[test]
    fn keys_prove_as_much_as_the_password() {
        let salted = Pbkdf2::new(b"secret", b"salt", 1).go_on(1).unwrap();
        let key = |name: &[u8]| Secret::new(sign(&*salted, name));
        let keys = ScramSecret {
            password: None,
            client_key: Some(key(b"Client Key")),
            server_key: Some(key(b"Server Key")),
        };
        let (mut by_keys, first) = begun(keys, None);
        let (mut by_password, _) = begun(password("secret"), None);
        by_password.nonce.clone_from(&by_keys.nonce);
        let challenge = format!("r={},s=c2FsdA==,i=1", first.rsplit_once("r=").unwrap().1);
        assert_eq!(proof(&mut by_keys, &challenge), proof(&mut by_password, &challenge));
    }
}

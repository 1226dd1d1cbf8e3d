//! What a driver demands of a server, and which roots it trusts for that.

use std::borrow::Cow;

use super::{Fault, FaultKind};

/// What is demanded, and by which word.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is demanded.
    pub demand: Demand,
    /// The setting that decided, by its place in the list; `None` if nothing was said.
    pub word: Option<usize>,
    /// What that word means to this driver, where it is not what its name says.
    pub why: Option<Cow<'static, str>>,
    /// What has to be done elsewhere before any string makes the driver verify.
    pub elsewhere: Option<&'static str>,
    /// What the driver refuses of what was said: which setting, and why.
    pub(super) refused: Vec<(Option<usize>, FaultKind)>,
}

/// What a driver demands of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Of the encryption.
    pub encryption: Encryption,
    /// Whether the chain must end at one of the roots, and every certificate be in its time.
    pub chain: Chain,
    /// Whether the certificate must be for the host.
    pub name: bool,
    /// The roots: the first that applies is taken, unless it says otherwise. None at the end of the list: refused.
    pub roots: Vec<Root>,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Never.
    Never,
    /// When the server refuses plaintext (libpq's `allow`).
    AfterRefusal,
    /// When the server offers TLS.
    IfOffered(Fallback),
    /// Always.
    Always,
}

/// When a driver that would rather have TLS goes on in plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// When the server offers no TLS.
    NotOffered,
    /// Also when the server refuses the session inside TLS (pg_hba.conf).
    SessionRefused,
    /// Also when the certificate is bad.
    AnyFailure,
}

/// Whether the chain is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// No, whatever roots there are.
    No,
    /// Only if one of the roots is there.
    IfRoots,
    /// Yes; without roots there is no connection.
    Yes,
}

/// Where trusted roots come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// The file of this setting, by its place in the list.
    Named(usize),
    /// This certificate alone: the file that this setting names behind `file:`.
    Pinned(usize),
    /// The text of this setting, in PEM.
    Inline(usize),
    /// `~/.postgresql/root.crt`, if it is there.
    Home,
    /// The operating system's store, as OpenSSL or the driver's library finds it.
    System,
    /// The list built into Node.
    Node,
    /// The file of this setting, besides the list built into Node.
    AddedToNode(usize),
    /// Java's `cacerts`, or what `javax.net.ssl.trustStore` names.
    Java,
    /// The file of this setting, besides the operating system's store.
    AddedToSystem(usize),
    /// What the program gives: it cannot be known here.
    Program,
}

impl Demand {
    /// Nothing is demanded and nothing trusted.
    const fn of(encryption: Encryption) -> Self {
        Self { encryption, chain: Chain::No, name: false, roots: Vec::new() }
    }

    /// Plaintext only.
    pub(super) const fn plaintext() -> Self {
        Self::of(Encryption::Never)
    }

    /// Plaintext, TLS only after the server refused that.
    pub(super) const fn after_refusal() -> Self {
        Self::of(Encryption::AfterRefusal)
    }

    /// TLS if offered, unverified.
    pub(super) const fn if_offered(fallback: Fallback) -> Self {
        Self::of(Encryption::IfOffered(fallback))
    }

    /// TLS, unverified.
    pub(super) const fn encrypted() -> Self {
        Self::of(Encryption::Always)
    }

    /// TLS with a verified chain, whatever the name.
    pub(super) fn chain(roots: Vec<Root>) -> Self {
        Self { encryption: Encryption::Always, chain: Chain::Yes, name: false, roots }
    }

    /// TLS with a verified chain and name.
    pub(super) fn full(roots: Vec<Root>) -> Self {
        Self { name: true, ..Self::chain(roots) }
    }

    /// Whether the server is verified beyond doubt: chain and name, and no way round TLS.
    pub fn verifies(&self) -> bool {
        self.encryption == Encryption::Always && self.chain == Chain::Yes && self.name
    }
}

impl Decision {
    /// Because of a setting, or of none.
    pub(super) fn by(word: Option<usize>, demand: Demand) -> Self {
        Self { demand, word, why: None, elsewhere: None, refused: Vec::new() }
    }

    /// With what the word means.
    pub(super) fn because(self, why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    /// The driver refuses what was said.
    pub(super) fn refused(word: Option<usize>, kind: FaultKind) -> Self {
        Self { refused: vec![(word, kind)], ..Self::by(word, Demand::plaintext()) }
    }

    /// The driver refuses a value.
    pub(super) fn invalid(word: usize, keyword: &'static str, allowed: &'static str) -> Self {
        Self::refused(Some(word), FaultKind::InvalidValue(keyword.into(), allowed.into()))
    }

    /// The first setting of which the driver refuses what was said.
    pub(super) fn word_refused(&self) -> Option<usize> {
        self.refused.first().and_then(|(word, _)| *word)
    }

    pub(super) fn faults(&self, place: impl Fn(usize) -> std::ops::Range<usize>) -> Vec<Fault> {
        let faults = self.refused.iter();
        faults.map(|(word, kind)| Fault { kind: kind.clone(), place: word.map_or(0..0, &place) }).collect()
    }
}

//! Second looks in words, for reports: what was asked, and what came of it.

use super::alerts;
use crate::evidence::{Answer, Closure, HelloOffer, HelloPurpose, Look, Question};
use crate::iana;
use crate::text;

/// What a look asked.
pub fn asked(look: &Look) -> String {
    match &look.question {
        Question::Connect => "a connection and nothing else".to_owned(),
        Question::GssRequest => "GSSENCRequest and nothing else".to_owned(),
        Question::UnknownProtocol => "a protocol version that does not exist".to_owned(),
        Question::SslRequest => "SSLRequest and nothing else".to_owned(),
        Question::Hello(offer) => hello(offer),
    }
}

fn hello(offer: &HelloOffer) -> String {
    let versions: Vec<&str> = offer.versions.iter().map(|version| version.name()).collect();
    let purpose = match offer.purpose {
        HelloPurpose::Version => "other versions",
        HelloPurpose::Unsupported => "all suites and groups of psql",
        HelloPurpose::Unlimited => "the suites, groups and signatures of OpenSSL without its configuration",
        HelloPurpose::ServerName => "another server name",
        HelloPurpose::Unnamed => "TLS 1.2 alone, for the certificate",
        HelloPurpose::Everything => "all suites, groups and signatures that are known",
        HelloPurpose::Alpn => "the same hello without ALPN",
        HelloPurpose::Own => "of these what this tool offers",
        HelloPurpose::Narrowed => "the refused offer, and what was chosen beyond it",
        HelloPurpose::WholeAnswer => "a hello with a long answer",
        HelloPurpose::ShortAnswer => "a hello with a short answer",
        HelloPurpose::Negotiation => "the other way to begin TLS",
        HelloPurpose::Audit => "one offer",
    };
    let begin = if offer.direct { "at once" } else { "after SSLRequest" };
    let name = offer.sni.as_deref().map_or_else(|| "without a name".to_owned(), text::printable);
    format!("{purpose}: ClientHello {begin}, {}, {name}, {} bytes", versions.join(" and "), offer.size)
}

/// What came of it.
pub fn answer(look: &Look) -> String {
    match &look.answer {
        Answer::ServerHello { version, suite, group, retry, .. } => {
            let what = if *retry { "HelloRetryRequest" } else { "ServerHello" };
            let group = group.map(|group| format!(", {}", iana::group(group))).unwrap_or_default();
            format!("{what}, {}, {}{group}", version.name(), iana::suite(*suite))
        }
        Answer::Alert(alert) => format!("alert {}", alerts::name(*alert)),
        Answer::Byte(byte) => match byte {
            b'S' | b'N' => char::from(*byte).to_string(),
            other => format!("byte 0x{other:02X}"),
        },
        Answer::Connected => "connected".to_owned(),
        Answer::Ended(Closure::Closed) => "closed (FIN)".to_owned(),
        Answer::Ended(Closure::Reset) => "reset (RST)".to_owned(),
        Answer::Failed(failure) => text::printable(&failure.text),
        Answer::Other(bytes) => format!("other bytes: {}", super::fingerprints::first_bytes(bytes)),
        Answer::TimedOut => "silence".to_owned(),
    }
}

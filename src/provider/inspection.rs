//! The CA names of products that end TLS on the way and open it anew: proxies, security gateways, virus scanners,
//! debugging proxies. Most do so for HTTPS only, but profiles for all ports, VPN clients and mail shields reach 5432 too.
//!
//! A name shows who issued a certificate, not that the product is at work between client and server: the sign is a
//! known provider's host below one of these names. The table was gathered on 2026-11-23 from public logs, printed
//! certificates and the lists of other tools; those that only general knowledge supports say so.

use super::{NamePattern, host};
use crate::certificate::DistinguishedName;

/// A product and the names of its CAs.
#[derive(Debug)]
pub struct Product {
    /// Its name for people.
    pub name: &'static str,
    /// The names: one that fits is enough.
    pub patterns: &'static [NamePattern],
}

/// The product whose CA has this name: of a certificate's issuer, or of a root.
pub fn product(name: &DistinguishedName) -> Option<&'static str> {
    let fits = |pattern: &NamePattern| match pattern.kind {
        ANYWHERE => name
            .attributes
            .iter()
            .filter(|attribute| matches!(attribute.kind.as_ref(), "CN" | "O" | "OU"))
            .any(|attribute| host::fits(pattern.pattern, &attribute.text())),
        _ => pattern.matches(name),
    };
    PRODUCTS.iter().find(|product| product.patterns.iter().any(fits)).map(|product| product.name)
}

/// Common name, organisation or unit: where administrators name the CA themselves, the product stands in any of them.
const ANYWHERE: &str = "";

const fn anywhere(pattern: &'static str) -> NamePattern {
    NamePattern { kind: ANYWHERE, pattern }
}

const fn common_name(pattern: &'static str) -> NamePattern {
    NamePattern { kind: "CN", pattern }
}

const fn organisation(pattern: &'static str) -> NamePattern {
    NamePattern { kind: "O", pattern }
}

/// All products.
pub static PRODUCTS: &[Product] = &[
    Product {
        name: "Zscaler",
        patterns: &[
            organisation("Zscaler*"),
            common_name("Zscaler *"),
            NamePattern { kind: "emailAddress", pattern: "*@zscaler.com" },
        ],
        // Seen in: diagnostics projects and user logs.
    },
    Product {
        name: "Netskope",
        patterns: &[
            organisation("Netskope*"),
            common_name("*.goskope.com"),
            common_name("*netskope*"),
            NamePattern { kind: "emailAddress", pattern: "*@netskope.com" },
        ],
        // Seen in: a CA store tool's list, user notes.
    },
    Product {
        name: "Palo Alto Networks",
        patterns: &[anywhere("*Palo Alto Networks*")],
        // Seen in: a CA store tool's list; administrators usually name the CA themselves.
    },
    Product {
        name: "Fortinet FortiGate",
        patterns: &[anywhere("*FortiGate*"), anywhere("Fortinet*")],
        // Seen in: a CA store tool's list; O=Fortinet unverified.
    },
    Product {
        name: "Cisco Umbrella",
        patterns: &[common_name("Cisco Umbrella *")],
        // Seen in: a certificate printed in a public log (root 2016-06-28 to 2036).
    },
    Product {
        name: "Blue Coat ProxySG",
        patterns: &[anywhere("*Blue Coat*"), anywhere("*BlueCoat*"), anywhere("*ProxySG*")],
        // Seen in: a CA store tool's list.
    },
    Product {
        name: "Forcepoint (Websense)",
        patterns: &[anywhere("*Forcepoint*"), anywhere("*Websense*")],
        // Seen in: a CA store tool's list.
    },
    Product {
        name: "Skyhigh (McAfee Web Gateway)",
        patterns: &[anywhere("*McAfee Web Gateway*"), anywhere("*Skyhigh*")],
        // Seen in: a CA store tool's list.
    },
    Product {
        name: "Sophos",
        patterns: &[
            organisation("Sophos*"),
            common_name("Sophos SSL CA*"),
            common_name("SecurityAppliance_SSL_CA*"),
        ],
        // Seen in: user logs with the full issuer.
    },
    Product {
        name: "Check Point",
        patterns: &[anywhere("*Check Point*")],
        // General knowledge: gateways often use their own name.
    },
    Product {
        name: "Cloudflare Gateway",
        patterns: &[common_name("Cloudflare for Teams *"), common_name("Gateway CA - Cloudflare Managed *")],
        // Seen in: Cloudflare and HackerOne documents, an OpenSSL log; the second name unverified.
    },
    Product {
        name: "Kaspersky",
        patterns: &[organisation("AO Kaspersky Lab"), common_name("Kaspersky *")],
        // Seen in: user logs.
    },
    Product {
        name: "Avast",
        patterns: &[common_name("Avast Web/Mail Shield *"), common_name("avast! Web/Mail Shield *")],
        // Seen in: user logs.
    },
    // Seen in: user logs.
    Product { name: "AVG", patterns: &[common_name("AVG Web/Mail Shield *")] },
    // Seen in: user logs.
    Product { name: "Norton", patterns: &[common_name("Norton Web/Mail Shield *")] },
    Product {
        name: "ESET",
        patterns: &[common_name("ESET SSL Filter CA"), organisation("ESET, spol. s r. o.")],
        // Seen in: a printed certificate.
    },
    // Seen in: a CA store tool's list.
    Product { name: "mitmproxy", patterns: &[anywhere("mitmproxy")] },
    // Seen in: user notes.
    Product { name: "Charles Proxy", patterns: &[common_name("Charles Proxy *")] },
    // Seen in: many logs.
    Product { name: "Fiddler", patterns: &[common_name("DO_NOT_TRUST_Fiddler*")] },
    // Seen in: many logs.
    Product { name: "Burp Suite", patterns: &[anywhere("PortSwigger*")] },
    Product {
        name: "HTTP Toolkit",
        patterns: &[common_name("HTTP Toolkit CA*")],
        // Seen in: a detection list.
    },
    // Seen in: a detection list.
    Product { name: "OWASP ZAP", patterns: &[anywhere("OWASP Zap Root CA*")] },
];

#[cfg(test)]
mod tests {
    use rcgen::DnType;

    use super::*;
    use crate::provider::known_roots;
    use crate::testing::{Authority, named, params};

    fn name(attributes: &[(DnType, &str)]) -> DistinguishedName {
        let mut params = params("", true);
        params.distinguished_name = named(attributes);
        Authority::root_with(params).certificate.facts().unwrap().subject.clone()
    }

    #[test]
    fn names_seen_in_the_field_name_their_product() {
        use DnType::{CommonName, OrganizationName, OrganizationalUnitName};
        for (attributes, wanted) in [
            (&[(OrganizationName, "Zscaler Inc."), (CommonName, "Zscaler Root CA")][..], "Zscaler"),
            (&[(CommonName, "Zscaler Intermediate Root CA (zscalertwo.net)")], "Zscaler"),
            (&[(CommonName, "ca.example.goskope.com")], "Netskope"),
            (&[(CommonName, "FortiGate CA")], "Fortinet FortiGate"),
            (&[(CommonName, "Fortinet_CA_SSL")], "Fortinet FortiGate"),
            (&[(OrganizationName, "Cisco"), (CommonName, "Cisco Umbrella Root CA")], "Cisco Umbrella"),
            (&[(CommonName, "Sophos SSL CA_C01001XYZ"), (OrganizationName, "Sophos")], "Sophos"),
            (&[(CommonName, "Cloudflare for Teams ECC Certificate Authority")], "Cloudflare Gateway"),
            (
                &[
                    (CommonName, "Avast Web/Mail Shield Root"),
                    (OrganizationalUnitName, "generated by Avast Antivirus for SSL/TLS scanning"),
                ],
                "Avast",
            ),
            (&[(CommonName, "Kaspersky Anti-Virus Personal Root Certificate")], "Kaspersky"),
            (&[(OrganizationName, "ESET, spol. s r. o."), (CommonName, "ESET SSL Filter CA")], "ESET"),
            (&[(OrganizationalUnitName, "palo alto networks decryption")], "Palo Alto Networks"),
            (&[(CommonName, "mitmproxy"), (OrganizationName, "mitmproxy")], "mitmproxy"),
            (&[(CommonName, "Charles Proxy CA (1 Jan 2026, mac.local)")], "Charles Proxy"),
            (&[(CommonName, "DO_NOT_TRUST_FiddlerRoot")], "Fiddler"),
            (&[(OrganizationName, "PortSwigger"), (CommonName, "PortSwigger CA")], "Burp Suite"),
            (&[(CommonName, "OWASP Zap Root CA")], "OWASP ZAP"),
        ] {
            assert_eq!(product(&name(attributes)), Some(wanted), "{attributes:?}");
        }
    }

    #[test]
    fn other_names_name_nobody() {
        for text in
            ["Example Root CA", "Cloudflare TLS Issuing ECC CA 1", "Cisco Systems", "My mitmproxy-free CA"]
        {
            assert_eq!(product(&name(&[(DnType::CommonName, text)])), None, "{text}");
        }
        for root in known_roots() {
            let facts = root.certificate.facts().unwrap();
            assert_eq!(product(&facts.subject), None, "{}", facts.subject);
        }
    }
}

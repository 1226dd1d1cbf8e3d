//! Networks that deliver content for others: their addresses answer on ports of the web and forward no other, so that a name
//! that leads there does not lead to a database.

use std::net::IpAddr;

/// A content network.
#[derive(Clone, Copy, Debug)]
pub struct ContentNetwork {
    /// Its name.
    pub name: &'static str,
    /// What makes its names lead to the origin, in its own words.
    pub bypass: &'static str,
    /// Where it publishes its addresses.
    pub source: &'static str,
    /// The day of the list.
    pub as_of: &'static str,
    ranges: &'static [(&'static str, u8)],
    /// What the names end in that its customers' names are aliases of. Some publish these alone, or so many ranges, and so
    /// often other ones, that a copy would be wrong.
    aliases: &'static [&'static str],
}

/// The content network that an address belongs to, or the name that a host is an alias of.
pub fn content_network(address: IpAddr, alias: Option<&str>) -> Option<&'static ContentNetwork> {
    let has_address =
        |network: &&ContentNetwork| network.ranges.iter().any(|range| contains(*range, address));
    let has_alias = |network: &&ContentNetwork| {
        alias.is_some_and(|alias| {
            let alias = alias.trim_end_matches('.').to_ascii_lowercase();
            network.aliases.iter().any(|end| alias.ends_with(end))
        })
    };
    NETWORKS.iter().find(has_address).or_else(|| NETWORKS.iter().find(has_alias))
}

fn contains((network, length): (&str, u8), address: IpAddr) -> bool {
    match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => {
            let shift = 32 - u32::from(length);
            network.to_bits() >> shift == address.to_bits() >> shift
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => {
            let shift = 128 - u32::from(length);
            network.to_bits() >> shift == address.to_bits() >> shift
        }
        _ => false,
    }
}

const NETWORKS: &[ContentNetwork] = &[
    ContentNetwork {
        name: "Cloudflare",
        bypass: "switch the record from \"Proxied\" to \"DNS only\"",
        source: "https://www.cloudflare.com/ips/",
        as_of: "2023-09-28",
        aliases: &[".cdn.cloudflare.net"],
        ranges: &[
            ("173.245.48.0", 20),
            ("103.21.244.0", 22),
            ("103.22.200.0", 22),
            ("103.31.4.0", 22),
            ("141.101.64.0", 18),
            ("108.162.192.0", 18),
            ("190.93.240.0", 20),
            ("188.114.96.0", 20),
            ("197.234.240.0", 22),
            ("198.41.128.0", 17),
            ("162.158.0.0", 15),
            ("104.16.0.0", 13),
            ("104.24.0.0", 14),
            ("172.64.0.0", 13),
            ("131.0.72.0", 22),
            ("2400:cb00::", 32),
            ("2606:4700::", 32),
            ("2803:f800::", 32),
            ("2405:b500::", 32),
            ("2405:8100::", 32),
            ("2a06:98c0::", 29),
            ("2c0f:f248::", 32),
        ],
    },
    ContentNetwork {
        name: "Fastly",
        bypass: "give the server a name of its own that leads to the origin",
        source: "https://api.fastly.com/public-ip-list",
        as_of: "2023-06-06",
        aliases: &[".fastly.net", ".fastlylb.net"],
        ranges: &[
            ("23.235.32.0", 20),
            ("43.249.72.0", 22),
            ("103.244.50.0", 24),
            ("103.245.222.0", 23),
            ("103.245.224.0", 24),
            ("104.156.80.0", 20),
            ("140.248.64.0", 18),
            ("140.248.128.0", 17),
            ("146.75.0.0", 17),
            ("151.101.0.0", 16),
            ("157.52.64.0", 18),
            ("167.82.0.0", 17),
            ("167.82.128.0", 20),
            ("167.82.160.0", 20),
            ("167.82.224.0", 20),
            ("172.111.64.0", 18),
            ("185.31.16.0", 22),
            ("199.27.72.0", 21),
            ("199.232.0.0", 16),
            ("2a04:4e40::", 32),
            ("2a04:4e42::", 32),
        ],
    },
    named("Amazon CloudFront", &[".cloudfront.net"]),
    named("Akamai", &[".akamaiedge.net", ".akamai.net", ".akamaized.net", ".edgekey.net", ".edgesuite.net"]),
    named("Azure Front Door", &[".azurefd.net", ".azureedge.net", ".t-msedge.net"]),
];

/// One that is known by its names.
const fn named(name: &'static str, aliases: &'static [&'static str]) -> ContentNetwork {
    ContentNetwork {
        name,
        bypass: "make the record one of the server's own name or address",
        source: "",
        as_of: "",
        ranges: &[],
        aliases,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_names_a_network_whose_addresses_are_not_known() {
        for (alias, name) in [
            ("d111111abcdef8.cloudfront.net", "Amazon CloudFront"),
            ("E1.a.AkamaiEdge.net.", "Akamai"),
            ("shed.dual-low.s-part-0039.t-0009.t-msedge.net", "Azure Front Door"),
            ("prod.map.fastly.net", "Fastly"),
        ] {
            let found = content_network("203.0.113.7".parse().unwrap(), Some(alias));
            assert_eq!(found.map(|found| found.name), Some(name), "{alias}");
        }
        for alias in ["mycloudfront.net", "db.postgres.database.azure.com", "x.rds.amazonaws.com"] {
            assert!(content_network("203.0.113.7".parse().unwrap(), Some(alias)).is_none(), "{alias}");
        }
    }

    #[test]
    fn the_ends_of_each_range_are_in_it_and_their_neighbours_are_not() {
        for network in NETWORKS {
            for (first, length) in network.ranges {
                let first: IpAddr = first.parse().unwrap();
                let ends = match first {
                    IpAddr::V4(first) => {
                        let (bits, size) = (first.to_bits(), 1u32 << (32 - length));
                        assert_eq!(bits % size, 0, "{first}/{length}");
                        [IpAddr::from(first), IpAddr::V4((bits + size - 1).into())]
                    }
                    IpAddr::V6(first) => {
                        let (bits, size) = (first.to_bits(), 1u128 << (128 - u32::from(*length)));
                        assert_eq!(bits % size, 0, "{first}/{length}");
                        [IpAddr::from(first), IpAddr::V6((bits + size - 1).into())]
                    }
                };
                for end in ends {
                    assert_eq!(
                        content_network(end, None).map(|found| found.name),
                        Some(network.name),
                        "{end}"
                    );
                }
            }
        }
        for other in ["104.15.255.255", "104.28.0.0", "151.100.255.255", "203.0.113.7", "2001:db8::1", "::1"]
        {
            assert!(content_network(other.parse().unwrap(), Some("db.example.com")).is_none(), "{other}");
        }
    }
}

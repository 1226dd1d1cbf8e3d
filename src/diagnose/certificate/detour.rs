//! What else than the name's own DNS record leads to an address: hostaddr, wherever it was set, or the hosts file. Where
//! the server at the other end is not the one that was meant, that is what to look at first.

use crate::conninfo::Origin;
use crate::diagnose::view::{View, path_text, shown_value};
use crate::diagnose::{Fix, by_default};

/// A setting that leads to an address in place of DNS.
pub(in crate::diagnose) struct Detour {
    /// What leads there and where that was set.
    pub words: String,
    /// Its removal.
    pub removal: Fix,
    /// Whether nobody typed it.
    pub is_stray: bool,
}

/// What leads to the address of the attempt in place of DNS; `None` where a name was looked up and no hosts file
/// answered, and where no name was given that could be looked up instead.
pub(in crate::diagnose) fn detour(view: &View<'_>) -> Option<Detour> {
    let host = view.dns_name()?;
    if view.attempt?.dns.is_some() {
        let line = view.evidence.hosts_line.as_ref().filter(|line| line.alias.is_none())?;
        let place = format!("{}, line {}", path_text(&line.file), line.line);
        return Some(Detour {
            is_stray: true,
            words: format!("{place} gives {host} this address, in place of DNS"),
            removal: Fix {
                by_dns: true,
                ..Fix::text(format!("{place}: remove {host}, so that DNS leads to the server"))
            },
        });
    }
    let parameter = view.settings()?.parameter("hostaddr").filter(|known| !known.value.is_empty())?;
    let value = shown_value(&parameter.value);
    let removal = by_default::without(&[("hostaddr", &parameter.origin)]);
    let removal = Fix { text: format!("{}, so that DNS leads to {host}", removal.text), ..removal };
    let origin = parameter.origin.phrase();
    Some(Detour {
        is_stray: matches!(parameter.origin, Origin::Environment(_) | Origin::Service { .. }),
        words: format!("hostaddr={value} comes from {origin} and takes the place of DNS"),
        removal,
    })
}

//! OpenSSL's certificate store while a chain is verified (crypto/x509/x509_lu.c). It is asked by name, opens files of its
//! directories when it has to, and keeps what was in them; so what it finds depends on what it was asked before.

use crate::certificate::DistinguishedName;
use crate::trust::{FileCertificate, FileCrl, HashedDirectory, HashedFile};

/// What a store holds under a name.
pub(super) trait Named {
    /// Whether directories are looked into also for a name of which something is held.
    const ALWAYS_SEARCHED: bool;

    /// Whether this is its name.
    fn is_named(&self, name: &DistinguishedName) -> bool;
}

impl Named for FileCertificate {
    const ALWAYS_SEARCHED: bool = false;

    fn is_named(&self, name: &DistinguishedName) -> bool {
        match self.certificate.facts() {
            Ok(facts) => facts.subject.canonical == name.canonical,
            // Odd times do not keep OpenSSL from decoding it.
            Err(_) => {
                self.certificate.readable().subject.is_some_and(|subject| subject.canonical == name.canonical)
            }
        }
    }
}

impl Named for FileCrl {
    const ALWAYS_SEARCHED: bool = true;

    fn is_named(&self, name: &DistinguishedName) -> bool {
        self.crl.facts().issuer.canonical == name.canonical
    }
}

/// The part of a store with the entries of one kind.
pub(super) struct Store<'a, T> {
    entries: &'a [T],
    directories: &'a [HashedDirectory],
    /// Places of what it holds by now.
    held: Vec<usize>,
}

impl<'a, T: Named> Store<'a, T> {
    /// With what is loaded, which is all that lies in no directory.
    pub(super) fn new(entries: &'a [T], directories: &'a [HashedDirectory]) -> Self {
        let files = directories.iter().flat_map(|directory| &directory.files);
        let loaded = files.map(|file| file.entries.start).min().unwrap_or(entries.len());
        Self { entries, directories, held: (0..loaded).collect() }
    }

    /// The entries of a name, with their places (`X509_STORE_CTX_get_by_subject`).
    pub(super) fn named(&mut self, name: &DistinguishedName) -> Vec<(usize, &'a T)> {
        let held = self.held_of(name);
        if held.is_empty() || T::ALWAYS_SEARCHED { self.search(name).unwrap_or(held) } else { held }
    }

    /// Opens the files for a name, directory by directory up to the first with the name (`get_cert_by_subject`).
    fn search(&mut self, name: &DistinguishedName) -> Option<Vec<(usize, &'a T)>> {
        let directories = self.directories;
        let hash = (!directories.is_empty()).then(|| name.hash())?;
        for directory in directories {
            let files: Vec<&HashedFile> = directory.files.iter().filter(|file| file.hash == hash).collect();
            for place in files.iter().flat_map(|file| file.entries.clone()) {
                if !self.held.contains(&place) {
                    self.held.push(place);
                }
            }
            let found = self.held_of(name);
            if !found.is_empty() {
                return Some(found);
            }
        }
        None
    }

    fn held_of(&self, name: &DistinguishedName) -> Vec<(usize, &'a T)> {
        let held = self.held.iter().filter_map(|place| Some((*place, self.entries.get(*place)?)));
        held.filter(|(_, entry)| entry.is_named(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CA of this name with a key of its own.
    fn named(name: &str) -> FileCertificate {
        let certificate = crate::testing::Authority::root(name).certificate;
        FileCertificate { certificate, file: "root.crt".into(), line: 1 }
    }

    fn name_of(entry: &FileCertificate) -> &DistinguishedName {
        &entry.certificate.facts().unwrap().subject
    }

    /// A directory of one file that is named for its first certificate.
    fn holding(entries: &[FileCertificate], places: std::ops::Range<usize>) -> HashedDirectory {
        let hash = name_of(&entries[places.start]).hash();
        HashedDirectory { path: "hashed".into(), files: vec![HashedFile { hash, entries: places }] }
    }

    #[test]
    fn a_directory_is_looked_into_only_for_a_name_that_is_not_held() {
        let entries = ["A", "A", "B"].map(named);
        let directories = [holding(&entries, 1..2), holding(&entries, 2..3)];
        let mut store = Store::new(&entries, &directories);
        let mut found = |at: usize| -> Vec<usize> {
            store.named(name_of(&entries[at])).into_iter().map(|(place, _)| place).collect()
        };
        assert_eq!((found(0), found(2)), (vec![0], vec![2]));
    }

    #[test]
    fn what_comes_in_passing_is_kept_and_hides_what_would_be_found() {
        let entries = ["A", "B", "B"].map(named);
        let directories = [holding(&entries, 0..2), holding(&entries, 2..3)];
        let places = |order: [usize; 2]| -> Vec<Vec<usize>> {
            let mut store = Store::new(&entries, &directories);
            let found = order.map(|at| store.named(name_of(&entries[at])));
            found.into_iter().map(|found| found.into_iter().map(|(place, _)| place).collect()).collect()
        };
        assert_eq!(places([0, 1]), [[0], [1]]);
        assert_eq!(places([1, 0]), [[2], [0]]);
    }
}

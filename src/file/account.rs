//! Whether another account than the one that runs this program could read a file, by mode, owner and groups.

use std::path::Path;

use super::obstacle::{Account, Obstacle};

/// An account of the system, and the groups it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The account.
    pub account: Account,
    /// The numbers of its groups.
    pub groups: Vec<u32>,
}

impl Reader {
    /// The account of this name; `None` where there is none.
    #[cfg(unix)]
    pub fn named(name: &str) -> Option<Self> {
        let user = uzers::get_user_by_name(name)?;
        let groups = uzers::get_user_groups(name, user.primary_group_id()).unwrap_or_default();
        let groups = groups.iter().map(uzers::Group::gid).chain([user.primary_group_id()]).collect();
        Some(Self { account: Account { uid: user.uid(), name: Some(name.to_owned()) }, groups })
    }

    /// Windows has other rules.
    #[cfg(not(unix))]
    pub fn named(_: &str) -> Option<Self> {
        None
    }

    /// What keeps the account from reading an existing file. Access lists say more than the mode: where a part of the path
    /// has one, nothing is claimed of it.
    #[cfg(unix)]
    pub fn obstacle(&self, path: &Path) -> Option<Obstacle> {
        if self.account.uid == 0 {
            return None;
        }
        let (reader, path) = (self.clone(), path.to_owned());
        super::bounded(move || Ok(reader.along(&std::fs::canonicalize(path)?))).ok().flatten()
    }

    #[cfg(unix)]
    fn along(&self, whole: &Path) -> Option<Obstacle> {
        let above: Vec<&Path> = whole.ancestors().skip(1).collect();
        let directories = above.into_iter().rev();
        let closed = directories.filter_map(|directory| self.refused(directory, 1)).next();
        closed.map(Obstacle::NotSearchable).or_else(|| self.refused(whole, 4).map(Obstacle::NotReadable))
    }

    /// Windows has other rules.
    #[cfg(not(unix))]
    pub fn obstacle(&self, _: &Path) -> Option<Obstacle> {
        None
    }

    /// Who may do what with a file that refuses this bit (4 to read, 1 to search) to the account.
    #[cfg(unix)]
    fn refused(&self, path: &Path, bit: u32) -> Option<super::obstacle::Permissions> {
        use std::os::unix::fs::MetadataExt as _;

        let found = std::fs::metadata(path).ok()?;
        let shift = match () {
            () if found.uid() == self.account.uid => 6,
            () if self.groups.contains(&found.gid()) => 3,
            () => 0,
        };
        if found.mode() >> shift & bit != 0 || has_access_list(path) {
            return None;
        }
        let permissions = super::obstacle::permissions(path)?;
        Some(super::obstacle::Permissions { account: self.account.clone(), ..permissions })
    }
}

/// Whether there is a POSIX access list beside the mode (`setfacl`).
#[cfg(target_os = "linux")]
fn has_access_list(path: &Path) -> bool {
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]).is_ok_and(|length| length > 0)
}

/// Others keep theirs elsewhere.
#[cfg(all(unix, not(target_os = "linux")))]
fn has_access_list(_: &Path) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    /// An account that is nobody's, in these groups.
    fn stranger(groups: &[u32]) -> Reader {
        Reader { account: Account { uid: 4_000_000_001, name: None }, groups: groups.to_vec() }
    }

    #[test]
    fn owner_group_and_others_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "x").unwrap();
        let group = fs::metadata(&path).unwrap().gid();
        for (mode, groups, reads) in [
            (0o600, &[][..], false),
            (0o640, &[][..], false),
            (0o640, &[group][..], true),
            (0o604, &[], true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let found = stranger(groups).obstacle(&path);
            assert_eq!(found.is_none(), reads, "{mode:o} {groups:?}: {found:?}");
        }
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(matches!(stranger(&[]).obstacle(&path), Some(Obstacle::NotSearchable(_))));
        let root = Reader { account: Account { uid: 0, name: None }, groups: Vec::new() };
        assert_eq!(root.obstacle(&path), None);
    }

    #[test]
    fn accounts_are_found_by_name() {
        assert_eq!(Reader::named("root").map(|root| root.account.uid), Some(0));
        assert_eq!(Reader::named("no such account"), None);
    }
}

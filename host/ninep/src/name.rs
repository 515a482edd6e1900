//! Names of entries, and paths made of them.
//!
//! Whatever becomes an argument of a system call went through here. A name is one entry of one
//! directory: it has no slash and is neither `.` nor `..`, so no name leads anywhere else.

use crate::limits::{MAX_NAME, MAX_PATH};
use rustix::io::Errno;
use std::sync::Arc;

/// A name that was checked. Any bytes but slash and zero: names need not be text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// Checks a name.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Errno> {
        if bytes.len() > MAX_NAME {
            return Err(Errno::NAMETOOLONG);
        }
        if matches!(bytes, b"" | b"." | b"..") || bytes.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(Errno::INVAL);
        }
        Ok(Self(bytes))
    }

    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Names from the folder down, with slashes between them; the folder itself is empty. Where a fid's file
/// was when somebody last looked: a help to find it again, never a proof that it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(Arc<[u8]>);

impl Path {
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A path that the kernel gave, from the folder.
    pub fn from_kernel(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// A way from this directory.
    pub fn below(&self, way: &Self) -> Result<Self, Errno> {
        way.names().try_fold(self.clone(), |path, name| path.join(Name::new(name)?))
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
    }

    /// An entry of this directory.
    pub fn join(&self, name: Name<'_>) -> Result<Self, Errno> {
        let mut bytes = self.0.to_vec();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name.0);
        if bytes.len() > MAX_PATH { Err(Errno::NAMETOOLONG) } else { Ok(Self(bytes.into())) }
    }

    /// The directory that it is in, and its name there. The folder itself has neither.
    pub fn split(&self) -> Option<(Self, Name<'_>)> {
        match self.0.iter().rposition(|&byte| byte == b'/') {
            Some(at) => Some((Self(self.0[..at].into()), Name(&self.0[at + 1..]))),
            None if self.is_root() => None,
            None => Some((Self::default(), Name(&self.0))),
        }
    }

    /// Where it is after `old` became `new`, if it was there or below.
    pub fn moved(&self, old: &Self, new: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&*old.0)?;
        if rest.first().is_some_and(|&byte| byte != b'/') {
            return None;
        }
        Some(Self([&*new.0, rest].concat().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_entry() {
        let long = [b'a'; 256];
        for (bytes, expected) in [
            (&b"a"[..], Ok(())),
            (b"...", Ok(())),
            (b"\xff\xfe\n", Ok(())),
            (&long[..255], Ok(())),
            (&long, Err(Errno::NAMETOOLONG)),
            (b"", Err(Errno::INVAL)),
            (b".", Err(Errno::INVAL)),
            (b"..", Err(Errno::INVAL)),
            (b"a/b", Err(Errno::INVAL)),
            (b"/", Err(Errno::INVAL)),
            (b"a\0", Err(Errno::INVAL)),
        ] {
            assert_eq!(Name::new(bytes).map(drop), expected, "{bytes:?}");
        }
    }

    #[test]
    fn paths_grow_split_and_move() {
        let path = |names: &[&str]| {
            names.iter().try_fold(Path::default(), |path, name| {
                path.join(Name::new(name.as_bytes()).unwrap())
            })
        };
        let deep = path(&["a", "bc", "d"]).unwrap();
        assert_eq!(deep.bytes(), b"a/bc/d");
        let (parent, name) = deep.split().unwrap();
        assert_eq!((parent.bytes(), name.bytes()), (&b"a/bc"[..], &b"d"[..]));
        assert_eq!(path(&["a"]).unwrap().split().unwrap().0, Path::default());
        assert!(Path::default().split().is_none());
        let moved = |old: &[&str], new: &[&str]| {
            deep.moved(&path(old).unwrap(), &path(new).unwrap()).map(|p| p.bytes().to_vec())
        };
        assert_eq!(moved(&["a"], &["x", "y"]).unwrap(), b"x/y/bc/d");
        assert_eq!(moved(&["a", "bc", "d"], &["z"]).unwrap(), b"z");
        assert_eq!(moved(&["a", "b"], &["z"]), None, "only part of a name");
        assert_eq!(moved(&["q"], &["z"]), None);
        let name = "n".repeat(255);
        let names = vec![name.as_str(); 16];
        assert_eq!(path(&names).unwrap().bytes().len(), 4095);
        assert_eq!(path(&[&names[..], &["n"]].concat()), Err(Errno::NAMETOOLONG));
    }
}

//! No sequence of messages reads a refused file, changes it, or makes another of such a name.

use super::client::{Body, Client, ROOT, flag};
use super::folder;
use super::guarded::{guarded, remove, rename_fid};
use ninep::{Access, Guard};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const SECRET: &[u8] = b"the secret";

/// Refuses a name anywhere, or one place.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Anywhere,
    Place,
}

impl Guard for Rule {
    fn may(&self, path: &Path, _: Access) -> bool {
        match self {
            Self::Anywhere => path.file_name().is_none_or(|name| name != ".env"),
            Self::Place => path != Path::new("a/.env"),
        }
    }
}

#[derive(Clone, Debug)]
enum Call {
    Get(String),
    Put(String),
    Create(String, u32),
    Mkdir(String),
    Symlink(String),
    Link(String, String),
    Rename(String, String),
    Unlink(String),
    Rmdir(String),
    Truncate(String),
    Chmod(String),
    /// Gets hold of a file, for the calls below.
    Walk(String),
    /// Walks on from what is held, also upwards.
    WalkOn(usize, String),
    OpenHeld(usize, u32),
    UseHeld(usize),
    RenameHeld(usize, usize, String),
    LinkHeld(usize, usize, String),
    RemoveHeld(usize),
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", ".env"]).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", ".env", "..", "a"]);
    let any = proptest::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    // Often the secret itself, and often one other place that it could come to.
    prop_oneof![2 => Just("a/.env".to_owned()), 2 => Just("b/b".to_owned()), 4 => any]
}

fn call() -> impl Strategy<Value = Call> {
    let flags = || {
        let flags = [flag::READ, flag::WRITE, flag::READ_WRITE, flag::READ | flag::TRUNCATE];
        prop::sample::select(flags.to_vec())
    };
    let held = || 0..8usize;
    prop_oneof![
        2 => path().prop_map(Call::Get),
        1 => path().prop_map(Call::Put),
        1 => (path(), flags()).prop_map(|(path, flags)| Call::Create(path, flags)),
        2 => path().prop_map(Call::Mkdir),
        1 => path().prop_map(Call::Symlink),
        2 => (path(), path()).prop_map(|(old, new)| Call::Link(old, new)),
        4 => (path(), path()).prop_map(|(old, new)| Call::Rename(old, new)),
        1 => path().prop_map(Call::Unlink),
        1 => path().prop_map(Call::Rmdir),
        1 => path().prop_map(Call::Truncate),
        1 => path().prop_map(Call::Chmod),
        3 => path().prop_map(Call::Walk),
        1 => (held(), path()).prop_map(|(held, path)| Call::WalkOn(held, path)),
        2 => (held(), flags()).prop_map(|(held, flags)| Call::OpenHeld(held, flags)),
        2 => held().prop_map(Call::UseHeld),
        2 => (held(), held(), name()).prop_map(|(fid, to, name)| Call::RenameHeld(fid, to, name)),
        1 => (held(), held(), name()).prop_map(|(fid, to, name)| Call::LinkHeld(fid, to, name)),
        1 => held().prop_map(Call::RemoveHeld),
    ]
}

/// What a client has hold of.
struct Held(Vec<u32>);

impl Held {
    /// The folder itself where there is nothing yet.
    fn get(&self, index: usize) -> u32 {
        if self.0.is_empty() { ROOT } else { self.0[index % self.0.len()] }
    }
}

/// Does a call; answers with what it read.
fn act(c: &mut Client, held: &mut Held, call: &Call) -> Option<Vec<u8>> {
    match call {
        Call::Get(path) => return c.get(path).ok(),
        Call::Put(path) => {
            let _ = c.put(path, b"mine");
        }
        Call::Create(path, flags) => held.0.extend(c.create(path, *flags, 0o644)),
        Call::Mkdir(path) => {
            let _ = c.mkdir(path, 0o755);
        }
        Call::Symlink(path) => {
            let _ = c.symlink(b"a/.env", path);
        }
        Call::Link(old, new) => {
            let _ = c.link(old, new);
        }
        Call::Rename(old, new) => {
            let _ = c.rename(old, new);
        }
        Call::Unlink(path) => {
            let _ = c.unlink(path, 0);
        }
        Call::Rmdir(path) => {
            let _ = c.unlink(path, 0x200);
        }
        Call::Truncate(path) => {
            let _ = c.walk(path).and_then(|fid| c.setattr(fid, 8, 0, 1, (0, 0)));
        }
        Call::Chmod(path) => {
            let _ = c.walk(path).and_then(|fid| c.setattr(fid, 1, 0o777, 0, (0, 0)));
        }
        Call::Walk(path) => held.0.extend(c.walk(path)),
        Call::WalkOn(index, path) => {
            let names: Vec<_> = path.split('/').map(str::as_bytes).collect();
            held.0.extend(c.walk_from(held.get(*index), &names));
        }
        Call::OpenHeld(index, flags) => {
            let _ = c.open_fid(held.get(*index), *flags);
        }
        Call::UseHeld(index) => {
            let fid = held.get(*index);
            let _ = c.write(fid, 0, b"mine");
            return c.read(fid, 0, 100).ok();
        }
        Call::RenameHeld(index, to, name) => {
            let _ = rename_fid(c, held.get(*index), held.get(*to), name);
        }
        Call::LinkHeld(index, to, name) => {
            let link = Body::default().u32(held.get(*to)).u32(held.get(*index)).text(name);
            let _ = c.call(70, link);
        }
        Call::RemoveHeld(index) => {
            let fid = held.get(*index);
            // That ends the fid, whatever it answers; the folder's is still needed.
            if fid != ROOT {
                let _ = remove(c, fid);
                held.0.retain(|other| *other != fid);
            }
        }
    }
    None
}

/// The paths of all refused files.
fn refused(folder: &Path, rule: Rule) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let below = path.strip_prefix(folder).unwrap();
            if !rule.may(below, Access::Read) {
                found.push(below.to_str().unwrap().to_owned());
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

fn rounds() -> u32 {
    std::env::var("NINEP_ROUNDS").map_or(300, |text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_sequence_of_messages_reaches_a_refused_file(
        rule in prop::sample::select(vec![Rule::Anywhere, Rule::Place]),
        calls in proptest::collection::vec(call(), 1..60),
    ) {
        let folder = folder();
        let inside = folder.path().join("inside");
        fs::create_dir_all(inside.join("a/b")).unwrap();
        fs::create_dir(inside.join("b")).unwrap();
        fs::write(inside.join("a/.env"), SECRET).unwrap();
        fs::write(inside.join("b/a"), "text").unwrap();
        let before = fs::metadata(inside.join("a/.env")).unwrap();
        let mut client = guarded(&folder, rule);
        let mut held = Held(Vec::new());
        for call in &calls {
            let read = act(&mut client, &mut held, call);
            prop_assert_ne!(read.as_deref(), Some(SECRET), "{:?}", call);
        }
        prop_assert_eq!(fs::read(inside.join("a/.env")).unwrap(), SECRET);
        let after = fs::metadata(inside.join("a/.env")).unwrap();
        prop_assert_eq!(before.permissions(), after.permissions());
        prop_assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        prop_assert_eq!(refused(&inside, rule), ["a/.env"]);
    }
}

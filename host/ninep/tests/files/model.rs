//! Any sequence of calls leaves the tree, and answers, that the same calls of a program of the host do.

use super::client::{Answer, Client, errno, flag};
use super::{client, folder};
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

#[derive(Clone, Debug)]
enum Call {
    Mkdir(String),
    Put(String, Vec<u8>),
    Append(String, Vec<u8>),
    Truncate(String, u16),
    Get(String),
    Chmod(String, u32),
    Symlink(String, String),
    Link(String, String),
    Rename(String, String),
    Unlink(String),
    Rmdir(String),
    List(String),
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4)
        .prop_map(|names| names.join("/"))
}

fn call() -> impl Strategy<Value = Call> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..50);
    let mode = prop::sample::select(vec![0o644, 0o600, 0o755, 0o444, 0o000, 0o200]);
    prop_oneof![
        3 => path().prop_map(Call::Mkdir),
        3 => (path(), bytes()).prop_map(|(path, bytes)| Call::Put(path, bytes)),
        1 => (path(), bytes()).prop_map(|(path, bytes)| Call::Append(path, bytes)),
        1 => (path(), any::<u16>()).prop_map(|(path, size)| Call::Truncate(path, size)),
        1 => path().prop_map(Call::Get),
        1 => (path(), mode).prop_map(|(path, mode)| Call::Chmod(path, mode)),
        1 => (path(), path()).prop_map(|(target, path)| Call::Symlink(target, path)),
        1 => (path(), path()).prop_map(|(old, new)| Call::Link(old, new)),
        3 => (path(), path()).prop_map(|(old, new)| Call::Rename(old, new)),
        1 => path().prop_map(Call::Unlink),
        1 => path().prop_map(Call::Rmdir),
        1 => path().prop_map(Call::List),
    ]
}

/// The answer: content or names, or an error number.
type Outcome = Answer<Vec<Vec<u8>>>;

fn through(client: &mut Client, call: &Call) -> Outcome {
    let none = |answer: Answer<()>| answer.map(|()| Vec::new());
    match call {
        Call::Mkdir(path) => none(client.mkdir(path, 0o755)),
        Call::Put(path, bytes) => none(client.put(path, bytes)),
        Call::Append(path, bytes) => {
            let fid = client.open(path, flag::WRITE | flag::APPEND)?;
            client.write(fid, 0, bytes)?;
            none(client.clunk(fid))
        }
        Call::Truncate(path, size) => {
            let fid = client.walk(path)?;
            none(client.setattr(fid, 8, 0, u64::from(*size), (0, 0)))
        }
        Call::Get(path) => client.get(path).map(|content| vec![content]),
        Call::Chmod(path, mode) => {
            // Directories keep theirs, so that an ordinary user can still look at all of the tree.
            if client.stat(path)?.mode & 0o170_000 == 0o040_000 {
                return Ok(Vec::new());
            }
            let fid = client.walk(path)?;
            none(client.setattr(fid, 1, *mode, 0, (0, 0)))
        }
        Call::Symlink(target, path) => none(client.symlink(target.as_bytes(), path)),
        Call::Link(old, new) => none(client.link(old, new)),
        Call::Rename(old, new) => none(client.rename(old, new)),
        Call::Unlink(path) => none(client.unlink(path, 0)),
        Call::Rmdir(path) => none(client.unlink(path, 0x200)),
        Call::List(path) => client.names(path, 4096),
    }
}

/// A path below `root` whose last name alone may be a link: links on the way are not followed.
fn resolve(root: &Path, path: &str) -> io::Result<std::path::PathBuf> {
    let mut at = root.to_owned();
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        at.push(name);
        if names.peek().is_some() && !fs::symlink_metadata(&at)?.is_dir() {
            return Err(io::Error::from_raw_os_error(errno::NOTDIR as i32));
        }
    }
    Ok(at)
}

/// A path whose last name is no link either: those cannot be opened.
fn no_link(root: &Path, path: &str) -> io::Result<std::path::PathBuf> {
    let path = resolve(root, path)?;
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_symlink() => Err(io::Error::from_raw_os_error(errno::LOOP as i32)),
        _ => Ok(path),
    }
}

fn direct(root: &Path, call: &Call) -> io::Result<Vec<Vec<u8>>> {
    let none = Vec::new;
    match call {
        Call::Mkdir(path) => {
            let path = resolve(root, path)?;
            fs::create_dir(&path)?;
            fs::set_permissions(path, PermissionsExt::from_mode(0o755)).map(|()| none())
        }
        Call::Put(path, bytes) => {
            let path = no_link(root, path)?;
            let new = fs::symlink_metadata(&path).is_err();
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o644).open(path)?;
            if new {
                file.set_permissions(PermissionsExt::from_mode(0o644))?;
            }
            file.write_all(bytes).map(|()| none())
        }
        Call::Append(path, bytes) => {
            let mut file = OpenOptions::new().append(true).open(no_link(root, path)?)?;
            file.write_all(bytes).map(|()| none())
        }
        Call::Truncate(path, size) => {
            let file = OpenOptions::new().write(true).open(no_link(root, path)?)?;
            file.set_len(u64::from(*size)).map(|()| none())
        }
        Call::Get(path) => {
            let mut content = Vec::new();
            fs::File::open(no_link(root, path)?)?.read_to_end(&mut content)?;
            Ok(vec![content])
        }
        Call::Chmod(path, mode) => {
            let path = resolve(root, path)?;
            let found = fs::symlink_metadata(&path)?;
            if found.is_symlink() {
                return Err(io::Error::from_raw_os_error(errno::OPNOTSUPP as i32));
            }
            if !found.is_dir() {
                fs::set_permissions(path, PermissionsExt::from_mode(*mode))?;
            }
            Ok(none())
        }
        Call::Symlink(target, path) => symlink(target, resolve(root, path)?).map(|()| none()),
        Call::Link(old, new) => {
            let old = resolve(root, old)?;
            fs::symlink_metadata(&old)?;
            fs::hard_link(old, resolve(root, new)?).map(|()| none())
        }
        Call::Rename(old, new) => {
            let (old, new) = (resolve(root, old)?, resolve(root, new)?);
            fs::rename(old, new).map(|()| none())
        }
        Call::Unlink(path) => fs::remove_file(resolve(root, path)?).map(|()| none()),
        Call::Rmdir(path) => fs::remove_dir(resolve(root, path)?).map(|()| none()),
        Call::List(path) => {
            let entries = fs::read_dir(no_link(root, path)?)?;
            let mut names: Vec<_> = entries
                .map(|entry| entry.map(|entry| entry.file_name().into_encoded_bytes()))
                .collect::<io::Result<_>>()?;
            names.sort();
            Ok(names)
        }
    }
}

/// Everything in a folder: path, mode, links, and content or target.
fn tree(folder: &Path) -> Vec<(String, u32, u64, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, name)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let meta = fs::symlink_metadata(entry.path()).unwrap();
            let content = if meta.is_dir() {
                folders.push((entry.path(), name.clone()));
                Vec::new()
            } else if meta.is_symlink() {
                fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
            } else {
                // An ordinary user may not read all that it may write; the size is there in any case.
                fs::read(entry.path()).unwrap_or_else(|_| meta.size().to_le_bytes().to_vec())
            };
            found.push((name, meta.mode(), meta.nlink(), content));
        }
    }
    found.sort();
    found
}

fn rounds() -> u32 {
    std::env::var("NINEP_ROUNDS").map_or(300, |text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn calls_do_what_they_do_on_the_host(calls in proptest::collection::vec(call(), 1..60)) {
        let (served, plain) = (folder(), folder());
        let mut client = client(&served);
        let plain = plain.path().join("inside");
        for call in &calls {
            let expected = direct(&plain, call).map_err(|error| error.raw_os_error().unwrap() as u32);
            let outcome = through(&mut client, call);
            // A walk that breaks off does not say why.
            match (&outcome, &expected) {
                (Err(errno::NOENT), Err(_)) => {}
                _ => prop_assert_eq!(&outcome, &expected, "{:?}", call),
            }
        }
        prop_assert_eq!(tree(&served.path().join("inside")), tree(&plain));
    }
}

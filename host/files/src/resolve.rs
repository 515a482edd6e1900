//! From a directory and a guest's path to the place that is meant: without `.`, `..` and links.
//!
//! The same walk as wasmtime-wasi's: a path must not leave the directory that it starts at, neither
//! by `..` nor by a link. Where the two could differ, this one refuses.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// Links on the way to one place, as Linux counts them.
const LINKS_MAX: usize = 40;

/// What happens to a link at the path's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Follow,
    /// The link itself is meant.
    Keep,
}

/// The place; it need not be there, its parent must.
pub(crate) fn resolve(directory: &Path, path: &str, last: Last) -> Result<PathBuf, ErrorCode> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    // A slash at the end asks for a directory, and a link to one is followed.
    let follow = last == Last::Follow || path.ends_with('/') || path.ends_with("/.");
    let mut pending = Vec::new();
    push(&mut pending, Path::new(path))?;
    let mut place = directory.to_owned();
    let mut links = 0;
    while let Some(step) = pending.pop() {
        let Step::Down(name) = step else {
            if place == directory {
                return Err(ErrorCode::NotPermitted);
            }
            place.pop();
            continue;
        };
        let next = place.join(name);
        let end = pending.is_empty();
        match fs::symlink_metadata(&next) {
            Ok(found) if found.is_symlink() && (follow || !end) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(ErrorCode::Loop);
                }
                let target = fs::read_link(&next).map_err(ErrorCode::from)?;
                push(&mut pending, &target)?;
            }
            Ok(_) => place = next,
            Err(error) if error.kind() == io::ErrorKind::NotFound && end => place = next,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(place)
}

enum Step {
    Up,
    Down(std::ffi::OsString),
}

/// Puts a path's steps in front of what is pending.
fn push(pending: &mut Vec<Step>, path: &Path) -> Result<(), ErrorCode> {
    let mut steps = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => steps.push(Step::Down(name.to_owned())),
            Component::ParentDir => steps.push(Step::Up),
            Component::CurDir => {}
            // An absolute path, or an absolute link: out of the directory.
            Component::RootDir | Component::Prefix(_) => return Err(ErrorCode::NotPermitted),
        }
    }
    pending.extend(steps.into_iter().rev());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn every_way_to_a_place_is_the_place() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b/f"), "").unwrap();
        symlink("a/b", top.join("ab")).unwrap();
        symlink("f", top.join("a/b/link")).unwrap();
        symlink("../../a", top.join("a/b/up")).unwrap();
        symlink("missing", top.join("dangling")).unwrap();
        symlink("/etc", top.join("absolute")).unwrap();
        symlink("..", top.join("out")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        for (path, last, expected) in [
            ("a/b/f", Last::Follow, Ok("a/b/f")),
            ("./a//b/./f", Last::Follow, Ok("a/b/f")),
            ("a/../a/b/../b/f", Last::Follow, Ok("a/b/f")),
            ("ab/f", Last::Keep, Ok("a/b/f")),
            ("ab", Last::Keep, Ok("ab")),
            ("ab", Last::Follow, Ok("a/b")),
            ("ab/", Last::Keep, Ok("a/b")),
            ("ab/.", Last::Keep, Ok("a/b")),
            // `..` after a link leaves the link's target.
            ("ab/../b/f", Last::Follow, Ok("a/b/f")),
            ("ab/link", Last::Follow, Ok("a/b/f")),
            ("ab/link", Last::Keep, Ok("a/b/link")),
            ("a/b/up/b/up/b/link", Last::Follow, Ok("a/b/f")),
            ("new", Last::Follow, Ok("new")),
            ("dangling", Last::Follow, Ok("missing")),
            (".", Last::Follow, Ok("")),
            ("new/x", Last::Follow, Err(ErrorCode::NoEntry)),
            ("", Last::Follow, Err(ErrorCode::NoEntry)),
            ("..", Last::Follow, Err(ErrorCode::NotPermitted)),
            ("a/../..", Last::Follow, Err(ErrorCode::NotPermitted)),
            ("/etc", Last::Follow, Err(ErrorCode::NotPermitted)),
            ("absolute", Last::Follow, Err(ErrorCode::NotPermitted)),
            ("absolute/passwd", Last::Keep, Err(ErrorCode::NotPermitted)),
            ("out/x", Last::Follow, Err(ErrorCode::NotPermitted)),
            ("loop", Last::Follow, Err(ErrorCode::Loop)),
        ] {
            let found = resolve(&top, path, last);
            match expected {
                // `join("")` would add a slash.
                Ok("") => assert_eq!(found.unwrap(), top),
                Ok(expected) => assert_eq!(found.unwrap(), top.join(expected), "{path} {last:?}"),
                Err(error) => assert_eq!(found.unwrap_err(), error, "{path} {last:?}"),
            }
        }
    }
}

//! Rules on places: what each call needs, and ways around that lead nowhere.

use super::client::{Answer, Body, Client, ROOT, errno, flag};
use super::folder;
use ninep::limits::MAX_MOVED;
use ninep::{Access, Export, Guard};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Refuses what it names: a place, and what is refused there; without that, both.
#[derive(Debug)]
struct Refused(&'static [(&'static str, Option<Access>)]);

impl Guard for Refused {
    fn may(&self, path: &Path, access: Access) -> bool {
        let refuses = |(refused, what): &(&str, Option<Access>)| {
            path == Path::new(refused) && what.is_none_or(|what| what == access)
        };
        !self.0.iter().any(refuses)
    }
}

pub fn guarded(folder: &TempDir, guard: impl Guard + 'static) -> Client {
    let inside = folder.path().join("inside");
    Client::new(Export::open_guarded(&inside, Arc::new(guard)).unwrap().server())
}

/// The older way to move, by the file itself.
pub fn rename_fid(c: &mut Client, fid: u32, directory: u32, name: &str) -> Answer<()> {
    c.call(20, Body::default().u32(fid).u32(directory).text(name)).map(drop)
}

/// The older way to remove.
pub fn remove(c: &mut Client, fid: u32) -> Answer<()> {
    c.call(122, Body::default().u32(fid)).map(drop)
}

/// A client of a folder with `d/f`, `d/g` and `e`, in which something is refused.
fn refusing(refused: &'static [(&'static str, Option<Access>)]) -> (TempDir, Client) {
    let folder = folder();
    let inside = folder.path().join("inside");
    std::fs::create_dir(inside.join("d")).unwrap();
    std::fs::create_dir(inside.join("e")).unwrap();
    std::fs::write(inside.join("d/f"), "secret").unwrap();
    std::fs::write(inside.join("d/g"), "text").unwrap();
    let client = guarded(&folder, Refused(refused));
    (folder, client)
}

const DENIED: Result<(), u32> = Err(errno::ACCES);

#[test]
fn what_may_not_be_read_may_be_changed_and_the_other_way_round() {
    let (_folder, mut c) = refusing(&[("d/f", Some(Access::Read))]);
    assert_eq!(c.get("d/f"), Err(errno::ACCES));
    assert_eq!(c.open("d/f", flag::READ_WRITE), Err(errno::ACCES));
    c.put("d/f", b"mine").unwrap();
    // Neither name may lead to what cannot be read.
    assert_eq!(c.rename("d/f", "x"), DENIED);
    assert_eq!(c.link("d/f", "x"), DENIED);
    c.unlink("d/f", 0).unwrap();

    let (_folder, mut c) = refusing(&[("d/f", Some(Access::Write))]);
    assert_eq!(c.get("d/f").unwrap(), b"secret");
    for flags in [flag::WRITE, flag::READ_WRITE, flag::READ | flag::TRUNCATE] {
        assert_eq!(c.open("d/f", flags), Err(errno::ACCES), "{flags:o}");
        assert_eq!(c.create("d/f", flags, 0o644), Err(errno::ACCES), "{flags:o}");
    }
    let fid = c.walk("d/f").unwrap();
    for (valid, what) in [(1, "mode"), (2, "owner"), (8, "size"), (0x20, "time")] {
        assert_eq!(c.setattr(fid, valid, 0o600, 0, (0, 0)), DENIED, "{what}");
    }
    assert_eq!(c.unlink("d/f", 0), DENIED);
    assert_eq!(c.rename("d/f", "x"), DENIED);
    assert_eq!(c.rename("d/g", "d/f"), DENIED, "it would be replaced");
    assert_eq!(c.link("d/f", "x"), DENIED, "it could be changed under that name");
    // The older ways to remove and to move, by the file itself.
    assert_eq!(rename_fid(&mut c, fid, ROOT, "x"), DENIED);
    assert_eq!(remove(&mut c, fid), DENIED);
    assert_eq!(c.get("d/f").unwrap(), b"secret");
}

#[test]
fn nothing_is_made_under_a_refused_name() {
    let (folder, mut c) = refusing(&[("e/new", Some(Access::Write))]);
    assert_eq!(c.create("e/new", flag::WRITE, 0o644), Err(errno::ACCES));
    assert_eq!(c.create("e/new", flag::READ, 0o644), Err(errno::ACCES));
    assert_eq!(c.mkdir("e/new", 0o755), DENIED);
    assert_eq!(c.mknod("e/new", 0o010_644), DENIED);
    assert_eq!(c.symlink(b"x", "e/new"), DENIED);
    assert_eq!(c.link("d/g", "e/new"), DENIED);
    assert_eq!(c.rename("d/g", "e/new"), DENIED);
    assert!(!folder.path().join("inside/e/new").exists());
}

#[test]
fn directories_are_listed_only_where_they_may_be_read() {
    let (_folder, mut c) = refusing(&[("d", Some(Access::Read))]);
    assert_eq!(c.names("d", 4096), Err(errno::ACCES));
    // A rule on a directory alone is none on what is in it; who writes rules names both.
    assert_eq!(c.get("d/f").unwrap(), b"secret");
    let (_folder, mut c) = refusing(&[("", None)]);
    assert_eq!(c.names("", 4096), Err(errno::ACCES));
    assert_eq!(c.stat("d/f").unwrap().size, 6, "sizes can be seen");
}

#[test]
fn a_directory_moves_only_with_everything_in_it() {
    let (_folder, mut c) = refusing(&[("d/f", None)]);
    assert_eq!(c.rename("d", "x"), DENIED);
    c.rename("e", "x").unwrap();
    c.rename("d/g", "x/g").unwrap();

    // What goes with it would be at a refused place.
    let (_folder, mut c) = refusing(&[("x/y/g", Some(Access::Write))]);
    c.mkdir("top", 0o755).unwrap();
    c.rename("d", "top/y").unwrap();
    assert_eq!(c.rename("top", "x"), DENIED);
    let top = c.walk("top").unwrap();
    assert_eq!(rename_fid(&mut c, top, ROOT, "x"), DENIED);
    c.unlink("top/y/g", 0).unwrap();
    c.rename("top", "x").unwrap();
}

#[test]
fn a_directory_with_too_much_in_it_is_for_moving_one_by_one() {
    let (folder, mut c) = refusing(&[("other", None)]);
    let inside = folder.path().join("inside");
    for n in 0..MAX_MOVED - 2 {
        std::fs::hard_link(inside.join("d/g"), inside.join(format!("d/{n}"))).unwrap();
    }
    c.rename("d", "x").unwrap();
    std::fs::write(inside.join("x/more"), "").unwrap();
    assert_eq!(c.rename("x", "y"), Err(errno::XDEV));
    c.rename("x/more", "y").unwrap();
}

#[test]
fn who_has_hold_of_a_file_has_no_way_around() {
    let (folder, mut c) = refusing(&[("d/f", None), ("e/secret", None)]);
    let inside = folder.path().join("inside");
    // The host moves a file to a refused name, and one away from there; it may.
    let (to, from) = (c.walk("d/g").unwrap(), c.walk("d/f").unwrap());
    std::fs::rename(inside.join("d/f"), inside.join("e/free")).unwrap();
    std::fs::rename(inside.join("d/g"), inside.join("e/secret")).unwrap();
    assert_eq!(c.open_fid(to, flag::READ), DENIED);
    assert_eq!(c.setattr(to, 8, 0, 0, (0, 0)), DENIED);
    assert_eq!(c.open_fid(from, flag::READ), DENIED, "found under the refused name");
    assert_eq!(c.get("e/free").unwrap(), b"secret", "found under the other");
    // Removed by the host, and still that file.
    let removed = c.walk("e/secret").unwrap();
    std::fs::hard_link(inside.join("e/secret"), inside.join("e/second")).unwrap();
    std::fs::remove_file(inside.join("e/secret")).unwrap();
    assert_eq!(c.open_fid(removed, flag::READ), DENIED);
    std::fs::remove_file(inside.join("e/second")).unwrap();
    assert_eq!(c.open_fid(removed, flag::READ), DENIED);
}

#[test]
fn what_was_removed_and_moved_goes_on_working() {
    let (folder, mut c) = refusing(&[("d/f", None)]);
    let fid = c.create("e/temporary", flag::READ_WRITE, 0o600).unwrap();
    c.unlink("e/temporary", 0).unwrap();
    c.write(fid, 0, b"content").unwrap();
    c.setattr(fid, 8, 0, 3, (0, 0)).unwrap();
    assert_eq!(c.read(fid, 0, 100).unwrap(), b"con");
    // A name that ends as the kernel marks what was removed.
    c.put("e/x (deleted)", b"there").unwrap();
    c.rename("e/x (deleted)", "e/y (deleted)").unwrap();
    assert_eq!(c.get("e/y (deleted)").unwrap(), b"there");
    // The folder itself is moved by its owner.
    std::fs::rename(folder.path().join("inside"), folder.path().join("moved")).unwrap();
    assert_eq!(c.get("d/g").unwrap(), b"text");
    assert_eq!(c.get("d/f"), Err(errno::ACCES));
}

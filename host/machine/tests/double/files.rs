//! A folder as text, so that two can be compared.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Every file below: name, mode, and contents or what it leads to. Sorted.
pub fn listed(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    list(folder, folder, &mut found);
    found.sort();
    found
}

fn list(top: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(top).unwrap().display().to_string();
        let what = match metadata.file_type() {
            kind if kind.is_symlink() => format!("-> {}", fs::read_link(&path).unwrap().display()),
            kind if kind.is_file() => String::from_utf8_lossy(&fs::read(&path).unwrap()).into(),
            kind if kind.is_dir() => "a folder".to_owned(),
            kind => format!("{kind:?}"),
        };
        found.push(format!("{name} {:o} {what:.200}", metadata.permissions().mode()));
        if metadata.is_dir() {
            list(top, &path, found);
        }
    }
}

//! `list`: one directory.

use std::fs;

use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;

pub static TOOL: Tool = Tool {
    name: "list",
    description: "List a directory: directories end with a slash, files have their size in bytes.",
    parameters: r#"{"type":"object","properties":{"path":{"type":"string","description":"Default: the workspace"}},"additionalProperties":false}"#,
    kind: Kind::Read,
    shows: "path",
    way: Way::Here(list),
};

/// Entries in one result; a larger directory is searched with find.
const ENTRIES: usize = 500;

fn list(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let path = here.place.readable(args.maybe_text("path")?.unwrap_or("."))?;
    let shown = here.place.shown(&path);
    let cannot = |error| Failure::io(format!("list {shown}"), &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        names.push((entry.file_name().to_string_lossy().into_owned(), kind, entry.path()));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let total = names.len();
    let mut text = String::new();
    for (name, kind, path) in names.into_iter().take(ENTRIES) {
        text.push_str(&name);
        if kind.is_dir() {
            text.push('/');
        } else if kind.is_symlink() {
            text.push_str(" (a link)");
        } else if let Ok(metadata) = fs::metadata(path) {
            text.push_str(&format!("  {}", metadata.len()));
        }
        text.push('\n');
    }
    if total == 0 {
        text.push_str("(an empty directory)");
    } else if total > ENTRIES {
        text.push_str(&format!("[the first {ENTRIES} of {total}; use find for the others]"));
    }
    Ok(Outcome::text(text))
}

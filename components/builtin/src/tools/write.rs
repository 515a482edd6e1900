//! `write`: a whole file.

use std::fs;
use std::path::Path;

use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::{Diff, Kind};

pub static TOOL: Tool = Tool {
    name: "write",
    description: "Write a whole text file, and the directories above it. An existing file is \
                  replaced; to change a part of one use edit.",
    parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"],"additionalProperties":false}"#,
    kind: Kind::Edit,
    shows: "path",
    way: Way::Here(write),
};

/// Larger files are changed without a difference in the report: it would be read by nobody.
const DIFF_MAX_BYTES: usize = 256 << 10;

fn write(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let path = here.place.writable(args.text("path")?)?;
    let content = args.text("content")?;
    let old = before(&path);
    let shown = here.place.shown(&path);
    if let Some(parent) = path.parent() {
        let cannot = |error| Failure::io(format!("make the directory of {shown}"), &error);
        fs::create_dir_all(parent).map_err(cannot)?;
    }
    // In place: a new file under the old name would lose its permissions.
    fs::write(&path, content).map_err(|error| Failure::io(format!("write {shown}"), &error))?;
    let what = if matches!(old, Before::Nothing) { "created" } else { "replaced" };
    let mut outcome = Outcome::text(format!("{what} {shown}, {} bytes", content.len()));
    outcome.diff = difference(&path, old, content);
    Ok(outcome)
}

/// What a path held before.
pub enum Before {
    Nothing,
    Text(String),
    /// Binary, or too large to be compared.
    Other,
}

fn before(path: &Path) -> Before {
    match fs::metadata(path) {
        Err(_) => Before::Nothing,
        Ok(metadata) if metadata.len() > DIFF_MAX_BYTES as u64 => Before::Other,
        Ok(_) => fs::read_to_string(path).map_or(Before::Other, Before::Text),
    }
}

/// For the user; `None` where it would be too large or no text.
pub fn difference(path: &Path, old: Before, new: &str) -> Option<Diff> {
    let old = match old {
        Before::Nothing => None,
        Before::Text(old) => Some(old),
        Before::Other => return None,
    };
    if old.as_ref().map_or(0, String::len) + new.len() > DIFF_MAX_BYTES {
        return None;
    }
    Some(Diff { path: path.to_string_lossy().into_owned(), old, new: new.to_owned() })
}

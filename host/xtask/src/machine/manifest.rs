//! `machine.json`: what the built image is, for whoever starts it, ships it or reports about it.
//!
//! ```json
//! { "kernel": { "file": "Image", "version": "6.12.117-1", "bytes": 1, "sha256": "…" },
//!   "roots": [ { "variant": "base", "file": "root.erofs", "packages": 110, "bytes": 1, "sha256": "…" } ] }
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process;
use crate::stamp::remove;

/// A file of the image.
pub struct Part {
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A root and what it is called.
pub struct Root {
    pub variant: &'static str,
    pub packages: usize,
    pub part: Part,
}

impl Part {
    pub fn of(path: &Path) -> Result<Self> {
        let bytes = fs::metadata(path).with_context(|| format!("no {}", path.display()))?.len();
        let said = process::output(process::command("sha256sum").arg(path), "install coreutils")?;
        let sha256 = said.split_whitespace().next().context("sha256sum said nothing")?.to_owned();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { file, bytes, sha256 })
    }
}

/// Writes it at once, so that nobody reads half of it.
pub fn write(path: &Path, version: &str, kernel: &Part, roots: &[Root]) -> Result<()> {
    let partial = path.with_extension("partial");
    remove(&partial)?;
    fs::write(&partial, render(version, kernel, roots)?)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, path).with_context(|| format!("cannot rename to {}", path.display()))
}

/// None of the texts needs escaping: versions, digests and our own file names.
fn render(version: &str, kernel: &Part, roots: &[Root]) -> Result<String> {
    let mut text = String::from("{\n");
    writeln!(text, "  \"kernel\": {{ \"version\": \"{version}\", {} }},", part(kernel))?;
    text += "  \"roots\": [\n";
    for (at, root) in roots.iter().enumerate() {
        let Root { variant, packages, part: root } = root;
        let comma = if at + 1 < roots.len() { "," } else { "" };
        let part = part(root);
        writeln!(
            text,
            "    {{ \"variant\": \"{variant}\", \"packages\": {packages}, {part} }}{comma}"
        )?;
    }
    text += "  ]\n}\n";
    Ok(text)
}

fn part(part: &Part) -> String {
    let Part { file, bytes, sha256 } = part;
    format!("\"file\": \"{file}\", \"bytes\": {bytes}, \"sha256\": \"{sha256}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_kernel_and_roots() {
        let part = |file: &str| Part { file: file.to_owned(), bytes: 7, sha256: "ab".to_owned() };
        let roots = [
            Root { variant: "base", packages: 2, part: part("root.erofs") },
            Root { variant: "full", packages: 3, part: part("root-full.erofs") },
        ];
        let expected = r#"{
  "kernel": { "version": "6.12-1", "file": "Image", "bytes": 7, "sha256": "ab" },
  "roots": [
    { "variant": "base", "packages": 2, "file": "root.erofs", "bytes": 7, "sha256": "ab" },
    { "variant": "full", "packages": 3, "file": "root-full.erofs", "bytes": 7, "sha256": "ab" }
  ]
}
"#;
        assert_eq!(render("6.12-1", &part("Image"), &roots).unwrap(), expected);
    }
}

//! Rust: cargo, for the target whose output is a component.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::run;
use super::{BuildError, COMPONENT_MAX_BYTES, Options};
use crate::files;

/// With rustc's own linker driver the output is a component.
const TARGET: &str = "wasm32-wasip2";
const INSTALL: &str = "install Rust from https://rustup.rs, then `rustup target add wasm32-wasip2`";
const FIX: &str = "read the compiler's message above";
const FIX_TARGET: &str =
    "the compiler has no standard library for components: `rustup target add wasm32-wasip2`";

pub fn build(folder: &Path, options: &Options, note: &dyn Fn(&str)) -> Result<Vec<u8>, BuildError> {
    note("cargo build --release --target wasm32-wasip2");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics", "--config"])
        .arg(format!("target.{TARGET}.rustflags=[{}]", flags(folder, options)))
        .current_dir(folder)
        // Flags for programs of this machine are none for a component.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if options.locked {
        cargo.arg("--locked");
    }
    let messages = run(&mut cargo, INSTALL, FIX).map_err(|error| match error {
        BuildError::Failed { tool, status, .. } => {
            let fix = if has_target() { FIX } else { FIX_TARGET };
            // What cargo printed on stdout is for programs.
            BuildError::Failed { tool, status, fix: fix.into(), output: String::new() }
        }
        other => other,
    })?;
    let made = artifact(&messages, folder).ok_or(BuildError::Nothing(
        "the package needs `[lib] crate-type = [\"cdylib\"]` in Cargo.toml",
    ))?;
    Ok(files::read(&made, COMPONENT_MAX_BYTES)?)
}

/// Paths of this machine are kept out of the component: with the same toolchain its bytes are the
/// same everywhere.
fn flags(folder: &Path, options: &Options) -> String {
    let remap = |path: &Path, to: &str| {
        let flag = format!("--remap-path-prefix={}={to}", path.display());
        Value::String(flag).to_string() // a JSON string is a TOML string
    };
    let mut flags = vec![remap(folder, ".")];
    flags.extend(options.cargo_home.as_deref().map(|home| remap(home, "cargo")));
    flags.join(", ")
}

/// The component among cargo's messages: that of the package in `folder`.
fn artifact(messages: &str, folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let same = |path: &str| {
        let path = Path::new(path);
        path == manifest || path.canonicalize().ok() == manifest.canonicalize().ok()
    };
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["manifest_path"].as_str().is_some_and(same))
        .filter_map(|message| {
            let files = message["filenames"].as_array()?.clone();
            files.iter().filter_map(Value::as_str).find(|f| f.ends_with(".wasm")).map(PathBuf::from)
        })
        .next_back()
}

/// Whether the compiler that is on the path brings what components need.
fn has_target() -> bool {
    let asked =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    asked.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_that_of_the_project() {
        let line = |manifest: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","filenames":["{file}"]}}"#
            )
        };
        let messages = [
            "Compiling".to_owned(),
            line("/elsewhere/Cargo.toml", "/t/other.wasm"),
            line("/p/Cargo.toml", "/t/libbuild.rlib"),
            line("/p/Cargo.toml", "/t/harness.wasm"),
        ]
        .join("\n");
        assert_eq!(artifact(&messages, Path::new("/p")), Some("/t/harness.wasm".into()));
        assert_eq!(artifact("", Path::new("/p")), None);
    }

    #[test]
    fn paths_are_written_as_toml() {
        let options = Options { cargo_home: Some("/c".into()), locked: false };
        assert_eq!(
            flags(Path::new("/a \"b\""), &options),
            r#""--remap-path-prefix=/a \"b\"=.", "--remap-path-prefix=/c=cargo""#
        );
    }
}

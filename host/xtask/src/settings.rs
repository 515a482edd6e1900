//! Where things live and which knobs are set: read from the environment once, by `main`.
//!
//! Every other module takes `Settings`; none of them reads the environment for a knob.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `XPRESSCLAW_CACHE` | folder for everything that is built or downloaded | `$XDG_CACHE_HOME/xpressclaw`, `~/.cache/xpressclaw` |
//! | `CARGO_TARGET_DIR` | cargo's target directory | `<cache>/target` |
//! | `XPRESSCLAW_GUEST_TOOLCHAIN` | comma-separated ways to get the guests' std, tried in this order | all, see `guest::mode` |
//! | `XPRESSCLAW_OFFLINE`, `CARGO_NET_OFFLINE` | `1` or `true`: do not ask rustup's server | unset |

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::guest::mode::{self, Mode};

/// Whether rustup's server may be asked for anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    Allowed,
    Offline,
}

/// How the host is built: quickly, to work on it, or as users get it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    Development,
    /// What benchmarks measure.
    Release,
}

pub struct Settings {
    /// The clone.
    pub root: PathBuf,
    /// Everything built or downloaded; never inside the clone.
    pub cache: PathBuf,
    /// Cargo's target directory for hosts and guests alike.
    pub target: PathBuf,
    /// Ways to get a std for the guests' target, in the order to try them.
    pub guest_modes: Vec<Mode>,
    pub network: Network,
}

impl Settings {
    pub fn from_env() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .ancestors()
            .nth(2)
            .context("xtask must stand in host/xtask of the clone")?
            .to_path_buf();
        let cache = cache_dir(|name| env::var_os(name).map(PathBuf::from))
            .context("no cache folder: set XPRESSCLAW_CACHE to a folder outside the clone")?;
        let cache = std::path::absolute(&cache)
            .with_context(|| format!("XPRESSCLAW_CACHE={}", cache.display()))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) if !dir.is_empty() => std::path::absolute(dir)?,
            _ => cache.join("target"),
        };
        let guest_modes = mode::parse(env::var("XPRESSCLAW_GUEST_TOOLCHAIN").ok().as_deref())?;
        let offline = ["XPRESSCLAW_OFFLINE", "CARGO_NET_OFFLINE"]
            .iter()
            .any(|name| matches!(env::var(name).as_deref(), Ok("1" | "true")));
        let network = if offline { Network::Offline } else { Network::Allowed };
        Ok(Self { root, cache, target, guest_modes, network })
    }

    /// The finished guests, `<name>.wasm`.
    pub fn components(&self) -> PathBuf {
        self.cache.join("components")
    }

    /// The finished guests that exist for tests only; beside the others, but not among them.
    pub fn test_guests(&self) -> PathBuf {
        self.components().join("tests")
    }

    /// The local models, `<name>.gguf`.
    pub fn models(&self) -> PathBuf {
        self.cache.join("models")
    }

    /// The machine's image, and what it is made from.
    pub fn machine(&self) -> PathBuf {
        self.cache.join("machine")
    }

    /// The contract every guest is built against.
    pub fn wit(&self) -> PathBuf {
        self.root.join("wit")
    }

    /// The lock file that serialises everybody who brings `name` up to date.
    pub fn lock(&self, name: &str) -> PathBuf {
        self.cache.join("locks").join(format!("{name}.lock"))
    }

    /// A built binary of the host workspace.
    pub fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        let folder = match profile {
            Profile::Development => "debug",
            Profile::Release => "release",
        };
        self.target.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

fn cache_dir(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| var(name).filter(|path| !path.as_os_str().is_empty());
    set("XPRESSCLAW_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("xpressclaw")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/xpressclaw")))
        .or_else(|| set("LOCALAPPDATA").map(|dir| dir.join("xpressclaw")))
}

/// `path` as text for a command line or a variable that takes text only.
pub fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| {
        format!("{} is not UTF-8: set XPRESSCLAW_CACHE to a path that is", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(set: &[(&str, &str)], expected: Option<&str>) {
        let found = cache_dir(|name| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
        });
        assert_eq!(found, expected.map(PathBuf::from), "{set:?}");
    }

    #[test]
    fn the_most_specific_variable_names_the_cache() {
        let home = ("HOME", "/h");
        let xdg = ("XDG_CACHE_HOME", "/x");
        check(&[home, xdg, ("XPRESSCLAW_CACHE", "/own")], Some("/own"));
        check(&[home, xdg, ("XPRESSCLAW_CACHE", "")], Some("/x/xpressclaw"));
        check(&[home], Some("/h/.cache/xpressclaw"));
        check(&[("LOCALAPPDATA", "/l")], Some("/l/xpressclaw"));
        check(&[], None);
    }
}

//! Why a component cannot be run as a harness: each refusal names the interface and the fix.
//!
//! wasmtime says what differs; which interface it is, and whether another version, another world or
//! another contract is the cause, is told from the component's own surface.

use std::path::PathBuf;

use compose::ComposeError;
use engine::{Digest, LoadError};
use semver::Version;
use verbs::CONTRACT;

#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "{} was changed after it was verified: it has the SHA-256 {found} and not {expected}; pull it again",
        path.display()
    )]
    Altered { path: PathBuf, expected: Digest, found: Digest },
    #[error("its middleware cannot be put before it")]
    Compose(#[source] ComposeError),
    #[error(
        "it imports `{interface}`, which this host does not offer; build it against the contract {CONTRACT} (world `harness`), or take the import out"
    )]
    Stranger { interface: String, source: wasmtime::Error },
    #[error(
        "it uses `{interface}`, of an older contract than this host's {offered}; build it against the contract {CONTRACT}"
    )]
    Older { interface: String, offered: String, source: wasmtime::Error },
    #[error(
        "it uses `{interface}`, of a newer contract than this host's {offered}; update xpressclaw, or build it against the contract {CONTRACT}"
    )]
    Newer { interface: String, offered: String, source: wasmtime::Error },
    #[error(
        "it uses `{interface}` with other types than the contract {CONTRACT} has; build it again from the contract's WIT"
    )]
    Signature { interface: String, source: wasmtime::Error },
    #[error(
        "it imports what this host does not offer; build it against the contract {CONTRACT} (`xpressclaw:harness`), or update xpressclaw"
    )]
    Import(#[source] wasmtime::Error),
    #[error(
        "it is middleware: it exports `{interface}`; name it under an agent's `middleware:` in xpressclaw.yaml, beside the harness that it is for"
    )]
    Middleware { interface: String, source: wasmtime::Error },
    #[error(
        "it is no harness: it exports neither `xpressclaw:harness/agent@{CONTRACT}` nor `agent-sync@{CONTRACT}`; build it for the world `harness` or `harness-sync`"
    )]
    World(#[source] wasmtime::Error),
}

/// The line of WASI that is linked.
const WASI: Version = Version::new(0, 2, 12);

/// Why the imports could not be linked.
pub(crate) fn import_refusal(imports: &[String], source: wasmtime::Error) -> HarnessError {
    let text = format!("{source:#}");
    // The linker's message puts the name into quotes of this kind.
    let Some(name) = imports.iter().find(|name| text.contains(&format!("`{name}`"))) else {
        return HarnessError::Import(source);
    };
    let interface = name.clone();
    let (own, version) = match parts(name) {
        Some((interface, version)) if interface.starts_with("xpressclaw:") => {
            (Version::parse(CONTRACT).ok(), version)
        }
        Some((interface, version)) if interface.starts_with("wasi:") => (Some(WASI), version),
        _ => return HarnessError::Stranger { interface, source },
    };
    let Some(own) = own else { return HarnessError::Stranger { interface, source } };
    match other_line(&own, version, interface, source) {
        Ok(refusal) => refusal,
        Err((interface, source)) if is_missing(&text) => {
            HarnessError::Stranger { interface, source }
        }
        Err((interface, source)) => HarnessError::Signature { interface, source },
    }
}

/// Why the exports are not a harness's: `agent` as the asynchronous world has it, `sync` as the
/// other one.
pub(crate) fn export_refusal(
    exports: &[String],
    agent: wasmtime::Error,
    sync: wasmtime::Error,
) -> HarnessError {
    for name in exports {
        let Some((interface, version)) = parts(name) else { continue };
        let source = match interface {
            "xpressclaw:harness/agent" => agent,
            "xpressclaw:harness/agent-sync" => sync,
            "xpressclaw:llm/chat" | "xpressclaw:tools/tools" => {
                return HarnessError::Middleware { interface: name.clone(), source: agent };
            }
            _ => continue,
        };
        let Ok(own) = Version::parse(CONTRACT) else { return HarnessError::World(source) };
        return match other_line(&own, version, name.clone(), source) {
            Ok(refusal) => refusal,
            Err((interface, source)) => HarnessError::Signature { interface, source },
        };
    }
    HarnessError::World(agent)
}

/// The refusal of a version that is not compatible with `own`; what was given otherwise.
fn other_line(
    own: &Version,
    version: Version,
    interface: String,
    source: wasmtime::Error,
) -> Result<HarnessError, (String, wasmtime::Error)> {
    let line = |v: &Version| {
        if v.major > 0 {
            (v.major, 0, 0)
        } else {
            (0, v.minor, if v.minor > 0 { 0 } else { v.patch })
        }
    };
    if line(own) == line(&version) {
        return Err((interface, source));
    }
    let offered = own.to_string();
    Ok(match version < *own {
        true => HarnessError::Older { interface, offered, source },
        false => HarnessError::Newer { interface, offered, source },
    })
}

/// Whether the linker has nothing at all under the name, rather than something else.
fn is_missing(text: &str) -> bool {
    text.contains("found nothing")
}

/// An interface's name and its version.
fn parts(name: &str) -> Option<(&str, Version)> {
    let (interface, version) = name.split_once('@')?;
    Some((interface, Version::parse(version).ok()?))
}

//! The contract report: a component held against what this host links and runs, line by line, each
//! line that is wrong with its fix. Called by `harness check` and after `harness build`.
//!
//! Nothing is run or compiled: types are compared. What a report calls good the host links; whether
//! it behaves is for [`crate::suite`].

mod names;
mod target;

use serde::Serialize;
use wac_types::{Package, Types, WorldId};

use crate::build::COMPONENT_MAX_BYTES;
use crate::metadata::{self, MetadataError};
use crate::wit::WitError;
use names::Standing;
use target::Targets;
pub use target::WORLDS;

/// Above this a component is worth a second look: an interpreter with its library has 20 MB.
const LARGE_BYTES: u64 = 40 << 20;

/// What is to be thought of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// It runs, and could be better.
    Note,
    Wrong,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub verdict: Verdict,
    /// `import`, `export`, `size` or `section`.
    pub what: &'static str,
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The world that the component is built for, by its exports.
    pub world: Option<&'static str>,
    pub size_bytes: u64,
    pub lines: Vec<Line>,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.lines.iter().all(|line| line.verdict != Verdict::Wrong)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Wit(#[from] WitError),
}

/// Holds a component against the contract that this program carries.
pub fn check(component: &[u8]) -> Result<Report, CheckError> {
    let mut report =
        Report { world: None, size_bytes: component.len() as u64, lines: vec![size(component)] };
    if let Some(line) = form(component) {
        report.lines.push(line);
        return Ok(report);
    }
    let mut types = Types::default();
    let package = match Package::from_bytes("component", None, component, &mut types) {
        Ok(package) => package,
        Err(error) => {
            let problem = format!("its types cannot be read: {error:#}");
            let fix =
                "build it with tools of the present component model: see docs/harness-guide.md";
            report.lines.push(wrong("export", "component".into(), problem, fix));
            return Ok(report);
        }
    };
    let targets = Targets::new(&mut types)?;
    report.world = targets.world_of(&types, package.ty());
    surface(&types, package.ty(), &targets, &mut report);
    report.lines.push(section(component));
    Ok(report)
}

/// The lines of imports and exports.
fn surface(types: &Types, component: WorldId, targets: &Targets, report: &mut Report) {
    let world = report.world.unwrap_or(WORLDS[0]);
    let (strangers, mut mismatches) = targets.differences(types, component, world);
    for (name, _) in &types[component].imports {
        let mismatch = mismatches.remove(name.as_str());
        let is_stranger = strangers.contains(name.as_str());
        let (standing, offered) = names::standing(name, targets.offered());
        report.lines.push(match (standing, mismatch) {
            (_, Some(why)) => wrong("import", name.clone(), format!("it has other types than the contract: {why}"), "build the component again from the WIT of this host: `xpressclaw harness wit --out wit`"),
            (Standing::Offered | Standing::Compatible, None) if !is_stranger || standing == Standing::Compatible => good("import", name.clone()),
            (Standing::Older, None) => wrong("import", name.clone(), format!("it is of an older contract; this host offers {offered}"), "build the component again from the WIT of this host: `xpressclaw harness wit --out wit`"),
            (Standing::Newer, None) => wrong("import", name.clone(), format!("it is of a newer contract; this host offers {offered}"), "update xpressclaw, or build the component from the WIT of this host: `xpressclaw harness wit --out wit`"),
            (_, None) => wrong("import", name.clone(), "this host does not offer it".into(), "take the import out: what a harness may import is in wit/worlds.wit, and WASI 0.2"),
        });
    }
    for (name, _) in &types[component].exports {
        let mismatch = mismatches.remove(name.as_str());
        report.lines.push(match mismatch {
            Some(why) => wrong("export", name.clone(), format!("it has other types than the contract: {why}"), "build the component again from the WIT of this host: `xpressclaw harness wit --out wit`"),
            None if targets.is_demanded(types, name, world) => good("export", name.clone()),
            None => note("export", name.clone(), "the host does not call it".into(), "leave it out, unless something else needs it"),
        });
    }
    if report.world.is_none() {
        let near = types[component].exports.keys().find(|name| names::is_agent(name));
        let (problem, fix) = match near {
            Some(name) => (
                format!("it exports `{name}`, which is of another contract"),
                "build the component again from the WIT of this host: `xpressclaw harness wit --out wit`",
            ),
            None => (
                "it exports no interface that the host can run".to_owned(),
                "build it for the world `harness` or `harness-sync`, which export `agent` and `agent-sync`",
            ),
        };
        report.lines.push(wrong(
            "export",
            format!("xpressclaw:harness/agent@{}", targets.contract()),
            problem,
            fix,
        ));
    }
}

fn size(component: &[u8]) -> Line {
    let bytes = component.len() as u64;
    let subject = format!("{bytes} bytes");
    if bytes > COMPONENT_MAX_BYTES {
        let problem = format!("the engine loads at most {COMPONENT_MAX_BYTES} bytes");
        return wrong("size", subject, problem, "leave out what the harness does not use");
    }
    if bytes > LARGE_BYTES {
        return note(
            "size",
            subject,
            "it is large: everyone who pulls it waits for it, and compiling it takes long".into(),
            "strip debug information (`strip = true` in Cargo.toml), leave unused packages out",
        );
    }
    good("size", subject)
}

/// The line of a file that is no component at all.
fn form(component: &[u8]) -> Option<Line> {
    let (problem, fix) = match metadata::read(component) {
        Ok(_) | Err(MetadataError::Section(_)) => return None,
        Err(MetadataError::Core) => (
            "it is a core module, not a component".to_owned(),
            "build for a component target (`wasm32-wasip2`), or `wasm-tools component new` it",
        ),
        Err(error @ MetadataError::Malformed(_)) => (
            format!(
                "{error}: {}",
                std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)
            ),
            "name the .wasm file that the build made, or the project's folder",
        ),
    };
    Some(wrong("export", "component".into(), problem, fix))
}

fn section(component: &[u8]) -> Line {
    let subject = metadata::SECTION.to_owned();
    match metadata::read(component) {
        Ok(Some(_)) => good("section", subject),
        Ok(None) => note(
            "section",
            subject,
            "it does not say what it is and what it asks for".into(),
            "write harness.yaml and build with `xpressclaw harness build`",
        ),
        Err(error) => wrong(
            "section",
            subject,
            error.to_string(),
            "build it again with `xpressclaw harness build`",
        ),
    }
}

fn good(what: &'static str, subject: String) -> Line {
    Line { verdict: Verdict::Good, what, subject, problem: None, fix: None }
}

fn note(what: &'static str, subject: String, problem: String, fix: &str) -> Line {
    Line { verdict: Verdict::Note, what, subject, problem: Some(problem), fix: Some(fix.into()) }
}

fn wrong(what: &'static str, subject: String, problem: String, fix: &str) -> Line {
    Line { verdict: Verdict::Wrong, what, subject, problem: Some(problem), fix: Some(fix.into()) }
}

#[cfg(test)]
mod tests;

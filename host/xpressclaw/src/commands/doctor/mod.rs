//! `xpressclaw doctor`: what this machine has, what it lacks, and what to do about it.
//!
//! It changes nothing: a folder that a first run would make is not made here.

mod engine;
mod folders;
mod machine;
mod models;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use config::Config;

use super::open::load_config;
use super::output;
use super::table::{Align, Cell, Table};
use crate::cli::Global;
use crate::exit::Exit;
use crate::harness_path;
use crate::paths::Paths;
use crate::render::{RED, YELLOW};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// Something that some runs need is missing.
    Warn,
    /// No run can work.
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Check {
    what: &'static str,
    verdict: Verdict,
    found: String,
    hint: Option<String>,
}

impl Check {
    fn new(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { what, verdict, found: found.into(), hint: None }
    }

    fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self::new(what, Verdict::Ok, found)
    }

    fn warn(what: &'static str, found: impl Into<String>) -> Self {
        Self::new(what, Verdict::Warn, found)
    }

    fn fail(what: &'static str, found: impl Into<String>) -> Self {
        Self::new(what, Verdict::Fail, found)
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub fn run(global: &Global) -> Result<Exit> {
    let paths = Paths::resolve(global.data_dir.clone())?;
    let (config, configuration) = configuration(global);
    let mut checks = vec![configuration];
    checks.extend(folders::checks(&paths));
    checks.extend(engine::checks());
    checks.push(harnesses(&paths));
    checks.push(machine::image(&config, &paths));
    checks.push(models::local(&config, &paths));
    checks.extend(models::keys(&config));
    output::print(&as_text(&checks))?;
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

/// The configuration, for the checks that follow; an empty one where it cannot be used.
fn configuration(global: &Global) -> (Config, Check) {
    const WHAT: &str = "configuration";
    match load_config(global) {
        Ok(config) => {
            let found = match &config.file {
                Some(file) => format!("{}, {} agents", file.display(), config.agents.len()),
                None => "none, everything has its default".to_owned(),
            };
            (config, Check::ok(WHAT, found))
        }
        Err(error) => {
            let check = Check::fail(
                WHAT,
                error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": "),
            );
            (
                Config::default(),
                check.hint("correct the file; `docs/configuration.md` has every key"),
            )
        }
    }
}

fn harnesses(paths: &Paths) -> Check {
    const WHAT: &str = "harnesses";
    let found = harness_path::list(paths);
    if found.is_empty() {
        let folders = harness_path::folders(paths);
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        return Check::warn(WHAT, "none can be run by name")
            .hint(format!("put components (NAME.wasm) into {}", folders.join(" or ")));
    }
    let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
    Check::ok(WHAT, names.join(", "))
}

fn as_text(checks: &[Check]) -> String {
    let mut table = Table::new(&[("", Align::Left); 3]);
    for check in checks {
        let (name, style) = match check.verdict {
            Verdict::Ok => ("ok", Style::new().fg_color(Some(AnsiColor::Green.into()))),
            Verdict::Warn => ("warn", YELLOW),
            Verdict::Fail => ("fail", RED),
        };
        let text = match &check.hint {
            Some(hint) => format!("{}\nhint: {hint}", check.found),
            None => check.found.clone(),
        };
        table.row([Cell::styled(name, style), check.what.into(), text.into()]);
    }
    table.render()
}

//! `xpressclaw harness check`: the contract report.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kit::check::{Line, Report, Verdict};
use kit::manifest::Manifest;
use serde::Serialize;

use super::super::output;
use super::super::table::{Align, Cell, Table};
use crate::cli::{CheckArgs, Format};
use crate::exit::{Exit, Failure};
use crate::render::{CYAN, DIM, RED, YELLOW};

/// The whole as JSON, on the last line.
#[derive(Serialize)]
struct Whole {
    kind: &'static str,
    path: String,
    world: Option<&'static str>,
    size_bytes: u64,
    good: bool,
}

/// A line as JSON.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    #[serde(flatten)]
    line: &'a Line,
}

pub fn run(args: &CheckArgs) -> Result<Exit> {
    let path = component(&args.target)?;
    let bytes = kit::files::read(&path, kit::build::COMPONENT_MAX_BYTES)
        .map_err(|error| Failure::usage("there is nothing to check").because(error))?;
    let report = kit::check::check(&bytes)?;
    match args.format {
        Format::Text => output::print(&as_text(&path, &report))?,
        Format::Json => {
            let rows: Vec<_> = report.lines.iter().map(|line| Row { kind: "line", line }).collect();
            output::print_json(&rows)?;
            output::print_json(&[Whole {
                kind: "report",
                path: path.display().to_string(),
                world: report.world,
                size_bytes: report.size_bytes,
                good: report.is_good(),
            }])?;
        }
    }
    Ok(if report.is_good() { Exit::Ok } else { Exit::Failed })
}

/// The component that a path stands for: itself, or what the project there was built to.
pub fn component(target: &Path) -> Result<PathBuf, Failure> {
    if !target.is_dir() {
        return Ok(target.into());
    }
    let manifest = Manifest::read(target)
        .map_err(|error| Failure::usage("this is no project").because(error))?;
    let path = kit::build::output(target, &manifest);
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::usage(format!("{} is not built", target.display()))
        .hint(format!("run `xpressclaw harness build {}`", target.display())))
}

fn as_text(path: &Path, report: &Report) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for line in &report.lines {
        let mark = match line.verdict {
            Verdict::Good => Cell::styled("good", CYAN),
            Verdict::Note => Cell::styled("note", YELLOW),
            Verdict::Wrong => Cell::styled("wrong", RED),
        };
        let mut text = line.subject.clone();
        if let Some(problem) = &line.problem {
            text.push_str(&format!("\n{problem}"));
        }
        if let Some(fix) = &line.fix {
            text.push_str(&format!("\nfix: {fix}"));
        }
        table.row([mark, Cell::styled(line.what, DIM), text.into()]);
    }
    let world = report.world.unwrap_or("none");
    let verdict =
        if report.is_good() { "keeps the contract" } else { "does not keep the contract" };
    format!("{}\n{} {verdict} (world: {world})\n", table.render(), path.display())
}

/// What is wrong, for where a whole report would be too much.
pub fn wrong_lines(report: &Report) -> String {
    let wrong = report.lines.iter().filter(|line| line.verdict == Verdict::Wrong);
    let text = |line: &Line| {
        let (problem, fix) = (line.problem.as_deref(), line.fix.as_deref());
        format!("{}: {}; {}", line.subject, problem.unwrap_or_default(), fix.unwrap_or_default())
    };
    wrong.map(text).collect::<Vec<_>>().join("\n")
}

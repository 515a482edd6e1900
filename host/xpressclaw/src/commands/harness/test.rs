//! `xpressclaw harness test`: the conformance suite.

use std::path::Path;

use anyhow::Result;
use kit::manifest::{Manifest, ToolCall};
use kit::suite::{Options, Outcome, Report, Verdict};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::output;
use super::super::table::{Align, Cell, Table};
use super::check;
use crate::cli::{Format, TestArgs};
use crate::commands::Context;
use crate::exit::{Exit, Failure};
use crate::render::{CYAN, DIM, RED};
use crate::run::machine;

/// Sessions of a scenario run at once, and the model streams beside them.
const WORKERS: usize = 2;

/// An outcome as JSON.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// The whole as JSON, on the last line.
#[derive(Serialize)]
struct Whole {
    kind: &'static str,
    path: String,
    passed: usize,
    failed: usize,
    not_applicable: usize,
    conformant: bool,
}

pub fn run(context: &Context, args: &TestArgs) -> Result<Exit> {
    let component = check::component(&args.target)?;
    let options = options(context, args)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let format = args.format;
    let mut closed = Ok(());
    let mut note = |outcome: &Outcome| {
        if format == Format::Json && closed.is_ok() {
            closed = output::print_json(&[Row { kind: "scenario", outcome }]);
        }
    };
    let report =
        runtime.block_on(kit::suite::run(&component, &options, &mut note)).map_err(|e| {
            Failure::new(Exit::Failed, format!("{} was not tested", component.display())).because(e)
        })?;
    closed?;
    let whole = whole(&component, &report);
    match format {
        Format::Json => output::print_json(&[&whole])?,
        Format::Text => output::print(&as_text(&report, &whole))?,
    }
    Ok(if whole.conformant { Exit::Ok } else { Exit::Failed })
}

fn options(context: &Context, args: &TestArgs) -> Result<Options> {
    let of_project = match args.target.is_dir() {
        true => {
            Manifest::read(&args.target)
                .map_err(|error| Failure::usage("this is no project").because(error))?
                .test
        }
        false => kit::manifest::Test::default(),
    };
    let tool = args.tool.as_deref().map(tool).transpose()?.or(of_project.tool);
    let settings = match &args.settings {
        Some(text) => Some(object("--settings", text)?),
        None => of_project.settings,
    };
    let compiled = context.paths.compiled();
    let machine = machine::config(context, None)?;
    Ok(Options { compiled, tool, settings, machine, only: args.scenario.clone() })
}

fn tool(text: &str) -> Result<ToolCall, Failure> {
    let (name, arguments) = text.split_once('=').unwrap_or((text, "{}"));
    Ok(ToolCall { name: name.into(), arguments: object("--tool", arguments)? })
}

fn object(flag: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(text)
        .map_err(|e| Failure::usage(format!("`{flag}` takes a JSON object")).because(e))
}

fn whole(component: &Path, report: &Report) -> Whole {
    let count =
        |is: fn(&Verdict) -> bool| report.outcomes.iter().filter(|o| is(&o.verdict)).count();
    Whole {
        kind: "report",
        path: component.display().to_string(),
        passed: count(|verdict| matches!(verdict, Verdict::Passed)),
        failed: count(|verdict| matches!(verdict, Verdict::Failed { .. })),
        not_applicable: count(|verdict| matches!(verdict, Verdict::NotApplicable { .. })),
        conformant: report.is_conformant(),
    }
}

fn as_text(report: &Report, whole: &Whole) -> String {
    let mut table = Table::new(&[
        ("VERDICT", Align::Left),
        ("SCENARIO", Align::Left),
        ("MS", Align::Right),
        ("A HARNESS", Align::Left),
    ]);
    for outcome in &report.outcomes {
        let mut text = outcome.title.clone();
        let verdict = match &outcome.verdict {
            Verdict::Passed => Cell::styled("passed", CYAN),
            Verdict::Failed { problems } => {
                for problem in problems {
                    text.push_str(&format!("\n- {problem}"));
                }
                Cell::styled("FAILED", RED)
            }
            Verdict::NotApplicable { reason } => {
                text.push_str(&format!("\n- {reason}"));
                Cell::styled("not applicable", DIM)
            }
        };
        table.row([
            verdict,
            Cell::from(&outcome.scenario),
            outcome.elapsed_ms.to_string().into(),
            text.into(),
        ]);
    }
    format!(
        "{}\n{}: {} passed, {} failed, {} not applicable\n",
        table.render(),
        whole.path,
        whole.passed,
        whole.failed,
        whole.not_applicable
    )
}

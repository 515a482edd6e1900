//! `docs/cli.md`, written from the command line's own definition.
//!
//! A test renders it and compares: whoever changes a flag changes the reference with it.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::cli::Cli;
use crate::environment;
use crate::exit::Exit;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
/// Set to write the file instead of comparing it.
const UPDATE: &str = "UPDATE_EXPECTED";

const PREFACE: &str = "\
<!-- Generated from the program. Change host/xpressclaw, then run
     UPDATE_EXPECTED=1 cargo test -p xpressclaw reference -->

# Commands

Data goes to stdout, everything else to stderr. Colours are used on a terminal only.

With `--format json` commands print one object a line. Fields may be added, and lines of a new
`kind`; those that are there keep their names. Moments are milliseconds since the Unix epoch.
Money is an object: `nano_dollars` is exact, `text` is for people. Prices are for a million tokens.

A command that only lists makes nothing: where no data directory is, it prints nothing.
Text that agents or models wrote is shown without control characters.
";

/// The fields of each kind of line. That the program prints these and no others is under test in
/// `tests/cli/json.rs`.
const FIELDS: [(&str, &str); 25] = [
    ("ps", "session agent harness model state turn since cost watchers questions pid"),
    ("memory list", "agent id text tags created"),
    ("memory search", "agent id text tags created score"),
    ("memory add", "agent id change"),
    ("memory delete", "agent id change"),
    ("tasks list", TASK),
    ("tasks create", TASK),
    ("tasks update", TASK),
    (
        "budget, kind cap",
        "kind scope agent window cap settled reserved available resets_at on_exceeded \
         source",
    ),
    ("budget, kind total", "kind agent session requests usage cost overshoot"),
    (
        "budget history",
        "kind id agent session turn task requested_model model served_model usage price reserved \
         cost overshoot ending reserved_at settled_at",
    ),
    (
        "budget explain",
        "kind id agent session turn task requested_model model served_model usage price reserved \
         cost overshoot ending reserved_at settled_at items remarks",
    ),
    ("budget prices", "kind model above price source as_of url in_force"),
    ("logs", "id agent session level message at"),
    ("harness list", "name path size_bytes reference"),
    ("harness inspect", "name path size_bytes digest world asks reach imports exports"),
    ("harness push", "reference digest sent_bytes key sbom"),
    ("harness sign", "reference digest sent_bytes key"),
    ("harness pull, harness add", "reference path size_bytes proof warning change"),
    ("harness prune", "files bytes kept_bytes"),
    (
        "model list, kind model",
        "kind model provider default context_window max_output_tokens price path size_bytes problem",
    ),
    (
        "model list, kind catalogue",
        "kind model about licence parameters quantization context_window tools size_bytes \
         memory_bytes sha256 url as_of path",
    ),
    ("model pull", "model path size_bytes sha256 change"),
    ("model default", "path"),
    ("model remove", "path change"),
];
const TASK: &str = "agent id title detail status parent created updated";

fn render() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = PREFACE.to_owned();
    heading(&mut page, &root, "xpressclaw");
    section(&mut page, &root, "xpressclaw");
    page.push_str("\n# Fields in JSON\n\n`run` prints the events of [events.md](events.md), `attach` the notifications of\n[control.md](control.md#in-json), each with its method as `kind`.\n\n");
    page.push_str("| line | fields |\n|---|---|\n");
    for (line, fields) in FIELDS {
        let fields: Vec<_> = fields.split(' ').map(|field| format!("`{field}`")).collect();
        let _ = writeln!(page, "| {line} | {} |", fields.join(", "));
    }
    page.push_str("\n# Environment\n\nA flag goes before its variable.\n\n");
    page.push_str("| variable | meaning |\n|---|---|\n");
    for variable in environment::ALL {
        let _ = writeln!(page, "| `{}` | {} |", variable.name, cell(variable.meaning));
    }
    page.push_str("\n# Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in EXITS {
        let _ = writeln!(page, "| {} | {} |", exit as i32, meaning(exit));
    }
    page
}

const EXITS: [Exit; 7] = [
    Exit::Ok,
    Exit::Failed,
    Exit::Usage,
    Exit::Model,
    Exit::Budget,
    Exit::Harness,
    Exit::Cancelled,
];

/// Without a wildcard: a new code does not compile until it is described.
fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "Done.",
        Exit::Failed => "Something failed; the message says what. Also a failed check of `doctor`.",
        Exit::Usage => "Wrong usage or configuration: nothing was done.",
        Exit::Model => "The model or its provider failed.",
        Exit::Budget => "The budget is spent.",
        Exit::Harness => "The harness crashed or was stopped.",
        Exit::Cancelled => "Cancelled by the user.",
    }
}

/// One command and those below it.
fn section(page: &mut String, command: &Command, path: &str) {
    let globals = path.split(' ').count() == 1;
    let shown = |arg: &&Arg| {
        !arg.is_hide_set()
            && arg.is_global_set() == globals
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpLong | ArgAction::Version
            )
    };
    let args: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !args.is_empty() {
        page.push_str(if globals { "\nFor every command:\n\n" } else { "\n" });
        page.push_str("| argument | meaning |\n|---|---|\n");
        for arg in args {
            let _ = writeln!(page, "| {} | {} |", spelling(arg), explanation(arg));
        }
    }
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        heading(page, sub, &path);
        section(page, sub, &path);
    }
}

fn heading(page: &mut String, command: &Command, path: &str) {
    let level = "#".repeat(path.split(' ').count().min(2) + 1);
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(page, "\n{level} `{path}`\n\n{about}.\n\n```\n{usage}\n```\n");
}

fn spelling(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map_or(String::new(), ToString::to_string);
    if arg.is_positional() {
        return format!("`{name}`");
    }
    let flags =
        [arg.get_short().map(|c| format!("-{c}")), arg.get_long().map(|l| format!("--{l}"))];
    let flags: Vec<String> = flags.into_iter().flatten().collect();
    let optional = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
    let value = match (arg.get_action().takes_values(), optional) {
        (false, _) => String::new(),
        (true, true) => format!(" [{name}]"),
        (true, false) => format!(" {name}"),
    };
    format!("`{}{value}`", flags.join(", "))
}

fn explanation(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, ": {}", values.join(", "));
    }
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(text, " [default: {}]", defaults.join(", "));
    }
    cell(&text)
}

/// Text inside of a table of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
#[allow(clippy::print_stderr)]
fn the_reference_is_up_to_date() {
    let rendered = render();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(FILE, &rendered).unwrap();
        return;
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    if written == rendered {
        return;
    }
    let differs = rendered.lines().zip(written.lines()).find(|(new, old)| new != old);
    panic!(
        "docs/cli.md is stale; run `{UPDATE}=1 cargo test -p xpressclaw reference` and commit it; \
         first difference: {differs:?}"
    );
}

//! The fields of JSON lines are those of the reference, no more and no fewer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use store::log::Level;

use crate::home::{Home, NOON, pi};
use crate::hub::Hub;

const URL: &str = "https://huggingface.co/maker/model/resolve/main/small.gguf";

/// Held by `tests/e2e/tests/registry.rs`, which has one.
const NEED_A_REGISTRY: [&str; 3] = ["harness push", "harness sign", "harness pull, harness add"];

type Fields = BTreeMap<String, BTreeSet<String>>;

/// The table of `docs/cli.md`.
fn documented() -> Fields {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("# Fields in JSON").unwrap();
    let (section, _) = section.split_once("\n# ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.filter(|(line, _)| *line != "line" && !NEED_A_REGISTRY.contains(line))
        .map(|(line, fields)| {
            let fields = fields.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (line.to_owned(), fields)
        })
        .collect()
}

/// What the program prints, by the names of that table.
fn printed(home: &Home) -> Fields {
    let hub = Hub::start(b"GGUF");
    let commands: [(&str, &[&str]); 20] = [
        ("ps", &["ps"]),
        ("memory add", &["memory", "add", "a note", "--agent", "pi"]),
        ("memory list", &["memory", "list", "--agent", "pi"]),
        ("memory search", &["memory", "search", "note", "--agent", "pi"]),
        ("memory delete", &["memory", "delete", "1", "--agent", "pi"]),
        ("tasks create", &["tasks", "create", "a task", "--agent", "pi"]),
        ("tasks list", &["tasks", "list", "--agent", "pi"]),
        ("tasks update", &["tasks", "update", "1", "--title", "b", "--agent", "pi"]),
        ("budget", &["budget"]),
        ("budget history", &["budget", "history"]),
        ("budget explain", &["budget", "explain"]),
        ("budget prices", &["budget", "prices"]),
        ("logs", &["logs"]),
        ("harness list", &["harness", "list"]),
        ("harness inspect", &["harness", "inspect", "idle"]),
        ("harness prune", &["harness", "prune"]),
        ("model list", &["model", "list"]),
        ("model default", &["model", "default"]),
        ("model pull", &["model", "pull", URL, "--sha256", &hub.sha256]),
        ("model remove", &["model", "remove", "small"]),
    ];
    let mut found = Fields::new();
    for (name, args) in commands {
        let args = [args, &["--format", "json"]].concat();
        let done = home.run_with(&args, &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
        assert_eq!(done.code, 0, "{name}: {done:?}");
        let lines = done.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<_> = lines.collect();
        assert!(!lines.is_empty(), "{name}");
        for line in lines {
            let name = match line["kind"].as_str() {
                Some(kind) if ["budget", "model list"].contains(&name) => {
                    format!("{name}, kind {kind}")
                }
                _ => name.to_owned(),
            };
            let fields: BTreeSet<String> = line.as_object().unwrap().keys().cloned().collect();
            let first = found.entry(name.clone()).or_insert_with(|| fields.clone());
            assert_eq!(*first, fields, "{name}: every line has every field");
        }
    }
    found
}

#[test]
fn fields_are_those_of_the_reference() {
    let home = crate::budget::seeded();
    home.store().log().append(&pi(), None, Level::Info, "x", NOON).unwrap();
    home.file("data/harnesses/idle.wasm", wat::parse_str("(component)").unwrap());
    home.file("data/models/broken.gguf", "");
    home.configure(
        "budget: {monthly: $1, task: $1}\nproviders: {openai: {models: {one: {price: free}}}}\n",
    );
    let _running = crate::running::Running::start(&home);
    assert_eq!(printed(&home), documented());
}

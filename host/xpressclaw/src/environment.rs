//! Every environment variable that the program reads, in one table: the code reads by it, `--help`
//! shows it, `docs/cli.md` is written from it.

use std::ffi::OsString;
use std::path::PathBuf;

/// One variable.
pub struct Variable {
    pub name: &'static str,
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($ident:ident = $name:literal: $meaning:literal;)*) => {
        $(pub const $ident: Variable = Variable { name: $name, meaning: $meaning };)*
        /// All of them, for the reference.
        pub const ALL: &[&Variable] = &[$(&$ident),*];
    };
}

variables! {
    CACHE_DIR = "XPRESSCLAW_CACHE_DIR":
        "Where compiled code is kept; by default the user's cache folder.";
    CARGO_HOME = "CARGO_HOME":
        "Where cargo keeps what it downloads; `harness build` keeps that path out of components.";
    CONFIG = "XPRESSCLAW_CONFIG":
        "The configuration file; `--config` goes before it.";
    COSIGN_PASSWORD = "COSIGN_PASSWORD":
        "The password of the key that `harness sign` and `harness key` use; empty for none.";
    DATA_DIR = "XPRESSCLAW_DATA_DIR":
        "Where sessions, memory and the ledger are kept; `--data-dir` goes before it.";
    DOCKER_CONFIG = "DOCKER_CONFIG":
        "The folder of Docker's `config.json`, whose credentials and helpers are used; by default `~/.docker`.";
    GITHUB_TOKEN = "GITHUB_TOKEN":
        "A token for ghcr.io; with `write:packages` to push. Sent to no other registry.";
    HARNESS_PATH = "XPRESSCLAW_HARNESS_PATH":
        "Folders with harness components (NAME.wasm), separated like PATH.";
    LOCAL_MODEL = "XPRESSCLAW_LOCAL_MODEL":
        "The model `local`: a .gguf file, or the name of one; it goes before the configuration.";
    LOG = "XPRESSCLAW_LOG":
        "The program's own log on stderr, e.g. `debug` or `llm=trace`; `--log-level` goes before it.";
    LOG_FORMAT = "XPRESSCLAW_LOG_FORMAT":
        "`text` or `json`; `--log-format` goes before it.";
    MACHINE_PATH = "XPRESSCLAW_MACHINE_PATH":
        "The folder with the image of the machine that commands run in; by default `machine` of the data directory.";
    MODEL_MIRROR = "XPRESSCLAW_MODEL_MIRROR":
        "A server that `model pull` asks in place of https://huggingface.co; plain HTTP only on loopback.";
    MODEL_PATH = "XPRESSCLAW_MODEL_PATH":
        "Folders with local models (*.gguf), separated like PATH.";
    HTTPS_PROXY = "HTTPS_PROXY":
        "The proxy for model providers, downloads of models and MCP servers; `https_proxy` and `ALL_PROXY` likewise.";
    OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT":
        "A collector for spans, e.g. `http://localhost:4318`; by default none are made.";
    OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS":
        "Headers for the collector, `name=value,name=value`.";
    OTEL_SERVICE = "OTEL_SERVICE_NAME":
        "What this program is called at the collector; by default `xpressclaw`.";
    REGISTRY = "XPRESSCLAW_REGISTRY":
        "What short names of harnesses are short for; by default the configuration's, or `ghcr.io/xpressai/harnesses`.";
    REGISTRY_TOKEN = "XPRESSCLAW_REGISTRY_TOKEN":
        "A token, or `USER:TOKEN`, for the registry of short names. Sent to no other.";
    NO_COLOR = "NO_COLOR":
        "Set to anything: no colours.";
}

impl Variable {
    /// The value as a path.
    pub fn path(&self) -> Option<PathBuf> {
        std::env::var_os(self.name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// The value as text; what is not Unicode is no value.
    pub fn text(&self) -> Option<String> {
        std::env::var(self.name).ok().filter(|value| !value.is_empty())
    }

    /// The value as a list of folders.
    pub fn folders(&self) -> Vec<PathBuf> {
        std::env::var_os(self.name)
            .map(|value| {
                std::env::split_paths(&value).filter(|p| !p.as_os_str().is_empty()).collect()
            })
            .unwrap_or_default()
    }
}

/// The table for `--help`.
pub fn as_help() -> String {
    let width = ALL.iter().map(|variable| variable.name.len()).max().unwrap_or(0);
    let line = |v: &&Variable| format!("  {:width$}  {}", v.name, v.meaning);
    let lines: Vec<_> = ALL.iter().map(line).collect();
    format!("Environment:\n{}", lines.join("\n"))
}

/// The proxy for what the host itself asks, by the usual names.
pub fn proxy() -> Option<String> {
    [HTTPS_PROXY.name, "https_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// What an MCP server gets of the environment: what programs need to find themselves and their
/// user. No key is among it; a server's own come from its configuration.
const FOR_SERVERS: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// These of them that are set.
pub fn for_servers() -> Vec<(OsString, mcp::Value)> {
    let one =
        |name: &&str| Some((OsString::from(name), mcp::Value::new(std::env::var(name).ok()?)));
    FOR_SERVERS.iter().filter_map(one).collect()
}

//! The ways to the provider: straight, through us, and through two others, each set up as its
//! documentation recommends for production as far as that needs no database server.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tempfile::TempDir;

use super::load::closed;
use super::mock::{Mock, first_line};
use crate::process::Running;

/// LiteLLM takes half a minute to load.
const START: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Enough that it is never in the way; the ledger is asked and written all the same.
const BUDGET: &str = "$1000000";

/// Whether other gateways are measured too. Without them a run is short: for work on our own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    Beside,
    Without,
}

/// One way to the provider.
pub struct Target {
    pub name: &'static str,
    /// With `/v1`.
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub model: &'static str,
    running: Option<Running>,
    _folder: Option<TempDir>,
}

impl Target {
    /// The process to be measured; the direct way has none.
    pub fn pid(&self) -> Option<u32> {
        Some(self.running.as_ref()?.0.id())
    }
}

/// Starts them and waits until each answers. The first is the direct way.
pub fn start(mock: &Mock, peers: Peers) -> Result<Vec<Target>> {
    let direct = Target {
        name: "direct",
        url: mock.url.clone(),
        headers: Vec::new(),
        model: "m",
        running: None,
        _folder: None,
    };
    let mut targets = vec![direct, ours(mock)?];
    if peers == Peers::Beside {
        targets.extend([litellm(mock)?, portkey(mock)?]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for target in &targets {
        let until = Instant::now() + START;
        loop {
            let tried = runtime.block_on(closed(target, 1, Duration::from_millis(1)))?;
            if tried.failed == 0 {
                break;
            }
            if Instant::now() > until {
                bail!("{} does not answer: {}", target.name, tried.why.unwrap_or_default());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
    Ok(targets)
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set: run `cargo xtask bench gateway`"))
}

fn ours(mock: &Mock) -> Result<Target> {
    let binary = variable("XPRESSCLAW_BINARY")?;
    let folder = tempfile::tempdir()?;
    let configuration = folder.path().join("xpressclaw.yaml");
    let price = "price: {input: $1, output: $2}";
    fs::write(
        &configuration,
        format!(
            "providers: {{bench: {{base_url: '{}', models: {{m: {{{price}}}}}}}}}\n\
             agents: [{{name: bench, harness: echo, model: bench/m, budget: {{daily: {BUDGET}}}}}]\n",
            mock.url
        ),
    )?;
    let command = || {
        let mut command = Command::new(&binary);
        command.arg("--config").arg(&configuration);
        command.arg("--data-dir").arg(folder.path().join("data"));
        command
    };
    let minted = command().args(["token", "mint", "bench"]).output()?;
    let errors = String::from_utf8_lossy(&minted.stderr);
    ensure!(minted.status.success(), "no token was minted: {errors}");
    let token = String::from_utf8(minted.stdout)?.trim().to_owned();
    let mut serve = command();
    serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut running = spawn(&mut serve)?;
    let said = first_line(&mut running.0)?;
    let address = said.split_whitespace().find(|word| word.starts_with("http://"));
    let address = address.with_context(|| format!("no address in `{said}`"))?;
    Ok(Target {
        name: "xpressclaw",
        url: format!("{}/v1", address.trim_end_matches('/').trim_end_matches("/v1")),
        headers: vec![("authorization", format!("Bearer {token}"))],
        model: "bench/m",
        running: Some(running),
        _folder: Some(folder),
    })
}

/// `LITELLM_MODE`, a worker per core, and errors alone in the log. Its budgets need a PostgreSQL
/// server, so it does less here than we do.
fn litellm(mock: &Mock) -> Result<Target> {
    let packages = variable("XPRESSCLAW_PEER_LITELLM")?;
    let folder = tempfile::tempdir()?;
    let configuration = folder.path().join("config.yaml");
    let parameters = json!({"model": "openai/m", "api_base": mock.url, "api_key": "none"});
    let settings = json!({
        "model_list": [{"model_name": "m", "litellm_params": parameters}],
        "litellm_settings": {"set_verbose": false, "json_logs": true},
        "general_settings": {"master_key": "sk-bench"},
    });
    // JSON is YAML.
    fs::write(&configuration, settings.to_string())?;
    let port = free_port()?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new("python3");
    command
        .arg(Path::new(&packages).join("bin/litellm"))
        .arg("--config")
        .arg(&configuration)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--num_workers", &workers.to_string()])
        .env("PYTHONPATH", &packages)
        .env("LITELLM_MODE", "PRODUCTION")
        .env("LITELLM_LOG", "ERROR")
        // Its table of prices is otherwise fetched at the start.
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    quiet(&mut command, folder.path())?;
    Ok(Target {
        name: "LiteLLM",
        url: format!("http://127.0.0.1:{port}/v1"),
        headers: vec![("authorization", "Bearer sk-bench".to_owned())],
        model: "m",
        running: Some(spawn(&mut command)?),
        _folder: Some(folder),
    })
}

/// Portkey has no ledger and no keys of its own; where to is said by each request.
fn portkey(mock: &Mock) -> Result<Target> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let mut command = Command::new(variable("XPRESSCLAW_PEER_NODE")?);
    command
        .arg(variable("XPRESSCLAW_PEER_PORTKEY")?)
        .args(["--headless", &format!("--port={port}")])
        .env("NODE_ENV", "production");
    quiet(&mut command, folder.path())?;
    Ok(Target {
        name: "Portkey",
        url: format!("http://127.0.0.1:{port}/v1"),
        headers: vec![
            ("authorization", "Bearer none".to_owned()),
            ("x-portkey-provider", "openai".to_owned()),
            ("x-portkey-custom-host", mock.url.clone()),
        ],
        model: "m",
        running: Some(spawn(&mut command)?),
        _folder: Some(folder),
    })
}

fn quiet(command: &mut Command, folder: &Path) -> Result<()> {
    let log = fs::File::create(folder.join("log"))?;
    command.stdout(log.try_clone()?).stderr(log);
    Ok(())
}

fn spawn(command: &mut Command) -> Result<Running> {
    let started = command.stdin(Stdio::null()).process_group(0).spawn();
    let child = started.with_context(|| format!("cannot start {command:?}"))?;
    Ok(Running(child))
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

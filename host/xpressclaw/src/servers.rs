//! From configuration to the MCP servers that an agent has.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use config::{Agent, Config, Header, McpTransport, SecretRef, ToolRef};
use mcp::{Selection, Spec, Transport, Value};

use crate::environment;
use crate::exit::Failure;

/// What an agent's `tools` name; nothing is started. A harness without an agent has none.
pub fn servers(config: &Config, agent: Option<&Agent>) -> Result<Vec<Spec>> {
    let mut selected = BTreeMap::<&str, Selection>::new();
    for ToolRef { server, tool } in agent.map_or(&[][..], |agent| &agent.tools) {
        let entry = selected.entry(server).or_insert_with(|| Selection::Only(Vec::new()));
        match (tool, entry) {
            (None, entry) => *entry = Selection::All,
            (Some(tool), Selection::Only(tools)) => tools.push(tool.clone()),
            (Some(_), Selection::All) => {}
        }
    }
    let known = |(name, selection)| Some((config.mcp_servers.get(name)?, name, selection));
    let spec = |(server, name, selection): (&config::McpServer, &str, Selection)| {
        let transport = match &server.at {
            McpTransport::Command { command, env, cwd } => {
                let (program, args) = command.split_first().ok_or_else(|| {
                    Failure::usage(format!("`mcp_servers.{name}.command` names no program"))
                })?;
                let mut all = environment::for_servers();
                for (variable, value) in resolve(name, env)? {
                    all.retain(|(other, _)| *other != *variable);
                    all.push((variable.into(), value));
                }
                Transport::Stdio {
                    command: program.into(),
                    args: args.iter().map(OsString::from).collect(),
                    env: all,
                    cwd: cwd.clone(),
                }
            }
            McpTransport::Url { url, headers } => {
                let proxy = environment::proxy().map(Value::new);
                Transport::Http { url: url.clone(), headers: resolve(name, headers)?, proxy }
            }
        };
        Ok(Spec {
            name: name.to_owned(),
            transport,
            selection,
            start_timeout: server.start_timeout,
            timeout: server.timeout,
        })
    };
    selected.into_iter().filter_map(known).map(spec).collect()
}

fn resolve(server: &str, values: &BTreeMap<String, Header>) -> Result<Vec<(String, Value)>> {
    let one = |(name, value): (&String, &Header)| {
        let value = match value {
            Header::Text(text) => text.clone(),
            Header::Secret(reference) => secret(server, name, reference)?,
        };
        Ok((name.clone(), Value::new(value)))
    };
    values.iter().map(one).collect()
}

fn secret(server: &str, name: &str, reference: &SecretRef) -> Result<String> {
    let failed =
        |what: String| Failure::usage(format!("`{name}` of MCP server `{server}`: {what}"));
    match reference {
        SecretRef::Env(variable) => Ok(std::env::var(variable).map_err(|_| {
            failed(format!("the environment has no `{variable}`"))
                .hint(format!("export {variable}=…"))
        })?),
        SecretRef::File(path) => {
            Ok(read(path).map_err(|e| failed("its file is unusable".into()).because(e))?)
        }
    }
}

/// A secret is one line; this leaves room for the longest tokens.
const SECRET_MAX_BYTES: u64 = 64 << 10;

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(SECRET_MAX_BYTES).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

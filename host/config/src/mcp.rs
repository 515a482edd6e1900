//! `mcp_servers`: programs and addresses whose tools agents may call, outside of the sandbox.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::field::{Field, Keys};
use crate::problem::{Fault, nearest_of};
use crate::provider::{Header, collect};

/// Of an unset `start_timeout`: a package runner may have to fetch the server first.
pub const START_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// Of an unset `timeout`.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// Seconds; a longer wait is a slip.
const TIMEOUT_MAX: u64 = 3_600;
/// Leaves most of the 64 letters of a tool's offered name to the tool.
const NAME_MAX: usize = 32;

/// A server under the name that `tools` of an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    pub at: McpTransport,
    /// `start_timeout`: from its start to its list of tools, in seconds.
    pub start_timeout: Duration,
    /// `timeout`: of one call, in seconds.
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpTransport {
    Command {
        /// `command`: the program and its arguments, as a list; no shell reads it.
        command: Vec<String>,
        /// `env`: beside a few harmless variables. Secret values are references, like headers of
        /// a provider.
        env: BTreeMap<String, Header>,
        /// `cwd`: by default the folder of the file.
        cwd: PathBuf,
    },
    Url {
        /// `url`: of streamable HTTP; `https`, or `http` to this machine.
        url: String,
        /// `headers`: of each request. Secret values are references.
        headers: BTreeMap<String, Header>,
    },
}

/// One of `tools` of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRef {
    pub server: String,
    /// `None` is all of the server's.
    pub tool: Option<String>,
}

pub(crate) const KEYS: Keys = Keys {
    known: &["command", "env", "cwd", "url", "headers", "start_timeout", "timeout"],
    later: &[],
};

impl McpServer {
    pub(crate) fn read(name: &str, field: &Field<'_>) -> Option<Self> {
        let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !(1..=NAME_MAX).contains(&name.len()) || !name.bytes().all(letter) {
            let reason = format!(
                "a server's name has letters, digits, `-` and `_`, at most {NAME_MAX} of them"
            );
            field.report(Fault::Value { reason });
        }
        let table = field.table(&KEYS)?;
        let seconds = |name, default| {
            let number = table.get(name).and_then(|f| f.number(1..=TIMEOUT_MAX));
            number.map_or(default, Duration::from_secs)
        };
        let start_timeout = seconds("start_timeout", START_TIMEOUT_DEFAULT);
        let timeout = seconds("timeout", TIMEOUT_DEFAULT);
        let misplaced = |names: &[&str], with: &str| {
            for field in names.iter().filter_map(|name| table.get(name)) {
                field.report(Fault::Value { reason: format!("has no meaning beside `{with}`") });
            }
        };
        let at = match (table.get("command"), table.get("url")) {
            (Some(command), None) => {
                misplaced(&["headers"], "command");
                let words = command.list()?;
                let texts: Vec<_> =
                    words.iter().map(|word| Some(word.text()?.to_owned())).collect();
                let command_words: Option<Vec<String>> = texts.into_iter().collect();
                let words = command_words?;
                if words.is_empty() {
                    let reason = "name the program, then its arguments".to_owned();
                    command.report(Fault::Value { reason });
                }
                McpTransport::Command {
                    command: words,
                    env: collect(table.get("env").as_ref(), Header::read),
                    cwd: match table.get("cwd") {
                        Some(field) => field.path()?,
                        None => field.file.resolve("."),
                    },
                }
            }
            (None, Some(url)) => {
                misplaced(&["env", "cwd"], "url");
                McpTransport::Url {
                    url: url.parsed(server_url)?,
                    headers: collect(table.get("headers").as_ref(), Header::read),
                }
            }
            _ => {
                let reason = "needs either `command` or `url`".to_owned();
                field.report(Fault::Value { reason });
                return None;
            }
        };
        Some(Self { at, start_timeout, timeout })
    }
}

/// The URL is never repeated: it may hold a password. Plain HTTP is for this machine alone: the
/// arguments of calls cross, their results, which the model acts on, and often a key.
fn server_url(text: &str) -> Result<String, &'static str> {
    let url = match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => return Err("this is not a URL; write one like `https://example.com/mcp`"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or a password has no place here; give a key in `headers`");
    }
    let here = match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some("localhost") => true,
        Some(host) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    if url.scheme() == "http" && !here {
        return Err("plain `http` is for this machine (`localhost`, `127.0.0.1`, `[::1]`) only; \
                    write `https`, or open a tunnel, like `ssh -L 8000:localhost:8000 HOST`");
    }
    Ok(text.to_owned())
}

impl ToolRef {
    /// Reads `tools` of an agent; `servers` are all that there are.
    pub(crate) fn read_all(field: &Field<'_>, servers: &[String]) -> Vec<Self> {
        let items = field.list_or_one().unwrap_or_default();
        items.iter().filter_map(|item| Self::read(item, servers)).collect()
    }

    fn read(field: &Field<'_>, servers: &[String]) -> Option<Self> {
        let text = field.text()?;
        let (server, tool) = match text.split_once('.') {
            Some((server, tool)) => (server, Some(tool.to_owned())),
            None => (text, None),
        };
        if !servers.iter().any(|known| known == server) {
            let known: Vec<_> = servers.iter().map(String::as_str).collect();
            let reason = match nearest_of(server, &known) {
                Some(nearest) => {
                    format!("`mcp_servers` has no `{server}`; did you mean `{nearest}`?")
                }
                None => format!("`mcp_servers` has no `{server}`; add it there, or remove this"),
            };
            field.report(Fault::Value { reason });
            return None;
        }
        if tool.as_deref() == Some("") {
            let reason = format!("write `{server}` for all its tools, or `{server}.NAME` for one");
            field.report(Fault::Value { reason });
            return None;
        }
        Some(Self { server: server.to_owned(), tool })
    }
}

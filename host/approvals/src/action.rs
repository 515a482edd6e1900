//! What is about to cross the sandbox, described for rules, for a person and for the audit log.

use std::borrow::Cow;

use domain::ActionKind;
use domain::event::Call;

/// Where a guest finds its workspace. Paths below it are written relative to it, others from `/`.
pub const WORKSPACE: &str = "/workspace";

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    Read,
    Write,
}

/// One call, before it is done.
#[derive(Debug, Clone, Copy)]
pub struct Action<'a> {
    pub(crate) what: What<'a>,
    /// The harness's id for the tool call that this belongs to.
    pub(crate) call: Option<&'a str>,
    /// A harness's own question, by `permit`: the call itself is still to come.
    pub(crate) ahead: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    Verb { name: &'static str, detail: &'a str },
    Tool { name: &'a str, arguments: &'a str },
    Command { script: &'a str },
    Path { access: Access, path: &'a str },
    Host { host: &'a str, port: u16 },
    Permit(&'a Call),
}

impl<'a> Action<'a> {
    fn new(what: What<'a>, call: Option<&'a str>) -> Self {
        Self { what, call, ahead: false }
    }

    /// A verb by the name that rules know it by (see [`crate::VERBS`]); `detail` is for the user.
    pub fn verb(name: &'static str, detail: &'a str) -> Self {
        Self::new(What::Verb { name, detail }, None)
    }

    /// A tool of the host; the arguments are JSON text.
    pub fn tool(name: &'a str, arguments: &'a str, call_id: &'a str) -> Self {
        Self::new(What::Tool { name, arguments }, Some(call_id))
    }

    /// A script for the machine's shell.
    pub fn command(script: &'a str, call_id: Option<&'a str>) -> Self {
        Self::new(What::Command { script }, call_id)
    }

    /// A path as the guest sees it, absolute, without links and `..` in it: the caller has resolved
    /// them, because a rule on one name must hold for all of them.
    pub fn path(access: Access, path: &'a str) -> Self {
        Self::new(What::Path { access, path: short(path) }, None)
    }

    /// A destination in canonical form, `[::1]` in brackets.
    pub fn host(host: &'a str, port: u16) -> Self {
        Self::new(What::Host { host, port }, None)
    }

    /// A harness's own question for something that the host does not see.
    pub fn permit(call: &'a Call) -> Self {
        Self { ahead: true, ..Self::new(What::Permit(call), Some(&call.id)) }
    }

    /// The same for a call of a tool that the host does see, by the name that rules know it by.
    pub(crate) fn permit_of_tool(name: &'a str, call: &'a Call) -> Self {
        Self { ahead: true, ..Self::tool(name, &call.input, &call.id) }
    }

    pub fn kind(&self) -> ActionKind {
        match self.what {
            What::Verb { .. } => ActionKind::Verb,
            What::Tool { .. } => ActionKind::Tool,
            What::Command { .. } => ActionKind::Command,
            What::Path { access: Access::Read, .. } => ActionKind::Read,
            What::Path { access: Access::Write, .. } => ActionKind::Write,
            What::Host { .. } => ActionKind::Host,
            What::Permit(_) => ActionKind::Permit,
        }
    }

    /// What an answer for longer covers: this text and no other.
    pub fn subject(&self) -> Cow<'a, str> {
        match self.what {
            What::Verb { name, .. } => name.into(),
            What::Tool { name, .. } => name.into(),
            What::Command { script } => script.into(),
            What::Path { path, .. } => path.into(),
            What::Host { host, port } => format!("{host}:{port}").into(),
            What::Permit(call) => format!("{} {}", call.tool, call.input).into(),
        }
    }

    /// Bytes that a person would have to read.
    pub(crate) fn size(&self) -> usize {
        match self.what {
            What::Verb { name, detail } => name.len() + detail.len(),
            What::Tool { name, arguments } => name.len() + arguments.len(),
            What::Command { script } => script.len(),
            What::Path { path, .. } => path.len(),
            What::Host { host, .. } => host.len(),
            What::Permit(call) => call.title.len() + call.tool.len() + call.input.len(),
        }
    }

    /// The question to the user.
    pub(crate) fn question(&self) -> String {
        match self.what {
            What::Verb { name, detail: "" } => format!("use `{name}`?"),
            What::Verb { name, detail } => format!("use `{name}`? {detail}"),
            What::Tool { name, arguments } => format!(
                "call the tool `{name}` with {arguments}?\n\
                 (an answer for longer than once holds for this tool with any arguments)"
            ),
            What::Command { script } => format!("run this command?\n{script}"),
            What::Path { access: Access::Read, path } => format!("read `{path}`?"),
            What::Path { access: Access::Write, path } => format!("change `{path}`?"),
            What::Host { host, port } => format!("connect to {host}:{port}?"),
            What::Permit(call) => format!("{} ({}): {}", call.title, call.tool, call.input),
        }
    }
}

/// A path below the workspace, from there; any other as it is.
fn short(path: &str) -> &str {
    match path.strip_prefix(WORKSPACE) {
        Some("") | Some("/") => ".",
        Some(rest) => rest.strip_prefix('/').unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_workspace() {
        for (path, shown) in [
            ("/workspace/.env", ".env"),
            ("/workspace/a/b", "a/b"),
            ("/workspace", "."),
            ("/workspace/", "."),
            ("/workspaces/x", "/workspaces/x"),
            ("/state/x", "/state/x"),
        ] {
            assert_eq!(short(path), shown, "{path}");
        }
    }
}

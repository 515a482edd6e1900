//! The tools of one server, as they may be offered.

use rmcp::model::{PaginatedRequestParams, Tool as McpTool};
use rmcp::{Peer, RoleClient, ServiceError};
use serde_json::Value;

use crate::limits::{DESCRIPTION_MAX_BYTES, PAGES_MAX, SCHEMA_MAX_BYTES, TOOLS_MAX};
use crate::spec::Selection;

/// A tool of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// What the harness calls it by: `[a-zA-Z0-9_-]{1,64}`, unique among the agent's tools.
    pub offered: String,
    pub server: String,
    /// The server's own name for it.
    pub name: String,
    pub description: String,
    /// A JSON Schema object.
    pub parameters: String,
}

impl Tool {
    /// What rules know it by.
    pub fn subject(&self) -> String {
        format!("{}.{}", self.server, self.name)
    }
}

/// A server's list, and what was left out of it.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub tools: Vec<Tool>,
    /// One sentence each, for the user.
    pub notices: Vec<String>,
}

/// Asks page by page, up to the limits. Names are not yet unique.
pub(crate) async fn list(
    peer: &Peer<RoleClient>,
    server: &str,
    selection: &Selection,
) -> Result<List, ServiceError> {
    let mut found = Vec::new();
    let mut cursor = None;
    let mut whole = false;
    for _ in 0..PAGES_MAX {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = peer.list_tools(Some(params)).await?;
        found.extend(page.tools.into_iter().filter(|tool| selection.takes(&tool.name)));
        cursor = page.next_cursor;
        whole = cursor.is_none();
        if whole || found.len() > TOOLS_MAX {
            break;
        }
    }
    Ok(read(server, selection, found, whole))
}

fn read(server: &str, selection: &Selection, found: Vec<McpTool>, whole: bool) -> List {
    let mut list = List::default();
    if found.len() > TOOLS_MAX || !whole {
        list.notices.push(format!(
            "it lists more tools than the {TOOLS_MAX} that are offered; name those you want in `tools` of the agent"
        ));
    }
    for tool in found.into_iter().take(TOOLS_MAX) {
        if list.tools.iter().any(|other| other.name == tool.name) {
            list.notices.push(format!("it lists `{}` twice; the first is offered", shown(&tool)));
            continue;
        }
        match offer(server, &tool) {
            Ok(tool) => list.tools.push(tool),
            Err(reason) => {
                list.notices.push(format!("its tool `{}` is not offered: {reason}", shown(&tool)))
            }
        }
    }
    if let (Selection::Only(names), true) = (selection, whole) {
        let missing = |name: &&String| list.tools.iter().all(|tool| tool.name != **name);
        let missing: Vec<_> = names.iter().filter(missing).collect();
        list.notices.extend(missing.into_iter().map(|name| format!("it offers no tool `{name}`")));
    }
    list
}

fn offer(server: &str, tool: &McpTool) -> Result<Tool, String> {
    let parameters = Value::Object(tool.input_schema.as_ref().clone());
    match parameters.get("type").and_then(Value::as_str) {
        Some("object") => {}
        _ => return Err("its schema is not of an object".into()),
    }
    let parameters = parameters.to_string();
    if parameters.len() > SCHEMA_MAX_BYTES {
        return Err(format!("its schema passes {SCHEMA_MAX_BYTES} bytes"));
    }
    let description = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    Ok(Tool {
        offered: String::new(),
        server: server.to_owned(),
        name: tool.name.to_string(),
        description: cut(description, DESCRIPTION_MAX_BYTES).to_owned(),
        parameters,
    })
}

/// A name that a server made up, in a length that a person reads.
fn shown(tool: &McpTool) -> String {
    cut(&tool.name, 64).escape_default().to_string()
}

fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn tool(name: &str, schema: Value) -> McpTool {
        let Value::Object(schema) = schema else { panic!("not an object") };
        McpTool::new(name.to_owned(), "does it", Arc::new(schema))
    }

    fn names(list: &List) -> Vec<&str> {
        list.tools.iter().map(|tool| tool.name.as_str()).collect()
    }

    #[test]
    fn what_cannot_be_offered_is_left_out_and_named() {
        let found = vec![
            tool("a", json!({"type": "object"})),
            tool("a", json!({"type": "object", "properties": {}})),
            tool("b", json!({"type": "string"})),
            tool("c", json!({"type": "object", "x": "y".repeat(SCHEMA_MAX_BYTES)})),
            tool("d", json!({})),
        ];
        let list = read("s", &Selection::All, found, true);
        assert_eq!(names(&list), ["a"]);
        assert_eq!(list.tools[0].parameters, r#"{"type":"object"}"#);
        assert_eq!(list.notices.len(), 4, "{:?}", list.notices);
        assert!(list.notices[0].contains("twice"), "{:?}", list.notices);
    }

    #[test]
    fn ten_thousand_tools_are_cut() {
        let found =
            (0..10_000).map(|n| tool(&format!("t{n}"), json!({"type": "object"}))).collect();
        let list = read("s", &Selection::All, found, true);
        assert_eq!(list.tools.len(), TOOLS_MAX);
        assert!(list.notices[0].contains("more tools"), "{:?}", list.notices);
    }

    #[test]
    fn a_selected_tool_that_is_missing_is_named() {
        let only = Selection::Only(vec!["a".into(), "z".into()]);
        let list = read("s", &only, vec![tool("a", json!({"type": "object"}))], true);
        assert_eq!(names(&list), ["a"]);
        assert_eq!(list.notices, ["it offers no tool `z`"]);
    }

    #[test]
    fn a_long_description_is_cut_at_a_character() {
        let long = McpTool::new("t", "ä".repeat(DESCRIPTION_MAX_BYTES), Arc::default());
        assert_eq!(cut(long.description.as_deref().unwrap(), 3), "ä");
    }
}

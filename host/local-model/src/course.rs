//! What an answer may look like: free text, tool calls, or JSON of a schema.

use std::sync::Arc;

use domain::chat::{Request, Tool, ToolChoice};
use domain::provider::ProviderError;
use llguidance::Matcher;

use crate::grammar::Grammars;

/// Calls in one answer; a small model may repeat itself without end.
const CALLS_MAX: u32 = 16;

/// How an answer begins.
pub(crate) enum Opening {
    /// As the model likes; a call when it writes the opening marker.
    Free,
    /// With a call.
    Call,
    /// With JSON of this grammar, and then it ends; stop strings would cut it, so they do not count.
    Schema(Box<Matcher>),
}

/// The calls that are allowed.
pub(crate) struct Calls {
    /// Fresh; to be cloned for each call.
    pub grammar: Box<Matcher>,
    pub names: Arc<[String]>,
    pub max: u32,
}

pub(crate) struct Course {
    pub opening: Opening,
    pub calls: Option<Calls>,
}

impl Course {
    /// Reads the request's tools, choice and schema. `grammars` is asked for only when needed.
    pub(crate) fn new<'g>(
        request: &Request,
        grammars: impl FnOnce() -> Result<&'g Grammars, ProviderError>,
    ) -> Result<Self, ProviderError> {
        let invalid = |reason: String| ProviderError::InvalidRequest(reason);
        let named: Vec<Tool>;
        let (tools, opening, max): (&[Tool], _, _) = match &request.tool_choice {
            ToolChoice::None => (&[], Opening::Free, 0),
            ToolChoice::Auto => (&request.tools, Opening::Free, CALLS_MAX),
            ToolChoice::Required => (&request.tools, Opening::Call, CALLS_MAX),
            ToolChoice::Named(name) => {
                let tool = request.tools.iter().find(|tool| tool.name == *name);
                let tool = tool.ok_or_else(|| invalid(format!("there is no tool `{name}`")))?;
                named = vec![tool.clone()];
                (&named, Opening::Call, 1)
            }
        };
        if tools.is_empty() {
            if let Opening::Call = opening {
                return Err(invalid("a tool call is required but there are no tools".to_owned()));
            }
            let opening = match &request.output_schema {
                None => Opening::Free,
                Some(schema) => Opening::Schema(
                    grammars()?
                        .schema(schema)
                        .map_err(|e| invalid(format!("the output schema cannot be kept: {e}")))?,
                ),
            };
            return Ok(Self { opening, calls: None });
        }
        if request.output_schema.is_some() && matches!(opening, Opening::Free) {
            return Err(invalid(
                "the local model takes an output schema or optional tools, not both; set the tool \
                 choice to none or required"
                    .to_owned(),
            ));
        }
        let grammar = grammars()?.call(tools).map_err(|e| invalid(format!("tools: {e}")))?;
        let names = tools.iter().map(|tool| tool.name.clone()).collect();
        Ok(Self { opening, calls: Some(Calls { grammar, names, max }) })
    }
}

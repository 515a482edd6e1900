//! `ask_user`: a question to the user, for which the turn stands still.

use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;
use crate::xpressclaw::xclaw::ask::ask;

pub static TOOL: Tool = Tool {
    name: "ask_user",
    description: "Ask the user and wait for the answer, where a decision is theirs and the \
                  workspace does not hold it. When it is denied nobody can answer: take the safest \
                  course and say so.",
    parameters: r#"{"type":"object","properties":{"question":{"type":"string"},"choices":{"type":"array","items":{"type":"string"},"description":"The answer is then one of them"}},"required":["question"],"additionalProperties":false}"#,
    kind: Kind::Other,
    shows: "question",
    way: Way::Last(ask_user),
};

fn ask_user(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    Ok(Outcome::text(ask(args.text("question")?, &args.texts("choices")?)?))
}

//! `plan`: the steps of the work, for the user to watch.

use serde_json::Value;

use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::events;
use crate::xpressclaw::harness::types::{Kind, PlanEntry, PlanStatus};

pub static TOOL: Tool = Tool {
    name: "plan",
    description: "Show the user the whole plan of the work; it replaces the former one. One entry \
                  is in_progress at a time.",
    parameters: r#"{"type":"object","properties":{"entries":{"type":"array","items":{"type":"object","properties":{"text":{"type":"string"},"status":{"enum":["pending","in_progress","completed"]}},"required":["text","status"]}}},"required":["entries"],"additionalProperties":false}"#,
    kind: Kind::Think,
    shows: "",
    way: Way::Here(plan),
};

fn plan(args: &Args, _: &mut Here) -> Result<Outcome, Failure> {
    events::plan(args.list("entries")?.iter().map(entry).collect::<Result<_, _>>()?);
    Ok(Outcome::text("the user sees the plan"))
}

fn entry(value: &Value) -> Result<PlanEntry, Failure> {
    let wrong =
        || Failure::from("an entry needs a text and a status: pending, in_progress, completed");
    let text = value["text"].as_str().ok_or_else(wrong)?.to_owned();
    let status = match value["status"].as_str() {
        Some("pending") => PlanStatus::Pending,
        Some("in_progress") => PlanStatus::InProgress,
        Some("completed") => PlanStatus::Completed,
        _ => return Err(wrong()),
    };
    Ok(PlanEntry { text, status })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_has_a_text_and_a_status() {
        let read = entry(&json!({"text": "a", "status": "in_progress"})).unwrap();
        assert_eq!((read.text.as_str(), read.status), ("a", PlanStatus::InProgress));
        for wrong in
            [json!({}), json!("a"), json!({"text": "a"}), json!({"text": 1, "status": "pending"})]
        {
            assert!(entry(&wrong).is_err(), "{wrong}");
        }
    }
}

//! The line of the configuration that would allow an action.

use domain::ActionKind;

use crate::action::{Action, What};
use crate::rule::Rule;
use crate::rules::{Decision, Rules};

/// What an action is called in a sentence, at most so many characters of it.
const SHOWN_CHARS: usize = 120;

/// The action as a sentence's subject: `the command `git push``.
pub(crate) fn what(action: &Action<'_>) -> String {
    let subject = match action.what {
        What::Permit(call) => call.tool.clone().into(),
        _ => action.subject(),
    };
    let line = subject.lines().next().unwrap_or_default();
    let shown = match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < subject.len() => format!("{line}…"),
        None => line.to_owned(),
    };
    match action.kind() {
        ActionKind::Verb => format!("the verb `{shown}`"),
        ActionKind::Tool => format!("the tool `{shown}`"),
        ActionKind::Command => format!("the command `{shown}`"),
        ActionKind::Read => format!("reading `{shown}`"),
        ActionKind::Write => format!("changing `{shown}`"),
        ActionKind::Host => format!("connecting to `{shown}`"),
        ActionKind::Permit => format!("this call of `{shown}`"),
    }
}

/// What to change so that the action is not asked for any more. `asked` is the rule that asks.
pub(crate) fn fix(rules: &Rules, action: &Action<'_>, asked: Option<&Rule>) -> String {
    if let Some(rule) = allowing(rules, action) {
        let line = serde_json::Value::from(rule.to_string());
        return format!("add `approvals: {{allow: [{line}]}}` to xpressclaw.yaml");
    }
    match asked {
        Some(rule) => format!("remove `{rule}` from `approvals: ask` in xpressclaw.yaml"),
        None => "run it where a user can be asked".to_owned(),
    }
}

/// A rule for this very action that would win.
fn allowing(rules: &Rules, action: &Action<'_>) -> Option<Rule> {
    let subject = match action.what {
        What::Permit(call) => call.tool.clone().into(),
        _ => action.subject(),
    };
    if subject.contains('*') || subject.chars().any(char::is_control) {
        return None;
    }
    let rule: Rule = format!("{}:{subject}", action.kind()).parse().ok()?;
    let with = Rules { allow: vec![rule.clone()], ..Rules::default() }.and(rules);
    matches!(with.decide(action), Decision::Allow(Some(_))).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Access;

    #[test]
    fn the_fix_works() {
        let rules = Rules {
            ask: ["command:*", "path:.git/**", "command:git push", "host:*"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
            ..Rules::default()
        };
        for (action, expected) in [
            (Action::tool("files.read", "{}", "1"), "allow: [\"tool:files.read\"]"),
            (Action::command("echo \"x\"", None), "allow: [\"command:echo \\\"x\\\"\"]"),
            (Action::command("git push", None), "remove `command:git push` from `approvals: ask`"),
            (Action::command("a; b", None), "remove `command:*` from `approvals: ask`"),
            (Action::path(Access::Read, "/workspace/.git/x"), "[\"path(read):.git/x\"]"),
            (Action::host("[::1]", 80), "[\"host:[::1]:80\"]"),
        ] {
            let Decision::Ask(rule) = rules.decide(&action) else { panic!("{action:?}") };
            let found = fix(&rules, &action, rule);
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn long_subjects_are_shortened() {
        let script = "x".repeat(1_000);
        assert!(what(&Action::command(&script, None)).chars().count() < 150);
        assert_eq!(what(&Action::command("a\nb", None)), "the command `a…`");
    }
}

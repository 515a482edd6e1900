//! From the command line to a request. Limits are not checked here but by the host, which knows them;
//! what cannot be sent at all is.

use std::io;

use crate::request::Request;

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Action {
    Help,
    Call(Request),
}

/// Of `xclaw` without the program's name. `stdin` is read for a `-`.
///
/// # Errors
/// What is wrong, for a person.
pub fn parse(words: &[String], stdin: impl Fn() -> io::Result<String>) -> Result<Action, String> {
    let asks_help = |word: &String| matches!(word.as_str(), "--help" | "-h");
    let options = words.iter().take_while(|word| *word != "--");
    if words.first().is_some_and(|word| word == "help") || options.clone().any(asks_help) {
        return Ok(Action::Help);
    }
    let Some((verb, rest)) = words.split_first() else { return Err("no verb".into()) };
    let (name, rest) = match (verb.as_str(), rest.split_first()) {
        ("memory" | "task", Some((action, rest))) => (format!("{verb} {action}"), rest),
        ("memory" | "task", None) => return Err(format!("{verb}: what?")),
        (single, _) => (single.to_owned(), rest),
    };
    let words = &mut Words::new(&name, rest);
    let text = |word: String| match word.as_str() {
        "-" => stdin().map_err(|error| format!("cannot read standard input: {error}")),
        _ => Ok(word),
    };
    let request = match name.as_str() {
        "memory add" => {
            let tags = words.all("--tag")?;
            Request::new("memory.add")
                .with("text", text(words.next("TEXT")?)?)
                .with_list("tags", tags)
        }
        "memory search" => {
            let limit = words.limit()?;
            Request::new("memory.search")
                .with("query", words.next("QUERY")?)
                .with_some("limit", limit)
        }
        "memory list" => {
            let (before, limit) = (words.one("--before")?, words.limit()?);
            Request::new("memory.list").with_some("before", before).with_some("limit", limit)
        }
        "memory delete" => Request::new("memory.delete").with("id", words.next("ID")?),
        "task create" => {
            let detail = words.one("--detail")?.map(text).transpose()?;
            let parent = words.one("--parent")?;
            let request = Request::new("task.create").with("title", words.next("TITLE")?);
            request.with_some("detail", detail).with_some("parent", parent)
        }
        "task update" => {
            let title = words.one("--title")?;
            let detail = words.one("--detail")?.map(text).transpose()?;
            let status = words.one("--status")?;
            let request = Request::new("task.update").with("id", words.next("ID")?);
            let request = request.with_some("title", title).with_some("detail", detail);
            request.with_some("status", status)
        }
        "task status" => Request::new("task.get").with("id", words.next("ID")?),
        "task list" => {
            let (status, limit) = (words.one("--status")?, words.limit()?);
            Request::new("task.list").with_some("status", status).with_some("limit", limit)
        }
        "budget" => Request::new("budget.status"),
        "log" => {
            let level = words.next("LEVEL")?;
            let message = text(words.next("MESSAGE")?)?;
            Request::new("log.write").with("level", level).with("message", message)
        }
        "ask" => {
            let choices = words.all("--choice")?;
            let question = text(words.next("QUESTION")?)?;
            Request::new("ask").with("question", question).with_list("choices", choices)
        }
        "version" => Request::new("version.get"),
        unknown => return Err(format!("no verb `{unknown}`")),
    };
    words.end()?;
    Ok(Action::Call(request))
}

/// The words after a verb; options may stand anywhere before `--`.
struct Words {
    verb: String,
    /// With whether it may be an option.
    left: Vec<(String, bool)>,
}

impl Words {
    fn new(verb: &str, words: &[String]) -> Self {
        let mut before = true;
        let mut left = Vec::new();
        for word in words {
            if before && word == "--" {
                before = false;
            } else {
                left.push((word.clone(), before && word.len() > 1 && word.starts_with('-')));
            }
        }
        Self { verb: verb.to_owned(), left }
    }

    /// Every value of an option: `--name VALUE` or `--name=VALUE`.
    fn all(&mut self, option: &str) -> Result<Vec<String>, String> {
        let mut values = Vec::new();
        let mut at = 0;
        while let Some((word, may)) = self.left.get(at) {
            let rest = word.strip_prefix(option).filter(|_| *may);
            match rest {
                Some("") => {
                    self.left.remove(at);
                    if at == self.left.len() {
                        return Err(format!("{}: {option} needs a value", self.verb));
                    }
                    values.push(self.left.remove(at).0);
                }
                Some(rest) if rest.starts_with('=') => {
                    values.push(rest[1..].to_owned());
                    self.left.remove(at);
                }
                _ => at += 1,
            }
        }
        Ok(values)
    }

    fn one(&mut self, option: &str) -> Result<Option<String>, String> {
        let mut values = self.all(option)?;
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(format!("{}: {option} is there twice", self.verb)),
        }
    }

    fn limit(&mut self) -> Result<Option<u32>, String> {
        let limit = self.one("--limit")?;
        let number =
            |text: String| text.parse().map_err(|_| format!("--limit {text} is no number"));
        limit.map(number).transpose()
    }

    /// The next word that is no option.
    fn next(&mut self, what: &str) -> Result<String, String> {
        match self.left.first() {
            Some((word, true)) => Err(format!("{}: no option `{word}`", self.verb)),
            Some(_) => Ok(self.left.remove(0).0),
            None => Err(format!("{}: no {what}", self.verb)),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.left.first() {
            Some((word, true)) => Err(format!("{}: no option `{word}`", self.verb)),
            Some((word, false)) => Err(format!("{}: too much: `{word}`", self.verb)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(line: &[&str], expected: Result<(&str, Value), &str>) {
        let words: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        let found = parse(&words, || Ok("from stdin".into()));
        match (found, expected) {
            (Ok(Action::Call(request)), Ok((method, params))) => {
                assert_eq!(
                    (request.method, Value::Object(request.params)),
                    (method, params),
                    "{line:?}"
                );
            }
            (Err(text), Err(part)) => assert!(text.contains(part), "{line:?}: {text}"),
            (found, _) => panic!("{line:?}: {found:?}"),
        }
    }

    #[test]
    fn options_stand_anywhere_and_dashes_can_be_text() {
        let add = |params| Ok(("memory.add", params));
        check(&["memory", "add", "a"], add(json!({"text": "a"})));
        check(
            &["memory", "add", "--tag", "x", "a", "--tag=y"],
            add(json!({"text": "a", "tags": ["x", "y"]})),
        );
        check(&["memory", "add", "--", "--tag"], add(json!({"text": "--tag"})));
        check(&["memory", "add", "--tag", "-x", "a"], add(json!({"text": "a", "tags": ["-x"]})));
        check(&["memory", "add", "-"], add(json!({"text": "from stdin"})));
        check(&["memory", "add", ""], add(json!({"text": ""})));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, part) in [
            (&[][..], "no verb"),
            (&["memory"], "memory: what?"),
            (&["memory", "drop"], "no verb `memory drop`"),
            (&["memory", "add"], "no TEXT"),
            (&["memory", "add", "a", "b"], "too much: `b`"),
            (&["memory", "add", "a", "--tags", "b"], "no option `--tags`"),
            (&["memory", "add", "a", "--tag"], "needs a value"),
            (&["memory", "list", "--limit", "x"], "no number"),
            (&["memory", "list", "--limit=1", "--limit=2"], "twice"),
            (&["log", "info"], "no MESSAGE"),
            (&["budget", "now"], "too much"),
        ] {
            check(line, Err(part));
        }
    }

    #[test]
    fn help_wins() {
        for line in [&["--help"][..], &["help"], &["memory", "add", "-h"]] {
            let words: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(parse(&words, || Ok(String::new())), Ok(Action::Help), "{line:?}");
        }
    }
}

//! All rules of an agent, and what they say about an action.
//!
//! A denying rule beats all. Between asking and allowing the more specific pattern wins, the one
//! with more characters that stand for themselves; a tie asks. What no rule concerns has its kind's
//! default: tools, which run outside of the sandbox, and what only the harness sees are asked for;
//! verbs, commands (in the machine), paths (in the agent's own directories) and hosts (granted
//! already) are allowed.

use domain::ActionKind;

use crate::action::Action;
use crate::rule::Rule;

/// See the module. The default has no rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    pub allow: Vec<Rule>,
    pub ask: Vec<Rule>,
    pub deny: Vec<Rule>,
}

/// What rules say, and which one; `None` is the kind's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'r> {
    Allow(Option<&'r Rule>),
    Ask(Option<&'r Rule>),
    Deny(&'r Rule),
}

impl Rules {
    /// Both hold.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.allow.extend_from_slice(&other.allow);
        self.ask.extend_from_slice(&other.ask);
        self.deny.extend_from_slice(&other.deny);
        self
    }

    pub fn decide(&self, action: &Action<'_>) -> Decision<'_> {
        if let Some(rule) = self.deny.iter().find(|rule| rule.concerns(action)) {
            return Decision::Deny(rule);
        }
        let specific = |rule: &&Rule| rule.literals();
        let ask = self.ask.iter().filter(|rule| rule.concerns(action)).max_by_key(specific);
        let allow = self.allow.iter().filter(|rule| rule.allows(action)).max_by_key(specific);
        match (ask, allow) {
            (Some(ask), Some(allow)) if allow.literals() > ask.literals() => {
                Decision::Allow(Some(allow))
            }
            (Some(ask), _) => Decision::Ask(Some(ask)),
            (None, Some(allow)) => Decision::Allow(Some(allow)),
            (None, None) => match action.kind() {
                ActionKind::Tool | ActionKind::Permit => Decision::Ask(None),
                ActionKind::Verb
                | ActionKind::Command
                | ActionKind::Read
                | ActionKind::Write
                | ActionKind::Host => Decision::Allow(None),
            },
        }
    }

    /// Whether any rule can refuse a host or ask about one.
    pub fn concern_hosts(&self) -> bool {
        self.ask.iter().chain(&self.deny).any(Rule::is_of_hosts)
    }

    /// Whether any rule can refuse a path or ask about one.
    pub fn concern_paths(&self) -> bool {
        self.ask.iter().chain(&self.deny).any(Rule::is_of_paths)
    }
}

#[cfg(test)]
mod tests {
    use domain::event::{Call, Kind};

    use super::*;
    use crate::action::Access;

    fn rules(allow: &[&str], ask: &[&str], deny: &[&str]) -> Rules {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Rules { allow: parse(allow), ask: parse(ask), deny: parse(deny) }
    }

    /// `allow`, `ask` or `deny`, and the rule.
    fn decided(rules: &Rules, action: &Action<'_>) -> String {
        let shown = |rule: Option<&Rule>| rule.map_or("default".to_owned(), Rule::to_string);
        match rules.decide(action) {
            Decision::Allow(rule) => format!("allow {}", shown(rule)),
            Decision::Ask(rule) => format!("ask {}", shown(rule)),
            Decision::Deny(rule) => format!("deny {rule}"),
        }
    }

    #[test]
    fn without_rules_each_kind_has_its_default() {
        let call = Call {
            id: "1".into(),
            tool: "Bash".into(),
            kind: Kind::Execute,
            title: "ls".into(),
            input: "{}".into(),
            locations: Vec::new(),
        };
        for (action, expected) in [
            (Action::verb("memory.add", ""), "allow default"),
            (Action::tool("files.read", "{}", "1"), "ask default"),
            (Action::command("ls", None), "allow default"),
            (Action::path(Access::Read, "/workspace/x"), "allow default"),
            (Action::path(Access::Write, "/state/x"), "allow default"),
            (Action::host("example.com", 443), "allow default"),
            (Action::permit(&call), "ask default"),
        ] {
            assert_eq!(decided(&Rules::default(), &action), expected, "{action:?}");
        }
        let bash = rules(&["permit:Bash"], &[], &[]);
        assert_eq!(decided(&bash, &Action::permit(&call)), "allow permit:Bash");
        assert_eq!(decided(&bash, &Action::tool("Bash", "{}", "1")), "ask default");
    }

    #[test]
    fn deny_beats_all_and_the_more_specific_wins() {
        let rules = rules(
            &["tool:files.read_*", "tool:files.write_file", "tool:*.list", "verb:*"],
            &["tool:files.*", "tool:git.list", "tool:files.write_file", "verb:memory.delete"],
            &["tool:*.rm", "tool:files.read_secret"],
        );
        for (tool, expected) in [
            ("files.read_file", "allow tool:files.read_*"),
            ("files.read_secret", "deny tool:files.read_secret"),
            ("files.move", "ask tool:files.*"),
            ("files.write_file", "ask tool:files.write_file"),
            ("git.list", "ask tool:git.list"),
            ("x.list", "allow tool:*.list"),
            ("files.rm", "deny tool:*.rm"),
            ("other", "ask default"),
            ("FILES.read_file", "ask default"),
        ] {
            assert_eq!(decided(&rules, &Action::tool(tool, "{}", "1")), expected, "{tool}");
        }
        for (verb, expected) in
            [("memory.delete", "ask verb:memory.delete"), ("memory.add", "allow verb:*")]
        {
            assert_eq!(decided(&rules, &Action::verb(verb, "")), expected, "{verb}");
        }
    }

    #[test]
    fn commands() {
        let rules = rules(
            &["command:git status*", "command:cargo test"],
            &["command:*"],
            &["command:sudo *", "command:*curl *sh", "command:git push*--force*"],
        );
        for (script, expected) in [
            ("git status", "allow command:git status*"),
            ("git status --short", "allow command:git status*"),
            (" cargo test ", "allow command:cargo test"),
            ("cargo test --all", "ask command:*"),
            ("git status; rm -rf x", "ask command:*"),
            ("git status\nrm -rf x", "ask command:*"),
            ("git status $(rm -rf x)", "ask command:*"),
            ("git status > ~/.bashrc", "ask command:*"),
            ("cargo test && git status", "ask command:*"),
            ("X=1 git status", "ask command:*"),
            ("sudo ls", "deny command:sudo *"),
            ("git status; sudo ls", "deny command:sudo *"),
            ("git status;sudo\tls", "deny command:sudo *"),
            ("bash -c 'sudo ls'", "deny command:sudo *"),
            ("/usr/bin/sudo ls", "deny command:sudo *"),
            ("echo sudo ls", "ask command:*"),
            ("curl x | sh", "deny command:*curl *sh"),
            ("git status; curl -s x | bash", "deny command:*curl *sh"),
            ("git push origin --force-with-lease", "deny command:git push*--force*"),
            ("cd x && git push --force", "deny command:git push*--force*"),
        ] {
            assert_eq!(decided(&rules, &Action::command(script, None)), expected, "{script}");
        }
        let many = "a;".repeat(5_000);
        assert!(decided(&rules, &Action::command(&many, None)).starts_with("deny"));
    }

    #[test]
    fn paths() {
        let rules = rules(
            &["path:.git/config", "path(read):src/**"],
            &["path:.git/**", "path(write):src/**", "path:/state/keys"],
            &["path:**/.env", "path:/workspace/secrets/"],
        );
        for (access, path, expected) in [
            (Access::Read, "/workspace/.env", "deny path:**/.env"),
            (Access::Write, "/workspace/a/b/.env", "deny path:**/.env"),
            (Access::Read, "/workspace/a/.Env", "deny path:**/.env"),
            (Access::Read, "/state/.env", "allow default"),
            (Access::Read, "/workspace/.git/HEAD", "ask path:.git/**"),
            (Access::Write, "/workspace/.GIT/hooks/x", "ask path:.git/**"),
            (Access::Write, "/workspace/.git", "ask path:.git/**"),
            (Access::Read, "/workspace/.git/config", "allow path:.git/config"),
            (Access::Read, "/workspace/.git/CONFIG", "ask path:.git/**"),
            (Access::Read, "/workspace/src/x", "allow path(read):src/**"),
            (Access::Write, "/workspace/src/x", "ask path(write):src/**"),
            (Access::Read, "/state/keys", "ask path:/state/keys"),
            (Access::Read, "/workspace/secrets", "deny path:/workspace/secrets/"),
            (Access::Read, "/workspace/secrets/a/b", "deny path:/workspace/secrets/"),
            (Access::Read, "/workspace/secrets2", "allow default"),
        ] {
            let action = Action::path(access, path);
            assert_eq!(decided(&rules, &action), expected, "{access:?} {path}");
        }
        assert!(rules.concern_paths());
        let reading: Rules = self::rules(&["path:**"], &["tool:*"], &["host:*"]);
        assert!(!reading.concern_paths());
    }

    #[test]
    fn hosts() {
        let rules = rules(
            &["host:api.example.com:443"],
            &["host:*.example.com", "host:[::1]:8080"],
            &["host:Evil.example.com", "host:*:22"],
        );
        for (host, port, expected) in [
            ("api.example.com", 443, "allow host:api.example.com:443"),
            ("api.example.com", 8443, "ask host:*.example.com"),
            ("api.example.com", 22, "deny host:*:22"),
            ("evil.example.com", 443, "deny host:Evil.example.com"),
            ("example.com", 443, "allow default"),
            ("[::1]", 8080, "ask host:[::1]:8080"),
            ("[::1]", 80, "allow default"),
        ] {
            assert_eq!(decided(&rules, &Action::host(host, port)), expected, "{host}:{port}");
        }
    }

    #[test]
    fn lists_are_joined() {
        let system = rules(&["tool:a"], &[], &["tool:b"]);
        let agent = rules(&["tool:b", "tool:c"], &["tool:a"], &[]);
        let both = system.and(&agent);
        for (tool, expected) in
            [("a", "ask tool:a"), ("b", "deny tool:b"), ("c", "allow tool:c"), ("d", "ask default")]
        {
            assert_eq!(decided(&both, &Action::tool(tool, "{}", "1")), expected, "{tool}");
        }
    }
}

//! What an import lets a guest reach, in words. The list is in the order of concern: money and the
//! outside world first.

/// Interfaces that mean one thing to a user.
pub struct Group {
    /// Stable: it is a field name in JSON.
    pub name: &'static str,
    pub meaning: &'static str,
    /// Packages (`wasi:http`) or interfaces (`wasi:cli/exit`) without their version.
    members: &'static [&'static str],
}

pub const GROUPS: &[Group] = &[
    Group {
        name: "models",
        meaning: "models of the configuration, inside the budget; never a key",
        members: &["xpressclaw:llm"],
    },
    Group {
        name: "network",
        meaning: "the destinations that its agent is granted; without a grant none",
        members: &["wasi:http", "wasi:sockets"],
    },
    Group {
        name: "files",
        meaning: "the workspace, and a private folder of the session",
        members: &["wasi:filesystem"],
    },
    Group {
        name: "machine",
        meaning: "a shell in a sandboxed machine, where one is attached",
        members: &["xpressclaw:machine"],
    },
    Group { name: "tools", meaning: "tools that the host offers", members: &["xpressclaw:tools"] },
    Group {
        name: "memory",
        meaning: "the notes of its agent",
        members: &["xpressclaw:xclaw/memory"],
    },
    Group {
        name: "tasks",
        meaning: "the work items of its agent",
        members: &["xpressclaw:xclaw/task"],
    },
    Group {
        name: "user",
        meaning: "questions to the user, the turn's events, the log",
        members: &["xpressclaw:xclaw/ask", "xpressclaw:xclaw/log", "xpressclaw:harness"],
    },
    Group {
        name: "status",
        meaning: "its own budget, versions, waiting",
        members: &[
            "xpressclaw:base",
            "xpressclaw:xclaw/budget",
            "xpressclaw:xclaw/types",
            "xpressclaw:xclaw/version",
        ],
    },
    Group {
        name: "system",
        meaning: "clocks, random numbers, output into the log; nothing of the host's environment",
        members: &["wasi:cli", "wasi:clocks", "wasi:io", "wasi:random"],
    },
];

/// What no group holds: this host offers no such thing.
pub const UNKNOWN: Group = Group {
    name: "unknown",
    meaning: "not offered by this version of xpressclaw, so it will not start",
    members: &[],
};

/// Imports by what they reach; groups without any are left out, the unknown comes last.
pub fn grouped(imports: &[String]) -> Vec<(&'static Group, Vec<&str>)> {
    let all = GROUPS.iter().chain([&UNKNOWN]);
    all.filter_map(|group| {
        let of_group = |name: &&str| group_of(name).name == group.name;
        let names: Vec<&str> = imports.iter().map(String::as_str).filter(of_group).collect();
        (!names.is_empty()).then_some((group, names))
    })
    .collect()
}

fn group_of(import: &str) -> &'static Group {
    let interface = import.split_once('@').map_or(import, |(interface, _)| interface);
    let package = interface.split_once('/').map_or(interface, |(package, _)| package);
    let holds =
        |group: &&Group| group.members.iter().any(|member| [interface, package].contains(member));
    GROUPS.iter().find(holds).unwrap_or(&UNKNOWN)
}

/// The world of `xpressclaw:harness` that a component was built for, by what it exports.
pub fn world(exports: &[String]) -> Option<(&'static str, &'static str)> {
    const WORLDS: [(&str, &str, &str); 5] = [
        ("xpressclaw:harness/agent@", "harness", "asynchronous calls"),
        ("xpressclaw:harness/agent-sync@", "harness-sync", "plain calls"),
        ("wasi:http/incoming-handler@", "http-harness", "driven over HTTP by an adapter"),
        ("xpressclaw:llm/chat@", "llm-middleware", "stands between a harness and its models"),
        ("xpressclaw:tools/tools@", "tools-middleware", "stands between a harness and its tools"),
    ];
    let exported = |start: &str| exports.iter().any(|export| export.starts_with(start));
    let (_, name, meaning) = WORLDS.into_iter().find(|(start, ..)| exported(start))?;
    Some((name, meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every interface of the contract and of WASI is in a group, whoever adds one.
    #[test]
    fn the_contract_is_known() {
        let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/harness/worlds.wit");
        let worlds = std::fs::read_to_string(wit).unwrap();
        let imports: Vec<String> = worlds
            .lines()
            .filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'))
            .map(|name| {
                if name.contains(':') { name.into() } else { format!("xpressclaw:harness/{name}") }
            })
            .collect();
        assert!(imports.len() > 10, "{imports:?}");
        for import in &imports {
            assert_ne!(group_of(import).name, UNKNOWN.name, "{import}");
        }
    }

    #[test]
    fn imports_are_grouped_in_the_order_of_concern() {
        let imports = [
            "wasi:io/poll@0.2.12",
            "gpu:compute/x",
            "wasi:http/types@0.2.12",
            "xpressclaw:xclaw/memory@0.1.0",
            "wasi:clocks/wall-clock@0.2.12",
        ]
        .map(String::from);
        let names: Vec<_> =
            grouped(&imports).iter().map(|(group, names)| (group.name, names.len())).collect();
        assert_eq!(names, [("network", 1), ("memory", 1), ("system", 2), ("unknown", 1)]);
    }

    #[test]
    fn worlds_by_export() {
        let world = |export: &str| world(&[export.to_owned()]).map(|(name, _)| name);
        assert_eq!(world("xpressclaw:harness/agent@0.1.0"), Some("harness"));
        assert_eq!(world("xpressclaw:harness/agent-sync@0.1.0"), Some("harness-sync"));
        assert_eq!(world("wasi:http/incoming-handler@0.2.12"), Some("http-harness"));
        assert_eq!(world("wasi:cli/run@0.2.12"), None);
    }
}

//! What is run. Each script ends in an `exec`, so that the shell around it costs a fork.

use std::time::Duration;

/// Until a case is done on the slowest of the systems on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(300);

/// The row that is no script.
pub const BOOT: &str = "boot to shell";
/// The case that has a promise of its own.
pub const PYTHON: &str = "python3 -c pass";

/// What a case stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A loop of the benchmark's own.
    Loop,
    /// Programs that people use.
    Real,
}

pub struct Case {
    pub name: &'static str,
    pub kind: Kind,
    pub script: &'static str,
}

/// Once on every system, not measured: the programs, and a repository of 2,000 files whose index is up to
/// date, older than a second, so that no file has to be read again.
pub const PREPARE: &str = r"
install -m 755 /tmp/line/put /tmp/work
mkdir /tmp/repository
cd /tmp/repository
git init --quiet
for folder in {0..49}; do
    mkdir $folder
    for file in {0..39}; do echo $folder/$file >$folder/file-$file; done
done
find . -name 'file-*' -exec touch -d @1700000000 {} +
git add --all
git -c user.name=bench -c user.email=bench@localhost commit --quiet --message all
exec git status --short
";

pub const CASES: [Case; 9] = [
    Case { name: "integer", kind: Kind::Loop, script: "exec /tmp/work integer" },
    Case { name: "memory", kind: Kind::Loop, script: "exec /tmp/work memory" },
    Case { name: "floating point", kind: Kind::Loop, script: "exec /tmp/work floating" },
    Case { name: "branches", kind: Kind::Loop, script: "exec /tmp/work branches" },
    Case {
        name: "bash loop",
        kind: Kind::Real,
        script: r#"exec bash -c '
            text= sum=0
            for ((i = 0; i < 8000; i++)); do
                if ((i % 3 == 0)); then text+=x; else text=${text#x}; fi
                ((sum += ${#text} + i))
            done
            echo $sum'"#,
    },
    Case { name: PYTHON, kind: Kind::Real, script: "exec python3 -c pass" },
    Case {
        name: "python3 workload",
        kind: Kind::Real,
        script: concat!(
            "exec python3 - <<'END'\n",
            include_str!("../../guest/workload.py"),
            "END\n"
        ),
    },
    Case {
        name: "git status, 2,000 files",
        kind: Kind::Real,
        script: "cd /tmp/repository && exec git status --short",
    },
    Case { name: "node -e 0", kind: Kind::Real, script: "exec node -e 0" },
];

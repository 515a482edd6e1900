//! The environment that commands find, before what the host adds. Used wherever a program that is not
//! ours is started; nothing of the agent's own environment comes through.

use std::path::PathBuf;

/// Where a terminal is what a program talks to.
pub const TERMINAL: &str = "xterm-256color";
/// Where it is not: programs that look only at this variable shall not send escape sequences.
const NO_TERMINAL: &str = "dumb";

/// Whether a program talks to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Pipes,
    Terminal,
}

/// What differs beside a machine.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// `HOME`.
    pub home: PathBuf,
    /// `XCLAW_SOCKET`.
    pub socket: PathBuf,
}

/// Names and values. Pagers and questions of packages would wait for somebody who is not there.
pub fn base(screen: Screen, around: &Surroundings) -> Vec<(&'static str, String)> {
    let term = match screen {
        Screen::Pipes => NO_TERMINAL,
        Screen::Terminal => TERMINAL,
    };
    vec![
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
        ("HOME", around.home.display().to_string()),
        ("USER", "root".into()),
        ("LOGNAME", "root".into()),
        ("SHELL", "/bin/bash".into()),
        ("LANG", "C.UTF-8".into()),
        ("TERM", term.into()),
        ("PAGER", "cat".into()),
        ("GIT_PAGER", "cat".into()),
        ("DEBIAN_FRONTEND", "noninteractive".into()),
        ("XCLAW_SOCKET", around.socket.display().to_string()),
    ]
}

/// Why a variable of the host cannot be one, if it cannot.
pub fn fault(name: &str, value: &str) -> Option<String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Some(format!("no name of a variable: {name:?}"));
    }
    value.contains('\0').then(|| format!("the variable {name} has a NUL in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_variable_is_told() {
        for (name, value, faulty) in [
            ("A", "b", false),
            ("A", "", false),
            ("a.b", "=", false),
            ("", "b", true),
            ("A=B", "c", true),
            ("A\0", "c", true),
            ("A", "b\0", true),
        ] {
            assert_eq!(fault(name, value).is_some(), faulty, "{name:?}={value:?}");
        }
    }
}

//! What a harness may ask for, checked before anything else happens.

use bindings::machine::shell as wit;
use bindings::machine::types;
use machine_protocol::{Command, Program, Size};

/// Bytes of a script: what Linux takes as one argument, its end included.
const SCRIPT_MAX_BYTES: usize = (128 << 10) - 1;

/// Bytes of a path: Linux's `PATH_MAX`, its end included.
const CWD_MAX_BYTES: usize = 4095;

/// Bytes of a command's own environment, names and values together; the contract says so.
const ENVIRONMENT_MAX_BYTES: usize = 64 << 10;

/// The model's id of a call; those of all providers have fewer than 100 bytes.
const CALL_ID_MAX_BYTES: usize = 256;

/// The command for the machine, or what is wrong with it, for the model.
pub(crate) fn command(command: &wit::Command) -> Result<Command, String> {
    let wit::Command { script, cwd, env, timeout_ms, pty, call_id } = command;
    if !(1..=SCRIPT_MAX_BYTES).contains(&script.len()) {
        return Err(format!(
            "a script has 1 to {SCRIPT_MAX_BYTES} bytes, this one {}",
            script.len()
        ));
    }
    if script.contains('\0') {
        return Err("a script has no NUL in it".to_owned());
    }
    if let Some(cwd) = cwd {
        let long = cwd.len() > CWD_MAX_BYTES;
        if !cwd.starts_with('/') || cwd.contains('\0') || long {
            return Err(format!(
                "`cwd` is an absolute path of at most {CWD_MAX_BYTES} bytes, or left out for the workspace"
            ));
        }
    }
    let bytes: usize = env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > ENVIRONMENT_MAX_BYTES {
        return Err(format!("`env` has at most {ENVIRONMENT_MAX_BYTES} bytes together"));
    }
    for (name, value) in env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err("a variable has a name without `=`, and no NUL in it".to_owned());
        }
    }
    if call_id.as_ref().is_some_and(|id| id.len() > CALL_ID_MAX_BYTES) {
        return Err(format!("`call-id` has at most {CALL_ID_MAX_BYTES} bytes"));
    }
    Ok(Command {
        program: Program::Script(script.clone()),
        cwd: cwd.clone(),
        env: env.clone(),
        timeout_ms: *timeout_ms,
        pty: pty.map(size).transpose()?,
    })
}

/// A size for a terminal.
pub(crate) fn size(size: types::Size) -> Result<Size, String> {
    let types::Size { columns, rows } = size;
    if columns == 0 || rows == 0 {
        return Err("a terminal has at least one column and one row".to_owned());
    }
    Ok(Size { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> wit::Command {
        wit::Command {
            script: "true".into(),
            cwd: None,
            env: Vec::new(),
            timeout_ms: None,
            pty: None,
            call_id: None,
        }
    }

    #[test]
    fn what_the_contract_allows_passes_and_nothing_else() {
        let long = "x".repeat(SCRIPT_MAX_BYTES);
        let value = "v".repeat(ENVIRONMENT_MAX_BYTES - 1);
        let good = [
            plain(),
            wit::Command { script: long.clone(), ..plain() },
            wit::Command { cwd: Some("/".into()), ..plain() },
            wit::Command { env: vec![("A".into(), value.clone())], ..plain() },
            wit::Command { pty: Some(types::Size { columns: 1, rows: 1 }), ..plain() },
        ];
        for command in &good {
            assert!(super::command(command).is_ok(), "{command:?}");
        }
        let bad = [
            wit::Command { script: String::new(), ..plain() },
            wit::Command { script: long + "x", ..plain() },
            wit::Command { script: "a\0b".into(), ..plain() },
            wit::Command { cwd: Some("work".into()), ..plain() },
            wit::Command { cwd: Some("/\0".into()), ..plain() },
            wit::Command { cwd: Some(format!("/{}", "x".repeat(CWD_MAX_BYTES))), ..plain() },
            wit::Command { env: vec![("AB".into(), value)], ..plain() },
            wit::Command { env: vec![(String::new(), "1".into())], ..plain() },
            wit::Command { env: vec![("A=B".into(), "1".into())], ..plain() },
            wit::Command { env: vec![("A".into(), "\0".into())], ..plain() },
            wit::Command { pty: Some(types::Size { columns: 0, rows: 1 }), ..plain() },
            wit::Command { call_id: Some("x".repeat(CALL_ID_MAX_BYTES + 1)), ..plain() },
        ];
        for command in &bad {
            assert!(super::command(command).is_err(), "{command:?}");
        }
    }
}

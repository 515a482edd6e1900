//! Starting other programs: what runs is said on stderr, a failure names the command, its exit
//! code and the fix. Every module that starts a program does it through here.
//!
//! Nothing here writes to stdout: that belongs to the program that `xtask run` hands over to.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a bounded program is looked at; short against every time-out in use.
const POLL: Duration = Duration::from_millis(50);

/// Says on stderr what xtask does.
pub fn say(text: impl std::fmt::Display) {
    eprintln!("xtask: {text}");
}

/// A command without what `cargo run` put into xtask's own environment: the children (cargo among
/// them) must see what the user's shell gave, or build scripts look changed.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_cargo_run_variable) {
            command.env_remove(name);
        }
    }
    if let (Some(paths), Ok(exe)) = (env::var_os(LIBRARY_PATH), env::current_exe()) {
        match without_build_dirs(&paths, exe.parent()) {
            Some(rest) => command.env(LIBRARY_PATH, rest),
            None => command.env_remove(LIBRARY_PATH),
        };
    }
    command
}

/// The cargo that runs xtask, so that a `+toolchain` reaches everything it builds.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end with the child's stdout on stderr and no stdin.
pub fn run(command: &mut Command, fix: &str) -> Result<()> {
    say(render(command));
    run_unsaid(command, fix)
}

/// Like `run`, for a program that says itself what it does, and nothing when that is nothing.
pub fn run_unsaid(command: &mut Command, fix: &str) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::from(io::stderr()));
    let status = command.status().with_context(|| not_started(command, fix))?;
    check(command, status, fix)
}

/// Like `run`, but the child's stdout is xtask's.
pub fn run_inherited(command: &mut Command, fix: &str) -> Result<()> {
    say(render(command));
    let status = command.status().with_context(|| not_started(command, fix))?;
    check(command, status, fix)
}

/// The child's stdout, without saying that it runs: for questions that change nothing.
pub fn output(command: &mut Command, fix: &str) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| not_started(command, fix))?;
    check(command, out.status, fix)?;
    String::from_utf8(out.stdout).with_context(|| format!("`{}`", render(command)))
}

/// Like `run`, but kills the child when `limit` is over.
pub fn run_bounded(command: &mut Command, limit: Duration, fix: &str) -> Result<()> {
    say(format_args!("{} (at most {} s)", render(command), limit.as_secs()));
    command.stdin(Stdio::null()).stdout(Stdio::from(io::stderr()));
    let mut child = command.spawn().with_context(|| not_started(command, fix))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return check(command, status, fix);
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` took longer than {} s; fix: {fix}", render(command), limit.as_secs());
        }
        thread::sleep(POLL);
    }
}

/// Becomes `command`: terminal, signals and exit code are the program's own. Returns only on
/// failure, or, where a process cannot be replaced, not at all.
pub fn become_program(command: &mut Command, fix: &str) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(error).with_context(|| not_started(command, fix))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| not_started(command, fix))?;
        std::process::exit(status.code().unwrap_or(1))
    }
}

/// The first executable file called `name` on `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths)
        .map(|dir| dir.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}

/// `command` as one would type it.
pub fn render(command: &Command) -> String {
    let program = command.get_program();
    let name = Path::new(program).file_name().filter(|name| *name == "cargo").unwrap_or(program);
    let mut words = vec![name];
    words.extend(command.get_args());
    let words: Vec<_> = words
        .into_iter()
        .map(|word| {
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_alphanumeric() || "-_./=:+,@%~".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.into_owned()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        })
        .collect();
    words.join(" ")
}

fn not_started(command: &Command, fix: &str) -> String {
    format!("cannot start `{}`; fix: {fix}", render(command))
}

fn check(command: &Command, status: ExitStatus, fix: &str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let how = match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    };
    bail!("`{}` failed with {how}; fix: {fix}", render(command))
}

#[cfg(target_os = "macos")]
const LIBRARY_PATH: &str = "DYLD_FALLBACK_LIBRARY_PATH";
#[cfg(not(target_os = "macos"))]
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// Set by `cargo run` for the program it starts, as opposed to the user's settings for cargo.
fn is_cargo_run_variable(name: &str) -> bool {
    matches!(
        name,
        "CARGO"
            | "CARGO_MANIFEST_DIR"
            | "CARGO_MANIFEST_PATH"
            | "CARGO_BIN_NAME"
            | "CARGO_CRATE_NAME"
            | "CARGO_PRIMARY_PACKAGE"
            | "OUT_DIR"
    ) || name.starts_with("CARGO_PKG_")
}

/// `paths` without the directories that `cargo run` puts in front: those of xtask's own build and
/// those of the toolchain. `None` when nothing else is in it.
fn without_build_dirs(paths: &OsStr, exe_dir: Option<&Path>) -> Option<OsString> {
    let foreign = |path: &PathBuf| {
        let own = exe_dir.is_some_and(|dir| path.starts_with(dir));
        let toolchain = path.components().any(|part| part.as_os_str() == "toolchains");
        !own && !toolchain && !path.as_os_str().is_empty()
    };
    let rest: Vec<_> = env::split_paths(paths).filter(foreign).collect();
    if rest.is_empty() { None } else { env::join_paths(rest).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendered_commands_can_be_typed() {
        let mut command = Command::new("apt-get");
        command.args(["install", "a b", "it's", ""]);
        assert_eq!(render(&command), r"apt-get install 'a b' 'it'\''s' ''");
    }

    #[test]
    fn a_failure_names_command_code_and_fix() {
        let mut command = Command::new("cargo");
        command.arg("--no-such-flag").stderr(Stdio::null());
        let status = command.status().unwrap();
        let error = check(&command, status, "drop the flag").unwrap_err().to_string();
        assert_eq!(error, "`cargo --no-such-flag` failed with exit code 1; fix: drop the flag");
    }

    #[test]
    fn the_users_cargo_settings_stay() {
        for (name, expected) in [
            ("CARGO", true),
            ("CARGO_PKG_NAME", true),
            ("CARGO_MANIFEST_DIR", true),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_HOME", false),
            ("CARGO_NET_OFFLINE", false),
        ] {
            assert_eq!(is_cargo_run_variable(name), expected, "{name}");
        }
    }

    #[test]
    fn only_foreign_library_directories_stay() {
        let own = Path::new("/clone/target/xtask/debug");
        let check = |paths: &str, expected: Option<&str>| {
            let rest = without_build_dirs(OsStr::new(paths), Some(own));
            assert_eq!(rest, expected.map(OsString::from), "{paths}");
        };
        check("/clone/target/xtask/debug/deps:/u/toolchains/stable/lib:/opt/lib", Some("/opt/lib"));
        check("/clone/target/xtask/debug", None);
        check("", None);
    }
}

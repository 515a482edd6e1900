//! One case on both systems, one after the other.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use systems::{Computers, Images, Outcome, Shell, User, Wasm, Wire};
use tempfile::TempDir;

use crate::case::{Case, Group};
use crate::verdict::Verdict;

/// Until a case is done: the longest computes for a minute.
const LIMIT: Duration = Duration::from_secs(600);

/// Of our computer.
const MEMORY: usize = 1 << 30;

const PRELUDE: &str = include_str!("../cases/prelude.sh");
const RUN_MODULE: &str = include_str!("../cases/run-module.py");

/// Both systems, which have seen the same cases.
pub struct Pair {
    images: Images,
    computers: Computers,
    _compiled: TempDir,
    /// An archive of Python's tests.
    tests: Option<Vec<u8>>,
    shells: Option<(Shell<Wasm>, Shell<User>)>,
    /// What ours and the other have cost.
    pub cost: (Duration, Duration),
}

impl Pair {
    /// Nothing runs before the first case. `tests` is a tar archive of Python's tests of itself; cases of
    /// that group need it.
    ///
    /// # Errors
    /// An image is not what it should be.
    pub fn new(images: Images, tests: Option<&Path>) -> Result<Self> {
        let compiled = tempfile::tempdir()?;
        let computers = Computers::start(&images, compiled.path())?;
        let tests = tests.map(std::fs::read).transpose()?;
        let cost = Default::default();
        Ok(Self { images, computers, _compiled: compiled, tests, shells: None, cost })
    }

    /// Runs a case on both.
    ///
    /// # Errors
    /// A system does not start, or there are no tests of Python's for a case that is one.
    pub fn compare(&mut self, case: &Case) -> Result<Verdict> {
        let unpacked = case.group != Group::Modules || self.tests.is_some();
        ensure!(unpacked, "Python's tests of itself are wanted, and were not given");
        let (mut ours, mut user) = match self.shells.take() {
            Some(shells) => shells,
            None => self.start()?,
        };
        let script = script(&case.script);
        Ok(match (ours.run(&script, LIMIT), user.run(&script, LIMIT)) {
            (Ok(outcome), Ok(theirs)) => {
                self.cost.0 += outcome.cpu;
                self.cost.1 += theirs.cpu;
                self.shells = Some((ours, user));
                Verdict::of(case, &outcome, &theirs)
            }
            // Both start anew for the next case, so that they go on from the same state.
            (ours, theirs) => {
                let ended = [("here", ours.err()), ("in QEMU", theirs.err())];
                let ended = ended.into_iter().filter_map(|(place, error)| Some((place, error?)));
                Verdict::differs(
                    case,
                    ended.map(|(place, error)| format!("{place}: {error:#}")).collect(),
                )
            }
        })
    }

    fn start(&mut self) -> Result<(Shell<Wasm>, Shell<User>)> {
        let mut ours = Shell::start(|| Wasm::boot(&self.computers, MEMORY))?;
        let mut user = Shell::start(|| User::start(&self.images))?;
        // Our computer has no clock of its own that goes on while it is off.
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        done(&ours.run(&format!("exec date -s @{now}"), LIMIT)?)?;
        // The host's is right; cases have the same numbers on both.
        done(&user.run("exec true", LIMIT)?)?;
        if let Some(tests) = &self.tests {
            prepare(&mut ours, tests)?;
            prepare(&mut user, tests)?;
        }
        self.cost.0 += ours.started().cpu;
        Ok((ours, user))
    }
}

/// Python's tests, beside what the library has of them, and what runs them.
fn prepare(shell: &mut Shell<impl Wire>, tests: &[u8]) -> Result<()> {
    shell.put(tests, LIMIT)?;
    let unpack = format!(
        "mkdir /tmp/suite; cd /tmp/suite; cp -r /usr/lib/python3.13/test .; \
         tar -xf /tmp/line/put --strip-components=4 ./usr/lib/python3.13/test; rm /tmp/line/put
cat >run-module.py <<'END'
{RUN_MODULE}END\n"
    );
    done(&shell.run(&unpack, LIMIT)?)
}

fn done(outcome: &Outcome) -> Result<()> {
    ensure!(outcome.status == 0, "{}", String::from_utf8_lossy(&outcome.stderr));
    Ok(())
}

/// A shell of its own, which is called `case`.
fn script(text: &str) -> String {
    format!(
        "IFS= read -r -d '' text <<'END OF CASE'\n{PRELUDE}\n{text}\nEND OF CASE\nexec bash -c \"$text\" case"
    )
}

//! The conformance suite: what every harness must do, played with real sessions of this host and a
//! model that follows a script. Called by `harness test` and by the repository's tests.
//!
//! A scenario that does not concern a harness (it offers no tools, it takes no images) is reported
//! as not applicable, with the reason, never as passed. What is looked at is what crosses the
//! sandbox: requests, events, the ledger. How a harness works inside is its own business.

mod host;
mod judge;
mod play;
mod record;
mod scenario;
mod stage;
mod tool;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};
use session::MachineConfig;

use crate::manifest::ToolCall;
use host::Parts;
use scenario::{Need, Scenario};

/// How the suite is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where compiled code is kept.
    pub compiled: PathBuf,
    /// A call of one of its tools that succeeds.
    pub tool: Option<ToolCall>,
    /// The harness's settings.
    pub settings: Option<Map<String, Value>>,
    /// What commands of the harness run in; `None`: sessions without a machine.
    pub machine: Option<MachineConfig>,
    /// Only these scenarios; empty: all.
    pub only: Vec<String>,
}

/// What became of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    Failed { problems: Vec<String> },
    NotApplicable { reason: String },
}

/// One scenario's line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub scenario: String,
    pub title: String,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub elapsed_ms: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether nothing failed and something passed.
    pub fn is_conformant(&self) -> bool {
        let failed = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Failed { .. });
        let passed = |outcome: &Outcome| outcome.verdict == Verdict::Passed;
        self.outcomes.iter().any(passed) && !self.outcomes.iter().any(failed)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A fault of this program: what it carries is checked when it is built.
    #[error("the scenario `{name}` of this program cannot be read: {reason}")]
    Scenario { name: String, reason: String },
    #[error("there is no scenario `{0}`; there are {1}")]
    Unknown(String, String),
    #[error("the harness cannot be loaded; `xpressclaw harness check` says what is wrong with it")]
    Load(#[from] session::HarnessError),
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    #[error("a host for the scenario cannot be set up")]
    Host(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Names of the scenarios.
pub fn names() -> Result<Vec<String>, SuiteError> {
    Ok(scenario::all()?.into_iter().map(|scenario| scenario.name).collect())
}

/// Plays the scenarios with a component. `note` hears of each outcome as it comes.
pub async fn run(
    component: &Path,
    options: &Options,
    note: &mut (dyn FnMut(&Outcome) + Send),
) -> Result<Report, SuiteError> {
    let scenarios = selected(&options.only)?;
    let mut report = Report { outcomes: Vec::new() };
    let probe = play::probe(component, options).await?;
    for scenario in scenarios {
        let began = Instant::now();
        let verdict = match unmet(&scenario, &probe) {
            Some(verdict) => verdict,
            None => play::play(&scenario, &Parts { component, options }).await?,
        };
        let outcome = Outcome {
            scenario: scenario.name,
            title: scenario.title,
            verdict,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        note(&outcome);
        report.outcomes.push(outcome);
    }
    Ok(report)
}

fn selected(only: &[String]) -> Result<Vec<Scenario>, SuiteError> {
    let mut all = scenario::all()?;
    let known = || all.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|s| s.name == **name)) {
        return Err(SuiteError::Unknown(unknown.clone(), known()));
    }
    all.retain(|scenario| only.is_empty() || only.contains(&scenario.name));
    Ok(all)
}

/// Why a scenario is not played.
fn unmet(scenario: &Scenario, probe: &play::Probe) -> Option<Verdict> {
    for need in &scenario.needs {
        if let Some(problem) = &probe.problem {
            let problem = format!("a plain turn failed, so nobody knows what it can do: {problem}");
            return Some(Verdict::Failed { problems: vec![problem] });
        }
        let (has, reason) = match need {
            Need::Tools => (probe.tools, "it offers the model no tools"),
            Need::Images => {
                (probe.features.images, "it takes no images (`images` of its features)")
            }
            Need::Steer => (
                probe.features.steer,
                "it does not heed what is typed during a turn (`steer` of its features); it is the next prompt",
            ),
        };
        if !has {
            return Some(Verdict::NotApplicable { reason: reason.into() });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_whole() {
        let scenarios = scenario::all().unwrap();
        assert!(scenarios.len() >= 14, "{}", scenarios.len());
        for scenario in &scenarios {
            assert!(!scenario.title.is_empty() && !scenario.steps.is_empty(), "{scenario:?}");
        }
        assert!(selected(&["nonsense".into()]).unwrap_err().to_string().contains("streaming"));
    }

    #[test]
    fn a_report_without_a_pass_is_not_conformant() {
        let outcome =
            |verdict| Outcome { scenario: "s".into(), title: "t".into(), verdict, elapsed_ms: 0 };
        let skipped = || outcome(Verdict::NotApplicable { reason: "r".into() });
        let failed = || outcome(Verdict::Failed { problems: vec!["p".into()] });
        let passed = || outcome(Verdict::Passed);
        for (outcomes, expected) in [
            (vec![], false),
            (vec![skipped()], false),
            (vec![skipped(), passed()], true),
            (vec![failed(), passed()], false),
        ] {
            assert_eq!(Report { outcomes }.is_conformant(), expected);
        }
    }
}

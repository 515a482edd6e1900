//! What a scenario is: a budget, rules, and turns, each with what the model says and what must come
//! of it. Scenarios are data, `scenarios/*.yaml`; [`super::play`] plays them with a harness.

use domain::chat::Finish;
use domain::event::Stop;
use domain::{Fault, OnExceeded};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::SuiteError;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name; stable, scripts select by it.
    #[serde(skip)]
    pub name: String,
    /// What a harness must do, in one line.
    pub title: String,
    /// What a harness must have for the scenario to mean anything.
    #[serde(default)]
    pub needs: Vec<Need>,
    #[serde(default)]
    pub budget: Option<Budget>,
    /// Rules that deny, as under `approvals:`.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Sessions that play all of it at once, each with its own number in place of `$session`.
    #[serde(default = "one")]
    pub sessions: u32,
    pub steps: Vec<Step>,
}

fn one() -> u32 {
    1
}

/// Something that not every harness has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It offers tools to the model.
    Tools,
    /// It takes images.
    Images,
    /// It heeds what is typed during a turn.
    Steer,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Like `$1`.
    pub cap: String,
    pub on_exceeded: OnExceeded,
    /// What a million tokens of the model's output cost. Its input is free.
    pub output_price: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Turn(Box<Turn>),
    /// The session is closed and opened again, by a new instance.
    Reopen,
    /// All that is recorded of the session is copied; later turns say which of the two they are of.
    Fork,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub prompt: String,
    /// Besides the text the prompt holds a picture.
    #[serde(default)]
    pub image: bool,
    /// After a fork: the original is 0, the copy 1.
    #[serde(default)]
    pub of: usize,
    /// What the model answers, one answer for each request.
    pub model: Vec<Answer>,
    /// What the fallback model answers, where a budget degrades to it.
    #[serde(default)]
    pub fallback: Vec<Answer>,
    /// What happens while an answer is held.
    #[serde(default)]
    pub held: Option<Held>,
    pub expect: Expect,
}

/// One answer of the model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    #[serde(default)]
    pub text: String,
    /// The text comes so often.
    #[serde(default = "times")]
    pub times: usize,
    /// The model calls one of the harness's tools.
    #[serde(default)]
    pub call: Option<Call>,
    /// Tokens of output that it is billed for.
    #[serde(default)]
    pub output: Option<u64>,
    /// After the text the answer waits until what happens meanwhile has happened.
    #[serde(default)]
    pub hold: bool,
    /// The model refuses the request for good, and says this.
    #[serde(default)]
    pub refuse: Option<String>,
    /// How it ends, where that does not follow from the rest.
    #[serde(default)]
    pub finish: Option<Finish>,
}

fn times() -> usize {
    1
}

impl Answer {
    pub fn whole_text(&self) -> String {
        self.text.repeat(self.times)
    }
}

/// A call of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// The one of harness.yaml, or one made up from what the harness offers.
    Own,
    /// One that the harness does not have.
    Unknown,
    /// The own one with arguments that are no JSON.
    Broken,
}

/// What happens while an answer is held.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The text until there must have been shown.
    Shown,
    /// The user types this.
    Steer(String),
    Cancel,
    /// The process dies: nothing of the turn is left but what was recorded.
    Crash,
    /// All sessions are held at once.
    Together,
}

/// What must have come of a turn. What is absent may be anything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    #[serde(default)]
    pub stop: Option<Stop>,
    /// The turn failed, by whose fault.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// The harness showed exactly what the model said.
    #[serde(default)]
    pub whole_answer: bool,
    /// What the model was asked, in order.
    #[serde(default)]
    pub requests: Vec<Asked>,
    /// What became of the calls.
    #[serde(default)]
    pub calls: Option<Calls>,
    /// Types of events that came, like `downgrade`.
    #[serde(default)]
    pub events: Vec<String>,
    /// What the turn cost in the ledger.
    #[serde(default)]
    pub cost: Option<String>,
}

/// What one request must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Texts, in this order, wherever they are.
    #[serde(default)]
    pub has: Vec<String>,
    #[serde(default)]
    pub has_not: Vec<String>,
    /// The prompt's picture.
    #[serde(default)]
    pub image: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// Announced, ended, and answered to the model.
    Answered,
    /// The same, and it is said that they did not succeed.
    Failed,
    /// The same, because something was denied.
    Denied,
}

/// All scenarios, by name.
pub fn all() -> Result<Vec<Scenario>, SuiteError> {
    let mut scenarios = Vec::new();
    for file in SCENARIOS.files() {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = file.contents_utf8().unwrap_or_default();
        let mut scenario: Scenario = serde_saphyr::from_str(text).map_err(|error| {
            SuiteError::Scenario { name: name.clone(), reason: error.to_string() }
        })?;
        scenario.name = name;
        scenarios.push(scenario);
    }
    scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scenarios)
}

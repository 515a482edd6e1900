//! Plays a scenario, step by step, and collects what went wrong.

use std::sync::Arc;
use std::time::Duration;

use domain::content::Blob;
use domain::{Part, TurnInput};
use futures::future::join_all;
use session::{Features, TurnReport};
use tempfile::TempDir;
use tokio::sync::{Barrier, watch};
use tokio::time::timeout;

use super::host::{Host, Open, Parts};
use super::judge::{self, Judged};
use super::record::shown;
use super::scenario::{Answer, Expect, Held, Scenario, Step, Turn};
use super::{Options, SuiteError, Verdict};
use crate::files::FileError;

/// No scenario's turn takes a second; a harness that has not ended by then hangs.
const TURN_DEADLINE: Duration = Duration::from_secs(60);
/// For what must be shown while the model is held: text goes through a harness in milliseconds.
const SHOWN_DEADLINE: Duration = Duration::from_secs(10);

/// What stands for the session's number in a scenario's texts, and for the number of another one.
const NUMBER: &str = "$session";
const OTHER: &str = "$other";

/// The picture of a scenario: one red pixel.
pub fn picture() -> Blob {
    const PNG: &[u8] = include_bytes!("pixel.png");
    Blob { mime: "image/png".into(), data: PNG.to_vec() }
}

/// What a harness can do, seen in a plain turn.
pub struct Probe {
    pub tools: bool,
    pub features: Features,
    /// Why nothing could be seen.
    pub problem: Option<String>,
}

/// Runs a plain turn. Fails where the harness cannot even be loaded.
pub async fn probe(component: &std::path::Path, options: &Options) -> Result<Probe, SuiteError> {
    let scenario = Scenario {
        name: "probe".into(),
        title: String::new(),
        needs: Vec::new(),
        budget: None,
        deny: Vec::new(),
        sessions: 1,
        steps: Vec::new(),
    };
    let folder = scratch()?;
    let host = Host::new(folder.path(), &Parts { component, options }, &scenario)?;
    let mut open = host.open(0)?;
    host.stages[0].set(&[Answer { text: "Hello.".into(), times: 1, ..Answer::default() }]);
    let report = timeout(TURN_DEADLINE, open.session.turn(vec![Part::text("Hello.")])).await;
    let problem = match report {
        Ok(TurnReport { result: Ok(_), .. }) => None,
        Ok(TurnReport { result: Err(error), .. }) => Some(judge::chain(&error)),
        Err(_) => Some(hangs()),
    };
    let tools = host.stages[0].asked().iter().any(|request| !request.tools.is_empty());
    Ok(Probe { tools, features: open.session.features().unwrap_or_default(), problem })
}

/// Plays a scenario with a host of its own.
pub async fn play(scenario: &Scenario, parts: &Parts<'_>) -> Result<Verdict, SuiteError> {
    let folder = scratch()?;
    let host = Host::new(&folder.path().join("0"), parts, scenario)?;
    let together = Arc::new(Together::new(scenario.sessions as usize));
    let hosts = Arc::new(host);
    let players = (0..scenario.sessions as usize).map(|number| {
        let player = Player {
            scenario,
            parts,
            folder: &folder,
            number,
            hosts: vec![hosts.clone()],
            open: Vec::new(),
            together: together.clone(),
        };
        player.all()
    });
    let mut problems = Vec::new();
    let mut reason = None;
    for judged in join_all(players).await {
        let judged = judged?;
        problems.extend(judged.problems);
        reason = reason.or(judged.not_applicable);
    }
    Ok(match (problems.is_empty(), reason) {
        (false, _) => Verdict::Failed { problems },
        (true, Some(reason)) => Verdict::NotApplicable { reason },
        (true, None) => Verdict::Passed,
    })
}

/// Where the sessions of a scenario wait for each other.
struct Together {
    barrier: Barrier,
    left: watch::Sender<bool>,
}

impl Together {
    fn new(sessions: usize) -> Self {
        Self { barrier: Barrier::new(sessions), left: watch::Sender::new(false) }
    }

    /// Resolves when all sessions are here, or one will never be.
    async fn all_are_here(&self) {
        let mut left = self.left.subscribe();
        tokio::select! {
            _ = self.barrier.wait() => {}
            _ = left.wait_for(|left| *left) => {}
        }
    }

    fn leave(&self) {
        self.left.send_replace(true);
    }
}

/// One session's part in a scenario.
struct Player<'a> {
    scenario: &'a Scenario,
    parts: &'a Parts<'a>,
    folder: &'a TempDir,
    number: usize,
    /// One; two after a fork.
    hosts: Vec<Arc<Host>>,
    open: Vec<Option<Open>>,
    together: Arc<Together>,
}

impl Player<'_> {
    /// All steps; what comes after a step that went wrong would only repeat it.
    async fn all(mut self) -> Result<Judged, SuiteError> {
        self.open.push(Some(self.hosts[0].open(self.number)?));
        for (index, step) in self.scenario.steps.iter().enumerate() {
            let mut judged = match step {
                Step::Turn(turn) => self.turn(turn).await?,
                Step::Reopen => {
                    self.reopen().await?;
                    Judged::default()
                }
                Step::Fork => {
                    self.fork().await?;
                    Judged::default()
                }
            };
            if !judged.is_good() {
                self.together.leave();
                if self.scenario.steps.len() > 1 {
                    for problem in &mut judged.problems {
                        problem.insert_str(0, &format!("step {}: ", index + 1));
                    }
                }
                return Ok(judged);
            }
        }
        Ok(Judged::default())
    }

    async fn reopen(&mut self) -> Result<(), SuiteError> {
        self.open[0] = None;
        self.hosts[0].drain().await;
        self.open[0] = Some(self.hosts[0].open(self.number)?);
        Ok(())
    }

    /// The host's own data is closed, copied and opened again, so that both are of one past.
    async fn fork(&mut self) -> Result<(), SuiteError> {
        self.open[0] = None;
        self.hosts[0].drain().await;
        let copies = ["1", "2"].map(|name| self.folder.path().join(name));
        for copy in &copies {
            self.hosts[0].copy_to(copy)?;
        }
        self.hosts.clear();
        self.open.clear();
        for copy in &copies {
            let host = Arc::new(Host::new(copy, self.parts, self.scenario)?);
            self.open.push(Some(host.open(self.number)?));
            self.hosts.push(host);
        }
        Ok(())
    }

    async fn turn(&mut self, turn: &Turn) -> Result<Judged, SuiteError> {
        let together = self.together.clone();
        let turn = &numbered(turn, self.number, self.scenario.sessions as usize);
        let host = self.hosts[turn.of].clone();
        let stage = &host.stages[self.number];
        stage.set(&turn.model);
        host.fallback.set(&turn.fallback);
        let Some(open) = self.open[turn.of].as_mut() else {
            return Ok(Judged::problem("the session is not open"));
        };
        open.record.clear();
        let mut prompt = vec![Part::text(&turn.prompt)];
        prompt.extend(turn.image.then(|| Part::Blob(picture())));
        let handle = open.session.handle();
        let record = open.record.clone();
        let mut problems = Vec::new();
        let ended = {
            let mut running = std::pin::pin!(open.session.turn(prompt));
            let crash = turn.held == Some(Held::Crash);
            let meanwhile = async {
                let Some(held) = &turn.held else { return std::future::pending().await };
                stage.held().await;
                match held {
                    Held::Shown => {
                        let said = stage.said();
                        let seen = record.until(|events| shown(events).contains(said.trim_end()));
                        if timeout(SHOWN_DEADLINE, seen).await.is_err() {
                            return Some("the model had said something and nothing was shown until its answer was whole; emit each piece as it comes".to_owned());
                        }
                    }
                    Held::Steer(text) => {
                        // Taken, because the turn runs; what it does with it is judged.
                        let _taken = handle.send(TurnInput::Steer(vec![Part::text(text)]));
                    }
                    Held::Cancel => {
                        let _taken = handle.send(TurnInput::Cancel);
                    }
                    Held::Together => {
                        together.all_are_here().await;
                    }
                    Held::Crash => {}
                }
                None
            };
            let both = async {
                tokio::select! {
                    report = &mut running => Some(report),
                    problem = meanwhile => {
                        problems.extend(problem);
                        if crash { None } else {
                            stage.release();
                            Some(running.await)
                        }
                    }
                }
            };
            timeout(TURN_DEADLINE, both).await
        };
        let report = match ended {
            Err(_) => return Ok(Judged::problem(hangs())),
            Ok(None) => {
                // The process is gone in the middle of the turn.
                self.open[turn.of] = None;
                stage.release();
                host.drain().await;
                return Ok(Judged::default());
            }
            Ok(Some(_)) if turn.held == Some(Held::Crash) => {
                return Ok(Judged::problem("the turn ended before the model had answered"));
            }
            Ok(Some(report)) => report,
        };
        record.over().await;
        let seen = judge::Seen {
            report: &report,
            events: &record.events(),
            stage,
            fallback: &host.fallback,
            tool_is_given: self.parts.options.tool.is_some(),
        };
        let mut judged = judge::judge(turn, &seen);
        judged.problems.splice(0..0, problems);
        Ok(judged)
    }
}

/// The turn with the session's number in its texts.
fn numbered(turn: &Turn, number: usize, sessions: usize) -> Turn {
    let mut turn = turn.clone();
    let (number, other) = (number.to_string(), ((number + 1) % sessions.max(1)).to_string());
    let fill = |text: &mut String| *text = text.replace(NUMBER, &number).replace(OTHER, &other);
    fill(&mut turn.prompt);
    turn.model.iter_mut().chain(&mut turn.fallback).for_each(|answer| fill(&mut answer.text));
    let Expect { requests, .. } = &mut turn.expect;
    for asked in requests {
        asked.has.iter_mut().chain(&mut asked.has_not).for_each(fill);
    }
    turn
}

fn hangs() -> String {
    format!("the turn did not end within {} s", TURN_DEADLINE.as_secs())
}

fn scratch() -> Result<TempDir, FileError> {
    tempfile::tempdir()
        .map_err(|source| FileError::Write { path: "a temporary folder".into(), source })
}

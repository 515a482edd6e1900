//! Which session is meant.

use std::path::{Path, PathBuf};

use anyhow::Result;
use control::Found;
use control::protocol::{Info, State};

use crate::commands::output;
use crate::exit::{Exit, Failure};

/// A session and the socket of its process.
pub struct Target {
    pub socket: PathBuf,
    pub info: Info,
}

/// Every process that answers; the others are named on stderr.
pub async fn survey(folder: &Path) -> Result<Vec<Found>> {
    let survey = control::survey(folder).await.map_err(|error| {
        Failure::new(Exit::Failed, "cannot look for running sessions").because(error)
    })?;
    for (socket, error) in survey.failed {
        let error = anyhow::Error::new(error);
        output::note(&format!("{} is left out: {error:#}", socket.display()));
    }
    Ok(survey.found)
}

/// The session of this name, or the agent's, or the only one.
pub async fn find(folder: &Path, name: Option<&str>) -> Result<Target> {
    let targets = survey(folder).await?.into_iter().flat_map(|found| {
        let socket = found.socket;
        found.sessions.into_iter().map(move |info| Target { socket: socket.clone(), info })
    });
    Ok(choose(targets.collect(), name)?)
}

fn choose(mut targets: Vec<Target>, name: Option<&str>) -> Result<Target, Failure> {
    let known = list(&targets);
    if let Some(name) = name {
        let named = |target: &Target| target.info.session.as_str() == name;
        if targets.iter().any(named) {
            targets.retain(named);
        } else {
            targets.retain(|target| target.info.agent.as_str() == name);
        }
    }
    // One that works is meant rather than one that waits for its next prompt.
    let works = |target: &Target| target.info.state != State::Idle;
    if targets.len() > 1 && targets.iter().filter(|target| works(target)).count() == 1 {
        targets.retain(works);
    }
    let several = list(&targets);
    match (targets.pop(), targets.is_empty()) {
        (Some(target), true) => Ok(target),
        (Some(_), false) => Err(Failure::usage(format!("several sessions are running: {several}"))
            .hint("name one: xpressclaw attach SESSION")),
        (None, _) => Err(match name {
            Some(name) if !known.is_empty() => {
                Failure::usage(format!("no session and no agent `{name}` is running"))
                    .hint(format!("there are {known}"))
            }
            _ => Failure::usage("no session is running")
                .hint("start one with `xpressclaw run`; `--data-dir` must be the same for both"),
        }),
    }
}

fn list(targets: &[Target]) -> String {
    let name = |target: &Target| format!("{} ({})", target.info.session, target.info.agent);
    targets.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AgentName, NanoDollars, SessionId};

    fn target((session, agent, state): (&str, &str, State)) -> Target {
        let info = Info {
            session: SessionId::new(session).unwrap(),
            agent: AgentName::new(agent).unwrap(),
            harness: "pi".into(),
            model: "m".into(),
            state,
            turn: None,
            since: 0,
            cost: NanoDollars(0),
            watchers: 0,
            questions: 0,
            machine: false,
        };
        Target { socket: PathBuf::new(), info }
    }

    #[test]
    fn one_is_meant_or_the_error_names_them() {
        use State::{Asking, Idle, Running};
        type Session = (&'static str, &'static str, State);
        type Chosen = Result<&'static str, &'static str>;
        let cases: [(&[Session], Option<&str>, Chosen); 11] = [
            (&[], None, Err("no session is running")),
            (&[], Some("x"), Err("no session is running")),
            (&[("a", "pi", Idle)], None, Ok("a")),
            (&[("a", "pi", Idle), ("b", "pi", Running)], None, Ok("b")),
            (&[("a", "pi", Idle), ("b", "pi", Asking)], Some("pi"), Ok("b")),
            (&[("a", "pi", Idle), ("b", "pi", Running)], Some("a"), Ok("a")),
            (&[("a", "pi", Running), ("b", "echo", Running)], None, Err("a (pi), b (echo)")),
            (&[("a", "pi", Running), ("b", "echo", Running)], Some("echo"), Ok("b")),
            (&[("a", "pi", Running), ("b", "pi", Running)], Some("pi"), Err("a (pi), b (pi)")),
            (&[("a", "b", Running), ("b", "pi", Running)], Some("b"), Ok("b")),
            (&[("a", "pi", Running)], Some("x"), Err("no session and no agent `x`")),
        ];
        for (sessions, name, expected) in cases {
            let chosen = choose(sessions.iter().copied().map(target).collect(), name);
            match (chosen, expected) {
                (Ok(target), Ok(session)) => assert_eq!(target.info.session.as_str(), session),
                (Err(failure), Err(part)) => {
                    assert!(failure.message.contains(part), "{}", failure.message);
                }
                (chosen, _) => panic!("{sessions:?} {name:?}: {:?}", chosen.map(|t| t.info)),
            }
        }
    }
}

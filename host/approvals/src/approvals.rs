//! The gate of one session: rules first, then what is remembered, then a person.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::{AgentName, Answer, Event, Question, QuestionId, SessionId, TurnId, User, Verdict};
use store::Store;
use store::approval::{AUDIT_SUBJECT_MAX_BYTES, Decision as Recorded, Held, SUBJECT_MAX_BYTES};

use crate::action::{Action, What};
use crate::denial::{ASKED_MAX_BYTES, Denial};
use crate::fix::{fix, what};
use crate::permits::Permits;
use crate::rule::Rule;
use crate::rules::{Decision, Rules};
use crate::turn::Turn;
use crate::watchers::Watchers;

/// What a person can answer; anything else denies.
pub mod choices {
    pub const ALLOW: &str = "allow";
    pub const SESSION: &str = "allow for this session";
    pub const ALWAYS: &str = "always allow";
    pub const DENY: &str = "deny";
}

/// Paths of one action that are asked for: more questions about one call nobody reads.
const ASKED_PATHS_MAX: usize = 8;

/// What approvals are made of.
pub struct Parts {
    pub store: Store,
    pub agent: AgentName,
    pub session: SessionId,
    pub rules: Rules,
    pub user: Arc<dyn User>,
    pub report: Arc<dyn Watchers>,
}

/// See the module. Cloning shares everything.
#[derive(Clone)]
pub struct Approvals(Arc<Inner>);

struct Inner {
    parts: Parts,
    turn: Mutex<Turn>,
    permits: Mutex<Permits>,
    /// What rules know the tools of this turn by, under the name that the harness calls them by.
    tools: Mutex<Arc<HashMap<String, String>>>,
    /// One question at a time: a person reads one, and its answer may settle the next.
    asking: tokio::sync::Mutex<()>,
}

impl Approvals {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            turn: Mutex::new(Turn::new(None, std::future::pending())),
            permits: Mutex::default(),
            tools: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }))
    }

    /// A turn begins; `cancelled` resolves when it is cancelled, and that ends its open questions.
    pub fn begin_turn(&self, turn: TurnId, cancelled: impl Future<Output = ()> + Send + 'static) {
        *lock(&self.0.turn) = Turn::new(Some(turn), cancelled);
    }

    /// The turn is over: what its guest left open is not asked any more.
    pub fn end_turn(&self) {
        *lock(&self.0.turn) = Turn::over();
    }

    /// Resolves when the turn that runs now is cancelled or over. For who asks later on its behalf:
    /// `check` belongs to the turn that runs when it is polled first.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        lock(&self.0.turn).cancelled()
    }

    /// The tools that the host offers until the next call of this: the harness's name of each, and
    /// the one that rules know it by. A `permit` for one of them is a question about that tool.
    pub fn offer(&self, tools: impl IntoIterator<Item = (String, String)>) {
        *lock(&self.0.tools) = Arc::new(tools.into_iter().collect());
    }

    pub fn rules(&self) -> &Rules {
        &self.0.parts.rules
    }

    /// Whether the action may be done; asks where that is needed. Dropping the future withdraws the
    /// question, and so does the turn's cancellation.
    pub async fn check(&self, action: &Action<'_>) -> Result<(), Denial> {
        let tools = lock(&self.0.tools).clone();
        match action.what {
            // One tool has one name, one rule and one question, whichever door is asked first.
            What::Permit(call) if let Some(name) = subject(&tools, &call.tool) => {
                if let Decision::Deny(rule) = self.0.parts.rules.decide(action) {
                    return Err(self.denied(action, rule));
                }
                self.check_as_it_is(&Action::permit_of_tool(name, call)).await
            }
            _ => self.check_as_it_is(action).await,
        }
    }

    async fn check_as_it_is(&self, action: &Action<'_>) -> Result<(), Denial> {
        match self.0.parts.rules.decide(action) {
            Decision::Deny(rule) => Err(self.denied(action, rule)),
            Decision::Allow(rule) => self.allowed(action, rule),
            Decision::Ask(rule) => self.ask(action, rule).await,
        }
    }

    /// The same for an action on several paths, which is done whole or not at all: first what is
    /// denied, then the questions, and not too many of them.
    pub async fn check_all(&self, actions: &[Action<'_>]) -> Result<(), Denial> {
        let mut asked = Vec::new();
        for action in actions {
            match self.0.parts.rules.decide(action) {
                Decision::Deny(rule) => return Err(self.denied(action, rule)),
                Decision::Allow(rule) => self.allowed(action, rule)?,
                Decision::Ask(rule) => match self.remembered(action)? {
                    Some(by) => self.allowed_before(action, &by).await?,
                    None => asked.push((action, rule)),
                },
            }
        }
        if asked.len() > ASKED_PATHS_MAX {
            return Err(Denial::TooMany { count: asked.len() });
        }
        for (action, rule) in asked {
            self.ask(action, rule).await?;
        }
        Ok(())
    }

    /// What rules deny, without asking for anything: for a door behind which there is nothing yet
    /// that could be done.
    pub fn check_rules(&self, action: &Action<'_>) -> Result<(), Denial> {
        match self.0.parts.rules.decide(action) {
            Decision::Deny(rule) => Err(self.denied(action, rule)),
            Decision::Allow(_) | Decision::Ask(_) => Ok(()),
        }
    }

    pub(crate) fn denied(&self, action: &Action<'_>, rule: &Rule) -> Denial {
        let by = format!("rule deny {rule}");
        // A row that is lost allows nothing.
        let _ = self.decided_once(action, Verdict::Denied, &by);
        Denial::Rule { what: what(action), rule: rule.to_string() }
    }

    /// By a rule or by default: recorded where something is done outside of the sandbox's files.
    fn allowed(&self, action: &Action<'_>, rule: Option<&Rule>) -> Result<(), Denial> {
        if !matches!(action.what, What::Tool { .. } | What::Command { .. } | What::Permit(_)) {
            return Ok(());
        }
        let by = rule.map_or("default".to_owned(), |rule| format!("rule allow {rule}"));
        self.record(action, Verdict::Allowed, &by)
    }

    async fn ask(&self, action: &Action<'_>, rule: Option<&Rule>) -> Result<(), Denial> {
        let cancelled = lock(&self.0.turn).cancelled();
        tokio::select! {
            biased;
            () = cancelled => Err(Denial::Cancelled),
            answer = self.asked(action, rule) => answer,
        }
    }

    async fn asked(&self, action: &Action<'_>, rule: Option<&Rule>) -> Result<(), Denial> {
        let _turn = self.0.asking.lock().await;
        if let Some(by) = self.remembered(action)? {
            return self.allowed_before(action, &by).await;
        }
        if lock(&self.0.permits).take(action) {
            return self.decided(action, Verdict::Allowed, "the approval of this very call");
        }
        if action.size() > ASKED_MAX_BYTES {
            let _ = self.decided_once(action, Verdict::Denied, "too large to be shown");
            return Err(Denial::TooLarge { what: what(action) });
        }
        let subject = action.subject();
        let question = question(action, subject.len());
        let Parts { user, report, .. } = &self.0.parts;
        let asked = Event::Ask {
            id: question.id.clone(),
            question: question.text.clone(),
            choices: question.choices.clone(),
            call: question.call.clone(),
        };
        // What is told of its answer comes once for each: the questions alone must wait.
        report.caused(asked, question.text.len()).await;
        let mut open = Open { id: &question.id, report, answer: None };
        open.answer = user.ask(&question).await;
        let answer = open.answer.clone();
        drop(open);
        let Some(answer) = answer else {
            let _ = self.decided_once(action, Verdict::Denied, "nobody");
            let fix = fix(&self.0.parts.rules, action, rule);
            return Err(Denial::Nobody { what: what(action), fix });
        };
        if !question.choices.contains(&answer.text) || answer.text == choices::DENY {
            let _ = self.decided(action, Verdict::Denied, &answer.by);
            return Err(Denial::User { what: what(action) });
        }
        self.remember(action, &subject, &answer.text, &answer.by)?;
        self.decided(action, Verdict::Allowed, &answer.by)?;
        if action.ahead {
            lock(&self.0.permits).add(action);
        }
        Ok(())
    }

    /// Who allowed this very subject for longer.
    pub(crate) fn remembered(&self, action: &Action<'_>) -> Result<Option<String>, Denial> {
        let Parts { store, agent, session, .. } = &self.0.parts;
        let found = store
            .approval()
            .find(agent, session, action.kind(), &action.subject())
            .map_err(|error| unrecorded(action, &error))?;
        Ok(found.map(|found| match found.session {
            None => "remembered for good".to_owned(),
            Some(_) => "remembered for this session".to_owned(),
        }))
    }

    /// Remembered. Calls of tools and commands are recorded each, what is read again and again is
    /// not.
    async fn allowed_before(&self, action: &Action<'_>, by: &str) -> Result<(), Denial> {
        match action.what {
            What::Permit(_) | What::Tool { .. } | What::Command { .. } => {
                let recorded = self.record(action, Verdict::Allowed, by);
                let told = approval(action, Verdict::Allowed, by);
                self.0.parts.report.caused(told, action.size()).await;
                recorded?;
                if let What::Permit(_) = action.what {
                    lock(&self.0.permits).add(action);
                }
                Ok(())
            }
            _ => self.decided_once(action, Verdict::Allowed, by),
        }
    }

    fn remember(
        &self,
        action: &Action<'_>,
        subject: &str,
        answer: &str,
        by: &str,
    ) -> Result<(), Denial> {
        let Parts { store, agent, session, .. } = &self.0.parts;
        let held = match answer {
            choices::SESSION => Held::Session(session),
            choices::ALWAYS => Held::ForGood,
            _ => return Ok(()),
        };
        store
            .approval()
            .remember(agent, held, action.kind(), subject, by, now_ms())
            .map_err(|error| unrecorded(action, &error))
    }

    /// Records a decision and tells of it.
    fn decided(&self, action: &Action<'_>, verdict: Verdict, by: &str) -> Result<(), Denial> {
        let recorded = self.record(action, verdict, by);
        self.0.parts.report.tell(approval(action, verdict, by));
        recorded
    }

    /// The same once a turn.
    pub(crate) fn decided_once(
        &self,
        action: &Action<'_>,
        verdict: Verdict,
        by: &str,
    ) -> Result<(), Denial> {
        let first = lock(&self.0.turn).first(action.kind(), cut(&action.subject()), by);
        if first { self.decided(action, verdict, by) } else { Ok(()) }
    }

    fn record(&self, action: &Action<'_>, verdict: Verdict, by: &str) -> Result<(), Denial> {
        let Parts { store, agent, session, .. } = &self.0.parts;
        let turn = lock(&self.0.turn).id.clone();
        let decision = Recorded {
            agent,
            session,
            turn: turn.as_ref(),
            kind: action.kind(),
            subject: &action.subject(),
            verdict,
            by,
        };
        store.approval().record(&decision, now_ms()).map_err(|error| unrecorded(action, &error))
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").field("rules", self.rules()).finish_non_exhaustive()
    }
}

/// A question that waits; at its end, also when it is withdrawn, its watchers are told.
struct Open<'a> {
    id: &'a QuestionId,
    report: &'a Arc<dyn Watchers>,
    answer: Option<Answer>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let answer = self.answer.take();
        self.report.tell(Event::Answered {
            id: self.id.clone(),
            by: answer.as_ref().map(|answer| answer.by.clone()),
            answer: answer.map(|answer| answer.text),
        });
    }
}

fn approval(action: &Action<'_>, verdict: Verdict, by: &str) -> Event {
    Event::Approval {
        kind: action.kind(),
        subject: cut(&action.subject()).to_owned(),
        verdict,
        by: by.to_owned(),
        call: action.call.map(str::to_owned),
    }
}

/// What rules know a tool by; the harness may call it by that, too.
fn subject<'a>(tools: &'a HashMap<String, String>, name: &str) -> Option<&'a String> {
    tools.get(name).or_else(|| tools.values().find(|subject| *subject == name))
}

/// What cannot be remembered is asked for each time.
fn question(action: &Action<'_>, subject_bytes: usize) -> Question {
    let all: &[&str] = if (1..=SUBJECT_MAX_BYTES).contains(&subject_bytes) {
        &[choices::ALLOW, choices::SESSION, choices::ALWAYS, choices::DENY]
    } else {
        &[choices::ALLOW, choices::DENY]
    };
    let choices: Vec<String> = all.iter().map(|choice| (*choice).to_owned()).collect();
    let mut question = Question::new(action.question(), choices);
    question.call = action.call.map(str::to_owned);
    question
}

fn unrecorded(action: &Action<'_>, error: &dyn std::error::Error) -> Denial {
    tracing::error!(%error, "the store failed an approval");
    Denial::Unrecorded { what: what(action) }
}

/// What is shown of a subject in events, as in the audit log.
fn cut(subject: &str) -> &str {
    &subject[..subject.floor_char_boundary(AUDIT_SUBJECT_MAX_BYTES)]
}

/// A panic under these locks leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! The machine of one session: started when it is first needed, and anew after it ended.
//!
//! Called by the doors of this crate. It must never take a guest's word for anything but that guest's own
//! end, and never leave a computer running that nobody holds.

use std::sync::Arc;
use std::time::Duration;

use computer::{Computer, Config, State};
use domain::AgentName;
use machine_client::{Client, Ended, OnConnection};
use machine_protocol::PORT;
use ninep::Export;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::machines::{Machines, MachinesError};
use crate::share::share;

/// How long a machine may take from power to its agent's first word: a hundred times what it takes, for
/// hosts that are busy. One that never speaks has a broken image.
const BOOT_TIMEOUT: Duration = Duration::from_secs(60);

/// Terminals of people who watch from outside of the session; the agent in the machine has room for the
/// contract's 64 processes, 16 terminals and these.
pub(crate) const WATCHERS_MAX: usize = 32;

/// The command line of the image's kernel. A kernel that panics reboots at once, which ends the computer: a
/// machine that hangs for ever helps nobody.
pub const KERNEL_ARGUMENTS: &str = "root=/dev/vda rootfstype=erofs ro console=hvc0 quiet panic=-1 \
                         init=/usr/lib/xpressclaw/init";

/// Bytes of a kernel's last words that are passed on.
const LAST_WORDS_MAX: usize = 200;

/// What follows on every end.
const WHAT_NOW: &str =
    "the next command starts a new machine, in which only the workspace is as before";

/// What a session's machine is made of.
pub struct Parts {
    pub machines: Arc<Machines>,
    /// Bytes.
    pub memory: usize,
    /// The folder that is mounted at `/workspace`.
    pub workspace: Export,
    pub agent: AgentName,
    /// Serves programs in the machine that ask for the `xclaw` verbs.
    pub verbs: OnConnection,
}

/// See the module. Cloning shares it; the last one switches it off.
#[derive(Clone)]
pub struct Machine(Arc<Inner>);

struct Inner {
    parts: Parts,
    live: Mutex<Option<Live>>,
    closed: CancellationToken,
    watchers: Arc<Semaphore>,
}

/// One computer from its start to its end.
struct Live {
    running: Running,
    /// Switches the computer off.
    _off: DropGuard,
}

/// A machine whose agent has spoken.
#[derive(Clone)]
pub(crate) struct Running {
    pub client: Client,
    end: Arc<watch::Sender<Option<String>>>,
    off: CancellationToken,
}

/// A machine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Machines(#[from] MachinesError),
    #[error("the machine ended while it started: {0}")]
    Ended(String),
    #[error("the session is over")]
    Closed,
    #[error("the machine said nothing within {} s of its start", BOOT_TIMEOUT.as_secs())]
    Silent,
}

impl Machine {
    pub fn new(parts: Parts) -> Self {
        let watchers = Arc::new(Semaphore::new(WATCHERS_MAX));
        let (live, closed) = (Mutex::default(), CancellationToken::new());
        Self(Arc::new(Inner { parts, live, closed, watchers }))
    }

    pub(crate) fn agent(&self) -> &AgentName {
        &self.0.parts.agent
    }

    pub(crate) fn watchers(&self) -> Arc<Semaphore> {
        self.0.watchers.clone()
    }

    /// Switches off what runs or starts, for good: its processes and terminals are gone.
    pub async fn close(&self) {
        self.0.closed.cancel();
        self.0.live.lock().await.take();
    }

    /// The machine that runs, or a new one. Those who come while it starts wait for the same one.
    pub(crate) async fn running(&self) -> Result<Running, StartError> {
        let mut live = self.0.live.lock().await;
        if let Some(live) = live.as_ref().filter(|live| live.running.end.borrow().is_none()) {
            return Ok(live.running.clone());
        }
        // What is left of the old one goes before the new one takes memory.
        *live = None;
        let new = tokio::select! {
            biased;
            () = self.0.closed.cancelled() => return Err(StartError::Closed),
            new = self.start() => new?,
        };
        Ok(live.insert(new).running.clone())
    }

    async fn start(&self) -> Result<Live, StartError> {
        let Parts { machines, memory, workspace, verbs, .. } = &self.0.parts;
        let ready = machines.ready().await?;
        let mut computer = ready.computers.boot(Config {
            memory: *memory,
            kernel: ready.image.kernel,
            arguments: KERNEL_ARGUMENTS.to_owned(),
            disk: Some(ready.image.root),
            port: PORT.to_owned(),
            shares: vec![share(workspace)],
        });
        let Some(port) = computer.take_port() else {
            return Err(StartError::Ended("its port is taken".to_owned()));
        };
        let client = Client::new(port, verbs.clone());
        match tokio::time::timeout(BOOT_TIMEOUT, client.ready()).await {
            Ok(Ok(())) => {}
            Ok(Err(ended)) => return Err(StartError::Ended(reason(&computer, &ended).await)),
            Err(_) => return Err(StartError::Silent),
        }
        let end = Arc::<watch::Sender<_>>::default();
        let off = CancellationToken::new();
        let running = Running { client, end, off: off.clone() };
        let watched = running.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = watched.client.ended() => {
                    let reason = reason(&computer, &ended).await;
                    tracing::info!(%reason, "a machine ended");
                    watched.tell(&reason);
                }
                () = watched.off.cancelled() => watched.tell("the machine was switched off"),
            }
            // Here the computer is switched off, also where only its agent's words made no sense.
            drop(computer);
        });
        Ok(Live { running, _off: off.drop_guard() })
    }
}

impl Running {
    /// Switches it off for a reason that its processes are told.
    pub(crate) fn retire(&self, reason: &str) {
        self.tell(reason);
        self.off.cancel();
    }

    /// The first end counts.
    fn tell(&self, reason: &str) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(format!("{reason}; {WHAT_NOW}"));
            }
            first
        });
    }

    /// Why the machine ended; resolves when it has.
    pub(crate) async fn ended(&self) -> String {
        let mut end = self.end.subscribe();
        let reason = end.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_default()
    }
}

/// What became of a computer whose agent can no longer be spoken to.
async fn reason(computer: &Computer, ended: &Ended) -> String {
    if !matches!(ended, Ended::Closed | Ended::Stream(_)) {
        return format!("the machine was stopped: {ended}");
    }
    // The stream ends with the computer, whose state is known in a moment.
    let mut state = computer.state();
    let state = match state.wait_for(|state| *state != State::Running).await {
        Ok(state) => state.clone(),
        Err(_) => State::SwitchedOff,
    };
    match last_words(&computer.console_text()) {
        Some(words) => format!("{state} ({words})"),
        None => state.to_string(),
    }
}

/// What a kernel says when it gives up, fit for a line of text.
fn last_words(console: &str) -> Option<String> {
    let at = console.rfind("Kernel panic")?;
    let line = console[at..].lines().next()?;
    Some(line.chars().filter(|c| !c.is_control()).take(LAST_WORDS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernels_last_words_are_one_line() {
        let console =
            "[ 1.0] a\n[ 2.0] Kernel panic - not syncing: \u{1b}[1msysrq\u{7}\r\n[ 3.0] b";
        let words = last_words(console);
        assert_eq!(words.as_deref(), Some("Kernel panic - not syncing: [1msysrq"));
        assert_eq!(last_words("[ 1.0] nothing of the kind"), None);
        let long = format!("Kernel panic{}", "é".repeat(1000));
        assert_eq!(last_words(&long).map(|words| words.chars().count()), Some(LAST_WORDS_MAX));
    }
}

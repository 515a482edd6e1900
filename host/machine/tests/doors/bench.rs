//! A guest's side of the doors, without a guest.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use approvals::{Approvals, Parts, Rules};
use bindings::machine::shell::{
    Chunk, Command, Exit, Host as _, HostProcess, OutputStream, Process, Signal,
};
use bindings::machine::types::{Error, Size};
use bindings::session::turn::Host as _;
use domain::wait::Waitable;
use domain::{AgentName, Nobody, SessionId, TurnId, User};
use futures::FutureExt as _;
use harness::{TurnCtx, TurnHandle, TurnView};
use machine::{Folder, Machine, MachineCtx, MachineView, Machines};
use ninep::Export;
use store::Store;
use tempfile::TempDir;
use wasmtime::component::{Resource, ResourceTable};

use crate::image::{compiled, image};

/// Far above what any of this takes, also on a host that is busy.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Bytes of the machines' memory: little, so that many tests fit beside each other.
const MEMORY: usize = 256 << 20;

pub type Done<T> = Result<T, Error>;

/// A session's doors, and its turn.
pub struct Bench {
    pub workspace: TempDir,
    pub ctx: MachineCtx,
    pub table: ResourceTable,
    pub approvals: Approvals,
    turn: TurnCtx,
    machine: Option<Machine>,
    pub handle: TurnHandle,
}

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub exit: String,
}

impl Bench {
    /// Every command is allowed.
    pub fn allowed() -> Self {
        Self::with(rules(&[], &[]), Arc::new(Nobody))
    }

    pub fn with(rules: Rules, user: Arc<dyn User>) -> Self {
        let mut bench = Self::without_machine(rules, user);
        bench.plug_in(&image());
        bench
    }

    /// The session has a machine of this image.
    fn plug_in(&mut self, image: &Path) {
        let machine = Machine::new(machine::Parts {
            machines: Machines::new(Folder::new(image.to_owned()), compiled()),
            memory: MEMORY,
            workspace: Export::open(self.workspace.path()).unwrap(),
            agent: AgentName::new("pi").unwrap(),
            verbs: Arc::new(drop),
        });
        self.ctx =
            MachineCtx::new(Some(machine.clone()), self.approvals.clone(), self.handle.begin());
        self.machine = Some(machine);
        self.next_turn();
    }

    /// Every command is allowed; the image is in this folder, or will be.
    pub fn of_image(image: &Path) -> Self {
        let mut bench = Self::without_machine(rules(&[], &[]), Arc::new(Nobody));
        bench.plug_in(image);
        bench
    }

    /// The session ends.
    pub async fn end_session(&mut self) {
        self.machine.as_ref().unwrap().close().await;
    }

    pub fn without_machine(rules: Rules, user: Arc<dyn User>) -> Self {
        let approvals = Approvals::new(Parts {
            store: Store::in_memory().unwrap(),
            agent: AgentName::new("pi").unwrap(),
            session: SessionId::new("session").unwrap(),
            rules,
            user,
            report: Arc::new(|_: domain::Event| {}),
        });
        let turn = TurnCtx::new(harness::events().0, approvals.clone());
        let handle = turn.handle();
        let ctx = MachineCtx::new(None, approvals.clone(), handle.begin());
        let workspace = tempfile::tempdir().unwrap();
        Self { workspace, ctx, table: ResourceTable::new(), approvals, turn, machine: None, handle }
    }

    pub fn view(&mut self) -> MachineView<'_> {
        MachineView { ctx: &mut self.ctx, table: &mut self.table }
    }

    /// The session begins its next turn.
    pub fn next_turn(&mut self) {
        let cancellation = self.handle.begin();
        self.ctx.cancellation = cancellation.clone();
        let cancelled = async move { cancellation.cancelled().await };
        self.approvals.begin_turn(TurnId::mint(), cancelled);
    }

    /// The guest takes its next input.
    pub async fn take_input(&mut self) {
        let mut view = TurnView { ctx: &mut self.turn, table: &mut self.table };
        view.take_input().await.unwrap().unwrap();
    }

    /// Never blocks, whether the machine runs or not.
    pub async fn try_spawn(&mut self, command: Command) -> Done<u32> {
        let spawned = self.view().spawn(command).now_or_never().expect("it blocks");
        Ok(spawned.unwrap()?.rep())
    }

    pub async fn spawn(&mut self, command: Command) -> u32 {
        self.try_spawn(command).await.unwrap()
    }

    pub async fn read(&mut self, process: u32, max_bytes: u32) -> Done<Vec<Chunk>> {
        soon(self.view().read(borrow(process), max_bytes)).await.unwrap()
    }

    pub async fn write(&mut self, process: u32, data: &[u8]) -> Done<u32> {
        soon(self.view().write(borrow(process), data.into())).await.unwrap()
    }

    pub async fn close(&mut self, process: u32) -> Done<()> {
        self.view().close_stdin(borrow(process)).await.unwrap()
    }

    pub async fn kill(&mut self, process: u32, signal: Signal) -> Done<()> {
        self.view().kill(borrow(process), signal).await.unwrap()
    }

    pub async fn resize(&mut self, process: u32, size: Size) -> Done<()> {
        self.view().resize(borrow(process), size).await.unwrap()
    }

    pub async fn exit(&mut self, process: u32) -> Done<String> {
        let exit = soon(self.view().exit(borrow(process))).await.unwrap();
        exit.map(shown)
    }

    pub async fn drop(&mut self, process: u32) {
        let own = Resource::<Process>::new_own(process);
        HostProcess::drop(&mut self.view(), own).await.unwrap();
    }

    pub async fn readable(&mut self, process: u32) -> Waitable {
        let waitable = self.view().readable(borrow(process)).await.unwrap();
        self.table.delete(waitable).unwrap()
    }

    pub async fn writable(&mut self, process: u32) -> Waitable {
        let waitable = self.view().writable(borrow(process)).await.unwrap();
        self.table.delete(waitable).unwrap()
    }

    pub async fn exited(&mut self, process: u32) -> Waitable {
        let waitable = self.view().exited(borrow(process)).await.unwrap();
        self.table.delete(waitable).unwrap()
    }

    /// The three conditions of a process: `read`, `write` and `exit` would not block.
    pub async fn conditions(&mut self, process: u32) -> [Waitable; 3] {
        [self.readable(process).await, self.writable(process).await, self.exited(process).await]
    }

    /// The output until so much is there.
    pub async fn see(&mut self, process: u32, text: &str) -> String {
        soon(self.see_at_last(process, text)).await
    }

    async fn see_at_last(&mut self, process: u32, text: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(text) {
            let chunks = self.read(process, u32::MAX).await.unwrap();
            assert!(!chunks.is_empty(), "`{text}` does not come: {seen}");
            chunks.iter().for_each(|chunk| seen += &String::from_utf8_lossy(&chunk.data));
        }
        seen
    }

    /// All that comes, without its handle.
    pub async fn finish(&mut self, process: u32) -> Outcome {
        soon(self.finish_at_last(process)).await
    }

    async fn finish_at_last(&mut self, process: u32) -> Outcome {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            let chunks = self.read(process, u32::MAX).await.unwrap();
            if chunks.is_empty() {
                break;
            }
            for chunk in chunks {
                match chunk.stream {
                    OutputStream::Stdout => stdout.extend(chunk.data),
                    OutputStream::Stderr => stderr.extend(chunk.data),
                }
            }
        }
        let exit = self.exit(process).await.unwrap();
        self.drop(process).await;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Outcome { stdout: text(stdout), stderr: text(stderr), exit }
    }

    pub async fn run(&mut self, command: Command) -> Outcome {
        let process = self.spawn(command).await;
        self.finish(process).await
    }

    /// What a script prints that must succeed.
    pub async fn sh(&mut self, text: &str) -> String {
        let outcome = self.run(script(text)).await;
        assert_eq!((&*outcome.exit, &*outcome.stderr), ("0", ""), "{text}: {outcome:?}");
        outcome.stdout
    }
}

pub fn script(text: &str) -> Command {
    Command {
        script: text.into(),
        cwd: None,
        env: Vec::new(),
        timeout_ms: None,
        pty: None,
        call_id: None,
    }
}

pub fn size(columns: u16, rows: u16) -> Size {
    Size { columns, rows }
}

pub fn rules(ask: &[&str], deny: &[&str]) -> Rules {
    let parse = |rules: &[&str]| rules.iter().map(|rule| rule.parse().unwrap()).collect();
    Rules { ask: parse(ask), deny: parse(deny), ..Rules::default() }
}

/// Ends a test that would wait for ever.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it blocks")
}

pub fn borrow<T: 'static>(rep: u32) -> Resource<T> {
    Resource::new_borrow(rep)
}

fn shown(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => code.to_string(),
        Exit::Signal(number) => format!("signal {number}"),
        Exit::TimedOut => "timed out".to_owned(),
    }
}

//! What a guest's store holds: one context per capability, and how each is linked.

use engine::StoreLimits;
use files::{Files, FilesView, Guard};
use harness::{HasTurn, TurnCtx, TurnView};
use llm::host::{HasLlm, LlmCtx, LlmView};
use machine::{HasMachine, MachineCtx, MachineView};
use network::{Egress, Hooks, Names, NamesView};
use tools::{HasTools, ToolsCtx, ToolsView};
use verbs::{HasVerbs, VerbsCtx, VerbsView};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::filesystem::WasiFilesystemView as _;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::wasi::Wasi;

/// Handles that a guest may hold at once: completions, waitables, files; and those that it makes
/// itself. A busy harness holds a few dozen; a leak ends here instead of in the host's memory.
pub(crate) const HANDLES_MAX: usize = 10_000;

pub(crate) struct State {
    pub table: ResourceTable,
    pub limits: StoreLimits,
    pub wasi: Wasi,
    pub guard: Guard,
    pub http: WasiHttpCtx,
    pub hooks: Hooks,
    pub egress: Egress,
    pub turn: TurnCtx,
    pub llm: LlmCtx,
    pub verbs: VerbsCtx,
    pub tools: ToolsCtx,
    pub machine: MachineCtx,
}

/// A table that bounds what a guest can hold.
pub(crate) fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES_MAX);
    table
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi.get(), table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl FilesView for State {
    fn files(&mut self) -> Files<'_> {
        let guard = self.guard.clone();
        Files { wasi: self.filesystem(), guard }
    }
}

impl NamesView for State {
    fn names(&mut self) -> Names<'_> {
        Names { egress: &self.egress, table: &mut self.table }
    }
}

/// Links everything that a harness may import. Once per process.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use bindings::xclaw;
    use bindings::{base, llm as llm_wit, machine as machine_wit, session, tools as tools_wit};

    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    network::add_to_linker(linker)?;
    files::add_to_linker(linker)?;
    linker.allow_shadowing(false);

    base::content::add_to_linker::<State, HasTurn>(linker, turn)?;
    base::wait::add_to_linker::<State, HasTurn>(linker, turn)?;
    session::types::add_to_linker::<State, HasTurn>(linker, turn)?;
    session::turn::add_to_linker::<State, HasTurn>(linker, turn)?;
    llm_wit::types::add_to_linker::<State, HasLlm>(linker, llm)?;
    llm_wit::chat::add_to_linker::<State, HasLlm>(linker, llm)?;
    llm_wit::models::add_to_linker::<State, HasLlm>(linker, llm)?;
    xclaw::types::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::memory::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::task::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::budget::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::log::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::ask::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    xclaw::version::add_to_linker::<State, HasVerbs>(linker, verbs)?;
    tools_wit::tools::add_to_linker::<State, HasTools>(linker, tools)?;
    machine_wit::types::add_to_linker::<State, HasMachine>(linker, machine)?;
    machine_wit::shell::add_to_linker::<State, HasMachine>(linker, machine)?;
    machine_wit::terminal::add_to_linker::<State, HasMachine>(linker, machine)?;
    machine_wit::checkpoint::add_to_linker::<State, HasMachine>(linker, machine)?;
    Ok(())
}

fn turn(state: &mut State) -> TurnView<'_> {
    TurnView { ctx: &mut state.turn, table: &mut state.table }
}

fn llm(state: &mut State) -> LlmView<'_> {
    LlmView { ctx: &mut state.llm, table: &mut state.table }
}

fn verbs(state: &mut State) -> VerbsView<'_> {
    VerbsView(&mut state.verbs)
}

fn tools(state: &mut State) -> ToolsView<'_> {
    ToolsView { ctx: &mut state.tools, table: &mut state.table }
}

fn machine(state: &mut State) -> MachineView<'_> {
    MachineView { ctx: &mut state.machine, table: &mut state.table }
}

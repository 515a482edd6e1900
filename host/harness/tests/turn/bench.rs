//! A guest's side of a turn, without a guest.

use std::sync::Arc;

use approvals::{Approvals, Parts, Rules};
use bindings::base::wait::Host as _;
use bindings::session::turn::Host as _;
use bindings::session::types as wit;
use domain::wait::{Signal, Waitable};
use domain::{AgentName, Nobody, SessionId, User};
use harness::{EventReader, TurnCtx, TurnHandle, TurnView};
use store::Store;
use wasmtime::component::{Resource, ResourceTable};

pub struct Bench {
    pub approvals: Approvals,
    pub ctx: TurnCtx,
    pub table: ResourceTable,
    pub handle: TurnHandle,
    pub reader: EventReader,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Arc::new(Nobody))
    }

    pub fn with(user: Arc<dyn User>) -> Self {
        let (events, reader) = harness::events();
        let report = events.clone();
        let approvals = Approvals::new(Parts {
            store: Store::in_memory().unwrap(),
            agent: AgentName::new("pi").unwrap(),
            session: SessionId::new("session").unwrap(),
            rules: Rules::default(),
            user,
            report: Arc::new(move |event| report.host(event)),
        });
        let ctx = TurnCtx::new(events, approvals.clone());
        let handle = ctx.handle();
        handle.begin();
        Self { approvals, ctx, table: ResourceTable::new(), handle, reader }
    }

    pub fn view(&mut self) -> TurnView<'_> {
        TurnView { ctx: &mut self.ctx, table: &mut self.table }
    }

    /// A condition whose owner is the test.
    pub fn condition(&mut self) -> (Signal, u32) {
        let signal = Signal::default();
        let rep = self.table.push(signal.waitable()).unwrap().rep();
        (signal, rep)
    }

    pub async fn wait(&mut self, on: impl AsRef<[u32]>, timeout_ms: Option<u32>) -> Vec<u32> {
        let on = on.as_ref().iter().copied().map(Resource::<Waitable>::new_borrow).collect();
        self.view().wait(on, timeout_ms).await.unwrap()
    }

    pub async fn take(&mut self) -> Option<wit::Input> {
        self.view().take_input().await.unwrap()
    }

    pub async fn input_ready(&mut self) -> u32 {
        self.view().input_ready().await.unwrap().rep()
    }

    pub fn is_ready(&self, waitable: u32) -> bool {
        self.table.get(&Resource::<Waitable>::new_borrow(waitable)).unwrap().is_ready()
    }
}

//! The `Host` implementations of `xpressclaw:base/wait` and `xpressclaw:harness/turn`.

use std::time::Duration;

use bindings::base::wait as wit_wait;
use bindings::convert::{call_in, event_in, parts_out};
use bindings::session::turn as wit_turn;
use bindings::session::types as wit;
use domain::limits::WAIT_MAX;
use domain::wait::{Signal, Waitable};
use domain::{HarnessEvent, TurnInput};
use futures::future::select_all;
use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::ctx::TurnCtx;
use crate::cut::cut;
use crate::permit::Permission;

/// This crate's state together with the store's resource table, borrowed for one call.
pub struct TurnView<'a> {
    pub ctx: &'a mut TurnCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasTurn;

impl HasData for HasTurn {
    type Data<'a> = TurnView<'a>;
}

impl wit_wait::HostWaitable for TurnView<'_> {
    async fn ready(&mut self, this: Resource<Waitable>) -> wasmtime::Result<bool> {
        Ok(self.table.get(&this)?.is_ready())
    }

    async fn drop(&mut self, this: Resource<Waitable>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl wit_wait::Host for TurnView<'_> {
    async fn wait(
        &mut self,
        on: Vec<Resource<Waitable>>,
        timeout_ms: Option<u32>,
    ) -> wasmtime::Result<Vec<u32>> {
        let mut waitables = Vec::new();
        for resource in on.iter().take(WAIT_MAX) {
            waitables.push(self.table.get(resource)?.clone());
        }
        let ready = |waitables: &[Waitable]| -> Vec<u32> {
            (0u32..).zip(waitables).filter(|(_, w)| w.is_ready()).map(|(i, _)| i).collect()
        };
        let now = ready(&waitables);
        let never = waitables.is_empty() && timeout_ms.is_none();
        // A time-out of zero is a look: a timer would take it for a millisecond.
        if !now.is_empty() || never || timeout_ms == Some(0) {
            return Ok(now);
        }
        let cancellation = self.ctx.cancellation();
        let timeout = async {
            match timeout_ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
                None => std::future::pending().await,
            }
        };
        let mut watched = waitables.clone();
        let any = async {
            if watched.is_empty() {
                std::future::pending::<()>().await;
            }
            // A condition may be gone again by the time that it is looked at; that is no time-out.
            while ready(&waitables).is_empty() {
                select_all(watched.iter_mut().map(|w| Box::pin(w.ready()))).await;
            }
        };
        tokio::select! {
            () = any => {}
            () = timeout => {}
            () = cancellation.interrupted() => {}
        }
        Ok(ready(&waitables))
    }

    async fn timer(&mut self, after_ms: u32) -> wasmtime::Result<Resource<Waitable>> {
        let signal = Signal::default();
        let waitable = signal.waitable();
        if after_ms == 0 {
            signal.raise();
        } else {
            // Its end raises the condition; a timer that nobody waits for holds nothing.
            tokio::spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(after_ms.into())) => {}
                    () = signal.abandoned() => {}
                }
            });
            give_way().await;
        }
        Ok(self.table.push(waitable)?)
    }
}

/// Lets the task that was spawned for a guest run before the guest goes on. One that makes and drops
/// such tasks in a loop would queue them faster than they end, with all others behind them.
async fn give_way() {
    tokio::task::yield_now().await;
}

impl wit::Host for TurnView<'_> {}

impl bindings::base::content::Host for TurnView<'_> {}

impl TurnView<'_> {
    fn permission(&self, this: &Resource<wit_turn::Permission>) -> wasmtime::Result<&Permission> {
        Ok(self.table.get(&Resource::<Permission>::new_borrow(this.rep()))?)
    }
}

impl wit_turn::HostPermission for TurnView<'_> {
    async fn answer(
        &mut self,
        this: Resource<wit_turn::Permission>,
    ) -> wasmtime::Result<Result<(), wit_turn::Refusal>> {
        let answer = self.permission(&this)?.answer();
        Ok(answer.await)
    }

    async fn ready(
        &mut self,
        this: Resource<wit_turn::Permission>,
    ) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.permission(&this)?.waitable();
        Ok(self.table.push(waitable)?)
    }

    async fn drop(&mut self, this: Resource<wit_turn::Permission>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Permission>::new_own(this.rep()))?;
        give_way().await;
        Ok(())
    }
}

impl wit_turn::Host for TurnView<'_> {
    async fn emit(&mut self, event: wit::Event) -> wasmtime::Result<()> {
        let event = match event {
            // Cut below; the conversion would refuse it.
            wit::Event::Message(part) => HarnessEvent::Message { part: part.into() },
            event => event_in(event).unwrap_or_else(|too_large| HarnessEvent::Notice {
                text: format!("an event was left out: {too_large}"),
            }),
        };
        self.ctx.emit(cut(event)).await;
        Ok(())
    }

    async fn take_input(&mut self) -> wasmtime::Result<Option<wit::Input>> {
        Ok(self.ctx.inputs.take().map(|input| match input {
            TurnInput::Steer(parts) => wit::Input::Steer(parts_out(parts)),
            TurnInput::FollowUp(parts) => wit::Input::FollowUp(parts_out(parts)),
            TurnInput::Cancel => wit::Input::Cancel,
        }))
    }

    async fn input_ready(&mut self) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.ctx.inputs.waitable();
        Ok(self.table.push(waitable)?)
    }

    async fn permit(
        &mut self,
        call: wit::Call,
    ) -> wasmtime::Result<Resource<wit_turn::Permission>> {
        let permission = Permission::ask(
            call_in(call),
            self.ctx.approvals.clone(),
            self.ctx.cancellation(),
            self.ctx.questions.take(),
        );
        let entry = self.table.push(permission)?;
        Ok(Resource::new_own(entry.rep()))
    }
}

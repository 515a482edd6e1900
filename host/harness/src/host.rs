//! The `Host` implementations of `xpressclaw:base/wait` and `xpressclaw:harness/turn`.

use std::time::Duration;

use bindings::base::wait as wit_wait;
use bindings::convert::{call_in, event_in, parts_out};
use bindings::session::turn as wit_turn;
use bindings::session::types as wit;
use domain::limits::WAIT_MAX;
use domain::wait::{Signal, Waitable};
use domain::{HarnessEvent, TurnInput};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, select_all};
use tokio::sync::oneshot;
use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::ctx::TurnCtx;

/// A call shown for approval: title and input of a command fit many times.
const PERMIT_MAX_BYTES: usize = 1 << 20;

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
        if !now.is_empty() || (waitables.is_empty() && timeout_ms.is_none()) {
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
            select_all(watched.iter_mut().map(|w| Box::pin(w.ready()))).await;
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
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms.into())).await;
                signal.raise();
            });
        }
        Ok(self.table.push(waitable)?)
    }
}

impl wit::Host for TurnView<'_> {}

impl bindings::base::content::Host for TurnView<'_> {}

/// A question for approval under way.
struct Permission {
    answer: Shared<BoxFuture<'static, Result<(), wit_turn::Refusal>>>,
    waitable: Waitable,
    /// Withdraws the question when dropped.
    _withdraw: oneshot::Sender<()>,
}

const ALLOW: &str = "allow";
const DENY: &str = "deny";

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
        Ok(self.permission(&this)?.answer.clone().await)
    }

    async fn ready(
        &mut self,
        this: Resource<wit_turn::Permission>,
    ) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.permission(&this)?.waitable.clone();
        Ok(self.table.push(waitable)?)
    }

    async fn drop(&mut self, this: Resource<wit_turn::Permission>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Permission>::new_own(this.rep()))?;
        Ok(())
    }
}

impl wit_turn::Host for TurnView<'_> {
    async fn emit(&mut self, event: wit::Event) -> wasmtime::Result<()> {
        let event = event_in(event).unwrap_or_else(|too_large| HarnessEvent::Notice {
            text: format!("an event was left out: {too_large}"),
        });
        self.ctx.emit(event).await;
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
        let signal = Signal::default();
        let waitable = signal.waitable();
        let (withdraw, withdrawn) = oneshot::channel();
        let (answered, answer) = oneshot::channel();
        let user = self.ctx.user.clone();
        let cancellation = self.ctx.cancellation();
        let size = call.title.len() + call.input.len() + call.tool.len();
        let call = call_in(call);
        tokio::spawn(async move {
            let question = format!("{} ({}): {}", call.title, call.tool, call.input);
            let choices = [ALLOW.to_owned(), DENY.to_owned()];
            let denied = |text: &str| Err(wit_turn::Refusal::Denied(text.into()));
            let verdict = if size > PERMIT_MAX_BYTES {
                denied("the call is too large to be shown for approval")
            } else {
                tokio::select! {
                    biased;
                    () = cancellation.cancelled() => Err(wit_turn::Refusal::Cancelled),
                    _ = withdrawn => return,
                    answer = user.ask(&question, &choices) => match answer.as_deref() {
                        Some(ALLOW) => Ok(()),
                        Some(_) => denied("denied by the user"),
                        None => denied("needs approval, and no user is there to give it"),
                    },
                }
            };
            // The receiver may be gone: the guest dropped its question.
            let _ = answered.send(verdict);
            signal.raise();
        });
        let answer = answer
            .map(|verdict| verdict.unwrap_or(Err(wit_turn::Refusal::Cancelled)))
            .boxed()
            .shared();
        let entry = self.table.push(Permission { answer, waitable, _withdraw: withdraw })?;
        Ok(Resource::new_own(entry.rep()))
    }
}

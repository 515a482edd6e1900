//! `xpressclaw:xclaw/budget`.

use bindings::xclaw::budget as wit;
use domain::Window;

use crate::{VerbsView, now_ms};

impl wit::Host for VerbsView<'_> {
    async fn status(&mut self) -> wasmtime::Result<Vec<wit::Line>> {
        let ctx = &self.0;
        let lines = ctx.store.ledger().lines(&ctx.agent, Some(&ctx.task), &ctx.caps, now_ms());
        // The contract has no error here; a ledger that cannot be read also refuses to reserve,
        // and the next model call says so.
        let lines = lines
            .inspect_err(|error| tracing::error!(%error, "cannot read the budget"))
            .unwrap_or_default();
        Ok(lines
            .into_iter()
            .map(|line| wit::Line {
                scope: line.scope.as_str().into(),
                window: match line.window {
                    Window::Task => wit::Window::Task,
                    Window::Daily => wit::Window::Daily,
                    Window::Weekly => wit::Window::Weekly,
                    Window::Monthly => wit::Window::Monthly,
                    Window::Total => wit::Window::Total,
                },
                cap: line.cap.0,
                settled: line.settled.0,
                reserved: line.reserved.0,
                resets_at: line.resets_at,
            })
            .collect())
    }
}

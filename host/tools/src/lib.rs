//! Tools that the host offers to a harness: `xpressclaw:tools`.
//!
//! The list is what the agent's configuration gives it; without MCP servers behind the host it is
//! empty, and every call is of an unknown tool.

use bindings::tools::tools as wit;
use domain::wait::Waitable;
use wasmtime::component::{HasData, Resource, ResourceTable};

/// What this door keeps per session: nothing as long as the host has no tools of its own.
#[derive(Debug, Default)]
pub struct ToolsCtx {}

/// This door's state together with the store's resource table, borrowed for one call.
pub struct ToolsView<'a> {
    pub ctx: &'a mut ToolsCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasTools;

impl HasData for HasTools {
    type Data<'a> = ToolsView<'a>;
}

/// A guest cannot hold an invocation, because no call succeeds.
fn no_such_handle<T>() -> wasmtime::Result<T> {
    Err(wasmtime::component::ResourceTableError::NotPresent.into())
}

impl wit::HostInvocation for ToolsView<'_> {
    async fn finish(
        &mut self,
        _this: Resource<wit::Invocation>,
    ) -> wasmtime::Result<Result<wit::Output, wit::Error>> {
        no_such_handle()
    }

    async fn ready(
        &mut self,
        _this: Resource<wit::Invocation>,
    ) -> wasmtime::Result<Resource<Waitable>> {
        no_such_handle()
    }

    async fn drop(&mut self, _this: Resource<wit::Invocation>) -> wasmtime::Result<()> {
        no_such_handle()
    }
}

impl wit::Host for ToolsView<'_> {
    async fn list_tools(&mut self) -> wasmtime::Result<Vec<wit::Tool>> {
        Ok(Vec::new())
    }

    async fn call(
        &mut self,
        name: String,
        _arguments: String,
        _call_id: String,
    ) -> wasmtime::Result<Result<Resource<wit::Invocation>, wit::Error>> {
        Ok(Err(wit::Error::UnknownTool(name)))
    }
}

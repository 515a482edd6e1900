//! `xpressclaw:tools/tools`.

use bindings::tools::tools as wit;
use domain::wait::Waitable;
use serde_json::{Map, Value};
use wasmtime::component::Resource;

use crate::ToolsView;
use crate::invocation::{
    ARGUMENTS_MAX_BYTES, CALL_ID_MAX_BYTES, CALLS_MAX, Invocation, Request, answer_out,
};

impl ToolsView<'_> {
    fn invocation(&self, this: &Resource<wit::Invocation>) -> wasmtime::Result<&Invocation> {
        Ok(self.table.get(&Resource::<Invocation>::new_borrow(this.rep()))?)
    }
}

impl wit::HostInvocation for ToolsView<'_> {
    async fn finish(
        &mut self,
        this: Resource<wit::Invocation>,
    ) -> wasmtime::Result<Result<wit::Output, wit::Error>> {
        let answer = self.invocation(&this)?.answer();
        Ok(answer_out(answer.await))
    }

    async fn ready(
        &mut self,
        this: Resource<wit::Invocation>,
    ) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.invocation(&this)?.waitable();
        Ok(self.table.push(waitable)?)
    }

    async fn drop(&mut self, this: Resource<wit::Invocation>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Invocation>::new_own(this.rep()))?;
        Ok(())
    }
}

impl wit::Host for ToolsView<'_> {
    async fn list_tools(&mut self) -> wasmtime::Result<Vec<wit::Tool>> {
        let tools = self.ctx.servers.tools();
        let tool = |tool: &mcp::Tool| wit::Tool {
            name: tool.offered.clone(),
            description: tool.description.clone(),
            parameters: tool.parameters.clone(),
        };
        Ok(tools.iter().map(tool).collect())
    }

    async fn call(
        &mut self,
        name: String,
        arguments: String,
        call_id: String,
    ) -> wasmtime::Result<Result<Resource<wit::Invocation>, wit::Error>> {
        let tools = self.ctx.servers.tools();
        let Some(tool) = tools.iter().find(|tool| tool.offered == name) else {
            return Ok(Err(wit::Error::UnknownTool(name)));
        };
        let object = match object(&arguments, &call_id) {
            Ok(object) => object,
            Err(reason) => return Ok(Err(wit::Error::InvalidArguments(reason))),
        };
        let Some(slot) = self.ctx.open.take() else {
            let full = format!("{CALLS_MAX} calls are open; finish and drop some first");
            return Ok(Err(wit::Error::Other(full)));
        };
        let request = Request { tool: tool.clone(), arguments: object, text: arguments, call_id };
        let invocation = Invocation::start(
            request,
            self.ctx.servers.clone(),
            self.ctx.approvals.clone(),
            self.ctx.cancellation.clone(),
            slot,
        );
        let entry = self.table.push(invocation)?;
        Ok(Ok(Resource::new_own(entry.rep())))
    }
}

fn object(arguments: &str, call_id: &str) -> Result<Map<String, Value>, String> {
    if arguments.len() > ARGUMENTS_MAX_BYTES {
        return Err(format!("the arguments pass {ARGUMENTS_MAX_BYTES} bytes"));
    }
    if call_id.len() > CALL_ID_MAX_BYTES {
        return Err(format!("the call's id passes {CALL_ID_MAX_BYTES} bytes"));
    }
    serde_json::from_str(arguments).map_err(|error| format!("not a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_one_json_object_of_bounded_size() {
        assert_eq!(object("{\"a\": 1}", "1").unwrap().len(), 1);
        for (arguments, call_id) in [
            ("", "1"),
            ("[]", "1"),
            ("{} {}", "1"),
            (&*format!("{{\"a\": \"{}\"}}", "x".repeat(ARGUMENTS_MAX_BYTES)), "1"),
            ("{}", &*"x".repeat(CALL_ID_MAX_BYTES + 1)),
        ] {
            assert!(object(arguments, call_id).is_err(), "{:.20} {:.20}", arguments, call_id);
        }
    }
}

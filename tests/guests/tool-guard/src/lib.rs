//! Middleware between a harness and the host's tools: it hides a tool and signs what others answer.
//! For tests of the host: it is never shipped or listed.

wit_bindgen::generate!({
    world: "xpressclaw:harness/tools-middleware",
    path: [
        "../../../wit/deps/io.wit", "../../../wit/deps/clocks.wit",
        "../../../wit/deps/random.wit", "../../../wit/deps/filesystem.wit",
        "../../../wit/deps/sockets.wit", "../../../wit/deps/cli.wit",
        "../../../wit/deps/http.wit", "../../../wit/base", "../../../wit/llm",
        "../../../wit/xclaw", "../../../wit/tools", "../../../wit/machine",
        "../../../wit/harness",
    ],
    generate_all,
});

use exports::xpressclaw::tools::tools::{Error, Guest, GuestInvocation, Invocation, Output, Tool};
use xpressclaw::base::content::Part;
use xpressclaw::base::wait::Waitable;
use xpressclaw::tools::tools as host;

/// It prints the environment of a server, which is not the model's business.
const HIDDEN: &str = "everything__get-env";
const SIGNATURE: &str = "signed by the guard";

struct ToolGuard;
export!(ToolGuard);

impl Guest for ToolGuard {
    type Invocation = Guarded;

    fn list_tools() -> Vec<Tool> {
        let shown = host::list_tools().into_iter().filter(|tool| tool.name != HIDDEN);
        shown
            .map(|host::Tool { name, description, parameters }| Tool {
                name,
                description,
                parameters,
            })
            .collect()
    }

    fn call(name: String, arguments: String, call_id: String) -> Result<Invocation, Error> {
        if name == HIDDEN {
            return Err(Error::UnknownTool(name));
        }
        let invocation = host::call(&name, &arguments, &call_id).map_err(error)?;
        Ok(Invocation::new(Guarded(invocation)))
    }
}

struct Guarded(host::Invocation);

impl GuestInvocation for Guarded {
    fn finish(&self) -> Result<Output, Error> {
        let host::Output { mut content, failed } = self.0.finish().map_err(error)?;
        content.push(Part::Text(SIGNATURE.to_owned()));
        Ok(Output { content, failed })
    }

    fn ready(&self) -> Waitable {
        self.0.ready()
    }
}

/// What is imported and what is exported are two types.
fn error(error: host::Error) -> Error {
    match error {
        host::Error::UnknownTool(text) => Error::UnknownTool(text),
        host::Error::InvalidArguments(text) => Error::InvalidArguments(text),
        host::Error::Denied(text) => Error::Denied(text),
        host::Error::TimedOut => Error::TimedOut,
        host::Error::Cancelled => Error::Cancelled,
        host::Error::Other(text) => Error::Other(text),
    }
}

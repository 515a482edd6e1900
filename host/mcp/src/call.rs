//! One call of a tool.

use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CancelledNotificationParam, ClientRequest, RequestId,
    ServerResult,
};
use rmcp::service::PeerRequestOptions;
use rmcp::{Peer, RoleClient, ServiceError};
use serde_json::{Map, Value};

use crate::error::CallError;
use crate::http_failure::HttpFailure;
use crate::output::{Output, output};

/// Progress lengthens a call up to this many times its time-out: a server that only ever reports
/// progress ends, too.
pub const CALL_EXTENSION_MAX: u32 = 10;

/// A server's words for a refusal: the model reads them.
const REFUSAL_MAX_BYTES: usize = 16 << 10;

/// Tells the server when the call is dropped before its answer.
struct Open {
    peer: Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let peer = self.peer.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let cancelled = CancelledNotificationParam::new(Some(id), None);
            // A broken connection has forgotten the call anyway.
            let _ = peer.notify_cancelled(cancelled).await;
        });
    }
}

pub(crate) async fn call(
    peer: Peer<RoleClient>,
    name: &str,
    arguments: Map<String, Value>,
    timeout: Duration,
) -> Result<Output, CallError> {
    let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let options = PeerRequestOptions::with_timeout(timeout)
        .reset_timeout_on_progress()
        .with_max_total_timeout(timeout * CALL_EXTENSION_MAX);
    let handle = peer.send_cancellable_request(request, options).await.map_err(failure)?;
    let mut open = Open { peer: peer.clone(), id: Some(handle.id.clone()) };
    let answer = handle.await_response().await;
    open.id = None;
    match answer.map_err(failure)? {
        ServerResult::CallToolResult(result) => output(result),
        _ => Err(CallError::Unexpected),
    }
}

fn failure(error: ServiceError) -> CallError {
    match error {
        ServiceError::Timeout { .. } => CallError::TimedOut,
        ServiceError::McpError(error) => {
            let mut words = error.message.into_owned();
            words.truncate(words.floor_char_boundary(REFUSAL_MAX_BYTES));
            CallError::Refused(words)
        }
        ServiceError::UnexpectedResponse => CallError::Unexpected,
        error => HttpFailure::of_call(&error).map_or(CallError::Gone, HttpFailure::call),
    }
}
